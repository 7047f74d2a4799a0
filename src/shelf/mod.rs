//! What lies in a store: backups that are complete, broken, being deleted or never finished.
//!
//! One bad manifest never hides the others: a backup whose manifest cannot be read is listed as such.

mod find;
mod remove;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

pub use find::{Query, Which, find, previous};
pub use remove::{Removed, remove};

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::{self, Label, Manifest, layout};
use crate::store::{Key, ObjectInfo, Store, decode_component, encode_component};

/// A manifest of 100,000 tables has about 100 MB; a larger one is not read into memory.
const MANIFEST_MAX: u64 = 256 << 20;

/// Manifests that are fetched at the same time.
const FETCH_COUNT: usize = 8;

/// One backup's folder.
#[derive(Debug)]
pub struct Backup {
    /// The database that the folder is named after.
    pub database: String,
    /// The backup's name.
    pub id: Label,
    /// What state it is in.
    pub standing: Standing,
    /// Every object in its folder.
    pub objects: Vec<ObjectInfo>,
}

/// What state a backup's folder is in.
#[derive(Debug)]
pub enum Standing {
    /// Its manifest is there and reads.
    Complete {
        /// The manifest.
        manifest: Box<Manifest>,
        /// When the store received it.
        received: DateTime<Utc>,
    },
    /// Its manifest is there and was not looked at ([`read_only`]).
    Unread,
    /// Its manifest is there and cannot be used.
    Unreadable(Error),
    /// Its deletion has begun.
    Deleting,
    /// It has no manifest: a run is writing it, or one has died.
    Unfinished,
}

impl Backup {
    /// The manifest of a complete backup.
    pub fn manifest(&self) -> Option<&Manifest> {
        match &self.standing {
            Standing::Complete { manifest, .. } => Some(manifest),
            Standing::Unread | Standing::Unreadable(_) | Standing::Deleting | Standing::Unfinished => None,
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
        self.objects.iter().fold(0, |sum, object| sum.saturating_add(object.size))
    }

    /// When anything in its folder was last written, by the store's clock.
    pub fn touched(&self) -> Option<DateTime<Utc>> {
        self.objects.iter().map(|object| object.modified).max()
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

/// Reads all backups of a store, or of one database in it; by database, then oldest first.
pub async fn read(store: &dyn Store, database: Option<&str>) -> Result<Vec<Backup>> {
    let prefix = database.map_or_else(String::new, |database| format!("{}/", encode_component(database)));
    read_below(store, &prefix, |_| true).await
}

/// The same for one database, with only those manifests read that `wanted` names; others are [`Standing::Unread`].
pub async fn read_only(store: &dyn Store, database: &str, wanted: impl Fn(&Label) -> bool) -> Result<Vec<Backup>> {
    read_below(store, &format!("{}/", encode_component(database)), wanted).await
}

async fn read_below(store: &dyn Store, prefix: &str, wanted: impl Fn(&Label) -> bool) -> Result<Vec<Backup>> {
    let mut folders: BTreeMap<(String, Label), Vec<ObjectInfo>> = BTreeMap::new();
    for object in store.list(prefix).await? {
        if let Some((database, id, _)) = split_key(&object.key) {
            folders.entry((database, id)).or_default().push(object);
        }
    }
    // a folder that holds nothing but somebody's own files is no backup
    folders.retain(|_, objects| {
        objects.iter().any(|object| split_key(&object.key).is_some_and(|(_, _, path)| remove::is_own(path)))
    });
    stream::iter(folders)
        .map(|((database, id), objects)| {
            let depth = if wanted(&id) { Depth::Manifest } else { Depth::Listing };
            async move {
                let standing = look(store, &database, &id, &objects, depth).await?;
                Ok(Backup { database, id, standing, objects })
            }
        })
        .buffered(FETCH_COUNT)
        .try_collect()
        .await
}

#[derive(Clone, Copy)]
enum Depth {
    Listing,
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
    let Some(object) = find(layout::MANIFEST) else { return Ok(Standing::Unfinished) };
    if let Depth::Listing = depth {
        return Ok(Standing::Unread);
    }
    match fetch_manifest(store, object).await {
        Ok(manifest) if manifest.id == *id && manifest.source.database == database => {
            Ok(Standing::Complete { manifest: Box::new(manifest), received: object.modified })
        }
        Ok(manifest) => Ok(Standing::Unreadable(
            Error::new(ErrorKind::Archive, format!("manifest \"{}\" belongs to another backup", object.key))
                .detail(format!("it is that of {}/{}", manifest.source.database, manifest.id)),
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

async fn fetch_manifest(store: &dyn Store, object: &ObjectInfo) -> Result<Manifest> {
    if object.size > MANIFEST_MAX {
        return Err(Error::new(ErrorKind::Archive, format!("manifest \"{}\" is too large", object.key))
            .detail(format!("{} bytes; {MANIFEST_MAX} is the most", object.size)));
    }
    let chunks: Vec<_> = store.fetch(&object.key, None).await?.try_collect().await?;
    manifest::decode(object.key.as_str(), &chunks.concat())
}

#[cfg(test)]
pub(crate) mod tests;
