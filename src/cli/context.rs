//! What every verb is given: when it is, whom to talk to, how to open a store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::exit::Exit;
use super::options::StoreArgs;
use crate::config::Origin;
use crate::error::{Error, ErrorKind, Result};
use crate::report::{Paint, Talk};
use crate::server::Sessions;
use crate::store::{self, Access, Location, RetryPolicy, Store};

/// The form of the result on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    /// Text.
    #[default]
    Human,
    /// One versioned object.
    Json,
}

/// What every verb is given.
pub(super) struct Context {
    pub(super) now: DateTime<Utc>,
    pub(super) talk: Arc<Talk>,
    pub(super) paint: Paint,
    pub(super) output: Output,
    /// Where options that were not typed come from, by long name.
    pub(super) origins: BTreeMap<String, Origin>,
    /// The options that say what a backup holds, as they could be typed again.
    pub(super) spelled: Vec<String>,
    /// The configuration file, where others than its owner can read it.
    pub(super) open_file: Option<PathBuf>,
    /// The stores that were opened, for cleaning up behind a run that is cancelled.
    pub(super) opened: Mutex<Vec<Arc<dyn Store>>>,
    /// The sessions that were begun, for the same.
    pub(super) sessions: Sessions,
}

/// The end of a verb: its result in both forms.
pub(super) struct Report {
    pub(super) human: String,
    pub(super) json: Value,
    pub(super) exit: Exit,
}

/// How long a request is tried again for somebody who waits for an answer and loses no work by none: half a minute at the
/// beginning.
const GLANCE: Duration = Duration::from_secs(90);

impl Context {
    /// Opens the store that the arguments name.
    pub(super) async fn open(&self, args: &StoreArgs, access: Access) -> Result<Arc<dyn Store>> {
        self.open_location(&named(args)?, args, access).await
    }

    /// Opens the store for a look at what is in it.
    pub(super) async fn open_for_a_look(&self, args: &StoreArgs) -> Result<Arc<dyn Store>> {
        self.open_with(&named(args)?, args, Access::Read, GLANCE).await
    }

    /// Opens this store, with the S3 settings of the arguments.
    pub(super) async fn open_location(
        &self,
        location: &Location,
        args: &StoreArgs,
        access: Access,
    ) -> Result<Arc<dyn Store>> {
        self.open_with(location, args, access, RetryPolicy::default().total).await
    }

    async fn open_with(
        &self,
        location: &Location,
        args: &StoreArgs,
        access: Access,
        retry_for: Duration,
    ) -> Result<Arc<dyn Store>> {
        let settings = args.settings(Arc::clone(&self.talk) as _, retry_for);
        let store = store::open(location, &settings, access).await?;
        // a panic elsewhere leaves the list whole
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&store));
        Ok(store)
    }
}

/// The store that the arguments name.
fn named(args: &StoreArgs) -> Result<Location> {
    let text = args.store.as_ref().ok_or_else(|| {
        Error::new(ErrorKind::Usage, "no store was named")
            .hint("Pass --store DIR or --store s3://bucket/prefix, or set PGPROOF_STORE.")
    })?;
    Location::parse(text)
}
