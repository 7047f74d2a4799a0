//! Archives that go to something else than a store, stores behind links, and results that cannot be written.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::bin::db;
use crate::support::pg::{self, Database};

fn database() -> Database {
    let database = pg::any_server().database();
    database.sql("create table a as select generate_series(1, 1000) as x;");
    database
}

fn backup(database: &Database, path: &Path) -> crate::support::bin::Run {
    db(["backup", "-d", &database.url(), "-o", path.to_str().unwrap()]).run()
}

fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PGDMP")
}

#[test]
fn a_device_is_written_and_stays_a_device() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    let device = folder.path().join("null");
    // the numbers of /dev/null
    let number = rustix::fs::makedev(1, 3);
    if mknodat(CWD, &device, FileType::CharacterDevice, Mode::from_raw_mode(0o666), number).is_err() {
        println!("NOT TESTED: a device needs root, to make one");
        return;
    }
    for format in ["custom", "plain", "tar"] {
        db(["backup", "-d", &database.url(), "-F", format, "-o", device.to_str().unwrap()]).run().ok();
        assert!(fs::metadata(&device).unwrap().file_type().is_char_device(), "{format}");
    }
    let run = db(["backup", "-d", &database.url(), "-F", "directory", "-o", device.to_str().unwrap()]).run();
    run.expect_code(2);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    backup(&database, Path::new("/dev/null")).ok();
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let run = backup(&database, Path::new("/dev/full")).expect_code(16);
    assert!(run.stderr.contains("could not write to \"/dev/full\""), "{}", run.transcript());
}

#[test]
fn a_fifo_is_written_in_order() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    let fifo = folder.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let reader = {
        let fifo = fifo.clone();
        thread::spawn(move || fs::read(fifo).unwrap())
    };
    backup(&database, &fifo).ok();
    assert!(is_archive(&reader.join().unwrap()));
    assert!(fs::metadata(&fifo).unwrap().file_type().is_fifo());
}

#[test]
fn a_link_leads_to_what_it_names() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("other")).unwrap();
    symlink("other/file", at("link")).unwrap();
    for _ in 0..2 {
        // first to nothing, then to the file
        backup(&database, &at("link")).ok();
        assert!(at("link").symlink_metadata().unwrap().is_symlink());
        assert!(is_archive(&fs::read(at("other/file")).unwrap()));
    }
    assert_eq!(fs::read_dir(at("other")).unwrap().count(), 1);
}

#[test]
fn standard_output_has_the_archive_alone_by_any_of_its_names() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let file = folder.path().join("file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_db"))
            .args(["backup", "-d", &database.url(), "-o", name])
            .stdout(fs::File::create(&file).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        assert!(child.wait().unwrap().success(), "{name}");
        let list = db(["restore", file.to_str().unwrap(), "--list"]).run().ok();
        assert!(list.stdout.contains("TABLE DATA public a"), "{name}: {}", list.transcript());
        db(["verify", file.to_str().unwrap()]).run().ok();
        let mut child = Command::new(env!("CARGO_BIN_EXE_db"))
            .args(["backup", "-d", &database.url(), "-o", name])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut bytes = Vec::new();
        child.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
        assert!(child.wait().unwrap().success(), "{name}");
        fs::write(&file, bytes).unwrap();
        db(["verify", file.to_str().unwrap()]).run().ok();
    }
}

#[test]
fn a_script_that_a_restore_writes_is_its_owners_alone() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    let (archive, script) = (folder.path().join("a.dump"), folder.path().join("a.sql"));
    backup(&database, &archive).ok();
    let shell = format!(
        "umask 000; exec '{}' restore '{}' -f '{}'",
        env!("CARGO_BIN_EXE_db"),
        archive.display(),
        script.display()
    );
    assert!(Command::new("sh").args(["-c", &shell]).status().unwrap().success());
    for path in [&archive, &script] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_store_whose_folders_are_links_shows_what_is_written_to_it() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    let (store, disk) = (folder.path().join("store"), folder.path().join("disk"));
    fs::create_dir_all(&store).unwrap();
    fs::create_dir(&disk).unwrap();
    symlink(&disk, store.join(&database.name)).unwrap();
    // a link back up must not be followed for ever, one to nothing is no file
    symlink(&store, disk.join("up")).unwrap();
    symlink("nothing", disk.join("broken")).unwrap();
    let store = store.to_str().unwrap();
    db(["backup", "-d", &database.url(), "--store", store]).run().ok();
    let list = db(["list", "--store", store]).run().ok();
    assert!(list.stdout.contains("good"), "{}", list.transcript());
    db(["status", "--store", store]).run().ok();
    db(["verify", "latest", "--store", store]).run().ok();
    let before = fs::metadata(&disk).unwrap().ino();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let run = ["backup", "-d", &database.url(), "--keep-last", "1", "--min-good", "1", "--store", store];
    db(run).run().ok();
    let list = db(["list", "--store", store]).run().ok();
    assert_eq!(list.stdout.matches(" good").count(), 1, "{}", list.transcript());
    assert_eq!(fs::metadata(&disk).unwrap().ino(), before);
}

#[test]
fn results_that_cannot_be_written_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    for (args, code) in [
        (vec!["list", "--store", store, "--output", "json"], 16),
        (vec!["--help"], 16),
        (vec!["status", "--store", store], 4),
        (vec!["show", "latest", "--store", store, "--output", "json"], 2),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_db"))
            .args(&args)
            .stdout(fs::File::options().write(true).open("/dev/full").unwrap())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains("could not write the result to standard output"), "{args:?}: {stderr}");
        assert!(stderr.contains("No space left"), "{args:?}: {stderr}");
    }
    // a reader that has seen enough is no failure
    let shell = format!("'{}' --help | head -c 1 >/dev/null; exit 0", env!("CARGO_BIN_EXE_db"));
    assert!(Command::new("sh").args(["-c", &shell]).status().unwrap().success());
}

/// As pg_dump writes it: psql reads it without another program.
#[test]
fn a_script_in_a_file_or_a_pipe_is_text_unless_compression_is_asked_for() {
    let database = pg::any_server().database();
    database.sql("create table t (a int); insert into t values (1);");
    let folder = pg::shared_folder();
    let url = database.url();
    let file = folder.path().join("t.sql");
    let path = file.to_str().unwrap();
    db(["backup", "-F", "plain", "-o", path, "-d", &url]).run().ok();
    assert!(fs::read_to_string(&file).unwrap().contains("COPY public.t (a) FROM stdin;"));
    let piped = db(["backup", "-F", "plain", "-o", "-", "-d", &url]).run().ok();
    assert!(piped.stdout.contains("COPY public.t (a) FROM stdin;"));
    db(["backup", "-F", "plain", "-Z", "gzip", "-o", path, "-d", &url]).run().ok();
    assert!(fs::read(&file).unwrap().starts_with(&[0x1f, 0x8b]));
}
