use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use futures_util::TryStreamExt as _;

use super::{Archive, Place, damaged};
use crate::archive::tar::{BLOCK, Content, Decoder, Event};
use crate::archive::toc::Toc;
use crate::archive::{FormatError, FormatErrorKind};
use crate::error::{Error, Result};
use crate::store::ByteStream;
use crate::transfer::Inlet;

/// A member's bytes are passed over by reading them up to this size; a new request for what lies behind a larger one costs
/// less.
const READ_OVER_MAX: u64 = 1 << 20;

/// Where the data of a tar archive lies.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Rows by the dump id of their entry.
    pub(super) rows: HashMap<i32, Range<u64>>,
    /// Large objects by the dump id of their entry, in the archive's order.
    pub(super) large_objects: HashMap<i32, Vec<LargeObject>>,
}

/// A member with a large object.
#[derive(Clone, Debug)]
pub(super) struct LargeObject {
    pub(super) oid: u32,
    pub(super) place: Range<u64>,
}

impl Members {
    pub(super) fn stored_bytes(&self, dump_id: i32) -> Option<u64> {
        let length = |place: &Range<u64>| place.end - place.start;
        match self.rows.get(&dump_id) {
            Some(place) => Some(length(place)),
            None => Some(self.large_objects.get(&dump_id)?.iter().map(|object| length(&object.place)).sum()),
        }
    }
}

/// Opens a tar archive: reads the headers of all members.
pub async fn open_tar(inlet: Inlet) -> Result<Archive> {
    let mut scan = Scan::new(&inlet);
    let mut toc = None;
    let mut members = Members::default();
    while let Some(event) = scan.next().await? {
        match event {
            Event::Head(head) => {
                let entries = head.entries.iter().filter(|entry| entry.is_large_objects());
                members.large_objects.extend(entries.map(|entry| (entry.dump_id, Vec::new())));
                toc = Some(*head);
            }
            Event::Begin { content: Content::Rows { dump_id }, place } => {
                members.rows.insert(dump_id, place);
            }
            Event::Begin { content: Content::LargeObject { dump_id, oid }, place } => {
                members.large_objects.entry(dump_id).or_default().push(LargeObject { oid, place });
            }
            Event::Data(_) | Event::End | Event::LargeObjectsEnd { .. } => {}
        }
    }
    let Some(toc) = toc else { return Err(headless(&inlet)) };
    Ok(Archive { toc: Arc::new(toc), place: Place::Tar { inlet, members: Arc::new(members) } })
}

/// Reads the table of contents of a tar archive and nothing behind it.
pub async fn read_tar_head(inlet: &Inlet) -> Result<Toc> {
    match Scan::new(inlet).next().await? {
        Some(Event::Head(toc)) => Ok(*toc),
        Some(_) | None => Err(headless(inlet)),
    }
}

fn broken(inlet: &Inlet, error: &FormatError) -> Error {
    let damaged = damaged(inlet.key(), error);
    // what a tar program packed begins otherwise
    if error.offset < BLOCK as u64 {
        return damaged
            .hint("Of tar files only pg_dump's own are read; unpack a directory archive that was packed by tar.");
    }
    damaged
}

fn headless(inlet: &Inlet) -> Error {
    broken(inlet, &FormatError { offset: inlet.size(), kind: FormatErrorKind::Truncated })
}

/// Goes through an archive from header to header.
struct Scan<'a> {
    inlet: &'a Inlet,
    decoder: Decoder,
    stream: ByteStream,
    /// Where the first byte of `input` lies in the file.
    position: u64,
    input: Bytes,
}

impl<'a> Scan<'a> {
    fn new(inlet: &'a Inlet) -> Self {
        let stream = inlet.stream(0..inlet.size());
        Self { inlet, decoder: Decoder::new(Some(inlet.size())), stream, position: 0, input: Bytes::new() }
    }

    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            let held = self.input.len() as u64;
            let event = self.decoder.next(&mut self.input).map_err(|error| broken(self.inlet, &error))?;
            self.position += held - self.input.len() as u64;
            if let Some(event) = event {
                if matches!(event, Event::Begin { .. }) {
                    self.decoder.skip_data();
                    self.go_on(self.decoder.position()).await?;
                }
                return Ok(Some(event));
            }
            if !self.fill().await? {
                self.decoder.finish().map_err(|error| broken(self.inlet, &error))?;
                return Ok(None);
            }
        }
    }

    /// Gets more bytes; false at the end of the file.
    async fn fill(&mut self) -> Result<bool> {
        match self.stream.try_next().await? {
            Some(bytes) => self.input = bytes,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Goes on at a place behind the present one.
    async fn go_on(&mut self, place: u64) -> Result<()> {
        if place.saturating_sub(self.position) > READ_OVER_MAX + self.input.len() as u64 {
            self.input.clear();
            self.position = place;
            self.stream = self.inlet.stream(place..self.inlet.size());
        }
        while self.position < place {
            let length = usize::try_from(place - self.position).unwrap_or(usize::MAX).min(self.input.len());
            self.input.advance(length);
            self.position += length as u64;
            if self.position < place && !self.fill().await? {
                break;
            }
        }
        Ok(())
    }
}
