//! Deflate as a zlib stream or as a gzip file of one or more members.

use bytes::BytesMut;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use std::fmt;

use super::{CodecError, DECODER_STEP, Flow, Shape};

const CODEC: &str = "gzip";
const WINDOW_BITS: u8 = 15;
const SCRATCH: usize = 64 << 10;

fn failed(problem: impl fmt::Display) -> CodecError {
    CodecError::Compressor { codec: CODEC, problem: problem.to_string() }
}

fn corrupt(problem: impl fmt::Display) -> CodecError {
    CodecError::Corrupt { codec: CODEC, problem: problem.to_string() }
}

pub(super) struct Encoder {
    deflate: Compress,
    shape: Shape,
    scratch: Vec<u8>,
}

impl Encoder {
    pub(super) fn new(level: i32, shape: Shape) -> Self {
        let level = flate2::Compression::new(level.clamp(0, 9).unsigned_abs());
        let deflate = match shape {
            Shape::Block => Compress::new(level, true),
            Shape::File => Compress::new_gzip(level, WINDOW_BITS),
        };
        Self { deflate, shape, scratch: vec![0; SCRATCH] }
    }

    pub(super) fn push(&mut self, mut input: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        while !input.is_empty() {
            self.step(&mut input, out, FlushCompress::None)?;
        }
        Ok(())
    }

    fn step(&mut self, input: &mut &[u8], out: &mut BytesMut, flush: FlushCompress) -> Result<Status, CodecError> {
        let (taken, given) = (self.deflate.total_in(), self.deflate.total_out());
        let status = self.deflate.compress(input, &mut self.scratch, flush).map_err(failed)?;
        let taken = usize::try_from(self.deflate.total_in() - taken).map_err(failed)?;
        let given = usize::try_from(self.deflate.total_out() - given).map_err(failed)?;
        *input = input.get(taken..).unwrap_or_default();
        out.extend_from_slice(self.scratch.get(..given).unwrap_or_default());
        Ok(status)
    }

    fn end(&mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        loop {
            match self.step(&mut &[][..], out, FlushCompress::Finish)? {
                Status::StreamEnd => return Ok(()),
                Status::Ok | Status::BufError => {}
            }
        }
    }

    pub(super) fn end_frame(&mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        match self.shape {
            Shape::Block => Ok(()),
            Shape::File => {
                self.end(out)?;
                self.deflate.reset();
                Ok(())
            }
        }
    }

    pub(super) fn finish(mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        self.end(out)
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").field("shape", &self.shape).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing of a stream or member was read yet; `seen` tells whether one came before.
    Between { seen: bool },
    /// Inside a stream or member.
    Inside,
}

pub(super) struct Decoder {
    inflate: Decompress,
    shape: Shape,
    state: State,
    scratch: Vec<u8>,
}

impl Decoder {
    pub(super) fn new(shape: Shape) -> Self {
        Self { inflate: inflate(shape), shape, state: State::Between { seen: false }, scratch: vec![0; SCRATCH] }
    }

    pub(super) fn push(&mut self, input: &mut &[u8], out: &mut BytesMut) -> Result<Flow, CodecError> {
        let bound = out.len() + DECODER_STEP;
        loop {
            if out.len() >= bound {
                return Ok(Flow::Full);
            }
            match self.state {
                State::Between { .. } if input.is_empty() => return Ok(Flow::Drained),
                State::Between { seen: true } => match self.shape {
                    Shape::Block => return Err(corrupt("bytes follow the end of the stream")),
                    Shape::File => {
                        self.inflate = inflate(self.shape);
                        self.state = State::Inside;
                    }
                },
                State::Between { seen: false } => self.state = State::Inside,
                State::Inside => {}
            }
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let status =
                self.inflate.decompress(input, &mut self.scratch, FlushDecompress::None).map_err(
                    |error| match error.needs_dictionary() {
                        Some(_) => corrupt("it asks for a dictionary"),
                        None => corrupt(error),
                    },
                )?;
            let taken = usize::try_from(self.inflate.total_in() - before_in).map_err(corrupt)?;
            let given = usize::try_from(self.inflate.total_out() - before_out).map_err(corrupt)?;
            *input = input.get(taken..).unwrap_or_default();
            out.extend_from_slice(self.scratch.get(..given).unwrap_or_default());
            match status {
                Status::StreamEnd => self.state = State::Between { seen: true },
                // no progress although there is room: more input is needed
                Status::Ok | Status::BufError if given == 0 && taken == 0 => {
                    return if input.is_empty() { Ok(Flow::Drained) } else { Err(corrupt("it makes no progress")) };
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), CodecError> {
        match self.state {
            State::Between { seen: true } => Ok(()),
            State::Between { seen: false } | State::Inside => Err(CodecError::Truncated { codec: CODEC }),
        }
    }
}

fn inflate(shape: Shape) -> Decompress {
    match shape {
        Shape::Block => Decompress::new(true),
        Shape::File => Decompress::new_gzip(WINDOW_BITS),
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("shape", &self.shape).field("state", &self.state).finish_non_exhaustive()
    }
}
