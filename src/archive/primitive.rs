//! Integers, strings and offsets as archives store them.

use crate::record::{decode_text, encode_text};

use super::error::{FormatError, FormatErrorKind};

/// Why a value cannot be read.
#[derive(Debug)]
pub(super) enum Stop {
    /// So many bytes have to be there, counted from the begin of the cursor's bytes.
    More(usize),
    /// The value is malformed; where it begins.
    Bad(usize, FormatErrorKind),
}

impl Stop {
    pub(super) fn at(self, base: u64) -> FormatError {
        match self {
            Self::More(length) => FormatError { offset: base + length as u64, kind: FormatErrorKind::Truncated },
            Self::Bad(position, kind) => FormatError { offset: base + position as u64, kind },
        }
    }
}

/// Reads values from bytes that may not be complete yet. Allocates nothing before the bytes of a value are there.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let end = self.position.saturating_add(length);
        let bytes = self.bytes.get(self.position..end).ok_or(Stop::More(end))?;
        self.position = end;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Stop> {
        let bytes = self.take(1)?;
        bytes.first().copied().ok_or(Stop::More(self.position + 1))
    }

    /// A sign byte, then four bytes of magnitude, least first. Minus zero is refused: nobody writes it.
    pub(super) fn integer(&mut self) -> Result<i32, Stop> {
        let begin = self.position;
        let bytes = self.take(5)?;
        let &[sign, a, b, c, d] = bytes else { return Err(Stop::More(begin + 5)) };
        let magnitude = i64::from(u32::from_le_bytes([a, b, c, d]));
        let value = match sign {
            0 => magnitude,
            1 if magnitude > 0 => -magnitude,
            _ => return Err(Stop::Bad(begin, FormatErrorKind::Integer)),
        };
        i32::try_from(value).map_err(|_| Stop::Bad(begin, FormatErrorKind::Integer))
    }

    /// An integer length, -1 for null, then the bytes.
    pub(super) fn string(&mut self) -> Result<Option<String>, Stop> {
        let begin = self.position;
        let length = match self.integer()? {
            -1 => return Ok(None),
            length => usize::try_from(length).map_err(|_| Stop::Bad(begin, FormatErrorKind::StringLength(length)))?,
        };
        let text = self.position;
        let taken = self.take(length);
        // also of what is there of a text that is not complete: a wrong length is told before all of it has arrived
        let there = taken.as_deref().unwrap_or_else(|_| self.bytes.get(text..).unwrap_or_default());
        if let Some(place) = memchr::memchr(0, there) {
            return Err(Stop::Bad(text + place, FormatErrorKind::ZeroByte));
        }
        taken.map(|bytes| Some(decode_text(bytes)))
    }

    /// A string that may not be null.
    pub(super) fn required(&mut self, field: &'static str) -> Result<String, Stop> {
        let begin = self.position;
        self.string()?.ok_or(Stop::Bad(begin, FormatErrorKind::Null(field)))
    }

    /// A number that is stored as text, in the one form that pg_dump writes.
    pub(super) fn number<T>(&mut self, field: &'static str) -> Result<T, Stop>
    where
        T: std::str::FromStr + ToString,
    {
        let begin = self.position;
        let text = self.required(field)?;
        parse_number(&text).ok_or(Stop::Bad(begin, FormatErrorKind::Number(field)))
    }

    /// An unsigned integer of `size` bytes, least first.
    pub(super) fn unsigned(&mut self, size: u8) -> Result<u64, Stop> {
        let bytes = self.take(usize::from(size))?;
        Ok(bytes.iter().rev().fold(0, |value, &byte| (value << 8) | u64::from(byte)))
    }
}

/// The number, unless the text has another form of it (a sign, a leading zero).
pub(super) fn parse_number<T: std::str::FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|value: &T| value.to_string() == text)
}

pub(super) fn encode_integer(value: i32, out: &mut impl Extend<u8>) {
    out.extend([u8::from(value < 0)]);
    out.extend(value.unsigned_abs().to_le_bytes());
}

pub(super) fn encode_string(text: Option<&str>, out: &mut Vec<u8>) {
    let Some(text) = text else {
        encode_integer(-1, out);
        return;
    };
    let bytes = encode_text(text);
    let length = i32::try_from(bytes.len()).expect("no statement is longer than 2 GiB: the server's limit is 1 GiB");
    encode_integer(length, out);
    out.extend_from_slice(&bytes);
}

pub(super) fn encode_unsigned(value: u64, size: u8, out: &mut Vec<u8>) {
    out.extend(value.to_le_bytes().into_iter().take(usize::from(size)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writes_integers_as_pg_dump_does() {
        for (value, bytes) in [
            (0, [0, 0, 0, 0, 0]),
            (1, [0, 1, 0, 0, 0]),
            (-1, [1, 1, 0, 0, 0]),
            (0x1234, [0, 0x34, 0x12, 0, 0]),
            (i32::MIN, [1, 0, 0, 0, 0x80]),
        ] {
            let mut out = Vec::new();
            encode_integer(value, &mut out);
            assert_eq!(out, bytes, "{value}");
            assert_eq!(Cursor::new(&out).integer().unwrap(), value);
        }
    }

    #[test]
    fn refuses_other_forms_of_integers() {
        for bytes in [[2, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0x80], [1, 1, 0, 0, 0x80]] {
            assert!(matches!(Cursor::new(&bytes).integer(), Err(Stop::Bad(0, FormatErrorKind::Integer))), "{bytes:?}");
        }
    }

    #[test]
    fn tells_null_from_empty() {
        let mut out = Vec::new();
        encode_string(None, &mut out);
        encode_string(Some(""), &mut out);
        let mut cursor = Cursor::new(&out);
        assert_eq!(cursor.string().unwrap(), None);
        assert_eq!(cursor.string().unwrap(), Some(String::new()));
    }

    #[test]
    fn says_how_many_bytes_are_missing() {
        let mut out = Vec::new();
        encode_string(Some("hello"), &mut out);
        assert!(matches!(Cursor::new(&out[..3]).string(), Err(Stop::More(5))));
        assert!(matches!(Cursor::new(&out[..7]).string(), Err(Stop::More(10))));
    }

    proptest! {
        #[test]
        fn gives_back_what_was_written(number in any::<i32>(), text in proptest::option::of("[^\0]{0,40}"), offset in any::<u64>()) {
            let mut out = Vec::new();
            encode_integer(number, &mut out);
            encode_string(text.as_deref(), &mut out);
            encode_unsigned(offset, 8, &mut out);
            let mut cursor = Cursor::new(&out);
            prop_assert_eq!(cursor.integer().unwrap(), number);
            prop_assert_eq!(cursor.string().unwrap(), text);
            prop_assert_eq!(cursor.unsigned(8).unwrap(), offset);
            prop_assert_eq!(cursor.position(), out.len());
        }
    }
}
