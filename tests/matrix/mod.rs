//! Every kind of object, dumped in every way: which statements a dump has, and what it restores.
//!
//! `objects.rs` says which runs of `runs.rs` show an object. No run may show one that does not list it, each run's text is
//! pg_dump's or pg_restore's own for the same options, and what it restores is what the stock programs restore. As the
//! text is the same, what servers say against it is the same.
//!
//! What PostgreSQL's tests have and this has not:
#![doc = include_str!("README.md")]

mod bench;
mod extension;
mod objects;
mod runs;

use std::fmt::Write as _;

use bench::{Bench, Copy};
use objects::{Object, objects};
use runs::{Run, runs};

use crate::support::{pg, skipped};

/// How often a text stands in a dump as lines of their own.
fn count(dump: &str, text: &str) -> usize {
    let lines = format!("\n{text}\n");
    let (mut count, mut from) = (0, 0);
    while let Some(place) = dump.get(from..).and_then(|rest| rest.find(&lines)) {
        count += 1;
        // two texts may share the newline between them
        from += place + 1;
    }
    count
}

/// The first lines that differ.
fn difference(ours: &str, theirs: &str) -> String {
    let lines = ours.lines().zip(theirs.lines()).enumerate().find(|(_, (one, other))| one != other);
    lines.map_or_else(
        || format!("{} and {} lines", ours.lines().count(), theirs.lines().count()),
        |(number, (one, other))| format!("line {number}: {one:?} where it should be {other:?}"),
    )
}

/// A script without what stands between its statements.
fn statements(script: &str) -> impl Iterator<Item = &str> {
    script.lines().filter(|line| !line.is_empty() && !line.starts_with("--") && !["BEGIN;", "COMMIT;"].contains(line))
}

/// Objects that a dump shows and should not, or the other way round.
fn misplaced(dump: &str, run: &Run, objects: &[Object], bench: &Bench) -> Vec<String> {
    let major = bench.source.server.major;
    let mut found = Vec::new();
    for object in objects.iter().filter(|object| object.is_on(major)) {
        let times = count(dump, &object.text(major, &bench.source.name));
        let wanted = usize::from(object.is_shown_by(run, major));
        if times != wanted && !(object.is_many && times > 1 && wanted == 1) {
            found.push(format!("\"{}\" stands {times} times and not {wanted}", object.name));
        }
    }
    found
}

fn check(run: &Run, objects: &[Object], bench: &mut Bench) -> Vec<String> {
    let dump = bench.ours(run);
    let mut found = misplaced(&dump.text, run, objects, bench);
    let theirs = bench.theirs(run);
    // for programs before 17 large objects are put together in other entries
    let is_same = match run.packing.contains(&"--for-pg-restore") {
        true => statements(&dump.text).eq(statements(&theirs)),
        false => dump.text == theirs,
    };
    if !is_same {
        found.push(format!("it is not what the stock program writes: {}", difference(&dump.text, &theirs)));
    }
    // pg_dump 18 writes a locale's provider, which servers before 15 do not take
    if run.groups.contains("create") && bench.source.server.major < 15 {
        return found;
    }
    let Copy { errors, text, again } = bench.restored_by_stock(run, &dump);
    // what is not there cannot be dropped
    let drops =
        run.groups.contains("drop_plain") || run.groups.contains("drop_if_exists") || run.name.starts_with("clean");
    if run.is_whole && !drops && !errors.is_empty() {
        found.push(format!("restored by the stock program: {errors:?}"));
    }
    if run.is_whole && text != bench.whole {
        found
            .push(format!("restored by the stock program it is another database: {}", difference(&text, &bench.whole)));
    }
    if let Some(again) = again
        && again != dump.text
    {
        found.push(format!("restored and dumped again it is another dump: {}", difference(&again, &dump.text)));
    }
    if !run.groups.contains("create") {
        let ours = bench.restored_by_us(run, &dump);
        if !ours.is_done && errors.is_empty() {
            found.push(format!("db restore failed, and the stock program did not:\n{}", ours.transcript));
        }
        // db restore passes over what cannot be dropped because it is not there
        if ours.is_done && !errors.is_empty() && !drops {
            found.push(format!("db restore did not fail, and the stock program did: {errors:?}"));
        }
        if ours.text != text {
            let difference = difference(&ours.text, &text);
            found.push(format!("db restore makes another database: {difference}\n{}\n{errors:?}", ours.transcript));
        }
    }
    found
}

/// A half of the runs on one server.
fn matrix(major: u32, half: usize) {
    let Some(server) = pg::server(major) else {
        return;
    };
    let all = runs();
    let mut objects = objects(&all);
    if !server.knows_icu() {
        skipped(&format!("objects that need ICU: PostgreSQL {major} was built without it here"));
        objects.retain(|object| !object.needs_icu);
    }
    let mut bench = Bench::new(&server, &objects);
    let mut report = String::new();
    for run in all.iter().skip(half).step_by(2) {
        for finding in check(run, &objects, &mut bench) {
            let _ = writeln!(report, "{}: {finding}", run.name);
        }
    }
    assert!(report.is_empty(), "PostgreSQL {major}:\n{report}");
}

#[test]
fn every_object_is_shown_by_some_runs_and_hidden_by_others() {
    const OBJECT_MIN: usize = 400;
    const RUN_MIN: usize = 120;
    let runs = runs();
    let objects = objects(&runs);
    assert!(objects.len() >= OBJECT_MIN && runs.len() >= RUN_MIN, "{} objects, {} runs", objects.len(), runs.len());
    for object in &objects {
        let shown = runs.iter().filter(|run| object.is_shown_by(run, 18)).count();
        assert!(shown > 0 && shown < runs.len(), "{}: {shown} runs show it", object.name);
    }
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_13() {
    matrix(13, 0);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_13_too() {
    matrix(13, 1);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_14() {
    matrix(14, 0);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_14_too() {
    matrix(14, 1);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_15() {
    matrix(15, 0);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_15_too() {
    matrix(15, 1);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_16() {
    matrix(16, 0);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_16_too() {
    matrix(16, 1);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_17() {
    matrix(17, 0);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_17_too() {
    matrix(17, 1);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_18() {
    matrix(18, 0);
}

#[test]
fn a_dump_shows_what_its_options_ask_for_on_18_too() {
    matrix(18, 1);
}
