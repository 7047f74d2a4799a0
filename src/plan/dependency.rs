//! What each entry needs before it: the objects' dependencies, led through those that have no entry.

use std::collections::{HashMap, HashSet};

use super::graph::{self, Graph, slot};
use crate::object::{Detail, DumpId, Entry, Inventory, class};

/// A path through objects without entries can fan out and meet again; past so many, each need is told once.
const REPEATED_MAX: usize = 10_000;

/// Gives each entry that does not say itself what it needs the dependencies of its object.
///
/// An object without an entry is replaced by what it needs itself. The borders are left out: by them everything would
/// need everything.
pub(super) fn resolve(entries: &mut [Entry], inventory: &Inventory) {
    let written: HashSet<DumpId> = entries.iter().map(|entry| entry.id).collect();
    let mut known: HashMap<DumpId, Vec<DumpId>> = HashMap::new();
    for entry in entries.iter_mut().filter(|entry| entry.dependencies.is_none()) {
        let is_object = usize::try_from(entry.id.0).is_ok_and(|id| id <= inventory.objects().len());
        let needs = if is_object { needs(entry.id, inventory, &written, &mut known) } else { Vec::new() };
        entry.dependencies = Some(needs);
    }
}

/// The entries that an object needs. The loops are broken by now, so that this ends; the stack is our own because the
/// way through objects without entries can be long.
fn needs(
    id: DumpId,
    inventory: &Inventory,
    written: &HashSet<DumpId>,
    known: &mut HashMap<DumpId, Vec<DumpId>>,
) -> Vec<DumpId> {
    let mut stack = vec![(id, false)];
    while let Some((current, is_ready)) = stack.pop() {
        if known.contains_key(&current) {
            continue;
        }
        let object = inventory.get(current);
        if matches!(object.detail, Detail::PreDataBoundary | Detail::PostDataBoundary) {
            known.insert(current, Vec::new());
            continue;
        }
        let unwritten = object.dependencies.iter().filter(|id| !written.contains(id));
        if !is_ready {
            stack.push((current, true));
            stack.extend(unwritten.filter(|id| !known.contains_key(id)).map(|id| (*id, false)));
            continue;
        }
        let mut found = Vec::new();
        for need in &object.dependencies {
            if written.contains(need) {
                found.push(*need);
            } else if let Some(further) = known.get(need) {
                found.extend(further);
            }
        }
        if found.len() > REPEATED_MAX {
            let mut seen = HashSet::new();
            found.retain(|id| seen.insert(*id));
        }
        known.insert(current, found);
    }
    known.get(&id).cloned().unwrap_or_default()
}

/// Puts the dependencies that the order was made by back into the inventory, without those on the borders.
pub(super) fn write_back(graph: &Graph, inventory: &mut Inventory, borders: (DumpId, DumpId)) {
    for object in inventory.objects_mut() {
        if object.id == borders.0 || object.id == borders.1 {
            object.dependencies.clear();
            continue;
        }
        let needs = graph.node(slot(object.id)).needs.iter().map(|slot| graph::id(*slot));
        object.dependencies = needs.filter(|id| *id != borders.0 && *id != borders.1).collect();
    }
}

/// When rows are dumped without definitions, the foreign keys are there while they load: rows that are referred to come
/// first.
pub(super) fn order_rows_by_foreign_keys(inventory: &mut Inventory) {
    let data = |inventory: &Inventory, table: DumpId| inventory.table(table).and_then(|table| table.data);
    let pairs: Vec<(DumpId, DumpId)> = (inventory.objects().iter())
        .filter_map(|object| {
            let Detail::Constraint(constraint) = &object.detail else { return None };
            let referenced = constraint.referenced?;
            Some((data(inventory, constraint.table)?, data(inventory, referenced)?))
        })
        .collect();
    for (referring, referenced) in pairs {
        inventory.get_mut(referring).dependencies.push(referenced);
    }
}

/// The rows of extensions' configuration tables are loaded while the foreign keys between them are there already.
///
/// `keys` has the oids of the referring and of the referenced table of each such foreign key.
pub fn order_configuration_rows(inventory: &mut Inventory, keys: &[(u32, u32)]) {
    let data = |inventory: &Inventory, oid: u32| inventory.table(inventory.find(class::PG_CLASS, oid)?)?.data;
    for &(referring, referenced) in keys {
        if let (Some(referring), Some(referenced)) = (data(inventory, referring), data(inventory, referenced)) {
            inventory.get_mut(referring).dependencies.push(referenced);
        }
    }
}
