//! What the files of an archive were written as, in little room: of a directory archive there may be hundreds of thousands.

use crate::archive::directory::large_object_file;
use crate::error::Result;
use crate::store::Key;
use crate::transfer::Receipt;

/// Receipts of large objects that are let go together while they are taken out.
const CHUNK: usize = 4096;

/// Receipts. Those of large objects in one piece are kept without what their number tells.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    files: Vec<Receipt>,
    objects: Vec<Vec<ObjectReceipt>>,
    /// What the files' names begin and end with.
    folder: Option<Key>,
    suffix: &'static str,
}

#[derive(Clone, Copy, Debug)]
struct ObjectReceipt {
    oid: u32,
    size: u32,
    sha256: [u8; 32],
    check: [u8; 16],
}

impl From<Receipt> for Receipts {
    fn from(receipt: Receipt) -> Self {
        Self { files: vec![receipt], ..Self::default() }
    }
}

impl Receipts {
    /// For files in a folder whose names end so.
    pub(super) fn of(folder: &Key, suffix: &'static str) -> Self {
        Self { folder: Some(folder.clone()), suffix, ..Self::default() }
    }

    pub(super) fn push(&mut self, receipt: Receipt) {
        self.files.push(receipt);
    }

    /// Adds the receipt of a large object's file.
    pub(super) fn push_object(&mut self, oid: u32, receipt: Receipt) {
        let whole = receipt.sha256.filter(|whole| receipt.segments.as_slice() == [*whole]);
        let (Some(sha256), [check], Ok(size)) = (whole, receipt.checks.as_slice(), u32::try_from(receipt.size)) else {
            return self.files.push(receipt);
        };
        let object = ObjectReceipt { oid, size, sha256, check: check.to_ne_bytes() };
        match self.objects.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(object),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(object);
                self.objects.push(chunk);
            }
        }
    }

    pub(super) fn count(&self) -> usize {
        self.files.len() + self.objects.iter().map(Vec::len).sum::<usize>()
    }

    /// The bytes of all files.
    pub(super) fn byte_count(&self) -> u64 {
        let objects = self.objects.iter().flatten().map(|object| u64::from(object.size));
        self.files.iter().map(|file| file.size).chain(objects).sum()
    }

    /// Takes them out one by one.
    pub(super) fn into_each(self) -> impl Iterator<Item = Result<Receipt>> + Send {
        let Self { files, objects, folder, suffix } = self;
        let objects = objects.into_iter().flatten().map(move |object| {
            let name = format!("{}{suffix}", large_object_file(object.oid));
            Ok(Receipt {
                key: match &folder {
                    Some(folder) => folder.join(&name)?,
                    None => Key::new(name)?,
                },
                size: u64::from(object.size),
                sha256: Some(object.sha256),
                segments: vec![object.sha256],
                checks: vec![u128::from_ne_bytes(object.check)],
            })
        });
        files.into_iter().map(Ok).chain(objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_every_receipt() {
        let folder = Key::new("a/b").unwrap();
        let receipt = |oid: u32, segments: usize| Receipt {
            key: folder.join(&format!("blob_{oid}.dat.zst")).unwrap(),
            size: u64::from(oid),
            sha256: Some([oid as u8; 32]),
            segments: vec![[oid as u8; 32]; segments],
            checks: vec![u128::from(oid); segments],
        };
        let written: Vec<Receipt> = (1..10_000).map(|oid| receipt(oid, if oid % 1000 == 0 { 2 } else { 1 })).collect();
        let mut receipts = Receipts::of(&folder, ".zst");
        (1_u32..).zip(&written).for_each(|(oid, receipt)| receipts.push_object(oid, receipt.clone()));
        assert_eq!((receipts.count(), receipts.byte_count()), (9999, 9999 * 5000));
        let mut found: Vec<Receipt> = receipts.into_each().map(Result::unwrap).collect();
        found.sort_by_key(|receipt| receipt.size);
        assert_eq!(found, written);
    }
}
