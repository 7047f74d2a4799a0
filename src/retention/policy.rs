//! What to keep.

use chrono_tz::Tz;

use super::{Period, Span};
use crate::error::{Error, ErrorKind, Result};

/// How many of the newest good backups no policy deletes, unless the user says otherwise.
pub const DEFAULT_MIN_GOOD: u32 = 3;

/// What to keep: a backup that any rule names stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The newest so many.
    pub last: u32,
    /// The newest of each of the newest so many hours that have a backup.
    pub hourly: u32,
    /// The newest of each of the newest so many days that have a backup.
    pub daily: u32,
    /// The newest of each of the newest so many weeks that have a backup.
    pub weekly: u32,
    /// The newest of each of the newest so many months that have a backup.
    pub monthly: u32,
    /// The newest of each of the newest so many years that have a backup.
    pub yearly: u32,
    /// All that are at most this much older than the newest one. Counted from the newest backup, not from now, so that
    /// backups do not melt away while no new ones are made.
    pub within: Option<Span>,
    /// So many of the newest stay whatever the rules say; the newest one stays even at 0.
    pub min_good: u32,
    /// Whose hours, days, weeks, months and years.
    pub zone: Tz,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            last: 0,
            hourly: 0,
            daily: 0,
            weekly: 0,
            monthly: 0,
            yearly: 0,
            within: None,
            min_good: DEFAULT_MIN_GOOD,
            zone: Tz::UTC,
        }
    }
}

impl Policy {
    /// How many periods of this kind keep a backup.
    pub const fn count(&self, period: Period) -> u32 {
        match period {
            Period::Hour => self.hourly,
            Period::Day => self.daily,
            Period::Week => self.weekly,
            Period::Month => self.monthly,
            Period::Year => self.yearly,
        }
    }

    /// Whether no rule says to keep anything. `min_good` is a floor, not a rule.
    pub fn is_empty(&self) -> bool {
        self.last == 0
            && self.within.is_none_or(Span::is_zero)
            && Period::ALL.iter().all(|&period| self.count(period) == 0)
    }

    /// Refuses a policy that says nothing, which would delete everything down to the floor.
    pub fn check(&self) -> Result<()> {
        if self.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "the retention policy keeps nothing")
                .hint("Say what to keep, for example --keep-daily 7 --keep-weekly 4, or --keep-within 30d."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_without_a_rule_is_refused() {
        let error = Policy::default().check().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(Policy { within: Some(Span::default()), ..Policy::default() }.check().is_err());
        assert!(Policy { last: 1, ..Policy::default() }.check().is_ok());
        for period in Period::ALL {
            let mut policy = Policy::default();
            *match period {
                Period::Hour => &mut policy.hourly,
                Period::Day => &mut policy.daily,
                Period::Week => &mut policy.weekly,
                Period::Month => &mut policy.monthly,
                Period::Year => &mut policy.yearly,
            } = 1;
            assert!(policy.check().is_ok(), "{period:?}");
        }
    }
}
