//! What a failed request means: try again, or tell the user which thing to mend.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use chrono::{DateTime, Utc};

use super::dial::Refused;
use crate::error::{Error, ErrorKind};

/// One failed attempt.
pub(super) struct Failure {
    /// What to say when it is not tried again.
    pub(super) error: Error,
    /// The answer's status, when there was one.
    pub(super) status: Option<u16>,
    /// S3's own name of the error, when it gave one.
    pub(super) code: Option<String>,
    /// Whether the same request may pass later.
    pub(super) again: bool,
    /// How long the server asks to be left alone (`Retry-After`).
    pub(super) after: Option<Duration>,
}

impl Failure {
    /// A failure that a repeated request cannot change.
    pub(super) fn fatal(error: Error) -> Self {
        Self { error, status: None, code: None, again: false, after: None }
    }

    /// No bucket was missing, no right was missing: just this object or upload is not there.
    pub(super) fn is_missing(&self) -> bool {
        self.status == Some(404) && self.error.kind() != ErrorKind::NoBucket
    }

    /// The condition of a create-only put did not hold.
    pub(super) fn is_taken(&self) -> bool {
        self.status == Some(412)
    }

    /// The server does not know the request, or not in this form.
    pub(super) fn is_unsupported(&self) -> bool {
        matches!(self.status, Some(400 | 405 | 411 | 501)) && self.error.kind() == ErrorKind::Store
    }
}

/// The messages of an error and of its causes in one line.
pub(super) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        next = cause.source();
    }
    text
}

/// Judges an SDK error; `doing` is the message, such as `could not list s3://bucket`.
pub(super) fn judge<E>(doing: &str, error: SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let request_id = error
        .raw_response()
        .and_then(|response| response.headers().get("x-amz-request-id"))
        .map(|id| format!(", request {id}"))
        .unwrap_or_default();
    let after = error
        .raw_response()
        .and_then(|response| response.headers().get("retry-after"))
        .and_then(|text| retry_after(text, Utc::now()));
    let code = error.code().map(str::to_owned);
    match (status, &code) {
        (Some(status), code) => {
            let name = code.as_deref().unwrap_or("no error code");
            let words = error.message().unwrap_or_default();
            let detail = format!("HTTP {status} {name} {words}").trim_end().to_owned() + &request_id;
            let (kind, hint, again) = answer(status, code.as_deref().unwrap_or_default());
            let mut fault = Error::new(kind, doing).detail(detail);
            if let Some(hint) = hint {
                fault = fault.hint(hint);
            }
            Failure { error: fault, status: Some(status), code: code.clone(), again, after }
        }
        (None, _) => silence(doing, &error),
    }
}

/// The header's two forms, RFC 9110: seconds, or a moment.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    match text.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => (DateTime::parse_from_rfc2822(text.trim()).ok()?.to_utc() - now).to_std().ok(),
    }
}

/// What an answer with this status and code means: kind, hint, whether to try again.
fn answer(status: u16, code: &str) -> (ErrorKind, Option<&'static str>, bool) {
    match code {
        "NoSuchBucket" => (
            ErrorKind::NoBucket,
            Some("Check the bucket's name and the endpoint; buckets are never made by this program."),
            false,
        ),
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken" | "TokenRefreshRequired" => {
            (ErrorKind::Store, Some("Check the access key, the secret key and the session token."), false)
        }
        "RequestTimeTooSkewed" => (ErrorKind::Store, Some("Set this machine's clock."), false),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            (ErrorKind::Store, Some("Name the bucket's region with --s3-region or AWS_REGION."), false)
        }
        "QuotaExceeded" | "XMinioStorageFull" | "InsufficientCapacity" => {
            (ErrorKind::Store, Some("The store is full; make room or raise its quota."), false)
        }
        // two create-only puts at the same moment; Amazon asks to repeat
        "ConditionalRequestConflict" | "OperationAborted" => (ErrorKind::Throttled, None, true),
        "SlowDown"
        | "RequestTimeout"
        | "InternalError"
        | "ServiceUnavailable"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequests" => (ErrorKind::Throttled, Some(LATER), true),
        "XAmzContentSHA256Mismatch" | "InvalidRequest" | "InvalidPart" | "BadDigest" | "InvalidDigest" => {
            (ErrorKind::Store, Some("The server may not take this kind of checksum; try --s3-checksum md5."), false)
        }
        _ => match status {
            408 | 429 | 499 | 500 | 502 | 503 | 504 => (ErrorKind::Throttled, Some(LATER), true),
            // an error in the body of a success, as CompleteMultipartUpload may send it
            200..=299 => (ErrorKind::Throttled, Some(LATER), true),
            301 | 307 => (ErrorKind::Store, Some("Name the bucket's region with --s3-region or AWS_REGION."), false),
            403 => (
                ErrorKind::Store,
                Some(
                    "The keys need s3:ListBucket, s3:GetObject and s3:PutObject here; s3:DeleteObject only db prune needs.",
                ),
                false,
            ),
            _ => (ErrorKind::Store, None, false),
        },
    }
}

const LATER: &str = "The store is overloaded or failing; try again later.";

/// No answer, or half of one.
fn silence<E>(doing: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: StdError + Send + Sync + 'static,
{
    let words = error.source().map_or_else(|| error.to_string(), chain);
    let lower = words.to_ascii_lowercase();
    let is_refused = std::iter::successors(error.source(), |&error| error.source()).any(|error| error.is::<Refused>());
    let (kind, hint, again) = if is_refused && lower.contains("trusted") {
        (
            ErrorKind::Store,
            "The server's certificate is not trusted; name its authority's file with SSL_CERT_FILE or AWS_CA_BUNDLE.",
            false,
        )
    } else if is_refused {
        (ErrorKind::Store, "Check the server's certificate and its TLS settings, and the endpoint's name.", false)
    } else if lower.contains("credential") {
        // there were keys when the store was opened: what gives them fails now
        (ErrorKind::Store, "Check the keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile.", true)
    } else if matches!(error, SdkError::ConstructionFailure(_)) {
        (ErrorKind::Store, "Check the endpoint and the bucket's name.", false)
    } else {
        (ErrorKind::Throttled, "Check the endpoint and the network between here and the store.", true)
    };
    Failure { error: Error::new(kind, doing).detail(words).hint(hint), status: None, code: None, again, after: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_say_when_to_come_back() {
        let now = DateTime::parse_from_rfc3339("2026-11-29T23:00:00Z").unwrap().to_utc();
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 29 Nov 2026 23:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 29 Nov 2026 22:00:30 GMT", now), None);
        assert_eq!(retry_after("soon", now), None);
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        for status in [408, 429, 499, 500, 502, 503, 504, 200] {
            assert!(answer(status, "").2, "{status}");
        }
        for status in [400, 401, 403, 404, 405, 409, 411, 412, 416, 501, 507] {
            assert!(!answer(status, "").2, "{status}");
        }
        assert_eq!(answer(404, "NoSuchBucket").0, ErrorKind::NoBucket);
        assert!(answer(400, "RequestTimeout").2, "S3 answers 400 when a body stops coming");
        assert!(!answer(403, "InvalidAccessKeyId").2);
    }
}
