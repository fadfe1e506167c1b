//! Option s3: trail → bucket → SNS → SQS. Minutes late, and a hundredth of the cost of the other.

use crate::deployment::deployment_tags;
use crate::deployment::policies;
use crate::deployment::target::DeploymentTarget;
use crate::inventory::trail_destination::TrailDestination;
use crate::option::{OptionSpec, Pipeline};
use crate::reconcile::Outputs;
use crate::reconcile::graph::{Graph, Output, ResourceId};
use crate::resource::OwnershipTags;
use crate::resource::bucket_notification::{BucketNotification, ReviewedEntries};
use crate::resource::kms_alias::KmsAlias;
use crate::resource::kms_grant::KmsGrant;
use crate::resource::kms_key::KmsKey;
use crate::resource::managed_policy::ManagedPolicy;
use crate::resource::policy_attachment::PolicyAttachment;
use crate::resource::queue::{Queue, QueueOrdering, RedrivePolicy};
use crate::resource::queue_policy::QueuePolicy;
use crate::resource::role::{Role, TrustedEntity};
use crate::resource::subscription::Subscription;
use crate::resource::topic::Topic;
use crate::resource::topic_policy::TopicPolicy;

pub const SPEC: OptionSpec = OptionSpec {
    destination: TrailDestination::Bucket,
    build,
};

/// Seconds that Heeler has to fetch a message, and to look at one that it could not read.
pub(super) const QUEUE_RETENTION_SECONDS: u32 = 7_200;
pub(super) const DEAD_LETTER_RETENTION_SECONDS: u32 = 345_600;
/// A message that was received four times in vain is put aside.
pub(super) const MAX_RECEIVE_COUNT: u32 = 4;

#[expect(
    clippy::too_many_lines,
    reason = "the pipeline reads as one list, from top to bottom"
)]
fn build(site: &DeploymentTarget) -> Pipeline {
    let mark = OwnershipTags {
        option: SPEC.name(),
    };
    let names = &site.names;
    let mut graph = Graph::default();

    let topic_arn = site
        .topic
        .clone()
        .unwrap_or_else(|| site.managed_topic_arn());
    let key = graph.add(KmsKey {
        alias: names.key_alias(),
        description: "KMS key for encrypting SQS messages",
        policy: policies::key_policy_for_topic(site, &topic_arn),
        ownership: mark.clone(),
    });
    graph.add(KmsAlias {
        name: names.key_alias(),
        key: key.arn(),
        ownership: mark.clone(),
    });
    // Of two runs at once only one gets the alias, and the other makes nothing more.
    graph.lock();

    let topic = match &site.topic {
        Some(arn) => {
            let id = ResourceId {
                kind: "sns topic",
                name: crate::aws::arn::resource_name(arn).to_owned(),
            };
            graph.existing::<Topic>(id, Outputs::from([("arn", arn.clone())]))
        }
        None => graph.add(Topic {
            arn: topic_arn.clone(),
            queue_arn: site.queue_arn(&names.queue()),
            temporary_queue_arn_prefix: site
                .queue_arn(&format!("{}_", names.temporary_queue_prefix())),
            ownership: mark.clone(),
        }),
    };
    let topic_policy = site.topic.is_none().then(|| {
        graph.add(TopicPolicy {
            topic: topic.arn(),
            document: policies::topic_policy_for_bucket(site, &topic_arn),
        })
    });

    let queue_arn = site.queue_arn(&names.queue());
    let dead_arn = site.queue_arn(&names.dead_letter_queue());
    let dead = graph.add(Queue {
        policy: Some(policies::dead_letter_queue_policy(&dead_arn)),
        arn: dead_arn,
        key: key.arn(),
        retention_seconds: DEAD_LETTER_RETENTION_SECONDS,
        receive_wait_seconds: 0,
        ordering: QueueOrdering::Standard,
        redrive: None,
        redrive_allowed_from: Some(queue_arn.clone()),
        ownership: mark.clone(),
    });
    let queue = graph.add(Queue {
        arn: queue_arn.clone(),
        key: key.arn(),
        retention_seconds: QUEUE_RETENTION_SECONDS,
        receive_wait_seconds: 10,
        ordering: QueueOrdering::Standard,
        redrive: Some(RedrivePolicy {
            target: dead.arn(),
            max_receive_count: MAX_RECEIVE_COUNT,
        }),
        redrive_allowed_from: None,
        policy: None,
        ownership: mark.clone(),
    });
    let queue_policy = graph.add(QueuePolicy {
        queue: queue.arn(),
        document: policies::queue_policy_for_topic(&queue_arn, &topic_arn),
    });
    let subscription = graph.add(Subscription {
        topic: topic.arn(),
        queue: queue.arn(),
        depends_on: vec![queue_policy.completed()],
    });

    let role = graph.add(Role {
        arn: site.role_arn(&names.role()),
        description: "Role for Heeler to assume to harvest SQS queue.",
        trusted_entity: TrustedEntity::Heeler(site.trust.clone()),
        ownership: mark.clone(),
        deployment_tags: deployment_tags(site),
    });
    let policy = graph.add(heeler_policy(site, queue_arn, key.arn(), mark));
    let attachment = graph.add(PolicyAttachment {
        role: role.arn(),
        policy: policy.arn(),
    });

    let mut complete = vec![subscription.completed(), attachment.completed()];
    for bucket_key in &site.bucket_keys {
        let grant = graph.add(KmsGrant {
            name: names.grant(),
            key_arn: bucket_key.clone(),
            grantee: role.arn(),
        });
        complete.push(grant.completed());
    }
    if let Some(topic_policy) = topic_policy {
        complete.push(topic_policy.completed());
        graph.add(BucketNotification {
            bucket: site.bucket.clone(),
            bucket_owner: site.account.clone(),
            entry_id: names.notification_id(),
            prefix: site.log_prefix.clone(),
            topic: topic.arn(),
            depends_on: complete,
            reviewed: ReviewedEntries::default(),
        });
    }
    Pipeline {
        graph,
        queue_url: queue.url(),
        role_arn: role.arn(),
    }
}

fn heeler_policy(
    site: &DeploymentTarget,
    queue: String,
    key: Output,
    mark: OwnershipTags,
) -> ManagedPolicy {
    let (at, key_arn) = (site.clone(), key.clone());
    ManagedPolicy {
        arn: site.policy_arn(&site.names.policy()),
        description: "Policy to allow Heeler to harvest messages from SQS queue.",
        document: Box::new(move |known| {
            known
                .get(&key_arn)
                .map(|key| policies::heeler_policy_with_log_objects(&at, &queue, &key))
        }),
        depends_on: vec![key],
        ownership: mark,
    }
}
