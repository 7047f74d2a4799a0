//! Objects as the nodes of a graph: what each needs before it, and what of an object matters for breaking a loop.

use crate::object::{DumpId, Inventory, ObjectKind, Section};

/// An object's place in [`Graph`]: its dump id less one.
pub(super) type Slot = usize;

/// What of an object matters when it stands in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A data type, with its shell if it has one.
    DataType { shell: Option<Slot> },
    /// A function or procedure.
    Function,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// Any other relation.
    Table,
    /// The `ON SELECT` rule of a view or of a materialized view.
    SelectRule { view: Slot },
    /// A check constraint of a table or of a domain.
    Check { of: Slot },
    /// A column's default.
    Default { table: Slot },
    /// An index, with the index of the partitioned table that it belongs to.
    Index { parent: Option<Slot> },
    /// The rows of a table.
    TableData,
    /// The planner's statistics of a relation.
    Statistics { of: Slot },
    /// The border between the pre-data and the data section.
    PreDataBoundary,
    /// The border between the data and the post-data section.
    PostDataBoundary,
    /// Anything that no repair is about.
    Other,
}

/// An object and what must stand before it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) role: Role,
    pub(super) needs: Vec<Slot>,
}

/// All objects of a dump and their dependencies.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// The border that everything in the post-data section needs.
    pub(super) post_data: Slot,
    /// The place of each node among those that a search for loops begins at.
    starts: Vec<usize>,
}

impl Graph {
    #[cfg(test)]
    pub(super) fn new(nodes: Vec<Node>, post_data: Slot) -> Self {
        let starts = (0..nodes.len()).collect();
        Self { nodes, post_data, starts }
    }

    /// The objects of an inventory with the dependencies that their sections give them: everything before the data is
    /// needed by the first border, all data lies between both, the rest needs the second.
    ///
    /// `is_separate` tells of rules and constraints whether they have an entry of their own; one that stands within its
    /// table's entry has no section. `starts` has the objects in the order in which searches for loops begin at them.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other kinds play no part in a loop of their own")]
    pub(super) fn of(
        inventory: &Inventory,
        borders: (DumpId, DumpId),
        role: impl Fn(DumpId) -> Role,
        section: impl Fn(DumpId) -> Section,
        starts: &[DumpId],
    ) -> Self {
        let (pre_data, post_data) = (slot(borders.0), slot(borders.1));
        let mut nodes: Vec<Node> = (inventory.objects().iter())
            .map(|object| Node {
                role: role(object.id),
                needs: object.dependencies.iter().map(|id| slot(*id)).collect(),
            })
            .collect();
        let (mut before_data, mut data) = (Vec::new(), Vec::new());
        for (object, node) in inventory.objects().iter().zip(&mut nodes) {
            match object.detail.kind() {
                ObjectKind::PreDataBoundary => continue,
                ObjectKind::PostDataBoundary => {
                    node.needs.push(pre_data);
                    continue;
                }
                _ => {}
            }
            match section(object.id) {
                Section::PreData => before_data.push(slot(object.id)),
                Section::Data => {
                    node.needs.push(pre_data);
                    data.push(slot(object.id));
                }
                Section::PostData => node.needs.push(post_data),
                Section::None => {}
            }
        }
        let mut places = vec![0; nodes.len()];
        for (place, id) in starts.iter().enumerate() {
            if let Some(slot) = places.get_mut(slot(*id)) {
                *slot = place;
            }
        }
        let mut graph = Self { nodes, post_data, starts: places };
        graph.node_mut(pre_data).needs.extend(before_data);
        graph.node_mut(post_data).needs.extend(data);
        graph
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// When a search for loops begins at this node.
    pub(super) fn start(&self, slot: Slot) -> usize {
        self.starts.get(slot).copied().unwrap_or_default()
    }

    pub(super) fn node(&self, slot: Slot) -> &Node {
        self.nodes.get(slot).expect("slots are numbers of nodes")
    }

    pub(super) fn node_mut(&mut self, slot: Slot) -> &mut Node {
        self.nodes.get_mut(slot).expect("slots are numbers of nodes")
    }

    /// `before` must now stand before `of`.
    pub(super) fn add_need(&mut self, of: Slot, before: Slot) {
        self.node_mut(of).needs.push(before);
    }

    /// `before` need no longer stand before `of`.
    pub(super) fn remove_need(&mut self, of: Slot, before: Slot) {
        self.node_mut(of).needs.retain(|slot| *slot != before);
    }
}

/// The node of an object.
pub(super) fn slot(id: DumpId) -> Slot {
    usize::try_from(id.0 - 1).expect("dump ids begin with 1")
}

/// The object of a node.
pub(super) fn id(slot: Slot) -> DumpId {
    DumpId(i32::try_from(slot + 1).expect("a dump has fewer than 2^31 objects"))
}
