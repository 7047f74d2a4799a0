//! `db status`.

use std::time::Duration;

use super::context::{Context, Report};
use super::exit::Exit;
use super::options::{StoreArgs, duration};
use crate::error::Result;
use crate::report::{human, json};
use crate::status::{self, Verdict};

const AFTER: &str = "\
Looks at the store alone, from any machine. Ends with 0 when every database has
a young and good backup, with 4 when one has not, and with another code when
that could not be found out.

Example:
  db status --store s3://backups/prod --max-age 26h --database shop";

/// Say whether the newest good backup is young enough, for monitors
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// How old the newest good backup may be
    #[arg(long, value_name = "DURATION", default_value = "26h", value_parser = duration)]
    max_age: Duration,

    /// Count backups that options on the command line such as --exclude-table-data filtered
    #[arg(long)]
    include_filtered: bool,

    /// Only this database
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    #[command(flatten)]
    store: StoreArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    let store = context.open_for_a_look(&args.store).await?;
    let options =
        status::Options { database: args.database, max_age: args.max_age, include_filtered: args.include_filtered };
    let statuses = status::run(&options, store.as_ref(), context.now).await?;
    let fine = statuses.iter().all(|status| status.verdict == Verdict::Fine);
    Ok(Report {
        human: human::status(&statuses, args.max_age, context.now, context.paint),
        json: json::status(&store.describe(), &statuses, args.max_age.as_secs()),
        exit: if fine { Exit::Done } else { Exit::Findings },
    })
}
