//! A backup in a store, or a file that was named instead.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::Context;
use super::options::{LatestArgs, StoreArgs};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink as _};
use crate::shelf::{self, Backup, Query};
use crate::store::{Access, Store};

/// What a command works on.
pub(super) enum Target {
    /// A complete backup.
    Backup { store: Arc<dyn Store>, backup: Box<Backup> },
    /// An archive or a script that lies somewhere.
    File(PathBuf),
}

/// What was typed to name it.
pub(super) struct Choice<'a> {
    /// The name.
    pub(super) text: &'a str,
    /// The database, where it was named by an option.
    pub(super) database: Option<&'a str>,
    /// What `latest` may be.
    pub(super) latest: LatestArgs,
}

/// Finds what `choice` names. A name that can be a backup's is one wherever a store is named; `./latest` is always a file.
pub(super) async fn find(choice: &Choice<'_>, args: &StoreArgs, context: &Context) -> Result<Target> {
    let text = choice.text;
    let exists = Path::new(text).exists();
    match Query::parse(text) {
        Some(query) if args.store.is_some() || !exists => {
            let store = context.open(args, Access::Read).await?;
            let backup = backup(store.as_ref(), query, choice.database, choice.latest, context).await?;
            Ok(Target::Backup { store, backup: Box::new(backup) })
        }
        Some(_) | None if exists => Ok(Target::File(text.into())),
        Some(_) | None => Err(Error::new(ErrorKind::Usage, format!("no file \"{text}\""))
            .detail("it is not the name of a backup either")
            .hint("Backups are named latest, by an id such as 20261121T030000Z-k3f9, or by its beginning.")),
    }
}

/// Finds a backup, and says what the person should know of it.
pub(super) async fn backup(
    store: &dyn Store,
    query: Query,
    database: Option<&str>,
    latest: LatestArgs,
    context: &Context,
) -> Result<Backup> {
    let query = query.within(database).including_filtered(latest.include_filtered);
    let found = shelf::find(store, &query).await?;
    tell(&found.remarks, context);
    Ok(found.backup)
}

/// Says what is to be known of a backup that was chosen.
pub(super) fn tell(remarks: &[String], context: &Context) {
    for remark in remarks {
        context.talk.event(Event::Warning(Message::new(remark.clone())));
    }
}
