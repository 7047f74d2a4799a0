//! Access methods of indexes and tables.

use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only an access method has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessMethod {
    /// What it is for: `INDEX` or `TABLE`.
    pub purpose: &'static str,
    /// Its handler function as SQL.
    pub handler: String,
}

impl AccessMethod {
    /// A row of `sql/catalog/access_method.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let purpose = match row.letter("amtype")? {
            'i' => "INDEX",
            't' => "TABLE",
            other => {
                let problem = format!("{other:?} is no known type of access method");
                return Err(DecodeError { column: "amtype".to_owned(), problem });
            }
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_AM, oid: row.oid("oid")? },
            name: row.string("amname")?,
            schema: 0,
            owner: "".into(),
            acl: None,
            detail: Detail::AccessMethod(Self { purpose, handler: row.string("amhandler")? }),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let name = out.quote().identifier(&object.name).into_owned();
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "ACCESS METHOD");
            entry.create = format!("CREATE ACCESS METHOD {name} TYPE {} HANDLER {};\n", self.purpose, self.handler);
            entry.drop = format!("DROP ACCESS METHOD {name};\n");
            out.push(entry);
        }
        out.comment(object, "ACCESS METHOD", &name, None);
    }
}
