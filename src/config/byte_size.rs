//! Sizes in bytes as people write and read them.

use std::fmt;
use std::str::FromStr;

const UNITS: [(&str, u64); 13] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// A number of bytes. Reads `8MiB`, `64 MB`, `1.5GiB`, `4096`; prints with three digits: `1.46 GiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Text that is not a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAByteSize;

impl fmt::Display for NotAByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a number of bytes such as 4096, 64MB or 8MiB")
    }
}

impl std::error::Error for NotAByteSize {}

impl FromStr for ByteSize {
    type Err = NotAByteSize;

    fn from_str(text: &str) -> Result<Self, NotAByteSize> {
        let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim().to_ascii_lowercase();
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor).ok_or(NotAByteSize)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.len() > 6 {
            return Err(NotAByteSize);
        }
        let whole: u64 = whole.parse().map_err(|_| NotAByteSize)?;
        let scale = 10_u64.pow(u32::try_from(fraction.len()).map_err(|_| NotAByteSize)?);
        let fraction: u64 = fraction.parse().map_err(|_| NotAByteSize)?;
        // at most 999,999 times a tebibyte: fits
        let part = u128::from(fraction) * u128::from(factor) / u128::from(scale);
        let part = u64::try_from(part).map_err(|_| NotAByteSize)?;
        whole.checked_mul(factor).and_then(|whole| whole.checked_add(part)).map(Self).ok_or(NotAByteSize)
    }
}

impl fmt::Display for ByteSize {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut names = NAMES.iter();
        let mut name = names.next();
        // 999.5 and more would print with four digits
        while value >= 999.5
            && let Some(next) = names.next()
        {
            value /= 1024.0;
            name = Some(next);
        }
        let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
        f.pad(&format!("{value:.digits$} {}", name.unwrap_or(&"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_decimal_and_binary_units() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("12B", 12),
            ("64MB", 64_000_000),
            ("64 MiB", 64 << 20),
            ("1.5GiB", 3 << 29),
            ("8k", 8192),
            ("0.5 kB", 500),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn refuses_anything_else() {
        for text in [
            "",
            "MiB",
            "-1",
            "1e3",
            "1.",
            ".5",
            "1.2.3",
            "5 bytes",
            "18446744073709551616",
            "99999999TiB",
            "1.1234567k",
        ] {
            assert_eq!(text.parse::<ByteSize>(), Err(NotAByteSize), "{text}");
        }
    }

    #[test]
    fn prints_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (10_239, "10.0 KiB"),
            (1_048_575, "1.00 MiB"),
            (123 << 20, "123 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn what_it_prints_is_about_the_same_size(bytes in any::<u64>()) {
            let shown = ByteSize(bytes).to_string();
            prop_assert!(shown.len() <= 8, "{}", shown);
            if bytes < 1 << 49 {
                let read = shown.parse::<ByteSize>().unwrap().0;
                prop_assert!(read.abs_diff(bytes) <= bytes / 199 + 1, "{} {}", shown, bytes);
            }
        }

        #[test]
        fn never_panics_on_text(text in ".{0,16}") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
