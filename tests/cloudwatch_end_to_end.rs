//! Option cloudwatch from the log group to Heeler: the function sends matching events to the queue, and Heeler receives
//! them with the three values that setup prints.

use crate::commands::heeler_ec;
use crate::commands::{json, setup_of, sorted, text};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heeler_ec::cloudtrail::log_file::collect_records;
use heeler_ec::filter_pattern::FilterPattern;
use heeler_ec::option::HEELER_PATTERN;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::log_file::{event, gzip};
use testkit::{Engine, Organization, emulator, samples};

const FUNCTION: &str = "heeler_event_collection_lambda";
const NOTHING: [&str; 0] = [];
/// The number of events in the fixture, and how many of them match.
const CASES: usize = 23;
const MATCHING: usize = 6;
/// The account of the real sample records.
const REAL_ACCOUNT: &str = "218007301253";

/// The payload that `CloudWatch` Logs invokes a function with: base64, gzip, JSON.
pub fn log_delivery(org: &Organization, records: &[String]) -> Value {
    let events: Vec<Value> = records
        .iter()
        .enumerate()
        .map(|(number, record)| json!({ "id": number.to_string(), "timestamp": 0, "message": record }))
        .collect();
    let payload = json!({
        "messageType": "DATA_MESSAGE",
        "owner": org.account(),
        "logGroup": org.log_group(),
        "logStream": "stream",
        "subscriptionFilters": ["heeler_cloudwatch_log_subscription_filter"],
        "logEvents": events,
    });
    let packed = gzip(payload.to_string().as_bytes()).expect("memory takes every byte");
    json!({ "awslogs": { "data": STANDARD.encode(packed) } })
}

/// Invokes the function as `CloudWatch` Logs does. Returns its log and its error.
async fn invoke_function(org: &Organization, records: &[String]) -> (String, Option<String>) {
    let invoke = org.clients().lambda.invoke().function_name(FUNCTION);
    let invoke = invoke.payload(Blob::new(log_delivery(org, records).to_string()));
    let answer = invoke.log_type(LogType::Tail).send().await;
    let answer = answer.expect("an answer of the function");
    let log = STANDARD.decode(answer.log_result().unwrap_or_default());
    let log = String::from_utf8(log.unwrap_or_default()).unwrap_or_default();
    (log, answer.function_error)
}

/// Receives messages as Heeler does. Asserts that there are no more.
async fn receive_messages(org: &Organization, count: usize) -> Vec<String> {
    let printed = heeler_ec(org).args(["outputs", "-o", "json"]);
    let outputs = json(&printed.run().await.expect_status(0));
    let role = text(&outputs["heeler_event_role_arn"]);
    let id = text(&outputs["heeler_event_role_external_id"]);
    let heeler = org.assume_as_heeler(&role, &id).await;
    let heeler = heeler.expect("the role of the customer");
    let url = text(&outputs["heeler_event_queue_url"]);
    let bodies = heeler.receive(&url, count).await;
    let more = heeler.receive_within(&url, 1, Duration::from_secs(2));
    let more = more.await;
    assert_eq!(more.expect("an answer of the queue"), NOTHING);
    bodies.expect("messages")
}

/// Sets up, writes the records to the log group, and invokes the function with those that match. No emulator applies
/// subscription filters; other tests check that setup creates the filter.
async fn collect_messages(org: &Organization, records: &[String]) -> Vec<String> {
    setup_of(org, "cloudwatch").run().await.expect_status(0);
    org.put_log_events(records).await;
    let logged = org.log_events().await;
    assert_eq!(
        sorted(logged.iter().cloned()),
        sorted(records.iter().cloned())
    );
    let pattern = FilterPattern::parse(HEELER_PATTERN).expect("a pattern");
    let matching: Vec<String> = logged
        .into_iter()
        .filter(|record| pattern.matches_text(record))
        .collect();
    let (log, failure) = invoke_function(org, &matching).await;
    assert_eq!(failure, None, "{log}");
    receive_messages(org, matching.len()).await
}

async fn organization_with_log_group() -> Organization {
    Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await
}

#[tokio::test]
async fn matching_log_events_reach_the_queue_unchanged() {
    let org = organization_with_log_group().await;
    let path = emulator::repository().join("tests/fixtures/pattern/events.json");
    let cases = std::fs::read_to_string(path).expect("the events");
    let cases: Vec<Value> = serde_json::from_str(&cases).expect("a list of events");
    let texts = |passes: &[bool]| -> Vec<String> {
        let cases = cases.iter().enumerate().filter(|(_, case)| {
            let found = case["passes"].as_bool().expect("yes or no");
            passes.contains(&found)
        });
        // Every event gets its own ID.
        cases
            .map(|(number, case)| {
                let mut event = case["event"].clone();
                if let Some(event) = event.as_object_mut() {
                    event.insert("eventID".to_owned(), json!(number.to_string()));
                }
                event.to_string()
            })
            .collect()
    };
    let found = collect_messages(&org, &texts(&[true, false])).await;
    assert_eq!((cases.len(), found.len()), (CASES, MATCHING));
    assert_eq!(sorted(found), sorted(texts(&[true])));
}

#[tokio::test]
async fn real_records_matching_the_pattern_reach_the_queue() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let org = organization_with_log_group().await;
    let mut all = Vec::new();
    for (key, bytes) in samples::log_files_below(&folder) {
        if key.contains(REAL_ACCOUNT) {
            all.extend(collect_records(&bytes, u64::MAX).expect("a log file"));
        }
    }
    let found = collect_messages(&org, &all).await;
    assert_eq!((all.len(), found.len()), (2900, 467));
}

/// The function sends with the permission of its own role only.
#[tokio::test]
async fn function_without_send_permission_fails() {
    let org = organization_with_log_group().await;
    setup_of(&org, "cloudwatch").run().await.expect_status(0);
    let iam = &org.clients().iam;
    let arn = format!(
        "arn:aws:iam::{}:policy/heeler_event_collection_lambda_policy",
        org.account()
    );
    let read = iam.get_policy_version().policy_arn(&arn).version_id("v1");
    let read = read.send().await.expect("the function's policy");
    let text = read.policy_version.and_then(|version| version.document);
    let mut policy = heeler_ec::iam::parse_encoded_document(&text.expect("a document"));
    let statements = policy["Statement"].as_array_mut().expect("statements");
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != "SendToQueue");
    assert_eq!(statements.len(), before - 1);
    let write = iam.create_policy_version().policy_arn(&arn);
    let write = write
        .policy_document(policy.to_string())
        .set_as_default(true);
    write.send().await.expect("a policy without the statement");

    let event = event(
        org.account(),
        org.region(),
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    );
    let (log, failure) = invoke_function(&org, &[event.to_string()]).await;
    assert_eq!(failure.as_deref(), Some("Unhandled"), "{log}");
    assert!(log.contains("AccessDenied"), "{log}");
    assert_eq!(receive_messages(&org, 0).await, NOTHING);
}
