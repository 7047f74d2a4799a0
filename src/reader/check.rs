//! Whether the places that a table of contents names hold what it says: asked before anything is done with the archive.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{Archive, Place, damaged, find, missing, read_list};
use crate::archive::custom::{BlockDecoder, BlockEvent, BlockKind};
use crate::archive::toc::{Data, Entry};
use crate::archive::{FormatError, FormatErrorKind, directory};
use crate::codec::compress::Algorithm;
use crate::error::Result;
use crate::transfer::Inlet;

/// Enough for a block's head, the number of a large object, the length of a piece and its first bytes.
const HEAD: u64 = 32;

/// Block heads that are read at the same time: of a store each is a request.
const AT_ONCE: usize = 16;

impl Archive {
    /// Compares what the table of contents says of the data with what is there: every entry with data has a place of its own,
    /// and with `looks` at that place a block or a file of its own begins. The data itself is not read. To be called when the
    /// places are known ([`Archive::locate`]).
    pub async fn check(&self, looks: bool) -> Result<()> {
        match &self.place {
            Place::Custom { inlet, begin, .. } => {
                self.check_flags().map_err(|error| damaged(inlet.key(), error))?;
                let places = self.check_offsets(*begin, inlet.size()).map_err(|error| damaged(inlet.key(), error))?;
                if looks {
                    self.check_blocks(inlet, places).await?;
                }
                Ok(())
            }
            Place::Directory { files, .. } => {
                let toc = files.get(directory::TOC_FILE);
                let wrong = |error: FormatError| match toc {
                    Some(toc) => damaged(&toc.key, error),
                    None => crate::error::Error::new(crate::error::ErrorKind::Archive, error.to_string()),
                };
                self.check_flags().map_err(wrong)?;
                self.check_files(wrong).await
            }
            // its members were read in the order of the table of contents
            Place::Tar { inlet, .. } => self.check_flags().map_err(|error| damaged(inlet.key(), error)),
        }
    }

    fn check_flags(&self) -> Result<(), FormatError> {
        for entry in &self.toc.entries {
            if entry.has_data != (entry.data != Data::None) {
                return Err(FormatError { offset: 0, kind: FormatErrorKind::DataFlag(entry.dump_id) });
            }
        }
        Ok(())
    }

    /// The places in order.
    fn check_offsets(&self, begin: u64, end: u64) -> Result<Vec<(u64, &Entry)>, FormatError> {
        let (mut places, mut seen) = (Vec::new(), BTreeSet::new());
        for entry in &self.toc.entries {
            let Data::At(offset) = entry.data else { continue };
            let bad = |kind| FormatError { offset: begin, kind };
            if !(begin..end).contains(&offset) {
                return Err(bad(FormatErrorKind::DataOffset { dump_id: entry.dump_id, offset }));
            }
            if !seen.insert(offset) {
                return Err(bad(FormatErrorKind::DataTwice(entry.dump_id)));
            }
            places.push((offset, entry));
        }
        places.sort_by_key(|(offset, _)| *offset);
        Ok(places)
    }

    async fn check_blocks(&self, inlet: &Inlet, places: Vec<(u64, &Entry)>) -> Result<()> {
        let algorithm = self.toc.header.compression;
        let looks = places.into_iter().map(|(offset, entry)| async move {
            let end = offset.saturating_add(HEAD).min(inlet.size());
            let bytes = inlet.read(offset..end).await?;
            check_block(bytes, offset, entry, algorithm).map_err(|error| damaged(inlet.key(), error))
        });
        stream::iter(looks).buffered(AT_ONCE).try_collect().await
    }

    async fn check_files(&self, wrong: impl Fn(FormatError) -> crate::error::Error) -> Result<()> {
        let Place::Directory { store, files } = &self.place else { return Ok(()) };
        let mut seen = HashSet::new();
        for entry in &self.toc.entries {
            let Data::File(name) = &entry.data else { continue };
            let is_own = entry.is_large_objects() || *name == directory::rows_file(entry.dump_id);
            if !is_own {
                return Err(wrong(FormatError { offset: 0, kind: FormatErrorKind::FileName(name.clone()) }));
            }
            if !seen.insert(name) {
                return Err(wrong(FormatError { offset: 0, kind: FormatErrorKind::DataTwice(entry.dump_id) }));
            }
            let file = find(files, name, entry)?;
            if entry.is_large_objects() {
                for oid in read_list(store, file).await? {
                    if files.large_object(oid).is_none() {
                        return Err(missing(&directory::large_object_file(oid), entry));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a block of this entry begins here, as far as its first bytes tell.
fn check_block(mut bytes: Bytes, offset: u64, entry: &Entry, algorithm: Algorithm) -> Result<(), FormatError> {
    let mut decoder = BlockDecoder::new(offset);
    let cut = || FormatError { offset, kind: FormatErrorKind::Truncated };
    let Some(BlockEvent::Begin { kind, dump_id }) = decoder.next(&mut bytes)? else { return Err(cut()) };
    if dump_id != entry.dump_id {
        let kind = FormatErrorKind::BlockId { expected: entry.dump_id, found: dump_id };
        return Err(FormatError { offset, kind });
    }
    if (kind == BlockKind::LargeObjects) != entry.is_large_objects() {
        return Err(FormatError { offset, kind: FormatErrorKind::BlockOfOtherKind(entry.kind.clone()) });
    }
    loop {
        match decoder.next(&mut bytes)? {
            Some(BlockEvent::Data(first)) if !is_plausible(&first, algorithm) => {
                return Err(FormatError { offset, kind: FormatErrorKind::NotCompressed(algorithm) });
            }
            Some(BlockEvent::LargeObject { .. } | BlockEvent::LargeObjectEnd) => {}
            Some(BlockEvent::Data(_) | BlockEvent::End | BlockEvent::Begin { .. }) | None => return Ok(()),
        }
    }
}

/// Whether a stream that is compressed so can begin with these bytes.
fn is_plausible(first: &[u8], algorithm: Algorithm) -> bool {
    let begins = |magic: [u8; 4]| first.iter().zip(magic).all(|(one, other)| *one == other);
    let (zstd, lz4) = (begins(0xFD2F_B528_u32.to_le_bytes()), begins(0x184D_2204_u32.to_le_bytes()));
    match (algorithm, first) {
        (Algorithm::Zstd, _) => zstd,
        (Algorithm::Lz4, _) => lz4,
        // the head of a zlib stream: its method, and a sum of both bytes
        (Algorithm::Gzip, [method, flags, ..]) => {
            method & 0x0F == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
        }
        (Algorithm::Gzip, _) => true,
        // text is not like this
        (Algorithm::None, [0x78, 0x9C | 0xDA, ..]) => false,
        (Algorithm::None, _) => first.len() < 4 || !(zstd || lz4),
    }
}
