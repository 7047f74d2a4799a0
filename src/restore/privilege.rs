//! The target's own default privileges, which must not count for what a restore creates.
//!
//! The rights in a dump are differences from the built-in defaults. Where the target grants more by itself, restored
//! objects would end with rights that their source did not have. So whatever gets rights when it is created is created
//! in a transaction in which the built-in defaults are in force. At its end the target's own are as they were: no other
//! session sees anything else, no restore that is killed leaves anything else, and what comes into being beside the
//! object (an extension's members, a range's functions) has the right rights from its first moment.

use std::collections::BTreeMap;

use crate::archive::toc::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::object::identifier::Quote;
use crate::record::{DecodeError, Record};
use crate::server::Connection;

const QUERY: &str = include_str!("../../sql/restore/default_privilege.sql");

/// Kinds of objects in the letters of `pg_default_acl.defaclobjtype`.
const ALL: &[char] = &['r', 'S', 'f', 'T', 'n', 'L'];

/// The default privileges that can count for one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope<'a> {
    kinds: &'a [char],
    /// Those of this schema, beside those of all; none is every schema.
    schema: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// What counts when the entry's object is created; none where nothing does.
    pub(super) fn of(entry: &'a Entry) -> Option<Self> {
        let schema = entry.schema.as_deref().filter(|schema| !schema.is_empty());
        let kinds: &[char] = match entry.kind.as_str() {
            // an identity column has a sequence
            "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "FOREIGN TABLE" | "SEQUENCE" => &['r', 'S'],
            "FUNCTION" | "PROCEDURE" | "AGGREGATE" => &['f'],
            // a range has functions
            "TYPE" | "SHELL TYPE" | "DOMAIN" => &['T', 'f'],
            "SCHEMA" => &['n'],
            "BLOB" | "BLOB METADATA" => &['L'],
            "EXTENSION" | "PROCEDURAL LANGUAGE" => return Some(Self { kinds: ALL, schema: None }),
            _ => return None,
        };
        Some(Self { kinds, schema })
    }

    fn includes(&self, kind: char, schema: Option<&str>) -> bool {
        self.kinds.contains(&kind) && (schema.is_none() || self.schema.is_none() || schema == self.schema)
    }
}

/// Statements that put default privileges out of force, and those that put them back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DefaultPrivileges {
    /// To the built-in defaults.
    pub(super) suspend: Vec<String>,
    /// To what they were.
    pub(super) resume: Vec<String>,
}

/// Whether the role that creates has default privileges of its own in this database.
pub(super) async fn exist(connection: &mut Connection) -> Result<bool> {
    Ok(!connection.query(QUERY, &[]).await?.is_empty())
}

/// Reads the default privileges of the role that creates.
pub(super) async fn read(connection: &mut Connection, scope: Scope<'_>) -> Result<DefaultPrivileges> {
    let rows = connection.query(QUERY, &[]).await?;
    statements(&rows, scope)
        .map_err(|error| Error::new(ErrorKind::Server, "query \"default_privilege\"").caused_by(error))
}

#[derive(Default)]
struct Setting {
    /// Rights by grantee; the empty name is everybody.
    rights: BTreeMap<(String, bool), Vec<String>>,
    owner_has_rights: bool,
}

fn statements(rows: &[Record], scope: Scope<'_>) -> Result<DefaultPrivileges, DecodeError> {
    let mut settings: BTreeMap<(Option<String>, char, String), Setting> = BTreeMap::new();
    for row in rows {
        let (owner, schema, object_type) =
            (row.string("owner")?, row.optional_string("schema")?, row.letter("object_type")?);
        if !scope.includes(object_type, schema.as_deref()) {
            continue;
        }
        let setting = settings.entry((schema, object_type, owner.clone())).or_default();
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
    use crate::archive::toc::Section;

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
        let found = statements(&rows, Scope { kinds: ALL, schema: None }).unwrap();
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
    #[test]
    fn only_what_counts_for_the_object_is_touched() {
        let row = |schema, object_type| {
            Record::from_pairs(&[
                ("schema", schema),
                ("object_type", Some(object_type)),
                ("grantee", Some("r")),
                ("privilege", Some("SELECT")),
                ("grantable", Some("f")),
                ("owner", Some("o")),
            ])
        };
        let rows = [row(None, "f"), row(Some("s"), "r"), row(Some("other"), "r")];
        let entry = |kind| Entry { schema: Some("s".to_owned()), ..Entry::new(1, kind, "t", Section::PreData) };
        let table = statements(&rows, Scope::of(&entry("TABLE")).unwrap()).unwrap();
        assert_eq!(table.suspend, ["ALTER DEFAULT PRIVILEGES FOR ROLE o IN SCHEMA s REVOKE ALL ON TABLES FROM r"]);
        let extension = statements(&rows, Scope::of(&entry("EXTENSION")).unwrap()).unwrap();
        assert!(extension.suspend.len() > 4, "{extension:?}");
        assert_eq!(Scope::of(&entry("INDEX")), None);
    }
}
