//! A store that fails on purpose, for tests of what a crash leaves behind.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};

use super::{ByteStream, Erasure, Key, ObjectInfo, PutMode, PutOutcome, SizeHint, Store, Swept, Upload};
use crate::error::{Error, ErrorKind, Result};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is refused and changes nothing.
    Reject,
    /// The request is carried out and then reported as failed: its answer was lost.
    FailAfterWrite,
    /// The request never ends.
    Hold,
    /// The request takes this long.
    Slow(Duration),
    /// The same, and a put is carried out although nobody waits for it any more.
    Late(Duration),
}

/// Passes everything on to another store, except for one call: that one meets the fault.
#[derive(Clone)]
pub struct FaultStore {
    inner: Arc<dyn Store>,
    fault: Fault,
    /// `None` is every counted call.
    at: Option<u64>,
    counts: Counts,
    calls: Arc<AtomicU64>,
    met: Arc<Mutex<Option<String>>>,
}

/// Which calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    Changes,
    All,
}

impl FaultStore {
    /// The fault strikes at change number `at`, from 0: puts, begins, writes, finishes and deletions are counted.
    pub fn new(inner: Arc<dyn Store>, fault: Fault, at: u64) -> Self {
        Self::counting(inner, fault, Some(at), Counts::Changes)
    }

    /// The fault strikes at call number `at`, from 0, whatever it does: looks, listings, reads and sweeps are counted, too.
    pub fn at_call(inner: Arc<dyn Store>, fault: Fault, at: u64) -> Self {
        Self::counting(inner, fault, Some(at), Counts::All)
    }

    /// The fault strikes at every change.
    pub fn at_every_change(inner: Arc<dyn Store>, fault: Fault) -> Self {
        Self::counting(inner, fault, None, Counts::Changes)
    }

    fn counting(inner: Arc<dyn Store>, fault: Fault, at: Option<u64>, counts: Counts) -> Self {
        Self { inner, fault, at, counts, calls: Arc::default(), met: Arc::default() }
    }

    /// How many of the counted calls came until now.
    pub fn changes(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// What was being done when the fault struck; `None` while it has not.
    pub fn met(&self) -> Option<String> {
        // a panic elsewhere leaves a text, whole
        self.met.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn look<T>(&self, doing: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
        match self.counts {
            Counts::Changes => call.await,
            Counts::All => self.meet(doing, call).await,
        }
    }

    async fn meet<T>(&self, doing: &str, change: impl Future<Output = Result<T>>) -> Result<T> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        if self.at.is_some_and(|at| at != number) {
            return change.await;
        }
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = Some(doing.to_owned());
        let failure =
            Error::new(ErrorKind::Store, format!("could not {doing}")).detail(format!("{:?}, on purpose", self.fault));
        match self.fault {
            Fault::Reject => Err(failure),
            Fault::FailAfterWrite => change.await.and(Err(failure)),
            Fault::Hold => std::future::pending().await,
            Fault::Slow(time) => {
                tokio::time::sleep(time).await;
                change.await
            }
            // a put brings its own delay; what else there is to do is done at once
            Fault::Late(_) => change.await,
        }
    }

    /// The bytes of an object, of which the first piece arrives and then nothing more, where the fault strikes there.
    async fn bytes(&self, key: &Key, call: impl Future<Output = Result<ByteStream>>) -> Result<ByteStream> {
        let stream = self.look(&format!("read {key}"), call).await?;
        match self.look(&format!("read {key} to its end"), std::future::ready(Ok(()))).await {
            Ok(()) => Ok(stream),
            Err(error) => Ok(stream.take(1).chain(stream::iter([Err(error)])).boxed()),
        }
    }
}

#[async_trait]
impl Store for FaultStore {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn is_local(&self) -> bool {
        self.inner.is_local()
    }

    fn spool_folder(&self) -> Option<PathBuf> {
        self.inner.spool_folder()
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        self.look(&format!("list {prefix}"), self.inner.list(prefix)).await
    }

    async fn visit(&self, prefix: &str, look: &mut (dyn FnMut(ObjectInfo) + Send)) -> Result<()> {
        self.look(&format!("list {prefix}"), self.inner.visit(prefix, look)).await
    }

    async fn head(&self, key: &Key) -> Result<Option<ObjectInfo>> {
        self.look(&format!("look at {key}"), self.inner.head(key)).await
    }

    async fn fetch(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream> {
        self.bytes(key, self.inner.fetch(key, range)).await
    }

    async fn fetch_same(&self, object: &ObjectInfo, range: Range<u64>) -> Result<ByteStream> {
        self.bytes(&object.key, self.inner.fetch_same(object, range)).await
    }

    async fn put(&self, key: &Key, bytes: Bytes, mode: PutMode) -> Result<PutOutcome> {
        let strikes = self.at.is_none_or(|at| at == self.changes());
        if let (Fault::Late(time), true) = (self.fault, strikes) {
            let (inner, own) = (Arc::clone(&self.inner), key.clone());
            let put = tokio::spawn(async move {
                tokio::time::sleep(time).await;
                inner.put(&own, bytes, mode).await
            });
            let answer = async { put.await.expect("the put does not panic") };
            return self.meet(&format!("put {key}"), answer).await;
        }
        self.meet(&format!("put {key}"), self.inner.put(key, bytes, mode)).await
    }

    async fn begin(&self, key: &Key, hint: SizeHint, head_bytes: u64) -> Result<Box<dyn Upload>> {
        let upload = self.meet(&format!("begin {key}"), self.inner.begin(key, hint, head_bytes)).await?;
        Ok(Box::new(FaultUpload { store: self.clone(), upload, key: key.clone() }))
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        self.meet("delete", self.inner.delete(keys)).await
    }

    async fn erasure(&self, key: &Key) -> Result<Erasure> {
        self.inner.erasure(key).await
    }

    async fn sweep(&self, prefix: &str, older_than: DateTime<Utc>) -> Result<Vec<Swept>> {
        self.look(&format!("sweep {prefix}"), self.inner.sweep(prefix, older_than)).await
    }

    async fn abandon_open(&self) -> Result<usize> {
        self.inner.abandon_open().await
    }

    async fn keeps_create_only(&self) -> Result<bool> {
        self.look("ask for create-only", self.inner.keeps_create_only()).await
    }
}

struct FaultUpload {
    store: FaultStore,
    upload: Box<dyn Upload>,
    key: Key,
}

#[async_trait]
impl Upload for FaultUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.store.meet(&format!("write {}", self.key), self.upload.write(bytes)).await
    }

    async fn finish(self: Box<Self>, head: Bytes) -> Result<u64> {
        self.store.meet(&format!("finish {}", self.key), self.upload.finish(head)).await
    }

    async fn abort(self: Box<Self>) -> Result<()> {
        self.store.look(&format!("abort {}", self.key), self.upload.abort()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[tokio::test(start_paused = true)]
    async fn each_fault_does_what_its_name_says() {
        let key = Key::new("a").unwrap();
        for (fault, stored) in [
            (Fault::Reject, false),
            (Fault::FailAfterWrite, true),
            (Fault::Hold, false),
            (Fault::Slow(Duration::from_secs(9)), true),
            (Fault::Late(Duration::from_secs(9)), true),
        ] {
            let memory = MemoryStore::new();
            let store = FaultStore::new(Arc::new(memory.clone()), fault, 0);
            let put = store.put(&key, Bytes::new(), PutMode::Overwrite);
            let ended = tokio::time::timeout(Duration::from_secs(60), put).await;
            assert_eq!(ended.is_err(), fault == Fault::Hold);
            assert_eq!(matches!(ended, Ok(Ok(_))), matches!(fault, Fault::Slow(_) | Fault::Late(_)));
            assert_eq!(memory.head(&key).await.unwrap().is_some(), stored, "{fault:?}");
        }
    }
}
