//! Compares a live database with a backup: every object, every row, every large object.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::future::try_join_all;

use crate::archive::select::Components;
use crate::archive::toc;
use crate::catalog::{self, read_expected};
use crate::codec::digest::{LargeObjectDigest, LargeObjectSummary, RowDigest, RowSummary};
use crate::copy::Pool;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Progress, Sink};
use crate::manifest::expected::Expected;
use crate::manifest::{Format, Manifest, Table};
use crate::object::{EmitOptions, Entry, Quote};
use crate::plan::{self, select::Selection};
use crate::record::{DecodeError, Record, encode_array};
use crate::server::{self, Connection, Isolation, LockPatience, Setup, begin, export_snapshot, pin_values, set_up};

use super::definition::{self, Item};
use super::outcome::LevelReport;
use super::restoration::{self, Part, Restoration};
use super::script::{self, Untold};
use super::structure::{self, Terms};
use super::{Definitions, FindingKind, Level};

const OBJECTS: &str = include_str!("../../sql/verify/large_object.sql");
const OBJECT_RANGE: &str = include_str!("../../sql/verify/large_object_range.sql");
const PRESENT: &str = include_str!("../../sql/verify/present.sql");

/// So much of a large object is read at once; sixteen of them, in hexadecimal, are held.
const RANGE: usize = 1 << 19;

/// How a live database is compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// The encoding of the archive's rows: their digests are of those bytes.
    pub encoding: &'a str,
    /// What the archive says of its objects; `None` where that could not be read.
    pub definitions: Option<&'a Definitions>,
    /// How the database was restored.
    pub restored: &'a Restoration,
    /// Whether comment, rights and settings of the database itself can be compared: of one that was made for a while they
    /// cannot.
    pub database: bool,
    /// Connections.
    pub jobs: usize,
}

/// Compares the database that `target` leads to with what the manifest says.
///
/// Fails when the server cannot be reached or asked. A table that cannot be read for want of rights is "not checked".
pub(super) async fn compare(
    target: &server::Options,
    manifest: &Manifest,
    comparison: Comparison<'_>,
    sink: &dyn Sink,
) -> Result<LevelReport> {
    let mut report = LevelReport::new(Level::Live);
    let setup = Setup {
        encoding: Some(comparison.encoding.to_owned()),
        quote_all_identifiers: has_option(manifest, "quote-all-identifiers"),
        monetary: manifest.source.monetary.clone(),
        float_digits: manifest.archive.float_digits,
        ..Setup::default()
    };
    let mut connection = Connection::connect(target).await?;
    for warning in set_up(&mut connection, &setup).await?.warnings {
        sink.event(Event::Warning(Message::new(warning)));
    }
    begin(&mut connection, Isolation::RepeatableRead).await?;
    let restored = comparison.restored;
    let has_schema = manifest.archive.has_schema && restored.has_definitions();
    let current =
        if has_schema { definitions(&mut connection, manifest, comparison, &mut report).await? } else { None };
    pin_values(&mut connection, &setup).await?;
    let mut live = read_expected(&mut connection, scope(manifest)).await?;
    let items: Vec<Item<'_>> = current.iter().flat_map(|current| &current.entries).map(Item::live).collect();
    let entries = comparison.definitions.map(|definitions| match definitions {
        Definitions::Toc(toc) => Cow::Borrowed(toc.entries.as_slice()),
        Definitions::Script(script) => Cow::Owned(script::resolve(script, &items, untold(manifest))),
    });
    let part = match &entries {
        _ if restored.is_all() => None,
        Some(entries) => Some(restoration::choose(entries, &manifest.expected, restored, comparison.database)?),
        None => {
            report.not_checked("what was restored", "what the archive says of its objects could not be read");
            return Ok(report);
        }
    };
    let expected = part.as_ref().map_or(&manifest.expected, |part| &part.expected);
    if restored.is_partial() {
        restoration::narrow(&mut live, expected);
    }
    if has_schema {
        let terms = terms(manifest, comparison, &connection, current.as_ref());
        // rights that an owner gave are another's, where it is another who owns
        let rights = terms.rights && !restored.leave.owner;
        structure::compare(expected, &live, Terms { rights, ..terms }, &mut report);
        if let (Some(entries), Some(_)) = (&entries, &current) {
            let entries = part.as_ref().map_or(entries.as_ref(), |part| &part.entries);
            compare_entries(manifest, entries, items, restored, terms, &mut report);
        }
        list_others(manifest, restored, &mut report);
    }
    drop(current);
    if manifest.archive.has_data && matches!(restored.selection.components, Components::All | Components::Data) {
        let members = members(&mut connection, manifest, &live).await?;
        let comparing = Rows::new(manifest, part.as_ref(), &live, &members, &mut report);
        let summaries = comparing.read(target, &setup, connection, comparison.jobs, &mut report, sink).await?;
        for (table, summary) in summaries {
            judge(table, summary, &mut report);
        }
    }
    Ok(report)
}

/// What the comparison can count on.
fn terms(manifest: &Manifest, comparison: Comparison<'_>, connection: &Connection, current: Option<&Current>) -> Terms {
    let restored = comparison.restored;
    Terms {
        owners: restored.knows_owners(),
        rights: !restored.leave.privileges,
        source_major: manifest.source.server_version_number / 10_000,
        live_major: connection.version().major(),
        whole: manifest.filters.is_empty() && !restored.is_partial(),
        database: comparison.database,
        same_database: current.is_some_and(|live| live.database == manifest.source.database),
        reads_subscriptions: current.is_some_and(|live| live.reads_subscriptions),
        superuser: connection.parameter("is_superuser") == Some("on"),
        same_program: manifest.tool_version == env!("CARGO_PKG_VERSION"),
    }
}

/// Compares the entries of the backup, as far as they were restored, with those that the live database would have.
fn compare_entries<'a>(
    manifest: &Manifest,
    entries: &'a [toc::Entry],
    mut live: Vec<Item<'a>>,
    restored: &Restoration,
    terms: Terms,
    report: &mut LevelReport,
) {
    let mut archived: Vec<Item<'_>> = entries.iter().map(Item::archived).collect();
    live.retain(|item| !restored.leave.has(item.kind, item.tag));
    if restored.leave.table_access_methods {
        archived.iter_mut().chain(&mut live).for_each(|item| item.access_method = "");
    }
    // a script says what is the database's own only where it makes the database
    let says_database = archived.iter().any(|item| item.kind == "DATABASE") || manifest.archive.format != Format::Plain;
    if terms.database && !says_database {
        let what = "comment, rights and settings of the database itself";
        report.not_checkable(what, "only a script that was made with --create has them");
    }
    let terms = Terms { database: terms.database && says_database, ..terms };
    definition::compare(&archived, &live, terms, report);
}

/// What a script does not tell, by the options that it was written with.
fn untold(manifest: &Manifest) -> Untold {
    Untold {
        tablespaces: has_option(manifest, "no-tablespaces"),
        access_methods: has_option(manifest, "no-table-access-method"),
    }
}

/// What a backup of the live database would say of it now.
struct Current {
    entries: Vec<Entry>,
    /// The database's name.
    database: String,
    reads_subscriptions: bool,
}

/// Reads the entries that a backup of the live database would have, as [`crate::backup`] does but for the rows. The locks that
/// this takes are gone when it returns.
///
/// What cannot be read for want of rights, or because somebody holds a table for long, is "not checked".
async fn definitions(
    connection: &mut Connection,
    manifest: &Manifest,
    comparison: Comparison<'_>,
    report: &mut LevelReport,
) -> Result<Option<Current>> {
    const WHAT: &str = "definitions, comments and settings";
    if comparison.definitions.is_none() {
        report.not_checked(WHAT, "what the archive says of them could not be read");
        return Ok(None);
    }
    connection.execute("savepoint before_definitions").await?;
    let read = Box::pin(read_definitions(connection, manifest)).await;
    let ended =
        connection.execute("rollback to savepoint before_definitions; release savepoint before_definitions").await;
    match (read, ended) {
        (Ok(definitions), Ok(())) => Ok(Some(definitions)),
        (Err(error), Ok(())) => {
            report.not_checked(WHAT, format!("{}: {}", error.message(), error.detail_text().unwrap_or("no detail")));
            Ok(None)
        }
        (Ok(_), Err(error)) | (Err(error), Err(_)) => Err(error),
    }
}

/// What has no entry in the archive, or none of its own, is compared with nothing.
fn list_others(manifest: &Manifest, restored: &Restoration, report: &mut LevelReport) {
    if !restored.knows_owners() {
        report.not_checkable("owners", "they were not restored; --role says whose everything is then");
    }
    if restored.leave.privileges {
        report.not_checkable("rights", "they were not restored");
    }
    let what = "roles, what is set for them and in whom they are members, tablespaces";
    report.not_checkable(what, "they belong to the server, not to the database");
    let count = manifest.expected.extensions.len();
    if count > 0 {
        let what = format!("what {count} {} made", if count == 1 { "extension" } else { "extensions" });
        report.not_checkable(what, "of an extension its schema, its version and changed rights are compared");
    }
}

async fn read_definitions(connection: &mut Connection, manifest: &Manifest) -> Result<Current> {
    let mut database = catalog::read_database(connection).await?;
    // statements that name the database are compared under the name that it had
    let name = std::mem::replace(&mut database.name, manifest.source.database.clone());
    let mut selection = Selection::default();
    let inventory = catalog::read(connection, LockPatience::default(), |inventory| {
        selection.content.subscriptions = inventory.facts.reads_subscriptions;
        plan::select::mark(inventory, &selection);
        Ok(())
    })
    .await?;
    let reads_subscriptions = inventory.facts.reads_subscriptions;
    let emit = EmitOptions {
        quote: Quote { all: has_option(manifest, "quote-all-identifiers"), ..Quote::default() },
        include_acl: true,
        include_comments: true,
        include_security_labels: true,
        include_toast_compression: !has_option(manifest, "no-toast-compression"),
        load_via_partition_root: false,
        inserts: None,
    };
    let plan = plan::build(inventory, &selection, emit, Some(&database))?;
    Ok(Current { entries: plan.entries, database: name, reads_subscriptions })
}

/// Whether the backup was made with this option.
fn has_option(manifest: &Manifest, name: &str) -> bool {
    let is_it = |option: &String| option.trim_start_matches('-').split('=').next() == Some(name);
    manifest.options.iter().any(is_it)
}

/// What of the live database is compared: for a filtered backup only what it holds.
fn scope(manifest: &Manifest) -> impl Fn(&str, &str) -> bool {
    let expected = &manifest.expected;
    let relations = expected.relations.iter().map(|relation| (relation.schema.clone(), relation.name.clone()));
    let sequences = expected.sequences.iter().map(|sequence| (sequence.schema.clone(), sequence.name.clone()));
    let schemas = expected.schemas.iter().map(|schema| (schema.name.clone(), String::new()));
    // of rows alone the manifest has no list of objects
    let tables = manifest.tables.iter().filter(|_| !manifest.archive.has_schema);
    let tables = tables.map(|table| (table.schema.clone(), table.name.clone()));
    let held: HashSet<(String, String)> = relations.chain(sequences).chain(schemas).chain(tables).collect();
    let whole = manifest.filters.is_empty();
    move |schema, name| whole || held.contains(&(schema.to_owned(), name.to_owned()))
}

fn judge(table: &Table, found: RowSummary, report: &mut LevelReport) {
    let name = full_name(table);
    report.checked("tables with rows", 1_u64);
    report.checked("rows", found.row_count);
    if found.row_count != table.rows {
        let detail = format!("{} rows, the backup has {}", found.row_count, table.rows);
        report.find(FindingKind::RowCount, name, detail);
    } else if found.digest != table.digest.0 {
        let detail = format!("{} rows, digest {:032x}; the backup has {}", found.row_count, found.digest, table.digest);
        report.find(FindingKind::RowDigest, name, detail);
    }
}

fn full_name(table: &Table) -> String {
    format!("{}.{}", table.schema, table.name)
}

/// The COPY that gives the rows in the form that they had in the backup.
fn copy_statement(table: &Table) -> String {
    let quote = Quote::default();
    let name = quote.qualified(Some(&table.schema), &table.name);
    let columns: Vec<_> = table.columns.iter().map(|column| quote.identifier(column)).collect();
    match (&table.condition, columns.is_empty()) {
        (Some(condition), true) => format!("copy (select * from {name} {condition}) to stdout"),
        (Some(condition), false) => format!("copy (select {} from {name} {condition}) to stdout", columns.join(", ")),
        (None, true) => format!("copy {name} to stdout"),
        (None, false) => format!("copy {name} ({}) to stdout", columns.join(", ")),
    }
}

fn names_of(objects: &Expected) -> BTreeSet<(&str, &str)> {
    objects.relations.iter().map(|relation| (relation.schema.as_str(), relation.name.as_str())).collect()
}

/// The tables whose rows the backup has and that are in no list of objects, as an extension's are, as far as they are there.
async fn members(
    connection: &mut Connection,
    manifest: &Manifest,
    live: &Expected,
) -> Result<HashSet<(String, String)>> {
    let present = names_of(live);
    let is_listed = |table: &&Table| present.contains(&(table.schema.as_str(), table.name.as_str()));
    let others: Vec<&Table> = manifest.tables.iter().filter(|table| !is_listed(table)).collect();
    if others.is_empty() {
        return Ok(HashSet::new());
    }
    let schemas = encode_array(others.iter().map(|table| table.schema.as_str()));
    let names = encode_array(others.iter().map(|table| table.name.as_str()));
    let rows = connection.query(PRESENT, &[Some(&schemas), Some(&names)]).await?;
    let pair = |row: &Record| Ok((row.string("schema")?, row.string("name")?));
    rows.iter()
        .map(pair)
        .collect::<std::result::Result<_, DecodeError>>()
        .map_err(|error| Error::new(ErrorKind::Server, "query \"present\" was not understood").caused_by(error))
}

/// The tables that are left to be read, and what they gave.
struct Rows<'a> {
    tables: Vec<&'a Table>,
    large_objects: Option<LargeObjectSummary>,
    next: AtomicUsize,
    bytes: AtomicU64,
    bytes_total: u64,
}

/// What a worker brings back.
#[derive(Default)]
struct Brought<'a> {
    summaries: Vec<(&'a Table, RowSummary)>,
    unreadable: Vec<(String, String)>,
}

impl<'a> Rows<'a> {
    fn new(
        manifest: &'a Manifest,
        part: Option<&Part>,
        live: &Expected,
        members: &HashSet<(String, String)>,
        report: &mut LevelReport,
    ) -> Self {
        let present = names_of(live);
        let is_there = |table: &&Table| {
            present.contains(&(table.schema.as_str(), table.name.as_str()))
                || members.contains(&(table.schema.clone(), table.name.clone()))
        };
        let (tables, absent): (Vec<&Table>, Vec<&Table>) =
            manifest.tables.iter().filter(|table| part.is_none_or(|part| part.has_rows(table))).partition(is_there);
        let known = names_of(&manifest.expected);
        for table in absent {
            // of a table that is in the list of objects it is told already
            if !known.contains(&(table.schema.as_str(), table.name.as_str())) {
                report.find(
                    FindingKind::TableMissing,
                    full_name(table),
                    format!("{} rows should be there", table.rows),
                );
            }
        }
        let large_objects = manifest.large_objects.as_ref().filter(|_| part.is_none_or(|part| part.large_objects));
        let large_objects = large_objects.map(|objects| LargeObjectSummary {
            count: objects.count,
            byte_count: objects.bytes,
            digest: objects.digest.0,
        });
        let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { tables, large_objects, next, bytes, bytes_total: manifest.data_bytes() }
    }

    /// Reads every table once, on several connections that see the same moment, then the large objects.
    async fn read(
        &self,
        target: &server::Options,
        setup: &Setup,
        mut first: Connection,
        jobs: usize,
        report: &mut LevelReport,
        sink: &dyn Sink,
    ) -> Result<Vec<(&'a Table, RowSummary)>> {
        let mut connections = Vec::new();
        let helper_count = jobs.min(self.tables.len()).saturating_sub(1);
        if helper_count > 0 {
            let snapshot = export_snapshot(&mut first).await?;
            connections = Pool::open(target, setup, &snapshot, helper_count).await?.into_connections();
        }
        connections.push(first);
        let brought = try_join_all(connections.iter_mut().map(|connection| self.work(connection, sink))).await?;
        let mut summaries = Vec::new();
        for Brought { summaries: some, unreadable } in brought {
            summaries.extend(some);
            for (what, why) in unreadable {
                report.not_checked(what, why);
            }
        }
        if let (Some(wanted), Some(connection)) = (self.large_objects, connections.last_mut()) {
            compare_large_objects(connection, wanted, report).await?;
        }
        for connection in connections {
            connection.close().await;
        }
        Ok(summaries)
    }

    async fn work(&self, connection: &mut Connection, sink: &dyn Sink) -> Result<Brought<'a>> {
        let mut brought = Brought::default();
        while let Some(table) = self.tables.get(self.next.fetch_add(1, Ordering::Relaxed)).copied() {
            connection.execute("savepoint before_table").await?;
            match self.digest(connection, table, sink).await {
                Ok(summary) => brought.summaries.push((table, summary)),
                // a table that this role may not read says nothing about its rows
                Err(error) if matches!(error.kind(), ErrorKind::Server | ErrorKind::RowSecurity) => {
                    let why = format!("{}: {}", error.message(), error.detail_text().unwrap_or("no detail"));
                    brought.unreadable.push((format!("rows of {}", full_name(table)), why));
                    connection.execute("rollback to savepoint before_table").await?;
                }
                Err(error) => return Err(error.context(&format!("could not read {}", full_name(table)))),
            }
        }
        Ok(brought)
    }

    async fn digest(&self, connection: &mut Connection, table: &Table, sink: &dyn Sink) -> Result<RowSummary> {
        let mut digest = RowDigest::new();
        let mut copy = connection.copy_out(&copy_statement(table)).await?;
        while let Some(chunk) = copy.next().await? {
            digest.push(&chunk);
            let bytes = self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed) + chunk.len() as u64;
            sink.event(Event::Progress(Progress { bytes, bytes_total: Some(self.bytes_total), ..Progress::default() }));
        }
        copy.finish().await?;
        digest.finish().map_err(|error| Error::new(ErrorKind::Server, "the server sent no whole row").caused_by(error))
    }
}

async fn compare_large_objects(
    connection: &mut Connection,
    wanted: LargeObjectSummary,
    report: &mut LevelReport,
) -> Result<()> {
    match digest_large_objects(connection).await {
        Ok(found) if found == wanted => report.checked("large objects", wanted.count),
        Ok(found) => {
            let detail = format!(
                "{} in {} bytes, digest {:032x}; the backup has {} in {}, {:032x}",
                found.count, found.byte_count, found.digest, wanted.count, wanted.byte_count, wanted.digest
            );
            report.find(FindingKind::LargeObjects, "large objects", detail);
        }
        Err(error) if error.kind() == ErrorKind::Server => {
            let why = format!("{}: {}", error.message(), error.detail_text().unwrap_or("no detail"));
            report.not_checked("large objects", why);
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn digest_large_objects(connection: &mut Connection) -> Result<LargeObjectSummary> {
    let mut summary = LargeObjectSummary::default();
    let range = RANGE.to_string();
    let mut after = 0_u32;
    loop {
        let rows = connection.query(OBJECTS, &[Some(&after.to_string()), Some(&range)]).await?;
        if rows.is_empty() {
            return Ok(summary);
        }
        for row in &rows {
            let oid = row.oid("oid").map_err(garbled)?;
            let mut digest = LargeObjectDigest::new(oid);
            let mut piece = bytes_of(row.text("content").map_err(garbled)?)?;
            let mut offset = 0;
            loop {
                digest.push(&piece);
                offset += piece.len();
                if piece.len() < RANGE {
                    break;
                }
                let parameters = [oid.to_string(), offset.to_string()];
                let [oid, offset] = &parameters;
                let row = connection.query_one(OBJECT_RANGE, &[Some(oid), Some(offset), Some(&range)]).await?;
                piece = bytes_of(row.text("content").map_err(garbled)?)?;
            }
            summary = summary.merge(digest.finish());
            after = oid;
        }
    }
}

fn garbled(error: DecodeError) -> Error {
    Error::new(ErrorKind::Server, "query \"large_object\" was not understood").caused_by(error)
}

fn bytes_of(text: &str) -> Result<Vec<u8>> {
    hex::decode(text)
        .map_err(|error| Error::new(ErrorKind::Server, "the server sent no hexadecimal digits").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_the_columns_of_the_backup_in_its_order() {
        let table = Table {
            schema: "public".to_owned(),
            name: "Order".to_owned(),
            columns: vec!["id".to_owned(), "user".to_owned()],
            ..Table::default()
        };
        assert_eq!(copy_statement(&table), "copy public.\"Order\" (id, \"user\") to stdout");
        let filtered = Table { condition: Some("WHERE id > 7".to_owned()), ..table.clone() };
        assert_eq!(
            copy_statement(&filtered),
            "copy (select id, \"user\" from public.\"Order\" WHERE id > 7) to stdout"
        );
        let bare = Table { columns: Vec::new(), ..table };
        assert_eq!(copy_statement(&bare), "copy public.\"Order\" to stdout");
    }
}
