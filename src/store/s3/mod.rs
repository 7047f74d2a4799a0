//! A store in a bucket.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream as Body;
use aws_smithy_types::date_time::DateTime as SdkTime;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::OnceCell;

use super::{
    ByteStream, Erasure, Key, ObjectInfo, PutMode, PutOutcome, Settings, SizeHint, Store, Swept, Upload, missing,
    out_of_range, replaced,
};
use crate::error::Result;

mod checksum;
mod client;
mod dial;
mod fault;
mod list;
mod multipart;
mod part;
mod probe;
mod read;
mod retry;
mod version;

use checksum::Checksum;
use fault::{Failure, judge};
use multipart::BucketUpload;
use read::Reading;
use retry::{Outage, repeat};

/// How many objects are deleted at the same time.
const DELETES: usize = 16;

/// Objects under one prefix of a bucket. Clones share what was found out about the server.
#[derive(Clone)]
pub struct S3Store(Arc<Inner>);

struct Inner {
    client: Client,
    bucket: String,
    prefix: String,
    settings: Settings,
    opened: Instant,
    part_checksum: OnceCell<Checksum>,
    create_only: OnceCell<bool>,
    /// After how many days the bucket removes old versions, where it was asked and says so.
    expiry_days: OnceCell<Option<u32>>,
    /// Multipart uploads that were begun and neither completed nor aborted: id and full key.
    open: Mutex<HashMap<String, String>>,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("S3Store").field(&self.describe()).finish()
    }
}

impl S3Store {
    /// Reads the configuration and looks for keys; the bucket itself is asked by the first request.
    pub async fn open(bucket: &str, prefix: &str, settings: &Settings) -> Result<Self> {
        let client = Box::pin(client::build(settings)).await?;
        Ok(Self(Arc::new(Inner {
            client,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            settings: settings.clone(),
            opened: Instant::now(),
            part_checksum: OnceCell::new(),
            create_only: OnceCell::new(),
            expiry_days: OnceCell::new(),
            open: Mutex::new(HashMap::new()),
        })))
    }

    fn client(&self) -> &Client {
        &self.0.client
    }

    fn bucket(&self) -> &str {
        &self.0.bucket
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The name in the bucket.
    fn full(&self, name: &str) -> String {
        if self.0.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.0.prefix) }
    }

    /// The name in the store, or `None` for what no backup can be called.
    fn relative(&self, full: &str) -> Option<Key> {
        let name = match self.0.prefix.as_str() {
            "" => full,
            prefix => full.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        Key::new(name).ok()
    }

    fn open_uploads<T>(&self, change: impl FnOnce(&mut HashMap<String, String>) -> T) -> T {
        // a panic elsewhere leaves the map whole: each change is one insert or remove
        change(&mut self.0.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One request and its repetitions, without a body to speak of.
    async fn ask<T, F>(&self, doing: &str, attempt: impl FnMut(u32) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        repeat(self, doing, 0, attempt).await
    }

    /// The patience for something that may begin to fail now.
    fn outage(&self) -> Outage {
        Outage::new(self.settings().retry, self.0.opened.elapsed())
    }

    async fn put_once(&self, full: &str, bytes: Bytes, checksums: &[Checksum], mode: PutMode) -> Result<(), Failure> {
        let doing = format!("could not write s3://{}/{full}", self.bucket());
        repeat(self, &doing, bytes.len() as u64, |_| {
            let mut request = self.client().put_object().bucket(self.bucket()).key(full);
            for checksum in checksums {
                request = checksum.of(&bytes).on_put(request);
            }
            if mode == PutMode::CreateOnly {
                request = request.if_none_match("*");
            }
            let request = request.content_length(bytes.len() as i64).body(Body::from(bytes.clone()));
            async { request.send().await.map(drop).map_err(|error| judge(&doing, error)) }
        })
        .await
    }

    /// What goes with an object that is put in one piece. It is small, so MD5 costs nothing, and every Ceph checks it.
    fn put_checksums(&self) -> &'static [Checksum] {
        match self.settings().checksum {
            super::ChecksumMode::Auto => &[Checksum::Crc32c, Checksum::Md5],
            super::ChecksumMode::Crc32c => &[Checksum::Crc32c],
            super::ChecksumMode::Sha256 => &[Checksum::Sha256],
            super::ChecksumMode::Md5 => &[Checksum::Md5],
            super::ChecksumMode::None => &[],
        }
    }

    async fn head_full(&self, full: &str) -> Result<Option<Head>, Failure> {
        let doing = format!("could not look at s3://{}/{full}", self.bucket());
        let found = self
            .ask(&doing, |_| {
                let request = self.client().head_object().bucket(self.bucket()).key(full);
                async { request.send().await.map_err(|error| judge(&doing, error)) }
            })
            .await;
        match found {
            Ok(object) => Ok(Some(Head {
                size: size_of(object.content_length()),
                modified: time_of(object.last_modified()),
                tag: object.e_tag().map(str::to_owned),
            })),
            Err(failure) if failure.is_missing() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn delete_full(&self, full: &str) -> Result<(), Failure> {
        let doing = format!("could not delete s3://{}/{full}", self.bucket());
        let deleted = self
            .ask(&doing, |_| {
                let request = self.client().delete_object().bucket(self.bucket()).key(full);
                async { request.send().await.map(drop).map_err(|error| judge(&doing, error)) }
            })
            .await;
        match deleted {
            Err(failure) if !failure.is_missing() => Err(failure),
            _ => Ok(()),
        }
    }

    /// Does the same to many things, a few at a time. Every one is tried, the first failure is returned.
    async fn at_once<T, F>(&self, things: Vec<T>, act: impl Fn(Self, T) -> F) -> Result<()>
    where
        F: Future<Output = Result<(), Failure>>,
    {
        let mut acts = stream::iter(things).map(|thing| act(self.clone(), thing)).buffer_unordered(DELETES);
        let mut first = Ok(());
        while let Some(done) = acts.next().await {
            first = first.and(done.map_err(|failure| failure.error));
        }
        first
    }

    /// Whether the object holds exactly these bytes: the answer to a create-only put whose first attempt may have worked.
    async fn holds(&self, key: &Key, bytes: &Bytes) -> Result<bool> {
        match self.head(key).await? {
            Some(info) if info.size == bytes.len() as u64 => {
                let mut stream = self.fetch(key, None).await?;
                let mut rest = &bytes[..];
                while let Some(chunk) = stream.try_next().await? {
                    match rest.strip_prefix(&chunk[..]) {
                        Some(later) => rest = later,
                        None => return Ok(false),
                    }
                }
                Ok(rest.is_empty())
            }
            Some(_) | None => Ok(false),
        }
    }
}

/// What a HEAD request tells of an object.
struct Head {
    size: u64,
    modified: DateTime<Utc>,
    tag: Option<String>,
}

/// A size as S3 gives it; servers that leave it out are told apart by the checks that follow.
fn size_of(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0)
}

fn time_of(time: Option<&SdkTime>) -> DateTime<Utc> {
    time.and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos())).unwrap_or(DateTime::UNIX_EPOCH)
}

#[async_trait]
impl Store for S3Store {
    fn describe(&self) -> String {
        super::Location::Bucket { bucket: self.0.bucket.clone(), prefix: self.0.prefix.clone() }.to_string()
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let mut objects = Box::pin(self.list_objects(prefix)).await?;
        objects.retain(|object| !object.key.is_private());
        Ok(objects)
    }

    async fn visit(&self, prefix: &str, look: &mut (dyn FnMut(ObjectInfo) + Send)) -> Result<()> {
        let mut shown = |object: ObjectInfo| {
            if !object.key.is_private() {
                look(object);
            }
        };
        Box::pin(self.each_object(prefix, &mut shown)).await
    }

    async fn head(&self, key: &Key) -> Result<Option<ObjectInfo>> {
        let found = Box::pin(self.head_full(&self.full(key.as_str()))).await.map_err(|failure| failure.error)?;
        Ok(found.map(|Head { size, modified, tag }| ObjectInfo { key: key.clone(), size, modified, tag }))
    }

    async fn fetch(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream> {
        Box::pin(Reading::open(self, key, range, None)).await
    }

    async fn fetch_same(&self, object: &ObjectInfo, range: Range<u64>) -> Result<ByteStream> {
        Box::pin(Reading::open(self, &object.key, Some(range), object.tag.clone())).await
    }

    async fn put(&self, key: &Key, bytes: Bytes, mode: PutMode) -> Result<PutOutcome> {
        let full = self.full(key.as_str());
        // where the server ignores the condition, looking first is the best that can be had; a lease does the rest
        if mode == PutMode::CreateOnly && self.0.create_only.get() == Some(&false) && self.head(key).await?.is_some() {
            return Ok(PutOutcome::Exists);
        }
        match Box::pin(self.put_once(&full, bytes.clone(), self.put_checksums(), mode)).await {
            Ok(()) => Ok(PutOutcome::Stored),
            Err(failure) if mode == PutMode::CreateOnly && failure.is_taken() => {
                // an earlier attempt may have been stored although its answer was lost
                Ok(if Box::pin(self.holds(key, &bytes)).await? { PutOutcome::Stored } else { PutOutcome::Exists })
            }
            Err(failure) => Err(failure.error),
        }
    }

    async fn begin(&self, key: &Key, hint: SizeHint, head_bytes: u64) -> Result<Box<dyn Upload>> {
        Ok(Box::new(BucketUpload::new(self.clone(), key.clone(), hint, head_bytes)))
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        // one by one: the request for many needs a checksum header that many servers refuse
        let names = keys.iter().map(|key| self.full(key.as_str())).collect();
        self.at_once(names, |store, full| async move { store.delete_full(&full).await }).await
    }

    async fn erasure(&self, key: &Key) -> Result<Erasure> {
        Box::pin(self.look_for_versions(&self.full(key.as_str()))).await.map_err(|failure| failure.error)
    }

    async fn sweep(&self, prefix: &str, older_than: DateTime<Utc>) -> Result<Vec<Swept>> {
        Box::pin(self.sweep_leftovers(prefix, older_than)).await
    }

    async fn abandon_open(&self) -> Result<usize> {
        let open: Vec<(String, String)> = self.open_uploads(|open| open.drain().collect());
        let count = open.len();
        self.at_once(open, |store, (id, full)| async move { store.abort_upload(&full, &id).await }).await?;
        Ok(count)
    }

    async fn keeps_create_only(&self) -> Result<bool> {
        Box::pin(self.probe_create_only()).await
    }
}

/// A store in a new bucket of the test server.
#[cfg(test)]
pub(super) async fn test_bucket(prefix: &str, settings: &Settings) -> S3Store {
    let bucket = format!("t-{:016x}", rand::random::<u64>());
    let store = S3Store::open(&bucket, prefix, settings).await.unwrap();
    store.client().create_bucket().bucket(&bucket).send().await.unwrap();
    store
}
