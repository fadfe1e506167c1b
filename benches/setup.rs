//! Measures how long setup, a second setup, and destroy of each option take when every call takes 50 ms longer.
//!
//! The release build of the program runs against an emulator, through a proxy that holds every call up. What counts
//! is the longest chain of calls that had to wait for each other, because calls side by side cost no time. The chain
//! is computed from what the proxy saw: a call can have waited for every call that was answered before it began, so
//! the longest row of calls in which each began after the one before was answered is at least the longest chain of
//! dependent calls. The ratio of the wall clock to the length of the chain times the time of one call, measured in
//! the same run, says how much the program adds of its own: 1.0 would be nothing. The benchmark fails when a first setup
//! adds more than is promised.

mod child;
mod program;

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use child::Used;
use program::program;
use testkit::{Call, Emulator, Engine, Organization};

/// What is added to every call.
const DELAY: Duration = Duration::from_millis(50);
/// How often all is done; the round in the middle is shown.
const ROUNDS: usize = 3;
const OPTIONS: [&str; 2] = ["s3", "cloudwatch"];
/// The largest ratio of a first setup, where one is promised.
const PROMISED: [(&str, f64); 1] = [("cloudwatch", 1.3)];
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
        "\nprogram: {} MB; {} ms added to every call; the middle one of {ROUNDS} rounds",
        megabytes(size),
        DELAY.as_millis()
    )?;
    for option in OPTIONS {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(runtime.block_on(round(&emulator, &program, option))?);
        }
        show(option, &rounds)?;
        hold(option, &rounds)?;
    }
    Ok(())
}

/// Says whether the promise is kept, and fails when it is not.
fn hold(option: &str, rounds: &[Round]) -> io::Result<()> {
    let Some((_, most)) = PROMISED.iter().find(|(named, _)| *named == option) else {
        return Ok(());
    };
    let round = middle(rounds, 0);
    let ratio = round.measured[0].ratio(round.one_call);
    let told = format!(
        "setup of option {option} takes {ratio:.2} times its chain of calls; {most:.2} is promised"
    );
    if ratio > *most {
        return Err(io::Error::other(told));
    }
    writeln!(io::stdout(), "\n{told}")
}

/// The round that took neither longest nor shortest with this command.
fn middle(rounds: &[Round], command: usize) -> &Round {
    let mut rounds: Vec<&Round> = rounds.iter().collect();
    rounds.sort_by_key(|round| round.measured[command].wall);
    rounds[rounds.len() / 2]
}

/// The three commands in an organization of their own.
struct Round {
    one_call: Duration,
    measured: [Measured; COMMANDS.len()],
}

/// What one command came to.
struct Measured {
    wall: Duration,
    used: Used,
    calls: Vec<Call>,
}

impl Measured {
    fn ratio(&self, one_call: Duration) -> f64 {
        let chain = u32::try_from(chain(&self.calls).len())
            .unwrap_or(u32::MAX)
            .max(1);
        self.wall.as_secs_f64() / (one_call * chain).as_secs_f64()
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
    let measured = [
        measure(&org, program, &first)?,
        measure(&org, program, &setup)?,
        measure(&org, program, &["destroy", "--yes"])?,
    ];
    Ok(Round {
        one_call: one_call(&org).await,
        measured,
    })
}

fn measure(org: &Organization, program: &Path, words: &[&str]) -> io::Result<Measured> {
    let before = org.proxy().total();
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .envs(org.env())
        .env("AWS_ENDPOINT_URL", org.endpoint());
    let started = Instant::now();
    let used = child::run(&mut command)?;
    Ok(Measured {
        wall: started.elapsed(),
        used,
        calls: org.proxy().calls_since(before),
    })
}

/// The time of one call: the mean of some to each service, one after another, with connections that stay open.
async fn one_call(org: &Organization) -> Duration {
    let clients = org.clients_through_proxy();
    let (mut spent, mut calls) = (Duration::ZERO, 0);
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
        // The first of each opens a connection.
        if number > 0 {
            spent += started.elapsed();
            calls += 8;
        }
    }
    spent / calls
}

/// The longest row of calls in which each began after the one before was answered.
fn chain(calls: &[Call]) -> Vec<&Call> {
    // Of each call: how long the longest row is that ends with it, and which call comes before it.
    let mut rows: Vec<(usize, Option<usize>)> = Vec::with_capacity(calls.len());
    for call in calls {
        let answered = |earlier: &usize| {
            calls[*earlier]
                .finished
                .is_some_and(|end| end <= call.started)
        };
        let before = (0..rows.len())
            .filter(answered)
            .max_by_key(|earlier| rows[*earlier].0);
        rows.push((1 + before.map_or(0, |before| rows[before].0), before));
    }
    let mut next = (0..rows.len()).max_by_key(|last| rows[*last].0);
    let mut chain = Vec::new();
    while let Some(number) = next {
        chain.push(&calls[number]);
        next = rows[number].1;
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
        let round = middle(rounds, number);
        let measured = &round.measured[number];
        let writes = measured.calls.iter().filter(|call| call.writes()).count();
        writeln!(
            out,
            "{name:<12} {:>5} {:>5} {writes:>6} {:>5} {:>6.1} ms {:>5.2} s {:>5.2} {:>6} {:>8}",
            measured.calls.len(),
            measured.calls.len() - writes,
            chain(&measured.calls).len(),
            round.one_call.as_secs_f64() * 1000.0,
            measured.wall.as_secs_f64(),
            measured.ratio(round.one_call),
            measured
                .used
                .cpu
                .map_or("-".to_owned(), |cpu| format!("{:.2} s", cpu.as_secs_f64())),
            measured
                .used
                .memory
                .map_or("-".to_owned(), |bytes| format!("{} MB", megabytes(bytes))),
        )?;
    }
    if let Some(round) = rounds.first() {
        let names: Vec<String> = chain(&round.measured[0].calls)
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

/// Millions of bytes with one digit after the point.
fn megabytes(bytes: u64) -> String {
    format!("{}.{}", bytes / 1_000_000, bytes / 100_000 % 10)
}
