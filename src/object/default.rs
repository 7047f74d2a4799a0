//! Default and generation expressions of columns.

use super::table::RelationKind;
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only a column's default has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDefault {
    /// The relation.
    pub table: DumpId,
    /// The column's number.
    pub column: i16,
    /// The expression as SQL.
    pub expression: String,
    /// Whether it has a statement of its own, because its table's cannot hold it or must not wait for what it needs.
    pub is_separate: bool,
}

/// Takes in the rows of `sql/catalog/default.sql`, and settles what children have from their parents. The columns are
/// there by then.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(table_id) = inventory.find_table(row.oid("adrelid")?) else { continue };
        let number: i16 = row.number("adnum")?;
        let Some(table) = inventory.table(table_id) else { continue };
        let Some(column) = table.column(number).filter(|column| !column.is_dropped) else { continue };
        // A generation expression cannot stand apart: there is no statement for it.
        let is_separate = column.generated.is_none() && (table.kind == RelationKind::View || !table.prints(column));
        let default =
            ColumnDefault { table: table_id, column: number, expression: row.string("expression")?, is_separate };
        let catalog_id = CatalogId { class: class::PG_ATTRDEF, oid: row.oid("oid")? };
        add(inventory, catalog_id, default);
    }
    super::partition::settle_inheritance(inventory);
    Ok(())
}

/// Adds the default and links it with its table: a default that is part of `CREATE TABLE` makes the table wait for what
/// it needs.
pub(super) fn add(inventory: &mut Inventory, catalog_id: CatalogId, default: ColumnDefault) -> DumpId {
    let ColumnDefault { table, column, is_separate, .. } = default;
    let id =
        inventory.add_part_of(table, catalog_id, inventory.get(table).name.clone(), Detail::ColumnDefault(default));
    // `pg_depend` says that a default needs its table, unless the default is one that only the dump needs
    match (is_separate, catalog_id == CatalogId::default()) {
        (true, true) => inventory.get_mut(id).depend_on(table),
        (false, false) => inventory.get_mut(table).depend_on(id),
        (true, false) | (false, true) => {}
    }
    if let Some(relation) = inventory.table_mut(table)
        && let Some(column) = usize::try_from(column - 1).ok().and_then(|slot| relation.columns.get_mut(slot))
    {
        column.default = Some(id);
    }
    id
}

impl ColumnDefault {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let Some(table) = out.inventory.table(self.table) else { return };
        let Some(column) = table.column(self.column) else { return };
        if !self.is_separate || !object.dumps(Components::DEFINITION) {
            return;
        }
        let quote = out.quote();
        let name = out.inventory.qualified(out.inventory.get(self.table), quote);
        let quoted = quote.identifier(&column.name);
        let foreign = table.foreign_word();
        let mut entry = Entry::of(object, out.inventory, "DEFAULT");
        entry.tag = format!("{} {}", object.name, column.name);
        entry.create =
            format!("ALTER {foreign}TABLE ONLY {name} ALTER COLUMN {quoted} SET DEFAULT {};\n", self.expression);
        entry.drop = format!("ALTER {foreign}TABLE {name} ALTER COLUMN {quoted} DROP DEFAULT;\n");
        out.push(entry);
    }
}

impl Inventory {
    /// The column default behind this number, if it is one.
    pub fn column_default(&self, id: DumpId) -> Option<&ColumnDefault> {
        if let Detail::ColumnDefault(default) = &self.get(id).detail { Some(default) } else { None }
    }

    /// Adds what belongs to a relation: it lies in the relation's schema, has its owner, and is dumped as far as that is.
    pub(super) fn add_part_of(&mut self, table: DumpId, catalog_id: CatalogId, name: String, detail: Detail) -> DumpId {
        let relation = self.get(table);
        let (schema, owner, dump) = (relation.schema, relation.owner.clone(), relation.dump);
        let id = self.add(NewObject { catalog_id, name, schema: 0, owner, acl: None, detail });
        let part = self.get_mut(id);
        part.schema = schema;
        part.dump = dump;
        id
    }
}
