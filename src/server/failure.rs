//! What a server says when a statement fails.

use std::fmt;

use fallible_iterator::FallibleIterator as _;
use postgres_protocol::message::backend::{ErrorFields, ErrorResponseBody, NoticeResponseBody};

use crate::error::{Error, ErrorKind};
use crate::record::decode_text;

/// An error or a notice as the server sent it (PostgreSQL documentation, "Error and Notice Message Fields").
///
/// `detail` and `context` may hold row values: they are kept for tests and for `--show-data`, and are no part of the
/// texts that [`Self::into_error`] makes, as far as they come from data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`, `NOTICE`, never translated.
    pub severity: String,
    /// The five characters of the SQLSTATE.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// The secondary message.
    pub detail: Option<String>,
    /// The server's advice.
    pub hint: Option<String>,
    /// Where in the statement, in characters from 1.
    pub position: Option<u32>,
    /// The call stack: functions, COPY line.
    pub context: Option<String>,
    /// The schema of the object concerned.
    pub schema: Option<String>,
    /// The table concerned.
    pub table: Option<String>,
    /// The constraint concerned.
    pub constraint: Option<String>,
    /// The server's source file, which tells errors apart whatever language they are written in.
    pub file: Option<String>,
}

impl ServerError {
    pub(super) fn decode(body: &ErrorResponseBody) -> Self {
        Self::from_fields(body.fields())
    }

    pub(super) fn decode_notice(body: &NoticeResponseBody) -> Self {
        Self::from_fields(body.fields())
    }

    fn from_fields(mut fields: ErrorFields<'_>) -> Self {
        let mut error = Self::default();
        // a message that ends in the middle keeps the fields that were whole
        while let Ok(Some(field)) = fields.next() {
            let value = decode_text(field.value_bytes());
            match field.type_() {
                b'S' if error.severity.is_empty() => error.severity = value,
                b'V' => error.severity = value,
                b'C' => error.sqlstate = value,
                b'M' => error.message = value,
                b'D' => error.detail = Some(value),
                b'H' => error.hint = Some(value),
                b'P' => error.position = value.parse().ok(),
                b'W' => error.context = Some(value),
                b's' => error.schema = Some(value),
                b't' => error.table = Some(value),
                b'n' => error.constraint = Some(value),
                b'F' => error.file = Some(value),
                _ => {}
            }
        }
        error
    }

    /// How much text it holds.
    pub(super) fn text_bytes(&self) -> usize {
        let optional =
            [&self.detail, &self.hint, &self.context, &self.schema, &self.table, &self.constraint, &self.file];
        self.message.len() + optional.into_iter().flatten().map(String::len).sum::<usize>()
    }

    /// Whether the session is over.
    pub fn is_fatal(&self) -> bool {
        self.severity == "FATAL" || self.severity == "PANIC"
    }

    fn kind(&self) -> ErrorKind {
        match self.sqlstate.as_str() {
            "28000" | "28P01" => ErrorKind::Authentication,
            "3D000" => ErrorKind::NoDatabase,
            "55P03" => ErrorKind::Locked,
            "42501" if self.file.as_deref() == Some("rls.c") => ErrorKind::RowSecurity,
            _ if self.is_fatal() => ErrorKind::Connect,
            _ => ErrorKind::Server,
        }
    }

    fn advice(&self) -> Option<&'static str> {
        Some(match self.sqlstate.as_str() {
            "28P01" => "Check the user name and the password: PGPASSWORD, the password file, or the URL's.",
            "28000" => {
                "The server's pg_hba.conf does not let this user in from here in this way; check user, host and sslmode."
            }
            "3D000" => "List the databases that exist with: psql -l",
            "53300" => "Close other sessions, use fewer jobs, or raise max_connections.",
            "57P03" => "The server is starting up, shutting down or recovering: try again when it is ready.",
            "42501" if self.file.as_deref() == Some("rls.c") => {
                "Use a role with BYPASSRLS, or the superuser: a dump that a policy filters is no backup."
            }
            "40001" | "40P01" if self.context.is_none() && self.hint.is_none() => return None,
            _ => return None,
        })
    }

    /// DETAIL quotes row values in these classes (data exceptions, integrity violations, and what user code raises).
    fn detail_may_hold_data(&self) -> bool {
        matches!(self.sqlstate.get(..2), Some("22" | "23" | "44" | "P0"))
    }

    /// The context without what a COPY line quotes of its data: `COPY t, line 3, column a`.
    fn safe_context(&self) -> Option<String> {
        let context = self.context.as_deref()?;
        let first = context.lines().next()?;
        let place = match first.strip_prefix("COPY ") {
            Some(_) => first.split_once(": \"").map_or(first, |(place, _)| place),
            None if self.detail_may_hold_data() => return None,
            None => first,
        };
        Some(place.to_owned())
    }

    /// The error of this program for it: the server's message, the SQLSTATE and the place as detail, its advice or
    /// ours as hint. Values of rows are left out.
    pub fn into_error(self) -> Error {
        let mut error = Error::new(self.kind(), self.message.clone());
        let mut detail = format!("SQLSTATE {}", self.sqlstate);
        if let Some(text) = self.detail.as_deref().filter(|_| !self.detail_may_hold_data()) {
            detail = format!("{text} ({detail})");
        }
        if let Some(context) = self.safe_context() {
            detail = format!("{detail}; {context}");
        }
        error = error.detail(detail);
        if let Some(advice) = self.advice() {
            error = error.hint(advice);
        } else if let Some(hint) = &self.hint {
            error = error.hint(hint.clone());
        }
        error.caused_by(self)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.severity, self.message, self.sqlstate)
    }
}

impl std::error::Error for ServerError {}

/// What the server said, if the error came from a server.
pub fn server_error(error: &Error) -> Option<&ServerError> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// Whether a statement waited for a lock for longer than `lock_timeout`.
pub fn is_lock_timeout(error: &Error) -> bool {
    sqlstate(error) == Some("55P03")
}

/// Whether the server, the database or the role has no connection left.
pub fn is_full(error: &Error) -> bool {
    sqlstate(error) == Some("53300")
}

/// The SQLSTATE, if the error came from a server.
pub fn sqlstate(error: &Error) -> Option<&str> {
    server_error(error).map(|error| error.sqlstate.as_str())
}
