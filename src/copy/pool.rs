//! Connections that share one snapshot.

use futures_util::future::try_join_all;

use crate::error::Result;
use crate::server::{CancelToken, Connection, Options, Setup, Snapshot, join, pin_values};

/// Connections with equal settings, all in a transaction on the same snapshot.
pub struct Pool {
    connections: Vec<Connection>,
}

impl Pool {
    /// Opens `count` connections and joins each to the snapshot.
    pub async fn open(options: &Options, setup: &Setup, snapshot: &Snapshot, count: usize) -> Result<Self> {
        let open = || async {
            let mut connection = join(options, setup, snapshot).await?;
            pin_values(&mut connection, setup).await?;
            Ok(connection)
        };
        Ok(Self { connections: try_join_all((0..count).map(|_| open())).await? })
    }

    /// What stops all of them: when one worker fails, the others' work is of no use.
    pub fn cancel_tokens(&self) -> Vec<CancelToken> {
        self.connections.iter().map(Connection::cancel_token).collect()
    }

    /// The connections themselves, one for each worker.
    pub fn into_connections(self) -> Vec<Connection> {
        self.connections
    }
}
