//! What the tests stand on: real servers, a real S3 store, the `db` program, and a proxy that fails on demand.
//!
//! `scripts/test` starts the servers and says in the environment where they are.

pub(crate) mod bin;
pub(crate) mod fault;
pub(crate) mod pg;
pub(crate) mod store;

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
