//! Casts.

use super::data_type::formatted;
use super::function::qualified_signature;
use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a cast has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// The type that it takes.
    pub source: u32,
    /// The type that it gives.
    pub target: u32,
    /// How it is done.
    pub method: CastMethod,
    /// `castcontext`: `i` where it is implicit, `a` in assignments too, `e` where it must be written.
    pub context: char,
}

/// How a cast is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastMethod {
    /// By a function.
    Function(u32),
    /// The bytes are the same.
    Binary,
    /// By way of text.
    InputOutput,
}

impl Cast {
    /// A row of `sql/catalog/cast.sql`. The name only orders: both types' names.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let method = match row.letter("castmethod")? {
            'f' => CastMethod::Function(row.oid("castfunc")?),
            'b' => CastMethod::Binary,
            'i' => CastMethod::InputOutput,
            other => {
                let problem = format!("{other:?} is no known way to cast");
                return Err(DecodeError { column: "castmethod".to_owned(), problem });
            }
        };
        let detail = Self {
            source: row.oid("castsource")?,
            target: row.oid("casttarget")?,
            method,
            context: row.letter("castcontext")?,
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_CAST, oid: row.oid("oid")? },
            name: row.string("name")?,
            schema: 0,
            owner: "".into(),
            acl: None,
            detail: Detail::Cast(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let inventory = out.inventory;
        let types = format!("({} AS {})", formatted(self.source, inventory), formatted(self.target, inventory));
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, inventory, "CAST");
            let method = match self.method {
                CastMethod::Function(oid) => format!("WITH FUNCTION {}", qualified_signature(oid, out)),
                CastMethod::Binary => "WITHOUT FUNCTION".to_owned(),
                CastMethod::InputOutput => "WITH INOUT".to_owned(),
            };
            let context = match self.context {
                'a' => " AS ASSIGNMENT",
                'i' => " AS IMPLICIT",
                _ => "",
            };
            entry.tag = format!("CAST {types}");
            entry.create = format!("CREATE CAST {types} {method}{context};\n");
            entry.drop = format!("DROP CAST {types};\n");
            out.push(entry);
        }
        out.comment(object, "CAST", &types, None);
    }
}
