//! From the log group to Heeler: what the filter lets pass goes through the function into the queue, and comes out with
//! the three values that setup prints.

use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heeler_ec::pattern::Pattern;
use heeler_ec::pipeline::cloudwatch_filter::HEELER_PATTERN;
use serde_json::{Value, json};

use crate::harness::object::{event, gzip};
use crate::harness::{Engine, Heeler, World, samples};
use crate::steps::{json, setup_of, sorted, text};

/// What `CloudWatch` Logs hands to a function: base64, gzip, JSON.
pub fn delivery(world: &World, records: &[String]) -> Value {
    let events: Vec<Value> = records
        .iter()
        .enumerate()
        .map(|(number, record)| json!({ "id": number.to_string(), "timestamp": 0, "message": record }))
        .collect();
    let payload = json!({
        "messageType": "DATA_MESSAGE",
        "owner": world.account(),
        "logGroup": world.log_group(),
        "logStream": "stream",
        "subscriptionFilters": ["heeler_cloudwatch_log_subscription_filter"],
        "logEvents": events,
    });
    let packed = gzip(payload.to_string().as_bytes()).expect("memory takes every byte");
    json!({ "awslogs": { "data": STANDARD.encode(packed) } })
}

/// Sets up, delivers what passes of these as `CloudWatch` Logs would, and receives as Heeler does.
async fn collected(world: &World, records: &[String]) -> Vec<String> {
    setup_of(world, "cloudwatch").run().await.ended(0);
    let printed = Heeler::new(world)
        .args(["outputs", "-o", "json"])
        .run()
        .await;
    let outputs = json(&printed.ended(0));
    let invoke = world
        .clients()
        .lambda
        .invoke()
        .function_name("heeler_event_collection_lambda");
    let invoke = invoke.payload(Blob::new(delivery(world, records).to_string()));
    let answer = invoke.log_type(LogType::Tail).send().await;
    let answer = answer.expect("an answer of the function");
    let log = STANDARD.decode(answer.log_result().unwrap_or_default());
    let log = String::from_utf8(log.unwrap_or_default()).unwrap_or_default();
    assert_eq!(answer.function_error(), None, "{log}");

    let role = text(&outputs["heeler_event_role_arn"]);
    let id = text(&outputs["heeler_event_role_external_id"]);
    let heeler = world
        .harvest(&role, &id)
        .await
        .expect("the role of the customer");
    let url = text(&outputs["heeler_event_queue_url"]);
    let bodies = heeler
        .receive(&url, records.len(), Duration::from_secs(30))
        .await;
    bodies.expect("messages")
}

#[tokio::test]
async fn what_passes_the_filter_reaches_heeler_unchanged_and_nothing_else() {
    let world = World::on(Engine::Ministack).log_group().build().await;
    let write = event(
        world.account(),
        world.region(),
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    );
    let other = event(
        world.account(),
        "eu-west-1",
        "iam.amazonaws.com",
        "CreateRole",
        false,
    );
    let read = event(
        world.account(),
        world.region(),
        "s3.amazonaws.com",
        "ListBuckets",
        true,
    );
    let pattern = Pattern::parse(HEELER_PATTERN).expect("a pattern");
    let passing: Vec<String> = [&write, &other, &read]
        .into_iter()
        .filter(|record| pattern.matches(record))
        .map(Value::to_string)
        .collect();
    assert_eq!(passing.len(), 2);
    let received = collected(&world, &passing).await;
    assert_eq!(sorted(received), sorted(passing));
}

#[tokio::test]
async fn of_the_real_records_exactly_those_that_pass_reach_heeler() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let world = World::on(Engine::Ministack).log_group().build().await;
    let pattern = Pattern::parse(HEELER_PATTERN).expect("a pattern");
    let mut passing = Vec::new();
    for (_, bytes) in samples::below(&folder) {
        let records = heeler_ec::tail::decode::records(&bytes, u64::MAX).expect("a log file");
        let texts = records.iter().map(|record| record.json().to_owned());
        passing.extend(texts.filter(|record| pattern.matches_text(record)));
    }
    assert!(passing.len() > 400, "{} records pass", passing.len());
    let received = collected(&world, &passing).await;
    assert_eq!(sorted(received), sorted(passing));
}
