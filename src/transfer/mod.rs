//! The one place where bytes of an archive meet a store: outwards counted and hashed, inwards by ranges and with retries.

mod inlet;
mod outlet;
mod spool;

pub use inlet::{Inlet, read_back};
pub use outlet::{Outlet, Receipt, SEGMENT_BYTES};
pub use spool::Spool;
