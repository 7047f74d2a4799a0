//! Who wins: the command line, then the environment, then the file, then the built-in default.
//!
//! What the environment and the file add is given as further arguments, so that it goes through the same parser and the
//! same checks as what was typed.

use std::collections::BTreeMap;

use super::file::Setting;
use super::{Environment, Settings, Value};
use crate::error::Result;

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is a switch.
    Nothing,
    /// One value.
    One,
    /// It may be repeated.
    Many,
}

/// An option of the command that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its long name without hyphens in front.
    pub name: String,
    /// What it takes.
    pub takes: Takes,
    /// It was typed, or something that stands in its stead was.
    pub given: bool,
}

/// Where an added argument comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This variable.
    Variable(&'static str),
    /// This line of the file.
    Line(usize),
}

/// An option that was not typed, with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Merged {
    /// The option's long name without hyphens in front.
    pub name: String,
    /// Its value; `None` for a switch. May hold a password.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// What the environment and the file add to the arguments of `command`.
///
/// `all` has the long names of every option of every command: a name in the file that no command knows is an error, as is
/// one in a command's table that this command does not know. Fails with [`crate::error::ErrorKind::Config`].
pub fn merge(
    command: &str,
    known: &[Known],
    all: &BTreeMap<String, Vec<String>>,
    environment: &Environment,
    settings: &Settings,
) -> Result<Vec<Merged>> {
    check_names(all, settings)?;
    let own = settings.by_command.get(command);
    let mut merged = Vec::new();
    for option in known.iter().filter(|option| !option.given) {
        if let Some((variable, value)) = environment.get(&option.name) {
            let origin = Origin::Variable(variable);
            merged.push(Merged { name: option.name.clone(), value: Some(value.to_owned()), origin });
        } else if let Some(setting) =
            own.and_then(|own| own.get(&option.name)).or_else(|| settings.general.get(&option.name))
        {
            add(option, setting, settings, &mut merged)?;
        }
    }
    Ok(merged)
}

fn check_names(all: &BTreeMap<String, Vec<String>>, settings: &Settings) -> Result<()> {
    for (name, setting) in &settings.general {
        if !all.values().any(|options| options.contains(name)) {
            return Err(settings.problem(setting.line, &format!("unknown setting \"{name}\"")));
        }
    }
    for (command, of_command) in &settings.by_command {
        let Some(options) = all.get(command) else {
            let line = settings.command_lines.get(command).copied().unwrap_or(1);
            return Err(
                settings.problem(line, &format!("unknown table \"{command}\": tables are named after commands"))
            );
        };
        for (name, setting) in of_command {
            if !options.contains(name) {
                let problem = format!("unknown setting \"{name}\" for command \"{command}\"");
                return Err(settings.problem(setting.line, &problem));
            }
        }
    }
    Ok(())
}

fn add(option: &Known, setting: &Setting, settings: &Settings, merged: &mut Vec<Merged>) -> Result<()> {
    let name = &option.name;
    let mut push = |value: Option<String>| {
        merged.push(Merged { name: name.clone(), value, origin: Origin::Line(setting.line) });
    };
    match (option.takes, &setting.value) {
        (Takes::Nothing, Value::Switch(true)) => push(None),
        (Takes::Nothing, Value::Switch(false)) => {}
        (Takes::One | Takes::Many, Value::One(value)) => push(Some(value.clone())),
        (Takes::Many, Value::Many(values)) => values.iter().for_each(|value| push(Some(value.clone()))),
        (Takes::Nothing, Value::One(_) | Value::Many(_)) => {
            return Err(settings.problem(setting.line, &format!("\"{name}\" is true or false")));
        }
        (Takes::One, Value::Many(_)) => {
            return Err(settings.problem(setting.line, &format!("\"{name}\" takes one value")));
        }
        (Takes::One | Takes::Many, Value::Switch(_)) => {
            return Err(settings.problem(setting.line, &format!("\"{name}\" takes a value, not true or false")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn known(name: &str, takes: Takes, given: bool) -> Known {
        Known { name: name.to_owned(), takes, given }
    }

    fn all() -> BTreeMap<String, Vec<String>> {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        [
            ("backup".to_owned(), names(&["store", "jobs", "no-owner", "exclude-table"])),
            ("list".to_owned(), names(&["store"])),
        ]
        .into()
    }

    fn run(known: &[Known], variables: &[(&str, &str)], file: &str) -> Result<Vec<String>> {
        let environment = Environment::read("backup", |name| {
            variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        });
        let settings = Settings::parse("pgproof.toml", file)?;
        let merged = merge("backup", known, &all(), &environment, &settings)?;
        let shown = |one: Merged| match one.value {
            Some(value) => format!("{}={value} {:?}", one.name, one.origin),
            None => format!("{} {:?}", one.name, one.origin),
        };
        Ok(merged.into_iter().map(shown).collect())
    }

    #[test]
    fn the_command_line_beats_the_environment_beats_the_file() {
        let file = "store = \"/file\"\njobs = 2\n[backup]\njobs = 8\n";
        let variables = [("PGPROOF_STORE", "/variable")];
        let store = |given| known("store", Takes::One, given);
        assert_eq!(run(&[store(true)], &variables, file).unwrap(), Vec::<String>::new());
        assert_eq!(run(&[store(false)], &variables, file).unwrap(), ["store=/variable Variable(\"PGPROOF_STORE\")"]);
        assert_eq!(run(&[store(false)], &[], file).unwrap(), ["store=/file Line(1)"]);
        assert_eq!(run(&[known("jobs", Takes::One, false)], &[], file).unwrap(), ["jobs=8 Line(4)"]);
    }

    #[test]
    fn switches_and_lists_become_arguments() {
        let file = "[backup]\nno_owner = true\nexclude-table = [\"a\", \"b\"]\n";
        let options = [known("no-owner", Takes::Nothing, false), known("exclude-table", Takes::Many, false)];
        assert_eq!(
            run(&options, &[], file).unwrap(),
            ["no-owner Line(2)", "exclude-table=a Line(3)", "exclude-table=b Line(3)"]
        );
        assert_eq!(run(&options, &[], "[backup]\nno-owner = false").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_no_command_knows_is_an_error_with_its_line() {
        let options = [
            known("store", Takes::One, false),
            known("no-owner", Takes::Nothing, false),
            known("jobs", Takes::One, false),
        ];
        for (file, detail) in [
            ("\nstroe = \"x\"", "line 2: unknown setting \"stroe\""),
            ("[backups]\n", "line 1: unknown table \"backups\": tables are named after commands"),
            ("[list]\njobs = 2", "line 2: unknown setting \"jobs\" for command \"list\""),
            ("store = true", "line 1: \"store\" takes a value, not true or false"),
            ("jobs = [1, 2]", "line 1: \"jobs\" takes one value"),
            ("[backup]\nno-owner = \"yes\"", "line 2: \"no-owner\" is true or false"),
        ] {
            let error = run(&options, &[], file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(error.detail_text(), Some(detail));
        }
    }
}
