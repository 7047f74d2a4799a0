//! The state of a backup: proved damaged, shrunk, empty, filtered. Every verb goes by the same one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;
use pgproof::manifest;

use crate::fault::SmallDisk;
use crate::support::bin::{Run, db};
use crate::support::fault::{Fault, Proxy, Request};
use crate::support::pg::{Database, any_server};
use crate::support::store::Bucket;

/// A store in a folder, with backups of one database.
struct Shop {
    folder: tempfile::TempDir,
    database: Database,
}

impl Shop {
    fn new(sql: &str) -> Self {
        let database = any_server().database();
        database.sql(sql);
        Self { folder: tempfile::tempdir().unwrap(), database }
    }

    fn store(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn db(&self, arguments: &[&str]) -> Run {
        let (verb, others) = arguments.split_first().unwrap();
        db([*verb, "--store", self.store()].iter().chain(others)).run()
    }

    /// Makes a backup and says its id. No two are begun in one second, so that their names have an order.
    fn backup(&self, arguments: &[&str], code: i32) -> (String, Run) {
        let before = self.ids();
        let url = self.database.url();
        let run = self.db(&[&["backup", "-d", &url], arguments].concat()).expect_code(code);
        let new: Vec<String> = self.ids().into_iter().filter(|id| !before.contains(id)).collect();
        std::thread::sleep(Duration::from_millis(1100));
        (new.into_iter().next().unwrap(), run)
    }

    fn ids(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.folder.path().join(&self.database.name)) else { return Vec::new() };
        let mut ids: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|id| id.len() == 21)
            .collect();
        ids.sort();
        ids
    }

    fn path(&self, id: &str, name: &str) -> PathBuf {
        self.folder.path().join(&self.database.name).join(id).join(name)
    }

    fn latest(&self) -> Option<String> {
        let run = self.db(&["show", "latest", "--output", "json"]);
        let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        value["result"]["manifest"]["id"].as_str().map(str::to_owned)
    }

    fn state(&self, id: &str) -> String {
        let run = self.db(&["list", "--output", "json"]).ok();
        let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let rows = value["result"]["backups"].as_array().unwrap().clone();
        let row = rows.iter().find(|row| row["id"] == id).unwrap();
        let shown = self.db(&["show", id, "--output", "json"]).ok();
        let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(shown["result"]["state"], row["state"], "list and show say the same");
        row["state"].as_str().unwrap().to_owned()
    }
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

const TABLES: &str = "create table t as select g as id, md5(g::text) as note from generate_series(1, 5000) g;
    create table log as select g as id from generate_series(1, 100) g;";

#[test]
fn a_backup_that_verify_proved_damaged_is_not_relied_on_until_a_verify_of_that_depth_passes() {
    let shop = Shop::new(TABLES);
    let (old, _) = shop.backup(&[], 0);
    let (new, _) = shop.backup(&[], 0);
    shop.db(&["verify", &new]).ok();
    assert!(shop.path(&new, "proofs").read_dir().unwrap().count() == 1, "a passed verify is evidence, too");
    assert_eq!(shop.latest().as_deref(), Some(new.as_str()));

    flip(&shop.path(&new, "archive.dump"));
    shop.db(&["verify", "latest"]).expect_code(4);
    assert_eq!(shop.state(&new), "damaged");
    let show = shop.db(&["show", &new]).ok();
    assert!(show.stdout.contains("verify failed") && show.stdout.contains("proofs/"), "{}", show.transcript());
    assert_eq!(shop.latest().as_deref(), Some(old.as_str()), "latest is the healthy one");
    let latest = shop.db(&["show", "latest"]).ok();
    assert!(latest.stderr.contains(&format!("{new} is newer and damaged")), "{}", latest.transcript());
    let status = shop.db(&["status"]).ok();
    assert!(status.stdout.contains("1 good, 1 damaged") && status.stdout.contains(&old), "{}", status.transcript());

    // retention counts on the healthy one alone
    let plan = shop.db(&["prune", "--keep-last", "1", "--min-good", "0", "--yes"]).ok();
    assert!(shop.ids().contains(&old), "{}", plan.transcript());
    let copy = tempfile::tempdir().unwrap();
    let to = copy.path().to_str().unwrap();
    let upload = shop.db(&["upload", "all", "--to", to]).expect_code(5);
    assert!(upload.stdout.contains("passed over: it is damaged"), "{}", upload.transcript());

    // it is whole again: what did not look as deep as the proof of damage does not lift it
    flip(&shop.path(&new, "archive.dump"));
    shop.db(&["verify", &new, "--level", "rows"]).ok();
    assert_eq!(shop.state(&new), "damaged");
    shop.db(&["verify", &new]).ok();
    assert_eq!(shop.state(&new), "good");
    assert_eq!(shop.latest().as_deref(), Some(new.as_str()));
}

#[test]
fn wishes_that_are_not_met_and_a_live_database_that_differs_do_not_damage_a_backup() {
    let shop = Shop::new(TABLES);
    let (id, _) = shop.backup(&[], 0);
    shop.db(&["verify", &id, "--require-table", "public.users"]).expect_code(4);
    assert_eq!(shop.state(&id), "good");
    shop.database.sql("drop table log");
    shop.db(&["verify", &id, "--against", &shop.database.url()]).expect_code(4);
    assert_eq!(shop.state(&id), "good");
}

#[test]
fn a_store_that_cannot_be_written_does_not_fail_a_verify() {
    let bucket = Bucket::new();
    let database = any_server().database();
    database.sql(TABLES);
    let store = bucket.url();
    db(["backup", "--store", &store, "-d", &database.url()]).envs(&bucket.environment(None)).run().ok();
    let proxy = Proxy::http(&bucket.endpoint, |request: &Request| {
        if request.target.contains("/proofs/") && request.method == "PUT" { Fault::Status(403) } else { Fault::Pass }
    });
    let run = db(["verify", "--store", &store]).envs(&bucket.environment(Some(&proxy.url()))).run().ok();
    assert!(run.stderr.contains("warning: the evidence could not be written"), "{}", run.transcript());
    assert!(run.stdout.contains("verified"), "{}", run.transcript());
    let run = db(["verify", "--store", &store]).envs(&bucket.environment(None)).run().ok();
    assert!(!run.stderr.contains("warning"), "{}", run.transcript());
    assert_eq!(bucket.keys().iter().filter(|key| key.contains("/proofs/")).count(), 1);
}

#[test]
fn a_backup_that_shrank_is_suspect_until_it_is_accepted_and_pushes_no_good_one_out() {
    let shop = Shop::new(TABLES);
    let (full, _) = shop.backup(&[], 0);
    shop.database.sql("truncate t");
    let retention = ["--keep-last", "1", "--min-good", "0"];
    let (shrunk, run) = shop.backup(&retention, 5);
    assert!(run.stderr.contains(&format!("public.t is empty, had 5,000 rows in {full}")), "{}", run.transcript());
    assert!(run.stderr.contains("db accept"), "{}", run.transcript());
    assert_eq!(shop.state(&shrunk), "suspect");
    // the comparison is with the last good one, not with the last one
    let (again, _) = shop.backup(&retention, 5);
    assert_eq!(shop.latest().as_deref(), Some(full.as_str()));
    assert!(shop.ids().contains(&full) && !shop.ids().contains(&shrunk), "suspect ones prune each other only");
    // that its source shrank is no damage, and the verify that says so does not make it worse
    shop.db(&["verify", &again]).expect_code(4);
    assert_eq!(shop.state(&again), "suspect");

    shop.db(&["accept", &again]).expect_code(2);
    let accepted = shop.db(&["accept", &again, "--reason", "t was archived"]).ok();
    assert!(accepted.stdout.contains("now good"), "{}", accepted.transcript());
    assert_eq!(shop.state(&again), "good");
    assert_eq!(shop.latest().as_deref(), Some(again.as_str()));
    assert!(shop.db(&["show", &again]).ok().stdout.contains("t was archived"));
    shop.db(&["verify", &again]).ok();
    shop.db(&["accept", &again, "--reason", "again"]).expect_code(6);
    // what was accepted is the new measure
    shop.backup(&[], 0);
}

#[test]
fn shrinking_is_accepted_before_or_does_not_count_for_volatile_tables() {
    let shop = Shop::new(TABLES);
    shop.backup(&[], 0);
    shop.database.sql("drop table log; delete from t where id > 2000");
    let (_, run) = shop.backup(&[], 5);
    for problem in ["public.log is gone, had 100 rows", "public.t has 2,000 rows, had 5,000"] {
        assert!(run.stderr.contains(problem), "{}", run.transcript());
    }
    let (_, run) = shop.backup(&["--volatile", "log"], 5);
    assert!(!run.stderr.contains("public.log"), "{}", run.transcript());
    let (volatile, _) = shop.backup(&["--volatile", "public.l*", "--volatile", "t"], 0);
    assert_eq!(shop.state(&volatile), "good");
    shop.database.sql("truncate t");
    let config = shop.folder.path().join("pgproof.toml");
    fs::write(&config, "[backup]\nvolatile = [\"public.t\"]\n").unwrap();
    let (_, _) = shop.backup(&["--config", config.to_str().unwrap()], 0);
    shop.database.sql("insert into t select g, '' from generate_series(1, 50) g");
    shop.backup(&[], 0);
    shop.database.sql("truncate t");
    let (accepted, _) = shop.backup(&["--accept-shrink"], 0);
    assert_eq!(shop.state(&accepted), "good");
    shop.db(&["verify", &accepted]).ok();
    shop.db(&["backup", "-d", &shop.database.url(), "--volatile", "a.b.c"]).expect_code(2);
}

#[test]
fn a_renamed_table_and_old_partitions_that_go_are_no_loss() {
    let shop = Shop::new(
        "create table event (at int, what text) partition by range (at);
         create table event_1 partition of event for values from (0) to (100);
         create table event_2 partition of event for values from (100) to (200);
         create table event_3 partition of event for values from (200) to (300);
         insert into event select g, 'x' from generate_series(0, 299) g;
         create table a as select g from generate_series(1, 100) g;",
    );
    shop.backup(&[], 0);
    shop.database.sql(
        "drop table event_1; alter table a rename to b;
         create table event_4 partition of event for values from (300) to (400);
         insert into event select g, 'x' from generate_series(300, 380) g",
    );
    shop.backup(&[], 0);
    shop.database.sql("truncate event");
    let (_, run) = shop.backup(&[], 5);
    assert!(run.stderr.contains("public.event is empty, had 281 rows"), "{}", run.transcript());
}

#[test]
fn a_database_without_tables_is_good_unless_it_has_nothing_at_all() {
    for (sql, code) in [
        ("create function f() returns int language sql as 'select 1'", 0),
        ("select lo_from_bytea(0, 'x')", 0),
        ("create type mood as enum ('sad')", 0),
        ("create schema app", 0),
        ("create extension pg_trgm", 0),
        ("select 1", 5),
        ("comment on schema public is 'nothing'; grant usage on schema public to public", 5),
    ] {
        for form in ["custom", "plain"] {
            let shop = Shop::new(sql);
            let (id, run) = shop.backup(&["-F", form], code);
            let (word, latest) = if code == 0 { ("good", Some(id.clone())) } else { ("suspect", None) };
            assert_eq!((shop.state(&id).as_str(), shop.latest()), (word, latest), "{sql}: {}", run.transcript());
        }
    }
    let shop = Shop::new("select 1");
    let (id, _) = shop.backup(&["--allow-empty"], 0);
    assert_eq!(shop.state(&id), "good");
}

#[test]
fn latest_takes_a_filtered_backup_where_there_is_no_other_and_says_so() {
    let shop = Shop::new(TABLES);
    let (filtered, run) = shop.backup(&["-T", "log", "-T", "lgo"], 0);
    assert!(run.stderr.contains("warning: pattern \"lgo\" matches no tables"), "{}", run.transcript());
    assert!(!run.stderr.contains("pattern \"log\""), "{}", run.transcript());
    assert_eq!(shop.latest().as_deref(), Some(filtered.as_str()));
    let show = shop.db(&["show"]).ok();
    assert!(
        show.stderr.contains("is filtered") && show.stderr.contains("--exclude-table=log"),
        "{}",
        show.transcript()
    );
    // an ad-hoc selection is not the database's normal
    shop.db(&["status"]).expect_code(4);
    shop.db(&["status", "--include-filtered"]).ok();
    let (whole, _) = shop.backup(&[], 0);
    let (newer, _) = shop.backup(&["-T", "log"], 0);
    assert_eq!(shop.latest().as_deref(), Some(whole.as_str()));
    for verb in [
        &["show"][..],
        &["verify", "latest"],
        &["restore", "latest", "-f", "-"],
        &["upload", "latest", "--to", "/nowhere"],
    ] {
        let named = |options: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            let to = folder.path().to_str().unwrap();
            let arguments: Vec<&str> =
                verb.iter().chain(options).map(|one| if *one == "/nowhere" { to } else { *one }).collect();
            shop.db(&arguments).ok()
        };
        let run = named(&[]);
        let note = format!("{newer} is newer and filtered");
        assert!(run.stderr.contains(&note) && run.stderr.contains("--include-filtered"), "{}", run.transcript());
        let run = named(&["--include-filtered"]);
        assert!(run.stderr.contains(&format!("{newer} is filtered")), "{}", run.transcript());
    }
}

#[test]
fn a_selection_in_the_configuration_is_the_databases_normal() {
    let shop = Shop::new(TABLES);
    let config = shop.folder.path().join("pgproof.toml");
    fs::write(&config, "[backup]\nexclude-table = [\"log\"]\n").unwrap();
    let config = config.to_str().unwrap();
    let (usual, _) = shop.backup(&["--config", config], 0);
    let status = shop.db(&["status"]).ok();
    assert!(status.stdout.contains("fine") && status.stdout.contains("--exclude-table=log"), "{}", status.transcript());
    assert_eq!(shop.latest().as_deref(), Some(usual.as_str()));
    // what is typed beside it is not in the configuration
    let (other, _) = shop.backup(&["--config", config, "-x"], 0);
    assert_eq!(shop.latest().as_deref(), Some(usual.as_str()));
    assert_eq!((shop.state(&usual), shop.state(&other)), ("filtered".to_owned(), "filtered".to_owned()));
    // it is compared with its like
    shop.database.sql("truncate t");
    shop.backup(&["--config", config], 5);
}

#[test]
fn a_full_disk_is_freed_by_prune_which_needs_no_byte() {
    let Some(disk) = SmallDisk::mount(3000) else {
        println!("NOT TESTED: a full disk needs root, to mount a small one");
        return;
    };
    let database = any_server().database();
    database.sql(TABLES);
    let store = disk.0.path().join("store");
    let store = store.to_str().unwrap();
    for _ in 0..3 {
        db(["backup", "--store", store, "-d", &database.url()]).run().ok();
        std::thread::sleep(Duration::from_millis(1100));
    }
    let mine = disk.0.path().join("store").join(&database.name).join("notes.txt");
    fs::write(&mine, "mine").unwrap();
    // whatever room is left goes
    drop(fs::write(disk.0.path().join("ballast"), vec![1; 4 << 20]));
    assert!(fs::write(disk.0.path().join("more"), vec![1; 8192]).is_err(), "the disk is full");
    let run = db(["prune", "--store", store, "--keep-last", "1", "--min-good", "0", "--yes"]).run().ok();
    assert!(run.stdout.contains("deleted 2 backups"), "{}", run.transcript());
    db(["verify", "--store", store, "--no-proof"]).run().ok();
    assert!(mine.exists());
}

#[test]
fn a_file_of_somebody_else_in_a_backups_folder_stays() {
    let shop = Shop::new(TABLES);
    let (old, _) = shop.backup(&[], 0);
    fs::write(shop.path(&old, "notes.txt"), "mine").unwrap();
    shop.db(&["verify", &old]).ok();
    let (_, run) = shop.backup(&["--keep-last", "1", "--min-good", "0"], 0);
    assert!(run.stderr.contains("notes.txt"), "{}", run.transcript());
    let left: Vec<_> = fs::read_dir(shop.path(&old, ""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, ["notes.txt"]);
    // and makes nothing look like a backup, now or later
    let list = shop.db(&["list"]).ok();
    assert!(!list.stdout.contains(&old), "{}", list.transcript());
    shop.db(&["prune", "--keep-last", "1", "--grace", "0s", "--yes"]).ok();
    assert!(shop.path(&old, "notes.txt").exists());
}

/// What `prune` says of two backups, of which one goes, in this bucket.
fn pruned_in(bucket: &Bucket) -> (Run, serde_json::Value) {
    let database = any_server().database();
    database.sql(TABLES);
    let store = bucket.url();
    let run = |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--store", &store]).collect();
        db(arguments).envs(&bucket.environment(None)).run()
    };
    for _ in 0..2 {
        run(&["backup", "-d", &database.url()]).ok();
        std::thread::sleep(Duration::from_millis(1100));
    }
    let pruned = run(&["prune", "--keep-last", "1", "--min-good", "0", "--yes"]).ok();
    let listed = run(&["list"]).ok();
    assert_eq!(listed.stdout.matches(" good").count(), 1, "{}", listed.transcript());
    std::thread::sleep(Duration::from_millis(1100));
    run(&["backup", "-d", &database.url()]).ok();
    let json = run(&["prune", "--keep-last", "1", "--min-good", "0", "--yes", "--output", "json"]).ok();
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    (pruned, value["result"]["done"].clone())
}

#[test]
fn a_bucket_that_keeps_versions_hides_and_frees_nothing() {
    let bucket = Bucket::new();
    let (run, done) = pruned_in(&bucket);
    assert!(!run.stdout.contains("hidden") && run.stdout.contains(" freed"), "{}", run.transcript());
    assert!(done["bytes"].as_u64().unwrap() > 0 && done["hidden"].as_array().unwrap().is_empty(), "{done}");

    let bucket = Bucket::new();
    bucket.keep_versions();
    let (run, done) = pruned_in(&bucket);
    let words = "hidden, not freed: until somebody deletes the bucket's old versions";
    assert!(run.stdout.contains(words) && run.stdout.contains("0 B freed"), "{}", run.transcript());
    assert_eq!((done["bytes"].as_u64(), done["hidden"].as_array().map(Vec::len)), (Some(0), Some(1)), "{done}");

    let bucket = Bucket::lockable();
    bucket.lock_for_a_day();
    let (run, done) = pruned_in(&bucket);
    assert!(run.stdout.contains("hidden, not freed: locked until 20"), "{}", run.transcript());
    assert!(done["hidden"][0]["until"].is_string(), "{done}");
}

#[test]
fn retention_that_fails_takes_nothing_from_the_backup_before_it() {
    let bucket = Bucket::new();
    let database = any_server().database();
    database.sql(TABLES);
    let store = bucket.url();
    let arguments = ["backup", "--store", &store, "-d", &database.url(), "--keep-last", "1", "--min-good", "0"];
    db(arguments).envs(&bucket.environment(None)).run().ok();
    std::thread::sleep(Duration::from_millis(1100));
    let proxy = Proxy::http(&bucket.endpoint, |request: &Request| {
        let is_backups = request.target.contains("archive.dump") || request.target.contains("manifest.json");
        if request.method == "DELETE" && is_backups { Fault::Status(403) } else { Fault::Pass }
    });
    let run = db(arguments).envs(&bucket.environment(Some(&proxy.url()))).run().expect_code(5);
    assert!(run.stdout.contains(": good") && run.stdout.contains("1 could not be deleted"), "{}", run.transcript());
    assert!(run.stderr.contains("warning: could not delete backup"), "{}", run.transcript());
    let listed = db(["list", "--store", &store]).envs(&bucket.environment(None)).run().ok();
    assert_eq!(listed.stdout.matches(" good").count(), 2, "{}", listed.transcript());
}

#[test]
fn a_clock_in_the_past_is_not_taken_for_missing_backups() {
    let shop = Shop::new(TABLES);
    shop.backup(&[], 0);
    // as far in the future as that clock is in the past
    let (id, far) = (shop.ids().remove(0), TimeDelta::days(20_000));
    let path = shop.path(&id, "manifest.json");
    let mut manifest = manifest::decode("manifest.json", &fs::read(&path).unwrap()).unwrap();
    let later = (manifest.id.time() + far).format("%Y%m%dT%H%M%SZ").to_string();
    let later = format!("{later}{}", &id[16..]);
    manifest.id = later.parse().unwrap();
    manifest.snapshot.time += far;
    manifest.timings.begun += far;
    manifest.timings.finished += far;
    fs::write(&path, manifest::encode(&manifest)).unwrap();
    fs::rename(shop.path(&id, ""), shop.path(&later, "")).unwrap();
    let status = shop.db(&["status"]).expect_code(4);
    assert!(status.stdout.contains("DATED IN THE FUTURE: all 1 good backup"), "{}", status.transcript());
    assert!(status.stdout.contains("this machine's clock says"), "{}", status.transcript());
}

/// The most memory that a call took, in MiB, as the kernel counts it while it runs.
fn peak_of(call: crate::support::bin::Db) -> u64 {
    let mut child = call.spawn();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0);
        peak = peak.max(kib / 1024);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    peak
}

#[test]
fn a_list_of_large_manifests_takes_little_memory() {
    let shop = Shop::new(TABLES);
    let (id, _) = shop.backup(&[], 0);
    let home = shop.path(&id, "");
    let mut manifest = manifest::decode("m", &fs::read(home.join("manifest.json")).unwrap()).unwrap();
    let (table, relation) = (manifest.tables[0].clone(), manifest.expected.relations[0].clone());
    manifest.tables = vec![table; 20_000];
    manifest.expected.relations = vec![relation; 20_000];
    for day in 1..=5 {
        let id: manifest::Label = format!("2026010{day}T000000Z-2222").parse().unwrap();
        manifest.id = id.clone();
        manifest.snapshot.time = id.time();
        let folder = shop.path(&id.to_string(), "");
        fs::create_dir_all(&folder).unwrap();
        let bytes = manifest::encode(&manifest);
        assert!(bytes.len() > 12 << 20, "{} bytes", bytes.len());
        fs::write(folder.join("manifest.json"), bytes).unwrap();
    }
    for verb in [&["list"][..], &["status", "--max-age", "9999d"], &["prune", "--keep-last", "9"]] {
        let arguments = verb.iter().copied().chain(["--store", shop.store()]);
        let peak = peak_of(db(arguments));
        assert!(peak < 120, "{verb:?} took {peak} MiB");
    }
    let list = shop.db(&["list"]).ok();
    assert_eq!(list.stdout.matches(" good").count(), 6, "{}", list.transcript());
}
