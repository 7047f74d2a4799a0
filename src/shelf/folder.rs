//! What lies in a backup's folder, against what its manifest names: there may be hundreds of thousands of files.

use crate::error::Result;
use crate::manifest::{File, Manifest, layout};
use crate::store::{Key, ObjectInfo, Store};

/// The files of a manifest by their paths.
pub(super) struct Named<'a>(Vec<&'a File>);

impl<'a> Named<'a> {
    pub(super) fn new(files: &'a [File]) -> Self {
        let mut named: Vec<&File> = files.iter().collect();
        named.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        Self(named)
    }

    fn place(&self, path: &str) -> Option<usize> {
        self.0.binary_search_by(|file| file.path.as_str().cmp(path)).ok()
    }

    pub(super) fn contains(&self, path: &str) -> bool {
        self.place(path).is_some()
    }
}

/// The first of the files that the store does not show, or with another size.
pub async fn first_missing(store: &dyn Store, folder: &Key, files: &[File]) -> Result<Option<String>> {
    let named = Named::new(files);
    let mut is_there = vec![false; named.0.len()];
    let prefix = format!("{folder}/");
    store
        .visit(&prefix, &mut |object| {
            let place = object.key.as_str().strip_prefix(&prefix).and_then(|path| named.place(path));
            if let Some((place, file)) = place.and_then(|place| Some((place, named.0.get(place)?)))
                && let Some(is_there) = is_there.get_mut(place)
            {
                *is_there = file.size == object.size;
            }
        })
        .await?;
    let missing = named.0.iter().zip(&is_there).find(|(_, is_there)| !**is_there);
    Ok(missing.map(|(file, _)| file.path.clone()))
}

/// What lies in the folder and is neither the manifest nor named by it, by path.
pub async fn unnamed(store: &dyn Store, folder: &Key, manifest: &Manifest) -> Result<Vec<(String, ObjectInfo)>> {
    let named = Named::new(&manifest.files);
    let mut unnamed = Vec::new();
    let prefix = format!("{folder}/");
    store
        .visit(&prefix, &mut |object| {
            if let Some(path) = object.key.as_str().strip_prefix(&prefix)
                && path != layout::MANIFEST
                && !named.contains(path)
            {
                unnamed.push((path.to_owned(), object));
            }
        })
        .await?;
    unnamed.sort_by(|(left, _), (right, _)| left.cmp(right));
    Ok(unnamed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, Sha256};
    use crate::shelf::tests::put;
    use crate::shelf::{self, Standing};
    use crate::store::MemoryStore;

    const ID: &str = "20261119T030000Z-k3f9";

    fn file(path: &str) -> File {
        let sha256 = Sha256::of(b"x");
        File { path: path.to_owned(), size: 1, sha256, segment_size: 0, segments: Vec::new() }
    }

    #[tokio::test]
    async fn what_is_missing_is_told_and_members_are_counted_only() {
        let store = MemoryStore::new();
        let folder = Key::new(format!("shop/{ID}")).unwrap();
        let mut manifest = manifest::tests::sample(ID);
        // not in the order of the names
        let members = (1..=300).map(|oid| format!("archive/blob_{oid}.dat"));
        manifest.files =
            members.chain(["archive/toc.dat", "SHA256SUMS"].map(str::to_owned)).map(|path| file(&path)).collect();
        for file in &manifest.files {
            put(&store, &format!("{folder}/{}", file.path), "x").await;
        }
        put(&store, &format!("{folder}/manifest.json"), manifest::encode(&manifest)).await;
        assert_eq!(first_missing(&store, &folder, &manifest.files).await.unwrap(), None);
        for path in ["notes.txt", "archive/9999.dat", "archive/notes.txt"] {
            put(&store, &format!("{folder}/{path}"), "xx").await;
        }
        let unnamed: Vec<String> =
            unnamed(&store, &folder, &manifest).await.unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(unnamed, ["archive/9999.dat", "archive/notes.txt", "notes.txt"]);

        let backups = shelf::read(&store, None).await.unwrap();
        let [backup] = backups.as_slice() else { panic!("one backup") };
        assert!(matches!(backup.standing, Standing::Complete { .. }));
        assert_eq!((backup.members.count, backup.members.bytes, backup.objects.len()), (302, 303, 4));
        assert_eq!(backup.stored_bytes(), store.list("").await.unwrap().iter().map(|object| object.size).sum::<u64>());

        put(&store, &format!("{folder}/archive/blob_7.dat"), "xx").await;
        let missing = first_missing(&store, &folder, &manifest.files).await.unwrap();
        assert_eq!(missing.as_deref(), Some("archive/blob_7.dat"));
        store.delete(&[folder.join("archive/blob_17.dat").unwrap()]).await.unwrap();
        let missing = first_missing(&store, &folder, &manifest.files).await.unwrap();
        assert_eq!(missing.as_deref(), Some("archive/blob_17.dat"));
    }
}
