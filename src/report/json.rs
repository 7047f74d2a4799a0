//! `--output json`: one versioned object on stdout.
//!
//! ```json
//! {"format": "pgproof-result", "format_version": 1, "command": "list", "run": "...", "exit_code": 0, "result": {...}}
//! ```
//!
//! A failed run has `error` instead of `result`. Members may be added within a version; none changes its meaning.

use serde_json::{Map, Value, json};

use super::redact;
use crate::error::{Error, ErrorKind};
use crate::list::Row;
use crate::manifest::{Condition, Evidence, Summary};
use crate::prune::{Outcome, Plan, Remnant, Untouched};
use crate::retention::{Action, Decision};
use crate::show::Details;
use crate::status::Status;
use crate::store::Kept;
use crate::{accept, backup, drill, restore, upload, verify};

/// The version of the object's form.
pub const FORMAT_VERSION: u64 = 1;

/// The object for one run, with a newline at its end.
pub fn document(command: &str, run: &str, exit_code: u8, member: &str, content: Value) -> String {
    let mut document = Map::new();
    document.insert("format".to_owned(), "pgproof-result".into());
    document.insert("format_version".to_owned(), FORMAT_VERSION.into());
    document.insert("command".to_owned(), command.into());
    document.insert("run".to_owned(), run.into());
    document.insert("exit_code".to_owned(), exit_code.into());
    document.insert(member.to_owned(), clean(content));
    format!("{:#}\n", Value::Object(document))
}

/// The value with passwords taken out of every text. Control characters stay: JSON escapes them.
pub fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact::redact(&text).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(clean).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, clean(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// An error.
pub fn error(error: &Error) -> Value {
    json!({
        "kind": kind(error.kind()),
        "message": error.message(),
        "detail": error.detail_text(),
        "hint": error.hint_text(),
    })
}

/// An error's kind: a name that stays.
pub const fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Bug => "bug",
        ErrorKind::Usage => "usage",
        ErrorKind::Config => "config",
        ErrorKind::Damage => "damage",
        ErrorKind::Partial => "partial",
        ErrorKind::Refused => "refused",
        ErrorKind::Connect => "connect",
        ErrorKind::Server => "server",
        ErrorKind::Store => "store",
        ErrorKind::Throttled => "throttled",
        ErrorKind::Archive => "archive",
        ErrorKind::Decrypt => "decrypt",
        ErrorKind::Locked => "locked",
        ErrorKind::Disk => "disk",
        ErrorKind::Authentication => "authentication",
        ErrorKind::NoDatabase => "no_database",
        ErrorKind::RowSecurity => "row_security",
        ErrorKind::NoBucket => "no_bucket",
        ErrorKind::Interrupted => "interrupted",
    }
}

/// `db list`.
pub fn list(store: &str, rows: &[Row]) -> Value {
    json!({"store": store, "backups": rows.iter().map(row).collect::<Vec<_>>()})
}

fn row(row: &Row) -> Value {
    let detail = condition_detail(&row.condition);
    let mut value = json!({
        "database": row.database,
        "id": row.id,
        "state": row.condition.word(),
        "state_detail": detail,
        "stored_bytes": row.stored_bytes,
    });
    if let (Value::Object(members), Some(content)) = (&mut value, &row.content) {
        let more = json!({
            "time": content.time,
            "format": content.format,
            "compression": content.compression,
            "server_version": content.server_version,
            "tables": content.table_count,
            "rows": content.row_count,
            "data_bytes": content.data_bytes,
        });
        if let Value::Object(more) = more {
            members.extend(more);
        }
    }
    value
}

/// What is to be known of a state besides its word.
fn condition_detail(condition: &Condition) -> Value {
    match condition {
        Condition::Filtered { filters, .. } => json!(filters),
        Condition::Unreadable(reason) => json!(reason),
        Condition::Partial(count) => json!({"skipped": count}),
        Condition::Suspect(reasons) => json!(reasons),
        Condition::Damaged { proof, reason } => json!({"proof": proof, "reason": reason}),
        Condition::Good | Condition::Deleting | Condition::Unfinished | Condition::LeftOver => Value::Null,
    }
}

/// `db show`: the manifest as it is stored, and what lies beside it.
pub fn show(details: &Details) -> Value {
    json!({
        "place": details.place,
        "state": details.condition.word(),
        "state_detail": condition_detail(&details.condition),
        "good": details.condition.counts(false),
        "proofs": details.evidence.proofs.iter().map(|proof| json!({
            "path": proof.path,
            "kind": proof.kind,
            "begun": proof.begun,
            "verdict": proof.verdict,
            "level": proof.depth,
            "reasons": proof.reasons,
        })).collect::<Vec<_>>(),
        "accepted": details.evidence.acceptances.iter()
            .map(|one| json!({"path": one.path, "time": one.time, "reason": one.reason})).collect::<Vec<_>>(),
        "unusable_evidence": details.evidence.unusable.iter()
            .map(|(path, why)| json!({"path": path, "reason": why})).collect::<Vec<_>>(),
        "strangers": details.strangers,
        "manifest": serde_json::to_value(&details.manifest).unwrap_or_default(),
    })
}

/// `db status`.
pub fn status(store: &str, statuses: &[Status], max_age_seconds: u64) -> Value {
    let one = |status: &Status| {
        json!({
            "database": status.database,
            "verdict": status.verdict.word(),
            "newest": status.newest.as_ref().map(|newest| json!({
                "id": newest.id,
                "time": newest.time,
                "age_seconds": newest.age.as_secs(),
            })),
            "good_backups": status.good_count,
            "future_backups": status.future_count,
            "other_backups": status.other_count(),
            "others": status.others,
            "remarks": status.remarks,
        })
    };
    json!({
        "store": store,
        "max_age_seconds": max_age_seconds,
        "databases": statuses.iter().map(one).collect::<Vec<_>>(),
    })
}

/// `db prune`: what was decided, and what was done unless it was a dry run.
pub fn prune(store: &str, plan: &Plan, outcome: Option<&Outcome>) -> Value {
    let remnant = |one: &Remnant| json!({"name": one.name, "touched": one.touched, "bytes": one.bytes});
    let untouched = |one: &Untouched| json!({"name": one.name, "reason": one.reason});
    json!({
        "store": store,
        "dry_run": outcome.is_none(),
        "decisions": plan.decisions.iter().map(decision).collect::<Vec<_>>(),
        "interrupted": plan.interrupted.iter().map(remnant).collect::<Vec<_>>(),
        "leftovers": plan.leftovers.iter().map(remnant).collect::<Vec<_>>(),
        "untouched": plan.untouched.iter().map(untouched).collect::<Vec<_>>(),
        "done": outcome.map(pruned),
    })
}

/// `db backup`.
pub fn backup(outcome: &backup::Outcome) -> Value {
    let manifest = &outcome.manifest;
    let condition = Condition::of(&Summary::from(manifest), &Evidence::default());
    json!({
        "id": manifest.id,
        "database": manifest.source.database,
        "place": outcome.place,
        "state": condition.word(),
        "good": condition.counts(false),
        "time": manifest.snapshot.time,
        "format": manifest.archive.format,
        "compression": manifest.archive.compression,
        "tables": manifest.tables.len(),
        "rows": manifest.row_count(),
        "data_bytes": manifest.data_bytes(),
        "archive_bytes": outcome.archive_bytes,
        "stored_bytes": manifest.stored_bytes(),
        "filters": manifest.filters,
        "skipped": manifest.skipped,
        "warnings": manifest.warnings,
        "timings": manifest.timings,
        "suspicions": manifest.suspicions,
        "pruned": outcome.pruned.as_ref().map(pruned),
        "retention_error": outcome.retention_error.as_ref().map(error),
    })
}

fn pruned(outcome: &Outcome) -> Value {
    let untouched = |one: &Untouched| json!({"name": one.name, "reason": one.reason});
    json!({
        "deleted": outcome.deleted,
        "bytes": outcome.bytes,
        "hidden": outcome.hidden.iter().map(|(name, kept)| json!({
            "name": name,
            "until": match kept {
                Kept::Until(time) => json!(time),
                Kept::LegalHold | Kept::Days(_) | Kept::Unlimited => Value::Null,
            },
            "kept": kept.to_string(),
        })).collect::<Vec<_>>(),
        "hidden_bytes": outcome.hidden_bytes,
        "spared": outcome.spared.iter().map(untouched).collect::<Vec<_>>(),
        "failed": outcome.failed.iter().map(|(name, failure)| json!({"name": name, "error": error(failure)}))
            .collect::<Vec<_>>(),
    })
}

/// `db restore --dry-run`.
pub fn restore_plan(plan: &restore::Summary) -> Value {
    json!({
        "dry_run": true,
        "source": plan.source,
        "origin": plan.origin,
        "target": plan.target,
        "database": plan.database,
        "created": plan.created,
        "drops": plan.drop_count,
        "creates_database": plan.creates_database,
        "drops_database": plan.drops_database,
        "tables": plan.table_count,
        "rows": plan.row_count,
        "bytes": plan.byte_count,
        "existing": plan.existing_count,
        "missing_roles": plan.missing_roles,
        "missing_extensions": plan.missing_extensions,
        "missing_tablespaces": plan.missing_tablespaces,
        "jobs": plan.jobs,
        "warnings": plan.warnings,
    })
}

/// `db restore`.
pub fn restore(outcome: &restore::Outcome) -> Value {
    json!({
        "dry_run": false,
        "database": outcome.database,
        "entries": outcome.entry_count,
        "tables": outcome.table_count,
        "rows": outcome.row_count,
        "bytes": outcome.byte_count,
        "created_roles": outcome.created_roles,
        "warnings": outcome.warnings,
    })
}

/// `db drill`: the evidence as it is stored.
pub fn drill(outcome: &drill::Outcome) -> Value {
    json!({
        "verdict": outcome.proof.verdict,
        "proof": outcome.proof,
        "proof_key": outcome.proof_key,
        "kept": outcome.kept,
        "error": outcome.error.as_ref().map(error),
    })
}

/// `db verify`.
pub fn verify(outcome: &verify::Outcome) -> Value {
    let finding = |finding: &verify::Finding| {
        json!({
            "level": finding.level.name(),
            "kind": finding.kind.name(),
            "object": finding.object,
            "message": finding.kind.message(),
            "detail": finding.detail,
            "hint": finding.kind.hint(),
            "wished": finding.wished,
        })
    };
    json!({
        "target": outcome.target,
        "verdict": outcome.verdict(),
        "requested": outcome.requested,
        "levels": outcome.levels,
        "findings": outcome.findings.iter().map(finding).collect::<Vec<_>>(),
        "notes": outcome.notes,
    })
}

/// `db accept`.
pub fn accept(outcome: &accept::Outcome) -> Value {
    json!({
        "backup": outcome.backup,
        "state": outcome.condition.word(),
        "state_detail": condition_detail(&outcome.condition),
        "good": outcome.condition.counts(false),
        "accepted": outcome.key,
    })
}

/// `db upload`.
pub fn upload(outcome: &upload::Outcome, to: &str) -> Value {
    let copied = |one: &upload::Copied| json!({"name": one.name, "files": one.files, "bytes": one.bytes});
    json!({
        "to": to,
        "backups": outcome.backups.iter().map(copied).collect::<Vec<_>>(),
        "passed_over": outcome.passed_over.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "failed": outcome.failed.iter().map(|(name, failure)| json!({"name": name, "error": error(failure)}))
            .collect::<Vec<_>>(),
    })
}

fn decision(decision: &Decision) -> Value {
    json!({
        "database": decision.backup.database,
        "id": decision.backup.id,
        "time": decision.backup.time,
        "state": decision.backup.completeness.word(),
        "action": match decision.action {
            Action::Keep => "keep",
            Action::Delete => "delete",
        },
        "reasons": decision.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_its_form_and_holds_no_password() {
        let failure = Error::new(ErrorKind::Connect, "could not connect to \"postgres://u:sesame@h/d\"").hint("Try.");
        let text = document("backup", "r1", 10, "error", error(&failure));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["format"], "pgproof-result");
        assert_eq!(value["error"]["kind"], "connect");
        assert_eq!(value["error"]["message"], "could not connect to \"postgres://u:***@h/d\"");
        assert_eq!(value["error"]["detail"], Value::Null);
    }

    #[test]
    fn every_kind_has_its_own_name() {
        let names: std::collections::BTreeSet<&str> = ErrorKind::ALL.into_iter().map(kind).collect();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }
}
