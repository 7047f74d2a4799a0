//! Where options come from besides the command line: the environment and `pgproof.toml`.
//!
//! Every long option can stand in the file under its own name: at the top for all commands, in a table named after a
//! command for that one. [`merge()`] alone decides who wins.

mod byte_size;
mod environment;
mod file;
mod merge;
mod span;

pub use byte_size::{ByteSize, NotAByteSize};
pub use environment::Environment;
pub use file::{Settings, Value};
pub use merge::{Known, Merged, Origin, Takes, merge};
pub use span::{NotADuration, parse_duration, show_duration};
