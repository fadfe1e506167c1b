//! Resources of option s3.

use super::policies;
use super::target::{NAME, S3Target};
use crate::aws::arn::resource_name;
use crate::deployment::resources::{
    QueuePair, QueueTiming, add_heeler_role, add_key, add_queues, heeler_policy,
};
use crate::option::bucket_keys::own_keys;
use crate::option::delivery_option::Pipeline;
use crate::reconcile::Outputs;
use crate::reconcile::graph::Graph;
use crate::reconcile::scope::Scope;
use crate::resource::bucket_notification::{
    BucketNotification, NotificationDestination, ReviewedEntries,
};
use crate::resource::kind::ResourceKind;
use crate::resource::kms_grant::KmsGrant;
use crate::resource::policy_attachment::PolicyAttachment;
use crate::resource::queue::QueueOrdering;
use crate::resource::queue_policy::QueuePolicy;
use crate::resource::subscription::Subscription;
use crate::resource::topic::Topic;
use crate::resource::topic_policy::TopicPolicy;

/// The graph of a deployment, in the order of the plan.
pub(super) fn build(target: &S3Target) -> Pipeline {
    let (scope, names) = (&target.scope, &target.scope.names);
    let ownership = scope.ownership_tags(NAME);
    let mut graph = Graph::new(Scope::new(&scope.account, &scope.region));
    let topic_arn = target.topic_arn();
    let queue_arn = scope.queue_arn(&names.queue());
    let role = add_heeler_role(
        &mut graph,
        scope,
        &target.trust,
        target.role_tags(),
        &ownership,
    );
    let key_policy = policies::key_policy(target, &topic_arn);
    let key = add_key(&mut graph, scope, key_policy, &ownership);

    let topic = match &target.topic {
        Some(arn) => {
            let id = ResourceKind::SnsTopic.id(resource_name(arn));
            graph.existing::<Topic>(id, Outputs::from([("arn", arn.clone())]))
        }
        None => graph.add(Topic {
            arn: topic_arn.clone(),
            queue_arn: queue_arn.clone(),
            temporary_queue_arn_prefix: scope
                .queue_arn(&format!("{}_", names.temporary_queue_prefix())),
            ownership: ownership.clone(),
        }),
    };
    let topic_policy = target.topic.is_none().then(|| {
        graph.add(TopicPolicy {
            topic: topic.arn(),
            document: policies::topic_policy(target, &topic_arn),
        })
    });

    let queues = QueuePair {
        queue_arn: queue_arn.clone(),
        dead_letter_queue_arn: scope.queue_arn(&names.dead_letter_queue()),
        ordering: QueueOrdering::Standard,
        dead_letter_ordering: QueueOrdering::Standard,
        timing: QueueTiming::HEELER,
    };
    let queue = add_queues(&mut graph, queues, Some(&key), &ownership);
    let queue_policy = graph.add(QueuePolicy {
        queue: queue.arn(),
        document: policies::queue_policy(&queue_arn, &topic_arn),
    });
    let subscription = graph.add(Subscription {
        topic: topic.arn(),
        queue: queue.arn(),
        key_prefix: target.topic.as_ref().map(|_| target.log_prefix.clone()),
        depends_on: vec![queue_policy.completed()],
    });

    // Managed only with its topic.
    let notification = topic_policy.map(|topic_policy| BucketNotification {
        bucket: target.bucket.clone(),
        bucket_owner: scope.account.clone(),
        entry_id: names.notification_id(),
        prefix: target.log_prefix.clone(),
        suffix: String::new(),
        destination: NotificationDestination::Topic(topic.arn()),
        depends_on: vec![subscription.completed(), topic_policy.completed()],
        reviewed: ReviewedEntries::default(),
    });
    let document_target = target.clone();
    let document = move |key: &str| policies::heeler_policy(&document_target, &queue_arn, key);
    let mut policy = heeler_policy(scope, &key, &ownership, document);
    // The role is narrowed only when nothing else is announced any more.
    let (narrowed, announced) = if target.narrows_notification {
        (notification, None)
    } else {
        (None, notification)
    };
    if let Some(notification) = narrowed {
        policy.depends_on.push(graph.add(notification).completed());
    }
    // The filter policy of the subscription to a topic of the customer is narrowed first as well.
    if target.topic.is_some() {
        policy.depends_on.push(subscription.completed());
    }
    let policy = graph.add(policy);
    let attachment = graph.add(PolicyAttachment {
        role: role.arn(),
        policy: policy.arn(),
    });

    // Events are announced only when everything else is in place.
    let mut depends_on = vec![attachment.completed()];
    for bucket_key in own_keys(scope, &target.bucket_keys) {
        let grant = graph.add(KmsGrant {
            name: names.grant(),
            key_arn: bucket_key.clone(),
            grantee: role.arn(),
        });
        depends_on.push(grant.completed());
    }
    if let Some(mut notification) = announced {
        notification.depends_on.extend(depends_on);
        graph.add(notification);
    }
    Pipeline {
        graph,
        queue_url: queue.url(),
        role_arn: role.arn(),
    }
}
