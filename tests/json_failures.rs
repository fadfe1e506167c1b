//! The document of every command with `-o json` for each class of failure: usage, no credentials, denied, no network,
//! partial failure and interrupt.
//!
//! The program runner of testkit validates each document against its schema; these tests add the values.

use std::collections::BTreeSet;
use std::time::Duration;

use heeler_ec::cli;
use serde_json::Value;
use testkit::{Engine, Fault, FaultAction, HeelerEc, Organization, Run};

use crate::commands::{destroy, document, error, heeler_ec, json, setup};

/// The values of the external ID and the role in a first setup.
const FIRST: &[&str] = &[
    "--generate-external-id",
    "--heeler-role-arn",
    "arn:aws:iam::999900001111:role/heeler-security",
];

/// The arguments of every command that calls AWS, without the output format. `BACKUP` is the path of a backup.
const COMMANDS: &[&[&str]] = &[
    &["preflight", "--option", "s3"],
    &["preflight"],
    &["plan"],
    &["plan", "--option", "s3"],
    &["setup", "--option", "s3", "--yes"],
    &["setup", "--option", "s3", "--dry-run"],
    &["outputs"],
    &["list"],
    &["status"],
    &["coverage"],
    &["cost"],
    &["dlq"],
    &["dlq", "redrive", "--yes"],
    &["verify"],
    &["support", "--dry-run"],
    &["export", "terraform"],
    &["tail"],
    &["destroy", "--yes"],
    &["restore", "BACKUP", "--yes"],
    &["policy", "setup"],
];

/// The subcommands without calls.
const OFFLINE: &[&str] = &["completions", "explain", "help"];

#[test]
fn every_command_has_json_failures() {
    let tested = COMMANDS.iter().map(|words| words[0]);
    let tested: BTreeSet<&str> = tested.chain(OFFLINE.iter().copied()).collect();
    let mut root = cli::command();
    root.build();
    let commands = root.get_subcommands().map(clap::Command::get_name);
    assert_eq!(commands.collect::<BTreeSet<_>>(), tested);
}

/// An organization with a deployment of option s3 and a backup of it.
struct Deployed {
    org: Organization,
    folder: tempfile::TempDir,
}

impl Deployed {
    async fn new() -> Deployed {
        let org = Organization::on(Engine::Ministack).build().await;
        let deployed = Deployed {
            org,
            folder: tempfile::tempdir().expect("a folder"),
        };
        let run = setup(&deployed.org).args(["--backup", &deployed.backup()]);
        run.run().await.expect_status(0);
        deployed
    }

    fn backup(&self) -> String {
        self.folder.path().join("backup.json").display().to_string()
    }

    fn as_json(&self, words: &[&str]) -> HeelerEc<'_> {
        let backup = self.backup();
        let words = words.iter().map(|word| match *word {
            "BACKUP" => backup.clone(),
            word => word.to_owned(),
        });
        let run = heeler_ec(&self.org).args(words);
        run.args(["-o", "json", "--progress", "json"])
    }
}

/// The error of a run, whose exit code is that of the run.
#[track_caller]
fn expect_error(run: &Run) -> Value {
    let error = error(run);
    assert_eq!(error["exit_code"], run.status, "{error:#}");
    let line = run.stderr.lines().last().unwrap_or_default();
    let line: Value = serde_json::from_str(line).expect("a JSON line");
    assert_eq!(line["error"], error, "{}", run.stderr);
    error
}

/// The number of calls that were denied or failed, or of steps that were not known, in a result without an error.
#[track_caller]
fn unknown_checks(run: &Run) -> usize {
    let document = json(run);
    let reports = match document.get("options") {
        Some(reports) => reports.as_array().expect("reports").clone(),
        None => vec![document],
    };
    let unknown = reports
        .iter()
        .map(|report| report["counts"]["unknown"].as_u64());
    unknown
        .map(|count| usize::try_from(count.unwrap_or(0)).unwrap_or(0))
        .sum()
}

#[tokio::test]
async fn usage_error_of_every_command_is_json() {
    let org = Organization::on(Engine::Ministack).build().await;
    let mut root = cli::command();
    root.build();
    let names = root.get_subcommands().map(clap::Command::get_name);
    for name in names.filter(|name| *name != "help") {
        let run = heeler_ec(&org).args([name, "--nothing", "-o", "json", "--progress", "json"]);
        let run = run.run().await.expect_status(2);
        let error = expect_error(&run);
        assert_eq!(error["operation"], Value::Null, "{name}");
        assert!(error["cause"].is_string(), "{error}");
        let is_wrapped = document(&run).get("result").is_some();
        assert_eq!(
            is_wrapped,
            !["policy", "export", "tail"].contains(&name),
            "{name}"
        );
        assert_eq!(run.calls.len(), 0, "{name}");
    }
}

/// Asserts that all commands fail with a JSON error. Only `policy` has a result, with placeholders instead of names.
async fn expect_failures<'a>(
    deployed: &'a Deployed,
    change: impl Fn(HeelerEc<'a>) -> HeelerEc<'a>,
) -> Vec<Value> {
    let mut errors = Vec::new();
    for words in COMMANDS {
        let run = change(deployed.as_json(words)).run().await;
        assert_eq!(run.writes().len(), 0, "{words:?}");
        if words[0] == "policy" {
            assert!(json(&run.expect_status(0))["Statement"].is_array());
        } else {
            errors.push(expect_error(&run.expect_status(3)));
        }
    }
    errors
}

#[tokio::test]
async fn missing_credentials_of_every_command_are_json() {
    let deployed = Deployed::new().await;
    let errors = expect_failures(&deployed, |run| {
        run.env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .env("AWS_EC2_METADATA_DISABLED", "true")
    });
    for error in errors.await {
        assert!(error["hint"].is_string(), "{error}");
    }
}

#[tokio::test]
async fn denied_caller_of_every_command_is_json() {
    let deployed = Deployed::new().await;
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    deployed.org.proxy().fault(Fault::new("*", "*", refusal));
    for error in expect_failures(&deployed, |run| run).await {
        assert_eq!(error["code"], "AccessDenied", "{error}");
        assert!(error["operation"].is_string(), "{error}");
    }
}

#[tokio::test]
async fn unreachable_network_of_every_command_is_json() {
    let deployed = Deployed::new().await;
    let errors = expect_failures(&deployed, |run| {
        run.without_endpoint()
            .args(["--endpoint-url", "http://127.0.0.1:1"])
            .env("AWS_MAX_ATTEMPTS", "1")
    });
    for error in errors.await {
        assert_eq!(error["code"], Value::Null, "{error}");
        assert_eq!(error["request_id"], Value::Null, "{error}");
    }
}

/// The caller is known, and every other call is denied.
#[tokio::test]
async fn denied_calls_of_every_command_are_json() {
    let deployed = Deployed::new().await;
    let proxy = deployed.org.proxy();
    let pass = FaultAction::Delay(Duration::ZERO);
    proxy.fault(Fault::new("sts", "*", pass));
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    proxy.fault(Fault::new("*", "*", refusal));
    for words in COMMANDS {
        let run = deployed.as_json(words).run().await;
        assert_eq!(run.writes().len(), 0, "{words:?}");
        match words[0] {
            "policy" => assert!(json(&run.expect_status(0))["Statement"].is_array()),
            "preflight" => {
                let run = run.expect_status(1);
                assert!(unknown_checks(&run) > 0, "{}", run.stdout);
            }
            "plan" | "setup" if words.contains(&"--option") => {
                let error = expect_error(&run.expect_status(1));
                assert!(error["hint"].is_string(), "{error}");
            }
            _ => {
                let error = expect_error(&run.expect_status(3));
                assert_eq!(error["code"], "AccessDenied", "{words:?}");
                assert!(error["operation"].is_string(), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn interrupt_of_every_command_is_json() {
    let deployed = Deployed::new().await;
    let proxy = deployed.org.proxy();
    for words in COMMANDS {
        let gate = proxy.hold("sts", "GetCallerIdentity");
        let running = deployed.as_json(words).spawn().await;
        gate.wait_for_call().await;
        running.interrupt();
        let run = running.wait().await.expect_status(130);
        gate.open();
        proxy.clear_faults();
        if words[0] == "tail" {
            // An interrupt is the usual end of tail.
            assert_eq!(run.stdout, "");
        } else {
            expect_error(&run);
        }
        assert_eq!(run.writes().len(), 0, "{words:?}");
    }
}

/// The statuses of the steps or documents of a result.
#[track_caller]
fn statuses(run: &Run) -> BTreeSet<String> {
    let result = document(run)["result"].take();
    let rows = result.get("steps").or_else(|| result.get("documents"));
    let rows = rows.and_then(Value::as_array).expect("steps or documents");
    rows.iter()
        .map(|row| row["status"].as_str().expect("a status").to_owned())
        .collect()
}

#[tokio::test]
async fn interrupt_between_writes_has_result_and_error() {
    let org = Organization::on(Engine::Ministack).build().await;
    let folder = tempfile::tempdir().expect("a folder");
    let backup = folder.path().join("backup.json").display().to_string();
    for (service, operation, words, expected) in [
        (
            "sns",
            "Subscribe",
            [&["setup", "--option", "s3", "--yes"][..], FIRST].concat(),
            &["done", "skipped"][..],
        ),
        (
            "s3",
            "PutBucketNotificationConfiguration",
            vec!["restore", &backup, "--yes"],
            &["done"],
        ),
        (
            "sqs",
            "DeleteQueue",
            vec!["destroy", "--yes"],
            &["done", "skipped"],
        ),
    ] {
        let gate = org.proxy().hold(service, operation);
        let running = heeler_ec(&org)
            .args(&words)
            .args(["-o", "json", "--progress", "json"])
            .spawn()
            .await;
        gate.wait_for_call().await;
        running.interrupt();
        running.wait_for_stderr("Interrupted").await;
        gate.open();
        let run = running.wait().await;
        org.proxy().clear_faults();
        let statuses = statuses(&run);
        for status in expected {
            assert!(statuses.contains(*status), "{words:?}: {statuses:?}");
        }
        // All documents of the backup were restored before the interrupt took effect.
        if words[0] == "restore" {
            run.expect_status(0);
        } else {
            expect_error(&run.expect_status(130));
        }
        if words[0] == "setup" {
            destroy(&org).run().await.expect_status(0);
            let run = setup(&org).args(["--backup", &backup]);
            run.run().await.expect_status(0);
        }
    }
}

#[tokio::test]
async fn partial_failure_has_result_and_error() {
    let deployed = Deployed::new().await;
    let org = &deployed.org;
    for (service, operation, words, status) in [
        ("sns", "GetSubscriptionAttributes", &["plan"][..], ""),
        (
            "sns",
            "GetSubscriptionAttributes",
            &["setup", "--option", "s3", "--dry-run"],
            "",
        ),
        (
            "sns",
            "GetTopicAttributes",
            &["destroy", "--dry-run"],
            "pending",
        ),
        (
            "sns",
            "GetTopicAttributes",
            &["destroy", "--yes"],
            "pending",
        ),
        (
            "s3",
            "PutBucketNotificationConfiguration",
            &["restore", "BACKUP", "--yes"],
            "failed",
        ),
        ("sqs", "DeleteQueue", &["destroy", "--yes"], "failed"),
    ] {
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
        org.proxy().fault(Fault::new(service, operation, refusal));
        let run = deployed.as_json(words).run().await.expect_status(3);
        org.proxy().clear_faults();
        let error = expect_error(&run);
        assert_eq!(error["code"], "AccessDenied", "{words:?}");
        let result = document(&run)["result"].take();
        assert!(result.is_object(), "{words:?}: {}", run.stdout);
        if !status.is_empty() {
            assert!(statuses(&run).contains(status), "{words:?}: {result:#}");
        }
    }
    destroy(org).run().await;
    for (words, status) in [
        (&[][..], "done"),
        (&["--on-failure", "rollback"], "rolled_back"),
    ] {
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
        org.proxy()
            .fault(Fault::new("sqs", "SetQueueAttributes", refusal));
        let words = [&["setup", "--option", "s3", "--yes"][..], FIRST, words].concat();
        let run = deployed.as_json(&words).run().await.expect_status(3);
        org.proxy().clear_faults();
        assert_eq!(expect_error(&run)["code"], "AccessDenied");
        assert_eq!(document(&run)["result"]["outputs"], Value::Null);
        assert!(statuses(&run).contains(status), "{}", run.stdout);
        destroy(org).run().await;
    }
}

/// The commands without steps print only the error; their documents would be incomplete.
#[tokio::test]
async fn partial_failure_without_steps_is_json_error() {
    let deployed = Deployed::new().await;
    let proxy = deployed.org.proxy();
    for (service, operation, words) in [
        ("sqs", "GetQueueUrl", &["outputs"][..]),
        ("sns", "GetTopicAttributes", &["export", "terraform"]),
        ("sqs", "CreateQueue", &["tail"]),
    ] {
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
        proxy.fault(Fault::new(service, operation, refusal));
        let run = deployed.as_json(words).run().await.expect_status(3);
        proxy.clear_faults();
        assert_eq!(expect_error(&run)["code"], "AccessDenied", "{words:?}");
    }
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    proxy.fault(Fault::new("cloudtrail", "GetTrailStatus", refusal));
    let run = deployed
        .as_json(&["preflight", "--option", "s3"])
        .run()
        .await;
    assert!(unknown_checks(&run.expect_status(1)) > 0);
    let run = deployed.as_json(&["policy", "setup"]).run().await;
    assert!(json(&run.expect_status(0))["Statement"].is_array());
    proxy.clear_faults();
    let files = ["tail", "tests/fixtures/tail/objects"];
    let run = deployed.as_json(&files).run().await.expect_status(3);
    assert!(run.stdout.lines().count() > 1, "{}", run.stdout);
}
