//! The contract over each store, and what only one kind of store promises.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{TimeDelta, Utc};

use super::*;

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract::check(Arc::new(MemoryStore::new()), 1000).await;
}

#[tokio::test]
async fn folders_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(&folder.path().join("new/store"), Access::Write).await.unwrap();
    contract::check(Arc::new(store), 1 << 20).await;
}

#[tokio::test]
async fn fault_stores_keep_the_contract_while_nothing_fails() {
    let store = FaultStore::new(Arc::new(MemoryStore::new()), Fault::Reject, u64::MAX);
    contract::check(Arc::new(store.clone()), 1000).await;
    assert!(store.changes() > 0);
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    for access in [Access::Read, Access::Write] {
        let error = LocalStore::open(&file, access).await.unwrap_err();
        assert!(error.message().starts_with("not a store: "), "{error}");
    }
    let error = LocalStore::open(&folder.path().join("none"), Access::Read).await.unwrap_err();
    assert!(error.message().starts_with("no store at "), "{error}");
    assert!(!folder.path().join("none").exists());
}

#[tokio::test]
async fn only_the_owner_reads_backups() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("store");
    let store = LocalStore::open(&root, Access::Write).await.unwrap();
    let key = Key::new("shop/x/archive.dump").unwrap();
    let mut upload = store.begin(&key, SizeHint::unknown(), 0).await.unwrap();
    upload.write(Bytes::from_static(b"x")).await.unwrap();
    upload.finish(Bytes::new()).await.unwrap();
    let mode = |path: &str| std::fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("shop"), mode("shop/x"), mode("shop/x/archive.dump")), (0o700, 0o700, 0o700, 0o600));
}

#[tokio::test]
async fn a_killed_writer_leaves_a_file_that_a_later_sweep_removes() {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::open(folder.path(), Access::Write).await.unwrap();
    let key = Key::new("shop/x/archive.dump").unwrap();
    let mut upload = store.begin(&key, SizeHint::unknown(), 0).await.unwrap();
    upload.write(vec![0; 3 << 20].into()).await.unwrap();
    std::mem::forget(upload);
    let files = || std::fs::read_dir(folder.path().join("shop/x")).map_or(0, Iterator::count);
    assert_eq!((files(), store.list("").await.unwrap()), (1, vec![]));
    assert_eq!(store.sweep("shop/", Utc::now() - TimeDelta::hours(1)).await.unwrap(), [], "it may still be written");
    let swept = store.sweep("shop/", Utc::now() + TimeDelta::seconds(1)).await.unwrap();
    assert_eq!((swept.len(), files()), (1, 0));
}

/// The integration run gives a server; without one there is nothing to ask.
#[cfg(feature = "s3")]
#[tokio::test]
async fn buckets_keep_the_contract() {
    let Ok(endpoint) = std::env::var("PGPROOF_TEST_S3_ENDPOINT") else { return };
    let settings = Settings { endpoint: Some(endpoint), part_bytes: Some(5 << 20), ..Settings::default() };
    for prefix in ["", "deep/prefix"] {
        let store = s3::test_bucket(prefix, &settings).await;
        contract::check(Arc::new(store), 5 << 20).await;
    }
}
