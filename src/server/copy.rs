//! COPY as raw bytes, in both directions.
#![expect(clippy::wildcard_enum_match_arm, reason = "the protocol crate's messages are a non-exhaustive enum")]

use bytes::{BufMut as _, Bytes, BytesMut};
use postgres_protocol::message::backend::{COPY_DATA_TAG, Message};
use postgres_protocol::message::frontend;

use super::connection::{Connection, put_query};
use crate::error::{Error, ErrorKind, Result};

/// Small rows are gathered into chunks of about this size; a larger piece of a row is passed on as it lies in the
/// read buffer.
const CHUNK_SIZE: usize = 128 * 1024;
const PIECE_MIN: usize = 32 * 1024;

/// Chunks to the server are cut to this size: the server holds a whole message in memory.
const SEND_MAX: usize = 1024 * 1024;

/// Small pieces to the server wait for each other up to this size: a call of the kernel for each would cost more than
/// the copy.
const GATHER_SIZE: usize = 64 * 1024;

/// A running `COPY ... TO STDOUT`.
///
/// The data is what [`Self::next`] gives, in order; a chunk may end in the middle of a row, so that a row of any size
/// needs no more memory than the read buffer. It is complete only when [`Self::finish`] has said so. Dropped before
/// that, the statement is cancelled and the connection is of no further use.
pub struct CopyOut<'c> {
    connection: &'c mut Connection,
    /// Bytes of the current message's body that have not been handed out.
    open: usize,
    row_count: u64,
    byte_count: u64,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Data,
    /// CopyDone was read.
    Done,
    /// The connection is ready for the next statement.
    Over,
}

/// Which way the rows go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Out,
    In,
}

/// Sends the text and waits until its COPY begins.
pub(super) async fn begin(connection: &mut Connection, sql: &str, direction: Direction) -> Result<()> {
    connection.begin()?;
    put_query(sql, connection.wire.output())?;
    connection.wire.flush(&[]).await?;
    let mut failure = None;
    loop {
        match connection.receive().await? {
            Message::CopyOutResponse(body) if direction == Direction::Out && body.format() == 0 => return Ok(()),
            Message::CopyInResponse(body) if direction == Direction::In && body.format() == 0 => return Ok(()),
            Message::CopyOutResponse(_) => return Err(connection.wire.confused("COPY in binary format")),
            Message::ErrorResponse(body) => connection.note_failure(&mut failure, &body)?,
            Message::ReadyForQuery(body) => {
                connection.ready(body.status())?;
                return Err(failure.unwrap_or_else(|| no_copy(sql)));
            }
            Message::CommandComplete(_)
            | Message::EmptyQueryResponse
            | Message::RowDescription(_)
            | Message::DataRow(_) => {}
            other => return Err(connection.unexpected(&other)),
        }
    }
}

impl<'c> CopyOut<'c> {
    /// The COPY that [`begin`] has begun.
    pub(super) fn begun(connection: &'c mut Connection) -> Self {
        Self { connection, open: 0, row_count: 0, byte_count: 0, phase: Phase::Data }
    }

    /// The next chunk, never empty; `None` after the last. A future that is dropped takes bytes with it.
    ///
    /// # Errors
    ///
    /// The server's, or the connection's. What came before an error is not to be used.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let mut out = BytesMut::new();
        loop {
            if self.phase != Phase::Data {
                return Ok((!out.is_empty()).then(|| self.hand_out(out.freeze())));
            }
            if self.open > 0 {
                let available = self.open.min(self.connection.wire.buffered());
                if available >= PIECE_MIN && out.is_empty() {
                    self.open -= available;
                    let piece = self.connection.wire.take_bytes(available);
                    return Ok(Some(self.hand_out(piece)));
                }
                if available > 0 {
                    if out.capacity() == 0 {
                        out.reserve(CHUNK_SIZE);
                    }
                    let room = CHUNK_SIZE.saturating_sub(out.len());
                    self.open -= self.connection.wire.copy_bytes(available.min(room), &mut out);
                    if out.len() >= CHUNK_SIZE {
                        return Ok(Some(self.hand_out(out.freeze())));
                    }
                    continue;
                }
            } else if let Some(frame) = self.connection.wire.peek()? {
                if frame.kind == COPY_DATA_TAG {
                    self.connection.wire.skip_header();
                    self.open = frame.body;
                    self.row_count += 1;
                    continue;
                }
                if self.control().await? {
                    continue;
                }
            }
            // the server sends 8 KiB at a time; to wake whoever takes the chunk for each would cost more than it takes
            self.connection.wire.fill().await?;
        }
    }

    fn hand_out(&mut self, piece: Bytes) -> Bytes {
        self.byte_count += piece.len() as u64;
        piece
    }

    /// Handles a message that is no data. False when it has not arrived as a whole.
    async fn control(&mut self) -> Result<bool> {
        let Some(message) = self.connection.wire.next_ready()? else { return Ok(false) };
        match self.connection.pass(message) {
            None => Ok(true),
            Some(Message::CopyDone) => {
                self.phase = Phase::Done;
                Ok(true)
            }
            Some(Message::ErrorResponse(body)) => Err(self.fail(&body).await),
            Some(other) => Err(self.connection.unexpected(&other)),
        }
    }

    /// Reads on until the server is ready again, so that the connection stays usable after its error.
    async fn fail(&mut self, body: &postgres_protocol::message::backend::ErrorResponseBody) -> Error {
        let mut failure = None;
        if let Err(error) = self.connection.note_failure(&mut failure, body) {
            return error;
        }
        match self.connection.receive().await {
            Ok(Message::ReadyForQuery(body)) => {
                self.phase = Phase::Over;
                match (self.connection.ready(body.status()), failure) {
                    (Ok(()), Some(error)) | (Err(error), _) => error,
                    (Ok(()), None) => self.connection.wire.confused("an error without its text"),
                }
            }
            Ok(other) => self.connection.unexpected(&other),
            Err(error) => failure.unwrap_or(error),
        }
    }

    /// How many rows have begun so far.
    pub fn row_count(&self) -> u64 {
        self.row_count
    }

    /// How many bytes have been handed out so far.
    pub fn byte_count(&self) -> u64 {
        self.byte_count
    }

    /// Ends the COPY and says how many rows there were.
    ///
    /// # Errors
    ///
    /// When data was left unread, when the server reports a failure after the data, or when its row count is not what
    /// arrived.
    pub async fn finish(mut self) -> Result<u64> {
        if self.phase == Phase::Data && (self.open > 0 || self.next().await?.is_some()) {
            return Err(Error::new(ErrorKind::Bug, "a COPY was ended before its data was read"));
        }
        let mut claimed = None;
        let mut failure = None;
        loop {
            match self.connection.receive().await? {
                Message::CommandComplete(body) if claimed.is_none() => {
                    let tag = body.tag().map_err(|error| self.connection.wire.confused(error.to_string()))?;
                    claimed = Some(copy_count(tag).ok_or_else(|| {
                        self.connection.wire.confused(format!("COPY ended with \"{}\"", tag.escape_debug()))
                    })?);
                }
                // what lets its locks go may stand behind a COPY
                Message::CommandComplete(body) if matches!(body.tag(), Ok("ROLLBACK" | "RELEASE")) => {}
                Message::ErrorResponse(body) => self.connection.note_failure(&mut failure, &body)?,
                Message::ReadyForQuery(body) => {
                    self.connection.ready(body.status())?;
                    self.phase = Phase::Over;
                    if let Some(error) = failure {
                        return Err(error);
                    }
                    break;
                }
                other => return Err(self.connection.unexpected(&other)),
            }
        }
        match claimed {
            Some(claimed) if claimed == self.row_count => Ok(claimed),
            Some(claimed) => Err(self
                .connection
                .wire
                .confused(format!("server reported {claimed} rows, received {}", self.row_count))),
            None => Err(self.connection.wire.confused("COPY ended without a row count")),
        }
    }
}

impl Drop for CopyOut<'_> {
    fn drop(&mut self) {
        if self.phase != Phase::Over {
            self.connection.cancel.cancel_in_background();
        }
    }
}

/// The 7 of `COPY 7`.
fn copy_count(tag: &str) -> Option<u64> {
    tag.strip_prefix("COPY ")?.parse().ok()
}

fn no_copy(sql: &str) -> Error {
    let begin: String = sql.chars().take(80).collect();
    Error::new(ErrorKind::Bug, "a statement began no COPY").detail(begin)
}

/// A running `COPY ... FROM STDIN`.
///
/// [`Self::send`] waits while the server is behind. Nothing is stored unless [`Self::finish`] says so. Dropped before
/// that, the connection is of no further use and the server rolls the COPY back.
pub struct CopyIn<'c> {
    connection: &'c mut Connection,
    failure: Option<Error>,
    over: bool,
}

impl<'c> CopyIn<'c> {
    /// The COPY that [`begin`] has begun.
    pub(super) fn begun(connection: &'c mut Connection) -> Self {
        Self { connection, failure: None, over: false }
    }

    /// Sends a piece of the data, cut anywhere; small pieces may wait for the next ones.
    ///
    /// # Errors
    ///
    /// The server's rejection as soon as it is known; the connection is then ready for the next statement, and what is
    /// left of the data is the caller's to pass over.
    pub async fn send(&mut self, data: &[u8]) -> Result<()> {
        for piece in data.chunks(SEND_MAX) {
            let length = u32::try_from(piece.len() + 4).map_err(|_| no_copy("a piece that is too long"))?;
            let output = self.connection.wire.output();
            output.put_u8(COPY_DATA_TAG);
            output.put_u32(length);
            let mut bulk = piece;
            if piece.len() < GATHER_SIZE {
                output.extend_from_slice(piece);
                bulk = &[];
                if output.len() < GATHER_SIZE {
                    continue;
                }
            }
            self.look().await?;
            self.connection.wire.flush(bulk).await?;
        }
        Ok(())
    }

    /// Notices an error that the server sent while data was going out.
    async fn look(&mut self) -> Result<()> {
        if self.connection.wire.buffered() == 0 && !self.connection.wire.fill_ready().await? {
            return Ok(());
        }
        while let Some(message) = self.connection.wire.next_ready()? {
            match self.connection.pass(message) {
                None => {}
                Some(Message::ErrorResponse(body)) => {
                    self.connection.note_failure(&mut self.failure, &body)?;
                    return Err(self.drain().await);
                }
                Some(other) => return Err(self.connection.unexpected(&other)),
            }
        }
        Ok(())
    }

    /// After an error the server ignores the data that is still on its way and becomes ready.
    async fn drain(&mut self) -> Error {
        // what was gathered and not sent would be taken for the next statement's
        self.connection.wire.output().clear();
        loop {
            match self.connection.receive().await {
                Ok(Message::ReadyForQuery(body)) => {
                    self.over = true;
                    if let Err(error) = self.connection.ready(body.status()) {
                        return error;
                    }
                    break;
                }
                Ok(Message::ErrorResponse(body)) => {
                    if let Err(error) = self.connection.note_failure(&mut self.failure, &body) {
                        return error;
                    }
                }
                Ok(other) => return self.connection.unexpected(&other),
                Err(error) => return self.failure.take().unwrap_or(error),
            }
        }
        self.failure.take().unwrap_or_else(|| self.connection.wire.confused("COPY ended without an answer"))
    }

    /// Ends the data; the number of rows that the server stored.
    pub async fn finish(mut self) -> Result<u64> {
        self.look().await?;
        frontend::copy_done(self.connection.wire.output());
        self.connection.wire.flush(&[]).await?;
        let mut stored = None;
        loop {
            // triggers and deferred checks run now, for as long as they need
            match self.connection.receive().await? {
                Message::CommandComplete(body) if stored.is_none() => {
                    let tag = body.tag().map_err(|error| self.connection.wire.confused(error.to_string()))?;
                    stored = copy_count(tag);
                }
                Message::ErrorResponse(body) => self.connection.note_failure(&mut self.failure, &body)?,
                Message::ReadyForQuery(body) => {
                    self.connection.ready(body.status())?;
                    self.over = true;
                    break;
                }
                other => return Err(self.connection.unexpected(&other)),
            }
        }
        match (self.failure.take(), stored) {
            (Some(error), _) => Err(error),
            (None, Some(count)) => Ok(count),
            (None, None) => Err(self.connection.wire.confused("COPY ended without a row count")),
        }
    }

    /// Gives up: the server rolls the COPY back, and the connection is ready for the next statement.
    pub async fn abort(mut self, reason: &str) -> Result<()> {
        let reason: String = reason.chars().filter(|character| *character != '\0').take(200).collect();
        frontend::copy_fail(&reason, self.connection.wire.output())
            .map_err(|error| self.connection.wire.confused(error.to_string()))?;
        self.connection.wire.flush(&[]).await?;
        loop {
            match self.connection.receive().await? {
                // the answer to a COPY that is given up is an error with our reason
                Message::ErrorResponse(body) => self.connection.note_failure(&mut self.failure, &body)?,
                Message::CommandComplete(_) => {}
                Message::ReadyForQuery(body) => {
                    self.over = true;
                    return self.connection.ready(body.status());
                }
                other => return Err(self.connection.unexpected(&other)),
            }
        }
    }

    /// Whether the connection can be used again: false while the COPY runs.
    pub fn is_over(&self) -> bool {
        self.over
    }
}
