//! A store in memory, for tests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};

use super::{
    ByteStream, Key, ObjectInfo, PutMode, PutOutcome, SizeHint, Store, Swept, Upload, missing, out_of_range, replaced,
};
use crate::error::{Error, ErrorKind, Result};

type Objects = Arc<Mutex<BTreeMap<Key, (Bytes, DateTime<Utc>)>>>;

/// Objects in memory. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    objects: Objects,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read<T>(&self, look: impl FnOnce(&mut BTreeMap<Key, (Bytes, DateTime<Utc>)>) -> T) -> T {
        // a panic elsewhere leaves the map whole: each change is one insert or remove
        look(&mut self.objects.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        Ok(self.read(|objects| {
            objects
                .iter()
                .filter(|(key, _)| key.as_str().starts_with(prefix))
                .map(|(key, (bytes, modified))| info(key, bytes, *modified))
                .collect()
        }))
    }

    async fn head(&self, key: &Key) -> Result<Option<ObjectInfo>> {
        Ok(self.read(|objects| objects.get(key).map(|(bytes, modified)| info(key, bytes, *modified))))
    }

    async fn fetch(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream> {
        let bytes =
            self.read(|objects| objects.get(key).map(|(bytes, _)| bytes.clone())).ok_or_else(|| missing(self, key))?;
        let range = range.unwrap_or(0..bytes.len() as u64);
        if range.start > range.end || range.end > bytes.len() as u64 {
            return Err(out_of_range(key, &range, bytes.len() as u64));
        }
        let bytes = bytes.slice(usize_of(range.start)..usize_of(range.end));
        Ok(stream::iter([Ok(bytes)]).boxed())
    }

    async fn fetch_same(&self, object: &ObjectInfo, range: Range<u64>) -> Result<ByteStream> {
        match self.head(&object.key).await? {
            Some(found) if found.tag != object.tag => Err(replaced(&object.key)),
            Some(_) | None => self.fetch(&object.key, Some(range)).await,
        }
    }

    async fn put(&self, key: &Key, bytes: Bytes, mode: PutMode) -> Result<PutOutcome> {
        Ok(self.read(|objects| {
            if mode == PutMode::CreateOnly && objects.contains_key(key) {
                return PutOutcome::Exists;
            }
            objects.insert(key.clone(), (bytes, Utc::now()));
            PutOutcome::Stored
        }))
    }

    async fn begin(&self, key: &Key, _hint: SizeHint, head_bytes: u64) -> Result<Box<dyn Upload>> {
        Ok(Box::new(MemoryUpload { store: self.clone(), key: key.clone(), head_bytes, body: BytesMut::new() }))
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        self.read(|objects| keys.iter().for_each(|key| drop(objects.remove(key))));
        Ok(())
    }

    async fn sweep(&self, _prefix: &str, _older_than: DateTime<Utc>) -> Result<Vec<Swept>> {
        Ok(Vec::new())
    }

    async fn abandon_open(&self) -> Result<usize> {
        Ok(0)
    }

    async fn keeps_create_only(&self) -> Result<bool> {
        Ok(true)
    }
}

fn info(key: &Key, bytes: &Bytes, modified: DateTime<Utc>) -> ObjectInfo {
    let tag = Some(modified.timestamp_micros().to_string());
    ObjectInfo { key: key.clone(), size: bytes.len() as u64, modified, tag }
}

/// A position within bytes that are in memory: it fits.
fn usize_of(position: u64) -> usize {
    usize::try_from(position).expect("a position within a slice fits usize")
}

struct MemoryUpload {
    store: MemoryStore,
    key: Key,
    head_bytes: u64,
    body: BytesMut,
}

#[async_trait]
impl Upload for MemoryUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.body.extend_from_slice(&bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>, head: Bytes) -> Result<u64> {
        check_head(&self.key, self.head_bytes, &head)?;
        let mut whole = BytesMut::from(&head[..]);
        whole.extend_from_slice(&self.body);
        let size = whole.len() as u64;
        let stored = self.store.put(&self.key, whole.freeze(), PutMode::Overwrite).await?;
        debug_assert_eq!(stored, PutOutcome::Stored, "an overwrite never finds the name taken");
        Ok(size)
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// A head of another length would shift every offset that the archive has written down.
pub(super) fn check_head(key: &Key, reserved: u64, head: &Bytes) -> Result<()> {
    if head.len() as u64 == reserved {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Bug, format!("the head of \"{key}\" has another length than was reserved"))
        .detail(format!("{} bytes, reserved {reserved}", head.len())))
}
