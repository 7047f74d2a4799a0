//! The text form of [`Compression`]: what `pg_dump -Z` takes (PostgreSQL documentation, `pg_dump`, `--compress`).

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::{Algorithm, CodecError, Compression};

const GZIP_LEVELS: RangeInclusive<i32> = 1..=9;
const LZ4_LEVELS: RangeInclusive<i32> = 1..=12;
/// The least is `ZSTD_minCLevel()`: minus the largest block size.
const ZSTD_LEVELS: RangeInclusive<i32> = -131_072..=22;

fn fail<T>(text: &str, problem: impl fmt::Display) -> Result<T, CodecError> {
    Err(CodecError::Setting(format!("invalid compression \"{text}\": {problem}")))
}

#[derive(Default)]
struct Detail {
    level: Option<i32>,
    workers: Option<u32>,
    long: Option<bool>,
}

impl Detail {
    fn parse(text: &str, detail: &str) -> Result<Self, CodecError> {
        let mut parsed = Self::default();
        if let Ok(level) = detail.parse() {
            parsed.level = Some(level);
            return Ok(parsed);
        }
        for item in detail.split(',') {
            let (name, value) = match item.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (item, None),
            };
            match (name, value) {
                ("", _) => return fail(text, "a setting is missing"),
                ("level", Some(value)) => match value.parse() {
                    Ok(level) => parsed.level = Some(level),
                    Err(_) => return fail(text, format_args!("level \"{value}\" is not a whole number")),
                },
                ("workers", Some(value)) => match value.parse() {
                    Ok(workers) => parsed.workers = Some(workers),
                    Err(_) => return fail(text, format_args!("workers \"{value}\" is not a whole number")),
                },
                ("level" | "workers", None) => return fail(text, format_args!("{name} needs a value")),
                ("long", value) => match value {
                    None | Some("on" | "yes" | "true" | "1") => parsed.long = Some(true),
                    Some("off" | "no" | "false" | "0") => parsed.long = Some(false),
                    Some(other) => return fail(text, format_args!("long \"{other}\" is neither on nor off")),
                },
                (other, _) => return fail(text, format_args!("there is no setting \"{other}\"")),
            }
        }
        Ok(parsed)
    }

    fn level(&self, text: &str, range: RangeInclusive<i32>, default: i32) -> Result<i32, CodecError> {
        match self.level {
            None => Ok(default),
            Some(level) if range.contains(&level) => Ok(level),
            Some(level) => fail(text, format_args!("level {level} is not from {} to {}", range.start(), range.end())),
        }
    }
}

impl FromStr for Compression {
    type Err = CodecError;

    /// `0` to `9`, or `none`, `gzip`, `lz4`, `zstd` with `:LEVEL` or `:level=N,workers=N,long`.
    ///
    /// `workers` changes how fast zstd works, not what it writes; it is taken and has no effect, because tables are
    /// compressed side by side anyway.
    fn from_str(text: &str) -> Result<Self, CodecError> {
        if let Ok(level) = text.parse::<i32>() {
            return match level {
                0 => Ok(Self::None),
                level if GZIP_LEVELS.contains(&level) => Ok(Self::Gzip { level }),
                level => fail(text, format_args!("level {level} is not from 0 to 9")),
            };
        }
        let (name, detail) = match text.split_once(':') {
            Some((name, detail)) => (name, Some(detail)),
            None => (text, None),
        };
        let Some(algorithm) = Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name) else {
            return fail(text, "the methods are none, gzip, lz4 and zstd");
        };
        let detail = match detail {
            Some(detail) => Detail::parse(text, detail)?,
            None => Detail::default(),
        };
        if algorithm != Algorithm::Zstd {
            if detail.workers.is_some() {
                return fail(text, format_args!("{algorithm} takes no workers"));
            }
            if detail.long.is_some() {
                return fail(text, format_args!("{algorithm} has no long-distance mode"));
            }
        }
        match algorithm {
            Algorithm::None => match detail.level {
                None => Ok(Self::None),
                Some(_) => fail(text, "none takes no level"),
            },
            Algorithm::Gzip => Ok(Self::Gzip { level: detail.level(text, GZIP_LEVELS, 6)? }),
            Algorithm::Lz4 => Ok(Self::Lz4 { level: detail.level(text, LZ4_LEVELS, 0)? }),
            Algorithm::Zstd => {
                Ok(Self::Zstd { level: detail.level(text, ZSTD_LEVELS, 3)?, long: detail.long.unwrap_or_default() })
            }
        }
    }
}

impl fmt::Display for Compression {
    /// A text that parses to the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => f.write_str("none"),
            Self::Gzip { level } => write!(f, "gzip:{level}"),
            Self::Lz4 { level: 0 } => f.write_str("lz4"),
            Self::Lz4 { level } => write!(f, "lz4:{level}"),
            Self::Zstd { level, long: false } => write!(f, "zstd:{level}"),
            Self::Zstd { level, long: true } => write!(f, "zstd:level={level},long"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pg_dump_takes() {
        for (text, expected) in [
            ("0", Compression::None),
            ("1", Compression::Gzip { level: 1 }),
            ("9", Compression::Gzip { level: 9 }),
            ("none", Compression::None),
            ("gzip", Compression::Gzip { level: 6 }),
            ("gzip:3", Compression::Gzip { level: 3 }),
            ("gzip:level=3", Compression::Gzip { level: 3 }),
            ("lz4", Compression::Lz4 { level: 0 }),
            ("lz4:12", Compression::Lz4 { level: 12 }),
            ("zstd", Compression::Zstd { level: 3, long: false }),
            ("zstd:-5", Compression::Zstd { level: -5, long: false }),
            ("zstd:19", Compression::Zstd { level: 19, long: false }),
            ("zstd:level=9,long", Compression::Zstd { level: 9, long: true }),
            ("zstd:workers=4,long=off", Compression::Zstd { level: 3, long: false }),
        ] {
            assert_eq!(text.parse::<Compression>(), Ok(expected), "{text}");
            assert_eq!(expected.to_string().parse::<Compression>(), Ok(expected), "{expected}");
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (text, problem) in [
            ("10", "level 10 is not from 0 to 9"),
            ("-1", "level -1 is not from 0 to 9"),
            ("", "the methods are none, gzip, lz4 and zstd"),
            ("bzip2", "the methods are none, gzip, lz4 and zstd"),
            ("ZSTD", "the methods are none, gzip, lz4 and zstd"),
            ("none:1", "none takes no level"),
            ("gzip:0", "level 0 is not from 1 to 9"),
            ("gzip:10", "level 10 is not from 1 to 9"),
            ("gzip:long", "gzip has no long-distance mode"),
            ("gzip:workers=2", "gzip takes no workers"),
            ("lz4:0", "level 0 is not from 1 to 12"),
            ("zstd:23", "level 23 is not from -131072 to 22"),
            ("zstd:", "a setting is missing"),
            ("zstd:level", "level needs a value"),
            ("zstd:level=x", "level \"x\" is not a whole number"),
            ("zstd:workers=-1", "workers \"-1\" is not a whole number"),
            ("zstd:long=maybe", "long \"maybe\" is neither on nor off"),
            ("zstd:fast", "there is no setting \"fast\""),
        ] {
            let message = format!("invalid compression \"{text}\": {problem}");
            assert_eq!(text.parse::<Compression>(), Err(CodecError::Setting(message)), "{text}");
        }
    }
}
