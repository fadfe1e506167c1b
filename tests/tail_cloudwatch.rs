//! Tail of option cloudwatch: what Heeler's filter lets pass is read from the log group, which stays as it is.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use serde_json::{Value, json};

use crate::harness::object::event;
use crate::harness::{Call, Engine, Fault, Heeler, Run, What, World};
use crate::steps::{sorted, text};

/// A pipeline on a log group.
async fn set_up() -> World {
    let world = World::on(Engine::Ministack).log_group().build().await;
    crate::steps::setup_of(&world, "cloudwatch")
        .run()
        .await
        .ended(0);
    world
}

fn tail<'a>(world: &'a World, args: &[&str]) -> Heeler<'a> {
    Heeler::new(world).args(["tail"]).args(args)
}

/// A write that the filter lets pass.
fn passing(world: &World) -> Value {
    event(
        world.account(),
        world.region(),
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    )
}

/// CloudTrail delivers these, so long ago.
async fn deliver(world: &World, records: &[Value], ago: Duration) {
    let logs = &world.clients().logs;
    let group = world.log_group().expect("a log group");
    let stream = format!(
        "{}_{}_CloudTrail_{}",
        world.organization(),
        world.account(),
        world.region()
    );
    let made = logs
        .create_log_stream()
        .log_group_name(group)
        .log_stream_name(&stream);
    // It is there already when the world was made with it.
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

/// Both looks that a run took at the log group.
#[track_caller]
fn looks(run: &Run) -> [&Call; 2] {
    let calls = run.calls.iter();
    let looks: Vec<&Call> = calls.filter(|call| looks_at(call)).collect();
    looks.try_into().expect("two looks")
}

fn looks_at(call: &Call) -> bool {
    call.operation == "FilterLogEvents"
}

/// What a tail shows of these.
async fn shown(world: &World, records: &[Value], args: &[&str]) -> Run {
    deliver(world, records, Duration::from_secs(60)).await;
    tail(world, args).run().await
}

#[tokio::test]
async fn records_come_out_as_they_were_delivered_one_a_line() {
    let world = set_up().await;
    let records = [passing(&world), passing(&world)];
    let run = shown(&world, &records, &["-o", "json", "--limit", "2"])
        .await
        .ended(0);
    assert_eq!(
        sorted(run.stdout.lines()),
        sorted(records.iter().map(Value::to_string))
    );
    assert!(run.writes().is_empty(), "{:?}", run.writes());
}

#[tokio::test]
async fn what_the_filter_leaves_out_is_not_shown() {
    let world = set_up().await;
    let mut refused = passing(&world);
    refused["errorCode"] = json!("AccessDenied");
    let read = event(
        world.account(),
        world.region(),
        "s3.amazonaws.com",
        "ListBuckets",
        true,
    );
    let wanted = passing(&world);
    let run = shown(
        &world,
        &[refused, read, wanted.clone()],
        &["-o", "json", "--limit", "1"],
    )
    .await;
    let run = run.ended(0);
    assert_eq!(run.stdout.trim(), wanted.to_string());
    assert!(
        run.stderr
            .contains(" 1 shown + 2 filtered + 0 duplicate + 0 unreadable."),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn an_event_that_is_delivered_twice_is_shown_once() {
    let world = set_up().await;
    let record = passing(&world);
    let run = shown(
        &world,
        &[record.clone(), record, passing(&world)],
        &["--limit", "2"],
    )
    .await;
    let run = run.ended(0);
    assert!(
        run.stderr
            .contains(" 2 shown + 0 filtered + 1 duplicate + "),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn an_event_that_comes_late_is_shown_and_one_that_was_shown_is_not_shown_again() {
    let world = set_up().await;
    deliver(&world, &[passing(&world)], Duration::from_secs(10)).await;
    let running = tail(&world, &["-o", "json", "--limit", "2"]).spawn().await;
    running.warned("Reading log group").await;
    // After the first look, with a time long before what was shown.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let late = passing(&world);
    deliver(
        &world,
        std::slice::from_ref(&late),
        Duration::from_secs(300),
    )
    .await;
    let run = running.wait().await.ended(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.stdout);
    assert_eq!(lines[1], late.to_string());
    assert!(
        run.stderr
            .contains(" 2 shown + 0 filtered + 0 duplicate + "),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn every_page_is_read_and_no_two_calls_are_nearer_than_five_seconds() {
    let world = set_up().await;
    let page = |body: Value| What::Answer {
        status: 200,
        headers: vec![("content-type".into(), "application/x-amz-json-1.1".into())],
        body: body.to_string().into_bytes(),
    };
    let record = passing(&world);
    let first = page(json!({ "events": [], "nextToken": "more" }));
    let second = page(json!({ "events": [{ "eventId": "1", "message": record.to_string() }] }));
    let fault = |what| Fault::new("logs", "FilterLogEvents", what);
    world.proxy().fault(fault(first).times(1));
    world.proxy().fault(fault(second).after(1));
    let run = tail(&world, &["-o", "json", "--limit", "1"])
        .run()
        .await
        .ended(0);
    assert_eq!(run.stdout.trim(), record.to_string());

    let [one, other] = looks(&run);
    let body: Value = serde_json::from_str(&other.text()).expect("a request");
    assert_eq!(body["nextToken"], "more");
    assert!(
        text(&body["filterPattern"]).starts_with("{$.readOnly IS FALSE"),
        "{body}"
    );
    assert!(other.started - one.started >= Duration::from_secs(5));
}

#[tokio::test]
async fn a_busy_log_group_is_asked_less_often_and_nothing_is_lost() {
    let world = set_up().await;
    let busy = What::refuse(400, "ThrottlingException", "Rate exceeded");
    let busy = Fault::new("logs", "FilterLogEvents", busy);
    world.proxy().fault(busy.times(1));
    let record = passing(&world);
    let run = shown(
        &world,
        std::slice::from_ref(&record),
        &["-o", "json", "--limit", "1"],
    )
    .await
    .ended(0);
    assert_eq!(run.stdout.trim(), record.to_string());
    let [one, other] = looks(&run);
    assert!(other.started - one.started >= Duration::from_secs(10));
    let from = |call: &Call| {
        serde_json::from_slice::<Value>(&call.body).expect("JSON")["startTime"].clone()
    };
    assert_eq!(from(one), from(other));
}

#[tokio::test]
async fn what_was_never_answered_is_not_taken_for_silence() {
    let world = set_up().await;
    let busy = What::refuse(400, "ThrottlingException", "Rate exceeded");
    world
        .proxy()
        .fault(Fault::new("logs", "FilterLogEvents", busy));
    let run = tail(&world, &["--timeout", "2s"]).run().await.ended(3);
    assert!(run.stderr.contains("ThrottlingException"), "{}", run.stderr);
    assert!(
        !run.stderr.contains("Nothing has arrived"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn while_nobody_reads_nothing_is_waited_for() {
    let world = set_up().await;
    // Far more than a pipe holds.
    let many = std::iter::repeat_with(|| passing(&world)).take(400);
    deliver(&world, &many.collect::<Vec<_>>(), Duration::from_secs(60)).await;
    let script = r#"{ "$0" "$@"; echo "status $?" >&2; } | { sleep 25; cat; }"#;
    let mut tail = Heeler::new(&world)
        .program(Path::new("/bin/sh"))
        .args(["-c", script, env!("CARGO_BIN_EXE_heeler-ec")])
        .args(["tail", "-o", "json", "--timeout", "18s"])
        .spawn()
        .await;
    // One look is being written, two wait for that, and the next has no room.
    let done = |call: &Call| looks_at(call) && call.finished.is_some();
    while world
        .proxy()
        .calls()
        .iter()
        .filter(|call| done(call))
        .count()
        < 4
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let late = passing(&world);
    deliver(&world, std::slice::from_ref(&late), Duration::from_secs(1)).await;
    tail.line_with(&text(&late["eventID"])).await;
    tail.wait().await;
}

#[tokio::test]
async fn ctrl_c_ends_it_and_leaves_nothing() {
    let world = set_up().await;
    let before = world.leftovers().await;
    let running = tail(&world, &[]).spawn().await;
    running.warned("Reading log group").await;
    running.interrupt();
    let run = running.wait().await.ended(130);
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    assert_eq!(world.leftovers().await, before);
}

#[tokio::test]
async fn when_nothing_arrives_the_answer_is_no() {
    let world = set_up().await;
    let run = tail(&world, &["--timeout", "1s"]).run().await.ended(1);
    assert!(
        run.stderr.contains("preflight --option cloudwatch"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn a_log_group_that_may_not_be_read_is_told_with_the_permission_that_is_missing() {
    let world = set_up().await;
    let refusal = What::refuse(400, "AccessDeniedException", "is not authorized");
    world
        .proxy()
        .fault(Fault::new("logs", "FilterLogEvents", refusal));
    let run = tail(&world, &[]).run().await.ended(3);
    assert!(
        run.stderr.contains("logs:FilterLogEvents"),
        "{}",
        run.stderr
    );
}
