use super::*;
use crate::event::Silent;
use crate::manifest::Manifest;
use crate::shelf::tests::{put, put_backup};
use crate::store::{Key, MemoryStore};

fn now() -> DateTime<Utc> {
    Utc::now() + TimeDelta::minutes(1)
}

fn options(last: u32) -> Options {
    Options { policy: Policy { last, min_good: 0, ..Policy::default() }, database: None, grace: DEFAULT_GRACE }
}

/// `days` ago at the same time of day, as an id.
fn id(days: i64) -> String {
    format!("{}-k3f9", (now() - TimeDelta::days(days)).format("%Y%m%dT%H%M%SZ"))
}

async fn keys(store: &MemoryStore) -> Vec<String> {
    store.list("").await.unwrap().into_iter().map(|object| object.key.to_string()).collect()
}

#[tokio::test]
async fn deletes_what_the_policy_gives_up_and_nothing_else() {
    let store = MemoryStore::new();
    for days in 1..=4 {
        put_backup(&store, &id(days), |_| {}).await;
    }
    put(&store, &format!("shop/{}x/archive.dump", id(4)), "not a backup's folder").await;
    put(&store, "notes.txt", "mine").await;
    let plan = plan(&options(2), &store, now()).await.unwrap();
    let doomed: Vec<String> = plan.doomed().map(|decision| decision.backup.id.to_string()).collect();
    assert_eq!(doomed, [id(4), id(3)]);
    assert_eq!(keys(&store).await.len(), 14, "a plan changes nothing");

    let outcome = run(&options(2), &plan, &store, now(), &Silent).await.unwrap();
    assert_eq!(outcome.deleted, [format!("shop/{}", id(4)), format!("shop/{}", id(3))]);
    assert!(outcome.failed.is_empty() && outcome.spared.is_empty());
    let left = keys(&store).await;
    assert_eq!(left.len(), 8, "{left:?}");
    assert!(left.contains(&"notes.txt".to_owned()));
    assert!(left.iter().all(|key| !key.contains(&format!("{}/", id(3)))), "{left:?}");
}

#[tokio::test]
async fn an_interrupted_deletion_is_finished() {
    let store = MemoryStore::new();
    put_backup(&store, &id(1), |_| {}).await;
    put(&store, &format!("shop/{}/archive.dump", id(9)), "half").await;
    put(&store, &format!("shop/{}/tombstone.json", id(9)), "{}").await;
    let plan = plan(&options(2), &store, now()).await.unwrap();
    assert_eq!(plan.interrupted.len(), 1);
    run(&options(2), &plan, &store, now(), &Silent).await.unwrap();
    assert!(keys(&store).await.iter().all(|key| key.contains(&id(1))));
}

#[tokio::test]
async fn leftovers_go_after_the_grace_period_only() {
    let store = MemoryStore::new();
    put(&store, &format!("shop/{}/archive.dump", id(9)), "half").await;
    let young = plan(&options(2), &store, now()).await.unwrap();
    assert!(young.is_empty());
    assert_eq!(young.untouched.len(), 1);
    let tomorrow = now() + TimeDelta::hours(25);
    let old = plan(&options(2), &store, tomorrow).await.unwrap();
    assert_eq!(old.leftovers.len(), 1);
    // the run that was thought dead writes again
    let outcome = run(&options(2), &old, &store, now(), &Silent).await.unwrap();
    assert_eq!(outcome.spared.len(), 1);
    let outcome = run(&options(2), &old, &store, tomorrow, &Silent).await.unwrap();
    assert_eq!(outcome.deleted.len(), 1);
    assert_eq!(keys(&store).await, Vec::<String>::new());
}

#[tokio::test]
async fn leftovers_of_a_run_that_holds_its_lease_stay() {
    let store = MemoryStore::new();
    put(&store, &format!("shop/{}/archive.dump", id(9)), "half").await;
    let options = Options { grace: Duration::ZERO, ..options(2) };
    let plan = plan(&options, &store, now()).await.unwrap();
    assert_eq!(plan.leftovers.len(), 1);
    put(&store, "shop/lease.json", "{}").await;
    let outcome = run(&options, &plan, &store, now(), &Silent).await.unwrap();
    assert_eq!((outcome.spared.len(), outcome.deleted.len()), (1, 0));
}

#[tokio::test]
async fn a_backup_with_a_broken_manifest_is_never_deleted() {
    let store = MemoryStore::new();
    put_backup(&store, &id(1), |_| {}).await;
    put(&store, &format!("shop/{}/manifest.json", id(9)), "{").await;
    let plan = plan(&options(1), &store, now() + TimeDelta::days(99)).await.unwrap();
    assert!(plan.is_empty());
    assert_eq!(plan.untouched.len(), 1);
}

#[tokio::test]
async fn a_backup_that_changed_since_the_plan_is_spared() {
    let store = MemoryStore::new();
    put_backup(&store, &id(1), |_| {}).await;
    put_backup(&store, &id(2), |_| {}).await;
    let plan = plan(&options(1), &store, now()).await.unwrap();
    put_backup(&store, &id(2), |manifest: &mut Manifest| manifest.filters.push("--table=a".to_owned())).await;
    let outcome = run(&options(1), &plan, &store, now(), &Silent).await.unwrap();
    assert_eq!(outcome.spared.len(), 1);
    assert_eq!(outcome.deleted, Vec::<String>::new());
}

#[tokio::test]
async fn two_prunes_with_different_policies_do_not_delete_everything() {
    let store = MemoryStore::new();
    put_backup(&store, &id(1), |_| {}).await;
    put_backup(&store, &id(2), |_| {}).await;
    let plan = plan(&options(1), &store, now()).await.unwrap();
    // another prune deletes the newer one, which this plan counted on
    let newer: Vec<Key> = store.list(&format!("shop/{}/", id(1))).await.unwrap().into_iter().map(|o| o.key).collect();
    store.delete(&newer).await.unwrap();
    let outcome = run(&options(1), &plan, &store, now(), &Silent).await.unwrap();
    assert_eq!(outcome.spared.len(), 1);
    assert_eq!(keys(&store).await.len(), 3);
}

#[tokio::test]
async fn a_policy_that_keeps_nothing_is_refused() {
    assert!(plan(&options(0), &MemoryStore::new(), now()).await.is_err());
}
