//! Bytes of a table that is copied before its turn, because somebody waits for it: they wait in a file until the archive comes to
//! them.

use std::path::PathBuf;

use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::press::Made;
use crate::error::Result;
use crate::transfer::Spool;

/// Bytes that are read ahead of the writer.
const AHEAD: usize = 4 << 20;

/// Takes all that a job makes, as fast as it comes, and gives it back in its order. What the worker made holds no place in its
/// budget meanwhile.
pub(super) fn set_aside(mut made: mpsc::UnboundedReceiver<Made>, folder: PathBuf) -> mpsc::UnboundedReceiver<Made> {
    let (out, again) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut spool = Spool::new(&folder);
        let sums = loop {
            match made.recv().await {
                Some(Made::Bytes(bytes, permit)) => {
                    if let Err(error) = spool.write(bytes).await {
                        let _ = out.send(Made::Failed(error));
                        return;
                    }
                    drop(permit);
                }
                Some(Made::Done(sums)) => break sums,
                Some(failed @ Made::Failed(_)) => {
                    let _ = out.send(failed);
                    return;
                }
                // its worker has failed and says so itself
                None => return,
            }
        };
        // a writer that is gone has failed and says so itself
        let _ = match give_back(&mut spool, &out).await {
            Ok(()) => out.send(Made::Done(sums)),
            Err(error) => out.send(Made::Failed(error)),
        };
    });
    again
}

async fn give_back(spool: &mut Spool, out: &mpsc::UnboundedSender<Made>) -> Result<()> {
    let room = Arc::new(Semaphore::new(AHEAD));
    while let Some(mut bytes) = spool.next().await? {
        while !bytes.is_empty() {
            let piece: Bytes = bytes.split_to(bytes.len().min(AHEAD));
            let permit = reserve(&room, piece.len()).await;
            if out.send(Made::Bytes(piece, permit)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn reserve(room: &Arc<Semaphore>, bytes: usize) -> OwnedSemaphorePermit {
    let wanted = u32::try_from(bytes).unwrap_or(u32::MAX);
    Arc::clone(room).acquire_many_owned(wanted).await.expect("nobody closes this semaphore")
}

#[cfg(test)]
mod tests {
    use super::super::press::Sums;
    use super::*;

    #[tokio::test]
    async fn gives_everything_back_and_frees_the_budget_at_once() {
        let budget = Arc::new(Semaphore::new(1000));
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut again = set_aside(receiver, std::env::temp_dir());
        // more than the budget has, and more than is read ahead
        for number in 0..12_000_u32 {
            let bytes = Bytes::from(vec![u8::try_from(number % 251).unwrap(); 1000]);
            sender.send(Made::Bytes(bytes, reserve(&budget, 1000).await)).unwrap_or_else(|_| panic!("the taker lives"));
        }
        sender.send(Made::Done(Sums::default())).unwrap_or_else(|_| panic!("the taker lives"));
        let mut taken = Vec::new();
        loop {
            match again.recv().await {
                Some(Made::Bytes(bytes, _)) => taken.extend_from_slice(&bytes),
                Some(Made::Done(_)) => break,
                Some(Made::Failed(error)) => panic!("{error}"),
                None => panic!("ended early"),
            }
        }
        assert_eq!(taken.len(), 12_000_000);
        assert!(taken.chunks(1000).enumerate().all(|(number, chunk)| usize::from(chunk[0]) == number % 251));
    }
}
