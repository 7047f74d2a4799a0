use super::*;
use std::collections::BTreeMap;

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

fn parse(line: &str, variables: &[(&str, &str)]) -> Result<Parsed, String> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse::parse(words(line), |name| variables.get(name).cloned()).map_err(|stop| match stop {
        Stop::Clap(error) => error.to_string(),
        Stop::Failed(error) => error.to_string(),
    })
}

fn first_line(line: &str, variables: &[(&str, &str)]) -> String {
    parse(line, variables).err().unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_grammar_holds_together() {
    parse::grammar().debug_assert();
}

#[test]
fn help_fits_eighty_columns_and_shows_exit_codes() {
    let mut grammar = parse::grammar();
    let help = grammar.render_help().to_string();
    assert!(help.contains("Exit codes:\n    0  done"), "{help}");
    for command in grammar.get_subcommands_mut().filter(|command| command.get_name() != "help") {
        let help = command.render_help().to_string();
        assert!(help.contains("Example"), "{} has no example", command.get_name());
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
        }
    }
}

#[test]
fn a_lone_h_means_help() {
    assert!(first_line("db -h", &[]).starts_with("Back up PostgreSQL databases"));
    assert!(first_line("db --help", &[]).starts_with("Back up PostgreSQL databases"));
    assert!(first_line("db list -?", &[]).starts_with("List the backups of a store"));
}

#[test]
fn what_is_wrong_is_said() {
    for (line, problem) in [
        ("db lsit", "error: unrecognized subcommand 'lsit'"),
        ("db list --stroe x", "error: unexpected argument '--stroe' found"),
        ("db list --output xml", "error: invalid value 'xml' for '--output <FORM>'"),
        ("db list -q -v", "error: the argument '--quiet' cannot be used with '--verbose'"),
        (
            "db status --max-age 26",
            "error: invalid value '26' for '--max-age <DURATION>': expected a duration such as 26h, 1h30m, 90s or 500ms",
        ),
        (
            "db prune --keep-within 30",
            "error: invalid value '30' for '--keep-within <SPAN>': expected years, months, weeks, days or hours such as 30d, 1y6m or 2w12h",
        ),
        ("db prune --keep-daily -1", "error: unexpected argument '-1' found"),
        (
            "db prune --time-zone Mars",
            "error: invalid value 'Mars' for '--time-zone <ZONE>': expected a time zone's name such as UTC or Europe/Zurich",
        ),
        (
            "db list --s3-checksum adler",
            "error: invalid value 'adler' for '--s3-checksum <MODE>': unknown checksum mode \"adler\". The modes are auto, crc32c, sha256, md5 and none.",
        ),
        (
            "db show yesterday",
            "error: invalid value 'yesterday' for '[BACKUP]': expected latest, an id such as 20261121T030000Z-k3f9, or its beginning",
        ),
    ] {
        assert_eq!(first_line(line, &[]), problem, "{line}");
    }
}

#[test]
fn the_environment_fills_in_what_was_not_typed() {
    let store = |line: &str, variables: &[(&str, &str)]| {
        let Command::List(args) = parse(line, variables).ok()?.app.command else { return None };
        args.store_name()
    };
    let variables = [("PGPROOF_STORE", "/variable")];
    assert_eq!(store("db list --store /typed", &variables).as_deref(), Some("/typed"));
    assert_eq!(store("db list", &variables).as_deref(), Some("/variable"));
    assert_eq!(store("db list", &[]), None);
    let bad = parse("db list", &[("PGPROOF_OUTPUT", "xml")]).err().unwrap();
    assert!(
        bad.starts_with("error: environment variable PGPROOF_OUTPUT cannot be used\ndetail: invalid value 'xml'"),
        "{bad}"
    );
}

#[test]
fn a_file_fills_in_what_was_not_typed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pgproof.toml");
    let line = format!("db prune --config {}", path.display());
    let with = |text: &str| {
        std::fs::write(&path, text).unwrap();
        parse(&line, &[])
    };
    let Command::Prune(args) = with("store = \"/b\"\nkeep-daily = 7\n[prune]\nmin_good = 5\n").unwrap().app.command
    else {
        panic!("not prune");
    };
    let policy = args.policy();
    assert_eq!((policy.daily, policy.min_good), (7, 5));
    let place = path.display();
    for (text, problem) in [
        (
            "keep_dialy = 7\n",
            format!(
                "error: configuration file \"{place}\" cannot be used\ndetail: line 1: unknown setting \"keep-dialy\""
            ),
        ),
        (
            "\nkeep_daily = \"many\"\n",
            format!(
                "error: line 2 of configuration file \"{place}\" cannot be used\ndetail: invalid value 'many' for '--keep-daily <N>': invalid digit found in string"
            ),
        ),
        (
            "[prune]\nyes = true\n",
            format!(
                "error: configuration file \"{place}\" cannot be used\ndetail: line 2: unknown setting \"yes\" for command \"prune\""
            ),
        ),
    ] {
        assert_eq!(with(text).err().unwrap(), problem);
    }
}
