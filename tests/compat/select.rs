//! `db restore -l` and `-f` print what pg_restore prints, of its archives and of ours, whatever is chosen of them.

use std::fmt::Write as _;
use std::fs;

use super::toc::load_zoo;
use crate::support::bin::db;
use crate::support::pg::{newest_server, shared_folder};

/// The options of both programs.
const CHOICES: &[&[&str]] = &[
    &[],
    &["-s"],
    &["-a"],
    &["-a", "--disable-triggers"],
    &["-a", "--disable-triggers", "-S", "the boss"],
    &["-c"],
    &["-c", "--if-exists"],
    &["-C"],
    &["-C", "-c"],
    &["-C", "-a"],
    &["-1", "-O", "-x"],
    &["-n", "zoo_table"],
    &["-n", "zoo_table", "-n", "zoo_index", "-s"],
    &["-N", "zoo_table", "-N", "public"],
    &["-t", "zoo_thing"],
    &["-t", "plain", "-n", "zoo_table"],
    &["-I", "i1"],
    &["-P", "f(integer)"],
    &["-T", "nothing"],
    &["-t", "t", "-I", "i", "-c"],
    &["--section=pre-data"],
    &["--section=data", "--section=post-data"],
    &["--section=post-data", "-C"],
    &["--no-comments", "--no-security-labels"],
    &["--no-policies", "--no-publications", "--no-subscriptions"],
    &["--no-tablespaces", "--no-table-access-method"],
    &["--no-data"],
    &["--no-schema"],
    &["--no-data", "--no-schema"],
    &["--use-set-session-authorization"],
    &["--use-set-session-authorization", "-c"],
    &["--use-set-session-authorization", "-a", "--disable-triggers"],
    &["--enable-row-security", "--role", "A role"],
    &["--no-data-for-failed-tables"],
];

/// What either program refuses.
const REFUSED: &[&[&str]] = &[
    &["-a", "-s"],
    &["-c", "-a"],
    &["--if-exists"],
    &["-C", "-1"],
    &["--no-data", "-a"],
    &["--no-schema", "-s"],
    &["--section", "nonsense"],
    &["--filter", "/nowhere"],
    &["-L", "/nowhere"],
    &["--strict-names", "-t", "nothing"],
    &["--strict-names", "-n", "nothing"],
    &["--restrict-key", "a b"],
    &["-j", "0"],
];

fn without_keys(text: &str) -> String {
    let keep = |line: &&str| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict ");
    text.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

fn first_difference(ours: &str, theirs: &str) -> String {
    let first = ours.lines().zip(theirs.lines()).enumerate().find(|(_, (one, other))| one != other);
    format!("{} and {} lines, first difference {first:?}", ours.lines().count(), theirs.lines().count())
}

#[test]
fn prints_what_pg_restore_prints() {
    let server = newest_server();
    let database = server.database();
    load_zoo(&database);
    database.sql(
        "create table rows (a int primary key, b text); insert into rows select i, 'x' || i from generate_series(1, 50) i;
         select lo_from_bytea(0, decode(repeat('ab', 40000), 'hex')); comment on database current_database is 'x';"
            .replace("current_database is", &format!("{} is", database.name))
            .as_str(),
    );
    let folder = shared_folder();
    let text = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (ours, theirs, filter, list) = (text("ours"), text("theirs"), text("filter"), text("list"));
    db(["backup", "-d", &database.url(), "-o", &ours]).run().ok();
    server.stdout("pg_dump", &["-Fd", "-d", &database.url(), "-f", &theirs]);
    fs::write(&filter, "include table rows\n# x\ninclude index  i\ninclude schema public\nexclude schema zoo_table\n")
        .expect("writable");
    let chosen_by_filter: &[&str] = &["--filter", &filter];
    let mut report = String::new();
    for archive in [&ours, &theirs] {
        for options in CHOICES.iter().copied().chain([chosen_by_filter]) {
            for output in [&["-l"][..], &["-f", "-"]] {
                let arguments = [options, output, &[archive.as_str()]].concat();
                let stock = server.stdout("pg_restore", &arguments);
                let mine = db([&["restore"], arguments.as_slice()].concat()).run().ok().stdout;
                let (mine, stock) = (without_keys(&mine), without_keys(&stock));
                // pg_restore names the time zone of the machine
                let zone = |text: &str| {
                    text.lines().filter(|line| !line.starts_with("; Archive created at")).collect::<Vec<_>>().join("\n")
                };
                if zone(&mine) != zone(&stock) {
                    let _ = writeln!(report, "{arguments:?}: {}", first_difference(&zone(&mine), &zone(&stock)));
                }
            }
        }
        // the list of either program, with another order, orders the script of both
        let whole = db(["restore", "-l", "-n", "public", archive]).run().ok().stdout;
        let lines: Vec<String> = whole
            .lines()
            .rev()
            .enumerate()
            .map(|(n, line)| if n % 5 == 0 { format!(";{line}") } else { line.to_owned() })
            .collect();
        fs::write(&list, lines.join("\n") + "\n").expect("writable");
        let arguments = ["-L", list.as_str(), "-f", "-", archive];
        let stock = without_keys(&server.stdout("pg_restore", &arguments));
        let mine = without_keys(&db([&["restore"], &arguments[..]].concat()).run().ok().stdout);
        if mine != stock {
            let _ = writeln!(report, "{arguments:?}: {}", first_difference(&mine, &stock));
        }
    }
    assert!(report.is_empty(), "{report}");
    for (format, archive) in [("c", &ours), ("custom", &ours), ("d", &theirs), ("directory", &theirs)] {
        let named = db(["restore", "-F", format, "-l", archive]).run().ok().stdout;
        assert_eq!(named, db(["restore", "-l", archive]).run().ok().stdout, "{format}");
    }
    for options in REFUSED {
        let arguments = [options, &["-f", "/tmp/pgproof-test/refused", ours.as_str()][..]].concat();
        assert!(!server.run("pg_restore", &arguments).status.success(), "pg_restore takes {options:?}");
        let run = db([&["restore"], arguments.as_slice()].concat()).run();
        assert!(matches!(run.code, Some(code) if code != 0), "{}", run.transcript());
    }
    let run = db(["restore", "--transaction-size", "5", "-l", &ours]).run().expect_code(2);
    assert!(run.stderr.contains("--single-transaction"), "{}", run.transcript());
    let stock = database.server.database();
    db(["restore", "-f", &text("script"), &ours]).run().ok();
    server.stdout("psql", &["-qX", "-v", "ON_ERROR_STOP=0", "-d", &stock.url(), "-f", &text("script")]);
    assert_eq!(stock.sql("select count(*), sum(a) from rows;"), "50|1275");
}
