//! What runs that died left in a database's folder.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};

use crate::error::Result;
use crate::event::{Event, Message, Sink};
use crate::shelf::{self, Standing};
use crate::store::{Key, Store, encode_component};

/// Discards unfinished backups of a database, temporary files and unfinished uploads.
///
/// The caller holds the database's lease: whatever has no manifest belongs to no living run.
pub(super) async fn discard(store: &Arc<dyn Store>, database: &str, sink: &dyn Sink) -> Result<()> {
    for backup in shelf::read_only(&**store, database, |_| false).await? {
        match backup.standing {
            Standing::Unfinished => {
                let keys: Vec<Key> = backup.objects.iter().map(|object| object.key.clone()).collect();
                store.delete(&keys).await?;
                tell(&backup.id.to_string(), &backup.id.time().to_string(), sink);
            }
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
    for swept in store.sweep(&format!("{}/", encode_component(database)), until).await? {
        let id = swept.name.split('/').nth(1).unwrap_or(&swept.name);
        tell(id, &swept.modified.to_string(), sink);
    }
    Ok(())
}

fn tell(id: &str, time: &str, sink: &dyn Sink) {
    sink.event(Event::Note(Message::new(format!("found unfinished backup {id} from {time}, discarded"))));
}

/// Removes what a failed run has written. The failure itself matters more than one that comes of this, and the next run
/// finds what stays.
pub(super) async fn clean_up(store: &Arc<dyn Store>, folder: &Key) {
    drop(store.abandon_open().await);
    if let Ok(objects) = store.list(&format!("{folder}/")).await {
        let keys: Vec<Key> = objects.into_iter().map(|object| object.key).collect();
        drop(store.delete(&keys).await);
    }
}
