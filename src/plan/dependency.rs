//! What each entry needs before it: the objects' dependencies, led through those that have no entry.

use std::collections::{HashMap, HashSet};

use super::graph::{self, Graph, slot};
use crate::object::{Detail, DumpId, Entry, Inventory, Object, class};

/// A path through objects without entries can fan out and meet again; past so many, each need is told once.
const REPEATED_MAX: usize = 10_000;

/// Gives each entry that does not say itself what it needs the dependencies of its object.
///
/// An object without an entry is replaced by what it needs itself. The borders are left out: by them everything would
/// need everything.
pub(super) fn resolve(entries: &mut [Entry], inventory: &Inventory) {
    let mut resolver = Resolver::new(entries, inventory);
    for entry in entries.iter_mut().filter(|entry| entry.dependencies.is_none()) {
        let needs = inventory.objects().get(slot(entry.id)).map(|object| resolver.needs(object));
        entry.dependencies = Some(needs.unwrap_or_default());
    }
}

struct Resolver<'a> {
    inventory: &'a Inventory,
    /// Which objects have an entry.
    is_written: Vec<bool>,
    /// What the objects without one need, as far as it was asked.
    known: HashMap<DumpId, Vec<DumpId>>,
}

impl<'a> Resolver<'a> {
    fn new(entries: &[Entry], inventory: &'a Inventory) -> Self {
        let mut is_written = vec![false; inventory.objects().len()];
        for entry in entries {
            if let Some(is_written) = is_written.get_mut(slot(entry.id)) {
                *is_written = true;
            }
        }
        Self { inventory, is_written, known: HashMap::new() }
    }

    fn is_written(&self, id: DumpId) -> bool {
        self.is_written.get(slot(id)) == Some(&true)
    }

    /// The entries that an object needs.
    fn needs(&mut self, object: &Object) -> Vec<DumpId> {
        if is_border(object) {
            return Vec::new();
        }
        for need in &object.dependencies {
            if !self.is_written(*need) {
                self.learn(*need);
            }
        }
        self.gather(object)
    }

    /// Notes what an object without an entry needs. The loops are broken by now, so that this ends; the stack is our own
    /// because the way through such objects can be long.
    fn learn(&mut self, id: DumpId) {
        let mut stack = vec![(id, false)];
        while let Some((current, is_ready)) = stack.pop() {
            if self.known.contains_key(&current) {
                continue;
            }
            let object = self.inventory.get(current);
            if is_border(object) {
                self.known.insert(current, Vec::new());
            } else if is_ready {
                self.known.insert(current, self.gather(object));
            } else {
                stack.push((current, true));
                let unknown = |id: &&DumpId| !self.is_written(**id) && !self.known.contains_key(*id);
                stack.extend(object.dependencies.iter().filter(unknown).map(|id| (*id, false)));
            }
        }
    }

    fn gather(&self, object: &Object) -> Vec<DumpId> {
        let mut found = Vec::with_capacity(object.dependencies.len());
        for need in &object.dependencies {
            if self.is_written(*need) {
                found.push(*need);
            } else if let Some(further) = self.known.get(need) {
                found.extend(further);
            }
        }
        if found.len() > REPEATED_MAX {
            let mut seen = HashSet::new();
            found.retain(|id| seen.insert(*id));
        }
        found
    }
}

fn is_border(object: &Object) -> bool {
    matches!(object.detail, Detail::PreDataBoundary | Detail::PostDataBoundary)
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
