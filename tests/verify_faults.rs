//! Verify with faults that traffic shows: the first point at which the canary is not seen is that of the fault.
//!
//! Each fault is made through the API of AWS. The simulated CloudTrail delivers as the trail is configured.

use std::time::Duration;

use aws_sdk_lambda::types::Environment;
use aws_sdk_s3::types::NotificationConfiguration;
use heeler_ec::filter_pattern::FilterPattern;
use serde_json::Value;
use testkit::{CloudTrailDelays, Organization};

use crate::commands::document;
use crate::verify::{deployed, deployed_with_log_group, hops, verify};

const FUNCTION: &str = "heeler_event_collection_lambda";
const FILTER: &str = "heeler_cloudwatch_log_subscription_filter";

/// Runs verify until it has seen the canary at these points, and has then looked again at the others. Returns the points
/// at which it was not seen.
async fn unseen_points(org: &Organization, seen: &[&str]) -> Vec<String> {
    // Each observer that waits makes one of these calls again and again.
    const POLLS: [&str; 4] = [
        "FilterLogEvents",
        "GetQueueAttributes",
        "ListObjectsV2",
        "ReceiveMessage",
    ];
    org.play_cloudtrail(CloudTrailDelays::NONE)
        .apply_filter_patterns(|pattern, record| {
            let pattern = FilterPattern::parse(pattern).expect("a valid pattern");
            pattern.matches_text(record)
        });
    let running = verify(org).spawn().await;
    for point in seen {
        running.wait_for_stderr(&format!("Seen at {point}")).await;
    }
    let first = org.proxy().total();
    let polls = || {
        let calls = org.proxy().calls_since(first).into_iter();
        let polls = calls.filter(|call| POLLS.contains(&call.operation.as_str()));
        polls.count()
    };
    while polls() < 3 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    running.interrupt();
    let run = running.wait().await.expect_status(130);
    let report: Value = document(&run)["result"].take();
    let mut expected: Vec<String> = seen
        .iter()
        .map(|point| point.replace(['(', ')'], ""))
        .collect();
    expected.sort_unstable();
    let mut found = hops(&report, "seen");
    found.sort_unstable();
    assert_eq!(found, expected, "{report:#}");
    let points = hops(&report, "not_seen").into_iter();
    let mut points: Vec<String> = points
        .map(|hop| hop.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    points.dedup();
    let mut unique = Vec::new();
    for point in points {
        if !unique.contains(&point) {
            unique.push(point);
        }
    }
    unique
}

const HISTORY: [&str; 2] = ["event_history (eu-west-1)", "event_history (us-east-1)"];
const LOG_FILES: [&str; 2] = ["log_file (eu-west-1)", "log_file (us-east-1)"];
const NOTIFICATIONS: [&str; 2] = ["notification (eu-west-1)", "notification (us-east-1)"];

#[tokio::test]
async fn stopped_trail_is_the_log_file() {
    let org = deployed().await;
    let stop = org.clients().cloudtrail.stop_logging().name(org.trail());
    stop.send().await.expect("stopped");
    let unseen = unseen_points(&org, &HISTORY).await;
    assert_eq!(unseen, ["log_file", "notification", "queue"]);
}

#[tokio::test]
async fn removed_notification_is_the_unseen_hop() {
    let org = deployed().await;
    let empty = NotificationConfiguration::builder().build();
    let change = org.clients().s3.put_bucket_notification_configuration();
    let change = change
        .bucket(org.bucket())
        .notification_configuration(empty);
    change.send().await.expect("no notifications");
    let unseen = unseen_points(&org, &[HISTORY, LOG_FILES].concat()).await;
    assert_eq!(unseen, ["notification", "queue"]);
}

#[tokio::test]
async fn changed_trail_prefix_is_the_log_file() {
    let org = deployed().await;
    let clients = org.clients();
    let read = clients.s3.get_bucket_policy().bucket(org.bucket());
    let policy = read.send().await.expect("a policy").policy;
    // AWS accepts a prefix only if the bucket policy allows it.
    let policy = policy
        .expect("a document")
        .replace("/AWSLogs/", "/audit/AWSLogs/");
    let put = clients.s3.put_bucket_policy().bucket(org.bucket());
    put.policy(policy).send().await.expect("another policy");
    let change = clients.cloudtrail.update_trail().name(org.trail());
    change
        .s3_key_prefix("audit")
        .send()
        .await
        .expect("a prefix");
    // The log files no longer arrive below the prefix of the deployment.
    let unseen = unseen_points(&org, &HISTORY).await;
    assert_eq!(unseen, ["log_file", "notification", "queue"]);
}

#[tokio::test]
async fn removed_subscription_is_the_queue() {
    let org = deployed().await;
    let sns = &org.clients().sns;
    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        org.region(),
        org.account()
    );
    let listed = sns.list_subscriptions_by_topic().topic_arn(topic);
    for subscription in listed.send().await.expect("subscriptions").subscriptions() {
        let arn = subscription.subscription_arn().unwrap_or_default();
        let removed = sns.unsubscribe().subscription_arn(arn).send().await;
        removed.expect("no subscription");
    }
    let unseen = unseen_points(&org, &[HISTORY, LOG_FILES, NOTIFICATIONS].concat()).await;
    assert_eq!(unseen, ["queue"]);
}

const CLOUDWATCH_HISTORY: &str = "event_history (us-east-1)";
const LOG_GROUP: &str = "log_group (us-east-1)";

#[tokio::test]
async fn stopped_trail_is_the_log_group() {
    let org = deployed_with_log_group().await;
    let stop = org.clients().cloudtrail.stop_logging().name(org.trail());
    stop.send().await.expect("stopped");
    let unseen = unseen_points(&org, &[CLOUDWATCH_HISTORY]).await;
    assert_eq!(unseen, ["log_group", "function", "queue"]);
}

#[tokio::test]
async fn deleted_log_group_is_the_unseen_hop() {
    let org = deployed_with_log_group().await;
    let group = org.log_group().expect("a log group");
    let delete = org.clients().logs.delete_log_group().log_group_name(group);
    delete.send().await.expect("no log group");
    let unseen = unseen_points(&org, &[CLOUDWATCH_HISTORY]).await;
    assert_eq!(unseen, ["log_group", "function", "queue"]);
}

#[tokio::test]
async fn subscription_filter_fault_is_the_function() {
    let org = deployed_with_log_group().await;
    let (logs, group) = (&org.clients().logs, org.log_group().expect("a log group"));
    let function = format!(
        "arn:aws:lambda:{}:{}:function:{FUNCTION}",
        org.region(),
        org.account()
    );
    let put = logs.put_subscription_filter().log_group_name(group);
    let put = put.filter_name(FILTER).destination_arn(function);
    let put = put.filter_pattern("{ $.readOnly IS TRUE }").send().await;
    put.expect("another pattern");
    let unseen = unseen_points(&org, &[CLOUDWATCH_HISTORY, LOG_GROUP]).await;
    assert_eq!(unseen, ["function", "queue"]);

    let delete = logs.delete_subscription_filter().log_group_name(group);
    delete.filter_name(FILTER).send().await.expect("no filter");
    let unseen = unseen_points(&org, &[CLOUDWATCH_HISTORY, LOG_GROUP]).await;
    assert_eq!(unseen, ["function", "queue"]);
}

#[tokio::test]
async fn missing_function_permission_is_the_function() {
    let org = deployed_with_log_group().await;
    let remove = org.clients().lambda.remove_permission();
    let remove = remove.function_name(FUNCTION);
    let remove = remove.statement_id("InvokePermissionsForCW").send().await;
    remove.expect("no permission");
    let unseen = unseen_points(&org, &[CLOUDWATCH_HISTORY, LOG_GROUP]).await;
    assert_eq!(unseen, ["function", "queue"]);
}

#[tokio::test]
async fn throttled_or_failing_function_is_the_function() {
    let org = deployed_with_log_group().await;
    let lambda = &org.clients().lambda;
    let none = lambda.put_function_concurrency().function_name(FUNCTION);
    let none = none.reserved_concurrent_executions(0).send().await;
    none.expect("no concurrency");
    let unseen = unseen_points(&org, &[CLOUDWATCH_HISTORY, LOG_GROUP]).await;
    assert_eq!(unseen, ["function", "queue"]);

    let delete = lambda.delete_function_concurrency().function_name(FUNCTION);
    delete.send().await.expect("concurrency");
    let other = Environment::builder().variables("QUEUE_URL", "http://127.0.0.1:1/1/other");
    let change = lambda
        .update_function_configuration()
        .function_name(FUNCTION);
    let change = change.environment(other.build()).send().await;
    change.expect("another queue");
    let unseen = unseen_points(&org, &[CLOUDWATCH_HISTORY, LOG_GROUP]).await;
    assert_eq!(unseen, ["function", "queue"]);
}
