//! How a run leaves the server: nothing of it goes on, the target's own settings are as they were, and too few connections are
//! no reason to stop half-way.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::bin::db;
use crate::support::pg::{Database, Server, any_server, newest_server, shared_folder};
use crate::support::unique_name;

/// A database whose index, check and policy take minutes in every other database.
fn slow_elsewhere(server: &Server, role: &str) -> Database {
    let database = server.database();
    let name = &database.name;
    database.sql(&format!(
        "create function slow(a int) returns int immutable language plpgsql as $$ begin
             if current_database() <> '{name}' or current_user = '{role}' then perform pg_sleep(0.05); end if; return a;
         end $$;
         create function fails(a int) returns int immutable language plpgsql as $$ begin
             if current_database() <> '{name}' and a = 400 then raise exception 'it fails here'; end if;
             if current_database() <> '{name}' then perform pg_sleep(0.005); end if; return a;
         end $$;
         create table t (a int);
         insert into t select generate_series(1, 4000);"
    ));
    database
}

fn wait_for(server: &Server, database: &str, begin: &str, child: &mut Child) -> String {
    let running = format!(
        "select datname from pg_stat_activity where datname like '{database}' and application_name = 'pgproof'
            and state = 'active' and query ~* '(^|; ){begin}' limit 1;"
    );
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let found = server.sql("postgres", &running);
        if !found.is_empty() {
            return found;
        }
        assert!(child.try_wait().expect("a child").is_none(), "it ended before {begin} ran");
        assert!(Instant::now() < until, "{begin} never ran");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn left(server: &Server, database: &str) -> String {
    server.sql(
        "postgres",
        &format!(
            "select pid, state, left(query, 40) from pg_stat_activity
             where datname like '{database}' and application_name = 'pgproof';"
        ),
    )
}

/// Ends the program by a signal as soon as this statement runs; when it has left, nothing of it may be there.
#[track_caller]
fn ends_clean(server: &Server, database: &str, begin: &str, signal: Signal, mut child: Child) {
    let name = wait_for(server, database, begin, &mut child);
    let pid = Pid::from_child(&child);
    kill_process(pid, signal).expect("it can be signalled");
    let status = child.wait().expect("it ends");
    assert_eq!(left(server, &name), "", "after {signal:?} in {begin}");
    let code = if signal == Signal::INT { 130 } else { 143 };
    assert_eq!(status.code(), Some(code), "{begin}");
}

fn dump(server: &Server, source: &Database, format: &str, path: &Path) {
    server.stdout("pg_dump", &["-F", format, "-d", &source.url(), "-f", path.to_str().expect("UTF-8")]);
}

#[test]
fn a_restore_that_is_stopped_leaves_nothing_running() {
    for server in [any_server(), newest_server()] {
        let source = slow_elsewhere(&server, "nobody");
        source.sql("create index on t (slow(a)); create index on t (a);");
        let folder = shared_folder();
        let (archive, script, checked) =
            (folder.path().join("dump"), folder.path().join("sql"), folder.path().join("checked"));
        dump(&server, &source, "custom", &archive);
        dump(&server, &source, "plain", &script);
        source.sql("drop index t_slow_idx; alter table t add check (slow(a) > 0);");
        dump(&server, &source, "custom", &checked);
        for (file, jobs, signal, begin) in [
            (&archive, "1", Signal::INT, "create index"),
            (&archive, "3", Signal::TERM, "create index"),
            (&script, "1", Signal::TERM, "create index"),
            (&checked, "2", Signal::INT, "copy"),
        ] {
            let target = server.database();
            let child = db(["restore", file.to_str().expect("UTF-8"), "-d", &target.url(), "-j", jobs])
                .arg(format!("--confirm={}", target.name))
                .spawn();
            ends_clean(&server, &target.name, begin, signal, child);
        }
    }
}

#[test]
fn a_restore_that_stops_at_its_first_failure_leaves_nothing_running() {
    let server = newest_server();
    let source = slow_elsewhere(&server, "nobody");
    source.sql("create table u (a int); insert into u select generate_series(1, 4000);");
    source.sql("create index on t (slow(a)); create index on u (fails(a));");
    let folder = shared_folder();
    let archive = folder.path().join("dump");
    dump(&server, &source, "custom", &archive);
    let target = server.database();
    let run = db(["restore", archive.to_str().expect("UTF-8"), "-d", &target.url(), "-j", "2", "-e"])
        .arg(format!("--confirm={}", target.name))
        .run();
    assert_eq!(left(&server, &target.name), "", "{}", run.transcript());
    assert!(run.stderr.contains("it fails here"), "{}", run.transcript());
    assert!(run.took < Duration::from_secs(60), "the other index was not waited for:\n{}", run.transcript());
}

#[test]
fn a_drill_and_a_backup_that_are_stopped_leave_nothing_running() {
    let server = newest_server();
    let role = unique_name("pgproof_leave_");
    server.sql("postgres", &format!("create role {role} login;"));
    let source = slow_elsewhere(&server, &role);
    source.sql("create index on t (slow(a));");
    let store = tempfile::tempdir().expect("a temporary folder");
    let store = store.path().to_str().expect("UTF-8");
    db(["backup", "-d", &source.url(), "--store", store]).run().ok();
    let child = db(["drill", "latest", "--store", store, "--on", &server.url("postgres")]).spawn();
    ends_clean(&server, "pgproof\\_drill%", "create index", Signal::TERM, child);

    source.sql(&format!(
        "drop index t_slow_idx; grant select on t to {role}; alter table t enable row level security;
         create policy p on t to {role} using (slow(a) > 0);"
    ));
    let url = source.url().replace("postgres@", &format!("{role}@"));
    let child = db(["backup", "-d", &url, "--store", store, "--enable-row-security"]).spawn();
    ends_clean(&server, &source.name, "copy", Signal::INT, child);
    drop(source);
    server.sql("postgres", &format!("drop role {role};"));
}

#[test]
fn a_restore_that_is_killed_leaves_the_targets_default_privileges_alone() {
    let server = newest_server();
    let reader = unique_name("pgproof_reader_");
    server.sql("postgres", &format!("create role {reader};"));
    let source = slow_elsewhere(&server, "nobody");
    source.sql(
        "create schema s; create table s.u (id int generated always as identity); create type s.span as range (subtype = int);
         create extension pgcrypto schema s; create index on t (slow(a));",
    );
    let folder = shared_folder();
    let archive = folder.path().join("dump");
    dump(&server, &source, "custom", &archive);
    {
        let target = server.database_with("template template0");
        target.sql(&format!(
            "alter default privileges grant all on tables to {reader};
             alter default privileges grant usage on sequences to {reader};
             alter default privileges grant usage on schemas to {reader};
             alter default privileges revoke all on functions from public;
             alter default privileges revoke all on types from public;
             alter default privileges in schema public grant select on tables to public;"
        ));
        let listed = "select defaclnamespace, defaclobjtype, defaclacl::text from pg_default_acl order by 1, 2;";
        let before = target.sql(listed);
        let mut child = db(["restore", archive.to_str().expect("UTF-8"), "-d", &target.url(), "-j", "2"])
            .arg(format!("--confirm={}", target.name))
            .spawn();
        wait_for(&server, &target.name, "create index", &mut child);
        assert_eq!(target.sql(listed), before, "others see the target's own while it runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        assert_eq!(target.sql(listed), before, "they are there when it was killed");
        let rights = "select relname, relacl::text from pg_class where relnamespace::regnamespace::text in ('s', 'public')
             union all select oid::regprocedure::text, proacl::text from pg_proc where pronamespace::regnamespace::text in ('s', 'public')
             union all select typname, typacl::text from pg_type where typnamespace::regnamespace::text in ('s', 'public')
             union all select nspname, nspacl::text from pg_namespace where nspname in ('s', 'public') order by 1, 2;";
        let without_index =
            |text: String| text.lines().filter(|line| !line.contains("_idx")).collect::<Vec<_>>().join("\n");
        assert_eq!(
            without_index(target.sql(rights)),
            without_index(source.sql(rights)),
            "what is there has its source's rights"
        );
        let until = Instant::now() + Duration::from_secs(15);
        while !left(&server, &target.name).is_empty() {
            assert!(Instant::now() < until, "the server did not notice");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    server.sql("postgres", &format!("drop role {reader};"));
}

#[test]
fn rows_alone_do_not_touch_default_privileges_at_all() {
    let server = any_server();
    let source = server.database();
    source.sql("create table t (a int); insert into t values (1);");
    let folder = shared_folder();
    let archive = folder.path().join("dump");
    dump(&server, &source, "custom", &archive);
    let target = server.database();
    target.sql("create table t (a int); alter default privileges revoke all on functions from public;");
    let state = "select xmin, ctid, oid, defaclacl::text from pg_default_acl;";
    let before = target.sql(state);
    db(["restore", archive.to_str().expect("UTF-8"), "-d", &target.url(), "--data-only"])
        .arg(format!("--confirm={}", target.name))
        .run()
        .ok();
    assert_eq!((target.sql(state), target.sql("select count(*) from t;")), (before, "1".to_owned()));
}

#[test]
fn too_few_connections_are_said_and_no_reason_to_stop() {
    let server = any_server();
    let role = unique_name("pgproof_few_");
    let source = server.database();
    source.sql(
        "create table a (a int primary key); create table b (b int primary key); create table c (c int primary key);
                insert into a values (1); insert into b values (2); insert into c values (3);",
    );
    let folder = shared_folder();
    let archive = folder.path().join("dump");
    dump(&server, &source, "custom", &archive);
    for limit in [1, 2] {
        server.sql("postgres", &format!("create role {role} login connection limit {limit};"));
        {
            let target = server.database_with(&format!("owner {role}"));
            target.sql(&format!("grant all on schema public to {role};"));
            let url = target.url().replace("postgres@", &format!("{role}@"));
            let run = db(["restore", archive.to_str().expect("UTF-8"), "-d", &url, "-j", "4", "--no-owner"])
                .arg(format!("--confirm={}", target.name))
                .run()
                .ok();
            let said = run.stderr.lines().find(|line| line.contains("of 4 connections")).unwrap_or_default().to_owned();
            assert!(said.contains("too many connections for role"), "{}", run.transcript());
            assert_eq!(target.rows(), source.rows());
            assert_eq!(
                target.sql(
                    "select count(*) from pg_constraint where contype = 'p' and connamespace = 'public'::regnamespace;"
                ),
                "3"
            );
        }
        server.sql("postgres", &format!("drop role {role};"));
    }
}
