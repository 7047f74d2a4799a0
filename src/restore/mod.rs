//! `db restore`: puts a backup, an archive of pg_dump's or an SQL script back into a database, over the protocol.
//!
//! [`plan()`] looks at source and target and changes nothing; [`Plan::execute`] does what the plan says. Definitions go first
//! and in order over one connection, rows in parallel, then what needs the rows as far as dependencies allow, as
//! pg_restore does it. Nothing of an archive is ever run on this machine.

mod crew;
mod encoding;
mod execute;
mod inspect;
mod plan;
mod print;
mod privilege;
mod role;
mod schedule;
mod script;
mod session;
mod source;
mod statement;
mod worker;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use crate::archive::select;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Sink;
use crate::server;
use crate::shelf::Backup;
use crate::store::Store;

pub use crate::archive::select::{Components, Leave, Sections, Selection};
pub use plan::{Plan, Summary};
pub use print::Print;

/// What to restore.
pub enum Source {
    /// A backup in a store, its manifest read.
    Backup {
        /// The store.
        store: Arc<dyn Store>,
        /// The backup.
        backup: Box<Backup>,
    },
    /// An archive or a script that lies somewhere, by whomever it was written.
    Path(PathBuf),
}

/// What to restore, where, and how.
pub struct Options {
    /// What to restore.
    pub source: Source,
    /// Where to: the database, or with `create_database` one to connect to first.
    pub target: server::Options,
    /// Connections that work at the same time.
    pub jobs: NonZeroUsize,
    /// Which part of it.
    pub selection: Selection,
    /// Kinds of things to leave out.
    pub leave: Leave,
    /// `-C`: create the database that the archive names.
    pub create_database: bool,
    /// `-c`: drop what is going to be created first; what does not exist is passed over.
    pub clean: bool,
    /// Stop at the first failure.
    pub exit_on_error: bool,
    /// All or nothing, over one connection.
    pub single_transaction: bool,
    /// `--role`: become this role before anything else.
    pub role: Option<String>,
    /// Switch triggers off while rows are loaded, for restores of rows alone.
    pub disable_triggers: bool,
    /// Load rows under row-level security (`--enable-row-security`).
    pub row_security: bool,
    /// Create roles that are missing, without the right to log in.
    pub create_roles: bool,
    /// Go on although extensions are missing; what needs them fails.
    pub allow_missing_extensions: bool,
    /// Restore what there is of a script that was cut off.
    pub allow_incomplete: bool,
    /// Restore into the very database that the backup was taken of.
    pub overwrite_source: bool,
    /// Compare every file with its checksum first, where a manifest has them.
    pub check_files: bool,
    /// Let the server gather statistics at the end, where the backup brought none.
    pub analyze: bool,
}

impl Options {
    /// Everything, into an empty database, over one connection.
    pub fn new(source: Source, target: server::Options) -> Self {
        Self {
            source,
            target,
            jobs: NonZeroUsize::MIN,
            selection: Selection::default(),
            leave: Leave::default(),
            create_database: false,
            clean: false,
            exit_on_error: false,
            single_transaction: false,
            role: None,
            disable_triggers: false,
            row_security: false,
            create_roles: false,
            allow_missing_extensions: false,
            allow_incomplete: false,
            overwrite_source: false,
            check_files: true,
            analyze: true,
        }
    }
}

/// What a restore did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The database that was restored into.
    pub database: String,
    /// Entries of the archive, or statements of the script, that were restored.
    pub entry_count: u64,
    /// Tables whose rows were loaded.
    pub table_count: u64,
    /// Rows that were loaded.
    pub row_count: u64,
    /// Bytes of rows and large objects that were loaded.
    pub byte_count: u64,
    /// Relations that were given the backup's statistics for the planner.
    pub statistics_count: u64,
    /// Roles that were created.
    pub created_roles: Vec<String>,
    /// What failed, in the order of failing.
    pub failures: Vec<Failure>,
    /// What was passed over because something that it needs failed.
    pub skipped: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// One entry or statement that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `TABLE public.orders (entry 214)` or `line 17`.
    pub entry: String,
    /// The server's message.
    pub message: String,
    /// SQLSTATE and place.
    pub detail: Option<String>,
}

impl Outcome {
    /// The outcome itself when everything was restored; otherwise the error that names what failed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Partial`].
    pub fn into_result(self) -> Result<Self> {
        match self.error() {
            None => Ok(self),
            Some(error) => Err(error),
        }
    }

    /// The error that names what failed; none when everything was restored.
    pub fn error(&self) -> Option<Error> {
        const SHOWN: usize = 10;
        let first = self.failures.first()?;
        let count = self.failures.len();
        let what = if count == 1 { "1 failure".to_owned() } else { format!("{count} failures") };
        let mut detail = format!("{}: {}", first.entry, first.message);
        if let Some(more) = &first.detail {
            detail = format!("{detail} ({more})");
        }
        for failure in self.failures.iter().skip(1).take(SHOWN - 1) {
            detail = format!("{detail}; {}: {}", failure.entry, failure.message);
        }
        if count > SHOWN {
            detail = format!("{detail}; and {} more", count - SHOWN);
        }
        if !self.skipped.is_empty() {
            detail = format!("{detail}; passed over for that: {}", self.skipped.join(", "));
        }
        Some(
            Error::new(ErrorKind::Partial, format!("database \"{}\" was restored with {what}", self.database))
                .detail(detail)
                .hint("What is named is missing in the database; mend the cause and restore again with --clean."),
        )
    }
}

/// Looks at source and target, and says what a restore would do. Changes nothing.
///
/// # Errors
///
/// When the source cannot be read, is damaged, or the target cannot be reached. What stands in the restore's way is no
/// error yet: see [`Plan::refusal`].
pub async fn plan(options: Options, sink: &dyn Sink) -> Result<Plan> {
    Box::pin(plan::build(options, sink)).await
}

/// Plans and restores, for callers that need no confirmation.
///
/// # Errors
///
/// Those of [`plan()`], [`Plan::refusal`], a lost connection, and with `exit_on_error` or `single_transaction` the first
/// failure. Other failures are in the outcome.
pub async fn run(options: Options, sink: &dyn Sink) -> Result<Outcome> {
    plan(options, sink).await?.execute(sink).await
}
