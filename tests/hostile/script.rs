//! Scripts.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{NOTHING, dump, is_refused, is_taken, objects, restore, sample};
use crate::support::pg::{any_server, servers, shared_folder};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

/// 4 GiB of one letter behind `begin`, in a few MB: a gzip file may have many members.
fn four_gib(begin: &str, letter: u8) -> Vec<u8> {
    let member = gzip(&vec![letter; 16 << 20]);
    [gzip(begin.as_bytes()), member.repeat(256)].concat()
}

/// A file with one member that is not compressed, as zip writes it; a reader of its end finds the dump's.
fn stored_zip(content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).expect("a small file").to_le_bytes();
    let mut zip = b"PK\x03\x04\x0A\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    zip.extend([size, size].concat());
    zip.extend(b"\x05\0\0\0a.sql");
    zip.extend(content);
    zip
}

/// A script of pg_dump's, without the `\restrict` lines that tell by themselves where it was cut.
fn plain(folder: &Path) -> String {
    let server = any_server();
    let path = folder.join("plain.sql");
    dump(&server, &sample(&server), "plain", &path);
    let text = fs::read_to_string(&path).expect("a script");
    text.lines().filter(|line| !line.contains("restrict ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn scripts_that_are_cut_or_empty_are_refused_before_anything_is_changed() {
    let folder = shared_folder();
    let text = plain(folder.path());
    let target = any_server().database();
    let end = "has no end: \"-- PostgreSQL database dump complete\" is missing";
    let upto = |mark: &str| text[..text.find(mark).expect(mark)].to_owned();
    let behind_data = |text: &str| text[..text.rfind("\\.\n").expect("rows") + 3].to_owned();
    for (name, content, message) in [
        ("empty.sql", String::new(), "ends without a statement"),
        ("comment.sql", "-- nothing here\n\n".to_owned(), "ends without a statement"),
        ("heading.sql", upto("SET "), end),
        ("first.sql", upto("CREATE TABLE"), end),
        ("statements.sql", upto("CREATE TABLE public.b"), end),
        ("data.sql", behind_data(&text), end),
        ("keys.sql", upto("ALTER TABLE ONLY public.a\n"), end),
        ("last.sql", text[..text.trim_end().len() - 30].to_owned(), end),
        ("rows.sql", upto("200\trow"), "ends within COPY data"),
        ("statement.sql", upto("name text"), "ends within a statement"),
        ("two.sql", format!("{}{text}", upto("CREATE INDEX")), end),
        (
            "cluster.sql",
            format!("--\n-- PostgreSQL database cluster dump\n--\n{text}"),
            "\"-- PostgreSQL database cluster dump complete\" is missing",
        ),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, &content).expect("writable");
        is_refused(&path, &target, message);
        let packed = folder.path().join(format!("{name}.gz"));
        fs::write(&packed, gzip(content.as_bytes())).expect("writable");
        is_refused(&packed, &target, message);
    }
    let packed = gzip(text.as_bytes());
    let path = folder.path().join("half.sql.gz");
    fs::write(&path, &packed[..packed.len() / 2]).expect("writable");
    is_refused(&path, &target, "is damaged");
}

#[test]
fn scripts_with_something_else_in_them_are_refused_before_anything_is_changed() {
    let folder = shared_folder();
    let text = plain(folder.path());
    let target = any_server().database();
    let warning = "pg_dump: warning: there are circular foreign-key constraints on this table:\n";
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (name, content, message) in [
        ("front.sql", format!("{warning}{text}").into_bytes(), "\"pg_dump\" begins no SQL statement"),
        (
            "between.sql",
            text.replacen("CREATE INDEX", &format!("{warning}CREATE INDEX"), 1).into_bytes(),
            "begins no SQL statement",
        ),
        (
            "within.sql",
            text.replacen("7\trow 7\n", &format!("7\trow 7\n{warning}"), 1).into_bytes(),
            "a row of 1 values for 2 columns",
        ),
        (
            "values.sql",
            text.replacen("7\trow 7\n", "7\trow 7\tmore\n", 1).into_bytes(),
            "a row of 3 values for 2 columns",
        ),
        ("zero.sql", text.replacen("row 499", "row\0 499", 1).into_bytes(), "a zero byte"),
        ("stored.zip", stored_zip(text.as_bytes()), "is a zip file"),
        ("utf16.sql", utf16, "is UTF-16 text"),
        ("page.sql", format!("<html>{text}").into_bytes(), "\"html\" begins no SQL statement"),
        (
            "command.sql",
            text.replacen("CREATE INDEX", "\\! id\nCREATE INDEX", 1).into_bytes(),
            "psql command \\! is not run",
        ),
        ("packed.sql", b"BZh91AY&SY".to_vec(), "is a bzip2 file"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("writable");
        is_refused(&path, &target, message);
    }
}

#[test]
fn what_is_longer_than_a_server_takes_is_refused_in_little_memory() {
    let folder = shared_folder();
    let target = any_server().database();
    for (name, begin, letter, message) in [
        (
            "statement.sql.gz",
            "CREATE TABLE t (a text);\nINSERT INTO t VALUES ('",
            b'a',
            "a statement of more than 1 GiB",
        ),
        ("name.sql.gz", "CREATE TABLE t (a text);\nDROP TABLE \"", b'a', "a statement of more than 1 GiB"),
        ("dollars.sql.gz", "CREATE TABLE t (a text);\nDO $x$ ", b'\n', "a statement of more than 1 GiB"),
        ("word.sql.gz", "CREATE TABLE t (a text);\nSELECT ", b'a', "a word of more than 1 GiB"),
        ("quote.sql.gz", "CREATE TABLE t (a text);\nDO $", b'a', "a dollar quote of more than 1 GiB"),
        ("row.sql.gz", "CREATE TABLE t (a text);\nCOPY t (a) FROM stdin;\n", b'a', "a row of more than 1 GiB"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, four_gib(begin, letter)).expect("writable");
        is_refused(&path, &target, message);
    }
}

#[test]
fn whoever_insists_gets_what_there_is_of_a_script() {
    let server = any_server();
    let folder = shared_folder();
    let text = plain(folder.path());
    let upto = |mark: &str| text[..text.find(mark).expect(mark)].to_owned();
    let path = folder.path().join("cut.sql");
    for (content, code, rows) in [
        (upto("CREATE INDEX"), 0, "500"),
        (upto("200\trow"), 5, "0"),
        (upto("ALTER TABLE ONLY public.a\n") + "ALTER TABLE", 5, "500"),
    ] {
        let target = server.database();
        fs::write(&path, content).expect("writable");
        let (run, _) = restore(&path, &target, &["--allow-incomplete"]);
        let run = run.expect_code(code);
        assert!(run.stderr.contains("the script is not complete"), "{}", run.transcript());
        assert_eq!(target.sql("select count(*) from a;"), rows, "{}", run.transcript());
    }
    let packed = gzip(text.as_bytes());
    let path = folder.path().join("cut.sql.gz");
    fs::write(&path, &packed[..packed.len() - 200]).expect("writable");
    let target = server.database();
    restore(&path, &target, &["--allow-incomplete"]).0.expect_code(5);
    assert_ne!(objects(&target), NOTHING);
}

#[test]
fn whole_scripts_of_every_major_are_taken_with_a_byte_order_mark_too() {
    let folder = shared_folder();
    for server in servers() {
        let source = sample(&server);
        let path = folder.path().join(format!("{}.sql", server.major));
        dump(&server, &source, "plain", &path);
        is_taken(&path, &server);
        let text = fs::read(&path).expect("a script");
        fs::write(&path, [b"\xEF\xBB\xBF", text.as_slice()].concat()).expect("writable");
        is_taken(&path, &server);
        for option in
            ["--inserts", "--column-inserts", "--schema-only", "--data-only", "--clean", "--verbose", "--section=data"]
        {
            server.stdout("pg_dump", &[option, "-d", &source.url(), "-f", path.to_str().expect("UTF-8")]);
            crate::support::bin::db(["verify", path.to_str().expect("UTF-8")]).run().ok();
        }
    }
}
