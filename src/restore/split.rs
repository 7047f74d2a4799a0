//! Splits an SQL script into statements and COPY data, as psql reads it, without psql's commands.
//!
//! Pure and push-style: bytes in, events out. The only backslash commands that it knows are the `\restrict` pair of
//! pg_dump's scripts and `\connect`; any other one is an error with its line, and nothing is ever run on this machine.

use std::fmt;

use bytes::{Buf as _, Bytes, BytesMut};

/// A part of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A statement with its semicolon, comments before it left out.
    Statement {
        /// The line that it begins on, from 1.
        line: u64,
        /// Its text as it stands.
        text: Bytes,
        /// COPY data follows.
        copies_from_stdin: bool,
    },
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

/// Why a script cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScriptError {
    /// The line, from 1.
    pub(super) line: u64,
    /// What is wrong with it.
    pub(super) problem: Problem,
}

/// What is wrong with a line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// A command of psql.
    Command(String),
    /// `\restrict` and `\unrestrict` do not fit together.
    Restrict,
    /// Something stands behind a COPY on its line.
    AfterCopy,
    /// The script ends within this.
    Unfinished(&'static str),
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        match &self.problem {
            Problem::Command(name) => write!(f, "psql command \\{} is not run", name.escape_debug()),
            Problem::Restrict => write!(f, "\\restrict and \\unrestrict do not make one pair"),
            Problem::AfterCopy => write!(f, "text behind COPY ... FROM stdin on the same line"),
            Problem::Unfinished(what) => write!(f, "the script ends within {what}"),
        }
    }
}

impl std::error::Error for ScriptError {}

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

/// The words that have a say in where a statement ends.
#[derive(Clone, Debug, Default)]
struct Words {
    count: usize,
    first: String,
    last: String,
    /// `create [or replace] function` or `procedure` began the statement.
    is_routine: bool,
    /// Open `begin` and `case` of a routine's SQL body.
    depth: u32,
    copies_from_stdin: bool,
}

impl Words {
    fn push(&mut self, word: &str) {
        if self.count == 0 {
            word.clone_into(&mut self.first);
        }
        if self.count < 4 && self.first == "create" && matches!(word, "function" | "procedure") {
            self.is_routine = true;
        }
        if self.is_routine {
            match word {
                "begin" => self.depth += 1,
                "case" if self.depth > 0 => self.depth += 1,
                "end" => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.first == "copy" && self.last == "from" && word == "stdin" {
            self.copies_from_stdin = true;
        }
        self.count += 1;
        word.clone_into(&mut self.last);
    }
}

/// The splitter. Push bytes, take events until there are none, push more, `finish`.
pub(super) struct Splitter {
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
    /// No more input will come.
    ended: bool,
}

impl Splitter {
    pub(super) fn new() -> Self {
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
            ended: false,
        }
    }

    /// Whether a backslash in a string is one, as long as no statement says otherwise.
    pub(super) fn with_standard_strings(mut self, standard: bool) -> Self {
        self.standard_strings = standard;
        self
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The script is complete.
    pub(super) fn end(&mut self) {
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
    pub(super) fn next(&mut self) -> Result<Option<Event>, ScriptError> {
        loop {
            if matches!(self.state, State::CopyLine | State::Copy(_)) {
                return self.next_copy();
            }
            let Some(byte) = self.byte(0) else {
                return if self.ended { self.last() } else { Ok(None) };
            };
            if byte == b'\n' {
                self.line += 1;
            }
            match &mut self.state {
                State::Plain => match self.plain(byte)? {
                    Step::Event(event) => return Ok(Some(event)),
                    Step::On => {}
                    Step::More => {
                        // the newline is looked at again
                        if byte == b'\n' {
                            self.line -= 1;
                        }
                        return Ok(None);
                    }
                },
                State::Quote(escapes) => {
                    if *escapes && byte == b'\\' {
                        if !self.sees(2) {
                            return Ok(None);
                        }
                        if self.byte(1) == Some(b'\n') {
                            self.line += 1;
                        }
                        self.at += 1;
                    } else if byte == b'\'' {
                        // a doubled quote closes and opens again, which comes to the same
                        self.state = State::Plain;
                    }
                    self.at += 1;
                }
                State::DoubleQuote => {
                    if byte == b'"' {
                        self.state = State::Plain;
                    }
                    self.at += 1;
                }
                State::Dollar(tag) => {
                    if byte == b'$' {
                        let length = tag.len();
                        if self.input.get(self.at..self.at + length).is_some_and(|text| text == tag.as_slice()) {
                            self.state = State::Plain;
                            self.at += length;
                            continue;
                        }
                        if !self.sees(length) {
                            return Ok(None);
                        }
                    }
                    self.at += 1;
                }
                State::LineComment => {
                    if byte == b'\n' {
                        self.state = State::Plain;
                    }
                    self.at += 1;
                }
                State::BlockComment(depth) => {
                    let pair = (byte, self.input.get(self.at + 1).copied());
                    match pair {
                        (b'*' | b'/', None) if !self.ended => return Ok(None),
                        (b'*', Some(b'/')) => {
                            *depth -= 1;
                            if *depth == 0 {
                                self.state = State::Plain;
                            }
                            self.at += 2;
                        }
                        (b'/', Some(b'*')) => {
                            *depth += 1;
                            self.at += 2;
                        }
                        _ => self.at += 1,
                    }
                }
                State::CopyLine | State::Copy(_) => {}
            }
            if !self.begun {
                // what stands before a statement is of no use
                self.input.advance(self.at.min(self.input.len()));
                self.at = 0;
            }
        }
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
                return Ok(self.dollar());
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
                    return Ok(Step::Event(self.statement()));
                }
            }
            b'\\' => return self.command(),
            _ if is_word(byte) => return Ok(self.word()),
            _ => {
                self.begin();
                self.at += 1;
            }
        }
        Ok(Step::On)
    }

    /// `$1`, or the begin of a dollar-quoted string.
    fn dollar(&mut self) -> Step {
        let mut length = 1;
        loop {
            match self.byte(length) {
                Some(b'$') => {
                    let tag = self.input.get(self.at..=self.at + length).unwrap_or_default().to_vec();
                    self.state = State::Dollar(tag);
                    self.at += length + 1;
                    return Step::On;
                }
                Some(byte) if is_word(byte) && !(length == 1 && byte.is_ascii_digit()) => length += 1,
                None if !self.ended => return Step::More,
                Some(_) | None => {
                    self.at += 1;
                    return Step::On;
                }
            }
        }
    }

    fn word(&mut self) -> Step {
        let mut length = 1;
        while self.byte(length).is_some_and(|byte| is_word(byte) || byte == b'$') {
            length += 1;
        }
        if !self.sees(length + 1) {
            return Step::More;
        }
        self.begin();
        let word = self.input.get(self.at..self.at + length).unwrap_or_default();
        let escapes = self.byte(length) == Some(b'\'') && matches!(word, b"e" | b"E");
        let lower = String::from_utf8_lossy(word).to_ascii_lowercase();
        if escapes {
            self.state = State::Quote(true);
            self.at += length + 1;
        } else {
            if self.parentheses == 0 {
                self.words.push(&lower);
            }
            self.at += length;
        }
        Step::On
    }

    fn statement(&mut self) -> Event {
        let text = self.input.split_to(self.at).freeze();
        let words = std::mem::take(&mut self.words);
        self.at = 0;
        self.begun = false;
        self.parentheses = 0;
        if words.first == "set" {
            self.note_setting(&text);
        }
        if words.copies_from_stdin {
            self.state = State::CopyLine;
        }
        Event::Statement { line: self.statement_line, text, copies_from_stdin: words.copies_from_stdin }
    }

    /// `SET standard_conforming_strings = off;` as pg_dump writes it for servers that have it off.
    fn note_setting(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text).to_ascii_lowercase();
        let mut words = text
            .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
            .filter(|word| !word.is_empty() && !matches!(*word, "set" | "session" | "to"));
        if words.next() == Some("standard_conforming_strings") {
            self.standard_strings = matches!(words.next(), Some("on" | "true" | "1" | "yes"));
        }
    }

    fn command(&mut self) -> Result<Step, ScriptError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let length = match memchr::memchr(b'\n', rest) {
            Some(length) => length,
            None if self.ended => rest.len(),
            None => return Ok(Step::More),
        };
        let text = String::from_utf8_lossy(rest.get(1..length).unwrap_or_default()).into_owned();
        let (name, argument) = text.split_once([' ', '\t']).unwrap_or((text.as_str(), ""));
        let (name, argument) = (name.trim_end(), argument.trim());
        if self.begun {
            return Err(self.error(Problem::Command(name.chars().take(30).collect())));
        }
        let event = match name {
            "restrict" | "unrestrict" => {
                let key = argument.as_bytes().to_vec();
                let fits = self.restrict.as_ref().is_none_or(|known| *known == key);
                let is_key = !key.is_empty() && key.iter().all(u8::is_ascii_alphanumeric);
                if !fits || !is_key || self.restricted == (name == "restrict") {
                    return Err(self.error(Problem::Restrict));
                }
                self.restrict = Some(key);
                self.restricted = name == "restrict";
                None
            }
            "connect" | "c" if !self.restricted && !argument.is_empty() => {
                Some(Event::Connect { line: self.line, target: argument.to_owned() })
            }
            _ => return Err(self.error(Problem::Command(name.chars().take(30).collect()))),
        };
        self.input.advance(length);
        self.at = 0;
        Ok(event.map_or(Step::On, Step::Event))
    }

    fn next_copy(&mut self) -> Result<Option<Event>, ScriptError> {
        if self.state == State::CopyLine {
            let Some(end) = memchr::memchr(b'\n', &self.input) else {
                return if self.ended { Err(self.error(Problem::Unfinished("COPY data"))) } else { Ok(None) };
            };
            if self.input.get(..end).is_some_and(|rest| rest.iter().any(|byte| !byte.is_ascii_whitespace())) {
                return Err(self.error(Problem::AfterCopy));
            }
            self.input.advance(end + 1);
            self.line += 1;
            self.state = State::Copy(true);
        }
        if self.state == State::Copy(true) {
            match self.input.as_ref() {
                [b'\\', b'.', b'\n', ..] => return Ok(Some(self.end_copy(3))),
                [b'\\', b'.', b'\r', b'\n', ..] => return Ok(Some(self.end_copy(4))),
                [b'\\', b'.'] | [b'\\', b'.', b'\r'] if self.ended => return Ok(Some(self.end_copy(self.input.len()))),
                // what follows decides
                [] | [b'\\'] | [b'\\', b'.'] | [b'\\', b'.', b'\r'] if !self.ended => return Ok(None),
                _ => {}
            }
        }
        let available = match memchr::memmem::find(&self.input, b"\n\\.") {
            Some(place) => place + 1,
            None if self.input.ends_with(b"\n\\") => self.input.len() - 1,
            None => self.input.len(),
        };
        if available > 0 {
            return Ok(Some(self.hand_out(available)));
        }
        if self.ended { Err(self.error(Problem::Unfinished("COPY data"))) } else { Ok(None) }
    }

    fn end_copy(&mut self, length: usize) -> Event {
        self.input.advance(length);
        self.line += 1;
        self.state = State::Plain;
        Event::CopyEnd
    }

    fn hand_out(&mut self, count: usize) -> Event {
        let data = self.input.split_to(count).freeze();
        self.line += memchr::memchr_iter(b'\n', &data).count() as u64;
        self.state = State::Copy(data.last() == Some(&b'\n'));
        Event::CopyData(data)
    }

    fn last(&mut self) -> Result<Option<Event>, ScriptError> {
        let within = match &self.state {
            State::Plain | State::LineComment => None,
            State::Quote(_) => Some("a quoted string"),
            State::DoubleQuote => Some("a quoted name"),
            State::Dollar(_) => Some("a dollar-quoted string"),
            State::BlockComment(_) => Some("a comment"),
            State::CopyLine | State::Copy(_) => Some("COPY data"),
        };
        if let Some(within) = within {
            return Err(self.error(Problem::Unfinished(within)));
        }
        if self.begun {
            return Err(ScriptError { line: self.statement_line, problem: Problem::Unfinished("a statement") });
        }
        if self.restricted {
            return Err(self.error(Problem::Restrict));
        }
        Ok(None)
    }
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
