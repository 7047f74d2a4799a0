use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;

use super::*;
use crate::archive::Version;
use crate::archive::custom::{
    BlockKind, encode_block_begin, encode_large_object_begin, encode_large_objects_end, encode_piece, encode_stream_end,
};
use crate::archive::directory::{encode_large_object_line, large_object_file, large_object_list_file, rows_file};
use crate::archive::tar::{encode_end, encode_header, padding};
use crate::archive::toc::{Container, Created, Data, Entry, Header, Section, Toc};
use crate::codec::compress::{Compression, Shape, compress};
use crate::codec::digest::{LargeObjectDigest, LargeObjectSummary, RowDigest, RowSummary};
use crate::event::Silent;
use crate::manifest::{self, File, Format, LargeObjects, Manifest, RowSum, Sha256, Table, layout, seal};
use crate::shelf;
use crate::store::{Key, MemoryStore, PutMode};

const ID: &str = "20261121T030000Z-k3f9";
const ROWS: &[(i32, &str, &[u8])] = &[
    (11, "apple", b"1\tred\n2\tgreen\n3\t\\N\n"),
    (12, "pear", b"1\tyellow and long enough to be a row\n"),
    (13, "empty", b""),
];
const OBJECTS: &[(u32, &[u8])] = &[(4711, b"large object"), (4712, b"")];
/// So small that every file has several.
const SEGMENT: usize = 100;

fn rows_of(rows: &[u8]) -> RowSummary {
    let mut digest = RowDigest::new();
    digest.push(rows);
    digest.finish().unwrap()
}

fn objects() -> LargeObjectSummary {
    let digests = OBJECTS.iter().map(|(oid, content)| {
        let mut digest = LargeObjectDigest::new(*oid);
        digest.push(content);
        digest.finish()
    });
    digests.fold(LargeObjectSummary::default(), LargeObjectSummary::merge)
}

fn toc(container: Container, compression: Compression) -> Toc {
    let header = Header::new(Version::NEWEST, container, compression, Created::default()).unwrap();
    let mut entries = vec![Entry {
        create: Some("SET client_encoding = 'UTF8';\n".to_owned()),
        ..Entry::new(1, "ENCODING", "ENCODING", Section::PreData)
    }];
    for (dump_id, name, _) in ROWS {
        let schema = Some("public".to_owned());
        let table = Entry::new(dump_id - 10, "TABLE", *name, Section::PreData);
        entries.extend((*dump_id > 11).then(|| Entry { schema: schema.clone(), ..table }));
        entries.push(Entry {
            has_data: true,
            copy: Some(format!("COPY public.{name} (id, word) FROM stdin;\n")),
            schema,
            data: Data::Unknown,
            ..Entry::new(*dump_id, "TABLE DATA", *name, Section::Data)
        });
    }
    entries.push(Entry { has_data: true, data: Data::Unknown, ..Entry::new(20, "BLOBS", "BLOBS", Section::Data) });
    Toc { header, entries }
}

fn data_of(rows: &[u8]) -> Vec<u8> {
    [rows, b"\\.\n\n\n"].concat()
}

fn custom(compression: Compression, rows: &[(i32, &str, &[u8])]) -> Vec<u8> {
    let mut toc = toc(Container::Custom, compression);
    let head = toc.encode().len();
    let mut data = BytesMut::new();
    let pack = |bytes: &[u8]| compress(compression, Shape::Block, bytes).unwrap();
    for entry in toc.entries.iter_mut().filter(|entry| entry.has_data) {
        entry.data = Data::At((head + data.len()) as u64);
        match rows.iter().find(|(dump_id, ..)| *dump_id == entry.dump_id) {
            Some((dump_id, _, rows)) => {
                encode_block_begin(BlockKind::Rows, *dump_id, &mut data);
                encode_piece(&pack(&data_of(rows)), &mut data);
                encode_stream_end(&mut data);
            }
            None => {
                encode_block_begin(BlockKind::LargeObjects, entry.dump_id, &mut data);
                for (oid, content) in OBJECTS {
                    encode_large_object_begin(*oid, &mut data);
                    encode_piece(&pack(content), &mut data);
                    encode_stream_end(&mut data);
                }
                encode_large_objects_end(&mut data);
            }
        }
    }
    [toc.encode(), data.to_vec()].concat()
}

/// Files of the backup by their paths.
type Files = Vec<(String, Vec<u8>)>;

fn directory(compression: Compression) -> Files {
    let mut toc = toc(Container::Directory, compression);
    let pack = |bytes: &[u8]| compress(compression, Shape::File, bytes).unwrap();
    let suffix = compression.algorithm().suffix();
    let mut files = Vec::new();
    for entry in toc.entries.iter_mut().filter(|entry| entry.has_data) {
        let name = match ROWS.iter().find(|(dump_id, ..)| *dump_id == entry.dump_id) {
            Some((dump_id, _, rows)) => {
                let name = rows_file(*dump_id);
                files.push((format!("archive/{name}{suffix}"), pack(&data_of(rows))));
                name
            }
            None => {
                let mut list = Vec::new();
                for (oid, content) in OBJECTS {
                    encode_large_object_line(*oid, &mut list);
                    files.push((format!("archive/{}{suffix}", large_object_file(*oid)), pack(content)));
                }
                let name = large_object_list_file(Version::NEWEST, entry.dump_id);
                files.push((format!("archive/{name}"), list));
                name
            }
        };
        entry.data = Data::File(name);
    }
    files.push(("archive/toc.dat".to_owned(), toc.encode()));
    files
}

fn tar(rows: &[(i32, &str, &[u8])]) -> Vec<u8> {
    let mut toc = toc(Container::Directory, NONE);
    for entry in toc.entries.iter_mut().filter(|entry| entry.has_data) {
        entry.data = Data::File(rows_file(entry.dump_id));
    }
    let mut members = vec![("toc.dat".to_owned(), toc.encode())];
    members.extend(rows.iter().map(|(dump_id, _, rows)| (rows_file(*dump_id), data_of(rows))));
    let mut list = Vec::new();
    for (oid, content) in OBJECTS {
        encode_large_object_line(*oid, &mut list);
        members.push((large_object_file(*oid), content.to_vec()));
    }
    members.push((large_object_list_file(Version::NEWEST, 20), list));
    let mut bytes = Vec::new();
    for (name, content) in members {
        let size = content.len() as u64;
        bytes.extend_from_slice(&encode_header(&name, size, 0));
        bytes.extend_from_slice(&content);
        bytes.resize(bytes.len() + padding(size), 0);
    }
    encode_end(&mut bytes);
    bytes
}

fn plain(compression: Compression) -> Files {
    let mut text = b"--\n-- PostgreSQL database dump\n--\n\n".to_vec();
    for (_, name, rows) in ROWS {
        text.extend(format!("COPY public.{name} (id, word) FROM stdin;\n").into_bytes());
        text.extend(data_of(rows));
    }
    text.extend(b"--\n-- PostgreSQL database dump complete\n--\n\n");
    let path = format!("archive.sql{}", compression.algorithm().suffix());
    vec![(path, compress(compression, Shape::File, &text).unwrap())]
}

fn file(path: &str, bytes: &[u8]) -> File {
    File {
        path: path.to_owned(),
        size: bytes.len() as u64,
        sha256: Sha256::of(bytes),
        segment_size: SEGMENT as u64,
        segments: bytes.chunks(SEGMENT).map(Sha256::of).collect(),
    }
}

fn manifest_of(format: Format, files: &Files) -> Manifest {
    let mut manifest = crate::manifest::tests::sample(ID);
    let toc = toc(Container::Custom, Compression::None);
    manifest.archive.format = format;
    manifest.archive.path = match format {
        Format::Directory => "archive".to_owned(),
        Format::Custom | Format::Tar | Format::Plain => files[0].0.clone(),
    };
    manifest.archive.entry_count = toc.entries.len() as u64;
    manifest.files = files.iter().map(|(path, bytes)| file(path, bytes)).collect();
    let table = |(dump_id, name, rows): &(i32, &str, &[u8])| {
        let summary = rows_of(rows);
        Table {
            schema: "public".to_owned(),
            name: (*name).to_owned(),
            dump_id: *dump_id,
            columns: vec!["id".to_owned(), "word".to_owned()],
            rows: summary.row_count,
            bytes: summary.byte_count,
            digest: RowSum(summary.digest),
            ..Table::default()
        }
    };
    manifest.tables = ROWS.iter().map(table).collect();
    let objects = objects();
    manifest.large_objects = (format != Format::Plain).then(|| LargeObjects {
        count: objects.count,
        bytes: objects.byte_count,
        digest: RowSum(objects.digest),
        ..LargeObjects::default()
    });
    manifest.expected = manifest::Expected::default();
    for entry in toc.entries {
        *manifest.expected.entry_counts.entry(entry.kind).or_default() += 1;
    }
    manifest
}

/// A backup in memory.
struct Shop {
    store: Arc<MemoryStore>,
    folder: Key,
}

impl Shop {
    async fn new(format: Format, mut files: Files) -> Self {
        files.push((layout::GLOBALS.to_owned(), b"CREATE ROLE keeper;\n".to_vec()));
        files.push((layout::SUMS.to_owned(), b"0123  archive.dump\n".to_vec()));
        let shop = Self { store: Arc::new(MemoryStore::new()), folder: Key::new(format!("shop/{ID}")).unwrap() };
        for (path, bytes) in &files {
            shop.put(path, bytes.clone()).await;
        }
        shop.put(layout::MANIFEST, manifest::encode(&manifest_of(format, &files))).await;
        shop.put("proofs/20261121T040000Z.json", seal::seal(&serde_json::json!({"verdict": "passed"}))).await;
        shop
    }

    async fn put(&self, path: &str, bytes: Vec<u8>) {
        let key = self.folder.join(path).unwrap();
        let _ = self.store.put(&key, Bytes::from(bytes), PutMode::Overwrite).await.unwrap();
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let key = self.folder.join(path).unwrap();
        let chunks: Vec<Bytes> = self.store.fetch(&key, None).await.unwrap().try_collect().await.unwrap();
        chunks.concat()
    }

    async fn paths(&self) -> Vec<String> {
        let prefix = format!("{}/", self.folder);
        let objects = self.store.list("").await.unwrap();
        objects.iter().map(|object| object.key.as_str().strip_prefix(&prefix).unwrap().to_owned()).collect()
    }

    async fn verify_with(&self, change: impl FnOnce(&mut Options)) -> Result<Outcome> {
        let backup = shelf::read(self.store.as_ref(), None).await.unwrap().pop().unwrap();
        let store: Arc<dyn crate::store::Store> = Arc::clone(&self.store) as _;
        let mut options = Options {
            target: Target::Backup { store, backup: Box::new(backup), previous: None },
            level: None,
            required_tables: Vec::new(),
            wishes: Wishes::default(),
            against: None,
            jobs: 2,
        };
        change(&mut options);
        run(&options, &Silent).await
    }

    async fn verify(&self) -> Result<Outcome> {
        self.verify_with(|_| {}).await
    }
}

const NONE: Compression = Compression::None;
const ZSTD: Compression = Compression::DEFAULT;
const GZIP: Compression = Compression::Gzip { level: 6 };
const LZ4: Compression = Compression::Lz4 { level: 0 };

fn custom_files(compression: Compression) -> Files {
    vec![("archive.dump".to_owned(), custom(compression, ROWS))]
}

async fn shops() -> Vec<(&'static str, Shop)> {
    vec![
        ("custom, none", Shop::new(Format::Custom, custom_files(NONE)).await),
        ("custom, zstd", Shop::new(Format::Custom, custom_files(ZSTD)).await),
        ("custom, gzip", Shop::new(Format::Custom, custom_files(GZIP)).await),
        ("directory, lz4", Shop::new(Format::Directory, directory(LZ4)).await),
        ("tar", Shop::new(Format::Tar, vec![("archive.tar".to_owned(), tar(ROWS))]).await),
        ("plain, gzip", Shop::new(Format::Plain, plain(GZIP)).await),
    ]
}

fn kinds(outcome: &Outcome) -> Vec<(FindingKind, &str)> {
    outcome.findings.iter().map(|finding| (finding.kind, finding.object.as_str())).collect()
}

#[tokio::test]
async fn a_whole_backup_passes_and_says_how_much_was_checked() {
    for (name, shop) in shops().await {
        let outcome = shop.verify().await.unwrap();
        assert_eq!(outcome.verdict(), Verdict::Passed, "{name}: {outcome:#?}");
        let count = |level, what: &str| {
            outcome
                .level(level)
                .unwrap()
                .checked
                .iter()
                .find(|checked| checked.what == what)
                .map(|checked| checked.count)
        };
        assert_eq!(count(Level::Files, "files"), Some(shop.paths().await.len() as u64 - 1), "{name}");
        assert_eq!(count(Level::Rows, "rows"), Some(4), "{name}");
        assert_eq!(count(Level::Rows, "tables"), Some(3), "{name}");
    }
}

#[tokio::test]
async fn rows_of_every_table_have_exactly_one_record_in_the_manifest() {
    for (name, shop) in shops().await {
        let whole = shelf::read(shop.store.as_ref(), None).await.unwrap().pop().unwrap().manifest().unwrap().clone();
        type Change = fn(&mut Vec<Table>);
        let changes: [(&str, Change); 5] = [
            ("none", |tables| tables.clear()),
            ("three of each", |tables| *tables = std::iter::repeat_n(tables.clone(), 3).flatten().collect()),
            ("one is missing", |tables| drop(tables.remove(1))),
            ("one is there twice", |tables| tables.push(tables[0].clone())),
            ("one too many", |tables| {
                tables.push(Table { name: "other".to_owned(), dump_id: 99, ..tables[0].clone() })
            }),
        ];
        for (what, change) in changes {
            let mut manifest = whole.clone();
            change(&mut manifest.tables);
            shop.put(layout::MANIFEST, manifest::encode(&manifest)).await;
            let outcome = shop.verify().await.unwrap();
            assert!(outcome.count(FindingKind::TableRecord) > 0, "{name}, {what}: {outcome:#?}");
        }
        shop.put(layout::MANIFEST, manifest::encode(&whole)).await;
        assert_eq!(shop.verify().await.unwrap().verdict(), Verdict::Passed, "{name}");
    }
}

#[tokio::test]
async fn every_flipped_byte_of_every_file_is_found() {
    let mut flips = 0;
    for (name, shop) in shops().await {
        for path in shop.paths().await {
            let whole = shop.get(&path).await;
            // the manifest is sealed, and the seal's own test flips each of its bits
            let step = match path.as_str() {
                layout::MANIFEST => 23,
                // most of it is zeros, and its decoder's own test flips each byte
                "archive.tar" => 7,
                _ => 1,
            };
            for index in (0..whole.len()).step_by(step) {
                let mut damaged = whole.clone();
                damaged[index] ^= 1 << (index % 8);
                shop.put(&path, damaged).await;
                let found = match shop.verify().await {
                    Ok(outcome) => outcome.verdict() == Verdict::Damaged,
                    Err(error) => error.kind() == crate::error::ErrorKind::Archive && path == layout::MANIFEST,
                };
                assert!(found, "{name}: byte {index} of {path}");
                flips += 1;
            }
            shop.put(&path, whole).await;
        }
    }
    assert!(flips > 2_000, "{flips}");
}

#[tokio::test]
async fn every_file_that_is_missing_cut_or_longer_is_named() {
    for (name, shop) in shops().await {
        for path in shop.paths().await {
            if path == layout::MANIFEST || path.starts_with(layout::PROOFS) {
                continue;
            }
            let whole = shop.get(&path).await;
            shop.store.delete(&[shop.folder.join(&path).unwrap()]).await.unwrap();
            let outcome = shop.verify().await.unwrap();
            assert!(kinds(&outcome).contains(&(FindingKind::FileMissing, &path)), "{name} {path}: {outcome:?}");

            shop.put(&path, [whole.as_slice(), b"x"].concat()).await;
            let outcome = shop.verify().await.unwrap();
            assert!(kinds(&outcome).contains(&(FindingKind::FileSize, &path)), "{name} {path}: {outcome:?}");

            for length in [0, whole.len() / 2, whole.len().saturating_sub(1)] {
                if length == whole.len() {
                    continue;
                }
                shop.put(&path, whole[..length].to_vec()).await;
                let outcome = shop.verify().await.unwrap();
                assert!(kinds(&outcome).contains(&(FindingKind::FileSize, &path)), "{name} {path}: {outcome:?}");
            }
            shop.put(&path, whole).await;
        }
        assert_eq!(shop.verify().await.unwrap().verdict(), Verdict::Passed);
    }
}

#[tokio::test]
async fn damage_names_the_table_and_the_others_are_still_checked() {
    let bytes = custom(ZSTD, ROWS);
    let shop = Shop::new(Format::Custom, vec![("archive.dump".to_owned(), bytes.clone())]).await;
    let toc = crate::archive::Decoder::new(Container::Custom).push(&mut Bytes::from(bytes.clone())).unwrap().unwrap();
    let Data::At(offset) = toc.entry(11).unwrap().data else { panic!("no offset") };
    let mut damaged = bytes;
    damaged[offset as usize + 6 + 5 + 2] ^= 0xFF;
    shop.put("archive.dump", damaged).await;
    let outcome = shop.verify().await.unwrap();
    assert_eq!(
        kinds(&outcome),
        [(FindingKind::FileChecksum, "archive.dump"), (FindingKind::DataDamaged, "TABLE DATA public.apple")]
    );
    let rows = outcome.level(Level::Rows).unwrap();
    assert_eq!(rows.checked.iter().find(|checked| checked.what == "tables").map(|checked| checked.count), Some(2));
    assert_eq!(rows.not_checked.iter().map(|not| not.what.as_str()).collect::<Vec<_>>(), ["rows of public.apple"]);
}

#[tokio::test]
async fn damage_of_a_tar_archive_names_the_table() {
    let bytes = tar(ROWS);
    let path = "archive.tar";
    let shop = Shop::new(Format::Tar, vec![(path.to_owned(), bytes.clone())]).await;
    let place = |text: &[u8]| memchr::memmem::find(&bytes, text).unwrap();
    let hit = async |at: usize| {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xFF;
        shop.put(path, damaged).await;
        let outcome = shop.verify().await.unwrap();
        outcome.findings.iter().map(|finding| (finding.kind, finding.object.clone())).collect::<Vec<_>>()
    };
    let damaged = |object: &str| (FindingKind::DataDamaged, object.to_owned());
    let missing = |object: &str| (FindingKind::DataMissing, object.to_owned());
    let sum = || (FindingKind::FileChecksum, path.to_owned());
    // the end mark of the first table's rows
    assert_eq!(hit(place(b"\\.\n")).await, [sum(), damaged("TABLE DATA public.apple")]);
    // the header of the second one: what follows cannot be found any more
    let all = ["TABLE DATA public.pear", "TABLE DATA public.empty", "BLOBS BLOBS"];
    assert_eq!(
        hit(place(b"12.dat\0\0\0")).await,
        [vec![sum(), damaged("archive")], all.map(missing).to_vec()].concat()
    );
    assert_eq!(hit(3).await[..2], [sum(), (FindingKind::HeadDamaged, "archive".to_owned())]);
}

#[tokio::test]
async fn rows_that_changed_before_the_checksum_was_taken_are_found() {
    let changed: Vec<(i32, &str, &[u8])> = ROWS
        .iter()
        .map(|(id, name, rows)| {
            if *id == 12 { (*id, *name, &b"1\tyellow and long enough to be a rot\n"[..]) } else { (*id, *name, *rows) }
        })
        .collect();
    let shop = Shop::new(Format::Custom, vec![("archive.dump".to_owned(), custom(ZSTD, &changed))]).await;
    let outcome = shop.verify().await.unwrap();
    assert_eq!(kinds(&outcome), [(FindingKind::RowDigest, "public.pear")]);

    let fewer: Vec<(i32, &str, &[u8])> = ROWS
        .iter()
        .map(|(id, name, rows)| if *id == 11 { (*id, *name, &rows[..6]) } else { (*id, *name, *rows) })
        .collect();
    let shop = Shop::new(Format::Custom, vec![("archive.dump".to_owned(), custom(ZSTD, &fewer))]).await;
    let outcome = shop.verify().await.unwrap();
    assert_eq!(kinds(&outcome), [(FindingKind::RowCount, "public.apple")]);
}

#[tokio::test]
async fn levels_stop_where_they_were_told_to() {
    let shop = Shop::new(Format::Custom, custom_files(ZSTD)).await;
    for level in [Level::Files, Level::Archive, Level::Rows, Level::Expectations] {
        let outcome = shop.verify_with(|options| options.level = Some(level)).await.unwrap();
        assert_eq!(outcome.levels.last().map(|outcome| outcome.level), Some(level));
        assert_eq!(outcome.verdict(), Verdict::Passed, "{level:?}");
    }
}

#[tokio::test]
async fn a_table_that_must_be_there_is_looked_for() {
    let shop = Shop::new(Format::Custom, custom_files(ZSTD)).await;
    let names = ["pear".to_owned(), "public.empty".to_owned(), "public.plum".to_owned()];
    let outcome = shop.verify_with(|options| options.required_tables = names.to_vec()).await.unwrap();
    assert_eq!(kinds(&outcome), [(FindingKind::TableMissing, "public.plum")]);
    let wishes = Wishes::parse("verify.toml", "[[table]]\nname = \"pear\"\nmin_rows = 2\n").unwrap();
    let outcome = shop.verify_with(|options| options.wishes = wishes).await.unwrap();
    // the sample's manifest lists no relations: the wish is about the source's objects, not the archive's entries
    assert_eq!(kinds(&outcome), [(FindingKind::TableMissing, "pear")]);
}

#[tokio::test]
async fn a_stranger_in_the_folder_is_noted_and_no_damage() {
    let shop = Shop::new(Format::Custom, custom_files(ZSTD)).await;
    shop.put("notes.txt", b"mine".to_vec()).await;
    let outcome = shop.verify().await.unwrap();
    assert_eq!(outcome.verdict(), Verdict::Passed);
    assert_eq!(outcome.notes, ["\"notes.txt\" lies in the backup's folder and is no part of it"]);
}

#[tokio::test]
async fn data_that_shrank_is_a_finding() {
    let shop = Shop::new(Format::Custom, custom_files(ZSTD)).await;
    let mut before = crate::manifest::tests::sample("20261120T030000Z-k3f9");
    before.tables = manifest_of(Format::Custom, &custom_files(ZSTD)).tables;
    let previous = |before: &Manifest| Backup {
        database: "shop".to_owned(),
        id: before.id.clone(),
        standing: Standing::Complete { manifest: Box::new(before.clone()), received: before.snapshot.time },
        objects: Vec::new(),
        members: crate::shelf::Members::default(),
        evidence: crate::manifest::Evidence::default(),
    };
    let verify = async |before: &Manifest| {
        let change = |options: &mut Options| match &mut options.target {
            Target::Backup { previous: place, .. } => *place = Some(Box::new(previous(before))),
            Target::Path(_) => panic!("a backup"),
        };
        shop.verify_with(change).await.unwrap()
    };
    assert_eq!(verify(&before).await.verdict(), Verdict::Passed);
    before.tables[0].rows *= 10;
    let outcome = verify(&before).await;
    assert_eq!(kinds(&outcome), [(FindingKind::Volume, "public.apple")]);
    assert_eq!(outcome.findings[0].detail, "has 3 rows, had 30 in 20261120T030000Z-k3f9");
    // that the source has lost rows is no damage of the backup
    assert_eq!(outcome.verdict(), Verdict::Unmet);
    // a filtered backup is no measure
    before.filters.push("--table=x".to_owned());
    assert_eq!(verify(&before).await.verdict(), Verdict::Passed);
}

async fn verify_path(path: &std::path::Path) -> Result<Outcome> {
    let options = Options {
        target: Target::Path(path.to_owned()),
        level: None,
        required_tables: Vec::new(),
        wishes: Wishes::default(),
        against: None,
        jobs: 2,
    };
    run(&options, &Silent).await
}

#[tokio::test]
async fn a_bare_archive_is_decoded_and_what_needs_a_manifest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bare.dump");
    std::fs::write(&path, custom(ZSTD, ROWS)).unwrap();
    let outcome = verify_path(&path).await.unwrap();
    assert_eq!(outcome.verdict(), Verdict::Passed, "{outcome:#?}");
    for level in [Level::Files, Level::Rows, Level::Expectations] {
        assert_eq!(outcome.level(level).unwrap().verdict, LevelVerdict::NotChecked, "{level:?}");
    }
    assert_eq!(outcome.level(Level::Archive).unwrap().verdict, LevelVerdict::Passed);

    for length in [4, 100, custom(ZSTD, ROWS).len() - 1] {
        std::fs::write(&path, &custom(ZSTD, ROWS)[..length]).unwrap();
        let outcome = verify_path(&path).await.unwrap();
        // four bytes of the magic are no archive any more, and no complete SQL either
        assert_eq!(outcome.verdict(), Verdict::Damaged, "{length}");
    }

    for (path, bytes) in directory(GZIP) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    assert_eq!(verify_path(&folder.path().join("archive")).await.unwrap().verdict(), Verdict::Passed);
    std::fs::remove_file(folder.path().join("archive/12.dat.gz")).unwrap();
    let outcome = verify_path(&folder.path().join("archive")).await.unwrap();
    assert_eq!(kinds(&outcome), [(FindingKind::DataMissing, "TABLE DATA public.pear")]);
}
