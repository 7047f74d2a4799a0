//! What each option of `db backup` does to the backup: whether it leaves something out of it, and whether the manifest tells it.
//!
//! Every option stands here, once. The tests fail for one that does not: whoever adds an option says what it does.

use crate::manifest::Format;

/// What an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Which database is read, as whom.
    Source,
    /// Where the backup goes, and how long older ones stay there.
    Place,
    /// What is printed while it runs.
    Talk,
    /// How it is read and written; what is read and written stays the same.
    Run,
    /// How the archive is written; what a restore of it makes stays the same.
    Form,
    /// The backup holds what it would not hold without it.
    Adds,
    /// Rows, definitions, rights or properties are left out, or may be.
    LeavesOut,
    /// The same of a script. An archive keeps what it says, and its restore decides.
    LeavesOutOfPlain,
    /// Numbers are rounded, up to [`ROUNDED_MAX`].
    Rounds,
    /// What cannot be dumped is left out, and makes the backup a partial one by name.
    LeavesOutByName,
}

use Effect::{Adds, Form, LeavesOut, LeavesOutByName, LeavesOutOfPlain, Place, Rounds, Run, Source, Talk};

/// Up to this value of `--extra-float-digits` numbers are rounded.
const ROUNDED_MAX: i8 = 0;

/// Every option of `db backup` by its long name, or by that of its argument.
const EFFECTS: &[(&str, Effect)] = &[
    ("database", Source),
    ("dbname", Source),
    ("host", Source),
    ("port", Source),
    ("username", Source),
    ("password", Source),
    ("no-password", Source),
    ("store", Place),
    ("file", Place),
    ("s3-endpoint", Place),
    ("s3-region", Place),
    ("s3-profile", Place),
    ("s3-addressing", Place),
    ("s3-checksum", Place),
    ("s3-part-size", Place),
    ("s3-retry-for", Place),
    ("keep-last", Place),
    ("keep-hourly", Place),
    ("keep-daily", Place),
    ("keep-weekly", Place),
    ("keep-monthly", Place),
    ("keep-yearly", Place),
    ("keep-within", Place),
    ("min-good", Place),
    ("time-zone", Place),
    ("config", Talk),
    ("output", Talk),
    ("log", Talk),
    ("progress", Talk),
    ("quiet", Talk),
    ("verbose", Talk),
    ("help", Talk),
    ("jobs", Run),
    ("role", Run),
    ("lock-wait-timeout", Run),
    ("serializable-deferrable", Run),
    ("snapshot", Run),
    ("strict-names", Run),
    ("allow-empty", Run),
    ("accept-clock", Run),
    ("accept-shrink", Run),
    ("volatile", Run),
    ("when-blocking", Run),
    ("blocking-limit", Run),
    ("no-read-back", Run),
    ("format", Form),
    ("compress", Form),
    ("for-pg-restore", Form),
    ("quote-all-identifiers", Form),
    ("load-via-partition-root", Form),
    ("inserts", Form),
    ("column-inserts", Form),
    ("rows-per-insert", Form),
    ("on-conflict-do-nothing", Form),
    ("encoding", Form),
    ("disable-triggers", Form),
    ("superuser", Form),
    ("clean", Form),
    ("if-exists", Form),
    ("create", Form),
    ("no-restrict", Form),
    ("restrict-key", Form),
    ("no-statistics", Form), // they are not there by default, and the server makes them again
    ("include-foreign-data", Adds),
    ("statistics", Adds),
    ("large-objects", Adds),
    ("sequence-data", Adds),
    ("role-passwords", Adds),
    ("schema", LeavesOut),
    ("exclude-schema", LeavesOut),
    ("table", LeavesOut),
    ("table-and-children", LeavesOut),
    ("exclude-table", LeavesOut),
    ("exclude-table-and-children", LeavesOut),
    ("exclude-table-data", LeavesOut),
    ("exclude-table-data-and-children", LeavesOut),
    ("extension", LeavesOut),
    ("exclude-extension", LeavesOut),
    ("filter", LeavesOut),
    ("data-only", LeavesOut),
    ("schema-only", LeavesOut),
    ("no-data", LeavesOut),
    ("no-schema", LeavesOut),
    ("statistics-only", LeavesOut),
    ("section", LeavesOut),
    ("no-large-objects", LeavesOut),
    ("no-unlogged-table-data", LeavesOut),
    ("no-policies", LeavesOut),
    ("no-publications", LeavesOut),
    ("no-subscriptions", LeavesOut),
    ("no-privileges", LeavesOut),
    ("no-comments", LeavesOut),
    ("no-security-labels", LeavesOut),
    ("no-toast-compression", LeavesOut),
    ("enable-row-security", LeavesOut),
    ("no-owner", LeavesOutOfPlain),
    ("no-tablespaces", LeavesOutOfPlain),
    ("no-table-access-method", LeavesOutOfPlain),
    ("extra-float-digits", Rounds),
    ("allow-unsupported", LeavesOutByName),
];

/// What the option of this long name does; `None` for one that nobody has classed.
pub(super) fn of(name: &str) -> Option<Effect> {
    EFFECTS.iter().find(|(known, _)| *known == name).map(|(_, effect)| *effect)
}

/// Whether the manifest tells it: what says nothing about what a backup holds stays out, and what may hold a secret.
pub(super) fn is_told(name: &str) -> bool {
    match of(name) {
        Some(Source | Place | Talk) => false,
        Some(Run | Form | Adds | LeavesOut | LeavesOutOfPlain | Rounds | LeavesOutByName) | None => true,
    }
}

/// Those of the spelled options that leave something out of a backup in this form.
pub(super) fn filters(spelled: &[String], format: Format, float_digits: Option<i8>) -> Vec<String> {
    let name_of = |option: &String| option.trim_start_matches('-').split('=').next().unwrap_or_default().to_owned();
    let has_large_objects = spelled.iter().any(|option| name_of(option) == "large-objects");
    let leaves_out = |option: &&String| {
        match of(&name_of(option)) {
            // -b prevails, as with pg_dump
            Some(LeavesOut) if has_large_objects && name_of(option) == "no-large-objects" => false,
            Some(LeavesOut) => true,
            Some(LeavesOutOfPlain) => format == Format::Plain,
            Some(Rounds) => float_digits.is_some_and(|digits| digits <= ROUNDED_MAX),
            Some(Source | Place | Talk | Run | Form | Adds | LeavesOutByName) => false,
            // what nobody has classed may leave out anything
            None => true,
        }
    };
    spelled.iter().filter(leaves_out).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::parse::grammar;

    /// The long names of the options of `db backup`, and the names of its arguments.
    fn options() -> Vec<String> {
        let grammar = grammar();
        let backup = grammar.find_subcommand("backup").expect("the command is there");
        let name = |argument: &clap::Arg| argument.get_long().unwrap_or(argument.get_id().as_str()).to_owned();
        backup.get_arguments().map(name).collect()
    }

    #[test]
    fn every_option_of_backup_has_one_effect() {
        let options = options();
        assert!(options.len() > 60, "the grammar was read: {options:?}");
        let unknown: Vec<&String> = options.iter().filter(|name| of(name).is_none()).collect();
        assert!(unknown.is_empty(), "what do these do to a backup? Say it in EFFECTS: {unknown:?}");
        let stale: Vec<_> = EFFECTS.iter().filter(|(name, _)| !options.iter().any(|option| option == name)).collect();
        assert!(stale.is_empty(), "no such options of db backup: {stale:?}");
        for (place, (name, _)) in EFFECTS.iter().enumerate() {
            let first = EFFECTS.iter().position(|(known, _)| known == name);
            assert_eq!(first, Some(place), "{name} stands there twice");
        }
    }

    #[test]
    fn what_leaves_something_out_is_a_filter() {
        let all = EFFECTS.iter().map(|(name, _)| format!("--{name}=x"));
        let spelled: Vec<String> = all.filter(|option| option != "--large-objects=x").collect();
        for (format, digits) in [(Format::Plain, Some(0)), (Format::Custom, Some(1)), (Format::Tar, None)] {
            let found = filters(&spelled, format, digits);
            for (name, effect) in EFFECTS {
                let is_filter = match effect {
                    LeavesOut => true,
                    LeavesOutOfPlain => format == Format::Plain,
                    Rounds => digits == Some(0),
                    Source | Place | Talk | Run | Form | Adds | LeavesOutByName => false,
                };
                assert_eq!(found.contains(&format!("--{name}=x")), is_filter, "{name} {format:?}");
            }
        }
        let unknown = ["--no-such-thing".to_owned()];
        assert_eq!(filters(&unknown, Format::Custom, None), unknown, "what is not classed is no whole backup");
    }

    #[test]
    fn options_without_a_value_are_filters_too() {
        let spelled = ["--no-owner".to_owned(), "--no-tablespaces".to_owned(), "--no-table-access-method".to_owned()];
        assert_eq!(filters(&spelled, Format::Plain, None), spelled);
        assert_eq!(filters(&spelled, Format::Custom, None), [""; 0]);
        let both = ["--no-large-objects".to_owned(), "--large-objects".to_owned()];
        assert_eq!(filters(&both, Format::Custom, None), [""; 0], "-b prevails");
    }
}
