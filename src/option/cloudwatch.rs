//! Option cloudwatch: trail → log group → function → SQS FIFO. Events come within a minute or so, and cost per GB.

use super::s3::{DEAD_LETTER_RETENTION_SECONDS, MAX_RECEIVE_COUNT, QUEUE_RETENTION_SECONDS};
use crate::deployment::deployment_tags;
use crate::deployment::policies;
use crate::deployment::target::DeploymentTarget;
use crate::inventory::trail_destination::TrailDestination;
use crate::option::{OptionSpec, Pipeline, cloudwatch_filter, function};
use crate::reconcile::graph::{Graph, Handle, Output};
use crate::resource::OwnershipTags;
use crate::resource::function::Function;
use crate::resource::function_permission::FunctionPermission;
use crate::resource::kms_alias::KmsAlias;
use crate::resource::kms_key::KmsKey;
use crate::resource::managed_policy::ManagedPolicy;
use crate::resource::policy_attachment::PolicyAttachment;
use crate::resource::queue::{Queue, QueueOrdering, RedrivePolicy};
use crate::resource::queue_policy::QueuePolicy;
use crate::resource::role::{Role, TrustedEntity};
use crate::resource::subscription_filter::SubscriptionFilter;

pub const SPEC: OptionSpec = OptionSpec {
    destination: TrailDestination::LogGroup,
    build,
};

#[expect(
    clippy::too_many_lines,
    reason = "the pipeline reads as one list, from top to bottom"
)]
fn build(site: &DeploymentTarget) -> Pipeline {
    let mark = OwnershipTags {
        option: SPEC.name(),
    };
    let names = &site.names;
    let group = site.log_group.clone().unwrap_or_default();
    let mut graph = Graph::default();

    let key = graph.add(KmsKey {
        alias: names.key_alias(),
        description: "KMS key for encrypting SQS messages",
        policy: policies::key_policy_for_account(site),
        ownership: mark.clone(),
    });
    graph.add(KmsAlias {
        name: names.key_alias(),
        key: key.arn(),
        ownership: mark.clone(),
    });
    // Of two runs at once only one gets the alias, and the other makes nothing more.
    graph.lock();

    let queue_arn = site.queue_arn(&names.fifo_queue());
    let dead_arn = site.queue_arn(&names.dead_letter_fifo_queue());
    let dead = graph.add(Queue {
        policy: Some(policies::dead_letter_queue_policy(&dead_arn)),
        arn: dead_arn,
        key: key.arn(),
        retention_seconds: DEAD_LETTER_RETENTION_SECONDS,
        receive_wait_seconds: 0,
        ordering: QueueOrdering::Fifo {
            content_based_deduplication: false,
        },
        redrive: None,
        redrive_allowed_from: Some(queue_arn.clone()),
        ownership: mark.clone(),
    });
    let queue = graph.add(Queue {
        arn: queue_arn.clone(),
        key: key.arn(),
        retention_seconds: QUEUE_RETENTION_SECONDS,
        receive_wait_seconds: 10,
        // CloudWatch Logs may deliver an event twice; the same body is taken once.
        ordering: QueueOrdering::Fifo {
            content_based_deduplication: true,
        },
        redrive: Some(RedrivePolicy {
            target: dead.arn(),
            max_receive_count: MAX_RECEIVE_COUNT,
        }),
        redrive_allowed_from: None,
        policy: None,
        ownership: mark.clone(),
    });
    let function_role_arn = site.role_arn(&names.function_role());
    let queue_policy = graph.add(QueuePolicy {
        queue: queue.arn(),
        document: policies::queue_policy_for_function(site, &queue_arn, &function_role_arn),
    });

    let role = graph.add(Role {
        arn: site.role_arn(&names.role()),
        description: "Role for Heeler to assume to harvest SQS queue.",
        trusted_entity: TrustedEntity::Heeler(site.trust.clone()),
        ownership: mark.clone(),
        deployment_tags: deployment_tags(site),
    });
    let policy = graph.add(queue_access_policy(
        site,
        &names.policy(),
        "Policy to allow Heeler to harvest messages from SQS queue.",
        policies::heeler_policy,
        &key,
        &mark,
    ));
    let attachment = graph.add(PolicyAttachment {
        role: role.arn(),
        policy: policy.arn(),
    });

    let function_role = graph.add(Role {
        arn: function_role_arn,
        description: "Role for Heeler Event Collection Lambda to assume",
        trusted_entity: TrustedEntity::Lambda,
        ownership: mark.clone(),
        deployment_tags: Vec::new(),
    });
    let function_policy = graph.add(queue_access_policy(
        site,
        &names.function_policy(),
        "Policy to allow Heeler Event Collection Lambda to read from Cloudwatch logs and send processed messages to Heeler SQS for harvest.",
        policies::function_policy,
        &key,
        &mark,
    ));
    let function_attachment = graph.add(PolicyAttachment {
        role: function_role.arn(),
        policy: function_policy.arn(),
    });
    let collector = graph.add(Function {
        arn: site.function_arn(),
        description: "Heeler Event Collection Lambda to read from Cloudwatch logs and send processed messages to Heeler SQS for harvest.",
        handler: function::HANDLER,
        runtime: "python3.12",
        memory_mb: 128,
        timeout_seconds: 10,
        role: function_role.arn(),
        code: function::code(),
        code_sha256: function::sha256(),
        variables: vec![(function::QUEUE_URL, queue.url())],
        ownership: mark,
        extra_tags: vec![("Name", "HeelerEventCollection")],
        depends_on: vec![function_attachment.completed()],
    });
    let permission = graph.add(FunctionPermission {
        function: collector.arn(),
        sid: "InvokePermissionsForCW",
        principal: "logs.amazonaws.com",
        source_arn: site.log_group_arn(&group),
        source_account: site.account.clone(),
    });
    graph.add(SubscriptionFilter {
        log_group: group,
        name: names.subscription_filter(),
        pattern: cloudwatch_filter::HEELER_PATTERN,
        function: collector.arn(),
        // From the first event on, everything has to be there.
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

/// A policy on the queue and its key.
fn queue_access_policy(
    site: &DeploymentTarget,
    name: &str,
    description: &'static str,
    document: fn(&DeploymentTarget, &str, &str) -> serde_json::Value,
    key: &Handle<KmsKey>,
    mark: &OwnershipTags,
) -> ManagedPolicy {
    let (at, queue, key): (DeploymentTarget, String, Output) = (
        site.clone(),
        site.queue_arn(&site.names.fifo_queue()),
        key.arn(),
    );
    let known_key = key.clone();
    ManagedPolicy {
        arn: site.policy_arn(name),
        description,
        document: Box::new(move |known| {
            known.get(&known_key).map(|key| document(&at, &queue, &key))
        }),
        depends_on: vec![key],
        ownership: mark.clone(),
    }
}
