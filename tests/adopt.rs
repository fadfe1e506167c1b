//! Adoption of resources from Heeler's Terraform modules: plan, tags, updates.

use crate::commands::heeler_ec;
use crate::commands::{
    counts, destroy, json, names, on_both_engines, outputs, plan_of, setup_again, setup_again_of,
    text,
};
use crate::vendor_terraform;
use crate::whole_output::assert_stderr;
use serde_json::Value;
use snapbox::str;
use testkit::{Engine, Fault, FaultAction, HeelerEc, Organization, Run};

const NOTHING: [&str; 0] = [];

/// Setup with `--adopt`. It keeps the trust of the role.
fn adopt<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    setup_again_of(org, option).args(["--adopt"])
}

/// The plan of that setup.
fn plan<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    heeler_ec(org).args(["plan", "--option", option, "--adopt", "-o", "json"])
}

fn planned_steps(run: &Run) -> Vec<Value> {
    json(run)["steps"].as_array().expect("steps").clone()
}

/// The kind and field of each planned change.
fn planned_changes(run: &Run) -> Vec<String> {
    let mut all = Vec::new();
    for step in planned_steps(run) {
        for change in step["changes"].as_array().expect("changes") {
            let kind = text(&step["kind"]);
            all.push(format!("{kind}: {}", text(&change["field"])));
        }
    }
    all.sort();
    all
}

/// Adopts, checks that nothing is left to change, and destroys.
async fn check_adoption(
    org: &Organization,
    option: &str,
    created: u64,
    adopted: u64,
    changed: &[&str],
) {
    let shown = plan(org, option).run().await.expect_status(0);
    assert_eq!(names(&shown.writes()), NOTHING);
    assert_eq!(counts(&shown), [created, 0, 0, 0]);
    assert_eq!(json(&shown)["counts"]["adopt"], adopted);
    assert_eq!(planned_changes(&shown), changed);

    let run = adopt(org, option)
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(0);
    assert!(!run.stdout.contains(vendor_terraform::EXTERNAL_ID));
    assert!(
        run.stderr.contains("destroy deletes them"),
        "{}",
        run.stderr
    );

    let again = plan_of(org, option).args(["--check", "-o", "json"]);
    let again = again.run().await.expect_status(0);
    assert_eq!(counts(&again), [0, 0, created + adopted, 0]);
    let shown = json(&outputs(org).run().await.expect_status(0));
    assert_eq!(
        text(&shown["heeler_event_role_external_id"]),
        vendor_terraform::EXTERNAL_ID
    );
    destroy(org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

on_both_engines! {
    async fn terraform_s3_module_is_adopted_and_destroyed(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        let other_entries = org.notification().await;
        vendor_terraform::s3(&org).await;
        let changed = [
            "iam policy: document",
            "iam role: tags",
            "iam role: trust",
            "kms key: policy",
            "s3 notification: prefix",
            "sns topic policy: policy",
            "sqs queue policy: policy",
            "sqs queue: policy",
            "sqs queue: redrive_allowed_from",
        ];
        check_adoption(&org, "s3", 0, 12, &changed).await;
        assert_eq!(org.notification().await, other_entries);
    }

    async fn terraform_cloudwatch_module_is_adopted_and_destroyed(engine: Engine) {
        let org = Organization::on(engine).log_group().build().await;
        vendor_terraform::cloudwatch(&org).await;
        let changed = [
            "iam policy: document",
            "iam policy: document",
            "iam role: tags",
            "iam role: trust",
            "iam role: trust",
            "kms key: policy",
            "lambda function: code_sha256",
            "lambda permission: statement",
            "sqs queue policy: policy",
            "sqs queue: policy",
            "sqs queue: redrive_allowed_from",
        ];
        check_adoption(&org, "cloudwatch", 0, 14, &changed).await;
    }
}

#[tokio::test]
async fn without_adopt_flag_conflicts_suggest_adopt() {
    let org = Organization::on(Engine::Ministack).build().await;
    vendor_terraform::s3(&org).await;
    let run = setup_again(&org)
        .args(["--generate-external-id"])
        .args(["--heeler-role-arn", &org.heeler_role_arn()])
        .run()
        .await
        .expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_stderr(
        &org,
        &run,
        str![[r"
x names.terraform_managed: these resources look like Heeler's Terraform module created them: role heeler_event_collection_sqs_role, alias/heeler_kms_key_sqs
    expected: names that no other tool manages
    reason:   two tools would undo each other's changes; setup never changes resources without its tags
    fix:      take them over with --adopt (the plan shows the changes, and Heeler's settings stay valid); or run terraform destroy first and then setup (Heeler needs the new values)
    command:  heeler-ec plan --option s3 --adopt --heeler-role-arn arn:aws:iam::999900001111:role/heeler-security
    accept:   not possible, because setup cannot work without it
    help:     heeler-ec explain names.terraform_managed

error: the prerequisites of option s3 are not met; no changes were made
  hint:  to show all checks: heeler-ec preflight --option s3

"]],
    );
}

#[tokio::test]
async fn adopted_notification_keeps_terraform_entry_id() {
    let org = Organization::on(Engine::Ministack)
        .other_notifications()
        .build()
        .await;
    let others = org.notification().await;
    vendor_terraform::s3(&org).await;
    let run = adopt(&org, "s3").run().await.expect_status(0);
    let mut after = org.notification().await;
    let topics = after["topics"].as_array_mut().expect("topics");
    let adopted = topics.iter().position(|entry| {
        entry
            .to_string()
            .contains(vendor_terraform::NOTIFICATION_ID)
    });
    let adopted = topics.remove(adopted.expect("the entry of the module"));
    let prefix = format!("\"AWSLogs/{}/\"", org.organization_id());
    assert!(adopted.to_string().contains(&prefix), "{adopted}");
    assert_eq!(after, others);
    let written = names(&run.writes());
    let place = |name: &str| written.iter().position(|call| call == name);
    let notification = place("s3:PutBucketNotificationConfiguration");
    assert!(notification.is_some(), "{written:?}");
    assert!(
        notification < place("iam:CreatePolicyVersion"),
        "{written:?}"
    );
    let check = plan(&org, "s3").args(["--check"]);
    check.run().await.expect_status(0);
}

#[tokio::test]
async fn module_with_other_managed_by_is_adopted() {
    let org = Organization::on(Engine::Ministack).build().await;
    vendor_terraform::s3(&org).await;
    let tag = aws_sdk_iam::types::Tag::builder()
        .key("managed-by")
        .value("platform-team")
        .build()
        .expect("a tag");
    let role = org.clients().iam.tag_role();
    let role = role.role_name("heeler_event_collection_sqs_role").tags(tag);
    role.send().await.expect("a tag of others");
    adopt(&org, "s3").run().await.expect_status(0);
    let check = plan(&org, "s3").args(["--check"]);
    check.run().await.expect_status(0);
}

#[tokio::test]
async fn other_option_is_not_adopted() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    crate::commands::setup(&org).run().await.expect_status(0);
    let run = adopt(&org, "cloudwatch")
        .args(["--heeler-role-arn", &org.heeler_role_arn()])
        .run()
        .await
        .expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn failed_adoption_is_completed_by_second_run() {
    let refused = [
        ("kms", "TagResource"),
        ("sqs", "TagQueue"),
        ("iam", "TagRole"),
        ("sns", "SetTopicAttributes"),
    ];
    let run = |(service, operation): (&'static str, &'static str)| async move {
        let org = Organization::on(Engine::Ministack).build().await;
        vendor_terraform::s3(&org).await;
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized to do this");
        org.proxy().fault(Fault::new(service, operation, refusal));
        let run = adopt(&org, "s3").run().await.expect_status(3);
        assert!(
            run.stderr.contains("Run the same command"),
            "{}",
            run.stderr
        );
        org.proxy().clear_faults();
        adopt(&org, "s3").run().await.expect_status(0);
        let check = plan(&org, "s3").args(["--check"]);
        check.run().await.expect_status(0);
    };
    crate::commands::run_concurrently(refused.map(run)).await;
}

#[tokio::test]
async fn adopt_with_rollback_is_a_usage_error() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = adopt(&org, "s3").args(["--on-failure", "rollback"]);
    let run = run.run().await.expect_status(2);
    assert!(run.calls.is_empty());
    assert_stderr(
        &org,
        &run,
        str![[r"
error: --adopt cannot be combined with --on-failure rollback: adopted resources are not released
  hint:  leave --on-failure out; the same command completes a failed setup

"]],
    );
}
