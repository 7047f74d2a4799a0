//! Compares the entries of an archive's table of contents with those that a backup of the live database would have now.
//! Pure: two lists in, findings out.
//!
//! Entries are paired by what they are about; numbers, oids and order do not count. What [`super::structure`] has named
//! already is not named again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::archive::toc;
use crate::object;

use super::FindingKind;
use super::known::{Aspect, Known};
use super::large_object;
use super::meaning::{self, Likeness};
use super::outcome::LevelReport;
use super::structure::Terms;

/// Names that are listed of what could not be compared.
const NAMED_MAX: usize = 8;

/// The schema public has another owner and other rights from this major on.
const PUBLIC_SINCE: u32 = 15;

/// What is compared of an entry.
#[derive(Clone, Debug)]
pub(super) struct Item<'a> {
    pub(super) id: i32,
    pub(super) kind: &'a str,
    pub(super) schema: &'a str,
    pub(super) tag: &'a str,
    pub(super) owner: &'a str,
    pub(super) create: &'a str,
    pub(super) tablespace: &'a str,
    pub(super) access_method: &'a str,
    pub(super) dependencies: Vec<i32>,
}

impl<'a> Item<'a> {
    pub(super) fn archived(entry: &'a toc::Entry) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().unwrap_or_default();
        Self {
            id: entry.dump_id,
            kind: &entry.kind,
            schema: text(&entry.schema),
            tag: &entry.tag,
            owner: text(&entry.owner),
            create: text(&entry.create),
            tablespace: text(&entry.tablespace),
            access_method: text(&entry.access_method),
            dependencies: entry.dependencies.clone(),
        }
    }

    pub(super) fn live(entry: &'a object::Entry) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().unwrap_or_default();
        Self {
            id: entry.id.0,
            kind: entry.kind,
            schema: text(&entry.schema),
            tag: &entry.tag,
            owner: &entry.owner,
            create: &entry.create,
            tablespace: text(&entry.tablespace),
            access_method: text(&entry.access_method),
            dependencies: entry.dependencies.iter().flatten().map(|id| id.0).collect(),
        }
    }

    /// What both sides call the same. The rest of a name that is not unique, as an operator's types, is in the statement.
    fn identity(&self) -> (&'a str, &'a str, Cow<'a, str>, &'a str) {
        // default privileges are those that a role gives
        let role = if self.kind == "DEFAULT ACL" { self.owner } else { "" };
        let tag = match self.kind {
            "ACL" | "COMMENT" if self.tag.starts_with("PROCEDURE ") => meaning::without_input_mode(self.tag),
            _ => Cow::Borrowed(self.tag),
        };
        (self.kind, self.schema, tag, role)
    }

    /// It is about the database as a whole.
    fn is_of_database(&self) -> bool {
        match self.kind {
            "DATABASE" | "DATABASE PROPERTIES" => true,
            "ACL" | "COMMENT" | "SECURITY LABEL" => self.tag.starts_with("DATABASE "),
            _ => false,
        }
    }

    /// It is about the schema that every database has, of which PostgreSQL 15 changed the owner and the rights.
    fn is_of_public(&self) -> bool {
        match self.kind {
            "SCHEMA" => self.tag == "public",
            "ACL" => self.tag == "SCHEMA public",
            _ => false,
        }
    }

    /// It is nothing without what it hangs on; where both are missing, that one is named.
    fn is_part(&self) -> bool {
        matches!(
            self.kind,
            "ACL"
                | "CHECK CONSTRAINT"
                | "COMMENT"
                | "CONSTRAINT"
                | "DEFAULT"
                | "FK CONSTRAINT"
                | "INDEX"
                | "INDEX ATTACH"
                | "MATERIALIZED VIEW DATA"
                | "POLICY"
                | "PUBLICATION TABLE"
                | "PUBLICATION TABLES IN SCHEMA"
                | "ROW SECURITY"
                | "RULE"
                | "SECURITY LABEL"
                | "SEQUENCE OWNED BY"
                | "SEQUENCE SET"
                | "TABLE ATTACH"
                | "TRIGGER"
                | "USER MAPPING"
        )
    }

    /// Objects of this kind have an owner of their own.
    fn has_owner(&self) -> bool {
        matches!(
            self.kind,
            "AGGREGATE"
                | "COLLATION"
                | "CONVERSION"
                | "DATABASE"
                | "DOMAIN"
                | "EVENT TRIGGER"
                | "FOREIGN DATA WRAPPER"
                | "FOREIGN TABLE"
                | "FUNCTION"
                | "MATERIALIZED VIEW"
                | "OPERATOR"
                | "OPERATOR CLASS"
                | "OPERATOR FAMILY"
                | "PROCEDURAL LANGUAGE"
                | "PROCEDURE"
                | "PUBLICATION"
                | "SCHEMA"
                | "SEQUENCE"
                | "SERVER"
                | "STATISTICS"
                | "SUBSCRIPTION"
                | "TABLE"
                | "TEXT SEARCH CONFIGURATION"
                | "TEXT SEARCH DICTIONARY"
                | "TYPE"
                | "VIEW"
        ) && !(self.kind == "SCHEMA" && self.tag == "public")
    }

    fn is_compared(&self, terms: Terms) -> bool {
        match self.kind {
            // they tell how the archive is to be read
            "ENCODING" | "STDSTRINGS" | "SEARCHPATH" => false,
            // rows and large objects are compared by their digests
            "TABLE DATA" | "BLOBS" | "BLOB" | "BLOB METADATA" => false,
            // each ANALYZE makes new ones
            "STATISTICS DATA" => false,
            "ACL" if self.tag.starts_with("LARGE OBJECT") => false,
            "ACL" | "DEFAULT ACL" => terms.rights,
            _ => true,
        }
    }

    /// As a report names it.
    fn name(&self) -> String {
        let tag = match (self.kind, self.tag) {
            ("ACL" | "COMMENT" | "SECURITY LABEL", tag) => tag.to_owned(),
            ("DEFAULT ACL", tag) => format!("{tag} of {}", self.owner),
            (kind, tag) if self.schema.is_empty() => return format!("{kind} {tag}"),
            (kind, tag) => return format!("{kind} {}.{tag}", self.schema),
        };
        if self.schema.is_empty() { tag } else { format!("{}: {tag}", self.schema) }
    }

    fn aspect(&self) -> Aspect {
        match self.kind {
            "ACL" => Aspect::Rights,
            "COMMENT" | "SECURITY LABEL" | "DEFAULT ACL" => Aspect::Remark,
            _ => Aspect::Definition,
        }
    }

    /// What it is when the definition is another one.
    fn differs(&self) -> FindingKind {
        match self.kind {
            "ACL" | "DEFAULT ACL" => FindingKind::RightsDiffer,
            "COMMENT" => FindingKind::CommentDiffers,
            "POLICY" => FindingKind::PolicyDiffers,
            "ROW SECURITY" => FindingKind::RowSecurityDiffers,
            "INDEX" | "INDEX ATTACH" => FindingKind::IndexDiffers,
            "CONSTRAINT" | "CHECK CONSTRAINT" | "FK CONSTRAINT" => FindingKind::ConstraintDiffers,
            "TRIGGER" => FindingKind::TriggerDiffers,
            "SEQUENCE" | "SEQUENCE SET" | "SEQUENCE OWNED BY" => FindingKind::SequenceDiffers,
            "FUNCTION" | "PROCEDURE" | "AGGREGATE" => FindingKind::RoutineDiffers,
            "EXTENSION" => FindingKind::ExtensionDiffers,
            "DATABASE PROPERTIES" => FindingKind::SettingDiffers,
            "MATERIALIZED VIEW DATA" => FindingKind::NotPopulated,
            _ => FindingKind::DefinitionDiffers,
        }
    }

    fn missing(&self) -> FindingKind {
        match self.kind {
            "TABLE" | "FOREIGN TABLE" | "VIEW" | "MATERIALIZED VIEW" => FindingKind::TableMissing,
            _ if self.differs() == FindingKind::DefinitionDiffers => FindingKind::ObjectMissing,
            _ => self.differs(),
        }
    }
}

/// Adds to `report` whatever differs, and what could not be compared.
pub(super) fn compare(archived: &[Item<'_>], live: &[Item<'_>], terms: Terms, report: &mut LevelReport) {
    let known = Known::of(report.findings());
    let mut comparison = Comparison { terms, known, report, left: BTreeMap::new() };
    comparison.all(archived, live);
    comparison.list_left();
}

struct Comparison<'a> {
    terms: Terms,
    known: Known,
    report: &'a mut LevelReport,
    /// What was left out, by why: how many of each kind, and some of their names.
    left: BTreeMap<&'static str, Left>,
}

#[derive(Default)]
struct Left {
    kinds: BTreeMap<String, u64>,
    names: Vec<String>,
}

/// What cannot be compared, and why.
mod why {
    pub(super) const PLANNER: &str = "each ANALYZE makes new ones";
    pub(super) const OTHER_MAJOR: &str =
        "their text differs, as it may between two majors of PostgreSQL; compare their meaning";
    pub(super) const OTHER_DATABASE: &str =
        "they belong to the database's name, and this database has another one: restore with --create to have them";
    pub(super) const TABLESPACE: &str = "nothing in this database lies in the tablespace that the backup names";
    pub(super) const ACCESS_METHOD: &str = "nothing in this database uses the access method that the backup names";
    pub(super) const OTHER_LOCALE: &str = "a database of another name may have another encoding, locale and owner";
    pub(super) const HIDDEN: &str = "this role may not read their options";
    pub(super) const SUBSCRIPTIONS: &str = "this role may not read how they reach their publishers";
}

impl Comparison<'_> {
    fn leave(&mut self, why: &'static str, item: &Item<'_>) {
        let left = self.left.entry(why).or_default();
        *left.kinds.entry(item.kind.to_owned()).or_default() += 1;
        if left.names.len() <= NAMED_MAX {
            left.names.push(item.name());
        }
    }

    fn list_left(&mut self) {
        for (why, left) in std::mem::take(&mut self.left) {
            let kinds: Vec<String> = left.kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let mut names: Vec<String> = left.names.iter().take(NAMED_MAX).cloned().collect();
            if left.names.len() > NAMED_MAX {
                names.push("...".to_owned());
            }
            let names = if why == why::PLANNER { String::new() } else { format!(" ({})", names.join(", ")) };
            self.report.not_checkable(format!("{}{names}", kinds.join(", ")), why);
        }
    }

    fn all(&mut self, archived: &[Item<'_>], live: &[Item<'_>]) {
        for item in archived.iter().filter(|item| item.kind == "STATISTICS DATA") {
            self.leave(why::PLANNER, item);
        }
        large_object::compare(archived, live, self.terms, self.report);
        let has_other_public = meaning::straddles(self.terms.majors(), PUBLIC_SINCE);
        for item in archived.iter().filter(|item| has_other_public && item.is_of_public()) {
            self.leave(why::OTHER_MAJOR, item);
        }
        let has_database = self.terms.database;
        for item in archived.iter().filter(|item| !has_database && item.is_of_database() && item.kind != "DATABASE") {
            self.leave(why::OTHER_DATABASE, item);
        }
        let is_compared = |item: &&Item<'_>| {
            item.is_compared(self.terms)
                && !(has_other_public && item.is_of_public())
                && (has_database || !item.is_of_database())
        };
        let wanted: Vec<&Item<'_>> = archived.iter().filter(is_compared).collect();
        let found: Vec<&Item<'_>> = live.iter().filter(is_compared).collect();
        self.report.checked("definitions", wanted.len());
        let places = Places::of(&found);
        let (pairs, missing, unexpected) = pair(&wanted, &found);
        for (one, other) in pairs {
            self.pair(one, other, &places);
        }
        let ids: HashSet<i32> = missing.iter().filter(|item| !item.is_part()).map(|item| item.id).collect();
        for item in missing {
            let hangs_on_missing = item.is_part() && item.dependencies.iter().any(|id| ids.contains(id));
            if !hangs_on_missing {
                self.missing(item);
            }
        }
        if !self.terms.whole {
            return;
        }
        let ids: HashSet<i32> = unexpected.iter().filter(|item| !item.is_part()).map(|item| item.id).collect();
        for item in unexpected {
            let hangs_on_unexpected = item.is_part() && item.dependencies.iter().any(|id| ids.contains(id));
            if !hangs_on_unexpected {
                self.unexpected(item);
            }
        }
    }

    fn missing(&mut self, item: &Item<'_>) {
        if item.is_of_database() && !self.terms.same_database {
            self.leave(why::OTHER_DATABASE, item);
        } else if item.kind == "SUBSCRIPTION" && !self.terms.reads_subscriptions {
            self.leave(why::SUBSCRIPTIONS, item);
        } else if !self.known.has(item.aspect(), item.kind, item.schema, item.tag) {
            let detail = match item.kind {
                "MATERIALIZED VIEW DATA" => "it had rows when it was backed up and cannot be read now; refresh it",
                _ => "the backup has it, the database does not",
            };
            self.report.find(item.missing(), item.name(), detail);
        }
    }

    fn unexpected(&mut self, item: &Item<'_>) {
        if self.known.has(item.aspect(), item.kind, item.schema, item.tag) {
            return;
        }
        let kind = match item.kind {
            "ACL" | "DEFAULT ACL" | "COMMENT" | "DATABASE PROPERTIES" => item.differs(),
            _ => FindingKind::ObjectUnexpected,
        };
        let detail = match item.kind {
            "MATERIALIZED VIEW DATA" => "it has rows; when it was backed up it had none".to_owned(),
            _ => format!("the database has it, the backup does not{}", meaning::shown(item.kind, item.create)),
        };
        self.report.find(kind, item.name(), detail);
    }

    fn pair(&mut self, one: &Item<'_>, other: &Item<'_>, places: &Places<'_>) {
        let knows_owner = !one.is_of_database() || self.terms.same_database;
        let is_other_owner = self.terms.owners && one.has_owner() && knows_owner && one.owner != other.owner;
        if is_other_owner && !self.known.has(Aspect::Owner, one.kind, one.schema, one.tag) {
            let detail = format!("expected {}, found {}", one.owner, other.owner);
            self.report.find(FindingKind::OwnerDiffers, one.name(), detail);
        }
        self.place("tablespace", one, [one.tablespace, other.tablespace], &places.tablespaces, why::TABLESPACE);
        let methods = [one.access_method, other.access_method];
        self.place("access method", one, methods, &places.access_methods, why::ACCESS_METHOD);
        if one.create != other.create {
            self.definition(one, other);
        }
    }

    /// Where it lies, and how it is stored. A restore may leave both to the target: then nothing there has the name.
    fn place(&mut self, what: &str, item: &Item<'_>, sides: [&str; 2], used: &HashSet<&str>, why: &'static str) {
        let [expected, found] = sides;
        if expected == found {
            return;
        }
        if !expected.is_empty() && !used.contains(expected) {
            self.leave(why, item);
            return;
        }
        let word = |name: &str| if name.is_empty() { "the default".to_owned() } else { name.to_owned() };
        let detail = format!("{what}: expected {}, found {}", word(expected), word(found));
        self.report.find(FindingKind::DefinitionDiffers, item.name(), detail);
    }

    fn definition(&mut self, one: &Item<'_>, other: &Item<'_>) {
        if one.kind == "USER MAPPING" && !self.terms.superuser && !other.create.contains(" OPTIONS (") {
            self.leave(why::HIDDEN, one);
            return;
        }
        let is_elsewhere = one.is_of_database() && !self.terms.same_database;
        let likeness = match one.kind {
            "DATABASE PROPERTIES" if is_elsewhere => meaning::settings(one.create, other.create),
            "DATABASE" if is_elsewhere => Likeness::Unclear,
            "ACL" if is_elsewhere && one.owner != other.owner => Likeness::Unclear,
            kind => meaning::compare(kind, one.create, other.create, self.terms.majors()),
        };
        match likeness {
            Likeness::Same => {}
            Likeness::Unclear if is_elsewhere && one.kind == "DATABASE PROPERTIES" => {
                self.leave(why::OTHER_DATABASE, one);
            }
            Likeness::Unclear if is_elsewhere => self.leave(why::OTHER_LOCALE, one),
            Likeness::Unclear => self.leave(why::OTHER_MAJOR, one),
            Likeness::Different(lines) => {
                let is_told = match one.kind {
                    "TABLE" | "FOREIGN TABLE" => self.known.explains(one.schema, one.tag, &lines),
                    // their columns are named apart, and are not all of the definition
                    "VIEW" | "MATERIALIZED VIEW" => false,
                    kind => self.known.has(one.aspect(), kind, one.schema, one.tag),
                };
                if !is_told {
                    let mut detail = lines.describe(one.kind);
                    if !self.terms.same_program {
                        detail.push_str("; the backup was written by another version of this program");
                    }
                    self.report.find(one.differs(), one.name(), detail);
                }
            }
        }
    }
}

/// The tablespaces and access methods that the live database uses.
struct Places<'a> {
    tablespaces: HashSet<&'a str>,
    access_methods: HashSet<&'a str>,
}

impl<'a> Places<'a> {
    fn of(live: &[&Item<'a>]) -> Self {
        Self {
            tablespaces: live.iter().map(|item| item.tablespace).collect(),
            access_methods: live.iter().map(|item| item.access_method).collect(),
        }
    }
}

type Paired<'a, 'b> = (Vec<(&'b Item<'a>, &'b Item<'a>)>, Vec<&'b Item<'a>>, Vec<&'b Item<'a>>);

/// Pairs what is about the same thing; returns what has no partner on either side, too. Of several with one name those
/// that are equal belong together.
fn pair<'a, 'b>(archived: &[&'b Item<'a>], live: &[&'b Item<'a>]) -> Paired<'a, 'b> {
    let mut groups: HashMap<_, Vec<&'b Item<'a>>> = HashMap::with_capacity(live.len());
    for item in live.iter().rev() {
        groups.entry(item.identity()).or_default().push(item);
    }
    let (mut pairs, mut later, mut missing) = (Vec::with_capacity(archived.len()), Vec::new(), Vec::new());
    for item in archived {
        match groups.get_mut(&item.identity()) {
            None => missing.push(*item),
            Some(group) => match group.iter().rposition(|other| other.create == item.create) {
                Some(place) => pairs.push((*item, group.remove(place))),
                None => later.push(*item),
            },
        }
    }
    for item in later {
        match groups.get_mut(&item.identity()).and_then(Vec::pop) {
            Some(other) => pairs.push((item, other)),
            None => missing.push(item),
        }
    }
    let mut unexpected: Vec<&Item<'a>> = groups.into_values().flatten().collect();
    unexpected.sort_by_key(|item| item.id);
    (pairs, missing, unexpected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{Finding, Level};

    const TERMS: Terms = Terms {
        owners: true,
        rights: true,
        source_major: 17,
        live_major: 17,
        whole: true,
        database: true,
        same_database: false,
        reads_subscriptions: true,
        superuser: true,
        same_program: true,
    };

    fn item<'a>(id: i32, kind: &'a str, tag: &'a str, create: &'a str) -> Item<'a> {
        Item {
            id,
            kind,
            schema: if kind.starts_with("DATABASE") { "" } else { "app" },
            tag,
            owner: "keeper",
            create,
            tablespace: "",
            access_method: "",
            dependencies: Vec::new(),
        }
    }

    fn sample() -> Vec<Item<'static>> {
        vec![
            item(1, "DATABASE", "shop", "CREATE DATABASE shop ENCODING = 'UTF8';\n"),
            item(
                2,
                "DATABASE PROPERTIES",
                "shop",
                "ALTER DATABASE shop SET a TO '1';\nALTER DATABASE shop SET b TO '2';\n",
            ),
            Item { access_method: "heap", ..item(3, "TABLE", "item", "CREATE TABLE app.item (\n    id integer\n);\n") },
            Item { dependencies: vec![3], ..item(4, "COMMENT", "TABLE item", "COMMENT ON TABLE app.item IS 'x';\n") },
            Item {
                dependencies: vec![3],
                ..item(
                    5,
                    "ACL",
                    "TABLE item",
                    "GRANT SELECT ON TABLE app.item TO a;\nGRANT INSERT ON TABLE app.item TO b;\n",
                )
            },
            item(6, "OPERATOR", "+", "CREATE OPERATOR app.+ (LEFTARG = a);\n"),
            item(7, "OPERATOR", "+", "CREATE OPERATOR app.+ (LEFTARG = b);\n"),
            item(8, "VIEW", "seen", "CREATE VIEW app.seen AS\n SELECT item.id\n   FROM app.item;\n"),
            item(9, "BLOB METADATA", "7..9", "7\n8\n9\n"),
            Item {
                dependencies: vec![9],
                ..item(10, "ACL", "LARGE OBJECTS 7..9", "GRANT SELECT ON LARGE OBJECT 7 TO a;\n")
            },
            item(11, "STATISTICS DATA", "item", "SELECT 1;\n"),
        ]
    }

    fn outcome(change: impl FnOnce(&mut Vec<Item<'static>>), terms: Terms) -> (Vec<Finding>, String) {
        let mut live = sample();
        change(&mut live);
        let mut report = LevelReport::new(Level::Live);
        compare(&sample(), &live, terms, &mut report);
        let left = format!("{report:?}");
        (report.into_findings(), left)
    }

    fn found(change: impl FnOnce(&mut Vec<Item<'static>>)) -> Vec<(FindingKind, String)> {
        outcome(change, TERMS).0.into_iter().map(|finding| (finding.kind, finding.object)).collect()
    }

    #[test]
    fn equal_entries_in_any_order_give_no_findings() {
        assert_eq!(found(|live| live.reverse()), []);
        assert!(outcome(|_| {}, TERMS).1.contains("1 STATISTICS DATA"));
        let rights = "GRANT INSERT ON TABLE app.item TO b;\nGRANT SELECT ON TABLE app.item TO a;\n";
        assert_eq!(found(|live| live[4].create = rights), []);
    }

    #[test]
    fn each_difference_is_named_once() {
        use FindingKind as K;
        let one = |kind, object: &str| vec![(kind, object.to_owned())];
        assert_eq!(found(|live| drop(live.drain(2..5))), one(K::TableMissing, "TABLE app.item"));
        assert_eq!(found(|live| drop(live.remove(3))), one(K::CommentDiffers, "app: TABLE item"));
        assert_eq!(
            found(|live| live[4].create = "GRANT SELECT ON TABLE app.item TO a;\n"),
            one(K::RightsDiffer, "app: TABLE item")
        );
        assert_eq!(found(|live| drop(live.remove(5))), one(K::ObjectMissing, "OPERATOR app.+"));
        assert_eq!(found(|live| live[6].owner = "other"), one(K::OwnerDiffers, "OPERATOR app.+"));
        assert_eq!(
            found(|live| live[7].create = "CREATE VIEW app.seen AS SELECT 1;\n"),
            one(K::DefinitionDiffers, "VIEW app.seen")
        );
        assert_eq!(
            found(|live| live.push(item(20, "RULE", "item r", "CREATE RULE"))),
            one(K::ObjectUnexpected, "RULE app.item r")
        );
        assert_eq!(found(|live| live[2].tablespace = "fast"), one(K::DefinitionDiffers, "TABLE app.item"));
        assert_eq!(
            found(|live| live[9].create = "GRANT UPDATE ON LARGE OBJECT 7 TO a;\n"),
            one(K::RightsDiffer, "LARGE OBJECT 7, 8, 9")
        );
    }

    #[test]
    fn settings_of_a_database_with_another_name_may_be_missing_but_not_differ() {
        let (findings, left) = outcome(|live| drop(live.remove(1)), TERMS);
        assert_eq!(findings, []);
        assert!(left.contains("DATABASE PROPERTIES shop"), "{left}");
        assert_eq!(outcome(|live| live[1].create = "ALTER DATABASE shop SET a TO '1';\n", TERMS).0, []);
        let change = |live: &mut Vec<Item<'static>>| live[1].create = "ALTER DATABASE shop SET a TO '7';\n";
        assert_eq!(outcome(change, TERMS).0.len(), 1);
        let same = Terms { same_database: true, ..TERMS };
        assert_eq!(outcome(|live| drop(live.remove(1)), same).0.len(), 1);
    }

    #[test]
    fn what_a_restore_may_leave_to_its_target_is_listed() {
        let (findings, left) = outcome(|live| live[2].access_method = "other", TERMS);
        assert_eq!(findings, []);
        assert!(left.contains("access method"), "{left}");
        let terms = Terms { owners: false, rights: false, ..TERMS };
        let change = |live: &mut Vec<Item<'static>>| {
            live[4].create = "";
            live[6].owner = "other";
        };
        assert_eq!(outcome(change, terms).0, []);
        assert_eq!(outcome(|live| live.push(item(20, "VIEW", "w", "")), Terms { whole: false, ..TERMS }).0, []);
    }

    #[test]
    fn between_majors_a_view_in_other_words_is_no_difference_and_another_one_is_listed() {
        let terms = Terms { source_major: 13, ..TERMS };
        let (findings, left) =
            outcome(|live| live[7].create = "CREATE VIEW app.seen AS\n SELECT id FROM app.item;\n", terms);
        assert_eq!(findings, []);
        assert!(!left.contains("VIEW app.seen"), "{left}");
        let (findings, left) = outcome(|live| live[7].create = "CREATE VIEW app.seen AS SELECT 1;\n", terms);
        assert_eq!(findings, []);
        assert!(left.contains("VIEW app.seen"), "{left}");
    }
}
