//! Bytes on their way out of a store.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use xxhash_rust::xxh3::Xxh3;

use super::outlet::{Receipt, SEGMENT_BYTES};
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::store::{ByteStream, Key, RetryPolicy, Store};

/// Pieces of at most 1 MiB that wait for their digest.
const WAITING: usize = 8;

/// An object that is read by ranges. Clones read the same object at the same time.
///
/// A connection that breaks in the middle is opened again from where it broke, as often as [`RetryPolicy`] allows without
/// a byte of progress.
#[derive(Clone)]
pub struct Inlet {
    store: Arc<dyn Store>,
    key: Key,
    size: u64,
    retry: RetryPolicy,
}

impl Inlet {
    /// Looks the object up; an error when it does not exist.
    pub async fn open(store: Arc<dyn Store>, key: &Key) -> Result<Self> {
        match store.head(key).await? {
            Some(info) => Ok(Self { store, key: key.clone(), size: info.size, retry: RetryPolicy::default() }),
            None => Err(Error::new(ErrorKind::Store, format!("no object \"{key}\" in {}", store.describe()))),
        }
    }

    /// Reads with other pauses than the usual ones.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The object's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The object's name.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// A range in memory. The caller bounds it: it is as large as it says.
    pub async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let mut chunks: Vec<Bytes> = self.stream(range).try_collect().await?;
        if chunks.len() < 2 {
            return Ok(chunks.pop().unwrap_or_default());
        }
        let mut bytes = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
        chunks.iter().for_each(|chunk| bytes.extend_from_slice(chunk));
        Ok(bytes.freeze())
    }

    /// A range piece by piece, in order. It ends after exactly the range's length or with an error.
    pub fn stream(&self, range: Range<u64>) -> ByteStream {
        let state = Reading { inlet: self.clone(), range, source: None, failures: 0 };
        stream::try_unfold(state, |mut state| async move {
            match state.next().await? {
                Some(bytes) => Ok(Some((bytes, state))),
                None => Ok(None),
            }
        })
        .boxed()
    }
}

struct Reading {
    inlet: Inlet,
    range: Range<u64>,
    source: Option<ByteStream>,
    failures: u32,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.range.is_empty() {
                return Ok(None);
            }
            match self.piece().await {
                Ok(mut bytes) => {
                    let left = self.range.end - self.range.start;
                    bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                    self.range.start += bytes.len() as u64;
                    self.failures = 0;
                    return Ok(Some(bytes));
                }
                Err(error) => {
                    self.source = None;
                    self.failures += 1;
                    if error.kind().retry() == Retry::Never || self.failures >= self.inlet.retry.tries {
                        return Err(
                            error.more_detail(&format!("at byte {} of \"{}\"", self.range.start, self.inlet.key))
                        );
                    }
                    tokio::time::sleep(self.pause()).await;
                }
            }
        }
    }

    async fn piece(&mut self) -> Result<Bytes> {
        let source = match &mut self.source {
            Some(source) => source,
            None => self.source.insert(self.inlet.store.fetch(&self.inlet.key, Some(self.range.clone())).await?),
        };
        match source.try_next().await? {
            Some(bytes) => Ok(bytes),
            None => Err(Error::new(ErrorKind::Throttled, format!("object \"{}\" ended early", self.inlet.key))
                .detail(format!("{} bytes are missing", self.range.end - self.range.start))),
        }
    }

    fn pause(&self) -> Duration {
        self.inlet.retry.pause(self.failures, rand::random())
    }
}

/// Reads a whole object back, compares its size and every segment with what was written, and returns its SHA-256.
///
/// It is what makes a backup on a disk believable before its manifest is written: what is compared was read, not
/// remembered.
pub async fn read_back(store: &dyn Store, receipt: &Receipt) -> Result<[u8; 32]> {
    // beside the reading and comparing: SHA-256 takes longer than both
    let (pieces, hashed) = mpsc::channel::<Bytes>(WAITING);
    let whole = tokio::task::spawn_blocking(move || hash(hashed));
    let mut segment = Xxh3::new();
    let mut expected = receipt.checks.iter();
    let mut position = 0_u64;
    let mut stream = store.fetch(&receipt.key, None).await?;
    while let Some(bytes) = stream.try_next().await? {
        // its end comes out below
        let _ = pieces.send(bytes.clone()).await;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let room = usize::try_from(SEGMENT_BYTES - position % SEGMENT_BYTES).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(room.min(rest.len()));
            segment.update(now);
            position += now.len() as u64;
            if position.is_multiple_of(SEGMENT_BYTES) {
                compare(receipt, expected.next(), segment.digest128(), position)?;
                segment.reset();
            }
            rest = later;
        }
    }
    if !position.is_multiple_of(SEGMENT_BYTES) {
        compare(receipt, expected.next(), segment.digest128(), position)?;
    }
    drop(pieces);
    let whole = whole.await.map_err(|error| Error::new(ErrorKind::Bug, "a digest was not made").caused_by(error))?;
    if position != receipt.size || receipt.sha256.is_some_and(|digest| digest != whole) {
        return Err(differs(receipt, position));
    }
    Ok(whole)
}

fn hash(mut pieces: mpsc::Receiver<Bytes>) -> [u8; 32] {
    let mut digest = Sha256::new();
    while let Some(piece) = pieces.blocking_recv() {
        digest.update(&piece);
    }
    digest.finalize().into()
}

fn compare(receipt: &Receipt, expected: Option<&u128>, found: u128, position: u64) -> Result<()> {
    if expected == Some(&found) { Ok(()) } else { Err(differs(receipt, position)) }
}

fn differs(receipt: &Receipt, position: u64) -> Error {
    Error::new(ErrorKind::Damage, format!("\"{}\" reads back differently from what was written", receipt.key))
        .detail(format!("found before byte {position}, {} were written", receipt.size))
        .hint("Check the disk and the memory of this machine; nothing of this backup is kept.")
}
