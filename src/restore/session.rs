//! Sessions that restore.

use crate::error::Result;
use crate::server::{Connection, Options};

const BEGIN: &str = include_str!("../../sql/restore/begin.sql");

/// Connects to the target, whose own settings (`ALTER DATABASE ... SET`) must not decide what is restored.
pub(super) async fn connect(options: &Options) -> Result<Connection> {
    let mut connection = Connection::connect(options).await?;
    connection.query(BEGIN, &[]).await.map_err(|error| error.context("could not set the session up"))?;
    Ok(connection)
}
