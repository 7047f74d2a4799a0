//! `db status`: is the newest good backup young enough? Asked of the store alone, from any machine.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::Result;
use crate::manifest::{Label, Manifest, State};
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
    /// Backups that options filtered count, too.
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
    /// Complete backups that are whole.
    pub good_count: usize,
    /// Backups that are not: filtered, partial, suspect, unreadable, unfinished.
    pub other_count: usize,
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
}

impl Verdict {
    /// In JSON and in tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::TooOld => "too old",
            Self::Missing => "missing",
        }
    }
}

/// Looks at the newest good backup of each database. A store that cannot be read is an error, never a verdict.
///
/// A store without any backup gives one status without a name, or that of the database that was asked for: it is missing.
/// A backup that is dated in the future says nothing about its age and is passed over.
pub async fn run(options: &Options, store: &dyn Store, now: DateTime<Utc>) -> Result<Vec<Status>> {
    let mut by_database: BTreeMap<String, Vec<Backup>> = BTreeMap::new();
    for backup in shelf::read(store, options.database.as_deref()).await? {
        by_database.entry(backup.database.clone()).or_default().push(backup);
    }
    if by_database.is_empty() {
        by_database.insert(options.database.clone().unwrap_or_default(), Vec::new());
    }
    Ok(by_database.into_iter().map(|(database, backups)| judge(options, database, &backups, now)).collect())
}

fn judge(options: &Options, database: String, backups: &[Backup], now: DateTime<Utc>) -> Status {
    let counts = |manifest: &&Manifest| match manifest.state {
        State::Complete => options.include_filtered || manifest.filters.is_empty(),
        State::Partial | State::Suspect => false,
    };
    let good: Vec<&Manifest> = backups.iter().filter_map(Backup::manifest).filter(counts).collect();
    let newest = good
        .iter()
        .filter(|manifest| manifest.snapshot.time <= now + CLOCK_TOLERANCE)
        .max_by_key(|manifest| manifest.snapshot.time)
        .map(|manifest| Newest {
            id: manifest.id.clone(),
            time: manifest.snapshot.time,
            age: (now - manifest.snapshot.time).max(TimeDelta::zero()).to_std().unwrap_or(Duration::MAX),
        });
    let verdict = match &newest {
        None => Verdict::Missing,
        Some(newest) if newest.age > options.max_age => Verdict::TooOld,
        Some(_) => Verdict::Fine,
    };
    let standing = backups.iter().filter(|backup| !matches!(backup.standing, Standing::Deleting)).count();
    Status { database, verdict, newest, good_count: good.len(), other_count: standing.saturating_sub(good.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        put(&store, "shop/20261121T020000Z-k3f9/tombstone.json", "x").await;
        let found = run(&options(None), &store, "2026-11-21T04:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!((found[0].good_count, found[0].other_count), (1, 1));
        assert_eq!(found[0].newest.as_ref().map(|newest| newest.age), Some(Duration::from_secs(3600)));
    }
}
