//! A queue of our own on the topic, for as long as somebody watches. Heeler's queue is never received from.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use serde_json::json;

use super::lock::Lock;
use crate::aws::fault::Doing;
use crate::aws::{Aws, arn};
use crate::error::{Error, Result};
use crate::policy;

/// What a tap hangs on.
#[derive(Clone, Debug)]
pub struct Site {
    pub partition: String,
    pub account: String,
    pub topic: String,
    /// What the names of taps begin with.
    pub prefix: String,
}

/// A tap that is in place.
pub struct Tap {
    pub name: String,
    url: String,
    subscription: String,
    lock: Lock,
}

/// One received message.
#[derive(Clone, Debug)]
pub struct Message {
    pub id: String,
    pub body: String,
    receipt: String,
}

const MANAGED_BY: &str = "managed-by";
/// Seconds since 1970 when the tap was last known to be watched.
const ALIVE: &str = "heeler-ec:alive";
/// How often a watched tap says so, and when one that does not counts as left behind.
const HEARTBEAT: Duration = Duration::from_secs(120);
const LEFT_BEHIND: Duration = Duration::from_secs(600);
/// Seconds: a message is either read at once or of no use.
const RETENTION: u32 = 3_600;
const WAIT: i32 = 10;
const NO_QUEUE: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
];
const NO_TOPIC: &[&str] = &["NotFound", "NotFoundException"];

/// How often a watched tap says so.
#[must_use]
pub fn heartbeat() -> Duration {
    HEARTBEAT
}

impl Tap {
    /// Makes the queue, lets the topic in, and subscribes it.
    ///
    /// # Errors
    /// When AWS refuses; what was made until then is taken away again.
    pub async fn open(aws: &Aws, site: &Site, name: &str) -> Result<Self> {
        let lock = Lock::hold(name);
        let arn = arn::build(&site.partition, "sqs", aws.region(), &site.account, name);
        let made = aws
            .sqs
            .create_queue()
            .queue_name(name)
            .attributes(
                QueueAttributeName::MessageRetentionPeriod,
                RETENTION.to_string(),
            )
            .attributes(QueueAttributeName::Policy, document(&arn, &site.topic))
            .attributes(QueueAttributeName::SqsManagedSseEnabled, "true")
            .tags(MANAGED_BY, env!("CARGO_PKG_NAME"))
            .tags(ALIVE, now().to_string())
            .send()
            .await
            .doing("sqs:CreateQueue", || {
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
            .doing("sns:Subscribe", || {
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
    pub async fn keep(&self, aws: &Aws) -> Result<()> {
        aws.sqs
            .tag_queue()
            .queue_url(&self.url)
            .tags(ALIVE, now().to_string())
            .send()
            .await
            .doing("sqs:TagQueue", || format!("keep the queue {}", self.name))
            .map(|_| ())
    }

    /// Waits some seconds for messages.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn receive(&self, aws: &Aws) -> Result<Vec<Message>> {
        let received = aws
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .wait_time_seconds(WAIT)
            .send()
            .await
            .doing("sqs:ReceiveMessage", || {
                format!("receive from the queue {}", self.name)
            })?;
        Ok(received
            .messages
            .unwrap_or_default()
            .into_iter()
            .map(|message| Message {
                id: message.message_id.unwrap_or_default(),
                body: message.body.unwrap_or_default(),
                receipt: message.receipt_handle.unwrap_or_default(),
            })
            .collect())
    }

    /// Takes messages off the tap.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn done_with(&self, aws: &Aws, messages: &[Message]) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let doing = || format!("delete messages from the queue {}", self.name);
        let mut batch = aws.sqs.delete_message_batch().queue_url(&self.url);
        for (number, message) in messages.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(&message.receipt)
                .build()
                .map_err(|why| Error::unanswered(doing(), why.to_string()))?;
            batch = batch.entries(entry);
        }
        // What could not be deleted comes again and is known as a duplicate.
        batch
            .send()
            .await
            .doing("sqs:DeleteMessage", doing)
            .map(|_| ())
    }

    /// Takes away the subscription and the queue.
    ///
    /// # Errors
    /// When AWS refuses; both are tried.
    pub async fn close(self, aws: &Aws) -> Result<()> {
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
    pub fn by_hand(&self, region: &str) -> Vec<String> {
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
pub fn name(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}

/// Takes away the taps that killed runs have left: those of this machine at once, those of others when nobody has
/// watched them for a while.
///
/// # Errors
/// When AWS refuses.
pub async fn clear(aws: &Aws, site: &Site) -> Result<Vec<String>> {
    let mut cleared = Vec::new();
    for url in taps(aws, site).await? {
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        if !is_left_behind(aws, &url, &name).await? {
            continue;
        }
        delete_queue(aws, &url).await?;
        cleared.push(name);
    }
    for (subscription, queue) in subscriptions(aws, site).await? {
        let gone = cleared.contains(&queue)
            || aws
                .sqs
                .get_queue_url()
                .queue_name(&queue)
                .send()
                .await
                .finding("sqs:GetQueueUrl", NO_QUEUE, || {
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

async fn taps(aws: &Aws, site: &Site) -> Result<Vec<String>> {
    let mut urls = Vec::new();
    let mut pages = aws
        .sqs
        .list_queues()
        .queue_name_prefix(format!("{}_", site.prefix))
        .max_results(100)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.doing("sqs:ListQueues", || {
            "look for queues of earlier runs".into()
        })?;
        urls.extend(page.queue_urls.unwrap_or_default());
    }
    Ok(urls)
}

/// The subscriptions of taps: their ARN and the name of the queue.
async fn subscriptions(aws: &Aws, site: &Site) -> Result<Vec<(String, String)>> {
    let ours = arn::build(
        &site.partition,
        "sqs",
        aws.region(),
        &site.account,
        &format!("{}_", site.prefix),
    );
    let mut found = Vec::new();
    let mut pages = aws
        .sns
        .list_subscriptions_by_topic()
        .topic_arn(&site.topic)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let Some(page) = page.finding("sns:ListSubscriptionsByTopic", NO_TOPIC, || {
            format!(
                "look for subscriptions of earlier runs to topic {}",
                site.topic
            )
        })?
        else {
            break;
        };
        for subscription in page.subscriptions() {
            if let (Some(arn), Some(endpoint)) =
                (subscription.subscription_arn(), subscription.endpoint())
                && arn.starts_with("arn:")
                && endpoint.starts_with(&ours)
            {
                found.push((arn.to_owned(), arn::last(endpoint).to_owned()));
            }
        }
    }
    Ok(found)
}

async fn is_left_behind(aws: &Aws, url: &str, name: &str) -> Result<bool> {
    let found = aws
        .sqs
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .finding("sqs:ListQueueTags", NO_QUEUE, || {
            format!("read the tags of the queue {name}")
        })?;
    let tags: HashMap<String, String> = found.and_then(|found| found.tags).unwrap_or_default();
    if tags.get(MANAGED_BY).map(String::as_str) != Some(env!("CARGO_PKG_NAME")) {
        return Ok(false);
    }
    // Only a tap says that it is watched.
    let Some(alive) = tags.get(ALIVE).and_then(|text| text.parse::<u64>().ok()) else {
        return Ok(false);
    };
    if let Some(watched) = Lock::is_held(name) {
        return Ok(!watched);
    }
    Ok(now().saturating_sub(alive) > LEFT_BEHIND.as_secs())
}

async fn delete_queue(aws: &Aws, url: &str) -> Result<()> {
    aws.sqs
        .delete_queue()
        .queue_url(url)
        .send()
        .await
        .finding("sqs:DeleteQueue", NO_QUEUE, || {
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
        .finding("sns:Unsubscribe", NO_TOPIC, || {
            format!("delete the subscription {subscription}")
        })
        .map(|_| ())
}

fn document(queue: &str, topic: &str) -> String {
    policy::document(vec![
        json!({
            "Sid": "AllowTopicToSend",
            "Effect": "Allow",
            "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
        }),
        policy::deny_insecure("DenyInsecureTransport", "sqs:*", queue),
    ])
    .to_string()
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_tap_fits_into_the_name_of_a_queue() {
        assert!(name(&"x".repeat(21 + "_ec_tail".len())).len() <= 80);
    }
}
