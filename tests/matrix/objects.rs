//! What a database can hold: for each object the SQL that makes it, the statement that a dump shows for it, and the runs
//! that show it. The files in `objects/` say so in this form:
//!
//! ```text
//! # a name that no other object has
//! : pre main comment from:14 +schema_only -no_owner
//! SQL, run in the order of the files; it may be missing where another object's SQL makes this one too
//! =>
//! THE STATEMENT, as it stands in a dump
//! => until 15
//! THE STATEMENT of servers up to this major, where it differs
//! ```
//!
//! The line with the colon lists groups of runs: a run shows the object when it is in every one of them (`runs.rs` says
//! which these are); `many` lets the statement stand there more than once, `icu` asks for a server that knows ICU. `+` and `-` add and take away single runs,
//! `-run@15` only from that major on. `{database}` stands for the database's name.

use std::collections::BTreeSet;
use std::fs;

use super::runs::{Run, is_group};
use crate::support::repository;

/// The files, in the order in which their SQL is run.
const FILES: [&str; 10] =
    ["schema", "type", "function", "foreign", "table", "partition", "view", "publication", "drop", "quote"];

/// One statement of a dump.
pub(super) struct Object {
    pub(super) name: String,
    groups: Vec<String>,
    plus: Vec<String>,
    /// With the major from which on it counts.
    minus: Vec<(String, u32)>,
    from: u32,
    /// Only a server that was built with ICU can have it.
    pub(super) needs_icu: bool,
    /// It may stand there more than once.
    pub(super) is_many: bool,
    sql: String,
    /// For servers up to a major, or for all that have no such text.
    texts: Vec<(Option<u32>, String)>,
}

impl Object {
    /// Whether this major's servers can have it.
    pub(super) const fn is_on(&self, major: u32) -> bool {
        self.from <= major
    }

    /// What makes it.
    pub(super) fn sql(&self, database: &str) -> String {
        self.sql.replace("{database}", database)
    }

    /// What a dump of this major's server has for it.
    pub(super) fn text(&self, major: u32, database: &str) -> String {
        let fits = |text: &&(Option<u32>, String)| text.0.is_none_or(|until| major <= until);
        let text = self.texts.iter().filter(fits).min_by_key(|text| text.0.unwrap_or(u32::MAX));
        text.expect("every object has a text for all servers").1.replace("{database}", database)
    }

    /// Whether a run is to show it on this major.
    pub(super) fn is_shown_by(&self, run: &Run, major: u32) -> bool {
        let is_in = |group: &String| run.groups.contains(group.as_str());
        let is_meant = !self.groups.is_empty() && self.groups.iter().all(is_in);
        (is_meant || self.plus.iter().any(|name| name == run.name))
            && !self.minus.iter().any(|(name, from)| name == run.name && *from <= major)
    }
}

/// All objects, in the order in which they are made.
pub(super) fn objects(runs: &[Run]) -> Vec<Object> {
    let folder = repository().join("tests/matrix/objects");
    let mut all = Vec::new();
    for file in FILES {
        let text = fs::read_to_string(folder.join(file).with_extension("txt")).expect("a file of objects");
        all.extend(text.split("\n# ").map(|part| parse(part.strip_prefix("# ").unwrap_or(part))));
    }
    check(&all, runs);
    all
}

fn parse(part: &str) -> Object {
    let (name, rest) = part.split_once("\n: ").unwrap_or_else(|| panic!("{part}: no line of groups"));
    let (head, rest) = rest.split_once('\n').expect("a line of groups ends");
    let (sql, texts) = match rest.strip_prefix("=>") {
        Some(texts) => ("", texts),
        None => rest.split_once("\n=>").unwrap_or_else(|| panic!("{name}: no text")),
    };
    let mut object = Object {
        name: name.to_owned(),
        groups: Vec::new(),
        plus: Vec::new(),
        minus: Vec::new(),
        from: 0,
        needs_icu: false,
        is_many: false,
        sql: sql.to_owned(),
        texts: texts.split("\n=>").map(|text| parse_text(name, text)).collect(),
    };
    for word in head.split(' ') {
        match (word.strip_prefix('+'), word.strip_prefix('-'), word.strip_prefix("from:")) {
            (Some(run), _, _) => object.plus.push(run.to_owned()),
            (_, Some(run), _) => {
                let (run, from) = run.split_once('@').unwrap_or((run, "0"));
                object.minus.push((run.to_owned(), from.parse().expect("a major is a number")));
            }
            (_, _, Some(major)) => object.from = major.parse().expect("a major is a number"),
            (None, None, None) if word == "many" => object.is_many = true,
            (None, None, None) if word == "icu" => object.needs_icu = true,
            (None, None, None) => object.groups.push(word.to_owned()),
        }
    }
    object
}

fn parse_text(name: &str, text: &str) -> (Option<u32>, String) {
    let (until, text) = text.split_once('\n').unwrap_or_else(|| panic!("{name}: no text"));
    let until = until.strip_prefix(" until ").map(|major| major.parse().expect("a major is a number"));
    (until, text.trim_end_matches('\n').to_owned())
}

/// A misspelt group or run would hide an object from everything.
fn check(objects: &[Object], runs: &[Run]) {
    let mut names = BTreeSet::new();
    for object in objects {
        let Object { name, .. } = object;
        assert!(names.insert(name), "{name}: there are two");
        assert!(object.texts.iter().any(|text| text.0.is_none()), "{name}: no text for all servers");
        assert!(object.texts.iter().all(|text| !text.1.is_empty()), "{name}: no text");
        for group in &object.groups {
            assert!(is_group(group), "{name}: no group {group}");
        }
        for run in object.plus.iter().chain(object.minus.iter().map(|(name, _)| name)) {
            assert!(runs.iter().any(|known| known.name == run), "{name}: no run {run}");
        }
    }
}
