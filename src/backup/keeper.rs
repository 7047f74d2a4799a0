//! The session that keeps the locks of tables until their rows are safe, and looks who waits for them.
//!
//! Workers lock a table only while they copy it. All other tables are this session's, from the check of their storage on, so that
//! none can be truncated or rewritten before its rows are copied; and its answers show that it is still there. A session that
//! waits for one of the tables makes everybody behind it wait: depending on `--when-blocking` the table is copied next and let
//! go, the waiting is told, or the backup gives way.
//!
//! A single lock is let go by turns: locks end with their transaction, so a second session takes over all that are still needed,
//! then the first one ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::board::{Board, Standing};
use super::watch::{LOOK, Lookout, Seen, Waiter};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink};
use crate::server::{self, Connection, LockTarget, Pass};

/// It looks less often where looking takes long, but no less than every second.
const LOOK_SHARE: u32 = 10;
const LOOK_MAX: Duration = Duration::from_secs(1);

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

impl Keeper {
    /// Sets the session, which has the locks of all tables of the board, to work.
    pub(super) fn start(connection: Connection, lookout: Lookout, board: Arc<Board>) -> Self {
        let (requests, received) = mpsc::channel(16);
        let held = board.kept().iter().map(|table| table.oid).collect();
        let work = Work { connection, lookout, board, requests: received, seen: Seen::default(), held, blind: false };
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
    lookout: Lookout,
    board: Arc<Board>,
    requests: mpsc::Receiver<Request>,
    seen: Seen,
    /// The tables whose locks the session has.
    held: BTreeSet<u32>,
    /// No second session can be had.
    blind: bool,
}

impl Work {
    async fn run(mut self) -> Result<()> {
        let mut pause = LOOK;
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
                    pause = (begun.elapsed() * LOOK_SHARE).clamp(LOOK, LOOK_MAX);
                    self.react(waiters).await?;
                }
            }
        }
    }

    /// Who waits for a table of the board.
    async fn waiters(&mut self) -> Result<Vec<Waiter>> {
        let waiters = Waiter::all(&mut self.connection, None).await;
        let waiters = waiters.map_err(|error| lost(Some(error)))?;
        Ok(waiters.into_iter().filter(|waiter| self.board.table(waiter.oid).is_some()).collect())
    }

    async fn react(&mut self, waiters: Vec<Waiter>) -> Result<()> {
        self.seen.keep(&waiters);
        let Blocking { action, limit } = self.lookout.blocking;
        let mut must_let_go = false;
        for waiter in waiters {
            let sight = self.seen.see(&waiter);
            let is_due = sight.since.elapsed() >= limit;
            let standing = self.board.standing(waiter.oid);
            match action {
                WhenBlocking::Release => {
                    let is_held = self.held.contains(&waiter.oid);
                    if standing != Standing::Done {
                        self.board.want(waiter.oid);
                    }
                    if sight.is_new && (standing != Standing::Done || is_held) {
                        let what = if standing == Standing::Done { "it is let go" } else { "it is copied next" };
                        self.lookout.tell(waiter.warning(sight.since, what));
                    }
                    must_let_go |= standing != Standing::Kept && is_held;
                }
                WhenBlocking::Yield if is_due => return Err(waiter.gave_way(sight.since)),
                WhenBlocking::Warn | WhenBlocking::Yield => {}
            }
            if is_due && !sight.is_told {
                self.lookout.tell(waiter.warning(sight.since, "the backup goes on"));
                self.seen.told(&waiter);
            }
        }
        if must_let_go && !self.blind { self.let_go().await } else { Ok(()) }
    }

    /// Ends the transaction that has all locks, when another session has those that are still needed.
    async fn let_go(&mut self) -> Result<()> {
        let mut next = match self.lookout.open().await {
            Ok(next) => next,
            Err(error) => {
                self.blind = true;
                let text = format!(
                    "tables are let go at the end only, no further session could be opened: {}",
                    error.message()
                );
                self.lookout.tell(Event::Warning(Message::new(text)));
                return Ok(());
            }
        };
        let kept: Vec<LockTarget> = self.board.kept();
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
