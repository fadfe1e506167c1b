//! The fault matrix: every fault on every distinct call of every command, and the state that is left afterwards.
//!
//! `make faults` runs all cases, and `make test` a fixed sample. `case` names the cases, `inject` injects a fault, `run`
//! runs a case and evaluates it, and `table` prints the outcomes.

mod case;
mod inject;
mod run;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use futures_util::StreamExt;

use case::{Case, Kind};
use run::{Outcome, Pool, run_case};

/// Cases that run at the same time.
const CONCURRENT_CASES: usize = 4;

/// Cases of each kind, command and option that `make test` runs.
const SAMPLE: &[&str] = &[
    "setup/s3/kms:CreateKey/refused always",
    "setup/s3/sqs:CreateQueue/refused once",
    "setup/s3/sqs:CreateQueue/reset before",
    "setup/s3/sns:CreateTopic/reset after",
    "setup/s3/iam:CreateRole/cut",
    "setup/s3/sns:CreateTopic/empty 200",
    "setup/s3/sqs:CreateQueue/stalled",
    "setup/s3/*/short outage",
    "setup/s3/*/read lag 3",
    "setup/s3/kms:CreateKey/HTML 200",
    "setup/s3/iam:AttachRolePolicy/killed",
    "setup/s3/iam:GetRole/refused always",
    "setup/s3/*/30% throttled",
    "setup/cloudwatch/lambda:CreateFunction/reset after",
    "setup/cloudwatch/logs:PutSubscriptionFilter/refused five times",
    "setup/cloudwatch/logs:DescribeSubscriptionFilters/empty 200",
    "destroy/s3/sqs:DeleteQueue/reset after",
    "destroy/s3/sns:Unsubscribe/refused always",
    "destroy/s3/sns:DeleteTopic/stalled",
    "destroy/s3/kms:ScheduleKeyDeletion/killed",
    "destroy/cloudwatch/lambda:DeleteFunction/cut",
    "destroy/cloudwatch/iam:GetRole/HTML 200",
    "plan/s3/kms:DescribeKey/refused always",
    "plan/s3/sqs:GetQueueAttributes/HTML 200",
    "plan/cloudwatch/*/expired credentials",
    "preflight/s3/organizations:DescribeOrganization/empty 200",
    "preflight/cloudwatch/*/10% 503",
    "outputs/s3/iam:GetRole/refused always",
    "export/s3/*/10% 500",
    "dlq/s3/sqs:ReceiveMessage/refused always",
    "dlq/cloudwatch/sqs:ChangeMessageVisibilityBatch/reset after",
    "redrive/s3/sqs:StartMessageMoveTask/reset after",
    "redrive/s3/sqs:StartMessageMoveTask/killed",
    "redrive/cloudwatch/sqs:ListMessageMoveTasks/HTML 200",
    "tail/s3/sqs:CreateQueue/reset before",
    "tail/cloudwatch/logs:FilterLogEvents/refused always",
    "status/s3/s3:GetBucketNotificationConfiguration/HTML 200",
    "status/cloudwatch/*/30% throttled",
    "verify/s3/sqs:CreateQueue/reset after",
    "verify/cloudwatch/sqs:TagQueue/refused always",
    "coverage/s3/s3:ListObjectsV2/refused always",
    "support/cloudwatch/lambda:GetFunction/empty 200",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sample_of_fault_cases_is_never_bad() {
    assert!(SAMPLE.len() <= 60);
    let cases = SAMPLE
        .iter()
        .map(|name| Case::parse(name).unwrap_or_else(|| panic!("{name} is not a case")));
    let started = Instant::now();
    let outcomes = run_all(cases.collect(), |_, _| {}).await;
    table::assert_none_bad(&outcomes, started.elapsed());
}

/// Runs all cases, or a part of them: `SHARD=1/4` selects a quarter, and `CASES=TEXT` the names that contain a text.
///
/// Outcomes are stored in `target/faults/`, and a second run skips the cases that were not bad.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes about an hour; make faults runs it"]
async fn all_fault_cases() {
    let started = Instant::now();
    let (file, mut outcomes) = stored_outcomes();
    let shard = std::env::var("SHARD").ok().map(|text| parse_shard(&text));
    let filter = std::env::var("CASES").unwrap_or_default();
    let all = case::all().await;
    let total = all.len();
    let mut cases: Vec<Case> = all.into_iter().collect();
    if let Some((part, parts)) = shard {
        let numbered = cases.into_iter().enumerate();
        cases = numbered
            .filter(|(n, _)| n % parts == part - 1)
            .map(|(_, case)| case)
            .collect();
    }
    cases.retain(|case| case.name().contains(&filter));
    let selected: Vec<String> = cases.iter().map(Case::name).collect();
    outcomes.retain(|name, _| selected.contains(name));
    cases.retain(|case| !outcomes.get(&case.name()).is_some_and(Outcome::is_good));
    table::note(&format!(
        "{total} cases, {} selected, {} to run",
        selected.len(),
        cases.len()
    ));
    let count = cases.len();
    let mut done = 0;
    let new = run_all(cases, |name, outcome| {
        done += 1;
        store(&file, name, outcome);
        if !outcome.is_good() || done % 20 == 0 {
            table::note(&format!("{done}/{count} {name}: {outcome}"));
        }
    })
    .await;
    outcomes.extend(new);
    table::assert_none_bad(&outcomes, started.elapsed());
}

/// Runs cases concurrently, and returns their outcomes by name.
async fn run_all(
    cases: Vec<Case>,
    mut done: impl FnMut(&str, &Outcome),
) -> BTreeMap<String, Outcome> {
    let pool = Pool::default();
    let mut running = futures_util::stream::iter(cases)
        .map(|case| {
            let pool = pool.clone();
            async move {
                let name = case.name();
                let outcome = tokio::spawn(run_case(case, pool)).await;
                let outcome = outcome.unwrap_or_else(|error| Outcome::Bad(panic_text(error)));
                (name, outcome)
            }
        })
        .buffer_unordered(CONCURRENT_CASES);
    let mut outcomes = BTreeMap::new();
    while let Some((name, outcome)) = running.next().await {
        done(&name, &outcome);
        outcomes.insert(name, outcome);
    }
    outcomes
}

/// The message of a panic.
fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "the case was cancelled".to_owned();
    };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "the case panicked".to_owned())
}

/// The part and the number of parts of `1/4`.
fn parse_shard(text: &str) -> (usize, usize) {
    let parsed = text.split_once('/').and_then(|(part, parts)| {
        let (part, parts) = (part.parse().ok()?, parts.parse().ok()?);
        (1 <= part && part <= parts).then_some((part, parts))
    });
    parsed.unwrap_or_else(|| panic!("SHARD is {text:?}, but must be like 1/4"))
}

/// The file of outcomes of this shard, and what it has.
fn stored_outcomes() -> (PathBuf, BTreeMap<String, Outcome>) {
    let shard = std::env::var("SHARD")
        .unwrap_or_default()
        .replace('/', "-of-");
    let folder = crate::source::root().join("target/faults");
    std::fs::create_dir_all(&folder).expect("the folder of outcomes");
    let file = folder.join(format!("outcomes{shard}.tsv"));
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    let outcomes = lines.map(|(name, outcome)| (name.to_owned(), Outcome::parse(outcome)));
    (file, outcomes.collect())
}

fn store(file: &PathBuf, name: &str, outcome: &Outcome) {
    use std::io::Write;
    let line = format!(
        "{name}\t{}\n",
        outcome.to_string().replace(['\n', '\t'], " ")
    );
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file);
    opened
        .expect("the file of outcomes")
        .write_all(line.as_bytes())
        .expect("a stored outcome");
}

#[test]
fn names_of_fault_cases_are_parsed() {
    for kind in Kind::ALL {
        let name = format!("setup/s3/sqs:CreateQueue/{}", kind.name());
        let case = Case::parse(&name).expect("a case");
        assert_eq!((case.kind, case.name()), (kind, name));
    }
    for wrong in [
        "setup/s3/*",
        "fly/s3/*/cut",
        "setup/none/*/cut",
        "setup/s3/*/none",
    ] {
        assert!(Case::parse(wrong).is_none(), "{wrong}");
    }
}
