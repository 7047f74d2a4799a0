//! The jobs of one run, in the archive's order, and who takes which.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::board::{Board, Standing};
use super::worker::Job;

/// The jobs, in the archive's order, and how far the workers are.
pub(super) struct Queue {
    jobs: Vec<Job>,
    /// The jobs of each table follow each other.
    of_table: HashMap<u32, Range<usize>>,
    state: Mutex<State>,
    board: Arc<Board>,
    /// Becomes true when every job is taken.
    all_taken: watch::Sender<bool>,
    /// Bytes from the server, before compression.
    pub(super) bytes: AtomicU64,
    /// Rows and large objects from the server.
    pub(super) rows: AtomicU64,
}

struct State {
    is_taken: Vec<bool>,
    /// All jobs before this one are taken.
    next: usize,
    /// By table: its jobs that are not finished. Only for tables with several.
    left: HashMap<u32, usize>,
}

impl Queue {
    pub(super) fn new(jobs: Vec<Job>, board: Arc<Board>) -> Self {
        let mut of_table: HashMap<u32, Range<usize>> = HashMap::new();
        for (index, job) in jobs.iter().enumerate().filter(|(_, job)| job.table_oid != 0) {
            of_table.entry(job.table_oid).or_insert(index..index).end = index + 1;
        }
        let left = of_table.iter().map(|(oid, range)| (*oid, range.len())).collect();
        let state = Mutex::new(State { is_taken: vec![false; jobs.len()], next: 0, left });
        Self {
            all_taken: watch::Sender::new(jobs.is_empty()),
            jobs,
            of_table,
            state,
            board,
            bytes: AtomicU64::new(0),
            rows: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // nothing that panics runs under the lock
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    pub(super) fn board(&self) -> &Board {
        &self.board
    }

    /// How many entries the jobs are for.
    pub(super) fn entry_count(&self) -> usize {
        self.jobs.iter().filter(|job| job.is_last()).count()
    }

    /// The next job: of a table that somebody waits for, else in the archive's order.
    pub(super) fn take(&self) -> Option<(usize, &Job)> {
        if let Some(taken) = self.take_wanted() {
            return Some(taken);
        }
        let mut state = self.state();
        while state.is_taken.get(state.next).copied() == Some(true) {
            state.next += 1;
        }
        let index = state.next;
        let Some(is_taken) = state.is_taken.get_mut(index) else {
            self.all_taken.send_replace(true);
            return None;
        };
        *is_taken = true;
        self.jobs.get(index).map(|job| (index, job))
    }

    /// The next job of a table that somebody waits for.
    pub(super) fn take_wanted(&self) -> Option<(usize, &Job)> {
        let wanted = self.board.wanted();
        let mut state = self.state();
        let index = wanted
            .iter()
            .filter_map(|oid| self.of_table.get(oid).cloned())
            .flatten()
            .find(|index| state.is_taken.get(*index) == Some(&false))?;
        *state.is_taken.get_mut(index)? = true;
        self.jobs.get(index).map(|job| (index, job))
    }

    /// Whether somebody waits for a table of which a job is not taken.
    pub(super) fn has_wanted(&self) -> bool {
        let wanted = self.board.wanted();
        let state = self.state();
        wanted
            .iter()
            .filter_map(|oid| self.of_table.get(oid).cloned())
            .flatten()
            .any(|index| state.is_taken.get(index) == Some(&false))
    }

    /// Waits until every job is taken.
    pub(super) async fn all_taken(&self) {
        // the sender lives as long as the queue
        let _ = self.all_taken.subscribe().wait_for(|all_taken| *all_taken).await;
    }

    /// A worker has the lock of a job's table, and the rows that it copies are all that the table has.
    pub(super) fn held(&self, job: &Job) {
        if job.slice.is_none() {
            self.board.note(job.table_oid, Standing::Held);
        }
    }

    /// A job's rows are with us.
    pub(super) fn finished(&self, job: &Job) {
        let is_done = match self.state().left.get_mut(&job.table_oid) {
            Some(left) => {
                *left = left.saturating_sub(1);
                *left == 0
            }
            None => false,
        };
        if is_done {
            self.board.note(job.table_oid, Standing::Done);
        }
    }

    /// Counts what came from the server.
    pub(super) fn count(&self, bytes: usize, rows: u64) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
    }
}
