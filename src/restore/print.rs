//! What a restore would do, as text: the list of entries, and the script. Needs no server.

use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::select::{Item, Leave, select};
use super::source::{Origin, open};
use super::{Selection, Source};
use crate::archive::list;
use crate::archive::pick::Parts;
use crate::archive::plain::{self, LargeObjectText, Piece, Script};
use crate::archive::toc::Entry;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Sink;
use crate::reader::{Archive, Part};
use crate::record::encode_text;

/// What is written out, and how.
pub struct Print {
    /// The archive.
    pub source: Source,
    /// Compare every file with its checksum first, where a manifest has them.
    pub check_files: bool,
    /// Files that are read at the same time for that.
    pub jobs: usize,
    /// Which part of it, by pg_restore's rules.
    pub selection: Selection,
    /// Kinds of things to leave out.
    pub leave: Leave,
    /// How the script is written; whether it creates the database counts for the list, too.
    pub script: plain::Options,
}

impl Print {
    async fn open(&self, sink: &dyn Sink) -> Result<(Archive, Vec<Item>)> {
        let opening = open(&self.source, self.check_files, self.jobs, sink).await?;
        let Origin::Archive(archive) = opening.origin else {
            return Err(Error::new(ErrorKind::Usage, format!("\"{}\" is a script already", opening.name))
                .hint("Only archives have a list, or become a script."));
        };
        let items = select(&archive.toc().entries, &self.selection, &self.leave, self.script.database)?;
        Ok((*archive, items))
    }

    /// Writes the list of the entries that would be restored, as `pg_restore -l` does.
    ///
    /// # Errors
    ///
    /// When the archive cannot be read, or `out` not be written.
    pub async fn list(&self, out: &mut (dyn AsyncWrite + Send + Unpin), sink: &dyn Sink) -> Result<()> {
        let (archive, items) = self.open(sink).await?;
        let toc = archive.toc();
        let text = list::list(toc, items.iter().filter_map(|item| toc.entries.get(item.index)));
        write(out, &encode_text(&text)).await?;
        out.flush().await.map_err(unwritten)
    }

    /// Writes the script that restores the same, as `pg_restore -f` does.
    ///
    /// # Errors
    ///
    /// When the archive cannot be read or is damaged, or `out` not be written.
    pub async fn script(&self, out: &mut (dyn AsyncWrite + Send + Unpin), sink: &dyn Sink) -> Result<()> {
        let (archive, items) = self.open(sink).await?;
        let toc = archive.toc();
        let chosen: Vec<(usize, Parts)> =
            items.iter().map(|item| (item.index, Parts { definition: item.schema, data: item.data })).collect();
        for piece in Script::of(toc, &self.script, &chosen)? {
            match piece {
                Piece::Text(text) => write(out, &text).await?,
                Piece::Rows(index) | Piece::LargeObjects(index) => {
                    let Some(entry) = toc.entries.get(index) else { continue };
                    data(&archive, entry, out).await?;
                }
            }
        }
        out.flush().await.map_err(unwritten)
    }
}

/// Rows are in an archive as they are in a script; large objects become statements.
async fn data(archive: &Archive, entry: &Entry, out: &mut (dyn AsyncWrite + Send + Unpin)) -> Result<()> {
    let mut data = archive.data(entry).await?;
    let mut objects = LargeObjectText::new(archive.toc());
    let mut statements = Vec::new();
    while let Some(part) = data.next().await? {
        match part {
            Part::Data(bytes) if !entry.is_large_objects() => write(out, &bytes).await?,
            Part::Data(bytes) => objects.push(&bytes, &mut statements),
            Part::LargeObject { oid } => objects.begin(oid, &mut statements),
            Part::LargeObjectEnd => objects.end(&mut statements),
        }
        write(out, &statements).await?;
        statements.clear();
    }
    Ok(())
}

async fn write(out: &mut (dyn AsyncWrite + Send + Unpin), bytes: &[u8]) -> Result<()> {
    out.write_all(bytes).await.map_err(unwritten)
}

fn unwritten(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Disk, "could not write the script").caused_by(error)
}
