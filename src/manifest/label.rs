//! The name of one backup: `20261121T030000Z-k3f9`, its begin in UTC and four random characters.
//!
//! Labels of different seconds sort by time as text; the random part keeps two backups of the same second apart.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, SubsecRound as _, TimeDelta, Timelike as _, Utc};
use rand::RngExt as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, ErrorKind, Result};

const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";
const TIME_LENGTH: usize = 16;
const SUFFIX_LENGTH: usize = 4;

/// Without letters and digits that people mistake for one another (0 o, 1 l i).
const ALPHABET: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// How far the clock may lie behind the newest backup before that is called an error. Two hosts that back up to one
/// store agree to about this much when their clocks are kept by NTP at all.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The name of one backup within its database's folder. Orders by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    time: DateTime<Utc>,
    suffix: String,
}

/// Makes the label of a backup that begins `now`.
pub fn label(now: DateTime<Utc>, rng: &mut impl rand::Rng) -> Label {
    let suffix = (0..SUFFIX_LENGTH)
        .filter_map(|_| ALPHABET.get(rng.random_range(0..ALPHABET.len())))
        .map(|&byte| char::from(byte))
        .collect();
    Label { time: now.trunc_subsecs(0), suffix }
}

impl Label {
    /// When the backup began, to the second.
    pub fn time(&self) -> DateTime<Utc> {
        self.time
    }
}

/// Refuses to begin a backup when the clock lies before the newest one in the store: its label would sort among the
/// older ones, and retention would judge by a wrong age.
pub fn check_clock(now: DateTime<Utc>, newest: Option<&Label>) -> Result<()> {
    match newest {
        Some(newest) if newest.time() > now + CLOCK_TOLERANCE => {
            Err(Error::new(ErrorKind::Refused, "the clock is behind the newest backup")
                .detail(format!(
                    "clock: {}; newest backup: {newest}, {} s later",
                    now.format("%Y-%m-%d %H:%M:%S UTC"),
                    (newest.time() - now).num_seconds()
                ))
                .hint(
                    "Set the clock of this host or of the host that wrote the newest backup, or pass --accept-clock.",
                ))
        }
        Some(_) | None => Ok(()),
    }
}

/// Text that is not the name of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotALabel;

impl fmt::Display for NotALabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a backup id such as 20261121T030000Z-k3f9")
    }
}

impl std::error::Error for NotALabel {}

impl FromStr for Label {
    type Err = NotALabel;

    fn from_str(text: &str) -> Result<Self, NotALabel> {
        let (time, suffix) = text.split_once('-').ok_or(NotALabel)?;
        let suffix_fits = suffix.len() == SUFFIX_LENGTH && suffix.bytes().all(|byte| ALPHABET.contains(&byte));
        if time.len() != TIME_LENGTH || !suffix_fits {
            return Err(NotALabel);
        }
        let time = NaiveDateTime::parse_from_str(time, TIME_FORMAT).map_err(|_| NotALabel)?.and_utc();
        let label = Self { time, suffix: suffix.to_owned() };
        // chrono accepts second 60, signs and blanks
        let is_canonical = label.time.nanosecond() == 0 && label.to_string() == text;
        if is_canonical { Ok(label) } else { Err(NotALabel) }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time.format(TIME_FORMAT), self.suffix)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Label({self})")
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::SmallRng;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn names_the_second_and_adds_four_characters() {
        let label = label(at("2026-11-21T03:00:00.987Z"), &mut SmallRng::seed_from_u64(1));
        let text = label.to_string();
        assert!(text.starts_with("20261121T030000Z-"), "{text}");
        assert_eq!(text.len(), 21);
        assert_eq!(label.time(), at("2026-11-21T03:00:00Z"));
    }

    #[test]
    fn refuses_what_is_almost_a_label() {
        for text in [
            "",
            "20261121T030000Z",
            "20261121T030000Z-k3f",
            "20261121T030000Z-k3f99",
            "20261121T030000Z-K3F9",
            "20261121T030000Z-k3f0",
            "20261121T030060Z-k3f9",
            "20261321T030000Z-k3f9",
            "20261121t030000z-k3f9",
            " 0261121T030000Z-k3f9",
            "../61121T030000Z-k3f9",
        ] {
            assert_eq!(text.parse::<Label>(), Err(NotALabel), "{text}");
        }
    }

    #[test]
    fn clock_behind_the_newest_backup_is_refused() {
        let newest = "20261121T030000Z-k3f9".parse().unwrap();
        assert!(check_clock(at("2026-11-21T02:56:00Z"), Some(&newest)).is_ok());
        assert!(check_clock(at("2026-11-22T02:56:00Z"), Some(&newest)).is_ok());
        assert!(check_clock(at("2000-01-01T00:00:00Z"), None).is_ok());
        let error = check_clock(at("2026-11-21T02:00:00Z"), Some(&newest)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(
            error.detail_text(),
            Some("clock: 2026-11-21 02:00:00 UTC; newest backup: 20261121T030000Z-k3f9, 3600 s later")
        );
    }

    proptest! {
        #[test]
        fn reads_what_it_prints_and_sorts_by_time(
            (first, second) in (0_i64..253_402_300_799, 0_i64..253_402_300_799),
            seed in any::<u64>(),
        ) {
            let mut rng = SmallRng::seed_from_u64(seed);
            let make = |seconds, rng: &mut SmallRng| label(DateTime::from_timestamp(seconds, 0).unwrap(), rng);
            let (first, second) = (make(first, &mut rng), make(second, &mut rng));
            prop_assert_eq!(first.to_string().parse(), Ok(first.clone()));
            prop_assert_eq!(first.cmp(&second), first.to_string().cmp(&second.to_string()));
        }

        #[test]
        fn never_panics_on_text(text in ".{0,30}") {
            if let Ok(label) = text.parse::<Label>() {
                prop_assert_eq!(label.to_string(), text);
            }
        }
    }
}
