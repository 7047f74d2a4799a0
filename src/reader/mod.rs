//! Archives opened for reading: from a store or from a path, by ranges, decompressed, in bounded memory.
//!
//! [`Archive`] gives the data of one entry at a time, in any order and by several tasks at once. [`Walk`] goes through a
//! custom archive once, from its first byte to its last.

mod check;
mod files;
mod open;
mod pump;
mod tar;
mod walk;

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use crate::archive::toc::{Data, Entry, Toc};
use crate::archive::{FormatError, FormatErrorKind, directory};
use crate::codec::compress::{Algorithm, Shape};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{ByteStream, Key, Store};
use crate::transfer::Inlet;

use files::Files;

pub use open::{Opened, open_custom, open_directory, open_path, open_path_store, read_directory_head};
pub use pump::Pump;
pub use tar::{open_tar, read_tar_head};
pub use walk::{Item, Walk};

/// An archive, other than plain, whose head has been read.
#[derive(Clone)]
pub struct Archive {
    toc: Arc<Toc>,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Custom {
        inlet: Inlet,
        /// Where the head ends.
        begin: u64,
        /// Where the data blocks begin, in order; the archive's end is the last.
        bounds: Arc<BTreeSet<u64>>,
    },
    Directory {
        store: Arc<dyn Store>,
        files: Arc<Files>,
    },
    Tar {
        inlet: Inlet,
        members: Arc<tar::Members>,
    },
}

/// A file of a directory archive.
#[derive(Clone, Debug)]
pub struct DataFile {
    /// Its name in the store.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// How it is compressed, by its suffix.
    pub algorithm: Algorithm,
}

impl Archive {
    /// The table of contents, with all offsets that are known.
    pub fn toc(&self) -> &Toc {
        &self.toc
    }

    /// The data of an entry, from its first byte.
    ///
    /// Fails when the entry has none, or when its place is unknown (see [`Archive::locate`]).
    pub async fn data(&self, entry: &Entry) -> Result<EntryData> {
        let source = match (&self.place, &entry.data) {
            (Place::Custom { inlet, bounds, .. }, Data::At(offset)) => {
                let end = end_of(bounds, *offset, inlet.size());
                if *offset >= inlet.size() {
                    return Err(damaged(
                        inlet.key(),
                        format!("the data of entry {} begins behind its end", entry.dump_id),
                    ));
                }
                let stream = inlet.stream(*offset..end);
                let algorithm = self.toc.header.compression;
                let key = inlet.key().clone();
                Source::Block(Box::new(Walk::from_block(stream, key, *offset, algorithm, entry.dump_id)))
            }
            (Place::Directory { store, files }, Data::File(name)) => {
                let file = find(files, name, entry)?;
                if entry.is_large_objects() {
                    Source::Files {
                        store: Arc::clone(store),
                        files: Arc::clone(files),
                        left: read_list(store, file).await?,
                        open: None,
                    }
                } else {
                    Source::File(Box::new(FileData::open(store, &file.key, file.algorithm).await?))
                }
            }
            (Place::Tar { inlet, members }, Data::File(_)) if entry.is_large_objects() => {
                let left = members.large_objects.get(&entry.dump_id).into_iter().flatten().rev().cloned().collect();
                Source::Members { inlet: inlet.clone(), left, open: None }
            }
            (Place::Tar { inlet, members }, Data::File(name)) => {
                let place = members.rows.get(&entry.dump_id).ok_or_else(|| missing(name, entry))?;
                Source::Member(inlet.stream(place.clone()))
            }
            (Place::Custom { .. } | Place::Directory { .. } | Place::Tar { .. }, _) => {
                return Err(Error::new(
                    ErrorKind::Bug,
                    format!("the place of the data of entry {} is not known", entry.dump_id),
                ));
            }
        };
        Ok(EntryData { source })
    }

    /// Finds the data blocks of entries without offsets, as archives have that were written to a pipe: reads the whole
    /// file once. Does nothing where all offsets are known.
    pub async fn locate(&mut self) -> Result<()> {
        let Place::Custom { inlet, bounds, begin } = &mut self.place else { return Ok(()) };
        if self.toc.entries.iter().all(|entry| entry.data != Data::Unknown) {
            return Ok(());
        }
        let found = walk::block_offsets(inlet).await?;
        *bounds = Arc::new(found.values().copied().collect());
        let toc = Arc::make_mut(&mut self.toc);
        for entry in &mut toc.entries {
            if entry.data == Data::Unknown {
                let Some(offset) = found.get(&entry.dump_id) else {
                    let kind = FormatErrorKind::DataMissing(entry.dump_id);
                    return Err(damaged(inlet.key(), FormatError { offset: *begin, kind }));
                };
                entry.data = Data::At(*offset);
            }
        }
        Ok(())
    }

    /// Gives entries without offsets those that a manifest has.
    pub fn set_offsets(&mut self, offsets: &HashMap<i32, u64>) {
        let Place::Custom { bounds, .. } = &mut self.place else { return };
        *bounds = Arc::new(bounds.iter().chain(offsets.values()).copied().collect());
        for entry in &mut Arc::make_mut(&mut self.toc).entries {
            if let (Data::Unknown, Some(offset)) = (&entry.data, offsets.get(&entry.dump_id)) {
                entry.data = Data::At(*offset);
            }
        }
    }

    /// The size of an entry's data as it is stored, as far as it is known; large objects of a directory count their list.
    pub fn stored_bytes(&self, entry: &Entry) -> Option<u64> {
        match (&self.place, &entry.data) {
            (Place::Custom { inlet, bounds, .. }, Data::At(offset)) => {
                let end = end_of(bounds, *offset, inlet.size());
                end.checked_sub(*offset)
            }
            (Place::Directory { files, .. }, Data::File(name)) => files.get(name).map(|file| file.size),
            (Place::Tar { members, .. }, Data::File(_)) => members.stored_bytes(entry.dump_id),
            (Place::Custom { .. } | Place::Directory { .. } | Place::Tar { .. }, _) => None,
        }
    }
}

/// Where the data that begins at `offset` ends at the latest.
fn end_of(bounds: &BTreeSet<u64>, offset: u64, size: u64) -> u64 {
    bounds.range((Bound::Excluded(offset), Bound::Unbounded)).next().copied().unwrap_or(size)
}

fn find<'a>(files: &'a Files, name: &str, entry: &Entry) -> Result<&'a DataFile> {
    files.get(name).ok_or_else(|| missing(name, entry))
}

fn missing(name: &str, entry: &Entry) -> Error {
    Error::new(ErrorKind::Archive, format!("file \"{name}\" of the archive is missing"))
        .detail(format!("it holds the data of entry {}, {} {}", entry.dump_id, entry.kind, entry.tag))
}

/// The numbers of the large objects in a list, last first, so that they can be popped.
async fn read_list(store: &Arc<dyn Store>, file: &DataFile) -> Result<Vec<u32>> {
    let mut list = directory::LargeObjectList::default();
    let mut data = FileData::open(store, &file.key, file.algorithm).await?;
    while let Some(bytes) = data.next().await? {
        list.push(&bytes).map_err(|error| damaged(&file.key, error))?;
    }
    let mut oids = list.finish().map_err(|error| damaged(&file.key, error))?;
    oids.reverse();
    Ok(oids)
}

/// The data of one entry, decompressed: rows with their end mark, or large objects.
pub struct EntryData {
    source: Source,
}

enum Source {
    Block(Box<Walk>),
    File(Box<FileData>),
    Files {
        store: Arc<dyn Store>,
        files: Arc<Files>,
        left: Vec<u32>,
        open: Option<Box<FileData>>,
    },
    /// A member with rows.
    Member(ByteStream),
    /// Members with large objects, the last one first.
    Members {
        inlet: Inlet,
        left: Vec<tar::LargeObject>,
        open: Option<ByteStream>,
    },
}

/// A part of an entry's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A large object begins.
    LargeObject {
        /// Its number.
        oid: u32,
    },
    /// Bytes of the rows, or of the large object that began last. Never empty.
    Data(Bytes),
    /// The large object ends.
    LargeObjectEnd,
}

impl EntryData {
    /// The next part; `None` when the data is complete and its end marks were seen.
    pub async fn next(&mut self) -> Result<Option<Part>> {
        match &mut self.source {
            Source::Block(walk) => loop {
                match walk.next().await? {
                    Some(Item::Begin { .. }) => {}
                    Some(Item::LargeObject { oid }) => return Ok(Some(Part::LargeObject { oid })),
                    Some(Item::Data(bytes)) => return Ok(Some(Part::Data(bytes))),
                    Some(Item::LargeObjectEnd) => return Ok(Some(Part::LargeObjectEnd)),
                    // what follows is another entry's, or nothing's
                    Some(Item::End | Item::Head(_)) | None => return Ok(None),
                }
            },
            Source::File(file) => Ok(file.next().await?.map(Part::Data)),
            Source::Member(stream) => Ok(stream.try_next().await?.map(Part::Data)),
            Source::Members { inlet, left, open } => {
                if let Some(stream) = open {
                    if let Some(bytes) = stream.try_next().await? {
                        return Ok(Some(Part::Data(bytes)));
                    }
                    *open = None;
                    return Ok(Some(Part::LargeObjectEnd));
                }
                let Some(object) = left.pop() else { return Ok(None) };
                *open = Some(inlet.stream(object.place));
                Ok(Some(Part::LargeObject { oid: object.oid }))
            }
            Source::Files { store, files, left, open } => {
                if let Some(file) = open {
                    if let Some(bytes) = file.next().await? {
                        return Ok(Some(Part::Data(bytes)));
                    }
                    *open = None;
                    return Ok(Some(Part::LargeObjectEnd));
                }
                let Some(oid) = left.pop() else { return Ok(None) };
                let Some(file) = files.large_object(oid) else {
                    let name = directory::large_object_file(oid);
                    return Err(Error::new(ErrorKind::Archive, format!("file \"{name}\" of the archive is missing")));
                };
                let (key, algorithm) = file?;
                *open = Some(Box::new(FileData::open(store, &key, algorithm).await?));
                Ok(Some(Part::LargeObject { oid }))
            }
        }
    }
}

/// A compressed file as it is read to its end.
struct FileData {
    key: Key,
    stream: ByteStream,
    pump: Option<Pump>,
}

impl FileData {
    async fn open(store: &Arc<dyn Store>, key: &Key, algorithm: Algorithm) -> Result<Self> {
        let inlet = Inlet::open(Arc::clone(store), key).await?;
        let pump = Pump::new(algorithm, Shape::File).map_err(|error| damaged(key, error))?;
        Ok(Self { key: key.clone(), stream: inlet.stream(0..inlet.size()), pump: Some(pump) })
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Some(pump) = &mut self.pump else { return Ok(None) };
            if let Some(bytes) = pump.take().map_err(|error| damaged(&self.key, error))? {
                return Ok(Some(bytes));
            }
            match self.stream.try_next().await? {
                Some(bytes) => pump.feed(bytes),
                None => {
                    if let Some(pump) = self.pump.take() {
                        pump.finish().map_err(|error| damaged(&self.key, error))?;
                    }
                }
            }
        }
    }
}

/// The error for an archive whose bytes are not what they should be.
fn damaged(key: &Key, problem: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Archive, format!("archive \"{key}\" is damaged")).detail(problem.to_string())
}
