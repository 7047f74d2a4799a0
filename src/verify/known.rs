//! What the comparison of the objects has named already, so that the comparison of the definitions does not name it again.

use std::collections::HashSet;

use super::meaning::Lines;
use super::{Finding, FindingKind};

/// What of an object a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Aspect {
    /// Whether it is there, and what it is.
    Definition,
    /// Whose it is.
    Owner,
    /// Who may use it.
    Rights,
    /// What is said of it: nothing else names that.
    Remark,
}

/// The findings there are, by what they are about.
pub(super) struct Known {
    objects: HashSet<(Aspect, String)>,
}

impl Known {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let aspect = |kind| {
            if kind == FindingKind::OwnerDiffers {
                Aspect::Owner
            } else if kind == FindingKind::RightsDiffer {
                Aspect::Rights
            } else {
                Aspect::Definition
            }
        };
        Self { objects: findings.iter().map(|finding| (aspect(finding.kind), finding.object.clone())).collect() }
    }

    /// Whether this of the object of an entry is known: findings have names as `schema.table.part`.
    pub(super) fn has(&self, aspect: Aspect, kind: &str, schema: &str, tag: &str) -> bool {
        if self.objects.is_empty() || aspect == Aspect::Remark {
            return false;
        }
        // the rights' tag has the object's kind before its name
        let names: Vec<&str> = match kind {
            "ACL" => tag.match_indices(' ').filter_map(|(place, _)| tag.get(place + 1..)).collect(),
            _ => vec![tag],
        };
        names.iter().any(|name| self.has_name(aspect, kind, schema, name))
    }

    fn has_name(&self, aspect: Aspect, kind: &str, schema: &str, name: &str) -> bool {
        let before = if schema.is_empty() { String::new() } else { format!("{schema}.") };
        let has = |name: String| self.objects.contains(&(aspect, name));
        if has(format!("{before}{name}")) {
            return true;
        }
        match kind {
            // its table's name is between
            "INDEX" | "INDEX ATTACH" => {
                let behind = format!(".{name}");
                self.objects.iter().any(|(of, object)| {
                    *of == aspect && object.starts_with(before.as_str()) && object.ends_with(behind.as_str())
                })
            }
            // the arguments' names stand in the one list, and not in the other
            "FUNCTION" | "PROCEDURE" | "AGGREGATE" | "ACL" if name.contains('(') => {
                let begin = name.split('(').next().unwrap_or_default();
                let begin = format!("{before}{begin}(");
                let (_, types) = name.split_once('(').unwrap_or_default();
                self.objects.iter().any(|(of, object)| {
                    *of == aspect && object.strip_prefix(begin.as_str()).is_some_and(|rest| same_types(rest, types))
                })
            }
            _ => name.match_indices(' ').any(|(place, _)| {
                let (table, part) = name.split_at(place);
                has(format!("{before}{table}.{}", part.get(1..).unwrap_or_default()))
            }),
        }
    }

    /// Whether every line that differs of a table's definition is about a column or a constraint that is known.
    pub(super) fn explains(&self, schema: &str, table: &str, lines: &Lines) -> bool {
        let name = format!("{schema}.{table}");
        if self.objects.contains(&(Aspect::Definition, name.clone())) {
            return true;
        }
        let before = format!("{name}.");
        let parts: Vec<&str> = (self.objects.iter())
            .filter(|(aspect, _)| *aspect == Aspect::Definition)
            .filter_map(|(_, object)| object.strip_prefix(before.as_str()))
            .collect();
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let is_about = |line: &str, part: &str| {
            if part.chars().all(is_word) {
                line.split(|character| !is_word(character)).any(|word| word == part)
            } else {
                line.contains(&part.replace('"', "\"\""))
            }
        };
        !parts.is_empty()
            && lines.missing.iter().chain(&lines.added).all(|line| parts.iter().any(|part| is_about(line, part)))
            && !lines.is_order()
    }
}

/// Whether arguments with names, as `a integer, b text)`, are of these types: `integer, text)`.
pub(super) fn same_types(named: &str, types: &str) -> bool {
    let (mut named, mut types) = (named.split(", "), types.split(", "));
    loop {
        match (named.next(), types.next()) {
            (None, None) => return true,
            (Some(named), Some(one)) if named == one || named.ends_with(&format!(" {one}")) => {}
            _ => return false,
        }
    }
}
