//! LZ4 frames (lz4/doc/lz4_Frame_format.md).
//!
//! The frame reader is our own: the `lz4` crate reads from a `Read` only, and a block in a frame of pg_dump refers to the
//! 64 KiB before it.

use bytes::{Buf as _, BytesMut};
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use xxhash_rust::xxh32::{Xxh32, xxh32};

use super::{CodecError, DECODER_STEP, Flow, Shape};

const CODEC: &str = "lz4";
const MAGIC: u32 = 0x184D_2204;
const SKIPPABLE_MAGIC: u32 = 0x184D_2A50;
const UNCOMPRESSED: u32 = 1 << 31;
/// How far back a block may refer.
const HISTORY: usize = 64 << 10;

fn failed(error: io::Error) -> CodecError {
    CodecError::Compressor { codec: CODEC, problem: error.to_string() }
}

fn corrupt<T>(problem: impl fmt::Display) -> Result<T, CodecError> {
    Err(CodecError::Corrupt { codec: CODEC, problem: problem.to_string() })
}

/// Where the `lz4` crate's encoder writes to; it lends its writer out only for reading, so the buffer is shared.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn drain_to(&self, out: &mut BytesMut) {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.extend_from_slice(&bytes);
        bytes.clear();
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) struct Encoder {
    level: u32,
    written: Written,
    frame: Option<lz4::Encoder<Written>>,
}

impl Encoder {
    pub(super) fn new(level: i32) -> Result<Self, CodecError> {
        let mut encoder = Self { level: level.max(0).unsigned_abs(), written: Written::default(), frame: None };
        encoder.begin_frame()?;
        Ok(encoder)
    }

    fn begin_frame(&mut self) -> Result<&mut lz4::Encoder<Written>, CodecError> {
        let frame = lz4::EncoderBuilder::new()
            .level(self.level)
            .block_size(lz4::BlockSize::Max256KB)
            .checksum(lz4::ContentChecksum::ChecksumEnabled)
            .build(self.written.clone())
            .map_err(failed)?;
        Ok(self.frame.insert(frame))
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        let frame = match &mut self.frame {
            Some(frame) => frame,
            None => self.begin_frame()?,
        };
        frame.write_all(input).map_err(failed)?;
        self.written.drain_to(out);
        Ok(())
    }

    pub(super) fn end_frame(&mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        if let Some(frame) = self.frame.take() {
            frame.finish().1.map_err(failed)?;
        }
        self.written.drain_to(out);
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        self.end_frame(out)
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("level", &self.level).finish_non_exhaustive()
    }
}

/// What a frame's header says.
struct Frame {
    independent: bool,
    block_checksum: bool,
    block_max: usize,
    content_size: Option<u64>,
    content: Option<Xxh32>,
    produced: u64,
}

enum State {
    /// Before a frame.
    Between,
    /// In the header of a skippable frame, then inside it.
    SkipLength,
    Skip(usize),
    /// Magic read.
    Header,
    BlockLength(Frame),
    Block {
        frame: Frame,
        length: usize,
        uncompressed: bool,
    },
    ContentChecksum(Frame),
}

pub(super) struct Decoder {
    state: State,
    /// Nothing was read, although an end mark is needed.
    pristine: bool,
    /// Bytes of the field or block that is not complete yet; never more than a block.
    held: BytesMut,
    /// The end of what the frame gave out, then the block being decoded.
    window: Vec<u8>,
}

impl Decoder {
    pub(super) fn new(shape: Shape) -> Self {
        Self { state: State::Between, pristine: shape == Shape::Block, held: BytesMut::new(), window: Vec::new() }
    }

    /// Whether `held` could be filled up to `length` from the input.
    fn gather(&mut self, input: &mut &[u8], length: usize) -> bool {
        let missing = length.saturating_sub(self.held.len()).min(input.len());
        let (now, rest) = input.split_at(missing);
        self.held.extend_from_slice(now);
        *input = rest;
        self.held.len() >= length
    }

    fn take_u32(&mut self, input: &mut &[u8]) -> Option<u32> {
        self.gather(input, 4).then(|| self.held.get_u32_le())
    }

    pub(super) fn push(&mut self, input: &mut &[u8], out: &mut BytesMut) -> Result<Flow, CodecError> {
        let bound = out.len() + DECODER_STEP;
        while !input.is_empty() {
            if out.len() >= bound {
                return Ok(Flow::Full);
            }
            self.pristine = false;
            let state = std::mem::replace(&mut self.state, State::Between);
            self.state = self.step(state, input, out)?;
        }
        Ok(Flow::Drained)
    }

    fn step(&mut self, state: State, input: &mut &[u8], out: &mut BytesMut) -> Result<State, CodecError> {
        match state {
            State::Between => match self.take_u32(input) {
                None => Ok(State::Between),
                Some(MAGIC) => Ok(State::Header),
                Some(magic) if magic & !0xF == SKIPPABLE_MAGIC => Ok(State::SkipLength),
                Some(magic) => corrupt(format_args!("{magic:08x} does not begin a frame")),
            },
            State::SkipLength => match self.take_u32(input) {
                None => Ok(State::SkipLength),
                Some(length) => Ok(State::Skip(usize::try_from(length).unwrap_or(usize::MAX))),
            },
            State::Skip(0) => Ok(State::Between),
            State::Skip(length) => {
                let now = length.min(input.len());
                *input = input.get(now..).unwrap_or_default();
                Ok(if now == length { State::Between } else { State::Skip(length - now) })
            }
            State::Header => self.header(input),
            State::BlockLength(frame) => self.block_length(frame, input),
            State::Block { frame, length, uncompressed } => {
                let checksum_length = if frame.block_checksum { 4 } else { 0 };
                if self.gather(input, length + checksum_length) {
                    self.block(frame, length, uncompressed, out)
                } else {
                    Ok(State::Block { frame, length, uncompressed })
                }
            }
            State::ContentChecksum(frame) => match self.take_u32(input) {
                None => Ok(State::ContentChecksum(frame)),
                Some(checksum) if frame.content.as_ref().is_some_and(|content| content.digest() != checksum) => {
                    corrupt("the content does not match its checksum")
                }
                Some(_) => self.end(&frame),
            },
        }
    }

    fn header(&mut self, input: &mut &[u8]) -> Result<State, CodecError> {
        if !self.gather(input, 2) {
            return Ok(State::Header);
        }
        let Some(&[flags, block]) = self.held.first_chunk::<2>() else { return Ok(State::Header) };
        if flags >> 6 != 1 || flags & 0b10 != 0 || block & 0b1000_1111 != 0 {
            return corrupt("a frame header has unknown flags");
        }
        if flags & 1 != 0 {
            return corrupt("it asks for a dictionary");
        }
        let has_size = flags & 0b1000 != 0;
        let described = if has_size { 10 } else { 2 };
        if !self.gather(input, described + 1) {
            return Ok(State::Header);
        }
        let descriptor = self.held.split_to(described);
        let checksum = self.held.get_u8();
        if xxh32(&descriptor, 0).to_le_bytes().get(1) != Some(&checksum) {
            return corrupt("a frame header does not match its checksum");
        }
        let block_max = match (block >> 4) & 7 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            other => return corrupt(format_args!("there is no block size {other}")),
        };
        self.window.clear();
        Ok(State::BlockLength(Frame {
            independent: flags & 0b10_0000 != 0,
            block_checksum: flags & 0b1_0000 != 0,
            block_max,
            content_size: if has_size { descriptor.get(2..).map(|mut size| size.get_u64_le()) } else { None },
            content: (flags & 0b100 != 0).then(|| Xxh32::new(0)),
            produced: 0,
        }))
    }

    fn block_length(&mut self, frame: Frame, input: &mut &[u8]) -> Result<State, CodecError> {
        let Some(word) = self.take_u32(input) else { return Ok(State::BlockLength(frame)) };
        if word == 0 {
            return if frame.content.is_some() { Ok(State::ContentChecksum(frame)) } else { self.end(&frame) };
        }
        let length = usize::try_from(word & !UNCOMPRESSED).unwrap_or(usize::MAX);
        if length == 0 || length > frame.block_max {
            return corrupt(format_args!("a block of {length} bytes is not from 1 to {}", frame.block_max));
        }
        Ok(State::Block { frame, length, uncompressed: word & UNCOMPRESSED != 0 })
    }

    fn block(
        &mut self,
        mut frame: Frame,
        length: usize,
        uncompressed: bool,
        out: &mut BytesMut,
    ) -> Result<State, CodecError> {
        let block = self.held.split_to(length);
        if frame.block_checksum && self.held.get_u32_le() != xxh32(&block, 0) {
            return corrupt("a block does not match its checksum");
        }
        if frame.independent {
            self.window.clear();
        } else if self.window.len() > HISTORY {
            self.window.drain(..self.window.len() - HISTORY);
        }
        let history = self.window.len();
        if uncompressed {
            self.window.extend_from_slice(&block);
        } else {
            self.window.resize(history + frame.block_max, 0);
            let (dictionary, room) = self.window.split_at_mut(history);
            let produced = match lz4_flex::block::decompress_into_with_dict(&block, room, dictionary) {
                Ok(produced) => produced,
                Err(error) => return corrupt(error),
            };
            self.window.truncate(history + produced);
        }
        let fresh = self.window.get(history..).unwrap_or_default();
        if let Some(content) = &mut frame.content {
            content.update(fresh);
        }
        frame.produced += fresh.len() as u64;
        out.extend_from_slice(fresh);
        Ok(State::BlockLength(frame))
    }

    fn end(&mut self, frame: &Frame) -> Result<State, CodecError> {
        match frame.content_size {
            Some(size) if size != frame.produced => {
                corrupt(format_args!("a frame says {size} bytes and holds {}", frame.produced))
            }
            Some(_) | None => Ok(State::Between),
        }
    }

    pub(super) fn finish(self) -> Result<(), CodecError> {
        match self.state {
            State::Between | State::Skip(0) if self.held.is_empty() && !self.pristine => Ok(()),
            State::Between
            | State::SkipLength
            | State::Skip(_)
            | State::Header
            | State::BlockLength(_)
            | State::Block { .. }
            | State::ContentChecksum(_) => Err(CodecError::Truncated { codec: CODEC }),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("held", &self.held.len()).finish_non_exhaustive()
    }
}
