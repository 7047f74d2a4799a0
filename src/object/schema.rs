//! Schemas.

use super::acl::{AclTarget, quote_role};
use super::{Acl, CatalogId, Components, Detail, Emitter, Entry, InitialPrivileges, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// The oid of the role `pg_database_owner`, which owns `public` in a new database from server 15 on.
const DATABASE_OWNER: u32 = 6171;

/// What only a schema has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Whether the definition makes it; `public` exists in every new database, its entry only carries the owner.
    pub create: bool,
    /// Whether it belongs to whoever owns the database, as a new database's `public` does.
    pub has_default_owner: bool,
}

impl Schema {
    /// A row of `sql/catalog/schema.sql`.
    ///
    /// The rights of `public` are told as differences from what it will have in a new database of server 15 or later
    /// under its owner: what `pg_init_privs` says of it belongs to the schema that initdb made.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let name = row.string("nspname")?;
        let owner = row.string("owner")?;
        let mut acl = Acl::decode(row, "acl", "acl_default")?;
        let create = name != "public";
        if !create {
            let owner = quote_role(&owner);
            acl.initial = Some(InitialPrivileges {
                origin: 'i',
                items: vec![format!("{owner}=UC/{owner}"), format!("=U/{owner}")],
            });
        }
        let detail = Self { create, has_default_owner: row.oid("nspowner")? == DATABASE_OWNER };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_NAMESPACE, oid: row.oid("oid")? },
            name,
            schema: 0,
            owner: owner.into(),
            acl: Some(acl),
            detail: Detail::Schema(detail),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let name = out.quote().identifier(&object.name).into_owned();
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "SCHEMA");
            if self.create {
                entry.create = format!("CREATE SCHEMA {name};\n");
                entry.drop = format!("DROP SCHEMA {name};\n");
            } else {
                entry.create = "-- *not* creating schema, since initdb creates it\n".to_owned();
                entry.drop = "-- *not* dropping schema, since initdb creates it\n".to_owned();
            }
            out.push(entry);
        }
        if self.create {
            out.comment(object, "SCHEMA", &name, None);
        } else {
            out.comment_unless(object, "SCHEMA", &name, "standard public schema");
        }
        out.security_labels(object, "SCHEMA", &name, None);
        out.acl(object, AclTarget::new("SCHEMA", &name, None));
    }
}
