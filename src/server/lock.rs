//! Locks that keep tables as they are while they are read, without becoming the cause of a queue.

use std::time::{Duration, Instant};

use super::connection::Connection;
use super::failure::is_lock_timeout;
use crate::error::{Error, ErrorKind, Result};
use crate::record::DecodeError;

const BLOCKER: &str = include_str!("../../sql/session/blocker.sql");
const RELATION_CHECK: &str = include_str!("../../sql/session/relation_check.sql");

/// Tables named in one statement: few round trips, and what waits holds few locks meanwhile.
const BATCH: usize = 1_000;

/// A table to lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockTarget {
    /// Its oid, which the name must still mean once the lock is held.
    pub oid: u32,
    /// Its name with schema, quoted for SQL.
    pub qualified_name: String,
}

/// How long to wait for locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockPatience {
    /// How long one request may wait before it is taken back, so that those queued behind it can go on.
    pub each: Duration,
    /// How long to go on trying.
    pub total: Duration,
}

impl Default for LockPatience {
    fn default() -> Self {
        Self { each: Duration::from_secs(10), total: Duration::from_secs(30) }
    }
}

/// Locks the tables in ACCESS SHARE mode within the open transaction, and checks that each name still means the same
/// relation.
///
/// # Errors
///
/// [`ErrorKind::Locked`] names the table, the blocking process and for how long it has been at it;
/// [`ErrorKind::Server`] when a table was replaced or dropped meanwhile, or may not be locked.
pub async fn lock_tables(connection: &mut Connection, targets: &[LockTarget], patience: LockPatience) -> Result<()> {
    let begun = Instant::now();
    for batch in targets.chunks(BATCH) {
        lock_batch(connection, batch, patience, begun).await?;
    }
    connection.execute("set local lock_timeout = 0").await
}

async fn lock_batch(
    connection: &mut Connection,
    batch: &[LockTarget],
    patience: LockPatience,
    begun: Instant,
) -> Result<()> {
    let names: Vec<String> = batch.iter().map(|target| format!("only {}", target.qualified_name)).collect();
    let lock = format!("lock table {} in access share mode", names.join(", "));
    let timeout = format!("set local lock_timeout = {}", patience.each.as_millis().clamp(1, 2_147_483_647));
    let mut pause = Duration::from_secs(1);
    loop {
        connection.execute(&format!("savepoint pgproof_lock; {timeout}")).await?;
        let Err(error) = connection.execute(&lock).await else {
            connection.execute("release savepoint pgproof_lock").await?;
            return check_meaning(connection, batch).await;
        };
        if !is_lock_timeout(&error) {
            return Err(error.context("could not lock the tables to dump"));
        }
        connection.execute("rollback to savepoint pgproof_lock; release savepoint pgproof_lock").await?;
        if begun.elapsed() + pause >= patience.total {
            return Err(describe(connection, batch, begun.elapsed(), error).await);
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

fn oid_array(batch: &[LockTarget]) -> String {
    let oids: Vec<String> = batch.iter().map(|target| target.oid.to_string()).collect();
    format!("{{{}}}", oids.join(","))
}

/// The error with the table and the session that is in the way, as far as they are still there to be seen.
async fn describe(connection: &mut Connection, batch: &[LockTarget], waited: Duration, error: Error) -> Error {
    const HINT: &str = "Wait until the other session is done, end it, or allow more time with --lock-wait-timeout.";
    let oids = oid_array(batch);
    let row = match connection.query(BLOCKER, &[Some(&oids)]).await {
        Ok(rows) => rows.into_iter().next(),
        Err(_) => None,
    };
    let facts = row.and_then(|row| {
        let decode = || -> Result<(String, String), DecodeError> {
            let oid = row.oid("oid")?;
            let name = batch.iter().find(|target| target.oid == oid).map(|target| target.qualified_name.clone());
            let mut detail = format!("blocked by pid {}", row.text("pid")?);
            if let Some(state) = row.optional("state")? {
                detail = format!("{detail} ({state}");
                for (column, what) in [("query_seconds", "query"), ("transaction_seconds", "transaction")] {
                    if let Some(seconds) = row.optional(column)? {
                        detail = format!("{detail}, {what} began {seconds} s ago");
                    }
                }
                detail.push(')');
            }
            Ok((name.unwrap_or_else(|| format!("relation {oid}")), detail))
        };
        decode().ok()
    });
    let seconds = waited.as_secs();
    match facts {
        Some((name, detail)) => {
            Error::new(ErrorKind::Locked, format!("waited {seconds} s for a lock on table {name}")).detail(detail)
        }
        None => {
            Error::new(ErrorKind::Locked, format!("waited {seconds} s for a lock on one of {} tables", batch.len()))
                .detail(error.message().to_owned())
        }
    }
    .hint(HINT)
}

async fn check_meaning(connection: &mut Connection, batch: &[LockTarget]) -> Result<()> {
    let names: Vec<String> = batch
        .iter()
        .map(|target| format!("\"{}\"", target.qualified_name.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    let names = format!("{{{}}}", names.join(","));
    let oids = oid_array(batch);
    let rows = connection.query(RELATION_CHECK, &[Some(&names), Some(&oids)]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let position: usize = row
        .number("position")
        .map_err(|error| Error::new(ErrorKind::Server, "query \"relation_check\"").caused_by(error))?;
    let name = batch.get(position.wrapping_sub(1)).map_or("?", |target| target.qualified_name.as_str());
    Err(Error::new(ErrorKind::Server, format!("table {name} was replaced while the run began"))
        .detail("after the lock its name means another relation")
        .hint("Run again when nobody changes the schema."))
}
