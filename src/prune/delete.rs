//! One deletion, step by step.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Options, Outcome, Plan, Remnant, Untouched};
use crate::error::Result;
use crate::event::{Event, Message, Sink};
use crate::manifest::{Manifest, layout};
use crate::retention::{self, Action, Decision};
use crate::shelf::{self, Removed, Standing};
use crate::store::{Erasure, Key, Store};

/// The lease of the run that writes in a database's folder ([`crate::store::lease`]).
const LEASE: &str = "lease.json";

/// A lease that was not renewed for so long belongs to nobody, whatever the clocks of host and store say.
const LEASE_AGE_MAX: TimeDelta = TimeDelta::minutes(15);

/// What became of one deletion.
pub(super) enum Fate {
    /// It is gone, or hidden where its store keeps versions.
    Removed(Removed, Erasure),
    /// It stays after all, for this reason.
    Spared(String),
}

/// Deletes one backup that the policy gives up.
pub(super) async fn backup(
    options: &Options,
    plan: &Plan,
    decision: &Decision,
    store: &dyn Store,
    now: DateTime<Utc>,
) -> Result<Fate> {
    match still_doomed(options, plan, decision, store, now).await? {
        Ok(manifest) => {
            let folder = shelf::folder(&decision.backup.database, &decision.backup.id)?;
            let erasure = store.erasure(&folder.join(layout::MANIFEST)?).await?;
            let removed = shelf::remove(store, &folder, Some(&manifest)).await?;
            Ok(Fate::Removed(removed, erasure))
        }
        Err(reason) => Ok(Fate::Spared(reason)),
    }
}

/// Finishes an interrupted deletion, or removes what a dead run left.
pub(super) async fn remnant(
    options: &Options,
    remnant: &Remnant,
    store: &dyn Store,
    now: DateTime<Utc>,
) -> Result<Fate> {
    match still_dead(options, remnant, store, now).await? {
        None => {
            let folder = Key::new(&remnant.name)?;
            let any = store.list(&format!("{folder}/")).await?.into_iter().next();
            let erasure = match any {
                Some(object) => store.erasure(&object.key).await?,
                None => Erasure::Freed,
            };
            let removed = shelf::remove(store, &folder, None).await?;
            Ok(Fate::Removed(removed, erasure))
        }
        Some(reason) => Ok(Fate::Spared(reason)),
    }
}

/// Takes down what became of a deletion, and tells it.
pub(super) fn take_down(name: String, fate: Result<Fate>, sink: &dyn Sink, outcome: &mut Outcome) {
    match fate {
        Ok(Fate::Removed(removed, erasure)) => {
            if !removed.strangers.is_empty() {
                let names: Vec<String> = removed.strangers.iter().map(|key| format!("\"{key}\"")).collect();
                sink.event(Event::Note(Message::new(format!(
                    "no part of the backup, left alone: {}",
                    names.join(", ")
                ))));
            }
            match erasure {
                Erasure::Freed => outcome.bytes = outcome.bytes.saturating_add(removed.bytes),
                Erasure::Hidden(kept) => {
                    outcome.hidden_bytes = outcome.hidden_bytes.saturating_add(removed.bytes);
                    outcome.hidden.push((name.clone(), kept));
                }
            }
            sink.event(Event::Deleted { backup: name.clone(), files: removed.files, bytes: removed.bytes });
            outcome.deleted.push(name);
        }
        Ok(Fate::Spared(reason)) => outcome.spared.push(Untouched { name, reason }),
        Err(error) => {
            let text = format!("could not delete backup {name}: {}", error.message());
            sink.event(Event::Warning(Message::with_hint(text, "Its deletion goes on with the next run.")));
            outcome.failed.push((name, error));
        }
    }
}

/// Looks again at the store; the answer is the manifest of what may go, or why the backup stays after all.
async fn still_doomed(
    options: &Options,
    plan: &Plan,
    decision: &Decision,
    store: &dyn Store,
    now: DateTime<Utc>,
) -> Result<Result<Box<Manifest>, String>> {
    let doomed = &decision.backup;
    let mut present = Vec::new();
    let mut same = None;
    for found in shelf::read_only(store, &doomed.database, |id| *id == doomed.id).await? {
        let Some(judged) =
            plan.decisions.iter().find(|one| one.backup.database == found.database && one.backup.id == found.id)
        else {
            continue;
        };
        let again = match &found.standing {
            Standing::Complete { received, .. } => super::judged(&found, *received),
            Standing::Summarized { .. }
            | Standing::Unread
            | Standing::Unreadable(_)
            | Standing::Deleting
            | Standing::Unfinished
            | Standing::LeftOver => None,
        };
        match found.standing {
            Standing::Complete { manifest, .. } if found.id == doomed.id => {
                same = (again.as_ref() == Some(doomed)).then_some(manifest);
                present.push(doomed.clone());
            }
            // not read again: that its manifest is there is enough
            Standing::Complete { .. } | Standing::Summarized { .. } | Standing::Unread => {
                present.push(judged.backup.clone());
            }
            Standing::Unreadable(_) | Standing::Deleting | Standing::Unfinished | Standing::LeftOver => {}
        }
    }
    let Some(manifest) = same else { return Ok(Err("it changed since it was judged".to_owned())) };
    let again = retention::decide(&options.policy, &present, now)?;
    let gives_up = again.iter().any(|one| one.backup == *doomed && one.action == Action::Delete);
    Ok(match gives_up {
        true => Ok(manifest),
        false => Err("others were deleted meanwhile, and the policy keeps it now".to_owned()),
    })
}

/// Looks again at a folder that goes whatever the policy says; the answer is why it stays after all.
async fn still_dead(
    options: &Options,
    remnant: &Remnant,
    store: &dyn Store,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let grace = TimeDelta::from_std(options.grace).unwrap_or(TimeDelta::MAX);
    let folder = Key::new(&remnant.name)?;
    let objects = store.list(&format!("{folder}/")).await?;
    let has = |name: &str| objects.iter().any(|object| object.key.as_str() == format!("{folder}/{name}"));
    if has(layout::TOMBSTONE) || objects.is_empty() {
        return Ok(None);
    }
    if has(layout::MANIFEST) {
        return Ok(Some("it was finished meanwhile".to_owned()));
    }
    let database = folder.parts().next().unwrap_or_default();
    let alive = objects.iter().any(|object| now - object.modified <= grace) || is_leased(database, store, now).await?;
    Ok(alive.then(|| "a run is writing in this folder".to_owned()))
}

/// Whether a run is writing in this database's folder: it renews its lease every half minute.
pub(super) async fn is_leased(folder: &str, store: &dyn Store, now: DateTime<Utc>) -> Result<bool> {
    let lease = store.head(&Key::new(format!("{folder}/{LEASE}"))?).await?;
    Ok(lease.is_some_and(|lease| now - lease.modified <= LEASE_AGE_MAX))
}
