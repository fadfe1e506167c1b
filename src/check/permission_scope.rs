//! What the survey knows of the place that a policy is about.

use crate::inventory::facts::{KeyFacts, LogGroupSettings, TopicFacts};
use crate::inventory::trail_destination::TrailDestination;
use crate::inventory::{LogEncryption, Snapshot};
use crate::permissions::scope::PolicyScope;

/// Puts the names that were found in place of those that were not known.
pub fn fill_scope(place: &mut PolicyScope, survey: &Snapshot) {
    if let Ok(caller) = &survey.account.caller {
        place.account.clone_from(&caller.account);
        place.partition.clone_from(&caller.partition);
    }
    match survey.route {
        TrailDestination::Bucket => fill_bucket(survey, place),
        TrailDestination::LogGroup => fill_log_group(survey, place),
    }
}

/// Policies know keys by their id. An alias is none.
#[must_use]
pub fn is_key_id(key: &str) -> bool {
    !key.contains("alias/")
}

/// Where the bucket is, and what its objects are encrypted with.
fn fill_bucket(survey: &Snapshot, place: &mut PolicyScope) {
    if let Some(region) = survey.region() {
        region.clone_into(&mut place.bucket.region);
    }
    if survey.trail().is_some() {
        place.bucket.log_prefix = survey.log_prefix();
    }
    let Some(bucket) = &survey.bucket else {
        return;
    };
    place.bucket.name.clone_from(&bucket.name);
    match survey.log_encryption() {
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
    if let Some(Ok(Some(topic))) = &bucket.topic {
        place.set_existing_topic(&topic.arn);
        place.bucket.topic_key = topic_key(topic);
    }
}

/// The key that a topic of others is encrypted with, if preflight looks at it.
fn topic_key(topic: &TopicFacts) -> Option<String> {
    topic.key_policy.as_ref()?;
    let key = topic.key.clone().filter(|key| is_key_id(key));
    Some(key.unwrap_or_else(|| "${TOPIC_KEY_ID}".to_owned()))
}

/// Where the log group is, and its key.
fn fill_log_group(survey: &Snapshot, place: &mut PolicyScope) {
    let Some(found) = &survey.log_group else {
        return;
    };
    place.log_group.region.clone_from(&found.region);
    place.log_group.name.clone_from(&found.name);
    match (&found.settings, &found.key) {
        (_, Some(key)) if is_key_id(key.name()) => {
            place.log_group.key = Some(key.name().to_owned())
        }
        (Ok(Some(LogGroupSettings { key: None, .. })), _) => place.log_group.key = None,
        _ => {}
    }
}
