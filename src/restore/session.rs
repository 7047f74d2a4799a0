//! Sessions that restore.

use crate::archive::toc::Toc;
use crate::error::Result;
use crate::server::{Connection, Options};

const BEGIN: &str = include_str!("../../sql/restore/begin.sql");

/// Connects to the target, whose own settings (`ALTER DATABASE ... SET`) must not decide what is restored.
pub(super) async fn connect(options: &Options) -> Result<Connection> {
    let mut connection = Connection::connect(options).await?;
    // they may be shorter than what follows
    connection.execute("set statement_timeout = 0; set lock_timeout = 0").await?;
    connection.query(BEGIN, &[]).await.map_err(|error| error.context("could not set the session up"))?;
    if connection.version().major() >= 14 {
        // what a restore that is killed leaves running ends soon; where the server's system cannot tell, it refuses this
        drop(connection.execute("set client_connection_check_interval = '5s'").await);
    }
    Ok(connection)
}

/// Lets the session speak the archive's encoding, in which all its names and texts are.
pub(super) async fn speak(connection: &mut Connection, toc: &Toc) -> Result<()> {
    let sql = "select pg_catalog.set_config('client_encoding', $1, false)";
    connection.query(sql, &[Some(toc.encoding().unwrap_or("UTF8"))]).await.map(|_| ())
}
