//! The same commands at moments that nobody chose. `PGPROOF_TEST_ROUNDS` says how many, `PGPROOF_TEST_SEED` repeats a run.

use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::cell::{ACTIONS, Bench, Cell, FORMS, Phase, run};
use crate::support::bin::db;
use crate::support::pg::{Server, servers};

/// Rounds of one server at a time.
const LANES: usize = 2;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The cell of a round: the same for the same seed.
fn cell(rng: &mut StdRng, whole: f64) -> Cell {
    let action = ACTIONS[rng.random_range(0..ACTIONS.len())];
    let (format, jobs) = FORMS[rng.random_range(0..FORMS.len())];
    let delay = std::time::Duration::from_secs_f64(whole * rng.random_range(0.0..1.1));
    Cell { action, phase: Phase::After(delay), format, jobs, extra: &[] }
}

#[test]
fn at_random_moments_the_rows_are_those_of_one_moment_or_there_is_no_backup() {
    let count = setting("PGPROOF_TEST_ROUNDS").unwrap_or(40);
    let seed = setting("PGPROOF_TEST_SEED").unwrap_or_else(rand::random);
    println!("seed {seed}, {count} rounds");
    let (failed, kinds) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    // by turns, so that a seed gives a round the same server each time
    let servers: Vec<Server> = servers().into_iter().flat_map(|server| vec![server; LANES]).collect();
    thread::scope(|scope| {
        for (lane, server) in servers.iter().enumerate() {
            let (servers, failed, kinds) = (&servers, &failed, &kinds);
            scope.spawn(move || {
                let mut bench = Bench::new(server);
                bench.reset();
                // how long a backup takes here and now
                let begun = Instant::now();
                let folder = tempfile::tempdir().expect("a temporary folder");
                let path = folder.path().join("a.dump");
                db(["backup", "-d", &bench.database.url(), "-o", path.to_str().expect("UTF-8")]).run().ok();
                let whole = begun.elapsed().as_secs_f64();
                bench.clear(Vec::new());
                for round in (lane as u64..count).step_by(servers.len()) {
                    let cell = cell(&mut StdRng::seed_from_u64(seed.wrapping_add(round)), whole);
                    let outcome = run(cell, &mut bench);
                    kinds.lock().unwrap().push(outcome.kind);
                    if !outcome.faults.is_empty() {
                        let faults = outcome.faults.join("; ");
                        let text =
                            format!("round {round}: {} {cell}: {faults}\n{}", server.major, outcome.run.transcript());
                        failed.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let (failed, mut kinds) = (failed.into_inner().unwrap(), kinds.into_inner().unwrap());
    kinds.sort_unstable();
    let counts: Vec<String> = kinds.chunk_by(|a, b| a == b).map(|same| format!("{} {}", same.len(), same[0])).collect();
    println!("{}", counts.join(", "));
    assert_eq!(kinds.len() as u64, count, "every round was run");
    assert!(failed.is_empty(), "seed {seed}: {} of {count} rounds failed:\n{}", failed.len(), failed.join("\n"));
}
