use bytes::{Buf as _, Bytes, BytesMut};

use crate::codec::CodecError;
use crate::codec::compress::{Algorithm, Decoder, Flow, Shape};

/// A decoder that is fed pieces and asked for pieces, each bounded. Uncompressed bytes go through without a copy.
pub struct Pump {
    decoder: Option<Decoder>,
    input: Bytes,
    /// The decoder may hold output of input that it took already.
    full: bool,
    buffer: BytesMut,
}

impl Pump {
    /// Begins a stream.
    pub fn new(algorithm: Algorithm, shape: Shape) -> Result<Self, CodecError> {
        let decoder = match algorithm {
            Algorithm::None => None,
            Algorithm::Gzip | Algorithm::Lz4 | Algorithm::Zstd => Some(Decoder::new(algorithm, shape)?),
        };
        Ok(Self { decoder, input: Bytes::new(), full: false, buffer: BytesMut::new() })
    }

    /// Adds compressed bytes. Everything that was fed before has to be taken out first.
    pub fn feed(&mut self, bytes: Bytes) {
        debug_assert!(self.input.is_empty() && !self.full, "take() gave None before");
        self.input = bytes;
    }

    /// The next decompressed bytes, never empty; `None` when more has to be fed.
    pub fn take(&mut self) -> Result<Option<Bytes>, CodecError> {
        let Some(decoder) = &mut self.decoder else {
            return Ok((!self.input.is_empty()).then(|| std::mem::take(&mut self.input)));
        };
        while self.full || !self.input.is_empty() {
            let mut input = &self.input[..];
            let flow = decoder.push(&mut input, &mut self.buffer)?;
            let used = self.input.len() - input.len();
            self.input.advance(used);
            self.full = flow == Flow::Full;
            if !self.buffer.is_empty() {
                return Ok(Some(self.buffer.split().freeze()));
            }
        }
        Ok(None)
    }

    /// Whether something that was fed may not be out yet.
    pub fn is_fed(&self) -> bool {
        self.full || !self.input.is_empty()
    }

    /// Fails when the stream is not at its end mark.
    pub fn finish(self) -> Result<(), CodecError> {
        match self.decoder {
            Some(decoder) => decoder.finish().map(|_| ()),
            None => Ok(()),
        }
    }
}
