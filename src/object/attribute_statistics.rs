//! What the planner knows of the values in a column.

use std::fmt::Write as _;

use super::relation_statistics::push_relation;
use super::{DumpId, Inventory, Quote};
use crate::record::{DecodeError, Record};

/// What `pg_restore_attribute_stats` takes beside the names, with the types (PostgreSQL documentation, "Statistics
/// Manipulation Functions"); each is a column of `pg_stats`.
const VALUES: [(&str, &str); 13] = [
    ("null_frac", "real"),
    ("avg_width", "integer"),
    ("n_distinct", "real"),
    ("most_common_vals", "text"),
    ("most_common_freqs", "real[]"),
    ("histogram_bounds", "text"),
    ("correlation", "real"),
    ("most_common_elems", "text"),
    ("most_common_elem_freqs", "real[]"),
    ("elem_count_histogram", "real[]"),
    ("range_length_histogram", "text"),
    ("range_empty_frac", "real"),
    ("range_bounds_histogram", "text"),
];

/// The statement that gives a relation the statistics of one column: a row of `sql/catalog/attribute_statistics.sql`.
///
/// A column of an index goes by its number, because a restored index may give it another name.
///
/// # Errors
///
/// When the row is not what the query asks for.
pub fn statement(row: &Record, relation: DumpId, inventory: &Inventory, quote: Quote) -> Result<String, DecodeError> {
    let is_index = inventory.index(relation).is_some();
    let relation = inventory.get(relation);
    let mut sql = String::from("SELECT * FROM pg_catalog.pg_restore_attribute_stats(\n");
    let schema = inventory.schema_name(relation).unwrap_or_default();
    push_relation(&mut sql, inventory.facts.version, schema, &relation.name, quote);
    // writing to a string cannot fail
    let _ = if is_index {
        write!(sql, ",\n\t'attnum', '{}'::smallint", row.number::<i16>("attnum")?)
    } else {
        write!(sql, ",\n\t'attname', {}", quote.literal(row.text("attname")?))
    };
    let _ = write!(sql, ",\n\t'inherited', {}::boolean", quote.literal(row.text("inherited")?)); // a string
    for (name, data_type) in VALUES {
        if let Some(value) = row.optional(name)? {
            let _ = write!(sql, ",\n\t'{name}', {}::{data_type}", quote.literal(value)); // a string
        }
    }
    sql.push_str("\n);\n");
    Ok(sql)
}
