//! Finds the rows inside a plain dump, and the definitions around them.
//!
//! The splitter that a restore reads it with tells what is a statement, what a comment, and what are rows: a function's body or a
//! name may hold lines that look like any of them.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::archive::insert_text::{INSERT_BEGIN, InsertReader, Wide};
use crate::archive::plain::one_line;
use crate::archive::script::entries::{self, Entries};
use crate::archive::script::{Event, Splitter};
use crate::codec::digest::{RowDigest, RowSummary};
use crate::manifest::Table;
use crate::object::Quote;
use crate::record::encode_text;

/// How much of the end is kept to look for the mark that a dump is complete.
const TAIL: usize = 512;

/// INSERT statements are read in pieces of this size: what comes out is a few times larger at most.
const PUSH_MAX: usize = 256 << 10;

/// What pg_dump and pg_dumpall write at the end.
const COMPLETE: [&str; 2] = ["-- PostgreSQL database dump complete", "-- PostgreSQL database cluster dump complete"];

/// Reads SQL text that comes in pieces of any size. Rows are those of the tables that are expected, in their order.
pub(super) struct PlainReader {
    /// What is expected, last first.
    left: Vec<Expected>,
    pub(super) rows: BTreeMap<i32, RowSummary>,
    pub(super) byte_count: u64,
    tail: Vec<u8>,
    /// How the statements are read, when rows are INSERT statements.
    inserts: Option<Wide>,
    /// The table whose rows come now.
    open: Option<Open>,
    /// The statement that is read in pieces is one of the open table's rows.
    is_row: bool,
    /// A piece of the statement has come.
    has_begun: bool,
    /// How a restore reads it.
    splitter: Splitter,
    entries: Option<Entries>,
}

/// A table whose rows come now.
struct Open {
    dump_id: i32,
    /// Where they are INSERT statements.
    inserts: Option<Box<InsertReader>>,
    digest: Box<RowDigest>,
}

struct Expected {
    dump_id: i32,
    /// What the comment before the rows begins with.
    comment: Vec<u8>,
    /// How the COPY statement can begin or end: names are quoted where they must be, or always.
    forms: [Form; 2],
}

/// The columns tell it; the table's name need not, because a partition's rows may be loaded through the root.
enum Form {
    Ends(Vec<u8>),
    /// A table without columns.
    Begins(Vec<u8>),
}

impl Form {
    fn new(table: &Table, quote: &Quote) -> Self {
        if table.columns.is_empty() {
            let name = quote.qualified(Some(&table.schema), &table.name);
            return Self::Begins(encode_text(&format!("COPY {name} ")).into_owned());
        }
        let columns: Vec<_> = table.columns.iter().map(|column| quote.identifier(column)).collect();
        Self::Ends(encode_text(&format!(" ({}) FROM stdin;", columns.join(", "))).into_owned())
    }

    fn matches(&self, statement: &[u8]) -> bool {
        match self {
            Self::Ends(end) => statement.ends_with(end),
            Self::Begins(begin) => statement.starts_with(begin),
        }
    }
}

/// What the comment before each table's rows begins with.
const COMMENT_BEGIN: &[u8] = b" Data for Name: ";

fn comment_of(table: &Table) -> Vec<u8> {
    let (name, schema) = (one_line(&table.name), one_line(&table.schema));
    let rest = format!("{name}; Type: TABLE DATA; Schema: {schema}; Owner: ");
    [COMMENT_BEGIN, &encode_text(&rest)].concat()
}

impl PlainReader {
    /// `inserts` says of rows that are INSERT statements in which encoding they are.
    pub(super) fn new(tables: &[Table], inserts: Option<&str>) -> Self {
        let (quote, quote_all) = (Quote::default(), Quote { all: true, ..Quote::default() });
        let expected = tables.iter().rev().map(|table| Expected {
            dump_id: table.dump_id,
            comment: comment_of(table),
            forms: [Form::new(table, &quote), Form::new(table, &quote_all)],
        });
        Self {
            left: expected.collect(),
            rows: BTreeMap::new(),
            byte_count: 0,
            tail: Vec::new(),
            inserts: inserts.map(Wide::of),
            open: None,
            is_row: false,
            has_begun: false,
            splitter: Splitter::new().checked().in_parts(),
            entries: None,
        }
    }

    /// Keeps the definitions, too.
    #[must_use]
    pub(super) fn with_entries(mut self) -> Self {
        self.entries = Some(Entries::default());
        self
    }

    /// Takes more of the script. Whatever a restore would refuse is told.
    pub(super) fn push(&mut self, bytes: &Bytes) -> Result<(), String> {
        self.byte_count += bytes.len() as u64;
        self.keep_tail(bytes);
        self.splitter.push(bytes);
        self.split()
    }

    fn split(&mut self) -> Result<(), String> {
        while let Some(event) = self.splitter.next_event().map_err(|error| error.to_string())? {
            if let Some(entries) = &mut self.entries {
                entries.push(&event, self.splitter.line());
            }
            match event {
                Event::Comment(comment) => self.comment(&comment)?,
                Event::Part(part) => self.piece(&part, false)?,
                Event::Statement { text, copies_from_stdin: false, .. } => self.piece(&text, true)?,
                Event::Statement { text, copies_from_stdin: true, .. } => self.copy(&text),
                Event::CopyData(rows) => {
                    if let Some(open) = &mut self.open {
                        open.digest.push(&rows);
                    }
                }
                Event::CopyEnd => self.close()?,
                Event::Connect { .. } => {}
            }
        }
        Ok(())
    }

    /// The comment before the rows of the next table that is expected.
    fn comment(&mut self, comment: &[u8]) -> Result<(), String> {
        let Some(wide) = self.inserts else { return Ok(()) };
        if comment.starts_with(COMMENT_BEGIN) {
            self.close()?;
        }
        if let Some(expected) = self.left.pop_if(|expected| comment.starts_with(&expected.comment)) {
            // a backup of ours has standard strings
            let inserts = Some(Box::new(InsertReader::new(wide, true)));
            self.open = Some(Open { dump_id: expected.dump_id, inserts, digest: Box::new(RowDigest::new()) });
        }
        Ok(())
    }

    /// A statement, or a piece of one that is long.
    fn piece(&mut self, text: &[u8], is_end: bool) -> Result<(), String> {
        if !self.has_begun {
            self.is_row = self.open.is_some() && text.starts_with(INSERT_BEGIN);
        }
        self.has_begun = !is_end;
        let Some(open) = self.open.as_mut().filter(|_| self.is_row) else { return Ok(()) };
        let Some(reader) = &mut open.inserts else { return Ok(()) };
        let mut rows = Vec::new();
        for piece in text.chunks(PUSH_MAX) {
            rows.clear();
            // a piece ends where the statement does, or before
            reader.push(piece, &mut rows).map_err(|error| error.to_string())?;
            open.digest.push(&rows);
        }
        Ok(())
    }

    fn copy(&mut self, statement: &[u8]) {
        let matches = |expected: &mut Expected| expected.forms.iter().any(|form| form.matches(statement));
        if self.inserts.is_none()
            && let Some(expected) = self.left.pop_if(matches)
        {
            self.open = Some(Open { dump_id: expected.dump_id, inserts: None, digest: Box::new(RowDigest::new()) });
        }
    }

    /// The rows of the open table are over.
    fn close(&mut self) -> Result<(), String> {
        let Some(open) = self.open.take() else { return Ok(()) };
        if let Some(reader) = &open.inserts {
            reader.finish().map_err(|error| error.to_string())?;
        }
        self.rows.insert(open.dump_id, open.digest.finish().map_err(|error| error.to_string())?);
        Ok(())
    }

    /// The text is over.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        self.splitter.end();
        self.split()?;
        self.close()
    }

    /// The definitions, where they were to be kept.
    pub(super) fn take_entries(&mut self) -> Option<Vec<entries::Entry>> {
        self.entries.take().map(Entries::finish)
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        let kept = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
        self.tail.extend_from_slice(kept);
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
    }

    /// Whether the dump ends as a complete one does.
    pub(super) fn is_complete(&self) -> bool {
        let tail = String::from_utf8_lossy(&self.tail);
        COMPLETE.iter().any(|mark| tail.contains(mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(dump_id: i32, name: &str, columns: &[&str]) -> Table {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Table { schema: "public".to_owned(), name: name.to_owned(), dump_id, columns, ..Table::default() }
    }

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\nSELECT 1;\nCOPY public.other (a) FROM stdin;\n\\.\n\
        COPY public.item (id, name) FROM stdin;\n1\ta\n2\t\\\\.\n\\.\n\n\n\
        COPY public.\"Odd name\"  FROM stdin;\n\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

    fn read(pieces: &[&[u8]]) -> PlainReader {
        let mut reader = PlainReader::new(&[table(7, "item", &["id", "name"]), table(9, "Odd name", &[])], None);
        for piece in pieces {
            reader.push(&Bytes::copy_from_slice(piece)).unwrap();
        }
        reader
    }

    #[test]
    fn finds_the_rows_of_the_tables_that_are_expected() {
        let reader = read(&[DUMP.as_bytes()]);
        assert!(reader.is_complete());
        let counts: Vec<(i32, u64)> = reader.rows.iter().map(|(id, rows)| (*id, rows.row_count)).collect();
        assert_eq!(counts, [(7, 2), (9, 0)]);
        let mut digest = RowDigest::new();
        digest.push(b"1\ta\n2\t\\\\.\n");
        assert_eq!(reader.rows.get(&7), Some(&digest.finish().unwrap()));
    }

    #[test]
    fn a_dump_that_is_cut_off_is_not_complete() {
        for length in 0..DUMP.len() - 4 {
            let text = &DUMP.as_bytes()[..length];
            assert!(!read(&[text]).is_complete() || length > DUMP.find(" complete").unwrap(), "{length}");
        }
    }

    #[test]
    fn names_and_bodies_that_look_like_rows_or_comments_are_none() {
        let body = "$$\nCOPY public.item (id, name) FROM stdin;\n-- Data for Name: item; Type: TABLE DATA; Schema: public; Owner: o\nINSERT INTO public.item VALUES (9, 'no');\n\\.\n$$";
        for (rows, inserts) in [
            ("COPY public.\"a\nb\" (\"c\nd\") FROM stdin;\n1\n\\.\n", None),
            (
                "INSERT INTO public.\"a\nb\" VALUES ('x\nINSERT INTO y');\nINSERT INTO public.\"a\nb\" VALUES (NULL);\n",
                Some("UTF8"),
            ),
        ] {
            let script = format!(
                "--\n-- PostgreSQL database dump\n--\n\nCREATE FUNCTION f() RETURNS text LANGUAGE sql AS {body};\n\n\
                 --\n-- Data for Name: item; Type: TABLE DATA; Schema: public; Owner: o\n--\n\n{}\n\n\
                 --\n-- Data for Name: a b; Type: TABLE DATA; Schema: public; Owner: o\n--\n\n{rows}\n\n\
                 COMMENT ON FUNCTION f() IS 'INSERT INTO x';\n--\n-- PostgreSQL database dump complete\n--\n",
                if inserts.is_none() {
                    "COPY public.item (id, name) FROM stdin;\n1\ta\n2\tb\n3\tc\n\\.\n"
                } else {
                    "INSERT INTO public.item VALUES (1, 'a');\nINSERT INTO public.item VALUES (2, 'b'), (3, 'c');\n"
                },
            );
            let tables = [table(7, "item", &["id", "name"]), table(9, "a\nb", &["c\nd"])];
            let mut reader = PlainReader::new(&tables, inserts);
            for piece in script.as_bytes().chunks(11) {
                reader.push(&Bytes::copy_from_slice(piece)).unwrap();
            }
            reader.finish().unwrap();
            assert!(reader.is_complete());
            let counts: Vec<(i32, u64)> = reader.rows.iter().map(|(id, rows)| (*id, rows.row_count)).collect();
            assert_eq!(counts, [(7, 3), (9, if inserts.is_none() { 1 } else { 2 })]);
        }
    }

    #[test]
    fn a_statement_of_many_rows_is_read_in_pieces() {
        let rows: Vec<String> = (0..400_000).map(|number| format!("({number}, 'a;b')")).collect();
        let script = format!(
            "--\n-- Data for Name: item; Type: TABLE DATA; Schema: public; Owner: o\n--\n\nINSERT INTO public.item VALUES\n\t{};\n",
            rows.join(",\n\t")
        );
        assert!(script.len() > 4 << 20);
        let mut reader = PlainReader::new(&[table(7, "item", &["id", "name"])], Some("UTF8"));
        for piece in script.as_bytes().chunks(100_000) {
            reader.push(&Bytes::copy_from_slice(piece)).unwrap();
        }
        reader.finish().unwrap();
        assert_eq!(reader.rows.get(&7).map(|rows| rows.row_count), Some(400_000));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(cuts in proptest::collection::vec(0..DUMP.len(), 0..9)) {
            let mut places: Vec<usize> = cuts.into_iter().chain([0, DUMP.len()]).collect();
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &DUMP.as_bytes()[pair[0]..pair[1]]).collect();
            let reader = read(&pieces);
            prop_assert!(reader.is_complete());
            prop_assert_eq!(reader.rows, read(&[DUMP.as_bytes()]).rows);
        }
    }
}
