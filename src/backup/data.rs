//! Rows on their way into the archive: workers that copy, and one order in which they are written.
//!
//! The jobs stand in a queue in the archive's order. Each worker takes the next one, copies it and compresses it on its own
//! thread. In a single-file archive the writer takes the jobs' bytes in order: the job at the head streams through, the
//! others fill their worker's budget and wait.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::aside::set_aside;
use super::crew::Crew;
use super::press::{Framing, Made, Sums};
use super::queue::Queue;
use super::target::Target;
use super::worker::{Job, Part};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Progress, Sink};
use crate::server::Connection;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_millis(200);

/// The workers of one run. Dropping it stops them and cancels what they run on the server.
pub(super) struct Copying {
    queue: Arc<Queue>,
    workers: JoinSet<Result<Vec<Connection>>>,
    /// The sessions of workers that have come to their end.
    idle: Vec<Connection>,
    parts: mpsc::UnboundedReceiver<Part>,
    /// Parts of later jobs that have begun.
    waiting: BTreeMap<usize, VecDeque<Part>>,
    /// Another table is wanted.
    wanted: watch::Receiver<usize>,
    /// Where bytes that come before their turn wait; `None` where each part goes its own way.
    spool_folder: Option<PathBuf>,
}

impl Copying {
    /// Starts a worker on each connection; they have joined the snapshot.
    pub(super) fn start(connections: Vec<Connection>, crew: Crew, spool_folder: PathBuf) -> Self {
        let queue = Arc::clone(&crew.queue);
        let wanted = queue.board().watch_wanted();
        let spool_folder = (crew.framing != Framing::Files || crew.is_in_order).then_some(spool_folder);
        let (sender, parts) = mpsc::unbounded_channel();
        let mut workers = JoinSet::new();
        for connection in connections {
            let worker = crew.worker(connection, sender.clone(), false);
            workers.spawn(async move { worker.run().await.map(|connection| vec![connection]) });
        }
        workers.spawn(crew.hurry(sender));
        Self { queue, workers, idle: Vec::new(), parts, waiting: BTreeMap::new(), wanted, spool_folder }
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
                Some(part) if part.index == index => return Ok(part),
                Some(part) => self.wait_with(part),
                None => return Err(Error::new(ErrorKind::Bug, "the workers ended before the archive was complete")),
            }
        }
    }

    /// Keeps a part until its turn comes. What somebody waits for does not wait for that.
    fn wait_with(&mut self, mut part: Part) {
        if self.is_wanted(part.index) {
            self.set_part_aside(&mut part);
        }
        self.waiting.entry(part.index).or_default().push_back(part);
    }

    fn is_wanted(&self, index: usize) -> bool {
        self.job(index).is_some_and(|job| job.table_oid != 0 && self.queue.board().is_wanted(job.table_oid))
    }

    fn set_part_aside(&self, part: &mut Part) {
        if let Some(folder) = self.spool_folder.clone().filter(|_| !part.is_aside) {
            let (_, nothing) = mpsc::unbounded_channel();
            part.made = set_aside(std::mem::replace(&mut part.made, nothing), folder);
            part.is_aside = true;
            part.room = None;
        }
    }

    /// Sets aside what has become wanted while it waits.
    fn set_wanted_aside(&mut self) {
        let wanted: Vec<usize> = self.waiting.keys().copied().filter(|index| self.is_wanted(*index)).collect();
        for index in wanted {
            let mut parts = self.waiting.remove(&index).unwrap_or_default();
            parts.iter_mut().for_each(|part| self.set_part_aside(part));
            self.waiting.insert(index, parts);
        }
    }

    /// The next part in the order of its begin; `None` when all workers have ended. A worker's failure comes out here.
    pub(super) async fn next_part(&mut self) -> Result<Option<Part>> {
        loop {
            tokio::select! {
                biased;
                Some(ended) = self.workers.join_next() => {
                    // the others may still have much to send; what has begun is still in the channel
                    self.ended(ended)?;
                }
                Ok(()) = self.wanted.changed() => self.set_wanted_aside(),
                part = self.parts.recv() => return Ok(part),
            }
        }
    }

    fn ended(&mut self, ended: std::result::Result<Result<Vec<Connection>>, tokio::task::JoinError>) -> Result<()> {
        match ended {
            Ok(result) => {
                self.idle.extend(result?);
                Ok(())
            }
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
                        self.attend(target.write(bytes)).await?;
                        drop(permit);
                    }
                    Made::Done(sums) => break sums,
                    Made::Failed(error) => return Err(error),
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
                Some(ended) = self.workers.join_next() => self.ended(ended)?,
                Ok(()) = self.wanted.changed() => self.set_wanted_aside(),
                Some(part) = self.parts.recv(), if self.spool_folder.is_some() => self.wait_with(part),
                // last: a part that always has more must not keep the others from being heard
                made = part.made.recv() => match made {
                    Some(Made::Failed(error)) => return Err(error),
                    Some(made) => return Ok(made),
                    None => return Err(self.cause().await),
                },
            }
        }
    }

    /// Does what may take its time. What somebody waits for is set aside meanwhile.
    pub(super) async fn attend<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(ended) = self.workers.join_next() => self.ended(ended)?,
                Ok(()) = self.wanted.changed() => self.set_wanted_aside(),
                Some(part) = self.parts.recv(), if self.spool_folder.is_some() => self.wait_with(part),
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

    /// Waits until every worker has come to its end, then ends their transactions: that this goes well shows that all of them,
    /// the one among them that exported the snapshot, were there until now.
    pub(super) async fn finish(mut self) -> Result<()> {
        while let Some(ended) = self.workers.join_next().await {
            self.ended(ended)?;
        }
        for mut connection in self.idle {
            connection.execute("commit").await.map_err(|error| {
                Error::new(ErrorKind::Connect, "a session of the backup was lost before the backup was complete")
                    .detail(error.message().to_owned())
                    .hint("There is no backup of this run. Run again, and look for what ends sessions.")
            })?;
            connection.close().await;
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
