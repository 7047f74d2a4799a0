//! The decisions and their reasons.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Period, Policy, Span};
use crate::error::Result;
use crate::manifest::{Condition, Label, Summary};

/// How far clocks of honest hosts may lie apart.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(15);

/// How much of its database a backup holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Completeness {
    /// All of it. Only such backups are good ones.
    Whole,
    /// What these options left.
    Filtered(Vec<String>),
    /// Objects of kinds that could not be dumped are missing.
    Partial,
    /// The source looked wrong when it was taken.
    Suspect,
    /// A verify or a drill proved that it does not restore.
    Damaged,
}

impl Completeness {
    /// The state in one word, as [`Condition::word`] says it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Whole => "good",
            Self::Filtered(_) => "filtered",
            Self::Partial => "partial",
            Self::Suspect => "suspect",
            Self::Damaged => "damaged",
        }
    }
}

/// One complete backup as far as retention needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its name.
    pub id: Label,
    /// The name of its database.
    pub database: String,
    /// Which database: [`crate::manifest::Source::identity`].
    pub identity: String,
    /// The moment that it shows, as its manifest says.
    pub time: DateTime<Utc>,
    /// When it was finished, as its manifest says.
    pub finished: DateTime<Utc>,
    /// When the store received its manifest, as the store says.
    pub received: Option<DateTime<Utc>>,
    /// How much of its database it holds.
    pub completeness: Completeness,
}

impl Backup {
    /// The backup behind a manifest that the store received at `received`; `None` for one that is not there as a whole.
    pub fn new(summary: &Summary, condition: &Condition, received: Option<DateTime<Utc>>) -> Option<Self> {
        let completeness = match condition {
            Condition::Good => Completeness::Whole,
            Condition::Filtered { filters, .. } => Completeness::Filtered(filters.clone()),
            Condition::Partial(_) => Completeness::Partial,
            Condition::Suspect(_) => Completeness::Suspect,
            Condition::Damaged { .. } => Completeness::Damaged,
            Condition::Unreadable(_) | Condition::Deleting | Condition::Unfinished | Condition::LeftOver => {
                return None;
            }
        };
        Some(Self {
            id: summary.id.clone(),
            database: summary.source.database.clone(),
            identity: summary.source.identity(),
            time: summary.snapshot.time,
            finished: summary.finished,
            received,
            completeness,
        })
    }
}

/// What becomes of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It stays.
    Keep,
    /// It goes.
    Delete,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is the newest of its series.
    Newest,
    /// `--keep-last`.
    Last {
        /// Its place from the newest, 1 first.
        rank: u32,
        /// How many the rule keeps.
        of: u32,
    },
    /// A rule for calendar periods.
    Period {
        /// The kind of period.
        period: Period,
        /// Which one.
        name: String,
        /// Its place from the newest, 1 first.
        rank: u32,
        /// How many the rule keeps.
        of: u32,
    },
    /// `--keep-within`.
    Within(Span),
    /// `--min-good`.
    Floor(u32),
    /// It says that it comes from the future.
    FutureDated,
    /// It says that it was finished after its store received it.
    ClockDisagrees,
    /// No rule keeps it.
    NoRule,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("newest"),
            Self::Last { rank, of } => write!(f, "last {rank}/{of}"),
            Self::Period { period, name, rank, of } => write!(f, "{} {rank}/{of} ({name})", period.adjective()),
            Self::Within(span) => write!(f, "within {span}"),
            Self::Floor(count) => write!(f, "one of the newest {count}"),
            Self::FutureDated => f.write_str("dated in the future, not counted"),
            Self::ClockDisagrees => f.write_str("dated later than the store received it, not counted"),
            Self::NoRule => f.write_str("no rule keeps it"),
        }
    }
}

/// What becomes of one backup, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Which one.
    pub backup: Backup,
    /// What becomes of it.
    pub action: Action,
    /// At least one.
    pub reasons: Vec<Reason>,
}

/// Decides on all backups, each within its series; the answer is ordered by database, then newest first.
///
/// Fails only when the policy keeps nothing at all. Never deletes the newest of a series, nor one that it cannot date.
pub fn decide(policy: &Policy, backups: &[Backup], now: DateTime<Utc>) -> Result<Vec<Decision>> {
    policy.check()?;
    let mut series: BTreeMap<(&str, &Completeness), Vec<&Backup>> = BTreeMap::new();
    for backup in backups {
        series.entry((&backup.identity, &backup.completeness)).or_default().push(backup);
    }
    let mut decisions: Vec<Decision> = series.into_values().flat_map(|one| decide_series(policy, one, now)).collect();
    decisions.sort_by(|one, other| {
        let place = |decision: &Decision| (decision.backup.database.clone(), decision.backup.identity.clone());
        place(one).cmp(&place(other)).then_with(|| age_order(&one.backup, &other.backup))
    });
    Ok(decisions)
}

/// Newest first; the name decides between two of one moment.
fn age_order(one: &Backup, other: &Backup) -> std::cmp::Ordering {
    (other.time, &other.id).cmp(&(one.time, &one.id))
}

fn undatable(backup: &Backup, now: DateTime<Utc>) -> Option<Reason> {
    if backup.time.max(backup.finished).max(backup.id.time()) > now + CLOCK_TOLERANCE {
        return Some(Reason::FutureDated);
    }
    match backup.received {
        Some(received) if backup.finished > received + CLOCK_TOLERANCE => Some(Reason::ClockDisagrees),
        Some(_) | None => None,
    }
}

fn decide_series(policy: &Policy, mut series: Vec<&Backup>, now: DateTime<Utc>) -> Vec<Decision> {
    series.sort_by(|one, other| age_order(one, other));
    let newest = series.iter().find(|backup| undatable(backup, now).is_none()).map(|backup| backup.time);
    let mut rank = 0_u32;
    let mut periods = Period::ALL.map(|period| (period, 0_u32, String::new()));
    let mut decisions = Vec::with_capacity(series.len());
    for backup in series {
        let mut reasons = Vec::new();
        if let Some(reason) = undatable(backup, now) {
            reasons.push(reason);
        } else {
            rank = rank.saturating_add(1);
            if rank == 1 {
                reasons.push(Reason::Newest);
            }
            if rank <= policy.last {
                reasons.push(Reason::Last { rank, of: policy.last });
            }
            for (period, seen, previous) in &mut periods {
                let name = period.name(backup.time, policy.zone);
                if name != *previous {
                    *seen = seen.saturating_add(1);
                    previous.clone_from(&name);
                    let of = policy.count(*period);
                    if *seen <= of {
                        reasons.push(Reason::Period { period: *period, name, rank: *seen, of });
                    }
                }
            }
            if let (Some(span), Some(newest)) = (policy.within.filter(|span| !span.is_zero()), newest)
                && backup.time >= span.before(newest)
            {
                reasons.push(Reason::Within(span));
            }
            if reasons.is_empty() && rank <= policy.min_good {
                reasons.push(Reason::Floor(policy.min_good));
            }
        }
        let action = if reasons.is_empty() { Action::Delete } else { Action::Keep };
        if reasons.is_empty() {
            reasons.push(Reason::NoRule);
        }
        decisions.push(Decision { backup: backup.clone(), action, reasons });
    }
    decisions
}

#[cfg(test)]
mod tests;
