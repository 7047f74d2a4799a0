//! `db show`.

use super::context::{Context, Report};
use super::exit::Exit;
use super::options::{LatestArgs, StoreArgs, query};
use super::target;
use crate::error::Result;
use crate::report::{human, json};
use crate::shelf::Query;
use crate::show;

const AFTER: &str = "\
Examples:
  db show latest --store /var/backups/pg
  db show shop/20261121 --store s3://backups/prod --output json";

/// Show one backup in detail
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// latest, an id or its beginning, with DATABASE/ in front where it is needed
    #[arg(value_name = "BACKUP", default_value = "latest", value_parser = query)]
    backup: Query,

    /// The backup's database, where the store has several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    #[command(flatten)]
    latest: LatestArgs,

    #[command(flatten)]
    store: StoreArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    let store = context.open_for_a_look(&args.store).await?;
    let query = args.backup.within(args.database.as_deref()).including_filtered(args.latest.include_filtered);
    let details = show::run(&show::Options { query }, store.as_ref()).await?;
    target::tell(&details.remarks, context);
    Ok(Report {
        human: human::show(&details, context.now, context.paint),
        json: json::show(&details),
        exit: Exit::Done,
    })
}
