use super::Section;

/// Every kind of thing that a dump orders, with what pg_dump calls it in the comments below.
///
/// The order of the variants is the order of a dump before dependencies move anything: `rank` compares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A schema.
    Schema,
    /// A procedural language.
    Language,
    /// A collation.
    Collation,
    /// A transform.
    Transform,
    /// An extension.
    Extension,
    /// A data type of any sort, or the shell of one.
    DataType,
    /// A cast.
    Cast,
    /// A function or procedure.
    Function,
    /// An aggregate.
    Aggregate,
    /// An access method.
    AccessMethod,
    /// An operator.
    Operator,
    /// An operator class or family.
    OperatorClass,
    /// A conversion.
    Conversion,
    /// A text search parser.
    TextSearchParser,
    /// A text search template.
    TextSearchTemplate,
    /// A text search dictionary.
    TextSearchDictionary,
    /// A text search configuration.
    TextSearchConfiguration,
    /// A foreign-data wrapper.
    ForeignDataWrapper,
    /// A foreign server.
    ForeignServer,
    /// A relation: table, view, materialized view, sequence, foreign table.
    Table,
    /// The attachment of a partition to its parent.
    TableAttach,
    /// The row type of a table, which has no entry of its own.
    DummyType,
    /// A column's default that stands apart from its table.
    ColumnDefault,
    /// The border between the pre-data and the data section.
    PreDataBoundary,
    /// The rows of a table.
    TableData,
    /// The state of a sequence.
    SequenceSet,
    /// A group of large objects with one owner and ACL.
    LargeObject,
    /// The contents of a group of large objects.
    LargeObjectData,
    /// The planner's statistics of a relation.
    StatisticsData,
    /// The border between the data and the post-data section.
    PostDataBoundary,
    /// A constraint that is not a foreign key.
    Constraint,
    /// An index.
    Index,
    /// The attachment of an index to its partitioned parent.
    IndexAttach,
    /// An extended statistics object.
    StatisticsObject,
    /// A rule.
    Rule,
    /// A trigger.
    Trigger,
    /// A foreign key.
    ForeignKey,
    /// A row-level security policy, or a table's row-level security switch.
    Policy,
    /// A publication.
    Publication,
    /// A table in a publication.
    PublicationTable,
    /// A schema in a publication.
    PublicationSchema,
    /// A subscription.
    Subscription,
    /// A table of a subscription.
    SubscriptionTable,
    /// Default privileges.
    DefaultAcl,
    /// An event trigger.
    EventTrigger,
    /// The refresh of a materialized view.
    RefreshMaterializedView,
}

impl ObjectKind {
    /// The kind's place in a dump that no dependency disturbs.
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// The part of a dump in which the kind's own entry stands.
    ///
    /// A check constraint of a table that stands apart, and the planner's statistics of an index or of a materialized view,
    /// are exceptions that their files decide.
    pub const fn section(self) -> Section {
        match self {
            Self::Schema
            | Self::Language
            | Self::Collation
            | Self::Transform
            | Self::Extension
            | Self::DataType
            | Self::Cast
            | Self::Function
            | Self::Aggregate
            | Self::AccessMethod
            | Self::Operator
            | Self::OperatorClass
            | Self::Conversion
            | Self::TextSearchParser
            | Self::TextSearchTemplate
            | Self::TextSearchDictionary
            | Self::TextSearchConfiguration
            | Self::ForeignDataWrapper
            | Self::ForeignServer
            | Self::Table
            | Self::TableAttach
            | Self::DummyType
            | Self::ColumnDefault => Section::PreData,
            Self::PreDataBoundary | Self::PostDataBoundary => Section::None,
            Self::TableData | Self::SequenceSet | Self::LargeObject | Self::LargeObjectData | Self::StatisticsData => {
                Section::Data
            }
            Self::Constraint
            | Self::Index
            | Self::IndexAttach
            | Self::StatisticsObject
            | Self::Rule
            | Self::Trigger
            | Self::ForeignKey
            | Self::Policy
            | Self::Publication
            | Self::PublicationTable
            | Self::PublicationSchema
            | Self::Subscription
            | Self::SubscriptionTable
            | Self::DefaultAcl
            | Self::EventTrigger
            | Self::RefreshMaterializedView => Section::PostData,
        }
    }
}
