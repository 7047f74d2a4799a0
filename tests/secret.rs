//! Passwords stay where they are: out of errors, out of core files, and not in files that others can read unwarned.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::bin::db;
use crate::support::pg::{Database, any_server};
use crate::support::unique_name;

/// A role with a password of every special character.
struct Role<'a>(&'a Database, String);

const PASSWORD: &str = "x@Tr0/ub4:d?o#r%";
const ENCODED: &str = "x%40Tr0%2Fub4%3Ad%3Fo%23r%25";

impl<'a> Role<'a> {
    fn new(database: &'a Database) -> Self {
        let name = unique_name("r_");
        database.sql("create table t as select 1 as a;");
        database.sql(&format!("create role {name} login superuser password '{PASSWORD}' in role pgproof_scram;"));
        Self(database, name)
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        self.0.sql(&format!("drop role {};", self.1));
    }
}

#[test]
fn no_part_of_a_password_is_in_an_error() {
    let store = tempfile::tempdir().unwrap();
    let store = store.path().to_str().unwrap();
    let pieces = ["Tr0", "ub4", "dor", "s3same"];
    for url in [
        "postgresql://app:x@Tr0ub4dor@127.0.0.1:1/shop",
        "postgresql://app:x@Tr0/ub4dor@127.0.0.1:1/shop",
        "postgresql://app:Tr0/ub4dor@127.0.0.1:1/shop",
        "postgresql://app:Tr0?ub4dor@127.0.0.1:1/shop",
        "postgresql://app:Tr0?ub4=dor@127.0.0.1:1/shop",
        "postgresql://app:12/ub4dor@127.0.0.1:1/shop",
        "postgresql://app:12?ub4=dor@127.0.0.1:1/shop",
        "postgresql://app:Tr0#ub4@dor@127.0.0.1:1/shop",
        "postgresql://app:s3same/shop",
        "postgresql://app:s3same",
        "postgres:app:s3same@127.0.0.1:1/shop",
        "app:s3same@127.0.0.1:1/shop",
        "app:Tr0=ub4@127.0.0.1:1/shop",
        "app:x@Tr0ub4dor@127.0.0.1:1/shop",
        "jdbc:postgresql://app:s3same@127.0.0.1:1/shop?ssl=true",
        "http://app:s3same@127.0.0.1:1/shop",
        "host=127.0.0.1 port=1 user=app password=x Tr0=ub4",
        "host=app:s3same@127.0.0.1 port=1",
        "host=127.0.0.1 port=s3same",
    ] {
        for by_variable in [true, false] {
            let mut arguments = vec!["backup", "--store", store];
            let call = if by_variable {
                db(&arguments).env("DATABASE_URL", url)
            } else {
                arguments.extend(["-d", url]);
                db(&arguments)
            };
            let run = call.run();
            assert!(matches!(run.code, Some(2 | 3)), "{url}:\n{}{}", run.stdout, run.stderr);
            for piece in pieces {
                assert!(!run.stderr.contains(piece) && !run.stdout.contains(piece), "{url}: {piece}:\n{}", run.stderr);
            }
        }
    }
    let run =
        db(["backup", "--store", store]).env("DATABASE_URL", "postgresql://app:x@Tr0ub4dor@127.0.0.1:1/shop").run();
    assert!(run.stderr.contains("%40"), "{}", run.stderr);
}

#[test]
fn a_password_that_is_encoded_as_the_hint_says_is_understood() {
    let database = any_server().database();
    let role = Role::new(&database);
    let (host, port) = database.server.address();
    let store = tempfile::tempdir().unwrap();
    let url = format!("postgresql://{}:{ENCODED}@{host}:{port}/{}", role.1, database.name);
    db(["backup", "--store", store.path().to_str().unwrap()]).env("DATABASE_URL", url).run().ok();
}

#[test]
fn a_password_file_that_gives_nothing_says_why_when_the_login_fails() {
    let database = any_server().database();
    let role = Role::new(&database);
    let (host, port) = database.server.address();
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (folder.path().join("store"), folder.path().join("pgpass"));
    fs::create_dir(&store).unwrap();
    let run = |mode: u32, line: &str| {
        fs::write(&file, line).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let url = format!("postgresql://{}@{host}:{port}/{}", role.1, database.name);
        db([Path::new("backup"), Path::new("--store"), &store, Path::new("-d"), Path::new(&url)])
            .env("PGPASSFILE", &file)
            .run()
    };
    let line = format!("*:*:*:*:{}\n", PASSWORD.replace(':', "\\:"));
    run(0o600, &line).ok();
    let open = run(0o644, &line);
    assert_eq!(open.code, Some(17), "{}", open.transcript());
    assert!(open.stderr.contains("has group or world access and is not used"), "{}", open.transcript());
    let other = run(0o600, "elsewhere:*:*:*:s3same\n");
    assert_eq!(other.code, Some(17), "{}", other.transcript());
    assert!(other.stderr.contains("has no line for host"), "{}", other.transcript());
    assert!(!other.stderr.contains("s3same"), "{}", other.transcript());
}

#[test]
fn no_core_file_is_written() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://u@{}/d", silent.local_addr().unwrap());
    let store = tempfile::tempdir().unwrap();
    let mut child = db(["backup", "--store", store.path().to_str().unwrap(), "-d", &url]).spawn();
    // it has begun once it connects
    let _connection = silent.accept().unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let core: Vec<&str> =
        limits.lines().find(|line| line.starts_with("Max core file size")).unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");
}

#[test]
fn a_configuration_file_with_a_password_that_others_can_read_is_warned_of() {
    let database = any_server().database();
    let role = Role::new(&database);
    let (host, port) = database.server.address();
    let folder = tempfile::tempdir().unwrap();
    let (file, store) = (folder.path().join("pgproof.toml"), folder.path().join("store"));
    fs::create_dir(&store).unwrap();
    for (login, mode, warns) in [
        (format!("{}:{ENCODED}@", role.1), 0o644, true),
        (format!("{}:{ENCODED}@", role.1), 0o640, true),
        (format!("{}:{ENCODED}@", role.1), 0o600, false),
        ("postgres@".to_owned(), 0o644, false),
    ] {
        fs::write(&file, format!("dbname = \"postgresql://{login}{host}:{port}/{}\"\n", database.name)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let run = db([Path::new("backup"), Path::new("--store"), &store, Path::new("--config"), &file]).run();
        let said = run.stderr.contains("has a password in it and can be read by others");
        assert_eq!((run.code, said), (Some(0), warns), "{login} {mode:o}:\n{}", run.transcript());
        let home = store.join(&database.name);
        let backup = fs::read_dir(&home).unwrap().flatten().find(|entry| entry.path().is_dir()).unwrap().path();
        let kept = fs::read_to_string(backup.join("manifest.json")).unwrap();
        assert!(!kept.contains("can be read by others"), "told, and not stored: {kept}");
        fs::remove_dir_all(home).unwrap();
        assert!(!run.transcript().contains("ub4"), "{}", run.transcript());
    }
}
