//! How to talk to a bucket: what the user may set.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// How a bucket is reached. [`Settings::default`] is right for Amazon S3 and for most servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The server's URL; without one `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or the profile say it, else Amazon's.
    pub endpoint: Option<String>,
    /// The region; without one the SDK's chain says it, else `us-east-1`.
    pub region: Option<String>,
    /// The named profile in the AWS configuration files; without one the SDK's chain says it.
    pub profile: Option<String>,
    /// Whether the bucket's name stands in the path or in the host name.
    pub addressing: Addressing,
    /// The checksum that goes with every part.
    pub checksum: ChecksumMode,
    /// The size of a part in bytes; without one it follows from the expected size.
    pub part_bytes: Option<u64>,
    /// How often and how long a request is repeated.
    pub retry: RetryPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            profile: None,
            addressing: Addressing::Auto,
            checksum: ChecksumMode::Auto,
            part_bytes: None,
            retry: RetryPolicy::default(),
        }
    }
}

/// Where the bucket's name stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// In the path when an endpoint is given, else in the host name.
    Auto,
    /// `https://host/bucket/key`.
    Path,
    /// `https://bucket.host/key`.
    Virtual,
}

/// The checksum that a server is asked to compare with the bytes of each part.
///
/// Ceph 16 and 18 take CRC32C and SHA-256 with the parts and refuse them when the upload is completed; they do check MD5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumMode {
    /// What a small upload at the beginning shows to work: CRC32C, else MD5, else none.
    Auto,
    /// CRC32C, in hardware nearly free.
    Crc32c,
    /// SHA-256.
    Sha256,
    /// The `Content-MD5` header.
    Md5,
    /// Nothing but the size. The whole archive's SHA-256 is in the manifest whatever the mode.
    None,
}

impl FromStr for ChecksumMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "auto" => Self::Auto,
            "crc32c" => Self::Crc32c,
            "sha256" => Self::Sha256,
            "md5" => Self::Md5,
            "none" => Self::None,
            other => {
                return Err(Error::new(ErrorKind::Usage, format!("unknown checksum mode \"{other}\""))
                    .hint("The modes are auto, crc32c, sha256, md5 and none."));
            }
        })
    }
}

impl FromStr for Addressing {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "auto" => Self::Auto,
            "path" => Self::Path,
            "virtual" => Self::Virtual,
            other => {
                return Err(Error::new(ErrorKind::Usage, format!("unknown S3 addressing style \"{other}\""))
                    .hint("The styles are auto, path and virtual."));
            }
        })
    }
}

/// How a request that failed in a way that may pass is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one counted; at least 1.
    pub tries: u32,
    /// The shortest pause between two attempts.
    pub pause_min: Duration,
    /// The longest.
    pub pause_max: Duration,
    /// The time for one request with all its attempts and pauses.
    pub deadline: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 3,
            pause_min: Duration::from_secs(1),
            pause_max: Duration::from_secs(30),
            // one part of 64 MiB at 1 Mbit/s takes 9 minutes
            deadline: Duration::from_secs(600),
        }
    }
}

impl RetryPolicy {
    /// The pause behind attempt number `attempt` (from 1): anything between the shortest and a bound that grows fourfold,
    /// `dice` in 0..1 says where. Full jitter, so that many clients do not come back at the same moment.
    pub fn pause(&self, attempt: u32, dice: f64) -> Duration {
        let factor = 4_u32.saturating_pow(attempt.min(8));
        let bound = self.pause_min.saturating_mul(factor).clamp(self.pause_min, self.pause_max.max(self.pause_min));
        self.pause_min + (bound - self.pause_min).mul_f64(dice.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_stay_between_the_bounds_and_grow() {
        let policy = RetryPolicy::default();
        for attempt in 1..60 {
            assert_eq!(policy.pause(attempt, 0.0), policy.pause_min);
            assert!(policy.pause(attempt, 1.0) <= policy.pause_max);
        }
        assert_eq!(policy.pause(1, 1.0), Duration::from_secs(4));
        assert_eq!(policy.pause(2, 1.0), Duration::from_secs(16));
        assert_eq!(policy.pause(3, 1.0), policy.pause_max);
    }

    #[test]
    fn reads_the_modes_by_name() {
        assert_eq!("md5".parse::<ChecksumMode>().unwrap(), ChecksumMode::Md5);
        assert!("MD5".parse::<ChecksumMode>().is_err());
        assert_eq!("path".parse::<Addressing>().unwrap(), Addressing::Path);
        assert!("".parse::<Addressing>().is_err());
    }
}
