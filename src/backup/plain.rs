//! A plain dump: one SQL script, with the rows where they belong.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::Options;
use super::data::{Copied, Copying};
use super::target::{Target, Written};
use crate::archive::plain::{self, Piece, Script};
use crate::archive::toc::Toc;
use crate::codec::compress::{Compression, Shape, compress};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Sink};

/// Text between rows is compressed in stretches of about this size, each a frame of its own.
const STRETCH: usize = 1 << 20;

/// How the script is written. What was not to be dumped is not in the table of contents at all.
fn script_options(options: &Options) -> plain::Options {
    let asked = options.plain;
    plain::Options {
        database: asked.create,
        clean: asked.clean,
        if_exists: asked.if_exists,
        owners: asked.include_owner,
        tablespaces: asked.include_tablespaces,
        access_methods: asked.include_access_methods,
        restrict_key: options.restrict_key(),
        row_security: options.row_security,
        disable_triggers: asked.disable_triggers && !options.content.definitions,
        superuser: options.superuser.clone(),
        quote_all: options.quote_all_identifiers,
        for_older_servers: true,
        ..plain::Options::default()
    }
}

/// Writes the whole script.
pub(super) async fn write(
    options: &Options,
    toc: &Toc,
    mut target: Target,
    mut copying: Copying,
    sink: &dyn Sink,
    done: &AtomicU64,
) -> Result<(Written, Vec<Copied>)> {
    let copied = match pieces(options, toc, &mut target, &mut copying, sink, done).await {
        Ok(copied) => copied,
        Err(error) => {
            drop(copying);
            target.discard().await;
            return Err(error);
        }
    };
    copying.finish().await?;
    Ok((target.finish(Bytes::new()).await?, copied))
}

async fn pieces(
    options: &Options,
    toc: &Toc,
    target: &mut Target,
    copying: &mut Copying,
    sink: &dyn Sink,
    done: &AtomicU64,
) -> Result<Vec<Copied>> {
    // of an entry's jobs the first one
    let places: HashMap<i32, usize> =
        (0..copying.job_count()).rev().filter_map(|index| Some((copying.job(index)?.dump_id, index))).collect();
    let script_options = script_options(options);
    let mut text = Vec::new();
    let mut copied = Vec::with_capacity(copying.entry_count());
    let mut next = 0;
    for piece in Script::new(toc, &script_options)? {
        let entry = match piece {
            Piece::Text(more) => {
                text.extend_from_slice(&more);
                if text.len() >= STRETCH {
                    stretch(options.compression, &mut text, target).await?;
                }
                continue;
            }
            Piece::Rows(entry) | Piece::LargeObjects(entry) => entry,
        };
        stretch(options.compression, &mut text, target).await?;
        let place = toc.entries.get(entry).and_then(|entry| places.get(&entry.dump_id)).copied();
        let Some(index) = place.filter(|index| *index == next) else {
            return Err(Error::new(ErrorKind::Bug, "the script asks for rows in another order than they are copied"));
        };
        let (sums, behind) = copying.write_entry(index, target).await?;
        next = behind;
        let Some(job) = copying.job(index) else { continue };
        copied.push(Copied { dump_id: job.dump_id, sums, offset: None, file: None });
        done.fetch_add(1, Ordering::Relaxed);
        let (name, summary) = (job.name.to_string(), sums.summary);
        sink.event(Event::ObjectFinished { name, rows: Some(summary.row_count), bytes: summary.byte_count });
    }
    stretch(options.compression, &mut text, target).await?;
    if next != copying.job_count() {
        return Err(Error::new(ErrorKind::Bug, "the script leaves rows out that are copied"));
    }
    Ok(copied)
}

/// Compresses text and writes it. Frames that follow each other are one file to gzip, zstd and lz4.
async fn stretch(compression: Compression, text: &mut Vec<u8>, target: &mut Target) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let bytes = match compression {
        Compression::None => std::mem::take(text),
        Compression::Gzip { .. } | Compression::Lz4 { .. } | Compression::Zstd { .. } => {
            let bytes = compress(compression, Shape::File, text)
                .map_err(|error| Error::new(ErrorKind::Bug, "could not compress").caused_by(error))?;
            text.clear();
            bytes
        }
    };
    target.write(bytes.into()).await
}
