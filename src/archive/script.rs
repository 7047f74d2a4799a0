//! Splits an SQL script into statements and COPY data, as psql reads it, without psql's commands.
//!
//! Pure and push-style: bytes in, events out. The only backslash commands that it knows are the `\restrict` pair of
//! pg_dump's scripts and `\connect`; any other one is an error with its line, and nothing is ever run on this machine.
//!
//! [`Splitter::checked`] also tells what no dump can be: one that was cut off, one with other text in it, none at all.

mod check;
mod command;
mod copy_data;
pub mod entries;
mod problem;
mod words;

use bytes::{Buf as _, Bytes, BytesMut};

use self::check::{Marks, Row};
use self::words::Words;

pub use self::problem::{Problem, ScriptError};

/// The server takes no longer statement, and no longer row.
const LENGTH_MAX: u64 = (1 << 30) - 64;

/// The longest word or dollar quote: the server cuts names at 63 bytes, and no number is that long.
const WORD_MAX: usize = 1 << 20;

/// So much of a statement is kept by who only looks at it.
const GLANCE: usize = 1 << 20;

/// So much of a comment is kept: names in it are of functions with all their arguments.
const COMMENT_MAX: usize = 1 << 20;

/// What Windows puts before UTF-8. psql passes over it, too.
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// A part of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A statement with its semicolon, comments before it left out.
    Statement {
        /// The line that it begins on, from 1.
        line: u64,
        /// Its text as it stands.
        text: Bytes,
        /// COPY data follows.
        copies_from_stdin: bool,
    },
    /// A piece of a long statement, before what [`Event::Statement`] gives of it. Only where that is asked for.
    Part(Bytes),
    /// A line of comment between statements, without the two dashes. Only where that is asked for.
    Comment(Bytes),
    /// Bytes of whole and partial lines of COPY data.
    CopyData(Bytes),
    /// The line `\.`.
    CopyEnd,
    /// `\connect`: a database's name, or a connection string with it.
    Connect {
        /// The line, from 1.
        line: u64,
        /// What follows the command.
        target: String,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Rigour {
    /// Splits what comes.
    #[default]
    Loose,
    /// Refuses what no dump can be.
    Checked,
    /// The same, but takes a script that was cut off.
    Incomplete,
}

/// What is given of a long statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Keep {
    /// All of it at once.
    #[default]
    Whole,
    /// Its begin.
    Begin,
    /// All of it, piece by piece.
    Parts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Between tokens.
    Plain,
    /// Inside `'...'`; with `true` a backslash escapes.
    Quote(bool),
    DoubleQuote,
    /// Inside `$tag$...$tag$`; the tag with both dollars.
    Dollar(Vec<u8>),
    LineComment,
    /// Inside this many comments.
    BlockComment(u32),
    /// Behind the semicolon of a COPY, up to the end of its line.
    CopyLine,
    /// At the begin of a line of COPY data, or, with `false`, within one.
    Copy(bool),
}

/// The splitter. Push bytes, take events until there are none, push more, `finish`.
pub struct Splitter {
    input: BytesMut,
    /// How far into `input` the scan has come; before it lies the statement's text.
    at: usize,
    line: u64,
    state: State,
    statement_line: u64,
    begun: bool,
    parentheses: u32,
    words: Words,
    standard_strings: bool,
    restrict: Option<Vec<u8>>,
    restricted: bool,
    rigour: Rigour,
    keep: Keep,
    /// What was kept of the open statement, and how many bytes of it are gone from `input`.
    head: Vec<u8>,
    gone: u64,
    /// The first bytes were looked at.
    begun_file: bool,
    has_zero: bool,
    /// The comment line that is being read, as far as it can be one of pg_dump's marks.
    comment: Vec<u8>,
    marks: Marks,
    row: Row,
    statement_count: u64,
    /// What was passed over at the end of an incomplete script.
    cut: Option<Problem>,
    /// No more input will come.
    ended: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// Splits what comes, and refuses nothing but commands of psql.
    pub fn new() -> Self {
        Self {
            input: BytesMut::new(),
            at: 0,
            line: 1,
            state: State::Plain,
            statement_line: 1,
            begun: false,
            parentheses: 0,
            words: Words::default(),
            standard_strings: true,
            restrict: None,
            restricted: false,
            rigour: Rigour::Loose,
            keep: Keep::Whole,
            head: Vec::new(),
            gone: 0,
            begun_file: false,
            has_zero: false,
            comment: Vec::new(),
            marks: Marks::default(),
            row: Row::default(),
            statement_count: 0,
            cut: None,
            ended: false,
        }
    }

    /// Refuses what no dump can be: one without its end, other text between statements or rows, a script without a
    /// statement.
    #[must_use]
    pub fn checked(mut self) -> Self {
        self.rigour = Rigour::Checked;
        self
    }

    /// The same, but takes a script that was cut off: what its last statement lacks is told by [`Self::cut`].
    #[must_use]
    pub fn incomplete(mut self) -> Self {
        self.rigour = Rigour::Incomplete;
        self
    }

    /// Keeps no more than the begin of each statement, for who only looks: a statement may have a GiB.
    #[must_use]
    pub fn glancing(mut self) -> Self {
        self.keep = Keep::Begin;
        self
    }

    /// Gives long statements in pieces, and the comments between statements.
    #[must_use]
    pub fn in_parts(mut self) -> Self {
        self.keep = Keep::Parts;
        self
    }

    /// The line that is being read, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Why the script is not complete, once its end was reached.
    pub fn cut(&self) -> Option<&Problem> {
        self.cut.as_ref()
    }

    /// Whether a backslash in a string is one, as long as no statement says otherwise.
    #[must_use]
    pub fn with_standard_strings(mut self, standard: bool) -> Self {
        self.standard_strings = standard;
        self
    }

    /// Adds bytes of the script.
    pub fn push(&mut self, bytes: &[u8]) {
        self.has_zero |= self.rigour != Rigour::Loose && memchr::memchr(0, bytes).is_some();
        self.input.extend_from_slice(bytes);
    }

    /// The script is complete.
    pub fn end(&mut self) {
        self.ended = true;
    }

    fn error(&self, problem: Problem) -> ScriptError {
        ScriptError { line: self.line, problem }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.input.get(self.at + ahead).copied()
    }

    /// Whether `count` more bytes can be looked at, or no more will come.
    fn sees(&self, count: usize) -> bool {
        self.ended || self.at + count <= self.input.len()
    }

    /// The next event; `None` when more bytes are needed, or at the end.
    pub fn next_event(&mut self) -> Result<Option<Event>, ScriptError> {
        if !self.begun_file && !self.begin_file() {
            return Ok(None);
        }
        if self.has_zero {
            return Err(self.error(Problem::Zero));
        }
        loop {
            if matches!(self.state, State::CopyLine | State::Copy(_)) {
                return self.next_copy();
            }
            let Some(byte) = self.byte(0) else {
                if let Some(part) = self.let_go()? {
                    return Ok(Some(part));
                }
                return if self.ended { self.last() } else { Ok(None) };
            };
            if self.state == State::Plain {
                if byte == b'\n' {
                    self.line += 1;
                }
                match self.plain(byte)? {
                    Step::Event(event) => return Ok(Some(event)),
                    Step::On => {}
                    Step::More => {
                        // the newline is looked at again
                        if byte == b'\n' {
                            self.line -= 1;
                        }
                        return self.let_go();
                    }
                }
            } else {
                match self.within()? {
                    Step::Event(event) => {
                        self.pass_over();
                        return Ok(Some(event));
                    }
                    Step::On => {}
                    Step::More => return self.let_go(),
                }
            }
            self.pass_over();
        }
    }

    /// What stands before a statement is of no use.
    fn pass_over(&mut self) {
        if !self.begun {
            self.input.advance(self.at.min(self.input.len()));
            self.at = 0;
        }
    }

    /// Looks at the first bytes of the file. False as long as they may become a byte order mark.
    fn begin_file(&mut self) -> bool {
        if self.rigour != Rigour::Loose {
            if self.input.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(&self.input) && !self.ended {
                return false;
            }
            if self.input.starts_with(BYTE_ORDER_MARK) {
                self.input.advance(BYTE_ORDER_MARK.len());
            }
        }
        self.begun_file = true;
        true
    }

    /// Lets the bytes of a long statement go where it is not wanted whole.
    fn let_go(&mut self) -> Result<Option<Event>, ScriptError> {
        if self.begun && self.rigour != Rigour::Loose && self.gone + self.at as u64 > LENGTH_MAX {
            let problem = Problem::TooLong("a statement");
            return Err(ScriptError { line: self.statement_line, problem });
        }
        if !self.begun || self.keep == Keep::Whole || self.at <= GLANCE {
            return Ok(None);
        }
        let part = self.input.split_to(self.at).freeze();
        self.gone += self.at as u64;
        self.at = 0;
        if self.keep == Keep::Parts {
            return Ok(Some(Event::Part(part)));
        }
        if self.head.is_empty() {
            self.head.extend_from_slice(part.get(..GLANCE).unwrap_or_default());
        }
        Ok(None)
    }

    /// Goes on within a string, a name or a comment, as far as it reaches.
    fn within(&mut self) -> Result<Step, ScriptError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let (taken, closes) = match &mut self.state {
            // a doubled quote closes and opens again, which comes to the same
            State::Quote(false) => upto(memchr::memchr(b'\'', rest), rest),
            State::DoubleQuote => upto(memchr::memchr(b'"', rest), rest),
            State::Quote(true) => match memchr::memchr2(b'\'', b'\\', rest) {
                Some(place) if rest.get(place) == Some(&b'\\') => match rest.len() > place + 1 || self.ended {
                    true => ((place + 2).min(rest.len()), false),
                    // what follows the backslash is not there yet
                    false if place == 0 => return Ok(Step::More),
                    false => (place, false),
                },
                place => upto(place, rest),
            },
            State::Dollar(tag) => match memchr::memmem::find(rest, tag) {
                Some(place) => (place + tag.len(), true),
                // the tag's begin may be the end of what is there
                None if self.ended => (rest.len(), false),
                None => match rest.len().saturating_sub(tag.len() - 1) {
                    0 => return Ok(Step::More),
                    taken => (taken, false),
                },
            },
            State::LineComment => {
                let (taken, closes) = upto(memchr::memchr(b'\n', rest), rest);
                let longest = if self.keep == Keep::Parts { COMMENT_MAX } else { Marks::LONGEST };
                let room = longest.saturating_sub(self.comment.len());
                let text = rest.get(..taken - usize::from(closes)).unwrap_or_default();
                self.comment.extend_from_slice(text.get(..room.min(text.len())).unwrap_or_default());
                (taken, closes)
            }
            State::BlockComment(depth) => {
                let place = memchr::memchr2(b'*', b'/', rest).unwrap_or(rest.len());
                match (rest.get(place), rest.get(place + 1)) {
                    (None, _) => (rest.len(), false),
                    (Some(_), None) if !self.ended && place == 0 => return Ok(Step::More),
                    (Some(_), None) if !self.ended => (place, false),
                    (Some(b'*'), Some(b'/')) => {
                        *depth -= 1;
                        (place + 2, *depth == 0)
                    }
                    (Some(b'/'), Some(b'*')) => {
                        *depth += 1;
                        (place + 2, false)
                    }
                    (Some(_), _) => (place + 1, false),
                }
            }
            State::Plain | State::CopyLine | State::Copy(_) => (0, true),
        };
        self.line += memchr::memchr_iter(b'\n', rest.get(..taken).unwrap_or_default()).count() as u64;
        self.at += taken;
        if closes {
            let was_comment = self.state == State::LineComment;
            self.state = State::Plain;
            if was_comment {
                return self.end_comment();
            }
        }
        Ok(Step::On)
    }

    /// A line of comment was read. One of pg_dump's marks between statements says where a dump begins or ends.
    fn end_comment(&mut self) -> Result<Step, ScriptError> {
        let comment = std::mem::take(&mut self.comment);
        if self.begun || self.rigour == Rigour::Loose {
            return Ok(Step::On);
        }
        match self.marks.note(&comment) {
            Err(end) if self.rigour == Rigour::Checked => return Err(self.error(Problem::NoEnd(end))),
            Err(end) => self.cut = Some(Problem::NoEnd(end)),
            Ok(()) => {}
        }
        Ok(if self.keep == Keep::Parts { Step::Event(Event::Comment(comment.into())) } else { Step::On })
    }

    fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            self.statement_line = self.line;
        }
    }

    fn plain(&mut self, byte: u8) -> Result<Step, ScriptError> {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C => self.at += 1,
            b'-' => {
                if !self.sees(2) {
                    return Ok(Step::More);
                }
                if self.byte(1) == Some(b'-') {
                    self.state = State::LineComment;
                    self.at += 2;
                } else {
                    self.begin();
                    self.at += 1;
                }
            }
            b'/' => {
                if !self.sees(2) {
                    return Ok(Step::More);
                }
                if self.byte(1) == Some(b'*') {
                    self.state = State::BlockComment(1);
                    self.at += 2;
                } else {
                    self.begin();
                    self.at += 1;
                }
            }
            b'\'' => {
                self.begin();
                self.state = State::Quote(!self.standard_strings);
                self.at += 1;
            }
            b'"' => {
                self.begin();
                self.state = State::DoubleQuote;
                self.at += 1;
            }
            b'$' => {
                self.begin();
                return self.dollar();
            }
            b'(' => {
                self.begin();
                self.parentheses += 1;
                self.at += 1;
            }
            b')' => {
                self.begin();
                self.parentheses = self.parentheses.saturating_sub(1);
                self.at += 1;
            }
            b';' => {
                self.at += 1;
                if self.begun && (self.parentheses > 0 || self.words.depth > 0) {
                    return Ok(Step::On);
                }
                if self.begun {
                    // the last piece of a statement comes with its end
                    if let Some(Event::Part(rest)) = self.let_go()? {
                        self.head = rest.to_vec();
                    }
                    return Ok(Step::Event(self.statement()));
                }
            }
            b'\\' => return self.command(),
            _ if is_word(byte) => return self.word(),
            _ => {
                self.begin();
                self.at += 1;
            }
        }
        Ok(Step::On)
    }

    /// `$1`, or the begin of a dollar-quoted string.
    fn dollar(&mut self) -> Result<Step, ScriptError> {
        let mut length = 1;
        loop {
            match self.byte(length) {
                Some(b'$') => {
                    let tag = self.input.get(self.at..=self.at + length).unwrap_or_default().to_vec();
                    self.state = State::Dollar(tag);
                    self.at += length + 1;
                    return Ok(Step::On);
                }
                Some(_) if length > WORD_MAX => return Err(self.error(Problem::TooLong("a dollar quote"))),
                Some(byte) if is_word(byte) && !(length == 1 && byte.is_ascii_digit()) => length += 1,
                None if !self.ended => return Ok(Step::More),
                Some(_) | None => {
                    self.at += 1;
                    return Ok(Step::On);
                }
            }
        }
    }

    fn word(&mut self) -> Result<Step, ScriptError> {
        let mut length = 1;
        while self.byte(length).is_some_and(|byte| is_word(byte) || byte == b'$') {
            length += 1;
            if length > WORD_MAX {
                return Err(self.error(Problem::TooLong("a word")));
            }
        }
        if !self.sees(length + 1) {
            return Ok(Step::More);
        }
        self.begin();
        let word = self.input.get(self.at..self.at + length).unwrap_or_default();
        let escapes = self.byte(length) == Some(b'\'') && matches!(word, b"e" | b"E");
        if escapes {
            self.state = State::Quote(true);
            self.at += length + 1;
            return Ok(Step::On);
        }
        if self.parentheses == 0 {
            let lower = String::from_utf8_lossy(word).to_ascii_lowercase();
            // what the script's end cuts is no word yet
            let is_whole = self.at + length < self.input.len();
            if self.words.count == 0 && is_whole && self.rigour != Rigour::Loose && !check::is_command(&lower) {
                let problem = Problem::NoCommand(lower.chars().take(30).collect());
                return Err(ScriptError { line: self.statement_line, problem });
            }
            self.words.push(&lower);
        }
        self.at += length;
        Ok(Step::On)
    }

    fn statement(&mut self) -> Event {
        let mut text = self.input.split_to(self.at).freeze();
        if !self.head.is_empty() {
            text = std::mem::take(&mut self.head).into();
        }
        self.gone = 0;
        self.statement_count += 1;
        let words = std::mem::take(&mut self.words);
        self.at = 0;
        self.begun = false;
        self.parentheses = 0;
        if words.first == "set" {
            self.note_setting(&text);
        }
        if words.copies_from_stdin {
            self.state = State::CopyLine;
            self.row = Row::of(&text);
        }
        Event::Statement { line: self.statement_line, text, copies_from_stdin: words.copies_from_stdin }
    }

    fn last(&mut self) -> Result<Option<Event>, ScriptError> {
        if self.state == State::LineComment {
            // it is not read twice
            self.state = State::Plain;
            if let Step::Event(event) = self.end_comment()? {
                return Ok(Some(event));
            }
        }
        let Some(error) = self.problem_at_end() else { return Ok(None) };
        if self.rigour != Rigour::Incomplete {
            return Err(error);
        }
        // whoever takes an incomplete script is told once
        self.cut.get_or_insert(error.problem);
        Ok(None)
    }

    fn problem_at_end(&self) -> Option<ScriptError> {
        let within = match &self.state {
            State::Plain | State::LineComment => None,
            State::Quote(_) => Some("a quoted string"),
            State::DoubleQuote => Some("a quoted name"),
            State::Dollar(_) => Some("a dollar-quoted string"),
            State::BlockComment(_) => Some("a comment"),
            State::CopyLine | State::Copy(_) => Some("COPY data"),
        };
        if let Some(within) = within {
            return Some(self.error(Problem::Unfinished(within)));
        }
        if self.begun {
            return Some(ScriptError { line: self.statement_line, problem: Problem::Unfinished("a statement") });
        }
        if self.rigour != Rigour::Loose {
            if let Some(end) = self.marks.missing() {
                return Some(self.error(Problem::NoEnd(end)));
            }
            if self.statement_count == 0 {
                return Some(self.error(Problem::Empty));
            }
        }
        self.restricted.then(|| self.error(Problem::Restrict))
    }
}

/// How far a string reaches: behind the byte that closes it, or to the end of what is there.
fn upto(place: Option<usize>, rest: &[u8]) -> (usize, bool) {
    place.map_or((rest.len(), false), |place| (place + 1, true))
}

enum Step {
    On,
    More,
    Event(Event),
}

/// Letters, digits, the underscore and every byte of a multi-byte character.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests;
