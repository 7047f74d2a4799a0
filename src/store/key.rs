//! Names of objects inside a store.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use crate::error::{Error, ErrorKind, Result};
use crate::record;

/// Names that begin like this are the store's own (temporary files, probes): no listing shows them.
pub(super) const PRIVATE: &str = ".pgproof-";

/// What stays as it is in a folder name made from a database's name.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The longest key. S3 allows 1,024 bytes for prefix and key together; some servers refuse well before that.
const LENGTH_MAX: usize = 900;

/// The name of one object, relative to the store: `<database>/<backup id>/manifest.json`.
///
/// It can be joined to any folder without leaving it: parts are separated by one `/`, none is empty, `.` or `..`, none
/// has a NUL, a backslash or a control character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Checks a name. The error is of kind [`ErrorKind::Archive`], since such names come out of manifests.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let problem = if name.is_empty() {
            "is empty"
        } else if name.len() > LENGTH_MAX {
            "is too long"
        } else if name.chars().any(|character| character.is_control() || character == '\\') {
            "has a backslash or a control character"
        } else if name.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            "could lead out of the store"
        } else {
            return Ok(Self(name));
        };
        Err(Error::new(ErrorKind::Archive, format!("unusable object name {name:?}"))
            .detail(format!("the name {problem}")))
    }

    /// The object `name` in this folder.
    pub fn join(&self, name: &str) -> Result<Self> {
        Self::new(format!("{}/{name}", self.0))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the last `/`.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, name)| name)
    }

    /// The parts between the slashes.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether the object is a store's own and no part of any backup.
    pub(super) fn is_private(&self) -> bool {
        self.parts().any(|part| part.starts_with(PRIVATE))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A database's name as one part of a key: letters, digits, `-`, `_` and `.` stay, every other byte becomes `%XX`.
///
/// A leading dot is encoded too, so that no name is hidden, `.` or `..`. [`decode_component`] gives the name back.
pub fn encode_component(name: &str) -> String {
    let text = percent_encode(&record::encode_text(name), &KEPT).to_string();
    match text.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => text,
    }
}

/// The name that [`encode_component`] was given.
pub fn decode_component(part: &str) -> String {
    record::decode_text(&percent_decode_str(part).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_names_that_lead_out_of_the_store() {
        for name in ["", "/etc/passwd", "a//b", "a/", "../x", "a/../../x", "a/./b", "a\0b", "a\\..\\b", "a\nb"] {
            assert_eq!(Key::new(name).unwrap_err().kind(), ErrorKind::Archive, "{name:?}");
        }
        assert!(Key::new("x".repeat(LENGTH_MAX + 1)).is_err());
        assert_eq!(Key::new("shop/20261121T030000Z-k3f9/archive/toc.dat").unwrap().file_name(), "toc.dat");
    }

    #[test]
    fn database_names_stay_readable() {
        assert_eq!(encode_component("shop_2-a.b"), "shop_2-a.b");
        assert_eq!(encode_component(".."), "%2E.");
        assert_eq!(encode_component("a/b c"), "a%2Fb%20c");
    }

    proptest! {
        #[test]
        fn any_database_name_becomes_one_part_and_comes_back(bytes in proptest::collection::vec(1_u8.., 1..63)) {
            let name = record::decode_text(&bytes);
            let part = encode_component(&name);
            let key = Key::new(part.clone()).unwrap();
            prop_assert_eq!(key.parts().count(), 1);
            prop_assert!(!key.is_private());
            prop_assert_eq!(decode_component(&part), name);
        }
    }
}
