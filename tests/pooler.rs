//! Everything through a real PgBouncer: one that leaves a session its server process is used and left as it was, one that does
//! not is found before anything is set.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use pgproof::error::ErrorKind;
use pgproof::server::{Connection, Options, Setup, Spec, set_up};

use super::support::bin::{Run, db};
use super::support::pg::{Database, any_server, shared_folder};
use super::support::pooler::Pooler;
use super::verify::{Kept, fill};

/// A pool that hands on what a session has set, as many are configured.
const NO_RESET: &str = "server_reset_query =";

/// All settings of one server process, and how long to hold it, so that the next session gets another one.
const SETTINGS: &str = "select pg_backend_pid(), current_setting('role') || current_schemas(true)::text ||
    (select string_agg(name || '=' || coalesce(setting, ''), '; ' order by name) from pg_settings), pg_sleep(0.8)";

/// The settings of `count` pooled sessions at once, by process.
fn settings(pooler: &Pooler, database: &str, count: usize) -> BTreeMap<String, String> {
    let url = pooler.url(database);
    let ask = || {
        let server = any_server();
        let answer = server.stdout("psql", &["-XAtq", "-F", "|", "-d", &url, "-c", SETTINGS]);
        let (pid, rest) = answer.split_once('|').expect("two columns");
        (pid.to_owned(), rest.to_owned())
    };
    thread::scope(|scope| {
        let asking: Vec<_> = (0..count).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|asking| asking.join().expect("psql answers")).collect()
    })
}

/// Fails the test when a pooled session is not as all were.
#[track_caller]
fn expect_unchanged(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>, what: &str) {
    let expected = before.values().next().expect("a session");
    for (pid, found) in before.iter().chain(after) {
        let differ: Vec<(&str, &str)> =
            expected.split("; ").zip(found.split("; ")).filter(|(one, other)| one != other).collect();
        assert!(found == expected, "{what}: session {pid} differs: {differ:?}");
    }
}

/// A database with a backup, another one to restore into, and the pools in front of them.
struct Scene {
    source: Database,
    target: Database,
    kept: Kept,
}

impl Scene {
    fn new() -> Self {
        let (source, target) = (any_server().database(), any_server().database());
        fill(&source);
        let kept = Kept::new(&source, &[]);
        Self { source, target, kept }
    }

    /// Runs a verb through the pooler; the name of the database it goes to.
    fn run(&self, verb: &str, pooler: &Pooler, jobs: &str) -> (Run, String) {
        let store = self.kept.folder.path().to_str().expect("UTF-8");
        let elsewhere = tempfile::tempdir().expect("a folder");
        let (source, target) = (pooler.url(&self.source.name), pooler.url(&self.target.name));
        let (call, database) = match verb {
            "backup" => {
                let other = elsewhere.path().to_str().expect("UTF-8");
                (db(["backup", "--store", other, "-d", &source, "-j", jobs]), &self.source.name)
            }
            "restore" => {
                let clean =
                    ["restore", "latest", "--store", store, "-d", &target, "-j", jobs, "--clean", "--if-exists"];
                (db(clean.iter().chain(&["--confirm", self.target.name.as_str()])), &self.target.name)
            }
            "verify" => {
                (db(["verify", "latest", "--store", store, "--against", &source, "-j", jobs]), &self.source.name)
            }
            _ => (
                db(["drill", "latest", "--store", store, "--on", &pooler.url("postgres"), "-j", jobs]),
                &self.source.name,
            ),
        };
        let run = call.env("PGCONNECT_TIMEOUT", "5").env("PGPROOF_IDLE_LIMIT", "5").run();
        (run, database.clone())
    }
}

const VERBS: [&str; 4] = ["backup", "restore", "verify", "drill"];

#[test]
fn every_verb_finds_a_pooler_that_shares_processes_and_changes_nothing() {
    let scene = Scene::new();
    for mode in ["transaction", "statement"] {
        for size in [1, 10] {
            let pooler = Pooler::start(&any_server(), mode, size, "");
            for verb in VERBS {
                let what = format!("{verb} through {mode} mode, pool of {size}");
                let before = settings(&pooler, &scene.source.name, size);
                let before_target = settings(&pooler, &scene.target.name, size);
                let (run, _) = scene.run(verb, &pooler, "2");
                let run = run.expect_code(11);
                let said = format!("is a pooler in {mode} mode");
                assert!(run.stderr.contains(&said), "{what}:\n{}", run.transcript());
                assert!(run.took < Duration::from_secs(20), "{what}: {:?}", run.took);
                expect_unchanged(&before, &settings(&pooler, &scene.source.name, size), &what);
                expect_unchanged(&before_target, &settings(&pooler, &scene.target.name, size), &what);
            }
        }
    }
    assert_eq!(scene.target.sql("select count(*) from pg_namespace where nspname = 'app';"), "0");
}

#[test]
fn every_verb_works_through_a_pooler_that_keeps_sessions_and_leaves_them_as_they_were() {
    let scene = Scene::new();
    for (size, reset) in [(10, NO_RESET), (10, ""), (1, NO_RESET), (1, "")] {
        let pooler = Pooler::start(&any_server(), "session", size, reset);
        for verb in VERBS {
            let what = format!("{verb} through session mode, pool of {size}, {reset:?}");
            let before = settings(&pooler, &scene.source.name, size);
            let before_target = settings(&pooler, &scene.target.name, size);
            let jobs = if size == 1 { "1" } else { "2" };
            let (run, _) = scene.run(verb, &pooler, jobs);
            if size > 1 || verb == "backup" {
                assert_eq!(run.code, Some(0), "{what}:\n{}", run.transcript());
            } else {
                // a verb that needs two sessions at once says that it does not get the second
                assert!(matches!(run.code, Some(0 | 10)), "{what}:\n{}", run.transcript());
            }
            assert!(run.took < Duration::from_secs(60), "{what}: {:?}", run.took);
            expect_unchanged(&before, &settings(&pooler, &scene.source.name, size), &what);
            expect_unchanged(&before_target, &settings(&pooler, &scene.target.name, size), &what);
        }
    }
}

fn options(pooler: &Pooler, database: &Database) -> Options {
    let spec = Spec { target: Some(pooler.url(&database.name)), ..Spec::default() };
    spec.resolve(&|_| None).expect("the settings are complete")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_early_puts_nothing_into_the_pool() {
    let database = any_server().database();
    database.sql("create table t as select i from generate_series(1, 1000) i;");
    let pooler = Pooler::start(&any_server(), "session", 1, NO_RESET);
    let before = settings(&pooler, &database.name, 1);
    for how in
        ["closed", "dropped", "open", "open, closed", "failed", "failed in a savepoint", "busy", "copying", "future"]
    {
        let mut connection = Connection::connect(&options(&pooler, &database)).await.unwrap();
        set_up(&mut connection, &Setup::default()).await.unwrap();
        connection.execute("set session application_name = 'left behind'; select pg_advisory_lock(7)").await.unwrap();
        match how {
            "closed" => connection.close().await,
            "dropped" => drop(connection),
            "open" | "open, closed" => {
                connection.execute("begin; set local work_mem = '77MB'").await.unwrap();
                if how == "open" { drop(connection) } else { connection.close().await }
            }
            "failed" => {
                connection.execute("begin; select 1/0").await.unwrap_err();
                drop(connection);
            }
            "failed in a savepoint" => {
                connection.execute("begin; set work_mem = '77MB'; savepoint s").await.unwrap();
                connection.execute("select 1/0").await.unwrap_err();
                drop(connection);
            }
            "busy" => {
                let asking = connection.execute("select pg_sleep(1)");
                tokio::time::timeout(Duration::from_millis(200), asking).await.unwrap_err();
                drop(connection);
            }
            "copying" => {
                let mut copy = connection.copy_out("copy t to stdout").await.unwrap();
                copy.next().await.unwrap();
                drop(copy);
                drop(connection);
            }
            _ => {
                let asking = async move { connection.execute("select pg_sleep(5)").await };
                tokio::time::timeout(Duration::from_millis(200), asking).await.unwrap_err();
            }
        }
        expect_unchanged(&before, &settings(&pooler, &database.name, 1), how);
        let locks = "select count(*) from pg_locks where locktype = 'advisory' and database = \
                     (select oid from pg_database where datname = current_database());";
        assert_eq!(database.sql(locks), "0", "{how}");
    }
}

#[test]
fn a_run_that_fails_or_is_stopped_puts_nothing_into_the_pool() {
    let scene = Scene::new();
    let pooler = Pooler::start(&any_server(), "session", 4, NO_RESET);
    let before = settings(&pooler, &scene.target.name, 4);
    let store = scene.kept.folder.path().to_str().unwrap();
    let url = pooler.url(&scene.target.name);
    // what depends on a table keeps it from being dropped: the run stops in the middle
    scene
        .target
        .sql("create schema app; create table app.person (a int); create view public.dependent as table app.person;");
    let confirm = ["--confirm", scene.target.name.as_str()];
    let restore = ["restore", "latest", "--store", store, "-d", &url, "-j", "2", "--clean", "-e"];
    let run = db(restore.iter().chain(&confirm)).run();
    assert_ne!(run.code, Some(0), "{}", run.transcript());
    expect_unchanged(&before, &settings(&pooler, &scene.target.name, 4), "a failed restore");

    let held = scene.source.sql("select 1;");
    assert_eq!(held, "1");
    let source = pooler.url(&scene.source.name);
    let before = settings(&pooler, &scene.source.name, 4);
    let other = tempfile::tempdir().unwrap();
    for pause in [30, 100, 200] {
        let mut child =
            db([Path::new("backup"), Path::new("--store"), other.path(), Path::new("-d"), Path::new(&source)]).spawn();
        thread::sleep(Duration::from_millis(pause));
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        // it may have ended by itself
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        child.wait().unwrap();
        expect_unchanged(&before, &settings(&pooler, &scene.source.name, 4), "a stopped backup");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_pool_that_shares_processes_is_found_every_time() {
    let database = any_server().database();
    let pooler = Pooler::start(&any_server(), "transaction", 10, "");
    let script = shared_folder();
    let file = script.path().join("load.sql");
    std::fs::write(&file, "select count(*) from pg_class;\n").unwrap();
    let url = pooler.url(&database.name);
    let path = file.to_str().unwrap().to_owned();
    let load = thread::spawn(move || {
        any_server().run("pgbench", &["-n", "-c", "6", "-T", "8", "-f", &path, &url]);
    });
    thread::sleep(Duration::from_millis(700));
    let begun = Instant::now();
    let mut count = 0;
    while begun.elapsed() < Duration::from_secs(6) {
        let error =
            Connection::connect(&options(&pooler, &database)).await.err().expect("a pooler in transaction mode");
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}\n{}", pooler.log());
        assert!(error.message().contains("transaction mode"), "{error}");
        count += 1;
    }
    load.join().unwrap();
    assert!(count > 20, "only {count} times");
}
