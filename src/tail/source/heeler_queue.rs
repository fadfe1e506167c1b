//! Heeler's own queue, for an operator who has asked for it in so many words. Each receive counts towards the dead
//! letter queue, so every message is given back at once, none is deleted, and the reading ends at the first that has
//! been received too often.

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message as Received, MessageSystemAttributeName,
};

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};

/// Receives after which a message is not looked at again. Heeler's dead letter queue takes it after four.
pub const MAX_RECEIVES: u32 = 2;
/// Seconds. Short: what AWS hands out to somebody who has just gone stays hidden from Heeler.
const RECEIVE_WAIT_SECONDS: i32 = 5;

pub struct HeelerQueue {
    name: String,
    url: String,
}

/// One message, which is Heeler's again by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeelerMessage {
    pub id: String,
    pub body: String,
}

/// What one receive brought.
#[derive(Debug, Default)]
pub struct ReceiveBatch {
    pub messages: Vec<HeelerMessage>,
    /// The message for whose sake the reading ends.
    pub limit_reached: Option<ReceiveLimitReached>,
    /// Some messages come back to Heeler only when their visibility timeout is over.
    pub return_error: Option<Error>,
}

/// A message that was received too often to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveLimitReached {
    pub message_id: String,
    pub receive_count: u32,
}

impl HeelerQueue {
    /// # Errors
    /// When there is no such queue, or it may not be asked for.
    pub async fn find(aws: &Aws, name: &str) -> Result<Self> {
        let found = aws
            .sqs
            .get_queue_url()
            .queue_name(name)
            .send()
            .await
            .context_for("sqs:GetQueueUrl", || format!("look for the queue {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            url: found.queue_url.unwrap_or_default(),
        })
    }

    /// Waits some seconds for messages, and gives them back.
    ///
    /// # Errors
    /// When AWS refuses to hand any out.
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
        let hidden = self.return_messages(aws, &received).await.err();
        Ok(ReceiveBatch {
            limit_reached: received.iter().find_map(check_receive_limit),
            messages: received
                .into_iter()
                .map(|message| HeelerMessage {
                    id: message.message_id.unwrap_or_default(),
                    body: message.body.unwrap_or_default(),
                })
                .collect(),
            return_error: hidden,
        })
    }

    async fn return_messages(&self, aws: &Aws, received: &[Received]) -> Result<()> {
        if received.is_empty() {
            return Ok(());
        }
        let doing = || format!("give messages back to Heeler's queue {}", self.name);
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
                .map_err(|why| Error::failed(doing(), why.to_string()))?;
            batch = batch.entries(entry);
        }
        let given = batch
            .send()
            .await
            .context_for("sqs:ChangeMessageVisibility", doing)?;
        match given.failed().first() {
            None => Ok(()),
            Some(failed) => Err(Error::failed(
                doing(),
                failed.message().unwrap_or(failed.code()).to_owned(),
            )
            .with_code(Some(failed.code().to_owned()), None)),
        }
    }
}

/// Whether a body is made of records, as option cloudwatch sends them, rather than of news about objects.
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
        let alone = body.event_name.is_some() || body.event_id.is_some();
        alone || (!body.records.is_empty() && body.records.iter().all(|record| record.s3.is_none()))
    })
}

fn check_receive_limit(message: &Received) -> Option<ReceiveLimitReached> {
    let count = message
        .attributes()?
        .get(&MessageSystemAttributeName::ApproximateReceiveCount)?;
    let receives = count.parse().ok()?;
    (receives > MAX_RECEIVES).then(|| ReceiveLimitReached {
        message_id: message.message_id().unwrap_or_default().to_owned(),
        receive_count: receives,
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
