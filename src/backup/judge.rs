//! Whether what was backed up looks like its database.

use super::Options;
use super::source::Source;
use crate::error::{Error, Result};
use crate::event::{Event, Message, Sink};
use crate::manifest::{Manifest, State};
use crate::shelf::shrinkage::{self, Volatile};
use crate::shelf::{self, Backup};
use crate::store::Store;

/// How much less there may be in all, where no single table has lost most of its rows: what verify allows, too.
const MAX_SHRINK_PERCENT: u8 = 20;

/// Problems that are named one by one.
const NAMED_MAX: usize = 20;

/// A backup that may be of the wrong database, or of an emptied one, is kept but counts for nothing until somebody accepts
/// it.
pub(super) async fn judge(
    options: &Options,
    store: &dyn Store,
    source: &Source,
    manifest: &mut Manifest,
    sink: &dyn Sink,
) -> Result<()> {
    let mut problems = Vec::new();
    if !options.allow_empty && manifest.filters.is_empty() && is_empty(source) {
        problems.push("the database is empty: it has nothing but what a new database has".to_owned());
    }
    if !options.accept_shrink {
        let volatile = Volatile::parse(&options.volatile)?;
        match compare(store, manifest, &volatile).await {
            Ok(shrunk) => problems.extend(shrunk),
            // the copy is worth keeping, but nobody has looked at it
            Err(error) => {
                problems.push(format!("it could not be compared with the last good one: {}", error.message()))
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    if problems.len() > NAMED_MAX {
        let others = problems.len() - NAMED_MAX;
        problems.truncate(NAMED_MAX);
        problems.push(format!("and {others} more"));
    }
    for (place, problem) in problems.iter().enumerate() {
        let message = if place + 1 == problems.len() {
            let hint = format!(
                "The backup is kept and does not count as a good one. Check that this is the database that you mean. If it is \
                 right: db accept {} --reason TEXT; tables whose rows come and go belong to --volatile.",
                manifest.id
            );
            Message::with_hint(problem.clone(), hint)
        } else {
            Message::new(problem.clone())
        };
        sink.event(Event::Warning(message));
    }
    manifest.state = State::Suspect;
    manifest.suspicions = problems;
    Ok(())
}

/// What has shrunk since the last good backup of the same selection or, where there is none, since the last good one at all.
async fn compare(store: &dyn Store, manifest: &Manifest, volatile: &Volatile) -> Result<Vec<String>, Error> {
    let database = &manifest.source.database;
    let is_good = |one: &Backup| one.condition().counts(true);
    let is_alike =
        |one: &Backup| is_good(one) && one.summary().is_some_and(|summary| summary.filters == manifest.filters);
    let before = match shelf::newest_before(store, database, None, is_alike).await? {
        Some(before) => Some(before),
        None => shelf::newest_before(store, database, None, is_good).await?,
    };
    let Some(before) = before.as_ref().and_then(Backup::manifest) else { return Ok(Vec::new()) };
    let shrunk = shrinkage::find(manifest, before, volatile, MAX_SHRINK_PERCENT);
    Ok(shrunk.into_iter().map(|one| format!("{} {}", one.object, one.detail)).collect())
}

/// Whether a database has nothing but what a new one has. Comments and rights belong to what else is there, to the database
/// itself, or to the schema that every database has.
fn is_empty(source: &Source) -> bool {
    source.kinds.iter().all(|kind| {
        matches!(
            *kind,
            "ENCODING"
                | "STDSTRINGS"
                | "SEARCHPATH"
                | "DATABASE"
                | "DATABASE PROPERTIES"
                | "COMMENT"
                | "ACL"
                | "SECURITY LABEL"
        )
    })
}
