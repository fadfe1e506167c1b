//! The screens that the commands show, compared with the files in `tests/snapshots/`.
//!
//! `SNAPSHOTS=overwrite` writes the files instead, as `make snapshots` does.

mod printed_commands;
pub mod redaction;
pub mod screen;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use aws_sdk_lambda::types::LastUpdateStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use screen::Camera;
use testkit::log_file::event;
use testkit::{Engine, Fault, FaultAction, KeyOwner, LogFile, Organization};

use crate::commands::{heeler_ec, json, text};
use crate::coverage::{deliver_at, deliver_digests, report_established_trail};

const ID: &str = "external-id-of-the-example";
const NO: &[(&str, &str)] = &[("[y/N] ", "no")];
const NO_WORD: &[(&str, &str)] = &[("Type 'yes' to continue: ", "no")];
const LOG_FILE: &str = "tests/fixtures/tail/objects/123456789012_CloudTrail_us-east-1_20230710T1200Z_OddRecords000001.json.gz";

/// The arguments of a first setup or its plan.
fn first<'a>(command: &'a str, option: &'a str, role: &'a str) -> Vec<&'a str> {
    vec![
        command,
        "--option",
        option,
        "--heeler-role-arn",
        role,
        "--external-id",
        ID,
    ]
}

/// Changes the queue, its policy and the subscription of a deployment of option s3, so that a plan has several actions.
async fn change_deployment(org: &Organization) {
    let clients = org.clients();
    let url = clients.sqs.get_queue_url();
    let url = url.queue_name("heeler_event_collection_queue").send().await;
    let url = url.expect("a queue").queue_url.expect("its URL");
    let change = clients.sqs.set_queue_attributes().queue_url(url);
    let change = change.attributes(QueueAttributeName::VisibilityTimeout, "60");
    change.send().await.expect("another setting");
    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        org.region(),
        org.account()
    );
    let listed = clients.sns.list_subscriptions_by_topic().topic_arn(topic);
    let listed = listed.send().await.expect("subscriptions");
    for subscription in listed.subscriptions() {
        let arn = subscription.subscription_arn().unwrap_or_default();
        let removed = clients.sns.unsubscribe().subscription_arn(arn).send().await;
        removed.expect("no subscription");
    }
}

/// Changes the function and the subscription filter of a deployment of option cloudwatch.
async fn change_cloudwatch_deployment(org: &Organization) {
    let clients = org.clients();
    let change = clients.lambda.update_function_configuration();
    let change = change.function_name("heeler_event_collection_lambda");
    change.memory_size(256).send().await.expect("more memory");
    // The plan would show the state of an update in progress.
    loop {
        let function = clients.lambda.get_function_configuration();
        let function = function.function_name("heeler_event_collection_lambda");
        let function = function.send().await.expect("a function");
        if function.last_update_status() != Some(&LastUpdateStatus::InProgress) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let delete = clients.logs.delete_subscription_filter();
    let delete = delete.log_group_name(org.log_group().expect("a log group"));
    let delete = delete.filter_name("heeler_cloudwatch_log_subscription_filter");
    delete.send().await.expect("no subscription filter");
}

/// Shows the plan while the topic lacks the tags of a managed resource.
async fn show_plan_of_untagged_topic(camera: &Camera<'_>, org: &Organization) {
    let sns = &org.clients().sns;
    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        org.region(),
        org.account()
    );
    let tags = sns.list_tags_for_resource().resource_arn(&topic);
    let tags = tags.send().await.expect("tags").tags.expect("tags");
    let keys = tags.iter().map(|tag| tag.key().to_owned()).collect();
    let untag = sns.untag_resource().resource_arn(&topic);
    let untag = untag.set_tag_keys(Some(keys)).send().await;
    untag.expect("a topic without tags");
    camera.show("plan-conflict", 0, &["plan"]).await;
    let tag = sns.tag_resource().resource_arn(&topic);
    let tag = tag.set_tags(Some(tags)).send().await;
    tag.expect("the tags");
}

/// Shows the messages of the dead-letter queue, the question of a redrive, and a redrive.
async fn show_dead_letters(camera: &Camera<'_>, org: &Organization) {
    let writes = ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibilityBatch"];
    camera.show_in_turn("dlq-empty", 0, &["dlq"], &writes).await;
    let sqs = &org.clients().sqs;
    let url = sqs.get_queue_url();
    let url = url.queue_name("heeler_event_collection_queue_dlq").send();
    let url = url.await.expect("a queue").queue_url.expect("its URL");
    let missing = format!(
        "AWSLogs/{}/{}/CloudTrail/us-east-1/2026/01/31/{}_CloudTrail_us-east-1_20260131T1200Z_AbCdEfGhIjKlMnOp.json.gz",
        org.organization_id(),
        org.account(),
        org.account()
    );
    let notification = serde_json::json!({ "Records": [{
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": org.bucket() }, "object": { "key": missing } },
    }] });
    for body in [
        notification.to_string(),
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#.to_owned(),
    ] {
        let send = sqs.send_message().queue_url(&url).message_body(body);
        send.send().await.expect("a message");
    }
    camera.show_in_turn("dlq", 1, &["dlq"], &writes).await;
    let redrive = ["dlq", "redrive"];
    camera
        .show_with("dlq-redrive-declined", 1, &redrive, NO_WORD)
        .await;
    let redrive = ["dlq", "redrive", "--yes"];
    camera.show_piped("dlq-redrive", 0, &redrive).await;
}

/// Shows how `tail` of a bucket with one event ends. The time limit starts when the bucket has been listed.
async fn show_tail_of_bucket(camera: &Camera<'_>) {
    let bucket = |args: &[&'static str]| [&["tail", "--source", "bucket"], args].concat();
    let limited = bucket(&["--limit", "1"]);
    let few = bucket(&["--limit", "5", "--timeout", "1s"]);
    let filtered = bucket(&["--event", "StopLogging", "--timeout", "1s"]);
    tokio::join!(
        camera.show("tail-bucket", 0, &limited),
        camera.show("tail-few-events", 1, &few),
        camera.show("tail-all-filtered", 1, &filtered)
    );
}

#[tokio::test]
async fn screens_of_direct_delivery() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .other_notifications()
        .build()
        .await;
    let camera = Camera::new(&org);
    let role = org.heeler_role_arn();
    let direct = [
        "--option",
        "s3",
        "--direct",
        "--vendor",
        "generic",
        "--bucket",
        org.bucket(),
        "--object-prefix",
        "AWSLogs/",
    ];
    let with = |words: &[&'static str]| [words, &direct].concat();
    camera
        .show("preflight-direct", 0, &with(&["preflight"]))
        .await;
    let heeler = ["setup", "--option", "s3", "--direct", "--yes"];
    camera.show("setup-direct-heeler", 2, &heeler).await;
    let mut setup = with(&["setup", "--yes", "--external-id", ID]);
    setup.extend(["--vendor-role-arn", &role]);
    camera.show_piped("setup-direct", 0, &setup).await;
    camera.show("outputs-direct", 0, &["outputs"]).await;
    camera.show("status-direct", 0, &["status"]).await;
}

#[tokio::test]
async fn screens_of_option_s3() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .log_group()
        .other_notifications()
        .build()
        .await;
    let camera = Camera::new(&org);
    let role = org.heeler_role_arn();
    let folder = tempfile::tempdir().expect("a folder");
    let backup = folder.path().join("backup.json").display().to_string();

    camera.show("help", 0, &["--help"]).await;
    camera
        .show(
            "setup-without-role",
            2,
            &["setup", "--option", "s3", "--yes"],
        )
        .await;
    let guide = [
        ("Option [s3]: ", ""),
        ("Heeler role ARN: ", role.as_str()),
        ("External ID [generate one]: ", ""),
        ("[y/N] ", "n"),
    ];
    camera
        .show_with("setup-guided", 1, &["setup"], &guide)
        .await;
    camera
        .show("unknown-option", 2, &["plan", "--option", "s4"])
        .await;
    camera.show("preflight-both-ready", 0, &["preflight"]).await;
    camera
        .show("preflight-s3-ready", 0, &["preflight", "--option", "s3"])
        .await;
    for command in ["outputs", "plan", "destroy", "tail"] {
        let name = format!("{command}-nothing-deployed");
        camera.show(&name, 1, &[command]).await;
    }
    camera
        .show("plan-first-s3", 0, &first("plan", "s3", &role))
        .await;
    camera
        .show_with("setup-declined-s3", 1, &first("setup", "s3", &role), NO)
        .await;

    let mut setup = first("setup", "s3", &role);
    setup.extend(["--yes", "--backup", &backup]);
    camera.show_piped("setup-s3", 0, &setup).await;
    camera.show("outputs", 0, &["outputs"]).await;
    let support = ["support", "--redact-accounts", "--dry-run"];
    camera.show("support-dry-run", 0, &support).await;
    camera
        .show_with("support-declined", 1, &["support"], NO)
        .await;
    camera.show("plan-no-drift-s3", 0, &["plan"]).await;
    camera.show("status-s3", 0, &["status"]).await;
    camera
        .show("setup-no-changes", 0, &["setup", "--option", "s3"])
        .await;
    camera.show("export", 0, &["export", "terraform"]).await;
    camera.show("policy", 0, &["policy", "outputs"]).await;
    camera
        .show("destroy-dry-run-s3", 0, &["destroy", "--dry-run"])
        .await;
    show_tail_of_bucket(&camera).await;
    camera.show("tail-file", 0, &["tail", LOG_FILE]).await;

    show_dead_letters(&camera, &org).await;
    change_deployment(&org).await;
    camera.show("plan-drift", 0, &["plan"]).await;
    camera.show("status-broken", 1, &["status"]).await;
    camera
        .show_with("setup-repair-declined", 1, &["setup", "--option", "s3"], NO)
        .await;
    let setup = ["setup", "--option", "s3", "--yes"];
    camera.show_piped("setup-repair", 0, &setup).await;
    show_plan_of_untagged_topic(&camera, &org).await;

    let restore = ["restore", &backup, "--dry-run"];
    camera.show("restore-dry-run", 0, &restore).await;
    camera
        .show_with("destroy-declined", 1, &["destroy"], NO_WORD)
        .await;
    camera
        .show_piped("destroy-s3", 0, &["destroy", "--yes"])
        .await;
}

#[tokio::test]
async fn screens_of_coverage() {
    let org = Organization::on(Engine::Ministack).build().await;
    report_established_trail(&org);
    let camera = Camera::new(&org);
    camera.show("coverage-only-gaps", 1, &["coverage"]).await;
    let run = heeler_ec(&org).args(["coverage", "-o", "json"]);
    let report = json(&run.run().await);
    let regions = report["regions"].as_array().expect("regions");
    let regions: Vec<String> = regions.iter().map(text).collect();
    let members: Vec<&str> = org.members().iter().map(String::as_str).collect();
    let others = [org.account(), members[0], members[2]];
    deliver_digests(&org, &others, &regions).await;
    // The second member lacks two regions.
    deliver_digests(&org, &members[1..2], &regions[2..]).await;
    for region in ["eu-west-1", "eu-central-1"] {
        deliver_at(&org, members[1], region, SystemTime::now()).await;
    }
    camera.show("coverage", 1, &["coverage"]).await;
    camera.show("coverage-all", 1, &["coverage", "--all"]).await;
    deliver_digests(&org, &members[1..2], &regions[..2]).await;
    camera.show("coverage-no-gap", 0, &["coverage"]).await;
}

#[tokio::test]
async fn screens_of_cost() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let camera = Camera::new(&org);
    // The example of docs/cost.md: 200 accounts.
    let given = [
        "cost",
        "--log-files-per-day",
        "98562",
        "--events-per-day",
        "6570841",
        "--bytes-per-event",
        "1800",
        "--matching-percent",
        "8",
    ];
    camera.show("cost-given", 0, &given).await;
    let day = ["cost", "--day", "2026-01-30"];
    for number in 0..3 {
        let stamp = format!("20260130T1{number}00Z");
        let record = event(
            org.account(),
            "us-east-1",
            "iam.amazonaws.com",
            "ListUsers",
            true,
        );
        let file = LogFile::new(org.account(), "us-east-1", vec![record]).stamp(&stamp);
        org.deliver(&file).await;
    }
    camera.show("cost", 0, &day).await;
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    let list = Fault::new("s3", "ListObjectsV2", refusal);
    org.proxy().fault(list);
    camera.show("cost-unreadable", 1, &day).await;
}

#[tokio::test]
async fn screens_of_option_cloudwatch() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let camera = Camera::new(&org);
    let role = org.heeler_role_arn();
    camera
        .show(
            "plan-first-cloudwatch",
            0,
            &first("plan", "cloudwatch", &role),
        )
        .await;
    let mut setup = first("setup", "cloudwatch", &role);
    setup.push("--yes");
    camera.show_piped("setup-cloudwatch", 0, &setup).await;
    camera.show("plan-no-drift-cloudwatch", 0, &["plan"]).await;
    camera.show("status-cloudwatch", 0, &["status"]).await;
    camera
        .show("tail-no-events-cloudwatch", 1, &["tail", "--timeout", "1s"])
        .await;
    change_cloudwatch_deployment(&org).await;
    camera.show("plan-drift-cloudwatch", 0, &["plan"]).await;
    let setup = ["setup", "--option", "cloudwatch", "--yes"];
    camera
        .show_piped("setup-repair-cloudwatch", 0, &setup)
        .await;
    camera
        .show("destroy-dry-run-cloudwatch", 0, &["destroy", "--dry-run"])
        .await;
    camera
        .show_piped("destroy-cloudwatch", 0, &["destroy", "--yes"])
        .await;
}

#[tokio::test]
async fn screens_of_log_archive() {
    let org = Organization::on(Engine::Ministack)
        .log_archive()
        .bucket_key_of(KeyOwner::Third)
        .build()
        .await;
    let camera = Camera::new(&org);
    let role = org.heeler_role_arn();
    let accounts = ["--bucket-profile", "log-archive"];
    let preflight = ["preflight", "--option", "s3"];
    camera
        .show("preflight-other-bucket-account", 1, &preflight)
        .await;
    let preflight = [&preflight[..], &accounts].concat();
    camera.show("preflight-log-archive", 0, &preflight).await;
    let mut setup = first("setup", "s3", &role);
    setup.extend(accounts);
    setup.push("--yes");
    camera.show_piped("setup-log-archive", 0, &setup).await;
    let status = [&["status"][..], &accounts].concat();
    camera.show("status-log-archive", 0, &status).await;
    let destroy = [&["destroy", "--yes"][..], &accounts].concat();
    camera.show_piped("destroy-log-archive", 0, &destroy).await;
}

#[tokio::test]
async fn screens_of_failed_checks() {
    let org = Organization::on(Engine::Ministack)
        .logging_stopped()
        .without_log_file()
        .overlapping_queue()
        .build()
        .await;
    let camera = Camera::new(&org);
    let role = org.heeler_role_arn();
    camera.show("preflight-not-ready", 1, &["preflight"]).await;
    camera
        .show(
            "preflight-s3-not-ready",
            1,
            &["preflight", "--option", "s3"],
        )
        .await;
    camera
        .show("setup-not-ready", 1, &first("setup", "s3", &role))
        .await;
    let denied = FaultAction::refuse(400, "AccessDeniedException", "is not authorized");
    org.proxy().fault(Fault::new("cloudtrail", "*", denied));
    camera
        .show("preflight-denied", 1, &["preflight", "--option", "s3"])
        .await;
}

#[tokio::test]
async fn screens_of_failed_setups() {
    let org = Organization::on(Engine::Ministack).build().await;
    let camera = Camera::new(&org);
    let role = org.heeler_role_arn();
    let mut setup = first("setup", "s3", &role);
    setup.push("--yes");
    let sns = &org.clients().sns;
    let topic = sns.create_topic().name("heeler_event_collection_topic");
    let topic = topic.send().await.expect("a topic").topic_arn;
    camera
        .show("plan-name-taken", 1, &first("plan", "s3", &role))
        .await;
    let mut adopt = first("plan", "s3", &role);
    adopt.push("--adopt");
    camera.show("plan-adopt", 0, &adopt).await;
    let delete = sns.delete_topic().topic_arn(topic.unwrap_or_default());
    delete.send().await.expect("no topic");

    // All steps but the subscription and the notification, which needs it.
    let steps = [
        "created iam attachment",
        "created kms alias",
        "created sns topic policy",
        "created sqs queue policy",
    ];
    let subscribe = ("sns", "Subscribe");
    camera
        .show_interrupted("setup-interrupted", &setup, subscribe, &steps)
        .await;
    let destroy = heeler_ec(&org).args(["destroy", "--yes"]).run().await;
    destroy.expect_status(0);

    let denied = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    let put = Fault::new("s3", "PutBucketNotificationConfiguration", denied);
    org.proxy().fault(put);
    camera.show_piped("setup-partial", 3, &setup).await;
    org.proxy().clear_faults();
    camera
        .show_piped("destroy-partial", 0, &["destroy", "--yes"])
        .await;
    let denied = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    let put = Fault::new("s3", "PutBucketNotificationConfiguration", denied);
    org.proxy().fault(put);
    setup.extend(["--on-failure", "rollback"]);
    camera.show_piped("setup-rolled-back", 3, &setup).await;
}

#[tokio::test]
async fn screens_of_other_errors() {
    let org = Organization::on(Engine::Ministack).build().await;
    let camera = Camera::new(&org);
    // The next commands that are printed have the options of this run.
    let options = ["--name-prefix", "second", "--region", "us-east-1"];
    let outputs = [&["outputs"][..], &options].concat();
    camera.show("outputs-other-prefix", 1, &outputs).await;
    let preflight = [&["preflight", "--option", "s3"][..], &options].concat();
    camera
        .show_piped("preflight-other-prefix", 0, &preflight)
        .await;
    let args = ["outputs", "--account-id", "000000000000"];
    camera.show("wrong-account", 1, &args).await;
    let refused = FaultAction::refuse(403, "ExpiredToken", "The security token is expired");
    org.proxy().fault(Fault::new("sts", "*", refused));
    camera.show("expired-credentials", 3, &["outputs"]).await;
    org.proxy().clear_faults();
    camera
        .show_offline("unreachable-network", 3, &["outputs"])
        .await;
}

#[test]
fn every_snapshot_belongs_to_a_screen() {
    let source = include_str!("screens.rs");
    let mut unknown = BTreeSet::new();
    for entry in std::fs::read_dir(screen::folder()).expect("the snapshots") {
        let name = entry
            .expect("a file")
            .file_name()
            .into_string()
            .expect("a plain name");
        let name = name.strip_suffix(".txt").expect("a text");
        let base = name.trim_end_matches("-nothing-deployed");
        if !source.contains(&format!("\"{base}\"")) {
            unknown.insert(name.to_owned());
        }
    }
    assert!(unknown.is_empty(), "delete these snapshots: {unknown:?}");
}
