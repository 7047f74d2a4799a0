//! The levels behind the files: what the pass over the bytes says about archive and rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::archive::toc::Entry;
use crate::codec::digest::{LargeObjectSummary, RowSummary};
use crate::count::{counted, grouped};
use crate::manifest::{Manifest, Table};

use super::contents::{Contents, entry_name};
use super::outcome::LevelReport;
use super::{FindingKind, Level};

/// Every entry and every data block.
pub(super) fn archive(contents: Option<&Contents>, manifest: Option<&Manifest>) -> LevelReport {
    let mut report = LevelReport::new(Level::Archive);
    let Some(contents) = contents else {
        report.not_checked("the archive", "its file could not be read");
        return report;
    };
    for damage in &contents.damage {
        report.find(damage.kind, &damage.object, &damage.detail);
    }
    report.checked("decompressed bytes", contents.byte_count);
    if let Some(toc) = &contents.toc {
        report.checked("entries", toc.entries.len());
        report.checked("data blocks", contents.decoded.len());
        debug_assert!(contents.decoded.len() <= contents.data_entry_count(), "every block has its entry");
        if let Some(manifest) = manifest
            && manifest.archive.entry_count != toc.entries.len() as u64
        {
            let detail =
                format!("{} in the archive, {} in the manifest", toc.entries.len(), manifest.archive.entry_count);
            report.find(FindingKind::EntryCount, "archive", detail);
        }
    }
    report
}

/// Each table's rows, and the large objects, against the manifest.
pub(super) fn rows(contents: Option<&Contents>, manifest: Option<&Manifest>) -> LevelReport {
    let mut report = LevelReport::new(Level::Rows);
    let Some(contents) = contents else {
        report.not_checked("rows", "the archive could not be read");
        return report;
    };
    let Some(manifest) = manifest else {
        let rows: u64 = contents.rows.values().map(|summary| summary.row_count).sum();
        report.not_checkable("rows", format!("there is no manifest to compare them with; {rows} were counted"));
        return report;
    };
    records(contents, manifest, &mut report);
    let damaged: BTreeSet<i32> = contents.damage.iter().filter_map(|damage| damage.dump_id).collect();
    let unknown = contents.damage.iter().any(|damage| damage.dump_id.is_none());
    for table in &manifest.tables {
        let name = format!("{}.{}", table.schema, table.name);
        match contents.rows.get(&table.dump_id) {
            Some(found) => compare(table, &name, *found, &mut report),
            None if damaged.contains(&table.dump_id) || unknown => {
                report.not_checked(format!("rows of {name}"), "the archive is damaged there");
            }
            None if contents.decoded.contains(&table.dump_id) => {
                report.not_checked(format!("rows of {name}"), "they could not be counted");
            }
            None => {
                report.find(FindingKind::DataMissing, &name, format!("there should be {}", counted(table.rows, "row")))
            }
        }
    }
    large_objects(contents, manifest, unknown, &mut report);
    report
}

/// Each table's rows in the archive have exactly one record in the manifest, and each record has its rows: what is in no
/// record is compared with nothing.
fn records(contents: &Contents, manifest: &Manifest, report: &mut LevelReport) {
    let mut records: BTreeMap<i32, Vec<&Table>> = BTreeMap::new();
    for table in &manifest.tables {
        records.entry(table.dump_id).or_default().push(table);
    }
    for (dump_id, tables) in records.iter().filter(|(_, tables)| tables.len() > 1) {
        let name = tables.first().map(|table| format!("{}.{}", table.schema, table.name)).unwrap_or_default();
        report.find(FindingKind::TableRecord, name, format!("entry {dump_id} has {}", counted(tables.len(), "record")));
    }
    let Some(toc) = &contents.toc else {
        // SQL text has no entries; how many there were is told elsewhere in the manifest
        let expected = manifest.expected.entry_counts.get("TABLE DATA").copied().unwrap_or_default();
        let found = manifest.tables.len() as u64;
        if expected != found {
            let detail = format!("{found} records, the archive was written with the rows of {expected} tables");
            report.find(FindingKind::TableRecord, "manifest", detail);
        }
        return;
    };
    let entries: BTreeMap<i32, &Entry> =
        toc.entries.iter().filter(|entry| entry.kind == "TABLE DATA").map(|entry| (entry.dump_id, entry)).collect();
    for (dump_id, entry) in entries.iter().filter(|(dump_id, _)| !records.contains_key(dump_id)) {
        report.find(FindingKind::TableRecord, entry_name(entry), format!("no record of entry {dump_id}"));
    }
    for table in &manifest.tables {
        let entry = entries.get(&table.dump_id);
        let is_same =
            entry.is_some_and(|entry| entry.tag == table.name && entry.schema.as_deref() == Some(&table.schema));
        if !is_same {
            let what = entry.map_or_else(|| "no rows of a table".to_owned(), |entry| entry_name(entry));
            let name = format!("{}.{}", table.schema, table.name);
            report.find(FindingKind::TableRecord, name, format!("its entry {} is {what}", table.dump_id));
        }
    }
}

fn compare(table: &Table, name: &str, found: RowSummary, report: &mut LevelReport) {
    report.checked("tables", 1_u64);
    report.checked("rows", found.row_count);
    if found.row_count != table.rows {
        report.find(
            FindingKind::RowCount,
            name,
            format!("{}, the source had {}", counted(found.row_count, "row"), grouped(table.rows)),
        );
    } else if found.digest != table.digest.0 || found.byte_count != table.bytes {
        let detail = format!(
            "{}, digest {:032x} in {}; the source had {} in {}",
            counted(found.row_count, "row"),
            found.digest,
            counted(found.byte_count, "byte"),
            table.digest,
            grouped(table.bytes)
        );
        report.find(FindingKind::RowDigest, name, detail);
    }
}

fn large_objects(contents: &Contents, manifest: &Manifest, unknown: bool, report: &mut LevelReport) {
    let wanted = manifest.large_objects.as_ref().map_or(LargeObjectSummary::default(), |objects| LargeObjectSummary {
        count: objects.count,
        byte_count: objects.bytes,
        digest: objects.digest.0,
    });
    let entries = contents.toc.as_ref().map_or(&[][..], |toc| &toc.entries);
    let hit = entries
        .iter()
        .filter(|entry| entry.is_large_objects())
        .any(|entry| contents.damage.iter().any(|damage| damage.dump_id == Some(entry.dump_id)));
    if hit || (unknown && wanted.count > 0) {
        report.not_checked("large objects", "the archive is damaged there");
    } else if contents.toc.is_none() {
        if wanted.count > 0 {
            let why = "a plain dump writes them by function calls; its checksum covers them";
            report.not_checkable("large objects", why);
        }
    } else if wanted != contents.large_objects {
        let found = contents.large_objects;
        let detail = format!(
            "{} in {} bytes, digest {:032x}; the source had {} in {}, {:032x}",
            found.count, found.byte_count, found.digest, wanted.count, wanted.byte_count, wanted.digest
        );
        report.find(FindingKind::LargeObjects, "large objects", detail);
    } else {
        report.checked("large objects", wanted.count);
    }
}
