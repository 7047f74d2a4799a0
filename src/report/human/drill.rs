//! `db drill` as text.

use std::fmt::Write as _;
use std::time::Duration;

use crate::config::{ByteSize, show_duration};
use crate::count::{counted, counted_of};
use crate::drill::{Outcome, Verdict};
use crate::report::paint::{Color, Paint};
use crate::report::redact::line;

/// What a drill found, how long it took, and where the evidence lies.
pub fn drill(outcome: &Outcome, paint: Paint) -> String {
    let proof = &outcome.proof;
    let (color, word) = match proof.verdict {
        Verdict::Passed => (Color::Good, "PASSED"),
        Verdict::Failed => (Color::Bad, "FAILED"),
        Verdict::CouldNotRun => (Color::Warning, "COULD NOT RUN"),
    };
    let mut text = format!("drill of {}: {}\n", line(&proof.backup), paint.text(color, word));
    let restored = proof.restored;
    let mut facts = Vec::new();
    if !proof.server.is_empty() {
        facts.push(("on", format!("{}, PostgreSQL {}", proof.server, proof.server_version)));
    }
    if restored.entries > 0 {
        let size = ByteSize(restored.bytes);
        let (objects, rows) = (counted(restored.entries, "object"), counted(restored.rows, "row"));
        facts.push(("restored", format!("{objects}, {rows} in {}, {size}", counted(restored.tables, "table"))));
        facts.push(("recovery", show_duration(Duration::from_millis(proof.recovery_milliseconds))));
    }
    let phases: Vec<String> = proof
        .phases
        .iter()
        .map(|phase| format!("{} {}", phase.name, show_duration(Duration::from_millis(phase.milliseconds))))
        .collect();
    facts.push(("phases", phases.join(", ")));
    if let Some(verification) = &proof.verification {
        let counts = verification.levels.iter().flat_map(|level| &level.checked);
        let counts: Vec<String> = counts
            .filter(|checked| checked.count > 0)
            .map(|checked| counted_of(checked.count, &checked.what))
            .collect();
        facts.push(("compared", counts.join(", ")));
    }
    facts.extend(proof.reasons.iter().map(|reason| ("reason", reason.clone())));
    facts.extend(proof.notes.iter().map(|note| ("note", note.clone())));
    facts.extend(outcome.proof_key.iter().map(|key| ("evidence", key.clone())));
    facts.extend(outcome.kept.iter().map(|place| ("kept", place.clone())));
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "  {name:<9} {}", line(value)); // writing to a string cannot fail
    }
    text
}
