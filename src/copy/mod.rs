//! COPY streams on several connections that see the same database.

mod pool;

pub use pool::Pool;
