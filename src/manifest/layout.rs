//! The names of what lies in a backup's folder: `<database>/<backup id>/manifest.json` and its neighbours.

/// The commit mark: written last, create-only. Without it the backup does not exist.
pub const MANIFEST: &str = "manifest.json";
/// Digests in the form that `sha256sum -c` reads.
pub const SUMS: &str = "SHA256SUMS";
/// How to restore without this program.
pub const RECOVERY: &str = "RECOVERY.md";
/// Roles, memberships and settings that the database needs.
pub const GLOBALS: &str = "globals.sql";
/// The folder of what verify and drill found later.
pub const PROOFS: &str = "proofs";
/// The mark that a backup is being deleted: it is written before the manifest is removed, and goes last.
pub const TOMBSTONE: &str = "tombstone.json";
