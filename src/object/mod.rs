//! Database objects: what the catalog says of each, and the SQL that makes it again.
//!
//! One file a kind, read top to bottom: the struct, `decode` (a row of `sql/catalog/<stem>.sql` by column name), what it
//! depends on beyond `pg_depend`, and `entries`, which writes the SQL. Nothing here knows a server; [`Inventory`] holds
//! what was read, [`Emitter`] takes what is written.

pub mod access_method;
pub mod acl;
pub mod aggregate;
pub mod attribute_statistics;
pub mod base_type;
pub mod cast;
pub mod collation;
pub mod column;
pub mod comment;
pub mod composite;
pub mod constraint;
pub mod contradiction;
pub mod conversion;
pub mod data_type;
pub mod database;
pub mod default;
pub mod default_acl;
pub mod domain;
mod entry;
pub mod enumeration;
pub mod event_trigger;
pub mod extension;
pub mod foreign_data_wrapper;
pub mod foreign_server;
pub mod foreign_table;
pub mod function;
pub mod globals;
pub mod identifier;
pub mod index;
mod inventory;
mod kind;
pub mod language;
pub mod large_object;
pub mod materialized_view;
pub mod operator;
pub mod operator_class;
pub mod operator_family;
pub mod partition;
pub mod policy;
pub mod publication;
pub mod range;
pub mod relation_statistics;
pub mod role;
pub mod rule;
pub mod schema;
pub mod security_label;
pub mod self_test;
pub mod sequence;
mod setting;
pub mod statistics;
pub mod subscription;
pub mod table;
pub mod table_data;
pub mod tablespace;
pub mod text_search_configuration;
pub mod text_search_dictionary;
pub mod text_search_parser;
pub mod text_search_template;
pub mod transform;
pub mod trigger;
pub mod unsupported;
pub mod version;
pub mod view;

pub use entry::{DataSource, EmitOptions, Emitter, Entry, Inserts};
pub use identifier::Quote;
pub use inventory::{Facts, Inventory, NewObject};
pub use kind::ObjectKind;
pub use table_data::InsertForm;

use std::sync::Arc;

use access_method::AccessMethod;
use aggregate::Aggregate;
use cast::Cast;
use collation::Collation;
use constraint::Constraint;
use conversion::Conversion;
use data_type::{DataType, ShellType};
use default::ColumnDefault;
use domain::DomainConstraint;
use event_trigger::EventTrigger;
use extension::Extension;
use foreign_data_wrapper::ForeignDataWrapper;
use foreign_server::ForeignServer;
use function::Function;
use index::{Index, IndexAttach};
use language::Language;
use operator::Operator;
use operator_class::OperatorClass;
use operator_family::OperatorFamily;
use partition::TableAttach;
use policy::Policy;
use publication::{Publication, PublicationSchema, PublicationTable};
use relation_statistics::RelationStatistics;
use rule::Rule;
use schema::Schema;
use statistics::Statistics;
use subscription::Subscription;
use table::Table;
use table_data::TableData;
use text_search_configuration::TextSearchConfiguration;
use text_search_dictionary::TextSearchDictionary;
use text_search_parser::TextSearchParser;
use text_search_template::TextSearchTemplate;
use transform::Transform;
use trigger::Trigger;

/// An object's number in one dump; dependencies are told in these. The first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DumpId(pub i32);

/// An object's identity in the source: the catalog that it is a row of, and the row's oid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CatalogId {
    /// The oid of the system catalog, as in `pg_depend.classid`.
    pub class: u32,
    /// The oid of the row.
    pub oid: u32,
}

/// The oids of the system catalogs, which are the same in every server.
pub mod class {
    /// `pg_am`
    pub const PG_AM: u32 = 2601;
    /// `pg_amop`
    pub const PG_AMOP: u32 = 2602;
    /// `pg_amproc`
    pub const PG_AMPROC: u32 = 2603;
    /// `pg_attrdef`
    pub const PG_ATTRDEF: u32 = 2604;
    /// `pg_cast`
    pub const PG_CAST: u32 = 2605;
    /// `pg_class`
    pub const PG_CLASS: u32 = 1259;
    /// `pg_collation`
    pub const PG_COLLATION: u32 = 3456;
    /// `pg_constraint`
    pub const PG_CONSTRAINT: u32 = 2606;
    /// `pg_conversion`
    pub const PG_CONVERSION: u32 = 2607;
    /// `pg_database`
    pub const PG_DATABASE: u32 = 1262;
    /// `pg_default_acl`
    pub const PG_DEFAULT_ACL: u32 = 826;
    /// `pg_event_trigger`
    pub const PG_EVENT_TRIGGER: u32 = 3466;
    /// `pg_extension`
    pub const PG_EXTENSION: u32 = 3079;
    /// `pg_foreign_data_wrapper`
    pub const PG_FOREIGN_DATA_WRAPPER: u32 = 2328;
    /// `pg_foreign_server`
    pub const PG_FOREIGN_SERVER: u32 = 1417;
    /// `pg_language`
    pub const PG_LANGUAGE: u32 = 2612;
    /// `pg_largeobject`
    pub const PG_LARGEOBJECT: u32 = 2613;
    /// `pg_largeobject_metadata`
    pub const PG_LARGEOBJECT_METADATA: u32 = 2995;
    /// `pg_namespace`
    pub const PG_NAMESPACE: u32 = 2615;
    /// `pg_opclass`
    pub const PG_OPCLASS: u32 = 2616;
    /// `pg_operator`
    pub const PG_OPERATOR: u32 = 2617;
    /// `pg_opfamily`
    pub const PG_OPFAMILY: u32 = 2753;
    /// `pg_policy`
    pub const PG_POLICY: u32 = 3256;
    /// `pg_proc`
    pub const PG_PROC: u32 = 1255;
    /// `pg_publication`
    pub const PG_PUBLICATION: u32 = 6104;
    /// `pg_publication_namespace`
    pub const PG_PUBLICATION_NAMESPACE: u32 = 6237;
    /// `pg_publication_rel`
    pub const PG_PUBLICATION_REL: u32 = 6106;
    /// `pg_rewrite`
    pub const PG_REWRITE: u32 = 2618;
    /// `pg_statistic_ext`
    pub const PG_STATISTIC_EXT: u32 = 3381;
    /// `pg_subscription`
    pub const PG_SUBSCRIPTION: u32 = 6100;
    /// `pg_transform`
    pub const PG_TRANSFORM: u32 = 3576;
    /// `pg_trigger`
    pub const PG_TRIGGER: u32 = 2620;
    /// `pg_ts_config`
    pub const PG_TS_CONFIG: u32 = 3602;
    /// `pg_ts_dict`
    pub const PG_TS_DICT: u32 = 3600;
    /// `pg_ts_parser`
    pub const PG_TS_PARSER: u32 = 3601;
    /// `pg_ts_template`
    pub const PG_TS_TEMPLATE: u32 = 3764;
    /// `pg_type`
    pub const PG_TYPE: u32 = 1247;
    /// `pg_user_mapping`
    pub const PG_USER_MAPPING: u32 = 1418;
}

/// The largest oid that `initdb` gives; what lies above is the user's (`FirstNormalObjectId` minus one).
pub const LAST_BUILTIN_OID: u32 = 16383;

/// The part of a dump in which an entry stands (`pg_restore --section`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// Comments, security labels, ACLs and borders: they go where their object goes.
    None,
    /// Before the data.
    PreData,
    /// The data.
    Data,
    /// After the data.
    PostData,
}

/// A set of the parts of an object that can be dumped apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Components(u16);

impl Components {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The definition.
    pub const DEFINITION: Self = Self(1);
    /// The rows, the sequence's state, the large object's bytes.
    pub const DATA: Self = Self(1 << 1);
    /// The comment.
    pub const COMMENT: Self = Self(1 << 2);
    /// The security labels.
    pub const SECURITY_LABEL: Self = Self(1 << 3);
    /// The privileges.
    pub const ACL: Self = Self(1 << 4);
    /// The row-level security policies.
    pub const POLICY: Self = Self(1 << 5);
    /// The user mappings of a foreign server.
    pub const USER_MAPPING: Self = Self(1 << 6);
    /// The planner's statistics.
    pub const STATISTICS: Self = Self(1 << 7);
    /// Everything.
    pub const ALL: Self = Self(0xff);

    /// Whether every part of `other` is in the set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any part of `other` is in the set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The set without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// An access-control list as the catalog holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    /// The `aclitem[]` column, each item in text form; `None` where it is null, which means the default.
    pub items: Option<Vec<String>>,
    /// What null stands for: `acldefault()` of the kind and the owner.
    pub default: Vec<String>,
    /// `pg_init_privs`: what the object had when its extension or initdb made it.
    pub initial: Option<InitialPrivileges>,
}

impl Acl {
    /// Whether the privileges are others than the object was made with.
    pub fn is_changed(&self) -> bool {
        self.items.as_ref() != self.initial.as_ref().map(|initial| &initial.items)
    }
}

/// A row of `pg_init_privs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialPrivileges {
    /// `privtype`: `i` for initdb, `e` for an extension.
    pub origin: char,
    /// The `aclitem[]` in text form.
    pub items: Vec<String>,
}

/// One object: what all kinds share, and the kind's own detail.
#[derive(Debug)]
pub struct Object {
    /// Its number in this dump.
    pub id: DumpId,
    /// Its identity in the source; zero for what has no catalog row of its own.
    pub catalog_id: CatalogId,
    /// Its bare name.
    pub name: String,
    /// The schema that it lies in.
    pub schema: Option<DumpId>,
    /// The owner's role name, which the parts of a table share with it; empty for kinds that have no owner.
    pub owner: Arc<str>,
    /// Its privileges; `None` for kinds that have none.
    pub acl: Option<Box<Acl>>,
    /// What of it is to be dumped.
    pub dump: Components,
    /// What of the objects that it holds is to be dumped (schemas and extensions).
    pub dump_contained: Components,
    /// What it has, apart from a definition; parts that it has not are not worth an entry.
    pub components: Components,
    /// Whether an extension made it.
    pub is_extension_member: bool,
    /// Whether the queries that run after the locks are asked about it.
    pub wants_details: bool,
    /// Whether it was marked `DEPENDS ON EXTENSION`, or a member of an extension may depend on it.
    pub depends_on_extension: bool,
    /// What must stand before it.
    pub dependencies: Vec<DumpId>,
    /// What only its kind has.
    pub detail: Detail,
}

impl Object {
    /// Adds a dependency, once.
    pub fn depend_on(&mut self, other: DumpId) {
        if !self.dependencies.contains(&other) {
            self.dependencies.push(other);
        }
    }

    /// Whether this part is to be dumped, and is there.
    pub fn dumps(&self, part: Components) -> bool {
        self.dump.contains(part)
    }
}

/// What each kind knows beyond [`Object`]'s common part.
#[derive(Debug)]
pub enum Detail {
    /// A schema.
    Schema(Schema),
    /// A relation.
    Table(Box<Table>),
    /// The attachment of a partition.
    TableAttach(TableAttach),
    /// The default of a column.
    ColumnDefault(ColumnDefault),
    /// The rows of a table, the state of a sequence, the refresh of a materialized view.
    TableData(TableData),
    /// The planner's statistics of a relation.
    RelationStatistics(Box<RelationStatistics>),
    /// A constraint of a table.
    Constraint(Constraint),
    /// An index.
    Index(Box<Index>),
    /// The attachment of an index.
    IndexAttach(IndexAttach),
    /// An extended statistics object.
    Statistics(Statistics),
    /// A rule.
    Rule(Rule),
    /// A trigger.
    Trigger(Trigger),
    /// A policy, or a table's row-level security switch.
    Policy(Box<Policy>),
    /// A publication.
    Publication(Publication),
    /// A table in a publication.
    PublicationTable(PublicationTable),
    /// A schema in a publication.
    PublicationSchema(PublicationSchema),
    /// A subscription.
    Subscription(Box<Subscription>),
    /// An event trigger.
    EventTrigger(EventTrigger),
    /// An access method.
    AccessMethod(AccessMethod),
    /// An aggregate.
    Aggregate(Aggregate),
    /// A cast.
    Cast(Cast),
    /// A collation.
    Collation(Box<Collation>),
    /// A conversion.
    Conversion(Conversion),
    /// A data type of any sort.
    DataType(DataType),
    /// A check constraint of a domain.
    DomainConstraint(DomainConstraint),
    /// An extension.
    Extension(Extension),
    /// A foreign-data wrapper.
    ForeignDataWrapper(ForeignDataWrapper),
    /// A foreign server.
    ForeignServer(Box<ForeignServer>),
    /// A function or procedure.
    Function(Function),
    /// A procedural language.
    Language(Language),
    /// An operator.
    Operator(Box<Operator>),
    /// An operator class.
    OperatorClass(Box<OperatorClass>),
    /// An operator family.
    OperatorFamily(OperatorFamily),
    /// The shell of a data type.
    ShellType(ShellType),
    /// A text search configuration.
    TextSearchConfiguration(TextSearchConfiguration),
    /// A text search dictionary.
    TextSearchDictionary(TextSearchDictionary),
    /// A text search parser.
    TextSearchParser(TextSearchParser),
    /// A text search template.
    TextSearchTemplate(TextSearchTemplate),
    /// A transform.
    Transform(Transform),
    /// Default privileges.
    DefaultAcl(default_acl::DefaultAcl),
    /// A group of large objects.
    LargeObject(large_object::LargeObject),
    /// The contents of a group of large objects.
    LargeObjectData(large_object::LargeObjectData),
    /// The border before the data.
    PreDataBoundary,
    /// The border after the data.
    PostDataBoundary,
}

impl Detail {
    /// The kind that orders it.
    pub fn kind(&self) -> ObjectKind {
        match self {
            Self::Schema(_) => ObjectKind::Schema,
            Self::Table(_) => ObjectKind::Table,
            Self::TableAttach(_) => ObjectKind::TableAttach,
            Self::ColumnDefault(_) => ObjectKind::ColumnDefault,
            Self::TableData(data) => data.kind.object_kind(),
            Self::RelationStatistics(_) => ObjectKind::StatisticsData,
            Self::Constraint(constraint) => constraint.object_kind(),
            Self::Index(_) => ObjectKind::Index,
            Self::IndexAttach(_) => ObjectKind::IndexAttach,
            Self::Statistics(_) => ObjectKind::StatisticsObject,
            Self::Rule(_) => ObjectKind::Rule,
            Self::Trigger(_) => ObjectKind::Trigger,
            Self::Policy(_) => ObjectKind::Policy,
            Self::Publication(_) => ObjectKind::Publication,
            Self::PublicationTable(_) => ObjectKind::PublicationTable,
            Self::PublicationSchema(_) => ObjectKind::PublicationSchema,
            Self::Subscription(_) => ObjectKind::Subscription,
            Self::EventTrigger(_) => ObjectKind::EventTrigger,
            Self::AccessMethod(_) => ObjectKind::AccessMethod,
            Self::Aggregate(_) => ObjectKind::Aggregate,
            Self::Cast(_) => ObjectKind::Cast,
            Self::Collation(_) => ObjectKind::Collation,
            Self::Conversion(_) => ObjectKind::Conversion,
            Self::DataType(data_type) => data_type.kind(),
            Self::Extension(_) => ObjectKind::Extension,
            Self::ForeignDataWrapper(_) => ObjectKind::ForeignDataWrapper,
            Self::ForeignServer(_) => ObjectKind::ForeignServer,
            Self::Function(_) => ObjectKind::Function,
            Self::Language(_) => ObjectKind::Language,
            Self::Operator(_) => ObjectKind::Operator,
            Self::TextSearchConfiguration(_) => ObjectKind::TextSearchConfiguration,
            Self::TextSearchDictionary(_) => ObjectKind::TextSearchDictionary,
            Self::TextSearchParser(_) => ObjectKind::TextSearchParser,
            Self::TextSearchTemplate(_) => ObjectKind::TextSearchTemplate,
            Self::Transform(_) => ObjectKind::Transform,
            Self::DomainConstraint(_) => ObjectKind::Constraint,
            Self::ShellType(_) => ObjectKind::DataType,
            Self::OperatorClass(_) | Self::OperatorFamily(_) => ObjectKind::OperatorClass,
            Self::DefaultAcl(_) => ObjectKind::DefaultAcl,
            Self::LargeObject(_) => ObjectKind::LargeObject,
            Self::LargeObjectData(_) => ObjectKind::LargeObjectData,
            Self::PreDataBoundary => ObjectKind::PreDataBoundary,
            Self::PostDataBoundary => ObjectKind::PostDataBoundary,
        }
    }

    /// Whether it is a relation that `LOCK TABLE` takes on every server: an ordinary or partitioned table.
    pub fn is_lockable(&self) -> bool {
        matches!(self, Self::Table(table) if table.kind.is_lockable())
    }
}

/// Writes all entries of one object: its own, then its comment, labels and privileges.
pub fn entries(object: &Object, out: &mut Emitter<'_>) {
    match &object.detail {
        Detail::Schema(detail) => detail.entries(object, out),
        Detail::Table(detail) => detail.entries(object, out),
        Detail::TableAttach(detail) => detail.entries(object, out),
        Detail::ColumnDefault(detail) => detail.entries(object, out),
        Detail::TableData(detail) => detail.entries(object, out),
        Detail::RelationStatistics(detail) => detail.entries(object, out),
        Detail::Constraint(detail) => detail.entries(object, out),
        Detail::Index(detail) => detail.entries(object, out),
        Detail::IndexAttach(detail) => detail.entries(object, out),
        Detail::Statistics(detail) => detail.entries(object, out),
        Detail::Rule(detail) => detail.entries(object, out),
        Detail::Trigger(detail) => detail.entries(object, out),
        Detail::Policy(detail) => detail.entries(object, out),
        Detail::Publication(detail) => detail.entries(object, out),
        Detail::PublicationTable(detail) => detail.entries(object, out),
        Detail::PublicationSchema(detail) => detail.entries(object, out),
        Detail::Subscription(detail) => detail.entries(object, out),
        Detail::EventTrigger(detail) => detail.entries(object, out),
        Detail::AccessMethod(detail) => detail.entries(object, out),
        Detail::Aggregate(detail) => detail.entries(object, out),
        Detail::Cast(detail) => detail.entries(object, out),
        Detail::Collation(detail) => detail.entries(object, out),
        Detail::Conversion(detail) => detail.entries(object, out),
        Detail::DataType(detail) => detail.entries(object, out),
        Detail::DomainConstraint(detail) => detail.entries(object, out),
        Detail::Extension(detail) => detail.entries(object, out),
        Detail::ForeignDataWrapper(detail) => detail.entries(object, out),
        Detail::ForeignServer(detail) => detail.entries(object, out),
        Detail::Function(detail) => detail.entries(object, out),
        Detail::Language(detail) => detail.entries(object, out),
        Detail::Operator(detail) => detail.entries(object, out),
        Detail::OperatorClass(detail) => detail.entries(object, out),
        Detail::OperatorFamily(detail) => detail.entries(object, out),
        Detail::ShellType(_) => ShellType::entries(object, out),
        Detail::TextSearchConfiguration(detail) => detail.entries(object, out),
        Detail::TextSearchDictionary(detail) => detail.entries(object, out),
        Detail::TextSearchParser(detail) => detail.entries(object, out),
        Detail::TextSearchTemplate(detail) => detail.entries(object, out),
        Detail::Transform(detail) => detail.entries(object, out),
        Detail::DefaultAcl(default_acl) => default_acl.entries(object, out),
        Detail::LargeObject(group) => group.entries(object, out),
        Detail::LargeObjectData(data) => data.entries(object, out),
        Detail::PreDataBoundary | Detail::PostDataBoundary => {}
    }
}
