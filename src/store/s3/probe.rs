//! What this server really does, found out with small requests: answers of success prove nothing.

use bytes::Bytes;

use super::checksum::Checksum;
use super::fault::Failure;
use super::{PutMode, S3Store};
use crate::error::{ErrorKind, Result};
use crate::store::ChecksumMode;
use crate::store::key::PRIVATE;

const CONTENT: Bytes = Bytes::from_static(b"pgproof has asked here what this server does\n");

/// The names of the objects that stay where a server was asked something. The next run finds the answer there, so that nothing
/// has to be deleted and nothing piles up.
const CRC32C: &str = "probe-crc32c";
const MD5: &str = "probe-md5";
const CREATE_ONLY: &str = "probe-create-only";

/// Whether a sweep leaves this object alone.
pub(super) fn is_kept(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or_default();
    name.strip_prefix(PRIVATE).is_some_and(|rest| [CRC32C, MD5, CREATE_ONLY].contains(&rest))
}

impl S3Store {
    fn probe(&self, name: &str) -> String {
        self.full(&format!("{PRIVATE}{name}"))
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
        let wanted = [(Checksum::Crc32c, CRC32C), (Checksum::Md5, MD5)];
        for (checksum, name) in wanted {
            // an upload with this checksum was completed there before
            if self.head_full(&self.probe(name)).await.map_err(|failure| failure.error)?.is_some() {
                return Ok(checksum);
            }
        }
        for (checksum, name) in wanted {
            match self.probe_upload(&self.probe(name), checksum).await {
                Ok(()) => {
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

    /// Whether a create-only put to a name that is taken is refused.
    pub(super) async fn probe_create_only(&self) -> Result<bool> {
        self.0
            .create_only
            .get_or_try_init(|| async {
                let full = self.probe(CREATE_ONLY);
                // the first one finds what another run has left, or leaves it; then the second one must be refused
                for _ in 0..2 {
                    match self.put_once(&full, CONTENT, &[], PutMode::CreateOnly).await {
                        Ok(()) => {}
                        Err(failure) if failure.is_taken() => return Ok(true),
                        // a server that knows the condition not at all
                        Err(failure) if failure.is_unsupported() => return Ok(false),
                        Err(failure) => return Err(failure.error),
                    }
                }
                Ok(false)
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
