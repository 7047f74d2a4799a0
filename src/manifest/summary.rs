//! What a line of a list needs of a manifest, read without building the rest of it: a manifest of many tables is large.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Format, Label, Manifest, Snapshot, Source, State};

/// A manifest in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The backup's name.
    pub id: Label,
    /// Whether everything that was asked for is in it, as it was judged when it was made.
    pub state: State,
    /// What was backed up.
    pub source: Source,
    /// The moment that the backup shows.
    pub snapshot: Snapshot,
    /// The options that leave something out.
    pub filters: Vec<String>,
    /// They stand in the configuration.
    pub are_filters_usual: bool,
    /// How many objects could not be dumped.
    pub skipped_count: usize,
    /// Why it looked wrong.
    pub suspicions: Vec<String>,
    /// The archive's form.
    pub format: Format,
    /// The archive's compression.
    pub compression: String,
    /// Tables with rows.
    pub table_count: usize,
    /// Their rows.
    pub row_count: u64,
    /// The bytes of rows and large objects before compression.
    pub data_bytes: u64,
    /// When it was begun, by its host's clock.
    pub begun: DateTime<Utc>,
    /// When it was finished, by its host's clock.
    pub finished: DateTime<Utc>,
}

impl From<&Manifest> for Summary {
    fn from(manifest: &Manifest) -> Self {
        Self {
            id: manifest.id.clone(),
            state: manifest.state,
            source: manifest.source.clone(),
            snapshot: manifest.snapshot.clone(),
            filters: manifest.filters.clone(),
            are_filters_usual: manifest.are_filters_usual,
            skipped_count: manifest.skipped.len(),
            suspicions: manifest.suspicions.clone(),
            format: manifest.archive.format,
            compression: manifest.archive.compression.clone(),
            table_count: manifest.tables.len(),
            row_count: manifest.row_count(),
            data_bytes: manifest.data_bytes(),
            begun: manifest.timings.begun,
            finished: manifest.timings.finished,
        }
    }
}

/// The members of the stored form that count; the others are passed over.
#[derive(Deserialize)]
pub(super) struct Form {
    id: Label,
    state: State,
    source: Source,
    snapshot: Snapshot,
    filters: Vec<String>,
    #[serde(default)]
    are_filters_usual: bool,
    #[serde(deserialize_with = "count")]
    skipped: usize,
    #[serde(default)]
    suspicions: Vec<String>,
    archive: ArchiveForm,
    #[serde(deserialize_with = "sum_tables")]
    tables: Sums,
    large_objects: Option<LargeObjectsForm>,
    timings: TimingsForm,
}

#[derive(Deserialize)]
struct ArchiveForm {
    format: Format,
    compression: String,
}

#[derive(Deserialize)]
struct LargeObjectsForm {
    bytes: u64,
}

#[derive(Deserialize)]
struct TimingsForm {
    begun: DateTime<Utc>,
    finished: DateTime<Utc>,
}

#[derive(Deserialize)]
struct TableForm {
    rows: u64,
    bytes: u64,
}

#[derive(Default)]
struct Sums {
    count: usize,
    rows: u64,
    bytes: u64,
}

/// Counts the elements of a list and keeps none.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let mut count = 0;
    each(deserializer, |_: IgnoredAny| count += 1).map(|()| count)
}

/// Adds the tables up and keeps none.
fn sum_tables<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sums, D::Error> {
    let mut sums = Sums::default();
    each(deserializer, |table: TableForm| {
        sums.count += 1;
        sums.rows = sums.rows.saturating_add(table.rows);
        sums.bytes = sums.bytes.saturating_add(table.bytes);
    })
    .map(|()| sums)
}

fn each<'de, T, D>(deserializer: D, take: impl FnMut(T)) -> Result<(), D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Each<T, F>(F, PhantomData<T>);

    impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<T, F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
            while let Some(element) = list.next_element()? {
                (self.0)(element);
            }
            Ok(())
        }
    }

    deserializer.deserialize_seq(Each(take, PhantomData))
}

impl From<Form> for Summary {
    fn from(form: Form) -> Self {
        let large_objects = form.large_objects.map_or(0, |objects| objects.bytes);
        Self {
            id: form.id,
            state: form.state,
            source: form.source,
            snapshot: form.snapshot,
            filters: form.filters,
            are_filters_usual: form.are_filters_usual,
            skipped_count: form.skipped,
            suspicions: form.suspicions,
            format: form.archive.format,
            compression: form.archive.compression,
            table_count: form.tables.count,
            row_count: form.tables.rows,
            data_bytes: form.tables.bytes.saturating_add(large_objects),
            begun: form.timings.begun,
            finished: form.timings.finished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{decode, decode_summary, encode, tests::sample};

    #[test]
    fn says_what_the_whole_manifest_says() {
        let mut manifest = sample("20261121T030000Z-k3f9");
        manifest.suspicions = vec!["the database is empty".to_owned()];
        manifest.are_filters_usual = true;
        manifest.tables.push(manifest.tables[0].clone());
        let bytes = encode(&manifest);
        let summary = decode_summary("a", &bytes).unwrap();
        assert_eq!(summary, Summary::from(&decode("a", &bytes).unwrap()));
        assert_eq!((summary.table_count, summary.row_count), (2, 6));
    }

    #[test]
    fn a_damaged_manifest_has_no_summary_either() {
        let bytes = encode(&sample("20261121T030000Z-k3f9"));
        for position in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[position] ^= 4;
            let whole = decode("a", &damaged).unwrap_err();
            assert_eq!(decode_summary("a", &damaged).unwrap_err().to_string(), whole.to_string(), "{position}");
        }
    }
}
