//! The document of every command with `-o json`: its result, and its error for other reasons than those in
//! `json_failures.rs`.
//!
//! The program runner of testkit validates each document against its schema; these tests add the values.

use crate::commands::{destroy, error, heeler_ec, json, plan, preflight, setup, setup_again};
use crate::whole_output::assert_stderr;
use snapbox::str;
use testkit::{Engine, HeelerEc, Organization};

async fn organization() -> Organization {
    Organization::on(Engine::Ministack).build().await
}

fn as_json<'a>(org: &'a Organization, words: &[&str]) -> HeelerEc<'a> {
    heeler_ec(org).args(words).args(["-o", "json"])
}

#[tokio::test]
async fn output_format_of_another_command_is_refused() {
    let org = organization().await;
    for (words, expected) in [
        (
            &["outputs", "-o", "csv"][..],
            str![[r"
error: invalid value 'csv' for '--output <FORMAT>'
  [possible values: table, json, env, tfvars, github]

For more information, try '--help'.

"]],
        ),
        (
            &["tail", "-o", "hcl"],
            str![[r"
error: invalid value 'hcl' for '--output <FORMAT>'
  [possible values: table, json, csv]

For more information, try '--help'.

"]],
        ),
        (
            &["export", "terraform", "-o", "table"],
            str![[r"
error: invalid value 'table' for '--output <FORMAT>'
  [possible values: hcl, json]

For more information, try '--help'.

"]],
        ),
        (
            &["policy", "setup", "-o", "table"],
            str![[r"
error: invalid value 'table' for '--output <FORMAT>'
  [possible values: json]

For more information, try '--help'.

"]],
        ),
    ] {
        let run = heeler_ec(&org).args(words).run().await.expect_status(2);
        assert_stderr(&org, &run, expected);
        assert_eq!(run.stdout, "");
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
    let existing = serde_json::json!([{ "kind": "sns topic", "name": "events" }]);
    assert_eq!(json(&run)["existing"], existing);
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
    let backup = tempfile::tempdir().expect("a folder");
    let file = backup.path().join("backup.json");
    let file = file.to_string_lossy();
    let run = setup(&org).args(["-o", "json", "--backup", &file]);
    let done = json(&run.run().await.expect_status(0));
    let steps = done["steps"].as_array().expect("steps");
    assert!(
        steps.iter().all(|step| step["status"] == "done"),
        "{done:#}"
    );
    let text = std::fs::read_to_string(&*file).expect("the backup");
    assert_eq!(
        testkit::json_schema::text_violations("backup", &text),
        Vec::<String>::new()
    );
    let run = as_json(&org, &["restore", &file, "--yes"]).run().await;
    let restored = json(&run.expect_status(0));
    assert_eq!(restored["documents"][0]["status"], "done");
    let again = setup_again(&org).args(["-o", "json"]).run().await;
    json(&again.expect_status(0));
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

#[tokio::test]
async fn progress_is_json_lines() {
    let org = organization().await;
    for (run, words) in [
        (setup(&org), ["-o", "json"]),
        (destroy(&org), ["-o", "json"]),
    ] {
        let run = run.args(words).args(["-v", "--progress", "json"]);
        let run = run.run().await.expect_status(0);
        for expected in [r#""type":"call""#, r#""event":"finished""#] {
            assert!(run.stderr.contains(expected), "{}", run.stderr);
        }
    }
    let run = destroy(&org).args(["--progress", "json"]).run().await;
    assert!(run.expect_status(1).stderr.contains(r#""type":"error""#));
}

#[tokio::test]
async fn printed_commands_repeat_given_options() {
    let org = organization().await;
    let options = ["--name-prefix", "two", "--region", "us-east-1"];
    let run = setup(&org).args(options).run().await.expect_status(0);
    let command = "heeler-ec tail --region us-east-1 --name-prefix two";
    assert!(run.stderr.contains(command), "{}", run.stderr);
}
