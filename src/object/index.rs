//! Indexes, and their attachment to the indexes of partitioned tables.

use super::table::push;
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, Object, Quote, class};
use crate::record::{DecodeError, Record};

/// What only an index has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its table.
    pub table: DumpId,
    /// `CREATE INDEX`, without the semicolon; `None` as long as it is not known, and where a constraint makes it.
    pub definition: Option<String>,
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
    /// Whether it must have been made by a constraint: of a primary key, of an exclusion.
    pub makes_constraint: bool,
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

/// An operator class that a B-tree takes for columns of a type where `CREATE INDEX` names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DefaultOperatorClass {
    /// Its oid.
    pub operator_class: u32,
    /// The type's oid.
    pub data_type: u32,
}

/// Takes in the rows of `sql/catalog/default_operator_class.sql`.
pub(crate) fn take_default_operator_classes(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let default = DefaultOperatorClass { operator_class: row.oid("oid")?, data_type: row.oid("opcintype")? };
        inventory.default_operator_classes.insert(default);
    }
    Ok(())
}

/// Takes in the rows of `sql/catalog/index_definition.sql`.
pub(crate) fn take_definitions(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(id) = inventory.find(class::PG_CLASS, row.oid("oid")?) else { continue };
        if let Some(index) = inventory.index_mut(id) {
            index.definition = Some(row.string("definition")?);
        }
    }
    Ok(())
}

/// What a plain B-tree is made of: keys that are columns, no condition, no parameters, not partitioned.
struct Plain {
    is_unique: bool,
    operator_classes: Vec<u32>,
    collations: Vec<u32>,
    /// `pg_index.indoption`: 1 is descending, 2 is nulls first.
    orders: Vec<i16>,
}

impl Plain {
    /// What a row of `sql/catalog/index.sql` says of it; `None` where the index is not plain.
    fn decode(row: &Record) -> Result<Option<Self>, DecodeError> {
        let plain = Self {
            is_unique: row.boolean("indisunique")?,
            operator_classes: row.numbers("operator_classes")?,
            collations: row.numbers("collations")?,
            orders: row.numbers("orders")?,
        };
        Ok(Some(plain).filter(|plain| !plain.operator_classes.is_empty()))
    }

    /// `CREATE INDEX` as `pg_get_indexdef` has it, which looks through all operator classes for each key.
    ///
    /// `None` where the server must say it: an operator class or collation that is not the column's own, and names that are
    /// key words, which not every server puts in quotes.
    fn definition(&self, name: &str, index: &Index, inventory: &Inventory) -> Option<String> {
        let quote = Quote { all: inventory.facts.quote_all, ..Quote::default() };
        let relation = inventory.get(index.table);
        let table = inventory.table(index.table)?;
        let schema = inventory.schema_name(relation)?;
        let names = index.columns.iter().map(|number| table.column(*number).map(|column| column.name.as_str()));
        let is_quoted_by_all = |name: &str| quote.all || !Quote::is_keyword(name);
        if ![name, &relation.name, schema].into_iter().all(is_quoted_by_all)
            || !names.clone().all(|name| name.is_some_and(is_quoted_by_all))
        {
            return None;
        }
        let keys = index.columns.get(..index.key_count)?;
        let mut sql = format!(
            "CREATE {}INDEX {} ON {} USING {} (",
            if self.is_unique { "UNIQUE " } else { "" },
            quote.identifier(name),
            quote.qualified(Some(schema), &relation.name),
            quote.identifier("btree")
        );
        for (place, number) in keys.iter().enumerate() {
            let column = table.column(*number)?;
            let default =
                DefaultOperatorClass { operator_class: *self.operator_classes.get(place)?, data_type: column.type_oid };
            if !inventory.default_operator_classes.contains(&default)
                || ![0, column.collation_oid].contains(self.collations.get(place)?)
            {
                return None;
            }
            let order = match self.orders.get(place)? {
                0 => "",
                1 => " DESC NULLS LAST",
                2 => " NULLS FIRST",
                3 => " DESC",
                _ => return None,
            };
            push(&mut sql, &[if place == 0 { "" } else { ", " }, &quote.identifier(&column.name), order]);
        }
        for (place, name) in names.enumerate().skip(keys.len()) {
            push(&mut sql, &[if place == keys.len() { ") INCLUDE (" } else { ", " }, &quote.identifier(name?)]);
        }
        sql.push(')');
        if index.nulls_are_equal {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        Some(sql)
    }
}

/// Takes in the rows of `sql/catalog/index.sql`, and adds the attachments.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(table) = inventory.find_table(row.oid("indrelid")?) else { continue };
        if !row.boolean("is_usable")? {
            let schema = inventory.schema_name(inventory.get(table)).map(str::to_owned);
            let name = Quote::default().qualified(schema.as_deref(), row.text("relname")?);
            inventory.unusable_indexes.push(name);
            continue;
        }
        let numbers: Vec<i16> = row.numbers("statistics_columns")?;
        let targets: Vec<i32> = row.numbers("statistics_targets")?;
        let mut index = Index {
            table,
            definition: None,
            columns: row.numbers("indkey")?,
            key_count: row.number("indnkeyatts")?,
            is_clustered: row.boolean("indisclustered")?,
            is_replica_identity: row.boolean("indisreplident")?,
            nulls_are_equal: row.boolean("indnullsnotdistinct")?,
            parent: row.optional_number("parent")?,
            tablespace: row.optional_string("tablespace")?.unwrap_or_default(),
            options: row.strings("options")?,
            statistics: numbers.into_iter().zip(targets).collect(),
            makes_constraint: row.boolean("makes_constraint")?,
            constraint: None,
            attachments: Vec::new(),
        };
        let name = row.string("relname")?;
        if let Some(plain) = Plain::decode(row)? {
            index.definition = plain.definition(&name, &index, inventory);
        }
        let catalog_id = CatalogId { class: class::PG_CLASS, oid: row.oid("indexrelid")? };
        let id = inventory.add_part_of(table, catalog_id, name, Detail::Index(Box::new(index)));
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
            entry.create = format!("{};\n", self.definition.as_deref().unwrap_or_default());
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

    /// The oids of the indexes with a statement of their own that is not known yet.
    pub(crate) fn undefined_indexes(&self) -> Vec<u32> {
        let is_undefined = |detail: &Detail| matches!(detail, Detail::Index(index) if index.definition.is_none() && index.constraint.is_none());
        let undefined = self.objects().iter().filter(|object| is_undefined(&object.detail));
        undefined.map(|object| object.catalog_id.oid).collect()
    }

    pub(super) fn index_mut(&mut self, id: DumpId) -> Option<&mut Index> {
        if let Detail::Index(index) = &mut self.get_mut(id).detail { Some(index) } else { None }
    }
}
