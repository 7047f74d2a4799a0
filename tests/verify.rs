//! Verification of real backups: what is whole passes, and what was changed is found.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pgproof::error::ErrorKind;
use pgproof::event::Silent;
use pgproof::shelf::{self, Backup};
use pgproof::store::{Access, LocalStore, Store};
use pgproof::verify::{FindingKind, Level, Options, Outcome, Target, Verdict, Wishes, run};

use crate::support::bin::db;
use crate::support::pg::{Database, any_server, servers};

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// A little of everything that verification looks at.
pub(crate) fn fill(database: &Database) {
    database.sql(
        "create schema app;
         create type app.mood as enum ('sad', 'fine');
         create table app.person (id integer generated always as identity primary key, name text not null, mood app.mood);
         create table app.note (id bigserial primary key, person integer references app.person, body text check (body <> ''));
         create index note_body on app.note (lower(body));
         alter table app.note enable row level security;
         alter table app.note force row level security;
         create policy own on app.note for select to public using (person > 0);
         create policy write on app.note as restrictive for insert with check (body is not null);
         create view app.happy as select name from app.person where mood = 'fine';
         create function app.touch() returns trigger language plpgsql as 'begin return new; end';
         create trigger touch before update on app.note for each row execute function app.touch();
         grant select on app.person to public;
         insert into app.person (name, mood) select 'p' || i, 'fine' from generate_series(1, 40) i;
         insert into app.note (person, body) select 1 + i % 40, md5(i::text) from generate_series(1, 300) i;
         select lo_from_bytea(0, decode(repeat('00ff', 900), 'hex')), lo_create(0);",
    );
}

/// A store with one backup of a database.
pub(crate) struct Kept {
    pub(crate) folder: tempfile::TempDir,
}

impl Kept {
    pub(crate) fn new(database: &Database, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = database.url();
        let store = folder.path().to_str().expect("a UTF-8 path");
        db(["backup", "--store", store, "-d", &url].iter().chain(arguments)).run().ok();
        Self { folder }
    }

    /// The store, and its only backup.
    pub(crate) fn open(&self) -> (Arc<dyn Store>, Box<Backup>) {
        block_on(async {
            let store = LocalStore::open(self.folder.path(), Access::Write).await.expect("the store opens");
            let mut backups = shelf::read(&store, None).await.expect("the store can be listed");
            assert_eq!(backups.len(), 1, "one backup");
            (Arc::new(store) as Arc<dyn Store>, Box::new(backups.remove(0)))
        })
    }

    /// Every file of the backup.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() { walk(&path, files) } else { files.push(path) }
            }
        }
        let mut files = Vec::new();
        walk(self.folder.path(), &mut files);
        files.sort();
        files
    }

    fn verify(&self, level: Option<Level>) -> pgproof::error::Result<Outcome> {
        let (store, backup) = self.open();
        let target = Target::Backup { store, backup, previous: None };
        let (required_tables, wishes) = (Vec::new(), Wishes::default());
        block_on(run(&Options { target, level, required_tables, wishes, against: None, jobs: 2 }, &Silent))
    }
}

const FORMS: [&[&str]; 6] = [
    &["-F", "custom"],
    &["-F", "custom", "-Z", "none"],
    &["-F", "directory", "-Z", "lz4"],
    &["-F", "directory", "-Z", "gzip"],
    &["-F", "tar"],
    &["-F", "plain"],
];

#[test]
fn a_fresh_backup_of_every_major_in_every_form_verifies() {
    for server in servers() {
        let database = server.database();
        fill(&database);
        for form in FORMS {
            let kept = Kept::new(&database, form);
            let outcome = kept.verify(None).expect("it can be looked at");
            assert_eq!(outcome.verdict(), Verdict::Passed, "PostgreSQL {}, {form:?}: {outcome:#?}", server.major);
            let rows = outcome.level(Level::Rows).expect("rows were looked at");
            assert!(rows.checked.iter().any(|checked| checked.what == "rows" && checked.count == 340), "{rows:?}");
        }
    }
}

#[test]
fn two_thousand_flipped_bytes_are_all_found() {
    let database = any_server().database();
    fill(&database);
    let mut flips = 0;
    for form in FORMS {
        let kept = Kept::new(&database, form);
        for path in kept.files() {
            let whole = fs::read(&path).expect("a file of the backup");
            // spread over the file, both ends included
            let count = whole.len().min(if path.ends_with("manifest.json") { 60 } else { 150 });
            for number in 0..count {
                let place = number * (whole.len() - 1) / count.saturating_sub(1).max(1);
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << (number % 8);
                fs::write(&path, &damaged).expect("the file is writable");
                let found = match kept.verify(None) {
                    Ok(outcome) => outcome.verdict() == Verdict::Damaged,
                    Err(error) => error.kind() == ErrorKind::Archive && path.ends_with("manifest.json"),
                };
                assert!(found, "{form:?}: byte {place} of {}", path.display());
                flips += 1;
            }
            fs::write(&path, &whole).expect("the file is writable");
        }
        assert_eq!(kept.verify(None).expect("it is whole again").verdict(), Verdict::Passed);
    }
    assert!(flips >= 2_000, "{flips} flips");
}

#[test]
fn what_a_live_database_lost_is_named() {
    let database = any_server().database();
    fill(&database);
    let kept = Kept::new(&database, &[]);
    let against = |expected: i32| {
        let (store, url) = (kept.folder.path().to_str().expect("a UTF-8 path"), database.url());
        let run = db(["verify", "--store", store, "--against", &url, "--output", "json"]).run().expect_code(expected);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
        let findings = document["result"]["findings"].as_array().cloned().unwrap_or_default();
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for finding in findings {
            *kinds.entry(finding["kind"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        kinds.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(against(0), []);

    let one = |kind: FindingKind| (kind.name().to_owned(), 1);
    database.sql("drop policy own on app.note;");
    assert_eq!(against(4), [one(FindingKind::PolicyDiffers)]);
    database.sql("alter table app.note disable row level security; drop index app.note_body;");
    assert_eq!(
        against(4),
        [one(FindingKind::IndexDiffers), one(FindingKind::PolicyDiffers), one(FindingKind::RowSecurityDiffers)]
    );
    database.sql("delete from app.note where id = 7; update app.person set name = 'other' where id = 3;");
    let found = against(4);
    assert!(found.contains(&one(FindingKind::RowCount)) && found.contains(&one(FindingKind::RowDigest)), "{found:?}");
}
