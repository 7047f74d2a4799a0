//! A JSON document that carries the digest of its own bytes, so that any one byte of it that changes is noticed.
//!
//! The last member of the object is `"sha256"`: the digest of every byte before the comma in front of it.

use super::Sha256;

const BEFORE: &str = ",\n  \"sha256\": \"";
const AFTER: &str = "\"\n}\n";
const DIGITS: usize = 64;

/// Why a sealed document is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// It does not end in a seal: cut off, or no such document.
    NoSeal,
    /// Its bytes are not those that were sealed.
    Changed,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSeal => "it does not end in its own checksum: it is cut off, or it is something else",
            Self::Changed => "its bytes do not match its own checksum",
        })
    }
}

impl std::error::Error for Broken {}

/// The value, which must be a JSON object with at least one member, as a sealed document.
pub fn seal(value: &impl serde::Serialize) -> Vec<u8> {
    const WHY: &str = "a document has string keys and finite numbers only";
    // counted first: a large one that grows would take its room twice
    let mut length = Length(BEFORE.len() + DIGITS + AFTER.len());
    serde_json::to_writer_pretty(&mut length, value).expect(WHY);
    let mut text = Vec::with_capacity(length.0);
    serde_json::to_writer_pretty(&mut text, value).expect(WHY);
    // the closing brace on its own line
    text.truncate(text.len().saturating_sub(2));
    let digest = Sha256::of(&text);
    text.extend_from_slice(BEFORE.as_bytes());
    text.extend_from_slice(digest.to_string().as_bytes());
    text.extend_from_slice(AFTER.as_bytes());
    text
}

/// Counts what is written.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Checks a sealed document and returns the bytes that the seal is of: all but the end of the object.
pub fn check(bytes: &[u8]) -> Result<&[u8], Broken> {
    let body =
        bytes.len().checked_sub(BEFORE.len() + DIGITS + AFTER.len()).and_then(|length| bytes.split_at_checked(length));
    let Some((body, tail)) = body else { return Err(Broken::NoSeal) };
    let digits = tail.strip_prefix(BEFORE.as_bytes()).and_then(|tail| tail.strip_suffix(AFTER.as_bytes()));
    let Some(digits) = digits else { return Err(Broken::NoSeal) };
    if Sha256::of(body).to_string().as_bytes() == digits { Ok(body) } else { Err(Broken::Changed) }
}

/// The document without its seal, as JSON text.
pub fn unseal(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    let mut text = check(bytes)?.to_vec();
    text.extend_from_slice(b"\n}\n");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_sealed_document_is_json_and_opens_to_the_same_value() {
        let value = json!({"a": [1, 2], "b": {"c": "\u{e9}"}});
        let sealed = seal(&value);
        let whole: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
        assert_eq!(whole["b"], value["b"]);
        assert_eq!(whole["sha256"].as_str().unwrap().len(), 64);
        let opened: serde_json::Value = serde_json::from_slice(&unseal(&sealed).unwrap()).unwrap();
        assert_eq!(opened, value);
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_noticed() {
        let sealed = seal(&json!({"state": "complete", "files": [{"path": "archive.dump"}]}));
        for position in 0..sealed.len() {
            for bit in 0..8 {
                let mut damaged = sealed.clone();
                damaged[position] ^= 1 << bit;
                assert!(unseal(&damaged).is_err(), "byte {position}, bit {bit}");
            }
            assert!(unseal(&sealed[..position]).is_err(), "cut at {position}");
        }
        let mut longer = sealed;
        longer.push(b'\n');
        assert_eq!(unseal(&longer), Err(Broken::NoSeal));
    }
}
