//! Every command at every phase of a backup, on every server: the rows are those of one moment, or there is no backup listed;
//! nobody waits more than five seconds longer than without us; nothing hangs.
//!
//! Each of these runs with one of the twelve pairs of format and number of workers, so that each command and each phase meets
//! all of them; `PGPROOF_TEST_CELLS=all` runs the full product.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::cell::{ACTIONS, Action, Bench, Cell, FORMS, PHASES, run};
use crate::support::pg::servers;

/// Cells of one server at a time: they mostly wait.
const LANES: usize = 2;

/// The cells of a command on the server at this place among the servers.
fn cells(action: Action, server: usize) -> Vec<Cell> {
    let is_full = std::env::var_os("PGPROOF_TEST_CELLS").is_some_and(|value| value == "all");
    let row = ACTIONS.iter().position(|other| *other == action).expect("listed");
    let mut cells = Vec::new();
    for (column, phase) in PHASES.into_iter().enumerate().filter(|(_, phase)| action.is_possible(*phase)) {
        let chosen = (column + 5 * server + 7 * row) % FORMS.len();
        for (_, (format, jobs)) in FORMS.into_iter().enumerate().filter(|(place, _)| is_full || *place == chosen) {
            cells.push(Cell { action, phase, format, jobs, extra: &[] });
        }
    }
    cells
}

/// Runs all cells of a command and says of each that failed why.
fn at_every_phase(action: Action) {
    let failed = Mutex::new(Vec::new());
    let kinds = Mutex::new(BTreeMap::<String, usize>::new());
    let longest = Mutex::new((Duration::ZERO, Duration::ZERO));
    thread::scope(|scope| {
        for (place, server) in servers().into_iter().enumerate() {
            let work = std::sync::Arc::new((cells(action, place), AtomicUsize::new(0)));
            for _ in 0..LANES {
                let (work, server) = (std::sync::Arc::clone(&work), server.clone());
                let (failed, kinds, longest) = (&failed, &kinds, &longest);
                scope.spawn(move || {
                    let mut bench = Bench::new(&server);
                    while let Some(cell) = work.0.get(work.1.fetch_add(1, Ordering::Relaxed)) {
                        let outcome = run(*cell, &mut bench);
                        *kinds.lock().unwrap().entry(outcome.kind).or_default() += 1;
                        let mut longest = longest.lock().unwrap();
                        longest.0 = longest.0.max(outcome.actor.unwrap_or_default());
                        longest.1 = longest.1.max(outcome.reader.unwrap_or_default());
                        drop(longest);
                        if !outcome.faults.is_empty() {
                            let faults = outcome.faults.join("; ");
                            let text = format!("{} {cell}: {faults}\n{}", server.major, outcome.run.transcript());
                            failed.lock().unwrap().push(text);
                        }
                    }
                });
            }
        }
    });
    let (failed, kinds, longest) =
        (failed.into_inner().unwrap(), kinds.into_inner().unwrap(), longest.into_inner().unwrap());
    let count: usize = kinds.values().sum();
    println!("{action:?}: {count} cells, {kinds:?}; the command waited {:.1?}, a reader {:.1?}", longest.0, longest.1);
    assert!(count > 0, "there are servers");
    assert!(failed.is_empty(), "{} of {count} cells failed:\n{}", failed.len(), failed.join("\n"));
}

macro_rules! at_every_phase {
    ($($name:ident: $action:ident,)*) => {
        $(#[test]
        fn $name() {
            at_every_phase(Action::$action);
        })*
    };
}

at_every_phase! {
    a_column_is_added_at_every_phase: AddColumn,
    a_table_is_truncated_at_every_phase: Truncate,
    a_column_gets_another_type_at_every_phase: AlterType,
    a_column_with_a_volatile_default_is_added_at_every_phase: AddRandom,
    a_table_becomes_unlogged_at_every_phase: SetUnlogged,
    a_column_is_dropped_at_every_phase: DropColumn,
    a_column_is_renamed_at_every_phase: RenameColumn,
    a_table_is_dropped_at_every_phase: Drop,
    a_table_is_swapped_for_another_at_every_phase: Swap,
    a_table_is_vacuumed_full_at_every_phase: VacuumFull,
    a_table_is_reindexed_at_every_phase: Reindex,
    a_table_is_clustered_at_every_phase: Cluster,
    the_leading_session_is_ended_at_every_phase: KillLeader,
    a_copying_session_is_ended_at_every_phase: KillWorker,
}

#[test]
fn the_matrix_has_at_least_300_cells_and_each_command_and_phase_meets_every_form() {
    let all: Vec<Cell> = ACTIONS.into_iter().flat_map(|action| (0..4).flat_map(move |s| cells(action, s))).collect();
    assert!(all.len() >= 300, "{}", all.len());
    for (format, jobs) in FORMS {
        let with = |cell: &&Cell| cell.format == format && cell.jobs == jobs;
        for action in ACTIONS.into_iter().filter(|action| *action != Action::KillWorker) {
            assert!(all.iter().filter(with).any(|cell| cell.action == action), "{action:?} -F {format} -j {jobs}");
        }
        for phase in PHASES {
            assert!(all.iter().filter(with).any(|cell| cell.phase == phase), "{phase:?} -F {format} -j {jobs}");
        }
    }
}
