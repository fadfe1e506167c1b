//! Deletes the temporary queues of killed runs.

use std::collections::HashMap;
use std::time::Duration;

use crate::aws::error::AwsResultExt;
use crate::aws::{Aws, arn, not_found};
use crate::error::Result;
use crate::tail::source::queue_lock::QueueLock;
use crate::tail::source::temporary_queue::{
    HEARTBEAT_TAG, SubscriptionTarget, delete_queue, unix_seconds, unsubscribe,
};

/// Time without a heartbeat after which a queue is considered abandoned.
const STALE_AFTER: Duration = Duration::from_secs(600);

/// Deletes the temporary queues of killed runs. Queues of this machine are deleted immediately, and other queues after
/// [`STALE_AFTER`] without a heartbeat. Returns the names of the deleted queues.
///
/// # Errors
/// Returns an error if a call fails.
pub async fn remove_stale(aws: &Aws, target: &SubscriptionTarget) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for url in list_queues(aws, target).await? {
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        if !is_stale(aws, &url, &name).await? {
            continue;
        }
        delete_queue(aws, &url).await?;
        removed.push(name);
    }
    for (subscription, queue) in list_subscriptions(aws, target).await? {
        let gone = removed.contains(&queue)
            || aws
                .sqs
                .get_queue_url()
                .queue_name(&queue)
                .send()
                .await
                .optional_for("sqs:GetQueueUrl", not_found::QUEUE, || {
                    format!("look up the queue {queue}")
                })?
                .is_none();
        if gone {
            unsubscribe(aws, &subscription).await?;
            if !removed.contains(&queue) {
                removed.push(queue);
            }
        }
    }
    Ok(removed)
}

async fn list_queues(aws: &Aws, target: &SubscriptionTarget) -> Result<Vec<String>> {
    let mut urls = Vec::new();
    let mut pages = aws
        .sqs
        .list_queues()
        .queue_name_prefix(format!("{}_", target.name_prefix))
        .max_results(100)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("sqs:ListQueues", || {
            "list temporary queues of earlier runs".into()
        })?;
        urls.extend(page.queue_urls.unwrap_or_default());
    }
    Ok(urls)
}

/// Lists the subscriptions of temporary queues. Each item contains the subscription ARN and the queue name.
async fn list_subscriptions(
    aws: &Aws,
    target: &SubscriptionTarget,
) -> Result<Vec<(String, String)>> {
    let arn_prefix = arn::build(
        &target.partition,
        "sqs",
        aws.region(),
        &target.account,
        &format!("{}_", target.name_prefix),
    );
    let mut found = Vec::new();
    let mut pages = aws
        .sns
        .list_subscriptions_by_topic()
        .topic_arn(&target.topic)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let Some(page) =
            page.optional_for("sns:ListSubscriptionsByTopic", not_found::TOPIC, || {
                format!(
                    "list subscriptions of earlier runs to topic {}",
                    target.topic
                )
            })?
        else {
            break;
        };
        for subscription in page.subscriptions() {
            if let (Some(arn), Some(endpoint)) =
                (subscription.subscription_arn(), subscription.endpoint())
                && arn.starts_with("arn:")
                && endpoint.starts_with(&arn_prefix)
            {
                found.push((arn.to_owned(), arn::resource_name(endpoint).to_owned()));
            }
        }
    }
    Ok(found)
}

/// Returns true if the queue is a temporary queue whose run has ended.
async fn is_stale(aws: &Aws, url: &str, name: &str) -> Result<bool> {
    let found = aws
        .sqs
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .optional_for("sqs:ListQueueTags", not_found::QUEUE, || {
            format!("read the tags of the queue {name}")
        })?;
    let tags: HashMap<String, String> = found.and_then(|found| found.tags).unwrap_or_default();
    // Only temporary queues have this tag.
    let Some(heartbeat) = tags
        .get(HEARTBEAT_TAG)
        .and_then(|text| text.parse::<u64>().ok())
    else {
        return Ok(false);
    };
    if let Some(held) = QueueLock::is_held(name) {
        return Ok(!held);
    }
    Ok(unix_seconds().saturating_sub(heartbeat) > STALE_AFTER.as_secs())
}
