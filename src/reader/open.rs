use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt as _;

use super::files::Files;
use super::{Archive, DataFile, FileData, Place, damaged, open_tar};
use crate::archive::directory::TOC_FILE;
use crate::archive::toc::{Container, Data, Toc};
use crate::archive::{Decoder, FileKind, FormatError, FormatErrorKind};
use crate::codec::compress::Algorithm;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Access, Key, LocalStore, Store};
use crate::transfer::Inlet;

/// What a path turned out to be.
pub enum Opened {
    /// A custom, directory or tar archive.
    Archive(Archive),
    /// Something else: SQL text if anything, compressed or not.
    Plain {
        /// The file.
        inlet: Inlet,
        /// How it is compressed.
        algorithm: Algorithm,
    },
}

/// Opens a custom archive: reads its head.
pub async fn open_custom(inlet: Inlet) -> Result<Archive> {
    let mut head = Decoder::new(Container::Custom);
    let mut stream = inlet.stream(0..inlet.size());
    let toc = loop {
        let Some(mut input) = stream.try_next().await? else { return Err(damaged(inlet.key(), head.truncated())) };
        if let Some(toc) = head.push(&mut input).map_err(|error| damaged(inlet.key(), error))? {
            break toc;
        }
    };
    let offsets = toc.entries.iter().filter_map(|entry| match entry.data {
        Data::At(offset) => Some(offset),
        Data::None | Data::Unknown | Data::File(_) => None,
    });
    let bounds = Arc::new(offsets.collect());
    let begin = head.offset();
    Ok(Archive { toc: Arc::new(toc), place: Place::Custom { inlet, begin, bounds } })
}

/// Opens a directory archive: reads `toc.dat` and the list of its files. `folder` is where they lie in the store.
pub async fn open_directory(store: Arc<dyn Store>, folder: Option<&Key>) -> Result<Archive> {
    let prefix = folder.map_or_else(String::new, |folder| format!("{folder}/"));
    let mut files = Files::below(&prefix);
    store.visit(&prefix, &mut |object| files.add(object)).await?;
    let Some(file) = files.get(TOC_FILE) else {
        return Err(Error::new(ErrorKind::Archive, format!("no archive at {}", place(store.as_ref(), folder)))
            .detail(format!("there is no {TOC_FILE}")));
    };
    let toc = read_toc(&store, file).await?;
    Ok(Archive { toc: Arc::new(toc), place: Place::Directory { store, files: Arc::new(files) } })
}

/// Reads the table of contents of a directory archive, as it was written.
pub async fn read_directory_head(store: &Arc<dyn Store>, folder: &Key) -> Result<Toc> {
    let key = folder.join(TOC_FILE)?;
    read_toc(store, &DataFile { key, size: 0, algorithm: Algorithm::None }).await
}

fn place(store: &dyn Store, folder: Option<&Key>) -> String {
    match folder {
        Some(folder) => format!("\"{folder}\" in {}", store.describe()),
        None => store.describe(),
    }
}

/// Reads and decodes the head of a directory archive piece by piece: what is none is refused by its first bytes, however much
/// it would become when decompressed.
async fn read_toc(store: &Arc<dyn Store>, file: &DataFile) -> Result<Toc> {
    let mut data = FileData::open(store, &file.key, file.algorithm).await?;
    let mut head = Decoder::new(Container::Directory);
    let mut toc = None;
    while let Some(mut input) = data.next().await? {
        if toc.is_none() {
            toc = head.push(&mut input).map_err(|error| damaged(&file.key, error))?;
        }
        if toc.is_some() && !input.is_empty() {
            return Err(damaged(&file.key, FormatError { offset: head.offset(), kind: FormatErrorKind::Trailing }));
        }
    }
    toc.ok_or_else(|| damaged(&file.key, head.truncated()))
}

/// The store of a path outside of any store, and the file's name in it; no name for a folder.
pub async fn open_path_store(path: &Path) -> Result<(Arc<dyn Store>, Option<Key>)> {
    let unusable = |problem: String| {
        Error::new(ErrorKind::Usage, format!("could not open \"{}\"", path.display())).detail(problem)
    };
    let metadata = tokio::fs::metadata(path).await.map_err(|error| unusable(error.to_string()))?;
    if metadata.is_dir() {
        return Ok((Arc::new(LocalStore::open(path, Access::Read).await?), None));
    }
    // the store takes no links, but a person may name one
    let path = tokio::fs::canonicalize(path).await.map_err(|error| unusable(error.to_string()))?;
    let name =
        path.file_name().and_then(|name| name.to_str()).ok_or_else(|| unusable("its name is no UTF-8".into()))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let store = LocalStore::open(folder, Access::Read).await?;
    Ok((Arc::new(store), Some(Key::new(name)?)))
}

/// Opens whatever lies at a path: an archive that this program or pg_dump wrote, or SQL.
pub async fn open_path(path: &Path) -> Result<Opened> {
    let (store, key) = open_path_store(path).await?;
    let Some(key) = key else { return Ok(Opened::Archive(open_directory(store, None).await?)) };
    let inlet = Inlet::open(store, &key).await?;
    let first = inlet.read(0..inlet.size().min(FileKind::NEEDED as u64)).await?;
    Ok(match FileKind::of(&first) {
        FileKind::Custom => Opened::Archive(open_custom(inlet).await?),
        FileKind::Tar => Opened::Archive(open_tar(inlet).await?),
        FileKind::Compressed(algorithm) => Opened::Plain { inlet, algorithm },
        FileKind::Other => Opened::Plain { inlet, algorithm: Algorithm::None },
    })
}
