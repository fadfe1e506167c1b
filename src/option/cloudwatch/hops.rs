//! The hops of a deployment of option cloudwatch, and the points at which a canary can be seen.

use super::function as code;
use super::target::{CloudWatchTarget, NAME};
use crate::hop::{Hop, function, harvest, log_group, queue, role, trail};
use crate::inventory::pipeline::{PipelineFacts, PipelineRequest, PipelineSource};
use crate::option::heeler_filter::HEELER_PATTERN;
use crate::verify::{CanaryCall, ObservationPoint, VerifyPlan};

/// The resources to read.
pub(super) fn request(target: &CloudWatchTarget) -> PipelineRequest {
    let (scope, names) = (&target.scope, &target.scope.names);
    PipelineRequest {
        setup_arguments: NAME.arguments,
        account: scope.account.clone(),
        partition: scope.partition.clone(),
        region: scope.region.clone(),
        role: names.role(),
        role_arn: scope.role_arn(&names.role()),
        queue: names.fifo_queue(),
        dead_letter_queue: names.dead_letter_fifo_queue(),
        source: PipelineSource::LogGroup {
            log_group: target.log_group.clone().unwrap_or_default(),
            function: names.function(),
            function_role: names.function_role(),
            function_role_arn: scope.role_arn(&names.function_role()),
        },
    }
}

/// The hops in the order of an event.
pub(super) fn evaluate(target: &CloudWatchTarget, facts: &PipelineFacts) -> Vec<Hop> {
    let filter = target.scope.names.subscription_filter();
    vec![
        trail::trail(facts),
        log_group::log_group(facts),
        log_group::subscription_filter(facts, &filter, HEELER_PATTERN),
        function::function_permission(facts),
        function::function(facts, code::QUEUE_URL),
        function::function_role(facts),
        queue::queue_policy(facts),
        queue::queue_key(facts),
        queue::queue(facts),
        queue::dead_letter_queue(facts),
        role::role_trust(facts, &target.trust),
        role::role_permissions(facts),
        harvest::harvest(facts),
    ]
}

/// The canary is a write, because the filter of the option passes only writes.
pub(super) fn verify_plan(target: &CloudWatchTarget) -> VerifyPlan {
    let (scope, names) = (&target.scope, &target.scope.names);
    VerifyPlan {
        account: scope.account.clone(),
        region: scope.region.clone(),
        call: CanaryCall::TagQueue {
            queue: names.fifo_queue(),
        },
        points: vec![
            ObservationPoint::EventHistory,
            ObservationPoint::LogGroup {
                name: target.log_group.clone().unwrap_or_default(),
            },
            ObservationPoint::Function {
                log_group: format!("/aws/lambda/{}", names.function()),
            },
            ObservationPoint::Queue {
                name: names.fifo_queue(),
            },
        ],
    }
}
