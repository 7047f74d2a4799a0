//! Options that several commands share.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use crate::config::{ByteSize, parse_duration};
use crate::error::Error;
use crate::event::Sink;
use crate::report::{Display, Log};
use crate::retention::{DEFAULT_MIN_GOOD, Policy, Span};
use crate::shelf::Query;
use crate::store::{Addressing, ChecksumMode, Listener, RetryPolicy, Settings};

use super::context::Output;

/// Turns an error of ours into the end of clap's sentence `invalid value 'x' for '--y': ...`.
pub(super) fn plain<T: std::str::FromStr<Err = Error>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: Error| match error.hint_text() {
        Some(hint) => format!("{}. {hint}", error.message()),
        None => error.message().to_owned(),
    })
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "expected a time zone's name such as UTC or Europe/Zurich".to_owned())
}

/// Options of every command.
#[derive(clap::Args)]
#[command(next_help_heading = "General options")]
pub(super) struct General {
    /// Read options from FILE instead of ./pgproof.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<std::path::PathBuf>,

    /// Print the result as text or as one JSON object
    #[arg(long, global = true, value_name = "FORM", default_value = "human")]
    pub(super) output: Output,

    /// Write messages as text or as one JSON object a line
    #[arg(long, global = true, value_name = "FORM", default_value = "human")]
    pub(super) log: LogForm,

    /// Show progress as a bar, as lines, or not at all
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    pub(super) progress: ProgressForm,

    /// Say only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Say more
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,

    /// Print help
    #[arg(short = '?', long, global = true, action = clap::ArgAction::HelpShort)]
    help: Option<bool>,
}

/// [`Log`] on the command line.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum LogForm {
    Human,
    Json,
}

impl From<LogForm> for Log {
    fn from(form: LogForm) -> Self {
        match form {
            LogForm::Human => Self::Human,
            LogForm::Json => Self::Json,
        }
    }
}

/// [`Display`] on the command line.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum ProgressForm {
    Auto,
    Bar,
    Lines,
    None,
}

impl From<ProgressForm> for Display {
    fn from(form: ProgressForm) -> Self {
        match form {
            ProgressForm::Auto => Self::Auto,
            ProgressForm::Bar => Self::Bar,
            ProgressForm::Lines => Self::Lines,
            ProgressForm::None => Self::None,
        }
    }
}

/// Where backups lie.
#[derive(clap::Args, Clone)]
#[command(next_help_heading = "Store options")]
pub(super) struct StoreArgs {
    /// The folder or the bucket that holds the backups: DIR or s3://bucket/prefix [env: PGPROOF_STORE]
    #[arg(long, value_name = "STORE")]
    pub(super) store: Option<String>,

    /// The URL of an S3 server that is not Amazon's [env: PGPROOF_S3_ENDPOINT, AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    s3_endpoint: Option<String>,

    /// The bucket's region [env: AWS_REGION]
    #[arg(long, value_name = "NAME")]
    s3_region: Option<String>,

    /// The profile in the AWS configuration [env: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    s3_profile: Option<String>,

    /// Where the bucket's name stands: auto, path or virtual
    #[arg(long, value_name = "STYLE", default_value = "auto", value_parser = plain::<Addressing>)]
    s3_addressing: Addressing,

    /// The checksum that the server compares: auto, crc32c, sha256, md5 or none
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = plain::<ChecksumMode>)]
    s3_checksum: ChecksumMode,

    /// The size of an upload's parts, such as 16MiB; by default it follows from the database's size
    #[arg(long, value_name = "SIZE")]
    s3_part_size: Option<ByteSize>,

    /// How long a request that fails is tried again; at the beginning a third of it [default: 15m; 90s for list, show and
    /// status]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    s3_retry_for: Option<Duration>,
}

impl StoreArgs {
    /// The same for another server.
    pub(super) fn with_endpoint(&self, endpoint: &str) -> Self {
        Self { s3_endpoint: Some(endpoint.to_owned()), ..self.clone() }
    }

    /// `usual` is how long a request is tried again where nobody has said it.
    pub(super) fn settings(&self, sink: Arc<dyn Sink>, usual: Duration) -> Settings {
        Settings {
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone(),
            profile: self.s3_profile.clone(),
            addressing: self.s3_addressing,
            checksum: self.s3_checksum,
            part_bytes: self.s3_part_size.map(|size| size.0),
            retry: RetryPolicy { total: self.s3_retry_for.unwrap_or(usual), ..RetryPolicy::default() },
            listener: Listener(Some(sink)),
        }
    }
}

/// What to keep.
#[derive(clap::Args, Clone)]
#[command(next_help_heading = "Retention options")]
pub(super) struct RetentionArgs {
    /// Keep the newest N backups
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,

    /// Keep the newest backup of each of the last N hours that have one
    #[arg(long, value_name = "N")]
    keep_hourly: Option<u32>,

    /// Keep the newest backup of each of the last N days that have one
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,

    /// Keep the newest backup of each of the last N weeks that have one
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,

    /// Keep the newest backup of each of the last N months that have one
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,

    /// Keep the newest backup of each of the last N years that have one
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,

    /// Keep what is at most this much older than the newest backup: 30d, 1y6m
    #[arg(long, value_name = "SPAN")]
    keep_within: Option<Span>,

    /// Never go below the newest N good backups
    #[arg(long, value_name = "N", default_value_t = DEFAULT_MIN_GOOD)]
    min_good: u32,

    /// The time zone of hours, days, weeks, months and years
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    time_zone: Tz,
}

impl RetentionArgs {
    /// The policy; it may be empty.
    pub(super) fn policy(&self) -> Policy {
        Policy {
            last: self.keep_last.unwrap_or(0),
            hourly: self.keep_hourly.unwrap_or(0),
            daily: self.keep_daily.unwrap_or(0),
            weekly: self.keep_weekly.unwrap_or(0),
            monthly: self.keep_monthly.unwrap_or(0),
            yearly: self.keep_yearly.unwrap_or(0),
            within: self.keep_within,
            min_good: self.min_good,
            zone: self.time_zone,
        }
    }
}

/// What `latest` may be.
#[derive(clap::Args, Clone, Copy)]
pub(super) struct LatestArgs {
    /// Let latest be a filtered backup although an older whole one is there
    #[arg(long)]
    pub(super) include_filtered: bool,
}

/// A duration on the command line.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// A backup on the command line.
pub(super) fn query(text: &str) -> Result<Query, String> {
    Query::parse(text)
        .ok_or_else(|| "expected latest, an id such as 20261121T030000Z-k3f9, or its beginning".to_owned())
}
