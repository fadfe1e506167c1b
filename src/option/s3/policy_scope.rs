//! The names in the policies of option s3: the trail's bucket, and everything that its log objects involve.

use super::target::{BUCKET as BUCKET_TAG, TOPIC as TOPIC_TAG, log_prefix};
use crate::aws::arn::Arn;
use crate::deployment::Deployment;
use crate::inventory::facts::{KeyFacts, TopicFacts};
use crate::inventory::{Fact, InventoryRequest, LogEncryption, Snapshot};
use crate::option::bucket_keys::granted_keys;
use crate::permissions::scope::{Placeholder, PolicyScope, RegionalScope, is_key_id};

pub(in crate::option) const REGION: &str = "${REGION}";
pub(in crate::option) const BUCKET: &str = "${BUCKET}";
/// Prefix of all log objects, with a slash at the end.
pub(in crate::option) const LOG_PREFIX: &str = "${LOG_PREFIX}";
/// IDs or ARNs of the KMS keys of the log objects.
pub(in crate::option) const BUCKET_KEYS: &str = "${BUCKET_KEY_ID}";
/// ID or ARN of the KMS key of the existing topic.
const TOPIC_KEY: &str = "${TOPIC_KEY_ID}";
/// IDs or ARNs of further keys that the trail, the bucket or log objects name. Preflight reads them. There is no
/// placeholder, because most buckets have none.
const OTHER_KEYS: &str = "other keys";
/// ARN of an existing topic, used instead of a managed one. There is no placeholder: without it, the topic is managed.
const TOPIC: &str = "existing topic";

pub(in crate::option) const PLACEHOLDERS: &[Placeholder] = &[
    (REGION, "the region of the trail's bucket"),
    (BUCKET, "the name of the trail's bucket"),
    (
        LOG_PREFIX,
        "[PREFIX/]AWSLogs/ORGANIZATION_ID/, or [PREFIX/]AWSLogs/ for the trail of one account",
    ),
    (
        BUCKET_KEYS,
        "the ID of the KMS key of the log objects; if there is none, remove the statements that name it",
    ),
    (TOPIC_KEY, "the ID of the KMS key of the existing topic"),
];

/// ARNs in the region of the trail's bucket.
pub(in crate::option) fn in_bucket_region(scope: &PolicyScope) -> RegionalScope<'_> {
    scope.in_region(REGION)
}

pub(in crate::option) fn region(scope: &PolicyScope) -> &str {
    scope.name_or(REGION)
}

pub(in crate::option) fn bucket_arn(scope: &PolicyScope) -> String {
    scope.bucket_arn(scope.name_or(BUCKET))
}

pub(in crate::option) fn log_object_arns(scope: &PolicyScope) -> String {
    scope.object_arns(scope.name_or(BUCKET), scope.name_or(LOG_PREFIX))
}

/// ARNs of the keys of the log objects; none if they are not encrypted with customer managed keys.
pub(in crate::option) fn bucket_key_arns(scope: &PolicyScope) -> Vec<String> {
    let at = in_bucket_region(scope);
    let keys = scope.names_or(BUCKET_KEYS).into_iter();
    keys.map(|key| at.key_arn(key)).collect()
}

/// ARNs of the keys of the log objects that belong to the account, on which setup creates grants.
pub(in crate::option) fn own_bucket_key_arns(scope: &PolicyScope) -> Vec<String> {
    let is_own = |key: &String| {
        let arn = Arn::parse(key);
        arn.is_none_or(|arn| arn.account == scope.account)
    };
    bucket_key_arns(scope).into_iter().filter(is_own).collect()
}

/// ARNs of all keys that preflight reads, except that of the topic.
pub(in crate::option) fn read_key_arns(scope: &PolicyScope) -> Vec<String> {
    let at = in_bucket_region(scope);
    let others = scope.known_names(OTHER_KEYS).iter();
    let mut all = bucket_key_arns(scope);
    all.extend(others.map(|key| at.key_arn(key)));
    all
}

/// ARN of the key of the existing topic, if it has one.
pub(in crate::option) fn topic_key_arn(scope: &PolicyScope) -> Option<String> {
    let key = scope.known_names(TOPIC_KEY).first()?;
    Some(in_bucket_region(scope).key_arn(key))
}

/// Returns true if setup creates the topic.
pub(in crate::option) fn has_managed_topic(scope: &PolicyScope) -> bool {
    scope.known_names(TOPIC).is_empty()
}

/// The topic that is used: an existing one, or the managed one.
pub(in crate::option) fn topic_arn(scope: &PolicyScope) -> String {
    match scope.known_names(TOPIC) {
        [topic, ..] => topic.clone(),
        [] => in_bucket_region(scope).managed_topic_arn(),
    }
}

/// Uses an existing topic, given by name or ARN. The managed topic stays managed if it is named.
fn set_topic(scope: &mut PolicyScope, topic: &str) {
    let at = in_bucket_region(scope);
    let arn = if topic.starts_with("arn:") {
        topic.to_owned()
    } else {
        at.topic_arn(topic)
    };
    let is_managed = arn == at.managed_topic_arn();
    scope.set_all(TOPIC, if is_managed { Vec::new() } else { vec![arn] });
}

/// Sets the names that the operator has given.
pub(in crate::option) fn set_requested_names(request: &InventoryRequest, scope: &mut PolicyScope) {
    if let Some(region) = &request.expected_region {
        scope.set(REGION, region);
    }
    if let Some(bucket) = &request.bucket {
        scope.set(BUCKET, bucket);
    }
    if let Some(events) = &request.bucket_events {
        scope.set(LOG_PREFIX, events.prefix());
    }
    if let Some(key) = request.bucket_key.as_ref().filter(|key| is_key_id(key)) {
        scope.set(BUCKET_KEYS, key);
    }
    if let Some(topic) = &request.topic {
        set_topic(scope, topic);
    }
}

/// Sets the names that the tags of a deployment contain.
pub(in crate::option) fn set_deployed_names(deployment: &Deployment, scope: &mut PolicyScope) {
    scope.set(REGION, &deployment.region);
    if let Some(bucket) = deployment.tag(BUCKET_TAG) {
        scope.set(BUCKET, bucket);
    }
    scope.set(LOG_PREFIX, log_prefix(deployment));
    scope.set_all(BUCKET_KEYS, granted_keys(deployment));
    let topic = deployment.tag(TOPIC_TAG).map(str::to_owned);
    scope.set_all(TOPIC, topic.into_iter().collect());
}

/// Sets the bucket, its region and its keys from the facts.
pub(in crate::option) fn set_found_names(snapshot: &Snapshot, scope: &mut PolicyScope) {
    if let Some(region) = snapshot.region() {
        scope.set(REGION, region);
    }
    if snapshot.trail().is_some() {
        scope.set(LOG_PREFIX, snapshot.log_prefix());
    }
    let Some(bucket) = &snapshot.bucket else {
        return;
    };
    scope.set(BUCKET, &bucket.name);
    match snapshot.log_encryption() {
        LogEncryption::CustomerKeys(keys) => {
            let known = key_ids(keys.iter().map(|key| key.name()));
            if !known.is_empty() {
                scope.set_all(BUCKET_KEYS, known);
            }
        }
        LogEncryption::SseS3 | LogEncryption::AwsManagedKey => {
            scope.set_all(BUCKET_KEYS, Vec::new());
        }
        LogEncryption::Unknown => {}
    }
    scope.set_all(OTHER_KEYS, key_ids(bucket.keys.iter().map(KeyFacts::name)));
    if let Fact::Present(topic) = &bucket.topic {
        set_topic(scope, &topic.arn);
        scope.set_all(TOPIC_KEY, topic_key(topic).into_iter().collect());
    }
}

fn key_ids<'k>(keys: impl Iterator<Item = &'k str>) -> Vec<String> {
    keys.filter(|key| is_key_id(key))
        .map(str::to_owned)
        .collect()
}

/// Returns the key of an existing topic if preflight reads its policy.
fn topic_key(topic: &TopicFacts) -> Option<String> {
    if matches!(topic.key_policy, Fact::NotRequested) {
        return None;
    }
    let key = topic.key.clone().filter(|key| is_key_id(key));
    Some(key.unwrap_or_else(|| TOPIC_KEY.to_owned()))
}
