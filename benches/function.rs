//! Measures what the function takes to send a thousand records, against one that makes a call for each.
//!
//! Both are run by the same Python and Lambda's own runtime client, are handed the same deliveries, and send to queues
//! of their own in the same emulator, through a proxy that counts the calls. A warm function is measured: it has
//! started and has sent something before, so that imports and the first connection do not count. Its CPU time is that
//! of its process, in the program and in the system. The benchmark fails when a record is missing from a queue, and
//! when the function makes more than an eighth of the calls.

#[expect(dead_code, reason = "the function is looked at while it runs on")]
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
/// How many records `CloudWatch` Logs hands over at once here.
const DELIVERED: usize = 100;
/// How often all is done; the round in the middle is shown.
const ROUNDS: usize = 3;
/// How many calls of the plain way one call of the function has to be worth.
const WORTH: usize = 8;
/// Enough for the plain way on a busy machine: it is the work that counts here, and not who is cut short.
const LIMIT: Duration = Duration::from_secs(60);
/// More than any object of the samples comes to.
const CAP: u64 = 64 * 1024 * 1024;

fn main() -> io::Result<()> {
    let Some(python) = LambdaFunction::pythons().into_iter().next() else {
        return Ok(());
    };
    let (source, records) = records()?;
    let emulator = Emulator::own(Engine::Ministack);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let (mut plain, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (code, rounds) in [(plain_code()?, &mut plain), (function::code(), &mut ours)] {
            rounds.push(runtime.block_on(measure(&emulator, &python, &code, &records))?);
        }
    }
    writeln!(
        io::stdout(),
        "\n{RECORDS} records, {DELIVERED} at a time, from {source}\n\
         {}; the middle one of {ROUNDS} rounds\n",
        python.display()
    )?;
    compare(&middle(plain), &middle(ours))
}

/// What a thousand records came to.
struct Measured {
    calls: usize,
    /// Nothing where the system does not tell it.
    cpu: Option<Duration>,
}

/// Lets a new function send all records to a new queue.
async fn measure(
    emulator: &Emulator,
    python: &PathBuf,
    code: &[u8],
    records: &[String],
) -> io::Result<Measured> {
    let proxy = Proxy::start(emulator.address());
    let account = organization::unused_account();
    let clients = Clients::new(&emulator.url(), credentials(&account, "test", None), REGION);
    let queue = make_queue(&clients).await;
    let env = [
        (function::QUEUE_URL, queue.clone()),
        ("AWS_ENDPOINT_URL", proxy.url()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", account),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ];
    let env: BTreeMap<String, String> = env.map(|(name, value)| (name.to_owned(), value)).into();
    let mut function = LambdaFunction::start(python, code, function::HANDLER, &env).await;
    invoke(&mut function, &delivery(&[warming_up()])).await?;

    let deliveries: Vec<Value> = records.chunks(DELIVERED).map(delivery).collect();
    let before = (proxy.total(), cpu(&function));
    for delivery in &deliveries {
        invoke(&mut function, delivery).await?;
    }
    let measured = Measured {
        calls: proxy.total() - before.0,
        cpu: cpu(&function)
            .zip(before.1)
            .map(|(after, before)| after.saturating_sub(before)),
    };

    let queued = count(&clients, &queue).await;
    if queued == (records.len() + 1).to_string() {
        return Ok(measured);
    }
    Err(io::Error::other(format!(
        "{queued} messages in the queue, of {} records and one before them",
        records.len()
    )))
}

fn cpu(function: &LambdaFunction) -> Option<Duration> {
    child::look(function.process()).map(|look| look.cpu)
}

async fn make_queue(clients: &Clients) -> String {
    let queue = clients.sqs.create_queue().queue_name("records.fifo");
    let queue = queue
        .attributes(QueueAttributeName::FifoQueue, "true")
        .attributes(QueueAttributeName::ContentBasedDeduplication, "true")
        .attributes(QueueAttributeName::MaximumMessageSize, "262144");
    let queue = queue.send().await.expect("a queue");
    queue.queue_url.expect("the URL of a queue")
}

/// How many messages are in a queue, as SQS says it.
async fn count(clients: &Clients, queue: &str) -> String {
    let number = QueueAttributeName::ApproximateNumberOfMessages;
    let asked = clients.sqs.get_queue_attributes().queue_url(queue);
    let told = asked.attribute_names(number.clone()).send().await;
    let told = told.expect("the attributes of a queue").attributes;
    told.and_then(|mut told| told.remove(&number))
        .expect("the number of messages")
}

async fn invoke(function: &mut LambdaFunction, delivery: &Value) -> io::Result<()> {
    let outcome = function.invoke_within(delivery, LIMIT).await.outcome;
    outcome
        .map(drop)
        .map_err(|error| io::Error::other(format!("the function failed: {error}")))
}

/// What `CloudWatch` Logs invokes a function with.
fn delivery(records: &[String]) -> Value {
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
    let packed = log_file::gzip(payload.to_string().as_bytes()).expect("gzip into memory");
    json!({"awslogs": {"data": STANDARD.encode(packed)}})
}

/// The plain way, as Lambda takes code. It has the handler's name, so that both are called the same.
fn plain_code() -> io::Result<Vec<u8>> {
    let (module, _) = function::HANDLER.split_once('.').expect("a module");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(format!("{module}.py"), SimpleFileOptions::DEFAULT)?;
    zip.write_all(include_bytes!("one_call_a_record.py"))?;
    Ok(zip.finish()?.into_inner())
}

/// A record that is none of those measured.
fn warming_up() -> String {
    log_file::event("111111111111", REGION, "s3.amazonaws.com", "Put", false).to_string()
}

/// A thousand records, no two the same, and where they are from: published logs if they are here, else our samples.
fn records() -> io::Result<(String, Vec<String>)> {
    let (folder, objects) = if let Some(folder) = samples::real_logs() {
        let objects = samples::log_files_below(&folder);
        (folder, objects)
    } else {
        let folder = emulator::repository().join("tests/fixtures/tail/objects");
        let objects = published(&folder)?;
        (folder, objects)
    };
    // In an order that does not depend on the file system.
    let objects: BTreeMap<String, Vec<u8>> = objects.into_iter().collect();
    let mut found = Vec::new();
    for (name, bytes) in &objects {
        let read = log::collect_records(bytes, CAP)
            .map_err(|why| io::Error::other(format!("{name}: {why}")))?;
        found.extend(read);
    }
    found.sort();
    found.dedup();
    let few = found.len() < RECORDS;
    let records = (0..RECORDS).map(|number| {
        // Spread over all that there are.
        let record = &found[number * found.len() / RECORDS];
        if few {
            renamed(record)
        } else {
            Ok(record.clone())
        }
    });
    let records = records.collect::<io::Result<_>>()?;
    let times = if few { ", repeated" } else { "" };
    let source = format!("the {} in {}{times}", found.len(), folder.display());
    Ok((source, records))
}

/// The published ones among the samples of this repository. The rest are hard cases, and say nothing of a usual day.
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

/// The record with an id that no other has, or a queue would take it for a repetition.
fn renamed(record: &str) -> io::Result<String> {
    let mut record: Value = serde_json::from_str(record)?;
    record["eventID"] = Uuid::new_v4().to_string().into();
    Ok(record.to_string())
}

fn middle(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by_key(|round| round.cpu);
    rounds.swap_remove(rounds.len() / 2)
}

fn compare(plain: &Measured, ours: &Measured) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{:<19} {:>5} {:>7}", "", "calls", "CPU")?;
    for (name, measured) in [("one call a record", plain), ("the function", ours)] {
        let cpu = shown(measured.cpu.map(|cpu| cpu.as_secs_f64()), " s");
        writeln!(out, "{name:<19} {:>5} {cpu:>7}", measured.calls)?;
    }
    let cpu = plain.cpu.zip(ours.cpu);
    let cpu = cpu.map(|(plain, ours)| plain.as_secs_f64() / ours.as_secs_f64());
    let calls = f64::from(u32::try_from(plain.calls).unwrap_or(u32::MAX))
        / f64::from(u32::try_from(ours.calls).unwrap_or(u32::MAX));
    writeln!(out, "{:<19} {calls:>5.1} {:>7}", "ratio", shown(cpu, ""))?;
    if ours.calls * WORTH <= plain.calls {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the function makes more than one call for {WORTH} of the plain way"
    )))
}

fn shown(number: Option<f64>, unit: &str) -> String {
    number.map_or("-".to_owned(), |number| format!("{number:.2}{unit}"))
}
