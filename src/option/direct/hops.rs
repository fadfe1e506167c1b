//! The hops of a deployment of option s3-direct, and the points at which a canary can be seen.

use super::target::{DirectTarget, NAME};
use crate::hop::{Hop, HopStatus, bucket, harvest, queue, role, trail};
use crate::inventory::pipeline::{
    BucketDestination, PipelineFacts, PipelineRequest, PipelineSource,
};
use crate::verify::{CanaryCall, ObservationPoint, VerifyPlan};

/// The resources to read.
pub(super) fn request(target: &DirectTarget) -> PipelineRequest {
    let (scope, names) = (&target.scope, &target.scope.names);
    PipelineRequest {
        setup_arguments: NAME.arguments,
        account: scope.account.clone(),
        partition: scope.partition.clone(),
        region: scope.region.clone(),
        role: names.role(),
        role_arn: scope.role_arn(&names.role()),
        queue: names.queue(),
        dead_letter_queue: names.dead_letter_queue(),
        source: PipelineSource::Bucket {
            bucket: target.bucket.clone(),
            log_prefix: target.prefix.clone(),
            destination: BucketDestination::Queue {
                suffix: target.suffix.clone(),
            },
            log_keys: target.bucket_keys.clone(),
            grant: names.grant(),
        },
    }
}

/// The hops in the order of an event.
pub(super) fn evaluate(target: &DirectTarget, facts: &PipelineFacts) -> Vec<Hop> {
    let mut hops = Vec::from_iter(delivering_trail(facts));
    hops.extend([
        bucket::bucket_policy(facts),
        bucket::notification(facts),
        queue::queue_policy(facts),
        queue::queue_key(facts),
        queue::queue(facts),
        queue::dead_letter_queue(facts),
        role::role_trust(facts, &target.trust),
        role::role_permissions(facts),
        bucket::log_key(facts),
        harvest::harvest(facts),
    ]);
    hops
}

/// The trail that delivers to the bucket, if there is one. Other services may write to the bucket too, so a trail that
/// delivers nothing is no broken hop.
fn delivering_trail(facts: &PipelineFacts) -> Option<Hop> {
    facts.trail.present()?;
    let mut hop = trail::trail(facts);
    if hop.status == HopStatus::Broken {
        hop.status = HopStatus::Unknown;
    }
    Some(hop)
}

/// The canary is a read, which changes nothing. It is seen in the bucket and in the queue only if a trail delivers the
/// announced objects. A temporary queue would need a second notification of the bucket, so there is none.
pub(super) fn verify_plan(target: &DirectTarget) -> VerifyPlan {
    let scope = &target.scope;
    VerifyPlan {
        account: scope.account.clone(),
        region: scope.region.clone(),
        call: CanaryCall::CallerIdentity,
        points: vec![
            ObservationPoint::EventHistory,
            ObservationPoint::LogFile {
                bucket: target.bucket.clone(),
                owner: scope.account.clone(),
                log_prefix: target.prefix.clone(),
            },
            ObservationPoint::Queue {
                name: scope.names.queue(),
            },
        ],
    }
}
