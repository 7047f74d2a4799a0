//! What every store promises, as one test that runs over each of them.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use futures_util::TryStreamExt as _;

use super::{Key, PutMode, PutOutcome, SizeHint, Store};
use crate::error::ErrorKind;

fn key(name: &str) -> Key {
    Key::new(name).unwrap()
}

fn pattern(length: usize) -> Bytes {
    (0..length).map(|index| (index * 31 % 253) as u8).collect::<Vec<u8>>().into()
}

async fn read(store: &dyn Store, name: &str, range: Option<std::ops::Range<u64>>) -> Vec<u8> {
    let chunks: Vec<Bytes> = store.fetch(&key(name), range).await.unwrap().try_collect().await.unwrap();
    chunks.concat()
}

async fn names(store: &dyn Store, prefix: &str) -> Vec<String> {
    store.list(prefix).await.unwrap().into_iter().map(|object| object.key.to_string()).collect()
}

/// Runs the contract over an empty store. `part` is a size that makes an upload one of several parts.
pub(super) async fn check(store: Arc<dyn Store>, part: usize) {
    empty(&*store).await;
    small_objects(&*store).await;
    ranges(&*store).await;
    create_only(&*store).await;
    for length in [0, 1, part, part + 1, 2 * part + 12_345] {
        for head in [0, 1, part + 7] {
            upload(&*store, length, head).await;
        }
    }
    dropped_uploads(&*store, 2 * part + 1).await;
    deletions(&*store).await;
    sweeping(&*store).await;
}

async fn empty(store: &dyn Store) {
    assert_eq!(names(store, "").await, [""; 0]);
    assert_eq!(store.head(&key("shop/none")).await.unwrap(), None);
    assert_eq!(store.fetch(&key("shop/none"), None).await.err().unwrap().kind(), ErrorKind::Store);
}

async fn small_objects(store: &dyn Store) {
    let before = Utc::now();
    for name in ["shop/b", "shop/a/toc.dat", "shop-old/x", "shop/a%20b/ü"] {
        let put = store.put(&key(name), pattern(100), PutMode::Overwrite).await.unwrap();
        assert_eq!(put, PutOutcome::Stored);
    }
    assert_eq!(names(store, "shop/").await, ["shop/a%20b/ü", "shop/a/toc.dat", "shop/b"]);
    assert_eq!(names(store, "shop/a").await, ["shop/a%20b/ü", "shop/a/toc.dat"]);
    assert_eq!(names(store, "").await.len(), 4);
    assert_eq!(names(store, "none/").await, [""; 0]);
    let info = store.head(&key("shop/b")).await.unwrap().unwrap();
    assert_eq!(info.size, 100);
    assert!((info.modified - before).abs() < TimeDelta::minutes(5), "{}", info.modified);
    assert_eq!(store.list("shop/b").await.unwrap().first().map(|object| object.size), Some(100));

    store.put(&key("shop/b"), pattern(7), PutMode::Overwrite).await.map(|_| ()).unwrap();
    assert_eq!(read(store, "shop/b", None).await, pattern(7));
    store.put(&key("shop/empty"), Bytes::new(), PutMode::Overwrite).await.map(|_| ()).unwrap();
    assert_eq!(read(store, "shop/empty", None).await, b"");
}

async fn ranges(store: &dyn Store) {
    assert_eq!(read(store, "shop-old/x", Some(10..30)).await, pattern(100)[10..30]);
    assert_eq!(read(store, "shop-old/x", Some(99..100)).await, pattern(100)[99..]);
    assert_eq!(read(store, "shop-old/x", Some(5..5)).await, b"");
    for range in [90..101, 100..110, 500..501] {
        let refused = store.fetch(&key("shop-old/x"), Some(range.clone())).await.err().map(|error| error.kind());
        assert_eq!(refused, Some(ErrorKind::Archive), "{range:?}");
    }
}

async fn create_only(store: &dyn Store) {
    store.keeps_create_only().await.unwrap();
    let name = key("shop/manifest.json");
    let first = store.put(&name, pattern(10), PutMode::CreateOnly).await.unwrap();
    let second = store.put(&name, pattern(11), PutMode::CreateOnly).await.unwrap();
    assert_eq!((first, second), (PutOutcome::Stored, PutOutcome::Exists));
    assert_eq!(read(store, "shop/manifest.json", None).await, pattern(10));
}

async fn upload(store: &dyn Store, length: usize, head: usize) {
    let name = format!("up/{length}-{head}");
    let body = pattern(length);
    let mut upload = store.begin(&key(&name), SizeHint::about(length as u64), head as u64).await.unwrap();
    for piece in body.chunks(700_001) {
        upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    assert_eq!(store.head(&key(&name)).await.unwrap(), None, "invisible until it is finished");
    assert_eq!(names(store, "up/").await.iter().filter(|found| **found == name).count(), 0);
    let head = vec![9; head];
    let size = upload.finish(head.clone().into()).await.unwrap();
    assert_eq!(size, (head.len() + length) as u64);
    assert!(read(store, &name, None).await == [head, body.to_vec()].concat(), "{name}");
}

async fn dropped_uploads(store: &dyn Store, length: usize) {
    for way in ["drop", "abort", "wrong head"] {
        let name = key("up/gone");
        let mut upload = store.begin(&name, SizeHint::unknown(), 0).await.unwrap();
        upload.write(pattern(length)).await.unwrap();
        match way {
            "drop" => drop(upload),
            "abort" => upload.abort().await.unwrap(),
            _ => assert_eq!(upload.finish(Bytes::from_static(b"x")).await.unwrap_err().kind(), ErrorKind::Bug),
        }
        store.abandon_open().await.unwrap();
        assert_eq!(store.head(&name).await.unwrap(), None, "{way}");
        assert_eq!(store.sweep("up/", Utc::now() + TimeDelta::hours(1)).await.unwrap(), [], "{way}: nothing is left");
    }
}

async fn deletions(store: &dyn Store) {
    let keys: Vec<Key> = store.list("shop/").await.unwrap().into_iter().map(|object| object.key).collect();
    assert_eq!(keys.len(), 5);
    store.delete(&keys).await.unwrap();
    store.delete(&keys).await.expect("an object that is gone is no error");
    assert_eq!(names(store, "shop/").await, [""; 0]);
    assert_eq!(names(store, "shop").await, ["shop-old/x"]);
}

async fn sweeping(store: &dyn Store) {
    assert_eq!(store.sweep("", Utc::now() + TimeDelta::hours(1)).await.unwrap(), []);
    assert_eq!(names(store, "shop").await, ["shop-old/x"], "objects are never swept");
}
