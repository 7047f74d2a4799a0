//! `db show`: one backup in detail.

use crate::error::Result;
use crate::manifest::{Condition, Evidence, Manifest, layout};
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
    /// Its state, from the manifest and the evidence.
    pub condition: Condition,
    /// What was found out since it was made.
    pub evidence: Evidence,
    /// What the person should know of the choice.
    pub remarks: Vec<String>,
    /// Files in its folder that its manifest does not know.
    pub strangers: Vec<String>,
}

/// Reads one backup's manifest and looks at what lies beside it.
///
/// Fails for a backup that is not complete, with the reason.
pub async fn run(options: &Options, store: &dyn Store) -> Result<Details> {
    let shelf::Found { backup, remarks } = shelf::find(store, &options.query).await?;
    let folder = backup.folder()?;
    let condition = backup.condition();
    let manifest = backup.manifest().cloned().expect("find returns complete backups only");
    let unnamed = shelf::unnamed(store, &folder, &manifest).await?;
    let strangers = unnamed.into_iter().map(|(path, _)| path).filter(|path| !layout::is_evidence(path)).collect();
    let place = format!("{}/{folder}", store.describe());
    let mut evidence = backup.evidence;
    evidence.proofs.sort_by(|one, other| (one.begun, &one.path).cmp(&(other.begun, &other.path)));
    evidence.acceptances.sort_by_key(|one| one.time);
    Ok(Details { manifest, place, condition, evidence, remarks, strangers })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::evidence::tests::stored_proof;
    use crate::shelf::tests::{put, put_backup};
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn names_proofs_and_strangers() {
        let store = MemoryStore::new();
        put_backup(&store, "20261118T030000Z-k3f9", |_| {}).await;
        let folder = "shop/20261118T030000Z-k3f9";
        let proof = stored_proof(folder, "2026-11-19T00:00:00Z", "passed", "rows");
        put(&store, &format!("{folder}/proofs/20261119T000000Z.json"), proof).await;
        put(&store, &format!("{folder}/notes.txt"), "mine").await;
        let options = Options { query: Query::parse("latest").unwrap() };
        let details = run(&options, &store).await.unwrap();
        assert_eq!(details.place, "memory/shop/20261118T030000Z-k3f9");
        assert_eq!(details.evidence.proofs[0].path, "proofs/20261119T000000Z.json");
        assert_eq!(details.strangers, ["notes.txt"]);
        let proof = stored_proof(folder, "2026-11-20T00:00:00Z", "failed", "files");
        put(&store, &format!("{folder}/proofs/20261120T000000Z.json"), proof).await;
        let error = run(&options, &store).await.unwrap_err();
        assert_eq!(error.detail_text(), Some("the newest damaged one is shop/20261118T030000Z-k3f9"));
        let named = Options { query: Query::parse("20261118T030000Z-k3f9").unwrap() };
        let details = run(&named, &store).await.unwrap();
        assert_eq!(details.condition.word(), "damaged");
        assert!(details.remarks[0].contains("(proofs/20261120T000000Z.json)"), "{:?}", details.remarks);
    }
}
