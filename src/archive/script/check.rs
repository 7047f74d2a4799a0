//! What tells a script that is no dump, or no whole one.

use super::{LENGTH_MAX, Problem};

/// The commands of SQL by their first word, up to PostgreSQL 18.
const COMMANDS: &[&str] = &[
    "abort",
    "alter",
    "analyse",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "close",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "declare",
    "delete",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "fetch",
    "grant",
    "import",
    "insert",
    "listen",
    "load",
    "lock",
    "merge",
    "move",
    "notify",
    "prepare",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "repack",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "select",
    "set",
    "show",
    "start",
    "table",
    "truncate",
    "unlisten",
    "update",
    "vacuum",
    "values",
    "wait",
    "with",
];

/// Whether a statement can begin with this word, in lower case.
pub(super) fn is_command(word: &str) -> bool {
    COMMANDS.binary_search(&word).is_ok()
}

/// The comments that pg_dump and pg_dumpall begin and end their scripts with, and where between them a script is.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// The dumps that have begun: indexes into `PAIRS`.
    open: Vec<usize>,
}

/// Begin and end, without the two dashes.
const PAIRS: [(&[u8], &[u8], &str); 2] = [
    (b" PostgreSQL database dump", b" PostgreSQL database dump complete", "-- PostgreSQL database dump complete"),
    (
        b" PostgreSQL database cluster dump",
        b" PostgreSQL database cluster dump complete",
        "-- PostgreSQL database cluster dump complete",
    ),
];

impl Marks {
    /// A comment that is longer is none of these.
    pub(super) const LONGEST: usize = 64;

    /// Takes note of a comment line. Fails with the end that is missing when a dump begins or ends within another one.
    pub(super) fn note(&mut self, comment: &[u8]) -> Result<(), &'static str> {
        let comment = comment.trim_ascii_end();
        for (index, (begin, end, last)) in PAIRS.iter().enumerate() {
            if comment == *begin {
                // a cluster's dump has those of its databases in it; none has one of its own kind
                let lacks = self.open.contains(&index).then(|| self.close(index).unwrap_or(last));
                self.open.push(index);
                return lacks.map_or(Ok(()), Err);
            }
            if comment == *end {
                return self.close(index).map_or(Ok(()), Err);
            }
        }
        Ok(())
    }

    /// Closes this dump and those within it; returns what one of those lacks.
    fn close(&mut self, index: usize) -> Option<&'static str> {
        // one whose begin was taken off is not our business
        let place = self.open.iter().rposition(|open| *open == index)?;
        let within = self.open.split_off(place);
        within.get(1).and_then(|open| PAIRS.get(*open)).map(|pair| pair.2)
    }

    /// The end that is still to come.
    pub(super) fn missing(&self) -> Option<&'static str> {
        self.open.last().and_then(|open| PAIRS.get(*open)).map(|pair| pair.2)
    }
}

/// The rows of a COPY, of which each has to have as many values as the statement has columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// The columns; unknown where the statement does not list them, or has options.
    columns: Option<usize>,
    /// The values of the line that is being read, but the last.
    tabs: usize,
    length: u64,
}

impl Row {
    /// For the data of this statement.
    pub(super) fn of(statement: &[u8]) -> Self {
        Self { columns: columns(statement), tabs: 0, length: 0 }
    }

    /// Looks at a piece of the data. Fails with the number of whole lines before the problem.
    pub(super) fn check(&mut self, data: &[u8]) -> Result<(), (u64, Problem)> {
        let mut lines = 0;
        let mut begin = 0;
        for place in memchr::memchr2_iter(b'\t', b'\n', data) {
            if data.get(place) == Some(&b'\t') {
                self.tabs += 1;
                continue;
            }
            match self.columns {
                Some(expected) if expected != self.tabs + 1 => {
                    return Err((lines, Problem::Columns { expected, found: self.tabs + 1 }));
                }
                Some(_) | None => {}
            }
            (self.tabs, self.length) = (0, 0);
            lines += 1;
            begin = place + 1;
        }
        self.length += (data.len() - begin) as u64;
        if self.length > LENGTH_MAX { Err((lines, Problem::TooLong("a row"))) } else { Ok(()) }
    }
}

/// The number of columns in `COPY s.t (a, "b,c") FROM stdin;`.
fn columns(statement: &[u8]) -> Option<usize> {
    const END: &[u8] = b") from stdin;";
    let end = statement.len().checked_sub(END.len())?;
    if !statement.get(end..)?.eq_ignore_ascii_case(END) {
        return None;
    }
    let (mut is_quoted, mut count) = (false, 0);
    for byte in statement.get(..end)? {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'(' if !is_quoted && count == 0 => count = 1,
            // a query, or something else with parentheses of its own
            b'(' | b')' if !is_quoted => return None,
            b',' if !is_quoted && count > 0 => count += 1,
            _ => {}
        }
    }
    (count > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_in_order() {
        assert!(COMMANDS.is_sorted());
        assert!(is_command("refresh") && !is_command("pg_dump"));
    }

    #[test]
    fn counts_the_columns_of_a_copy() {
        for (statement, expected) in [
            ("COPY public.t (a, b) FROM stdin;", Some(2)),
            ("COPY public.\"t(x,y\" (\"a,b\", \"c\"\"(,\") FROM stdin;", Some(2)),
            ("COPY public.t  FROM stdin;", None),
            ("COPY public.t (a) FROM stdin WITH (FORMAT csv);", None),
        ] {
            assert_eq!(columns(statement.as_bytes()), expected, "{statement}");
        }
    }
}
