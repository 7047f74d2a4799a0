use std::sync::Arc;

use super::*;
use crate::manifest::File;
use crate::store::lease::Lease;
use crate::store::{MemoryStore, PutMode};
use bytes::Bytes;

/// Puts an object with this content.
pub(crate) async fn put(store: &dyn Store, key: &str, bytes: impl Into<Bytes>) {
    let _ = store.put(&Key::new(key).unwrap(), bytes.into(), PutMode::Overwrite).await.unwrap();
}

/// Puts a small complete backup of database `shop`, changed by `change`.
pub(crate) async fn put_backup(store: &dyn Store, id: &str, change: impl FnOnce(&mut Manifest)) {
    let mut manifest = manifest::tests::sample(id);
    manifest.files.push(File {
        path: "SHA256SUMS".to_owned(),
        size: 1,
        sha256: manifest::Sha256::of(b"x"),
        segment_size: 0,
        segments: Vec::new(),
    });
    change(&mut manifest);
    let folder = folder(&manifest.source.database, &manifest.id).unwrap();
    put(store, &format!("{folder}/archive.dump"), vec![0; 64]).await;
    put(store, &format!("{folder}/SHA256SUMS"), "x").await;
    put(store, &format!("{folder}/manifest.json"), manifest::encode(&manifest)).await;
}

const OLD: &str = "20261119T030000Z-k3f9";
const NEW: &str = "20261120T030000Z-k3f9";

async fn outline(store: &dyn Store) -> Vec<String> {
    let standing = |backup: &Backup| match &backup.standing {
        Standing::Complete { .. } | Standing::Summarized { .. } => "complete".to_owned(),
        Standing::Unreadable(error) => error.message().to_owned(),
        Standing::Unread => "unread".to_owned(),
        Standing::Deleting => "deleting".to_owned(),
        Standing::Unfinished => "unfinished".to_owned(),
        Standing::LeftOver => "leftover".to_owned(),
    };
    let backups = read(store, None).await.unwrap();
    backups.iter().map(|backup| format!("{}: {}", backup.name(), standing(backup))).collect()
}

#[tokio::test]
async fn one_bad_manifest_never_hides_the_others() {
    let store = MemoryStore::new();
    put_backup(&store, NEW, |_| {}).await;
    put_backup(&store, OLD, |_| {}).await;
    put(&store, "shop/20261118T030000Z-k3f9/manifest.json", "{").await;
    let foreign = manifest::encode(&manifest::tests::sample(OLD));
    put(&store, "shop/20261117T030000Z-k3f9/manifest.json", foreign).await;
    put(&store, "shop/20261116T030000Z-k3f9/archive.dump", "x").await;
    put_backup(&store, "20261115T030000Z-k3f9", |_| {}).await;
    put(&store, "shop/20261115T030000Z-k3f9/tombstone.json", "{}").await;
    put(&store, "a%41/20261115T030000Z-k3f9/manifest.json", "another spelling").await;
    put(&store, "notes.txt", "mine").await;
    assert_eq!(
        outline(&store).await,
        [
            "shop/20261115T030000Z-k3f9: deleting",
            "shop/20261116T030000Z-k3f9: leftover",
            "shop/20261117T030000Z-k3f9: manifest \"shop/20261117T030000Z-k3f9/manifest.json\" belongs to another backup",
            "shop/20261118T030000Z-k3f9: manifest \"shop/20261118T030000Z-k3f9/manifest.json\" is damaged",
            "shop/20261119T030000Z-k3f9: complete",
            "shop/20261120T030000Z-k3f9: complete",
        ]
    );
}

#[tokio::test]
async fn finds_the_latest_good_one_and_ids_by_their_beginning() {
    let store = MemoryStore::new();
    put_backup(&store, OLD, |_| {}).await;
    put_backup(&store, NEW, |manifest| manifest.filters.push("--schema=a".to_owned())).await;
    put(&store, "shop/20261121T030000Z-k3f9/archive.dump", "x").await;
    let find_id = async |text: &str| match find(&store, &Query::parse(text).unwrap()).await {
        Ok(found) => found.backup.id.to_string(),
        Err(error) => error.message().to_owned(),
    };
    assert_eq!(find_id("latest").await, OLD);
    assert_eq!(find_id("shop/latest").await, OLD);
    put(&store, "shop/20261123T030000Z-k3f9/manifest.json", "{").await;
    assert_eq!(
        find_id("latest").await,
        "manifest \"shop/20261123T030000Z-k3f9/manifest.json\" is damaged",
        "a damaged newest backup is never passed over"
    );
    store.delete(&[Key::new("shop/20261123T030000Z-k3f9/manifest.json").unwrap()]).await.unwrap();
    assert_eq!(find_id("20261120").await, NEW);
    assert_eq!(find_id(OLD).await, OLD);
    assert_eq!(find_id("20261121").await, "shop/20261121T030000Z-k3f9 is no backup");
    assert_eq!(find_id("20261122").await, "no backup \"20261122\" in memory");
    assert_eq!(find_id("other/latest").await, "no backup in memory");
    put_backup(&store, "20261119T030001Z-k3f9", |manifest| manifest.source.database = "blog".to_owned()).await;
    assert_eq!(find_id("20261119").await, "\"20261119\" is ambiguous");
    assert_eq!(find_id("latest").await, "\"latest\" is ambiguous");
    assert_eq!(find_id("blog/latest").await, "20261119T030001Z-k3f9");
}

#[tokio::test]
async fn of_two_backups_of_one_second_the_newer_is_the_latest() {
    for (older, newer) in [("2222", "zzzz"), ("zzzz", "2222")] {
        let store = MemoryStore::new();
        for (suffix, milliseconds) in [(older, 100), (newer, 900)] {
            let late = chrono::TimeDelta::milliseconds(milliseconds);
            put_backup(&store, &format!("20261119T030000Z-{suffix}"), |manifest| manifest.snapshot.time += late).await;
        }
        let found = find(&store, &Query::parse("latest").unwrap()).await.unwrap();
        assert_eq!(found.backup.id.to_string(), format!("20261119T030000Z-{newer}"));
        let before = newest_before(&store, "shop", Some(&found.backup), |_| true).await.unwrap().unwrap();
        assert_eq!(before.id.to_string(), format!("20261119T030000Z-{older}"));
    }
}

#[tokio::test]
async fn a_folder_with_nothing_but_somebodys_files_is_no_backup() {
    let store = MemoryStore::new();
    put(&store, &format!("shop/{OLD}/notes.txt"), "mine").await;
    assert_eq!(outline(&store).await, [""; 0]);
    put(&store, &format!("shop/{OLD}/archive.dump"), "half").await;
    assert_eq!(outline(&store).await, [format!("shop/{OLD}: leftover")]);
}

#[tokio::test]
async fn what_a_run_is_writing_is_told_from_what_is_left_over() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    for id in [OLD, NEW] {
        put(&*store, &format!("shop/{id}/archive.sql"), "somebody's, or half of one").await;
    }
    let (lease, _) = Lease::acquire(Arc::clone(&store), &Key::new("shop").unwrap(), "backup", NEW).await.unwrap();
    assert_eq!(outline(&*store).await, [format!("shop/{OLD}: leftover"), format!("shop/{NEW}: unfinished")]);
    lease.release().await;
    assert_eq!(outline(&*store).await, [format!("shop/{OLD}: leftover"), format!("shop/{NEW}: leftover")]);
    let error = find(&*store, &Query::parse(NEW).unwrap()).await.unwrap_err();
    assert_eq!(error.message(), format!("shop/{NEW} is no backup"));
}

#[test]
fn file_names_are_no_queries() {
    for text in
        ["", "backup.dump", "/tmp/latest", "./dump.sql", "2026", "20261121.dump", "shop/", "20261121T030000Z-k3f9/"]
    {
        assert_eq!(Query::parse(text), None, "{text}");
    }
}
