//! The tar format: `toc.dat`, a member for each entry with data and for each large object, and a script.
//!
//! A member's size stands before its bytes. So each one waits in a spool until it is complete, while the workers are busy with
//! what follows.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::Options;
use super::data::{Copied, Copying};
use super::press::{Made, Sums};
use super::target::{Target, Written};
use crate::archive::directory::{
    TOC_FILE, encode_large_object_line, large_object_file, large_object_list_file, rows_file,
};
use crate::archive::plain::{self, Piece, Script};
use crate::archive::tar::{SCRIPT_FILE, encode_end, encode_header, padding, script};
use crate::archive::toc::{Data, Toc};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Sink};
use crate::object::DataSource;
use crate::record::encode_text;
use crate::transfer::Spool;

/// Puts the names of their data into the table of contents, all after the entry: so pg_dump does it, although a list of large
/// objects is called otherwise.
pub(super) fn name_members(toc: &mut Toc) {
    for entry in toc.entries.iter_mut().filter(|entry| entry.has_data) {
        entry.data = Data::File(rows_file(entry.dump_id));
    }
}

/// An archive that is being written.
pub(super) struct Writer<'a> {
    pub(super) target: Target,
    /// Where spools lie.
    pub(super) folder: PathBuf,
    /// Of all members, in seconds since 1970.
    pub(super) time: u64,
    pub(super) sink: &'a dyn Sink,
    pub(super) done: &'a AtomicU64,
}

/// A large object of the archive, and its size.
struct Object {
    oid: u32,
    size: u64,
}

impl Writer<'_> {
    /// Writes the whole archive; the table of contents has the members' names already.
    pub(super) async fn write(
        mut self,
        options: &Options,
        toc: &Toc,
        mut copying: Copying,
    ) -> Result<(Written, Vec<Copied>)> {
        let copied = match self.members(options, toc, &mut copying).await {
            Ok(copied) => copied,
            Err(error) => {
                drop(copying);
                self.target.discard().await;
                return Err(error);
            }
        };
        copying.finish().await?;
        Ok((self.target.finish(Bytes::new()).await?, copied))
    }

    async fn members(&mut self, options: &Options, toc: &Toc, copying: &mut Copying) -> Result<Vec<Copied>> {
        self.small(TOC_FILE, toc.encode()).await?;
        let mut copied = Vec::with_capacity(copying.entry_count());
        let mut objects: HashMap<i32, Vec<Object>> = HashMap::new();
        let mut index = 0;
        while let Some(job) = copying.job(index).cloned() {
            let (sums, file) = match &*job.source {
                DataSource::Table { .. } => {
                    let file = rows_file(job.dump_id);
                    let mut spool = Spool::new(&self.folder);
                    let mut sums = fill(copying, index, &mut spool).await?;
                    // the other slices of its table
                    while copying.job(index).is_some_and(|job| !job.is_last()) {
                        index += 1;
                        let more = fill(copying, index, &mut spool).await?;
                        sums.summary = sums.summary.merge(more.summary);
                    }
                    copying.attend(self.member(&file, spool)).await?;
                    (sums, file)
                }
                DataSource::LargeObjects(oids) => {
                    let file = large_object_list_file(toc.header.version, job.dump_id);
                    let (sums, written) = self.large_objects(copying, index, oids, &file).await?;
                    objects.insert(job.dump_id, written);
                    (sums, file)
                }
            };
            index += 1;
            copied.push(Copied { dump_id: job.dump_id, sums, offset: None, file: Some(file) });
            self.done.fetch_add(1, Ordering::Relaxed);
            let (name, summary) = (job.name.to_string(), sums.summary);
            self.sink.event(Event::ObjectFinished { name, rows: Some(summary.row_count), bytes: summary.byte_count });
        }
        self.script(options, toc, &objects).await?;
        let mut end = Vec::new();
        encode_end(&mut end);
        self.target.write(end.into()).await?;
        Ok(copied)
    }

    async fn large_objects(
        &mut self,
        copying: &mut Copying,
        index: usize,
        oids: &[u32],
        list_file: &str,
    ) -> Result<(Sums, Vec<Object>)> {
        let mut sums = Sums::default();
        let mut objects = Vec::with_capacity(oids.len());
        let mut list = Vec::new();
        for &oid in oids {
            let mut spool = Spool::new(&self.folder);
            let made = fill(copying, index, &mut spool).await?;
            sums.summary = sums.summary.merge(made.summary);
            objects.push(Object { oid, size: spool.size() });
            encode_large_object_line(oid, &mut list);
            copying.attend(self.member(&large_object_file(oid), spool)).await?;
        }
        self.small(list_file, list).await?;
        Ok((sums, objects))
    }

    /// The script, which needs the large objects of each entry and their sizes.
    async fn script(&mut self, options: &Options, toc: &Toc, objects: &HashMap<i32, Vec<Object>>) -> Result<()> {
        let script_options = plain::Options {
            restrict_key: options.restrict_key(),
            row_security: options.row_security,
            for_older_servers: true,
            rows_in_files: true,
            ..plain::Options::default()
        };
        let key = script_options.restrict_key.as_deref();
        let mut spool = Spool::new(&self.folder);
        spool.write(script::INTRODUCTION.into()).await?;
        for piece in Script::new(toc, &script_options)? {
            match piece {
                Piece::Text(text) => spool.write(text.into()).await?,
                Piece::Rows(place) => {
                    let text = toc.entries.get(place).map(|entry| script::rows(entry, key)).unwrap_or_default();
                    spool.write(encode_text(&text).into_owned().into()).await?;
                }
                Piece::LargeObjects(place) => {
                    let objects = toc.entries.get(place).and_then(|entry| objects.get(&entry.dump_id));
                    for object in objects.into_iter().flatten() {
                        spool.write(script::large_object(object.oid, object.size, key).into()).await?;
                    }
                }
            }
        }
        self.member(SCRIPT_FILE, spool).await
    }

    async fn small(&mut self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let mut spool = Spool::new(&self.folder);
        spool.write(bytes.into()).await?;
        self.member(name, spool).await
    }

    async fn member(&mut self, name: &str, mut spool: Spool) -> Result<()> {
        let size = spool.size();
        self.target.write(Bytes::copy_from_slice(&encode_header(name, size, self.time))).await?;
        let begin = self.target.position();
        while let Some(bytes) = spool.next().await? {
            self.target.write(bytes).await?;
        }
        if self.target.position() - begin != size {
            return Err(Error::new(
                ErrorKind::Bug,
                format!("member {name} of the archive has another size than it says"),
            ));
        }
        self.target.write(vec![0; padding(size)].into()).await
    }
}

/// Takes what the next part of a job makes.
async fn fill(copying: &mut Copying, index: usize, spool: &mut Spool) -> Result<Sums> {
    let mut part = copying.part_of(index).await?;
    loop {
        match copying.made(&mut part).await? {
            Made::Bytes(bytes, permit) => {
                spool.write(bytes).await?;
                drop(permit);
            }
            Made::Done(sums) => return Ok(sums),
            Made::Failed(error) => return Err(error),
        }
    }
}
