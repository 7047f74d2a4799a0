//! One pass over every file: checksums, and what the archive holds.

use std::sync::Arc;

use crate::archive::directory::decode_file_name;
use crate::archive::script::entries;
use crate::archive::{FileKind, foreign_packing};
use crate::codec::compress::Algorithm;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Sink;
use crate::manifest::{self, Format, Manifest, layout, seal};
use crate::reader::{Walk, open_path_store};
use crate::shelf::{self, Backup};
use crate::store::{Key, Store};
use crate::transfer::Inlet;

use super::contents::{Contents, decode_custom};
use super::directory::{self, Folder, Member};
use super::file::{Subject, collect, decompress, drain, read};
use super::outcome::LevelReport;
use super::plain::PlainReader;
use super::tar::decode_tar;
use super::tee::Meter;
use super::{FindingKind, Level};

/// Evidence files are small JSON documents.
const PROOF_MAX: usize = 64 << 20;

/// What the pass gave.
pub(super) struct Examined {
    pub(super) files: LevelReport,
    /// What the archive holds; none when it was not decoded.
    pub(super) contents: Option<Contents>,
    pub(super) notes: Vec<String>,
}

/// Where plain SQL ends early is told by its last lines only.
fn plain_contents(mut reader: PlainReader, result: Result<(), String>) -> Contents {
    let result = result.and_then(|()| reader.finish());
    let mut contents = Contents { byte_count: reader.byte_count, ..Contents::default() };
    match result {
        Err(problem) => contents.damaged(FindingKind::DataDamaged, None, "SQL text", problem),
        Ok(()) if !reader.is_complete() => {
            let problem = "it does not end with \"-- PostgreSQL database dump complete\"";
            contents.damaged(FindingKind::DataDamaged, None, "SQL text", problem);
        }
        Ok(()) => {}
    }
    contents.script = reader.take_entries();
    contents.rows = reader.rows;
    contents
}

/// Reads every file of a backup.
pub(super) async fn backup(
    store: &Arc<dyn Store>,
    backup: &Backup,
    manifest: &Manifest,
    level: Level,
    jobs: usize,
    sink: &dyn Sink,
) -> Result<Examined> {
    let folder = backup.folder()?;
    let meter = Meter::new(Some(manifest.stored_bytes()), sink);
    let mut files = super::file::report();
    let subject = |file: &'_ manifest::File| -> Result<Key> { folder.join(&file.path) };
    let inside = format!("{}/", manifest.archive.path);
    let mut contents = None;
    let mut members = Vec::new();
    for file in &manifest.files {
        let member = file.path.strip_prefix(&inside).filter(|_| manifest.archive.format == Format::Directory);
        if let Some(name) = member.filter(|_| level > Level::Files) {
            members.push(Member { name, path: &file.path, expected: Some(file) });
            continue;
        }
        let subject = Subject { store, key: subject(file)?, name: &file.path, expected: Some(file), meter: &meter };
        if level == Level::Files {
            read(&subject, &mut files, drain).await?;
        } else if file.path == manifest.archive.path {
            contents = archive_file(&subject, manifest.archive.format, manifest, &mut files).await?;
        } else {
            read(&subject, &mut files, drain).await?;
        }
    }
    if manifest.archive.format == Format::Directory && level > Level::Files {
        let mut found = Contents::default();
        let place = Folder { store, key: Some(&folder), meter: &meter };
        directory::decode(&place, members, jobs, &mut files, &mut found).await?;
        found.note_missing();
        contents = Some(found);
    }
    let notes = beside(store, manifest, &folder, &meter, &mut files).await?;
    Ok(Examined { files, contents, notes })
}

async fn archive_file(
    subject: &Subject<'_>,
    format: Format,
    manifest: &Manifest,
    files: &mut LevelReport,
) -> Result<Option<Contents>> {
    match format {
        Format::Custom | Format::Directory => custom_file(subject, files).await,
        Format::Tar => tar_file(subject, files).await,
        Format::Plain => {
            let (algorithm, _) = Algorithm::of_file_name(subject.name);
            let inserts = manifest.archive.inserts.then(|| manifest.encoding());
            let mut reader = PlainReader::new(&manifest.tables, inserts).with_entries();
            let result =
                read(subject, files, async |stream| decompress(stream, algorithm, |bytes| reader.push(bytes)).await)
                    .await?;
            Ok(result.map(|result| plain_contents(reader, result)))
        }
    }
}

/// The entries of a script.
pub(super) async fn script(store: &Arc<dyn Store>, key: &Key) -> Result<Vec<entries::Entry>> {
    let (algorithm, _) = Algorithm::of_file_name(key.as_str());
    let inlet = Inlet::open(Arc::clone(store), key).await?;
    let mut reader = PlainReader::new(&[], None).with_entries();
    let read = decompress(inlet.stream(0..inlet.size()), algorithm, |bytes| reader.push(bytes)).await?;
    let problem = |problem| Error::new(ErrorKind::Archive, format!("script \"{key}\" is damaged")).detail(problem);
    read.and_then(|()| reader.finish()).map_err(problem)?;
    Ok(reader.take_entries().unwrap_or_default())
}

async fn custom_file(subject: &Subject<'_>, files: &mut LevelReport) -> Result<Option<Contents>> {
    let mut contents = Contents::default();
    let read = read(subject, files, async |stream| {
        let mut walk = Walk::new(stream, subject.key.clone());
        decode_custom(&mut walk, &mut contents).await
    })
    .await?;
    contents.note_missing();
    Ok(read.map(|()| contents))
}

async fn tar_file(subject: &Subject<'_>, files: &mut LevelReport) -> Result<Option<Contents>> {
    let mut contents = Contents::default();
    let read = read(subject, files, async |stream| decode_tar(stream, &mut contents).await).await?;
    contents.note_missing();
    Ok(read.map(|()| contents))
}

/// Looks at what lies in the backup's folder and is no file of the backup: evidence, and strangers.
async fn beside(
    store: &Arc<dyn Store>,
    manifest: &Manifest,
    folder: &Key,
    meter: &Meter<'_>,
    files: &mut LevelReport,
) -> Result<Vec<String>> {
    let proofs = format!("{}/", layout::PROOFS);
    let mut notes = Vec::new();
    for (path, object) in shelf::unnamed(&**store, folder, manifest).await? {
        let path = path.as_str();
        if !path.starts_with(&proofs) {
            notes.push(format!("\"{path}\" lies in the backup's folder and is no part of it"));
            continue;
        }
        let subject = Subject { store, key: object.key.clone(), name: path, expected: None, meter };
        let bytes = read(&subject, files, async |stream| collect(stream, PROOF_MAX).await).await?;
        let problem = match bytes {
            None => continue,
            Some(None) => Some("it is too large".to_owned()),
            Some(Some(bytes)) => seal::unseal(&bytes).err().map(|broken| broken.to_string()),
        };
        if let Some(problem) = problem {
            files.find(FindingKind::ProofDamaged, path, problem);
        }
    }
    Ok(notes)
}

/// What a bare path holds.
pub(super) struct Bare {
    pub(super) examined: Examined,
    /// It is SQL text, which has no table of contents.
    pub(super) plain: bool,
}

/// Reads an archive that somebody wrote somewhere, without a manifest.
pub(super) async fn path(path: &std::path::Path, jobs: usize, sink: &dyn Sink) -> Result<Bare> {
    let (store, key) = open_path_store(path).await?;
    let mut files = super::file::report();
    files.not_checkable("sizes and checksums", "there is no manifest to compare them with");
    let notes = Vec::new();
    let Some(key) = key else {
        let objects = store.list("").await?;
        let objects: Vec<_> =
            objects.into_iter().filter(|object| decode_file_name(object.key.as_str()).is_some()).collect();
        let meter = Meter::new(Some(objects.iter().map(|object| object.size).sum()), sink);
        let members = objects.iter().map(|object| {
            let name = object.key.as_str();
            Member { name, path: name, expected: None }
        });
        let place = Folder { store: &store, key: None, meter: &meter };
        let mut contents = Contents::default();
        directory::decode(&place, members.collect(), jobs, &mut files, &mut contents).await?;
        contents.note_missing();
        return Ok(Bare { examined: Examined { files, contents: Some(contents), notes }, plain: false });
    };
    let inlet = Inlet::open(Arc::clone(&store), &key).await?;
    let first = inlet.read(0..inlet.size().min(FileKind::NEEDED as u64)).await?;
    let meter = Meter::new(Some(inlet.size()), sink);
    let subject = Subject { store: &store, key: key.clone(), name: key.as_str(), expected: None, meter: &meter };
    let algorithm = match FileKind::of(&first) {
        FileKind::Custom => {
            let contents = custom_file(&subject, &mut files).await?;
            return Ok(Bare { examined: Examined { files, contents, notes }, plain: false });
        }
        FileKind::Tar => {
            let contents = tar_file(&subject, &mut files).await?;
            return Ok(Bare { examined: Examined { files, contents, notes }, plain: false });
        }
        FileKind::Compressed(algorithm) => algorithm,
        FileKind::Other => Algorithm::None,
    };
    let mut reader = PlainReader::new(&[], None);
    let result =
        read(&subject, &mut files, async |stream| decompress(stream, algorithm, |bytes| reader.push(bytes)).await)
            .await?;
    // a stored zip file has the whole dump in it, and is none
    let result = result.map(|result| match foreign_packing(&first).filter(|_| algorithm == Algorithm::None) {
        Some(packing) => Err(format!("it is {packing}, neither an archive nor SQL text")),
        None => result,
    });
    let contents = result.map(|result| plain_contents(reader, result));
    Ok(Bare { examined: Examined { files, contents, notes }, plain: true })
}
