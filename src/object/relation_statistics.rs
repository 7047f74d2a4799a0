//! How large the planner takes a relation to be, and the entry that holds all of its statistics.

use std::fmt::Write as _;

use super::{
    CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, Object, Quote, Section, version::Version,
};
use crate::record::{DecodeError, Record};

/// The planner's statistics of a table, materialized view, foreign table or index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationStatistics {
    /// The relation.
    pub relation: DumpId,
    /// `pg_class.relpages`.
    pub pages: i32,
    /// `pg_class.reltuples` as the server writes it.
    pub tuples: String,
    /// `pg_class.relallvisible`.
    pub all_visible: i32,
    /// `pg_class.relallfrozen`, from server 18 on.
    pub all_frozen: Option<i32>,
    /// Whether the relation is there, or has its rows, only after the data: an index, a materialized view that is refreshed
    /// or moved there.
    pub is_behind_data: bool,
}

/// Takes in the rows of `sql/catalog/relation_statistics.sql`. The indexes, their constraints and the objects that stand for
/// the rows are there by then.
///
/// A relation whose definition is read only because another inherits from it has no statistics in the dump, nor have its
/// indexes.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(relation) = inventory.find(super::class::PG_CLASS, row.oid("oid")?) else { continue };
        let object = inventory.get(relation);
        if !object.dumps(Components::STATISTICS) {
            continue;
        }
        let index = inventory.index(relation);
        let constraint = index.and_then(|index| index.constraint);
        let refresh = (inventory.table(relation))
            .filter(|table| table.kind == super::table::RelationKind::MaterializedView)
            .and_then(|table| table.data);
        let statistics = RelationStatistics {
            relation,
            pages: row.number("relpages")?,
            tuples: row.string("reltuples")?,
            all_visible: row.number("relallvisible")?,
            all_frozen: row.optional_number("relallfrozen")?,
            is_behind_data: index.is_some() || refresh.is_some(),
        };
        let name = object.name.clone();
        // no class: nothing in `pg_depend` is about them
        let id = inventory.add_part_of(
            relation,
            CatalogId::default(),
            name,
            Detail::RelationStatistics(Box::new(statistics)),
        );
        let statistics = inventory.get_mut(id);
        statistics.owner = "".into();
        for needed in [Some(relation), constraint, refresh].into_iter().flatten() {
            statistics.depend_on(needed);
        }
    }
    Ok(())
}

impl RelationStatistics {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let relation = out.inventory.get(self.relation);
        let id = out.new_id();
        let mut entry = Entry::of(object, out.inventory, "STATISTICS DATA");
        entry.id = id;
        entry.section = if self.is_behind_data { Section::PostData } else { Section::Data };
        entry.create = self.statement(relation, out.inventory, out.quote());
        entry.dependencies = Some(object.dependencies.clone());
        entry.statistics = Some(self.relation);
        out.push(entry);
    }

    fn statement(&self, relation: &Object, inventory: &Inventory, quote: Quote) -> String {
        let version = inventory.facts.version;
        let mut sql = String::from("SELECT * FROM pg_catalog.pg_restore_relation_stats(\n");
        push_relation(&mut sql, version, inventory.schema_name(relation).unwrap_or_default(), &relation.name, quote);
        // before 14 the server writes 0 for what was never counted, too
        let tuples = if version.major() < 14 && self.tuples == "0" { "-1" } else { &self.tuples };
        // writing to a string cannot fail
        let _ = write!(
            sql,
            ",\n\t'relpages', '{}'::integer,\n\t'reltuples', '{tuples}'::real,\n\t'relallvisible', '{}'::integer",
            self.pages, self.all_visible
        );
        if let Some(all_frozen) = self.all_frozen {
            let _ = write!(sql, ",\n\t'relallfrozen', '{all_frozen}'::integer"); // a string
        }
        sql.push_str("\n);\n");
        sql
    }
}

/// The arguments that name the relation and the server that the statistics are of.
pub(super) fn push_relation(sql: &mut String, version: Version, schema: &str, name: &str, quote: Quote) {
    // writing to a string cannot fail
    let _ = write!(
        sql,
        "\t'version', '{}'::integer,\n\t'schemaname', {},\n\t'relname', {}",
        version.0,
        quote.literal(schema),
        quote.literal(name)
    );
}
