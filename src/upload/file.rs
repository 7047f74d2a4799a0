//! One file on its way from store to store.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::File;
use crate::store::{Key, SizeHint, Store};
use crate::transfer::{Inlet, Outlet, read_back};

/// Copies a file and reads it back. A file that is not what the manifest describes never becomes visible.
pub(super) async fn copy(
    from: Arc<dyn Store>,
    to: &Arc<dyn Store>,
    key: &Key,
    file: &File,
    report: &(dyn Fn(u64) + Sync),
) -> Result<()> {
    let inlet = Inlet::open(from, key).await?;
    if inlet.size() != file.size {
        return Err(damaged(key, &format!("it has {} bytes, the manifest says {}", inlet.size(), file.size)));
    }
    let mut outlet = Outlet::begin(&**to, key, SizeHint::about(file.size)).await?;
    let mut digest = Sha256::new();
    let mut stream = inlet.stream_ahead(0..file.size);
    loop {
        match stream.try_next().await {
            Ok(Some(bytes)) => {
                digest.update(&bytes);
                report(bytes.len() as u64);
                outlet.write(bytes).await?;
            }
            Ok(None) => break,
            Err(error) => {
                // the cause of the failure is worth more than a failure to clean up, which the next sweep makes good
                let _ = outlet.abort().await;
                return Err(error);
            }
        }
    }
    let digest: [u8; 32] = digest.finalize().into();
    if digest != file.sha256.0 {
        outlet.abort().await?;
        return Err(damaged(key, "its SHA-256 is not that of the manifest"));
    }
    let receipt = outlet.finish().await?;
    read_back(to, &receipt).await.map(|_| ())
}

/// Whether the object has the bytes that the manifest describes.
pub(super) async fn is_same(store: &Arc<dyn Store>, key: &Key, file: &File) -> Result<bool> {
    Ok(Inlet::open(Arc::clone(store), key).await?.sha256().await? == file.sha256.0)
}

fn damaged(key: &Key, detail: &str) -> Error {
    Error::new(ErrorKind::Damage, format!("\"{key}\" is damaged in the source"))
        .detail(detail)
        .hint("Look at the whole backup with db verify; nothing of it was published in the target.")
}
