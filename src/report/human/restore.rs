//! `db restore` as text.

use std::fmt::Write as _;

use crate::config::ByteSize;
use crate::count::counted;
use crate::report::paint::{Color, Paint};
use crate::report::redact::line;
use crate::restore::Outcome;

/// What a restore did that did not fail.
pub fn restore(outcome: &Outcome, paint: Paint) -> String {
    let mut text = format!(
        "database {}: {}: {}, {} in {}, {}\n",
        line(&outcome.database),
        paint.text(Color::Good, "restored"),
        counted(outcome.entry_count, "object"),
        counted(outcome.row_count, "row"),
        counted(outcome.table_count, "table"),
        ByteSize(outcome.byte_count)
    );
    if !outcome.created_roles.is_empty() {
        let roles = line(&outcome.created_roles.join(", "));
        let _ = writeln!(text, "created roles, which cannot log in: {roles}"); // writing to a string cannot fail
    }
    for warning in &outcome.warnings {
        let _ = writeln!(text, "{} {}", paint.text(Color::Warning, "warning:"), line(warning)); // a string
    }
    text
}
