//! One connection that restores entries.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::privilege::{self, Scope};
use super::select::{Components, Item, Leave};
use super::session::connect;
use super::statement;
use crate::archive::FormatError;
use crate::archive::copy_text::CopyText;
use crate::archive::insert_text::INSERT_BEGIN;
use crate::archive::script::{Event as ScriptEvent, Splitter};
use crate::archive::statement::{self as stock, Place};
use crate::archive::toc::{Entry, Toc};
use crate::error::{Error, ErrorKind, Result};
use crate::object::identifier::Quote;
use crate::reader::{Archive, Part};
use crate::record::decode_text;
use crate::server::{Connection, Options as Target, lacks_locale, server_error, sqlstate};

const SESSION: &str = include_str!("../../sql/restore/session.sql");

const TRIGGER_STATE: &str = include_str!("../../sql/restore/trigger_state.sql");

/// Chunks of rows that wait between the decoder and the server: with at most 256 KiB each, 2 MiB a worker.
const WAITING: usize = 8;

/// A large object is written in pieces of this size: as hexadecimal digits in a parameter they are twice as long.
const LARGE_OBJECT_PIECE: usize = 256 * 1024;

/// How often a definition is tried when the server ends it to resolve a deadlock.
const DEADLOCK_TRIES: u32 = 5;

/// Statements of rows that come as INSERT are sent together up to this size.
const BATCH_BYTES: usize = 256 * 1024;

/// What all workers of a restore share.
pub(super) struct Shared {
    pub(super) archive: Archive,
    pub(super) target: Target,
    pub(super) role: Option<String>,
    pub(super) leave: Leave,
    pub(super) components: Components,
    pub(super) disable_triggers: bool,
    /// Load rows under row-level security.
    pub(super) row_security: bool,
    /// Only a part of the archive is restored: schemas may be there already.
    pub(super) is_partial: bool,
    /// The rows of each entry by the manifest, by dump id.
    pub(super) rows: HashMap<i32, u64>,
    /// `lc_monetary` of the rows, where it is known.
    pub(super) monetary: Option<String>,
    /// Tables that this run created, by dump id, where a truncation before the rows saves the server its log.
    pub(super) truncate: HashSet<i32>,
    /// The role that creates has default privileges of its own in the target.
    pub(super) has_default_privileges: AtomicBool,
    /// One at a time puts them out of force: the server refuses what two change at once.
    pub(super) privileges: tokio::sync::Mutex<()>,
    /// Bytes that were given to the server.
    pub(super) bytes: AtomicU64,
    /// Rows that the server stored.
    pub(super) row_count: AtomicU64,
}

/// One connection, set up for restoring.
pub(super) struct Worker {
    pub(super) connection: Connection,
    shared: Arc<Shared>,
    place: Place,
    in_transaction: bool,
}

/// What one entry brought.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) rows: Option<u64>,
    pub(super) bytes: u64,
    /// What failed once the object was there: its owner could not be set. Its rows can be loaded all the same.
    pub(super) failure: Option<Error>,
}

/// The text of one of the entries that say how the archive was made.
fn setting<'a>(toc: &'a Toc, kind: &str) -> Option<&'a str> {
    toc.entries.iter().find(|entry| entry.kind == kind)?.create.as_deref()
}

/// The value between the single quotes of `SET standard_conforming_strings = 'on';`.
fn quoted(text: &str) -> Option<&str> {
    text.split('\'').nth(1)
}

impl Worker {
    /// Connects and sets the session.
    pub(super) async fn connect(shared: Arc<Shared>, database: Option<&str>, in_transaction: bool) -> Result<Self> {
        let mut options = shared.target.clone();
        if let Some(database) = database {
            options = options.with_database(database);
        }
        let connection = connect(&options).await?;
        let place = Place::new(shared.archive.toc())
            .with_tablespaces(!shared.leave.tablespaces)
            .with_access_methods(!shared.leave.table_access_methods);
        let mut worker = Self { connection, shared, place, in_transaction };
        worker.set_up().await?;
        Ok(worker)
    }

    async fn set_up(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let toc = shared.archive.toc();
        // archives that qualify every name say so by this entry; older ones need the path set for each
        if setting(toc, "SEARCHPATH").is_some() {
            self.connection.execute("select pg_catalog.set_config('search_path', '', false)").await?;
        }
        let encoding = toc.encoding().unwrap_or("UTF8");
        let row_security = Some(if shared.row_security { "on" } else { "off" });
        let strings = setting(toc, "STDSTRINGS").and_then(quoted).unwrap_or("on");
        self.connection
            .query(SESSION, &[Some(encoding), Some(strings), shared.monetary.as_deref(), row_security])
            .await
            .map_err(|error| match &shared.monetary {
                Some(locale) if sqlstate(&error) == Some("22023") => lacks_locale(error, locale),
                Some(_) | None => error,
            })
            .map_err(|error| error.context("could not set the session up"))?;
        self.become_role().await
    }

    /// Becomes the role that `--role` names.
    pub(super) async fn become_role(&mut self) -> Result<()> {
        if let Some(role) = &self.shared.role {
            self.connection
                .query("select pg_catalog.set_config('role', $1, false)", &[Some(role)])
                .await
                .map_err(|error| error.context(&format!("could not become role \"{role}\"")))?;
        }
        Ok(())
    }

    /// Restores one entry.
    pub(super) async fn restore(&mut self, item: &Item) -> Result<Done> {
        let shared = Arc::clone(&self.shared);
        let toc = shared.archive.toc();
        let entry = toc
            .entries
            .get(item.index)
            .ok_or_else(|| Error::new(ErrorKind::Bug, "a plan names an entry that is not there"))?;
        let mut done = Done::default();
        let counts_as_data = item.data && !entry.has_data;
        if item.schema || counts_as_data {
            done.failure = self.define(entry, toc).await?;
        }
        if item.data && entry.has_data {
            done = Done { failure: done.failure, ..self.load(entry).await? };
        }
        Ok(done)
    }

    /// Creates an object. Gives back what failed afterwards, where that leaves the session as it was.
    async fn define(&mut self, entry: &Entry, toc: &Toc) -> Result<Option<Error>> {
        let leave = self.shared.leave;
        self.place(entry).await?;
        let version = self.connection.version();
        if let Some(mut sql) = statement::create(entry, toc, leave.owner, version) {
            if self.shared.is_partial && entry.kind == "SCHEMA" {
                sql = sql.replacen("CREATE SCHEMA ", "CREATE SCHEMA IF NOT EXISTS ", 1);
            }
            match Scope::of(entry).filter(|_| self.shared.has_default_privileges.load(Ordering::Relaxed)) {
                Some(scope) => self.execute_by_built_in(&sql, scope).await?,
                None => self.execute(&sql).await?,
            }
        }
        let finished = self.finish(entry).await;
        if self.in_transaction {
            return finished.map(|()| None);
        }
        Ok(finished.err())
    }

    /// What belongs to an object that is there: its owner, and for some its access method.
    async fn finish(&mut self, entry: &Entry) -> Result<()> {
        let owner = statement::owner(entry).filter(|_| !self.shared.leave.owner);
        let owned = match owner {
            Some(sql) => self.execute(&sql).await.map_err(|error| error.context("could not set the owner")),
            None => Ok(()),
        };
        if owned.is_err() && self.in_transaction {
            return owned;
        }
        if let Some(sql) = self.place.after(entry, Quote::default()) {
            self.execute(&sql).await?;
        }
        owned
    }

    /// Runs a definition, again when it lost a deadlock: the schedule keeps apart what locks a table, but a foreign key of a
    /// partitioned table locks its partitions, too, and so does the attachment of an index.
    async fn execute(&mut self, sql: &str) -> Result<()> {
        let mut tries = 1;
        loop {
            match self.connection.execute(sql).await {
                // the server has undone it whole; a transaction of ours would be lost with it
                Err(error) if sqlstate(&error) == Some("40P01") && !self.in_transaction && tries < DEADLOCK_TRIES => {
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    /// The same under the built-in default privileges: see [`privilege`].
    async fn execute_by_built_in(&mut self, sql: &str, scope: Scope<'_>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let _turn = shared.privileges.lock().await;
        let mut tries = 1;
        loop {
            let result = self.try_by_built_in(sql, scope).await;
            match result {
                Err(error) if !self.in_transaction && tries < DEADLOCK_TRIES && is_lost_race(&error) => tries += 1,
                result => return result,
            }
        }
    }

    async fn try_by_built_in(&mut self, sql: &str, scope: Scope<'_>) -> Result<()> {
        if !self.in_transaction {
            self.connection.execute("begin").await?;
        }
        let worked = match privilege::read(&mut self.connection, scope).await {
            Ok(privileges) => {
                let own = |statements: &[String]| statements.iter().map(|sql| format!("{sql};\n")).collect::<String>();
                let (suspend, resume) = (own(&privileges.suspend), own(&privileges.resume));
                self.connection.execute(&format!("{suspend}{}\n;\n{resume}", sql.trim_end())).await
            }
            Err(error) => Err(error),
        };
        if self.in_transaction {
            return worked;
        }
        let ended = self.connection.execute(if worked.is_ok() { "commit" } else { "rollback" }).await;
        // the first failure is the cause
        worked.and(ended)
    }

    /// Selects schema, tablespace and access method for what comes. `None` in an entry means that it does not matter.
    async fn place(&mut self, entry: &Entry) -> Result<()> {
        let sql = self.place.before(entry, Quote::default()).concat();
        if sql.is_empty() {
            return Ok(());
        }
        let placed = self.connection.execute(&sql).await;
        if placed.is_err() {
            // the next entry of the same place is to fail as well, not to come to lie elsewhere
            self.place.forget();
        }
        placed
    }

    async fn load(&mut self, entry: &Entry) -> Result<Done> {
        self.place(entry).await?;
        if entry.is_large_objects() {
            return self.load_large_objects(entry).await;
        }
        let table = Quote::default().qualified(entry.schema.as_deref(), &entry.tag);
        let triggers = self.shared.disable_triggers && self.shared.components == Components::Data;
        let mut enable = format!("ALTER TABLE {table} ENABLE TRIGGER ALL;");
        if triggers {
            for row in self.connection.query(TRIGGER_STATE, &[Some(&table)]).await? {
                let wrong = |error| Error::new(ErrorKind::Server, "query \"trigger_state\"").caused_by(error);
                let (state, name) = (row.text("state").map_err(wrong)?, row.text("name").map_err(wrong)?);
                enable = format!("{enable} ALTER TABLE {table} {state} TRIGGER {name};");
            }
            self.connection.execute(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).await?;
        }
        let truncates = self.truncates(entry) && !self.in_transaction;
        if truncates {
            self.connection.execute(&format!("BEGIN; TRUNCATE TABLE ONLY {table}")).await?;
        }
        let loaded = match entry.copy_statement() {
            Some(copy) => self.load_rows(entry, copy.trim_end()).await,
            None => self.run_rows(entry, self.in_transaction || truncates).await,
        };
        if truncates {
            let end = if loaded.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = self.connection.execute(end).await;
            // the first failure is the cause
            return loaded.and_then(|done| ended.map(|()| done));
        }
        if triggers && (loaded.is_ok() || !self.in_transaction) {
            self.connection.execute(&enable).await?;
        }
        loaded
    }

    fn truncates(&self, entry: &Entry) -> bool {
        let through_root =
            entry.create.as_deref().is_some_and(|create| create.starts_with("-- load via partition root "));
        !through_root && entry.dependencies.iter().any(|id| self.shared.truncate.contains(id))
    }

    async fn load_rows(&mut self, entry: &Entry, sql: &str) -> Result<Done> {
        let mut copy = self.connection.copy_in(sql).await?;
        let mut source = Feed::begin(&self.shared.archive, entry);
        let mut text = CopyText::new();
        let mut rows = Vec::new();
        let mut done = Done::default();
        while let Some(piece) = source.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    copy.abort("the archive cannot be read").await?;
                    return Err(error);
                }
            };
            rows.clear();
            let cut = text.push::<FormatError>(&piece, |part| {
                rows.extend_from_slice(part);
                Ok(())
            });
            if let Err(error) = cut {
                copy.abort("the archive is damaged").await?;
                return Err(damaged_rows(error));
            }
            done.bytes += rows.len() as u64;
            self.shared.bytes.fetch_add(rows.len() as u64, Ordering::Relaxed);
            // after a rejection what is left of the rows is passed over: it is never taken for statements
            copy.send(&rows).await?;
        }
        if let Err(error) = text.finish() {
            copy.abort("the archive is damaged").await?;
            return Err(damaged_rows(error));
        }
        let stored = copy.finish().await?;
        self.shared.row_count.fetch_add(stored, Ordering::Relaxed);
        done.rows = Some(stored);
        self.check_count(entry, done)
    }

    /// Rows that were dumped as INSERT statements: all of them or none, as with COPY.
    async fn run_rows(&mut self, entry: &Entry, in_transaction: bool) -> Result<Done> {
        if !in_transaction {
            self.connection.execute("BEGIN").await?;
        }
        let loaded = match self.run_statements(entry).await {
            Ok(done) => self.check_count(entry, done),
            Err(error) => Err(error),
        };
        if let Ok(Done { rows: Some(rows), .. }) = &loaded {
            self.shared.row_count.fetch_add(*rows, Ordering::Relaxed);
        }
        if !in_transaction {
            let end = if loaded.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = self.connection.execute(end).await;
            // the first failure is the cause
            return loaded.and_then(|done| ended.map(|()| done));
        }
        loaded
    }

    /// Cuts the data into statements and sends a few at a time. After a rejection what is left is not even looked at.
    async fn run_statements(&mut self, entry: &Entry) -> Result<Done> {
        let mut source = Feed::begin(&self.shared.archive, entry);
        let standard = stock::quote(self.shared.archive.toc()).standard_strings;
        let mut splitter = Splitter::new().with_standard_strings(standard);
        let mut batch = Vec::new();
        let mut done = Done { rows: Some(0), ..Done::default() };
        loop {
            match source.next().await {
                Some(piece) => splitter.push(&piece?),
                None => splitter.end(),
            }
            let ended = source.is_ended();
            while let Some(event) = splitter.next_event().map_err(|error| {
                Error::new(ErrorKind::Archive, "the statements in the archive cannot be read").caused_by(error)
            })? {
                let ScriptEvent::Statement { text, copies_from_stdin: false, .. } = event else {
                    return Err(no_rows());
                };
                if !text.starts_with(INSERT_BEGIN) {
                    return Err(no_rows());
                }
                batch.extend_from_slice(&text);
                batch.push(b'\n');
                if batch.len() >= BATCH_BYTES {
                    self.run_batch(&mut batch, &mut done).await?;
                }
            }
            if ended {
                break;
            }
        }
        self.run_batch(&mut batch, &mut done).await?;
        Ok(done)
    }

    async fn run_batch(&mut self, batch: &mut Vec<u8>, done: &mut Done) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let stored = self.connection.execute_counting(&decode_text(batch)).await?;
        done.bytes += batch.len() as u64;
        done.rows = done.rows.map(|rows| rows + stored);
        self.shared.bytes.fetch_add(batch.len() as u64, Ordering::Relaxed);
        batch.clear();
        Ok(())
    }

    /// Compares what the server stored with the manifest.
    fn check_count(&self, entry: &Entry, done: Done) -> Result<Done> {
        match (self.shared.rows.get(&entry.dump_id), done.rows) {
            (Some(expected), Some(stored)) if *expected != stored => Err(Error::new(
                ErrorKind::Damage,
                format!("the server stored {stored} rows, the backup has {expected}"),
            )),
            _ => Ok(done),
        }
    }

    async fn load_large_objects(&mut self, entry: &Entry) -> Result<Done> {
        if !self.in_transaction {
            self.connection.execute("BEGIN").await?;
        }
        let loaded = self.write_large_objects(entry).await;
        if !self.in_transaction {
            let end = if loaded.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = self.connection.execute(end).await;
            return loaded.and_then(|done| ended.map(|()| done));
        }
        loaded
    }

    async fn write_large_objects(&mut self, entry: &Entry) -> Result<Done> {
        let mut data = self.shared.archive.data(entry).await?;
        let mut done = Done::default();
        let mut current = (0_u32, 0_u64);
        let mut waiting: Vec<u8> = Vec::new();
        while let Some(part) = data.next().await? {
            match part {
                Part::LargeObject { oid } => current = (oid, 0),
                Part::Data(bytes) => {
                    for piece in bytes.chunks(LARGE_OBJECT_PIECE) {
                        waiting.extend_from_slice(piece);
                        if waiting.len() >= LARGE_OBJECT_PIECE {
                            self.write_piece(&mut current, &mut waiting).await?;
                        }
                    }
                    done.bytes += bytes.len() as u64;
                    self.shared.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                }
                Part::LargeObjectEnd => self.write_piece(&mut current, &mut waiting).await?,
            }
        }
        Ok(done)
    }

    async fn write_piece(&mut self, current: &mut (u32, u64), waiting: &mut Vec<u8>) -> Result<()> {
        if waiting.is_empty() {
            return Ok(());
        }
        let (oid, offset) = *current;
        let text = format!("\\x{}", hex::encode(waiting.as_slice()));
        let (oid_text, offset_text) = (oid.to_string(), offset.to_string());
        let sql = "select pg_catalog.lo_put($1::pg_catalog.oid, $2::pg_catalog.int8, $3::pg_catalog.bytea)";
        self.connection
            .query(sql, &[Some(&oid_text), Some(&offset_text), Some(&text)])
            .await
            .map_err(|error| error.context(&format!("large object {oid}")))?;
        current.1 += waiting.len() as u64;
        waiting.clear();
        Ok(())
    }
}

/// Whether another session came first: a deadlock, or a change of the same default privileges.
fn is_lost_race(error: &Error) -> bool {
    sqlstate(error) == Some("40P01")
        || server_error(error).is_some_and(|error| error.message.contains("tuple concurrently updated"))
}

fn no_rows() -> Error {
    Error::new(ErrorKind::Archive, "the archive has other statements than rows")
}

fn damaged_rows(error: FormatError) -> Error {
    Error::new(ErrorKind::Archive, "the rows in the archive are damaged").caused_by(error)
}

/// An entry's data, decoded ahead by a task of its own.
struct Feed {
    receiver: mpsc::Receiver<Result<Bytes>>,
    task: tokio::task::JoinHandle<()>,
    ended: bool,
}

impl Feed {
    fn begin(archive: &Archive, entry: &Entry) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (archive, entry) = (archive.clone(), entry.clone());
        let task = tokio::spawn(async move {
            let mut data = match archive.data(&entry).await {
                Ok(data) => data,
                Err(error) => {
                    // nobody listens when the restore has ended already
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            };
            loop {
                let piece = match data.next().await {
                    Ok(None) => return,
                    Ok(Some(Part::Data(bytes))) => Ok(bytes),
                    Ok(Some(Part::LargeObject { .. } | Part::LargeObjectEnd)) => continue,
                    Err(error) => Err(error),
                };
                let is_last = piece.is_err();
                if sender.send(piece).await.is_err() || is_last {
                    return;
                }
            }
        });
        Self { receiver, task, ended: false }
    }

    async fn next(&mut self) -> Option<Result<Bytes>> {
        let next = self.receiver.recv().await;
        self.ended = next.is_none();
        next
    }

    fn is_ended(&self) -> bool {
        self.ended
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}
