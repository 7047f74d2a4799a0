//! The end of a backup: what was written is looked at again, and only then does the manifest make it visible.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::archive::{Archived, Form};
use super::data::Copied;
use super::source::Source;
use crate::archive::toc::{Data, Toc};
use crate::count::counted;
use crate::error::{Error, ErrorKind, Result, Retry};
use crate::event::{Event, Message, Sink};
use crate::manifest::{self, File, Format, LargeObjects, Manifest, RowSum, Sha256, Table, layout, recovery};
use crate::object::{DataSource, Entry};
use crate::reader;
use crate::shelf::{self, Standing};
use crate::store::lease::Lease;
use crate::store::{Key, PutMode, PutOutcome, SizeHint, Store};
use crate::transfer::{Inlet, Outlet, Receipt, SEGMENT_BYTES, read_back};

/// Reads the archive back. Files of this machine are read whole, and whole files are read wherever a digest is not known
/// yet; for the others the store must show their sizes (each part's checksum was compared when it was sent). Then the
/// reader's own code must find the table of contents that was written.
pub(super) async fn check_archive(
    store: &Arc<dyn Store>,
    folder: &Key,
    form: Form,
    archived: &mut Archived,
    reads_all: bool,
) -> Result<Vec<File>> {
    let receipts = std::mem::take(&mut archived.files);
    let mut files = Vec::with_capacity(receipts.count());
    for receipt in receipts.into_each() {
        let receipt = receipt?;
        let sha256 = match receipt.sha256 {
            Some(digest) if !store.is_local() && !reads_all => {
                expect_size(&**store, &receipt.key, receipt.size).await?;
                digest
            }
            Some(_) | None => read_back(store, &receipt).await?,
        };
        files.push(manifest_file(folder, &receipt, sha256));
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    if let Some(toc) = &archived.toc {
        check_contents(store, folder, form, toc, store.is_local() || reads_all).await?;
    }
    Ok(files)
}

async fn expect_size(store: &dyn Store, key: &Key, size: u64) -> Result<()> {
    match store.head(key).await? {
        Some(info) if info.size == size => Ok(()),
        found => Err(Error::new(ErrorKind::Damage, format!("\"{key}\" is not what was written")).detail(format!(
            "{} bytes in the store, {size} were written",
            found.map_or_else(|| "no".to_owned(), |info| info.size.to_string())
        ))),
    }
}

fn manifest_file(folder: &Key, receipt: &Receipt, sha256: [u8; 32]) -> File {
    let name = receipt.key.as_str();
    let path = name.strip_prefix(folder.as_str()).and_then(|path| path.strip_prefix('/')).unwrap_or(name);
    // one segment's digest is the file's own; there may be hundreds of thousands of files
    let is_divided = receipt.segments.len() > 1;
    File {
        path: path.to_owned(),
        size: receipt.size,
        sha256: Sha256(sha256),
        segment_size: if is_divided { SEGMENT_BYTES } else { 0 },
        segments: receipt.segments.iter().filter(|_| is_divided).map(|digest| Sha256(*digest)).collect(),
    }
}

async fn check_contents(
    store: &Arc<dyn Store>,
    folder: &Key,
    form: Form,
    written: &Toc,
    reads_all: bool,
) -> Result<()> {
    let key = folder.join(&form.path())?;
    let inlet = async || Inlet::open(Arc::clone(store), &key).await;
    let read = match form.format {
        Format::Custom => reader::open_custom(inlet().await?).await?.toc().clone(),
        Format::Directory => reader::read_directory_head(store, &key).await?,
        // goes from header to header through the whole archive
        Format::Tar if reads_all => reader::open_tar(inlet().await?).await?.toc().clone(),
        Format::Tar => reader::read_tar_head(&inlet().await?).await?,
        Format::Plain => return Ok(()),
    };
    let is_same = read.header == written.header
        && read.entries.len() == written.entries.len()
        && read.entries.iter().zip(&written.entries).all(|(read, written)| {
            // a head that was written first could not know the places
            let is_placed =
                read.data == written.data || (read.data == Data::Unknown && matches!(written.data, Data::At(_)));
            let read = crate::archive::toc::Entry { data: written.data.clone(), ..read.clone() };
            is_placed && read == written.clone().in_version(form.version)
        });
    if is_same {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Bug, "the table of contents reads differently from what was written").detail(format!(
        "{} came back, {} were written",
        counted(read.entries.len(), "entry"),
        written.entries.len()
    )))
}

/// The tables and the large objects of the manifest.
pub(super) fn data(source: &Source, copied: &[Copied]) -> (Vec<Table>, Option<LargeObjects>) {
    let entries: HashMap<i32, &Entry> = source.plan.entries.iter().map(|entry| (entry.id.0, entry)).collect();
    let mut tables = Vec::new();
    let mut objects: Option<LargeObjects> = None;
    for copied in copied {
        let Some(entry) = entries.get(&copied.dump_id) else { continue };
        let summary = copied.sums.summary;
        match &entry.data {
            Some(DataSource::Table { table, copy_out, .. }) => tables.push(Table {
                schema: entry.schema.clone().unwrap_or_default(),
                name: entry.tag.clone(),
                oid: source.plan.inventory.get(*table).catalog_id.oid,
                dump_id: copied.dump_id,
                columns: source.columns(*table),
                rows: summary.row_count,
                bytes: summary.byte_count,
                digest: RowSum(summary.digest),
                offset: copied.offset,
                file: copied.file.clone(),
                condition: condition(source, *table, copy_out),
            }),
            Some(DataSource::LargeObjects(_)) => {
                let all = objects.get_or_insert_with(LargeObjects::default);
                all.count += summary.row_count;
                all.bytes += summary.byte_count;
                all.digest = RowSum(all.digest.0.wrapping_add(summary.digest));
                all.offsets.extend(copied.offset.map(|offset| (copied.dump_id, offset)));
            }
            None => {}
        }
    }
    (tables, objects)
}

/// The condition that an extension puts on the rows of its table.
fn condition(source: &Source, table: crate::object::DumpId, copy_out: &str) -> Option<String> {
    match &source.plan.inventory.table(table)?.rows {
        crate::object::table::Rows::Some(condition) => {
            Some(condition.clone()).filter(|condition| !condition.is_empty() && copy_out.contains(condition.as_str()))
        }
        crate::object::table::Rows::All | crate::object::table::Rows::None => None,
    }
}

/// Writes the files beside the archive and then, last, the manifest. From that moment on the backup exists.
pub(super) async fn publish(
    store: &dyn Store,
    folder: &Key,
    mut manifest: Manifest,
    globals: Option<&str>,
    lease: &Lease,
    fate: &Fate,
    sink: &dyn Sink,
) -> Result<Manifest> {
    if let Some(globals) = globals {
        let bytes = crate::record::encode_text(globals).into_owned();
        manifest.files.push(put(store, folder, layout::GLOBALS, bytes).await?);
    }
    let text = recovery::recovery(&manifest);
    manifest.files.push(put(store, folder, layout::RECOVERY, text.into_bytes()).await?);
    let sums = put_sums(store, folder, &manifest.files).await?;
    manifest.files.push(sums);

    if let Some(path) = shelf::first_missing(store, folder, &manifest.files).await? {
        return Err(Error::new(ErrorKind::Damage, format!("\"{folder}/{path}\" is not what was written"))
            .detail("it is missing or has another size, just before the backup was to be published")
            .hint("Something else deletes or changes files in this store."));
    }
    // the files may have taken their time: whoever has the lease now may be removing them
    lease.check().await?;
    let digest = put_manifest(store, folder, &manifest, fate).await?;
    confirm(store, folder, &manifest, digest, sink).await?;
    Ok(manifest)
}

/// Puts the manifest. A request that failed may have been carried out all the same: only what is read back decides.
async fn put_manifest(store: &dyn Store, folder: &Key, manifest: &Manifest, fate: &Fate) -> Result<Sha256> {
    let key = folder.join(layout::MANIFEST)?;
    let bytes = Bytes::from(manifest::encode(manifest));
    if bytes.len() as u64 > shelf::MANIFEST_MAX {
        return Err(Error::new(ErrorKind::Refused, "the backup has too many files for its manifest")
            .detail(format!(
                "{} files, {} bytes; {} bytes are the most",
                manifest.files.len(),
                bytes.len(),
                shelf::MANIFEST_MAX
            ))
            .hint("Use another format than directory: it has one file."));
    }
    let digest = Sha256::of(&bytes);
    let taken = || {
        Error::new(ErrorKind::Locked, format!("\"{folder}\" has a manifest already"))
            .hint("Another run took the same name; run again.")
    };
    fate.begin();
    let error = match store.put(&key, bytes.clone(), PutMode::CreateOnly).await {
        Ok(PutOutcome::Stored) => return Ok(digest),
        Ok(PutOutcome::Exists) => return Err(taken()),
        Err(error) => error,
    };
    match read_small(store, &key).await {
        Ok(Some(found)) if found == bytes => Ok(digest),
        Ok(Some(_)) => Err(taken()),
        // refused: it cannot arrive later
        Ok(None) if error.kind().retry() == Retry::Never => {
            fate.end();
            Err(error)
        }
        Ok(None) => Err(error
            .more_detail("the backup is not published; should its manifest still arrive, it is whole")
            .hint("Look with db list; what is not listed then is discarded by the next backup.")),
        Err(second) => Err(error
            .more_detail(&format!("whether the backup was published is not known: {}", second.message()))
            .hint("Look with db list; a backup that is listed is whole, what is not is discarded by the next one.")),
    }
}

async fn read_small(store: &dyn Store, key: &Key) -> Result<Option<Vec<u8>>> {
    if store.head(key).await?.is_none() {
        return Ok(None);
    }
    let chunks: Vec<Bytes> = store.fetch(key, None).await?.try_collect().await?;
    Ok(Some(chunks.concat()))
}

/// A manifest of so many files is decoded again when it is published.
const READ_FILES_MAX: usize = 10_000;

/// Looks at the published backup as every other command will: through the listing. One that is not listed, or whose files are
/// gone, is none.
async fn confirm(store: &dyn Store, folder: &Key, manifest: &Manifest, digest: Sha256, sink: &dyn Sink) -> Result<()> {
    // of very many files the manifest is not held a second time: then the same bytes have to do
    let is_read = manifest.files.len() <= READ_FILES_MAX;
    let looking = async {
        let listed = shelf::read_only(store, &manifest.source.database, |id| is_read && *id == manifest.id).await?;
        let listed = listed.into_iter().find(|backup| backup.id == manifest.id).map(|backup| backup.standing);
        let is_same = match &listed {
            Some(Standing::Unread) => read_digest(store, &folder.join(layout::MANIFEST)?).await? == digest,
            _ => false,
        };
        Ok::<_, Error>((listed, is_same, shelf::first_missing(store, folder, &manifest.files).await?))
    };
    let (listed, is_same, missing) = match looking.await {
        Ok(found) => found,
        Err(error) => {
            // every byte was acknowledged, so it is there; that it was seen is what lacks
            let text = format!("the backup is published, and could not be looked at again: {}", error.message());
            sink.event(Event::Warning(Message::with_hint(text, "Look with db list when the store answers again.")));
            return Ok(());
        }
    };
    let unseen = |detail: String| {
        Error::new(ErrorKind::Damage, format!("the backup \"{folder}\" was written and is not listed whole"))
            .detail(detail)
            .hint("Something else changes this store, or shows less than is written to it; nothing may rely on it.")
    };
    match listed {
        None => return Err(unseen("the store's listing does not have it".to_owned())),
        Some(Standing::Complete { manifest: found, .. }) if *found == *manifest => {}
        Some(Standing::Unread) if is_same => {}
        Some(Standing::Unread | Standing::Complete { .. }) => {
            return Err(unseen("its manifest reads differently".to_owned()));
        }
        Some(Standing::Unreadable(error)) => return Err(unseen(error.to_string())),
        Some(Standing::Summarized { .. } | Standing::Deleting | Standing::Unfinished | Standing::LeftOver) => {
            return Err(unseen("its manifest is not listed".to_owned()));
        }
    }
    if let Some(path) = missing {
        // a manifest whose files are gone must not stand there
        drop(shelf::remove(store, folder, Some(manifest)).await);
        return Err(unseen(format!("\"{path}\" is missing or has another size")));
    }
    Ok(())
}

async fn read_digest(store: &dyn Store, key: &Key) -> Result<Sha256> {
    use sha2::Digest as _;
    let mut digest = sha2::Sha256::new();
    let mut chunks = store.fetch(key, None).await?;
    while let Some(bytes) = chunks.try_next().await? {
        digest.update(&bytes);
    }
    Ok(Sha256(digest.finalize().into()))
}

/// Whether a run's manifest may be in the store. From the moment at which it is sent, nothing of the backup may be removed until
/// it is known that it is not there.
#[derive(Debug, Default)]
pub(super) struct Fate(AtomicBool);

impl Fate {
    fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn end(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    pub(super) fn may_be_published(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

async fn put(store: &dyn Store, folder: &Key, name: &str, bytes: Vec<u8>) -> Result<File> {
    let sha256 = Sha256::of(&bytes);
    let size = bytes.len() as u64;
    let key = folder.join(name)?;
    match store.put(&key, bytes.into(), PutMode::Overwrite).await? {
        PutOutcome::Stored => Ok(File { path: name.to_owned(), size, sha256, segment_size: 0, segments: Vec::new() }),
        PutOutcome::Exists => Err(Error::new(ErrorKind::Bug, format!("\"{key}\" was not overwritten"))),
    }
}

/// Writes the checksums, a piece at a time.
async fn put_sums(store: &dyn Store, folder: &Key, files: &[File]) -> Result<File> {
    const PIECE: usize = 64 << 10;
    const LINE: u64 = 100;
    let hint = SizeHint::about(files.len() as u64 * LINE);
    let mut outlet = Outlet::begin(store, &folder.join(layout::SUMS)?, hint).await?;
    let mut text = String::new();
    for file in files {
        recovery::sum(file, &mut text);
        if text.len() >= PIECE {
            outlet.write(std::mem::take(&mut text).into()).await?;
        }
    }
    if !text.is_empty() {
        outlet.write(text.into()).await?;
    }
    let receipt = outlet.finish().await?;
    match receipt.sha256 {
        Some(sha256) => Ok(manifest_file(folder, &receipt, sha256)),
        None => Err(Error::new(ErrorKind::Bug, "a file without a reserved head has no digest")),
    }
}
