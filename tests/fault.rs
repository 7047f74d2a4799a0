//! A crash leaves no lie: whatever stops a backup, what is listed as complete verifies, and the next run sweeps the rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::bin::{Run, db};
use crate::support::fault::{Fault, Proxy};
use crate::support::pg::{self, Database};
use crate::support::skipped;
use crate::support::store::Bucket;

/// A database whose backup takes long enough to be hit in every phase of it.
fn database() -> Database {
    let database = pg::any_server().database();
    database.sql(
        "create table a (id int primary key, body text);
         insert into a select i, repeat(md5(i::text), 20) from generate_series(1, 4000) i;
         create table b (id int primary key, body bytea);
         insert into b select i, decode(repeat(md5(i::text), 600), 'hex') from generate_series(1, 600) i;
         create view v as select count(*) from a; select lo_from_bytea(0, convert_to(repeat('x', 100000), 'UTF8'));",
    );
    database
}

/// Where backups go: a folder or a bucket behind an endpoint.
struct Place<'a> {
    store: String,
    environment: Vec<(&'static str, String)>,
    bucket: Option<&'a Bucket>,
}

impl<'a> Place<'a> {
    fn folder(path: &Path) -> Self {
        Self { store: path.to_str().unwrap().to_owned(), environment: Vec::new(), bucket: None }
    }

    fn bucket(bucket: &'a Bucket, endpoint: Option<&str>) -> Self {
        Self { store: bucket.url(), environment: bucket.environment(endpoint), bucket: Some(bucket) }
    }

    fn call(&self, args: &[&str]) -> Run {
        db(args.iter().chain(&["--store", &self.store])).envs(&self.environment).run()
    }

    fn backup(&self, url: &str) -> Run {
        self.call(&["backup", "-d", url])
    }

    /// One that does not wait for a store which is not going to come back.
    fn impatient_backup(&self, url: &str) -> Run {
        self.call(&["backup", "-d", url, "--s3-retry-for", "2s"])
    }

    fn spawn_backup(&self, url: &str) -> Child {
        db(["backup", "-d", url, "--store", &self.store]).envs(&self.environment).spawn()
    }

    /// The ids of what is listed as complete.
    fn complete(&self) -> Vec<String> {
        let list = self.call(&["list", "--output", "json"]);
        if list.code == Some(12) && list.stderr.contains("does not exist") {
            return Vec::new();
        }
        let list = list.ok();
        let value: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
        let backups = value["result"]["backups"].as_array().unwrap_or_else(|| panic!("{}", list.stdout)).iter();
        let complete = backups.filter(|backup| backup["state"] == "good");
        complete.map(|backup| backup["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The one promise: everything that is listed as complete is proven.
    #[track_caller]
    fn expect_no_lie(&self) -> usize {
        let complete = self.complete();
        for id in &complete {
            self.call(&["verify", id]).ok();
        }
        complete.len()
    }

    /// A run without a fault succeeds, and of all others nothing is left but complete backups.
    #[track_caller]
    fn expect_swept(&self, url: &str) {
        self.backup(url).ok();
        let complete = self.complete();
        assert!(!complete.is_empty(), "a backup that succeeded is listed");
        for key in self.keys() {
            let belongs = complete.iter().any(|id| key.contains(id.as_str()));
            // the store's own notes, such as the lease, are no leftovers
            let own = key.split('/').any(|part| part.starts_with('.') || part.starts_with('_'));
            assert!(belongs || own, "{key} is left over; complete: {complete:?}");
        }
        if let Some(bucket) = self.bucket {
            assert_eq!(bucket.open_uploads(), Vec::<String>::new(), "uploads are left open");
        }
        self.expect_no_lie();
    }

    fn keys(&self) -> Vec<String> {
        match self.bucket {
            Some(bucket) => bucket.keys(),
            None => files_below(Path::new(&self.store)).iter().map(|path| path.display().to_string()).collect(),
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}

fn through(database: &Database, proxy: &Proxy) -> String {
    format!("postgresql://postgres@127.0.0.1:{}/{}?sslmode=disable", proxy.port, database.name)
}

#[test]
fn a_server_process_that_is_ended_in_the_middle_of_copy_ends_the_backup() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    let place = Place::folder(folder.path());
    let proxy = Proxy::tcp(database.server.address(), |_| Fault::Slow(4_000_000));
    let url = through(&database, &proxy);
    let killer = {
        let server = database.server.clone();
        let name = database.name.clone();
        thread::spawn(move || {
            let copying = format!("datname = '{name}' and query ilike '%copy %to stdout%' and state = 'active'");
            let end = format!("select count(pg_terminate_backend(pid)) from pg_stat_activity where {copying};");
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(30) {
                if server.sql("postgres", &end) != "0" {
                    return true;
                }
            }
            false
        })
    };
    let run = place.backup(&url);
    assert!(killer.join().unwrap(), "a COPY was seen and ended:\n{}", run.transcript());
    assert!(matches!(run.code, Some(10 | 11)), "{}", run.transcript());
    assert_eq!(place.expect_no_lie(), 0);
    place.expect_swept(&database.url());
}

#[test]
fn a_connection_that_is_cut_anywhere_ends_the_backup() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    let place = Place::folder(folder.path());
    for bytes in [0, 1, 400, 5_000, 60_000, 300_000, 2_000_000] {
        let proxy = Proxy::tcp(database.server.address(), move |_| Fault::CutAnswer(bytes));
        let run = place.backup(&through(&database, &proxy));
        assert!(matches!(run.code, Some(10)), "cut after {bytes} bytes:\n{}", run.transcript());
        assert_eq!(place.expect_no_lie(), 0);
    }
    place.expect_swept(&database.url());
}

/// A file system of a few megabytes, unmounted when the value is dropped.
pub(crate) struct SmallDisk(pub(crate) tempfile::TempDir);

impl SmallDisk {
    pub(crate) fn mount(kilobytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={kilobytes}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).status());
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let database = database();
    for kilobytes in [16, 400, 3000] {
        let Some(disk) = SmallDisk::mount(kilobytes) else {
            skipped("a full disk needs root, to mount a small one");
            return;
        };
        let place = Place::folder(&disk.0.path().join("store"));
        let run = place.call(&["backup", "-d", &database.url(), "-Z", "none"]);
        assert_eq!(run.code, Some(16), "{}", run.transcript());
        assert!(run.stderr.contains("No space left"), "{}", run.transcript());
        assert_eq!(place.expect_no_lie(), 0);
    }
}

fn signal(child: &Child, name: &str) {
    // The process may have ended by itself a moment ago.
    drop(Command::new("kill").args(["-s", name, &child.id().to_string()]).status());
}

/// How long a backup takes from the first instruction to the last, so that the moments spread over all of it.
fn duration(place: &Place<'_>, url: &str) -> Duration {
    let run = place.backup(url).ok();
    run.took.max(Duration::from_millis(50))
}

fn stop_at_random_moments(place: &Place<'_>, database: &Database, name: &str, count: u32) {
    let url = database.url();
    let whole = duration(place, &url);
    let mut finished = place.complete().len();
    for number in 0..count {
        let mut child = place.spawn_backup(&url);
        // Evenly spread with a random part: each phase is met, at a moment that nobody chose.
        let moment = (f64::from(number) + rand::random::<f64>()) / f64::from(count);
        thread::sleep(whole.mul_f64(moment));
        signal(&child, name);
        let status = child.wait().unwrap();
        let complete = place.complete().len();
        // Success and a new backup go together, except when the signal came after the manifest and before the end.
        assert!(complete == finished + 1 || !status.success(), "{status} but {complete} of {finished} + 1");
        finished = complete;
    }
    // the first backup at least was complete, so that there is something to prove
    assert!(place.expect_no_lie() >= 1);
    place.expect_swept(&url);
}

#[test]
fn terminated_at_25_random_moments_a_folder_holds_no_lie() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    stop_at_random_moments(&Place::folder(folder.path()), &database, "TERM", 25);
}

#[test]
fn killed_at_25_random_moments_a_folder_holds_no_lie() {
    let (database, folder) = (database(), tempfile::tempdir().unwrap());
    stop_at_random_moments(&Place::folder(folder.path()), &database, "KILL", 25);
}

#[test]
fn terminated_at_25_random_moments_a_bucket_holds_no_lie() {
    let (database, bucket) = (database(), Bucket::new());
    stop_at_random_moments(&Place::bucket(&bucket, None), &database, "TERM", 25);
}

#[test]
fn killed_at_25_random_moments_a_bucket_holds_no_lie() {
    let (database, bucket) = (database(), Bucket::new());
    stop_at_random_moments(&Place::bucket(&bucket, None), &database, "KILL", 25);
}

#[test]
fn an_s3_request_that_fails_once_is_tried_again() {
    let (database, bucket) = (database(), Bucket::new());
    let requests = {
        let proxy = Proxy::http(&bucket.endpoint, |_| Fault::Pass);
        Place::bucket(&bucket, Some(&proxy.url())).backup(&database.url()).ok();
        proxy.seen()
    };
    assert!(requests > 5, "a backup takes more than {requests} requests");
    for (index, fault) in
        [Fault::Status(500), Fault::Status(503), Fault::CutAnswer(0), Fault::CutRequest(100)].into_iter().enumerate()
    {
        // each fault meets another quarter of the requests
        let proxy = Proxy::http(&bucket.endpoint, move |r| if r.number % 4 == index { fault } else { Fault::Pass });
        let place = Place::bucket(&bucket, Some(&proxy.url()));
        let run = place.backup(&database.url());
        assert_eq!(run.code, Some(0), "{fault:?} of {requests} requests:\n{}", run.transcript());
    }
    Place::bucket(&bucket, None).expect_swept(&database.url());
}

#[test]
fn a_manifest_that_cannot_be_put_makes_no_backup() {
    let (database, bucket) = (database(), Bucket::new());
    let proxy = Proxy::http(&bucket.endpoint, |request| {
        if request.method == "PUT" && request.target.contains("manifest.json") {
            Fault::Status(500)
        } else {
            Fault::Pass
        }
    });
    let run = Place::bucket(&bucket, Some(&proxy.url())).impatient_backup(&database.url());
    assert_eq!(run.code, Some(12), "{}", run.transcript());
    let direct = Place::bucket(&bucket, None);
    assert_eq!(direct.expect_no_lie(), 0);
    direct.expect_swept(&database.url());
}

#[test]
fn an_s3_server_that_stays_broken_ends_the_backup() {
    let (database, bucket) = (database(), Bucket::new());
    let direct = Place::bucket(&bucket, None);
    for after in [0, 2, 5, 8] {
        let proxy =
            Proxy::http(&bucket.endpoint, move |r| if r.number >= after { Fault::Status(503) } else { Fault::Pass });
        let run = Place::bucket(&bucket, Some(&proxy.url())).impatient_backup(&database.url());
        assert_eq!(run.code, Some(12), "broken after {after} requests:\n{}", run.transcript());
        direct.expect_no_lie();
    }
    direct.expect_swept(&database.url());
}
