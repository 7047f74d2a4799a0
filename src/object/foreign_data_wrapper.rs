//! Foreign-data wrappers.

use super::acl::AclTarget;
use super::{Acl, CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::object::range::function;
use crate::record::{DecodeError, Record};

/// What only a foreign-data wrapper has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignDataWrapper {
    /// Its handler function as SQL.
    pub handler: Option<String>,
    /// The function that checks options, as SQL.
    pub validator: Option<String>,
    /// Its options as SQL.
    pub options: String,
}

/// ` OPTIONS (...)` with what a query gives as the options' SQL text, or nothing.
pub(super) fn options_clause(options: &str) -> String {
    if options.is_empty() { String::new() } else { format!(" OPTIONS (\n    {options}\n)") }
}

impl ForeignDataWrapper {
    /// A row of `sql/catalog/foreign_data_wrapper.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let detail = Self {
            handler: function(row, "handler_function")?,
            validator: function(row, "validator_function")?,
            options: row.string("options")?,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_FOREIGN_DATA_WRAPPER, oid: row.oid("oid")? },
            name: row.string("fdwname")?,
            schema: 0,
            owner: row.string("owner")?.into(),
            acl: Some(Acl::decode(row, "acl", "acl_default")?),
            detail: Detail::ForeignDataWrapper(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let name = out.quote().identifier(&object.name).into_owned();
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "FOREIGN DATA WRAPPER");
            let functions: String = [("HANDLER", &self.handler), ("VALIDATOR", &self.validator)]
                .iter()
                .filter_map(|(word, function)| Some(format!(" {word} {}", function.as_ref()?)))
                .collect();
            let options = options_clause(&self.options);
            entry.create = format!("CREATE FOREIGN DATA WRAPPER {name}{functions}{options};\n");
            entry.drop = format!("DROP FOREIGN DATA WRAPPER {name};\n");
            out.push(entry);
        }
        out.comment(object, "FOREIGN DATA WRAPPER", &name, None);
        out.acl(object, AclTarget::new("FOREIGN DATA WRAPPER", &name, None));
    }
}
