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
mod judge;
mod keeper;
mod options;
mod outside;
mod phase;
mod plain;
mod press;
mod publish;
mod queue;
mod receipts;
mod retain;
pub mod schema;
mod slice;
mod source;
mod tar;
mod target;
mod unfinished;
mod watch;
mod worker;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use keeper::{Blocking, WhenBlocking};
pub use options::{Destination, DetailOptions, Options, PlainOptions};
pub use target::Stream;

use crate::error::{Error, Result};
use crate::event::{Event, Phase, Sink};
use crate::manifest::{self, Format, Label, Manifest, State, Timings};
use crate::store::lease::Lease;
use crate::store::{Key, Store, encode_component};
use crate::{prune, shelf};

use archive::{Archived, Form, Place};
use phase::Phases;
use publish::Fate;
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
    /// Why retention could not be applied. The backup is there all the same.
    pub retention_error: Option<Error>,
}

impl Outcome {
    /// Whether retention, or a deletion of it, failed.
    pub fn retention_failed(&self) -> bool {
        self.retention_error.is_some() || self.pruned.as_ref().is_some_and(|pruned| !pruned.failed.is_empty())
    }
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
            let place = outside::place(&path, form.format).await?;
            let name = path.display().to_string();
            Box::pin(alone(options, form, source, place, name, phases, now)).await
        }
        Destination::Stream(stream) => {
            let name = stream.name().to_owned();
            source.announce(options, &name, sink);
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
    Ok(Outcome { manifest, place: name, archive_bytes, pruned: None, retention_error: None })
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
    let fate = Fate::default();
    let filled = {
        let mut work = Box::pin(async {
            unfinished::discard(&store, &database, phases.sink).await?;
            Box::pin(fill(options, form, source, &store, &folder, id, &lease, &fate, &mut phases, now)).await
        });
        tokio::select! {
            filled = &mut work => filled,
            // a manifest that is on its way is waited for: what becomes of it must be known
            error = lease.lost() => if fate.may_be_published() { work.await } else { Err(error) },
        }
    };
    let outcome = match filled {
        Ok(outcome) => outcome,
        Err(error) => {
            unfinished::clean_up(&store, &folder, &fate).await;
            lease.release().await;
            return Err(error);
        }
    };
    phases.sink.event(Event::Published { backup: outcome.manifest.id.to_string(), place: outcome.place.clone() });
    let pruned = retain::apply_retention(options, &*store, &database, now, phases.sink).await;
    lease.release().await;
    Ok(match pruned {
        Ok(pruned) => Outcome { pruned, ..outcome },
        Err(error) => Outcome { retention_error: Some(error), ..outcome },
    })
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
    fate: &Fate,
    phases: &mut Phases<'_>,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    phases.begin(Phase::CopyOut);
    let place = Place::Store(Arc::clone(store), folder.join(&form.path())?);
    let mut archived = archive::write(options, form, &mut source, place, phases.sink, now).await?;
    phases.begin(Phase::ReadBack);
    let files = publish::check_archive(store, folder, form, &mut archived, options.read_back).await?;
    phases.begin(Phase::Publish);
    let archive_bytes = archived.size;
    let mut manifest = describe(options, form, &source, id, archived, phases, now)?;
    manifest.files = files;
    judge::judge(options, &**store, &source, &mut manifest, phases.sink).await?;
    let globals = source.globals.as_deref();
    let manifest = publish::publish(&**store, folder, manifest, globals, lease, fate, phases.sink).await?;
    phases.end();
    source.end().await;
    Ok(Outcome {
        manifest,
        place: format!("{}/{folder}", store.describe()),
        archive_bytes,
        pruned: None,
        retention_error: None,
    })
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
        are_filters_usual: options.are_filters_usual,
        has_secrets: options.role_passwords,
        skipped: source.skipped.clone(),
        warnings: source.warnings.clone(),
        suspicions: Vec::new(),
        volatile: options.volatile.clone(),
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
