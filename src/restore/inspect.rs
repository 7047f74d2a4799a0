//! What the target has, and what it lacks for the restore.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::record::{DecodeError, encode_array};
use crate::server::{Connection, Standing, read_standing};

const OBJECTS: &str = include_str!("../../sql/restore/target.sql");
const MISSING: &str = include_str!("../../sql/restore/missing.sql");
const FOREIGN_OWNERS: &str = include_str!("../../sql/restore/foreign_owner.sql");

/// What the target is.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) standing: Standing,
    /// Objects of users in it.
    pub(super) object_count: u64,
    /// The first few of them.
    pub(super) object_names: Vec<String>,
    /// It does not exist and is going to be made.
    pub(super) is_made: bool,
    /// The log holds no rows that are loaded into a table of the same transaction.
    pub(super) minimal_log: bool,
}

impl Target {
    /// What was looked at is another database of its server.
    pub(super) fn will_be_made(&mut self, name: &str) {
        self.is_made = true;
        name.clone_into(&mut self.standing.database);
        self.object_count = 0;
        self.object_names.clear();
    }
}

/// Names that something needs to exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) roles: BTreeSet<String>,
    pub(super) tablespaces: BTreeSet<String>,
    pub(super) extensions: BTreeSet<String>,
    pub(super) databases: BTreeSet<String>,
    /// Quoted for SQL.
    pub(super) relations: BTreeSet<String>,
}

fn wrong(query: &str) -> impl Fn(DecodeError) -> Error {
    move |error| Error::new(ErrorKind::Server, format!("query \"{query}\"")).caused_by(error)
}

/// Looks at the database that the connection leads to.
pub(super) async fn read_target(connection: &mut Connection) -> Result<Target> {
    let standing = read_standing(connection).await?;
    let row = connection.query_one(OBJECTS, &[]).await?;
    let level = connection.query_one("select pg_catalog.current_setting('wal_level') as level", &[]).await?;
    let decode = || -> Result<Target, DecodeError> {
        Ok(Target {
            standing,
            object_count: row.number("object_count")?,
            object_names: row.strings("names")?,
            is_made: false,
            minimal_log: level.text("level")? == "minimal",
        })
    };
    decode().map_err(wrong("target"))
}

/// The oid of a database of the server; `None` where it has none of that name.
pub(super) async fn read_database_oid(connection: &mut Connection, name: &str) -> Result<Option<u32>> {
    const SQL: &str = "select oid from pg_catalog.pg_database where datname = $1";
    let rows = connection.query(SQL, &[Some(name)]).await?;
    rows.first().map(|row| row.oid("oid")).transpose().map_err(wrong("database_oid"))
}

/// Those of the roles, as far as they exist, that the session's role cannot make owners of what it has.
pub(super) async fn read_foreign_owners(
    connection: &mut Connection,
    owners: impl Iterator<Item = &str>,
) -> Result<Vec<String>> {
    let owners: BTreeSet<String> = owners.map(str::to_owned).collect();
    let rows = connection.query(FOREIGN_OWNERS, &[Some(&encode_array(owners))]).await?;
    rows.iter().map(|row| row.string("name")).collect::<Result<_, _>>().map_err(wrong("foreign_owner"))
}

/// Those of the names that the server does not have.
pub(super) async fn read_missing(connection: &mut Connection, wanted: &Names) -> Result<Names> {
    let all: Vec<(&str, &String)> = [
        ("role", &wanted.roles),
        ("tablespace", &wanted.tablespaces),
        ("extension", &wanted.extensions),
        ("database", &wanted.databases),
        ("relation", &wanted.relations),
    ]
    .into_iter()
    .flat_map(|(kind, names)| names.iter().map(move |name| (kind, name)))
    .collect();
    let mut missing = Names::default();
    if all.is_empty() {
        return Ok(missing);
    }
    let kinds = encode_array(all.iter().map(|(kind, _)| (*kind).to_owned()));
    let names = encode_array(all.iter().map(|(_, name)| (*name).clone()));
    for row in connection.query(MISSING, &[Some(&kinds), Some(&names)]).await? {
        let name = row.string("name").map_err(wrong("missing"))?;
        let set = match row.text("kind").map_err(wrong("missing"))? {
            "role" => &mut missing.roles,
            "tablespace" => &mut missing.tablespaces,
            "extension" => &mut missing.extensions,
            "database" => &mut missing.databases,
            _ => &mut missing.relations,
        };
        set.insert(name);
    }
    Ok(missing)
}
