//! Reads Heeler's own queue without deleting messages. Only `--source heeler-queue` uses this module.
//!
//! Each receive counts towards `maxReceiveCount`, after which SQS moves a message to the dead-letter queue. Every
//! message is therefore returned to the queue immediately. Reading stops at the first message that has been received
//! too often.

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message as Received, MessageSystemAttributeName,
};

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};

/// Maximum number of receives of a message. SQS moves a message to the dead-letter queue after four receives
/// (`maxReceiveCount`).
pub const MAX_RECEIVES: u32 = 2;
/// Wait time for long polling. It is short because messages that SQS delivers after `tail` was killed stay hidden from
/// Heeler.
const RECEIVE_WAIT_SECONDS: i32 = 5;

/// The queue that Heeler receives from.
pub struct HeelerQueue {
    name: String,
    url: String,
}

/// A message that was received and returned to the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeelerMessage {
    pub id: String,
    pub body: String,
}

/// The result of one receive.
#[derive(Debug, Default)]
pub struct ReceiveBatch {
    pub messages: Vec<HeelerMessage>,
    /// The message that stops the reading, because it has been received too often.
    pub limit_reached: Option<ReceiveLimitReached>,
    /// The error that prevented the return of messages to the queue. The messages stay hidden from Heeler until their
    /// visibility timeout ends.
    pub return_error: Option<Error>,
}

/// A message that has been received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveLimitReached {
    pub message_id: String,
    pub receive_count: u32,
}

impl HeelerQueue {
    /// Looks up the queue by its name.
    ///
    /// # Errors
    /// Returns an error if the queue does not exist or the call fails.
    pub async fn find(aws: &Aws, name: &str) -> Result<Self> {
        let found = aws
            .sqs
            .get_queue_url()
            .queue_name(name)
            .send()
            .await
            .context_for("sqs:GetQueueUrl", || format!("look up the queue {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            url: found.queue_url.unwrap_or_default(),
        })
    }

    /// Receives messages and returns them immediately by setting their visibility timeout to 0.
    ///
    /// # Errors
    /// Returns an error if the receive fails.
    pub async fn receive(&self, aws: &Aws) -> Result<ReceiveBatch> {
        let received = aws
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .wait_time_seconds(RECEIVE_WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .context_for("sqs:ReceiveMessage", || {
                format!("receive from Heeler's queue {}", self.name)
            })?
            .messages
            .unwrap_or_default();
        let return_error = self.return_messages(aws, &received).await.err();
        Ok(ReceiveBatch {
            limit_reached: received.iter().find_map(check_receive_limit),
            messages: received
                .into_iter()
                .map(|message| HeelerMessage {
                    id: message.message_id.unwrap_or_default(),
                    body: message.body.unwrap_or_default(),
                })
                .collect(),
            return_error,
        })
    }

    async fn return_messages(&self, aws: &Aws, received: &[Received]) -> Result<()> {
        if received.is_empty() {
            return Ok(());
        }
        let operation = || format!("return messages to Heeler's queue {}", self.name);
        let mut batch = aws
            .sqs
            .change_message_visibility_batch()
            .queue_url(&self.url);
        for (number, message) in received.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(message.receipt_handle().unwrap_or_default())
                .visibility_timeout(0)
                .build()
                .map_err(|error| Error::failed(operation(), error.to_string()))?;
            batch = batch.entries(entry);
        }
        let response = batch
            .send()
            .await
            .context_for("sqs:ChangeMessageVisibility", operation)?;
        match response.failed().first() {
            None => Ok(()),
            Some(failed) => Err(Error::failed(
                operation(),
                failed.message().unwrap_or(failed.code()).to_owned(),
            )
            .with_code(Some(failed.code().to_owned()), None)),
        }
    }
}

/// Returns true if a message body contains CloudTrail records instead of a notification about log objects.
#[must_use]
pub(crate) fn contains_records(body: &str) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct RecordsBody<'b> {
        #[serde(borrow, rename = "Records", default)]
        records: Vec<ListedRecord<'b>>,
        #[serde(borrow)]
        event_name: Option<&'b serde_json::value::RawValue>,
        #[serde(borrow, rename = "eventID")]
        event_id: Option<&'b serde_json::value::RawValue>,
    }
    #[derive(serde::Deserialize)]
    struct ListedRecord<'b> {
        #[serde(borrow)]
        s3: Option<&'b serde_json::value::RawValue>,
    }
    serde_json::from_str::<RecordsBody<'_>>(body).is_ok_and(|body| {
        let is_record = body.event_name.is_some() || body.event_id.is_some();
        is_record
            || (!body.records.is_empty() && body.records.iter().all(|record| record.s3.is_none()))
    })
}

/// Returns the message if it has been received more often than allowed.
fn check_receive_limit(message: &Received) -> Option<ReceiveLimitReached> {
    let count = message
        .attributes()?
        .get(&MessageSystemAttributeName::ApproximateReceiveCount)?;
    let receive_count = count.parse().ok()?;
    (receive_count > MAX_RECEIVES).then(|| ReceiveLimitReached {
        message_id: message.message_id().unwrap_or_default().to_owned(),
        receive_count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(times: Option<&str>) -> Received {
        let attributes = times.map(|times| {
            std::collections::HashMap::from([(
                MessageSystemAttributeName::ApproximateReceiveCount,
                times.to_owned(),
            )])
        });
        Received::builder()
            .message_id("m")
            .set_attributes(attributes)
            .build()
    }

    #[test]
    fn records_are_distinguished_from_object_notifications() {
        assert!(contains_records(
            r#"{"eventVersion":"1.08","eventName":"GetObject"}"#
        ));
        assert!(contains_records(
            r#"{"Records":[{"eventName":"GetObject"}]}"#
        ));
        assert!(!contains_records(
            r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{}}]}"#
        ));
        assert!(!contains_records(
            r#"{"Type":"Notification","Message":"{}"}"#
        ));
        assert!(!contains_records(r#"{"Records":[]}"#));
        assert!(!contains_records("hello"));
    }

    #[test]
    fn third_receive_reaches_the_limit() {
        assert_eq!(check_receive_limit(&received(Some("1"))), None);
        assert_eq!(check_receive_limit(&received(Some("2"))), None);
        let third = ReceiveLimitReached {
            message_id: "m".into(),
            receive_count: 3,
        };
        assert_eq!(check_receive_limit(&received(Some("3"))), Some(third));
        assert_eq!(check_receive_limit(&received(None)), None);
    }
}
