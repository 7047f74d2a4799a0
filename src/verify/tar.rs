//! Decodes a tar archive in one pass.

use futures_util::TryStreamExt as _;

use crate::archive::FormatError;
use crate::archive::tar::{Content, Decoder, Event};
use crate::archive::toc::Toc;
use crate::codec::digest::{LargeObjectDigest, LargeObjectSummary};
use crate::error::Result;
use crate::store::ByteStream;

use super::FindingKind;
use super::contents::{Contents, RowReader};
use super::file::drain;

/// What is being read.
enum Current {
    None,
    Rows { dump_id: i32, reader: Box<RowReader>, broken: Option<String> },
    LargeObject(LargeObjectDigest),
}

struct Pass<'a> {
    contents: &'a mut Contents,
    current: Current,
    /// The entry whose data is being read or was read last.
    dump_id: Option<i32>,
    /// The large objects of the open entry.
    large_objects: LargeObjectSummary,
}

/// Decodes a tar archive from its first byte to its last. Behind a broken member nothing can be believed, so that its entry and
/// all later ones count as damaged or missing.
///
/// Fails only when the bytes cannot be read; the stream is then not read to its end.
pub(super) async fn decode_tar(mut stream: ByteStream, contents: &mut Contents) -> Result<()> {
    let mut decoder = Decoder::new(None);
    let mut pass =
        Pass { contents, current: Current::None, dump_id: None, large_objects: LargeObjectSummary::default() };
    while let Some(mut input) = stream.try_next().await? {
        loop {
            match decoder.next(&mut input) {
                Ok(Some(event)) => pass.take(event),
                Ok(None) => break,
                Err(error) => {
                    pass.damaged(&error);
                    return drain(stream).await;
                }
            }
        }
    }
    if let Err(error) = decoder.finish() {
        pass.damaged(&error);
    }
    Ok(())
}

impl Pass<'_> {
    fn toc(&self) -> Option<&Toc> {
        self.contents.toc.as_ref()
    }

    fn damaged(&mut self, error: &FormatError) {
        let kind = if self.toc().is_some() { FindingKind::DataDamaged } else { FindingKind::HeadDamaged };
        // between two members it is nobody's in particular
        let open = self.dump_id.filter(|dump_id| !self.contents.decoded.contains(dump_id));
        self.hit(kind, open, error.to_string());
    }

    fn hit(&mut self, kind: FindingKind, dump_id: Option<i32>, problem: String) {
        let entry = dump_id.and_then(|dump_id| self.toc()?.entry(dump_id)).cloned();
        self.contents.damaged(kind, entry.as_ref(), "archive", problem);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Head(toc) => self.contents.toc = Some(*toc),
            Event::Begin { content: Content::Rows { dump_id }, .. } => {
                self.dump_id = Some(dump_id);
                if let Some((toc, entry)) = self.toc().and_then(|toc| Some((toc, toc.entry(dump_id)?))) {
                    let reader = Box::new(RowReader::new(entry, toc));
                    self.current = Current::Rows { dump_id, reader, broken: None };
                }
            }
            Event::Begin { content: Content::LargeObject { dump_id, oid }, .. } => {
                self.dump_id = Some(dump_id);
                self.current = Current::LargeObject(LargeObjectDigest::new(oid));
            }
            Event::Data(bytes) => {
                self.contents.byte_count += bytes.len() as u64;
                match &mut self.current {
                    Current::Rows { reader, broken, .. } if broken.is_none() => {
                        *broken = reader.push(&bytes).err().map(|error| error.to_string());
                    }
                    Current::LargeObject(digest) => digest.push(&bytes),
                    Current::Rows { .. } | Current::None => {}
                }
            }
            Event::End => match std::mem::replace(&mut self.current, Current::None) {
                Current::None => {}
                Current::LargeObject(digest) => self.large_objects = self.large_objects.merge(digest.finish()),
                Current::Rows { dump_id, reader, broken } => match broken.map_or_else(|| reader.finish(), Err) {
                    Ok(summary) => {
                        self.contents.decoded.insert(dump_id);
                        self.contents.rows.insert(dump_id, summary);
                    }
                    Err(problem) => self.hit(FindingKind::DataDamaged, Some(dump_id), problem),
                },
            },
            Event::LargeObjectsEnd { dump_id } => {
                self.dump_id = Some(dump_id);
                self.contents.decoded.insert(dump_id);
                let objects = std::mem::take(&mut self.large_objects);
                self.contents.large_objects = self.contents.large_objects.merge(objects);
            }
        }
    }
}
