//! `db restore`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::backup::{format, restrict_key, stdout};
use super::confirm::confirm;
use super::connection::ConnectionArgs;
use super::context::{Context, Output, Report};
use super::exit::Exit;
use super::options::{LatestArgs, StoreArgs};
use super::selection::SectionName;
use super::target::{self, Target};
use crate::archive::plain;
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Format;
use crate::plan::filter;
use crate::report::{self, human, json, redact};
use crate::restore::{self, Components, Leave, Sections, Selection, Source};

const AFTER: &str = "\
Shows its plan and asks for the target database's name; without a terminal pass
it with --confirm. A database with objects in it is refused unless --clean.
Letters and long names mean what they mean for pg_restore.

Examples:
  db restore latest --store /var/backups/pg -d shop_copy
  db restore shop/20261121 --store s3://backups/prod -d postgres://new-db/shop -j 4
  db restore old.dump -d shop_copy --no-owner --confirm shop_copy";

/// Restore a backup, or an archive or script of pg_dump
#[derive(clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// latest, an id or its beginning, an archive, or a .sql, .sql.gz or .sql.zst file
    #[arg(value_name = "BACKUP", default_value = "latest")]
    source: String,

    /// The backup's database, where the store has several
    #[arg(long, value_name = "NAME")]
    database: Option<String>,

    /// Confirm the restore without a terminal: the target database's name
    #[arg(long, value_name = "DBNAME")]
    confirm: Option<String>,

    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Accepted for pg_restore's sake: an archive says itself what it is
    #[arg(short = 'F', long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,

    #[command(flatten)]
    latest: LatestArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    connection: ConnectionArgs,

    #[command(flatten)]
    text: TextArgs,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    leave: LeaveArgs,
}

/// Text in place of a restore. It needs no server.
#[derive(clap::Args)]
#[command(next_help_heading = "Text options")]
struct TextArgs {
    /// Print the list of the archive's entries, as pg_restore -l does
    #[arg(short = 'l', long, conflicts_with = "confirm")]
    list: bool,

    /// Write the SQL script, or the list, to FILE, as pg_restore -f does; - is standard output
    #[arg(short = 'f', long, value_name = "FILE", conflicts_with_all = ["dbname", "confirm"])]
    file: Option<PathBuf>,

    /// With --file: who switches triggers off
    #[arg(short = 'S', long, value_name = "ROLE")]
    superuser: Option<String>,

    /// With --file: become each owner; a restore gives objects to their owners, which needs no superuser
    #[arg(long)]
    use_set_session_authorization: bool,

    /// With --file: the key of the \restrict lines, letters and digits; a random one by default
    #[arg(long, value_name = "KEY", value_parser = restrict_key)]
    restrict_key: Option<String>,
}

/// How it is done.
#[derive(clap::Args)]
#[command(next_help_heading = "Restore options")]
struct RunArgs {
    /// Work over N connections
    #[arg(short, long, value_name = "N", default_value = "2")]
    jobs: NonZeroUsize,

    /// Drop what is created first, where it exists
    #[arg(short, long)]
    clean: bool,

    /// Accepted for pg_restore's sake: --clean never fails for what is not there
    #[arg(long, requires = "clean")]
    if_exists: bool,

    /// Create the database that the archive names; -d names one to connect to first
    #[arg(short = 'C', long)]
    create: bool,

    /// Make the database that -d names where it does not exist, with the source's encoding and locale
    #[arg(long, conflicts_with = "create")]
    create_target: bool,

    /// Stop at the first failure
    #[arg(short, long)]
    exit_on_error: bool,

    /// All or nothing, over one connection
    #[arg(short = '1', long)]
    single_transaction: bool,

    /// Become this role after connecting
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,

    /// Load rows under row-level security
    #[arg(long)]
    enable_row_security: bool,

    /// Refused: commits would stand between half a restore; --single-transaction is all or nothing
    #[arg(long, value_name = "N")]
    transaction_size: Option<String>,

    /// Accepted for pg_restore's sake: tables that could not be created are never loaded
    #[arg(long)]
    no_data_for_failed_tables: bool,

    /// Create roles that are missing, without the right to log in
    #[arg(long, conflicts_with = "no_owner")]
    create_roles: bool,

    /// Go on although extensions are missing
    #[arg(long)]
    allow_missing_extensions: bool,

    /// Restore what there is of a script that was cut off
    #[arg(long)]
    allow_incomplete: bool,

    /// Restore into the very database that the backup was taken of
    #[arg(long)]
    overwrite_source: bool,

    /// With --data-only: switch triggers off while rows are loaded
    #[arg(long)]
    disable_triggers: bool,

    /// Do not compare files with their checksums first
    #[arg(long)]
    no_checksums: bool,

    /// Do not gather statistics at the end, where the backup brought none
    #[arg(long)]
    no_analyze: bool,
}

/// Which part of it.
#[derive(clap::Args)]
#[command(next_help_heading = "Selection options")]
pub(super) struct SelectionArgs {
    /// Only what lies in this schema
    #[arg(short = 'n', long = "schema", value_name = "NAME")]
    schemas: Vec<String>,

    /// Not what lies in this schema
    #[arg(short = 'N', long = "exclude-schema", value_name = "NAME")]
    exclude_schemas: Vec<String>,

    /// Only this table, view or sequence
    #[arg(short = 't', long = "table", value_name = "NAME")]
    tables: Vec<String>,

    /// Only this index
    #[arg(short = 'I', long = "index", value_name = "NAME")]
    indexes: Vec<String>,

    /// Only this function, with the types of its arguments
    #[arg(short = 'P', long = "function", value_name = "NAME(ARGS)")]
    functions: Vec<String>,

    /// Only this trigger
    #[arg(short = 'T', long = "trigger", value_name = "NAME")]
    triggers: Vec<String>,

    /// Only the entries that FILE lists, in its order (pg_restore --list)
    #[arg(short = 'L', long, value_name = "FILE")]
    use_list: Option<PathBuf>,

    /// Read names from FILE, written as for pg_restore; - is standard input
    #[arg(long = "filter", value_name = "FILE")]
    filters: Vec<PathBuf>,

    /// With --list and --file: fail when a name matches nothing, as a restore always does
    #[arg(long)]
    strict_names: bool,

    /// Rows only
    #[arg(short = 'a', long, conflicts_with = "schema_only")]
    data_only: bool,

    /// Definitions only
    #[arg(short = 's', long)]
    schema_only: bool,

    /// Without rows
    #[arg(long, conflicts_with = "data_only")]
    no_data: bool,

    /// Without definitions
    #[arg(long, conflicts_with = "schema_only")]
    no_schema: bool,

    /// Only these sections: pre-data, data, post-data
    #[arg(long, value_name = "SECTION")]
    section: Vec<SectionName>,

    /// With the planner's statistics where the archive has them, which is the default
    #[arg(long, conflicts_with_all = ["data_only", "schema_only", "no_statistics"])]
    statistics: bool,

    /// Only the planner's statistics
    #[arg(long, conflicts_with_all = ["data_only", "schema_only", "no_statistics"])]
    statistics_only: bool,
}

/// What to leave out.
#[derive(clap::Args)]
#[command(next_help_heading = "Content options")]
pub(super) struct LeaveArgs {
    /// Everything belongs to who restores
    #[arg(short = 'O', long)]
    no_owner: bool,

    /// Without privileges (GRANT, REVOKE)
    #[arg(short = 'x', long, visible_alias = "no-acl")]
    no_privileges: bool,

    /// Without comments
    #[arg(long)]
    no_comments: bool,

    /// Without row-level security policies
    #[arg(long)]
    no_policies: bool,

    /// Without publications
    #[arg(long)]
    no_publications: bool,

    /// Without security labels
    #[arg(long)]
    no_security_labels: bool,

    /// Without subscriptions
    #[arg(long)]
    no_subscriptions: bool,

    /// Everything goes to the default tablespace
    #[arg(long)]
    no_tablespaces: bool,

    /// Tables get the default access method
    #[arg(long)]
    no_table_access_method: bool,

    /// Without the planner's statistics; ANALYZE makes new ones
    #[arg(long)]
    no_statistics: bool,
}

impl SelectionArgs {
    pub(super) fn selection(&self, is_text: bool) -> Result<Selection> {
        let no_rows = self.schema_only || self.no_data;
        let no_definitions = self.data_only || self.no_schema;
        let mut selection = Selection {
            components: match (no_rows, no_definitions, self.statistics_only) {
                (_, _, true) | (true, true, false) => Components::Statistics,
                (true, false, false) => Components::Schema,
                (false, true, false) => Components::Data,
                (false, false, false) => Components::All,
            },
            sections: Sections {
                pre_data: self.section.contains(&SectionName::PreData),
                data: self.section.contains(&SectionName::Data),
                post_data: self.section.contains(&SectionName::PostData),
            },
            schemas: self.schemas.clone(),
            excluded_schemas: self.exclude_schemas.clone(),
            tables: self.tables.clone(),
            indexes: self.indexes.clone(),
            functions: self.functions.clone(),
            triggers: self.triggers.clone(),
            list: self.use_list.as_deref().map(read_list).transpose()?,
            loose_names: is_text && !self.strict_names,
            keeps_statistics: self.no_data || self.no_schema,
        };
        for file in &self.filters {
            add_filters(file, &mut selection)?;
        }
        Ok(selection)
    }
}

impl LeaveArgs {
    pub(super) const fn leave(&self) -> Leave {
        Leave {
            owner: self.no_owner,
            privileges: self.no_privileges,
            comments: self.no_comments,
            policies: self.no_policies,
            publications: self.no_publications,
            security_labels: self.no_security_labels,
            subscriptions: self.no_subscriptions,
            tablespaces: self.no_tablespaces,
            table_access_methods: self.no_table_access_method,
            statistics: self.no_statistics,
        }
    }
}

/// What a line of a filter file names.
#[derive(Clone, Copy)]
enum Named {
    Schema,
    ExcludedSchema,
    Table,
    Index,
    Function,
    Trigger,
}

fn add_filters(file: &Path, selection: &mut Selection) -> Result<()> {
    let name = file.display().to_string();
    let text = if name == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| {
        Error::new(ErrorKind::Usage, format!("could not read filter file \"{name}\"")).caused_by(error)
    })?;
    let lines = filter::parse_with(&text, &name, |includes, kind| match (includes, kind) {
        (true, "schema") => Some(Named::Schema),
        (false, "schema") => Some(Named::ExcludedSchema),
        (true, "table") => Some(Named::Table),
        (true, "index") => Some(Named::Index),
        (true, "function") => Some(Named::Function),
        (true, "trigger") => Some(Named::Trigger),
        _ => None,
    })?;
    for (named, pattern) in lines {
        match named {
            Named::Schema => &mut selection.schemas,
            Named::ExcludedSchema => &mut selection.excluded_schemas,
            Named::Table => &mut selection.tables,
            Named::Index => &mut selection.indexes,
            Named::Function => &mut selection.functions,
            Named::Trigger => &mut selection.triggers,
        }
        .push(pattern);
    }
    Ok(())
}

/// Reads a list as `pg_restore --list` prints it: a number begins a line, a semicolon begins a comment.
fn read_list(path: &Path) -> Result<Vec<i32>> {
    let place = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| {
        Error::new(ErrorKind::Usage, format!("could not read the list \"{place}\"")).caused_by(error)
    })?;
    // names may be in any encoding; only the numbers count
    parse_list(&String::from_utf8_lossy(&text)).map_err(|line| {
        Error::new(ErrorKind::Usage, format!("could not read the list \"{place}\""))
            .detail(format!("line {line} does not begin with the number of an entry"))
            .hint("Write lines as pg_restore --list does; a semicolon begins a comment.")
    })
}

fn parse_list(text: &str) -> Result<Vec<i32>, usize> {
    let mut numbers = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split(';').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let digits = line.split(|character: char| !character.is_ascii_digit()).next().unwrap_or_default();
            numbers.push(digits.parse().map_err(|_| index + 1)?);
        }
    }
    Ok(numbers)
}

/// Writes the list or the script.
async fn print(args: Args, context: &Context) -> Result<Report> {
    let is_data_only = args.selection.data_only || args.selection.no_schema;
    if args.run.clean && args.selection.data_only {
        return Err(Error::new(ErrorKind::Usage, "--clean cannot be combined with --data-only"));
    }
    if args.run.create && args.run.single_transaction {
        return Err(Error::new(ErrorKind::Usage, "--create cannot be combined with --single-transaction"));
    }
    let file = args.text.file.clone().filter(|path| path.as_os_str() != "-");
    if file.is_none() && context.output == Output::Json {
        return Err(Error::new(ErrorKind::Usage, "--output json cannot be written to the text's own stream")
            .hint("Write the text to a file."));
    }
    let print = restore::Print {
        source: source(&args, context).await?,
        check_files: !args.run.no_checksums,
        jobs: args.run.jobs.get(),
        selection: args.selection.selection(true)?,
        leave: args.leave.leave(),
        script: plain::Options {
            database: args.run.create,
            clean: args.run.clean,
            if_exists: args.run.if_exists,
            owners: !args.leave.no_owner,
            tablespaces: !args.leave.no_tablespaces,
            access_methods: !args.leave.no_table_access_method,
            role: args.run.role,
            row_security: args.run.enable_row_security,
            single_transaction: args.run.single_transaction,
            for_older_servers: false,
            rows_in_files: false,
            quote_all: false,
            restrict_key: Some(args.text.restrict_key.unwrap_or_else(plain::restrict_key)),
            disable_triggers: args.run.disable_triggers && is_data_only,
            superuser: args.text.superuser,
            session_authorization: args.text.use_set_session_authorization,
        },
    };
    let sink = context.talk.as_ref();
    let mut out: Box<dyn tokio::io::AsyncWrite + Send + Unpin> = match &file {
        None => Box::new(tokio::io::BufWriter::new(stdout()?)),
        Some(path) => {
            let mut options = tokio::fs::File::options();
            // it holds rows: a new file is its owner's alone
            let opened = options.write(true).create(true).truncate(true).mode(0o600).open(path).await;
            Box::new(tokio::io::BufWriter::new(opened.map_err(|error| {
                Error::new(ErrorKind::Disk, format!("could not write \"{}\"", path.display())).caused_by(error)
            })?))
        }
    };
    match args.text.list {
        true => Box::pin(print.list(&mut out, sink)).await?,
        false => Box::pin(print.script(&mut out, sink)).await?,
    }
    Ok(Report { human: String::new(), json: serde_json::json!({}), exit: Exit::Done })
}

async fn source(args: &Args, context: &Context) -> Result<Source> {
    let choice = target::Choice { text: &args.source, database: args.database.as_deref(), latest: args.latest };
    Ok(match target::find(&choice, &args.store, context).await? {
        Target::Backup { store, backup } => Source::Backup { store, backup },
        Target::File(path) => Source::Path(path),
    })
}

pub(super) async fn run(args: Args, context: &Context) -> Result<Report> {
    if args.run.transaction_size.is_some() {
        return Err(Error::new(ErrorKind::Usage, "--transaction-size is not known here")
            .detail("commits every N entries would leave half a restore behind a failure")
            .hint("Use --single-transaction for all or nothing, or leave it out."));
    }
    if args.text.list || args.text.file.is_some() {
        return print(args, context).await;
    }
    let text_only = [
        ("--superuser", args.text.superuser.is_some()),
        ("--use-set-session-authorization", args.text.use_set_session_authorization),
        ("--restrict-key", args.text.restrict_key.is_some()),
    ];
    if let Some((option, _)) = text_only.iter().find(|(_, given)| *given) {
        return Err(Error::new(ErrorKind::Usage, format!("{option} is for the script that --file writes"))
            .hint("A restore switches triggers off as who is connected, and gives objects to their owners."));
    }
    if args.connection.dbname.is_none() {
        return Err(Error::new(ErrorKind::Usage, "no database to restore into was named")
            .hint("Name it with -d: a restore never goes to a default."));
    }
    let target = args.connection.resolve(None, context).await?;
    let source = source(&args, context).await?;
    let options = restore::Options {
        source,
        target,
        jobs: args.run.jobs,
        selection: args.selection.selection(false)?,
        leave: args.leave.leave(),
        create_database: args.run.create,
        create_target: args.run.create_target,
        clean: args.run.clean,
        exit_on_error: args.run.exit_on_error,
        single_transaction: args.run.single_transaction,
        role: args.run.role,
        disable_triggers: args.run.disable_triggers,
        row_security: args.run.enable_row_security,
        create_roles: args.run.create_roles,
        allow_missing_extensions: args.run.allow_missing_extensions,
        allow_incomplete: args.run.allow_incomplete,
        overwrite_source: args.run.overwrite_source,
        check_files: !args.run.no_checksums,
        analyze: !args.run.no_analyze,
    };
    let plan = restore::plan(options, context.talk.as_ref()).await?;
    let shown = redact::visible(&redact::redact(&plan.to_string())).into_owned();
    if args.dry_run {
        return match plan.refusal() {
            None => Ok(Report { human: shown, json: json::restore_plan(plan.summary()), exit: Exit::Done }),
            Some(refusal) => {
                report::say(&shown);
                Err(refusal)
            }
        };
    }
    report::say(&shown);
    if let Some(refusal) = plan.refusal() {
        return Err(refusal);
    }
    confirm(&plan.summary().database, args.confirm.as_deref()).await?;
    let outcome = plan.execute(context.talk.as_ref()).await?;
    match outcome.error() {
        Some(error) => Err(error),
        None => Ok(Report {
            human: human::restore(&outcome, context.paint),
            json: json::restore(&outcome),
            exit: Exit::Done,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_pg_restore_prints_them() {
        let text = ";\n; Archive created at 2026-11-21\n;\n215; 1259 16390 TABLE public orders shop\n\n;7; gone\n9;\n";
        assert_eq!(parse_list(text), Ok(vec![215, 9]));
        assert_eq!(parse_list("12;\nTABLE orders"), Err(2));
        assert_eq!(parse_list("99999999999;"), Err(1));
    }
}
