//! What part an object plays in a loop of dependencies, and what breaking the loop does to it.

use super::cycle::Effect;
use super::graph::{self, Role, slot};
use crate::object::constraint::ConstraintKind;
use crate::object::table::RelationKind;
use crate::object::table_data::DataKind;
use crate::object::{Components, Detail, DumpId, Inventory, Section, class};

/// The part that an object plays.
#[expect(clippy::wildcard_enum_match_arm, reason = "most kinds stand in no loop that can be broken")]
pub(super) fn role(inventory: &Inventory, id: DumpId) -> Role {
    match &inventory.get(id).detail {
        Detail::DataType(data_type) => Role::DataType { shell: data_type.shell.map(slot) },
        Detail::Function(_) => Role::Function,
        Detail::Table(table) => match table.kind {
            RelationKind::View => Role::View,
            RelationKind::MaterializedView => Role::MaterializedView,
            RelationKind::Table
            | RelationKind::PartitionedTable
            | RelationKind::Sequence
            | RelationKind::ForeignTable
            | RelationKind::CompositeType => Role::Table,
        },
        Detail::Rule(rule) if rule.is_select => Role::SelectRule { view: slot(rule.table) },
        Detail::Constraint(constraint) if constraint.kind == ConstraintKind::Check => {
            Role::Check { of: slot(constraint.table) }
        }
        Detail::DomainConstraint(constraint) => Role::Check { of: slot(constraint.domain) },
        Detail::ColumnDefault(default) => Role::Default { table: slot(default.table) },
        Detail::Index(index) => {
            let parent = index.parent.and_then(|oid| inventory.find(class::PG_CLASS, oid));
            Role::Index { parent: parent.map(slot) }
        }
        Detail::TableData(data) if data.kind == DataKind::Rows => Role::TableData,
        Detail::RelationStatistics(statistics) => Role::Statistics { of: slot(statistics.relation) },
        Detail::PreDataBoundary => Role::PreDataBoundary,
        Detail::PostDataBoundary => Role::PostDataBoundary,
        _ => Role::Other,
    }
}

/// The section that orders an object; rules and constraints that are written within their table's entry have none.
#[expect(clippy::wildcard_enum_match_arm, reason = "the kind tells of all others")]
pub(super) fn section(inventory: &Inventory, id: DumpId) -> Section {
    let detail = &inventory.get(id).detail;
    let is_separate = match detail {
        Detail::RelationStatistics(statistics) if statistics.is_behind_data => return Section::PostData,
        Detail::Rule(rule) => rule.is_separate,
        Detail::Constraint(constraint) => constraint.is_separate,
        Detail::DomainConstraint(constraint) => constraint.is_separate,
        _ => true,
    };
    if is_separate { detail.kind().section() } else { Section::None }
}

/// The objects in the order in which searches for loops begin at them.
///
/// Which of several loops is found first decides what is split off. The order is that in which pg_dump reads the
/// catalog, so that the same part is split off as there.
pub(super) fn starts(inventory: &Inventory) -> Vec<DumpId> {
    let mut ids: Vec<DumpId> = inventory.objects().iter().map(|object| object.id).collect();
    ids.sort_by_key(|id| {
        let (group, of) = match &inventory.get(*id).detail {
            Detail::Extension(_) => (0, *id),
            Detail::Schema(_) => (1, *id),
            Detail::Table(_) => (2, *id),
            // read together with their relation, and no loop is broken at them unless it is broken at that
            Detail::RelationStatistics(statistics) => (2, statistics.relation),
            Detail::Function(_) => (3, *id),
            Detail::DataType(_) => (4, *id),
            // read together with their type
            Detail::DomainConstraint(constraint) => (4, constraint.domain),
            Detail::ShellType(shell) => (4, shell.data_type),
            Detail::Language(_) => (5, *id),
            Detail::Aggregate(_) => (6, *id),
            Detail::Operator(_) => (7, *id),
            Detail::AccessMethod(_) => (8, *id),
            Detail::OperatorClass(_) => (9, *id),
            Detail::OperatorFamily(_) => (10, *id),
            Detail::TextSearchParser(_) => (11, *id),
            Detail::TextSearchTemplate(_) => (12, *id),
            Detail::TextSearchDictionary(_) => (13, *id),
            Detail::TextSearchConfiguration(_) => (14, *id),
            Detail::ForeignDataWrapper(_) => (15, *id),
            Detail::ForeignServer(_) => (16, *id),
            Detail::DefaultAcl(_) => (17, *id),
            Detail::Collation(_) => (18, *id),
            Detail::Conversion(_) => (19, *id),
            Detail::Cast(_) => (20, *id),
            Detail::Transform(_) => (21, *id),
            Detail::EventTrigger(_) => (22, *id),
            Detail::TableAttach(_) => (23, *id),
            Detail::ColumnDefault(_) => (24, *id),
            Detail::Constraint(constraint) => match constraint.kind {
                ConstraintKind::Check | ConstraintKind::NotNull => (25, *id),
                ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion => (26, *id),
                ConstraintKind::ForeignKey => (29, *id),
            },
            Detail::Index(_) => (26, *id),
            Detail::IndexAttach(_) => (27, *id),
            Detail::Statistics(_) => (28, *id),
            Detail::Trigger(_) => (30, *id),
            Detail::Rule(_) => (31, *id),
            Detail::Policy(_) => (32, *id),
            Detail::Publication(_) => (33, *id),
            Detail::PublicationTable(_) => (34, *id),
            Detail::PublicationSchema(_) => (35, *id),
            Detail::Subscription(_) => (36, *id),
            Detail::TableData(_) => (37, *id),
            Detail::LargeObject(_) | Detail::LargeObjectData(_) => (38, *id),
            Detail::PreDataBoundary | Detail::PostDataBoundary => (39, *id),
        };
        (group, of, *id)
    });
    ids
}

/// Does to the objects what breaking a loop asks for.
#[expect(clippy::wildcard_enum_match_arm, reason = "effects name objects of these kinds only")]
pub(super) fn apply(effect: Effect, inventory: &mut Inventory) {
    match effect {
        Effect::Separate(slot) => match &mut inventory.get_mut(graph::id(slot)).detail {
            Detail::Rule(rule) => rule.is_separate = true,
            Detail::Constraint(constraint) => constraint.is_separate = true,
            Detail::DomainConstraint(constraint) => constraint.is_separate = true,
            Detail::ColumnDefault(default) => default.is_separate = true,
            _ => {}
        },
        Effect::Placeholder(slot) => {
            if let Some(table) = inventory.table_mut(graph::id(slot)) {
                table.is_placeholder = true;
            }
        }
        Effect::Postpone(slot) => match &mut inventory.get_mut(graph::id(slot)).detail {
            Detail::Table(table) => table.is_postponed = true,
            Detail::Function(function) => function.is_postponed = true,
            Detail::RelationStatistics(statistics) => statistics.is_behind_data = true,
            _ => {}
        },
        Effect::Shell { shell, function } => {
            let dump = inventory.get(graph::id(function)).dump;
            if !dump.is_empty() {
                inventory.get_mut(graph::id(shell)).dump = dump.with(Components::DEFINITION);
            }
        }
        Effect::CircularForeignKeys => {}
    }
}
