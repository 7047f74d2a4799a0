//! Extended statistics objects: what the planner is to collect of several columns together.

use super::{CatalogId, Components, Detail, DumpId, Emitter, Entry, Inventory, NewObject, Object, class};
use crate::record::{DecodeError, Record};

/// What only an extended statistics object has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// The oid of its table.
    pub table: u32,
    /// The statistics target, where it is not the default.
    pub target: Option<i32>,
    /// `CREATE STATISTICS`, without the semicolon.
    pub definition: String,
}

impl Statistics {
    /// A row of `sql/catalog/statistics.sql`.
    pub fn decode(row: &Record) -> Result<NewObject, DecodeError> {
        Ok(NewObject {
            catalog_id: CatalogId { class: class::PG_STATISTIC_EXT, oid: row.oid("oid")? },
            name: row.string("stxname")?,
            schema: row.oid("stxnamespace")?,
            owner: row.string("owner")?.into(),
            acl: None,
            detail: Detail::Statistics(Self {
                table: row.oid("stxrelid")?,
                target: row.optional_number("stxstattarget")?.filter(|target| *target >= 0),
                definition: String::new(),
            }),
        })
    }

    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        let name = out.inventory.qualified(object, out.quote());
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "STATISTICS");
            entry.create = format!("{};\n", self.definition);
            if let Some(target) = self.target {
                entry.create.push_str(&format!("ALTER STATISTICS {name} SET STATISTICS {target};\n"));
            }
            entry.drop = format!("DROP STATISTICS {name};\n");
            out.push(entry);
        }
        let bare = out.quote().identifier(&object.name).into_owned();
        out.comment(object, "STATISTICS", &bare, out.inventory.schema_name(object));
    }
}

/// Takes in the rows of `sql/catalog/statistics_definition.sql`.
pub(crate) fn take_definitions(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let id: Option<DumpId> = inventory.find(class::PG_STATISTIC_EXT, row.oid("oid")?);
        if let Some(id) = id
            && let Detail::Statistics(statistics) = &mut inventory.get_mut(id).detail
        {
            statistics.definition = row.string("definition")?;
        }
    }
    Ok(())
}
