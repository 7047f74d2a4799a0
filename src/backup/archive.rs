//! The archive of one backup, in any of its formats.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use tokio::sync::mpsc;

use super::crew::Crew;
use super::custom::{self, Head};
use super::data::{Copied, Copying};
use super::keeper::{self, Keeper};
use super::press::Framing;
use super::queue::Queue;
use super::receipts::Receipts;
use super::source::Source;
use super::target::{Stream, Target, Written};
use super::worker::Job;
use super::{Options, directory, plain, schema, slice, tar};
use crate::archive::toc::{Container, Created, Header, Toc};
use crate::archive::{self, Version};
use crate::codec::compress::{Algorithm, Compression};
use crate::copy::Pool;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink};
use crate::manifest::Format;
use crate::object::DataSource;
use crate::server::{self, Connection};
use crate::store::{Key, Store};
use crate::transfer::Outlet;

/// How long to wait for a session. A pool may have no more.
const SESSION_MAX: Duration = Duration::from_secs(10);

/// Where an archive goes.
pub(super) enum Place {
    /// Below this key of a store: the object itself, or the folder of a directory archive.
    Store(Arc<dyn Store>, Key),
    /// In order, once.
    Stream(Stream),
}

/// An archive that is written.
pub(super) struct Archived {
    /// Its table of contents with all places; `None` for plain.
    pub(super) toc: Option<Toc>,
    /// Its files.
    pub(super) files: Receipts,
    /// What each entry's data is.
    pub(super) copied: Vec<Copied>,
    /// The bytes that went out.
    pub(super) size: u64,
}

/// How the archive is written, settled from the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) format: Format,
    pub(super) compression: Compression,
    pub(super) version: Version,
}

impl Form {
    /// Picks what the wanted readers understand.
    pub(super) fn of(options: &Options) -> Result<Self> {
        let version = options.reader_major.map_or(Version::NEWEST, Version::for_pg_restore);
        if options.format == Format::Tar && options.compression != Compression::None {
            return Err(Error::new(ErrorKind::Usage, "the tar format has no compression")
                .hint("Use -Z none, or another format."));
        }
        let has_method = version >= Version::V1_15 || options.format == Format::Plain;
        let compression = options.compression;
        if !has_method && matches!(compression.algorithm(), Algorithm::Lz4 | Algorithm::Zstd) {
            return Err(Error::new(ErrorKind::Usage, format!("pg_restore before 16 cannot read {compression}"))
                .hint("Use -Z gzip."));
        }
        Ok(Self { format: options.format, compression, version })
    }

    /// The archive's path within the backup's folder.
    pub(super) fn path(self) -> String {
        match self.format {
            Format::Custom => "archive.dump".to_owned(),
            Format::Directory => "archive".to_owned(),
            Format::Tar => "archive.tar".to_owned(),
            Format::Plain => format!("archive.sql{}", self.compression.algorithm().suffix()),
        }
    }

    /// The oldest major of pg_restore or psql that reads it. psql before 14 takes a semicolon in a function's SQL body for the
    /// statement's end.
    pub(super) fn reader_major(self, has_sql_bodies: bool) -> u32 {
        match (self.format, self.version) {
            (Format::Plain, _) if has_sql_bodies => 14,
            (Format::Plain, _) => 12,
            (_, Version::V1_16) => 17,
            (_, Version::V1_15) => 16,
            (_, Version::V1_12 | Version::V1_13 | Version::V1_14) => 12,
        }
    }
}

/// Copies all rows and writes the archive.
pub(super) async fn write(
    options: &Options,
    form: Form,
    source: &mut Source,
    place: Place,
    sink: &dyn Sink,
    now: DateTime<Utc>,
) -> Result<Archived> {
    let mut toc = table_of_contents(form, source, now)?;
    let mut jobs: Vec<Job> = (source.plan.entries.iter())
        .filter_map(|entry| {
            let name =
                entry.schema.as_ref().map_or_else(|| entry.tag.clone(), |schema| format!("{schema}.{}", entry.tag));
            let data = entry.data.clone()?;
            let table_oid = match &data {
                DataSource::Table { table, .. } => source.plan.inventory.get(*table).catalog_id.oid,
                DataSource::LargeObjects(_) => 0,
            };
            let lock = source.board.table(table_oid).map(|table| table.qualified_name.as_str().into());
            Some(Job { dump_id: entry.id.0, name: name.into(), source: data.into(), table_oid, lock, slice: None })
        })
        .collect();
    schema::for_version(&mut toc, &mut jobs);
    if options.jobs.get() > 1 && slice::is_possible(form) {
        jobs = slice::divide(jobs, source);
    }
    let connections = sessions(options, source, jobs.len(), sink).await?;
    let framing = match form.format {
        Format::Custom => Framing::Blocks,
        Format::Directory | Format::Tar => Framing::Files,
        Format::Plain => Framing::Script,
    };
    let keeper = source.keeper.take();
    let crew = Crew {
        queue: Arc::new(Queue::new(jobs, Arc::clone(&source.board))),
        framing,
        compression: form.compression,
        text: Crew::text_of(framing, &toc),
        is_in_order: form.format != Format::Directory,
        keeper: keeper.as_ref().map(Keeper::link),
        patience: options.patience.total,
        source: options.source.clone(),
        setup: source.setup.clone(),
        snapshot: source.snapshot.clone(),
    };
    let copying = Copying::start(connections, crew, spool_folder(&place));
    let (_, silence) = mpsc::unbounded_channel();
    let mut told = std::mem::replace(&mut source.told, silence);
    let mut watch = source.watch.take();
    let source = &*source;
    let ticker = copying.ticker(source.size);
    let done = AtomicU64::new(0);
    let written = async {
        match form.format {
            Format::Custom => single(options, source, toc, place, copying, sink, &done).await,
            Format::Directory => many(toc, place, copying, sink, &done).await,
            Format::Tar => members(options, source, toc, place, copying, sink, &done, now).await,
            Format::Plain => script(options, source, toc, place, copying, sink, &done).await,
        }
    };
    let mut keeper = keeper;
    let kept = async {
        match &mut keeper {
            Some(keeper) => keeper.failed().await,
            None => std::future::pending().await,
        }
    };
    let watched = async {
        match &mut watch {
            Some(watch) => watch.failed().await,
            None => std::future::pending().await,
        }
    };
    let archived = tokio::select! {
        archived = written => archived,
        error = kept => Err(error),
        error = watched => Err(error),
        error = ticker.run(sink, &done) => Err(error),
        error = keeper::relay(&mut told, sink) => Err(error),
    }?;
    if let Some(keeper) = keeper {
        keeper.finish().await?;
    }
    if let Some(watch) = watch {
        // whether it lasted matters to nobody: the locks were the first session's
        if let Ok(Some(connection)) = watch.stop().await {
            connection.close().await;
        }
    }
    Ok(archived)
}

/// The sessions that copy, the first one among them. Where the server gives fewer than were asked for, those that come.
async fn sessions(
    options: &Options,
    source: &mut Source,
    job_count: usize,
    sink: &dyn Sink,
) -> Result<Vec<Connection>> {
    let mut sessions: Vec<Connection> = source.connection.take().into_iter().collect();
    let keeps_its_locks = source.keeper.is_none() && !source.board.kept().is_empty();
    let wanted = if keeps_its_locks { 1 } else { options.jobs.get().min(job_count).max(1) };
    while sessions.len() < wanted {
        // together; where not all are to be had, one by one
        let mut more = further(options, source, wanted - sessions.len()).await?;
        if more.is_empty() {
            more = further(options, source, 1).await?;
        }
        if more.is_empty() {
            let text = format!("the server gives no more sessions: {} of {wanted} workers copy", sessions.len());
            sink.event(Event::Warning(Message::new(text)));
            break;
        }
        sessions.extend(more);
    }
    Ok(sessions)
}

/// So many further sessions, or none where they are not to be had in time.
async fn further(options: &Options, source: &Source, count: usize) -> Result<Vec<Connection>> {
    let opening = Pool::open(&options.source, &source.setup, &source.snapshot, count);
    match tokio::time::timeout(SESSION_MAX, opening).await {
        Ok(Ok(pool)) => Ok(pool.into_connections()),
        Ok(Err(error)) if !server::is_full(&error) && error.kind() != ErrorKind::Connect => Err(error),
        Ok(Err(_)) | Err(_) => Ok(Vec::new()),
    }
}

/// Where bytes wait that come before their turn.
fn spool_folder(place: &Place) -> PathBuf {
    let folder = match place {
        Place::Store(store, _) => store.spool_folder(),
        Place::Stream(_) => None,
    };
    folder.unwrap_or_else(std::env::temp_dir)
}

/// The entries are moved there; the plan keeps those with data.
fn table_of_contents(form: Form, source: &mut Source, now: DateTime<Utc>) -> Result<Toc> {
    let container = match form.format {
        Format::Directory | Format::Tar => Container::Directory,
        Format::Custom | Format::Plain => Container::Custom,
    };
    let created = Created::from_local(now.with_timezone(&Local).naive_local());
    let (version, compression) = match form.format {
        Format::Plain => (Version::NEWEST, Compression::None),
        Format::Custom | Format::Directory | Format::Tar => (form.version, form.compression),
    };
    let mut header = Header::new(version, container, compression, created)
        .map_err(|error: archive::FormatError| Error::new(ErrorKind::Usage, "no such archive").caused_by(error))?;
    header.database = Some(source.database.name.clone());
    header.server_version.clone_from(&source.server_version);
    header.dump_version = Some(format!("pgproof {}", env!("CARGO_PKG_VERSION")));
    source.kinds = source.plan.entries.iter().map(|entry| entry.kind).collect();
    let (mut entries, mut with_data) = (Vec::with_capacity(source.plan.entries.len()), Vec::new());
    for mut entry in std::mem::take(&mut source.plan.entries) {
        entries.push(schema::toc_entry(&mut entry));
        if entry.data.is_some() {
            with_data.push(entry);
        }
    }
    source.plan.entries = with_data;
    Ok(Toc { header, entries })
}

async fn single(
    options: &Options,
    source: &Source,
    mut toc: Toc,
    place: Place,
    copying: Copying,
    sink: &dyn Sink,
    done: &AtomicU64,
) -> Result<Archived> {
    let (target, head) = match place {
        Place::Store(store, key) => {
            // A head that comes last has the places of all data, for pg_restore -j; but then the whole file's SHA-256 is
            // known only after reading it all again. On this machine that is done anyway; from a bucket only when asked.
            let is_read_again = store.is_local() || options.read_back;
            let head = if is_read_again && copying.job_count() > 0 { Head::Last } else { Head::First };
            (custom::begin(&*store, &key, source.size_hint(), &toc, head).await?, head)
        }
        Place::Stream(stream) => {
            let mut target = Target::stream(stream);
            target.write(toc.encode().into()).await?;
            (target, Head::First)
        }
    };
    let (written, copied) = custom::write(&mut toc, target, head, copying, sink, done).await?;
    let (files, size) = accepted(written);
    Ok(Archived { toc: Some(toc), files, copied, size })
}

async fn script(
    options: &Options,
    source: &Source,
    toc: Toc,
    place: Place,
    copying: Copying,
    sink: &dyn Sink,
    done: &AtomicU64,
) -> Result<Archived> {
    let target = in_order(place, source).await?;
    let (written, copied) = plain::write(options, &toc, target, copying, sink, done).await?;
    let (files, size) = accepted(written);
    Ok(Archived { toc: None, files, copied, size })
}

/// A target whose bytes come in their order.
async fn in_order(place: Place, source: &Source) -> Result<Target> {
    Ok(match place {
        Place::Store(store, key) => Target::Object(Box::new(Outlet::begin(&*store, &key, source.size_hint()).await?)),
        Place::Stream(stream) => Target::stream(stream),
    })
}

#[expect(clippy::too_many_arguments, reason = "one step of one story; a struct would only rename the arguments")]
async fn members(
    options: &Options,
    source: &Source,
    mut toc: Toc,
    place: Place,
    copying: Copying,
    sink: &dyn Sink,
    done: &AtomicU64,
    now: DateTime<Utc>,
) -> Result<Archived> {
    tar::name_members(&mut toc);
    let folder = spool_folder(&place);
    let target = in_order(place, source).await?;
    let time = u64::try_from(now.timestamp()).unwrap_or_default();
    let writer = tar::Writer { target, folder, time, sink, done };
    let (written, copied) = writer.write(options, &toc, copying).await?;
    let (files, size) = accepted(written);
    Ok(Archived { toc: Some(toc), files, copied, size })
}

fn accepted(written: Written) -> (Receipts, u64) {
    match written {
        Written::Object(receipt) => {
            let size = receipt.size;
            (receipt.into(), size)
        }
        Written::Stream(size) => (Receipts::default(), size),
    }
}

async fn many(mut toc: Toc, place: Place, copying: Copying, sink: &dyn Sink, done: &AtomicU64) -> Result<Archived> {
    let Place::Store(store, folder) = place else {
        return Err(Error::new(ErrorKind::Usage, "a directory archive cannot be written to standard output")
            .hint("Use -F custom or -F plain, or name a directory with -o."));
    };
    directory::name_files(&mut toc);
    let (files, copied) = directory::write(&toc, &store, &folder, copying, sink, done).await?;
    let size = files.byte_count();
    Ok(Archived { toc: Some(toc), files, copied, size })
}
