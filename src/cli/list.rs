//! `db list`.

use serde_json::json;

use super::context::{Context, Report};
use super::exit::Exit;
use super::options::StoreArgs;
use crate::error::Result;
use crate::event::{Event, Message, Sink as _};
use crate::list;
use crate::report::{human, json as machine};

/// List the backups of a store
#[derive(clap::Args)]
#[command(after_help = "Example:\n  db list --store s3://backups/prod")]
pub(super) struct Args {
    /// Only backups of this database
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    #[command(flatten)]
    store: StoreArgs,
}

#[cfg(test)]
impl Args {
    pub(super) fn store_name(&self) -> Option<String> {
        self.store.store.clone()
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    let store = context.open_for_a_look(&args.store).await?;
    let rows = list::run(&list::Options { database: args.database }, store.as_ref()).await?;
    if rows.is_empty() {
        context.talk.event(Event::Note(Message::new(format!("no backups in {}", store.describe()))));
    }
    Ok(Report {
        human: human::list(&rows, context.now, context.paint),
        json: json!(machine::list(&store.describe(), &rows)),
        exit: Exit::Done,
    })
}
