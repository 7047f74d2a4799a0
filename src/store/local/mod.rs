//! A store in a folder.
//!
//! Every file is written under a private name in its final folder, synchronised, renamed, and then its folder is
//! synchronised: a name that is there holds whole bytes, also after a power cut.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};

use super::key::PRIVATE;
use super::{
    Access, ByteStream, Key, ObjectInfo, PutMode, PutOutcome, SizeHint, Store, Swept, Upload, missing, out_of_range,
    replaced,
};
use crate::error::{Error, ErrorKind, Result};

mod fault;
mod upload;

use fault::{failed, failed_write};
use upload::{FileUpload, Temporary};

/// How much a read takes from the disk at once.
const READ_BYTES: usize = 1 << 20;

/// Objects as files below one folder. Only the owner may read them: they hold whole databases.
#[derive(Clone, Debug)]
pub struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    /// Opens the folder; with [`Access::Write`] it is made when it does not exist.
    pub async fn open(path: &Path, access: Access) -> Result<Self> {
        let root = path.to_owned();
        blocking(move || {
            match fs::metadata(&root) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => {
                    return Err(Error::new(ErrorKind::Store, format!("not a store: {}", root.display()))
                        .detail("it is a file")
                        .hint("A store is the folder that holds the backups, not one of its files."));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => match access {
                    Access::Read => {
                        return Err(Error::new(ErrorKind::Store, format!("no store at {}", root.display()))
                            .detail("the folder does not exist")
                            .hint("Check the path; the first backup makes the folder."));
                    }
                    Access::Write => make_folder(&root)?,
                },
                Err(error) => return Err(failed("could not open the store", &root, error)),
            }
            Ok(Self { root })
        })
        .await
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }
}

/// Runs file system work beside the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(ErrorKind::Bug, "a file task ended early").caused_by(error)),
    }
}

/// Makes a folder and those above it, each entry durable.
fn make_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
    {
        make_folder(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        Err(error) => return Err(failed_write("could not make the folder", path, 0, error)),
    }
    sync_folder(parent_of(path))
}

/// The folder that holds a path; a bare name lies in the current one.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes new names in a folder durable.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = fs::File::open(path).map_err(|error| failed("could not open the folder", path, error))?;
    match folder.sync_all() {
        Ok(()) => Ok(()),
        // some network and FUSE file systems cannot synchronise a folder; nothing more can be done there
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        Err(error) => Err(failed_write("could not synchronise the folder", path, 0, error)),
    }
}

/// A file and what a listing says of it.
struct Found {
    path: PathBuf,
    name: String,
    metadata: fs::Metadata,
    modified: DateTime<Utc>,
}

impl Found {
    fn object(&self) -> Option<ObjectInfo> {
        // files that no key can name were put there by somebody else
        let key = Key::new(self.name.as_str()).ok()?;
        (!key.is_private()).then(|| ObjectInfo {
            key,
            size: self.metadata.len(),
            modified: self.modified,
            tag: Some(tag_of(&self.metadata)),
        })
    }
}

/// What tells a file from the one that had its name before.
fn tag_of(metadata: &fs::Metadata) -> String {
    let (seconds, nanoseconds) = (metadata.mtime(), metadata.mtime_nsec());
    format!("{}-{}-{seconds}.{nanoseconds:09}", metadata.ino(), metadata.len())
}

fn modified_of(metadata: &fs::Metadata, path: &Path) -> Result<DateTime<Utc>> {
    metadata.modified().map(Into::into).map_err(|error| failed("could not look at", path, error))
}

/// Shows all files below a folder. Links are followed, as whoever writes follows them: what can be written under a name is found
/// under it. `above` are the folders that lead here, so that a link back to one of them ends.
fn walk(folder: &Path, name: &str, above: &mut Vec<(u64, u64)>, look: &mut dyn FnMut(Found)) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // a prune beside us may have removed it
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("could not list the folder", folder, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed("could not list the folder", folder, error))?;
        let path = entry.path();
        // a name that is no UTF-8 was not written by a store
        let Ok(file_name) = entry.file_name().into_string() else { continue };
        let name = if name.is_empty() { file_name } else { format!("{name}/{file_name}") };
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            // gone since, or a link to nothing or to itself
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
                    || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) =>
            {
                continue;
            }
            Err(error) => return Err(failed("could not look at", &path, error)),
        };
        if metadata.is_dir() {
            let own = (metadata.dev(), metadata.ino());
            if !above.contains(&own) {
                above.push(own);
                walk(&path, &name, above, look)?;
                above.pop();
            }
        } else if metadata.is_file() {
            let modified = modified_of(&metadata, &path)?;
            look(Found { path, name, metadata, modified });
        }
    }
    Ok(())
}

/// The files whose names begin with `prefix`, only looking into the folder that they must lie in.
fn walk_prefix(root: &Path, prefix: &str) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    each(root, prefix, &mut |file| found.push(file))?;
    Ok(found)
}

fn each(root: &Path, prefix: &str, look: &mut dyn FnMut(Found)) -> Result<()> {
    let mut look = |file: Found| {
        if file.name.starts_with(prefix) {
            look(file);
        }
    };
    match prefix.rsplit_once('/') {
        // a prefix that is no usable name has no objects below it
        Some((folder, _)) => {
            if Key::new(folder).is_ok() {
                walk(&root.join(folder), folder, &mut Vec::new(), &mut look)?;
            }
        }
        None => walk(root, "", &mut Vec::new(), &mut look)?,
    }
    Ok(())
}

#[async_trait]
impl Store for LocalStore {
    fn describe(&self) -> String {
        self.root.display().to_string()
    }

    fn is_local(&self) -> bool {
        true
    }

    fn spool_folder(&self) -> Option<PathBuf> {
        Some(self.root.clone())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let (root, prefix) = (self.root.clone(), prefix.to_owned());
        blocking(move || {
            let mut objects = Vec::new();
            each(&root, &prefix, &mut |file| objects.extend(file.object()))?;
            objects.sort_by(|left, right| left.key.cmp(&right.key));
            Ok(objects)
        })
        .await
    }

    async fn visit(&self, prefix: &str, look: &mut (dyn FnMut(ObjectInfo) + Send)) -> Result<()> {
        const WAITING: usize = 64;
        let (root, prefix) = (self.root.clone(), prefix.to_owned());
        let (sender, mut found) = tokio::sync::mpsc::channel(WAITING);
        let walking = blocking(move || {
            each(&root, &prefix, &mut |file| {
                if let Some(object) = file.object() {
                    // nobody looks any more
                    let _ = sender.blocking_send(object);
                }
            })
        });
        let looking = async {
            while let Some(object) = found.recv().await {
                look(object);
            }
        };
        tokio::join!(walking, looking).0
    }

    async fn head(&self, key: &Key) -> Result<Option<ObjectInfo>> {
        let (path, key) = (self.path(key), key.clone());
        blocking(move || match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {
                let modified = modified_of(&metadata, &path)?;
                Ok(Some(ObjectInfo { key, size: metadata.len(), modified, tag: Some(tag_of(&metadata)) }))
            }
            Ok(_) => Ok(None),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(failed("could not look at", &path, error)),
        })
        .await
    }

    async fn fetch(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream> {
        let Some(object) = self.head(key).await? else { return Err(missing(self, key)) };
        let range = range.unwrap_or(0..object.size);
        self.fetch_same(&object, range).await
    }

    async fn fetch_same(&self, object: &ObjectInfo, range: Range<u64>) -> Result<ByteStream> {
        if range.start > range.end || range.end > object.size {
            return Err(out_of_range(&object.key, &range, object.size));
        }
        let path = self.path(&object.key);
        let (opened, object) = (path.clone(), object.clone());
        let file = blocking(move || {
            let fail = |error| failed("could not open", &opened, error);
            let file = fs::File::open(&opened).map_err(fail)?;
            let found = tag_of(&file.metadata().map_err(fail)?);
            // from here on the file is the same one whatever happens to its name
            if object.tag.is_some_and(|tag| tag != found) { Err(replaced(&object.key)) } else { Ok(file) }
        })
        .await?;
        let bytes = stream::try_unfold((file, range), move |(file, range)| {
            let path = path.clone();
            async move {
                if range.is_empty() {
                    return Ok(None);
                }
                blocking(move || {
                    let wanted = usize::try_from(range.end - range.start).unwrap_or(READ_BYTES).min(READ_BYTES);
                    let mut chunk = BytesMut::zeroed(wanted);
                    file.read_exact_at(&mut chunk, range.start)
                        .map_err(|error| failed("could not read", &path, error))?;
                    let next = range.start + wanted as u64..range.end;
                    Ok(Some((chunk.freeze(), (file, next))))
                })
                .await
            }
        });
        Ok(bytes.boxed())
    }

    async fn put(&self, key: &Key, bytes: Bytes, mode: PutMode) -> Result<PutOutcome> {
        let path = self.path(key);
        blocking(move || {
            let mut file = Temporary::create(&path)?;
            file.append(&bytes)?;
            match mode {
                PutMode::Overwrite => file.publish().map(|()| PutOutcome::Stored),
                PutMode::CreateOnly => file.publish_new(),
            }
        })
        .await
    }

    async fn begin(&self, key: &Key, _hint: SizeHint, head_bytes: u64) -> Result<Box<dyn Upload>> {
        let (path, key) = (self.path(key), key.clone());
        blocking(move || Ok(Box::new(FileUpload::create(key, &path, head_bytes)?) as Box<dyn Upload>)).await
    }

    async fn delete(&self, keys: &[Key]) -> Result<()> {
        let (root, paths) = (self.root.clone(), keys.iter().map(|key| self.path(key)).collect::<Vec<_>>());
        blocking(move || {
            let mut first = Ok(());
            for path in &paths {
                let removed = match fs::remove_file(path) {
                    Ok(()) => sync_folder(parent_of(path)),
                    Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                        Ok(())
                    }
                    Err(error) => Err(failed("could not remove", path, error)),
                };
                first = first.and(removed);
            }
            remove_empty_folders(&root, &paths);
            first
        })
        .await
    }

    async fn sweep(&self, prefix: &str, older_than: DateTime<Utc>) -> Result<Vec<Swept>> {
        let (root, prefix) = (self.root.clone(), prefix.to_owned());
        blocking(move || {
            let mut swept = Vec::new();
            let mut paths = Vec::new();
            for file in walk_prefix(&root, &prefix)? {
                let is_private = file.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PRIVATE));
                if is_private && file.modified < older_than {
                    match fs::remove_file(&file.path) {
                        Ok(()) => {}
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        Err(error) => return Err(failed("could not remove", &file.path, error)),
                    }
                    swept.push(Swept { name: file.name, modified: file.modified });
                    paths.push(file.path);
                }
            }
            remove_empty_folders(&root, &paths);
            Ok(swept)
        })
        .await
    }

    async fn abandon_open(&self) -> Result<usize> {
        // a dropped upload has removed its temporary file already
        Ok(0)
    }

    async fn keeps_create_only(&self) -> Result<bool> {
        Ok(true)
    }
}

/// Removes the folders that became empty, up to the store's own.
fn remove_empty_folders(root: &Path, paths: &[PathBuf]) {
    for path in paths {
        for folder in path.ancestors().skip(1).take_while(|folder| *folder != root && folder.starts_with(root)) {
            // not empty, or removed before: both end the climb, and an empty folder left behind harms nothing
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }
}
