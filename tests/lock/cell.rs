//! One backup, stopped at a phase of it, while another session does something to a table.

use std::fmt;
use std::time::{Duration, Instant};

use super::gate::{Gate, Stop, Trigger, wait_until};
use super::rows::{self, Tables};
use super::session::{Answer, Session};
use crate::support::bin::{Run, db};
use crate::support::pg::{Database, Server, shared_folder};

/// What the other session does to table `m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    AddColumn,
    Truncate,
    AlterType,
    AddRandom,
    SetUnlogged,
    DropColumn,
    RenameColumn,
    Drop,
    Swap,
    VacuumFull,
    Reindex,
    Cluster,
    KillLeader,
    KillWorker,
}

/// Where the backup is when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Connected, without a snapshot.
    Connected,
    /// The other session began before us and commits while we wait for its lock.
    Behind,
    /// The snapshot is taken, no lock is.
    Snapshot,
    /// Waiting for the lock of quite another table; that of `m` comes after it.
    WaitsBefore,
    /// The same, with the lock of `m` already held.
    WaitsHolding,
    /// The locks are just taken.
    Locked,
    /// All is read; no row is copied.
    Planned,
    /// Rows of another table are copied, `m` comes later.
    CopiesOther,
    /// Rows of `m` are copied.
    CopiesIt,
    /// The rows of `m` are copied, those of another table are not.
    CopiedIt,
    /// All rows are copied.
    CopiedAll,
    /// So long after its start, wherever that is.
    After(Duration),
}

pub(super) const ACTIONS: [Action; 14] = [
    Action::AddColumn,
    Action::Truncate,
    Action::AlterType,
    Action::AddRandom,
    Action::SetUnlogged,
    Action::DropColumn,
    Action::RenameColumn,
    Action::Drop,
    Action::Swap,
    Action::VacuumFull,
    Action::Reindex,
    Action::Cluster,
    Action::KillLeader,
    Action::KillWorker,
];

pub(super) const PHASES: [Phase; 11] = [
    Phase::Connected,
    Phase::Behind,
    Phase::Snapshot,
    Phase::WaitsBefore,
    Phase::WaitsHolding,
    Phase::Locked,
    Phase::Planned,
    Phase::CopiesOther,
    Phase::CopiesIt,
    Phase::CopiedIt,
    Phase::CopiedAll,
];

/// Formats and numbers of workers.
pub(super) const FORMS: [(&str, &str); 12] = [
    ("custom", "1"),
    ("directory", "2"),
    ("tar", "4"),
    ("plain", "1"),
    ("custom", "2"),
    ("directory", "4"),
    ("tar", "1"),
    ("plain", "2"),
    ("custom", "4"),
    ("directory", "1"),
    ("tar", "2"),
    ("plain", "4"),
];

/// How long the others may wait for us.
pub(super) const OTHERS_WAIT_MAX: Duration = Duration::from_secs(5);

/// A backup of these small tables that has not ended by then hangs.
const HANGS: Duration = Duration::from_secs(40);

/// How long until the phase must have come.
const COMES: Duration = Duration::from_secs(30);

impl Action {
    /// The statements in the other session. Those in a transaction change table `z`, too, so that a mixture shows.
    pub(super) fn statements(self) -> (&'static str, bool) {
        match self {
            Self::AddColumn => ("alter table cell.m add column x int", true),
            Self::Truncate | Self::KillLeader | Self::KillWorker => {
                ("truncate cell.m; insert into cell.m select i, 1, md5(i::text) from generate_series(1, 700) i", true)
            }
            Self::AlterType => ("alter table cell.m alter column n type bigint", true),
            Self::AddRandom => ("alter table cell.m add column r float8 default random()", true),
            Self::SetUnlogged => ("alter table cell.m set unlogged", true),
            Self::DropColumn => ("alter table cell.m drop column n", true),
            Self::RenameColumn => ("alter table cell.m rename column n to renamed", true),
            Self::Drop => ("drop table cell.m", true),
            Self::Swap => (
                "alter table cell.m rename to m_old; create table cell.m (like cell.m_old including all);
                 insert into cell.m select id, 1, body from cell.m_old; drop table cell.m_old",
                true,
            ),
            Self::VacuumFull => ("vacuum full cell.m", false),
            Self::Reindex => ("reindex table cell.m", false),
            Self::Cluster => ("cluster cell.m using m_pkey", false),
        }
    }

    pub(super) const fn kills(self) -> bool {
        matches!(self, Self::KillLeader | Self::KillWorker)
    }

    /// Whether there is such a cell.
    pub(super) fn is_possible(self, phase: Phase) -> bool {
        match phase {
            // VACUUM cannot be part of a transaction; there is nobody to end
            Phase::Behind => !self.kills() && self != Self::VacuumFull,
            Phase::Connected | Phase::Snapshot | Phase::WaitsBefore | Phase::WaitsHolding | Phase::Locked => {
                self != Self::KillWorker
            }
            Phase::Planned | Phase::CopiesOther | Phase::CopiesIt | Phase::CopiedIt | Phase::CopiedAll => true,
            Phase::After(_) => true,
        }
    }
}

impl Phase {
    fn trigger(self) -> Option<Trigger> {
        let all = |pattern, stop| Some(Trigger { pattern, stop, stops_others: true, by_leader: false });
        match self {
            Self::Connected => all("pg_export_snapshot", Stop::Statement),
            Self::Snapshot => all("(?i-u)lock table", Stop::Statement),
            Self::Locked => all("(?i-u)lock table", Stop::Next),
            Self::Planned => all(r"(?i-u)pgproof_copy|copy [^;]*to stdout", Stop::Statement),
            Self::CopiesOther => all(r#"(?i-u)copy "?cell"?\."?a"? "#, Stop::Answer),
            Self::CopiesIt => all(r#"(?i-u)copy "?cell"?\."?m"? "#, Stop::Answer),
            Self::CopiedIt => Some(Trigger {
                pattern: r#"(?i-u)copy "?cell"?\."?z"? "#,
                stop: Stop::Statement,
                stops_others: false,
                by_leader: false,
            }),
            Self::CopiedAll => Some(Trigger {
                pattern: r"(?s-u)^Q.{4}\s*(?i:commit)|\x00(?i:commit)[;\x00]",
                stop: Stop::Statement,
                stops_others: true,
                by_leader: true,
            }),
            Self::Behind | Self::WaitsBefore | Self::WaitsHolding | Self::After(_) => None,
        }
    }

    /// The table whose lock another session holds before us.
    const fn barrier(self) -> Option<&'static str> {
        match self {
            Self::WaitsBefore => Some("cell.aa_barrier"),
            Self::WaitsHolding => Some("cell.zz_barrier"),
            Self::Connected
            | Self::Behind
            | Self::Snapshot
            | Self::Locked
            | Self::Planned
            | Self::CopiesOther
            | Self::CopiesIt
            | Self::CopiedIt
            | Self::CopiedAll
            | Self::After(_) => None,
        }
    }
}

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) action: Action,
    pub(super) phase: Phase,
    pub(super) format: &'static str,
    pub(super) jobs: &'static str,
    /// More options of the backup.
    pub(super) extra: &'static [&'static str],
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}, -F {} -j {}", self.action, self.phase, self.format, self.jobs)
    }
}

/// A database with the sessions of everybody but the backup.
pub(super) struct Bench {
    pub(super) database: Database,
    pub(super) observer: Session,
    pub(super) actor: Session,
    pub(super) reader: Session,
    pub(super) holder: Session,
    counter: Session,
}

/// The tables in the order of their names, which is that of the archive; `m` is the one that is changed. `a0` and `zz` are
/// counted up together all the time.
const SETUP: &str = "create schema cell;
    create table cell.a0 (n int); insert into cell.a0 values (0);
    create table cell.aa_barrier (id int);
    create table cell.a (id int primary key, body text);
    create table cell.m (id int primary key, n int, body text);
    create table cell.z (n int); insert into cell.z values (0);
    create table cell.zz (n int); insert into cell.zz values (0);
    create table cell.zz_barrier (id int);
    create table cell.stop (id int);
    insert into cell.a select i, repeat(md5(i::text), 32) from generate_series(1, 1500) i;
    insert into cell.m select i, 0, repeat(md5(i::text), 32) from generate_series(1, 600) i";

const COUNTER: &str = "do $$ begin loop
        update cell.a0 set n = n + 1; update cell.zz set n = n + 1; commit;
        perform pg_sleep(0.02); exit when exists (select from cell.stop);
    end loop; end $$";

impl Bench {
    pub(super) fn new(server: &Server) -> Self {
        let database = server.database();
        let [observer, actor, reader, holder, counter] = std::array::from_fn(|_| Session::open(&database));
        let mut bench = Self { database, observer, actor, reader, holder, counter };
        bench.observer.run("set client_min_messages = error");
        bench
    }

    /// The tables as they were at first, with the counter running.
    pub(super) fn reset(&mut self) {
        self.observer.run(&format!("drop schema if exists cell cascade; {SETUP}"));
        self.counter.begin(COUNTER);
    }

    /// Ends whoever is left of a cell; its sessions are opened again where they were in the middle of something.
    pub(super) fn clear(&mut self, mut ended: Vec<&'static str>) {
        self.observer.run("insert into cell.stop values (1)");
        if self.counter.answer(Duration::from_secs(10)).is_none() {
            ended.push("counter");
        }
        let others = "select count(pg_terminate_backend(pid)) from pg_stat_activity
            where datname = current_database() and application_name = 'pgproof'";
        self.observer.run(others);
        for name in ended {
            let session = match name {
                "actor" => &mut self.actor,
                "reader" => &mut self.reader,
                "holder" => &mut self.holder,
                _ => &mut self.counter,
            };
            self.observer.run(&format!("select pg_terminate_backend({})", session.pid));
            *session = Session::open(&self.database);
        }
    }

    pub(super) fn state(&mut self) -> Tables {
        rows::of_database(&mut self.observer, &["m", "z"])
    }

    /// Whether a session of a backup waits for a lock of this table.
    pub(super) fn is_waited_for(&mut self, table: &str) -> bool {
        let rows = self.observer.run(&format!(
            "select count(*) from pg_locks l join pg_stat_activity a using (pid) where a.application_name = 'pgproof'
                 and a.datname = current_database() and not l.granted and l.relation = '{table}'::regclass"
        ));
        rows != ["0"]
    }

    /// The server process of the session of the backup that has the locks; before they are taken, of the one with the snapshot.
    pub(super) fn leader(&mut self, gate: &Gate) -> Option<i32> {
        let rows = self.observer.run(
            "select l.pid from pg_locks l join pg_stat_activity a using (pid) where a.application_name = 'pgproof'
                 and a.datname = current_database() and l.granted and l.relation = 'cell.zz'::regclass order by l.pid limit 1",
        );
        rows.first().and_then(|pid| pid.parse().ok()).or_else(|| gate.exporter())
    }

    /// Waits until what `session` began has ended or waits for a lock. What has ended is given back.
    pub(super) fn ended_or_waiting(&mut self, who: fn(&mut Self) -> &mut Session, limit: Duration) -> Option<Answer> {
        let end = Instant::now() + limit;
        let pid = who(self).pid;
        while Instant::now() < end {
            if let Some(answer) = who(self).answer(Duration::from_millis(20)) {
                return Some(answer);
            }
            let rows = self.observer.run(&format!("select count(*) from pg_locks where pid = {pid} and not granted"));
            if rows != ["0"] {
                return None;
            }
        }
        None
    }
}

/// What became of a cell.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) run: Run,
    /// How long the other session waited after all of us could go on.
    pub(super) actor: Option<Duration>,
    pub(super) reader: Option<Duration>,
    /// What is wrong.
    pub(super) faults: Vec<String>,
    /// `before` or `after` for the moment whose rows are in the archive, else the exit code.
    pub(super) kind: String,
}

/// Runs a cell; once more where somebody waited too long, because this machine may have been busy.
pub(super) fn run(cell: Cell, bench: &mut Bench) -> Outcome {
    let outcome = run_once(cell, bench);
    let is_late = !outcome.faults.is_empty() && outcome.faults.iter().all(|fault| fault.contains(" waited "));
    if is_late { run_once(cell, bench) } else { outcome }
}

fn run_once(cell: Cell, bench: &mut Bench) -> Outcome {
    bench.reset();
    let before = bench.state();
    let folder = shared_folder();
    let store = folder.path().to_str().expect("a UTF-8 path").to_owned();
    let gate = Gate::open(&bench.database, cell.phase.trigger());
    let (statements, is_transaction) = cell.action.statements();
    let whole = if is_transaction {
        format!("begin; update cell.z set n = n + 1; {statements}; commit")
    } else {
        statements.to_owned()
    };
    let mut call = whole.as_str();
    if cell.phase == Phase::Behind {
        bench.actor.run(&format!("begin; update cell.z set n = n + 1; {statements}"));
        call = "commit";
    }
    if let Some(barrier) = cell.phase.barrier() {
        bench.holder.run(&format!("begin; lock table {barrier}"));
    }
    let url = gate.url(&bench.database);
    let compression = if matches!(cell.format, "custom" | "directory") { "zstd" } else { "none" };
    let arguments = ["-F", cell.format, "-j", cell.jobs, "-Z", compression];
    let mut backup = db(["backup", "--store", &store, "-d", &url].iter().chain(&arguments).chain(cell.extra)).start();

    let mut faults = Vec::new();
    let is_reached = wait_until(COMES, || {
        backup.has_ended()
            || match cell.phase {
                Phase::Behind => gate.asks_again() || bench.is_waited_for("cell.m"),
                Phase::WaitsBefore | Phase::WaitsHolding => {
                    gate.asks_again() || bench.is_waited_for(cell.phase.barrier().unwrap_or_default())
                }
                Phase::After(delay) => {
                    std::thread::sleep(delay);
                    true
                }
                Phase::Connected
                | Phase::Snapshot
                | Phase::Locked
                | Phase::Planned
                | Phase::CopiesOther
                | Phase::CopiesIt
                | Phase::CopiedIt
                | Phase::CopiedAll => gate.is_reached(),
            }
    }) && !backup.has_ended();
    if !is_reached && !matches!(cell.phase, Phase::After(_)) {
        faults.push("the phase did not come".to_owned());
    }
    if cell.phase == Phase::CopiedIt {
        // the others finish what they have begun
        std::thread::sleep(Duration::from_millis(200));
    }
    match cell.action {
        Action::KillLeader => {
            let leader = bench.leader(&gate);
            kill(bench, leader);
        }
        Action::KillWorker => {
            let leader = bench.leader(&gate);
            let worker = gate.readers().into_iter().rfind(|pid| Some(*pid) != leader);
            kill(bench, worker.or(leader));
        }
        Action::AddColumn
        | Action::Truncate
        | Action::AlterType
        | Action::AddRandom
        | Action::SetUnlogged
        | Action::DropColumn
        | Action::RenameColumn
        | Action::Drop
        | Action::Swap
        | Action::VacuumFull
        | Action::Reindex
        | Action::Cluster => {}
    }
    bench.actor.begin(call);
    let mut acted = bench.ended_or_waiting(|bench| &mut bench.actor, Duration::from_secs(2));
    bench.reader.begin("select count(*) from cell.m");
    let mut read = bench.ended_or_waiting(|bench| &mut bench.reader, Duration::from_secs(2));
    gate.let_others_go();
    let gone = Instant::now();
    // what is still stopped stands until the others were let through: they are not to wait until the backup's end
    let stands =
        matches!(cell.phase, Phase::CopiesOther | Phase::CopiedIt | Phase::WaitsHolding) && !cell.action.kills();
    if stands && acted.is_none() {
        acted = bench.actor.answer(OTHERS_WAIT_MAX + Duration::from_secs(3));
    }
    gate.let_go();
    if cell.phase.barrier().is_some() {
        bench.holder.run("commit");
    }
    let run = backup.end_within(HANGS);
    acted = acted.or_else(|| bench.actor.answer(Duration::from_secs(10)));
    read = read.or_else(|| bench.reader.answer(Duration::from_secs(10)));
    let mut open = Vec::new();
    for (name, answer) in [("actor", &acted), ("reader", &read)] {
        match answer {
            None => {
                faults.push(format!("the {name} waits on after the backup"));
                open.push(name);
            }
            Some(answer) if answer.after(gone) > OTHERS_WAIT_MAX => {
                faults.push(format!("the {name} waited {:.1} s", answer.after(gone).as_secs_f64()));
            }
            Some(_) => {}
        }
    }
    if let Some(answer) = acted.as_ref().filter(|answer| answer.sqlstate != "00000") {
        faults.push(format!("the actor failed with {}", answer.sqlstate));
    }
    bench.clear(open);
    let after = bench.state();
    let kind = judge(cell, &run, folder.path(), &[("before", before), ("after", after)], &mut faults);
    Outcome {
        run,
        actor: acted.map(|answer| answer.after(gone)),
        reader: read.map(|answer| answer.after(gone)),
        faults,
        kind,
    }
}

fn kill(bench: &mut Bench, pid: Option<i32>) {
    if let Some(pid) = pid {
        bench.observer.run(&format!("select pg_terminate_backend({pid})"));
        wait_until(Duration::from_secs(5), || {
            bench.observer.run(&format!("select count(*) from pg_stat_activity where pid = {pid}")) == ["0"]
        });
    }
}

/// Either there are the rows of one moment, or there is no backup.
fn judge(
    cell: Cell,
    run: &Run,
    store: &std::path::Path,
    moments: &[(&str, Tables)],
    faults: &mut Vec<String>,
) -> String {
    let published = rows::published(store);
    let Some(code) = run.code else {
        faults.push("it hangs".to_owned());
        return "hangs".to_owned();
    };
    if code != 0 {
        if !published.is_empty() {
            faults.push(format!("exit {code}, and a backup is listed"));
        }
        let is_expected = match cell.action {
            Action::KillLeader => code == 10,
            Action::KillWorker => matches!(code, 10 | 11),
            Action::AddColumn
            | Action::Truncate
            | Action::AlterType
            | Action::AddRandom
            | Action::SetUnlogged
            | Action::DropColumn
            | Action::RenameColumn
            | Action::Drop
            | Action::Swap
            | Action::VacuumFull
            | Action::Reindex
            | Action::Cluster => false,
        };
        if !is_expected {
            faults.push(format!("exit {code}"));
        }
        return format!("exit {code}");
    }
    let [archive] = published.as_slice() else {
        faults.push(format!("exit 0, and {} backups are listed", published.len()));
        return "exit 0".to_owned();
    };
    let mut tables = rows::of_archive(archive);
    let counts = tables.iter().map(|(name, table)| (name.clone(), table.rows.len() as u64)).collect();
    let told = rows::of_manifest(archive);
    if told != counts {
        faults.push(format!("the manifest tells of {told:?}, the archive has {counts:?}"));
    }
    let counts = [tables.remove("a0"), tables.remove("zz")].map(|table| table.map(|table| table.rows));
    if counts[0] != counts[1] || counts[0].is_none() {
        faults.push(format!("a0 and zz are of two moments: {counts:?}"));
    }
    let a = tables.remove("a").map_or(0, |table| table.rows.len());
    if a != 1500 {
        faults.push(format!("{a} of 1500 rows of another table"));
    }
    tables.retain(|name, _| name == "m" || name == "z");
    if let Some((name, _)) = moments.iter().find(|(_, moment)| *moment == tables) {
        return (*name).to_owned();
    }
    let show = |tables: &Tables| {
        let (m, z) = (tables.get("m"), tables.get("z"));
        let m = m.map(|m| (m.rows.len(), m.rows.first().map(|row| row.len()), &m.definition, &m.columns));
        format!("m {m:?}, z {:?}", z.map(|z| &z.rows))
    };
    let known: Vec<String> = moments.iter().map(|(name, moment)| format!("{name}: {}", show(moment))).collect();
    faults.push(format!("rows of no moment: {}; {}", show(&tables), known.join("; ")));
    "mixed".to_owned()
}
