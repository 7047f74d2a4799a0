//! Which entries of an archive are restored, and in which pass: pg_restore's rules.

use std::collections::{HashMap, HashSet};

use super::pick::Pass;
use super::toc::{Entry, Section};
use crate::error::{Error, ErrorKind, Result};

/// Which part of an archive is wanted. Names are exact, as pg_restore takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Definitions, rows, or both.
    pub components: Components,
    /// `--section`; none is all.
    pub sections: Sections,
    /// `-n`: only what lies in these schemas.
    pub schemas: Vec<String>,
    /// `-N`: not what lies in these.
    pub excluded_schemas: Vec<String>,
    /// `-t`: only these tables, views and sequences: `name` or `schema.name`.
    pub tables: Vec<String>,
    /// `-I`: only these indexes.
    pub indexes: Vec<String>,
    /// `-P`: only these functions: `name(argument types)`.
    pub functions: Vec<String>,
    /// `-T`: only these triggers.
    pub triggers: Vec<String>,
    /// `-L`: only these entries, in this order.
    pub list: Option<Vec<i32>>,
    /// Names may match nothing, and who names a schema wants what lies in it, not the schema: as pg_restore takes names without
    /// `--strict-names`.
    pub loose_names: bool,
    /// The planner's statistics come with definitions alone or rows alone, too (`--no-data`, `--no-schema`).
    pub keeps_statistics: bool,
}

/// Definitions, rows, the planner's statistics, or all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Components {
    /// All.
    #[default]
    All,
    /// `-s`.
    Schema,
    /// `-a`.
    Data,
    /// `--statistics-only`.
    Statistics,
}

/// `--section`: all three when none is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// Definitions before the rows.
    pub pre_data: bool,
    /// Rows.
    pub data: bool,
    /// Indexes, constraints, triggers.
    pub post_data: bool,
}

/// Kinds of things to leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leave {
    /// Everything belongs to who restores.
    pub owner: bool,
    /// No GRANT and REVOKE.
    pub privileges: bool,
    /// No comments.
    pub comments: bool,
    /// No row-level security.
    pub policies: bool,
    /// No publications.
    pub publications: bool,
    /// No security labels.
    pub security_labels: bool,
    /// No subscriptions.
    pub subscriptions: bool,
    /// Everything goes to the default tablespace.
    pub tablespaces: bool,
    /// Tables get the default access method.
    pub table_access_methods: bool,
    /// No statistics of the planner.
    pub statistics: bool,
}

impl Leave {
    /// Whether entries of this kind and tag are left out.
    pub fn has(&self, kind: &str, tag: &str) -> bool {
        let belongs_to = |prefix: &str| matches!(kind, "COMMENT" | "SECURITY LABEL") && tag.starts_with(prefix);
        (self.privileges && matches!(kind, "ACL" | "ACL LANGUAGE" | "DEFAULT ACL"))
            || (self.statistics && kind == "STATISTICS DATA")
            || (self.comments && kind == "COMMENT")
            || (self.policies && (matches!(kind, "POLICY" | "ROW SECURITY") || belongs_to("POLICY ")))
            || (self.publications
                && (matches!(kind, "PUBLICATION" | "PUBLICATION TABLE" | "PUBLICATION TABLES IN SCHEMA")
                    || belongs_to("PUBLICATION ")))
            || (self.security_labels && kind == "SECURITY LABEL")
            || (self.subscriptions
                && (matches!(kind, "SUBSCRIPTION" | "SUBSCRIPTION TABLE") || belongs_to("SUBSCRIPTION ")))
    }
}

/// An entry that is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its place in the table of contents.
    pub index: usize,
    /// Its definition is wanted.
    pub schema: bool,
    /// Its data, or a definition that counts as data, is wanted.
    pub data: bool,
    /// When its turn comes.
    pub pass: Pass,
    /// The section that it belongs to, its neighbours' where it has none of its own.
    pub section: Section,
}

impl Selection {
    /// Whether only a part is wanted, so that other objects of the database have nothing to do with the restore.
    pub fn is_partial(&self) -> bool {
        self.names_parts() || !self.excluded_schemas.is_empty() || self.list.is_some()
    }

    /// Whether nothing but indexes, constraints and the like is wanted: their tables have to be there.
    pub fn is_post_data_only(&self) -> bool {
        self.sections.post_data && !self.sections.pre_data
    }

    fn names_parts(&self) -> bool {
        let lists = [&self.schemas, &self.tables, &self.indexes, &self.functions, &self.triggers];
        lists.iter().any(|list| !list.is_empty())
    }

    fn names_objects(&self) -> bool {
        [&self.tables, &self.indexes, &self.functions, &self.triggers].iter().any(|list| !list.is_empty())
    }
}

impl Sections {
    fn has(self, section: Section) -> bool {
        if self == Self::default() {
            return true;
        }
        match section {
            Section::None => true,
            Section::PreData => self.pre_data,
            Section::Data => self.data,
            Section::PostData => self.post_data,
        }
    }
}

/// Comments, labels and rights: nothing of their own, restored with what they belong to.
fn is_attribute(entry: &Entry) -> bool {
    matches!(entry.kind.as_str(), "ACL" | "COMMENT" | "SECURITY LABEL")
}

/// The planner's statistics of a relation.
pub fn is_statistics(entry: &Entry) -> bool {
    entry.kind == "STATISTICS DATA"
}

/// The entries to restore, in the order of restoring.
///
/// # Errors
///
/// When a name or number that was given matches nothing: a typing error must not look like a restore.
pub fn select(entries: &[Entry], selection: &Selection, leave: &Leave, create_database: bool) -> Result<Vec<Item>> {
    let order = ordered(entries, selection)?;
    let mut wanted: HashSet<i32> = HashSet::new();
    let by_id: HashMap<i32, &Entry> = entries.iter().map(|entry| (entry.dump_id, entry)).collect();
    let mut matched = Matched::default();
    let mut items = Vec::new();
    let mut section = Section::PreData;
    for index in order {
        let Some(entry) = entries.get(index) else { continue };
        if entry.section != Section::None {
            section = entry.section;
        }
        let choice = Chooser { selection, leave, create_database, wanted: &wanted, by_id: &by_id };
        let Some((schema, data)) = choice.components(entry, section, &mut matched) else { continue };
        if !schema && !data {
            continue;
        }
        wanted.insert(entry.dump_id);
        items.push(Item { index, schema, data, pass: Pass::of(entry), section });
    }
    if !selection.loose_names {
        matched.check(selection)?;
    }
    Ok(items)
}

fn ordered(entries: &[Entry], selection: &Selection) -> Result<Vec<usize>> {
    let Some(list) = &selection.list else { return Ok((0..entries.len()).collect()) };
    let places: HashMap<i32, usize> = entries.iter().enumerate().map(|(index, entry)| (entry.dump_id, index)).collect();
    let mut seen = HashSet::new();
    list.iter()
        .filter(|dump_id| seen.insert(**dump_id))
        .map(|dump_id| {
            places.get(dump_id).copied().ok_or_else(|| {
                Error::new(ErrorKind::Usage, format!("the list names entry {dump_id}, which the archive does not have"))
            })
        })
        .collect()
}

/// Which of the given names have matched something.
#[derive(Default)]
struct Matched {
    names: HashSet<String>,
}

impl Matched {
    fn note(&mut self, names: &[String], found: impl Fn(&str) -> bool) -> bool {
        let mut any = false;
        for name in names.iter().filter(|name| found(name)) {
            self.names.insert(name.clone());
            any = true;
        }
        any
    }

    fn check(&self, selection: &Selection) -> Result<()> {
        for (what, names) in [
            ("schema", &selection.schemas),
            ("table", &selection.tables),
            ("index", &selection.indexes),
            ("function", &selection.functions),
            ("trigger", &selection.triggers),
        ] {
            if let Some(name) = names.iter().find(|name| !self.names.contains(*name)) {
                return Err(Error::new(ErrorKind::Usage, format!("the archive has no {what} \"{name}\""))
                    .hint("Names are exact; look at them with: db show, or pg_restore -l."));
            }
        }
        Ok(())
    }
}

struct Chooser<'a> {
    selection: &'a Selection,
    leave: &'a Leave,
    create_database: bool,
    wanted: &'a HashSet<i32>,
    by_id: &'a HashMap<i32, &'a Entry>,
}

impl Chooser<'_> {
    /// What of the entry is wanted: definition and data. `None` is nothing.
    fn components(&self, entry: &Entry, section: Section, matched: &mut Matched) -> Option<(bool, bool)> {
        let kind = entry.kind.as_str();
        if matches!(kind, "ENCODING" | "STDSTRINGS" | "SEARCHPATH" | "<Init>" | "WARNING") {
            return None;
        }
        if matches!(kind, "DATABASE" | "DATABASE PROPERTIES") {
            // a database comes with its creation, whatever else is selected
            return self.create_database.then_some((true, false));
        }
        if self.leave.has(&entry.kind, &entry.tag) || !self.selection.sections.has(section) {
            return None;
        }
        if is_attribute(entry) && entry.tag.starts_with("DATABASE ") {
            let is_wanted = matches!(self.selection.components, Components::All | Components::Schema);
            return (self.create_database && is_wanted).then_some((true, false));
        }
        if !self.is_selected(entry, matched) {
            return None;
        }
        if is_statistics(entry) {
            let wanted = match self.selection.components {
                Components::All | Components::Statistics => true,
                Components::Schema | Components::Data => self.selection.keeps_statistics,
            };
            return wanted.then_some((true, false));
        }
        let counts_as_data = entry.has_data
            || matches!(kind, "SEQUENCE SET" | "BLOB" | "BLOB METADATA" | "BLOBS" | "TABLE DATA")
            || (is_attribute(entry) && entry.tag.starts_with("LARGE OBJECT"));
        let has_definition = entry
            .create
            .as_deref()
            .is_some_and(|create| !create.is_empty() && !create.starts_with("-- load via partition root "));
        let schema = has_definition && !counts_as_data;
        let data = counts_as_data && (entry.has_data || has_definition);
        match self.selection.components {
            Components::All => Some((schema, data)),
            Components::Schema => Some((schema, false)),
            Components::Data => Some((false, data)),
            Components::Statistics => None,
        }
    }

    fn is_selected(&self, entry: &Entry, matched: &mut Matched) -> bool {
        let selection = self.selection;
        if is_attribute(entry) && (selection.names_parts() || !selection.excluded_schemas.is_empty()) {
            // rights on columns also wait for the rights on their table; that is no parent
            let mut parents =
                entry.dependencies.iter().filter(|id| self.by_id.get(id).is_some_and(|parent| parent.kind != "ACL"));
            return parents.any(|id| self.wanted.contains(id));
        }
        let schema = entry.schema.as_deref().unwrap_or_default();
        // of a schema itself pg_restore restores what lies in it only; who names a schema wants it there
        let own = if entry.kind == "SCHEMA" && !selection.loose_names { entry.tag.as_str() } else { schema };
        if selection.excluded_schemas.iter().any(|name| name == own) {
            return false;
        }
        if !selection.schemas.is_empty() && !matched.note(&selection.schemas, |name| name == own) {
            return false;
        }
        if !selection.names_objects() {
            return true;
        }
        if is_statistics(entry) {
            // chosen with the relation that they are of; an archive of statistics alone has no entry of it
            let relations: Vec<&Entry> =
                entry.dependencies.iter().filter_map(|id| self.by_id.get(id).copied()).collect();
            if !relations.is_empty() {
                return relations.into_iter().any(|relation| self.is_selected(relation, matched));
            }
        }
        let names = match entry.kind.as_str() {
            "TABLE"
            | "TABLE DATA"
            | "VIEW"
            | "FOREIGN TABLE"
            | "MATERIALIZED VIEW"
            | "MATERIALIZED VIEW DATA"
            | "SEQUENCE"
            | "SEQUENCE SET" => &selection.tables,
            "INDEX" => &selection.indexes,
            "FUNCTION" | "AGGREGATE" | "PROCEDURE" => &selection.functions,
            "TRIGGER" => &selection.triggers,
            "STATISTICS DATA" if entry.section == Section::Data => &selection.tables,
            "STATISTICS DATA" => &selection.indexes,
            _ => return false,
        };
        let tag = entry.tag.as_str();
        matched.note(names, |name| {
            name == tag
                || name.strip_prefix(schema).and_then(|rest| rest.strip_prefix('.')).is_some_and(|rest| rest == tag)
        })
    }
}

#[cfg(test)]
mod tests;
