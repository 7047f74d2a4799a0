//! A file on its way: a private name first, the real one when every byte is on the disk.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::super::key::PRIVATE;
use super::super::memory::check_head;
use super::super::{Key, PutOutcome, Upload};
use super::{blocking, failed, failed_write, make_folder, parent_of, sync_folder};
use crate::error::{Error, ErrorKind, Result};

/// Writes smaller than this are gathered, so that a small piece does not cost a thread hand-over and a system call.
const GATHER_BYTES: usize = 1 << 20;

/// A file under a private name. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Temporary {
    file: File,
    path: PathBuf,
    target: PathBuf,
    written: u64,
    published: bool,
}

impl Temporary {
    /// Makes the folder where needed and the file in it.
    pub(super) fn create(target: &Path) -> Result<Self> {
        let folder = parent_of(target);
        make_folder(folder)?;
        let path = folder.join(format!("{PRIVATE}{:016x}.tmp", rand::random::<u64>()));
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed_write("could not create", &path, 0, error))?;
        Ok(Self { file, path, target: target.to_owned(), written: 0, published: false })
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(|error| failed_write("could not write", &self.target, bytes.len() as u64, error))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// A failed fsync is final: the kernel may have dropped the pages and marked them clean, so that a second call
    /// would succeed without the bytes being on the disk.
    fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|error| failed_write("could not synchronise", &self.target, self.written, error))
    }

    /// Gives the file its name, over an older one.
    pub(super) fn publish(mut self) -> Result<()> {
        self.sync()?;
        fs::rename(&self.path, &self.target)
            .map_err(|error| failed_write("could not rename to", &self.target, 0, error))?;
        self.published = true;
        sync_folder(parent_of(&self.target))
    }

    /// Gives the file its name if nobody has it.
    pub(super) fn publish_new(mut self) -> Result<PutOutcome> {
        self.sync()?;
        match fs::hard_link(&self.path, &self.target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(PutOutcome::Exists),
            Err(error)
                if matches!(
                    error.raw_os_error().map(rustix::io::Errno::from_raw_os_error),
                    Some(NO_LINK_PERMISSION | NO_LINK_SUPPORT)
                ) =>
            {
                return self.copy_new();
            }
            Err(error) => return Err(failed_write("could not link", &self.target, 0, error)),
        }
        // the private name goes with the drop
        sync_folder(parent_of(&self.target))?;
        Ok(PutOutcome::Stored)
    }

    /// For file systems without hard links (FAT, some network shares): the name itself is made exclusively. A crash in
    /// the middle leaves a short file there, which a reader of manifests finds unreadable.
    fn copy_new(&mut self) -> Result<PutOutcome> {
        let mut file = match File::options().write(true).create_new(true).mode(0o600).open(&self.target) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(PutOutcome::Exists),
            Err(error) => return Err(failed_write("could not create", &self.target, 0, error)),
        };
        let copied = fs::read(&self.path)
            .and_then(|bytes| file.write_all(&bytes))
            .and_then(|()| file.sync_all())
            .map_err(|error| failed_write("could not write", &self.target, self.written, error));
        if let Err(error) = copied {
            // the error that is returned matters more than one of the removal
            drop(fs::remove_file(&self.target));
            return Err(error);
        }
        sync_folder(parent_of(&self.target))?;
        Ok(PutOutcome::Stored)
    }
}

const NO_LINK_PERMISSION: rustix::io::Errno = rustix::io::Errno::PERM;
const NO_LINK_SUPPORT: rustix::io::Errno = rustix::io::Errno::OPNOTSUPP;

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.published {
            // nothing can be told from here; the next run's sweep removes what stays
            drop(fs::remove_file(&self.path));
        }
    }
}

/// A file that is written piece by piece.
pub(super) struct FileUpload {
    key: Key,
    /// `None` while a task has it, and for good when that task failed.
    file: Option<Temporary>,
    gathered: BytesMut,
    head_bytes: u64,
}

impl FileUpload {
    pub(super) fn create(key: Key, target: &Path, head_bytes: u64) -> Result<Self> {
        let mut file = Temporary::create(target)?;
        if head_bytes > 0 {
            io::Seek::seek(&mut file.file, io::SeekFrom::Start(head_bytes))
                .map_err(|error| failed("could not seek in", target, error))?;
            file.written = head_bytes;
        }
        Ok(Self { key, file: Some(file), gathered: BytesMut::new(), head_bytes })
    }

    fn take(&mut self) -> Result<Temporary> {
        self.file.take().ok_or_else(|| {
            Error::new(ErrorKind::Bug, format!("\"{}\" is written after a failure", self.key))
                .detail("the first error was not heeded")
        })
    }

    async fn flush(&mut self, bytes: Bytes) -> Result<()> {
        let mut file = self.take()?;
        let file = blocking(move || {
            file.append(&bytes)?;
            Ok(file)
        })
        .await?;
        self.file = Some(file);
        Ok(())
    }
}

#[async_trait]
impl Upload for FileUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.len() >= GATHER_BYTES && self.gathered.is_empty() {
            return self.flush(bytes).await;
        }
        self.gathered.extend_from_slice(&bytes);
        if self.gathered.len() >= GATHER_BYTES {
            let gathered = self.gathered.split().freeze();
            return self.flush(gathered).await;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>, head: Bytes) -> Result<u64> {
        check_head(&self.key, self.head_bytes, &head)?;
        let rest = self.gathered.split().freeze();
        let mut file = self.take()?;
        blocking(move || {
            file.append(&rest)?;
            file.file
                .write_all_at(&head, 0)
                .map_err(|error| failed_write("could not write", &file.target, head.len() as u64, error))?;
            let size = file.written;
            file.publish()?;
            Ok(size)
        })
        .await
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        let file = self.file.take();
        blocking(move || {
            drop(file);
            Ok(())
        })
        .await
    }
}
