//! Archives.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::mutation::{Kind, Span, spans};
use super::{dump, is_refused, is_taken, sample};
use crate::support::bin::db;
use crate::support::pg::{any_server, newest_server, shared_folder};

fn span<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}"))
}

fn patched(bytes: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

#[test]
fn wrong_places_of_data_are_told_before_anything_is_changed() {
    let server = any_server();
    let folder = shared_folder();
    let path = folder.path().join("whole.dump");
    dump(&server, &sample(&server), "custom", &path);
    is_taken(&path, &server);
    let whole = fs::read(&path).expect("an archive");
    let found = spans(&whole);
    let target = server.database();
    let place = span(&found, "TABLE DATA.offset").at + 1;
    let other = found.iter().filter(|span| span.name == "TABLE DATA.offset").nth(1).expect("two tables").at + 1;
    let offset = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let (own, size) = (offset(&whole, place), whole.len() as u64);
    for (name, value, message) in [
        ("ff", u64::MAX, "where no data lies"),
        ("half", u64::MAX / 2 + 1, "where no data lies"),
        ("end", size, "where no data lies"),
        ("behind", size + 1000, "where no data lies"),
        ("head", 20, "where no data lies"),
        ("last", size - 1, "is damaged"),
        ("next", own + 1, "is damaged"),
        ("twice", offset(&whole, other), "where that of another entry does"),
    ] {
        let path = folder.path().join(format!("{name}.dump"));
        fs::write(&path, patched(&whole, place, &value.to_le_bytes())).expect("writable");
        is_refused(&path, &target, message);
    }
    let path = folder.path().join("swapped.dump");
    let swapped = patched(&whole, place, &offset(&whole, other).to_le_bytes());
    fs::write(&path, patched(&swapped, other, &own.to_le_bytes())).expect("writable");
    is_refused(&path, &target, "stands where entry");
    let block = usize::try_from(own).expect("small");
    for (name, at, with, message) in [
        ("type", block, &[3][..], "is damaged"),
        ("id", block + 2, &[0xFF, 0xFF], "stands where entry"),
        ("piece", block + 6, &[1, 9, 0, 0, 0], "a piece of data has the length"),
        ("compression", block + 11, b"no zlib", "does not begin as the header says"),
        ("count", span(&found, "entries").at + 1, &[0xFF, 0xFF, 0xFF, 0x7F], "is damaged"),
    ] {
        let path = folder.path().join(format!("{name}.dump"));
        fs::write(&path, patched(&whole, at, with)).expect("writable");
        is_refused(&path, &target, message);
    }
}

#[test]
fn archives_from_a_pipe_that_were_cut_are_told_before_anything_is_changed() {
    let server = newest_server();
    let source = sample(&server);
    let folder = shared_folder();
    let (path, seekable) = (folder.path().join("piped.dump"), folder.path().join("whole.dump"));
    dump(&server, &source, "custom", &seekable);
    server.run_into("pg_dump", &["-Fc", "-d", &source.url()], &path);
    let whole = fs::read(&path).expect("an archive");
    let found = spans(&whole);
    assert!(found.iter().filter(|span| span.kind == Kind::Offset).all(|span| whole[span.at] != 2), "it was a pipe");
    let target = server.database();
    // blocks lie as in the archive that has their places
    let known = fs::read(&seekable).expect("an archive");
    let mut places: Vec<usize> = spans(&known)
        .iter()
        .filter(|span| span.kind == Kind::Offset && known[span.at] == 2)
        .map(|span| u64::from_le_bytes(known[span.at + 1..span.at + 9].try_into().expect("8 bytes")) as usize)
        .collect();
    places.sort_unstable();
    assert!(places.len() >= 4);
    for (number, place) in places.iter().enumerate() {
        let path = folder.path().join(format!("cut{number}.dump"));
        fs::write(&path, &whole[..*place]).expect("writable");
        is_refused(&path, &target, "is missing");
        fs::write(&path, &whole[..*place + 8]).expect("writable");
        is_refused(&path, &target, "ends too early");
    }
}

#[test]
fn lengths_that_lie_take_no_memory() {
    let server = any_server();
    let folder = shared_folder();
    let path = folder.path().join("whole.dump");
    dump(&server, &sample(&server), "custom", &path);
    let whole = fs::read(&path).expect("an archive");
    let found = spans(&whole);
    let target = server.database();
    // a text of 256 MiB in a file that is large enough for it
    let path = folder.path().join("text.dump");
    let mut file = File::create(&path).expect("writable");
    file.write_all(&patched(&whole, span(&found, "TABLE.create").at, &[0, 0xFF, 0xFF, 0xFF, 0x0F])).expect("writable");
    file.set_len(300 << 20).expect("a sparse file");
    is_refused(&path, &target, "a string holds a zero byte");
    // rows in one piece of 2 GiB
    let place = span(&found, "TABLE DATA.offset").at + 1;
    let block = u64::from_le_bytes(whole[place..place + 8].try_into().expect("8 bytes"));
    let path = folder.path().join("piece.dump");
    fs::write(&path, &whole).expect("writable");
    let mut file = File::options().write(true).open(&path).expect("writable");
    file.seek(SeekFrom::Start(block + 6)).expect("a file");
    file.write_all(&[0, 0xFF, 0xFF, 0xFF, 0x7F]).expect("writable");
    let run = db(["verify", path.to_str().expect("UTF-8")]).run_watched();
    super::within_limits(&run.0, run.1, "piece");
    run.0.expect_code(4);

    let source = sample(&server);
    let archive = folder.path().join("folder");
    dump(&server, &source, "directory", &archive);
    let bomb = || {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let zeros = vec![b'1'; 64 << 20];
        (0..16).for_each(|_| encoder.write_all(&zeros).expect("a vector takes all"));
        encoder.finish().expect("a vector takes all")
    };
    let list = fs::read_dir(&archive).expect("a folder").map(|file| file.expect("a file").file_name());
    let list =
        list.map(|name| name.into_string().expect("UTF-8")).find(|name| name.starts_with("blobs")).expect("a list");
    let content = fs::read(archive.join(&list)).expect("a list");
    fs::remove_file(archive.join(&list)).expect("it is there");
    is_refused(&archive, &target, "is missing");
    fs::write(archive.join(format!("{list}.gz")), bomb()).expect("writable");
    is_refused(&archive, &target, "is damaged");
    fs::remove_file(archive.join(format!("{list}.gz"))).expect("it is there");
    fs::write(archive.join(&list), [content.as_slice(), b"77777 blob_77777.dat\n"].concat()).expect("writable");
    is_refused(&archive, &target, "\"blob_77777.dat\" of the archive is missing");
    fs::write(archive.join(&list), &content).expect("writable");
    fs::rename(archive.join("toc.dat"), archive.join("kept")).expect("it is there");
    fs::write(archive.join("toc.dat.gz"), bomb()).expect("writable");
    is_refused(&archive, &target, "no pg_dump archive");
    fs::remove_file(archive.join("toc.dat.gz")).expect("it is there");
    fs::rename(archive.join("kept"), archive.join("toc.dat")).expect("it is there");
    is_taken(&archive, &server);
}

#[test]
fn a_script_made_of_an_archive_is_for_its_owner_only() {
    let server = any_server();
    let folder = shared_folder();
    let path = folder.path().join("whole.dump");
    dump(&server, &sample(&server), "custom", &path);
    let out = folder.path().join("out.sql");
    let program = env!("CARGO_BIN_EXE_db");
    let command = format!("umask 000; '{program}' restore '{}' -f '{}'", path.display(), out.display());
    assert!(std::process::Command::new("sh").args(["-c", &command]).status().expect("a shell").success());
    let mode = fs::metadata(&out).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    is_taken(&out, &server);
}
