//! Asks for the topic that a bucket announces its log objects to already.

use crate::aws::CallerIdentity;
use crate::aws::arn::{self, Arn};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};
use crate::inventory::facts::{Organization, TopicFacts, Trail, belongs_to_account};
use crate::inventory::limiter::LimitedClients;
use crate::inventory::{InventoryRequest, covers_log_objects, key, planned_notification};

/// The existing topic that setup would use: the one that was named, or one that already gets every log object.
pub(crate) fn covering_topic(
    entries: &[NotificationEntry],
    hints: &InventoryRequest,
    trail: &Trail,
    caller: &CallerIdentity,
    organization: Option<&Organization>,
    region: &str,
) -> Option<String> {
    if let Some(named) = &hints.topic {
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
    let logs = planned_notification(hints, Some(trail));
    let within = organization.map(|found| found.id.as_str());
    entries
        .iter()
        .find(|entry| {
            entry.target == NotificationTarget::Topic
                && entry.id != logs.id
                && covers_log_objects(entry, &logs.prefix, within)
        })
        .map(|entry| entry.destination.clone())
}

/// Whether a topic is one of the account and region, to which S3 can publish.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "AWS writes the ending of a FIFO topic in lower case only"
)]
pub(crate) fn is_usable_topic(topic: &str, account: &str, region: &str) -> bool {
    let here = Arn::parse(topic).is_none_or(|arn| arn.account == account && arn.region == region);
    here && !topic.ends_with(".fifo")
}

pub(crate) async fn topic_facts(
    ask: &LimitedClients,
    arn: &str,
    account: &str,
) -> Result<Option<TopicFacts>> {
    let region = Arn::parse(arn).map_or(ask.region(), |arn| arn.region);
    let ask = ask.at(region);
    let found = {
        let aws = ask.acquire().await;
        aws.sns
            .get_topic_attributes()
            .topic_arn(arn)
            .send()
            .await
            .optional_for(
                "sns:GetTopicAttributes",
                &["NotFound", "NotFoundException"],
                || format!("read topic {arn}"),
            )?
    };
    let Some(mut attributes) = found.and_then(|found| found.attributes) else {
        return Ok(None);
    };
    let key = attributes
        .remove("KmsMasterKeyId")
        .filter(|key| !key.is_empty());
    let key_policy = match &key {
        // Its policy cannot be changed, and does not name S3.
        Some(key) if key.ends_with("alias/aws/sns") => None,
        Some(key) if belongs_to_account(key, account) => Some(key_policy(&ask, key).await),
        _ => None,
    };
    Ok(Some(TopicFacts {
        arn: arn.to_owned(),
        policy: attributes.remove("Policy").unwrap_or_default(),
        key,
        key_policy,
    }))
}

/// KMS gives no policy for an alias: it has to be resolved first.
async fn key_policy(ask: &LimitedClients, asked: &str) -> Result<String> {
    if !asked.contains("alias/") {
        return key::policy(ask, asked).await;
    }
    match key::describe(ask, asked).await? {
        Some(key) => key::policy(ask, &key.arn).await,
        None => Err(Error::negative(format!("KMS key {asked} does not exist"))),
    }
}
