//! Bytes on their way into a store.

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, ErrorKind, Result};
use crate::store::{Key, SizeHint, Store, Upload};

/// A file's digest is also taken of each such piece, so that a part of a large archive can be checked alone.
///
/// It is the most that an outlet holds in memory: the piece in which a reserved head ends cannot be hashed before the
/// head is known.
pub const SEGMENT_BYTES: u64 = 16 << 20;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The object.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of all its bytes; `None` when a reserved head came last, since SHA-256 has to see the first byte first.
    /// [`super::read_back`] finds it.
    pub sha256: Option<[u8; 32]>,
    /// The SHA-256 of each [`SEGMENT_BYTES`], the last one shorter.
    pub segments: Vec<[u8; 32]>,
    /// The XXH3-128 of the same pieces, with which [`super::read_back`] compares: it takes a thirtieth of the time.
    pub checks: Vec<u128>,
}

/// An object that is being written: counts, hashes and hands on.
///
/// [`Outlet::finish`] makes it visible; dropping the outlet discards what was written.
pub struct Outlet {
    key: Key,
    upload: Box<dyn Upload>,
    position: u64,
    whole: Option<Sha256>,
    head_bytes: u64,
    /// The body's bytes within the segment where the head ends, and how many there can be.
    held: BytesMut,
    held_max: u64,
    body: Segments,
}

/// Digests of each [`SEGMENT_BYTES`] of what is pushed.
#[derive(Default)]
struct Segments {
    sha256: Sha256,
    check: Xxh3,
    filled: u64,
    digests: Vec<[u8; 32]>,
    checks: Vec<u128>,
}

impl Segments {
    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(clip(SEGMENT_BYTES - self.filled, bytes.len()));
            self.sha256.update(now);
            self.check.update(now);
            self.filled += now.len() as u64;
            if self.filled == SEGMENT_BYTES {
                self.end();
            }
            bytes = later;
        }
    }

    /// Ends the segment, unless it is empty.
    fn end(&mut self) {
        if self.filled > 0 {
            self.digests.push(self.sha256.finalize_reset().into());
            self.checks.push(self.check.digest128());
            self.check.reset();
            self.filled = 0;
        }
    }
}

impl Outlet {
    /// Begins an object whose bytes come in their order.
    pub async fn begin(store: &dyn Store, key: &Key, hint: SizeHint) -> Result<Self> {
        Self::open(store, key, hint, 0).await
    }

    /// Begins an object whose first `head_bytes` come last, with [`Outlet::finish_with`].
    pub async fn begin_after_head(store: &dyn Store, key: &Key, hint: SizeHint, head_bytes: u64) -> Result<Self> {
        Self::open(store, key, hint, head_bytes).await
    }

    async fn open(store: &dyn Store, key: &Key, hint: SizeHint, head_bytes: u64) -> Result<Self> {
        Ok(Self {
            key: key.clone(),
            upload: store.begin(key, hint, head_bytes).await?,
            position: head_bytes,
            whole: (head_bytes == 0).then(Sha256::new),
            head_bytes,
            held: BytesMut::new(),
            held_max: (SEGMENT_BYTES - head_bytes % SEGMENT_BYTES) % SEGMENT_BYTES,
            body: Segments::default(),
        })
    }

    /// Where the next byte will lie in the object; a reserved head is counted.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Appends bytes; waits while the store is slower.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.position += bytes.len() as u64;
        if let Some(whole) = &mut self.whole {
            whole.update(&bytes);
        }
        self.hash_segments(&bytes);
        self.upload.write(bytes).await
    }

    fn hash_segments(&mut self, bytes: &[u8]) {
        let free = self.held_max - self.held.len() as u64;
        let (held, rest) = bytes.split_at(clip(free, bytes.len()));
        self.held.extend_from_slice(held);
        self.body.push(rest);
    }

    /// Ends an object without a reserved head.
    pub async fn finish(self) -> Result<Receipt> {
        self.finish_with(Bytes::new()).await
    }

    /// Ends an object; `head` has the length that was reserved.
    pub async fn finish_with(mut self, head: Bytes) -> Result<Receipt> {
        // the segments that the head touches, then the others
        let mut all = Segments::default();
        all.push(&head);
        all.push(&self.held);
        all.end();
        self.body.end();
        all.digests.append(&mut self.body.digests);
        all.checks.append(&mut self.body.checks);
        let size = self.upload.finish(head).await?;
        if size != self.position {
            return Err(Error::new(ErrorKind::Store, format!("object \"{}\" has the wrong size", self.key))
                .detail(format!("{size} bytes in the store, {} were written", self.position)));
        }
        let sha256 = self.whole.map(|whole| whole.finalize().into());
        Ok(Receipt { key: self.key, size, sha256, segments: all.digests, checks: all.checks })
    }

    /// Discards the object and waits until the store has done so.
    pub async fn abort(self) -> Result<()> {
        self.upload.abort().await
    }

    /// How many bytes the head takes that [`Outlet::finish_with`] will be given.
    pub fn head_bytes(&self) -> u64 {
        self.head_bytes
    }
}

/// `wanted`, at most `available`.
fn clip(wanted: u64, available: usize) -> usize {
    usize::try_from(wanted).map_or(available, |wanted| wanted.min(available))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::MemoryStore;
    use crate::transfer::read_back;

    fn body(length: u64) -> Bytes {
        (0..length).map(|index| (index % 251) as u8).collect::<Vec<u8>>().into()
    }

    async fn write(store: &MemoryStore, head_bytes: u64, body: &Bytes, piece: usize) -> Receipt {
        let key = Key::new("a").unwrap();
        let mut outlet = Outlet::begin_after_head(store, &key, SizeHint::unknown(), head_bytes).await.unwrap();
        for chunk in body.chunks(piece) {
            outlet.write(Bytes::copy_from_slice(chunk)).await.unwrap();
        }
        assert_eq!(outlet.position(), head_bytes + body.len() as u64);
        outlet.finish_with(vec![7; head_bytes as usize].into()).await.unwrap()
    }

    #[tokio::test]
    async fn digests_are_those_of_the_final_bytes_wherever_the_head_ends() {
        let body = body(SEGMENT_BYTES + 1000);
        for head_bytes in [0, 1, 5000, SEGMENT_BYTES, SEGMENT_BYTES + 3] {
            let store = MemoryStore::new();
            let receipt = write(&store, head_bytes, &body, 700_001).await;
            assert_eq!(receipt.sha256.is_some(), head_bytes == 0);
            let shared: Arc<dyn Store> = Arc::new(store);
            let whole = read_back(&shared, &receipt).await.unwrap();
            let mut bytes = vec![7; head_bytes as usize];
            bytes.extend_from_slice(&body);
            assert_eq!(whole, <[u8; 32]>::from(Sha256::digest(&bytes)));
            assert!(receipt.sha256.is_none_or(|digest| digest == whole));
            let segments: Vec<[u8; 32]> =
                bytes.chunks(SEGMENT_BYTES as usize).map(|segment| Sha256::digest(segment).into()).collect();
            assert_eq!(receipt.segments, segments, "head of {head_bytes} bytes");
        }
    }

    #[tokio::test]
    async fn refuses_a_head_of_another_length() {
        let store = MemoryStore::new();
        let key = Key::new("a").unwrap();
        let outlet = Outlet::begin_after_head(&store, &key, SizeHint::unknown(), 4).await.unwrap();
        let error = outlet.finish_with(Bytes::from_static(b"abc")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Bug);
        assert_eq!(store.head(&key).await.unwrap(), None);
    }
}
