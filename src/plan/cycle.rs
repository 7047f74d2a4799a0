//! Loops of dependencies, and how each known kind of loop is broken.
//!
//! The catalog holds loops by design: a view needs its rule and the rule its view, a type needs its input function and
//! that function the type. Short loops are broken by leaving one direction out; in a longer one a part is split off and
//! written later. A loop of no known kind is an error that names its members: a dump in a wrong order is no dump.

use super::graph::{Graph, Role, Slot};

/// What breaking a loop changes about an object, beside its dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The rule, constraint or default gets an entry of its own.
    Separate(Slot),
    /// The view is first made with empty columns, and replaced by its rule later.
    Placeholder(Slot),
    /// The function or materialized view is made after the data, or the view's statistics come after them.
    Postpone(Slot),
    /// The shell type gets an entry if this function has one.
    Shell { shell: Slot, function: Slot },
    /// These tables refer to each other by foreign keys, so that rows alone may not load.
    CircularForeignKeys,
}

/// A loop that no repair is known for: its members, each needing the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnknownLoop(pub(super) Vec<Slot>);

/// Breaks at least one loop among `stuck`, the nodes that could not be ordered, looking for loops in this order.
///
/// Of loops that share a member only the first found is broken: that may break the others too.
pub(super) fn repair(graph: &mut Graph, stuck: &[Slot]) -> Result<Vec<Effect>, UnknownLoop> {
    let components = components(graph, stuck);
    let mut done = vec![false; graph.len()];
    // for each node, the start that it is known not to lead back to
    let mut fruitless: Vec<Option<Slot>> = vec![None; graph.len()];
    let mut effects = Vec::new();
    let mut found = false;
    for &start in stuck {
        if let Some(members) = find(graph, start, &components, &done, &mut fruitless) {
            found = true;
            repair_one(graph, &members, &mut effects)?;
            for member in members {
                set(&mut done, member, true);
            }
        }
        set(&mut done, start, true);
    }
    if found { Ok(effects) } else { Err(UnknownLoop(stuck.to_vec())) }
}

fn get<T: Copy>(values: &[T], slot: Slot) -> T {
    *values.get(slot).expect("slots are numbers of nodes")
}

fn set<T>(values: &mut [T], slot: Slot, value: T) {
    *values.get_mut(slot).expect("slots are numbers of nodes") = value;
}

/// The number of each stuck node's strongly connected component, 0 for nodes that are on no loop (Tarjan's algorithm).
///
/// A search for a loop need not leave a component. Without this it would walk, from every node anew, all that the node
/// needs.
fn components(graph: &Graph, stuck: &[Slot]) -> Vec<usize> {
    let count = graph.len();
    let mut index = vec![0_usize; count];
    let mut low = vec![0_usize; count];
    let mut on_stack = vec![false; count];
    let mut component = vec![0_usize; count];
    let (mut stack, mut next_index, mut next_component) = (Vec::new(), 1, 1);
    for &root in stuck {
        if get(&index, root) != 0 {
            continue;
        }
        let mut walk: Vec<(Slot, usize)> = vec![(root, 0)];
        while let Some((slot, position)) = walk.pop() {
            if position == 0 {
                set(&mut index, slot, next_index);
                set(&mut low, slot, next_index);
                next_index += 1;
                stack.push(slot);
                set(&mut on_stack, slot, true);
            }
            let need = graph.node(slot).needs.get(position).copied();
            if position > 0
                && let Some(&child) = graph.node(slot).needs.get(position - 1)
                && get(&on_stack, child)
            {
                let lowest = get(&low, slot).min(get(&low, child));
                set(&mut low, slot, lowest);
            }
            match need {
                Some(child) => {
                    walk.push((slot, position + 1));
                    if get(&index, child) == 0 {
                        walk.push((child, 0));
                    }
                }
                None if get(&low, slot) == get(&index, slot) => {
                    let mut members = Vec::new();
                    while let Some(member) = stack.pop() {
                        set(&mut on_stack, member, false);
                        members.push(member);
                        if member == slot {
                            break;
                        }
                    }
                    if members.len() > 1 || graph.node(slot).needs.contains(&slot) {
                        for member in members {
                            set(&mut component, member, next_component);
                        }
                        next_component += 1;
                    }
                }
                None => {}
            }
        }
    }
    component
}

/// The first loop through `start` that has no member which is done: depth first, each node's needs in their order, but
/// a need that is `start` itself before all others.
fn find(
    graph: &Graph,
    start: Slot,
    components: &[usize],
    done: &[bool],
    fruitless: &mut [Option<Slot>],
) -> Option<Vec<Slot>> {
    let component = get(components, start);
    if component == 0 || get(done, start) {
        return None;
    }
    let mut path: Vec<(Slot, usize)> = vec![(start, 0)];
    let mut on_path = std::collections::HashSet::from([start]);
    while let Some((slot, position)) = path.last_mut() {
        let needs = &graph.node(*slot).needs;
        if *position == 0 && needs.contains(&start) {
            return Some(path.into_iter().map(|(slot, _)| slot).collect());
        }
        let Some(&next) = needs.get(*position) else {
            set(fruitless, *slot, Some(start));
            on_path.remove(slot);
            path.pop();
            continue;
        };
        *position += 1;
        let hopeless = get(components, next) != component
            || get(done, next)
            || get(fruitless, next) == Some(start)
            || on_path.contains(&next);
        if !hopeless {
            on_path.insert(next);
            path.push((next, 0));
        }
    }
    None
}

/// Breaks one loop. The order of the questions matters: many a loop would answer to more than one.
fn repair_one(graph: &mut Graph, members: &[Slot], effects: &mut Vec<Effect>) -> Result<(), UnknownLoop> {
    let role = |graph: &Graph, slot: Slot| graph.node(slot).role;
    if let [first, second] = *members {
        for (one, other) in [(first, second), (second, first)] {
            if repair_pair(graph, one, other, effects) {
                return Ok(());
            }
        }
    }
    if members.len() > 2 && repair_long(graph, members, effects) {
        return Ok(());
    }
    if let [only] = *members
        && matches!(role(graph, only), Role::Table | Role::View | Role::MaterializedView)
    {
        // a column that needs another column of the same table, which has no meaning for the order
        graph.remove_need(only, only);
        return Ok(());
    }
    if members.iter().all(|&slot| role(graph, slot) == Role::TableData) {
        // foreign keys in a circle, when rows alone are dumped: no order suits them all
        if let [first, rest @ ..] = members {
            graph.remove_need(*first, rest.first().copied().unwrap_or(*first));
        }
        effects.push(Effect::CircularForeignKeys);
        return Ok(());
    }
    Err(UnknownLoop(members.to_vec()))
}

/// A loop of two: one of the directions is left out, and both are written as one thing or in the one order that works.
fn repair_pair(graph: &mut Graph, one: Slot, other: Slot, effects: &mut Vec<Effect>) -> bool {
    match (graph.node(one).role, graph.node(other).role) {
        (Role::DataType { shell }, Role::Function) => {
            graph.remove_need(other, one);
            if let Some(shell) = shell {
                graph.add_need(other, shell);
                effects.push(Effect::Shell { shell, function: other });
            }
            true
        }
        (Role::View | Role::MaterializedView, Role::SelectRule { view: of })
        | (Role::DataType { .. } | Role::Table | Role::View | Role::MaterializedView, Role::Check { of })
        | (Role::Table | Role::View | Role::MaterializedView, Role::Default { table: of })
            if of == one =>
        {
            graph.remove_need(other, one);
            true
        }
        (Role::Index { parent: Some(parent) }, Role::Index { .. }) if parent == other => {
            graph.remove_need(one, other);
            true
        }
        _ => false,
    }
}

/// What the member needs that makes the loop.
fn next_of(members: &[Slot], member: Slot) -> Slot {
    let position = members.iter().position(|&slot| slot == member).unwrap_or_default();
    members.get(position + 1).or(members.first()).copied().unwrap_or(member)
}

/// A longer loop: a part is split off from what it belongs to, or moved behind the data.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other role belongs to a whole")]
fn repair_long(graph: &mut Graph, members: &[Slot], effects: &mut Vec<Effect>) -> bool {
    let find = |graph: &Graph, wanted: &dyn Fn(Role, Role, bool) -> bool| {
        members.iter().find_map(|&owner| {
            let part = members.iter().find(|&&part| {
                let (whole, part_role) = (graph.node(owner).role, graph.node(part).role);
                let belongs = match part_role {
                    Role::SelectRule { view: of } | Role::Check { of } | Role::Default { table: of } => of == owner,
                    _ => false,
                };
                wanted(whole, part_role, belongs)
            });
            part.map(|&part| (owner, part))
        })
    };
    let is_relation = |role: Role| matches!(role, Role::Table | Role::View | Role::MaterializedView);

    let rule = |whole: Role, part: Role, belongs: bool| {
        whole == Role::View && matches!(part, Role::SelectRule { .. }) && belongs
    };
    if let Some((view, rule)) = find(graph, &rule) {
        graph.remove_need(view, rule);
        graph.add_need(rule, view);
        graph.add_need(rule, graph.post_data);
        effects.extend([Effect::Placeholder(view), Effect::Separate(rule)]);
        return true;
    }

    // the statistics of a materialized view that was moved behind the data follow it
    let statistics = |_: Role, part: Role, _| part == Role::PostDataBoundary;
    if let Some((_, border)) = find(graph, &statistics) {
        let next = next_of(members, border);
        if let Role::Statistics { of } = graph.node(next).role
            && graph.node(of).role == Role::MaterializedView
        {
            graph.remove_need(border, next);
            effects.push(Effect::Postpone(next));
            return true;
        }
    }

    // what stands before the border need not: it is moved behind the data
    for moved in [Role::MaterializedView, Role::Function] {
        let border = |whole: Role, part: Role, _| whole == moved && part == Role::PreDataBoundary;
        if let Some((_, border)) = find(graph, &border) {
            let next = next_of(members, border);
            graph.remove_need(border, next);
            if graph.node(next).role == moved {
                effects.push(Effect::Postpone(next));
            }
            return true;
        }
    }

    let table_check =
        |whole: Role, part: Role, belongs: bool| is_relation(whole) && matches!(part, Role::Check { .. }) && belongs;
    let default =
        |whole: Role, part: Role, belongs: bool| is_relation(whole) && matches!(part, Role::Default { .. }) && belongs;
    let domain_check = |whole: Role, part: Role, belongs: bool| {
        matches!(whole, Role::DataType { .. }) && matches!(part, Role::Check { .. }) && belongs
    };
    let wanted: [&dyn Fn(Role, Role, bool) -> bool; 3] = [&table_check, &default, &domain_check];
    for wanted in wanted {
        if let Some((owner, part)) = find(graph, wanted) {
            graph.remove_need(owner, part);
            graph.add_need(part, owner);
            // a default may stand before the data: rows are loaded with all their columns
            if !matches!(graph.node(part).role, Role::Default { .. }) {
                graph.add_need(part, graph.post_data);
            }
            effects.push(Effect::Separate(part));
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::graph::Node;
    use super::super::order::settle;
    use super::*;

    fn graph(nodes: &[(Role, &[Slot])]) -> Graph {
        let nodes: Vec<Node> = nodes.iter().map(|(role, needs)| Node { role: *role, needs: needs.to_vec() }).collect();
        Graph::new(nodes, 0)
    }

    fn sort(graph: &mut Graph) -> Result<(Vec<Slot>, Vec<Effect>), UnknownLoop> {
        let start: Vec<Slot> = (0..graph.len()).collect();
        settle(&start, graph)
    }

    #[test]
    fn puts_a_shell_before_the_functions_of_its_type() {
        let mut graph = graph(&[
            (Role::Other, &[]),
            (Role::DataType { shell: Some(2) }, &[3]),
            (Role::Other, &[]),
            (Role::Function, &[1]),
        ]);
        let (order, effects) = sort(&mut graph).unwrap();
        assert_eq!(order, [0, 2, 3, 1]);
        assert_eq!(effects, [Effect::Shell { shell: 2, function: 3 }]);
    }

    #[test]
    fn keeps_the_rule_within_its_view_when_nothing_else_is_in_the_loop() {
        let mut graph = graph(&[(Role::Other, &[]), (Role::View, &[2]), (Role::SelectRule { view: 1 }, &[1])]);
        let (order, effects) = sort(&mut graph).unwrap();
        assert_eq!((order, effects), (vec![0, 2, 1], vec![]));
    }

    #[test]
    fn splits_views_that_need_each_other() {
        let mut graph = graph(&[
            (Role::Other, &[]),
            (Role::View, &[2]),
            (Role::SelectRule { view: 1 }, &[1, 3]),
            (Role::View, &[4]),
            (Role::SelectRule { view: 3 }, &[3, 1]),
        ]);
        let (order, effects) = sort(&mut graph).unwrap();
        assert_eq!(effects, [Effect::Placeholder(1), Effect::Separate(2)]);
        let place = |slot| order.iter().position(|other| *other == slot).unwrap();
        assert!(place(1) < place(4) && place(4) < place(3) && place(3) < place(2));
    }

    #[test]
    fn moves_a_materialized_view_that_needs_an_index_behind_the_data() {
        // 0: border after the data, 1: border before it, 2: view, 3: its rule, 4: an index that the rule needs
        let mut graph = graph(&[
            (Role::Other, &[1]),
            (Role::PreDataBoundary, &[2]),
            (Role::MaterializedView, &[3]),
            (Role::SelectRule { view: 2 }, &[2, 4]),
            (Role::Index { parent: None }, &[0]),
        ]);
        let (order, effects) = sort(&mut graph).unwrap();
        assert_eq!(effects, [Effect::Postpone(2)]);
        assert_eq!(order, [1, 0, 4, 3, 2]);
    }

    #[test]
    fn names_the_members_of_a_loop_that_it_does_not_know() {
        let mut graph = graph(&[(Role::Other, &[1]), (Role::Other, &[2]), (Role::Other, &[0])]);
        assert_eq!(sort(&mut graph).unwrap_err(), UnknownLoop(vec![0, 1, 2]));
    }

    #[test]
    fn breaks_foreign_keys_in_a_circle() {
        let mut graph = graph(&[(Role::TableData, &[0]), (Role::TableData, &[2]), (Role::TableData, &[1])]);
        let (_, effects) = sort(&mut graph).unwrap();
        assert_eq!(effects, [Effect::CircularForeignKeys; 2]);
    }

    #[test]
    fn walks_a_hundred_thousand_objects_without_deep_recursion() {
        let count = 100_000;
        let mut nodes = vec![Node { role: Role::Table, needs: vec![0] }];
        for slot in 1..count {
            nodes.push(Node { role: Role::Table, needs: vec![slot - 1, slot] });
        }
        let mut graph = Graph::new(nodes, 0);
        let (order, _) = sort(&mut graph).unwrap();
        assert!(order.is_sorted());
    }
}
