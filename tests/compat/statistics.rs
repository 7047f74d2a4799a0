//! The planner's statistics, from the source to the target: `toc.rs` compares the archive's entries with pg_dump's.

use std::fs;

use crate::support::bin::db;
use crate::support::pg::{Database, Server, any_server, newest_server, servers, shared_folder};
use crate::support::repository;

/// What the zoo of statistics has, as far as every server can tell it.
const KNOWN: &str =
    "select tablename, attname, inherited, null_frac, avg_width, n_distinct, most_common_vals, most_common_freqs,
        histogram_bounds, correlation, most_common_elems, most_common_elem_freqs, elem_count_histogram
    from pg_stats where schemaname = 'zoo_statistics' order by 1, 2, 3;";

/// The zoo of statistics, whose tables are not what ANALYZE found any more: who gathers statistics again finds others.
fn source(server: &Server) -> Database {
    let database = server.database();
    database.sql(&fs::read_to_string(repository().join("tests/compat/zoo/statistics.sql")).expect("the zoo"));
    database.sql(
        "drop statistics zoo_statistics.extended;
         select format('alter table zoo_statistics.%I set (autovacuum_enabled = off)', relname) from pg_class
             where relnamespace = 'zoo_statistics'::regnamespace and relkind = 'r' \\gexec
         analyze;
         insert into zoo_statistics.t select g, 'other', '{x}', 'empty' from generate_series(1001, 3000) g;
         delete from zoo_statistics.parent where a < 20;
         insert into zoo_statistics.parted select 1, g from generate_series(1, 1000) g;",
    );
    database
}

#[test]
fn statistics_come_over() {
    let newest = newest_server();
    for server in servers() {
        let source = source(&server);
        let known = source.sql(KNOWN);
        assert!(known.contains("lower"), "the index's expression is known");
        let folder = shared_folder();
        let archive = folder.path().join("archive");
        let archive = archive.to_str().expect("UTF-8");
        db(["backup", "--statistics", "-d", &source.url(), "-o", archive]).run().ok();
        let script = folder.path().join("script.sql");
        let script = script.to_str().expect("UTF-8");
        db(["backup", "--statistics", "-F", "plain", "-Z", "none", "-d", &source.url(), "-o", script]).run().ok();

        let stock = newest.database_with("template template0");
        newest.stdout("pg_restore", &["-d", &stock.url(), "-e", archive]);
        let what = format!("from PostgreSQL {}", server.major);
        assert_eq!(stock.sql(KNOWN), known, "pg_restore, {what}");
        for (file, jobs) in [(archive, "1"), (archive, "2"), (script, "1")] {
            let ours = newest.database_with("template template0");
            let run = db(["restore", file, "-d", &ours.url(), "--confirm", &ours.name, "-j", jobs]).run();
            assert!(
                run.transcript().contains("statistics for the planner came with the backup"),
                "{}",
                run.transcript()
            );
            run.ok();
            // what ANALYZE adds are tables that nobody had looked at; here they are empty
            assert_eq!(ours.sql(KNOWN), known, "{file} with {jobs} jobs, {what}");
        }
    }
}

#[test]
fn analyze_runs_where_the_backup_knows_nothing() {
    let server = newest_server();
    let source = source(&server);
    source.sql(
        "create table zoo_statistics.unseen (a int); insert into zoo_statistics.unseen values (1), (2);
         create statistics zoo_statistics.extended on a, b from zoo_statistics.parted_1;",
    );
    let folder = shared_folder();
    let archive = folder.path().join("archive");
    let archive = archive.to_str().expect("UTF-8");
    db(["backup", "--statistics", "-d", &source.url(), "-o", archive]).run().ok();
    let target = server.database_with("template template0");
    db(["restore", archive, "-d", &target.url(), "--confirm", &target.name]).run().ok();
    assert_eq!(target.sql("select count(*) from pg_stats where tablename = 'unseen';"), "1");
    assert_eq!(target.sql("select count(*) from pg_stats_ext where statistics_name = 'extended';"), "1");

    let without = server.database_with("template template0");
    let run = db(["restore", archive, "-d", &without.url(), "--confirm", &without.name, "--no-statistics"]).run();
    assert!(!run.transcript().contains("keep the backup's statistics"), "{}", run.transcript());
    run.ok();
    let others = "select null_frac > 0.5 from pg_stats where tablename = 't' and attname = 'doc';";
    assert_eq!((source.sql(others).as_str(), without.sql(others).as_str()), ("f", "t"), "ANALYZE found the rows");
    let alone = server.database_with("template template0");
    db(["restore", archive, "-d", &alone.url(), "--confirm", &alone.name, "--no-statistics", "--no-analyze"])
        .run()
        .ok();
    assert_eq!(alone.sql(KNOWN), "");
    let run = db(["restore", archive, "-d", &alone.url(), "--confirm", &alone.name, "--statistics-only"]).run();
    run.ok();
    assert_eq!(alone.sql(KNOWN), source.sql(KNOWN));
}

#[test]
fn an_older_server_is_spared() {
    let source = source(&newest_server());
    let folder = shared_folder();
    let (archive, script) = (folder.path().join("archive"), folder.path().join("script.sql"));
    let (archive, script) = (archive.to_str().expect("UTF-8"), script.to_str().expect("UTF-8"));
    db(["backup", "--statistics", "-d", &source.url(), "-o", archive]).run().ok();
    newest_server().stdout("pg_dump", &["--statistics", "-d", &source.url(), "-f", script]);
    for file in [archive, script] {
        let target = any_server().database_with("template template0");
        let run = db(["restore", file, "-d", &target.url(), "--confirm", &target.name]).run();
        assert!(run.transcript().contains("the planner's statistics are left out"), "{}", run.transcript());
        run.ok();
        assert_eq!(
            target.sql("select count(*) > 0 from pg_stats where schemaname = 'zoo_statistics';"),
            "t",
            "ANALYZE"
        );
    }
    let target = any_server().database();
    let run = db(["restore", archive, "-d", &target.url(), "--confirm", &target.name, "--statistics-only"]).run();
    assert!(run.transcript().contains("cannot take the planner's statistics"), "{}", run.transcript());
    run.expect_code(6);
}

#[test]
fn statistics_alone_are_no_good_backup() {
    let source = source(&newest_server());
    let store = tempfile::tempdir().expect("a folder");
    let store = store.path().to_str().expect("UTF-8");
    db(["backup", "--store", store, "-d", &source.url(), "--statistics-only"]).run().ok();
    let status = db(["status", "--store", store, "--max-age", "1h"]).run();
    assert_ne!(status.transcript(), "", "status says why");
    status.expect_code(4);
    db(["backup", "--store", store, "-d", &source.url(), "--statistics"]).run().ok();
    db(["status", "--store", store, "--max-age", "1h"]).run().ok();
    db(["verify", "latest", "--store", store, "--level", "rows"]).run().ok();
}
