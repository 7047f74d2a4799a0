//! What decoding an archive to its end gave: digests of rows and large objects, and the damage that was met.

use std::collections::{BTreeMap, BTreeSet};

use crate::archive::copy_text::CopyText;
use crate::archive::custom::BlockKind;
use crate::archive::insert_text::InsertReader;
use crate::archive::script;
use crate::archive::toc::{Data, Entry, Toc};
use crate::archive::{FormatError, FormatErrorKind};
use crate::codec::digest::{LargeObjectDigest, LargeObjectSummary, RowDigest, RowSummary};
use crate::error::{Error, ErrorKind, Result};
use crate::reader::{Item, Walk};

use super::FindingKind;

/// INSERT statements are read in pieces of this size: what comes out is a few times larger at most.
const PUSH_MAX: usize = 256 << 10;

/// What decoding gave.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) toc: Option<Toc>,
    /// The entries of a script, which has no table of contents.
    pub(super) script: Option<Vec<script::entries::Entry>>,
    /// Rows by dump id.
    pub(super) rows: BTreeMap<i32, RowSummary>,
    pub(super) large_objects: LargeObjectSummary,
    /// Entries whose data was decoded to its end.
    pub(super) decoded: BTreeSet<i32>,
    pub(super) damage: Vec<Damage>,
    /// Decompressed bytes.
    pub(super) byte_count: u64,
}

/// Something that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) kind: FindingKind,
    /// The entry that it hits, as far as it is known.
    pub(super) dump_id: Option<i32>,
    pub(super) object: String,
    pub(super) detail: String,
}

impl Contents {
    pub(super) fn damaged(
        &mut self,
        kind: FindingKind,
        entry: Option<&Entry>,
        object: &str,
        detail: impl Into<String>,
    ) {
        let object = entry.map_or_else(|| object.to_owned(), entry_name);
        self.damage.push(Damage { kind, dump_id: entry.map(|entry| entry.dump_id), object, detail: detail.into() });
    }

    /// Notes every entry that has data of which nothing was seen.
    pub(super) fn note_missing(&mut self) {
        let Some(toc) = &self.toc else { return };
        let hit: BTreeSet<i32> = self.damage.iter().filter_map(|damage| damage.dump_id).collect();
        let missing: Vec<Damage> = toc
            .entries
            .iter()
            .filter(|entry| entry.data != Data::None)
            .filter(|entry| !self.decoded.contains(&entry.dump_id) && !hit.contains(&entry.dump_id))
            .map(|entry| Damage {
                kind: FindingKind::DataMissing,
                dump_id: Some(entry.dump_id),
                object: entry_name(entry),
                detail: format!("entry {} says that it has data", entry.dump_id),
            })
            .collect();
        self.damage.extend(missing);
    }

    /// How many entries have data.
    pub(super) fn data_entry_count(&self) -> usize {
        let entries = self.toc.as_ref().map_or(&[][..], |toc| &toc.entries);
        entries.iter().filter(|entry| entry.data != Data::None).count()
    }
}

/// `TABLE DATA public.orders`, as `pg_restore -l` calls it.
pub(super) fn entry_name(entry: &Entry) -> String {
    match &entry.schema {
        Some(schema) => format!("{} {schema}.{}", entry.kind, entry.tag),
        None => format!("{} {}", entry.kind, entry.tag),
    }
}

/// The cause in the words of whoever found it.
pub(super) fn cause(error: &Error) -> String {
    error.detail_text().unwrap_or(error.message()).to_owned()
}

/// Rows of one entry while they are read.
pub(super) struct RowReader {
    digest: RowDigest,
    text: Text,
    byte_count: u64,
}

enum Text {
    Copy(CopyText),
    /// With the COPY text that its statements were made of.
    Inserts(Box<InsertReader>, Vec<u8>),
}

impl RowReader {
    pub(super) fn new(entry: &Entry, toc: &Toc) -> Self {
        let text = match entry.copy_statement() {
            Some(_) => Text::Copy(CopyText::new()),
            None => Text::Inserts(Box::new(InsertReader::of(toc)), Vec::new()),
        };
        Self { digest: RowDigest::new(), text, byte_count: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.byte_count += bytes.len() as u64;
        match &mut self.text {
            Text::Copy(text) => text.push(bytes, |rows| {
                self.digest.push(rows);
                Ok(())
            }),
            Text::Inserts(reader, rows) => {
                for part in bytes.chunks(PUSH_MAX) {
                    rows.clear();
                    let rest = reader.push(part, rows)?;
                    self.digest.push(rows);
                    if !rest.is_empty() {
                        return Err(FormatError { offset: self.byte_count, kind: FormatErrorKind::InsertText });
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn byte_count(&self) -> u64 {
        self.byte_count
    }

    /// The rows' summary.
    pub(super) fn finish(self) -> Result<RowSummary, String> {
        match self.text {
            Text::Copy(text) => text.finish(),
            Text::Inserts(reader, _) => reader.finish(),
        }
        .map_err(|error| error.to_string())?;
        self.digest.finish().map_err(|error| error.to_string())
    }
}

enum Current {
    None,
    Rows {
        dump_id: i32,
        reader: Box<RowReader>,
        broken: Option<String>,
    },
    LargeObjects {
        dump_id: i32,
        summary: LargeObjectSummary,
        open: Option<LargeObjectDigest>,
    },
    /// A block that no entry has.
    Stray,
}

/// Decodes a custom archive from its first byte to its last. Behind damage it goes on at the next block that is known.
///
/// Fails only when the bytes cannot be read; the stream is then not read to its end.
pub(super) async fn decode_custom(walk: &mut Walk, contents: &mut Contents) -> Result<()> {
    let toc = match walk.next().await {
        Ok(Some(Item::Head(toc))) => *toc,
        Ok(_) => return Err(Error::new(ErrorKind::Bug, "a walk did not begin with the head")),
        Err(error) if error.kind() == ErrorKind::Archive => {
            contents.damaged(FindingKind::HeadDamaged, None, "archive", cause(&error));
            return walk.drain().await;
        }
        Err(error) => return Err(error),
    };
    let mut starts: BTreeMap<u64, i32> = BTreeMap::new();
    for entry in &toc.entries {
        if let Data::At(offset) = entry.data {
            starts.insert(offset, entry.dump_id);
        }
    }
    contents.toc = Some(toc.clone());
    let mut current = Current::None;
    loop {
        let problem = match walk.next().await {
            Ok(None) => return Ok(()),
            Ok(Some(item)) => {
                take(item, &toc, &mut current, contents);
                continue;
            }
            Err(error) if error.kind() == ErrorKind::Archive => cause(&error),
            Err(error) => return Err(error),
        };
        let dump_id = match std::mem::replace(&mut current, Current::None) {
            Current::Rows { dump_id, .. } | Current::LargeObjects { dump_id, .. } => Some(dump_id),
            // the damage is in the block's first bytes
            Current::None => starts.get(&walk.offset()).copied(),
            Current::Stray => None,
        };
        let entry = dump_id.and_then(|dump_id| toc.entry(dump_id));
        contents.damaged(FindingKind::DataDamaged, entry, "archive", problem);
        match starts.range(walk.position()..).next() {
            Some((offset, _)) => walk.skip_to(*offset).await?,
            None => return walk.drain().await,
        }
    }
}

fn take(item: Item, toc: &Toc, current: &mut Current, contents: &mut Contents) {
    match (item, &mut *current) {
        (Item::Begin { kind, dump_id, offset }, _) => {
            *current = begin(kind, dump_id, offset, toc, contents);
        }
        (Item::Data(bytes), Current::Rows { reader, broken, .. }) => {
            contents.byte_count += bytes.len() as u64;
            if broken.is_none() {
                *broken = reader.push(&bytes).err().map(|error| error.to_string());
            }
        }
        (Item::Data(bytes), Current::LargeObjects { open: Some(open), .. }) => {
            contents.byte_count += bytes.len() as u64;
            open.push(&bytes);
        }
        (Item::LargeObject { oid }, Current::LargeObjects { open, .. }) => *open = Some(LargeObjectDigest::new(oid)),
        (Item::LargeObjectEnd, Current::LargeObjects { summary, open, .. }) => {
            if let Some(open) = open.take() {
                *summary = summary.merge(open.finish());
            }
        }
        (Item::End, _) => end(std::mem::replace(current, Current::None), toc, contents),
        (Item::Data(_) | Item::LargeObject { .. } | Item::LargeObjectEnd | Item::Head(_), _) => {}
    }
}

fn begin(kind: BlockKind, dump_id: i32, offset: u64, toc: &Toc, contents: &mut Contents) -> Current {
    let entry = toc.entry(dump_id);
    let problem = match entry {
        None => Some("no entry has this dump id".to_owned()),
        Some(entry) if entry.data == Data::None => Some("its entry says that it has no data".to_owned()),
        Some(entry) if entry.is_large_objects() != (kind == BlockKind::LargeObjects) => {
            Some("its block is of another kind than its entry".to_owned())
        }
        Some(_) if contents.decoded.contains(&dump_id) => Some("it stands in the archive twice".to_owned()),
        Some(entry) => match entry.data {
            Data::At(expected) if expected != offset => {
                Some(format!("it begins at byte {offset}, its entry says {expected}"))
            }
            Data::At(_) | Data::Unknown | Data::None | Data::File(_) => None,
        },
    };
    if let Some(problem) = problem {
        contents.damaged(FindingKind::DataUnexpected, entry, &format!("data block {dump_id}"), problem);
        return Current::Stray;
    }
    match (entry, kind) {
        (Some(entry), BlockKind::Rows) => {
            Current::Rows { dump_id, reader: Box::new(RowReader::new(entry, toc)), broken: None }
        }
        (_, BlockKind::LargeObjects) => {
            Current::LargeObjects { dump_id, summary: LargeObjectSummary::default(), open: None }
        }
        (None, BlockKind::Rows) => Current::Stray,
    }
}

fn end(current: Current, toc: &Toc, contents: &mut Contents) {
    match current {
        Current::Rows { dump_id, reader, broken } => {
            let result = match broken {
                Some(problem) => Err(problem),
                None => reader.finish(),
            };
            match result {
                Ok(summary) => {
                    contents.decoded.insert(dump_id);
                    contents.rows.insert(dump_id, summary);
                }
                Err(problem) => contents.damaged(FindingKind::DataDamaged, toc.entry(dump_id), "archive", problem),
            }
        }
        Current::LargeObjects { dump_id, summary, .. } => {
            contents.decoded.insert(dump_id);
            contents.large_objects = contents.large_objects.merge(summary);
        }
        Current::None | Current::Stray => {}
    }
}
