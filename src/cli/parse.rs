//! From the command line, the environment and the file to the arguments of one command.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, CommandFactory as _, FromArgMatches as _};

use super::{App, effect, exit};
use crate::config::{Environment, Known, Merged, Origin, Settings, Takes, merge};
use crate::error::{Error, ErrorKind, Result};

/// The file that is read when none is named.
const FILE: &str = "pgproof.toml";

/// Options that have to be typed.
const TYPED_ONLY: [&str; 5] = ["help", "version", "config", "yes", "confirm"];

/// What was asked for.
pub(super) struct Parsed {
    pub(super) app: App,
    pub(super) command: String,
    pub(super) origins: BTreeMap<String, Origin>,
    /// What was typed or set, as it could be typed again, as far as it says what a backup holds.
    pub(super) spelled: Vec<String>,
    /// The configuration file, where others than its owner can read it.
    pub(super) open_file: Option<PathBuf>,
}

/// Why no command runs.
pub(super) enum Stop {
    /// Help or the version was asked for, or clap cannot understand what was typed.
    Clap(clap::Error),
    /// The environment or the file cannot be used.
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The command line's grammar.
pub(super) fn grammar() -> clap::Command {
    let mut grammar = App::command().after_help(exit::table());
    grammar.build();
    grammar
}

/// Reads arguments, then what the environment and the file add to them.
pub(super) fn parse(argv: Vec<OsString>, lookup: impl Fn(&str) -> Option<String>) -> Result<Parsed, Stop> {
    let argv = help_for_a_lone_h(argv);
    let grammar = grammar();
    let typed = grammar.clone().try_get_matches_from(&argv).map_err(Stop::Clap)?;
    let Some((command, matches)) = typed.subcommand() else {
        return Err(Error::new(ErrorKind::Usage, "no command was named").hint("Look at: db --help").into());
    };
    let file = config_file(matches, &lookup)?;
    let settings = match &file {
        Some(path) => Settings::read(path)?,
        None => Settings::default(),
    };
    let environment = Environment::read(command, &lookup);
    let merged = merge(command, &known(&grammar, command, matches), &all(&grammar), &environment, &settings)?;
    let origins = merged.iter().map(|one| (one.name.clone(), one.origin.clone())).collect();
    let complete = grammar
        .clone()
        .try_get_matches_from(with_merged(argv, &merged))
        .map_err(|error| in_setting(&error, &merged, &settings))?;
    let spelled = complete.subcommand().map(|(_, matches)| spelled(&grammar, command, matches)).unwrap_or_default();
    let app = App::from_arg_matches(&complete).map_err(Stop::Clap)?;
    let open_file = file.filter(|path| is_open(path));
    Ok(Parsed { app, command: command.to_owned(), origins, spelled, open_file })
}

/// `-h` is the host, as in pg_dump; alone it can only be a cry for help.
fn help_for_a_lone_h(mut argv: Vec<OsString>) -> Vec<OsString> {
    if let [_, only] = argv.as_mut_slice()
        && only == "-h"
    {
        *only = "--help".into();
    }
    argv
}

fn config_file(matches: &ArgMatches, lookup: &impl Fn(&str) -> Option<String>) -> Result<Option<PathBuf>> {
    if let Some(path) = matches.get_one::<PathBuf>("config") {
        return Ok(Some(path.clone()));
    }
    if let Some(path) = lookup("PGPROOF_CONFIG").filter(|path| !path.is_empty()) {
        return Ok(Some(path.into()));
    }
    let path = Path::new(FILE);
    if !path.exists() {
        return Ok(None);
    }
    check_owner(path)?;
    Ok(Some(path.to_owned()))
}

/// A file that merely lies in the current folder is believed only when it is the user's own or root's: in /tmp anybody
/// could redirect backups with one.
fn check_owner(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = path.metadata().map(|metadata| metadata.uid()).unwrap_or(u32::MAX);
    if owner == 0 || owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, format!("configuration file \"{}\" belongs to somebody else", path.display()))
        .detail(format!("its owner is user {owner}"))
        .hint("Name it with --config if it is meant."))
}

fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o044 != 0)
}

fn long_names(command: &clap::Command) -> impl Iterator<Item = (&clap::Arg, &str)> {
    command
        .get_arguments()
        .filter_map(|argument| argument.get_long().map(|name| (argument, name)))
        .filter(|(_, name)| !TYPED_ONLY.contains(name))
}

fn spelled(grammar: &clap::Command, command: &str, matches: &ArgMatches) -> Vec<String> {
    let Some(command) = grammar.find_subcommand(command) else { return Vec::new() };
    let mut spelled = Vec::new();
    for (argument, name) in long_names(command).filter(|(_, name)| effect::is_told(name)) {
        if matches.value_source(argument.get_id().as_str()) != Some(ValueSource::CommandLine) {
            continue;
        }
        if !argument.get_action().takes_values() {
            spelled.push(format!("--{name}"));
            continue;
        }
        let values = matches.get_raw(argument.get_id().as_str()).into_iter().flatten();
        spelled.extend(values.map(|value| format!("--{name}={}", value.to_string_lossy())));
    }
    spelled
}

fn known(grammar: &clap::Command, command: &str, matches: &ArgMatches) -> Vec<Known> {
    let Some(command) = grammar.find_subcommand(command) else { return Vec::new() };
    let given = |argument: &clap::Arg| {
        matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine)
            // what conflicts with something that was typed is not wanted either
            || command.get_arg_conflicts_with(argument).iter().any(|other| {
                matches.value_source(other.get_id().as_str()) == Some(ValueSource::CommandLine)
            })
    };
    let takes = |argument: &clap::Arg| {
        let action = argument.get_action();
        match (action.takes_values(), matches!(action, ArgAction::Append)) {
            (true, true) => Takes::Many,
            (true, false) => Takes::One,
            (false, _) => Takes::Nothing,
        }
    };
    long_names(command)
        .map(|(argument, name)| Known { name: name.to_owned(), takes: takes(argument), given: given(argument) })
        .collect()
}

fn all(grammar: &clap::Command) -> BTreeMap<String, Vec<String>> {
    grammar
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
        .map(|command| {
            let names = long_names(command).map(|(_, name)| name.to_owned()).collect();
            (command.get_name().to_owned(), names)
        })
        .collect()
}

fn with_merged(mut argv: Vec<OsString>, merged: &[Merged]) -> Vec<OsString> {
    let end = argv.iter().position(|argument| argument == "--").unwrap_or(argv.len());
    let added = merged.iter().map(|one| match &one.value {
        Some(value) => OsString::from(format!("--{}={value}", one.name)),
        None => OsString::from(format!("--{}", one.name)),
    });
    argv.splice(end..end, added.collect::<Vec<_>>());
    argv
}

/// Says which variable or line a value that clap refuses came from. What was typed passed before.
fn in_setting(error: &clap::Error, merged: &[Merged], settings: &Settings) -> Stop {
    let text = error.to_string();
    let problem = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let culprit = merged
        .iter()
        .find(|one| problem.contains(&format!("'--{}'", one.name)) || problem.contains(&format!("'--{} ", one.name)));
    let place = match culprit.map(|one| &one.origin) {
        Some(Origin::Variable(name)) => format!("environment variable {name} cannot be used"),
        Some(Origin::Line(line)) => {
            format!("line {line} of configuration file \"{}\" cannot be used", settings.place())
        }
        None => "the settings cannot be used".to_owned(),
    };
    Stop::Failed(Error::new(ErrorKind::Config, place).detail(problem))
}
