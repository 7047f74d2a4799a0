use super::*;
use chrono::TimeDelta;
use chrono_tz::Tz;
use proptest::prelude::*;

fn backup_at(time: DateTime<Utc>, serial: usize) -> Backup {
    let alphabet: Vec<char> = "23456789abcdefghjkmnpqrstuvwxyz".chars().collect();
    let suffix: String =
        [serial / 29_791, serial / 961, serial / 31, serial].iter().map(|n| alphabet[n % 31]).collect();
    Backup {
        id: format!("{}-{suffix}", time.format("%Y%m%dT%H%M%SZ")).parse().unwrap(),
        database: "shop".to_owned(),
        identity: "7/16384/shop".to_owned(),
        time,
        finished: time + TimeDelta::minutes(1),
        received: Some(time + TimeDelta::minutes(1)),
        completeness: Completeness::Whole,
    }
}

fn backup(time: &str) -> Backup {
    backup_at(format!("{time}:00Z").parse().unwrap(), 0)
}

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn rendered(policy: &Policy, backups: &[Backup]) -> String {
    decide(policy, backups, now())
        .unwrap()
        .iter()
        .map(|decision| {
            let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
            format!("{} {:?}: {}\n", decision.backup.time.format("%m-%d %H:%M"), decision.action, reasons.join(", "))
        })
        .collect()
}

fn floorless() -> Policy {
    Policy { min_good: 0, ..Policy::default() }
}

#[test]
fn keeps_the_newest_of_each_period() {
    let backups: Vec<Backup> = [
        "2026-11-21T03:00",
        "2026-11-21T09:00",
        "2026-11-20T03:00",
        "2026-11-19T03:00",
        "2026-11-15T03:00",
        "2026-11-09T03:00",
        "2026-10-31T03:00",
        "2026-10-01T03:00",
        "2025-12-31T23:00",
    ]
    .map(backup)
    .into();
    let policy = Policy { last: 1, daily: 2, weekly: 2, monthly: 2, yearly: 2, ..floorless() };
    assert_eq!(
        rendered(&policy, &backups),
        "11-21 09:00 Keep: newest, last 1/1, daily 1/2 (2026-11-21), weekly 1/2 (2026-W47), monthly 1/2 (2026-11), yearly 1/2 (2026)\n\
         11-21 03:00 Delete: no rule keeps it\n\
         11-20 03:00 Keep: daily 2/2 (2026-11-20)\n\
         11-19 03:00 Delete: no rule keeps it\n\
         11-15 03:00 Keep: weekly 2/2 (2026-W46)\n\
         11-09 03:00 Delete: no rule keeps it\n\
         10-31 03:00 Keep: monthly 2/2 (2026-10)\n\
         10-01 03:00 Delete: no rule keeps it\n\
         12-31 23:00 Keep: yearly 2/2 (2025)\n"
    );
}

#[test]
fn hours_and_spans() {
    let backups: Vec<Backup> =
        ["2026-11-21T11:40", "2026-11-21T11:10", "2026-11-21T10:50", "2026-11-20T11:40", "2026-11-20T11:39"]
            .map(backup)
            .into();
    assert_eq!(
        rendered(&Policy { hourly: 2, ..floorless() }, &backups),
        "11-21 11:40 Keep: newest, hourly 1/2 (2026-11-21 11h+00:00)\n\
         11-21 11:10 Delete: no rule keeps it\n\
         11-21 10:50 Keep: hourly 2/2 (2026-11-21 10h+00:00)\n\
         11-20 11:40 Delete: no rule keeps it\n\
         11-20 11:39 Delete: no rule keeps it\n"
    );
    assert_eq!(
        rendered(&Policy { within: "1d".parse().ok(), ..floorless() }, &backups),
        "11-21 11:40 Keep: newest, within 1d\n\
         11-21 11:10 Keep: within 1d\n\
         11-21 10:50 Keep: within 1d\n\
         11-20 11:40 Keep: within 1d\n\
         11-20 11:39 Delete: no rule keeps it\n"
    );
}

#[test]
fn days_are_counted_in_the_zone_of_the_policy() {
    let backups: Vec<Backup> = ["2026-11-20T14:00", "2026-11-20T16:00"].map(backup).into();
    let policy = Policy { daily: 2, ..floorless() };
    assert_eq!(
        rendered(&policy, &backups),
        "11-20 16:00 Keep: newest, daily 1/2 (2026-11-20)\n11-20 14:00 Delete: no rule keeps it\n"
    );
    let policy = Policy { zone: Tz::Asia__Tokyo, ..policy };
    assert_eq!(
        rendered(&policy, &backups),
        "11-20 16:00 Keep: newest, daily 1/2 (2026-11-21)\n11-20 14:00 Keep: daily 2/2 (2026-11-20)\n"
    );
}

#[test]
fn the_floor_keeps_what_the_rules_would_not() {
    let backups: Vec<Backup> =
        ["2026-01-04T03:00", "2026-01-03T03:00", "2026-01-02T03:00", "2026-01-01T03:00"].map(backup).into();
    assert_eq!(
        rendered(&Policy { last: 1, ..Policy::default() }, &backups),
        "01-04 03:00 Keep: newest, last 1/1\n\
         01-03 03:00 Keep: one of the newest 3\n\
         01-02 03:00 Keep: one of the newest 3\n\
         01-01 03:00 Delete: no rule keeps it\n"
    );
}

#[test]
fn a_backup_from_the_future_is_kept_and_pushes_nothing_out() {
    let backups: Vec<Backup> = ["2036-11-21T03:00", "2026-11-21T03:00", "2026-11-20T03:00"].map(backup).into();
    assert_eq!(
        rendered(&Policy { last: 1, ..floorless() }, &backups),
        "11-21 03:00 Keep: dated in the future, not counted\n\
         11-21 03:00 Keep: newest, last 1/1\n\
         11-20 03:00 Delete: no rule keeps it\n"
    );
}

#[test]
fn a_backup_that_claims_to_be_younger_than_its_file_pushes_nothing_out() {
    let mut forged = backup("2026-11-21T03:00");
    forged.received = Some("2026-11-01T00:00:00Z".parse().unwrap());
    let mut copied_later = backup("2026-11-20T03:00");
    copied_later.received = Some("2026-11-21T10:00:00Z".parse().unwrap());
    assert_eq!(
        rendered(&Policy { last: 1, ..floorless() }, &[forged, copied_later, backup("2026-11-19T03:00")]),
        "11-21 03:00 Keep: dated later than the store received it, not counted\n\
         11-20 03:00 Keep: newest, last 1/1\n\
         11-19 03:00 Delete: no rule keeps it\n"
    );
}

#[test]
fn databases_and_incomplete_backups_are_judged_apart() {
    let mut other = backup("2026-11-18T03:00");
    other.identity = "7/99999/shop".to_owned();
    let filtered =
        |time| Backup { completeness: Completeness::Filtered(vec!["--schema=a".to_owned()]), ..backup(time) };
    let partial = Backup { completeness: Completeness::Partial, ..backup("2026-11-21T05:00") };
    let backups = [
        backup("2026-11-19T03:00"),
        filtered("2026-11-21T03:00"),
        filtered("2026-11-20T03:00"),
        partial,
        backup("2026-11-17T03:00"),
        other,
    ];
    assert_eq!(
        rendered(&Policy { last: 1, ..floorless() }, &backups),
        "11-21 05:00 Keep: newest, last 1/1\n\
         11-21 03:00 Keep: newest, last 1/1\n\
         11-20 03:00 Delete: no rule keeps it\n\
         11-19 03:00 Keep: newest, last 1/1\n\
         11-17 03:00 Delete: no rule keeps it\n\
         11-18 03:00 Keep: newest, last 1/1\n"
    );
}

#[test]
fn a_policy_that_keeps_nothing_is_refused() {
    assert!(decide(&Policy::default(), &[backup("2026-11-21T03:00")], now()).is_err());
}

#[test]
fn manifests_become_backups_of_the_right_completeness() {
    let manifest = crate::manifest::tests::sample("20261121T030000Z-k3f9");
    let summary = Summary::from(&manifest);
    let completeness = |condition: &Condition| Backup::new(&summary, condition, None).map(|backup| backup.completeness);
    assert_eq!(completeness(&Condition::Good), Some(Completeness::Whole));
    assert_eq!(Backup::new(&summary, &Condition::Good, None).unwrap().identity, "7312345678901234567/16384/shop");
    let filters = vec!["--table=a".to_owned()];
    for is_usual in [false, true] {
        let filtered = Condition::Filtered { filters: filters.clone(), is_usual };
        assert_eq!(completeness(&filtered), Some(Completeness::Filtered(filters.clone())));
    }
    assert_eq!(completeness(&Condition::Partial(2)), Some(Completeness::Partial));
    assert_eq!(completeness(&Condition::Suspect(vec![])), Some(Completeness::Suspect));
    let damaged = Condition::Damaged { proof: "proofs/a.json".to_owned(), reason: "x".to_owned() };
    assert_eq!(completeness(&damaged), Some(Completeness::Damaged));
    for condition in [Condition::Unfinished, Condition::Deleting, Condition::Unreadable("x".to_owned())] {
        assert_eq!(completeness(&condition), None);
    }
}

/// The same rules once more, written the slow way: for each backup, look at all others.
fn model_keeps(policy: &Policy, backups: &[Backup], index: usize, now: DateTime<Utc>) -> bool {
    let one = &backups[index];
    if one.finished > now + CLOCK_TOLERANCE {
        return true;
    }
    let peers: Vec<&Backup> = backups
        .iter()
        .filter(|other| {
            other.identity == one.identity
                && other.completeness == one.completeness
                && other.finished <= now + CLOCK_TOLERANCE
        })
        .collect();
    let newer: Vec<&&Backup> = peers.iter().filter(|other| (other.time, &other.id) > (one.time, &one.id)).collect();
    let by_count = newer.len() < policy.last.max(policy.min_good).max(1) as usize;
    let by_period = Period::ALL.iter().any(|&period| {
        let name = period.name(one.time, policy.zone);
        let newer_names: std::collections::BTreeSet<String> =
            newer.iter().map(|other| period.name(other.time, policy.zone)).collect();
        !newer_names.contains(&name) && newer_names.len() < policy.count(period) as usize
    });
    let by_span = policy.within.is_some_and(|span| {
        let newest = peers.iter().map(|other| other.time).max().unwrap();
        !span.is_zero() && one.time >= span.before(newest)
    });
    by_count || by_period || by_span
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let zones = prop_oneof![Just(Tz::UTC), Just(Tz::Europe__Zurich), Just(Tz::Asia__Kolkata), Just(Tz::Pacific__Apia)];
    let within = proptest::option::of((0..2_u32, 0..40_u32, 0..30_u32));
    ([0..5_u32, 0..5, 0..5, 0..5, 0..5, 0..3, 0..4], within, zones).prop_map(|(counts, within, zone)| {
        let [last, hourly, daily, weekly, monthly, yearly, min_good] = counts;
        let within = within.map(|(months, days, hours)| Span { years: 0, months, days, hours });
        Policy { last, hourly, daily, weekly, monthly, yearly, within, min_good, zone }
    })
}

fn any_backups() -> impl Strategy<Value = Vec<Backup>> {
    // minutes before a moment a little after now, dense near it and sparse over three years
    let minutes = prop_oneof![0..300_i64, 0..20_000_i64, 0..1_600_000_i64];
    proptest::collection::vec((minutes, 0..3_u8), 0..40).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(serial, (minutes, kind))| {
                let mut backup = backup_at(now() + TimeDelta::minutes(60 - minutes), serial);
                match kind {
                    0 => {}
                    1 => backup.identity = "8/5/other".to_owned(),
                    _ => backup.completeness = Completeness::Partial,
                }
                backup
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn decides_as_the_slow_model_does(policy in any_policy(), backups in any_backups()) {
        prop_assume!(!policy.is_empty());
        let decisions = decide(&policy, &backups, now()).unwrap();
        prop_assert_eq!(decisions.len(), backups.len());
        for decision in &decisions {
            let index = backups.iter().position(|backup| *backup == decision.backup).unwrap();
            let expected = if model_keeps(&policy, &backups, index, now()) { Action::Keep } else { Action::Delete };
            prop_assert_eq!(decision.action, expected, "{:?}", decision);
            prop_assert!(!decision.reasons.is_empty());
        }
    }

    #[test]
    fn keeps_the_newest_and_the_floor_and_decides_alike_in_any_order(
        policy in any_policy(), backups in any_backups(), seed in any::<u64>(),
    ) {
        prop_assume!(!policy.is_empty());
        let decisions = decide(&policy, &backups, now()).unwrap();
        let kept = decisions.iter().filter(|decision| decision.action == Action::Keep).count();
        prop_assert!(kept >= backups.len().min(policy.min_good.max(1) as usize));
        if let Some(newest) = backups.iter().max_by_key(|backup| (backup.time, backup.id.clone())) {
            let decision = decisions.iter().find(|decision| decision.backup == *newest).unwrap();
            prop_assert_eq!(decision.action, Action::Keep);
        }
        let mut shuffled = backups;
        let length = shuffled.len().max(1);
        let shift = usize::try_from(seed % 40).unwrap() % length;
        shuffled.rotate_left(shift);
        prop_assert_eq!(decide(&policy, &shuffled, now()).unwrap(), decisions);
    }

    #[test]
    fn deciding_again_after_deleting_keeps_the_rest(policy in any_policy(), backups in any_backups()) {
        prop_assume!(!policy.is_empty());
        let kept = |backups: &[Backup]| -> Vec<Backup> {
            let decisions = decide(&policy, backups, now()).unwrap();
            decisions.into_iter().filter(|one| one.action == Action::Keep).map(|one| one.backup).collect()
        };
        let first = kept(&backups);
        prop_assert_eq!(kept(&first), first);
    }
}
