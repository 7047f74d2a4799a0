//! Transforms between a data type and a procedural language.

use super::data_type::formatted;
use super::function::qualified_signature;
use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a transform has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    /// The type.
    pub data_type: u32,
    /// The language's name.
    pub language: String,
    /// The function that makes the language's value, or 0.
    pub from_sql: u32,
    /// The function that makes the type's value, or 0.
    pub to_sql: u32,
}

impl Transform {
    /// A row of `sql/catalog/transform.sql`. The name only orders: the type's and the language's.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let detail = Self {
            data_type: row.oid("trftype")?,
            language: row.string("lanname")?,
            from_sql: row.oid("from_sql")?,
            to_sql: row.oid("to_sql")?,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_TRANSFORM, oid: row.oid("oid")? },
            name: row.string("name")?,
            schema: 0,
            owner: "".into(),
            acl: None,
            detail: Detail::Transform(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let language = out.quote().identifier(&self.language).into_owned();
        let target = format!("FOR {} LANGUAGE {language}", formatted(self.data_type, out.inventory));
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "TRANSFORM");
            let functions: Vec<String> = [("FROM", self.from_sql), ("TO", self.to_sql)]
                .into_iter()
                .filter(|&(_, oid)| oid != 0)
                .map(|(word, oid)| format!("{word} SQL WITH FUNCTION {}", qualified_signature(oid, out)))
                .collect();
            entry.tag = format!("TRANSFORM {target}");
            entry.create = format!("CREATE TRANSFORM {target} ({});\n", functions.join(", "));
            entry.drop = format!("DROP TRANSFORM {target};\n");
            out.push(entry);
        }
        out.comment(object, "TRANSFORM", &target, None);
    }
}
