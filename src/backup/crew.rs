//! The workers of a run, and those that are called in for tables that somebody waits for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::keeper::KeeperLink;
use super::press::{Framing, Press};
use super::queue::Queue;
use super::worker::{FILES, Part, Worker};
use crate::archive::plain::LargeObjectText;
use crate::archive::toc::Toc;
use crate::codec::compress::Compression;
use crate::copy::Pool;
use crate::error::{Error, ErrorKind, Result};
use crate::server::{self, Connection, Setup, Snapshot};

/// How long a table that somebody waits for is left to the workers that are there.
const LEAVE: Duration = Duration::from_millis(500);

/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// So many further workers at the same time.
const FURTHER_MAX: usize = 4;

/// What every worker of a run has.
pub(super) struct Crew {
    pub(super) queue: Arc<Queue>,
    pub(super) framing: Framing,
    pub(super) compression: Compression,
    /// Makes statements of large objects, in a plain dump.
    pub(super) text: Option<LargeObjectText>,
    /// Whether the archive takes parts in their order, also where each is a file.
    pub(super) is_in_order: bool,
    pub(super) keeper: Option<KeeperLink>,
    pub(super) patience: Duration,
    pub(super) source: server::Options,
    pub(super) setup: Setup,
    pub(super) snapshot: Snapshot,
}

impl Crew {
    /// What makes statements of large objects, where the archive is a script.
    pub(super) fn text_of(framing: Framing, toc: &Toc) -> Option<LargeObjectText> {
        (framing == Framing::Script).then(|| LargeObjectText::new(toc))
    }

    /// A worker on this connection, which has joined the snapshot.
    pub(super) fn worker(
        &self,
        connection: Connection,
        parts: mpsc::UnboundedSender<Part>,
        only_wanted: bool,
    ) -> Worker {
        Worker {
            connection,
            queue: Arc::clone(&self.queue),
            parts,
            framing: self.framing,
            press: Press::start(self.compression, self.framing, self.text.clone()),
            keeper: self.keeper.clone(),
            patience: self.patience,
            only_wanted,
            files: Arc::new(Semaphore::new(FILES)),
        }
    }

    /// Calls further workers in while a table that somebody waits for is not taken; ends when every job is.
    ///
    /// Where no further session can be had, the table is copied by the first worker that has its hands free.
    pub(super) async fn hurry(self, parts: mpsc::UnboundedSender<Part>) -> Result<Vec<Connection>> {
        let mut further: JoinSet<Result<Connection>> = JoinSet::new();
        let mut idle = Vec::new();
        let mut left = Duration::ZERO;
        while self.keeper.is_some() {
            tokio::select! {
                () = self.queue.all_taken() => break,
                () = tokio::time::sleep(LOOK) => {}
            }
            while let Some(ended) = further.try_join_next() {
                idle.push(ended.map_err(failed)??);
            }
            left = if self.queue.has_wanted() { left + LOOK } else { Duration::ZERO };
            if left < LEAVE || further.len() >= FURTHER_MAX {
                continue;
            }
            let connection = match idle.pop() {
                Some(connection) => Some(connection),
                None => match Pool::open(&self.source, &self.setup, &self.snapshot, 1).await {
                    Ok(pool) => pool.into_connections().pop(),
                    Err(_) => None,
                },
            };
            if let Some(connection) = connection {
                further.spawn(self.worker(connection, parts.clone(), true).run());
            }
        }
        drop(parts);
        while let Some(ended) = further.join_next().await {
            idle.push(ended.map_err(failed)??);
        }
        Ok(idle)
    }
}

fn failed(error: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Bug, "a copy worker failed").caused_by(error)
}
