//! A failed setup keeps its resources, or deletes them with --on-failure rollback.

use crate::commands::{
    DIRECT, destroy, json, keys, names, organization_for, plan_of, run_concurrently,
    setup_again_of, setup_of_with, sorted,
};
use crate::permissions::{change_cloudwatch_resources, change_s3_resources};
use crate::whole_output::assert_stderr;
use serde_json::{Value, json};
use snapbox::str;
use std::collections::BTreeMap;
use testkit::{Fault, FaultAction, HeelerEc, Organization};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];

fn setup<'a>(org: &'a Organization, option: &str) -> HeelerEc<'a> {
    setup_of_with(org, option, ID).args(["--on-failure", "rollback"])
}

#[tokio::test]
async fn rollback_keeps_existing_function_log_group() {
    const GROUP: &str = "/aws/lambda/heeler_event_collection_lambda";
    let org = organization_for("cloudwatch").await;
    let logs = &org.clients().logs;
    let created = logs.create_log_group().log_group_name(GROUP).send().await;
    created.expect("a log group of an earlier function");
    let refusal = FaultAction::refuse(400, "LimitExceededException", "Resource limit exceeded.");
    org.proxy()
        .fault(Fault::new("logs", "PutSubscriptionFilter", refusal));
    setup(&org, "cloudwatch").run().await.expect_status(3);
    let found = logs.describe_log_groups().log_group_name_prefix(GROUP);
    let found = found.send().await.expect("log groups");
    assert_eq!(found.log_groups().len(), 1);
}

/// Refuses the nth write, counted from one.
fn refuse_nth_write(org: &Organization, writes: &[String], nth: usize) {
    let name = &writes[nth - 1];
    let before = writes[..nth - 1]
        .iter()
        .filter(|write| *write == name)
        .count();
    let (service, operation) = name.split_once(':').expect("service:Operation");
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    // Only once: the rollback may need the same operation.
    let fault = Fault::new(service, operation, refusal)
        .after(before)
        .times(1);
    org.proxy().fault(fault);
}

/// Refuses each write of a first setup in turn, and expects the organization to be unchanged.
async fn assert_every_refused_write_is_rolled_back(option: &'static str) {
    let reference = organization_for(option).await;
    let run = setup(&reference, option).run().await.expect_status(0);
    let writes = names(&run.writes());
    let writes = &writes;
    run_concurrently((1..=writes.len()).map(|nth| async move {
        let org = organization_for(option).await;
        let before = org.notification().await;
        refuse_nth_write(&org, writes, nth);
        let run = setup(&org, option).run().await;
        let context = format!("write {nth} of {}, {}", writes.len(), writes[nth - 1]);
        org.proxy().clear_faults();
        // Setup repeats this write after the key is created.
        if run.status == 0 {
            assert_eq!(writes[nth - 1], "kms:EnableKeyRotation", "{context}");
            return;
        }
        let run = run.expect_status(3);
        assert_eq!(run.stdout, "", "{context}");
        assert!(
            run.stderr.contains("Rolled back"),
            "{context}\n{}",
            run.stderr
        );
        assert_eq!(org.leftovers().await, NOTHING, "{context}\n{}", run.stderr);
        assert_eq!(org.notification().await, before, "{context}");
    }))
    .await;
}

#[tokio::test]
async fn refused_s3_write_is_rolled_back() {
    assert_every_refused_write_is_rolled_back("s3").await;
}

#[tokio::test]
async fn refused_cloudwatch_write_is_rolled_back() {
    assert_every_refused_write_is_rolled_back("cloudwatch").await;
}

#[tokio::test]
async fn refused_direct_write_is_rolled_back() {
    assert_every_refused_write_is_rolled_back(DIRECT).await;
}

/// The changes in a plan, which show the current state of the deployment.
async fn planned_changes(org: &Organization, option: &str) -> BTreeMap<String, Value> {
    let run = plan_of(org, option).args(["-o", "json", "--external-id", ID]);
    let plan = json(&run.run().await.expect_status(0));
    let steps = plan["steps"].as_array().expect("steps");
    let changes = steps.iter().map(|step| {
        let name = format!("{} {}", step["kind"], step["name"]);
        (name, json!([step["action"], step["changes"]]))
    });
    changes.collect()
}

/// A deployment in which somebody has changed almost every setting.
async fn organization_with_drift(option: &str) -> Organization {
    let org = organization_for(option).await;
    setup(&org, option).run().await.expect_status(0);
    if option == "s3" {
        change_s3_resources(&org).await;
    } else {
        change_cloudwatch_resources(&org).await;
    }
    org
}

async fn assert_failed_update_is_restored(option: &'static str) {
    let reference = organization_with_drift(option).await;
    let run = setup(&reference, option).run().await.expect_status(0);
    let writes = names(&run.writes());
    let writes = &writes;
    // The resources that both options have are tested with option s3.
    let is_own = |write: &str| write.starts_with("lambda:") || write.starts_with("logs:");
    let chosen = (1..=writes.len()).filter(|nth| option == "s3" || is_own(&writes[nth - 1]));
    run_concurrently(chosen.map(|nth| async move {
        let org = organization_with_drift(option).await;
        let (before, announced) = (
            planned_changes(&org, option).await,
            org.notification().await,
        );
        let before_run = sorted(org.leftovers().await);
        refuse_nth_write(&org, writes, nth);
        let run = setup(&org, option).run().await;
        org.proxy().clear_faults();
        let context = format!("write {nth} of {}, {}", writes.len(), writes[nth - 1]);
        if run.status == 0 {
            assert_eq!(writes[nth - 1], "kms:EnableKeyRotation", "{context}");
            return;
        }
        let run = run.expect_status(3);
        let mut after = planned_changes(&org, option).await;
        if run.stderr.contains("code_sha256 keeps the new value") {
            let code = "\"lambda function\" \"heeler_event_collection_lambda\"";
            after.insert(code.to_owned(), before[code].clone());
        }
        assert_eq!(after, before, "{context}\n{}", run.stderr);
        assert_eq!(
            sorted(org.leftovers().await),
            before_run,
            "{context}\n{}",
            run.stderr
        );
        assert_eq!(org.notification().await, announced, "{context}");
    }))
    .await;
}

#[tokio::test]
async fn failed_s3_update_is_restored() {
    assert_failed_update_is_restored("s3").await;
}

#[tokio::test]
async fn failed_cloudwatch_update_is_restored() {
    assert_failed_update_is_restored("cloudwatch").await;
}

#[tokio::test]
async fn write_with_lost_response_is_rolled_back() {
    let table = [
        "kms:CreateKey",
        "kms:CreateAlias",
        "iam:CreateRole",
        "iam:CreatePolicy",
        "sns:CreateTopic",
    ];
    run_concurrently(table.into_iter().map(|name| async move {
        let org = organization_for("s3").await;
        let (service, operation) = name.split_once(':').expect("service:Operation");
        org.proxy()
            .fault(Fault::new(service, operation, FaultAction::DropResponse).times(1));
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
        org.proxy().fault(Fault::new(
            "s3",
            "PutBucketNotificationConfiguration",
            refusal,
        ));
        let run = setup(&org, "s3").run().await.expect_status(3);
        assert_eq!(org.leftovers().await, NOTHING, "{name}\n{}", run.stderr);
    }))
    .await;
}

#[tokio::test]
async fn interrupted_setup_is_rolled_back_on_request() {
    let org = organization_for("s3").await;
    let subscribe = org.proxy().hold("sns", "Subscribe");
    let running = setup(&org, "s3").spawn().await;
    subscribe.wait_for_call().await;
    running.interrupt();
    running.wait_for_stderr("Interrupted").await;
    subscribe.open();
    let run = running.wait().await.expect_status(130);
    assert!(run.stderr.contains("then rolling back"), "{}", run.stderr);
    assert!(run.stderr.contains("Rolled back"), "{}", run.stderr);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn second_interrupt_exits_with_next_steps() {
    let org = organization_for("s3").await;
    let subscribe = org.proxy().hold("sns", "Subscribe");
    let delete = org.proxy().hold("sqs", "DeleteQueue");
    let running = setup(&org, "s3").spawn().await;
    subscribe.wait_for_call().await;
    running.interrupt();
    running.wait_for_stderr("Interrupted").await;
    subscribe.open();
    delete.wait_for_call().await;
    running.interrupt();
    let run = running.wait().await.expect_status(130);
    assert!(run.stderr.contains("heeler-ec destroy"), "{}", run.stderr);
    org.proxy().clear_faults();
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn refused_rollback_lists_leftovers_and_next_steps() {
    let org = organization_for("s3").await;
    for (service, operation) in [
        ("s3", "PutBucketNotificationConfiguration"),
        ("sqs", "DeleteQueue"),
    ] {
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
        org.proxy().fault(Fault::new(service, operation, refusal));
    }
    let run = setup(&org, "s3").run().await.expect_status(3);
    for expected in [
        "Some changes could not be rolled back",
        "sqs queue heeler_event_collection_queue: ",
        "depends on",
        "heeler-ec destroy",
        "grant s3:PutBucketNotification ",
    ] {
        assert!(
            run.stderr.contains(expected),
            "no {expected:?} in\n{}",
            run.stderr
        );
    }
    org.proxy().clear_faults();
    setup_again_of(&org, "s3")
        .args([
            "--external-id",
            ID,
            "--heeler-role-arn",
            &org.heeler_role_arn(),
        ])
        .run()
        .await
        .expect_status(0);
    assert_eq!(keys(&org).await, 1);
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn refused_key_deletion_is_not_announced() {
    let org = organization_for("s3").await;
    for (service, operation, status, code) in [
        (
            "s3",
            "PutBucketNotificationConfiguration",
            403,
            "AccessDenied",
        ),
        ("kms", "ScheduleKeyDeletion", 400, "AccessDeniedException"),
    ] {
        let refusal = FaultAction::refuse(status, code, "is not authorized");
        org.proxy().fault(Fault::new(service, operation, refusal));
    }
    let run = setup(&org, "s3").run().await.expect_status(3);
    let remaining = "kms key heeler_kms_key_sqs: is not authorized";
    assert!(run.stderr.contains(remaining), "{}", run.stderr);
    assert!(!run.stderr.contains("AWS deletes"), "{}", run.stderr);
    org.proxy().clear_faults();
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn rollback_keeps_topic_used_by_others() {
    let org = organization_for("s3").await;
    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        org.region(),
        org.account()
    );
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    let put = Fault::new("s3", "PutBucketNotificationConfiguration", refusal);
    org.proxy().fault(put);
    let attach = org.proxy().hold("iam", "AttachRolePolicy");
    let running = setup(&org, "s3").spawn().await;
    running.wait_for_stderr("+ created sns subscription").await;
    let subscribe = org
        .clients()
        .sns
        .subscribe()
        .topic_arn(topic)
        .protocol("sqs");
    let exports = format!("arn:aws:sqs:{}:{}:exports", org.region(), org.account());
    subscribe
        .endpoint(exports)
        .send()
        .await
        .expect("a subscription of others");
    attach.open();
    let run = running.wait().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
...
Plan: 13 to create.
  ! failed to create s3 notification org-trail-logs-111122223333#heeler-ec: cannot write the notification configuration of bucket org-trail-logs-111122223333: is not authorized (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  + created iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  + created iam policy heeler_event_collection_sqs_policy (0.1 s)
  + created iam role heeler_event_collection_sqs_role (0.1 s)
  + created kms alias alias/heeler_kms_key_sqs (0.1 s)
  + created kms grant heeler_event_collection_grant on 00000000-1111-2222-3333-444444444444 (0.1 s)
  + created kms key heeler_kms_key_sqs (0.1 s)
  + created sns subscription heeler_event_collection_topic -> heeler_event_collection_queue (0.1 s)
  + created sns topic heeler_event_collection_topic (0.1 s)
  + created sns topic policy heeler_event_collection_topic (0.1 s)
  + created sqs queue heeler_event_collection_queue (0.1 s)
  + created sqs queue heeler_event_collection_queue_dlq (0.1 s)
  + created sqs queue policy heeler_event_collection_queue (0.1 s)
Created 12 resources (0.1 s).

Rolling back the changes of this run:
  ! failed to delete sns topic heeler_event_collection_topic: cannot delete sns topic heeler_event_collection_topic: it has other subscribers: sqs arn:aws:sqs:us-east-1:111122223333:exports
  - deleted iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  - deleted iam policy heeler_event_collection_sqs_policy (0.1 s)
  - deleted kms grant heeler_event_collection_grant on 00000000-1111-2222-3333-444444444444 (0.1 s)
  - deleted sns subscription heeler_event_collection_topic -> heeler_event_collection_queue (0.1 s)
  - deleted sqs queue heeler_event_collection_queue (0.1 s)
  - deleted sqs queue heeler_event_collection_queue_dlq (0.1 s)
  - skipped: delete iam role heeler_event_collection_sqs_role (depends on sns topic heeler_event_collection_topic)
  - skipped: delete kms alias alias/heeler_kms_key_sqs (depends on sns topic heeler_event_collection_topic)
  - skipped: delete kms key heeler_kms_key_sqs (depends on sns topic heeler_event_collection_topic)
Deleted 6 resources (0.1 s).
Some changes could not be rolled back. Remaining:
  iam role heeler_event_collection_sqs_role: depends on sns topic heeler_event_collection_topic
  kms key heeler_kms_key_sqs: depends on sns topic heeler_event_collection_topic
  kms alias alias/heeler_kms_key_sqs: depends on sns topic heeler_event_collection_topic
  sns topic heeler_event_collection_topic: it has other subscribers: sqs arn:aws:sqs:us-east-1:111122223333:exports
Run the same command again to complete the setup. To remove it, run:
  heeler-ec destroy
error: cannot write the notification configuration of bucket org-trail-logs-111122223333
  cause: is not authorized (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant s3:PutBucketNotification to the caller

"]],
    );
}

#[tokio::test]
async fn failed_setup_keeps_resources_by_default() {
    let org = organization_for("s3").await;
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy().fault(Fault::new("sns", "Subscribe", refusal));
    let run = setup_of_with(&org, "s3", ID).run().await.expect_status(3);
    assert!(
        run.stderr.contains("Resources created so far were kept"),
        "{}",
        run.stderr
    );
    assert!(!org.leftovers().await.is_empty());
}
