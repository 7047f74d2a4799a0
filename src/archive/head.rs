//! The head's bytes: encoding, and decoding while the bytes arrive.

use std::collections::HashSet;

use bytes::{Bytes, BytesMut};

use crate::codec::compress::{Algorithm, Compression};

use super::RESERVE_MAX;
use super::error::{FormatError, FormatErrorKind};
use super::primitive::{Cursor, Stop, encode_integer, encode_string, encode_unsigned, parse_number};
use super::toc::{Container, Created, Data, Entry, Header, Section, Toc};
use super::version::Version;
use super::{custom::OffsetState, directory};

const MAGIC: &[u8; 5] = b"PGDMP";
const INTEGER_SIZE: u8 = 4;
const OFFSET_SIZE: u8 = 8;

impl Container {
    const fn code(self) -> u8 {
        match self {
            Self::Custom => 1,
            // the code of tar: a directory holds the same files
            Self::Directory => 3,
        }
    }
}

const fn algorithm_code(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::None => 0,
        Algorithm::Gzip => 1,
        Algorithm::Lz4 => 2,
        Algorithm::Zstd => 3,
    }
}

impl Header {
    /// A header for an archive that is about to be written.
    ///
    /// Fails when the version has no way to say the compression: before 1.15 there are only none and gzip.
    pub fn new(
        version: Version,
        container: Container,
        compression: Compression,
        created: Created,
    ) -> Result<Self, FormatError> {
        let level = match compression {
            Compression::None => 0,
            // later versions have no place for it
            Compression::Gzip { level } => {
                if version < Version::V1_15 {
                    level
                } else {
                    0
                }
            }
            Compression::Lz4 { .. } | Compression::Zstd { .. } if version < Version::V1_15 => {
                let kind = FormatErrorKind::Compression(algorithm_code(compression.algorithm()));
                return Err(FormatError { offset: 0, kind });
            }
            Compression::Lz4 { .. } | Compression::Zstd { .. } => 0,
        };
        Ok(Self {
            version,
            container,
            offset_size: OFFSET_SIZE,
            compression: compression.algorithm(),
            level,
            created,
            database: None,
            server_version: None,
            dump_version: None,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(MAGIC);
        out.extend([1, self.version.minor(), 0, INTEGER_SIZE, self.offset_size, self.container.code()]);
        if self.version >= Version::V1_15 {
            out.push(algorithm_code(self.compression));
        } else {
            encode_integer(self.level, out);
        }
        let Created { second, minute, hour, day, month, year, daylight_saving } = self.created;
        for part in [second, minute, hour, day, month, year, daylight_saving] {
            encode_integer(part, out);
        }
        for text in [&self.database, &self.server_version, &self.dump_version] {
            encode_string(text.as_deref(), out);
        }
    }

    fn decode(cursor: &mut Cursor<'_>, container: Container) -> Result<Self, Stop> {
        // byte by byte, so that a file of another kind is refused before more of it arrives
        for &expected in MAGIC {
            if cursor.byte()? != expected {
                return Err(Stop::Bad(0, FormatErrorKind::Magic));
            }
        }
        let begin = cursor.position();
        let (major, minor, revision) = (cursor.byte()?, cursor.byte()?, cursor.byte()?);
        let version = Version::ALL
            .into_iter()
            .find(|version| (1, version.minor(), 0) == (major, minor, revision))
            .ok_or(Stop::Bad(begin, FormatErrorKind::Version { major, minor, revision }))?;
        let position = cursor.position();
        match cursor.byte()? {
            INTEGER_SIZE => {}
            size => return Err(Stop::Bad(position, FormatErrorKind::IntegerSize(size))),
        }
        let position = cursor.position();
        let offset_size = match cursor.byte()? {
            size @ 1..=8 => size,
            size => return Err(Stop::Bad(position, FormatErrorKind::OffsetSize(size))),
        };
        let position = cursor.position();
        match cursor.byte()? {
            code if code == container.code() => {}
            code => return Err(Stop::Bad(position, FormatErrorKind::Format(code))),
        }
        let position = cursor.position();
        let (compression, level) = if version >= Version::V1_15 {
            let code = cursor.byte()?;
            let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm_code(*algorithm) == code);
            (algorithm.ok_or(Stop::Bad(position, FormatErrorKind::Compression(code)))?, 0)
        } else {
            match cursor.integer()? {
                0 => (Algorithm::None, 0),
                level => (Algorithm::Gzip, level),
            }
        };
        let created = Created {
            second: cursor.integer()?,
            minute: cursor.integer()?,
            hour: cursor.integer()?,
            day: cursor.integer()?,
            month: cursor.integer()?,
            year: cursor.integer()?,
            daylight_saving: cursor.integer()?,
        };
        Ok(Self {
            version,
            container,
            offset_size,
            compression,
            level,
            created,
            database: cursor.string()?,
            server_version: cursor.string()?,
            dump_version: cursor.string()?,
        })
    }
}

impl Toc {
    /// The head as it stands in the file (custom format) or in `toc.dat` (directory format).
    ///
    /// Its length does not depend on the offsets in [`Data::At`] and is the same for [`Data::Unknown`], so that a writer
    /// can leave room, write the data and come back.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.header.encode(&mut out);
        let count = i32::try_from(self.entries.len()).expect("dump ids are i32 and unique");
        encode_integer(count, &mut out);
        for entry in &self.entries {
            entry.encode(&self.header, &mut out);
        }
        out
    }

    /// Reads a head of which everything is there, as `toc.dat` is; nothing may follow.
    pub fn decode(container: Container, bytes: &[u8]) -> Result<Self, FormatError> {
        let mut decoder = Decoder::new(container);
        let mut input = Bytes::copy_from_slice(bytes);
        match decoder.push(&mut input)? {
            Some(_) if !input.is_empty() => {
                Err(FormatError { offset: decoder.offset(), kind: FormatErrorKind::Trailing })
            }
            Some(toc) => Ok(toc),
            None => Err(FormatError { offset: bytes.len() as u64, kind: FormatErrorKind::Truncated }),
        }
    }
}

impl Entry {
    fn encode(&self, header: &Header, out: &mut Vec<u8>) {
        let string = |text: &Option<String>, out: &mut Vec<u8>| encode_string(text.as_deref(), out);
        encode_integer(self.dump_id, out);
        encode_integer(i32::from(self.has_data), out);
        encode_string(Some(&self.catalog_oid.to_string()), out);
        encode_string(Some(&self.object_oid.to_string()), out);
        encode_string(Some(&self.tag), out);
        encode_string(Some(&self.kind), out);
        encode_integer(self.section.code(), out);
        string(&self.create, out);
        string(&self.drop, out);
        string(&self.copy, out);
        string(&self.schema, out);
        string(&self.tablespace, out);
        if header.version >= Version::V1_14 {
            string(&self.access_method, out);
        }
        if header.version >= Version::V1_16 {
            encode_integer(self.relation_kind.map_or(0, i32::from), out);
        }
        string(&self.owner, out);
        encode_string(Some(if self.with_oids { "true" } else { "false" }), out);
        for dependency in &self.dependencies {
            encode_string(Some(&dependency.to_string()), out);
        }
        encode_string(None, out);
        match header.container {
            Container::Custom => {
                let (state, offset) = match &self.data {
                    Data::None => (OffsetState::NoData, 0),
                    Data::At(offset) => (OffsetState::Known, *offset),
                    // a file name has no place here; what is known is that there is data
                    Data::Unknown | Data::File(_) => (OffsetState::Unknown, 0),
                };
                out.push(state.code());
                encode_unsigned(offset, header.offset_size, out);
            }
            Container::Directory => match &self.data {
                Data::File(name) => encode_string(Some(name), out),
                Data::None | Data::Unknown | Data::At(_) => encode_string(Some(""), out),
            },
        }
    }
}

/// The fields of an entry, in the order of the file.
#[derive(Clone, Copy)]
enum Field {
    DumpId,
    HasData,
    CatalogOid,
    ObjectOid,
    Tag,
    Kind,
    Section,
    Create,
    Drop,
    Copy,
    Schema,
    Tablespace,
    AccessMethod,
    RelationKind,
    Owner,
    WithOids,
    Dependency,
    Data,
}

/// Reads the head of an archive while its bytes arrive.
///
/// Safe on hostile bytes: no panic, and memory within a small multiple of the bytes that were pushed.
pub struct Decoder {
    container: Container,
    /// Bytes that were pushed and are not decoded yet.
    held: BytesMut,
    /// The file's offset of the first held byte.
    base: u64,
    /// Nothing can be decoded before so many bytes are held.
    need: usize,
    header: Option<Header>,
    left: Option<usize>,
    field: Field,
    entry: Entry,
    entries: Vec<Entry>,
    dump_ids: HashSet<i32>,
}

impl Decoder {
    /// Begins at the first byte of the file.
    pub fn new(container: Container) -> Self {
        Self {
            container,
            held: BytesMut::new(),
            base: 0,
            need: 0,
            header: None,
            left: None,
            field: Field::DumpId,
            entry: Entry::new(0, "", "", Section::None),
            entries: Vec::new(),
            dump_ids: HashSet::new(),
        }
    }

    /// Begins where a second table of contents stands, behind the last data block: pg_dump 17 and 18 leave one there when
    /// their output is a file that they did not open themselves. `offset` is its place in the file.
    pub fn second(first: &Toc, offset: u64) -> Self {
        Self { header: Some(first.header.clone()), base: offset, ..Self::new(first.header.container) }
    }

    /// How many bytes were decoded; after the head was given out, its length, where the data begins.
    pub fn offset(&self) -> u64 {
        self.base
    }

    /// Takes bytes. When the head is complete, gives it out and leaves in `input` what follows it.
    pub fn push(&mut self, input: &mut Bytes) -> Result<Option<Toc>, FormatError> {
        self.held.extend_from_slice(input);
        input.clear();
        if self.held.len() < self.need {
            return Ok(None);
        }
        let held = std::mem::take(&mut self.held).freeze();
        let mut used = 0;
        let result = self.decode(&held, &mut used);
        let rest = held.slice(used..);
        let base = self.base;
        self.base += used as u64;
        match result {
            Ok(toc) => {
                *input = rest;
                Ok(Some(toc))
            }
            Err(Stop::More(length)) => {
                // a length may be a lie: what has come is looked at again before twice as much is held
                self.need = (length - used).min(rest.len().max(RESERVE_MAX) * 2);
                self.held = rest.into();
                Ok(None)
            }
            Err(stop @ Stop::Bad(..)) => Err(stop.at(base)),
        }
    }

    /// Fails: the bytes ended before the head did. Says where.
    pub fn truncated(&self) -> FormatError {
        FormatError { offset: self.base + self.held.len() as u64, kind: FormatErrorKind::Truncated }
    }

    /// Decodes value after value; `used` follows, so that nothing is decoded twice.
    fn decode(&mut self, bytes: &[u8], used: &mut usize) -> Result<Toc, Stop> {
        let mut cursor = Cursor::new(bytes);
        if self.header.is_none() {
            self.header = Some(Header::decode(&mut cursor, self.container)?);
            *used = cursor.position();
        }
        let left = match self.left {
            Some(left) => left,
            None => {
                let count = cursor.integer()?;
                let left = usize::try_from(count).map_err(|_| Stop::Bad(*used, FormatErrorKind::EntryCount(count)))?;
                self.entries.reserve(left.min(RESERVE_MAX / size_of::<Entry>()));
                *used = cursor.position();
                *self.left.insert(left)
            }
        };
        while self.entries.len() < left {
            let complete = self.field(&mut cursor)?;
            *used = cursor.position();
            if complete {
                let empty = Entry::new(0, "", "", Section::None);
                self.entries.push(std::mem::replace(&mut self.entry, empty));
            }
        }
        let header = self.header.take().ok_or(Stop::Bad(*used, FormatErrorKind::Trailing))?;
        Ok(Toc { header, entries: std::mem::take(&mut self.entries) })
    }

    /// Decodes the next field; says whether the entry is complete.
    fn field(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, Stop> {
        let begin = cursor.position();
        let bad = |kind| Err(Stop::Bad(begin, kind));
        let (version, offset_size) =
            self.header.as_ref().map_or((Version::NEWEST, OFFSET_SIZE), |header| (header.version, header.offset_size));
        let entry = &mut self.entry;
        self.field = match self.field {
            Field::DumpId => {
                entry.dump_id = cursor.integer()?;
                if entry.dump_id <= 0 || !self.dump_ids.insert(entry.dump_id) {
                    return bad(FormatErrorKind::DumpId(entry.dump_id));
                }
                Field::HasData
            }
            Field::HasData => {
                entry.has_data = match cursor.integer()? {
                    0 => false,
                    1 => true,
                    _ => return bad(FormatErrorKind::Flag("the data flag")),
                };
                Field::CatalogOid
            }
            Field::CatalogOid => {
                entry.catalog_oid = cursor.number("the catalog's oid")?;
                Field::ObjectOid
            }
            Field::ObjectOid => {
                entry.object_oid = cursor.number("the object's oid")?;
                Field::Tag
            }
            Field::Tag => {
                entry.tag = cursor.required("the tag")?;
                Field::Kind
            }
            Field::Kind => {
                entry.kind = cursor.required("the kind")?;
                Field::Section
            }
            Field::Section => {
                let code = cursor.integer()?;
                entry.section = match Section::from_code(code) {
                    Some(section) => section,
                    None => return bad(FormatErrorKind::Section(code)),
                };
                Field::Create
            }
            Field::Create => {
                entry.create = cursor.string()?;
                Field::Drop
            }
            Field::Drop => {
                entry.drop = cursor.string()?;
                Field::Copy
            }
            Field::Copy => {
                entry.copy = cursor.string()?;
                Field::Schema
            }
            Field::Schema => {
                entry.schema = cursor.string()?;
                Field::Tablespace
            }
            Field::Tablespace => {
                entry.tablespace = cursor.string()?;
                if version >= Version::V1_14 { Field::AccessMethod } else { Field::Owner }
            }
            Field::AccessMethod => {
                entry.access_method = cursor.string()?;
                if version >= Version::V1_16 { Field::RelationKind } else { Field::Owner }
            }
            Field::RelationKind => {
                entry.relation_kind = match cursor.integer()? {
                    0 => None,
                    code => match u8::try_from(code) {
                        Ok(letter) if letter.is_ascii_alphabetic() => Some(letter),
                        _ => return bad(FormatErrorKind::RelationKind(code)),
                    },
                };
                Field::Owner
            }
            Field::Owner => {
                entry.owner = cursor.string()?;
                Field::WithOids
            }
            Field::WithOids => {
                entry.with_oids = match cursor.string()?.as_deref() {
                    Some("true") => true,
                    Some("false") => false,
                    _ => return bad(FormatErrorKind::Flag("WITH OIDS")),
                };
                Field::Dependency
            }
            Field::Dependency => match cursor.string()? {
                None => Field::Data,
                Some(text) => {
                    let Some(dependency) = parse_number(&text) else {
                        return bad(FormatErrorKind::Number("a dependency"));
                    };
                    entry.dependencies.push(dependency);
                    Field::Dependency
                }
            },
            Field::Data => {
                entry.data = match self.container {
                    Container::Custom => decode_offset(cursor, offset_size)?,
                    Container::Directory => match cursor.string()?.as_deref() {
                        None => return bad(FormatErrorKind::Null("the file name")),
                        Some("") => Data::None,
                        Some(name) if directory::is_entry_file(name) => Data::File(name.to_owned()),
                        Some(name) => return bad(FormatErrorKind::FileName(name.to_owned())),
                    },
                };
                self.field = Field::DumpId;
                return Ok(true);
            }
        };
        Ok(false)
    }
}

fn decode_offset(cursor: &mut Cursor<'_>, offset_size: u8) -> Result<Data, Stop> {
    let begin = cursor.position();
    let code = cursor.byte()?;
    let state = OffsetState::from_code(code).ok_or(Stop::Bad(begin, FormatErrorKind::OffsetState(code)))?;
    let offset = cursor.unsigned(offset_size)?;
    match state {
        OffsetState::Known => Ok(Data::At(offset)),
        OffsetState::Unknown | OffsetState::NoData if offset != 0 => {
            Err(Stop::Bad(begin, FormatErrorKind::UnusedOffset(offset)))
        }
        OffsetState::Unknown => Ok(Data::Unknown),
        OffsetState::NoData => Ok(Data::None),
    }
}
