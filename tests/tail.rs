//! tail with a temporary queue: prints events, reports what it cannot read, and leaves the account unchanged.

use crate::commands::{heeler_ec, run_concurrently, sorted};
use crate::whole_output::{assert_stderr, assert_stdout};
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde_json::{Value, json};
use snapbox::str;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use testkit::log_file::event;
use testkit::program;
use testkit::{
    Call, Engine, Fault, FaultAction, HeelerEc, LogFile, Organization, Run, Running, samples,
};

/// Prefix of the names of temporary queues.
const TEMPORARY_QUEUE_PREFIX: &str = "heeler_ec_tail";
const QUEUE: &str = "heeler_event_collection_queue";
const TOPIC: &str = "heeler_event_collection_topic";

#[tokio::test]
async fn json_records_are_printed_unchanged() {
    let org = set_up().await;
    let tail = start_listening(&org, &["--output", "json", "--limit", "3"]).await;
    let (first, second) = (log_file(&org, 2), log_file(&org, 1));
    org.deliver(&first).await;
    org.deliver(&second).await;
    let run = tail.wait().await.expect_status(0);

    let delivered = first
        .records
        .iter()
        .chain(&second.records)
        .map(Value::to_string);
    assert_eq!(sorted(run.stdout.lines()), sorted(delivered));
}

#[tokio::test]
async fn table_line_has_all_columns() {
    let org = set_up().await;
    let mut refused = event(
        "210987654321",
        "eu-west-1",
        "s3.amazonaws.com",
        "PutBucketPolicy",
        false,
    );
    refused["eventTime"] = "2026-01-02T03:04:05Z".into();
    refused["errorCode"] = "AccessDenied".into();
    let run = shown(&org, vec![refused], &[]).await;
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    assert_eq!(
        words,
        [
            "2026-01-02T03:04:05Z",
            "low",
            "210987654321",
            "eu-west-1",
            "s3",
            "PutBucketPolicy",
            "alice",
            "AccessDenied"
        ]
    );
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
Messages: 1 (1 read).
Objects: 1 (1 read).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn every_real_record_is_printed_once() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let org = set_up().await;
    let objects = samples::log_files_below(&folder);
    let mut delivered = Vec::new();
    for (_, bytes) in &objects {
        let records =
            heeler_ec::cloudtrail::log_file::collect_records(bytes, u64::MAX).expect("a log file");
        delivered.extend(records.iter().cloned());
    }
    assert_eq!((objects.len(), delivered.len()), (56, 2902));

    let limit = delivered.len().to_string();
    let tail = start_listening(&org, &["--output", "json", "--limit", &limit]).await;
    // Setup announces only objects of the organization.
    let prefix = format!("AWSLogs/{}/", org.organization_id());
    for (key, bytes) in objects {
        org.put(&key.replacen("AWSLogs/", &prefix, 1), bytes).await;
    }
    let run = tail.wait().await.expect_status(0);
    assert_eq!(sorted(run.stdout.lines()), sorted(delivered));
    assert!(!run.stderr.contains("duplicate"), "{}", run.stderr);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn tail_never_receives_from_heeler_queue() {
    let org = set_up().await;
    let url = queue_url(&org).await;
    let before = message_count(&org, &url).await;
    let run = shown(&org, vec![any_record(&org)], &[]).await;

    let received: Vec<_> = run
        .calls
        .iter()
        .filter(|call| call.operation == "ReceiveMessage")
        .collect();
    assert!(!received.is_empty());
    assert!(
        received
            .iter()
            .all(|call| call.text().contains(&format!("/{TEMPORARY_QUEUE_PREFIX}_")))
    );
    let touched = run.calls.iter().filter(|call| call.text().contains(&url));
    assert_eq!(
        touched.map(testkit::Call::name).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    assert_eq!(message_count(&org, &url).await, before + 1);
    let messages = org
        .clients()
        .sqs
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .send()
        .await
        .expect("Heeler's messages");
    for message in messages.messages() {
        let attributes = message.attributes().expect("the requested attributes");
        let count = &attributes[&MessageSystemAttributeName::ApproximateReceiveCount];
        assert_eq!(count, "1", "the message was received before");
    }
}

#[tokio::test]
async fn tail_stops_at_limit_and_cleans_up() {
    let org = set_up().await;
    let tail = start_listening(&org, &["--limit", "2"]).await;
    org.deliver(&log_file(&org, 5)).await;
    let run = tail.wait().await.expect_status(0);
    assert_eq!(run.stdout.lines().count(), 2);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn timeout_prints_what_to_check() {
    let org = set_up().await;
    let run = tail(&org, &["--timeout", "1s"])
        .run()
        .await
        .expect_status(1);
    assert_eq!(run.stdout, "");
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
No events arrived within 1s.
Possible reasons:
  - CloudTrail delivers about every 5 minutes, and a new notification takes effect after about 5 more
  - a resource of the deployment may have changed; check with:
      heeler-ec plan --check
  - the trail may not log or deliver; check with:
      heeler-ec preflight --option s3
Records: 0.

"]],
    );
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn tail_without_deployment_suggests_preflight() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = tail(&org, &[]).run().await.expect_status(1);
    assert_stderr(
        &org,
        &run,
        str![[r#"
error: nothing is deployed under the name prefix "heeler"
  cause: this account has no role heeler_event_collection_sqs_role that is managed by heeler-ec
  hint:  to choose an option and set it up, start with: heeler-ec preflight

"#]],
    );
    assert_eq!(run.writes().len(), 0);
}

#[tokio::test]
async fn ctrl_c_removes_queue_and_subscription() {
    let org = set_up().await;
    let tail = start_listening(&org, &[]).await;
    assert_eq!(temporary_queues(&org).await.len(), 2);
    tail.interrupt();
    tail.wait().await.expect_status(130);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn ctrl_c_during_queue_creation_removes_it() {
    let org = set_up().await;
    let subscribe = org.proxy().hold("sns", "Subscribe");
    let tail = tail(&org, &[]).spawn().await;
    subscribe.wait_for_call().await;
    tail.interrupt();
    // Whether the program notices the signal before or after the response, it deletes the queue.
    subscribe.open();
    tail.wait().await.expect_status(130);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn second_ctrl_c_prints_cleanup_commands() {
    let org = set_up().await;
    let tail = start_listening(&org, &[]).await;
    tail.wait_for_stderr(HEADING).await;
    org.proxy()
        .fault(Fault::new("sns", "Unsubscribe", FaultAction::NeverRespond));
    org.proxy()
        .fault(Fault::new("sqs", "DeleteQueue", FaultAction::NeverRespond));
    tail.interrupt();
    tail.wait_for_stderr("Ctrl-C again").await;
    tail.interrupt();
    let run = tail.wait().await.expect_status(130);
    for name in temporary_queues(&org).await {
        assert!(run.stderr.contains(&name), "{name}:\n{}", run.stderr);
    }
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
Interrupted: deleting the temporary queue. Press Ctrl-C again to exit immediately.
The temporary queue was not deleted. To delete it, run:
  aws sns unsubscribe --region us-east-1 --subscription-arn arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic:00000000-1111-2222-3333-444444444444
  aws sqs delete-queue --region us-east-1 --queue-url http://127.0.0.1:40000/111122223333/heeler_ec_tail_00112233
Interrupted: the clean-up was not completed.

"]],
    );
}

#[tokio::test]
async fn denied_cleanup_prints_manual_commands() {
    let org = set_up().await;
    let refused = FaultAction::refuse(403, "AccessDenied", "not you");
    org.proxy().fault(Fault::new("sqs", "DeleteQueue", refused));
    let tail = start_listening(&org, &[]).await;
    tail.wait_for_stderr(HEADING).await;
    tail.interrupt();
    let run = tail.wait().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
Interrupted: deleting the temporary queue. Press Ctrl-C again to exit immediately.
The temporary queue was not deleted. To delete it, run:
  aws sns unsubscribe --region us-east-1 --subscription-arn arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic:00000000-1111-2222-3333-444444444444
  aws sqs delete-queue --region us-east-1 --queue-url http://127.0.0.1:40000/111122223333/heeler_ec_tail_00112233
error: cannot delete the queue http://127.0.0.1:40000/111122223333/heeler_ec_tail_00112233
  cause: not you (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant sqs:DeleteQueue to the caller

"]],
    );
    org.proxy().clear_faults();
    let next = start_listening(&org, &[]).await;
    next.wait_for_stderr("left by an earlier run").await;
    next.interrupt();
    next.wait().await.expect_status(130);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn expired_session_prints_login_hint_and_leftovers() {
    let org = set_up().await;
    let tail = start_listening(&org, &[]).await;
    tail.wait_for_stderr(HEADING).await;
    let expired = "The security token included in the request is expired";
    org.proxy().fault(Fault::new(
        "*",
        "*",
        FaultAction::refuse(403, "ExpiredToken", expired),
    ));
    let run = tail.wait().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
The temporary queue was not deleted. To delete it, run:
  aws sns unsubscribe --region us-east-1 --subscription-arn arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic:00000000-1111-2222-3333-444444444444
  aws sqs delete-queue --region us-east-1 --queue-url http://127.0.0.1:40000/111122223333/heeler_ec_tail_00112233
error: cannot receive from the temporary queue heeler_ec_tail_00112233
  cause: The security token included in the request is expired (ExpiredToken, request id 00000000-1111-2222-3333-444444444444)
  hint:  the session has expired: sign in again with `aws sso login`, or set new credentials in the environment

"]],
    );
}

#[tokio::test]
async fn next_run_removes_only_stale_queues() {
    let org = set_up().await;
    let other = start_listening(&org, &["--limit", "1"]).await;
    let in_use = temporary_queues(&org).await;
    let killed = start_listening(&org, &[]).await;
    killed.kill();
    killed.wait().await.expect_status(-9);
    let left = temporary_queues(&org).await;
    assert_eq!((in_use.len(), left.len()), (2, 4));

    let next = start_listening(&org, &[]).await;
    next.wait_for_stderr("left by an earlier run").await;
    let now = temporary_queues(&org).await;
    assert!(in_use.is_subset(&now), "{now:?}");
    assert_eq!(left.intersection(&now).count(), 2, "{now:?}");
    next.interrupt();
    next.wait().await.expect_status(130);

    org.deliver(&log_file(&org, 1)).await;
    other.wait().await.expect_status(0);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn closed_stdout_ends_tail() {
    let org = set_up().await;
    let program = env!("CARGO_BIN_EXE_heeler-ec");
    let script = r#"{ "$0" "$@"; echo "status $?" >&2; } | head -n 1"#;
    let mut tail = heeler_ec(&org)
        .program(Path::new("/bin/sh"))
        .args(["-c", script, program, "tail", "--output", "json"])
        .spawn()
        .await;
    tail.wait_for_stderr("the queue is then deleted").await;
    org.deliver(&log_file(&org, 1)).await;
    tail.line_containing("eventID").await;
    // The program notices the closed pipe only when it writes the next line.
    let further = async {
        loop {
            org.deliver(&log_file(&org, 1)).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let run = tokio::select! {
        run = tail.wait() => run,
        () = further => unreachable!("deliveries continue"),
    };
    assert!(run.stderr.contains("status 0"), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 1);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn blocked_stdout_does_not_block_ctrl_c() {
    let org = set_up().await;
    // Nothing reads the output until the test makes this file.
    let folder = tempfile::tempdir().expect("a folder");
    let done = folder.path().join("done");
    let script = r#"{ sh -c 'echo "pid $$" >&2; exec "$0" "$@"' "$0" "$@"; echo "status $?" >&2; } | until [ -e "$DONE" ]; do sleep 0.1; done"#;
    let tail = heeler_ec(&org)
        .program(Path::new("/bin/sh"))
        .args(["-c", script, env!("CARGO_BIN_EXE_heeler-ec")])
        .args(["tail", "--output", "json"])
        .env("DONE", &done.display().to_string())
        .spawn()
        .await;
    tail.wait_for_stderr("the queue is then deleted").await;
    // Far more than the capacity of a pipe.
    org.deliver(&log_file(&org, 1_000)).await;
    let read = |call: &Call| call.operation == "GetObject" && call.finished.is_some();
    while !org.proxy().calls().iter().any(read) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Two updates of the status line, which the blocked output must not block.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let stderr = tail.stderr();
    let pid = stderr.lines().find_map(|line| line.strip_prefix("pid "));
    program::interrupt(pid.expect("a process ID").parse().expect("a number"));
    tail.wait_for_stderr("status 130").await;
    assert_eq!(temporary_queues(&org).await, no_queues());
    std::fs::write(&done, "").expect("a file");
    tail.wait().await;
}

#[tokio::test]
async fn interrupted_download_is_retried() {
    let org = set_up().await;
    let breaks_off = Fault::new("s3", "GetObject", FaultAction::TruncateResponse);
    org.proxy().fault(breaks_off.clone().times(2));
    let mut tail = start_listening(&org, &["--output", "json"]).await;
    let file = log_file(&org, 1_000);
    org.deliver(&file).await;
    for record in &file.records {
        assert_eq!(tail.line().await, Some(record.to_string()));
    }
    org.proxy().clear_faults();
    org.proxy().fault(breaks_off);
    let lost = log_file(&org, 1_000);
    org.deliver(&lost).await;
    tail.wait_for_stderr("connection was lost during the download, 3 times")
        .await;
    tail.interrupt();
    let run = tail.wait().await.expect_status(130);
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
warning: cannot read AWSLogs/o-exampleorg/111122223333/CloudTrail/us-east-1/2026/01/02/111122223333_CloudTrail_us-east-1_20260102T0304Z_AbCdEfGhIjKlMnOp.json.gz: the connection was lost during the download, 3 times: streaming error
Interrupted: deleting the temporary queue. Press Ctrl-C again to exit immediately.
Messages: 2 (2 read).
Objects: 2 (1 read, 1 failed).
Records: 1000 (1000 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn other_objects_are_skipped_and_listed_when_verbose() {
    let org = set_up().await;
    let tail = start_listening(&org, &["--verbose", "--limit", "1"]).await;
    let own = log_file(&org, 1);
    let key = format!(
        "AWSLogs/210987654321/CloudTrail/us-east-1/2026/01/02/{}",
        own.name()
    );
    publish(
        &org,
        json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": org.bucket()}),
    )
    .await;
    publish(&org, s3_notification("other-bucket", &key)).await;
    publish(
        &org,
        s3_notification(
            org.bucket(),
            &key.replace("CloudTrail", "CloudTrail-Digest"),
        ),
    )
    .await;
    org.deliver(&own).await;
    let run = tail.wait().await.expect_status(0);

    for text in [
        "skipped a message: an S3 test event",
        "skipped other-bucket/",
        ": a digest file, which contains no events",
        "Messages: 4 (3 read, 1 skipped).",
        "  1 skipped: an S3 test event",
        "Objects: 3 (1 read, 2 skipped).",
    ] {
        assert!(run.stderr.contains(text), "{text}:\n{}", run.stderr);
    }
    assert!(
        !run.calls
            .iter()
            .any(|call| call.target.contains("other-bucket"))
    );
}

#[tokio::test]
async fn unreadable_message_is_reported_and_tail_continues() {
    let org = set_up().await;
    let tail = start_listening(&org, &["--limit", "1"]).await;
    publish_text(&org, "\u{1b}[2Jsurprise").await;
    org.deliver(&log_file(&org, 1)).await;
    let run = tail.wait().await.expect_status(0);
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
warning: cannot read message 00000000-1111-2222-3333-444444444444 (/u{1b}[2Jsurprise): not a JSON object
Messages: 2 (1 read, 1 failed).
Objects: 1 (1 read).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
}

#[tokio::test]
async fn damaged_object_is_reported_and_tail_continues() {
    let org = set_up().await;
    let broken = log_file(&org, 1);
    let key = format!(
        "AWSLogs/{}/210987654321/CloudTrail/us-east-1/2026/01/02/{}",
        org.organization_id(),
        broken.name()
    );
    let mut bytes = broken.gzipped();
    bytes.truncate(40);
    let tail = start_listening(&org, &["--limit", "1"]).await;
    org.put(&key, bytes).await;
    tail.wait_for_stderr("the gzip data ends too early").await;
    org.deliver(&log_file(&org, 1)).await;
    let run = tail.wait().await.expect_status(0);
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
warning: cannot read AWSLogs/o-exampleorg/210987654321/CloudTrail/us-east-1/2026/01/02/111122223333_CloudTrail_us-east-1_20260102T0304Z_AbCdEfGhIjKlMnOp.json.gz: the gzip data ends too early
Messages: 2 (2 read).
Objects: 2 (1 read, 1 failed).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
    assert_eq!(run.stdout.lines().count(), 1);
}

#[tokio::test]
async fn denied_object_names_the_missing_permission() {
    let org = set_up().await;
    let refused = FaultAction::refuse(403, "AccessDenied", "Access Denied");
    org.proxy()
        .fault(Fault::new("s3", "GetObject", refused).times(1));
    let tail = start_listening(&org, &["--limit", "1"]).await;
    let key = org.deliver(&log_file(&org, 1)).await;
    tail.wait_for_stderr(&key).await;
    org.deliver(&log_file(&org, 1)).await;
    let run = tail.wait().await.expect_status(0);
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
warning: cannot read AWSLogs/o-exampleorg/111122223333/CloudTrail/us-east-1/2026/01/02/111122223333_CloudTrail_us-east-1_20260102T0304Z_AbCdEfGhIjKlMnOp.json.gz: Access Denied (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint: grant s3:GetObject to the caller
Messages: 2 (2 read).
Objects: 2 (1 read, 1 failed).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn unreadable_objects_are_an_error_at_the_end() {
    let respond = |content_type: &str, body: &str| FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".into(), content_type.into())],
        body: body.into(),
    };
    let denied = FaultAction::refuse(403, "AccessDenied", "Access Denied");
    let cases = [
        (
            denied,
            "could not be read; the last failure: cannot read ",
            "(AccessDenied",
        ),
        (
            respond("application/xml", ""),
            "cannot read object ",
            "the response is empty",
        ),
        (
            respond("text/html", "<html>Sign in to the network</html>"),
            "cannot read object ",
            "the response is not in the format of AWS",
        ),
    ];
    run_concurrently(cases.map(|(action, problem, cause)| async move {
        let org = set_up().await;
        org.proxy().fault(Fault::new("s3", "GetObject", action));
        org.deliver(&log_file(&org, 1)).await;
        // The timeout starts when the objects of the first listing have been read.
        let tail = tail(&org, &["--source", "bucket", "--timeout", "1s"]);
        let run = tail.run().await.expect_status(3);
        let error = run.stderr.split("error: cannot read all events").nth(1);
        let error = error.unwrap_or_else(|| panic!("{}", run.stderr));
        assert!(error.contains(problem) && error.contains(cause), "{error}");
    }))
    .await;
}

#[tokio::test]
async fn queue_deletion_is_verified() {
    let org = set_up().await;
    let empty = FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".into(), "application/x-amz-json-1.0".into())],
        body: Vec::new(),
    };
    org.proxy()
        .fault(Fault::new("sqs", "DeleteQueue", empty).times(2));
    let tail = start_listening(&org, &[]).await;
    tail.interrupt();
    tail.wait().await.expect_status(130);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn object_announced_twice_is_printed_once() {
    let org = set_up().await;
    let tail = start_listening(&org, &["--output", "json", "--limit", "3"]).await;
    let twice = log_file(&org, 2);
    org.deliver(&twice).await;
    org.deliver(&twice).await;
    org.deliver(&log_file(&org, 1)).await;
    let run = tail.wait().await.expect_status(0);
    assert_eq!(sorted(run.stdout.lines()).len(), 3);
    assert_eq!(run.stdout.lines().collect::<BTreeSet<_>>().len(), 3);
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
Messages: 3 (3 read).
Objects: 3 (3 read).
Records: 5 (3 shown, 2 duplicate).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn terminal_control_sequences_are_escaped() {
    let org = set_up().await;
    let control_sequences = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{9b}31m\u{202e}";
    let mut event = any_record(&org);
    for field in [
        "eventName",
        "eventSource",
        "awsRegion",
        "eventTime",
        "errorCode",
        "recipientAccountId",
    ] {
        event[field] = format!("{field}{control_sequences}").into();
    }
    event["userIdentity"] =
        json!({"type": "IAMUser", "userName": format!("alice{control_sequences}")});
    let run = shown(&org, vec![event], &["--verbose"]).await;
    for text in [&run.stdout, &run.stderr] {
        let is_control = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
        assert_eq!(text.chars().find(is_control), None, "{text:?}");
    }
    assert_stdout(
        &org,
        &run,
        str![[r"
eventTime/u{1b}[2J/u{1b}]0;owned/u{7}/r/u{9b}31m/u{202e}  low  recipientAccountId/u{1b}[2J/u{1b}]0;owned/u{7}/r/u{9b}31m/u{202e}  awsRegion/u{1b}[2J/u{1b}]0;owned/u{7}/r/u{9b}31m/u{202e}  eventSource/u{1b}[2J/u{1b}]0;owned/u{7}/r/u{9b}31m/u{202e}  eventName/u{1b}[2J/u{1b}]0;owned/u{7}/r/u{9b}31m/u{202e}  alice/u{1b}[2J/u{1b}]0;owned/u{7}/r/u{9b}31m/u{202e}  errorCode/u{1b}[2J/u{1b}]0;owned/u{7}/r/u{9b}31m/u{202e}

"]],
    );
    assert_eq!(run.stdout.lines().count(), 1);
}

#[tokio::test]
async fn broken_connection_is_retried() {
    let org = set_up().await;
    org.proxy()
        .fault(Fault::new("sqs", "ReceiveMessage", FaultAction::DropRequest).times(1));
    org.proxy()
        .fault(Fault::new("s3", "GetObject", FaultAction::DropRequest).times(1));
    let run = shown(&org, vec![any_record(&org)], &[]).await;
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
Messages: 1 (1 read).
Objects: 1 (1 read).
Records: 1 (1 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn outage_is_survived_with_one_notice() {
    let org = set_up().await;
    // More attempts than the SDK makes.
    for (service, operation) in [("sqs", "ReceiveMessage"), ("s3", "GetObject")] {
        org.proxy()
            .fault(Fault::new(service, operation, FaultAction::DropRequest).times(9));
    }
    let html = FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".into(), "text/html".into())],
        body: b"<html>Sign in to the network</html>".to_vec(),
    };
    org.proxy()
        .fault(Fault::new("sqs", "ReceiveMessage", html).after(9).times(3));
    let run = shown(&org, vec![any_record(&org)], &[]).await;
    for text in [
        "cannot receive from the temporary queue heeler_ec_tail_",
        "the call is repeated for up to 15m (--give-up-after)",
        "AWS responds again after ",
        "the download is repeated until",
        "Records: 1 (1 shown",
        "Objects: 1 (1 read",
    ] {
        let count = run.stderr.matches(text).count();
        assert_eq!(count, 1, "{text}:\n{}", run.stderr);
    }
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn queue_is_deleted_after_an_outage() {
    let org = set_up().await;
    let tail = start_listening(&org, &[]).await;
    tail.wait_for_stderr(HEADING).await;
    for (service, operation) in [("sns", "Unsubscribe"), ("sqs", "DeleteQueue")] {
        org.proxy()
            .fault(Fault::new(service, operation, FaultAction::DropRequest).times(7));
    }
    tail.interrupt();
    let run = tail.wait().await.expect_status(130);
    assert_stderr(
        &org,
        &run,
        str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
Interrupted: deleting the temporary queue. Press Ctrl-C again to exit immediately.
warning: cannot delete the subscription arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic:00000000-1111-2222-3333-444444444444 at the moment: the connection to http://127.0.0.1:40000 failed: connection closed before message completed
  hint: the call is repeated for up to 15m (--give-up-after)
Records: 0.

"]],
    );
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn invisible_new_queue_is_waited_for() {
    let org = set_up().await;
    let unknown = FaultAction::refuse(
        400,
        "QueueDoesNotExist",
        "The specified queue does not exist.",
    );
    let fault = |operation| Fault::new("sqs", operation, unknown.clone()).times(2);
    org.proxy().fault(fault("ReceiveMessage"));
    org.proxy().fault(fault("DeleteQueue"));
    shown(&org, vec![any_record(&org)], &[]).await;
    assert_eq!(temporary_queues(&org).await, no_queues());

    // The subscription fails before the queue is visible.
    org.proxy().clear_faults();
    org.proxy().fault(fault("DeleteQueue"));
    let refused = FaultAction::refuse(403, "AuthorizationError", "not you");
    org.proxy().fault(Fault::new("sns", "Subscribe", refused));
    tail(&org, &[]).run().await.expect_status(3);
    assert_eq!(temporary_queues(&org).await, no_queues());
}

#[tokio::test]
async fn queue_is_subscribed_before_accounts_are_listed() {
    let org = set_up().await;
    let list_accounts = org.proxy().hold("organizations", "ListAccounts");
    let subscribe = org.proxy().hold("sns", "Subscribe");
    let tail = tail(&org, &["--limit", "1"]).spawn().await;
    subscribe.wait_for_call().await;
    let calls = org.proxy().calls();
    assert!(!calls.iter().any(|call| call.operation == "ListAccounts"));
    subscribe.open();
    list_accounts.wait_for_call().await;
    list_accounts.open();
    tail.wait_for_stderr("the queue is then deleted").await;
    org.deliver(&log_file(&org, 1)).await;
    tail.wait().await.expect_status(0);
}

#[tokio::test]
async fn tail_cleans_up_after_receive_error() {
    let org = set_up().await;
    for (what, expected) in [
        (
            FaultAction::DropRequest,
            str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
warning: cannot receive from the temporary queue heeler_ec_tail_00112233 at the moment: the connection to http://127.0.0.1:40000 failed: connection closed before message completed
  hint: the call is repeated for up to 1s (--give-up-after)
error: cannot receive from the temporary queue heeler_ec_tail_00112233
  cause: the connection to http://127.0.0.1:40000 failed: connection closed before message completed
  hint:  check the network, a proxy (HTTPS_PROXY), --region and --endpoint-url

"]],
        ),
        (
            FaultAction::refuse(403, "AccessDenied", "not you"),
            str![[r"
Receiving from topic heeler_event_collection_topic through the temporary queue heeler_ec_tail_00112233. Press Ctrl-C to stop; the queue is then deleted.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
error: cannot receive from the temporary queue heeler_ec_tail_00112233
  cause: not you (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant sqs:ReceiveMessage to the caller

"]],
        ),
    ] {
        org.proxy().clear_faults();
        org.proxy().fault(Fault::new("sqs", "ReceiveMessage", what));
        let run = tail(&org, &["--give-up-after", "1s"]);
        let run = run.run().await.expect_status(3);
        assert_stderr(&org, &run, expected);
        assert_eq!(temporary_queues(&org).await, no_queues());
    }
}

#[tokio::test]
async fn denied_queue_or_subscription_leaves_nothing() {
    let org = set_up().await;
    let folder = tempfile::tempdir().expect("an empty folder");
    for (service, operation, expected) in [
        (
            "sqs",
            "CreateQueue",
            str![[r"
error: cannot create the temporary queue heeler_ec_tail_00112233
  cause: not you (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant sqs:CreateQueue to the caller

"]],
        ),
        (
            "sns",
            "Subscribe",
            str![[r"
error: cannot subscribe to topic arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic
  cause: not you (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant sns:Subscribe to the caller

"]],
        ),
    ] {
        let refused = FaultAction::refuse(403, "AccessDenied", "not you");
        org.proxy().clear_faults();
        org.proxy().fault(Fault::new(service, operation, refused));
        let tail = tail(&org, &[]).env("TMPDIR", &folder.path().to_string_lossy());
        let run = tail.run().await.expect_status(3);
        assert_stderr(&org, &run, expected);
        assert_eq!(temporary_queues(&org).await, no_queues());
        let files = std::fs::read_dir(folder.path()).expect("the folder");
        assert_eq!(files.count(), 0);
    }
}

/// An organization in which option s3 is set up.
async fn set_up() -> Organization {
    let org = Organization::on(Engine::Ministack).build().await;
    heeler_ec(&org)
        .args(["setup", "--option", "s3", "--yes", "--generate-external-id"])
        .args(["--heeler-role-arn", &org.heeler_role_arn()])
        .run()
        .await
        .expect_status(0);
    org
}

fn tail<'a>(org: &'a Organization, args: &[&str]) -> HeelerEc<'a> {
    heeler_ec(org).args(["tail"]).args(args)
}

/// The beginning of the table's heading, which is printed a moment after the queue receives every message.
const HEADING: &str = "TIME ";

/// Starts tail and waits until its queue receives every message.
async fn start_listening<'a>(org: &'a Organization, args: &[&str]) -> Running<'a> {
    let running = tail(org, args).spawn().await;
    running.wait_for_stderr("the queue is then deleted").await;
    running
}

/// Runs tail on these records, delivered in one log file.
async fn shown(org: &Organization, records: Vec<Value>, args: &[&str]) -> Run {
    let limit = records.len().to_string();
    let mut all = vec!["--limit", &limit];
    all.extend(args);
    let tail = start_listening(org, &all).await;
    org.deliver(&LogFile::new(org.account(), org.region(), records))
        .await;
    tail.wait().await.expect_status(0)
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

fn log_file(org: &Organization, records: usize) -> LogFile {
    let records = std::iter::repeat_with(|| any_record(org)).take(records);
    LogFile::new(org.account(), "us-east-1", records.collect())
}

/// The notification of S3 about a new object.
fn s3_notification(bucket: &str, key: &str) -> Value {
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}}
    }]})
}

async fn publish(org: &Organization, message: Value) {
    publish_text(org, &message.to_string()).await;
}

async fn publish_text(org: &Organization, message: &str) {
    let topic = format!("arn:aws:sns:{}:{}:{TOPIC}", org.region(), org.account());
    let sent = org
        .clients()
        .sns
        .publish()
        .topic_arn(topic)
        .message(message)
        .send()
        .await;
    sent.expect("a message on the topic");
}

/// The temporary queues and their subscriptions: queue names and subscription ARNs.
async fn temporary_queues(org: &Organization) -> BTreeSet<String> {
    let queues = org
        .clients()
        .sqs
        .list_queues()
        .queue_name_prefix(TEMPORARY_QUEUE_PREFIX)
        .send()
        .await;
    let queues = queues.expect("queues");
    let mut found: BTreeSet<String> = queues
        .queue_urls()
        .iter()
        .filter_map(|url| url.rsplit('/').next())
        .map(str::to_owned)
        .collect();
    let subscriptions = org.clients().sns.list_subscriptions().send().await;
    for subscription in subscriptions.expect("subscriptions").subscriptions() {
        if subscription
            .endpoint()
            .is_some_and(|endpoint| endpoint.contains(TEMPORARY_QUEUE_PREFIX))
        {
            found.insert(
                subscription
                    .subscription_arn()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    }
    found
}

fn no_queues() -> BTreeSet<String> {
    BTreeSet::new()
}

async fn queue_url(org: &Organization) -> String {
    let found = org
        .clients()
        .sqs
        .get_queue_url()
        .queue_name(QUEUE)
        .send()
        .await;
    found.expect("Heeler's queue").queue_url.unwrap_or_default()
}

/// The number of messages in a queue.
async fn message_count(org: &Organization, url: &str) -> u32 {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let read = org
        .clients()
        .sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(name.clone())
        .send()
        .await;
    let read = read.expect("the queue's attributes");
    let count = read
        .attributes()
        .and_then(|attributes| attributes.get(&name));
    count
        .and_then(|count| count.parse().ok())
        .expect("a number of messages")
}
