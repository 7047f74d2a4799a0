//! Backs up PostgreSQL databases to pg_dump-compatible archives and proves that the backups restore.
//!
//! The source lies in layers; each uses those below it, which `tests/layers.rs` checks.
//!
//! - Words: `error`, `record` (a row of the catalog by column names), `secret`, `count` (counts as people read them).
//! - Thought, without a server or a store: `object` (a file for each kind of database object, from its catalog row to its statements),
//!   `plan` (what is dumped, in which order), `archive` and `codec` (pg_dump's formats, compression, digests), `manifest` (what is
//!   kept of a backup, and the one state that every verb goes by), `retention`, `event`, `certificate` (whose a server's may be).
//! - Edges: `server` (a client of its own: sessions, locks, COPY), `store` (folders, S3, leases), `config`.
//! - Joins: `catalog` (server to objects, by `sql/catalog`), `copy`, `reader` and `transfer` (store to bytes), `shelf` (the backups of a
//!   store: find, read, remove).
//! - Verbs, a folder each: `backup`, `verify`, `restore`, `drill`, `prune`, `accept`, `upload`, `list`, `show`, `status`.
//! - Face: `cli` and `report`. Only they print and exit.
//!
//! A backup goes from `server` by `catalog` to `plan`, then its rows through `backup::worker` into the archive, and last its manifest;
//! `backup::watch` looks who waits for it while definitions are read, and `backup::keeper` keeps the locks while rows are. A restore
//! goes the other way: `restore::plan` says what it would do, `restore::execute` does it, `restore::worker` over each connection.

pub mod accept;
pub mod archive;
pub mod backup;
pub mod catalog;
mod certificate;
#[cfg(feature = "cli")]
pub mod cli;
pub mod codec;
pub mod config;
pub mod copy;
mod count;
pub mod drill;
pub mod error;
pub mod event;
pub mod list;
pub mod manifest;
pub mod object;
pub mod plan;
pub mod prune;
pub mod reader;
pub mod record;
#[cfg(feature = "cli")]
pub mod report;
pub mod restore;
pub mod retention;
pub mod secret;
pub mod server;
pub mod shelf;
pub mod show;
pub mod status;
pub mod store;
pub mod transfer;
pub mod upload;
pub mod verify;
