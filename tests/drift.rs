//! Drift: `plan --check` finds the option automatically and names the differences; setup repairs them.

use crate::commands::heeler_ec;
use crate::commands::{
    counts, destroy, json, names, on_both_engines, plan, setup, setup_again, setup_again_of,
    setup_of, setup_with, text,
};
use crate::whole_output::{assert_stderr, assert_stdout};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use snapbox::str;
use testkit::{Call, Engine, Fault, FaultAction, HeelerEc, Organization, Run};

const NOTHING: [String; 0] = [];
const ROLE: &str = "heeler_event_collection_sqs_role";
const DELETED_ROLE_ID: &str = "AROAEXAMPLEEXAMPLE123";
const DELETED_USER_ID: &str = "AIDAEXAMPLEEXAMPLE123";

/// The command for a daily job.
fn plan_check(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["plan", "--check", "-o", "json"])
}

/// The changes of the only step of this kind.
fn changes_of_kind(run: &Run, kind: &str) -> Vec<Value> {
    let steps = json(run)["steps"].as_array().expect("steps").clone();
    let mut of_kind = steps
        .into_iter()
        .filter(|step| step["kind"] == kind && step["action"] != "keep");
    let step = of_kind
        .next()
        .unwrap_or_else(|| panic!("no change of a {kind}: {}", run.stdout));
    step["changes"].as_array().expect("changes").clone()
}

fn resources_with_action(run: &Run, action: &str) -> Vec<String> {
    let steps = json(run)["steps"].as_array().expect("steps").clone();
    let of = steps.iter().filter(|step| step["action"] == action);
    of.map(|step| text(&step["kind"])).collect()
}

on_both_engines! {
    async fn plan_check_exits_zero_without_drift(engine: Engine) {
        let org = Organization::on(engine).bucket_key().other_notifications().build().await;
        setup(&org).run().await.expect_status(0);
        let run = plan_check(&org).run().await.expect_status(0);
        assert_eq!(counts(&run), [0, 0, 13, 0]);
        assert_eq!(names(&run.writes()), NOTHING);
    }

    async fn cloudwatch_plan_check_exits_zero_without_drift(engine: Engine) {
        let org = Organization::on(engine).log_group().build().await;
        setup_of(&org, "cloudwatch").run().await.expect_status(0);
        let run = plan_check(&org).run().await.expect_status(0);
        assert_eq!(counts(&run), [0, 0, 14, 0]);
    }

    async fn plan_check_fails_before_setup(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let run = plan_check(&org).run().await.expect_status(1);
        assert_stderr(&org, &run, str![[r#"
error: nothing is deployed under the name prefix "heeler"
  cause: this account has no role heeler_event_collection_sqs_role that is managed by heeler-ec
  hint:  to choose an option and set it up, start with: heeler-ec preflight

"#]]);
        heeler_ec(&org).args(["plan"]).run().await.expect_status(1);
    }

    async fn lost_grant_is_recreated(engine: Engine) {
        let org = Organization::on(engine).bucket_key().build().await;
        setup(&org).run().await.expect_status(0);
        let kms = &org.clients().kms;
        let key = org.bucket_key().expect("a key");
        let grants = kms.list_grants().key_id(key).send().await.expect("grants");
        let id = grants.grants()[0].grant_id().expect("an id").to_owned();
        kms.revoke_grant().key_id(key).grant_id(id).send().await.expect("the grant is revoked");
        let run = plan_check(&org).run().await.expect_status(1);
        assert_eq!(resources_with_action(&run, "create"), ["kms grant"]);
        setup_again(&org).run().await.expect_status(0);
        plan_check(&org).run().await.expect_status(0);
    }
}

#[tokio::test]
async fn drift_is_found_without_the_trail() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let delete = org.clients().cloudtrail.delete_trail().name(org.trail());
    delete.send().await.expect("the trail is deleted");
    plan_check(&org).run().await.expect_status(0);
    shorten_retention(&org).await;
    plan_check(&org).run().await.expect_status(1);
}

async fn shorten_retention(org: &Organization) {
    let sqs = &org.clients().sqs;
    let name = "heeler_event_collection_queue";
    let url = sqs.get_queue_url().queue_name(name).send().await;
    let url = url.expect("a queue").queue_url.unwrap_or_default();
    let change = sqs.set_queue_attributes().queue_url(url);
    let change = change.attributes(QueueAttributeName::MessageRetentionPeriod, "60");
    change.send().await.expect("a shorter retention");
}

/// A policy with one more statement.
fn with_statement_added(policy: &str, statement: Value) -> String {
    let mut policy: Value = serde_json::from_str(policy).expect("a policy");
    policy["Statement"]
        .as_array_mut()
        .expect("statements")
        .push(statement);
    policy.to_string()
}

fn other_statement(principal: &str, action: &str, resource: &str) -> Value {
    json!({
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": { "AWS": principal },
        "Action": action,
        "Resource": resource,
    })
}

/// Grants access to principals that are deleted afterwards.
async fn grant_access_to_deleted_principals(org: &Organization) {
    let clients = org.clients();
    let account = org.account();
    let topic = format!(
        "arn:aws:sns:{}:{account}:heeler_event_collection_topic",
        org.region()
    );
    let read = clients
        .sns
        .get_topic_attributes()
        .topic_arn(&topic)
        .send()
        .await;
    let policy = read.expect("a topic").attributes.expect("attributes")["Policy"].clone();
    let write = clients.sns.set_topic_attributes().topic_arn(&topic);
    let write = write.attribute_name("Policy");
    let write = write.attribute_value(with_statement_added(
        &policy,
        other_statement(DELETED_USER_ID, "sns:Publish", &topic),
    ));
    write.send().await.expect("a topic policy");

    let alias = "alias/heeler_kms_key_sqs";
    let key = clients.kms.describe_key().key_id(alias).send().await;
    let key = key.expect("a key").key_metadata.expect("a key").key_id;
    let read = clients
        .kms
        .get_key_policy()
        .key_id(&key)
        .policy_name("default");
    let policy = read
        .send()
        .await
        .expect("a key policy")
        .policy
        .expect("a policy");
    let write = clients
        .kms
        .put_key_policy()
        .key_id(&key)
        .policy_name("default");
    let write = write.policy(with_statement_added(
        &policy,
        other_statement(DELETED_ROLE_ID, "kms:Decrypt", "*"),
    ));
    write.send().await.expect("a key policy");

    let queue = format!(
        "arn:aws:sqs:{}:{account}:heeler_event_collection_queue",
        org.region()
    );
    let url = clients
        .sqs
        .get_queue_url()
        .queue_name("heeler_event_collection_queue");
    let url = url
        .send()
        .await
        .expect("a queue")
        .queue_url
        .unwrap_or_default();
    let read = clients.sqs.get_queue_attributes().queue_url(&url);
    let read = read
        .attribute_names(QueueAttributeName::Policy)
        .send()
        .await;
    let policy =
        read.expect("a queue").attributes.expect("attributes")[&QueueAttributeName::Policy].clone();
    let write = clients.sqs.set_queue_attributes().queue_url(&url);
    let policy = with_statement_added(
        &policy,
        other_statement(DELETED_ROLE_ID, "sqs:SendMessage", &queue),
    );
    let write = write.attributes(QueueAttributeName::Policy, policy);
    write.send().await.expect("a queue policy");

    set_trusted_principals(org, &[&org.heeler_role_arn(), DELETED_ROLE_ID]).await;
}

async fn set_trusted_principals(org: &Organization, principals: &[&str]) {
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "HeelerAssumeRole",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": { "AWS": principals },
        "Condition": { "StringEquals": { "sts:ExternalId": "the-external-id" } },
    }]});
    let write = org
        .clients()
        .iam
        .update_assume_role_policy()
        .role_name(ROLE);
    let write = write.policy_document(policy.to_string());
    write.send().await.expect("a trust policy");
}

#[tokio::test]
async fn deleted_principals_are_named_and_removed() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "the-external-id")
        .run()
        .await
        .expect_status(0);
    grant_access_to_deleted_principals(&org).await;
    let run = plan_check(&org).run().await.expect_status(1);
    for (kind, id) in [
        ("sns topic policy", DELETED_USER_ID),
        ("kms key", DELETED_ROLE_ID),
        ("sqs queue policy", DELETED_ROLE_ID),
        ("iam role", DELETED_ROLE_ID),
    ] {
        let changes = changes_of_kind(&run, kind);
        let reason = text(&changes[0]["reason"]);
        assert!(
            reason.contains("was deleted") && reason.contains(id),
            "{kind}: {reason}"
        );
        assert!(changes[0]["before"].to_string().contains(id), "{kind}");
    }
    let trust = &changes_of_kind(&run, "iam role")[0];
    assert_eq!(
        (&trust["field"], &trust["known"]),
        (&json!("trust"), &json!(false))
    );
    assert!(!run.stdout.contains("the-external-id"), "{}", run.stdout);

    let refused = setup_again(&org).run().await.expect_status(1);
    assert_eq!(names(&refused.writes()), NOTHING);
    setup_with(&org, "the-external-id")
        .run()
        .await
        .expect_status(0);
    plan_check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn table_shows_changed_statement_only() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "the-external-id")
        .run()
        .await
        .expect_status(0);
    grant_access_to_deleted_principals(&org).await;
    let run = heeler_ec(&org).args(["plan"]).run().await.expect_status(0);
    assert_stdout(
        &org,
        &run,
        str![[r#"
Option s3 in account 111122223333, region us-east-1:

Who gets access:
  iam role heeler_event_collection_sqs_role
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

 ~ update  iam role          heeler_event_collection_sqs_role
                             trust: {"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Condition":{"StringEquals":{"sts:externalid":"(external id)"}},"Effect":"Allow","Principal":{"AWS":["AROAEXAMPLEEXAMPLE123","arn:aws:iam::999900001111:role/heeler-security"]},"Sid":"HeelerAssumeRole"}]} -> (known after apply)
                               the role was deleted: AWS shows its ID AROAEXAMPLEEXAMPLE123, and a role created again under the same name has another ID; to repair it, setup needs --heeler-role-arn with the role ARN that Heeler provides
 ~ update  kms key           heeler_kms_key_sqs
                             policy: remove statement "Theirs", which allows AROAEXAMPLEEXAMPLE123 to use kms:Decrypt on *
                               the role was deleted: AWS shows its ID AROAEXAMPLEEXAMPLE123, and a role created again under the same name has another ID
 ~ update  sns topic policy  heeler_event_collection_topic
                             policy: remove statement "Theirs", which allows AIDAEXAMPLEEXAMPLE123 to use sns:Publish on arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic
                               the user was deleted: AWS shows its ID AIDAEXAMPLEEXAMPLE123, and a user created again under the same name has another ID
 ~ update  sqs queue policy  heeler_event_collection_queue
                             policy: remove statement "Theirs", which allows AROAEXAMPLEEXAMPLE123 to use sqs:SendMessage on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue
                               the role was deleted: AWS shows its ID AROAEXAMPLEEXAMPLE123, and a role created again under the same name has another ID

Plan: 4 to update, 8 unchanged.

"#]],
    );
    assert_stderr(
        &org,
        &run,
        str![[r"
Drift detected. To fix it, run (asks for confirmation):
  heeler-ec setup --option s3

"]],
    );
}

#[tokio::test]
async fn trusted_role_is_compared_with_arguments() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "the-external-id")
        .run()
        .await
        .expect_status(0);
    let given = |role: &str, id: &str| {
        plan_check(&org).args(["--heeler-role-arn", role, "--external-id", id])
    };
    let role = org.heeler_role_arn();
    given(&role, "the-external-id").run().await.expect_status(0);
    let run = given(&role, "another-external-id")
        .run()
        .await
        .expect_status(1);
    let change = &changes_of_kind(&run, "iam role")[0];
    assert_eq!(
        (&change["field"], &change["before"]),
        (&json!("external_id"), &json!("(masked)"))
    );
    let run = given("arn:aws:iam::999988887777:role/another", "the-external-id")
        .run()
        .await;
    assert_eq!(
        changes_of_kind(&run.expect_status(1), "iam role")[0]["field"],
        "trust"
    );
}

#[tokio::test]
async fn unexpected_trust_policy_form_is_drift() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "ec2.amazonaws.com" },
    }]});
    let write = org
        .clients()
        .iam
        .update_assume_role_policy()
        .role_name(ROLE);
    let write = write.policy_document(policy.to_string()).send().await;
    write.expect("a trust policy");
    let change =
        changes_of_kind(&plan_check(&org).run().await.expect_status(1), "iam role")[0].clone();
    assert_eq!(
        (&change["field"], &change["after"]),
        (&json!("trust"), &Value::Null)
    );
    assert!(
        text(&change["reason"]).contains("--heeler-role-arn"),
        "{change}"
    );
}

#[tokio::test]
async fn changed_subscription_attributes_are_repaired() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let sns = &org.clients().sns;
    let listed = sns
        .list_subscriptions()
        .send()
        .await
        .expect("subscriptions");
    let subscription = listed.subscriptions().iter().find_map(|subscription| {
        let endpoint = subscription.endpoint()?;
        endpoint
            .ends_with("heeler_event_collection_queue")
            .then(|| subscription.subscription_arn())?
    });
    let subscription = subscription.expect("a subscription").to_owned();
    for (name, value) in [
        ("RawMessageDelivery", "true"),
        ("FilterPolicy", r#"{"kind":["some"]}"#),
    ] {
        let write = sns
            .set_subscription_attributes()
            .subscription_arn(&subscription);
        let write = write.attribute_name(name).attribute_value(value);
        write.send().await.expect("another subscription");
    }
    let run = plan_check(&org).run().await.expect_status(1);
    let named: Vec<String> = changes_of_kind(&run, "sns subscription")
        .iter()
        .map(|change| format!("{}: {}", text(&change["field"]), text(&change["reason"])))
        .collect();
    assert_eq!(
        named,
        [
            "filter: only messages that match the filter policy reach the queue",
            "raw_delivery: setup delivers messages in the SNS envelope, the default of SNS",
        ]
    );
    setup_again(&org).run().await.expect_status(0);
    plan_check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn pending_subscription_is_named_and_recreated() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let pending = FaultAction::edit_text(|answer| {
        let mut parts = answer.split("<SubscriptionArn>");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let rest = part
                .split_once("</SubscriptionArn>")
                .map_or(part, |(_, rest)| rest);
            format!("{text}<SubscriptionArn>PendingConfirmation</SubscriptionArn>{rest}")
        })
    });
    org.proxy().fault(Fault::new(
        "sns",
        "ListSubscriptionsByTopic",
        pending.clone(),
    ));
    let run = plan_check(&org).run().await.expect_status(1);
    let changes = changes_of_kind(&run, "sns subscription");
    assert_eq!(
        (changes.len(), &changes[0]["field"]),
        (1, &json!("confirmed"))
    );
    assert!(
        text(&changes[0]["reason"]).contains("pending"),
        "{changes:?}"
    );

    org.proxy().clear_faults();
    org.proxy()
        .fault(Fault::new("sns", "ListSubscriptionsByTopic", pending).times(1));
    let run = setup_again(&org).run().await.expect_status(0);
    assert_eq!(names(&run.writes()), ["sns:Subscribe"]);
}

#[tokio::test]
async fn grant_to_deleted_role_is_replaced() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let to_the_dead = FaultAction::edit_json(|answer| {
        for grant in answer["Grants"].as_array_mut().into_iter().flatten() {
            grant["GranteePrincipal"] = DELETED_ROLE_ID.into();
        }
    });
    org.proxy()
        .fault(Fault::new("kms", "ListGrants", to_the_dead.clone()));
    let run = plan_check(&org).run().await.expect_status(1);
    let change = &changes_of_kind(&run, "kms grant")[0];
    assert_eq!(
        (&change["field"], &change["before"]),
        (&json!("grantee"), &json!(DELETED_ROLE_ID))
    );
    assert!(text(&change["reason"]).contains("was deleted"), "{change}");

    // The fault changes two reads: one for the checks and one for the plan. It does not change the read after the write.
    let run = plan(&org).run().await.expect_status(0);
    let looks = run
        .calls
        .iter()
        .filter(|call| call.operation == "ListGrants")
        .count();
    org.proxy().clear_faults();
    let fault = Fault::new("kms", "ListGrants", to_the_dead).times(looks);
    org.proxy().fault(fault);
    let run = setup_again(&org).run().await.expect_status(0);
    assert_eq!(names(&run.writes()), ["kms:RevokeGrant", "kms:CreateGrant"]);
    plan_check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn changed_function_lists_differing_fields() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    setup_of(&org, "cloudwatch").run().await.expect_status(0);
    let lambda = &org.clients().lambda;
    let change = lambda.update_function_configuration();
    let change = change
        .function_name("heeler_event_collection_lambda")
        .memory_size(512);
    change.send().await.expect("another function");
    let changes = changes_of_kind(
        &plan_check(&org).run().await.expect_status(1),
        "lambda function",
    );
    // The emulator may still apply the change.
    let changes: Vec<&Value> = changes
        .iter()
        .filter(|change| change["field"] != "state")
        .collect();
    assert_eq!(
        changes,
        [&json!({"field": "memory_mb", "before": 512, "after": 128, "known": true})]
    );
    setup_again_of(&org, "cloudwatch")
        .run()
        .await
        .expect_status(0);
    plan_check(&org).run().await.expect_status(0);
}

fn access_denied(service: &str, operation: &str) -> Fault {
    let context = FaultAction::refuse(403, "AccessDenied", "is not authorized to perform this");
    Fault::new(service, operation, context)
}

#[tokio::test]
async fn unreadable_resource_is_unknown_others_are_planned() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    shorten_retention(&org).await;
    org.proxy()
        .fault(access_denied("sns", "GetSubscriptionAttributes"));
    let run = plan_check(&org).run().await.expect_status(3);
    assert_eq!(counts(&run), [0, 1, 10, 0]);
    let plan = json(&run);
    assert_eq!(plan["counts"]["unknown"], 1);
    let steps = plan["steps"].as_array().expect("steps");
    let unknown = steps
        .iter()
        .find(|step| step["action"] == "unknown")
        .expect("an unknown");
    assert_eq!(unknown["kind"], "sns subscription");
    assert_eq!(unknown["permission"], "sns:GetSubscriptionAttributes");
    assert_stderr(
        &org,
        &run,
        str![[r"
error: cannot read sns subscription heeler_event_collection_topic -> heeler_event_collection_queue
  cause: is not authorized to perform this (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant sns:GetSubscriptionAttributes to the caller

"]],
    );

    let table = heeler_ec(&org).args(["plan"]).run().await.expect_status(3);
    assert_stdout(
        &org,
        &table,
        str![[r"
Option s3 in account 111122223333, region us-east-1:

 ~ update   sqs queue         heeler_event_collection_queue
                              retention_seconds: 60 -> 7200
 ? unknown  sns subscription  heeler_event_collection_topic -> heeler_event_collection_queue
                              cannot read sns subscription heeler_event_collection_topic -> heeler_event_collection_queue: is not authorized to perform this (AccessDenied, request id 00000000-1111-2222-3333-444444444444); it needs sns:GetSubscriptionAttributes

Plan: 1 to update, 1 unknown, 10 unchanged.

"]],
    );

    for (refused, expected) in [
        (
            setup_again(&org),
            str![[r"
Preflight: 48 passed, 2 warnings, 9 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
Option s3 in account 111122223333, region us-east-1:

 ~ update   sqs queue         heeler_event_collection_queue
                              retention_seconds: 60 -> 7200
 ? unknown  sns subscription  heeler_event_collection_topic -> heeler_event_collection_queue
                              cannot read sns subscription heeler_event_collection_topic -> heeler_event_collection_queue: is not authorized to perform this (AccessDenied, request id 00000000-1111-2222-3333-444444444444); it needs sns:GetSubscriptionAttributes

Plan: 1 to update, 1 unknown, 10 unchanged.
Some resources could not be read; no changes were made.
error: cannot read sns subscription heeler_event_collection_topic -> heeler_event_collection_queue
  cause: is not authorized to perform this (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant sns:GetSubscriptionAttributes to the caller

"]],
        ),
        (
            destroy(&org),
            str![[r"
Option s3 in account 111122223333, region us-east-1:

 - delete   iam role          heeler_event_collection_sqs_role
 - delete   kms key           heeler_kms_key_sqs  (AWS deletes it in 7 days)
 - delete   kms alias         alias/heeler_kms_key_sqs
 - delete   sns topic         heeler_event_collection_topic
 - delete   sns topic policy  heeler_event_collection_topic
 - delete   sqs queue         heeler_event_collection_queue_dlq
 - delete   sqs queue         heeler_event_collection_queue
 - delete   sqs queue policy  heeler_event_collection_queue
 ? unknown  sns subscription  heeler_event_collection_topic -> heeler_event_collection_queue
                              cannot read sns subscription heeler_event_collection_topic -> heeler_event_collection_queue: is not authorized to perform this (AccessDenied, request id 00000000-1111-2222-3333-444444444444); it needs sns:GetSubscriptionAttributes
 - delete   iam policy        heeler_event_collection_sqs_policy
 - delete   iam attachment    heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role
 - delete   s3 notification   org-trail-logs-111122223333#heeler-ec

Destroy: 11 to delete.
Nothing was deleted, because some resources could not be read.
error: cannot read sns subscription heeler_event_collection_topic -> heeler_event_collection_queue
  cause: is not authorized to perform this (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant sns:GetSubscriptionAttributes to the caller

"]],
        ),
    ] {
        let run = refused.run().await.expect_status(3);
        assert_eq!(names(&run.writes()), NOTHING);
        assert_stderr(&org, &run, expected);
    }
}

#[tokio::test]
async fn dependents_of_unknown_are_not_drift() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    org.proxy()
        .fault(access_denied("kms", "GetKeyRotationStatus"));
    let run = plan_check(&org).run().await.expect_status(3);
    assert_eq!(counts(&run)[..2], [0, 0], "{}", run.stdout);
    let unknown = resources_with_action(&run, "unknown");
    assert!(unknown.contains(&"kms key".to_owned()), "{unknown:?}");
    assert!(!unknown.contains(&"sns topic".to_owned()), "{unknown:?}");
}

#[tokio::test]
async fn deployment_with_untaggable_prefix_is_found_through_trail() {
    let org = Organization::on(Engine::Ministack)
        .prefix("audit(1)")
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let run = plan_check(&org).run().await.expect_status(0);
    assert_eq!(counts(&run), [0, 0, 12, 0]);
    let asked: Vec<String> = run.calls.iter().map(Call::name).collect();
    assert!(
        asked.contains(&"cloudtrail:DescribeTrails".to_owned()),
        "{asked:?}"
    );
}

/// A deployment whose log prefix has no ID of the organization, as earlier versions made it.
async fn deployment_with_wide_prefix(engine: Engine, prefix: &str) -> Organization {
    let org = Organization::on(engine)
        .single_account_trail()
        .prefix(prefix)
        .build()
        .await;
    let accept = ["--accept", "trail.organization"];
    setup(&org).args(accept).run().await.expect_status(0);
    org
}

async fn make_organization_trail(org: &Organization) {
    let change = org.clients().cloudtrail.update_trail().name(org.trail());
    let change = change.is_organization_trail(true).send().await;
    change.expect("an organization trail");
}

on_both_engines! {
    async fn wide_log_prefix_is_drift(engine: Engine) {
        let org = deployment_with_wide_prefix(engine, "audit").await;
        plan_check(&org).run().await.expect_status(0);
        make_organization_trail(&org).await;

        let run = plan_check(&org).run().await.expect_status(1);
        let mut updated = resources_with_action(&run, "update");
        updated.sort_unstable();
        assert_eq!(updated, ["iam policy", "iam role", "s3 notification"]);
        assert_eq!(names(&run.writes()), NOTHING);

        let run = setup_again(&org).run().await.expect_status(0);
        let written = names(&run.writes());
        let place = |name: &str| written.iter().position(|call| call == name);
        let notification = place("s3:PutBucketNotificationConfiguration");
        assert!(notification.is_some(), "{written:?}");
        assert!(notification < place("iam:CreatePolicyVersion"), "{written:?}");
        let prefix = format!("\"audit/AWSLogs/{}/\"", org.organization_id());
        let topics = org.notification().await["topics"].to_string();
        assert!(topics.contains(&prefix), "{topics}");
        plan_check(&org).run().await.expect_status(0);
        destroy(&org).run().await.expect_status(0);
    }
}

#[tokio::test]
async fn missing_filter_policy_on_existing_topic_is_repaired() {
    let org = Organization::on(Engine::Ministack)
        .topic("events")
        .build()
        .await;
    let done = setup(&org).run().await.expect_status(0);
    let used = "Existing resources that it uses (unchanged):\n  sns topic events\n";
    assert!(done.stderr.contains(used), "{}", done.stderr);
    let attribute = async |name: &str, value: &str| {
        let subscriptions = org.clients().sns.list_subscriptions_by_topic();
        let listed = subscriptions
            .topic_arn(org.topic().expect("a topic"))
            .send();
        let listed = listed.await.expect("subscriptions");
        let arn = listed.subscriptions()[0].subscription_arn();
        let set = org.clients().sns.set_subscription_attributes();
        let set = set.subscription_arn(arn.expect("an ARN"));
        let set = set.attribute_name(name).attribute_value(value).send();
        set.await.expect("another subscription");
    };
    // The state after a setup of an earlier version.
    attribute("FilterPolicy", "{}").await;
    attribute("FilterPolicyScope", "MessageAttributes").await;
    let run = plan_check(&org).run().await.expect_status(1);
    let named: Vec<String> = changes_of_kind(&run, "sns subscription")
        .iter()
        .map(|change| format!("{}: {}", text(&change["field"]), text(&change["reason"])))
        .collect();
    assert_eq!(
        named,
        [
            "filter: the topic may announce objects that the role cannot read",
            "filter_scope: the filter policy applies to the message, not to its attributes",
        ]
    );
    let run = setup_again(&org).run().await.expect_status(0);
    assert_eq!(
        names(&run.writes()),
        [
            "sns:SetSubscriptionAttributes",
            "sns:SetSubscriptionAttributes"
        ]
    );
    plan_check(&org).run().await.expect_status(0);
    destroy(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn filter_policy_is_narrowed_before_role() {
    let org = Organization::on(Engine::Ministack)
        .topic("events")
        .single_account_trail()
        .build()
        .await;
    let accept = ["--accept", "trail.organization"];
    setup(&org).args(accept).run().await.expect_status(0);
    make_organization_trail(&org).await;
    let run = plan_check(&org).run().await.expect_status(1);
    let mut updated = resources_with_action(&run, "update");
    updated.sort_unstable();
    assert_eq!(updated, ["iam policy", "iam role", "sns subscription"]);

    let written = names(&setup_again(&org).run().await.expect_status(0).writes());
    let place = |name: &str| written.iter().position(|call| call == name);
    let filter = place("sns:SetSubscriptionAttributes");
    assert!(filter.is_some(), "{written:?}");
    assert!(filter < place("iam:CreatePolicyVersion"), "{written:?}");
    plan_check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn changed_region_tag_can_be_restored() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let tag = async |region: &str| {
        let tag = aws_sdk_iam::types::Tag::builder().key("heeler-ec:region");
        let tag = tag.value(region).build().expect("a tag");
        let call = org.clients().iam.tag_role().role_name(ROLE);
        call.tags(tag).send().await.expect("a role with this tag");
    };
    tag("eu-west-1").await;
    let run = setup_again(&org).run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_stderr(
        &org,
        &run,
        str![[r"
Preflight: 48 passed, 2 warnings, 9 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
error: the deployment uses region eu-west-1, but this setup needs us-east-1; no changes were made
  hint:  if another tool changed the tag of the role, restore it first: `aws iam tag-role --role-name heeler_event_collection_sqs_role --tags Key=heeler-ec:region,Value=us-east-1`; otherwise, a deployment cannot be moved: remove it with `heeler-ec destroy`, then run setup again

"]],
    );
    tag(org.region()).await;
    plan_check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn interrupted_narrowing_is_resumed_in_order() {
    let org = deployment_with_wide_prefix(Engine::Ministack, "").await;
    make_organization_trail(&org).await;
    let denied = FaultAction::refuse(403, "AccessDenied", "not authorized");
    org.proxy().fault(Fault::new(
        "s3",
        "PutBucketNotificationConfiguration",
        denied,
    ));
    let run = setup_again(&org).run().await.expect_status(3);
    let written = names(&run.writes());
    assert!(written.contains(&"iam:TagRole".to_owned()), "{written:?}");
    assert!(
        !written.contains(&"iam:CreatePolicyVersion".to_owned()),
        "{written:?}"
    );

    org.proxy().clear_faults();
    plan_check(&org).run().await.expect_status(1);
    let written = names(&setup_again(&org).run().await.expect_status(0).writes());
    let place = |name: &str| written.iter().position(|call| call == name);
    let notification = place("s3:PutBucketNotificationConfiguration");
    assert!(notification.is_some(), "{written:?}");
    assert!(
        notification < place("iam:CreatePolicyVersion"),
        "{written:?}"
    );
    plan_check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn plan_check_rejects_discovery_options() {
    let org = Organization::on(Engine::Ministack).build().await;
    for option in [["--bucket", "some-bucket"], ["--trail", "some-trail"]] {
        let run = plan_check(&org).args(option).run().await.expect_status(2);
        assert_eq!(run.calls.len(), 0);
    }
}

/// Overwrites tags of the queue and the role, as a tagging tool does.
async fn overwrite_tags(org: &Organization, tags: &[(&str, &str)]) {
    for (key, value) in tags {
        let tag = aws_sdk_iam::types::Tag::builder().key(*key).value(*value);
        let call = org.clients().iam.tag_role().role_name(ROLE);
        let call = call.tags(tag.build().expect("a tag"));
        call.send().await.expect("a tag of the role");
        let url = queue_url(org).await;
        let call = org.clients().sqs.tag_queue().queue_url(url);
        let call = call.tags(*key, *value);
        call.send().await.expect("a tag of the queue");
    }
}

async fn queue_url(org: &Organization) -> String {
    let queue = org.clients().sqs.get_queue_url();
    let queue = queue.queue_name("heeler_event_collection_queue").send();
    queue.await.expect("a queue").queue_url.expect("a URL")
}

#[tokio::test]
async fn overwritten_ownership_tags_are_repaired() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    for tags in [
        &[("managed-by", "platform")][..],
        &[("heeler-ec:option", "finance")],
        &[("managed-by", "platform"), ("heeler-ec:option", "finance")],
    ] {
        overwrite_tags(&org, tags).await;
        heeler_ec(&org)
            .args(["outputs"])
            .run()
            .await
            .expect_status(0);
        let run = plan_check(&org).run().await.expect_status(1);
        assert_eq!(counts(&run)[1], 2, "{tags:?}: {}", run.stdout);
        for kind in ["iam role", "sqs queue"] {
            let changes = changes_of_kind(&run, kind);
            assert_eq!(changes[0]["field"], "ownership_tags", "{changes:?}");
            let (key, value) = tags[0];
            assert_eq!(changes[0]["before"][key], value, "{changes:?}");
        }
        let run = setup_again(&org).run().await.expect_status(0);
        let mut writes = names(&run.writes());
        writes.sort();
        assert_eq!(writes, ["iam:TagRole", "sqs:TagQueue"], "{tags:?}");
        plan_check(&org).run().await.expect_status(0);
    }
    overwrite_tags(
        &org,
        &[("managed-by", "platform"), ("heeler-ec:option", "finance")],
    )
    .await;
    destroy(&org).run().await.expect_status(0);
    let roles = org.clients().iam.list_roles().send().await.expect("roles");
    assert!(roles.roles().iter().all(|role| role.role_name() != ROLE));
}
