//! A backup in a store, or a file that was named instead.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::Context;
use super::options::StoreArgs;
use crate::error::{Error, ErrorKind, Result};
use crate::shelf::{self, Backup, Query};
use crate::store::{Access, Store};

/// What a command works on.
pub(super) enum Target {
    /// A complete backup.
    Backup { store: Arc<dyn Store>, backup: Box<Backup> },
    /// An archive or a script that lies somewhere.
    File(PathBuf),
}

/// Finds what `text` names. A name that can be a backup's is one wherever a store is named; `./latest` is always a file.
pub(super) async fn find(text: &str, database: Option<&str>, args: &StoreArgs, context: &Context) -> Result<Target> {
    let exists = Path::new(text).exists();
    match Query::parse(text) {
        Some(query) if args.store.is_some() || !exists => {
            let store = context.open(args, Access::Read).await?;
            let backup = Box::new(shelf::find(store.as_ref(), &query.within(database)).await?);
            Ok(Target::Backup { store, backup })
        }
        Some(_) | None if exists => Ok(Target::File(text.into())),
        Some(_) | None => Err(Error::new(ErrorKind::Usage, format!("no file \"{text}\""))
            .detail("it is not the name of a backup either")
            .hint("Backups are named latest, by an id such as 20261121T030000Z-k3f9, or by its beginning.")),
    }
}
