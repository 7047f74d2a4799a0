//! What a dump is to have: the options and patterns of the caller, and what these mean for each object.

use std::collections::HashSet;

use crate::object::data_type::TypeForm;
use crate::object::table::{RelationKind, Rows};
use crate::object::{Components, Detail, DumpId, Inventory, LAST_BUILTIN_OID, Object, ObjectKind, Section, class};

/// Which of the lists of patterns one belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// `-n`
    IncludeSchema,
    /// `-N`
    ExcludeSchema,
    /// `-t`
    IncludeTable,
    /// `-T`
    ExcludeTable,
    /// `--exclude-table-data`
    ExcludeTableData,
    /// `-e`
    IncludeExtension,
    /// `--exclude-extension`
    ExcludeExtension,
    /// `--include-foreign-data`
    IncludeForeignData,
}

impl List {
    /// Every list.
    pub const ALL: [Self; 8] = [
        Self::IncludeSchema,
        Self::ExcludeSchema,
        Self::IncludeTable,
        Self::ExcludeTable,
        Self::ExcludeTableData,
        Self::IncludeExtension,
        Self::ExcludeExtension,
        Self::IncludeForeignData,
    ];

    /// What its patterns name, in the plural.
    pub const fn objects(self) -> &'static str {
        match self {
            Self::IncludeSchema | Self::ExcludeSchema => "schemas",
            Self::IncludeTable | Self::ExcludeTable | Self::ExcludeTableData => "tables",
            Self::IncludeExtension | Self::ExcludeExtension => "extensions",
            Self::IncludeForeignData => "foreign servers",
        }
    }

    /// Whether a dump with such a pattern has nothing but what patterns name.
    pub const fn narrows(self) -> bool {
        match self {
            Self::IncludeSchema | Self::IncludeTable | Self::IncludeExtension => true,
            Self::ExcludeSchema
            | Self::ExcludeTable
            | Self::ExcludeTableData
            | Self::ExcludeExtension
            | Self::IncludeForeignData => false,
        }
    }
}

/// One pattern as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it belongs.
    pub list: List,
    /// The pattern as psql takes it.
    pub pattern: String,
    /// Whether tables that inherit from what it names are meant too, and partitions.
    pub with_children: bool,
}

/// Whether the contents of large objects are dumped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LargeObjects {
    /// Unless only a part of the database is dumped.
    #[default]
    WithEverything,
    /// Always (`-b`).
    Always,
    /// Never (`-B`).
    Never,
}

/// The parts of a dump that `--section` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections {
    /// What stands before the data.
    pub pre_data: bool,
    /// The data.
    pub data: bool,
    /// What stands after the data.
    pub post_data: bool,
}

impl Sections {
    /// Everything.
    pub const ALL: Self = Self { pre_data: true, data: true, post_data: true };

    pub(super) const fn has(self, section: Section) -> bool {
        match section {
            Section::None => true,
            Section::PreData => self.pre_data,
            Section::Data => self.data,
            Section::PostData => self.post_data,
        }
    }
}

/// What a dump is to have, as far as the caller says it without naming objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Definitions (`-a` leaves them out).
    pub definitions: bool,
    /// Rows, sequence states, large objects (`-s` leaves them out).
    pub data: bool,
    /// Sequence states even without data (`--sequence-data`).
    pub sequence_data: bool,
    /// The planner's statistics (`--statistics`).
    pub statistics: bool,
    /// The sections.
    pub sections: Sections,
    /// Large objects.
    pub large_objects: LargeObjects,
    /// Rows of unlogged tables (`--no-unlogged-table-data` leaves them out).
    pub unlogged_data: bool,
    /// Policies.
    pub policies: bool,
    /// Publications.
    pub publications: bool,
    /// Subscriptions.
    pub subscriptions: bool,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            definitions: true,
            data: true,
            sequence_data: false,
            statistics: false,
            sections: Sections::ALL,
            large_objects: LargeObjects::default(),
            unlogged_data: true,
            policies: true,
            publications: true,
            subscriptions: true,
        }
    }
}

/// The objects that patterns name, by oid, and the rest of what is wanted.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// What the caller says without naming objects.
    pub content: Content,
    /// What the patterns of each list came to; a list without patterns has no entry.
    named: Vec<(List, HashSet<u32>)>,
    /// Patterns that meant nothing in the database: what they were to choose, and their text.
    pub unmatched: Vec<(List, String)>,
}

impl Selection {
    /// A selection without patterns.
    pub fn new(content: Content) -> Self {
        Self { content, named: Vec::new(), unmatched: Vec::new() }
    }

    /// Adds what a pattern came to.
    pub fn add(&mut self, list: List, oids: impl IntoIterator<Item = u32>) {
        match self.named.iter_mut().find(|(known, _)| *known == list) {
            Some((_, set)) => set.extend(oids),
            None => self.named.push((list, oids.into_iter().collect())),
        }
    }

    fn list(&self, list: List) -> Option<&HashSet<u32>> {
        self.named.iter().find(|(known, _)| *known == list).map(|(_, oids)| oids)
    }

    fn names(&self, list: List, oid: u32) -> bool {
        self.list(list).is_some_and(|oids| oids.contains(&oid))
    }

    /// Whether no pattern narrows the dump: then it has what belongs to no schema, too.
    pub fn is_whole(&self) -> bool {
        !self.named.iter().any(|(list, _)| list.narrows())
    }

    /// Whether large objects are dumped.
    pub fn has_large_objects(&self) -> bool {
        self.content.data
            && match self.content.large_objects {
                LargeObjects::WithEverything => self.is_whole(),
                LargeObjects::Always => true,
                LargeObjects::Never => false,
            }
    }
}

const ALL: Components = Components::ALL;
const NONE: Components = Components::NONE;

const fn all_if(condition: bool) -> Components {
    if condition { ALL } else { NONE }
}

/// Marks in an inventory of lists what is to be dumped, and whose details must be read for that.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other kinds are marked last, in any order")]
pub fn mark(inventory: &mut Inventory, selection: &Selection) {
    inventory.is_whole = selection.is_whole();
    inventory.has_large_objects = selection.has_large_objects();
    let ids: Vec<DumpId> = inventory.objects().iter().map(|object| object.id).collect();
    // schemas and extensions first: what lies in them follows them
    let rank = |inventory: &Inventory, id: &DumpId| match inventory.get(*id).detail {
        Detail::Extension(_) => 0,
        Detail::Schema(_) => 1,
        Detail::Table(_) => 2,
        _ => 3,
    };
    let mut ordered = ids;
    ordered.sort_by_key(|id| rank(inventory, id));
    for id in ordered {
        mark_one(inventory, selection, id);
    }
    follow_owned_sequences(inventory);
    mark_rows(inventory, selection);
    mark_configuration(inventory, selection);
    want_details(inventory);
    inventory.wants_statistics = selection.content.statistics;
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only schemas and default rights differ from what is decided")]
fn mark_one(inventory: &mut Inventory, selection: &Selection, id: DumpId) {
    let object = inventory.get(id);
    let mut dump = decide(inventory, selection, object);
    let mut components = Components::NONE;
    // what lies in a schema or extension follows it, unless an extension made the schema: then only the schema does
    // whoever names `public` wants it made, too
    let is_named = selection.names(List::IncludeSchema, object.catalog_id.oid);
    let contained = match &object.detail {
        Detail::Schema(schema) if !is_named => {
            let contained = dump;
            if !schema.create && dump == ALL {
                // a definition only says who owns it, and that need not be said of the owner that initdb gives it
                if schema.has_default_owner {
                    dump = dump.without(Components::DEFINITION);
                }
                // even no comment is one: initdb gives it one
                components = Components::COMMENT;
            }
            contained
        }
        _ => dump,
    };
    let extension = (inventory.extension_members.get(&object.catalog_id).copied())
        .filter(|_| row_type_of(object).is_none() && object.detail.kind() != ObjectKind::DefaultAcl);
    if let Some(extension) = extension {
        // the extension's script makes it again; what is left are rights that were changed since
        dump = inventory.get(extension).dump_contained.and(Components::ACL);
    }
    let object = inventory.get_mut(id);
    if let Detail::Schema(schema) = &mut object.detail {
        schema.create |= is_named;
    }
    object.dump = dump;
    object.dump_contained = contained;
    object.components = object.components.with(components);
    if let Some(extension) = extension {
        object.is_extension_member = true;
        object.dependencies.push(extension);
    }
}

/// The oid of the relation whose row type this is.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other kind has a row type")]
fn row_type_of(object: &Object) -> Option<u32> {
    match &object.detail {
        Detail::DataType(data_type) if matches!(data_type.form, TypeForm::RowType) => Some(data_type.relation),
        _ => None,
    }
}

/// Whether the table that extended statistics are of is defined in the dump.
fn is_table_defined(inventory: &Inventory, object: &Object) -> bool {
    let Detail::Statistics(statistics) = &object.detail else { return false };
    let table = inventory.find(class::PG_CLASS, statistics.table);
    table.is_some_and(|table| inventory.get(table).dump.contains(Components::DEFINITION))
}

/// What of an object is dumped, extensions aside.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other kinds follow their schema")]
fn decide(inventory: &Inventory, selection: &Selection, object: &Object) -> Components {
    let oid = object.catalog_id.oid;
    let is_whole = selection.is_whole();
    let schema_contains = object.schema.map(|schema| inventory.get(schema).dump_contained);
    match object.detail.kind() {
        ObjectKind::Schema => decide_schema(selection, object),
        ObjectKind::Extension if oid <= LAST_BUILTIN_OID => Components::ACL,
        ObjectKind::Extension => match selection.list(List::IncludeExtension) {
            _ if selection.names(List::ExcludeExtension, oid) => NONE,
            Some(named) => all_if(named.contains(&oid)),
            None => all_if(is_whole),
        },
        ObjectKind::Table => match selection.list(List::IncludeTable) {
            _ if selection.names(List::ExcludeTable, oid) => NONE,
            Some(named) => all_if(named.contains(&oid)),
            None => schema_contains.unwrap_or(NONE),
        },
        // they follow their table too
        ObjectKind::StatisticsObject if !is_table_defined(inventory, object) => NONE,
        // what initdb made is there already, but its rights may have been changed
        ObjectKind::Language if is_whole && oid <= LAST_BUILTIN_OID => Components::ACL,
        ObjectKind::Cast | ObjectKind::AccessMethod | ObjectKind::Transform if oid <= LAST_BUILTIN_OID => NONE,
        ObjectKind::Publication | ObjectKind::PublicationTable | ObjectKind::PublicationSchema
            if !selection.content.publications =>
        {
            NONE
        }
        ObjectKind::Subscription | ObjectKind::SubscriptionTable if !selection.content.subscriptions => NONE,
        ObjectKind::LargeObject | ObjectKind::LargeObjectData => all_if(selection.has_large_objects()),
        // a row type goes with its relation
        ObjectKind::DummyType if row_type_of(object).is_some() => (row_type_of(object))
            .and_then(|relation| inventory.find(class::PG_CLASS, relation))
            .map_or(NONE, |relation| inventory.get(relation).dump),
        _ => schema_contains.unwrap_or_else(|| all_if(is_whole)),
    }
}

fn decide_schema(selection: &Selection, schema: &Object) -> Components {
    let oid = schema.catalog_id.oid;
    let is_system = schema.name.starts_with("pg_") || schema.name == "information_schema";
    let chosen = if selection.list(List::IncludeTable).is_some() {
        NONE
    } else if let Some(named) = selection.list(List::IncludeSchema) {
        // what initdb made can be restored nowhere, even if a pattern happens to name it
        all_if(named.contains(&oid) && !is_system)
    } else if schema.name == "pg_catalog" {
        // rights on what initdb made may have been changed
        Components::ACL
    } else {
        all_if(!is_system)
    };
    if selection.names(List::ExcludeSchema, oid) { NONE } else { chosen }
}

/// A sequence that belongs to a column is dumped as far as its table is; an identity's cannot be dumped without it.
fn follow_owned_sequences(inventory: &mut Inventory) {
    let changes: Vec<(DumpId, Components)> = (inventory.objects().iter())
        .filter_map(|object| {
            let Detail::Table(table) = &object.detail else { return None };
            let owner = table.owner_column?;
            let owning = inventory.get(inventory.find(class::PG_CLASS, owner.table)?);
            let dump = if owning.dump.is_empty() && owner.is_identity { NONE } else { object.dump.with(owning.dump) };
            Some((object.id, dump))
        })
        .collect();
    for (id, dump) in changes {
        inventory.get_mut(id).dump = dump;
    }
}

/// Which relations' rows, states and refreshes are dumped.
fn mark_rows(inventory: &mut Inventory, selection: &Selection) {
    let content = &selection.content;
    let wanted: Vec<DumpId> = (inventory.objects().iter())
        .filter(|object| object.dump.contains(Components::DATA))
        .filter(|object| {
            let Detail::Table(table) = &object.detail else { return false };
            has_rows(selection, object.catalog_id.oid, table.kind, table.persistence, table.foreign_server)
                && (content.data || (content.sequence_data && table.kind == RelationKind::Sequence))
        })
        .map(|object| object.id)
        .collect();
    for id in wanted {
        set_rows(inventory, id, Rows::All);
    }
}

fn set_rows(inventory: &mut Inventory, id: DumpId, rows: Rows) {
    if let Detail::Table(table) = &mut inventory.get_mut(id).detail {
        table.rows = rows;
    }
}

fn has_rows(selection: &Selection, oid: u32, kind: RelationKind, persistence: char, server: Option<u32>) -> bool {
    let is_excluded =
        selection.names(List::ExcludeTableData, oid) || (persistence == 'u' && !selection.content.unlogged_data);
    !is_excluded
        && match kind {
            RelationKind::Table | RelationKind::MaterializedView | RelationKind::Sequence => true,
            RelationKind::ForeignTable => {
                server.is_some_and(|server| selection.names(List::IncludeForeignData, server))
            }
            RelationKind::View | RelationKind::PartitionedTable | RelationKind::CompositeType => false,
        }
}

/// The rows of extensions' configuration tables that are the user's.
fn mark_configuration(inventory: &mut Inventory, selection: &Selection) {
    if !selection.content.data {
        return;
    }
    let mut wanted = Vec::new();
    for extension in inventory.objects() {
        let Detail::Extension(detail) = &extension.detail else { continue };
        for (oid, condition) in &detail.configuration {
            let Some(table) = inventory.find(class::PG_CLASS, *oid) else { continue };
            let object = inventory.get(table);
            let Detail::Table(relation) = &object.detail else { continue };
            let schema = object.schema.map(|schema| inventory.get(schema));
            // of an extension that is not dumped, only those that patterns ask for
            let is_asked = extension.dump.contains(Components::DEFINITION)
                || selection.names(List::IncludeTable, *oid)
                || schema.is_some_and(|schema| schema.dump.contains(Components::DATA));
            let is_excluded = selection.names(List::ExcludeTable, *oid)
                || schema.is_some_and(|schema| selection.names(List::ExcludeSchema, schema.catalog_id.oid));
            if is_asked
                && !is_excluded
                && has_rows(selection, *oid, relation.kind, relation.persistence, relation.foreign_server)
            {
                let rows = if condition.is_empty() { Rows::All } else { Rows::Some(condition.clone()) };
                wanted.push((table, rows));
            }
        }
    }
    for (table, rows) in wanted {
        set_rows(inventory, table, rows);
        inventory.get_mut(table).wants_details = true;
    }
}

/// Details are read of what is defined in the dump, of what has rows in it, and of all that these inherit from; of
/// functions also where only their rights are dumped, which name them with their arguments.
fn want_details(inventory: &mut Inventory) {
    let mut queue: Vec<DumpId> = (inventory.objects().iter())
        .filter(|object| {
            object.wants_details
                || object.dump.contains(Components::DEFINITION)
                || (object.dump.contains(Components::ACL) && object.acl.as_ref().is_some_and(|acl| acl.is_changed()))
                || matches!(&object.detail, Detail::Table(table) if table.rows != Rows::None)
                || (matches!(object.detail, Detail::Function(_) | Detail::Aggregate(_))
                    && !object.dump.and(object.components).is_empty())
        })
        .map(|object| object.id)
        .collect();
    let mut seen: HashSet<DumpId> = queue.iter().copied().collect();
    while let Some(id) = queue.pop() {
        inventory.get_mut(id).wants_details = true;
        if let Detail::Table(table) = &inventory.get(id).detail {
            queue.extend(table.parents.clone().into_iter().filter(|parent| seen.insert(*parent)));
        }
    }
}

/// The parts of an object's dump that the content leaves over.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other kinds are dumped as they are marked")]
pub(super) fn restrict(object: &Object, selection: &Selection) -> Components {
    let mut dump = object.dump;
    let kind = object.detail.kind();
    if kind == ObjectKind::StatisticsData {
        return dump.and(Components::STATISTICS);
    }
    if !selection.content.definitions && !matches!(kind, ObjectKind::LargeObject) {
        dump = dump.and(Components::DATA);
    }
    match kind {
        ObjectKind::TableData
        | ObjectKind::SequenceSet
        | ObjectKind::LargeObjectData
        | ObjectKind::RefreshMaterializedView => dump,
        ObjectKind::Policy if !selection.content.policies => NONE,
        // privileges that were never changed are those that a new object has
        _ if !object.components.contains(Components::ACL) => dump.without(Components::ACL),
        _ => dump,
    }
}
