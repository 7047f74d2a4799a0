//! Why a script cannot be read.

use std::fmt;

/// Why a script cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A command of psql.
    Command(String),
    /// `\restrict` and `\unrestrict` do not fit together.
    Restrict,
    /// Something stands behind a COPY on its line.
    AfterCopy,
    /// The script ends within this.
    Unfinished(&'static str),
    /// A statement that begins with this word, which no command of SQL does.
    NoCommand(String),
    /// A line of COPY data has another number of values than the statement has columns.
    Columns {
        /// The columns.
        expected: usize,
        /// The line's values.
        found: usize,
    },
    /// A dump begins here, or the script ends, before the dump that began earlier has its last line.
    NoEnd(&'static str),
    /// There is no statement.
    Empty,
    /// A zero byte.
    Zero,
    /// Longer than a server takes.
    TooLong(&'static str),
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(name) => write!(f, "psql command \\{} is not run", name.escape_debug()),
            Self::Restrict => write!(f, "\\restrict and \\unrestrict do not make one pair"),
            Self::AfterCopy => write!(f, "text behind COPY ... FROM stdin on the same line"),
            Self::Unfinished(what) => write!(f, "the script ends within {what}"),
            Self::NoCommand(word) => write!(f, "\"{}\" begins no SQL statement", word.escape_debug()),
            Self::Columns { expected, found } => {
                write!(f, "a row of {found} values for {expected} columns in COPY data")
            }
            Self::NoEnd(end) => write!(f, "the dump has no end: \"{end}\" is missing"),
            Self::Empty => write!(f, "the script ends without a statement"),
            Self::Zero => write!(f, "a zero byte, which no SQL text has"),
            Self::TooLong(what) => write!(f, "{what} of more than 1 GiB, which no server takes"),
        }
    }
}

impl std::error::Error for ScriptError {}
