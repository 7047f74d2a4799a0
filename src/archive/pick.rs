//! What a script holds of an archive's entries, and in which pass, by pg_restore's rules (PostgreSQL documentation, "pg_restore").

use super::toc::{Entry, Section, Toc};

/// What of an entry is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Its statements.
    pub definition: bool,
    /// Its rows or large objects; for a sequence's state, its statements.
    pub data: bool,
}

impl Parts {
    /// Nothing.
    pub const NONE: Self = Self { definition: false, data: false };

    /// Whether anything is wanted.
    pub const fn any(self) -> bool {
        self.definition || self.data
    }

    /// What an entry has.
    fn of(entry: &Entry) -> Self {
        let create = entry.create.as_deref().unwrap_or_default();
        let is_state = entry.kind == "SEQUENCE SET" || is_about_large_objects(entry);
        let has_definition = !create.is_empty() && !create.starts_with("-- load via partition root ");
        Self { definition: has_definition && (entry.has_data || !is_state), data: entry.has_data || is_state }
    }
}

/// Whether it is about how the archive's own text is to be read.
pub fn is_preamble(entry: &Entry) -> bool {
    matches!(entry.kind.as_str(), "ENCODING" | "STDSTRINGS" | "SEARCHPATH")
}

/// Whether it gives or takes privileges.
pub fn is_acl(entry: &Entry) -> bool {
    matches!(entry.kind.as_str(), "ACL" | "ACL LANGUAGE" | "DEFAULT ACL")
}

/// Whether it hangs on another entry, by which it is chosen.
fn is_attached(entry: &Entry) -> bool {
    matches!(entry.kind.as_str(), "ACL" | "COMMENT" | "SECURITY LABEL")
}

/// Whether it is about large objects, which count as data with all that hangs on them.
fn is_about_large_objects(entry: &Entry) -> bool {
    matches!(entry.kind.as_str(), "BLOB" | "BLOB METADATA" | "BLOBS" | "BLOB COMMENTS")
        || (is_attached(entry) && entry.tag.starts_with("LARGE OBJECT"))
}

/// What a script holds of each entry, in the archive's order: all but what only says how to read the archive, and the
/// database itself unless that is wanted (`-C`).
pub fn parts(toc: &Toc, database: bool) -> Vec<Parts> {
    (toc.entries.iter())
        .map(|entry| {
            let is_database = matches!(entry.kind.as_str(), "DATABASE" | "DATABASE PROPERTIES")
                || (is_attached(entry) && entry.tag.starts_with("DATABASE "));
            let is_left_out = is_preamble(entry) || entry.kind == "<Init>" || (is_database && !database);
            if is_left_out { Parts::NONE } else { Parts::of(entry) }
        })
        .collect()
}

/// When an entry is restored: rights come after all objects, so that nobody is locked out of what is still to be made;
/// what runs by itself comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pass {
    /// Objects and data.
    Main,
    /// Privileges.
    Acl,
    /// Event triggers and the refresh of materialized views.
    Last,
}

impl Pass {
    /// Every pass, in order.
    pub const ALL: [Self; 3] = [Self::Main, Self::Acl, Self::Last];

    /// The pass of an entry.
    pub fn of(entry: &Entry) -> Self {
        match entry.kind.as_str() {
            _ if is_acl(entry) => Self::Acl,
            "EVENT TRIGGER" | "MATERIALIZED VIEW DATA" => Self::Last,
            "COMMENT" | "SECURITY LABEL" if entry.tag.starts_with("EVENT TRIGGER ") => Self::Last,
            // statistics of a materialized view would be lost with its refresh
            "STATISTICS DATA" if entry.section == Section::PostData => Self::Last,
            _ => Self::Main,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::toc::Header;
    use super::super::{Version, toc};
    use super::*;
    use crate::codec::compress::Compression;

    fn archive() -> Toc {
        let entry = |id, kind: &str, tag: &str, section, schema: Option<&str>, dependencies: &[i32]| Entry {
            create: Some("x;\n".to_owned()),
            schema: schema.map(str::to_owned),
            dependencies: dependencies.to_vec(),
            has_data: kind == "TABLE DATA",
            ..Entry::new(id, kind, tag, section)
        };
        let header =
            Header::new(Version::V1_16, toc::Container::Custom, Compression::None, toc::Created::default()).unwrap();
        Toc {
            header,
            entries: vec![
                entry(1, "ENCODING", "ENCODING", Section::PreData, None, &[]),
                entry(2, "DATABASE", "d", Section::PreData, None, &[]),
                entry(3, "TABLE", "t", Section::PreData, Some("s"), &[]),
                entry(4, "COMMENT", "TABLE t", Section::None, Some("s"), &[3]),
                entry(5, "ACL", "TABLE t", Section::None, Some("s"), &[3]),
                entry(6, "ACL", "COLUMN t.c", Section::None, Some("s"), &[3, 5]),
                entry(7, "TABLE DATA", "t", Section::Data, Some("s"), &[3]),
                entry(8, "BLOB METADATA", "1..2", Section::Data, None, &[]),
                entry(9, "SEQUENCE SET", "q", Section::Data, Some("p"), &[]),
                entry(10, "POLICY", "t p", Section::PostData, Some("s"), &[3]),
                entry(11, "EVENT TRIGGER", "e", Section::PostData, None, &[]),
            ],
        }
    }

    fn ids(database: bool) -> Vec<i32> {
        let toc = archive();
        let parts = parts(&toc, database);
        toc.entries.iter().zip(parts).filter(|(_, parts)| parts.any()).map(|(entry, _)| entry.dump_id).collect()
    }

    #[test]
    fn takes_all_but_the_database() {
        assert_eq!(ids(false), [3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert_eq!(ids(true), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn counts_the_state_of_a_sequence_as_data() {
        let data: Vec<i32> = (archive().entries.iter())
            .filter(|entry| Parts::of(entry) == Parts { definition: false, data: true })
            .map(|entry| entry.dump_id)
            .collect();
        assert_eq!(data, [8, 9]);
    }

    #[test]
    fn puts_rights_behind_objects() {
        let passes: Vec<Pass> = archive().entries.iter().map(Pass::of).collect();
        assert_eq!(passes.iter().filter(|pass| **pass == Pass::Acl).count(), 2);
        assert_eq!(passes.last(), Some(&Pass::Last));
    }
}
