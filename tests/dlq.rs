//! The dead-letter queue: the reason of each message, what reading it leaves, and moving the messages back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use testkit::log_file::event;
use testkit::{
    CTRL_C, Call, Engine, Fault, FaultAction, Gate, HeelerEc, LogFile, Organization, Run,
};

use crate::commands::{error, heeler_ec, json, names, setup, setup_again, setup_of, text};

const QUEUE: &str = "heeler_event_collection_queue";
const FIFO_QUEUE: &str = "heeler_event_collection_queue.fifo";
const DEAD_LETTERS: &str = "heeler_event_collection_queue_dlq";
const DEAD_FIFO_LETTERS: &str = "heeler_event_collection_queue_dlq.fifo";
const ROLE: &str = "heeler_event_collection_sqs_role";
const WORD: &str = "Type 'yes' to continue: ";

fn dlq(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["dlq", "-o", "json"])
}

fn redrive(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["dlq", "redrive", "--yes", "-o", "json"])
}

async fn s3_deployment() -> Organization {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    org
}

async fn cloudwatch_deployment() -> Organization {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    setup_of(&org, "cloudwatch").run().await.expect_status(0);
    org
}

async fn queue_url(org: &Organization, name: &str) -> String {
    let found = org.clients().sqs.get_queue_url().queue_name(name);
    let found = found.send().await.expect("a queue");
    found.queue_url.expect("its URL")
}

/// Sends a message to a queue. Those to a FIFO queue are in one group.
async fn send(org: &Organization, queue: &str, body: &str) {
    let mut send = org.clients().sqs.send_message();
    send = send
        .queue_url(queue_url(org, queue).await)
        .message_body(body);
    if queue.contains(".fifo") {
        static SENT: AtomicUsize = AtomicUsize::new(0);
        let number = SENT.fetch_add(1, Ordering::Relaxed).to_string();
        send = send.message_group_id("111122223333.us-east-1");
        send = send.message_deduplication_id(number);
    }
    send.send().await.expect("a message");
}

/// The numbers of visible and of hidden messages of a queue.
async fn counts(org: &Organization, queue: &str) -> [String; 2] {
    let attributes = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    ];
    let read = org.clients().sqs.get_queue_attributes();
    let read = read.queue_url(queue_url(org, queue).await);
    let read = read.set_attribute_names(Some(attributes.to_vec())).send();
    let found = read.await.expect("attributes").attributes;
    let found = found.expect("attributes");
    attributes.map(|name| found[&name].clone())
}

/// A notification of S3 about a new object.
fn notification(bucket: &str, key: &str) -> String {
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventName": "ObjectCreated:Put",
        "awsRegion": "us-east-1",
        "s3": { "bucket": { "name": bucket }, "object": { "key": key, "size": 100 } },
    }] })
    .to_string()
}

fn record(number: usize) -> String {
    let mut record = event("111122223333", "us-east-1", "iam", "CreateUser", false);
    record["eventID"] = format!("event-{number}").into();
    record.to_string()
}

/// Delivers a log file and returns its key.
async fn delivered(org: &Organization) -> String {
    let record = event(org.account(), org.region(), "iam", "CreateUser", false);
    let file = LogFile::new(org.account(), org.region(), vec![record]);
    org.deliver(&file).await
}

/// The number of messages of each class.
fn classes(report: &Value) -> BTreeMap<String, u64> {
    let classes = report["classes"].as_array().expect("classes").iter();
    let count = |class: &Value| class["messages"].as_u64().expect("a count");
    classes
        .map(|class| (text(&class["id"]), count(class)))
        .collect()
}

/// Asserts that the run received only from the dead-letter queue, and changed nothing but the visibility of its messages.
#[track_caller]
fn assert_only_returns_dead_letters(run: &Run) {
    let allowed = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibilityBatch"];
    for call in run.writes() {
        assert!(allowed.contains(&&*call.name()), "{}", call.name());
        assert!(call.text().contains(DEAD_LETTERS), "{}", call.text());
    }
}

fn operations(run: &Run, operation: &str) -> usize {
    let calls = run.calls.iter();
    calls
        .filter(|call: &&Call| call.operation == operation)
        .count()
}

#[tokio::test]
async fn each_message_has_its_reason() {
    let org = s3_deployment().await;
    let key = delivered(&org).await;
    let bucket = org.bucket().to_owned();
    let missing = key.replace(".json.gz", "x.json.gz");
    let digest = key.replace("_CloudTrail_", "_CloudTrail-Digest_");
    for body in [
        &*notification(&bucket, &key),
        &notification(&bucket, &missing),
        &notification(&bucket, &digest),
        &notification("another-bucket", &key),
        &notification(&bucket, "flow-logs/\u{1b}[2J.gz"),
        &format!(r#"{{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"{bucket}"}}"#),
        r#"{"credentials":{"sessionToken":"IQoJb3JpZ2luX2VjEXAMPLE"}}"#,
    ] {
        send(&org, DEAD_LETTERS, body).await;
    }
    let run = dlq(&org).run().await.expect_status(1);
    let report = json(&run);
    let expected = [
        ("digest_or_insight", 1),
        ("not_an_event", 1),
        ("object_missing", 1),
        ("other_object", 2),
        ("test_event", 1),
        ("unknown", 1),
    ];
    let expected = expected.map(|(class, count)| (class.to_owned(), count));
    assert_eq!(classes(&report), BTreeMap::from(expected), "{report:#}");
    assert_eq!(report["read"], 7);
    assert_eq!(report["complete"], true);
    assert_only_returns_dead_letters(&run);
    assert_eq!(operations(&run, "HeadObject"), 2);
    assert_eq!(counts(&org, DEAD_LETTERS).await, ["7", "0"]);
    assert!(!run.stdout.contains("IQoJb3JpZ2luX2Vj"), "{}", run.stdout);

    let shown = heeler_ec(&org).args(["dlq"]).run().await.expect_status(1);
    let is_safe = |c: char| c == '\n' || !c.is_control();
    assert!(shown.stdout.chars().all(is_safe), "{:?}", shown.stdout);
    assert!(
        !shown.stdout.contains("IQoJb3JpZ2luX2Vj"),
        "{}",
        shown.stdout
    );
    assert!(shown.stdout.contains("(masked)"), "{}", shown.stdout);
}

/// Runs `dlq` and expects this class for the only message.
async fn expect_class(org: &Organization, class: &str) -> String {
    let report = json(&dlq(org).run().await.expect_status(1));
    assert_eq!(report["messages"][0]["class"], class, "{report:#}");
    text(&report["messages"][0]["observed"])
}

#[tokio::test]
async fn denied_access_is_the_reason() {
    let org = s3_deployment().await;
    let key = delivered(&org).await;
    send(&org, DEAD_LETTERS, &notification(org.bucket(), &key)).await;
    expect_class(&org, "unknown").await;

    let kms = &org.clients().kms;
    let key_id = org.bucket_key().expect("a key");
    let grants = kms.list_grants().key_id(key_id).send().await;
    for grant in grants.expect("grants").grants() {
        let id = grant.grant_id().unwrap_or_default();
        let revoke = kms.revoke_grant().key_id(key_id).grant_id(id);
        revoke.send().await.expect("no grant");
    }
    let observed = expect_class(&org, "key_denied").await;
    assert_eq!(observed, "no statement allows Heeler kms:Decrypt");
    let repair = setup_again(&org).args(["--heeler-role-arn", &org.heeler_role_arn()]);
    repair.run().await.expect_status(0);
    expect_class(&org, "unknown").await;

    let iam = &org.clients().iam;
    let attached = iam.list_attached_role_policies().role_name(ROLE).send();
    for policy in attached.await.expect("policies").attached_policies() {
        let detach = iam.detach_role_policy().role_name(ROLE);
        let detach = detach.policy_arn(policy.policy_arn().unwrap_or_default());
        detach.send().await.expect("no attachment");
    }
    let observed = expect_class(&org, "access_denied").await;
    assert_eq!(observed, "no statement allows Heeler s3:GetObject");
}

#[tokio::test]
async fn unreadable_object_is_unknown() {
    let org = s3_deployment().await;
    let key = delivered(&org).await;
    send(&org, DEAD_LETTERS, &notification(org.bucket(), &key)).await;
    let denied = FaultAction::refuse(403, "AccessDenied", "Access Denied");
    org.proxy().fault(Fault::new("s3", "HeadObject", denied));
    let observed = expect_class(&org, "unknown").await;
    assert!(observed.starts_with("not known whether"), "{observed}");
}

#[tokio::test]
async fn empty_queue_is_a_success() {
    let org = s3_deployment().await;
    let run = dlq(&org).run().await.expect_status(0);
    assert_eq!(json(&run)["messages"], json!([]));
    assert_only_returns_dead_letters(&run);
    let run = redrive(&org).run().await.expect_status(0);
    assert_eq!(json(&run)["task"], Value::Null);
    assert_eq!(names(&run.writes()), [""; 0]);
}

#[tokio::test]
async fn limit_and_progress_count_messages() {
    let org = s3_deployment().await;
    for number in 0..12 {
        send(&org, DEAD_LETTERS, &format!("body {number}")).await;
    }
    let run = dlq(&org)
        .args(["--limit", "3"])
        .run()
        .await
        .expect_status(1);
    let report = json(&run);
    assert_eq!(report["read"], 3);
    assert_eq!(report["complete"], false);
    assert_eq!(report["approximate_messages"], 12);
    let run = dlq(&org).run().await.expect_status(1);
    assert_eq!(json(&run)["read"], 12);
    assert_eq!(counts(&org, DEAD_LETTERS).await, ["12", "0"]);
}

#[tokio::test]
async fn fifo_queue_shows_ten_messages_per_group() {
    let org = cloudwatch_deployment().await;
    for number in 0..12 {
        send(&org, DEAD_FIFO_LETTERS, &record(number)).await;
    }
    let run = dlq(&org).run().await.expect_status(1);
    let report = json(&run);
    assert_eq!(report["read"], 10, "{report:#}");
    assert_eq!(report["complete"], false);
    assert_eq!(
        classes(&report),
        BTreeMap::from([("unknown".to_owned(), 10)])
    );
    let first = &report["messages"][0];
    assert_eq!(first["record"]["event_id"], "event-0");
    assert_eq!(first["group"], "111122223333.us-east-1");
    assert_only_returns_dead_letters(&run);
    assert_eq!(counts(&org, DEAD_FIFO_LETTERS).await, ["12", "0"]);
    let shown = heeler_ec(&org).args(["dlq"]).run().await.expect_status(1);
    let words = "About 2 messages were not read";
    assert!(shown.stdout.contains(words), "{}", shown.stdout);
}

#[tokio::test]
async fn each_group_of_fifo_queue_is_read() {
    let org = cloudwatch_deployment().await;
    let url = queue_url(&org, DEAD_FIFO_LETTERS).await;
    for number in 0..24 {
        let send = org.clients().sqs.send_message().queue_url(&url);
        let send = send.message_body(record(number));
        let send = send.message_group_id(format!("group-{}", number % 2));
        let send = send.message_deduplication_id(number.to_string());
        send.send().await.expect("a message");
    }
    let run = dlq(&org).run().await.expect_status(1);
    // Ten of each group; the first receive returns five of each.
    assert_eq!(json(&run)["read"], 20);
    assert_only_returns_dead_letters(&run);
    assert_eq!(counts(&org, DEAD_FIFO_LETTERS).await, ["24", "0"]);
}

#[tokio::test]
async fn cut_record_is_too_large() {
    let org = cloudwatch_deployment().await;
    let mut cut: Value = serde_json::from_str(&record(1)).expect("a record");
    cut["heelerEcCut"] = json!(["requestParameters"]);
    send(&org, DEAD_FIFO_LETTERS, &cut.to_string()).await;
    let observed = expect_class(&org, "too_large").await;
    assert_eq!(observed, "the record was sent without requestParameters");
}

#[tokio::test]
async fn interruption_returns_the_messages() {
    let org = s3_deployment().await;
    for number in 0..12 {
        send(&org, DEAD_LETTERS, &format!("body {number}")).await;
    }
    let gate = Gate::closed();
    let held = Fault::new("sqs", "ReceiveMessage", FaultAction::Hold(gate.clone()));
    org.proxy().fault(held.after(1));
    let run = dlq(&org).spawn().await;
    gate.wait_for_call().await;
    run.interrupt();
    run.wait_for_stderr("Interrupted: returning the received messages")
        .await;
    gate.open();
    let run = run.wait().await.expect_status(130);
    assert_only_returns_dead_letters(&run);
    assert_eq!(counts(&org, DEAD_LETTERS).await, ["12", "0"]);
}

#[tokio::test]
async fn failed_receive_returns_the_messages() {
    let org = s3_deployment().await;
    for number in 0..12 {
        send(&org, DEAD_LETTERS, &format!("body {number}")).await;
    }
    let denied = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy()
        .fault(Fault::new("sqs", "ReceiveMessage", denied).after(1));
    let run = dlq(&org).run().await.expect_status(3);
    assert_eq!(error(&run)["code"], "AccessDenied");
    assert_eq!(counts(&org, DEAD_LETTERS).await, ["12", "0"]);
}

#[tokio::test]
async fn unmanaged_queue_is_not_read() {
    let org = s3_deployment().await;
    send(&org, DEAD_LETTERS, "body").await;
    let untag = org.clients().sqs.untag_queue();
    let untag = untag.queue_url(queue_url(&org, DEAD_LETTERS).await);
    untag
        .tag_keys("heeler-ec:option")
        .send()
        .await
        .expect("no tag");
    for command in [dlq(&org), redrive(&org)] {
        let run = command.run().await.expect_status(1);
        let cause = text(&error(&run)["cause"]);
        assert!(cause.contains("is not managed by heeler-ec"), "{cause}");
        assert_eq!(names(&run.writes()), [""; 0]);
    }
}

#[tokio::test]
async fn redrive_moves_all_messages_back() {
    let org = s3_deployment().await;
    let key = delivered(&org).await;
    let before = counts(&org, QUEUE).await;
    let body = notification(org.bucket(), &key);
    send(&org, DEAD_LETTERS, &body).await;
    send(&org, DEAD_LETTERS, &body).await;
    let run = redrive(&org).run().await.expect_status(0);
    let report = json(&run);
    assert_eq!(report["task"]["status"], "completed", "{report:#}");
    assert_eq!(report["task"]["moved"], 2);
    assert_eq!(report["remaining"], 0);
    assert_eq!(names(&run.writes()), ["sqs:StartMessageMoveTask"]);
    assert_eq!(counts(&org, DEAD_LETTERS).await, ["0", "0"]);
    let after = counts(&org, QUEUE).await;
    let count = |counts: &[String; 2]| counts[0].parse::<usize>().expect("a count");
    assert_eq!(count(&after), count(&before) + 2);
}

#[tokio::test]
async fn redrive_needs_the_typed_word() {
    let org = s3_deployment().await;
    send(&org, DEAD_LETTERS, "body").await;
    for (answer, status, writes) in [
        ("y", 1, vec![]),
        (CTRL_C, 130, vec![]),
        ("yes", 0, vec!["sqs:StartMessageMoveTask"]),
    ] {
        let run = heeler_ec(&org).args(["dlq", "redrive"]);
        let run = run.on_terminal(100, &[(WORD, answer)]);
        let run = run.run().await.expect_status(status);
        assert_eq!(names(&run.writes()), writes, "{answer}");
    }
    let run = heeler_ec(&org).args(["dlq", "redrive"]);
    let run = run.run().await.expect_status(2);
    assert_eq!(run.calls.len(), 0);
}

#[tokio::test]
async fn redrive_is_refused_while_a_hop_is_broken() {
    let org = s3_deployment().await;
    send(&org, DEAD_LETTERS, "body").await;
    let change = org.clients().sqs.set_queue_attributes();
    let change = change.queue_url(queue_url(&org, QUEUE).await);
    let change = change.attributes(QueueAttributeName::Policy, "");
    change.send().await.expect("no policy");
    let run = redrive(&org).run().await.expect_status(1);
    let found = error(&run);
    let cause = text(&found["cause"]);
    assert!(cause.contains("hop queue_policy is broken"), "{found}");
    assert!(text(&found["hint"]).contains("heeler-ec status"), "{found}");
    assert_eq!(names(&run.writes()), [""; 0]);
    let run = redrive(&org).args(["--force"]).run().await.expect_status(0);
    assert_eq!(json(&run)["task"]["moved"], 1);
}

#[tokio::test]
async fn fifo_redrive_is_not_repeated_within_five_minutes() {
    let org = cloudwatch_deployment().await;
    send(&org, DEAD_FIFO_LETTERS, &record(1)).await;
    redrive(&org).run().await.expect_status(0);
    assert_eq!(counts(&org, FIFO_QUEUE).await, ["1", "0"]);
    send(&org, DEAD_FIFO_LETTERS, &record(2)).await;
    let run = redrive(&org).run().await.expect_status(1);
    let cause = text(&error(&run)["cause"]);
    assert!(cause.contains("less than 5 minutes ago"), "{cause}");
    assert_eq!(names(&run.writes()), [""; 0]);
    redrive(&org).args(["--force"]).run().await.expect_status(0);
    assert_eq!(counts(&org, FIFO_QUEUE).await, ["2", "0"]);
}

/// Sends messages, and starts a redrive that takes minutes.
async fn slow_redrive(org: &Organization) -> testkit::Running<'_> {
    for number in 0..200 {
        send(org, DEAD_LETTERS, &format!("body {number}")).await;
    }
    let run = redrive(org)
        .args(["--rate", "1", "--verbose"])
        .spawn()
        .await;
    run.wait_for_stderr("ListMessageMoveTasks").await;
    run.wait_for_stderr("StartMessageMoveTask").await;
    run
}

#[tokio::test]
async fn interruption_cancels_only_the_own_task() {
    let org = s3_deployment().await;
    let own = slow_redrive(&org).await;
    let other = redrive(&org).args(["--verbose"]).spawn().await;
    other
        .wait_for_stderr("A move task is running already")
        .await;
    other.interrupt();
    let other = other.wait().await.expect_status(130);
    assert_eq!(names(&other.writes()), [""; 0]);
    assert!(
        other.stderr.contains("The move task goes on"),
        "{}",
        other.stderr
    );
    own.interrupt();
    own.wait_for_stderr("Interrupted: cancelling the move task")
        .await;
    let own = own.wait().await.expect_status(130);
    assert_eq!(operations(&own, "CancelMessageMoveTask"), 1);
    let found = error(&own);
    assert!(text(&found["cause"]).contains("was cancelled"), "{found}");
    let list = org.clients().sqs.list_message_move_tasks();
    let arn = format!(
        "arn:aws:sqs:{}:{}:{DEAD_LETTERS}",
        org.region(),
        org.account()
    );
    let listed = list.source_arn(arn).send().await.expect("tasks");
    assert_eq!(listed.results()[0].status(), Some("CANCELLED"));
}

#[tokio::test]
async fn refused_cancellation_prints_the_command() {
    let org = s3_deployment().await;
    let denied = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy()
        .fault(Fault::new("sqs", "CancelMessageMoveTask", denied));
    let run = slow_redrive(&org).await;
    run.interrupt();
    let run = run.wait().await.expect_status(130);
    let command = "aws sqs cancel-message-move-task --region";
    assert!(run.stderr.contains(command), "{}", run.stderr);
}

#[tokio::test]
async fn lost_response_to_start_is_followed() {
    let org = s3_deployment().await;
    for number in 0..3 {
        send(&org, DEAD_LETTERS, &format!("body {number}")).await;
    }
    // The repeated call is refused, because the first one has started a task.
    let lost = Fault::new("sqs", "StartMessageMoveTask", FaultAction::DropResponse);
    org.proxy().fault(lost.times(1));
    let run = redrive(&org).args(["--rate", "1"]).run().await;
    let report = json(&run.expect_status(0));
    assert_eq!(report["task"]["moved"], 3, "{report:#}");
}

#[tokio::test]
async fn failed_task_is_an_error() {
    let org = s3_deployment().await;
    send(&org, DEAD_LETTERS, "body").await;
    let body = json!({ "Results": [{
        "Status": "FAILED", "FailureReason": "CouldNotDetermineMessageSource", "StartedTimestamp": 1_800_000_000_000_i64,
        "ApproximateNumberOfMessagesMoved": 0, "SourceArn": "a",
    }] });
    let failed = FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".into(), "application/x-amz-json-1.0".into())],
        body: body.to_string().into_bytes(),
    };
    let listed = Fault::new("sqs", "ListMessageMoveTasks", failed);
    org.proxy().fault(listed.after(1));
    let run = redrive(&org).run().await.expect_status(3);
    let found = error(&run);
    assert!(
        text(&found["cause"]).contains("CouldNotDetermineMessageSource"),
        "{found}"
    );
    assert_eq!(json(&run)["task"]["status"], "failed");
}

#[tokio::test]
async fn simulated_tasks_follow_the_rules_of_sqs() {
    let org = s3_deployment().await;
    let sqs = &org.clients().sqs;
    let arn = |name: &str| format!("arn:aws:sqs:{}:{}:{name}", org.region(), org.account());
    let start = |source: &str| sqs.start_message_move_task().source_arn(arn(source));
    let code = |error: aws_sdk_sqs::Error| {
        use aws_sdk_sqs::error::ProvideErrorMetadata;
        error.code().unwrap_or_default().to_owned()
    };
    // Heeler's queue is no dead-letter queue.
    let refused = start(QUEUE).send().await.expect_err("a refusal");
    assert_eq!(code(refused.into()), "InvalidParameterValue");
    let refused = start("nothing").send().await.expect_err("a refusal");
    assert!(code(refused.into()).starts_with("ResourceNotFound"));
    send(&org, DEAD_LETTERS, "body").await;
    let slow = start(DEAD_LETTERS).max_number_of_messages_per_second(1);
    let handle = slow.send().await.expect("a task").task_handle;
    let refused = start(DEAD_LETTERS).send().await.expect_err("a refusal");
    assert_eq!(code(refused.into()), "InvalidParameterValue");
    let cancel = sqs
        .cancel_message_move_task()
        .task_handle(handle.expect("a handle"));
    cancel.send().await.expect("a cancelled task");
    // A message that was sent directly has no source.
    start(DEAD_LETTERS).send().await.expect("a task");
    let status = loop {
        let list = sqs.list_message_move_tasks().source_arn(arn(DEAD_LETTERS));
        let listed = list.send().await.expect("tasks");
        let newest = listed.results().first().expect("a task").clone();
        if newest.status() != Some("RUNNING") {
            break newest;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(
        status.failure_reason(),
        Some("CouldNotDetermineMessageSource")
    );
}
