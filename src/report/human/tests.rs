use super::*;
use crate::list;
use crate::manifest::State;
use crate::prune;
use crate::retention::Policy;
use crate::shelf::tests::{put, put_backup};
use crate::shelf::{self, Query};
use crate::store::MemoryStore;

fn now() -> DateTime<Utc> {
    "2026-11-21T05:30:00Z".parse().unwrap()
}

async fn shop() -> MemoryStore {
    let store = MemoryStore::new();
    put_backup(&store, "20261119T030000Z-k3f9", |_| {}).await;
    put_backup(&store, "20261120T030000Z-k3f9", |manifest| manifest.filters.push("--table=a".to_owned())).await;
    put_backup(&store, "20261121T030000Z-k3f9", |_| {}).await;
    put(&store, "shop/20261121T040000Z-k3f9/archive.dump", "x").await;
    store
}

#[tokio::test]
async fn a_list_is_a_table_with_remarks() {
    let store = shop().await;
    let rows = list::run(&list::Options::default(), &store).await.unwrap();
    let text = list(&rows, now(), Paint::off());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| !line.ends_with(' ') && line.len() <= 100), "{text}");
    assert!(lines[0].starts_with("DATABASE  BACKUP                        AGE  ROWS"), "{text}");
    assert!(lines[1].starts_with("shop      20261119T030000Z-k3f9     2 d 2 h     3"), "{text}");
    assert!(lines[3].contains("2 h 30 min     3") && lines[3].ends_with("good"), "{text}");
    assert_eq!(lines[5], "20261120T030000Z-k3f9: does not hold the whole database: --table=a");
    assert_eq!(lines[6], "20261121T040000Z-k3f9: no backup: files without a manifest, which no db backup is writing");
}

#[tokio::test]
async fn a_backup_is_shown_with_its_facts_files_and_tables() {
    let store = shop().await;
    let options = crate::show::Options { query: Query::parse("latest").unwrap() };
    let details = crate::show::run(&options, &store).await.unwrap();
    let text = show(&details, now(), Paint::off());
    for expected in [
        "20261121T030000Z-k3f9 of database shop\n",
        "  place      memory/shop/20261121T030000Z-k3f9\n",
        "  state      good\n",
        "  taken      2026-11-21 03:00:00 UTC (2 h 30 min ago)\n",
        "  archive    custom, zstd:3, read by pg_restore 16 and newer\n",
        "  holds      1 table, 3 rows, 1 constraint, 1 trigger, 1 sequence, 1 large object, 1 policy, 1 index\n",
        "archive.dump  4.00 KiB  ",
        "public.orders     3  20 B  ffffffffffffffffffffffffffffffff\n",
    ] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
}

#[tokio::test]
async fn a_dry_run_says_what_would_go_and_how() {
    let store = shop().await;
    let options = prune::Options {
        policy: Policy { last: 1, min_good: 0, ..Policy::default() },
        database: None,
        grace: prune::DEFAULT_GRACE,
    };
    let plan = prune::plan(&options, &store, now()).await.unwrap();
    assert_eq!(
        prune(&plan, None, Paint::off()),
        "DATABASE  BACKUP                 STATE     ACTION  REASONS\n\
         shop      20261121T030000Z-k3f9  good      keep    newest, last 1/1\n\
         shop      20261120T030000Z-k3f9  filtered  keep    newest, last 1/1\n\
         shop      20261119T030000Z-k3f9  good      delete  no rule keeps it\n\
         shop/20261121T040000Z-k3f9: keep: unfinished; a run may still be writing it\n\
         1 backup to delete; nothing was deleted: add --yes\n"
    );
}

#[tokio::test]
async fn status_is_a_line_for_each_database() {
    let store = shop().await;
    let options =
        crate::status::Options { database: None, max_age: Duration::from_secs(3600), include_filtered: false };
    let statuses = crate::status::run(&options, &store, now()).await.unwrap();
    assert_eq!(
        status(&statuses, options.max_age, now(), Paint::off()),
        "shop: TOO OLD: newest good backup 20261121T030000Z-k3f9 is 2 h 30 min old (at most 1 h 0 min); 2 good, 1 filtered\n"
    );
}

#[tokio::test]
async fn names_cannot_command_the_terminal() {
    let store = MemoryStore::new();
    put_backup(&store, "20261121T030000Z-k3f9", |manifest| {
        manifest.source.database = "a\x1b[2J\nb".to_owned();
        manifest.state = State::Partial;
    })
    .await;
    let rows = list::run(&list::Options::default(), &store).await.unwrap();
    assert!(!list(&rows, now(), Paint::off()).contains('\x1b'));
    let backups = shelf::read(&store, None).await.unwrap();
    assert_eq!(backups[0].name(), "a%1B%5B2J%0Ab/20261121T030000Z-k3f9");
}
