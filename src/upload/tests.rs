use super::*;
use crate::event::Silent;
use crate::manifest::Sha256;
use crate::shelf::tests::put;
use crate::store::MemoryStore;

const ID: &str = "20261121T030000Z-k3f9";

async fn source() -> MemoryStore {
    let store = MemoryStore::new();
    put_whole(&store, "20261120T030000Z-k3f9").await;
    put_whole(&store, ID).await;
    put(&store, "shop/20261122T030000Z-k3f9/archive.dump", "unfinished").await;
    store
}

/// A backup whose files are what its manifest says.
async fn put_whole(store: &MemoryStore, id: &str) {
    let mut manifest = manifest::tests::sample(id);
    let content = |name: &str| format!("{name} of {id}").into_bytes();
    manifest.files = ["archive/toc.dat", "globals.sql"]
        .map(|path| File {
            path: path.to_owned(),
            size: content(path).len() as u64,
            sha256: Sha256::of(&content(path)),
            segment_size: 0,
            segments: Vec::new(),
        })
        .into();
    for file in &manifest.files {
        put(store, &format!("shop/{id}/{}", file.path), content(&file.path)).await;
    }
    put(store, &format!("shop/{id}/proofs/20261130T000000Z.json"), "{}").await;
    put(store, &format!("shop/{id}/manifest.json"), manifest::encode(&manifest)).await;
}

fn options(from: &MemoryStore, to: &MemoryStore) -> Options {
    Options { which: Which::All(None), from: Arc::new(from.clone()), to: Arc::new(to.clone()), jobs: NonZeroUsize::MIN }
}

async fn keys(store: &MemoryStore) -> Vec<String> {
    store.list("").await.unwrap().into_iter().map(|object| object.key.to_string()).collect()
}

#[tokio::test]
async fn copies_every_complete_backup_once() {
    let (from, to) = (source().await, MemoryStore::new());
    let outcome = run(&options(&from, &to), &Silent).await.unwrap();
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    assert_eq!(outcome.passed_over, [("shop/20261122T030000Z-k3f9".to_owned(), "leftover".to_owned())]);
    assert_eq!(outcome.backups.iter().map(|copied| copied.files).collect::<Vec<_>>(), [2, 2]);
    let mut expected = keys(&from).await;
    expected.retain(|key| !key.contains("20261122"));
    assert_eq!(keys(&to).await, expected);

    let again = run(&options(&from, &to), &Silent).await.unwrap();
    assert_eq!(again.backups.iter().map(|copied| copied.bytes).collect::<Vec<_>>(), [0, 0]);
}

#[tokio::test]
async fn one_backup_is_copied_when_one_is_named() {
    let (from, to) = (source().await, MemoryStore::new());
    let options = Options { which: Which::One(Query::parse("latest").unwrap()), ..options(&from, &to) };
    run(&options, &Silent).await.unwrap();
    assert!(keys(&to).await.iter().all(|key| key.contains(ID)));
}

#[tokio::test]
async fn goes_on_with_an_interrupted_copy_and_mends_what_is_wrong_in_it() {
    let (from, to) = (source().await, MemoryStore::new());
    put(&to, &format!("shop/{ID}/globals.sql"), format!("GLOBALS.sql of {ID}")).await;
    put(&to, &format!("shop/{ID}/archive/toc.dat"), format!("archive/toc.dat of {ID}")).await;
    let options = Options { which: Which::One(Query::parse(ID).unwrap()), ..options(&from, &to) };
    let outcome = run(&options, &Silent).await.unwrap();
    assert_eq!(outcome.backups[0].files, 1);
    let key = Key::new(format!("shop/{ID}/globals.sql")).unwrap();
    assert_eq!(fetch_all(&to, &key).await.unwrap(), format!("globals.sql of {ID}").into_bytes());
}

#[tokio::test]
async fn a_damaged_source_is_never_published() {
    let (from, to) = (source().await, MemoryStore::new());
    put(&from, &format!("shop/{ID}/globals.sql"), format!("GLOBALS.sql of {ID}")).await;
    let outcome = run(&options(&from, &to), &Silent).await.unwrap();
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(outcome.failed[0].1.kind(), ErrorKind::Damage);
    assert!(!keys(&to).await.contains(&format!("shop/{ID}/manifest.json")));
    assert!(!keys(&to).await.contains(&format!("shop/{ID}/globals.sql")));
}

#[tokio::test]
async fn another_backup_of_the_same_name_is_left_alone() {
    let (from, to) = (source().await, MemoryStore::new());
    let foreign = manifest::encode(&manifest::tests::sample(ID));
    put(&to, &format!("shop/{ID}/manifest.json"), foreign.clone()).await;
    let outcome = run(&options(&from, &to), &Silent).await.unwrap();
    assert_eq!(outcome.failed[0].1.kind(), ErrorKind::Refused);
    let key = Key::new(format!("shop/{ID}/manifest.json")).unwrap();
    assert_eq!(fetch_all(&to, &key).await.unwrap(), foreign);
}
