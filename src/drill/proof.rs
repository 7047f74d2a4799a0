//! The evidence of a drill: `proofs/<time>.json` beside the backup.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::manifest::evidence::{EVIDENCE_VERSION as FORMAT_VERSION, PROOF_FORMAT as FORMAT, Verdict};
use crate::manifest::{PhaseTime, layout, seal};
use crate::shelf::{self, Backup};
use crate::store::Store;
use crate::verify;

/// What a drill found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// [`FORMAT`].
    pub(super) format: String,
    /// [`FORMAT_VERSION`].
    pub(super) format_version: u64,
    /// The version of the program that drilled.
    pub tool_version: String,
    /// What was done: `drill`.
    pub kind: String,
    /// The backup.
    pub backup: String,
    /// When it began, by this host's clock.
    pub begun: DateTime<Utc>,
    /// When it ended.
    pub finished: DateTime<Utc>,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not "passed", in one sentence a cause.
    pub reasons: Vec<String>,
    /// Where it was restored to.
    pub server: String,
    /// That server's version.
    pub server_version: String,
    /// How long each phase took, in the order of ending.
    pub phases: Vec<PhaseTime>,
    /// From the first byte read to a database that can be used, in milliseconds: the recovery time of this backup here.
    pub recovery_milliseconds: u64,
    /// What was restored.
    pub restored: Restored,
    /// What the comparison with the manifest found; none when it did not come to that.
    pub verification: Option<verify::Outcome>,
    /// What is odd and no failure.
    pub notes: Vec<String>,
}

/// How much was restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// Entries of the archive.
    pub entries: u64,
    /// Tables with rows.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes of rows and large objects.
    pub bytes: u64,
}

impl Proof {
    pub(super) fn new(backup: &Backup, begun: DateTime<Utc>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: "drill".to_owned(),
            backup: backup.name(),
            begun,
            finished: begun,
            verdict: Verdict::CouldNotRun,
            reasons: Vec::new(),
            server: String::new(),
            server_version: String::new(),
            phases: Vec::new(),
            recovery_milliseconds: 0,
            restored: Restored::default(),
            verification: None,
            notes: Vec::new(),
        }
    }

    /// Reads a stored proof; `place` names it in errors.
    ///
    /// Fails with [`ErrorKind::Archive`] when it is damaged or of a form that this version does not know.
    pub fn decode(place: &str, bytes: &[u8]) -> Result<Self> {
        let damaged =
            |detail: String| Error::new(ErrorKind::Archive, format!("proof \"{place}\" cannot be used")).detail(detail);
        let text = seal::unseal(bytes).map_err(|broken| damaged(broken.to_string()))?;
        let proof: Self = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if proof.format != FORMAT || proof.format_version != FORMAT_VERSION {
            return Err(damaged(format!("it has the form {} {}", proof.format, proof.format_version)));
        }
        Ok(proof)
    }

    /// As it is stored.
    pub fn encode(&self) -> Vec<u8> {
        seal::seal(&serde_json::to_value(self).expect("a proof has string keys and finite numbers only"))
    }

    /// Writes the proof beside its backup and says where it lies.
    pub(super) async fn publish(&self, store: &dyn Store, backup: &Backup) -> Result<String> {
        shelf::publish_evidence(store, backup, layout::PROOFS, self.begun, self.encode()).await
    }
}
