//! `db status`: is the newest good backup young enough? Asked of the store alone, from any machine.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Result;
use crate::manifest::{Condition, Label, Summary};
use crate::retention::CLOCK_TOLERANCE;
use crate::shelf::{self, Backup, Standing};
use crate::store::Store;

/// What is expected.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only this database; without one every database that the store has backups of.
    pub database: Option<String>,
    /// How old the newest good backup may be.
    pub max_age: Duration,
    /// Backups that options on the command line filtered count, too.
    pub include_filtered: bool,
}

/// What was found of one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The database.
    pub database: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The newest good backup: its name, the moment that it shows, and its age.
    pub newest: Option<Newest>,
    /// Backups that count.
    pub good_count: usize,
    /// How many of them are dated in the future.
    pub future_count: usize,
    /// Backups that do not count, by their state in one word: filtered, partial, suspect, damaged, unreadable, unfinished.
    pub others: BTreeMap<&'static str, usize>,
    /// What is to be known of the newest and of what is newer than it.
    pub remarks: Vec<String>,
}

impl Status {
    /// How many backups do not count.
    pub fn other_count(&self) -> usize {
        self.others.values().sum()
    }
}

/// The newest good backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Its name.
    pub id: Label,
    /// The moment that it shows.
    pub time: DateTime<Utc>,
    /// How long ago that was.
    pub age: Duration,
}

/// Whether one may sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Young enough.
    Fine,
    /// The newest good backup is too old.
    TooOld,
    /// There is no good backup.
    Missing,
    /// All good backups are dated in the future: this clock, or the one that they were made by, is wrong.
    FutureDated,
}

impl Verdict {
    /// In JSON and in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::TooOld => "too old",
            Self::Missing => "missing",
            Self::FutureDated => "dated in the future",
        }
    }
}

/// Looks at the newest good backup of each database. A store that cannot be read is an error, never a verdict.
///
/// A store without any backup gives one status without a name, or that of the database that was asked for: it is missing.
/// A backup that is dated in the future says nothing about its age and is passed over.
pub async fn run(options: &Options, store: &dyn Store, now: DateTime<Utc>) -> Result<Vec<Status>> {
    let mut by_database: BTreeMap<String, Vec<Backup>> = BTreeMap::new();
    for backup in shelf::survey(store, options.database.as_deref()).await? {
        // what is no backup makes no database
        if !matches!(backup.standing, Standing::LeftOver) {
            by_database.entry(backup.database.clone()).or_default().push(backup);
        }
    }
    if by_database.is_empty() {
        by_database.insert(options.database.clone().unwrap_or_default(), Vec::new());
    }
    Ok(by_database.into_iter().map(|(database, backups)| judge(options, database, &backups, now)).collect())
}

fn judge(options: &Options, database: String, backups: &[Backup], now: DateTime<Utc>) -> Status {
    let judged: Vec<(&Backup, Condition)> = backups.iter().map(|backup| (backup, backup.condition())).collect();
    let good: Vec<(&Backup, &Condition, Summary)> = judged
        .iter()
        .filter(|(_, condition)| condition.counts(options.include_filtered))
        .filter_map(|(backup, condition)| Some((*backup, condition, backup.summary()?.into_owned())))
        .collect();
    let is_past = |summary: &Summary| summary.snapshot.time <= now + CLOCK_TOLERANCE;
    let newest =
        good.iter().filter(|(_, _, summary)| is_past(summary)).max_by_key(|(_, _, summary)| summary.snapshot.time);
    let future_count = good.iter().filter(|(_, _, summary)| !is_past(summary)).count();
    let mut remarks = Vec::new();
    if let Some(remark) = newest.and_then(|(_, condition, _)| condition.remark()) {
        remarks.push(remark);
    }
    if future_count > 0 && newest.is_some() {
        remarks.push(format!("{future_count} dated in the future, not counted"));
    }
    let mut others = BTreeMap::new();
    for (backup, condition) in judged.iter().filter(|(_, condition)| !condition.counts(options.include_filtered)) {
        if matches!(condition, Condition::Deleting) {
            continue;
        }
        *others.entry(condition.word()).or_default() += 1;
        let is_newer = newest.is_none_or(|(_, _, summary)| backup.id > summary.id);
        // a run may just be writing an unfinished one
        if is_newer && !matches!(condition, Condition::Unfinished) {
            let advice = match condition {
                Condition::Filtered { .. } => {
                    "; --include-filtered counts it, as does a selection in the configuration file"
                }
                Condition::Suspect(_) => "; db accept counts it from then on",
                Condition::Good
                | Condition::Partial(_)
                | Condition::Damaged { .. }
                | Condition::Unreadable(_)
                | Condition::Deleting
                | Condition::Unfinished
                | Condition::LeftOver => "",
            };
            let remark = condition.remark().unwrap_or_default();
            remarks.push(format!("{} is {}: {remark}{advice}", backup.id, condition.word()));
        }
    }
    let newest = newest.map(|(_, _, summary)| Newest {
        id: summary.id.clone(),
        time: summary.snapshot.time,
        age: (now - summary.snapshot.time).max(TimeDelta::zero()).to_std().unwrap_or(Duration::MAX),
    });
    let verdict = match &newest {
        None if future_count > 0 => Verdict::FutureDated,
        None => Verdict::Missing,
        Some(newest) if newest.age > options.max_age => Verdict::TooOld,
        Some(_) => Verdict::Fine,
    };
    Status { database, verdict, newest, good_count: good.len(), future_count, others, remarks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::State;
    use crate::manifest::evidence::tests::stored_proof;
    use crate::shelf::tests::{put, put_backup};
    use crate::store::MemoryStore;

    fn options(database: Option<&str>) -> Options {
        Options {
            database: database.map(str::to_owned),
            max_age: Duration::from_secs(26 * 3600),
            include_filtered: false,
        }
    }

    async fn verdicts(store: &MemoryStore, database: Option<&str>) -> Vec<(String, Verdict)> {
        let now = "2026-11-21T04:00:00Z".parse().unwrap();
        let found = run(&options(database), store, now).await.unwrap();
        found.into_iter().map(|status| (status.database, status.verdict)).collect()
    }

    #[tokio::test]
    async fn only_good_backups_count() {
        let store = MemoryStore::new();
        assert_eq!(verdicts(&store, None).await, [(String::new(), Verdict::Missing)]);
        put_backup(&store, "20261120T010000Z-k3f9", |_| {}).await;
        put_backup(&store, "20261121T010000Z-k3f9", |manifest| manifest.state = State::Suspect).await;
        put_backup(&store, "20261121T020000Z-k3f9", |manifest| manifest.filters.push("--table=a".to_owned())).await;
        put(&store, "shop/20261121T030000Z-k3f9/manifest.json", "{}").await;
        put_backup(&store, "20361121T030000Z-k3f9", |_| {}).await;
        assert_eq!(verdicts(&store, None).await, [("shop".to_owned(), Verdict::TooOld)]);
        let filtered = Options { include_filtered: true, ..options(None) };
        let found = run(&filtered, &store, "2026-11-21T04:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!(found[0].verdict, Verdict::Fine);
        put_backup(&store, "20261120T020000Z-k3f9", |_| {}).await;
        assert_eq!(verdicts(&store, None).await, [("shop".to_owned(), Verdict::Fine)]);
        assert_eq!(verdicts(&store, Some("blog")).await, [("blog".to_owned(), Verdict::Missing)]);
    }

    #[tokio::test]
    async fn counts_what_is_no_good_backup() {
        let store = MemoryStore::new();
        put_backup(&store, "20261121T030000Z-k3f9", |_| {}).await;
        put(&store, "shop/20261121T040000Z-k3f9/archive.dump", "x").await;
        put(&store, "blog/20261121T040000Z-k3f9/archive.dump", "left over, and no database's backup").await;
        put(&store, "shop/20261121T020000Z-k3f9/tombstone.json", "x").await;
        put_backup(&store, "20261121T010000Z-k3f9", |manifest| manifest.state = State::Partial).await;
        let found = run(&options(None), &store, "2026-11-21T04:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!((found[0].good_count, found[0].other_count()), (1, 1));
        assert_eq!(found[0].others.keys().copied().collect::<Vec<_>>(), ["partial"]);
        assert_eq!(found[0].newest.as_ref().map(|newest| newest.age), Some(Duration::from_secs(3600)));
    }

    #[tokio::test]
    async fn a_selection_of_the_configuration_is_normal_and_a_damaged_backup_is_not() {
        let store = MemoryStore::new();
        let now = "2026-11-21T04:00:00Z".parse().unwrap();
        put_backup(&store, "20261121T030000Z-k3f9", |manifest| {
            manifest.filters.push("--exclude-table=log".to_owned());
            manifest.are_filters_usual = true;
        })
        .await;
        let found = run(&options(None), &store, now).await.unwrap();
        assert_eq!(found[0].verdict, Verdict::Fine);
        assert_eq!(found[0].remarks, ["holds what the configuration selects: --exclude-table=log"]);
        let folder = "shop/20261121T030000Z-k3f9";
        let proof = stored_proof(folder, "2026-11-21T03:30:00Z", "failed", "rows");
        put(&store, &format!("{folder}/proofs/20261121T033000Z.json"), proof).await;
        let found = run(&options(None), &store, now).await.unwrap();
        assert_eq!(found[0].verdict, Verdict::Missing);
        assert_eq!(found[0].others["damaged"], 1);
        assert!(found[0].remarks[0].ends_with("(proofs/20261121T033000Z.json)"), "{:?}", found[0].remarks);
    }

    #[tokio::test]
    async fn a_clock_in_the_past_is_told() {
        let store = MemoryStore::new();
        put_backup(&store, "20261120T030000Z-k3f9", |_| {}).await;
        put_backup(&store, "20261121T030000Z-k3f9", |_| {}).await;
        let found = run(&options(None), &store, "2025-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!((found[0].verdict, found[0].future_count), (Verdict::FutureDated, 2));
    }
}
