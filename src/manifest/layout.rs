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
/// The mark that a backup is being deleted. Earlier builds wrote it before they removed the manifest; it is still understood.
pub const TOMBSTONE: &str = "tombstone.json";
/// The folder of the reasons for which a suspect backup was accepted.
pub const ACCEPTED: &str = "accepted";

/// Whether a path within a backup's folder is that of a proof or an acceptance: `proofs/20261121T030000Z.json`, with a
/// number behind the time where there are several of one second.
pub fn is_evidence(path: &str) -> bool {
    let Some((folder, name)) = path.split_once('/') else { return false };
    let Some(stem) = name.strip_suffix(".json") else { return false };
    let (time, number) = stem.split_once('-').unwrap_or((stem, "0"));
    let is_time = time.len() == 16
        && time.bytes().enumerate().all(|(place, byte)| match place {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    [PROOFS, ACCEPTED].contains(&folder) && is_time && is_number
}
