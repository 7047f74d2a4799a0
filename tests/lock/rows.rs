//! What a database holds at a moment, and what an archive holds: read by PostgreSQL's own programs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::session::Session;
use crate::support::pg::newest_server;

/// One table: how it is made and what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// `u` for one that is not logged, and each column with its type.
    pub(super) definition: Vec<String>,
    /// The columns of its COPY.
    pub(super) columns: String,
    /// Its lines of COPY text, sorted.
    pub(super) rows: Vec<String>,
}

/// Tables by their names without schema.
pub(super) type Tables = BTreeMap<String, Table>;

/// The tables of schema `cell` that are asked for and there.
pub(super) fn of_database(session: &mut Session, names: &[&str]) -> Tables {
    let mut tables = Tables::new();
    for name in names {
        let definition = session.run(&format!(
            "select case relpersistence when 'u' then 'unlogged' else 'logged' end from pg_class
                 where oid = to_regclass('cell.{name}')
             union all (select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute
                 where attrelid = to_regclass('cell.{name}') and attnum > 0 and not attisdropped order by attnum)"
        ));
        if definition.is_empty() {
            continue;
        }
        let columns = session.run(&format!(
            "select string_agg(attname, ', ' order by attnum) from pg_attribute
                 where attrelid = 'cell.{name}'::regclass and attnum > 0 and not attisdropped"
        ));
        let mut rows = session.run(&format!("copy cell.{name} to stdout"));
        rows.sort_unstable();
        tables.insert((*name).to_owned(), Table { definition, columns: columns.concat(), rows });
    }
    tables
}

/// The tables of schema `cell` in a script of a dump.
pub(super) fn of_script(script: &str) -> Tables {
    let mut tables = Tables::new();
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        if let Some((persistence, name)) = created(line) {
            let mut definition = vec![persistence.to_owned()];
            let columns = lines.by_ref().take_while(|line| !line.starts_with(')'));
            definition.extend(columns.map(|line| column(line.trim().trim_end_matches(','))));
            tables.entry(name.to_owned()).or_default().definition = definition;
        } else if let Some((name, rest)) = line.strip_prefix("COPY cell.").and_then(|rest| rest.split_once(" (")) {
            let Some((columns, _)) = rest.split_once(") FROM stdin") else { continue };
            let mut rows: Vec<String> = lines.by_ref().take_while(|line| *line != "\\.").map(str::to_owned).collect();
            rows.sort_unstable();
            let table = tables.entry(name.to_owned()).or_default();
            (table.columns, table.rows) = (columns.to_owned(), rows);
        }
    }
    tables
}

fn created(line: &str) -> Option<(&str, &str)> {
    let (persistence, rest) = match line.strip_prefix("CREATE UNLOGGED TABLE cell.") {
        Some(rest) => ("unlogged", rest),
        None => ("logged", line.strip_prefix("CREATE TABLE cell.")?),
    };
    Some((persistence, rest.strip_suffix(" (")?))
}

/// A column's name and type, without what follows.
fn column(text: &str) -> String {
    let end = [" NOT NULL", " DEFAULT", " CONSTRAINT"].iter().filter_map(|word| text.find(word)).min();
    text.get(..end.unwrap_or(text.len())).unwrap_or(text).to_owned()
}

/// The archives of a store that has none but complete backups, by the manifests that are in it.
pub(super) fn published(store: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let folders = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    for backup in folders(store).flat_map(|database| folders(&database).collect::<Vec<_>>()) {
        if backup.join("manifest.json").exists() {
            let is_archive =
                |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("archive"));
            found.extend(folders(&backup).filter(is_archive));
        }
    }
    found
}

/// How many rows the manifest beside an archive says that each table has.
pub(super) fn of_manifest(archive: &Path) -> BTreeMap<String, u64> {
    let text = fs::read(archive.with_file_name("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    let tables = manifest["tables"].as_array().expect("tables");
    let rows = |table: &serde_json::Value| {
        (table["name"].as_str().expect("a name").to_owned(), table["rows"].as_u64().expect("a number"))
    };
    tables.iter().map(rows).collect()
}

/// The tables of an archive. Those of the plain format are made without compression.
pub(super) fn of_archive(archive: &Path) -> Tables {
    let path = archive.to_str().expect("a UTF-8 path");
    if path.ends_with(".sql") {
        return of_script(&fs::read_to_string(archive).expect("a script"));
    }
    of_script(&newest_server().stdout("pg_restore", &["-f", "-", path]))
}
