//! `--var-file`: the variables of Heeler's Terraform modules instead of arguments.

use crate::commands::heeler_ec;
use crate::commands::{counts, json, outputs, text};
use std::path::PathBuf;
use tempfile::TempDir;
use testkit::{Engine, HeelerEc, Organization};

/// Writes a file with that text into a temporary folder.
fn write_file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("var.auto.tfvars");
    std::fs::write(&path, text).expect("a file");
    (folder, path)
}

fn s3_variables(org: &Organization) -> String {
    format!(
        r#"account_id                       = "{}"
s3_cloudtrail_bucket_name        = "{}"
s3_cloudtrail_bucket_kms_key_arn = "None"   # or the bucket's CMK ARN
sns_s3_event_notification_name   = "None"   # or an existing SNS topic name
heeler_external_id               = "shared-by-file"

heeler_security_role_arns = ["{}"]
"#,
        org.account(),
        org.bucket(),
        org.heeler_role_arn()
    )
}

fn heeler_with_file<'a>(org: &'a Organization, verb: &str, path: &PathBuf) -> HeelerEc<'a> {
    heeler_ec(org)
        .args([verb, "--option", "s3", "--var-file"])
        .args([path])
}

#[tokio::test]
async fn setup_uses_var_file() {
    let org = Organization::on(Engine::Ministack).build().await;
    let (_folder, path) = write_file(&s3_variables(&org));
    let run = heeler_with_file(&org, "preflight", &path)
        .run()
        .await
        .expect_status(0);
    assert!(!run.stderr.contains("shared-by-file"));
    let run = heeler_with_file(&org, "setup", &path).args(["--yes"]);
    let run = run.run().await.expect_status(0);
    assert!(!run.stderr.contains("shared-by-file"), "{}", run.stderr);
    let shown = json(&outputs(&org).run().await.expect_status(0));
    assert_eq!(
        text(&shown["heeler_event_role_external_id"]),
        "shared-by-file"
    );
    let again = heeler_with_file(&org, "plan", &path).args(["-o", "json"]);
    assert_eq!(counts(&again.run().await.expect_status(0)), [0, 0, 12, 0]);
}

#[tokio::test]
async fn command_line_overrides_var_file() {
    let org = Organization::on(Engine::Ministack).build().await;
    let (_folder, path) = write_file(&s3_variables(&org).replace("shared-by-file", "in-the-file"));
    let run =
        heeler_with_file(&org, "setup", &path).args(["--yes", "--external-id", "from-argument"]);
    run.run().await.expect_status(0);
    let shown = json(&outputs(&org).run().await.expect_status(0));
    assert_eq!(
        text(&shown["heeler_event_role_external_id"]),
        "from-argument"
    );
}

#[tokio::test]
async fn var_file_mismatch_is_reported_like_the_option() {
    let org = Organization::on(Engine::Ministack).build().await;
    let own = s3_variables(&org);
    for (text, expected) in [
        (own.replace(org.account(), "999900001111"), "999900001111"),
        (
            own.replace(org.bucket(), "another-bucket"),
            "another-bucket",
        ),
    ] {
        let (_folder, path) = write_file(&text);
        let run = heeler_with_file(&org, "plan", &path)
            .run()
            .await
            .expect_status(1);
        assert!(run.writes().is_empty());
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}

#[tokio::test]
async fn unknown_variable_warns_and_is_ignored() {
    let org = Organization::on(Engine::Ministack).build().await;
    let (_folder, path) = write_file(&format!("{}region = \"us-east-1\"\n", s3_variables(&org)));
    let run = heeler_with_file(&org, "plan", &path)
        .run()
        .await
        .expect_status(0);
    assert!(
        run.stderr.contains("line 8: unknown variable region"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn var_file_errors_name_line_before_any_call() {
    let org = Organization::on(Engine::Ministack).build().await;
    for (text, expected) in [
        (
            "account_id = \"<replace with your payer account id>\"\n",
            "line 1: account_id: an account ID has 12 digits",
        ),
        (
            "\nheeler_security_role_arns = \"arn\"\n",
            "line 2: heeler_security_role_arns: expected a list of strings",
        ),
        ("account_id =\n", "line 1"),
        ("heeler_external_id = \"heeler-ext-id\"\n", "placeholder"),
    ] {
        let (_folder, path) = write_file(text);
        let run = heeler_with_file(&org, "plan", &path)
            .run()
            .await
            .expect_status(2);
        assert!(run.calls.is_empty());
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(run.stderr.contains("var.auto.tfvars"), "{}", run.stderr);
    }
    let missing = PathBuf::from("no-such.tfvars");
    let run = heeler_with_file(&org, "plan", &missing)
        .run()
        .await
        .expect_status(2);
    assert!(run.stderr.contains("no-such.tfvars"), "{}", run.stderr);
}
