//! `db list`: the backups of a store.

use chrono::{DateTime, Utc};

use crate::error::Result;
use crate::manifest::{Condition, Format, Label};
use crate::shelf::{self, Backup};
use crate::store::Store;

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only backups of this database.
    pub database: Option<String>,
}

/// One backup in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The database that its folder is named after.
    pub database: String,
    /// Its name.
    pub id: Label,
    /// What state it is in.
    pub condition: Condition,
    /// The bytes of everything in its folder.
    pub stored_bytes: u64,
    /// What its manifest says, when it has a usable one.
    pub content: Option<Content>,
}

/// What the manifest says, in short.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// The moment that the backup shows.
    pub time: DateTime<Utc>,
    /// The archive's form.
    pub format: Format,
    /// The archive's compression.
    pub compression: String,
    /// The source's `server_version`.
    pub server_version: String,
    /// Tables with rows.
    pub table_count: usize,
    /// Their rows.
    pub row_count: u64,
    /// The bytes of rows and large objects before compression.
    pub data_bytes: u64,
}

impl From<Backup> for Row {
    fn from(backup: Backup) -> Self {
        let stored_bytes = backup.stored_bytes();
        let condition = backup.condition();
        let content = backup.summary().map(|summary| Content {
            time: summary.snapshot.time,
            format: summary.format,
            compression: summary.compression.clone(),
            server_version: summary.source.server_version.clone(),
            table_count: summary.table_count,
            row_count: summary.row_count,
            data_bytes: summary.data_bytes,
        });
        Self { database: backup.database, id: backup.id, condition, stored_bytes, content }
    }
}

/// Lists a store's backups by database, oldest first. One that is broken is listed as such and hides no other.
pub async fn run(options: &Options, store: &dyn Store) -> Result<Vec<Row>> {
    let backups = shelf::survey(store, options.database.as_deref()).await?;
    Ok(backups.into_iter().map(Row::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::State;
    use crate::shelf::tests::{put, put_backup};
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn shows_every_backup_in_its_condition() {
        let store = MemoryStore::new();
        put_backup(&store, "20261118T030000Z-k3f9", |_| {}).await;
        put_backup(&store, "20261119T030000Z-k3f9", |manifest| manifest.filters.push("--table=a".to_owned())).await;
        put_backup(&store, "20261120T030000Z-k3f9", |manifest| manifest.state = State::Partial).await;
        put(&store, "shop/20261121T030000Z-k3f9/manifest.json", "{}").await;
        put(&store, "shop/20261122T030000Z-k3f9/archive.dump", "x").await;
        let rows = run(&Options::default(), &store).await.unwrap();
        let words: Vec<&str> = rows.iter().map(|row| row.condition.word()).collect();
        assert_eq!(words, ["good", "filtered", "partial", "unreadable", "leftover"]);
        assert_eq!(rows[0].content.as_ref().map(|content| content.row_count), Some(3));
        let other = Options { database: Some("other".to_owned()) };
        assert_eq!(run(&other, &store).await.unwrap(), []);
    }
}
