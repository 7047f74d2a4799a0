//! What this server really does, found out with small requests: answers of success prove nothing.

use bytes::Bytes;

use super::checksum::Checksum;
use super::fault::Failure;
use super::{PutMode, S3Store};
use crate::error::{ErrorKind, Result};
use crate::store::ChecksumMode;
use crate::store::key::PRIVATE;

const CONTENT: Bytes = Bytes::from_static(b"pgproof asks what this server does; this object may be deleted\n");

impl S3Store {
    fn probe_name(&self) -> String {
        self.full(&format!("{PRIVATE}probe-{:016x}", rand::random::<u64>()))
    }

    /// The checksum that goes with parts. Asked once, by a whole multipart upload of one small part, since Ceph 16 and 18
    /// take a part's CRC32C and then refuse to complete.
    pub(super) async fn part_checksum(&self) -> Result<Checksum> {
        match self.settings().checksum {
            ChecksumMode::Crc32c => Ok(Checksum::Crc32c),
            ChecksumMode::Sha256 => Ok(Checksum::Sha256),
            ChecksumMode::Md5 => Ok(Checksum::Md5),
            ChecksumMode::None => Ok(Checksum::None),
            ChecksumMode::Auto => {
                self.0.part_checksum.get_or_try_init(|| Box::pin(self.probe_checksum())).await.copied()
            }
        }
    }

    async fn probe_checksum(&self) -> Result<Checksum> {
        for checksum in [Checksum::Crc32c, Checksum::Md5] {
            let full = self.probe_name();
            match self.probe_upload(&full, checksum).await {
                Ok(()) => {
                    self.delete_full(&full).await.map_err(|failure| failure.error)?;
                    tracing::debug!(?checksum, "checksum mode of the store");
                    return Ok(checksum);
                }
                Err(failure) if is_about_checksums(&failure) => {
                    tracing::debug!(?checksum, detail = failure.error.detail_text(), "the store refuses this checksum");
                }
                Err(failure) => {
                    return Err(failure.error.context("could not find out which checksums the store takes"));
                }
            }
        }
        Ok(Checksum::None)
    }

    async fn probe_upload(&self, full: &str, checksum: Checksum) -> Result<(), Failure> {
        let id = self.create_multipart(full, checksum).await?;
        let uploaded = async {
            let part = self.upload_part(full, &id, 1, CONTENT, checksum).await?;
            self.complete_multipart(full, &id, vec![part], CONTENT.len() as u64).await
        };
        match uploaded.await {
            Ok(()) => {
                self.open_uploads(|open| open.remove(&id));
                Ok(())
            }
            Err(failure) => {
                // the refusal matters more than a leftover of a hundred bytes, which the next sweep ends
                drop(self.abort_upload(full, &id).await);
                self.open_uploads(|open| open.remove(&id));
                Err(failure)
            }
        }
    }

    /// Whether a second create-only put to the same name is refused.
    pub(super) async fn probe_create_only(&self) -> Result<bool> {
        self.0
            .create_only
            .get_or_try_init(|| async {
                let full = self.probe_name();
                let first = self.put_once(&full, CONTENT, &[], PutMode::CreateOnly).await;
                let second = match first {
                    Ok(()) => self.put_once(&full, CONTENT, &[], PutMode::CreateOnly).await,
                    // a server that knows the condition not at all
                    Err(failure) if failure.is_unsupported() => return Ok(false),
                    // the name is nobody else's: an earlier try arrived, and its answer was lost
                    Err(failure) if failure.is_taken() => Err(failure),
                    Err(failure) => return Err(failure.error),
                };
                self.delete_full(&full).await.map_err(|failure| failure.error)?;
                match second {
                    Ok(()) => Ok(false),
                    Err(failure) if failure.is_taken() => Ok(true),
                    Err(failure) => Err(failure.error),
                }
            })
            .await
            .copied()
    }
}

/// A refusal that another checksum may not meet. Missing rights and missing buckets are none.
fn is_about_checksums(failure: &Failure) -> bool {
    let code = failure.code.as_deref().unwrap_or_default();
    let by_code =
        ["Checksum", "Digest", "SHA256", "InvalidPart", "InvalidRequest", "InvalidArgument", "NotImplemented"]
            .iter()
            .any(|part| code.contains(part));
    failure.error.kind() == ErrorKind::Store && (by_code || failure.is_unsupported())
}
