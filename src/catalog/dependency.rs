//! `pg_depend`, as far as it orders a dump.

use super::not_understood;
use super::step::DEPENDENCY;
use crate::error::Result;
use crate::object::{CatalogId, Inventory, ObjectKind, class, version::Version};
use crate::record::{DecodeError, Record};
use crate::server::Connection;

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

/// A row of `sql/catalog/dependency.sql`. A database has several of them for each object.
pub(super) struct Dependency {
    object: CatalogId,
    referenced: CatalogId,
    kind: char,
}

impl Dependency {
    fn decode(row: &Record) -> Result<Self, DecodeError> {
        Ok(Self {
            object: CatalogId { class: row.oid("classid")?, oid: row.oid("objid")? },
            referenced: CatalogId { class: row.oid("refclassid")?, oid: row.oid("refobjid")? },
            kind: row.letter("deptype")?,
        })
    }

    /// Whether it says that a free-standing composite type's relation depends on the type. The dump needs it the other way
    /// round, because the type is what has the entry.
    fn is_of_row_type(&self, inventory: &Inventory) -> bool {
        let kind = |of: CatalogId| inventory.find(of.class, of.oid).map(|id| inventory.get(id).detail.kind());
        self.kind == 'i'
            && (self.object.class, self.referenced.class) == (class::PG_CLASS, class::PG_TYPE)
            && kind(self.object) == Some(ObjectKind::Table)
            && kind(self.referenced) == Some(ObjectKind::DataType)
    }
}

/// Makes them dependencies between objects of the inventory; those about anything else do not matter.
pub(super) fn note(dependencies: &[Dependency], inventory: &mut Inventory) {
    let mut of_row_types = Vec::new();
    for dependency in dependencies {
        let Dependency { object, referenced, kind } = dependency;
        let Some(object) = inventory.find(object.class, object.oid) else { continue };
        let Some(referenced) = inventory.find(referenced.class, referenced.oid) else { continue };
        if *kind == 'x' {
            inventory.get_mut(object).depends_on_extension = true;
        }
        if dependency.is_of_row_type(inventory) {
            of_row_types.push((referenced, object));
        } else {
            // more than once where columns of the two are told apart: an archive's entries have them so, too
            inventory.get_mut(object).dependencies.push(referenced);
        }
    }
    // behind what is said of the types themselves
    for (object, referenced) in of_row_types {
        inventory.get_mut(object).dependencies.push(referenced);
    }
}

/// Takes in the rows of `sql/catalog/dependency.sql`.
pub(super) fn take_dependencies(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    let dependencies: Vec<Dependency> = rows.iter().map(Dependency::decode).collect::<Result<_, _>>()?;
    note(&dependencies, inventory);
    Ok(())
}

/// Has a helper read what depends on what, while others do something else.
pub(super) async fn read_ahead(mut helper: Connection, version: Version) -> Result<(Connection, Vec<Dependency>)> {
    let mut dependencies = Vec::new();
    if let Some(sql) = DEPENDENCY.query.for_version(version) {
        let mut each = |row: Record| {
            let dependency = Dependency::decode(&row);
            dependencies.push(dependency.map_err(|error| not_understood(DEPENDENCY.query.stem, &error))?);
            Ok(())
        };
        helper.query_each(sql, &[], &mut each).await.map_err(|error| error.context("query \"dependency\""))?;
    }
    Ok((helper, dependencies))
}
