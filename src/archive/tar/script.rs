//! What `restore.sql` says where a plain dump would have data: psql commands that load the unpacked files beside it.
//!
//! pg_dump writes `COPY ... FROM '$$PATH$$/12.dat'`, which a superuser has to edit and the server has to read. psql can read
//! the files itself, so that the script runs as it is. Commands of psql are forbidden while `\restrict` is in force, so each
//! one stands between lines that lift it; nothing of them but names that stay on their line comes from the source.

use super::super::directory::large_object_file;
use super::super::toc::{Data, Entry};

/// What stands first.
pub const INTRODUCTION: &str = "\
--
-- Run by psql in the folder with the unpacked files, in an empty database:
--     psql -X -v ON_ERROR_STOP=1 -d DATABASE -f restore.sql
--

";

/// So much of a large object is copied by one call on the server.
const PIECE: u64 = 1 << 20;

/// A command of psql, freed from `\restrict` for its line.
fn command(text: &str, restrict_key: Option<&str>) -> String {
    match restrict_key {
        Some(key) => format!("\\unrestrict {key}\n{text}\n\\restrict {key}\n"),
        None => format!("{text}\n"),
    }
}

/// Loads the rows of an entry from its file.
pub fn rows(entry: &Entry, restrict_key: Option<&str>) -> String {
    let Data::File(file) = &entry.data else { return String::new() };
    let Some(copy) = &entry.copy else {
        // the file holds statements
        return command(&format!("\\i '{file}'"), restrict_key) + "\n";
    };
    let copy = copy.trim_end();
    match copy.strip_prefix("COPY ").and_then(|copy| copy.strip_suffix(" FROM stdin;")) {
        Some(table) if !table.contains(['\n', '\r', '\0']) => {
            command(&format!("\\copy {table} FROM '{file}'"), restrict_key) + "\n"
        }
        // psql's command ends with its line, and the name does not; pg_dump's form is left for a person to edit
        Some(table) => format!("COPY {table} FROM '$$PATH$$/{file}';\n\n"),
        None => String::new(),
    }
}

/// Loads a large object of `size` bytes, which exists already, from its file.
///
/// psql gives what it loads a number of its own; its bytes are copied to where they belong.
pub fn large_object(oid: u32, size: u64, restrict_key: Option<&str>) -> String {
    if size == 0 {
        return String::new();
    }
    let last = size - 1;
    command(&format!("\\lo_import '{}'", large_object_file(oid)), restrict_key)
        + &format!(
            "SELECT pg_catalog.lo_put({oid}, place, pg_catalog.lo_get(:LASTOID, place, {PIECE})) \
             FROM pg_catalog.generate_series(0::bigint, {last}, {PIECE}) AS place;\n\
             SELECT pg_catalog.lo_unlink(:LASTOID);\n\n"
        )
}
