//! Preflight with responses that no emulator returns: selectors, pages, dates, and denials of calls that depend on
//! existing resources.

use crate::commands::{json, preflight, preflight_of, setup, text};
use crate::preflight::{check, report};
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter,
};
use aws_smithy_types::DateTime;
use serde_json::{Value, json};
use testkit::{Engine, Fault, FaultAction, HeelerEc, Organization};

/// A response in JSON.
fn answer(body: &Value) -> FaultAction {
    FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
        body: body.to_string().into_bytes(),
    }
}

/// A response in XML.
fn xml(body: &str) -> FaultAction {
    FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".into(), "application/xml".into())],
        body: body.as_bytes().to_vec(),
    }
}

fn denied() -> FaultAction {
    FaultAction::refuse(403, "AccessDenied", "is not authorized")
}

/// The JSON output of a run with any exit status.
async fn preflight_json(run: HeelerEc<'_>) -> Value {
    let run = run.args(["-o", "json"]).run().await;
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    json(&run)
}

fn basic(kind: &str, management: bool, excluded: &[&str]) -> Value {
    json!({
        "ReadWriteType": kind,
        "IncludeManagementEvents": management,
        "DataResources": [],
        "ExcludeManagementEventSources": excluded,
    })
}

fn advanced(fields: &[(&str, &str, &[&str])]) -> Value {
    let fields = fields.iter().map(|(field, operator, values)| {
        let mut one = json!({ "Field": field });
        one[*operator] = json!(values);
        one
    });
    json!({ "FieldSelectors": fields.collect::<Vec<_>>() })
}

/// A selector of management events with more field selectors.
fn management(more: &[(&str, &str, &[&str])]) -> Value {
    let mut fields: Vec<(&str, &str, &[&str])> = vec![("eventCategory", "Equals", &["Management"])];
    fields.extend_from_slice(more);
    advanced(&fields)
}

/// A table of selectors, as `CloudTrail` returns them, and the expected results of the two checks.
#[expect(clippy::too_many_lines, reason = "a table of selectors")]
#[tokio::test]
async fn event_selectors_are_combined() {
    const KMS: &str = "kms.amazonaws.com";
    const RDS: &str = "rdsdata.amazonaws.com";
    const ALL: (&str, &str) = ("pass", "reads and writes are recorded");
    const WHOLE: (&str, &str) = ("pass", "no event source is excluded");
    const HANGS: (&str, &str) = ("skip", "depends on trail.events.management");
    let data = || {
        advanced(&[
            ("eventCategory", "Equals", &["Data"]),
            ("resources.type", "Equals", &["AWS::S3::Object"]),
        ])
    };
    let network = || {
        advanced(&[
            ("eventCategory", "Equals", &["NetworkActivity"]),
            ("eventSource", "Equals", &["ec2.amazonaws.com"]),
        ])
    };
    let none = ("fail", "no management events");
    let vectors = [
        (vec![], ALL, WHOLE),
        (vec![basic("All", true, &[])], ALL, WHOLE),
        (
            vec![basic("WriteOnly", true, &[])],
            ("fail", "only write events"),
            WHOLE,
        ),
        (
            vec![basic("ReadOnly", true, &[])],
            ("fail", "only read events"),
            WHOLE,
        ),
        (
            vec![basic("ReadOnly", true, &[]), basic("WriteOnly", true, &[])],
            ALL,
            WHOLE,
        ),
        (vec![basic("All", false, &[])], none, HANGS),
        (
            vec![basic("All", true, &[KMS])],
            ALL,
            ("fail", "excluded event sources: kms.amazonaws.com"),
        ),
        (
            vec![basic("All", true, &[KMS]), basic("WriteOnly", true, &[])],
            ALL,
            ("fail", "excluded event sources: kms.amazonaws.com"),
        ),
        (vec![management(&[])], ALL, WHOLE),
        (
            vec![
                management(&[("readOnly", "Equals", &["true"])]),
                management(&[("readOnly", "Equals", &["false"])]),
            ],
            ALL,
            WHOLE,
        ),
        (
            vec![management(&[("readOnly", "Equals", &["false"])])],
            ("fail", "only write events"),
            WHOLE,
        ),
        (
            vec![management(&[("eventSource", "NotEquals", &[KMS, RDS])])],
            ALL,
            (
                "fail",
                "excluded event sources: kms.amazonaws.com, rdsdata.amazonaws.com",
            ),
        ),
        (vec![data()], none, HANGS),
        (
            vec![
                management(&[]),
                advanced(&[
                    ("eventCategory", "Equals", &["Data"]),
                    ("readOnly", "Equals", &["true"]),
                ]),
            ],
            ALL,
            WHOLE,
        ),
        (
            vec![management(&[(
                "eventSource",
                "Equals",
                &["iam.amazonaws.com"],
            )])],
            ("fail", "narrowed by eventSource"),
            HANGS,
        ),
        (
            vec![management(&[("readOnly", "Equals", &["true", "false"])])],
            ALL,
            WHOLE,
        ),
        (vec![network()], none, HANGS),
        // An unknown operator counts as narrowing.
        (
            vec![management(&[("eventSource", "NotStartsWith", &["kms"])])],
            ("fail", "narrowed by eventSource"),
            HANGS,
        ),
        (
            vec![management(&[("eventSource", "NotEndsWith", &["s.com"])])],
            ("fail", "narrowed by eventSource"),
            HANGS,
        ),
    ];
    let org = Organization::on(Engine::Ministack).build().await;
    for (number, (selectors, of_management, of_sources)) in vectors.into_iter().enumerate() {
        let is_advanced = selectors
            .iter()
            .any(|selector| selector.get("FieldSelectors").is_some());
        let form = if is_advanced {
            "AdvancedEventSelectors"
        } else {
            "EventSelectors"
        };
        let found = json!({ "TrailARN": org.trail_arn(), form: selectors });
        let fault = Fault::new("cloudtrail", "GetEventSelectors", answer(&found));
        org.proxy().fault(fault);
        let report = preflight_json(preflight(&org)).await;
        org.proxy().clear_faults();
        for (id, (status, says)) in [
            ("trail.events.management", of_management),
            ("trail.events.sources", of_sources),
        ] {
            let check = check(&report, id);
            let words = format!("{} {}", text(&check["observed"]), text(&check["reason"]));
            assert_eq!(check["status"], status, "{number}: {found}: {check:#}");
            assert!(words.contains(says), "{number}: {found}: {check:#}");
            // The printed list replaces the existing one, so it must contain the other selectors.
            let lost = selectors.iter().filter(|selector| {
                let kept = selector["FieldSelectors"][0]["Equals"] != json!(["Management"]);
                status == "fail" && is_advanced && kept
            });
            for selector in lost {
                let command = text(&check["fix"]["cli"][0]);
                assert!(
                    command.contains(&selector.to_string()),
                    "{number}: {command}"
                );
            }
        }
    }
}

#[tokio::test]
async fn all_pages_of_trails_are_read() {
    let org = Organization::on(Engine::Ministack)
        .without_trail()
        .build()
        .await;
    let page = |body: Value| Fault::new("cloudtrail", "ListTrails", answer(&body));
    let arn = format!("arn:aws:cloudtrail:ap-south-1:{}:trail/far", org.account());
    let far = json!({ "Trails": [{ "TrailARN": arn, "Name": "far", "HomeRegion": "ap-south-1" }] });
    org.proxy()
        .fault(page(json!({ "Trails": [], "NextToken": "more" })).times(1));
    org.proxy().fault(page(far).after(1));
    let seen = report(preflight(&org), 1).await;
    let reason = text(&check(&seen, "trail.found")["reason"]);
    assert!(reason.contains("far (ap-south-1)"), "{reason}");

    org.proxy().clear_faults();
    org.proxy()
        .fault(Fault::new("cloudtrail", "ListTrails", denied()));
    let refused = report(preflight(&org), 1).await;
    let found = check(&refused, "trail.found");
    assert_eq!(found["status"], "unknown", "{found:#}");
    assert_eq!(found["permissions"], json!(["cloudtrail:ListTrails"]));
}

/// A bucket on the second page belongs to the account too, so the error is a missing permission.
#[tokio::test]
async fn all_pages_of_buckets_are_read() {
    let org = Organization::on(Engine::Ministack).build().await;
    let page = |inside: &str| {
        xml(&format!(
            r#"<?xml version="1.0"?><ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inside}</ListAllMyBucketsResult>"#
        ))
    };
    let own_bucket = format!(
        "<Buckets><Bucket><Name>{}</Name></Bucket></Buckets>",
        org.bucket()
    );
    let list = |what| Fault::new("s3", "ListBuckets", what);
    let first = page("<Buckets/><ContinuationToken>more</ContinuationToken>");
    org.proxy().fault(list(first).times(1));
    org.proxy().fault(list(page(&own_bucket)).after(1));
    org.proxy().fault(Fault::new("s3", "HeadBucket", denied()));
    let report = report(preflight(&org), 1).await;
    let owner = check(&report, "bucket.owner");
    assert_eq!(owner["status"], "unknown", "{owner:#}");
}

#[tokio::test]
async fn empty_stream_page_is_not_the_last() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let page = |body: Value| Fault::new("logs", "DescribeLogStreams", answer(&body));
    // Both calls, for the streams of members and for all streams, return an empty page first.
    org.proxy()
        .fault(page(json!({ "logStreams": [], "nextToken": "more" })).times(2));
    let stream = json!({ "logStreams": [{ "logStreamName": "o-example_1_CloudTrail_us-east-1" }] });
    org.proxy().fault(page(stream).after(2));
    let report = preflight_json(preflight_of(&org, "cloudwatch")).await;
    let streams = check(&report, "logs.member_streams");
    assert_eq!(streams["status"], "pass", "{streams:#}");
}

#[tokio::test]
async fn all_pages_of_key_tags_are_read() {
    let org = Organization::on(Engine::Ministack).build().await;
    let kms = &org.clients().kms;
    let key = kms.create_key().send().await.expect("a key");
    let key = key.key_metadata().expect("metadata").key_id();
    let alias = kms.create_alias().alias_name("alias/heeler_kms_key_sqs");
    alias.target_key_id(key).send().await.expect("an alias");
    let page = |body: Value| Fault::new("kms", "ListResourceTags", answer(&body));
    let first = json!({ "Tags": [], "Truncated": true, "NextMarker": "more" });
    let tags = [("managed-by", "heeler-ec"), ("heeler-ec:option", "s3")]
        .map(|(key, value)| json!({ "TagKey": key, "TagValue": value }));
    org.proxy().fault(page(first).times(1));
    org.proxy()
        .fault(page(json!({ "Tags": tags, "Truncated": false })).after(1));
    let report = preflight_json(preflight(&org)).await;
    let alias = check(&report, "names.alias");
    assert_eq!(alias["status"], "pass", "{alias:#}");
    assert!(
        text(&alias["observed"]).contains("is managed by heeler-ec"),
        "{alias:#}"
    );
}

#[tokio::test]
async fn all_pages_of_simulation_are_read() {
    let org = Organization::on(Engine::Ministack).build().await;
    let page = |inside: &str| {
        xml(&format!(
            r#"<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>{inside}</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"#
        ))
    };
    let simulate = |what| Fault::new("iam", "SimulatePrincipalPolicy", what);
    let first = page("<EvaluationResults/><IsTruncated>true</IsTruncated><Marker>more</Marker>");
    let second = page(
        "<EvaluationResults><member><EvalActionName>aaa:OnTheSecondPage</EvalActionName>\
         <EvalDecision>implicitDeny</EvalDecision></member></EvaluationResults><IsTruncated>false</IsTruncated>",
    );
    org.proxy().fault(simulate(first).times(1));
    org.proxy().fault(simulate(second).after(1).times(1));
    // The simulator accepts a user, but not the root user.
    let who = FaultAction::edit_text(|text| text.replace(":root<", ":user/ann<"));
    org.proxy()
        .fault(Fault::new("sts", "GetCallerIdentity", who));
    let report = preflight_json(preflight(&org).args(["--deep"])).await;
    let caller = check(&report, "caller.permissions");
    assert_eq!(caller["status"], "fail", "{caller:#}");
    assert!(
        text(&caller["observed"]).contains("aaa:OnTheSecondPage"),
        "{caller:#}"
    );
}

/// Preflight reads the tags only of resources with the names of setup.
#[tokio::test]
async fn unreadable_tags_are_unknown() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    for (service, operation, ids) in [
        (
            "sqs",
            "ListQueueTags",
            &["names.queue", "names.dead_letter_queue"][..],
        ),
        (
            "kms",
            "ListResourceTags",
            &["names.alias", "names.alias_key"],
        ),
    ] {
        org.proxy().fault(Fault::new(service, operation, denied()));
        let report = preflight_json(preflight(&org)).await;
        org.proxy().clear_faults();
        let first = check(&report, ids[0]);
        assert_eq!(first["status"], "unknown", "{first:#}");
        let action = format!("{service}:{operation}");
        assert_eq!(first["permissions"], json!([action]), "{first:#}");
        for id in ids {
            let check = check(&report, id);
            assert!(
                check["status"] != "pass" && check["status"] != "fail",
                "{check:#}"
            );
        }
    }
}

#[tokio::test]
async fn unresolvable_topic_key_alias_is_unknown() {
    let org = Organization::on(Engine::Ministack)
        .topic("events")
        .build()
        .await;
    let clients = org.clients();
    let topic = clients.sns.set_topic_attributes();
    let topic = topic.topic_arn(org.topic().expect("a topic"));
    let encrypted = topic
        .attribute_name("KmsMasterKeyId")
        .attribute_value("alias/topics");
    encrypted.send().await.expect("a topic with a key");
    org.proxy()
        .fault(Fault::new("kms", "DescribeKey", denied()));
    let report = preflight_json(preflight(&org)).await;
    let topic = check(&report, "bucket.topic");
    assert_eq!(topic["status"], "unknown", "{topic:#}");
    assert_eq!(
        topic["permissions"],
        json!(["kms:DescribeKey"]),
        "{topic:#}"
    );
}

/// After its date, a lifecycle rule applies to every later object.
#[tokio::test]
async fn dated_lifecycle_rule_is_read() {
    let org = Organization::on(Engine::Ministack).build().await;
    // Midnight of 2 March 2026.
    let day = DateTime::from_secs(1_772_409_600);
    let rule = LifecycleRule::builder()
        .id("once")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("AWSLogs/").build())
        .expiration(LifecycleExpiration::builder().date(day).build());
    let rules = BucketLifecycleConfiguration::builder().rules(rule.build().expect("a rule"));
    let put = org.clients().s3.put_bucket_lifecycle_configuration();
    put.bucket(org.bucket())
        .lifecycle_configuration(rules.build().expect("rules"))
        .send()
        .await
        .expect("a lifecycle rule");
    let report = report(preflight(&org), 0).await;
    let lifecycle = check(&report, "bucket.lifecycle");
    assert_eq!(lifecycle["status"], "warn", "{lifecycle:#}");
    let observed = text(&lifecycle["observed"]);
    assert!(
        observed.contains("rule once deletes objects from 2026-03-02"),
        "{observed}"
    );
}

/// Dual-layer encryption uses the key twice. Heeler needs the same permission as for one layer.
#[tokio::test]
async fn dsse_kms_objects_need_the_key() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    let double = FaultAction::edit_text(|text| text.replace(">aws:kms<", ">aws:kms:dsse<"));
    org.proxy()
        .fault(Fault::new("s3", "GetBucketEncryption", double));
    let key = org.bucket_key().expect("a key").to_owned();
    let bears = key.clone();
    let object = FaultAction::edit_response(move |answer| {
        let put = |headers: &mut hyper::HeaderMap, name: &'static str, value: &str| {
            headers.insert(name, value.parse().expect("a header"));
        };
        put(
            &mut answer.headers,
            "x-amz-server-side-encryption",
            "aws:kms:dsse",
        );
        put(
            &mut answer.headers,
            "x-amz-server-side-encryption-aws-kms-key-id",
            &bears,
        );
    });
    org.proxy().fault(Fault::new("s3", "HeadObject", object));
    let report = report(preflight(&org), 0).await;
    for id in ["bucket.encryption", "key.state"] {
        let check = check(&report, id);
        assert_eq!(check["status"], "pass", "{check:#}");
        assert!(text(&check["observed"]).contains(&key), "{check:#}");
    }
}

/// EventBridge receives every event of the bucket, but is not a destination with which a notification can overlap.
#[tokio::test]
async fn eventbridge_only_bucket_has_no_overlap() {
    let org = Organization::on(Engine::Ministack).build().await;
    let bridge = xml(
        r#"<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EventBridgeConfiguration/></NotificationConfiguration>"#,
    );
    let fault = Fault::new("s3", "GetBucketNotificationConfiguration", bridge);
    org.proxy().fault(fault);
    let report = report(preflight(&org), 0).await;
    let notifications = check(&report, "bucket.notifications");
    assert_eq!(notifications["observed"], "no other notifications");
}
