//! Measures how soon `tail` prints an event after its log object was uploaded, and how fast it downloads 1,000 small objects
//! of 20 records when each request takes 50 ms.
//!
//! Latency: each object is uploaded to the emulator as soon as the event of the previous one has been printed. The emulated
//! S3, SNS and SQS deliver the notification.
//!
//! Throughput: the release build lists a bucket of the emulator. A proxy answers the requests for objects itself, each after
//! 50 ms, so that neither network nor emulator is measured. With 16 concurrent downloads, 1,000 objects take at least
//! 1,000 / 16 × 50 ms. The result is the ratio of the measured time (first request to last response) to this minimum.
//! `HEELER_EC_PROGRAM` selects an existing program instead of a build.

mod program;

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use program::program;
use serde_json::{Value, json};
use testkit::log_file::{event, gzip};
use testkit::{Call, Emulator, Engine, Fault, FaultAction, HeelerEc, LogFile, Organization};

const ARRIVALS: usize = 50;
const OBJECTS: usize = 1_000;
const RECORDS: usize = 20;
const DELAY: Duration = Duration::from_millis(50);
/// Number of concurrent downloads of `tail`.
const IN_FLIGHT: u32 = 16;

fn main() -> io::Result<()> {
    let program = program()?;
    let emulator = Emulator::own(Engine::Ministack);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let org = Organization::in_emulator(&emulator).build().await;
        let setup = ["--option", "s3", "--yes", "--generate-external-id"];
        let role = org.heeler_role_arn();
        let setup = [&["setup", "--heeler-role-arn", &role], &setup[..]].concat();
        if !command(&org, &program, &setup).output()?.status.success() {
            return Err(io::Error::other("setup failed"));
        }
        let mut waits = arrivals(&org, &program).await;
        waits.sort();
        writeln!(
            io::stdout(),
            "\nfrom upload to output, {ARRIVALS} times: median {:.3} s, maximum {:.3} s",
            waits[ARRIVALS / 2].as_secs_f64(),
            waits[ARRIVALS - 1].as_secs_f64(),
        )?;
        upload_objects(&org).await;
        org.proxy().fault(Fault::new("s3", "GetObject", FaultAction::Respond {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/x-gzip".to_owned())],
            body: log_file(&org)?,
        }));
        org.proxy().delay(DELAY);
        let limit = (OBJECTS * RECORDS).to_string();
        let words = ["tail", "--source", "bucket", "-o", "json", "--limit", &limit, "--event", "DescribeInstances"];
        let before = org.proxy().total();
        let shown = command(&org, &program, &words).output()?;
        let calls = org.proxy().calls_since(before);
        let (first, last) = call_span(&calls);
        let bound = DELAY * u32::try_from(OBJECTS).unwrap_or(u32::MAX) / IN_FLIGHT;
        writeln!(
            io::stdout(),
            "\n{OBJECTS} objects of {RECORDS} records, {} ms each: {} lines, {:.2} s from the first request to the last response, \
             {:.2} times the minimum with {IN_FLIGHT} concurrent downloads ({:.2} s)",
            DELAY.as_millis(),
            String::from_utf8_lossy(&shown.stdout).lines().count(),
            (last - first).as_secs_f64(),
            (last - first).as_secs_f64() / bound.as_secs_f64(),
            bound.as_secs_f64(),
        )
    })
}

/// The time from upload to output of each event.
async fn arrivals(org: &Organization, program: &Path) -> Vec<Duration> {
    let tail = HeelerEc::new(org, program);
    let mut tail = tail.args(["tail", "-o", "json"]).spawn().await;
    tail.wait_for_stderr("the queue is then deleted").await;
    let mut waits = Vec::new();
    for _ in 0..ARRIVALS {
        let record = event(
            org.account(),
            org.region(),
            "iam.amazonaws.com",
            "CreateUser",
            false,
        );
        let object = LogFile::new(org.account(), org.region(), vec![record]);
        let started = Instant::now();
        org.deliver(&object).await;
        tail.line().await.expect("the event");
        waits.push(started.elapsed());
    }
    tail.interrupt();
    tail.wait().await.expect_status(130);
    waits
}

fn call_span(calls: &[Call]) -> (std::time::Instant, std::time::Instant) {
    let gets = || calls.iter().filter(|call| call.name() == "s3:GetObject");
    let first = gets().map(|call| call.started).min();
    let last = gets().filter_map(|call| call.finished).max();
    first.zip(last).expect("objects were read")
}

/// Uploads small objects with distinct names. Their content comes from the proxy.
async fn upload_objects(org: &Organization) {
    stream::iter(0..OBJECTS)
        .for_each_concurrent(8, async |_| {
            org.deliver(&LogFile::new(org.account(), org.region(), Vec::new()))
                .await;
        })
        .await;
}

/// A log file of records without event IDs, which are never duplicates, so that all objects can have the same content.
fn log_file(org: &Organization) -> io::Result<Vec<u8>> {
    let mut record = event(
        org.account(),
        org.region(),
        "ec2.amazonaws.com",
        "DescribeInstances",
        true,
    );
    if let Some(fields) = record.as_object_mut() {
        fields.remove("eventID");
    }
    let records: Vec<Value> = vec![record; RECORDS];
    gzip(json!({ "Records": records }).to_string().as_bytes())
}

fn command(org: &Organization, program: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .envs(org.env())
        .env("AWS_ENDPOINT_URL", org.endpoint());
    command
}
