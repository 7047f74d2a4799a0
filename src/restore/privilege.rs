//! The target's own default privileges, put out of force while objects are created.
//!
//! The rights in a dump are differences from the built-in defaults. Where the target grants more by itself, restored
//! objects would end with rights that their source did not have.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::object::identifier::Quote;
use crate::record::{DecodeError, Record};
use crate::server::Connection;

const QUERY: &str = include_str!("../../sql/restore/default_privilege.sql");

/// Statements that put default privileges out of force, and those that put them back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DefaultPrivileges {
    /// To the built-in defaults.
    pub(super) suspend: Vec<String>,
    /// To what they were.
    pub(super) resume: Vec<String>,
}

/// Reads the default privileges of the role that creates.
pub(super) async fn read(connection: &mut Connection) -> Result<DefaultPrivileges> {
    let rows = connection.query(QUERY, &[]).await?;
    statements(&rows).map_err(|error| Error::new(ErrorKind::Server, "query \"default_privilege\"").caused_by(error))
}

#[derive(Default)]
struct Setting {
    /// Rights by grantee; the empty name is everybody.
    rights: BTreeMap<(String, bool), Vec<String>>,
    owner_has_rights: bool,
}

fn statements(rows: &[Record]) -> Result<DefaultPrivileges, DecodeError> {
    let mut settings: BTreeMap<(Option<String>, char, String), Setting> = BTreeMap::new();
    for row in rows {
        let owner = row.string("owner")?;
        let setting =
            settings.entry((row.optional_string("schema")?, row.letter("object_type")?, owner.clone())).or_default();
        let Some(privilege) = row.optional("privilege")? else { continue };
        let grantee = row.optional_string("grantee")?.unwrap_or_default();
        setting.owner_has_rights |= grantee == owner;
        setting.rights.entry((grantee, row.boolean("grantable")?)).or_default().push(privilege.to_owned());
    }
    let quote = Quote::default();
    let mut out = DefaultPrivileges::default();
    for ((schema, object_type, owner), setting) in settings {
        let Some(objects) = objects(object_type) else { continue };
        let place =
            schema.as_deref().map(|schema| format!(" IN SCHEMA {}", quote.identifier(schema))).unwrap_or_default();
        let head = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {}{place}", quote.identifier(&owner));
        let role = |name: &str| {
            if name.is_empty() { "PUBLIC".to_owned() } else { quote.identifier(name).into_owned() }
        };
        for (grantee, _) in setting.rights.keys() {
            out.suspend.push(format!("{head} REVOKE ALL ON {objects} FROM {}", role(grantee)));
        }
        if schema.is_none() {
            // the built-in defaults: everything to the owner, and to everybody what PostgreSQL gives them
            out.suspend.push(format!("{head} GRANT ALL ON {objects} TO {}", quote.identifier(&owner)));
            if matches!(object_type, 'f' | 'T') {
                out.suspend.push(format!("{head} GRANT ALL ON {objects} TO PUBLIC"));
                out.resume.push(format!("{head} REVOKE ALL ON {objects} FROM PUBLIC"));
            }
            out.resume.push(format!("{head} REVOKE ALL ON {objects} FROM {}", quote.identifier(&owner)));
        }
        for ((grantee, grantable), privileges) in &setting.rights {
            let option = if *grantable { " WITH GRANT OPTION" } else { "" };
            out.resume.push(format!(
                "{head} GRANT {} ON {objects} TO {}{option}",
                privileges.join(", "),
                role(grantee)
            ));
        }
    }
    Ok(out)
}

fn objects(object_type: char) -> Option<&'static str> {
    Some(match object_type {
        'r' => "TABLES",
        'S' => "SEQUENCES",
        'f' => "FUNCTIONS",
        'T' => "TYPES",
        'n' => "SCHEMAS",
        'L' => "LARGE OBJECTS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_to_the_built_in_defaults_and_back() {
        let row = |schema, object_type, grantee, privilege| {
            Record::from_pairs(&[
                ("schema", schema),
                ("object_type", Some(object_type)),
                ("grantee", grantee),
                ("privilege", Some(privilege)),
                ("grantable", Some("f")),
                ("owner", Some("o")),
            ])
        };
        let rows = [
            row(None, "f", Some("o"), "EXECUTE"),
            row(None, "f", Some("r"), "EXECUTE"),
            row(Some("s"), "r", None, "SELECT"),
            row(Some("s"), "r", None, "INSERT"),
        ];
        let found = statements(&rows).unwrap();
        let head = "ALTER DEFAULT PRIVILEGES FOR ROLE o";
        assert_eq!(
            found.suspend,
            [
                format!("{head} REVOKE ALL ON FUNCTIONS FROM o"),
                format!("{head} REVOKE ALL ON FUNCTIONS FROM r"),
                format!("{head} GRANT ALL ON FUNCTIONS TO o"),
                format!("{head} GRANT ALL ON FUNCTIONS TO PUBLIC"),
                format!("{head} IN SCHEMA s REVOKE ALL ON TABLES FROM PUBLIC"),
            ]
        );
        assert_eq!(
            found.resume,
            [
                format!("{head} REVOKE ALL ON FUNCTIONS FROM PUBLIC"),
                format!("{head} REVOKE ALL ON FUNCTIONS FROM o"),
                format!("{head} GRANT EXECUTE ON FUNCTIONS TO o"),
                format!("{head} GRANT EXECUTE ON FUNCTIONS TO r"),
                format!("{head} IN SCHEMA s GRANT SELECT, INSERT ON TABLES TO PUBLIC"),
            ]
        );
    }
}
