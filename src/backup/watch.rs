//! Who waits for us. While definitions are read, a session of its own looks; afterwards the keeper of the locks does, in the same
//! session.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::keeper::{Blocking, WhenBlocking};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message};
use crate::record::{DecodeError, Record};
use crate::server::{self, Connection, Setup, Statement};

const WAITING: &str = include_str!("../../sql/session/waiting.sql");

/// Within a transaction the server shows what sessions did when it was first asked.
const FORGET: &str = "select pg_catalog.pg_stat_clear_snapshot()";

/// How often it is looked; each look is the session's sign of life, too.
pub(super) const LOOK: Duration = Duration::from_millis(250);

/// A session that waits for a table of ours.
pub(super) struct Waiter {
    pub(super) pid: i32,
    pub(super) oid: u32,
    /// The table, as SQL names it.
    table: String,
    /// Who it is and what it runs, as far as this role may see it.
    description: String,
}

impl Waiter {
    /// Who waits for a table, of all or of those that the session with this process has locked.
    pub(super) async fn all(connection: &mut Connection, holder: Option<i32>) -> Result<Vec<Self>> {
        let holder = holder.map(|pid| pid.to_string());
        let answers = connection
            .pipeline(&[
                Statement { name: "", sql: FORGET, parameters: &[] },
                Statement { name: "waiting", sql: WAITING, parameters: &[holder.as_deref()] },
            ])
            .await?;
        let waiters: Result<Vec<Self>, DecodeError> = answers.iter().skip(1).flatten().map(Self::decode).collect();
        waiters.map_err(|error| Error::new(ErrorKind::Server, "query \"waiting\"").caused_by(error))
    }

    fn decode(row: &Record) -> Result<Self, DecodeError> {
        let mut description = format!("pid {}", row.text("pid")?);
        for (column, what) in [("user", "user"), ("application", "application")] {
            if let Some(value) = row.optional_string(column)?.filter(|value| !value.is_empty()) {
                description.push_str(&format!(", {what} {value}"));
            }
        }
        if let Some(query) = row.optional_string("query")?.filter(|query| !query.is_empty()) {
            description.push_str(&format!(": {}", first_words(&query)));
        }
        Ok(Self { pid: row.number("pid")?, oid: row.oid("oid")?, table: row.string("table")?, description })
    }

    /// That it waits, and what comes of it.
    pub(super) fn warning(&self, since: Instant, what: &str) -> Event {
        let (table, description) = (&self.table, &self.description);
        let begin = match since.elapsed().as_secs() {
            0 => "a session waits".to_owned(),
            seconds => format!("a session has waited {seconds} s"),
        };
        Event::Warning(Message::new(format!(
            "{begin} for table {table}, which is being backed up; {what} ({description})"
        )))
    }

    /// Why a backup ended on its account.
    pub(super) fn gave_way(&self, since: Instant) -> Error {
        let seconds = since.elapsed().as_secs();
        Error::new(ErrorKind::Locked, format!("gave way to a session that waits for table {}", self.table))
            .detail(format!("it has waited {seconds} s; {}", self.description))
            .hint("There is no backup of this run. Run again later, or use --when-blocking release.")
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

/// Since when each session waits for which table, and whether that was told.
#[derive(Default)]
pub(super) struct Seen(HashMap<(i32, u32), (Instant, bool)>);

/// How long a session has waited, as far as it was seen.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub(super) is_new: bool,
    pub(super) since: Instant,
    pub(super) is_told: bool,
}

impl Seen {
    /// Forgets all but these.
    pub(super) fn keep(&mut self, waiters: &[Waiter]) {
        self.0.retain(|key, _| waiters.iter().any(|waiter| (waiter.pid, waiter.oid) == *key));
    }

    pub(super) fn see(&mut self, waiter: &Waiter) -> Sight {
        let key = (waiter.pid, waiter.oid);
        let is_new = !self.0.contains_key(&key);
        let (since, is_told) = *self.0.entry(key).or_insert((Instant::now(), false));
        Sight { is_new, since, is_told }
    }

    pub(super) fn told(&mut self, waiter: &Waiter) {
        if let Some((_, is_told)) = self.0.get_mut(&(waiter.pid, waiter.oid)) {
            *is_told = true;
        }
    }
}

/// What a session that looks needs.
#[derive(Clone)]
pub(super) struct Lookout {
    pub(super) source: server::Options,
    pub(super) setup: Setup,
    pub(super) blocking: Blocking,
    pub(super) told: mpsc::UnboundedSender<Event>,
}

impl Lookout {
    /// A session whose transaction is open and has no locks.
    pub(super) async fn open(&self) -> Result<Connection> {
        let mut connection = server::open(&self.source, &self.setup).await?;
        connection.execute("begin read only").await?;
        Ok(connection)
    }

    /// Says it to whoever listens; a run that has ended does not.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.told.send(event);
    }
}

/// The session that looks while definitions are read. Dropping it ends the session.
pub(super) struct Watch {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<Option<Connection>>>,
    /// The server gave no session.
    is_blind: bool,
    size: Option<oneshot::Receiver<u64>>,
}

/// How long to wait for a second session. A pool of one has none.
const SECOND_MAX: Duration = Duration::from_secs(10);

impl Watch {
    /// Opens the session and looks who waits for what the session with the process `holder` has locked.
    pub(super) fn start(lookout: Lookout, holder: i32) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (sized, size) = oneshot::channel();
        let work = Work { lookout, holder, seen: Seen::default() };
        Self { stop: Some(stop), task: tokio::spawn(work.begin(sized, stopped)), is_blind: false, size: Some(size) }
    }

    /// Looks on in a session that was given back.
    pub(super) fn go_on(lookout: Lookout, holder: i32, connection: Connection) -> Self {
        let (stop, stopped) = oneshot::channel();
        let work = Work { lookout, holder, seen: Seen::default() };
        Self { stop: Some(stop), task: tokio::spawn(work.look(connection, stopped)), is_blind: false, size: None }
    }

    /// The database's bytes on disk, where this session could ask for them.
    pub(super) async fn database_size(&mut self) -> Option<u64> {
        self.size.take()?.await.ok()
    }

    /// Ends only when a session has waited too long, or when looking failed.
    pub(super) async fn failed(&mut self) -> Error {
        match (&mut self.task).await {
            Ok(Err(error)) => error,
            Ok(Ok(_)) => {
                self.is_blind = true;
                std::future::pending().await
            }
            Err(error) => failed(error),
        }
    }

    /// Ends the look and gives its session back; `None` where the server gave none.
    pub(super) async fn stop(mut self) -> Result<Option<Connection>> {
        if self.is_blind {
            return Ok(None);
        }
        if let Some(stop) = self.stop.take() {
            // a look that has ended needs no word
            let _ = stop.send(());
        }
        (&mut self.task).await.map_err(failed)?
    }
}

fn failed(error: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Bug, "the look for waiting sessions failed").caused_by(error)
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Work {
    lookout: Lookout,
    holder: i32,
    seen: Seen,
}

impl Work {
    async fn begin(self, sized: oneshot::Sender<u64>, stopped: oneshot::Receiver<()>) -> Result<Option<Connection>> {
        let mut connection = match tokio::time::timeout(SECOND_MAX, self.lookout.open()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) if !server::is_full(&error) && error.kind() != ErrorKind::Connect => return Err(error),
            Ok(Err(_)) | Err(_) => {
                const BLIND: &str =
                    "no second session is to be had: one session copies alone, and nobody looks who waits for it";
                self.lookout.tell(Event::Warning(Message::new(BLIND)));
                return Ok(None);
            }
        };
        let size = server::read_database_size(&mut connection).await?;
        // a run that has ended does not ask
        let _ = sized.send(size);
        self.look(connection, stopped).await
    }

    async fn look(
        mut self,
        mut connection: Connection,
        mut stopped: oneshot::Receiver<()>,
    ) -> Result<Option<Connection>> {
        loop {
            tokio::select! {
                _ = &mut stopped => return Ok(Some(connection)),
                () = tokio::time::sleep(LOOK) => {
                    let waiters = Waiter::all(&mut connection, Some(self.holder)).await?;
                    self.react(&waiters)?;
                }
            }
        }
    }

    fn react(&mut self, waiters: &[Waiter]) -> Result<()> {
        self.seen.keep(waiters);
        let Blocking { action, limit } = self.lookout.blocking;
        for waiter in waiters {
            let sight = self.seen.see(waiter);
            let is_due = sight.since.elapsed() >= limit;
            if action == WhenBlocking::Yield && is_due {
                return Err(waiter.gave_way(sight.since));
            }
            if (action == WhenBlocking::Release && sight.is_new) || (is_due && !sight.is_told) {
                self.lookout.tell(waiter.warning(sight.since, "it cannot be let go yet"));
                self.seen.told(waiter);
            }
        }
        Ok(())
    }
}
