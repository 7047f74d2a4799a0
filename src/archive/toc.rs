//! The head of an archive: header and table of contents.
//!
//! Text is held in the form of [`crate::record::decode_text`], so that an archive of any encoding goes through unchanged.

use crate::codec::compress::Algorithm;

use super::version::Version;

/// Header and entries: all of an archive but its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toc {
    /// What stands before the entries.
    pub header: Header,
    /// The entries, in the order of restoring.
    pub entries: Vec<Entry>,
}

impl Toc {
    /// The encoding of texts and rows, by PostgreSQL's name; `None` where the archive does not say it.
    pub fn encoding(&self) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.kind == "ENCODING")?;
        entry.create.as_deref()?.trim().strip_prefix("SET client_encoding = '")?.strip_suffix("';")
    }

    /// Whether the writer could not say where some data lies. Only behind such an archive a second table of contents may
    /// stand.
    pub fn has_unknown_places(&self) -> bool {
        self.entries.iter().any(|entry| entry.data == Data::Unknown)
    }

    /// Whether both are the same but for the places of the data.
    pub fn is_same_but_places(&self, other: &Self) -> bool {
        let mut pairs = self.entries.iter().zip(&other.entries);
        self.header == other.header
            && self.entries.len() == other.entries.len()
            && pairs.all(|(one, two)| {
                Entry { data: Data::None, ..one.clone() } == Entry { data: Data::None, ..two.clone() }
            })
    }

    /// The entry with this dump id.
    pub fn entry(&self, dump_id: i32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.dump_id == dump_id)
    }
}

/// Which of the two layouts an entry's data place has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// One file: entries have offsets.
    Custom,
    /// A directory (or a tar file, whose members are the same files): entries have file names.
    Directory,
}

/// What an archive says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The archive version.
    pub version: Version,
    /// Custom, or directory and tar.
    pub container: Container,
    /// How many bytes an offset has; 8 in all that is written here.
    pub offset_size: u8,
    /// How the data is compressed. Archives before 1.15 tell only whether there is compression, which is gzip then.
    pub compression: Algorithm,
    /// The gzip level that archives before 1.15 store; -1 is the default, 0 is none.
    pub level: i32,
    /// When the dump began.
    pub created: Created,
    /// The database's name.
    pub database: Option<String>,
    /// The server's version, as the server says it.
    pub server_version: Option<String>,
    /// The version of the dump program.
    pub dump_version: Option<String>,
}

/// A local time in the parts of C's `struct tm`: the month counts from 0, the year from 1900.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Created {
    /// 0 to 60.
    pub second: i32,
    /// 0 to 59.
    pub minute: i32,
    /// 0 to 23.
    pub hour: i32,
    /// 1 to 31.
    pub day: i32,
    /// 0 to 11.
    pub month: i32,
    /// Years since 1900.
    pub year: i32,
    /// Daylight saving time: positive is on, 0 is off, negative is unknown.
    pub daylight_saving: i32,
}

impl Created {
    /// The parts of a local time; whether daylight saving time is on is left for the reader to find out.
    pub fn from_local(time: chrono::NaiveDateTime) -> Self {
        use chrono::{Datelike as _, Timelike as _};
        let part = |value: u32| i32::try_from(value).unwrap_or_default();
        Self {
            second: part(time.second()),
            minute: part(time.minute()),
            hour: part(time.hour()),
            day: part(time.day()),
            month: part(time.month0()),
            year: time.year() - 1900,
            daylight_saving: -1,
        }
    }

    /// The local time, when the parts are one.
    pub fn local(&self) -> Option<chrono::NaiveDateTime> {
        let part = |value: i32| u32::try_from(value).ok();
        chrono::NaiveDate::from_ymd_opt(
            self.year.checked_add(1900)?,
            part(self.month)?.checked_add(1)?,
            part(self.day)?,
        )?
        .and_hms_opt(part(self.hour)?, part(self.minute)?, part(self.second)?.min(59))
    }
}

/// The part of a restore that an entry belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Comments, ACLs and the like: the section of what they belong to.
    None,
    /// Definitions before the data.
    PreData,
    /// Table data, large objects, sequence values.
    Data,
    /// Indexes, constraints, triggers, rules.
    PostData,
}

impl Section {
    /// The number in the archive.
    pub const fn code(self) -> i32 {
        match self {
            Self::None => 1,
            Self::PreData => 2,
            Self::Data => 3,
            Self::PostData => 4,
        }
    }

    /// The section with this number.
    pub const fn from_code(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::None),
            2 => Some(Self::PreData),
            3 => Some(Self::Data),
            4 => Some(Self::PostData),
            _ => None,
        }
    }
}

/// One entry of the table of contents: an object's statements, or data.
///
/// `None` and the empty string are different in the archive; pg_dump tells them apart when it restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry's number, positive and unique; dependencies name it.
    pub dump_id: i32,
    /// Whether data belongs to the entry (`COPY` or `INSERT` data, large objects).
    pub has_data: bool,
    /// Object identifier of the system catalog that the object stands in, or 0.
    pub catalog_oid: u32,
    /// The object's own identifier, or 0.
    pub object_oid: u32,
    /// The object's name, as lists show it.
    pub tag: String,
    /// What it is: `TABLE`, `TABLE DATA`, `FK CONSTRAINT` and so on.
    pub kind: String,
    /// The part of a restore it belongs to.
    pub section: Section,
    /// The statements that create it.
    pub create: Option<String>,
    /// The statement that drops it.
    pub drop: Option<String>,
    /// The `COPY ... FROM stdin;` statement before the data.
    pub copy: Option<String>,
    /// The schema it lies in.
    pub schema: Option<String>,
    /// The tablespace to create it in; an empty string is the default one.
    pub tablespace: Option<String>,
    /// The table access method to create it with.
    pub access_method: Option<String>,
    /// `pg_class.relkind` of a relation, from archive version 1.16 on; otherwise none.
    pub relation_kind: Option<u8>,
    /// The owner's name.
    pub owner: Option<String>,
    /// `WITH OIDS`, which servers before 12 knew.
    pub with_oids: bool,
    /// Dump ids of what has to be restored before.
    pub dependencies: Vec<i32>,
    /// Where its data lies.
    pub data: Data,
}

/// Where an entry's data lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// The entry has no data.
    None,
    /// Custom format: the data lies somewhere; the writer could not go back to say where.
    Unknown,
    /// Custom format: the data block begins here, in bytes from the begin of the file.
    At(u64),
    /// Directory format: the file's name, without the suffix that compression adds.
    File(String),
}

impl Entry {
    /// An entry without statements, data or dependencies, to be filled in.
    pub fn new(dump_id: i32, kind: impl Into<String>, tag: impl Into<String>, section: Section) -> Self {
        Self {
            dump_id,
            has_data: false,
            catalog_oid: 0,
            object_oid: 0,
            tag: tag.into(),
            kind: kind.into(),
            section,
            create: None,
            drop: None,
            copy: None,
            schema: None,
            tablespace: None,
            access_method: None,
            relation_kind: None,
            owner: None,
            with_oids: false,
            dependencies: Vec::new(),
            data: Data::None,
        }
    }

    /// What an archive of this version holds of it: older ones have no place for some of it.
    #[must_use]
    pub fn in_version(mut self, version: Version) -> Self {
        if version < Version::V1_14 {
            self.access_method = None;
        }
        if version < Version::V1_16 {
            self.relation_kind = None;
        }
        self
    }

    /// The statement before its rows; `None` where the data itself is statements.
    pub fn copy_statement(&self) -> Option<&str> {
        self.copy.as_deref().filter(|copy| !copy.is_empty())
    }

    /// Whether the data is large objects and not rows.
    pub fn is_large_objects(&self) -> bool {
        self.kind == "BLOBS"
    }
}
