//! The Lambda function, run by AWS's own runtime client on every installed Python version that Lambda supports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heeler_ec::cloudtrail::log_file::collect_records;
use heeler_ec::option::cloudwatch::function;
use serde_json::{Value, json};

use testkit::clients::credentials;
use testkit::{
    Clients, Emulator, Engine, Fault, FaultAction, Invocation, LambdaFunction, Proxy,
    VIRTUAL_MILLISECONDS, log_file, organization, samples,
};

const REGION: &str = "us-east-1";
/// The message size limit of the queue and of the function.
const MAX_BYTES: usize = 262_144;
/// A timeout that no invocation on a real clock reaches.
const AMPLE_TIME: Duration = Duration::from_secs(300);

/// The function and its queue, with a proxy between them.
struct Fixture {
    function: LambdaFunction,
    proxy: Proxy,
    clients: Clients,
    queue: String,
}

/// The clock of the function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    Real,
    Virtual,
}

impl Fixture {
    /// Starts the function on a virtual clock with the preferred Python version; `None` if no supported version is
    /// installed.
    async fn new() -> Option<Fixture> {
        let python = LambdaFunction::pythons().into_iter().next()?;
        Some(Fixture::with(&python, MAX_BYTES, Clock::Virtual).await)
    }

    /// Uses this interpreter and a queue with this message size limit. The function always assumes 262144.
    async fn with(python: &PathBuf, max_bytes: usize, clock: Clock) -> Fixture {
        let emulator = Emulator::shared(Engine::Ministack);
        let proxy = Proxy::start(emulator.address());
        let account = organization::unused_account();
        let clients = Clients::new(&emulator.url(), credentials(&account, "test", None), REGION);
        let queue = clients
            .sqs
            .create_queue()
            .queue_name("records.fifo")
            .attributes(QueueAttributeName::FifoQueue, "true")
            .attributes(QueueAttributeName::ContentBasedDeduplication, "true")
            .attributes(
                QueueAttributeName::MaximumMessageSize,
                max_bytes.to_string(),
            )
            .send()
            .await
            .expect("a queue");
        let queue = queue.queue_url().expect("the URL of a queue").to_owned();
        let env = [
            (function::QUEUE_URL, queue.clone()),
            (function::MAX_MESSAGE_BYTES, MAX_BYTES.to_string()),
            ("AWS_ENDPOINT_URL", proxy.url()),
            // Lambda sets AWS_REGION as well; boto3 reads this variable.
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", account),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ];
        let env: BTreeMap<String, String> =
            env.map(|(name, value)| (name.to_owned(), value)).into();
        let (code, handler) = (function::code(), function::HANDLER);
        let function = match clock {
            Clock::Real => LambdaFunction::start(python, &code, handler, &env).await,
            Clock::Virtual => {
                LambdaFunction::start_on_virtual_clock(python, &code, handler, &env).await
            }
        };
        Fixture {
            function,
            proxy,
            clients,
            queue,
        }
    }

    async fn deliver(&mut self, messages: &[String]) -> Invocation {
        self.function.invoke(&delivery(messages)).await
    }

    /// Injects a fault into the next `times` calls.
    fn inject(&self, action: FaultAction, times: usize) {
        self.inject_after(0, action, times);
    }

    /// Sets the virtual duration of the next `times` calls.
    fn slow_down(&self, milliseconds: &str, times: usize) {
        let duration = FaultAction::set_header(VIRTUAL_MILLISECONDS, Some(milliseconds));
        self.inject(duration, times);
    }

    /// Injects a fault into `times` calls after the first `after` calls.
    fn inject_after(&self, after: usize, action: FaultAction, times: usize) {
        let fault = Fault::new("sqs", "SendMessageBatch", action);
        self.proxy.fault(fault.after(after).times(times));
    }

    /// The entries of each call.
    fn batches(&self) -> Vec<Vec<SentEntry>> {
        let calls = self.proxy.calls();
        calls
            .iter()
            .map(|call| {
                assert_eq!(call.name(), "sqs:SendMessageBatch");
                let body: Value = serde_json::from_slice(&call.body).expect("a call of JSON");
                let entries = body["Entries"].as_array().expect("entries").clone();
                entries.iter().map(SentEntry::parse).collect()
            })
            .collect()
    }

    fn sent_entries(&self) -> Vec<SentEntry> {
        self.batches().into_iter().flatten().collect()
    }

    /// Receives and deletes every message of the queue; returns the sorted bodies.
    async fn queued(&self) -> Vec<String> {
        let sqs = &self.clients.sqs;
        let mut found = Vec::new();
        loop {
            let received = sqs
                .receive_message()
                .queue_url(&self.queue)
                .max_number_of_messages(10)
                .send()
                .await
                .expect("messages");
            if received.messages().is_empty() {
                found.sort();
                return found;
            }
            let mut delete = sqs.delete_message_batch().queue_url(&self.queue);
            for (number, message) in received.messages().iter().enumerate() {
                found.push(message.body().expect("a body").to_owned());
                let handle = message.receipt_handle().expect("a handle");
                let entry = DeleteMessageBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(handle);
                delete = delete.entries(entry.build().expect("an entry"));
            }
            delete.send().await.expect("messages deleted");
        }
    }
}

/// An entry of a `SendMessageBatch` call.
#[derive(Clone, Debug)]
struct SentEntry {
    body: String,
    group: String,
}

impl SentEntry {
    fn parse(entry: &Value) -> SentEntry {
        let text = |name: &str| entry[name].as_str().expect("text").to_owned();
        SentEntry {
            body: text("MessageBody"),
            group: text("MessageGroupId"),
        }
    }
}

/// An event with which `CloudWatch` Logs invokes the function.
fn delivery(messages: &[String]) -> Value {
    let events: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(number, message)| json!({"id": log_id(number), "timestamp": 0, "message": message}))
        .collect();
    invocation_event(&json!({
        "messageType": "DATA_MESSAGE",
        "owner": "111111111111",
        "logGroup": "organization/cloudtrail",
        "logStream": "o-exampleorg_111111111111_CloudTrail_us-east-1",
        "subscriptionFilters": ["heeler"],
        "logEvents": events,
    }))
}

/// Encodes a payload as `CloudWatch` Logs does.
fn invocation_event(payload: &Value) -> Value {
    let compressed = log_file::gzip(payload.to_string().as_bytes()).expect("gzip into memory");
    json!({"awslogs": {"data": STANDARD.encode(compressed)}})
}

/// The ID of the log event with this number.
fn log_id(number: usize) -> String {
    format!("{number:056}")
}

/// The text of a unique record of a write event.
fn record() -> String {
    record_with(&Value::Null)
}

fn record_with(parameters: &Value) -> String {
    let mut event = log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false);
    event["requestParameters"] = parameters.clone();
    event.to_string()
}

fn records(count: usize) -> Vec<String> {
    (0..count).map(|_| record()).collect()
}

fn sorted(messages: &[String]) -> Vec<String> {
    let mut messages = messages.to_vec();
    messages.sort();
    messages
}

fn event_id(record: &str) -> Value {
    let record: Value = serde_json::from_str(record).expect("a record");
    record["eventID"].clone()
}

#[track_caller]
fn assert_counts(invocation: &Invocation, expected: &[(&str, usize)]) {
    let report = invocation.report();
    for name in [
        "received",
        "skipped",
        "repeated",
        "unreadable",
        "cut",
        "sent",
        "failed",
    ] {
        let expected = expected.iter().find(|(named, _)| *named == name);
        let expected = expected.map_or(0, |(_, count)| *count);
        assert_eq!(report[name], expected, "{name} of {report}");
    }
    assert!(report["milliseconds"].is_u64(), "{report}");
    assert_eq!(
        invocation.outcome.is_err(),
        report["failed"] != 0,
        "an invocation fails if a record is not in the queue: {invocation:?}"
    );
}

#[tokio::test]
async fn every_supported_python_version_runs_the_function() {
    for python in LambdaFunction::pythons() {
        let mut fixture = Fixture::with(&python, MAX_BYTES, Clock::Real).await;
        let messages = records(25);
        let event = delivery(&messages);
        let invocation = fixture.function.invoke_within(&event, AMPLE_TIME).await;
        assert_counts(&invocation, &[("received", 25), ("sent", 25)]);
        assert_eq!(invocation.outcome.expect("a response"), Value::Null);
        assert_eq!(fixture.queued().await, sorted(&messages));
    }
}

#[tokio::test]
async fn message_body_is_the_unchanged_record_text() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let parsed_would_differ = [
        r#"{ "eventID" : "1",  "n": 1.10, "n": 1e3 , "a": "\u00e4ä" }"#,
        "{\"eventID\":\"2\",\r\n\t\"big\":123456789012345678901234567890}",
        "{\"eventID\":\"3\",\"text\":\"\u{1f600} \u{7f} \\u0001 \\ud800\"}",
    ]
    .map(str::to_owned);
    let invocation = fixture.deliver(&parsed_would_differ).await;
    assert_counts(&invocation, &[("received", 3), ("sent", 3)]);
    assert_eq!(fixture.queued().await, sorted(&parsed_would_differ));
}

#[tokio::test]
async fn characters_rejected_by_sqs_are_escaped() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let messages = [
        "{\"eventID\":\"1\",\"text\":\"\u{ffff}\"}".to_owned(),
        "no JSON \u{1}".to_owned(),
    ];
    let invocation = fixture.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[("received", 2), ("sent", 2), ("unreadable", 1)],
    );
    assert_eq!(
        fixture.queued().await,
        [
            "no JSON \\u0001",
            "{\"eventID\":\"1\",\"text\":\"\\uffff\"}"
        ]
    );
}

#[tokio::test]
async fn control_messages_are_skipped() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let control = invocation_event(&json!({
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{
            "id": "",
            "timestamp": 0,
            "message": "CWL CONTROL MESSAGE: Checking health of destination Firehose.",
        }],
    }));
    let invocation = fixture.function.invoke(&control).await;
    assert_counts(&invocation, &[("skipped", 1)]);
    assert!(fixture.proxy.calls().is_empty());
}

#[tokio::test]
async fn invalid_events_fail_with_one_log_line() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    for event in [json!({}), json!({"awslogs": {"data": "bm8gZ3ppcA=="}})] {
        let invocation = fixture.function.invoke(&event).await;
        assert_eq!(invocation.report()["received"], 0);
        invocation.outcome.expect_err("a failed invocation");
    }
}

#[tokio::test]
async fn batches_have_ten_messages() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    fixture.deliver(&records(95)).await;
    let sizes: Vec<usize> = fixture.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
}

#[tokio::test]
async fn batches_stay_below_the_message_size_limit() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let messages: Vec<String> = (0..7)
        // Characters of two bytes, so that the test notices if characters are counted instead of bytes.
        .map(|_| record_with(&json!("ä".repeat(50_000))))
        .collect();
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 7), ("sent", 7)]);
    let sizes: Vec<usize> = fixture.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 2, 1]);
}

#[tokio::test]
async fn record_at_the_size_limit_is_not_cut() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let rest = record_with(&json!("")).len();
    let fits = record_with(&json!("x".repeat(MAX_BYTES - rest)));
    let one_more = record_with(&json!("x".repeat(MAX_BYTES - rest + 1)));
    assert_eq!((fits.len(), one_more.len()), (MAX_BYTES, MAX_BYTES + 1));
    let invocation = fixture.deliver(&[fits.clone(), one_more.clone()]).await;
    assert_counts(&invocation, &[("received", 2), ("cut", 1), ("sent", 2)]);
    assert_eq!(
        invocation.report()["events"]["cut"],
        json!([event_id(&one_more)])
    );
    assert!(fixture.queued().await.contains(&fits));
}

#[tokio::test]
async fn oversized_record_loses_its_largest_members() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let mut whole = log_file::event("111111111111", REGION, "ec2.amazonaws.com", "Run", false);
    whole["requestParameters"] = json!({"name": "kept"});
    whole["responseElements"] = json!(["x".repeat(200_000)]);
    whole["additionalEventData"] = json!({"text": "y".repeat(150_000)});
    whole["serviceEventDetails"] = json!({"text": "z".repeat(140_000)});
    let invocation = fixture.deliver(&[whole.to_string()]).await;
    assert_counts(&invocation, &[("received", 1), ("cut", 1), ("sent", 1)]);

    let mut expected = whole.clone();
    expected["responseElements"] = Value::Null;
    expected["additionalEventData"] = Value::Null;
    expected["heelerEcCut"] = json!(["responseElements", "additionalEventData"]);
    let queued = fixture.queued().await;
    let sent: Value = serde_json::from_str(&queued[0]).expect("a record");
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn cut_record_keeps_the_remaining_text() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    // Characters of three bytes, six if escaped; numbers that no float can represent.
    let text = "\u{4e2d}".repeat(60_000);
    let record = |parameters: &str, end: &str| {
        format!(
            "{{ \"eventID\" : \"1\", \"userAgent\":\"{text}\",\n \"n\": [1e400, 1.10, 12345678901234567890123],\
             \"requestParameters\" : {parameters}, \"quote\":\"\\u00e4 \\\"}}\"{end} }}"
        )
    };
    let filler = format!("{{\"a\": [\"{}\"]}}", "x".repeat(150_000));
    let invocation = fixture.deliver(&[record(&filler, "")]).await;
    assert_counts(&invocation, &[("received", 1), ("cut", 1), ("sent", 1)]);
    let marked = ",\"heelerEcCut\":[\"requestParameters\"]}";
    let expected = record("null", " ").replace("\"  }", &format!("\" {marked}"));
    assert_eq!(fixture.queued().await, [expected]);
}

#[tokio::test]
async fn resources_member_can_be_cut() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let mut large = log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false);
    large["resources"] = json!([{"ARN": "x".repeat(MAX_BYTES)}]);
    let invocation = fixture.deliver(&[large.to_string()]).await;
    assert_counts(&invocation, &[("received", 1), ("cut", 1), ("sent", 1)]);
}

#[tokio::test]
async fn uncuttable_record_fails_without_affecting_others() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let mut large = log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false);
    large["userIdentity"]["userName"] = json!("x".repeat(MAX_BYTES));
    large["requestParameters"] = json!("y".repeat(1000));
    let good = records(3);
    let mut messages = good.clone();
    messages.insert(1, large.to_string());
    messages.insert(3, "no JSON ".repeat(40_000));
    let invocation = fixture.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[
            ("received", 5),
            ("unreadable", 1),
            ("sent", 3),
            ("failed", 2),
        ],
    );
    assert_eq!(
        invocation.report()["events"]["failed"],
        json!([large["eventID"], log_id(3)])
    );
    assert_eq!(fixture.queued().await, sorted(&good));
}

#[tokio::test]
async fn unreadable_records_are_sent_unchanged() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let mut messages: Vec<String> = [
        "no JSON",
        "[1,2]",
        "\"text\"",
        "null",
        "{\"eventID\":",
        "{\"recipientAccountId\":7,\"awsRegion\":[\"x\"],\"eventID\":{}}",
        "{\"recipientAccountId\":\"a b\",\"awsRegion\":\"\u{e4}\"}",
    ]
    .map(str::to_owned)
    .into();
    messages.push("[".repeat(100_000));
    messages.push(format!("{{\"n\":{}}}", "9".repeat(5000)));
    messages.push(format!("{{\"awsRegion\":\"{}\"}}", "x".repeat(200)));
    let invocation = fixture.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[("received", 10), ("unreadable", 6), ("sent", 10)],
    );
    assert!(
        fixture
            .sent_entries()
            .iter()
            .all(|entry| entry.group == "unknown.unknown")
    );
    assert_eq!(fixture.queued().await, sorted(&messages));
}

/// `CloudWatch` Logs does not send such log events. If it did, the others would still arrive.
#[tokio::test]
async fn malformed_log_events_do_not_affect_others() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let good = record();
    let event = invocation_event(&json!({
        "messageType": "DATA_MESSAGE",
        "logEvents": [
            {"id": log_id(0), "timestamp": 0, "message": null},
            {"id": log_id(1), "timestamp": 0, "message": {"eventID": "7"}},
            {"timestamp": 0, "message": good},
            {"timestamp": 0, "message": "no id"},
            "no log event",
        ],
    }));
    let invocation = fixture.function.invoke(&event).await;
    assert_counts(
        &invocation,
        &[
            ("received", 5),
            ("repeated", 1),
            ("unreadable", 3),
            ("sent", 4),
        ],
    );
    let expected = [&good, "no id", "null", "{\"eventID\": \"7\"}"].map(str::to_owned);
    assert_eq!(fixture.queued().await, sorted(&expected));
}

#[tokio::test]
async fn message_group_is_account_and_region() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let sources = [
        ("111111111111", "us-east-1"),
        ("111111111111", "eu-west-1"),
        ("222222222222", "us-gov-west-1"),
    ];
    let messages: Vec<String> = sources
        .iter()
        .map(|(account, region)| {
            log_file::event(account, region, "s3.amazonaws.com", "Put", false).to_string()
        })
        .collect();
    fixture.deliver(&messages).await;
    let groups: BTreeMap<String, String> = fixture
        .sent_entries()
        .into_iter()
        .map(|sent| (sent.body, sent.group))
        .collect();
    for (message, (account, region)) in messages.iter().zip(sources) {
        assert_eq!(groups[message], format!("{account}.{region}"));
    }
}

#[tokio::test]
async fn repeated_delivery_is_deduplicated_by_the_queue() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let mut messages = records(12);
    messages.push(record_with(&json!("x".repeat(MAX_BYTES))));
    for _ in 0..2 {
        let invocation = fixture.deliver(&messages).await;
        assert_counts(&invocation, &[("received", 13), ("cut", 1), ("sent", 13)]);
    }
    assert_eq!(fixture.queued().await.len(), 13);
}

#[tokio::test]
async fn repeated_record_in_a_delivery_is_sent_once() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let messages = records(2);
    let twice = [&messages[..], &messages[..1]].concat();
    let invocation = fixture.deliver(&twice).await;
    assert_counts(
        &invocation,
        &[("received", 3), ("repeated", 1), ("sent", 2)],
    );
    assert_eq!(fixture.sent_entries().len(), 2);
}

/// Changes a response so that it reports the entries with these numbers as refused.
fn refuse_entries(numbers: &'static [&str], code: &'static str, sender: bool) -> FaultAction {
    FaultAction::edit_json(move |answer| {
        let accepted = answer["Successful"].as_array().expect("entries").clone();
        let (refused, accepted): (Vec<Value>, Vec<Value>) = accepted
            .into_iter()
            .partition(|entry| numbers.iter().any(|number| entry["Id"] == *number));
        answer["Successful"] = accepted.into();
        answer["Failed"] = refused
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "Code": code, "SenderFault": sender}))
            .collect();
    })
}

#[tokio::test]
async fn only_refused_entries_are_sent_again() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    fixture.inject(refuse_entries(&["2", "7"], "InternalError", false), 1);
    // In the second call, the eleventh message comes first, then the two refused ones.
    fixture.inject_after(1, refuse_entries(&["1"], "ThrottlingException", true), 1);
    let messages = records(11);
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 11), ("sent", 11)]);
    assert_eq!(
        invocation.report()["refusals"],
        json!({"InternalError": 2, "ThrottlingException": 1})
    );
    let bodies: Vec<Vec<String>> = fixture
        .batches()
        .into_iter()
        .map(|batch| batch.into_iter().map(|entry| entry.body).collect())
        .collect();
    let first: BTreeSet<&String> = bodies[0].iter().collect();
    assert_eq!((first.len(), bodies[1].len()), (10, 3));
    assert!(
        !first.contains(&bodies[1][0]),
        "the message that was not sent yet comes first"
    );
    assert_eq!(
        bodies[1][1..],
        [&bodies[0][2], &bodies[0][7]].map(Clone::clone)
    );
    assert_eq!(bodies[2], [bodies[1][1].clone()]);
    assert_eq!(fixture.queued().await, sorted(&messages));
}

#[tokio::test]
async fn throttling_and_lost_responses_are_retried() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let throttled = FaultAction::refuse(400, "RequestThrottled", "Rate exceeded");
    fixture.inject(throttled, 3);
    fixture.inject_after(3, FaultAction::DropResponse, 1);
    let messages = records(15);
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 15), ("sent", 15)]);
    assert_eq!(fixture.queued().await, sorted(&messages));
}

#[tokio::test]
async fn persistent_error_fails_after_five_calls() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let denied = FaultAction::refuse(403, "AccessDenied", "User: x is not authorized: PRIVATE");
    fixture.inject(denied, usize::MAX);
    let messages = records(30);
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 30), ("failed", 30)]);
    assert_eq!(fixture.proxy.calls().len(), 5);
    let error = invocation.outcome.expect_err("a failed invocation");
    assert_eq!(error["errorType"], "RuntimeError");
    assert_eq!(
        error["errorMessage"],
        "30 of 30 records are not in the queue"
    );

    // Lambda repeats the invocation.
    fixture.proxy.clear_faults();
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 30), ("sent", 30)]);
    assert!(!fixture.function.log().contains("PRIVATE"));
}

#[tokio::test]
async fn persistently_refused_message_fails_alone() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    fixture.inject(refuse_entries(&["0"], "InternalError", false), usize::MAX);
    let messages = records(4);
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 4), ("sent", 3), ("failed", 1)]);
    let failed = &invocation.report()["events"]["failed"][0];
    assert!(messages.iter().any(|message| event_id(message) == *failed));
}

/// An entry that the response does not mention is not confirmed.
#[tokio::test]
async fn unconfirmed_entries_are_sent_again() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let omits_one = FaultAction::edit_json(|answer| {
        answer["Successful"].as_array_mut().expect("entries").pop();
    });
    fixture.inject(omits_one, 1);
    let messages = records(3);
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 3), ("sent", 3)]);
    assert_eq!(invocation.report()["refusals"], json!({"NotInResponse": 1}));
    let sizes: Vec<usize> = fixture.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1]);
}

/// Lambda invokes the function up to three times, with the same records each time.
#[tokio::test]
async fn repeated_invocations_send_a_large_delivery() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    fixture.slow_down("200", usize::MAX);
    let messages = records(60);
    let event = delivery(&messages);
    let mut missing: BTreeSet<String> = messages
        .iter()
        .map(|text| event_id(text).to_string())
        .collect();
    let mut missing_counts = Vec::new();
    while !missing.is_empty() && missing_counts.len() < 40 {
        let short = Duration::from_millis(1_900);
        let invocation = fixture.function.invoke_within(&event, short).await;
        // The fifth of six calls is interrupted.
        assert_counts(
            &invocation,
            &[("received", 60), ("sent", 40), ("failed", 20)],
        );
        let report = invocation.report();
        assert_eq!(report["milliseconds"], 900);
        let failed = report["events"]["failed"].as_array().expect("ids");
        let failed: BTreeSet<String> = failed.iter().map(Value::to_string).collect();
        missing = missing.intersection(&failed).cloned().collect();
        missing_counts.push(missing.len());
    }
    assert!(missing.is_empty(), "{missing_counts:?}");
}

#[tokio::test]
async fn late_throttling_is_retried() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    fixture.slow_down("1500", 3);
    let throttled = FaultAction::refuse(400, "RequestThrottled", "Rate exceeded");
    fixture.inject_after(3, throttled, 2);
    let messages = records(80);
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 80), ("sent", 80)]);
    assert_eq!(
        invocation.report()["refusals"],
        json!({"RequestThrottled": 10})
    );
}

/// A response that does not arrive before any timeout.
fn endless_response() -> FaultAction {
    FaultAction::Respond {
        status: 200,
        headers: vec![(VIRTUAL_MILLISECONDS.to_owned(), "1000000".to_owned())],
        body: Vec::new(),
    }
}

#[tokio::test]
async fn hanging_call_is_reported_before_the_time_limit() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    fixture.inject(endless_response(), usize::MAX);
    let event = delivery(&records(1));
    let short = Duration::from_millis(2_500);
    let invocation = fixture.function.invoke_within(&event, short).await;
    assert_counts(&invocation, &[("received", 1), ("failed", 1)]);
    let report = invocation.report();
    assert_eq!(report["milliseconds"], 1_500, "{report}");
    assert_eq!(report["refusals"], json!({"TimeLimitReached": 1}));
}

/// The timer of a real clock interrupts a real call.
#[tokio::test]
async fn function_continues_after_an_interrupted_call() {
    let Some(python) = LambdaFunction::pythons().into_iter().next() else {
        return;
    };
    let mut fixture = Fixture::with(&python, MAX_BYTES, Clock::Real).await;
    fixture.inject(FaultAction::NeverRespond, usize::MAX);
    let event = delivery(&records(1));
    let short = Duration::from_millis(1_500);
    let invocation = fixture.function.invoke_within(&event, short).await;
    assert_counts(&invocation, &[("received", 1), ("failed", 1)]);
    assert_eq!(invocation.report()["refusals"]["TimeLimitReached"], 1);
    // The same function instance handles the next invocation.
    fixture.proxy.clear_faults();
    let event = delivery(&records(2));
    let invocation = fixture.function.invoke_within(&event, AMPLE_TIME).await;
    assert_counts(&invocation, &[("received", 2), ("sent", 2)]);
}

#[tokio::test]
async fn hanging_calls_end_before_lambda_stops_the_function() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    fixture.inject(endless_response(), usize::MAX);
    let invocation = fixture.deliver(&records(1)).await;
    assert_counts(&invocation, &[("received", 1), ("failed", 1)]);
    let report = invocation.report();
    assert_eq!(report["milliseconds"], 9_000, "{report}");
    assert_eq!(report["refusals"]["TimeLimitReached"], 1, "{report}");
    // An attempt ends after two seconds, and the SDK makes two with a random pause.
    let timeouts = report["refusals"]["ReadTimeoutError"].as_u64();
    assert!(matches!(timeouts, Some(1 | 2)), "{report}");
}

#[tokio::test]
async fn no_call_starts_after_the_time_limit() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let event = delivery(&records(1));
    let short = Duration::from_millis(900);
    let invocation = fixture.function.invoke_within(&event, short).await;
    assert_counts(&invocation, &[("received", 1), ("failed", 1)]);
    assert!(fixture.proxy.calls().is_empty());
}

/// The queue has a smaller limit than the function assumes.
#[tokio::test]
async fn record_rejected_as_too_long_is_cut() {
    let Some(python) = LambdaFunction::pythons().into_iter().next() else {
        return;
    };
    let mut fixture = Fixture::with(&python, 2_000, Clock::Virtual).await;
    let cuttable = record_with(&json!("x".repeat(2_000)));
    let mut uncuttable = log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false);
    uncuttable["userAgent"] = json!("x".repeat(2_000));
    let messages = [record(), cuttable.clone(), uncuttable.to_string(), record()];
    let invocation = fixture.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[("received", 4), ("cut", 1), ("sent", 3), ("failed", 1)],
    );
    let events = &invocation.report()["events"];
    assert_eq!(events["cut"], json!([event_id(&cuttable)]));
    assert_eq!(events["failed"], json!([uncuttable["eventID"]]));
    assert_eq!(
        fixture.batches().len(),
        2,
        "one complete batch, one with the cut record"
    );
    let queued = fixture.queued().await;
    let marked = queued
        .iter()
        .filter(|body| body.contains(r#""heelerEcCut":["requestParameters"]"#));
    assert_eq!((queued.len(), marked.count()), (3, 1));
}

#[tokio::test]
async fn canaries_are_logged_with_message_ids() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let name = "heeler-ec-canary-20260102T030405-0123abcd";
    let mut canary: Value = serde_json::from_str(&record()).expect("a record");
    canary["userAgent"] = json!(format!("aws-sdk-rust/1.3.8 app/{name}"));
    let mut other = canary.clone();
    other["userAgent"] = json!("heeler-ec-canary-20260102T030405-0123abcX");
    let messages = [record(), canary.to_string(), other.to_string()];
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 3), ("sent", 3)]);
    let canaries = &invocation.report()["canaries"];
    assert_eq!(
        canaries.as_object().map(serde_json::Map::len),
        Some(1),
        "{canaries}"
    );
    assert!(canaries[name].is_string(), "{canaries}");
    let without = fixture.deliver(&[record()]).await;
    assert_eq!(without.report().get("canaries"), None);
}

#[tokio::test]
async fn refused_batch_is_sent_one_by_one() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let refused = FaultAction::refuse(
        400,
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "too long",
    );
    fixture.inject(refused, 1);
    let messages = records(10);
    let invocation = fixture.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 10), ("sent", 10)]);
    let sizes: Vec<usize> = fixture.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(fixture.queued().await, sorted(&messages));
}

/// The name of the service before the code says nothing about the error.
#[tokio::test]
async fn permanent_errors_of_batches_are_not_retried() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    for (code, sizes) in [
        (
            "AWS.SimpleQueueService.UnsupportedOperation",
            &[2, 1, 1][..],
        ),
        // A new queue is not known to each server of SQS yet.
        ("AWS.SimpleQueueService.NonExistentQueue", &[2; 5]),
    ] {
        fixture.proxy.clear();
        fixture.proxy.clear_faults();
        fixture.inject(FaultAction::refuse(400, code, "refused"), usize::MAX);
        let invocation = fixture.deliver(&records(2)).await;
        assert_counts(&invocation, &[("received", 2), ("failed", 2)]);
        let sent: Vec<usize> = fixture.batches().iter().map(Vec::len).collect();
        assert_eq!(sent, sizes, "{code}");
    }
}

/// The error code is not in the function's lists, so that it cannot know whether a message is at fault.
#[tokio::test]
async fn messages_that_break_batches_do_not_affect_others() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let refused = FaultAction::refuse(400, "MissingParameter", "The request must contain");
    let refused = Fault::new("sqs", "SendMessageBatch", refused);
    fixture.proxy.fault(refused.with_body_containing("strange"));
    let strange = || record_with(&json!("strange"));
    let mut messages = records(90);
    messages.extend(std::iter::repeat_with(strange).take(10));
    let invocation = fixture.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[("received", 100), ("sent", 90), ("failed", 10)],
    );
    assert_eq!(fixture.queued().await, sorted(&messages[..90]));
}

/// The queue's key is at fault, and every message needs it.
#[tokio::test]
async fn service_error_ends_the_invocation_early() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let refused = FaultAction::refuse(400, "KMS.DisabledException", "The key is disabled");
    fixture.inject(refused, usize::MAX);
    let invocation = fixture.deliver(&records(100)).await;
    assert_counts(&invocation, &[("received", 100), ("failed", 100)]);
    // The SDK makes each call up to two times.
    assert!(fixture.batches().len() <= 10, "{}", fixture.batches().len());
}

#[tokio::test]
async fn log_has_no_record_content() {
    let Some(mut fixture) = Fixture::new().await else {
        return;
    };
    let secret = "s3cret";
    let stray = refuse_entries(&["0"], "InvalidMessageContents", true);
    fixture.inject(stray, 2);
    let messages = [
        record_with(&json!(secret)),
        record_with(&json!(secret.repeat(50_000))),
        format!("no JSON {secret}"),
        secret.repeat(50_000),
        format!("{{\"eventID\":\"not an id {secret}\",\"recipientAccountId\":\"{secret}"),
    ];
    let invocation = fixture.deliver(&messages).await;
    assert_eq!(invocation.report()["failed"], 2);
    fixture
        .function
        .invoke(&invocation_event(&json!({secret: secret})))
        .await;
    let log = fixture.function.log();
    assert!(!log.contains(secret), "{log}");
}

#[tokio::test]
async fn real_records_are_delivered_in_few_calls() {
    let (Some(folder), Some(mut fixture)) = (samples::real_logs(), Fixture::new().await) else {
        return;
    };
    let mut groups = BTreeSet::new();
    let mut all = Vec::new();
    for (key, bytes) in samples::log_files_below(&folder) {
        let read =
            collect_records(&bytes, 64 * 1024 * 1024).unwrap_or_else(|why| panic!("{key}: {why}"));
        let messages = read;
        let invocation = fixture.deliver(&messages).await;
        let count = messages.len();
        assert_counts(&invocation, &[("received", count), ("sent", count)]);
        all.extend(messages);
    }
    let singles = samples::real_events(&folder);
    fixture.deliver(&singles).await;
    all.extend(singles);
    let batches = fixture.batches();
    let mut sent = Vec::new();
    for entry in batches.iter().flatten() {
        sent.push(entry.body.clone());
        groups.insert(entry.group.clone());
    }
    assert_eq!(all.len(), 2915);
    assert_eq!(sorted(&sent), sorted(&all));
    assert!(8 * batches.len() <= all.len(), "{} calls", batches.len());
    assert!(groups.contains("111111111111.eu-central-1"), "{groups:?}");
}
