//! The session that keeps the locks of tables until their rows are safe, and looks who waits for them.
//!
//! Workers lock a table only while they copy it. All other tables are this session's, from the check of their storage on, so that
//! none can be truncated or rewritten before its rows are copied; and its answers show that it is still there. A session that
//! waits for one of the tables makes everybody behind it wait: depending on `--when-blocking` the table is copied next and let
//! go, the waiting is told, or the backup gives way.
//!
//! A single lock is let go by turns: locks end with their transaction, so a second session takes over all that are still needed,
//! then the first one ends.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::board::{Board, Standing};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink};
use crate::record::{DecodeError, Record};
use crate::server::{self, Connection, LockTarget, Pass, Setup};

const WAITING: &str = include_str!("../../sql/session/waiting.sql");

/// How often it looks who waits; each look is the session's sign of life, too.
const WATCH: Duration = Duration::from_millis(250);

/// It looks less often where looking takes long, but no less than every second.
const WATCH_SHARE: u32 = 10;
const WATCH_MAX: Duration = Duration::from_secs(1);

/// What is done about sessions that wait for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenBlocking {
    /// The table is copied next and its lock let go (the default).
    Release,
    /// They are named.
    Warn,
    /// The backup ends, so that they can go on.
    Yield,
}

/// What is done about sessions that wait for us, and after which time they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocking {
    /// What is done.
    pub action: WhenBlocking,
    /// When it is said, or the backup ended; a table is copied next and let go at once.
    pub limit: Duration,
}

impl Default for Blocking {
    fn default() -> Self {
        Self { action: WhenBlocking::Release, limit: Duration::from_secs(30) }
    }
}

/// A session that waits for a table of ours.
struct Waiter {
    pid: i32,
    oid: u32,
    /// Who it is and what it runs, as far as this role may see it.
    description: String,
}

enum Request {
    /// Wait for this pass, so that a worker comes past those who wait for the table that it is about to lock.
    Pass(Pass, oneshot::Sender<Result<()>>),
    /// Commit and stop.
    Finish,
}

/// The running keeper. Dropping it ends its session.
pub(super) struct Keeper {
    requests: mpsc::Sender<Request>,
    task: JoinHandle<Result<()>>,
}

/// How a worker reaches the keeper.
#[derive(Clone)]
pub(super) struct KeeperLink(mpsc::Sender<Request>);

impl KeeperLink {
    /// Has the keeper wait for a pass. The answer comes when the worker has released it.
    pub(super) async fn wait_for(&self, pass: Pass) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        let gone = || Error::new(ErrorKind::Connect, "the session that holds the locks is gone");
        self.0.send(Request::Pass(pass, answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// What a keeper's session needs.
pub(super) struct Post {
    pub(super) source: server::Options,
    pub(super) setup: Setup,
    pub(super) board: Arc<Board>,
    pub(super) blocking: Blocking,
}

impl Post {
    /// A session whose transaction is open and has no locks.
    pub(super) async fn open(&self) -> Result<Connection> {
        let mut connection = server::open(&self.source, &self.setup).await?;
        connection.execute("begin read only").await?;
        Ok(connection)
    }
}

impl Keeper {
    /// Sets the session, which has the locks of all tables of the board, to work. What it has to say goes to `told`.
    pub(super) fn start(connection: Connection, post: Post, told: mpsc::UnboundedSender<Event>) -> Self {
        let (requests, received) = mpsc::channel(16);
        let held = post.board.kept().iter().map(|table| table.oid).collect();
        let work = Work { connection, post, told, requests: received, seen: HashMap::new(), held, blind: false };
        Self { requests, task: tokio::spawn(work.run()) }
    }

    pub(super) fn link(&self) -> KeeperLink {
        KeeperLink(self.requests.clone())
    }

    /// Ends only when the keeper has failed, with the reason.
    pub(super) async fn failed(&mut self) -> Error {
        match (&mut self.task).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => Error::new(ErrorKind::Bug, "the keeper of the locks ended early"),
            Err(error) => Error::new(ErrorKind::Bug, "the keeper of the locks failed").caused_by(error),
        }
    }

    /// Ends the transaction that had the locks; an error when it did not last until now.
    pub(super) async fn finish(mut self) -> Result<()> {
        // a keeper that is gone says why below
        let _ = self.requests.send(Request::Finish).await;
        match (&mut self.task).await {
            Ok(ended) => ended,
            Err(error) => Err(Error::new(ErrorKind::Bug, "the keeper of the locks failed").caused_by(error)),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Work {
    connection: Connection,
    post: Post,
    told: mpsc::UnboundedSender<Event>,
    requests: mpsc::Receiver<Request>,
    /// Since when each session waits for which table, and whether that was told.
    seen: HashMap<(i32, u32), (Instant, bool)>,
    /// The tables whose locks the session has.
    held: BTreeSet<u32>,
    /// No second session can be had.
    blind: bool,
}

impl Work {
    async fn run(mut self) -> Result<()> {
        let mut pause = WATCH;
        loop {
            tokio::select! {
                request = self.requests.recv() => match request {
                    Some(Request::Pass(pass, answer)) => {
                        let waited = pass.wait(&mut self.connection).await;
                        let is_lost = waited.is_err();
                        // a worker that is gone has failed and says so itself
                        let _ = answer.send(waited);
                        if is_lost {
                            return Err(lost(self.connection.execute("select 1").await.err()));
                        }
                    }
                    Some(Request::Finish) => {
                        self.connection.execute("commit").await.map_err(|error| lost(Some(error)))?;
                        self.connection.close().await;
                        return Ok(());
                    }
                    None => return Ok(()),
                },
                () = tokio::time::sleep(pause) => {
                    let begun = Instant::now();
                    let waiters = self.waiters().await?;
                    pause = (begun.elapsed() * WATCH_SHARE).clamp(WATCH, WATCH_MAX);
                    self.react(waiters).await?;
                }
            }
        }
    }

    /// Who waits for a table of the board.
    async fn waiters(&mut self) -> Result<Vec<Waiter>> {
        let rows = self.connection.query(WAITING, &[]).await.map_err(|error| lost(Some(error)))?;
        let decode = |row: &Record| -> Result<Waiter, DecodeError> {
            let mut description = format!("pid {}", row.text("pid")?);
            for (column, what) in [("user", "user"), ("application", "application")] {
                if let Some(value) = row.optional_string(column)?.filter(|value| !value.is_empty()) {
                    description.push_str(&format!(", {what} {value}"));
                }
            }
            if let Some(query) = row.optional_string("query")?.filter(|query| !query.is_empty()) {
                description.push_str(&format!(": {}", first_words(&query)));
            }
            Ok(Waiter { pid: row.number("pid")?, oid: row.oid("oid")?, description })
        };
        let waiters: Result<Vec<Waiter>, DecodeError> = rows.iter().map(decode).collect();
        let waiters = waiters.map_err(|error| Error::new(ErrorKind::Server, "query \"waiting\"").caused_by(error))?;
        Ok(waiters.into_iter().filter(|waiter| self.post.board.table(waiter.oid).is_some()).collect())
    }

    async fn react(&mut self, waiters: Vec<Waiter>) -> Result<()> {
        let present: Vec<(i32, u32)> = waiters.iter().map(|waiter| (waiter.pid, waiter.oid)).collect();
        self.seen.retain(|key, _| present.contains(key));
        let mut must_let_go = false;
        for waiter in waiters {
            let key = (waiter.pid, waiter.oid);
            let is_new = !self.seen.contains_key(&key);
            let (since, is_told) = *self.seen.entry(key).or_insert((Instant::now(), false));
            let is_due = since.elapsed() >= self.post.blocking.limit;
            let standing = self.post.board.standing(waiter.oid);
            match self.post.blocking.action {
                WhenBlocking::Release => {
                    let is_held = self.held.contains(&waiter.oid);
                    if standing != Standing::Done {
                        self.post.board.want(waiter.oid);
                    }
                    if is_new && (standing != Standing::Done || is_held) {
                        let what = if standing == Standing::Done { "it is let go" } else { "it is copied next" };
                        self.tell(&waiter, since, what);
                    }
                    must_let_go |= standing != Standing::Kept && is_held;
                }
                WhenBlocking::Yield if is_due => return Err(self.give_way(&waiter, since)),
                WhenBlocking::Warn | WhenBlocking::Yield => {}
            }
            if is_due && !is_told {
                self.tell(&waiter, since, "the backup goes on");
                self.seen.insert(key, (since, true));
            }
        }
        if must_let_go && !self.blind { self.let_go().await } else { Ok(()) }
    }

    fn name_of(&self, oid: u32) -> String {
        self.post.board.table(oid).map_or_else(|| oid.to_string(), |table| table.qualified_name.clone())
    }

    fn tell(&self, waiter: &Waiter, since: Instant, what: &str) {
        let table = self.name_of(waiter.oid);
        let text = match since.elapsed().as_secs() {
            0 => {
                format!("a session waits for table {table}, which is being backed up; {what} ({})", waiter.description)
            }
            seconds => format!(
                "a session has waited {seconds} s for table {table}, which is being backed up; {what} ({})",
                waiter.description
            ),
        };
        // a run that has ended listens no more
        let _ = self.told.send(Event::Warning(Message::new(text)));
    }

    fn give_way(&self, waiter: &Waiter, since: Instant) -> Error {
        let seconds = since.elapsed().as_secs();
        Error::new(
            ErrorKind::Locked,
            format!("gave way to a session that waits for table {}", self.name_of(waiter.oid)),
        )
        .detail(format!("it has waited {seconds} s; {}", waiter.description))
        .hint("There is no backup of this run. Run again later, or use --when-blocking release.")
    }

    /// Ends the transaction that has all locks, when another session has those that are still needed.
    async fn let_go(&mut self) -> Result<()> {
        let mut next = match self.post.open().await {
            Ok(next) => next,
            Err(error) => {
                self.blind = true;
                let text = format!(
                    "tables are let go at the end only, no further session could be opened: {}",
                    error.message()
                );
                let _ = self.told.send(Event::Warning(Message::new(text)));
                return Ok(());
            }
        };
        let kept: Vec<LockTarget> = self.post.board.kept();
        match server::take_over(&mut next, &mut self.connection, &kept).await {
            Ok(()) => {
                // a table that its worker was still asking for is kept twice or by both, never by nobody
                let before = std::mem::replace(&mut self.connection, next);
                self.held = kept.iter().map(|table| table.oid).collect();
                before.close().await;
                Ok(())
            }
            Err(error) if server::is_lock_timeout(&error) => {
                // tried again at the next look
                next.close().await;
                Ok(())
            }
            Err(error) => Err(lost(Some(error))),
        }
    }
}

/// The beginning of a statement, for a message.
fn first_words(query: &str) -> String {
    const WORDS: usize = 8;
    let words: Vec<&str> = query.split_whitespace().collect();
    let mut text = words.get(..WORDS.min(words.len())).unwrap_or_default().join(" ");
    if words.len() > WORDS {
        text.push_str(" ...");
    }
    text
}

fn lost(cause: Option<Error>) -> Error {
    let mut error = Error::new(ErrorKind::Connect, "the session that held the tables' locks was lost")
        .detail("tables may have been changed before their rows were copied: there is no backup of this run");
    if let Some(cause) = cause {
        error = error.more_detail(cause.message());
    }
    error.hint("Run again. Look for what ends sessions: an administrator, a pooler, a firewall that forgets quiet connections.")
}

/// Passes on what the keeper says, for as long as it is polled.
pub(super) async fn relay(told: &mut mpsc::UnboundedReceiver<Event>, sink: &dyn Sink) -> Error {
    while let Some(event) = told.recv().await {
        sink.event(event);
    }
    std::future::pending().await
}
