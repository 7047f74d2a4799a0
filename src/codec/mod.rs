//! Bytes in, bytes out: compression and digests, push-style, without a runtime and without I/O.
//!
//! An encoder is a [`Stage`]: it takes bytes in pieces of any size and gives out what it has ready. A decoder reads bytes
//! that others wrote, so it also bounds what one push may give out ([`compress::Decoder`]).

use std::fmt;

use bytes::BytesMut;

pub mod compress;
pub mod digest;

/// One step between a producer and a consumer of bytes.
///
/// `push` may emit nothing, some or all of what it holds; `finish` emits the rest and says what went through. After
/// `finish` the stage is spent. A stage never blocks and never allocates in proportion to the stream.
pub trait Stage: Send {
    /// Takes all of `input` and appends to `out` what is ready.
    fn push(&mut self, input: &[u8], out: &mut BytesMut) -> Result<(), CodecError>;

    /// Appends the rest, the end mark included, and says what went through.
    fn finish(self: Box<Self>, out: &mut BytesMut) -> Result<Summary, CodecError>;
}

/// What went through a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Bytes taken.
    pub input: u64,
    /// Bytes given out.
    pub output: u64,
}

/// Why a codec refused its input or its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodecError {
    /// A `-Z` value that means nothing; the text says why.
    Setting(String),
    /// The compressed bytes are damaged; which codec, and its own words.
    Corrupt {
        /// `gzip`, `lz4`, `zstd`.
        codec: &'static str,
        /// What the decoder said.
        problem: String,
    },
    /// The compressed bytes end before their end mark.
    Truncated {
        /// `gzip`, `lz4`, `zstd`.
        codec: &'static str,
    },
    /// Row text that does not end with a newline.
    UnfinishedRow,
    /// The compressor itself failed, which is a defect or a lack of memory.
    Compressor {
        /// `gzip`, `lz4`, `zstd`.
        codec: &'static str,
        /// What it said.
        problem: String,
    },
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(problem) => f.write_str(problem),
            Self::Corrupt { codec, problem } => write!(f, "{codec} data is damaged: {problem}"),
            Self::Truncated { codec } => write!(f, "{codec} data ends before its end mark"),
            Self::UnfinishedRow => f.write_str("row data ends in the middle of a row"),
            Self::Compressor { codec, problem } => write!(f, "{codec} compressor failed: {problem}"),
        }
    }
}

impl std::error::Error for CodecError {}
