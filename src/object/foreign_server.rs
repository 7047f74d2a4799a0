//! Foreign servers and their user mappings.

use super::acl::AclTarget;
use super::contradiction::Contradiction;
use super::foreign_data_wrapper::options_clause;
use super::{Acl, CatalogId, Components, Detail, Emitter, Entry, Inventory, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a foreign server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignServer {
    /// Its wrapper's name.
    pub wrapper: String,
    /// Its type, which only the wrapper understands.
    pub server_type: Option<String>,
    /// Its version, which only the wrapper understands.
    pub version: Option<String>,
    /// Its options as SQL.
    pub options: String,
    /// Its user mappings, by user.
    pub user_mappings: Vec<UserMapping>,
}

/// Who a user is on a foreign server.
#[derive(Clone, PartialEq, Eq)]
pub struct UserMapping {
    /// The user's name; `public` for everybody.
    pub user: String,
    /// Its options as SQL, a password among them perhaps; empty where the session may not see them.
    pub options: String,
}

impl std::fmt::Debug for UserMapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserMapping").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Takes the rows of `sql/catalog/user_mapping.sql` in, by user; the servers are in the inventory by then.
pub fn take_user_mappings(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(id) = inventory.find(class::PG_FOREIGN_SERVER, row.oid("srvid")?) else { continue };
        let Some(user) = row.optional_string("usename")? else {
            inventory.contradictions.push(without_role(row, &inventory.get(id).name)?);
            continue;
        };
        let object = inventory.get_mut(id);
        object.components = object.components.with(Components::USER_MAPPING);
        if let Detail::ForeignServer(server) = &mut object.detail {
            server.user_mappings.push(UserMapping { user, options: row.string("options")? });
        }
    }
    Ok(())
}

/// A user mapping whose role is gone.
fn without_role(row: &Record, server: &str) -> Result<Contradiction, DecodeError> {
    Ok(Contradiction {
        object: CatalogId { class: class::PG_USER_MAPPING, oid: row.oid("umid")? },
        catalog: "pg_user_mapping".to_owned(),
        schema: 0,
        relation: 0,
        name: format!("for server {server}"),
        referenced_catalog: "pg_authid".to_owned(),
        referenced: Some(row.oid("umuser")?),
    })
}

impl ForeignServer {
    /// A row of `sql/catalog/foreign_server.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        let filled = |column| Ok::<_, DecodeError>(row.optional_string(column)?.filter(|text| !text.is_empty()));
        let detail = Self {
            wrapper: row.string("fdwname")?,
            server_type: filled("srvtype")?,
            version: filled("srvversion")?,
            options: row.string("options")?,
            user_mappings: Vec::new(),
        };
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_FOREIGN_SERVER, oid: row.oid("oid")? },
            name: row.string("srvname")?,
            schema: 0,
            owner: row.string("owner")?.into(),
            acl: Some(Acl::decode(row, "acl", "acl_default")?),
            detail: Detail::ForeignServer(Box::new(detail)),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = quote.identifier(&object.name);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "SERVER");
            let words: String = [("TYPE", &self.server_type), ("VERSION", &self.version)]
                .iter()
                .filter_map(|(word, text)| Some(format!(" {word} {}", quote.literal(text.as_ref()?))))
                .collect();
            let (wrapper, options) = (quote.identifier(&self.wrapper), options_clause(&self.options));
            entry.create = format!("CREATE SERVER {name}{words} FOREIGN DATA WRAPPER {wrapper}{options};\n");
            entry.drop = format!("DROP SERVER {name};\n");
            out.push(entry);
        }
        out.comment(object, "SERVER", &name, None);
        out.acl(object, AclTarget::new("FOREIGN SERVER", &name, None));
        if object.dumps(Components::USER_MAPPING) {
            for mapping in &self.user_mappings {
                let user = quote.identifier(&mapping.user);
                let id = out.new_id();
                let mut entry = Entry::of(object, out.inventory, "USER MAPPING");
                entry.id = id;
                entry.catalog_id = CatalogId::default();
                entry.tag = format!("USER MAPPING {} SERVER {}", mapping.user, object.name);
                let options = options_clause(&mapping.options);
                entry.create = format!("CREATE USER MAPPING FOR {user} SERVER {name}{options};\n");
                entry.drop = format!("DROP USER MAPPING FOR {user} SERVER {name};\n");
                entry.dependencies = Some(Vec::new());
                out.push(entry);
            }
        }
    }
}
