//! The servers and options of foreign tables; all else is as with other tables.

use super::Inventory;
use super::table::ForeignSource;
use crate::record::{DecodeError, Record};

/// Takes in the rows of `sql/catalog/foreign_table.sql`.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let source = ForeignSource { server: row.string("srvname")?, options: row.strings("options")? };
        let id = inventory.find_table(row.oid("ftrelid")?);
        if let Some(table) = id.and_then(|id| inventory.table_mut(id)) {
            table.foreign = Some(source);
        }
    }
    Ok(())
}
