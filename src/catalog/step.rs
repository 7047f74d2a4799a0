//! Which queries are run, in which order their rows are taken in.

use super::query::{Query, catalog_sql};
use crate::object::default_acl::DefaultAcl;
use crate::object::event_trigger::EventTrigger;
use crate::object::large_object;
use crate::object::publication::{self, Publication};
use crate::object::schema::Schema;
use crate::object::sequence;
use crate::object::statistics::{self, Statistics};
use crate::object::subscription::Subscription;
use crate::object::table::{RelationKind, Table};
use crate::object::{
    Facts, Inventory, NewObject, class, column, constraint, default, foreign_table, index, materialized_view,
    partition, policy, relation_statistics, rule, table_data, trigger, view,
};
use crate::record::{DecodeError, Record};

/// Which objects a query is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// Everything in the database: the query has no parameter.
    Whole,
    /// The same, from a catalog that has rows for each table or column, so that no session should have all such queries.
    Large,
    /// The same, where this is true of the session.
    WholeIf(fn(&Facts) -> bool),
    /// Those objects of this catalog whose details are wanted: `$1` is the array of their oids.
    Selected(u32),
    /// The same, of the relations for which this is true.
    Relations(fn(&Table) -> bool),
    /// The same for a query that tells of other objects too: it is not divided among sessions.
    Undivided(u32),
    /// The same, where the planner's statistics are wanted.
    Statistics(u32),
    /// Those indexes whose definitions are still wanted: `$1` is the array of their oids.
    UndefinedIndexes,
}

impl Scope {
    /// Whether the query is run at all in this session.
    pub(super) fn applies(self, inventory: &Inventory) -> bool {
        match self {
            Self::Whole | Self::Large | Self::Selected(_) | Self::Relations(_) | Self::Undivided(_) => true,
            Self::WholeIf(condition) => condition(&inventory.facts),
            Self::Statistics(_) => inventory.wants_statistics,
            Self::UndefinedIndexes => !inventory.undefined_indexes().is_empty(),
        }
    }
}

/// One query, and what takes its rows in.
pub(super) struct Step {
    pub(super) query: Query,
    pub(super) scope: Scope,
    pub(super) take: fn(&[Record], &mut Inventory) -> Result<(), DecodeError>,
}

/// Adds an object for each row.
pub(super) fn add_each(
    rows: &[Record],
    inventory: &mut Inventory,
    decode: fn(&Record) -> Result<NewObject, DecodeError>,
) -> Result<(), DecodeError> {
    for row in rows {
        let new = decode(row)?;
        inventory.add(new);
    }
    Ok(())
}

/// What is read before anything is selected or locked. An object's schema and extension come before it.
pub(super) const LISTS: &[Step] = &[
    Step {
        query: Query::new("extension_member", &[(13, catalog_sql!("extension_member"))]),
        scope: Scope::Whole,
        take: super::dependency::take_extension_members,
    },
    Step {
        query: Query::new("schema", &[(13, catalog_sql!("schema"))]),
        scope: Scope::Whole,
        take: |rows, inventory| add_each(rows, inventory, Schema::decode),
    },
    Step {
        query: Query::new("table", &[(13, catalog_sql!("table"))]),
        scope: Scope::Large,
        take: |rows, inventory| add_each(rows, inventory, Table::decode),
    },
    Step {
        query: Query::new("inheritance", &[(13, catalog_sql!("inheritance"))]),
        scope: Scope::Whole,
        take: partition::take_inheritance,
    },
    Step {
        query: Query::new("partition_hash", &[(13, catalog_sql!("partition_hash"))]),
        scope: Scope::Whole,
        take: partition::take_hash,
    },
    Step {
        query: Query::new("column_acl", &[(13, catalog_sql!("column_acl"))]),
        scope: Scope::Large,
        take: column::take_acls,
    },
    Step {
        query: Query::new("statistics", &[(13, catalog_sql!("statistics"))]),
        scope: Scope::Whole,
        take: |rows, inventory| add_each(rows, inventory, Statistics::decode),
    },
    Step {
        query: Query::new("publication", &[(13, catalog_sql!("publication")), (18, catalog_sql!("publication.pg18"))]),
        scope: Scope::Whole,
        take: |rows, inventory| add_each(rows, inventory, Publication::decode),
    },
    Step {
        query: Query::new(
            "subscription",
            &[
                (13, catalog_sql!("subscription")),
                (14, catalog_sql!("subscription.pg14")),
                (15, catalog_sql!("subscription.pg15")),
                (16, catalog_sql!("subscription.pg16")),
                (17, catalog_sql!("subscription.pg17")),
            ],
        ),
        scope: Scope::WholeIf(|facts| facts.reads_subscriptions),
        take: |rows, inventory| add_each(rows, inventory, Subscription::decode),
    },
    Step {
        query: Query::new("subscription", &[(13, catalog_sql!("subscription_name"))]),
        scope: Scope::WholeIf(|facts| !facts.reads_subscriptions),
        take: |rows, inventory| add_each(rows, inventory, Subscription::decode_name),
    },
    Step {
        query: Query::new("event_trigger", &[(13, catalog_sql!("event_trigger"))]),
        scope: Scope::Whole,
        take: |rows, inventory| add_each(rows, inventory, EventTrigger::decode),
    },
    Step {
        query: Query::new("default_acl", &[(13, catalog_sql!("default_acl"))]),
        scope: Scope::Whole,
        take: |rows, inventory| add_each(rows, inventory, DefaultAcl::decode),
    },
    Step {
        query: Query::new("large_object", &[(13, catalog_sql!("large_object"))]),
        scope: Scope::Whole,
        take: large_object::take,
    },
];

/// What is read of the selected objects, after their tables are locked.
pub(super) const DETAILS: &[Step] = &[
    Step {
        query: Query::new(
            "column",
            &[(13, catalog_sql!("column")), (14, catalog_sql!("column.pg14")), (18, catalog_sql!("column.pg18"))],
        ),
        scope: Scope::Selected(class::PG_CLASS),
        take: column::take,
    },
    Step {
        query: Query::new("default", &[(13, catalog_sql!("default"))]),
        scope: Scope::Selected(class::PG_CLASS),
        take: default::take,
    },
    Step {
        query: Query::new("partition", &[(13, catalog_sql!("partition"))]),
        scope: Scope::Relations(|table| table.is_partition || table.kind == RelationKind::PartitionedTable),
        take: partition::take,
    },
    Step {
        query: Query::new("foreign_table", &[(13, catalog_sql!("foreign_table"))]),
        scope: Scope::Relations(|table| table.kind == RelationKind::ForeignTable),
        take: foreign_table::take,
    },
    Step {
        query: Query::new("view", &[(13, catalog_sql!("view"))]),
        scope: Scope::Relations(|table| matches!(table.kind, RelationKind::View | RelationKind::MaterializedView)),
        take: view::take,
    },
    Step {
        query: Query::new("rule", &[(13, catalog_sql!("rule"))]),
        scope: Scope::Undivided(class::PG_CLASS),
        take: rule::take,
    },
    Step {
        query: Query::new("default_operator_class", &[(13, catalog_sql!("default_operator_class"))]),
        scope: Scope::Whole,
        take: index::take_default_operator_classes,
    },
    Step {
        query: Query::new("index", &[(13, catalog_sql!("index")), (15, catalog_sql!("index.pg15"))]),
        scope: Scope::Selected(class::PG_CLASS),
        take: index::take,
    },
    Step {
        query: Query::new("constraint", &[(13, catalog_sql!("constraint")), (18, catalog_sql!("constraint.pg18"))]),
        scope: Scope::Selected(class::PG_CLASS),
        take: constraint::take,
    },
    Step {
        query: Query::new("trigger", &[(13, catalog_sql!("trigger")), (15, catalog_sql!("trigger.pg15"))]),
        scope: Scope::Selected(class::PG_CLASS),
        take: trigger::take,
    },
    Step {
        query: Query::new("policy", &[(13, catalog_sql!("policy"))]),
        scope: Scope::Selected(class::PG_CLASS),
        take: policy::take,
    },
    Step {
        query: Query::new("statistics_definition", &[(13, catalog_sql!("statistics_definition"))]),
        scope: Scope::Selected(class::PG_STATISTIC_EXT),
        take: statistics::take_definitions,
    },
    Step {
        query: Query::new(
            "publication_table",
            &[(13, catalog_sql!("publication_table")), (15, catalog_sql!("publication_table.pg15"))],
        ),
        scope: Scope::Whole,
        take: publication::take_tables,
    },
    Step {
        query: Query::new("publication_schema", &[(15, catalog_sql!("publication_schema"))]),
        scope: Scope::Whole,
        take: publication::take_schemas,
    },
    Step {
        query: Query::new("sequence", &[(13, catalog_sql!("sequence"))]),
        scope: Scope::Relations(|table| table.kind == RelationKind::Sequence),
        take: sequence::take,
    },
    Step {
        query: Query::new("sequence_state", &[(18, catalog_sql!("sequence_state"))]),
        scope: Scope::Relations(|table| table.kind == RelationKind::Sequence),
        take: sequence::take_states,
    },
    Step {
        query: Query::new("table_data", &[(13, catalog_sql!("table_data"))]),
        scope: Scope::Whole,
        take: table_data::take,
    },
    Step {
        query: Query::new("materialized_view", &[(13, catalog_sql!("materialized_view"))]),
        scope: Scope::Whole,
        take: materialized_view::take,
    },
    Step {
        query: Query::new(
            "relation_statistics",
            &[(13, catalog_sql!("relation_statistics")), (18, catalog_sql!("relation_statistics.pg18"))],
        ),
        scope: Scope::Statistics(class::PG_CLASS),
        take: relation_statistics::take,
    },
    Step {
        query: Query::new("extension_foreign_key", &[(13, catalog_sql!("extension_foreign_key"))]),
        scope: Scope::Whole,
        take: super::select::take_extension_foreign_keys,
    },
];

/// What the details left open, and nothing else tells.
pub(super) const REST: &[Step] = &[Step {
    query: Query::new("index_definition", &[(13, catalog_sql!("index_definition"))]),
    scope: Scope::UndefinedIndexes,
    take: index::take_definitions,
}];

/// What depends on what. Both ends must be there when it is taken in; nothing about it changes with the locks, so that it can
/// be asked before.
pub(super) static DEPENDENCY: Step = Step {
    query: Query::new("dependency", &[(13, catalog_sql!("dependency"))]),
    scope: Scope::Whole,
    take: super::dependency::take_dependencies,
};
