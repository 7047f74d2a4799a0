//! Whether a backup has lost what the one before it had: rows, tables, large objects. Pure. `backup` judges by it whether its
//! source looks right, and `verify` finds by it.
//!
//! Tables are compared one by one, the partitions of a partitioned table as one: old ones may be dropped as long as the whole
//! does not shrink to less than half. Tables that are named as volatile are not looked at.

use std::collections::BTreeMap;

use regex::Regex;

use crate::count::{counted, grouped};
use crate::error::{Error, ErrorKind, Result};
use crate::manifest::Manifest;
use crate::manifest::expected::{Relation, RelationKind};
use crate::plan::pattern::Pattern;

/// A table with fewer rows may lose most of them without a word, but not all.
const FEW_ROWS: u64 = 10;

/// The sums of a smaller database say nothing that its tables do not say.
const SUMMED_ROWS: u64 = 100;

/// Something of which there is less than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// What: a table, `large objects`, `rows`, `bytes of data`, `tables`.
    pub object: String,
    /// How much there is and how much there was.
    pub detail: String,
}

/// Tables whose rows come and go, by the patterns that `-t` takes.
#[derive(Debug, Default)]
pub struct Volatile(Vec<(Option<Regex>, Regex)>);

impl Volatile {
    /// Reads the patterns: `schema.table` or `table` in any schema.
    pub fn parse(patterns: &[String]) -> Result<Self> {
        let regex = |text: &str, pattern: &str| {
            Regex::new(text).map_err(|error| {
                Error::new(ErrorKind::Usage, format!("cannot use the pattern \"{pattern}\"")).caused_by(error)
            })
        };
        let read = |text: &String| {
            let pattern = Pattern::parse(text, 2)?;
            // of two parts the first is the schema here: the database is the one that is backed up
            let schema = pattern.database.map(|schema| regex(&format!("^({schema})$"), text)).transpose()?;
            Ok((schema, regex(&pattern.name, text)?))
        };
        patterns.iter().map(read).collect::<Result<_>>().map(Self)
    }

    fn has(&self, schema: &str, name: &str) -> bool {
        self.0.iter().any(|(in_schema, named)| {
            named.is_match(name) && in_schema.as_ref().is_none_or(|in_schema| in_schema.is_match(schema))
        })
    }
}

/// A table, or the partitions of one, in one backup.
#[derive(Default)]
struct Part {
    rows: u64,
    oids: Vec<u32>,
}

/// The tables with rows of one backup, without the volatile ones, and their sums.
#[derive(Default)]
struct Contents {
    parts: BTreeMap<(String, String), Part>,
    rows: u64,
    bytes: u64,
    tables: u64,
}

fn contents(manifest: &Manifest, volatile: &Volatile) -> Contents {
    let roots: BTreeMap<Vec<(&str, &str)>, &Relation> = (manifest.expected.relations.iter().rev())
        .filter(|relation| relation.kind == RelationKind::PartitionedTable)
        .map(|relation| (shape(relation), relation))
        .collect();
    let owners: BTreeMap<(&str, &str), &Relation> = match roots.is_empty() {
        true => BTreeMap::new(),
        false => (manifest.expected.relations.iter())
            .filter_map(|relation| {
                Some(((relation.schema.as_str(), relation.name.as_str()), *roots.get(&shape(relation))?))
            })
            .collect(),
    };
    let mut contents = Contents::default();
    for table in &manifest.tables {
        let own = (table.schema.as_str(), table.name.as_str());
        let whole = owners.get(&own).map_or(own, |root| (root.schema.as_str(), root.name.as_str()));
        if volatile.has(own.0, own.1) || volatile.has(whole.0, whole.1) {
            continue;
        }
        let part = contents.parts.entry((whole.0.to_owned(), whole.1.to_owned())).or_default();
        part.rows = part.rows.saturating_add(table.rows);
        part.oids.push(table.oid);
        contents.rows = contents.rows.saturating_add(table.rows);
        contents.bytes = contents.bytes.saturating_add(table.bytes);
        contents.tables += 1;
    }
    contents
}

/// What a partition has in common with its root: its columns.
fn shape(relation: &Relation) -> Vec<(&str, &str)> {
    let mut shape: Vec<(&str, &str)> =
        relation.columns.iter().map(|column| (column.name.as_str(), column.data_type.as_str())).collect();
    shape.sort_unstable();
    shape
}

/// Compares a backup with an earlier one. What only one of them holds by its options is not compared.
///
/// A table counts that is gone, is empty, or has lost more than half of its rows; the sums count when they have lost more
/// than `max_shrink_percent`.
pub fn find(now: &Manifest, before: &Manifest, volatile: &Volatile, max_shrink_percent: u8) -> Vec<Shrunk> {
    if !now.archive.has_data || !before.archive.has_data {
        return Vec::new();
    }
    let is_alike = now.filters == before.filters;
    let (ours, theirs) = (contents(now, volatile), contents(before, volatile));
    let is_same_database = now.source.identity() == before.source.identity();
    let renamed: BTreeMap<u32, &Part> = match is_same_database {
        true => ours.parts.values().flat_map(|part| part.oids.iter().map(move |oid| (*oid, part))).collect(),
        false => BTreeMap::new(),
    };
    let mut lost: Vec<(u64, Shrunk)> = Vec::new();
    for ((schema, name), was) in theirs.parts.iter().filter(|(_, was)| was.rows > 0) {
        let is = ours.parts.get(&(schema.clone(), name.clone()));
        let is = is.or_else(|| was.oids.iter().find_map(|oid| renamed.get(oid).copied()));
        let detail = match is {
            None if is_alike => format!("is gone, had {} in {}", counted(was.rows, "row"), before.id),
            None => continue,
            Some(is) if is.rows == 0 => format!("is empty, had {} in {}", counted(was.rows, "row"), before.id),
            Some(is) if was.rows >= FEW_ROWS && is.rows < was.rows.div_ceil(2) => {
                format!("has {}, had {} in {}", counted(is.rows, "row"), grouped(was.rows), before.id)
            }
            Some(_) => continue,
        };
        lost.push((was.rows, Shrunk { object: format!("{schema}.{name}"), detail }));
    }
    lost.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.object.cmp(&other.1.object)));
    let mut shrunk: Vec<Shrunk> = lost.into_iter().map(|(_, shrunk)| shrunk).collect();
    let objects = |manifest: &Manifest| manifest.large_objects.as_ref().map_or(0, |objects| objects.count);
    let (is, was) = (objects(now), objects(before));
    if is_alike && (is == 0 && was > 0 || was >= FEW_ROWS && is < was.div_ceil(2)) {
        let detail = format!("there are {is}, were {was} in {}", before.id);
        shrunk.push(Shrunk { object: "large objects".to_owned(), detail });
    }
    if shrunk.is_empty() && is_alike {
        sums(&ours, &theirs, before, max_shrink_percent, &mut shrunk);
    }
    shrunk
}

/// Many tables may each have lost less than half.
fn sums(ours: &Contents, theirs: &Contents, before: &Manifest, max_shrink_percent: u8, shrunk: &mut Vec<Shrunk>) {
    let keep = u128::from(100_u8.saturating_sub(max_shrink_percent));
    for (what, is, was) in [
        ("bytes of data", ours.bytes, theirs.bytes),
        ("rows", ours.rows, theirs.rows),
        ("tables", ours.tables, theirs.tables),
    ] {
        if theirs.rows >= SUMMED_ROWS && u128::from(is) * 100 < u128::from(was) * keep {
            let less = 100 - u128::from(is) * 100 / u128::from(was).max(1);
            let detail = format!(
                "there are {is}, were {was} in {}: {less} % less, {max_shrink_percent} % are allowed",
                before.id
            );
            shrunk.push(Shrunk { object: what.to_owned(), detail });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Table;
    use crate::manifest::expected::Column;
    use crate::manifest::tests::sample;

    fn manifest(tables: &[(&str, u64)]) -> Manifest {
        let table = |(number, (name, rows)): (usize, &(&str, u64))| Table {
            schema: "public".to_owned(),
            name: (*name).to_owned(),
            oid: 20_000 + u32::try_from(number).unwrap(),
            rows: *rows,
            bytes: rows * 10,
            ..Table::default()
        };
        let tables = tables.iter().enumerate().map(table).collect();
        Manifest { tables, ..sample("20261120T030000Z-k3f9") }
    }

    fn found(now: &Manifest, before: &Manifest, volatile: &[&str]) -> Vec<String> {
        let patterns: Vec<String> = volatile.iter().map(|text| (*text).to_owned()).collect();
        let volatile = Volatile::parse(&patterns).unwrap();
        find(now, before, &volatile, 20).into_iter().map(|one| format!("{} {}", one.object, one.detail)).collect()
    }

    const ID: &str = "20261120T030000Z-k3f9";

    #[test]
    fn each_table_is_compared_with_what_it_was() {
        let before = manifest(&[("t", 200_001), ("u", 3), ("v", 100), ("w", 0), ("x", 9)]);
        assert_eq!(found(&before, &before, &[]), [""; 0]);
        let now = manifest(&[("t", 0), ("u", 3), ("v", 49), ("w", 0), ("x", 1)]);
        assert_eq!(
            found(&now, &before, &[]),
            [format!("public.t is empty, had 200,001 rows in {ID}"), format!("public.v has 49 rows, had 100 in {ID}")]
        );
        assert_eq!(found(&now, &before, &["public.t", "V"]), [""; 0]);
        assert_eq!(found(&now, &before, &["public.*"]), [""; 0]);
        assert_eq!(found(&now, &before, &["other.t", "v"]).len(), 1);
        let now = manifest(&[("t", 200_001)]);
        assert_eq!(found(&now, &before, &["u"]).len(), 2, "v and x are gone");
        let mut filtered = now.clone();
        filtered.filters.push("--table=t".to_owned());
        assert_eq!(found(&filtered, &before, &[]), [""; 0], "what an option left out is not gone");
        filtered.tables[0].rows = 0;
        assert_eq!(found(&filtered, &before, &[]).len(), 1, "what both have is compared");
        let mut definitions = manifest(&[]);
        definitions.archive.has_data = false;
        assert_eq!(found(&definitions, &before, &[]), [""; 0]);
    }

    #[test]
    fn a_renamed_table_is_not_gone_and_many_small_losses_add_up() {
        let before = manifest(&[("a", 100), ("b", 100)]);
        assert_eq!(found(&manifest(&[("z", 100), ("b", 100)]), &before, &[]), [""; 0]);
        let mut elsewhere = manifest(&[("z", 100), ("b", 100)]);
        elsewhere.source.database_oid = 1;
        assert_eq!(found(&elsewhere, &before, &[]), [format!("public.a is gone, had 100 rows in {ID}")]);
        assert_eq!(
            found(&manifest(&[("a", 70), ("b", 80)]), &before, &[]),
            [
                format!("bytes of data there are 1500, were 2000 in {ID}: 25 % less, 20 % are allowed"),
                format!("rows there are 150, were 200 in {ID}: 25 % less, 20 % are allowed")
            ]
        );
    }

    #[test]
    fn old_partitions_may_go_while_the_whole_stays() {
        let partitioned = |tables: &[(&str, u64)]| {
            let mut manifest = manifest(tables);
            let column =
                |name: &str| Column { name: name.to_owned(), data_type: "integer".to_owned(), ..Column::default() };
            let relation = |name: &str, kind, columns: &[&str]| Relation {
                schema: "public".to_owned(),
                name: name.to_owned(),
                kind,
                columns: columns.iter().map(|name| column(name)).collect(),
                ..Relation::default()
            };
            manifest.expected.relations = vec![relation("event", RelationKind::PartitionedTable, &["at", "what"])];
            // an attached partition may have its columns in another order
            for (name, _) in tables {
                manifest.expected.relations.push(relation(name, RelationKind::Table, &["what", "at"]));
            }
            manifest
        };
        let before = partitioned(&[("event_1", 1000), ("event_2", 1000), ("event_3", 1000)]);
        let now = partitioned(&[("event_2", 1000), ("event_3", 1000), ("event_4", 600)]);
        assert_eq!(found(&now, &before, &[]), [""; 0]);
        let now = partitioned(&[("event_3", 1000), ("event_4", 0)]);
        assert_eq!(found(&now, &before, &[]), [format!("public.event has 1,000 rows, had 3,000 in {ID}")]);
        assert_eq!(found(&now, &before, &["event"]), [""; 0]);
    }

    #[test]
    fn a_pattern_that_is_none_is_refused() {
        assert!(Volatile::parse(&["a.b.c".to_owned()]).is_err());
        assert!(Volatile::parse(&["(".to_owned()]).is_err());
    }
}
