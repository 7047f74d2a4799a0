//! The objects that must be there and the volume of the data, as far as archive and manifest tell: no server is asked.

use std::collections::{BTreeMap, HashSet};

use crate::archive::toc::{Entry, Toc};
use crate::count::{counted, grouped};
use crate::manifest::Manifest;
use crate::manifest::expected::{Constraint, Expected, Relation};
use crate::shelf::shrinkage::{self, Volatile};

use super::outcome::LevelReport;
use super::wish::{PolicyWish, TableWish, Volume, Wishes, is_named};
use super::{FindingKind, Level};

/// Looks at everything that was wished for and at what the manifest says must be in the archive.
pub(super) fn check(
    toc: Option<&Toc>,
    manifest: Option<&Manifest>,
    previous: Option<&Manifest>,
    required_tables: &[String],
    wishes: &Wishes,
) -> LevelReport {
    let mut report = LevelReport::new(Level::Expectations);
    for name in required_tables {
        required(name, toc, manifest, &mut report);
    }
    for wish in &wishes.tables {
        match manifest {
            Some(manifest) => wished_table(wish, manifest, &mut report),
            None => {
                required(&wish.name, toc, None, &mut report);
                report.not_checked(format!("what verify.toml says of {}", wish.name), "the archive has no manifest");
            }
        }
    }
    if let Some(manifest) = manifest {
        if let Some(toc) = toc {
            entry_counts(toc, &manifest.expected, &mut report);
            if manifest.archive.has_schema && manifest.filters.is_empty() {
                entries(toc, &manifest.expected, &mut report);
            }
        }
        if let Some(previous) = previous {
            volume(manifest, previous, wishes.volume, &mut report);
        }
    }
    report
}

fn required(name: &str, toc: Option<&Toc>, manifest: Option<&Manifest>, report: &mut LevelReport) {
    report.checked("required tables", 1_u64);
    let in_manifest = manifest.is_some_and(|manifest| {
        manifest.expected.relations.iter().any(|relation| is_named(name, &relation.schema, &relation.name))
    });
    let is_table =
        |entry: &&Entry| matches!(entry.kind.as_str(), "TABLE" | "FOREIGN TABLE" | "VIEW" | "MATERIALIZED VIEW");
    let in_archive = toc.is_some_and(|toc| {
        toc.entries
            .iter()
            .filter(is_table)
            .any(|entry| is_named(name, entry.schema.as_deref().unwrap_or(""), &entry.tag))
    });
    match (toc, manifest) {
        (None, None) => report.not_checked(format!("required table {name}"), "the archive has no table of contents"),
        (Some(_), _) if !in_archive => report.unmet(FindingKind::TableMissing, name, "the archive has no such table"),
        (None, Some(_)) if !in_manifest => {
            report.unmet(FindingKind::TableMissing, name, "the backup has no such table")
        }
        (Some(_) | None, _) => {}
    }
}

fn wished_table(wish: &TableWish, manifest: &Manifest, report: &mut LevelReport) {
    report.checked("required tables", 1_u64);
    let named = |relation: &&Relation| is_named(&wish.name, &relation.schema, &relation.name);
    let Some(relation) = manifest.expected.relations.iter().find(named) else {
        report.unmet(FindingKind::TableMissing, &wish.name, "the backup has no such table");
        return;
    };
    let full = format!("{}.{}", relation.schema, relation.name);
    if let Some(least) = wish.min_rows {
        report.checked("row counts", 1_u64);
        let tables =
            manifest.tables.iter().filter(|table| table.schema == relation.schema && table.name == relation.name);
        let rows: u64 = tables.map(|table| table.rows).sum();
        if rows < least {
            report.unmet(
                FindingKind::RowCount,
                &full,
                format!("{}, at least {} are wished for", counted(rows, "row"), grouped(least)),
            );
        }
    }
    for (what, wished, found) in [
        ("enabled", wish.row_security, relation.row_security),
        ("forced", wish.force_row_security, relation.force_row_security),
    ] {
        let Some(wished) = wished else { continue };
        report.checked("row security flags", 1_u64);
        if wished != found {
            let detail = format!("row-level security {what}: {wished} is wished for, found {found}");
            report.unmet(FindingKind::RowSecurityDiffers, &full, detail);
        }
    }
    let mut parts = |what, kind, wished: &[String], good: &dyn Fn(&str) -> Option<bool>, bad: &str| {
        for name in wished {
            report.checked(what, 1_u64);
            match good(name) {
                Some(true) => {}
                Some(false) => report.unmet(kind, format!("{full}.{name}"), bad),
                None => report.unmet(kind, format!("{full}.{name}"), "the backup has no such thing"),
            }
        }
    };
    let columns = |name: &str| relation.columns.iter().find(|column| column.name == name).map(|_| true);
    parts("columns", FindingKind::ColumnDiffers, &wish.columns, &columns, "");
    let indexes = |name: &str| relation.indexes.iter().find(|index| index.name == name).map(|index| index.valid);
    parts("indexes", FindingKind::IndexDiffers, &wish.indexes, &indexes, "it is not valid");
    let constraints =
        |name: &str| relation.constraints.iter().find(|item| item.name == name).map(|constraint| constraint.validated);
    parts("constraints", FindingKind::ConstraintDiffers, &wish.constraints, &constraints, "it is not validated");
    let triggers = |name: &str| relation.triggers.iter().find(|item| item.name == name).map(|item| item.enabled != "D");
    parts("triggers", FindingKind::TriggerDiffers, &wish.triggers, &triggers, "it is disabled");
    for policy in &wish.policies {
        wished_policy(policy, relation, &format!("{full}.{}", policy.name), report);
    }
}

fn wished_policy(wish: &PolicyWish, relation: &Relation, object: &str, report: &mut LevelReport) {
    report.checked("policies", 1_u64);
    let Some(policy) = relation.policies.iter().find(|policy| policy.name == wish.name) else {
        report.unmet(FindingKind::PolicyDiffers, object, "the table has no such policy");
        return;
    };
    let mut same = |what: &str, wished: Option<String>, found: String| {
        if let Some(wished) = wished
            && wished != found
        {
            report.unmet(FindingKind::PolicyDiffers, object, format!("{what}: {wished} is wished for, found {found}"));
        }
    };
    let sorted = |mut roles: Vec<String>| {
        roles.sort();
        roles.join(", ")
    };
    let none = || "none".to_owned();
    same("command", wish.command.clone(), policy.command.clone());
    same("permissive", wish.permissive.map(|flag| flag.to_string()), policy.permissive.to_string());
    same("roles", wish.roles.clone().map(sorted), sorted(policy.roles.clone()));
    same("USING", wish.using.clone(), policy.using.clone().unwrap_or_else(none));
    same("WITH CHECK", wish.with_check.clone(), policy.with_check.clone().unwrap_or_else(none));
}

/// The archive has as many entries of each kind as the manifest says.
fn entry_counts(toc: &Toc, expected: &Expected, report: &mut LevelReport) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in &toc.entries {
        *counts.entry(&entry.kind).or_default() += 1;
    }
    for kind in expected.entry_counts.keys().map(String::as_str).chain(counts.keys().copied()).collect::<HashSet<_>>() {
        let (wanted, found) =
            (expected.entry_counts.get(kind).copied().unwrap_or(0), counts.get(kind).copied().unwrap_or(0));
        if wanted != found {
            let detail = format!("{found} entries in the archive, the manifest says {wanted}");
            report.find(FindingKind::EntryCount, kind, detail);
        }
    }
    report.checked("entries", toc.entries.len());
}

/// The archive has an entry for everything that the source had. The list comes from queries that share nothing with those
/// that the archive was made from.
fn entries(toc: &Toc, expected: &Expected, report: &mut LevelReport) {
    let present: HashSet<(&str, &str, &str)> = toc
        .entries
        .iter()
        .map(|entry| (entry.kind.as_str(), entry.schema.as_deref().unwrap_or(""), entry.tag.as_str()))
        .collect();
    let mut need = |what: &str, missing: FindingKind, kinds: &[&str], schema: &str, tag: &str| {
        report.checked(what, 1_u64);
        if !kinds.iter().any(|kind| present.contains(&(*kind, schema, tag))) {
            report.find(
                missing,
                format!("{schema}.{tag}"),
                format!("the archive has no {} of this name", kinds.join(" or ")),
            );
        }
    };
    for relation in &expected.relations {
        let schema = &relation.schema;
        need("tables and views", FindingKind::TableMissing, &[relation.kind.entry_kind()], schema, &relation.name);
        if relation.row_security {
            need("row security flags", FindingKind::RowSecurityDiffers, &["ROW SECURITY"], schema, &relation.name);
        }
        let part = |part: &str| format!("{} {part}", relation.name);
        for policy in &relation.policies {
            need("policies", FindingKind::PolicyDiffers, &["POLICY"], schema, &part(&policy.name));
        }
        for trigger in &relation.triggers {
            need("triggers", FindingKind::TriggerDiffers, &["TRIGGER"], schema, &part(&trigger.name));
        }
        for index in relation.indexes.iter().filter(|index| index.is_dumped(relation.kind)) {
            let makes_it = |constraint: &&Constraint| constraint.name == index.name && constraint.has_index();
            if relation.constraints.iter().any(|constraint| makes_it(&constraint)) {
                need("indexes", FindingKind::IndexDiffers, &["CONSTRAINT"], schema, &part(&index.name));
            } else {
                need("indexes", FindingKind::IndexDiffers, &["INDEX"], schema, &index.name);
            }
        }
    }
    for sequence in &expected.sequences {
        need("sequences", FindingKind::SequenceDiffers, &["SEQUENCE"], &sequence.schema, &sequence.name);
    }
    for schema in expected.schemas.iter().filter(|schema| schema.name != "public") {
        need("schemas", FindingKind::ObjectMissing, &["SCHEMA"], "", &schema.name);
    }
    for extension in &expected.extensions {
        need("extensions", FindingKind::ExtensionDiffers, &["EXTENSION"], "", &extension.name);
    }
}

/// Compares how much data there is with the backup before, as `backup` does when it judges its source.
fn volume(manifest: &Manifest, previous: &Manifest, limit: Volume, report: &mut LevelReport) {
    report.checked("volumes", previous.tables.len());
    match Volatile::parse(&manifest.volatile) {
        Ok(volatile) => {
            for one in shrinkage::find(manifest, previous, &volatile, limit.max_shrink_percent) {
                report.unmet(FindingKind::Volume, one.object, one.detail);
            }
        }
        Err(error) => report.not_checked("volumes", error.message()),
    }
}
