//! The environment variables that stand for options.

use std::collections::BTreeMap;

/// The commands for which a variable stands for an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    Backup,
}

/// Which long option a variable stands for. `PG*` variables are not here: they belong to the connection, whose own rules
/// place them.
const VARIABLES: [(&str, &str, Scope); 7] = [
    ("PGPROOF_STORE", "store", Scope::All),
    ("PGPROOF_OUTPUT", "output", Scope::All),
    ("PGPROOF_LOG", "log", Scope::All),
    ("PGPROOF_PROGRESS", "progress", Scope::All),
    ("PGPROOF_S3_ENDPOINT", "s3-endpoint", Scope::All),
    ("PGPROOF_JOBS", "jobs", Scope::All),
    // only as a source: what a variable names is never written to
    ("DATABASE_URL", "dbname", Scope::Backup),
];

/// The variables of one run that stand for options, by option.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<&'static str, (&'static str, String)>);

impl Environment {
    /// Takes what `lookup` finds for this command. A variable that is empty counts as unset, as it does for libpq.
    pub fn read(command: &str, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let found = VARIABLES.iter().filter_map(|&(variable, option, scope)| {
            if scope == Scope::Backup && command != "backup" {
                return None;
            }
            let value = lookup(variable).filter(|value| !value.is_empty())?;
            Some((option, (variable, value)))
        });
        Self(found.collect())
    }

    /// The variable's name and its value.
    pub fn get(&self, option: &str) -> Option<(&'static str, &str)> {
        self.0.get(option).map(|(variable, value)| (*variable, value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_variables_count_as_unset() {
        let environment = Environment::read("backup", |name| match name {
            "PGPROOF_STORE" => Some("/backups".to_owned()),
            "DATABASE_URL" => Some(String::new()),
            _ => None,
        });
        assert_eq!(environment.get("store"), Some(("PGPROOF_STORE", "/backups")));
        assert_eq!(environment.get("dbname"), None);
    }

    #[test]
    fn the_source_is_never_taken_for_a_target() {
        let lookup = |name: &str| (name == "DATABASE_URL").then(|| "postgres://prod/shop".to_owned());
        assert!(Environment::read("backup", lookup).get("dbname").is_some());
        assert!(Environment::read("restore", lookup).get("dbname").is_none());
    }
}
