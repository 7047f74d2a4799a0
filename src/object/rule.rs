//! Rules.

use super::table::{RelationKind, push};
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, Object, class};
use crate::record::{DecodeError, Record};

/// What only a rule has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its relation.
    pub table: DumpId,
    /// Whether it is what makes its relation a view.
    pub is_select: bool,
    /// `pg_rewrite.ev_enabled`: `O`, `D`, `R` or `A`.
    pub enabled: char,
    /// `CREATE RULE`; a view's own rule is written from the view.
    pub definition: Option<String>,
    /// Whether it has a statement of its own, and is not part of `CREATE VIEW`.
    pub is_separate: bool,
}

/// Takes in the rows of `sql/catalog/rule.sql`.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(table) = inventory.find_table(row.oid("ev_class")?) else { continue };
        let is_view = inventory
            .table(table)
            .is_some_and(|table| matches!(table.kind, RelationKind::View | RelationKind::MaterializedView));
        let is_select = row.letter("ev_type")? == '1' && row.boolean("is_instead")? && is_view;
        let rule = Rule {
            table,
            is_select,
            enabled: row.letter("ev_enabled")?,
            definition: row.optional_string("definition")?,
            is_separate: !is_select,
        };
        let catalog_id = CatalogId { class: class::PG_REWRITE, oid: row.oid("oid")? };
        let id = inventory.add_part_of(table, catalog_id, row.string("rulename")?, Detail::Rule(rule));
        // A view comes after its own rule, and so after all that the rule needs; other rules come after their table.
        if is_select {
            inventory.get_mut(table).depend_on(id);
        } else {
            inventory.get_mut(id).depend_on(table);
        }
    }
    Ok(())
}

impl Rule {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let Some(table) = out.inventory.table(self.table).filter(|_| self.is_separate) else { return };
        let quote = out.quote();
        let relation = out.inventory.get(self.table);
        let table_name = out.inventory.qualified(relation, quote);
        let name = quote.identifier(&object.name);
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "RULE");
            entry.tag = format!("{} {}", relation.name, object.name);
            if self.is_select {
                // the view stands already, as one of nulls, and goes back to that
                entry.create = super::view::statement("CREATE OR REPLACE VIEW", table, relation, out);
                entry.drop = format!("CREATE OR REPLACE VIEW {table_name} AS\n{};\n", super::view::nulls(table, quote));
            } else {
                entry.create = format!("{}\n", self.definition.as_deref().unwrap_or_default());
                entry.drop = format!("DROP RULE {name} ON {table_name};\n");
            }
            let state = match self.enabled {
                'A' => Some("ENABLE ALWAYS"),
                'R' => Some("ENABLE REPLICA"),
                'D' => Some("DISABLE"),
                _ => None,
            };
            if let Some(state) = state {
                push(&mut entry.create, &["ALTER TABLE ", &table_name, " ", state, " RULE ", &name, ";\n"]);
            }
            out.push(entry);
        }
        let words = format!("RULE {name} ON");
        let bare = quote.identifier(&relation.name).into_owned();
        out.comment(object, &words, &bare, out.inventory.schema_name(object));
    }
}
