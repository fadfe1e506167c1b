//! The function between the log group and the queue, run by Lambda's own runtime client on every Python that is here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heeler_ec::cloudtrail::log_file::collect_records;
use heeler_ec::option::function;
use serde_json::{Value, json};

use testkit::clients::credentials;
use testkit::{
    Clients, Emulator, Engine, Fault, FaultAction, Invocation, LambdaFunction, Proxy, log_file,
    organization, samples,
};

const REGION: &str = "us-east-1";
/// What the queue is made with, and the function told of.
const MAX_BYTES: usize = 262_144;

/// A queue, the function before it, and between the two a proxy.
struct Stage {
    function: LambdaFunction,
    proxy: Proxy,
    clients: Clients,
    queue: String,
}

impl Stage {
    /// Nothing when no Python of Lambda's is here.
    async fn new() -> Option<Stage> {
        let python = LambdaFunction::pythons().into_iter().next()?;
        Some(Stage::with(&python, MAX_BYTES).await)
    }

    /// With this interpreter, and a queue that takes messages of so many bytes. The function is always told 262144.
    async fn with(python: &PathBuf, max_bytes: usize) -> Stage {
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
            // Lambda sets both; boto3 reads this one.
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", account),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ];
        let env: BTreeMap<String, String> =
            env.map(|(name, value)| (name.to_owned(), value)).into();
        Stage {
            function: LambdaFunction::start(python, &function::code(), function::HANDLER, &env)
                .await,
            proxy,
            clients,
            queue,
        }
    }

    async fn deliver(&mut self, messages: &[String]) -> Invocation {
        self.function.invoke(&delivery(messages)).await
    }

    /// Does this to the next calls, so many of them.
    fn strike(&self, what: FaultAction, times: usize) {
        self.strike_after(0, what, times);
    }

    /// The same, once so many calls have gone through.
    fn strike_after(&self, after: usize, what: FaultAction, times: usize) {
        let fault = Fault::new("sqs", "SendMessageBatch", what);
        self.proxy.fault(fault.after(after).times(times));
    }

    /// What each call carried.
    fn batches(&self) -> Vec<Vec<Entry>> {
        let calls = self.proxy.calls();
        calls
            .iter()
            .map(|call| {
                assert_eq!(call.name(), "sqs:SendMessageBatch");
                let body: Value = serde_json::from_slice(&call.body).expect("a call of JSON");
                let entries = body["Entries"].as_array().expect("entries").clone();
                entries.iter().map(Entry::read).collect()
            })
            .collect()
    }

    fn sendings(&self) -> Vec<Entry> {
        self.batches().into_iter().flatten().collect()
    }

    /// Everything in the queue, sorted.
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

/// One message of a call.
#[derive(Clone, Debug)]
struct Entry {
    body: String,
    group: String,
}

impl Entry {
    fn read(entry: &Value) -> Entry {
        let text = |name: &str| entry[name].as_str().expect("text").to_owned();
        Entry {
            body: text("MessageBody"),
            group: text("MessageGroupId"),
        }
    }
}

/// What `CloudWatch` Logs invokes the function with.
fn delivery(messages: &[String]) -> Value {
    let events: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(number, message)| json!({"id": log_id(number), "timestamp": 0, "message": message}))
        .collect();
    handed_over(&json!({
        "messageType": "DATA_MESSAGE",
        "owner": "111111111111",
        "logGroup": "organization/cloudtrail",
        "logStream": "o-exampleorg_111111111111_CloudTrail_us-east-1",
        "subscriptionFilters": ["heeler"],
        "logEvents": events,
    }))
}

/// The payload, packed as `CloudWatch` Logs does.
fn handed_over(payload: &Value) -> Value {
    let packed = log_file::gzip(payload.to_string().as_bytes()).expect("gzip into memory");
    json!({"awslogs": {"data": STANDARD.encode(packed)}})
}

/// The id that `CloudWatch` Logs gives a log event.
fn log_id(number: usize) -> String {
    format!("{number:056}")
}

/// The text of an event that changes something, and that no other has.
fn record() -> String {
    record_with(&Value::Null)
}

fn record_with(parameters: &Value) -> String {
    let mut event = log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false);
    event["requestParameters"] = parameters.clone();
    event.to_string()
}

fn some(count: usize) -> Vec<String> {
    (0..count).map(|_| record()).collect()
}

fn sorted(messages: &[String]) -> Vec<String> {
    let mut messages = messages.to_vec();
    messages.sort();
    messages
}

fn id(record: &str) -> Value {
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
        "an invocation fails when a record is not in the queue: {invocation:?}"
    );
}

#[tokio::test]
async fn every_python_of_lambda_runs_it() {
    for python in LambdaFunction::pythons() {
        let mut stage = Stage::with(&python, MAX_BYTES).await;
        let messages = some(25);
        let invocation = stage.deliver(&messages).await;
        assert_counts(&invocation, &[("received", 25), ("sent", 25)]);
        assert_eq!(invocation.outcome.expect("an answer"), Value::Null);
        assert_eq!(stage.queued().await, sorted(&messages));
    }
}

#[tokio::test]
async fn a_message_is_the_text_of_its_record() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let parsed_would_differ = [
        r#"{ "eventID" : "1",  "n": 1.10, "n": 1e3 , "a": "\u00e4ä" }"#,
        "{\"eventID\":\"2\",\r\n\t\"big\":123456789012345678901234567890}",
        "{\"eventID\":\"3\",\"text\":\"\u{1f600} \u{7f} \\u0001 \\ud800\"}",
    ]
    .map(str::to_owned);
    let invocation = stage.deliver(&parsed_would_differ).await;
    assert_counts(&invocation, &[("received", 3), ("sent", 3)]);
    assert_eq!(stage.queued().await, sorted(&parsed_would_differ));
}

#[tokio::test]
async fn a_character_that_sqs_refuses_is_escaped() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let messages = [
        "{\"eventID\":\"1\",\"text\":\"\u{ffff}\"}".to_owned(),
        "no JSON \u{1}".to_owned(),
    ];
    let invocation = stage.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[("received", 2), ("sent", 2), ("unreadable", 1)],
    );
    assert_eq!(
        stage.queued().await,
        [
            "no JSON \\u0001",
            "{\"eventID\":\"1\",\"text\":\"\\uffff\"}"
        ]
    );
}

#[tokio::test]
async fn a_control_message_is_skipped() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let control = handed_over(&json!({
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
    let invocation = stage.function.invoke(&control).await;
    assert_counts(&invocation, &[("skipped", 1)]);
    assert!(stage.proxy.calls().is_empty());
}

#[tokio::test]
async fn what_is_no_delivery_fails_and_is_told_of_in_one_line() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    for event in [json!({}), json!({"awslogs": {"data": "bm8gZ3ppcA=="}})] {
        let invocation = stage.function.invoke(&event).await;
        assert_eq!(invocation.report()["received"], 0);
        invocation.outcome.expect_err("a failed invocation");
    }
}

#[tokio::test]
async fn ten_messages_share_a_call() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    stage.deliver(&some(95)).await;
    let sizes: Vec<usize> = stage.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
}

#[tokio::test]
async fn a_call_is_not_larger_than_one_message_may_be() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let messages: Vec<String> = (0..7)
        // Two bytes each, so that characters are not mistaken for bytes.
        .map(|_| record_with(&json!("ä".repeat(50_000))))
        .collect();
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 7), ("sent", 7)]);
    let sizes: Vec<usize> = stage.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 2, 1]);
}

#[tokio::test]
async fn a_record_of_just_the_limit_is_not_cut() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let rest = record_with(&json!("")).len();
    let fits = record_with(&json!("x".repeat(MAX_BYTES - rest)));
    let one_more = record_with(&json!("x".repeat(MAX_BYTES - rest + 1)));
    assert_eq!((fits.len(), one_more.len()), (MAX_BYTES, MAX_BYTES + 1));
    let invocation = stage.deliver(&[fits.clone(), one_more.clone()]).await;
    assert_counts(&invocation, &[("received", 2), ("cut", 1), ("sent", 2)]);
    assert_eq!(invocation.report()["events"]["cut"], json!([id(&one_more)]));
    assert!(stage.queued().await.contains(&fits));
}

#[tokio::test]
async fn a_record_that_is_too_large_is_sent_without_its_largest_parts_and_says_so() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let mut whole = log_file::event("111111111111", REGION, "ec2.amazonaws.com", "Run", false);
    whole["requestParameters"] = json!({"name": "kept"});
    whole["responseElements"] = json!(["x".repeat(200_000)]);
    whole["additionalEventData"] = json!({"text": "y".repeat(150_000)});
    whole["serviceEventDetails"] = json!({"text": "z".repeat(140_000)});
    let invocation = stage.deliver(&[whole.to_string()]).await;
    assert_counts(&invocation, &[("received", 1), ("cut", 1), ("sent", 1)]);

    let mut expected = whole.clone();
    expected["responseElements"] = Value::Null;
    expected["additionalEventData"] = Value::Null;
    expected["heelerEcCut"] = json!(["responseElements", "additionalEventData"]);
    let queued = stage.queued().await;
    let sent: Value = serde_json::from_str(&queued[0]).expect("a record");
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn what_is_left_of_a_cut_record_is_as_it_was_written() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    // Three bytes a character, and six when they are escaped; numbers that no float holds.
    let text = "\u{4e2d}".repeat(60_000);
    let record = |parameters: &str, end: &str| {
        format!(
            "{{ \"eventID\" : \"1\", \"userAgent\":\"{text}\",\n \"n\": [1e400, 1.10, 12345678901234567890123],\
             \"requestParameters\" : {parameters}, \"quote\":\"\\u00e4 \\\"}}\"{end} }}"
        )
    };
    let filler = format!("{{\"a\": [\"{}\"]}}", "x".repeat(150_000));
    let invocation = stage.deliver(&[record(&filler, "")]).await;
    assert_counts(&invocation, &[("received", 1), ("cut", 1), ("sent", 1)]);
    let marked = ",\"heelerEcCut\":[\"requestParameters\"]}";
    let expected = record("null", " ").replace("\"  }", &format!("\" {marked}"));
    assert_eq!(stage.queued().await, [expected]);
}

#[tokio::test]
async fn a_list_of_resources_may_be_cut() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let mut large = log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false);
    large["resources"] = json!([{"ARN": "x".repeat(MAX_BYTES)}]);
    let invocation = stage.deliver(&[large.to_string()]).await;
    assert_counts(&invocation, &[("received", 1), ("cut", 1), ("sent", 1)]);
}

#[tokio::test]
async fn what_cannot_be_made_to_fit_fails_and_costs_no_other() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let mut large = log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false);
    large["userIdentity"]["userName"] = json!("x".repeat(MAX_BYTES));
    large["requestParameters"] = json!("y".repeat(1000));
    let good = some(3);
    let mut messages = good.clone();
    messages.insert(1, large.to_string());
    messages.insert(3, "no JSON ".repeat(40_000));
    let invocation = stage.deliver(&messages).await;
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
    assert_eq!(stage.queued().await, sorted(&good));
}

#[tokio::test]
async fn what_cannot_be_read_is_sent_as_it_is() {
    let Some(mut stage) = Stage::new().await else {
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
    let invocation = stage.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[("received", 10), ("unreadable", 6), ("sent", 10)],
    );
    assert!(
        stage
            .sendings()
            .iter()
            .all(|entry| entry.group == "unknown.unknown")
    );
    assert_eq!(stage.queued().await, sorted(&messages));
}

/// `CloudWatch` Logs sends none; if it did, they would not cost the others.
#[tokio::test]
async fn log_events_of_another_form_cost_no_other() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let good = record();
    let event = handed_over(&json!({
        "messageType": "DATA_MESSAGE",
        "logEvents": [
            {"id": log_id(0), "timestamp": 0, "message": null},
            {"id": log_id(1), "timestamp": 0, "message": {"eventID": "7"}},
            {"timestamp": 0, "message": good},
            {"timestamp": 0, "message": "no id"},
            "no log event",
        ],
    }));
    let invocation = stage.function.invoke(&event).await;
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
    assert_eq!(stage.queued().await, sorted(&expected));
}

#[tokio::test]
async fn each_account_and_region_has_a_group_of_its_own() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let places = [
        ("111111111111", "us-east-1"),
        ("111111111111", "eu-west-1"),
        ("222222222222", "us-gov-west-1"),
    ];
    let messages: Vec<String> = places
        .iter()
        .map(|(account, region)| {
            log_file::event(account, region, "s3.amazonaws.com", "Put", false).to_string()
        })
        .collect();
    stage.deliver(&messages).await;
    let groups: BTreeMap<String, String> = stage
        .sendings()
        .into_iter()
        .map(|sent| (sent.body, sent.group))
        .collect();
    for (message, (account, region)) in messages.iter().zip(places) {
        assert_eq!(groups[message], format!("{account}.{region}"));
    }
}

#[tokio::test]
async fn what_is_delivered_twice_is_in_the_queue_once() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let mut messages = some(12);
    messages.push(record_with(&json!("x".repeat(MAX_BYTES))));
    for _ in 0..2 {
        let invocation = stage.deliver(&messages).await;
        assert_counts(&invocation, &[("received", 13), ("cut", 1), ("sent", 13)]);
    }
    assert_eq!(stage.queued().await.len(), 13);
}

#[tokio::test]
async fn what_is_in_a_delivery_twice_is_sent_once() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let messages = some(2);
    let twice = [&messages[..], &messages[..1]].concat();
    let invocation = stage.deliver(&twice).await;
    assert_counts(
        &invocation,
        &[("received", 3), ("repeated", 1), ("sent", 2)],
    );
    assert_eq!(stage.sendings().len(), 2);
}

/// The answer says of these entries, by their numbers, that they were refused.
fn refuses(numbers: &'static [&str], code: &'static str, sender: bool) -> FaultAction {
    FaultAction::edit_json(move |answer| {
        let took = answer["Successful"].as_array().expect("entries").clone();
        let (refused, taken): (Vec<Value>, Vec<Value>) = took
            .into_iter()
            .partition(|entry| numbers.iter().any(|number| entry["Id"] == *number));
        answer["Successful"] = taken.into();
        answer["Failed"] = refused
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "Code": code, "SenderFault": sender}))
            .collect();
    })
}

#[tokio::test]
async fn what_a_call_leaves_out_is_sent_again_and_nothing_else() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    stage.strike(refuses(&["2", "7"], "InternalError", false), 1);
    // The tenth message is the first of the second call, the refused ones follow it.
    stage.strike_after(1, refuses(&["1"], "ThrottlingException", true), 1);
    let messages = some(11);
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 11), ("sent", 11)]);
    assert_eq!(
        invocation.report()["refusals"],
        json!({"InternalError": 2, "ThrottlingException": 1})
    );
    let bodies: Vec<Vec<String>> = stage
        .batches()
        .into_iter()
        .map(|batch| batch.into_iter().map(|entry| entry.body).collect())
        .collect();
    let first: BTreeSet<&String> = bodies[0].iter().collect();
    assert_eq!((first.len(), bodies[1].len()), (10, 3));
    assert!(!first.contains(&bodies[1][0]), "what was not sent yet");
    assert_eq!(
        bodies[1][1..],
        [&bodies[0][2], &bodies[0][7]].map(Clone::clone)
    );
    assert_eq!(bodies[2], [bodies[1][1].clone()]);
    assert_eq!(stage.queued().await, sorted(&messages));
}

#[tokio::test]
async fn throttling_and_lost_answers_pass() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let throttled = FaultAction::refuse(400, "RequestThrottled", "Rate exceeded");
    stage.strike(throttled, 3);
    stage.strike_after(3, FaultAction::DropResponse, 1);
    let messages = some(15);
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 15), ("sent", 15)]);
    assert_eq!(stage.queued().await, sorted(&messages));
}

#[tokio::test]
async fn a_lasting_refusal_fails_the_invocation_after_a_few_calls() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let denied = FaultAction::refuse(403, "AccessDenied", "User: x is not authorized: PRIVATE");
    stage.strike(denied, usize::MAX);
    let messages = some(30);
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 30), ("failed", 30)]);
    assert_eq!(stage.proxy.calls().len(), 5);
    let error = invocation.outcome.expect_err("a failed invocation");
    assert_eq!(error["errorType"], "RuntimeError");
    assert_eq!(
        error["errorMessage"],
        "30 of 30 records are not in the queue"
    );

    // CloudWatch Logs hands it over once more.
    stage.proxy.clear_faults();
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 30), ("sent", 30)]);
    assert!(!stage.function.log().contains("PRIVATE"));
}

#[tokio::test]
async fn a_message_that_is_never_taken_is_given_up_alone() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    stage.strike(refuses(&["0"], "InternalError", false), usize::MAX);
    let messages = some(4);
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 4), ("sent", 3), ("failed", 1)]);
    let failed = &invocation.report()["events"]["failed"][0];
    assert!(messages.iter().any(|message| id(message) == *failed));
}

/// An answer that says nothing of an entry does not say that it is in the queue.
#[tokio::test]
async fn only_what_sqs_says_it_has_taken_counts_as_sent() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let forgets = FaultAction::edit_json(|answer| {
        answer["Successful"].as_array_mut().expect("entries").pop();
    });
    stage.strike(forgets, 1);
    let messages = some(3);
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 3), ("sent", 3)]);
    assert_eq!(invocation.report()["refusals"], json!({"NotInResponse": 1}));
    let sizes: Vec<usize> = stage.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1]);
}

/// Lambda hands a delivery over three times at most, from its beginning each time.
#[tokio::test]
async fn what_is_too_much_for_one_invocation_is_sent_by_several() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    stage.strike(FaultAction::Delay(Duration::from_millis(200)), usize::MAX);
    let messages = some(60);
    let event = delivery(&messages);
    let mut missing: BTreeSet<String> = messages.iter().map(|text| id(text).to_string()).collect();
    let mut after = Vec::new();
    while !missing.is_empty() && after.len() < 40 {
        let short = Duration::from_millis(1_900);
        let invocation = stage.function.invoke_within(&event, short).await;
        let report = invocation.report();
        let failed = report["events"]["failed"].as_array().expect("ids");
        assert!(!failed.is_empty(), "it had time for all: {report}");
        let failed: BTreeSet<String> = failed.iter().map(Value::to_string).collect();
        missing = missing.intersection(&failed).cloned().collect();
        after.push(missing.len());
    }
    assert!(missing.is_empty(), "{after:?}");
}

#[tokio::test]
async fn throttling_late_in_the_time_costs_nothing() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    stage.strike(FaultAction::Delay(Duration::from_millis(1_500)), 3);
    let throttled = FaultAction::refuse(400, "RequestThrottled", "Rate exceeded");
    stage.strike_after(3, throttled, 2);
    let messages = some(80);
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 80), ("sent", 80)]);
    assert_eq!(
        invocation.report()["refusals"],
        json!({"RequestThrottled": 10})
    );
}

#[tokio::test]
async fn a_call_that_hangs_near_the_end_is_told_of_as_well() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    stage.strike(FaultAction::NeverRespond, usize::MAX);
    let event = delivery(&some(1));
    let short = Duration::from_millis(2_500);
    let invocation = stage.function.invoke_within(&event, short).await;
    assert_counts(&invocation, &[("received", 1), ("failed", 1)]);
    let report = invocation.report();
    assert!(report["milliseconds"].as_u64() < Some(2_300), "{report}");
    assert_eq!(report["refusals"], json!({"TimeLimitReached": 1}));
    // The same function goes on with the next.
    stage.proxy.clear_faults();
    let invocation = stage.deliver(&some(2)).await;
    assert_counts(&invocation, &[("received", 2), ("sent", 2)]);
}

#[tokio::test]
async fn a_call_that_hangs_ends_before_lambda_ends_the_function() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    stage.strike(FaultAction::NeverRespond, usize::MAX);
    let invocation = stage.deliver(&some(1)).await;
    assert_counts(&invocation, &[("received", 1), ("failed", 1)]);
    let report = invocation.report();
    assert!(report["milliseconds"].as_u64() < Some(9_500), "{report}");
    assert_eq!(report["refusals"]["TimeLimitReached"], 1, "{report}");
}

#[tokio::test]
async fn no_call_is_begun_when_time_is_up() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let event = delivery(&some(1));
    let short = Duration::from_millis(900);
    let invocation = stage.function.invoke_within(&event, short).await;
    assert_counts(&invocation, &[("received", 1), ("failed", 1)]);
    assert!(stage.proxy.calls().is_empty());
}

/// The queue takes less than the function was told.
#[tokio::test]
async fn what_sqs_finds_too_large_is_sent_cut() {
    let Some(python) = LambdaFunction::pythons().into_iter().next() else {
        return;
    };
    let mut stage = Stage::with(&python, 2_000).await;
    let can_be_cut = record_with(&json!("x".repeat(2_000)));
    let mut can_not = log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false);
    can_not["userAgent"] = json!("x".repeat(2_000));
    let messages = [record(), can_be_cut.clone(), can_not.to_string(), record()];
    let invocation = stage.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[("received", 4), ("cut", 1), ("sent", 3), ("failed", 1)],
    );
    let events = &invocation.report()["events"];
    assert_eq!(events["cut"], json!([id(&can_be_cut)]));
    assert_eq!(events["failed"], json!([can_not["eventID"]]));
    assert_eq!(stage.batches().len(), 2, "once whole, once cut");
    let queued = stage.queued().await;
    let marked = queued
        .iter()
        .filter(|body| body.contains(r#""heelerEcCut":["requestParameters"]"#));
    assert_eq!((queued.len(), marked.count()), (3, 1));
}

#[tokio::test]
async fn when_a_whole_call_is_refused_each_message_goes_alone() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let refused = FaultAction::refuse(
        400,
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "too long",
    );
    stage.strike(refused, 1);
    let messages = some(10);
    let invocation = stage.deliver(&messages).await;
    assert_counts(&invocation, &[("received", 10), ("sent", 10)]);
    let sizes: Vec<usize> = stage.batches().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(stage.queued().await, sorted(&messages));
}

/// With a code that nobody has listed, so that it cannot be known whether a message is at fault.
#[tokio::test]
async fn messages_over_which_sqs_refuses_whole_calls_cost_no_other() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let refused = FaultAction::refuse(400, "MissingParameter", "The request must contain");
    let refused = Fault::new("sqs", "SendMessageBatch", refused);
    stage.proxy.fault(refused.with_body_containing("strange"));
    let strange = || record_with(&json!("strange"));
    let mut messages = some(90);
    messages.extend(std::iter::repeat_with(strange).take(10));
    let invocation = stage.deliver(&messages).await;
    assert_counts(
        &invocation,
        &[("received", 100), ("sent", 90), ("failed", 10)],
    );
    assert_eq!(stage.queued().await, sorted(&messages[..90]));
}

/// Nothing is at fault but the queue's key, which every message needs.
#[tokio::test]
async fn what_every_call_would_be_refused_for_ends_soon() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let refused = FaultAction::refuse(400, "KMS.DisabledException", "The key is disabled");
    stage.strike(refused, usize::MAX);
    let invocation = stage.deliver(&some(100)).await;
    assert_counts(&invocation, &[("received", 100), ("failed", 100)]);
    // The SDK makes each call twice at most.
    assert!(stage.batches().len() <= 10, "{}", stage.batches().len());
}

#[tokio::test]
async fn nothing_of_a_record_is_logged_but_its_id() {
    let Some(mut stage) = Stage::new().await else {
        return;
    };
    let secret = "s3cret";
    let stray = refuses(&["0"], "InvalidMessageContents", true);
    stage.strike(stray, 2);
    let messages = [
        record_with(&json!(secret)),
        record_with(&json!(secret.repeat(50_000))),
        format!("no JSON {secret}"),
        secret.repeat(50_000),
        format!("{{\"eventID\":\"not an id {secret}\",\"recipientAccountId\":\"{secret}"),
    ];
    let invocation = stage.deliver(&messages).await;
    assert_eq!(invocation.report()["failed"], 2);
    stage
        .function
        .invoke(&handed_over(&json!({secret: secret})))
        .await;
    let log = stage.function.log();
    assert!(!log.contains(secret), "{log}");
}

#[tokio::test]
async fn real_records_are_delivered_whole_in_few_calls() {
    let (Some(folder), Some(mut stage)) = (samples::real_logs(), Stage::new().await) else {
        return;
    };
    let mut groups = BTreeSet::new();
    let mut all = Vec::new();
    for (key, bytes) in samples::log_files_below(&folder) {
        let read =
            collect_records(&bytes, 64 * 1024 * 1024).unwrap_or_else(|why| panic!("{key}: {why}"));
        let messages = read;
        let invocation = stage.deliver(&messages).await;
        let count = messages.len();
        assert_counts(&invocation, &[("received", count), ("sent", count)]);
        all.extend(messages);
    }
    let singles = samples::real_events(&folder);
    stage.deliver(&singles).await;
    all.extend(singles);
    let batches = stage.batches();
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
