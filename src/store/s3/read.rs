//! An object's bytes on their way here. A connection that breaks is opened again where it broke, and only for the same object.

use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use super::fault::{Failure, chain, judge};
use super::retry::{Outage, no_answer, silence};
use super::{S3Store, missing, out_of_range, replaced, size_of};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{ByteStream, Key, Store as _};

/// A range of an object, or all of it, read piece by piece.
pub(super) struct Reading {
    store: S3Store,
    key: Key,
    full: String,
    doing: String,
    /// What is still to come; the end is not known where a server does not tell an object's size.
    next: u64,
    end: Option<u64>,
    is_whole: bool,
    /// What the object is recognised by.
    tag: Option<String>,
    body: Option<Body>,
    outage: Outage,
}

impl Reading {
    /// Asks for the bytes; with `tag` only those of the object that has it.
    pub(super) async fn open(
        store: &S3Store,
        key: &Key,
        range: Option<Range<u64>>,
        tag: Option<String>,
    ) -> Result<ByteStream> {
        if range.as_ref().is_some_and(Range::is_empty) {
            return Ok(stream::empty().boxed());
        }
        let full = store.full(key.as_str());
        let mut reading = Self {
            store: store.clone(),
            key: key.clone(),
            doing: format!("could not read s3://{}/{full}", store.bucket()),
            full,
            next: range.as_ref().map_or(0, |range| range.start),
            end: range.as_ref().map(|range| range.end),
            is_whole: range.is_none(),
            tag,
            body: None,
            outage: store.outage(),
        };
        // what is wrong with the object itself is told now
        reading.request().await?;
        Ok(stream::try_unfold(reading, |mut reading| async move {
            match Box::pin(reading.piece()).await? {
                Some(bytes) => Ok(Some((bytes, reading))),
                None => Ok(None),
            }
        })
        .boxed())
    }

    /// The next bytes, never empty; `None` behind the last one.
    async fn piece(&mut self) -> Result<Option<Bytes>> {
        let silence = silence(self.store.settings().retry);
        loop {
            if self.end.is_some_and(|end| self.next >= end) {
                return Ok(None);
            }
            let body = match &mut self.body {
                Some(body) => body,
                None => self.request().await?,
            };
            let begun = Instant::now();
            let failure = match tokio::time::timeout(silence, body.next()).await {
                Ok(Some(Ok(bytes))) if bytes.is_empty() => continue,
                Ok(Some(Ok(mut bytes))) => {
                    let left = self.end.map_or(u64::MAX, |end| end - self.next);
                    bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
                    self.next += bytes.len() as u64;
                    self.outage = self.store.outage();
                    return Ok(Some(bytes));
                }
                Ok(None) if self.end.is_none() => return Ok(None),
                Ok(None) => self.broken("the connection ended early"),
                Ok(Some(Err(error))) => self.broken(&chain(&error)),
                Err(_) => no_answer(&self.doing, silence),
            };
            self.body = None;
            let place = self.next;
            let waited = self.outage.wait(&self.store, begun, failure).await;
            waited.map_err(|failure| failure.error.more_detail(&format!("at byte {place}")))?;
        }
    }

    fn broken(&self, detail: &str) -> Failure {
        let error = Error::new(ErrorKind::Throttled, &*self.doing).detail(detail);
        Failure { error, status: None, code: None, again: true, after: None }
    }

    /// Asks for what is still to come.
    async fn request(&mut self) -> Result<&mut Body> {
        let range = match (self.is_whole && self.next == 0, self.end) {
            (true, _) => None,
            (false, Some(end)) => Some(format!("bytes={}-{}", self.next, end - 1)),
            (false, None) => Some(format!("bytes={}-", self.next)),
        };
        let asked = self
            .store
            .ask(&self.doing, |_| {
                let client = self.store.client();
                let request = client
                    .get_object()
                    .bucket(self.store.bucket())
                    .key(&self.full)
                    .set_range(range.clone())
                    .set_if_match(self.tag.clone());
                async { request.send().await.map_err(|error| judge(&self.doing, error)) }
            })
            .await;
        let object = match asked {
            Ok(object) => object,
            Err(failure) if failure.is_missing() => return Err(missing(&self.store, &self.key)),
            Err(failure) if failure.status == Some(412) => return Err(replaced(&self.key)),
            Err(failure) if failure.status == Some(416) => {
                let size = self.store.head(&self.key).await?.map_or(0, |info| info.size);
                return Err(out_of_range(&self.key, &(self.next..self.end.unwrap_or(self.next)), size));
            }
            Err(failure) => return Err(failure.error),
        };
        self.check(&object)?;
        Ok(self.body.insert(object.body))
    }

    /// Whether the answer is what was asked for: the same object, and the range.
    fn check(&mut self, object: &GetObjectOutput) -> Result<()> {
        match (&self.tag, object.e_tag()) {
            // a server that does not know the condition has ignored it
            (Some(expected), Some(found)) if expected != found => return Err(replaced(&self.key)),
            (None, Some(found)) => self.tag = Some(found.to_owned()),
            _ => {}
        }
        let length = object.content_length().map(|length| size_of(Some(length)));
        let Some(end) = self.end else {
            self.end = length.map(|length| self.next + length);
            return Ok(());
        };
        let wanted = end - self.next;
        if length.unwrap_or_default() == wanted {
            return Ok(());
        }
        let whole = if object.content_range().is_none() { " and not as a range" } else { "" };
        let message = format!("object \"{}\" is too short or the server ignores ranges", self.key);
        Err(Error::new(ErrorKind::Archive, message).detail(format!(
            "{} bytes came{whole} for {} to {end}",
            length.unwrap_or_default(),
            self.next
        )))
    }
}
