//! Rows as INSERT statements: COPY text in, statements out, and back again.
//!
//! Rows are always read by COPY, and their digest is that of COPY text, whichever form the archive has them in. What is
//! written is what pg_dump writes (PostgreSQL documentation, "pg_dump", `--inserts`), byte for byte. [`InsertReader`] gives the
//! COPY text back, so that rows which were dumped as statements can be counted and compared.

use super::error::{FormatError, FormatErrorKind};
use super::statement;
use super::toc::Toc;
use crate::object::InsertForm;
use crate::record::encode_text;

/// What stands behind the last row of an entry.
pub const INSERTS_END: &[u8] = b"\n\n";

/// What every statement begins with.
pub const INSERT_BEGIN: &[u8] = b"INSERT INTO ";

/// A word that is longer than this is no keyword.
const WORD_MAX: usize = 16;

/// Encodings whose characters may have a byte behind the first that looks like a backslash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wide {
    /// Every encoding that a server can have, and most others.
    #[default]
    No,
    /// SJIS and `SHIFT_JIS_2004`: two bytes, but for the half-width kana.
    ShiftJis,
    /// JOHAB: two bytes, or three behind a single shift.
    Johab,
    /// Two bytes; the four of GB18030 are two pairs of a high byte and a digit.
    Pairs,
}

impl Wide {
    /// By PostgreSQL's name of the encoding.
    pub fn of(encoding: &str) -> Self {
        match encoding {
            "SJIS" | "SHIFT_JIS_2004" => Self::ShiftJis,
            "JOHAB" => Self::Johab,
            "BIG5" | "GBK" | "UHC" | "GB18030" => Self::Pairs,
            _ => Self::No,
        }
    }

    /// How many bytes belong to the character that begins with this one, without it.
    const fn behind(self, first: u8) -> usize {
        match (self, first) {
            (Self::No, _) | (_, 0..=0x7F) | (Self::ShiftJis, 0xA1..=0xDF) => 0,
            (Self::Johab, 0x8F) => 2,
            (Self::ShiftJis | Self::Johab | Self::Pairs, _) => 1,
        }
    }
}

/// How a column's values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal {
    /// As it is, in quotes where it is none: `NaN`, `Infinity`.
    Number,
    /// `B'101'`
    Bits,
    /// `true` or `false`.
    Boolean,
    /// In quotes.
    Text,
}

impl Literal {
    /// By the oid of the type, which is no domain.
    pub const fn of_type(oid: u32) -> Self {
        match oid {
            // int8, int2, int4, oid, float4, float8, numeric
            20 | 21 | 23 | 26 | 700 | 701 | 1700 => Self::Number,
            // bit, varbit
            1560 | 1562 => Self::Bits,
            16 => Self::Boolean,
            _ => Self::Text,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    /// Before a row.
    Row,
    /// Before a value.
    Field,
    /// Behind a backslash that began a value.
    FieldEscape,
    /// Behind `\N`.
    Null,
    /// Inside a value.
    Value,
    /// Behind a backslash inside a value.
    Escape,
}

/// Makes INSERT statements of COPY text that arrives in pieces of any size, in an encoding that is not [`Wide`]. Of a
/// value it holds no more than a number.
#[derive(Debug)]
pub struct InsertWriter {
    form: InsertForm,
    literals: Vec<Literal>,
    state: Writing,
    /// The value's place among those that COPY gives.
    field: usize,
    /// The value's place in the statement.
    slot: usize,
    rows: u32,
    held: Vec<u8>,
}

impl InsertWriter {
    /// Begins; `literals` has one for each column that COPY gives.
    pub fn new(form: InsertForm, literals: Vec<Literal>) -> Self {
        Self { form, literals, state: Writing::Row, field: 0, slot: 0, rows: 0, held: Vec::new() }
    }

    fn literal(&self) -> Literal {
        self.literals.get(self.field).copied().unwrap_or(Literal::Text)
    }

    /// Takes COPY text and adds statements to `out`.
    ///
    /// # Errors
    ///
    /// When it is no COPY text of this table.
    pub fn push(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), FormatError> {
        let mut rest = text;
        while let Some((first, behind)) = rest.split_first() {
            match self.state {
                Writing::Row => {
                    self.begin_row(out);
                    self.state = Writing::Field;
                    continue;
                }
                Writing::Field if *first == b'\\' => self.state = Writing::FieldEscape,
                Writing::FieldEscape if *first == b'N' => self.state = Writing::Null,
                Writing::Field | Writing::FieldEscape => {
                    // a line of a table without columns has no value, and neither has one whose columns are all generated
                    if !self.literals.is_empty() {
                        self.begin_value(out);
                    }
                    self.state = if self.state == Writing::Field { Writing::Value } else { Writing::Escape };
                    continue;
                }
                Writing::Null => {
                    out.extend_from_slice(b"NULL");
                    self.delimiter(*first, out)?;
                }
                Writing::Value => {
                    let end = rest.iter().position(|byte| b"\t\n\\'".contains(byte)).unwrap_or(rest.len());
                    let (plain, behind) = rest.split_at(end);
                    self.append(plain, out);
                    rest = behind;
                    let Some((special, behind)) = rest.split_first() else { break };
                    match special {
                        b'\t' | b'\n' => {
                            if !self.literals.is_empty() {
                                self.end_value(out);
                            }
                            self.delimiter(*special, out)?;
                        }
                        b'\\' => self.state = Writing::Escape,
                        _ => self.append(b"''", out),
                    }
                    rest = behind;
                    continue;
                }
                Writing::Escape => {
                    let byte = match first {
                        b'b' => 0x08,
                        b'f' => 0x0C,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'v' => 0x0B,
                        other => *other,
                    };
                    self.append(&[byte], out);
                    self.state = Writing::Value;
                }
            }
            rest = behind;
        }
        Ok(())
    }

    fn begin_row(&mut self, out: &mut Vec<u8>) {
        if self.rows == 0 {
            out.extend_from_slice(&encode_text(&self.form.begin));
        }
        (self.field, self.slot) = (0, 0);
        if self.form.defaults.is_empty() {
            return;
        }
        out.extend_from_slice(match (self.form.rows_per_statement, self.rows) {
            (1, _) => b" (",
            (_, 0) => b"\n\t(",
            (_, _) => b",\n\t(",
        });
        self.write_defaults(out);
    }

    /// The generated columns before the next value.
    fn write_defaults(&mut self, out: &mut Vec<u8>) {
        while let Some(is_default) = self.form.defaults.get(self.slot) {
            if self.slot > 0 {
                out.extend_from_slice(b", ");
            }
            if !is_default {
                break;
            }
            out.extend_from_slice(b"DEFAULT");
            self.slot += 1;
        }
    }

    fn begin_value(&mut self, out: &mut Vec<u8>) {
        match self.literal() {
            Literal::Text => out.push(b'\''),
            Literal::Bits => out.extend_from_slice(b"B'"),
            Literal::Number | Literal::Boolean => self.held.clear(),
        }
    }

    fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.literal() {
            Literal::Text | Literal::Bits => out.extend_from_slice(bytes),
            Literal::Number | Literal::Boolean => self.held.extend_from_slice(bytes),
        }
    }

    fn end_value(&mut self, out: &mut Vec<u8>) {
        let is_number = |byte: &u8| byte.is_ascii_digit() || b" +-eE.".contains(byte);
        match self.literal() {
            Literal::Text | Literal::Bits => out.push(b'\''),
            Literal::Boolean => out.extend_from_slice(if self.held == b"t" { b"true" } else { b"false" }),
            Literal::Number if self.held.iter().all(is_number) => out.extend_from_slice(&self.held),
            Literal::Number => {
                out.push(b'\'');
                out.extend_from_slice(&self.held);
                out.push(b'\'');
            }
        }
    }

    /// What follows a value: another one, or the row's end.
    fn delimiter(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if !self.literals.is_empty() {
            self.slot += 1;
            self.field += 1;
            self.write_defaults(out);
        }
        let is_full = self.field == self.literals.len();
        match byte {
            b'\t' if !is_full => self.state = Writing::Field,
            b'\n' if is_full => {
                self.end_row(out);
                self.state = Writing::Row;
            }
            _ => return Err(FormatError { offset: 0, kind: FormatErrorKind::InsertText }),
        }
        Ok(())
    }

    fn end_row(&mut self, out: &mut Vec<u8>) {
        if self.form.defaults.is_empty() {
            return;
        }
        out.push(b')');
        self.rows += 1;
        if self.rows >= self.form.rows_per_statement {
            self.end_statement(out);
        }
    }

    fn end_statement(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.rows) > 0 {
            out.extend_from_slice(if self.form.skip_conflicts { b" ON CONFLICT DO NOTHING;\n" } else { b";\n" });
        }
    }

    /// Ends the last statement.
    ///
    /// # Errors
    ///
    /// When the COPY text ended within a row.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.end_statement(out);
        match self.state {
            Writing::Row => Ok(()),
            Writing::Field | Writing::FieldEscape | Writing::Null | Writing::Value | Writing::Escape => {
                Err(FormatError { offset: 0, kind: FormatErrorKind::InsertText })
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reading {
    /// Between statements; so much of [`INSERT_BEGIN`] was read.
    Between(usize),
    /// Between `INSERT INTO` and `VALUES`; inside a quoted name, and inside how many parentheses.
    Head { quoted: bool, depth: u32 },
    /// Between rows.
    Rows,
    /// In what follows the rows, up to the semicolon.
    Tail,
    /// Before a value.
    Value,
    /// In a word or a number.
    Word,
    /// Inside quotes.
    Text,
    /// Behind a backslash inside quotes, where it escapes.
    Escape,
    /// So many bytes of a character are still to come.
    Character(usize),
    /// Behind a quote that may be the value's last.
    Quote,
    /// Behind a value.
    Behind,
}

/// Makes COPY text of INSERT statements that arrive in pieces of any size. Holds no more than a word.
#[derive(Debug)]
pub struct InsertReader {
    wide: Wide,
    standard_strings: bool,
    state: Reading,
    word: Vec<u8>,
    /// The last word before `VALUES` was `DEFAULT`.
    is_default: bool,
    /// Values of the row that are there, those that are `DEFAULT` left out.
    values: usize,
    offset: u64,
}

impl InsertReader {
    /// Begins. `standard_strings` is how the archive's strings are written.
    pub fn new(wide: Wide, standard_strings: bool) -> Self {
        Self {
            wide,
            standard_strings,
            state: Reading::Between(0),
            word: Vec::new(),
            is_default: false,
            values: 0,
            offset: 0,
        }
    }

    /// Begins for this archive's data.
    pub fn of(toc: &Toc) -> Self {
        Self::new(Wide::of(toc.encoding().unwrap_or_default()), statement::quote(toc).standard_strings)
    }

    /// Takes statements and adds COPY text to `out`; returns what follows the last statement and is none.
    ///
    /// # Errors
    ///
    /// When a statement is not what pg_dump writes.
    pub fn push<'a>(&mut self, text: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], FormatError> {
        let mut rest = text;
        while let Some((first, behind)) = rest.split_first() {
            match &mut self.state {
                Reading::Between(0) if *first == b'\n' => {}
                Reading::Between(matched) if INSERT_BEGIN.get(*matched) == Some(first) => {
                    *matched += 1;
                    if *matched == INSERT_BEGIN.len() {
                        self.state = Reading::Head { quoted: false, depth: 0 };
                        self.is_default = false;
                        self.word.clear();
                    }
                }
                Reading::Between(0) => return Ok(rest),
                Reading::Head { quoted, depth } => {
                    match (*quoted, first) {
                        (true, b'"') => *quoted = false,
                        (true, _) => {}
                        (false, b'"') => *quoted = true,
                        (false, b'(') => *depth += 1,
                        (false, b')') => *depth = depth.saturating_sub(1),
                        (false, _) => {}
                    }
                    let is_outside = !*quoted && *depth == 0;
                    if is_outside && first.is_ascii_uppercase() && self.word.len() < WORD_MAX {
                        self.word.push(*first);
                    } else {
                        // a name that is not quoted has no upper-case letters
                        let is_end = matches!(first, b' ' | b'\n' | b';');
                        match (self.word.as_slice(), is_end && is_outside) {
                            (b"DEFAULT", true) => self.is_default = true,
                            (b"VALUES", true) if self.is_default => {
                                out.push(b'\n');
                                self.state = if *first == b';' { Reading::Between(0) } else { Reading::Tail };
                            }
                            (b"VALUES", true) => self.state = Reading::Rows,
                            _ => {}
                        }
                        self.word.clear();
                    }
                }
                Reading::Rows => match first {
                    b' ' | b'\n' | b'\t' | b',' => {}
                    b'(' => {
                        self.state = Reading::Value;
                        self.values = 0;
                    }
                    b';' => self.state = Reading::Between(0),
                    b'O' => self.state = Reading::Tail,
                    _ => return Err(self.wrong()),
                },
                Reading::Tail if *first == b';' => self.state = Reading::Between(0),
                Reading::Tail if first.is_ascii_uppercase() || *first == b' ' => {}
                Reading::Value => match first {
                    b' ' => {}
                    b'\'' => self.begin_text(out),
                    _ => {
                        self.word.clear();
                        self.state = Reading::Word;
                        continue;
                    }
                },
                Reading::Word => match first {
                    b',' | b')' => {
                        self.end_word(out);
                        self.state = Reading::Behind;
                        continue;
                    }
                    b'\'' if self.word == b"B" => self.begin_text(out),
                    b'\'' | b'(' | b';' | b'"' | b'\n' => return Err(self.wrong()),
                    // the longest number has more digits than a word letters
                    byte if self.word.len() < 1 << 20 => self.word.push(*byte),
                    _ => return Err(self.wrong()),
                },
                Reading::Text => {
                    let end = rest.iter().position(|byte| self.is_special(*byte)).unwrap_or(rest.len());
                    let (plain, behind) = rest.split_at(end);
                    out.extend_from_slice(plain);
                    let Some((special, behind)) = behind.split_first() else {
                        self.offset += rest.len() as u64;
                        return Ok(&[]);
                    };
                    match special {
                        b'\'' => self.state = Reading::Quote,
                        b'\\' if !self.standard_strings => self.state = Reading::Escape,
                        high if *high >= 0x80 => {
                            out.push(*high);
                            self.state = Reading::Character(self.wide.behind(*high));
                        }
                        other => push_copied(*other, out),
                    }
                    self.offset += (rest.len() - behind.len()) as u64;
                    rest = behind;
                    continue;
                }
                Reading::Escape => {
                    push_copied(*first, out);
                    self.state = Reading::Text;
                }
                Reading::Character(left) => {
                    out.push(*first);
                    *left -= 1;
                    if *left == 0 {
                        self.state = Reading::Text;
                    }
                }
                Reading::Quote if *first == b'\'' => {
                    out.push(b'\'');
                    self.state = Reading::Text;
                }
                Reading::Quote => {
                    self.state = Reading::Behind;
                    continue;
                }
                Reading::Behind => match first {
                    b',' => self.state = Reading::Value,
                    b')' => {
                        out.push(b'\n');
                        self.state = Reading::Rows;
                    }
                    _ => return Err(self.wrong()),
                },
                Reading::Between(_) | Reading::Tail => return Err(self.wrong()),
            }
            self.offset += 1;
            rest = behind;
        }
        Ok(rest)
    }

    fn is_special(&self, byte: u8) -> bool {
        matches!(byte, b'\'' | b'\\' | 0x08..=0x0D) || self.wide.behind(byte) > 0
    }

    fn begin_text(&mut self, out: &mut Vec<u8>) {
        self.begin_value(out);
        self.state = Reading::Text;
    }

    fn begin_value(&mut self, out: &mut Vec<u8>) {
        if self.values > 0 {
            out.push(b'\t');
        }
        self.values += 1;
    }

    fn end_word(&mut self, out: &mut Vec<u8>) {
        let word = std::mem::take(&mut self.word);
        if word == b"DEFAULT" {
            return;
        }
        self.begin_value(out);
        out.extend_from_slice(match word.as_slice() {
            b"NULL" => b"\\N",
            b"true" => b"t",
            b"false" => b"f",
            number => number,
        });
    }

    fn wrong(&self) -> FormatError {
        FormatError { offset: self.offset, kind: FormatErrorKind::InsertText }
    }

    /// Whether nothing of a statement has begun.
    pub fn is_between(&self) -> bool {
        self.state == Reading::Between(0)
    }

    /// Fails when the text ended within a statement.
    ///
    /// # Errors
    ///
    /// Then.
    pub fn finish(&self) -> Result<(), FormatError> {
        if self.is_between() { Ok(()) } else { Err(self.wrong()) }
    }
}

/// A character as COPY text has it.
fn push_copied(byte: u8, out: &mut Vec<u8>) {
    let escaped = match byte {
        0x08 => b'b',
        0x0C => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x0B => b'v',
        b'\\' => b'\\',
        plain => {
            out.push(plain);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', escaped]);
}

#[cfg(test)]
mod tests;
