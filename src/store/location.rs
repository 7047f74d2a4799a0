//! Where a store is: a folder or a bucket.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;

use crate::error::{Error, ErrorKind, Result};

/// A folder on this machine, or a prefix in a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// `DIR` or `file:///DIR`.
    Folder(PathBuf),
    /// `s3://bucket/prefix`; the prefix has no slash at either end and may be empty.
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// What every key begins with.
        prefix: String,
    },
}

impl Location {
    /// Reads what a user typed. Whatever looks like a URL and is not one of the two that are known is refused, so that
    /// `s3:/bucket` never becomes a folder of that name.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(refuse("the store is empty", "nothing was given").hint(FORMS));
        }
        if text.contains('\0') {
            return Err(refuse("the store's name has a NUL character", "no folder and no bucket can be called so"));
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            return parse_bucket(rest);
        }
        if let Some(rest) = text.strip_prefix("file://") {
            return match rest.strip_prefix("localhost").unwrap_or(rest) {
                path if path.starts_with('/') => {
                    let bytes: Vec<u8> = percent_decode_str(path).collect();
                    let path = String::from_utf8(bytes)
                        .map_err(|error| refuse("the store's path is not UTF-8", "file:// URL").caused_by(error))?;
                    Ok(Self::Folder(path.into()))
                }
                _ => Err(refuse(&format!("not a store: \"{text}\""), "a file URL needs an absolute path").hint(FORMS)),
            };
        }
        if let Some(scheme) = scheme_of(text) {
            return Err(refuse(
                &format!("not a store: \"{}\"", without_secrets(text)),
                &format!("\"{scheme}\" is half a URL or one of an unknown kind"),
            )
            .hint(format!("{FORMS} A folder with such a name is written as \"./{scheme}...\".")));
        }
        Ok(Self::Folder(text.into()))
    }
}

const FORMS: &str = "Name a folder (/var/backups/pg or file:///var/backups/pg) or a bucket (s3://bucket/prefix).";

fn refuse(message: &str, detail: &str) -> Error {
    Error::new(ErrorKind::Usage, message).detail(detail)
}

/// The part up to a colon that a URL would begin with, when the text begins so.
///
/// `s3//bucket` and `s3:bucket` count too: they are what remains of a URL after a slip of the finger.
fn scheme_of(text: &str) -> Option<&str> {
    if text.starts_with("s3//") || text.starts_with("s3/") && text.matches('/').count() == 1 && text.ends_with('/') {
        return Some("s3");
    }
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
    // `10:30-backup` or `a b:c` are folders; `s3:bucket` and `http:x` are not
    let looks_meant = rest.starts_with('/')
        || matches!(scheme.to_ascii_lowercase().as_str(), "s3" | "file" | "http" | "https" | "gs" | "az");
    (is_scheme && looks_meant).then_some(scheme)
}

/// A URL may hold `user:password@`: what stands before the `@` is never printed.
fn without_secrets(text: &str) -> String {
    match (text.split_once("//"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}//...@{host}"),
        (None, Some((_, host))) => format!("...@{host}"),
        _ => text.to_owned(),
    }
}

fn parse_bucket(rest: &str) -> Result<Location> {
    let shown = without_secrets(&format!("s3://{rest}"));
    let fail = |detail: &str| refuse(&format!("not a store: \"{shown}\""), detail).hint(FORMS);
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(fail("the bucket's name is missing"));
    }
    if bucket.contains('@') {
        return Err(fail("keys do not belong into the URL")
            .hint("Give the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or in a profile."));
    }
    if rest.contains(['?', '#']) {
        return Err(fail("a bucket URL has no \"?\" and no \"#\" part")
            .hint("Give the endpoint with --s3-endpoint or AWS_ENDPOINT_URL and the region with AWS_REGION."));
    }
    // Amazon S3 user guide, "Bucket naming rules"; upper case and underscores as in old buckets and other servers
    let is_name = (3..=255).contains(&bucket.len())
        && bucket.chars().all(|character| character.is_ascii_alphanumeric() || "-._".contains(character))
        && bucket.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !bucket.contains("..");
    if !is_name {
        return Err(fail(&format!("\"{bucket}\" cannot be the name of a bucket")));
    }
    let prefix = prefix.trim_end_matches('/');
    if !prefix.is_empty() {
        super::Key::new(prefix)
            .map_err(|error| fail("the prefix has an empty part, \".\" or \"..\"").caused_by(error))?;
    }
    Ok(Location::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(bucket: &str, prefix: &str) -> Location {
        Location::Bucket { bucket: bucket.into(), prefix: prefix.into() }
    }

    #[test]
    fn reads_folders_and_buckets() {
        assert_eq!(Location::parse("backups").unwrap(), Location::Folder("backups".into()));
        assert_eq!(Location::parse("./a:b").unwrap(), Location::Folder("./a:b".into()));
        assert_eq!(Location::parse("file:///var/b%20c").unwrap(), Location::Folder("/var/b c".into()));
        assert_eq!(Location::parse("s3://pg-backups").unwrap(), bucket("pg-backups", ""));
        assert_eq!(Location::parse("s3://pg-backups/a/b/").unwrap(), bucket("pg-backups", "a/b"));
        assert_eq!(Location::parse("s3://pg-backups/a").unwrap().to_string(), "s3://pg-backups/a");
    }

    #[test]
    fn refuses_half_typed_urls() {
        for text in [
            "",
            "s3:",
            "s3:/bucket",
            "s3:bucket/x",
            "s3//bucket",
            "S3://bucket",
            "s3://",
            "s3:///prefix",
            "s3://a",
            "s3://b@d/x",
            "s3://bucket//x",
            "s3://bucket/../x",
            "s3://bucket?region=x",
            "http://host/bucket",
            "gs://bucket",
            "file:/x",
            "file://host/x",
            "file://x",
            "s3://-bucket",
            "s3://buc ket/x",
            "https:host",
            "x\0y",
        ] {
            assert_eq!(Location::parse(text).unwrap_err().kind(), ErrorKind::Usage, "{text:?}");
        }
    }

    #[test]
    fn never_prints_keys_that_were_typed_into_the_url() {
        let error = Location::parse("s3://AKIA:hunter2@bucket/x").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error}");
    }
}
