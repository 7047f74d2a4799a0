//! What is backed up: the server, one snapshot of it, and the plan of the dump.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::archive::Form;
use super::board::Board;
use super::keeper::{self, Keeper};
use super::phase::Phases;
use super::watch::{Lookout, Watch};
use super::{Options, slice};
use crate::archive::insert_text::Wide;
use crate::catalog::{self, Passwords, TableSize};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Phase, Sink};
use crate::manifest::{self, Expected, Skipped};
use crate::object::database::Database;
use crate::object::table::Table;
use crate::object::version::Version;
use crate::object::{Components, DataSource, Detail, DumpId, EmitOptions, Quote};
use crate::plan::select::Selection;
use crate::plan::{self, Plan};
use crate::server::{self, Connection, LockTarget, Setup, Snapshot, Standing};
use crate::store::SizeHint;

/// One database at one moment.
pub(super) struct Source {
    /// The session whose transaction exports the snapshot. It is the first worker.
    pub(super) connection: Option<Connection>,
    /// The tables whose rows are copied.
    pub(super) board: Arc<Board>,
    /// Who keeps their locks; `None` where there are none, or where the first session does.
    pub(super) keeper: Option<Keeper>,
    /// Who looks where nobody keeps locks for the first session.
    pub(super) watch: Option<Watch>,
    /// What the keeper has to say.
    pub(super) told: mpsc::UnboundedReceiver<Event>,
    /// How large tables are, where that decides how they are copied.
    pub(super) sizes: HashMap<u32, TableSize>,
    /// The server's version as it says it.
    pub(super) server_version: Option<String>,
    /// The database's bytes on disk, where rows are copied or a manifest tells them.
    pub(super) size: Option<u64>,
    /// Where it leads.
    pub(super) standing: Standing,
    /// The database itself.
    pub(super) database: Database,
    /// How every session is set up.
    pub(super) setup: Setup,
    /// What the workers join.
    pub(super) snapshot: Snapshot,
    /// The dump, entry by entry.
    pub(super) plan: Plan,
    /// The kinds of all entries, which the archive gets from the plan.
    pub(super) kinds: Vec<&'static str>,
    /// What a restored database must have.
    pub(super) expected: Expected,
    /// The script of what the database needs of its cluster, in the form of [`crate::record::decode_text`].
    pub(super) globals: Option<String>,
    /// What the person should know.
    pub(super) warnings: Vec<String>,
    /// What the database has that is left out because it is not known how to write it.
    pub(super) skipped: Vec<Skipped>,
}

/// Objects of kinds that are not known are never left out in silence.
fn cannot_dump(unsupported: &[(String, String)], server: Version) -> Error {
    const SHOWN_MAX: usize = 20;
    let mut names: Vec<String> =
        unsupported.iter().take(SHOWN_MAX).map(|(kind, name)| format!("{kind} {name}")).collect();
    if unsupported.len() > SHOWN_MAX {
        names.push(format!("and {} more", unsupported.len() - SHOWN_MAX));
    }
    Error::new(ErrorKind::Refused, "the database has objects that cannot be dumped")
        .detail(names.join(", "))
        .hint(if server.major() > Version::NEWEST_MAJOR {
            "Take a version of this program that knows the server's major, or pass --allow-unsupported to back up the rest; \
             the backup then counts as a partial one."
        } else {
            "Pass --allow-unsupported to back up the rest; the backup then counts as a partial one."
        })
}

/// Names of the catalog come in lists in which a backslash means something: half a character must not look like one.
fn refuse_wide(encoding: &str) -> Result<()> {
    if Wide::of(encoding) == Wide::No {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("backups in encoding {encoding} are not made"))
        .detail("a byte of its characters may look like a backslash")
        .hint("Use --encoding UTF8, or the database's own encoding; servers convert what is restored."))
}

/// Catalogs from this size on are read by several sessions. With fewer than some thousand tables, opening those costs more.
const LARGE_CATALOG_BYTES: u64 = 1 << 20;

/// How long a helper waits for a lock: the leading session has those of what is dumped, and reads what a helper does not get.
const HELPER_PATIENCE: &str = "set lock_timeout = '500ms'";

/// Sessions that help to read a large catalog, one fewer than there are workers.
async fn helpers(
    connection: &mut Connection,
    options: &Options,
    setup: &Setup,
    snapshot: &Snapshot,
) -> Result<Vec<Connection>> {
    let count = options.jobs.get() - 1;
    if count == 0 || catalog::read_catalog_size(connection).await? < LARGE_CATALOG_BYTES {
        return Ok(Vec::new());
    }
    let open = || async {
        let mut helper = server::join(&options.source, setup, snapshot).await?;
        helper.execute(HELPER_PATIENCE).await?;
        Ok::<_, Error>(helper)
    };
    // where the server or the role has no more connections, one session reads it all
    Ok(try_join_all((0..count).map(|_| open())).await.unwrap_or_default())
}

/// How often a run begins when tables are changed between its snapshot and its locks.
const ATTEMPTS: u32 = 3;

/// What the locks of the first session are behind until the keeper has them.
const SAVEPOINT: &str = "pgproof_read";

/// Connects, takes the snapshot, locks and reads. For a store that is also what a restored database must have, and what the
/// database needs of its cluster.
///
/// When a table was truncated or rewritten after the snapshot and before its lock, its rows are lost to the snapshot: then all
/// begins again with a new one.
pub(super) async fn read(options: &Options, form: Form, for_store: bool, phases: &mut Phases<'_>) -> Result<Source> {
    let mut attempt = 1;
    loop {
        match Box::pin(read_once(options, form, for_store, phases)).await {
            Err(error) if server::is_table_change(&error) && options.snapshot.is_none() => {
                if attempt == ATTEMPTS {
                    return Err(error.more_detail(&format!("so it was in each of {ATTEMPTS} attempts")));
                }
                attempt += 1;
                let text = format!("{}: the backup begins again with a new snapshot", error.message());
                phases.sink.event(Event::Warning(Message::new(text)));
            }
            ended => return ended,
        }
    }
}

async fn read_once(options: &Options, form: Form, for_store: bool, phases: &mut Phases<'_>) -> Result<Source> {
    phases.begin(Phase::Connect);
    let setup = options.setup();
    let mut connection = Connection::connect(&options.source).await?;
    let standing = server::set_up(&mut connection, &setup).await?;
    refuse_wide(connection.parameter("client_encoding").unwrap_or_default())?;
    server::begin(&mut connection, options.isolation).await?;
    if let Some(snapshot) = &options.snapshot {
        server::join_snapshot(&mut connection, snapshot).await?;
    }
    let snapshot = server::export_snapshot(&mut connection).await?;
    phases.begin(Phase::ReadCatalog);
    let sink = phases.sink;
    let (tell, mut told) = mpsc::unbounded_channel();
    let lookout =
        Lookout { source: options.source.clone(), setup: setup.clone(), blocking: options.blocking, told: tell };
    let mut watch = Watch::start(lookout.clone(), snapshot.pid);
    let reading = Reading { connection, setup, snapshot, standing };
    let mut read = tokio::select! {
        read = Box::pin(reading.run(options, form, for_store)) => read,
        error = watch.failed() => Err(error),
        error = keeper::relay(&mut told, sink) => Err(error),
    }?;
    if for_store || options.content.data {
        read.size = match watch.database_size().await {
            Some(size) => Some(size),
            None => match &mut read.connection {
                Some(connection) => Some(server::read_database_size(connection).await?),
                None => None,
            },
        };
    }
    keep(&mut read, watch, lookout).await?;
    read.told = told;
    phases.end();
    for warning in &read.warnings {
        sink.event(Event::Warning(Message::new(warning.clone())));
    }
    Ok(read)
}

/// What is known of a server whose snapshot was taken.
struct Reading {
    connection: Connection,
    setup: Setup,
    snapshot: Snapshot,
    standing: Standing,
}

impl Reading {
    /// Locks the tables and reads their definitions.
    async fn run(self, options: &Options, form: Form, for_store: bool) -> Result<Source> {
        let Self { mut connection, mut setup, snapshot, standing } = self;
        let needs_values = for_store || options.content.data;
        let database = catalog::read_database(&mut connection).await?;
        let selection =
            catalog::resolve(&mut connection, options.content.clone(), &options.patterns, options.strict_names).await?;
        let mut helpers = helpers(&mut connection, options, &setup, &snapshot).await?;
        connection.execute(&format!("savepoint {SAVEPOINT}")).await?;
        let mut contradictions = Vec::new();
        let inventory = catalog::read_shared(&mut connection, &mut helpers, options.patience, |inventory| {
            plan::select::mark(inventory, &selection);
            let unsupported = inventory.unsupported_in_dump();
            if options.allow_unsupported || unsupported.is_empty() {
                Ok(())
            } else {
                Err(cannot_dump(&unsupported, standing.version))
            }?;
            contradictions = inventory.contradictions_in_dump();
            if !options.allow_unsupported && !contradictions.is_empty() {
                return Err(catalog::contradicts(&contradictions));
            }
            inventory.leave_out_contradictions();
            Ok(())
        })
        .await?;
        let unknown = inventory.unsupported_in_dump().into_iter().map(|(kind, name)| format!("{kind} {name}"));
        let skipped = (unknown.map(|object| Skipped { object, reason: "unknown to this program".to_owned() }))
            .chain(contradictions.into_iter().map(|object| {
                // the row is what is told: there may be no object to it
                Skipped { object, reason: "the catalog contradicts itself".to_owned() }
            }))
            .collect();
        let emit = EmitOptions {
            quote: Quote { all: options.quote_all_identifiers, ..Quote::default() },
            include_acl: options.detail.include_acl,
            include_comments: options.detail.include_comments,
            include_security_labels: options.detail.include_security_labels,
            include_toast_compression: options.detail.include_toast_compression,
            load_via_partition_root: options.detail.load_via_partition_root,
            inserts: options.detail.inserts,
        };
        let has_database = options.format != manifest::Format::Plain || options.plain.create;
        if needs_values {
            setup.monetary = server::read_monetary(&mut connection).await?;
        }
        let wants_expected = for_store && selection.content.definitions;
        // a helper reads it while this thread orders the entries
        let aside = if wants_expected && selection.is_whole() { helpers.pop() } else { None };
        let early = aside.map(|helper| read_expected_aside(helper, setup.clone()));
        for helper in helpers {
            helper.close().await;
        }
        let mut plan = plan::build(inventory, &selection, emit, has_database.then_some(&database))?;
        catalog::read_attribute_statistics(&mut connection, &mut plan, emit.quote).await?;
        server::pin_values(&mut connection, &setup).await?;
        let early = match early {
            Some(early) => {
                early.await.map_err(|error| Error::new(ErrorKind::Bug, "reading what is expected").caused_by(error))?
            }
            None => Ok(None),
        };
        let expected = match early {
            Ok(Some(expected)) => expected,
            Ok(None) if !wants_expected => Expected::default(),
            Ok(None) => read_expected(&mut connection, &plan, &selection).await?,
            Err(error) if server::is_lock_timeout(&error) => read_expected(&mut connection, &plan, &selection).await?,
            Err(error) => return Err(error),
        };
        let globals = if for_store { read_globals(&mut connection, options).await? } else { None };
        let tables = tables(&plan);
        let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
        let sizes = match options.jobs.get() > 1 && slice::is_possible(form) && slice::is_worth(standing.version) {
            true => catalog::read_table_sizes(&mut connection, &oids, slice::DIVIDED_BLOCKS_MIN).await?,
            false => Vec::new(),
        };
        let board = Arc::new(Board::new(tables.iter().cloned()));

        let mut warnings = standing.warnings.clone();
        warnings.extend(selection.unmatched.iter().map(|(list, pattern)| {
            format!(
                "pattern \"{pattern}\" matches no {}: check its spelling; names are lower case unless quoted",
                list.objects()
            )
        }));
        if plan.has_circular_foreign_keys {
            warnings.push(
                "rows alone of tables whose foreign keys go in a circle: no order of loading suits them".to_owned(),
            );
        }
        warnings.extend(unusable_indexes(&plan.inventory.unusable_indexes));
        let server_version = connection.parameter("server_version").map(str::to_owned);
        let connection = Some(connection);
        Ok(Source {
            connection,
            board,
            keeper: None,
            watch: None,
            told: mpsc::unbounded_channel().1,
            sizes: sizes.into_iter().map(|size| (size.oid, size)).collect(),
            server_version,
            size: None,
            standing,
            database,
            setup,
            snapshot,
            plan,
            kinds: Vec::new(),
            expected,
            globals,
            warnings,
            skipped,
        })
    }
}

/// Says which indexes are left out because they are not valid.
fn unusable_indexes(names: &[String]) -> Option<String> {
    const NAMED_MAX: usize = 8;
    let shown = names.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    match names.len() {
        0 => None,
        1 => Some(format!("index {shown} is not valid and is left out: REINDEX or drop it")),
        count => Some(format!("{count} indexes are not valid and are left out: {shown}{more}; REINDEX or drop them")),
    }
}

/// The tables whose rows are copied and that can be locked.
fn tables(plan: &Plan) -> Vec<LockTarget> {
    let quote = Quote { all: true, ..Quote::default() };
    (plan.entries.iter())
        .filter_map(|entry| match &entry.data {
            Some(DataSource::Table { table, .. }) => Some(plan.inventory.get(*table)),
            Some(DataSource::LargeObjects(_)) | None => None,
        })
        .filter(|object| object.detail.is_lockable())
        .map(|object| LockTarget {
            oid: object.catalog_id.oid,
            qualified_name: plan.inventory.qualified(object, quote),
        })
        .collect()
}

/// Has the session that looks take over the locks of the tables whose rows are copied; the first session then has none.
///
/// Where there is no further session, the first one keeps them to the end.
async fn keep(source: &mut Source, watch: Watch, lookout: Lookout) -> Result<()> {
    const SLOW: &str = "this server looks for deadlocks late (deadlock_timeout), so tables that other sessions wait for cannot be \
        let go early: one session copies, and keeps its locks to the end";
    let tables = source.board.kept();
    let (Some(mut second), Some(first)) = (watch.stop().await?, &mut source.connection) else { return Ok(()) };
    if tables.is_empty() {
        second.close().await;
        return Ok(());
    }
    let taken = match server::passes_late(first).await? {
        true => false,
        false => match server::take_over(&mut second, first, &tables).await {
            Ok(()) => true,
            Err(error) if server::is_lock_timeout(&error) => false,
            Err(error) => return Err(error),
        },
    };
    server::check_columns(first, &mut second, &source.snapshot, &tables).await?;
    if !taken {
        lookout.tell(Event::Warning(Message::new(SLOW)));
        source.watch = Some(Watch::go_on(lookout, source.snapshot.pid, second));
        return Ok(());
    }
    first.execute(&format!("rollback to savepoint {SAVEPOINT}; release savepoint {SAVEPOINT}")).await?;
    // settings made behind the savepoint are gone with it
    server::pin_values(first, &source.setup).await?;
    source.keeper = Some(Keeper::start(second, lookout, Arc::clone(&source.board)));
    Ok(())
}

async fn read_globals(connection: &mut Connection, options: &Options) -> Result<Option<String>> {
    if !options.content.definitions {
        return Ok(None);
    }
    let passwords = if options.role_passwords { Passwords::Read } else { Passwords::LeaveOut };
    let globals = catalog::read_globals(connection, passwords).await?;
    globals.script(options.restrict_key().as_deref()).map(Some)
}

/// All objects of the database, by a session of its own.
fn read_expected_aside(mut helper: Connection, setup: Setup) -> JoinHandle<Result<Option<Expected>>> {
    tokio::spawn(async move {
        server::pin_values(&mut helper, &setup).await?;
        let expected = catalog::read_expected(&mut helper, |_, _| true).await?;
        helper.close().await;
        Ok(Some(expected))
    })
}

/// The objects that a restored database must have: of a part of a database, those that were chosen.
async fn read_expected(connection: &mut Connection, plan: &Plan, selection: &Selection) -> Result<Expected> {
    let inventory = &plan.inventory;
    let dumped = || inventory.objects().iter().filter(|object| object.dump.contains(Components::DEFINITION));
    let schemas: HashSet<&str> = dumped()
        .filter(|object| matches!(object.detail, Detail::Schema(_)))
        .map(|object| object.name.as_str())
        .collect();
    let names: HashSet<(&str, &str)> =
        dumped().filter_map(|object| Some((inventory.schema_name(object)?, object.name.as_str()))).collect();
    let is_whole = selection.is_whole();
    catalog::read_expected(connection, |schema, name| {
        if name.is_empty() { is_whole || schemas.contains(schema) } else { is_whole || names.contains(&(schema, name)) }
    })
    .await
}

impl Source {
    /// The columns of a table in the order of its COPY lines.
    pub(super) fn columns(&self, table: DumpId) -> Vec<String> {
        let columns = self.plan.inventory.table(table).into_iter().flat_map(Table::copied_columns);
        columns.map(|column| column.name.clone()).collect()
    }

    /// The source as the manifest tells it.
    pub(super) fn identity(&self, options: &Options) -> manifest::Source {
        let (standing, database) = (&self.standing, &self.database);
        manifest::Source {
            system_identifier: standing.system_identifier.clone(),
            database_oid: database.oid,
            database: database.name.clone(),
            server: options.source.hosts.first().map(server::Host::describe).unwrap_or_default(),
            server_version: self.server_version.clone().unwrap_or_default(),
            server_version_number: standing.version.0,
            encoding: database.encoding.clone(),
            collate: database.collate.clone(),
            ctype: database.ctype.clone(),
            locale_provider: database.locale_provider.to_owned(),
            locale: database.locale.clone(),
            monetary: self.setup.monetary.clone(),
            standby: standing.in_recovery,
            database_bytes: self.size.unwrap_or_default(),
        }
    }

    /// The moment that the backup shows.
    pub(super) fn moment(&self) -> Result<manifest::Snapshot> {
        let time: DateTime<Utc> = self.snapshot.time.parse().map_err(|error: chrono::ParseError| {
            Error::new(ErrorKind::Server, format!("the server's clock shows \"{}\"", self.snapshot.time))
                .caused_by(error)
        })?;
        let lsn = Some(self.snapshot.lsn.clone()).filter(|lsn| !lsn.is_empty());
        Ok(manifest::Snapshot { time, lsn })
    }

    /// How large the archive may become.
    pub(super) fn size_hint(&self) -> SizeHint {
        self.size.map_or(SizeHint::unknown(), SizeHint::about)
    }

    /// Ends the transaction that held the snapshot.
    pub(super) async fn end(mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
        // nobody need wait until the memory of very many objects is given back; without a thread for it that is done here
        let _ = std::thread::Builder::new().spawn(move || drop(self));
    }

    /// Says what the run is going to do.
    pub(super) fn announce(&self, options: &Options, place: &str, sink: &dyn Sink) {
        let tables = self.plan.entries.iter().filter(|entry| entry.data.is_some()).count();
        sink.event(Event::Planned(crate::event::Summary {
            title: format!("backing up {} to {place}", options.source.with_database(&self.database.name).describe()),
            table_count: tables as u64,
            object_count: self.plan.entries.len() as u64,
            bytes: self.size,
            jobs: options.jobs.get() as u64,
        }));
    }
}
