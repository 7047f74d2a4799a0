//! Whether two statements mean the same. Between servers of one major equal objects have equal statements; what is said in
//! several statements counts in any order.

use crate::count::counted;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::token;

/// The longest piece of a statement that a report shows.
const SHOWN_MAX: usize = 200;

/// What two statements have to do with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// They mean the same.
    Same,
    /// They differ, and may yet mean the same.
    Unclear,
    /// They mean different things: these lines differ.
    Different(Lines),
}

/// The lines, or statements, that only one side has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// Those that are expected and not there.
    pub(super) missing: Vec<String>,
    /// Those that are there and not expected.
    pub(super) added: Vec<String>,
}

impl Lines {
    fn between<'a>(expected: impl Iterator<Item = &'a str>, found: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: BTreeMap<&'a str, i64> = BTreeMap::new();
        let (expected, found): (Vec<&'a str>, Vec<&'a str>) = (expected.collect(), found.collect());
        for line in &expected {
            *counts.entry(line).or_default() += 1;
        }
        for line in &found {
            *counts.entry(line).or_default() -= 1;
        }
        let mut only = |lines: &[&'a str], sign: i64| {
            let mut only = Vec::new();
            for line in lines {
                if let Some(count) = counts.get_mut(line).filter(|count| **count * sign > 0) {
                    *count -= sign;
                    only.push((*line).to_owned());
                }
            }
            only
        };
        Self { missing: only(&expected, 1), added: only(&found, -1) }
    }

    /// Both sides have the same lines.
    pub(super) fn is_order(&self) -> bool {
        self.missing.is_empty() && self.added.is_empty()
    }

    /// What differs, in short.
    pub(super) fn describe(&self, kind: &str) -> String {
        if self.is_order() {
            return "its parts are in another order".to_owned();
        }
        if is_secret(kind) {
            return "the definition is another one; it is not shown, because it may hold a password".to_owned();
        }
        if matches!(kind, "FUNCTION" | "PROCEDURE") {
            let count = self.missing.len().max(self.added.len());
            return format!("{} of its definition differ{}", counted(count, "line"), if count == 1 { "s" } else { "" });
        }
        let side = |lines: &[String]| match lines {
            [] => "nothing there".to_owned(),
            [one] => cut(one),
            [first, rest @ ..] => format!("{} and {} more", cut(first), rest.len()),
        };
        format!("expected {}, found {}", side(&self.missing), side(&self.added))
    }
}

fn cut(line: &str) -> String {
    let line = line.trim().trim_end_matches([',', ';']);
    match line.char_indices().nth(SHOWN_MAX) {
        Some((place, _)) => format!("{} ...", line.get(..place).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// Kinds whose statements may hold a password.
fn is_secret(kind: &str) -> bool {
    matches!(kind, "USER MAPPING" | "SUBSCRIPTION" | "SERVER" | "FOREIGN DATA WRAPPER")
}

/// What a report shows of something that should not be there: rights and settings, which are short.
pub(super) fn shown(kind: &str, create: &str) -> String {
    if matches!(kind, "ACL" | "DEFAULT ACL" | "DATABASE PROPERTIES") {
        format!(": {}", cut(create.lines().next().unwrap_or_default()))
    } else {
        String::new()
    }
}

/// Compares the statements of two entries of one kind, from servers of these majors.
pub(super) fn compare(kind: &str, expected: &str, found: &str, majors: [u32; 2]) -> Likeness {
    // the roles of a policy come in the order of the cluster, and all of its parts were compared each by itself
    if kind == "POLICY" {
        return Likeness::Same;
    }
    if matches!(kind, "ACL" | "DEFAULT ACL" | "SECURITY LABEL" | "DATABASE PROPERTIES") {
        let (expected, found) = (statements(expected, majors), statements(found, majors));
        let lines = Lines::between(expected.iter().map(String::as_str), found.iter().map(String::as_str));
        return if lines.is_order() { Likeness::Same } else { Likeness::Different(lines) };
    }
    let is_alike = same_text(kind, expected, found, majors) || same_parts(kind, expected, found);
    let lines = Lines::between(lines_of(expected), lines_of(found));
    // what a table inherits comes first in a restored one, whatever the order was before the table was attached
    let is_order_of_parents = lines.is_order() && expected.contains("\nINHERITS (");
    if is_alike || is_order_of_parents {
        Likeness::Same
    } else if !is_one_major(majors) && is_printed(kind, expected) {
        Likeness::Unclear
    } else {
        Likeness::Different(lines)
    }
}

/// Whether two statements have the same parts where the order of these is that of the catalog and says nothing: the members
/// of an operator class or family, and the extensions that something depends on.
fn same_parts(kind: &str, expected: &str, found: &str) -> bool {
    const MARK: &str = " DEPENDS ON EXTENSION ";
    if matches!(kind, "OPERATOR CLASS" | "OPERATOR FAMILY") {
        let lines = |text: &str| sorted(text.lines().map(|line| line.trim_end_matches([' ', ',', ';'])));
        return lines(expected) == lines(found);
    }
    let rest = |text: &str| text.lines().filter(|line| !line.contains(MARK)).map(str::to_owned).collect::<Vec<_>>();
    expected.contains(MARK) && rest(expected) == rest(found) && sorted(expected.lines()) == sorted(found.lines())
}

fn sorted<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// Whether two texts of servers of these majors say the same.
pub(super) fn same_text(kind: &str, expected: &str, found: &str, majors: [u32; 2]) -> bool {
    let [source, live] = majors;
    expected == found
        || match source.cmp(&live) {
            Ordering::Equal => token::same(expected, found),
            Ordering::Less => token::alike(kind, expected, found),
            Ordering::Greater => token::alike(kind, found, expected),
        }
}

fn is_one_major(majors: [u32; 2]) -> bool {
    let [source, live] = majors;
    source == live
}

/// Whether exactly one of the majors is older than this one.
pub(super) fn straddles(majors: [u32; 2], major: u32) -> bool {
    let [source, live] = majors;
    (source < major) != (live < major)
}

/// Whether the server makes this text out of a parsed form, or of options of which newer servers have more: two majors may
/// do that in two ways. Other kinds say what they always said.
fn is_printed(kind: &str, create: &str) -> bool {
    match kind {
        "CHECK CONSTRAINT" | "COLLATION" | "CONSTRAINT" | "DATABASE" | "DEFAULT" | "DOMAIN" | "FK CONSTRAINT"
        | "FOREIGN TABLE" | "INDEX" | "MATERIALIZED VIEW" | "OPERATOR CLASS" | "OPERATOR FAMILY" | "PUBLICATION"
        | "PUBLICATION TABLE" | "RULE" | "SEQUENCE" | "STATISTICS" | "SUBSCRIPTION" | "TABLE" | "TABLE ATTACH"
        | "TRIGGER" | "TYPE" | "VIEW" => true,
        // a body in quotes is text; one without is parsed
        "FUNCTION" | "PROCEDURE" => create.contains("BEGIN ATOMIC") || create.contains("\n    RETURN "),
        _ => false,
    }
}

fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    // the comma behind a line tells only whether another one follows
    text.lines().map(|line| line.trim_end_matches(',')).filter(|line| !line.is_empty())
}

/// The statements of a text, each with whom it is said by.
fn statements(text: &str, majors: [u32; 2]) -> Vec<String> {
    let mut said_by = String::new();
    let mut statements = Vec::new();
    for statement in text.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        if let Some(role) = statement.strip_prefix("SET SESSION AUTHORIZATION ") {
            said_by = format!(" by {role}");
        } else if statement == "RESET SESSION AUTHORIZATION" {
            said_by.clear();
        } else if let Some(statement) = between_majors(statement, majors) {
            statements.push(format!("{statement}{said_by}"));
        }
    }
    statements
}

/// MAINTAIN is a privilege from this major on, and `ALL` of an older one gives it.
pub(super) const MAINTAIN_SINCE: u32 = 17;

/// A statement about rights without what only one of the majors knows; `None` where nothing is left of it.
fn between_majors(statement: &str, majors: [u32; 2]) -> Option<String> {
    let statement =
        if is_one_major(majors) { statement.to_owned() } else { without_input_mode(statement).into_owned() };
    let on_tables = statement.contains(" ON TABLE ") || statement.contains(" ON TABLES ");
    if !straddles(majors, MAINTAIN_SINCE) || !on_tables {
        return Some(statement);
    }
    let (before, rest) = ["GRANT ", "REVOKE "].iter().find_map(|verb| {
        let begin = statement.find(verb)? + verb.len();
        statement.split_at_checked(begin)
    })?;
    let (privileges, behind) = rest.split_once(" ON ")?;
    const ALL: [&str; 7] = ["DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"];
    let mut privileges: Vec<&str> = privileges.split(',').filter(|privilege| *privilege != "MAINTAIN").collect();
    privileges.sort_unstable();
    if privileges == ALL {
        privileges = vec!["ALL"];
    }
    (!privileges.is_empty()).then(|| format!("{before}{} ON {behind}", privileges.join(",")))
}

/// The arguments of a procedure without the word that servers from 14 on put before each.
pub(super) fn without_input_mode(signature: &str) -> Cow<'_, str> {
    if signature.contains("(IN ") || signature.contains(", IN ") {
        Cow::Owned(signature.replace("(IN ", "(").replace(", IN ", ", "))
    } else {
        Cow::Borrowed(signature)
    }
}

/// Compares what is set for a database with what is set for one of another name: a restore leaves these settings out
/// unless it makes the database, but what is there must be as in the backup.
pub(super) fn settings(expected: &str, found: &str) -> Likeness {
    let name = |statement: &str| {
        let end = [" TO ", " = "].iter().filter_map(|word| statement.find(word)).min();
        statement.get(..end.unwrap_or(statement.len())).unwrap_or_default().to_owned()
    };
    let any = [0, 0];
    let (expected, found) = (statements(expected, any), statements(found, any));
    let lines = Lines::between(expected.iter().map(String::as_str), found.iter().map(String::as_str));
    let names: Vec<String> = lines.added.iter().map(|statement| name(statement)).collect();
    match lines.added.is_empty() {
        true if lines.missing.is_empty() => Likeness::Same,
        true => Likeness::Unclear,
        false => {
            let missing = lines.missing.into_iter().filter(|statement| names.contains(&name(statement))).collect();
            Likeness::Different(Lines { missing, added: lines.added })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: [u32; 2] = [17, 17];

    #[test]
    fn order_says_nothing_where_it_is_the_catalogs() {
        let class = |first: &str, second: &str| {
            format!("CREATE OPERATOR CLASS c FOR TYPE t USING btree AS\n    {first} ,\n    {second};\n")
        };
        let (one, other) =
            (class("OPERATOR 1 <(t,t)", "OPERATOR 1 <(t,u)"), class("OPERATOR 1 <(t,u)", "OPERATOR 1 <(t,t)"));
        assert_eq!(compare("OPERATOR CLASS", &one, &other, ONE), Likeness::Same);
        let third = class("OPERATOR 2 <(t,u)", "OPERATOR 1 <(t,t)");
        assert!(matches!(compare("OPERATOR CLASS", &one, &third, ONE), Likeness::Different(_)));
        let marks = |first: &str, second: &str| {
            format!(
                "CREATE FUNCTION f() AS $$a\nb$$;\n\nALTER FUNCTION f() DEPENDS ON EXTENSION {first};\nALTER FUNCTION f() DEPENDS ON EXTENSION {second};\n"
            )
        };
        assert_eq!(compare("FUNCTION", &marks("a", "b"), &marks("b", "a"), ONE), Likeness::Same);
        assert!(matches!(compare("FUNCTION", &marks("a", "b"), &marks("a", "c"), ONE), Likeness::Different(_)));
        let body = |lines: &str| format!("CREATE FUNCTION f() AS $${lines}$$;\n");
        assert!(matches!(compare("FUNCTION", &body("a\nb"), &body("b\na"), ONE), Likeness::Different(_)));
    }

    #[test]
    fn rights_are_a_set_of_statements_each_by_its_grantor() {
        let same = |one: &str, other: &str, majors| compare("ACL", one, other, majors) == Likeness::Same;
        let (select, insert) = ("GRANT SELECT ON TABLE t TO a;\n", "GRANT INSERT ON TABLE t TO b;\n");
        assert!(same(&format!("{select}{insert}"), &format!("{insert}{select}"), ONE));
        let by = format!("SET SESSION AUTHORIZATION c;\n{select}RESET SESSION AUTHORIZATION;\n{insert}");
        assert!(!same(&by, &format!("{select}{insert}"), ONE));
        let seven = "REVOKE SELECT,INSERT,REFERENCES,DELETE,TRIGGER,TRUNCATE,UPDATE ON TABLE t FROM a;\n";
        let all = "REVOKE ALL ON TABLE t FROM a;\nGRANT MAINTAIN ON TABLE t TO a;\n";
        assert!(same(seven, all, [13, 18]) && !same(seven, all, [18, 18]));
    }
}
