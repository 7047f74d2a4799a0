//! What must be in a database that was restored with options: of what was left out nothing, of what was chosen all.
//! Pure: a backup's lists in, shorter ones out.

use std::collections::{BTreeSet, HashSet};

use crate::archive::select::{Components, Item, Leave, Selection, select};
use crate::archive::statement;
use crate::archive::toc::Entry;
use crate::error::Result;
use crate::manifest::Table;
use crate::manifest::expected::{Column, Expected, Relation, Routine};
use crate::object::Quote;

use super::known::same_types;

/// The options of the restore that made a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restoration {
    /// Which part was restored.
    pub selection: Selection,
    /// What was left out.
    pub leave: Leave,
    /// Who restored: with `leave.owner` all belongs to this role.
    pub role: Option<String>,
}

impl Restoration {
    /// Whether all of the backup was restored.
    pub fn is_all(&self) -> bool {
        self.selection == Selection::default() && self.leave == Leave::default()
    }

    /// Whether only a part was asked for, so that the rest of the database may be anything.
    pub(super) fn is_partial(&self) -> bool {
        self.selection != Selection::default()
    }

    /// Whether it is known whose everything is.
    pub(super) fn knows_owners(&self) -> bool {
        !self.leave.owner || self.role.is_some()
    }

    /// Whether definitions were restored.
    pub(super) fn has_definitions(&self) -> bool {
        matches!(self.selection.components, Components::All | Components::Schema)
    }
}

/// What of a backup a restore with these options brings.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The entries, all of them where all were restored.
    pub(super) entries: Vec<Entry>,
    pub(super) expected: Expected,
    /// The large objects came with it.
    pub(super) large_objects: bool,
    /// Tables whose rows came with it: schema and name.
    rows: BTreeSet<(String, String)>,
}

impl Part {
    /// Whether the table's rows came with it.
    pub(super) fn has_rows(&self, table: &Table) -> bool {
        self.rows.contains(&(table.schema.clone(), table.name.clone()))
    }
}

/// Chooses as the restore did. `database` is whether the database itself was restored, too.
///
/// # Errors
///
/// When a name matches nothing.
pub(super) fn choose(all: &[Entry], expected: &Expected, restored: &Restoration, database: bool) -> Result<Part> {
    let items = select(all, &restored.selection, &restored.leave, database)?;
    let entry = |item: &Item| all.get(item.index);
    let is_rows = |entry: &&Entry| entry.kind == "TABLE DATA";
    let rows = items.iter().filter(|item| item.data).filter_map(entry).filter(is_rows);
    let rows = rows.map(|entry| (entry.schema.clone().unwrap_or_default(), entry.tag.clone())).collect();
    let is_large_object = |entry: &Entry| matches!(entry.kind.as_str(), "BLOB" | "BLOBS" | "BLOB METADATA");
    let has_some = items.iter().filter(|item| item.data).filter_map(entry).any(is_large_object);
    let mut entries: Vec<Entry> = items.iter().filter_map(entry).cloned().collect();
    let mut expected = Narrowed::new(all, &entries).expected(expected);
    if restored.leave.owner {
        disown(&mut entries, &mut expected, restored.role.as_deref());
    }
    if restored.leave.tablespaces {
        entries
            .iter_mut()
            .filter(|entry| entry.tablespace.is_some())
            .for_each(|entry| entry.tablespace = Some(String::new()));
    }
    Ok(Part { entries, expected, large_objects: has_some || !all.iter().any(is_large_object), rows })
}

/// Leaves of a live database only what the backup's part is about.
pub(super) fn narrow(live: &mut Expected, expected: &Expected) {
    live.schemas.retain(|one| expected.schemas.iter().any(|other| other.name == one.name));
    live.extensions.retain(|one| expected.extensions.iter().any(|other| other.name == one.name));
    let names = |list: &mut dyn Iterator<Item = (&String, &String)>| -> HashSet<(String, String)> {
        list.map(|(schema, name)| (schema.clone(), name.clone())).collect()
    };
    let relations = names(&mut expected.relations.iter().map(|one| (&one.schema, &one.name)));
    live.relations.retain(|one| relations.contains(&(one.schema.clone(), one.name.clone())));
    let sequences = names(&mut expected.sequences.iter().map(|one| (&one.schema, &one.name)));
    live.sequences.retain(|one| sequences.contains(&(one.schema.clone(), one.name.clone())));
    let routines = names(&mut expected.routines.iter().map(|one| (&one.schema, &one.signature)));
    live.routines.retain(|one| routines.contains(&(one.schema.clone(), one.signature.clone())));
    let types = names(&mut expected.types.iter().map(|one| (&one.schema, &one.name)));
    live.types.retain(|one| types.contains(&(one.schema.clone(), one.name.clone())));
}

/// Everything belongs to who restored.
fn disown(entries: &mut Vec<Entry>, expected: &mut Expected, role: Option<&str>) {
    for entry in entries.iter_mut() {
        if entry.kind == "ACL" {
            // what the owner did not have is taken from nobody
            let owner = Quote::default().identifier(entry.owner.as_deref().unwrap_or_default()).into_owned();
            let gone = format!(" FROM {owner};");
            let create = entry.create.take().unwrap_or_default();
            entry.create = Some(create.split_inclusive(";\n").filter(|line| !line.contains(&gone)).collect());
        } else if entry.kind != "DEFAULT ACL"
            && (statement::described(entry, Quote::default()).is_some() || entry.kind == "BLOB METADATA")
            && let Some(role) = role
        {
            entry.owner = Some(role.to_owned());
        }
    }
    entries.retain(|entry| entry.kind != "ACL" || entry.create.as_deref().is_some_and(|create| !create.is_empty()));
    let Some(role) = role else { return };
    let owners = (expected.schemas.iter_mut().map(|one| &mut one.owner))
        .chain(expected.relations.iter_mut().map(|one| &mut one.owner))
        .chain(expected.sequences.iter_mut().map(|one| &mut one.owner))
        .chain(expected.routines.iter_mut().map(|one| &mut one.owner))
        .chain(expected.types.iter_mut().map(|one| &mut one.owner));
    owners.for_each(|owner| role.clone_into(owner));
}

/// An entry's kind, schema and tag.
type Name<'a> = (&'a str, &'a str, &'a str);

fn name(entry: &Entry) -> Name<'_> {
    (entry.kind.as_str(), entry.schema.as_deref().unwrap_or_default(), entry.tag.as_str())
}

/// The list of objects without those whose entries were not restored.
struct Narrowed<'a> {
    gone: HashSet<Name<'a>>,
    left_out: Vec<&'a Entry>,
}

impl<'a> Narrowed<'a> {
    fn new(all: &'a [Entry], chosen: &[Entry]) -> Self {
        let wanted: HashSet<Name<'_>> = chosen.iter().map(name).collect();
        let left_out: Vec<&Entry> = all.iter().filter(|entry| !wanted.contains(&name(entry))).collect();
        let gone = left_out.iter().map(|entry| name(entry)).collect();
        Self { gone, left_out }
    }

    /// Whether it came: an object that has no entry of its own comes with what it is a part of.
    fn has(&self, kinds: &[&str], schema: &str, tag: &str) -> bool {
        !kinds.iter().any(|kind| self.gone.contains(&(*kind, schema, tag)))
    }

    fn expected(&self, all: &Expected) -> Expected {
        let mut expected = all.clone();
        expected.schemas.retain(|schema| self.has(&["SCHEMA"], "", &schema.name));
        expected.extensions.retain(|extension| self.has(&["EXTENSION"], "", &extension.name));
        expected.relations.retain(|relation| self.has(&[relation.kind.entry_kind()], &relation.schema, &relation.name));
        expected.relations.iter_mut().for_each(|relation| self.relation(relation));
        expected.sequences.retain(|sequence| self.has(&["SEQUENCE"], &sequence.schema, &sequence.name));
        for sequence in &mut expected.sequences {
            if !self.has(&["SEQUENCE SET"], &sequence.schema, &sequence.name) {
                sequence.last_value = None;
            }
        }
        expected.routines.retain(|routine| self.has_routine(routine));
        expected.types.retain(|one| self.has(&["TYPE", "DOMAIN", "SHELL TYPE"], &one.schema, &one.name));
        expected
    }

    fn relation(&self, relation: &mut Relation) {
        let (schema, table) = (relation.schema.clone(), relation.name.clone());
        let part = |kinds: &[&str], name: &str| self.has(kinds, &schema, &format!("{table} {name}"));
        relation.policies.retain(|policy| part(&["POLICY"], &policy.name));
        relation.row_security &= self.has(&["ROW SECURITY"], &schema, &table);
        relation.triggers.retain(|trigger| part(&["TRIGGER"], &trigger.name));
        relation
            .indexes
            .retain(|index| self.has(&["INDEX"], &schema, &index.name) && part(&["CONSTRAINT"], &index.name));
        let constraints = ["CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT"];
        relation.constraints.retain(|constraint| part(&constraints, &constraint.name));
        for column in &mut relation.columns {
            if !part(&["DEFAULT"], &column.name) {
                column.default = None;
            }
            if !column.identity.is_empty() && self.lost_identity(&schema, &table, column) {
                column.identity = String::new();
            }
        }
    }

    /// Whether the sequence that makes it an identity column did not come.
    fn lost_identity(&self, schema: &str, table: &str, column: &Column) -> bool {
        let quotes = [Quote::default(), Quote { all: true, ..Quote::default() }];
        let statements = quotes.map(|quote| {
            let (table, column) = (quote.qualified(Some(schema), table), quote.identifier(&column.name));
            format!("ALTER TABLE {table} ALTER COLUMN {column} ADD GENERATED ")
        });
        let mut sequences = self.left_out.iter().filter(|entry| entry.kind == "SEQUENCE");
        sequences.any(|entry| {
            let create = entry.create.as_deref().unwrap_or_default();
            statements.iter().any(|statement| create.contains(statement.as_str()))
        })
    }

    /// The signature in the list may have the arguments' names.
    fn has_routine(&self, routine: &Routine) -> bool {
        let (name, arguments) = routine.signature.split_once('(').unwrap_or((&routine.signature, ""));
        let is_it = |entry: &&&Entry| {
            matches!(entry.kind.as_str(), "FUNCTION" | "PROCEDURE" | "AGGREGATE")
                && entry.schema.as_deref() == Some(&routine.schema)
                && entry.tag.split_once('(').is_some_and(|(other, types)| {
                    other.trim_matches('"') == name
                        && (types == arguments || types == "*)" || same_types(arguments, types))
                })
        };
        !self.left_out.iter().any(|entry| is_it(&entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::toc::Section;
    use crate::manifest::expected::{Constraint, Index, Policy, Sequence};

    fn entry(id: i32, kind: &str, tag: &str, section: Section) -> Entry {
        let mut entry = Entry::new(id, kind, tag, section);
        entry.schema = Some("s".to_owned());
        entry.owner = Some("keeper".to_owned());
        entry.create = Some(format!("CREATE {tag};\n"));
        entry.has_data = kind == "TABLE DATA";
        entry
    }

    fn backup() -> (Vec<Entry>, Expected) {
        let mut sequence = entry(2, "SEQUENCE", "t_id_seq", Section::PreData);
        sequence.create = Some("ALTER TABLE s.t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (\n);\n".to_owned());
        let entries = vec![
            entry(1, "TABLE", "t", Section::PreData),
            sequence,
            entry(3, "TABLE", "u", Section::PreData),
            entry(4, "FUNCTION", "f(integer)", Section::PreData),
            entry(5, "TABLE DATA", "t", Section::Data),
            entry(6, "TABLE DATA", "u", Section::Data),
            entry(7, "CONSTRAINT", "t t_pkey", Section::PostData),
            entry(8, "POLICY", "t own", Section::PostData),
        ];
        let relation = |name: &str| Relation { schema: "s".into(), name: name.into(), ..Relation::default() };
        let table = Relation {
            row_security: true,
            columns: vec![Column { name: "id".into(), identity: "a".into(), ..Column::default() }],
            indexes: vec![Index { name: "t_pkey".into(), valid: true, ..Index::default() }],
            constraints: vec![Constraint { name: "t_pkey".into(), ..Constraint::default() }],
            policies: vec![Policy { name: "own".into(), ..Policy::default() }],
            ..relation("t")
        };
        let expected = Expected {
            relations: vec![table, relation("u")],
            sequences: vec![Sequence { schema: "s".into(), name: "t_id_seq".into(), ..Sequence::default() }],
            routines: vec![Routine { schema: "s".into(), signature: "f(a integer)".into(), ..Routine::default() }],
            ..Expected::default()
        };
        (entries, expected)
    }

    fn part(restored: &Restoration) -> Part {
        let (entries, expected) = backup();
        choose(&entries, &expected, restored, false).expect("the names are there")
    }

    #[test]
    fn of_one_table_nothing_else_is_expected() {
        let selection = Selection { tables: vec!["t".into()], ..Selection::default() };
        let part = part(&Restoration { selection, ..Restoration::default() });
        let kinds: Vec<&str> = part.entries.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["TABLE", "TABLE DATA"]);
        let [table] = part.expected.relations.as_slice() else { panic!("{:#?}", part.expected.relations) };
        assert!(table.indexes.is_empty() && table.constraints.is_empty() && table.policies.is_empty());
        assert_eq!(table.columns.first().map(|column| column.identity.as_str()), Some(""));
        assert!(part.expected.sequences.is_empty() && part.expected.routines.is_empty());
        let rows = |name: &str| part.has_rows(&Table { schema: "s".into(), name: name.into(), ..Table::default() });
        assert!(rows("t") && !rows("u"));
    }

    #[test]
    fn without_owners_everything_is_the_role_that_restored() {
        let leave = Leave { owner: true, policies: true, ..Leave::default() };
        let part = part(&Restoration { leave, role: Some("me".into()), ..Restoration::default() });
        assert!(part.expected.relations.iter().all(|relation| relation.owner == "me"));
        assert!(
            part.entries.iter().filter(|entry| entry.kind == "TABLE").all(|entry| entry.owner.as_deref() == Some("me"))
        );
        assert!(part.expected.relations.iter().all(|relation| relation.policies.is_empty()));
        assert_eq!(part.expected.relations.first().map(|table| table.indexes.len()), Some(1));
    }

    #[test]
    fn a_name_that_matches_nothing_is_no_part() {
        let (entries, expected) = backup();
        let selection = Selection { tables: vec!["no".into()], ..Selection::default() };
        let restored = Restoration { selection, ..Restoration::default() };
        assert!(choose(&entries, &expected, &restored, false).is_err());
    }
}
