//! Drills on real servers and on embedded ones: what passes, what fails, and that nothing is left.

use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use chrono::Utc;
use pgproof::drill::{Options, Outcome, Place, Proof, Verdict, run};
use pgproof::event::Silent;
use pgproof::manifest;
use pgproof::server::Spec;
use pgproof::verify::Restoration;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::bin::db;
use crate::support::pg::{Server, any_server, newest_server, servers};
use crate::support::unique_name;
use crate::verify::{Kept, block_on, fill};

fn options_of(server: &Server) -> Place {
    at(server.url("postgres"))
}

fn at(url: String) -> Place {
    let spec = Spec { target: Some(url), ..Spec::default() };
    Place::Server(Box::new(spec.resolve(&|_| None).expect("a URL")))
}

fn drill(kept: &Kept, place: Place) -> Outcome {
    drill_and(kept, place, false)
}

fn drill_and(kept: &Kept, place: Place, keep: bool) -> Outcome {
    let (store, backup) = kept.open();
    let jobs = NonZeroUsize::new(2).expect("two");
    let options = Options {
        store,
        backup,
        place,
        jobs,
        restored: Restoration::default(),
        allow_older_server: false,
        keep,
        write_proof: true,
    };
    block_on(run(&options, Utc::now(), &Silent)).expect("evidence is written")
}

/// It passed, and had nothing to say of what it could not remove.
fn assert_clean(outcome: &Outcome, about: &str) {
    let is_left = |note: &String| note.contains("clean up");
    assert_eq!(outcome.proof.verdict, Verdict::Passed, "{about}: {:#?}", outcome.proof);
    assert!(!outcome.proof.notes.iter().any(is_left), "{about}: {:?}", outcome.proof.notes);
}

/// What a drill could leave on a server: databases, roles.
fn leftovers(server: &Server) -> String {
    server.sql(
        "postgres",
        "select datname from pg_database where datname like 'pgproof\\_drill%'
         union all select rolname from pg_roles where shobj_description(oid, 'pg_authid') like '%pgproof drill%';",
    )
}

#[test]
fn a_good_backup_passes_on_an_embedded_server_and_leaves_nothing() {
    let database = any_server().database();
    database.load_sample("1");
    let kept = Kept::new(&database, &[]);
    let base = tempfile::tempdir().expect("a temporary folder");
    // the server runs as another user when the tests run as root
    fs::set_permissions(base.path(), fs::Permissions::from_mode(0o711)).expect("our own folder");
    let place = Place::Embedded { programs: None, folder: Some(base.path().to_owned()) };
    let outcome = drill(&kept, place);
    assert_eq!(outcome.proof.verdict, Verdict::Passed, "{:#?}", outcome.proof);
    assert!(outcome.proof.restored.rows > 100 && outcome.proof.recovery_milliseconds > 0);
    assert_eq!(fs::read_dir(base.path()).expect("our own folder").count(), 0);

    let key = outcome.proof_key.expect("evidence was written");
    let bytes = fs::read(kept.folder.path().join(&key)).expect("the evidence");
    assert_eq!(Proof::decode(&key, &bytes).expect("it reads"), outcome.proof);
}

#[test]
fn a_good_backup_passes_on_a_newer_server_and_leaves_nothing() {
    let database = any_server().database();
    fill(&database);
    let kept = Kept::new(&database, &["-F", "directory"]);
    let server = newest_server();
    let outcome = drill(&kept, options_of(&server));
    assert_eq!(outcome.proof.verdict, Verdict::Passed, "{:#?}", outcome.proof);
    // other tests drill beside this one: what counts is the name that was used here
    assert!(
        outcome.kept.is_none() && !outcome.proof.notes.iter().any(|note| note.contains("clean up")),
        "{:?}",
        outcome.proof.notes
    );
}

#[test]
fn a_backup_that_lost_a_policy_fails_and_the_policy_is_named() {
    let database = any_server().database();
    database.sql(
        "create table note (id integer); insert into note values (1); alter table note enable row level security;",
    );
    let kept = Kept::new(&database, &[]);
    let path = kept.files().into_iter().find(|path| path.ends_with("manifest.json")).expect("a manifest");
    let mut manifest = manifest::decode("m", &fs::read(&path).expect("a manifest")).expect("it reads");
    let policy = manifest::expected::Policy { name: "owner_only".to_owned(), ..Default::default() };
    manifest.expected.relations[0].policies.push(policy);
    fs::write(&path, manifest::encode(&manifest)).expect("the store is writable");

    let outcome = drill(&kept, options_of(&any_server()));
    assert_eq!(outcome.proof.verdict, Verdict::Failed, "{:#?}", outcome.proof);
    assert!(
        outcome.proof.reasons.iter().any(|reason| reason.contains("public.note.owner_only")),
        "{:?}",
        outcome.proof.reasons
    );
}

#[test]
fn a_damaged_backup_fails_and_an_absent_server_could_not_run() {
    let database = any_server().database();
    database.sql("create table note (id integer); insert into note select generate_series(1, 1000);");
    let kept = Kept::new(&database, &[]);
    let spec = Spec { target: Some("postgresql://nobody@127.0.0.1:1/postgres".to_owned()), ..Spec::default() };
    let absent = Place::Server(Box::new(spec.resolve(&|_| None).expect("a URL")));
    let outcome = drill(&kept, absent);
    assert_eq!(outcome.proof.verdict, Verdict::CouldNotRun, "{:#?}", outcome.proof);
    assert!(outcome.error.is_some(), "the exit code comes from the error");

    let path = kept.files().into_iter().find(|path| path.ends_with("archive.dump")).expect("an archive");
    let mut bytes = fs::read(&path).expect("an archive");
    let middle = bytes.len() * 3 / 4;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("the store is writable");
    let outcome = drill(&kept, options_of(&any_server()));
    assert_eq!(outcome.proof.verdict, Verdict::Failed, "{:#?}", outcome.proof);
}

#[test]
fn what_a_drill_that_died_left_is_swept_by_the_next() {
    let server = any_server();
    let database = server.database();
    database.sql("create table note (id integer);");
    let kept = Kept::new(&database, &[]);
    let name = "pgproof_drill_left_behind";
    let marker = "made by pgproof drill, dropped when it ends";
    server.sql("postgres", &format!("drop database if exists {name};"));
    server.sql("postgres", &format!("create database {name};"));
    server.sql("postgres", &format!("comment on database {name} is '{marker}';"));
    server.sql("postgres", "drop database if exists pgproof_drill_without_our_mark;");
    server.sql("postgres", "create database pgproof_drill_without_our_mark;");
    let outcome = drill(&kept, options_of(&server));
    assert_eq!(outcome.proof.verdict, Verdict::Passed, "{:#?}", outcome.proof);
    let left = leftovers(&server);
    server.sql("postgres", "drop database pgproof_drill_without_our_mark;");
    assert!(!left.contains(name), "{left}");
    assert!(left.contains("pgproof_drill_without_our_mark"), "what does not carry our mark is not ours: {left}");
}

#[test]
fn a_drill_that_is_stopped_at_any_moment_leaves_nothing() {
    let server = any_server();
    let database = server.database();
    fill(&database);
    let kept = Kept::new(&database, &[]);
    let base = tempfile::tempdir().expect("a temporary folder");
    fs::set_permissions(base.path(), fs::Permissions::from_mode(0o711)).expect("our own folder");
    let store = kept.folder.path().to_str().expect("a UTF-8 path");
    let url = server.url("postgres");
    for place in ["embedded", url.as_str()] {
        for milliseconds in [30, 150, 500, 1_200, 2_000] {
            let mut child =
                db(["drill", "--store", store, "--no-proof", "--on", place]).env("TMPDIR", base.path()).spawn();
            std::thread::sleep(Duration::from_millis(milliseconds));
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                // it may have ended by itself
                let _ = kill_process(pid, Signal::TERM);
            }
            child.wait().expect("it ends");
            let left = fs::read_dir(base.path()).expect("our own folder").count();
            assert_eq!(left, 0, "{place} after {milliseconds} ms");
        }
    }
    let databases = "select count(*) from pg_database where datname ~ '^pgproof_drill_[0-9]{14}_';";
    // drills of other tests come and go
    let begun = std::time::Instant::now();
    let mut left = server.sql("postgres", databases);
    while left != "0" && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_secs(1));
        left = server.sql("postgres", databases);
    }
    assert_eq!(left, "0");
}

#[test]
fn what_the_role_and_its_database_are_set_to_is_no_obstacle() {
    for server in servers() {
        let (database, role) = (server.database(), unique_name("r_"));
        fill(&database);
        let kept = Kept::new(&database, &[]);
        let maintenance = server.database();
        server.sql("postgres", &format!("create role {role} superuser login;"));
        let settings = [
            ("default_transaction_read_only", "on"),
            ("default_transaction_isolation", "serializable"),
            ("lock_timeout", "1ms"),
            ("statement_timeout", "100ms"),
        ];
        for (name, value) in settings {
            server.sql("postgres", &format!("alter role {role} set {name} = '{value}';"));
            server.sql("postgres", &format!("alter database {} set {name} = '{value}';", maintenance.name));
        }
        let (host, port) = server.address();
        let by_role = at(format!("postgresql://{role}@{host}:{port}/postgres"));
        let outcomes = [drill(&kept, by_role), drill(&kept, at(maintenance.url()))];
        server.sql("postgres", &format!("drop role {role};"));
        for outcome in outcomes {
            assert_clean(&outcome, &format!("on {}", server.major));
        }
    }
}

#[test]
fn a_database_with_subscriptions_leaves_nothing() {
    for server in servers() {
        let database = server.database();
        let subscription = unique_name("s_");
        // what guards the source against changes comes with the backup, and guards the scratch database as well
        database.sql(&format!(
            "create table t as select 1 as a;
             create subscription {subscription} connection 'host=nowhere.invalid dbname=x' publication p with (connect = false);
             create subscription \"Of {subscription}\" connection 'host=nowhere.invalid' publication p
                 with (connect = false, slot_name = 'of_{subscription}');
             create function refuse() returns event_trigger language plpgsql as $$ begin raise 'nothing is altered here'; end $$;
             create event trigger refuse on ddl_command_start when tag in ('ALTER SUBSCRIPTION', 'DROP SUBSCRIPTION')
                 execute function refuse();"
        ));
        let kept = Kept::new(&database, &[]);
        database.sql(&format!(
            "drop event trigger refuse;
             alter subscription {subscription} set (slot_name = none);
             drop subscription {subscription};
             alter subscription \"Of {subscription}\" set (slot_name = none);
             drop subscription \"Of {subscription}\";"
        ));
        let outcome = drill(&kept, options_of(&server));
        let like = format!("select count(*) from pg_subscription where subname like '%{subscription}';");
        assert_eq!(server.sql("postgres", &like), "0", "on {}", server.major);
        assert_clean(&outcome, &format!("on {}", server.major));
    }
}

#[test]
fn what_earlier_drills_left_goes_with_its_subscriptions_or_is_named() {
    let server = newest_server();
    let database = server.database();
    database.sql("create table note (id integer);");
    let kept = Kept::new(&database, &[]);
    let subscribed = format!("pgproof_drill_{}", unique_name("s_"));
    let stuck = format!("pgproof_drill_{}", unique_name("t_"));
    for name in [&subscribed, &stuck] {
        server.sql("postgres", &format!("create database {name};"));
    }
    server.sql(&subscribed, "create subscription s connection 'dbname=x' publication p with (connect = false);");
    server.sql("postgres", &format!("alter database {stuck} is_template true;"));
    for name in [&subscribed, &stuck] {
        server
            .sql("postgres", &format!("comment on database {name} is 'made by pgproof drill, dropped when it ends';"));
    }
    let outcome = drill(&kept, options_of(&server));
    let left = leftovers(&server);
    server.sql("postgres", &format!("alter database {stuck} is_template false;"));
    server.sql("postgres", &format!("drop database if exists {stuck};"));
    assert_eq!(outcome.proof.verdict, Verdict::Passed, "{:#?}", outcome.proof);
    assert!(!left.contains(&subscribed), "{left}");
    let named =
        format!("what an earlier drill left cannot be removed: database \"{stuck}\": cannot drop a template database");
    assert!(outcome.proof.notes.contains(&named), "{:?}", outcome.proof.notes);
}

#[test]
fn what_was_kept_is_not_undone_by_the_next_drill() {
    let server = newest_server();
    let (database, role) = (any_server().database(), unique_name("r_"));
    database.sql(&format!("create role {role}; create table note (id integer); alter table note owner to {role};"));
    let kept = Kept::new(&database, &[]);
    database.sql(&format!("reassign owned by {role} to postgres; drop role {role};"));
    let outcome = drill_and(&kept, options_of(&server), true);
    let place = outcome.kept.expect("it was kept");
    let name = place.split('"').nth(1).expect("a name").to_owned();
    let next = drill(&kept, options_of(&server));
    let is_there = server.sql("postgres", &format!("select count(*) from pg_database where datname = '{name}';"));
    let roles = server.sql("postgres", &format!("select count(*) from pg_roles where rolname = '{role}';"));
    server.sql("postgres", &format!("drop database if exists {name};"));
    server.sql("postgres", &format!("drop role if exists {role};"));
    assert_clean(&next, "the next one");
    assert_eq!((is_there.as_str(), roles.as_str()), ("1", "1"), "{:?}", next.proof.notes);
    assert!(place.ends_with(&format!("with 1 role that it needs: {role}")), "{place}");
}

#[test]
fn a_security_label_whose_provider_is_not_there_says_nothing_of_the_backup() {
    const LABEL: &str = "create table t as select 1 as a;
        set allow_system_table_mods = on;
        insert into pg_seclabel (objoid, classoid, objsubid, provider, label)
            values ('t'::regclass, 'pg_class'::regclass, 0, 'no_such', 'secret');";
    let server = any_server();
    for format in ["custom", "plain"] {
        let database = server.database();
        database.sql(LABEL);
        let kept = Kept::new(&database, &["-F", format]);
        let outcome = drill(&kept, options_of(&server));
        assert_eq!(outcome.proof.verdict, Verdict::CouldNotRun, "{format}: {:#?}", outcome.proof);
        let reason = &outcome.proof.reasons[0];
        assert!(reason.starts_with("the scratch server lacks the provider of a security label"), "{reason}");
        let store = kept.folder.path().to_str().expect("a UTF-8 path");
        db(["drill", "--store", store, "--on", &server.url("postgres")]).run().expect_code(5);
        // it is no excuse for what else is wrong
        let path = kept.files().into_iter().find(|path| path.ends_with("manifest.json")).expect("a manifest");
        let mut manifest = manifest::decode("m", &fs::read(&path).expect("a manifest")).expect("it reads");
        manifest.tables[0].rows += 1;
        fs::write(&path, manifest::encode(&manifest)).expect("the store is writable");
        let outcome = drill(&kept, options_of(&server));
        assert_eq!(outcome.proof.verdict, Verdict::Failed, "{format}: {:#?}", outcome.proof);
    }
}
