//! `pg_depend`, as far as it orders a dump.

use crate::object::{CatalogId, Inventory, ObjectKind, class};
use crate::record::{DecodeError, Record};

/// Notes which extension made which object. Extensions are in the inventory by then.
pub(super) fn take_extension_members(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let member = CatalogId { class: row.oid("classid")?, oid: row.oid("objid")? };
        if let Some(extension) = inventory.find(class::PG_EXTENSION, row.oid("refobjid")?) {
            inventory.extension_members.insert(member, extension);
        }
    }
    Ok(())
}

/// Turns `pg_depend` rows into dependencies between objects of the inventory; rows about anything else do not matter.
pub(super) fn take_dependencies(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some(object) = inventory.find(row.oid("classid")?, row.oid("objid")?) else { continue };
        let Some(referenced) = inventory.find(row.oid("refclassid")?, row.oid("refobjid")?) else { continue };
        let kind = row.letter("deptype")?;
        if kind == 'x' {
            inventory.get_mut(object).depends_on_extension = true;
        }
        // A free-standing composite type's relation depends on the type in the catalog; the dump needs it the other way
        // round, because the type is what has the entry.
        let is_row_type = kind == 'i'
            && inventory.get(object).detail.kind() == ObjectKind::Table
            && inventory.get(referenced).detail.kind() == ObjectKind::DataType;
        // more than once where columns of the two are told apart: an archive's entries have them so, too
        if is_row_type {
            inventory.get_mut(referenced).dependencies.push(object);
        } else {
            inventory.get_mut(object).dependencies.push(referenced);
        }
    }
    Ok(())
}
