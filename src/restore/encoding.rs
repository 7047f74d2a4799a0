//! Whether the target's encoding has every character of the definitions: a restore must not find out halfway.

use super::select::Item;
use super::statement;
use crate::archive::toc::Toc;
use crate::error::{Error, Result};
use crate::server::{Connection, sqlstate};

/// Texts that are sent at once; the longest definition still goes by itself.
const BATCH_BYTES: usize = 1 << 20;

/// The encoding of an archive's texts, by PostgreSQL's name.
pub(super) fn of_archive(toc: &Toc) -> &str {
    setting(toc, "ENCODING").and_then(quoted).unwrap_or("UTF8")
}

/// The text of one of the entries that say how the archive was made.
pub(super) fn setting<'a>(toc: &'a Toc, kind: &str) -> Option<&'a str> {
    toc.entries.iter().find(|entry| entry.kind == kind)?.create.as_deref()
}

/// The value between the single quotes of `SET client_encoding = 'UTF8';`.
pub(super) fn quoted(text: &str) -> Option<&str> {
    text.split('\'').nth(1)
}

/// Which entries the target cannot take, with what it says of the first.
///
/// The server itself tells: each text is sent to it in the archive's encoding. Only definitions are asked about; a row that
/// cannot be taken fails with its table and line.
pub(super) async fn unrepresentable(
    connection: &mut Connection,
    encoding: &str,
    toc: &Toc,
    items: &[Item],
) -> Result<Option<(Vec<String>, String)>> {
    const SELECT: &str = "select pg_catalog.set_config('client_encoding', $1, false)";
    let asked: Vec<(String, String)> = (items.iter().filter(|item| item.schema))
        .filter_map(|item| toc.entries.get(item.index))
        .filter_map(|entry| {
            let text = format!("{} {}", entry.tag, entry.create.as_deref().unwrap_or_default());
            (!text.is_ascii()).then(|| (statement::describe(entry), text))
        })
        .collect();
    if asked.is_empty() {
        return Ok(None);
    }
    connection.query(SELECT, &[Some(encoding)]).await?;
    let (mut names, mut first) = (Vec::new(), None);
    let mut rest = asked.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |(_, text): &&(String, String)| {
            bytes += text.len();
            bytes <= BATCH_BYTES
        };
        let (batch, behind) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        rest = behind;
        let joined: Vec<&str> = batch.iter().map(|(_, text)| text.as_str()).collect();
        if ask(connection, &joined.join(" ")).await?.is_none() {
            continue;
        }
        for (name, text) in batch {
            if let Some(error) = ask(connection, text).await? {
                names.push(name.clone());
                first.get_or_insert(error);
            }
        }
    }
    connection.query(SELECT, &[Some("UTF8")]).await?;
    Ok(first.map(|error| (names, error.message().to_owned())))
}

/// The server's refusal of a text, if it refuses it.
async fn ask(connection: &mut Connection, text: &str) -> Result<Option<Error>> {
    match connection.query("select pg_catalog.length($1)", &[Some(text)]).await {
        Ok(_) => Ok(None),
        // untranslatable_character, character_not_in_repertoire
        Err(error) if matches!(sqlstate(&error), Some("22P05" | "22021")) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}
