//! The order of a dump: by kind and name first, then as little of that disturbed as the dependencies ask for.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::cycle::{self, Effect, UnknownLoop};
use super::graph::{Graph, Slot, slot};
use crate::object::{Detail, DumpId, Inventory, Object, class};
use crate::record::encode_text;

/// Compares names by the bytes that the server has.
pub(super) fn compare_names(one: &str, other: &str) -> Ordering {
    server_bytes(one).cmp(&server_bytes(other))
}

fn server_bytes(name: &str) -> Cow<'_, [u8]> {
    // an escaped byte (record::decode_text) begins with 0xF4 in UTF-8 and would sort behind its neighbours
    if name.as_bytes().contains(&0xF4) { encode_text(name) } else { Cow::Borrowed(name.as_bytes()) }
}

/// The order that no dependency has disturbed: by kind, schema, name, and then whatever else tells objects of a kind
/// apart in the catalog; oids decide nothing, so that equal databases give equal dumps.
pub(super) fn preferred(inventory: &Inventory) -> Vec<Slot> {
    let schemas = rank_schemas(inventory);
    let mut keys: Vec<Key<'_>> = (inventory.objects().iter())
        .map(|object| Key {
            kind: object.detail.kind().rank(),
            // what lies in no schema comes behind
            schema: object.schema.and_then(|schema| schemas.get(&schema)).copied().unwrap_or(usize::MAX),
            begin: begin(&object.name),
            object,
        })
        .collect();
    keys.sort_unstable_by(|one, other| {
        ((one.kind, one.schema, one.begin).cmp(&(other.kind, other.schema, other.begin)))
            .then_with(|| compare_names(&one.object.name, &other.object.name))
            .then_with(|| compare_details(inventory, one.object, other.object))
            .then_with(|| one.object.catalog_id.oid.cmp(&other.object.catalog_id.oid))
            .then_with(|| one.object.id.cmp(&other.object.id))
    });
    keys.into_iter().map(|key| slot(key.object.id)).collect()
}

/// What tells most objects apart, so that few names need be looked at.
struct Key<'a> {
    kind: u8,
    schema: usize,
    begin: [u8; 8],
    object: &'a Object,
}

/// A name's first bytes, as the server has them.
fn begin(name: &str) -> [u8; 8] {
    let mut begin = [0; 8];
    for (place, byte) in begin.iter_mut().zip(server_bytes(name).iter()) {
        *place = *byte;
    }
    begin
}

/// The places of the schemas among their names.
fn rank_schemas(inventory: &Inventory) -> HashMap<DumpId, usize> {
    let mut schemas: Vec<&Object> =
        inventory.objects().iter().filter(|object| matches!(object.detail, Detail::Schema(_))).collect();
    schemas.sort_by(|one, other| compare_names(&one.name, &other.name));
    schemas.into_iter().enumerate().map(|(place, schema)| (schema.id, place)).collect()
}

/// Compares objects of a kind that have the same schema and name.
fn compare_details(inventory: &Inventory, one: &Object, other: &Object) -> Ordering {
    let name = |id: DumpId| inventory.get(id).name.as_str();
    match (&one.detail, &other.detail) {
        (Detail::DataType(_), Detail::ShellType(_))
        | (Detail::OperatorClass(_), Detail::OperatorFamily(_))
        | (Detail::DomainConstraint(_), Detail::Constraint(_)) => Ordering::Less,
        (Detail::ShellType(_), Detail::DataType(_))
        | (Detail::OperatorFamily(_), Detail::OperatorClass(_))
        | (Detail::Constraint(_), Detail::DomainConstraint(_)) => Ordering::Greater,
        (Detail::Function(one), Detail::Function(other)) => {
            compare_types(inventory, &one.argument_types, &other.argument_types)
        }
        (Detail::Aggregate(one), Detail::Aggregate(other)) => {
            compare_types(inventory, &one.argument_types, &other.argument_types)
        }
        // prefix before infix
        (Detail::Operator(one), Detail::Operator(other)) => (other.kind.cmp(&one.kind))
            .then_with(|| compare_type(inventory, one.types.0, other.types.0))
            .then_with(|| compare_type(inventory, one.types.1, other.types.1)),
        (Detail::OperatorClass(one), Detail::OperatorClass(other)) => {
            compare_names(&one.access_method, &other.access_method)
        }
        (Detail::OperatorFamily(one), Detail::OperatorFamily(other)) => {
            compare_names(&one.access_method, &other.access_method)
        }
        (Detail::ColumnDefault(one), Detail::ColumnDefault(other)) => one.column.cmp(&other.column),
        (Detail::Policy(one), Detail::Policy(other)) => compare_names(name(one.table), name(other.table)),
        (Detail::Rule(one), Detail::Rule(other)) => compare_names(name(one.table), name(other.table)),
        (Detail::Trigger(one), Detail::Trigger(other)) => compare_names(name(one.table), name(other.table)),
        (Detail::DomainConstraint(one), Detail::DomainConstraint(other)) => {
            compare_names(name(one.domain), name(other.domain))
        }
        (Detail::Constraint(one), Detail::Constraint(other)) => compare_names(name(one.table), name(other.table)),
        (Detail::DefaultAcl(_), Detail::DefaultAcl(_)) => compare_names(&one.owner, &other.owner),
        (Detail::PublicationTable(one), Detail::PublicationTable(other)) => {
            compare_names(name(one.publication), name(other.publication))
        }
        (Detail::PublicationSchema(one), Detail::PublicationSchema(other)) => {
            compare_names(name(one.publication), name(other.publication))
        }
        _ => Ordering::Equal,
    }
}

fn compare_types(inventory: &Inventory, one: &[u32], other: &[u32]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| {
        (one.iter().zip(other))
            .map(|(one, other)| compare_type(inventory, *one, *other))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

fn compare_type(inventory: &Inventory, one: u32, other: u32) -> Ordering {
    let find = |oid| inventory.find(class::PG_TYPE, oid).map(|id| inventory.get(id));
    match (find(one), find(other)) {
        (Some(one), Some(other)) if one.id != other.id => {
            let schema = |object: &Object| object.schema.map_or("", |schema| inventory.get(schema).name.as_str());
            compare_names(schema(one), schema(other)).then_with(|| compare_names(&one.name, &other.name))
        }
        _ => Ordering::Equal,
    }
}

/// Puts the nodes in an order in which each stands behind what it needs, breaking loops until that is possible.
///
/// `preferred` has every node once. The result says what breaking the loops changed.
pub(super) fn settle(preferred: &[Slot], graph: &mut Graph) -> Result<(Vec<Slot>, Vec<Effect>), UnknownLoop> {
    let mut effects = Vec::new();
    loop {
        match sort(preferred, graph) {
            Ok(order) => return Ok((order, effects)),
            Err(stuck) => effects.extend(cycle::repair(graph, &stuck)?),
        }
    }
}

/// Fills the order from its end: of the nodes that nothing left needs, the one that `preferred` has last is taken.
///
/// The error has the nodes that could not be placed: those on loops, and what these need, in the order of their starts.
fn sort(preferred: &[Slot], graph: &Graph) -> Result<Vec<Slot>, Vec<Slot>> {
    let mut needed_by = vec![0_usize; graph.len()];
    let mut place = vec![0_usize; graph.len()];
    for (position, &slot) in preferred.iter().enumerate() {
        if let Some(place) = place.get_mut(slot) {
            *place = position;
        }
        for &need in &graph.node(slot).needs {
            if let Some(count) = needed_by.get_mut(need) {
                *count += 1;
            }
        }
    }
    let mut ready: BinaryHeap<usize> = (preferred.iter().enumerate())
        .filter(|(_, slot)| needed_by.get(**slot) == Some(&0))
        .map(|(position, _)| position)
        .collect();
    let mut order = Vec::with_capacity(preferred.len());
    while let Some(position) = ready.pop() {
        let Some(&slot) = preferred.get(position) else { continue };
        order.push(slot);
        for &need in &graph.node(slot).needs {
            if let (Some(count), Some(&position)) = (needed_by.get_mut(need), place.get(need)) {
                *count -= 1;
                if *count == 0 {
                    ready.push(position);
                }
            }
        }
    }
    if order.len() == preferred.len() {
        order.reverse();
        return Ok(order);
    }
    let mut stuck: Vec<Slot> =
        needed_by.iter().enumerate().filter(|(_, count)| **count > 0).map(|(slot, _)| slot).collect();
    stuck.sort_by_key(|slot| graph.start(*slot));
    Err(stuck)
}

#[cfg(test)]
mod tests {
    use super::super::graph::{Node, Role};
    use super::*;
    use crate::record::decode_text;

    #[test]
    fn compares_by_the_servers_bytes() {
        let (latin, plain) = (decode_text(b"a\xe4"), decode_text("aä".as_bytes()));
        assert_eq!(compare_names(&latin, &plain), b"a\xe4".as_slice().cmp("aä".as_bytes()));
        assert_eq!(compare_names(&latin, &decode_text(b"a\xff")), Ordering::Less);
        assert_eq!(compare_names("B", "a"), Ordering::Less);
    }

    #[test]
    fn disturbs_the_preferred_order_no_more_than_needed() {
        let node = |needs: &[Slot]| Node { role: Role::Other, needs: needs.to_vec() };
        // 1 needs 3: of all orders that respect it, the one that moves the fewest is the one in which 3 goes up
        let mut graph = Graph::new(vec![node(&[]), node(&[3]), node(&[]), node(&[]), node(&[])], 0);
        let (order, _) = settle(&[0, 1, 2, 3, 4], &mut graph).unwrap();
        assert_eq!(order, [0, 3, 1, 2, 4]);
    }
}
