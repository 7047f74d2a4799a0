//! Views: their text, and the view of nulls that stands for one until its rule gives it its text.

use super::table::{Table, push, storage_options};
use super::{Emitter, Inventory, Object, Quote};
use crate::record::{DecodeError, Record};

/// Takes in the rows of `sql/catalog/view.sql`, for views and materialized views.
pub(crate) fn take(rows: &[Record], inventory: &mut Inventory) -> Result<(), DecodeError> {
    for row in rows {
        let text = row.text("definition")?;
        let Some(text) = text.strip_suffix(';').filter(|text| !text.is_empty()) else {
            let problem = "is no query that ends with a semicolon".to_owned();
            return Err(DecodeError { column: "definition".to_owned(), problem });
        };
        let id = inventory.find_table(row.oid("oid")?);
        if let Some(table) = id.and_then(|id| inventory.table_mut(id)) {
            table.definition = Some(text.to_owned());
        }
    }
    Ok(())
}

/// `CREATE VIEW` for a view's own entry.
pub(super) fn create(table: &Table, object: &Object, out: &Emitter<'_>) -> String {
    if table.is_placeholder {
        let name = out.inventory.qualified(object, out.quote());
        return format!("CREATE VIEW {name} AS\n{};\n", nulls(table, out.quote()));
    }
    statement("CREATE VIEW", table, object, out)
}

/// The view with its text; `words` are `CREATE VIEW` or `CREATE OR REPLACE VIEW`.
pub(super) fn statement(words: &str, table: &Table, object: &Object, out: &Emitter<'_>) -> String {
    let quote = out.quote();
    let mut sql = format!("{words} {}", out.inventory.qualified(object, quote));
    if !table.options.is_empty() {
        push(&mut sql, &[" WITH (", &storage_options(&table.options, "", quote).join(", "), ")"]);
    }
    push(&mut sql, &[" AS\n", table.definition.as_deref().unwrap_or_default()]);
    if let Some(check) = &table.check_option {
        push(&mut sql, &["\n  WITH ", check, " CHECK OPTION"]);
    }
    sql.push_str(";\n");
    sql
}

/// A query of the view's columns, each null: it needs nothing but the columns' types.
pub(super) fn nulls(table: &Table, quote: Quote) -> String {
    let columns: Vec<String> = (table.columns.iter())
        .map(|column| {
            let mut sql = format!("\n    NULL::{}", column.type_name);
            column.push_collation(&mut sql, quote);
            push(&mut sql, &[" AS ", &quote.identifier(&column.name)]);
            sql
        })
        .collect();
    format!("SELECT{}", columns.join(","))
}
