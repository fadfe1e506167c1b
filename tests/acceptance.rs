//! The acceptance suite for real accounts, run against an emulator.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use testkit::log_file::event;
use testkit::{CloudTrailDelays, Fault, FaultAction, LogFile, Organization};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::commands::organization_for;
use crate::source;

const NOTHING: [String; 0] = [];

/// Starts the suite for one option, and answers its question.
async fn start(org: &Organization, option: &str, account: &str, report: &Path) -> Child {
    let script = source::root().join("tests/acceptance/run.py");
    let mut suite = Command::new(testkit::emulator::interpreter("awscli"))
        .arg(script)
        .env_clear()
        .envs(org.env())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_ENDPOINT_URL", org.endpoint())
        .env("HEELER_EC_PROGRAM", env!("CARGO_BIN_EXE_heeler-ec"))
        .env("HEELER_EC_ACCEPTANCE_ACCOUNT", account)
        .env("HEELER_EC_ACCEPTANCE_OPTIONS", option)
        .env("HEELER_EC_ACCEPTANCE_REPORT", report)
        .env("HEELER_EC_ACCEPTANCE_WAIT", "60")
        // The emulators do not invoke functions for subscription filters.
        .env("HEELER_EC_ACCEPTANCE_FUNCTION", "none")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the acceptance suite");
    let mut stdin = suite.stdin.take().expect("a pipe");
    let answer = format!("{}\n", org.account());
    // The suite may have ended before it asks.
    let _ = stdin.write_all(answer.as_bytes()).await;
    suite
}

/// Refuses the role that trusts a missing principal. AWS refuses it with a code for which setup waits two minutes.
fn refuse_missing_principal(org: &Organization) {
    let message = "not authorized to perform: iam:CreateRole with an explicit deny in an identity-based policy";
    let refusal = FaultAction::refuse(403, "AccessDenied", message);
    let fault = Fault::new("iam", "CreateRole", refusal).with_body_containing("-missing");
    org.proxy().fault(fault);
}

/// Delivers an event each second.
async fn deliver(org: &Organization) {
    loop {
        let (account, region) = (org.account(), org.region());
        let record = event(account, region, "iam.amazonaws.com", "CreateUser", false);
        if org.log_group().is_some() {
            org.put_log_events(&[record.to_string()]).await;
        } else {
            let file = LogFile::new(account, region, vec![record]);
            org.deliver(&file).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The status and the output of the suite.
async fn wait(suite: Child, org: &Organization) -> (Option<i32>, String) {
    let output = tokio::select! {
        output = suite.wait_with_output() => output.expect("the output of the suite"),
        () = deliver(org) => unreachable!("deliveries have no end"),
    };
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.code(), text.concat())
}

fn report_file(org: &Organization) -> PathBuf {
    let folder = source::root().join("target/acceptance");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join(format!("{}.md", org.account()))
}

async fn assert_life_cycle_passes(option: &str) {
    let org = organization_for(option).await;
    let (before, report) = (org.notification().await, report_file(&org));
    refuse_missing_principal(&org);
    org.play_cloudtrail(CloudTrailDelays::NONE);
    let suite = start(&org, option, org.account(), &report).await;
    let (status, output) = wait(suite, &org).await;
    assert_eq!(status, Some(0), "{output}");
    assert_eq!(org.leftovers().await, NOTHING, "{output}");
    assert_eq!(org.notification().await, before);
    let violations: Vec<String> = org
        .proxy()
        .calls()
        .iter()
        .flat_map(testkit::strict::violations)
        .collect();
    assert_eq!(violations, NOTHING);
    let report = std::fs::read_to_string(&report).expect("a report");
    for part in [
        "Result: passed",
        "| iam:CreateRole | 200 |",
        "UpdateRole without MaxSessionDuration",
        ": rollback | 3 |",
        ": verify | 0 |",
        ": support | 0 |",
    ] {
        assert!(report.contains(part), "no {part:?} in {report}");
    }
}

#[tokio::test]
async fn acceptance_suite_passes_for_option_s3() {
    assert_life_cycle_passes("s3").await;
}

#[tokio::test]
async fn acceptance_suite_passes_for_option_cloudwatch() {
    assert_life_cycle_passes("cloudwatch").await;
}

#[tokio::test]
async fn acceptance_suite_refuses_another_account() {
    let org = organization_for("s3").await;
    let report = report_file(&org);
    let suite = start(&org, "s3", "999988887777", &report).await;
    let (status, output) = wait(suite, &org).await;
    assert_eq!(status, Some(1), "{output}");
    assert!(output.contains("not to 999988887777"), "{output}");
    assert!(org.proxy().calls().iter().all(|call| !call.writes()));
}

#[tokio::test]
async fn interrupted_acceptance_suite_cleans_up() {
    let org = organization_for("s3").await;
    refuse_missing_principal(&org);
    let gate = org.proxy().hold("sqs", "SetQueueAttributes");
    let report = report_file(&org);
    let suite = start(&org, "s3", org.account(), &report).await;
    let id = suite.id().expect("a running suite");
    gate.wait_for_call().await;
    testkit::program::interrupt(id);
    gate.open();
    let (status, output) = wait(suite, &org).await;
    assert_eq!(status, Some(1), "{output}");
    assert!(output.contains("Result: interrupted"), "{output}");
    assert_eq!(org.leftovers().await, NOTHING, "{output}");
}
