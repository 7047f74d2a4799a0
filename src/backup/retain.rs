//! Retention behind a backup: older ones go by the policy once the new one is there.

use chrono::{DateTime, Utc};

use super::Options;
use crate::error::Result;
use crate::event::Sink;
use crate::prune;
use crate::store::Store;

/// Prunes the database's backups by the policy, where there is one.
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
    let plan = prune::plan(&options, store, now).await?;
    prune::run(&options, &plan, store, now, sink).await.map(Some)
}
