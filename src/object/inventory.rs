use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::comment::Comment;
use super::contradiction::Contradiction;
use super::index::DefaultOperatorClass;
use super::security_label::SecurityLabel;
use super::unsupported::Unsupported;
use super::{Acl, CatalogId, Components, Detail, DumpId, Object, Quote, class, version::Version};

/// What is true of the whole source.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The server's version.
    pub version: Version,
    /// The database's encoding, by its name (`UTF8`, `SQL_ASCII`).
    pub encoding: String,
    /// Whether `standard_conforming_strings` is on in the session that reads.
    pub standard_strings: bool,
    /// Whether `quote_all_identifiers` is on in the session that reads.
    pub quote_all: bool,
    /// The database's name.
    pub database: String,
    /// Whether the session's role may read how subscriptions reach their publishers.
    pub reads_subscriptions: bool,
    /// Whether the session's role may read `pg_user_mapping` itself.
    pub reads_user_mappings: bool,
    /// Whether the session's role may read `pg_largeobject` itself.
    pub reads_large_objects: bool,
}

/// What `decode` makes of a row; [`Inventory::add`] gives it its number.
#[derive(Debug)]
pub struct NewObject {
    /// Its identity in the source.
    pub catalog_id: CatalogId,
    /// Its bare name.
    pub name: String,
    /// The oid of its schema, or 0.
    pub schema: u32,
    /// The owner's role name, or empty.
    pub owner: Arc<str>,
    /// Its privileges, for kinds that have them.
    pub acl: Option<Acl>,
    /// What only its kind has.
    pub detail: Detail,
}

/// All objects that were read of one database, with what links them.
#[derive(Debug, Default)]
pub struct Inventory {
    /// What is true of the whole source.
    pub facts: Facts,
    objects: Vec<Object>,
    /// Asked some million times in a large database.
    by_catalog_id: HashMap<CatalogId, DumpId, foldhash::fast::RandomState>,
    /// Which extension made which object (`pg_depend`, deptype `e`).
    pub extension_members: HashMap<CatalogId, DumpId>,
    /// Comments by object, in column order.
    pub comments: HashMap<CatalogId, Vec<Comment>>,
    /// Security labels by object, in column order.
    pub labels: HashMap<CatalogId, Vec<SecurityLabel>>,
    /// Which operator class a B-tree takes for a column of which type without being told.
    pub default_operator_classes: HashSet<DefaultOperatorClass>,
    /// Whether the planner's statistics are dumped.
    pub wants_statistics: bool,
    /// Whether no pattern narrows the dump: then it has what lies in no schema, too.
    pub is_whole: bool,
    /// Whether large objects are dumped.
    pub has_large_objects: bool,
    /// Where the catalogs contradict themselves.
    pub contradictions: Vec<Contradiction>,
    /// Indexes that are left out because they are not valid, as a `CREATE INDEX CONCURRENTLY` that failed leaves them.
    pub unusable_indexes: Vec<String>,
    /// What the database has that a dump does not know how to write.
    pub unsupported: Vec<Unsupported>,
}

impl Inventory {
    /// An empty inventory of this source.
    pub fn new(facts: Facts) -> Self {
        Self { facts, ..Self::default() }
    }

    /// Takes an object in, gives it the next number, and finds its schema, its extension and its comment.
    pub fn add(&mut self, new: NewObject) -> DumpId {
        let id = DumpId(i32::try_from(self.objects.len() + 1).expect("a dump has fewer than 2^31 objects"));
        let schema = if new.schema == 0 { None } else { self.find(class::PG_NAMESPACE, new.schema) };
        let mut components = Components::DEFINITION;
        if self.comments.contains_key(&new.catalog_id) {
            components = components.with(Components::COMMENT);
        }
        if self.labels.contains_key(&new.catalog_id) {
            components = components.with(Components::SECURITY_LABEL);
        }
        if new.acl.as_ref().is_some_and(|acl| acl.items.is_some() || acl.initial.is_some()) {
            components = components.with(Components::ACL);
        }
        self.objects.push(Object {
            id,
            catalog_id: new.catalog_id,
            name: new.name,
            schema,
            owner: new.owner,
            acl: new.acl.map(Box::new),
            dump: Components::ALL,
            dump_contained: Components::ALL,
            components,
            is_extension_member: self.extension_members.contains_key(&new.catalog_id),
            wants_details: false,
            depends_on_extension: false,
            dependencies: Vec::new(),
            detail: new.detail,
        });
        if new.catalog_id != CatalogId::default() {
            self.by_catalog_id.insert(new.catalog_id, id);
        }
        id
    }

    /// The object that is this row of this catalog, if it was read.
    pub fn find(&self, class: u32, oid: u32) -> Option<DumpId> {
        self.by_catalog_id.get(&CatalogId { class, oid }).copied()
    }

    /// Makes a second catalog row stand for an object: a table's row type for the table, for example.
    pub fn alias(&mut self, catalog_id: CatalogId, id: DumpId) {
        self.by_catalog_id.insert(catalog_id, id);
    }

    /// The object with this number.
    ///
    /// # Panics
    ///
    /// On a number that [`Inventory::add`] did not give.
    pub fn get(&self, id: DumpId) -> &Object {
        self.slot(id).and_then(|slot| self.objects.get(slot)).expect("dump ids come from this inventory")
    }

    /// The object with this number, to change it.
    ///
    /// # Panics
    ///
    /// On a number that [`Inventory::add`] did not give.
    pub fn get_mut(&mut self, id: DumpId) -> &mut Object {
        self.slot(id).and_then(|slot| self.objects.get_mut(slot)).expect("dump ids come from this inventory")
    }

    fn slot(&self, id: DumpId) -> Option<usize> {
        usize::try_from(id.0).ok()?.checked_sub(1)
    }

    /// All objects, by number.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// All objects, by number, to change them.
    pub fn objects_mut(&mut self) -> &mut [Object] {
        &mut self.objects
    }

    /// The name of the object's schema, if it lies in one.
    pub fn schema_name(&self, object: &Object) -> Option<&str> {
        object.schema.map(|schema| self.get(schema).name.as_str())
    }

    /// `schema.name`, quoted.
    pub fn qualified(&self, object: &Object, quote: Quote) -> String {
        quote.qualified(self.schema_name(object), &object.name)
    }
}
