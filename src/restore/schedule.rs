//! What may run next beside what runs: pg_restore's rules for dependencies and table locks.

use std::collections::{HashMap, HashSet};

use super::select::Item;
use crate::archive::pick::Pass;
use crate::archive::toc::{Entry, Section, Toc};

/// The items that run in parallel, with what each waits for. Pure: the caller says what was begun and what is done.
pub(super) struct Schedule {
    slots: Vec<Slot>,
    /// Ready or waiting, in the order of preference.
    pending: Vec<usize>,
    running: HashSet<usize>,
}

struct Slot {
    item: Item,
    pass: Pass,
    /// Dump ids that it depends on, tables replaced by their rows where those are restored.
    dependencies: HashSet<i32>,
    /// Dump ids of tables that it locks against everybody.
    locks: HashSet<i32>,
    /// How many of its dependencies are not done.
    waiting: HashSet<i32>,
    dump_id: i32,
}

/// The items that have to run one after the other before all else, and the others.
///
/// Definitions before the data run in order over one connection: they are many, small, and depend on each other.
pub(super) fn split(items: &[Item]) -> (Vec<Item>, Vec<Item>) {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for item in items {
        let early = item.pass == Pass::Main
            && match item.section {
                Section::None | Section::PreData => true,
                Section::Data | Section::PostData => false,
            };
        // an order that the user chose may have definitions behind rows: these wait too
        if early && later.iter().all(|other: &Item| other.pass != Pass::Main) {
            first.push(*item);
        } else {
            later.push(*item);
        }
    }
    (first, later)
}

impl Schedule {
    /// `sizes` gives the bytes of an entry's data as they are stored: large tables begin first.
    pub(super) fn new(toc: &Toc, items: &[Item], sizes: impl Fn(&Entry) -> u64) -> Self {
        let data_of = rows_of_tables(toc);
        let present: HashSet<i32> =
            items.iter().filter_map(|item| toc.entries.get(item.index)).map(|entry| entry.dump_id).collect();
        let mut slots = Vec::new();
        let mut weights = Vec::new();
        for item in items {
            let Some(entry) = toc.entries.get(item.index) else { continue };
            let is_post = entry.section == Section::PostData;
            // a table that is emptied before its rows come loses what was known of it
            let needs_rows = is_post || entry.kind == "STATISTICS DATA";
            let dependencies: HashSet<i32> = entry
                .dependencies
                .iter()
                .map(|id| if needs_rows { data_of.get(id).copied().unwrap_or(*id) } else { *id })
                .collect();
            let locks = if is_post && !matches!(entry.kind.as_str(), "INDEX" | "STATISTICS DATA") {
                dependencies.iter().copied().filter(|id| is_table(toc, *id)).collect()
            } else {
                HashSet::new()
            };
            let waiting = dependencies.iter().copied().filter(|id| present.contains(id)).collect();
            weights.push(if item.data && entry.has_data { sizes(entry) } else { 0 });
            slots.push(Slot { item: *item, pass: item.pass, dependencies, locks, waiting, dump_id: entry.dump_id });
        }
        let mut pending: Vec<usize> = (0..slots.len()).collect();
        pending.sort_by_key(|index| std::cmp::Reverse(weights.get(*index).copied().unwrap_or_default()));
        Self { slots, pending, running: HashSet::new() }
    }

    /// The next item that nothing stands in the way of; it counts as running.
    pub(super) fn next(&mut self) -> Option<(usize, Item)> {
        let pass = self.pass()?;
        let place = self.pending.iter().position(|index| {
            self.slots
                .get(*index)
                .is_some_and(|slot| slot.pass == pass && slot.waiting.is_empty() && !self.conflicts(slot))
        });
        // dependencies in a circle would wait for each other: the archive's order then decides
        let place = match place {
            None if self.running.is_empty() => {
                self.pending.iter().position(|index| self.slots.get(*index).is_some_and(|slot| slot.pass == pass))
            }
            place => place,
        }?;
        let index = self.pending.remove(place);
        self.running.insert(index);
        self.slots.get(index).map(|slot| (index, slot.item))
    }

    /// A pass begins when the one before it is done altogether.
    fn pass(&self) -> Option<Pass> {
        let of = |indexes: &mut dyn Iterator<Item = &usize>| {
            indexes.filter_map(|index| self.slots.get(*index)).map(|slot| slot.pass).min()
        };
        let pending = of(&mut self.pending.iter())?;
        match of(&mut self.running.iter()) {
            Some(running) if running < pending => None,
            Some(_) | None => Some(pending),
        }
    }

    fn conflicts(&self, slot: &Slot) -> bool {
        self.running
            .iter()
            .filter_map(|index| self.slots.get(*index))
            .any(|other| !slot.locks.is_disjoint(&other.dependencies) || !other.locks.is_disjoint(&slot.dependencies))
    }

    /// The item is done, well or not: what waits for it may go on.
    pub(super) fn done(&mut self, index: usize) {
        self.running.remove(&index);
        let Some(dump_id) = self.slots.get(index).map(|slot| slot.dump_id) else { return };
        for slot in &mut self.slots {
            slot.waiting.remove(&dump_id);
        }
    }

    /// How many items have not begun.
    pub(super) fn pending_count(&self) -> usize {
        self.pending.len()
    }
}

fn is_table(toc: &Toc, dump_id: i32) -> bool {
    toc.entry(dump_id).is_some_and(|entry| matches!(entry.kind.as_str(), "TABLE" | "TABLE DATA"))
}

/// The entry with a table's rows, by the table's own entry.
fn rows_of_tables(toc: &Toc) -> HashMap<i32, i32> {
    let mut found = HashMap::new();
    for entry in toc.entries.iter().filter(|entry| entry.kind == "TABLE DATA") {
        let table = entry.dependencies.iter().filter_map(|id| toc.entry(*id)).find(|table| table.kind == "TABLE");
        if let Some(table) = table {
            found.insert(table.dump_id, entry.dump_id);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Version;
    use crate::archive::toc::{Container, Created, Header};
    use crate::codec::compress::Compression;

    fn build(entries: &[(i32, &str, Section, &[i32])]) -> (Toc, Vec<Item>) {
        let header = Header::new(Version::V1_16, Container::Custom, Compression::None, Created::default()).unwrap();
        let entries: Vec<Entry> = entries
            .iter()
            .map(|(id, kind, section, dependencies)| {
                let mut entry = Entry::new(*id, *kind, format!("e{id}"), *section);
                entry.dependencies = dependencies.to_vec();
                entry.has_data = *kind == "TABLE DATA";
                entry
            })
            .collect();
        let items = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| Item {
                index,
                schema: !entry.has_data,
                data: entry.has_data,
                pass: Pass::of(entry),
                section: entry.section,
            })
            .collect();
        (Toc { header, entries }, items)
    }

    fn take(schedule: &mut Schedule, toc: &Toc) -> Option<(usize, i32)> {
        schedule.next().map(|(index, item)| (index, toc.entries[item.index].dump_id))
    }

    #[test]
    fn waits_for_rows_and_for_locks() {
        let (data, post) = (Section::Data, Section::PostData);
        let (toc, items) = build(&[
            (1, "TABLE", Section::PreData, &[]),
            (2, "TABLE", Section::PreData, &[]),
            (3, "TABLE DATA", data, &[1]),
            (4, "TABLE DATA", data, &[2]),
            (5, "INDEX", post, &[1]),
            (6, "INDEX", post, &[1]),
            (7, "CONSTRAINT", post, &[1]),
            (8, "FK CONSTRAINT", post, &[2, 7]),
            (9, "ACL", Section::None, &[1]),
            (10, "MATERIALIZED VIEW DATA", post, &[]),
        ]);
        let (first, later) = split(&items);
        assert_eq!((first.len(), later.len()), (2, 8));
        let mut schedule = Schedule::new(&toc, &later, |entry| u64::try_from(entry.dump_id).unwrap());
        let four = take(&mut schedule, &toc).unwrap();
        let three = take(&mut schedule, &toc).unwrap();
        assert_eq!((four.1, three.1), (4, 3), "the larger first");
        assert_eq!(take(&mut schedule, &toc), None, "indexes wait for the rows");
        schedule.done(three.0);
        let five = take(&mut schedule, &toc).unwrap();
        let six = take(&mut schedule, &toc).unwrap();
        assert_eq!((five.1, six.1), (5, 6), "two indexes of a table at once");
        assert_eq!(take(&mut schedule, &toc), None, "a constraint needs the table for itself");
        schedule.done(five.0);
        schedule.done(six.0);
        let seven = take(&mut schedule, &toc).unwrap();
        assert_eq!(seven.1, 7);
        schedule.done(seven.0);
        assert_eq!(take(&mut schedule, &toc), None, "the rows of the second table are not there");
        schedule.done(four.0);
        let eight = take(&mut schedule, &toc).unwrap();
        assert_eq!(eight.1, 8);
        assert_eq!(take(&mut schedule, &toc), None, "rights come when all else is there");
        schedule.done(eight.0);
        let nine = take(&mut schedule, &toc).unwrap();
        assert_eq!(nine.1, 9);
        assert_eq!(take(&mut schedule, &toc), None);
        schedule.done(nine.0);
        assert_eq!(take(&mut schedule, &toc).unwrap().1, 10);
    }

    #[test]
    fn a_circle_ends() {
        let post = Section::PostData;
        let (toc, items) = build(&[(1, "RULE", post, &[2]), (2, "RULE", post, &[1])]);
        let mut schedule = Schedule::new(&toc, &items, |_| 0);
        let one = take(&mut schedule, &toc).unwrap();
        assert_eq!(one.1, 1);
        schedule.done(one.0);
        assert_eq!(take(&mut schedule, &toc).unwrap().1, 2);
    }
}
