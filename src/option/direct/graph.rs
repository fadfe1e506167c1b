//! Resources of option s3-direct.

use super::policies;
use super::target::{DirectTarget, NAME};
use crate::deployment::resources::{
    QueuePair, QueueTiming, add_access_role, add_key, add_queues, policy_with_key,
};
use crate::option::bucket_keys::own_keys;
use crate::option::delivery_option::Pipeline;
use crate::reconcile::graph::Graph;
use crate::reconcile::scope::Scope;
use crate::resource::bucket_notification::{
    BucketNotification, NotificationDestination, ReviewedEntries,
};
use crate::resource::kms_grant::KmsGrant;
use crate::resource::managed_policy::ManagedPolicy;
use crate::resource::policy_attachment::PolicyAttachment;
use crate::resource::queue::QueueOrdering;
use crate::resource::queue_policy::QueuePolicy;

const ROLE: &str = "Role for a vendor to assume to receive S3 events from an SQS queue.";
const POLICY: &str = "Policy to allow a vendor to receive S3 events and to read their objects.";
/// Times for any vendor: the default retention of SQS, and five minutes to handle a batch of messages. The dead-letter
/// queue has the longest retention of SQS. Source: `CreateQueue` in the SQS API Reference.
const TIMING: QueueTiming = QueueTiming {
    retention: 345_600,
    dead_letter_retention: 1_209_600,
    visibility_timeout: 300,
};

/// The graph of a deployment, in the order of the plan.
pub(super) fn build(target: &DirectTarget) -> Pipeline {
    let (scope, names) = (&target.scope, &target.scope.names);
    let ownership = scope.ownership_tags(NAME);
    let mut graph = Graph::new(Scope::new(&scope.account, &scope.region));
    let queue_arn = scope.queue_arn(&names.queue());
    let role = add_access_role(
        &mut graph,
        scope,
        &target.trust,
        target.role_tags(),
        &ownership,
        ROLE,
    );
    let key = target.has_queue_key.then(|| {
        let policy = policies::key_policy(target);
        add_key(&mut graph, scope, policy, &ownership)
    });
    let queues = QueuePair {
        queue_arn: queue_arn.clone(),
        dead_letter_queue_arn: scope.queue_arn(&names.dead_letter_queue()),
        ordering: QueueOrdering::Standard,
        dead_letter_ordering: QueueOrdering::Standard,
        timing: TIMING,
    };
    let queue = add_queues(&mut graph, queues, key.as_ref(), &ownership);
    // S3 sends a test event when the notification is written, so the policy comes first.
    let queue_policy = graph.add(QueuePolicy {
        queue: queue.arn(),
        document: policies::queue_policy(target, &queue_arn),
    });
    let notification = BucketNotification {
        bucket: target.bucket.clone(),
        bucket_owner: scope.account.clone(),
        entry_id: names.notification_id(),
        prefix: target.prefix.clone(),
        suffix: target.suffix.clone(),
        destination: NotificationDestination::Queue(queue.arn()),
        depends_on: vec![queue_policy.completed()],
        reviewed: ReviewedEntries::default(),
    };
    let mut policy = if let Some(key) = &key {
        let (of, arn) = (target.clone(), queue_arn);
        let document = move |key: &str| policies::vendor_policy(&of, &arn, Some(key));
        let policy_arn = scope.policy_arn(&names.policy());
        policy_with_key(policy_arn, names.role(), POLICY, key, &ownership, document)
    } else {
        let document = policies::vendor_policy(target, &queue_arn, None);
        ManagedPolicy {
            arn: scope.policy_arn(&names.policy()),
            description: POLICY,
            document: Box::new(move |_| Some(document.clone())),
            depends_on: Vec::new(),
            ownership: ownership.clone(),
            role: names.role(),
        }
    };
    // The role is narrowed only when nothing else is announced any more.
    let announced = if target.narrows_notification {
        policy.depends_on.push(graph.add(notification).completed());
        None
    } else {
        Some(notification)
    };
    let policy = graph.add(policy);
    let attachment = graph.add(PolicyAttachment {
        role: role.arn(),
        policy: policy.arn(),
    });
    let mut depends_on = vec![attachment.completed()];
    for bucket_key in own_keys(scope, &target.bucket_keys) {
        let grant = graph.add(KmsGrant {
            name: names.grant(),
            key_arn: bucket_key.clone(),
            grantee: role.arn(),
        });
        depends_on.push(grant.completed());
    }
    // Events are announced only when everything else is in place.
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
