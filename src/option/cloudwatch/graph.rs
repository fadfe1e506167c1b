//! Resources of option cloudwatch.

use super::target::{CloudWatchTarget, NAME};
use super::{function, policies};
use crate::deployment::resources::{
    QueuePair, QueueTiming, add_heeler_role, add_key, add_queues, heeler_policy, policy_with_key,
};
use crate::option::delivery_option::Pipeline;
use crate::option::heeler_filter::HEELER_PATTERN;
use crate::reconcile::graph::Graph;
use crate::reconcile::scope::Scope;
use crate::resource::function::Function;
use crate::resource::function_permission::FunctionPermission;
use crate::resource::policy_attachment::PolicyAttachment;
use crate::resource::queue::QueueOrdering;
use crate::resource::queue_policy::QueuePolicy;
use crate::resource::role::{Role, TrustedEntity};
use crate::resource::subscription_filter::SubscriptionFilter;
use crate::shared_document::function_policy;

/// The memory of the function.
pub(super) const FUNCTION_MEMORY_MB: i32 = 128;

/// The graph of a deployment, in the order of the plan.
pub(super) fn build(target: &CloudWatchTarget) -> Pipeline {
    let (scope, names) = (&target.scope, &target.scope.names);
    let ownership = scope.ownership_tags(NAME);
    let log_group = target.log_group.clone().unwrap_or_default();
    let mut graph = Graph::new(Scope::new(&scope.account, &scope.region));
    let queue_arn = scope.queue_arn(&names.fifo_queue());
    let function_role_arn = scope.role_arn(&names.function_role());
    let role = add_heeler_role(
        &mut graph,
        scope,
        &target.trust,
        target.role_tags(),
        &ownership,
    );
    let key = add_key(&mut graph, scope, policies::key_policy(target), &ownership);

    let queues = QueuePair {
        queue_arn: queue_arn.clone(),
        dead_letter_queue_arn: scope.queue_arn(&names.dead_letter_fifo_queue()),
        // CloudWatch Logs may deliver an event twice; SQS drops the second message with the same body.
        ordering: QueueOrdering::Fifo {
            content_based_deduplication: true,
        },
        dead_letter_ordering: QueueOrdering::Fifo {
            content_based_deduplication: false,
        },
        timing: QueueTiming::HEELER,
    };
    let queue = add_queues(&mut graph, queues, Some(&key), &ownership);
    let queue_policy = graph.add(QueuePolicy {
        queue: queue.arn(),
        document: policies::queue_policy(target, &queue_arn, &function_role_arn),
    });

    let (of, arn) = (target.clone(), queue_arn.clone());
    let document = move |key: &str| policies::heeler_policy(&of, &arn, key);
    let policy = graph.add(heeler_policy(scope, &key, &ownership, document));
    let attachment = graph.add(PolicyAttachment {
        role: role.arn(),
        policy: policy.arn(),
    });

    let function_role = graph.add(Role {
        arn: function_role_arn,
        description: "Role for Heeler Event Collection Lambda to assume",
        trusted_entity: TrustedEntity::Lambda,
        permissions_boundary: scope.permissions_boundary.clone(),
        ownership: ownership.clone(),
        deployment_tags: Vec::new(),
        own_policy: scope.policy_arn(&names.function_policy()),
        run_id: None,
    });
    let of = target.clone();
    let function_policy = graph.add(policy_with_key(
        scope.policy_arn(&names.function_policy()),
        names.function_role(),
        "Policy to allow Heeler Event Collection Lambda to read from Cloudwatch logs and send processed messages to Heeler SQS for harvest.",
        &key,
        &ownership,
        move |key: &str| policies::function_policy(&of, &queue_arn, key),
    ));
    let function_attachment = graph.add(PolicyAttachment {
        role: function_role.arn(),
        policy: function_policy.arn(),
    });
    let function = graph.add(Function {
        arn: scope.function_arn(),
        description: "Heeler Event Collection Lambda to read from Cloudwatch logs and send processed messages to Heeler SQS for harvest.",
        handler: function::HANDLER,
        runtime: "python3.12",
        memory_mb: FUNCTION_MEMORY_MB,
        timeout_seconds: 10,
        role: function_role.arn(),
        code: function::code(),
        code_sha256: function::sha256(),
        variables: vec![(function::QUEUE_URL, queue.url())],
        ownership,
        own_tags: vec![("Name", "HeelerEventCollection")],
        depends_on: vec![function_attachment.completed()],
    });
    let permission = graph.add(FunctionPermission {
        function: function.arn(),
        sid: function_policy::LOGS_SID,
        principal: "logs.amazonaws.com",
        source_arn: format!("{}:*", scope.log_group_arn(&log_group)),
        source_account: scope.account.clone(),
    });
    graph.add(SubscriptionFilter {
        log_group,
        name: names.subscription_filter(),
        pattern: HEELER_PATTERN,
        function: function.arn(),
        // Events are delivered only when everything else is in place.
        depends_on: vec![
            permission.completed(),
            queue_policy.completed(),
            attachment.completed(),
        ],
    });
    Pipeline {
        graph,
        queue_url: queue.url(),
        role_arn: role.arn(),
    }
}
