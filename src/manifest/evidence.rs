//! What was found out about a backup after it was made: proofs of verify and drill, and acceptances. Each is a small
//! sealed document beside the manifest, written once and never changed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Label, layout, seal};
use crate::error::{Error, ErrorKind, Result};

/// The form of a proof, whoever wrote it, and its version.
pub const PROOF_FORMAT: &str = "pgproof-proof";
const ACCEPTANCE_FORMAT: &str = "pgproof-acceptance";
/// The version of both forms.
pub const EVIDENCE_VERSION: u64 = 1;

/// Whether a backup can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It can, as far as was looked.
    Passed,
    /// It cannot.
    Failed,
    /// It could not be tried, or not all of it could be looked at. That is no pass.
    CouldNotRun,
}

impl Verdict {
    /// In words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::CouldNotRun => "could not run",
        }
    }
}

/// How deep a proof looked. Each depth holds those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Depth {
    /// Every file has its size and its checksum.
    Files,
    /// Every data block decodes.
    Archive,
    /// Every table has its rows.
    Rows,
    /// Every object that the source had is in the archive.
    Expectations,
    /// It was restored and compared.
    Restored,
}

impl Depth {
    /// Every depth, in their order.
    pub const ALL: [Self; 5] = [Self::Files, Self::Archive, Self::Rows, Self::Expectations, Self::Restored];
}

/// What a proof says of its backup, whatever else it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Its path within the backup's folder: `proofs/20261121T030000Z.json`.
    pub path: String,
    /// What was done: `verify` or `drill`.
    pub kind: String,
    /// When that began.
    pub begun: DateTime<Utc>,
    /// What came out.
    pub verdict: Verdict,
    /// How deep it looked.
    pub depth: Depth,
    /// Why it did not pass.
    pub reasons: Vec<String>,
}

/// Somebody's word that a backup which looked wrong is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Its path within the backup's folder: `accepted/20261121T030000Z.json`.
    pub path: String,
    /// When it was accepted.
    pub time: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// All that was found out about one backup after it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What verify and drill found, in no particular order.
    pub proofs: Vec<Proof>,
    /// Why it was accepted although it looked wrong.
    pub acceptances: Vec<Acceptance>,
    /// Evidence that cannot be used, and why. It proves nothing.
    pub unusable: Vec<(String, String)>,
}

/// The members of a proof that are understood here; each kind of proof has more.
#[derive(Deserialize)]
struct ProofForm {
    format: String,
    format_version: u64,
    kind: String,
    backup: String,
    begun: DateTime<Utc>,
    verdict: Verdict,
    reasons: Vec<String>,
    level: Option<Depth>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptanceForm {
    format: String,
    format_version: u64,
    tool_version: String,
    backup: String,
    time: DateTime<Utc>,
    reason: String,
}

impl Evidence {
    /// Takes in one document. One that is damaged, of another backup, or of a form that is not known is noted as such.
    pub fn take(&mut self, id: &Label, path: &str, bytes: &[u8]) {
        let taken = match path.split_once('/') {
            Some((layout::ACCEPTED, _)) => acceptance(id, path, bytes).map(|one| self.acceptances.push(one)),
            _ => proof(id, path, bytes).map(|one| self.proofs.push(one)),
        };
        if let Err(problem) = taken {
            self.unusable.push((path.to_owned(), problem));
        }
    }

    /// The newest proof of damage that no later proof, which looked at least as deep, has lifted.
    pub fn damage(&self) -> Option<&Proof> {
        let mut proofs: Vec<&Proof> = self.proofs.iter().collect();
        proofs.sort_by(|one, other| (one.begun, &one.path).cmp(&(other.begun, &other.path)));
        let mut open: Vec<&Proof> = Vec::new();
        for proof in proofs {
            match proof.verdict {
                Verdict::Failed => open.push(proof),
                Verdict::Passed => open.retain(|failed| failed.depth > proof.depth),
                Verdict::CouldNotRun => {}
            }
        }
        open.pop()
    }
}

/// Opens a sealed document and checks whose it is.
fn open<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let text = seal::unseal(bytes).map_err(|broken| broken.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

fn check(id: &Label, form: (&str, u64), wanted: &str, backup: &str) -> Result<(), String> {
    if form != (wanted, EVIDENCE_VERSION) {
        return Err(format!("it has the form {} {}", form.0, form.1));
    }
    if backup.rsplit('/').next() != Some(id.to_string().as_str()) {
        return Err(format!("it is about {backup}"));
    }
    Ok(())
}

fn proof(id: &Label, path: &str, bytes: &[u8]) -> Result<Proof, String> {
    let form: ProofForm = open(bytes)?;
    check(id, (&form.format, form.format_version), PROOF_FORMAT, &form.backup)?;
    let depth = match (form.kind.as_str(), form.level) {
        (_, Some(depth)) => depth,
        ("drill", None) => Depth::Restored,
        (_, None) => return Err(format!("a proof of kind \"{}\" does not say how deep it looked", form.kind)),
    };
    let ProofForm { kind, begun, verdict, reasons, .. } = form;
    Ok(Proof { path: path.to_owned(), kind, begun, verdict, depth, reasons })
}

fn acceptance(id: &Label, path: &str, bytes: &[u8]) -> Result<Acceptance, String> {
    let form: AcceptanceForm = open(bytes)?;
    check(id, (&form.format, form.format_version), ACCEPTANCE_FORMAT, &form.backup)?;
    Ok(Acceptance { path: path.to_owned(), time: form.time, reason: form.reason })
}

/// The stored form of an acceptance of the backup of this name.
pub fn encode_acceptance(backup: &str, time: DateTime<Utc>, reason: &str) -> Result<Vec<u8>> {
    if reason.trim().is_empty() {
        return Err(Error::new(ErrorKind::Usage, "the reason for accepting a backup is empty")
            .hint("Say what happened to the data, for the person who reads this backup's history later."));
    }
    let form = AcceptanceForm {
        format: ACCEPTANCE_FORMAT.to_owned(),
        format_version: EVIDENCE_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        backup: backup.to_owned(),
        time,
        reason: reason.to_owned(),
    };
    Ok(seal::seal(&serde_json::to_value(form).expect("an acceptance has string keys only")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "20261121T030000Z-k3f9";

    /// A proof as it is stored.
    pub(crate) fn stored_proof(backup: &str, begun: &str, verdict: &str, level: &str) -> Vec<u8> {
        seal::seal(&json!({
            "format": PROOF_FORMAT,
            "format_version": 1,
            "kind": "verify",
            "backup": backup,
            "begun": begun,
            "finished": begun,
            "verdict": verdict,
            "reasons": ["archive.dump: file has been changed since it was written"],
            "level": level,
            "more": {"of": "its kind"},
        }))
    }

    fn take(path: &str, bytes: &[u8]) -> Evidence {
        let mut evidence = Evidence::default();
        evidence.take(&ID.parse().unwrap(), path, bytes);
        evidence
    }

    #[test]
    fn reads_proofs_and_acceptances() {
        let evidence = take(
            "proofs/20261122T000000Z.json",
            &stored_proof(&format!("shop/{ID}"), "2026-11-22T00:00:00Z", "failed", "rows"),
        );
        assert_eq!(evidence.proofs[0].depth, Depth::Rows);
        assert_eq!(evidence.damage().map(|proof| proof.path.as_str()), Some("proofs/20261122T000000Z.json"));
        let time = "2026-11-22T00:00:00Z".parse().unwrap();
        let bytes = encode_acceptance(&format!("shop/{ID}"), time, "archived by hand").unwrap();
        let evidence = take("accepted/20261122T000000Z.json", &bytes);
        assert_eq!(evidence.acceptances[0].reason, "archived by hand");
        assert!(encode_acceptance("shop/a", time, " \n").is_err());
    }

    #[test]
    fn what_cannot_be_used_is_named_and_proves_nothing() {
        let good = stored_proof(&format!("shop/{ID}"), "2026-11-22T00:00:00Z", "failed", "rows");
        let mut flipped = good.clone();
        flipped[20] ^= 1;
        let other = stored_proof("shop/20261120T030000Z-k3f9", "2026-11-22T00:00:00Z", "failed", "rows");
        let acceptance = encode_acceptance(&format!("shop/{ID}"), Utc::now(), "x").unwrap();
        for (bytes, problem) in [
            (&flipped[..], "its bytes do not match its own checksum"),
            (&good[..50], "it does not end in its own checksum: it is cut off, or it is something else"),
            (&other, "it is about shop/20261120T030000Z-k3f9"),
        ] {
            let evidence = take("proofs/a.json", bytes);
            assert_eq!(evidence.unusable, [("proofs/a.json".to_owned(), problem.to_owned())]);
            assert_eq!(evidence.damage(), None);
        }
        assert!(take("proofs/a.json", &acceptance).proofs.is_empty());
        assert!(take("accepted/a.json", &good).acceptances.is_empty());
    }
}
