//! Evidence beside a backup: written once, read with its manifest.

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{Backup, fetch_document, split_key};
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::{Evidence, Label, layout};
use crate::store::{ObjectInfo, PutMode, PutOutcome, Store};

/// Two documents of one second are told apart by a number.
const SAME_SECOND_MAX: u32 = 20;

/// Evidence is small; a larger document proves nothing.
const SIZE_MAX: u64 = 64 << 20;

/// Writes a document into a folder beside a backup, under its time, and returns where it lies. Nothing is ever overwritten.
pub async fn publish_evidence(
    store: &dyn Store,
    backup: &Backup,
    folder: &str,
    time: DateTime<Utc>,
    bytes: Vec<u8>,
) -> Result<String> {
    let bytes = Bytes::from(bytes);
    let home = backup.folder()?;
    let time = time.format("%Y%m%dT%H%M%SZ");
    for number in 0..SAME_SECOND_MAX {
        let suffix = if number == 0 { String::new() } else { format!("-{number}") };
        let key = home.join(&format!("{folder}/{time}{suffix}.json"))?;
        match store.put(&key, bytes.clone(), PutMode::CreateOnly).await? {
            PutOutcome::Stored => return Ok(key.as_str().to_owned()),
            PutOutcome::Exists => {}
        }
    }
    Err(Error::new(ErrorKind::Store, format!("could not write evidence beside backup {}", backup.name()))
        .detail(format!("{SAME_SECOND_MAX} documents of {time} are in \"{folder}\" already")))
}

/// Reads the evidence among these objects. What is damaged proves nothing and hides nothing else.
pub(super) async fn fetch(store: &dyn Store, id: &Label, objects: &[ObjectInfo]) -> Result<Evidence> {
    let mut evidence = Evidence::default();
    for object in objects {
        let Some((_, _, path)) = split_key(&object.key).filter(|(_, _, path)| layout::is_evidence(path)) else {
            continue;
        };
        if object.size > SIZE_MAX {
            evidence.unusable.push((path.to_owned(), format!("it is too large: {} bytes", object.size)));
            continue;
        }
        match fetch_document(store, object).await {
            Ok(bytes) => evidence.take(id, path, &bytes),
            // deleted since the listing, with its backup
            Err(error) if error.kind() == ErrorKind::Store && store.head(&object.key).await?.is_none() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(evidence)
}
