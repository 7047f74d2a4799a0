//! One deletion, step by step.

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Options, Outcome, Plan, Remnant, Untouched};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink};
use crate::manifest::{layout, seal};
use crate::retention::{self, Action, Decision};
use crate::shelf::{self, Standing};
use crate::store::{Key, PutMode, Store};

/// The lease of the run that writes in a database's folder ([`crate::store::lease`]).
const LEASE: &str = "lease.json";

/// A lease that was not renewed for so long belongs to nobody, whatever the clocks of host and store say.
const LEASE_AGE_MAX: TimeDelta = TimeDelta::minutes(15);

/// Objects that are removed by one request at most.
const BATCH: usize = 1000;

/// Deletes one backup that the policy gives up.
pub(super) async fn backup(
    options: &Options,
    plan: &Plan,
    decision: &Decision,
    store: &dyn Store,
    now: DateTime<Utc>,
    sink: &dyn Sink,
    outcome: &mut Outcome,
) {
    let name = format!("{}/{}", crate::store::encode_component(&decision.backup.database), decision.backup.id);
    let result = match still_doomed(options, plan, decision, store, now).await {
        Ok(None) => bury(decision, store, now).await,
        Ok(Some(reason)) => {
            outcome.spared.push(Untouched { name, reason });
            return;
        }
        Err(error) => Err(error),
    };
    take_down(&name, result, sink, outcome);
}

/// Finishes an interrupted deletion, or removes what a dead run left.
pub(super) async fn remnant(
    options: &Options,
    remnant: &Remnant,
    store: &dyn Store,
    now: DateTime<Utc>,
    sink: &dyn Sink,
    outcome: &mut Outcome,
) {
    let result = match still_dead(options, remnant, store, now).await {
        Ok(None) => match Key::new(&remnant.name) {
            Ok(folder) => clear(&folder, store).await,
            Err(error) => Err(error),
        },
        Ok(Some(reason)) => {
            outcome.spared.push(Untouched { name: remnant.name.clone(), reason });
            return;
        }
        Err(error) => Err(error),
    };
    take_down(&remnant.name, result, sink, outcome);
}

fn take_down(name: &str, result: Result<(u64, u64)>, sink: &dyn Sink, outcome: &mut Outcome) {
    match result {
        Ok((files, bytes)) => {
            outcome.deleted.push(name.to_owned());
            outcome.bytes = outcome.bytes.saturating_add(bytes);
            sink.event(Event::Deleted { backup: name.to_owned(), files, bytes });
        }
        Err(error) => {
            let text = format!("could not delete backup {name}: {}", error.message());
            sink.event(Event::Warning(Message::with_hint(text, "Its deletion goes on with the next run.")));
            outcome.failed.push((name.to_owned(), error));
        }
    }
}

/// Looks again at the store; the answer is why the backup stays after all.
async fn still_doomed(
    options: &Options,
    plan: &Plan,
    decision: &Decision,
    store: &dyn Store,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let doomed = &decision.backup;
    let mut present = Vec::new();
    let mut is_same = false;
    for found in shelf::read_only(store, &doomed.database, |id| *id == doomed.id).await? {
        let Some(judged) =
            plan.decisions.iter().find(|one| one.backup.database == found.database && one.backup.id == found.id)
        else {
            continue;
        };
        match &found.standing {
            Standing::Complete { manifest, received } if found.id == doomed.id => {
                is_same = retention::Backup::new(manifest, Some(*received)) == *doomed;
                present.push(doomed.clone());
            }
            // not read again: that its manifest is there is enough
            Standing::Complete { .. } | Standing::Unread => present.push(judged.backup.clone()),
            Standing::Unreadable(_) | Standing::Deleting | Standing::Unfinished => {}
        }
    }
    if !is_same {
        return Ok(Some("it changed since it was judged".to_owned()));
    }
    let again = retention::decide(&options.policy, &present, now)?;
    let gives_up = again.iter().any(|one| one.backup == *doomed && one.action == Action::Delete);
    Ok((!gives_up).then(|| "others were deleted meanwhile, and the policy keeps it now".to_owned()))
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

/// The tombstone, then everything else.
async fn bury(decision: &Decision, store: &dyn Store, now: DateTime<Utc>) -> Result<(u64, u64)> {
    let folder = shelf::folder(&decision.backup.database, &decision.backup.id)?;
    let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
    let tombstone = seal::seal(&json!({
        "format": "pgproof-tombstone",
        "format_version": 1,
        "id": decision.backup.id,
        "begun": now,
        "reasons": reasons,
    }));
    let _ = store.put(&folder.join(layout::TOMBSTONE)?, Bytes::from(tombstone), PutMode::Overwrite).await?;
    clear(&folder, store).await
}

/// Removes a folder: the manifest first, the tombstone last. Returns how many objects and bytes went.
async fn clear(folder: &Key, store: &dyn Store) -> Result<(u64, u64)> {
    let prefix = format!("{folder}/");
    // a folder's key has two parts, database and backup; anything shorter would reach beyond one backup
    if folder.parts().count() != 2 {
        return Err(Error::new(ErrorKind::Bug, format!("\"{folder}\" is not a backup's folder")));
    }
    let objects = store.list(&prefix).await?;
    let (mut manifest, mut tombstone, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = 0_u64;
    for object in &objects {
        let Some(path) = object.key.as_str().strip_prefix(&prefix) else { continue };
        bytes = bytes.saturating_add(object.size);
        match path {
            layout::MANIFEST => manifest.push(object.key.clone()),
            layout::TOMBSTONE => tombstone.push(object.key.clone()),
            _ => others.push(object.key.clone()),
        }
    }
    store.delete(&manifest).await?;
    for batch in others.chunks(BATCH) {
        store.delete(batch).await?;
    }
    store.delete(&tombstone).await?;
    Ok((objects.len() as u64, bytes))
}
