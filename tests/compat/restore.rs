//! `db restore` of what pg_dump wrote equals what stock pg_restore and psql make of it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use pgproof::event::Silent;
use pgproof::restore::{self, Components, Options, Outcome, Selection, Source};
use pgproof::server::{Options as Target, Spec};

use crate::support::bin::db;
use crate::support::pg::{Database, Server, any_server, newest_server, servers, shared_folder};
use crate::support::{repository, skipped};

fn target(database: &Database) -> Target {
    let spec = Spec { target: Some(database.url()), ..Spec::default() };
    spec.resolve(&|_| None).expect("a URL")
}

fn options(path: &Path, database: &Database) -> Options {
    let mut options = Options::new(Source::Path(path.to_owned()), target(database));
    options.jobs = NonZeroUsize::new(2).expect("two");
    options
}

fn try_restore(options: Options) -> pgproof::error::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(restore::run(options, &Silent))
}

#[track_caller]
fn restore_all(options: Options) -> Outcome {
    let outcome = try_restore(options).unwrap_or_else(|error| panic!("{error}"));
    if let Some(error) = outcome.error() {
        panic!("{error}");
    }
    outcome
}

#[track_caller]
pub(super) fn assert_equal(left: &Database, right: &Database, what: &str) {
    if left.schema_text() != right.schema_text() {
        let (left, right) = (left.schema_text(), right.schema_text());
        let first = left.lines().zip(right.lines()).enumerate().find(|(_, (left, right))| left != right);
        panic!("{what}: schemas differ, first at {first:?}");
    }
    assert_eq!(left.rows(), right.rows(), "{what}: rows differ");
    let sequences = "select schemaname, sequencename, last_value from pg_sequences order by 1, 2;";
    assert_eq!(left.sql(sequences), right.sql(sequences), "{what}: sequences differ");
    let objects = "select oid, lomowner::regrole, lomacl, md5(lo_get(oid)) from pg_largeobject_metadata order by 1;";
    assert_eq!(left.sql(objects), right.sql(objects), "{what}: large objects differ");
    let defaults = "select defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, defaclacl from pg_default_acl order by 1, 2, 3;";
    assert_eq!(left.sql(defaults), right.sql(defaults), "{what}: default privileges differ");
}

/// Corpora that between them have every kind of value, name, right and dependency.
const USUAL: [&str; 4] = ["t_acl", "t_names", "t_seq_lo", "t_types"];

/// The public corpora's dumps of a major, where they are. `PGPROOF_TEST_CORPUS` names others than the usual ones, or `all`.
pub(super) fn corpora(major: u32) -> Vec<PathBuf> {
    let folder = repository().join("../shared/corpus").join(major.to_string());
    let chosen = std::env::var("PGPROOF_TEST_CORPUS").ok();
    let names: Vec<&str> = chosen.as_deref().map_or(USUAL.to_vec(), |names| names.split(',').collect());
    let Ok(files) = std::fs::read_dir(&folder) else {
        // it is no part of the repository; the sample database is tried without it
        return Vec::new();
    };
    let is_wanted = |path: &PathBuf| names == ["all"] || names.contains(&corpus_name(path).as_str());
    let mut found: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).filter(is_wanted).collect();
    found.sort();
    found
}

pub(super) fn load_roles(server: &Server) {
    if let Ok(roles) = std::fs::read_to_string(repository().join("../shared/corpus/roles.sql")) {
        // those that exist already are errors, which matter to nobody
        let folder = shared_folder();
        let path = folder.path().join("roles.sql");
        std::fs::write(&path, roles).expect("the shared folder is writable");
        let url = server.url("postgres");
        drop(server.run("psql", &["-qX", "-d", &url, "-f", path.to_str().expect("UTF-8")]));
    }
}

/// What a corpora file is called without its endings.
pub(super) fn corpus_name(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    name.split('.').next().unwrap_or(name).to_owned()
}

/// A database of a corpora file: a compressed script, which `db restore` runs too.
pub(super) fn load_corpus(server: &Server, path: &Path) -> Database {
    let database = server.database_with("template template0 encoding 'UTF8'");
    let name = corpus_name(path);
    let outcome = try_restore(options(path, &database)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(outcome.entry_count > 0, "{name}");
    database
}

/// pg_restore's exit code is 1 when it went on after errors; the databases are compared all the same. Over one connection:
/// over two it loses a deadlock now and then where partitions are attached, with pg_dump's archives as well.
fn stock_restore(server: &Server, database: &Database, archive: &Path) -> bool {
    let url = database.url();
    server.run("pg_restore", &["-d", &url, archive.to_str().expect("UTF-8")]).status.success()
}

/// pg_dump's dumps in these formats, restored by us and by the stock programs.
pub(super) fn round(source: &Database, formats: &[&str], name: &str) {
    let dumper = newest_server();
    let folder = shared_folder();
    let url = source.url();
    for format in formats {
        let path = folder.path().join(format);
        let file = path.to_str().expect("UTF-8");
        dumper.stdout("pg_dump", &["-F", format, "-d", &url, "-f", file]);
        let (ours, theirs) = (like(source), like(source));
        let is_clean = if *format == "plain" {
            let url = theirs.url();
            dumper.run("psql", &["-qX", "-v", "ON_ERROR_STOP=0", "-d", &url, "-f", file]);
            false
        } else {
            stock_restore(&dumper, &theirs, &path)
        };
        let what = format!("{name} of {} as {format}", source.server.major);
        let outcome = try_restore(options(&path, &ours)).unwrap_or_else(|error| panic!("{what}: {error}"));
        // a newer pg_restore stumbles over settings that the older server does not know
        assert!(outcome.error().is_none() || !is_clean, "{what}: {:?}", outcome.failures);
        // an older server refuses some of pg_dump's statements (LOGGED of a sequence before 15): then the source is the judge
        let stock_fell_short = !is_clean && ours.schema_text() != theirs.schema_text();
        assert_equal(&ours, if stock_fell_short { source } else { &theirs }, &what);
    }
}

/// Our backup, restored by us.
fn our_round(source: &Database, format: &str) {
    let store = tempfile::tempdir().expect("a folder");
    let store = store.path().to_str().expect("UTF-8");
    db(["backup", "--store", store, "-d", &source.url(), "-F", format]).run().ok();
    let copy = like(source);
    let confirm = copy.name.clone();
    db(["restore", "latest", "--store", store, "-d", &copy.url(), "--confirm", &confirm, "-j", "2"]).run().ok();
    assert_equal(source, &copy, &format!("our {format} of {}", source.server.major));
}

fn like(source: &Database) -> Database {
    source.server.database_with("template template0")
}

#[test]
fn restores_the_sample_database_as_the_stock_programs_do() {
    for server in servers() {
        let source = server.database();
        source.load_sample("1");
        let is_newest = server.major == newest_server().major;
        round(
            &source,
            if is_newest { &["custom", "directory", "tar", "plain"] } else { &["custom", "tar", "plain"] },
            "sample",
        );
        our_round(&source, if is_newest { "directory" } else { "custom" });
    }
}

#[test]
fn a_rejected_copy_is_passed_over_and_never_run() {
    for server in servers() {
        let database = server.database();
        let folder = shared_folder();
        let path = folder.path().join("evil.sql");
        let script =
            "COPY missing FROM stdin;\nCREATE TABLE pwned (a int);\nDROP TABLE x;\n\\.\nCREATE TABLE fine (a int);\n";
        std::fs::write(&path, script).expect("writable");
        let outcome = try_restore(options(&path, &database)).expect("it goes on");
        assert_eq!(outcome.failures.len(), 1, "{:?}", outcome.failures);
        assert_eq!(outcome.failures[0].entry, "line 1");
        assert_eq!(database.sql("select relname from pg_class where relname in ('pwned', 'fine');"), "fine");
    }
}

#[test]
fn a_script_with_commands_is_refused_before_anything_is_changed() {
    let database = newest_server().database();
    let folder = shared_folder();
    let path = folder.path().join("commands.sql");
    for command in ["\\! touch /tmp/pgproof-pwned", "\\i x", "\\copy t from program 'id'", "\\connect other", "\\gexec"]
    {
        std::fs::write(&path, format!("CREATE TABLE t (a int);\n{command}\n")).expect("writable");
        let error = try_restore(options(&path, &database)).expect_err("it is refused");
        assert!(error.to_string().contains("line 2"), "{command}: {error}");
        assert_eq!(database.sql("select count(*) from pg_class where relname = 't';"), "0");
    }
    assert!(!Path::new("/tmp/pgproof-pwned").exists());
}

#[test]
fn a_target_that_is_not_empty_needs_clean() {
    let server = any_server();
    let source = server.database();
    source.load_sample("1");
    let folder = shared_folder();
    let path = folder.path().join("dump");
    newest_server().stdout("pg_dump", &["-Fc", "-d", &source.url(), "-f", path.to_str().expect("UTF-8")]);
    let database = server.database_with("template template0");
    restore_all(options(&path, &database));
    let error = try_restore(options(&path, &database)).expect_err("it is refused");
    assert!(error.message().contains("is not empty"), "{error}");
    let mut again = options(&path, &database);
    again.clean = true;
    restore_all(again);
    assert_equal(&source, &database, "restored twice");

    let once = server.database_with("template template0");
    let mut whole = options(&path, &once);
    whole.jobs = NonZeroUsize::MIN;
    whole.single_transaction = true;
    restore_all(whole);

    let empty = server.database_with("template template0");
    let mut schema = options(&path, &empty);
    schema.selection = Selection { components: Components::Schema, ..Selection::default() };
    restore_all(schema);
    let mut rows = options(&path, &empty);
    rows.selection = Selection { components: Components::Data, ..Selection::default() };
    rows.disable_triggers = true;
    restore_all(rows);
    // as with pg_restore, views are refreshed with the definitions, which was before the rows
    empty.sql("select format('refresh materialized view %s', oid::regclass) from pg_class where relkind = 'm' \\gexec");
    assert_equal(&source, &empty, "schema, then rows");
}

#[test]
fn missing_roles_stop_it_before_anything_is_touched() {
    let server = newest_server();
    let source = server.database();
    let role = crate::support::unique_name("r_");
    source.sql(&format!(
        "create role {role}; create table t (a int); alter table t owner to {role}; grant select on t to {role};
         create policy p on t to {role}; alter table t enable row level security;"
    ));
    let folder = shared_folder();
    let path = folder.path().join("dump");
    server.stdout("pg_dump", &["-Fc", "-d", &source.url(), "-f", path.to_str().expect("UTF-8")]);
    source.sql(&format!("drop owned by {role} cascade; drop role {role};"));
    let database = server.database();
    let error = try_restore(options(&path, &database)).expect_err("it is refused");
    assert!(error.to_string().contains(&role), "{error}");
    assert_eq!(database.sql("select count(*) from pg_class where relname = 't';"), "0");
    let ownerless = server.database();
    let mut without = options(&path, &ownerless);
    without.leave.owner = true;
    let outcome = try_restore(without).expect("it goes on");
    let failed: Vec<&str> = outcome.failures.iter().map(|failure| failure.entry.as_str()).collect();
    assert!(matches!(failed[..], [entry] if entry.starts_with("POLICY public.t p")), "{failed:?}");
    assert_eq!(outcome.created_roles, [""; 0]);
    assert!(outcome.error().is_some(), "an unfinished restore is no success");
    assert_eq!(ownerless.sql("select pg_get_userbyid(relowner) from pg_class where relname = 't';"), "postgres");
    let mut create = options(&path, &database);
    create.create_roles = true;
    let outcome = restore_all(create);
    assert_eq!(outcome.created_roles, std::slice::from_ref(&role));
    assert_eq!(database.sql("select pg_get_userbyid(relowner) from pg_class where relname = 't';"), role);
    database.sql(&format!("drop owned by {role} cascade; drop role {role};"));
}

#[test]
fn the_targets_default_privileges_change_nothing_and_stay() {
    for server in [any_server(), newest_server()] {
        let source = server.database();
        source.sql("create table t (a int); grant select on t to pgproof_scram; create function f() returns int language sql as 'select 1';");
        let folder = shared_folder();
        let path = folder.path().join("dump");
        newest_server().stdout("pg_dump", &["-Fc", "-d", &source.url(), "-f", path.to_str().expect("UTF-8")]);
        let database = server.database_with("template template0");
        let defaults = "alter default privileges grant all on tables to pgproof_scram;
            alter default privileges in schema public grant insert on tables to public;
            alter default privileges revoke all on functions from public;";
        database.sql(defaults);
        let listed = "select defaclnamespace, defaclobjtype, defaclacl::text from pg_default_acl order by 1, 2;";
        let before = database.sql(listed);
        restore_all(options(&path, &database));
        assert_eq!(database.sql(listed), before);
        let rights =
            "select relacl from pg_class where relname = 't' union all select proacl from pg_proc where proname = 'f';";
        assert_eq!(database.sql(rights), source.sql(rights));
    }
}

#[test]
fn creates_the_database_when_asked() {
    let server = newest_server();
    let source = server.database();
    source.load_sample("1");
    source.sql(&format!("alter database {} set work_mem = '7MB';", source.name));
    let folder = shared_folder();
    let path = folder.path().join("dump");
    server.stdout("pg_dump", &["-Fc", "-d", &source.url(), "-f", path.to_str().expect("UTF-8")]);
    let copy = server.database();
    let schema = source.schema_text();
    let rows = source.rows();
    let mut again = options(&path, &copy);
    again.create_database = true;
    let error = try_restore(again).expect_err("it exists");
    assert!(error.message().contains("exists already"), "{error}");
    let mut again = options(&path, &copy);
    again.create_database = true;
    again.clean = true;
    restore_all(again);
    assert_eq!((source.schema_text(), source.rows()), (schema, rows));
    assert_eq!(source.sql("show work_mem;"), "7MB");
}

/// The other session waits for the restore's foreign key, which waits for it: the server ends the one that began to wait first.
#[test]
fn a_definition_that_loses_a_deadlock_is_tried_again() {
    let server = any_server();
    let source = server.database();
    source.sql(
        "create table a (id integer constraint a_key primary key);
         create table b (id integer references a);
         create function slow(integer) returns integer immutable language plpgsql as 'begin perform pg_sleep(1); return 1; end';
         create table c (id integer); insert into c values (1); create index on c (slow(id));",
    );
    let folder = shared_folder();
    let path = folder.path().join("dump");
    server.stdout("pg_dump", &["-Fc", "-d", &source.url(), "-f", path.to_str().expect("UTF-8")]);
    let copy = server.database_with("template template0");
    let mut restoring = options(&path, &copy);
    restoring.jobs = NonZeroUsize::MIN;
    let wait = |what: &str| format!("loop exit when exists (select {what}); perform pg_sleep(0.01); end loop;");
    let script = format!(
        "set deadlock_timeout = '100s'; set statement_timeout = '60s'; begin; do $$ begin {} end $$;
         lock table a in row exclusive mode; do $$ begin {} end $$; lock table b in row exclusive mode; commit;",
        wait("from pg_constraint where conname = 'a_key'"),
        wait("from pg_locks where not granted and relation = 'a'::regclass")
    );
    let url = copy.url();
    let other = std::thread::spawn(move || {
        any_server().run("psql", &["-qX", "-v", "ON_ERROR_STOP=1", "-d", &url, "-c", &script])
    });
    let outcome = restore_all(restoring);
    let output = other.join().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(outcome.failures.len(), 0);
    assert_equal(&source, &copy, "after a deadlock");
    // the counter comes a moment after the session that lost
    let count = "select deadlocks from pg_stat_database where datname = current_database();";
    let begun = std::time::Instant::now();
    while copy.sql(count) == "0" && begun.elapsed() < std::time::Duration::from_secs(10) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(copy.sql(count), "1");
}

/// Yen have no smaller part: the same number stands for a hundredth of it elsewhere.
#[test]
fn amounts_of_money_are_the_same_in_another_locale() {
    let bits = "select id, encode(cash_send(m), 'hex'), (select string_agg(encode(cash_send(x), 'hex'), ' ') from unnest(ms) x)
        from t order by id;";
    for server in servers() {
        let source = server.database();
        let set = |database: &Database| {
            let sql = format!("alter database {} set lc_monetary = 'ja_JP.UTF-8'", database.name);
            server.run("psql", &["-qX", "-v", "ON_ERROR_STOP=1", "-d", &database.url(), "-c", &sql]).status.success()
        };
        if !set(&source) {
            skipped(&format!("PostgreSQL {}'s machine has no locale ja_JP.UTF-8", server.major));
            continue;
        }
        source.sql(
            "create table t (id int, m money, ms money[]);
             insert into t select i, (i * 1234)::money, array[i::money, (-i)::money] from generate_series(1, 20) i;",
        );
        let store = shared_folder();
        let place = store.path().to_str().expect("UTF-8");
        for format in ["custom", "plain"] {
            db(["backup", "--store", place, "-d", &source.url(), "-F", format]).run().ok();
            let copy = like(&source);
            db(["restore", "latest", "--store", place, "-d", &copy.url(), "--confirm", &copy.name]).run().ok();
            assert_eq!(copy.sql(bits), source.sql(bits), "{format} of {}", server.major);
            db(["verify", "latest", "--store", place, "--against", &copy.url()]).run().ok();
            let (path, stock) = (store.path().join(format), like(&source));
            assert!(set(&stock));
            let (file, url) = (path.to_str().expect("UTF-8"), stock.url());
            db(["backup", "-d", &source.url(), "-o", file, "-F", format, "-Z", "none"]).run().ok();
            match format {
                "plain" => newest_server().stdout("psql", &["-qX", "-d", &url, "-f", file]),
                _ => stock_restore(&newest_server(), &stock, &path).to_string(),
            };
            assert_eq!(stock.sql(bits), source.sql(bits), "stock, {format} of {}", server.major);
        }
    }
}
