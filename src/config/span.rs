//! Durations as people write and read them: `26h`, `1h30m`, `90s`.

use std::fmt;
use std::time::Duration;

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];

/// Text that is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADuration;

impl fmt::Display for NotADuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a duration such as 26h, 1h30m, 90s or 500ms")
    }
}

impl std::error::Error for NotADuration {}

/// Reads whole numbers with units (`w`, `d`, `h`, `m` for minutes, `s`, `ms`), one behind the other. A number needs its
/// unit; only `0` may stand alone.
pub fn parse_duration(text: &str) -> Result<Duration, NotADuration> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut milliseconds = 0_u64;
    let mut rest = text;
    if rest.is_empty() {
        return Err(NotADuration);
    }
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let (unit, tail) = tail.split_at(tail.bytes().take_while(u8::is_ascii_alphabetic).count());
        let number: u64 = number.parse().map_err(|_| NotADuration)?;
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or(NotADuration)?;
        let part = number.checked_mul(factor).ok_or(NotADuration)?;
        milliseconds = milliseconds.checked_add(part).ok_or(NotADuration)?;
        rest = tail;
    }
    Ok(Duration::from_millis(milliseconds))
}

/// The duration in its two largest units: `1 h 30 min`, `2 d 4 h`, `5.2 s`, `80 ms`.
pub fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else if minutes == 0 {
        format!("{}.{} s", seconds, duration.subsec_millis() / 100)
    } else if hours == 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else if days == 0 {
        format!("{hours} h {} min", minutes % 60)
    } else {
        format!("{days} d {} h", hours % 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_units_one_behind_the_other() {
        for (text, seconds) in
            [("0", 0), ("90s", 90), ("26h", 93_600), ("1h30m", 5_400), ("2d", 172_800), ("1w", 604_800)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
    }

    #[test]
    fn refuses_anything_else() {
        for text in
            ["", "26", "h", "1.5h", "-1h", "1 h", "1H", "1y", "99999999999999999999h", "9999999999999999w", "1hé"]
        {
            assert_eq!(parse_duration(text), Err(NotADuration), "{text}");
        }
    }

    #[test]
    fn shows_two_units() {
        for (milliseconds, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (5_299, "5.2 s"),
            (60_000, "1 min 0 s"),
            (5_400_000, "1 h 30 min"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(show_duration(Duration::from_millis(milliseconds)), text);
        }
    }

    proptest! {
        #[test]
        fn never_panics_on_text(text in ".{0,16}") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn reads_parts_as_their_sum(hours in 0_u64..1_000_000, minutes in 0_u64..1_000_000, seconds in 0_u64..1_000_000) {
            let read = parse_duration(&format!("{hours}h{minutes}m{seconds}s"));
            prop_assert_eq!(read, Ok(Duration::from_secs(hours * 3600 + minutes * 60 + seconds)));
        }
    }
}
