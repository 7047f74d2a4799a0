//! Patterns of names, resolved on the server: its regular expressions and its `search_path` are what psql's patterns
//! mean.

use super::not_understood;
use super::query::catalog_sql;
use crate::error::{Error, ErrorKind, Result};
use crate::object::Inventory;
use crate::plan::pattern::Pattern;
use crate::plan::select::{Content, List, Selection, Wanted};
use crate::server::Connection;

/// One of the four kinds of names that patterns are about.
struct Names {
    sql: &'static str,
    stem: &'static str,
    lists: &'static [List],
    /// How many parts a pattern may have, the database's name among them.
    parts: usize,
}

const NAMES: &[Names] = &[
    Names {
        sql: catalog_sql!("select_schema"),
        stem: "select_schema",
        lists: &[List::IncludeSchema, List::ExcludeSchema],
        parts: 2,
    },
    Names {
        sql: catalog_sql!("select_table"),
        stem: "select_table",
        lists: &[List::IncludeTable, List::ExcludeTable, List::ExcludeTableData],
        parts: 3,
    },
    Names {
        sql: catalog_sql!("select_extension"),
        stem: "select_extension",
        lists: &[List::IncludeExtension, List::ExcludeExtension],
        parts: 1,
    },
    Names {
        sql: catalog_sql!("select_foreign_server"),
        stem: "select_foreign_server",
        lists: &[List::IncludeForeignData],
        parts: 1,
    },
];

/// Finds what patterns mean in the database of this session. With `strict` each pattern must mean something.
///
/// A table's pattern without a schema means what is visible in the session's own `search_path`; that is restored for
/// the moment, so that this must run inside the transaction of the dump and not beside other statements.
///
/// # Errors
///
/// [`ErrorKind::Usage`] when a pattern is none, names another database, or means nothing where it must.
pub async fn resolve(
    connection: &mut Connection,
    content: Content,
    wanted: &[Wanted],
    strict: bool,
) -> Result<Selection> {
    let mut selection = Selection::new(content);
    for names in NAMES {
        let asked: Vec<&Wanted> = wanted.iter().filter(|wanted| names.lists.contains(&wanted.list)).collect();
        if asked.is_empty() {
            continue;
        }
        let found = find(connection, names, &asked).await?;
        for (wanted, oids) in asked.iter().zip(&found) {
            if oids.is_empty() && (strict || wanted.list == List::IncludeForeignData) {
                let message =
                    format!("no matching {} were found for pattern \"{}\"", wanted.list.objects(), wanted.pattern);
                return Err(
                    Error::new(ErrorKind::Usage, message).hint("Names in patterns are lower case unless quoted.")
                );
            }
            if oids.is_empty() {
                selection.unmatched.push((wanted.list, wanted.pattern.clone()));
            }
            selection.add(wanted.list, oids.iter().copied());
        }
        for list in names.lists.iter().filter(|list| list.narrows()) {
            let mut meant = asked.iter().zip(&found).filter(|(wanted, _)| wanted.list == *list).peekable();
            if meant.peek().is_some() && meant.all(|(_, oids)| oids.is_empty()) {
                return Err(Error::new(ErrorKind::Usage, format!("no matching {} were found", list.objects()))
                    .hint("Names in patterns are lower case unless quoted."));
            }
        }
    }
    Ok(selection)
}

/// The oids that each pattern means.
async fn find(connection: &mut Connection, names: &Names, asked: &[&Wanted]) -> Result<Vec<Vec<u32>>> {
    let patterns: Vec<Pattern> =
        asked.iter().map(|wanted| Pattern::parse(&wanted.pattern, names.parts)).collect::<Result<_>>()?;
    refuse_other_databases(connection, &patterns).await?;
    let schemas = array(patterns.iter().map(|pattern| pattern.schema.as_deref()));
    let names_of = array(patterns.iter().map(|pattern| Some(pattern.name.as_str())));
    let children = array(asked.iter().map(|wanted| Some(if wanted.with_children { "t" } else { "f" })));
    let is_table = names.lists.contains(&List::IncludeTable);
    let parameters: Vec<Option<&str>> =
        if is_table { vec![Some(&schemas), Some(&names_of), Some(&children)] } else { vec![Some(&names_of)] };
    if is_table {
        connection.execute("reset search_path").await?;
    }
    let rows = connection.query(names.sql, &parameters).await?;
    if is_table {
        connection.execute("select pg_catalog.set_config('search_path', '', false)").await?;
    }
    let mut found = vec![Vec::new(); asked.len()];
    for row in &rows {
        let take = || Ok((row.number::<usize>("number")?, row.oid("oid")?));
        let (number, oid) = take().map_err(|error| not_understood(names.stem, &error))?;
        if let Some(oids) = number.checked_sub(1).and_then(|slot| found.get_mut(slot)) {
            oids.push(oid);
        }
    }
    Ok(found)
}

/// A pattern may name the database, but only the one that is dumped.
async fn refuse_other_databases(connection: &mut Connection, patterns: &[Pattern]) -> Result<()> {
    if patterns.iter().all(|pattern| pattern.database.is_none()) {
        return Ok(());
    }
    let row = connection.query_one("select pg_catalog.current_database() as database", &[]).await?;
    let current = row.string("database").map_err(|error| not_understood("database", &error))?;
    for pattern in patterns {
        if pattern.database.as_ref().is_some_and(|database| *database != current) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("cross-database references are not implemented: {}", pattern.text),
            ));
        }
    }
    Ok(())
}

/// A `text[]` in text form.
pub(super) fn array<'a>(elements: impl Iterator<Item = Option<&'a str>>) -> String {
    let elements: Vec<String> = elements
        .map(|element| match element {
            None => "NULL".to_owned(),
            Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        })
        .collect();
    format!("{{{}}}", elements.join(","))
}

/// Reads the foreign keys between extensions' tables and has rows loaded in an order that suits them.
pub(super) fn take_extension_foreign_keys(
    rows: &[crate::record::Record],
    inventory: &mut Inventory,
) -> Result<(), crate::record::DecodeError> {
    let keys: Vec<(u32, u32)> =
        rows.iter().map(|row| Ok((row.oid("conrelid")?, row.oid("confrelid")?))).collect::<Result<_, _>>()?;
    crate::plan::order_configuration_rows(inventory, &keys);
    Ok(())
}
