//! The version of a server.

use std::fmt;

/// A server's version as `server_version_num` gives it: 180006 is 18.6, 130016 is 13.16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

impl Version {
    /// The newest major that this program was tried on.
    pub const NEWEST_MAJOR: u32 = 18;

    /// The oldest major that this program reads.
    pub const OLDEST_MAJOR: u32 = 13;

    /// The major version: 13, 15, 18.
    pub const fn major(self) -> u32 {
        self.0 / 10_000
    }

    /// The minor version: the 6 of 18.6.
    pub const fn minor(self) -> u32 {
        self.0 % 10_000
    }

    /// Reads what a server reports as `server_version`: `18.6 (Debian 18.6-3)`, `19beta1`, `20devel`.
    ///
    /// `None` when the text does not begin with a number. Versions before 10 are read as their first two numbers.
    pub fn from_server_text(text: &str) -> Option<Self> {
        let mut numbers = text.split(|character: char| !character.is_ascii_digit()).map(str::parse::<u32>);
        let major = numbers.next()?.ok().filter(|major| *major < 1_000)?;
        // in `19beta1` the second number counts betas
        let has_minor = text.trim_start_matches(|character: char| character.is_ascii_digit()).starts_with('.');
        let second = if has_minor { numbers.next().and_then(Result::ok).unwrap_or(0) } else { 0 };
        if second > 9_999 {
            return None;
        }
        if major < 10 {
            let third = numbers.next().and_then(Result::ok).unwrap_or(0);
            return Some(Self(major * 10_000 + second.min(99) * 100 + third.min(99)));
        }
        Some(Self(major * 10_000 + second))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.major() < 10 {
            return write!(f, "{}.{}.{}", self.major(), self.0 / 100 % 100, self.0 % 100);
        }
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_report() {
        for (text, number) in [
            ("18.6 (Debian 18.6-3)", 180_006),
            ("13.16", 130_016),
            ("19beta1", 190_000),
            ("20devel", 200_000),
            ("9.6.24", 90_624),
        ] {
            assert_eq!(Version::from_server_text(text), Some(Version(number)), "{text}");
        }
        assert_eq!(Version::from_server_text("devel"), None);
        assert_eq!(Version::from_server_text("4294967295.1"), None);
    }

    #[test]
    fn prints_major_and_minor() {
        assert_eq!(Version(180_006).to_string(), "18.6");
        assert_eq!(Version(90_624).to_string(), "9.6.24");
        assert_eq!(Version(170_011).major(), 17);
    }
}
