//! What a dump does not know how to write is found on a real server, by name, before anything is written. The catalogs
//! are changed by hand, as a newer server would fill them.

use pgproof::catalog::{read, self_test};
use pgproof::error::{Error, ErrorKind};
use pgproof::object::self_test::catalogs;
use pgproof::plan::select;
use pgproof::server::{Connection, Isolation, LockPatience, Setup, Spec, begin, set_up};

use crate::support::pg::{newest_server, servers};
use crate::support::repository;

const STRANGE: &str = "
create schema strange;
create schema left_out;
set search_path = strange;
create table known (a int, b int);
create view graph as select 1 as x;
create type kind_of_type as enum ('a');
create function routine() returns int language sql as 'select 1';
create collation provider from \"C\";
create cast (int as uuid) with inout;
create statistics knowledge on a, b from known;
create table way (a int, b int);
create view left_out.graph as select 1 as x;
set allow_system_table_mods = on;
update pg_class set relkind = 'g' where relname = 'graph';
update pg_type set typtype = 'z' where typname = 'kind_of_type';
update pg_proc set prokind = 'x' where proname = 'routine';
update pg_collation set collprovider = 'q' where collname = 'provider';
update pg_cast set castmethod = 'z' where oid > 16383;
update pg_statistic_ext set stxkind = '{d,y}' where stxname = 'knowledge';
";

/// Properties of columns, which are seen when the columns are read.
const STRANGE_COLUMNS: &str = "
set allow_system_table_mods = on;
update pg_attribute set attgenerated = 'w' where attrelid = 'way'::regclass and attname = 'a';
update pg_attribute set attidentity = 'y' where attrelid = 'way'::regclass and attname = 'b';
";

const EXPECTED: [&str; 6] = [
    "cast of method \"z\" integer as uuid",
    "collation of provider \"q\" strange.provider",
    "data type of sort \"z\" strange.kind_of_type",
    "extended statistics of kinds {d,y} strange.knowledge",
    "relation of kind \"g\" strange.graph",
    "routine of kind \"x\" strange.routine",
];

async fn connect(url: String) -> Connection {
    let spec = Spec { target: Some(url), ..Spec::default() };
    let options = spec.resolve(&|name| std::env::var(name).ok()).expect("the URL is one");
    let mut connection = Connection::connect(&options).await.expect("the server is there");
    set_up(&mut connection, &Setup::default()).await.expect("the session can be set up");
    begin(&mut connection, Isolation::RepeatableRead).await.expect("a transaction can begin");
    connection
}

/// What is unknown outside the schema `left_out`.
async fn unknown(url: String) -> Vec<String> {
    let mut connection = connect(url).await;
    let mut found = Vec::new();
    let refused = read(&mut connection, LockPatience::default(), |inventory| {
        let mut selection = select::Selection::default();
        let left_out = inventory.objects().iter().find(|object| object.name == "left_out").expect("the schema is read");
        selection.add(select::List::ExcludeSchema, [left_out.catalog_id.oid]);
        select::mark(inventory, &selection);
        found = inventory.unsupported_in_dump();
        Err(Error::new(ErrorKind::Refused, "seen enough"))
    })
    .await;
    assert_eq!(refused.map(|_| ()).unwrap_err().kind(), ErrorKind::Refused);
    found.into_iter().map(|(kind, name)| format!("{kind} {name}")).collect()
}

#[tokio::test]
async fn names_what_it_does_not_know() {
    for server in servers() {
        let database = server.database();
        database.sql(STRANGE);
        let mut found = unknown(database.url()).await;
        found.sort();
        assert_eq!(found, EXPECTED, "server {}", server.major);
    }
}

#[tokio::test]
async fn refuses_columns_that_it_does_not_know() {
    for server in servers() {
        let database = server.database();
        database.sql(&format!("create table way (a int, b int);{STRANGE_COLUMNS}"));
        let mark = |inventory: &mut _| {
            select::mark(inventory, &select::Selection::default());
            Ok(())
        };
        let mut connection = connect(database.url()).await;
        let error = read(&mut connection, LockPatience::default(), mark).await.map(|_| ()).unwrap_err();
        let detail = error.detail_text().expect("it says which");
        assert!(detail.contains("is not known, of column \"a\" of table \"way\""), "{detail}");
    }
}

#[tokio::test]
async fn knows_all_that_the_zoo_has() {
    for server in servers() {
        let database = server.database();
        for area in ["type", "function", "operator", "partition", "table"] {
            let path = repository().join("tests/compat/zoo").join(area).with_extension("sql");
            database.sql(&std::fs::read_to_string(path).expect("the zoo has the area"));
        }
        let mark = |inventory: &mut _| {
            select::mark(inventory, &select::Selection::default());
            Ok(())
        };
        let mut connection = connect(database.url()).await;
        let inventory = read(&mut connection, LockPatience::default(), mark).await.expect("the catalog is read");
        assert_eq!(inventory.unsupported_in_dump(), [], "server {}", server.major);
    }
}

/// What a server of a later major might have: a column more, a catalog more, and letters that are new.
const NEWER: &str = "
set allow_system_table_mods = on;
alter table pg_catalog.pg_policy add column polcolor int;
insert into pg_depend values ('pg_statistic'::regclass, 20000, 0, 'pg_class'::regclass, 'known'::regclass, 0, 'n');
";

/// The catalogs are changed by hand here, too; the test is only asked of servers that are newer than this program.
#[tokio::test]
async fn names_what_a_newer_server_has() {
    let database = newest_server().database();
    database.sql(&format!("{STRANGE}{STRANGE_COLUMNS}{NEWER}"));
    let mut connection = connect(database.url()).await;
    let found = self_test(&mut connection).await.expect("the catalogs are compared");
    let found: Vec<String> = found.into_iter().map(|unknown| format!("{} {}", unknown.kind, unknown.name)).collect();
    let expected = [
        "dependencies of system catalog pg_statistic",
        "system column pg_policy.polcolor",
        "system column pg_attribute.attgenerated with the value \"w\", as of strange.way",
        "system column pg_attribute.attidentity with the value \"y\", as of strange.way",
        "system column pg_cast.castmethod with the value \"z\", as of integer as uuid",
        "system column pg_class.relkind with the value \"g\", as of left_out.graph",
        "system column pg_collation.collprovider with the value \"q\", as of provider",
        "system column pg_proc.prokind with the value \"x\", as of strange.routine()",
        "system column pg_statistic_ext.stxkind with the value \"y\", as of knowledge",
        "system column pg_type.typtype with the value \"z\", as of strange.kind_of_type",
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_server_that_is_known_has_nothing_new() {
    for server in servers() {
        let database = server.database();
        let mut files: Vec<_> = std::fs::read_dir(repository().join("tests/compat/zoo"))
            .expect("the zoo")
            .map(|file| file.expect("a file").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
            .collect();
        files.sort();
        for file in files {
            database.sql(&std::fs::read_to_string(file).expect("a zoo file"));
        }
        let mut connection = connect(database.url()).await;
        assert_eq!(self_test(&mut connection).await.expect("the catalogs are compared"), [], "{}", server.major);
    }
}

/// Whoever reads a catalog that was not read before adds its columns to the known ones.
#[test]
fn every_catalog_that_is_read_is_compared() {
    let mut missing = Vec::new();
    for file in std::fs::read_dir(repository().join("sql/catalog")).expect("the queries") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("a query");
        let words: Vec<&str> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            let [word, name] = pair else { continue };
            let Some(name) = name.strip_prefix("pg_catalog.pg_") else { continue };
            let is_table = ["from", "join"].contains(word) && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            let name = format!("pg_{name}");
            // statistics are no rows, of large objects only the numbers are read; dependencies are compared by what they are of
            if is_table
                && !["pg_stats", "pg_shdepend", "pg_largeobject"].contains(&name.as_str())
                && !catalogs().any(|known| known == name)
            {
                missing.push(name);
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}
