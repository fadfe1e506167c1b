//! The reason why a message is in the dead-letter queue, as a pure function of facts.

use std::collections::BTreeSet;

use super::content::{self, MessageContent, RecordSummary};
use super::log_object::LogObjectFacts;
use super::preview::masked_preview;
use crate::aws::arn::bucket_arn;
use crate::cloudtrail::s3_notification::{Notification, S3Object};
use crate::cloudtrail::skip_reason::SkipReason;
use crate::hop::object_access::{ObjectAccess, object_access};
use crate::hop::{Hop, HopId, HopStatus};
use crate::inventory::Fact;
use crate::inventory::pipeline::{BucketDestination, PipelineFacts, PipelineSource};

/// The size of a message body above which the class is [`DeadLetterClass::TooLarge`]: the limit of SQS before 2025, and
/// of the function of the deployment.
const MAX_BODY_BYTES: usize = 262_144;

/// A class of reasons, with a stable ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeadLetterClass {
    ObjectMissing,
    AccessDenied,
    KeyDenied,
    TooLarge,
    NotAnEvent,
    OtherObject,
    DigestOrInsight,
    TestEvent,
    Unknown,
}

impl DeadLetterClass {
    /// Every class, in the order of the output.
    pub const ALL: [Self; 9] = [
        Self::ObjectMissing,
        Self::AccessDenied,
        Self::KeyDenied,
        Self::TooLarge,
        Self::NotAnEvent,
        Self::OtherObject,
        Self::DigestOrInsight,
        Self::TestEvent,
        Self::Unknown,
    ];

    /// Returns the ID that output and documentation use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ObjectMissing => "object_missing",
            Self::AccessDenied => "access_denied",
            Self::KeyDenied => "key_denied",
            Self::TooLarge => "too_large",
            Self::NotAnEvent => "not_an_event",
            Self::OtherObject => "other_object",
            Self::DigestOrInsight => "digest_or_insight",
            Self::TestEvent => "test_event",
            Self::Unknown => "unknown",
        }
    }

    /// Describes the class in a short sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ObjectMissing => "the log file does not exist any more",
            Self::AccessDenied => {
                "a policy does not allow Heeler to read the log file or the queue"
            }
            Self::KeyDenied => "a KMS key does not allow Heeler to decrypt",
            Self::TooLarge => "the record is larger than 256 KiB, or was cut to that size",
            Self::NotAnEvent => "the body is neither a notification of S3 nor a CloudTrail record",
            Self::OtherObject => {
                "the message is about an object that is not a log file of the trail"
            }
            Self::DigestOrInsight => "digest and Insights files contain no API calls",
            Self::TestEvent => "S3 sends a test event for each new notification",
            Self::Unknown => "nothing prevents Heeler from reading it now",
        }
    }

    /// Advises what to do about the messages of the class. Backticks mark commands.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::ObjectMissing => {
                "The events of a deleted log file are lost to Heeler. Look for the lifecycle rule or the person that deletes \
                 log files."
            }
            Self::AccessDenied | Self::KeyDenied => {
                "Run `heeler-ec status` for the broken hop. After its repair, move the messages back: `heeler-ec dlq redrive`."
            }
            Self::TooLarge => {
                "Ask Heeler for the size that it accepts. The whole events are in the bucket of the trail."
            }
            Self::NotAnEvent => {
                "Someone else sends to the queue. Run `heeler-ec plan --check` to compare the queue policy."
            }
            Self::OtherObject => {
                "A notification or a topic announces more than log files. Run `heeler-ec plan --check` to compare the \
                 notification."
            }
            Self::DigestOrInsight | Self::TestEvent => {
                "No event is lost. The messages expire at the end of the retention period."
            }
            Self::Unknown => {
                "The cause was corrected, or it is at Heeler. Move the messages back: `heeler-ec dlq redrive`."
            }
        }
    }
}

/// The reason why one message is in the dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterReason {
    pub class: DeadLetterClass,
    /// The observation, with names from the message: escape it before printing.
    pub observed: String,
    /// The objects that the message announces, each with its bucket.
    pub objects: Vec<MessageObject>,
    pub record: Option<RecordSummary>,
    /// The beginning of a body that is not an event, with masked secrets.
    pub preview: Option<String>,
}

/// An object that a message announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageObject {
    /// `None` if the message does not name it readably.
    pub bucket: Option<String>,
    pub key: String,
}

/// Returns the keys of the log objects of the trail that message bodies announce.
pub fn announced_log_objects<'a>(
    facts: &PipelineFacts,
    bodies: impl Iterator<Item = &'a str>,
) -> BTreeSet<String> {
    let objects = bodies.filter_map(|body| match content::read(body) {
        MessageContent::Notification(found) => Some(split_notification(&found, facts).0),
        _ => None,
    });
    let own = objects
        .flatten()
        .filter(|object| is_log_object(facts, object));
    own.map(|object| object.key).collect()
}

/// Finds the reason why a message is in the queue. `hops` are those of the deployment.
#[must_use]
pub fn classify(
    body: &str,
    facts: &PipelineFacts,
    hops: &[Hop],
    log_objects: &LogObjectFacts,
) -> DeadLetterReason {
    let content = content::read(body);
    let (class, observed) = match &content {
        MessageContent::Notification(found) => classify_notification(found, facts, log_objects),
        MessageContent::Record(record) => classify_record(record, facts, body.len()),
        MessageContent::Unreadable => (DeadLetterClass::NotAnEvent, "an unknown format".to_owned()),
    };
    // If the message itself is in order, the deployment may prevent its deletion.
    let (class, observed) = match class {
        DeadLetterClass::Unknown => broken_access(hops).unwrap_or((class, observed)),
        _ => (class, observed),
    };
    let (mut objects, mut record, mut preview) = (Vec::new(), None, None);
    match content {
        MessageContent::Notification(found) => objects = message_objects(found),
        MessageContent::Record(found) => record = Some(found),
        MessageContent::Unreadable => preview = Some(masked_preview(body)),
    }
    DeadLetterReason {
        class,
        observed,
        objects,
        record,
        preview,
    }
}

fn message_objects(found: Notification) -> Vec<MessageObject> {
    let announced = found.objects.into_iter().map(|object| MessageObject {
        bucket: Some(object.bucket),
        key: object.key,
    });
    let skipped = found.skipped.into_iter().filter_map(|(_, key)| {
        Some(MessageObject {
            bucket: None,
            key: key?,
        })
    });
    announced.chain(skipped).collect()
}

/// Splits a notification into objects to read, and reasons to skip others. With direct delivery, the objects of the
/// deployment have any name, and all are of its bucket.
fn split_notification(
    found: &Notification,
    facts: &PipelineFacts,
) -> (Vec<S3Object>, Vec<SkipReason>) {
    let direct_bucket = match &facts.request.source {
        PipelineSource::Bucket {
            bucket,
            destination: BucketDestination::Queue { .. },
            ..
        } => Some(bucket),
        _ => None,
    };
    let (mut objects, mut skipped) = (found.objects.clone(), Vec::new());
    for (reason, key) in &found.skipped {
        let is_named_differently = matches!(
            reason,
            SkipReason::Digest | SkipReason::Insight | SkipReason::NotALogFile
        );
        match (direct_bucket, key) {
            (Some(bucket), Some(key)) if is_named_differently => objects.push(S3Object {
                bucket: bucket.clone(),
                key: key.clone(),
                region: None,
                size: None,
            }),
            _ => skipped.push(*reason),
        }
    }
    (objects, skipped)
}

/// Returns true for an object in the bucket of the deployment and below the log prefix, now or at the time of setup.
fn is_log_object(facts: &PipelineFacts, object: &S3Object) -> bool {
    let PipelineSource::Bucket {
        bucket, log_prefix, ..
    } = &facts.request.source
    else {
        return false;
    };
    let is_below = |prefix: &str| object.key.starts_with(prefix);
    object.bucket == *bucket && (is_below(log_prefix) || is_below(&facts.log_prefix()))
}

fn classify_notification(
    found: &Notification,
    facts: &PipelineFacts,
    log_objects: &LogObjectFacts,
) -> (DeadLetterClass, String) {
    let (objects, skipped) = split_notification(found, facts);
    if !matches!(facts.request.source, PipelineSource::Bucket { .. }) && !objects.is_empty() {
        let observed = "a notification about an object, not a record";
        return (DeadLetterClass::NotAnEvent, observed.to_owned());
    }
    // An object with a problem is the reason, also if other objects of the message have none.
    let reasons = objects
        .iter()
        .map(|object| classify_object(object, facts, log_objects));
    let skipped = skipped.into_iter().map(classify_skipped);
    let first = reasons.chain(skipped).min_by_key(|(class, _)| *class);
    first.unwrap_or_else(|| {
        let observed = SkipReason::NoObjects.description();
        (DeadLetterClass::NotAnEvent, observed.to_owned())
    })
}

fn classify_skipped(reason: SkipReason) -> (DeadLetterClass, String) {
    let class = match reason {
        SkipReason::TestEvent => DeadLetterClass::TestEvent,
        SkipReason::Digest | SkipReason::Insight => DeadLetterClass::DigestOrInsight,
        SkipReason::NotCreated
        | SkipReason::WriteCheck
        | SkipReason::NotALogFile
        | SkipReason::FolderLink => DeadLetterClass::OtherObject,
        SkipReason::ValidationMessage
        | SkipReason::SubscriptionConfirmation
        | SkipReason::NoObjects
        | SkipReason::UnknownVersion
        | SkipReason::UnreadableEntry => DeadLetterClass::NotAnEvent,
    };
    (class, reason.description().to_owned())
}

fn classify_object(
    object: &S3Object,
    facts: &PipelineFacts,
    log_objects: &LogObjectFacts,
) -> (DeadLetterClass, String) {
    let S3Object { bucket, key, .. } = object;
    if !is_log_object(facts, object) {
        let observed = format!(
            "not a log file of the trail, which are below {}",
            facts.log_prefix()
        );
        return (DeadLetterClass::OtherObject, observed);
    }
    let found = log_objects.objects.get(key);
    let kms_key = match found {
        Some(Fact::Absent) => {
            return (
                DeadLetterClass::ObjectMissing,
                "S3 has no such object".to_owned(),
            );
        }
        Some(Fact::Present(Some(name))) => log_objects.kms_key(name),
        _ => None,
    };
    let arn = format!("{}/{key}", bucket_arn(&facts.request.partition, bucket));
    match object_access(facts, &arn, kms_key) {
        ObjectAccess::PolicyDenies(observed) => (DeadLetterClass::AccessDenied, observed),
        ObjectAccess::KeyDenies(observed) => (DeadLetterClass::KeyDenied, observed),
        ObjectAccess::Unknown(observed) => (DeadLetterClass::Unknown, observed),
        ObjectAccess::Allowed => {
            let observed = match found {
                Some(Fact::Failed(error)) => {
                    format!("not known whether the log file exists: {error}")
                }
                _ => "the log file exists, and Heeler may read it".to_owned(),
            };
            (DeadLetterClass::Unknown, observed)
        }
    }
}

fn classify_record(
    record: &RecordSummary,
    facts: &PipelineFacts,
    body_bytes: usize,
) -> (DeadLetterClass, String) {
    if matches!(facts.request.source, PipelineSource::Bucket { .. }) {
        let observed = "a record, not a notification about a log file";
        return (DeadLetterClass::NotAnEvent, observed.to_owned());
    }
    if let Some(cut) = record.cut_members.as_ref().filter(|cut| !cut.is_empty()) {
        let observed = format!("the record was sent without {}", cut.join(", "));
        return (DeadLetterClass::TooLarge, observed);
    }
    if body_bytes > MAX_BODY_BYTES {
        let observed = format!("the body has {body_bytes} bytes");
        return (DeadLetterClass::TooLarge, observed);
    }
    if record.event_id.is_none() {
        let observed = "a record without eventID";
        return (DeadLetterClass::NotAnEvent, observed.to_owned());
    }
    let observed = "a complete record, which Heeler did not delete";
    (DeadLetterClass::Unknown, observed.to_owned())
}

/// Returns the first broken hop that keeps Heeler from deleting or decrypting messages of the queue.
fn broken_access(hops: &[Hop]) -> Option<(DeadLetterClass, String)> {
    let class = |id: HopId| match id {
        HopId::QueuePolicy | HopId::RolePermissions => Some(DeadLetterClass::AccessDenied),
        HopId::QueueKey => Some(DeadLetterClass::KeyDenied),
        _ => None,
    };
    let mut broken = hops.iter().filter(|hop| hop.status == HopStatus::Broken);
    broken.find_map(|hop| Some((class(hop.id)?, hop.observed.clone())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Error;
    use crate::hop::tests::{bucket_facts, log_group_facts};
    use crate::hop::{queue, role};

    const KEY: &str = "AWSLogs/o-1/111122223333/CloudTrail/us-east-1/2026/01/31/111122223333_CloudTrail_us-east-1_20260131T1200Z_AbCdEfGh.json.gz";

    fn notification(bucket: &str, key: &str) -> String {
        json!({ "Records": [{
            "eventVersion": "2.1",
            "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": bucket }, "object": { "key": key, "size": 1 } },
        }] })
        .to_string()
    }

    fn bucket(facts: &PipelineFacts) -> String {
        match &facts.request.source {
            PipelineSource::Bucket { bucket, .. } => bucket.clone(),
            PipelineSource::LogGroup { .. } => String::new(),
        }
    }

    fn with_object(object: Fact<Option<String>>) -> LogObjectFacts {
        LogObjectFacts {
            objects: [(KEY.to_owned(), object)].into(),
            kms_keys: Vec::new(),
        }
    }

    fn class_of(facts: &PipelineFacts, body: &str, objects: &LogObjectFacts) -> DeadLetterClass {
        classify(body, facts, &[], objects).class
    }

    #[test]
    fn messages_about_log_files_have_their_class() {
        let facts = bucket_facts();
        let own = notification(&bucket(&facts), KEY);
        let exists = with_object(Fact::Present(None));
        assert_eq!(class_of(&facts, &own, &exists), DeadLetterClass::Unknown);
        let missing = with_object(Fact::Absent);
        assert_eq!(
            class_of(&facts, &own, &missing),
            DeadLetterClass::ObjectMissing
        );
        let unknown = with_object(Fact::Failed(Error::failed("read it", "refused")));
        let reason = classify(&own, &facts, &[], &unknown);
        assert_eq!(reason.class, DeadLetterClass::Unknown);
        assert!(reason.observed.contains("refused"), "{reason:?}");
        let denied = {
            let mut facts = facts.clone();
            facts.role.policies = Fact::Present(Vec::new());
            facts
        };
        assert_eq!(
            class_of(&denied, &own, &exists),
            DeadLetterClass::AccessDenied
        );
        for (bucket_name, key, class) in [
            ("other", KEY, DeadLetterClass::OtherObject),
            (
                &*bucket(&facts),
                "other/key.txt",
                DeadLetterClass::OtherObject,
            ),
            (
                &*bucket(&facts),
                &KEY.replace("_CloudTrail_", "_CloudTrail-Digest_"),
                DeadLetterClass::DigestOrInsight,
            ),
            (
                &*bucket(&facts),
                &KEY.replace("_CloudTrail_", "_CloudTrail-Insight_"),
                DeadLetterClass::DigestOrInsight,
            ),
        ] {
            let body = notification(bucket_name, key);
            assert_eq!(class_of(&facts, &body, &exists), class, "{key}");
        }
    }

    #[test]
    fn key_of_the_object_is_evaluated() {
        let facts = bucket_facts();
        let own = notification(&bucket(&facts), KEY);
        let mut key = facts.queue_key.clone().expect("a key");
        key.policy = Fact::Present(r#"{"Version":"2012-10-17","Statement":[]}"#.into());
        key.grants = Fact::Present(Vec::new());
        let mut objects = with_object(Fact::Present(Some(key.identifier.clone())));
        objects.kms_keys.push(key);
        assert_eq!(class_of(&facts, &own, &objects), DeadLetterClass::KeyDenied);
    }

    #[test]
    fn other_bodies_have_their_class() {
        let (facts, none) = (bucket_facts(), LogObjectFacts::default());
        for (body, class) in [
            (r#"{"Event":"s3:TestEvent"}"#, DeadLetterClass::TestEvent),
            (r#"{"Records":[]}"#, DeadLetterClass::NotAnEvent),
            (
                r#"{"eventID":"e","eventSource":"s","eventName":"n"}"#,
                DeadLetterClass::NotAnEvent,
            ),
            ("hello", DeadLetterClass::NotAnEvent),
        ] {
            assert_eq!(class_of(&facts, body, &none), class, "{body}");
        }
        let reason = classify(r#"{"sessionToken":"IQoJ"}"#, &facts, &[], &none);
        assert_eq!(
            reason.preview.as_deref(),
            Some(r#"{"sessionToken":"(masked)"}"#)
        );
    }

    #[test]
    fn objects_of_direct_delivery_have_any_name() {
        let mut facts = bucket_facts();
        if let PipelineSource::Bucket { destination, .. } = &mut facts.request.source {
            *destination = BucketDestination::Queue {
                suffix: String::new(),
            };
        }
        let key = "AWSLogs/o-1/flow.log.gz";
        let body = notification(&bucket(&facts), key);
        let keys = announced_log_objects(&facts, [body.as_str()].into_iter());
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), [key]);
        let objects = LogObjectFacts {
            objects: [(key.to_owned(), Fact::Absent)].into(),
            kms_keys: Vec::new(),
        };
        let class = class_of(&facts, &body, &objects);
        assert_eq!(class, DeadLetterClass::ObjectMissing);
    }

    #[test]
    fn records_have_their_class() {
        let (facts, none) = (log_group_facts(), LogObjectFacts::default());
        let whole = r#"{"eventID":"e","eventSource":"s","eventName":"n"}"#;
        let large = format!("{}{}", whole, " ".repeat(MAX_BODY_BYTES));
        for (body, class) in [
            (whole, DeadLetterClass::Unknown),
            (
                r#"{"eventID":"e","eventSource":"s","eventName":"n","heelerEcCut":["resources"]}"#,
                DeadLetterClass::TooLarge,
            ),
            (&large, DeadLetterClass::TooLarge),
            (
                r#"{"eventSource":"s","eventName":"n"}"#,
                DeadLetterClass::NotAnEvent,
            ),
            (&notification("b", KEY), DeadLetterClass::NotAnEvent),
        ] {
            let shown = &body[..body.len().min(80)];
            assert_eq!(class_of(&facts, body, &none), class, "{shown}");
        }
    }

    #[test]
    fn broken_queue_access_explains_complete_messages() {
        let mut facts = log_group_facts();
        facts.role.policies = Fact::Present(Vec::new());
        let hops = [queue::queue_policy(&facts), role::role_permissions(&facts)];
        let whole = r#"{"eventID":"e","eventSource":"s","eventName":"n"}"#;
        let reason = classify(whole, &facts, &hops, &LogObjectFacts::default());
        assert_eq!(reason.class, DeadLetterClass::AccessDenied, "{reason:?}");
    }

    #[test]
    fn only_log_objects_of_the_trail_are_read() {
        let facts = bucket_facts();
        let bodies = [
            notification(&bucket(&facts), KEY),
            notification("other", KEY),
            notification(&bucket(&facts), "x/other.gz"),
        ];
        let keys = announced_log_objects(&facts, bodies.iter().map(String::as_str));
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), [KEY]);
    }
}
