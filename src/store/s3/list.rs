//! What lies in the bucket: objects, and uploads that nobody finished.

use chrono::{DateTime, Utc};

use super::fault::{Failure, judge};
use super::probe::is_kept;
use super::{S3Store, size_of, time_of};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{ObjectInfo, Swept};

impl S3Store {
    /// Every object under a prefix, the store's own ones too, in the order of the names.
    pub(super) async fn list_objects(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        let mut objects = Vec::new();
        self.each_object(prefix, &mut |object| objects.push(object)).await?;
        objects.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(objects)
    }

    /// The same, one by one.
    pub(super) async fn each_object(&self, prefix: &str, look: &mut (dyn FnMut(ObjectInfo) + Send)) -> Result<()> {
        let doing = format!("could not list {}", crate::store::Store::describe(self));
        // with an empty prefix the slash keeps `backups-old/` out of `backups`
        let full = self.full(prefix);
        let mut token: Option<String> = None;
        loop {
            let page = self
                .ask(&doing, |_| {
                    let request = self
                        .client()
                        .list_objects_v2()
                        .bucket(self.bucket())
                        .prefix(&full)
                        .set_continuation_token(token.clone());
                    async { request.send().await.map_err(|error| judge(&doing, error)) }
                })
                .await
                .map_err(|failure| failure.error)?;
            for object in page.contents() {
                // what no key can name was put there by somebody else
                let Some(key) = object.key().and_then(|full| self.relative(full)) else { continue };
                look(ObjectInfo {
                    key,
                    size: size_of(object.size()),
                    modified: time_of(object.last_modified()),
                    tag: object.e_tag().map(str::to_owned),
                });
            }
            match page.next_continuation_token() {
                Some(next) if page.is_truncated() == Some(true) => {
                    if token.as_deref() == Some(next) {
                        return Err(Error::new(ErrorKind::Store, doing)
                            .detail("the server gives the same page again and again"));
                    }
                    token = Some(next.to_owned());
                }
                _ => return Ok(()),
            }
        }
    }

    /// Ends one multipart upload. One that is not there any more is no error.
    pub(super) async fn abort_upload(&self, full: &str, id: &str) -> Result<(), Failure> {
        let doing = format!("could not abort the upload of s3://{}/{full}", self.bucket());
        let aborted = self
            .ask(&doing, |_| {
                let request = self.client().abort_multipart_upload().bucket(self.bucket()).key(full).upload_id(id);
                async {
                    request.send().await.map(drop).map_err(|error| {
                        let failure = judge(&doing, error);
                        // Ceph 20 while another request aborts the same upload, as after a drop: soon it is gone
                        let again = failure.again || failure.status == Some(409);
                        Failure { again, ..failure }
                    })
                }
            })
            .await;
        match aborted {
            Err(failure) if !failure.is_missing() => Err(failure),
            _ => Ok(()),
        }
    }

    /// Aborts unfinished uploads and removes probes.
    pub(super) async fn sweep_leftovers(&self, prefix: &str, older_than: DateTime<Utc>) -> Result<Vec<Swept>> {
        let mut swept = Vec::new();
        for object in self.list_objects(prefix).await? {
            if object.key.is_private() && !is_kept(object.key.as_str()) && object.modified < older_than {
                self.delete_full(&self.full(object.key.as_str())).await.map_err(|failure| failure.error)?;
                swept.push(Swept { name: object.key.to_string(), modified: object.modified });
            }
        }
        for upload in self.unfinished(prefix).await? {
            if upload.begun >= older_than || self.open_uploads(|open| open.contains_key(&upload.id)) {
                continue;
            }
            // Some servers delete the object's data when the id of a completed upload is aborted (seaweedfs issue 11382).
            // Where the object is there, only an upload without any part is ended: one whose id never reached us.
            let object = self.head_full(&upload.full).await.map_err(|failure| failure.error)?;
            if object.is_some_and(|object| object.modified >= upload.begun) && !self.has_no_parts(&upload).await {
                continue;
            }
            self.abort_upload(&upload.full, &upload.id).await.map_err(|failure| failure.error)?;
            let name = self.relative(&upload.full).map_or(upload.full, |key| key.to_string());
            swept.push(Swept { name, modified: upload.begun });
        }
        Ok(swept)
    }

    /// Whether the server says that nothing was uploaded yet; what cannot be told counts as no.
    async fn has_no_parts(&self, upload: &Unfinished) -> bool {
        let doing = "could not list parts";
        let listed = self
            .ask(doing, |_| {
                let request = self
                    .client()
                    .list_parts()
                    .bucket(self.bucket())
                    .key(&upload.full)
                    .upload_id(&upload.id)
                    .max_parts(1);
                async { request.send().await.map_err(|error| judge(doing, error)) }
            })
            .await;
        listed.is_ok_and(|listed| listed.parts().is_empty())
    }

    async fn unfinished(&self, prefix: &str) -> Result<Vec<Unfinished>> {
        let doing = format!("could not list the uploads in {}", crate::store::Store::describe(self));
        let full = self.full(prefix);
        let mut uploads = Vec::new();
        let mut marker: (Option<String>, Option<String>) = (None, None);
        loop {
            let asked = self
                .ask(&doing, |_| {
                    let request = self
                        .client()
                        .list_multipart_uploads()
                        .bucket(self.bucket())
                        .prefix(&full)
                        .set_key_marker(marker.0.clone())
                        .set_upload_id_marker(marker.1.clone());
                    async { request.send().await.map_err(|error| judge(&doing, error)) }
                })
                .await;
            let page = match asked {
                Ok(page) => page,
                // a server that cannot list them (s3s-fs) leaves them to its own lifecycle rules
                Err(failure) if failure.is_unsupported() => return Ok(uploads),
                Err(failure) => return Err(failure.error),
            };
            for upload in page.uploads() {
                if let (Some(id), Some(full_key)) = (upload.upload_id(), upload.key())
                    && full_key.starts_with(&full)
                {
                    uploads.push(Unfinished {
                        id: id.to_owned(),
                        full: full_key.to_owned(),
                        begun: time_of(upload.initiated()),
                    });
                }
            }
            let next = (page.next_key_marker().map(str::to_owned), page.next_upload_id_marker().map(str::to_owned));
            if page.is_truncated() != Some(true) || next == marker || next.0.is_none() {
                return Ok(uploads);
            }
            marker = next;
        }
    }
}

struct Unfinished {
    id: String,
    full: String,
    begun: DateTime<Utc>,
}
