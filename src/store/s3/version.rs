//! Buckets that keep versions: a deletion hides, and says so nowhere but here.

use aws_sdk_s3::types::{BucketVersioningStatus, ExpirationStatus, LifecycleRule, ObjectLockLegalHoldStatus};
use chrono::{DateTime, Utc};

use super::fault::{Failure, judge};
use super::{S3Store, time_of};
use crate::store::{Erasure, Kept};

/// What S3 calls the version of an object that was written while no versions were kept.
const NO_VERSION: &str = "null";

impl S3Store {
    /// Looks at the object, and at the bucket where that does not say enough. What the credentials may not ask is taken for
    /// the worse.
    pub(super) async fn look_for_versions(&self, full: &str) -> Result<Erasure, Failure> {
        let doing = format!("could not look at s3://{}/{full}", self.bucket());
        let found = self
            .ask(&doing, |_| {
                let request = self.client().head_object().bucket(self.bucket()).key(full);
                async { request.send().await.map_err(|error| judge(&doing, error)) }
            })
            .await;
        let object = match found {
            Ok(object) => object,
            Err(failure) if failure.is_missing() => return Ok(Erasure::Freed),
            Err(failure) => return Err(failure),
        };
        match object.version_id() {
            None => return Ok(Erasure::Freed),
            Some(NO_VERSION) if !self.keeps_versions().await => return Ok(Erasure::Freed),
            Some(_) => {}
        }
        if object.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On) {
            return Ok(Erasure::Hidden(Kept::LegalHold));
        }
        let locked = object.object_lock_retain_until_date().map(|time| time_of(Some(time)));
        if let Some(until) = locked.filter(|until: &DateTime<Utc>| *until > Utc::now()) {
            return Ok(Erasure::Hidden(Kept::Until(until)));
        }
        let days = *self.0.expiry_days.get_or_init(|| Box::pin(self.read_expiry_days())).await;
        Ok(Erasure::Hidden(days.map_or(Kept::Unlimited, Kept::Days)))
    }

    async fn keeps_versions(&self) -> bool {
        let asked = self.client().get_bucket_versioning().bucket(self.bucket()).send().await;
        asked.map_or(true, |answer| answer.status() == Some(&BucketVersioningStatus::Enabled))
    }

    /// After how many days a lifecycle rule for all of this store removes versions.
    async fn read_expiry_days(&self) -> Option<u32> {
        let asked = self.client().get_bucket_lifecycle_configuration().bucket(self.bucket()).send().await.ok()?;
        let days = |rule: &LifecycleRule| {
            let expiration = rule.noncurrent_version_expiration()?;
            // versions of which a number is kept may stay for ever
            let is_plain = expiration.newer_noncurrent_versions().is_none_or(|count| count == 0);
            (is_plain && *rule.status() == ExpirationStatus::Enabled && self.is_covered(rule))
                .then(|| expiration.noncurrent_days().and_then(|days| u32::try_from(days).ok()))?
        };
        asked.rules().iter().filter_map(days).min()
    }

    /// Whether a rule is for every object of this store.
    fn is_covered(&self, rule: &LifecycleRule) -> bool {
        #[expect(deprecated, reason = "servers still answer in the old form, too")]
        let old = rule.prefix();
        let filter = rule.filter();
        let has_more = filter.is_some_and(|filter| {
            filter.tag().is_some()
                || filter.and().is_some()
                || filter.object_size_greater_than().is_some()
                || filter.object_size_less_than().is_some()
        });
        let prefix = filter.and_then(|filter| filter.prefix()).or(old).unwrap_or_default();
        !has_more && self.full("").starts_with(prefix)
    }
}
