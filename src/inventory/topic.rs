//! Reads the existing topic that receives a bucket's notifications.

use super::facts::{TopicFacts, belongs_to_account};
use super::limiter::LimitedClients;
use super::log_objects::{covers_log_objects, log_prefix, planned_notification};
use super::read_scope::ReadScope;
use super::{Fact, key};
use crate::aws::arn::{self, Arn};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::{Error, Result};

/// Returns the existing topic that setup would use: the topic given by the operator, or one that already receives
/// notifications for every log object.
pub(super) fn covering_topic(
    entries: &[NotificationEntry],
    scope: &ReadScope<'_>,
    region: &str,
) -> Option<String> {
    let ReadScope {
        trail,
        caller,
        organization,
        request,
    } = *scope;
    if request.bucket_events.is_some() {
        return None;
    }
    if let Some(named) = &request.topic {
        if named.starts_with("arn:") {
            return Some(named.clone());
        }
        return Some(arn::build(
            &caller.partition,
            "sns",
            region,
            &caller.account,
            named,
        ));
    }
    let log_prefix = log_prefix(Some(trail), organization.present());
    let planned = planned_notification(request, &log_prefix);
    entries
        .iter()
        .find(|entry| {
            entry.target == NotificationTarget::Topic
                && entry.id != planned.id
                && covers_log_objects(entry, &log_prefix)
        })
        .map(|entry| entry.destination.clone())
}

/// Returns true if S3 can publish to the topic: a standard topic in this account and region.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "AWS writes the suffix of FIFO topics in lower case only"
)]
pub(super) fn is_usable_topic(topic: &str, account: &str, region: &str) -> bool {
    let here = Arn::parse(topic).is_none_or(|arn| arn.account == account && arn.region == region);
    here && !topic.ends_with(".fifo")
}

pub(super) async fn topic_facts(
    clients: &LimitedClients,
    arn: &str,
    account: &str,
) -> Result<Option<TopicFacts>> {
    let region = Arn::parse(arn).map_or(clients.region(), |arn| arn.region);
    let clients = clients.in_region(region);
    let found = {
        let aws = clients.acquire().await;
        aws.sns
            .get_topic_attributes()
            .topic_arn(arn)
            .send()
            .await
            .optional_for("sns:GetTopicAttributes", not_found::TOPIC, || {
                format!("read topic {arn}")
            })?
    };
    let Some(mut attributes) = found.and_then(|found| found.attributes) else {
        return Ok(None);
    };
    let key = attributes
        .remove("KmsMasterKeyId")
        .filter(|key| !key.is_empty());
    let key_policy = match &key {
        // The policy of this AWS managed key cannot be changed and does not name S3.
        Some(key) if key.ends_with("alias/aws/sns") => Fact::NotRequested,
        Some(key) if belongs_to_account(key, account) => {
            Fact::from_result(key_policy(&clients, key).await)
        }
        _ => Fact::NotRequested,
    };
    Ok(Some(TopicFacts {
        arn: arn.to_owned(),
        policy: attributes.remove("Policy").unwrap_or_default(),
        key,
        key_policy,
    }))
}

/// Reads a key policy. `GetKeyPolicy` does not accept an alias, so an alias is resolved first.
async fn key_policy(clients: &LimitedClients, asked: &str) -> Result<String> {
    if !asked.contains("alias/") {
        return key::policy(clients, asked).await;
    }
    match key::describe(clients, asked).await? {
        Some(key) => key::policy(clients, &key.arn).await,
        None => Err(Error::negative(format!("KMS key {asked} does not exist"))),
    }
}
