//! Calendar periods: which hour, day, week, month or year of a time zone a moment lies in.

use chrono::{DateTime, Datelike as _, Offset as _, Timelike as _, Utc};
use chrono_tz::Tz;

/// A kind of calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// An hour of the clock on the wall. The hour that is repeated when clocks go back counts as two.
    Hour,
    /// A day.
    Day,
    /// A week of ISO 8601, Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Period {
    /// Every kind, shortest first.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The name of the period of this kind that the moment lies in; equal exactly within one period.
    pub fn name(self, time: DateTime<Utc>, zone: Tz) -> String {
        let local = time.with_timezone(&zone);
        let date = local.date_naive();
        match self {
            Self::Hour => format!("{date} {:02}h{}", local.hour(), local.offset().fix()),
            Self::Day => date.to_string(),
            Self::Week => format!("{}-W{:02}", date.iso_week().year(), date.iso_week().week()),
            Self::Month => format!("{}-{:02}", date.year(), date.month()),
            Self::Year => date.year().to_string(),
        }
    }

    /// What a rule of this kind is called: `daily`.
    pub const fn adjective(self) -> &'static str {
        match self {
            Self::Hour => "hourly",
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Year => "yearly",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(period: Period, time: &str, zone: Tz) -> String {
        period.name(time.parse().unwrap(), zone)
    }

    #[test]
    fn days_are_those_of_the_zone() {
        assert_eq!(name(Period::Day, "2026-11-21T23:30:00Z", Tz::UTC), "2026-11-21");
        assert_eq!(name(Period::Day, "2026-11-21T23:30:00Z", Tz::Asia__Tokyo), "2026-11-22");
        assert_eq!(name(Period::Month, "2026-12-01T02:00:00Z", Tz::America__New_York), "2026-11");
    }

    #[test]
    fn weeks_are_those_of_iso_8601() {
        assert_eq!(name(Period::Week, "2027-01-03T12:00:00Z", Tz::UTC), "2026-W53");
        assert_eq!(name(Period::Week, "2027-01-04T12:00:00Z", Tz::UTC), "2027-W01");
        assert_eq!(name(Period::Year, "2027-01-03T12:00:00Z", Tz::UTC), "2027");
    }

    #[test]
    fn the_repeated_hour_counts_as_two() {
        let zone = Tz::Europe__Zurich;
        assert_eq!(name(Period::Hour, "2026-10-25T00:30:00Z", zone), "2026-10-25 02h+02:00");
        assert_eq!(name(Period::Hour, "2026-10-25T01:30:00Z", zone), "2026-10-25 02h+01:00");
        assert_eq!(name(Period::Hour, "2026-11-21T00:15:00Z", Tz::Asia__Kolkata), "2026-11-21 05h+05:30");
    }
}
