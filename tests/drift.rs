//! Drift: what differs from what was set up is found without being told the option, named, and put right.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use testkit::{Call, Engine, Fault, HeelerEc, Run, FaultAction, Organization}; use crate::steps::heeler_ec;
use crate::steps::{
    again, again_of, counts, destroy, json, names, on_both_engines, plan, setup, setup_of,
    setup_with, text,
};

const NOTHING: [String; 0] = [];
const ROLE: &str = "heeler_event_collection_sqs_role";
const DEAD_ROLE: &str = "AROAEXAMPLEEXAMPLE123";
const DEAD_USER: &str = "AIDAEXAMPLEEXAMPLE123";

/// What a job would run every day.
fn check(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["plan", "--check", "-o", "json"])
}

/// The changes of the one step of this kind.
fn changes(run: &Run, kind: &str) -> Vec<Value> {
    let steps = json(run)["steps"].as_array().expect("steps").clone();
    let mut of_kind = steps
        .into_iter()
        .filter(|step| step["kind"] == kind && step["action"] != "keep");
    let step = of_kind
        .next()
        .unwrap_or_else(|| panic!("no change of a {kind}: {}", run.stdout));
    step["changes"].as_array().expect("changes").clone()
}

fn actions(run: &Run, action: &str) -> Vec<String> {
    let steps = json(run)["steps"].as_array().expect("steps").clone();
    let of = steps.iter().filter(|step| step["action"] == action);
    of.map(|step| text(&step["kind"])).collect()
}

on_both_engines! {
    async fn without_drift_the_answer_is_zero(engine: Engine) {
        let org = Organization::on(engine).bucket_key().other_notifications().build().await;
        setup(&org).run().await.expect_status(0);
        let run = check(&org).run().await.expect_status(0);
        assert_eq!(counts(&run), [0, 0, 13, 0]);
        assert_eq!(names(&run.writes()), NOTHING);
    }

    async fn nor_has_option_cloudwatch_drifted(engine: Engine) {
        let org = Organization::on(engine).log_group().build().await;
        setup_of(&org, "cloudwatch").run().await.expect_status(0);
        let run = check(&org).run().await.expect_status(0);
        assert_eq!(counts(&run), [0, 0, 14, 0]);
    }

    async fn nothing_set_up_is_a_no(engine: Engine) {
        let org = Organization::on(engine).build().await;
        let run = check(&org).run().await.expect_status(1);
        assert!(run.stderr.contains("heeler-ec setup --option s3"), "{}", run.stderr);
        heeler_ec(&org).args(["plan"]).run().await.expect_status(1);
    }

    async fn a_lost_grant_is_to_be_made_anew(engine: Engine) {
        let org = Organization::on(engine).bucket_key().build().await;
        setup(&org).run().await.expect_status(0);
        let kms = &org.clients().kms;
        let key = org.bucket_key().expect("a key");
        let grants = kms.list_grants().key_id(key).send().await.expect("grants");
        let id = grants.grants()[0].grant_id().expect("an id").to_owned();
        kms.revoke_grant().key_id(key).grant_id(id).send().await.expect("no grant");
        let run = check(&org).run().await.expect_status(1);
        assert_eq!(actions(&run, "create"), ["kms grant"]);
        again(&org).run().await.expect_status(0);
        check(&org).run().await.expect_status(0);
    }
}

#[tokio::test]
async fn the_trail_may_be_gone_and_drift_is_still_seen() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let delete = org
        .clients()
        .cloudtrail
        .delete_trail()
        .name(org.trail());
    delete.send().await.expect("no trail");
    check(&org).run().await.expect_status(0);
    shorten_retention(&org).await;
    check(&org).run().await.expect_status(1);
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

/// A statement that somebody else put beside those of a policy.
fn beside(policy: &str, statement: Value) -> String {
    let mut policy: Value = serde_json::from_str(policy).expect("a policy");
    policy["Statement"]
        .as_array_mut()
        .expect("statements")
        .push(statement);
    policy.to_string()
}

fn theirs(principal: &str, action: &str, resource: &str) -> Value {
    json!({
        "Sid": "Theirs",
        "Effect": "Allow",
        "Principal": { "AWS": principal },
        "Action": action,
        "Resource": resource,
    })
}

/// Somebody lets principals in that are deleted afterwards.
async fn let_the_dead_in(org: &Organization) {
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
    let write = write.attribute_value(beside(&policy, theirs(DEAD_USER, "sns:Publish", &topic)));
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
    let write = write.policy(beside(&policy, theirs(DEAD_ROLE, "kms:Decrypt", "*")));
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
    let policy = beside(&policy, theirs(DEAD_ROLE, "sqs:SendMessage", &queue));
    let write = write.attributes(QueueAttributeName::Policy, policy);
    write.send().await.expect("a queue policy");

    trust(org, &[&org.heeler_role_arn(), DEAD_ROLE]).await;
}

async fn trust(org: &Organization, principals: &[&str]) {
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
async fn principals_that_were_deleted_are_named_as_such_and_taken_out() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "the-external-id").run().await.expect_status(0);
    let_the_dead_in(&org).await;
    let run = check(&org).run().await.expect_status(1);
    for (kind, id) in [
        ("sns topic policy", DEAD_USER),
        ("kms key", DEAD_ROLE),
        ("sqs queue policy", DEAD_ROLE),
        ("iam role", DEAD_ROLE),
    ] {
        let changes = changes(&run, kind);
        let reason = text(&changes[0]["reason"]);
        assert!(
            reason.contains("was deleted") && reason.contains(id),
            "{kind}: {reason}"
        );
        assert!(changes[0]["before"].to_string().contains(id), "{kind}");
    }
    let trust = &changes(&run, "iam role")[0];
    assert_eq!(
        (&trust["field"], &trust["known"]),
        (&json!("trust"), &json!(false))
    );
    assert!(!run.stdout.contains("the-external-id"), "{}", run.stdout);

    let refused = again(&org).run().await.expect_status(1);
    assert_eq!(names(&refused.writes()), NOTHING);
    setup_with(&org, "the-external-id").run().await.expect_status(0);
    check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn a_table_names_the_statement_and_not_the_whole_policy() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "the-external-id").run().await.expect_status(0);
    let_the_dead_in(&org).await;
    let run = heeler_ec(&org).args(["plan"]).run().await.expect_status(0);
    for line in [
        "policy \"Theirs\": {\"",
        "the user was deleted: AWS shows its id AIDA",
        "the role was deleted: AWS shows its id AROA",
        "--heeler-role-arn",
    ] {
        assert!(run.stdout.contains(line), "{line}\n{}", run.stdout);
    }
    assert!(
        !run.stdout.contains("AccountAdministration"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("This differs from what was set up"),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn whom_the_role_trusts_is_compared_with_what_is_given() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "the-external-id").run().await.expect_status(0);
    let given =
        |role: &str, id: &str| check(&org).args(["--heeler-role-arn", role, "--external-id", id]);
    let role = org.heeler_role_arn();
    given(&role, "the-external-id").run().await.expect_status(0);
    let run = given(&role, "another-external-id").run().await.expect_status(1);
    let change = &changes(&run, "iam role")[0];
    assert_eq!(
        (&change["field"], &change["before"]),
        (&json!("external_id"), &json!("(masked)"))
    );
    let run = given("arn:aws:iam::999988887777:role/another", "the-external-id")
        .run()
        .await;
    assert_eq!(changes(&run.expect_status(1), "iam role")[0]["field"], "trust");
}

#[tokio::test]
async fn a_trust_policy_of_another_form_is_drift_and_not_kept() {
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
    let change = changes(&check(&org).run().await.expect_status(1), "iam role")[0].clone();
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
async fn a_subscription_that_delivers_otherwise_is_named_and_put_right() {
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
    let run = check(&org).run().await.expect_status(1);
    let named: Vec<String> = changes(&run, "sns subscription")
        .iter()
        .map(|change| format!("{}: {}", text(&change["field"]), text(&change["reason"])))
        .collect();
    assert_eq!(
        named,
        [
            "filter: only what passes the filter reaches the queue",
            "raw_delivery: Heeler reads messages in the envelope of SNS",
        ]
    );
    again(&org).run().await.expect_status(0);
    check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn a_pending_subscription_is_named_and_subscribed_again() {
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
    let run = check(&org).run().await.expect_status(1);
    let changes = changes(&run, "sns subscription");
    assert_eq!(
        (changes.len(), &changes[0]["field"]),
        (1, &json!("confirmed"))
    );
    assert!(
        text(&changes[0]["reason"]).contains("pending"),
        "{changes:?}"
    );

    org.proxy().clear_faults();
    org
        .proxy()
        .fault(Fault::new("sns", "ListSubscriptionsByTopic", pending).times(1));
    let run = again(&org).run().await.expect_status(0);
    assert_eq!(names(&run.writes()), ["sns:Subscribe"]);
}

#[tokio::test]
async fn a_grant_to_a_role_that_was_deleted_is_replaced() {
    let org = Organization::on(Engine::Ministack).bucket_key().build().await;
    setup(&org).run().await.expect_status(0);
    let to_the_dead = FaultAction::edit_json(|answer| {
        for grant in answer["Grants"].as_array_mut().into_iter().flatten() {
            grant["GranteePrincipal"] = DEAD_ROLE.into();
        }
    });
    org
        .proxy()
        .fault(Fault::new("kms", "ListGrants", to_the_dead.clone()));
    let run = check(&org).run().await.expect_status(1);
    let change = &changes(&run, "kms grant")[0];
    assert_eq!(
        (&change["field"], &change["before"]),
        (&json!("grantee"), &json!(DEAD_ROLE))
    );
    assert!(text(&change["reason"]).contains("was deleted"), "{change}");

    // Of the checks and of the plan; what is read after the write is true.
    let run = plan(&org).run().await.expect_status(0);
    let looks = run
        .calls
        .iter()
        .filter(|call| call.operation == "ListGrants")
        .count();
    org.proxy().clear_faults();
    let fault = Fault::new("kms", "ListGrants", to_the_dead).times(looks);
    org.proxy().fault(fault);
    let run = again(&org).run().await.expect_status(0);
    assert_eq!(names(&run.writes()), ["kms:RevokeGrant", "kms:CreateGrant"]);
    check(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn a_changed_function_is_named_by_field() {
    let org = Organization::on(Engine::Ministack).log_group().build().await;
    setup_of(&org, "cloudwatch").run().await.expect_status(0);
    let lambda = &org.clients().lambda;
    let change = lambda.update_function_configuration();
    let change = change
        .function_name("heeler_event_collection_lambda")
        .memory_size(512);
    change.send().await.expect("another function");
    let changes = changes(&check(&org).run().await.expect_status(1), "lambda function");
    // The emulator may still be about it.
    let changes: Vec<&Value> = changes
        .iter()
        .filter(|change| change["field"] != "stage")
        .collect();
    assert_eq!(
        changes,
        [&json!({"field": "memory", "before": 512, "after": 128, "known": true})]
    );
    again_of(&org, "cloudwatch").run().await.expect_status(0);
    check(&org).run().await.expect_status(0);
}

fn denied(service: &str, operation: &str) -> Fault {
    let what = FaultAction::refuse(403, "AccessDenied", "is not authorized to perform this");
    Fault::new(service, operation, what)
}

#[tokio::test]
async fn what_may_not_be_read_is_unknown_and_the_rest_is_told() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    shorten_retention(&org).await;
    org
        .proxy()
        .fault(denied("sns", "GetSubscriptionAttributes"));
    let run = check(&org).run().await.expect_status(3);
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
    assert!(
        run.stderr.contains("sns:GetSubscriptionAttributes"),
        "{}",
        run.stderr
    );

    let table = heeler_ec(&org).args(["plan"]).run().await.expect_status(3);
    assert!(table.stdout.contains("? unknown"), "{}", table.stdout);
    assert!(
        table
            .stdout
            .contains("it needs sns:GetSubscriptionAttributes"),
        "{}",
        table.stdout
    );

    for refused in [again(&org), destroy(&org)] {
        let run = refused.run().await.expect_status(3);
        assert_eq!(names(&run.writes()), NOTHING);
        assert!(
            run.stderr.contains("sns:GetSubscriptionAttributes"),
            "{}",
            run.stderr
        );
    }
}

#[tokio::test]
async fn what_hangs_from_an_unknown_is_no_drift() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    org.proxy().fault(denied("kms", "GetKeyRotationStatus"));
    let run = check(&org).run().await.expect_status(3);
    assert_eq!(counts(&run)[..2], [0, 0], "{}", run.stdout);
    let unknown = actions(&run, "unknown");
    assert!(unknown.contains(&"kms key".to_owned()), "{unknown:?}");
    assert!(!unknown.contains(&"sns topic".to_owned()), "{unknown:?}");
}

#[tokio::test]
async fn what_fits_no_tag_is_looked_up_where_the_trail_leads() {
    let org = Organization::on(Engine::Ministack)
        .prefix("audit(1)")
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let run = check(&org).run().await.expect_status(0);
    assert_eq!(counts(&run), [0, 0, 12, 0]);
    let asked: Vec<String> = run.calls.iter().map(Call::name).collect();
    assert!(
        asked.contains(&"cloudtrail:DescribeTrails".to_owned()),
        "{asked:?}"
    );
}

#[tokio::test]
async fn where_to_look_is_an_option_of_setup() {
    let org = Organization::on(Engine::Ministack).build().await;
    for option in [["--bucket", "some-bucket"], ["--trail", "some-trail"]] {
        let run = check(&org).args(option).run().await.expect_status(2);
        assert_eq!(run.calls.len(), 0);
    }
}
