//! What a dump holds and in which order: pure, from what the catalog says and what was asked for.
//!
//! [`select::mark`] says of every object of an inventory what of it is wanted; [`build`] orders the objects, breaks
//! loops of dependencies, has each object write its entries, and tells each entry what must be restored before it.

mod cycle;
mod dependency;
pub mod filter;
mod graph;
mod order;
pub mod pattern;
mod role;
pub mod select;

use std::num::NonZeroUsize;

use crate::error::{Error, ErrorKind, Result};
use crate::object::{
    self, CatalogId, Components, Detail, DumpId, EmitOptions, Emitter, Entry, Inventory, NewObject, Section,
    database::Database,
};
pub use dependency::order_configuration_rows;

use cycle::{Effect, UnknownLoop};
use graph::Graph;
use select::Selection;

/// A dump, entry by entry, in the order of restoring.
#[derive(Debug)]
pub struct Plan {
    /// What was read, with what the order changed about it.
    pub inventory: Inventory,
    /// The entries of the table of contents.
    pub entries: Vec<Entry>,
    /// Whether rows alone are dumped of tables whose foreign keys go in a circle: no order of loading suits them all.
    pub has_circular_foreign_keys: bool,
}

impl Plan {
    /// Whether a function is dumped whose body is SQL with semicolons of its own.
    pub fn has_sql_bodies(&self) -> bool {
        self.inventory.objects().iter().any(|object| {
            matches!(&object.detail, Detail::Function(function) if function.has_sql_statements())
                && object.dumps(Components::DEFINITION)
        })
    }
}

/// Plans a dump of what [`select::mark`] marked in an inventory whose details were read since.
///
/// `database` is given where the archive is to hold the database itself, which every archive but a plain one does.
///
/// # Errors
///
/// When objects depend on each other in a circle of a kind that is not known.
pub fn build(
    mut inventory: Inventory,
    selection: &Selection,
    options: EmitOptions,
    database: Option<&Database>,
) -> Result<Plan> {
    let borders = add_borders(&mut inventory);
    if !selection.content.definitions {
        dependency::order_rows_by_foreign_keys(&mut inventory);
    }
    let mut graph = Graph::of(
        &inventory,
        borders,
        |id| role::role(&inventory, id),
        |id| role::section(&inventory, id),
        &role::starts(&inventory),
    );
    let preferred = order::preferred(&inventory);
    let (order, effects) =
        order::settle(&preferred, &mut graph).map_err(|unknown| unknown_loop(&unknown, &inventory))?;
    dependency::write_back(&graph, &mut inventory, borders);
    for effect in &effects {
        role::apply(*effect, &mut inventory);
    }
    for id in order.iter().map(|slot| graph::id(*slot)) {
        let dump = select::restrict(inventory.get(id), selection);
        inventory.get_mut(id).dump = dump;
    }

    let wanted: Vec<DumpId> =
        order.iter().map(|slot| graph::id(*slot)).filter(|id| !inventory.get(*id).dump.is_empty()).collect();
    let mut out = Emitter::new(&inventory, options);
    preamble(&mut out);
    if let Some(database) = database {
        database.entries(&mut out);
    }
    emit(&wanted, &mut out);
    let mut entries = keep_wanted(out.finish(), selection);
    dependency::resolve(&mut entries, &inventory);
    let has_circular_foreign_keys = effects.contains(&Effect::CircularForeignKeys);
    Ok(Plan { inventory, entries, has_circular_foreign_keys })
}

/// Has the objects write their entries, in this order; those of many objects are written by several threads.
fn emit(objects: &[DumpId], out: &mut Emitter<'_>) {
    const SHARE_MIN: usize = 4_096;
    let write = |objects: &[DumpId], out: &mut Emitter<'_>| {
        for id in objects {
            object::entries(out.inventory.get(*id), out);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = objects.len().div_ceil(threads).max(SHARE_MIN);
    let (own, others) = objects.split_at(share.min(objects.len()));
    std::thread::scope(|scope| {
        let others: Vec<_> = (others.chunks(share))
            .map(|objects| {
                let mut part = out.part();
                scope.spawn(move || {
                    write(objects, &mut part);
                    part
                })
            })
            .collect();
        write(own, out);
        for other in others {
            out.append(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
}

/// The nodes that keep the sections apart.
fn add_borders(inventory: &mut Inventory) -> (DumpId, DumpId) {
    let mut add = |name: &str, detail: Detail| {
        let id = inventory.add(NewObject {
            catalog_id: CatalogId::default(),
            name: name.to_owned(),
            schema: 0,
            owner: "".into(),
            acl: None,
            detail,
        });
        inventory.get_mut(id).dump = Components::NONE;
        id
    };
    (add("PRE-DATA BOUNDARY", Detail::PreDataBoundary), add("POST-DATA BOUNDARY", Detail::PostDataBoundary))
}

/// What every archive begins with: how the texts behind it are to be read.
fn preamble(out: &mut Emitter<'_>) {
    let facts = &out.inventory.facts;
    let standard_strings = if facts.standard_strings { "on" } else { "off" };
    let statements = [
        ("ENCODING", format!("SET client_encoding = '{}';\n", facts.encoding)),
        ("STDSTRINGS", format!("SET standard_conforming_strings = '{standard_strings}';\n")),
        ("SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n".to_owned()),
    ];
    for (kind, create) in statements {
        let id = out.new_id();
        out.push(Entry { create, section: Section::PreData, ..Entry::new(id, kind, kind) });
    }
}

/// Drops the entries that are not wanted, by their section and by whether they define or fill. An entry without a section
/// goes with what stands before it.
fn keep_wanted(entries: Vec<Entry>, selection: &Selection) -> Vec<Entry> {
    let content = &selection.content;
    let mut current = Section::PreData;
    (entries.into_iter())
        .filter(|entry| {
            if entry.section != Section::None {
                current = entry.section;
            }
            match entry.kind {
                "ENCODING" | "STDSTRINGS" | "SEARCHPATH" | "DATABASE" | "DATABASE PROPERTIES" => true,
                _ if !content.sections.has(current) => false,
                // a sequence's state is a statement, but data all the same
                "SEQUENCE SET" => content.data || content.sequence_data,
                "BLOB METADATA" => content.data,
                // these are read only where they are wanted
                "STATISTICS DATA" => true,
                // what hangs on large objects is data, as they are
                _ if entry.data.is_some() || entry.tag.starts_with("LARGE OBJECT") => content.data,
                _ => content.definitions,
            }
        })
        .collect()
}

fn unknown_loop(unknown: &UnknownLoop, inventory: &Inventory) -> Error {
    const SHOWN_MAX: usize = 20;
    let name = |slot: &graph::Slot| {
        let object = inventory.get(graph::id(*slot));
        let name = inventory.qualified(object, object::Quote::default());
        // the kind's name is made of words: `ColumnDefault` is a column default
        let mut kind = String::new();
        for letter in format!("{:?}", object.detail.kind()).chars() {
            if letter.is_uppercase() && !kind.is_empty() {
                kind.push(' ');
            }
            kind.extend(letter.to_lowercase());
        }
        format!("{kind} {name}")
    };
    let mut members: Vec<String> = unknown.0.iter().take(SHOWN_MAX).map(name).collect();
    if unknown.0.len() > SHOWN_MAX {
        members.push(format!("and {} more", unknown.0.len() - SHOWN_MAX));
    }
    Error::new(ErrorKind::Refused, "objects depend on each other in a circle that cannot be dumped")
        .detail(members.join(", "))
        .hint("Leave one of them out (-T, -N), or report this with the objects' definitions.")
}
