//! Conversions between encodings.

use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a conversion has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// The encoding that it takes.
    pub source: String,
    /// The encoding that it gives.
    pub target: String,
    /// Its function as SQL.
    pub function: String,
    /// Whether it is the one that is used where none is named.
    pub is_default: bool,
}

impl Conversion {
    /// A row of `sql/catalog/conversion.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let detail = Self {
            source: row.string("source")?,
            target: row.string("target")?,
            function: row.string("conproc")?,
            is_default: row.boolean("condefault")?,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_CONVERSION, oid: row.oid("oid")? },
            name: row.string("conname")?,
            schema: row.oid("connamespace")?,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::Conversion(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = out.inventory.qualified(object, quote);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "CONVERSION");
            let default = if self.is_default { "DEFAULT " } else { "" };
            let (source, target) = (quote.literal(&self.source), quote.literal(&self.target));
            entry.create =
                format!("CREATE {default}CONVERSION {name} FOR {source} TO {target} FROM {};\n", self.function);
            entry.drop = format!("DROP CONVERSION {name};\n");
            out.push(entry);
        }
        out.comment(object, "CONVERSION", &quote.identifier(&object.name), out.inventory.schema_name(object));
    }
}
