//! Locks that keep tables as they are while they are read, without becoming the cause of a queue.
//!
//! A request that waits in a queue makes every later request wait, those of readers among them. So nothing here waits in a queue
//! while it holds other locks: what is not free at once is asked for again after a pause without any lock.

use std::fmt;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::failure::{is_lock_timeout, sqlstate};
use super::snapshot::Snapshot;
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use crate::record::{DecodeError, Record};

const BLOCKER: &str = include_str!("../../sql/session/blocker.sql");
const RELATION_CHECK: &str = include_str!("../../sql/session/relation_check.sql");
const CHANGED_STORAGE: &str = include_str!("../../sql/session/changed_storage.sql");
const CHANGED_COLUMN: &str = include_str!("../../sql/session/changed_column.sql");
const COLUMN_NAMES: &str = include_str!("../../sql/session/column_names.sql");

/// Tables named in one statement.
const BATCH: usize = 1_000;

/// The pause after the first attempt; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

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
    /// The longest pause between two attempts.
    pub pause: Duration,
    /// How long to go on trying.
    pub total: Duration,
}

impl Default for LockPatience {
    fn default() -> Self {
        Self { pause: Duration::from_secs(1), total: Duration::from_secs(30) }
    }
}

/// A table is no longer what the snapshot shows: only a new snapshot helps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TableChanged;

impl fmt::Display for TableChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table was changed after the snapshot was taken")
    }
}

impl std::error::Error for TableChanged {}

fn changed(table: &str, how: &str) -> Error {
    Error::new(ErrorKind::Locked, format!("table {table} was changed while the run began"))
        .detail(how)
        .hint("Run again when nobody truncates, rewrites or replaces tables.")
        .caused_by(TableChanged)
}

fn gone(error: &Error) -> Error {
    Error::new(ErrorKind::Locked, "a table was dropped or renamed while the run began")
        .detail(error.message().to_owned())
        .hint("Run again when nobody changes the schema.")
        .caused_by(TableChanged)
}

/// Whether a run failed because a table was changed between its snapshot and its locks: it may begin again.
pub fn is_table_change(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<TableChanged>)
}

/// Locks the tables in ACCESS SHARE mode within the open transaction, and checks that each is still what the transaction's
/// snapshot shows: that the name means the same relation, and that it was neither truncated nor rewritten.
///
/// While it waits it holds none of the locks, so that nobody waits for it meanwhile.
///
/// # Errors
///
/// [`ErrorKind::Locked`] names the table, the blocking process and for how long it has been at it; or the table that was changed
/// meanwhile ([`is_table_change`]). [`ErrorKind::Server`] when a table may not be locked.
pub async fn lock_tables(connection: &mut Connection, targets: &[LockTarget], patience: LockPatience) -> Result<()> {
    let begun = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        connection.execute("savepoint pgproof_lock").await?;
        let Some(error) = try_lock(connection, targets).await? else { break };
        connection.execute("rollback to savepoint pgproof_lock; release savepoint pgproof_lock").await?;
        if begun.elapsed() + pause >= patience.total {
            return Err(describe(connection, targets, begun.elapsed(), error).await);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(patience.pause);
    }
    connection.execute("release savepoint pgproof_lock").await?;
    for batch in targets.chunks(BATCH) {
        check_meaning(connection, batch).await?;
    }
    check_storage(connection, targets).await
}

/// The statement that locks these tables.
fn lock_statement(targets: &[LockTarget], wait: &str) -> String {
    let names: Vec<String> = targets.iter().map(|target| format!("only {}", target.qualified_name)).collect();
    format!("lock table {} in access share mode{wait}", names.join(", "))
}

/// Gives back the error of a lock that is not free.
async fn try_lock(connection: &mut Connection, targets: &[LockTarget]) -> Result<Option<Error>> {
    for batch in targets.chunks(BATCH) {
        match connection.execute(&lock_statement(batch, " nowait")).await {
            Ok(()) => {}
            Err(error) if is_lock_timeout(&error) => return Ok(Some(error)),
            // undefined_table, invalid_schema_name: dropped or renamed since the lists were read
            Err(error) if matches!(sqlstate(&error), Some("42P01" | "3F000")) => {
                return Err(gone(&error));
            }
            Err(error) => return Err(error.context("could not lock the tables to dump")),
        }
    }
    Ok(None)
}

async fn check_storage(connection: &mut Connection, targets: &[LockTarget]) -> Result<()> {
    let rows = connection.query(CHANGED_STORAGE, &[Some(&oid_array(targets))]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let name = named_by_position(row, targets).map_err(|error| not_understood("changed_storage", error))?;
    let table: Vec<LockTarget> = targets.iter().filter(|target| target.qualified_name == name).cloned().collect();
    let error = changed(&name, "another session truncated or rewrote it after the snapshot was taken");
    Err(match blocker(connection, &table).await {
        Some((_, session)) => error.more_detail(&format!("a session that wants it again: {session}")),
        None => error.more_detail("that session has ended its transaction"),
    })
}

fn named_by_position(row: &Record, targets: &[LockTarget]) -> Result<String, DecodeError> {
    let position: usize = row.number("position")?;
    Ok(targets.get(position.wrapping_sub(1)).map_or_else(|| "?".to_owned(), |target| target.qualified_name.clone()))
}

fn not_understood(name: &str, error: DecodeError) -> Error {
    Error::new(ErrorKind::Server, format!("query \"{name}\"")).caused_by(error)
}

/// A column as a session sees it.
#[derive(PartialEq, Eq)]
struct Column {
    table: u32,
    number: i16,
    name: String,
    type_oid: u32,
    is_dropped: bool,
}

/// Checks that the columns of locked tables are still what the snapshot shows: `reader` sees the snapshot, `now` the present.
///
/// # Errors
///
/// A table whose column was renamed, dropped or changed in type since ([`is_table_change`]).
pub async fn check_columns(
    reader: &mut Connection,
    now: &mut Connection,
    snapshot: &Snapshot,
    targets: &[LockTarget],
) -> Result<()> {
    let suspects = now.query(CHANGED_COLUMN, &[Some(&oid_array(targets)), Some(&snapshot.oldest_running)]).await?;
    if suspects.is_empty() {
        return Ok(());
    }
    let suspects: Vec<&str> = suspects
        .iter()
        .map(|row| row.text("oid"))
        .collect::<Result<_, _>>()
        .map_err(|e| not_understood("changed_column", e))?;
    let list = format!("{{{}}}", suspects.join(","));
    let (seen, present) =
        (reader.query(COLUMN_NAMES, &[Some(&list)]).await?, now.query(COLUMN_NAMES, &[Some(&list)]).await?);
    let decode = |row: &Record| -> Result<Column, DecodeError> {
        Ok(Column {
            table: row.oid("oid")?,
            number: row.number("number")?,
            name: row.string("name")?,
            type_oid: row.oid("type")?,
            is_dropped: row.boolean("is_dropped")?,
        })
    };
    let columns = |rows: &[Record]| -> Result<Vec<Column>> {
        rows.iter().map(decode).collect::<Result<_, _>>().map_err(|error| not_understood("column_names", error))
    };
    let present = columns(&present)?;
    let known = columns(&seen)?;
    if let Some(column) = known.iter().find(|column| !column.is_dropped && !present.contains(column)) {
        let table = targets.iter().find(|target| target.oid == column.table);
        let name = table.map_or_else(|| column.table.to_string(), |target| target.qualified_name.clone());
        return Err(changed(&name, &format!("its column \"{}\" is another one now", column.name)));
    }
    Ok(())
}

/// What lets another session of ours have a table's lock although a third one is waiting for the table: an advisory lock that the
/// other session has and the holder of the table asks for. The server then sees that the holder waits for the other session, finds
/// that granting the table's lock to it first resolves the deadlock, and reorders the queue after `deadlock_timeout`
/// (PostgreSQL source, storage/lmgr/README, "soft" edges).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass(i64);

impl Pass {
    /// A pass that nobody else has.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The taker's first step.
    ///
    /// # Errors
    ///
    /// The server's.
    pub async fn hold(self, taker: &mut Connection) -> Result<()> {
        taker.execute(&format!("select pg_catalog.pg_advisory_lock({})", self.0)).await
    }

    /// The taker's last step, whatever came of the lock.
    ///
    /// # Errors
    ///
    /// The server's.
    pub async fn release(self, taker: &mut Connection) -> Result<()> {
        taker.execute(&format!("select pg_catalog.pg_advisory_unlock({})", self.0)).await
    }

    /// The holder's step: waits until the taker has what it wants.
    ///
    /// # Errors
    ///
    /// The server's.
    pub async fn wait(self, holder: &mut Connection) -> Result<()> {
        let key = self.0;
        holder
            .execute(&format!("select pg_catalog.pg_advisory_lock({key}); select pg_catalog.pg_advisory_unlock({key})"))
            .await
    }
}

/// How long a request for a lock may wait while its holder waits for the requester: a little longer than the server takes to look
/// for deadlocks, which a role that is no superuser cannot shorten.
const PASS_PATIENCE: &str = "select pg_catalog.set_config('lock_timeout', \
     greatest(5000, least(setting::pg_catalog.int4 + 2000, 30000))::pg_catalog.text, true) \
     from pg_catalog.pg_settings where name = 'deadlock_timeout'";

/// Whether a server looks for deadlocks too late for a [`Pass`]: after all but the last seconds of the longest wait for one.
///
/// # Errors
///
/// The server's.
pub async fn passes_late(connection: &mut Connection) -> Result<bool> {
    const SQL: &str = "select setting::pg_catalog.int4 > 28000 as is_late from pg_catalog.pg_settings where name = 'deadlock_timeout'";
    connection.query_one(SQL, &[]).await?.boolean("is_late").map_err(|error| not_understood("deadlock_timeout", error))
}

/// Locks one table behind a savepoint of the taker, past those who wait for it; the holder waits for the [`Pass`] meanwhile.
///
/// # Errors
///
/// That the lock was not given ([`is_lock_timeout`]); the savepoint is rolled back then.
pub async fn lock_past_waiters(taker: &mut Connection, savepoint: &str, target: &str) -> Result<()> {
    let sql = format!("savepoint {savepoint}; {PASS_PATIENCE}; lock table only {target} in access share mode");
    match taker.execute(&sql).await {
        Ok(()) => taker.execute("set local lock_timeout = 0").await,
        Err(error) => {
            taker.execute(&format!("rollback to savepoint {savepoint}; release savepoint {savepoint}")).await?;
            Err(error)
        }
    }
}

/// Gives `taker`, whose transaction has just begun, locks on tables that `holder` has locked, past those who wait for them. The
/// holder keeps its own.
///
/// # Errors
///
/// The server's, a lock that was not given within seconds among them.
pub async fn take_over(taker: &mut Connection, holder: &mut Connection, targets: &[LockTarget]) -> Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    let pass = Pass::random();
    pass.hold(taker).await?;
    let statements: Vec<String> = targets.chunks(BATCH).map(|batch| lock_statement(batch, "")).collect();
    let lock = format!("{PASS_PATIENCE}; {}; set local lock_timeout = 0", statements.join("; "));
    let take = async {
        let taken = taker.execute(&lock).await;
        if taken.is_err() {
            taker.execute("rollback; begin read only").await?;
        }
        pass.release(taker).await?;
        taken
    };
    let (taken, waited) = futures_util::future::join(take, pass.wait(holder)).await;
    waited?;
    taken.map_err(|error| error.context("could not take the locks over"))
}

fn oid_array(batch: &[LockTarget]) -> String {
    let oids: Vec<String> = batch.iter().map(|target| target.oid.to_string()).collect();
    format!("{{{}}}", oids.join(","))
}

/// The oid of one of these tables that another session holds or wants for itself, and that session.
async fn blocker(connection: &mut Connection, targets: &[LockTarget]) -> Option<(u32, String)> {
    // without an answer the error has less to say
    let rows = connection.query(BLOCKER, &[Some(&oid_array(targets))]).await.ok()?;
    let row = rows.into_iter().next()?;
    let decode = || -> Result<(u32, String), DecodeError> {
        let mut detail = format!("pid {}", row.text("pid")?);
        if let Some(state) = row.optional("state")? {
            detail = format!("{detail} ({state}");
            for (column, what) in [("query_seconds", "query"), ("transaction_seconds", "transaction")] {
                if let Some(seconds) = row.optional(column)? {
                    detail = format!("{detail}, {what} began {seconds} s ago");
                }
            }
            detail.push(')');
        }
        Ok((row.oid("oid")?, detail))
    };
    decode().ok()
}

/// The error with the table and the session that is in the way, as far as they are still there to be seen.
async fn describe(connection: &mut Connection, targets: &[LockTarget], waited: Duration, error: Error) -> Error {
    const HINT: &str = "Wait until the other session is done, end it, or allow more time with --lock-wait-timeout.";
    let seconds = waited.as_secs();
    match blocker(connection, targets).await {
        Some((oid, session)) => {
            let name = targets.iter().find(|target| target.oid == oid).map(|target| target.qualified_name.clone());
            let name = name.unwrap_or_else(|| format!("relation {oid}"));
            Error::new(ErrorKind::Locked, format!("waited {seconds} s for a lock on table {name}"))
                .detail(format!("blocked by {session}"))
        }
        None => Error::new(
            ErrorKind::Locked,
            format!("waited {seconds} s for a lock on one of {}", counted(targets.len(), "table")),
        )
        .detail(error.message().to_owned()),
    }
    .hint(HINT)
}

async fn check_meaning(connection: &mut Connection, batch: &[LockTarget]) -> Result<()> {
    let names: Vec<String> = batch
        .iter()
        .map(|target| format!("\"{}\"", target.qualified_name.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    let names = format!("{{{}}}", names.join(","));
    let rows = connection.query(RELATION_CHECK, &[Some(&names), Some(&oid_array(batch))]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let name = named_by_position(row, batch).map_err(|error| not_understood("relation_check", error))?;
    Err(changed(&name, "after the lock its name means another relation"))
}
