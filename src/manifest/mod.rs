//! The manifest: what one backup is, holds and must restore to.
//!
//! It is the last thing that a backup writes, and what list, verify, restore, prune and status go by. [`encode`] and
//! [`decode`] are its stored form; a manifest that a newer version wrote in a form that this one does not know is refused
//! as such, never half understood.

mod condition;
mod digest;
pub mod evidence;
pub mod expected;
mod label;
pub mod layout;
pub mod recovery;
pub mod seal;
mod summary;
mod v1;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use condition::Condition;
pub use digest::{NotADigest, RowSum, Sha256};
pub use evidence::Evidence;
pub use expected::Expected;
pub use label::{CLOCK_TOLERANCE, Label, NotALabel, check_clock, label};
pub use summary::Summary;
pub use v1::{FORMAT_VERSION, decode, decode_summary, encode};

/// All that is known of one backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The backup's name.
    pub id: Label,
    /// The version of the program that wrote it.
    pub tool_version: String,
    /// Whether everything that was asked for is in it.
    pub state: State,
    /// What was backed up.
    pub source: Source,
    /// The moment that the backup shows.
    pub snapshot: Snapshot,
    /// The options as they could be typed again; never a secret.
    pub options: Vec<String>,
    /// Why it is not the whole database: the options that leave something out. Empty for a whole one.
    pub filters: Vec<String>,
    /// Those options stand in the configuration: what they leave is this database's normal backup.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub are_filters_usual: bool,
    /// It holds password hashes or other secrets (`--role-passwords`).
    pub has_secrets: bool,
    /// What was left out because this program cannot dump it yet.
    pub skipped: Vec<Skipped>,
    /// What the person should know, as it was printed.
    pub warnings: Vec<String>,
    /// Why the source looked wrong, where the state is [`State::Suspect`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspicions: Vec<String>,
    /// Patterns of tables whose rows come and go; they are not compared with an earlier backup.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volatile: Vec<String>,
    /// The archive.
    pub archive: Archive,
    /// Every file of the backup but the manifest itself, by path.
    pub files: Vec<File>,
    /// The tables whose rows the archive holds, in the archive's order.
    pub tables: Vec<Table>,
    /// The large objects, when the archive holds any.
    pub large_objects: Option<LargeObjects>,
    /// What a restored database must have.
    pub expected: Expected,
    /// How long it took.
    pub timings: Timings,
}

/// Whether everything that was asked for is in the backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Everything is.
    #[default]
    Complete,
    /// Objects were left out with `--allow-unsupported`; the manifest names them.
    Partial,
    /// Something is wrong with the source rather than with the backup: it is empty, or has lost rows or tables. It is kept,
    /// but never counts as a good one unless it is accepted.
    Suspect,
}

/// What was backed up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `pg_control_system().system_identifier` in decimal; `None` where the role may not read it.
    pub system_identifier: Option<String>,
    /// `pg_database.oid`.
    pub database_oid: u32,
    /// The database's name.
    pub database: String,
    /// Where the server was reached: `host:port` or the socket's folder.
    pub server: String,
    /// `server_version`, as the server says it.
    pub server_version: String,
    /// `server_version_num`.
    pub server_version_number: u32,
    /// `pg_encoding_to_char(encoding)`.
    pub encoding: String,
    /// `datcollate`.
    pub collate: String,
    /// `datctype`.
    pub ctype: String,
    /// `datlocprovider`: `libc`, `icu` or `builtin`.
    pub locale_provider: String,
    /// The locale of a provider other than libc.
    pub locale: Option<String>,
    /// `lc_monetary` of the rows, where the database can have amounts of money; they are in the locale C otherwise.
    #[serde(default)]
    pub monetary: Option<String>,
    /// The server was a standby.
    pub standby: bool,
    /// `pg_database_size()`.
    pub database_bytes: u64,
}

impl Source {
    /// What makes two backups ones of the same database: the cluster and the database's oid within it. Where the
    /// cluster's identity could not be read, the server's address stands for it.
    pub fn identity(&self) -> String {
        let cluster = self.system_identifier.as_deref().unwrap_or(&self.server);
        format!("{cluster}/{}/{}", self.database_oid, self.database)
    }
}

/// The moment that the backup shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The server's clock when the snapshot was taken.
    pub time: DateTime<Utc>,
    /// The write-ahead log's position then (`0/3000060`); `None` where the role may not read it.
    pub lsn: Option<String>,
}

/// An object that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skipped {
    /// Its kind and name.
    pub object: String,
    /// Why.
    pub reason: String,
}

/// The archive's form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// pg_dump's custom format, one file.
    #[default]
    Custom,
    /// pg_dump's directory format.
    Directory,
    /// pg_dump's tar format, one file.
    Tar,
    /// SQL text.
    Plain,
}

/// The archive within the backup.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Its form.
    pub format: Format,
    /// The path within the backup's folder: `archive.dump`, `archive`, `archive.tar` or `archive.sql.zst`.
    pub path: String,
    /// As `-Z` takes it: `none`, `gzip:6`, `zstd:3`, `lz4:1`.
    pub compression: String,
    /// The archive's version (`1.16`); `None` for plain.
    pub version: Option<String>,
    /// The oldest major of pg_restore (or of psql) that reads it.
    pub reader_major: u32,
    /// Entries in the table of contents.
    pub entry_count: u64,
    /// It has `CREATE DATABASE` (`-C`, or always for an archive).
    pub creates_database: bool,
    /// It holds rows.
    pub has_data: bool,
    /// It holds definitions.
    pub has_schema: bool,
    /// The encoding of its texts and rows, by PostgreSQL's name; `None` is the database's own.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Its rows are INSERT statements. What is told of them here is about the COPY text that the statements were made of.
    #[serde(default)]
    pub inserts: bool,
    /// `extra_float_digits` while its rows were read; `None` is 3. Below 1 numbers are not exact.
    #[serde(default)]
    pub float_digits: Option<i8>,
}

/// One file of the backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Relative to the backup's folder.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Of the whole file.
    pub sha256: Sha256,
    /// The length of every segment but the last, in bytes; 0 where there are no segments.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub segment_size: u64,
    /// Of each segment in order, so that a part can be checked alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Sha256>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The rows of one table in the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `pg_class.oid` on the source.
    pub oid: u32,
    /// The dump id of its data's entry.
    pub dump_id: i32,
    /// The columns in the order of the COPY lines.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: u64,
    /// Bytes of COPY text, newlines included.
    pub bytes: u64,
    /// The sum of the rows' digests.
    pub digest: RowSum,
    /// Where its data block begins in the custom archive; `None` in other formats.
    pub offset: Option<u64>,
    /// Its file in the directory archive, or its member of the tar archive; `None` in other formats.
    pub file: Option<String>,
    /// The part of the table that is in the archive, when a filter narrows it.
    pub condition: Option<String>,
}

/// The large objects of the archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LargeObjects {
    /// How many.
    pub count: u64,
    /// Their contents' bytes.
    pub bytes: u64,
    /// The sum modulo 2^128, over all large objects, of XXH3-128 of: the oid in decimal, a newline, the content's
    /// XXH3-128 as 32 lower-case hexadecimal digits.
    pub digest: RowSum,
    /// Where the data blocks begin in the custom archive, by dump id of their entry.
    pub offsets: BTreeMap<i32, u64>,
}

/// How long it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timings {
    /// By this host's clock.
    pub begun: DateTime<Utc>,
    /// By this host's clock; shortly before the manifest was written.
    pub finished: DateTime<Utc>,
    /// Milliseconds by phase, in the order in which they began.
    pub phases: Vec<PhaseTime>,
}

/// How long one phase took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseTime {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub milliseconds: u64,
}

impl Manifest {
    /// Whether nothing was left out of it, neither on request nor because it could not be dumped.
    pub fn is_whole(&self) -> bool {
        self.filters.is_empty() && self.skipped.is_empty() && self.state != State::Partial
    }

    /// Whether it was made with the word that rows and tables may be fewer than before (`--accept-shrink`).
    pub fn accepts_shrink(&self) -> bool {
        self.options.iter().any(|option| option == "--accept-shrink")
    }

    /// The encoding of the archive's texts and rows.
    pub fn encoding(&self) -> &str {
        self.archive.encoding.as_deref().unwrap_or(&self.source.encoding)
    }

    /// The sum of its files, without the manifest itself.
    pub fn stored_bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }

    /// The rows of all tables.
    pub fn row_count(&self) -> u64 {
        self.tables.iter().fold(0, |sum, table| sum.saturating_add(table.rows))
    }

    /// The bytes of all tables' COPY text and of all large objects.
    pub fn data_bytes(&self) -> u64 {
        let large_objects = self.large_objects.as_ref().map_or(0, |objects| objects.bytes);
        self.tables.iter().fold(large_objects, |sum, table| sum.saturating_add(table.bytes))
    }

    /// The file with this path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

#[cfg(test)]
pub(crate) mod tests;
