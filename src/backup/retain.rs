//! Retention behind a backup: older ones go by the policy once the new one is there.

use chrono::{DateTime, Utc};

use super::Options;
use crate::error::Result;
use crate::event::{Event, Message, Sink};
use crate::prune;
use crate::store::Store;

/// Prunes the database's backups by the policy, where there is one. The new backup is published by now: whatever fails is told
/// and takes nothing from it.
pub(super) async fn apply_retention(
    options: &Options,
    store: &dyn Store,
    database: &str,
    now: DateTime<Utc>,
    sink: &dyn Sink,
) -> Result<Option<prune::Outcome>> {
    let Some(policy) = &options.retention else { return Ok(None) };
    let options =
        prune::Options { policy: policy.clone(), database: Some(database.to_owned()), grace: prune::DEFAULT_GRACE };
    let pruned = async {
        let plan = prune::plan(&options, store, now).await?;
        prune::run(&options, &plan, store, now, sink).await
    };
    match pruned.await {
        Ok(outcome) => Ok(Some(outcome)),
        Err(error) => {
            let detail = error.detail_text().map_or_else(String::new, |detail| format!(": {detail}"));
            let text = format!("retention could not be applied: {}{detail}", error.message());
            let hint = "The backup is complete. Older ones are pruned behind the next one, or by db prune.";
            sink.event(Event::Warning(Message::with_hint(text, hint)));
            Err(error)
        }
    }
}
