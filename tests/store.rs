//! Buckets behind a proxy that fails: large objects in parts, small ones create-only.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use pgproof::store::{Access, Key, Location, PutMode, PutOutcome, RetryPolicy, Settings, SizeHint, Store, open};

use crate::support::fault::{Fault, Proxy, Request};
use crate::support::store::Bucket;

/// The smallest part that S3 takes.
const PART: usize = 5 << 20;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

/// The bucket as a store; pauses are short, since the proxy does not mind.
async fn store(bucket: &Bucket, endpoint: &str) -> Arc<dyn Store> {
    let settings = Settings {
        endpoint: Some(endpoint.to_owned()),
        part_bytes: Some(PART as u64),
        retry: RetryPolicy {
            total: Duration::from_secs(3),
            pause_min: Duration::from_millis(5),
            pause_max: Duration::from_millis(20),
        },
        ..Settings::default()
    };
    open(&Location::parse(&bucket.url()).unwrap(), &settings, Access::Write).await.unwrap()
}

fn body() -> Bytes {
    (0..2 * PART + 1000).map(|index| (index * 7 % 251) as u8).collect::<Vec<u8>>().into()
}

/// Writes an object of three parts with a head that comes last.
async fn upload(store: &dyn Store) -> pgproof::error::Result<u64> {
    let mut upload = store.begin(&Key::new("shop/a").unwrap(), SizeHint::unknown(), 10).await?;
    for piece in body().chunks(1 << 20) {
        upload.write(Bytes::copy_from_slice(piece)).await?;
    }
    upload.finish(Bytes::from_static(b"0123456789")).await
}

async fn read(store: &dyn Store, key: &str) -> Vec<u8> {
    let chunks: Vec<Bytes> = store.fetch(&Key::new(key).unwrap(), None).await.unwrap().try_collect().await.unwrap();
    chunks.concat()
}

#[test]
fn every_request_of_an_upload_in_parts_may_fail_once() {
    let bucket = Bucket::new();
    let requests = {
        let proxy = Proxy::http(&bucket.endpoint, |_| Fault::Pass);
        assert_eq!(
            block_on(async { upload(&*store(&bucket, &proxy.url()).await).await }).unwrap(),
            body().len() as u64 + 10
        );
        proxy.seen()
    };
    assert!(requests >= 6, "{requests} requests");
    for fault in [Fault::Status(500), Fault::Status(503), Fault::CutAnswer(0), Fault::CutRequest(300_000)] {
        // each third of the requests meets the fault; what is tried again passes
        for third in 0..3 {
            let proxy = Proxy::http(
                &bucket.endpoint,
                move |request: &Request| {
                    if request.number % 3 == third { fault } else { Fault::Pass }
                },
            );
            block_on(async {
                let store = store(&bucket, &proxy.url()).await;
                let size = upload(&*store).await.unwrap_or_else(|error| panic!("{fault:?}, third {third}: {error}"));
                assert_eq!(size, body().len() as u64 + 10);
                let direct = self::store(&bucket, &bucket.endpoint).await;
                let found = read(&*direct, "shop/a").await;
                assert!(found.split_at(10) == (&b"0123456789"[..], &body()[..]), "{fault:?}, third {third}");
            });
        }
    }
    // an upload whose id was lost on the way can only be found by the next run
    block_on(async {
        let until = chrono::Utc::now() + chrono::TimeDelta::hours(1);
        store(&bucket, &bucket.endpoint).await.sweep("", until).await.unwrap();
    });
    assert_eq!(bucket.open_uploads(), [""; 0], "nothing is left to be billed");
    assert_eq!(
        block_on(async { read(&*store(&bucket, &bucket.endpoint).await, "shop/a").await.len() }),
        body().len() + 10
    );
}

#[test]
fn a_part_that_cannot_be_written_leaves_neither_object_nor_upload() {
    let bucket = Bucket::new();
    for status in [500, 503] {
        let proxy = Proxy::http(&bucket.endpoint, move |request: &Request| {
            if request.target.contains("partNumber=2") && !request.target.contains(".pgproof-") {
                Fault::Status(status)
            } else {
                Fault::Pass
            }
        });
        block_on(async {
            let store = store(&bucket, &proxy.url()).await;
            let error = upload(&*store).await.unwrap_err();
            assert_eq!(error.kind(), pgproof::error::ErrorKind::Throttled, "{error}");
            assert!(error.detail_text().unwrap().contains("it was asked again for"), "{error}");
            store.abandon_open().await.unwrap();
        });
        assert_eq!(bucket.open_uploads(), [""; 0]);
        // what the store was found to do stays
        assert_eq!(bucket.keys(), ["backups/.pgproof-probe-crc32c"]);
    }
}

#[test]
fn a_create_only_put_whose_answer_is_lost_has_still_been_done() {
    let bucket = Bucket::new();
    let proxy = Proxy::http(
        &bucket.endpoint,
        |request: &Request| {
            if request.number == 0 { Fault::CutAnswer(0) } else { Fault::Pass }
        },
    );
    block_on(async {
        let store = store(&bucket, &proxy.url()).await;
        let key = Key::new("shop/manifest.json").unwrap();
        let first = store.put(&key, Bytes::from_static(b"mine"), PutMode::CreateOnly).await.unwrap();
        let second = store.put(&key, Bytes::from_static(b"other"), PutMode::CreateOnly).await.unwrap();
        assert_eq!((first, second), (PutOutcome::Stored, PutOutcome::Exists));
        assert_eq!(read(&*store, "shop/manifest.json").await, b"mine");
    });
}

#[test]
fn a_download_that_is_cut_goes_on_from_where_it_was_cut() {
    let bucket = Bucket::new();
    block_on(async {
        let direct = store(&bucket, &bucket.endpoint).await;
        upload(&*direct).await.unwrap();
    });
    let proxy = Proxy::http(&bucket.endpoint, |request: &Request| match (request.method.as_str(), request.number) {
        ("GET", 0..=3) => Fault::CutAnswer(3_000_000),
        _ => Fault::Pass,
    });
    block_on(async {
        let store = store(&bucket, &proxy.url()).await;
        let inlet = pgproof::transfer::Inlet::open(store, &Key::new("shop/a").unwrap()).await.unwrap();
        let found = inlet.read(10..inlet.size()).await.unwrap();
        assert!(found == body());
    });
    assert!(proxy.seen() > 3);
}

#[test]
fn an_object_that_is_replaced_while_it_is_read_is_never_mixed_with_the_other() {
    let bucket = Arc::new(Bucket::new());
    bucket.put("backups/shop/a", body().to_vec());
    let other = Arc::clone(&bucket);
    let proxy = Proxy::http(&bucket.endpoint, move |request: &Request| {
        if request.method != "GET" {
            return Fault::Pass;
        }
        if request.number > 1 {
            // of the same size, while the first connection is gone
            other.put("backups/shop/a", body().iter().rev().copied().collect());
            return Fault::Pass;
        }
        Fault::CutAnswer(3_000_000)
    });
    block_on(async {
        let store = store(&bucket, &proxy.url()).await;
        let inlet = pgproof::transfer::Inlet::open(store, &Key::new("shop/a").unwrap()).await.unwrap();
        let error = inlet.read(0..inlet.size()).await.unwrap_err();
        assert_eq!(error.message(), "object \"shop/a\" was replaced while it was read");
    });
}

#[test]
fn pieces_that_are_fetched_at_once_come_in_order_whichever_of_them_breaks() {
    let bucket = Bucket::new();
    bucket.put("backups/shop/a", body().to_vec());
    let proxy =
        Proxy::http(&bucket.endpoint, |request: &Request| match (request.method.as_str(), request.number % 3) {
            ("GET", 0) => Fault::CutAnswer(1_000_000),
            ("GET", 1) => Fault::Status(503),
            _ => Fault::Pass,
        });
    block_on(async {
        let store = store(&bucket, &proxy.url()).await;
        let inlet = pgproof::transfer::Inlet::open(store, &Key::new("shop/a").unwrap()).await.unwrap();
        let chunks: Vec<Bytes> = inlet.stream_ahead(0..inlet.size()).try_collect().await.unwrap();
        assert!(chunks.concat() == body());
        assert!(inlet.sha256().await.unwrap() == pgproof::manifest::Sha256::of(&body()).0);
    });
    assert!(proxy.seen() > 6, "{} requests", proxy.seen());
}

#[test]
fn keys_that_may_not_delete_write_all_the_same_and_probes_do_not_pile_up() {
    let bucket = Bucket::new();
    let proxy = Proxy::http(&bucket.endpoint, |request: &Request| {
        let is_query = request.target.contains('?') && !request.target.contains("x-id=");
        if request.method == "DELETE" && !is_query { Fault::Status(403) } else { Fault::Pass }
    });
    for _ in 0..3 {
        block_on(async {
            let store = store(&bucket, &proxy.url()).await;
            assert!(store.keeps_create_only().await.unwrap());
            upload(&*store).await.unwrap();
            let folder = Key::new("shop").unwrap();
            let lease = pgproof::store::lease::Lease::acquire(store, &folder, "backup", "a").await;
            lease.map_err(|error| panic!("the lease of the run before: {error}")).unwrap().0.release().await;
        });
    }
    let own: Vec<String> = bucket.keys().into_iter().filter(|key| key.contains(".pgproof-")).collect();
    assert_eq!(own, ["backups/.pgproof-probe-crc32c", "backups/.pgproof-probe-create-only"]);
}

#[test]
fn what_is_wrong_with_a_bucket_is_said() {
    let bucket = Bucket::new();
    block_on(async {
        let settings = Settings { endpoint: Some(bucket.endpoint.clone()), ..Settings::default() };
        let none =
            open(&Location::parse("s3://no-such-bucket-here/x").unwrap(), &settings, Access::Read).await.unwrap();
        assert_eq!(none.list("").await.unwrap_err().kind(), pgproof::error::ErrorKind::NoBucket);
        let put = none.put(&Key::new("a").unwrap(), Bytes::new(), PutMode::Overwrite).await;
        assert_eq!(put.unwrap_err().kind(), pgproof::error::ErrorKind::NoBucket);
    });
}
