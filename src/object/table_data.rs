//! The rows of tables, the state of sequences and the refresh of materialized views: objects of their own, because a
//! dump orders them apart from what they belong to.

use super::column::Identity;
use super::table::{RelationKind, Rows, Table};
use super::version::Version;
use super::{
    CatalogId, Components, DataSource, Detail, DumpId, Emitter, Entry, Inserts, Inventory, Object, ObjectKind, Quote,
};
use crate::record::{DecodeError, Record};

/// What stands for the data of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableData {
    /// The relation.
    pub table: DumpId,
    /// What is done for it.
    pub kind: DataKind,
}

/// What a relation's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKind {
    /// A table's rows.
    Rows,
    /// Where a sequence stands.
    State,
    /// The refresh of a materialized view.
    Refresh,
}

impl DataKind {
    const fn of(kind: RelationKind) -> Option<Self> {
        match kind {
            RelationKind::Table | RelationKind::ForeignTable => Some(Self::Rows),
            RelationKind::Sequence => Some(Self::State),
            RelationKind::MaterializedView => Some(Self::Refresh),
            RelationKind::PartitionedTable | RelationKind::View | RelationKind::CompositeType => None,
        }
    }

    /// The kind that orders it.
    pub const fn object_kind(self) -> ObjectKind {
        match self {
            Self::Rows => ObjectKind::TableData,
            Self::State => ObjectKind::SequenceSet,
            Self::Refresh => ObjectKind::RefreshMaterializedView,
        }
    }
}

/// Adds the data of all relations, then takes in the rows of `sql/catalog/table_data.sql`.
///
/// Foreign keys come after the rows in a dump, unless they are there before it is restored: an extension makes those
/// between its tables, and a dump of rows alone has no foreign keys. Then rows come after those that they refer to.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    add(inventory);
    for row in rows {
        let Some(table) = inventory.find_table(row.oid("conrelid")?) else { continue };
        let Some(referenced) = inventory.find_table(row.oid("confrelid")?) else { continue };
        let is_before_rows =
            !inventory.get(table).dumps(Components::DEFINITION) || inventory.get(referenced).is_extension_member;
        let data = |id| inventory.table(id).and_then(|table| table.data);
        if let (Some(rows), Some(needed), true) = (data(table), data(referenced), is_before_rows) {
            inventory.get_mut(rows).depend_on(needed);
        }
    }
    Ok(())
}

/// Adds an object for the data of each relation whose rows are dumped.
///
/// Views have no rows, a partitioned table's lie in its partitions.
fn add(inventory: &mut Inventory) {
    let wanted: Vec<(DumpId, DataKind)> = (inventory.objects().iter())
        .filter_map(|object| Some((object.id, object.table().filter(|table| table.rows != Rows::None)?)))
        .filter_map(|(id, table)| Some((id, DataKind::of(table.kind)?)))
        .collect();
    for (table, kind) in wanted {
        let relation = inventory.get(table);
        let (name, oid) = (relation.name.clone(), relation.catalog_id.oid);
        // no class: nothing in `pg_depend` is about the rows
        let id = inventory.add_part_of(
            table,
            CatalogId { class: 0, oid },
            name,
            Detail::TableData(TableData { table, kind }),
        );
        let data = inventory.get_mut(id);
        data.dump = Components::DATA;
        data.depend_on(table);
        if let Some(table) = inventory.table_mut(table) {
            table.data = Some(id);
        }
    }
}

impl TableData {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        match self.kind {
            DataKind::State => super::sequence::state_entry(self.table, object, out),
            DataKind::Refresh => super::materialized_view::refresh_entry(self.table, object, out),
            DataKind::Rows => self.rows_entry(object, out),
        }
    }

    fn rows_entry(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let inventory = out.inventory;
        let Some(table) = inventory.table(self.table) else { return };
        let name = inventory.qualified(inventory.get(self.table), quote);
        let columns: Vec<_> = table.copied_columns().map(|column| quote.identifier(&column.name)).collect();
        // the columns are named, because a restored table may have them in another order
        let (selected, list) = if columns.is_empty() {
            ("*".to_owned(), String::new())
        } else {
            (columns.join(", "), format!("({})", columns.join(", ")))
        };
        let copy_out = match &table.rows {
            Rows::Some(condition) => format!("COPY (SELECT {selected} FROM {name} {condition}) TO stdout;"),
            Rows::All | Rows::None if table.kind == RelationKind::ForeignTable => {
                format!("COPY (SELECT {selected} FROM {name} ) TO stdout;")
            }
            Rows::All | Rows::None => format!("COPY {name} {list} TO stdout;"),
        };
        let mut entry = Entry::of(object, inventory, "TABLE DATA");
        let target = match root_to_load(inventory, self.table, out.options.load_via_partition_root) {
            Some(root) => {
                let root = inventory.qualified(inventory.get(root), quote);
                // pg_restore knows by this text that the rows are not the partition's own
                entry.create = format!("-- load via partition root {}", root.replace(['\n', '\r'], " "));
                root
            }
            None => name,
        };
        let inserts =
            out.options.inserts.map(|inserts| insert_form(inserts, table, inventory.facts.version, &target, quote));
        // pg_restore knows rows that are statements by this one not being there
        entry.copy = inserts.is_none().then(|| format!("COPY {target} {list} FROM stdin;\n"));
        entry.dependencies = Some(vec![self.table]);
        entry.data = Some(DataSource::Table {
            table: self.table,
            copy_out,
            is_foreign: table.kind == RelationKind::ForeignTable,
            inserts,
        });
        out.push(entry);
    }
}

/// The statements of this table's rows, with names quoted this way.
fn insert_form(inserts: Inserts, table: &Table, server: Version, target: &str, quote: Quote) -> InsertForm {
    let columns = || table.columns.iter().filter(|column| !column.is_dropped);
    let written = columns().filter(|column| !inserts.with_columns || column.generated.is_none());
    let defaults: Vec<bool> = written.map(|column| column.generated.is_some()).collect();
    let mut begin = format!("INSERT INTO {target} ");
    if defaults.is_empty() {
        begin.push_str("DEFAULT VALUES;\n");
    } else {
        if inserts.with_columns {
            let names: Vec<_> = table.copied_columns().map(|column| quote.identifier(&column.name)).collect();
            begin.push_str(&format!("({}) ", names.join(", ")));
        }
        // a column that was dropped counts, as it does for pg_dump
        if table.columns.iter().any(|column| column.identity == Some(Identity::Always)) {
            begin.push_str("OVERRIDING SYSTEM VALUE ");
        }
        begin.push_str("VALUES");
    }
    let Inserts { mut rows_per_statement, skip_conflicts, .. } = inserts;
    // servers before 14 take DEFAULT for a generated column in a statement of one row only
    if server.major() < 14 && defaults.contains(&true) {
        rows_per_statement = 1;
    }
    InsertForm { begin, defaults, rows_per_statement, skip_conflicts }
}

/// How the statements of one table are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsertForm {
    /// What stands before the first row: up to `VALUES`, or the whole statement of a table without columns.
    pub begin: String,
    /// For each value of a row whether it is `DEFAULT`, as a generated column's; empty for a table without columns.
    pub defaults: Vec<bool>,
    /// So many rows go into a statement.
    pub rows_per_statement: u32,
    /// Rows that are there already are passed over.
    pub skip_conflicts: bool,
}

/// Reads the rows of a table from a range of its blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockCopy {
    columns: String,
    name: String,
}

impl BlockCopy {
    /// `None` where the rows are not read from the table's own blocks alone, as those of a foreign table.
    pub fn of(inventory: &Inventory, table: DumpId) -> Option<Self> {
        let quote = Quote { all: true, ..Quote::default() };
        let relation = inventory.table(table)?;
        let is_heap = relation.kind == RelationKind::Table && relation.access_method.as_deref() == Some("heap");
        let columns: Vec<_> = relation.copied_columns().map(|column| quote.identifier(&column.name)).collect();
        let is_whole = relation.rows == Rows::All && !columns.is_empty();
        (is_heap && is_whole)
            .then(|| Self { columns: columns.join(", "), name: inventory.qualified(inventory.get(table), quote) })
    }

    /// The `COPY` of the rows in the blocks from the first of these numbers up to before the second, or up to the end.
    pub fn statement(&self, from: u32, to: Option<u32>) -> String {
        let Self { columns, name } = self;
        let end = to.map(|to| format!(" AND ctid < '({to},0)'")).unwrap_or_default();
        format!("COPY (SELECT {columns} FROM ONLY {name} WHERE ctid >= '({from},0)'{end}) TO stdout;")
    }
}

/// The table through which the rows of a partition are to be loaded: always, or if one of its ancestors may not send them to the
/// same partition again.
fn root_to_load(inventory: &Inventory, partition: DumpId, always: bool) -> Option<DumpId> {
    let mut current = partition;
    let mut is_needed = always && inventory.table(partition)?.is_partition;
    while let Some(table) = inventory.table(current).filter(|table| table.is_partition) {
        current = table.parents.first().copied()?;
        is_needed |= inventory.table(current).is_some_and(|parent| parent.loads_via_root);
    }
    is_needed.then_some(current)
}
