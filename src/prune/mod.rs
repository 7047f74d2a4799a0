//! `db prune`: retention decides, prune deletes.
//!
//! **Order of a deletion.** That of [`shelf::remove`]: the manifest first, and nothing is written, so that a full disk can be
//! freed. A crash at any later step leaves files without a manifest, which the next run goes on deleting.
//!
//! **Stale facts.** Between the plan and a deletion, others write and prune. So each backup is looked at again immediately
//! before it is deleted: its manifest must be the one that was judged, and the policy must still give it up among the
//! backups that are there then.

mod delete;

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, stream};

use crate::error::{Error, Result};
use crate::event::{Event, Phase, Sink};
use crate::retention::{self, Action, Decision, Policy};
use crate::shelf::{self, Standing};
use crate::store::{Kept, Store, encode_component};

/// How long an unfinished backup is left alone after its last sign of life.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(24 * 3600);

/// Backups that are deleted at the same time.
const AT_ONCE: usize = 4;

/// What to keep, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The rules.
    pub policy: Policy,
    /// Only backups of this database.
    pub database: Option<String>,
    /// How long an unfinished backup is left alone after its last sign of life.
    pub grace: Duration,
}

/// What a run would do.
#[derive(Debug)]
pub struct Plan {
    /// Every complete backup, with its reasons.
    pub decisions: Vec<Decision>,
    /// Backups whose deletion was interrupted.
    pub interrupted: Vec<Remnant>,
    /// What runs that died left.
    pub leftovers: Vec<Remnant>,
    /// Backups that nothing is done to: their manifest cannot be read, or a run may still be writing them.
    pub untouched: Vec<Untouched>,
}

/// A folder that goes whatever the policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remnant {
    /// `shop/20261121T030000Z-k3f9`.
    pub name: String,
    /// When it was last written.
    pub touched: Option<DateTime<Utc>>,
    /// Its bytes.
    pub bytes: u64,
}

/// A backup that nothing is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untouched {
    /// `shop/20261121T030000Z-k3f9`.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Backups, remnants and leftovers that are gone, the hidden ones among them.
    pub deleted: Vec<String>,
    /// The bytes that were freed.
    pub bytes: u64,
    /// Those that the store keeps versions of: they are not seen any more and free nothing for now.
    pub hidden: Vec<(String, Kept)>,
    /// The bytes that are hidden and not freed.
    pub hidden_bytes: u64,
    /// Backups that were to go and stayed, because something had changed since the plan.
    pub spared: Vec<Untouched>,
    /// Backups that could not be deleted. Their deletion goes on with the next run.
    pub failed: Vec<(String, Error)>,
}

impl Plan {
    /// The backups that the policy gives up, oldest first: a run that is interrupted has deleted the least valuable.
    pub fn doomed(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().rev().filter(|decision| decision.action == Action::Delete)
    }

    /// Whether there is nothing to delete.
    pub fn is_empty(&self) -> bool {
        self.doomed().next().is_none() && self.interrupted.is_empty() && self.leftovers.is_empty()
    }
}

/// Decides what a run would do. Changes nothing.
pub async fn plan(options: &Options, store: &dyn Store, now: DateTime<Utc>) -> Result<Plan> {
    options.policy.check()?;
    let backups = shelf::survey(store, options.database.as_deref()).await?;
    let grace = TimeDelta::from_std(options.grace).unwrap_or(TimeDelta::MAX);
    let mut plan =
        Plan { decisions: Vec::new(), interrupted: Vec::new(), leftovers: Vec::new(), untouched: Vec::new() };
    let mut complete = Vec::new();
    for backup in &backups {
        let name = backup.name();
        let remnant = || Remnant { name: name.clone(), touched: backup.touched(), bytes: backup.stored_bytes() };
        match &backup.standing {
            Standing::Complete { received, .. } | Standing::Summarized { received, .. } => {
                complete.extend(judged(backup, *received));
            }
            Standing::Unreadable(error) => {
                let reason = format!("{}; it is never deleted", error.message());
                plan.untouched.push(Untouched { name: name.clone(), reason });
            }
            Standing::Deleting => plan.interrupted.push(remnant()),
            Standing::Unfinished | Standing::LeftOver
                if backup.touched().is_some_and(|touched| now - touched > grace) =>
            {
                plan.leftovers.push(remnant());
            }
            Standing::Unfinished | Standing::LeftOver | Standing::Unread => {
                let reason = "unfinished; a run may still be writing it".to_owned();
                plan.untouched.push(Untouched { name: name.clone(), reason });
            }
        }
    }
    plan.decisions = retention::decide(&options.policy, &complete, now)?;
    Ok(plan)
}

/// A complete backup as retention sees it.
fn judged(backup: &shelf::Backup, received: DateTime<Utc>) -> Option<retention::Backup> {
    retention::Backup::new(&*backup.summary()?, &backup.condition(), Some(received))
}

/// Carries a plan out, and sweeps what interrupted writers left in the store.
///
/// One backup that cannot be deleted does not stop the others; it is in [`Outcome::failed`].
pub async fn run(
    options: &Options,
    plan: &Plan,
    store: &dyn Store,
    now: DateTime<Utc>,
    sink: &dyn Sink,
) -> Result<Outcome> {
    sink.event(Event::PhaseBegun(Phase::Prune));
    let begun = std::time::Instant::now();
    sink.event(Event::Decided(plan.decisions.clone()));
    let mut outcome = Outcome::default();
    let mut remnants = stream::iter(plan.interrupted.iter().chain(&plan.leftovers))
        .map(async |remnant| (remnant.name.clone(), delete::remnant(options, remnant, store, now).await))
        .buffered(AT_ONCE);
    while let Some((name, fate)) = remnants.next().await {
        delete::take_down(name, fate, sink, &mut outcome);
    }
    let mut doomed = stream::iter(plan.doomed())
        .map(async |decision| {
            let name = format!("{}/{}", encode_component(&decision.backup.database), decision.backup.id);
            (name, delete::backup(options, plan, decision, store, now).await)
        })
        .buffered(AT_ONCE);
    while let Some((name, fate)) = doomed.next().await {
        delete::take_down(name, fate, sink, &mut outcome);
    }
    sweep(options, store, now).await?;
    sink.event(Event::PhaseFinished { phase: Phase::Prune, elapsed: begun.elapsed() });
    Ok(outcome)
}

/// Removes temporary files and unfinished uploads of runs that died, database by database: an upload may well be older than
/// the grace period while its run lives.
async fn sweep(options: &Options, store: &dyn Store, now: DateTime<Utc>) -> Result<()> {
    let grace = TimeDelta::from_std(options.grace).unwrap_or(TimeDelta::MAX);
    let Some(limit) = now.checked_sub_signed(grace) else { return Ok(()) };
    let folders: BTreeSet<String> = match &options.database {
        Some(database) => [encode_component(database)].into(),
        None => {
            let objects = store.list("").await?;
            objects.iter().filter_map(|object| Some(object.key.as_str().split_once('/')?.0.to_owned())).collect()
        }
    };
    for folder in folders {
        if !delete::is_leased(&folder, store, now).await? {
            store.sweep(&format!("{folder}/"), limit).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
