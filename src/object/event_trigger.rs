//! Event triggers.

use super::table::push;
use super::{CatalogId, Components, Detail, Emitter, Entry, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only an event trigger has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTrigger {
    /// The event.
    pub event: String,
    /// The command tags that it is for, as a list of SQL literals; empty for all.
    pub tags: String,
    /// The function, as SQL.
    pub function: String,
    /// `evtenabled`: `O`, `D`, `R` or `A`.
    pub enabled: char,
}

impl EventTrigger {
    /// A row of `sql/catalog/event_trigger.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_EVENT_TRIGGER, oid: row.oid("oid")? },
            name: row.string("evtname")?,
            schema: 0,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::EventTrigger(Self {
                event: row.string("evtevent")?,
                tags: row.string("tags")?,
                function: row.string("function")?,
                enabled: row.letter("evtenabled")?,
            }),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let quote = out.quote();
        let name = quote.identifier(&object.name).into_owned();
        if object.dumps(Components::DEFINITION) {
            let mut create = format!("CREATE EVENT TRIGGER {name} ON {}", quote.identifier(&self.event));
            if !self.tags.is_empty() {
                push(&mut create, &["\n         WHEN TAG IN (", &self.tags, ")"]);
            }
            push(&mut create, &["\n   EXECUTE FUNCTION ", &self.function, "();\n"]);
            let state = match self.enabled {
                'O' => None,
                'D' => Some("DISABLE"),
                'A' => Some("ENABLE ALWAYS"),
                'R' => Some("ENABLE REPLICA"),
                _ => Some("ENABLE"),
            };
            if let Some(state) = state {
                push(&mut create, &["\nALTER EVENT TRIGGER ", &name, " ", state, ";\n"]);
            }
            let mut entry = Entry::of(object, out.inventory, "EVENT TRIGGER");
            entry.create = create;
            entry.drop = format!("DROP EVENT TRIGGER {name};\n");
            out.push(entry);
        }
        out.comment(object, "EVENT TRIGGER", &name, None);
        out.security_labels(object, "EVENT TRIGGER", &name, None);
    }
}
