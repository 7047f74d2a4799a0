//! What a restore is going to do, and what stands in its way.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use super::encoding;
use super::inspect::{Names, Target, read_database_oid, read_foreign_owners, read_missing, read_target};
use super::script::{self, Survey};
use super::select::{Components, Item, is_statistics, select};
use super::session::speak;
use super::source::{Origin, open};
use super::statement;
use super::target::{create_statement, reach};
use super::worker::Shared;
use super::{Options, Outcome, execute, role};
use crate::archive::toc::{Entry, Toc};
use crate::codec::compress::Algorithm;
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Phase, Sink};
use crate::manifest::{self, Manifest};
use crate::object::identifier::Quote;
use crate::object::version::Version;
use crate::reader::Archive;
use crate::server::Connection;
use crate::transfer::Inlet;

/// The first major that can be told what the planner is to know.
pub(super) const STATISTICS_MAJOR: u32 = 18;

/// What a restore is going to do. It prints as text for people; [`Self::summary`] has the facts.
pub struct Plan {
    pub(super) options: Options,
    pub(super) summary: Summary,
    pub(super) work: Work,
    pub(super) create_roles: Vec<String>,
    /// The statement that makes the target, where it does not exist.
    pub(super) create_target: Option<String>,
    refusal: Option<Refusal>,
}

/// What is done.
pub(super) enum Work {
    /// Entries of an archive.
    Archive {
        shared: Arc<Shared>,
        items: Vec<Item>,
        /// The statement that creates the database, when that is wanted.
        database: Option<i32>,
    },
    /// The statements of a script.
    Script {
        inlet: Inlet,
        algorithm: Algorithm,
        /// `lc_monetary` of the rows, where it is known.
        monetary: Option<String>,
    },
}

/// The facts of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The backup or file.
    pub source: String,
    /// Where the source was taken and when, where that is known.
    pub origin: Option<String>,
    /// The server and database, as people write it.
    pub target: String,
    /// The database's name: what a person has to type.
    pub database: String,
    /// What is created, by kind.
    pub created: BTreeMap<String, u64>,
    /// How many of these are dropped first.
    pub drop_count: u64,
    /// The database itself is created.
    pub creates_database: bool,
    /// The database itself is dropped first.
    pub drops_database: bool,
    /// Tables whose rows are loaded.
    pub table_count: u64,
    /// Rows, by the manifest.
    pub row_count: Option<u64>,
    /// Bytes of rows by the manifest, else of the archive as it is stored.
    pub byte_count: u64,
    /// Objects that the target has already.
    pub existing_count: u64,
    /// Roles that the server lacks.
    pub missing_roles: Vec<String>,
    /// Extensions that the server does not offer.
    pub missing_extensions: Vec<String>,
    /// Tablespaces that the server lacks.
    pub missing_tablespaces: Vec<String>,
    /// Connections.
    pub jobs: usize,
    /// What the user should know.
    pub warnings: Vec<String>,
}

struct Refusal {
    message: String,
    detail: Option<String>,
    hint: &'static str,
}

impl Plan {
    /// The facts.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What stands in the way; nothing is changed as long as something does.
    pub fn refusal(&self) -> Option<Error> {
        self.refusal.as_ref().map(|refusal| {
            let error = Error::new(ErrorKind::Refused, refusal.message.clone()).hint(refusal.hint);
            match &refusal.detail {
                Some(detail) => error.detail(detail.clone()),
                None => error,
            }
        })
    }

    /// Does what the plan says.
    ///
    /// # Errors
    ///
    /// [`Self::refusal`]; a lost connection; the first failure where that ends the restore.
    pub async fn execute(self, sink: &dyn Sink) -> Result<Outcome> {
        match self.refusal() {
            Some(error) => Err(error),
            None => Box::pin(execute::execute(self, sink)).await,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.summary.fmt(f)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "restore {}", self.source)?;
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        writeln!(f, "\n   into {}", self.target)?;
        if self.drops_database {
            writeln!(f, "  drops database \"{}\" with everything in it", self.database)?;
        } else if self.drop_count > 0 {
            writeln!(f, "  drops first {}, where they exist", counted(self.drop_count, "object"))?;
        }
        if self.creates_database {
            writeln!(f, "  creates database \"{}\"", self.database)?;
        }
        let kinds: Vec<String> = self.created.iter().map(|(kind, count)| counted(*count, &noun(kind))).collect();
        if !kinds.is_empty() {
            writeln!(f, "  creates {}", kinds.join(", "))?;
        }
        if self.table_count > 0 {
            let rows = self.row_count.map(|rows| format!("{}, ", counted(rows, "row"))).unwrap_or_default();
            writeln!(
                f,
                "  loads   {} ({rows}{}), {} at a time",
                counted(self.table_count, "table"),
                counted(self.byte_count, "byte"),
                self.jobs
            )?;
        }
        if self.existing_count > 0 {
            writeln!(f, "  finds   {} in the target", counted(self.existing_count, "object"))?;
        }
        for (what, names) in [
            ("roles", &self.missing_roles),
            ("extensions", &self.missing_extensions),
            ("tablespaces", &self.missing_tablespaces),
        ] {
            if !names.is_empty() {
                writeln!(f, "  lacks   {what}: {}", names.join(", "))?;
            }
        }
        for warning in &self.warnings {
            writeln!(f, "  warning: {warning}")?;
        }
        Ok(())
    }
}

pub(super) async fn build(options: Options, sink: &dyn Sink) -> Result<Plan> {
    check_options(&options)?;
    let opening = open(&options.source, options.check_files, options.jobs.get(), sink).await?;
    sink.event(Event::PhaseBegun(Phase::Inspect));
    let begun = std::time::Instant::now();
    let (mut connection, is_made) = reach(&options.target, options.create_target).await?;
    connection.execute("select pg_catalog.set_config('search_path', '', false)").await?;
    if let Some(role) = &options.role {
        connection.query("select pg_catalog.set_config('role', $1, false)", &[Some(role)]).await?;
    }
    let mut target = read_target(&mut connection).await?;
    if is_made {
        target.will_be_made(&options.target.database);
    }
    let mut summary = Summary {
        source: opening.name.clone(),
        origin: opening.manifest.as_ref().map(|manifest| {
            format!(
                "database \"{}\" of {}, {}",
                manifest.source.database, manifest.source.server, manifest.snapshot.time
            )
        }),
        database: target.standing.database.clone(),
        jobs: options.jobs.get(),
        warnings: target.standing.warnings.clone(),
        existing_count: target.object_count,
        creates_database: is_made,
        ..Summary::default()
    };
    if target.standing.in_recovery {
        return Err(Error::new(ErrorKind::Refused, "the target is a standby, which takes no changes")
            .hint("Connect to the primary."));
    }
    let (work, missing, refusal) = match opening.origin {
        Origin::Archive(archive) => {
            let planned =
                plan_archive(&options, *archive, opening.manifest.as_ref(), &target, &mut connection, &mut summary);
            planned.await?
        }
        Origin::Script { inlet, algorithm } => {
            let monetary = opening.manifest.as_ref().map(monetary);
            let work = Work::Script { inlet, algorithm, monetary };
            plan_script(&options, work, &target, &mut connection, &mut summary).await?
        }
    };
    summary.target = format!(
        "database \"{}\" on {} (PostgreSQL {}) as \"{}\"",
        summary.database,
        connection.peer(),
        target.standing.version,
        target.standing.user
    );
    let own = read_database_oid(&mut connection, &summary.database).await?;
    connection.close().await;
    let source = opening.manifest.as_ref().map(|manifest| &manifest.source);
    let identity = source.map_or(Identity::Other, |source| Identity::of(source, &target, own));
    if identity == Identity::Unknown {
        summary.warnings.push(format!(
            "whether database \"{}\" is the one that the backup was taken of could not be checked: a server does not tell who it is",
            summary.database
        ));
    }
    let is_source = (identity == Identity::Source && !options.overwrite_source).then(|| overwrites(&summary.database));
    let refusal = is_source.or(refusal);
    sink.event(Event::PhaseFinished { phase: Phase::Inspect, elapsed: begun.elapsed() });
    let create_roles = if options.create_roles { missing.roles.into_iter().collect() } else { Vec::new() };
    let create_target = is_made.then(|| {
        let toc = match &work {
            Work::Archive { shared, .. } => Some(shared.archive.toc()),
            Work::Script { .. } => None,
        };
        create_statement(&options.target.database, toc, target.standing.version)
    });
    Ok(Plan { options, summary, work, create_roles, create_target, refusal })
}

fn check_options(options: &Options) -> Result<()> {
    let clash = |text: &str| Err(Error::new(ErrorKind::Usage, text));
    if options.single_transaction && options.jobs.get() > 1 {
        return clash("--single-transaction needs one connection: it cannot be combined with several jobs");
    }
    if options.single_transaction && options.create_database {
        return clash("--create cannot be combined with --single-transaction");
    }
    if options.create_target && options.create_database {
        return clash(
            "--create-target cannot be combined with --create: the one makes the database of -d, the other that of the archive",
        );
    }
    if options.clean && options.selection.components == Components::Data {
        return clash("--clean cannot be combined with --data-only");
    }
    Ok(())
}

/// Whether a target is the very database that a backup was taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    Source,
    Other,
    Unknown,
}

impl Identity {
    /// By the cluster's identifier and the database's oid: one that was dropped and made again under the same name is another.
    fn of(source: &manifest::Source, target: &Target, database_oid: Option<u32>) -> Self {
        if database_oid != Some(source.database_oid) {
            return Self::Other;
        }
        match (&source.system_identifier, &target.standing.system_identifier) {
            (Some(source), Some(target)) if source == target => Self::Source,
            (Some(_), Some(_)) => Self::Other,
            (None, _) | (_, None) => Self::Unknown,
        }
    }
}

/// The very database that the backup was taken of must not be written to by mistake.
fn overwrites(database: &str) -> Refusal {
    Refusal {
        message: format!("the target is the database \"{database}\" that the backup was taken of"),
        detail: None,
        hint: "Restore into another database, or say --overwrite-source.",
    }
}

fn refuse_missing(options: &Options, missing: &Names) -> Option<Refusal> {
    let list = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    // without owners it goes on as pg_restore does: what names them fails and is named
    if !missing.roles.is_empty() && !options.create_roles && !options.leave.owner {
        return Some(Refusal {
            message: format!("the server lacks {} that the backup needs", counted(missing.roles.len(), "role")),
            detail: Some(list(&missing.roles)),
            hint: "Create them (the backup's globals.sql does), or say --create-roles; or go on without them by --no-owner, and --no-privileges for their rights.",
        });
    }
    if !missing.extensions.is_empty() && !options.allow_missing_extensions {
        return Some(Refusal {
            message: "the server does not offer extensions that the backup needs".to_owned(),
            detail: Some(list(&missing.extensions)),
            hint: "Install them on the server, or say --allow-missing-extensions to go on without what needs them.",
        });
    }
    if !missing.tablespaces.is_empty() && !options.leave.tablespaces {
        return Some(Refusal {
            message: "tablespaces that the backup needs do not exist on the server".to_owned(),
            detail: Some(list(&missing.tablespaces)),
            hint: "Create them, or say --no-tablespaces.",
        });
    }
    None
}

/// What the target's encoding has no characters for. A database without an encoding takes all.
async fn refuse_encoding(
    toc: &Toc,
    items: &[Item],
    target: &Target,
    connection: &mut Connection,
) -> Result<Option<Refusal>> {
    let (source, own) = (toc.encoding().unwrap_or("UTF8"), target.standing.encoding.as_str());
    if source.eq_ignore_ascii_case(own) || own == "SQL_ASCII" {
        return Ok(None);
    }
    let found = encoding::unrepresentable(connection, toc, items).await?;
    Ok(found.map(|(names, problem)| Refusal {
        message: format!("the target's encoding {own} cannot hold {} of the backup's objects", names.len()),
        detail: Some(format!("{}: {problem}", names.into_iter().take(5).collect::<Vec<_>>().join(", "))),
        hint: "Restore into a database of the source's encoding: CREATE DATABASE ... TEMPLATE template0 ENCODING ..., or say --create.",
    }))
}

/// Roles that this one cannot make owners of anything. What is theirs comes to be the restoring role's.
fn cannot_own(owners: &[String], user: &str) -> Option<String> {
    (!owners.is_empty()).then(|| {
        format!(
            "role \"{user}\" cannot make these roles owners: {}; what is theirs will be its own, and the restore ends with 5: \
             restore as a superuser or a member of them, or say --no-owner",
            owners.join(", ")
        )
    })
}

fn refuse_objects(target: &Target) -> Refusal {
    Refusal {
        message: format!(
            "database \"{}\" is not empty: it has {}",
            target.standing.database,
            counted(target.object_count, "object")
        ),
        detail: Some(format!("among them {}", target.object_names.join(", "))),
        hint: "Restore into an empty database, or say --clean to drop first what the backup has.",
    }
}

async fn plan_archive(
    options: &Options,
    archive: Archive,
    manifest: Option<&Manifest>,
    target: &Target,
    connection: &mut Connection,
    summary: &mut Summary,
) -> Result<(Work, Names, Option<Refusal>)> {
    let toc = archive.toc();
    let mut items = select(&toc.entries, &options.selection, &options.leave, options.create_database)?;
    let entry_of = |item: &Item| toc.entries.get(item.index);
    let database = items.iter().filter_map(entry_of).find(|entry| entry.kind == "DATABASE").map(|entry| entry.dump_id);
    if options.create_database && database.is_none() {
        return Err(Error::new(ErrorKind::Usage, "the archive does not say how its database is created")
            .hint("Create the database yourself and restore without --create."));
    }
    items.retain(|item| entry_of(item).is_some_and(|entry| Some(entry.dump_id) != database));
    let item_count = items.len();
    if target.standing.version.major() < STATISTICS_MAJOR {
        items.retain(|item| entry_of(item).is_some_and(|entry| !is_statistics(entry)));
    }
    let without_statistics = items.len() < item_count;

    let wanted = names(options, toc, &items, database);
    speak(connection, toc).await?;
    let mut missing = read_missing(connection, &wanted).await?;
    if target.is_made {
        missing.relations.clone_from(&wanted.relations);
    }
    count(summary, toc, &items, &archive, manifest);
    summary.missing_roles = missing.roles.iter().cloned().collect();
    summary.missing_extensions = missing.extensions.iter().cloned().collect();
    if !options.leave.owner {
        let owners = items.iter().filter_map(entry_of).filter(|entry| statement::owner(entry).is_some());
        let foreign = read_foreign_owners(connection, owners.filter_map(|entry| entry.owner.as_deref())).await?;
        summary.warnings.extend(cannot_own(&foreign, &target.standing.user));
    }
    summary.missing_tablespaces = missing.tablespaces.iter().cloned().collect();
    let mut refusal = None;
    if without_statistics {
        summary.warnings.push(statistics_are_left_out(target.standing.version));
        if options.selection.components == Components::Statistics {
            refusal = Some(Refusal {
                message: format!("server {} cannot take the planner's statistics", target.standing.version),
                detail: Some("the functions that set them are there from PostgreSQL 18 on".to_owned()),
                hint: "Run ANALYZE in the target: it makes new ones.",
            });
        }
    }
    if let Some(name) = database.and_then(|id| toc.entry(id)).map(|entry| entry.tag.clone()) {
        let exists = !missing.databases.contains(&name);
        summary.creates_database = true;
        summary.drops_database = options.clean && exists;
        summary.existing_count = 0;
        if exists && !options.clean {
            refusal = Some(Refusal {
                message: format!("database \"{name}\" exists already"),
                detail: None,
                hint: "Restore without --create, or say --clean to drop it first.",
            });
        }
        if exists && name == target.standing.database {
            refusal = Some(Refusal {
                message: format!("database \"{name}\" cannot be dropped while this restore is connected to it"),
                detail: None,
                hint: "Connect to another database, as \"postgres\", for --create with --clean.",
            });
        }
        summary.database = name;
    } else if options.clean {
        let drops = |item: &&Item| entry_of(item).is_some_and(|entry| statement::drop_if_exists(entry).is_some());
        summary.drop_count = items.iter().filter(drops).count() as u64;
    } else if options.selection.components == Components::Data {
        summary.warnings.push("rows are added to those that the tables have".to_owned());
    } else if options.selection.components == Components::Statistics {
        // they are of relations that are there
    } else if options.selection.is_partial() {
        let present: Vec<String> = wanted.relations.difference(&missing.relations).cloned().collect();
        if !present.is_empty() {
            refusal = Some(Refusal {
                message: format!("{} of the selected objects exist in the target", present.len()),
                detail: Some(present.into_iter().take(5).collect::<Vec<_>>().join(", ")),
                hint: "Drop or rename them, or say --clean to drop them first.",
            });
        }
    } else if !options.selection.is_post_data_only() && target.object_count > 0 {
        refusal = Some(refuse_objects(target));
    }
    let mut refusal = refuse_missing(options, &missing).or(refusal);
    if refusal.is_none() && !summary.creates_database {
        refusal = refuse_encoding(toc, &items, target, connection).await?;
    }

    let created: HashSet<i32> = items
        .iter()
        .filter(|item| item.schema)
        .filter_map(entry_of)
        .filter(|entry| entry.kind == "TABLE")
        .map(|entry| entry.dump_id)
        .collect();
    let rows: HashMap<i32, u64> = manifest
        .filter(|_| options.selection.components != Components::Data)
        .map(|manifest| manifest.tables.iter().map(|table| (table.dump_id, table.rows)).collect())
        .unwrap_or_default();
    let shared = Shared {
        target: options.target.clone(),
        role: options.role.clone(),
        leave: options.leave,
        components: options.selection.components,
        disable_triggers: options.disable_triggers,
        row_security: options.row_security,
        is_partial: options.selection.is_partial(),
        rows,
        // what this program writes has it so; others write the source's own
        monetary: manifest.map(monetary),
        truncate: if target.minimal_log { created } else { HashSet::new() },
        has_default_privileges: AtomicBool::new(false),
        privileges: tokio::sync::Mutex::default(),
        bytes: AtomicU64::new(0),
        row_count: AtomicU64::new(0),
        archive,
    };
    Ok((Work::Archive { shared: Arc::new(shared), items, database }, missing, refusal))
}

/// Everything that the entries need to find, and the relations that they create.
fn names(options: &Options, toc: &Toc, items: &[Item], database: Option<i32>) -> Names {
    let quote = Quote::default();
    let mut names = Names { roles: role::needed(toc, items, &options.leave), ..Names::default() };
    for item in items.iter().filter(|item| item.schema) {
        let Some(entry) = toc.entries.get(item.index) else { continue };
        if let Some(tablespace) = entry.tablespace.as_deref().filter(|name| !name.is_empty())
            && !options.leave.tablespaces
        {
            names.tablespaces.insert(tablespace.to_owned());
        }
        match entry.kind.as_str() {
            "EXTENSION" => {
                names.extensions.insert(entry.tag.clone());
            }
            "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "SEQUENCE" | "FOREIGN TABLE" | "INDEX" => {
                names.relations.insert(quote.qualified(entry.schema.as_deref(), &entry.tag));
            }
            _ => {}
        }
    }
    names.databases.extend(database.and_then(|id| toc.entry(id)).map(|entry| entry.tag.clone()));
    names
}

/// What is said where the archive has statistics that an older server cannot take.
pub(super) fn statistics_are_left_out(server: Version) -> String {
    format!("the planner's statistics are left out: server {server} cannot take them; ANALYZE makes new ones")
}

/// What a person calls one of this kind of entry.
fn noun(kind: &str) -> String {
    match kind {
        "FK CONSTRAINT" => "foreign key".to_owned(),
        "ROW SECURITY" => "row security flag".to_owned(),
        "STATISTICS" => "statistics object".to_owned(),
        "statements" => "statement".to_owned(),
        "BLOB METADATA" | "BLOB" => "large object group".to_owned(),
        other => other.to_lowercase(),
    }
}

fn count(summary: &mut Summary, toc: &Toc, items: &[Item], archive: &Archive, manifest: Option<&Manifest>) {
    let counted = |kind: &str| {
        !matches!(
            kind,
            "ACL" | "COMMENT" | "SECURITY LABEL" | "SEQUENCE SET" | "DEFAULT ACL" | "TABLE ATTACH" | "INDEX ATTACH"
        )
    };
    let entries: Vec<(&Item, &Entry)> =
        items.iter().filter_map(|item| toc.entries.get(item.index).map(|entry| (item, entry))).collect();
    for (_, entry) in entries.iter().filter(|(item, entry)| item.schema && counted(&entry.kind)) {
        *summary.created.entry(entry.kind.clone()).or_default() += 1;
    }
    let data: Vec<&Entry> =
        entries.iter().filter(|(item, entry)| item.data && entry.has_data).map(|(_, entry)| *entry).collect();
    summary.table_count = data.iter().filter(|entry| !entry.is_large_objects()).count() as u64;
    let by_manifest = manifest.filter(|_| data.len() == toc.entries.iter().filter(|entry| entry.has_data).count());
    summary.row_count = by_manifest.map(Manifest::row_count);
    summary.byte_count = match by_manifest {
        Some(manifest) => manifest.data_bytes(),
        None => data.iter().filter_map(|entry| archive.stored_bytes(entry)).sum(),
    };
}

async fn plan_script(
    options: &Options,
    work: Work,
    target: &Target,
    connection: &mut Connection,
    summary: &mut Summary,
) -> Result<(Work, Names, Option<Refusal>)> {
    if options.selection != super::Selection::default() {
        return Err(Error::new(ErrorKind::Usage, "a script can only be restored as a whole")
            .hint("Take an archive in the custom or directory format to restore a part."));
    }
    let Work::Script { inlet, algorithm, .. } = &work else {
        return Err(Error::new(ErrorKind::Bug, "an archive is no script"));
    };
    let survey = script::survey(inlet, *algorithm, options).await?;
    let Survey { statement_count, copy_count, byte_count, roles, extensions, creates, drops, cut } = survey;
    summary.warnings.extend(cut.map(|problem| format!("the script is not complete: {problem}")));
    summary.created = BTreeMap::from([("statements".to_owned(), statement_count)]);
    summary.table_count = copy_count;
    summary.byte_count = byte_count;
    summary.jobs = 1;
    let wanted = Names { roles, extensions, databases: creates.iter().cloned().collect(), ..Names::default() };
    let mut missing = read_missing(connection, &wanted).await?;
    // roles that the script itself creates are not known to it as such: only what it cannot do without is listed
    missing.roles.retain(|role| !role.is_empty());
    summary.missing_roles = missing.roles.iter().cloned().collect();
    summary.missing_extensions = missing.extensions.iter().cloned().collect();
    let mut refusal = None;
    if let Some(name) = creates {
        let exists = !missing.databases.contains(&name);
        summary.creates_database = true;
        summary.drops_database = exists && drops;
        summary.existing_count = 0;
        if exists && !(drops && options.clean) {
            refusal = Some(Refusal {
                message: format!("database \"{name}\" exists already"),
                detail: None,
                hint: "Drop it first; with a script that drops it, say --clean.",
            });
        }
        summary.database = name;
    } else if target.object_count > 0 && !options.clean {
        refusal = Some(refuse_objects(target));
    }
    let refusal = refuse_missing(options, &missing).or(refusal);
    Ok((work, missing, refusal))
}

/// The locale in which a backup of ours has amounts of money.
fn monetary(manifest: &Manifest) -> String {
    manifest.source.monetary.clone().unwrap_or_else(|| "C".to_owned())
}
