//! Decodes the files of a directory archive, each in one pass.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::archive::directory::{FileKind, LargeObjectList, decode_file_name};
use crate::archive::toc::{Container, Data, Toc};
use crate::archive::{Decoder, FormatError, FormatErrorKind};
use crate::codec::compress::Algorithm;
use crate::codec::digest::{LargeObjectDigest, LargeObjectSummary, RowSummary};
use crate::error::Result;
use crate::manifest;
use crate::store::{Key, Store};

use super::FindingKind;
use super::contents::{Contents, RowReader};
use super::file::{Subject, decompress, drain, read};
use super::outcome::LevelReport;
use super::tee::Meter;

/// What one file gave.
enum Gave {
    Rows { dump_id: i32, result: Result<(RowSummary, u64), String> },
    LargeObject { oid: u32, result: Result<LargeObjectSummary, String> },
    List { name: String, result: Result<Vec<u32>, String> },
    Nothing,
}

/// A file, and its name within the archive's folder.
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    /// As findings call it.
    pub(super) path: &'a str,
    pub(super) expected: Option<&'a manifest::File>,
}

/// Where the files are.
pub(super) struct Folder<'a> {
    pub(super) store: &'a Arc<dyn Store>,
    /// What the paths are below; `None` where they are whole.
    pub(super) key: Option<&'a Key>,
    pub(super) meter: &'a Meter<'a>,
}

impl<'a> Folder<'a> {
    /// There may be hundreds of thousands of members: what each needs is made when its turn comes.
    fn subject(&self, member: &Member<'a>) -> Result<Subject<'a>> {
        let key = match self.key {
            Some(folder) => folder.join(member.path)?,
            None => Key::new(member.path)?,
        };
        Ok(Subject { store: self.store, key, name: member.path, expected: member.expected, meter: self.meter })
    }
}

/// Decodes all files, several at once. Each is hashed too; `files` is told of that.
pub(super) async fn decode(
    folder: &Folder<'_>,
    members: Vec<Member<'_>>,
    jobs: usize,
    files: &mut LevelReport,
    contents: &mut Contents,
) -> Result<()> {
    let (heads, others): (Vec<Member<'_>>, Vec<Member<'_>>) =
        members.into_iter().partition(|member| matches!(decode_file_name(member.name), Some((FileKind::Toc, _))));
    for head in &heads {
        decode_head(head, &folder.subject(head)?, files, contents).await?;
    }
    if heads.is_empty() {
        contents.damaged(FindingKind::HeadDamaged, None, "archive", "there is no toc.dat");
    }
    let toc = contents.toc.clone();
    let mut reading = stream::iter(others.iter().map(|member| read_member(folder, member, toc.as_ref())))
        .buffer_unordered(jobs.max(1));
    let mut lists = BTreeMap::new();
    let mut objects = BTreeMap::new();
    while let Some(result) = reading.next().await {
        let (gave, report) = result?;
        files.merge(report);
        match gave {
            Gave::Nothing => {}
            Gave::Rows { dump_id, result } => {
                let entry = toc.as_ref().and_then(|toc| toc.entry(dump_id));
                match result {
                    Ok((summary, bytes)) => {
                        contents.byte_count += bytes;
                        contents.decoded.insert(dump_id);
                        contents.rows.insert(dump_id, summary);
                    }
                    Err(problem) => contents.damaged(FindingKind::DataDamaged, entry, "archive", problem),
                }
            }
            Gave::LargeObject { oid, result } => {
                objects.insert(oid, result);
            }
            Gave::List { name, result } => {
                lists.insert(name, result);
            }
        }
    }
    drop(reading);
    join_large_objects(toc.as_ref(), &lists, objects, contents);
    Ok(())
}

async fn decode_head(
    head: &Member<'_>,
    subject: &Subject<'_>,
    files: &mut LevelReport,
    contents: &mut Contents,
) -> Result<()> {
    let (algorithm, _) = Algorithm::of_file_name(head.name);
    // piece by piece: what is none is told by its first bytes, however much it would become
    let (mut decoder, mut toc) = (Decoder::new(Container::Directory), None);
    let result = read(subject, files, async |stream| {
        decompress(stream, algorithm, |bytes| {
            let mut input = bytes.clone();
            if toc.is_none() {
                toc = decoder.push(&mut input).map_err(|error| error.to_string())?;
            }
            if toc.is_some() && !input.is_empty() {
                let error = FormatError { offset: decoder.offset(), kind: FormatErrorKind::Trailing };
                return Err(error.to_string());
            }
            Ok(())
        })
        .await
    })
    .await?;
    let Some(result) = result else { return Ok(()) };
    let toc = result.and_then(|()| toc.ok_or_else(|| decoder.truncated().to_string()));
    match toc {
        Ok(toc) => contents.toc = Some(toc),
        Err(problem) => contents.damaged(FindingKind::HeadDamaged, None, "archive", problem),
    }
    Ok(())
}

async fn read_member(folder: &Folder<'_>, member: &Member<'_>, toc: Option<&Toc>) -> Result<(Gave, LevelReport)> {
    let mut report = super::file::report();
    let subject = folder.subject(member)?;
    let Some((kind, algorithm)) = decode_file_name(member.name) else {
        read(&subject, &mut report, drain).await?;
        return Ok((Gave::Nothing, report));
    };
    let gave = match kind {
        FileKind::Toc => None,
        FileKind::Rows { dump_id } => {
            let found = toc.and_then(|toc| Some((toc, toc.entry(dump_id)?)));
            let Some((toc, entry)) = found.filter(|(_, entry)| entry.data != Data::None) else {
                read(&subject, &mut report, drain).await?;
                return Ok((Gave::Nothing, report));
            };
            let mut rows = RowReader::new(entry, toc);
            let result = read(&subject, &mut report, async |stream| {
                decompress(stream, algorithm, |bytes| rows.push(bytes).map_err(|error| error.to_string())).await
            })
            .await?;
            let bytes = rows.byte_count();
            result.map(|result| Gave::Rows { dump_id, result: result.and_then(|()| Ok((rows.finish()?, bytes))) })
        }
        FileKind::LargeObject { oid } => {
            let mut digest = LargeObjectDigest::new(oid);
            let result = read(&subject, &mut report, async |stream| {
                decompress(stream, algorithm, |bytes| {
                    digest.push(bytes);
                    Ok(())
                })
                .await
            })
            .await?;
            result.map(|result| Gave::LargeObject { oid, result: result.map(|()| digest.finish()) })
        }
        FileKind::LargeObjectList => {
            let mut list = LargeObjectList::default();
            let result = read(&subject, &mut report, async |stream| {
                decompress(stream, algorithm, |bytes| list.push(bytes).map_err(|error| error.to_string())).await
            })
            .await?;
            result.map(|result| {
                let result = result.and_then(|()| list.finish().map_err(|error| error.to_string()));
                let name = member.name.strip_suffix(algorithm.suffix()).unwrap_or(member.name).to_owned();
                Gave::List { name, result }
            })
        }
    };
    Ok((gave.unwrap_or(Gave::Nothing), report))
}

/// Every large object that a list names must have been decoded, and only those count.
fn join_large_objects(
    toc: Option<&Toc>,
    lists: &BTreeMap<String, Result<Vec<u32>, String>>,
    mut objects: BTreeMap<u32, Result<LargeObjectSummary, String>>,
    contents: &mut Contents,
) {
    let Some(toc) = toc else { return };
    let mut listed = BTreeSet::new();
    for entry in toc.entries.iter().filter(|entry| entry.is_large_objects()) {
        let Data::File(name) = &entry.data else { continue };
        let oids = match lists.get(name) {
            Some(Ok(oids)) => oids,
            Some(Err(problem)) => {
                contents.damaged(FindingKind::DataDamaged, Some(entry), "archive", format!("{name}: {problem}"));
                continue;
            }
            None => continue,
        };
        let mut broken = Vec::new();
        for oid in oids {
            listed.insert(*oid);
            match objects.remove(oid) {
                Some(Ok(summary)) => contents.large_objects = contents.large_objects.merge(summary),
                Some(Err(problem)) => broken.push(format!("large object {oid}: {problem}")),
                None => broken.push(format!("large object {oid} has no file")),
            }
        }
        match broken.first() {
            None => {
                contents.decoded.insert(entry.dump_id);
            }
            Some(first) => {
                let more = if broken.len() > 1 { format!(" (and {} more)", broken.len() - 1) } else { String::new() };
                contents.damaged(FindingKind::DataDamaged, Some(entry), "archive", format!("{first}{more}"));
            }
        }
    }
    contents.byte_count += contents.large_objects.byte_count;
    for oid in objects.keys().filter(|oid| !listed.contains(oid)) {
        let name = format!("large object {oid}");
        contents.damaged(FindingKind::DataUnexpected, None, &name, "no list names it");
    }
}
