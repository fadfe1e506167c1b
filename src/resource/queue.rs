//! An SQS queue: its limits, its encryption and its dead-letter queue.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};
use tokio::try_join;

use super::kind::ResourceKind;
use super::{deleted_principals_reason, extra_tags, observed, with_policy};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::lookup;
use crate::aws::not_found;
use crate::aws::queue_url::{is_not_found, public_queue_url, queue_url};
use crate::error::{Error, Result};
use crate::iam;
use crate::ownership::OwnershipTags;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Handle, Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Properties, Resource, ResourceSpec};
use crate::shared_document::kind::DocumentKind;

pub struct Queue {
    /// ARN of the queue. Its last part is the queue name.
    pub arn: String,
    /// ARN of the KMS key; `None` for the keys that SQS manages (SSE-SQS).
    pub key: Option<Output>,
    pub retention_seconds: u32,
    pub receive_wait_seconds: u32,
    /// Seconds until a received message that was not deleted can be received again.
    pub visibility_timeout_seconds: u32,
    pub ordering: QueueOrdering,
    pub redrive: Option<RedrivePolicy>,
    /// ARN of the only queue that may use this one as its dead-letter queue.
    pub redrive_allowed_from: Option<String>,
    /// A policy that refers to no other resource. Any other policy is a `QueuePolicy`, which can depend on resources.
    pub policy: Option<Value>,
    pub ownership: OwnershipTags,
}

/// The type of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOrdering {
    Standard,
    /// Keeps the order within each message group.
    Fifo {
        /// Drops a message if SQS accepted a message with the same body in the last five minutes.
        content_based_deduplication: bool,
    },
}

/// The dead-letter queue for messages that were received too often.
pub struct RedrivePolicy {
    pub target: Output,
    pub max_receive_count: u32,
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

/// Timeout for the reuse of a queue name. SQS blocks the name of a deleted queue for 60 seconds.
const NAME_REUSE_TIMEOUT: Duration = Duration::from_secs(75);
/// Timeout for the propagation of a new queue, which takes up to 60 seconds. Source: `CreateQueue` and
/// `SetQueueAttributes` in the SQS API Reference.
pub(super) const QUEUE_PROPAGATION_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_MESSAGE_BYTES: u32 = 262_144;
const DATA_KEY_REUSE_SECONDS: u32 = 300;
/// The field that is true if SQS encrypts the messages with its own keys.
const SQS_MANAGED_SSE: &str = "sqs_managed_sse";

impl ResourceSpec for Queue {
    fn id(&self) -> ResourceId {
        ResourceKind::SqsQueue.id(self.name())
    }

    fn dependencies(&self) -> Vec<Output> {
        let dead_letters = self.redrive.iter().map(|redrive| redrive.target.clone());
        dead_letters.chain(self.key.clone()).collect()
    }

    fn static_outputs(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        let mut state = State::default()
            .with("retention_seconds", self.retention_seconds)
            .with("receive_wait_seconds", self.receive_wait_seconds)
            .with(
                "visibility_timeout_seconds",
                self.visibility_timeout_seconds,
            )
            .with("max_message_bytes", MAX_MESSAGE_BYTES);
        state = match &self.key {
            Some(key) => state
                .with_optional("kms_key", known.get(key))
                .with("data_key_reuse_seconds", DATA_KEY_REUSE_SECONDS),
            None => state.with("kms_key", "").with(SQS_MANAGED_SSE, true),
        };
        if let QueueOrdering::Fifo {
            content_based_deduplication,
        } = self.ordering
        {
            state = state
                .with("fifo", true)
                .with("content_based_deduplication", content_based_deduplication);
        }
        if let Some(redrive) = &self.redrive {
            let target = known.get(&redrive.target);
            state = state.with_optional(
                "redrive",
                target.map(
                    |arn| json!({ "target": arn, "max_receive_count": redrive.max_receive_count }),
                ),
            );
        }
        if let Some(source) = &self.redrive_allowed_from {
            state = state.with("redrive_allowed_from", vec![source.as_str()]);
        }
        if let Some(document) = &self.policy {
            state = with_policy(state, "policy", document);
        }
        extra_tags::with_wanted(state, &self.ownership)
    }

    fn properties(&self) -> Properties {
        Properties {
            // SQS replicas return different attributes for up to a minute after a write.
            agreeing_reads: 2,
            // SQS may still return a deleted queue for up to a minute.
            deletes_on_acceptance: true,
            irreversible_fields: extra_tags::FIELDS,
            ..Properties::default()
        }
    }

    fn ownership_tags(&self) -> Vec<(String, String)> {
        self.ownership.to_vec()
    }

    fn reason(&self, change: &Change) -> Option<String> {
        deleted_principals_reason(change)
    }

    fn shared_documents(&self, _: &KnownOutputs) -> Vec<ResourceId> {
        let policy = self.policy.as_ref();
        policy
            .map(|_| DocumentKind::QueuePolicy.id(self.name()))
            .into_iter()
            .collect()
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        if refusal.has_code("AWS.SimpleQueueService.QueueDeletedRecently")
            || refusal.has_code("QueueDeletedRecently")
        {
            return Some(NAME_REUSE_TIMEOUT);
        }
        // A new dead-letter queue may not be visible yet.
        let is_propagating = is_not_found(refusal)
            || refusal
                .reason()
                .contains("Dead letter target does not exist");
        is_propagating.then_some(QUEUE_PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for Queue {
    async fn read(&self, aws: &Aws, _: &KnownOutputs) -> Result<Option<Actual>> {
        let Some(url) = queue_url(aws, self.name()).await? else {
            return Ok(None);
        };
        let (attributes, tags) = try_join!(
            async {
                aws.sqs
                    .get_queue_attributes()
                    .queue_url(&url)
                    .attribute_names(Name::All)
                    .send()
                    .await
                    .optional_for("sqs:GetQueueAttributes", not_found::QUEUE, || {
                        format!("read {}", self.id())
                    })
            },
            lookup::queue_tags(aws, &url),
        )?;
        let (Some(attributes), Some(tags)) = (attributes, tags) else {
            return Ok(None);
        };
        let attributes = attributes.attributes.unwrap_or_default();
        let pairs = || lookup::borrow_pairs(&tags);
        let mut state = parse_attributes(&attributes).with(observed::TAGS, observed::tags(pairs()));
        if self.key.is_none() {
            if state.get("kms_key").is_none() {
                state = state.with("kms_key", "");
            }
            state = state.with(SQS_MANAGED_SSE, has_sqs_managed_sse(&attributes));
        } else if has_sqs_managed_sse(&attributes) {
            // A rollback restores it.
            state = state.with(SQS_MANAGED_SSE, true);
        }
        Ok(Some(Actual {
            state: extra_tags::with_found(state, &self.ownership, pairs()),
            outputs: Outputs::from([("url", url)]),
            ownership: self.ownership.ownership(pairs()),
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        let created = aws
            .sqs
            .create_queue()
            .queue_name(self.name())
            .set_attributes(Some(self.creation_attributes(want)))
            .set_tags(Some(to_tag_map(self.ownership.iter())))
            .send()
            .await
            .context_for("sqs:CreateQueue", || format!("create {}", self.id()))
            .map_err(with_redrive_hint)?;
        Ok(created
            .queue_url
            .map(|url| ("url", public_queue_url(&url, aws.region())))
            .into_iter()
            .collect())
    }

    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        known: &KnownOutputs,
    ) -> Result<()> {
        if extra_tags::must_write(&actual.state, want) {
            self.take_ownership(aws, actual).await?;
        }
        if extra_tags::is_only_difference(&actual.state, want) {
            return Ok(());
        }
        let mut changed = self.attributes(want);
        // An empty value removes an attribute.
        for (field, name) in [
            ("redrive", Name::RedrivePolicy),
            ("redrive_allowed_from", Name::RedriveAllowPolicy),
            ("policy", Name::Policy),
            ("kms_key", Name::KmsMasterKeyId),
        ] {
            let governed = self.desired(known).get(field).is_some();
            if governed && actual.state.get(field).is_some() && want.get(field).is_none() {
                changed.insert(name, String::new());
            }
        }
        aws.sqs
            .set_queue_attributes()
            .queue_url(actual.require("url")?)
            .set_attributes(Some(changed))
            .send()
            .await
            .context_for("sqs:SetQueueAttributes", || format!("update {}", self.id()))
            .map_err(with_redrive_hint)?;
        Ok(())
    }

    async fn take_ownership(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        aws.sqs
            .tag_queue()
            .queue_url(actual.require("url")?)
            .set_tags(Some(to_tag_map(self.ownership.iter())))
            .send()
            .await
            .context_for("sqs:TagQueue", || format!("tag {}", self.id()))?;
        Ok(())
    }

    async fn delete(&self, aws: &Aws, actual: &Actual) -> Result<()> {
        aws.sqs
            .delete_queue()
            .queue_url(actual.require("url")?)
            .send()
            .await
            .optional_for("sqs:DeleteQueue", not_found::QUEUE, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}

impl Queue {
    fn name(&self) -> &str {
        arn::resource_name(&self.arn)
    }

    /// All attributes of a state. The policy is included only if it is not a separate resource.
    fn attributes(&self, want: &State) -> HashMap<Name, String> {
        let document = self.policy.as_ref().and_then(|_| want.write_form("policy"));
        to_attributes(want, document)
    }

    /// All attributes for creation, including `FifoQueue`, which cannot be set later.
    fn creation_attributes(&self, want: &State) -> HashMap<Name, String> {
        let mut all = self.attributes(want);
        if self.key.is_none() {
            all.remove(&Name::KmsMasterKeyId);
        }
        if matches!(self.ordering, QueueOrdering::Fifo { .. }) {
            all.insert(Name::FifoQueue, "true".to_owned());
        }
        all
    }
}

/// Reads a state from attributes, which SQS returns as text.
fn parse_attributes(found: &HashMap<Name, String>) -> State {
    let number = |name: &Name| found.get(name).and_then(|text| text.parse::<u32>().ok());
    let document = |name: &Name| {
        found
            .get(name)
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
    };
    let mut state = State::default()
        .with_optional("retention_seconds", number(&Name::MessageRetentionPeriod))
        .with_optional(
            "receive_wait_seconds",
            number(&Name::ReceiveMessageWaitTimeSeconds),
        )
        .with_optional(
            "visibility_timeout_seconds",
            number(&Name::VisibilityTimeout),
        )
        .with_optional("max_message_bytes", number(&Name::MaximumMessageSize))
        .with_optional("kms_key", found.get(&Name::KmsMasterKeyId).cloned())
        // SQS omits this attribute if it has the default value.
        .with(
            "data_key_reuse_seconds",
            number(&Name::KmsDataKeyReusePeriodSeconds).unwrap_or(DATA_KEY_REUSE_SECONDS),
        );
    let is = |name: &Name| found.get(name).is_some_and(|text| text == "true");
    if is(&Name::FifoQueue) {
        state = state.with("fifo", true).with(
            "content_based_deduplication",
            is(&Name::ContentBasedDeduplication),
        );
    }
    if let Some(redrive) = document(&Name::RedrivePolicy) {
        state = state.with(
            "redrive",
            json!({ "target": redrive["deadLetterTargetArn"], "max_receive_count": parse_count(&redrive["maxReceiveCount"]) }),
        );
    }
    if let Some(allow) = document(&Name::RedriveAllowPolicy) {
        state = state.with("redrive_allowed_from", allow["sourceQueueArns"].clone());
    }
    if let Some(text) = found.get(&Name::Policy).filter(|text| !text.is_empty()) {
        state = with_policy(state, "policy", &iam::parse_document(text));
    }
    state
}

/// Returns true if SQS encrypts the messages with its own keys.
fn has_sqs_managed_sse(found: &HashMap<Name, String>) -> bool {
    found
        .get(&Name::SqsManagedSseEnabled)
        .is_some_and(|text| text == "true")
}

/// Parses a count. SQS returns it as it was written, either as a number or as text.
fn parse_count(value: &Value) -> Value {
    value
        .as_str()
        .and_then(|text| text.parse::<u32>().ok())
        .map_or_else(|| value.clone(), Value::from)
}

/// Converts a state to attributes.
fn to_attributes(want: &State, document: Option<&Value>) -> HashMap<Name, String> {
    let plain = |field: &str| {
        want.get(field).map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    [
        (Name::MessageRetentionPeriod, plain("retention_seconds")),
        (Name::ReceiveMessageWaitTimeSeconds, plain("receive_wait_seconds")),
        (Name::VisibilityTimeout, plain("visibility_timeout_seconds")),
        (Name::MaximumMessageSize, plain("max_message_bytes")),
        (Name::KmsMasterKeyId, plain("kms_key")),
        (Name::SqsManagedSseEnabled, plain(SQS_MANAGED_SSE)),
        (Name::ContentBasedDeduplication, plain("content_based_deduplication")),
        (Name::KmsDataKeyReusePeriodSeconds, plain("data_key_reuse_seconds")),
        (
            Name::RedrivePolicy,
            want.get("redrive").map(|redrive| {
                json!({ "deadLetterTargetArn": redrive["target"], "maxReceiveCount": redrive["max_receive_count"] })
                    .to_string()
            }),
        ),
        (
            Name::RedriveAllowPolicy,
            want.get("redrive_allowed_from").map(|sources| {
                json!({ "redrivePermission": "byQueue", "sourceQueueArns": sources }).to_string()
            }),
        ),
        (Name::Policy, document.map(iam::to_text)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn to_tag_map<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>) -> HashMap<String, String> {
    tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Adds a hint if SQS rejects a redrive policy, most likely because the target does not exist.
fn with_redrive_hint(refusal: Error) -> Error {
    let why = refusal.reason().to_ascii_lowercase();
    if !why.contains("redrivepolicy") && !why.contains("dead letter target") {
        return refusal;
    }
    refusal.with_hint(
        "the dead-letter queue may have been deleted after the plan was made: run the same command again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_dead_letter_queue_has_hint() {
        for (why, pairs) in [
            (
                "Value {} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
                true,
            ),
            ("Value 7 for parameter VisibilityTimeout is invalid.", false),
        ] {
            let refusal = with_redrive_hint(Error::failed("create it", why));
            assert_eq!(refusal.hint().is_some(), pairs, "{why}");
        }
    }

    fn desired_state() -> State {
        State::default()
            .with("retention_seconds", 7200)
            .with("receive_wait_seconds", 10)
            .with("visibility_timeout_seconds", 30)
            .with("max_message_bytes", 262_144)
            .with("kms_key", "arn:aws:kms:us-east-1:111122223333:key/k")
            .with("data_key_reuse_seconds", 300)
            .with(
                "redrive",
                json!({ "target": "arn:aws:sqs:us-east-1:111122223333:dlq", "max_receive_count": 4 }),
            )
            .with(
                "redrive_allowed_from",
                vec!["arn:aws:sqs:us-east-1:111122223333:queue"],
            )
    }

    #[test]
    fn written_attributes_parse_back() {
        assert_eq!(
            parse_attributes(&to_attributes(&desired_state(), None)),
            desired_state()
        );
    }

    #[test]
    fn fifo_attributes_parse_back() {
        for content_based_deduplication in [true, false] {
            let wanted = desired_state()
                .with("fifo", true)
                .with("content_based_deduplication", content_based_deduplication);
            let mut found = to_attributes(&wanted, None);
            // `FifoQueue` is set only at creation.
            assert_eq!(found.get(&Name::FifoQueue), None);
            found.insert(Name::FifoQueue, "true".to_owned());
            assert_eq!(parse_attributes(&found), wanted);
        }
    }

    #[test]
    fn receive_count_as_text_is_a_number() {
        let mut found = to_attributes(&desired_state(), None);
        found.insert(
            Name::RedrivePolicy,
            r#"{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:111122223333:dlq", "maxReceiveCount": "4"}"#.into(),
        );
        assert_eq!(parse_attributes(&found), desired_state());
    }

    #[test]
    fn omitted_key_reuse_period_is_default() {
        let mut found = to_attributes(&desired_state(), None);
        found.remove(&Name::KmsDataKeyReusePeriodSeconds);
        assert_eq!(parse_attributes(&found), desired_state());
    }

    #[test]
    fn max_message_size_is_always_set() {
        assert_eq!(
            to_attributes(&desired_state(), None)[&Name::MaximumMessageSize],
            "262144"
        );
    }
}
