//! Inheritance and partitions: who is whose child, what a child has from its parents, and the attachment of partitions.

use std::collections::HashMap;

use super::default::ColumnDefault;
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, Object};
use crate::record::{DecodeError, Record};

/// The attachment of a partition to its table.
///
/// Partitions are made apart and attached then, so that their columns keep their order, and a partition can be restored
/// without its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableAttach {
    /// The partitioned table.
    pub parent: DumpId,
    /// The partition.
    pub partition: DumpId,
}

/// Takes in the rows of `sql/catalog/inheritance.sql`.
pub(crate) fn take_inheritance(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        // parts of partitioned indexes are in the same catalog
        let Some(child) = inventory.find_table(row.oid("inhrelid")?) else { continue };
        let Some(parent) = inventory.find_table(row.oid("inhparent")?) else { continue };
        if let Some(table) = inventory.table_mut(child) {
            table.parents.push(parent);
        }
    }
    Ok(())
}

/// Takes in the rows of `sql/catalog/partition_hash.sql`.
pub(crate) fn take_hash(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let id = inventory.find_table(row.oid("partrelid")?);
        if let Some(table) = id.and_then(|id| inventory.table_mut(id)) {
            table.loads_via_root = true;
        }
    }
    Ok(())
}

/// Takes in the rows of `sql/catalog/partition.sql`, and adds the attachments.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let id = inventory.find_table(row.oid("oid")?);
        if let Some(table) = id.and_then(|id| inventory.table_mut(id)) {
            table.partition_bound = row.optional_string("bound")?;
            table.partition_key = row.optional_string("key")?;
        }
    }
    attach(inventory);
    Ok(())
}

/// Adds the attachments of the partitions that are dumped.
fn attach(inventory: &mut Inventory) {
    let partitions: Vec<(DumpId, DumpId)> = (inventory.objects().iter())
        .filter(|object| object.dumps(Components::DEFINITION))
        .filter_map(|object| Some((object.id, object.table().filter(|table| table.is_partition)?)))
        .filter_map(|(id, table)| Some((id, table.parents.first().copied()?)))
        .collect();
    for (partition, parent) in partitions {
        let name = inventory.get(partition).name.clone();
        let detail = Detail::TableAttach(TableAttach { parent, partition });
        let id = inventory.add_part_of(partition, CatalogId::default(), name, detail);
        let attach = inventory.get_mut(id);
        attach.dump = Components::ALL;
        attach.depend_on(partition);
        attach.depend_on(parent);
    }
}

impl TableAttach {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let inventory = out.inventory;
        let parent = inventory.qualified(inventory.get(self.parent), quote);
        let partition = inventory.qualified(inventory.get(self.partition), quote);
        let bound =
            inventory.table(self.partition).and_then(|table| table.partition_bound.as_deref()).unwrap_or_default();
        let mut entry = Entry::of(object, inventory, "TABLE ATTACH");
        entry.create = format!("ALTER TABLE ONLY {parent} ATTACH PARTITION {partition} {bound};\n");
        out.push(entry);
    }
}

/// What a child's column meets in its parents' columns of the same name.
#[derive(Default)]
struct Inherited {
    not_null: bool,
    default: bool,
    same_generated: bool,
    other_generated: bool,
}

/// Settles, for each child, which not-null constraints and expressions its parents give it.
///
/// Three things the catalog does not say: whose a not-null constraint is (before 18 a parent's, if a parent has one;
/// later its own, if no parent has it valid); that a column without a default must be told so (`DEFAULT NULL`) where a
/// parent has a default; and that a generation expression that equals all parents' is better left to them.
pub(super) fn settle_inheritance(inventory: &mut Inventory) {
    let has_own_not_null = inventory.facts.version.major() >= 18;
    let children: Vec<DumpId> = (inventory.objects().iter())
        .filter(|object| !object.dump.is_empty())
        .filter(|object| matches!(&object.detail, Detail::Table(table) if !table.parents.is_empty()))
        .map(|object| object.id)
        .collect();
    for child in children {
        for (number, inherited) in meet_parents(inventory, child) {
            settle_column(inventory, child, number, &inherited, has_own_not_null);
        }
    }
}

fn expression_of(inventory: &Inventory, default: Option<DumpId>) -> Option<&str> {
    inventory.column_default(default?).map(|default| default.expression.as_str())
}

/// The columns of a child that its parents have too, by number.
fn meet_parents(inventory: &Inventory, child: DumpId) -> Vec<(i16, Inherited)> {
    let Some(table) = inventory.table(child) else { return Vec::new() };
    let mut met: Vec<Inherited> = table.columns.iter().map(|_| Inherited::default()).collect();
    for parent in table.parents.iter().filter_map(|id| inventory.table(*id)) {
        let by_name: HashMap<&str, _> = (parent.columns.iter())
            .filter(|column| !column.is_dropped)
            .map(|column| (column.name.as_str(), column))
            .collect();
        for (column, met) in table.columns.iter().zip(&mut met).filter(|(column, _)| !column.is_dropped) {
            let Some(theirs) = by_name.get(column.name.as_str()) else { continue };
            let expression = expression_of(inventory, theirs.default);
            met.not_null |= theirs.not_null.is_some();
            met.default |= theirs.generated.is_none() && expression.is_some_and(|expression| expression != "NULL");
            if theirs.generated.is_some() {
                if expression.is_some() && expression == expression_of(inventory, column.default) {
                    met.same_generated = true;
                } else {
                    met.other_generated = true;
                }
            }
        }
    }
    (1..).zip(met).collect()
}

fn settle_column(inventory: &mut Inventory, child: DumpId, number: i16, met: &Inherited, has_own_not_null: bool) {
    let Some(table) = inventory.table_mut(child) else { return };
    let is_partition = table.is_partition;
    let slot = usize::try_from(number - 1).unwrap_or_default();
    let Some(column) = table.columns.get_mut(slot).filter(|column| !column.is_dropped) else { return };
    if let Some(not_null) = &mut column.not_null {
        if !has_own_not_null && met.not_null {
            not_null.is_local = false;
        }
        // what no parent has, or none has valid, comes from none of them
        if has_own_not_null && !met.not_null {
            not_null.is_local = true;
        }
    }
    match column.default {
        None if met.default => {
            let prints = column.is_local || is_partition;
            let default =
                ColumnDefault { table: child, column: number, expression: "NULL".to_owned(), is_separate: !prints };
            super::default::add(inventory, CatalogId::default(), default);
        }
        Some(default) if column.generated.is_some() && met.same_generated && !met.other_generated && !is_partition => {
            inventory.get_mut(default).dump = Components::NONE;
        }
        None | Some(_) => {}
    }
}
