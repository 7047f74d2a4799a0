//! Names and texts that have broken out of dumps before (R-01 to R-08), for every kind of object and in every place of a
//! statement: what is restored has the same objects, and nothing else.

use std::fmt::Write as _;
use std::fs;

use super::matrix::check;
use crate::support::bin::db;
use crate::support::pg::{Database, servers, shared_folder};
use crate::support::{repository, unique_name};

const HOSTILE: [&str; 24] = [
    "\"; drop table x; --",
    "'; drop table x; --",
    "\\",
    "\ncreate table pwned();--",
    "\rcreate table pwned();\r",
    "--",
    "/*",
    "*/;",
    "$$",
    "$_$;$body$",
    "\\! touch pwned",
    "\n\\! touch pwned\n",
    "\n\\connect postgres\n",
    "\n\\.\n",
    "\n\\unrestrict x\n",
    "\u{2028}create table pwned();",
    "\u{2029}\u{85}\u{feff}",
    "%s%n%1$I",
    "\t \u{1}\u{1b}[31m",
    ":pwned :'x' :\"y\" ",
    "`touch pwned`",
    "a/b,{\"\\\\\"}",
    "\u{e9}\u{6f22}\u{1f600}",
    " select ",
];

fn quoted(text: &str, mark: char) -> String {
    let doubled = text.replace(mark, &format!("{mark}{mark}"));
    format!("{mark}{doubled}{mark}")
}

/// A role's name: with a line end a backup into a store refuses it (R-08), and roles are seen by all tests.
fn role_name(hostile: &str, roles: &str, word: &str) -> String {
    format!("{}{roles}{word}", hostile.replace(['\n', '\r'], " "))
}

/// The script with the names that a hostile text gives.
fn script(template: &str, hostile: &str, roles: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(place) = rest.find(['<', '[']) {
        let (before, from) = rest.split_at(place);
        let closing = if from.starts_with('<') { '>' } else { ']' };
        let is_word = |text: &&str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == ' ') && !text.starts_with(' ')
        };
        out.push_str(before);
        let Some((word, after)) = from[1..].split_once(closing).filter(|(word, _)| is_word(word)) else {
            out.push_str(&from[..1]);
            rest = &from[1..];
            continue;
        };
        let name = |word: &str| format!("{hostile}{word}{hostile}");
        match (closing, word) {
            ('>', "role" | "reader") => out.push_str(&quoted(&role_name(hostile, roles, word), '"')),
            ('>', _) => out.push_str(&quoted(&name(word), '"')),
            (_, "sequence qualified") => out.push_str(&quoted(&quoted(&name("sequence"), '"'), '\'')),
            (_, "conninfo") => {
                let value = name(word).replace('\\', "\\\\").replace('\'', "\\'");
                out.push_str(&quoted(&format!("dbname=x application_name='{value}'"), '\''));
            }
            (_, "body") => {
                let body = format!("begin {} := {}; end", quoted(&name("result"), '"'), quoted(&name("argument"), '"'));
                out.push_str(&quoted(&body, '\''));
            }
            (_, "select one") => {
                out.push_str(&quoted(&format!("select 1 where {} <> ''", quoted(hostile, '\'')), '\''))
            }
            _ => out.push_str(&quoted(&name(word), '\'')),
        }
        rest = after;
    }
    out + rest
}

/// A database with all of it, and the roles that it made.
fn load(database: &Database, texts: &[&str], roles: &str) -> Vec<String> {
    let template = fs::read_to_string(repository().join("tests/compat/values/names.sql")).expect("the names");
    let mut created = Vec::new();
    for hostile in texts {
        let create = script("create role <role>; create role <reader> in role <role>;", hostile, roles);
        database.sql(&format!("set client_encoding = 'UTF8'; {create}\n{}", script(&template, hostile, roles)));
        created.extend(["role", "reader"].map(|word| role_name(hostile, roles, word)));
    }
    created
}

#[test]
fn hostile_names_restore_as_names_and_as_nothing_else() {
    let mut findings = Vec::new();
    let all = servers();
    for (number, server) in all.iter().enumerate() {
        let source = server.database_with("template template0 encoding 'UTF8'");
        let roles = unique_name("n_");
        // the newest server has all of them, the others share them
        let share = HOSTILE.len().div_ceil(all.len());
        let texts = if number + 1 == all.len() { &HOSTILE[..] } else { &HOSTILE[number * share..][..share] };
        let created = load(&source, texts, &roles);
        let count = check(&source, "hostile names", &mut findings);
        println!("PostgreSQL {}: {count} restored databases compared", server.major);
        let mut drops = String::new();
        for role in created {
            let _ = writeln!(drops, "drop owned by {0} cascade; drop role {0};", quoted(&role, '"'));
        }
        source.sql(&drops);
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn names_that_the_target_cannot_hold_are_refused_before_anything_is_touched() {
    for server in servers() {
        let source = server.database_with("template template0 encoding 'UTF8'");
        source.sql(
            "set client_encoding = 'UTF8'; create table \"na\u{ef}ve\" (a int); insert into \"na\u{ef}ve\" values (1);",
        );
        let folder = shared_folder();
        let path = folder.path().join("archive");
        let archive = path.to_str().expect("UTF-8");
        let restore = || {
            db(["backup", "-d", &source.url(), "-o", archive]).run().ok();
            let copy = server.database_with("template template0 encoding 'LATIN1' locale 'C'");
            let run = db(["restore", archive, "-d", &copy.url(), "--confirm", &copy.name]).run();
            let tables = copy.sql("select count(*) from pg_class where oid >= 16384 and relkind in ('r', 'v');");
            (run, tables)
        };
        let (run, count) = restore();
        run.ok();
        assert_eq!(count, "1");
        source.sql("set client_encoding = 'UTF8'; create view v as select '\u{6f22}' as \"\u{5b57}\";");
        let (run, count) = restore();
        let text = run.expect_code(6).stderr;
        assert!(text.contains("encoding LATIN1 cannot hold 1 of the backup's objects"), "{text}");
        assert!(text.contains("VIEW public.v") && text.contains("ENCODING"), "{text}");
        assert_eq!(count, "0");
    }
}
