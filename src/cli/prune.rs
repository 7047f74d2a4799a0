//! `db prune`.

use std::time::Duration;

use super::context::{Context, Report};
use super::exit::Exit;
use super::options::{RetentionArgs, StoreArgs, duration};
use crate::error::{Error, Result};
use crate::prune;
use crate::report::{human, json};
use crate::store::Access;

const AFTER: &str = "\
A backup that any rule names stays. Backups of different databases are judged
apart, and so are filtered and partial ones. The newest one is never deleted.

Examples:
  db prune --store /var/backups/pg --keep-daily 7 --keep-weekly 4
  db prune --store s3://backups/prod --keep-within 30d --yes";

/// Say which backups to keep and why; delete the others with --yes
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// Delete
    #[arg(long)]
    yes: bool,

    /// Only backups of this database
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Leave an unfinished backup alone for so long after its last sign of life
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    grace: Duration,

    #[command(flatten)]
    retention: RetentionArgs,

    #[command(flatten)]
    store: StoreArgs,
}

#[cfg(test)]
impl Args {
    pub(super) fn policy(&self) -> crate::retention::Policy {
        self.retention.policy()
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    let options = prune::Options { policy: args.retention.policy(), database: args.database, grace: args.grace };
    options.policy.check()?;
    let store = context.open(&args.store, Access::Read).await?;
    let plan = prune::plan(&options, store.as_ref(), context.now).await?;
    let outcome = if args.yes {
        Some(prune::run(&options, &plan, store.as_ref(), context.now, context.talk.as_ref()).await?)
    } else {
        None
    };
    let report = Report {
        human: human::prune(&plan, outcome.as_ref(), context.paint),
        json: json::prune(&store.describe(), &plan, outcome.as_ref()),
        exit: Exit::Done,
    };
    match outcome.and_then(|mut outcome| outcome.failed.pop()) {
        None => Ok(report),
        Some((name, error)) => {
            crate::report::print(&report.human)?;
            Err(failed(&name, error))
        }
    }
}

fn failed(name: &str, error: Error) -> Error {
    error.context(&format!("could not delete backup {name}"))
}
