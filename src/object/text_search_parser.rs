//! Text search parsers.

use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::object::range::function;
use crate::record::{DecodeError, Record};

/// What only a text search parser has: its functions as SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSearchParser {
    /// Begins a text.
    pub start: String,
    /// Gives the next token.
    pub token: String,
    /// Ends the text.
    pub end: String,
    /// Picks what a headline shows.
    pub headline: Option<String>,
    /// Lists the types of tokens.
    pub token_types: String,
}

impl TextSearchParser {
    /// A row of `sql/catalog/text_search_parser.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let detail = Self {
            start: row.string("start_function")?,
            token: row.string("token_function")?,
            end: row.string("end_function")?,
            headline: function(row, "headline_function")?,
            token_types: row.string("token_types_function")?,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_TS_PARSER, oid: row.oid("oid")? },
            name: row.string("prsname")?,
            schema: row.oid("prsnamespace")?,
            owner: "".into(),
            acl: None,
            detail: Detail::TextSearchParser(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let name = out.inventory.qualified(object, out.quote());
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "TEXT SEARCH PARSER");
            let headline =
                self.headline.as_ref().map(|headline| format!("    HEADLINE = {headline},\n")).unwrap_or_default();
            entry.create = format!(
                "CREATE TEXT SEARCH PARSER {name} (\n    START = {},\n    GETTOKEN = {},\n    END = {},\n{headline}    \
                 LEXTYPES = {} );\n",
                self.start, self.token, self.end, self.token_types
            );
            entry.drop = format!("DROP TEXT SEARCH PARSER {name};\n");
            out.push(entry);
        }
        let name = out.quote().identifier(&object.name).into_owned();
        out.comment(object, "TEXT SEARCH PARSER", &name, out.inventory.schema_name(object));
    }
}
