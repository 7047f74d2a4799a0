//! What the sessions of one run know of each other: which tables still need their lock, and which ones somebody waits for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::server::LockTarget;

/// How far a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its rows are not safe, and no worker has its lock for all of them: the keeper must have it.
    Kept,
    /// The worker that copies it has its lock.
    Held,
    /// All of its rows are with us.
    Done,
}

/// The tables whose rows are copied. Shared by the keeper of their locks, the workers and the writer.
pub(super) struct Board {
    tables: BTreeMap<u32, LockTarget>,
    state: Mutex<State>,
    wanted_count: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    /// Tables that are not [`Standing::Kept`].
    past: BTreeMap<u32, Standing>,
    /// Tables that a session has waited for. One that gives up stays here: what was hurried on its account is under way.
    wanted: BTreeSet<u32>,
}

impl Board {
    pub(super) fn new(tables: impl IntoIterator<Item = LockTarget>) -> Self {
        Self {
            tables: tables.into_iter().map(|table| (table.oid, table)).collect(),
            state: Mutex::default(),
            wanted_count: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // nothing that panics runs under the lock
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn table(&self, oid: u32) -> Option<&LockTarget> {
        self.tables.get(&oid)
    }

    /// The tables whose lock the keeper must have.
    pub(super) fn kept(&self) -> Vec<LockTarget> {
        let state = self.state();
        self.tables.values().filter(|table| !state.past.contains_key(&table.oid)).cloned().collect()
    }

    pub(super) fn standing(&self, oid: u32) -> Standing {
        self.state().past.get(&oid).copied().unwrap_or(Standing::Kept)
    }

    /// A worker tells how far a table is.
    pub(super) fn note(&self, oid: u32, standing: Standing) {
        self.state().past.insert(oid, standing);
    }

    /// Notes that somebody waits for a table; false when that is known.
    pub(super) fn want(&self, oid: u32) -> bool {
        let (is_new, count) = {
            let mut state = self.state();
            (state.wanted.insert(oid), state.wanted.len())
        };
        if is_new {
            self.wanted_count.send_replace(count);
        }
        is_new
    }

    pub(super) fn is_wanted(&self, oid: u32) -> bool {
        self.state().wanted.contains(&oid)
    }

    /// The wanted tables that are not done.
    pub(super) fn wanted(&self) -> Vec<u32> {
        let state = self.state();
        state.wanted.iter().copied().filter(|oid| state.past.get(oid) != Some(&Standing::Done)).collect()
    }

    /// Changes whenever another table is wanted.
    pub(super) fn watch_wanted(&self) -> watch::Receiver<usize> {
        self.wanted_count.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keeper_is_needed_until_a_worker_has_the_lock_for_all_rows() {
        let table = |oid| LockTarget { oid, qualified_name: format!("\"t{oid}\"") };
        let board = Board::new([table(1), table(2), table(3)]);
        let kept = |board: &Board| board.kept().iter().map(|table| table.oid).collect::<Vec<_>>();
        assert_eq!(kept(&board), [1, 2, 3]);
        board.note(2, Standing::Held);
        assert_eq!(kept(&board), [1, 3]);
        let mut watch = board.watch_wanted();
        assert!(board.want(2) && !board.want(2) && board.want(3));
        assert!(watch.has_changed().unwrap());
        assert_eq!(*watch.borrow_and_update(), 2);
        board.note(2, Standing::Done);
        assert_eq!((board.wanted(), board.standing(2), board.is_wanted(2)), (vec![3], Standing::Done, true));
    }
}
