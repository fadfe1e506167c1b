//! A temporary queue that is subscribed to the topic while `tail` runs, so that `tail` does not receive from Heeler's
//! queue.
//!
//! A killed run cannot delete its queue. Each queue therefore has two heartbeats: a lock file, which the operating system
//! releases when the process ends, and a tag with a timestamp. The next run deletes queues without a heartbeat
//! (see [`stale_queues`](super::stale_queues)).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::aws::{Aws, arn};
use crate::error::{Error, Result};
use crate::iam;
use crate::ownership::{MANAGED_BY_TAG, PROGRAM};
use crate::tail::source::queue_lock::QueueLock;

/// The topic that a temporary queue is subscribed to, and the account of the queue.
#[derive(Clone, Debug)]
pub struct SubscriptionTarget {
    pub partition: String,
    pub account: String,
    /// ARN of the topic.
    pub topic: String,
    /// Prefix of the names of temporary queues.
    pub name_prefix: String,
    /// Tags that the operator's account requires. A new queue gets them in addition to its own.
    pub extra_tags: Vec<(String, String)>,
}

/// An existing temporary queue.
pub struct TemporaryQueue {
    pub name: String,
    url: String,
    /// ARN of the subscription.
    subscription: String,
    /// Lock file of the queue; `None` after the queue has been deleted.
    lock: Option<QueueLock>,
    created_at: Instant,
}

/// A received message.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    pub id: String,
    pub body: String,
    receipt_handle: String,
}

/// Tag with the time of the last heartbeat, in seconds since 1970.
pub(super) const HEARTBEAT_TAG: &str = "heeler-ec:alive";
/// Interval between heartbeats.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(120);
/// Message retention. A message is either read immediately or not needed.
const RETENTION_SECONDS: u32 = 3_600;
const RECEIVE_WAIT_SECONDS: i32 = 10;
/// Time after creation during which SQS may report that the queue does not exist. AWS documents at least one second.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>.
const VISIBILITY_DELAY: Duration = Duration::from_secs(60);
/// Time that SQS needs at most to delete a queue. Calls for the queue may succeed in this time. Source:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html>.
const DELETION_DELAY: Duration = Duration::from_secs(60);
/// Interval between calls until the queue is visible or deleted.
const VISIBILITY_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The interval between heartbeats.
#[must_use]
pub fn heartbeat_interval() -> Duration {
    HEARTBEAT_INTERVAL
}

impl TemporaryQueue {
    /// Creates the queue with a policy that allows the topic to send messages, and subscribes the queue to the topic.
    ///
    /// # Errors
    /// Returns an error if a call fails. In that case, the queue is deleted.
    pub async fn create(aws: &Aws, target: &SubscriptionTarget, name: &str) -> Result<Self> {
        let lock = QueueLock::acquire(name);
        let arn = arn::build(
            &target.partition,
            "sqs",
            aws.region(),
            &target.account,
            name,
        );
        let call = aws
            .sqs
            .create_queue()
            .queue_name(name)
            .attributes(
                QueueAttributeName::MessageRetentionPeriod,
                RETENTION_SECONDS.to_string(),
            )
            .attributes(
                QueueAttributeName::Policy,
                queue_policy(&arn, &target.topic),
            )
            .attributes(QueueAttributeName::SqsManagedSseEnabled, "true")
            .tags(MANAGED_BY_TAG, PROGRAM)
            .tags(HEARTBEAT_TAG, unix_seconds().to_string());
        let call = target
            .extra_tags
            .iter()
            .fold(call, |call, (key, value)| call.tags(key, value));
        let created = call.send().await.context_for("sqs:CreateQueue", || {
            format!("create the temporary queue {name}")
        });
        let created_at = Instant::now();
        let created = match created {
            Ok(created) => created,
            Err(error) => {
                if error.is_transient() {
                    delete_unconfirmed_queue(aws, name).await;
                }
                lock.release();
                return Err(error);
            }
        };
        let mut queue = Self {
            name: name.to_owned(),
            url: created.queue_url.unwrap_or_default(),
            subscription: String::new(),
            lock: Some(lock),
            created_at,
        };
        match subscribe(aws, &target.topic, &arn).await {
            Ok(subscription) => {
                queue.subscription = subscription;
                Ok(queue)
            }
            Err(error) => {
                let is_left = error.is_transient()
                    && delete_unconfirmed_subscription(aws, &target.topic, &arn)
                        .await
                        .is_err();
                // The first error is reported. If the deletion fails, the next run deletes the queue.
                let _ = queue.delete_queue(aws).await;
                Err(if is_left {
                    error.with_hint(format!(
                        "the subscription of queue {name} may be left; the next `heeler-ec tail` or `heeler-ec destroy` deletes \
                         it; to look for it, run `aws sns list-subscriptions-by-topic --region {} --topic-arn {}`",
                        aws.region(),
                        target.topic
                    ))
                } else {
                    error
                })
            }
        }
    }

    /// Writes the heartbeat tag.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn heartbeat(&self, aws: &Aws) -> Result<()> {
        aws.sqs
            .tag_queue()
            .queue_url(&self.url)
            .tags(HEARTBEAT_TAG, unix_seconds().to_string())
            .send()
            .await
            .context_for("sqs:TagQueue", || {
                format!("tag the temporary queue {}", self.name)
            })
            .map(|_| ())
    }

    /// Receives messages with long polling. A queue that is not visible yet has no messages.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn receive(&self, aws: &Aws) -> Result<Vec<ReceivedMessage>> {
        let received = self.receive_once(aws).await;
        if received
            .as_ref()
            .is_err_and(|error| self.may_be_invisible(error))
        {
            sleep(VISIBILITY_POLL_INTERVAL).await;
            return Ok(Vec::new());
        }
        received
    }

    /// Returns true if SQS may report a missing queue only because the queue was created recently.
    fn may_be_invisible(&self, error: &Error) -> bool {
        error.has_any_code(not_found::QUEUE) && self.created_at.elapsed() < VISIBILITY_DELAY
    }

    async fn receive_once(&self, aws: &Aws) -> Result<Vec<ReceivedMessage>> {
        let received = aws
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .wait_time_seconds(RECEIVE_WAIT_SECONDS)
            .send()
            .await
            .context_for("sqs:ReceiveMessage", || {
                format!("receive from the temporary queue {}", self.name)
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

    /// Deletes messages from the queue.
    ///
    /// # Errors
    /// Returns an error if the call fails.
    pub async fn delete_messages(&self, aws: &Aws, messages: &[ReceivedMessage]) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let operation = || format!("delete messages from the temporary queue {}", self.name);
        let mut batch = aws.sqs.delete_message_batch().queue_url(&self.url);
        for (number, message) in messages.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(&message.receipt_handle)
                .build()
                .map_err(|error| Error::failed(operation(), error.to_string()))?;
            batch = batch.entries(entry);
        }
        // Messages that are not deleted are received again. Their events are then recognised as duplicates.
        batch
            .send()
            .await
            .context_for("sqs:DeleteMessage", operation)
            .map(|_| ())
    }

    /// Deletes the subscription and the queue. It may be called again after an error.
    ///
    /// # Errors
    /// Returns an error if a call fails. The queue is deleted even if the subscription cannot be deleted.
    pub async fn delete(&mut self, aws: &Aws) -> Result<()> {
        let unsubscribed = unsubscribe(aws, &self.subscription).await;
        let deleted = self.delete_queue(aws).await;
        unsubscribed.and(deleted)
    }

    /// Deletes the queue, and repeats the call until SQS no longer knows the queue. `DeleteQueue` has no output, so the
    /// response of something else than AWS looks like success. If the queue was created recently, waits until it is
    /// visible, because SQS cannot delete it earlier.
    async fn delete_queue(&mut self, aws: &Aws) -> Result<()> {
        let mut accepted_at = None;
        loop {
            let deleted = aws
                .sqs
                .delete_queue()
                .queue_url(&self.url)
                .send()
                .await
                .context_for("sqs:DeleteQueue", || {
                    format!("delete the queue {}", self.url)
                });
            match deleted {
                Err(error) if accepted_at.is_none() && self.may_be_invisible(&error) => {
                    sleep(VISIBILITY_POLL_INTERVAL).await;
                    continue;
                }
                // The lock file stays, so that the next run on this machine recognises the queue as abandoned.
                Err(error) if !error.has_any_code(not_found::QUEUE) => return Err(error),
                _ => {}
            }
            let found = self.is_found(aws).await;
            if matches!(found, Ok(false)) {
                break;
            }
            let accepted_at = accepted_at.get_or_insert_with(Instant::now);
            if accepted_at.elapsed() >= DELETION_DELAY {
                // No further repetition, because this error is not transient.
                found.map_err(|error| error.with_transience(false))?;
                let reason = format!(
                    "AWS accepted the call, but AWS still shows it after {} s",
                    DELETION_DELAY.as_secs()
                );
                let operation = format!("delete the queue {}", self.url);
                return Err(Error::failed(operation, reason));
            }
            if let Err(error) = found
                && !error.is_transient()
            {
                return Err(error);
            }
            sleep(VISIBILITY_POLL_INTERVAL).await;
        }
        if let Some(lock) = self.lock.take() {
            lock.release();
        }
        Ok(())
    }

    /// Returns true if SQS still knows the queue. Returns false if the caller may not look it up.
    async fn is_found(&self, aws: &Aws) -> Result<bool> {
        let call = aws.sqs.get_queue_url().queue_name(&self.name);
        let found = call.send().await;
        let found = found.optional_for("sqs:GetQueueUrl", not_found::QUEUE, || {
            format!("verify the deletion of the queue {}", self.name)
        });
        match found {
            Err(error) if error.is_denied() => Ok(false),
            found => Ok(found?.is_some()),
        }
    }

    /// Commands that delete the subscription and the queue.
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

/// Subscribes a queue to a topic and returns the ARN of the subscription.
async fn subscribe(aws: &Aws, topic: &str, queue: &str) -> Result<String> {
    let subscribed = aws
        .sns
        .subscribe()
        .topic_arn(topic)
        .protocol("sqs")
        .endpoint(queue)
        .return_subscription_arn(true)
        .send()
        .await
        .context_for("sns:Subscribe", || format!("subscribe to topic {topic}"))?;
    Ok(subscribed.subscription_arn.unwrap_or_default())
}

/// Deletes a subscription that may exist although `Subscribe` failed. A second `Subscribe` returns the ARN of an existing
/// subscription (API reference of SNS).
async fn delete_unconfirmed_subscription(aws: &Aws, topic: &str, queue: &str) -> Result<()> {
    let subscription = subscribe(aws, topic, queue).await?;
    unsubscribe(aws, &subscription).await
}

/// Deletes a queue that may exist although `CreateQueue` failed. If the deletion also fails, the next run deletes the
/// queue.
async fn delete_unconfirmed_queue(aws: &Aws, name: &str) {
    if let Ok(found) = aws.sqs.get_queue_url().queue_name(name).send().await
        && let Some(url) = found.queue_url
    {
        let _ = delete_queue(aws, &url).await;
    }
}

/// Generates a unique queue name.
#[must_use]
pub fn generate_name(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}

pub(super) async fn delete_queue(aws: &Aws, url: &str) -> Result<()> {
    aws.sqs
        .delete_queue()
        .queue_url(url)
        .send()
        .await
        .optional_for("sqs:DeleteQueue", not_found::QUEUE, || {
            format!("delete the queue {url}")
        })
        .map(|_| ())
}

pub(super) async fn unsubscribe(aws: &Aws, subscription: &str) -> Result<()> {
    aws.sns
        .unsubscribe()
        .subscription_arn(subscription)
        .send()
        .await
        .optional_for("sns:Unsubscribe", not_found::TOPIC, || {
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

/// The time in seconds since 1970.
pub(super) fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;

    const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:topic";

    /// Creates a temporary queue while SNS throttles the first call, and has this response to the second one.
    async fn create_while_throttled(second: CannedResponse) -> (Error, Vec<String>) {
        let url = r#"{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"}"#;
        let throttled = CannedResponse::xml_error("Throttled", "Rate exceeded");
        let unknown = CannedResponse::json_error("QueueDoesNotExist", "unknown");
        let (aws, sent) = Aws::canned(vec![
            ("CreateQueue", CannedResponse::ok(url)),
            ("Subscribe", throttled),
            ("Subscribe", second),
            ("Unsubscribe", CannedResponse::ok("<UnsubscribeResponse/>")),
            ("DeleteQueue", CannedResponse::ok("")),
            ("GetQueueUrl", unknown),
        ]);
        let target = SubscriptionTarget {
            partition: "aws".into(),
            account: "111122223333".into(),
            topic: TOPIC.into(),
            name_prefix: "prefix".into(),
            extra_tags: Vec::new(),
        };
        let name = generate_name("unit_test");
        let created = TemporaryQueue::create(&aws, &target, &name).await;
        let error = created.err().expect("the error of the first call");
        (error, sent.operations())
    }

    #[tokio::test(start_paused = true)]
    async fn unconfirmed_subscription_is_deleted() {
        let body = "<SubscribeResponse><SubscribeResult><SubscriptionArn>arn:s</SubscriptionArn></SubscribeResult>\
                    </SubscribeResponse>";
        let (error, operations) = create_while_throttled(CannedResponse::ok(body)).await;
        assert!(error.is_transient(), "{error:?}");
        assert_eq!(
            operations[1..4],
            ["Subscribe", "Subscribe", "Unsubscribe"],
            "{operations:?}"
        );
        assert!(operations.contains(&"DeleteQueue".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn possible_subscription_is_reported() {
        let again = CannedResponse::xml_error("Throttled", "Rate exceeded");
        let (error, operations) = create_while_throttled(again).await;
        assert!(!operations.contains(&"Unsubscribe".to_owned()));
        let hint = error.hint().expect("a hint").to_string();
        assert!(hint.contains("may be left"), "{hint}");
        assert!(hint.contains(TOPIC), "{hint}");
    }

    #[tokio::test(start_paused = true)]
    async fn queue_that_stays_after_deletion_is_an_error() {
        let url = r#"{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"}"#;
        let responses = (0..100).flat_map(|_| {
            [
                ("DeleteQueue", CannedResponse::ok("")),
                ("GetQueueUrl", CannedResponse::ok(url)),
            ]
        });
        let (aws, sent) = Aws::canned(responses.collect());
        let mut queue = queue("q");
        let error = queue.delete_queue(&aws).await.expect_err("a queue is left");
        assert_eq!(
            error.reason(),
            "AWS accepted the call, but AWS still shows it after 60 s"
        );
        assert!(sent.operations().len() > 100);
    }

    #[tokio::test(start_paused = true)]
    async fn unanswered_verification_ends_after_a_minute() {
        let responses = (0..100).flat_map(|_| {
            [
                ("DeleteQueue", CannedResponse::ok("")),
                ("GetQueueUrl", CannedResponse::ok("<html>sign in</html>")),
            ]
        });
        let (aws, _) = Aws::canned(responses.collect());
        let error = queue("q").delete_queue(&aws).await.expect_err("no answer");
        assert_eq!(error.operation(), "verify the deletion of the queue q");
        assert!(!error.is_transient());
    }

    #[tokio::test(start_paused = true)]
    async fn deletion_is_repeated_until_queue_is_unknown() {
        let url = r#"{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q"}"#;
        let unknown = || CannedResponse::json_error("QueueDoesNotExist", "unknown");
        let (aws, sent) = Aws::canned(vec![
            ("DeleteQueue", CannedResponse::ok("")),
            ("GetQueueUrl", CannedResponse::ok(url)),
            ("DeleteQueue", unknown()),
            ("GetQueueUrl", unknown()),
        ]);
        queue("q").delete_queue(&aws).await.expect("a deletion");
        assert_eq!(
            sent.operations(),
            ["DeleteQueue", "GetQueueUrl", "DeleteQueue", "GetQueueUrl"]
        );
    }

    fn queue(name: &str) -> TemporaryQueue {
        TemporaryQueue {
            name: name.to_owned(),
            url: format!("https://sqs.us-east-1.amazonaws.com/1/{name}"),
            subscription: String::new(),
            lock: None,
            created_at: Instant::now(),
        }
    }

    #[test]
    fn generated_name_fits_sqs_limit() {
        assert!(generate_name(&"x".repeat(21 + "_ec_tail".len())).len() <= 80);
    }
}
