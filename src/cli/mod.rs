//! The command line: one file a command, each from `Args` through the verb's own `Options` to its report.

mod accept;
mod backup;
mod confirm;
mod connection;
mod context;
mod drill;
mod effect;
mod exit;
mod list;
mod options;
mod parse;
mod prune;
mod restore;
mod selection;
mod show;
mod status;
mod target;
mod upload;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use rand::RngExt as _;

use self::context::{Context, Output, Report};
use self::exit::Signal;
use self::options::General;
use self::parse::{Parsed, Stop};
use crate::error::{Error, ErrorKind, Result};
use crate::report::{self, Paint, Talk, Verbosity, json, redact};
use crate::server::Sessions;

/// How long a run that was stopped may take to clean up in its stores.
const CLEAN_UP_MAX: Duration = Duration::from_secs(8);

/// How long a run waits for the end of the statements that it has cancelled.
const SETTLE_MAX: Duration = Duration::from_secs(30);

/// Back up PostgreSQL databases, prove the backups, restore them
#[derive(clap::Parser)]
#[command(
    name = "db",
    version,
    max_term_width = 80,
    disable_help_flag = true,
    subcommand_required = true,
    arg_required_else_help = true,
    subcommand_value_name = "COMMAND"
)]
struct App {
    #[command(flatten)]
    general: General,

    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Backup(Box<backup::Args>),
    Restore(Box<restore::Args>),
    Verify(verify::Args),
    Drill(drill::Args),
    List(list::Args),
    Show(show::Args),
    Prune(prune::Args),
    Upload(upload::Args),
    Status(status::Args),
    Accept(accept::Args),
}

/// Runs the program with this process's arguments and environment.
pub fn main() -> ExitCode {
    let lookup = |name: &str| std::env::var_os(name).and_then(|value| value.into_string().ok());
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        report::say(&format!("error: this program has a defect\ndetail: {place}: {}\n", panic_text(panic.payload())));
    }));
    // the hook has said what happened
    let code = std::panic::catch_unwind(|| run(std::env::args_os().collect(), lookup));
    ExitCode::from(code.unwrap_or(ErrorKind::Bug.exit_code()))
}

fn panic_text(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("panicked")
}

fn run(argv: Vec<OsString>, lookup: impl Fn(&str) -> Option<String>) -> u8 {
    let wants_json = asks_for_json(&argv);
    let run_id = format!("{:016x}", rand::rng().random::<u64>());
    match parse::parse(argv, &lookup) {
        Ok(parsed) => {
            let no_color = lookup("NO_COLOR").is_some_and(|value| !value.is_empty());
            start(parsed, no_color, &run_id)
        }
        Err(Stop::Clap(error)) => {
            let text = redact::redact(&error.render().to_string()).into_owned();
            if error.use_stderr() {
                let problem = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
                report::say(&text);
                let code = ErrorKind::Usage.exit_code();
                if !wants_json {
                    return code;
                }
                let error = Error::new(ErrorKind::Usage, problem);
                deliver(&json::document("", &run_id, code, "error", json::error(&error)), code)
            } else {
                deliver(&text, 0)
            }
        }
        Err(Stop::Failed(error)) => {
            report::say(&format!("{}\n", redact::redact(&error.to_string())));
            let code = error.kind().exit_code();
            if !wants_json {
                return code;
            }
            deliver(&json::document("", &run_id, code, "error", json::error(&error)), code)
        }
    }
}

/// Writes a result and gives the exit code: that of the work, unless the work succeeded and nobody can know.
fn deliver(text: &str, code: u8) -> u8 {
    match report::print(text) {
        Ok(()) => code,
        Err(error) => {
            let error = error.hint(match code {
                0 => "The command itself succeeded.".to_owned(),
                _ => format!("The command itself ended with code {code}."),
            });
            report::say(&format!("{error}\n"));
            if code == 0 { error.kind().exit_code() } else { code }
        }
    }
}

/// Whether JSON was asked for on a command line that cannot be understood as a whole.
fn asks_for_json(argv: &[OsString]) -> bool {
    let pairs = argv.iter().zip(argv.iter().skip(1));
    argv.iter().any(|argument| argument == "--output=json")
        || pairs.into_iter().any(|(name, value)| name == "--output" && value == "json")
}

fn start(parsed: Parsed, no_color: bool, run_id: &str) -> u8 {
    let general = parsed.app.general;
    let verbosity = match (general.quiet, general.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    };
    let paint = Paint::stderr(no_color);
    let talk =
        Arc::new(Talk::new(general.log.into(), verbosity, general.progress.into(), paint, &parsed.command, run_id));
    let context = Context {
        now: Utc::now(),
        talk: Arc::clone(&talk),
        paint: Paint::stdout(no_color),
        output: general.output,
        origins: parsed.origins,
        spelled: parsed.spelled,
        open_file: parsed.open_file,
        opened: Mutex::default(),
        sessions: Sessions::default(),
    };
    let (result, code) = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let ended = runtime.block_on(supervise(&parsed.command, parsed.app.command, &context));
            // a prompt may still wait for a line on stdin
            runtime.shutdown_background();
            ended
        }
        Err(error) => {
            let error = Error::new(ErrorKind::Bug, "could not begin to run").caused_by(error);
            (Err(error), ErrorKind::Bug.exit_code())
        }
    };
    match result {
        Ok(report) => {
            let text = match context.output {
                Output::Human => report.human,
                Output::Json => json::document(&parsed.command, run_id, code, "result", report.json),
            };
            deliver(&text, code)
        }
        Err(error) => {
            talk.error(&error);
            match context.output {
                Output::Human => code,
                Output::Json => {
                    deliver(&json::document(&parsed.command, run_id, code, "error", json::error(&error)), code)
                }
            }
        }
    }
}

/// Runs the command until it ends or a signal stops it.
async fn supervise(name: &str, command: Command, context: &Context) -> (Result<Report>, u8) {
    let mut work = Box::pin(dispatch(command, context));
    let stopped = tokio::select! {
        biased;
        signal = signals() => signal,
        result = &mut work => {
            drop(work);
            let code = match &result {
                Ok(report) => report.exit.code(),
                Err(error) => error.kind().exit_code(),
            };
            let left = if result.is_err() || context.sessions.has_running() { settle(context).await } else { Vec::new() };
            return (result.map_err(|error| with_sessions(error, &left)), code);
        }
    };
    let clean_up = async {
        // as long as they are open: a pooler knows no others
        let cancelling = tokio::time::timeout(CLEAN_UP_MAX, context.sessions.cancel());
        drop(cancelling.await);
        // with the command's future go its connections and open files
        drop(work);
        let stores = std::mem::take(&mut *context.opened.lock().unwrap_or_else(PoisonError::into_inner));
        let abandoning = async {
            for store in stores {
                // what cannot be removed now is swept by a later run
                let _ = store.abandon_open().await;
            }
        };
        tokio::join!(settle(context), tokio::time::timeout(CLEAN_UP_MAX, abandoning)).0
    };
    let left = tokio::select! {
        // a second signal means at once
        _ = signals() => Vec::new(),
        left = clean_up => left,
    };
    (Err(with_sessions(stopped.error(name), &left)), stopped.code())
}

/// Waits for the end of what this run has left running on servers; returns what goes on all the same.
async fn settle(context: &Context) -> Vec<String> {
    context.sessions.settle(SETTLE_MAX).await
}

fn with_sessions(error: Error, left: &[String]) -> Error {
    if left.is_empty() {
        return error;
    }
    error.more_detail(&format!("could not end what was running on {}", left.join("; ")))
}

/// Waits for a signal that asks the program to end; forever where signals cannot be listened for.
async fn signals() -> Signal {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Signal::Interrupt,
        _ = terminate.recv() => Signal::Terminate,
        _ = hang_up.recv() => Signal::HangUp,
    }
}

async fn dispatch(command: Command, context: &Context) -> Result<Report> {
    match command {
        Command::Backup(args) => backup::run(*args, context).await,
        Command::Restore(args) => restore::run(*args, context).await,
        Command::List(args) => list::run(args, context).await,
        Command::Show(args) => show::run(args, context).await,
        Command::Status(args) => status::run(args, context).await,
        Command::Drill(args) => drill::run(args, context).await,
        Command::Verify(args) => verify::run(args, context).await,
        Command::Prune(args) => prune::run(args, context).await,
        Command::Upload(args) => upload::run(args, context).await,
        Command::Accept(args) => accept::run(args, context).await,
    }
}

#[cfg(test)]
mod tests;
