//! A store that fails for a while: every verb waits until it is over, on the real S3 server behind a proxy.
//!
//! `PGPROOF_TEST_LONG=1` takes outages of one and two minutes instead of some seconds.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::bin::{Run, db};
use crate::support::fault::{Fault, Proxy, Request};
use crate::support::pg::{self, Database};
use crate::support::store::Bucket;

/// Rows enough for an upload in parts.
fn database() -> Database {
    let database = pg::any_server().database();
    database.sql(
        "create table a (id int primary key, body bytea);
         insert into a select i, decode(repeat(md5(i::text), 1500), 'hex') from generate_series(1, 800) i;
         create table b as select generate_series(1, 1000) as x;",
    );
    database
}

/// The ways in which a store is gone.
#[derive(Clone, Copy, Debug)]
enum Outage {
    /// 503.
    Busy,
    /// The connection is closed in the middle of the request or of its answer.
    Reset,
    /// Nothing is answered until it is over, and then the connection is closed.
    Silent,
}

impl Outage {
    fn fault(self, request: &Request, left: Duration) -> Fault {
        // a request without a body is whole before anything of it could be cut
        let has_body = matches!(request.method.as_str(), "PUT" | "POST");
        match self {
            Self::Busy => Fault::Status(503),
            Self::Reset if has_body && request.number.is_multiple_of(2) => Fault::CutRequest(200),
            Self::Reset => Fault::CutAnswer(50),
            Self::Silent => Fault::Silence(left),
        }
    }
}

/// A proxy before the bucket's server that fails from request `from` on for so long.
fn failing(bucket: &Bucket, from: usize, outage: Outage, length: Duration) -> Proxy {
    let begun: Mutex<Option<Instant>> = Mutex::new(None);
    Proxy::http(&bucket.endpoint, move |request| {
        let mut begun = begun.lock().unwrap();
        if request.number >= from {
            begun.get_or_insert_with(Instant::now);
        }
        match *begun {
            Some(begun) if begun.elapsed() < length => outage.fault(request, length - begun.elapsed()),
            Some(_) | None => Fault::Pass,
        }
    })
}

/// In seconds: these, or the long ones.
fn lengths(short: &[u64]) -> Vec<u64> {
    let long = std::env::var_os("PGPROOF_TEST_LONG").is_some_and(|value| value == "1");
    if long { vec![60, 120] } else { short.to_vec() }
}

/// A verb's own bucket, and the call that is made of it.
struct Case {
    verb: &'static str,
    bucket: Arc<Bucket>,
    args: Vec<String>,
    folder: Option<tempfile::TempDir>,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn call(bucket: &Bucket, endpoint: Option<&str>, args: &[String]) -> Run {
    db(args).envs(&bucket.environment(endpoint)).run()
}

/// Every verb with a bucket that it works on. Those that only look have little patience of their own.
fn cases(source: &Database, targets: &mut Vec<Database>) -> Vec<Case> {
    let backup = |bucket: &Bucket| {
        call(bucket, None, &words(&["backup", "-d", &source.url(), "--store", &bucket.url()])).ok();
    };
    let mut cases = Vec::new();
    for verb in ["backup", "list", "show", "status", "verify", "prune", "restore", "drill", "upload"] {
        let bucket = Arc::new(Bucket::new());
        let mut folder = None;
        backup(&bucket);
        let store = bucket.url();
        let args = match verb {
            "backup" => words(&["backup", "-d", &source.url(), "--store", &store]),
            "list" => words(&["list", "--s3-retry-for", "15m", "--store", &store]),
            "show" => words(&["show", "latest", "--s3-retry-for", "15m", "--store", &store]),
            "status" => words(&["status", "--s3-retry-for", "15m", "--store", &store]),
            "verify" => words(&["verify", "latest", "--store", &store]),
            "prune" => {
                thread::sleep(Duration::from_millis(1100));
                backup(&bucket);
                words(&["prune", "--keep-last", "1", "--min-good", "1", "--yes", "--store", &store])
            }
            "restore" => {
                let target = source.server.database();
                let url = target.url();
                let name = target.name.clone();
                targets.push(target);
                words(&["restore", "latest", "-d", &url, "--confirm", &name, "--store", &store])
            }
            "drill" => words(&["drill", "latest", "--on", &source.server.url("postgres"), "--store", &store]),
            _ => {
                let made = tempfile::tempdir().unwrap();
                let to = made.path().join("copy").display().to_string();
                folder = Some(made);
                words(&["upload", "latest", "--store", &store, "--to", &to])
            }
        };
        cases.push(Case { verb, bucket, args, folder });
    }
    cases
}

fn listed(bucket: &Bucket) -> usize {
    let list = call(bucket, None, &words(&["list", "--output", "json", "--store", &bucket.url()])).ok();
    let value: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let backups = value["result"]["backups"].as_array().unwrap().clone();
    assert!(backups.iter().all(|backup| backup["state"] == "good"), "{}", list.stdout);
    backups.len()
}

fn every_verb(length: u64, outage: Outage) {
    let source = database();
    let mut targets = Vec::new();
    let cases = cases(&source, &mut targets);
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || {
                // at the beginning, and somewhere behind it
                let from = if length.is_multiple_of(2) { 0 } else { rand::random_range(0..4_usize) };
                let proxy = failing(&case.bucket, from, outage, Duration::from_secs(length));
                let run = call(&case.bucket, Some(&proxy.url()), &case.args);
                let about = format!("{outage:?} of {length} s from request {from} on");
                println!("{about}: {} took {:.1} s", case.verb, run.took.as_secs_f64());
                assert!(run.code == Some(0), "{about}:\n{}", run.transcript());
                if let Some(folder) = &case.folder {
                    let copy = folder.path().join("copy").display().to_string();
                    db(["verify", "latest", "--store", &copy]).run().ok();
                }
                let count = if case.verb == "backup" { 2 } else { 1 };
                assert_eq!(listed(&case.bucket), count, "{about}: {}", case.verb);
            });
        }
    });
}

#[test]
fn every_verb_survives_a_store_that_is_busy_for_a_while() {
    for length in lengths(&[1, 20]) {
        every_verb(length, Outage::Busy);
    }
}

#[test]
fn every_verb_survives_a_store_that_cuts_connections_for_a_while() {
    for length in lengths(&[5]) {
        every_verb(length, Outage::Reset);
    }
}

#[test]
fn every_verb_survives_a_store_that_is_silent_for_a_while() {
    for length in lengths(&[5]) {
        every_verb(length, Outage::Silent);
    }
}

/// Backups whose store goes away in each phase: the outage begins at each tenth of the requests.
fn backups(length: u64, outage: Outage) {
    let source = database();
    let bucket = Bucket::new();
    let args = words(&["backup", "-d", &source.url(), "--store", &bucket.url()]);
    let proxy = Proxy::http(&bucket.endpoint, |_| Fault::Pass);
    call(&bucket, Some(&proxy.url()), &args).ok();
    let requests = proxy.seen();
    thread::scope(|scope| {
        for tenth in 0..10 {
            let source = &source;
            scope.spawn(move || {
                let bucket = Bucket::new();
                let args = words(&["backup", "-d", &source.url(), "--store", &bucket.url()]);
                let from = requests * tenth / 10;
                let proxy = failing(&bucket, from, outage, Duration::from_secs(length));
                let run = call(&bucket, Some(&proxy.url()), &args);
                assert!(run.code == Some(0), "{outage:?} of {length} s at {from} of {requests}:\n{}", run.transcript());
                assert_eq!(listed(&bucket), 1);
                call(&bucket, None, &words(&["verify", "latest", "--store", &bucket.url()])).ok();
            });
        }
    });
}

#[test]
fn a_backup_survives_a_busy_store_at_any_moment() {
    lengths(&[20]).into_iter().for_each(|length| backups(length, Outage::Busy));
}

#[test]
fn a_backup_survives_a_store_that_cuts_connections_at_any_moment() {
    lengths(&[1]).into_iter().for_each(|length| backups(length, Outage::Reset));
}

#[test]
fn a_backup_survives_a_silent_store_at_any_moment() {
    lengths(&[5]).into_iter().for_each(|length| backups(length, Outage::Silent));
}

#[test]
fn a_third_of_the_requests_may_fail() {
    let (source, bucket) = (database(), Bucket::new());
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let proxy = Proxy::http(&bucket.endpoint, move |request| {
        // a number of its own for each request, the same again for the same seed
        let mut dice = seed ^ (request.number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        dice = (dice ^ (dice >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        if (dice ^ (dice >> 27)) % 10 < 3 { Fault::Status(503) } else { Fault::Pass }
    });
    for _ in 0..4 {
        let args = words(&["backup", "-d", &source.url(), "--store", &bucket.url()]);
        call(&bucket, Some(&proxy.url()), &args).ok();
        thread::sleep(Duration::from_millis(1100));
    }
    assert_eq!(listed(&bucket), 4, "seed {seed}");
}

#[test]
fn a_reset_while_the_archive_is_read_back_costs_nothing_but_a_request() {
    let (source, bucket) = (database(), Bucket::new());
    let proxy = Proxy::http(&bucket.endpoint, |request| {
        let is_archive = request.method == "GET" && request.target.contains("archive.dump");
        if is_archive && request.number % 2 == 0 { Fault::CutAnswer(200_000) } else { Fault::Pass }
    });
    let args = words(&["backup", "-d", &source.url(), "--store", &bucket.url()]);
    call(&bucket, Some(&proxy.url()), &args).ok();
    assert_eq!(listed(&bucket), 1);
}

#[test]
fn a_backup_needs_no_right_to_delete() {
    let (source, bucket) = (database(), Bucket::new());
    bucket.forbid_deletions();
    let url = bucket.url();
    for number in 1..=3 {
        // the lease of the run before is no obstacle
        let run = call(&bucket, None, &words(&["backup", "-d", &source.url(), "--store", &url])).ok();
        assert!(!run.stderr.contains("warning"), "{}", run.transcript());
        assert_eq!(listed(&bucket), number);
        thread::sleep(Duration::from_millis(1100));
    }
    let own: Vec<String> = bucket.keys().into_iter().filter(|key| key.contains(".pgproof-")).collect();
    assert!(own.len() <= 2, "probes pile up: {own:?}");
    // a run that failed leaves files, which are told and are no reason to fail
    let proxy = Proxy::http(&bucket.endpoint, |request| {
        if request.target.contains("SHA256SUMS") { Fault::Status(403) } else { Fault::Pass }
    });
    call(&bucket, Some(&proxy.url()), &words(&["backup", "-d", &source.url(), "--store", &url])).expect_code(12);
    let run = call(&bucket, None, &words(&["backup", "-d", &source.url(), "--store", &url])).ok();
    assert!(run.stderr.contains("an earlier run's leftovers stay"), "{}", run.transcript());
    bucket.allow_deletions();
}

#[test]
fn an_answer_to_the_manifest_that_is_lost_deletes_no_backup() {
    let (source, bucket) = (database(), Bucket::new());
    // carried out, never answered, and asked again for too short a time
    let proxy = Proxy::http(&bucket.endpoint, |request| {
        let is_manifest = request.target.contains("manifest.json");
        if is_manifest && request.method == "PUT" { Fault::LoseAnswer } else { Fault::Pass }
    });
    let args = words(&["backup", "-d", &source.url(), "--s3-retry-for", "1s", "--store", &bucket.url()]);
    call(&bucket, Some(&proxy.url()), &args).ok();
    assert_eq!(listed(&bucket), 1);
    call(&bucket, None, &words(&["verify", "latest", "--store", &bucket.url()])).ok();
}

#[test]
fn a_store_that_stays_away_is_given_up_when_it_was_said() {
    let bucket = Bucket::new();
    let proxy = Proxy::http(&bucket.endpoint, |_| Fault::Status(503));
    let args = words(&["list", "--s3-retry-for", "6s", "--store", &bucket.url()]);
    let run = call(&bucket, Some(&proxy.url()), &args).expect_code(12);
    assert!(run.took > Duration::from_secs(2) && run.took < Duration::from_secs(6), "{:?}", run.took);
    assert!(run.stderr.contains("it was asked again for 2 s"), "{}", run.transcript());
}

#[test]
fn a_look_at_a_store_that_stays_away_is_given_up_in_half_a_minute() {
    let bucket = Bucket::new();
    let silent = Proxy::http(&bucket.endpoint, |_| Fault::Silence(Duration::from_secs(600)));
    let busy = Proxy::http(&bucket.endpoint, |_| Fault::Status(503));
    let store = bucket.url();
    thread::scope(|scope| {
        for endpoint in [silent.url(), busy.url(), "http://127.0.0.1:9".to_owned()] {
            for args in [&["list"][..], &["show", "latest"], &["status"]] {
                let (bucket, store, endpoint) = (&bucket, &store, endpoint.clone());
                scope.spawn(move || {
                    let run = call(bucket, Some(&endpoint), &words(&[args, &["--store", store]].concat()));
                    let run = run.expect_code(12);
                    println!("{args:?} at {endpoint}: {:.1} s", run.took.as_secs_f64());
                    assert!(run.took < Duration::from_secs(40), "{:?}:\n{}", run.took, run.transcript());
                    assert!(run.took > Duration::from_secs(25), "{:?}:\n{}", run.took, run.transcript());
                });
            }
        }
    });
}
