//! The plan's entries as the archive's table of contents.

use std::collections::HashMap;
use std::sync::Arc;

use super::worker::Job;
use crate::archive::Version;
use crate::archive::statement::create_statements;
use crate::archive::toc;
use crate::object::{DataSource, Entry, Section};

/// The archive's form of an entry; where its data lies is known only later.
///
/// The statements are moved there: all of them together can be large.
pub fn toc_entry(entry: &mut Entry) -> toc::Entry {
    let section = match entry.section {
        Section::None => toc::Section::None,
        Section::PreData => toc::Section::PreData,
        Section::Data => toc::Section::Data,
        Section::PostData => toc::Section::PostData,
    };
    // pg_dump writes NULL where a statement was never given; no kind gives an empty one
    let statement = |text: String| Some(text).filter(|text| !text.is_empty());
    let (create, drop) = (std::mem::take(&mut entry.create), std::mem::take(&mut entry.drop));
    toc::Entry {
        has_data: entry.data.is_some(),
        catalog_oid: entry.catalog_id.class,
        object_oid: entry.catalog_id.oid,
        create: statement(create),
        // of these kinds some cannot be dropped alone, and have an empty statement
        drop: if matches!(entry.kind, "DATABASE PROPERTIES" | "INDEX" | "SEQUENCE" | "TRIGGER") {
            Some(drop)
        } else {
            statement(drop)
        },
        copy: entry.copy.take(),
        schema: entry.schema.clone(),
        tablespace: entry.tablespace.take(),
        access_method: entry.access_method.take(),
        relation_kind: entry.relkind.and_then(|kind| u8::try_from(kind).ok()),
        // what hangs on an object without an owner has an empty one, the object itself none
        owner: (!entry.owner.is_empty() || entry.section == Section::None).then(|| entry.owner.to_string()),
        dependencies: entry.dependencies.iter().flatten().map(|id| id.0).collect(),
        data: match &entry.data {
            Some(DataSource::Table { .. } | DataSource::LargeObjects(_)) => toc::Data::Unknown,
            None => toc::Data::None,
        },
        ..toc::Entry::new(entry.id.0, entry.kind, entry.tag.clone(), section)
    }
}

/// Puts the table of contents, and the jobs that fill it, into the form that an older pg_restore reads.
///
/// Groups of large objects with an entry for each group are of version 1.16; before, each large object has an entry of its
/// own, and the data of all of them are one entry's, since a directory has one list of them (`blobs.toc`).
pub(super) fn for_version(toc: &mut toc::Toc, jobs: &mut Vec<Job>) {
    if toc.header.version >= Version::V1_16 {
        return;
    }
    let grouped = toc.clone();
    let mut next_id = grouped.entries.iter().map(|entry| entry.dump_id).max().unwrap_or_default();
    // by the group's number, which its first large object keeps: the number of each
    let mut groups: HashMap<i32, Vec<i32>> = HashMap::new();
    let mut singles: HashMap<String, i32> = HashMap::new();
    toc.entries.clear();
    let mut is_data_there = false;
    for entry in &grouped.entries {
        match entry.kind.as_str() {
            "BLOB METADATA" => {
                let oids = entry.create.as_deref().unwrap_or_default().lines().filter_map(|line| line.parse().ok());
                for (place, oid) in oids.enumerate() {
                    let mut single = large_object_entry(entry, oid);
                    if place > 0 {
                        next_id += 1;
                        single.dump_id = next_id;
                    }
                    groups.entry(entry.dump_id).or_default().push(single.dump_id);
                    singles.insert(format!("LARGE OBJECT {oid}"), single.dump_id);
                    toc.entries.push(single);
                }
            }
            "ACL" if entry.tag.starts_with("LARGE OBJECTS ") => {
                let first = entry.tag.trim_start_matches("LARGE OBJECTS ").split("..").next().unwrap_or_default();
                toc.entries.push(toc::Entry {
                    tag: format!("LARGE OBJECT {first}"),
                    create: Some(create_statements(entry, &grouped)),
                    ..entry.clone()
                });
            }
            _ if entry.is_large_objects() && std::mem::replace(&mut is_data_there, true) => {}
            _ => toc.entries.push(entry.clone()),
        }
    }
    let data: Vec<i32> =
        grouped.entries.iter().filter(|entry| entry.is_large_objects()).flat_map(|e| e.dependencies.clone()).collect();
    for entry in &mut toc.entries {
        if entry.is_large_objects() {
            entry.dependencies.clone_from(&data);
        }
        entry.dependencies = (entry.dependencies.iter())
            .flat_map(|id| match (groups.get(id), singles.get(&entry.tag)) {
                // what is said of one large object waits for that one, what is said of the group for each
                (Some(_), Some(single)) if matches!(entry.kind.as_str(), "COMMENT" | "SECURITY LABEL") => vec![*single],
                (Some(group), _) => group.clone(),
                (None, _) => vec![*id],
            })
            .collect();
    }
    merge_large_objects(jobs);
}

/// All large objects become the first such job's.
fn merge_large_objects(jobs: &mut Vec<Job>) {
    let mut all: Vec<u32> = Vec::new();
    for job in &*jobs {
        if let DataSource::LargeObjects(oids) = &*job.source {
            all.extend(oids);
        }
    }
    let mut is_there = false;
    jobs.retain_mut(|job| match Arc::make_mut(&mut job.source) {
        DataSource::Table { .. } => true,
        DataSource::LargeObjects(oids) => {
            *oids = std::mem::take(&mut all);
            !std::mem::replace(&mut is_there, true)
        }
    });
}

fn large_object_entry(group: &toc::Entry, oid: u32) -> toc::Entry {
    toc::Entry {
        kind: "BLOB".to_owned(),
        tag: oid.to_string(),
        object_oid: oid,
        section: toc::Section::PreData,
        create: Some(format!("SELECT pg_catalog.lo_create('{oid}');\n")),
        drop: Some(format!("SELECT pg_catalog.lo_unlink('{oid}');\n")),
        ..group.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::toc::{Container, Created, Header, Toc};
    use crate::codec::compress::Compression;

    fn sample(version: Version) -> Toc {
        let header = Header::new(version, Container::Custom, Compression::None, Created::default()).unwrap();
        let group = toc::Entry {
            create: Some("7\n9\n".to_owned()),
            drop: Some("-- dummy".to_owned()),
            ..toc::Entry::new(3, "BLOB METADATA", "7..9", toc::Section::Data)
        };
        let acl = toc::Entry {
            create: Some("GRANT SELECT ON LARGE OBJECT 7 TO a;\n".to_owned()),
            dependencies: vec![3],
            ..toc::Entry::new(5, "ACL", "LARGE OBJECTS 7..9", toc::Section::None)
        };
        let comment =
            toc::Entry { dependencies: vec![3], ..toc::Entry::new(6, "COMMENT", "LARGE OBJECT 9", toc::Section::None) };
        let other = toc::Entry {
            create: Some("8\n".to_owned()),
            ..toc::Entry::new(7, "BLOB METADATA", "8", toc::Section::Data)
        };
        let data = |id, group| toc::Entry {
            dependencies: vec![group],
            has_data: true,
            ..toc::Entry::new(id, "BLOBS", "BLOBS", toc::Section::Data)
        };
        Toc { header, entries: vec![group, acl, comment, other, data(8, 3), data(9, 7)] }
    }

    fn jobs() -> Vec<Job> {
        let job = |dump_id, oids| Job {
            dump_id,
            name: "BLOBS".into(),
            source: DataSource::LargeObjects(oids).into(),
            table_oid: 0,
            lock: None,
            slice: None,
        };
        vec![job(8, vec![7, 9]), job(9, vec![8])]
    }

    #[test]
    fn large_objects_stand_alone_for_an_older_reader() {
        let (mut toc, mut jobs) = (sample(Version::V1_14), jobs());
        for_version(&mut toc, &mut jobs);
        let kinds: Vec<_> = toc.entries.iter().map(|e| (e.dump_id, e.kind.as_str(), e.tag.as_str())).collect();
        assert_eq!(
            kinds,
            [
                (3, "BLOB", "7"),
                (10, "BLOB", "9"),
                (5, "ACL", "LARGE OBJECT 7"),
                (6, "COMMENT", "LARGE OBJECT 9"),
                (7, "BLOB", "8"),
                (8, "BLOBS", "BLOBS")
            ]
        );
        let needs: Vec<_> = toc.entries.iter().map(|entry| entry.dependencies.as_slice()).collect();
        assert_eq!(needs, [&[][..], &[], &[3, 10], &[10], &[], &[3, 10, 7]]);
        assert_eq!(jobs.len(), 1);
        assert!(matches!(&*jobs[0].source, DataSource::LargeObjects(oids) if *oids == [7, 9, 8]));
        let acl = toc.entries[2].create.clone().unwrap();
        assert!(acl.contains("LARGE OBJECT 7 TO a;") && acl.contains("LARGE OBJECT 9 TO a;"), "{acl}");
    }

    #[test]
    fn the_newest_form_stays_as_it_is() {
        let (mut toc, mut jobs) = (sample(Version::V1_16), jobs());
        for_version(&mut toc, &mut jobs);
        assert_eq!((toc, jobs.len()), (sample(Version::V1_16), 2));
    }
}
