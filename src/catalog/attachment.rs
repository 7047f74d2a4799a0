//! What hangs on objects of any kind: comments, security labels, the privileges that they had at birth.

use super::query::{Query, catalog_sql};
use super::step::{Scope, Step, add_each};
use crate::object::comment::Comment;
use crate::object::extension::Extension;
use crate::object::security_label::SecurityLabel;
use crate::object::{CatalogId, Components, Detail, InitialPrivileges, Inventory};
use crate::record::{DecodeError, Record};

/// What is read before any object, which looks there for its own; extensions come before their members.
pub(super) const BEFORE: &[Step] = &[
    Step { query: Query::new("comment", &[(13, catalog_sql!("comment"))]), scope: Scope::Whole, take: take_comments },
    Step {
        query: Query::new("security_label", &[(13, catalog_sql!("security_label"))]),
        scope: Scope::Whole,
        take: take_labels,
    },
    Step {
        query: Query::new("extension", &[(13, catalog_sql!("extension"))]),
        scope: Scope::Whole,
        take: |rows, inventory| add_each(rows, inventory, Extension::decode),
    },
];

/// What is read after all objects that may be selected.
pub(super) const AFTER: &[Step] = &[Step {
    query: Query::new("initial_privilege", &[(13, catalog_sql!("initial_privilege"))]),
    scope: Scope::Whole,
    take: take_initial_privileges,
}];

fn take_comments(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let (catalog_id, comment) = Comment::decode(row)?;
        inventory.comments.entry(catalog_id).or_default().push(comment);
    }
    Ok(())
}

fn take_labels(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let (catalog_id, label) = SecurityLabel::decode(row)?;
        inventory.labels.entry(catalog_id).or_default().push(label);
    }
    Ok(())
}

/// Columns' initial privileges are read with the columns' own.
fn take_initial_privileges(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        if row.number::<i32>("objsubid")? != 0 {
            continue;
        }
        let catalog_id = CatalogId { class: row.oid("classoid")?, oid: row.oid("objoid")? };
        let Some(id) = inventory.find(catalog_id.class, catalog_id.oid) else { continue };
        let object = inventory.get_mut(id);
        if matches!(&object.detail, Detail::Schema(schema) if !schema.create) {
            continue; // `public`, whose privileges at birth are those of the target's
        }
        if let Some(acl) = &mut object.acl {
            acl.initial = Some(InitialPrivileges::decode(row)?);
            object.components = object.components.with(Components::ACL);
        }
    }
    Ok(())
}
