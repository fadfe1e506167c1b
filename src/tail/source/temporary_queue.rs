//! A queue of our own on the topic, for as long as somebody watches. Heeler's queue is never received from.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use serde_json::json;

use crate::aws::error::AwsResultExt;
use crate::aws::{Aws, arn};
use crate::error::{Error, Result};
use crate::iam;
use crate::ownership::{MANAGED_BY_TAG, is_managed_by_program};
use crate::tail::source::queue_lock::QueueLock;

/// What a tap hangs on.
#[derive(Clone, Debug)]
pub struct SubscriptionTarget {
    pub partition: String,
    pub account: String,
    pub topic: String,
    /// What the names of taps begin with.
    pub name_prefix: String,
}

/// A tap that is in place.
pub struct TemporaryQueue {
    pub name: String,
    url: String,
    subscription: String,
    lock: QueueLock,
}

/// One received message.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    pub id: String,
    pub body: String,
    receipt_handle: String,
}

/// Seconds since 1970 when the tap was last known to be watched.
const HEARTBEAT_TAG: &str = "heeler-ec:alive";
/// How often a watched tap says so, and when one that does not counts as left behind.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(120);
const STALE_AFTER: Duration = Duration::from_secs(600);
/// Seconds: a message is either read at once or of no use.
const RETENTION_SECONDS: u32 = 3_600;
const RECEIVE_WAIT_SECONDS: i32 = 10;
const QUEUE_NOT_FOUND_CODES: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
];
const TOPIC_NOT_FOUND_CODES: &[&str] = &["NotFound", "NotFoundException"];

/// How often a watched tap says so.
#[must_use]
pub fn heartbeat_interval() -> Duration {
    HEARTBEAT_INTERVAL
}

impl TemporaryQueue {
    /// Makes the queue, lets the topic in, and subscribes it.
    ///
    /// # Errors
    /// When AWS refuses; what was made until then is taken away again.
    pub async fn create(aws: &Aws, site: &SubscriptionTarget, name: &str) -> Result<Self> {
        let lock = QueueLock::acquire(name);
        let arn = arn::build(&site.partition, "sqs", aws.region(), &site.account, name);
        let made = aws
            .sqs
            .create_queue()
            .queue_name(name)
            .attributes(
                QueueAttributeName::MessageRetentionPeriod,
                RETENTION_SECONDS.to_string(),
            )
            .attributes(QueueAttributeName::Policy, queue_policy(&arn, &site.topic))
            .attributes(QueueAttributeName::SqsManagedSseEnabled, "true")
            .tags(MANAGED_BY_TAG, env!("CARGO_PKG_NAME"))
            .tags(HEARTBEAT_TAG, unix_seconds().to_string())
            .send()
            .await
            .context_for("sqs:CreateQueue", || {
                format!("create the queue {name} to listen with")
            });
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                lock.release();
                return Err(error);
            }
        };
        let url = made.queue_url.unwrap_or_default();
        let subscribed = aws
            .sns
            .subscribe()
            .topic_arn(&site.topic)
            .protocol("sqs")
            .endpoint(&arn)
            .return_subscription_arn(true)
            .send()
            .await
            .context_for("sns:Subscribe", || {
                format!("subscribe to topic {}", site.topic)
            });
        match subscribed {
            Ok(subscribed) => Ok(Self {
                name: name.to_owned(),
                url,
                subscription: subscribed.subscription_arn.unwrap_or_default(),
                lock,
            }),
            Err(error) => {
                let _ = delete_queue(aws, &url).await;
                lock.release();
                Err(error)
            }
        }
    }

    /// Says that it is still watched.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn heartbeat(&self, aws: &Aws) -> Result<()> {
        aws.sqs
            .tag_queue()
            .queue_url(&self.url)
            .tags(HEARTBEAT_TAG, unix_seconds().to_string())
            .send()
            .await
            .context_for("sqs:TagQueue", || format!("keep the queue {}", self.name))
            .map(|_| ())
    }

    /// Waits some seconds for messages.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn receive(&self, aws: &Aws) -> Result<Vec<ReceivedMessage>> {
        let received = aws
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .wait_time_seconds(RECEIVE_WAIT_SECONDS)
            .send()
            .await
            .context_for("sqs:ReceiveMessage", || {
                format!("receive from the queue {}", self.name)
            })?;
        Ok(received
            .messages
            .unwrap_or_default()
            .into_iter()
            .map(|message| ReceivedMessage {
                id: message.message_id.unwrap_or_default(),
                body: message.body.unwrap_or_default(),
                receipt_handle: message.receipt_handle.unwrap_or_default(),
            })
            .collect())
    }

    /// Takes messages off the tap.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_messages(&self, aws: &Aws, messages: &[ReceivedMessage]) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let doing = || format!("delete messages from the queue {}", self.name);
        let mut batch = aws.sqs.delete_message_batch().queue_url(&self.url);
        for (number, message) in messages.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(&message.receipt_handle)
                .build()
                .map_err(|why| Error::failed(doing(), why.to_string()))?;
            batch = batch.entries(entry);
        }
        // What could not be deleted comes again and is known as a duplicate.
        batch
            .send()
            .await
            .context_for("sqs:DeleteMessage", doing)
            .map(|_| ())
    }

    /// Takes away the subscription and the queue.
    ///
    /// # Errors
    /// When AWS refuses; both are tried.
    pub async fn delete(self, aws: &Aws) -> Result<()> {
        let unsubscribed = unsubscribe(aws, &self.subscription).await;
        let deleted = delete_queue(aws, &self.url).await;
        // By its lock the next run knows that a queue which is still there is not watched any more.
        if deleted.is_ok() {
            self.lock.release();
        }
        unsubscribed.and(deleted)
    }

    /// How to take it away by hand.
    #[must_use]
    pub fn manual_cleanup_commands(&self, region: &str) -> Vec<String> {
        vec![
            format!(
                "aws sns unsubscribe --region {region} --subscription-arn {}",
                self.subscription
            ),
            format!(
                "aws sqs delete-queue --region {region} --queue-url {}",
                self.url
            ),
        ]
    }
}

/// A name that nobody else's tap has.
#[must_use]
pub fn generate_name(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}

/// Takes away the taps that killed runs have left: those of this machine at once, those of others when nobody has
/// watched them for a while.
///
/// # Errors
/// When AWS refuses.
pub async fn remove_stale(aws: &Aws, site: &SubscriptionTarget) -> Result<Vec<String>> {
    let mut cleared = Vec::new();
    for url in list_queues(aws, site).await? {
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        if !is_stale(aws, &url, &name).await? {
            continue;
        }
        delete_queue(aws, &url).await?;
        cleared.push(name);
    }
    for (subscription, queue) in list_subscriptions(aws, site).await? {
        let gone = cleared.contains(&queue)
            || aws
                .sqs
                .get_queue_url()
                .queue_name(&queue)
                .send()
                .await
                .optional_for("sqs:GetQueueUrl", QUEUE_NOT_FOUND_CODES, || {
                    format!("look for the queue {queue}")
                })?
                .is_none();
        if gone {
            unsubscribe(aws, &subscription).await?;
            if !cleared.contains(&queue) {
                cleared.push(queue);
            }
        }
    }
    Ok(cleared)
}

async fn list_queues(aws: &Aws, site: &SubscriptionTarget) -> Result<Vec<String>> {
    let mut urls = Vec::new();
    let mut pages = aws
        .sqs
        .list_queues()
        .queue_name_prefix(format!("{}_", site.name_prefix))
        .max_results(100)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("sqs:ListQueues", || {
            "look for queues of earlier runs".into()
        })?;
        urls.extend(page.queue_urls.unwrap_or_default());
    }
    Ok(urls)
}

/// The subscriptions of taps: their ARN and the name of the queue.
async fn list_subscriptions(aws: &Aws, site: &SubscriptionTarget) -> Result<Vec<(String, String)>> {
    let ours = arn::build(
        &site.partition,
        "sqs",
        aws.region(),
        &site.account,
        &format!("{}_", site.name_prefix),
    );
    let mut found = Vec::new();
    let mut pages = aws
        .sns
        .list_subscriptions_by_topic()
        .topic_arn(&site.topic)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let Some(page) = page.optional_for(
            "sns:ListSubscriptionsByTopic",
            TOPIC_NOT_FOUND_CODES,
            || {
                format!(
                    "look for subscriptions of earlier runs to topic {}",
                    site.topic
                )
            },
        )?
        else {
            break;
        };
        for subscription in page.subscriptions() {
            if let (Some(arn), Some(endpoint)) =
                (subscription.subscription_arn(), subscription.endpoint())
                && arn.starts_with("arn:")
                && endpoint.starts_with(&ours)
            {
                found.push((arn.to_owned(), arn::resource_name(endpoint).to_owned()));
            }
        }
    }
    Ok(found)
}

async fn is_stale(aws: &Aws, url: &str, name: &str) -> Result<bool> {
    let found = aws
        .sqs
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .optional_for("sqs:ListQueueTags", QUEUE_NOT_FOUND_CODES, || {
            format!("read the tags of the queue {name}")
        })?;
    let tags: HashMap<String, String> = found.and_then(|found| found.tags).unwrap_or_default();
    let pairs = tags.iter();
    if !is_managed_by_program(pairs.map(|(key, value)| (key.as_str(), value.as_str()))) {
        return Ok(false);
    }
    // Only a tap says that it is watched.
    let Some(alive) = tags
        .get(HEARTBEAT_TAG)
        .and_then(|text| text.parse::<u64>().ok())
    else {
        return Ok(false);
    };
    if let Some(watched) = QueueLock::is_held(name) {
        return Ok(!watched);
    }
    Ok(unix_seconds().saturating_sub(alive) > STALE_AFTER.as_secs())
}

async fn delete_queue(aws: &Aws, url: &str) -> Result<()> {
    aws.sqs
        .delete_queue()
        .queue_url(url)
        .send()
        .await
        .optional_for("sqs:DeleteQueue", QUEUE_NOT_FOUND_CODES, || {
            format!("delete the queue {url}")
        })
        .map(|_| ())
}

async fn unsubscribe(aws: &Aws, subscription: &str) -> Result<()> {
    aws.sns
        .unsubscribe()
        .subscription_arn(subscription)
        .send()
        .await
        .optional_for("sns:Unsubscribe", TOPIC_NOT_FOUND_CODES, || {
            format!("delete the subscription {subscription}")
        })
        .map(|_| ())
}

fn queue_policy(queue: &str, topic: &str) -> String {
    iam::document(vec![
        json!({
            "Sid": "AllowTopicToSend",
            "Effect": "Allow",
            "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
        }),
        iam::deny_insecure("DenyInsecureTransport", "sqs:*", queue),
    ])
    .to_string()
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_name_fits_sqs_limit() {
        assert!(generate_name(&"x".repeat(21 + "_ec_tail".len())).len() <= 80);
    }
}
