//! When a restore that failed says something about the scratch server rather than about the backup.

use crate::manifest::Manifest;
use crate::restore::Failure;
use crate::verify::{self, Finding, FindingKind};

/// What the server lacks, in a sentence; `None` when the failures are the backup's.
pub(super) fn reason(
    failures: &[Failure],
    manifest: &Manifest,
    server_version: &str,
    verification: &verify::Outcome,
) -> Option<String> {
    let major = |version: &str| version.split(['.', ' ']).next().and_then(|major| major.parse::<u32>().ok());
    if let (Some(here), Some(there)) = (major(server_version), major(&manifest.source.server_version))
        && here < there
    {
        return Some(format!("the scratch server is PostgreSQL {here}, the source was {there}"));
    }
    if let Some(extension) = failures.iter().find(|failure| failure.entry.starts_with("EXTENSION ")) {
        return Some(format!("the scratch server lacks {}", extension.entry));
    }
    let only_labels = failures.iter().all(is_label_without_provider)
        && verification.findings.iter().all(|finding| is_missed_label(finding, failures));
    let label = failures.first().filter(|_| only_labels)?;
    Some(format!("the scratch server lacks the provider of a security label: {}", label.message))
}

/// Nothing depends on a label, so one that fails takes nothing else with it.
fn is_label_without_provider(failure: &Failure) -> bool {
    // of a script's statement there is only the message, where the server speaks English
    let is_named = failure.entry.starts_with("SECURITY LABEL ");
    let is_told = failure.entry.starts_with("line ") && failure.message.contains("security label provider");
    (is_named || is_told) && failure.detail.as_deref().is_some_and(|detail| detail.contains("22023"))
}

/// Whether it is the label whose statement failed that the finding misses: `public: TABLE t` is
/// `SECURITY LABEL public.TABLE t (entry 7)`, a script's statements have no names.
fn is_missed_label(finding: &Finding, failures: &[Failure]) -> bool {
    let name = format!("SECURITY LABEL {} (", finding.object.replacen(": ", ".", 1));
    let is_named =
        failures.iter().any(|failure| failure.entry.starts_with(&name) || failure.entry.starts_with("line "));
    finding.kind == FindingKind::ObjectMissing && is_named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Level;

    #[test]
    fn a_label_is_told_from_what_else_is_missing() {
        let failure = |entry: &str| Failure {
            entry: entry.to_owned(),
            message: "no security label providers have been loaded".to_owned(),
            detail: Some("SQLSTATE 22023".to_owned()),
        };
        let finding = |kind, object: &str| Finding {
            level: Level::Live,
            kind,
            object: object.to_owned(),
            detail: String::new(),
            wished: false,
        };
        let failures = [failure("SECURITY LABEL public.TABLE t (entry 7)")];
        assert!(failures.iter().all(is_label_without_provider));
        assert!(!is_label_without_provider(&failure("TABLE public.t (entry 6)")));
        assert!(is_missed_label(&finding(FindingKind::ObjectMissing, "public: TABLE t"), &failures));
        assert!(!is_missed_label(&finding(FindingKind::ObjectMissing, "public: TABLE other"), &failures));
        assert!(!is_missed_label(&finding(FindingKind::RowCount, "public: TABLE t"), &failures));
    }
}
