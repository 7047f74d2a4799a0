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
