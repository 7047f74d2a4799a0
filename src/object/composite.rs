//! Free-standing composite types.

use super::data_type::{TypeForm, form_mut, note_inner_comment};
use super::{CatalogId, Inventory, Quote, class};
use crate::record::{DecodeError, Record};

/// A column of a composite type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its number, by which its comment finds it.
    pub number: i32,
    /// Its name.
    pub name: String,
    /// Its type as SQL, with its modifier.
    pub data_type: String,
    /// Schema and name of its collation, where it is not its type's own.
    pub collation: Option<(String, String)>,
}

/// Takes the rows of `sql/catalog/composite.sql` in: one a column, in order.
pub fn take_attributes(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        if let Some((id, TypeForm::Composite(attributes))) = form_mut(row, inventory)? {
            attributes.push(Attribute {
                number: row.number("attnum")?,
                name: row.string("attname")?,
                data_type: row.string("data_type")?,
                collation: row.optional_string("collnamespace")?.zip(row.optional_string("collname")?),
            });
            note_inner_comment(inventory, id, CatalogId { class: class::PG_CLASS, oid: row.oid("typrelid")? });
        }
    }
    Ok(())
}

pub(super) fn create(attributes: &[Attribute], name: &str, quote: Quote) -> String {
    let columns: Vec<String> = (attributes.iter())
        .map(|attribute| {
            let column = format!("\n\t{} {}", quote.identifier(&attribute.name), attribute.data_type);
            match &attribute.collation {
                Some((schema, name)) => format!("{column} COLLATE {}", quote.qualified(Some(schema), name)),
                None => column,
            }
        })
        .collect();
    format!("CREATE TYPE {name} AS ({}\n);\n", columns.join(","))
}
