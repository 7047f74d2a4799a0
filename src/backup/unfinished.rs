//! What runs that died left in a database's folder.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};

use crate::error::Result;
use crate::event::{Event, Message, Sink};
use crate::manifest::layout;
use crate::shelf::{self, Standing};
use crate::store::{Key, Store, encode_component};

use super::publish::Fate;

/// Discards unfinished backups of a database, temporary files and unfinished uploads.
///
/// The caller holds the database's lease: whatever has no manifest belongs to no living run. What cannot be removed, as where
/// the keys may only add, is told and stays: no backup needs a deletion.
pub(super) async fn discard(store: &Arc<dyn Store>, database: &str, sink: &dyn Sink) -> Result<()> {
    let mut stays = None;
    for backup in shelf::read_only(&**store, database, |_| false).await? {
        match backup.standing {
            Standing::Unfinished | Standing::LeftOver => match discard_one(&**store, &backup).await {
                Ok(true) => tell(&backup.id.to_string(), &backup.id.time().to_string(), sink),
                Ok(false) => {}
                Err(error) => {
                    stays.get_or_insert((backup.id.to_string(), error));
                }
            },
            // a deletion that was interrupted is prune's to go on with
            Standing::Deleting
            | Standing::Unread
            | Standing::Complete { .. }
            | Standing::Summarized { .. }
            | Standing::Unreadable(_) => {}
        }
    }
    // the store's clock may be a little ahead of ours
    let until = Utc::now() + TimeDelta::minutes(5);
    match store.sweep(&format!("{}/", encode_component(database)), until).await {
        Ok(swept) => {
            for swept in swept {
                let id = swept.name.split('/').nth(1).unwrap_or(&swept.name);
                tell(id, &swept.modified.to_string(), sink);
            }
        }
        Err(error) => {
            stays.get_or_insert(("what was half written".to_owned(), error));
        }
    }
    if let Some((what, error)) = stays {
        let text = format!("an earlier run's leftovers stay: {what}: {}", error.message());
        let hint =
            "They are no backup and harm nothing; this one goes on. Keys that may delete are needed to remove them.";
        sink.event(Event::Warning(Message::with_hint(text, hint)));
    }
    Ok(())
}

/// Whether it was removed: since the listing its run may have finished it after all.
async fn discard_one(store: &dyn Store, backup: &shelf::Backup) -> Result<bool> {
    let folder = backup.folder()?;
    if store.head(&folder.join(layout::MANIFEST)?).await?.is_some() {
        return Ok(false);
    }
    shelf::remove(store, &folder, None).await.map(|_| true)
}

fn tell(id: &str, time: &str, sink: &dyn Sink) {
    sink.event(Event::Note(Message::new(format!("found unfinished backup {id} from {time}, discarded"))));
}

/// Removes what a failed run has written, unless its manifest may be there: then every file stays. The failure itself matters
/// more than one that comes of this, and the next run finds what stays.
pub(super) async fn clean_up(store: &Arc<dyn Store>, folder: &Key, fate: &Fate) {
    drop(store.abandon_open().await);
    if !fate.may_be_published() {
        drop(shelf::remove(&**store, folder, None).await);
    }
}
