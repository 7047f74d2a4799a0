//! Compares the objects of a live database with those that a backup must restore to. Pure: two lists in, findings out.

use std::collections::BTreeMap;

use crate::manifest::expected::{
    Column, Constraint, Expected, Index, Named, Policy, Relation, RelationKind, Routine, Sequence, Trigger,
};

use super::FindingKind;
use super::meaning;
use super::outcome::LevelReport;
use super::shown::shown;

/// What the comparison can count on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Owners were restored, too.
    pub(super) owners: bool,
    /// Rights were restored, too.
    pub(super) rights: bool,
    /// The major of the server that the backup was made from.
    pub(super) source_major: u32,
    /// The major of the live server.
    pub(super) live_major: u32,
    /// The backup has all of the database: what it does not have should not be there.
    pub(super) whole: bool,
    /// What belongs to the database itself was restored, too.
    pub(super) database: bool,
    /// The live database has the name of the one that was backed up.
    pub(super) same_database: bool,
    /// The session may read how subscriptions reach their publishers.
    pub(super) reads_subscriptions: bool,
    /// The session may read everything: the options of all user mappings, too.
    pub(super) superuser: bool,
    /// The backup was written by this version of the program.
    pub(super) same_program: bool,
}

impl Terms {
    /// The majors of both servers.
    pub(super) fn majors(self) -> [u32; 2] {
        [self.source_major, self.live_major]
    }
}

/// A partition has the identity of the table above it from this major on.
const PARTITION_IDENTITY_SINCE: u32 = 17;

/// Adds to `report` whatever differs.
pub(super) fn compare(expected: &Expected, live: &Expected, terms: Terms, report: &mut LevelReport) {
    Comparison { terms, report }.all(expected, live);
}

struct Comparison<'a> {
    terms: Terms,
    report: &'a mut LevelReport,
}

struct Pairs<'a, T> {
    both: Vec<(String, &'a T, &'a T)>,
    missing: Vec<String>,
    unexpected: Vec<String>,
}

fn pair<'a, T>(expected: &'a [T], live: &'a [T], name: impl Fn(&T) -> String) -> Pairs<'a, T> {
    let mut rest: BTreeMap<String, &T> = live.iter().map(|object| (name(object), object)).collect();
    let mut pairs = Pairs { both: Vec::new(), missing: Vec::new(), unexpected: Vec::new() };
    for object in expected {
        let key = name(object);
        match rest.remove(&key) {
            Some(other) => pairs.both.push((key, object, other)),
            None => pairs.missing.push(key),
        }
    }
    pairs.unexpected = rest.into_keys().collect();
    pairs
}

impl Comparison<'_> {
    fn find(&mut self, kind: FindingKind, object: &str, detail: impl Into<String>) {
        self.report.find(kind, object, detail);
    }

    /// Pairs objects by name, and says which have no partner.
    fn pairs<'a, T>(
        &mut self,
        what: &str,
        expected: &'a [T],
        live: &'a [T],
        missing: FindingKind,
        name: impl Fn(&T) -> String,
    ) -> Vec<(String, &'a T, &'a T)> {
        let pairs = pair(expected, live, name);
        self.report.checked(what, expected.len());
        for name in &pairs.missing {
            self.find(missing, name, format!("the backup has it among its {what}, the database does not"));
        }
        for name in &pairs.unexpected {
            let detail = format!("the database has it among its {what}, the backup does not");
            self.find(FindingKind::ObjectUnexpected, name, detail);
        }
        pairs.both
    }

    fn same<T: PartialEq + serde::Serialize>(
        &mut self,
        kind: FindingKind,
        object: &str,
        what: &str,
        expected: &T,
        live: &T,
    ) {
        if expected != live {
            self.find(kind, object, format!("{what}: expected {}, found {}", shown(expected), shown(live)));
        }
    }

    /// The same for definitions, which two majors may print in two ways.
    fn same_definition(&mut self, kind: FindingKind, object: &str, what: &str, expected: &str, live: &str) {
        if !meaning::same_text("", expected, live, self.terms.majors()) {
            self.find(kind, object, format!("{what}: expected {expected:?}, found {live:?}"));
        }
    }

    fn same_expression(&mut self, kind: FindingKind, object: &str, what: &str, sides: [&Option<String>; 2]) {
        let [expected, live] = sides;
        match (expected, live) {
            (Some(expected), Some(live)) => self.same_definition(kind, object, what, expected, live),
            _ => self.same(kind, object, what, expected, live),
        }
    }

    fn owner(&mut self, object: &str, expected: &str, live: &str) {
        if self.terms.owners {
            self.same(FindingKind::OwnerDiffers, object, "owner", &expected, &live);
        }
    }

    fn rights(&mut self, object: &str, expected: &Option<Vec<String>>, live: &Option<Vec<String>>) {
        if !self.terms.rights {
            return;
        }
        let straddles = meaning::straddles(self.terms.majors(), meaning::MAINTAIN_SINCE);
        let items = |acl: &Option<Vec<String>>| {
            acl.as_ref().map(|items| {
                items
                    .iter()
                    .filter_map(|item| if straddles { without_maintain(item) } else { Some(item.clone()) })
                    .collect::<Vec<_>>()
            })
        };
        let (expected, live) = (items(expected), items(live));
        if expected == live {
            return;
        }
        let words = |acl: Option<Vec<String>>| match acl {
            None => "the default".to_owned(),
            Some(items) if items.is_empty() => "nobody".to_owned(),
            Some(items) => items.join(", "),
        };
        let detail = format!("expected {}, found {}", words(expected), words(live));
        self.find(FindingKind::RightsDiffer, object, detail);
    }

    fn all(&mut self, expected: &Expected, live: &Expected) {
        let missing = FindingKind::ObjectMissing;
        let schemas = self.pairs("schemas", &expected.schemas, &live.schemas, missing, |schema| schema.name.clone());
        for (name, one, other) in schemas {
            // the owner of public was the superuser before 15 and is the database's owner since; a dump leaves that alone
            if name != "public" {
                self.owner(&name, &one.owner, &other.owner);
                self.rights(&name, &one.acl, &other.acl);
            }
        }
        let differs = FindingKind::ExtensionDiffers;
        let extensions = self
            .pairs("extensions", &expected.extensions, &live.extensions, differs, |extension| extension.name.clone());
        for (name, one, other) in extensions {
            self.same(differs, &name, "schema", &one.schema, &other.schema);
            if self.terms.source_major == self.terms.live_major {
                self.same(differs, &name, "version", &one.version, &other.version);
            }
        }
        let name = |relation: &Relation| format!("{}.{}", relation.schema, relation.name);
        for (name, one, other) in
            self.pairs("tables and views", &expected.relations, &live.relations, FindingKind::TableMissing, name)
        {
            self.relation(&name, one, other);
        }
        let name = |sequence: &Sequence| format!("{}.{}", sequence.schema, sequence.name);
        for (name, one, other) in self.pairs("sequences", &expected.sequences, &live.sequences, missing, name) {
            self.sequence(&name, one, other);
        }
        let is_one_major = self.terms.source_major == self.terms.live_major;
        let name = |routine: &Routine| {
            let signature = &routine.signature;
            let signature = if is_one_major { signature.into() } else { meaning::without_input_mode(signature) };
            format!("{}.{signature}", routine.schema)
        };
        // older manifests list what the server makes for range types, too
        let is_kept = |routine: &&Routine| {
            let is_there = |other: &Routine| other.schema == routine.schema && other.signature == routine.signature;
            live.routines.iter().any(is_there) || !belongs_to_range(routine, &expected.types)
        };
        let wanted: Vec<Routine> = expected.routines.iter().filter(is_kept).cloned().collect();
        for (name, one, other) in self.pairs("functions", &wanted, &live.routines, missing, name) {
            let kind = FindingKind::RoutineDiffers;
            self.same(kind, &name, "security definer", &one.security_definer, &other.security_definer);
            self.owner(&name, &one.owner, &other.owner);
            self.rights(&name, &one.acl, &other.acl);
        }
        let types = self.pairs("data types", &expected.types, &live.types, missing, |data_type| {
            format!("{}.{}", data_type.schema, data_type.name)
        });
        for (name, one, other) in types {
            self.owner(&name, &one.owner, &other.owner);
            self.rights(&name, &one.acl, &other.acl);
        }
    }

    fn relation(&mut self, name: &str, one: &Relation, other: &Relation) {
        self.same(FindingKind::TableMissing, name, "kind", &one.kind, &other.kind);
        self.owner(name, &one.owner, &other.owner);
        self.rights(name, &one.acl, &other.acl);
        if matches!(one.kind, RelationKind::Table | RelationKind::PartitionedTable) {
            let kind = FindingKind::RowSecurityDiffers;
            self.same(kind, name, "row-level security enabled", &one.row_security, &other.row_security);
            self.same(kind, name, "row-level security forced", &one.force_row_security, &other.force_row_security);
            self.report.checked("row security flags", 1_u64);
        }
        let part = |part: &str| format!("{name}.{part}");
        let is_partition = other.is_partition;
        let column_kind = FindingKind::ColumnDiffers;
        for (name, one, other) in
            self.pairs("columns", &one.columns, &other.columns, column_kind, |column| part(&column.name))
        {
            let knows_identity = !is_partition || !meaning::straddles(self.terms.majors(), PARTITION_IDENTITY_SINCE);
            self.column(&name, one, other, knows_identity);
        }
        let policy_kind = FindingKind::PolicyDiffers;
        for (name, one, other) in
            self.pairs("policies", &one.policies, &other.policies, policy_kind, |policy| part(&policy.name))
        {
            self.policy(&name, one, other);
        }
        let index_kind = FindingKind::IndexDiffers;
        let name_of = |index: &Index| part(&index.name);
        // one that is not valid was not dumped: it may be there, as in the source, or not
        let is_kept =
            |index: &&Index| index.is_dumped(one.kind) || other.indexes.iter().any(|other| other.name == index.name);
        let wanted: Vec<Index> = one.indexes.iter().filter(is_kept).cloned().collect();
        for (name, one, other) in self.pairs("indexes", &wanted, &other.indexes, index_kind, name_of) {
            self.same_definition(index_kind, &name, "definition", &one.definition, &other.definition);
            // an index on a partitioned table alone is not valid before every partition has its part
            if one.valid && !other.valid {
                self.find(index_kind, &name, "it is not valid");
            }
        }
        let constraint_kind = FindingKind::ConstraintDiffers;
        let name_of = |constraint: &Constraint| part(&constraint.name);
        let (expected, live) = without_clones(&one.constraints, &other.constraints);
        for (name, one, other) in self.pairs("constraints", &expected, &live, constraint_kind, name_of) {
            self.same_definition(constraint_kind, &name, "definition", &one.definition, &other.definition);
            if one.validated && !other.validated {
                self.find(constraint_kind, &name, "it is not validated: rows may break it");
            }
        }
        let trigger_kind = FindingKind::TriggerDiffers;
        let name_of = |trigger: &Trigger| part(&trigger.name);
        for (name, one, other) in self.pairs("triggers", &one.triggers, &other.triggers, trigger_kind, name_of) {
            self.same_definition(trigger_kind, &name, "definition", &one.definition, &other.definition);
            self.same(trigger_kind, &name, "enabled", &one.enabled, &other.enabled);
        }
    }

    fn column(&mut self, name: &str, one: &Column, other: &Column, knows_identity: bool) {
        let kind = FindingKind::ColumnDiffers;
        self.same(kind, name, "type", &one.data_type, &other.data_type);
        self.same(kind, name, "not null", &one.not_null, &other.not_null);
        self.same_expression(kind, name, "default", [&one.default, &other.default]);
        self.same(kind, name, "generated", &one.generated, &other.generated);
        if knows_identity {
            self.same(kind, name, "identity", &one.identity, &other.identity);
        }
        self.same(kind, name, "collation", &one.collation, &other.collation);
        self.rights(name, &one.acl, &other.acl);
    }

    fn policy(&mut self, name: &str, one: &Policy, other: &Policy) {
        let kind = FindingKind::PolicyDiffers;
        self.same(kind, name, "command", &one.command, &other.command);
        self.same(kind, name, "permissive", &one.permissive, &other.permissive);
        self.same(kind, name, "roles", &one.roles, &other.roles);
        self.same_expression(kind, name, "USING", [&one.using, &other.using]);
        self.same_expression(kind, name, "WITH CHECK", [&one.with_check, &other.with_check]);
    }

    fn sequence(&mut self, name: &str, one: &Sequence, other: &Sequence) {
        let kind = FindingKind::SequenceDiffers;
        self.same(kind, name, "type", &one.data_type, &other.data_type);
        let shape = |s: &Sequence| (s.start, s.increment, s.minimum, s.maximum, s.cycle);
        self.same(kind, name, "start, increment, minimum, maximum, cycle", &shape(one), &shape(other));
        if one.last_value.is_some() {
            let position = |s: &Sequence| (s.last_value, s.is_called);
            self.same(kind, name, "position", &position(one), &position(other));
        }
        self.owner(name, &one.owner, &other.owner);
        self.rights(name, &one.acl, &other.acl);
    }
}

/// Whether the server made this function together with a range type: it has the name of the type, or of its multirange type.
fn belongs_to_range(routine: &Routine, types: &[Named]) -> bool {
    let name = routine.signature.split('(').next().unwrap_or_default();
    name.contains("multirange") || types.iter().any(|one| one.schema == routine.schema && one.name == name)
}

/// Constraints without the foreign keys that a partition has of the table above it, which is compared itself. Their names are
/// the server's, and each major makes others of them. Older manifests do not tell which they are: there it is by what they say.
fn without_clones(expected: &[Constraint], live: &[Constraint]) -> (Vec<Constraint>, Vec<Constraint>) {
    let is_key = |one: &Constraint| one.definition.starts_with("FOREIGN KEY");
    let is_said = |one: &Constraint| live.iter().any(|other| other.inherited && other.definition == one.definition);
    let is_there = |one: &Constraint| live.iter().any(|other| !other.inherited && other.name == one.name);
    let wanted = |one: &&Constraint| !one.inherited && (!is_key(one) || is_there(one) || !is_said(one));
    (expected.iter().filter(wanted).cloned().collect(), live.iter().filter(|one| !one.inherited).cloned().collect())
}

/// An `aclitem` text without the privilege MAINTAIN: `a=arwm/b` as `a=arw/b`; `None` where no other is given.
fn without_maintain(item: &str) -> Option<String> {
    // privileges stand between the last "=" and the "/" after it; names that contain either are quoted before
    let parts = item.rsplit_once('=').and_then(|(front, back)| Some((front, back.split_once('/')?)));
    let Some((front, (privileges, grantor))) = parts else { return Some(item.to_owned()) };
    let left = privileges.replace("m*", "").replace('m', "");
    (!left.is_empty() || privileges.is_empty()).then(|| format!("{front}={left}/{grantor}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::expected::Schema;
    use crate::verify::{Finding, Level};

    const SAME: Terms = Terms {
        owners: true,
        rights: true,
        source_major: 17,
        live_major: 17,
        whole: true,
        database: true,
        same_database: true,
        reads_subscriptions: true,
        superuser: true,
        same_program: true,
    };

    fn sample() -> Expected {
        let text = |text: &str| text.to_owned();
        Expected {
            schemas: vec![Schema { name: text("app"), owner: text("keeper"), acl: None }],
            relations: vec![Relation {
                schema: text("app"),
                name: text("item"),
                owner: text("keeper"),
                row_security: true,
                columns: vec![Column { name: text("id"), data_type: text("integer"), ..Column::default() }],
                policies: vec![Policy {
                    name: text("own"),
                    command: text("SELECT"),
                    permissive: true,
                    roles: vec![text("app")],
                    using: Some(text("(owner = CURRENT_USER)")),
                    with_check: None,
                }],
                indexes: vec![Index { name: text("item_pkey"), definition: text("CREATE UNIQUE INDEX"), valid: true }],
                constraints: vec![Constraint {
                    name: text("positive"),
                    definition: text("CHECK"),
                    validated: true,
                    inherited: false,
                }],
                triggers: vec![Trigger { name: text("touch"), definition: text("CREATE"), enabled: text("O") }],
                acl: Some(vec![text("app=arwd/keeper")]),
                ..Relation::default()
            }],
            sequences: vec![Sequence {
                schema: text("app"),
                name: text("item_id_seq"),
                last_value: Some(7),
                is_called: true,
                ..Sequence::default()
            }],
            routines: vec![Routine { schema: text("app"), signature: text("total(integer)"), ..Routine::default() }],
            types: vec![Named { schema: text("app"), name: text("mood"), ..Named::default() }],
            ..Expected::default()
        }
    }

    fn findings(change: impl FnOnce(&mut Expected), terms: Terms) -> Vec<Finding> {
        let mut live = sample();
        change(&mut live);
        let mut report = LevelReport::new(Level::Live);
        compare(&sample(), &live, terms, &mut report);
        report.into_findings()
    }

    fn kinds(change: impl FnOnce(&mut Expected)) -> Vec<(FindingKind, String)> {
        findings(change, SAME).into_iter().map(|finding| (finding.kind, finding.object)).collect()
    }

    fn item(live: &mut Expected) -> &mut Relation {
        &mut live.relations[0]
    }

    #[test]
    fn the_same_objects_give_no_findings() {
        assert_eq!(kinds(|_| {}), []);
    }

    #[test]
    fn each_difference_has_its_own_name() {
        use FindingKind as K;
        let one = |kind, object: &str| vec![(kind, object.to_owned())];
        assert_eq!(kinds(|live| live.relations.clear()), one(K::TableMissing, "app.item"));
        assert_eq!(kinds(|live| item(live).row_security = false), one(K::RowSecurityDiffers, "app.item"));
        assert_eq!(kinds(|live| item(live).force_row_security = true), one(K::RowSecurityDiffers, "app.item"));
        assert_eq!(kinds(|live| item(live).policies.clear()), one(K::PolicyDiffers, "app.item.own"));
        assert_eq!(kinds(|live| item(live).policies[0].permissive = false), one(K::PolicyDiffers, "app.item.own"));
        assert_eq!(
            kinds(|live| item(live).policies[0].using = Some("true".into())),
            one(K::PolicyDiffers, "app.item.own")
        );
        assert_eq!(
            kinds(|live| item(live).policies[0].roles = vec!["PUBLIC".into()]),
            one(K::PolicyDiffers, "app.item.own")
        );
        assert_eq!(kinds(|live| item(live).policies[0].command = "ALL".into()), one(K::PolicyDiffers, "app.item.own"));
        assert_eq!(
            kinds(|live| item(live).policies[0].with_check = Some("true".into())),
            one(K::PolicyDiffers, "app.item.own")
        );
        assert_eq!(kinds(|live| item(live).indexes[0].valid = false), one(K::IndexDiffers, "app.item.item_pkey"));
        assert_eq!(kinds(|live| item(live).indexes.clear()), one(K::IndexDiffers, "app.item.item_pkey"));
        assert_eq!(
            kinds(|live| item(live).constraints[0].validated = false),
            one(K::ConstraintDiffers, "app.item.positive")
        );
        assert_eq!(kinds(|live| item(live).triggers[0].enabled = "D".into()), one(K::TriggerDiffers, "app.item.touch"));
        assert_eq!(
            kinds(|live| item(live).columns[0].data_type = "bigint".into()),
            one(K::ColumnDiffers, "app.item.id")
        );
        assert_eq!(kinds(|live| item(live).owner = "other".into()), one(K::OwnerDiffers, "app.item"));
        assert_eq!(kinds(|live| item(live).acl = None), one(K::RightsDiffer, "app.item"));
        assert_eq!(kinds(|live| live.sequences[0].last_value = Some(3)), one(K::SequenceDiffers, "app.item_id_seq"));
        assert_eq!(
            kinds(|live| live.routines[0].security_definer = true),
            one(K::RoutineDiffers, "app.total(integer)")
        );
        assert_eq!(kinds(|live| live.types.clear()), one(K::ObjectMissing, "app.mood"));
        let more = Policy { name: "hole".into(), ..Policy::default() };
        assert_eq!(kinds(|live| item(live).policies.push(more)), one(K::ObjectUnexpected, "app.item.hole"));
    }

    #[test]
    fn an_index_that_was_not_valid_need_not_be_there() {
        let mut expected = sample();
        expected.relations[0].indexes[0].valid = false;
        let live = |change: fn(&mut Relation)| {
            let mut live = sample();
            change(&mut live.relations[0]);
            let mut report = LevelReport::new(Level::Live);
            compare(&expected, &live, SAME, &mut report);
            report.into_findings()
        };
        assert_eq!(live(|item| item.indexes.clear()), []);
        assert_eq!(live(|item| item.indexes[0].valid = false), []);
        assert_eq!(live(|item| item.indexes[0].name = "other".into()).len(), 1);
    }

    #[test]
    fn owners_and_rights_count_only_when_they_were_restored() {
        let terms = Terms { owners: false, rights: false, ..SAME };
        let change = |live: &mut Expected| {
            item(live).owner = "other".into();
            item(live).acl = None;
        };
        assert_eq!(findings(change, terms), []);
    }

    #[test]
    fn maintain_is_no_difference_between_majors_before_and_after_it() {
        let change = |live: &mut Expected| item(live).acl = Some(vec!["app=arwdm/keeper".into()]);
        assert_eq!(findings(change, Terms { source_major: 13, ..SAME }), []);
        assert_eq!(findings(change, SAME).len(), 1);
        assert_eq!(without_maintain("\"a=m/b\"=rm*/owner").as_deref(), Some("\"a=m/b\"=r/owner"));
        assert_eq!(without_maintain("owner=m/owner"), None);
    }
}
