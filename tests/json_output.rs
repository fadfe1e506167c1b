//! The document of every command with `-o json`, for success and for each class of failure.
//!
//! The program runner of testkit validates each document against its schema; these tests add the values.

use crate::commands::{destroy, document, error, heeler_ec, json, plan, preflight, setup};
use serde_json::Value;
use testkit::{Engine, Fault, FaultAction, HeelerEc, Organization};

/// Command lines that need AWS, without the output format.
const COMMANDS: &[&[&str]] = &[
    &["preflight", "--option", "s3"],
    &["preflight"],
    &["plan"],
    &[
        "setup",
        "--option",
        "s3",
        "--yes",
        "--generate-external-id",
        "--heeler-role-arn",
        "arn:aws:iam::111122223333:role/heeler",
    ],
    &["outputs"],
    &["export", "terraform"],
    &["tail", "--timeout", "1s"],
    &["destroy", "--yes"],
];

async fn organization() -> Organization {
    Organization::on(Engine::Ministack).build().await
}

fn as_json<'a>(org: &'a Organization, words: &[&str]) -> HeelerEc<'a> {
    heeler_ec(org).args(words).args(["-o", "json"])
}

#[tokio::test]
async fn usage_error_is_a_json_document() {
    let org = organization().await;
    for words in [
        &["plan", "--optoin", "s3"][..],
        &["setup"],
        &["nothing"],
        &["policy", "setup", "--option", "nothing"],
        &["export", "nothing"],
        &["tail", "--limit", "none"],
        &["completions", "nothing"],
        &["restore"],
    ] {
        let run = as_json(&org, words).run().await.expect_status(2);
        let error = error(&run);
        assert_eq!(error["exit_code"], 2);
        assert_eq!(error["operation"], Value::Null);
        assert!(error["cause"].is_string(), "{error}");
        assert!(run.stderr.contains("error: "), "{}", run.stderr);
        let is_wrapped = document(&run).get("result").is_some();
        assert_eq!(
            is_wrapped,
            !["policy", "export", "tail"].contains(&words[0]),
            "{words:?}"
        );
    }
}

#[tokio::test]
async fn output_format_of_another_command_is_refused() {
    let org = organization().await;
    for (words, values) in [
        (
            &["outputs", "-o", "csv"][..],
            "[possible values: table, json]",
        ),
        (
            &["tail", "-o", "hcl"],
            "[possible values: table, json, csv]",
        ),
        (
            &["export", "terraform", "-o", "table"],
            "[possible values: hcl, json]",
        ),
        (
            &["policy", "setup", "-o", "table"],
            "[possible values: json]",
        ),
    ] {
        let run = heeler_ec(&org).args(words).run().await.expect_status(2);
        assert!(run.stderr.contains(values), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[tokio::test]
async fn missing_credentials_are_a_json_error() {
    let org = organization().await;
    for words in COMMANDS {
        let run = as_json(&org, words)
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .run()
            .await
            .expect_status(3);
        let error = error(&run);
        assert_eq!(error["exit_code"], 3, "{words:?}");
        assert!(error["hint"].is_string(), "{error}");
    }
}

#[tokio::test]
async fn refused_call_is_a_json_error_with_code() {
    let org = organization().await;
    setup(&org).run().await.expect_status(0);
    org.proxy().fault(Fault::new(
        "iam",
        "GetRole",
        FaultAction::refuse(
            403,
            "AccessDenied",
            "not authorized to perform: iam:GetRole",
        ),
    ));
    for words in [
        &["plan"][..],
        &["outputs"],
        &["export", "terraform"],
        &["tail", "--timeout", "1s"],
        &["destroy", "--yes"],
    ] {
        let run = as_json(&org, words).run().await.expect_status(3);
        let error = error(&run);
        assert_eq!(error["code"], "AccessDenied", "{words:?}");
        assert!(error["operation"].is_string(), "{error}");
    }
}

#[tokio::test]
async fn unreachable_endpoint_is_a_json_error() {
    let org = organization().await;
    for words in [&["outputs"][..], &["destroy", "--yes"]] {
        let run = as_json(&org, words)
            .without_endpoint()
            .args(["--endpoint-url", "http://127.0.0.1:1"])
            .env("AWS_MAX_ATTEMPTS", "1")
            .run()
            .await
            .expect_status(3);
        let error = error(&run);
        assert_eq!(error["code"], Value::Null);
        assert_eq!(error["request_id"], Value::Null);
    }
}

#[tokio::test]
async fn nothing_deployed_is_a_json_error() {
    let org = organization().await;
    for words in [
        &["plan"][..],
        &["outputs"],
        &["export", "terraform"],
        &["tail"],
        &["destroy", "--yes"],
    ] {
        let run = as_json(&org, words).run().await.expect_status(1);
        let error = error(&run);
        assert_eq!(error["exit_code"], 1, "{words:?}");
        assert!(
            error["cause"]
                .as_str()
                .expect("a cause")
                .contains("deployed"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn negative_answer_is_a_result_without_error() {
    let org = Organization::on(Engine::Ministack)
        .topic("events")
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let run = plan(&org)
        .args(["--check", "--external-id", "another", "-o", "json"])
        .run()
        .await
        .expect_status(1);
    assert_eq!(json(&run)["counts"]["update"], 1);
    let run = preflight(&org)
        .args(["--trail", "nothing", "-o", "json"])
        .run()
        .await
        .expect_status(1);
    assert_eq!(json(&run)["ready"], false);
}

#[tokio::test]
async fn every_command_prints_its_result_as_json() {
    let org = organization().await;
    for words in [
        &["preflight"][..],
        &["preflight", "--option", "s3"],
        &["policy", "setup"],
        &["completions", "bash"],
    ] {
        let run = as_json(&org, words).run().await.expect_status(0);
        assert!(!json(&run).is_null(), "{words:?}");
    }
    setup(&org)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(0);
    for words in [
        &["plan"][..],
        &["outputs"],
        &["export", "terraform"],
        &["destroy", "--dry-run"],
    ] {
        let run = as_json(&org, words).run().await.expect_status(0);
        assert!(!json(&run).is_null(), "{words:?}");
    }
    destroy(&org)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(0);
}
