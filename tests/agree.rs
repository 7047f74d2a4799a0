//! What a run says as text, as JSON and by its exit code is one thing, for every verb and every way that it ends.

use serde_json::Value;

use crate::support::bin::{Run, db};
use crate::support::pg::{Database, any_server};

/// One call, and how it must end: exit code, words of its text, values of its JSON.
struct Case<'a> {
    about: &'a str,
    args: Vec<&'a str>,
    code: i32,
    words: &'a [&'a str],
    values: &'a [(&'a str, &'a str)],
}

/// Rust's own way to write values, which no person should meet.
const RUST: [&str; 8] = ["Some(", "None)", ": None", "Ok(", "Err(", "Kind::", "{ ", "String("];

fn check_text(about: &str, run: &Run, problems: &mut Vec<String>) {
    let text = format!("{}{}", run.stdout, run.stderr);
    for word in RUST.iter().filter(|word| text.contains(*word)) {
        problems.push(format!("{about}: the text has \"{word}\":\n{}", run.transcript()));
    }
}

fn check(case: &Case<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    let about = case.about;
    let human = db(&case.args).run();
    check_text(about, &human, &mut problems);
    let text = format!("{}{}", human.stdout, human.stderr);
    if human.code != Some(case.code) || !case.words.iter().all(|word| text.contains(word)) {
        problems.push(format!("{about}: expected {} with {:?}:\n{}", case.code, case.words, human.transcript()));
    }
    let run = db(case.args.iter().copied().chain(["--output", "json"])).run();
    let Ok(value) = serde_json::from_str::<Value>(&run.stdout) else {
        problems.push(format!("{about}: no JSON:\n{}", run.transcript()));
        return problems;
    };
    if run.code != human.code || value["exit_code"] != case.code {
        problems.push(format!("{about}: text and JSON end differently, {:?}:\n{}", human.code, run.transcript()));
    }
    // an error has the same words in both forms
    if let Some(message) = value["error"]["message"].as_str()
        && !text.contains(message)
    {
        problems.push(format!("{about}: \"{message}\" is not what the text says:\n{}", human.transcript()));
    }
    for (pointer, expected) in case.values {
        let found = value.pointer(pointer).map(|found| found.as_str().map_or_else(|| found.to_string(), str::to_owned));
        if found.as_deref() != Some(*expected) {
            problems.push(format!("{about}: {pointer} is {found:?}, expected {expected}:\n{}", run.transcript()));
        }
    }
    problems
}

fn flip_a_byte(store: &std::path::Path) {
    let mut folders = vec![store.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the store") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "archive.dump") {
                let mut bytes = std::fs::read(&path).expect("the archive");
                let middle = bytes.len() - 20;
                bytes[middle] ^= 1;
                std::fs::write(&path, bytes).expect("the archive can be written");
            }
        }
    }
}

fn broken() -> Database {
    let database = any_server().database();
    database.sql(
        "create table t (id int); create function f() returns int language sql as 'select 1';
         set allow_system_table_mods = on; update pg_proc set prolang = 4711 where proname = 'f';",
    );
    database
}

#[test]
fn text_json_and_exit_code_say_the_same() {
    let server = any_server();
    let database = server.database();
    database.sql(
        "create table orders (id int primary key, note text default 'none'); insert into orders values (1, 'a');
         create table other (id int); alter table orders enable row level security;
         create policy own on orders for select using (id > 0);",
    );
    let changed = server.database_with(&format!("template {}", database.name));
    changed.sql(
        "drop policy own on orders; alter table orders alter note drop default, alter note set not null;
         alter table other owner to pg_monitor; create table late (id int);",
    );
    let (empty, broken) = (server.database(), broken());
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (store, scratch, damaged, nowhere) = (path("good"), path("scratch"), path("damaged"), path("nowhere"));
    let (url, changed_url, empty_url, broken_url) = (database.url(), changed.url(), empty.url(), broken.url());
    let (server_url, missing_url) = (server.url("postgres"), server.url("no_such_database_here"));
    for store in [&store, &damaged] {
        db(["backup", "-d", &url, "--store", store]).run().ok();
    }
    flip_a_byte(std::path::Path::new(&damaged));
    let wishes = path("verify.toml");
    std::fs::write(&wishes, "[[table]]\nname = \"public.orders\"\nmin_rows = 100\nrow_security = false\n")
        .expect("a file");
    std::fs::create_dir(&nowhere).expect("a folder");

    let cases = [
        Case {
            about: "a backup",
            args: vec!["backup", "-d", &url, "--store", &scratch],
            code: 0,
            words: &["backup"],
            values: &[("/result/good", "true")],
        },
        Case {
            about: "a filtered backup",
            args: vec!["backup", "-d", &url, "--store", &scratch, "-T", "other"],
            code: 0,
            words: &[],
            values: &[("/result/good", "false"), ("/result/filters/0", "--exclude-table=other")],
        },
        Case {
            about: "a plain backup without owners",
            args: vec!["backup", "-d", &url, "--store", &scratch, "-F", "plain", "-O"],
            code: 0,
            words: &[],
            values: &[("/result/good", "false"), ("/result/filters/0", "--no-owner")],
        },
        Case {
            about: "an archive without owners is whole",
            args: vec!["backup", "-d", &url, "--store", &scratch, "-O"],
            code: 0,
            words: &[],
            values: &[("/result/good", "true"), ("/result/filters", "[]")],
        },
        Case {
            about: "a backup of nothing",
            args: vec!["backup", "-d", &empty_url, "--store", &scratch],
            code: 5,
            words: &["suspect"],
            values: &[("/result/state", "suspect"), ("/result/good", "false")],
        },
        Case {
            about: "a catalog that contradicts itself",
            args: vec!["backup", "-d", &broken_url, "--store", &scratch],
            code: 6,
            words: &["pg_language 4711"],
            values: &[("/error/kind", "refused")],
        },
        Case {
            about: "the rest of it",
            args: vec!["backup", "-d", &broken_url, "--store", &scratch, "--allow-unsupported"],
            code: 5,
            words: &["partial"],
            values: &[("/result/state", "partial"), ("/result/good", "false")],
        },
        Case {
            about: "no database",
            args: vec!["backup", "-d", &missing_url, "--store", &scratch],
            code: 18,
            words: &["does not exist"],
            values: &[("/error/kind", "no_database")],
        },
        Case {
            about: "no store",
            args: vec!["list"],
            code: 2,
            words: &["no store was named"],
            values: &[("/error/kind", "usage")],
        },
        Case {
            about: "a list",
            args: vec!["list", "--store", &store],
            code: 0,
            words: &["good"],
            values: &[("/result/backups/0/state", "good")],
        },
        Case {
            about: "one backup",
            args: vec!["show", "latest", "--store", &store],
            code: 0,
            words: &["good"],
            values: &[("/result/good", "true")],
        },
        Case {
            about: "nothing to show",
            args: vec!["show", "latest", "--store", &nowhere],
            code: 2,
            words: &["no backup in"],
            values: &[("/error/kind", "usage")],
        },
        Case {
            about: "a fresh store",
            args: vec!["status", "--store", &store, "--max-age", "26h"],
            code: 0,
            words: &["fine"],
            values: &[("/result/databases/0/verdict", "fine")],
        },
        Case {
            about: "an empty store",
            args: vec!["status", "--store", &nowhere, "--max-age", "26h"],
            code: 4,
            words: &["MISSING"],
            values: &[("/result/databases/0/verdict", "missing")],
        },
        Case {
            about: "a plan of retention",
            args: vec!["prune", "--store", &store, "--keep-last", "1"],
            code: 0,
            words: &["nothing to delete"],
            values: &[("/result/dry_run", "true"), ("/result/decisions/0/action", "keep")],
        },
        Case {
            about: "a whole backup",
            args: vec!["verify", "latest", "--store", &store],
            code: 0,
            words: &["verified"],
            values: &[("/result/verdict", "passed")],
        },
        Case {
            about: "a damaged backup",
            // once that is written down, it is not the latest any more
            args: vec!["verify", "latest", "--store", &damaged, "--no-proof"],
            code: 4,
            words: &["damaged:"],
            values: &[("/result/verdict", "damaged")],
        },
        Case {
            about: "a table that is wished for",
            args: vec!["verify", "latest", "--store", &store, "--require-table", "public.users"],
            code: 4,
            words: &["no damage, but"],
            values: &[("/result/verdict", "unmet"), ("/result/findings/0/wished", "true")],
        },
        Case {
            about: "wishes of a file",
            args: vec!["verify", "latest", "--store", &store, "--expect", &wishes],
            code: 4,
            words: &["no damage, but", "at least 100"],
            values: &[("/result/verdict", "unmet")],
        },
        Case {
            about: "the source itself",
            args: vec!["verify", "latest", "--store", &store, "--against", &url],
            code: 0,
            words: &["verified"],
            values: &[("/result/verdict", "passed")],
        },
        Case {
            about: "a database that differs",
            args: vec!["verify", "latest", "--store", &store, "--against", &changed_url],
            code: 4,
            words: &["the live database differs"],
            values: &[("/result/verdict", "differs"), ("/result/findings/0/wished", "false")],
        },
        Case {
            about: "wishes are no damage to the list",
            args: vec!["list", "--store", &store],
            code: 0,
            words: &["good"],
            values: &[("/result/backups/0/state", "good")],
        },
        Case {
            about: "a plan of a restore",
            args: vec!["restore", "latest", "--store", &store, "-d", &empty_url, "--dry-run"],
            code: 0,
            words: &[],
            values: &[("/result/dry_run", "true")],
        },
        Case {
            about: "a drill",
            args: vec!["drill", "latest", "--store", &store, "--on", &server_url, "--no-proof"],
            code: 0,
            words: &["PASSED"],
            values: &[("/result/verdict", "passed")],
        },
        Case {
            about: "a drill of a damaged backup",
            args: vec!["drill", "latest", "--store", &damaged, "--on", &server_url, "--no-proof"],
            code: 4,
            words: &["FAILED", "is damaged"],
            values: &[("/result/verdict", "failed")],
        },
    ];
    let problems: Vec<String> = cases.iter().flat_map(check).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
