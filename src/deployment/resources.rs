//! Resources that every option creates: the role with its policy, the key with its alias, and the queues.

use serde_json::Value;

use super::policies::dead_letter_queue_policy;
use super::scope::DeploymentScope;
use super::tags::RoleTags;
use crate::aws::Aws;
use crate::ownership::OwnershipTags;
use crate::reconcile::graph::{Graph, Handle, Output, ResourceId};
use crate::resource::kind::ResourceKind;
use crate::resource::kms_alias::KmsAlias;
use crate::resource::kms_key::{KmsKey, UnresolvedCreate};
use crate::resource::kms_tag_propagation::TagPropagation;
use crate::resource::managed_policy::ManagedPolicy;
use crate::resource::queue::{Queue, QueueOrdering, RedrivePolicy};
use crate::resource::role::{Role, TrustedEntity};
use crate::shared_document::role_trust::HeelerTrust;

/// Receives after which SQS moves a message to the dead-letter queue.
const MAX_RECEIVE_COUNT: u32 = 4;

/// Returns true if a managed resource shows which option is deployed. A grant has no tags, and options that read the same
/// bucket have the same grant.
#[must_use]
pub fn identifies_option(id: &ResourceId) -> bool {
    ResourceKind::of(id) != Some(ResourceKind::KmsGrant)
}

/// The description of the role that Heeler assumes.
const HEELER_ROLE: &str = "Role for Heeler to assume to harvest SQS queue.";
/// The description of the policy of that role.
const HEELER_POLICY: &str = "Policy to allow Heeler to harvest messages from SQS queue.";

/// Adds the role that Heeler assumes, as [`add_access_role`] does.
pub(crate) fn add_heeler_role(
    graph: &mut Graph<Aws>,
    scope: &DeploymentScope,
    trust: &HeelerTrust,
    tags: RoleTags,
    ownership: &OwnershipTags,
) -> Handle<Role> {
    add_access_role(graph, scope, trust, tags, ownership, HEELER_ROLE)
}

/// Adds the role that Heeler or another vendor assumes. All later resources wait for it: of two concurrent first setups only one gets it,
/// and the other creates nothing.
pub(crate) fn add_access_role(
    graph: &mut Graph<Aws>,
    scope: &DeploymentScope,
    trust: &HeelerTrust,
    tags: RoleTags,
    ownership: &OwnershipTags,
    description: &'static str,
) -> Handle<Role> {
    let role = graph.add(Role {
        arn: scope.role_arn(&scope.names.role()),
        description,
        trusted_entity: TrustedEntity::Heeler(trust.clone()),
        permissions_boundary: scope.permissions_boundary.clone(),
        ownership: ownership.clone(),
        deployment_tags: tags,
        own_policy: scope.policy_arn(&scope.names.policy()),
        run_id: Some(uuid::Uuid::new_v4().to_string()),
    });
    graph.lock();
    role
}

/// Adds the key and its alias. All later resources wait for the alias: of two runs that complete the same interrupted
/// setup only one gets it, and the other deletes its key.
pub(crate) fn add_key(
    graph: &mut Graph<Aws>,
    scope: &DeploymentScope,
    policy: Value,
    ownership: &OwnershipTags,
) -> Handle<KmsKey> {
    let tag_propagation = TagPropagation::default();
    let key = graph.add(KmsKey {
        alias: scope.names.key_alias(),
        description: "KMS key for encrypting SQS messages",
        policy,
        ownership: ownership.clone(),
        tag_propagation: tag_propagation.clone(),
        unresolved_create: UnresolvedCreate::default(),
        run_id: uuid::Uuid::new_v4().to_string(),
    });
    graph.add(KmsAlias {
        name: scope.names.key_alias(),
        key: key.arn(),
        ownership: ownership.clone(),
        tag_propagation,
    });
    graph.lock();
    key
}

/// The times of a queue and its dead-letter queue, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueTiming {
    /// Time after which SQS deletes a message that nobody deleted.
    pub retention: u32,
    /// Retention of the dead-letter queue. SQS counts it from the time at which the message was first sent, so it is
    /// longer (SQS Developer Guide, "Using dead-letter queues").
    pub dead_letter_retention: u32,
    /// Time until a received message that was not deleted can be received again.
    pub visibility_timeout: u32,
}

impl QueueTiming {
    /// The times that Heeler's documents name.
    pub const HEELER: Self = Self {
        retention: 7_200,
        dead_letter_retention: 345_600,
        visibility_timeout: 30,
    };
}

/// The names, the ordering and the times of a queue and its dead-letter queue.
pub(crate) struct QueuePair {
    pub queue_arn: String,
    pub dead_letter_queue_arn: String,
    pub ordering: QueueOrdering,
    pub dead_letter_ordering: QueueOrdering,
    pub timing: QueueTiming,
}

/// Adds the dead-letter queue and the queue. Without a key, SQS encrypts with its own.
pub(crate) fn add_queues(
    graph: &mut Graph<Aws>,
    pair: QueuePair,
    key: Option<&Handle<KmsKey>>,
    ownership: &OwnershipTags,
) -> Handle<Queue> {
    let key = key.map(Handle::<KmsKey>::arn);
    let dead_letters = graph.add(Queue {
        policy: Some(dead_letter_queue_policy(&pair.dead_letter_queue_arn)),
        arn: pair.dead_letter_queue_arn,
        key: key.clone(),
        retention_seconds: pair.timing.dead_letter_retention,
        receive_wait_seconds: 0,
        visibility_timeout_seconds: pair.timing.visibility_timeout,
        ordering: pair.dead_letter_ordering,
        redrive: None,
        redrive_allowed_from: Some(pair.queue_arn.clone()),
        ownership: ownership.clone(),
    });
    graph.add(Queue {
        arn: pair.queue_arn,
        key,
        retention_seconds: pair.timing.retention,
        receive_wait_seconds: 10,
        visibility_timeout_seconds: pair.timing.visibility_timeout,
        ordering: pair.ordering,
        redrive: Some(RedrivePolicy {
            target: dead_letters.arn(),
            max_receive_count: MAX_RECEIVE_COUNT,
        }),
        redrive_allowed_from: None,
        policy: None,
        ownership: ownership.clone(),
    })
}

/// The policy of the role. `document` builds it from the ARN of the key.
pub(crate) fn heeler_policy(
    scope: &DeploymentScope,
    key: &Handle<KmsKey>,
    ownership: &OwnershipTags,
    document: impl Fn(&str) -> Value + Send + Sync + 'static,
) -> ManagedPolicy {
    policy_with_key(
        scope.policy_arn(&scope.names.policy()),
        scope.names.role(),
        HEELER_POLICY,
        key,
        ownership,
        document,
    )
}

/// A policy of a role whose document contains the ARN of the key, which AWS assigns.
pub(crate) fn policy_with_key(
    arn: String,
    role: String,
    description: &'static str,
    key: &Handle<KmsKey>,
    ownership: &OwnershipTags,
    document: impl Fn(&str) -> Value + Send + Sync + 'static,
) -> ManagedPolicy {
    let key_arn: Output = key.arn();
    let known_key = key_arn.clone();
    ManagedPolicy {
        arn,
        description,
        document: Box::new(move |known| known.get(&known_key).map(|key| document(&key))),
        depends_on: vec![key_arn],
        ownership: ownership.clone(),
        role,
    }
}
