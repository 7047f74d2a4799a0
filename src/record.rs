//! Rows of the system catalogs as they come over the wire: columns by name, values as text.
//!
//! **Text that is not UTF-8.** A dump carries the server's own bytes; a `SQL_ASCII` database has names that are no
//! UTF-8. [`decode_text`] keeps valid UTF-8 as it is and maps every other byte `b` to the noncharacter-plane code point
//! `U+10FF00 + b`; [`encode_text`] maps back. Text that really holds one of those code points is mapped byte by byte, so
//! that the pair loses nothing on any input.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

const ESCAPE_BASE: u32 = 0x0010_FF00;
const ESCAPE_FIRST: u32 = ESCAPE_BASE + 0x80;
const ESCAPE_LAST: u32 = ESCAPE_BASE + 0xFF;

fn is_escape(character: char) -> bool {
    (ESCAPE_FIRST..=ESCAPE_LAST).contains(&u32::from(character))
}

fn push_escaped(bytes: &[u8], out: &mut String) {
    for &byte in bytes {
        out.push(match char::from_u32(ESCAPE_BASE + u32::from(byte)) {
            Some(escaped) if byte >= 0x80 => escaped,
            _ => char::from(byte),
        });
    }
}

/// The bytes as a string that [`encode_text`] turns back into the same bytes.
pub fn decode_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    push_text(bytes, &mut out);
    out
}

fn push_text(bytes: &[u8], out: &mut String) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains(is_escape)
    {
        out.push_str(text);
        return;
    }
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_escape(character) {
                push_escaped(character.encode_utf8(&mut [0; 4]).as_bytes(), out);
            } else {
                out.push(character);
            }
        }
        push_escaped(chunk.invalid(), out);
    }
}

/// The bytes that [`decode_text`] was given.
pub fn encode_text(text: &str) -> Cow<'_, [u8]> {
    if !text.contains(is_escape) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(u32::from(character).wrapping_sub(ESCAPE_BASE)) {
            Ok(byte) if byte >= 0x80 => out.push(byte),
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(out)
}

/// A value of a catalog row is not what its column should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The column's name in the query.
    pub column: String,
    /// What was expected, and what was found.
    pub problem: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column \"{}\": {}", self.column, self.problem)
    }
}

impl std::error::Error for DecodeError {}

/// One row: column names shared by the whole result, values in text form.
///
/// The values of a row lie in one piece of text: catalogs have hundreds of thousands of rows, and most values a few bytes.
#[derive(Debug, Clone)]
pub struct Record {
    columns: Arc<[String]>,
    text: Box<str>,
    spans: Box<[Option<Span>]>,
    /// The column behind the one that was asked for last: most rows are read from left to right.
    next: Cell<usize>,
}

/// Where a value stands in the text of its row.
#[derive(Debug, Clone, Copy)]
struct Span {
    begin: u32,
    /// The end, and one more: so the whole fits where nothing is.
    past_end: NonZeroU32,
}

impl Record {
    /// A row of these values, one a column.
    ///
    /// # Errors
    ///
    /// A row's text of 4 GiB or more; no message of a server is so long.
    pub fn new(columns: Arc<[String]>, values: &[Option<&[u8]>]) -> Result<Self, DecodeError> {
        let mut text = String::with_capacity(values.iter().flatten().map(|value| value.len()).sum());
        let mut spans = Vec::with_capacity(values.len());
        for value in values {
            let Some(bytes) = *value else {
                spans.push(None);
                continue;
            };
            let begin = u32::try_from(text.len());
            push_text(bytes, &mut text);
            let past_end = u32::try_from(text.len() + 1).ok().and_then(NonZeroU32::new);
            let (Ok(begin), Some(past_end)) = (begin, past_end) else {
                return Err(Self::fail("", "the row is too long"));
            };
            spans.push(Some(Span { begin, past_end }));
        }
        Ok(Self { columns, text: text.into_boxed_str(), spans: spans.into_boxed_slice(), next: Cell::new(0) })
    }

    /// A row for tests: pairs of column and value.
    pub fn from_pairs(pairs: &[(&str, Option<&str>)]) -> Self {
        let columns = pairs.iter().map(|(name, _)| (*name).to_owned()).collect();
        let values: Vec<Option<&[u8]>> = pairs.iter().map(|(_, value)| value.map(str::as_bytes)).collect();
        Self::new(columns, &values).expect("a test's row is short")
    }

    fn value(&self, index: usize) -> Option<Option<&str>> {
        let Some(span) = self.spans.get(index)? else { return Some(None) };
        let (begin, end) = (usize::try_from(span.begin).ok()?, usize::try_from(span.past_end.get() - 1).ok()?);
        self.text.get(begin..end).map(Some)
    }

    /// The column's names, in the query's order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    fn fail(column: &str, problem: impl Into<String>) -> DecodeError {
        DecodeError { column: column.to_owned(), problem: problem.into() }
    }

    /// The value, or `None` for null.
    pub fn optional(&self, column: &str) -> Result<Option<&str>, DecodeError> {
        self.position(column)
            .and_then(|index| self.value(index))
            .ok_or_else(|| Self::fail(column, "is not in the result"))
    }

    fn position(&self, column: &str) -> Option<usize> {
        let (before, behind) = self.columns.split_at_checked(self.next.get()).unwrap_or((&self.columns, &[]));
        let index = match behind.iter().position(|name| name == column) {
            Some(index) => before.len() + index,
            None => before.iter().position(|name| name == column)?,
        };
        self.next.set(index + 1);
        Some(index)
    }

    /// The value; null is an error.
    pub fn text(&self, column: &str) -> Result<&str, DecodeError> {
        self.optional(column)?.ok_or_else(|| Self::fail(column, "is null"))
    }

    /// The value as an owned string; null is an error.
    pub fn string(&self, column: &str) -> Result<String, DecodeError> {
        self.text(column).map(str::to_owned)
    }

    /// The value as an owned string, or `None` for null.
    pub fn optional_string(&self, column: &str) -> Result<Option<String>, DecodeError> {
        Ok(self.optional(column)?.map(str::to_owned))
    }

    /// Anything that parses: `oid` as `u32`, `int2` to `int8`, `float4`.
    pub fn number<T: std::str::FromStr>(&self, column: &str) -> Result<T, DecodeError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| Self::fail(column, format!("{text:?} is not a number that fits")))
    }

    /// A number, or `None` for null.
    pub fn optional_number<T: std::str::FromStr>(&self, column: &str) -> Result<Option<T>, DecodeError> {
        match self.optional(column)? {
            Some(_) => self.number(column).map(Some),
            None => Ok(None),
        }
    }

    /// An object identifier.
    pub fn oid(&self, column: &str) -> Result<u32, DecodeError> {
        self.number(column)
    }

    /// A `boolean` in its text form `t` or `f`.
    pub fn boolean(&self, column: &str) -> Result<bool, DecodeError> {
        match self.text(column)? {
            "t" => Ok(true),
            "f" => Ok(false),
            other => Err(Self::fail(column, format!("{other:?} is not a boolean"))),
        }
    }

    /// A `"char"` value: its one character, or NUL for the empty one.
    pub fn letter(&self, column: &str) -> Result<char, DecodeError> {
        Ok(self.text(column)?.chars().next().unwrap_or('\0'))
    }

    /// A one-dimensional array in its text form; null elements stay `None`.
    pub fn array(&self, column: &str) -> Result<Vec<Option<String>>, DecodeError> {
        match self.optional(column)? {
            None => Ok(Vec::new()),
            Some(text) => decode_array(text).ok_or_else(|| Self::fail(column, "is not an array in text form")),
        }
    }

    /// A one-dimensional array without null elements; a null array is the empty one.
    pub fn strings(&self, column: &str) -> Result<Vec<String>, DecodeError> {
        self.array(column)?
            .into_iter()
            .map(|element| element.ok_or_else(|| Self::fail(column, "has a null element")))
            .collect()
    }

    /// An `oidvector`, `int2vector` or an array of numbers; null is empty.
    pub fn numbers<T: std::str::FromStr>(&self, column: &str) -> Result<Vec<T>, DecodeError> {
        let Some(text) = self.optional(column)? else { return Ok(Vec::new()) };
        text.trim_matches(['{', '}'])
            .split([',', ' '])
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().map_err(|_| Self::fail(column, format!("{part:?} is not a number that fits"))))
            .collect()
    }
}

/// A one-dimensional array's text form.
pub fn encode_array(values: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let escaped = |value: &str| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    let elements: Vec<String> = values.into_iter().map(|value| escaped(value.as_ref())).collect();
    format!("{{{}}}", elements.join(","))
}

/// Splits a one-dimensional array's text form (PostgreSQL documentation, "Array Input and Output Syntax").
///
/// `None` when the text is no such thing.
pub fn decode_array(text: &str) -> Option<Vec<Option<String>>> {
    let body = match text.strip_prefix('[') {
        // an explicit lower bound, as in `[0:2]={...}`
        Some(rest) => rest.split_once("]=")?.1,
        None => text,
    };
    let body = body.strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    if body.is_empty() {
        return Some(elements);
    }
    let mut characters = body.chars().peekable();
    loop {
        let mut element = String::new();
        let quoted = characters.peek() == Some(&'"');
        if quoted {
            characters.next();
            loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => element.push(characters.next()?),
                    other => element.push(other),
                }
            }
        } else {
            while let Some(&character) = characters.peek() {
                match character {
                    ',' => break,
                    '{' | '}' | '"' => return None,
                    '\\' => {
                        characters.next();
                        element.push(characters.next()?);
                    }
                    other => {
                        element.push(other);
                        characters.next();
                    }
                }
            }
        }
        elements.push(if !quoted && element.eq_ignore_ascii_case("null") { None } else { Some(element) });
        match characters.next() {
            None => return Some(elements),
            Some(',') => {}
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_valid_text_readable() {
        assert_eq!(decode_text("Zürich".as_bytes()), "Zürich");
    }

    proptest! {
        #[test]
        fn gives_back_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let text = decode_text(&bytes);
            prop_assert_eq!(encode_text(&text).into_owned(), bytes);
        }
    }

    #[test]
    fn gives_back_text_that_looks_like_an_escape() {
        let bytes = "\u{10FF80}x\u{10FFFF}".as_bytes();
        assert_eq!(encode_text(&decode_text(bytes)).as_ref(), bytes);
    }

    #[test]
    fn splits_arrays_with_quotes_and_nulls() {
        let array = decode_array(r#"{a,NULL,"NULL","q\"\\","b,c",""}"#).unwrap();
        let expected = [Some("a"), None, Some("NULL"), Some("q\"\\"), Some("b,c"), Some("")];
        assert_eq!(array, expected.map(|element| element.map(str::to_owned)));
        assert_eq!(decode_array("{}").unwrap(), []);
        assert_eq!(decode_array("[0:1]={1,2}").unwrap().len(), 2);
        assert_eq!(decode_array("{{1},{2}}"), None);
        assert_eq!(decode_array("{\"a"), None);
    }

    #[test]
    fn names_the_column_that_does_not_fit() {
        let record = Record::from_pairs(&[("relname", Some("t")), ("relacl", None)]);
        assert_eq!(record.text("relname").unwrap(), "t");
        assert_eq!(record.text("relacl").unwrap_err().to_string(), "column \"relacl\": is null");
        assert_eq!(
            record.oid("relname").unwrap_err().to_string(),
            "column \"relname\": \"t\" is not a number that fits"
        );
        assert_eq!(record.optional("other").unwrap_err().to_string(), "column \"other\": is not in the result");
    }
}
