//! The differences between the destinations of a trail, as far as checks of several options depend on them.

use super::CheckId;
use crate::inventory::facts::Trail;
use crate::inventory::{InventoryRequest, Snapshot, TrailDestination};

/// The check results and texts that depend on the destination.
pub(super) struct DestinationTraits {
    pub noun: &'static str,
    /// The check that must pass before the region and the names are known.
    pub prerequisite: CheckId,
    /// The reason why all resources are in the region of the destination.
    pub region_reason: &'static str,
    /// Advice for a trail of Control Tower.
    pub control_tower_advice: &'static str,
    /// True if a delegated administrator may have the destination in its account.
    pub may_be_delegated: bool,
    /// True if the option can use an existing topic.
    pub uses_topic: bool,
}

const BUCKET: DestinationTraits = DestinationTraits {
    noun: "bucket",
    prerequisite: CheckId::BucketOwner,
    region_reason: "S3 publishes only to a topic in the bucket's own region",
    control_tower_advice: "prefer an option that reads from the log group: it is in the management account, to which no \
                           control policy applies",
    may_be_delegated: false,
    uses_topic: true,
};

const LOG_GROUP: DestinationTraits = DestinationTraits {
    noun: "log group",
    prerequisite: CheckId::LogsEnabled,
    region_reason: "CloudWatch Logs invokes only functions in the log group's own region",
    control_tower_advice: "do not edit the trail or its log group; adding a subscription filter is allowed",
    may_be_delegated: true,
    uses_topic: false,
};

/// Returns what is special about the destination that the option of a snapshot reads from.
pub(super) fn destination_traits(snapshot: &Snapshot) -> &'static DestinationTraits {
    match snapshot.option.destination {
        TrailDestination::Bucket => &BUCKET,
        TrailDestination::LogGroup => &LOG_GROUP,
    }
}

/// Returns the check that fails for a trail that was not inspected, because the operator named another destination.
pub(super) fn mismatch_check(
    destination: TrailDestination,
    request: &InventoryRequest,
    trail: &Trail,
) -> Option<CheckId> {
    let bucket = request.bucket.as_ref()?;
    let is_other = destination == TrailDestination::Bucket && *bucket != trail.bucket;
    is_other.then_some(CheckId::BucketMatchesTrail)
}
