//! `pgproof.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::error::{Error, ErrorKind, Result};

/// What an option is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A switch.
    Switch(bool),
    /// Text or a number, as text.
    One(String),
    /// Several of them.
    Many(Vec<String>),
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) line: usize,
}

/// The settings of a file: for all commands, and by command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub(super) place: String,
    pub(super) general: BTreeMap<String, Setting>,
    pub(super) by_command: BTreeMap<String, BTreeMap<String, Setting>>,
    pub(super) command_lines: BTreeMap<String, usize>,
}

fn bad(place: &str, line: usize, problem: &str) -> Error {
    Error::new(ErrorKind::Config, format!("configuration file \"{place}\" cannot be used"))
        .detail(format!("line {line}: {problem}"))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Long options are spelled with hyphens; the file may use underscores.
fn option_name(key: &str) -> String {
    key.replace('_', "-")
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn value_of(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::Boolean(on) => Some(Value::Switch(*on)),
        DeValue::Array(items) => {
            items.iter().map(|item| scalar(item.get_ref())).collect::<Option<_>>().map(Value::Many)
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) => scalar(value).map(Value::One),
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

impl Settings {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let place = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::Config, format!("could not read configuration file \"{place}\"")).caused_by(error)
        })?;
        Self::parse(&place, &text)
    }

    /// Reads a file's text; `place` names it in errors. Errors name the line and never repeat its text, which may hold a
    /// password.
    pub fn parse(place: &str, text: &str) -> Result<Self> {
        let table = DeTable::parse(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            bad(place, line_of(text, offset), error.message().trim())
        })?;
        let mut settings = Self { place: place.to_owned(), ..Self::default() };
        for (key, value) in table.get_ref() {
            let line = line_of(text, key.span().start);
            let name = option_name(key.get_ref());
            if let DeValue::Table(inner) = value.get_ref() {
                let mut of_command = BTreeMap::new();
                for (key, value) in inner {
                    let line = line_of(text, key.span().start);
                    let setting = setting(place, line, key.get_ref(), value.get_ref())?;
                    of_command.insert(option_name(key.get_ref()), setting);
                }
                settings.command_lines.insert(name.clone(), line);
                settings.by_command.insert(name, of_command);
            } else {
                settings.general.insert(name, setting(place, line, key.get_ref(), value.get_ref())?);
            }
        }
        Ok(settings)
    }

    /// The file's name; empty when there is none.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn problem(&self, line: usize, problem: &str) -> Error {
        bad(&self.place, line, problem)
    }
}

fn setting(place: &str, line: usize, key: &str, value: &DeValue<'_>) -> Result<Setting> {
    match value_of(value) {
        Some(value) => Ok(Setting { value, line }),
        None => Err(bad(place, line, &format!("\"{key}\" needs text, a number, true, false, or a list of texts"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_settings_for_all_commands_and_for_one() {
        let settings = Settings::parse(
            "pgproof.toml",
            "store = \"s3://b/p\"\njobs = 4\n\n[backup]\nexclude_table = [\"a.*\", \"b\"]\nno-owner = true\n",
        )
        .unwrap();
        assert_eq!(settings.general["jobs"], Setting { value: Value::One("4".to_owned()), line: 2 });
        let backup = &settings.by_command["backup"];
        assert_eq!(backup["exclude-table"].value, Value::Many(vec!["a.*".to_owned(), "b".to_owned()]));
        assert_eq!(backup["exclude-table"].line, 5);
        assert_eq!(backup["no-owner"].value, Value::Switch(true));
    }

    #[test]
    fn errors_name_the_line_and_keep_the_text_to_themselves() {
        for (text, detail) in [
            ("store = \"x\"\ndbname = \"postgres://u:sesame@h/d\n", "line 2: "),
            ("a = 1\na = 2\n", "line 2: duplicate key"),
            ("[backup]\nx = {y = 1}\n", "line 2: \"x\" needs text, a number, true, false, or a list of texts"),
            ("since = 2026-11-21\n", "line 1: \"since\" needs text"),
        ] {
            let error = Settings::parse("pgproof.toml", text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.detail_text().unwrap().starts_with(detail), "{error}");
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Settings::read(Path::new("/nonexistent/pgproof.toml")).unwrap_err();
        assert_eq!(error.message(), "could not read configuration file \"/nonexistent/pgproof.toml\"");
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
