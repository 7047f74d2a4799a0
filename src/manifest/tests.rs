use super::*;
use crate::error::ErrorKind;
use expected::{Column, Constraint, Index, Policy, Relation, Sequence, Trigger};

/// A manifest of a small backup begun at `begun`, for tests here and elsewhere.
pub(crate) fn sample(id: &str) -> Manifest {
    let id: Label = id.parse().unwrap();
    let begun = id.time();
    Manifest {
        tool_version: "0.1.0".to_owned(),
        state: State::Complete,
        source: Source {
            system_identifier: Some("7312345678901234567".to_owned()),
            database_oid: 16_384,
            database: "shop".to_owned(),
            server: "127.0.0.1:5432".to_owned(),
            server_version: "18.1".to_owned(),
            server_version_number: 180_001,
            encoding: "UTF8".to_owned(),
            collate: "C".to_owned(),
            ctype: "C".to_owned(),
            locale_provider: "libc".to_owned(),
            locale: None,
            monetary: None,
            standby: false,
            database_bytes: 9_000_000,
        },
        snapshot: Snapshot { time: begun, lsn: Some("0/3000060".to_owned()) },
        options: vec!["--format=custom".to_owned()],
        filters: Vec::new(),
        are_filters_usual: false,
        has_secrets: false,
        skipped: Vec::new(),
        warnings: Vec::new(),
        suspicions: Vec::new(),
        volatile: Vec::new(),
        archive: Archive {
            format: Format::Custom,
            path: "archive.dump".to_owned(),
            compression: "zstd:3".to_owned(),
            version: Some("1.16".to_owned()),
            reader_major: 16,
            entry_count: 12,
            creates_database: true,
            has_data: true,
            has_schema: true,
            encoding: None,
            inserts: false,
            float_digits: None,
        },
        files: vec![File {
            path: "archive.dump".to_owned(),
            size: 4096,
            sha256: Sha256::of(b"archive"),
            segment_size: 4096,
            segments: vec![Sha256::of(b"archive")],
        }],
        tables: vec![Table {
            schema: "public".to_owned(),
            name: "orders".to_owned(),
            oid: 16_390,
            dump_id: 7,
            columns: vec!["id".to_owned(), "note".to_owned()],
            rows: 3,
            bytes: 20,
            digest: RowSum(u128::MAX),
            offset: Some(512),
            file: None,
            condition: None,
        }],
        large_objects: Some(LargeObjects { count: 1, bytes: 5, digest: RowSum(1), offsets: [(9, 600)].into() }),
        expected: Expected {
            relations: vec![Relation {
                schema: "public".to_owned(),
                name: "orders".to_owned(),
                owner: "shop".to_owned(),
                row_security: true,
                columns: vec![Column { name: "id".to_owned(), data_type: "bigint".to_owned(), ..Column::default() }],
                policies: vec![Policy {
                    name: "own".to_owned(),
                    command: "ALL".to_owned(),
                    permissive: true,
                    roles: vec!["PUBLIC".to_owned()],
                    using: Some("(owner = CURRENT_USER)".to_owned()),
                    with_check: None,
                }],
                indexes: vec![Index { name: "i".to_owned(), definition: "CREATE INDEX i".to_owned(), valid: true }],
                constraints: vec![Constraint::default()],
                triggers: vec![Trigger::default()],
                acl: Some(vec!["shop=arwdDxt/shop".to_owned()]),
                ..Relation::default()
            }],
            sequences: vec![Sequence { last_value: Some(i64::MIN), maximum: i64::MAX, ..Sequence::default() }],
            entry_counts: [("TABLE".to_owned(), 1)].into(),
            ..Expected::default()
        },
        timings: Timings {
            begun,
            finished: begun + chrono::TimeDelta::seconds(9),
            phases: vec![PhaseTime { name: "data".to_owned(), milliseconds: 8000 }],
        },
        id,
    }
}

#[test]
fn reading_and_writing_loses_nothing() {
    let manifest = sample("20261121T030000Z-k3f9");
    let stored = encode(&manifest);
    let read = decode("m", &stored).unwrap();
    assert_eq!(read, manifest);
    assert_eq!(encode(&read), stored);
}

#[test]
fn an_older_stored_manifest_is_still_read() {
    let stored = include_bytes!("v1_sample.json");
    let read = decode("v1_sample.json", stored).unwrap();
    assert_eq!(read, sample("20261121T030000Z-k3f9"));
}

#[test]
fn a_newer_stored_form_is_refused_as_such() {
    let newer = br#"{"format": "pgproof-manifest", "format_version": 2, "tool_version": "3.1.0", "cipher": "x"}"#;
    let error = decode("shop/x/manifest.json", newer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Archive);
    assert_eq!(
        error.to_string(),
        "error: manifest \"shop/x/manifest.json\" was written by a newer version\n\
         detail: format version 2, written by 3.1.0; this program reads up to 1\n\
         hint: Update this program; nothing was changed."
    );
}

#[test]
fn an_unknown_member_is_damage() {
    let mut document = serde_json::to_value(sample("20261121T030000Z-k3f9")).unwrap();
    let members = document.as_object_mut().unwrap();
    members.insert("format".to_owned(), "pgproof-manifest".into());
    members.insert("format_version".to_owned(), 1.into());
    assert!(decode("m", &seal::seal(&document)).is_ok());
    document["archive"]["cipher"] = "x".into();
    let error = decode("m", &seal::seal(&document)).unwrap_err();
    assert!(error.detail_text().unwrap().contains("unknown field `cipher`"), "{error}");
}

#[test]
fn what_is_no_manifest_is_refused() {
    let sealed = |value: serde_json::Value| seal::seal(&value);
    for (bytes, detail) in [
        (b"".to_vec(), "cut off"),
        (b"PGDMP".to_vec(), "cut off"),
        (b"{\"format\": \"pgproof-manifest\", \"format_version\": 1}".to_vec(), "cut off"),
        (sealed(serde_json::json!({"format": "other"})), "not a \"pgproof-manifest\" document"),
        (sealed(serde_json::json!({"format": "pgproof-manifest"})), "no format version"),
        (sealed(serde_json::json!({"format": "pgproof-manifest", "format_version": 0})), "no format version"),
        (sealed(serde_json::json!({"format": "pgproof-manifest", "format_version": 1})), "missing field"),
    ] {
        let error = decode("m", &bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Archive);
        assert!(error.detail_text().unwrap().contains(detail), "{error}");
    }
}

#[test]
fn nothing_left_out_is_whole() {
    let manifest = sample("20261121T030000Z-k3f9");
    assert!(manifest.is_whole());
    assert!(Manifest { state: State::Suspect, ..manifest.clone() }.is_whole());
    assert!(!Manifest { state: State::Partial, ..manifest.clone() }.is_whole());
    assert!(!Manifest { filters: vec!["--schema=a".to_owned()], ..manifest }.is_whole());
}
