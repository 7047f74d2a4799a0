//! Bytes that wait until their number is known.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, ErrorKind, Result};

/// So many bytes stay in memory; the file gets them in pieces of this size.
const HELD_MAX: usize = 4 << 20;

/// The file is read in pieces of this size.
const READ_BYTES: usize = 1 << 20;

/// Takes bytes, tells how many there are, and gives them back in their order. What is more than a few MiB lies in a file without
/// a name, which is gone with the value or with the process.
pub struct Spool {
    folder: PathBuf,
    file: Option<File>,
    /// How many bytes the file has, and how many of them were given back.
    filed: u64,
    read: u64,
    /// Of the file's bytes, as they were written and as they are read.
    written: Xxh3,
    found: Xxh3,
    /// What comes behind the file's bytes.
    held: BytesMut,
}

impl Spool {
    /// An empty one, whose file would lie in this folder.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            file: None,
            filed: 0,
            read: 0,
            written: Xxh3::new(),
            found: Xxh3::new(),
            held: BytesMut::new(),
        }
    }

    /// How many bytes are left in it.
    pub fn size(&self) -> u64 {
        self.filed - self.read + self.held.len() as u64
    }

    /// Appends bytes.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.held.extend_from_slice(&bytes);
        if self.held.len() < HELD_MAX {
            return Ok(());
        }
        let (bytes, folder, file) = (self.held.split().freeze(), self.folder.clone(), self.file.take());
        self.written.update(&bytes);
        self.filed += bytes.len() as u64;
        let work = move || {
            let mut file = file.map_or_else(|| nameless(&folder), Ok)?;
            file.write_all(&bytes)?;
            Ok(file)
        };
        self.file = Some(blocking(work).await?.map_err(|error| self.failed("write", error))?);
        Ok(())
    }

    /// The next bytes, never empty; `None` when all were given back. Nothing may be written any more.
    ///
    /// Fails when the file has other bytes than were written to it.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let left = self.filed - self.read;
        let Some(file) = self.file.take().filter(|_| left > 0) else {
            return Ok((!self.held.is_empty()).then(|| self.held.split().freeze()));
        };
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(READ_BYTES);
        let place = self.read;
        let work = move || {
            let mut piece = vec![0; length];
            file.read_exact_at(&mut piece, place)?;
            Ok((file, piece))
        };
        let (file, piece) = blocking(work).await?.map_err(|error| self.failed("read", error))?;
        self.found.update(&piece);
        self.read += length as u64;
        if self.read < self.filed {
            self.file = Some(file);
        } else if self.found.digest128() != self.written.digest128() {
            let message = format!("a temporary file in {} reads back differently", self.folder.display());
            return Err(Error::new(ErrorKind::Damage, message).hint("Check the disk and the memory of this machine."));
        }
        Ok(Some(piece.into()))
    }

    fn failed(&self, doing: &str, error: io::Error) -> Error {
        Error::new(ErrorKind::Disk, format!("could not {doing} a temporary file in {}", self.folder.display()))
            .detail(format!("{error}, at {} bytes or before", self.filed))
            .hint("Each table of a tar archive goes through such a file; make room there, or use -F custom.")
    }
}

/// A file that only this process can reach. It may hold rows, so nobody else may read it while it still has a name.
fn nameless(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!(".{:016x}.tmp", rand::random::<u64>()));
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<io::Result<T>> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Bug, "a file task ended early").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn drained(spool: &mut Spool) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(bytes) = spool.next().await.unwrap() {
            assert!(!bytes.is_empty());
            all.extend_from_slice(&bytes);
        }
        all
    }

    #[tokio::test]
    async fn gives_back_what_it_got_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        for length in [0, 1, HELD_MAX - 1, HELD_MAX, 2 * HELD_MAX + 7] {
            let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
            let mut spool = Spool::new(folder.path());
            for chunk in bytes.chunks(700_001) {
                spool.write(Bytes::copy_from_slice(chunk)).await.unwrap();
            }
            assert_eq!(spool.size(), length as u64);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
            assert!(drained(&mut spool).await == bytes, "{length}");
            assert_eq!(spool.size(), 0);
        }
    }

    #[tokio::test]
    async fn a_file_that_changes_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::new(folder.path());
        spool.write(vec![7; HELD_MAX].into()).await.unwrap();
        spool.file.as_ref().unwrap().write_all_at(b"x", 5).unwrap();
        let mut result = spool.next().await;
        while matches!(result, Ok(Some(_))) {
            result = spool.next().await;
        }
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Damage);
    }

    #[tokio::test]
    async fn a_folder_without_room_is_named() {
        let mut spool = Spool::new(Path::new("/nowhere"));
        let error = spool.write(vec![0; HELD_MAX].into()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Disk);
        assert!(error.message().contains("/nowhere"), "{error}");
    }
}
