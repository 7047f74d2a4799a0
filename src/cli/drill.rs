//! `db drill`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use rand::RngExt as _;

use super::connection::resolve_url;
use super::context::{Context, Report};
use super::exit::Exit;
use super::options::{LatestArgs, StoreArgs};
use super::target;
use super::verify::RestoredArgs;
use crate::drill::{self, Place, Verdict};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink as _};
use crate::report::{human, json};
use crate::shelf::{self, Backup, Query};
use crate::store::{Access, Store};

const AFTER: &str = "\
Restores the backup into a scratch database, compares objects and rows with the
manifest, measures, writes proofs/<time>.json beside the backup, and leaves
nothing behind. Ends with 0 when the backup passed, with 4 when it did not, and
with another code when it could not be tried.

Examples:
  db drill --store /var/backups/pg
  db drill random --store s3://backups/prod --on postgres://scratch-host/postgres";

/// Restore a backup into a scratch database and compare
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// latest, random, an id or its beginning
    #[arg(value_name = "BACKUP", default_value = "latest", value_parser = chosen)]
    backup: Chosen,

    /// The backup's database, where the store has several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Where: embedded (a throw-away server from PostgreSQL's programs on this machine), or the URL of a server on
    /// which a scratch database is created
    #[arg(long, value_name = "PLACE", default_value = "embedded")]
    on: String,

    /// The folder with initdb and postgres, for --on embedded
    #[arg(long, value_name = "DIR")]
    bindir: Option<PathBuf>,

    /// Restore over N connections
    #[arg(short, long, value_name = "N", default_value = "2")]
    jobs: NonZeroUsize,

    /// Restore into a server that is older than the source
    #[arg(long)]
    allow_older_server: bool,

    /// Leave the restored database in place
    #[arg(long)]
    keep: bool,

    /// Do not write the evidence to the store
    #[arg(long)]
    no_proof: bool,

    #[command(flatten)]
    latest: LatestArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    restored: RestoredArgs,
}

#[derive(Clone)]
enum Chosen {
    Random,
    One(Query),
}

fn chosen(text: &str) -> Result<Chosen, String> {
    if text == "random" {
        return Ok(Chosen::Random);
    }
    Query::parse(text)
        .map(Chosen::One)
        .ok_or_else(|| "expected latest, random, an id such as 20261121T030000Z-k3f9, or its beginning".to_owned())
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    let place = match args.on.as_str() {
        "embedded" => Place::Embedded { programs: args.bindir, folder: None },
        "docker" => {
            return Err(Error::new(ErrorKind::Usage, "drills in a container are not there yet")
                .hint("Start the container and name it: --on postgres://postgres@127.0.0.1:PORT/postgres."));
        }
        url => Place::Server(Box::new(resolve_url("on", url, context)?)),
    };
    let access = if args.no_proof { Access::Read } else { Access::Write };
    let store = context.open(&args.store, access).await?;
    let backup = match args.backup {
        Chosen::One(query) => {
            target::backup(store.as_ref(), query, args.database.as_deref(), args.latest, context).await?
        }
        Chosen::Random => random(store.as_ref(), args.database.as_deref(), args.latest).await?,
    };
    context.talk.event(Event::Note(Message::new(format!("drilling backup {}", backup.name()))));
    let options = drill::Options {
        store,
        backup: Box::new(backup),
        place,
        jobs: args.jobs,
        restored: args.restored.restored()?,
        allow_older_server: args.allow_older_server,
        keep: args.keep,
        write_proof: !args.no_proof,
    };
    let outcome = drill::run(&options, context.now, context.talk.as_ref()).await?;
    let report = Report {
        human: human::drill(&outcome, context.paint),
        json: json::drill(&outcome),
        exit: match outcome.proof.verdict {
            Verdict::Passed => Exit::Done,
            Verdict::Failed => Exit::Findings,
            Verdict::CouldNotRun => Exit::Partial,
        },
    };
    match outcome.error {
        None => Ok(report),
        Some(error) => {
            crate::report::say(&report.human);
            Err(error)
        }
    }
}

/// Any good backup, each as likely as the other: over time all of them are tried.
async fn random(store: &dyn Store, database: Option<&str>, latest: LatestArgs) -> Result<Backup> {
    let mut backups = shelf::survey(store, database).await?;
    backups.retain(|backup| backup.condition().counts(latest.include_filtered));
    if backups.is_empty() {
        return Err(Error::new(ErrorKind::Usage, format!("no good backup in {}", store.describe()))
            .hint("Look at what is there with: db list --store ..."));
    }
    let index = rand::rng().random_range(0..backups.len());
    backups.swap_remove(index).complete(store).await
}
