//! One error for the whole program, one word wide, in PostgreSQL's shape: message, detail, hint.
//!
//! The message is a short fact in lower case without a full stop, the detail gives the numbers, the hint is a sentence
//! that says what to do next (PostgreSQL documentation, "Error Message Style Guide").

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

mod kind;

pub use kind::{ErrorKind, Retry};

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, why and what to do next.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    detail: Option<String>,
    hint: Option<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind; `message` names what could not be done and on which object.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), detail: None, hint: None, source: None }))
    }

    /// Adds the facts: offsets, sizes, the SQLSTATE, the cause's own words.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds facts behind those that are there already.
    #[must_use]
    pub fn more_detail(mut self, detail: &str) -> Self {
        self.0.detail = Some(match self.0.detail.take() {
            Some(first) => format!("{first}; {detail}"),
            None => detail.to_owned(),
        });
        self
    }

    /// Adds the sentence that says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the cause. Its text becomes the detail when there is none yet.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source = source.into();
        if self.0.detail.is_none() {
            self.0.detail = Some(source.to_string());
        }
        self.0.source = Some(source);
        self
    }

    /// Puts what was being done in front: `context: message`.
    #[must_use]
    pub fn context(mut self, context: &str) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The fact, in lower case and without a full stop.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The numbers and the cause's own words.
    pub fn detail_text(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// What to do next.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.0.message)?;
        if let Some(detail) = &self.0.detail {
            write!(f, "\ndetail: {detail}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_message_detail_and_hint_on_a_line_each() {
        let error = Error::new(ErrorKind::Server, "could not restore table \"public.orders\"")
            .detail("SQLSTATE 57P01")
            .hint("Look at the server's log.");
        assert_eq!(
            error.to_string(),
            "error: could not restore table \"public.orders\"\ndetail: SQLSTATE 57P01\nhint: Look at the server's log."
        );
    }

    #[test]
    fn every_kind_has_an_exit_code_that_means_failure() {
        for kind in ErrorKind::ALL {
            assert_ne!(kind.exit_code(), 0, "{kind:?}");
        }
    }
}
