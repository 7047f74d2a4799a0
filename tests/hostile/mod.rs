//! Files that are damaged, cut off, hostile or odd: each is refused by its name before anything is changed, in bounded memory and
//! time, and `db verify` says of each what `db restore` says.

mod archive;
mod mutation;
mod script;

use std::path::Path;
use std::time::Duration;

use crate::support::bin::{Run, Taken, db};
use crate::support::pg::{Database, Server};

/// No file makes the program take more.
const MEMORY_MAX: u64 = 200 << 20;

/// Nor longer, of processors: this machine's other work does not count.
const TIME_MAX: Duration = Duration::from_secs(10);

/// A database with rows, keys, an index, large objects and a right.
fn sample(server: &Server) -> Database {
    let database = server.database();
    database.sql(
        "create table a (id int primary key, name text); insert into a select n, 'row ' || n from generate_series(1, 500) n;
         create table b (a int references a, z text); insert into b select n, null from generate_series(1, 100) n;
         create table empty (x int); create view v as select * from a; create index on a (name);
         select lo_from_bytea(0, 'one'), lo_from_bytea(0, 'two'); grant select on a to public; comment on table b is 'rows of b';",
    );
    database
}

fn dump(server: &Server, source: &Database, format: &str, path: &Path) {
    let arguments = ["-F", format, "-d", &source.url(), "-f", path.to_str().expect("UTF-8")];
    // those of servers that are not patched have no such lines
    server.stdout("pg_dump", &arguments);
}

/// What a database holds: nothing, when nothing was changed.
fn objects(database: &Database) -> String {
    database.sql(
        "select count(*) from pg_class where relnamespace = 'public'::regnamespace
         union all select count(*) from pg_largeobject_metadata;",
    )
}

const NOTHING: &str = "0\n0";

fn within_limits(run: &Run, taken: Taken, name: &str) {
    println!("{name}: {} MiB, {:?} of processors, exit {:?}", taken.memory >> 20, taken.processor, run.code);
    assert!(taken.memory < MEMORY_MAX, "{name}: {taken:?}\n{}", run.transcript());
    assert!(taken.processor < TIME_MAX, "{name}: {taken:?}\n{}", run.transcript());
}

fn restore(path: &Path, target: &Database, more: &[&str]) -> (Run, Taken) {
    let arguments = ["restore", path.to_str().expect("UTF-8"), "-d", &target.url(), "-j", "2", "--no-analyze"];
    let confirm = format!("--confirm={}", target.name);
    db(arguments.iter().copied().chain([confirm.as_str()]).chain(more.iter().copied())).run_watched()
}

/// A restore of it is refused as damaged, by this message, and has changed nothing; a verification says so, too.
#[track_caller]
fn is_refused(path: &Path, target: &Database, message: &str) {
    let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    let (run, taken) = restore(path, target, &[]);
    within_limits(&run, taken, name);
    assert!(run.stderr.contains(message), "{name}: no {message:?} in\n{}", run.transcript());
    let run = run.expect_code(13);
    assert!(!run.stderr.contains("panicked") && !run.stderr.contains("defect"), "{}", run.transcript());
    assert_eq!(objects(target), NOTHING, "{name}");
    let (run, taken) = db(["verify", path.to_str().expect("UTF-8")]).run_watched();
    within_limits(&run, taken, name);
    run.expect_code(4);
}

/// It is restored, and verifies.
#[track_caller]
fn is_taken(path: &Path, server: &Server) {
    let target = server.database();
    let (run, _) = restore(path, &target, &[]);
    run.ok();
    assert_ne!(objects(&target), NOTHING);
    db(["verify", path.to_str().expect("UTF-8")]).run().ok();
}
