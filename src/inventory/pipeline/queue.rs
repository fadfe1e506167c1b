//! Reads the settings, the policy and the message counters of a queue, without receiving messages.

use std::collections::HashMap;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use super::facts::QueueFacts;
use crate::aws::error::AwsResultExt;
use crate::aws::{not_found, queue_url};
use crate::error::Result;
use crate::inventory::limiter::LimitedClients;

const ATTRIBUTES: [QueueAttributeName; 7] = [
    QueueAttributeName::Policy,
    QueueAttributeName::KmsMasterKeyId,
    QueueAttributeName::SqsManagedSseEnabled,
    QueueAttributeName::RedrivePolicy,
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    QueueAttributeName::ApproximateNumberOfMessagesDelayed,
];

pub(super) async fn queue_facts(
    clients: &LimitedClients,
    name: &str,
) -> Result<Option<QueueFacts>> {
    let found = queue_url::queue_url(&*clients.acquire().await, name).await?;
    let Some(url) = found else {
        return Ok(None);
    };
    let aws = clients.acquire().await;
    let found = aws
        .sqs
        .get_queue_attributes()
        .queue_url(&url)
        .set_attribute_names(Some(ATTRIBUTES.to_vec()))
        .send()
        .await
        .optional_for("sqs:GetQueueAttributes", not_found::QUEUE, || {
            format!("read sqs queue {name}")
        })?;
    Ok(found.map(|found| {
        let attributes = found.attributes.unwrap_or_default();
        from_attributes(url, &attributes)
    }))
}

fn from_attributes(url: String, attributes: &HashMap<QueueAttributeName, String>) -> QueueFacts {
    let text = |name: QueueAttributeName| {
        let found = attributes.get(&name).filter(|text| !text.is_empty());
        found.cloned()
    };
    let count = |name| text(name).and_then(|text| text.parse().ok());
    let redrive = text(QueueAttributeName::RedrivePolicy)
        .and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let target =
        redrive.and_then(|policy| Some(policy["deadLetterTargetArn"].as_str()?.to_owned()));
    QueueFacts {
        url,
        policy: text(QueueAttributeName::Policy),
        key: text(QueueAttributeName::KmsMasterKeyId),
        has_sqs_managed_sse: text(QueueAttributeName::SqsManagedSseEnabled).as_deref()
            == Some("true"),
        dead_letter_target: target,
        visible: count(QueueAttributeName::ApproximateNumberOfMessages).unwrap_or_default(),
        in_flight: count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            .unwrap_or_default(),
        delayed: count(QueueAttributeName::ApproximateNumberOfMessagesDelayed).unwrap_or_default(),
    }
}
