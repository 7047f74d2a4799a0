//! `db upload`: copies complete backups between stores, verified, and only what is missing.
//!
//! A file is hashed on its way; it becomes visible in the target only when it is the file that the manifest describes, and
//! is then read back. The manifest goes last, byte for byte, so that a copy that was interrupted is not listed, and the
//! next run goes on with it.

mod file;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Phase, Progress, Sink};
use crate::manifest::{self, Condition, File, Manifest, layout};
use crate::shelf::{self, Backup, Query};
use crate::store::{Key, PutMode, PutOutcome, Store};

/// What to copy, and where.
pub struct Options {
    /// Which backups.
    pub which: Which,
    /// The store that has them.
    pub from: Arc<dyn Store>,
    /// The store that is to have them.
    pub to: Arc<dyn Store>,
    /// Files that are copied at the same time.
    pub jobs: NonZeroUsize,
}

/// Which backups.
#[derive(Clone, Debug)]
pub enum Which {
    /// One of them.
    One(Query),
    /// Every complete one, of this database where one is named.
    All(Option<String>),
}

/// What was done.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What became of each backup, oldest first.
    pub backups: Vec<Copied>,
    /// Backups that were passed over because they are not complete in the source, or damaged, and what they are.
    pub passed_over: Vec<(String, String)>,
    /// Backups that could not be copied. A later run goes on with them.
    pub failed: Vec<(String, Error)>,
}

/// What became of one backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// `shop/20261121T030000Z-k3f9`.
    pub name: String,
    /// Files that were copied. None means that the target had the whole backup already.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Copies the backups that the target lacks. One that fails does not stop the others.
///
/// Fails when a store cannot be read, and when the backup that is named is not complete.
pub async fn run(options: &Options, sink: &dyn Sink) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let from = options.from.as_ref();
    let backups = match &options.which {
        Which::One(query) => {
            let found = shelf::find(from, query).await?;
            for remark in &found.remarks {
                sink.event(Event::Warning(Message::new(remark.clone())));
            }
            vec![found.backup]
        }
        Which::All(database) => shelf::survey(from, database.as_deref()).await?,
    };
    sink.event(Event::PhaseBegun(Phase::Transfer));
    let begun = std::time::Instant::now();
    let is_named = matches!(options.which, Which::One(_));
    for backup in backups {
        let (name, condition) = (backup.name(), backup.condition());
        // one that is named is copied whatever it is: each file must have its checksum
        if !is_named && matches!(condition, Condition::Damaged { .. }) {
            outcome.passed_over.push((name, condition.word().to_owned()));
            continue;
        }
        let backup = match backup.complete(from).await {
            Ok(backup) => backup,
            Err(error) => {
                outcome.failed.push((name, error));
                continue;
            }
        };
        let Some(manifest) = backup.manifest() else {
            outcome.passed_over.push((name, condition.word().to_owned()));
            continue;
        };
        match copy(options, &backup, manifest, sink).await {
            Ok(copied) => outcome.backups.push(copied),
            Err(error) => outcome.failed.push((name, error)),
        }
    }
    sink.event(Event::PhaseFinished { phase: Phase::Transfer, elapsed: begun.elapsed() });
    Ok(outcome)
}

async fn copy(options: &Options, backup: &Backup, manifest: &Manifest, sink: &dyn Sink) -> Result<Copied> {
    let folder = backup.folder()?;
    let key = folder.join(layout::MANIFEST)?;
    let stored = fetch_all(options.from.as_ref(), &key).await?;
    if manifest::decode(key.as_str(), &stored)? != *manifest {
        return Err(Error::new(ErrorKind::Locked, format!("{} changed while it was looked at", backup.name()))
            .hint("Try again."));
    }
    let present: std::collections::BTreeMap<Key, u64> =
        options.to.list(&format!("{folder}/")).await?.into_iter().map(|object| (object.key, object.size)).collect();
    let is_published = present.contains_key(&key);
    if is_published && fetch_all(options.to.as_ref(), &key).await? != stored {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("{} has another backup called {}", options.to.describe(), backup.name()),
        )
        .detail("the manifests differ")
        .hint("Look at both with db show; nothing was changed."));
    }
    if present.contains_key(&folder.join(layout::TOMBSTONE)?) {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("{} is being deleted in {}", backup.name(), options.to.describe()),
        )
        .hint("Finish its deletion with db prune --yes, then upload it again."));
    }
    let total = manifest.stored_bytes();
    let done = AtomicU64::new(0);
    let one = |file: &File| {
        let file = file.clone();
        let folder = folder.clone();
        let size = folder.join(&file.path).ok().and_then(|key| present.get(&key).copied());
        let done = &done;
        async move {
            let key = folder.join(&file.path)?;
            let report = |bytes: u64| {
                let bytes = done.fetch_add(bytes, Ordering::Relaxed) + bytes;
                sink.event(Event::Progress(Progress { bytes, bytes_total: Some(total), ..Progress::default() }));
            };
            // a published backup was read back before; of an interrupted copy every file is read again
            let has = match size {
                Some(size) if size == file.size && is_published => true,
                Some(size) if size == file.size => file::is_same(&options.to, &key, &file).await?,
                Some(_) | None => false,
            };
            if has {
                report(file.size);
                return Ok::<_, Error>((0, 0));
            }
            file::copy(Arc::clone(&options.from), &options.to, &key, &file, &report).await?;
            sink.event(Event::ObjectFinished { name: key.to_string(), rows: None, bytes: file.size });
            Ok((1, file.size))
        }
    };
    let copied: Vec<(u64, u64)> =
        stream::iter(manifest.files.iter().map(one)).buffer_unordered(options.jobs.get()).try_collect().await?;
    copy_evidence(options, backup, &folder, &present).await?;
    if !is_published {
        publish(options, &key, stored, backup).await?;
        sink.event(Event::Published { backup: backup.name(), place: options.to.describe() });
    }
    let (files, bytes) = copied.into_iter().fold((0, 0), |(files, sum), (one, bytes)| (files + one, sum + bytes));
    Ok(Copied { name: backup.name(), files, bytes })
}

/// The manifest, last. Another upload of the same backup may have been quicker; then it has written the same.
async fn publish(options: &Options, key: &Key, stored: Bytes, backup: &Backup) -> Result<()> {
    if let PutOutcome::Exists = options.to.put(key, stored.clone(), PutMode::CreateOnly).await?
        && fetch_all(options.to.as_ref(), key).await? != stored
    {
        return Err(Error::new(ErrorKind::Locked, format!("{} was written by another run meanwhile", backup.name()))
            .hint("Look at it with db show."));
    }
    if fetch_all(options.to.as_ref(), key).await? != stored {
        return Err(Error::new(ErrorKind::Damage, format!("\"{key}\" reads back differently from what was written")));
    }
    Ok(())
}

/// Evidence is small and never changes; what the target has stays.
async fn copy_evidence(
    options: &Options,
    backup: &Backup,
    folder: &Key,
    present: &std::collections::BTreeMap<Key, u64>,
) -> Result<()> {
    let prefix = format!("{folder}/");
    let is_evidence = |key: &Key| key.as_str().strip_prefix(&prefix).is_some_and(layout::is_evidence);
    for object in backup.objects.iter().filter(|object| is_evidence(&object.key)) {
        if !present.contains_key(&object.key) {
            let bytes = fetch_all(options.from.as_ref(), &object.key).await?;
            // one that another run has just written is the same
            let _ = options.to.put(&object.key, bytes, PutMode::CreateOnly).await?;
        }
    }
    Ok(())
}

async fn fetch_all(store: &dyn Store, key: &Key) -> Result<Bytes> {
    let chunks: Vec<Bytes> = store.fetch(key, None).await?.try_collect().await?;
    Ok(chunks.concat().into())
}

#[cfg(test)]
mod tests;
