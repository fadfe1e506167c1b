//! The printed policy of each command permits all calls that the command makes, and no other actions.

use crate::command_permissions::{command, permitted, setup_with_rollback};
use crate::commands::heeler_ec;
use crate::commands::{
    DIRECT, destroy, json, outputs, plan, plan_of, preflight, preflight_of, setup, setup_again,
    setup_again_of, setup_of, setup_of_with, setup_with, text,
};
use crate::vendor_terraform;
use aws_credential_types::Credentials;
use aws_sdk_kms::types::GrantOperation;
use aws_sdk_lambda::client::Waiters;
use aws_sdk_sqs::types::QueueAttributeName;
use heeler_ec::permissions::{CommandName, PermittedCommand};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::clients::credentials;
use testkit::iam_actions::required_actions;
use testkit::log_file::event;
use testkit::{
    Clients, CloudTrailDelays, Engine, Fault, FaultAction, Gate, HeelerEc, LogFile, Organization,
    Run, Running,
};

const ROLE: &str = "heeler_event_collection_sqs_role";
const ALIAS: &str = "alias/heeler_kms_key_sqs";

/// A command, and the actions that its runs needed.
struct NeededActions {
    command: PermittedCommand,
    actions: BTreeSet<String>,
}

impl NeededActions {
    fn new(command: PermittedCommand) -> Self {
        Self {
            command,
            actions: BTreeSet::new(),
        }
    }

    fn add(&mut self, org: &Organization, run: &Run) {
        let encrypted = org.bucket_key().is_some();
        let calls = run.calls.iter();
        self.actions
            .extend(calls.flat_map(|call| required_actions(call, encrypted)));
        // Only a role with inline policies needs it.
        if self.actions.contains("iam:ListRolePolicies") {
            self.actions.insert("iam:GetRolePolicy".to_owned());
        }
        // Only `list` needs it; the others name deployments under other prefixes if they may.
        if self.command.command != CommandName::List {
            self.actions.remove("iam:ListRoles");
        }
    }

    /// Adds a run without a trail, a run without log objects, and a run that may not read the bucket.
    async fn add_failing_runs(&mut self, run: fn(&Organization) -> HeelerEc<'_>) {
        let org = Organization::on(Engine::Ministack)
            .without_trail()
            .build()
            .await;
        self.add(&org, &run(&org).run().await);
        let org = Organization::on(Engine::Ministack)
            .without_log_file()
            .build()
            .await;
        self.add(&org, &run(&org).run().await);
        let org = Organization::on(Engine::Ministack).build().await;
        let refusal = FaultAction::refuse(403, "AccessDenied", "Access Denied");
        let refused = Fault::new("s3", "HeadBucket", refusal);
        org.proxy().fault(refused);
        self.add(&org, &run(&org).run().await);
    }

    /// The permitted actions that no run needed.
    fn unused_actions(&self) -> Vec<String> {
        let permitted = permitted(&self.command);
        let missing: Vec<&String> = self.actions.difference(&permitted).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{:?}", self.command);
        permitted.difference(&self.actions).cloned().collect()
    }
}

const NOTHING: [String; 0] = [];

/// An organization with a key, so that there are grants and encrypted objects, and with other notifications.
async fn encrypted_organization() -> Organization {
    Organization::on(Engine::Ministack)
        .bucket_key()
        .other_notifications()
        .build()
        .await
}

const CLOUDWATCH: &str = "cloudwatch";

/// An organization with a log group, for option cloudwatch.
async fn organization_with_log_group() -> Organization {
    Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await
}

fn cloudwatch_plan(org: &Organization) -> HeelerEc<'_> {
    plan_of(org, CLOUDWATCH)
}

fn cloudwatch_setup(org: &Organization) -> HeelerEc<'_> {
    setup_of(org, CLOUDWATCH)
}

/// Preflight of all options.
fn preflight_all_options(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["preflight"])
}

#[tokio::test]
async fn preflight_policy_covers_its_calls() {
    let everything = crate::command_permissions::preflight(None, true, true);
    let mut needed = NeededActions::new(everything);
    needed.add_failing_runs(preflight_all_options).await;
    let org = Organization::on(Engine::Ministack)
        .topic("events")
        .build()
        .await;
    needed.add(
        &org,
        &preflight_all_options(&org).run().await.expect_status(0),
    );
    let org = Organization::on(Engine::Ministack);
    let org = org.bucket_key().log_group().other_notifications();
    let org = org.build().await;
    setup(&org).run().await.expect_status(0);
    needed.add(
        &org,
        &preflight_all_options(&org).run().await.expect_status(0),
    );
    let deep = preflight_all_options(&org).args(["--deep"]);
    needed.add(&org, &deep.run().await.expect_status(0));

    let org = Organization::on(Engine::Ministack);
    let org = org.logging_stopped().log_group().build().await;
    let group = org.log_group().expect("a log group");
    let retention = org.clients().logs.put_retention_policy();
    let retention = retention.log_group_name(group).retention_in_days(30);
    retention.send().await.expect("a longer retention");
    let fix = preflight_all_options(&org).args(["--fix"]);
    let fix = fix.on_terminal(200, &[("Start trail", "yes"), ("Set the retention", group)]);
    needed.add(&org, &fix.run().await.expect_status(0));
    // The simulated organization is owned by the root user, which IAM does not simulate.
    let user = credentials_without(&org, &[]).await;
    let deep = preflight(&org).args(["--deep"]).identity(&user);
    needed.add(&org, &deep.run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn plan_policy_covers_its_calls() {
    let org = encrypted_organization().await;
    let mut needed = NeededActions::new(command(CommandName::Plan, Some("s3")));
    needed.add_failing_runs(plan).await;
    needed.add(&org, &plan(&org).run().await.expect_status(0));
    setup(&org).run().await.expect_status(0);
    needed.add(&org, &plan(&org).run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn setup_policy_covers_its_calls() {
    let mut needed = NeededActions::new(command(CommandName::Setup, Some("s3")));
    needed.add_failing_runs(setup).await;
    let organizations = [
        Organization::on(Engine::Ministack).build().await,
        Organization::on(Engine::Ministack)
            .topic("events")
            .bucket_key()
            .build()
            .await,
    ];
    for org in organizations {
        needed.add(&org, &setup(&org).run().await.expect_status(0));
        needed.add(&org, &setup_again(&org).run().await.expect_status(0));
        let second = setup(&org).args(["--name-prefix", "heeler_two"]);
        needed.add(&org, &second.run().await.expect_status(0));
    }

    let org = encrypted_organization().await;
    let killed = setup(&org)
        .kill_after_writes(1)
        .run()
        .await
        .expect_status(-9);
    needed.add(&org, &killed);
    needed.add(&org, &setup(&org).run().await.expect_status(0));
    change_s3_resources(&org).await;
    needed.add(&org, &setup_again(&org).run().await.expect_status(0));
    let other_id = setup_with(&org, "id-of-another-setup");
    needed.add(&org, &other_id.run().await.expect_status(0));
    let kms = &org.clients().kms;
    let deletion = kms
        .schedule_key_deletion()
        .key_id(managed_key_id(&org).await);
    deletion.send().await.expect("a key scheduled for deletion");
    needed.add(&org, &setup_again(&org).run().await.expect_status(0));
    add_concurrent_setups(&mut needed, "s3").await;
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn rollback_policy_covers_its_calls() {
    for option in ["s3", CLOUDWATCH] {
        let mut needed = NeededActions::new(setup_with_rollback(Some(option)));
        needed.actions = permitted(&command(CommandName::Setup, Some(option)));
        let org = Organization::on(Engine::Ministack).bucket_key();
        let org = org.other_notifications().log_group().build().await;
        let refused = |service, operation| {
            let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
            Fault::new(service, operation, refusal).times(1)
        };
        let roll_back = || {
            let setup = setup_of_with(&org, option, "id-of-the-setup");
            setup.args(["--on-failure", "rollback"])
        };
        let last = if option == "s3" {
            refused("s3", "PutBucketNotificationConfiguration")
        } else {
            // CloudWatch Logs has accepted the filter, but does not list it.
            let answer = FaultAction::edit_json(|found| found["subscriptionFilters"] = json!([]));
            Fault::new("logs", "DescribeSubscriptionFilters", answer)
                .after(3)
                .times(1)
        };
        org.proxy().fault(last);
        if option == "s3" {
            needed.add(&org, &roll_back().run().await.expect_status(3));
        } else {
            let running = roll_back().spawn().await;
            running
                .wait_for_stderr("waiting for subscription filter")
                .await;
            running.interrupt();
            needed.add(&org, &running.wait().await.expect_status(130));
        }
        setup_of_with(&org, option, "id-of-the-setup")
            .run()
            .await
            .expect_status(0);
        if option == "s3" {
            change_s3_resources(&org).await;
        } else {
            change_cloudwatch_resources(&org).await;
        }
        let untag = org.clients().iam.untag_role().role_name(ROLE);
        let untag = untag.tag_keys("heeler-ec:region").send().await;
        untag.expect("a role without that tag");
        org.proxy()
            .fault(refused("iam", "CreatePolicyVersion").times(1));
        needed.add(&org, &roll_back().run().await.expect_status(3));
        assert_eq!(needed.unused_actions(), NOTHING, "{option}");
    }
}

#[tokio::test]
async fn restore_policy_covers_its_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut needed = NeededActions::new(command(CommandName::Restore, None));
    for option in ["s3", CLOUDWATCH] {
        let org = Organization::on(Engine::Ministack).log_group().bucket_key();
        let org = org.build().await;
        setup_of(&org, option).run().await.expect_status(0);
        if option == "s3" {
            change_s3_resources(&org).await;
            change_topic_policy(&org).await;
        } else {
            change_cloudwatch_resources(&org).await;
        }
        change_notification(&org, option).await;
        let file = folder.path().join(option);
        let backup = ["--backup".as_ref(), file.as_os_str()];
        let id = ["--external-id", "id-of-another-setup"];
        let again = setup_again_of(&org, option).args(backup).args(id);
        again.run().await.expect_status(0);
        let restore = heeler_ec(&org).args(["restore".as_ref(), file.as_os_str()]);
        let restored = restore.args(["--yes"]).run().await.expect_status(0);
        needed.add(&org, &restored);
    }
    assert_eq!(needed.unused_actions(), NOTHING);
}

/// Removes the managed entry of the bucket's notification and a statement of the queue's policy.
async fn change_notification(org: &Organization, option: &str) {
    let name = if option == "s3" {
        "heeler_event_collection_queue"
    } else {
        "heeler_event_collection_queue.fifo"
    };
    let Clients { s3, sqs, .. } = org.clients();
    let none = aws_sdk_s3::types::NotificationConfiguration::builder().build();
    let put = s3.put_bucket_notification_configuration();
    let put = put.bucket(org.bucket()).notification_configuration(none);
    put.send().await.expect("a bucket without notifications");
    let queue = sqs.get_queue_url().queue_name(name).send().await;
    let queue = queue.expect("a queue").queue_url.expect("its URL");
    let other = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:PurgeQueue",
        "Resource": format!("arn:aws:sqs:{}:{}:{name}", org.region(), org.account()),
    }]});
    let set = sqs.set_queue_attributes().queue_url(queue);
    let set = set.attributes(QueueAttributeName::Policy, other.to_string());
    set.send().await.expect("another policy of the queue");
}

async fn change_topic_policy(org: &Organization) {
    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        org.region(),
        org.account()
    );
    let other = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic,
    }]});
    let set = org.clients().sns.set_topic_attributes().topic_arn(topic);
    let set = set.attribute_name("Policy");
    let set = set.attribute_value(other.to_string()).send().await;
    set.expect("another policy of the topic");
}

/// Adds two concurrent setups that complete an interrupted one. One of them deletes its key again.
async fn add_concurrent_setups(needed: &mut NeededActions, option: &str) {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    // Killed after the role was created.
    let killed = setup_of(&org, option).kill_after_writes(1).run().await;
    needed.add(&org, &killed);
    let hold = FaultAction::Hold(Gate::opening_at(2));
    let hold = Fault::new("kms", "CreateKey", hold).times(2);
    org.proxy().fault(hold);
    let runs = tokio::join!(setup_of(&org, option).run(), setup_of(&org, option).run());
    needed.add(&org, &runs.0);
    needed.add(&org, &runs.1);
}

#[tokio::test]
async fn cloudwatch_plan_policy_covers_its_calls() {
    let org = organization_with_log_group().await;
    let mut needed = NeededActions::new(command(CommandName::Plan, Some("cloudwatch")));
    needed.add_failing_runs(cloudwatch_plan).await;
    needed.add(&org, &cloudwatch_plan(&org).run().await.expect_status(0));
    cloudwatch_setup(&org).run().await.expect_status(0);
    needed.add(&org, &cloudwatch_plan(&org).run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn cloudwatch_setup_policy_covers_its_calls() {
    let mut needed = NeededActions::new(command(CommandName::Setup, Some("cloudwatch")));
    needed.add_failing_runs(cloudwatch_setup).await;
    let org = organization_with_log_group().await;
    let killed = setup_of(&org, CLOUDWATCH).kill_after_writes(3);
    needed.add(&org, &killed.run().await.expect_status(-9));
    let setup = || setup_of_with(&org, CLOUDWATCH, "id-of-the-setup");
    needed.add(&org, &setup().run().await.expect_status(0));
    change_cloudwatch_resources(&org).await;
    needed.add(
        &org,
        &setup_again_of(&org, CLOUDWATCH)
            .run()
            .await
            .expect_status(0),
    );
    let other_id = setup_of_with(&org, CLOUDWATCH, "id-of-another-setup");
    needed.add(&org, &other_id.run().await.expect_status(0));
    let kms = &org.clients().kms;
    let deletion = kms
        .schedule_key_deletion()
        .key_id(managed_key_id(&org).await);
    deletion.send().await.expect("a key scheduled for deletion");
    needed.add(
        &org,
        &setup_again_of(&org, CLOUDWATCH)
            .run()
            .await
            .expect_status(0),
    );
    add_concurrent_setups(&mut needed, CLOUDWATCH).await;
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn outputs_policy_covers_its_calls() {
    let org = encrypted_organization().await;
    setup(&org).run().await.expect_status(0);
    let mut needed = NeededActions::new(command(CommandName::Outputs, None));
    needed.add(&org, &outputs(&org).run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn list_policy_covers_its_calls() {
    let org = encrypted_organization().await;
    setup(&org).run().await.expect_status(0);
    let mut needed = NeededActions::new(command(CommandName::List, None));
    let run = heeler_ec(&org).args(["list"]);
    needed.add(&org, &run.run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn status_policy_covers_its_calls() {
    fn status(org: &Organization) -> HeelerEc<'_> {
        heeler_ec(org).args(["status"])
    }
    let mut needed = NeededActions::new(command(CommandName::Status, None));
    let org = encrypted_organization().await;
    setup(&org).run().await.expect_status(0);
    let inline = org.clients().iam.put_role_policy();
    let inline = inline.role_name("heeler_event_collection_sqs_role");
    let inline = inline.policy_name("inline").policy_document(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}]}"#,
    );
    inline.send().await.expect("an inline policy");
    needed.add(&org, &status(&org).run().await.expect_status(0));
    let org = organization_with_log_group().await;
    setup_of(&org, CLOUDWATCH).run().await.expect_status(0);
    needed.add(&org, &status(&org).run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn coverage_policy_covers_its_calls() {
    let mut needed = NeededActions::new(command(CommandName::Coverage, None));
    let org = Organization::on(Engine::Ministack).build().await;
    needed.add(&org, &heeler_ec(&org).args(["coverage"]).run().await);
    assert_eq!(needed.unused_actions(), NOTHING);
}

/// Sends a message about a log file, or one that is no event, to a dead-letter queue.
async fn send_dead_letter(org: &Organization, queue: &str) {
    let sqs = &org.clients().sqs;
    let url = sqs.get_queue_url().queue_name(queue).send().await;
    let url = url.expect("a queue").queue_url.expect("its URL");
    let key = org.log_file_key().unwrap_or_default();
    let body = json!({ "Records": [{
        "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": org.bucket() }, "object": { "key": key } },
    }] });
    let mut message = sqs.send_message().queue_url(url);
    if queue.contains(".fifo") {
        message = message
            .message_group_id("group")
            .message_deduplication_id("1");
    }
    let sent = message.message_body(body.to_string()).send().await;
    sent.expect("a message");
}

/// Deployments of both options, each with a message in its dead-letter queue.
async fn deployments_with_dead_letters() -> [Organization; 2] {
    let s3 = encrypted_organization().await;
    setup(&s3).run().await.expect_status(0);
    send_dead_letter(&s3, "heeler_event_collection_queue_dlq").await;
    let cloudwatch = organization_with_log_group().await;
    let setup = setup_of(&cloudwatch, CLOUDWATCH).run();
    setup.await.expect_status(0);
    send_dead_letter(&cloudwatch, "heeler_event_collection_queue_dlq.fifo").await;
    [s3, cloudwatch]
}

/// The permitted actions of reading a deployment that these runs do not need.
fn without_reads_of_status(unused: Vec<String>) -> Vec<String> {
    let status = permitted(&command(CommandName::Status, None));
    let unused = unused.into_iter();
    unused.filter(|action| !status.contains(action)).collect()
}

#[tokio::test]
async fn dlq_policy_covers_its_calls() {
    let mut needed = NeededActions::new(command(CommandName::Dlq, None));
    for org in deployments_with_dead_letters().await {
        let run = heeler_ec(&org).args(["dlq"]).run().await;
        needed.add(&org, &run.expect_status(1));
    }
    // SQS decrypts the messages, and S3 says only to callers that may list the bucket that an object does not exist.
    assert_eq!(
        without_reads_of_status(needed.unused_actions()),
        ["kms:Decrypt", "s3:ListBucket"]
    );
}

#[tokio::test]
async fn redrive_policy_covers_its_calls() {
    let mut needed = NeededActions::new(command(CommandName::DlqRedrive, None));
    for org in deployments_with_dead_letters().await {
        let run = heeler_ec(&org).args(["dlq", "redrive", "--yes"]);
        needed.add(&org, &run.run().await.expect_status(0));
    }
    // Only Ctrl-C cancels a task.
    assert_eq!(
        without_reads_of_status(needed.unused_actions()),
        ["sqs:CancelMessageMoveTask"]
    );
}

#[tokio::test]
async fn cost_policy_covers_its_calls() {
    let mut needed = NeededActions::new(command(CommandName::Cost, None));
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .log_group()
        .build()
        .await;
    let cost = || heeler_ec(&org).args(["cost"]);
    needed.add(&org, &cost().run().await.expect_status(0));
    // Without log files, the events are read from the log group.
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy()
        .fault(Fault::new("s3", "ListObjectsV2", refusal));
    org.put_log_events(&["{}".to_owned()]).await;
    needed.add(&org, &cost().run().await);
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn verify_policy_covers_its_calls() {
    fn verify(org: &Organization) -> HeelerEc<'_> {
        org.play_cloudtrail(CloudTrailDelays::NONE);
        heeler_ec(org).args(["verify"])
    }
    let mut needed = NeededActions::new(command(CommandName::Verify, None));
    let org = encrypted_organization().await;
    setup(&org).run().await.expect_status(0);
    leave_temporary_queues(&org).await;
    let run = verify(&org).args(["--all-regions"]);
    needed.add(&org, &run.run().await.expect_status(0));
    let org = organization_with_log_group().await;
    setup_of(&org, CLOUDWATCH).run().await.expect_status(0);
    needed.add(&org, &verify(&org).run().await.expect_status(0));
    // Only for deployments of earlier versions, which do not know the organization.
    assert_eq!(
        needed.unused_actions(),
        [
            "cloudtrail:DescribeTrails",
            "organizations:DescribeOrganization"
        ]
    );
}

#[tokio::test]
async fn support_policy_covers_its_calls() {
    fn support(org: &Organization) -> HeelerEc<'_> {
        heeler_ec(org).args(["support", "--dry-run"])
    }
    let mut needed = NeededActions::new(command(CommandName::Support, None));
    let org = encrypted_organization().await;
    needed.add(&org, &support(&org).run().await.expect_status(0));
    setup(&org).run().await.expect_status(0);
    needed.add(&org, &support(&org).run().await.expect_status(0));
    let org = organization_with_log_group().await;
    setup_of(&org, CLOUDWATCH).run().await.expect_status(0);
    needed.add(&org, &support(&org).run().await.expect_status(0));
    // Preflight and status need these in other organizations.
    assert_eq!(
        needed.unused_actions(),
        [
            "cloudtrail:ListTrails",
            "kms:ListAliases",
            "kms:ListKeys",
            "lambda:GetAccountSettings",
            "logs:DescribeAccountPolicies",
            "logs:DescribeLogStreams",
            "organizations:ListAccounts",
            "s3:ListAllMyBuckets"
        ]
    );
}

#[tokio::test]
async fn export_policy_covers_its_calls() {
    fn export(org: &Organization) -> HeelerEc<'_> {
        heeler_ec(org).args(["export", "terraform"])
    }
    let mut needed = NeededActions::new(command(CommandName::Export, None));
    let org = encrypted_organization().await;
    setup(&org).run().await.expect_status(0);
    needed.add(&org, &export(&org).run().await.expect_status(0));
    let alias = org.clients().kms.delete_alias().alias_name(ALIAS);
    alias.send().await.expect("a key without an alias");
    needed.add(&org, &export(&org).run().await.expect_status(0));
    let org = organization_with_log_group().await;
    setup_of(&org, CLOUDWATCH).run().await.expect_status(0);
    needed.add(&org, &export(&org).run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn tail_policy_covers_its_calls() {
    let org = encrypted_organization().await;
    setup(&org).run().await.expect_status(0);
    leave_temporary_queues(&org).await;
    let mut needed = NeededActions::new(command(CommandName::Tail, None));
    needed.add(&org, &tail_one_event(&org, tail(&org)).await);
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    crate::commands::setup_of(&org, "cloudwatch")
        .run()
        .await
        .expect_status(0);
    org.put_log_events(&[event(
        org.account(),
        org.region(),
        "iam.amazonaws.com",
        "CreateUser",
        false,
    )
    .to_string()])
        .await;
    needed.add(&org, &tail(&org).run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

#[tokio::test]
async fn destroy_policy_covers_its_calls() {
    let mut needed = NeededActions::new(command(CommandName::Destroy, None));
    needed.add_failing_runs(destroy).await;
    let org = encrypted_organization().await;
    setup(&org).run().await.expect_status(0);
    change_s3_resources(&org).await;
    leave_temporary_queues(&org).await;
    needed.add(&org, &destroy(&org).run().await.expect_status(0));

    let org = encrypted_organization().await;
    setup(&org).run().await.expect_status(0);
    delete_role(&org).await;
    let alias = org.clients().kms.delete_alias().alias_name(ALIAS);
    alias.send().await.expect("a key without an alias");
    needed.add(&org, &destroy(&org).run().await.expect_status(0));

    let org = organization_with_log_group().await;
    setup_of(&org, CLOUDWATCH).run().await.expect_status(0);
    delete_role(&org).await;
    needed.add(&org, &destroy(&org).run().await.expect_status(0));
    assert_eq!(needed.unused_actions(), NOTHING);
}

/// Changes the resources of all options: the key, the role and its policy.
async fn change_shared_resources(org: &Organization) {
    let Clients { iam, kms, .. } = org.clients();
    let key = managed_key_id(org).await;
    let root = format!("arn:aws:iam::{}:root", org.account());
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:Decrypt", "Resource": "*"}
    ]});
    let put = kms.put_key_policy().key_id(&key).policy_name("default");
    let put = put.policy(policy.to_string()).send().await;
    put.expect("another policy of the key");
    let described = kms
        .update_key_description()
        .key_id(&key)
        .description("mine");
    described.send().await.expect("another description");
    let turned = kms.disable_key_rotation().key_id(&key).send().await;
    turned.expect("a key that does not rotate");
    let disabled = kms.disable_key().key_id(&key).send().await;
    disabled.expect("a disabled key");

    let described = iam.update_role().role_name(ROLE).description("mine");
    described.send().await.expect("another description");
    let tag = aws_sdk_iam::types::Tag::builder()
        .key("heeler-ec:region")
        .value(org.region())
        .build()
        .expect("a tag");
    let tagged = iam.tag_role().role_name(ROLE).tags(tag).send().await;
    tagged.expect("another tag");
    for _ in 0..4 {
        let version = iam
            .create_policy_version()
            .policy_arn(managed_policy_arn(org));
        let version = version.policy_document(policy_of("s3:GetObject").to_string());
        let version = version.set_as_default(true).send().await;
        version.expect("another version of the policy");
    }
}

/// Sets another retention on the queue.
async fn change_queue(org: &Organization, name: &str) {
    let sqs = &org.clients().sqs;
    let queue = sqs.get_queue_url().queue_name(name).send().await;
    let queue = queue.expect("a queue").queue_url.expect("its URL");
    let retention = sqs.set_queue_attributes().queue_url(queue);
    let retention = retention.attributes(QueueAttributeName::MessageRetentionPeriod, "60");
    retention.send().await.expect("a shorter retention");
}

/// Changes one setting of each kind that setup corrects.
pub async fn change_s3_resources(org: &Organization) {
    change_shared_resources(org).await;
    change_queue(org, "heeler_event_collection_queue").await;
    let Clients { iam, kms, sns, .. } = org.clients();
    let tag = aws_sdk_iam::types::Tag::builder()
        .key("heeler-ec:log-prefix")
        .value("elsewhere/")
        .build()
        .expect("a tag");
    let tagged = iam.tag_role().role_name(ROLE).tags(tag).send().await;
    tagged.expect("another tag");

    let grants = kms.list_grants().key_id(org.bucket_key().expect("a key"));
    let grants = grants
        .send()
        .await
        .expect("grants")
        .grants
        .unwrap_or_default();
    let managed = grants
        .iter()
        .find(|grant| grant.name().is_some_and(|name| name.starts_with("heeler")))
        .expect("the managed grant");
    let bucket_key = org.bucket_key().expect("a key");
    let revoke = kms.revoke_grant().key_id(bucket_key);
    let revoke = revoke.set_grant_id(managed.grant_id.clone()).send().await;
    revoke.expect("no grant");
    let wider = kms.create_grant().key_id(bucket_key);
    let wider = wider.set_name(managed.name.clone());
    let wider = wider.set_grantee_principal(managed.grantee_principal.clone());
    let wider = wider.operations(GrantOperation::Decrypt);
    let wider = wider.operations(GrantOperation::DescribeKey).send().await;
    wider.expect("a wider grant");

    let topic = format!(
        "arn:aws:sns:{}:{}:heeler_event_collection_topic",
        org.region(),
        org.account()
    );
    let listed = sns.list_subscriptions_by_topic().topic_arn(topic);
    let listed = listed.send().await.expect("subscriptions").subscriptions;
    let subscription = listed.unwrap_or_default().remove(0);
    let raw = sns.set_subscription_attributes();
    let raw = raw.set_subscription_arn(subscription.subscription_arn);
    let raw = raw
        .attribute_name("RawMessageDelivery")
        .attribute_value("true");
    raw.send().await.expect("raw messages");
}

/// Changes one setting of each kind that setup corrects, for option cloudwatch.
pub async fn change_cloudwatch_resources(org: &Organization) {
    change_shared_resources(org).await;
    change_queue(org, "heeler_event_collection_queue.fifo").await;
    let Clients {
        iam, lambda, logs, ..
    } = org.clients();
    let tag = aws_sdk_iam::types::Tag::builder()
        .key("heeler-ec:log-group")
        .value("elsewhere")
        .build()
        .expect("a tag");
    let name = "heeler_event_collection_lambda_role";
    let described = iam.update_role().role_name(name).description("mine");
    described.send().await.expect("another description");
    let tagged = iam.tag_role().role_name(name).tags(tag).send().await;
    tagged.expect("another tag");

    let name = "heeler_event_collection_lambda";
    let memory = lambda.update_function_configuration().function_name(name);
    let memory = memory.memory_size(256).send().await;
    memory.expect("another memory");
    let code = aws_smithy_types::Blob::new(vendor_terraform::code());
    let code = lambda
        .update_function_code()
        .function_name(name)
        .zip_file(code);
    code.send().await.expect("another code");
    let off = lambda.put_function_concurrency().function_name(name);
    let off = off.reserved_concurrent_executions(0).send().await;
    off.expect("a function that is switched off");
    let sid = "InvokePermissionsForCW";
    let removed = lambda.remove_permission().function_name(name);
    let removed = removed.statement_id(sid).send().await;
    removed.expect("no permission");
    let wider = lambda
        .add_permission()
        .function_name(name)
        .statement_id(sid);
    let wider = wider
        .action("lambda:InvokeFunction")
        .principal("logs.amazonaws.com");
    wider.send().await.expect("a wider permission");
    let updated = lambda.wait_until_function_updated_v2().function_name(name);
    let updated = updated.wait(testkit::program::RUN_TIMEOUT).await;
    updated.expect("a function as it was changed");

    let group = org.log_group().expect("a log group");
    let filter = org.subscription_filters(group).await.remove(0);
    let put = logs.put_subscription_filter().log_group_name(group);
    let put = put.set_filter_name(filter.filter_name).filter_pattern("");
    let put = put.set_destination_arn(filter.destination_arn).send().await;
    put.expect("another pattern");
}

fn policy_of(action: &str) -> Value {
    testkit::organization::allow(action)
}

fn managed_policy_arn(org: &Organization) -> String {
    format!(
        "arn:aws:iam::{}:policy/heeler_event_collection_sqs_policy",
        org.account()
    )
}

async fn managed_key_id(org: &Organization) -> String {
    let described = org.clients().kms.describe_key().key_id(ALIAS).send().await;
    let key = described
        .expect("the managed key")
        .key_metadata
        .expect("a description");
    key.arn.expect("its ARN")
}

async fn delete_role(org: &Organization) {
    let iam = &org.clients().iam;
    let detach = iam.detach_role_policy().role_name(ROLE);
    let detach = detach.policy_arn(managed_policy_arn(org)).send().await;
    detach.expect("a role without policies");
    let delete = iam.delete_role().role_name(ROLE).send().await;
    delete.expect("no role");
}

/// Leaves the resources of two killed runs. The queue of one is deleted already.
async fn leave_temporary_queues(org: &Organization) {
    let killed = [start_tail(tail(org)).await, start_tail(tail(org)).await];
    for run in killed {
        run.kill();
        run.wait().await.expect_status(-9);
    }
    let sqs = &org.clients().sqs;
    let queues = sqs.list_queues().queue_name_prefix("heeler_ec_tail_");
    let queues = queues.send().await.expect("queues").queue_urls;
    let queues = queues.unwrap_or_default();
    assert_eq!(queues.len(), 2, "{queues:?}");
    let delete = sqs.delete_queue().queue_url(&queues[0]).send().await;
    delete.expect("a deleted queue");
}

fn tail(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["tail", "--limit", "1"])
}

/// Starts tail and waits until it receives every message.
async fn start_tail(tail: HeelerEc<'_>) -> Running<'_> {
    let running = tail.spawn().await;
    running.wait_for_stderr("the queue is then deleted").await;
    running
}

/// Runs tail until it has printed an event.
async fn tail_one_event(org: &Organization, tail: HeelerEc<'_>) -> Run {
    let running = start_tail(tail).await;
    let record = event(
        org.account(),
        org.region(),
        "s3.amazonaws.com",
        "CreateBucket",
        false,
    );
    let object = LogFile::new(org.account(), org.region(), vec![record]);
    org.deliver(&object).await;
    running.wait().await.expect_status(0)
}

/// Condition keys that the emulator does not know.
const UNKNOWN_TO_THE_EMULATOR: &[&str] = &[
    "iam:PolicyARN",
    "kms:GrantOperations",
    "kms:GranteePrincipal",
    "kms:ResourceAliases",
    "kms:ViaService",
    "lambda:Principal",
    "sns:Endpoint",
    "sns:Protocol",
];

/// Actions that the emulator checks on another resource than AWS does.
const CHECKED_ON_ANOTHER_RESOURCE: &[&str] = &[
    // On the alias; AWS checks the key.
    "kms:DescribeKey",
    // Without a resource; AWS checks the alias and the key.
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:UpdateAlias",
    // Without a resource; AWS checks the new policy.
    "iam:CreatePolicy",
    // Without a resource; AWS checks the user or role.
    "iam:SimulatePrincipalPolicy",
    // Without a resource; AWS checks the new function.
    "lambda:CreateFunction",
    // Without a resource; AWS checks the topic.
    "sns:ListTagsForResource",
];

/// The printed policy, adapted to what the emulator evaluates. No action is added.
pub fn adapt_for_emulator(mut document: Value) -> Value {
    let statements = document["Statement"].as_array_mut().expect("statements");
    let mut elsewhere = BTreeSet::new();
    for statement in &mut *statements {
        if let Some(operators) = statement.get_mut("Condition") {
            for keys in operators.as_object_mut().expect("operators").values_mut() {
                let keys = keys.as_object_mut().expect("condition keys");
                keys.retain(|key, _| !UNKNOWN_TO_THE_EMULATOR.contains(&key.as_str()));
            }
        }
        for action in statement["Action"].as_array().expect("actions") {
            if CHECKED_ON_ANOTHER_RESOURCE.contains(&action.as_str().expect("an action")) {
                elsewhere.insert(text(action));
            }
        }
    }
    if !elsewhere.is_empty() {
        statements.push(json!({"Effect": "Allow", "Action": elsewhere, "Resource": "*"}));
    }
    document
}

/// The command, run by a caller with its printed policy and no other permission.
async fn with_policy<'a>(
    org: &'a Organization,
    policy: &[&str],
    run: HeelerEc<'a>,
) -> HeelerEc<'a> {
    let printed = heeler_ec(org).args(["policy"]).args(policy).run().await;
    let printed = json(&printed.expect_status(0));
    let name = format!("user-{}", uuid::Uuid::new_v4());
    let user = org.user(&name, &adapt_for_emulator(printed)).await;
    run.identity(&user)
}

#[tokio::test]
async fn printed_policies_are_sufficient() {
    let organizations = [
        Organization::on(Engine::Ministack)
            .bucket_key()
            .log_group()
            .build()
            .await,
        Organization::on(Engine::Ministack)
            .other_notifications()
            .build()
            .await,
        Organization::on(Engine::Ministack)
            .topic("events")
            .prefix("audit")
            .build()
            .await,
    ];
    for org in organizations {
        let org = &org;
        for (policy, run) in [
            (["preflight", "--option", "s3"].as_slice(), preflight(org)),
            (&["preflight"], preflight_all_options(org)),
            (&["plan"], plan(org)),
            (&["setup"], setup(org)),
            (&["outputs"], outputs(org)),
            (&["status"], heeler_ec(org).args(["status"])),
        ] {
            with_policy(org, policy, run)
                .await
                .run()
                .await
                .expect_status(0);
        }
        tail_one_event(org, with_policy(org, &["tail"], tail(org)).await).await;
        let destroy = with_policy(org, &["destroy"], destroy(org)).await;
        destroy.run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
    }
}

#[tokio::test]
async fn printed_policies_are_sufficient_for_cloudwatch() {
    let org = &organization_with_log_group().await;
    let of = |command| [command, "--option", CLOUDWATCH];
    for (command, run) in [
        ("preflight", preflight_of(org, CLOUDWATCH)),
        ("plan", plan_of(org, CLOUDWATCH)),
        ("setup", setup_of(org, CLOUDWATCH)),
        ("outputs", outputs(org)),
        ("status", heeler_ec(org).args(["status"])),
    ] {
        let run = with_policy(org, &of(command), run).await;
        run.run().await.expect_status(0);
    }
    let destroy = with_policy(org, &["destroy"], destroy(org)).await;
    destroy.run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn printed_policies_complete_and_destroy_interrupted_setup() {
    let org = encrypted_organization().await;
    let first = with_policy(&org, &["setup"], setup(&org)).await;
    first.kill_after_writes(1).run().await.expect_status(-9);
    let second = with_policy(&org, &["setup"], setup(&org)).await;
    second.run().await.expect_status(0);
    delete_role(&org).await;
    let destroy = with_policy(&org, &["destroy"], destroy(&org)).await;
    destroy.run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

/// Credentials with the printed policies of a deep preflight and of setup, without these actions.
async fn credentials_without(org: &Organization, missing: &[&str]) -> Credentials {
    let mut statements = Vec::new();
    for policy in [
        ["setup", "--option", "s3"].as_slice(),
        &["preflight", "--deep"],
    ] {
        let printed = heeler_ec(org).args(["policy"]).args(policy).run().await;
        let printed = json(&printed.expect_status(0));
        statements.extend(printed["Statement"].as_array().expect("statements").clone());
    }
    for statement in &mut statements {
        let actions = statement["Action"].as_array_mut().expect("actions");
        actions.retain(|action| !missing.contains(&text(action).as_str()));
        // The simulator of the emulator ignores the request context.
        statement
            .as_object_mut()
            .expect("a statement")
            .remove("Condition");
    }
    statements.retain(|statement| statement["Action"] != json!([]));
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    let name = format!("user-{}", uuid::Uuid::new_v4());
    org.user(&name, &adapt_for_emulator(document)).await
}

#[tokio::test]
async fn deep_preflight_lists_denied_setup_actions() {
    let org = encrypted_organization().await;
    let deep = async |caller: &Credentials, status| {
        let run = preflight(&org).args(["--deep", "-o", "json"]);
        let run = run.identity(caller).run().await.expect_status(status);
        let simulated: String = run.calls.iter().map(testkit::Call::text).collect();
        for context in [
            "kms%3AGranteePrincipal",
            "aws%3AResourceTag%2Fheeler-ec%3Aoption",
            "sns%3AEndpoint",
        ] {
            assert!(
                simulated.contains(context),
                "the simulator did not get {context}"
            );
        }
        let report = json(&run);
        let checks = report["checks"].as_array().expect("checks").clone();
        let found = checks
            .iter()
            .find(|check| check["id"] == "caller.permissions");
        found.expect("the check of the caller").clone()
    };
    let complete = credentials_without(&org, &[]).await;
    let check = deep(&complete, 0).await;
    assert_eq!(check["status"], "pass", "{check:#}");

    let lacking = credentials_without(&org, &["kms:CreateKey", "sns:Subscribe"]).await;
    let check = deep(&lacking, 1).await;
    assert_eq!(check["status"], "fail", "{check:#}");
    let observed = text(&check["observed"]);
    assert!(
        observed.ends_with("is denied: kms:CreateKey, sns:Subscribe"),
        "{observed}"
    );
}

/// Credentials of a session of a role with this policy. The role has a path, as roles of IAM Identity Center do.
async fn session(org: &Organization, policy: Value) -> Credentials {
    let clients = org.clients();
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{}:root", org.account()) },
        "Action": "sts:AssumeRole",
    }]});
    let role = clients
        .iam
        .create_role()
        .role_name("operator")
        .path("/people/");
    let role = role
        .assume_role_policy_document(trust.to_string())
        .send()
        .await;
    let role = role.expect("a role");
    let put = clients
        .iam
        .put_role_policy()
        .role_name("operator")
        .policy_name("permissions");
    let put = put.policy_document(adapt_for_emulator(policy).to_string());
    put.send().await.expect("the role's policy");
    let assume = clients.sts.assume_role().role_session_name("ann");
    let assume = assume
        .role_arn(role.role().expect("a role").arn())
        .send()
        .await;
    let given = assume.expect("a session");
    let given = given.credentials().expect("credentials");
    credentials(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token()),
    )
}

#[tokio::test]
async fn deep_preflight_simulates_the_role_of_a_session() {
    let org = encrypted_organization().await;
    let printed = heeler_ec(&org).args(["policy", "preflight", "--option", "s3", "--deep"]);
    let policy = json(&printed.run().await.expect_status(0));
    let session = session(&org, policy).await;
    let run = preflight(&org).args(["--deep", "-o", "json"]);
    let report = json(&run.identity(&session).run().await.expect_status(1));
    let checks = report["checks"].as_array().expect("checks");
    let unknown: Vec<&Value> = checks
        .iter()
        .filter(|check| check["status"] == "unknown")
        .collect();
    assert_eq!(unknown, Vec::<&Value>::new());
    let found = checks
        .iter()
        .find(|check| check["id"] == "caller.permissions");
    let found = found.expect("the check of the caller");
    let expected = format!(
        "arn:aws:iam::{}:role/people/operator is denied: ",
        org.account()
    );
    assert!(text(&found["observed"]).starts_with(&expected), "{found:#}");
}

/// Another program with the arguments of `outputs`, which makes a call meanwhile.
async fn run_as_outputs<'a>(org: &'a Organization, heeler: HeelerEc<'a>) -> Run {
    let python = org.engine().interpreter();
    let program = heeler.program(&python).without_endpoint();
    let running = program.args(["-c", "input()", "outputs"]).spawn().await;
    let listed = org.clients_through_proxy().sqs.list_queues().send().await;
    listed.expect("queues");
    running.wait().await
}

#[tokio::test]
#[should_panic(expected = "sqs:ListQueues needs sqs:ListQueues, which the policy of the command")]
async fn run_exceeding_its_policy_fails() {
    let org = Organization::on(Engine::Ministack).build().await;
    run_as_outputs(&org, heeler_ec(&org)).await;
}

#[tokio::test]
async fn run_may_declare_extra_actions() {
    let org = Organization::on(Engine::Ministack).build().await;
    let heeler = heeler_ec(&org).extra_actions(&["sqs:ListQueues"]);
    let run = run_as_outputs(&org, heeler).await;
    assert_eq!(run.calls.len(), 1);
}

#[tokio::test]
#[should_panic(expected = "add the IAM actions of sqs:PurgeQueue")]
async fn call_without_known_action_fails() {
    let org = Organization::on(Engine::Ministack).build().await;
    let purge = org
        .clients_through_proxy()
        .sqs
        .purge_queue()
        .queue_url("nowhere");
    let _ = purge.send().await;
    required_actions(&org.proxy().calls()[0], false);
}

#[tokio::test]
async fn direct_policies_cover_their_calls() {
    let org = encrypted_organization().await;
    let role = org.heeler_role_arn();
    let other = ["--object-prefix", "AWSLogs/o", "--heeler-role-arn", &role];
    let steps = [
        (CommandName::Preflight, preflight_of(&org, DIRECT)),
        (CommandName::Plan, plan_of(&org, DIRECT)),
        (CommandName::Setup, setup_of(&org, DIRECT)),
        (CommandName::Setup, setup_again_of(&org, DIRECT).args(other)),
        (CommandName::Plan, plan_of(&org, DIRECT)),
        (CommandName::Outputs, outputs(&org)),
        (CommandName::Status, heeler_ec(&org).args(["status"])),
        (
            CommandName::Export,
            heeler_ec(&org).args(["export", "terraform"]),
        ),
        (
            CommandName::Verify,
            heeler_ec(&org).args(["verify", "--no-canary"]),
        ),
        (
            CommandName::Tail,
            heeler_ec(&org)
                .args(["tail", "--source", "bucket", "--timeout", "2s"])
                // The command line does not show that the deployment is for another vendor.
                .extra_actions(&[
                    "cloudtrail:DescribeTrails",
                    "organizations:DescribeOrganization",
                ]),
        ),
        (CommandName::Destroy, destroy(&org)),
    ];
    for (name, run) in steps {
        let mut needed = NeededActions::new(command(name, Some(DIRECT)));
        needed.add(&org, &run.run().await);
        let permitted = permitted(&needed.command);
        let missing: Vec<&String> = needed.actions.difference(&permitted).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{name:?}");
    }
    assert_eq!(org.leftovers().await, NOTHING);
}
