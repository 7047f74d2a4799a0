//! `db accept`.

use super::context::{Context, Report};
use super::exit::Exit;
use super::options::{StoreArgs, query};
use crate::accept;
use crate::error::Result;
use crate::report::{human, json};
use crate::shelf::Query;
use crate::store::Access;

const AFTER: &str = "\
A backup is suspect when its database was empty, or had lost rows or tables since
the last good backup. It does not count until it is accepted. The reason is kept
beside the backup (accepted/<time>.json) and shown by db show.

Example:
  db accept shop/20261121T030000Z-k3f9 --reason \"orders of 2019 were archived\"";

/// Say that a suspect backup is right, so that it counts as a good one
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// An id or its beginning, with DATABASE/ in front where it is needed
    #[arg(value_name = "BACKUP", value_parser = query)]
    backup: Query,

    /// Why it is right, for whoever reads this backup's history later
    #[arg(long, value_name = "TEXT", required = true)]
    reason: String,

    /// The backup's database, where the store has several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    #[command(flatten)]
    store: StoreArgs,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    let store = context.open(&args.store, Access::Write).await?;
    let options = accept::Options { query: args.backup.within(args.database.as_deref()), reason: args.reason };
    let outcome = accept::run(&options, store.as_ref(), context.now).await?;
    Ok(Report { human: human::accept(&outcome, context.paint), json: json::accept(&outcome), exit: Exit::Done })
}
