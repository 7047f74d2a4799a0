//! `db upload`.

use std::num::NonZeroUsize;

use super::context::{Context, Report};
use super::exit::Exit;
use super::options::{LatestArgs, StoreArgs};
use crate::error::{Error, ErrorKind, Result};
use crate::report::{human, json};
use crate::shelf::Query;
use crate::store::{Access, Location};
use crate::upload::{self, Which};

const AFTER: &str = "\
Files are hashed on their way and read back from the target; the manifest goes
last. Run it again to go on with a copy that was interrupted.

Examples:
  db upload all --store /var/backups/pg --to s3://backups/prod
  db upload latest --store s3://backups/prod --to s3://elsewhere/prod";

/// Copy backups to another store: verified, and only what is missing
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// latest, all, an id or its beginning
    #[arg(value_name = "BACKUP", default_value = "latest", value_parser = which)]
    which: Chosen,

    /// The store to copy to: DIR or s3://bucket/prefix
    #[arg(long, value_name = "STORE")]
    to: Option<String>,

    /// The URL of the S3 server of --to, where it is another one
    #[arg(long, value_name = "URL")]
    to_s3_endpoint: Option<String>,

    /// The backups' database, where the store has several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Copy N files at the same time
    #[arg(short, long, value_name = "N", default_value = "2")]
    jobs: NonZeroUsize,

    #[command(flatten)]
    latest: LatestArgs,

    #[command(flatten)]
    store: StoreArgs,
}

/// Which backups, before the database is known.
#[derive(Clone)]
enum Chosen {
    All,
    One(Query),
}

fn which(text: &str) -> Result<Chosen, String> {
    if text == "all" {
        return Ok(Chosen::All);
    }
    Query::parse(text)
        .map(Chosen::One)
        .ok_or_else(|| "expected latest, all, an id such as 20261121T030000Z-k3f9, or its beginning".to_owned())
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    let Some(to) = &args.to else {
        return Err(Error::new(ErrorKind::Usage, "no store to copy to was named")
            .hint("Pass --to DIR or --to s3://bucket/prefix."));
    };
    let (to, from) = (Location::parse(to)?, args.store.store.as_deref().map(Location::parse).transpose()?);
    if from.as_ref() == Some(&to) && args.to_s3_endpoint.is_none() {
        return Err(Error::new(ErrorKind::Usage, "--to names the store that --store names"));
    }
    let from = context.open(&args.store, Access::Read).await?;
    let to_args = match &args.to_s3_endpoint {
        Some(endpoint) => args.store.with_endpoint(endpoint),
        None => args.store.clone(),
    };
    let to = context.open_location(&to, &to_args, Access::Write).await?;
    let options = upload::Options {
        which: match args.which {
            Chosen::All => Which::All(args.database),
            Chosen::One(query) => {
                Which::One(query.within(args.database.as_deref()).including_filtered(args.latest.include_filtered))
            }
        },
        from,
        to,
        jobs: args.jobs,
    };
    let mut outcome = upload::run(&options, context.talk.as_ref()).await?;
    let report = Report {
        human: human::upload(&outcome, &options.to.describe(), context.paint),
        json: json::upload(&outcome, &options.to.describe()),
        exit: if outcome.passed_over.is_empty() { Exit::Done } else { Exit::Partial },
    };
    match outcome.failed.pop() {
        None => Ok(report),
        Some((name, error)) => {
            crate::report::say(&report.human);
            Err(error.context(&format!("could not copy backup {name}")))
        }
    }
}
