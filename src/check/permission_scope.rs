//! Fills the scope of a least-privilege policy from the facts.

use crate::inventory::facts::{KeyFacts, LogGroupSettings, TopicFacts};
use crate::inventory::{Fact, LogEncryption, Snapshot, TrailDestination};
use crate::permissions::scope::PolicyScope;

/// Replaces placeholders with the names that were found.
pub fn fill_scope(place: &mut PolicyScope, snapshot: &Snapshot) {
    if let Ok(caller) = &snapshot.account.caller {
        place.account.clone_from(&caller.account);
        place.partition.clone_from(&caller.partition);
    }
    match snapshot.option.destination {
        TrailDestination::Bucket => fill_bucket(snapshot, place),
        TrailDestination::LogGroup => fill_log_group(snapshot, place),
    }
}

/// Returns true if `key` is a key ID or ARN. Policies cannot name aliases.
#[must_use]
pub fn is_key_id(key: &str) -> bool {
    !key.contains("alias/")
}

/// Fills in the bucket, its region and its keys.
fn fill_bucket(snapshot: &Snapshot, place: &mut PolicyScope) {
    if let Some(region) = snapshot.region() {
        region.clone_into(&mut place.bucket.region);
    }
    if snapshot.trail().is_some() {
        place.bucket.log_prefix = snapshot.log_prefix();
    }
    let Some(bucket) = &snapshot.bucket else {
        return;
    };
    place.bucket.name.clone_from(&bucket.name);
    match snapshot.log_encryption() {
        LogEncryption::CustomerKeys(keys) => {
            let names = keys.iter().map(|facts| facts.name());
            let known: Vec<String> = names
                .filter(|key| is_key_id(key))
                .map(str::to_owned)
                .collect();
            if !known.is_empty() {
                place.bucket.keys = known;
            }
        }
        LogEncryption::SseS3 | LogEncryption::AwsManagedKey => place.bucket.keys.clear(),
        LogEncryption::Unknown => {}
    }
    let others = bucket.keys.iter().map(KeyFacts::name);
    place.bucket.other_keys = others
        .filter(|key| is_key_id(key))
        .map(str::to_owned)
        .collect();
    if let Fact::Present(topic) = &bucket.topic {
        place.set_existing_topic(&topic.arn);
        place.bucket.topic_key = topic_key(topic);
    }
}

/// Returns the key of an existing topic if preflight reads its policy.
fn topic_key(topic: &TopicFacts) -> Option<String> {
    if matches!(topic.key_policy, Fact::NotRequested) {
        return None;
    }
    let key = topic.key.clone().filter(|key| is_key_id(key));
    Some(key.unwrap_or_else(|| "${TOPIC_KEY_ID}".to_owned()))
}

/// Fills in the log group, its region and its key.
fn fill_log_group(snapshot: &Snapshot, place: &mut PolicyScope) {
    let Some(found) = &snapshot.log_group else {
        return;
    };
    place.log_group.region.clone_from(&found.region);
    place.log_group.name.clone_from(&found.name);
    match (&found.settings, &found.key) {
        (_, Some(key)) if is_key_id(key.name()) => {
            place.log_group.key = Some(key.name().to_owned());
        }
        (Fact::Present(LogGroupSettings { key: None, .. }), _) => place.log_group.key = None,
        _ => {}
    }
}
