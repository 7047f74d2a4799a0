//! The one order in which a backup's folder is emptied.

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::layout;
use crate::store::{Key, Store};

/// Objects that are removed by one call at most.
const BATCH: usize = 1000;

/// Removes a backup's folder: the manifest first and by itself, so that whatever ends the run in the middle leaves files that
/// nobody takes for a backup. Returns how many objects and bytes went.
///
/// The caller knows that the backup is to go: that it is no good one, and that nobody is about to publish it.
pub async fn remove(store: &dyn Store, folder: &Key) -> Result<(u64, u64)> {
    // a folder's key has two parts, database and backup; anything shorter would reach beyond one backup
    if folder.parts().count() != 2 {
        return Err(Error::new(ErrorKind::Bug, format!("\"{folder}\" is not a backup's folder")));
    }
    let manifest = folder.join(layout::MANIFEST)?;
    let objects = store.list(&format!("{folder}/")).await?;
    if objects.iter().any(|object| object.key == manifest) {
        store.delete(std::slice::from_ref(&manifest)).await?;
    }
    let others: Vec<Key> = objects.iter().map(|object| &object.key).filter(|key| **key != manifest).cloned().collect();
    for batch in others.chunks(BATCH) {
        store.delete(batch).await?;
    }
    let bytes = objects.iter().fold(0_u64, |sum, object| sum.saturating_add(object.size));
    Ok((objects.len() as u64, bytes))
}
