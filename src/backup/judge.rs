//! Whether what was backed up looks like its database.

use super::Options;
use super::source::Source;
use crate::error::Result;
use crate::event::{Event, Message, Sink};
use crate::manifest::{Manifest, State};
use crate::shelf;
use crate::store::Store;

/// A backup that may be of the wrong database, or of an emptied one, is kept but counts for nothing.
pub(super) async fn judge(
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
