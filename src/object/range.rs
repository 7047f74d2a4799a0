//! Range types; the multirange type that comes with each has no entry of its own.

use super::data_type::{ShellType, TypeForm, form_mut};
use super::{Inventory, Quote};
use crate::record::{DecodeError, Record};

/// What only a range type has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The type of its bounds as SQL.
    pub subtype: String,
    /// The multirange type as SQL, from server 14 on.
    pub multirange: Option<String>,
    /// Schema and name of the operator class that orders the bounds, where it is not the subtype's default.
    pub operator_class: Option<(String, String)>,
    /// Schema and name of its collation, where it is not the subtype's own.
    pub collation: Option<(String, String)>,
    /// The function that brings a value to its canonical form, as SQL.
    pub canonical: Option<String>,
    /// The function that measures the distance of two bounds, as SQL.
    pub difference: Option<String>,
}

/// Takes the rows of `sql/catalog/range.sql` in. Each range gets a shell, which its canonical function may need.
pub fn take_ranges(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let Some((id, TypeForm::Range(range))) = form_mut(row, inventory)? else { continue };
        *range = Some(Box::new(Range {
            subtype: row.string("subtype")?,
            multirange: row.optional_string("multirange")?,
            operator_class: row.optional_string("opcnamespace")?.zip(row.optional_string("opcname")?),
            collation: row.optional_string("collnamespace")?.zip(row.optional_string("collname")?),
            canonical: function(row, "rngcanonical")?,
            difference: function(row, "rngsubdiff")?,
        }));
        ShellType::add(inventory, id);
    }
    Ok(())
}

/// A `regproc` column, which shows `-` for none.
pub(super) fn function(row: &Record, column: &str) -> Result<Option<String>, DecodeError> {
    let text = row.text(column)?;
    Ok((text != "-").then(|| text.to_owned()))
}

impl Range {
    pub(super) fn create(&self, name: &str, quote: Quote) -> String {
        let qualified =
            |pair: &Option<(String, String)>| pair.as_ref().map(|(schema, name)| quote.qualified(Some(schema), name));
        let parts = [
            ("multirange_type_name", self.multirange.clone()),
            ("subtype_opclass", qualified(&self.operator_class)),
            ("collation", qualified(&self.collation)),
            ("canonical", self.canonical.clone()),
            ("subtype_diff", self.difference.clone()),
        ];
        let mut sql = format!("CREATE TYPE {name} AS RANGE (\n    subtype = {}", self.subtype);
        for (word, value) in parts {
            if let Some(value) = value {
                sql.push_str(&format!(",\n    {word} = {value}"));
            }
        }
        sql.push_str("\n);\n");
        sql
    }
}
