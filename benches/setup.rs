//! Measures setup, a second setup and destroy of each option, with 50 ms added to each call.
//!
//! The release build of the program runs against an emulator, through a proxy that delays every call. Concurrent calls
//! cost no time, so the benchmark compares the wall time with the longest chain of dependent calls. It computes the chain
//! from the recorded calls: a call may depend on every call that finished before it started. The ratio of the wall time
//! to the chain times the duration of one call shows the program's own share; 1.0 would be none. The benchmark fails if
//! the ratio of a first setup exceeds its limit.

mod child;
mod program;

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use child::ResourceUsage;
use program::program;
use testkit::{Call, Emulator, Engine, Organization};

/// The delay of every call.
const DELAY: Duration = Duration::from_millis(50);
/// The number of rounds; the median is shown.
const ROUNDS: usize = 3;
const OPTIONS: [&str; 2] = ["s3", "cloudwatch"];
/// The maximum ratio of a first setup, by option.
const MAX_RATIOS: [(&str, f64); 1] = [("cloudwatch", 1.3)];
const COMMANDS: [&str; 3] = ["setup", "setup again", "destroy"];

fn main() -> io::Result<()> {
    let program = program()?;
    let emulator = Emulator::own(Engine::Ministack);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let size = std::fs::metadata(&program)?.len();
    writeln!(
        io::stdout(),
        "\nprogram: {} MB; {} ms added to every call; median of {ROUNDS} rounds",
        megabytes(size),
        DELAY.as_millis()
    )?;
    for option in OPTIONS {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(runtime.block_on(round(&emulator, &program, option))?);
        }
        show(option, &rounds)?;
        check_ratio(option, &rounds)?;
    }
    Ok(())
}

/// Fails if the ratio of a first setup exceeds its limit.
fn check_ratio(option: &str, rounds: &[Round]) -> io::Result<()> {
    let Some((_, max)) = MAX_RATIOS.iter().find(|(name, _)| *name == option) else {
        return Ok(());
    };
    let round = median(rounds, 0);
    let ratio = round.measurements[0].ratio(round.call_duration);
    let result = format!(
        "setup of option {option} takes {ratio:.2} times its chain of calls; the limit is {max:.2}"
    );
    if ratio > *max {
        return Err(io::Error::other(result));
    }
    writeln!(io::stdout(), "\n{result}")
}

/// The round with the median wall time of this command.
fn median(rounds: &[Round], command: usize) -> &Round {
    let mut rounds: Vec<&Round> = rounds.iter().collect();
    rounds.sort_by_key(|round| round.measurements[command].wall);
    rounds[rounds.len() / 2]
}

/// The measurements of the three commands in one organization.
struct Round {
    call_duration: Duration,
    measurements: [Measurement; COMMANDS.len()],
}

/// The measurement of one command.
struct Measurement {
    wall: Duration,
    usage: ResourceUsage,
    calls: Vec<Call>,
}

impl Measurement {
    fn ratio(&self, call_duration: Duration) -> f64 {
        let chain = u32::try_from(chain(&self.calls).len())
            .unwrap_or(u32::MAX)
            .max(1);
        self.wall.as_secs_f64() / (call_duration * chain).as_secs_f64()
    }
}

async fn round(emulator: &Emulator, program: &Path, option: &str) -> io::Result<Round> {
    let org = Organization::in_emulator(emulator)
        .bucket_key()
        .other_notifications();
    let org = match option {
        "cloudwatch" => org.log_group(),
        _ => org,
    };
    let org = org.build().await;
    org.proxy().delay(DELAY);
    let role = org.heeler_role_arn();
    let setup = [
        "setup",
        "--option",
        option,
        "--yes",
        "--heeler-role-arn",
        &role,
    ];
    let first: Vec<&str> = setup
        .iter()
        .copied()
        .chain(["--generate-external-id"])
        .collect();
    let measurements = [
        measure(&org, program, &first)?,
        measure(&org, program, &setup)?,
        measure(&org, program, &["destroy", "--yes"])?,
    ];
    Ok(Round {
        call_duration: measure_call(&org).await,
        measurements,
    })
}

fn measure(org: &Organization, program: &Path, words: &[&str]) -> io::Result<Measurement> {
    let before = org.proxy().total();
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .envs(org.env())
        .env("AWS_ENDPOINT_URL", org.endpoint());
    let started = Instant::now();
    let usage = child::run(&mut command)?;
    Ok(Measurement {
        wall: started.elapsed(),
        usage,
        calls: org.proxy().calls_since(before),
    })
}

/// Measures the mean duration of sequential calls to each service on open connections.
async fn measure_call(org: &Organization) -> Duration {
    let clients = org.clients_through_proxy();
    let (mut total, mut calls) = (Duration::ZERO, 0);
    for number in 0..5 {
        let started = Instant::now();
        clients
            .sts
            .get_caller_identity()
            .send()
            .await
            .expect("the caller");
        clients.iam.list_roles().send().await.expect("roles");
        clients.sns.list_topics().send().await.expect("topics");
        clients.sqs.list_queues().send().await.expect("queues");
        clients.kms.list_keys().send().await.expect("keys");
        let functions = clients.lambda.list_functions().send().await;
        functions.expect("functions");
        let groups = clients.logs.describe_log_groups().send().await;
        groups.expect("log groups");
        clients
            .s3
            .head_bucket()
            .bucket(org.bucket())
            .send()
            .await
            .expect("the bucket");
        // The first call of each client opens a connection.
        if number > 0 {
            total += started.elapsed();
            calls += 8;
        }
    }
    total / calls
}

/// The longest sequence of calls in which each call started after the previous one finished.
fn chain(calls: &[Call]) -> Vec<&Call> {
    // For each call: the length of the longest chain that ends with it, and the previous call of that chain.
    let mut chains: Vec<(usize, Option<usize>)> = Vec::with_capacity(calls.len());
    for call in calls {
        let finished_before = |earlier: &usize| {
            calls[*earlier]
                .finished
                .is_some_and(|end| end <= call.started)
        };
        let before = (0..chains.len())
            .filter(finished_before)
            .max_by_key(|earlier| chains[*earlier].0);
        chains.push((1 + before.map_or(0, |before| chains[before].0), before));
    }
    let mut next = (0..chains.len()).max_by_key(|last| chains[*last].0);
    let mut chain = Vec::new();
    while let Some(number) = next {
        chain.push(&calls[number]);
        next = chains[number].1;
    }
    chain.reverse();
    chain
}

fn show(option: &str, rounds: &[Round]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "\n{option:<12} {:>5} {:>5} {:>6} {:>5} {:>9} {:>7} {:>5} {:>6} {:>8}",
        "calls", "reads", "writes", "chain", "one call", "wall", "ratio", "CPU", "peak"
    )?;
    for (number, name) in COMMANDS.iter().enumerate() {
        let round = median(rounds, number);
        let measured = &round.measurements[number];
        let writes = measured.calls.iter().filter(|call| call.writes()).count();
        writeln!(
            out,
            "{name:<12} {:>5} {:>5} {writes:>6} {:>5} {:>6.1} ms {:>5.2} s {:>5.2} {:>6} {:>8}",
            measured.calls.len(),
            measured.calls.len() - writes,
            chain(&measured.calls).len(),
            round.call_duration.as_secs_f64() * 1000.0,
            measured.wall.as_secs_f64(),
            measured.ratio(round.call_duration),
            measured
                .usage
                .cpu
                .map_or("-".to_owned(), |cpu| format!("{:.2} s", cpu.as_secs_f64())),
            measured
                .usage
                .memory
                .map_or("-".to_owned(), |bytes| format!("{} MB", megabytes(bytes))),
        )?;
    }
    if let Some(round) = rounds.first() {
        let names: Vec<String> = chain(&round.measurements[0].calls)
            .iter()
            .map(|call| call.name())
            .collect();
        writeln!(
            out,
            "\nThe chain of setup in the first round:\n  {}",
            names.join("\n  ")
        )?;
    }
    Ok(())
}

/// Formats bytes in megabytes with one decimal.
fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10)
}
