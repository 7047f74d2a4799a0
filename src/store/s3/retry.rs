//! One request, repeated while it fails in ways that pass.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::S3Store;
use super::fault::Failure;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::store::RetryPolicy;

/// The time that one attempt has apart from its bytes, where patience is not shorter.
const ATTEMPT: Duration = Duration::from_secs(60);

/// A server at work may take this time, however little patience there is.
const ATTEMPT_MIN: Duration = Duration::from_secs(30);

/// The slowest line that is waited for, in bytes a second.
const SLOWEST: u64 = 64 << 10;

/// Repetitions that begin sooner than this after the first failure are told to nobody.
const TELL_AFTER: Duration = Duration::from_secs(3);

/// How long a server may be silent: one that took a request and answers nothing must not use up all patience.
pub(super) fn silence(policy: RetryPolicy) -> Duration {
    policy.patience(Duration::ZERO).clamp(ATTEMPT_MIN, ATTEMPT)
}

/// How long one attempt that carries this many bytes may take.
fn attempt_time(policy: RetryPolicy, bytes: u64) -> Duration {
    silence(policy) + Duration::from_secs(bytes / SLOWEST)
}

/// The failure of an attempt that got no answer in its time.
pub(super) fn no_answer(doing: &str, waited: Duration) -> Failure {
    let error = Error::new(ErrorKind::Throttled, doing)
        .detail(format!("the store does not answer, waited {} s", waited.as_secs()))
        .hint("Check the endpoint and the network between here and the store.");
    Failure { error, status: None, code: None, again: true, after: None }
}

/// A stretch of time in which one thing keeps failing.
pub(super) struct Outage {
    policy: RetryPolicy,
    patience: Duration,
    since: Option<Instant>,
    attempt: u32,
}

impl Outage {
    pub(super) fn new(policy: RetryPolicy, age: Duration) -> Self {
        Self { policy, patience: policy.patience(age), since: None, attempt: 0 }
    }

    /// How long to wait before the next attempt. The failure of the one that began at `begun` comes back where there is to
    /// be none: it does not pass, or has not passed for too long.
    fn pause(&mut self, begun: Instant, failure: Failure) -> Result<(Duration, Failure), Failure> {
        if !failure.again {
            return Err(failure);
        }
        let now = Instant::now();
        // waiting for an answer was patience, too; sending many bytes was not
        let since = begun.max(now.checked_sub(silence(self.policy)).unwrap_or(now));
        let end = *self.since.get_or_insert(since) + self.patience;
        // an attempt that waited in vain may have ended a moment before its time
        let tolerance = now.duration_since(begun) / 20;
        if now + tolerance >= end {
            let Failure { mut error, status, code, again, after } = failure;
            if self.attempt > 0 {
                error = error.more_detail(&format!("it was asked again for {} s", self.patience.as_secs()));
            }
            return Err(Failure { error, status, code, again, after });
        }
        self.attempt += 1;
        let pause = self.policy.pause(self.attempt, rand::random(), failure.after);
        // the last attempt is made when patience ends, not a pause before
        Ok((pause.min(end - now), failure))
    }

    /// Waits, or gives the failure of the attempt that began at `begun` back. `store` tells whoever listens.
    pub(super) async fn wait(&mut self, store: &S3Store, begun: Instant, failure: Failure) -> Result<(), Failure> {
        let (pause, failure) = self.pause(begun, failure)?;
        if self.since.is_some_and(|since| since.elapsed() + pause >= TELL_AFTER) {
            let cause = failure.error.detail_text().unwrap_or("no detail").to_owned();
            let what = failure.error.message().to_owned();
            store.settings().listener.tell(Event::Retrying { what, cause, delay: pause });
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Tries until it works, fails for good, or patience ends. `attempt` is told its number, from 1; `bytes` is how much it
/// carries, `doing` what a person calls it.
pub(super) async fn repeat<T, F>(
    store: &S3Store,
    doing: &str,
    bytes: u64,
    mut attempt: impl FnMut(u32) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut outage = store.outage();
    let limit = attempt_time(store.settings().retry, bytes);
    let mut number = 1;
    loop {
        let begun = Instant::now();
        let failure = match tokio::time::timeout(limit, attempt(number)).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(failure)) => failure,
            Err(_) => no_answer(doing, limit),
        };
        outage.wait(store, begun, failure).await?;
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(again: bool) -> Failure {
        let error = Error::new(ErrorKind::Throttled, "no");
        Failure { error, status: Some(503), code: None, again, after: None }
    }

    fn outage(total: u64) -> Outage {
        Outage::new(RetryPolicy { total: Duration::from_secs(total), ..RetryPolicy::default() }, Duration::MAX)
    }

    /// Fails until it is given up; how long that took and what was said.
    async fn exhaust(mut outage: Outage, after: Option<Duration>) -> (Duration, u32, Error) {
        let begun = Instant::now();
        loop {
            match outage.pause(Instant::now(), Failure { after, ..failure(true) }) {
                Ok((pause, _)) => tokio::time::sleep(pause).await,
                Err(failure) => return (begun.elapsed(), outage.attempt, failure.error),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_given_up_when_patience_ends_and_not_before() {
        for total in [1, 120, 900] {
            let (took, attempts, error) = exhaust(outage(total), None).await;
            assert!(took.as_secs().abs_diff(total) <= 1, "{took:?} of {total} s");
            assert!(attempts >= 2, "{attempts}");
            assert_eq!(error.detail_text(), Some(&*format!("it was asked again for {total} s")));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_for_good_is_tried_once() {
        assert!(outage(900).pause(Instant::now(), failure(false)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_when_is_not_asked_before() {
        let (_, attempts, _) = exhaust(outage(100), Some(Duration::from_secs(30))).await;
        assert_eq!(attempts, 4, "after 30, 60, 90 and 100 seconds");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_an_answer_is_patience_too_and_sending_bytes_is_not() {
        let policy = |total| RetryPolicy { total: Duration::from_secs(total), ..RetryPolicy::default() };
        assert_eq!(silence(policy(1)), ATTEMPT_MIN);
        assert_eq!(silence(policy(90)), Duration::from_secs(30));
        assert_eq!(silence(policy(900)), ATTEMPT);
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_secs(30)).await;
        let mut brief = Outage::new(policy(90), Duration::ZERO);
        let given_up = brief.pause(begun, failure(true)).err().unwrap();
        assert_eq!(given_up.error.detail_text(), None, "nothing was asked again");
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let mut long = Outage::new(policy(900), Duration::ZERO);
        assert!(long.pause(begun, failure(true)).is_ok(), "a part that took an hour may be sent again");
    }
}
