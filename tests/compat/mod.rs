//! pg_dump's archives and ours, read by each other, on every major that is there.

mod archive;
mod contradiction;
mod globals;
mod insert;
mod majors;
mod matrix;
mod names;
mod restore;
mod select;
mod statistics;
mod tar;
mod toc;
mod unsupported;
mod values;

use std::path::Path;

pub(crate) use toc::load_zoo;

use pgproof::reader::{Archive, Opened, open_path};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn open(path: &Path) -> Archive {
    let opened = block_on(open_path(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match opened {
        Opened::Archive(archive) => archive,
        Opened::Plain { .. } => panic!("{} is taken for something else", path.display()),
    }
}
