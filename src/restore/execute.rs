//! Doing what a plan says.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::crew::Crew;
use super::plan::{Plan, Work};
use super::schedule::{Schedule, split};
use super::script::{self, failure};
use super::select::{Item, is_statistics};
use super::session::{connect, speak};
use super::statement;
use super::target::make;
use super::worker::{Done, Shared, Worker};
use super::{Options, Outcome};
use crate::archive::pick::Pass;
use crate::archive::toc::{Entry, Section, Toc};
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Phase, Progress, Sink};
use crate::object::identifier::Quote;
use crate::server::{Connection, sqlstate};

/// Tables whose statistics the backup did not bring.
const MISSING_STATISTICS: &str = include_str!("../../sql/restore/missing_statistics.sql");

/// How often progress is told.
const TICK: Duration = Duration::from_millis(500);

/// How long the statements of a restore that failed may take to end once they are cancelled.
const SETTLE_MAX: Duration = Duration::from_secs(30);

pub(super) async fn execute(plan: Plan, sink: &dyn Sink) -> Result<Outcome> {
    let result = Box::pin(perform(&plan, sink)).await;
    match result {
        Ok(outcome) => Ok(outcome),
        Err(error) => {
            // whoever reads the error may begin anew: nothing of this run may be at work any more
            let left = plan.options.target.sessions.settle(SETTLE_MAX).await;
            Err(left.iter().fold(error, |error, place| error.more_detail(&format!("still at work: {place}"))))
        }
    }
}

async fn perform(plan: &Plan, sink: &dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome {
        database: plan.summary.database.clone(),
        warnings: plan.summary.warnings.clone(),
        ..Outcome::default()
    };
    if let Some(sql) = &plan.create_target {
        make(&plan.options.target, plan.options.role.as_deref(), sql).await?;
    }
    match &plan.work {
        Work::Script { inlet, algorithm, monetary } => {
            let mut connection = connect(&plan.options.target).await?;
            create_roles(plan, &mut connection, &mut outcome).await?;
            connection.close().await;
            let run = script::run(inlet, *algorithm, monetary.as_deref(), &plan.options, &mut outcome, sink);
            timed(sink, Phase::CopyIn, run).await?;
        }
        Work::Archive { shared, items, database } => {
            let mut crew = match database {
                Some(dump_id) => {
                    create_database(plan, shared, *dump_id, &mut outcome).await?;
                    Crew::take(plan, shared, items).await?
                }
                None => Crew::take(plan, shared, items).await?,
            };
            if let Some(note) = crew.note.take() {
                sink.event(Event::Warning(Message::new(note)));
            }
            if let (None, Some(worker)) = (database, crew.workers.first_mut()) {
                worker.connection.execute("reset role").await?;
                create_roles(plan, &mut worker.connection, &mut outcome).await?;
                worker.become_role().await?;
            }
            let crew = crew.workers;
            let mut run = Run { plan, shared, sink, outcome: &mut outcome, crew, failed_tables: HashSet::new() };
            Box::pin(run.restore(items)).await?;
        }
    }
    if plan.options.analyze && (outcome.table_count > 0 || outcome.row_count > 0) {
        let has_statistics = outcome.statistics_count > 0;
        let analyzed = timed(sink, Phase::Analyze, analyze(plan, &plan.options, has_statistics)).await;
        match analyzed {
            Ok(None) => {}
            Ok(Some(count)) => sink.event(Event::Note(Message::new(format!(
                "statistics for the planner came with the backup for {}; ANALYZE ran on {} without",
                counted(outcome.statistics_count, "relation"),
                counted(count, "table")
            )))),
            Err(error) => outcome.warnings.push(format!("statistics could not be gathered: {}", error.message())),
        }
    }
    Ok(outcome)
}

async fn timed<T>(sink: &dyn Sink, phase: Phase, work: impl Future<Output = Result<T>>) -> Result<T> {
    sink.event(Event::PhaseBegun(phase));
    let begun = Instant::now();
    let done = Box::pin(work).await?;
    sink.event(Event::PhaseFinished { phase, elapsed: begun.elapsed() });
    Ok(done)
}

async fn create_roles(plan: &Plan, connection: &mut Connection, outcome: &mut Outcome) -> Result<()> {
    if let Work::Archive { shared, .. } = &plan.work {
        speak(connection, shared.archive.toc()).await?;
    }
    for role in &plan.create_roles {
        let sql = format!("create role {} nologin", Quote::default().identifier(role));
        connection.execute(&sql).await.map_err(|error| error.context(&format!("could not create role \"{role}\"")))?;
        outcome.created_roles.push(role.clone());
    }
    Ok(())
}

async fn create_database(plan: &Plan, shared: &Shared, dump_id: i32, outcome: &mut Outcome) -> Result<()> {
    let toc = shared.archive.toc();
    let Some(entry) = toc.entry(dump_id) else { return Ok(()) };
    let mut connection = connect(&shared.target).await?;
    speak(&mut connection, toc).await?;
    create_roles(plan, &mut connection, outcome).await?;
    let quote = Quote::default();
    if plan.options.clean {
        connection.execute(&format!("drop database if exists {}", quote.identifier(&entry.tag))).await?;
    }
    let sql = statement::create(entry, toc, shared.leave.owner, connection.version()).unwrap_or_default();
    connection.execute(&sql).await.map_err(|error| error.context(&statement::describe(entry)))?;
    if let (false, Some(sql)) = (shared.leave.owner, statement::owner(entry)) {
        connection.execute(&sql).await.map_err(|error| error.context(&statement::describe(entry)))?;
    }
    connection.close().await;
    Ok(())
}

/// Gathers statistics; it also waits until all that was loaded is on the disk.
///
/// What the backup brought is not gathered again: then only the tables that lack something are looked at, and their number
/// is returned. No dump has the values of extended statistics, so that their tables are among them.
async fn analyze(plan: &Plan, options: &Options, has_statistics: bool) -> Result<Option<usize>> {
    let database = plan.summary.database.as_str();
    let mut connection = connect(&options.target.with_database(database)).await?;
    let analyzed = if has_statistics {
        let rows = connection.query(MISSING_STATISTICS, &[]).await?;
        for row in &rows {
            let table = row
                .text("name")
                .map_err(|error| Error::new(ErrorKind::Server, "query \"missing_statistics\"").caused_by(error))?;
            connection.execute(&format!("analyze only {table}")).await?;
        }
        Some(rows.len())
    } else {
        connection.execute("analyze").await?;
        None
    };
    connection.close().await;
    Ok(analyzed)
}

struct Run<'a> {
    plan: &'a Plan,
    shared: &'a Arc<Shared>,
    sink: &'a dyn Sink,
    outcome: &'a mut Outcome,
    /// The connections; those at work are not among them.
    crew: Vec<Worker>,
    /// Tables that could not be created: what is there under their name is not to be loaded into.
    failed_tables: HashSet<i32>,
}

impl Run<'_> {
    fn toc(&self) -> &Toc {
        self.shared.archive.toc()
    }

    fn stops(&self) -> bool {
        self.plan.options.exit_on_error || self.plan.options.single_transaction
    }

    async fn restore(&mut self, items: &[Item]) -> Result<()> {
        let options = &self.plan.options;
        if options.single_transaction {
            self.main()?.connection.execute("begin").await?;
        }
        if options.clean && !self.plan.summary.creates_database {
            self.drop_objects(items).await?;
        }
        let later = self.create(items).await?;
        let (privileges, last): (Vec<Item>, Vec<Item>) = later.into_iter().partition(|item| item.pass == Pass::Acl);
        self.run_passes(&[privileges, last]).await?;
        if options.single_transaction {
            self.main()?.connection.execute("commit").await?;
        }
        for worker in self.crew.drain(..) {
            worker.connection.close().await;
        }
        self.outcome.byte_count = self.shared.bytes.load(Ordering::Relaxed);
        self.outcome.row_count = self.shared.row_count.load(Ordering::Relaxed);
        Ok(())
    }

    /// The connection for what goes in order.
    fn main(&mut self) -> Result<&mut Worker> {
        self.crew.first_mut().ok_or_else(|| Error::new(ErrorKind::Bug, "a restore without a connection"))
    }

    /// Definitions in order, then rows and what needs them; returns what comes after all objects are there.
    async fn create(&mut self, items: &[Item]) -> Result<Vec<Item>> {
        let (first, later) = split(items);
        self.sink.event(Event::PhaseBegun(Phase::PreData));
        let begun = Instant::now();
        for item in &first {
            let result = Box::pin(self.main()?.restore(item)).await;
            self.note(item, result)?;
        }
        self.sink.event(Event::PhaseFinished { phase: Phase::PreData, elapsed: begun.elapsed() });
        let (now, after): (Vec<Item>, Vec<Item>) = later.into_iter().partition(|item| item.pass == Pass::Main);
        let begun = Instant::now();
        self.sink.event(Event::PhaseBegun(Phase::CopyIn));
        if self.crew.len() < 2 {
            self.run_in_order(&now).await?;
        } else {
            self.run_parallel(&now).await?;
        }
        self.sink.event(Event::PhaseFinished { phase: Phase::CopyIn, elapsed: begun.elapsed() });
        Ok(after)
    }

    async fn run_passes(&mut self, passes: &[Vec<Item>]) -> Result<()> {
        self.sink.event(Event::PhaseBegun(Phase::PostData));
        let begun = Instant::now();
        for items in passes {
            // rights are many and small; refreshing views is what takes time
            if self.crew.len() > 1 && items.iter().filter(|item| item.pass == Pass::Last).count() > 1 {
                self.run_parallel(items).await?;
            } else {
                self.run_in_order(items).await?;
            }
        }
        self.sink.event(Event::PhaseFinished { phase: Phase::PostData, elapsed: begun.elapsed() });
        Ok(())
    }

    async fn run_in_order(&mut self, items: &[Item]) -> Result<()> {
        for item in items {
            if self.is_inhibited(item) {
                continue;
            }
            let shared = Arc::clone(self.shared);
            let (plan, sink) = (self.plan, self.sink);
            let mut ticks = tokio::time::interval(TICK);
            let result = {
                let mut work = Box::pin(self.main()?.restore(item));
                loop {
                    tokio::select! {
                        result = &mut work => break result,
                        _ = ticks.tick() => tell(plan, &shared, sink),
                    }
                }
            };
            self.note(item, result)?;
        }
        Ok(())
    }

    async fn run_parallel(&mut self, items: &[Item]) -> Result<()> {
        let shared = Arc::clone(self.shared);
        let mut schedule =
            Schedule::new(shared.archive.toc(), items, |entry| shared.archive.stored_bytes(entry).unwrap_or(0));
        let (report, mut reports) = mpsc::channel::<Report>(self.crew.len());
        let mut hands: Vec<mpsc::Sender<(usize, Item)>> = Vec::new();
        let mut tasks = tokio::task::JoinSet::new();
        for (hand, worker) in self.crew.drain(..).enumerate() {
            let (sender, receiver) = mpsc::channel(1);
            tasks.spawn(serve(worker, hand, receiver, report.clone()));
            hands.push(sender);
        }
        drop(report);
        let mut idle: Vec<usize> = (0..hands.len()).rev().collect();
        let mut running = 0;
        let mut ticks = tokio::time::interval(TICK);
        let mut end = None;
        loop {
            while end.is_none()
                && let Some(hand) = idle.last().copied()
                && let Some((index, item)) = schedule.next()
            {
                if self.is_inhibited(&item) {
                    schedule.done(index);
                    continue;
                }
                idle.pop();
                running += 1;
                if let Some(sender) = hands.get(hand)
                    && sender.send((index, item)).await.is_err()
                {
                    return Err(Error::new(ErrorKind::Bug, "a worker of the restore ended too early"));
                }
            }
            if running == 0 {
                break;
            }
            tokio::select! {
                done = reports.recv() => {
                    let Some(done) = done else { break };
                    running -= 1;
                    idle.push(done.hand);
                    schedule.done(done.index);
                    // the others finish what they have begun; the first failure that ends the restore is its cause
                    if let Err(error) = self.note(&done.item, done.result) {
                        end.get_or_insert(error);
                        tasks.abort_all();
                        break;
                    }
                }
                _ = ticks.tick() => tell(self.plan, &shared, self.sink),
            }
        }
        drop(hands);
        while let Some(joined) = tasks.join_next().await {
            // those that were ended take their connections with them
            self.crew.extend(joined.ok());
        }
        match end {
            Some(error) => Err(error),
            None if schedule.pending_count() > 0 => {
                Err(Error::new(ErrorKind::Bug, "entries were left over in a restore"))
            }
            None => Ok(()),
        }
    }

    /// Whether the entry's table could not be created.
    fn is_inhibited(&mut self, item: &Item) -> bool {
        let Some(entry) = self.toc().entries.get(item.index) else { return false };
        let is_rows = item.data && entry.has_data && !entry.is_large_objects();
        let inhibited = is_rows && entry.dependencies.iter().any(|id| self.failed_tables.contains(id));
        if inhibited {
            let name = statement::describe(entry);
            self.outcome.skipped.push(name);
        }
        inhibited
    }

    /// Takes note of how an entry went. An error ends the restore.
    fn note(&mut self, item: &Item, result: Result<Done>) -> Result<()> {
        let shared = Arc::clone(self.shared);
        let Some(entry) = shared.archive.toc().entries.get(item.index) else { return Ok(()) };
        match result {
            Ok(done) => {
                if let Some(error) = done.failure {
                    self.fail(statement::describe(entry), error)?;
                }
                self.outcome.entry_count += 1;
                self.outcome.statistics_count += u64::from(is_statistics(entry));
                if item.data && entry.has_data {
                    self.outcome.table_count += u64::from(!entry.is_large_objects());
                    let name = name_of(entry);
                    self.sink.event(Event::ObjectFinished { name, rows: done.rows, bytes: done.bytes });
                }
                Ok(())
            }
            Err(error) => {
                self.fail(statement::describe(entry), error)?;
                if entry.kind == "TABLE" {
                    self.failed_tables.insert(entry.dump_id);
                }
                Ok(())
            }
        }
    }

    /// Takes note of a failure; gives it back where it ends the restore.
    fn fail(&mut self, name: String, error: Error) -> Result<()> {
        // a broken connection, a damaged archive, a store that is gone: nothing more can come of it
        let is_over = matches!(
            error.kind(),
            ErrorKind::Connect | ErrorKind::Archive | ErrorKind::Store | ErrorKind::Throttled | ErrorKind::Bug
        );
        if is_over || self.stops() {
            return Err(error.context(&name));
        }
        let failure = failure(name, &error);
        self.sink.event(Event::Warning(Message::new(format!("{}: {}", failure.entry, failure.message))));
        self.outcome.failures.push(failure);
        Ok(())
    }

    /// Drops what is going to be created, last first, all or nothing.
    ///
    /// What cannot be dropped by itself may go with something else (a partition's part of a constraint, with the whole
    /// constraint): it is tried again until a round brings nothing.
    async fn drop_objects(&mut self, items: &[Item]) -> Result<()> {
        let mut left: Vec<(String, String)> = items
            .iter()
            .rev()
            .filter_map(|item| self.toc().entries.get(item.index))
            .filter_map(|entry| Some((statement::describe(entry), statement::drop_if_exists(entry)?)))
            .collect();
        let in_transaction = self.plan.options.single_transaction;
        let connection = &mut self.main()?.connection;
        if !in_transaction {
            connection.execute("begin").await?;
        }
        loop {
            let before = left.len();
            let mut failed = Vec::new();
            let mut first = None;
            for (name, sql) in left {
                connection.execute("savepoint pgproof_drop").await?;
                let dropped = connection.execute(&sql).await;
                let end = match dropped {
                    Ok(()) => "release savepoint pgproof_drop",
                    Err(_) => "rollback to savepoint pgproof_drop; release savepoint pgproof_drop",
                };
                connection.execute(end).await?;
                if let Err(error) = dropped
                    && !is_missing(&error)
                {
                    first.get_or_insert_with(|| (name.clone(), error));
                    failed.push((name, sql));
                }
            }
            left = failed;
            let Some((name, error)) = first else { break };
            if left.len() < before {
                continue;
            }
            if !in_transaction {
                connection.execute("rollback").await?;
            }
            let dependent = sqlstate(&error) == Some("2BP01");
            let error = error.context(&format!("could not drop {name}; nothing was changed"));
            return Err(if dependent {
                error.hint("Something that the backup does not have depends on it: drop that first, or restore into another database.")
            } else {
                error
            });
        }
        if in_transaction { Ok(()) } else { connection.execute("commit").await }
    }
}

/// Whether the server does not have what a statement names. `IF EXISTS` does not say so of everything: before a view of
/// a circle is dropped, an empty one takes its place, and that needs the schema.
fn is_missing(error: &Error) -> bool {
    // invalid schema name; undefined table, object, function, column
    matches!(sqlstate(error), Some("3F000" | "42P01" | "42704" | "42883" | "42703"))
}

fn tell(plan: &Plan, shared: &Shared, sink: &dyn Sink) {
    sink.event(Event::Progress(Progress {
        bytes: shared.bytes.load(Ordering::Relaxed),
        bytes_total: plan.summary.row_count.map(|_| plan.summary.byte_count),
        rows: shared.row_count.load(Ordering::Relaxed),
        objects: 0,
        objects_total: None,
    }));
}

fn name_of(entry: &Entry) -> String {
    match entry.schema.as_deref().filter(|schema| !schema.is_empty() && entry.section == Section::Data) {
        Some(schema) => format!("{schema}.{}", entry.tag),
        None => entry.tag.clone(),
    }
}

/// What a worker says of an entry.
struct Report {
    hand: usize,
    index: usize,
    item: Item,
    result: Result<Done>,
}

async fn serve(
    mut worker: Worker,
    hand: usize,
    mut items: mpsc::Receiver<(usize, Item)>,
    reports: mpsc::Sender<Report>,
) -> Worker {
    while let Some((index, item)) = items.recv().await {
        let result = Box::pin(worker.restore(&item)).await;
        if reports.send(Report { hand, index, item, result }).await.is_err() {
            break;
        }
    }
    worker
}
