//! What a verb says while it runs. The library never prints: it emits events, and whoever listens renders them.

use std::time::Duration;

use crate::retention::Decision;

/// Who listens. Called from any task, so it must not block for long.
pub trait Sink: Send + Sync {
    /// Takes note of one event.
    fn event(&self, event: Event);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Sink for Silent {
    fn event(&self, _: Event) {}
}

/// Something happened that a person or a log may want to know. Holds names, counts and sizes, never row values and never
/// secrets.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// What the run is going to do, once that is known.
    Planned(Summary),
    /// A phase began.
    PhaseBegun(Phase),
    /// A phase came to its end.
    PhaseFinished {
        /// Which one.
        phase: Phase,
        /// How long it took.
        elapsed: Duration,
    },
    /// How far the present phase is. Totals may be estimates and may change.
    Progress(Progress),
    /// One table, file or other object is done.
    ObjectFinished {
        /// Its name.
        name: String,
        /// Its rows, where it has rows.
        rows: Option<u64>,
        /// Its bytes.
        bytes: u64,
    },
    /// Something that a person should look at; the run goes on.
    Warning(Message),
    /// Something that is good to know.
    Note(Message),
    /// An operation failed in a way that may pass and is tried again.
    Retrying {
        /// What is tried.
        what: String,
        /// Why it failed.
        cause: String,
        /// How long until then.
        delay: Duration,
    },
    /// A backup became visible in its store.
    Published {
        /// Its name.
        backup: String,
        /// Where it lies.
        place: String,
    },
    /// What retention decided.
    Decided(Vec<Decision>),
    /// A backup is gone from its store.
    Deleted {
        /// Its name.
        backup: String,
        /// How many files.
        files: u64,
        /// How many bytes they had.
        bytes: u64,
    },
}

/// The size of what a run is going to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// In one line: `backing up "shop" from 127.0.0.1:5432 to s3://b/p`.
    pub title: String,
    /// Tables with rows.
    pub table_count: u64,
    /// All objects.
    pub object_count: u64,
    /// An estimate of the bytes.
    pub bytes: Option<u64>,
    /// Workers.
    pub jobs: u64,
}

/// How far a phase is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes done.
    pub bytes: u64,
    /// Bytes in all, as far as that is known.
    pub bytes_total: Option<u64>,
    /// Rows done.
    pub rows: u64,
    /// Objects done.
    pub objects: u64,
    /// Objects in all.
    pub objects_total: Option<u64>,
}

/// A message in the shape of an error: a fact, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The fact, in lower case and without a full stop.
    pub text: String,
    /// What to do, as a sentence.
    pub hint: Option<String>,
}

impl Message {
    /// A fact without advice.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None }
    }

    /// A fact and what to do about it.
    pub fn with_hint(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { text: text.into(), hint: Some(hint.into()) }
    }
}

/// A part of a run that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Reach the server and set the session.
    Connect,
    /// Lock what is dumped.
    Lock,
    /// Read the system catalogs.
    ReadCatalog,
    /// Copy rows from the server to the archive.
    CopyOut,
    /// Read the finished archive back.
    ReadBack,
    /// Write the manifest.
    Publish,
    /// Decide on old backups and delete them.
    Prune,
    /// Hash every file.
    CheckFiles,
    /// Decode the archive to its end.
    CheckArchive,
    /// Compare each table's rows with the manifest.
    CheckRows,
    /// Compare objects with what is expected.
    CheckExpectations,
    /// Compare a live database with the backup.
    CompareLive,
    /// Look at the restore's target before anything is changed.
    Inspect,
    /// Create schemas, types, functions and empty tables.
    PreData,
    /// Copy rows from the archive to the server.
    CopyIn,
    /// Create indexes, constraints, triggers and policies.
    PostData,
    /// Let the server gather statistics.
    Analyze,
    /// Make the scratch server or database of a drill.
    Prepare,
    /// Remove it.
    CleanUp,
    /// Copy files between stores.
    Transfer,
}

impl Phase {
    /// Its name in manifests, proofs and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Lock => "lock",
            Self::ReadCatalog => "read_catalog",
            Self::CopyOut => "copy_out",
            Self::ReadBack => "read_back",
            Self::Publish => "publish",
            Self::Prune => "prune",
            Self::CheckFiles => "check_files",
            Self::CheckArchive => "check_archive",
            Self::CheckRows => "check_rows",
            Self::CheckExpectations => "check_expectations",
            Self::CompareLive => "compare_live",
            Self::Inspect => "inspect",
            Self::PreData => "pre_data",
            Self::CopyIn => "copy_in",
            Self::PostData => "post_data",
            Self::Analyze => "analyze",
            Self::Prepare => "prepare",
            Self::CleanUp => "clean_up",
            Self::Transfer => "transfer",
        }
    }

    /// What a person reads while it runs.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Lock => "locking tables",
            Self::ReadCatalog => "reading the catalog",
            Self::CopyOut => "copying rows",
            Self::ReadBack => "reading the archive back",
            Self::Publish => "writing the manifest",
            Self::Prune => "applying retention",
            Self::CheckFiles => "checking files",
            Self::CheckArchive => "decoding the archive",
            Self::CheckRows => "comparing rows",
            Self::CheckExpectations => "comparing objects",
            Self::CompareLive => "comparing with the live database",
            Self::Inspect => "inspecting the target",
            Self::PreData => "creating tables",
            Self::CopyIn => "loading rows",
            Self::PostData => "creating indexes and constraints",
            Self::Analyze => "gathering statistics",
            Self::Prepare => "preparing the scratch database",
            Self::CleanUp => "cleaning up",
            Self::Transfer => "copying files",
        }
    }
}
