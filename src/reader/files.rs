//! The files of a directory archive, in little room: there may be hundreds of thousands of large objects.

use std::collections::HashMap;

use super::DataFile;
use crate::archive::directory::{FileKind, decode_file_name, large_object_file};
use crate::codec::compress::Algorithm;
use crate::error::Result;
use crate::store::{Key, ObjectInfo};

#[derive(Debug, Default)]
pub(super) struct Files {
    /// What all keys begin with.
    prefix: String,
    /// By their names without the suffix of their compression.
    named: HashMap<String, DataFile>,
    /// Large objects by their numbers: how they are compressed is all that is not known of a name.
    objects: HashMap<u32, Algorithm>,
}

impl Files {
    /// None yet, of those whose keys begin so.
    pub(super) fn below(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..Self::default() }
    }

    /// Adds a file; others may lie beside, which are never opened. Of one that lies there in two forms the last by name counts.
    pub(super) fn add(&mut self, object: ObjectInfo) {
        let name = object.key.as_str().strip_prefix(self.prefix.as_str()).unwrap_or_default();
        let Some((kind, algorithm)) = decode_file_name(name) else { return };
        if let FileKind::LargeObject { oid } = kind {
            let known = self.objects.entry(oid).or_insert(algorithm);
            if known.suffix() < algorithm.suffix() {
                *known = algorithm;
            }
            return;
        }
        let stem = name.strip_suffix(algorithm.suffix()).unwrap_or(name).to_owned();
        let file = DataFile { key: object.key, size: object.size, algorithm };
        if self.named.get(&stem).is_none_or(|known| known.key < file.key) {
            self.named.insert(stem, file);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&DataFile> {
        self.named.get(name)
    }

    /// Where a large object is; `None` where it is not there.
    pub(super) fn large_object(&self, oid: u32) -> Option<Result<(Key, Algorithm)>> {
        let algorithm = *self.objects.get(&oid)?;
        let key = Key::new(format!("{}{}{}", self.prefix, large_object_file(oid), algorithm.suffix()));
        Some(key.map(|key| (key, algorithm)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_file_by_its_name_and_large_objects_by_their_number() {
        let mut files = Files::below("a/");
        let object = |name: &str| ObjectInfo {
            key: Key::new(format!("a/{name}")).unwrap(),
            size: 7,
            modified: chrono::DateTime::UNIX_EPOCH,
            tag: None,
        };
        // in no order
        for name in ["blob_9.dat.zst", "12.dat.gz", "blob_9.dat", "blob_10.dat", "toc.dat", "notes.txt", "12.dat"] {
            files.add(object(name));
        }
        let key = |name: &str| files.get(name).map(|file| file.key.to_string());
        assert_eq!(key("toc.dat").as_deref(), Some("a/toc.dat"));
        assert_eq!(key("12.dat").as_deref(), Some("a/12.dat.gz"));
        assert_eq!(key("notes.txt"), None);
        let found = |oid| files.large_object(oid).map(|found| found.unwrap().0.to_string());
        assert_eq!(found(9).as_deref(), Some("a/blob_9.dat.zst"));
        assert_eq!(found(10).as_deref(), Some("a/blob_10.dat"));
        assert_eq!(found(11), None);
    }
}
