//! What is restored: an archive or a script, from a store or from a path.

use std::collections::HashMap;
use std::sync::Arc;

use super::Source;
use crate::archive::{FileKind, foreign_packing};
use crate::codec::compress::Algorithm;
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Sink;
use crate::manifest::{Format, Manifest};
use crate::reader::{Archive, Opened, open_custom, open_directory, open_path, open_tar};
use crate::shelf::{Backup, Standing};
use crate::store::Key;
use crate::transfer::Inlet;
use crate::verify;

/// A source that was opened.
pub(super) enum Origin {
    /// A custom, directory or tar archive.
    Archive(Box<Archive>),
    /// SQL text.
    Script {
        /// The file.
        inlet: Inlet,
        /// How it is compressed.
        algorithm: Algorithm,
    },
}

/// What is restored, and what its manifest says of it.
pub(super) struct Opening {
    pub(super) origin: Origin,
    pub(super) name: String,
    pub(super) manifest: Option<Manifest>,
}

/// Opens the source; a backup's files are compared with their checksums first.
pub(super) async fn open(source: &Source, checks_files: bool, jobs: usize, sink: &dyn Sink) -> Result<Opening> {
    match source {
        Source::Path(path) => {
            let origin = match open_path(path).await? {
                Opened::Archive(mut archive) => {
                    archive.locate().await?;
                    archive.check(true).await?;
                    Origin::Archive(Box::new(archive))
                }
                Opened::Plain { inlet, algorithm } => script(inlet, algorithm).await?,
            };
            Ok(Opening { origin, name: path.display().to_string(), manifest: None })
        }
        Source::Backup { store, backup } => {
            let manifest = backup.manifest().cloned().ok_or_else(|| {
                Error::new(ErrorKind::Archive, format!("backup {} is not complete", backup.name()))
                    .hint("Choose another: db list shows which are.")
            })?;
            if checks_files {
                check_files(source, jobs, sink).await?;
            }
            let key = Key::new(format!("{}/{}", backup.folder()?, manifest.archive.path))?;
            let checked = async |archive: Archive| {
                // what its checksums prove need not be looked at again
                archive.check(!checks_files).await.map(|()| Origin::Archive(Box::new(archive)))
            };
            let origin = match manifest.archive.format {
                Format::Custom => {
                    let mut archive = open_custom(Inlet::open(Arc::clone(store), &key).await?).await?;
                    archive.set_offsets(&offsets(&manifest));
                    archive.locate().await?;
                    checked(archive).await?
                }
                Format::Directory => checked(open_directory(Arc::clone(store), Some(&key)).await?).await?,
                Format::Tar => checked(open_tar(Inlet::open(Arc::clone(store), &key).await?).await?).await?,
                Format::Plain => {
                    let inlet = Inlet::open(Arc::clone(store), &key).await?;
                    let first = inlet.read(0..inlet.size().min(FileKind::NEEDED as u64)).await?;
                    match FileKind::of(&first) {
                        FileKind::Compressed(algorithm) => script(inlet, algorithm).await?,
                        FileKind::Custom | FileKind::Tar | FileKind::Other => script(inlet, Algorithm::None).await?,
                    }
                }
            };
            Ok(Opening { origin, name: backup.name(), manifest: Some(manifest) })
        }
    }
}

async fn script(inlet: Inlet, algorithm: Algorithm) -> Result<Origin> {
    // a file of another kind must not be sent to a server as if it were statements
    if algorithm == Algorithm::None {
        let first = inlet.read(0..inlet.size().min(4096)).await?;
        if let Some(packing) = foreign_packing(&first) {
            return Err(Error::new(
                ErrorKind::Archive,
                format!("\"{}\" is {packing}, neither an archive nor SQL text", inlet.key()),
            )
            .hint("Unpack it first, text as UTF-8; gzip, zstd and lz4 are read as they are."));
        }
        if first.contains(&0) {
            return Err(Error::new(
                ErrorKind::Archive,
                format!("\"{}\" is neither an archive nor SQL text", inlet.key()),
            ));
        }
    }
    Ok(Origin::Script { inlet, algorithm })
}

/// Where the manifest says that data blocks begin, for archives that could not say it themselves.
fn offsets(manifest: &Manifest) -> HashMap<i32, u64> {
    let tables = manifest.tables.iter().filter_map(|table| Some((table.dump_id, table.offset?)));
    let objects = manifest.large_objects.iter().flat_map(|objects| objects.offsets.iter().map(|(id, at)| (*id, *at)));
    tables.chain(objects).collect()
}

async fn check_files(source: &Source, jobs: usize, sink: &dyn Sink) -> Result<()> {
    let Source::Backup { store, backup } = source else { return Ok(()) };
    let Standing::Complete { manifest, received } = &backup.standing else { return Ok(()) };
    let copy = Backup {
        database: backup.database.clone(),
        id: backup.id.clone(),
        standing: Standing::Complete { manifest: manifest.clone(), received: *received },
        objects: backup.objects.clone(),
        members: backup.members,
        evidence: backup.evidence.clone(),
    };
    let wanted = verify::Options {
        target: verify::Target::Backup { store: Arc::clone(store), backup: Box::new(copy), previous: None },
        level: Some(verify::Level::Files),
        required_tables: Vec::new(),
        wishes: verify::Wishes::default(),
        against: None,
        jobs,
    };
    let outcome = Box::pin(verify::run(&wanted, sink)).await?;
    let Some(first) = outcome.findings.first() else { return Ok(()) };
    Err(Error::new(ErrorKind::Damage, format!("backup {} is damaged; nothing was changed", backup.name()))
        .detail(format!(
            "{}: {} ({}); {} in all",
            first.object,
            first.kind.message(),
            first.detail,
            counted(outcome.findings.len(), "finding")
        ))
        .hint("Look at it with db verify, and restore another backup."))
}
