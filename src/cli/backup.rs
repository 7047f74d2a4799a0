//! `db backup`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connection::ConnectionArgs;
use super::context::{Context, Output, Report};
use super::effect;
use super::exit::Exit;
use super::options::{RetentionArgs, StoreArgs};
use super::selection::SelectionArgs;
use crate::backup::{self, Blocking, Destination, DetailOptions, PlainOptions, WhenBlocking};
use crate::codec::compress::{Algorithm, Compression};
use crate::config::{Origin, parse_duration};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink as _};
use crate::manifest::{Format, State};
use crate::object::Inserts;
use crate::report::{self, human, json};
use crate::server::{Isolation, LockPatience};
use crate::shelf::shrinkage::Volatile;
use crate::store::Access;

const AFTER: &str = "\
Letters and long names mean what they mean for pg_dump. When a retention rule is
given, older backups are pruned by it after this one is complete.

Examples:
  db backup --store /var/backups/pg -d shop
  DATABASE_URL=postgres://... db backup --store s3://backups/prod --keep-daily 7
  db backup -d shop -F plain -o - | psql copy_of_shop";

/// Back a database up to a store
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// The database, as with --dbname
    #[arg(value_name = "DBNAME")]
    database: Option<String>,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    connection: ConnectionArgs,

    #[command(flatten)]
    archive: ArchiveArgs,

    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    detail: DetailArgs,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    retention: RetentionArgs,
}

/// The archive's form.
#[derive(clap::Args)]
#[command(next_help_heading = "Archive options")]
struct ArchiveArgs {
    /// custom, directory, tar or plain
    #[arg(short = 'F', long, value_name = "FORMAT", default_value = "custom", value_parser = format)]
    format: Format,

    /// none, gzip, lz4 or zstd, with a level behind a colon; tar, and plain with --file, are not compressed unless asked for
    #[arg(short = 'Z', long, value_name = "METHOD", default_value = "zstd:3", value_parser = compression)]
    compress: Compression,

    /// Write what pg_restore of this major version reads
    #[arg(long, value_name = "MAJOR", value_parser = clap::value_parser!(u32).range(13..))]
    for_pg_restore: Option<u32>,

    /// Copy with N workers
    #[arg(short, long, value_name = "N", default_value = "2")]
    jobs: NonZeroUsize,

    /// Write the archive alone to FILE instead of a store; - is standard output
    #[arg(short = 'o', short_alias = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// What of each object is written.
#[derive(clap::Args)]
#[command(next_help_heading = "Content options")]
struct DetailArgs {
    /// Without privileges (GRANT, REVOKE)
    #[arg(short = 'x', long, visible_alias = "no-acl")]
    no_privileges: bool,

    /// Without comments
    #[arg(long)]
    no_comments: bool,

    /// Without security labels
    #[arg(long)]
    no_security_labels: bool,

    /// Quote every identifier
    #[arg(long)]
    quote_all_identifiers: bool,

    /// Without how each column is compressed (TOAST)
    #[arg(long)]
    no_toast_compression: bool,

    /// Have the rows of all partitions loaded through their root table
    #[arg(long)]
    load_via_partition_root: bool,

    /// Rows as INSERT statements, which other databases may read; slow to restore
    #[arg(long)]
    inserts: bool,

    /// The same with the columns' names
    #[arg(long, visible_alias = "attribute-inserts")]
    column_inserts: bool,

    /// INSERT statements of N rows each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=0x7FFF_FFFF))]
    rows_per_insert: Option<u32>,

    /// INSERT statements that pass over rows which are there
    #[arg(long)]
    on_conflict_do_nothing: bool,

    /// The encoding of names and rows [default: the database's]
    #[arg(short = 'E', long, value_name = "ENCODING")]
    encoding: Option<String>,

    /// From -15 to 3; below 1 numbers are rounded, and the backup never counts as a good one
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i8).range(-15..=3))]
    extra_float_digits: Option<i8>,

    /// Plain only: with --data-only, switch triggers off while rows are loaded
    #[arg(long)]
    disable_triggers: bool,

    /// Plain only: with --disable-triggers, the superuser that switches them off
    #[arg(short = 'S', long, value_name = "NAME")]
    superuser: Option<String>,

    /// Plain only: without owners
    #[arg(short = 'O', long)]
    no_owner: bool,

    /// Plain only: drop objects before they are created
    #[arg(short = 'c', long)]
    clean: bool,

    /// Plain only: with --clean, do not fail for what is not there
    #[arg(long, requires = "clean")]
    if_exists: bool,

    /// Plain only: create the database and connect to it
    #[arg(short = 'C', long)]
    create: bool,

    /// Plain only: without tablespaces
    #[arg(long)]
    no_tablespaces: bool,

    /// Plain only: without table access methods
    #[arg(long)]
    no_table_access_method: bool,

    /// Plain and tar: without \restrict lines, which psql before August 2025 rejects
    #[arg(long)]
    no_restrict: bool,

    /// Plain and tar: the key of the \restrict lines, letters and digits; a random one by default
    #[arg(long, value_name = "KEY", conflicts_with = "no_restrict", value_parser = restrict_key)]
    restrict_key: Option<String>,

    /// With the password hashes of roles
    #[arg(long, alias = "include-passwords")]
    role_passwords: bool,
}

/// How it is done.
#[derive(clap::Args)]
#[command(next_help_heading = "Run options")]
struct RunArgs {
    /// Become this role after connecting
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,

    /// Wait so long for each lock, in milliseconds or with a unit
    #[arg(long, value_name = "TIME", value_parser = lock_timeout)]
    lock_wait_timeout: Option<Duration>,

    /// What to do about sessions that wait for a table of this backup: release copies the table
    /// next and lets it go, warn names them, yield ends the backup
    #[arg(long, value_name = "ACTION", default_value = "release", value_parser = when_blocking)]
    when_blocking: WhenBlocking,

    /// After this time the waiting is told, or the backup ended
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = blocking_limit)]
    blocking_limit: Duration,

    /// Wait for a snapshot that some serial order of transactions has
    #[arg(long)]
    serializable_deferrable: bool,

    /// Back up what this snapshot shows, which another session has exported
    #[arg(long, value_name = "NAME", conflicts_with = "serializable_deferrable")]
    snapshot: Option<String>,

    /// Back up only the rows that policies show this role
    #[arg(long)]
    enable_row_security: bool,

    /// Leave out what cannot be dumped: kinds that are unknown here, and what the catalogs contradict themselves about; ends
    /// with code 5
    #[arg(long)]
    allow_unsupported: bool,

    /// Count a backup as good although the database is empty
    #[arg(long)]
    allow_empty: bool,

    /// Count a backup as good although it has fewer rows or tables than the last good one
    #[arg(long)]
    accept_shrink: bool,

    /// Do not compare the tables that match with the last good backup: their rows come and go
    #[arg(long, value_name = "PATTERN")]
    volatile: Vec<String>,

    /// Go on although the clock is behind the newest backup
    #[arg(long)]
    accept_clock: bool,

    /// Do not read the archive back from a bucket, which costs a download
    #[arg(long)]
    no_read_back: bool,
}

pub(super) fn format(text: &str) -> Result<Format, String> {
    match text {
        "c" | "custom" => Ok(Format::Custom),
        "d" | "directory" => Ok(Format::Directory),
        "p" | "plain" => Ok(Format::Plain),
        "t" | "tar" => Ok(Format::Tar),
        _ => Err("expected custom, directory, tar or plain".to_owned()),
    }
}

fn when_blocking(text: &str) -> Result<WhenBlocking, String> {
    match text {
        "release" => Ok(WhenBlocking::Release),
        "warn" => Ok(WhenBlocking::Warn),
        "yield" => Ok(WhenBlocking::Yield),
        _ => Err("expected release, warn or yield".to_owned()),
    }
}

fn blocking_limit(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

fn compression(text: &str) -> Result<Compression, String> {
    text.parse().map_err(|error: crate::codec::CodecError| error.to_string())
}

pub(super) fn restrict_key(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.chars().all(|character| character.is_ascii_alphanumeric()) {
        true => Ok(text.to_owned()),
        false => Err("expected letters and digits".to_owned()),
    }
}

fn lock_timeout(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        Err(_) => parse_duration(text).map_err(|error| error.to_string()),
    }
}

impl DetailArgs {
    fn inserts(&self) -> Option<Inserts> {
        (self.inserts || self.column_inserts || self.rows_per_insert.is_some()).then(|| Inserts {
            with_columns: self.column_inserts,
            rows_per_statement: self.rows_per_insert.unwrap_or(1),
            skip_conflicts: self.on_conflict_do_nothing,
        })
    }
}

impl Args {
    fn compression(&self, context: &Context) -> Result<Compression> {
        let chosen = context.spelled.iter().any(|option| option.starts_with("--compress="));
        // a script in a file or a pipe is for psql, as pg_dump's is
        let is_text = self.archive.format == Format::Plain && self.archive.file.is_some();
        if (self.archive.format == Format::Tar || is_text) && !chosen {
            return Ok(Compression::None);
        }
        let old_reader = self.archive.for_pg_restore.filter(|major| *major < 16);
        match (old_reader, self.archive.compress.algorithm()) {
            (None, _) | (Some(_), Algorithm::None | Algorithm::Gzip) => Ok(self.archive.compress),
            (Some(_), Algorithm::Lz4 | Algorithm::Zstd) if !chosen => Ok(Compression::Gzip { level: 6 }),
            (Some(major), Algorithm::Lz4 | Algorithm::Zstd) => {
                Err(Error::new(ErrorKind::Usage, format!("pg_restore {major} cannot read this compression"))
                    .detail("lz4 and zstd need pg_restore 16 or newer")
                    .hint("Use -Z gzip or -Z none."))
            }
        }
    }

    fn check(&self, context: &Context) -> Result<()> {
        let plain_only = [
            ("--no-owner", self.detail.no_owner),
            ("--clean", self.detail.clean),
            ("--create", self.detail.create),
            ("--no-tablespaces", self.detail.no_tablespaces),
            ("--no-table-access-method", self.detail.no_table_access_method),
            // a tar archive has a script, too
            ("--no-restrict", self.detail.no_restrict && self.archive.format != Format::Tar),
            ("--disable-triggers", self.detail.disable_triggers),
        ];
        if self.detail.on_conflict_do_nothing && self.detail.inserts().is_none() {
            let problem = "--on-conflict-do-nothing needs --inserts, --rows-per-insert or --column-inserts";
            return Err(Error::new(ErrorKind::Usage, problem));
        }
        if self.archive.format != Format::Plain {
            for (option, _) in plain_only.iter().filter(|(_, given)| *given) {
                let text = format!("{option} has no effect on an archive");
                let hint = "An archive holds both; pass it to db restore or pg_restore.";
                context.talk.event(Event::Note(Message::with_hint(text, hint)));
            }
        }
        let Some(file) = &self.archive.file else { return Ok(()) };
        if context.output == Output::Json && is_stdout(file) {
            return Err(Error::new(ErrorKind::Usage, "--output json cannot be written to the archive's own stream")
                .hint("Write the archive to a file or to a store."));
        }
        if self.archive.format == Format::Directory && file.as_os_str() == "-" {
            return Err(Error::new(ErrorKind::Usage, "the directory format cannot be written to standard output")
                .hint("Use --store or --file, or another format."));
        }
        Ok(())
    }

    async fn destination(&self, context: &Context) -> Result<Destination> {
        Ok(match &self.archive.file {
            None => Destination::Store(context.open(&self.store, Access::Write).await?),
            Some(path) if path.as_os_str() == "-" => {
                Destination::Stream(backup::Stream::new("standard output", stdout()?))
            }
            Some(path) => Destination::Path(path.clone()),
        })
    }

    async fn options(self, context: &Context) -> Result<backup::Options> {
        let policy = self.retention.policy();
        let filters = effect::filters(&context.spelled, self.archive.format, self.detail.extra_float_digits);
        Volatile::parse(&self.run.volatile)?;
        Ok(backup::Options {
            compression: self.compression(context)?,
            source: self.connection.resolve(self.database.as_deref(), context).await?,
            format: self.archive.format,
            reader_major: self.archive.for_pg_restore,
            jobs: self.archive.jobs,
            content: self.selection.content(),
            patterns: self.selection.patterns()?,
            strict_names: self.selection.strict_names,
            detail: DetailOptions {
                include_acl: !self.detail.no_privileges,
                include_comments: !self.detail.no_comments,
                include_security_labels: !self.detail.no_security_labels,
                include_toast_compression: !self.detail.no_toast_compression,
                load_via_partition_root: self.detail.load_via_partition_root,
                inserts: self.detail.inserts(),
            },
            plain: PlainOptions {
                include_owner: !self.detail.no_owner,
                clean: self.detail.clean,
                if_exists: self.detail.if_exists,
                create: self.detail.create,
                include_tablespaces: !self.detail.no_tablespaces,
                include_access_methods: !self.detail.no_table_access_method,
                include_restrict: !self.detail.no_restrict,
                disable_triggers: self.detail.disable_triggers,
            },
            superuser: self.detail.superuser,
            restrict_key: self.detail.restrict_key,
            snapshot: self.run.snapshot,
            row_security: self.run.enable_row_security,
            role: self.run.role,
            isolation: match self.run.serializable_deferrable {
                true => Isolation::SerializableDeferrable,
                false => Isolation::RepeatableRead,
            },
            patience: self
                .run
                .lock_wait_timeout
                .map_or_else(LockPatience::default, |total| LockPatience { total, ..LockPatience::default() }),
            blocking: Blocking { action: self.run.when_blocking, limit: self.run.blocking_limit },
            are_filters_usual: are_usual(&filters, &context.origins),
            filters,
            encoding: self.detail.encoding,
            float_digits: self.detail.extra_float_digits,
            quote_all_identifiers: self.detail.quote_all_identifiers,
            allow_unsupported: self.run.allow_unsupported,
            allow_empty: self.run.allow_empty,
            accept_shrink: self.run.accept_shrink,
            volatile: self.run.volatile,
            accept_clock: self.run.accept_clock,
            role_passwords: self.detail.role_passwords,
            read_back: !self.run.no_read_back,
            retention: (!policy.is_empty()).then_some(policy),
            spelled: context.spelled.clone(),
        })
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    args.check(context)?;
    let file = args.archive.file.clone();
    let is_stream = file.as_deref().is_some_and(is_stdout);
    let destination = args.destination(context).await?;
    let options = args.options(context).await?;
    let outcome = Box::pin(backup::run(&options, destination, context.talk.as_ref(), context.now)).await?;
    let mut text = human::backup(&outcome, file.is_some(), context.paint);
    if is_stream {
        report::say(&text);
        text.clear();
    }
    Ok(Report {
        human: text,
        json: json::backup(&outcome),
        exit: match outcome.manifest.state {
            State::Complete if outcome.retention_failed() => Exit::Partial,
            State::Complete => Exit::Done,
            State::Partial | State::Suspect => Exit::Partial,
        },
    })
}

/// Whether the archive's bytes go where results go, by whatever name.
fn is_stdout(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    path.as_os_str() == "-"
        || std::fs::metadata(path)
            .is_ok_and(|named| std::fs::metadata("/proc/self/fd/1").is_ok_and(|stdout| own(stdout) == own(named)))
}

/// Standard output as a file of its own, past the buffer by lines that the standard library puts before it.
pub(super) fn stdout() -> Result<tokio::fs::File> {
    use std::os::fd::AsFd as _;
    let descriptor = std::io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Error::new(ErrorKind::Disk, "could not open standard output").caused_by(error))?;
    Ok(tokio::fs::File::from_std(descriptor.into()))
}

/// The name of a spelled option.
fn name_of(option: &str) -> &str {
    option.trim_start_matches('-').split('=').next().unwrap_or_default()
}

/// Whether there are filters and all of them come from lines of the configuration file. An option that is typed replaces
/// that of the file, so that each name has one origin.
fn are_usual(filters: &[String], origins: &BTreeMap<String, Origin>) -> bool {
    let is_line = |filter: &String| matches!(origins.get(name_of(filter)), Some(Origin::Line(_)));
    !filters.is_empty() && filters.iter().all(is_line)
}
