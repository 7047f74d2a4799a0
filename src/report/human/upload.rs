//! `db upload` as text.

use crate::config::ByteSize;
use crate::report::paint::{Color, Paint};
use crate::report::table::{Align, Table};
use crate::upload::Outcome;

/// What became of each backup.
pub fn upload(outcome: &Outcome, to: &str, paint: Paint) -> String {
    let mut table = Table::new(&[("BACKUP", Align::Left), ("COPIED", Align::Right), ("RESULT", Align::Left)]);
    for copied in &outcome.backups {
        let result = if copied.files == 0 { "was there already" } else { "copied and read back" };
        table.row([copied.name.clone(), ByteSize(copied.bytes).to_string(), result.to_owned()]);
        table.color(2, Color::Good);
    }
    for (name, word) in &outcome.passed_over {
        table.row([name.clone(), String::new(), format!("passed over: it is {word}")]);
        table.color(2, Color::Warning);
    }
    for (name, error) in &outcome.failed {
        table.row([name.clone(), String::new(), format!("failed: {}", error.message())]);
        table.color(2, Color::Bad);
    }
    let text = table.render(paint);
    if text.is_empty() { format!("nothing to copy to {to}\n") } else { text }
}
