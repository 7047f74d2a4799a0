//! Every verb, and every call to the store that it makes fails once: no verb tells a lie, and nothing that was finished is lost.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use futures_util::TryStreamExt as _;
use pgproof::backup::{self, Destination};
use pgproof::error::Result;
use pgproof::event::Silent;
use pgproof::manifest::Format;
use pgproof::retention::Policy;
use pgproof::server::Spec;
use pgproof::shelf::{self, Backup, Query, Standing};
use pgproof::store::{Fault, FaultStore, Key, MemoryStore, PutMode, Store};
use pgproof::{drill, list, prune, restore, server, show, status, upload, verify};

use crate::support::pg::{self, Database};

const FAULTS: [Fault; 2] = [Fault::Reject, Fault::FailAfterWrite];

/// More calls than any verb makes here.
const CALLS_MAX: u64 = 400;

type Objects = BTreeMap<String, Bytes>;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

fn small_database() -> Database {
    let database = pg::any_server().database();
    database.sql(
        "create table a (id int primary key, body text);
         insert into a select i, repeat(md5(i::text), 3) from generate_series(1, 300) i;
         create table b as select 1 as x; select lo_from_bytea(0, 'abc');",
    );
    database
}

fn options_of(url: &str) -> server::Options {
    let spec = Spec { target: Some(url.to_owned()), ..Spec::default() };
    spec.resolve(&|_| None).expect("a URL")
}

async fn take(url: &str, format: Format, store: Arc<dyn Store>) -> Result<backup::Outcome> {
    let options = backup::Options { format, ..backup::Options::new(options_of(url)) };
    Box::pin(backup::run(&options, Destination::Store(store), &Silent, Utc::now())).await
}

async fn contents(store: &dyn Store) -> Objects {
    let mut objects = Objects::new();
    for object in store.list("").await.unwrap() {
        let chunks: Vec<Bytes> = store.fetch(&object.key, None).await.unwrap().try_collect().await.unwrap();
        objects.insert(object.key.to_string(), chunks.concat().into());
    }
    objects
}

async fn filled(objects: &Objects) -> MemoryStore {
    let store = MemoryStore::new();
    for (key, bytes) in objects {
        let _ = store.put(&Key::new(key.as_str()).unwrap(), bytes.clone(), PutMode::Overwrite).await.unwrap();
    }
    store
}

async fn verified(store: &MemoryStore, backup: Backup) -> bool {
    let options = verify::Options {
        target: verify::Target::Backup { store: Arc::new(store.clone()), backup: Box::new(backup), previous: None },
        level: Some(verify::Level::Rows),
        required_tables: Vec::new(),
        wishes: verify::Wishes::default(),
        against: None,
        jobs: 2,
    };
    verify::run(&options, &Silent).await.unwrap().verdict() == verify::Verdict::Passed
}

/// The ids of what is listed as complete, each proven.
async fn complete(store: &MemoryStore, about: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for backup in shelf::read(store, None).await.unwrap() {
        if matches!(backup.standing, Standing::Complete { .. }) {
            let id = backup.id.to_string();
            assert!(verified(store, backup).await, "{about}: {id} is listed and is not whole");
            ids.push(id);
        }
    }
    ids
}

/// A store with so many backups, oldest first.
async fn with_backups(url: &str, format: Format, count: usize) -> Objects {
    let store = MemoryStore::new();
    for number in 0..count {
        if number > 0 {
            // names are made of seconds
            tokio::time::sleep(Duration::from_millis(1100)).await;
        }
        take(url, format, Arc::new(store.clone())).await.unwrap();
    }
    contents(&store).await
}

/// Runs a verb once for each call that it makes, with that call failing. The verb is given the failing store and the number of the
/// call; it gives back what was done.
async fn every_call<T, F>(objects: &Objects, fault: Fault, verb: impl Fn(MemoryStore, FaultStore, String) -> F) -> u64
where
    F: Future<Output = Result<T>>,
{
    for at in 0..CALLS_MAX {
        let memory = filled(objects).await;
        let store = FaultStore::at_call(Arc::new(memory.clone()), fault, at);
        let result = verb(memory, store.clone(), format!("{fault:?} of call {at}")).await;
        if store.met().is_none() {
            assert!(result.is_ok(), "no call failed: {:?}", result.err());
            return at;
        }
    }
    panic!("a verb makes more than {CALLS_MAX} calls");
}

fn met(store: &FaultStore) -> String {
    store.met().unwrap_or_else(|| "nothing".to_owned())
}

async fn backups(format: Format) {
    let database = small_database();
    let url = database.url();
    let before = with_backups(&url, format, 1).await;
    let old = complete(&filled(&before).await, "before").await;
    for fault in FAULTS {
        let calls = every_call(&before, fault, |memory, store, about| {
            let (url, old) = (url.clone(), old.clone());
            async move {
                let result = take(&url, format, Arc::new(store.clone())).await;
                let about = format!("{format:?}, {about}, {}", met(&store));
                let found = complete(&memory, &about).await;
                assert!(old.iter().all(|id| found.contains(id)), "{about}: an older backup is lost");
                match &result {
                    Ok(outcome) => assert!(found.contains(&outcome.manifest.id.to_string()), "{about}: {found:?}"),
                    Err(error) => {
                        assert_eq!(found, old, "{about}: a backup that failed is listed: {error}");
                        let is_published = about.starts_with(&format!("{format:?}, FailAfterWrite"))
                            && about.contains("put ")
                            && about.ends_with("manifest.json");
                        assert!(!is_published, "{about}: a published backup is said to have failed: {error}");
                    }
                }
                // nothing that the run left keeps the next one away
                let next = take(&url, format, Arc::new(memory.clone())).await;
                let next = next.unwrap_or_else(|error| panic!("{about}: the next backup: {error}"));
                assert!(complete(&memory, &about).await.contains(&next.manifest.id.to_string()), "{about}");
                result
            }
        })
        .await;
        assert!(calls > 20, "{calls} calls");
    }
}

#[test]
fn a_backup_whose_calls_fail_once_each_tells_no_lie() {
    block_on(backups(Format::Custom));
}

#[test]
fn a_directory_backup_whose_calls_fail_once_each_tells_no_lie() {
    block_on(backups(Format::Directory));
}

/// The most memory that this process has had, in KiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn many_small_files_do_not_pile_up_before_a_slow_store() {
    let peak_of = |count: u32| {
        let database = pg::any_server().database();
        database
            .sql(&format!("select count(lo_from_bytea(0, repeat('x', 500)::bytea)) from generate_series(1, {count});"));
        let folder = tempfile::tempdir().unwrap();
        block_on(async {
            let local = pgproof::store::LocalStore::open(folder.path(), pgproof::store::Access::Write).await.unwrap();
            let slow = FaultStore::at_every_change(Arc::new(local), Fault::Slow(Duration::from_millis(3)));
            take(&database.url(), Format::Directory, Arc::new(slow)).await.unwrap();
        });
        peak_memory()
    };
    let few = peak_of(500);
    let many = peak_of(12_000);
    // what the manifest says of each file, some hundred bytes, and no file's bytes
    assert!(many < few + 16 * 1024, "{few} KiB with 500 objects, {many} KiB with 12,000");
}

#[test]
fn looking_at_a_store_whose_calls_fail_once_each_says_the_same_or_fails() {
    let database = small_database();
    block_on(async {
        let objects = with_backups(&database.url(), Format::Custom, 2).await;
        let whole = filled(&objects).await;
        let listed = list::run(&list::Options { database: None }, &whole).await.unwrap();
        let latest = || show::Options { query: Query::parse("latest").unwrap() };
        let shown = show::run(&latest(), &whole).await.unwrap();
        let day = Duration::from_secs(86_400);
        let asked = status::Options { database: None, max_age: day, include_filtered: false };
        let stated = status::run(&asked, &whole, Utc::now()).await.unwrap();
        for fault in FAULTS {
            every_call(&objects, fault, |_, store, about| {
                let listed = &listed;
                async move {
                    let found = list::run(&list::Options { database: None }, &store).await;
                    let ids = |rows: &[list::Row]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
                    let word = |rows: &[list::Row]| rows.iter().map(|row| row.condition.word()).collect::<Vec<_>>();
                    if let Ok(found) = &found {
                        assert_eq!((ids(found), word(found)), (ids(listed), word(listed)), "{about}");
                    }
                    found
                }
            })
            .await;
            every_call(&objects, fault, |_, store, about| {
                let (shown, latest) = (&shown, latest());
                async move {
                    let found = show::run(&latest, &store).await;
                    if let Ok(found) = &found {
                        assert_eq!(found.manifest, shown.manifest, "{about}");
                    }
                    found
                }
            })
            .await;
            every_call(&objects, fault, |_, store, about| {
                let (asked, stated) = (&asked, &stated);
                async move {
                    let found = status::run(asked, &store, Utc::now()).await;
                    if let Ok(found) = &found {
                        assert_eq!(found[0].verdict, stated[0].verdict, "{about}");
                        assert_eq!(found[0].good_count, stated[0].good_count, "{about}");
                    }
                    found
                }
            })
            .await;
        }
    });
}

#[test]
fn a_verification_whose_calls_fail_once_each_never_passes_what_it_has_not_read() {
    let database = small_database();
    block_on(async {
        for format in [Format::Custom, Format::Directory] {
            let objects = with_backups(&database.url(), format, 1).await;
            let mut broken = objects.clone();
            // one byte of the rows is another one
            let name = broken.keys().filter(|key| key.contains("archive") && !key.contains("toc.dat"));
            let name = name.max_by_key(|key| broken[*key].len()).unwrap().clone();
            let mut bytes = broken[&name].to_vec();
            let middle = bytes.len() * 3 / 4;
            bytes[middle] ^= 1;
            broken.insert(name, bytes.into());
            for (objects, is_whole) in [(&objects, true), (&broken, false)] {
                for fault in FAULTS {
                    every_call(objects, fault, |_, store, about| async move {
                        let query = Query::parse("latest").unwrap();
                        let backup = Box::new(shelf::find(&store, &query).await?.backup);
                        let options = verify::Options {
                            target: verify::Target::Backup { store: Arc::new(store.clone()), backup, previous: None },
                            level: Some(verify::Level::Rows),
                            required_tables: Vec::new(),
                            wishes: verify::Wishes::default(),
                            against: None,
                            jobs: 1,
                        };
                        let outcome = verify::run(&options, &Silent).await?;
                        if !is_whole {
                            assert_ne!(outcome.verdict(), verify::Verdict::Passed, "{about}, {}", met(&store));
                        } else if store.met().is_none() {
                            assert_eq!(outcome.verdict(), verify::Verdict::Passed, "{about}");
                        }
                        Ok(())
                    })
                    .await;
                }
            }
        }
    });
}

#[test]
fn a_prune_whose_calls_fail_once_each_loses_nothing_that_is_kept_and_can_be_finished() {
    let database = small_database();
    block_on(async {
        let objects = with_backups(&database.url(), Format::Custom, 3).await;
        let all = complete(&filled(&objects).await, "before").await;
        let newest = all.last().unwrap();
        let policy = Policy { last: 1, min_good: 1, ..Policy::default() };
        let options = prune::Options { policy, database: None, grace: prune::DEFAULT_GRACE };
        let run = async |store: &dyn Store| {
            let plan = prune::plan(&options, store, Utc::now()).await?;
            prune::run(&options, &plan, store, Utc::now(), &Silent).await
        };
        for fault in FAULTS {
            every_call(&objects, fault, |memory, store, about| async move {
                let result = run(&store).await;
                let about = format!("{about}, {}", met(&store));
                let found = complete(&memory, &about).await;
                assert!(found.contains(newest), "{about}: what is kept is lost");
                if let Ok(outcome) = &result {
                    for gone in &outcome.deleted {
                        assert!(!found.iter().any(|id| gone.ends_with(id.as_str())), "{about}: {gone} is still listed");
                    }
                }
                run(&memory).await.unwrap_or_else(|error| panic!("{about}: the next prune: {error}"));
                assert_eq!(complete(&memory, &about).await, std::slice::from_ref(newest), "{about}");
                result
            })
            .await;
        }
    });
}

#[test]
fn an_upload_whose_calls_fail_once_each_on_either_side_lists_only_whole_copies() {
    let database = small_database();
    block_on(async {
        let objects = with_backups(&database.url(), Format::Custom, 1).await;
        let nothing = Objects::new();
        let run = async |from: Arc<dyn Store>, to: Arc<dyn Store>| {
            let which = upload::Which::All(None);
            let options = upload::Options { which, from, to, jobs: NonZeroUsize::MIN };
            let outcome = upload::run(&options, &Silent).await?;
            match outcome.failed.into_iter().next() {
                Some((_, error)) => Err(error),
                None => Ok(outcome.backups.len()),
            }
        };
        for fault in FAULTS {
            for fails_at_source in [true, false] {
                let (failing, other) = if fails_at_source { (&objects, &nothing) } else { (&nothing, &objects) };
                every_call(failing, fault, |memory, store, about| async move {
                    let peer = filled(other).await;
                    let (from, to): (Arc<dyn Store>, Arc<dyn Store>) = match fails_at_source {
                        true => (Arc::new(store.clone()), Arc::new(peer.clone())),
                        false => (Arc::new(peer.clone()), Arc::new(store.clone())),
                    };
                    let result = run(from, to).await;
                    let about = format!("{about}, {}", met(&store));
                    let (source, target) = if fails_at_source { (memory, peer) } else { (peer, memory) };
                    assert_eq!(complete(&source, &about).await.len(), 1, "{about}: the source");
                    let copied = complete(&target, &about).await;
                    assert!(result.is_err() || copied.len() == 1, "{about}: said to be copied");
                    run(Arc::new(source), Arc::new(target.clone())).await.unwrap();
                    assert_eq!(complete(&target, &about).await.len(), 1, "{about}: the next upload");
                    result
                })
                .await;
            }
        }
    });
}

#[test]
fn a_restore_whose_calls_fail_once_each_never_ends_well_with_less() {
    let database = small_database();
    let objects = block_on(with_backups(&database.url(), Format::Custom, 1));
    for fault in FAULTS {
        for at in 0..CALLS_MAX {
            let target = pg::any_server().database();
            let (store, result) = block_on(async {
                let store = FaultStore::at_call(Arc::new(filled(&objects).await), fault, at);
                let work = async {
                    let backup = Box::new(shelf::find(&store, &Query::parse("latest").unwrap()).await?.backup);
                    let source = restore::Source::Backup { store: Arc::new(store.clone()), backup };
                    let options = restore::Options::new(source, options_of(&target.url()));
                    restore::run(options, &Silent).await
                };
                let result = Box::pin(work).await;
                (store, result)
            });
            let about = format!("{fault:?} of call {at}, {}", met(&store));
            if result.as_ref().is_ok_and(|outcome| outcome.failures.is_empty()) {
                let rows = target.sql("select (select count(*) from a) || ' ' || (select count(*) from b);");
                assert_eq!(rows.trim(), "300 1", "{about}");
            }
            if store.met().is_none() {
                assert!(result.is_ok(), "no call failed: {:?}", result.err());
                break;
            }
        }
    }
}

#[test]
fn a_drill_whose_calls_fail_once_each_never_passes_in_error() {
    let database = small_database();
    let server = options_of(&database.server.url("postgres"));
    block_on(async {
        let objects = with_backups(&database.url(), Format::Custom, 1).await;
        every_call(&objects, Fault::Reject, |memory, store, about| {
            let server = server.clone();
            async move {
                let query = Query::parse("latest").unwrap();
                let backup = Box::new(shelf::find(&store, &query).await?.backup);
                let options = drill::Options {
                    store: Arc::new(store.clone()),
                    backup,
                    place: drill::Place::Server(Box::new(server)),
                    jobs: NonZeroUsize::MIN,
                    restored: pgproof::verify::Restoration::default(),
                    allow_older_server: false,
                    keep: false,
                    write_proof: true,
                };
                let result = Box::pin(drill::run(&options, Utc::now(), &Silent)).await;
                let about = format!("{about}, {}", met(&store));
                let proofs = contents(&memory).await.into_keys().filter(|key| key.contains("/proofs/")).count();
                if let Ok(outcome) = &result {
                    assert_eq!(outcome.proof_key.is_some(), proofs > 0, "{about}: evidence");
                    let passed = outcome.proof.verdict == drill::Verdict::Passed;
                    assert!(!passed || proofs == 1, "{about}: passed, and no evidence");
                }
                assert_eq!(complete(&memory, &about).await.len(), 1, "{about}: the backup");
                result.map(drop)
            }
        })
        .await;
    });
}
