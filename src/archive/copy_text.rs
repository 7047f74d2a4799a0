//! The rows inside an entry's data: COPY text up to the line `\.`, then empty lines.

use super::error::{FormatError, FormatErrorKind};

/// What pg_dump writes behind the rows.
pub const COPY_END: &[u8] = b"\\.\n\n\n";

/// A line of its own: `\.`
const END_LINE: &[u8; 4] = b"\n\\.\n";

/// Tells the rows from the end mark, in data that arrives in pieces of any size.
///
/// No row can look like the end mark: COPY text writes a backslash as two (PostgreSQL documentation, COPY, "Text
/// Format").
#[derive(Debug)]
pub struct CopyText {
    /// How much of [`END_LINE`] stands before the current place. The begin of the data counts as a newline.
    matched: usize,
    ended: bool,
    offset: u64,
}

impl CopyText {
    /// Begins at the first row.
    pub fn new() -> Self {
        Self { matched: 1, ended: false, offset: 0 }
    }

    /// Hands the text of rows in `input` to `take`; fails when anything but empty lines follows the end mark.
    pub fn push<E: From<FormatError>>(
        &mut self,
        input: &[u8],
        take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let rest = self.push_rows(input, take)?;
        if let Some(place) = rest.iter().position(|byte| *byte != b'\n') {
            let offset = self.offset + place as u64;
            return Err(FormatError { offset, kind: FormatErrorKind::CopyEnd }.into());
        }
        self.offset += rest.len() as u64;
        Ok(())
    }

    /// Hands the text of rows in `input` to `take` and returns what follows the end mark: more of a plain dump.
    pub fn push_rows<'a, E>(
        &mut self,
        mut input: &'a [u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        while !input.is_empty() && !self.ended {
            let used = match self.matched {
                0 => self.search(input, &mut take)?,
                matched if input.first() == END_LINE.get(matched) => {
                    self.matched += 1;
                    self.ended = self.matched == END_LINE.len();
                    1
                }
                matched => {
                    take(END_LINE.get(1..matched).unwrap_or_default())?;
                    self.matched = 0;
                    0
                }
            };
            self.offset += used as u64;
            input = input.get(used..).unwrap_or_default();
        }
        Ok(input)
    }

    /// Whether the end mark was seen.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Hands on all up to the next possible end mark; returns how much of `input` that was.
    fn search<E>(&mut self, input: &[u8], take: &mut impl FnMut(&[u8]) -> Result<(), E>) -> Result<usize, E> {
        let (rows, used) = match memchr::memmem::find(input, b"\n\\.") {
            Some(place) => {
                self.matched = 3;
                (place + 1, place + 3)
            }
            None if input.ends_with(b"\n\\") => {
                self.matched = 2;
                (input.len() - 1, input.len())
            }
            None => {
                self.matched = usize::from(input.ends_with(b"\n"));
                (input.len(), input.len())
            }
        };
        take(input.get(..rows).unwrap_or_default())?;
        Ok(used)
    }

    /// Fails when the end mark did not come.
    pub fn finish(&self) -> Result<(), FormatError> {
        if self.ended { Ok(()) } else { Err(FormatError { offset: self.offset, kind: FormatErrorKind::CopyEnd }) }
    }
}

impl Default for CopyText {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(pieces: &[&[u8]]) -> Result<Vec<u8>, FormatError> {
        let mut text = CopyText::new();
        let mut rows = Vec::new();
        for piece in pieces {
            text.push::<FormatError>(piece, |bytes| {
                rows.extend_from_slice(bytes);
                Ok(())
            })?;
        }
        text.finish()?;
        Ok(rows)
    }

    #[test]
    fn stops_at_the_end_mark() {
        assert_eq!(rows(&[b"1\ta\n2\tb\n\\.\n\n\n"]).unwrap(), b"1\ta\n2\tb\n");
        assert_eq!(rows(&[b"\\.\n\n\n"]).unwrap(), b"");
        assert_eq!(rows(&[b"\n\n\\.\n"]).unwrap(), b"\n\n");
    }

    #[test]
    fn takes_backslashes_for_data() {
        let data = b"\\N\n\\\\.\n\\.x\n.\nx\\.\n";
        assert_eq!(rows(&[data, COPY_END]).unwrap(), data);
    }

    #[test]
    fn refuses_data_without_end_or_behind_it() {
        for pieces in [&b"1\n"[..], b"", b"1\n\\.", b"1\\.\n\n\n", b"\\.\n\n\n1\n", b"\\.\n\\.\n"] {
            assert!(rows(&[pieces]).is_err(), "{pieces:?}");
        }
        let error = rows(&[b"1\n\\.\n", b"\n;"]).unwrap_err();
        assert_eq!(error, FormatError { offset: 6, kind: FormatErrorKind::CopyEnd });
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(lines in proptest::collection::vec("[a\\\\.]{0,4}", 0..12), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let data: Vec<u8> = lines.iter().filter(|line| *line != "\\.").flat_map(|line| format!("{line}\n").into_bytes()).collect();
            let whole = [data.as_slice(), COPY_END].concat();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(whole.len() + 1)).chain([0, whole.len()]).collect();
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &whole[pair[0]..pair[1]]).collect();
            prop_assert_eq!(rows(&pieces).unwrap(), data);
        }
    }
}
