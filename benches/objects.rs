//! Measures how soon `tail` shows an event after its object was put into the bucket, and how fast it fetches many small
//! objects when each takes 50 ms: 1,000 of 20 records.
//!
//! For the first, an object is put into the emulator's bucket as soon as the one before it is on the screen; S3, SNS and
//! SQS of the emulator pass its announcement on. For the
//! second, the release build of the program lists a bucket of the emulator; a proxy answers the requests for objects
//! itself, each after 50 ms, so that neither network nor emulator is measured. With sixteen under way at a time, 1,000 objects
//! take 1,000 / 16 × 50 ms at least. The ratio of the time between the first request and the last answer to that is
//! what counts. `HEELER_EC_PROGRAM` names a program that is built already.

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
/// What `tail` has under way at a time.
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
            "\nfrom an object in the bucket to its event on the screen, {ARRIVALS} times: {:.3} s in the middle, {:.3} s at most",
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
            "\n{OBJECTS} objects of {RECORDS} records, {} ms each: {} lines, {:.2} s from the first request to the last answer, \
             {:.2} times the least with {IN_FLIGHT} under way ({:.2} s)",
            DELAY.as_millis(),
            String::from_utf8_lossy(&shown.stdout).lines().count(),
            (last - first).as_secs_f64(),
            (last - first).as_secs_f64() / bound.as_secs_f64(),
            bound.as_secs_f64(),
        )
    })
}

/// How long each event took from the bucket to the screen.
async fn arrivals(org: &Organization, program: &Path) -> Vec<Duration> {
    let tail = HeelerEc::new(org, program);
    let mut tail = tail.args(["tail", "-o", "json"]).spawn().await;
    tail.wait_for_stderr("is removed at the end").await;
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
        let began = Instant::now();
        org.deliver(&object).await;
        tail.line().await.expect("the event");
        waits.push(began.elapsed());
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

/// Small objects, each with a name of its own; what is in them the proxy says.
async fn upload_objects(org: &Organization) {
    stream::iter(0..OBJECTS)
        .for_each_concurrent(8, async |_| {
            org.deliver(&LogFile::new(org.account(), org.region(), Vec::new()))
                .await;
        })
        .await;
}

/// Records without an id are never taken for duplicates, so that every object can be the same.
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
