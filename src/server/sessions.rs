//! The sessions of a run. What one leaves running on a server is cancelled and waited for before the program leaves: a server
//! notices a closed connection only when it writes to it, and an index takes hours before that.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::cancel::CancelToken;
use super::connection::Connection;
use super::failure::sqlstate;
use crate::error::{ErrorKind, Result};

const STILL_THERE: &str = include_str!("../../sql/session/still_there.sql");

/// How often the server is asked whether the sessions are gone.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How often what still runs is cancelled again: a cancel that comes between two statements has no effect.
const CANCEL_EVERY: Duration = Duration::from_secs(1);

/// How long a server that cannot be asked is asked again.
const UNREACHED_MAX: Duration = Duration::from_secs(5);

/// The sessions that were begun with the same [`super::Options`], or with clones of them.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    next: u64,
    open: BTreeMap<u64, CancelToken>,
    /// Given up without a goodbye; with `true` in the middle of a statement.
    left: Vec<(CancelToken, bool)>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let book = self.book();
        f.debug_struct("Sessions").field("open", &book.open.len()).field("left", &book.left.len()).finish()
    }
}

impl Sessions {
    fn book(&self) -> MutexGuard<'_, Book> {
        // a panic elsewhere leaves the lists whole
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, token: &CancelToken) -> Seat {
        let mut book = self.book();
        let number = book.next;
        book.next += 1;
        book.open.insert(number, token.clone());
        Seat { sessions: self.clone(), number, is_busy: false, is_closed: false }
    }

    /// Whether a session was given up in the middle of a statement.
    pub fn has_running(&self) -> bool {
        self.book().left.iter().any(|(_, is_busy)| *is_busy)
    }

    /// Asks every server to cancel what sessions of this run are doing: those that are open, and those that were given up.
    /// To be called while they are open, where that is possible: behind a pooler only the open ones can be reached.
    pub async fn cancel(&self) {
        let tokens: Vec<CancelToken> = {
            let book = self.book();
            let left = book.left.iter().filter(|(_, is_busy)| *is_busy).map(|(token, _)| token);
            book.open.values().chain(left).cloned().collect()
        };
        // what cannot be reached is told by whoever waits for the end
        join_all(tokens.iter().map(CancelToken::cancel)).await;
    }

    /// Cancels what the sessions that were given up are doing, and waits until their servers have ended them; at most this
    /// long. Returns what is still there, for people.
    pub async fn settle(&self, limit: Duration) -> Vec<String> {
        let left = std::mem::take(&mut self.book().left);
        let mut servers: BTreeMap<String, Vec<(CancelToken, bool)>> = BTreeMap::new();
        for (token, is_busy) in left {
            servers.entry(token.place()).or_default().push((token, is_busy));
        }
        let until = Instant::now() + limit;
        let waits = servers.into_iter().map(|(place, tokens)| async move {
            let still = wait_for_end(&tokens, until).await;
            (!still.is_empty()).then(|| {
                let numbers: Vec<String> = still.iter().map(ToString::to_string).collect();
                format!("{place}: server process {}", numbers.join(", "))
            })
        });
        join_all(waits).await.into_iter().flatten().collect()
    }
}

/// Waits until none of these sessions of one server is there; returns the processes of those that are.
async fn wait_for_end(tokens: &[(CancelToken, bool)], until: Instant) -> Vec<i32> {
    let busy = || join_all(tokens.iter().filter(|(_, is_busy)| *is_busy).map(|(token, _)| token.cancel()));
    let mut still: Vec<i32> = tokens.iter().map(|(token, _)| token.process_id()).collect();
    let work = async {
        busy().await;
        let mut cancelled = Instant::now();
        let mut connection = None;
        let mut answered = Instant::now();
        loop {
            let asked = tokio::time::timeout(UNREACHED_MAX, Box::pin(ask(&mut connection, tokens))).await;
            match asked {
                Ok(Ok(found)) => {
                    still = found;
                    answered = Instant::now();
                }
                // sessions of a database that is gone are gone, too; those behind a pooler that shares processes are its own
                Ok(Err(error))
                    if matches!(error.kind(), ErrorKind::NoDatabase | ErrorKind::Refused)
                        || sqlstate(&error) == Some("3D000") =>
                {
                    still.clear();
                }
                // the server may have no room before ours are gone; one that is away has nobody to wait for
                Ok(Err(_)) | Err(_) if answered.elapsed() >= UNREACHED_MAX => break,
                Ok(Err(_)) | Err(_) => connection = None,
            }
            if still.is_empty() {
                break;
            }
            if cancelled.elapsed() > CANCEL_EVERY {
                busy().await;
                cancelled = Instant::now();
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        if let Some(connection) = connection.take() {
            Connection::close(connection).await;
        }
    };
    // too late is no failure of this: what is still there is returned
    drop(tokio::time::timeout_at(until, Box::pin(work)).await);
    still
}

/// Which of the sessions are there.
async fn ask(connection: &mut Option<Connection>, tokens: &[(CancelToken, bool)]) -> Result<Vec<i32>> {
    let Some((first, _)) = tokens.first() else { return Ok(Vec::new()) };
    let asking = match connection {
        Some(asking) => asking,
        None => connection.insert(Connection::connect(&first.options()).await?),
    };
    let numbers: Vec<String> = tokens.iter().map(|(token, _)| token.process_id().to_string()).collect();
    let numbers = format!("{{{}}}", numbers.join(","));
    let rows = asking.query(STILL_THERE, &[Some(&numbers), Some(&first.options().application_name)]).await?;
    Ok(rows.iter().filter_map(|row| row.number("process_id").ok()).collect())
}

/// A session's place among those of its run.
pub(super) struct Seat {
    sessions: Sessions,
    number: u64,
    is_busy: bool,
    is_closed: bool,
}

impl Seat {
    /// A statement begins, or its answer was read to the end.
    pub(super) fn set_busy(&mut self, is_busy: bool) {
        self.is_busy = is_busy;
    }

    /// The server was told that the session ends.
    pub(super) fn close(&mut self) {
        self.is_closed = !self.is_busy;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut book = self.sessions.book();
        if let Some(token) = book.open.remove(&self.number)
            && !self.is_closed
        {
            book.left.push((token, self.is_busy));
        }
    }
}
