//! The connections of a restore: all are taken before anything is changed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::plan::Plan;
use super::privilege;
use super::schedule::split;
use super::select::Item;
use super::worker::{Shared, Worker};
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use crate::server::sqlstate;

/// How long the connections beside the first may take: a pool that has no more keeps them waiting.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The server, the database or the role has no room for one more.
const TOO_MANY: &str = "53300";

/// The connections, and what is to be said of those that did not come.
pub(super) struct Crew {
    pub(super) workers: Vec<Worker>,
    pub(super) note: Option<String>,
}

impl Crew {
    /// Takes as many connections as the plan has use for. One has to come; of the others, those that do.
    pub(super) async fn take(plan: &Plan, shared: &Arc<Shared>, items: &[Item]) -> Result<Self> {
        let database = plan.summary.database.as_str();
        let wanted = plan.options.jobs.get().min(split(items).1.len().max(1));
        let mut first = first(plan, shared, database).await?;
        let has_own = privilege::exist(&mut first.connection).await?;
        shared.has_default_privileges.store(has_own, Ordering::Relaxed);
        let others = (1..wanted).map(|_| async {
            match tokio::time::timeout(WAIT_MAX, Worker::connect(Arc::clone(shared), Some(database), false)).await {
                Ok(connected) => connected,
                Err(_) => Err(Error::new(ErrorKind::Connect, format!("none came in {} s", WAIT_MAX.as_secs()))),
            }
        });
        let mut workers = vec![first];
        let mut problem = None;
        for other in join_all(others).await {
            match other {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    problem.get_or_insert(error);
                }
            }
        }
        let note = problem.map(|error| {
            let why = error.detail_text().map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("it goes on with {} of {}: {}{why}", workers.len(), counted(wanted, "connection"), error.message())
        });
        Ok(Self { workers, note })
    }
}

/// The first connection. The one that the plan was made over has said goodbye, but the server may still count it.
async fn first(plan: &Plan, shared: &Arc<Shared>, database: &str) -> Result<Worker> {
    let until = Instant::now() + WAIT_MAX;
    loop {
        let connected = Worker::connect(Arc::clone(shared), Some(database), plan.options.single_transaction).await;
        match connected {
            Err(error) if sqlstate(&error) == Some(TOO_MANY) && Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            connected => return connected,
        }
    }
}
