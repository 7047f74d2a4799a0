//! The custom format: head, then a block for each entry with data.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use super::data::{Copied, Copying};
use super::target::{Target, Written};
use crate::archive::toc::{Data, Toc};
use crate::error::Result;
use crate::event::{Event, Sink};
use crate::store::{Key, SizeHint, Store};
use crate::transfer::Outlet;

/// Whether the head is written with the blocks' places in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// First, with unknown places: the bytes come in their order.
    First,
    /// Last, into room that was left for it.
    Last,
}

/// Begins the archive as an object.
pub(super) async fn begin(store: &dyn Store, key: &Key, hint: SizeHint, toc: &Toc, head: Head) -> Result<Target> {
    match head {
        Head::Last => {
            let outlet = Outlet::begin_after_head(store, key, hint, toc.encode().len() as u64).await?;
            Ok(Target::Object(Box::new(outlet)))
        }
        Head::First => {
            let mut target = Target::Object(Box::new(Outlet::begin(store, key, hint).await?));
            target.write(toc.encode().into()).await?;
            Ok(target)
        }
    }
}

/// Writes every block in the archive's order, then the head where room was left for it.
///
/// Places are put into `toc` in either case; [`Head::First`] has written it without them already.
pub(super) async fn write(
    toc: &mut Toc,
    mut target: Target,
    head: Head,
    mut copying: Copying,
    sink: &dyn Sink,
    done: &AtomicU64,
) -> Result<(Written, Vec<Copied>)> {
    let copied = match blocks(&mut target, &mut copying, sink, done).await {
        Ok(copied) => copied,
        Err(error) => {
            drop(copying);
            target.discard().await;
            return Err(error);
        }
    };
    copying.finish().await?;
    let places: HashMap<i32, u64> = copied.iter().filter_map(|copied| Some((copied.dump_id, copied.offset?))).collect();
    for entry in &mut toc.entries {
        if let Some(&place) = places.get(&entry.dump_id) {
            entry.data = Data::At(place);
        }
    }
    let head = match head {
        Head::First => Bytes::new(),
        Head::Last => toc.encode().into(),
    };
    Ok((target.finish(head).await?, copied))
}

async fn blocks(target: &mut Target, copying: &mut Copying, sink: &dyn Sink, done: &AtomicU64) -> Result<Vec<Copied>> {
    let mut copied = Vec::with_capacity(copying.entry_count());
    let mut index = 0;
    while index < copying.job_count() {
        let offset = target.position();
        let (sums, next) = copying.write_entry(index, target).await?;
        let Some(job) = copying.job(index) else { break };
        index = next;
        copied.push(Copied { dump_id: job.dump_id, sums, offset: Some(offset), file: None });
        done.fetch_add(1, Ordering::Relaxed);
        let (name, summary) = (job.name.to_string(), sums.summary);
        sink.event(Event::ObjectFinished { name, rows: Some(summary.row_count), bytes: summary.byte_count });
    }
    Ok(copied)
}
