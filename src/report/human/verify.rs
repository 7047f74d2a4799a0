//! `db verify` as text.

use std::fmt::Write as _;

use crate::count::{counted, counted_of};
use crate::report::paint::{Color, Paint};
use crate::report::redact::line;
use crate::verify::{FindingKind, Level, LevelVerdict, Outcome, Verdict};

/// What a verification found: a line for each level, then the findings by kind with what to do,
/// then the verdict.
pub fn verify(outcome: &Outcome, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.text(Color::Bold, &line(&outcome.target)));
    let mut add = |words: String| {
        let _ = writeln!(text, "{words}"); // writing to a string cannot fail
    };
    for level in &outcome.levels {
        let (color, word) = match level.verdict {
            LevelVerdict::Passed => (Color::Good, "passed"),
            LevelVerdict::Failed => (Color::Bad, "FAILED"),
            LevelVerdict::NotChecked => (Color::Warning, "not checked"),
        };
        let counts: Vec<String> =
            level.checked.iter().map(|checked| counted_of(checked.count, &checked.what)).collect();
        let counts = if counts.is_empty() { String::new() } else { format!("  {}", counts.join(", ")) };
        add(format!("  {:<13} {}{}", level.level.name(), paint.text(color, word), line(&counts)).replace("  \n", "\n"));
        for one in &level.not_checked {
            let words =
                if level.level == Level::Live && one.not_checkable { "not compared:" } else { "could not check" };
            add(format!("    {words} {}: {}", line(&one.what), line(&one.why)));
        }
    }
    let mut kinds: Vec<FindingKind> = Vec::new();
    for finding in &outcome.findings {
        if !kinds.contains(&finding.kind) {
            kinds.push(finding.kind);
        }
    }
    for kind in kinds {
        for finding in outcome.findings.iter().filter(|finding| finding.kind == kind) {
            let detail = if finding.detail.is_empty() { String::new() } else { format!(": {}", finding.detail) };
            let fact = line(&format!("{}: {}{detail}", finding.object, finding.kind.message()));
            add(format!("{} {fact}", paint.text(Color::Bad, "finding:")));
        }
        add(format!("hint: {}", kind.hint()));
    }
    for note in &outcome.notes {
        add(format!("note: {}", line(note)));
    }
    add(match outcome.verdict() {
        Verdict::Passed => paint.text(Color::Good, "verified: nothing is wrong with what was checked"),
        verdict @ (Verdict::Damaged | Verdict::Differs | Verdict::Unmet) => {
            let word = match verdict {
                Verdict::Differs => "the live database differs from the backup",
                Verdict::Unmet => "no damage, but the backup has not what was wished for",
                Verdict::Damaged | Verdict::Passed | Verdict::Incomplete => "damaged",
            };
            paint.text(Color::Bad, &format!("{word}: {}", counted(outcome.findings.len() as u64, "finding")))
        }
        Verdict::Incomplete => {
            paint.text(Color::Warning, "not verified: something that was asked for could not be checked")
        }
    });
    text
}
