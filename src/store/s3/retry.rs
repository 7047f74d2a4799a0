//! One request, repeated while it fails in ways that pass.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::fault::Failure;
use crate::error::{Error, ErrorKind};
use crate::store::RetryPolicy;

/// The time that one attempt has apart from its bytes.
const ATTEMPT: Duration = Duration::from_secs(60);

/// The slowest line that is waited for, in bytes a second.
const SLOWEST: u64 = 64 << 10;

/// How long one attempt that carries this many bytes may take: a server that took the request and fell silent must not
/// use up the whole deadline.
fn attempt_time(bytes: u64) -> Duration {
    ATTEMPT + Duration::from_secs(bytes / SLOWEST)
}

/// Tries until it works, fails for good, or tries and time are used up. `attempt` is told its number, from 1; `bytes` is
/// how much it carries.
pub(super) async fn repeat<T, F>(
    policy: RetryPolicy,
    bytes: u64,
    mut attempt: impl FnMut(u32) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let end = Instant::now() + policy.deadline;
    let mut number = 1;
    loop {
        let limit = attempt_time(bytes).min(end.saturating_duration_since(Instant::now()));
        let failure = match tokio::time::timeout(limit, attempt(number)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(failure)) => failure,
            Err(_) => Failure {
                error: Error::new(ErrorKind::Throttled, "the store does not answer")
                    .detail(format!("waited {} s", limit.as_secs()))
                    .hint("Check the endpoint and the network between here and the store."),
                status: None,
                code: None,
                again: true,
            },
        };
        let pause = policy.pause(number, rand::random());
        if !failure.again {
            return Err(failure);
        }
        if number >= policy.tries || Instant::now() + pause >= end {
            let Failure { error, status, code, again } = failure;
            return Err(Failure {
                error: error.more_detail(&format!("gave up after {number} attempts")),
                status,
                code,
                again,
            });
        }
        tracing::debug!(
            attempt = number,
            pause_ms = pause.as_millis(),
            cause = failure.error.message(),
            "request is repeated"
        );
        tokio::time::sleep(pause).await;
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn failure(again: bool) -> Failure {
        Failure { error: Error::new(ErrorKind::Throttled, "no"), status: Some(503), code: None, again }
    }

    #[tokio::test(start_paused = true)]
    async fn three_tries_and_then_the_number_is_told() {
        let calls = Cell::new(0);
        let result: Result<(), Failure> = repeat(RetryPolicy::default(), 0, |_| {
            calls.set(calls.get() + 1);
            async { Err(failure(true)) }
        })
        .await;
        let error = result.err().unwrap().error;
        assert_eq!((calls.get(), error.detail_text()), (3, Some("gave up after 3 attempts")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_good_is_tried_once() {
        let calls = Cell::new(0);
        let result: Result<(), Failure> = repeat(RetryPolicy::default(), 0, |_| {
            calls.set(calls.get() + 1);
            async { Err(failure(false)) }
        })
        .await;
        assert!(result.is_err());
        assert_eq!(calls.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_does_not_hold_it_for_ever() {
        let begun = Instant::now();
        let result: Result<(), Failure> = repeat(RetryPolicy::default(), 8 << 20, |_| std::future::pending()).await;
        assert!(result.err().unwrap().again);
        assert!(begun.elapsed() <= RetryPolicy::default().deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_attempt_may_work() {
        let value = repeat(RetryPolicy::default(), 0, |number| async move {
            if number == 1 { Err(failure(true)) } else { Ok(number) }
        })
        .await;
        assert_eq!(value.ok(), Some(2));
    }
}
