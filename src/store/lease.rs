//! One writer at a time: an object that says who writes, kept fresh while the writing goes on.
//!
//! On a store that keeps [`PutMode::CreateOnly`] the first put decides. Elsewhere, and when a stale lease is taken over,
//! two writers may both believe in their put: each waits and reads again, and the one whose nonce is not there has lost.
//! The holder reads its lease again with every heartbeat and before it publishes, and gives up when it is not its own
//! any more. When it could not renew it in time (a suspended machine, a store that did not answer), others may have taken it
//! since: then it is taken anew like a stale one, and only if it is still there with the holder's own nonce.
//!
//! Nothing here needs the right to delete: a lease that cannot be removed is written over as a released one.
//!
//! Nothing writes a lease again that was given back: the heartbeat is at its end before, and where the store has left one
//! unanswered, which it may still carry out, the holder looks once more afterwards.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{Key, PutMode, PutOutcome, Store};
use crate::error::{Error, ErrorKind, Result};

/// The lease's name in the folder that it is for.
const NAME: &str = "lease.json";

/// A lease without a heartbeat for this long is stale.
const TIME_TO_LIVE: Duration = Duration::from_secs(120);

/// How often the holder writes it again: three may fail before it is stale.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// How long two writers wait before they look whose lease was left, where the store does not decide.
const SETTLE: Duration = Duration::from_secs(2);

/// How long the end of a run waits for the answer to its last heartbeat.
const LAST_ANSWER: Duration = Duration::from_secs(10);

/// A lease is small; more than this is none.
const SIZE_MAX: u64 = 64 << 10;

/// Who writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// A number that no other lease has.
    nonce: String,
    /// The host's name.
    pub host: String,
    /// The process there.
    pub pid: u32,
    /// What makes a process number mean something: the host and its process namespace.
    place: String,
    /// What it is doing: `backup`, `prune`.
    pub purpose: String,
    /// What it works on: a backup's id.
    pub job: String,
    /// When it began, by its host's clock.
    pub begun: DateTime<Utc>,
    /// When it last gave a sign of life, by its host's clock.
    pub heartbeat: DateTime<Utc>,
    /// Given back by a holder that may not delete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    released: bool,
}

/// The right to write in one folder of a store. [`Lease::release`] gives it back; dropped, it becomes stale.
pub struct Lease {
    store: Arc<dyn Store>,
    key: Key,
    holder: Holder,
    beat: Arc<Beat>,
    keeper: tokio::task::JoinHandle<()>,
    /// Tells the keeper to end.
    stop: watch::Sender<bool>,
    state: watch::Receiver<Option<Lost>>,
}

/// What is known of the heartbeat.
struct Beat {
    renewed: Mutex<Renewed>,
    /// One was written and not answered: the store may carry it out later.
    in_doubt: AtomicBool,
}

/// Why a lease is no longer held.
#[derive(Clone, Debug)]
struct Lost(String);

impl Lease {
    /// Takes the lease of a folder, and says whose stale one it replaced.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Locked`] when somebody else holds it.
    pub async fn acquire(
        store: Arc<dyn Store>,
        folder: &Key,
        purpose: &str,
        job: &str,
    ) -> Result<(Self, Option<Holder>)> {
        let key = folder.join(NAME)?;
        let now = Utc::now();
        let holder = Holder {
            nonce: format!("{:032x}", rand::random::<u128>()),
            host: host_name(),
            pid: std::process::id(),
            place: process_place(),
            purpose: purpose.to_owned(),
            job: job.to_owned(),
            begun: now,
            heartbeat: now,
            released: false,
        };
        let stale = match read(&*store, &key).await? {
            Some((other, written)) if is_live(&other, written, now) => return Err(locked(&*store, &other)),
            Some((other, _)) => Some(other),
            None => None,
        };
        let is_there = stale.is_some();
        let decides = store.keeps_create_only().await?;
        let mode = if is_there { PutMode::Overwrite } else { PutMode::CreateOnly };
        let put = match store.put(&key, encode(&holder), mode).await {
            Ok(put) => put,
            // carried out all the same: it would keep others away until it is stale
            Err(error) => {
                if matches!(read(&*store, &key).await, Ok(Some((other, _))) if other.nonce == holder.nonce) {
                    give_back(&*store, &key, holder).await;
                }
                return Err(error);
            }
        };
        if put == PutOutcome::Exists {
            return Err(match read(&*store, &key).await? {
                Some((other, _)) => locked(&*store, &other),
                None => Error::new(ErrorKind::Locked, format!("another run has just used {}", store.describe())),
            });
        }
        if is_there || !decides {
            tokio::time::sleep(SETTLE).await;
            match read(&*store, &key).await? {
                Some((other, _)) if other.nonce != holder.nonce => return Err(locked(&*store, &other)),
                Some(_) | None => {}
            }
        }
        let (sender, state) = watch::channel(None);
        let (stop, stopped) = watch::channel(false);
        let beat = Arc::new(Beat { renewed: Mutex::new(Renewed::now()), in_doubt: AtomicBool::new(false) });
        let keeping = keep(Arc::clone(&store), key.clone(), holder.clone(), Arc::clone(&beat), sender, stopped);
        let keeper = tokio::spawn(keeping);
        Ok((Self { store, key, holder, beat, keeper, stop, state }, stale.filter(|stale| !stale.released)))
    }

    /// Makes sure, by reading it again, that the lease is held at this moment.
    pub async fn check(&self) -> Result<()> {
        if let Some(lost) = &*self.state.borrow() {
            return Err(lost_error(&lost.0));
        }
        still_held(&*self.store, &self.key, &self.holder).await?;
        if self.beat.renewed().age() < TIME_TO_LIVE {
            return Ok(());
        }
        take_anew(&*self.store, &self.key, &self.holder, &self.beat).await?;
        *self.beat.renewed() = Renewed::now();
        Ok(())
    }

    /// Ends when the lease is lost, with the reason. To be waited for beside the work.
    pub async fn lost(&self) -> Error {
        let mut state = self.state.clone();
        match state.wait_for(Option::is_some).await.map(|lost| lost.clone()) {
            Ok(Some(Lost(reason))) => lost_error(&reason),
            // the keeper ends only after it has said why
            Ok(None) | Err(_) => lost_error("its keeper ended"),
        }
    }

    /// Gives the lease back. A failure leaves a lease that becomes stale, so it is not worth failing for.
    pub async fn release(mut self) {
        // the keeper may have ended by itself, or with a panic of which there is nothing to be said here
        let _ = self.stop.send(true);
        drop((&mut self.keeper).await);
        self.give_back().await;
        if self.beat.in_doubt.load(Ordering::SeqCst) {
            tokio::time::sleep(SETTLE).await;
            self.give_back().await;
        }
    }

    async fn give_back(&self) {
        let held = match still_held(&*self.store, &self.key, &self.holder).await {
            Err(error) if error.kind() != ErrorKind::Locked => still_held(&*self.store, &self.key, &self.holder).await,
            held => held,
        };
        if held.is_ok() {
            give_back(&*self.store, &self.key, self.holder.clone()).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// When the lease was last written, by two clocks: the monotonic one stands still while a machine is suspended, the wall clock
/// may be set.
struct Renewed(Instant, SystemTime);

impl Renewed {
    fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    fn age(&self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

impl Beat {
    fn renewed(&self) -> MutexGuard<'_, Renewed> {
        // a panic elsewhere leaves two times, whole
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the lease, or where that is not allowed writes it over as one that nobody holds.
async fn give_back(store: &dyn Store, key: &Key, mut holder: Holder) {
    if store.delete(std::slice::from_ref(key)).await.is_err() {
        holder.released = true;
        drop(store.put(key, encode(&holder), PutMode::Overwrite).await);
    }
}

/// Fails when the lease is somebody else's, or gone.
async fn still_held(store: &dyn Store, key: &Key, holder: &Holder) -> Result<()> {
    match read(store, key).await? {
        Some((other, _)) if other.nonce == holder.nonce => Ok(()),
        Some((other, _)) => Err(lost_error(&format!("{} on {} has it now", other.purpose, other.host))),
        None => Err(lost_error("it was removed")),
    }
}

/// For a holder whose time went by: it was not taken by others until now, and whoever is about to take it shows after a while.
async fn take_anew(store: &dyn Store, key: &Key, holder: &Holder, beat: &Beat) -> Result<()> {
    write(store, key, holder, beat).await?;
    tokio::time::sleep(SETTLE).await;
    still_held(store, key, holder).await
}

/// Writes the lease with a fresh sign of life.
async fn write(store: &dyn Store, key: &Key, holder: &Holder, beat: &Beat) -> Result<()> {
    let again = Holder { heartbeat: Utc::now(), ..holder.clone() };
    // until there is an answer
    let before = beat.in_doubt.swap(true, Ordering::SeqCst);
    let _ = store.put(key, encode(&again), PutMode::Overwrite).await?;
    beat.in_doubt.store(before, Ordering::SeqCst);
    Ok(())
}

/// Writes the lease again and again, until it is not ours or the run is at its end.
async fn keep(
    store: Arc<dyn Store>,
    key: Key,
    holder: Holder,
    beat: Arc<Beat>,
    lost: watch::Sender<Option<Lost>>,
    mut stop: watch::Receiver<bool>,
) {
    // ends, too, when the lease is dropped
    let stopped = async |stop: &mut watch::Receiver<bool>| drop(stop.wait_for(|stop| *stop).await);
    loop {
        tokio::select! {
            () = tokio::time::sleep(HEARTBEAT) => {}
            () = stopped(&mut stop) => return,
        }
        let renewed = tokio::select! {
            renewed = renew(&*store, &key, &holder, &beat) => renewed,
            () = async { stopped(&mut stop).await; tokio::time::sleep(LAST_ANSWER).await } => return,
        };
        match renewed {
            Ok(()) => *beat.renewed() = Renewed::now(),
            Err(error) if error.kind() == ErrorKind::Locked => {
                // nobody may be waiting any more
                let _ = lost.send(Some(Lost(error.detail_text().unwrap_or_default().to_owned())));
                return;
            }
            // the store may come back; whoever publishes looks again before
            Err(_) => {}
        }
    }
}

/// One heartbeat.
async fn renew(store: &dyn Store, key: &Key, holder: &Holder, beat: &Beat) -> Result<()> {
    still_held(store, key, holder).await?;
    let is_late = beat.renewed().age() >= TIME_TO_LIVE;
    if is_late {
        return take_anew(store, key, holder, beat).await;
    }
    // one that the store keeps repeating might write over the lease of whoever took ours meanwhile
    match tokio::time::timeout(HEARTBEAT, write(store, key, holder, beat)).await {
        Ok(written) => written,
        Err(_) => Err(Error::new(ErrorKind::Throttled, "the lease was not renewed in time")),
    }
}

fn encode(holder: &Holder) -> Bytes {
    serde_json::to_vec_pretty(holder).expect("a lease has strings and numbers only").into()
}

/// What the run that holds a folder's lease works on, whether it is alive or not; `None` where nobody holds it.
pub(crate) async fn job(store: &dyn Store, folder: &Key) -> Result<Option<String>> {
    let held = read(store, &folder.join(NAME)?).await?;
    Ok(held.filter(|(holder, _)| !holder.released).map(|(holder, _)| holder.job))
}

/// Who holds the lease, and when the store received it. What is no lease reads as one that is stale at once.
async fn read(store: &dyn Store, key: &Key) -> Result<Option<(Holder, DateTime<Utc>)>> {
    let Some(info) = store.head(key).await? else { return Ok(None) };
    let unknown = Holder {
        nonce: String::new(),
        host: "an unknown host".to_owned(),
        pid: 0,
        place: String::new(),
        purpose: "an unknown run".to_owned(),
        job: String::new(),
        begun: info.modified,
        heartbeat: info.modified,
        released: false,
    };
    if info.size > SIZE_MAX {
        return Ok(Some((unknown, info.modified)));
    }
    let chunks: Vec<Bytes> = match store.fetch(key, None).await {
        Ok(stream) => stream.try_collect().await?,
        // released between the two requests
        Err(error) => return if store.head(key).await?.is_none() { Ok(None) } else { Err(error) },
    };
    Ok(Some((serde_json::from_slice(&chunks.concat()).unwrap_or(unknown), info.modified)))
}

/// A lease is stale when both clocks say so, the holder's and the store's: a wrong clock alone must not take it away. One
/// of a process of this very host that is gone is stale at once.
fn is_live(holder: &Holder, written: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    if holder.released || (holder.place == process_place() && !is_running(holder.pid)) {
        return false;
    }
    let limit = TimeDelta::from_std(TIME_TO_LIVE).unwrap_or(TimeDelta::MAX);
    now - holder.heartbeat < limit || now - written < limit
}

fn locked(store: &dyn Store, other: &Holder) -> Error {
    Error::new(ErrorKind::Locked, format!("another run writes to {}", store.describe()))
        .detail(format!(
            "{} by process {} on {} since {}, last sign of life {}",
            other.purpose,
            other.pid,
            other.host,
            other.begun.format("%Y-%m-%d %H:%M:%S UTC"),
            other.heartbeat.format("%H:%M:%S UTC")
        ))
        .hint("Wait until it is done; if it was killed, its lease is stale two minutes after its last sign of life.")
}

fn lost_error(reason: &str) -> Error {
    Error::new(ErrorKind::Locked, "the lease on the store was lost")
        .detail(reason)
        .hint("Nothing was published; run again, and see that only one run at a time writes to this store.")
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Process numbers mean something only within one process namespace of one boot of one host.
fn process_place() -> String {
    let namespace = std::fs::read_link("/proc/self/ns/pid").map(|path| path.display().to_string()).unwrap_or_default();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{} {} {namespace}", host_name(), boot.trim())
}

fn is_running(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    // no permission to signal it means that it is there
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Fault, FaultStore, MemoryStore};

    fn folder() -> Key {
        Key::new("shop").unwrap()
    }

    async fn plant(store: &MemoryStore, change: impl FnOnce(&mut Holder)) {
        let mut holder = Holder {
            nonce: "other".to_owned(),
            host: "elsewhere".to_owned(),
            pid: 7,
            place: "elsewhere".to_owned(),
            purpose: "backup".to_owned(),
            job: "20261121T030000Z-k3f9".to_owned(),
            begun: Utc::now(),
            heartbeat: Utc::now(),
            released: false,
        };
        change(&mut holder);
        let put = store.put(&folder().join(NAME).unwrap(), encode(&holder), PutMode::Overwrite).await.unwrap();
        assert_eq!(put, PutOutcome::Stored);
    }

    #[tokio::test]
    async fn one_holder_at_a_time() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let (lease, stale) = Lease::acquire(Arc::clone(&store), &folder(), "backup", "a").await.unwrap();
        assert_eq!(stale, None);
        lease.check().await.unwrap();
        let second = Lease::acquire(Arc::clone(&store), &folder(), "backup", "b").await.err().unwrap();
        assert_eq!(second.kind(), ErrorKind::Locked);
        lease.release().await;
        assert_eq!(store.list("").await.unwrap(), []);
        Lease::acquire(store, &folder(), "backup", "c").await.unwrap();
    }

    #[tokio::test]
    async fn a_live_lease_of_another_host_is_respected() {
        let store = MemoryStore::new();
        plant(&store, |_| {}).await;
        let error = Lease::acquire(Arc::new(store), &folder(), "backup", "a").await.err().unwrap();
        assert!(error.detail_text().unwrap().starts_with("backup by process 7 on elsewhere since "), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_lease_of_a_dead_process_here_is_taken_over() {
        let store = MemoryStore::new();
        plant(&store, |holder| {
            holder.place = process_place();
            holder.pid = u32::MAX >> 1;
        })
        .await;
        let (lease, stale) = Lease::acquire(Arc::new(store), &folder(), "backup", "a").await.unwrap();
        assert_eq!(stale.unwrap().job, "20261121T030000Z-k3f9");
        lease.check().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_overwrote_last_has_it() {
        let store = MemoryStore::new();
        let (lease, _) = Lease::acquire(Arc::new(store.clone()), &folder(), "backup", "a").await.unwrap();
        plant(&store, |_| {}).await;
        assert_eq!(lease.check().await.unwrap_err().kind(), ErrorKind::Locked);
        let lost = lease.lost().await;
        assert_eq!(lost.detail_text(), Some("backup on elsewhere has it now"));
    }

    #[tokio::test]
    async fn a_lease_that_may_not_be_removed_is_given_back_all_the_same() {
        let memory = MemoryStore::new();
        // its acquisition is one change, giving it back begins with the second
        let store: Arc<dyn Store> = Arc::new(FaultStore::new(Arc::new(memory.clone()), Fault::Reject, 1));
        let (lease, _) = Lease::acquire(store, &folder(), "backup", "a").await.unwrap();
        lease.release().await;
        assert_eq!(memory.list("").await.unwrap().len(), 1);
        let (_, stale) = Lease::acquire(Arc::new(memory), &folder(), "backup", "b").await.unwrap();
        assert_eq!(stale, None, "nobody died");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_could_not_be_renewed_is_kept_unless_somebody_has_taken_it() {
        for taken in [false, true] {
            let store = MemoryStore::new();
            let (lease, _) = Lease::acquire(Arc::new(store.clone()), &folder(), "backup", "a").await.unwrap();
            lease.beat.renewed().1 = SystemTime::now() - 2 * TIME_TO_LIVE;
            if taken {
                plant(&store, |_| {}).await;
            }
            assert_eq!(lease.check().await.is_ok(), !taken);
            assert!(lease.beat.renewed().age() < TIME_TO_LIVE || taken);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_writes_a_lease_that_was_given_back() {
        // the heartbeat is change 1: under way when the lease is given back; given up, and carried out a moment later
        for (takes, ends) in [(5, 31), (31, 61), (35, 64)] {
            let memory = MemoryStore::new();
            let late = Fault::Late(Duration::from_secs(takes));
            let store: Arc<dyn Store> = Arc::new(FaultStore::new(Arc::new(memory.clone()), late, 1));
            let (lease, _) = Lease::acquire(store, &folder(), "backup", "a").await.unwrap();
            tokio::time::sleep(Duration::from_secs(ends)).await;
            lease.release().await;
            tokio::time::sleep(Duration::from_secs(600)).await;
            assert_eq!(memory.list("").await.unwrap(), [], "{takes} s, ended after {ends} s");
        }
    }

    #[test]
    fn one_wrong_clock_does_not_make_it_stale() {
        let now = Utc::now();
        let hours = TimeDelta::hours(3);
        let holder = |heartbeat| Holder {
            nonce: String::new(),
            host: String::new(),
            pid: 1,
            place: "elsewhere".to_owned(),
            purpose: String::new(),
            job: String::new(),
            begun: heartbeat,
            heartbeat,
            released: false,
        };
        assert!(is_live(&holder(now - hours), now, now));
        assert!(is_live(&holder(now), now - hours, now));
        assert!(!is_live(&holder(now - hours), now - hours, now));
    }
}
