//! One file of a backup: there, readable, of its size, of its checksum. What it holds is decoded in the same pass.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::codec::compress::{Algorithm, Shape};
use crate::error::{Error, ErrorKind, Result};
use crate::manifest;
use crate::reader::Pump;
use crate::store::{ByteStream, Key, Store};
use crate::transfer::Inlet;

use super::outcome::LevelReport;
use super::tee::{Digests, Meter, tee};
use super::{FindingKind, Level};

/// Segments that are read again when they do not match, to tell a bad file from a bad way to it.
const SECOND_READS: usize = 8;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Which file, and what is known of it.
pub(super) struct Subject<'a> {
    pub(super) store: &'a Arc<dyn Store>,
    pub(super) key: Key,
    /// As findings call it: its path in the backup.
    pub(super) name: &'a str,
    /// What the manifest says; a bare archive has none.
    pub(super) expected: Option<&'a manifest::File>,
    pub(super) meter: &'a Meter<'a>,
}

/// Reads a file once: hands its bytes to `consume`, which reads them to their end, and compares size and checksums.
///
/// `None` when the file is missing or cannot be read; the report then says so. Fails when the store itself fails.
pub(super) async fn read<T>(
    subject: &Subject<'_>,
    report: &mut LevelReport,
    consume: impl AsyncFnOnce(ByteStream) -> Result<T>,
) -> Result<Option<T>> {
    if subject.store.head(&subject.key).await?.is_none() {
        report.find(FindingKind::FileMissing, subject.name, format!("it should lie at \"{}\"", subject.key));
        return Ok(None);
    }
    let inlet = Inlet::open(Arc::clone(subject.store), &subject.key).await?;
    let segment_size = subject.expected.map_or(0, |file| file.segment_size);
    let (stream, hashing) = tee(inlet.stream_ahead(0..inlet.size()), segment_size);
    let (stream, counted) = count(stream);
    match watch(consume(stream), &counted, subject.meter).await {
        Ok(value) => {
            let digests = hashing
                .await
                .map_err(|error| Error::new(ErrorKind::Bug, "a hashing thread failed").caused_by(error))?;
            report.checked("files", 1_u64);
            report.checked("bytes", digests.size);
            if let Some(expected) = subject.expected {
                compare(subject, &inlet, expected, &digests, report).await?;
            }
            Ok(Some(value))
        }
        Err(error) => {
            unreadable(subject, error, report).await?;
            Ok(None)
        }
    }
}

fn count(stream: ByteStream) -> (ByteStream, Arc<AtomicU64>) {
    let counted = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&counted);
    let stream = stream.inspect_ok(move |bytes| {
        counter.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    });
    (stream.boxed(), counted)
}

/// Tells the progress from time to time while `work` goes on.
async fn watch<T>(work: impl Future<Output = T>, counted: &AtomicU64, meter: &Meter<'_>) -> T {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(TELL_EVERY);
    let mut told = 0;
    loop {
        let done = tokio::select! {
            result = &mut work => Some(result),
            _ = ticks.tick() => None,
        };
        let now = counted.load(Ordering::Relaxed);
        meter.add(now - told);
        told = now;
        if let Some(result) = done {
            return result;
        }
    }
}

/// A file that cannot be read is a finding; a store that cannot be reached is an error.
async fn unreadable(subject: &Subject<'_>, error: Error, report: &mut LevelReport) -> Result<()> {
    match error.kind() {
        ErrorKind::Store | ErrorKind::Throttled | ErrorKind::Disk | ErrorKind::Archive => {}
        ErrorKind::Bug
        | ErrorKind::Usage
        | ErrorKind::Config
        | ErrorKind::Damage
        | ErrorKind::Partial
        | ErrorKind::Refused
        | ErrorKind::Connect
        | ErrorKind::Server
        | ErrorKind::Decrypt
        | ErrorKind::Locked
        | ErrorKind::Authentication
        | ErrorKind::NoDatabase
        | ErrorKind::RowSecurity
        | ErrorKind::NoBucket
        | ErrorKind::Interrupted => return Err(error),
    }
    match subject.store.head(&subject.key).await {
        Ok(Some(_)) => {
            let detail = format!("{}: {}", error.message(), error.detail_text().unwrap_or("no detail"));
            report.find(FindingKind::FileUnreadable, subject.name, detail);
            Ok(())
        }
        Ok(None) => {
            report.find(FindingKind::FileMissing, subject.name, "it disappeared while it was read");
            Ok(())
        }
        Err(_) => Err(error),
    }
}

async fn compare(
    subject: &Subject<'_>,
    inlet: &Inlet,
    expected: &manifest::File,
    digests: &Digests,
    report: &mut LevelReport,
) -> Result<()> {
    if digests.size != expected.size {
        let detail = format!("{} bytes, the manifest says {}", digests.size, expected.size);
        report.find(FindingKind::FileSize, subject.name, detail);
        return Ok(());
    }
    let segments = expected.segments.iter().zip(&digests.segments).enumerate();
    let wrong: Vec<usize> = segments.filter(|(_, (one, other))| one.0 != **other).map(|(index, _)| index).collect();
    let same_length = expected.segments.len() == digests.segments.len() || expected.segment_size == 0;
    if expected.sha256.0 == digests.whole && wrong.is_empty() && same_length {
        return Ok(());
    }
    let place = |index: usize| {
        let begin = (index as u64).saturating_mul(expected.segment_size);
        begin..begin.saturating_add(expected.segment_size).min(expected.size)
    };
    for index in wrong.iter().copied().take(SECOND_READS) {
        let again = digest_of(inlet, place(index)).await?;
        if expected.segments.get(index).is_some_and(|segment| segment.0 == again) {
            let range = place(index);
            let detail =
                format!("bytes {} to {} were wrong at first and right when read again", range.start, range.end);
            report.find(FindingKind::FileUnstable, subject.name, detail);
            return Ok(());
        }
    }
    let places: Vec<String> = wrong
        .iter()
        .take(SECOND_READS)
        .map(|index| place(*index))
        .map(|range| format!("{} to {}", range.start, range.end))
        .collect();
    let detail = match (places.is_empty(), wrong.len() > places.len()) {
        (true, _) => "its SHA-256 is not that of the manifest".to_owned(),
        (false, false) => format!("the change is within bytes {}", places.join(", ")),
        (false, true) => {
            format!("changes are within bytes {} and {} more places", places.join(", "), wrong.len() - places.len())
        }
    };
    report.find(FindingKind::FileChecksum, subject.name, detail);
    Ok(())
}

async fn digest_of(inlet: &Inlet, range: Range<u64>) -> Result<[u8; 32]> {
    let mut digest = crate::codec::digest::Sha256::new();
    let mut stream = inlet.stream(range);
    while let Some(bytes) = stream.try_next().await? {
        digest.push(&bytes);
    }
    Ok(digest.finish())
}

/// Reads to the end and keeps nothing.
pub(super) async fn drain(mut stream: ByteStream) -> Result<()> {
    while stream.try_next().await?.is_some() {}
    Ok(())
}

/// Reads a file that is needed in memory; `None` when it has more than `limit` bytes.
pub(super) async fn collect(mut stream: ByteStream, limit: usize) -> Result<Option<Vec<u8>>> {
    let mut all = Vec::new();
    let mut fits = true;
    while let Some(bytes) = stream.try_next().await? {
        fits = fits && all.len() + bytes.len() <= limit;
        if fits {
            all.extend_from_slice(&bytes);
        }
    }
    Ok(fits.then_some(all))
}

/// Decompresses a file and hands its content to `take`. The inner error is damage: the content's, or what `take` said of
/// it. The file is read to its end in any case, so that its checksum can be told.
pub(super) async fn decompress(
    mut stream: ByteStream,
    algorithm: Algorithm,
    mut take: impl FnMut(&Bytes) -> Result<(), String>,
) -> Result<Result<(), String>> {
    let mut pump = Some(match Pump::new(algorithm, Shape::File) {
        Ok(pump) => pump,
        Err(error) => return Ok(Err(error.to_string())),
    });
    let mut result = Ok(());
    while let Some(bytes) = stream.try_next().await? {
        let Some(active) = &mut pump else { continue };
        active.feed(bytes);
        loop {
            match active.take().map_err(|error| error.to_string()) {
                Ok(Some(bytes)) => result = take(&bytes),
                Ok(None) => break,
                Err(problem) => result = Err(problem),
            }
            if result.is_err() {
                pump = None;
                break;
            }
        }
    }
    match pump {
        Some(pump) if result.is_ok() => Ok(pump.finish().map_err(|error| error.to_string())),
        Some(_) | None => Ok(result),
    }
}

/// The level that files belong to.
pub(super) fn report() -> LevelReport {
    LevelReport::new(Level::Files)
}
