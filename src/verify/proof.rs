//! The evidence of a verification: `proofs/<time>.json` beside the backup.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Finding, FindingKind, Level, Outcome};
use crate::error::Result;
use crate::manifest::evidence::{Depth, EVIDENCE_VERSION, PROOF_FORMAT, Verdict};
use crate::manifest::{layout, seal};
use crate::shelf::{self, Backup};
use crate::store::Store;

/// What a verification found, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    format: String,
    format_version: u64,
    /// The version of the program that looked.
    pub tool_version: String,
    /// What was done: `verify`.
    pub kind: String,
    /// The backup.
    pub backup: String,
    /// When it began, by this host's clock.
    pub begun: DateTime<Utc>,
    /// When it ended.
    pub finished: DateTime<Utc>,
    /// What it says of the backup itself. That a live database differs from it, or that a wish is not met, is no fault of
    /// the backup.
    pub verdict: Verdict,
    /// How deep it looked.
    pub level: Depth,
    /// Why it is not "passed", in one sentence a cause.
    pub reasons: Vec<String>,
    /// All that was found.
    pub verification: Outcome,
}

impl Proof {
    /// The evidence of what was found about a backup between two moments.
    pub fn new(backup: &Backup, outcome: &Outcome, begun: DateTime<Utc>, finished: DateTime<Utc>) -> Self {
        let words =
            |finding: &Finding| format!("{} \"{}\": {}", finding.kind.message(), finding.object, finding.detail);
        let damage: Vec<String> = outcome.findings.iter().filter(|finding| proves_damage(finding)).map(words).collect();
        let own = || outcome.levels.iter().filter(|level| level.level != Level::Live);
        let doubts = outcome.findings.iter().filter(|finding| is_doubt(finding.kind)).map(words);
        let left = own().flat_map(|level| &level.not_checked).filter(|left| !left.not_checkable);
        let left = left.map(|left| format!("{} could not be checked: {}", left.what, left.why));
        let open: Vec<String> = doubts.chain(left).collect();
        let (verdict, reasons) = match (damage.is_empty(), open.is_empty()) {
            (false, _) => (Verdict::Failed, damage),
            (true, false) => (Verdict::CouldNotRun, open),
            (true, true) => (Verdict::Passed, Vec::new()),
        };
        let level = own().map(|level| depth(level.level)).max().unwrap_or(Depth::Files);
        Self {
            format: PROOF_FORMAT.to_owned(),
            format_version: EVIDENCE_VERSION,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: "verify".to_owned(),
            backup: backup.name(),
            begun,
            finished,
            verdict,
            level,
            reasons,
            verification: outcome.clone(),
        }
    }

    /// As it is stored.
    pub fn encode(&self) -> Vec<u8> {
        seal::seal(&serde_json::to_value(self).expect("a proof has string keys and finite numbers only"))
    }

    /// Writes the proof beside its backup and says where it lies.
    pub async fn publish(&self, store: &dyn Store, backup: &Backup) -> Result<String> {
        shelf::publish_evidence(store, backup, layout::PROOFS, self.begun, self.encode()).await
    }
}

const fn depth(level: Level) -> Depth {
    match level {
        Level::Files => Depth::Files,
        Level::Archive => Depth::Archive,
        Level::Rows => Depth::Rows,
        Level::Expectations | Level::Live => Depth::Expectations,
    }
}

/// Whether a finding says that a file could not be looked at, rather than what is in it.
const fn is_doubt(kind: FindingKind) -> bool {
    matches!(kind, FindingKind::FileUnreadable | FindingKind::FileUnstable)
}

/// Whether a finding proves that the backup is not what was written.
fn proves_damage(finding: &Finding) -> bool {
    match finding.level {
        Level::Files | Level::Archive | Level::Rows | Level::Expectations => {
            !finding.wished && !is_doubt(finding.kind) && finding.kind != FindingKind::ProofDamaged
        }
        Level::Live => false,
    }
}
