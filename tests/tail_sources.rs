//! The other sources of tail: listing the bucket, and Heeler's own queue.

use crate::commands::heeler_ec;
use crate::commands::{names, setup, setup_of, sorted};
use crate::whole_output::assert_stderr;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde_json::Value;
use snapbox::str;
use std::collections::HashMap;
use std::time::Duration;
use testkit::log_file::event;
use testkit::{Call, Engine, Fault, FaultAction, LogFile, Organization, Run};

const QUEUE: &str = "heeler_event_collection_queue";
const FIFO: &str = "heeler_event_collection_queue.fifo";

#[tokio::test]
async fn bucket_source_lists_and_creates_nothing() {
    let org = set_up().await;
    let (first, second) = (log_file(&org, "us-east-1"), log_file(&org, "eu-west-1"));
    org.deliver(&first).await;
    org.deliver(&second).await;
    let run = tail(
        &org,
        &[
            "--source",
            "bucket",
            "-o",
            "json",
            "--limit",
            "2",
            "--event",
            "CreateUser",
        ],
    )
    .await;
    let run = run.expect_status(0);
    let delivered = first.records.iter().chain(&second.records);
    assert_eq!(
        sorted(run.stdout.lines()),
        sorted(delivered.map(Value::to_string))
    );
    assert!(run.writes().is_empty(), "{:?}", names(&run.writes()));
    // The log file from before setup may be read before the limit is reached.
    assert_stderr(
        &org,
        &run,
        str![[r"
Listing new objects in bucket org-trail-logs-111122223333 from ten minutes ago on. Press Ctrl-C to stop.
Objects: [..] ([..] read).
Records: [..] (2 shown[..].
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn new_object_is_found_by_next_listing() {
    let org = set_up().await;
    let first = log_file(&org, "us-east-1");
    org.deliver(&first).await;
    let running = heeler_ec(&org)
        .args([
            "tail",
            "--source",
            "bucket",
            "-o",
            "json",
            "--limit",
            "2",
            "--event",
            "CreateUser",
        ])
        .spawn();
    let mut running = running.await;
    assert_eq!(running.line().await, Some(first.records[0].to_string()));
    // Its key sorts before the first one, and its timestamp is older.
    let mut second = log_file(&org, "us-east-1").stamp(&minutes_ago(5));
    "0000000000000000".clone_into(&mut second.suffix);
    org.deliver(&second).await;
    assert_eq!(running.line().await, Some(second.records[0].to_string()));
    running.wait().await.expect_status(0);
}

#[tokio::test]
async fn since_sets_how_far_back_listing_starts() {
    let org = set_up().await;
    let mut old = log_file(&org, "us-east-1").stamp(&minutes_ago(45));
    old.records[0]["eventTime"] = rfc3339(minutes(46)).into();
    org.deliver(&old).await;
    let bucket = [
        "--source",
        "bucket",
        "-o",
        "json",
        "--timeout",
        "2s",
        "--event",
        "CreateUser",
    ];
    tail(&org, &bucket).await.expect_status(1);
    let run = tail(
        &org,
        &[&bucket[..], &["--since", "2h", "--limit", "1"]].concat(),
    )
    .await;
    assert_eq!(
        run.expect_status(0).stdout.trim_end(),
        old.records[0].to_string()
    );
}

#[tokio::test]
async fn denied_listing_names_the_missing_permission() {
    let org = set_up().await;
    org.proxy()
        .fault(Fault::new("s3", "ListObjectsV2", denied()));
    let run = tail(&org, &["--source", "bucket"]).await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
Listing new objects in bucket org-trail-logs-111122223333 from ten minutes ago on. Press Ctrl-C to stop.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
error: cannot list new objects in bucket org-trail-logs-111122223333
  cause: not you (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant s3:ListBucket to the caller

"]],
    );
}

#[tokio::test]
async fn heeler_queue_messages_are_returned() {
    let org = set_up().await;
    let object = log_file(&org, "us-east-1");
    org.deliver(&object).await;
    let run = tail(
        &org,
        &["--source", "heeler-queue", "-o", "json", "--limit", "1"],
    )
    .await;
    let run = run.expect_status(0);
    assert_eq!(run.stdout.trim_end(), object.records[0].to_string());
    assert_stderr(
        &org,
        &run,
        str![[r"
Peeking at Heeler's own queue heeler_event_collection_queue. Each receive hides messages from Heeler for a moment, and a message that was received four times moves to the dead-letter queue. All messages are returned immediately, none is deleted, and reading stops at the first message received more than twice.
Messages: 2 (1 read, 1 skipped).
  1 skipped: an S3 test event
Objects: 1 (1 read).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
    let called: Vec<String> = run.calls.iter().map(Call::name).collect();
    assert!(
        !called
            .iter()
            .any(|name| name.starts_with("sqs:DeleteMessage")),
        "{called:?}"
    );
    // The other message is S3's test event. Both are visible again immediately.
    assert_eq!(receive_counts(&org, QUEUE).await, [2, 2]);
}

#[tokio::test]
async fn heeler_queue_stops_before_dead_lettering() {
    let org = set_up().await;
    org.deliver(&log_file(&org, "us-east-1")).await;
    let run = tail(&org, &["--source", "heeler-queue", "-o", "json"])
        .await
        .expect_status(0);
    assert_stderr(
        &org,
        &run,
        str![[r"
Peeking at Heeler's own queue heeler_event_collection_queue. Each receive hides messages from Heeler for a moment, and a message that was received four times moves to the dead-letter queue. All messages are returned immediately, none is deleted, and reading stops at the first message received more than twice.
Stopped: message 00000000-1111-2222-3333-444444444444 has been received 3 times. After the fourth receive, SQS moves it to the dead-letter queue.
Messages: 6 (1 read, 5 skipped).
  4 skipped: a message that was received before
  1 skipped: an S3 test event
Objects: 1 (1 read).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
    // S3's test event and the notification, each received twice after the first time.
    assert_stderr(
        &org,
        &run,
        str![[r"
Peeking at Heeler's own queue heeler_event_collection_queue. Each receive hides messages from Heeler for a moment, and a message that was received four times moves to the dead-letter queue. All messages are returned immediately, none is deleted, and reading stops at the first message received more than twice.
Stopped: message 00000000-1111-2222-3333-444444444444 has been received 3 times. After the fourth receive, SQS moves it to the dead-letter queue.
Messages: 6 (1 read, 5 skipped).
  4 skipped: a message that was received before
  1 skipped: an S3 test event
Objects: 1 (1 read).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
    assert_eq!(message_count(&org, QUEUE).await, 2);
    assert_eq!(
        message_count(&org, "heeler_event_collection_queue_dlq").await,
        0
    );
}

#[tokio::test]
async fn unreturned_messages_are_reported() {
    let org = set_up().await;
    org.deliver(&log_file(&org, "us-east-1")).await;
    org.proxy()
        .fault(Fault::new("sqs", "ChangeMessageVisibilityBatch", denied()));
    let run = tail(&org, &["--source", "heeler-queue", "--limit", "1"]).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
Peeking at Heeler's own queue heeler_event_collection_queue. Each receive hides messages from Heeler for a moment, and a message that was received four times moves to the dead-letter queue. All messages are returned immediately, none is deleted, and reading stops at the first message received more than twice.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
warning: cannot return messages to Heeler's queue, which stay hidden from Heeler until their visibility timeout ends: not you (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint: grant sqs:ChangeMessageVisibility to the caller
Messages: 2 (1 read, 1 skipped).
  1 skipped: an S3 test event
Objects: 1 (1 read).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn fifo_queue_messages_contain_records() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    setup_of(&org, "cloudwatch").run().await.expect_status(0);
    let record = any_record(&org);
    send(&org, FIFO, &record.to_string()).await;
    let run = tail(
        &org,
        &["--source", "heeler-queue", "-o", "json", "--limit", "1"],
    )
    .await;
    assert_eq!(run.expect_status(0).stdout.trim_end(), record.to_string());
    assert_eq!(message_count(&org, FIFO).await, 1);
}

#[tokio::test]
async fn unsupported_source_is_a_usage_error() {
    let org = set_up().await;
    let run = tail(&org, &["--source", "log-group"])
        .await
        .expect_status(2);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: option s3 is deployed and has no source log-group
  hint:  its sources are: queue, bucket, heeler-queue

"]],
    );
    let run = tail(&org, &["--source", "bucket", "--source", "heeler-queue"]).await;
    assert_eq!(run.expect_status(2).calls.len(), 0);
}

#[tokio::test]
async fn account_names_are_shown() {
    let org = set_up().await;
    let organizations = &org.clients().organizations;
    let response = organizations
        .list_accounts()
        .send()
        .await
        .expect("accounts");
    let account = response.accounts().first().expect("an account");
    let (id, name) = (
        account.id().unwrap_or_default(),
        account.name().unwrap_or_default(),
    );
    let records = vec![event(
        id,
        "us-east-1",
        "iam.amazonaws.com",
        "CreateUser",
        false,
    )];
    org.deliver(&LogFile::new(id, "us-east-1", records)).await;
    let source = ["--source", "bucket", "--limit", "1"];
    let run = tail(&org, &source).await.expect_status(0);
    assert!(
        run.stdout.contains(name) && !run.stdout.contains(id),
        "{}",
        run.stdout
    );

    org.proxy()
        .fault(Fault::new("organizations", "ListAccounts", denied()));
    let run = tail(&org, &source).await.expect_status(0);
    assert!(run.stdout.contains(id), "{}", run.stdout);
}

fn denied() -> FaultAction {
    FaultAction::refuse(403, "AccessDenied", "not you")
}

async fn set_up() -> Organization {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    org
}

async fn tail(org: &Organization, args: &[&str]) -> Run {
    heeler_ec(org).args(["tail"]).args(args).run().await
}

fn any_record(org: &Organization) -> Value {
    event(
        org.account(),
        "us-east-1",
        "iam.amazonaws.com",
        "CreateUser",
        false,
    )
}

fn log_file(org: &Organization, region: &str) -> LogFile {
    LogFile::new(org.account(), region, vec![any_record(org)])
}

fn minutes(ago: u64) -> std::time::SystemTime {
    std::time::SystemTime::now() - Duration::from_secs(60 * ago)
}

fn rfc3339(time: std::time::SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// A timestamp in the format of object keys.
fn minutes_ago(ago: u64) -> String {
    let digits: String = rfc3339(minutes(ago)).replace([':', '-'], "");
    format!("{}Z", &digits[.."yyyymmddThhmm".len()])
}

async fn queue_url(org: &Organization, queue: &str) -> String {
    let found = org
        .clients()
        .sqs
        .get_queue_url()
        .queue_name(queue)
        .send()
        .await;
    found.expect("a queue").queue_url.unwrap_or_default()
}

async fn send(org: &Organization, queue: &str, body: &str) {
    let sent = org
        .clients()
        .sqs
        .send_message()
        .queue_url(queue_url(org, queue).await)
        .message_body(body)
        .message_group_id("group")
        .send()
        .await;
    sent.expect("a message in the queue");
}

async fn message_count(org: &Organization, queue: &str) -> u32 {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let read = org
        .clients()
        .sqs
        .get_queue_attributes()
        .queue_url(queue_url(org, queue).await)
        .attribute_names(name.clone())
        .send()
        .await
        .expect("the queue's attributes");
    let attributes: &HashMap<_, _> = read.attributes().expect("attributes");
    attributes[&name].parse().expect("a count")
}

/// The receive count of each message, including this receive.
async fn receive_counts(org: &Organization, queue: &str) -> Vec<u32> {
    let received = org
        .clients()
        .sqs
        .receive_message()
        .queue_url(queue_url(org, queue).await)
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .send()
        .await
        .expect("messages");
    received
        .messages()
        .iter()
        .filter_map(|message| {
            let count =
                &message.attributes()?[&MessageSystemAttributeName::ApproximateReceiveCount];
            count.parse().ok()
        })
        .collect()
}
