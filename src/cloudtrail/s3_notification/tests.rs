//! Tests of parsing messages: every format, skipped objects and unreadable messages.

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
