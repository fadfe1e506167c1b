//! tail on a log group: prints the events that match Heeler's filter, and leaves the account unchanged.

use crate::commands::heeler_ec;
use crate::commands::{sorted, text};
use crate::whole_output::assert_stderr;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use serde_json::{Value, json};
use snapbox::str;
use std::time::{Duration, SystemTime};
use testkit::log_file::event;
use testkit::{Call, Engine, Fault, FaultAction, HeelerEc, Organization, Run};

/// An organization with a deployment on a log group.
async fn set_up() -> Organization {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    crate::commands::setup_of(&org, "cloudwatch")
        .run()
        .await
        .expect_status(0);
    org
}

fn tail<'a>(org: &'a Organization, args: &[&str]) -> HeelerEc<'a> {
    heeler_ec(org).args(["tail"]).args(args)
}

/// A write call that matches the filter.
fn matching_record(org: &Organization) -> Value {
    event(
        org.account(),
        org.region(),
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    )
}

/// Delivers records as CloudTrail does, with a time in the past.
async fn deliver(org: &Organization, records: &[Value], ago: Duration) {
    let logs = &org.clients().logs;
    let group = org.log_group().expect("a log group");
    let stream = format!(
        "{}_{}_CloudTrail_{}",
        org.organization_id(),
        org.account(),
        org.region()
    );
    let made = logs
        .create_log_stream()
        .log_group_name(group)
        .log_stream_name(&stream);
    // The log group exists already if the organization was built with it.
    let _ = made.send().await;
    let at = SystemTime::now() - ago;
    let at = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970");
    let at = i64::try_from(at.as_millis()).expect("a time of this age");
    let events = records.iter().map(|record| {
        let event = InputLogEvent::builder()
            .timestamp(at)
            .message(record.to_string());
        event.build().expect("an event")
    });
    let put = logs
        .put_log_events()
        .log_group_name(group)
        .log_stream_name(stream);
    put.set_log_events(Some(events.collect()))
        .send()
        .await
        .expect("events in the log group");
}

/// The first two polls of a run.
#[track_caller]
fn poll_pair(run: &Run) -> [&Call; 2] {
    let calls = run.calls.iter();
    let polls: Vec<&Call> = calls.filter(|call| is_filter_call(call)).collect();
    polls.try_into().expect("two polls")
}

fn is_filter_call(call: &Call) -> bool {
    call.operation == "FilterLogEvents"
}

/// Runs tail on these records.
async fn shown(org: &Organization, records: &[Value], args: &[&str]) -> Run {
    deliver(org, records, Duration::from_secs(60)).await;
    tail(org, args).run().await
}

#[tokio::test]
async fn log_events_are_printed_unchanged() {
    let org = set_up().await;
    let records = [matching_record(&org), matching_record(&org)];
    let run = shown(&org, &records, &["-o", "json", "--limit", "2"])
        .await
        .expect_status(0);
    assert_eq!(
        sorted(run.stdout.lines()),
        sorted(records.iter().map(Value::to_string))
    );
    assert!(run.writes().is_empty(), "{:?}", run.writes());
}

#[tokio::test]
async fn filtered_log_events_are_not_printed() {
    let org = set_up().await;
    let mut denied = matching_record(&org);
    denied["errorCode"] = json!("AccessDenied");
    let read = event(
        org.account(),
        org.region(),
        "s3.amazonaws.com",
        "ListBuckets",
        true,
    );
    let matching = matching_record(&org);
    let run = shown(
        &org,
        &[denied, read, matching.clone()],
        &["-o", "json", "--limit", "1"],
    )
    .await;
    let run = run.expect_status(0);
    assert_eq!(run.stdout.trim(), matching.to_string());
    assert_stderr(
        &org,
        &run,
        str![[r"
Reading log group organization/cloudtrail from ten minutes ago on. Only events that match Heeler's filter are shown. Press Ctrl-C to stop.
Records: 3 (1 shown, 2 filtered).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn event_delivered_twice_is_printed_once() {
    let org = set_up().await;
    let record = matching_record(&org);
    let run = shown(
        &org,
        &[record.clone(), record, matching_record(&org)],
        &["--limit", "2"],
    )
    .await;
    let run = run.expect_status(0);
    assert_stderr(
        &org,
        &run,
        str![[r"
Reading log group organization/cloudtrail from ten minutes ago on. Only events that match Heeler's filter are shown. Press Ctrl-C to stop.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
Records: 3 (2 shown, 1 duplicate).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn late_events_are_printed_once() {
    let org = set_up().await;
    deliver(&org, &[matching_record(&org)], Duration::from_secs(10)).await;
    let mut running = tail(&org, &["-o", "json", "--limit", "2"]).spawn().await;
    // Delivered after the first poll, with a time before the printed event.
    assert!(running.line().await.is_some());
    let late = matching_record(&org);
    deliver(&org, std::slice::from_ref(&late), Duration::from_secs(300)).await;
    let run = running.wait().await.expect_status(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.stdout);
    assert_eq!(lines[1], late.to_string());
    assert_stderr(
        &org,
        &run,
        str![[r"
Reading log group organization/cloudtrail from ten minutes ago on. Only events that match Heeler's filter are shown. Press Ctrl-C to stop.
Records: 2 (2 shown).
Delivery delay: p50 3m, p95 5m, max 5m.

"]],
    );
}

#[tokio::test]
async fn all_pages_of_a_poll_are_read() {
    let org = set_up().await;
    let page = |body: Value| FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
        body: body.to_string().into_bytes(),
    };
    let record = matching_record(&org);
    let first = page(json!({ "events": [], "nextToken": "more" }));
    let second = page(json!({ "events": [{ "eventId": "1", "message": record.to_string() }] }));
    let fault = |what| Fault::new("logs", "FilterLogEvents", what);
    org.proxy().fault(fault(first).times(1));
    org.proxy().fault(fault(second).after(1));
    let run = tail(&org, &["-o", "json", "--limit", "1"])
        .run()
        .await
        .expect_status(0);
    assert_eq!(run.stdout.trim(), record.to_string());

    let [_, other] = poll_pair(&run);
    let body: Value = serde_json::from_str(&other.text()).expect("a request");
    assert_eq!(body["nextToken"], "more");
    assert!(
        text(&body["filterPattern"]).starts_with("{$.readOnly IS FALSE"),
        "{body}"
    );
}

#[tokio::test]
async fn throttled_poll_is_repeated_without_losing_events() {
    let org = set_up().await;
    let busy = FaultAction::refuse(400, "ThrottlingException", "Rate exceeded");
    let busy = Fault::new("logs", "FilterLogEvents", busy);
    org.proxy().fault(busy.times(1));
    let record = matching_record(&org);
    let run = shown(
        &org,
        std::slice::from_ref(&record),
        &["-o", "json", "--limit", "1"],
    )
    .await
    .expect_status(0);
    assert_eq!(run.stdout.trim(), record.to_string());
    let [one, other] = poll_pair(&run);
    let from = |call: &Call| {
        serde_json::from_slice::<Value>(&call.body).expect("JSON")["startTime"].clone()
    };
    assert_eq!(from(one), from(other));
}

#[tokio::test]
async fn unanswered_polls_are_an_error_not_silence() {
    let org = set_up().await;
    let busy = FaultAction::refuse(400, "ThrottlingException", "Rate exceeded");
    org.proxy()
        .fault(Fault::new("logs", "FilterLogEvents", busy));
    let run = tail(&org, &["--timeout", "1s"])
        .run()
        .await
        .expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
Reading log group organization/cloudtrail from ten minutes ago on. Only events that match Heeler's filter are shown. Press Ctrl-C to stop.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
warning: cannot read log group organization/cloudtrail at the moment: Rate exceeded (ThrottlingException, request id 00000000-1111-2222-3333-444444444444)
  hint: the call is repeated for up to 15m (--give-up-after)
error: cannot read log group organization/cloudtrail
  cause: Rate exceeded (ThrottlingException, request id 00000000-1111-2222-3333-444444444444)

"]],
    );
}

#[tokio::test]
async fn ctrl_c_ends_log_group_tail() {
    let org = set_up().await;
    let before = org.leftovers().await;
    let running = tail(&org, &[]).spawn().await;
    running.wait_for_stderr("Reading log group").await;
    running.interrupt();
    let run = running.wait().await.expect_status(130);
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    assert_eq!(org.leftovers().await, before);
}

#[tokio::test]
async fn empty_log_group_exits_with_no() {
    let org = set_up().await;
    let run = tail(&org, &["--timeout", "1s"])
        .run()
        .await
        .expect_status(1);
    assert_stderr(
        &org,
        &run,
        str![[r"
Reading log group organization/cloudtrail from ten minutes ago on. Only events that match Heeler's filter are shown. Press Ctrl-C to stop.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
No events arrived within 1s.
Possible reasons:
  - CloudTrail delivers some minutes late, and Heeler's filter matches only some of the successful write calls
  - a resource of the deployment may have changed; check with:
      heeler-ec plan --check
  - the trail may not log or deliver; check with:
      heeler-ec preflight --option cloudwatch
Records: 0.

"]],
    );
}

#[tokio::test]
async fn denied_log_group_names_the_missing_permission() {
    let org = set_up().await;
    let refusal = FaultAction::refuse(400, "AccessDeniedException", "is not authorized");
    org.proxy()
        .fault(Fault::new("logs", "FilterLogEvents", refusal));
    let run = tail(&org, &[]).run().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
Reading log group organization/cloudtrail from ten minutes ago on. Only events that match Heeler's filter are shown. Press Ctrl-C to stop.
TIME                  LEVEL   ACCOUNT         REGION          SERVICE         EVENT                         ACTOR                             ERROR
error: cannot read log group organization/cloudtrail
  cause: is not authorized (AccessDeniedException, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant logs:FilterLogEvents to the caller

"]],
    );
}
