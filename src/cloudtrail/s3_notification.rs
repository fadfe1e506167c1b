//! Messages that announce log objects: S3 notifications, CloudTrail's own notifications, and EventBridge events.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cloudtrail::lenient_json;
use crate::cloudtrail::object_key::skip_reason;
use crate::cloudtrail::skip_reason::SkipReason;
use crate::sanitize::preview;

/// The text that CloudTrail publishes when a topic is attached to a trail. It is not JSON.
const VALIDATION_MESSAGE: &str = "CloudTrail validation message.";

/// An S3 object that a message announces or a listing returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Object {
    pub bucket: String,
    /// The decoded object key.
    pub key: String,
    /// Region of the bucket, if the message contains it.
    pub region: Option<String>,
    pub size: Option<u64>,
}

/// The content of one message. A message may announce several objects; an unsuitable one does not affect the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notification {
    pub objects: Vec<S3Object>,
    /// The reasons for skipping, each with the object key if there is one.
    pub skipped: Vec<(SkipReason, Option<String>)>,
}

impl Notification {
    fn skip_message(reason: SkipReason) -> Self {
        Self {
            objects: vec![],
            skipped: vec![(reason, None)],
        }
    }

    /// Adds an object, or skips it because of its key.
    fn add_object(&mut self, object: S3Object) {
        match skip_reason(&object.key) {
            Some(reason) => self.skipped.push((reason, Some(object.key))),
            None => self.objects.push(object),
        }
    }

    fn add_skipped(&mut self, reason: SkipReason, key: Option<String>) {
        self.skipped.push((reason, key));
    }

    /// Returns true if no entry was readable. Such a message has a different format than its fields suggest.
    fn is_entirely_unreadable(&self) -> bool {
        let unreadable = |(reason, _): &(SkipReason, _)| *reason == SkipReason::UnreadableEntry;
        self.objects.is_empty() && !self.skipped.is_empty() && self.skipped.iter().all(unreadable)
    }

    fn or_no_objects(self) -> Self {
        if self.objects.is_empty() && self.skipped.is_empty() {
            Self::skip_message(SkipReason::NoObjects)
        } else {
            self
        }
    }
}

/// A message in an unknown format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableMessage {
    pub reason: String,
    /// The first 80 characters of the message, escaped for a terminal.
    pub preview: String,
}

impl UnreadableMessage {
    fn new(reason: &str, body: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            preview: preview(body),
        }
    }
}

/// The fields of all message formats. A message has only the fields of its own format.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MessageBody<'a> {
    #[serde(rename = "Type", deserialize_with = "lenient_json::text")]
    envelope_type: Option<String>,
    #[serde(rename = "Message", deserialize_with = "lenient_json::text")]
    message: Option<String>,
    #[serde(rename = "Event", deserialize_with = "lenient_json::text")]
    event: Option<String>,
    #[serde(rename = "Records", borrow, deserialize_with = "lenient_json::value")]
    records: Option<Vec<&'a RawValue>>,
    #[serde(rename = "s3Bucket", deserialize_with = "lenient_json::text")]
    trail_bucket: Option<String>,
    #[serde(
        rename = "s3ObjectKey",
        borrow,
        deserialize_with = "lenient_json::value"
    )]
    trail_keys: Option<Vec<&'a RawValue>>,
    #[serde(deserialize_with = "lenient_json::text")]
    source: Option<String>,
    #[serde(rename = "detail-type", deserialize_with = "lenient_json::text")]
    detail_type: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    region: Option<String>,
    #[serde(deserialize_with = "lenient_json::object")]
    detail: Option<S3Entity>,
}

/// One entry of an S3 notification.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct S3EventEntry {
    #[serde(deserialize_with = "lenient_json::text")]
    event_version: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    event_name: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    aws_region: Option<String>,
    #[serde(deserialize_with = "lenient_json::object")]
    s3: Option<S3Entity>,
}

/// The `s3` object of an S3 notification, and the `detail` of an EventBridge event. Only S3 notifications encode the key.
#[derive(Default, Deserialize)]
#[serde(default)]
struct S3Entity {
    #[serde(deserialize_with = "lenient_json::object")]
    bucket: Option<S3BucketField>,
    #[serde(deserialize_with = "lenient_json::object")]
    object: Option<S3ObjectField>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct S3BucketField {
    #[serde(deserialize_with = "lenient_json::text")]
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct S3ObjectField {
    #[serde(deserialize_with = "lenient_json::text")]
    key: Option<String>,
    #[serde(deserialize_with = "lenient_json::value")]
    size: Option<u64>,
}

impl S3Entity {
    fn into_object(self, region: Option<String>) -> Option<S3Object> {
        let object = self.object?;
        Some(S3Object {
            bucket: self.bucket?.name?,
            key: object.key?,
            region,
            size: object.size,
        })
    }
}

/// Parses the body of a message. SNS wraps the original message in an envelope, unless raw delivery is enabled.
///
/// # Errors
/// Returns an error if the format of the message is unknown.
pub fn parse(body: &str) -> Result<Notification, UnreadableMessage> {
    let Some(outer) = lenient_json::parse_object::<MessageBody>(body) else {
        return parse_text(body);
    };
    match (outer.envelope_type.as_deref(), &outer.message) {
        (Some("Notification"), Some(message)) => parse_text(message),
        (Some("Notification"), None) => Err(UnreadableMessage::new(
            "an SNS notification without a message",
            body,
        )),
        // Its URL would confirm or end a subscription. It is never requested.
        (Some("SubscriptionConfirmation" | "UnsubscribeConfirmation"), _) => Ok(
            Notification::skip_message(SkipReason::SubscriptionConfirmation),
        ),
        _ => dispatch(outer, body),
    }
}

fn parse_text(text: &str) -> Result<Notification, UnreadableMessage> {
    if text.trim() == VALIDATION_MESSAGE {
        return Ok(Notification::skip_message(SkipReason::ValidationMessage));
    }
    match lenient_json::parse_object::<MessageBody>(text) {
        Some(body) => dispatch(body, text),
        None => Err(UnreadableMessage::new("not a JSON object", text)),
    }
}

/// Recognises the format of a message by its fields.
fn dispatch(body: MessageBody, text: &str) -> Result<Notification, UnreadableMessage> {
    let notification = if let Some(entries) = body.records {
        from_s3_entries(&entries)
    } else if body.event.as_deref() == Some("s3:TestEvent") {
        Notification::skip_message(SkipReason::TestEvent)
    } else if let (Some(bucket), Some(keys)) = (&body.trail_bucket, &body.trail_keys) {
        from_cloudtrail(bucket, keys)
    } else if body.source.as_deref() == Some("aws.s3") {
        from_eventbridge(body)
    } else {
        return Err(UnreadableMessage::new(
            "not a known notification format",
            text,
        ));
    };
    if notification.is_entirely_unreadable() {
        return Err(UnreadableMessage::new(
            SkipReason::UnreadableEntry.description(),
            text,
        ));
    }
    Ok(notification.or_no_objects())
}

fn from_s3_entries(entries: &[&RawValue]) -> Notification {
    let mut notification = Notification::default();
    for raw in entries {
        match lenient_json::parse_object::<S3EventEntry>(raw.get()) {
            Some(entry) => add_s3_entry(&mut notification, entry),
            None => notification.add_skipped(SkipReason::UnreadableEntry, None),
        }
    }
    notification
}

fn add_s3_entry(notification: &mut Notification, entry: S3EventEntry) {
    let (known, created) = (entry.has_known_version(), entry.is_creation());
    let Some(mut object) = entry
        .s3
        .and_then(|entity| entity.into_object(entry.aws_region))
    else {
        return notification.add_skipped(SkipReason::UnreadableEntry, None);
    };
    let Some(key) = decode_key(&object.key) else {
        return notification.add_skipped(SkipReason::UnreadableEntry, Some(object.key));
    };
    object.key = key;
    match (known, created) {
        (false, _) => notification.add_skipped(SkipReason::UnknownVersion, Some(object.key)),
        (true, false) => notification.add_skipped(SkipReason::NotCreated, Some(object.key)),
        (true, true) => notification.add_object(object),
    }
}

impl S3EventEntry {
    /// Returns true for major version 2. A new minor version only adds fields; a new major version may be incompatible.
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>.
    fn has_known_version(&self) -> bool {
        self.event_version
            .as_deref()
            .is_none_or(|version| version.split('.').next() == Some("2"))
    }

    /// Returns true for Put, Post, Copy and `CompleteMultipartUpload`. A notification without an event name announces a
    /// creation.
    fn is_creation(&self) -> bool {
        self.event_name.as_deref().is_none_or(|name| {
            let name = name.strip_prefix("s3:").unwrap_or(name);
            name.starts_with("ObjectCreated:")
        })
    }
}

/// Reads CloudTrail's own notification: several unencoded keys of one bucket, without size and region.
fn from_cloudtrail(bucket: &str, keys: &[&RawValue]) -> Notification {
    let mut notification = Notification::default();
    for raw in keys {
        match serde_json::from_str::<String>(raw.get()) {
            Ok(key) => notification.add_object(S3Object {
                bucket: bucket.to_owned(),
                key,
                region: None,
                size: None,
            }),
            Err(_) => notification.add_skipped(SkipReason::UnreadableEntry, None),
        }
    }
    notification
}

fn from_eventbridge(body: MessageBody) -> Notification {
    let mut notification = Notification::default();
    let created = body.detail_type.as_deref() == Some("Object Created");
    match body
        .detail
        .and_then(|entity| entity.into_object(body.region))
    {
        Some(object) if created => notification.add_object(object),
        Some(object) => notification.add_skipped(SkipReason::NotCreated, Some(object.key)),
        None => notification.add_skipped(SkipReason::UnreadableEntry, None),
    }
    notification
}

/// Decodes a key of an S3 notification, which is form-encoded: `+` is a space, and other characters are `%XX`.
fn decode_key(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str =
        "AWSLogs/218007301253/CloudTrail/us-east-1/2023/07/10/218007301253_CloudTrail_us-east-1_";

    fn fixture(name: &str) -> String {
        let path = format!(
            "{}/tests/fixtures/tail/bodies/{name}",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::read_to_string(path).expect("a fixture can be read")
    }

    fn parse_fixture(name: &str) -> Notification {
        parse(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {}", error.reason))
    }

    fn log_object(stamp_and_name: &str, region: Option<&str>, size: Option<u64>) -> S3Object {
        S3Object {
            bucket: "example-cloudtrail-bucket".to_owned(),
            key: format!("{DAY}{stamp_and_name}.json.gz"),
            region: region.map(str::to_owned),
            size,
        }
    }

    fn skipped_in(name: &str) -> Vec<(SkipReason, Option<String>)> {
        let notification = parse_fixture(name);
        assert_eq!(notification.objects, [], "{name}");
        notification.skipped
    }

    /// An S3 notification with these entries, each as JSON text.
    fn s3_notification(entries: &[&str]) -> String {
        format!(r#"{{"Records":[{}]}}"#, entries.join(","))
    }

    fn s3_entry(head: &str, key: &str) -> String {
        format!(r#"{{{head}"s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}"}}}}}}"#)
    }

    const LOG: &str = "111122223333_CloudTrail_eu-west-1_20240101T0000Z_AbCdEfGhIjKlMnOp.json.gz";

    #[test]
    fn notification_is_parsed_with_and_without_envelope() {
        let region = Some("us-east-1");
        for (name, object) in [
            (
                "sns-raw-delivery-cloudtrail-object.json",
                log_object("20230710T1200Z_iLj9fb7yyUG9X4Bf", region, Some(52327)),
            ),
            (
                "sns-wrapped-cloudtrail-object.json",
                log_object("20230710T1145Z_7xgocspSowgK0Gto", region, Some(4960)),
            ),
        ] {
            assert_eq!(
                parse_fixture(name),
                Notification {
                    objects: vec![object],
                    skipped: vec![]
                },
                "{name}"
            );
        }
    }

    #[test]
    fn every_object_in_a_message_is_read() {
        let region = Some("us-east-1");
        let objects = vec![
            log_object("20230710T1145Z_s7dpHbl38neqZbm2", region, Some(8010)),
            log_object("20230710T1150Z_1vnLavRRp0ek1mP4", region, Some(718)),
        ];
        assert_eq!(
            parse_fixture("sns-wrapped-two-records.json"),
            Notification {
                objects,
                skipped: vec![]
            }
        );
    }

    #[test]
    fn newer_minor_version_is_read() {
        let object = log_object(
            "20230710T1205Z_1dM7GQM67kudSyGD",
            Some("us-east-1"),
            Some(2819),
        );
        assert_eq!(
            parse_fixture("sns-wrapped-future-version-2.4.json").objects,
            [object]
        );
    }

    #[test]
    fn s3_keys_are_form_decoded() {
        let objects = parse_fixture("sns-wrapped-org-trail-encoded-prefix.json").objects;
        assert_eq!(
            objects[0].key,
            "my trail logs+x/AWSLogs/o-exampleorgid/123456789012/CloudTrail/us-east-1/2023/07/10/123456789012_CloudTrail_us-east-1_20230710T1215Z_AbCdEfGhIjKlMnOp.json.gz"
        );
    }

    #[test]
    fn cloudtrail_notification_keys_are_not_decoded() {
        let objects = vec![
            log_object("20230710T1205Z_86g9Vok9HiUCgSI7", None, None),
            log_object("20230710T1205Z_SjF3IkuNXJkoHyar", None, None),
        ];
        for name in [
            "cloudtrail-own-sns-form.json",
            "cloudtrail-own-sns-form-raw-delivery.json",
        ] {
            assert_eq!(
                parse_fixture(name),
                Notification {
                    objects: objects.clone(),
                    skipped: vec![]
                },
                "{name}"
            );
        }
        let plus = parse(&format!(
            r#"{{"s3Bucket":"b","s3ObjectKey":["a+b%20c/{LOG}"]}}"#
        ))
        .expect("a notification");
        assert_eq!(plus.objects[0].key, format!("a+b%20c/{LOG}"));
    }

    #[test]
    fn eventbridge_keys_are_not_decoded() {
        let event = format!(
            r#"{{"source":"aws.s3","detail-type":"Object Created","region":"eu-west-1","detail":{{"bucket":{{"name":"b"}},"object":{{"key":"a+b%20c/{LOG}","size":5}}}}}}"#
        );
        let object = S3Object {
            bucket: "b".to_owned(),
            key: format!("a+b%20c/{LOG}"),
            region: Some("eu-west-1".to_owned()),
            size: Some(5),
        };
        assert_eq!(
            parse(&event),
            Ok(Notification {
                objects: vec![object],
                skipped: vec![]
            })
        );
    }

    #[test]
    fn s3_test_event_is_skipped() {
        for name in [
            "s3-test-event-direct.json",
            "sns-wrapped-s3-test-event.json",
        ] {
            assert_eq!(skipped_in(name), [(SkipReason::TestEvent, None)], "{name}");
        }
        assert_eq!(SkipReason::TestEvent.description(), "an S3 test event");
    }

    #[test]
    fn validation_message_is_skipped() {
        assert_eq!(
            skipped_in("cloudtrail-own-sns-validation.json"),
            [(SkipReason::ValidationMessage, None)]
        );
        assert_eq!(
            parse("CloudTrail validation message.\n"),
            Ok(Notification::skip_message(SkipReason::ValidationMessage))
        );
    }

    #[test]
    fn subscription_confirmation_is_skipped() {
        assert_eq!(
            skipped_in("sns-subscription-confirmation.json"),
            [(SkipReason::SubscriptionConfirmation, None)]
        );
        assert_eq!(
            parse(r#"{"Type":"UnsubscribeConfirmation"}"#),
            Ok(Notification::skip_message(
                SkipReason::SubscriptionConfirmation
            ))
        );
    }

    #[test]
    fn message_without_objects_is_skipped() {
        assert_eq!(
            skipped_in("sns-wrapped-empty-records.json"),
            [(SkipReason::NoObjects, None)]
        );
    }

    #[test]
    fn other_objects_are_skipped_with_their_key() {
        let removed = format!("{DAY}20230710T1200Z_x9kHmzMa7cx6l9wM.json.gz");
        let organization = "AWSLogs/o-exampleorgid/123456789012";
        let digest = format!(
            "{organization}/CloudTrail-Digest/us-east-1/2023/07/10/123456789012_CloudTrail-Digest_us-east-1_org-trail_us-east-1_20230710T121500Z.json.gz"
        );
        let insight = format!(
            "{organization}/CloudTrail-Insight/us-east-1/2023/07/10/123456789012_CloudTrail-Insight_us-east-1_20230710T1215Z_AbCdEfGhIjKlMnOp.json.gz"
        );
        for (name, skip, key) in [
            (
                "sns-wrapped-object-removed.json",
                SkipReason::NotCreated,
                removed.as_str(),
            ),
            (
                "eventbridge-object-deleted.json",
                SkipReason::NotCreated,
                "example-key",
            ),
            ("sns-wrapped-digest.json", SkipReason::Digest, &digest),
            ("sns-wrapped-insight.json", SkipReason::Insight, &insight),
            (
                "sns-wrapped-write-check.json",
                SkipReason::WriteCheck,
                "AWSLogs/123456789012/CloudTrail/",
            ),
            (
                "s3-direct.json",
                SkipReason::NotALogFile,
                "b21b84d653bb07b05b1e6b33684dc11b",
            ),
            (
                "sns-wrapped-s3.json",
                SkipReason::NotALogFile,
                "b21b84d653bb07b05b1e6b33684dc11b",
            ),
            (
                "s3-urlencoded-plus-key.json",
                SkipReason::NotALogFile,
                "my file=a.json.gz",
            ),
            (
                "eventbridge-object-created.json",
                SkipReason::NotALogFile,
                "example-key",
            ),
            (
                "eventbridge-plus-key-not-encoded.json",
                SkipReason::NotALogFile,
                "my+file.json.gz",
            ),
        ] {
            assert_eq!(skipped_in(name), [(skip, Some(key.to_owned()))], "{name}");
        }
    }

    #[test]
    fn unreadable_message_has_a_preview() {
        for (name, why, start) in [
            (
                "garbage-not-json.txt",
                "not a JSON object",
                "hello, this is not JSON",
            ),
            (
                "garbage-other-json.json",
                "not a known notification format",
                r#"{"hello":"world"}"#,
            ),
        ] {
            let error = parse(&fixture(name)).expect_err("the message is unreadable");
            assert!(
                error.preview.starts_with(start),
                "{name}: {}",
                error.preview
            );
            assert_eq!(error.reason, why, "{name}");
        }
    }

    #[test]
    fn unknown_message_formats_are_unreadable() {
        for text in [
            "",
            "null",
            "[]",
            r#"["Notification","x"]"#,
            "{\"Records\":",
            r#"{"Type":"Notification"}"#,
            r#"{"Type":"Notification","Message":"You have mail"}"#,
            r#"{"Type":"Notification","Message":{"Records":[]}}"#,
            r#"{"Records":{"0":1}}"#,
            r#"{"Records":[{"eventVersion":"1.08","eventName":"GetObject"}]}"#,
            r#"{"s3Bucket":"b","s3ObjectKey":"not-a-list"}"#,
            r#"{"s3Bucket":"b","s3ObjectKey":[1]}"#,
            r#"{"source":"aws.s3","detail-type":"Object Created","detail":{}}"#,
            r#"{"source":"aws.ec2","detail-type":"Object Created","detail":{"bucket":{"name":"b"},"object":{"key":"k"}}}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bad_entry_does_not_affect_other_entries() {
        let good = s3_entry("", LOG);
        let not_text = s3_entry("", "%FF%FE");
        let next = s3_entry(r#""eventVersion":"3.0","#, LOG);
        let notification = parse(&s3_notification(&[
            "7",
            r#"{"s3":{}}"#,
            &not_text,
            &next,
            &good,
        ]))
        .expect("one entry is fine");
        assert_eq!(notification.objects.len(), 1);
        assert_eq!(
            notification.skipped,
            [
                (SkipReason::UnreadableEntry, None),
                (SkipReason::UnreadableEntry, None),
                (SkipReason::UnreadableEntry, Some("%FF%FE".to_owned())),
                (SkipReason::UnknownVersion, Some(LOG.to_owned())),
            ]
        );
    }

    #[test]
    fn only_object_created_events_are_read() {
        for (head, taken) in [
            ("", true),
            (r#""eventName":"ObjectCreated:Put","#, true),
            (r#""eventName":"ObjectCreated:Copy","#, true),
            (r#""eventName":"ObjectCreated:Post","#, true),
            (
                r#""eventName":"ObjectCreated:CompleteMultipartUpload","#,
                true,
            ),
            (r#""eventName":"s3:ObjectCreated:Put","#, true),
            (r#""eventName":"ObjectRemoved:Delete","#, false),
            (
                r#""eventName":"s3:ObjectRemoved:DeleteMarkerCreated","#,
                false,
            ),
            (r#""eventName":"ObjectRestore:Completed","#, false),
            (r#""eventName":"LifecycleExpiration:Delete","#, false),
        ] {
            let notification =
                parse(&s3_notification(&[&s3_entry(head, LOG)])).expect("a notification");
            assert_eq!(notification.objects.len(), usize::from(taken), "{head}");
            assert_eq!(notification.skipped.is_empty(), taken, "{head}");
        }
    }
}
