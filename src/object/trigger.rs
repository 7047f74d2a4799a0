//! Triggers.

use super::table::push;
use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, Object, class};
use crate::record::{DecodeError, Record};

/// What only a trigger has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its table.
    pub table: DumpId,
    /// `pg_trigger.tgenabled`: `O`, `D`, `R` or `A`.
    pub enabled: char,
    /// Whether it is a partition's copy of its parent's trigger, and only its state is its own.
    pub is_copy: bool,
    /// `CREATE TRIGGER`, without the semicolon.
    pub definition: String,
}

/// Takes in the rows of `sql/catalog/trigger.sql`, of the tables whose definition is dumped.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(table) = inventory.find_table(row.oid("tgrelid")?) else { continue };
        if !inventory.get(table).dumps(Components::DEFINITION) {
            continue;
        }
        let trigger = Trigger {
            table,
            enabled: row.letter("tgenabled")?,
            is_copy: row.boolean("is_copy")?,
            definition: row.string("definition")?,
        };
        let catalog_id = CatalogId { class: class::PG_TRIGGER, oid: row.oid("oid")? };
        let id = inventory.add_part_of(table, catalog_id, row.string("tgname")?, Detail::Trigger(trigger));
        inventory.get_mut(id).dump = Components::ALL;
    }
    Ok(())
}

impl Trigger {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let relation = out.inventory.get(self.table);
        let foreign = out.inventory.table(self.table).map_or("", super::table::Table::foreign_word);
        let table_name = out.inventory.qualified(relation, quote);
        let name = quote.identifier(&object.name);
        if object.dumps(Components::DEFINITION) {
            let identity = format!("{name} ON {table_name}");
            let mut entry = Entry::of(object, out.inventory, "TRIGGER");
            entry.tag = format!("{} {}", relation.name, object.name);
            if !self.is_copy {
                entry.create = format!("{};\n{}", self.definition, out.extension_marks(object, "TRIGGER", &identity));
                entry.drop = format!("DROP TRIGGER {identity};\n");
            }
            let state = match self.enabled {
                'D' => Some("DISABLE"),
                'R' => Some("ENABLE REPLICA"),
                'A' => Some("ENABLE ALWAYS"),
                // how a trigger is made, unless it is a copy whose parent differs
                _ => self.is_copy.then_some("ENABLE"),
            };
            if let Some(state) = state {
                let parts = ["\nALTER ", foreign, "TABLE ", &table_name, " ", state, " TRIGGER ", &name, ";\n"];
                push(&mut entry.create, &parts);
            }
            out.push(entry);
        }
        let words = format!("TRIGGER {name} ON");
        let bare = quote.identifier(&relation.name).into_owned();
        out.comment(object, &words, &bare, out.inventory.schema_name(object));
    }
}
