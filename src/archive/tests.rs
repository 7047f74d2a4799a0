use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::codec::compress::{self, Algorithm, Compression, Shape};

use super::custom::{
    BlockDecoder, BlockEvent, BlockKind, encode_block_begin, encode_large_object_begin, encode_large_objects_end,
    encode_piece, encode_stream_end,
};
use super::toc::{Container, Created, Data, Entry, Header, Section, Toc};
use super::*;

fn header(version: Version, container: Container, compression: Compression) -> Header {
    let time = chrono::NaiveDate::from_ymd_opt(2026, 11, 21).unwrap().and_hms_opt(3, 4, 5).unwrap();
    Header {
        database: Some("shop".to_owned()),
        server_version: Some("18.1".to_owned()),
        dump_version: Some("18.6".to_owned()),
        ..Header::new(version, container, compression, Created::from_local(time)).unwrap()
    }
}

/// An archive with a table of two rows and two large objects, one of them empty. Says also where the data begins.
fn sample(version: Version, compression: Compression) -> (Vec<u8>, Toc, usize) {
    let table = Entry {
        catalog_oid: 1259,
        object_oid: 16_400,
        create: Some("CREATE TABLE public.item (id integer, name text);\n".to_owned()),
        drop: Some("DROP TABLE public.item;\n".to_owned()),
        schema: Some("public".to_owned()),
        tablespace: Some(String::new()),
        access_method: (version >= Version::V1_14).then(|| "heap".to_owned()),
        relation_kind: (version >= Version::V1_16).then_some(b'r'),
        owner: Some("keeper".to_owned()),
        ..Entry::new(215, "TABLE", "item", Section::PreData)
    };
    let rows = Entry {
        has_data: true,
        copy: Some("COPY public.item (id, name) FROM stdin;\n".to_owned()),
        schema: Some("public".to_owned()),
        owner: Some("keeper".to_owned()),
        dependencies: vec![215],
        data: Data::Unknown,
        ..Entry::new(3301, "TABLE DATA", "item", Section::Data)
    };
    let objects = Entry { has_data: true, data: Data::Unknown, ..Entry::new(3302, "BLOBS", "BLOBS", Section::Data) };
    let header = header(version, Container::Custom, compression);
    let mut toc = Toc { header, entries: vec![table, rows, objects] };
    let head_length = toc.encode().len();

    let pack = |bytes: &[u8]| compress::compress(compression, Shape::Block, bytes).unwrap();
    let mut data = BytesMut::new();
    toc.entries[1].data = Data::At(head_length as u64);
    encode_block_begin(BlockKind::Rows, 3301, &mut data);
    encode_piece(&pack(b"1\tapple\n2\tpear\n\\.\n\n\n"), &mut data);
    encode_stream_end(&mut data);
    toc.entries[2].data = Data::At((head_length + data.len()) as u64);
    encode_block_begin(BlockKind::LargeObjects, 3302, &mut data);
    for (oid, content) in [(16_500, &b"large"[..]), (4_000_000_000, b"")] {
        encode_large_object_begin(oid, &mut data);
        encode_piece(&pack(content), &mut data);
        encode_stream_end(&mut data);
    }
    encode_large_objects_end(&mut data);
    let mut archive = toc.encode();
    assert_eq!(archive.len(), head_length, "offsets change no length");
    archive.extend_from_slice(&data);
    (archive, toc, head_length)
}

/// What reading a whole custom archive finds.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    toc: Toc,
    rows: Vec<(i32, Vec<u8>)>,
    large_objects: Vec<(u32, Vec<u8>)>,
}

#[derive(Debug)]
enum Damage {
    Format(FormatError),
    Codec(crate::codec::CodecError),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Format(error) => error.fmt(f),
            Self::Codec(error) => error.fmt(f),
        }
    }
}

impl From<FormatError> for Damage {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl From<crate::codec::CodecError> for Damage {
    fn from(error: crate::codec::CodecError) -> Self {
        Self::Codec(error)
    }
}

fn truncated(offset: usize) -> FormatError {
    FormatError { offset: offset as u64, kind: FormatErrorKind::Truncated }
}

fn read(bytes: &[u8], chunk: usize) -> Result<Contents, Damage> {
    let mut chunks = bytes.chunks(chunk.max(1)).map(Bytes::copy_from_slice);
    let mut head = Decoder::new(Container::Custom);
    let (toc, mut input) = loop {
        let mut input = chunks.next().ok_or_else(|| head.truncated())?;
        if let Some(toc) = head.push(&mut input)? {
            break (toc, input);
        }
    };
    let mut blocks = BlockDecoder::new(head.offset());
    let mut contents = Contents { toc, rows: Vec::new(), large_objects: Vec::new() };
    let mut decoder = None;
    let mut current = None;
    let mut plain = Vec::new();
    let mut buffer = BytesMut::new();
    loop {
        let offset = blocks.offset();
        let Some(event) = blocks.next(&mut input)? else {
            match chunks.next() {
                Some(next) => input = next,
                None => break,
            }
            continue;
        };
        match event {
            BlockEvent::Begin { kind, dump_id } => {
                if contents.toc.entry(dump_id).is_none_or(|entry| entry.data != Data::At(offset)) {
                    return Err(FormatError { offset, kind: FormatErrorKind::DumpId(dump_id) }.into());
                }
                if kind == BlockKind::Rows {
                    decoder = Some(compress::Decoder::new(contents.toc.header.compression, Shape::Block)?);
                }
                current = Some((kind, dump_id));
            }
            BlockEvent::LargeObject { oid } => {
                decoder = Some(compress::Decoder::new(contents.toc.header.compression, Shape::Block)?);
                contents.large_objects.push((oid, Vec::new()));
            }
            BlockEvent::Data(data) => {
                decoder.as_mut().unwrap().push_all::<Damage>(&data, &mut buffer, |bytes| {
                    plain.extend_from_slice(bytes);
                    Ok(())
                })?;
            }
            BlockEvent::LargeObjectEnd => {
                decoder.take().unwrap().finish()?;
                contents.large_objects.last_mut().unwrap().1 = std::mem::take(&mut plain);
            }
            BlockEvent::End => {
                if let Some((BlockKind::Rows, dump_id)) = current {
                    decoder.take().unwrap().finish()?;
                    let mut text = copy_text::CopyText::new();
                    let mut rows = Vec::new();
                    text.push::<FormatError>(&std::mem::take(&mut plain), |bytes| {
                        rows.extend_from_slice(bytes);
                        Ok(())
                    })?;
                    text.finish()?;
                    contents.rows.push((dump_id, rows));
                }
            }
        }
    }
    blocks.finish()?;
    Ok(contents)
}

const WRITTEN: [(Version, Compression); 7] = [
    (Version::V1_12, Compression::None),
    (Version::V1_13, Compression::Gzip { level: 6 }),
    (Version::V1_14, Compression::Gzip { level: 1 }),
    (Version::V1_15, Compression::Zstd { level: 3, long: false }),
    (Version::V1_16, Compression::None),
    (Version::V1_16, Compression::Lz4 { level: 0 }),
    (Version::V1_16, Compression::Zstd { level: 3, long: false }),
];

#[test]
fn gives_back_what_was_written() {
    for (version, compression) in WRITTEN {
        let (bytes, toc, _) = sample(version, compression);
        for chunk in [1, 7, 100, usize::MAX] {
            let contents = read(&bytes, chunk).unwrap();
            assert_eq!(contents.toc, toc, "{version} {compression} {chunk}");
            assert_eq!(contents.rows, [(3301, b"1\tapple\n2\tpear\n".to_vec())]);
            assert_eq!(contents.large_objects, [(16_500, b"large".to_vec()), (4_000_000_000, Vec::new())]);
        }
        assert_eq!(toc.encode(), bytes[..toc.encode().len()]);
    }
}

#[test]
fn finds_every_truncation() {
    for (version, compression) in WRITTEN {
        let (bytes, toc, head_length) = sample(version, compression);
        let whole = read(&bytes, usize::MAX).unwrap();
        for length in 0..bytes.len() {
            // between two blocks the bytes alone tell nothing; the missing block does
            match read(&bytes[..length], 50) {
                Err(_) => {}
                Ok(contents) => {
                    assert!(length >= head_length);
                    assert_eq!(contents.toc, toc);
                    assert_ne!(contents, whole, "{version} {compression} cut at {length} of {}", bytes.len());
                }
            }
        }
    }
}

#[test]
fn says_where_a_cut_head_ends() {
    let (bytes, ..) = sample(Version::NEWEST, Compression::None);
    for length in [0, 3, 11, 40, 200] {
        assert_eq!(Toc::decode(Container::Custom, &bytes[..length]), Err(truncated(length)), "{length}");
    }
}

#[test]
fn survives_every_flipped_byte() {
    for (version, compression) in WRITTEN {
        let (mut bytes, ..) = sample(version, compression);
        for index in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xFF] {
                bytes[index] ^= flip;
                // an error or other contents, never a panic
                read(&bytes, usize::MAX).ok();
                bytes[index] ^= flip;
            }
        }
    }
}

#[test]
fn a_flipped_byte_in_the_head_is_found_or_kept() {
    // what is decoded is encoded to the same bytes, so no byte of the head means nothing
    for (version, compression) in WRITTEN {
        let (bytes, _, head_length) = sample(version, compression);
        let mut head = bytes[..head_length].to_vec();
        for index in 0..head.len() {
            head[index] ^= 0x20;
            if let Ok(toc) = Toc::decode(Container::Custom, &head) {
                assert_eq!(toc.encode(), head, "{version} at {index}");
            }
            head[index] ^= 0x20;
        }
    }
}

#[test]
fn names_the_damage() {
    let (bytes, ..) = sample(Version::NEWEST, Compression::None);
    let damaged = |index: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[index] = byte;
        Toc::decode(Container::Custom, &bytes).unwrap_err()
    };
    for (index, byte, kind) in [
        (0, b'X', FormatErrorKind::Magic),
        (5, 2, FormatErrorKind::Version { major: 2, minor: 16, revision: 0 }),
        (6, 11, FormatErrorKind::Version { major: 1, minor: 11, revision: 0 }),
        (6, 17, FormatErrorKind::Version { major: 1, minor: 17, revision: 0 }),
        (7, 1, FormatErrorKind::Version { major: 1, minor: 16, revision: 1 }),
        (8, 8, FormatErrorKind::IntegerSize(8)),
        (9, 9, FormatErrorKind::OffsetSize(9)),
        (10, 3, FormatErrorKind::Format(3)),
        (11, 4, FormatErrorKind::Compression(4)),
        (12, 7, FormatErrorKind::Integer),
    ] {
        assert_eq!(damaged(index, byte).kind, kind, "byte {index}");
    }
    assert_eq!(damaged(6, 17).to_string(), "archive version 1.17.0 is not from 1.12 to 1.16 (at byte 5)");
}

#[test]
fn refuses_a_dump_id_that_stands_twice() {
    let (_, mut toc, _) = sample(Version::NEWEST, Compression::None);
    toc.entries[1].dump_id = 215;
    let error = Toc::decode(Container::Custom, &toc.encode()).unwrap_err();
    assert_eq!(error.kind, FormatErrorKind::DumpId(215));
}

#[test]
fn refuses_lz4_and_zstd_where_the_header_cannot_say_so() {
    for compression in [Compression::Lz4 { level: 0 }, Compression::DEFAULT] {
        assert!(Header::new(Version::V1_14, Container::Custom, compression, Created::default()).is_err());
        assert!(Header::new(Version::V1_15, Container::Custom, compression, Created::default()).is_ok());
    }
}

#[test]
fn a_directory_names_its_files() {
    let mut toc = sample(Version::NEWEST, Compression::None).1;
    toc.header.container = Container::Directory;
    toc.entries[1].data = Data::File(directory::rows_file(3301));
    toc.entries[2].data = Data::File(directory::large_object_list_file(Version::NEWEST, 3302));
    let bytes = toc.encode();
    assert_eq!(Toc::decode(Container::Directory, &bytes).unwrap(), toc);
    assert_eq!(Toc::decode(Container::Custom, &bytes).unwrap_err().kind, FormatErrorKind::Format(3));

    toc.entries[1].data = Data::File("../../etc/passwd".to_owned());
    let error = Toc::decode(Container::Directory, &toc.encode()).unwrap_err();
    assert_eq!(error.kind, FormatErrorKind::FileName("../../etc/passwd".to_owned()));
}

#[test]
fn refuses_what_follows_a_directorys_head() {
    let mut toc = sample(Version::NEWEST, Compression::None).1;
    toc.header.container = Container::Directory;
    for entry in &mut toc.entries {
        entry.data = Data::None;
    }
    let mut bytes = toc.encode();
    let length = bytes.len() as u64;
    bytes.push(0);
    let error = Toc::decode(Container::Directory, &bytes).unwrap_err();
    assert_eq!(error, FormatError { offset: length, kind: FormatErrorKind::Trailing });
}

#[test]
fn a_claimed_length_reserves_nothing() {
    let (bytes, _, _) = sample(Version::NEWEST, Compression::None);
    // the database's name claims 2 GiB - 1; so does the number of entries
    for claim in [47, 11 + 1 + 7 * 5 + (5 + 4) + (5 + 4) + (5 + 4)] {
        let mut head = bytes[..claim].to_vec();
        head.extend([0, 0xFF, 0xFF, 0xFF, 0x7F]);
        assert_eq!(Toc::decode(Container::Custom, &head), Err(truncated(head.len())));
    }
}

#[test]
fn tells_kinds_of_files_apart() {
    let (bytes, ..) = sample(Version::NEWEST, Compression::None);
    assert_eq!(FileKind::of(&bytes), FileKind::Custom);
    for compression in
        [Compression::Gzip { level: 6 }, Compression::Lz4 { level: 0 }, Compression::Zstd { level: 1, long: false }]
    {
        let packed = compress::compress(compression, Shape::File, b"--\n").unwrap();
        assert_eq!(FileKind::of(&packed), FileKind::Compressed(compression.algorithm()));
    }
    assert_eq!(FileKind::of(b"--\n-- PostgreSQL database dump\n"), FileKind::Other);
    assert_eq!(FileKind::of(b""), FileKind::Other);
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    assert_eq!(FileKind::of(&tar), FileKind::Tar);
}

#[test]
fn keeps_the_creation_time() {
    let time = chrono::NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_opt(23, 59, 58).unwrap();
    assert_eq!(Created::from_local(time).local(), Some(time));
    assert_eq!(Created { month: 12, ..Created::from_local(time) }.local(), None);
    assert_eq!(Created { year: i32::MAX, ..Created::from_local(time) }.local(), None);
}

prop_compose! {
    fn entry()(
        dump_id in 1..i32::MAX,
        has_data in any::<bool>(),
        oids in any::<(u32, u32)>(),
        texts in proptest::collection::vec(proptest::option::of("[^\0]{0,12}"), 7),
        tag in "[^\0]{0,12}",
        kind in "[A-Z ]{0,12}",
        section in 1..=4,
        relation_kind in proptest::option::of(prop::sample::select(b"rvmSfp".to_vec())),
        with_oids in any::<bool>(),
        dependencies in proptest::collection::vec(any::<i32>(), 0..5),
        data in prop_oneof![Just(Data::None), Just(Data::Unknown), any::<u64>().prop_map(Data::At)],
    ) -> Entry {
        let mut texts = texts.into_iter();
        let mut text = || texts.next().flatten();
        Entry {
            has_data, catalog_oid: oids.0, object_oid: oids.1, create: text(), drop: text(), copy: text(), schema: text(),
            tablespace: text(), access_method: text(), relation_kind, owner: text(), with_oids, dependencies, data,
            ..Entry::new(dump_id, kind, tag, Section::from_code(section).unwrap())
        }
    }
}

proptest! {
    #[test]
    fn any_head_goes_through(entries in proptest::collection::vec(entry(), 0..6), version in 0..Version::ALL.len(), chunk in 1usize..200) {
        let version = Version::ALL[version];
        let mut seen = std::collections::HashSet::new();
        let entries: Vec<Entry> = entries.into_iter().filter(|entry| seen.insert(entry.dump_id)).collect();
        let mut toc = Toc { header: header(version, Container::Custom, Compression::None), entries };
        let bytes = toc.encode();
        toc.entries = toc.entries.into_iter().map(|entry| entry.in_version(version)).collect();
        let mut decoder = Decoder::new(Container::Custom);
        let mut decoded = None;
        for piece in bytes.chunks(chunk) {
            prop_assert!(decoded.is_none());
            decoded = decoder.push(&mut Bytes::copy_from_slice(piece)).unwrap();
        }
        prop_assert_eq!(decoder.offset(), bytes.len() as u64);
        prop_assert_eq!(decoded, Some(toc));
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), chunk in 1usize..100) {
        read(&bytes, chunk).ok();
        Toc::decode(Container::Directory, &bytes).ok();
        directory::decode_large_object_list(&bytes).ok();
        let mut blocks = BlockDecoder::new(0);
        for piece in bytes.chunks(chunk) {
            let mut input = Bytes::copy_from_slice(piece);
            while let Ok(Some(_)) = blocks.next(&mut input) {}
        }
    }

    #[test]
    fn mutated_archives_never_panic(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        which in 0..WRITTEN.len(),
        chunk in 1usize..300,
    ) {
        let (version, compression) = WRITTEN[which];
        let (mut bytes, ..) = sample(version, compression);
        for (index, byte) in &flips {
            let place = index.index(bytes.len());
            bytes[place] = *byte;
        }
        read(&bytes, chunk).ok();
        read(&bytes[..cut.index(bytes.len())], chunk).ok();
    }

    #[test]
    fn random_fields_never_panic(fields in proptest::collection::vec((any::<i32>(), "[0-9a-z]{0,4}"), 0..60)) {
        let (bytes, _, _) = sample(Version::NEWEST, Compression::None);
        let mut head = bytes[..11 + 1 + 7 * 5 + 3 * 9].to_vec();
        for (number, text) in fields {
            primitive::encode_integer(number % 9, &mut head);
            primitive::encode_string(Some(&text), &mut head);
        }
        Toc::decode(Container::Custom, &head).ok();
    }
}

#[test]
fn a_header_reads_as_it_was_made() {
    for version in Version::ALL {
        for text in ["none", "gzip:9", "lz4", "zstd:3"] {
            let compression: Compression = text.parse().unwrap();
            let Ok(header) = Header::new(version, Container::Custom, compression, Created::default()) else {
                continue;
            };
            let toc = Toc { header, entries: Vec::new() };
            assert_eq!(Toc::decode(Container::Custom, &toc.encode()).unwrap(), toc, "{version} {text}");
        }
    }
}

#[test]
fn tells_the_encoding() {
    let toc = read(&fixture("good/pg15_none.dump"), 100).unwrap().toc;
    assert_eq!(toc.encoding(), Some("UTF8"));
    assert_eq!(sample(Version::NEWEST, Compression::None).1.encoding(), None);
}

#[test]
fn every_algorithm_has_its_own_code() {
    for algorithm in Algorithm::ALL {
        let compression: Compression = algorithm.name().parse().unwrap();
        let toc = Toc { header: header(Version::NEWEST, Container::Custom, compression), entries: Vec::new() };
        assert_eq!(Toc::decode(Container::Custom, &toc.encode()).unwrap().header.compression, algorithm);
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archive").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn reads_what_pg_dump_wrote() {
    for name in ["pg13_gzip", "pg15_none", "pg17_lz4", "pg18_zstd"] {
        let bytes = fixture(&format!("good/{name}.dump"));
        let contents = read(&bytes, 100).unwrap_or_else(|damage| panic!("{name}: {damage}"));
        let head = contents.toc.encode();
        assert_eq!(head, bytes[..head.len()], "{name}: what is read is written the same");
        let texts: Vec<&[u8]> = contents.rows.iter().map(|(_, rows)| rows.as_slice()).collect();
        assert_eq!(texts, [b"1\tapple\n2\t\\N\n"], "{name}");
        assert_eq!(contents.large_objects, [(4711, b"large".to_vec()), (4712, Vec::new())], "{name}");
    }
}

#[test]
fn says_what_is_damaged() {
    for (name, expected) in [
        ("toc_truncated", "the archive ends too early (at byte 300)"),
        ("string_length_huge", "a string holds a zero byte"),
        ("string_length_negative", "a string has the length -2"),
        ("block_of_another_entry", "dump id 1 is not positive or stands twice"),
        ("block_type_unknown", "data block type 2 does not exist"),
        ("zstd_end_missing", "zstd data ends before its end mark"),
        ("data_truncated", "the archive ends too early"),
        ("rows_end_missing", "the row data has no end mark, or something follows it"),
    ] {
        let damage = read(&fixture(&format!("damaged/{name}.dump")), 100).unwrap_err().to_string();
        assert!(damage.starts_with(expected), "{name}: {damage}");
    }
    let error = Toc::decode(Container::Directory, &fixture("damaged/file_name_escapes.toc.dat")).unwrap_err();
    assert_eq!(error.kind, FormatErrorKind::FileName("../../etc/cron.d/x.dat".to_owned()));
}
