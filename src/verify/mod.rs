//! `db verify`: proves a backup, a bare archive, or that a live database has what a backup holds.
//!
//! Findings are not errors: looking succeeded. An error means that it could not be looked at.

mod contents;
mod definition;
mod directory;
mod examine;
mod expectation;
mod file;
mod finding;
mod known;
mod large_object;
mod level;
mod live;
mod meaning;
mod outcome;
mod plain;
mod proof;
mod restoration;
mod script;
mod shown;
mod structure;
mod tar;
mod tee;
mod token;
mod wish;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

pub use finding::{Finding, FindingKind, Level};
pub use live::Comparison;
pub use outcome::{Checked, LevelOutcome, LevelVerdict, NotChecked, Outcome, Verdict};
pub use proof::Proof;
pub use restoration::Restoration;
pub use wish::{PolicyWish, TableWish, Volume, Wishes};

use crate::archive::script::entries;
use crate::archive::toc::Toc;
use crate::error::Result;
use crate::event::{Event, Phase, Sink};
use crate::manifest::{Format, Manifest};
use crate::reader::{open_custom, open_directory, read_tar_head};
use crate::server;
use crate::shelf::{Backup, Standing};
use crate::store::Store;
use crate::transfer::Inlet;

/// What to verify, and how deep.
pub struct Options {
    /// What to verify.
    pub target: Target,
    /// How deep; `None` is as deep as the target allows.
    pub level: Option<Level>,
    /// Tables that must be there: `schema.table`, or `table` in any schema.
    pub required_tables: Vec<String>,
    /// What `verify.toml` wishes for.
    pub wishes: Wishes,
    /// A live database to compare with the backup.
    pub against: Option<Against>,
    /// Files that are read at the same time.
    pub jobs: usize,
}

/// A live database to compare.
pub struct Against {
    /// Where it is.
    pub target: server::Options,
    /// How it was restored.
    pub restored: Restoration,
}

/// What to verify.
pub enum Target {
    /// A backup in a store.
    Backup {
        /// The store.
        store: Arc<dyn Store>,
        /// The backup, with its manifest read.
        backup: Box<Backup>,
        /// The good backup before it, to compare the volume with.
        previous: Option<Box<Backup>>,
    },
    /// An archive that lies somewhere, by whomever it was written.
    Path(PathBuf),
}

/// What an archive says of the objects in it.
#[derive(Clone, Debug)]
pub enum Definitions {
    /// By its table of contents.
    Toc(Toc),
    /// By the statements and comments of a script.
    Script(Vec<entries::Entry>),
}

impl Definitions {
    /// The encoding of the archive's rows, where it tells.
    pub fn encoding(&self) -> Option<&str> {
        match self {
            Self::Toc(toc) => toc.encoding(),
            // the manifest has it
            Self::Script(_) => None,
        }
    }

    /// Who owns objects of these kinds.
    pub fn owners(&self, kinds: &[&str]) -> BTreeSet<String> {
        let is_asked = |kind: &str| kinds.contains(&kind);
        match self {
            Self::Toc(toc) => {
                let entries = toc.entries.iter().filter(|entry| is_asked(&entry.kind));
                entries.filter_map(|entry| entry.owner.clone()).collect()
            }
            Self::Script(script) => {
                let readings = script.iter().filter_map(|entry| Some((entry, *entry.readings().first()?)));
                readings
                    .filter(|(_, reading)| is_asked(reading.kind))
                    .filter_map(|(entry, one)| entry.read(one).owner)
                    .collect()
            }
        }
    }
}

/// Looks as deep as it was asked to.
///
/// Fails when the store or the server cannot be reached, and when the target is nothing that can be looked at. Everything
/// that is wrong with the target itself is a finding.
pub async fn run(options: &Options, sink: &dyn Sink) -> Result<Outcome> {
    let deepest = options.level.unwrap_or(Level::Expectations);
    match &options.target {
        Target::Path(path) => {
            let mut outcome = Outcome::new(path.display().to_string(), options.level);
            let bare = timed(sink, Phase::CheckArchive, examine::path(path, options.jobs, sink)).await?;
            let toc = bare.examined.contents.as_ref().and_then(|contents| contents.toc.clone());
            add_levels(&mut outcome, bare.examined, None, deepest);
            if deepest >= Level::Expectations {
                let mut report =
                    expectation::check(toc.as_ref(), None, None, &options.required_tables, &options.wishes);
                report.not_checkable("what the source had", "there is no manifest that says it");
                if bare.plain {
                    report.not_checkable("objects", "SQL text has no table of contents");
                }
                outcome.add(report);
            }
            if options.against.is_some() {
                return Err(crate::error::Error::new(
                    crate::error::ErrorKind::Usage,
                    "could not compare a live database with a bare archive",
                )
                .detail("only a manifest says which objects and rows there must be")
                .hint("Name a backup in a store."));
            }
            Ok(outcome)
        }
        Target::Backup { store, backup, previous } => {
            let manifest = manifest_of(backup)?;
            let mut outcome = Outcome::new(backup.name(), options.level);
            let phase = if deepest == Level::Files { Phase::CheckFiles } else { Phase::CheckArchive };
            let pass = examine::backup(store, backup, manifest, deepest, options.jobs, sink);
            let examined = timed(sink, phase, pass).await?;
            let contents = examined.contents.as_ref();
            let toc = contents.and_then(|contents| contents.toc.clone());
            let script = contents.and_then(|contents| contents.script.clone());
            add_levels(&mut outcome, examined, Some(manifest), deepest);
            if deepest >= Level::Expectations {
                let previous = previous.as_ref().and_then(|previous| previous.manifest());
                let comparable = previous.filter(|previous| previous.filters == manifest.filters);
                let (tables, wishes) = (&options.required_tables, &options.wishes);
                outcome.add(expectation::check(toc.as_ref(), Some(manifest), comparable, tables, wishes));
            }
            if let Some(Against { target, restored }) = &options.against {
                let definitions = match (toc, script) {
                    (Some(toc), _) => Some(Definitions::Toc(toc)),
                    (None, Some(script)) => Some(Definitions::Script(script)),
                    (None, None) if deepest == Level::Files => Some(definitions(store, backup, manifest).await?),
                    (None, None) => None,
                };
                let encoding = definitions.as_ref().and_then(Definitions::encoding).unwrap_or(manifest.encoding());
                let (definitions, jobs) = (definitions.as_ref(), options.jobs);
                let comparison = Comparison { encoding, definitions, restored, database: true, jobs };
                let comparing = live::compare(target, manifest, comparison, sink);
                outcome.add(timed(sink, Phase::CompareLive, comparing).await?);
            }
            Ok(outcome)
        }
    }
}

/// Compares a live database with what a manifest says, and looks at nothing else: for whoever has just restored it.
pub async fn compare(
    target: &server::Options,
    manifest: &Manifest,
    comparison: Comparison<'_>,
    sink: &dyn Sink,
) -> Result<Outcome> {
    let mut outcome = Outcome::new(manifest.source.database.clone(), Some(Level::Live));
    outcome.add(timed(sink, Phase::CompareLive, live::compare(target, manifest, comparison, sink)).await?);
    Ok(outcome)
}

/// What a backup's archive says of the objects in it, without a look at anything else.
///
/// # Errors
///
/// When the archive cannot be read or is none.
pub async fn definitions(store: &Arc<dyn Store>, backup: &Backup, manifest: &Manifest) -> Result<Definitions> {
    let key = backup.folder()?.join(&manifest.archive.path)?;
    let toc = match manifest.archive.format {
        Format::Custom => open_custom(Inlet::open(Arc::clone(store), &key).await?).await?.toc().clone(),
        Format::Directory => open_directory(Arc::clone(store), Some(&key)).await?.toc().clone(),
        Format::Tar => read_tar_head(&Inlet::open(Arc::clone(store), &key).await?).await?,
        Format::Plain => return Ok(Definitions::Script(examine::script(store, &key).await?)),
    };
    Ok(Definitions::Toc(toc))
}

fn add_levels(outcome: &mut Outcome, examined: examine::Examined, manifest: Option<&Manifest>, deepest: Level) {
    let examine::Examined { files, contents, notes } = examined;
    outcome.notes.extend(notes);
    outcome.add(files);
    if deepest >= Level::Archive {
        outcome.add(level::archive(contents.as_ref(), manifest));
    }
    if deepest >= Level::Rows {
        outcome.add(level::rows(contents.as_ref(), manifest));
    }
}

/// The manifest of a backup that can be looked at; the error says why it cannot.
fn manifest_of(backup: &Backup) -> Result<&Manifest> {
    use crate::error::{Error, ErrorKind};
    match &backup.standing {
        Standing::Complete { manifest, .. } => Ok(manifest),
        Standing::Unreadable(error) => Err(Error::new(error.kind(), error.message())
            .detail(error.detail_text().unwrap_or("no detail"))
            .hint("Use another backup, or copy this one again from where it is whole.")),
        Standing::Summarized { .. } | Standing::Unread => {
            Err(Error::new(ErrorKind::Bug, format!("the manifest of {} was not read", backup.name())))
        }
        Standing::Deleting | Standing::Unfinished | Standing::LeftOver => {
            Err(Error::new(ErrorKind::Archive, format!("backup {} is not complete", backup.name())))
        }
    }
}

/// Tells the begin and the end of a phase.
async fn timed<T>(sink: &dyn Sink, phase: Phase, work: impl Future<Output = Result<T>>) -> Result<T> {
    sink.event(Event::PhaseBegun(phase));
    let begun = Instant::now();
    let result = work.await;
    sink.event(Event::PhaseFinished { phase, elapsed: begun.elapsed() });
    result
}

#[cfg(test)]
mod tests;
