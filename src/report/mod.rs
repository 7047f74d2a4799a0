//! What people and programs see: results on stdout, talk on stderr.
//!
//! Results are tables or one versioned JSON object; talk is the rendering of [`crate::event::Event`]s and errors. No text
//! leaves through here without [`redact::redact`], and control characters from names never reach a terminal.

pub mod human;
pub mod json;
mod paint;
mod progress;
pub mod redact;
mod table;
mod talk;

use std::io::Write as _;

use crate::error::{Error, ErrorKind, Result};

pub use paint::{Color, Paint};
pub use progress::Display;
pub use table::{Align, Table};
pub use talk::{Log, Talk, Verbosity};

/// Writes a result. A reader that has gone away is no failure of the work; everything else is, since what a program cannot read
/// it may take for nothing.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // `db list | head -1` closes the pipe; there is nobody left to tell
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            Err(Error::new(ErrorKind::Disk, "could not write the result to standard output").caused_by(error))
        }
        Ok(()) => Ok(()),
    }
}

/// Writes to stderr what is neither an event nor an error: a prompt, a usage message.
pub fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // without a stderr there is nobody to tell
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
