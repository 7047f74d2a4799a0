//! The directory format: a file for each entry with data, a file for each large object, and `toc.dat` last.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;

use super::data::{Copied, Copying};
use super::press::{Made, Sums};
use super::receipts::Receipts;
use super::worker::Part;
use crate::archive::directory::{
    TOC_FILE, encode_large_object_line, large_object_file, large_object_list_file, rows_file,
};
use crate::archive::toc::{Data, Toc};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Sink};
use crate::object::DataSource;
use crate::store::{Key, SizeHint, Store};
use crate::transfer::{Outlet, Receipt};

/// Puts the files' names into the table of contents.
pub(super) fn name_files(toc: &mut Toc) {
    let version = toc.header.version;
    for entry in toc.entries.iter_mut().filter(|entry| entry.has_data) {
        entry.data = Data::File(if entry.is_large_objects() {
            large_object_list_file(version, entry.dump_id)
        } else {
            rows_file(entry.dump_id)
        });
    }
}

/// A file that was written.
struct Filed {
    index: usize,
    object: Option<u32>,
    sums: Sums,
    receipt: Receipt,
}

/// Writes all files below `folder`; the table of contents has their names already.
pub(super) async fn write(
    toc: &Toc,
    store: &Arc<dyn Store>,
    folder: &Key,
    mut copying: Copying,
    sink: &dyn Sink,
    done: &AtomicU64,
) -> Result<(Receipts, Vec<Copied>)> {
    let algorithm = toc.header.compression;
    let mut receipts = Receipts::of(folder, algorithm.suffix());
    let mut sums: BTreeMap<usize, (Sums, Vec<u32>)> = BTreeMap::new();
    let mut files: JoinSet<Result<Option<Filed>>> = JoinSet::new();
    let mut broken = 0_u64;
    let mut note = |filed: Option<Filed>, copying: &Copying| {
        let Some(filed) = filed else {
            broken += 1;
            return;
        };
        match filed.object {
            Some(oid) => receipts.push_object(oid, filed.receipt),
            None => receipts.push(filed.receipt),
        }
        let entry = sums.entry(filed.index).or_default();
        entry.0.summary = entry.0.summary.merge(filed.sums.summary);
        entry.1.extend(filed.object);
        if let (None, Some(job)) = (filed.object, copying.job(filed.index)) {
            done.fetch_add(1, Ordering::Relaxed);
            let (name, summary) = (job.name.to_string(), filed.sums.summary);
            sink.event(Event::ObjectFinished { name, rows: Some(summary.row_count), bytes: summary.byte_count });
        }
    };
    loop {
        tokio::select! {
            Some(ended) = files.join_next() => {
                let filed = ended.map_err(|error| Error::new(ErrorKind::Bug, "a file task failed").caused_by(error))?;
                note(filed?, &copying);
            }
            part = copying.next_part() => {
                let Some(part) = part? else { break };
                let name = match (part.object, copying.job(part.index)) {
                    (Some(oid), _) => large_object_file(oid),
                    (None, Some(job)) => rows_file(job.dump_id),
                    (None, None) => return Err(Error::new(ErrorKind::Bug, "a part belongs to no entry")),
                };
                let key = folder.join(&format!("{name}{}", algorithm.suffix()))?;
                files.spawn(file(Arc::clone(store), key, part));
            }
        }
    }
    while let Some(ended) = files.join_next().await {
        let filed = ended.map_err(|error| Error::new(ErrorKind::Bug, "a file task failed").caused_by(error))?;
        note(filed?, &copying);
    }
    if broken > 0 {
        return Err(Error::new(ErrorKind::Bug, "a copy worker ended in the middle of its work"));
    }
    let copied = entries(toc, store, folder, &copying, sums, &mut receipts).await?;
    copying.finish().await?;
    receipts.push(put(store, folder, TOC_FILE, toc.encode()).await?);
    Ok((receipts, copied))
}

/// What each entry's data turned out to be; writes the lists of large objects.
async fn entries(
    toc: &Toc,
    store: &Arc<dyn Store>,
    folder: &Key,
    copying: &Copying,
    mut sums: BTreeMap<usize, (Sums, Vec<u32>)>,
    receipts: &mut Receipts,
) -> Result<Vec<Copied>> {
    let mut copied = Vec::with_capacity(copying.job_count());
    let mut lists: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for index in 0..copying.job_count() {
        let Some(job) = copying.job(index) else { continue };
        let (sums, written) = sums.remove(&index).unwrap_or_default();
        let file = match &*job.source {
            DataSource::Table { .. } => format!("{}{}", rows_file(job.dump_id), toc.header.compression.suffix()),
            DataSource::LargeObjects(oids) => {
                if written.len() != oids.len() {
                    return Err(Error::new(ErrorKind::Bug, "a large object was left out"));
                }
                let name = large_object_list_file(toc.header.version, job.dump_id);
                let list = lists.entry(name.clone()).or_default();
                oids.iter().for_each(|oid| encode_large_object_line(*oid, list));
                name
            }
        };
        copied.push(Copied { dump_id: job.dump_id, sums, offset: None, file: Some(file) });
    }
    for (name, list) in lists {
        receipts.push(put(store, folder, &name, list).await?);
    }
    Ok(copied)
}

async fn put(store: &Arc<dyn Store>, folder: &Key, name: &str, bytes: Vec<u8>) -> Result<Receipt> {
    let mut outlet = Outlet::begin(&**store, &folder.join(name)?, SizeHint::about(bytes.len() as u64)).await?;
    outlet.write(bytes.into()).await?;
    outlet.finish().await
}

/// Writes one part; `None` when its worker has failed, which the worker itself tells.
async fn file(store: Arc<dyn Store>, key: Key, mut part: Part) -> Result<Option<Filed>> {
    let mut outlet = Outlet::begin(&*store, &key, SizeHint::unknown()).await?;
    loop {
        match part.made.recv().await {
            Some(Made::Bytes(bytes, permit)) => {
                outlet.write(bytes).await?;
                drop(permit);
            }
            Some(Made::Done(sums)) => {
                let receipt = outlet.finish().await?;
                return Ok(Some(Filed { index: part.index, object: part.object, sums, receipt }));
            }
            Some(Made::Failed(error)) => {
                drop(outlet.abort().await);
                return Err(error);
            }
            None => return outlet.abort().await.map(|()| None),
        }
    }
}
