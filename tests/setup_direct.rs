//! Setup of option s3-direct: S3 events of any bucket directly to the queue of another vendor.

use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    QueueConfiguration, S3KeyFilter,
};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use testkit::log_file::event;
use testkit::{CloudTrailDelays, Engine, Fault, FaultAction, HeelerEc, LogFile, Organization};

use crate::commands::{
    DIRECT, counts, destroy, heeler_ec, json, keys, names, on_both_engines, organization_for,
    outputs, plan_of, preflight_of, setup_again_of, setup_of, text,
};
use crate::status::{
    Deployed, expect_broken, expect_healthy, expect_setup_repairs, hops, status, unrelated_policy,
};

const NOTHING: [String; 0] = [];
const ARGUMENTS: [&str; 5] = ["--option", "s3", "--direct", "--vendor", "generic"];
const ROLE: &str = "heeler_event_collection_sqs_role";
const POLICY: &str = "heeler_event_collection_sqs_policy";
const QUEUE: &str = "heeler_event_collection_queue";

/// A command for the whole bucket, without a key of the queue.
fn direct<'a>(org: &'a Organization, command: &str) -> HeelerEc<'a> {
    let run = heeler_ec(org).args([command]).args(ARGUMENTS);
    run.args(["--bucket", org.bucket()])
}

/// A first setup of the whole bucket, with the name of the option that vendors know.
fn first_setup(org: &Organization) -> HeelerEc<'_> {
    let role = org.heeler_role_arn();
    direct(org, "setup").args([
        "--yes",
        "--generate-external-id",
        "--vendor-role-arn",
        &role,
    ])
}

/// The documented state of a queue.
async fn queue_attribute(org: &Organization, name: QueueAttributeName) -> Option<String> {
    let sqs = &org.clients().sqs;
    let url = sqs.get_queue_url().queue_name(QUEUE).send().await;
    let url = url.expect("a queue").queue_url.expect("its URL");
    let read = sqs.get_queue_attributes().queue_url(url);
    let read = read.attribute_names(QueueAttributeName::All).send().await;
    let found = read.expect("attributes").attributes.unwrap_or_default();
    found.get(&name).cloned()
}

on_both_engines! {
    async fn direct_setup_needs_no_trail(engine: Engine) {
        let org = Organization::on(engine).without_trail().build().await;
        let before = org.notification().await;
        let report = direct(&org, "preflight").args(["-o", "json"]).run().await.expect_status(0);
        let report = json(&report);
        let checks = report["checks"].as_array().expect("checks");
        let groups = checks.iter().map(|check| text(&check["id"]));
        let other: Vec<String> = groups.filter(|id| id.starts_with("org.") || id.starts_with("trail.")).collect();
        assert_eq!(other, NOTHING);
        let planned = direct(&org, "plan").args(["-o", "json", "--vendor-role-arn", &org.heeler_role_arn()]);
        assert_eq!(counts(&planned.run().await.expect_status(0)), [7, 0, 0, 0]);
        first_setup(&org).run().await.expect_status(0);
        assert_eq!(keys(&org).await, 0);

        let again = direct(&org, "setup").args(["--yes"]).run().await.expect_status(0);
        assert_eq!(names(&again.writes()), NOTHING);
        heeler_ec(&org).args(["plan", "--check"]).run().await.expect_status(0);
        expect_healthy(&org, "setup").await;

        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
        assert_eq!(org.notification().await, before);
    }

    async fn direct_queue_has_key_only_on_request(engine: Engine) {
        let org = Organization::on(engine).bucket_key().other_notifications().build().await;
        let before = org.notification().await;
        setup_of(&org, DIRECT).run().await.expect_status(0);
        assert_eq!(keys(&org).await, 1);
        assert!(queue_attribute(&org, QueueAttributeName::KmsMasterKeyId).await.is_some());
        let again = setup_again_of(&org, DIRECT).run().await.expect_status(0);
        assert_eq!(names(&again.writes()), NOTHING);
        let planned = plan_of(&org, DIRECT).args(["-o", "json", "--check"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [0, 0, 10, 0]);
        destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
        assert_eq!(org.notification().await, before);
    }

    async fn direct_setup_keeps_other_notifications(engine: Engine) {
        let org = Organization::on(engine).other_notifications().build().await;
        let mut before = org.notification().await;
        let run = setup_of(&org, DIRECT).run().await.expect_status(0);
        let writes = names(&run.writes());
        assert!(writes.iter().all(|write| !write.starts_with("sns:")), "{writes:?}");
        let place = |name: &str| writes.iter().rposition(|write| write == name);
        assert!(place("sqs:SetQueueAttributes").is_some(), "{writes:?}");
        assert!(place("sqs:SetQueueAttributes") < place("s3:PutBucketNotificationConfiguration"));
        assert_eq!(place("s3:PutBucketNotificationConfiguration"), Some(writes.len() - 1), "{writes:?}");

        let mut after = org.notification().await;
        let queues = after["queues"].as_array_mut().expect("queues");
        let own = queues.iter().position(|entry| entry["id"] == "heeler-ec");
        let own = queues.remove(own.expect("the entry of setup"));
        assert!(own.to_string().contains("AWSLogs/"), "{own}");
        before["queues"].as_array_mut().expect("queues").retain(|entry| entry["id"] != "heeler-ec");
        assert_eq!(after, before);
    }

    async fn direct_objects_are_changed_in_place(engine: Engine) {
        let org = Organization::on(engine).build().await;
        first_setup(&org).run().await.expect_status(0);
        let narrower = ["--object-prefix", "team=a/", "--object-suffix", ".gz"];
        let run = direct(&org, "setup").args(["--yes"]).args(narrower).run().await.expect_status(0);
        let writes = names(&run.writes());
        let place = |name: &str| writes.iter().position(|write| write == name);
        // The role reads the objects of every message until the notification is narrower.
        assert!(
            place("s3:PutBucketNotificationConfiguration") < place("iam:CreatePolicyVersion"),
            "{writes:?}"
        );
        heeler_ec(&org).args(["plan", "--check"]).run().await.expect_status(0);
        let again = direct(&org, "setup").args(["--yes"]).run().await.expect_status(0);
        assert_eq!(names(&again.writes()), NOTHING);
        let printed = json(&outputs(&org).run().await.expect_status(0));
        assert_eq!(printed["object_prefix"], "team=a/");
        assert_eq!(printed["object_suffix"], ".gz");
    }

    async fn direct_status_lists_ten_hops(engine: Engine) {
        let org = Organization::on(engine).without_trail().build().await;
        first_setup(&org).run().await.expect_status(0);
        let run = expect_healthy(&org, "setup").await;
        let report = json(&run);
        let ids: Vec<String> = report["hops"].as_array().expect("hops").iter().map(|hop| text(&hop["id"])).collect();
        assert_eq!(ids, [
            "bucket_policy", "notification", "queue_policy", "queue_key", "queue", "dead_letter_queue", "role_trust",
            "role_permissions", "log_key", "harvest",
        ]);
        assert_eq!(report["deployment"]["option"], DIRECT);
        assert!(!run.stdout.contains("Heeler"), "{}", run.stdout);
    }

    async fn direct_status_names_each_fault(engine: Engine) {
        let org = Organization::on(engine).bucket_key().build().await;
        setup_of(&org, DIRECT).run().await.expect_status(0);
        let (clients, deployed) = (org.clients(), Deployed::s3(&org));

        let bucket = format!("arn:aws:s3:::{}", org.bucket());
        let read = clients.s3.get_bucket_policy().bucket(org.bucket()).send().await;
        let policy = read.expect("a policy").policy.expect("a document");
        let mut denying: Value = serde_json::from_str(&policy).expect("a policy");
        denying["Statement"].as_array_mut().expect("statements").push(json!({
            "Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("{bucket}/*"),
            "Condition": { "StringNotEquals": { "aws:PrincipalOrgID": "o-other00000" } },
        }));
        let put = clients.s3.put_bucket_policy().bucket(org.bucket());
        put.clone().policy(denying.to_string()).send().await.expect("a Deny");
        expect_broken(&org, "bucket_policy").await;
        put.policy(policy).send().await.expect("the policy");

        let empty = aws_sdk_s3::types::NotificationConfiguration::builder().build();
        let put = clients.s3.put_bucket_notification_configuration().bucket(org.bucket());
        put.notification_configuration(empty).send().await.expect("no notification");
        let observed = expect_setup_repairs(&org, DIRECT, "notification").await;
        assert_eq!(observed, format!("no notification names queue {QUEUE}"));

        let other = unrelated_policy(&org, "sqs:SendMessage", &deployed.arn("sqs", QUEUE)).to_string();
        deployed.set_queue(QueueAttributeName::Policy, &other).await;
        let observed = expect_setup_repairs(&org, DIRECT, "queue_policy").await;
        assert_eq!(observed, "no statement allows S3 sqs:SendMessage");

        deployed.set_key_policy(&unrelated_policy(&org, "kms:*", "*")).await;
        let observed = expect_setup_repairs(&org, DIRECT, "queue_key").await;
        assert_eq!(observed, "no statement allows S3 kms:GenerateDataKey");

        deployed.send_to_dead_letter_queue().await;
        expect_broken(&org, "dead_letter_queue").await;
        deployed.empty_dead_letter_queue().await;

        deployed.detach(ROLE, POLICY).await;
        expect_setup_repairs(&org, DIRECT, "role_permissions").await;
        // The end of the object ARN, which a policy made by hand often lacks.
        deployed.edit_policy(POLICY, |statements| {
            for statement in statements {
                if statement["Sid"] == "ReadObjects" {
                    statement["Resource"] = json!(bucket);
                }
            }
        }).await;
        let observed = expect_setup_repairs(&org, DIRECT, "role_permissions").await;
        assert_eq!(observed, "no statement allows the vendor s3:GetObject");

        let key = org.bucket_key().expect("a key");
        let grants = clients.kms.list_grants().key_id(key).send().await.expect("grants");
        let id = grants.grants()[0].grant_id().expect("an id").to_owned();
        clients.kms.revoke_grant().key_id(key).grant_id(id).send().await.expect("no grant");
        expect_setup_repairs(&org, DIRECT, "log_key").await;

        let trusts_other = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "Other", "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": { "Service": "ec2.amazonaws.com" },
            }],
        });
        deployed.set_trust(ROLE, &trusts_other).await;
        expect_broken(&org, "role_trust").await;
    }
}

#[tokio::test]
async fn direct_for_heeler_is_refused_before_calls() {
    let org = Organization::on(Engine::Ministack).build().await;
    let bucket = ["--bucket", org.bucket()];
    for command in [
        &["preflight"][..],
        &["plan"],
        &["setup", "--yes"],
        &["policy", "setup"],
    ] {
        for vendor in [&[][..], &["--vendor", "heeler"]] {
            let run = heeler_ec(&org).args(command).args(bucket);
            let run = run.args(["--option", "s3", "--direct"]).args(vendor);
            let run = run.run().await.expect_status(2);
            assert!(
                run.stderr.contains("--direct does not apply to Heeler"),
                "{}",
                run.stderr
            );
            assert_eq!(run.calls.len(), 0, "{}", run.stderr);
        }
    }
}

#[tokio::test]
async fn contradicting_direct_arguments_are_refused() {
    let org = Organization::on(Engine::Ministack).build().await;
    let long = "x".repeat(300);
    for (arguments, problem) in [
        (
            &["--option", "cloudwatch", "--direct", "--vendor", "generic"][..],
            "--direct does not apply to option cloudwatch",
        ),
        (
            &["--option", "s3", "--vendor", "generic"],
            "--vendor generic needs --direct",
        ),
        (&["--vendor", "generic"], "--vendor generic needs --direct"),
        (&["--direct", "--vendor", "generic"], "--option"),
        (&["--option", "s3", "--object-prefix", "a/"], "--direct"),
        (&["--option", "s3", "--queue-key"], "--direct"),
        (
            &[
                "--option",
                "s3",
                "--direct",
                "--vendor",
                "generic",
                "--sns-topic",
                "t",
            ],
            "--sns-topic",
        ),
        (
            &[
                "--option",
                "s3",
                "--direct",
                "--vendor",
                "generic",
                "--object-prefix",
                &long,
            ],
            "--object-prefix is too long",
        ),
        (
            &[
                "--option",
                "s3",
                "--direct",
                "--vendor",
                "generic",
                "--object-prefix",
                "日本/",
            ],
            "--object-prefix contains the character U+65E5",
        ),
        (
            &[
                "--option",
                "s3",
                "--direct",
                "--vendor",
                "generic",
                "--object-suffix",
                "a\u{1b}[31m",
            ],
            "--object-suffix contains the character U+001B",
        ),
    ] {
        let run = heeler_ec(&org)
            .args(["plan", "--bucket", org.bucket()])
            .args(arguments);
        let run = run.run().await.expect_status(2);
        assert!(
            run.stderr.contains(problem),
            "{arguments:?}\n{}",
            run.stderr
        );
        assert_eq!(run.calls.len(), 0, "{}", run.stderr);
    }
}

#[tokio::test]
async fn direct_setup_requires_bucket_and_role() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = heeler_ec(&org).args(["preflight"]).args(ARGUMENTS);
    let run = run.run().await.expect_status(2);
    assert!(
        run.stderr.contains("--bucket is required"),
        "{}",
        run.stderr
    );
    assert_eq!(run.calls.len(), 0, "{}", run.stderr);
    let run = direct(&org, "setup").args(["--yes", "--generate-external-id"]);
    let run = run.run().await.expect_status(2);
    assert!(
        run.stderr.contains("--vendor-role-arn is required"),
        "{}",
        run.stderr
    );
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn vendor_receives_raw_event_and_reads_object() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    let setup = first_setup(&org).args(["--object-prefix", "flow logs/", "--object-suffix", ".gz"]);
    setup.run().await.expect_status(0);
    let printed = json(&outputs(&org).run().await.expect_status(0));
    let [queue, role, id] = ["queue_url", "role_arn", "external_id"].map(|key| text(&printed[key]));
    assert_eq!(printed["bucket"], org.bucket());
    assert_eq!(printed["region"], org.region());

    let put = |key: &str| {
        let put = org.clients().s3.put_object().bucket(org.bucket()).key(key);
        put.body(b"content".to_vec().into()).send()
    };
    put("other/one.gz")
        .await
        .expect("an object beside the prefix");
    put("flow logs/one.txt")
        .await
        .expect("an object with another end");
    put("flow logs/one.gz").await.expect("an object");
    let vendor = org.assume_as_heeler(&role, &id).await.expect("a session");
    let bodies = vendor.receive(&queue, 1).await.expect("messages");
    let events: Vec<Value> = bodies
        .iter()
        .map(|body| serde_json::from_str(body).expect("JSON"))
        .filter(|event: &Value| event["Records"].is_array())
        .collect();
    assert_eq!(events.len(), 1, "{bodies:?}");
    let key = text(&events[0]["Records"][0]["s3"]["object"]["key"]);
    assert!(key.ends_with("one.gz"), "{key}");
    let read = vendor.object(org.bucket(), "flow logs/one.gz").await;
    assert_eq!(read.expect("the object"), b"content");
    let refused = vendor.object(org.bucket(), "other/one.gz").await;
    refused.expect_err("an object beside the prefix");
}

#[tokio::test]
async fn direct_deployment_without_role_is_destroyed() {
    let org = organization_for(DIRECT).await;
    let before = org.notification().await;
    setup_of(&org, DIRECT).run().await.expect_status(0);
    let iam = &org.clients().iam;
    let arn = format!("arn:aws:iam::{}:policy/{POLICY}", org.account());
    let detach = iam.detach_role_policy().role_name(ROLE).policy_arn(arn);
    detach.send().await.expect("a detached policy");
    iam.delete_role()
        .role_name(ROLE)
        .send()
        .await
        .expect("no role");
    let destroy = destroy(&org).args(["--bucket", org.bucket()]);
    destroy.run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
    assert_eq!(org.notification().await, before);
}

#[tokio::test]
async fn stopped_trail_breaks_no_direct_hop() {
    let org = Organization::on(Engine::Ministack).build().await;
    first_setup(&org).run().await.expect_status(0);
    let stop = org.clients().cloudtrail.stop_logging().name(org.trail());
    stop.send().await.expect("stopped");
    let report = json(&status(&org).run().await.expect_status(0));
    assert_eq!(hops(&report, "unknown")[0], "trail", "{report:#}");
    assert_eq!(hops(&report, "broken"), NOTHING);
}

#[tokio::test]
async fn overlapping_notification_prevents_direct_setup() {
    let org = Organization::on(Engine::Ministack)
        .other_notifications()
        .build()
        .await;
    let report = direct(&org, "preflight")
        .args(["-o", "json"])
        .run()
        .await
        .expect_status(1);
    assert_eq!(
        crate::commands::checks(&json(&report), "fail"),
        ["bucket.notifications"]
    );
    let other = ["--object-prefix", "flow-logs/"];
    direct(&org, "preflight")
        .args(other)
        .run()
        .await
        .expect_status(0);
    preflight_of(&org, DIRECT).run().await.expect_status(0);
}

#[tokio::test]
async fn failed_change_of_direct_objects_is_restored() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    first_setup(&org).run().await.expect_status(0);
    let before = (org.leftovers().await, org.notification().await);
    for operation in ["CreatePolicyVersion", "TagRole"] {
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
        org.proxy()
            .fault(Fault::new("iam", operation, refusal).times(1));
        let run = direct(&org, "setup").args(["--yes", "--on-failure", "rollback"]);
        let run = run.args(["--object-prefix", "team/"]).run().await;
        org.proxy().clear_faults();
        let run = run.expect_status(3);
        assert!(run.stderr.contains("Rolled back"), "{}", run.stderr);
        assert_eq!(
            (org.leftovers().await, org.notification().await),
            before,
            "{operation}"
        );
        heeler_ec(&org)
            .args(["plan", "--check"])
            .run()
            .await
            .expect_status(0);
    }
}

#[tokio::test]
async fn direct_queue_made_by_hand_is_adopted() {
    let org = Organization::on(Engine::Ministack)
        .other_notifications()
        .build()
        .await;
    let before = org.notification().await;
    let (sqs, arn) = (&org.clients().sqs, Deployed::s3(&org).arn("sqs", QUEUE));
    let by_hand = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "example-statement-ID", "Effect": "Allow", "Action": "SQS:SendMessage", "Resource": arn,
            "Principal": { "Service": "s3.amazonaws.com" },
            "Condition": {
                "ArnLike": { "aws:SourceArn": format!("arn:aws:s3:*:*:{}", org.bucket()) },
                "StringEquals": { "aws:SourceAccount": org.account() },
            },
        }],
    });
    let created = sqs.create_queue().queue_name(QUEUE);
    let created = created.attributes(QueueAttributeName::Policy, by_hand.to_string());
    created.send().await.expect("a queue without tags");

    let refused = setup_of(&org, DIRECT).run().await.expect_status(1);
    assert_eq!(names(&refused.writes()), NOTHING);
    setup_of(&org, DIRECT)
        .args(["--adopt"])
        .run()
        .await
        .expect_status(0);
    plan_of(&org, DIRECT)
        .args(["--check"])
        .run()
        .await
        .expect_status(0);
    expect_healthy(&org, "adoption").await;
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
    assert_eq!(org.notification().await, before);
}

#[tokio::test]
async fn direct_canary_is_seen_up_to_the_queue() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    first_setup(&org).run().await.expect_status(0);
    org.play_cloudtrail(CloudTrailDelays::NONE);
    let run = heeler_ec(&org).args(["verify", "-o", "json"]);
    let run = run.run().await.expect_status(0);
    assert_eq!(names(&run.writes()), NOTHING);
    let report = json(&run);
    let hops = report["hops"].as_array().expect("hops");
    let ids: Vec<String> = hops.iter().map(|hop| text(&hop["id"])).collect();
    assert_eq!(ids, ["event_history", "log_file", "queue"], "{report:#}");
    assert!(
        run.calls
            .iter()
            .all(|call| call.operation != "ReceiveMessage")
    );
}

#[tokio::test]
async fn tail_of_direct_bucket_finds_log_files() {
    let org = Organization::on(Engine::Ministack)
        .prefix("audit")
        .build()
        .await;
    first_setup(&org).run().await.expect_status(0);
    let record = event(
        org.account(),
        "us-east-1",
        "iam.amazonaws.com",
        "CreateUser",
        false,
    );
    org.deliver(&LogFile::new(org.account(), "us-east-1", vec![record]))
        .await;
    let words = "tail --source bucket --since 30m --limit 1 --timeout 60s -o json";
    let run = heeler_ec(&org).args(words.split(' '));
    // The command line does not show that the deployment is for another vendor.
    let reads = [
        "cloudtrail:DescribeTrails",
        "organizations:DescribeOrganization",
    ];
    let run = run.extra_actions(&reads);
    let run = run.run().await.expect_status(0);
    assert!(run.stdout.contains("\"eventSource\""), "{}", run.stdout);
    assert_eq!(names(&run.writes()), NOTHING);
}

#[tokio::test]
async fn tail_without_trail_of_bucket_is_refused() {
    let org = Organization::on(Engine::Ministack)
        .without_trail()
        .build()
        .await;
    first_setup(&org).run().await.expect_status(0);
    let tail = || {
        // The command line does not show that the deployment is for another vendor.
        heeler_ec(&org).args(["tail"]).extra_actions(&[
            "cloudtrail:DescribeTrails",
            "organizations:DescribeOrganization",
        ])
    };
    let run = tail().args(["--timeout", "60s"]).run().await;
    let run = run.expect_status(1);
    let text = format!("no trail delivers log files to bucket {}", org.bucket());
    assert!(run.stderr.contains(&text), "{}", run.stderr);
    assert!(
        run.calls
            .iter()
            .all(|call| call.operation != "ReceiveMessage")
    );
    let denied = FaultAction::refuse(400, "AccessDeniedException", "is not authorized");
    org.proxy()
        .fault(Fault::new("cloudtrail", "DescribeTrails", denied).times(1));
    let run = tail().args(["--timeout", "60s"]).run().await;
    let run = run.expect_status(3);
    assert!(
        run.stderr.contains("cloudtrail:DescribeTrails"),
        "{}",
        run.stderr
    );
}

/// Adds the notification of another queue for objects below a prefix.
async fn notify_other_queue(org: &Organization, prefix: &str) {
    let (sqs, s3) = (&org.clients().sqs, &org.clients().s3);
    let arn = Deployed::s3(org).arn("sqs", "other");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "S3", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn,
        "Principal": { "Service": "s3.amazonaws.com" },
        "Condition": { "StringEquals": { "aws:SourceAccount": org.account() } },
    }] });
    let created = sqs.create_queue().queue_name("other");
    let created = created.attributes(QueueAttributeName::Policy, policy.to_string());
    created.send().await.expect("another queue");
    let read = s3
        .get_bucket_notification_configuration()
        .bucket(org.bucket());
    let read = read.send().await.expect("the configuration");
    let rule = FilterRule::builder()
        .name(FilterRuleName::Prefix)
        .value(prefix)
        .build();
    let key = S3KeyFilter::builder().filter_rules(rule).build();
    let entry = QueueConfiguration::builder()
        .id("other")
        .queue_arn(arn)
        .events(Event::S3ObjectCreated)
        .filter(NotificationConfigurationFilter::builder().key(key).build())
        .build();
    let mut queues = read.queue_configurations().to_vec();
    queues.push(entry.expect("an entry"));
    let all = NotificationConfiguration::builder()
        .set_queue_configurations(Some(queues))
        .set_topic_configurations(read.topic_configurations)
        .build();
    let put = s3
        .put_bucket_notification_configuration()
        .bucket(org.bucket());
    put.notification_configuration(all)
        .send()
        .await
        .expect("written");
}

#[tokio::test]
async fn wider_objects_that_overlap_write_nothing() {
    let org = Organization::on(Engine::Ministack).build().await;
    let narrow = ["--object-prefix", "a/"];
    first_setup(&org).args(narrow).run().await.expect_status(0);
    notify_other_queue(&org, "b/").await;
    let before = (org.leftovers().await, org.notification().await);
    let wider = direct(&org, "setup").args(["--yes", "--object-prefix", ""]);
    let run = wider.run().await.expect_status(1);
    assert!(run.stderr.contains("overlaps"), "{}", run.stderr);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_eq!((org.leftovers().await, org.notification().await), before);
    // The deployment still has its objects, and a later setup keeps them.
    let again = direct(&org, "setup").args(["--yes"]);
    let again = again.run().await.expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
}

#[tokio::test]
async fn deployment_without_key_tag_is_destroyed_completely() {
    let org = organization_for(DIRECT).await;
    let before = org.notification().await;
    setup_of(&org, DIRECT).run().await.expect_status(0);
    assert_eq!(keys(&org).await, 1);
    let iam = &org.clients().iam;
    let untag = iam.untag_role().role_name(ROLE);
    let untag = untag.tag_keys("heeler-ec:queue-key").send().await;
    untag.expect("no tag of the key");

    let refused = direct(&org, "setup").args(["--yes"]);
    let refused = refused.run().await.expect_status(2);
    assert!(
        refused.stderr.contains("--queue-key is required"),
        "{}",
        refused.stderr
    );
    assert_eq!(names(&refused.writes()), NOTHING);

    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
    assert_eq!(org.notification().await, before);
}

#[tokio::test]
async fn setup_without_object_tags_demands_them() {
    let org = Organization::on(Engine::Ministack).build().await;
    let narrow = ["--object-prefix", "a/", "--object-suffix", ".gz"];
    first_setup(&org).args(narrow).run().await.expect_status(0);
    let iam = &org.clients().iam;
    for (tag, option) in [
        ("heeler-ec:object-prefix", "--object-prefix"),
        ("heeler-ec:object-suffix", "--object-suffix"),
    ] {
        let untag = iam.untag_role().role_name(ROLE).tag_keys(tag);
        untag.send().await.expect("no tag");
        let refused = direct(&org, "setup").args(["--yes"]);
        let refused = refused.run().await.expect_status(2);
        let text = format!("{option} is required");
        assert!(refused.stderr.contains(&text), "{}", refused.stderr);
        assert_eq!(names(&refused.writes()), NOTHING);
        let repaired = direct(&org, "setup").args(["--yes"]).args(narrow);
        let repaired = repaired.run().await.expect_status(0);
        assert_eq!(names(&repaired.writes()), ["iam:TagRole"]);
    }
}

#[tokio::test]
async fn unencrypted_direct_queue_is_drift() {
    let org = Organization::on(Engine::Ministack).build().await;
    first_setup(&org).run().await.expect_status(0);
    let encryption = QueueAttributeName::SqsManagedSseEnabled;
    assert_eq!(
        queue_attribute(&org, encryption.clone()).await.as_deref(),
        Some("true")
    );
    let deployed = Deployed::s3(&org);
    deployed.set_queue(encryption.clone(), "false").await;
    heeler_ec(&org)
        .args(["plan", "--check"])
        .run()
        .await
        .expect_status(1);
    assert_eq!(
        expect_broken(&org, "queue_key").await,
        "the queue is not encrypted"
    );
    let repaired = direct(&org, "setup").args(["--yes"]);
    let repaired = repaired.run().await.expect_status(0);
    assert_eq!(names(&repaired.writes()), ["sqs:SetQueueAttributes"]);
    expect_healthy(&org, "setup").await;
    assert_eq!(
        queue_attribute(&org, encryption).await.as_deref(),
        Some("true")
    );
}
