//! Hashes a file beside whoever reads it, so that one pass over the bytes serves every level.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::{Error, ErrorKind};
use crate::event::{Event, Progress, Sink};
use crate::store::ByteStream;

/// Pieces that wait for the hashing thread; they have at most 4 MiB.
const WAITING: usize = 3;

/// What was read of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digests {
    pub(super) size: u64,
    pub(super) whole: [u8; 32],
    /// Of each segment; none when the manifest has none.
    pub(super) segments: Vec<[u8; 32]>,
}

/// Counts what all files together have given, and tells it.
pub(super) struct Meter<'a> {
    read: AtomicU64,
    total: Option<u64>,
    sink: &'a dyn Sink,
}

impl<'a> Meter<'a> {
    pub(super) fn new(total: Option<u64>, sink: &'a dyn Sink) -> Self {
        Self { read: AtomicU64::new(0), total, sink }
    }

    pub(super) fn add(&self, bytes: u64) {
        if bytes > 0 {
            let bytes = self.read.fetch_add(bytes, Ordering::Relaxed) + bytes;
            self.sink.event(Event::Progress(Progress { bytes, bytes_total: self.total, ..Progress::default() }));
        }
    }
}

/// The same bytes, and beside them their digests, which come when the stream was read to its end and dropped.
pub(super) fn tee(stream: ByteStream, segment_size: u64) -> (ByteStream, JoinHandle<Digests>) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(WAITING);
    let hashing = tokio::task::spawn_blocking(move || {
        let mut hasher = Hasher::new(segment_size);
        while let Some(bytes) = receiver.blocking_recv() {
            hasher.push(&bytes);
        }
        hasher.finish()
    });
    let stream = stream.and_then(move |bytes| {
        let sender = sender.clone();
        async move {
            // the thread ends only after its last sender
            sender.send(bytes.clone()).await.map_err(|_| Error::new(ErrorKind::Bug, "a hashing thread ended early"))?;
            Ok(bytes)
        }
    });
    (stream.boxed(), hashing)
}

struct Hasher {
    size: u64,
    whole: Sha256,
    segment: Sha256,
    segment_size: u64,
    filled: u64,
    segments: Vec<[u8; 32]>,
}

impl Hasher {
    fn new(segment_size: u64) -> Self {
        Self { size: 0, whole: Sha256::new(), segment: Sha256::new(), segment_size, filled: 0, segments: Vec::new() }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.whole.update(bytes);
        if self.segment_size == 0 {
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = usize::try_from(self.segment_size - self.filled).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.segment.update(now);
            self.filled += now.len() as u64;
            if self.filled == self.segment_size {
                self.segments.push(self.segment.finalize_reset().into());
                self.filled = 0;
            }
            rest = later;
        }
    }

    fn finish(mut self) -> Digests {
        if self.filled > 0 {
            self.segments.push(self.segment.finalize_reset().into());
        }
        Digests { size: self.size, whole: self.whole.finalize().into(), segments: self.segments }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    #[tokio::test]
    async fn hashes_the_whole_and_the_segments() {
        let pieces = ["abc", "", "de", "fghij"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        let (stream, hashing) = tee(stream::iter(pieces).boxed(), 4);
        let read: Vec<Bytes> = stream.try_collect().await.unwrap();
        assert_eq!(read.concat(), b"abcdefghij");
        let digests = hashing.await.unwrap();
        let of = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
        let segments = vec![of("abcd"), of("efgh"), of("ij")];
        assert_eq!(digests, Digests { size: 10, whole: of("abcdefghij"), segments });
    }
}
