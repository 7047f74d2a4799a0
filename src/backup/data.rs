//! Rows on their way into the archive: workers that copy, and one order in which they are written.
//!
//! The jobs stand in a queue in the archive's order. Each worker takes the next one, copies it and compresses it on its own
//! thread. In a single-file archive the writer takes the jobs' bytes in order: the job at the head streams through, the
//! others fill their worker's budget and wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::press::{Framing, Made, Press, Sums};
use super::target::Target;
use super::worker::{Job, Part, Queue, Worker};
use crate::archive::plain::LargeObjectText;
use crate::archive::toc::Toc;
use crate::codec::compress::Compression;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Progress, Sink};
use crate::server::Connection;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(200);

/// The workers of one run. Dropping it stops them and cancels what they run on the server.
pub(super) struct Copying {
    queue: Arc<Queue>,
    workers: JoinSet<Result<()>>,
    parts: mpsc::UnboundedReceiver<Part>,
    /// Parts of later jobs that have begun.
    waiting: BTreeMap<usize, VecDeque<Part>>,
}

impl Copying {
    /// Starts a worker on each connection; they have joined the snapshot.
    pub(super) fn start(
        connections: Vec<Connection>,
        jobs: Vec<Job>,
        framing: Framing,
        compression: Compression,
        toc: &Toc,
    ) -> Self {
        let queue = Arc::new(Queue::new(jobs));
        let (sender, parts) = mpsc::unbounded_channel();
        let mut workers = JoinSet::new();
        for connection in connections {
            let text = (framing == Framing::Script).then(|| LargeObjectText::new(toc));
            let press = Press::start(compression, framing, text);
            let worker = Worker::new(connection, Arc::clone(&queue), sender.clone(), framing, press);
            workers.spawn(worker.run());
        }
        Self { queue, workers, parts, waiting: BTreeMap::new() }
    }

    /// The job at this place.
    pub(super) fn job(&self, index: usize) -> Option<&Job> {
        self.queue.jobs().get(index)
    }

    pub(super) fn job_count(&self) -> usize {
        self.queue.jobs().len()
    }

    /// How many entries the jobs are for.
    pub(super) fn entry_count(&self) -> usize {
        self.queue.entry_count()
    }

    /// A handle for telling progress beside the writing.
    pub(super) fn ticker(&self, bytes_total: Option<u64>) -> Ticker {
        Ticker { queue: Arc::clone(&self.queue), bytes_total }
    }

    /// The next part of the job at this place, when its turn has come.
    pub(super) async fn part_of(&mut self, index: usize) -> Result<Part> {
        loop {
            if let Some(parts) = self.waiting.get_mut(&index) {
                match parts.pop_front() {
                    Some(part) => return Ok(part),
                    None => drop(self.waiting.remove(&index)),
                }
            }
            match self.next_part().await? {
                Some(part) => self.waiting.entry(part.index).or_default().push_back(part),
                None => return Err(Error::new(ErrorKind::Bug, "the workers ended before the archive was complete")),
            }
        }
    }

    /// The next part in the order of its begin; `None` when all workers have ended. A worker's failure comes out here.
    pub(super) async fn next_part(&mut self) -> Result<Option<Part>> {
        tokio::select! {
            biased;
            Some(ended) = self.workers.join_next() => {
                self.ended(ended)?;
                // the others may still have much to send; what has begun is still in the channel
                Box::pin(self.next_part()).await
            }
            Some(part) = self.parts.recv() => Ok(Some(part)),
            else => Ok(None),
        }
    }

    fn ended(&self, ended: std::result::Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
        match ended {
            Ok(result) => result,
            Err(error) => Err(Error::new(ErrorKind::Bug, "a copy worker failed").caused_by(error)),
        }
    }

    /// Writes what an entry's jobs make, from the first one on; what went through them, and the place of the next entry's job.
    pub(super) async fn write_entry(&mut self, first: usize, target: &mut Target) -> Result<(Sums, usize)> {
        let mut sums = Sums::default();
        let mut index = first;
        loop {
            let mut part = self.part_of(index).await?;
            let made = loop {
                match self.made(&mut part).await? {
                    Made::Bytes(bytes, permit) => {
                        target.write(bytes).await?;
                        drop(permit);
                    }
                    Made::Done(sums) => break sums,
                }
            };
            sums.summary = sums.summary.merge(made.summary);
            let is_last = self.job(index).is_none_or(Job::is_last);
            index += 1;
            if is_last {
                return Ok((sums, index));
            }
        }
    }

    /// The next bytes of a part, or what went through it; a worker's failure comes out here.
    pub(super) async fn made(&mut self, part: &mut Part) -> Result<Made> {
        loop {
            tokio::select! {
                biased;
                made = part.made.recv() => match made {
                    Some(made) => return Ok(made),
                    None => return Err(self.cause().await),
                },
                Some(ended) = self.workers.join_next() => self.ended(ended)?,
            }
        }
    }

    /// Why a part stopped in the middle: its worker knows.
    async fn cause(&mut self) -> Error {
        while let Some(ended) = self.workers.join_next().await {
            if let Err(error) = self.ended(ended) {
                return error;
            }
        }
        Error::new(ErrorKind::Bug, "a copy worker ended in the middle of its work")
    }

    /// Waits until every worker has come to its end.
    pub(super) async fn finish(mut self) -> Result<()> {
        while let Some(ended) = self.workers.join_next().await {
            self.ended(ended)?;
        }
        Ok(())
    }
}

/// Tells how far the copying is, until it is dropped.
pub(super) struct Ticker {
    queue: Arc<Queue>,
    bytes_total: Option<u64>,
}

impl Ticker {
    /// Never ends; to be run beside the writing.
    pub(super) async fn run(&self, sink: &dyn Sink, done: &std::sync::atomic::AtomicU64) -> Error {
        let mut interval = tokio::time::interval(PROGRESS);
        loop {
            interval.tick().await;
            sink.event(Event::Progress(Progress {
                bytes: self.queue.bytes.load(Ordering::Relaxed),
                bytes_total: self.bytes_total,
                rows: self.queue.rows.load(Ordering::Relaxed),
                objects: done.load(Ordering::Relaxed),
                objects_total: Some(self.queue.entry_count() as u64),
            }));
        }
    }
}

/// What one entry's data turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copied {
    /// Its entry's number.
    pub(super) dump_id: i32,
    /// Rows or large objects.
    pub(super) sums: Sums,
    /// Where its block begins, in a custom archive.
    pub(super) offset: Option<u64>,
    /// Its file in a directory archive, or its member of a tar archive.
    pub(super) file: Option<String>,
}
