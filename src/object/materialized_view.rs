//! The refresh of materialized views, each after those that it reads from.

use super::{DumpId, Emitter, Entry, Inventory, Object, Section};
use crate::record::{DecodeError, Record};

/// Takes in the rows of `sql/catalog/materialized_view.sql`: makes each refresh wait for those that it reads from.
///
/// A view that reads from one without rows cannot be refreshed. The refreshes are there by then.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(reader) = inventory.find_table(row.oid("reader")?) else { continue };
        let Some(source) = inventory.find_table(row.oid("source")?) else { continue };
        let data = |id| inventory.table(id).and_then(|table| table.data);
        let (Some(refresh), Some(needed)) = (data(reader), data(source)) else { continue };
        let is_populated = inventory.table(source).is_some_and(|table| table.is_populated);
        inventory.get_mut(refresh).depend_on(needed);
        if let Some(table) = inventory.table_mut(reader).filter(|_| !is_populated) {
            table.is_populated = false;
        }
    }
    Ok(())
}

/// `REFRESH MATERIALIZED VIEW`, for the object that stands for the view's rows.
pub(super) fn refresh_entry(view: DumpId, object: &Object, out: &mut Emitter<'_>) {
    if !out.inventory.table(view).is_some_and(|table| table.is_populated) {
        return;
    }
    let name = out.inventory.qualified(out.inventory.get(view), out.quote());
    let mut entry = Entry::of(object, out.inventory, "MATERIALIZED VIEW DATA");
    entry.section = Section::PostData;
    entry.create = format!("REFRESH MATERIALIZED VIEW {name};\n");
    out.push(entry);
}
