//! The faults by name: sessions that block each other through us, a session that is lost, rows that vanish between snapshot and
//! lock, and others who wait for us.

use std::time::{Duration, Instant};

use super::cell::{Action, Bench, Cell, Outcome, Phase, others_wait_max, run};
use super::gate::{Gate, Stop, Trigger, wait_until};
use super::rows;
use super::session::Session;
use crate::support::bin::{Run, Running, db};
use crate::support::pg::{any_server, newest_server, servers, shared_folder};

/// Runs one cell on a server and fails the test where anything is wrong with it.
#[track_caller]
fn expect(bench: &mut Bench, action: Action, phase: Phase, form: (&'static str, &'static str)) -> Outcome {
    let cell = Cell { action, phase, format: form.0, jobs: form.1, extra: &[] };
    let outcome = run(cell, bench);
    let (faults, text) = (&outcome.faults, outcome.run.transcript());
    assert!(faults.is_empty(), "{} {cell}: {faults:?}\n{text}", bench.database.server.major);
    outcome
}

/// What another backup does that is stopped while table `a` is copied.
const COPIES_A: Trigger =
    Trigger { pattern: r#"(?i-u)copy "?cell"?\."?a"? "#, stop: Stop::Answer, stops_others: true, by_leader: false };

/// The locks are taken, definitions are read.
const READS: Trigger =
    Trigger { pattern: "(?i-u)pg_get_indexdef", stop: Stop::Answer, stops_others: true, by_leader: true };

/// A backup behind a gate, into a folder of its own.
struct Backup {
    folder: tempfile::TempDir,
    gate: Gate,
    running: Running,
}

impl Backup {
    fn begin(bench: &Bench, trigger: Option<Trigger>, arguments: &[&str]) -> Self {
        let (folder, gate) = (shared_folder(), Gate::open(&bench.database, trigger));
        let (store, url) = (folder.path().to_str().expect("UTF-8"), gate.url(&bench.database));
        let running = db(["backup", "--store", store, "-d", &url].iter().chain(arguments)).start();
        let mut backup = Self { folder, gate, running };
        if trigger.is_some() {
            let came = wait_until(Duration::from_secs(30), || backup.gate.is_reached() || backup.running.has_ended());
            assert!(came && !backup.running.has_ended(), "the moment did not come");
        }
        backup
    }

    /// What it did, and the folder.
    fn end(self) -> (Run, tempfile::TempDir) {
        (self.running.end_within(Duration::from_secs(60)), self.folder)
    }
}

#[track_caller]
fn expect_none(folder: &tempfile::TempDir) {
    assert!(rows::published(folder.path()).is_empty(), "nothing is listed");
    let store = folder.path().to_str().expect("UTF-8");
    let list = db(["list", "--store", store, "--output", "json"]).run().ok();
    assert!(!list.stdout.contains("\"good\""), "{}", list.stdout);
}

/// The text names a session and the table that it holds or wants.
#[track_caller]
fn expect_named(run: &Run, session: &Session, table: &str) {
    let text = run.stderr.replace('"', "");
    assert!(text.contains(table), "it names {table}: {}", run.stderr);
    let pid = session.pid.to_string();
    assert!(text.split(|c: char| !c.is_ascii_digit()).any(|word| word == pid), "it names {pid}: {}", run.stderr);
}

/// How many rows of a table are in the only archive of a store.
#[track_caller]
fn rows_in(folder: &tempfile::TempDir, table: &str) -> usize {
    let published = rows::published(folder.path());
    let [archive] = published.as_slice() else { panic!("one backup, not {}", published.len()) };
    rows::of_archive(archive).get(table).map_or(0, |table| table.rows.len())
}

#[test]
fn a_backup_ends_although_a_session_wants_a_table_that_is_not_copied_yet() {
    let mut bench = Bench::new(&any_server());
    for jobs in ["1", "2", "4"] {
        for phase in [Phase::Locked, Phase::Planned, Phase::CopiesOther] {
            let outcome = expect(&mut bench, Action::AddColumn, phase, ("custom", jobs));
            assert_eq!(outcome.kind, "before", "{phase:?} -j {jobs}");
        }
    }
}

#[test]
fn who_got_a_table_early_is_named() {
    let mut bench = Bench::new(&any_server());
    for jobs in ["1", "2"] {
        let (run, folder, _) = wanted(&mut bench, COPIES_A, &["-j", jobs], Duration::from_secs(5));
        let run = run.ok();
        expect_named(&run, &bench.actor, "cell.m");
        assert_eq!(rows_in(&folder, "m"), 600);
        bench.clear(Vec::new());
    }
}

#[test]
fn a_large_table_that_is_copied_in_parts_is_whole_although_a_session_wants_it() {
    let server = newest_server();
    let mut bench = Bench::new(&server);
    bench.reset();
    bench.observer.run(
        "alter table cell.m alter column body set storage external;
         insert into cell.m select i, 0, repeat(md5(i::text), 64 * 16) from generate_series(1000, 4500) i",
    );
    let trigger = Trigger {
        pattern: r#"(?i-u)from only "?cell"?\."?m"? where ctid >= '\(0,"#,
        stop: Stop::Answer,
        stops_others: true,
        by_leader: false,
    };
    let backup = Backup::begin(&bench, Some(trigger), &["-Z", "none"]);
    bench.actor.begin("truncate cell.m");
    assert!(bench.ended_or_waiting(|bench| &mut bench.actor, Duration::from_secs(2)).is_none(), "it waits");
    backup.gate.let_go();
    let (run, folder) = backup.end();
    run.ok();
    assert_eq!(rows_in(&folder, "m"), 600 + 3501);
    assert_eq!(bench.actor.answer(Duration::from_secs(10)).expect("it goes on").sqlstate, "00000");
    bench.clear(Vec::new());
}

#[test]
fn a_leading_session_that_is_ended_makes_no_backup() {
    for server in [any_server(), newest_server()] {
        let mut bench = Bench::new(&server);
        for phase in [Phase::Locked, Phase::CopiesOther, Phase::CopiedIt, Phase::CopiedAll] {
            for form in [("custom", "2"), ("plain", "1")] {
                let outcome = expect(&mut bench, Action::KillLeader, phase, form);
                assert_eq!(outcome.kind, "exit 10", "{phase:?} {form:?}\n{}", outcome.run.transcript());
            }
        }
    }
}

#[test]
fn a_leading_session_whose_connection_is_cut_makes_no_backup() {
    let mut bench = Bench::new(&any_server());
    for jobs in ["1", "2"] {
        bench.reset();
        let mut backup = Backup::begin(&bench, Some(COPIES_A), &["-j", jobs]);
        let leader = bench.leader(&backup.gate).expect("a leader");
        backup.gate.cut(leader);
        let gone = wait_until(Duration::from_secs(5), || {
            bench.observer.run(&format!("select count(*) from pg_stat_activity where pid = {leader}")) == ["0"]
        });
        assert!(gone, "the server noticed");
        bench.observer.run("truncate cell.m");
        backup.gate.let_others_go();
        // while rows are still to come
        wait_until(Duration::from_secs(20), || backup.running.has_ended());
        backup.gate.let_go();
        let (run, folder) = backup.end();
        run.expect_code(10);
        expect_none(&folder);
        bench.clear(Vec::new());
    }
}

#[test]
fn rows_of_a_table_that_is_changed_between_snapshot_and_lock_are_there() {
    for server in servers() {
        let mut bench = Bench::new(&server);
        for (action, phase, form) in [
            (Action::Truncate, Phase::Behind, ("custom", "1")),
            (Action::Truncate, Phase::Snapshot, ("plain", "2")),
            (Action::AlterType, Phase::Behind, ("directory", "2")),
            (Action::AddRandom, Phase::WaitsBefore, ("tar", "1")),
            (Action::SetUnlogged, Phase::Behind, ("custom", "4")),
        ] {
            let outcome = expect(&mut bench, action, phase, form);
            assert_eq!(outcome.kind, "after", "{}", outcome.run.transcript());
        }
    }
}

#[test]
fn rows_of_a_partition_that_is_truncated_before_the_lock_are_there() {
    for server in servers() {
        let mut bench = Bench::new(&server);
        bench.reset();
        bench.observer.run(
            "create table cell.stock (id int, n int) partition by range (id);
             create table cell.stock_1 partition of cell.stock for values from (0) to (1000);
             create table cell.stock_2 partition of cell.stock for values from (1000) to (2000);
             insert into cell.stock select i, 0 from generate_series(0, 1999) i",
        );
        bench.actor.run(
            "begin; truncate cell.stock_2; insert into cell.stock_2 select i, 1 from generate_series(1000, 1999) i",
        );
        let backup = Backup::begin(&bench, None, &[]);
        let mut waits = || backup.gate.asks_again() || bench.is_waited_for("cell.stock_2");
        assert!(wait_until(Duration::from_secs(20), &mut waits), "it waits");
        bench.actor.run("commit");
        let (run, folder) = backup.end();
        run.ok();
        assert_eq!((rows_in(&folder, "stock_1"), rows_in(&folder, "stock_2")), (1000, 1000), "on {}", server.major);
        bench.clear(Vec::new());
    }
}

#[test]
fn a_table_that_is_truncated_over_and_over_is_named_with_its_session() {
    let mut bench = Bench::new(&any_server());
    bench.reset();
    bench.actor.begin(
        "do $$ begin loop
            truncate cell.m; insert into cell.m select i, 1, 'x' from generate_series(1, 50) i; perform pg_sleep(0.4);
            commit; exit when exists (select from cell.stop);
         end loop; end $$",
    );
    let (run, folder) = Backup::begin(&bench, None, &[]).end();
    bench.observer.run("insert into cell.stop values (1)");
    bench.actor.answer(Duration::from_secs(10)).expect("it ends");
    bench.clear(Vec::new());
    expect_named(&run.expect_code(15), &bench.actor, "cell.m");
    expect_none(&folder);
}

#[test]
fn who_wants_a_table_gets_it_while_another_is_still_copied() {
    let mut bench = Bench::new(&any_server());
    for form in [("custom", "1"), ("custom", "2"), ("directory", "2"), ("tar", "4"), ("plain", "2")] {
        for (action, phase) in [(Action::AddColumn, Phase::CopiesOther), (Action::Truncate, Phase::CopiedIt)] {
            let outcome = expect(&mut bench, action, phase, form);
            assert_eq!(outcome.kind, "before");
        }
    }
}

#[test]
fn two_who_want_two_tables_get_them_while_another_is_still_copied() {
    let mut bench = Bench::new(&any_server());
    bench.reset();
    let backup = Backup::begin(&bench, Some(COPIES_A), &[]);
    bench.actor.begin("alter table cell.m add column x int");
    bench.holder.begin("truncate cell.z");
    assert!(bench.ended_or_waiting(|bench| &mut bench.actor, Duration::from_secs(2)).is_none(), "it waits");
    assert!(bench.ended_or_waiting(|bench| &mut bench.holder, Duration::from_secs(2)).is_none(), "it waits");
    bench.reader.begin("select count(*) from cell.m, cell.z");
    backup.gate.let_others_go();
    let gone = Instant::now();
    for session in [&mut bench.actor, &mut bench.holder, &mut bench.reader] {
        let answer = session.answer(Duration::from_secs(15)).expect("it gets its table");
        assert!(answer.after(gone) < 2 * others_wait_max(), "after {:?}", answer.after(gone));
    }
    backup.gate.let_go();
    let (run, folder) = backup.end();
    run.ok();
    assert_eq!((rows_in(&folder, "m"), rows_in(&folder, "z")), (600, 1));
    bench.clear(Vec::new());
}

/// A backup that stands, and a session that wants `m` for some seconds before it goes on.
fn wanted(bench: &mut Bench, moment: Trigger, arguments: &[&str], stands: Duration) -> (Run, tempfile::TempDir, bool) {
    bench.reset();
    let mut backup = Backup::begin(bench, Some(moment), arguments);
    bench.actor.begin("alter table cell.m add column added_by_the_other int");
    assert!(bench.ended_or_waiting(|bench| &mut bench.actor, Duration::from_secs(2)).is_none(), "it waits");
    backup.gate.let_others_go();
    wait_until(stands, || backup.running.has_ended());
    let had_ended = backup.running.has_ended();
    backup.gate.let_go();
    let (run, folder) = backup.end();
    let answer = bench.actor.answer(Duration::from_secs(10)).expect("it gets the table");
    assert_eq!(answer.sqlstate, "00000");
    (run, folder, had_ended)
}

#[test]
fn warn_names_who_waits_and_goes_on() {
    let mut bench = Bench::new(&any_server());
    for (moment, jobs) in [(READS, "1"), (READS, "2"), (COPIES_A, "1"), (COPIES_A, "2")] {
        let arguments = ["-j", jobs, "--when-blocking", "warn", "--blocking-limit", "1s"];
        let (run, folder, _) = wanted(&mut bench, moment, &arguments, Duration::from_secs(5));
        let run = run.ok();
        expect_named(&run, &bench.actor, "cell.m");
        assert!(run.stderr.contains("alter table cell.m"), "it says what is waited with: {}", run.stderr);
        assert_eq!(rows_in(&folder, "m"), 600);
        bench.clear(Vec::new());
    }
}

#[test]
fn yield_ends_the_backup_and_says_so() {
    let mut bench = Bench::new(&any_server());
    for (moment, jobs) in [(READS, "1"), (READS, "2"), (COPIES_A, "1"), (COPIES_A, "2")] {
        let arguments = ["-j", jobs, "--when-blocking", "yield", "--blocking-limit", "1s"];
        let (run, folder, had_ended) = wanted(&mut bench, moment, &arguments, Duration::from_secs(10));
        let run = run.expect_code(15);
        assert!(had_ended, "it ended while it stood still: {jobs} {moment:?}\n{}", run.transcript());
        expect_named(&run, &bench.actor, "cell.m");
        expect_none(&folder);
        bench.clear(Vec::new());
    }
}

/// What is read of the catalog cannot be let go halfway; who waits hears of it at once, also where it came later than we did.
#[test]
fn release_names_who_waits_while_definitions_are_read() {
    let mut bench = Bench::new(&any_server());
    let (run, folder, _) = wanted(&mut bench, READS, &[], Duration::from_secs(2));
    let run = run.ok();
    expect_named(&run, &bench.actor, "cell.m");
    assert!(run.stderr.contains("it cannot be let go yet"), "{}", run.stderr);
    assert!(run.stderr.contains("alter table cell.m"), "it says what is waited with: {}", run.stderr);
    assert_eq!(rows_in(&folder, "m"), 600);
    bench.clear(Vec::new());
}

#[test]
fn a_request_that_ends_before_the_limit_is_nobodys_business() {
    let mut bench = Bench::new(&any_server());
    let arguments = ["--when-blocking", "yield", "--blocking-limit", "30s"];
    let (run, folder, had_ended) = wanted(&mut bench, COPIES_A, &arguments, Duration::from_secs(3));
    run.ok();
    assert!(!had_ended, "it went on");
    assert_eq!(rows_in(&folder, "m"), 600);
    bench.clear(Vec::new());
}

#[test]
fn nothing_of_ours_is_left_on_the_server_where_others_waited() {
    let mut bench = Bench::new(&any_server());
    for how in ["release", "warn", "yield"] {
        let arguments = ["--when-blocking", how, "--blocking-limit", "1s"];
        wanted(&mut bench, COPIES_A, &arguments, Duration::from_secs(3));
        let sql =
            "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'pgproof'";
        let is_clean = wait_until(Duration::from_secs(5), || bench.observer.run(sql) == ["0"]);
        assert!(is_clean, "{how}: sessions are left");
        bench.clear(Vec::new());
    }
}

/// A session of psql in the way from before the backup begins, which never goes: the backup gives up and says who it was.
#[test]
fn who_never_lets_go_of_a_table_is_named() {
    let mut bench = Bench::new(&any_server());
    bench.reset();
    let mut stubborn = Session::open(&bench.database);
    stubborn.run("begin; truncate cell.z");
    let begun = Instant::now();
    let (run, folder) = Backup::begin(&bench, None, &["--lock-wait-timeout", "4s"]).end();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    expect_named(&run.expect_code(15), &stubborn, "cell.z");
    expect_none(&folder);
    stubborn.run("rollback");
    bench.clear(Vec::new());
}

/// Locks that are had past those who wait come with the server's look for deadlocks: later than others may wait, here.
#[test]
fn a_server_that_looks_for_deadlocks_late_stops_no_backup() {
    let mut bench = Bench::new(&any_server());
    let name = bench.database.name.clone();
    bench.observer.run(&format!("alter database {name} set deadlock_timeout = '8s'"));
    bench.actor = Session::open(&bench.database);
    for (jobs, phase) in [("2", Phase::Planned), ("1", Phase::CopiesOther), ("2", Phase::CopiedIt)] {
        let cell = Cell { action: Action::AddColumn, phase, format: "custom", jobs, extra: &[] };
        let outcome = run(cell, &mut bench);
        assert_eq!(outcome.kind, "before", "{cell}: {:?}\n{}", outcome.faults, outcome.run.transcript());
        assert!(outcome.actor.is_some(), "{cell}: {:?}", outcome.faults);
    }
}

/// A role that is no superuser cannot have it look sooner: where that takes minutes, one session copies under its own locks.
#[test]
fn a_server_that_looks_for_deadlocks_late_keeps_no_plain_role_from_a_backup() {
    let mut bench = Bench::new(&any_server());
    let (name, role) = (bench.database.name.clone(), crate::support::unique_name("late_"));
    bench.observer.run(&format!("create role {role} login"));
    for (timeout, is_let_go) in [("8s", true), ("10min", false)] {
        bench.observer.run(&format!("alter database {name} set deadlock_timeout = '{timeout}'"));
        bench.actor = Session::open(&bench.database);
        bench.reset();
        bench
            .observer
            .run(&format!("grant usage on schema cell to {role}; grant select on all tables in schema cell to {role}"));
        let folder = shared_folder();
        let gate = Gate::open(&bench.database, Some(COPIES_A));
        let url = gate.url(&bench.database).replace("postgres@", &format!("{role}@"));
        let store = folder.path().to_str().expect("UTF-8");
        let running = db(["backup", "--store", store, "-d", &url, "-j", "2"]).start();
        assert!(wait_until(Duration::from_secs(20), || gate.is_reached()), "the moment did not come");
        bench.actor.begin("alter table cell.m add column x int");
        assert!(bench.ended_or_waiting(|bench| &mut bench.actor, Duration::from_secs(2)).is_none(), "it waits");
        gate.let_others_go();
        let early = bench.actor.answer(Duration::from_secs(if is_let_go { 30 } else { 3 }));
        assert_eq!(early.is_some(), is_let_go, "{timeout}");
        gate.let_go();
        let run = running.end_within(Duration::from_secs(60)).ok();
        expect_named(&run, &bench.actor, "cell.m");
        let answer = early.or_else(|| bench.actor.answer(Duration::from_secs(10))).expect("it gets the table");
        assert_eq!(answer.sqlstate, "00000");
        assert_eq!((rows_in(&folder, "a"), rows_in(&folder, "m")), (1500, 600), "{}", run.transcript());
        bench.clear(Vec::new());
    }
    bench.observer.run(&format!("drop schema cell cascade; drop owned by {role}; drop role {role}"));
}

#[test]
fn settings_of_the_database_end_none_of_our_sessions() {
    for server in [any_server(), newest_server()] {
        let mut bench = Bench::new(&server);
        let name = bench.database.name.clone();
        let mut settings = vec!["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"];
        settings.extend((server.major >= 14).then_some("idle_session_timeout"));
        settings.extend((server.major >= 17).then_some("transaction_timeout"));
        for setting in settings {
            bench.observer.run(&format!("alter database {name} set {setting} = '1s'"));
        }
        for jobs in ["1", "2"] {
            bench.reset();
            let backup = Backup::begin(&bench, Some(COPIES_A), &["-j", jobs]);
            backup.gate.let_others_go();
            std::thread::sleep(Duration::from_secs(3));
            backup.gate.let_go();
            let (run, folder) = backup.end();
            run.ok();
            assert_eq!((rows_in(&folder, "a"), rows_in(&folder, "m")), (1500, 600), "-j {jobs}");
            bench.clear(Vec::new());
        }
    }
}

#[test]
fn a_role_with_few_connections_backs_up_although_a_session_wants_a_table() {
    let mut bench = Bench::new(&newest_server());
    let role = crate::support::unique_name("few_");
    bench.observer.run(&format!("create role {role} login in role pg_read_all_data"));
    let end = Instant::now() + Duration::from_secs(150);
    for limit in [1, 2, 3] {
        bench.observer.run(&format!("alter role {role} connection limit {limit}"));
        for jobs in ["1", "4"] {
            assert!(Instant::now() < end, "it takes too long");
            bench.reset();
            let folder = shared_folder();
            let gate = Gate::open(&bench.database, Some(COPIES_A));
            let url = gate.url(&bench.database).replace("postgres@", &format!("{role}@"));
            let store = folder.path().to_str().expect("UTF-8");
            let mut running = db(["backup", "--store", store, "-d", &url, "-j", jobs]).start();
            wait_until(Duration::from_secs(20), || gate.is_reached() || running.has_ended());
            if running.has_ended() {
                panic!("limit {limit}, -j {jobs}:\n{}", running.end_within(Duration::ZERO).transcript());
            }
            bench.actor.begin("alter table cell.m add column x int");
            bench.ended_or_waiting(|bench| &mut bench.actor, Duration::from_secs(2));
            gate.let_go();
            running.end_within(Duration::from_secs(40)).ok();
            assert_eq!(rows_in(&folder, "m"), 600, "limit {limit}, -j {jobs}");
            assert!(bench.actor.answer(Duration::from_secs(10)).is_some(), "it goes on");
            bench.clear(Vec::new());
        }
    }
    bench.observer.run(&format!("drop schema cell cascade; drop owned by {role}; drop role {role}"));
}

#[test]
fn two_backups_at_once_end_although_a_session_wants_a_table() {
    let mut bench = Bench::new(&any_server());
    bench.reset();
    let [first, second] = std::array::from_fn(|_| Backup::begin(&bench, Some(COPIES_A), &[]));
    bench.actor.begin("alter table cell.m add column x int");
    assert!(bench.ended_or_waiting(|bench| &mut bench.actor, Duration::from_secs(2)).is_none(), "it waits");
    for backup in [&first, &second] {
        backup.gate.let_others_go();
    }
    let gone = Instant::now();
    let answer = bench.actor.answer(Duration::from_secs(20)).expect("it gets the table");
    assert!(answer.after(gone) < 2 * others_wait_max(), "after {:?}", answer.after(gone));
    for backup in [first, second] {
        backup.gate.let_go();
        let (run, folder) = backup.end();
        run.ok();
        assert_eq!(rows_in(&folder, "m"), 600);
    }
    bench.clear(Vec::new());
}

#[test]
fn a_cautious_session_that_asks_again_and_again_gets_its_table() {
    let mut bench = Bench::new(&any_server());
    bench.reset();
    let backup = Backup::begin(&bench, Some(COPIES_A), &[]);
    bench.actor.run("set lock_timeout = '1s'");
    backup.gate.let_others_go();
    let is_done = wait_until(Duration::from_secs(20), || {
        bench.actor.begin("alter table cell.m add column x int");
        let answer = bench.actor.answer(Duration::from_secs(10)).expect("it asks for a second");
        answer.sqlstate == "00000"
    });
    assert!(is_done, "it gets its table while another one is copied");
    bench.actor.run("set lock_timeout = 0");
    backup.gate.let_go();
    let (run, folder) = backup.end();
    run.ok();
    assert_eq!(rows_in(&folder, "m"), 600);
    bench.clear(Vec::new());
}

#[test]
fn who_truncates_a_partitioned_table_gets_all_partitions_while_another_table_is_copied() {
    const PARTITIONS: usize = 6;
    let mut bench = Bench::new(&newest_server());
    bench.reset();
    bench.observer.run("create table cell.stock (id int, n int) partition by range (id)");
    for number in 0..PARTITIONS {
        let (from, to) = (number * 100, number * 100 + 100);
        let table =
            format!("create table cell.stock_{number} partition of cell.stock for values from ({from}) to ({to})");
        bench.observer.run(&table);
    }
    bench
        .observer
        .run(&format!("insert into cell.stock select i, 0 from generate_series(0, {} - 1) i", PARTITIONS * 100));
    let backup = Backup::begin(&bench, Some(COPIES_A), &[]);
    bench.actor.begin("truncate cell.stock");
    assert!(bench.ended_or_waiting(|bench| &mut bench.actor, Duration::from_secs(2)).is_none(), "it waits");
    backup.gate.let_others_go();
    let gone = Instant::now();
    let answer = bench.actor.answer(Duration::from_secs(60)).expect("it gets its tables");
    println!("{PARTITIONS} partitions: {:.1?}", answer.after(gone));
    assert!(answer.after(gone) < 2 * others_wait_max(), "after {:?}", answer.after(gone));
    backup.gate.let_go();
    let (run, folder) = backup.end();
    run.ok();
    for number in 0..PARTITIONS {
        assert_eq!(rows_in(&folder, &format!("stock_{number}")), 100);
    }
    bench.clear(Vec::new());
}
