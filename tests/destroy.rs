//! Destroy deletes what setup created, and nothing else.

use crate::commands::heeler_ec;
use crate::commands::{
    destroy, json, names, on_both_engines, organization_for, setup, setup_of, setup_outputs,
    setup_with, text,
};
use crate::whole_output::assert_stderr;
use aws_sdk_iam::types::Tag;
use serde_json::{Value, json as json_value};
use snapbox::str;
use testkit::{Engine, Fault, FaultAction, Organization};

const QUEUE: &str = "heeler_event_collection_queue";
const ROLE: &str = "heeler_event_collection_sqs_role";
const NOTHING: [String; 0] = [];

on_both_engines! {
    async fn destroy_deletes_managed_resources_only(engine: Engine) {
        let org = Organization::on(engine).bucket_key().other_notifications().build().await;
        let before = org.notification().await;
        setup(&org).run().await.expect_status(0);
        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
        assert_eq!(org.notification().await, before);
    }

    async fn second_destroy_finds_nothing(engine: Engine) {
        let org = Organization::on(engine).build().await;
        setup(&org).run().await.expect_status(0);
        destroy(&org).run().await.expect_status(0);
        let second = destroy(&org).run().await.expect_status(1);
        assert_eq!(names(&second.writes()), NOTHING);
        assert_stderr(&org, &second, str![[r#"
error: nothing is deployed under the name prefix "heeler"
  cause: this account has no role heeler_event_collection_sqs_role that is managed by heeler-ec
  hint:  it may be in another account, or use another --name-prefix

"#]]);
    }

    async fn setup_works_after_destroy(engine: Engine) {
        let org = Organization::on(engine).build().await;
        setup(&org).run().await.expect_status(0);
        let created = resources_without_key_ids(&org).await;
        destroy(&org).run().await.expect_status(0);
        setup(&org).run().await.expect_status(0);
        assert_eq!(resources_without_key_ids(&org).await, created);
    }

    async fn destroy_keeps_existing_topic_policy_and_notification(engine: Engine) {
        let org = Organization::on(engine).topic("events").bucket_key().build().await;
        let before = (topic_policy(&org).await, org.notification().await);
        setup(&org).run().await.expect_status(0);
        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
        assert_eq!((topic_policy(&org).await, org.notification().await), before);
    }

    async fn attachments_of_others_are_named_before_deletion(engine: Engine) {
        let org = Organization::on(engine).build().await;
        setup(&org).run().await.expect_status(0);
        let (iam, account) = (&org.clients().iam, org.account());
        let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;
        let audit = iam.create_policy().policy_name("audit").policy_document(document);
        audit.send().await.expect("a policy of others");
        let audit = format!("arn:aws:iam::{account}:policy/audit");
        let attach = iam.attach_role_policy().role_name(ROLE).policy_arn(&audit);
        attach.send().await.expect("an attached policy");
        let inline = iam.put_role_policy().role_name(ROLE).policy_name("limits");
        inline.policy_document(document).send().await.expect("an inline policy");
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"arn:aws:iam::{account}:root"}}}}]}}"#
        );
        let reader = iam.create_role().role_name("siem-reader").assume_role_policy_document(&trust);
        reader.send().await.expect("a role of others");
        let own = format!("arn:aws:iam::{account}:policy/heeler_event_collection_sqs_policy");
        let limited = iam.create_role().role_name("siem-limited").assume_role_policy_document(&trust);
        let limited = limited.permissions_boundary(&own).send().await;
        limited.expect("a role of others with this boundary");
        let attach = iam.attach_role_policy().role_name("siem-reader").policy_arn(&own);
        attach.send().await.expect("an attachment of others");

        let run = destroy(&org).run().await.expect_status(1);
        assert_eq!(names(&run.writes()), NOTHING);
        for command in [
            format!("aws iam detach-role-policy --role-name {ROLE} --policy-arn {audit}"),
            format!("aws iam delete-role-policy --role-name {ROLE} --policy-name limits"),
            format!("aws iam detach-role-policy --role-name siem-reader --policy-arn {own}"),
            "aws iam delete-role-permissions-boundary --role-name siem-limited".to_owned(),
        ] {
            assert!(run.stderr.contains(&command), "{}", run.stderr);
        }
        let dry = destroy(&org).args(["--dry-run"]).run().await.expect_status(1);
        assert!(dry.stderr.contains("role siem-reader"), "{}", dry.stderr);

        let detach = iam.detach_role_policy().role_name(ROLE).policy_arn(&audit);
        detach.send().await.expect("detached");
        let delete = iam.delete_role_policy().role_name(ROLE).policy_name("limits");
        delete.send().await.expect("no inline policy");
        let detach = iam.detach_role_policy().role_name("siem-reader").policy_arn(&own);
        detach.send().await.expect("detached");
        let unlimited = iam.delete_role_permissions_boundary().role_name("siem-limited");
        unlimited.send().await.expect("no permissions boundary");
        destroy(&org).run().await.expect_status(0);
        for role in ["siem-reader", "siem-limited"] {
            iam.delete_role().role_name(role).send().await.expect("no role");
        }
        iam.delete_policy().policy_arn(&audit).send().await.expect("no policy");
        assert_eq!(org.leftovers().await, NOTHING);
    }

    async fn orphaned_key_is_in_plan_and_deleted(engine: Engine) {
        let org = Organization::on(engine).build().await;
        setup(&org).run().await.expect_status(0);
        let before = deployment_views(&org).await;
        let tags = [
            ("managed-by", "heeler-ec"),
            ("heeler-ec:option", "s3"),
            ("heeler-ec:alias", "alias/heeler_kms_key_sqs"),
        ];
        let tags = tags.map(|(key, value)| {
            let tag = aws_sdk_kms::types::Tag::builder().tag_key(key).tag_value(value);
            tag.build().expect("a tag")
        });
        let kms = &org.clients().kms;
        let orphan = kms.create_key().set_tags(Some(tags.to_vec())).send().await;
        let orphan = orphan.expect("a key").key_metadata.expect("its metadata").key_id;
        assert_eq!(deployment_views(&org).await, before);

        let dry = destroy(&org).args(["--dry-run"]).run().await.expect_status(0);
        let line = format!("{orphan}  (left by an interrupted setup; AWS deletes it in 7 days)");
        assert!(dry.stdout.contains(&line), "{}", dry.stdout);
        assert!(dry.stdout.contains("Destroy: 13 to delete."), "{}", dry.stdout);
        let run = destroy(&org).args(["-o", "json"]).run().await.expect_status(0);
        let steps = json(&run)["steps"].take();
        let rows = steps.as_array().expect("a list of steps").iter();
        let row = rows.clone().find(|row| row["name"] == orphan.as_str());
        let row = row.expect("a row for the orphaned key");
        let fields = ["action", "kind", "status"].map(|field| text(&row[field]));
        assert_eq!(fields, ["delete", "kms key", "done"]);
        assert_eq!(org.leftovers().await, NOTHING);
    }
}

#[tokio::test]
async fn failed_deletion_names_the_duplicate_key() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let tags = [
        ("heeler-ec:option", "s3"),
        ("heeler-ec:alias", "alias/heeler_kms_key_sqs"),
    ];
    let tags = tags.map(|(key, value)| {
        let tag = aws_sdk_kms::types::Tag::builder();
        tag.tag_key(key).tag_value(value).build().expect("a tag")
    });
    let kms = &org.clients().kms;
    let mut orphans = Vec::new();
    for _ in 0..2 {
        let created = kms.create_key().set_tags(Some(tags.to_vec())).send();
        let created = created.await.expect("a key").key_metadata;
        orphans.push(created.expect("its metadata").key_id);
    }
    let [refused, other] = orphans.as_slice() else {
        panic!("two keys")
    };
    let refusal = FaultAction::refuse(400, "AccessDeniedException", "with an explicit deny");
    let fault = Fault::new("kms", "ScheduleKeyDeletion", refusal);
    org.proxy().fault(fault.with_body_containing(refused));
    let run = destroy(&org).args(["-o", "json"]).run().await;
    let run = run.expect_status(3);
    let line = |start: String| {
        let mut lines = run.stderr.lines();
        let line = lines
            .find(|line| line.starts_with(&start))
            .map(str::to_owned);
        line.unwrap_or_else(|| panic!("{start:?} is not in\n{}", run.stderr))
    };
    assert!(line(format!("  kms key {refused}: ")).contains("AccessDeniedException"));
    for deleted in ["heeler_kms_key_sqs", other] {
        let text = line(format!("  kms key {deleted}: "));
        assert!(text.contains("AWS deletes it in 7 days"), "{text}");
    }
    let steps = json(&run)["steps"].take();
    let rows = steps.as_array().expect("a list of steps").iter();
    let keys = rows.filter(|row| row["kind"] == "kms key");
    let keys = keys.map(|row| (text(&row["name"]), text(&row["status"])));
    let statuses: std::collections::BTreeMap<String, String> = keys.collect();
    assert_eq!(statuses["heeler_kms_key_sqs"], "done");
    assert_eq!(statuses[refused.as_str()], "failed");
    assert_eq!(statuses[other.as_str()], "done");
    org.proxy().clear_faults();
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

/// The results of `status`, `list` and `plan`, without the observations of `status`, which contain times.
async fn deployment_views(org: &Organization) -> [Value; 3] {
    let mut views = [Value::Null, Value::Null, Value::Null];
    for (view, command) in views.iter_mut().zip(["status", "list", "plan"]) {
        let run = heeler_ec(org).args([command, "-o", "json"]).run().await;
        *view = json(&run);
    }
    let hops = views[0]["hops"].as_array().expect("a list of hops").iter();
    let hops = hops.map(|hop| json_value!([hop["id"], hop["status"]]));
    views[0] = hops.collect();
    views
}

/// The managed resources, with keys but without key IDs.
async fn resources_without_key_ids(org: &Organization) -> Vec<String> {
    let left = org.leftovers().await.into_iter();
    left.map(|line| {
        if line.starts_with("key ") {
            "key".to_owned()
        } else {
            line
        }
    })
    .collect()
}

async fn topic_policy(org: &Organization) -> Option<String> {
    let topic = org.topic().expect("a topic");
    let read = org
        .clients()
        .sns
        .get_topic_attributes()
        .topic_arn(topic)
        .send()
        .await;
    read.expect("a topic's attributes")
        .attributes
        .expect("attributes")
        .remove("Policy")
}

async fn delete_trail(org: &Organization) {
    let delete = org.clients().cloudtrail.delete_trail().name(org.trail());
    delete.send().await.expect("the trail is deleted");
}

fn access_denied(service: &str, operation: &str) -> Fault {
    Fault::new(
        service,
        operation,
        FaultAction::refuse(403, "AccessDenied", "is not authorized"),
    )
}

#[tokio::test]
async fn dry_run_lists_deletions_and_writes_nothing() {
    let org = Organization::on(Engine::Ministack)
        .other_notifications()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let before = (org.leftovers().await, org.notification().await);
    let run = heeler_ec(&org).args(["destroy", "--dry-run", "-o", "json"]);
    let run = run.run().await.expect_status(0);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_eq!((org.leftovers().await, org.notification().await), before);
    let shown = json(&run);
    let steps = shown["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 12);
    assert!(
        steps.iter().all(|step| step["action"] == "delete"),
        "{shown:#}"
    );
    let notification = steps.iter().find(|step| step["kind"] == "s3 notification");
    let stays = notification
        .and_then(|step| step["preserved"].as_array())
        .map(Vec::len);
    assert_eq!(stays, Some(4));
}

#[tokio::test]
async fn unmanaged_queue_is_kept_and_named() {
    let org = Organization::on(Engine::Ministack).build().await;
    let created = setup_outputs(
        &setup(&org)
            .args(["-o", "json"])
            .run()
            .await
            .expect_status(0),
    );
    let sqs = &org.clients().sqs;
    let delete = sqs
        .delete_queue()
        .queue_url(text(&created["heeler_event_queue_url"]));
    delete.send().await.expect("the queue is deleted");
    sqs.create_queue()
        .queue_name(QUEUE)
        .send()
        .await
        .expect("an unmanaged queue");

    let run = destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, [format!("queue {QUEUE}")]);
    assert_stderr(
        &org,
        &run,
        str![[r"
Option s3 in account 111122223333, region us-east-1:

 - delete  iam role          heeler_event_collection_sqs_role
 - delete  kms key           heeler_kms_key_sqs  (AWS deletes it in 7 days)
 - delete  kms alias         alias/heeler_kms_key_sqs
 - delete  sns topic         heeler_event_collection_topic
 - delete  sns topic policy  heeler_event_collection_topic
 - delete  sqs queue         heeler_event_collection_queue_dlq
 = skip    sqs queue         heeler_event_collection_queue  (not managed by heeler-ec)
 = skip    sns subscription  heeler_event_collection_topic -> heeler_event_collection_queue  (not managed by heeler-ec)
 - delete  iam policy        heeler_event_collection_sqs_policy
 - delete  iam attachment    heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role
 - delete  s3 notification   org-trail-logs-111122223333#heeler-ec

Destroy: 9 to delete.
  - deleted iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  - deleted iam policy heeler_event_collection_sqs_policy (0.1 s)
  - deleted iam role heeler_event_collection_sqs_role (0.1 s)
  - deleted kms alias alias/heeler_kms_key_sqs (0.1 s)
  - deleted s3 notification org-trail-logs-111122223333#heeler-ec (0.1 s)
  - deleted sns topic heeler_event_collection_topic (0.1 s)
  - deleted sns topic policy heeler_event_collection_topic (with sns topic heeler_event_collection_topic)
  - deleted sqs queue heeler_event_collection_queue_dlq (0.1 s)
  - scheduled kms key heeler_kms_key_sqs for deletion in 7 days (0.1 s)
Deleted 9 resources (0.1 s).
Remaining:
  kms key heeler_kms_key_sqs: AWS deletes it in 7 days and charges nothing until then. To keep it, run `aws kms cancel-key-deletion --region us-east-1 --key-id arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444`, then `aws kms enable-key --region us-east-1 --key-id arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444`, then `aws kms untag-resource --region us-east-1 --key-id arn:aws:kms:us-east-1:111122223333:key/00000000-1111-2222-3333-444444444444 --tag-keys heeler-ec:option`; with its tag, another destroy deletes it
  sqs queue heeler_event_collection_queue: not managed by heeler-ec
  sns subscription heeler_event_collection_topic -> heeler_event_collection_queue: not managed by heeler-ec

"]],
    );
}

#[tokio::test]
async fn refused_delete_is_named_and_others_succeed() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    org.proxy().fault(access_denied("sqs", "DeleteQueue"));
    let run = destroy(&org).run().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
Option s3 in account 111122223333, region us-east-1:

 - delete  iam role          heeler_event_collection_sqs_role
 - delete  kms key           heeler_kms_key_sqs  (AWS deletes it in 7 days)
 - delete  kms alias         alias/heeler_kms_key_sqs
 - delete  sns topic         heeler_event_collection_topic
 - delete  sns topic policy  heeler_event_collection_topic
 - delete  sqs queue         heeler_event_collection_queue_dlq
 - delete  sqs queue         heeler_event_collection_queue
 - delete  sqs queue policy  heeler_event_collection_queue
 - delete  sns subscription  heeler_event_collection_topic -> heeler_event_collection_queue
 - delete  iam policy        heeler_event_collection_sqs_policy
 - delete  iam attachment    heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role
 - delete  kms grant         heeler_event_collection_grant on 00000000-1111-2222-3333-444444444444
 - delete  s3 notification   org-trail-logs-111122223333#heeler-ec

Destroy: 13 to delete.
  ! failed to delete sqs queue heeler_event_collection_queue: cannot delete sqs queue heeler_event_collection_queue: is not authorized (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  - deleted iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  - deleted iam policy heeler_event_collection_sqs_policy (0.1 s)
  - deleted kms grant heeler_event_collection_grant on 00000000-1111-2222-3333-444444444444 (0.1 s)
  - deleted s3 notification org-trail-logs-111122223333#heeler-ec (0.1 s)
  - deleted sns subscription heeler_event_collection_topic -> heeler_event_collection_queue (0.1 s)
  - deleted sns topic heeler_event_collection_topic (0.1 s)
  - deleted sns topic policy heeler_event_collection_topic (with sns topic heeler_event_collection_topic)
  - skipped: delete iam role heeler_event_collection_sqs_role (depends on sqs queue heeler_event_collection_queue)
  - skipped: delete kms alias alias/heeler_kms_key_sqs (depends on sqs queue heeler_event_collection_queue)
  - skipped: delete kms key heeler_kms_key_sqs (depends on sqs queue heeler_event_collection_queue)
  - skipped: delete sqs queue heeler_event_collection_queue_dlq (depends on sqs queue heeler_event_collection_queue)
Deleted 7 resources (0.1 s).
Remaining:
  iam role heeler_event_collection_sqs_role: depends on sqs queue heeler_event_collection_queue
  kms key heeler_kms_key_sqs: depends on sqs queue heeler_event_collection_queue
  kms alias alias/heeler_kms_key_sqs: depends on sqs queue heeler_event_collection_queue
  sqs queue heeler_event_collection_queue_dlq: depends on sqs queue heeler_event_collection_queue
  sqs queue heeler_event_collection_queue: is not authorized (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
Run `heeler-ec destroy` again to delete the rest.
error: cannot delete sqs queue heeler_event_collection_queue
  cause: is not authorized (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant sqs:DeleteQueue to the caller

"]],
    );
    let left = run
        .stderr
        .split("Remaining:")
        .nth(1)
        .expect("the list of leftovers");
    assert!(left.contains(&format!("sqs queue {QUEUE}: ")), "{left}");
    assert!(left.contains("kms key"), "{left}");
    let topics = org
        .clients()
        .sns
        .list_topics()
        .send()
        .await
        .expect("topics");
    assert!(topics.topics().is_empty(), "{topics:?}");

    org.proxy().clear_faults();
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn changed_topic_tag_stops_destroy() {
    const KEY: &str = "heeler-ec:topic";
    for has_own_topic in [false, true] {
        let mut org = Organization::on(Engine::Ministack);
        if has_own_topic {
            org = org.topic("events");
        }
        let org = org.build().await;
        let topic = format!("arn:aws:sns:{}:{}:events", org.region(), org.account());
        let mut args = vec![];
        if has_own_topic {
            args.extend(["--sns-topic", &topic]);
        }
        setup(&org).args(args).run().await.expect_status(0);
        let iam = &org.clients().iam;
        let tag = Tag::builder()
            .key(KEY)
            .value(&topic)
            .build()
            .expect("a tag");
        let restore = if has_own_topic {
            let untag = iam.untag_role().role_name(ROLE).tag_keys(KEY);
            untag.send().await.expect("a role without the tag");
            format!("aws iam tag-role --role-name {ROLE} --tags Key={KEY},Value={topic}")
        } else {
            let write = iam.tag_role().role_name(ROLE).tags(tag.clone());
            write.send().await.expect("a role with the tag");
            format!("aws iam untag-role --role-name {ROLE} --tag-keys {KEY}")
        };
        let run = destroy(&org).run().await.expect_status(1);
        assert_eq!(names(&run.writes()), NOTHING);
        assert!(run.stderr.contains(&restore), "{}", run.stderr);

        if has_own_topic {
            let write = iam.tag_role().role_name(ROLE).tags(tag);
            write.send().await.expect("a role with the tag");
        } else {
            let untag = iam.untag_role().role_name(ROLE).tag_keys(KEY);
            untag.send().await.expect("a role without the tag");
        }
        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
    }
}

#[tokio::test]
async fn changed_tags_of_role_stop_destroy() {
    for (option, key) in [
        ("s3", "heeler-ec:region"),
        ("s3", "heeler-ec:bucket"),
        ("cloudwatch", "heeler-ec:region"),
        ("cloudwatch", "heeler-ec:log-group"),
    ] {
        let org = organization_for(option).await;
        setup_of(&org, option).run().await.expect_status(0);
        let iam = &org.clients().iam;
        let tags = iam.list_role_tags().role_name(ROLE).send().await;
        let tags = tags.expect("the tags of the role").tags;
        let tag = tags.iter().find(|tag| tag.key() == key);
        let tag = tag.expect("a tag").clone();
        let changed = match key {
            "heeler-ec:region" => "eu-west-3",
            _ => "another-name",
        };
        let write = async |tag: Tag| {
            let call = iam.tag_role().role_name(ROLE).tags(tag);
            call.send().await.expect("a role with this tag");
        };
        let other = Tag::builder().key(key).value(changed).build();
        write(other.expect("a tag")).await;
        let left = org.leftovers().await;

        let run = destroy(&org).run().await.expect_status(1);
        assert_eq!(names(&run.writes()), NOTHING, "{option} {key}");
        assert_eq!(org.leftovers().await, left);
        let command = format!(
            "aws iam tag-role --role-name {ROLE} --tags Key={key},Value={}",
            tag.value()
        );
        assert!(run.stderr.contains(&command), "{}", run.stderr);
        if key == "heeler-ec:region" {
            // In another region, everything would be missing.
            let run = heeler_ec(&org).args(["plan"]).run().await.expect_status(1);
            assert!(run.stderr.contains(&command), "{}", run.stderr);
            assert_eq!(run.stdout, "", "{option}");
        }

        write(tag).await;
        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING, "{option} {key}");
    }
}

#[tokio::test]
async fn search_without_tags_names_deployed_place() {
    const OTHER: &str = "another-name";
    let org = organization_for("cloudwatch").await;
    let group = org.log_group().expect("a log group").to_owned();
    let region = org.region().to_owned();
    let place = |region: &str, group: &str| format!("--region {region} --log-group {group}");
    let log_group = (
        place(&region, OTHER),
        format!("found log group {OTHER}"),
        place(&region, &group),
    );
    let other_region = (
        place("eu-west-3", &group),
        "found region eu-west-3".to_owned(),
        place(&region, &group),
    );
    let s3 = organization_for("s3").await;
    let create = s3.clients().s3.create_bucket().bucket(OTHER);
    create.send().await.expect("another bucket");
    let bucket = (
        format!("--bucket {OTHER}"),
        format!("found bucket {OTHER}"),
        format!("--bucket {}", s3.bucket()),
    );
    for (org, option, cases) in [
        (&org, "cloudwatch", vec![log_group, other_region]),
        (&s3, "s3", vec![bucket]),
    ] {
        setup_of(org, option).run().await.expect_status(0);
        if option == "s3" {
            delete_role(org).await;
        } else {
            let untag = org.clients().iam.untag_role().role_name(ROLE);
            let untag = untag.tag_keys("heeler-ec:log-group").send().await;
            untag.expect("a role without this tag");
        }
        let left = org.leftovers().await;
        let mut hinted = Vec::new();
        for (options, found, expected) in cases {
            let run = destroy(org).args(options.split(' ')).run().await;
            let run = run.expect_status(1);
            assert_eq!(names(&run.writes()), NOTHING, "{options}");
            assert_eq!(org.leftovers().await, left);
            assert!(run.stderr.contains(&found), "{}", run.stderr);
            let command = format!("heeler-ec destroy {expected}");
            assert!(run.stderr.contains(&command), "{}", run.stderr);
            assert!(!run.stderr.contains("tag-role"), "{}", run.stderr);
            hinted.push(expected);
        }
        for options in hinted.iter().take(1) {
            let run = destroy(org).args(options.split(' ')).run().await;
            run.expect_status(0);
            assert_eq!(org.leftovers().await, NOTHING);
        }
    }
}

#[tokio::test]
async fn destroy_works_without_the_trail() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    delete_trail(&org).await;
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn second_destroy_without_trail_finds_leftovers() {
    for (service, operation) in [
        ("sqs", "DeleteQueue"),
        ("kms", "RevokeGrant"),
        ("s3", "PutBucketNotificationConfiguration"),
    ] {
        let org = Organization::on(Engine::Ministack)
            .bucket_key()
            .build()
            .await;
        setup(&org).run().await.expect_status(0);
        delete_trail(&org).await;
        org.proxy().fault(access_denied(service, operation));
        destroy(&org).run().await.expect_status(3);
        org.proxy().clear_faults();
        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING, "{operation}");
    }
}

#[tokio::test]
async fn destroy_works_without_the_role() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    delete_role(&org).await;
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn denied_reads_are_not_reported_as_absent() {
    let org = Organization::on(Engine::Ministack).build().await;
    let table = [
        (
            "iam",
            "GetRole",
            str![[r"
error: cannot find iam role heeler_event_collection_sqs_role
  cause: is not authorized (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant iam:GetRole to the caller

"]],
        ),
        (
            "cloudtrail",
            "DescribeTrails",
            str![[r"
error: cannot list the trails
  cause: is not authorized (AccessDenied, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant cloudtrail:DescribeTrails to the caller

"]],
        ),
        (
            "s3",
            "HeadBucket",
            str![[r"
error: cannot find bucket org-trail-logs-111122223333
  cause: access denied (403, request id 00000000-1111-2222-3333-444444444444)
  hint:  grant s3:ListBucket on the bucket to the caller

"]],
        ),
    ];
    for (service, operation, expected) in table {
        org.proxy().fault(access_denied(service, operation));
        let run = destroy(&org).run().await.expect_status(3);
        org.proxy().clear_faults();
        assert_stderr(&org, &run, expected);
    }
}

#[tokio::test]
async fn bucket_notification_is_deleted_first() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let run = destroy(&org).run().await.expect_status(0);
    let writes = names(&run.writes());
    let first = writes.first().map(String::as_str);
    assert_eq!(
        first,
        Some("s3:PutBucketNotificationConfiguration"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn external_id_is_not_printed() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "id-of-the-setup")
        .run()
        .await
        .expect_status(0);
    let run = destroy(&org).args(["-v"]).run().await.expect_status(0);
    assert!(
        !format!("{}{}", run.stdout, run.stderr).contains("id-of-the"),
        "{}",
        run.stderr
    );
}

/// IAM does not delete a policy that is attached to a role.
#[tokio::test]
async fn policy_of_unmanaged_role_is_kept() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup(&org).run().await.expect_status(0);
    let iam = &org.clients().iam;
    let tags = iam.list_role_tags().role_name(ROLE).send().await;
    let tags = tags.expect("the tags of the role").tags;
    let keys = tags.iter().map(|tag| tag.key().to_owned()).collect();
    let untagged = iam.untag_role().role_name(ROLE).set_tag_keys(Some(keys));
    untagged.send().await.expect("a role without tags");
    let run = destroy(&org).run().await.expect_status(0);
    assert_stderr(
        &org,
        &run,
        str![[r"
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
 - delete  s3 notification   org-trail-logs-111122223333#heeler-ec

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

"]],
    );
    let writes = names(&run.writes());
    assert!(
        !writes.iter().any(|name| name == "iam:DeletePolicy"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn interrupted_destroy_can_be_completed() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    setup(&org).run().await.expect_status(0);
    let delete = org.proxy().hold("sqs", "DeleteQueue");
    let running = destroy(&org).spawn().await;
    running.wait_for_stderr("- deleted s3 notification").await;
    delete.wait_for_call().await;
    running.interrupt();
    running.wait_for_stderr("Interrupted").await;
    delete.open();
    let run = running.wait().await.expect_status(130);
    assert!(run.stderr.contains("Remaining:"), "{}", run.stderr);

    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

async fn delete_role(org: &Organization) {
    let iam = &org.clients().iam;
    let policy = format!(
        "arn:aws:iam::{}:policy/heeler_event_collection_sqs_policy",
        org.account()
    );
    let detach = iam.detach_role_policy().role_name(ROLE).policy_arn(policy);
    detach.send().await.expect("a role without policies");
    let delete = iam.delete_role().role_name(ROLE).send().await;
    delete.expect("the role is deleted");
}
