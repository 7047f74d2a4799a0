//! How the program ends.

use std::fmt::Write as _;

use crate::error::{Error, ErrorKind};

/// How a verb that did not fail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Everything that was asked for was done, and nothing was found.
    Done,
    /// It looked, and found something.
    Findings,
    /// It did a part.
    Partial,
}

impl Exit {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => ErrorKind::Damage.exit_code(),
            Self::Partial => ErrorKind::Partial.exit_code(),
        }
    }
}

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// From a service manager.
    Terminate,
    /// The terminal went away.
    HangUp,
}

impl Signal {
    /// 128 and the signal's number, as shells say it.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Interrupt => ErrorKind::Interrupted.exit_code(),
            Self::Terminate => 143,
            Self::HangUp => 129,
        }
    }

    /// The error that ends a run of this command: what it leaves behind.
    pub(super) fn error(self, command: &str) -> Error {
        let name = match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
        };
        let left = match command {
            "backup" => "; nothing was committed",
            "restore" => "; the target database is incomplete, unless nothing had been changed yet",
            "prune" => "; a deletion that was begun goes on with the next run",
            "upload" => "; the next run goes on with what is missing",
            _ => "",
        };
        Error::new(ErrorKind::Interrupted, "stopped by a signal").detail(format!("{name}{left}"))
    }
}

/// The exit codes as a table of text.
pub(super) fn table() -> String {
    let mut codes: Vec<(u8, String)> = vec![(0, "done; nothing was found".to_owned())];
    for kind in ErrorKind::ALL {
        match codes.iter_mut().find(|(code, _)| *code == kind.exit_code()) {
            // the store's two kinds share a code
            Some((_, meaning)) => meaning.push_str(", or stayed overloaded"),
            None => codes.push((kind.exit_code(), kind.meaning().to_owned())),
        }
    }
    codes.push((Signal::Terminate.code(), "stopped by SIGTERM (130: by SIGINT)".to_owned()));
    codes.sort_by_key(|(code, _)| *code);
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in codes {
        let _ = writeln!(text, "  {code:>3}  {meaning}"); // writing to a string cannot fail
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_is_in_the_table() {
        let text = table();
        for kind in ErrorKind::ALL {
            assert!(text.contains(&format!("\n  {:>3}  ", kind.exit_code())), "{kind:?}: {text}");
        }
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(
            text.contains("  12  the store cannot be reached or denied the request, or stayed overloaded\n"),
            "{text}"
        );
    }
}
