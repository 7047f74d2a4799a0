//! Indexes, and their attachment to the indexes of partitioned tables.

use super::table::push;
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, Object, class};
use crate::record::{DecodeError, Record};

/// What only an index has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its table.
    pub table: DumpId,
    /// `CREATE INDEX`, without the semicolon; empty where a constraint makes it.
    pub definition: String,
    /// The numbers of its columns, keys first; 0 is an expression.
    pub columns: Vec<i16>,
    /// How many of its columns are keys.
    pub key_count: usize,
    /// Whether its table is clustered by it.
    pub is_clustered: bool,
    /// Whether it is its table's replica identity.
    pub is_replica_identity: bool,
    /// Whether two nulls are the same to it.
    pub nulls_are_equal: bool,
    /// The oid of the partitioned index that it is a part of.
    pub parent: Option<u32>,
    /// Its tablespace's name, empty for the default.
    pub tablespace: String,
    /// Storage parameters, `name=value`.
    pub options: Vec<String>,
    /// The statistics targets of its expressions, by column number.
    pub statistics: Vec<(i16, i32)>,
    /// The constraint that made it.
    pub constraint: Option<DumpId>,
    /// The attachments of the parts of a partitioned index.
    pub attachments: Vec<DumpId>,
}

/// The attachment of an index to that of its table's parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexAttach {
    /// The partitioned index.
    pub parent: DumpId,
    /// The partition's.
    pub partition: DumpId,
}

/// Takes in the rows of `sql/catalog/index.sql`, and adds the attachments.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(table) = inventory.find_table(row.oid("indrelid")?) else { continue };
        let numbers: Vec<i16> = row.numbers("statistics_columns")?;
        let targets: Vec<i32> = row.numbers("statistics_targets")?;
        let index = Index {
            table,
            definition: row.optional_string("definition")?.unwrap_or_default(),
            columns: row.numbers("indkey")?,
            key_count: row.number("indnkeyatts")?,
            is_clustered: row.boolean("indisclustered")?,
            is_replica_identity: row.boolean("indisreplident")?,
            nulls_are_equal: row.boolean("indnullsnotdistinct")?,
            parent: row.optional_number("parent")?,
            tablespace: row.optional_string("tablespace")?.unwrap_or_default(),
            options: row.strings("options")?,
            statistics: numbers.into_iter().zip(targets).collect(),
            constraint: None,
            attachments: Vec::new(),
        };
        let catalog_id = CatalogId { class: class::PG_CLASS, oid: row.oid("indexrelid")? };
        let id = inventory.add_part_of(table, catalog_id, row.string("relname")?, Detail::Index(Box::new(index)));
        if let Some(table) = inventory.table_mut(table) {
            table.indexes.push(id);
        }
    }
    attach(inventory);
    Ok(())
}

/// Adds the attachments of the indexes of partitions. All indexes are there by then.
///
/// Each waits for both indexes, and for both tables, so that a parallel restore runs nothing else on those meanwhile.
fn attach(inventory: &mut Inventory) {
    let partitions: Vec<DumpId> = (inventory.objects().iter())
        .filter(
            |object| matches!(&object.detail, Detail::Table(table) if table.is_partition && !table.parents.is_empty()),
        )
        .map(|object| object.id)
        .collect();
    for table in partitions {
        let indexes = inventory.table(table).map(|table| table.indexes.clone()).unwrap_or_default();
        for partition in indexes {
            let Some(parent_oid) = inventory.index(partition).and_then(|index| index.parent) else { continue };
            let Some(parent) = inventory.find(class::PG_CLASS, parent_oid) else { continue };
            let Some(parent_table) = inventory.index(parent).map(|index| index.table) else { continue };
            let name = inventory.get(partition).name.clone();
            let detail = Detail::IndexAttach(IndexAttach { parent, partition });
            let id = inventory.add_part_of(table, CatalogId::default(), name, detail);
            let owner = inventory.get(parent_table).owner.clone();
            let attach = inventory.get_mut(id);
            attach.owner = owner;
            attach.dump = Components::ALL;
            for needed in [partition, parent, table, parent_table] {
                attach.depend_on(needed);
            }
            if let Some(parent) = inventory.index_mut(parent) {
                parent.attachments.push(id);
            }
        }
    }
}

/// A foreign key to a partitioned table can be made only when the index that it uses has all its parts.
pub(super) fn order_foreign_keys(inventory: &mut Inventory) {
    let keys: Vec<(DumpId, DumpId)> = (inventory.objects().iter())
        .filter_map(|object| Some((object.id, object.constraint()?)))
        .filter_map(|(id, constraint)| constraint.referenced.and(constraint.index).map(|index| (id, index)))
        .collect();
    for (key, index) in keys {
        let mut pending = vec![index];
        while let Some(index) = pending.pop() {
            let attachments = inventory.index(index).map(|index| index.attachments.clone()).unwrap_or_default();
            for id in attachments {
                inventory.get_mut(key).depend_on(id);
                if let Detail::IndexAttach(attach) = &inventory.get(id).detail {
                    pending.push(attach.partition);
                }
            }
        }
    }
}

impl Index {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = out.inventory.qualified(object, quote);
        if self.constraint.is_none() && object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "INDEX");
            entry.create = format!("{};\n", self.definition);
            self.push_alterations(&mut entry.create, object, out, false);
            entry.tablespace = Some(self.tablespace.clone());
            // the server lets no part of a partitioned index go alone
            if self.parent.is_none() {
                entry.drop = format!("DROP INDEX {name};\n");
            }
            out.push(entry);
        }
        let bare = quote.identifier(&object.name).into_owned();
        let maker = self.constraint.unwrap_or(object.id);
        out.comment_behind(object, maker, "INDEX", &bare, out.inventory.schema_name(object));
    }

    /// What neither `CREATE INDEX` nor `ADD CONSTRAINT` has words for.
    pub(super) fn push_alterations(&self, sql: &mut String, object: &Object, out: &Emitter<'_>, is_constraint: bool) {
        let quote = out.quote();
        let table = out.inventory.qualified(out.inventory.get(self.table), quote);
        let bare = quote.identifier(&object.name);
        let name = out.inventory.qualified(object, quote);
        if self.is_clustered {
            push(sql, &["\nALTER TABLE ", &table, " CLUSTER ON ", &bare, ";\n"]);
        }
        let replica_identity = |sql: &mut String| {
            if self.is_replica_identity {
                push(sql, &["\nALTER TABLE ONLY ", &table, " REPLICA IDENTITY USING INDEX ", &bare, ";\n"]);
            }
        };
        if is_constraint {
            replica_identity(sql);
            sql.push_str(&out.extension_marks(object, "INDEX", &name));
        } else {
            for (column, target) in &self.statistics {
                push(sql, &[&format!("ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target};\n")]);
            }
            sql.push_str(&out.extension_marks(object, "INDEX", &name));
            replica_identity(sql);
        }
    }
}

impl IndexAttach {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let partition = out.inventory.get(self.partition);
        if !partition.dumps(Components::DEFINITION) {
            return;
        }
        let quote = out.quote();
        let parent = out.inventory.qualified(out.inventory.get(self.parent), quote);
        let mut entry = Entry::of(object, out.inventory, "INDEX ATTACH");
        entry.create =
            format!("ALTER INDEX {parent} ATTACH PARTITION {};\n", out.inventory.qualified(partition, quote));
        out.push(entry);
    }
}

impl Inventory {
    /// The index behind this number, if it is one.
    pub fn index(&self, id: DumpId) -> Option<&Index> {
        if let Detail::Index(index) = &self.get(id).detail { Some(index) } else { None }
    }

    pub(super) fn index_mut(&mut self, id: DumpId) -> Option<&mut Index> {
        if let Detail::Index(index) = &mut self.get_mut(id).detail { Some(index) } else { None }
    }
}
