use bytes::Bytes;

use super::*;
use crate::archive::directory::{encode_large_object_line, large_object_file, rows_file};
use crate::archive::toc::{Container, Created, Data, Entry, Header, Section, Toc};
use crate::archive::{FormatError, FormatErrorKind, Version};
use crate::codec::compress::{Algorithm, Compression};

fn toc(version: Version) -> Toc {
    let header = Header::new(version, Container::Directory, Compression::None, Created::default()).unwrap();
    let entry = |dump_id, kind: &str| Entry {
        has_data: true,
        data: Data::File(rows_file(dump_id)),
        copy: (kind == "TABLE DATA").then(|| "COPY s.t (a) FROM stdin;\n".to_owned()),
        ..Entry::new(dump_id, kind, "t", Section::Data)
    };
    let entries = vec![
        Entry::new(1, "TABLE", "t", Section::PreData),
        entry(12, "TABLE DATA"),
        entry(11, "TABLE DATA"),
        entry(13, "BLOBS"),
    ];
    Toc { header, entries }
}

const ROWS: &[u8] = b"1\n2\n\\.\n\n\n";

fn list() -> Vec<u8> {
    let mut list = Vec::new();
    encode_large_object_line(7, &mut list);
    encode_large_object_line(4_000_000_000, &mut list);
    list
}

/// The members of a whole archive.
fn members() -> Vec<(String, Vec<u8>)> {
    vec![
        ("toc.dat".to_owned(), toc(Version::V1_16).encode()),
        (rows_file(12), ROWS.to_vec()),
        (rows_file(11), vec![b'x'; 1000]),
        (large_object_file(7), vec![0xff; BLOCK]),
        (large_object_file(4_000_000_000), Vec::new()),
        ("blobs_13.toc".to_owned(), list()),
        (SCRIPT_FILE.to_owned(), b"select 1;\n".to_vec()),
    ]
}

/// What is done to a member's header before its checksum.
type Change<'a> = &'a dyn Fn(&mut [u8; BLOCK]);

fn sum(block: &mut [u8; BLOCK]) {
    block[148..156].fill(b' ');
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:07o} ").as_bytes());
}

fn pack(members: &[(String, Vec<u8>)], changed: Option<(usize, Change<'_>)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, (name, content)) in members.iter().enumerate() {
        let mut block = encode_header(name, content.len() as u64, 1_800_000_000);
        if let Some((_, change)) = changed.filter(|(place, _)| *place == index) {
            change(&mut block);
            sum(&mut block);
        }
        bytes.extend_from_slice(&block);
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len() + padding(content.len() as u64), 0);
    }
    encode_end(&mut bytes);
    bytes
}

fn events(bytes: &[u8], chunk: usize, size: Option<u64>) -> Result<Vec<Event>, FormatError> {
    let mut decoder = Decoder::new(size);
    let mut events: Vec<Event> = Vec::new();
    for chunk in bytes.chunks(chunk) {
        let mut input = Bytes::copy_from_slice(chunk);
        while let Some(event) = decoder.next(&mut input)? {
            match (&event, events.last_mut()) {
                (Event::Data(more), Some(Event::Data(data))) => *data = [&data[..], more].concat().into(),
                _ => events.push(event),
            }
        }
        assert!(input.is_empty());
    }
    decoder.finish()?;
    Ok(events)
}

/// The error of an archive, which is the same however its bytes arrive.
#[track_caller]
fn refused(bytes: &[u8]) -> (u64, FormatErrorKind) {
    let errors = [1, 7, BLOCK, 100_000].map(|chunk| events(bytes, chunk, Some(bytes.len() as u64)).unwrap_err());
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    let [error, ..] = errors;
    (error.offset, error.kind)
}

/// Where the header of a member lies.
fn place(members: &[(String, Vec<u8>)], index: usize) -> u64 {
    let length = |content: &Vec<u8>| BLOCK + content.len() + padding(content.len() as u64);
    members.iter().take(index).map(|(_, content)| length(content) as u64).sum()
}

#[test]
fn gives_back_what_was_packed_however_it_arrives() {
    let members = members();
    let bytes = pack(&members, None);
    let at = |index: usize| {
        let begin = place(&members, index) + BLOCK as u64;
        begin..begin + members[index].1.len() as u64
    };
    let object = |oid| Content::LargeObject { dump_id: 13, oid };
    let expected = vec![
        Event::Head(Box::new(toc(Version::V1_16))),
        Event::Begin { content: Content::Rows { dump_id: 12 }, place: at(1) },
        Event::Data(ROWS.into()),
        Event::End,
        Event::Begin { content: Content::Rows { dump_id: 11 }, place: at(2) },
        Event::Data(vec![b'x'; 1000].into()),
        Event::End,
        Event::Begin { content: object(7), place: at(3) },
        Event::Data(vec![0xff; BLOCK].into()),
        Event::End,
        Event::Begin { content: object(4_000_000_000), place: at(4) },
        Event::End,
        Event::LargeObjectsEnd { dump_id: 13 },
    ];
    for chunk in [1, 3, 511, BLOCK, 513, 100_000] {
        for size in [None, Some(bytes.len() as u64)] {
            assert_eq!(events(&bytes, chunk, size).unwrap(), expected, "{chunk}");
        }
    }
    // tar programs fill their last record
    let filled = [&bytes[..], &[0; 8 * BLOCK]].concat();
    assert_eq!(events(&filled, 1000, None).unwrap(), expected);
}

#[test]
fn a_member_can_be_passed_over() {
    let bytes = Bytes::from(pack(&members(), None));
    let mut decoder = Decoder::new(Some(bytes.len() as u64));
    let mut input = bytes.clone();
    let mut seen = Vec::new();
    while let Some(event) = decoder.next(&mut input).unwrap() {
        if let Event::Begin { place, .. } = &event {
            decoder.skip_data();
            assert_eq!(decoder.position(), place.end);
            input = bytes.slice(place.end as usize..);
        }
        seen.push(event);
    }
    decoder.finish().unwrap();
    assert!(!seen.iter().any(|event| matches!(event, Event::Data(_))));
    assert_eq!(seen.iter().filter(|event| **event == Event::End).count(), 4);
}

#[test]
fn older_archives_have_one_list() {
    let mut members = members();
    members[0].1 = toc(Version::V1_14).encode();
    assert_eq!(refused(&pack(&members, None)).0, place(&members, 5));
    members[5].0 = "blobs.toc".to_owned();
    assert!(events(&pack(&members, None), 100, None).is_ok());
}

#[test]
fn sizes_are_octal_or_in_base_256() {
    let limit = 1_u64 << 33;
    for size in [0, 1, 511, 512, limit - 1, limit, 3 << 40, i64::MAX.cast_unsigned()] {
        let block = encode_header("12.dat", size, 0);
        assert_eq!(block[124] == 0x80, size >= limit);
        assert_eq!(header::Header::decode(&block), Ok(header::Header { name: "12.dat".to_owned(), size }));
        assert_eq!((padding(size) as u64 + size % 512) % 512, 0);
    }
    // as pg_dump 18 writes it
    assert_eq!(&encode_header("toc.dat", 0o5515, 0)[100..136], b"0000600 0004000 0002000 00000005515 ");
}

#[test]
fn refuses_headers_that_pg_dump_does_not_write() {
    let members = members();
    let field = |name: &str, field| FormatErrorKind::MemberHeader { name: name.to_owned(), field };
    let typed = |code| FormatErrorKind::MemberType { name: "12.dat".to_owned(), code };
    let cases: Vec<(usize, &[u8], _)> = vec![
        // PAX for one and for all, links, a folder, GNU's long name and sparse file
        (156, b"x", typed(b'x')),
        (156, b"g", typed(b'g')),
        (156, b"1", typed(b'1')),
        (156, b"2", typed(b'2')),
        (156, b"5", typed(b'5')),
        (156, b"L", typed(b'L')),
        (156, b"S", typed(b'S')),
        (157, b"/etc/passwd", field("12.dat", "link name")),
        (345, b"/etc", field("12.dat", "name prefix")),
        (257, b"ustar  \0", field("12.dat", "format")),
        (257, b"\0\0\0\0\0\0\0\0", field("12.dat", "format")),
        (50, b"hidden", field("12.dat", "name")),
        (124, b"-0000000001 ", field("12.dat", "size")),
        (124, b"            ", field("12.dat", "size")),
        (124, b"0000000001x ", field("12.dat", "size")),
        (124, b"99999999999 ", field("12.dat", "size")),
        // negative in base 256, and more than 64 bits
        (124, &[0xff; 12], field("12.dat", "size")),
        (124, &[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], field("12.dat", "size")),
        (124, &[0x80, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0], field("12.dat", "size")),
        (0, b"../x\0\0", FormatErrorKind::FileName("../x".to_owned())),
        (0, b"/x.dat", FormatErrorKind::FileName("/x.dat".to_owned())),
        (0, b"12.dat.gz", FormatErrorKind::FileName("12.dat.gz".to_owned())),
        (0, b"./1.dat", FormatErrorKind::FileName("./1.dat".to_owned())),
    ];
    for (begin, bytes, kind) in cases {
        let change = |block: &mut [u8; BLOCK]| block[begin..begin + bytes.len()].copy_from_slice(bytes);
        let bytes = pack(&members, Some((1, &change)));
        assert_eq!(refused(&bytes), (place(&members, 1), kind));
    }
    let full: Change<'_> = &|block| block[..100].fill(b'1');
    assert!(matches!(refused(&pack(&members, Some((1, full)))).1, FormatErrorKind::MemberHeader { field: "name", .. }));
    // what POSIX calls a plain file, too
    assert!(events(&pack(&members, Some((1, &|block| block[156] = 0))), 100, None).is_ok());
}

#[test]
fn refuses_a_wrong_checksum() {
    let members = members();
    let mut bytes = pack(&members, None);
    let header = place(&members, 1) as usize;
    // the time matters to nobody, and its change is seen all the same
    bytes[header + 140] ^= 1;
    let (offset, kind) = refused(&bytes);
    assert_eq!(offset, header as u64);
    assert!(matches!(kind, FormatErrorKind::MemberChecksum { said: Some(_), .. }), "{kind:?}");
    bytes[header + 148..header + 156].fill(0);
    assert!(matches!(refused(&bytes).1, FormatErrorKind::MemberChecksum { said: None, .. }));
}

#[test]
fn refuses_a_size_behind_the_end() {
    let members = members();
    for size in [b"77777777777 ", b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"] {
        let bytes = pack(&members, Some((2, &|block| block[124..136].copy_from_slice(size))));
        let (offset, kind) = refused(&bytes);
        assert_eq!(offset, place(&members, 2));
        assert!(matches!(kind, FormatErrorKind::MemberSize { name, .. } if name == "11.dat"));
        assert!(events(&bytes, 100, None).is_err());
    }
}

#[test]
fn refuses_members_out_of_order_and_strangers() {
    let order = |found: Option<&str>, expected: Option<&str>| FormatErrorKind::MemberOrder {
        found: found.map(str::to_owned),
        expected: expected.map(str::to_owned),
    };
    type Members = Vec<(String, Vec<u8>)>;
    let check = |change: &dyn Fn(&mut Members), index: usize, kind: FormatErrorKind| {
        let mut members = members();
        change(&mut members);
        assert_eq!(refused(&pack(&members, None)), (place(&members, index), kind));
    };
    let stranger = |name: &str| (name.to_owned(), ROWS.to_vec());
    check(&|members| members.swap(0, 1), 0, order(Some("12.dat"), Some("toc.dat")));
    check(&|members| members.swap(1, 2), 1, order(Some("11.dat"), Some("12.dat")));
    check(&|members| members.clear(), 0, order(None, Some("toc.dat")));
    // twice
    check(&|members| members.insert(2, members[1].clone()), 2, order(Some("12.dat"), Some("11.dat")));
    check(&|members| members.insert(1, members[0].clone()), 1, order(Some("toc.dat"), Some("12.dat")));
    check(&|members| members.push(members[6].clone()), 7, order(Some("restore.sql"), None));
    let twice = FormatErrorKind::MemberTwice("blob_7.dat".to_owned());
    check(&|members| members.insert(4, members[3].clone()), 4, twice);
    // not in the table of contents
    check(&|members| members.insert(1, stranger("99.dat")), 1, order(Some("99.dat"), Some("12.dat")));
    check(&|members| members.insert(6, stranger("99.dat")), 6, order(Some("99.dat"), None));
    check(&|members| members.insert(6, stranger("blob_9.dat")), 6, order(Some("blob_9.dat"), None));
    check(&|members| members.push(stranger("99.dat")), 7, order(Some("99.dat"), None));
    check(&|members| members.insert(1, stranger("readme")), 1, FormatErrorKind::FileName("readme".to_owned()));
    // left out
    check(&|members| drop(members.remove(1)), 1, order(Some("11.dat"), Some("12.dat")));
    check(&|members| members.truncate(2), 2, order(None, Some("11.dat")));
    check(&|members| members.truncate(5), 5, order(None, Some("blobs_13.toc")));
    check(&|members| drop(members.remove(5)), 5, order(Some("restore.sql"), Some("blobs_13.toc")));
    // a list that names others than have come
    check(&|members| drop(members.remove(4)), 4, FormatErrorKind::LargeObjectLine);
}

#[test]
fn refuses_a_list_or_a_table_of_contents_that_lies() {
    let mut lies = members();
    lies[5].1 = String::from_utf8(list()).unwrap().replace("blob_7.dat", "/etc/pw.xx").into_bytes();
    assert_eq!(lies[5].1.len(), list().len());
    assert_eq!(refused(&pack(&lies, None)), (place(&lies, 5) + BLOCK as u64, FormatErrorKind::LargeObjectLine));

    for name in ["99.dat", "blobs.toc"] {
        let mut lies = members();
        let mut toc = toc(Version::V1_16);
        toc.entries[1].data = Data::File(name.to_owned());
        lies[0].1 = toc.encode();
        assert_eq!(refused(&pack(&lies, None)), (BLOCK as u64, FormatErrorKind::FileName(name.to_owned())));
    }
    let mut lies = members();
    let mut packed = toc(Version::V1_16);
    packed.header.compression = Algorithm::Zstd;
    lies[0].1 = packed.encode();
    assert_eq!(refused(&pack(&lies, None)).1, FormatErrorKind::MemberCompression(Algorithm::Zstd));

    let mut lies = members();
    lies[0].1.push(0);
    assert_eq!(refused(&pack(&lies, None)).1, FormatErrorKind::Trailing);
    lies[0].1.truncate(40);
    assert_eq!(refused(&pack(&lies, None)).1, FormatErrorKind::Truncated);
    lies[0].1.clear();
    assert_eq!(refused(&pack(&lies, None)).1, FormatErrorKind::Truncated);
}

#[test]
fn refuses_what_ends_early_or_goes_on() {
    let members = members();
    let bytes = pack(&members, None);
    let whole = bytes.len();
    for cut in [whole - 1, whole - BLOCK, whole - BLOCK - 1, whole - 2 * BLOCK, whole - 2 * BLOCK - 1, 3000, 600, 1, 0]
    {
        let error = events(&bytes[..cut], 100, None).unwrap_err();
        assert_eq!((error.offset, error.kind), (cut as u64, FormatErrorKind::Truncated));
    }
    let tails: [&[u8]; 3] = [b"x", &[&[0; BLOCK][..], b"x"].concat(), &encode_header("12.dat", 0, 0)];
    for tail in tails {
        assert_eq!(refused(&[&bytes[..], tail].concat()).1, FormatErrorKind::MemberPadding);
    }
    // between two members, and in the second block of the end
    for changed in [place(&members, 2) as usize - 1, whole - 3] {
        let mut bytes = bytes.clone();
        bytes[changed] = 1;
        assert_eq!(refused(&bytes).1, FormatErrorKind::MemberPadding);
    }
}

#[test]
fn no_change_of_a_byte_makes_it_panic_or_hides_a_member() {
    let bytes = pack(&members(), None);
    let expected = events(&bytes, 100_000, None).unwrap();
    let headers: Vec<usize> = (0..7).map(|index| place(&members(), index) as usize).collect();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x11;
        let result = events(&changed, 100_000, None);
        if headers.iter().any(|header| (*header..header + BLOCK).contains(&at)) {
            assert!(result.is_err(), "byte {at}");
        } else if let Ok(events) = result {
            assert_eq!(events.len(), expected.len(), "byte {at}");
        }
    }
}

#[test]
fn the_script_loads_the_files_and_nothing_leaves_its_line() {
    let entry = |copy: Option<&str>| Entry {
        copy: copy.map(str::to_owned),
        data: Data::File("12.dat".to_owned()),
        ..Entry::new(12, "TABLE DATA", "t", Section::Data)
    };
    let text = script::rows(&entry(Some("COPY s.\"a b\" (c, \"d\"\"e\") FROM stdin;\n")), Some("k"));
    assert_eq!(text, "\\unrestrict k\n\\copy s.\"a b\" (c, \"d\"\"e\") FROM '12.dat'\n\\restrict k\n\n");
    let hostile = script::rows(&entry(Some("COPY s.\"a\n\\! touch x\n\" (c) FROM stdin;\n")), Some("k"));
    assert_eq!(hostile, "COPY s.\"a\n\\! touch x\n\" (c) FROM '$$PATH$$/12.dat';\n\n");
    assert_eq!(script::rows(&entry(None), None), "\\i '12.dat'\n\n");
    assert_eq!(script::large_object(7, 0, None), "");
    let text = script::large_object(7, 2_000_000, Some("k"));
    assert!(
        text.starts_with("\\unrestrict k\n\\lo_import 'blob_7.dat'\n\\restrict k\nSELECT pg_catalog.lo_put(7, place, ")
    );
    assert!(text.contains("generate_series(0::bigint, 1999999, 1048576)"), "{text}");
}
