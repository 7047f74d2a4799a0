//! The tar format: the files of the directory format, without compression, as members of a ustar archive.
//!
//! Only what pg_dump writes is read: plain members in their one order, each named by the table of contents. Links, PAX and
//! GNU extensions, and sizes that stand anywhere but in the header are refused; no name ever reaches a file system.
//!
//! To write: `toc.dat` first, then for each entry with data, in the order of the table of contents, its rows
//! ([`super::directory::rows_file`]) or its large objects ([`super::directory::large_object_file`]) with their list behind
//! them, then [`SCRIPT_FILE`], each with [`encode_header`] before and [`padding`] behind; [`encode_end`] last.
//! To read: [`Decoder`].

mod decoder;
mod header;
pub mod script;

pub use decoder::{Content, Decoder, Event};
pub use header::encode_header;

/// Headers are one block, and each member's bytes begin at a block.
pub const BLOCK: usize = 512;

/// The script that restores the unpacked files; the last member.
pub const SCRIPT_FILE: &str = "restore.sql";

/// So many zero bytes follow a member of this size.
pub fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

/// Ends the archive: two blocks of zeros.
pub fn encode_end(out: &mut Vec<u8>) {
    out.resize(out.len() + 2 * BLOCK, 0);
}

#[cfg(test)]
mod tests;
