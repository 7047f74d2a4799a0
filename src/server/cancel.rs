//! Cancelling a statement from outside, over a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use postgres_protocol::message::frontend;

use super::connect;
use super::options::{Host, Options};
use super::wire::Wire;
use crate::error::{Error, ErrorKind, Result};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Cancels what one session is running. Cheap to clone; works from any task.
#[derive(Clone)]
pub struct CancelToken(Arc<Inner>);

struct Inner {
    options: Options,
    host: Host,
    encrypted: bool,
    process_id: i32,
    secret_key: i32,
}

impl CancelToken {
    pub(super) fn new(options: &Options, host: &Host, encrypted: bool, process_id: i32, secret_key: i32) -> Self {
        // the sessions of a run hold this; it must not hold them
        let options = Options { sessions: super::Sessions::default(), ..options.clone() };
        let host = host.clone();
        Self(Arc::new(Inner { options, host, encrypted, process_id, secret_key }))
    }

    pub(super) fn process_id(&self) -> i32 {
        self.0.process_id
    }

    /// How to reach the session's own server, among others no more.
    pub(super) fn options(&self) -> Options {
        Options { hosts: vec![self.0.host.clone()], ..self.0.options.clone() }
    }

    /// The server, for people.
    pub(super) fn place(&self) -> String {
        self.0.host.describe()
    }

    /// The host as the session reached it.
    pub(super) fn host(&self) -> &Host {
        &self.0.host
    }

    /// Asks the server to cancel what the session is running. The session's own statement then fails with 57014, or
    /// ends well if it was faster.
    pub async fn cancel(&self) -> Result<()> {
        let attempt = async {
            let Inner { options, host, encrypted, process_id, secret_key } = &*self.0;
            let transport = connect::open_again(options, host, *encrypted).await?;
            let mut wire = Wire::new(transport, host.describe(), options.idle_limit);
            frontend::cancel_request(*process_id, *secret_key, wire.output());
            wire.flush(&[]).await?;
            // the server answers by closing
            let _ = wire.fill().await;
            Ok(())
        };
        match tokio::time::timeout(TIMEOUT, attempt).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(ErrorKind::Connect, "could not cancel a statement in time")),
        }
    }

    /// The same from code that cannot wait; without a runtime it does nothing.
    pub(super) fn cancel_in_background(&self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let token = self.clone();
            // the session is given up anyway; a cancel that fails changes nothing more
            runtime.spawn(async move { token.cancel().await.ok() });
        }
    }
}
