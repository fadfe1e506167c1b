//! Reads the messages of the dead-letter queue once, and returns them. It deletes nothing.
//!
//! A dead-letter queue has no redrive policy, so a further receive moves no message. Until it is returned, a message is hidden
//! from other readers. In a FIFO queue, it also hides all later messages of its group (SQS Developer Guide, "FIFO
//! queue and message group ID"): at most ten messages of a group can be read without deleting any.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message as Received, MessageSystemAttributeName,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::aws::Aws;
use crate::aws::arn::is_fifo_queue;
use crate::aws::error::AwsResultExt;
use crate::aws::lookup::{borrow_pairs, queue_tags};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::inventory::Fact;
use crate::inventory::pipeline::PipelineFacts;
use crate::ownership::{OPTION_TAG, is_managed_by_program};

/// The time for which a received message is hidden, unless it is returned earlier.
pub const HIDDEN_SECONDS: u64 = 30;
/// Messages that are held longer are hidden again before the next receive.
const HOLD_AGAIN_AFTER: Duration = Duration::from_secs(HIDDEN_SECONDS / 2);
/// Long polling asks all servers of SQS, so that an empty response means an empty queue.
const RECEIVE_WAIT_SECONDS: i32 = 1;
const BATCH_SIZE: usize = 10;
const CONCURRENT_CALLS: usize = 8;

/// The dead-letter queue of a deployment, and the messages that are currently hidden from other readers.
pub struct DeadLetterQueue<'a> {
    aws: &'a Aws,
    name: String,
    url: String,
    /// The newest receipt handle of each held message, in the order of the receives.
    held: Vec<HeldMessage>,
    held_since: Instant,
    /// The IDs of all messages that were read.
    known: HashSet<String>,
    messages: Vec<DeadLetterMessage>,
}

struct HeldMessage {
    id: String,
    group: Option<String>,
    receipt_handle: String,
}

/// A message that was read and returned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterMessage {
    pub id: String,
    pub body: String,
    pub sent_at: Option<SystemTime>,
    /// The time of the first receive. A redrive resets it.
    pub first_received_at: Option<SystemTime>,
    /// The number of receives, without those of this run.
    pub receives: Option<u32>,
    /// The message group; only in a FIFO queue.
    pub group: Option<String>,
    /// ARN of the queue from which SQS moved the message. A message that was sent directly has none.
    pub source_queue: Option<String>,
}

/// The end of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadingEnd {
    /// SQS returned no further message.
    Complete,
    LimitReached,
    Interrupted,
}

impl<'a> DeadLetterQueue<'a> {
    /// Returns the dead-letter queue of a deployment. `facts` are those of the deployment.
    ///
    /// # Errors
    /// If the queue does not exist, if it is not managed, or if it could not be read.
    pub async fn find(aws: &'a Aws, facts: &PipelineFacts) -> Result<Self> {
        let name = &facts.request.dead_letter_queue;
        let missing = || Error::negative(format!("the dead-letter queue {name} does not exist"));
        let found = match &facts.dead_letter_queue {
            Fact::Present(queue) => queue,
            Fact::Failed(error) => return Err(error.clone()),
            Fact::Absent | Fact::NotRequested => {
                let repair = Hint::from("to create it again: ").and_command(facts.setup_command());
                return Err(missing().with_hint(repair));
            }
        };
        let tags = queue_tags(aws, &found.url).await?.ok_or_else(missing)?;
        if !is_managed_by_program(borrow_pairs(&tags)) {
            let refusal = Error::negative(format!("queue {name} is not managed by heeler-ec"));
            return Err(refusal
                .with_reason(format!("it does not have the tag {OPTION_TAG}"))
                .with_hint(format!(
                    "to use it for this deployment, adopt it: `{} --adopt`",
                    facts.setup_command()
                )));
        }
        Ok(Self::new(aws, name, &found.url))
    }

    /// `url` is the URL of the queue `name`.
    fn new(aws: &'a Aws, name: &str, url: &str) -> Self {
        Self {
            aws,
            name: name.to_owned(),
            url: url.to_owned(),
            held: Vec::new(),
            held_since: Instant::now(),
            known: HashSet::new(),
            messages: Vec::new(),
        }
    }

    /// Reads up to `limit` of about `total` messages and holds them. The caller must call [`Self::return_messages`] afterwards, also after
    /// an error. A receive in progress is not cancelled, because SQS would hide its messages.
    ///
    /// # Errors
    /// If SQS refuses a call.
    pub async fn read(
        &mut self,
        limit: usize,
        total: u64,
        cancellation: &CancellationToken,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> Result<ReadingEnd> {
        let end = self.read_all(limit, cancellation, on_progress).await?;
        if end != ReadingEnd::Complete || !is_fifo_queue(&self.name) {
            return Ok(end);
        }
        self.read_groups(limit, total, cancellation, on_progress)
            .await
    }

    /// Reads the first messages of each group of a FIFO queue. The receives before may have returned fewer than ten of a
    /// group, because they returned messages of several groups together, and the held messages then hide the others.
    async fn read_groups(
        &mut self,
        limit: usize,
        total: u64,
        cancellation: &CancellationToken,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> Result<ReadingEnd> {
        let groups: BTreeSet<Option<String>> =
            self.held.iter().map(|held| held.group.clone()).collect();
        for group in groups {
            let is_all = u64::try_from(self.messages.len()).is_ok_and(|read| read >= total);
            if let Some(end) = self.early_end(limit, cancellation) {
                return Ok(end);
            }
            if is_all {
                break;
            }
            let of_group = |held: &HeldMessage| held.group == group;
            if self.held.iter().filter(|held| of_group(held)).count() >= BATCH_SIZE {
                continue;
            }
            let (returned, held): (Vec<HeldMessage>, Vec<HeldMessage>) =
                self.held.drain(..).partition(of_group);
            // The messages of the other groups stay hidden, so the next receive returns those of this group.
            self.held = returned;
            let result = self.change_visibility(0).await;
            self.held = held;
            result?;
            self.hold_again().await?;
            for message in self.receive(BATCH_SIZE).await? {
                self.add(&message);
            }
            self.messages.truncate(limit);
            on_progress(self.messages.len());
        }
        Ok(ReadingEnd::Complete)
    }

    /// Returns the reason to end the reading before SQS returns no further message.
    fn early_end(&self, limit: usize, cancellation: &CancellationToken) -> Option<ReadingEnd> {
        if cancellation.is_cancelled() {
            Some(ReadingEnd::Interrupted)
        } else if self.messages.len() >= limit {
            Some(ReadingEnd::LimitReached)
        } else {
            None
        }
    }

    /// Hides the held messages again before their time ends.
    async fn hold_again(&mut self) -> Result<()> {
        if !self.held.is_empty() && self.held_since.elapsed() >= HOLD_AGAIN_AFTER {
            self.change_visibility(HIDDEN_SECONDS).await?;
            self.held_since = Instant::now();
        }
        Ok(())
    }

    /// Receives until SQS returns no message, or only messages that are known.
    async fn read_all(
        &mut self,
        limit: usize,
        cancellation: &CancellationToken,
        on_progress: &(dyn Fn(usize) + Sync),
    ) -> Result<ReadingEnd> {
        loop {
            if let Some(end) = self.early_end(limit, cancellation) {
                return Ok(end);
            }
            self.hold_again().await?;
            let left = limit.saturating_sub(self.messages.len());
            let batch = self.receive(left.min(BATCH_SIZE)).await?;
            let added = batch.iter().filter(|message| self.add(message)).count();
            on_progress(self.messages.len());
            // Messages that are known were held for too long.
            if added == 0 {
                return Ok(ReadingEnd::Complete);
            }
        }
    }

    async fn receive(&self, max_messages: usize) -> Result<Vec<Received>> {
        let call = self.aws.sqs.receive_message().queue_url(&self.url);
        let found = call
            .max_number_of_messages(i32::try_from(max_messages).unwrap_or(1))
            .visibility_timeout(i32::try_from(HIDDEN_SECONDS).unwrap_or(30))
            .wait_time_seconds(RECEIVE_WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .context_for("sqs:ReceiveMessage", || {
                format!("read the dead-letter queue {}", self.name)
            })?;
        Ok(found.messages.unwrap_or_default())
    }

    /// Holds a received message. Returns true if it was not known.
    fn add(&mut self, received: &Received) -> bool {
        let id = received.message_id().unwrap_or_default();
        let receipt_handle = received.receipt_handle().unwrap_or_default().to_owned();
        if self.held.is_empty() {
            self.held_since = Instant::now();
        }
        match self.held.iter_mut().find(|held| held.id == id) {
            Some(held) => held.receipt_handle = receipt_handle,
            None => self.held.push(HeldMessage {
                id: id.to_owned(),
                group: to_message(received).group,
                receipt_handle,
            }),
        }
        if !self.known.insert(id.to_owned()) {
            return false;
        }
        self.messages.push(to_message(received));
        true
    }

    /// Makes all held messages visible again, in the order of the receives.
    ///
    /// # Errors
    /// If SQS refuses a call. The messages become visible by themselves after 30 seconds.
    pub async fn return_messages(&mut self) -> Result<()> {
        let result = self.change_visibility(0).await;
        self.held.clear();
        result
    }

    /// The number of messages that other readers do not see at the moment.
    #[must_use]
    pub fn held_count(&self) -> usize {
        self.held.len()
    }

    /// Ends the reading.
    #[must_use]
    pub fn into_messages(self) -> Vec<DeadLetterMessage> {
        self.messages
    }

    async fn change_visibility(&self, seconds: u64) -> Result<()> {
        let calls = stream::iter(self.held.chunks(BATCH_SIZE)).map(Ok);
        // A FIFO queue delivers a group again when all of its messages are returned, so the order of the calls matters.
        calls
            .try_for_each_concurrent(
                if is_fifo_queue(&self.name) {
                    1
                } else {
                    CONCURRENT_CALLS
                },
                |batch| self.change_visibility_of(batch, seconds),
            )
            .await
    }

    async fn change_visibility_of(&self, batch: &[HeldMessage], seconds: u64) -> Result<()> {
        let operation = || format!("return messages to the dead-letter queue {}", self.name);
        let mut call = self
            .aws
            .sqs
            .change_message_visibility_batch()
            .queue_url(&self.url);
        for (number, message) in batch.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(&message.receipt_handle)
                .visibility_timeout(i32::try_from(seconds).unwrap_or_default())
                .build()
                .map_err(|error| Error::failed(operation(), error.to_string()))?;
            call = call.entries(entry);
        }
        let response = call.send().await;
        let response = response.context_for("sqs:ChangeMessageVisibility", operation)?;
        // A message whose time ended is visible already.
        let mut failed = response
            .failed()
            .iter()
            .filter(|failed| !failed.code().ends_with("MessageNotInflight"));
        match failed.next() {
            None => Ok(()),
            Some(failed) => Err(Error::failed(
                operation(),
                failed.message().unwrap_or(failed.code()).to_owned(),
            )
            .with_code(Some(failed.code().to_owned()), None)),
        }
    }
}

fn to_message(message: &Received) -> DeadLetterMessage {
    let attribute = |name: &MessageSystemAttributeName| message.attributes()?.get(name);
    let value = |name| attribute(&name).cloned();
    let timestamp = |name| {
        let milliseconds: u64 = attribute(&name)?.parse().ok().filter(|time| *time > 0)?;
        UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
    };
    let count = attribute(&MessageSystemAttributeName::ApproximateReceiveCount);
    let count = count.and_then(|count| count.parse::<u32>().ok());
    DeadLetterMessage {
        id: message.message_id().unwrap_or_default().to_owned(),
        body: message.body().unwrap_or_default().to_owned(),
        sent_at: timestamp(MessageSystemAttributeName::SentTimestamp),
        first_received_at: timestamp(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp),
        receives: count.map(|count| count.saturating_sub(1)),
        group: value(MessageSystemAttributeName::MessageGroupId),
        source_queue: value(MessageSystemAttributeName::DeadLetterQueueSourceArn),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::aws::canned::CannedResponse;

    fn received(ids: &[&str]) -> (&'static str, CannedResponse) {
        let messages = ids.iter().map(|id| {
            json!({
                "MessageId": id, "ReceiptHandle": format!("handle of {id}"), "Body": "{}",
                "Attributes": {
                    "SentTimestamp": "1000", "ApproximateReceiveCount": "5", "MessageGroupId": id[..1],
                },
            })
        });
        let messages: Vec<Value> = messages.collect();
        let body = json!({ "Messages": messages }).to_string();
        ("ReceiveMessage", CannedResponse::ok(body))
    }

    fn changed() -> (&'static str, CannedResponse) {
        let body = json!({ "Successful": [], "Failed": [] }).to_string();
        ("ChangeMessageVisibilityBatch", CannedResponse::ok(body))
    }

    async fn read(
        name: &str,
        limit: usize,
        responses: Vec<(&'static str, CannedResponse)>,
    ) -> (ReadingEnd, Vec<String>, Vec<String>) {
        let (aws, sent) = Aws::canned(responses);
        let mut queue = DeadLetterQueue::new(&aws, name, "https://sqs/1/q");
        let cancellation = CancellationToken::new();
        let end = queue.read(limit, 100, &cancellation, &|_| {}).await;
        queue.return_messages().await.expect("returned messages");
        assert_eq!(queue.held_count(), 0);
        let messages = queue.into_messages().into_iter();
        let ids = messages.map(|message| message.id).collect();
        (end.expect("a reading"), ids, sent.operations())
    }

    #[tokio::test]
    async fn each_message_is_read_once_and_returned() {
        let responses = vec![
            received(&["a", "b"]),
            received(&["c"]),
            received(&[]),
            changed(),
        ];
        let (end, ids, operations) = read("q", 100, responses).await;
        assert_eq!(end, ReadingEnd::Complete);
        assert_eq!(ids, ["a", "b", "c"]);
        assert_eq!(
            operations.last().map(String::as_str),
            Some("ChangeMessageVisibilityBatch")
        );
        assert_eq!(operations.len(), 4);
    }

    #[tokio::test]
    async fn repeated_message_ends_the_reading() {
        let responses = vec![
            received(&["a", "b"]),
            received(&["a"]),
            received(&["b"]),
            changed(),
        ];
        let (end, ids, operations) = read("q", 100, responses).await;
        assert_eq!(end, ReadingEnd::Complete);
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(operations.len(), 3);
    }

    #[tokio::test]
    async fn limit_ends_the_reading() {
        let responses = vec![received(&["a", "b"]), changed()];
        let (end, ids, _) = read("q", 2, responses).await;
        assert_eq!(end, ReadingEnd::LimitReached);
        assert_eq!(ids, ["a", "b"]);
    }

    #[tokio::test]
    async fn groups_of_fifo_queue_are_read_in_turn() {
        let responses = vec![
            received(&["a1", "b1"]),
            received(&[]),
            changed(),
            received(&["a1", "a2"]),
            changed(),
            received(&["b1"]),
            changed(),
        ];
        let (end, ids, operations) = read("q.fifo", 100, responses).await;
        assert_eq!(end, ReadingEnd::Complete);
        assert_eq!(ids, ["a1", "b1", "a2"]);
        assert_eq!(operations.len(), 7);
    }

    #[tokio::test]
    async fn interruption_returns_what_is_held() {
        let (aws, sent) = Aws::canned(vec![received(&["a"]), changed()]);
        let mut queue = DeadLetterQueue::new(&aws, "q", "https://sqs/1/q");
        let cancellation = CancellationToken::new();
        let end = queue
            .read(100, 100, &cancellation, &|_| cancellation.cancel())
            .await;
        assert_eq!(end.expect("a reading"), ReadingEnd::Interrupted);
        assert_eq!(queue.held_count(), 1);
        queue.return_messages().await.expect("returned messages");
        let request = sent.body("ChangeMessageVisibilityBatch");
        assert!(request.contains(r#""VisibilityTimeout":0"#), "{request}");
        assert!(request.contains("handle of a"), "{request}");
    }

    #[tokio::test]
    async fn failed_return_is_an_error() {
        let body = |code: &str| {
            let failed = json!([{ "Id": "0", "SenderFault": true, "Code": code, "Message": "no" }]);
            CannedResponse::ok(json!({ "Successful": [], "Failed": failed }).to_string())
        };
        for (code, is_error) in [("InternalError", true), ("MessageNotInflight", false)] {
            let responses = vec![
                received(&["a"]),
                ("ChangeMessageVisibilityBatch", body(code)),
            ];
            let (aws, _) = Aws::canned(responses);
            let mut queue = DeadLetterQueue::new(&aws, "q", "https://sqs/1/q");
            let end = queue.read(1, 100, &CancellationToken::new(), &|_| {}).await;
            assert_eq!(end.expect("a reading"), ReadingEnd::LimitReached);
            assert_eq!(queue.return_messages().await.is_err(), is_error, "{code}");
        }
    }

    #[test]
    fn receives_of_this_run_are_not_counted() {
        let attributes = HashMap::from([
            (
                MessageSystemAttributeName::ApproximateReceiveCount,
                "5".to_owned(),
            ),
            (MessageSystemAttributeName::SentTimestamp, "1000".to_owned()),
            (
                MessageSystemAttributeName::ApproximateFirstReceiveTimestamp,
                "0".to_owned(),
            ),
        ]);
        let message = Received::builder().set_attributes(Some(attributes)).build();
        let message = to_message(&message);
        assert_eq!(message.receives, Some(4));
        assert_eq!(message.sent_at, Some(UNIX_EPOCH + Duration::from_secs(1)));
        assert_eq!(message.first_received_at, None);
    }
}
