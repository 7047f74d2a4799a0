//! Bytes to messages and back: one socket, one read buffer, and no length believed before its bytes have come.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use postgres_protocol::message::backend::{self, Message};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::silence::Watch;
use super::tls::Encrypted;
use crate::error::{Error, ErrorKind, Result};

/// What one read asks the kernel for. Larger brings nothing on a local socket, smaller costs calls.
const READ_SIZE: usize = 256 * 1024;

/// Kinds of message that may be long (as libpq's own list has it); every other kind is at most [`SHORT_MAX`].
const LONG_KINDS: [u8; 7] = [b'T', b'D', b'd', b'V', b'E', b'N', b'A'];
const SHORT_MAX: usize = 30_000;

/// A row can be as large as the server's largest allocation, 1 GiB, and a little framing.
const LONG_MAX: usize = (1 << 30) + (1 << 20);

/// Before the login is complete nobody has proved to be a PostgreSQL server.
const LOGIN_MAX: usize = 64 * 1024;

pub(super) enum Transport {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<Encrypted>),
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

/// A message's kind and the length of its body.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) body: usize,
}

pub(super) struct Wire {
    transport: Transport,
    input: BytesMut,
    output: BytesMut,
    peer: String,
    logged_in: bool,
    watch: Watch,
}

impl Wire {
    /// `limit` is how long the peer may be silent where it owes an answer.
    pub(super) fn new(transport: Transport, peer: String, limit: Duration) -> Self {
        let watch = Watch::new(limit);
        Self { transport, input: BytesMut::new(), output: BytesMut::new(), peer, logged_in: false, watch }
    }

    /// How silence is taken.
    pub(super) fn watch(&mut self) -> &mut Watch {
        &mut self.watch
    }

    pub(super) fn peer(&self) -> &str {
        &self.peer
    }

    /// From here on long messages are allowed.
    pub(super) fn login_complete(&mut self) {
        self.logged_in = true;
    }

    /// Where messages to be sent are collected until [`Self::flush`].
    pub(super) fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    fn broken(&self, problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::new(ErrorKind::Connect, format!("connection to {} broke", self.peer)).caused_by(problem)
    }

    pub(super) fn confused(&self, problem: impl Into<String>) -> Error {
        Error::new(ErrorKind::Connect, format!("{} does not keep to PostgreSQL's protocol", self.peer)).detail(problem)
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize>> {
        self.input.reserve(if self.logged_in { READ_SIZE } else { LOGIN_MAX });
        let before = self.input.len();
        let polled = {
            // tokio's safe way into the spare capacity; the future keeps nothing between polls
            let read = tokio::io::AsyncReadExt::read_buf(&mut self.transport, &mut self.input);
            tokio::pin!(read);
            std::future::Future::poll(read, cx)
        };
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0)) => Poll::Ready(Err(Error::new(
                ErrorKind::Connect,
                format!("{} closed the connection unexpectedly", self.peer),
            )
            .hint("Look at the server's log: it was stopped, it crashed, or it ended this session."))),
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(self.input.len() - before)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.broken(error))),
        }
    }

    /// Waits for `step`, and bears with silence as long as the session is shown to be alive. Every wait goes through here.
    async fn wait<T: Send>(
        &mut self,
        mut step: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Result<T>> + Send,
    ) -> Result<T> {
        let limit = self.watch.limit();
        match tokio::time::timeout(limit, poll_fn(|cx| step(self, cx))).await {
            Ok(done) => done,
            Err(_) => Box::pin(self.wait_in_silence(step)).await,
        }
    }

    async fn wait_in_silence<T: Send>(
        &mut self,
        mut step: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<Result<T>> + Send,
    ) -> Result<T> {
        let peer = self.peer.clone();
        let mut silence = self.watch.broken();
        loop {
            let pause = tokio::select! {
                biased;
                done = poll_fn(|cx| step(self, cx)) => return done,
                pause = silence.examine(&peer) => pause?,
            };
            if let Ok(done) = tokio::time::timeout(pause, poll_fn(|cx| step(self, cx))).await {
                return done;
            }
        }
    }

    /// Waits for more bytes.
    pub(super) async fn fill(&mut self) -> Result<()> {
        self.wait(|wire, cx| wire.poll_fill(cx)).await.map(drop)
    }

    /// Reads what has arrived already, without waiting. False when nothing has.
    pub(super) async fn fill_ready(&mut self) -> Result<bool> {
        poll_fn(|cx| match self.poll_fill(cx) {
            Poll::Ready(filled) => Poll::Ready(filled.map(|_| true)),
            Poll::Pending => Poll::Ready(Ok(false)),
        })
        .await
    }

    /// Sends what was collected, then `bulk`. While the peer does not take bytes, its own are read, so that two full
    /// buffers cannot wait for each other.
    pub(super) async fn flush(&mut self, bulk: &[u8]) -> Result<()> {
        let mut head = std::mem::take(&mut self.output);
        let mut bulk = bulk;
        while !head.is_empty() || !bulk.is_empty() {
            let from_head = !head.is_empty();
            let next: &[u8] = if from_head { &head } else { bulk };
            let Step::Wrote(count) = self.wait(|wire, cx| wire.poll_step(cx, next)).await? else { continue };
            if from_head {
                head.advance(count);
            } else {
                bulk = bulk.get(count..).unwrap_or_default();
            }
        }
        while let Step::Read = self.wait(Self::poll_flush).await? {}
        // keep the allocation for the next message
        head.clear();
        self.output = head;
        Ok(())
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step>> {
        match Pin::new(&mut self.transport).poll_flush(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Step::Wrote(0))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.broken(error))),
            Poll::Pending => self.poll_fill(cx).map_ok(|_| Step::Read),
        }
    }

    fn poll_step(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<Step>> {
        match Pin::new(&mut self.transport).poll_write(cx, bytes) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.broken("the socket takes no bytes"))),
            Poll::Ready(Ok(count)) => return Poll::Ready(Ok(Step::Wrote(count))),
            Poll::Ready(Err(error)) => {
                // the peer may have said why before it closed: keep that for the reader
                return match self.poll_fill(cx) {
                    Poll::Ready(Ok(_)) => Poll::Ready(Err(self.farewell().unwrap_or_else(|| self.broken(error)))),
                    Poll::Ready(Err(_)) | Poll::Pending => {
                        Poll::Ready(Err(self.farewell().unwrap_or_else(|| self.broken(error))))
                    }
                };
            }
            Poll::Pending => {}
        }
        match self.poll_fill(cx) {
            Poll::Ready(filled) => Poll::Ready(filled.map(|_| Step::Read)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// The error that the server sent before it went away, if it lies in the buffer.
    fn farewell(&mut self) -> Option<Error> {
        while let Ok(Some(message)) = self.take() {
            if let Message::ErrorResponse(body) = message {
                return Some(super::failure::ServerError::decode(&body).into_error());
            }
        }
        None
    }

    /// The header of the next message, if it has arrived; its length is within bounds.
    pub(super) fn peek(&self) -> Result<Option<Frame>> {
        let Some(header) = backend::Header::parse(&self.input).map_err(|error| self.confused(error.to_string()))?
        else {
            return Ok(None);
        };
        let body = usize::try_from(header.len() - 4).map_err(|_| self.confused("a negative length"))?;
        let limit = match (self.logged_in, LONG_KINDS.contains(&header.tag())) {
            (false, _) => LOGIN_MAX,
            (true, false) => SHORT_MAX,
            (true, true) => LONG_MAX,
        };
        if body > limit {
            let kind = char::from(header.tag()).escape_default();
            return Err(self.confused(format!("message '{kind}' claims {body} bytes, more than {limit}")));
        }
        Ok(Some(Frame { kind: header.tag(), body }))
    }

    fn take(&mut self) -> Result<Option<Message>> {
        match self.peek()? {
            // only a whole frame goes to the parser, which would reserve what a header claims
            Some(frame) if self.input.len() >= frame.body + 5 => {
                Message::parse(&mut self.input).map_err(|error| self.confused(error.to_string()))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// The next message, whole.
    pub(super) async fn next(&mut self) -> Result<Message> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(message);
            }
            self.fill().await?;
        }
    }

    /// The next message if it has arrived.
    pub(super) fn next_ready(&mut self) -> Result<Option<Message>> {
        self.take()
    }

    /// How many bytes have arrived and were not taken.
    pub(super) fn buffered(&self) -> usize {
        self.input.len()
    }

    /// Passes over a message's header.
    pub(super) fn skip_header(&mut self) {
        self.input.advance(5.min(self.input.len()));
    }

    /// Takes up to `count` of the bytes that have arrived, without copying them.
    pub(super) fn take_bytes(&mut self, count: usize) -> Bytes {
        self.input.split_to(count.min(self.input.len())).freeze()
    }

    /// Copies up to `count` of the bytes that have arrived behind `out`.
    pub(super) fn copy_bytes(&mut self, count: usize, out: &mut BytesMut) -> usize {
        let count = count.min(self.input.len());
        out.extend_from_slice(self.input.get(..count).unwrap_or_default());
        self.input.advance(count);
        count
    }

    /// Sends what is left and closes the sending side; errors do not matter any more.
    pub(super) async fn close(&mut self) {
        let end = async {
            if self.flush(&[]).await.is_ok() {
                // the server reads the terminate message and closes; nobody waits for it
                let _ = poll_fn(|cx| Pin::new(&mut self.transport).poll_shutdown(cx)).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(1), end).await;
    }
}

impl Wire {
    /// Sends what was collected as far as the kernel takes it at once, for one who cannot wait.
    pub(super) fn leave(&mut self) {
        let mut output = std::mem::take(&mut self.output);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while !output.is_empty() {
            match Pin::new(&mut self.transport).poll_write(&mut cx, &output) {
                Poll::Ready(Ok(count)) if count > 0 => output.advance(count),
                Poll::Ready(_) | Poll::Pending => return,
            }
        }
        // nobody is left to be told of an error
        let _ = Pin::new(&mut self.transport).poll_flush(&mut cx);
    }
}

enum Step {
    Wrote(usize),
    Read,
}
