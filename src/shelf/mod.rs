//! What lies in a store: backups that are complete, broken, being deleted or never finished.
//!
//! One bad manifest never hides the others: a backup whose manifest cannot be read is listed as such.

mod evidence;
mod find;
mod folder;
mod remove;
pub mod shrinkage;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::Semaphore;

pub use evidence::publish_evidence;
pub use find::{Found, Query, Which, find, newest_before};
pub use folder::{first_missing, unnamed};
pub use remove::{Removed, remove};

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::{self, Condition, Evidence, Label, Manifest, Summary, layout};
use crate::store::{Key, ObjectInfo, Store, decode_component, encode_component, lease};

/// A manifest of 100,000 tables has about 100 MB; a larger one is not read into memory.
pub(crate) const MANIFEST_MAX: u64 = 256 << 20;

/// Backups that are looked at at the same time.
const FETCH_COUNT: usize = 8;

/// KiB of manifests that are in memory at the same time while a store is read; a larger one is read alone.
const FETCH_KIB: u32 = 32 << 10;

/// One backup's folder.
#[derive(Debug)]
pub struct Backup {
    /// The database that the folder is named after.
    pub database: String,
    /// The backup's name.
    pub id: Label,
    /// What state it is in.
    pub standing: Standing,
    /// The objects in its folder, but the members of a directory archive.
    pub objects: Vec<ObjectInfo>,
    /// Those: there may be hundreds of thousands.
    pub members: Members,
    /// What was found out about it since it was made; read with the manifest.
    pub evidence: Evidence,
}

/// The files of a directory archive together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When one of them was last written, by the store's clock.
    pub touched: Option<DateTime<Utc>>,
}

impl Members {
    fn add(&mut self, object: &ObjectInfo) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(object.size);
        self.touched = self.touched.max(Some(object.modified));
    }
}

/// What a backup's folder holds.
#[derive(Debug)]
pub enum Standing {
    /// Its manifest is there and reads.
    Complete {
        /// The manifest.
        manifest: Box<Manifest>,
        /// When the store received it.
        received: DateTime<Utc>,
    },
    /// Its manifest is there and reads; what a list needs of it was kept.
    Summarized {
        /// The manifest in short.
        summary: Box<Summary>,
        /// When the store received it.
        received: DateTime<Utc>,
    },
    /// Its manifest is there and was not looked at ([`read_only`]).
    Unread,
    /// Its manifest is there and cannot be used.
    Unreadable(Error),
    /// Its deletion has begun.
    Deleting,
    /// It has no manifest, and the lease names it: a run is writing it, or one has died.
    Unfinished,
    /// It has no manifest, and no lease names it: what an upload is writing, what a run could not remove, or somebody's files
    /// that are called as a backup's are.
    LeftOver,
}

impl Backup {
    /// The manifest of a complete backup.
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.standing {
            Standing::Complete { manifest, .. } => Some(manifest),
            Standing::Summarized { .. }
            | Standing::Unread
            | Standing::Unreadable(_)
            | Standing::Deleting
            | Standing::Unfinished
            | Standing::LeftOver => None,
        }
    }

    /// What a list needs of the manifest of a complete backup.
    pub fn summary(&self) -> Option<Cow<'_, Summary>> {
        match &self.standing {
            Standing::Complete { manifest, .. } => Some(Cow::Owned(Summary::from(&**manifest))),
            Standing::Summarized { summary, .. } => Some(Cow::Borrowed(summary)),
            Standing::Unread
            | Standing::Unreadable(_)
            | Standing::Deleting
            | Standing::Unfinished
            | Standing::LeftOver => None,
        }
    }

    /// The one state that every verb goes by.
    pub fn condition(&self) -> Condition {
        match &self.standing {
            Standing::Complete { manifest, .. } => Condition::of(&Summary::from(&**manifest), &self.evidence),
            Standing::Summarized { summary, .. } => Condition::of(summary, &self.evidence),
            Standing::Unreadable(error) => {
                let detail = error.detail_text().unwrap_or_default();
                Condition::Unreadable(format!("{}: {detail}", error.message()))
            }
            Standing::Deleting => Condition::Deleting,
            // nobody judges a backup that was not looked at
            Standing::Unread | Standing::Unfinished => Condition::Unfinished,
            Standing::LeftOver => Condition::LeftOver,
        }
    }

    /// What orders the backups of a database: the second in which it was begun, then the moment that it shows, for two of one
    /// second.
    fn age_key(&self) -> (DateTime<Utc>, DateTime<Utc>, Label) {
        let shows = match &self.standing {
            Standing::Complete { manifest, .. } => manifest.snapshot.time,
            Standing::Summarized { summary, .. } => summary.snapshot.time,
            Standing::Unread
            | Standing::Unreadable(_)
            | Standing::Deleting
            | Standing::Unfinished
            | Standing::LeftOver => self.id.time(),
        };
        (self.id.time(), shows, self.id.clone())
    }

    /// The same backup, looked at as far as a list needs it.
    async fn summarize(self, store: &dyn Store) -> Result<Self> {
        let standing = look(store, &self.database, &self.id, &self.objects, Depth::Summary).await?;
        let evidence = evidence::fetch(store, &self.id, &self.objects).await?;
        Ok(Self { standing, evidence, ..self })
    }

    /// The same backup with its whole manifest, where only a summary of it was read.
    pub async fn complete(self, store: &dyn Store) -> Result<Self> {
        match self.standing {
            Standing::Summarized { .. } => {
                let standing = look(store, &self.database, &self.id, &self.objects, Depth::Manifest).await?;
                Ok(Self { standing, ..self })
            }
            Standing::Complete { .. }
            | Standing::Unread
            | Standing::Unreadable(_)
            | Standing::Deleting
            | Standing::Unfinished
            | Standing::LeftOver => Ok(self),
        }
    }

    /// Its folder, as the beginning of its keys.
    pub fn folder(&self) -> Result<Key> {
        folder(&self.database, &self.id)
    }

    /// As one names it where a store has several databases: `shop/20261121T030000Z-k3f9`.
    pub fn name(&self) -> String {
        format!("{}/{}", encode_component(&self.database), self.id)
    }

    /// The bytes of all objects in its folder.
    pub fn stored_bytes(&self) -> u64 {
        self.objects.iter().fold(self.members.bytes, |sum, object| sum.saturating_add(object.size))
    }

    /// When anything in its folder was last written, by the store's clock.
    pub fn touched(&self) -> Option<DateTime<Utc>> {
        self.objects.iter().map(|object| object.modified).max().max(self.members.touched)
    }
}

/// The folder of one backup: the key that its objects' keys begin with.
pub fn folder(database: &str, id: &Label) -> Result<Key> {
    Key::new(format!("{}/{id}", encode_component(database)))
}

/// Splits a key into database, backup and the path within the backup's folder; `None` for everything that lies elsewhere.
pub fn split_key(key: &Key) -> Option<(String, Label, &str)> {
    let mut parts = key.as_str().splitn(3, '/');
    let part = parts.next()?;
    let database = decode_component(part);
    // another spelling of the same name would be another folder
    if encode_component(&database) != part {
        return None;
    }
    let id = parts.next()?.parse().ok()?;
    Some((database, id, parts.next()?))
}

/// Reads all backups of a store, or of one database in it, with their whole manifests; by database, then oldest first.
pub async fn read(store: &dyn Store, database: Option<&str>) -> Result<Vec<Backup>> {
    read_below(store, &prefix(database), Depth::Manifest, |_| true).await
}

/// The same as far as a list needs it: complete ones are [`Standing::Summarized`].
pub async fn survey(store: &dyn Store, database: Option<&str>) -> Result<Vec<Backup>> {
    read_below(store, &prefix(database), Depth::Summary, |_| true).await
}

fn prefix(database: Option<&str>) -> String {
    database.map_or_else(String::new, |database| format!("{}/", encode_component(database)))
}

/// The same for one database, with the whole manifests of those that `wanted` names; others are [`Standing::Unread`].
pub async fn read_only(store: &dyn Store, database: &str, wanted: impl Fn(&Label) -> bool) -> Result<Vec<Backup>> {
    read_below(store, &format!("{}/", encode_component(database)), Depth::Manifest, wanted).await
}

async fn read_below(
    store: &dyn Store,
    prefix: &str,
    depth: Depth,
    wanted: impl Fn(&Label) -> bool,
) -> Result<Vec<Backup>> {
    let mut folders: BTreeMap<(String, Label), (Vec<ObjectInfo>, Members)> = BTreeMap::new();
    store
        .visit(prefix, &mut |object| {
            if let Some((database, id, path)) = split_key(&object.key) {
                let is_member = remove::is_member(path);
                let (objects, members) = folders.entry((database, id)).or_default();
                if is_member { members.add(&object) } else { objects.push(object) }
            }
        })
        .await?;
    folders.values_mut().for_each(|(objects, _)| objects.sort_by(|left, right| left.key.cmp(&right.key)));
    // a folder that holds nothing but somebody's own files is no backup
    folders.retain(|_, (objects, members)| {
        members.count > 0
            || objects.iter().any(|object| split_key(&object.key).is_some_and(|(_, _, path)| remove::is_own(path)))
    });
    let room = Semaphore::new(FETCH_KIB as usize);
    let mut backups: Vec<Backup> = stream::iter(folders)
        .map(|((database, id), (objects, members))| {
            let depth = if wanted(&id) { depth } else { Depth::Listing };
            let room = &room;
            async move {
                let _taken = room.acquire_many(kib_of_manifest(&objects)).await;
                let standing = look(store, &database, &id, &objects, depth).await?;
                let evidence = match &standing {
                    Standing::Complete { .. } | Standing::Summarized { .. } => {
                        evidence::fetch(store, &id, &objects).await?
                    }
                    Standing::Unread
                    | Standing::Unreadable(_)
                    | Standing::Deleting
                    | Standing::Unfinished
                    | Standing::LeftOver => Evidence::default(),
                };
                Ok::<_, Error>(Backup { database, id, standing, objects, members, evidence })
            }
        })
        .buffered(FETCH_COUNT)
        .try_collect()
        .await?;
    backups.sort_by_cached_key(|backup| (backup.database.clone(), backup.age_key()));
    Ok(backups)
}

/// How much room the manifest among these objects takes while it is read.
fn kib_of_manifest(objects: &[ObjectInfo]) -> u32 {
    let manifest =
        objects.iter().find(|object| split_key(&object.key).is_some_and(|(_, _, path)| path == layout::MANIFEST));
    u32::try_from(manifest.map_or(0, |object| object.size.min(MANIFEST_MAX)).div_ceil(1024))
        .unwrap_or(FETCH_KIB)
        .min(FETCH_KIB)
}

#[derive(Clone, Copy)]
enum Depth {
    Listing,
    Summary,
    Manifest,
}

async fn look(store: &dyn Store, database: &str, id: &Label, objects: &[ObjectInfo], depth: Depth) -> Result<Standing> {
    let folder = folder(database, id)?;
    let find = |name: &str| {
        objects.iter().find(|object| {
            object.key.as_str().strip_prefix(folder.as_str()).is_some_and(|path| path.strip_prefix('/') == Some(name))
        })
    };
    if find(layout::TOMBSTONE).is_some() {
        return Ok(Standing::Deleting);
    }
    let Some(object) = find(layout::MANIFEST) else {
        let job = lease::job(store, &Key::new(encode_component(database))?).await?;
        return Ok(if job.is_some_and(|job| job == id.to_string()) {
            Standing::Unfinished
        } else {
            Standing::LeftOver
        });
    };
    if let Depth::Listing = depth {
        return Ok(Standing::Unread);
    }
    let received = object.modified;
    let read = async {
        let bytes = fetch_manifest(store, object).await?;
        let place = object.key.as_str();
        Ok::<_, Error>(match depth {
            Depth::Listing | Depth::Summary => {
                let summary = Box::new(manifest::decode_summary(place, &bytes)?);
                (summary.id.clone(), summary.source.database.clone(), Standing::Summarized { summary, received })
            }
            Depth::Manifest => {
                let manifest = Box::new(manifest::decode(place, &bytes)?);
                (manifest.id.clone(), manifest.source.database.clone(), Standing::Complete { manifest, received })
            }
        })
    };
    match read.await {
        Ok((own_id, own_database, standing)) if own_id == *id && own_database == database => Ok(standing),
        Ok((own_id, own_database, _)) => Ok(Standing::Unreadable(
            Error::new(ErrorKind::Archive, format!("manifest \"{}\" belongs to another backup", object.key))
                .detail(format!("it is that of {own_database}/{own_id}")),
        )),
        // damage is one backup's own; whatever else fails says nothing about the backup
        Err(error) if error.kind() == ErrorKind::Archive => Ok(Standing::Unreadable(error)),
        Err(error) if error.kind() == ErrorKind::Store => match store.head(&object.key).await? {
            // removed since the listing
            None => Ok(Standing::Deleting),
            Some(_) => Err(error),
        },
        Err(error) => Err(error),
    }
}

async fn fetch_manifest(store: &dyn Store, object: &ObjectInfo) -> Result<Vec<u8>> {
    if object.size > MANIFEST_MAX {
        return Err(Error::new(ErrorKind::Archive, format!("manifest \"{}\" is too large", object.key))
            .detail(format!("{} bytes; {MANIFEST_MAX} is the most", object.size)));
    }
    fetch_document(store, object).await
}

/// The bytes of a document, whose listed size is small enough.
async fn fetch_document(store: &dyn Store, object: &ObjectInfo) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(object.size).unwrap_or_default());
    let mut chunks = store.fetch(&object.key, None).await?;
    while let Some(chunk) = chunks.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
