//! Reads the subscription of a queue to a topic.

use super::facts::SubscriptionFacts;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;
use crate::inventory::limiter::LimitedClients;

pub(super) async fn subscription_facts(
    clients: &LimitedClients,
    topic: &str,
    queue: &str,
) -> Result<Option<SubscriptionFacts>> {
    let subscription = {
        let aws = clients.acquire().await;
        let call = aws.sns.list_subscriptions_by_topic().topic_arn(topic);
        let mut pages = call.into_paginator().send();
        let mut subscription = None;
        while let Some(page) = pages.next().await {
            let page =
                page.optional_for("sns:ListSubscriptionsByTopic", not_found::TOPIC, || {
                    format!("list the subscriptions of sns topic {topic}")
                })?;
            let Some(page) = page else { break };
            subscription = page
                .subscriptions()
                .iter()
                .find(|found| found.endpoint() == Some(queue))
                .and_then(|found| found.subscription_arn().map(str::to_owned));
            if subscription.is_some() {
                break;
            }
        }
        subscription
    };
    let Some(subscription) = subscription else {
        return Ok(None);
    };
    // A subscription without an ARN is pending, and has no attributes to read.
    if !subscription.starts_with("arn:") {
        return Ok(Some(SubscriptionFacts {
            is_pending: true,
            raw_delivery: false,
            filter_policy: None,
            filter_scope: String::new(),
        }));
    }
    let aws = clients.acquire().await;
    let call = aws.sns.get_subscription_attributes();
    let found = call
        .subscription_arn(&subscription)
        .send()
        .await
        .optional_for("sns:GetSubscriptionAttributes", not_found::TOPIC, || {
            format!("read sns subscription {subscription}")
        })?;
    let Some(attributes) = found.and_then(|found| found.attributes) else {
        return Ok(None);
    };
    let is_true = |name: &str| {
        attributes
            .get(name)
            .is_some_and(|text| text.eq_ignore_ascii_case("true"))
    };
    Ok(Some(SubscriptionFacts {
        is_pending: is_true("PendingConfirmation"),
        raw_delivery: is_true("RawMessageDelivery"),
        filter_policy: attributes
            .get("FilterPolicy")
            .filter(|text| !text.is_empty() && text.as_str() != "{}")
            .cloned(),
        filter_scope: attributes
            .get("FilterPolicyScope")
            .cloned()
            .unwrap_or_default(),
    }))
}
