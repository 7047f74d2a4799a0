//! Which backup a person means.

use super::{Backup, Standing, read_only, survey};
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Condition;
use crate::store::{Store, decode_component};

/// A backup as it is named on the command line: `latest`, an id, the beginning of an id, each with or without
/// `DATABASE/` in front. A database's name is spelled as its folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The database, when it was named.
    pub database: Option<String>,
    /// Which of its backups.
    pub which: Which,
    /// `latest` may be one that options on the command line filtered, although an older whole one is there.
    pub include_filtered: bool,
}

/// Which of a database's backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The newest good one; where there is none, the newest filtered one.
    Latest,
    /// The one whose id begins so.
    Id(String),
}

/// The shortest beginning of an id that names a backup: its day.
const PREFIX_MIN: usize = 8;

impl Query {
    /// Reads what was typed; `None` when it cannot name a backup (it may be a file's name).
    pub fn parse(text: &str) -> Option<Self> {
        let (database, which) = match text.rsplit_once('/') {
            Some((database, _)) if database.is_empty() || database.contains('/') => return None,
            Some((database, which)) => (Some(decode_component(database)), which),
            None => (None, text),
        };
        let is_prefix = which.len() >= PREFIX_MIN
            && which.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && which.bytes().take(PREFIX_MIN).all(|byte| byte.is_ascii_digit());
        if which == "latest" {
            Some(Self { database, which: Which::Latest, include_filtered: false })
        } else if is_prefix {
            Some(Self { database, which: Which::Id(which.to_owned()), include_filtered: false })
        } else {
            None
        }
    }

    /// The same query, within this database unless another was named.
    #[must_use]
    pub fn within(mut self, database: Option<&str>) -> Self {
        self.database = self.database.or_else(|| database.map(str::to_owned));
        self
    }

    /// The query for exactly this backup.
    #[must_use]
    pub fn exactly(&self, backup: &Backup) -> Self {
        Self { database: Some(backup.database.clone()), which: Which::Id(backup.id.to_string()), ..self.clone() }
    }

    /// The same query, in which `latest` may be a filtered backup.
    #[must_use]
    pub fn including_filtered(mut self, include: bool) -> Self {
        self.include_filtered = include;
        self
    }
}

fn not_found(store: &dyn Store, what: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("no {what} in {}", store.describe()))
        .hint("Look at what is there with: db list --store ...")
}

/// A backup that was found, and what the person should know of the choice.
#[derive(Debug)]
pub struct Found {
    /// It, with its whole manifest.
    pub backup: Backup,
    /// That it is not all of its database or not good, and what newer ones were passed over and why.
    pub remarks: Vec<String>,
}

/// Finds one complete backup in a store.
///
/// `latest` means the newest good one or, where a database has none, the newest filtered one; it is refused where the store
/// has backups of several databases. A backup that is named and is not complete is refused with the reason.
pub async fn find(store: &dyn Store, query: &Query) -> Result<Found> {
    let backups = survey(store, query.database.as_deref()).await?;
    let (backup, mut remarks) = match &query.which {
        Which::Latest => latest(store, backups, query.include_filtered)?,
        Which::Id(prefix) => (by_id(store, backups, prefix)?, Vec::new()),
    };
    let condition = backup.condition();
    if let Some(remark) = condition.remark() {
        remarks.insert(0, format!("backup {} is {}: {remark}", backup.name(), condition.word()));
    }
    let backup = backup.complete(store).await?;
    match backup.standing {
        Standing::Unreadable(error) => Err(error),
        Standing::Complete { .. }
        | Standing::Summarized { .. }
        | Standing::Unread
        | Standing::Deleting
        | Standing::Unfinished
        | Standing::LeftOver => Ok(Found { backup, remarks }),
    }
}

fn latest(store: &dyn Store, backups: Vec<Backup>, include_filtered: bool) -> Result<(Backup, Vec<String>)> {
    let conditions: Vec<Condition> = backups.iter().map(Backup::condition).collect();
    let usual: Vec<bool> = conditions.iter().map(|condition| condition.counts(include_filtered)).collect();
    let any: Vec<bool> = conditions.iter().map(|condition| condition.counts(true)).collect();
    let mut databases: Vec<&str> =
        backups.iter().zip(&any).filter(|(_, any)| **any).map(|(backup, _)| backup.database.as_str()).collect();
    databases.dedup();
    if let [first, _, ..] = databases.as_slice() {
        return Err(Error::new(ErrorKind::Usage, "\"latest\" is ambiguous")
            .detail(format!("{} has backups of the databases {}", store.describe(), databases.join(", ")))
            .hint(format!("Say which database, for example {first}/latest.")));
    }
    let chosen = usual.iter().rposition(|counts| *counts).or_else(|| any.iter().rposition(|counts| *counts));
    let is_empty = backups.is_empty();
    let damaged = conditions.iter().rposition(|condition| matches!(condition, Condition::Damaged { .. }));
    let damaged = damaged.and_then(|place| backups.get(place)).map(Backup::name);
    let newer_from = chosen.map_or(0, |chosen| chosen + 1);
    let (mut remarks, mut backup, mut newer_damage) = (Vec::new(), None, None);
    for ((place, one), condition) in backups.into_iter().enumerate().zip(&conditions) {
        if Some(place) == chosen {
            backup = Some(one);
        } else if place >= newer_from && backup.as_ref().is_none_or(|chosen| chosen.database == one.database) {
            let remark = condition.remark().unwrap_or_default();
            match condition {
                Condition::Unreadable(_) => {
                    if let Standing::Unreadable(error) = one.standing {
                        newer_damage = Some(error);
                    }
                }
                Condition::LeftOver => {}
                Condition::Filtered { .. } => remarks.push(format!(
                    "backup {} is newer and filtered: {remark}; --include-filtered takes it",
                    one.name()
                )),
                Condition::Good
                | Condition::Partial(_)
                | Condition::Suspect(_)
                | Condition::Damaged { .. }
                | Condition::Unfinished
                | Condition::Deleting => {
                    remarks.push(format!("backup {} is newer and {}: {remark}", one.name(), condition.word()));
                }
            }
        }
    }
    match (backup, newer_damage) {
        (Some(backup), None) => Ok((backup, remarks)),
        (Some(backup), Some(error)) => Err(hint_at(error, &backup)),
        (None, Some(error)) => Err(error),
        (None, None) if is_empty => Err(not_found(store, "backup")),
        (None, None) => Err(match damaged {
            Some(name) => not_found(store, "good backup").detail(format!("the newest damaged one is {name}")),
            None => not_found(store, "good backup").detail("none is complete, undamaged and unsuspected"),
        }),
    }
}

/// A damaged newest backup is never passed over in silence: an older one has other rows.
fn hint_at(error: Error, older: &Backup) -> Error {
    error.hint(format!("The newest good backup that can be read is {}; name it if it is meant.", older.name()))
}

fn by_id(store: &dyn Store, backups: Vec<Backup>, prefix: &str) -> Result<Backup> {
    let mut matching: Vec<Backup> =
        backups.into_iter().filter(|backup| backup.id.to_string().starts_with(prefix)).collect();
    let Some(backup) = matching.pop() else { return Err(not_found(store, &format!("backup \"{prefix}\""))) };
    if !matching.is_empty() {
        matching.push(backup);
        let names: Vec<String> = matching.iter().map(Backup::name).collect();
        return Err(Error::new(ErrorKind::Usage, format!("\"{prefix}\" is ambiguous"))
            .detail(format!("it can be {}", names.join(", ")))
            .hint("Give the whole id."));
    }
    let name = backup.name();
    match backup.standing {
        Standing::Complete { .. } | Standing::Summarized { .. } | Standing::Unread => Ok(backup),
        Standing::Unreadable(error) => Err(error),
        Standing::Deleting => Err(Error::new(ErrorKind::Archive, format!("backup {name} is being deleted"))
            .hint("Its deletion is finished by the next db prune --yes.")),
        Standing::Unfinished => Err(Error::new(ErrorKind::Archive, format!("backup {name} was never finished"))
            .detail("it has no manifest: a run is writing it, or one has died")),
        Standing::LeftOver => Err(Error::new(ErrorKind::Archive, format!("{name} is no backup"))
            .detail("there are files without a manifest, which no db backup is writing")),
    }
}

/// The newest backup of a database that satisfies `is_wanted`, with its whole manifest: older than `backup`, or of all where
/// that is `None`.
pub async fn newest_before(
    store: &dyn Store,
    database: &str,
    backup: Option<&Backup>,
    is_wanted: impl Fn(&Backup) -> bool,
) -> Result<Option<Backup>> {
    let is_older = |one: &Backup| backup.is_none_or(|backup| one.age_key() < backup.age_key());
    // two of one second are told apart by what their manifests say, so those of the same second are looked at, too
    let mut unread = read_only(store, database, |_| false).await?;
    while let Some(one) = unread.pop() {
        if !matches!(one.standing, Standing::Unread) || backup.is_some_and(|backup| one.id.time() > backup.id.time()) {
            continue;
        }
        let one = one.summarize(store).await?;
        if is_older(&one) && is_wanted(&one) {
            return Ok(Some(one.complete(store).await?).filter(|found| found.manifest().is_some()));
        }
    }
    Ok(None)
}
