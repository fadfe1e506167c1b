//! A message from the queue, and the objects it announces.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::name::unfit;
use super::shape;
use super::visible::start;

/// CloudTrail publishes this text, which is no JSON, when a topic is attached to a trail.
const VALIDATION: &str = "CloudTrail validation message.";

/// An object that holds event records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub bucket: String,
    /// The key as S3 knows it, without any encoding.
    pub key: String,
    /// The region of the bucket, where the message tells it.
    pub region: Option<String>,
    pub size: Option<u64>,
}

/// Why a message, or an object in it, is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    TestEvent,
    Validation,
    Confirmation,
    Empty,
    NotCreated,
    Digest,
    Insight,
    WriteCheck,
    NotALog,
    Link,
    OtherVersion,
    Unreadable,
}

impl Skip {
    /// Says the reason in words that follow "skipped: ".
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TestEvent => "a test event of S3",
            Self::Validation => "a validation message of CloudTrail",
            Self::Confirmation => "a confirmation of a subscription, not an event",
            Self::Empty => "a message that announces no object",
            Self::NotCreated => "not the creation of an object",
            Self::Digest => "a digest, which holds no events",
            Self::Insight => "an Insights object, which holds no calls",
            Self::WriteCheck => "a folder or write check, which holds no events",
            Self::NotALog => "not the name of a CloudTrail log",
            Self::Link => "a link to a folder, which may lead in a circle",
            Self::OtherVersion => "an S3 notification of an unknown major version",
            Self::Unreadable => "an entry without a readable bucket and key",
        }
    }

    /// Whether it is the message that is passed over, and not an object in it.
    #[must_use]
    pub fn is_of_message(self) -> bool {
        matches!(
            self,
            Self::TestEvent | Self::Validation | Self::Confirmation | Self::Empty
        )
    }
}

/// What one message announces. Several objects may come in one message, and one of them that is unfit does not cost
/// the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    pub objects: Vec<Object>,
    /// Each reason with the key it is about, where there is one.
    pub skipped: Vec<(Skip, Option<String>)>,
}

impl Notice {
    fn skipping(skip: Skip) -> Self {
        Self {
            objects: vec![],
            skipped: vec![(skip, None)],
        }
    }

    /// Takes an object in or passes it over, by its name.
    fn add(&mut self, object: Object) {
        match unfit(&object.key) {
            Some(skip) => self.skipped.push((skip, Some(object.key))),
            None => self.objects.push(object),
        }
    }

    fn skip(&mut self, skip: Skip, key: Option<String>) {
        self.skipped.push((skip, key));
    }

    /// Whether not a single entry made sense. Such a message is something else than it looks like.
    fn is_unreadable(&self) -> bool {
        let unreadable = |(skip, _): &(Skip, _)| *skip == Skip::Unreadable;
        self.objects.is_empty() && !self.skipped.is_empty() && self.skipped.iter().all(unreadable)
    }

    fn or_empty(self) -> Self {
        if self.objects.is_empty() && self.skipped.is_empty() {
            Self::skipping(Skip::Empty)
        } else {
            self
        }
    }
}

/// A message nobody here can read. It is left alone and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub why: String,
    /// How the message begins, fit for a terminal, at most 80 characters.
    pub start: String,
}

impl Unreadable {
    fn new(why: &str, body: &str) -> Self {
        Self {
            why: why.to_owned(),
            start: start(body),
        }
    }
}

/// Every field that tells one form of message from another. A message has the fields of its own form only.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    #[serde(rename = "Type", deserialize_with = "shape::text")]
    envelope: Option<String>,
    #[serde(rename = "Message", deserialize_with = "shape::text")]
    message: Option<String>,
    #[serde(rename = "Event", deserialize_with = "shape::text")]
    event: Option<String>,
    #[serde(rename = "Records", borrow, deserialize_with = "shape::value")]
    records: Option<Vec<&'a RawValue>>,
    #[serde(rename = "s3Bucket", deserialize_with = "shape::text")]
    trail_bucket: Option<String>,
    #[serde(rename = "s3ObjectKey", borrow, deserialize_with = "shape::value")]
    trail_keys: Option<Vec<&'a RawValue>>,
    #[serde(deserialize_with = "shape::text")]
    source: Option<String>,
    #[serde(rename = "detail-type", deserialize_with = "shape::text")]
    detail_type: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    region: Option<String>,
    #[serde(deserialize_with = "shape::object")]
    detail: Option<Place>,
}

/// One entry of an S3 notification.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    #[serde(deserialize_with = "shape::text")]
    event_version: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    event_name: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    aws_region: Option<String>,
    #[serde(deserialize_with = "shape::object")]
    s3: Option<Place>,
}

/// Where an object lies. S3 and EventBridge write it alike, but only S3 encodes the key.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    #[serde(deserialize_with = "shape::object")]
    bucket: Option<Bucket>,
    #[serde(deserialize_with = "shape::object")]
    object: Option<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bucket {
    #[serde(deserialize_with = "shape::text")]
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(deserialize_with = "shape::text")]
    key: Option<String>,
    #[serde(deserialize_with = "shape::value")]
    size: Option<u64>,
}

impl Place {
    fn object(self, region: Option<String>) -> Option<Object> {
        let item = self.object?;
        Some(Object {
            bucket: self.bucket?.name?,
            key: item.key?,
            region,
            size: item.size,
        })
    }
}

/// Reads the body of a message. SNS wraps what it is given as text, unless the subscription asks for raw delivery.
///
/// # Errors
/// When the message has no form that is known.
pub fn read(body: &str) -> Result<Notice, Unreadable> {
    let Some(outer) = shape::parse_object::<Body>(body) else {
        return announced(body);
    };
    match (outer.envelope.as_deref(), &outer.message) {
        (Some("Notification"), Some(message)) => announced(message),
        (Some("Notification"), None) => Err(Unreadable::new(
            "an SNS notification without a message",
            body,
        )),
        // The address in it would confirm or end a subscription, which is not for a reader to do.
        (Some("SubscriptionConfirmation" | "UnsubscribeConfirmation"), _) => {
            Ok(Notice::skipping(Skip::Confirmation))
        }
        _ => unwrapped(outer, body),
    }
}

fn announced(text: &str) -> Result<Notice, Unreadable> {
    if text.trim() == VALIDATION {
        return Ok(Notice::skipping(Skip::Validation));
    }
    match shape::parse_object::<Body>(text) {
        Some(body) => unwrapped(body, text),
        None => Err(Unreadable::new("not a JSON object", text)),
    }
}

/// Tells the form of a message by its fields.
fn unwrapped(body: Body, text: &str) -> Result<Notice, Unreadable> {
    let notice = if let Some(entries) = body.records {
        from_s3(&entries)
    } else if body.event.as_deref() == Some("s3:TestEvent") {
        Notice::skipping(Skip::TestEvent)
    } else if let (Some(bucket), Some(keys)) = (&body.trail_bucket, &body.trail_keys) {
        from_cloudtrail(bucket, keys)
    } else if body.source.as_deref() == Some("aws.s3") {
        from_eventbridge(body)
    } else {
        return Err(Unreadable::new(
            "no form of notification that announces objects",
            text,
        ));
    };
    if notice.is_unreadable() {
        return Err(Unreadable::new(Skip::Unreadable.reason(), text));
    }
    Ok(notice.or_empty())
}

fn from_s3(entries: &[&RawValue]) -> Notice {
    let mut notice = Notice::default();
    for raw in entries {
        match shape::parse_object::<Entry>(raw.get()) {
            Some(entry) => add_entry(&mut notice, entry),
            None => notice.skip(Skip::Unreadable, None),
        }
    }
    notice
}

fn add_entry(notice: &mut Notice, entry: Entry) {
    let (known, created) = (entry.is_known_version(), entry.is_creation());
    let Some(mut object) = entry.s3.and_then(|place| place.object(entry.aws_region)) else {
        return notice.skip(Skip::Unreadable, None);
    };
    let Some(key) = form_decoded(&object.key) else {
        return notice.skip(Skip::Unreadable, Some(object.key));
    };
    object.key = key;
    match (known, created) {
        (false, _) => notice.skip(Skip::OtherVersion, Some(object.key)),
        (true, false) => notice.skip(Skip::NotCreated, Some(object.key)),
        (true, true) => notice.add(object),
    }
}

impl Entry {
    /// A new minor version only adds fields. A new major version may mean anything.
    fn is_known_version(&self) -> bool {
        self.event_version
            .as_deref()
            .is_none_or(|version| version.split('.').next() == Some("2"))
    }

    /// Put, Post, Copy and `CompleteMultipartUpload` all create; senders that leave the name out only announce
    /// creations.
    fn is_creation(&self) -> bool {
        self.event_name.as_deref().is_none_or(|name| {
            let name = name.strip_prefix("s3:").unwrap_or(name);
            name.starts_with("ObjectCreated:")
        })
    }
}

/// CloudTrail names several keys of one bucket, unencoded, without size and region.
fn from_cloudtrail(bucket: &str, keys: &[&RawValue]) -> Notice {
    let mut notice = Notice::default();
    for raw in keys {
        match serde_json::from_str::<String>(raw.get()) {
            Ok(key) => notice.add(Object {
                bucket: bucket.to_owned(),
                key,
                region: None,
                size: None,
            }),
            Err(_) => notice.skip(Skip::Unreadable, None),
        }
    }
    notice
}

fn from_eventbridge(body: Body) -> Notice {
    let mut notice = Notice::default();
    let created = body.detail_type.as_deref() == Some("Object Created");
    match body.detail.and_then(|place| place.object(body.region)) {
        Some(object) if created => notice.add(object),
        Some(object) => notice.skip(Skip::NotCreated, Some(object.key)),
        None => notice.skip(Skip::Unreadable, None),
    }
    notice
}

/// Decodes a key as S3 encodes it, which is as a web form: a plus is a space, and the rest is `%XX`.
fn form_decoded(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str =
        "AWSLogs/218007301253/CloudTrail/us-east-1/2023/07/10/218007301253_CloudTrail_us-east-1_";

    fn body(name: &str) -> String {
        let path = format!(
            "{}/tests/fixtures/tail/bodies/{name}",
            env!("CARGO_MANIFEST_DIR")
        );
        std::fs::read_to_string(path).expect("a fixture can be read")
    }

    fn notice(name: &str) -> Notice {
        read(&body(name)).unwrap_or_else(|error| panic!("{name}: {}", error.why))
    }

    fn log(stamp_and_name: &str, region: Option<&str>, size: Option<u64>) -> Object {
        Object {
            bucket: "example-cloudtrail-bucket".to_owned(),
            key: format!("{DAY}{stamp_and_name}.json.gz"),
            region: region.map(str::to_owned),
            size,
        }
    }

    fn skips(name: &str) -> Vec<(Skip, Option<String>)> {
        let notice = notice(name);
        assert_eq!(notice.objects, [], "{name}");
        notice.skipped
    }

    /// An S3 notification with these entries, each given as its own JSON.
    fn s3(entries: &[&str]) -> String {
        format!(r#"{{"Records":[{}]}}"#, entries.join(","))
    }

    fn entry(head: &str, key: &str) -> String {
        format!(r#"{{{head}"s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}"}}}}}}"#)
    }

    const LOG: &str = "111122223333_CloudTrail_eu-west-1_20240101T0000Z_AbCdEfGhIjKlMnOp.json.gz";

    #[test]
    fn an_s3_notification_is_read_with_and_without_the_sns_envelope() {
        let region = Some("us-east-1");
        for (name, object) in [
            (
                "sns-raw-delivery-cloudtrail-object.json",
                log("20230710T1200Z_iLj9fb7yyUG9X4Bf", region, Some(52327)),
            ),
            (
                "sns-wrapped-cloudtrail-object.json",
                log("20230710T1145Z_7xgocspSowgK0Gto", region, Some(4960)),
            ),
        ] {
            assert_eq!(
                notice(name),
                Notice {
                    objects: vec![object],
                    skipped: vec![]
                },
                "{name}"
            );
        }
    }

    #[test]
    fn every_object_of_a_message_is_read() {
        let region = Some("us-east-1");
        let objects = vec![
            log("20230710T1145Z_s7dpHbl38neqZbm2", region, Some(8010)),
            log("20230710T1150Z_1vnLavRRp0ek1mP4", region, Some(718)),
        ];
        assert_eq!(
            notice("sns-wrapped-two-records.json"),
            Notice {
                objects,
                skipped: vec![]
            }
        );
    }

    #[test]
    fn a_newer_minor_version_is_read() {
        let object = log(
            "20230710T1205Z_1dM7GQM67kudSyGD",
            Some("us-east-1"),
            Some(2819),
        );
        assert_eq!(
            notice("sns-wrapped-future-version-2.4.json").objects,
            [object]
        );
    }

    #[test]
    fn a_key_from_s3_is_decoded_as_a_form() {
        let objects = notice("sns-wrapped-org-trail-encoded-prefix.json").objects;
        assert_eq!(
            objects[0].key,
            "my trail logs+x/AWSLogs/o-exampleorgid/123456789012/CloudTrail/us-east-1/2023/07/10/123456789012_CloudTrail_us-east-1_20230710T1215Z_AbCdEfGhIjKlMnOp.json.gz"
        );
    }

    #[test]
    fn the_form_cloudtrail_itself_sends_is_read_without_decoding() {
        let objects = vec![
            log("20230710T1205Z_86g9Vok9HiUCgSI7", None, None),
            log("20230710T1205Z_SjF3IkuNXJkoHyar", None, None),
        ];
        for name in [
            "cloudtrail-own-sns-form.json",
            "cloudtrail-own-sns-form-raw-delivery.json",
        ] {
            assert_eq!(
                notice(name),
                Notice {
                    objects: objects.clone(),
                    skipped: vec![]
                },
                "{name}"
            );
        }
        let plus = read(&format!(
            r#"{{"s3Bucket":"b","s3ObjectKey":["a+b%20c/{LOG}"]}}"#
        ))
        .expect("this is a notice");
        assert_eq!(plus.objects[0].key, format!("a+b%20c/{LOG}"));
    }

    #[test]
    fn an_eventbridge_event_is_read_without_decoding() {
        let event = format!(
            r#"{{"source":"aws.s3","detail-type":"Object Created","region":"eu-west-1","detail":{{"bucket":{{"name":"b"}},"object":{{"key":"a+b%20c/{LOG}","size":5}}}}}}"#
        );
        let object = Object {
            bucket: "b".to_owned(),
            key: format!("a+b%20c/{LOG}"),
            region: Some("eu-west-1".to_owned()),
            size: Some(5),
        };
        assert_eq!(
            read(&event),
            Ok(Notice {
                objects: vec![object],
                skipped: vec![]
            })
        );
    }

    #[test]
    fn a_test_event_is_skipped_with_its_reason() {
        for name in [
            "s3-test-event-direct.json",
            "sns-wrapped-s3-test-event.json",
        ] {
            assert_eq!(skips(name), [(Skip::TestEvent, None)], "{name}");
        }
        assert_eq!(Skip::TestEvent.reason(), "a test event of S3");
    }

    #[test]
    fn a_validation_message_is_skipped_wrapped_and_bare() {
        assert_eq!(
            skips("cloudtrail-own-sns-validation.json"),
            [(Skip::Validation, None)]
        );
        assert_eq!(
            read("CloudTrail validation message.\n"),
            Ok(Notice::skipping(Skip::Validation))
        );
    }

    #[test]
    fn a_confirmation_is_skipped() {
        assert_eq!(
            skips("sns-subscription-confirmation.json"),
            [(Skip::Confirmation, None)]
        );
        assert_eq!(
            read(r#"{"Type":"UnsubscribeConfirmation"}"#),
            Ok(Notice::skipping(Skip::Confirmation))
        );
    }

    #[test]
    fn a_message_without_objects_is_counted() {
        assert_eq!(
            skips("sns-wrapped-empty-records.json"),
            [(Skip::Empty, None)]
        );
    }

    #[test]
    fn an_object_that_is_no_new_log_is_skipped_with_its_key() {
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
                Skip::NotCreated,
                removed.as_str(),
            ),
            (
                "eventbridge-object-deleted.json",
                Skip::NotCreated,
                "example-key",
            ),
            ("sns-wrapped-digest.json", Skip::Digest, &digest),
            ("sns-wrapped-insight.json", Skip::Insight, &insight),
            (
                "sns-wrapped-write-check.json",
                Skip::WriteCheck,
                "AWSLogs/123456789012/CloudTrail/",
            ),
            (
                "s3-direct.json",
                Skip::NotALog,
                "b21b84d653bb07b05b1e6b33684dc11b",
            ),
            (
                "sns-wrapped-s3.json",
                Skip::NotALog,
                "b21b84d653bb07b05b1e6b33684dc11b",
            ),
            (
                "s3-urlencoded-plus-key.json",
                Skip::NotALog,
                "my file=a.json.gz",
            ),
            (
                "eventbridge-object-created.json",
                Skip::NotALog,
                "example-key",
            ),
            (
                "eventbridge-plus-key-not-encoded.json",
                Skip::NotALog,
                "my+file.json.gz",
            ),
        ] {
            assert_eq!(skips(name), [(skip, Some(key.to_owned()))], "{name}");
        }
    }

    #[test]
    fn garbage_is_unreadable_and_shows_its_start() {
        for (name, why, start) in [
            (
                "garbage-not-json.txt",
                "not a JSON object",
                "hello, this is not JSON",
            ),
            (
                "garbage-other-json.json",
                "no form of notification that announces objects",
                r#"{"hello":"world"}"#,
            ),
        ] {
            let error = read(&body(name)).expect_err("garbage is no notice");
            assert!(error.start.starts_with(start), "{name}: {}", error.start);
            assert_eq!(error.why, why, "{name}");
        }
    }

    #[test]
    fn what_no_form_fits_is_unreadable() {
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
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn one_bad_entry_does_not_cost_the_others() {
        let good = entry("", LOG);
        let not_text = entry("", "%FF%FE");
        let next = entry(r#""eventVersion":"3.0","#, LOG);
        let notice =
            read(&s3(&["7", r#"{"s3":{}}"#, &not_text, &next, &good])).expect("one entry is fine");
        assert_eq!(notice.objects.len(), 1);
        assert_eq!(
            notice.skipped,
            [
                (Skip::Unreadable, None),
                (Skip::Unreadable, None),
                (Skip::Unreadable, Some("%FF%FE".to_owned())),
                (Skip::OtherVersion, Some(LOG.to_owned())),
            ]
        );
    }

    #[test]
    fn only_creations_are_taken_however_they_are_spelled() {
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
            let notice = read(&s3(&[&entry(head, LOG)])).expect("this is a notice");
            assert_eq!(notice.objects.len(), usize::from(taken), "{head}");
            assert_eq!(notice.skipped.is_empty(), taken, "{head}");
        }
    }
}
