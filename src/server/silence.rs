//! The one rule for silence: how long a peer that owes us an answer may say nothing, and what is asked then.
//!
//! Silence alone proves nothing: CREATE INDEX, a long catalog query and a deferrable BEGIN send nothing for hours. A peer that
//! is gone is found by TCP's own probes. One that acknowledges and forwards nothing (a proxy, a pooler, a firewall that
//! forgot us) is found by asking the server about our session over another one. What cannot be shown to be alive is given up.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::cancel::CancelToken;
use super::connect;
use super::failure::server_error;
use super::options::{Host, Options};
use crate::error::{Error, ErrorKind, Result};
use crate::record::DecodeError;

const ALIVE: &str = include_str!("../../sql/session/alive.sql");
const END: &str = include_str!("../../sql/session/end.sql");

/// How long a session may say nothing before the server is asked about it. Two TCP retransmissions of a bad network go by in
/// it, and a proxy that forwards nothing costs a run no more than this and [`ASK_MAX`].
pub(super) const DEFAULT_LIMIT: Duration = Duration::from_secs(60);

/// How long the question may take: a login on a loaded server over a long way.
const ASK_MAX: Duration = Duration::from_secs(20);

/// Between an answer against the session and the next question: its own answer may have been on its way.
const CONFIRM_MAX: Duration = Duration::from_secs(5);

/// A session counts as dead when its doubts add up to this.
const DOUBT_MAX: u32 = 10;
/// The server has nothing to do for the session, or does not have it: said twice, that is the end.
const DOUBT_CLEAR: u32 = 5;
/// The server is there and does not tell (no connection is free): some minutes of that are borne.
const DOUBT_UNTOLD: u32 = 1;

/// How long a connection may be silent, and how to ask about it.
#[derive(Clone)]
pub(super) struct Watch {
    limit: Duration,
    session: Option<Arc<Session>>,
}

/// What is needed to ask the server about a session of ours.
pub(super) struct Session {
    pub(super) options: Options,
    /// The very address that the session leads to: another one of the same name may be another server.
    pub(super) host: Host,
    /// The server's process, also behind a pooler.
    pub(super) process_id: i32,
    /// When that server was started, which tells it from every other.
    pub(super) server_start: String,
    pub(super) cancel: CancelToken,
}

/// What is known of a silent session.
enum Verdict {
    /// The server works on what it was asked.
    Works,
    /// The server waits for us, or for us to take what it sends, or has no such session.
    Lost(String),
    /// The server is there, and does not tell.
    Untold(String),
    /// The server is not there.
    Unreached(String),
}

/// One silence from its first question on.
pub(super) struct Silence {
    watch: Watch,
    begun: Instant,
    doubt: u32,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Watch {
    /// For a connection without a session: silence is its end.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, session: None }
    }

    pub(super) fn attach(&mut self, session: Session) {
        self.session = Some(Arc::new(session));
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// The limit has passed without a byte.
    pub(super) fn broken(&self) -> Silence {
        Silence { watch: self.clone(), begun: Instant::now(), doubt: 0 }
    }
}

impl Silence {
    /// Asks about the session. Says how long to go on waiting, or that it is over.
    ///
    /// Boxed and named: connecting waits under this rule, too, and a future cannot hold itself.
    pub(super) fn examine<'a>(&'a mut self, peer: &'a str) -> Boxed<'a, Result<Duration>> {
        Box::pin(async move {
            let Some(session) = self.watch.session.clone() else {
                return Err(self.dead(peer, "the session had not begun"));
            };
            let limit = self.watch.limit;
            let (weight, pause, reason) = match session.ask(ASK_MAX.min(limit)).await {
                Verdict::Works => {
                    self.doubt = 0;
                    return Ok(limit);
                }
                Verdict::Lost(reason) => (DOUBT_CLEAR, CONFIRM_MAX.min(limit), reason),
                Verdict::Untold(reason) => (DOUBT_UNTOLD, limit, reason),
                Verdict::Unreached(reason) => (DOUBT_MAX, limit, reason),
            };
            self.doubt += weight;
            if self.doubt < DOUBT_MAX {
                return Ok(pause);
            }
            if weight == DOUBT_MAX {
                // who cannot be reached is asked once more, and not waited for
                session.cancel.cancel_in_background();
            } else {
                session.end(CONFIRM_MAX.min(limit)).await;
            }
            Err(self.dead(peer, &reason))
        })
    }

    fn dead(&self, peer: &str, reason: &str) -> Error {
        let seconds = (self.watch.limit + self.begun.elapsed()).as_secs();
        Error::new(ErrorKind::Connect, format!("no answer for {seconds} s from {peer}")).detail(reason.to_owned()).hint(
            "Look at what lies between here and the server: proxy, pooler, firewall. PGPROOF_IDLE_LIMIT (seconds) is how long \
             a session may be silent before the server is asked about it.",
        )
    }
}

impl Session {
    async fn ask(&self, limit: Duration) -> Verdict {
        let reached = AtomicBool::new(false);
        let asking = async {
            let mut other = connect::negotiate(&self.options, &self.host).await?;
            reached.store(true, Ordering::Relaxed);
            let id = self.process_id.to_string();
            let row = other.query_one(ALIVE, &[Some(&id), Some(&self.server_start)]).await?;
            other.close().await;
            let decode = || -> Result<Verdict, DecodeError> {
                Ok(if !row.boolean("same_server")? {
                    Verdict::Untold("another server answers at the same address, or it was started anew".to_owned())
                } else if !row.boolean("present")? {
                    Verdict::Lost("the server does not have this session any more".to_owned())
                } else if row.boolean("waits_for_client")? {
                    Verdict::Lost(format!(
                        "the server waits for us ({}): one of us does not get what the other sends",
                        row.text("doing")?
                    ))
                } else {
                    Verdict::Works
                })
            };
            decode().map_err(|error| Error::new(ErrorKind::Server, "query \"alive\"").caused_by(error))
        };
        match tokio::time::timeout(limit, asking).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) if reached.load(Ordering::Relaxed) || server_error(&error).is_some() => {
                Verdict::Untold(format!("the server did not tell about the session: {}", error.message()))
            }
            Ok(Err(error)) => Verdict::Unreached(format!("another connection fails, too: {}", error.message())),
            Err(_) if reached.load(Ordering::Relaxed) => Verdict::Untold(format!(
                "a second session is let in, and has no answer within {} s, either",
                limit.as_secs()
            )),
            Err(_) => {
                Verdict::Unreached(format!("a second connection has no answer within {} s, either", limit.as_secs()))
            }
        }
    }

    /// Ends the session at the server, or cancels its statement where that cannot be. Nothing depends on it.
    async fn end(&self, limit: Duration) {
        let ending = async {
            let mut other = connect::negotiate(&self.options, &self.host).await?;
            let id = self.process_id.to_string();
            let ended = other.query(END, &[Some(&id), Some(&self.server_start)]).await?;
            other.close().await;
            Ok::<_, Error>(!ended.is_empty())
        };
        if !matches!(tokio::time::timeout(limit, ending).await, Ok(Ok(true))) {
            let _ = tokio::time::timeout(limit, self.cancel.cancel()).await;
        }
    }
}
