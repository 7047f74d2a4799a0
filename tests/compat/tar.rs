//! The tar format: what stock pg_dump, pg_restore, psql and GNU tar make of ours, and what ours makes of theirs.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use pgproof::archive::directory::rows_file;
use pgproof::archive::tar::{encode_end, encode_header, padding};
use pgproof::archive::toc::{Container, Created, Data, Entry, Header, Section, Toc};
use pgproof::archive::{Version, toc};
use pgproof::codec::compress::Compression;
use pgproof::error::ErrorKind;
use pgproof::reader::open_path;

use super::restore::assert_equal;
use super::{block_on, open};
use crate::support::bin::db;
use crate::support::pg::{Database, Server, any_server, newest_server, servers, shared_folder};
use crate::support::store::Bucket;

fn text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// The sample, and large objects of three sizes and two owners.
fn source(server: &Server) -> Database {
    let database = server.database();
    database.load_sample("1");
    database.sql(
        "create schema odd; create table odd.\"a \"\"b\" (\"c d\" text, e int); insert into odd.\"a \"\"b\" values (E'\\\\.', 1), (null, 2);
         create table odd.\"two\nlines\" (a int); create table nothing (); create table empty (a text);
         select lo_from_bytea(4711, decode(repeat('00ff41', 700000), 'hex'));
         select lo_create(4712), lo_from_bytea(4000000000, 'x');
         grant select on large object 4712 to public; comment on large object 4711 is 'large';",
    );
    database
}

fn tar(arguments: &[&str]) -> String {
    let output = Command::new("tar").args(arguments).output().expect("GNU tar runs");
    assert!(output.status.success(), "tar {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The members' names, those that are an entry's number without it.
fn names(path: &Path) -> Vec<String> {
    let list = tar(&["-tf", text(path)]);
    let name = |name: &str| match name.starts_with(|first: char| first.is_ascii_digit()) {
        true => "rows".to_owned(),
        false => name.split('_').next().filter(|stem| *stem == "blobs").unwrap_or(name).to_owned(),
    };
    list.lines().map(name).collect()
}

#[test]
fn members_and_headers_are_those_of_pg_dump() {
    let server = newest_server();
    let source = source(&server);
    let folder = shared_folder();
    let [ours, theirs] = ["ours.tar", "theirs.tar"].map(|name| folder.path().join(name));
    server.stdout("pg_dump", &["-Ft", "-d", &source.url(), "-f", text(&theirs)]);
    db(["backup", "-d", &source.url(), "-F", "tar", "-o", text(&ours)]).run().ok();
    assert_eq!(names(&ours), names(&theirs));
    let [mut ours, mut theirs] = [ours, theirs].map(|path| fs::read(path).expect("an archive")[..512].to_vec());
    for header in [&mut ours, &mut theirs] {
        // size, time, checksum
        header[124..156].fill(0);
    }
    assert_eq!(ours, theirs);
}

/// What psql makes of the script in an unpacked archive.
#[test]
fn the_script_restores_the_unpacked_files() {
    for server in servers() {
        let source = source(&server);
        // its name leaves the line, and its rows are left to a person
        source.sql("drop table odd.\"two\nlines\";");
        let folder = shared_folder();
        let archive = folder.path().join("archive.tar");
        let unpacked = folder.path().join("unpacked");
        // psql of 13 is older than \restrict there
        let restrict: &[&str] = if server.major < 15 { &["--no-restrict"] } else { &[] };
        let arguments = ["backup", "-d", &source.url(), "-F", "tar", "-o", text(&archive)];
        db(arguments.iter().chain(restrict)).run().ok();
        fs::create_dir(&unpacked).expect("the shared folder is writable");
        tar(&["-xf", text(&archive), "-C", text(&unpacked)]);
        let copy = source.server.database_with("template template0");
        let go = format!("\\cd {}", text(&unpacked));
        server.stdout("psql", &["-qX", "-v", "ON_ERROR_STOP=1", "-d", &copy.url(), "-c", &go, "-f", "restore.sql"]);
        assert_equal(&source, &copy, &format!("restore.sql of {}", server.major));
    }
}

#[test]
fn a_pipe_gets_what_a_file_gets() {
    let server = any_server();
    let source = source(&server);
    let folder = shared_folder();
    let [file, piped] = ["file.tar", "piped.tar"].map(|name| folder.path().join(name));
    let arguments = ["backup", "-d", &source.url(), "-F", "t", "--restrict-key", "k", "-o"];
    db(arguments.iter().chain(&[text(&file)])).run().ok();
    let output = fs::File::create(&piped).expect("the shared folder is writable");
    let mut command = Command::new(env!("CARGO_BIN_EXE_db"));
    command.args(arguments).arg("-").stdout(output).stderr(Stdio::null());
    assert!(command.status().expect("db runs").success());
    assert_eq!(tar_members(&file), tar_members(&piped));
}

/// Every member's name and bytes as GNU tar sees them, but for the head, which has the time.
fn tar_members(path: &Path) -> Vec<(String, Vec<u8>)> {
    let names = tar(&["-tf", text(path)]);
    let content = |name: &str| {
        let output = Command::new("tar").args(["-xOf", text(path), name]).output().expect("GNU tar runs");
        (name.to_owned(), output.stdout)
    };
    names.lines().filter(|name| *name != "toc.dat").map(content).collect()
}

#[test]
fn a_store_of_any_kind_keeps_verifies_drills_and_restores_a_tar_archive() {
    let server = newest_server();
    let source = source(&server);
    let (bucket, folder) = (Bucket::new(), shared_folder());
    let environment = bucket.environment(None);
    let local = text(folder.path());
    for store in [&bucket.url(), local] {
        let call = |arguments: &[&str]| db(arguments.iter().chain(&["--store", store])).envs(&environment).run();
        call(&["backup", "-d", &source.url(), "-F", "tar"]).ok();
        let shown = call(&["show", "latest"]).ok().stdout;
        assert!(shown.contains("tar, none, read by pg_restore 17 and newer"), "{shown}");
        call(&["verify", "latest"]).ok();
        let copy = server.database_with("template template0");
        call(&["restore", "latest", "-d", &copy.url(), "--confirm", &copy.name, "-j", "3"]).ok();
        assert_equal(&source, &copy, store);
        call(&["drill", "latest", "--on", &server.url("postgres")]).ok();
    }
    let other = shared_folder();
    db(["upload", "latest", "--store", &bucket.url(), "--to", text(other.path())]).envs(&environment).run().ok();
    let verified = db(["verify", "latest", "--store", text(other.path())]).run().ok().stdout;
    assert!(verified.contains("verified"), "{verified}");
    // where it is not read back, only its head is looked at
    let arguments = ["backup", "-d", &source.url(), "-F", "tar", "--no-read-back", "--store", &bucket.url()];
    db(arguments).envs(&environment).run().ok();
}

/// A member of more than 8 GiB, of which only the headers are read.
#[test]
fn a_member_of_more_than_eight_gibibytes_is_found() {
    const SIZE: u64 = (9 << 30) + 7;
    let created = Created::default();
    let header = Header::new(Version::NEWEST, Container::Directory, Compression::None, created).expect("a header");
    let entry = |dump_id| Entry {
        has_data: true,
        copy: Some("COPY t FROM stdin;\n".to_owned()),
        data: Data::File(rows_file(dump_id)),
        ..Entry::new(dump_id, "TABLE DATA", "t", Section::Data)
    };
    let toc = Toc { header, entries: vec![entry(1), entry(2)] };
    let head = toc.encode();
    let folder = shared_folder();
    let path = folder.path().join("huge.tar");
    let file = fs::File::create(&path).expect("the shared folder is writable");
    let mut place = 0;
    let mut member = |name: &str, size: u64, content: &[u8]| {
        file.write_all_at(&encode_header(name, size, 0), place).expect("the file is writable");
        file.write_all_at(content, place + 512).expect("the file is writable");
        place += 512 + size + padding(size) as u64;
    };
    member("toc.dat", head.len() as u64, &head);
    member("1.dat", SIZE, b"");
    member("2.dat", 5, b"\\.\n\n\n");
    let mut end = Vec::new();
    encode_end(&mut end);
    file.write_all_at(&end, place).expect("the file is writable");
    let archive = open(&path);
    let sizes = archive.toc().entries.iter().map(|entry: &toc::Entry| archive.stored_bytes(entry)).collect::<Vec<_>>();
    assert_eq!(sizes, [Some(SIZE), Some(5)]);
    assert!(tar(&["-tvf", text(&path)]).contains(&format!(" {SIZE} ")));
}

#[test]
fn a_packed_directory_and_other_tar_files_are_refused() {
    let folder = shared_folder();
    let inside = folder.path().join("archive");
    fs::create_dir(&inside).expect("the shared folder is writable");
    fs::write(inside.join("toc.dat"), b"PGDMP").expect("the folder is writable");
    for format in ["--format=gnu", "--format=posix", "--format=ustar"] {
        let path = folder.path().join("packed.tar");
        tar(&[format, "-C", text(folder.path()), "-cf", text(&path), "archive"]);
        let error = block_on(open_path(&path)).err().expect("it is refused");
        assert_eq!(error.kind(), ErrorKind::Archive);
        assert!(error.hint_text().is_some_and(|hint| hint.contains("unpack")), "{error}");
    }
}
