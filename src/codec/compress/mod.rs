//! Compression of an archive's data: what `-Z` says, encoders and decoders.
//!
//! gzip has two shapes. A data block of the custom format holds one zlib stream; a file of the directory format, or a
//! plain dump, is a gzip file. lz4 and zstd are their frame formats in both places.

use std::fmt;

use bytes::BytesMut;

use super::{CodecError, Stage, Summary};

mod gzip;
mod lz4;
mod setting;
mod zstd;

/// How data is compressed; [`str::parse`] reads what `pg_dump -Z` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Bytes as they are.
    None,
    /// Deflate, level 1 to 9.
    Gzip {
        /// 1 to 9.
        level: i32,
    },
    /// LZ4 frames, level 1 to 12; 0 is the library's default.
    Lz4 {
        /// 0 to 12.
        level: i32,
    },
    /// Zstandard frames.
    Zstd {
        /// -131072 to 22.
        level: i32,
        /// Finds repetitions up to 128 MiB back, for as much memory on both sides.
        long: bool,
    },
}

impl Compression {
    /// What is used when nobody chose.
    pub const DEFAULT: Self = Self::Zstd { level: 3, long: false };

    /// The algorithm without its settings.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::None => Algorithm::None,
            Self::Gzip { .. } => Algorithm::Gzip,
            Self::Lz4 { .. } => Algorithm::Lz4,
            Self::Zstd { .. } => Algorithm::Zstd,
        }
    }
}

/// What is needed to decompress: the algorithm, without settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Bytes as they are.
    None,
    /// Deflate.
    Gzip,
    /// LZ4 frames.
    Lz4,
    /// Zstandard frames.
    Zstd,
}

impl Algorithm {
    /// Every algorithm, for tables and tests.
    pub const ALL: [Self; 4] = [Self::None, Self::Gzip, Self::Lz4, Self::Zstd];

    /// The name in `-Z`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// What a file name gets appended: `.gz`, `.lz4`, `.zst`, or nothing.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Lz4 => ".lz4",
            Self::Zstd => ".zst",
        }
    }

    /// The algorithm that a file's name tells, and the name without its suffix.
    pub fn of_file_name(name: &str) -> (Self, &str) {
        for algorithm in [Self::Gzip, Self::Lz4, Self::Zstd] {
            if let Some(stem) = name.strip_suffix(algorithm.suffix()) {
                return (algorithm, stem);
            }
        }
        (Self::None, name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the compressed bytes stand, which decides the shape of gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The pieces of a data block of the custom format: gzip is a zlib stream.
    Block,
    /// A file: gzip is a gzip file.
    File,
}

/// Compresses a stream.
#[derive(Debug)]
pub struct Encoder {
    inner: EncoderKind,
    summary: Summary,
}

#[derive(Debug)]
enum EncoderKind {
    None,
    Gzip(gzip::Encoder),
    Lz4(lz4::Encoder),
    Zstd(zstd::Encoder),
}

impl Encoder {
    /// Begins a stream.
    pub fn new(compression: Compression, shape: Shape) -> Result<Self, CodecError> {
        let inner = match compression {
            Compression::None => EncoderKind::None,
            Compression::Gzip { level } => EncoderKind::Gzip(gzip::Encoder::new(level, shape)),
            Compression::Lz4 { level } => EncoderKind::Lz4(lz4::Encoder::new(level)?),
            Compression::Zstd { level, long } => EncoderKind::Zstd(zstd::Encoder::new(level, long)?),
        };
        Ok(Self { inner, summary: Summary::default() })
    }

    /// Whether what was given out so far ends with a whole frame. Known for zstd without `long` only. A custom
    /// archive's piece must end there, since pg_restore passes over what follows a frame's end within a piece.
    pub fn is_between_frames(&self) -> bool {
        match &self.inner {
            EncoderKind::Zstd(encoder) => encoder.is_between_frames(),
            EncoderKind::None | EncoderKind::Gzip(_) | EncoderKind::Lz4(_) => false,
        }
    }

    /// Ends the frame, so that what was pushed can be decoded, and begins another one in the same stream.
    ///
    /// For gzip in the shape [`Shape::Block`] there is no such thing (a zlib stream has one end), and nothing happens.
    pub fn end_frame(&mut self, out: &mut BytesMut) -> Result<(), CodecError> {
        let before = out.len();
        match &mut self.inner {
            EncoderKind::None => {}
            EncoderKind::Gzip(encoder) => encoder.end_frame(out)?,
            EncoderKind::Lz4(encoder) => encoder.end_frame(out)?,
            EncoderKind::Zstd(encoder) => encoder.end_frame(out)?,
        }
        self.summary.output += (out.len() - before) as u64;
        Ok(())
    }
}

impl Stage for Encoder {
    fn push(&mut self, input: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        let before = out.len();
        match &mut self.inner {
            EncoderKind::None => out.extend_from_slice(input),
            EncoderKind::Gzip(encoder) => encoder.push(input, out)?,
            EncoderKind::Lz4(encoder) => encoder.push(input, out)?,
            EncoderKind::Zstd(encoder) => encoder.push(input, out)?,
        }
        self.summary.input += input.len() as u64;
        self.summary.output += (out.len() - before) as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut BytesMut) -> Result<Summary, CodecError> {
        let Self { inner, mut summary } = *self;
        let before = out.len();
        match inner {
            EncoderKind::None => {}
            EncoderKind::Gzip(encoder) => encoder.finish(out)?,
            EncoderKind::Lz4(encoder) => encoder.finish(out)?,
            EncoderKind::Zstd(encoder) => encoder.finish(out)?,
        }
        summary.output += (out.len() - before) as u64;
        Ok(summary)
    }
}

/// Whether a push gave out all that its input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// The input is used up and its output is out.
    Drained,
    /// The output reached its bound: take it away and push again what is left of the input.
    Full,
}

/// Decompresses a stream that may be hostile.
///
/// Several frames (zstd, lz4) or members (gzip files) may follow each other. A stream is good only when it ends with its
/// end mark: [`Decoder::finish`] fails otherwise. One exception: a file for lz4 or zstd may be empty, because pg_dump
/// writes nothing at all for an empty large object.
#[derive(Debug)]
pub struct Decoder {
    inner: DecoderKind,
    summary: Summary,
}

#[derive(Debug)]
enum DecoderKind {
    None,
    Gzip(gzip::Decoder),
    Lz4(lz4::Decoder),
    Zstd(zstd::Decoder),
}

/// One push gives out about this much at most.
pub const DECODER_STEP: usize = 256 << 10;

impl Decoder {
    /// Begins to read a stream. zstd windows above 128 MiB are refused when they are met.
    pub fn new(algorithm: Algorithm, shape: Shape) -> Result<Self, CodecError> {
        let inner = match algorithm {
            Algorithm::None => DecoderKind::None,
            Algorithm::Gzip => DecoderKind::Gzip(gzip::Decoder::new(shape)),
            Algorithm::Lz4 => DecoderKind::Lz4(lz4::Decoder::new(shape)),
            Algorithm::Zstd => DecoderKind::Zstd(zstd::Decoder::new(shape)?),
        };
        Ok(Self { inner, summary: Summary::default() })
    }

    /// Takes from the front of `input` and appends to `out`, until the input is used up and all that it holds is out, or
    /// until `out` has grown by about [`DECODER_STEP`] (at most one lz4 block, 4 MiB, more).
    pub fn push(&mut self, input: &mut &[u8], out: &mut BytesMut) -> Result<Flow, CodecError> {
        let (left, before) = (input.len(), out.len());
        let flow = match &mut self.inner {
            DecoderKind::None => {
                let (now, rest) = input.split_at(input.len().min(DECODER_STEP));
                out.extend_from_slice(now);
                *input = rest;
                if rest.is_empty() { Flow::Drained } else { Flow::Full }
            }
            DecoderKind::Gzip(decoder) => decoder.push(input, out)?,
            DecoderKind::Lz4(decoder) => decoder.push(input, out)?,
            DecoderKind::Zstd(decoder) => decoder.push(input, out)?,
        };
        self.summary.input += (left - input.len()) as u64;
        self.summary.output += (out.len() - before) as u64;
        Ok(flow)
    }

    /// Hands everything that `input` holds to `take`, in bounded pieces; `buffer` is working space.
    ///
    /// The error is the caller's own type, so that a failing consumer stops the decoder.
    pub fn push_all<E: From<CodecError>>(
        &mut self,
        mut input: &[u8],
        buffer: &mut BytesMut,
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        loop {
            buffer.clear();
            let flow = self.push(&mut input, buffer)?;
            if !buffer.is_empty() {
                take(buffer)?;
            }
            match flow {
                Flow::Drained => return Ok(()),
                Flow::Full => {}
            }
        }
    }

    /// Fails when the stream is not at its end mark.
    pub fn finish(self) -> Result<Summary, CodecError> {
        match self.inner {
            DecoderKind::None => {}
            DecoderKind::Gzip(decoder) => decoder.finish()?,
            DecoderKind::Lz4(decoder) => decoder.finish()?,
            DecoderKind::Zstd(decoder) => decoder.finish()?,
        }
        Ok(self.summary)
    }
}

/// Decompresses a stream of which everything is there; refuses more than `limit` bytes of output.
///
/// For small streams (a TOC that somebody compressed) and for tests.
pub fn decompress(algorithm: Algorithm, shape: Shape, mut input: &[u8], limit: usize) -> Result<Vec<u8>, CodecError> {
    let mut decoder = Decoder::new(algorithm, shape)?;
    let mut out = BytesMut::new();
    while decoder.push(&mut input, &mut out)? == Flow::Full {
        if out.len() > limit {
            return Err(CodecError::Corrupt {
                codec: algorithm.name(),
                problem: format!("it holds more than {limit} bytes"),
            });
        }
    }
    decoder.finish()?;
    Ok(out.into())
}

/// Compresses bytes that are all there.
pub fn compress(compression: Compression, shape: Shape, input: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut encoder = Box::new(Encoder::new(compression, shape)?);
    let mut out = BytesMut::new();
    encoder.push(input, &mut out)?;
    encoder.finish(&mut out)?;
    Ok(out.into())
}

#[cfg(test)]
mod tests;
