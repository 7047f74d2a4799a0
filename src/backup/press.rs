//! A thread that turns rows into an archive's bytes: digest, compression, framing.
//!
//! One thread serves one worker, for all of its tables. Between the connection and the thread lies a bounded channel;
//! between the thread and the writer every byte holds a permit of the worker's own budget until it is written.
//!
//! **It cannot deadlock.** A worker takes its jobs in the archive's order, so what fills its budget belongs to its present
//! job or to earlier ones. The writer asks for jobs in the same order: when it waits for a job of this worker, everything
//! before that job is written, and the whole budget is that job's own. A job that is taken before its turn, because somebody
//! waits for its table, is set aside by the writer as soon as it begins, and holds no budget.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::archive::FormatError;
use crate::archive::copy_text::COPY_END;
use crate::archive::custom::{encode_piece, encode_stream_end};
use crate::archive::insert_text::{INSERTS_END, InsertWriter};
use crate::archive::plain::LargeObjectText;
use crate::codec::compress::{Compression, Encoder, Shape};
use crate::codec::digest::{RowDigest, RowSummary};
use crate::codec::{CodecError, Stage as _};
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use xxhash_rust::xxh3::Xxh3;

/// Chunks of rows that wait for the thread: 16 of up to 256 KiB.
const COMMANDS: usize = 16;

/// Bytes of one worker that wait for the writer. While the writer is busy with another worker's table, this is how far a
/// worker gets ahead.
const BUDGET: usize = 32 << 20;

/// The thread hands bytes on in pieces of about this size.
const PIECE: usize = 256 << 10;

/// How a job's bytes become a part of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// A data block of the custom format: pieces with their lengths.
    Blocks,
    /// A file of the directory format, or a member of the tar format.
    Files,
    /// A stretch of a plain dump: rows as they are, large objects as statements.
    Script,
}

/// What the thread is told, in this order: `Open`, then streams, then `Close`.
pub(super) enum Command {
    /// What follows goes here.
    Open(mpsc::UnboundedSender<Made>),
    /// Bytes that stand in the archive as they are.
    Raw(Bytes),
    /// A compressed stream begins.
    Begin(Content),
    /// Rows, or a large object's bytes: digested and compressed.
    Data(Bytes),
    /// The stream ends.
    End {
        /// How many rows the server says there were.
        claimed: Option<u64>,
        /// Whether no other job goes on with the same entry.
        is_last: bool,
    },
    /// Nothing more comes to where [`Command::Open`] said.
    Close,
}

/// What a stream holds, which decides how it is digested.
#[derive(Debug)]
pub(super) enum Content {
    /// COPY text. The end mark is added behind the last of an entry.
    Rows {
        /// Makes statements of it, where the archive is to have these. The digest is that of the COPY text all the same.
        inserts: Option<Box<InsertWriter>>,
    },
    /// A large object.
    Object {
        /// Its number.
        oid: u32,
    },
}

/// What comes out.
pub(super) enum Made {
    /// Bytes of the archive. The permit goes back when they are written.
    Bytes(Bytes, OwnedSemaphorePermit),
    /// The job is complete.
    Done(Sums),
    /// What was set aside cannot be had again.
    Failed(Error),
}

/// What went through a job's streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Rows, or large objects, and their bytes and digests.
    pub(super) summary: RowSummary,
}

/// The side that feeds the thread. Dropping it ends the thread; what was not closed is never done.
pub(super) struct Press {
    /// `None` when the thread was told that nothing more comes.
    commands: Option<mpsc::Sender<Command>>,
    thread: tokio::task::JoinHandle<Result<()>>,
    budget: Arc<Semaphore>,
}

impl Press {
    /// Starts the thread; must be called inside the runtime.
    pub(super) fn start(compression: Compression, framing: Framing, text: Option<LargeObjectText>) -> Self {
        let (commands, orders) = mpsc::channel(COMMANDS);
        let budget = Arc::new(Semaphore::new(BUDGET));
        let work = Work { compression, framing, text, budget: Arc::clone(&budget), runtime: Handle::current(), orders };
        Self { commands: Some(commands), thread: tokio::task::spawn_blocking(move || work.run()), budget }
    }

    /// Tells the thread something; waits while it is behind. When the thread has failed, its error comes back.
    pub(super) async fn send(&mut self, command: Command) -> Result<()> {
        if let Some(commands) = &self.commands
            && commands.send(command).await.is_ok()
        {
            return Ok(());
        }
        self.ended().await?;
        Err(Error::new(ErrorKind::Bug, "the compression thread ended early"))
    }

    /// Waits until everything is handed on.
    pub(super) async fn finish(mut self) -> Result<()> {
        self.commands = None;
        self.ended().await
    }

    async fn ended(&mut self) -> Result<()> {
        match (&mut self.thread).await {
            Ok(result) => result,
            Err(error) => Err(Error::new(ErrorKind::Bug, "the compression thread failed").caused_by(error)),
        }
    }
}

impl Drop for Press {
    fn drop(&mut self) {
        // a thread that waits for its budget must not wait for ever when the writer is gone
        self.budget.close();
    }
}

struct Work {
    compression: Compression,
    framing: Framing,
    /// What makes statements of large objects, in a plain dump.
    text: Option<LargeObjectText>,
    budget: Arc<Semaphore>,
    runtime: Handle,
    orders: mpsc::Receiver<Command>,
}

/// The most that the compressor is given at once: a row may have a gigabyte.
const PUSH_MAX: usize = 1 << 20;

/// The job that is open.
struct Job {
    out: mpsc::UnboundedSender<Made>,
    /// Bytes of the archive, not yet handed on.
    ready: BytesMut,
    sums: Sums,
}

/// The stream that is open.
struct Stream {
    encoder: Box<Encoder>,
    digest: Digest,
    inserts: Option<Box<InsertWriter>>,
}

enum Digest {
    Rows(RowDigest),
    Object { oid: u32, content: Box<Xxh3>, bytes: u64 },
}

impl Work {
    /// Runs until the feeding side is dropped. Bytes of a job whose taker is gone are thrown away: the run has failed then.
    fn run(mut self) -> Result<()> {
        let mut job: Option<Job> = None;
        let mut stream: Option<Stream> = None;
        // compressed bytes that are not framed yet
        let mut pressed = BytesMut::with_capacity(2 * PIECE);
        let mut statements = Vec::new();
        while let Some(command) = self.orders.blocking_recv() {
            match command {
                Command::Open(out) => {
                    job = Some(Job { out, ready: BytesMut::with_capacity(PIECE), sums: Sums::default() });
                }
                Command::Raw(bytes) => open(&mut job)?.ready.extend_from_slice(&bytes),
                Command::Begin(content) => {
                    let shape = match self.framing {
                        Framing::Blocks => Shape::Block,
                        Framing::Files | Framing::Script => Shape::File,
                    };
                    let mut encoder = Box::new(Encoder::new(self.compression, shape).map_err(compressor)?);
                    if let (Some(text), Content::Object { oid }) = (&mut self.text, &content) {
                        text.begin(*oid, &mut statements);
                        encoder.push(&statements, &mut pressed).map_err(compressor)?;
                        statements.clear();
                    }
                    let (digest, inserts) = match content {
                        Content::Rows { inserts } => (Digest::Rows(RowDigest::new()), inserts),
                        Content::Object { oid } => {
                            (Digest::Object { oid, content: Box::new(Xxh3::new()), bytes: 0 }, None)
                        }
                    };
                    stream = Some(Stream { encoder, digest, inserts });
                }
                Command::Data(bytes) => {
                    let stream = open(&mut stream)?;
                    match &mut stream.digest {
                        Digest::Rows(digest) => digest.push(&bytes),
                        Digest::Object { content, bytes: count, .. } => {
                            content.update(&bytes);
                            *count += bytes.len() as u64;
                        }
                    }
                    match (&mut self.text, &stream.digest) {
                        (Some(text), Digest::Object { .. }) => {
                            text.push(&bytes, &mut statements);
                            stream.encoder.push(&statements, &mut pressed).map_err(compressor)?;
                            statements.clear();
                        }
                        _ => {
                            for part in bytes.chunks(PUSH_MAX) {
                                let part = match &mut stream.inserts {
                                    None => part,
                                    Some(inserts) => {
                                        statements.clear();
                                        inserts.push(part, &mut statements).map_err(no_rows)?;
                                        &statements
                                    }
                                };
                                stream.encoder.push(part, &mut pressed).map_err(compressor)?;
                                self.frame_if_due(open(&mut job)?, &stream.encoder, &mut pressed)?;
                            }
                            statements.clear();
                        }
                    }
                    self.frame_if_due(open(&mut job)?, &stream.encoder, &mut pressed)?;
                }
                Command::End { claimed, is_last } => {
                    let job = open(&mut job)?;
                    let stream = stream.take().ok_or_else(out_of_order)?;
                    self.end(job, stream, claimed, is_last, &mut pressed)?;
                }
                Command::Close => {
                    let mut job = job.take().ok_or_else(out_of_order)?;
                    self.hand_on(&mut job)?;
                    // a taker that is gone has failed and says so itself
                    let _ = job.out.send(Made::Done(job.sums));
                }
            }
        }
        Ok(())
    }

    fn end(
        &mut self,
        job: &mut Job,
        mut stream: Stream,
        claimed: Option<u64>,
        is_last: bool,
        pressed: &mut BytesMut,
    ) -> Result<()> {
        let summary = match stream.digest {
            Digest::Rows(digest) => {
                let mut end = Vec::new();
                if let Some(inserts) = &mut stream.inserts {
                    inserts.finish(&mut end).map_err(no_rows)?;
                }
                if is_last {
                    end.extend_from_slice(if stream.inserts.is_some() { INSERTS_END } else { COPY_END });
                }
                if !end.is_empty() {
                    stream.encoder.push(&end, pressed).map_err(compressor)?;
                    self.frame_if_due(job, &stream.encoder, pressed)?;
                }
                let summary = digest.finish().map_err(|error| {
                    Error::new(ErrorKind::Server, "the server's COPY data is not whole").caused_by(error)
                })?;
                if claimed.is_some_and(|claimed| claimed != summary.row_count) {
                    return Err(Error::new(ErrorKind::Server, "the server's COPY data is not whole").detail(format!(
                        "{} in the data, {} by the server's count",
                        counted(summary.row_count, "row"),
                        claimed.unwrap_or_default()
                    )));
                }
                summary
            }
            Digest::Object { oid, content, bytes } => {
                if let Some(text) = &mut self.text {
                    let mut statements = Vec::new();
                    text.end(&mut statements);
                    stream.encoder.push(&statements, pressed).map_err(compressor)?;
                }
                large_object_summary(oid, content.digest128(), bytes)
            }
        };
        job.sums.summary = job.sums.summary.merge(summary);
        stream.encoder.finish(pressed).map_err(compressor)?;
        self.frame(job, pressed)?;
        match self.framing {
            Framing::Blocks if is_last => encode_stream_end(&mut job.ready),
            Framing::Blocks | Framing::Files | Framing::Script => {}
        }
        Ok(())
    }

    /// A piece is large enough, or must end because a frame does.
    fn frame_if_due(&self, job: &mut Job, encoder: &Encoder, pressed: &mut BytesMut) -> Result<()> {
        let is_due = pressed.len() >= PIECE || (!pressed.is_empty() && encoder.is_between_frames());
        if is_due { self.frame(job, pressed) } else { Ok(()) }
    }

    /// Moves compressed bytes into the archive's form, and hands on what is large enough.
    fn frame(&self, job: &mut Job, pressed: &mut BytesMut) -> Result<()> {
        match self.framing {
            Framing::Blocks => encode_piece(pressed, &mut job.ready),
            Framing::Files | Framing::Script => job.ready.extend_from_slice(pressed),
        }
        pressed.clear();
        if job.ready.len() >= PIECE { self.hand_on(job) } else { Ok(()) }
    }

    fn hand_on(&self, job: &mut Job) -> Result<()> {
        while !job.ready.is_empty() {
            // one push may make a lot, as when zstd ends a window of 128 MiB
            let bytes = job.ready.split_to(job.ready.len().min(4 * PIECE)).freeze();
            let wanted = u32::try_from(bytes.len()).map_err(|_| out_of_order())?;
            let permit = self
                .runtime
                .block_on(Arc::clone(&self.budget).acquire_many_owned(wanted))
                .map_err(|_| Error::new(ErrorKind::Interrupted, "the run was given up"))?;
            // a taker that is gone has failed and says so itself
            let _ = job.out.send(Made::Bytes(bytes, permit));
        }
        Ok(())
    }
}

fn open<T>(place: &mut Option<T>) -> Result<&mut T> {
    place.as_mut().ok_or_else(out_of_order)
}

fn out_of_order() -> Error {
    Error::new(ErrorKind::Bug, "a worker's commands came out of order")
}

fn no_rows(error: FormatError) -> Error {
    Error::new(ErrorKind::Server, "the server's COPY data is not that of the table").caused_by(error)
}

fn compressor(error: CodecError) -> Error {
    Error::new(ErrorKind::Bug, "could not compress").caused_by(error)
}

/// A large object's part of their common digest, as the manifest defines it.
fn large_object_summary(oid: u32, content: u128, bytes: u64) -> RowSummary {
    let line = format!("{oid}\n{content:032x}");
    RowSummary { row_count: 1, byte_count: bytes, digest: xxhash_rust::xxh3::xxh3_128(line.as_bytes()) }
}
