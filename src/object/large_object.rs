//! Large objects, in groups that have one owner and one ACL: a database may have millions.

use super::acl::{AclItem, AclTarget};
use super::{
    Acl, CatalogId, Components, DataSource, Detail, DumpId, Emitter, Entry, Inventory, NewObject, Object, class,
};
use crate::record::{DecodeError, Record};

/// A group of large objects; the object's catalog id is the first one's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeObject {
    /// Their oids, ascending.
    pub oids: Vec<u32>,
}

/// The contents of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LargeObjectData {
    /// The group.
    pub group: DumpId,
}

/// Takes in the rows of `sql/catalog/large_object.sql`: by owner and ACL, no more than a thousand in one. Entries are restored each in
/// one transaction, and a parallel restore hands out entries, so that a group must not be large; one entry for each would make
/// the table of contents huge.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let (owner, acl) = (row.string("owner")?, Acl::decode(row, "acl", "acl_default")?);
        let oids: Result<Vec<u32>, _> = row.text("oids")?.split(' ').map(str::parse).collect();
        let oids = oids.map_err(|_| DecodeError {
            column: "oids".to_owned(),
            problem: "expected numbers of large objects".to_owned(),
        })?;
        let most = if has_foreign_grantor(&acl, &owner) { 1 } else { oids.len().max(1) };
        for group in oids.chunks(most) {
            add(inventory, group.to_vec(), owner.clone(), acl.clone());
        }
    }
    Ok(())
}

/// Whether somebody handed a right on. Of a group, pg_restore 17 and 18 repeat every statement for each large object,
/// and make of `SET SESSION AUTHORIZATION bob` the broken `SET SESSION AUTHORIZATION bob7(null)`.
fn has_foreign_grantor(acl: &Acl, owner: &str) -> bool {
    let items = acl.items.iter().flatten().filter_map(|item| AclItem::parse(item));
    items.into_iter().any(|item| item.grantor != owner)
}

fn add(inventory: &mut Inventory, oids: Vec<u32>, owner: String, acl: Acl) {
    let row = |oid: u32| CatalogId { class: class::PG_LARGEOBJECT, oid };
    let (Some(first), Some(last)) = (oids.first().copied(), oids.last().copied()) else { return };
    let name = if oids.len() > 1 { format!("{first}..{last}") } else { first.to_string() };
    let mut components = Components::DEFINITION;
    for id in oids.iter().map(|oid| row(*oid)) {
        if inventory.comments.contains_key(&id) {
            components = components.with(Components::COMMENT);
        }
        if inventory.labels.contains_key(&id) {
            components = components.with(Components::SECURITY_LABEL);
        }
    }
    let new = |catalog_id, acl, detail| NewObject {
        catalog_id,
        name: name.clone(),
        schema: 0,
        owner: owner.as_str().into(),
        acl,
        detail,
    };
    let group = inventory.add(new(row(first), Some(acl), Detail::LargeObject(LargeObject { oids: oids.clone() })));
    for oid in oids.into_iter().skip(1) {
        inventory.alias(row(oid), group);
    }
    let object = inventory.get_mut(group);
    object.components = object.components.with(components);
    let data = inventory.add(new(CatalogId::default(), None, Detail::LargeObjectData(LargeObjectData { group })));
    inventory.get_mut(data).depend_on(group);
}

impl LargeObject {
    pub(super) fn entries(&self, object: &Object, out: &mut Emitter<'_>) {
        if object.dumps(Components::DEFINITION) {
            let mut entry = Entry::of(object, out.inventory, "BLOB METADATA");
            // pg_restore makes the statements itself, in batches: it reads a list of oids here
            entry.create = self.oids.iter().map(|oid| format!("{oid}\n")).collect();
            entry.drop = "-- dummy".to_owned();
            out.push(entry);
        }
        for oid in &self.oids {
            let row = CatalogId { class: class::PG_LARGEOBJECT, oid: *oid };
            let name = oid.to_string();
            out.comment_of(object, row, "LARGE OBJECT", &name, None);
            out.security_labels_of(object, row, "LARGE OBJECT", &name, None);
        }
        if let (Some(first), Some(last)) = (self.oids.first(), self.oids.last()) {
            // the statements are the first one's; by the tag pg_restore knows to repeat them for each of the group
            let tag = format!("LARGE OBJECTS {first}..{last}");
            let name = first.to_string();
            let target = AclTarget {
                tag: (self.oids.len() > 1).then_some(tag.as_str()),
                ..AclTarget::new("LARGE OBJECT", &name, None)
            };
            out.acl(object, target);
        }
    }
}

impl LargeObjectData {
    pub(super) fn entries(self, object: &Object, out: &mut Emitter<'_>) {
        let Detail::LargeObject(group) = &out.inventory.get(self.group).detail else { return };
        if !object.dumps(Components::DATA) {
            return;
        }
        let mut entry = Entry::of(object, out.inventory, "BLOBS");
        entry.dependencies = Some(vec![self.group]);
        entry.data = Some(DataSource::LargeObjects(group.oids.clone()));
        out.push(entry);
    }
}
