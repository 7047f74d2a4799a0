//! Where a single-file archive's bytes go.

use std::pin::Pin;

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::error::{Error, ErrorKind, Result};
use crate::transfer::{Outlet, Receipt};

/// Bytes that can only be written in their order, such as standard output.
pub struct Stream {
    name: String,
    out: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Stream {
    /// A stream, and what a person calls it.
    pub fn new(name: impl Into<String>, out: impl AsyncWrite + Send + 'static) -> Self {
        Self { name: name.into(), out: Box::pin(out) }
    }

    /// What a person calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn broken(&self, error: std::io::Error) -> Error {
        Error::new(ErrorKind::Disk, format!("could not write to {}", self.name))
            .caused_by(error)
            .hint("What was written is not a whole archive; do not keep it.")
    }
}

/// Where a single-file archive's bytes go.
pub(super) enum Target {
    /// An object in a store.
    Object(Box<Outlet>),
    /// A pipe or a terminal's other end.
    Stream {
        /// The pipe.
        stream: Stream,
        /// How much went into it.
        position: u64,
    },
}

/// What a target was given in the end.
pub(super) enum Written {
    /// An object in a store.
    Object(Receipt),
    /// A stream: its size.
    Stream(u64),
}

impl Target {
    pub(super) fn stream(stream: Stream) -> Self {
        Self::Stream { stream, position: 0 }
    }

    /// Where the next byte will lie.
    pub(super) fn position(&self) -> u64 {
        match self {
            Self::Object(outlet) => outlet.position(),
            Self::Stream { position, .. } => *position,
        }
    }

    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        match self {
            Self::Object(outlet) => outlet.write(bytes).await,
            Self::Stream { stream, position } => {
                *position += bytes.len() as u64;
                stream.out.write_all(&bytes).await.map_err(|error| stream.broken(error))
            }
        }
    }

    /// Ends the archive; `head` is empty unless room was left for it.
    pub(super) async fn finish(self, head: Bytes) -> Result<Written> {
        match self {
            Self::Object(outlet) => outlet.finish_with(head).await.map(Written::Object),
            Self::Stream { mut stream, position } => {
                stream.out.flush().await.map_err(|error| stream.broken(error))?;
                Ok(Written::Stream(position))
            }
        }
    }

    /// Throws away what can be thrown away, after a failure. The failure matters more than one that comes of this.
    pub(super) async fn discard(self) {
        match self {
            Self::Object(outlet) => drop(outlet.abort().await),
            Self::Stream { .. } => {}
        }
    }
}
