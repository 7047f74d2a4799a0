//! The archive formats alone: what pg_dump wrote is read to its last byte, and what we write is what pg_restore reads.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use pgproof::archive::custom::{
    BlockKind, encode_block_begin, encode_large_object_begin, encode_large_objects_end, encode_piece, encode_stream_end,
};
use pgproof::archive::directory::{encode_large_object_line, large_object_file, rows_file};
use pgproof::archive::toc::{Container, Data, Toc};
use pgproof::archive::{Version, copy_text};
use pgproof::codec::compress::{Compression, Shape, compress};
use pgproof::codec::digest::RowDigest;
use pgproof::error::{Error, ErrorKind};
use pgproof::reader::{Archive, Opened, Part, open_path};

use pgproof::verify::{Options, Outcome, Target, Verdict, Wishes};

use super::{block_on, open};
use crate::support::bin::db;
use crate::support::pg::{Database, Server, all_servers, newest_server, servers, shared_folder};

/// An archive's data by dump id: rows as one stream, or large objects.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Rows(Vec<u8>),
    LargeObjects(Vec<(u32, Vec<u8>)>),
}

fn contents(archive: &Archive) -> BTreeMap<i32, Content> {
    block_on(async {
        let mut contents = BTreeMap::new();
        for entry in archive.toc().entries.iter().filter(|entry| entry.data != Data::None) {
            let mut data = archive.data(entry).await.expect("the data is there");
            let mut rows = Vec::new();
            let mut objects: Vec<(u32, Vec<u8>)> = Vec::new();
            while let Some(part) = data.next().await.unwrap_or_else(|error| panic!("entry {}: {error}", entry.dump_id))
            {
                match part {
                    Part::LargeObject { oid } => objects.push((oid, Vec::new())),
                    Part::Data(bytes) => match objects.last_mut() {
                        Some((_, content)) => content.extend_from_slice(&bytes),
                        None => rows.extend_from_slice(&bytes),
                    },
                    Part::LargeObjectEnd => {}
                }
            }
            let content = if entry.is_large_objects() { Content::LargeObjects(objects) } else { Content::Rows(rows) };
            contents.insert(entry.dump_id, content);
        }
        contents
    })
}

fn verify(path: &Path) -> Outcome {
    let options = Options {
        target: Target::Path(path.to_owned()),
        level: None,
        required_tables: Vec::new(),
        wishes: Wishes::default(),
        against: None,
        jobs: 2,
    };
    block_on(pgproof::verify::run(&options, &pgproof::event::Silent)).expect("it can be looked at")
}

/// Writes the same archive with another compression, and another version where that has the same fields.
fn write_custom(
    path: &Path,
    source: &Toc,
    contents: &BTreeMap<i32, Content>,
    version: Version,
    compression: Compression,
) {
    let mut toc = source.clone();
    let header = pgproof::archive::toc::Header::new(version, Container::Custom, compression, toc.header.created)
        .expect("the version knows the compression");
    toc.header = pgproof::archive::toc::Header {
        database: toc.header.database.clone(),
        server_version: toc.header.server_version.clone(),
        dump_version: toc.header.dump_version.clone(),
        ..header
    };
    for entry in &mut toc.entries {
        if contents.contains_key(&entry.dump_id) {
            entry.data = Data::Unknown;
        }
    }
    let head_bytes = toc.encode().len();
    let mut data = BytesMut::new();
    for entry in &mut toc.entries {
        let pack = |bytes: &[u8]| compress(compression, Shape::Block, bytes).expect("it compresses");
        let Some(content) = contents.get(&entry.dump_id) else { continue };
        entry.data = Data::At((head_bytes + data.len()) as u64);
        match content {
            Content::Rows(rows) => {
                encode_block_begin(BlockKind::Rows, entry.dump_id, &mut data);
                encode_piece(&pack(rows), &mut data);
                encode_stream_end(&mut data);
            }
            Content::LargeObjects(objects) => {
                encode_block_begin(BlockKind::LargeObjects, entry.dump_id, &mut data);
                for (oid, content) in objects {
                    encode_large_object_begin(*oid, &mut data);
                    encode_piece(&pack(content), &mut data);
                    encode_stream_end(&mut data);
                }
                encode_large_objects_end(&mut data);
            }
        }
    }
    let mut bytes = toc.encode();
    assert_eq!(bytes.len(), head_bytes, "offsets change no length");
    bytes.extend_from_slice(&data);
    fs::write(path, bytes).expect("the shared folder is writable");
}

fn write_directory(folder: &Path, source: &Toc, contents: &BTreeMap<i32, Content>, compression: Compression) {
    let mut toc = source.clone();
    toc.header.container = Container::Directory;
    toc.header.compression = compression.algorithm();
    let suffix = compression.algorithm().suffix();
    fs::create_dir(folder).expect("the shared folder is writable");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("the folder is writable");
    let pack = |bytes: &[u8]| compress(compression, Shape::File, bytes).expect("it compresses");
    for entry in &mut toc.entries {
        entry.data = match contents.get(&entry.dump_id) {
            None => Data::None,
            Some(Content::Rows(rows)) => {
                let name = rows_file(entry.dump_id);
                write(&format!("{name}{suffix}"), &pack(rows));
                Data::File(name)
            }
            Some(Content::LargeObjects(objects)) => {
                let name = pgproof::archive::directory::large_object_list_file(toc.header.version, entry.dump_id);
                let mut list = Vec::new();
                for (oid, content) in objects {
                    encode_large_object_line(*oid, &mut list);
                    write(&format!("{}{suffix}", large_object_file(*oid)), &pack(content));
                }
                write(&name, &list);
                Data::File(name)
            }
        };
    }
    write("toc.dat", &toc.encode());
}

/// Rows with everything that COPY text escapes, an empty table, large objects of which one is empty, a number above 2^31.
fn database(server: &Server) -> Database {
    let database = server.database();
    database.sql(
        "create table words (id integer primary key, word text);
         insert into words select i, repeat(chr(97 + i % 26), i % 50) || E'\\\\ \\t\\n.' from generate_series(1, 5000) i;
         insert into words values (0, null), (-1, ''), (-2, E'\\\\.');
         create table nothing ();
         create table empty (a text);
         create view longer as select word from words where length(word) > 10;
         select lo_from_bytea(4711, decode(repeat('00ff41', 50000), 'hex'));
         select lo_create(4712), lo_from_bytea(4000000000, 'x');
         comment on large object 4712 is 'empty';",
    );
    database
}

fn path_text(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

fn dump(database: &Database, arguments: &[&str], path: &Path) {
    let url = database.url();
    let arguments: Vec<&str> = arguments.iter().copied().chain(["-d", &url, "-f", path_text(path)]).collect();
    database.server.stdout("pg_dump", &arguments);
    // the server's programs may run as another user
    assert!(path.exists(), "{} was not written", path.display());
}

/// `pg_restore -f -` without the lines with a random key.
fn script(server: &Server, path: &Path) -> String {
    let text = server.stdout("pg_restore", &["-f", "-", path_text(path)]);
    text.lines()
        .filter(|line| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict "))
        .collect::<Vec<_>>()
        .join("\n")
}

fn compressions(major: u32) -> &'static [&'static str] {
    if major >= 16 { &["none", "gzip:1", "lz4", "zstd:3"] } else { &["0", "1"] }
}

#[test]
fn every_archive_of_pg_dump_is_read_to_its_end() {
    for server in servers() {
        let database = database(&server);
        let folder = shared_folder();
        let mut seen = None;
        for compression in compressions(server.major) {
            for format in ["c", "d", "t"] {
                if format == "t" && !["none", "0"].contains(compression) {
                    continue;
                }
                let path = folder.path().join(format!("{format}-{compression}"));
                dump(&database, &["-F", format, "-Z", compression], &path);
                let archive = open(&path);
                let head = if format == "d" { fs::read(path.join("toc.dat")) } else { fs::read(&path) };
                let head = head.expect("a file").split_off(if format == "t" { 512 } else { 0 });
                let encoded = archive.toc().encode();
                assert!(head.starts_with(&encoded), "PostgreSQL {}, {compression}: the head differs", server.major);
                let contents = contents(&archive);
                check(&archive, &contents);
                // the same database: the same data whatever the form
                let seen = seen.get_or_insert_with(|| contents.clone());
                assert_eq!(*seen, contents, "PostgreSQL {}, {format}, {compression}", server.major);
            }
        }
    }
}

fn check(archive: &Archive, contents: &BTreeMap<i32, Content>) {
    let mut row_counts = BTreeMap::new();
    let mut object_count = 0;
    for entry in &archive.toc().entries {
        match contents.get(&entry.dump_id) {
            None => {}
            Some(Content::LargeObjects(objects)) => object_count += objects.len(),
            Some(Content::Rows(data)) => {
                let mut digest = RowDigest::new();
                let mut text = copy_text::CopyText::new();
                let result = text.push(data, |rows| {
                    digest.push(rows);
                    Ok(())
                });
                result.map_err(|error: pgproof::archive::FormatError| error.to_string()).expect("COPY text");
                text.finish().expect("the end mark");
                row_counts.insert(entry.tag.as_str(), digest.finish().expect("whole rows").row_count);
            }
        }
    }
    assert_eq!(row_counts, BTreeMap::from([("words", 5003), ("nothing", 0), ("empty", 0)]));
    assert_eq!(object_count, 3);
}

#[test]
fn offsets_that_pg_dump_could_not_write_are_found() {
    for server in servers() {
        let database = database(&server);
        let folder = shared_folder();
        let [seekable, piped, redirected] = ["seekable", "piped", "redirected"].map(|name| folder.path().join(name));
        dump(&database, &["-F", "c"], &seekable);
        let arguments = ["-F", "c", "-d", &database.url()];
        let output = server.run("pg_dump", &arguments);
        assert!(output.status.success());
        fs::write(&piped, output.stdout).expect("the shared folder is writable");
        // as in `pg_dump -Fc shop > shop.dump`: 16 and newer then write a second table of contents behind the data
        server.run_into("pg_dump", &arguments, &redirected);

        for (path, is_unknown) in [(piped, true), (redirected, server.major >= 16)] {
            let what = format!("PostgreSQL {}, {}", server.major, path.display());
            let mut archive = open(&path);
            assert_eq!(archive.toc().has_unknown_places(), is_unknown, "{what}");
            block_on(archive.locate()).expect("the blocks are found");
            assert_eq!(contents(&archive), contents(&open(&seekable)), "{what}");
            let outcome = verify(&path);
            assert_eq!(outcome.verdict(), Verdict::Passed, "{what}: {outcome:?}");
        }
    }
}

#[test]
fn pg_restore_reads_what_we_write() {
    let all = all_servers();
    for server in &servers() {
        let database = database(server);
        let folder = shared_folder();
        let original = folder.path().join("original");
        dump(&database, &["-F", "c"], &original);
        let archive = open(&original);
        let (toc, contents) = (archive.toc(), contents(&archive));
        let mut written = Vec::new();
        let version = toc.header.version;
        for compression in ["none", "gzip:9", "lz4:3", "zstd:3", "zstd:level=1,long"] {
            let compression: Compression = compression.parse().expect("a compression");
            let needs_new = matches!(compression, Compression::Lz4 { .. } | Compression::Zstd { .. });
            // 1.14 and 1.15 differ in the header only
            let (version, reader) = match (version, needs_new) {
                (Version::V1_14, true) => (Version::V1_15, 16),
                (Version::V1_15, _) => (version, 16),
                (Version::V1_16, _) => (version, 17),
                (version, _) => (version, 12),
            };
            let custom = folder.path().join(format!("custom-{compression}"));
            write_custom(&custom, toc, &contents, version, compression);
            written.push((custom, reader));
            let mut directory_toc = toc.clone();
            directory_toc.header.version = version;
            directory_toc.header.level = i32::from(compression != Compression::None);
            let directory = folder.path().join(format!("directory-{compression}"));
            write_directory(&directory, &directory_toc, &contents, compression);
            written.push((directory, reader));
        }
        for reader in &all {
            let oldest = match version {
                Version::V1_16 => 17,
                Version::V1_15 => 16,
                Version::V1_12 | Version::V1_13 | Version::V1_14 => 12,
            };
            if reader.major < oldest {
                continue;
            }
            let expected = script(reader, &original);
            for (path, oldest) in written.iter().filter(|(_, oldest)| *oldest <= reader.major) {
                let what = format!("{} of {} by {} ({oldest})", path.display(), server.major, reader.major);
                assert!(script(reader, path) == expected, "{what}: another script");
                let list = reader.stdout("pg_restore", &["-l", path_text(path)]);
                assert_eq!(
                    list.lines().filter(|line| !line.starts_with(';')).count(),
                    listed(reader, &original),
                    "{what}"
                );
                assert_eq!(self::contents(&open(path)), contents, "{what}");
            }
        }
    }
}

fn listed(server: &Server, path: &Path) -> usize {
    server.stdout("pg_restore", &["-l", path_text(path)]).lines().filter(|line| !line.starts_with(';')).count()
}

#[test]
fn a_path_that_is_no_archive_is_a_clear_error() {
    let folder = shared_folder();
    let file = folder.path().join("empty");
    fs::write(&file, b"").expect("the shared folder is writable");
    let kind = |result: Result<Opened, Error>| result.err().map(|error| error.kind());
    assert!(matches!(block_on(open_path(&file)), Ok(Opened::Plain { .. })));
    assert_eq!(kind(block_on(open_path(folder.path()))), Some(ErrorKind::Archive));
    assert_eq!(kind(block_on(open_path(&folder.path().join("missing")))), Some(ErrorKind::Usage));
    fs::write(&file, b"PGDMP\x01\x0e").expect("the shared folder is writable");
    assert_eq!(kind(block_on(open_path(&file))), Some(ErrorKind::Archive));
}

/// Several workers copy one table; what they write is what one worker writes.
#[test]
fn a_large_table_in_slices_gives_the_same_archive() {
    for server in servers() {
        let source = server.database();
        source.sql(
            "create table t (id int, \"odd \"\" name\" text, gone int, twice int generated always as (id * 2) stored, wide text);
             alter table t drop column gone;
             alter table t alter wide set storage external;
             insert into t (id, \"odd \"\" name\", wide) select i, E'\\\\.\\n' || i, repeat(md5(i::text), 250) from generate_series(1, 16000) i;
             update t set id = -id where id % 7 = 0;
             delete from t where id % 5 = 0;
             create table child () inherits (t);
             insert into child (id) values (1);",
        );
        let scans = || source.sql("select seq_scan from pg_stat_user_tables where relname = 't';").parse::<u64>();
        let folder = shared_folder();
        let written = |jobs: &str, arguments: &[&str]| {
            let path = folder.path().join(format!("{jobs} {}", arguments.join(" ")));
            let url = source.url();
            db(["backup", "-d", &url, "-o", path_text(&path), "-j", jobs].iter().chain(arguments)).run().ok();
            path
        };
        let is_newest = server.major == newest_server().major;
        let compressions: &[&str] = if is_newest { &["zstd", "none", "gzip"] } else { &["zstd"] };
        for compression in compressions {
            let before = scans().expect("a number");
            let [many, one] = ["3", "1"].map(|jobs| written(jobs, &["-Z", compression]));
            assert!(contents(&open(&many)) == contents(&open(&one)), "{}: {compression}", server.major);
            if *compression == "none" {
                let tar = written("3", &["-F", "tar"]);
                let [tar, one] = [&tar, &one].map(|path| contents(&open(path)).into_values().collect::<Vec<_>>());
                assert!(tar == one, "{}: tar", server.major);
            }
            let [many, one] = [many, one].map(|path| script(&newest_server(), &path));
            assert!(many == one, "{}: {compression}", server.major);
            // a COPY of the whole table counts as a scan of it, one of some blocks does not
            let is_divided = server.major >= 14 && *compression != "gzip";
            let expected = before + if is_divided { 1 } else { 2 };
            let begun = Instant::now();
            while scans() != Ok(expected) && begun.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(50));
            }
            assert_eq!(scans(), Ok(expected), "{}: {compression}", server.major);
        }
        if !is_newest {
            continue;
        }
        let plain = |jobs, compression| {
            let bytes =
                fs::read(written(jobs, &["-F", "plain", "--no-restrict", "-Z", compression])).expect("a script");
            let mut text = Vec::new();
            match compression {
                "gzip" => flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut text).expect("gzip"),
                _ => zstd::stream::copy_decode(&*bytes, &mut text).map(|()| text.len()).expect("zstd"),
            };
            text
        };
        let one = plain("1", "zstd");
        assert!(plain("3", "zstd") == one && plain("3", "gzip") == one);
    }
}

#[test]
fn another_sessions_snapshot_and_a_roles_rows_can_be_backed_up() {
    let server = newest_server();
    let source = server.database();
    let role = crate::support::unique_name("r_");
    source.sql(&format!(
        "create role {role} login; create table t (a int); insert into t values (1), (2);
         alter table t enable row level security; create policy p on t using (a = 2); grant select on t to {role};"
    ));
    let rows = |arguments: &[&str]| {
        let store = shared_folder();
        let place = path_text(store.path());
        let url = source.url().replace("postgres@", &format!("{}@", arguments[0]));
        let calls = ["backup", "--store", place, "-d", &url, "--output", "json"];
        let text = db(calls.iter().chain(&arguments[1..])).run().ok().stdout;
        let is_good = db(["status", "--store", place, "--max-age", "1h"]).run().code == Some(0);
        let result: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        (result["result"]["rows"].as_u64(), is_good)
    };
    assert_eq!(rows(&[&role, "--enable-row-security"]), (Some(1), false));
    let held = block_on(async {
        let spec = pgproof::server::Spec { target: Some(source.url()), ..Default::default() };
        let options = spec.resolve(&|_| None).expect("a URL");
        let mut connection = pgproof::server::Connection::connect(&options).await.expect("the server is there");
        let isolation = pgproof::server::Isolation::RepeatableRead;
        pgproof::server::begin(&mut connection, isolation).await.expect("a transaction can begin");
        let snapshot = pgproof::server::export_snapshot(&mut connection).await.expect("it can be exported");
        source.sql("insert into t values (3);");
        let counts = [rows(&["postgres", "--snapshot", &snapshot.id]), rows(&["postgres"])];
        connection.close().await;
        counts
    });
    assert_eq!(held, [(Some(2), true), (Some(3), true)]);
    source.sql(&format!("drop owned by {role}; drop role {role};"));
}
