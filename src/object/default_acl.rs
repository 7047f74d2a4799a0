//! Default privileges: what objects that a role makes later are granted.

use super::acl::AclTarget;
use super::{Acl, CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only default privileges have. The owner is the role whose objects they are for, the name the catalog's letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultAcl {
    /// The kind of object that they are for, as GRANT names it in the plural.
    pub objects: &'static str,
}

impl DefaultAcl {
    /// A row of `sql/catalog/default_acl.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let letter = row.letter("defaclobjtype")?;
        let objects = match letter {
            'r' => "TABLES",
            'S' => "SEQUENCES",
            'f' => "FUNCTIONS",
            'T' => "TYPES",
            'n' => "SCHEMAS",
            'L' => "LARGE OBJECTS",
            _ => {
                let problem = format!("{letter:?} is no kind of object that has known default privileges");
                return Err(DecodeError { column: "defaclobjtype".to_owned(), problem });
            }
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_DEFAULT_ACL, oid: row.oid("oid")? },
            name: letter.to_string(),
            schema: row.oid("defaclnamespace")?,
            owner: row.string("role")?.into(),
            acl: Some(Acl::decode(row, "acl", "acl_default")?),
            detail: Detail::DefaultAcl(Self { objects }),
        })
    }

    pub(super) fn entries(self, object: &Object, out: &mut Emitter<'_>) {
        let Some(acl) = object.acl.as_ref().filter(|_| out.options.include_acl && object.dumps(Components::ACL)) else {
            return;
        };
        let quote = out.quote();
        let mut prefix = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {} ", quote.identifier(&object.owner));
        if let Some(schema) = out.inventory.schema_name(object) {
            prefix.push_str(&format!("IN SCHEMA {} ", quote.identifier(schema)));
        }
        let mut entry = Entry::of(object, out.inventory, "DEFAULT ACL");
        entry.tag = format!("DEFAULT PRIVILEGES FOR {}", self.objects);
        entry.create = acl.statements(quote, &AclTarget::new(self.objects, "", None), &object.owner, &prefix);
        out.push(entry);
    }
}
