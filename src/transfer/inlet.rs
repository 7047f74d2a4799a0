//! Bytes on their way out of a store.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use xxhash_rust::xxh3::Xxh3;

use super::outlet::{Receipt, SEGMENT_BYTES};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{ByteStream, Key, ObjectInfo, Store};

/// Pieces that wait for their digest.
const WAITING: usize = 3;

/// A piece of an object that is fetched beside others, and how many are at once: they lie in memory.
const PIECE: u64 = 4 << 20;
const AHEAD: usize = 4;

/// An object that is read by ranges. Clones read the same object at the same time.
///
/// It is the one way to an object's bytes: every range is one of the object that was opened, never of one that took its name
/// since, and a broken connection is the store's own to mend ([`ByteStream`]).
#[derive(Clone)]
pub struct Inlet {
    store: Arc<dyn Store>,
    object: ObjectInfo,
}

impl Inlet {
    /// Looks the object up; an error when it does not exist.
    pub async fn open(store: Arc<dyn Store>, key: &Key) -> Result<Self> {
        match store.head(key).await? {
            Some(object) => Ok(Self { store, object }),
            None => Err(Error::new(ErrorKind::Store, format!("no object \"{key}\" in {}", store.describe()))),
        }
    }

    /// The object's size in bytes.
    pub fn size(&self) -> u64 {
        self.object.size
    }

    /// The object's name.
    pub fn key(&self) -> &Key {
        &self.object.key
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
        let inlet = self.clone();
        let state = (None, range.end.saturating_sub(range.start));
        stream::try_unfold(state, move |(source, left): (Option<ByteStream>, u64)| {
            let (inlet, range) = (inlet.clone(), range.clone());
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let mut source = match source {
                    Some(source) => source,
                    None => inlet.store.fetch_same(&inlet.object, range).await?,
                };
                match source.try_next().await? {
                    Some(bytes) if bytes.len() as u64 <= left => {
                        let left = left - bytes.len() as u64;
                        Ok(Some((bytes, (Some(source), left))))
                    }
                    _ => Err(Error::new(ErrorKind::Archive, format!("object \"{}\" has another size", inlet.key()))
                        .detail(format!("of {} bytes, {left} of a range were to come", inlet.size()))),
                }
            }
        })
        .boxed()
    }

    /// The same for whoever reads to the end: from a store elsewhere several pieces are fetched at once.
    pub fn stream_ahead(&self, range: Range<u64>) -> ByteStream {
        if self.store.is_local() || range.end.saturating_sub(range.start) <= 2 * PIECE {
            return self.stream(range);
        }
        let inlet = self.clone();
        let end = range.end;
        let starts = (range.start..end).step_by(usize::try_from(PIECE).unwrap_or(usize::MAX));
        stream::iter(starts)
            .map(move |start| {
                let inlet = inlet.clone();
                async move { inlet.read(start..(start + PIECE).min(end)).await }
            })
            .buffered(AHEAD)
            .boxed()
    }

    /// The SHA-256 of all its bytes.
    pub async fn sha256(&self) -> Result<[u8; 32]> {
        let (pieces, hashed) = mpsc::channel::<Bytes>(WAITING);
        let whole = tokio::task::spawn_blocking(move || hash(hashed));
        let mut stream = self.stream_ahead(0..self.size());
        while let Some(bytes) = stream.try_next().await? {
            // its end comes out below
            let _ = pieces.send(bytes).await;
        }
        drop(pieces);
        whole.await.map_err(|error| Error::new(ErrorKind::Bug, "a digest was not made").caused_by(error))
    }
}

/// Reads a whole object back, compares its size and every segment with what was written, and returns its SHA-256.
///
/// It is what makes a backup on a disk believable before its manifest is written: what is compared was read, not
/// remembered.
pub async fn read_back(store: &Arc<dyn Store>, receipt: &Receipt) -> Result<[u8; 32]> {
    let inlet = Inlet::open(Arc::clone(store), &receipt.key).await?;
    if inlet.size() != receipt.size {
        return Err(differs(receipt, inlet.size().min(receipt.size)));
    }
    // beside the reading and comparing: SHA-256 takes longer than both
    let (pieces, hashed) = mpsc::channel::<Bytes>(WAITING);
    let whole = tokio::task::spawn_blocking(move || hash(hashed));
    let mut segment = Xxh3::new();
    let mut expected = receipt.checks.iter();
    let mut position = 0_u64;
    let mut stream = inlet.stream_ahead(0..inlet.size());
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
