//! Enums.

use super::data_type::{TypeForm, form_mut};
use super::{Inventory, Quote};
use crate::record::{DecodeError, Record};

/// Takes the rows of `sql/catalog/enumeration.sql` in: one a label, in the enum's order.
pub fn take_labels(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        if let Some((_, TypeForm::Enumeration(labels))) = form_mut(row, inventory)? {
            labels.push(row.string("enumlabel")?);
        }
    }
    Ok(())
}

pub(super) fn create(labels: &[String], name: &str, quote: Quote) -> String {
    let labels: Vec<String> = labels.iter().map(|label| format!("\n    {}", quote.literal(label))).collect();
    format!("CREATE TYPE {name} AS ENUM ({}\n);\n", labels.join(","))
}
