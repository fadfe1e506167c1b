//! Decides whether digests are expected already: not in the first hours of a trail, or of its log file validation.

use std::time::{Duration, SystemTime};

use super::trail_bucket::TrailBucket;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// The time after which each region has a digest. `CloudTrail` delivers one per region and hour ("`CloudTrail` digest file
/// structure" in the `CloudTrail` User Guide).
const SETTLING_TIME: Duration = Duration::from_secs(2 * 3_600);

/// The deliveries of a trail, as `CloudTrail` reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TrailDeliveries {
    /// The time when logging was started last.
    started: Option<SystemTime>,
    /// The time of the last digest in the home region; `None` if there was none.
    last_digest: Option<SystemTime>,
    /// True if the last digest could not be delivered.
    has_digest_error: bool,
}

impl TrailDeliveries {
    /// Reads the status of a trail.
    ///
    /// # Errors
    /// When AWS refuses the call.
    pub async fn read(aws: &Aws, target: &TrailBucket) -> Result<Self> {
        let home = aws.in_region(&target.home_region);
        let call = home.management().cloudtrail.get_trail_status();
        let call = call.name(&target.trail_arn);
        let status = call
            .send()
            .await
            .context_for("cloudtrail:GetTrailStatus", || {
                format!("read the status of trail {}", target.trail)
            })?;
        let (started, digest) = (
            status.start_logging_time,
            status.latest_digest_delivery_time,
        );
        Ok(Self {
            started: started.and_then(|time| SystemTime::try_from(time).ok()),
            last_digest: digest.and_then(|time| SystemTime::try_from(time).ok()),
            has_digest_error: status
                .latest_digest_delivery_error
                .is_some_and(|error| !error.is_empty()),
        })
    }
}

/// Returns true if a pair without a recent digest is a gap. `oldest` is the oldest recent digest of the home region.
pub(super) fn are_digests_expected(
    deliveries: TrailDeliveries,
    oldest: Option<SystemTime>,
    now: SystemTime,
) -> bool {
    let is_settled = |time: SystemTime| {
        now.duration_since(time)
            .is_ok_and(|age| age >= SETTLING_TIME)
    };
    if let Some(started) = deliveries.started
        && !is_settled(started)
    {
        return false;
    }
    match oldest {
        Some(oldest) => is_settled(oldest),
        // Without a digest, validation was turned on just now, or digests cannot be delivered.
        None => deliveries.last_digest.is_some() || deliveries.has_digest_error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_expected_after_two_hours() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let ago = |minutes: u64| Some(now - Duration::from_secs(60 * minutes));
        let trail = |started, last_digest| TrailDeliveries {
            started,
            last_digest,
            has_digest_error: false,
        };
        let refused = TrailDeliveries {
            started: ago(90_000),
            last_digest: None,
            has_digest_error: true,
        };
        for (deliveries, oldest, expected) in [
            // An established trail.
            (trail(ago(90_000), ago(30)), ago(1_400), true),
            // A new trail, before and after its first digest.
            (trail(ago(10), None), None, false),
            (trail(ago(70), ago(10)), ago(10), false),
            (trail(ago(119), ago(10)), ago(110), false),
            (trail(ago(120), ago(10)), ago(120), true),
            // Validation was turned on, before and after the first digest.
            (trail(ago(90_000), None), None, false),
            (trail(ago(90_000), ago(20)), ago(20), false),
            // Digests were delivered, and are not any more.
            (trail(ago(90_000), ago(9_000)), None, true),
            // The bucket refuses digests.
            (refused, None, true),
        ] {
            let found = are_digests_expected(deliveries, oldest, now);
            assert_eq!(found, expected, "{deliveries:?} {oldest:?}");
        }
    }
}
