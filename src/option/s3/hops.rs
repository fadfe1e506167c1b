//! The hops of a deployment of option s3, and the points at which a canary can be seen.

use super::target::{NAME, S3Target};
use crate::hop::{Hop, bucket, harvest, queue, role, topic, trail};
use crate::inventory::pipeline::{
    BucketDestination, PipelineFacts, PipelineRequest, PipelineSource,
};
use crate::verify::{CanaryCall, ObservationPoint, VerifyPlan};

/// The resources to read.
pub(super) fn request(target: &S3Target) -> PipelineRequest {
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
            log_prefix: target.log_prefix.clone(),
            destination: BucketDestination::Topic(target.topic_arn()),
            log_keys: target.bucket_keys.clone(),
            grant: names.grant(),
        },
    }
}

/// The hops in the order of an event.
pub(super) fn evaluate(target: &S3Target, facts: &PipelineFacts) -> Vec<Hop> {
    vec![
        trail::trail(facts),
        bucket::bucket_policy(facts),
        bucket::notification(facts),
        topic::topic_policy(facts),
        topic::subscription(facts),
        queue::queue_policy(facts),
        queue::queue_key(facts),
        queue::queue(facts),
        queue::dead_letter_queue(facts),
        role::role_trust(facts, &target.trust),
        role::role_permissions(facts),
        bucket::log_key(facts),
        harvest::harvest(facts),
    ]
}

/// The canary is a read, because Heeler receives all log files. It changes nothing.
pub(super) fn verify_plan(target: &S3Target) -> VerifyPlan {
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
                log_prefix: target.log_prefix.clone(),
            },
            ObservationPoint::Notification {
                topic: target.topic_arn(),
            },
            ObservationPoint::Queue {
                name: scope.names.queue(),
            },
        ],
    }
}
