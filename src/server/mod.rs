//! A client for one PostgreSQL server: connecting, statements, COPY as raw bytes, sessions fit for dumping.
//!
//! The program has its own client because a dump carries the server's own bytes (`tokio-postgres` fixes
//! `client_encoding` to UTF8) and because a COPY counts as complete only with the server's row count.

mod cancel;
mod connect;
mod connection;
mod conninfo;
mod copy;
mod failure;
mod lock;
mod options;
mod passfile;
mod pooler;
mod service;
mod session;
mod sessions;
mod silence;
mod snapshot;
mod spec;
mod talk;
mod tls;
mod wire;

pub use cancel::CancelToken;
pub use connection::{Connection, Notice, Statement, TransactionStatus};
pub use copy::{CopyIn, CopyOut};
pub use failure::{ServerError, is_full, is_lock_timeout, server_error, sqlstate};
pub use lock::{
    LockPatience, LockTarget, Pass, check_columns, is_table_change, lock_past_waiters, lock_tables, passes_late,
    take_over,
};
pub use options::{Address, ChannelBinding, Host, Keepalive, Options, Roots, SslMode, TargetSession, Tls};
pub use pooler::Poolers;
pub use session::{
    Isolation, Setup, Standing, begin, lacks_locale, pin_values, read_database_size, read_monetary, read_standing,
    set_up,
};
pub use sessions::Sessions;
pub use snapshot::{Snapshot, export_snapshot, import_snapshot, join, join_snapshot, open};
pub use spec::{Environment, Origin, Spec};
