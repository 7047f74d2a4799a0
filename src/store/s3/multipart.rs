//! Objects that are written part by part.

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;

use super::checksum::Checksum;
use super::fault::{Failure, judge};
use super::part::Parts;
use super::retry::repeat;
use super::{PutMode, S3Store};
use crate::error::{Error, ErrorKind, Result};
use crate::store::memory::check_head;
use crate::store::{Key, SizeHint, Upload};

impl S3Store {
    /// Begins a multipart upload and notes it as open.
    pub(super) async fn create_multipart(&self, full: &str, checksum: Checksum) -> Result<String, Failure> {
        let doing = format!("could not begin the upload of s3://{}/{full}", self.bucket());
        let id = self
            .ask(&doing, |_| {
                let request = self
                    .client()
                    .create_multipart_upload()
                    .bucket(self.bucket())
                    .key(full)
                    .set_checksum_algorithm(checksum.algorithm());
                async { request.send().await.map_err(|error| judge(&doing, error)) }
            })
            .await?
            .upload_id
            .ok_or_else(|| {
                Failure::fatal(Error::new(ErrorKind::Store, &*doing).detail("the server gave no upload id"))
            })?;
        self.open_uploads(|open| open.insert(id.clone(), full.to_owned()));
        Ok(id)
    }

    /// Sends one part from memory.
    pub(super) async fn upload_part(
        &self,
        full: &str,
        id: &str,
        number: i32,
        bytes: Bytes,
        checksum: Checksum,
    ) -> Result<CompletedPart, Failure> {
        let doing = format!("could not write part {number} of s3://{}/{full}", self.bucket());
        let value = checksum.of(&bytes);
        let sent = repeat(self, &doing, bytes.len() as u64, |_| {
            let request = self
                .client()
                .upload_part()
                .bucket(self.bucket())
                .key(full)
                .upload_id(id)
                .part_number(number)
                .content_length(bytes.len() as i64)
                .body(Body::from(bytes.clone()));
            let request = value.clone().on_part(request);
            async { request.send().await.map_err(|error| judge(&doing, error)) }
        })
        .await?;
        Ok(value.on_completed(number, sent.e_tag))
    }

    /// Joins the parts and makes sure that the object has its size.
    ///
    /// A repeated request may find the upload gone because the first one worked and its answer was lost: the object's
    /// size decides then too.
    pub(super) async fn complete_multipart(
        &self,
        full: &str,
        id: &str,
        parts: Vec<CompletedPart>,
        size: u64,
    ) -> Result<(), Failure> {
        let doing = format!("could not complete the upload of s3://{}/{full}", self.bucket());
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let completed = self
            .ask(&doing, |_| {
                let request = self
                    .client()
                    .complete_multipart_upload()
                    .bucket(self.bucket())
                    .key(full)
                    .upload_id(id)
                    .multipart_upload(parts.clone());
                async { request.send().await.map(drop).map_err(|error| judge(&doing, error)) }
            })
            .await;
        match completed {
            Ok(()) => self.expect_size(full, size).await,
            Err(failure) if failure.is_missing() => self.expect_size(full, size).await,
            // an attempt whose answer was lost may have worked, and Ceph then refuses others for a while
            Err(failure) if failure.again => match self.head_full(full).await {
                Ok(Some(found)) if found.size == size => Ok(()),
                Ok(_) | Err(_) => Err(failure),
            },
            Err(failure) => Err(failure),
        }
    }

    /// Asks for the object and compares its size: a success answer alone has lost data before.
    pub(super) async fn expect_size(&self, full: &str, size: u64) -> Result<(), Failure> {
        let found = self.head_full(full).await?.map(|found| found.size);
        if found == Some(size) {
            return Ok(());
        }
        let found = found.map_or_else(|| "no object".to_owned(), |found| format!("{found} bytes"));
        Err(Failure::fatal(
            Error::new(ErrorKind::Store, format!("s3://{}/{full} is not what was written", self.bucket()))
                .detail(format!("{found} in the store, {size} bytes were written")),
        ))
    }
}

/// One object on its way into the bucket.
///
/// Memory: the part being filled, those in flight ([`Parts::in_flight`]), and with a reserved head the bytes that share
/// its last part. An object that fits one part is put in one request.
pub(super) struct BucketUpload {
    store: S3Store,
    key: Key,
    full: String,
    parts: Parts,
    head_bytes: u64,
    /// How many parts the head reaches into. They are sent last; these are the body's bytes in them.
    head_parts: u64,
    front: BytesMut,
    front_max: u64,
    filling: BytesMut,
    /// The next part's number.
    number: u64,
    size: u64,
    multipart: Option<Multipart>,
    tasks: JoinSet<Result<CompletedPart, Failure>>,
    done: Vec<CompletedPart>,
}

struct Multipart {
    id: String,
    checksum: Checksum,
}

impl BucketUpload {
    pub(super) fn new(store: S3Store, key: Key, hint: SizeHint, head_bytes: u64) -> Self {
        let parts = Parts::plan(hint, store.settings().part_bytes);
        // every part that a head can reach has the first one's size: heads of 8,000 parts do not occur
        let head_parts = head_bytes.div_ceil(parts.size(1));
        Self {
            full: store.full(key.as_str()),
            store,
            key,
            parts,
            head_bytes,
            head_parts,
            front: BytesMut::new(),
            front_max: head_parts * parts.size(1) - head_bytes,
            filling: BytesMut::new(),
            number: head_parts + 1,
            size: head_bytes,
            multipart: None,
            tasks: JoinSet::new(),
            done: Vec::new(),
        }
    }

    async fn multipart(&mut self) -> Result<&Multipart> {
        if self.multipart.is_none() {
            let checksum = self.store.part_checksum().await?;
            let id = self.store.create_multipart(&self.full, checksum).await.map_err(|failure| failure.error)?;
            self.multipart = Some(Multipart { id, checksum });
        }
        Ok(self.multipart.as_ref().expect("it was made above"))
    }

    /// Takes the result of a part that is done.
    fn note(
        &mut self,
        joined: std::result::Result<Result<CompletedPart, Failure>, tokio::task::JoinError>,
    ) -> Result<()> {
        match joined {
            Ok(Ok(part)) => {
                self.done.push(part);
                Ok(())
            }
            Ok(Err(failure)) => Err(failure.error),
            Err(error) => Err(Error::new(ErrorKind::Bug, "a part's task ended early").caused_by(error)),
        }
    }

    /// Sends one part; waits until there is room for it among those in flight.
    async fn send(&mut self, number: u64, bytes: Bytes) -> Result<()> {
        while let Some(joined) = self.tasks.try_join_next() {
            self.note(joined)?;
        }
        while self.tasks.len() >= self.parts.in_flight(number) {
            if let Some(joined) = self.tasks.join_next().await {
                self.note(joined)?;
            }
        }
        let part_number = match i32::try_from(number) {
            Ok(part_number) if self.parts.allows(number) => part_number,
            _ => {
                return Err(Error::new(
                    ErrorKind::Store,
                    format!("s3://{}/{} needs too many parts", self.store.bucket(), self.full),
                )
                .detail(format!("{} bytes so far", self.size))
                .hint("Give a larger part size with --s3-part-size."));
            }
        };
        let &Multipart { ref id, checksum } = self.multipart().await?;
        let (id, store, full) = (id.clone(), self.store.clone(), self.full.clone());
        self.tasks.spawn(async move { store.upload_part(&full, &id, part_number, bytes, checksum).await });
        Ok(())
    }

    async fn send_filled(&mut self) -> Result<()> {
        let bytes = self.filling.split().freeze();
        let number = self.number;
        self.number += 1;
        self.send(number, bytes).await
    }

    /// Moves what belongs into the head's last part there, and returns the rest.
    fn hold_front(&mut self, mut bytes: Bytes) -> Bytes {
        let free = self.front_max - self.front.len() as u64;
        let held = bytes.split_to(usize::try_from(free).map_or(bytes.len(), |free| free.min(bytes.len())));
        self.front.extend_from_slice(&held);
        bytes
    }

    async fn complete(&mut self, head: Bytes) -> Result<()> {
        if self.multipart.is_none() && self.size <= self.parts.size(1) {
            let mut whole = BytesMut::with_capacity(head.len() + self.front.len() + self.filling.len());
            for piece in [&head[..], &self.front[..], &self.filling[..]] {
                whole.extend_from_slice(piece);
            }
            let checksums = self.store.put_checksums();
            self.store
                .put_once(&self.full, whole.freeze(), checksums, PutMode::Overwrite)
                .await
                .map_err(|failure| failure.error)?;
            return self.store.expect_size(&self.full, self.size).await.map_err(|failure| failure.error);
        }
        if !self.filling.is_empty() {
            self.send_filled().await?;
        }
        self.send_front(head).await?;
        while let Some(joined) = self.tasks.join_next().await {
            self.note(joined)?;
        }
        self.done.sort_by_key(CompletedPart::part_number);
        let parts = std::mem::take(&mut self.done);
        let Multipart { id, .. } = self.multipart().await?;
        let id = id.clone();
        self.store.complete_multipart(&self.full, &id, parts, self.size).await.map_err(|failure| failure.error)?;
        self.store.open_uploads(|open| open.remove(&id));
        self.multipart = None;
        Ok(())
    }

    async fn send_front(&mut self, mut head: Bytes) -> Result<()> {
        for number in 1..=self.head_parts {
            let size = usize::try_from(self.parts.size(1)).unwrap_or(usize::MAX);
            let mut bytes = head.split_to(size.min(head.len()));
            if number == self.head_parts {
                let mut shared = BytesMut::with_capacity(bytes.len() + self.front.len());
                shared.extend_from_slice(&bytes);
                shared.extend_from_slice(&self.front.split());
                bytes = shared.freeze();
            }
            self.send(number, bytes).await?;
        }
        Ok(())
    }

    /// Ends the tasks first: a part that arrives after the abort would be stored and billed.
    async fn discard(&mut self) -> Result<()> {
        self.tasks.shutdown().await;
        if let Some(Multipart { id, .. }) = self.multipart.take() {
            self.store.abort_upload(&self.full, &id).await.map_err(|failure| failure.error)?;
            self.store.open_uploads(|open| open.remove(&id));
        }
        Ok(())
    }
}

#[async_trait]
impl Upload for BucketUpload {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.size += bytes.len() as u64;
        let mut bytes = self.hold_front(bytes);
        while !bytes.is_empty() {
            let part = usize::try_from(self.parts.size(self.number)).unwrap_or(usize::MAX);
            if self.filling.is_empty() && self.multipart.is_some() {
                // the object is large: growing step by step would cost copies and twice the memory
                self.filling.reserve(part);
            }
            let room = part - self.filling.len();
            let taken = bytes.split_to(room.min(bytes.len()));
            self.filling.extend_from_slice(&taken);
            if self.filling.len() == part {
                Box::pin(self.send_filled()).await?;
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>, head: Bytes) -> Result<u64> {
        let finished = match check_head(&self.key, self.head_bytes, &head) {
            Ok(()) => Box::pin(self.complete(head)).await,
            Err(error) => Err(error),
        };
        match finished {
            Ok(()) => Ok(self.size),
            Err(error) => match Box::pin(self.discard()).await {
                Ok(()) => Err(error),
                Err(second) => Err(error.more_detail(&format!("and {}", second.message()))),
            },
        }
    }

    async fn abort(mut self: Box<Self>) -> Result<()> {
        Box::pin(self.discard()).await
    }
}

impl Drop for BucketUpload {
    /// A dropped upload is ended in the background where that is possible; [`crate::store::Store::abandon_open`] ends
    /// what is left, and waits.
    fn drop(&mut self) {
        self.tasks.abort_all();
        let Some(Multipart { id, .. }) = self.multipart.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (store, full) = (self.store.clone(), self.full.clone());
            runtime.spawn(async move {
                if store.abort_upload(&full, &id).await.is_ok() {
                    store.open_uploads(|open| open.remove(&id));
                }
            });
        }
    }
}
