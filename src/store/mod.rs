//! Where backups lie: a folder, a bucket, or memory in tests. Objects with relative names, written once and whole.
//!
//! A store knows nothing of backups: it keeps bytes under a [`Key`], shows an object only when it is complete and durable,
//! and cleans up what an interrupted writer left. [`lease`] keeps two writers of one database apart.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};

#[cfg(test)]
mod contract;
mod fault;
mod key;
pub mod lease;
mod local;
mod location;
mod memory;
#[cfg(feature = "s3")]
mod s3;
mod settings;
#[cfg(test)]
mod tests;

pub use fault::{Fault, FaultStore};
pub use key::{Key, decode_component, encode_component};
pub use local::LocalStore;
pub use location::Location;
pub use memory::MemoryStore;
#[cfg(feature = "s3")]
pub use s3::S3Store;
pub use settings::{Addressing, ChecksumMode, Listener, RetryPolicy, Settings};

/// One object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, by the store's own clock.
    pub modified: DateTime<Utc>,
    /// What it is recognised by: another object under the same name has another one. `None` where the store has no such thing.
    pub tag: Option<String>,
}

/// What happens when the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// Nothing is changed and [`PutOutcome::Exists`] is returned.
    ///
    /// Some S3 servers ignore this condition and overwrite; [`Store::keeps_create_only`] finds out.
    CreateOnly,
    /// The object is replaced in one step: readers see the old or the new one.
    Overwrite,
}

/// What a put did.
#[must_use = "a create-only put may find the name taken"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The object is stored and durable.
    Stored,
    /// The name was taken; nothing was changed.
    Exists,
}

/// How large an object will become, as far as one knows. It decides the size of the parts, and so the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeHint {
    /// The expected size in bytes.
    pub expected: Option<u64>,
}

impl SizeHint {
    /// Nothing is known.
    pub const fn unknown() -> Self {
        Self { expected: None }
    }

    /// About this many bytes; a number that is too large costs memory, one that is far too small costs uniform parts.
    pub const fn about(bytes: u64) -> Self {
        Self { expected: Some(bytes) }
    }
}

/// What becomes of an object's bytes when the object is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Their room is free again.
    Freed,
    /// The store keeps a version of the object: it is not seen any more, and is still there and paid for.
    Hidden(Kept),
}

/// For how long a store keeps a version of what was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is locked until then.
    Until(DateTime<Utc>),
    /// It is under a legal hold.
    LegalHold,
    /// The bucket's lifecycle removes it so many days after it was hidden.
    Days(u32),
    /// Nothing that the store tells removes it.
    Unlimited,
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Until(time) => write!(f, "locked until {}", time.format("%Y-%m-%d %H:%M:%S UTC")),
            Self::LegalHold => f.write_str("until its legal hold is lifted"),
            Self::Days(days) => write!(f, "for {}, by the bucket's lifecycle", counted(*days, "day")),
            Self::Unlimited => f.write_str("until somebody deletes the bucket's old versions"),
        }
    }
}

/// Something that a sweep removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// What it was: a temporary file's path, an unfinished upload's key.
    pub name: String,
    /// When it was begun or last written.
    pub modified: DateTime<Utc>,
}

/// The bytes of an object as they arrive.
///
/// A store whose connections break opens them again where they broke, of the same object and as long as its patience lasts: an
/// error here is final, and what came before it are bytes of one object.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// A set of objects under relative names.
///
/// An object becomes visible only when it is complete and durable. All methods may be called at the same time.
#[async_trait]
pub trait Store: Send + Sync {
    /// The store as the user typed it, without secrets.
    fn describe(&self) -> String;

    /// Whether reading costs nothing but time: the objects lie on this machine.
    fn is_local(&self) -> bool {
        false
    }

    /// A folder of this machine that has room for what is going to be an object; `None` where objects lie elsewhere.
    fn spool_folder(&self) -> Option<PathBuf> {
        None
    }

    /// Every object whose name begins with `prefix`, in the order of the names. An empty prefix lists everything.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>>;

    /// Shows the same objects to `look`, in no order, and keeps none: one backup may have hundreds of thousands.
    async fn visit(&self, prefix: &str, look: &mut (dyn FnMut(ObjectInfo) + Send)) -> Result<()> {
        self.list(prefix).await?.into_iter().for_each(look);
        Ok(())
    }

    /// One object's size and time, or `None` when there is no such object.
    async fn head(&self, key: &Key) -> Result<Option<ObjectInfo>>;

    /// The object's bytes, or those in `range`, which must lie within the object.
    async fn fetch(&self, key: &Key, range: Option<Range<u64>>) -> Result<ByteStream>;

    /// Bytes of the very object that was looked up: an error when another has taken its name since.
    async fn fetch_same(&self, object: &ObjectInfo, range: Range<u64>) -> Result<ByteStream>;

    /// Stores a small object in one step.
    async fn put(&self, key: &Key, bytes: Bytes, mode: PutMode) -> Result<PutOutcome>;

    /// Begins an object that is written piece by piece. With `head_bytes` above 0 that many bytes are left free at its
    /// beginning, and [`Upload::finish`] is given them.
    async fn begin(&self, key: &Key, hint: SizeHint, head_bytes: u64) -> Result<Box<dyn Upload>>;

    /// Removes objects; one that does not exist is no error. Every key is tried, the first failure is returned.
    async fn delete(&self, keys: &[Key]) -> Result<()>;

    /// What would become of the bytes of this object if it were deleted, as far as the store says.
    async fn erasure(&self, _key: &Key) -> Result<Erasure> {
        Ok(Erasure::Freed)
    }

    /// Removes what interrupted writers left under `prefix` and was last touched before `older_than`: temporary files,
    /// unfinished multipart uploads. Objects are never touched.
    async fn sweep(&self, prefix: &str, older_than: DateTime<Utc>) -> Result<Vec<Swept>>;

    /// Ends uploads that were dropped without [`Upload::finish`] or [`Upload::abort`], for the end of a run that was
    /// cancelled. Returns how many there were.
    async fn abandon_open(&self) -> Result<usize>;

    /// Whether [`PutMode::CreateOnly`] is kept. Asked once, with two small puts where it is not known.
    async fn keeps_create_only(&self) -> Result<bool>;
}

/// An object that is being written. Dropping it discards what was written.
#[async_trait]
pub trait Upload: Send {
    /// Appends bytes. It waits while the store is slower than the caller; memory does not grow with the object.
    async fn write(&mut self, bytes: Bytes) -> Result<()>;

    /// Puts `head` where room was left for it, makes the object durable and visible, and returns its size in bytes.
    ///
    /// `head` must have the length that [`Store::begin`] was told, and be empty when none was asked for.
    async fn finish(self: Box<Self>, head: Bytes) -> Result<u64>;

    /// Discards the object.
    async fn abort(self: Box<Self>) -> Result<()>;
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It must exist.
    Read,
    /// A folder is made when it does not exist; a bucket never is.
    Write,
}

/// Opens a store. A folder is looked at now; a bucket is first asked by the first request.
pub async fn open(location: &Location, settings: &Settings, access: Access) -> Result<Arc<dyn Store>> {
    match location {
        Location::Folder(path) => Ok(Arc::new(LocalStore::open(path, access).await?)),
        Location::Bucket { bucket, prefix } => open_bucket(bucket, prefix, settings).await,
    }
}

#[cfg(not(feature = "s3"))]
async fn open_bucket(bucket: &str, _prefix: &str, _settings: &Settings) -> Result<Arc<dyn Store>> {
    Err(Error::new(ErrorKind::Usage, format!("cannot use the bucket \"{bucket}\""))
        .detail("this program was built without S3"))
}

#[cfg(feature = "s3")]
async fn open_bucket(bucket: &str, prefix: &str, settings: &Settings) -> Result<Arc<dyn Store>> {
    Ok(Arc::new(S3Store::open(bucket, prefix, settings).await?))
}

/// The error for an object that is not there.
fn missing(store: &dyn Store, key: &Key) -> Error {
    Error::new(ErrorKind::Store, format!("no object \"{key}\" in {}", store.describe()))
}

/// The error for an object that is another one than before.
fn replaced(key: &Key) -> Error {
    Error::new(ErrorKind::Store, format!("object \"{key}\" was replaced while it was read"))
        .hint("Something else writes to this store; see what, and try again.")
}

/// The error for a range that does not lie within the object.
fn out_of_range(key: &Key, range: &Range<u64>, size: u64) -> Error {
    Error::new(ErrorKind::Archive, format!("object \"{key}\" is too short"))
        .detail(format!("bytes {} to {} were wanted of {size}", range.start, range.end))
}
