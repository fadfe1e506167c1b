//! Measures how the Lambda function sends a thousand records, compared with a function that makes one call per record.
//!
//! Both run on the same Python with Lambda's runtime client, get the same invocations, and send to queues of the same
//! emulator through a proxy that counts the calls. The functions are warm: an invocation before the measurement imports
//! the modules and opens the connection. The CPU time is that of the function's process. The benchmark fails if a record
//! is missing in a queue, or if the function makes more than an eighth of the calls.

#[expect(dead_code, reason = "only the state of the process is used")]
mod child;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use heeler_ec::cloudtrail::log_file as log;
use heeler_ec::option::cloudwatch::function;
use serde_json::{Value, json};
use testkit::clients::credentials;
use testkit::{
    Clients, Emulator, Engine, LambdaFunction, Proxy, emulator, log_file, organization, samples,
};
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const REGION: &str = "us-east-1";
const RECORDS: usize = 1000;
/// The number of records in one invocation.
const RECORDS_PER_INVOCATION: usize = 100;
/// The number of rounds; the median is shown.
const ROUNDS: usize = 3;
/// The minimum ratio of the calls.
const MIN_CALL_RATIO: usize = 8;
/// The time limit of an invocation, long enough for the function with one call per record.
const LIMIT: Duration = Duration::from_secs(60);
/// The maximum decompressed size of a log file.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

fn main() -> io::Result<()> {
    let Some(python) = LambdaFunction::pythons().into_iter().next() else {
        return Ok(());
    };
    let (source, records) = records()?;
    let emulator = Emulator::own(Engine::Ministack);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let (mut baseline, mut batching) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (code, rounds) in [
            (baseline_code()?, &mut baseline),
            (function::code(), &mut batching),
        ] {
            rounds.push(runtime.block_on(measure(&emulator, &python, &code, &records))?);
        }
    }
    writeln!(
        io::stdout(),
        "\n{RECORDS} records, {RECORDS_PER_INVOCATION} per invocation, from {source}\n\
         {}; median of {ROUNDS} rounds\n",
        python.display()
    )?;
    compare(&median(baseline), &median(batching))
}

/// The measurement of a thousand records.
struct Measurement {
    calls: usize,
    /// `None` on systems other than Linux.
    cpu: Option<Duration>,
}

/// Sends all records with a new function to a new queue.
async fn measure(
    emulator: &Emulator,
    python: &PathBuf,
    code: &[u8],
    records: &[String],
) -> io::Result<Measurement> {
    let proxy = Proxy::start(emulator.address());
    let account = organization::unused_account();
    let clients = Clients::new(&emulator.url(), credentials(&account, "test", None), REGION);
    let queue = create_queue(&clients).await;
    let env = [
        (function::QUEUE_URL, queue.clone()),
        ("AWS_ENDPOINT_URL", proxy.url()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", account),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ];
    let env: BTreeMap<String, String> = env.map(|(name, value)| (name.to_owned(), value)).into();
    let mut function = LambdaFunction::start(python, code, function::HANDLER, &env).await;
    invoke(&mut function, &invocation(&[warm_up_record()])).await?;

    let invocations: Vec<Value> = records
        .chunks(RECORDS_PER_INVOCATION)
        .map(invocation)
        .collect();
    let before = (proxy.total(), cpu(&function));
    for event in &invocations {
        invoke(&mut function, event).await?;
    }
    let measurement = Measurement {
        calls: proxy.total() - before.0,
        cpu: cpu(&function)
            .zip(before.1)
            .map(|(after, before)| after.saturating_sub(before)),
    };

    let queued = count(&clients, &queue).await;
    if queued == (records.len() + 1).to_string() {
        return Ok(measurement);
    }
    Err(io::Error::other(format!(
        "{queued} messages in the queue, expected {} records and one warm-up record",
        records.len()
    )))
}

fn cpu(function: &LambdaFunction) -> Option<Duration> {
    child::process_state(function.process()).map(|state| state.cpu)
}

async fn create_queue(clients: &Clients) -> String {
    let queue = clients.sqs.create_queue().queue_name("records.fifo");
    let queue = queue
        .attributes(QueueAttributeName::FifoQueue, "true")
        .attributes(QueueAttributeName::ContentBasedDeduplication, "true")
        .attributes(QueueAttributeName::MaximumMessageSize, "262144");
    let queue = queue.send().await.expect("a queue");
    queue.queue_url.expect("the URL of a queue")
}

/// The approximate number of messages in a queue.
async fn count(clients: &Clients, queue: &str) -> String {
    let number = QueueAttributeName::ApproximateNumberOfMessages;
    let read = clients.sqs.get_queue_attributes().queue_url(queue);
    let read = read.attribute_names(number.clone()).send().await;
    let attributes = read.expect("the attributes of a queue").attributes;
    attributes
        .and_then(|mut attributes| attributes.remove(&number))
        .expect("the number of messages")
}

async fn invoke(function: &mut LambdaFunction, event: &Value) -> io::Result<()> {
    let outcome = function.invoke_within(event, LIMIT).await.outcome;
    outcome
        .map(drop)
        .map_err(|error| io::Error::other(format!("the function failed: {error}")))
}

/// The event with which `CloudWatch` Logs invokes a function.
fn invocation(records: &[String]) -> Value {
    let events: Vec<Value> = records
        .iter()
        .enumerate()
        .map(|(number, record)| {
            json!({"id": format!("{number:056}"), "timestamp": 0, "message": record})
        })
        .collect();
    let payload = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "111111111111",
        "logGroup": "organization/cloudtrail",
        "logStream": "o-exampleorg_111111111111_CloudTrail_us-east-1",
        "subscriptionFilters": ["heeler"],
        "logEvents": events,
    });
    let data = log_file::gzip(payload.to_string().as_bytes()).expect("gzip into memory");
    json!({"awslogs": {"data": STANDARD.encode(data)}})
}

/// The zip file of the function with one call per record, under the same handler name.
fn baseline_code() -> io::Result<Vec<u8>> {
    let (module, _) = function::HANDLER.split_once('.').expect("a module");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(format!("{module}.py"), SimpleFileOptions::DEFAULT)?;
    zip.write_all(include_bytes!("one_call_per_record.py"))?;
    Ok(zip.finish()?.into_inner())
}

/// A record that is not measured.
fn warm_up_record() -> String {
    log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false).to_string()
}

/// A thousand distinct records and their source: published log files, or else the samples of this repository.
fn records() -> io::Result<(String, Vec<String>)> {
    let (folder, objects) = if let Some(folder) = samples::real_logs() {
        let objects = samples::log_files_below(&folder);
        (folder, objects)
    } else {
        let folder = emulator::repository().join("tests/fixtures/tail/objects");
        let objects = published(&folder)?;
        (folder, objects)
    };
    // The order must not depend on the file system.
    let objects: BTreeMap<String, Vec<u8>> = objects.into_iter().collect();
    let mut found = Vec::new();
    for (name, bytes) in &objects {
        let read = log::collect_records(bytes, MAX_BYTES)
            .map_err(|error| io::Error::other(format!("{name}: {error}")))?;
        found.extend(read);
    }
    found.sort();
    found.dedup();
    let few = found.len() < RECORDS;
    let records = (0..RECORDS).map(|number| {
        // The records are spread over all files.
        let record = &found[number * found.len() / RECORDS];
        if few {
            with_new_id(record)
        } else {
            Ok(record.clone())
        }
    });
    let records = records.collect::<io::Result<_>>()?;
    let times = if few { ", repeated" } else { "" };
    let source = format!("the {} in {}{times}", found.len(), folder.display());
    Ok((source, records))
}

/// The published log files among the samples of this repository; the others are edge cases.
fn published(folder: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with("123456789012_") {
            found.push((name.into_owned(), std::fs::read(&path)?));
        }
    }
    Ok(found)
}

/// The record with a new event ID; otherwise the queue would drop it as a duplicate.
fn with_new_id(record: &str) -> io::Result<String> {
    let mut record: Value = serde_json::from_str(record)?;
    record["eventID"] = Uuid::new_v4().to_string().into();
    Ok(record.to_string())
}

fn median(mut rounds: Vec<Measurement>) -> Measurement {
    rounds.sort_by_key(|round| round.cpu);
    rounds.swap_remove(rounds.len() / 2)
}

fn compare(baseline: &Measurement, batching: &Measurement) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{:<20} {:>5} {:>7}", "", "calls", "CPU")?;
    for (name, measurement) in [
        ("one call per record", baseline),
        ("the function", batching),
    ] {
        let cpu = format_number(measurement.cpu.map(|cpu| cpu.as_secs_f64()), " s");
        writeln!(out, "{name:<20} {:>5} {cpu:>7}", measurement.calls)?;
    }
    let cpu = baseline.cpu.zip(batching.cpu);
    let cpu = cpu.map(|(baseline, batching)| baseline.as_secs_f64() / batching.as_secs_f64());
    let calls = f64::from(u32::try_from(baseline.calls).unwrap_or(u32::MAX))
        / f64::from(u32::try_from(batching.calls).unwrap_or(u32::MAX));
    writeln!(
        out,
        "{:<20} {calls:>5.1} {:>7}",
        "ratio",
        format_number(cpu, "")
    )?;
    if batching.calls * MIN_CALL_RATIO <= baseline.calls {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the function makes more than one call per {MIN_CALL_RATIO} records"
    )))
}

fn format_number(number: Option<f64>, unit: &str) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.2}{unit}"))
}
