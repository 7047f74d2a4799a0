//! The directory format's files: `toc.dat`, a file for each entry with data, a list of large objects and a file for each.
//!
//! A name that comes from an archive is used only when it is one of these (the closed set below); so nothing outside the
//! directory is ever opened.

use crate::codec::compress::Algorithm;

use super::error::{FormatError, FormatErrorKind};
use super::primitive::parse_number;
use super::version::Version;

/// The name of the file with the head.
pub const TOC_FILE: &str = "toc.dat";

/// The name of the file with the rows of an entry, without the suffix of its compression.
pub fn rows_file(dump_id: i32) -> String {
    format!("{dump_id}.dat")
}

/// The name of the list of an entry's large objects.
pub fn large_object_list_file(version: Version, dump_id: i32) -> String {
    match version {
        Version::V1_12 | Version::V1_13 | Version::V1_14 | Version::V1_15 => "blobs.toc".to_owned(),
        Version::V1_16 => format!("blobs_{dump_id}.toc"),
    }
}

/// The name of a large object's file, without the suffix of its compression.
pub fn large_object_file(oid: u32) -> String {
    format!("blob_{oid}.dat")
}

/// What a file of the directory format is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `toc.dat`.
    Toc,
    /// `12.dat`: rows of the entry.
    Rows {
        /// The entry's dump id.
        dump_id: i32,
    },
    /// `blobs.toc` or `blobs_12.toc`.
    LargeObjectList,
    /// `blob_16400.dat`.
    LargeObject {
        /// The large object's number.
        oid: u32,
    },
}

/// What a file name says, and its compression; `None` when pg_dump would not write such a name.
///
/// Lists and `toc.dat` may carry a suffix too: people compress them afterwards, and `pg_restore` reads that.
pub fn decode_file_name(name: &str) -> Option<(FileKind, Algorithm)> {
    let (algorithm, stem) = Algorithm::of_file_name(name);
    let kind = if stem == TOC_FILE {
        FileKind::Toc
    } else if let Some(middle) = stem.strip_prefix("blob_") {
        FileKind::LargeObject { oid: positive(middle.strip_suffix(".dat")?)? }
    } else if let Some(middle) = stem.strip_suffix(".dat") {
        FileKind::Rows { dump_id: positive(middle)? }
    } else {
        let middle = stem.strip_prefix("blobs")?.strip_suffix(".toc")?;
        if !middle.is_empty() {
            positive::<i32>(middle.strip_prefix('_')?)?;
        }
        FileKind::LargeObjectList
    };
    Some((kind, algorithm))
}

fn positive<T: std::str::FromStr + ToString + PartialOrd + Default>(text: &str) -> Option<T> {
    parse_number(text).filter(|number| *number > T::default())
}

/// Whether an entry of the table of contents may name this file.
pub(super) fn is_entry_file(name: &str) -> bool {
    match decode_file_name(name) {
        Some((FileKind::Rows { .. } | FileKind::LargeObjectList, algorithm)) => algorithm == Algorithm::None,
        Some((FileKind::Toc | FileKind::LargeObject { .. }, _)) | None => false,
    }
}

/// Adds the line of a large object to its list.
pub fn encode_large_object_line(oid: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{oid} {}\n", large_object_file(oid)).as_bytes());
}

/// Reads a list of large objects: their numbers, in order. Each is in the file that [`large_object_file`] names.
pub fn decode_large_object_list(bytes: &[u8]) -> Result<Vec<u32>, FormatError> {
    let mut oids = Vec::new();
    let mut offset = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let bad = |kind| FormatError { offset, kind };
        let text = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
        let (oid, name) = text
            .and_then(|text| text.split_once(' '))
            .and_then(|(oid, name)| Some((positive(oid)?, name)))
            .ok_or_else(|| bad(FormatErrorKind::LargeObjectLine))?;
        if name != large_object_file(oid) {
            return Err(bad(FormatErrorKind::FileName(name.to_owned())));
        }
        oids.push(oid);
        offset += line.len() as u64;
    }
    Ok(oids)
}

/// No line of a list of large objects is longer: two numbers and a few letters.
const LINE_MAX: usize = 256;

/// Reads a list of large objects while its bytes arrive: what is none is refused by its first lines, however much it would become.
#[derive(Debug, Default)]
pub struct LargeObjectList {
    waiting: Vec<u8>,
    offset: u64,
    oids: Vec<u32>,
}

impl LargeObjectList {
    /// Adds bytes of the list.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.waiting.extend_from_slice(bytes);
        // whole lines; one that is longer than any is malformed, and is not waited for
        let end = memchr::memrchr(b'\n', &self.waiting).map_or(0, |end| end + 1);
        let end = if self.waiting.len() - end > LINE_MAX { self.waiting.len() } else { end };
        self.take(end)
    }

    /// The numbers, in order.
    pub fn finish(mut self) -> Result<Vec<u32>, FormatError> {
        self.take(self.waiting.len())?;
        Ok(self.oids)
    }

    fn take(&mut self, end: usize) -> Result<(), FormatError> {
        let lines = self.waiting.get(..end).unwrap_or_default();
        let found = decode_large_object_list(lines)
            .map_err(|error| FormatError { offset: self.offset + error.offset, kind: error.kind })?;
        self.oids.extend(found);
        self.offset += end as u64;
        self.waiting.drain(..end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_that_pg_dump_writes() {
        for (name, kind, algorithm) in [
            ("toc.dat", FileKind::Toc, Algorithm::None),
            ("toc.dat.gz", FileKind::Toc, Algorithm::Gzip),
            ("3001.dat", FileKind::Rows { dump_id: 3001 }, Algorithm::None),
            ("3001.dat.gz", FileKind::Rows { dump_id: 3001 }, Algorithm::Gzip),
            ("3001.dat.lz4", FileKind::Rows { dump_id: 3001 }, Algorithm::Lz4),
            ("3001.dat.zst", FileKind::Rows { dump_id: 3001 }, Algorithm::Zstd),
            ("blobs.toc", FileKind::LargeObjectList, Algorithm::None),
            ("blobs_17.toc", FileKind::LargeObjectList, Algorithm::None),
            ("blob_4000000000.dat.zst", FileKind::LargeObject { oid: 4_000_000_000 }, Algorithm::Zstd),
        ] {
            assert_eq!(decode_file_name(name), Some((kind, algorithm)), "{name}");
        }
    }

    #[test]
    fn refuses_every_other_name() {
        for name in [
            "",
            ".",
            "..",
            "/",
            "/etc/passwd",
            "../toc.dat",
            "..\\toc.dat",
            "a/1.dat",
            "1.dat/",
            "./1.dat",
            "C:1.dat",
            "1.dat\0",
            "1.dat\n",
            " 1.dat",
            "1.dat ",
            "01.dat",
            "+1.dat",
            "-1.dat",
            "0.dat",
            "1.DAT",
            "1.dat.bz2",
            "1.dat.gz.gz",
            "99999999999.dat",
            "toc.dat2",
            "toc",
            ".dat",
            "1",
            "blob_.dat",
            "blob_0.dat",
            "blob_-1.dat",
            "blob_1",
            "blob_1.dat.gz/x",
            "blob_99999999999.dat",
            "blobs_.toc",
            "blobs_0.toc",
            "blobs1.toc",
            "blobs",
            "blobs_1.toc/../x",
            "blobs_x.toc",
            "blob_1/2.dat",
            "CON",
            "nul.dat",
            "1.dat:stream",
            "1\u{2024}dat",
            "１.dat",
            "~/1.dat",
            "$HOME.dat",
            "`id`.dat",
            "|id",
            "1.dat;rm",
            "1..dat",
            "..dat",
            "restore.sql\0",
            "blob_1.dat.",
            "%31.dat",
            "1.dat%00",
            "\u{202e}tad.1",
            "1.dat\\",
            "//1.dat",
            "a\\1.dat",
        ] {
            assert_eq!(decode_file_name(name), None, "{name:?}");
            assert!(!is_entry_file(name), "{name:?}");
        }
    }

    #[test]
    fn an_entry_names_neither_a_large_object_nor_a_compressed_file() {
        assert!(is_entry_file("12.dat"));
        assert!(is_entry_file("blobs.toc"));
        assert!(!is_entry_file("12.dat.gz"));
        assert!(!is_entry_file("blob_12.dat"));
        assert!(!is_entry_file("toc.dat"));
    }

    #[test]
    fn gives_back_a_list_of_large_objects() {
        let mut list = Vec::new();
        encode_large_object_line(16_400, &mut list);
        encode_large_object_line(4_000_000_000, &mut list);
        assert_eq!(list, b"16400 blob_16400.dat\n4000000000 blob_4000000000.dat\n");
        assert_eq!(decode_large_object_list(&list).unwrap(), [16_400, 4_000_000_000]);
        assert_eq!(decode_large_object_list(b"").unwrap(), [0; 0]);
    }

    #[test]
    fn refuses_a_list_that_leads_elsewhere() {
        for list in
            ["1 ../x\n", "1 blob_2.dat\n", "1\n", "x blob_1.dat\n", "0 blob_0.dat\n", "1 blob_1.dat", "1  blob_1.dat\n"]
        {
            assert!(decode_large_object_list(list.as_bytes()).is_err(), "{list:?}");
        }
        let error = decode_large_object_list(b"1 blob_1.dat\n2 /etc/passwd\n").unwrap_err();
        assert_eq!(error, FormatError { offset: 13, kind: FormatErrorKind::FileName("/etc/passwd".to_owned()) });
    }

    #[test]
    fn a_list_is_the_same_however_it_is_cut() {
        let mut bytes = Vec::new();
        [7, 16_400, 4_000_000_000].into_iter().for_each(|oid| encode_large_object_line(oid, &mut bytes));
        for piece in 1..bytes.len() {
            let mut list = LargeObjectList::default();
            bytes.chunks(piece).for_each(|piece| list.push(piece).unwrap());
            assert_eq!(list.finish().unwrap(), [7, 16_400, 4_000_000_000], "pieces of {piece}");
        }
        let mut list = LargeObjectList::default();
        list.push(&bytes).unwrap();
        let error = list.push(&[b'1'; 300]).unwrap_err();
        assert_eq!(error.offset, bytes.len() as u64);
    }
}
