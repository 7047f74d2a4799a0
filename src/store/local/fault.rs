//! What a failed file operation is called.

use std::io;
use std::path::Path;

use super::parent_of;
use crate::error::{Error, ErrorKind};

/// An operation that needs no space failed.
pub(super) fn failed(doing: &str, path: &Path, error: io::Error) -> Error {
    let message = format!("{doing} {}", path.display());
    if error.kind() == io::ErrorKind::PermissionDenied {
        return Error::new(ErrorKind::Store, message)
            .hint("Backups are readable by their owner only; run as the user who made the store.")
            .caused_by(error);
    }
    let failure = Error::new(ErrorKind::Disk, message);
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return failure.hint("The file became shorter while it was read; something else changes it.").caused_by(error);
    }
    failure.caused_by(error)
}

/// A write or a synchronisation failed; `needed` is what was to be written, in bytes.
pub(super) fn failed_write(doing: &str, path: &Path, needed: u64, error: io::Error) -> Error {
    let is_full =
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge);
    if !is_full {
        return failed(doing, path, error);
    }
    let free = match free_bytes(parent_of(path)) {
        Some(bytes) => format!("{bytes} bytes free"),
        None => "free space unknown".to_owned(),
    };
    Error::new(ErrorKind::Disk, format!("{doing} {}", path.display()))
        .detail(format!("{error}: {needed} more bytes needed, {free}"))
        .hint("Make room, or write to another store; what was written of this backup is removed.")
}

/// What an ordinary user may still write on the file system of a folder.
fn free_bytes(folder: &Path) -> Option<u64> {
    let status = rustix::fs::statvfs(folder).ok()?;
    status.f_bavail.checked_mul(status.f_frsize)
}
