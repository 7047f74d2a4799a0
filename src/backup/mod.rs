//! `db backup`: one consistent snapshot to an archive in a store.
//!
//! Order: connect and take the snapshot, read and plan, take the store's lease, copy, read back, publish. Nothing is
//! visible to `list` until the manifest is there, which is the last thing written; whatever ends a run before that leaves
//! files that the next run discards.

mod archive;
mod aside;
mod board;
mod crew;
mod custom;
mod data;
mod directory;
mod keeper;
mod options;
mod phase;
mod plain;
mod press;
mod publish;
mod queue;
pub mod schema;
mod slice;
mod source;
mod tar;
mod target;
mod unfinished;
mod worker;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use keeper::{Blocking, WhenBlocking};
pub use options::{Destination, DetailOptions, Options, PlainOptions};
pub use target::Stream;

use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Phase, Sink};
use crate::manifest::{self, Format, Label, Manifest, State, Timings};
use crate::store::lease::Lease;
use crate::store::{Access, Key, LocalStore, Store, encode_component};
use crate::{prune, shelf};

use archive::{Archived, Form, Place};
use phase::Phases;
use source::Source;

/// What was done.
#[derive(Debug)]
pub struct Outcome {
    /// The manifest, as it would be or is in the store.
    pub manifest: Manifest,
    /// Where the backup or the archive lies.
    pub place: String,
    /// The archive's bytes.
    pub archive_bytes: u64,
    /// What retention did; `None` where there is no policy.
    pub pruned: Option<prune::Outcome>,
}

/// Takes one backup.
///
/// In a store nothing is visible before the last step, and a run that fails removes what it wrote.
pub async fn run(options: &Options, destination: Destination, sink: &dyn Sink, now: DateTime<Utc>) -> Result<Outcome> {
    let form = Form::of(options)?;
    let mut phases = Phases::new(sink);
    let source =
        Box::pin(source::read(options, form, matches!(destination, Destination::Store(_)), &mut phases)).await?;
    match destination {
        Destination::Store(store) => Box::pin(to_store(options, form, source, store, phases, now)).await,
        Destination::Path(path) => {
            source.announce(options, &path.display().to_string(), sink);
            let (store, key) = open_parent(&path, form.format).await?;
            let name = path.display().to_string();
            Box::pin(alone(options, form, source, Place::Store(store, key), name, phases, now)).await
        }
        Destination::Stream(stream) => {
            source.announce(options, "standard output", sink);
            let name = "standard output".to_owned();
            Box::pin(alone(options, form, source, Place::Stream(stream), name, phases, now)).await
        }
    }
}

/// An archive without a backup around it, as pg_dump makes it.
async fn alone(
    options: &Options,
    form: Form,
    mut source: Source,
    place: Place,
    name: String,
    mut phases: Phases<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    phases.begin(Phase::CopyOut);
    let archived = archive::write(options, form, &mut source, place, phases.sink, now).await?;
    phases.end();
    let id = manifest::label(now, &mut rand::rng());
    let archive_bytes = archived.size;
    let manifest = describe(options, form, &source, id, archived, &phases, now)?;
    source.end().await;
    Ok(Outcome { manifest, place: name, archive_bytes, pruned: None })
}

/// A file's folder as a store, so that a file outside a store is written as carefully as one inside.
async fn open_parent(path: &Path, format: Format) -> Result<(Arc<dyn Store>, Key)> {
    let unusable = |detail: &str| {
        Error::new(ErrorKind::Usage, format!("cannot write the archive to \"{}\"", path.display())).detail(detail)
    };
    let name =
        path.file_name().and_then(|name| name.to_str()).ok_or_else(|| unusable("the path has no usable file name"))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let store = LocalStore::open(parent, Access::Read).await?;
    let key = Key::new(name).map_err(|error| unusable(error.detail_text().unwrap_or_default()))?;
    let is_taken = match format {
        // pg_dump writes over a file, and into an empty directory
        Format::Custom | Format::Tar | Format::Plain => path.is_dir(),
        Format::Directory => path.is_file() || !store.list(&format!("{key}/")).await?.is_empty(),
    };
    if is_taken { Err(unusable("something else is there")) } else { Ok((Arc::new(store), key)) }
}

/// A backup in its folder of a store, under the lease of its database.
async fn to_store(
    options: &Options,
    form: Form,
    source: Source,
    store: Arc<dyn Store>,
    mut phases: Phases<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    let database = source.database.name.clone();
    source.announce(options, &store.describe(), phases.sink);
    let backups = shelf::read_only(&*store, &database, |_| false).await?;
    if !options.accept_clock {
        manifest::check_clock(now, backups.iter().map(|backup| &backup.id).max())?;
    }
    let id = manifest::label(now, &mut rand::rng());
    let home = Key::new(encode_component(&database))?;
    let (lease, _) = Lease::acquire(Arc::clone(&store), &home, "backup", &id.to_string()).await?;
    let folder = shelf::folder(&database, &id)?;
    let work = async {
        unfinished::discard(&store, &database, phases.sink).await?;
        fill(options, form, source, &store, &folder, id, &lease, &mut phases, now).await
    };
    let filled = tokio::select! {
        filled = work => filled,
        error = lease.lost() => Err(error),
    };
    let outcome = match filled {
        Ok(outcome) => outcome,
        Err(error) => {
            unfinished::clean_up(&store, &folder).await;
            lease.release().await;
            return Err(error);
        }
    };
    phases.sink.event(Event::Published { backup: outcome.manifest.id.to_string(), place: outcome.place.clone() });
    let pruned = apply_retention(options, &*store, &database, now, phases.sink).await;
    lease.release().await;
    Ok(Outcome { pruned: pruned?, ..outcome })
}

#[expect(clippy::too_many_arguments, reason = "one step of one story; a struct would only rename the arguments")]
async fn fill(
    options: &Options,
    form: Form,
    mut source: Source,
    store: &Arc<dyn Store>,
    folder: &Key,
    id: Label,
    lease: &Lease,
    phases: &mut Phases<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    phases.begin(Phase::CopyOut);
    let place = Place::Store(Arc::clone(store), folder.join(&form.path())?);
    let archived = archive::write(options, form, &mut source, place, phases.sink, now).await?;
    phases.begin(Phase::ReadBack);
    let files = publish::check_archive(store, folder, form, &archived, options.read_back).await?;
    phases.begin(Phase::Publish);
    let archive_bytes = archived.size;
    let mut manifest = describe(options, form, &source, id, archived, phases, now)?;
    manifest.files = files;
    judge(options, &**store, &source, &mut manifest, phases.sink).await?;
    lease.check().await?;
    let manifest = publish::publish(&**store, folder, manifest, source.globals.as_deref()).await?;
    phases.end();
    source.end().await;
    Ok(Outcome { manifest, place: format!("{}/{folder}", store.describe()), archive_bytes, pruned: None })
}

/// The manifest of what was written; its files are added when they were read back.
fn describe(
    options: &Options,
    form: Form,
    source: &Source,
    id: Label,
    archived: Archived,
    phases: &Phases<'_>,
    now: DateTime<Utc>,
) -> Result<Manifest> {
    let (tables, large_objects) = publish::data(source, &archived.copied);
    // an older archive has more entries than the plan: one for each large object
    let kinds: Vec<&str> = match &archived.toc {
        Some(toc) => toc.entries.iter().map(|entry| entry.kind.as_str()).collect(),
        None => source.kinds.clone(),
    };
    let mut expected = source.expected.clone();
    for kind in &kinds {
        *expected.entry_counts.entry((*kind).to_owned()).or_default() += 1;
    }
    Ok(Manifest {
        id,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        state: if source.skipped.is_empty() { State::Complete } else { State::Partial },
        source: source.identity(options),
        snapshot: source.moment()?,
        options: options.spelled.clone(),
        filters: options.filters.clone(),
        has_secrets: options.role_passwords,
        skipped: source.skipped.clone(),
        warnings: source.warnings.clone(),
        archive: manifest::Archive {
            format: form.format,
            path: form.path(),
            compression: form.compression.to_string(),
            version: archived.toc.as_ref().map(|toc| toc.header.version.to_string()),
            reader_major: form.reader_major(source.plan.has_sql_bodies()),
            entry_count: kinds.len() as u64,
            creates_database: form.format != Format::Plain || options.plain.create,
            has_data: options.content.data && options.content.sections.data,
            has_schema: options.content.definitions,
            encoding: Some(source.plan.inventory.facts.encoding.clone()),
            inserts: options.detail.inserts.is_some(),
            float_digits: options.float_digits,
        },
        files: Vec::new(),
        tables,
        large_objects,
        expected,
        timings: Timings { begun: now, finished: Utc::now(), phases: phases.times() },
    })
}

/// A backup that may be of the wrong database, or of an emptied one, is kept but counts for nothing.
async fn judge(
    options: &Options,
    store: &dyn Store,
    source: &Source,
    manifest: &mut Manifest,
    sink: &dyn Sink,
) -> Result<()> {
    if options.allow_empty || !manifest.filters.is_empty() {
        return Ok(());
    }
    let database = &manifest.source.database;
    let newest = shelf::read_only(store, database, |_| false).await?;
    let newest = newest
        .iter()
        .filter(|backup| matches!(backup.standing, shelf::Standing::Unread))
        .map(|backup| &backup.id)
        .max();
    let before = match newest {
        Some(newest) => shelf::read_only(store, database, |id| id == newest).await?,
        None => Vec::new(),
    };
    let before = before.iter().find_map(|backup| backup.manifest()).map(|manifest| manifest.tables.len());
    let count = manifest.tables.len();
    let problem = if !source.kinds.contains(&"TABLE") {
        "the database has no tables".to_owned()
    } else if before.is_some_and(|before| count * 2 < before) {
        format!("the database has {count} tables, the last backup had {}", before.unwrap_or_default())
    } else {
        return Ok(());
    };
    let hint = "Check that this is the database that you mean; pass --allow-empty if it is.";
    sink.event(Event::Warning(Message::with_hint(problem.clone(), hint)));
    manifest.state = State::Suspect;
    manifest.warnings.push(problem);
    Ok(())
}

async fn apply_retention(
    options: &Options,
    store: &dyn Store,
    database: &str,
    now: DateTime<Utc>,
    sink: &dyn Sink,
) -> Result<Option<prune::Outcome>> {
    let Some(policy) = &options.retention else { return Ok(None) };
    let options =
        prune::Options { policy: policy.clone(), database: Some(database.to_owned()), grace: prune::DEFAULT_GRACE };
    let plan = prune::plan(&options, store, now).await?;
    prune::run(&options, &plan, store, now, sink).await.map(Some)
}
