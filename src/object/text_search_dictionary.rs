//! Text search dictionaries.

use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a text search dictionary has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSearchDictionary {
    /// Schema and name of its template.
    pub template: (String, String),
    /// Its options as SQL: `name = value, ...`.
    pub options: Option<String>,
}

impl TextSearchDictionary {
    /// A row of `sql/catalog/text_search_dictionary.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let detail = Self {
            template: (row.string("template_schema")?, row.string("template_name")?),
            options: row.optional_string("dictinitoption")?,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_TS_DICT, oid: row.oid("oid")? },
            name: row.string("dictname")?,
            schema: row.oid("dictnamespace")?,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::TextSearchDictionary(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = out.inventory.qualified(object, quote);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "TEXT SEARCH DICTIONARY");
            let template = quote.qualified(Some(&self.template.0), &self.template.1);
            let options = self.options.as_ref().map(|options| format!(",\n    {options}")).unwrap_or_default();
            entry.create = format!("CREATE TEXT SEARCH DICTIONARY {name} (\n    TEMPLATE = {template}{options} );\n");
            entry.drop = format!("DROP TEXT SEARCH DICTIONARY {name};\n");
            out.push(entry);
        }
        out.comment(
            object,
            "TEXT SEARCH DICTIONARY",
            &quote.identifier(&object.name),
            out.inventory.schema_name(object),
        );
    }
}
