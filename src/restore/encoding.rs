//! Whether the target's encoding has every character of the definitions: a restore must not find out halfway.

use super::select::Item;
use super::session::speak;
use super::statement;
use crate::archive::toc::Toc;
use crate::error::{Error, Result};
use crate::server::{Connection, sqlstate};

/// Texts that are sent at once; the longest definition still goes by itself.
const BATCH_BYTES: usize = 1 << 20;

/// Which entries the target cannot take, with what it says of the first.
///
/// The server itself tells: each text is sent to it in the archive's encoding. Only definitions are asked about; a row that
/// cannot be taken fails with its table and line.
pub(super) async fn unrepresentable(
    connection: &mut Connection,
    toc: &Toc,
    items: &[Item],
) -> Result<Option<(Vec<String>, String)>> {
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
    speak(connection, toc).await?;
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
