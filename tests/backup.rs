//! A backup holds the documents that a run changes, and restore writes back those that have not changed since.

use crate::commands::heeler_ec;
use crate::commands::{
    destroy, json, names, setup, setup_again, setup_again_of, setup_of_with, setup_with,
};
use crate::whole_output::{assert_stderr, assert_stdout};
use aws_sdk_s3::types::{Event, NotificationConfiguration, QueueConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use heeler_ec::backup::{Backup, DocumentAfter, SavedDocument};
use serde_json::{Value, json};
use snapbox::str;
use std::path::{Path, PathBuf};
use testkit::{Engine, Fault, FaultAction, HeelerEc, Organization};

const ID: &str = "id-of-the-setup";
const NOTHING: [String; 0] = [];
const QUEUE: &str = "heeler_event_collection_queue";

struct BackupFolder(tempfile::TempDir);

impl BackupFolder {
    fn new() -> BackupFolder {
        BackupFolder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("backup.json")
    }
}

fn with_backup<'a>(heeler: HeelerEc<'a>, file: &Path) -> HeelerEc<'a> {
    heeler.args(["--backup".as_ref(), file.as_os_str()])
}

fn restore<'a>(org: &'a Organization, file: &Path) -> HeelerEc<'a> {
    let heeler = heeler_ec(org).args(["restore".as_ref(), file.as_os_str()]);
    heeler.args(["--yes"])
}

fn read_json(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).expect("a backup");
    serde_json::from_str(&text).expect("a backup in JSON")
}

/// The documents of this kind in the backup.
fn documents_of_kind(backup: &Value, kind: &str) -> Vec<Value> {
    let documents = backup["documents"].as_array().expect("documents").iter();
    documents
        .filter(|one| one["kind"] == kind)
        .cloned()
        .collect()
}

async fn organization_with_other_notifications() -> Organization {
    let org = Organization::on(Engine::Ministack).bucket_key();
    org.other_notifications().build().await
}

#[tokio::test]
async fn setup_saves_bucket_notification_and_restore_restores_it() {
    let (org, folder) = (
        organization_with_other_notifications().await,
        BackupFolder::new(),
    );
    let (file, before) = (folder.path(), org.notification().await);
    let run = with_backup(setup(&org), &file).run().await.expect_status(0);
    // The file is older than the first write.
    let writes = run.writes();
    let first = writes.first().expect("a write").started;
    let last_read = run.calls.iter().rev().find(|call| {
        call.operation == "GetBucketNotificationConfiguration" && call.started < first
    });
    assert!(last_read.is_some());
    let backup = read_json(&file);
    assert_eq!(backup["version"], 1);
    assert_eq!(backup["account"], org.account());
    assert_eq!(
        backup["documents"].as_array().map(Vec::len),
        Some(1),
        "{backup:#}"
    );
    let saved = &documents_of_kind(&backup, "bucket notification")[0];
    assert_eq!(saved["resource"], org.bucket());
    let count = |form: &Value| form["TopicConfigurations"].as_array().map(Vec::len);
    assert_eq!(
        (count(&saved["before"]), count(&saved["after"])),
        (Some(1), Some(2))
    );

    let after = org.notification().await;
    let dry = heeler_ec(&org).args(["restore".as_ref(), file.as_os_str()]);
    let dry = dry
        .args(["--dry-run", "-o", "json"])
        .run()
        .await
        .expect_status(0);
    assert_eq!(names(&dry.writes()), NOTHING);
    let mut documents = json(&dry)["documents"].take();
    let changes = documents[0]["changes"].take();
    assert_eq!(changes.as_array().map(Vec::len), Some(1), "{changes}");
    assert_eq!(changes[0]["field"], "TopicConfigurations");
    assert_eq!(
        documents,
        json!([{
            "action": "restore",
            "kind": "bucket notification",
            "resource": org.bucket(),
            "reason": null,
            "changes": null,
            "status": "pending",
            "error": null,
        }])
    );
    assert_eq!(org.notification().await, after);
    let run = restore(&org, &file).run().await.expect_status(0);
    assert_eq!(
        names(&run.writes()),
        ["s3:PutBucketNotificationConfiguration"]
    );
    assert_eq!(org.notification().await, before);
    let again = restore(&org, &file).run().await.expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
}

#[tokio::test]
async fn documents_changed_since_backup_are_skipped() {
    let (org, folder) = (
        organization_with_other_notifications().await,
        BackupFolder::new(),
    );
    let file = folder.path();
    with_backup(setup(&org), &file).run().await.expect_status(0);
    let s3 = &org.clients().s3;
    let read = s3.get_bucket_notification_configuration();
    let read = read
        .bucket(org.bucket())
        .send()
        .await
        .expect("the document");
    let other = QueueConfiguration::builder()
        .id("other")
        .queue_arn(format!(
            "arn:aws:sqs:{}:{}:exports",
            org.region(),
            org.account()
        ))
        .events(Event::S3ObjectRemoved)
        .build()
        .expect("an entry");
    let changed = NotificationConfiguration::builder()
        .set_topic_configurations(read.topic_configurations)
        .set_queue_configurations(Some(vec![other]))
        .build();
    let put = s3.put_bucket_notification_configuration();
    let put = put.bucket(org.bucket()).notification_configuration(changed);
    put.send().await.expect("a change by somebody else");
    let before = org.notification().await;
    let run = restore(&org, &file).run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_stderr(
        &org,
        &run,
        str![[r"
Backup of 2026-01-02T03:04:05Z, account 111122223333, region us-east-1:

 ! skip  bucket notification  org-trail-logs-111122223333  (changed since the backup)

Restore: 0 to restore, 0 to keep, 1 to skip.
Nothing to restore. No changes were made.

"]],
    );
    assert_eq!(org.notification().await, before);
}

/// Replaces the policies of the deployment.
async fn set_other_policies(org: &Organization) {
    let at = format!("{}:{}", org.region(), org.account());
    let policy = |action: &str, resource: String| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "Theirs",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{}:root", org.account())},
            "Action": action,
            "Resource": resource,
        }]})
        .to_string()
    };
    let sqs = &org.clients().sqs;
    for name in [QUEUE, "heeler_event_collection_queue_dlq"] {
        let url = sqs.get_queue_url().queue_name(name).send().await;
        let url = url.expect("a queue").queue_url.expect("its URL");
        let other = policy("sqs:*", format!("arn:aws:sqs:{at}:{name}"));
        let set = sqs.set_queue_attributes().queue_url(url);
        let set = set.attributes(QueueAttributeName::Policy, other);
        set.send().await.expect("another policy");
    }
    let topic = format!("arn:aws:sns:{at}:heeler_event_collection_topic");
    let set = org.clients().sns.set_topic_attributes().topic_arn(&topic);
    let set = set
        .attribute_name("Policy")
        .attribute_value(policy("sns:Publish", topic));
    set.send().await.expect("another policy");
}

/// The current documents, read from a new backup.
async fn current_documents(org: &Organization, option: &str) -> Vec<Value> {
    let folder = BackupFolder::new();
    let world_file = folder.path();
    // A destroy whose first write is refused saves all documents and changes nothing.
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    for (service, operation) in [
        ("s3", "PutBucketNotificationConfiguration"),
        ("logs", "DeleteSubscriptionFilter"),
        ("sns", "Unsubscribe"),
        ("iam", "DetachRolePolicy"),
        ("kms", "RevokeGrant"),
    ] {
        org.proxy()
            .fault(Fault::new(service, operation, refusal.clone()));
    }
    with_backup(destroy(org), &world_file)
        .run()
        .await
        .expect_status(3);
    org.proxy().clear_faults();
    let backup = read_json(&world_file);
    let documents = backup["documents"].as_array().expect("documents").iter();
    let before = documents.map(|one| {
        assert_eq!(one["before"], one["after"], "{option}");
        json!([one["kind"], one["resource"], one["before"]])
    });
    before.collect()
}

#[tokio::test]
async fn policies_changed_by_setup_are_restored() {
    let (org, folder) = (
        organization_with_other_notifications().await,
        BackupFolder::new(),
    );
    setup_with(&org, ID).run().await.expect_status(0);
    crate::permissions::change_s3_resources(&org).await;
    set_other_policies(&org).await;
    let before = current_documents(&org, "s3").await;
    assert_eq!(before.len(), 7, "{before:#?}");
    let run = with_backup(setup_with(&org, "id-of-another-setup"), &folder.path());
    run.run().await.expect_status(0);
    let kinds: Vec<Value> = read_json(&folder.path())["documents"]
        .as_array()
        .expect("documents")
        .iter()
        .map(|one| one["kind"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "key policy",
            "managed policy",
            "queue policy",
            "queue policy",
            "role trust",
            "topic policy"
        ]
    );
    let run = restore(&org, &folder.path()).run().await.expect_status(0);
    assert_stderr(
        &org,
        &run,
        str![[r#"
Backup of 2026-01-02T03:04:05Z, account 111122223333, region us-east-1:

 ~ restore  key policy      arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444
                            document: remove statement "AccountAdministration", which allows account 111122223333 to use kms:* on *
                            document: remove statement "AllowTopicToEncryptForQueue", which allows sns.amazonaws.com to use kms:Decrypt, kms:GenerateDataKey on * if aws:SourceArn is arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic
                            document: add a statement without Sid, which allows account 111122223333 to use kms:* on *
                            document: add a statement without Sid, which allows account 111122223333 to use kms:Decrypt on *
 ~ restore  managed policy  arn:aws:iam::111122223333:policy/heeler_event_collection_sqs_policy
                            document: remove statement "DecryptQueueMessages", which allows kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444 if kms:ViaService is sqs.us-east-1.amazonaws.com
                            document: remove statement "ReadTrailLogObjects", which allows s3:GetObject on arn:aws:s3:::org-trail-logs-111122223333/AWSLogs/o-exampleorg/* if aws:ResourceAccount is 111122223333
                            document: remove statement "HarvestQueue", which allows sqs:ChangeMessageVisibility, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:GetQueueUrl, sqs:ReceiveMessage on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue
                            document: add a statement without Sid, which allows s3:GetObject on *
 ~ restore  queue policy    heeler_event_collection_queue
                            document: remove statement "DenyInsecureTransport", which denies everyone to use sqs:* on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue if aws:SecureTransport is false
                            document: remove statement "AllowTopicToSend", which allows sns.amazonaws.com to use sqs:SendMessage on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue if aws:SourceArn is arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic
                            document: add statement "Theirs", which allows account 111122223333 to use sqs:* on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue
 ~ restore  queue policy    heeler_event_collection_queue_dlq
                            document: remove statement "DenyInsecureTransport", which denies everyone to use sqs:* on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue_dlq if aws:SecureTransport is false
                            document: add statement "Theirs", which allows account 111122223333 to use sqs:* on arn:aws:sqs:us-east-1:111122223333:heeler_event_collection_queue_dlq
 ~ restore  role trust      heeler_event_collection_sqs_role
                            external_id: (masked) -> (masked)
 ~ restore  topic policy    arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic
                            document: remove statement "AllowTrailBucketToPublish", which allows s3.amazonaws.com to use sns:Publish on arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic if aws:SourceArn is arn:aws:s3:::org-trail-logs-111122223333 and aws:SourceAccount is 111122223333
                            document: remove statement "DenyInsecurePublish", which denies everyone to use sns:Publish on arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic if aws:SecureTransport is false
                            document: add statement "Theirs", which allows account 111122223333 to use sns:Publish on arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic

Restore: 6 to restore, 0 to keep, 0 to skip.
  ~ restored key policy arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444
  ~ restored managed policy arn:aws:iam::111122223333:policy/heeler_event_collection_sqs_policy
  ~ restored queue policy heeler_event_collection_queue
  ~ restored queue policy heeler_event_collection_queue_dlq
  ~ restored role trust heeler_event_collection_sqs_role
  ~ restored topic policy arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic

"#]],
    );
    assert_eq!(current_documents(&org, "s3").await, before);
    setup_again(&org).run().await.expect_status(0);
}

#[tokio::test]
async fn function_policy_is_restored() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let folder = BackupFolder::new();
    setup_of_with(&org, "cloudwatch", ID)
        .run()
        .await
        .expect_status(0);
    crate::permissions::change_cloudwatch_resources(&org).await;
    let before = current_documents(&org, "cloudwatch").await;
    with_backup(setup_again_of(&org, "cloudwatch"), &folder.path())
        .run()
        .await
        .expect_status(0);
    assert_eq!(
        documents_of_kind(&read_json(&folder.path()), "function policy").len(),
        1
    );
    restore(&org, &folder.path()).run().await.expect_status(0);
    assert_eq!(current_documents(&org, "cloudwatch").await, before);
}

#[tokio::test]
async fn restore_after_destroy_lists_deleted_resources() {
    let (org, folder) = (
        organization_with_other_notifications().await,
        BackupFolder::new(),
    );
    setup_with(&org, ID).run().await.expect_status(0);
    let run = with_backup(destroy(&org), &folder.path());
    let shown = run.run().await.expect_status(0).stderr;
    assert!(
        shown.contains(". The file contains the external ID. To undo"),
        "{shown}"
    );
    assert!(!shown.contains(ID), "{shown}");
    let backup = read_json(&folder.path());
    let trust = &documents_of_kind(&backup, "role trust")[0];
    assert!(trust["before"].to_string().contains(ID), "{trust}");
    assert_eq!(trust["after"], Value::Null);
    let run = heeler_ec(&org).args(["restore".as_ref(), folder.path().as_os_str()]);
    let run = run.args(["--dry-run"]).run().await.expect_status(1);
    assert_stdout(
        &org,
        &run,
        str![[r"
Backup of 2026-01-02T03:04:05Z, account 111122223333, region us-east-1:

 ! skip  bucket notification  org-trail-logs-111122223333  (not managed by heeler-ec)
 = keep  key policy           arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444  (already has the saved content)
 ! skip  managed policy       arn:aws:iam::111122223333:policy/heeler_event_collection_sqs_policy  (no longer exists)
 ! skip  queue policy         heeler_event_collection_queue  (no longer exists)
 ! skip  queue policy         heeler_event_collection_queue_dlq  (no longer exists)
 ! skip  role trust           heeler_event_collection_sqs_role  (no longer exists)
 ! skip  topic policy         arn:aws:sns:us-east-1:111122223333:heeler_event_collection_topic  (no longer exists)

Restore: 0 to restore, 1 to keep, 6 to skip.

"]],
    );
}

/// The file of a restore is no evidence of ownership, even if its digest is right.
#[tokio::test]
async fn restore_keeps_resources_of_others() {
    let org = organization_with_other_notifications().await;
    let folder = BackupFolder::new();
    with_backup(setup_with(&org, ID), &folder.path())
        .run()
        .await
        .expect_status(0);
    let clients = org.clients();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Theirs",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{}:root", org.account()) },
            "Action": "sqs:SendMessage",
            "Resource": "*",
        }],
    });
    let created = clients.sqs.create_queue().queue_name("theirs");
    let created = created.attributes(QueueAttributeName::Policy, policy.to_string());
    created.send().await.expect("a queue");
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "ec2.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }],
    });
    let role = clients.iam.create_role().role_name("theirs");
    let role = role.assume_role_policy_document(trust.to_string());
    role.send().await.expect("a role");
    let notification = documents_of_kind(&read_json(&folder.path()), "bucket notification");
    let notification = notification[0]["after"].clone();
    let saved = |kind: &str, resource: &str, before: Value, after: Value| SavedDocument {
        kind: kind.to_owned(),
        resource: resource.to_owned(),
        before,
        after: Some(DocumentAfter::Present(after)),
    };
    let backup = Backup {
        account: org.account().to_owned(),
        region: org.region().to_owned(),
        time: "2026-01-02T03:04:05Z".to_owned(),
        documents: vec![
            saved("queue policy", "theirs", json!({}), policy),
            saved("role trust", "theirs", json!({ "Statement": [] }), trust),
            saved("bucket notification", org.bucket(), json!({}), notification),
        ],
    };
    let file = folder.path().with_extension("forged");
    backup.create(&file).expect("a file");
    let before = org.notification().await;
    let run = restore(&org, &file).run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
    let skipped = run.stderr.matches("not managed by heeler-ec").count();
    assert_eq!(skipped, 3, "{}", run.stderr);
    assert_eq!(org.notification().await, before);
}

#[tokio::test]
async fn existing_backup_file_is_rejected_before_any_call() {
    let (org, folder) = (
        Organization::on(Engine::Ministack).build().await,
        BackupFolder::new(),
    );
    std::fs::write(folder.path(), "mine").expect("a file");
    for heeler in [setup(&org), destroy(&org)] {
        let run = with_backup(heeler, &folder.path())
            .run()
            .await
            .expect_status(2);
        assert!(run.calls.is_empty(), "{:?}", run.calls);
    }
    assert_eq!(
        std::fs::read_to_string(folder.path()).expect("the file"),
        "mine"
    );
    let run = restore(&org, &folder.path()).run().await.expect_status(2);
    assert!(run.calls.is_empty(), "{:?}", run.calls);
}

#[tokio::test]
async fn backup_of_another_account_is_rejected() {
    let (org, other, folder) = (
        organization_with_other_notifications().await,
        organization_with_other_notifications().await,
        BackupFolder::new(),
    );
    with_backup(setup(&org), &folder.path())
        .run()
        .await
        .expect_status(0);
    let run = restore(&other, &folder.path()).run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_stderr(
        &org,
        &run,
        str![[r"
error: wrong account: the backup is from account 111122223333, the credentials are for [..]
  hint:  use --profile PROFILE to select other credentials; it overrides the environment

"]],
    );
}

#[tokio::test]
async fn changes_of_killed_run_are_unknown() {
    let (org, folder) = (
        organization_with_other_notifications().await,
        BackupFolder::new(),
    );
    let writes = with_backup(setup(&org), &folder.path());
    writes.kill_after_writes(14).run().await.expect_status(-9);
    let run = restore(&org, &folder.path()).run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_stderr(
        &org,
        &run,
        str![[r"
Backup of 2026-01-02T03:04:05Z, account 111122223333, region us-east-1:

 ! skip  bucket notification  org-trail-logs-111122223333  (the backup is incomplete: the run was killed)

Restore: 0 to restore, 0 to keep, 1 to skip.
Nothing to restore. No changes were made.

"]],
    );
}

#[tokio::test]
async fn failed_setup_completes_its_backup() {
    let (org, folder) = (
        organization_with_other_notifications().await,
        BackupFolder::new(),
    );
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy().fault(Fault::new("sns", "Subscribe", refusal));
    with_backup(setup(&org), &folder.path())
        .run()
        .await
        .expect_status(3);
    let saved = &documents_of_kind(&read_json(&folder.path()), "bucket notification")[0];
    assert_eq!(saved["before"], saved["after"]);
    let run = restore(&org, &folder.path()).run().await.expect_status(0);
    assert_eq!(names(&run.writes()), NOTHING);
}
