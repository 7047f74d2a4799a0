//! How to talk to a bucket: what the user may set.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, Sink};

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
    /// How long a request is repeated.
    pub retry: RetryPolicy,
    /// Who is told of it.
    pub listener: Listener,
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
            listener: Listener::default(),
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

/// How a request that failed in a way that may pass is repeated: not so many times, but so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How long a failing request is repeated at most, from its first failure on (`--s3-retry-for`).
    pub total: Duration,
    /// The shortest pause between two attempts.
    pub pause_min: Duration,
    /// The longest, unless the server asks for a longer one.
    pub pause_max: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(15 * 60),
            pause_min: Duration::from_millis(250),
            pause_max: Duration::from_secs(20),
        }
    }
}

impl RetryPolicy {
    /// How long a failing request is repeated when the store has been in use for `age`: a third of the whole at the beginning,
    /// when nothing is lost by giving up, and more the more work there is to lose.
    pub fn patience(&self, age: Duration) -> Duration {
        (self.total / 3).saturating_add(age).min(self.total)
    }

    /// The pause behind attempt number `attempt` (from 1): anything between the shortest and a bound that grows threefold,
    /// `dice` in 0..1 says where. Full jitter, so that many clients do not come back at the same moment. A server that says
    /// when to come back (`Retry-After`) is not asked before.
    pub fn pause(&self, attempt: u32, dice: f64, asked_for: Option<Duration>) -> Duration {
        let factor = 3_u32.saturating_pow(attempt.min(12));
        let bound = self.pause_min.saturating_mul(factor).clamp(self.pause_min, self.pause_max.max(self.pause_min));
        let pause = self.pause_min + (bound - self.pause_min).mul_f64(dice.clamp(0.0, 1.0));
        pause.max(asked_for.unwrap_or_default())
    }
}

/// Who is told that a request has to be repeated. Two settings that differ in it are the same.
#[derive(Clone, Default)]
pub struct Listener(pub Option<Arc<dyn Sink>>);

impl Listener {
    /// Tells it, where there is one.
    pub fn tell(&self, event: Event) {
        if let Some(sink) = &self.0 {
            sink.event(event);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Listener" } else { "nobody" })
    }
}

impl PartialEq for Listener {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Listener {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_stay_between_the_bounds_and_grow() {
        let policy = RetryPolicy::default();
        for attempt in 1..60 {
            assert_eq!(policy.pause(attempt, 0.0, None), policy.pause_min);
            assert!(policy.pause(attempt, 1.0, None) <= policy.pause_max);
        }
        assert_eq!(policy.pause(1, 1.0, None), Duration::from_millis(750));
        assert_eq!(policy.pause(2, 1.0, None), Duration::from_millis(2250));
        assert_eq!(policy.pause(9, 1.0, None), policy.pause_max);
        assert_eq!(policy.pause(1, 1.0, Some(Duration::from_secs(60))), Duration::from_secs(60));
    }

    #[test]
    fn patience_grows_with_what_there_is_to_lose() {
        let policy = RetryPolicy::default();
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        assert_eq!(policy.patience(minutes(0)), minutes(5));
        assert_eq!(policy.patience(minutes(4)), minutes(9));
        assert_eq!(policy.patience(minutes(600)), policy.total);
    }

    #[test]
    fn reads_the_modes_by_name() {
        assert_eq!("md5".parse::<ChecksumMode>().unwrap(), ChecksumMode::Md5);
        assert!("MD5".parse::<ChecksumMode>().is_err());
        assert_eq!("path".parse::<Addressing>().unwrap(), Addressing::Path);
        assert!("".parse::<Addressing>().is_err());
    }
}
