//! A stretch of calendar time as retention rules name it: `30d`, `1y6m`, `2w12h`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Days, Months, TimeDelta, Utc};

/// Years, months, days and hours. Months and years are calendar ones: a month before 31 March is the end of February.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Calendar years.
    pub years: u32,
    /// Calendar months.
    pub months: u32,
    /// Days of 24 hours.
    pub days: u32,
    /// Hours.
    pub hours: u32,
}

/// Text that is not such a stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotASpan;

impl fmt::Display for NotASpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected years, months, weeks, days or hours such as 30d, 1y6m or 2w12h")
    }
}

impl std::error::Error for NotASpan {}

impl Span {
    /// The time this long before `time`; the beginning of time when that lies before it.
    pub fn before(self, time: DateTime<Utc>) -> DateTime<Utc> {
        let months = self.years.saturating_mul(12).saturating_add(self.months);
        time.checked_sub_months(Months::new(months))
            .and_then(|time| time.checked_sub_days(Days::new(self.days.into())))
            .and_then(|time| time.checked_sub_signed(TimeDelta::hours(self.hours.into())))
            .unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    /// Nothing at all.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, NotASpan> {
        let mut span = Self::default();
        let mut seen = Vec::new();
        let mut rest = text;
        if rest.is_empty() {
            return Err(NotASpan);
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let number: u32 = number.parse().map_err(|_| NotASpan)?;
            let mut tail = tail.chars();
            let unit = tail.next().ok_or(NotASpan)?;
            if seen.contains(&unit) {
                return Err(NotASpan);
            }
            seen.push(unit);
            let (field, factor) = match unit {
                'y' => (&mut span.years, 1),
                'm' => (&mut span.months, 1),
                'w' => (&mut span.days, 7),
                'd' => (&mut span.days, 1),
                'h' => (&mut span.hours, 1),
                _ => return Err(NotASpan),
            };
            *field = number.checked_mul(factor).and_then(|more| field.checked_add(more)).ok_or(NotASpan)?;
            rest = tail.as_str();
        }
        Ok(span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0h");
        }
        [(self.years, 'y'), (self.months, 'm'), (self.days, 'd'), (self.hours, 'h')]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .try_for_each(|(number, unit)| write!(f, "{number}{unit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_parts_in_any_order() {
        assert_eq!("30d".parse(), Ok(Span { days: 30, ..Span::default() }));
        assert_eq!("1y6m2w1d12h".parse(), Ok(Span { years: 1, months: 6, days: 15, hours: 12 }));
        assert_eq!("12h1d".parse(), Ok(Span { days: 1, hours: 12, ..Span::default() }));
        assert_eq!("0d".parse::<Span>().map(Span::is_zero), Ok(true));
    }

    #[test]
    fn refuses_anything_else() {
        for text in ["", "30", "d", "30D", "30 d", "-1d", "1.5d", "3d3d", "30s", "99999999999d", "4294967295w", "30dé"]
        {
            assert_eq!(text.parse::<Span>(), Err(NotASpan), "{text}");
        }
    }

    #[test]
    fn goes_back_by_the_calendar() {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let span = |text: &str| text.parse::<Span>().unwrap();
        assert_eq!(span("1m").before(time("2024-03-31T05:00:00Z")), time("2024-02-29T05:00:00Z"));
        assert_eq!(span("1y").before(time("2024-02-29T05:00:00Z")), time("2023-02-28T05:00:00Z"));
        assert_eq!(span("1d6h").before(time("2026-11-21T05:00:00Z")), time("2026-11-19T23:00:00Z"));
        assert_eq!(span("4000000000y").before(time("2026-11-21T05:00:00Z")), DateTime::<Utc>::MIN_UTC);
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(years in 0..99_u32, months in 0..99_u32, days in 0..999_u32, hours in 0..999_u32) {
            let span = Span { years, months, days, hours };
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }

        #[test]
        fn never_panics_on_text(text in ".{0,12}") {
            let _ = text.parse::<Span>();
        }
    }
}
