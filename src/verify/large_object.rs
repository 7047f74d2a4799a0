//! Compares whose the large objects are and who may use them. Their contents are compared by their digest.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use super::FindingKind;
use super::definition::Item;
use super::outcome::LevelReport;
use super::structure::Terms;

/// Large objects that are named of those that differ.
const NAMED_MAX: usize = 8;

/// One large object in few bytes: there may be millions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    owner: u64,
    /// A sum over the statements, which may come in any order.
    rights: u64,
}

/// Adds a finding for what differs. Archives name large objects one by one or in groups.
pub(super) fn compare(archived: &[Item<'_>], live: &[Item<'_>], terms: Terms, report: &mut LevelReport) {
    let state = RandomState::new();
    let (expected, found) = (facts(archived, &state), facts(live, &state));
    let differ = |is_other: fn(&Facts, &Facts) -> bool| -> Vec<u32> {
        let both = expected.iter().filter_map(|(oid, one)| Some((*oid, one, found.get(oid)?)));
        both.filter(|(_, one, other)| is_other(one, other)).map(|(oid, _, _)| oid).collect()
    };
    if terms.owners {
        tell(FindingKind::OwnerDiffers, &differ(|one, other| one.owner != other.owner), report);
    }
    if terms.rights {
        tell(FindingKind::RightsDiffer, &differ(|one, other| one.rights != other.rights), report);
    }
}

fn tell(kind: FindingKind, oids: &[u32], report: &mut LevelReport) {
    if oids.is_empty() {
        return;
    }
    let mut names: Vec<String> = oids.iter().take(NAMED_MAX).map(u32::to_string).collect();
    if oids.len() > NAMED_MAX {
        names.push(format!("and {} more", oids.len() - NAMED_MAX));
    }
    report.find(kind, format!("LARGE OBJECT {}", names.join(", ")), "not as in the backup");
}

fn facts(items: &[Item<'_>], state: &RandomState) -> BTreeMap<u32, Facts> {
    let mut facts: BTreeMap<u32, Facts> = BTreeMap::new();
    let mut groups: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
    for item in items {
        let oids: Vec<u32> = match item.kind {
            "BLOB" => item.tag.parse().ok().into_iter().collect(),
            "BLOB METADATA" => item.create.lines().filter_map(|line| line.parse().ok()).collect(),
            _ => continue,
        };
        for oid in &oids {
            facts.entry(*oid).or_default().owner = state.hash_one(item.owner);
        }
        groups.insert(item.id, oids);
    }
    for item in items.iter().filter(|item| item.kind == "ACL" && item.tag.starts_with("LARGE OBJECT")) {
        let group = item.dependencies.iter().find_map(|id| groups.get(id));
        let is_for_all = item.tag.starts_with("LARGE OBJECTS");
        let mut said_by = "";
        for statement in item.create.split(";\n").map(str::trim) {
            const ON: &str = " ON LARGE OBJECT ";
            let Some((before, behind)) = statement.split_once(ON) else {
                said_by = statement;
                continue;
            };
            let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
            let (oid, behind) = behind.split_at(digits);
            let sum = state.hash_one((said_by, before, behind));
            let one: Vec<u32> = oid.parse().ok().into_iter().collect();
            let oids = if is_for_all { group.unwrap_or(&one) } else { &one };
            for oid in oids {
                let rights = &mut facts.entry(*oid).or_default().rights;
                *rights = rights.wrapping_add(sum);
            }
        }
    }
    facts
}
