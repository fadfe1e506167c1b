//! An account that requires a permissions boundary, an IAM path or tags.

use crate::commands::{
    counts, destroy, heeler_ec, json, names, organization_for, outputs, plan_of, setup_again_of,
    setup_of, text,
};
use crate::whole_output::assert_stderr;
use aws_sdk_iam::types::Role;
use serde_json::Value;
use snapbox::str;
use testkit::{Engine, Fault, FaultAction, Organization, Run};

const ROLE: &str = "heeler_event_collection_sqs_role";
const FUNCTION_ROLE: &str = "heeler_event_collection_lambda_role";
const NOTHING: [String; 0] = [];
/// The message of AWS for an account whose administrators must set a boundary.
const EXPLICIT_DENY: &str = "User: arn:aws:sts::111122223333:assumed-role/PlatformAdmin/ann is not authorized to \
    perform: iam:CreateRole on resource: arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role with an \
    explicit deny in an identity-based policy";

async fn role(org: &Organization, name: &str) -> Role {
    let found = org.clients().iam.get_role().role_name(name).send().await;
    found.expect("a role").role.expect("a role")
}

/// Creates a managed policy and returns its ARN.
async fn boundary(org: &Organization, name: &str) -> String {
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}
    ]});
    let created = org.clients().iam.create_policy().policy_name(name);
    let created = created.policy_document(document.to_string()).send().await;
    let policy = created.expect("a policy").policy;
    policy.and_then(|policy| policy.arn).expect("an ARN")
}

fn boundary_of(role: &Role) -> Option<&str> {
    role.permissions_boundary()?.permissions_boundary_arn()
}

/// The fields that a plan changes, by kind.
fn changed_fields(run: &Run) -> Vec<String> {
    let plan = json(run);
    let steps = plan["steps"].as_array().expect("steps");
    let changes = |step: &Value| step["changes"].as_array().cloned().unwrap_or_default();
    steps
        .iter()
        .flat_map(|step| {
            let kind = text(&step["kind"]);
            let fields = changes(step).into_iter();
            fields.map(move |change| format!("{kind}: {}", text(&change["field"])))
        })
        .collect()
}

#[tokio::test]
async fn explicit_deny_names_the_options_that_may_help() {
    let org = Organization::on(Engine::Ministack).build().await;
    let refusal = FaultAction::refuse(403, "AccessDenied", EXPLICIT_DENY);
    org.proxy().fault(Fault::new("iam", "CreateRole", refusal));
    let run = setup_of(&org, "s3").run().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
Preflight: 41 passed, 2 warnings, 16 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
Option s3 in account 111122223333, region us-east-1:

Who gets access:
  iam role heeler_event_collection_sqs_role
    can be assumed by arn:aws:iam::999900001111:role/heeler-security
      with an external ID that setup generates
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
  ! failed to create iam role heeler_event_collection_sqs_role: cannot create iam role heeler_event_collection_sqs_role: User: arn:aws:sts::111122223333:assumed-role/PlatformAdmin/ann is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role with an explicit deny in an identity-based policy (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  - skipped: create iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create iam policy heeler_event_collection_sqs_policy (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create kms alias alias/heeler_kms_key_sqs (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create kms key heeler_kms_key_sqs (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create s3 notification org-trail-logs-111122223333#heeler-ec (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create sns subscription heeler_event_collection_topic -> heeler_event_collection_queue (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create sns topic heeler_event_collection_topic (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create sns topic policy heeler_event_collection_topic (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create sqs queue heeler_event_collection_queue (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create sqs queue heeler_event_collection_queue_dlq (depends on iam role heeler_event_collection_sqs_role)
  - skipped: create sqs queue policy heeler_event_collection_queue (depends on iam role heeler_event_collection_sqs_role)

Stopped: 0 of 12 steps were completed.
Run the same command again to complete the setup. To remove it, run:
  heeler-ec destroy
error: cannot create iam role heeler_event_collection_sqs_role
  cause: User: arn:aws:sts::111122223333:assumed-role/PlatformAdmin/ann is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::111122223333:role/heeler_event_collection_sqs_role with an explicit deny in an identity-based policy (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  a policy denies iam:CreateRole explicitly: granting it does not help; ask the owner of that policy. If your account requires them, use --permissions-boundary, --role-path or --tag

"]],
    );
}

#[tokio::test]
async fn boundary_and_path_apply_to_both_roles() {
    let org = organization_for("cloudwatch").await;
    let boundary = boundary(&org, "limits").await;
    let arguments = [
        "--permissions-boundary",
        &boundary,
        "--role-path",
        "/platform/security/",
    ];
    let run = setup_of(&org, "cloudwatch").args(arguments);
    run.run().await.expect_status(0);
    for name in [ROLE, FUNCTION_ROLE] {
        let role = role(&org, name).await;
        assert_eq!(boundary_of(&role), Some(&*boundary), "{name}");
        assert_eq!(role.path(), "/platform/security/", "{name}");
    }
    let printed = json(&outputs(&org).run().await.expect_status(0));
    let arn = text(&printed["heeler_event_role_arn"]);
    assert!(
        arn.ends_with(&format!(":role/platform/security/{ROLE}")),
        "{arn}"
    );
    // The path and the boundary need not be repeated, and a plan without --option finds the role.
    let again = setup_again_of(&org, "cloudwatch")
        .run()
        .await
        .expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
    let drift = heeler_ec(&org).args(["plan", "--check"]).run().await;
    drift.expect_status(0);
    destroy(&org).run().await.expect_status(0);
    let left = org.leftovers().await;
    assert!(left.iter().all(|line| line.contains("limits")), "{left:?}");
}

#[tokio::test]
async fn grant_is_for_role_with_path() {
    let org = organization_for("s3").await;
    let run = setup_of(&org, "s3").args(["--role-path", "/platform/"]);
    run.run().await.expect_status(0);
    let again = plan_of(&org, "s3").args(["--check"]).run().await;
    again.expect_status(0);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn destroy_finds_grant_of_untagged_role() {
    let org = organization_for("s3").await;
    let run = setup_of(&org, "s3").args(["--role-path", "/platform/"]);
    run.run().await.expect_status(0);
    let tags = role(&org, ROLE).await.tags.unwrap_or_default();
    let keys = tags.iter().map(|tag| tag.key().to_owned()).collect();
    let untag = org.clients().iam.untag_role().role_name(ROLE);
    let untag = untag.set_tag_keys(Some(keys)).send().await;
    untag.expect("a role without tags");
    let run = destroy(&org).run().await.expect_status(0);
    // The grant belongs to the role, which is no longer managed.
    assert_stderr(
        &org,
        &run,
        str![[r#"
Option s3 in account 111122223333, region us-east-1:

 = skip    iam role          heeler_event_collection_sqs_role  (not managed by heeler-ec)
 - delete  kms key           heeler_kms_key_sqs  (AWS deletes it in 7 days)
 = skip    kms alias         alias/heeler_kms_key_sqs  (in use by iam attachment)
 - delete  sns topic         heeler_event_collection_topic
 - delete  sns topic policy  heeler_event_collection_topic
 - delete  sqs queue         heeler_event_collection_queue_dlq
 - delete  sqs queue         heeler_event_collection_queue
 - delete  sqs queue policy  heeler_event_collection_queue
 - delete  sns subscription  heeler_event_collection_topic -> heeler_event_collection_queue
 = skip    iam policy        heeler_event_collection_sqs_policy  (in use by iam attachment)
 = skip    iam attachment    heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role  (not managed by heeler-ec)
 = skip    kms grant         heeler_event_collection_grant on 00000000-1111-2222-3333-444444444444  (not managed by heeler-ec)
 - delete  s3 notification   org-trail-logs-111122223333#heeler-ec

Other notifications of bucket org-trail-logs-111122223333 (unchanged):
  "exports" (s3:ObjectCreated:* to queue arn:aws:sqs:us-east-1:111122223333:exports, prefix "exports/", suffix ".csv")
  "reports" (s3:ObjectCreated:* to topic arn:aws:sns:us-east-1:111122223333:reports, prefix "reports/")
  "uploads" (s3:ObjectCreated:* to function arn:aws:lambda:us-east-1:111122223333:function:uploads, prefix "uploads/")
  EventBridge (all events)

Destroy: 8 to delete.
  - deleted s3 notification org-trail-logs-111122223333#heeler-ec (0.1 s)
  - deleted sns subscription heeler_event_collection_topic -> heeler_event_collection_queue (0.1 s)
  - deleted sns topic heeler_event_collection_topic (0.1 s)
  - deleted sns topic policy heeler_event_collection_topic (with sns topic heeler_event_collection_topic)
  - deleted sqs queue heeler_event_collection_queue (0.1 s)
  - deleted sqs queue heeler_event_collection_queue_dlq (0.1 s)
  - deleted sqs queue policy heeler_event_collection_queue (with sqs queue heeler_event_collection_queue)
  - scheduled kms key heeler_kms_key_sqs for deletion in 7 days (0.1 s)
Deleted 8 resources (0.1 s).
Remaining:
  iam role heeler_event_collection_sqs_role: not managed by heeler-ec
  kms key heeler_kms_key_sqs: AWS deletes it in 7 days and charges nothing until then. To keep it, run `aws kms cancel-key-deletion --region us-east-1 --key-id arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444`, then `aws kms enable-key --region us-east-1 --key-id arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444`, then `aws kms untag-resource --region us-east-1 --key-id arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444 --tag-keys heeler-ec:option`; with its tag, another destroy deletes it
  kms alias alias/heeler_kms_key_sqs: still in use by iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role, which was not deleted
  iam policy heeler_event_collection_sqs_policy: still in use by iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role, which was not deleted
  iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role: not managed by heeler-ec
  kms grant heeler_event_collection_grant on 00000000-1111-2222-3333-444444444444: not managed by heeler-ec

"#]],
    );
}

#[tokio::test]
async fn another_path_is_refused_before_any_change() {
    let org = organization_for("s3").await;
    setup_of(&org, "s3").run().await.expect_status(0);
    for (option, expected) in [
        (
            &["--option", "s3"][..],
            str![[r"
Preflight: 53 passed, 2 warnings, 4 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
error: --role-path differs from the path of the existing role, /; no changes were made
  hint:  IAM cannot move a role: leave --role-path out, or remove the deployment with `heeler-ec destroy` first

"]],
        ),
        (
            &[],
            str![[r"
error: --role-path differs from the path of the existing role, /; no changes were made
  hint:  IAM cannot move a role: leave --role-path out, or remove the deployment with `heeler-ec destroy` first

"]],
        ),
    ] {
        let run = heeler_ec(&org).args(["plan", "--role-path", "/platform/"]);
        let run = run.args(option).run().await.expect_status(1);
        assert_stderr(&org, &run, expected);
    }
    let run = setup_again_of(&org, "s3").args(["--role-path", "/platform/"]);
    let run = run.run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn existing_boundary_changes_only_on_request() {
    let org = organization_for("s3").await;
    setup_of(&org, "s3").run().await.expect_status(0);
    let (first, second) = (
        boundary(&org, "first").await,
        boundary(&org, "second").await,
    );
    let put = org.clients().iam.put_role_permissions_boundary();
    let put = put.role_name(ROLE).permissions_boundary(&first);
    put.send().await.expect("a boundary");
    plan_of(&org, "s3")
        .args(["--check"])
        .run()
        .await
        .expect_status(0);
    let planned = plan_of(&org, "s3").args(["-o", "json", "--permissions-boundary", &second]);
    let planned = planned.run().await.expect_status(0);
    assert_eq!(changed_fields(&planned), ["iam role: permissions_boundary"]);
    let run = setup_again_of(&org, "s3").args(["--permissions-boundary", &second]);
    let run = run.run().await.expect_status(0);
    assert_eq!(names(&run.writes()), ["iam:PutRolePermissionsBoundary"]);
    assert_eq!(boundary_of(&role(&org, ROLE).await), Some(&*second));
}

#[tokio::test]
async fn rollback_removes_new_boundary() {
    let org = organization_for("s3").await;
    setup_of(&org, "s3").run().await.expect_status(0);
    let boundary = boundary(&org, "limits").await;
    let refusal = FaultAction::refuse(403, "AccessDenied", "not authorized");
    org.proxy().fault(Fault::new("sqs", "TagQueue", refusal));
    let arguments = [
        "--on-failure",
        "rollback",
        "--permissions-boundary",
        &boundary,
        "--tag",
        "team=security",
    ];
    let run = setup_again_of(&org, "s3").args(arguments);
    let run = run.run().await.expect_status(3);
    assert_eq!(boundary_of(&role(&org, ROLE).await), None, "{}", run.stderr);
    // AWS has no call that replaces a set of tags, so the message names those that stay.
    assert!(run.stderr.contains("extra_tags"), "{}", run.stderr);
}

/// Sets up with a tag, changes its value, and expects tags to stay without the argument.
async fn check_tags(option: &str, taggable: usize) {
    let org = organization_for(option).await;
    let tagged = |value: &str| ["--tag".to_owned(), format!("cost center={value}")];
    let run = setup_of(&org, option).args(tagged("a=1"));
    run.run().await.expect_status(0);
    let exported = async |expected: &str| {
        let run = heeler_ec(&org).args(["export", "terraform"]).run().await;
        let text = run.expect_status(0).stdout;
        let found = text
            .matches(&format!("\"cost center\" = \"{expected}\""))
            .count();
        assert_eq!(found, taggable, "{text}");
    };
    exported("a=1").await;
    let again = setup_again_of(&org, option).run().await.expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
    let drift = heeler_ec(&org).args(["plan", "--check"]).run().await;
    drift.expect_status(0);
    exported("a=1").await;
    let planned = plan_of(&org, option).args(["-o", "json"]).args(tagged("b"));
    let planned = planned.run().await.expect_status(0);
    assert_eq!(
        counts(&planned)[1],
        u64::try_from(taggable).expect("a count")
    );
    let run = setup_again_of(&org, option).args(tagged("b"));
    let run = run.run().await.expect_status(0);
    let is_tagging = |name: &String| name.contains(":Tag");
    assert!(
        names(&run.writes()).iter().all(is_tagging),
        "{:?}",
        names(&run.writes())
    );
    exported("b").await;
    let again = setup_again_of(&org, option).args(tagged("b"));
    let again = again.run().await.expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn tags_are_on_every_resource_of_option_s3() {
    // The key, the topic, two queues, the role and its policy.
    check_tags("s3", 6).await;
}

#[tokio::test]
async fn tags_are_on_every_resource_of_option_cloudwatch() {
    // The key, two queues, the function, two roles and their policies.
    check_tags("cloudwatch", 8).await;
}

#[tokio::test]
async fn temporary_queue_has_tags_of_deployment() {
    let org = organization_for("s3").await;
    let tag = ["--tag", "cost-center=security"];
    setup_of(&org, "s3").args(tag).run().await.expect_status(0);
    let tail = heeler_ec(&org).args(["tail", "--timeout", "1s"]);
    let run = tail.run().await;
    let created = run
        .writes()
        .into_iter()
        .find(|call| call.name() == "sqs:CreateQueue");
    let body = created.expect("a temporary queue").body.clone();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["tags"]["cost-center"], "security", "{body}");
}

#[tokio::test]
async fn reserved_tags_are_refused_before_any_call() {
    let org = Organization::on(Engine::Ministack).build().await;
    for tags in [
        &["--tag", "aws:team=x"][..],
        &["--tag", "heeler-ec:option=x"],
        &["--tag", "team"],
        &["--tag", "team=a", "--tag", "Team=b"],
        &["--role-path", "platform"],
        &["--permissions-boundary", "limits"],
    ] {
        for command in ["setup", "plan"] {
            let run = heeler_ec(&org).args([command, "--option", "s3"]).args(tags);
            let run = run.run().await.expect_status(2);
            assert_eq!(run.calls.len(), 0, "{command} {tags:?}");
        }
    }
}
