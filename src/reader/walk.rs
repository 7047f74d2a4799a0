use std::collections::HashMap;

use bytes::{Buf as _, Bytes};
use futures_util::TryStreamExt as _;

use super::{Pump, damaged};
use crate::archive::custom::{BlockDecoder, BlockEvent, BlockKind};
use crate::archive::toc::{Container, Toc};
use crate::archive::{Decoder, FormatError, FormatErrorKind};
use crate::codec::compress::{Algorithm, Shape};
use crate::error::Result;
use crate::store::{ByteStream, Key};
use crate::transfer::Inlet;

/// What a walk meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The head, always first.
    Head(Box<Toc>),
    /// A data block begins.
    Begin {
        /// What it holds.
        kind: BlockKind,
        /// Whose it is.
        dump_id: i32,
        /// Where it begins in the file.
        offset: u64,
    },
    /// A large object begins.
    LargeObject {
        /// Its number.
        oid: u32,
    },
    /// Decompressed bytes, never empty.
    Data(Bytes),
    /// The large object ends, its end mark was seen.
    LargeObjectEnd,
    /// The block ends, and with it the rows; their end mark was seen.
    End,
}

/// Goes through a custom archive in the order of its bytes.
///
/// After an error the walk can go on at the next block that is known: [`Walk::skip_to`].
pub struct Walk {
    stream: ByteStream,
    key: Key,
    stage: Stage,
    input: Bytes,
    algorithm: Algorithm,
    pump: Option<Pump>,
    kind: BlockKind,
    /// The only entry whose block may come.
    only: Option<i32>,
    /// The head, when a second table of contents may stand behind the data.
    first: Option<Box<Toc>>,
}

enum Stage {
    Head(Box<Decoder>),
    Blocks(BlockDecoder),
    /// In the second table of contents.
    Tail(Box<Decoder>),
    /// Behind it; where that is.
    Behind(u64),
}

impl Walk {
    /// Begins at the first byte of the file.
    pub fn new(stream: ByteStream, key: Key) -> Self {
        let stage = Stage::Head(Box::new(Decoder::new(Container::Custom)));
        Self::at(stream, key, stage, Algorithm::None, None)
    }

    /// Begins at the data block of this entry.
    pub(super) fn from_block(stream: ByteStream, key: Key, offset: u64, algorithm: Algorithm, dump_id: i32) -> Self {
        Self::at(stream, key, Stage::Blocks(BlockDecoder::new(offset)), algorithm, Some(dump_id))
    }

    fn at(stream: ByteStream, key: Key, stage: Stage, algorithm: Algorithm, only: Option<i32>) -> Self {
        Self {
            stream,
            key,
            stage,
            input: Bytes::new(),
            algorithm,
            pump: None,
            kind: BlockKind::Rows,
            only,
            first: None,
        }
    }

    /// Where the walk is in the file.
    pub fn offset(&self) -> u64 {
        match &self.stage {
            Stage::Head(head) | Stage::Tail(head) => head.offset(),
            Stage::Blocks(blocks) => blocks.offset(),
            Stage::Behind(offset) => *offset,
        }
    }

    /// The next item; `None` at the end of the file, which has to be the end of a block.
    pub async fn next(&mut self) -> Result<Option<Item>> {
        loop {
            if let Some(pump) = &mut self.pump
                && let Some(bytes) = pump.take().map_err(|error| damaged(&self.key, error))?
            {
                return Ok(Some(Item::Data(bytes)));
            }
            if let Some(item) = self.step()? {
                return Ok(Some(item));
            }
            if !self.input.is_empty() || self.pump.as_ref().is_some_and(Pump::is_fed) {
                continue;
            }
            match self.stream.try_next().await? {
                Some(bytes) => self.input = bytes,
                None => return self.end().map(|()| None).map_err(|error| damaged(&self.key, error)),
            }
        }
    }

    fn step(&mut self) -> Result<Option<Item>> {
        let blocks = match &mut self.stage {
            Stage::Head(head) => {
                if self.input.is_empty() {
                    return Ok(None);
                }
                let toc = head.push(&mut self.input).map_err(|error| damaged(&self.key, error))?;
                let Some(toc) = toc else { return Ok(None) };
                self.algorithm = toc.header.compression;
                self.stage = Stage::Blocks(BlockDecoder::new(head.offset()));
                self.first = toc.has_unknown_places().then(|| Box::new(toc.clone()));
                return Ok(Some(Item::Head(Box::new(toc))));
            }
            Stage::Tail(_) | Stage::Behind(_) => {
                return self.tail().map(|()| None).map_err(|error| damaged(&self.key, error));
            }
            Stage::Blocks(blocks) => blocks,
        };
        let offset = blocks.offset();
        if let Some(first) = &self.first
            && blocks.is_at_second_toc(&self.input)
        {
            self.stage = Stage::Tail(Box::new(Decoder::second(first, offset)));
            return Ok(None);
        }
        let event = blocks.next(&mut self.input).map_err(|error| damaged(&self.key, error))?;
        Ok(Some(match event {
            None => return Ok(None),
            Some(BlockEvent::Begin { kind, dump_id }) => {
                if let Some(expected) = self.only
                    && expected != dump_id
                {
                    let kind = FormatErrorKind::BlockId { expected, found: dump_id };
                    return Err(damaged(&self.key, FormatError { offset, kind }));
                }
                self.kind = kind;
                if kind == BlockKind::Rows {
                    self.begin_stream()?;
                }
                Item::Begin { kind, dump_id, offset }
            }
            Some(BlockEvent::LargeObject { oid }) => {
                self.begin_stream()?;
                Item::LargeObject { oid }
            }
            Some(BlockEvent::Data(bytes)) => {
                if let Some(pump) = &mut self.pump {
                    pump.feed(bytes);
                }
                return Ok(None);
            }
            Some(BlockEvent::LargeObjectEnd) => {
                self.end_stream()?;
                Item::LargeObjectEnd
            }
            Some(BlockEvent::End) => {
                if self.kind == BlockKind::Rows {
                    self.end_stream()?;
                }
                Item::End
            }
        }))
    }

    fn tail(&mut self) -> Result<(), FormatError> {
        if self.input.is_empty() {
            return Ok(());
        }
        let Stage::Tail(tail) = &mut self.stage else {
            return Err(FormatError { offset: self.offset(), kind: FormatErrorKind::Trailing });
        };
        let begin = tail.offset();
        let Some(second) = tail.push(&mut self.input)? else { return Ok(()) };
        self.stage = Stage::Behind(tail.offset());
        match &self.first {
            Some(first) if first.is_same_but_places(&second) => Ok(()),
            Some(_) | None => Err(FormatError { offset: begin, kind: FormatErrorKind::SecondToc }),
        }
    }

    fn begin_stream(&mut self) -> Result<()> {
        let pump = Pump::new(self.algorithm, Shape::Block).map_err(|error| damaged(&self.key, error))?;
        self.pump = Some(pump);
        Ok(())
    }

    fn end_stream(&mut self) -> Result<()> {
        match self.pump.take() {
            Some(pump) => pump.finish().map_err(|error| damaged(&self.key, error)),
            None => Ok(()),
        }
    }

    fn end(&self) -> Result<(), FormatError> {
        match &self.stage {
            Stage::Head(head) | Stage::Tail(head) => Err(head.truncated()),
            Stage::Blocks(blocks) => blocks.finish(),
            Stage::Behind(_) => Ok(()),
        }
    }

    /// How many bytes of the file were taken: after an error, where going on can begin.
    pub fn position(&self) -> u64 {
        match &self.stage {
            Stage::Head(head) | Stage::Tail(head) => head.offset(),
            Stage::Blocks(blocks) => blocks.position(),
            Stage::Behind(offset) => *offset,
        }
    }

    /// Goes on after damage at `offset`, where a block begins, behind [`Walk::position`]. Fails only when the bytes between
    /// cannot be read.
    pub async fn skip_to(&mut self, offset: u64) -> Result<()> {
        let position = self.position();
        self.pump = None;
        let mut left = offset.saturating_sub(position);
        loop {
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(self.input.len());
            self.input.advance(now);
            left -= now as u64;
            if left == 0 {
                break;
            }
            match self.stream.try_next().await? {
                Some(bytes) => self.input = bytes,
                None => break,
            }
        }
        self.stage = Stage::Blocks(BlockDecoder::new(offset));
        Ok(())
    }

    /// Reads to the end of the file without decoding.
    pub async fn drain(&mut self) -> Result<()> {
        self.input.clear();
        while self.stream.try_next().await?.is_some() {}
        Ok(())
    }
}

/// Where each entry's data block begins: reads the file once, decompressing nothing.
pub(super) async fn block_offsets(inlet: &Inlet) -> Result<HashMap<i32, u64>> {
    let mut stream = inlet.stream(0..inlet.size());
    let mut head = Decoder::new(Container::Custom);
    let mut blocks = None;
    let mut found = HashMap::new();
    while let Some(mut input) = stream.try_next().await? {
        if blocks.is_none() && head.push(&mut input).map_err(|error| damaged(inlet.key(), error))?.is_some() {
            blocks = Some(BlockDecoder::new(head.offset()));
        }
        let Some(blocks) = &mut blocks else { continue };
        loop {
            // it repeats what is known
            if blocks.is_at_second_toc(&input) {
                return Ok(found);
            }
            let offset = blocks.offset();
            match blocks.next(&mut input).map_err(|error| damaged(inlet.key(), error))? {
                Some(BlockEvent::Begin { dump_id, .. }) => {
                    if found.insert(dump_id, offset).is_some() {
                        let kind = FormatErrorKind::DumpId(dump_id);
                        return Err(damaged(inlet.key(), FormatError { offset, kind }));
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
    }
    match blocks {
        Some(blocks) => blocks.finish().map_err(|error| damaged(inlet.key(), error))?,
        None => return Err(damaged(inlet.key(), head.truncated())),
    }
    Ok(found)
}
