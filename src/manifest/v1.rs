//! The stored form, version 1: a sealed JSON object with the members `format` and `format_version`.
//!
//! The form is closed: a member that this version does not know is damage, and whatever adds one raises the version. So
//! nothing is lost between reading and writing.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Manifest, Summary, seal, summary};
use crate::error::{Error, ErrorKind, Result};

/// The version of the stored form that this program writes, and the newest that it reads.
pub const FORMAT_VERSION: u64 = 1;

const FORMAT: &str = "pgproof-manifest";

/// The manifest as it is stored.
pub fn encode(manifest: &Manifest) -> Vec<u8> {
    let body = serde_json::to_value(manifest).expect("a manifest has string keys and finite numbers only");
    let mut document = Map::new();
    document.insert("format".to_owned(), FORMAT.into());
    document.insert("format_version".to_owned(), FORMAT_VERSION.into());
    if let Value::Object(members) = body {
        document.extend(members);
    }
    seal::seal(&Value::Object(document))
}

fn damaged(place: &str, detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::Archive, format!("manifest \"{place}\" is damaged"))
        .detail(detail)
        .hint("Use another backup, or copy this one again from where it is whole.")
}

/// Reads a stored manifest; `place` names it in errors.
///
/// Fails with [`ErrorKind::Archive`] when it is damaged and when a newer version wrote it.
pub fn decode(place: &str, bytes: &[u8]) -> Result<Manifest> {
    refuse_newer(place, bytes)?;
    let text = seal::unseal(bytes).map_err(|broken| damaged(place, broken.to_string()))?;
    let mut document: Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| damaged(place, error.to_string()))?;
    let format = document.remove("format");
    if format.as_ref().and_then(Value::as_str) != Some(FORMAT) {
        return Err(damaged(place, format!("it is not a \"{FORMAT}\" document")));
    }
    let version = document.remove("format_version");
    if version.as_ref().and_then(Value::as_u64) != Some(FORMAT_VERSION) {
        return Err(damaged(place, "it has no format version that was ever written"));
    }
    serde_json::from_value(Value::Object(document)).map_err(|error| damaged(place, error.to_string()))
}

/// Reads what a list needs of a stored manifest, without building the rest. A byte that has changed is noticed all the same.
///
/// Fails as [`decode`] does.
pub fn decode_summary(place: &str, bytes: &[u8]) -> Result<Summary> {
    let head = refuse_newer(place, bytes)?;
    seal::check(bytes).map_err(|broken| damaged(place, broken.to_string()))?;
    let head = head.unwrap_or_default();
    if head.format.as_deref() != Some(FORMAT) {
        return Err(damaged(place, format!("it is not a \"{FORMAT}\" document")));
    }
    if head.format_version != Some(FORMAT_VERSION) {
        return Err(damaged(place, "it has no format version that was ever written"));
    }
    let form: summary::Form = serde_json::from_slice(bytes).map_err(|error| damaged(place, error.to_string()))?;
    Ok(form.into())
}

/// The members that every version has.
#[derive(Default, Deserialize)]
struct Head {
    format: Option<String>,
    format_version: Option<u64>,
    tool_version: Option<String>,
}

/// The version is looked at first: a later version may seal differently.
fn refuse_newer(place: &str, bytes: &[u8]) -> Result<Option<Head>> {
    let head: Option<Head> = serde_json::from_slice(bytes).ok();
    match &head {
        Some(Head { format: Some(format), format_version: Some(version), tool_version })
            if format == FORMAT && *version > FORMAT_VERSION =>
        {
            let writer = tool_version.as_deref().unwrap_or("a newer version");
            Err(Error::new(ErrorKind::Archive, format!("manifest \"{place}\" was written by a newer version"))
                .detail(format!(
                    "format version {version}, written by {writer}; this program reads up to {FORMAT_VERSION}"
                ))
                .hint("Update this program; nothing was changed."))
        }
        _ => Ok(head),
    }
}
