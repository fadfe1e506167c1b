//! What the survey knows of the place that a policy is about.

use super::survey::facts::{Group, KeyFacts, TopicFacts};
use super::survey::{Sealed, Survey};
use crate::permit::place::Place;
use crate::route::Route;

/// Puts the names that were found in place of those that were not known.
pub fn fill(place: &mut Place, survey: &Survey) {
    if let Ok(caller) = &survey.account.caller {
        place.account.clone_from(&caller.account);
        place.partition.clone_from(&caller.partition);
    }
    match survey.route {
        Route::S3 => at_bucket(survey, place),
        Route::CloudWatch => at_log_group(survey, place),
    }
}

/// Policies know keys by their id. An alias is none.
#[must_use]
pub fn is_key(key: &str) -> bool {
    !key.contains("alias/")
}

/// Where the bucket is, and what its objects are encrypted with.
fn at_bucket(survey: &Survey, place: &mut Place) {
    if let Some(region) = survey.region() {
        region.clone_into(&mut place.region);
    }
    if survey.trail().is_some() {
        place.log_prefix = survey.log_prefix();
    }
    let Some(bucket) = &survey.bucket else {
        return;
    };
    place.bucket.clone_from(&bucket.name);
    match survey.sealed() {
        Sealed::ByKeys(keys) => {
            let names = keys.iter().map(|facts| facts.name());
            let known: Vec<String> = names.filter(|key| is_key(key)).map(str::to_owned).collect();
            if !known.is_empty() {
                place.bucket_keys = known;
            }
        }
        Sealed::ByS3 | Sealed::ByAws => place.bucket_keys.clear(),
        Sealed::Unseen => {}
    }
    let others = bucket.keys.iter().map(KeyFacts::name);
    place.other_keys = others
        .filter(|key| is_key(key))
        .map(str::to_owned)
        .collect();
    if let Some(Ok(Some(topic))) = &bucket.topic {
        place.use_topic(&topic.arn);
        place.topic_key = key_of(topic);
    }
}

/// The key that a topic of others is encrypted with, if preflight looks at it.
fn key_of(topic: &TopicFacts) -> Option<String> {
    topic.key_policy.as_ref()?;
    let key = topic.key.clone().filter(|key| is_key(key));
    Some(key.unwrap_or_else(|| "${TOPIC_KEY_ID}".to_owned()))
}

/// Where the log group is, and its key.
fn at_log_group(survey: &Survey, place: &mut Place) {
    let Some(found) = &survey.log_group else {
        return;
    };
    place.log_group_region.clone_from(&found.region);
    place.log_group.clone_from(&found.name);
    match (&found.group, &found.key) {
        (_, Some(key)) if is_key(key.name()) => place.log_group_key = Some(key.name().to_owned()),
        (Ok(Some(Group { key: None, .. })), _) => place.log_group_key = None,
        _ => {}
    }
}
