//! pg_dump's archives: the table of contents and the data, read and written, without I/O.
//!
//! Every decoder here is push-style and safe on hostile bytes: it does not panic, and it needs memory within a small
//! multiple of the bytes that it really got. A length that is read is a claim, not a fact.
//!
//! | to write | custom | directory |
//! |---|---|---|
//! | head | [`toc::Toc::encode`] | the same, as [`directory::TOC_FILE`] |
//! | rows | [`custom::encode_block_begin`], [`custom::encode_piece`], [`custom::encode_stream_end`] | a file, [`directory::rows_file`] |
//! | large objects | [`custom::encode_large_object_begin`] and so on | [`directory::encode_large_object_line`] and files |
//!
//! The tar format has the files of a directory as its members: [`tar`].
//!
//! To read: [`Decoder`] for the head, then [`custom::BlockDecoder`], [`crate::codec::compress::Decoder`] and
//! [`copy_text::CopyText`] for the rows.
#![doc = include_str!("FORMAT.md")]

pub mod copy_text;
pub mod custom;
pub mod directory;
mod error;
mod head;
pub mod insert_text;
pub mod list;
pub mod pick;
pub mod plain;
mod primitive;
pub mod script;
pub mod select;
pub mod statement;
pub mod tar;
pub mod toc;
mod version;

pub use error::{FormatError, FormatErrorKind};
pub use head::Decoder;
pub use version::Version;

/// Reserve at most this much before the bytes behind a claimed length have arrived. Not a limit on the value: a view's
/// text may legally be hundreds of MiB.
const RESERVE_MAX: usize = 1 << 20;

/// What a file is, as far as its first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// An archive in the custom format.
    Custom,
    /// A tar file, which is an archive in the tar format, or a packed directory.
    Tar,
    /// Compressed with this algorithm.
    Compressed(crate::codec::compress::Algorithm),
    /// None of these: plain SQL, if anything.
    Other,
}

impl FileKind {
    /// So many first bytes are enough to tell.
    pub const NEEDED: usize = 262;

    /// Tells the kind from the first bytes.
    pub fn of(first: &[u8]) -> Self {
        use crate::codec::compress::Algorithm;
        if first.starts_with(b"PGDMP") {
            Self::Custom
        } else if first.starts_with(&[0x1F, 0x8B]) {
            Self::Compressed(Algorithm::Gzip)
        } else if first.starts_with(&0xFD2F_B528_u32.to_le_bytes()) {
            Self::Compressed(Algorithm::Zstd)
        } else if first.starts_with(&0x184D_2204_u32.to_le_bytes()) {
            Self::Compressed(Algorithm::Lz4)
        } else if first.get(257..262) == Some(b"ustar") {
            Self::Tar
        } else {
            Self::Other
        }
    }
}

/// What else people pack dumps into, which has to be unpacked first; told from the first bytes.
pub fn foreign_packing(first: &[u8]) -> Option<&'static str> {
    let magics: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "a zip file"),
        (b"\xFD7zXZ\0", "an xz file"),
        (b"BZh", "a bzip2 file"),
        (b"7z\xBC\xAF\x27\x1C", "a 7z file"),
        (b"\xFF\xFE", "UTF-16 text"),
        (b"\xFE\xFF", "UTF-16 text"),
    ];
    magics.into_iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
