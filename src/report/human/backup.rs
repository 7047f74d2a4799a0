//! `db backup` as text.

use std::fmt::Write as _;

use super::{condition_color, contents, duration_of, pruned};
use crate::backup::Outcome;
use crate::config::{ByteSize, show_duration};
use crate::manifest::{Condition, Evidence, Summary};
use crate::report::paint::Paint;
use crate::report::redact::line;

/// What a backup to a store, or an archive alone, came to.
pub fn backup(outcome: &Outcome, is_alone: bool, paint: Paint) -> String {
    let manifest = &outcome.manifest;
    // the word that `--output json`, list and show have for it
    let condition = Condition::of(&Summary::from(manifest), &Evidence::default());
    let (color, word) = (condition_color(&condition), condition.word());
    let subject = match is_alone {
        true => format!("archive of database {}", manifest.source.database),
        false => format!("backup {} of database {}", manifest.id, manifest.source.database),
    };
    let mut text = format!("{}: {}\n", line(&subject), paint.text(color, word));
    let took = duration_of(manifest);
    let stored = if is_alone { outcome.archive_bytes } else { manifest.stored_bytes() };
    let mut facts = vec![
        ("place", outcome.place.clone()),
        ("size", format!("{} stored, {} of data", ByteSize(stored), ByteSize(manifest.data_bytes()))),
        ("holds", contents(manifest)),
        ("took", show_duration(took)),
    ];
    if !manifest.filters.is_empty() {
        facts.push(("filtered", manifest.filters.join(" ")));
    }
    facts.extend(manifest.skipped.iter().map(|one| ("left out", format!("{}: {}", one.object, one.reason))));
    facts.extend(manifest.suspicions.iter().map(|problem| ("suspect", problem.clone())));
    facts.extend(manifest.warnings.iter().map(|warning| ("warning", warning.clone())));
    if let Some(outcome) = &outcome.pruned {
        facts.push(("pruned", pruned(outcome, "older backup")));
        facts
            .extend(outcome.hidden.iter().map(|(name, kept)| ("pruned", format!("{name}: hidden, not freed: {kept}"))));
    }
    facts.extend(outcome.retention_error.iter().map(|error| ("pruned", format!("no: {}", error.message()))));
    for (name, value) in facts {
        let _ = writeln!(text, "  {name:<9} {}", line(&value)); // writing to a string cannot fail
    }
    text
}
