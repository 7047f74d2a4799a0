//! The entries of a plain dump, as far as its comments and statements tell them: what [`crate::archive::plain`] wrote, read back.
//!
//! Pure: the events of a [`super::Splitter`] in parts go in, entries come out. A comment between statements begins an entry; one
//! within a statement is part of it. Names in comments have lost their line ends, and may look like a comment's own words:
//! whoever knows the names that there can be chooses among the readings.

use super::Event;
use crate::archive::toc;
use crate::record::decode_text;

/// What stands in front of an entry's name.
const NAME: &str = " Name: ";

/// The same for rows, and for the planner's statistics: their statements are not kept.
const PREFIXES: [(&str, bool); 3] = [(NAME, true), (" Data for Name: ", false), (" Statistics for Name: ", false)];

/// `pg_class.relkind` of a partitioned table.
const PARTITIONED: u8 = b'p';

/// An entry of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The comment's text behind `Name: `.
    pub heading: String,
    statements: Vec<Statement>,
    /// How tables are stored that are made now; none where the script does not say it.
    access_method: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Statement {
    /// Line ends before it, since the one before.
    gap: u64,
    text: String,
}

/// One way to read a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reading<'a> {
    /// The entry's tag, in one line.
    pub tag: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its schema, in one line; empty for none.
    pub schema: &'a str,
    /// Its owner, in one line; empty where it is not told.
    pub owner: &'a str,
    /// Its tablespace, in one line; empty for the default one.
    pub tablespace: &'a str,
}

impl Entry {
    /// Every way to read the heading. A name may hold `; Type: `, and then there are several.
    pub fn readings(&self) -> Vec<Reading<'_>> {
        const OWNER: &str = "; Owner: ";
        const TABLESPACE: &str = "; Tablespace: ";
        let mut readings = Vec::new();
        for (tag, rest) in splits(&self.heading, "; Type: ") {
            let Some((kind, rest)) = rest.split_once("; Schema: ") else { continue };
            if kind.is_empty() || !kind.chars().all(|letter| letter.is_ascii_uppercase() || letter == ' ') {
                continue;
            }
            for (schema, rest) in splits(rest, OWNER) {
                let ends = splits(rest, TABLESPACE).chain([(rest, "")]);
                let hyphen = |text: &'static str, name| if name == "-" { text } else { name };
                readings.extend(ends.map(|(owner, tablespace)| Reading {
                    tag,
                    kind,
                    schema: hyphen("", schema),
                    owner: hyphen("", owner),
                    tablespace,
                }));
            }
        }
        readings
    }

    /// The entry in the form that an archive's table of contents has, read in this way; what the script adds to its statements
    /// is taken off. The owner is none where the script tells none.
    pub fn read(&self, reading: Reading<'_>) -> toc::Entry {
        let mut entry = toc::Entry::new(0, reading.kind, reading.tag, toc::Section::None);
        entry.has_data = matches!(reading.kind, "TABLE DATA" | "BLOBS");
        entry.schema = Some(reading.schema.to_owned());
        entry.tablespace = Some(reading.tablespace.to_owned());
        entry.owner = Some(reading.owner.to_owned()).filter(|owner| !owner.is_empty());
        let mut statements = self.statements.as_slice();
        let mut take = |begin: &str, words: &'static str| {
            let (last, rest) = statements.split_last()?;
            let name = last.text.strip_prefix(begin).and_then(|text| name_at_end(text, words))?;
            statements = rest;
            Some(name)
        };
        entry.access_method = match reading.kind {
            "TABLE" if self.is_partitioned() => {
                entry.relation_kind = Some(PARTITIONED);
                take("ALTER TABLE ", " SET ACCESS METHOD ")
            }
            "TABLE" | "MATERIALIZED VIEW" => self.access_method.clone(),
            _ => None,
        };
        if reading.kind == "DEFAULT ACL" {
            entry.owner =
                self.statements.iter().find_map(|statement| role_of_defaults(&statement.text)).or(entry.owner);
        } else {
            while let Some(owner) = take("ALTER ", " OWNER TO ") {
                entry.owner = Some(owner);
            }
        }
        entry.create = Some(match reading.kind {
            "BLOB METADATA" => statements.iter().filter_map(|statement| created_oid(&statement.text)).collect(),
            _ => joined(statements),
        });
        entry
    }
}

impl Entry {
    /// Whether its statement makes a table without rows of its own.
    fn is_partitioned(&self) -> bool {
        const END: &str = "\n)";
        let create = self.statements.first().map_or("", |statement| statement.text.as_str());
        create
            .rfind(END)
            .and_then(|place| create.get(place + END.len()..))
            .is_some_and(|rest| rest.starts_with("\nPARTITION BY "))
    }
}

/// Both sides of every place where the words stand, from the first on.
fn splits<'a>(text: &'a str, words: &'static str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.match_indices(words).filter_map(move |(place, _)| {
        let (before, behind) = text.split_at_checked(place)?;
        Some((before, behind.get(words.len()..)?))
    })
}

/// The name that is all that stands behind the words, up to the semicolon.
fn name_at_end(statement: &str, words: &'static str) -> Option<String> {
    splits(statement, words).find_map(|(_, rest)| match name(rest)? {
        (name, ";") => Some(name),
        _ => None,
    })
}

/// The name that a text begins with, without its quotes, and what follows.
fn name(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|letter: char| letter.is_whitespace() || matches!(letter, ';' | '"')).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        return (!name.is_empty()).then(|| (name.to_owned(), rest));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (piece, behind) = rest.split_once('"')?;
        name.push_str(piece);
        let Some(more) = behind.strip_prefix('"') else { return Some((name, behind)) };
        name.push('"');
        rest = more;
    }
}

/// The role that gives default privileges.
fn role_of_defaults(statement: &str) -> Option<String> {
    let rest = statement.strip_prefix("ALTER DEFAULT PRIVILEGES FOR ROLE ")?;
    name(rest).map(|(name, _)| name)
}

/// The large object that a statement makes, in a line of its own.
fn created_oid(statement: &str) -> Option<String> {
    let oid = statement.strip_prefix("SELECT pg_catalog.lo_create('")?.strip_suffix("');")?;
    Some(format!("{oid}\n"))
}

fn joined(statements: &[Statement]) -> String {
    let mut text = String::new();
    for (place, statement) in statements.iter().enumerate() {
        let gap = if place == 0 { 0 } else { statement.gap };
        text.extend((0..gap).map(|_| '\n'));
        text.push_str(&statement.text);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Collects the entries of a script.
#[derive(Debug, Default)]
pub struct Entries {
    entries: Vec<Entry>,
    /// Statements belong to the last entry, and are kept.
    keeps: bool,
    access_method: Option<String>,
    /// What there is of a long statement.
    begun: Vec<u8>,
    /// The line that the last statement ended on.
    line: u64,
}

impl Entries {
    /// Takes the next event; `line` is the one that the script was read to.
    pub fn push(&mut self, event: &Event, line: u64) {
        match event {
            Event::Comment(comment) => self.comment(&decode_text(comment), line),
            Event::Part(part) if self.keeps => self.begun.extend_from_slice(part),
            Event::Part(_) | Event::CopyData(_) | Event::CopyEnd => {}
            Event::Statement { line: begin, text, .. } => {
                let mut whole = std::mem::take(&mut self.begun);
                whole.extend_from_slice(text);
                self.statement(&decode_text(&whole), *begin);
                self.line = line;
            }
            // the settings that follow are those of the script's begin
            Event::Connect { .. } => {
                self.keeps = false;
                self.access_method = None;
            }
        }
    }

    /// The entries, when the script was read.
    pub fn finish(self) -> Vec<Entry> {
        self.entries
    }

    fn comment(&mut self, comment: &str, line: u64) {
        let heading = PREFIXES.iter().find_map(|(prefix, keeps)| Some((comment.strip_prefix(prefix)?, *keeps)));
        if let Some((heading, keeps)) = heading {
            let entry =
                Entry { heading: heading.to_owned(), access_method: self.access_method.clone(), ..Entry::default() };
            let is_statistics = entry.readings().iter().any(|reading| reading.kind == "STATISTICS DATA");
            self.keeps = keeps && !is_statistics;
            self.entries.push(entry);
        } else if comment.trim_end().starts_with(" PostgreSQL database") {
            // a dump begins or ends
            self.keeps = false;
        } else if !comment.is_empty() && self.keeps {
            // the comment's line has ended already
            let gap = (line - 1).saturating_sub(self.line);
            self.keep(gap, format!("--{comment}"));
            self.line = line - 1;
        }
    }

    fn statement(&mut self, text: &str, line: u64) {
        const ACCESS_METHOD: &str = "SET default_table_access_method = ";
        if let Some(method) = text.strip_prefix(ACCESS_METHOD) {
            self.access_method = name(method).map(|(name, _)| name);
        } else if self.keeps && !text.starts_with("SET default_tablespace = ") {
            self.keep(line.saturating_sub(self.line), text.to_owned());
        }
    }

    fn keep(&mut self, gap: u64, text: String) {
        if let Some(entry) = self.entries.last_mut() {
            entry.statements.push(Statement { gap, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Splitter;
    use super::*;

    fn read(script: &str) -> Vec<Entry> {
        let mut splitter = Splitter::new().checked().in_parts();
        let mut entries = Entries::default();
        for piece in script.as_bytes().chunks(7) {
            splitter.push(piece);
            while let Some(event) = splitter.next_event().unwrap() {
                entries.push(&event, splitter.line());
            }
        }
        splitter.end();
        while let Some(event) = splitter.next_event().unwrap() {
            entries.push(&event, splitter.line());
        }
        entries.finish()
    }

    fn first(entry: &Entry) -> toc::Entry {
        entry.read(*entry.readings().first().expect("a reading"))
    }

    const SCRIPT: &str = "--
-- PostgreSQL database dump
--

SET row_security = off;

SET default_tablespace = fast;

SET default_table_access_method = heap;

--
-- Name: t; Type: TABLE; Schema: s; Owner: a b; Tablespace: fast
--

CREATE TABLE s.t (
    a text DEFAULT '
--
-- Name: no; Type: TABLE; Schema: s; Owner: x
--
'::text
);


ALTER TABLE ONLY s.t REPLICA IDENTITY FULL;


ALTER TABLE s.t OWNER TO \"a b\";

SET default_tablespace = '';

--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: -
--

REVOKE ALL ON SCHEMA public FROM a;
GRANT ALL ON SCHEMA public TO b;


--
-- Data for Name: t; Type: TABLE DATA; Schema: s; Owner: a b
--

COPY s.t (a) FROM stdin;
-- Name: no; Type: TABLE; Schema: s; Owner: x
\\.


--
-- Name: 7..8; Type: BLOB METADATA; Schema: -; Owner: o
--

SELECT pg_catalog.lo_create('7');
SELECT pg_catalog.lo_create('8');

ALTER LARGE OBJECT 7 OWNER TO o;
ALTER LARGE OBJECT 8 OWNER TO o;

--
-- PostgreSQL database dump complete
--
";

    #[test]
    fn reads_back_what_a_table_of_contents_said() {
        let entries: Vec<toc::Entry> = read(SCRIPT).iter().map(first).collect();
        let [table, rights, rows, objects] = entries.as_slice() else { panic!("{entries:#?}") };
        assert_eq!((table.tag.as_str(), table.owner.as_deref()), ("t", Some("a b")));
        assert_eq!((table.tablespace.as_deref(), table.access_method.as_deref()), (Some("fast"), Some("heap")));
        let create = table.create.as_deref().unwrap();
        assert!(create.starts_with("CREATE TABLE s.t (\n    a text DEFAULT '\n--\n-- Name: no;"), "{create}");
        assert!(create.ends_with(");\n\n\nALTER TABLE ONLY s.t REPLICA IDENTITY FULL;\n"), "{create}");
        assert_eq!(rights.owner, None);
        assert_eq!(
            rights.create.as_deref(),
            Some("REVOKE ALL ON SCHEMA public FROM a;\nGRANT ALL ON SCHEMA public TO b;\n")
        );
        assert_eq!((rows.kind.as_str(), rows.create.as_deref()), ("TABLE DATA", Some("")));
        assert_eq!(objects.create.as_deref(), Some("7\n8\n"));
        assert_eq!(objects.owner.as_deref(), Some("o"));
    }

    #[test]
    fn names_that_look_like_a_heading_have_several_readings() {
        let entry = Entry {
            heading: "t; Type: VIEW; Schema: x; Owner: y; Type: TABLE; Schema: s; Owner: o".into(),
            ..Entry::default()
        };
        let readings = entry.readings();
        let is_there = |tag, kind, schema| {
            readings.iter().any(|reading| (reading.tag, reading.kind, reading.schema) == (tag, kind, schema))
        };
        assert!(is_there("t; Type: VIEW; Schema: x; Owner: y", "TABLE", "s"), "{readings:#?}");
        assert!(is_there("t", "VIEW", "x"), "{readings:#?}");
    }

    #[test]
    fn names_end_where_their_quotes_do() {
        for (statement, expected) in [
            ("TABLE s.t OWNER TO o;", Some("o")),
            ("TABLE \"x OWNER TO y\" OWNER TO \"a\"\"b OWNER TO c;\";", Some("a\"b OWNER TO c;")),
            ("TABLE t ADD CHECK (a = ' OWNER TO x;');", None),
        ] {
            assert_eq!(name_at_end(statement, " OWNER TO ").as_deref(), expected, "{statement}");
        }
    }
}
