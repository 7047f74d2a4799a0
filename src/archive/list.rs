//! An archive's table of contents as text, as `pg_restore -l` prints it and `pg_restore -L` reads it.

use std::fmt::Write as _;

use super::plain::one_line;
use super::toc::{Container, Entry, Toc};

/// The list of these entries, in this order; in the form of [`crate::record::decode_text`].
pub fn list<'a>(toc: &Toc, entries: impl Iterator<Item = &'a Entry>) -> String {
    let mut text = head(toc);
    for entry in entries {
        let schema = entry.schema.as_deref().map_or_else(|| "-".to_owned(), one_line);
        let owner = entry.owner.as_deref().map(one_line).unwrap_or_default();
        let (class, object, tag) = (entry.catalog_oid, entry.object_oid, one_line(&entry.tag));
        // writing to a string cannot fail
        let _ = writeln!(text, "{}; {class} {object} {} {schema} {tag} {owner}", entry.dump_id, one_line(&entry.kind));
    }
    text
}

fn head(toc: &Toc) -> String {
    let header = &toc.header;
    let created = header.created.local();
    let name = |text: &Option<String>| text.as_deref().map(one_line).unwrap_or_default();
    let mut lines = vec![
        String::new(),
        match created {
            Some(time) => format!(" Archive created at {}", time.format("%Y-%m-%d %H:%M:%S")),
            None => " Archive created at an unknown time".to_owned(),
        },
        format!("     dbname: {}", name(&header.database)),
        format!("     TOC Entries: {}", toc.entries.len()),
        format!("     Compression: {}", header.compression.name()),
        format!("     Dump Version: {}-0", header.version),
        match header.container {
            Container::Custom => "     Format: CUSTOM".to_owned(),
            Container::Directory => "     Format: DIRECTORY".to_owned(),
        },
        "     Integer: 4 bytes".to_owned(),
        format!("     Offset: {} bytes", header.offset_size),
    ];
    for (what, version) in [("from database", &header.server_version), ("by pg_dump", &header.dump_version)] {
        lines.extend(version.as_deref().map(|version| format!("     Dumped {what} version: {}", one_line(version))));
    }
    lines.extend([String::new(), String::new(), " Selected TOC Entries:".to_owned(), String::new()]);
    lines.iter().map(|line| format!(";{line}\n")).collect()
}
