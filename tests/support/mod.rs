//! What the tests stand on: real servers, a real S3 store, the `db` program, and a proxy that fails on demand.
//!
//! `scripts/test` starts the servers and says in the environment where they are.

pub(crate) mod bin;
pub(crate) mod fault;
pub(crate) mod pg;
pub(crate) mod pooler;
pub(crate) mod proxy;
pub(crate) mod store;

use std::io::Write as _;
use std::path::PathBuf;

/// The repository, where scripts and fixtures are found.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A name that no other test has, fit for a database, a role or a bucket.
pub(crate) fn unique_name(prefix: &str) -> String {
    format!("{prefix}{:012x}", rand::random::<u64>() & 0xffff_ffff_ffff)
}

/// A variable that `scripts/test` sets.
///
/// A test that cannot run must not look like one that passed, so its absence is a failure that says what to do.
pub(crate) fn required_variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests by scripts/test"))
}

/// Says that this test, or a part of it, cannot run here: `scripts/test` counts these and shows them in its last lines.
pub(crate) fn skipped(why: &str) {
    println!("SKIPPED: {why}");
    note("skipped", why);
}

/// A line for `scripts/test` in the file that it names: a kind of note, the test that runs, and what there is to say.
fn note(kind: &str, what: &str) {
    let Some(path) = std::env::var_os("PGPROOF_TEST_NOTES") else { return };
    // one write in append mode: tests that run at the same time do not mix their lines
    let line = format!("{kind}\t{}\t{what}\n", test_name());
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("the file of notes opens");
    file.write_all(line.as_bytes()).expect("the file of notes is writable");
}

/// The test that runs: cargo test gives each a thread with its name, cargo-nextest a process with its name in the environment.
fn test_name() -> String {
    let of_thread = || std::thread::current().name().map(str::to_owned);
    std::env::var("NEXTEST_TEST_NAME").ok().or_else(of_thread).unwrap_or_default()
}

/// A script of pg_dump's without the counter that servers patched in November 2026 keep among a column's parameters: it differs
/// from database to database, and ours leave it out (`compat/DIFFERENCES.md`).
pub(crate) fn without_attver(script: &[u8]) -> Vec<u8> {
    let mut script = script.to_vec();
    if memchr::memmem::find(&script, b"pg_attver=").is_none() {
        return script;
    }
    let statement = r#"(?-u)ALTER (?:FOREIGN )?TABLE ONLY (?:"(?:[^"]|"")*"|[^";])* SET \(pg_attver=\d+\);\n"#;
    for (pattern, rest) in [(statement, &b""[..]), (r"(?-u)\(pg_attver=\d+, ", b"("), (r"(?-u), pg_attver=\d+", b"")] {
        let pattern = regex::bytes::Regex::new(pattern).expect("a pattern");
        script = pattern.replace_all(&script, rest).into_owned();
    }
    script
}

/// The same of a script in UTF-8.
pub(crate) fn text_without_attver(script: &str) -> String {
    String::from_utf8(without_attver(script.as_bytes())).expect("it was UTF-8")
}
