//! The stored form, version 1: a sealed JSON object with the members `format` and `format_version`.
//!
//! The form is closed: a member that this version does not know is damage, and whatever adds one raises the version. So
//! nothing is lost between reading and writing.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, IgnoredAny, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Manifest, Summary, seal, summary};
use crate::error::{Error, ErrorKind, Result};

/// The version of the stored form that this program writes, and the newest that it reads.
pub const FORMAT_VERSION: u64 = 1;

const FORMAT: &str = "pgproof-manifest";

/// The manifest as it is stored. It may name hundreds of thousands of files, so nothing is built on the way there and back but
/// its text.
pub fn encode(manifest: &Manifest) -> Vec<u8> {
    #[derive(Serialize)]
    struct Stored<'a> {
        format: &'static str,
        format_version: u64,
        #[serde(flatten)]
        manifest: &'a Manifest,
    }
    seal::seal(&Stored { format: FORMAT, format_version: FORMAT_VERSION, manifest })
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
    let head = refuse_newer(place, bytes)?;
    check(place, bytes, head)?;
    serde_json::from_slice(bytes).map(|Members(manifest)| manifest).map_err(|error| damaged(place, error.to_string()))
}

/// Whether it is sealed, and a manifest of this version.
fn check(place: &str, bytes: &[u8], head: Option<Head>) -> Result<()> {
    seal::check(bytes).map_err(|broken| damaged(place, broken.to_string()))?;
    let head = head.unwrap_or_default();
    if head.format.as_deref() != Some(FORMAT) {
        return Err(damaged(place, format!("it is not a \"{FORMAT}\" document")));
    }
    if head.format_version != Some(FORMAT_VERSION) {
        return Err(damaged(place, "it has no format version that was ever written"));
    }
    Ok(())
}

/// A manifest among the members that only its stored form has. It is closed itself: it must not see them.
struct Members(Manifest);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Document;
        impl<'de> Visitor<'de> for Document {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Manifest::deserialize(MapAccessDeserializer::new(Within(map))).map(Members)
            }
        }
        deserializer.deserialize_map(Document)
    }
}

/// An object's members without those of the stored form.
struct Within<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Within<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.0.next_key::<String>()? {
            if !["format", "format_version", "sha256"].contains(&name.as_str()) {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            self.0.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

/// Reads what a list needs of a stored manifest, without building the rest. A byte that has changed is noticed all the same.
///
/// Fails as [`decode`] does.
pub fn decode_summary(place: &str, bytes: &[u8]) -> Result<Summary> {
    let head = refuse_newer(place, bytes)?;
    check(place, bytes, head)?;
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
