//! Which backup a person means.

use super::{Backup, Standing, read};
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Label;
use crate::store::{Store, decode_component};

/// A backup as it is named on the command line: `latest`, an id, the beginning of an id, each with or without
/// `DATABASE/` in front. A database's name is spelled as its folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The database, when it was named.
    pub database: Option<String>,
    /// Which of its backups.
    pub which: Which,
}

/// Which of a database's backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The newest good one.
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
            Some(Self { database, which: Which::Latest })
        } else if is_prefix {
            Some(Self { database, which: Which::Id(which.to_owned()) })
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
}

fn not_found(store: &dyn Store, what: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("no {what} in {}", store.describe()))
        .hint("Look at what is there with: db list --store ...")
}

/// Finds one complete backup in a store.
///
/// `latest` means the newest good one, and is refused where the store has backups of several databases. A backup that is
/// named and is not complete is refused with the reason.
pub async fn find(store: &dyn Store, query: &Query) -> Result<Backup> {
    let backups = read(store, query.database.as_deref()).await?;
    match &query.which {
        Which::Latest => latest(store, backups),
        Which::Id(prefix) => by_id(store, backups, prefix),
    }
}

fn latest(store: &dyn Store, backups: Vec<Backup>) -> Result<Backup> {
    let good = |backup: &Backup| backup.manifest().is_some_and(crate::manifest::Manifest::is_good);
    let mut databases: Vec<String> =
        backups.iter().filter(|backup| good(backup)).map(|backup| backup.database.clone()).collect();
    databases.dedup();
    if let [first, _, ..] = databases.as_slice() {
        return Err(Error::new(ErrorKind::Usage, "\"latest\" is ambiguous")
            .detail(format!("{} has backups of the databases {}", store.describe(), databases.join(", ")))
            .hint(format!("Say which database, for example {first}/latest.")));
    }
    let incomplete = backups.len();
    let mut newer_damage = None;
    for backup in backups.into_iter().rev() {
        if good(&backup) {
            return match newer_damage {
                None => Ok(backup),
                Some(error) => Err(hint_at(error, &backup)),
            };
        }
        if let Standing::Unreadable(error) = backup.standing {
            newer_damage.get_or_insert(error);
        }
    }
    Err(newer_damage.unwrap_or_else(|| match incomplete {
        0 => not_found(store, "backup"),
        _ => not_found(store, "complete and unfiltered backup"),
    }))
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
        Standing::Complete { .. } | Standing::Unread => Ok(backup),
        Standing::Unreadable(error) => Err(error),
        Standing::Deleting => Err(Error::new(ErrorKind::Archive, format!("backup {name} is being deleted"))
            .hint("Its deletion is finished by the next db prune --yes.")),
        Standing::Unfinished => Err(Error::new(ErrorKind::Archive, format!("backup {name} was never finished"))
            .detail("it has no manifest: a run is writing it, or one has died")),
    }
}

/// The newest complete backup whose name is smaller than `id`'s in the same database, for comparisons with the one
/// before.
pub fn previous<'a>(backups: &'a [Backup], database: &str, id: &Label) -> Option<&'a Backup> {
    backups
        .iter()
        .filter(|backup| backup.database == database && backup.id < *id && backup.manifest().is_some())
        .max_by(|one, other| one.id.cmp(&other.id))
}
