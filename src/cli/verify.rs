//! `db verify`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::connection::resolve_url;
use super::context::{Context, Report};
use super::exit::Exit;
use super::options::{LatestArgs, StoreArgs};
use super::restore::{LeaveArgs, SelectionArgs};
use super::target::{self, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Message, Sink as _};
use crate::report::{human, json};
use crate::shelf;
use crate::store::Store;
use crate::verify::{self, Against, Level, Restoration, Verdict, Wishes};

const AFTER: &str = "\
Levels, each with those before it: files (present, size, SHA-256), archive
(every entry and block decoded), rows (count and digest of each table), expectations
(tables, policies, indexes, constraints; volume). Ends with 0 when everything
was checked and is right, with 4 when something is wrong, and with 5 when
something that was asked for could not be checked.

Examples:
  db verify --store /var/backups/pg
  db verify shop/20261121 --store s3://backups/prod --require-table public.orders
  db verify latest --store /var/backups/pg --against postgres://db/shop
  db verify latest --store /var/backups/pg --against postgres://db/shop --no-owner
  db verify old.dump";

/// Prove a backup, or compare a live database with one
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// latest, an id or its beginning, or an archive that pg_dump or db made
    #[arg(value_name = "BACKUP", default_value = "latest")]
    target: String,

    /// The backup's database, where the store has several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// How deep to look; by default as deep as possible
    #[arg(long, value_name = "LEVEL")]
    level: Option<LevelName>,

    /// Compare this live database with the backup: a name or a URL
    #[arg(long, value_name = "URL")]
    against: Option<String>,

    /// Fail unless this table is in the backup
    #[arg(long = "require-table", value_name = "SCHEMA.TABLE")]
    required_tables: Vec<String>,

    /// Read further expectations from FILE (verify.toml)
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,

    /// Read with N workers
    #[arg(short, long, value_name = "N", default_value = "2")]
    jobs: NonZeroUsize,

    /// Do not write the evidence to the store
    #[arg(long)]
    no_proof: bool,

    #[command(flatten)]
    latest: LatestArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    restored: RestoredArgs,
}

/// The options of the restore whose outcome is compared, or that a drill makes.
#[derive(clap::Args)]
pub(super) struct RestoredArgs {
    /// Who restores: with --no-owner everything is this role's
    #[arg(long, value_name = "ROLE", help_heading = "Restore options")]
    role: Option<String>,

    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    leave: LeaveArgs,
}

impl RestoredArgs {
    pub(super) fn restored(&self) -> Result<Restoration> {
        let (selection, leave) = (self.selection.selection(false)?, self.leave.leave());
        Ok(Restoration { selection, leave, role: self.role.clone() })
    }
}

/// [`Level`] on the command line.
#[derive(Clone, Copy, clap::ValueEnum)]
enum LevelName {
    Files,
    Archive,
    Rows,
    Expectations,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Files => Self::Files,
            LevelName::Archive => Self::Archive,
            LevelName::Rows => Self::Rows,
            LevelName::Expectations => Self::Expectations,
        }
    }
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    let against = args.against.as_deref().map(|url| resolve_url("against", url, context)).transpose()?;
    let restored = args.restored.restored()?;
    if against.is_none() && restored != Restoration::default() {
        return Err(Error::new(ErrorKind::Usage, "options of a restore need --against")
            .hint("They say how the database was restored that is compared."));
    }
    let against = against.map(|target| Against { target, restored });
    let wishes = match &args.expect {
        Some(path) => read_wishes(path)?,
        None => Wishes::default(),
    };
    let choice = target::Choice { text: &args.target, database: args.database.as_deref(), latest: args.latest };
    let target = match target::find(&choice, &args.store, context).await? {
        Target::File(path) => verify::Target::Path(path),
        Target::Backup { store, backup } => {
            let previous = previous(store.as_ref(), &backup).await?;
            verify::Target::Backup { store, backup, previous }
        }
    };
    let options = verify::Options {
        target,
        level: args.level.map(Level::from),
        required_tables: args.required_tables,
        wishes,
        against,
        jobs: args.jobs.get(),
    };
    let begun = std::time::Instant::now();
    let outcome = verify::run(&options, context.talk.as_ref()).await?;
    if let (verify::Target::Backup { store, backup, .. }, false) = (&options.target, args.no_proof) {
        let finished = context.now + begun.elapsed();
        let proof = verify::Proof::new(backup, &outcome, context.now, finished);
        // what was found stands, whether or not it can be written down
        match proof.publish(store.as_ref(), backup).await {
            Ok(key) => context.talk.event(Event::Note(Message::new(format!("evidence: {key}")))),
            Err(error) => {
                let detail = error.detail_text().map_or_else(String::new, |detail| format!(": {detail}"));
                let text = format!("the evidence could not be written: {}{detail}", error.message());
                let hint =
                    "list, status and prune do not learn of this check; use credentials that may write, or --no-proof.";
                context.talk.event(Event::Warning(Message::with_hint(text, hint)));
            }
        }
    }
    Ok(Report {
        human: human::verify(&outcome, context.paint),
        json: json::verify(&outcome),
        exit: exit(outcome.verdict()),
    })
}

pub(super) const fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Passed => Exit::Done,
        Verdict::Damaged | Verdict::Differs | Verdict::Unmet => Exit::Findings,
        Verdict::Incomplete => Exit::Partial,
    }
}

/// The good backup before this one that holds the same part of the database, to compare the volume with. A backup whose
/// shrinking was accepted is not compared.
async fn previous(store: &dyn Store, backup: &shelf::Backup) -> Result<Option<Box<shelf::Backup>>> {
    let Some(manifest) = backup.manifest() else { return Ok(None) };
    if manifest.accepts_shrink() || !backup.evidence.acceptances.is_empty() {
        return Ok(None);
    }
    let is_alike = |other: &shelf::Backup| {
        other.condition().counts(true) && other.summary().is_some_and(|other| other.filters == manifest.filters)
    };
    Ok(shelf::newest_before(store, &backup.database, Some(backup), is_alike).await?.map(Box::new))
}

fn read_wishes(path: &std::path::Path) -> Result<Wishes> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::new(ErrorKind::Config, format!("could not read expectations from \"{place}\"")).caused_by(error)
    })?;
    Wishes::parse(&place, &text)
}
