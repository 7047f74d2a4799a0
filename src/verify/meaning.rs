//! Whether two statements mean the same. Between servers of one major equal objects have equal statements; what is said in
//! several statements counts in any order.

use std::collections::BTreeMap;

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
            return format!("{count} {} of its definition differ", if count == 1 { "line" } else { "lines" });
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
    if matches!(kind, "ACL" | "DEFAULT ACL" | "SECURITY LABEL" | "DATABASE PROPERTIES") {
        let lines = Lines::between(
            statements(expected).iter().map(String::as_str),
            statements(found).iter().map(String::as_str),
        );
        return if lines.is_order() { Likeness::Same } else { Likeness::Different(lines) };
    }
    let [expected_major, found_major] = majors;
    if expected_major != found_major {
        return Likeness::Unclear;
    }
    let lines = Lines::between(lines_of(expected), lines_of(found));
    // what a table inherits comes first in a restored one, whatever the order was before the table was attached
    if lines.is_order() && expected.contains("\nINHERITS (") { Likeness::Same } else { Likeness::Different(lines) }
}

fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    // the comma behind a line tells only whether another one follows
    text.lines().map(|line| line.trim_end_matches(',')).filter(|line| !line.is_empty())
}

/// The statements of a text, each with whom it is said by.
fn statements(text: &str) -> Vec<String> {
    let mut said_by = String::new();
    let mut statements = Vec::new();
    for statement in text.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        if let Some(role) = statement.strip_prefix("SET SESSION AUTHORIZATION ") {
            said_by = format!(" by {role}");
        } else if statement == "RESET SESSION AUTHORIZATION" {
            said_by.clear();
        } else {
            statements.push(format!("{statement}{said_by}"));
        }
    }
    statements
}

/// Compares what is set for a database with what is set for one of another name: a restore leaves these settings out
/// unless it makes the database, but what is there must be as in the backup.
pub(super) fn settings(expected: &str, found: &str) -> Likeness {
    let name = |statement: &str| {
        let end = [" TO ", " = "].iter().filter_map(|word| statement.find(word)).min();
        statement.get(..end.unwrap_or(statement.len())).unwrap_or_default().to_owned()
    };
    let (expected, found) = (statements(expected), statements(found));
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
