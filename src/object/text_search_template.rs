//! Text search templates.

use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::object::range::function;
use crate::record::{DecodeError, Record};

/// What only a text search template has: its functions as SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSearchTemplate {
    /// Prepares a dictionary.
    pub init: Option<String>,
    /// Gives a token's lexemes.
    pub lexize: String,
}

impl TextSearchTemplate {
    /// A row of `sql/catalog/text_search_template.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let detail = Self { init: function(row, "init_function")?, lexize: row.string("lexize_function")? };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_TS_TEMPLATE, oid: row.oid("oid")? },
            name: row.string("tmplname")?,
            schema: row.oid("tmplnamespace")?,
            owner: "".into(),
            acl: None,
            detail: Detail::TextSearchTemplate(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let name = out.inventory.qualified(object, out.quote());
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "TEXT SEARCH TEMPLATE");
            let init = self.init.as_ref().map(|init| format!("    INIT = {init},\n")).unwrap_or_default();
            entry.create = format!("CREATE TEXT SEARCH TEMPLATE {name} (\n{init}    LEXIZE = {} );\n", self.lexize);
            entry.drop = format!("DROP TEXT SEARCH TEMPLATE {name};\n");
            out.push(entry);
        }
        let name = out.quote().identifier(&object.name).into_owned();
        out.comment(object, "TEXT SEARCH TEMPLATE", &name, out.inventory.schema_name(object));
    }
}
