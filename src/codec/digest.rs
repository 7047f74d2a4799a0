//! Digests: SHA-256 of files, and the order-independent digest of a table's rows.

use sha2::Digest as _;
use std::fmt;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::CodecError;

/// A running SHA-256.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Nothing digested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was pushed.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// The digest in lower-case hexadecimal, as `sha256sum` prints it.
    pub fn finish_hex(self) -> String {
        hex::encode(self.finish())
    }

    /// The digest of bytes that are all there.
    pub fn of(bytes: &[u8]) -> [u8; 32] {
        sha2::Sha256::digest(bytes).into()
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256")
    }
}

/// What is known of a table's rows: how many, how long, and their digest.
///
/// The digest is the sum modulo 2^128 of the XXH3-128 of each row's COPY text line without its newline. It does not
/// depend on the order of the rows, and the summaries of two disjoint parts add up to the summary of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowSummary {
    /// Rows, which are lines.
    pub row_count: u64,
    /// Bytes of COPY text, newlines included.
    pub byte_count: u64,
    /// The sum of the rows' digests.
    pub digest: u128,
}

impl RowSummary {
    /// The summary of both parts together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            row_count: self.row_count.saturating_add(other.row_count),
            byte_count: self.byte_count.saturating_add(other.byte_count),
            digest: self.digest.wrapping_add(other.digest),
        }
    }

    /// The digest as 32 hexadecimal digits.
    pub fn digest_hex(&self) -> String {
        format!("{:032x}", self.digest)
    }
}

/// Computes a [`RowSummary`] from COPY text that arrives in pieces of any size.
///
/// Memory does not grow with the length of a row.
pub struct RowDigest {
    summary: RowSummary,
    /// The row that began in an earlier piece.
    open: Option<Box<Xxh3>>,
    /// Kept for the next row that is split, because the state is large.
    spare: Option<Box<Xxh3>>,
}

impl RowDigest {
    /// No rows yet.
    pub fn new() -> Self {
        Self { summary: RowSummary::default(), open: None, spare: None }
    }

    /// Adds COPY text; a row may be split anywhere between two pieces.
    pub fn push(&mut self, mut text: &[u8]) {
        self.summary.byte_count += text.len() as u64;
        if let Some(mut state) = self.open.take() {
            let Some(end) = memchr::memchr(b'\n', text) else {
                state.update(text);
                self.open = Some(state);
                return;
            };
            let (last, rest) = text.split_at(end);
            state.update(last);
            self.add(state.digest128());
            state.reset();
            self.spare = Some(state);
            text = rest.get(1..).unwrap_or_default();
        }
        let mut begin = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            self.add(xxh3_128(text.get(begin..end).unwrap_or_default()));
            begin = end + 1;
        }
        if let Some(tail) = text.get(begin..)
            && !tail.is_empty()
        {
            let mut state = self.spare.take().unwrap_or_else(|| Box::new(Xxh3::new()));
            state.update(tail);
            self.open = Some(state);
        }
    }

    fn add(&mut self, row: u128) {
        self.summary.row_count += 1;
        self.summary.digest = self.summary.digest.wrapping_add(row);
    }

    /// Rows that are complete so far.
    pub fn row_count(&self) -> u64 {
        self.summary.row_count
    }

    /// The summary; fails when the last row has no newline.
    pub fn finish(self) -> Result<RowSummary, CodecError> {
        if self.open.is_some() { Err(CodecError::UnfinishedRow) } else { Ok(self.summary) }
    }
}

impl Default for RowDigest {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RowDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowDigest").field("summary", &self.summary).field("inside_row", &self.open.is_some()).finish()
    }
}

/// What is known of large objects: how many, how long, and their digest.
///
/// The digest is the sum modulo 2^128, over all large objects, of the XXH3-128 of: the oid in decimal, a newline, the
/// content's XXH3-128 as 32 lower-case hexadecimal digits. Two disjoint sets add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LargeObjectSummary {
    /// How many.
    pub count: u64,
    /// Their contents' bytes.
    pub byte_count: u64,
    /// The sum.
    pub digest: u128,
}

impl LargeObjectSummary {
    /// The summary of both sets together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            byte_count: self.byte_count.saturating_add(other.byte_count),
            digest: self.digest.wrapping_add(other.digest),
        }
    }
}

/// Computes the summary of one large object whose content arrives in pieces of any size.
pub struct LargeObjectDigest {
    oid: u32,
    byte_count: u64,
    content: Box<Xxh3>,
}

impl LargeObjectDigest {
    /// Begins with the first byte of the large object.
    pub fn new(oid: u32) -> Self {
        Self { oid, byte_count: 0, content: Box::new(Xxh3::new()) }
    }

    /// Adds content.
    pub fn push(&mut self, bytes: &[u8]) {
        self.byte_count += bytes.len() as u64;
        self.content.update(bytes);
    }

    /// The summary of this one.
    pub fn finish(self) -> LargeObjectSummary {
        let line = format!("{}\n{:032x}", self.oid, self.content.digest128());
        LargeObjectSummary { count: 1, byte_count: self.byte_count, digest: xxh3_128(line.as_bytes()) }
    }
}

impl fmt::Debug for LargeObjectDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LargeObjectDigest")
            .field("oid", &self.oid)
            .field("byte_count", &self.byte_count)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn summary_of(text: &[u8]) -> RowSummary {
        let mut digest = RowDigest::new();
        digest.push(text);
        digest.finish().unwrap()
    }

    #[test]
    fn hashes_as_sha256sum_does() {
        let mut digest = Sha256::new();
        digest.push(b"a");
        digest.push(b"bc");
        assert_eq!(digest.finish_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn counts_rows_and_bytes() {
        let summary = summary_of(b"1\tx\n\n2\t\\N\n");
        assert_eq!((summary.row_count, summary.byte_count), (3, 10));
        let expected = xxh3_128(b"1\tx").wrapping_add(xxh3_128(b"")).wrapping_add(xxh3_128(b"2\t\\N"));
        assert_eq!(summary.digest, expected);
    }

    #[test]
    fn does_not_depend_on_order() {
        assert_eq!(summary_of(b"a\nb\n"), summary_of(b"b\na\n"));
        assert_ne!(summary_of(b"a\nb\n").digest, summary_of(b"a\nc\n").digest);
    }

    #[test]
    fn large_objects_differ_by_number_and_by_content() {
        let of = |oid, pieces: &[&[u8]]| {
            let mut digest = LargeObjectDigest::new(oid);
            pieces.iter().for_each(|piece| digest.push(piece));
            digest.finish()
        };
        let one = of(16_400, &[b"large", b"", b" object"]);
        assert_eq!(one, of(16_400, &[b"large object"]));
        assert_eq!((one.count, one.byte_count), (1, 12));
        let line = format!("16400\n{:032x}", xxh3_128(b"large object"));
        assert_eq!(one.digest, xxh3_128(line.as_bytes()));
        let swapped = of(1, &[b"a"]).merge(of(2, &[b"b"]));
        assert_ne!(swapped.digest, of(1, &[b"b"]).merge(of(2, &[b"a"])).digest);
    }

    #[test]
    fn refuses_a_row_without_end() {
        let mut digest = RowDigest::new();
        digest.push(b"a\nb");
        assert_eq!(digest.finish(), Err(CodecError::UnfinishedRow));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same(rows in proptest::collection::vec("[a-z]{0,300}", 0..40), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20)) {
            let text: Vec<u8> = rows.iter().flat_map(|row| format!("{row}\n").into_bytes()).collect();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.sort_unstable();
            let mut digest = RowDigest::new();
            let mut begin = 0;
            for place in places {
                digest.push(&text[begin..place]);
                begin = place;
            }
            digest.push(&text[begin..]);
            prop_assert_eq!(digest.finish().unwrap(), summary_of(&text));
        }

        #[test]
        fn parts_add_up(first in "([a-z]{0,9}\n){0,9}", second in "([a-z]{0,9}\n){0,9}") {
            let whole = summary_of(format!("{first}{second}").as_bytes());
            prop_assert_eq!(summary_of(first.as_bytes()).merge(summary_of(second.as_bytes())), whole);
        }
    }
}
