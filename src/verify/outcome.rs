use serde::{Deserialize, Serialize};

use super::{Finding, FindingKind, Level};

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What was verified: a backup's name or a file.
    pub target: String,
    /// The level that was asked for; without one, as deep as possible.
    pub requested: Option<Level>,
    /// Every level that was reached or had to be left out, in their order.
    pub levels: Vec<LevelOutcome>,
    /// What is not as it should be, in the order of the levels.
    pub findings: Vec<Finding>,
    /// What is odd and no damage.
    pub notes: Vec<String>,
}

/// What became of one level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelOutcome {
    /// Which one.
    pub level: Level,
    /// What became of it.
    pub verdict: LevelVerdict,
    /// How much was checked.
    pub checked: Vec<Checked>,
    /// Parts of the level that could not be checked, and why. Not empty does not mean passed.
    pub not_checked: Vec<NotChecked>,
}

/// What became of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelVerdict {
    /// Everything was checked and is as it should be.
    Passed,
    /// There are findings.
    Failed,
    /// It, or a part of it, could not be checked. That is no pass.
    NotChecked,
}

/// How many of something were checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checked {
    /// `files`, `bytes`, `entries`, `rows`, `policies`.
    pub what: String,
    /// How many.
    pub count: u64,
}

/// Something that could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotChecked {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// The target is of a kind that cannot tell it: a bare archive has no manifest, SQL text has no large objects, two
    /// majors of PostgreSQL print one view in two ways.
    pub not_checkable: bool,
}

/// The verdict on all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that was asked for was checked and is as it should be.
    Passed,
    /// There are findings by which the backup is not what was written.
    Damaged,
    /// A live database is not as the backup has it, of which nothing is wrong.
    Differs,
    /// Nothing is wrong with the backup, but something that was wished for is not in it.
    Unmet,
    /// No findings, but something that was asked for could not be checked.
    Incomplete,
}

impl Outcome {
    pub(super) fn new(target: impl Into<String>, requested: Option<Level>) -> Self {
        Self { target: target.into(), requested, levels: Vec::new(), findings: Vec::new(), notes: Vec::new() }
    }

    /// The verdict on all of it.
    ///
    /// Without a requested level, what cannot be checked because the target has no manifest is no failure; what could not be
    /// checked for any other reason is.
    pub fn verdict(&self) -> Verdict {
        if self.findings.iter().any(|finding| finding.level != Level::Live && !finding.wished) {
            return Verdict::Damaged;
        }
        if self.findings.iter().any(|finding| !finding.wished) {
            return Verdict::Differs;
        }
        if !self.findings.is_empty() {
            return Verdict::Unmet;
        }
        let wanted = |level: &LevelOutcome| {
            self.requested.is_some() || level.not_checked.iter().any(|not_checked| !not_checked.not_checkable)
        };
        if self.levels.iter().any(|level| level.verdict == LevelVerdict::NotChecked && wanted(level)) {
            return Verdict::Incomplete;
        }
        // nothing but the presence of files was seen
        if !self.levels.iter().any(|level| level.verdict == LevelVerdict::Passed) {
            return Verdict::Incomplete;
        }
        Verdict::Passed
    }

    /// The outcome of one level, when it was reached.
    pub fn level(&self, level: Level) -> Option<&LevelOutcome> {
        self.levels.iter().find(|outcome| outcome.level == level)
    }

    /// How many findings are of this kind.
    pub fn count(&self, kind: FindingKind) -> usize {
        self.findings.iter().filter(|finding| finding.kind == kind).count()
    }

    pub(super) fn add(&mut self, report: LevelReport) {
        let LevelReport { level, findings, checked, not_checked } = report;
        // between two servers some things cannot be compared at all: that is told, and the rest is judged
        let is_passable = |left: &NotChecked| level == Level::Live && left.not_checkable && !checked.is_empty();
        let verdict = if !findings.is_empty() {
            LevelVerdict::Failed
        } else if !not_checked.iter().all(is_passable) {
            LevelVerdict::NotChecked
        } else {
            LevelVerdict::Passed
        };
        self.levels.push(LevelOutcome { level, verdict, checked, not_checked });
        self.findings.extend(findings);
    }
}

/// A level while it is looked at.
#[derive(Debug)]
pub(super) struct LevelReport {
    level: Level,
    findings: Vec<Finding>,
    checked: Vec<Checked>,
    not_checked: Vec<NotChecked>,
}

impl LevelReport {
    pub(super) fn new(level: Level) -> Self {
        Self { level, findings: Vec::new(), checked: Vec::new(), not_checked: Vec::new() }
    }

    pub(super) fn find(&mut self, kind: FindingKind, object: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(Finding::new(self.level, kind, object, detail));
    }

    /// What was found so far.
    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Notes what somebody wished for and the backup has not. That is no damage.
    pub(super) fn unmet(&mut self, kind: FindingKind, object: impl Into<String>, detail: impl Into<String>) {
        self.findings.push(Finding { wished: true, ..Finding::new(self.level, kind, object, detail) });
    }

    pub(super) fn checked(&mut self, what: &str, count: impl TryInto<u64>) {
        let count = count.try_into().unwrap_or(u64::MAX);
        match self.checked.iter_mut().find(|checked| checked.what == what) {
            Some(checked) => checked.count = checked.count.saturating_add(count),
            None => self.checked.push(Checked { what: what.to_owned(), count }),
        }
    }

    pub(super) fn not_checked(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_checked.push(NotChecked { what: what.into(), why: why.into(), not_checkable: false });
    }

    /// Notes what a target without a manifest cannot tell.
    pub(super) fn not_checkable(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_checked.push(NotChecked { what: what.into(), why: why.into(), not_checkable: true });
    }

    /// Takes in a report of another part of the same level.
    pub(super) fn merge(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.not_checked.extend(other.not_checked);
        for checked in other.checked {
            self.checked(&checked.what, checked.count);
        }
    }

    #[cfg(test)]
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(level: Level) -> LevelReport {
        let mut report = LevelReport::new(level);
        report.checked("files", 3_usize);
        report
    }

    fn impossible(level: Level) -> LevelReport {
        let mut report = LevelReport::new(level);
        report.not_checkable("rows", "there is no manifest");
        report
    }

    #[test]
    fn what_could_not_be_checked_is_no_pass() {
        let mut outcome = Outcome::new("a", Some(Level::Rows));
        outcome.add(passed(Level::Files));
        outcome.add(passed(Level::Archive));
        outcome.add(impossible(Level::Rows));
        assert_eq!(outcome.level(Level::Rows).map(|level| level.verdict), Some(LevelVerdict::NotChecked));
        assert_eq!(outcome.verdict(), Verdict::Incomplete);
    }

    #[test]
    fn a_bare_archive_passes_as_far_as_it_can_be_checked() {
        let mut outcome = Outcome::new("a", None);
        outcome.add(impossible(Level::Files));
        outcome.add(passed(Level::Archive));
        outcome.add(impossible(Level::Rows));
        assert_eq!(outcome.verdict(), Verdict::Passed);
        let mut partly = passed(Level::Expectations);
        partly.not_checked("policies", "the archive has no manifest");
        outcome.add(partly);
        assert_eq!(outcome.verdict(), Verdict::Incomplete);
    }

    #[test]
    fn nothing_checked_is_no_pass() {
        let mut outcome = Outcome::new("a", None);
        outcome.add(impossible(Level::Files));
        assert_eq!(outcome.verdict(), Verdict::Incomplete);
        assert_eq!(Outcome::new("a", None).verdict(), Verdict::Incomplete);
    }

    #[test]
    fn a_wish_that_is_not_met_is_no_damage() {
        let mut outcome = Outcome::new("a", None);
        let mut report = passed(Level::Expectations);
        report.unmet(FindingKind::TableMissing, "public.orders", "");
        outcome.add(report);
        assert_eq!(outcome.verdict(), Verdict::Unmet);
        let mut live = passed(Level::Live);
        live.find(FindingKind::PolicyDiffers, "public.orders.own", "");
        outcome.add(live);
        assert_eq!(outcome.verdict(), Verdict::Differs);
        let mut files = passed(Level::Files);
        files.find(FindingKind::FileMissing, "archive.dump", "");
        outcome.add(files);
        assert_eq!(outcome.verdict(), Verdict::Damaged);
    }

    #[test]
    fn a_finding_outweighs_everything() {
        let mut outcome = Outcome::new("a", Some(Level::Archive));
        let mut report = passed(Level::Files);
        report.find(FindingKind::FileMissing, "archive.dump", "");
        outcome.add(report);
        outcome.add(impossible(Level::Archive));
        assert_eq!(outcome.verdict(), Verdict::Damaged);
        assert_eq!(outcome.count(FindingKind::FileMissing), 1);
    }
}
