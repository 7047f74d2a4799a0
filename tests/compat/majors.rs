//! From one major to another: what older programs wrote, and databases that move up from server to server.

use std::path::Path;

use super::matrix::{Picture, stock_errors};
use super::restore::{corpora, corpus_name, load_corpus, load_roles};
use super::values;
use crate::support::bin::db;
use crate::support::pg::{Database, Server, all_servers, newest_server, servers, shared_folder};
use crate::support::repository;

/// Each form in which pg_dump of a major writes.
fn forms(major: u32) -> Vec<[&'static str; 2]> {
    let mut forms = vec![["-Ft", "-Z0"]];
    for format in ["-Fc", "-Fd", "-Fp"] {
        forms.extend([[format, "-Z0"], [format, "-Z6"]]);
        if major >= 16 {
            forms.extend([[format, "-Zlz4"], [format, "-Zzstd:1"]]);
        }
    }
    forms
}

fn restore(path: &Path, database: &Database) -> Option<String> {
    let arguments = ["restore", path.to_str().expect("UTF-8"), "-d", &database.url(), "--confirm", &database.name];
    let run = db(arguments).run();
    (run.code != Some(0)).then(|| run.transcript())
}

#[test]
fn what_every_pg_dump_writes_restores_as_by_its_own_pg_restore() {
    let mut findings = Vec::new();
    let mut count = 0;
    for server in servers() {
        let source = values::database(&server);
        let expected = Picture::of(&source);
        for form in forms(server.major) {
            let what = format!("pg_dump {} {}", server.major, form.join(" "));
            let folder = shared_folder();
            let path = folder.path().join("archive");
            let text = path.to_str().expect("UTF-8");
            server.stdout("pg_dump", &[form[0], form[1], "-d", &source.url(), "-f", text]);
            let (ours, theirs) = (server.database(), server.database());
            findings.extend(restore(&path, &ours).map(|transcript| format!("{what}: {transcript}")));
            // psql reads no compressed script
            let stock = if form[0] == "-Fp" && form[1] != "-Z0" {
                None
            } else {
                let errors = stock_errors(&server, &theirs, &path, form[0] == "-Fp");
                findings.extend(errors.into_iter().map(|line| format!("{what}: {line}")));
                Some(Picture::of(&theirs))
            };
            let found = Picture::of(&ours);
            let difference = stock.as_ref().unwrap_or(&expected).difference(&found).or(expected.difference(&found));
            findings.extend(difference.map(|difference| format!("{what}: {difference}")));
            count += 1;
        }
    }
    assert!(findings.is_empty(), "of {count} archives:\n{}", findings.join("\n"));
}

fn only_folder(of: &Path) -> std::path::PathBuf {
    std::fs::read_dir(of).expect("a folder").flatten().map(|file| file.path()).find(|path| path.is_dir()).expect("one")
}

/// In a store, where what was written is read back before it is published.
#[test]
fn backups_for_older_programs_are_good_and_those_programs_read_them() {
    let source = values::database(&newest_server());
    let readers = servers();
    for major in ["13", "14", "15", "16", "17"] {
        for format in ["custom", "directory", "tar", "plain"] {
            let folder = shared_folder();
            let store = folder.path().to_str().expect("UTF-8");
            let compression = if format == "tar" { "none" } else { "gzip" };
            let form = ["-F", format, "-Z", compression, "--for-pg-restore", major];
            db(["backup", "-d", &source.url(), "--store", store].iter().chain(&form)).run().ok();
            db(["verify", "latest", "--store", store]).run().ok();
            let reader = readers.iter().find(|server| server.major.to_string() == major);
            if let (Some(reader), false) = (reader, format == "plain") {
                let backup = only_folder(&folder.path().join(&source.name));
                let files = std::fs::read_dir(&backup).expect("a backup").flatten().map(|file| file.path());
                let archive =
                    files.filter_map(|path| path.to_str().map(str::to_owned)).find(|path| path.contains("/archive"));
                let list = reader.stdout("pg_restore", &["-l", &archive.expect("an archive")]);
                assert!(list.contains("TABLE DATA"), "{major} {format}: {list}");
            }
        }
    }
}

fn empty(server: &Server) -> Database {
    server.database_with("template template0 encoding 'UTF8'")
}

/// The roles that the sample asks for, which a new server does not have.
fn make_sample_roles(server: &Server) {
    let schema = repository().join("tests/sample/schema.sql");
    server.database().sql(&std::fs::read_to_string(schema).expect("the sample's schema"));
}

/// Up from server to server, by us and by the stock programs.
fn climb(source: Database, name: &str, findings: &mut Vec<String>) {
    let newest = newest_server();
    let rows = source.rows();
    let first = source.server.major;
    let (mut ours, mut theirs) = (source, None::<Database>);
    for server in all_servers().into_iter().filter(|server| server.major > first) {
        let what = format!("{name} from {} to {}", ours.server.major, server.major);
        let folder = shared_folder();
        let [our_path, their_path] = ["ours", "theirs"].map(|name| folder.path().join(name));
        let from = theirs.as_ref().unwrap_or(&ours);
        newest.stdout("pg_dump", &["-Fc", "-d", &from.url(), "-f", their_path.to_str().expect("UTF-8")]);
        db(["backup", "-d", &ours.url(), "-o", our_path.to_str().expect("UTF-8")]).run().ok();
        let (our_next, their_next) = (empty(&server), empty(&server));
        let stock_failures = stock_errors(&newest, &their_next, &their_path, false);
        if let Some(transcript) = restore(&our_path, &our_next)
            && stock_failures.is_empty()
        {
            findings.push(format!("{what}: {transcript}"));
        }
        // a counter of a patched server, which no other takes back: the stock programs lose the table with it
        let is_patched = stock_failures.iter().any(|failure| failure.contains("pg_attver"));
        if !is_patched {
            let difference = Picture::of(&their_next).difference(&Picture::of(&our_next));
            findings.extend(difference.map(|difference| format!("{what}: {difference}")));
        }
        if (stock_failures.is_empty() || is_patched) && our_next.rows() != rows {
            findings.push(format!("{what}: rows are lost"));
        }
        ours = our_next;
        theirs = Some(their_next).filter(|_| !is_patched);
    }
}

#[test]
fn databases_move_up_from_major_to_major_as_by_the_stock_programs() {
    let mut findings = Vec::new();
    // asked for the sake of the notes: another round has others
    let _ = servers();
    let oldest = all_servers().remove(0);
    let sample = oldest.database();
    sample.load_sample("1");
    all_servers().iter().for_each(make_sample_roles);
    climb(sample, "the sample", &mut findings);
    climb(values::database(&oldest), "the values", &mut findings);
    for server in all_servers() {
        load_roles(&server);
    }
    for path in corpora(oldest.major) {
        climb(load_corpus(&oldest, &path), &corpus_name(&path), &mut findings);
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn a_newer_archive_restores_on_an_older_server_or_names_what_stands_against_it() {
    let newest = newest_server();
    let source = newest.database();
    source.load_sample("1");
    let rows = source.rows();
    let folder = shared_folder();
    let path = folder.path().join("archive");
    let archive = path.to_str().expect("UTF-8");
    for server in servers().into_iter().filter(|server| server.major < newest.major) {
        make_sample_roles(&server);
        source.sql("drop table if exists newer;");
        db(["backup", "-d", &source.url(), "-o", archive]).run().ok();
        let copy = empty(&server);
        assert_eq!(restore(&path, &copy), None, "to {}", server.major);
        assert_eq!(copy.rows(), rows, "to {}", server.major);
        source.sql(
            "create table newer (a int, b int generated always as (a + 1) virtual); insert into newer values (1);",
        );
        db(["backup", "-d", &source.url(), "-o", archive]).run().ok();
        let copy = empty(&server);
        let transcript = restore(&path, &copy).expect("a server before 18 knows no virtual columns");
        assert!(transcript.contains("TABLE public.newer") && transcript.contains("[exit 5]"), "{transcript}");
        assert_eq!(copy.rows(), rows, "what it knows is there: {}", server.major);
    }
}
