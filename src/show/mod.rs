//! `db show`: one backup in detail.

use crate::error::Result;
use crate::manifest::{Manifest, layout};
use crate::shelf::{self, Query};
use crate::store::Store;

/// Which backup.
#[derive(Clone, Debug)]
pub struct Options {
    /// As it was named.
    pub query: Query,
}

/// Everything about one complete backup.
#[derive(Clone, Debug)]
pub struct Details {
    /// Its manifest.
    pub manifest: Manifest,
    /// The store and the folder within it.
    pub place: String,
    /// What verify and drill left: the names of their files, oldest first.
    pub proofs: Vec<String>,
    /// Files in its folder that its manifest does not know.
    pub strangers: Vec<String>,
}

/// Reads one backup's manifest and looks at what lies beside it.
///
/// Fails for a backup that is not complete, with the reason.
pub async fn run(options: &Options, store: &dyn Store) -> Result<Details> {
    let backup = shelf::find(store, &options.query).await?;
    let folder = backup.folder()?;
    let paths: Vec<&str> = backup
        .objects
        .iter()
        .filter_map(|object| object.key.as_str().strip_prefix(folder.as_str())?.strip_prefix('/'))
        .collect();
    let proof = |path: &&str| path.strip_prefix(layout::PROOFS).is_some_and(|rest| rest.starts_with('/'));
    let manifest = backup.manifest().cloned().expect("find returns complete backups only");
    let known = |path: &str| path == layout::MANIFEST || manifest.file(path).is_some();
    let proofs = paths.iter().filter(|path| proof(path)).map(ToString::to_string).collect();
    let strangers = paths.iter().filter(|path| !proof(path) && !known(path)).map(ToString::to_string).collect();
    Ok(Details { place: format!("{}/{folder}", store.describe()), proofs, strangers, manifest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::tests::{put, put_backup};
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn names_proofs_and_strangers() {
        let store = MemoryStore::new();
        put_backup(&store, "20261118T030000Z-k3f9", |_| {}).await;
        put(&store, "shop/20261118T030000Z-k3f9/proofs/20261119T000000Z.json", "{}").await;
        let options = Options { query: Query::parse("latest").unwrap() };
        let details = run(&options, &store).await.unwrap();
        assert_eq!(details.place, "memory/shop/20261118T030000Z-k3f9");
        assert_eq!(details.proofs, ["proofs/20261119T000000Z.json"]);
        assert_eq!(details.strangers, ["SHA256SUMS"]);
    }
}
