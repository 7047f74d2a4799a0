//! Poolers between us and the server: found before anything is set, and left as they were met.
//!
//! A pooler shows itself by a process in its greeting that is not the server's. One that gives a session's transactions to
//! different server processes is refused: settings would not hold, and would stay behind in other people's sessions.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::connect;
use super::connection::{Connection, Statement};
use super::failure::server_error;
use super::options::{Host, Options};
use super::silence::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{DecodeError, Record};

const PROCESS: &str = include_str!("../../sql/session/process.sql");

/// How long a session behind a pooler may wait for a server process of its own while the pooler is tried. Where it waits
/// longer, no process is free: that says something, too.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// In a pool that others use, too, the first session may be given the same process again by chance. Not so often.
const ROUNDS: u32 = 10;
const QUESTIONS: u32 = 5;

/// The poolers that were found to leave a session its server process. Shared by all sessions of a run, so that each pooler is
/// tried once.
#[derive(Clone, Debug, Default)]
pub struct Poolers(Arc<Mutex<HashSet<String>>>);

impl Poolers {
    fn knows(&self, host: &Host) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&host.describe())
    }

    fn remember(&self, host: &Host) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(host.describe());
    }
}

/// Asks who serves a new session, and refuses a pooler that does not leave it there. Nothing is set before this.
///
/// # Errors
///
/// [`ErrorKind::Refused`] with the way out; the connection's own.
pub(super) async fn recognise(connection: &mut Connection, options: &Options, host: &Host) -> Result<()> {
    let process = Process::decode(&connection.query_one(PROCESS, &[]).await?)?;
    let greeted = std::mem::replace(&mut connection.process_id, process.id);
    let session = Session {
        options: options.clone(),
        host: connection.cancel.host().clone(),
        process_id: process.id,
        server_start: process.server_start,
        pooled: greeted != process.id,
        cancel: connection.cancel_token(),
    };
    connection.wire.watch().attach(session);
    if greeted == process.id {
        return Ok(());
    }
    if !options.poolers.knows(host) {
        try_out(connection, options, host, process.id).await?;
        options.poolers.remember(host);
    }
    connection.pooled = true;
    Ok(())
}

struct Process {
    id: i32,
    server_start: String,
}

impl Process {
    fn decode(row: &Record) -> Result<Self> {
        let decode = || -> Result<Self, DecodeError> {
            Ok(Self { id: row.number("pid")?, server_start: row.string("server_start")? })
        };
        decode().map_err(|error| Error::new(ErrorKind::Server, "query \"process\"").caused_by(error))
    }
}

/// A second session begins a transaction, so that it holds a server process: is that ours, or has ours changed after that,
/// then sessions share processes.
async fn try_out(first: &mut Connection, options: &Options, host: &Host, process_id: i32) -> Result<()> {
    let mut second = connect::negotiate(options, host)
        .await
        .map_err(|error| error.context("could not find out how the pooler pools: a second session is refused"))?;
    for _ in 0..ROUNDS {
        let held = match tokio::time::timeout(ANSWER_MAX, hold(&mut second)).await {
            Ok(Ok(process)) => Some(process.id),
            Ok(Err(error)) => return Err(statement_mode(first, error)),
            // no process is free for it
            Err(_) => None,
        };
        if held == Some(process_id) {
            return Err(transaction_mode(first, "two sessions were the same server process"));
        }
        for _ in 0..QUESTIONS {
            let Ok(again) = tokio::time::timeout(ANSWER_MAX, first.query_one(PROCESS, &[])).await else {
                return Err(transaction_mode(first, "a session had to wait for a server process again"));
            };
            if Process::decode(&again?)?.id != process_id {
                return Err(transaction_mode(first, "a session was given another server process"));
            }
        }
        if held.is_none() {
            // the pool is used up, and the first session has kept its process all the same
            return Ok(());
        }
        second.execute("rollback").await?;
    }
    second.close().await;
    Ok(())
}

/// Begins a transaction; the server process that serves it.
async fn hold(session: &mut Connection) -> Result<Process> {
    let statement = |name, sql| Statement { name, sql, parameters: &[] };
    let answers = session.pipeline(&[statement("", "begin"), statement("", PROCESS)]).await?;
    match answers.last().and_then(|rows| rows.first()) {
        Some(row) => Process::decode(row),
        None => Err(Error::new(ErrorKind::Server, "query \"process\" has no answer")),
    }
}

fn transaction_mode(connection: &Connection, detail: &str) -> Error {
    refused(connection, "transaction").detail(detail.to_owned())
}

/// A pooler by statement ends a session that begins a transaction, and says why.
fn statement_mode(connection: &Connection, error: Error) -> Error {
    let is_refusal = server_error(&error).is_some_and(|said| said.is_fatal() && said.message.contains("statement"));
    if is_refusal {
        refused(connection, "statement").detail(error.message().to_owned())
    } else {
        error.context("could not find out how the pooler pools")
    }
}

fn refused(connection: &Connection, mode: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("{} is a pooler in {mode} mode", connection.peer())).hint(
        "Connect to the server's own port, or to a pooler in session mode (Supabase: port 5432 in place of 6543).",
    )
}
