//! Large tables in slices, so that several workers copy one.
//!
//! A slice is a range of the table's blocks, which servers from 14 on read by themselves (a TID range scan). The slices are
//! jobs that follow each other, and the archive has their rows in the table's own order, as one `COPY` of it would.

use std::collections::HashMap;
use std::sync::Arc;

use super::archive::Form;
use super::source::Source;
use super::worker::{Job, Slice};
use crate::catalog::TableSize;
use crate::codec::compress::Compression;
use crate::manifest::Format;
use crate::object::{DataSource, table_data::BlockCopy};

/// A table's bytes in one slice: compressed, they fit into a worker's budget while another worker's slice is written.
const SLICE_BYTES: u64 = 16 << 20;

/// What is smaller is copied whole, which costs the server less.
const DIVIDED_MIN: u64 = 96 << 20;

/// A slice has at least this many blocks: also a table of few rows with much out of line has so many rows in a slice.
const BLOCKS_MIN: u64 = 16;

/// Tables of fewer blocks are never divided.
pub(super) const DIVIDED_BLOCKS_MIN: u64 = 2 * BLOCKS_MIN;

/// So many slices a table has at most: of a huge one they are larger, and fewer workers are busy with it at a time.
const SLICES_MAX: u64 = 1 << 16;

/// The oldest major that reads a range of blocks without reading all others.
const SERVER_MIN: u32 = 14;

/// Whether an entry's bytes may come in streams that follow each other. Files of a directory are written beside each other,
/// and a block of gzip is one zlib stream to pg_restore.
pub(super) fn is_possible(form: Form) -> bool {
    match (form.format, form.compression) {
        (Format::Directory, _) => false,
        (Format::Custom, Compression::None | Compression::Zstd { .. }) | (Format::Tar | Format::Plain, _) => true,
        (Format::Custom, Compression::Gzip { .. } | Compression::Lz4 { .. }) => false,
    }
}

/// Whether a server reads a range of blocks without all others.
pub(super) fn is_worth(server: crate::object::version::Version) -> bool {
    server.major() >= SERVER_MIN
}

/// Divides the jobs that copy large tables.
pub(super) fn divide(jobs: Vec<Job>, source: &Source) -> Vec<Job> {
    let inventory = &source.plan.inventory;
    // by oid: what reads a range of its blocks
    let mut copies: HashMap<u32, Arc<BlockCopy>> = HashMap::new();
    for job in &jobs {
        // a statement of several rows must not end where a slice does
        if let DataSource::Table { table, inserts, .. } = &*job.source
            && inserts.as_ref().is_none_or(|form| form.rows_per_statement == 1)
            && let Some(copy) = BlockCopy::of(inventory, *table)
        {
            copies.insert(inventory.get(*table).catalog_id.oid, Arc::new(copy));
        }
    }
    let mut divided = Vec::with_capacity(jobs.len());
    for job in jobs {
        let oid = match &*job.source {
            DataSource::Table { table, .. } => inventory.get(*table).catalog_id.oid,
            DataSource::LargeObjects(_) => 0,
        };
        let starts = source.sizes.get(&oid).map(starts).unwrap_or_default();
        let Some(copy) = copies.get(&oid).filter(|_| starts.len() > 1) else {
            divided.push(job);
            continue;
        };
        for (place, from) in starts.iter().enumerate() {
            let slice = Slice { copy: Arc::clone(copy), from: *from, to: starts.get(place + 1).copied() };
            divided.push(Job { slice: Some(slice), ..job.clone() });
        }
    }
    divided
}

/// The blocks that slices begin with. The last slice has no end: what the table has grown since belongs to it.
fn starts(size: &TableSize) -> Vec<u32> {
    if size.bytes < DIVIDED_MIN {
        return vec![0];
    }
    let count = (size.bytes / SLICE_BYTES).min(u64::from(size.blocks) / BLOCKS_MIN).clamp(1, SLICES_MAX);
    let step = u64::from(size.blocks).div_ceil(count).max(1);
    (0..count)
        .filter_map(|number| u32::try_from(number * step).ok())
        .filter(|start| *start == 0 || *start < size.blocks)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_a_table_once() {
        let starts = |blocks, bytes| starts(&TableSize { oid: 1, blocks, bytes });
        assert_eq!(starts(0, 0), [0]);
        assert_eq!(starts(10_000, 80 << 20), [0]);
        assert_eq!(starts(12_288, 96 << 20), [0, 2_048, 4_096, 6_144, 8_192, 10_240]);
        assert_eq!(starts(12_289, 97 << 20), [0, 2_049, 4_098, 6_147, 8_196, 10_245]);
        // little in the table, much out of line
        assert_eq!(starts(40, 1 << 30), [0, 20]);
        assert_eq!(starts(u32::MAX, u64::from(u32::MAX) << 13).len(), 1 << 16);
    }
}
