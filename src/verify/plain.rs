//! Finds the rows inside a plain dump.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::archive::copy_text::CopyText;
use crate::archive::insert_text::{INSERT_BEGIN, InsertReader, Wide};
use crate::archive::plain::one_line;
use crate::archive::script::Splitter;
use crate::codec::digest::{RowDigest, RowSummary};
use crate::manifest::Table;
use crate::object::Quote;
use crate::record::encode_text;

/// The longest line that is kept to be compared with a COPY statement: 1,600 columns of 64 bytes, quoted.
const LINE_MAX: usize = 1 << 18;

/// How much of the end is kept to look for the mark that a dump is complete.
const TAIL: usize = 512;

/// What pg_dump and pg_dumpall write at the end.
const COMPLETE: [&str; 2] = ["-- PostgreSQL database dump complete", "-- PostgreSQL database cluster dump complete"];

/// Reads SQL text that comes in pieces of any size. Rows are those of the tables that are expected, in their order.
pub(super) struct PlainReader {
    /// What is expected, last first.
    left: Vec<Expected>,
    state: State,
    pub(super) rows: BTreeMap<i32, RowSummary>,
    pub(super) byte_count: u64,
    tail: Vec<u8>,
    /// How the statements are read, when rows are INSERT statements.
    inserts: Option<Wide>,
    /// The table whose statements come now.
    open: Option<Open>,
    /// How a restore reads it.
    splitter: Splitter,
}

struct Open {
    dump_id: i32,
    reader: Box<InsertReader>,
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
        Self::Ends(encode_text(&format!(" ({}) FROM stdin;\n", columns.join(", "))).into_owned())
    }

    fn matches(&self, line: &[u8]) -> bool {
        match self {
            Self::Ends(end) => line.ends_with(end),
            Self::Begins(begin) => line.starts_with(begin),
        }
    }
}

/// What the comment before each table's rows begins with.
const COMMENT_BEGIN: &[u8] = b"-- Data for Name: ";

fn comment_of(table: &Table) -> Vec<u8> {
    let (name, schema) = (one_line(&table.name), one_line(&table.schema));
    let rest = format!("{name}; Type: TABLE DATA; Schema: {schema}; Owner: ");
    [COMMENT_BEGIN, &encode_text(&rest)].concat()
}

enum State {
    /// At the begin of a line or inside it: what there is of the line, as long as it can be a COPY statement.
    Line(Vec<u8>),
    /// Inside a line that is none.
    Other,
    Rows {
        dump_id: i32,
        text: Box<CopyText>,
        digest: Box<RowDigest>,
    },
    /// In the statements of the open table.
    Inserts,
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
            state: State::Line(Vec::new()),
            rows: BTreeMap::new(),
            byte_count: 0,
            tail: Vec::new(),
            inserts: inserts.map(Wide::of),
            open: None,
            splitter: Splitter::new().checked().glancing(),
        }
    }

    pub(super) fn push(&mut self, bytes: &Bytes) -> Result<(), String> {
        self.byte_count += bytes.len() as u64;
        self.keep_tail(bytes);
        self.splitter.push(bytes);
        self.split()?;
        let is_between = matches!(self.state, State::Line(_) | State::Other);
        if is_between && self.left.is_empty() && self.open.is_none() {
            // no rows are expected any more
            return Ok(());
        }
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            rest = match &mut self.state {
                State::Rows { text, digest, .. } => {
                    let rest = text
                        .push_rows(rest, |rows| {
                            digest.push(rows);
                            Ok(())
                        })
                        .unwrap_or_else(|never: std::convert::Infallible| match never {});
                    if text.is_ended() {
                        self.end_rows()?;
                    }
                    rest
                }
                State::Inserts => self.statements(rest)?,
                State::Line(_) | State::Other => self.line(rest)?,
            };
        }
        Ok(())
    }

    /// Whatever a restore would refuse is told.
    fn split(&mut self) -> Result<(), String> {
        while self.splitter.next_event().map_err(|error| error.to_string())?.is_some() {}
        Ok(())
    }

    /// Takes statements of the open table; returns what is none.
    fn statements<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], String> {
        let Some(open) = &mut self.open else { return Ok(input) };
        let mut rows = Vec::new();
        let rest = open.reader.push(input, &mut rows).map_err(|error| error.to_string())?;
        open.digest.push(&rows);
        if !rest.is_empty() {
            self.state = State::Line(Vec::new());
        }
        Ok(rest)
    }

    /// The statements of the open table are over.
    fn close(&mut self) -> Result<(), String> {
        let Some(open) = self.open.take() else { return Ok(()) };
        open.reader.finish().map_err(|error| error.to_string())?;
        self.rows.insert(open.dump_id, open.digest.finish().map_err(|error| error.to_string())?);
        Ok(())
    }

    /// The text is over.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        self.splitter.end();
        self.split()?;
        self.close()
    }

    /// Takes up to the end of a line; returns what follows.
    fn line<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], String> {
        let end = memchr::memchr(b'\n', input);
        let (now, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
        if let State::Line(line) = &mut self.state {
            line.extend_from_slice(now);
            let can_be = |begin: &[u8]| line.iter().zip(begin).all(|(one, other)| one == other);
            let is_possible = match self.inserts {
                None => can_be(b"COPY "),
                Some(_) => can_be(COMMENT_BEGIN) || can_be(INSERT_BEGIN),
            };
            if self.open.is_some() && line.starts_with(INSERT_BEGIN) {
                let begun = std::mem::take(line);
                self.state = State::Inserts;
                // what follows the last statement of the line is at most its end
                self.statements(&begun)?;
                return Ok(rest);
            }
            if !is_possible || line.len() > LINE_MAX {
                self.state = State::Other;
            }
        }
        if end.is_some() {
            self.state = match std::mem::replace(&mut self.state, State::Other) {
                State::Line(line) => self.statement(&line)?,
                State::Other | State::Rows { .. } | State::Inserts => State::Line(Vec::new()),
            };
        }
        Ok(rest)
    }

    fn statement(&mut self, line: &[u8]) -> Result<State, String> {
        if let Some(wide) = self.inserts {
            if let Some(expected) = self.left.pop_if(|expected| line.starts_with(&expected.comment)) {
                self.close()?;
                // a backup of ours has standard strings
                let reader = Box::new(InsertReader::new(wide, true));
                self.open = Some(Open { dump_id: expected.dump_id, reader, digest: Box::new(RowDigest::new()) });
            }
            return Ok(State::Line(Vec::new()));
        }
        let matches = |expected: &Expected| expected.forms.iter().any(|form| form.matches(line));
        if line.ends_with(b" FROM stdin;\n")
            && let Some(expected) = self.left.pop_if(|expected| matches(expected))
        {
            let (text, digest) = (Box::new(CopyText::new()), Box::new(RowDigest::new()));
            return Ok(State::Rows { dump_id: expected.dump_id, text, digest });
        }
        Ok(State::Line(Vec::new()))
    }

    fn end_rows(&mut self) -> Result<(), String> {
        if let State::Rows { dump_id, digest, .. } = std::mem::replace(&mut self.state, State::Line(Vec::new())) {
            let summary = digest.finish().map_err(|error| error.to_string())?;
            self.rows.insert(dump_id, summary);
        }
        Ok(())
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
        !matches!(self.state, State::Rows { .. }) && COMPLETE.iter().any(|mark| tail.contains(mark))
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
