//! `db verify`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::connection::resolve_url;
use super::context::{Context, Report};
use super::exit::Exit;
use super::options::StoreArgs;
use super::target::{self, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::report::{human, json};
use crate::shelf;
use crate::store::Store;
use crate::verify::{self, Level, Verdict, Wishes};

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

    #[command(flatten)]
    store: StoreArgs,
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
    let wishes = match &args.expect {
        Some(path) => read_wishes(path)?,
        None => Wishes::default(),
    };
    let target = match target::find(&args.target, args.database.as_deref(), &args.store, context).await? {
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
    let outcome = verify::run(&options, context.talk.as_ref()).await?;
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

async fn previous(store: &dyn Store, backup: &shelf::Backup) -> Result<Option<Box<shelf::Backup>>> {
    let mut backups = shelf::read(store, Some(&backup.database)).await?;
    // the newest good one before it
    backups.retain(|other| other.id < backup.id && other.manifest().is_some_and(crate::manifest::Manifest::is_good));
    Ok(backups.pop().map(Box::new))
}

fn read_wishes(path: &std::path::Path) -> Result<Wishes> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Error::new(ErrorKind::Config, format!("could not read expectations from \"{place}\"")).caused_by(error)
    })?;
    Wishes::parse(&place, &text)
}
