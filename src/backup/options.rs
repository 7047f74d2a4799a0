//! What a backup is asked for, resolved and checked.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use super::keeper::Blocking;
use super::target::Stream;
use crate::archive::plain::restrict_key;
use crate::codec::compress::Compression;
use crate::manifest::Format;
use crate::object::Inserts;
use crate::plan::select::{Content, Wanted};
use crate::retention::Policy;
use crate::server::{self, Isolation, LockPatience, Setup};
use crate::store::Store;

/// What a backup is asked for.
#[derive(Clone)]
pub struct Options {
    /// The source.
    pub source: server::Options,
    /// The archive's form.
    pub format: Format,
    /// How rows are compressed.
    pub compression: Compression,
    /// The oldest major of pg_restore that must read the archive; it decides the archive's version.
    pub reader_major: Option<u32>,
    /// Workers.
    pub jobs: NonZeroUsize,
    /// What is wanted without naming objects.
    pub content: Content,
    /// What is named by patterns.
    pub patterns: Vec<Wanted>,
    /// A pattern that matches nothing is an error (`--strict-names`).
    pub strict_names: bool,
    /// What of each object is written.
    pub detail: DetailOptions,
    /// What a plain dump begins with.
    pub plain: PlainOptions,
    /// Who switches triggers off in a script (`--superuser`); `None` is who runs it.
    pub superuser: Option<String>,
    /// The key of the `\restrict` lines; `None` is a random one.
    pub restrict_key: Option<String>,
    /// A snapshot that another session has exported (`--snapshot`).
    pub snapshot: Option<String>,
    /// Read under row-level security (`--enable-row-security`), which may hide rows.
    pub row_security: bool,
    /// Become this role (`--role`).
    pub role: Option<String>,
    /// How the transaction sees the database.
    pub isolation: Isolation,
    /// How long to wait for locks.
    pub patience: LockPatience,
    /// What is done about sessions that wait for ours.
    pub blocking: Blocking,
    /// The encoding of names and rows (`--encoding`); `None` is the database's own.
    pub encoding: Option<String>,
    /// `extra_float_digits` while rows are read; `None` is 3, which is exact.
    pub float_digits: Option<i8>,
    /// Quote every identifier.
    pub quote_all_identifiers: bool,
    /// Objects of kinds that cannot be dumped are recorded and left out; otherwise they are an error.
    pub allow_unsupported: bool,
    /// Take a backup of a database without any object for a good one.
    pub allow_empty: bool,
    /// Take a backup with fewer rows or tables than the last good one for a good one.
    pub accept_shrink: bool,
    /// Patterns of tables whose rows come and go: they are not compared with the last good backup.
    pub volatile: Vec<String>,
    /// Begin although the newest backup of the store lies in the future.
    pub accept_clock: bool,
    /// Roles come with their password hashes.
    pub role_passwords: bool,
    /// Read the archive back from a bucket, too, and give a custom archive there the places of its data. It costs one
    /// download; archives on this machine are always read back.
    pub read_back: bool,
    /// What to keep; applied to the database's backups after this one is there.
    pub retention: Option<Policy>,
    /// The options as they could be typed again, for the manifest; never a secret.
    pub spelled: Vec<String>,
    /// Those of them that leave something out.
    pub filters: Vec<String>,
    /// All of those stand in the configuration: they are this database's normal.
    pub are_filters_usual: bool,
}

impl Options {
    /// All of a database, in the custom format, by one worker.
    pub fn new(source: server::Options) -> Self {
        Self {
            source,
            format: Format::Custom,
            compression: Compression::DEFAULT,
            reader_major: None,
            jobs: NonZeroUsize::MIN,
            content: Content::default(),
            patterns: Vec::new(),
            strict_names: false,
            detail: DetailOptions {
                include_acl: true,
                include_comments: true,
                include_security_labels: true,
                include_toast_compression: true,
                load_via_partition_root: false,
                inserts: None,
            },
            plain: PlainOptions {
                include_owner: true,
                clean: false,
                if_exists: false,
                create: false,
                include_tablespaces: true,
                include_access_methods: true,
                include_restrict: true,
                disable_triggers: false,
            },
            superuser: None,
            restrict_key: None,
            snapshot: None,
            row_security: false,
            role: None,
            isolation: Isolation::RepeatableRead,
            patience: LockPatience::default(),
            blocking: Blocking::default(),
            encoding: None,
            float_digits: None,
            quote_all_identifiers: false,
            allow_unsupported: false,
            allow_empty: false,
            accept_shrink: false,
            volatile: Vec::new(),
            accept_clock: false,
            role_passwords: false,
            read_back: true,
            retention: None,
            spelled: Vec::new(),
            filters: Vec::new(),
            are_filters_usual: false,
        }
    }

    /// How every session of the run is set up.
    pub(super) fn setup(&self) -> Setup {
        Setup {
            role: self.role.clone(),
            quote_all_identifiers: self.quote_all_identifiers,
            row_security: self.row_security,
            encoding: self.encoding.clone(),
            float_digits: self.float_digits,
            ..Setup::default()
        }
    }

    /// The key of a script's `\restrict` lines, where it has them.
    pub(super) fn restrict_key(&self) -> Option<String> {
        self.plain.include_restrict.then(|| self.restrict_key.clone().unwrap_or_else(restrict_key))
    }
}

/// Where a backup goes.
pub enum Destination {
    /// A store: a folder with archive, sums and manifest.
    Store(Arc<dyn Store>),
    /// The archive alone, as this file or directory.
    Path(PathBuf),
    /// One archive into a pipe; nothing else is written.
    Stream(Stream),
}

/// What of each object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetailOptions {
    /// Privileges (`-x` leaves them out).
    pub include_acl: bool,
    /// Comments.
    pub include_comments: bool,
    /// Security labels.
    pub include_security_labels: bool,
    /// How columns are compressed.
    pub include_toast_compression: bool,
    /// Load the rows of every partition through its root table.
    pub load_via_partition_root: bool,
    /// Rows as INSERT statements; `None` is COPY data.
    pub inserts: Option<Inserts>,
}

/// What a plain dump says besides its objects; archives decide these when they are restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainOptions {
    /// Owners (`-O` leaves them out).
    pub include_owner: bool,
    /// Drop objects first (`-c`).
    pub clean: bool,
    /// With `if exists` (`--if-exists`).
    pub if_exists: bool,
    /// Create the database (`-C`).
    pub create: bool,
    /// Tablespaces.
    pub include_tablespaces: bool,
    /// Table access methods.
    pub include_access_methods: bool,
    /// `\restrict` lines, which psql before the releases of August 2025 rejects.
    pub include_restrict: bool,
    /// Where there are only rows, switch triggers off while they are loaded (`--disable-triggers`).
    pub disable_triggers: bool,
}
