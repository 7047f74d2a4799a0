//! One view of the database for all connections.

use super::connection::Connection;
use super::failure::sqlstate;
use super::options::Options;
use super::session::{Isolation, Setup, begin, prepare};
use crate::error::{Error, ErrorKind, Result};
use crate::record::DecodeError;

const EXPORT: &str = include_str!("../../sql/session/snapshot_export.sql");

/// A snapshot that other sessions can take over while the exporting transaction is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The server's name for it.
    pub id: String,
    /// The server's process of the exporting session, whatever a pooler says.
    pub pid: i32,
    /// The write-ahead log's position at about that moment.
    pub lsn: String,
    /// When the transaction began: RFC 3339, UTC, microseconds.
    pub time: String,
    /// The oldest transaction that was running then: what it and later ones have done may be unknown to the snapshot.
    pub oldest_running: String,
}

/// Exports the snapshot of the open transaction of `connection`, which must stay open.
pub async fn export_snapshot(connection: &mut Connection) -> Result<Snapshot> {
    let row = connection.query_one(EXPORT, &[]).await.map_err(|error| error.context("could not export a snapshot"))?;
    let decode = || -> Result<Snapshot, DecodeError> {
        Ok(Snapshot {
            id: row.string("snapshot")?,
            pid: row.number("pid")?,
            lsn: row.string("lsn")?,
            time: row.string("time")?,
            oldest_running: row.string("oldest_running")?,
        })
    };
    decode().map_err(|error| Error::new(ErrorKind::Server, "query \"snapshot_export\"").caused_by(error))
}

/// Begins a transaction on `connection` that sees exactly what the exporting one sees.
pub async fn import_snapshot(connection: &mut Connection, snapshot: &Snapshot) -> Result<()> {
    // a deferrable transaction cannot import; once the exporter has a safe snapshot, repeatable read on it is as safe
    begin(connection, Isolation::RepeatableRead).await?;
    join_snapshot(connection, &snapshot.id).await
}

/// Opens a session that is set up for a dump and sees the present.
///
/// # Errors
///
/// Those of [`Connection::connect`], and the server's.
pub async fn open(options: &Options, setup: &Setup) -> Result<Connection> {
    let mut connection = Connection::connect(options).await?;
    prepare(&mut connection, setup).await?;
    Ok(connection)
}

/// Opens a session that is set up like the exporting one and sees what that one sees.
pub async fn join(options: &Options, setup: &Setup, snapshot: &Snapshot) -> Result<Connection> {
    let mut connection = open(options, setup).await?;
    import_snapshot(&mut connection, snapshot).await?;
    Ok(connection)
}

/// Makes the open transaction of `connection`, which has read nothing, see what the one sees that exported this snapshot.
pub async fn join_snapshot(connection: &mut Connection, id: &str) -> Result<()> {
    // SET TRANSACTION SNAPSHOT takes a literal only; the name is the server's own and has digits and dashes
    let is_plain = id.chars().all(|character| character.is_ascii_hexdigit() || character == '-');
    if !is_plain {
        return Err(Error::new(ErrorKind::Usage, format!("\"{id}\" is not a snapshot's name")));
    }
    connection.execute(&format!("set transaction snapshot '{id}'")).await.map_err(|error| {
        let lost = sqlstate(&error) == Some("22023");
        let error = error.context("could not join the snapshot");
        if lost { error.hint("The session that exported it has ended; the run must begin again.") } else { error }
    })
}
