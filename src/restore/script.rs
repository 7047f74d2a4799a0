//! Scripts: what plain dumps are. Looked through before anything is changed, then run statement by statement.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::plan::{STATISTICS_MAJOR, statistics_are_left_out};
use super::role;
use super::session::connect;
use super::{Failure, Options, Outcome};
use crate::archive::insert_text::INSERT_BEGIN;
use crate::archive::script::{Event, Problem, ScriptError, Splitter};
use crate::codec::compress::{Algorithm, Shape};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{self, Progress, Sink};
use crate::reader::Pump;
use crate::record::decode_text;
use crate::server::{Connection, TransactionStatus, lacks_locale, server_error, sqlstate};
use crate::store::ByteStream;
use crate::transfer::Inlet;

/// Settings that newer dumps begin with and older servers do not know. Without them nothing is different.
const OPTIONAL_SETTINGS: [&str; 4] =
    ["transaction_timeout", "idle_session_timeout", "default_table_access_method", "default_toast_compression"];

/// Pieces of rows are sent together up to this size.
const SEND_BYTES: usize = 128 * 1024;

/// INSERT statements are sent together up to this size.
const BATCH_BYTES: usize = 256 * 1024;

/// What a script holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) statement_count: u64,
    pub(super) copy_count: u64,
    pub(super) byte_count: u64,
    pub(super) roles: BTreeSet<String>,
    pub(super) extensions: BTreeSet<String>,
    /// The database that it creates and connects to.
    pub(super) creates: Option<String>,
    /// It drops that database first.
    pub(super) drops: bool,
    /// Why it is not complete, where that is no reason to refuse it.
    pub(super) cut: Option<String>,
}

/// A script as it is read: decompressed and split.
struct Reading {
    stream: ByteStream,
    pump: Option<Pump>,
    splitter: Splitter,
    key: String,
    ended: bool,
    byte_count: u64,
    takes_incomplete: bool,
    /// The compressed stream is cut off.
    cut: Option<String>,
}

impl Reading {
    /// For who runs the script, or with `glances` for who looks at it first.
    fn begin(inlet: &Inlet, algorithm: Algorithm, options: &Options, glances: bool) -> Result<Self> {
        let splitter = match options.allow_incomplete {
            true => Splitter::new().incomplete(),
            false => Splitter::new().checked(),
        };
        let splitter = if glances { splitter.glancing() } else { splitter };

        let key = inlet.key().to_string();
        let pump = Pump::new(algorithm, Shape::File).map_err(|error| damaged(&key, error))?;
        let stream = inlet.stream(0..inlet.size());
        let takes_incomplete = options.allow_incomplete;
        Ok(Self { stream, pump: Some(pump), splitter, key, ended: false, byte_count: 0, takes_incomplete, cut: None })
    }

    async fn next(&mut self) -> Result<Option<Event>> {
        loop {
            let event = self.splitter.next_event().map_err(|error| unreadable(&self.key, error))?;
            if event.is_some() || self.ended {
                return Ok(event);
            }
            let Some(pump) = &mut self.pump else {
                self.splitter.end();
                self.ended = true;
                continue;
            };
            if let Some(bytes) = pump.take().map_err(|error| damaged(&self.key, error))? {
                self.byte_count += bytes.len() as u64;
                self.splitter.push(&bytes);
                continue;
            }
            match self.stream.try_next().await? {
                Some(bytes) => pump.feed(bytes),
                None => {
                    if let Some(pump) = self.pump.take()
                        && let Err(error) = pump.finish()
                    {
                        if !self.takes_incomplete {
                            return Err(damaged(&self.key, error).hint(INCOMPLETE));
                        }
                        self.cut = Some(error.to_string());
                    }
                }
            }
        }
    }
}

impl Reading {
    /// Why the script is not complete, at its end.
    fn cut(&self) -> Option<String> {
        self.cut.clone().or_else(|| self.splitter.cut().map(ToString::to_string))
    }
}

/// What whoever has a script that was cut off can do.
const INCOMPLETE: &str =
    "Nothing was changed. Make the dump again, or say --allow-incomplete to restore what there is of it.";

fn damaged(key: &str, error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Archive, format!("script \"{key}\" is damaged")).detail(error.to_string())
}

fn unreadable(key: &str, error: ScriptError) -> Error {
    let hint = match &error.problem {
        Problem::Unfinished(_) | Problem::NoEnd(_) | Problem::Empty => INCOMPLETE,
        Problem::NoCommand(_) | Problem::Columns { .. } | Problem::Zero => {
            "Nothing was changed. If it is a dump, take out what is no SQL in it: messages of pg_dump, for example."
        }
        Problem::Command(_) | Problem::Restrict | Problem::AfterCopy | Problem::TooLong(_) => {
            "Only SQL and COPY data are run, as pg_dump writes them; nothing was changed by this line."
        }
    };
    Error::new(ErrorKind::Archive, format!("script \"{key}\", {error}")).hint(hint)
}

/// The words of a statement's begin, in lower case, for telling what kind it is.
fn first_words(text: &str) -> Vec<String> {
    text.split_whitespace().take(8).map(|word| word.trim_end_matches(';').to_ascii_lowercase()).collect()
}

/// The name behind these words, with or without quotes.
fn name_behind(text: &str, words: &[&str]) -> Option<String> {
    let mut rest = text.trim_start();
    for word in words {
        let (front, back) = rest.split_at_checked(word.len())?;
        if !front.eq_ignore_ascii_case(word) {
            return None;
        }
        rest = back.trim_start();
    }
    match rest.strip_prefix('"') {
        Some(quoted) => {
            let mut name = String::new();
            let mut characters = quoted.chars();
            while let Some(character) = characters.next() {
                if character == '"' {
                    if !characters.as_str().starts_with('"') {
                        return Some(name);
                    }
                    characters.next();
                }
                name.push(character);
            }
            None
        }
        None => {
            let end = rest.find(|character: char| character.is_whitespace() || character == ';').unwrap_or(rest.len());
            rest.get(..end).filter(|name| !name.is_empty()).map(str::to_lowercase)
        }
    }
}

/// The database in `\connect`'s argument: a name, quoted or not, or `-reuse-previous=on "dbname='...'"`.
fn connect_target(argument: &str) -> Option<String> {
    let argument = argument.trim();
    if let Some(rest) = argument.strip_prefix("-reuse-previous=on ") {
        let inner = rest.trim().strip_prefix('"')?.strip_suffix('"')?.replace("\"\"", "\"");
        let value = inner.strip_prefix("dbname='")?.strip_suffix('\'')?;
        let mut name = String::new();
        let mut characters = value.chars();
        while let Some(character) = characters.next() {
            name.push(if character == '\\' { characters.next()? } else { character });
        }
        return Some(name);
    }
    if let Some(quoted) = argument.strip_prefix('"') {
        return Some(quoted.strip_suffix('"')?.replace("\"\"", "\""));
    }
    let is_plain = !argument
        .contains(|character: char| character.is_whitespace() || matches!(character, '\'' | '=' | '\\' | '`' | ':'));
    (is_plain && argument != "-").then(|| argument.to_owned())
}

/// Reads the whole script and changes nothing: a script that cannot be restored is refused before it begins.
pub(super) async fn survey(inlet: &Inlet, algorithm: Algorithm, options: &Options) -> Result<Survey> {
    let mut reading = Reading::begin(inlet, algorithm, options, true)?;
    let mut survey = Survey::default();
    let mut created_roles = BTreeSet::new();
    while let Some(event) = reading.next().await? {
        match event {
            Event::Statement { line, text, copies_from_stdin } => {
                survey.statement_count += 1;
                survey.copy_count += u64::from(copies_from_stdin);
                let text = decode_text(&text);
                let words = first_words(&text);
                match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    ["create", "database", ..] => {
                        let name = name_behind(&text, &["create", "database"]);
                        if !options.create_database || survey.creates.is_some() || name.is_none() {
                            return Err(refused_database(inlet, line));
                        }
                        survey.creates = name;
                    }
                    ["drop", "database", ..] => {
                        if !options.create_database {
                            return Err(refused_database(inlet, line));
                        }
                        survey.drops = true;
                    }
                    ["create", "role", ..] => created_roles.extend(name_behind(&text, &["create", "role"])),
                    ["create", "extension", "if", "not", "exists", ..] => {
                        survey.extensions.extend(name_behind(&text, &["create", "extension", "if", "not", "exists"]))
                    }
                    ["grant" | "revoke" | "alter" | "create" | "set", ..] => {
                        role::named_in(&text, &options.leave, &mut survey.roles);
                    }
                    _ => {}
                }
            }
            Event::Connect { line, target } => {
                let target = connect_target(&target);
                if survey.creates.is_none() || target != survey.creates {
                    return Err(Error::new(
                        ErrorKind::Archive,
                        format!("script \"{}\", line {line}: \\connect is not followed here", inlet.key()),
                    )
                    .hint("It is with --create, to the database that the script creates."));
                }
            }
            Event::CopyData(data) => survey.byte_count += data.len() as u64,
            // neither is asked for
            Event::CopyEnd | Event::Part(_) | Event::Comment(_) => {}
        }
    }
    survey.cut = reading.cut();
    if options.create_database && survey.creates.is_none() {
        return Err(Error::new(ErrorKind::Usage, "the script does not create a database")
            .hint("Create the database yourself and restore without --create."));
    }
    survey.roles.retain(|role| !role.starts_with("pg_") && !created_roles.contains(role));
    Ok(survey)
}

fn refused_database(inlet: &Inlet, line: u64) -> Error {
    Error::new(ErrorKind::Archive, format!("script \"{}\", line {line}: it creates or drops a database", inlet.key()))
        .hint("Say --create to let it.")
}

/// Whether the statement is to be left out by the options.
fn is_left_out(text: &str, options: &Options) -> bool {
    let words = first_words(text);
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["grant" | "revoke", ..] | ["alter", "default", "privileges", ..] => options.leave.privileges,
        ["comment", "on", ..] => options.leave.comments,
        ["select", ..] => options.leave.statistics && is_statistics(text),
        ["alter", ..] if options.leave.owner => {
            let upper = text.trim_end().trim_end_matches(';');
            upper.rfind(" OWNER TO ").is_some_and(|place| !upper.get(place..).unwrap_or_default().contains('\''))
        }
        _ => false,
    }
}

/// A setting of this server's future: left out on servers that do not know it.
fn is_optional_setting(text: &str) -> bool {
    let words = first_words(text);
    words.first().is_some_and(|word| word == "set")
        && words.get(1).is_some_and(|name| OPTIONAL_SETTINGS.contains(&name.as_str()))
}

/// Whether it gives a relation the statistics that the planner has of it, by pg_dump's words.
fn is_relation_statistics(text: &str) -> bool {
    text.trim_start().starts_with("SELECT * FROM pg_catalog.pg_restore_relation_stats(")
}

/// The same of a relation or a column.
fn is_statistics(text: &str) -> bool {
    is_relation_statistics(text)
        || text.trim_start().starts_with("SELECT * FROM pg_catalog.pg_restore_attribute_stats(")
}

/// Runs the script.
pub(super) async fn run(
    inlet: &Inlet,
    algorithm: Algorithm,
    monetary: Option<&str>,
    options: &Options,
    outcome: &mut Outcome,
    sink: &dyn Sink,
) -> Result<()> {
    let mut connection = connect(&options.target).await?;
    begin(&mut connection, monetary, options).await?;
    let mut reading = Reading::begin(inlet, algorithm, options, false)?;
    let mut leaves_statistics = false;
    let mut batch = Batch::default();
    while let Some(event) = reading.next().await? {
        if !batch.takes(&event) {
            batch.run(&mut connection, options, outcome).await?;
        }
        let (line, result) = match event {
            Event::Statement { line, text, copies_from_stdin: false } if is_rows(&text) => {
                batch.add(line, text);
                if batch.is_full() {
                    batch.run(&mut connection, options, outcome).await?;
                }
                continue;
            }
            Event::Statement { line, text, copies_from_stdin: true } => {
                let copied = copy(&mut connection, &text, &mut reading).await;
                if let Ok((rows, bytes)) = &copied {
                    outcome.table_count += 1;
                    outcome.row_count += rows;
                    outcome.byte_count += bytes;
                    let progress =
                        Progress { bytes: outcome.byte_count, rows: outcome.row_count, ..Progress::default() };
                    sink.event(event::Event::Progress(progress));
                }
                (line, copied.map(drop))
            }
            Event::Statement { line, text, copies_from_stdin: false } => {
                let text = decode_text(&text);
                if is_left_out(&text, options) {
                    continue;
                }
                if is_statistics(&text) {
                    if connection.version().major() < STATISTICS_MAJOR {
                        leaves_statistics = true;
                        continue;
                    }
                    outcome.statistics_count += u64::from(is_relation_statistics(&text));
                }
                let result = connection.execute(&text).await;
                let unknown = |error: &Error| sqlstate(error) == Some("42704") && is_optional_setting(&text);
                match result {
                    Err(error) if unknown(&error) => continue,
                    result => (line, result),
                }
            }
            Event::Connect { target, .. } => {
                let database = connect_target(&target).unwrap_or_default();
                connection.close().await;
                connection = connect(&options.target.with_database(&database)).await?;
                begin(&mut connection, monetary, options).await?;
                continue;
            }
            // the data of a COPY is taken where the COPY is
            Event::CopyData(_) | Event::CopyEnd | Event::Part(_) | Event::Comment(_) => continue,
        };
        note(line, result, options, outcome)?;
    }
    batch.run(&mut connection, options, outcome).await?;
    if let Some(problem @ Problem::Unfinished(_)) = reading.splitter.cut() {
        let entry = format!("line {}", reading.splitter.line());
        outcome.failures.push(Failure { entry, message: problem.to_string(), detail: None });
    }
    if options.single_transaction {
        connection.execute("commit").await?;
    }
    if leaves_statistics {
        outcome.warnings.push(statistics_are_left_out(connection.version()));
    }
    connection.close().await;
    Ok(())
}

/// Takes note of how a statement went. An error ends the restore.
fn note(line: u64, result: Result<()>, options: &Options, outcome: &mut Outcome) -> Result<()> {
    match result {
        Ok(()) => outcome.entry_count += 1,
        Err(error) if error.kind() == ErrorKind::Connect || error.kind() == ErrorKind::Archive => {
            return Err(error.context(&format!("line {line}")));
        }
        Err(error) if options.exit_on_error || options.single_transaction => {
            return Err(error.context(&format!("line {line}")));
        }
        Err(error) => outcome.failures.push(failure(format!("line {line}"), &error)),
    }
    Ok(())
}

/// Whether the statement is one of those that a dump with `--inserts` has for its rows.
fn is_rows(text: &[u8]) -> bool {
    text.starts_with(INSERT_BEGIN)
}

/// INSERT statements that follow each other, sent together: a round trip for each would take many times as long.
#[derive(Default)]
struct Batch {
    /// With their lines.
    statements: Vec<(u64, Bytes)>,
    size: usize,
}

impl Batch {
    /// Whether the event is one that this can gather.
    fn takes(&self, event: &Event) -> bool {
        matches!(event, Event::Statement { text, copies_from_stdin: false, .. } if is_rows(text))
    }

    fn add(&mut self, line: u64, text: Bytes) {
        self.size += text.len();
        self.statements.push((line, text));
    }

    fn is_full(&self) -> bool {
        self.size >= BATCH_BYTES
    }

    /// Runs what was gathered. What the server rejects as a whole is run one by one, so that only what is wrong is missing.
    async fn run(&mut self, connection: &mut Connection, options: &Options, outcome: &mut Outcome) -> Result<()> {
        let statements = std::mem::take(&mut self.statements);
        self.size = 0;
        let Some((first, _)) = statements.first() else { return Ok(()) };
        // in a transaction of the script's own the first failure would undo what stands before it
        if connection.transaction_status() == TransactionStatus::Idle || options.single_transaction {
            let text: Vec<u8> = statements.iter().flat_map(|(_, text)| text.iter().copied().chain([b'\n'])).collect();
            match connection.execute_counting(&decode_text(&text)).await {
                Ok(rows) => {
                    outcome.entry_count += statements.len() as u64;
                    outcome.row_count += rows;
                    outcome.byte_count += text.len() as u64;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Connect || options.single_transaction => {
                    return Err(error.context(&format!("at or behind line {first}")));
                }
                Err(_) => {}
            }
        }
        for (line, text) in statements {
            let result = connection.execute_counting(&decode_text(&text)).await;
            if let Ok(rows) = &result {
                outcome.row_count += rows;
                outcome.byte_count += text.len() as u64;
            }
            note(line, result.map(drop), options, outcome)?;
        }
        Ok(())
    }
}

/// The failure without what the server said of row values.
pub(super) fn failure(entry: String, error: &Error) -> Failure {
    let detail = error.detail_text().map(str::to_owned);
    let hint = server_error(error).is_none().then(|| error.hint_text()).flatten();
    let detail = match (detail, hint) {
        (Some(detail), Some(hint)) => Some(format!("{detail}; {hint}")),
        (detail, hint) => detail.or_else(|| hint.map(str::to_owned)),
    };
    Failure { entry, message: error.message().to_owned(), detail }
}

async fn begin(connection: &mut Connection, monetary: Option<&str>, options: &Options) -> Result<()> {
    connection
        .execute("set statement_timeout = 0; set lock_timeout = 0; set client_min_messages = warning; set synchronous_commit = off")
        .await?;
    if let Some(locale) = monetary {
        connection
            .query("select pg_catalog.set_config('lc_monetary', $1, false)", &[Some(locale)])
            .await
            .map_err(|error| lacks_locale(error, locale))?;
    }
    if let Some(role) = &options.role {
        connection.query("select pg_catalog.set_config('role', $1, false)", &[Some(role)]).await?;
    }
    if options.single_transaction {
        connection.execute("begin").await?;
    }
    Ok(())
}

/// Runs a COPY with the data that follows it. After a rejection the data is passed over to its end, never parsed.
async fn copy(connection: &mut Connection, sql: &Bytes, reading: &mut Reading) -> Result<(u64, u64)> {
    let sql = decode_text(sql);
    let mut byte_count = 0;
    let mut copy = match connection.copy_in(&sql).await {
        Ok(copy) => copy,
        Err(error) => {
            pass_over(reading).await?;
            return Err(error);
        }
    };
    let mut waiting: Vec<u8> = Vec::new();
    loop {
        let event = match reading.next().await {
            Ok(event) => event,
            Err(error) => {
                copy.abort("the script cannot be read").await?;
                return Err(error);
            }
        };
        match event {
            Some(Event::CopyData(data)) => {
                byte_count += data.len() as u64;
                waiting.extend_from_slice(&data);
                if waiting.len() >= SEND_BYTES {
                    if let Err(error) = copy.send(&waiting).await {
                        pass_over(reading).await?;
                        return Err(error);
                    }
                    waiting.clear();
                }
            }
            Some(Event::CopyEnd) => break,
            // all of a table's rows or none; whoever runs an incomplete script is told of its end
            None => {
                copy.abort("the script ends within the rows").await?;
                return Ok((0, byte_count));
            }
            Some(Event::Statement { .. } | Event::Connect { .. } | Event::Part(_) | Event::Comment(_)) => {
                return Err(Error::new(ErrorKind::Bug, "a statement within COPY data"));
            }
        }
    }
    copy.send(&waiting).await?;
    Ok((copy.finish().await?, byte_count))
}

async fn pass_over(reading: &mut Reading) -> Result<()> {
    while let Some(event) = reading.next().await? {
        if event == Event::CopyEnd {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_however_they_are_written() {
        for (argument, expected) in [
            ("shop", Some("shop")),
            ("\"My Shop\"", Some("My Shop")),
            ("-reuse-previous=on \"dbname='it\\'s = \\\\ odd'\"", Some("it's = \\ odd")),
            ("dbname=other host=elsewhere", None),
            ("shop user host 5432", None),
            ("-reuse-previous=on \"host='elsewhere'\"", None),
        ] {
            assert_eq!(connect_target(argument).as_deref(), expected, "{argument}");
        }
        assert_eq!(name_behind("CREATE DATABASE \"a\"\"b\" WITH x;", &["create", "database"]).as_deref(), Some("a\"b"));
        assert_eq!(name_behind("CREATE DATABASE Shop;", &["create", "database"]).as_deref(), Some("shop"));
    }

    #[test]
    fn only_settings_of_newer_servers_are_optional() {
        assert!(is_optional_setting("SET transaction_timeout = 0;"));
        assert!(!is_optional_setting("SET search_path = '';"));
        assert!(!is_optional_setting("SELECT transaction_timeout;"));
    }
}
