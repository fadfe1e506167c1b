//! `--var-file`: the variables of Heeler's Terraform modules instead of arguments.

use crate::commands::heeler_ec;
use crate::commands::{counts, json, outputs, text};
use crate::whole_output::assert_stderr;
use snapbox::str;
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
    assert_stderr(
        &org,
        &run,
        str![[r"
Preflight: 42 passed, 2 warnings, 15 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
Option s3 in account 111122223333, region us-east-1:

Who gets access:
  iam role heeler_event_collection_sqs_role
    can be assumed by arn:aws:iam::999900001111:role/heeler-security
      with the external ID that you supplied
    can use kms:Decrypt
      on kms key heeler_kms_key_sqs
      if kms:ViaService is sqs.us-east-1.amazonaws.com
    can use s3:GetObject
      on arn:aws:s3:::org-trail-logs-111122223333/AWSLogs/o-exampleorg/*
      if aws:ResourceAccount is 111122223333
    can use sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:GetQueueUrl, sqs:ReceiveMessage
      on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue
  account 111122223333
    can use kms:*
      on kms key heeler_kms_key_sqs
  sns.amazonaws.com
    can use kms:Decrypt, kms:GenerateDataKey
      on kms key heeler_kms_key_sqs
      if aws:SourceArn is arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic
    can use sqs:SendMessage
      on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue
      if aws:SourceArn is arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic
  s3.amazonaws.com
    can use sns:Publish
      on arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic
      if aws:SourceArn is arn:aws:s3:::org-trail-logs-111122223333 and aws:SourceAccount is 111122223333

 + create  iam role          heeler_event_collection_sqs_role
 + create  kms key           heeler_kms_key_sqs
 + create  kms alias         alias/heeler_kms_key_sqs
 + create  sns topic         heeler_event_collection_topic
 + create  sns topic policy  heeler_event_collection_topic
 + create  sqs queue         heeler_event_collection_queue_dlq
 + create  sqs queue         heeler_event_collection_queue
 + create  sqs queue policy  heeler_event_collection_queue
 + create  sns subscription  heeler_event_collection_topic -> heeler_event_collection_queue
 + create  iam policy        heeler_event_collection_sqs_policy
 + create  iam attachment    heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role
 + create  s3 notification   org-trail-logs-111122223333#heeler-ec

Plan: 12 to create.
  + created iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  + created iam policy heeler_event_collection_sqs_policy (0.1 s)
  + created iam role heeler_event_collection_sqs_role (0.1 s)
  + created kms alias alias/heeler_kms_key_sqs (0.1 s)
  + created kms key heeler_kms_key_sqs (0.1 s)
  + created s3 notification org-trail-logs-111122223333#heeler-ec (0.1 s)
  + created sns subscription heeler_event_collection_topic -> heeler_event_collection_queue (0.1 s)
  + created sns topic heeler_event_collection_topic (0.1 s)
  + created sns topic policy heeler_event_collection_topic (0.1 s)
  + created sqs queue heeler_event_collection_queue (0.1 s)
  + created sqs queue heeler_event_collection_queue_dlq (0.1 s)
  + created sqs queue policy heeler_event_collection_queue (0.1 s)
Created 12 resources (0.1 s).

The test event of S3 has reached Heeler's queue: the notification, the topic and the queue work.

Next, in Heeler:
  1. Open https://app.heeler.com/administration/connections/organizations.
  2. Select the ellipsis next to this organization to edit its Event Collection Settings.
  3. Paste these three values.
  4. Confirm in the list of organizations that event collection is enabled.
Then run `heeler-ec verify` to follow a test call to the queue, or `heeler-ec tail` to see events arrive. An event arrives 5 to 10 minutes after the call.

"]],
    );
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
        (
            own.replace(org.account(), "210987654321"),
            str![[r"
x account.expected: credentials are for 111122223333
    expected: account 210987654321
    reason:   --account-id protects against setup in the wrong account
    fix:      select credentials of that account with --profile PROFILE, which overrides the environment
    accept:   not possible, because setup cannot work without it
    help:     heeler-ec explain account.expected

x bucket.matches_trail: trail org-trail delivers to org-trail-logs-111122223333
    expected: bucket org-trail-logs-210987654321
    reason:   this bucket receives no log objects, so it sends no notifications
    fix:      remove --bucket: the bucket is read from the trail
    accept:   not possible, because setup cannot work without it
    help:     heeler-ec explain bucket.matches_trail

error: the prerequisites of option s3 are not met; no changes were made
  hint:  to show all checks: heeler-ec preflight --option s3 --var-file /tmp/.tmpAbCdEf/var.auto.tfvars

"]],
        ),
        (
            own.replace(org.bucket(), "another-bucket"),
            str![[r"
x bucket.matches_trail: trail org-trail delivers to org-trail-logs-111122223333
    expected: bucket another-bucket
    reason:   this bucket receives no log objects, so it sends no notifications
    fix:      remove --bucket: the bucket is read from the trail
    accept:   not possible, because setup cannot work without it
    help:     heeler-ec explain bucket.matches_trail

error: the prerequisites of option s3 are not met; no changes were made
  hint:  to show all checks: heeler-ec preflight --option s3 --var-file /tmp/.tmpAbCdEf/var.auto.tfvars

"]],
        ),
    ] {
        let (_folder, path) = write_file(&text);
        let run = heeler_with_file(&org, "plan", &path)
            .run()
            .await
            .expect_status(1);
        assert!(run.writes().is_empty());
        assert_stderr(&org, &run, expected);
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
    assert_stderr(
        &org,
        &run,
        str![[r"
/tmp/.tmpAbCdEf/var.auto.tfvars, line 8: unknown variable region; it is ignored.
Preflight: 42 passed, 2 warnings, 15 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
Next (asks for confirmation), with the same external ID in HEELER_EC_EXTERNAL_ID:
  heeler-ec setup --option s3 --var-file /tmp/.tmpAbCdEf/var.auto.tfvars

"]],
    );
}

#[tokio::test]
async fn var_file_errors_name_line_before_any_call() {
    let org = Organization::on(Engine::Ministack).build().await;
    for (text, expected) in [
        (
            "account_id = \"<replace with your payer account id>\"\n",
            str![[r"
error: cannot read /tmp/.tmpAbCdEf/var.auto.tfvars
  cause: line 1: account_id: an account ID has 12 digits

"]],
        ),
        (
            "\nheeler_security_role_arns = \"arn\"\n",
            str![[r#"
error: cannot read /tmp/.tmpAbCdEf/var.auto.tfvars
  cause: line 2: heeler_security_role_arns: expected a list of strings, found a string: write ["..."]

"#]],
        ),
        (
            "account_id =\n",
            str![[r#"
error: cannot read /tmp/.tmpAbCdEf/var.auto.tfvars
  cause: line 1: invalid expression; expected `"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit

"#]],
        ),
        (
            "heeler_external_id = \"heeler-ext-id\"\n",
            str![[r"
error: cannot read /tmp/.tmpAbCdEf/var.auto.tfvars
  cause: line 1: heeler_external_id: this is the placeholder of Heeler's guide; choose your own external ID, or use --generate-external-id; an existing role keeps its external ID without this line

"]],
        ),
    ] {
        let (_folder, path) = write_file(text);
        let run = heeler_with_file(&org, "plan", &path)
            .run()
            .await
            .expect_status(2);
        assert!(run.calls.is_empty());
        assert_stderr(&org, &run, expected);
    }
    let missing = PathBuf::from("no-such.tfvars");
    let run = heeler_with_file(&org, "plan", &missing)
        .run()
        .await
        .expect_status(2);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: cannot read no-such.tfvars
  cause: No such file or directory (os error 2)

"]],
    );
}
