//! The one way in which a backup leaves a store.
//!
//! **Order.** The manifest goes first: from that moment on the backup is not listed, so that a crash at any later step
//! leaves files of a backup that does not exist, which the next run or prune removes, and never a listed backup without its
//! rows. Nothing is written: a full disk can be freed.
//!
//! **Extent.** What the manifest names goes, and the evidence beside it. Without a manifest it is what a backup writes
//! under fixed names. A file that somebody else put into the folder stays.

use super::folder::Named;
use crate::archive::directory::decode_file_name;
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::{Manifest, layout};
use crate::store::{Key, ObjectInfo, Store};

/// Objects that are removed by one request at most.
const BATCH: usize = 1000;

/// What a removal did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Objects that are gone.
    pub files: u64,
    /// The bytes that they had.
    pub bytes: u64,
    /// Objects in the folder that are no part of a backup and stay.
    pub strangers: Vec<Key>,
}

/// Removes a backup's folder from a store: the manifest first, then the other files.
///
/// `manifest` is that of the backup, where it has one that reads. One object that cannot be removed does not keep the
/// others; the first failure is returned.
pub async fn remove(store: &dyn Store, folder: &Key, manifest: Option<&Manifest>) -> Result<Removed> {
    // a folder's key has two parts, database and backup; anything shorter would reach beyond one backup
    if folder.parts().count() != 2 {
        return Err(Error::new(ErrorKind::Bug, format!("\"{folder}\" is not a backup's folder")));
    }
    let prefix = format!("{folder}/");
    let named = manifest.map(|manifest| Named::new(&manifest.files));
    let (mut first, mut others, mut last) = (Vec::new(), Vec::new(), Vec::new());
    let mut removed = Removed::default();
    let mut sort = |ObjectInfo { key, size, .. }: ObjectInfo| {
        let Some(path) = key.as_str().strip_prefix(&prefix) else { return };
        let list = match path {
            layout::MANIFEST => &mut first,
            // of a program that wrote one; as long as it is there the backup is not listed
            layout::TOMBSTONE => &mut last,
            _ if layout::is_evidence(path) => &mut others,
            _ if named.as_ref().map_or_else(|| is_own(path), |named| named.contains(path)) => &mut others,
            _ => {
                removed.strangers.push(key);
                return;
            }
        };
        list.push(key);
        removed.files += 1;
        removed.bytes = removed.bytes.saturating_add(size);
    };
    store.visit(&prefix, &mut sort).await?;
    removed.strangers.sort();
    store.delete(&first).await?;
    let mut result = Ok(());
    for batch in others.chunks(BATCH) {
        result = result.and(store.delete(batch).await);
    }
    result?;
    store.delete(&last).await?;
    Ok(removed)
}

/// Whether a path within a backup's folder is one that backups write.
pub(super) fn is_own(path: &str) -> bool {
    let is_mark =
        [layout::MANIFEST, layout::TOMBSTONE, layout::SUMS, layout::RECOVERY, layout::GLOBALS].contains(&path);
    is_mark
        || layout::is_evidence(path)
        || path == "archive.dump"
        || path == "archive.tar"
        || path == "archive.sql"
        || path.strip_prefix("archive.sql.").is_some_and(|ending| ["gz", "zst", "lz4"].contains(&ending))
        || is_member(path)
}

/// Whether it is the path of a file of a directory archive.
pub(super) fn is_member(path: &str) -> bool {
    path.strip_prefix("archive/").is_some_and(|name| decode_file_name(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::shelf::tests::{put, put_backup};
    use crate::store::MemoryStore;

    const ID: &str = "20261119T030000Z-k3f9";

    async fn names(store: &MemoryStore) -> Vec<String> {
        store.list("").await.unwrap().into_iter().map(|object| object.key.to_string()).collect()
    }

    #[tokio::test]
    async fn what_the_manifest_names_goes_and_what_somebody_put_there_stays() {
        let store = MemoryStore::new();
        let mut kept = None;
        put_backup(&store, ID, |manifest| kept = Some(manifest.clone())).await;
        for path in ["notes.txt", "proofs/20261120T000000Z.json", "proofs/20261120T000000Z-1.json", "proofs/mine.json"]
        {
            put(&store, &format!("shop/{ID}/{path}"), "x").await;
        }
        let folder = Key::new(format!("shop/{ID}")).unwrap();
        let removed = remove(&store, &folder, kept.as_ref()).await.unwrap();
        assert_eq!(names(&store).await, ["notes.txt", "proofs/mine.json"].map(|path| format!("shop/{ID}/{path}")));
        assert_eq!((removed.files, removed.strangers.len()), (5, 2));
        put(&store, &format!("shop/{ID}/archive.dump"), "left by a run that died").await;
        let removed = remove(&store, &folder, None).await.unwrap();
        assert_eq!((removed.files, removed.strangers.len()), (1, 2));
    }

    #[tokio::test]
    async fn a_folder_of_several_backups_is_never_removed() {
        let store = MemoryStore::new();
        put(&store, &format!("shop/{ID}/manifest.json"), manifest::encode(&manifest::tests::sample(ID))).await;
        for name in ["shop", "shop/20261119T030000Z-k3f9/archive"] {
            let error = remove(&store, &Key::new(name).unwrap(), None).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Bug);
        }
        assert_eq!(names(&store).await.len(), 1);
    }

    #[test]
    fn knows_what_backups_write() {
        for path in ["archive.dump", "archive/toc.dat", "archive/3421.dat.zst", "archive.sql.gz", "globals.sql"] {
            assert!(is_own(path), "{path}");
        }
        for path in ["archive.dump.bak", "archive/notes.txt", "archive", "x", "proofs/a.json", "archive.sql.bz2"] {
            assert!(!is_own(path), "{path}");
        }
    }
}
