//! Hundreds of damaged tables of contents: field by field, by someone who knows the format.

use std::fs;
use std::path::{Path, PathBuf};

use rand::prelude::*;

use super::{NOTHING, dump, objects, restore, sample, within_limits};
use crate::support::pg::{Database, Server, newest_server, server, shared_folder};

/// How a field is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Byte,
    /// A sign byte and four bytes.
    Integer,
    /// An integer and so many bytes.
    Text,
    /// A state and eight bytes.
    Offset,
}

/// A field of the head.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// `TABLE DATA.offset`: the entry's kind and the field.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) at: usize,
    pub(super) length: usize,
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    found: Vec<Span>,
}

impl Walk<'_> {
    fn note(&mut self, name: &str, kind: Kind, length: usize) -> usize {
        let at = self.at;
        self.at += length;
        self.found.push(Span { name: name.to_owned(), kind, at, length });
        at
    }

    fn byte(&mut self, name: &str) -> u8 {
        let at = self.note(name, Kind::Byte, 1);
        self.bytes[at]
    }

    fn integer(&mut self, name: &str) -> i64 {
        let at = self.note(name, Kind::Integer, 5);
        self.value(at)
    }

    fn value(&self, at: usize) -> i64 {
        let magnitude = i64::from(u32::from_le_bytes(self.bytes[at + 1..at + 5].try_into().expect("4 bytes")));
        if self.bytes[at] == 0 { magnitude } else { -magnitude }
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let length = usize::try_from(self.value(self.at)).ok();
        let at = self.note(name, Kind::Text, 5 + length.unwrap_or(0));
        length.map(|length| String::from_utf8_lossy(&self.bytes[at + 5..at + 5 + length]).into_owned())
    }
}

/// The fields of a head that pg_dump 13 or later wrote.
pub(super) fn spans(bytes: &[u8]) -> Vec<Span> {
    let mut walk = Walk { bytes, at: 0, found: Vec::new() };
    for letter in ["P", "G", "D", "M", "P", "major"] {
        walk.byte(letter);
    }
    let minor = walk.byte("minor");
    walk.byte("revision");
    walk.byte("integer size");
    walk.byte("offset size");
    let is_custom = walk.byte("format") == 1;
    if minor >= 15 {
        walk.byte("compression");
    } else {
        walk.integer("compression");
    }
    for part in ["second", "minute", "hour", "day", "month", "year", "dst", "", "", ""] {
        if part.is_empty() {
            walk.text("header text");
        } else {
            walk.integer(part);
        }
    }
    let count = walk.integer("entries");
    for _ in 0..count {
        let first = walk.found.len();
        walk.integer("dump id");
        walk.integer("has data");
        walk.text("catalog");
        walk.text("oid");
        walk.text("tag");
        let kind = walk.text("kind").expect("a kind");
        walk.integer("section");
        for field in ["create", "drop", "copy", "schema", "tablespace", "access method"] {
            walk.text(field);
        }
        if minor >= 16 {
            walk.integer("relation kind");
        }
        walk.text("owner");
        walk.text("with oids");
        while walk.text("dependency").is_some() {}
        if is_custom {
            walk.note("offset", Kind::Offset, 9);
        } else {
            walk.text("file");
        }
        for span in &mut walk.found[first..] {
            span.name = format!("{kind}.{}", span.name);
        }
    }
    walk.found
}

/// The damages of a field: the bytes that come in its place. With each, whether the file can only be called damaged.
fn damages(span: &Span, field: &[u8], size: usize) -> Vec<(String, Vec<u8>, bool)> {
    let mut out: Vec<(String, Vec<u8>, bool)> = Vec::new();
    let integer = |sign: u8, value: u32| [&[sign][..], &value.to_le_bytes()].concat();
    let number = |at: usize| u32::from_le_bytes(field[at..at + 4].try_into().expect("4 bytes"));
    match span.kind {
        Kind::Byte => {
            for value in [0, 0xFF, field[0] ^ 1, field[0].wrapping_add(1)] {
                out.push((format!("{value:#x}"), vec![value], false));
            }
        }
        Kind::Integer => {
            for (sign, value) in [(2, 1), (1, 0), (0, u32::MAX), (0, 0x7FFF_FFFF), (1, 1), (0, 0), (0, number(1) ^ 1)] {
                let is_no_integer = sign == 2 || (sign, value) == (1, 0) || value == u32::MAX;
                let is_flag = span.name.ends_with("has data");
                out.push((format!("{sign}:{value}"), integer(sign, value), is_no_integer || is_flag));
            }
        }
        Kind::Text => {
            let (length, rest) = (number(1), &field[5..]);
            let lengths = [(0, 0x7FFF_FFFF), (0, length + 1), (0, length.saturating_sub(1)), (1, 2), (0, u32::MAX)];
            for (sign, value) in lengths {
                out.push((format!("length {sign}:{value}"), [&integer(sign, value), rest].concat(), sign == 1));
            }
            if !rest.is_empty() {
                let mut zero = field.to_vec();
                zero[5 + rest.len() / 2] = 0;
                out.push(("a zero byte".to_owned(), zero, true));
                let mut other = field.to_vec();
                other[5] = other[5].wrapping_add(1);
                out.push(("another letter".to_owned(), other, false));
                out.push(("gone".to_owned(), field[..5].to_vec(), false));
            }
        }
        Kind::Offset => {
            let size = size as u64;
            for state in [0, 1, 2, 3, 9] {
                out.push((format!("state {state}"), [&[state], &field[1..]].concat(), false));
            }
            for offset in [u64::MAX, u64::MAX / 2 + 1, 0, 1, size, size - 1, size + 1] {
                out.push((format!("offset {offset}"), [&[2][..], &offset.to_le_bytes()].concat(), true));
            }
        }
    }
    out.retain(|(_, bytes, _)| bytes != field);
    out
}

/// A file whose head is damaged, and what stands behind the head.
struct Subject {
    server: Server,
    /// What is restored.
    path: PathBuf,
    /// What is damaged in it, and what that was.
    file: PathBuf,
    whole: Vec<u8>,
    /// Where the head begins in it.
    begin: usize,
}

impl Subject {
    /// Damages field after field: each one of each kind of entry once, and others by chance.
    fn run(&self, count: usize) {
        let seed: u64 = rand::random();
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let head = &self.whole[self.begin..];
        let found = spans(head);
        let mut cases = Vec::new();
        for span in &found {
            let field = &head[span.at..span.at + span.length];
            cases.extend(damages(span, field, self.whole.len()).into_iter().map(|damage| (span.clone(), damage)));
        }
        cases.shuffle(&mut random);
        // places, flags and the header before all
        cases.sort_by_key(|(span, _)| {
            !(span.kind == Kind::Offset || span.name.ends_with("has data") || !span.name.contains('.'))
        });
        let sure = cases
            .iter()
            .take_while(|(span, _)| {
                span.kind == Kind::Offset || span.name.ends_with("has data") || !span.name.contains('.')
            })
            .count();
        let first = sure.min(count / 2);
        let chosen: Vec<_> = cases[..first].iter().chain(&cases[sure..]).take(count).collect();
        assert!(chosen.len() > count / 2, "{} cases of {}", chosen.len(), cases.len());
        let mut target = self.server.database();
        let mut codes = std::collections::BTreeMap::new();
        for (span, (what, bytes, is_damage)) in chosen {
            let at = self.begin + span.at;
            let damaged = [&self.whole[..at], bytes, &self.whole[at + span.length..]].concat();
            fs::write(&self.file, damaged).expect("writable");
            let name = format!("seed {seed}, {} at byte {at}: {what}", span.name);
            target = self.try_one(target, &name, *is_damage, &mut codes);
        }
        println!("{codes:?}");
        fs::write(&self.file, &self.whole).expect("writable");
        super::is_taken(&self.path, &self.server);
    }

    fn try_one(
        &self,
        target: Database,
        name: &str,
        is_damage: bool,
        codes: &mut std::collections::BTreeMap<i32, usize>,
    ) -> Database {
        let (run, taken) = restore(&self.path, &target, &[]);
        within_limits(&run, taken, name);
        let code = run.code.unwrap_or_else(|| panic!("{name}: ended by a signal\n{}", run.transcript()));
        *codes.entry(code).or_default() += 1;
        // another name or statement is one that this program cannot know to be wrong: the server decides
        let is_expected = if is_damage { code == 13 } else { matches!(code, 0 | 5 | 11 | 13) };
        assert!(is_expected, "{name}\n{}", run.transcript());
        assert!(!run.stderr.contains("panicked") && !run.stderr.contains("defect"), "{name}\n{}", run.transcript());
        if matches!(code, 0 | 5) {
            return self.server.database();
        }
        assert_eq!(objects(&target), NOTHING, "{name}: something was changed\n{}", run.transcript());
        target
    }
}

fn archive(server: &Server, format: &str, folder: &Path) -> PathBuf {
    let path = folder.join("archive");
    dump(server, &sample(server), format, &path);
    path
}

#[test]
fn no_damage_of_a_custom_archives_head_goes_unnoticed_or_half_way() {
    for (server, count) in [(newest_server(), 130), (server(13).unwrap_or_else(newest_server), 60)] {
        let folder = shared_folder();
        let path = archive(&server, "custom", folder.path());
        let whole = fs::read(&path).expect("an archive");
        Subject { server, file: path.clone(), path, whole, begin: 0 }.run(count);
    }
}

#[test]
fn no_damage_of_a_directorys_head_goes_unnoticed_or_half_way() {
    let server = newest_server();
    let folder = shared_folder();
    let path = archive(&server, "directory", folder.path());
    let file = path.join("toc.dat");
    let whole = fs::read(&file).expect("a table of contents");
    Subject { server, path, file, whole, begin: 0 }.run(100);
}

#[test]
fn no_damage_of_a_tars_head_goes_unnoticed_or_half_way() {
    let server = newest_server();
    let folder = shared_folder();
    let path = archive(&server, "tar", folder.path());
    let whole = fs::read(&path).expect("an archive");
    Subject { server, file: path.clone(), path, whole, begin: 512 }.run(100);
}
