//! Heeler's own queue, for an operator who has asked for it in so many words. Each receive counts towards the dead
//! letter queue, so every message is given back at once, none is deleted, and the reading ends at the first that has
//! been received too often.

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message as Received, MessageSystemAttributeName,
};

use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::error::{Error, Result};

/// Receives after which a message is not looked at again. Heeler's dead letter queue takes it after four.
pub const RECEIVES: u32 = 2;
/// Seconds. Short: what AWS hands out to somebody who has just gone stays hidden from Heeler.
const WAIT: i32 = 5;

pub struct HeelersQueue {
    name: String,
    url: String,
}

/// One message, which is Heeler's again by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
}

/// What one receive brought.
#[derive(Debug, Default)]
pub struct Look {
    pub messages: Vec<Message>,
    /// The message for whose sake the reading ends.
    pub worn: Option<Worn>,
    /// Some messages come back to Heeler only when their visibility timeout is over.
    pub hidden: Option<Error>,
}

/// A message that was received too often to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worn {
    pub id: String,
    pub receives: u32,
}

impl HeelersQueue {
    /// # Errors
    /// When there is no such queue, or it may not be asked for.
    pub async fn find(aws: &Aws, name: &str) -> Result<Self> {
        let found = aws
            .sqs
            .get_queue_url()
            .queue_name(name)
            .send()
            .await
            .doing("sqs:GetQueueUrl", || format!("look for the queue {name}"))?;
        Ok(Self {
            name: name.to_owned(),
            url: found.queue_url.unwrap_or_default(),
        })
    }

    /// Waits some seconds for messages, and gives them back.
    ///
    /// # Errors
    /// When AWS refuses to hand any out.
    pub async fn look(&self, aws: &Aws) -> Result<Look> {
        let received = aws
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .wait_time_seconds(WAIT)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .send()
            .await
            .doing("sqs:ReceiveMessage", || {
                format!("receive from Heeler's queue {}", self.name)
            })?
            .messages
            .unwrap_or_default();
        let hidden = self.give_back(aws, &received).await.err();
        Ok(Look {
            worn: received.iter().find_map(worn),
            messages: received
                .into_iter()
                .map(|message| Message {
                    id: message.message_id.unwrap_or_default(),
                    body: message.body.unwrap_or_default(),
                })
                .collect(),
            hidden,
        })
    }

    async fn give_back(&self, aws: &Aws, received: &[Received]) -> Result<()> {
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
                .map_err(|why| Error::unanswered(doing(), why.to_string()))?;
            batch = batch.entries(entry);
        }
        let given = batch
            .send()
            .await
            .doing("sqs:ChangeMessageVisibility", doing)?;
        match given.failed().first() {
            None => Ok(()),
            Some(failed) => Err(Error::unanswered(
                doing(),
                failed.message().unwrap_or(failed.code()).to_owned(),
            )
            .code(Some(failed.code().to_owned()), None)),
        }
    }
}

fn worn(message: &Received) -> Option<Worn> {
    let count = message
        .attributes()?
        .get(&MessageSystemAttributeName::ApproximateReceiveCount)?;
    let receives = count.parse().ok()?;
    (receives > RECEIVES).then(|| Worn {
        id: message.message_id().unwrap_or_default().to_owned(),
        receives,
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
    fn the_third_receive_of_a_message_ends_the_reading() {
        assert_eq!(worn(&received(Some("1"))), None);
        assert_eq!(worn(&received(Some("2"))), None);
        let third = Worn {
            id: "m".into(),
            receives: 3,
        };
        assert_eq!(worn(&received(Some("3"))), Some(third));
        assert_eq!(worn(&received(None)), None);
    }
}
