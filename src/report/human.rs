//! Results as text for people.

mod backup;
mod drill;
mod restore;
mod upload;
mod verify;

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

pub use backup::backup;
pub use drill::drill;
pub use restore::restore;
pub use upload::upload;
pub use verify::verify;

use super::paint::{Color, Paint};
use super::redact::line;
use super::table::{Align, Table};
use crate::config::{ByteSize, show_duration};
use crate::count::{counted, grouped};
use crate::list::Row;
use crate::manifest::{Condition, Format, Manifest, expected::RelationKind};
use crate::prune::{Outcome, Plan};
use crate::retention::{Action, Decision};
use crate::show::Details;
use crate::status::{Status, Verdict};

/// How long ago it was: `3 h 5 min ago`, `in 2 d 0 h`.
fn ago(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let past = (now - time).to_std().map(|age| format!("{} ago", show_duration(age)));
    past.unwrap_or_else(|_| format!("in {}", show_duration((time - now).to_std().unwrap_or_default())))
}

fn clock(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn condition_color(condition: &Condition) -> Color {
    match condition {
        Condition::Good => Color::Good,
        Condition::Filtered { .. }
        | Condition::Partial(_)
        | Condition::Suspect(_)
        | Condition::Deleting
        | Condition::Unfinished
        | Condition::LeftOver => Color::Warning,
        Condition::Damaged { .. } | Condition::Unreadable(_) => Color::Bad,
    }
}

/// `db list`.
pub fn list(rows: &[Row], now: DateTime<Utc>, paint: Paint) -> String {
    let mut table = Table::new(&[
        ("DATABASE", Align::Left),
        ("BACKUP", Align::Left),
        ("AGE", Align::Right),
        ("ROWS", Align::Right),
        ("STORED", Align::Right),
        ("STATE", Align::Left),
    ]);
    for row in rows {
        let time = row.content.as_ref().map_or(row.id.time(), |content| content.time);
        table.row([
            row.database.clone(),
            row.id.to_string(),
            (now - time).to_std().map_or_else(|_| "future".to_owned(), show_duration),
            row.content.as_ref().map_or_else(String::new, |content| grouped(content.row_count)),
            ByteSize(row.stored_bytes).to_string(),
            row.condition.word().to_owned(),
        ]);
        table.color(5, condition_color(&row.condition));
    }
    let mut text = table.render(paint);
    for row in rows {
        let Some(note) = row.condition.remark() else { continue };
        let _ = writeln!(text, "{}", line(&format!("{}: {note}", row.id))); // writing to a string cannot fail
    }
    text
}

/// `db show`.
pub fn show(details: &Details, now: DateTime<Utc>, paint: Paint) -> String {
    let manifest = &details.manifest;
    let mut text = paint.text(Color::Bold, &line(&format!("{} of database {}", manifest.id, manifest.source.database)));
    text.push('\n');
    for (name, value) in facts(details, now) {
        let _ = writeln!(text, "  {name:<10} {}", line(&value)); // writing to a string cannot fail
    }
    text.push('\n');
    let mut files = Table::new(&[("FILE", Align::Left), ("SIZE", Align::Right), ("SHA-256", Align::Left)]);
    for file in &manifest.files {
        files.row([file.path.clone(), ByteSize(file.size).to_string(), file.sha256.to_string()]);
    }
    text.push_str(&files.render(paint));
    let mut tables = Table::new(&[
        ("TABLE", Align::Left),
        ("ROWS", Align::Right),
        ("DATA", Align::Right),
        ("ROW DIGEST", Align::Left),
    ]);
    for table in &manifest.tables {
        let name = format!("{}.{}", table.schema, table.name);
        tables.row([name, grouped(table.rows), ByteSize(table.bytes).to_string(), table.digest.to_string()]);
    }
    if !manifest.tables.is_empty() {
        text.push('\n');
    }
    text.push_str(&tables.render(paint));
    text
}

fn facts(details: &Details, now: DateTime<Utc>) -> Vec<(&'static str, String)> {
    let manifest = &details.manifest;
    let (source, archive) = (&manifest.source, &manifest.archive);
    let mut facts = vec![
        ("place", details.place.clone()),
        ("state", state(&details.condition)),
        ("taken", format!("{} ({})", clock(manifest.snapshot.time), ago(manifest.snapshot.time, now))),
        ("source", format!("PostgreSQL {} at {}, {}", source.server_version, source.server, source.encoding)),
        ("archive", {
            let format = match archive.format {
                Format::Custom => "custom",
                Format::Directory => "directory",
                Format::Tar => "tar",
                Format::Plain => "plain",
            };
            let reader = match archive.format {
                Format::Custom | Format::Directory | Format::Tar => "pg_restore",
                Format::Plain => "psql",
            };
            format!("{format}, {}, read by {reader} {} and newer", archive.compression, archive.reader_major)
        }),
        ("size", {
            format!("{} stored, {} of data", ByteSize(manifest.stored_bytes()), ByteSize(manifest.data_bytes()))
        }),
        ("holds", contents(manifest)),
        ("took", show_duration(duration_of(manifest))),
        ("made by", format!("db {}", manifest.tool_version)),
    ];
    if !manifest.options.is_empty() {
        facts.push(("options", manifest.options.join(" ")));
    }
    facts.extend(manifest.skipped.iter().map(|one| ("left out", format!("{}: {}", one.object, one.reason))));
    facts.extend(manifest.warnings.iter().map(|warning| ("warning", warning.clone())));
    facts.extend(details.evidence.proofs.iter().map(|proof| {
        let reasons = if proof.reasons.is_empty() { String::new() } else { format!(": {}", proof.reasons.join("; ")) };
        ("proof", format!("{}: {} {}{reasons}", proof.path, proof.kind, proof.verdict.word()))
    }));
    facts.extend(details.evidence.acceptances.iter().map(|one| ("accepted", format!("{}: {}", one.path, one.reason))));
    facts
        .extend(details.evidence.unusable.iter().map(|(path, why)| ("proof", format!("{path} cannot be used: {why}"))));
    facts.extend(details.strangers.iter().map(|name| ("stranger", format!("{name} is not in the manifest"))));
    facts
}

fn duration_of(manifest: &Manifest) -> Duration {
    (manifest.timings.finished - manifest.timings.begun).max(TimeDelta::zero()).to_std().unwrap_or_default()
}

fn state(condition: &Condition) -> String {
    match condition.remark() {
        None => condition.word().to_owned(),
        Some(remark) => format!("{}: {remark}", condition.word()),
    }
}

/// `12 tables, 102,345 rows, 10 policies, ...`: what there is at least one of.
fn contents(manifest: &Manifest) -> String {
    let relations = &manifest.expected.relations;
    // of an archive alone nothing is kept but its entries
    let entries = |kinds: &[&str]| match relations.is_empty() {
        true => kinds.iter().filter_map(|kind| manifest.expected.entry_counts.get(*kind)).sum(),
        false => 0,
    };
    let of_kind = |kinds: &[RelationKind]| relations.iter().filter(|one| kinds.contains(&one.kind)).count() as u64;
    let sum =
        |count: fn(&crate::manifest::expected::Relation) -> usize| relations.iter().map(count).sum::<usize>() as u64;
    let parts = [
        ((manifest.expected.schemas.len() as u64).max(entries(&["SCHEMA"])), "schema"),
        (of_kind(&[RelationKind::Table, RelationKind::PartitionedTable]) + entries(&["TABLE"]), "table"),
        (manifest.row_count(), "row"),
        (of_kind(&[RelationKind::View]) + entries(&["VIEW"]), "view"),
        (of_kind(&[RelationKind::MaterializedView]) + entries(&["MATERIALIZED VIEW"]), "materialized view"),
        (
            sum(|one| one.constraints.len()) + entries(&["CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT"]),
            "constraint",
        ),
        (sum(|one| one.triggers.len()) + entries(&["TRIGGER"]), "trigger"),
        ((manifest.expected.sequences.len() as u64).max(entries(&["SEQUENCE"])), "sequence"),
        ((manifest.expected.routines.len() as u64).max(entries(&["FUNCTION", "PROCEDURE", "AGGREGATE"])), "routine"),
        (manifest.large_objects.as_ref().map_or(0, |objects| objects.count), "large object"),
    ];
    let mut words: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| counted(count, noun)).collect();
    for (count, noun) in [
        (sum(|one| one.policies.len()) + entries(&["POLICY"]), "policy"),
        (sum(|one| one.indexes.len()) + entries(&["INDEX"]), "index"),
    ] {
        if count > 0 {
            words.push(counted(count, noun));
        }
    }
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// `db status`.
pub fn status(statuses: &[Status], max_age: Duration, now: DateTime<Utc>, paint: Paint) -> String {
    let mut text = String::new();
    for status in statuses {
        let (color, word) = match status.verdict {
            Verdict::Fine => (Color::Good, "fine"),
            Verdict::TooOld => (Color::Bad, "TOO OLD"),
            Verdict::Missing => (Color::Bad, "MISSING"),
            Verdict::FutureDated => (Color::Bad, "DATED IN THE FUTURE"),
        };
        let fact = match &status.newest {
            Some(newest) => format!(
                "newest good backup {} is {} old (at most {})",
                newest.id,
                show_duration(newest.age),
                show_duration(max_age)
            ),
            None if status.future_count > 0 => format!(
                "all {} are dated in the future; this machine's clock says {}",
                counted(status.future_count as u64, "good backup"),
                clock(now)
            ),
            None => "no good backup".to_owned(),
        };
        let others: String = status.others.iter().map(|(word, count)| format!(", {count} {word}")).collect();
        let label = if status.database.is_empty() { "store" } else { &status.database };
        let counts = format!("{} good{others}", status.good_count);
        let _ = writeln!(text, "{}: {}: {fact}; {counts}", line(label), paint.text(color, word)); // a string
        for remark in &status.remarks {
            let _ = writeln!(text, "  {}", line(remark)); // writing to a string cannot fail
        }
    }
    text
}

/// `db accept`.
pub fn accept(outcome: &crate::accept::Outcome, paint: Paint) -> String {
    let word = paint.text(condition_color(&outcome.condition), outcome.condition.word());
    format!("backup {}: accepted, now {word}\n  {:<10} {}\n", line(&outcome.backup), "evidence", line(&outcome.key))
}

/// The decisions of `db prune` and of the retention behind a backup.
pub fn decisions(decisions: &[Decision], paint: Paint) -> String {
    let mut table = Table::new(&[
        ("DATABASE", Align::Left),
        ("BACKUP", Align::Left),
        ("STATE", Align::Left),
        ("ACTION", Align::Left),
        ("REASONS", Align::Left),
    ]);
    for decision in decisions {
        let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
        let (word, color) = match decision.action {
            Action::Keep => ("keep", Color::Good),
            Action::Delete => ("delete", Color::Bad),
        };
        let backup = &decision.backup;
        let state = backup.completeness.word().to_owned();
        table.row([backup.database.clone(), backup.id.to_string(), state, word.to_owned(), reasons.join(", ")]);
        table.color(3, color);
    }
    table.render(paint)
}

/// `db prune`.
pub fn prune(plan: &Plan, outcome: Option<&Outcome>, paint: Paint) -> String {
    let mut text = decisions(&plan.decisions, paint);
    let mut add = |words: String| {
        let _ = writeln!(text, "{}", line(&words)); // writing to a string cannot fail
    };
    for remnant in &plan.interrupted {
        add(format!("{}: its deletion was interrupted: delete", remnant.name));
    }
    for remnant in &plan.leftovers {
        add(format!("{}: left by a run that died: delete, {}", remnant.name, ByteSize(remnant.bytes)));
    }
    for one in &plan.untouched {
        add(format!("{}: keep: {}", one.name, one.reason));
    }
    let Some(outcome) = outcome else {
        let count = plan.doomed().count() + plan.interrupted.len() + plan.leftovers.len();
        add(match count {
            0 => "nothing to delete".to_owned(),
            _ => format!("{} to delete; nothing was deleted: add --yes", counted(count as u64, "backup")),
        });
        return text;
    };
    for one in &outcome.spared {
        add(format!("{}: not deleted: {}", one.name, one.reason));
    }
    for (name, kept) in &outcome.hidden {
        add(format!("{name}: hidden, not freed: {kept}"));
    }
    add(pruned(outcome, "backup"));
    text
}

/// `deleted 2 backups, 3.0 MiB freed`, and what was not.
pub(super) fn pruned(outcome: &Outcome, noun: &str) -> String {
    let mut text =
        format!("deleted {}, {} freed", counted(outcome.deleted.len() as u64, noun), ByteSize(outcome.bytes));
    if outcome.hidden_bytes > 0 {
        text.push_str(&format!("; {} hidden, not freed", ByteSize(outcome.hidden_bytes)));
    }
    if !outcome.failed.is_empty() {
        text.push_str(&format!("; {} could not be deleted", outcome.failed.len()));
    }
    text
}

#[cfg(test)]
mod tests;
