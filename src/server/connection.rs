//! One connection and what can be asked over it.
#![expect(clippy::wildcard_enum_match_arm, reason = "the protocol crate's messages are a non-exhaustive enum")]

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, BytesMut};
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{DataRowBody, Message, RowDescriptionBody};
use postgres_protocol::message::frontend;

use super::cancel::CancelToken;
use super::copy::{self, CopyIn, CopyOut, Direction};
use super::failure::ServerError;
use super::options::Options;
use super::sessions::Seat;
use super::talk::Talk;
use super::wire::Wire;
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use crate::object::version::Version;
use crate::record::{Record, encode_text};

/// Undoes what a session has set, prepared, locked and listened to.
const RESET: &str = "discard all";

/// How long a polite end may take.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// A notice or a warning of the server.
pub type Notice = ServerError;

/// One query of a pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// How errors call it: the stem of its file.
    pub name: &'a str,
    /// The text, with `$1` and so on where parameters go.
    pub sql: &'a str,
    /// The parameters in text form.
    pub parameters: &'a [Option<&'a str>],
}

/// Whether a transaction is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// None is.
    Idle,
    /// One is, and works.
    Open,
    /// One is, and a statement in it has failed.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Ready,
    /// A statement's answer has not been read to its end. What follows would be taken for another answer.
    Busy,
}

/// A session on a server. One statement at a time; a future that is dropped before its end leaves the connection
/// unusable, which the next call reports. Dropping the connection closes it.
pub struct Connection {
    pub(super) wire: Wire,
    pub(super) talk: Talk,
    /// What the user should know of how the session came about.
    pub(super) warnings: Vec<String>,
    pub(super) process_id: i32,
    pub(super) version: Version,
    pub(super) status: TransactionStatus,
    pub(super) state: State,
    /// A pooler lies between: what the session has set goes to whoever comes next.
    pub(super) pooled: bool,
    pub(super) cancel: CancelToken,
    pub(super) seat: Seat,
}

impl Connection {
    /// Connects and logs in to the first of the hosts that accepts.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Connect`], [`ErrorKind::Authentication`], [`ErrorKind::NoDatabase`]; [`ErrorKind::Config`] when a
    /// certificate file cannot be used.
    pub async fn connect(options: &Options) -> Result<Self> {
        Box::pin(super::connect::connect(options)).await
    }

    /// The server's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// A setting that the server reports by itself, as `server_encoding`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.talk.setting(name)
    }

    /// The server's process for this session.
    pub fn process_id(&self) -> i32 {
        self.process_id
    }

    /// Whether a transaction is open.
    pub fn transaction_status(&self) -> TransactionStatus {
        self.status
    }

    /// What cancels the running statement from another task.
    pub fn cancel_token(&self) -> CancelToken {
        self.cancel.clone()
    }

    /// The notices since the last call, oldest first.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.talk.take_notices()
    }

    /// What the user should know of how the session came about: that it is not encrypted though it might have been.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where the connection leads, for messages.
    pub fn peer(&self) -> &str {
        self.wire.peer()
    }

    /// Runs SQL of one or more statements by the simple protocol; rows that come back are dropped.
    ///
    /// # Errors
    ///
    /// The first statement's that fails (those before it in the same text are rolled back with it, unless they ended
    /// their transaction); a `COPY ... FROM STDIN` or `TO STDOUT` in the text is refused.
    pub async fn execute(&mut self, sql: &str) -> Result<()> {
        self.execute_counting(sql).await.map(|_| ())
    }

    /// The same, and how many rows its INSERT statements have stored.
    ///
    /// # Errors
    ///
    /// Those of [`Self::execute`].
    pub async fn execute_counting(&mut self, sql: &str) -> Result<u64> {
        self.begin()?;
        put_query(sql, self.wire.output())?;
        self.wire.flush(&[]).await?;
        let mut failure = None;
        let mut stored = 0;
        loop {
            match self.receive().await? {
                Message::ReadyForQuery(body) => {
                    self.ready(body.status())?;
                    return failure.map_or(Ok(stored), Err);
                }
                Message::ErrorResponse(body) => {
                    self.note_failure(&mut failure, &body)?;
                }
                Message::CommandComplete(body) => {
                    let tag = body.tag().map_err(|error| self.wire.confused(error.to_string()))?;
                    let count = tag.strip_prefix("INSERT 0 ").and_then(|count| count.parse::<u64>().ok());
                    stored += count.unwrap_or_default();
                }
                Message::CopyInResponse(_) => {
                    frontend::copy_fail("COPY FROM STDIN is not possible here", self.wire.output())
                        .map_err(|error| self.wire.confused(error.to_string()))?;
                    self.wire.flush(&[]).await?;
                }
                Message::EmptyQueryResponse
                | Message::RowDescription(_)
                | Message::DataRow(_)
                | Message::CopyOutResponse(_)
                | Message::CopyData(_)
                | Message::CopyDone => {}
                other => return Err(self.unexpected(&other)),
            }
        }
    }

    /// Runs one query by the extended protocol; parameters and values are text.
    pub async fn query(&mut self, sql: &str, parameters: &[Option<&str>]) -> Result<Vec<Record>> {
        let mut rows = Vec::new();
        self.run(&[Statement { name: "", sql, parameters }], &mut |_, record| {
            rows.push(record);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// Runs one query whose result is exactly one row.
    pub async fn query_one(&mut self, sql: &str, parameters: &[Option<&str>]) -> Result<Record> {
        let mut rows = self.query(sql, parameters).await?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            (last, _) => Err(Error::new(ErrorKind::Server, "a query did not return exactly one row")
                .detail(format!("it returned {}: {sql}", rows.len() + usize::from(last.is_some())))),
        }
    }

    /// Runs many queries in one round trip and returns each one's rows, in order.
    ///
    /// # Errors
    ///
    /// The first query's that fails, with its name in front; the server passes over the rest.
    pub async fn pipeline(&mut self, statements: &[Statement<'_>]) -> Result<Vec<Vec<Record>>> {
        let mut results: Vec<Vec<Record>> = Vec::with_capacity(statements.len());
        self.pipeline_each(statements, &mut |rows| results.push(rows)).await?;
        Ok(results)
    }

    /// Runs many queries in one round trip and hands over each one's rows, in order, while the next is being answered.
    ///
    /// # Errors
    ///
    /// The first query's that fails, with its name in front; those before it were handed over, the server passes over the rest.
    pub async fn pipeline_each(
        &mut self,
        statements: &[Statement<'_>],
        each: &mut (dyn FnMut(Vec<Record>) + Send),
    ) -> Result<()> {
        let mut current = 0;
        let mut rows = Vec::new();
        self.run(statements, &mut |index, record| {
            while current < index {
                each(std::mem::take(&mut rows));
                current += 1;
            }
            rows.push(record);
            Ok(())
        })
        .await?;
        for _ in current..statements.len() {
            each(std::mem::take(&mut rows));
        }
        Ok(())
    }

    /// Runs one query and hands over each row as it arrives, so that a large result is never in memory as a whole.
    ///
    /// # Errors
    ///
    /// The query's own; or the first that `each` returns, after the rest of the rows were read and dropped.
    pub async fn query_each(
        &mut self,
        sql: &str,
        parameters: &[Option<&str>],
        each: &mut (dyn FnMut(Record) -> Result<()> + Send),
    ) -> Result<()> {
        self.run(&[Statement { name: "", sql, parameters }], &mut |_, record| each(record)).await
    }

    async fn run(
        &mut self,
        statements: &[Statement<'_>],
        each: &mut (dyn FnMut(usize, Record) -> Result<()> + Send),
    ) -> Result<()> {
        self.begin()?;
        for statement in statements {
            put_statement(statement, self.wire.output())?;
        }
        frontend::sync(self.wire.output());
        self.wire.flush(&[]).await?;

        let mut index = 0;
        let mut columns: Arc<[String]> = Arc::from([]);
        let mut failure = None;
        loop {
            match self.receive().await? {
                Message::ParseComplete | Message::BindComplete | Message::NoData => {}
                Message::RowDescription(body) => columns = self.columns(&body)?,
                Message::DataRow(body) => {
                    let record = self.record(&body, &columns)?;
                    if failure.is_none()
                        && let Err(error) = each(index, record)
                    {
                        failure = Some(error);
                    }
                }
                Message::CommandComplete(_) | Message::EmptyQueryResponse => {
                    index += 1;
                    columns = Arc::from([]);
                }
                Message::ErrorResponse(body) => {
                    self.note_failure(&mut failure, &body)?;
                    if let Some(name) = statements.get(index).map(|statement| statement.name)
                        && !name.is_empty()
                    {
                        failure = failure.map(|error| error.context(&format!("query \"{name}\"")));
                    }
                }
                Message::ReadyForQuery(body) => {
                    self.ready(body.status())?;
                    return failure.map_or(Ok(()), Err);
                }
                other => return Err(self.unexpected(&other)),
            }
        }
    }

    /// Begins a `COPY ... TO STDOUT`. The text may have statements before and behind it; rows that they give are dropped.
    pub async fn copy_out(&mut self, sql: &str) -> Result<CopyOut<'_>> {
        self.begin_copy_out(sql).await?;
        Ok(self.copying_out())
    }

    /// The first half of [`Self::copy_out`]: after an error the connection is ready for another statement.
    ///
    /// # Errors
    ///
    /// The server's, of the COPY or of a statement before it.
    pub async fn begin_copy_out(&mut self, sql: &str) -> Result<()> {
        copy::begin(self, sql, Direction::Out).await
    }

    /// The COPY that [`Self::begin_copy_out`] has begun; its data is to be read before anything else is asked.
    pub fn copying_out(&mut self) -> CopyOut<'_> {
        CopyOut::begun(self)
    }

    /// Begins a `COPY ... FROM STDIN`.
    pub async fn copy_in(&mut self, sql: &str) -> Result<CopyIn<'_>> {
        copy::begin(self, sql, Direction::In).await?;
        Ok(CopyIn::begun(self))
    }

    /// Says goodbye and closes. Dropping does it less politely.
    pub async fn close(mut self) {
        if std::mem::take(&mut self.pooled) && self.state == State::Ready {
            // the next one to be given this server process finds it as new, also where the pooler does not see to that
            let resetting = async {
                if self.status != TransactionStatus::Idle {
                    self.execute("rollback").await?;
                }
                self.execute(RESET).await
            };
            // one that cannot be reset is in the middle of something, and no pooler gives such a process to others
            drop(tokio::time::timeout(GOODBYE_MAX, resetting).await);
        }
        self.seat.close();
        frontend::terminate(self.wire.output());
        self.wire.close().await;
    }

    pub(super) fn begin(&mut self) -> Result<()> {
        match self.state {
            State::Ready => {
                self.state = State::Busy;
                self.seat.set_busy(true);
                Ok(())
            }
            State::Busy => Err(Error::new(
                ErrorKind::Connect,
                format!("connection to {} was left in the middle of a statement", self.wire.peer()),
            )),
        }
    }

    pub(super) fn ready(&mut self, status: u8) -> Result<()> {
        self.status = match status {
            b'I' => TransactionStatus::Idle,
            b'T' => TransactionStatus::Open,
            b'E' => TransactionStatus::Failed,
            other => return Err(self.wire.confused(format!("unknown transaction status {other}"))),
        };
        self.state = State::Ready;
        self.seat.set_busy(false);
        Ok(())
    }

    /// The next message that belongs to the statement; the others are taken care of.
    pub(super) async fn receive(&mut self) -> Result<Message> {
        loop {
            let message = self.wire.next().await?;
            if let Some(message) = self.pass(message) {
                return Ok(message);
            }
        }
    }

    /// Takes care of what may come at any time; gives back what belongs to the statement.
    pub(super) fn pass(&mut self, message: Message) -> Option<Message> {
        match message {
            Message::NoticeResponse(body) => {
                self.talk.notice(&body);
                None
            }
            Message::ParameterStatus(body) => {
                self.talk.set(&body);
                None
            }
            Message::NotificationResponse(_) => None,
            other => Some(other),
        }
    }

    /// How many notices were not kept since the connection began.
    pub fn dropped_notice_count(&self) -> u64 {
        self.talk.dropped()
    }

    /// Keeps the first error until the server is ready again; a fatal one ends the session at once.
    pub(super) fn note_failure(
        &mut self,
        failure: &mut Option<Error>,
        body: &postgres_protocol::message::backend::ErrorResponseBody,
    ) -> Result<()> {
        let error = ServerError::decode(body);
        let is_fatal = error.is_fatal();
        let error = error.into_error();
        if is_fatal {
            return Err(error.context(&format!("{} ended the session", self.wire.peer())));
        }
        failure.get_or_insert(error);
        Ok(())
    }

    pub(super) fn unexpected(&self, message: &Message) -> Error {
        self.wire.confused(format!("unexpected message: {}", message_name(message)))
    }

    fn columns(&self, body: &RowDescriptionBody) -> Result<Arc<[String]>> {
        body.fields()
            .map(|field| Ok(field.name().to_owned()))
            .collect::<Vec<_>>()
            .map(Arc::from)
            .map_err(|error| self.wire.confused(error.to_string()))
    }

    fn record(&self, body: &DataRowBody, columns: &Arc<[String]>) -> Result<Record> {
        let buffer = body.buffer();
        let mut values = Vec::with_capacity(columns.len());
        let mut ranges = body.ranges();
        while let Some(range) = ranges.next().map_err(|error| self.wire.confused(error.to_string()))? {
            values.push(match range {
                None => None,
                Some(range) => {
                    Some(buffer.get(range).ok_or_else(|| self.wire.confused("a value ends outside its row"))?)
                }
            });
        }
        if values.len() != columns.len() {
            return Err(self.wire.confused(format!(
                "a row has {} for {}",
                counted(values.len(), "value"),
                counted(columns.len(), "column")
            )));
        }
        Record::new(Arc::clone(columns), &values).map_err(|error| self.wire.confused(error.problem))
    }
}

impl Drop for Connection {
    /// A session that ends early puts nothing into a pool. A pooler throws away the server process of one that goes in the
    /// middle of something; what has ended since, and what is between two statements, it would hand on with our settings.
    fn drop(&mut self) {
        if !self.pooled {
            return;
        }
        self.wire.output().clear();
        let framed = put_query("rollback", self.wire.output()).and_then(|()| put_query(RESET, self.wire.output()));
        if framed.is_ok() {
            frontend::terminate(self.wire.output());
            self.wire.leave();
        }
    }
}

/// Frames a message; the protocol crate's own functions take `&str`, and SQL here may hold any bytes.
fn put_message(kind: u8, output: &mut BytesMut, body: impl FnOnce(&mut BytesMut) -> Result<()>) -> Result<()> {
    let begin = output.len();
    output.put_u8(kind);
    output.put_u32(0);
    if let Err(error) = body(output) {
        output.truncate(begin);
        return Err(error);
    }
    let length = u32::try_from(output.len() - begin - 1).ok().filter(|length| *length < 1 << 30);
    match (length, output.get_mut(begin + 1..begin + 5)) {
        (Some(length), Some(place)) => {
            place.copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        _ => {
            output.truncate(begin);
            Err(Error::new(ErrorKind::Server, "a statement is too long for the protocol").detail("its limit is 1 GiB"))
        }
    }
}

pub(super) fn put_text(text: &str, output: &mut BytesMut) -> Result<()> {
    let bytes = encode_text(text);
    if bytes.contains(&0) {
        return Err(Error::new(ErrorKind::Usage, "text for the server contains a zero byte"));
    }
    output.extend_from_slice(&bytes);
    output.put_u8(0);
    Ok(())
}

pub(super) fn put_query(sql: &str, output: &mut BytesMut) -> Result<()> {
    put_message(b'Q', output, |output| put_text(sql, output))
}

fn put_statement(statement: &Statement<'_>, output: &mut BytesMut) -> Result<()> {
    put_message(b'P', output, |output| {
        output.put_u8(0);
        put_text(statement.sql, output)?;
        output.put_u16(0);
        Ok(())
    })?;
    let count = u16::try_from(statement.parameters.len())
        .map_err(|_| Error::new(ErrorKind::Bug, "more parameters than the protocol can carry"))?;
    put_message(b'B', output, |output| {
        output.put_u8(0);
        output.put_u8(0);
        output.put_u16(0);
        output.put_u16(count);
        for parameter in statement.parameters {
            match parameter {
                None => output.put_i32(-1),
                Some(text) => {
                    let bytes = encode_text(text);
                    let length = i32::try_from(bytes.len())
                        .map_err(|_| Error::new(ErrorKind::Server, "a parameter is too long for the protocol"))?;
                    output.put_i32(length);
                    output.extend_from_slice(&bytes);
                }
            }
        }
        output.put_u16(0);
        Ok(())
    })?;
    let describe = |output: &mut BytesMut| frontend::describe(b'P', "", output);
    let execute = |output: &mut BytesMut| frontend::execute("", 0, output);
    describe(output)
        .and_then(|()| execute(output))
        .map_err(|error| Error::new(ErrorKind::Bug, "could not frame a statement").caused_by(error))
}

fn message_name(message: &Message) -> &'static str {
    match message {
        Message::CommandComplete(_) => "CommandComplete",
        Message::CopyData(_) => "CopyData",
        Message::CopyDone => "CopyDone",
        Message::CopyInResponse(_) => "CopyInResponse",
        Message::CopyOutResponse(_) => "CopyOutResponse",
        Message::DataRow(_) => "DataRow",
        Message::EmptyQueryResponse => "EmptyQueryResponse",
        Message::ErrorResponse(_) => "ErrorResponse",
        Message::ReadyForQuery(_) => "ReadyForQuery",
        Message::RowDescription(_) => "RowDescription",
        Message::PortalSuspended => "PortalSuspended",
        Message::BackendKeyData(_) => "BackendKeyData",
        _ => "a message of another phase",
    }
}

#[cfg(test)]
mod tests;
