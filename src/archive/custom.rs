//! The custom format's data: blocks of length-prefixed pieces behind the head.

use std::fmt;

use bytes::{Bytes, BytesMut};

use super::error::{FormatError, FormatErrorKind};
use super::primitive::{Cursor, Stop, encode_integer};

/// What an entry says of its data offset.
#[derive(Clone, Copy)]
pub(super) enum OffsetState {
    Unknown,
    Known,
    NoData,
}

impl OffsetState {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Unknown => 1,
            Self::Known => 2,
            Self::NoData => 3,
        }
    }

    pub(super) const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Unknown),
            2 => Some(Self::Known),
            3 => Some(Self::NoData),
            _ => None,
        }
    }
}

/// What a data block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// One stream: the rows of a table.
    Rows,
    /// A stream for each large object.
    LargeObjects,
}

impl BlockKind {
    const fn code(self) -> u8 {
        match self {
            Self::Rows => 1,
            Self::LargeObjects => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Rows),
            3 => Some(Self::LargeObjects),
            _ => None,
        }
    }
}

/// A reader of the format may hold a whole piece in memory, so pieces stay below this.
const PIECE_MAX: usize = 1 << 20;

/// Begins the data block of an entry. The entry's offset is where this is written.
pub fn encode_block_begin(kind: BlockKind, dump_id: i32, out: &mut BytesMut) {
    out.extend_from_slice(&[kind.code()]);
    encode_integer(dump_id, out);
}

/// Begins a large object inside a block of large objects. The number may not be 0.
pub fn encode_large_object_begin(oid: u32, out: &mut BytesMut) {
    encode_integer(oid.cast_signed(), out);
}

/// Adds bytes of the stream, compressed if the header says so. An empty piece would end the stream, so it is left out.
///
/// Where a zstd or lz4 frame ends, a piece has to end: `pg_restore` may drop what follows within the piece.
pub fn encode_piece(bytes: &[u8], out: &mut BytesMut) {
    for piece in bytes.chunks(PIECE_MAX) {
        let length = i32::try_from(piece.len()).expect("PIECE_MAX fits");
        encode_integer(length, out);
        out.extend_from_slice(piece);
    }
}

/// Ends the stream of rows and with it their block, or the stream of one large object.
pub fn encode_stream_end(out: &mut BytesMut) {
    encode_integer(0, out);
}

/// Ends a block of large objects, behind the end of the last one's stream.
pub fn encode_large_objects_end(out: &mut BytesMut) {
    encode_integer(0, out);
}

/// What stands in the data part of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockEvent {
    /// A block begins.
    Begin {
        /// What it holds.
        kind: BlockKind,
        /// Whose it is.
        dump_id: i32,
    },
    /// A large object begins in a block of large objects.
    LargeObject {
        /// Its number.
        oid: u32,
    },
    /// Bytes of the stream, compressed if the header says so.
    Data(Bytes),
    /// The large object's stream ends.
    LargeObjectEnd,
    /// The block ends.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    /// The length of a piece is next.
    Length(BlockKind),
    Piece(BlockKind, u64),
    /// The number of a large object is next.
    Oid,
}

/// Reads data blocks while their bytes arrive, without copying the data.
///
/// Safe on hostile bytes: no panic, and no memory but the bytes that were pushed.
pub struct BlockDecoder {
    state: State,
    offset: u64,
    /// The begin of a block head or of an integer.
    held: BytesMut,
}

impl BlockDecoder {
    /// Begins at a block's begin; `offset` is where that is in the file, for errors.
    pub fn new(offset: u64) -> Self {
        Self { state: State::Begin, offset, held: BytesMut::new() }
    }

    /// Where the next event begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes of the file were taken; behind [`BlockDecoder::offset`] while a value is not complete.
    pub fn position(&self) -> u64 {
        self.offset + self.held.len() as u64
    }

    /// The next event, or `None` when `input` is used up and more is needed.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<BlockEvent>, FormatError> {
        loop {
            match self.state {
                State::Begin => {
                    let Some((kind, dump_id)) = self.value(input, 6, |cursor| {
                        let code = cursor.byte()?;
                        let kind = BlockKind::from_code(code).ok_or(Stop::Bad(0, FormatErrorKind::BlockType(code)))?;
                        Ok((kind, cursor.integer()?))
                    })?
                    else {
                        return Ok(None);
                    };
                    self.state = match kind {
                        BlockKind::Rows => State::Length(kind),
                        BlockKind::LargeObjects => State::Oid,
                    };
                    return Ok(Some(BlockEvent::Begin { kind, dump_id }));
                }
                State::Oid => {
                    let Some(oid) = self.value(input, 5, |cursor| cursor.integer())? else { return Ok(None) };
                    return Ok(Some(if oid == 0 {
                        self.state = State::Begin;
                        BlockEvent::End
                    } else {
                        self.state = State::Length(BlockKind::LargeObjects);
                        BlockEvent::LargeObject { oid: oid.cast_unsigned() }
                    }));
                }
                State::Length(kind) => {
                    let length = self.value(input, 5, |cursor| {
                        let length = cursor.integer()?;
                        u64::try_from(length).map_err(|_| Stop::Bad(0, FormatErrorKind::PieceLength(length)))
                    })?;
                    match (length, kind) {
                        (None, _) => return Ok(None),
                        (Some(0), BlockKind::Rows) => {
                            self.state = State::Begin;
                            return Ok(Some(BlockEvent::End));
                        }
                        (Some(0), BlockKind::LargeObjects) => {
                            self.state = State::Oid;
                            return Ok(Some(BlockEvent::LargeObjectEnd));
                        }
                        (Some(length), kind) => self.state = State::Piece(kind, length),
                    }
                }
                State::Piece(kind, left) => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let now = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                    let data = input.split_to(now);
                    self.offset += now as u64;
                    let left = left - now as u64;
                    self.state = if left == 0 { State::Length(kind) } else { State::Piece(kind, left) };
                    return Ok(Some(BlockEvent::Data(data)));
                }
            }
        }
    }

    /// Decodes a value of `length` bytes as soon as they are there.
    fn value<T>(
        &mut self,
        input: &mut Bytes,
        length: usize,
        decode: impl FnOnce(&mut Cursor<'_>) -> Result<T, Stop>,
    ) -> Result<Option<T>, FormatError> {
        let missing = length.saturating_sub(self.held.len()).min(input.len());
        self.held.extend_from_slice(&input.split_to(missing));
        if self.held.len() < length {
            return Ok(None);
        }
        let value = decode(&mut Cursor::new(&self.held)).map_err(|stop| stop.at(self.offset))?;
        self.offset += length as u64;
        self.held.clear();
        Ok(Some(value))
    }

    /// Whether no further block comes, but a second table of contents: no block begins with a zero byte, and a number of
    /// entries does. See [`super::Decoder::second`].
    pub fn is_at_second_toc(&self, input: &Bytes) -> bool {
        self.is_between_blocks() && input.first() == Some(&0)
    }

    /// Whether the last block is complete and no other one has begun.
    pub fn is_between_blocks(&self) -> bool {
        self.state == State::Begin && self.held.is_empty()
    }

    /// Fails when the bytes ended inside a block.
    pub fn finish(&self) -> Result<(), FormatError> {
        if self.is_between_blocks() {
            return Ok(());
        }
        Err(FormatError { offset: self.position(), kind: FormatErrorKind::Truncated })
    }
}

impl fmt::Debug for BlockDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockDecoder").field("state", &self.state).field("offset", &self.offset).finish_non_exhaustive()
    }
}
