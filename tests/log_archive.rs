//! Option s3 with the log bucket in another account than the trail, as in a landing zone with a log archive account.

use aws_sdk_kms::types::GrantOperation;
use serde_json::{Value, json};
use testkit::log_file::event;
use testkit::{Call, CloudTrailDelays, Engine, HeelerEc, KeyOwner, LogFile, Organization, Run};

use crate::commands::{
    checks, counts, destroy, heeler_ec, json, names, on_both_engines, outputs, plan, preflight,
    setup, setup_again, setup_with, text,
};
use crate::permissions::adapt_for_emulator;
use crate::status::{hops, status};

const ROLE: &str = "heeler_event_collection_sqs_role";
const NOTHING: [String; 0] = [];
const CONTROL_TOWER_BUCKET: &str = "aws-controltower-logs-222233334444-us-east-1";

/// Adds the credentials for the account of the bucket.
fn split(command: HeelerEc<'_>) -> HeelerEc<'_> {
    command.args(["--bucket-profile", "log-archive"])
}

/// Runs a command with the credentials for the account of the bucket alone.
fn in_bucket_account<'a>(org: &Organization, command: HeelerEc<'a>) -> HeelerEc<'a> {
    command.identity(org.bucket_credentials())
}

/// The calls with the credentials for the management account that may have changed something.
fn management_writes(org: &Organization, run: &Run) -> Vec<String> {
    let own = org.credentials().access_key_id();
    let writes = run.writes().into_iter();
    let writes: Vec<_> = writes.filter(|call| call.access_key == own).collect();
    names(&writes)
}

/// The statement of the role's policy with this ID.
async fn role_statement(org: &Organization, sid: &str) -> Value {
    let iam = &org.clients().iam;
    let attached = iam.list_attached_role_policies().role_name(ROLE);
    let attached = attached.send().await.expect("attached policies");
    let policy = attached.attached_policies()[0].policy_arn();
    let policy = policy.expect("the policy of the role");
    let version = iam.get_policy().policy_arn(policy).send().await;
    let version = version.expect("a policy").policy.expect("a policy");
    let version = version.default_version_id().expect("a version").to_owned();
    let read = iam.get_policy_version().policy_arn(policy);
    let read = read.version_id(version).send().await.expect("a version");
    let document = read.policy_version.and_then(|version| version.document);
    let document = percent_decode(&document.expect("a document"));
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let statements = document["Statement"].as_array().expect("statements");
    let found = statements.iter().find(|statement| statement["Sid"] == sid);
    found.cloned().unwrap_or_default()
}

fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

on_both_engines! {
    async fn management_account_is_never_changed(engine: Engine) {
        let org = Organization::on(engine).log_archive().bucket_key().other_notifications().build().await;
        let before = org.notification().await;
        let ready = split(preflight(&org)).args(["-o", "json"]).run().await.expect_status(0);
        assert_eq!(checks(&json(&ready), "fail"), NOTHING);
        let planned = split(plan(&org)).args(["-o", "json"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [13, 0, 0, 0]);
        let first = split(setup(&org)).run().await.expect_status(0);
        assert_eq!(management_writes(&org, &first), NOTHING);
        assert!(!first.writes().is_empty());
        let second = split(setup_again(&org)).run().await.expect_status(0);
        assert_eq!(names(&second.writes()), NOTHING);
        let read = split(outputs(&org)).run().await.expect_status(0);
        let role = text(&json(&read)["heeler_event_role_arn"]);
        assert!(role.contains(org.bucket_account()), "{role}");
        let health = json(&split(status(&org)).run().await);
        assert_eq!(hops(&health, "broken"), NOTHING, "{health:#}");
        let removed = split(destroy(&org)).run().await.expect_status(0);
        assert_eq!(management_writes(&org, &removed), NOTHING);
        assert_eq!(org.leftovers().await, NOTHING);
        assert_eq!(org.notification().await, before);
    }
}

#[tokio::test]
async fn later_commands_need_only_bucket_account() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .build()
        .await;
    split(setup(&org)).run().await.expect_status(0);
    for command in [
        outputs(&org),
        heeler_ec(&org).args(["list"]),
        heeler_ec(&org).args(["plan", "--check"]),
        heeler_ec(&org).args(["tail", "--timeout", "1s"]),
        heeler_ec(&org).args(["export", "terraform"]),
    ] {
        let run = in_bucket_account(&org, command).run().await;
        assert!(
            [0, 1].contains(&run.status),
            "{}\n{}",
            run.stdout,
            run.stderr
        );
    }
    in_bucket_account(&org, destroy(&org))
        .run()
        .await
        .expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn role_replaces_profile_of_bucket_account() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .build()
        .await;
    let role = create_deployment_role(&org).await;
    let first = setup(&org)
        .args(["--bucket-role", &role])
        .run()
        .await
        .expect_status(0);
    let writes = management_writes(&org, &first);
    assert!(
        writes.iter().all(|name| name == "sts:AssumeRole"),
        "{writes:?}"
    );
    let role_option = format!("--bucket-role {role}");
    assert!(first.stderr.contains(&role_option), "{}", first.stderr);
    let removed = destroy(&org)
        .args(["--bucket-role", &role])
        .run()
        .await
        .expect_status(0);
    let writes = management_writes(&org, &removed);
    assert!(
        writes.iter().all(|name| name == "sts:AssumeRole"),
        "{writes:?}"
    );
    assert_eq!(org.leftovers().await, NOTHING);
}

/// Creates a role in the account of the bucket that the management account may assume, and returns its ARN.
async fn create_deployment_role(org: &Organization) -> String {
    let iam = &org.clients().iam;
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", org.account())},
            "Action": "sts:AssumeRole"
        }]
    });
    let made = iam.create_role().role_name("deployment");
    let made = made.assume_role_policy_document(trust.to_string());
    let made = made.send().await.expect("a role");
    let all = iam
        .put_role_policy()
        .role_name("deployment")
        .policy_name("all");
    let all = all.policy_document(testkit::organization::allow("*").to_string());
    all.send().await.expect("a policy");
    made.role().expect("a role").arn().to_owned()
}

#[tokio::test]
async fn denied_role_names_missing_permission() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .build()
        .await;
    let role = format!("arn:aws:iam::{}:role/missing", org.bucket_account());
    let run = preflight(&org)
        .args(["--bucket-role", &role])
        .run()
        .await
        .expect_status(3);
    assert!(
        run.stderr.contains(&format!("cannot assume role {role}")),
        "{}",
        run.stderr
    );
}

#[tokio::test]
async fn preflight_names_command_for_other_account() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .build()
        .await;
    let run = preflight(&org).run().await.expect_status(1);
    let next = "heeler-ec preflight --option s3 --bucket-profile PROFILE_OF_THE_BUCKET_ACCOUNT";
    assert!(run.stdout.contains(next), "{}", run.stdout);
    assert_eq!(names(&run.writes()), NOTHING);
    // A first setup stops at the same check.
    let run = setup(&org).run().await.expect_status(1);
    assert!(run.stderr.contains("--bucket-profile"), "{}", run.stderr);
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn credentials_of_wrong_account_are_rejected() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .build()
        .await;
    let run = preflight(&org).args(["--bucket-profile", "management", "-o", "json"]);
    let report = json(&run.run().await.expect_status(1));
    assert!(
        checks(&report, "fail").contains(&"bucket.owner".to_owned()),
        "{report:#}"
    );
    let run = setup(&org)
        .args(["--bucket-profile", "management"])
        .run()
        .await
        .expect_status(1);
    assert!(run.stderr.contains("does not belong to"), "{}", run.stderr);
}

#[tokio::test]
async fn control_tower_bucket_recommends_log_group() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .bucket_name(CONTROL_TOWER_BUCKET)
        .log_group()
        .build()
        .await;
    let run = preflight(&org).run().await.expect_status(1);
    assert!(
        run.stdout
            .contains("heeler-ec preflight --option cloudwatch"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("PROFILE_OF_222233334444"),
        "{}",
        run.stdout
    );
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn landing_zone_that_denies_notifications_stops_setup() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .bucket_name("aws-controltower-cloudtrail-222233334444-one")
        .log_group()
        .build()
        .await;
    let run = split(setup(&org)).run().await.expect_status(1);
    assert!(
        run.stderr.contains("denies s3:PutBucketNotification"),
        "{}",
        run.stderr
    );
    // The printed command works as it is: the log group needs no credentials for the log archive.
    assert!(
        run.stderr
            .contains("heeler-ec preflight --option cloudwatch\n"),
        "{}",
        run.stderr
    );
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn option_of_management_account_rejects_bucket_profile() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .build()
        .await;
    for command in ["preflight", "plan", "setup"] {
        let confirmation = (command == "setup").then_some("--yes");
        let run = heeler_ec(&org).args([command, "--option", "cloudwatch"]);
        let run = split(run.args(confirmation));
        let run = run.run().await.expect_status(2);
        assert!(
            run.stderr.contains("does not read from the log bucket"),
            "{}",
            run.stderr
        );
        assert_eq!(run.calls.len(), 0);
    }
}

#[tokio::test]
async fn log_files_reach_heeler_from_log_archive() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .bucket_key()
        .build()
        .await;
    let id = "id-of-the-log-archive";
    split(setup_with(&org, id)).run().await.expect_status(0);
    let values = json(&split(outputs(&org)).run().await);
    let (queue, role) = (
        text(&values["heeler_event_queue_url"]),
        text(&values["heeler_event_role_arn"]),
    );
    let member = &org.members()[1];
    let record = event(
        member,
        org.region(),
        "iam.amazonaws.com",
        "CreateUser",
        false,
    );
    let key = org
        .deliver(&LogFile::new(member, org.region(), vec![record]))
        .await;
    let heeler = org.assume_as_heeler(&role, id).await.expect("a session");
    // The first message is the test event of S3.
    let messages = heeler.receive(&queue, 2).await.expect("messages");
    assert!(
        messages.iter().any(|message| message.contains(&key)),
        "{messages:?}"
    );
}

#[tokio::test]
async fn key_of_third_account_needs_its_owner() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .bucket_key_of(KeyOwner::Third)
        .build()
        .await;
    let key = org.bucket_key().expect("a key").to_owned();
    let owner = &org.members()[1];
    let report = json(
        &split(preflight(&org))
            .args(["-o", "json"])
            .run()
            .await
            .expect_status(0),
    );
    assert!(checks(&report, "warn").contains(&"key.account".to_owned()));
    let run = split(setup(&org)).run().await.expect_status(0);
    let command = format!(
        "aws kms create-grant --profile PROFILE_OF_{owner} --region us-east-1 --key-id {key} --grantee-principal \
         arn:aws:iam::{}:role/{ROLE} --operations Decrypt --name heeler_event_collection_grant",
        org.bucket_account()
    );
    assert!(
        run.stderr.replace('\n', " ").contains(&command),
        "{}",
        run.stderr
    );
    assert!(!names(&run.writes()).contains(&"kms:CreateGrant".to_owned()));
    let statement = role_statement(&org, "DecryptTrailLogObjects").await;
    assert_eq!(statement["Resource"], json!([key]));
    assert_eq!(
        statement["Condition"]["StringEquals"]["kms:ViaService"],
        "s3.us-east-1.amazonaws.com"
    );
    let health = json(&split(status(&org)).run().await);
    assert!(
        hops(&health, "unknown").contains(&"log_key".to_owned()),
        "{health:#}"
    );
    let second = split(setup_again(&org)).run().await.expect_status(0);
    assert_eq!(names(&second.writes()), NOTHING);
    let removed = split(destroy(&org)).run().await.expect_status(0);
    assert!(
        removed.stderr.contains("revoke-grant"),
        "{}",
        removed.stderr
    );
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn grant_on_management_key_is_checked() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .bucket_key_of(KeyOwner::Management)
        .build()
        .await;
    let run = split(setup(&org)).run().await.expect_status(0);
    assert_eq!(management_writes(&org, &run), NOTHING);
    let health = json(&split(status(&org)).run().await);
    assert_eq!(hops(&health, "broken"), ["log_key"], "{health:#}");
    let role = format!("arn:aws:iam::{}:role/{ROLE}", org.bucket_account());
    let owner = org.clients_of_key_owner().await;
    let grant = owner
        .kms
        .create_grant()
        .key_id(org.bucket_key().expect("a key"));
    let grant = grant.grantee_principal(role).name("heeler-ec");
    grant
        .operations(GrantOperation::Decrypt)
        .send()
        .await
        .expect("a grant");
    let health = json(&split(status(&org)).run().await);
    assert_eq!(hops(&health, "broken"), NOTHING, "{health:#}");
    let report = json(&split(preflight(&org)).args(["-o", "json"]).run().await);
    assert!(
        checks(&report, "pass").contains(&"key.account".to_owned()),
        "{report:#}"
    );
}

#[tokio::test]
async fn printed_policies_suffice_in_both_accounts() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .bucket_key_of(KeyOwner::Management)
        .build()
        .await;
    let mut bucket_statements: Vec<Value> = Vec::new();
    let mut management_statements: Vec<Value> = Vec::new();
    for command in ["setup", "status", "coverage", "destroy"] {
        let policy = |account| {
            split(heeler_ec(&org).args(["policy", command, "--option", "s3", "--account", account]))
        };
        let bucket = json(&policy("bucket").run().await.expect_status(0));
        let management = json(&policy("management").run().await.expect_status(0));
        bucket_statements.extend(bucket["Statement"].as_array().expect("statements").clone());
        management_statements.extend(
            management["Statement"]
                .as_array()
                .expect("statements")
                .clone(),
        );
    }
    let is_read = |action: &Value| {
        let name = text(action);
        let name = name.split(':').nth(1).unwrap_or_default().to_owned();
        ["Describe", "Get", "List"]
            .iter()
            .any(|verb| name.starts_with(verb))
    };
    for statement in &management_statements {
        let actions = statement["Action"].as_array().expect("actions");
        assert!(actions.iter().all(is_read), "{statement:#}");
    }
    let policy = |statements: Vec<Value>| {
        adapt_for_emulator(json!({"Version": "2012-10-17", "Statement": statements}))
    };
    let reader = org
        .management_user("reader", &policy(management_statements))
        .await;
    let deployer = org.user("deployer", &policy(bucket_statements)).await;
    org.write_profiles(&[("reader", &reader), ("deployer", &deployer)]);
    for command in [
        setup(&org),
        status(&org),
        heeler_ec(&org).args(["coverage", "--default-regions"]),
        destroy(&org),
    ] {
        let run = command.args(["--profile", "reader", "--bucket-profile", "deployer"]);
        let run = run.run().await;
        assert!([0, 1].contains(&run.status), "{}", run.stderr);
        let denied = run.calls.iter().filter(|call| call.status == Some(403));
        let denied: Vec<String> = denied.map(Call::name).collect();
        assert_eq!(denied, NOTHING);
    }
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn coverage_reads_bucket_of_log_archive() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .build()
        .await;
    let run = split(heeler_ec(&org).args(["coverage", "-o", "json", "--default-regions"]));
    let run = run.run().await;
    assert!([0, 1].contains(&run.status), "{}", run.stderr);
    let report = json(&run);
    assert_eq!(
        report["bucket"]["name"]
            .as_str()
            .or(report["bucket"].as_str()),
        Some(org.bucket()),
        "{report:#}"
    );
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn canary_of_log_archive_is_seen() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .build()
        .await;
    split(setup(&org)).run().await.expect_status(0);
    let _trail = org.play_cloudtrail(CloudTrailDelays::NONE);
    let run = split(heeler_ec(&org).args(["verify", "-o", "json"]));
    let run = run.run().await.expect_status(0);
    assert_eq!(json(&run)["seen"], true);
    assert_eq!(management_writes(&org, &run), NOTHING);
}
