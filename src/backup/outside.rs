//! An archive's place outside of any store: a regular file, which is replaced as a whole, or something that is written into.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::Place;
use super::target::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Format;
use crate::store::{Access, Key, LocalStore, Store};

/// As many links as the kernel follows.
const LINKS_MAX: usize = 40;

/// What a path leads to.
enum Found {
    /// A regular file, a directory, or nothing yet: no link.
    Name(PathBuf),
    /// A device, a FIFO, or a descriptor of this process: never replaced, only opened.
    Open(PathBuf),
}

/// Finds out where an archive goes that is to be written to this path. Links lead where they point to; what is no regular file
/// is opened and written in order, as every other program does.
pub(super) async fn place(path: &Path, format: Format) -> Result<Place> {
    let asked = path.to_owned();
    let found = blocking(move || follow(&asked)).await?;
    let found = found.map_err(|error| unusable(path, &error.to_string()))?;
    match found {
        Found::Name(name) => file(path, &name, format).await,
        Found::Open(_) if format == Format::Directory => Err(unusable(path, "it is no directory")),
        Found::Open(name) => {
            let opened = blocking(move || fs::File::options().write(true).truncate(true).open(&name)).await?;
            let opened = opened.map_err(|error| {
                Error::new(ErrorKind::Disk, format!("could not open \"{}\"", path.display())).caused_by(error)
            })?;
            let name = format!("\"{}\"", path.display());
            Ok(Place::Stream(Stream::new(name, tokio::fs::File::from_std(opened))))
        }
    }
}

fn follow(path: &Path) -> io::Result<Found> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let is_special = match fs::metadata(&path) {
            Ok(metadata) => !metadata.is_file() && !metadata.is_dir(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        // the names there are descriptors: what stands behind one may have no name, or another file may have it now
        if is_special || fs::canonicalize(&parent).is_ok_and(|parent| parent.starts_with("/proc")) {
            return Ok(Found::Open(path));
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => path = parent.join(fs::read_link(&path)?),
            Ok(_) | Err(_) => return Ok(Found::Name(path)),
        }
    }
    Err(io::Error::from(rustix::io::Errno::LOOP))
}

/// A file's folder as a store, so that a file outside a store is written as carefully as one inside.
async fn file(asked: &Path, path: &Path, format: Format) -> Result<Place> {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| unusable(asked, "the path has no usable file name"))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let store = LocalStore::open(parent, Access::Read).await?;
    let key = Key::new(name).map_err(|error| unusable(asked, error.detail_text().unwrap_or_default()))?;
    let is_taken = match format {
        // pg_dump writes over a file, and into an empty directory
        Format::Custom | Format::Tar | Format::Plain => path.is_dir(),
        Format::Directory => path.is_file() || !store.list(&format!("{key}/")).await?.is_empty(),
    };
    if is_taken { Err(unusable(asked, "something else is there")) } else { Ok(Place::Store(Arc::new(store), key)) }
}

fn unusable(path: &Path, detail: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("cannot write the archive to \"{}\"", path.display())).detail(detail)
}

/// Opening a FIFO waits for its reader.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Bug, "a file task ended early").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &Path) -> (bool, PathBuf) {
        match follow(path).unwrap() {
            Found::Name(path) => (false, path),
            Found::Open(path) => (true, path),
        }
    }

    #[test]
    fn links_lead_to_what_they_name_and_devices_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "x").unwrap();
        std::os::unix::fs::symlink("file", at("link")).unwrap();
        std::os::unix::fs::symlink("link", at("link to link")).unwrap();
        std::os::unix::fs::symlink("none", at("dangling")).unwrap();
        std::os::unix::fs::symlink("/dev/null", at("null")).unwrap();
        std::os::unix::fs::symlink("loop", at("loop")).unwrap();
        for (name, leads_to) in
            [("file", "file"), ("none", "none"), ("link", "file"), ("link to link", "file"), ("dangling", "none")]
        {
            assert_eq!(shown(&at(name)), (false, at(leads_to)), "{name}");
        }
        assert_eq!(shown(&at("null")), (true, at("null")));
        assert!(shown(Path::new("/dev/null")).0);
        assert!(shown(Path::new("/dev/fd/1")).0);
        assert!(shown(Path::new("/proc/self/fd/1")).0);
        assert!(follow(&at("loop")).is_err());
    }
}
