//! An SQS queue: its limits, its encryption, and where its dead letters go.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};
use tokio::try_join;

use super::{Mark, document, seen, who_died, with_policy};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::converge::diff::Change;
use crate::converge::graph::{Handle, Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Resource};
use crate::error::{Error, Result};
use crate::policy;

pub struct Queue {
    /// ARN; the name is its last part.
    pub arn: String,
    pub key: Output,
    /// Seconds that a message is kept.
    pub retention: u32,
    /// Seconds that a receive waits for a message.
    pub wait: u32,
    pub order: Order,
    pub dead_letters: Option<Redrive>,
    /// The only queue that may send its dead letters here.
    pub takes_from: Option<String>,
    /// A policy that names no other resource. One that does is a `QueuePolicy`, which can wait for that resource.
    pub policy: Option<Value>,
    pub mark: Mark,
}

/// Whether messages keep their order, each group by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Any,
    /// A FIFO queue; then whether it drops a message with the same body within five minutes.
    Fifo {
        deduplicates: bool,
    },
}

/// Where a message goes that was received too often.
pub struct Redrive {
    pub to: Output,
    pub after: u32,
}

impl Handle<Queue> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }

    #[must_use]
    pub fn url(&self) -> Output {
        self.output("url")
    }
}

/// Both spellings: with and without the header that carries the codes of the older protocol.
pub(super) const NO_QUEUE: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
];
/// AWS blocks a name for 60 seconds after its queue is deleted.
const NAME_BLOCKED: Duration = Duration::from_secs(75);
/// Seconds that a received message is hidden.
const VISIBILITY: u32 = 30;
const LARGEST_MESSAGE: u32 = 262_144;
/// Seconds that a data key is used before KMS is asked for another.
const KEY_REUSE: u32 = 300;

#[async_trait]
impl Resource<Aws> for Queue {
    fn id(&self) -> Id {
        Id {
            kind: "sqs queue",
            name: self.name().to_owned(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        let dead_letters = self.dead_letters.iter().map(|redrive| redrive.to.clone());
        dead_letters.chain([self.key.clone()]).collect()
    }

    fn named(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    fn desired(&self, known: &Known) -> State {
        let mut state = State::default()
            .with("retention", self.retention)
            .with("wait", self.wait)
            .with("visibility", VISIBILITY)
            .with("largest_message", LARGEST_MESSAGE)
            .with_known("kms_key", known.get(&self.key))
            .with("kms_key_reuse", KEY_REUSE);
        if let Order::Fifo { deduplicates } = self.order {
            state = state.with("fifo", true).with("deduplicates", deduplicates);
        }
        if let Some(redrive) = &self.dead_letters {
            let target = known.get(&redrive.to);
            state = state.with_known(
                "redrive",
                target.map(|arn| json!({ "to": arn, "after": redrive.after })),
            );
        }
        if let Some(source) = &self.takes_from {
            state = state.with("redrive_allow", vec![source.as_str()]);
        }
        if let Some(document) = &self.policy {
            state = with_policy(state, "policy", document);
        }
        state
    }

    fn marks(&self) -> Vec<(&'static str, String)> {
        self.mark.told()
    }

    fn reason(&self, change: &Change) -> Option<String> {
        who_died(change)
    }

    fn documents(&self, _: &Known) -> Vec<Id> {
        let policy = self.policy.as_ref();
        policy
            .map(|_| document::id(document::QUEUE_POLICY, self.name()))
            .into_iter()
            .collect()
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        if refusal.is("AWS.SimpleQueueService.QueueDeletedRecently")
            || refusal.is("QueueDeletedRecently")
        {
            return Some(NAME_BLOCKED);
        }
        NO_QUEUE
            .iter()
            .any(|code| refusal.is(code))
            .then_some(Duration::from_secs(20))
    }

    /// Replicas of SQS differ for up to a minute after a write.
    fn reads_to_agree(&self) -> usize {
        2
    }

    async fn read(&self, aws: &Aws, _: &Known) -> Result<Option<Live>> {
        let Some(url) = url(aws, self.name()).await? else {
            return Ok(None);
        };
        let doing = || format!("read {}", self.id());
        let (attributes, tags) = try_join!(
            async {
                aws.sqs
                    .get_queue_attributes()
                    .queue_url(&url)
                    .attribute_names(Name::All)
                    .send()
                    .await
                    .finding("sqs:GetQueueAttributes", NO_QUEUE, doing)
            },
            async {
                aws.sqs
                    .list_queue_tags()
                    .queue_url(&url)
                    .send()
                    .await
                    .finding("sqs:ListQueueTags", NO_QUEUE, doing)
            },
        )?;
        let (Some(attributes), Some(tags)) = (attributes, tags) else {
            return Ok(None);
        };
        let (attributes, tags) = (
            attributes.attributes.unwrap_or_default(),
            tags.tags.unwrap_or_default(),
        );
        let told = || {
            tags.iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
        };
        Ok(Some(Live {
            state: parse(&attributes).with(seen::TAGS, seen::tags(told())),
            outputs: Outputs::from([("url", url)]),
            owner: self.mark.owner(told()),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &Known) -> Result<Outputs> {
        let made = aws
            .sqs
            .create_queue()
            .queue_name(self.name())
            .set_attributes(Some(self.first_attributes(want)))
            .set_tags(Some(owned(self.mark.tags())))
            .send()
            .await
            .doing("sqs:CreateQueue", || format!("create {}", self.id()))
            .map_err(without_its_dead_letters)?;
        Ok(made.queue_url.map(|url| ("url", url)).into_iter().collect())
    }

    async fn update(&self, aws: &Aws, live: &Live, want: &State, known: &Known) -> Result<()> {
        let mut changed = self.attributes(want);
        // What was not there before is taken away by an empty text.
        for (field, name) in [
            ("redrive", Name::RedrivePolicy),
            ("redrive_allow", Name::RedriveAllowPolicy),
            ("policy", Name::Policy),
            ("kms_key", Name::KmsMasterKeyId),
        ] {
            let governed = self.desired(known).get(field).is_some();
            if governed && live.state.get(field).is_some() && want.get(field).is_none() {
                changed.insert(name, String::new());
            }
        }
        aws.sqs
            .set_queue_attributes()
            .set_queue_url(live.outputs.get("url").cloned())
            .set_attributes(Some(changed))
            .send()
            .await
            .doing("sqs:SetQueueAttributes", || format!("change {}", self.id()))
            .map_err(without_its_dead_letters)?;
        Ok(())
    }

    async fn mark(&self, aws: &Aws, live: &Live) -> Result<()> {
        aws.sqs
            .tag_queue()
            .set_queue_url(live.outputs.get("url").cloned())
            .set_tags(Some(owned(self.mark.tags())))
            .send()
            .await
            .doing("sqs:TagQueue", || format!("tag {}", self.id()))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, live: &Live) -> Result<()> {
        aws.sqs
            .delete_queue()
            .set_queue_url(live.outputs.get("url").cloned())
            .send()
            .await
            .finding("sqs:DeleteQueue", NO_QUEUE, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}

impl Queue {
    fn name(&self) -> &str {
        arn::last(&self.arn)
    }

    /// Its policy is written only where it is no resource of its own.
    fn attributes(&self, want: &State) -> HashMap<Name, String> {
        let document = self.policy.as_ref().and_then(|_| want.written("policy"));
        attributes(want, document)
    }

    /// That a queue keeps the order is said once and for all.
    fn first_attributes(&self, want: &State) -> HashMap<Name, String> {
        let mut all = self.attributes(want);
        if matches!(self.order, Order::Fifo { .. }) {
            all.insert(Name::FifoQueue, "true".to_owned());
        }
        all
    }
}

/// The address of a queue, if there is one of that name.
///
/// # Errors
/// When the question was refused.
pub async fn url(aws: &Aws, name: &str) -> Result<Option<String>> {
    aws.sqs
        .get_queue_url()
        .queue_name(name)
        .send()
        .await
        .finding("sqs:GetQueueUrl", NO_QUEUE, || {
            format!("look for sqs queue {name}")
        })
        .map(|found| found.and_then(|found| found.queue_url))
}

/// What SQS reports, as the fields of our state. Everything comes as text.
fn parse(found: &HashMap<Name, String>) -> State {
    let number = |name: &Name| found.get(name).and_then(|text| text.parse::<u32>().ok());
    let document = |name: &Name| {
        found
            .get(name)
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
    };
    let mut state = State::default()
        .with_known("retention", number(&Name::MessageRetentionPeriod))
        .with_known("wait", number(&Name::ReceiveMessageWaitTimeSeconds))
        .with_known("visibility", number(&Name::VisibilityTimeout))
        .with_known("largest_message", number(&Name::MaximumMessageSize))
        .with_known("kms_key", found.get(&Name::KmsMasterKeyId).cloned())
        // AWS leaves the default out.
        .with(
            "kms_key_reuse",
            number(&Name::KmsDataKeyReusePeriodSeconds).unwrap_or(KEY_REUSE),
        );
    let is = |name: &Name| found.get(name).is_some_and(|text| text == "true");
    if is(&Name::FifoQueue) {
        state = state
            .with("fifo", true)
            .with("deduplicates", is(&Name::ContentBasedDeduplication));
    }
    if let Some(redrive) = document(&Name::RedrivePolicy) {
        state = state.with(
            "redrive",
            json!({ "to": redrive["deadLetterTargetArn"], "after": count(&redrive["maxReceiveCount"]) }),
        );
    }
    if let Some(allow) = document(&Name::RedriveAllowPolicy) {
        state = state.with("redrive_allow", allow["sourceQueueArns"].clone());
    }
    if let Some(text) = found.get(&Name::Policy).filter(|text| !text.is_empty()) {
        state = with_policy(state, "policy", &policy::parsed(text));
    }
    state
}

/// SQS gives the count back as it was written: a number or its text.
fn count(value: &Value) -> Value {
    value
        .as_str()
        .and_then(|text| text.parse::<u32>().ok())
        .map_or_else(|| value.clone(), Value::from)
}

/// The state as attributes, all of them: SQS takes them in one call.
fn attributes(want: &State, document: Option<&Value>) -> HashMap<Name, String> {
    let plain = |field: &str| {
        want.get(field).map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    [
        (Name::MessageRetentionPeriod, plain("retention")),
        (Name::ReceiveMessageWaitTimeSeconds, plain("wait")),
        (Name::VisibilityTimeout, plain("visibility")),
        (Name::MaximumMessageSize, plain("largest_message")),
        (Name::KmsMasterKeyId, plain("kms_key")),
        (Name::ContentBasedDeduplication, plain("deduplicates")),
        (Name::KmsDataKeyReusePeriodSeconds, plain("kms_key_reuse")),
        (
            Name::RedrivePolicy,
            want.get("redrive").map(|redrive| {
                json!({ "deadLetterTargetArn": redrive["to"], "maxReceiveCount": redrive["after"] })
                    .to_string()
            }),
        ),
        (
            Name::RedriveAllowPolicy,
            want.get("redrive_allow").map(|sources| {
                json!({ "redrivePermission": "byQueue", "sourceQueueArns": sources }).to_string()
            }),
        ),
        (Name::Policy, document.map(policy::text)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn owned(tags: impl Iterator<Item = (&'static str, &'static str)>) -> HashMap<String, String> {
    tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// SQS says in many words that there is no queue of that name to put dead letters into.
fn without_its_dead_letters(refusal: Error) -> Error {
    let why = refusal.why().to_ascii_lowercase();
    if !why.contains("redrivepolicy") && !why.contains("dead letter target") {
        return refusal;
    }
    refusal.hint(
        "its dead letter queue may be gone since the plan was read, perhaps by another run: run the same command again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_queue_that_has_gone_is_told() {
        for (why, told) in [
            (
                "Value {} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
                true,
            ),
            ("Value 7 for parameter VisibilityTimeout is invalid.", false),
        ] {
            let refusal = without_its_dead_letters(Error::unanswered("create it", why));
            assert_eq!(refusal.what_to_do().is_some(), told, "{why}");
        }
    }

    fn wanted() -> State {
        State::default()
            .with("retention", 7200)
            .with("wait", 10)
            .with("visibility", 30)
            .with("largest_message", 262_144)
            .with("kms_key", "arn:aws:kms:us-east-1:111122223333:key/k")
            .with("kms_key_reuse", 300)
            .with(
                "redrive",
                json!({ "to": "arn:aws:sqs:us-east-1:111122223333:dlq", "after": 4 }),
            )
            .with(
                "redrive_allow",
                vec!["arn:aws:sqs:us-east-1:111122223333:queue"],
            )
    }

    #[test]
    fn what_is_written_reads_back_as_what_was_wanted() {
        assert_eq!(parse(&attributes(&wanted(), None)), wanted());
    }

    #[test]
    fn a_fifo_queue_reads_back_with_or_without_deduplication() {
        for deduplicates in [true, false] {
            let wanted = wanted()
                .with("fifo", true)
                .with("deduplicates", deduplicates);
            let mut found = attributes(&wanted, None);
            // It is said at the creation only.
            assert_eq!(found.get(&Name::FifoQueue), None);
            found.insert(Name::FifoQueue, "true".to_owned());
            assert_eq!(parse(&found), wanted);
        }
    }

    #[test]
    fn a_count_given_back_as_text_is_the_same_count() {
        let mut found = attributes(&wanted(), None);
        found.insert(
            Name::RedrivePolicy,
            r#"{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:111122223333:dlq", "maxReceiveCount": "4"}"#.into(),
        );
        assert_eq!(parse(&found), wanted());
    }

    #[test]
    fn a_reuse_period_that_aws_leaves_out_is_the_default() {
        let mut found = attributes(&wanted(), None);
        found.remove(&Name::KmsDataKeyReusePeriodSeconds);
        assert_eq!(parse(&found), wanted());
    }

    #[test]
    fn the_message_size_is_always_said_since_the_default_of_aws_has_grown() {
        assert_eq!(
            attributes(&wanted(), None)[&Name::MaximumMessageSize],
            "262144"
        );
    }
}
