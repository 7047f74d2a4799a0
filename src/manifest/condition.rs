//! The one state of a backup that every verb goes by, from its manifest and from what was found out later. Pure.

use super::{Evidence, State, Summary};
use crate::count::counted;

/// What state a backup is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Complete and whole.
    Good,
    /// Complete; options left something out.
    Filtered {
        /// Those options.
        filters: Vec<String>,
        /// They stand in the configuration: what they leave is this database's normal backup.
        is_usual: bool,
    },
    /// Complete but for objects that could not be dumped: so many.
    Partial(usize),
    /// Complete; the source looked wrong when it was taken, for these reasons, and nobody has accepted it.
    Suspect(Vec<String>),
    /// A verify or a drill proved that it does not restore to what it was made of.
    Damaged {
        /// The proof's path within the backup's folder.
        proof: String,
        /// What it says, in short.
        reason: String,
    },
    /// Its manifest cannot be used, for this reason.
    Unreadable(String),
    /// Its deletion has begun.
    Deleting,
    /// It has no manifest: a run is writing it, or one has died.
    Unfinished,
    /// No backup: files with names of a backup's, without a manifest, that no run is known to write.
    LeftOver,
}

impl Condition {
    /// The state of a backup whose manifest reads.
    ///
    /// Damage outweighs everything; then what looked wrong, unless it was accepted; then what could not be dumped; then what
    /// was left out on request.
    pub fn of(summary: &Summary, evidence: &Evidence) -> Self {
        if let Some(proof) = evidence.damage() {
            let reason = match proof.reasons.as_slice() {
                [] => format!("a {} failed", proof.kind),
                [only] => only.clone(),
                [first, others @ ..] => format!("{first}; and {} more", others.len()),
            };
            return Self::Damaged { proof: proof.path.clone(), reason };
        }
        match summary.state {
            State::Suspect if evidence.acceptances.is_empty() => Self::Suspect(summary.suspicions.clone()),
            State::Suspect | State::Partial | State::Complete if summary.skipped_count > 0 => {
                Self::Partial(summary.skipped_count)
            }
            State::Partial => Self::Partial(0),
            State::Suspect | State::Complete if summary.filters.is_empty() => Self::Good,
            State::Suspect | State::Complete => {
                Self::Filtered { filters: summary.filters.clone(), is_usual: summary.are_filters_usual }
            }
        }
    }

    /// In one word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Filtered { .. } => "filtered",
            Self::Partial(_) => "partial",
            Self::Suspect(_) => "suspect",
            Self::Damaged { .. } => "damaged",
            Self::Unreadable(_) => "unreadable",
            Self::Deleting => "deleting",
            Self::Unfinished => "unfinished",
            Self::LeftOver => "leftover",
        }
    }

    /// Whether it is all that its database's backups normally hold: everything, or what a selection in the configuration
    /// leaves. Only such backups are `latest`, young enough for status, and relied on. With `filtered` a backup counts that
    /// was filtered by options on the command line, too.
    pub const fn counts(&self, filtered: bool) -> bool {
        match self {
            Self::Good => true,
            Self::Filtered { is_usual, .. } => *is_usual || filtered,
            Self::Partial(_)
            | Self::Suspect(_)
            | Self::Damaged { .. }
            | Self::Unreadable(_)
            | Self::Deleting
            | Self::Unfinished
            | Self::LeftOver => false,
        }
    }

    /// What is to be known of it in one line; `None` for a good one.
    pub fn remark(&self) -> Option<String> {
        Some(match self {
            Self::Good => return None,
            Self::Filtered { filters, is_usual: false } => {
                format!("does not hold the whole database: {}", filters.join(" "))
            }
            Self::Filtered { filters, is_usual: true } => {
                format!("holds what the configuration selects: {}", filters.join(" "))
            }
            Self::Partial(count) => {
                format!(
                    "lacks {}; db show names {}",
                    counted(*count, "object"),
                    if *count == 1 { "it" } else { "them" }
                )
            }
            Self::Suspect(reasons) if reasons.is_empty() => {
                "looked wrong when it was taken; db show says why".to_owned()
            }
            Self::Suspect(reasons) => format!("looked wrong when it was taken: {}", reasons.join("; ")),
            Self::Damaged { proof, reason } => format!("{reason} ({proof})"),
            Self::Unreadable(reason) => reason.clone(),
            Self::Deleting => "its deletion is finished by the next db prune --yes".to_owned(),
            Self::Unfinished => "has no manifest: a run is writing it, or one has died".to_owned(),
            Self::LeftOver => "no backup: files without a manifest, which no db backup is writing".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::evidence::{Acceptance, Depth, Proof, Verdict};
    use crate::manifest::tests::sample;

    const ID: &str = "20261121T030000Z-k3f9";

    fn proof(minute: u32, verdict: Verdict, depth: Depth) -> Proof {
        Proof {
            path: format!("proofs/20261122T00{minute:02}00Z.json"),
            kind: "verify".to_owned(),
            begun: format!("2026-11-22T00:{minute:02}:00Z").parse().unwrap(),
            verdict,
            depth,
            reasons: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    fn summary(state: State, filters: usize, usual: bool, skipped: usize) -> Summary {
        let mut summary = Summary::from(&sample(ID));
        summary.state = state;
        summary.filters = vec!["--exclude-table=log".to_owned(); filters];
        summary.are_filters_usual = usual;
        summary.skipped_count = skipped;
        summary
    }

    #[test]
    fn every_combination_of_manifest_and_evidence_has_its_one_state() {
        let acceptance =
            || Acceptance { path: "accepted/a.json".to_owned(), time: Default::default(), reason: "x".to_owned() };
        let mut seen = std::collections::BTreeMap::new();
        for state in [State::Complete, State::Partial, State::Suspect] {
            for filters in [0, 1] {
                for usual in [false, true] {
                    for skipped in [0, 2] {
                        for accepted in [false, true] {
                            for damaged in [false, true] {
                                let evidence = Evidence {
                                    proofs: if damaged { vec![proof(1, Verdict::Failed, Depth::Rows)] } else { vec![] },
                                    acceptances: if accepted { vec![acceptance()] } else { vec![] },
                                    unusable: vec![("proofs/x.json".to_owned(), "cut".to_owned())],
                                };
                                let condition = Condition::of(&summary(state, filters, usual, skipped), &evidence);
                                let wanted = if damaged {
                                    "damaged"
                                } else if state == State::Suspect && !accepted {
                                    "suspect"
                                } else if skipped > 0 || state == State::Partial {
                                    "partial"
                                } else if filters > 0 {
                                    "filtered"
                                } else {
                                    "good"
                                };
                                assert_eq!(
                                    condition.word(),
                                    wanted,
                                    "{state:?} {filters} {skipped} {accepted} {damaged}"
                                );
                                let counts = wanted == "good" || (wanted == "filtered" && usual);
                                assert_eq!(condition.counts(false), counts);
                                assert_eq!(condition.counts(true), counts || wanted == "filtered");
                                assert_eq!(condition.remark().is_none(), wanted == "good");
                                *seen.entry(wanted).or_insert(0) += 1;
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(seen.len(), 5, "{seen:?}");
    }

    /// Verdict, depth; the last column: damaged in the end.
    #[test]
    fn damage_is_lifted_by_a_later_pass_of_the_same_or_a_deeper_level_only() {
        use Depth::{Archive, Files, Restored, Rows};
        use Verdict::{CouldNotRun, Failed, Passed};
        let table: &[(&[(Verdict, Depth)], bool)] = &[
            (&[], false),
            (&[(Passed, Files)], false),
            (&[(Failed, Files)], true),
            (&[(CouldNotRun, Restored)], false),
            (&[(Passed, Restored), (Failed, Files)], true),
            (&[(Failed, Rows), (Passed, Files)], true),
            (&[(Failed, Rows), (Passed, Archive)], true),
            (&[(Failed, Rows), (Passed, Rows)], false),
            (&[(Failed, Rows), (Passed, Restored)], false),
            (&[(Failed, Rows), (CouldNotRun, Restored)], true),
            (&[(Failed, Restored), (Failed, Files), (Passed, Rows)], true),
            (&[(Failed, Restored), (Failed, Files), (Passed, Restored)], false),
            (&[(Failed, Rows), (Passed, Rows), (Failed, Rows)], true),
        ];
        for (proofs, damaged) in table {
            let mut proofs: Vec<Proof> = proofs
                .iter()
                .enumerate()
                .map(|(minute, (verdict, depth))| proof(minute as u32, *verdict, *depth))
                .collect();
            for _ in 0..2 {
                let evidence = Evidence { proofs: proofs.clone(), ..Evidence::default() };
                let condition = Condition::of(&summary(State::Complete, 0, false, 0), &evidence);
                assert_eq!(condition.word() == "damaged", *damaged, "{proofs:?}");
                // the order of a listing means nothing
                proofs.reverse();
            }
        }
        for verdict in [Failed, Passed] {
            for (failed, passed) in Depth::ALL.iter().flat_map(|one| Depth::ALL.map(|other| (*one, other))) {
                let evidence = Evidence {
                    proofs: vec![proof(1, Failed, failed), proof(2, verdict, passed)],
                    ..Evidence::default()
                };
                assert_eq!(evidence.damage().is_some(), verdict == Failed || passed < failed);
            }
        }
    }

    #[test]
    fn a_damaged_one_says_why_and_where_the_proof_lies() {
        let evidence = Evidence { proofs: vec![proof(7, Verdict::Failed, Depth::Files)], ..Evidence::default() };
        let condition = Condition::of(&summary(State::Complete, 0, false, 0), &evidence);
        assert_eq!(condition.remark().unwrap(), "a; and 1 more (proofs/20261122T000700Z.json)");
    }
}
