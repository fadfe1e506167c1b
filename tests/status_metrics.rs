//! `status` evaluates the traffic by the metrics of CloudWatch.

use serde_json::{Value, json};
use testkit::{Engine, Fault, FaultAction, Organization};

use crate::commands::{heeler_ec, json, text};
use crate::status::{cloudwatch_deployment, hops, report_last_use, s3_deployment, status};

const QUEUE: &str = "heeler_event_collection_queue";
const NOBODY: [String; 0] = [];

/// Sets a metric of the queue of option s3.
fn set_queue_metric(org: &Organization, name: &str, points: &[f64]) {
    let metric = ["AWS/SQS", name, "QueueName", QUEUE];
    org.proxy().set_metric(metric, points);
}

/// Returns what was observed at a hop.
fn observed(report: &Value, id: &str) -> String {
    let hops = report["hops"].as_array().expect("a list of hops");
    let hop = hops.iter().find(|hop| hop["id"] == id).expect("the hop");
    text(&hop["observed"])
}

#[tokio::test]
async fn harvest_follows_metrics_of_queue() {
    let org = s3_deployment(Engine::Ministack).await;
    for name in [
        "NumberOfMessagesSent",
        "NumberOfMessagesReceived",
        "NumberOfMessagesDeleted",
    ] {
        set_queue_metric(&org, name, &[1.0, 0.0, 2.0]);
    }
    set_queue_metric(&org, "ApproximateAgeOfOldestMessage", &[20.0, 80.0, 5.0]);
    let report = json(&status(&org).run().await.expect_status(0));
    assert_eq!(hops(&report, "unknown"), NOBODY);
    assert_eq!(
        observed(&report, "harvest"),
        "received 3 and deleted 3 messages in the last 15 minutes"
    );
    assert_eq!(
        report["metrics"]["traffic"],
        json!({
            "queue_sent": 3,
            "queue_received": 3,
            "queue_deleted": 3,
            "queue_oldest_age_seconds": 80,
        })
    );

    // Heeler polled before, but not in the last minutes.
    org.proxy().clear_metrics();
    report_last_use(&org, "2099-01-01T00:00:00Z");
    set_queue_metric(&org, "NumberOfMessagesSent", &[1.0; 14]);
    let report = json(&status(&org).run().await.expect_status(1));
    assert_eq!(report["cause"], "harvest", "{report:#}");
}

#[tokio::test]
async fn undeleted_messages_break_the_harvest() {
    let org = s3_deployment(Engine::Ministack).await;
    let found = org
        .clients()
        .sqs
        .get_queue_url()
        .queue_name(QUEUE)
        .send()
        .await;
    let url = found.expect("a queue").queue_url.expect("its URL");
    let send = org.clients().sqs.send_message().queue_url(url);
    send.message_body("x").send().await.expect("a message");
    set_queue_metric(&org, "NumberOfMessagesReceived", &[4.0]);
    set_queue_metric(&org, "NumberOfMessagesDeleted", &[0.0]);
    let report = json(&status(&org).run().await.expect_status(1));
    assert_eq!(report["cause"], "harvest", "{report:#}");
    assert_eq!(hops(&report, "broken"), ["harvest"]);
    assert_eq!(
        observed(&report, "harvest"),
        "Heeler received 4 messages in the last 15 minutes and deleted none"
    );
}

#[tokio::test]
async fn failing_and_throttled_function_is_broken() {
    let org = cloudwatch_deployment(Engine::Ministack).await;
    for (name, expected) in [
        ("Errors", "3 invocations failed in the last 15 minutes"),
        (
            "Throttles",
            "3 invocations were throttled in the last 15 minutes",
        ),
    ] {
        let metric = [
            "AWS/Lambda",
            name,
            "FunctionName",
            "heeler_event_collection_lambda",
        ];
        org.proxy().set_metric(metric, &[1.0, 2.0]);
        let report = json(&status(&org).run().await.expect_status(1));
        assert_eq!(report["cause"], "function", "{report:#}");
        assert_eq!(hops(&report, "broken"), ["function"]);
        assert_eq!(observed(&report, "function"), expected);
        org.proxy().clear_metrics();
    }
    status(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn refused_metrics_leave_the_other_facts() {
    let org = s3_deployment(Engine::Ministack).await;
    let refusal = FaultAction::refuse(403, "AccessDenied", "not authorized");
    org.proxy()
        .fault(Fault::new("monitoring", "GetMetricData", refusal));
    let report = json(&status(&org).run().await.expect_status(0));
    assert_eq!(report["metrics"]["traffic"], Value::Null);
    assert_eq!(hops(&report, "unknown"), ["harvest"]);
    let run = heeler_ec(&org).args(["status"]).run().await;
    let expected = "Metrics            not known: ";
    assert!(run.stdout.contains(expected), "{}", run.stdout);
}
