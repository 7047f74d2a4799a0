//! Constraints of tables: keys, foreign keys, checks, exclusions, and not-null constraints that are not valid.
//!
//! A valid not-null constraint is a property of its column; a domain's constraint is its type's.

use super::index::Index;
use super::table::{RelationKind, Table, push, storage_options};
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, Object, ObjectKind, Section, class};
use crate::record::{DecodeError, Record};

/// `pg_constraint.contype`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `CHECK`
    Check,
    /// `NOT NULL ... NOT VALID` (18 and later)
    NotNull,
    /// `PRIMARY KEY`
    PrimaryKey,
    /// `UNIQUE`
    Unique,
    /// `EXCLUDE`
    Exclusion,
    /// `FOREIGN KEY`
    ForeignKey,
}

impl ConstraintKind {
    fn decode(row: &Record) -> Result<Self, DecodeError> {
        Ok(match row.letter("contype")? {
            'c' => Self::Check,
            'n' => Self::NotNull,
            'p' => Self::PrimaryKey,
            'u' => Self::Unique,
            'x' => Self::Exclusion,
            'f' => Self::ForeignKey,
            other => {
                let problem = format!("{other:?} is no sort of constraint that can be dumped");
                return Err(DecodeError { column: "contype".to_owned(), problem });
            }
        })
    }
}

/// What only a table's constraint has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// Its sort.
    pub kind: ConstraintKind,
    /// Its table.
    pub table: DumpId,
    /// Its text; of a primary key or unique constraint it is made from the index.
    pub definition: String,
    /// Whether it may be checked at the end of a transaction.
    pub is_deferrable: bool,
    /// Whether it is, unless said otherwise.
    pub is_deferred: bool,
    /// Whether it is the table's own, and not only a parent's.
    pub is_local: bool,
    /// Whether existing rows are known to obey it.
    pub is_valid: bool,
    /// Whether its last column is a period (`WITHOUT OVERLAPS`).
    pub has_period: bool,
    /// The index behind it.
    pub index: Option<DumpId>,
    /// The table that a foreign key points to.
    pub referenced: Option<DumpId>,
    /// Whether it has a statement of its own after the data, or is part of its table's.
    pub is_separate: bool,
}

/// Takes in the rows of `sql/catalog/constraint.sql`. The indexes are there by then.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(table) = inventory.find_table(row.oid("conrelid")?) else { continue };
        let kind = ConstraintKind::decode(row)?;
        let index = inventory.find(class::PG_CLASS, row.oid("conindid")?);
        let referenced = inventory.find_table(row.oid("confrelid")?);
        let is_valid = row.boolean("convalidated")?;
        let (has_index, is_separate) = match kind {
            ConstraintKind::Check => (false, !is_valid),
            ConstraintKind::NotNull => (false, true),
            ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion => (true, true),
            ConstraintKind::ForeignKey => (false, true),
        };
        // a key whose index was never finished is no key; a foreign key is wanted only where its table is
        let is_wanted = match kind {
            ConstraintKind::ForeignKey => inventory.get(table).dumps(Components::DEFINITION),
            ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion => index.is_some(),
            ConstraintKind::Check | ConstraintKind::NotNull => true,
        };
        if !is_wanted {
            continue;
        }
        let constraint = Constraint {
            kind,
            table,
            definition: row.optional_string("definition")?.unwrap_or_default(),
            is_deferrable: row.boolean("condeferrable")?,
            is_deferred: row.boolean("condeferred")?,
            is_local: has_index || kind == ConstraintKind::ForeignKey || row.boolean("conislocal")?,
            is_valid,
            has_period: row.boolean("conperiod")?,
            index,
            referenced,
            is_separate,
        };
        let catalog_id = CatalogId { class: class::PG_CONSTRAINT, oid: row.oid("oid")? };
        let id = inventory.add_part_of(table, catalog_id, row.string("conname")?, Detail::Constraint(constraint));
        match kind {
            ConstraintKind::Check => {
                // the table waits for what a check of its own statement needs
                if !is_separate {
                    inventory.get_mut(table).depend_on(id);
                }
                if let Some(table) = inventory.table_mut(table) {
                    table.checks.push(id);
                }
            }
            ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion => {
                if let Some(index) = index.and_then(|index| inventory.index_mut(index)) {
                    index.constraint = Some(id);
                }
            }
            ConstraintKind::NotNull | ConstraintKind::ForeignKey => {}
        }
    }
    super::index::order_foreign_keys(inventory);
    Ok(())
}

impl Object {
    /// What the object has as a table's constraint, if it is one.
    pub fn constraint(&self) -> Option<&Constraint> {
        if let Detail::Constraint(constraint) = &self.detail { Some(constraint) } else { None }
    }
}

impl Constraint {
    /// The kind that orders it.
    pub const fn object_kind(&self) -> ObjectKind {
        match self.kind {
            ConstraintKind::ForeignKey => ObjectKind::ForeignKey,
            ConstraintKind::Check
            | ConstraintKind::NotNull
            | ConstraintKind::PrimaryKey
            | ConstraintKind::Unique
            | ConstraintKind::Exclusion => ObjectKind::Constraint,
        }
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        // an inherited check comes with its parent
        if !self.is_separate || !self.is_local {
            return;
        }
        if object.dumps(Components::DEFINITION) {
            let entry = self.entry(object, out);
            out.push(entry);
        }
        comment(object, self, out);
    }

    fn entry(&self, object: &Object, out: &Emitter<'_>) -> Entry {
        let quote = out.quote();
        let inventory = out.inventory;
        let relation = inventory.get(self.table);
        let table_name = inventory.qualified(relation, quote);
        let name = quote.identifier(&object.name);
        let foreign = relation.table().map_or("", Table::foreign_word);
        let is_partitioned = relation.table().is_some_and(|table| table.kind == RelationKind::PartitionedTable);
        // children get a check and a partition's foreign key from here, and nothing else
        let (kind, only) = match self.kind {
            ConstraintKind::Check => ("CHECK CONSTRAINT", ""),
            ConstraintKind::NotNull => ("CONSTRAINT", ""),
            ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion => ("CONSTRAINT", "ONLY "),
            ConstraintKind::ForeignKey if is_partitioned => ("FK CONSTRAINT", ""),
            ConstraintKind::ForeignKey => ("FK CONSTRAINT", "ONLY "),
        };
        let index = self.index.and_then(|id| Some((inventory.get(id), inventory.index(id)?)));
        let is_key = matches!(self.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique);
        let definition = match (&index, inventory.table(self.table)) {
            (Some((_, index)), Some(table)) if is_key => self.key(index, table, out),
            _ => self.definition.clone(),
        };
        let mut entry = Entry::of(object, inventory, kind);
        entry.section = Section::PostData;
        entry.tag = format!("{} {}", relation.name, object.name);
        entry.create = format!("ALTER {foreign}TABLE {only}{table_name}\n    ADD CONSTRAINT {name} {definition};\n");
        if let Some((index_object, index)) = index.filter(|_| is_key || self.kind == ConstraintKind::Exclusion) {
            index.push_alterations(&mut entry.create, index_object, out, true);
            entry.tablespace = Some(index.tablespace.clone());
        }
        entry.drop = format!("ALTER {foreign}TABLE {only}{table_name} DROP CONSTRAINT {name};\n");
        entry
    }

    /// `PRIMARY KEY (...)` or `UNIQUE (...)`, from the index's columns.
    fn key(&self, index: &Index, table: &Table, out: &Emitter<'_>) -> String {
        let quote = out.quote();
        let names = |numbers: &[i16]| {
            let columns: Vec<_> = (numbers.iter())
                .map_while(|number| table.column(*number))
                .map(|column| quote.identifier(&column.name))
                .collect();
            columns.join(", ")
        };
        let (keys, included) = index.columns.split_at(index.key_count.min(index.columns.len()));
        let mut sql = String::from(if self.kind == ConstraintKind::PrimaryKey { "PRIMARY KEY" } else { "UNIQUE" });
        // a primary key has no nulls, whatever its index says
        if index.nulls_are_equal && self.kind != ConstraintKind::PrimaryKey {
            sql.push_str(" NULLS NOT DISTINCT");
        }
        push(&mut sql, &[" (", &names(keys)]);
        if self.has_period {
            sql.push_str(" WITHOUT OVERLAPS");
        }
        if !included.is_empty() {
            push(&mut sql, &[") INCLUDE (", &names(included)]);
        }
        sql.push(')');
        if !index.options.is_empty() {
            push(&mut sql, &[" WITH (", &storage_options(&index.options, "", quote).join(", "), ")"]);
        }
        if self.is_deferrable {
            sql.push_str(" DEFERRABLE");
            if self.is_deferred {
                sql.push_str(" INITIALLY DEFERRED");
            }
        }
        sql
    }
}

fn comment(object: &Object, constraint: &Constraint, out: &mut Emitter<'_>) {
    let quote = out.quote();
    let relation = out.inventory.get(constraint.table);
    let words = format!("CONSTRAINT {} ON", quote.identifier(&object.name));
    let table = quote.identifier(&relation.name).into_owned();
    let maker = if constraint.is_separate { object.id } else { relation.id };
    out.comment_behind(object, maker, &words, &table, out.inventory.schema_name(relation));
}

/// The comments of the constraints that are part of the table's own statement.
pub(super) fn inline_comments(table: &Table, object: &Object, out: &mut Emitter<'_>) {
    let quote = out.quote();
    let relation = quote.identifier(&object.name).into_owned();
    for not_null in table.columns.iter().filter_map(|column| column.not_null.as_ref()) {
        let (Some(name), Some(oid)) = (&not_null.name, not_null.oid) else { continue };
        let words = format!("CONSTRAINT {} ON", quote.identifier(name));
        let catalog_id = CatalogId { class: class::PG_CONSTRAINT, oid };
        out.comment_of(object, catalog_id, &words, &relation, out.inventory.schema_name(object));
    }
    for id in &table.checks {
        let check = out.inventory.get(*id);
        if let Detail::Constraint(constraint) = &check.detail
            && !constraint.is_separate
            && constraint.is_local
        {
            comment(check, constraint, out);
        }
    }
}
