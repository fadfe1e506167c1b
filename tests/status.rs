//! Status: every hop of a deployment that works, and each fault on its own, made through the API of AWS.

use aws_sdk_lambda::types::Environment;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use snapbox::str;
use testkit::{Engine, Fault, FaultAction, HeelerEc, Organization, Run};

use crate::commands::{
    error, heeler_ec, json, names, on_both_engines, setup, setup_again_of, setup_of, setup_with,
    text,
};
use crate::whole_output::assert_stdout;

const ROLE: &str = "heeler_event_collection_sqs_role";
const FUNCTION: &str = "heeler_event_collection_lambda";
const FUNCTION_ROLE: &str = "heeler_event_collection_lambda_role";
const NOBODY: [String; 0] = [];

pub fn status(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["status", "-o", "json"])
}

/// The IDs of the hops with this status.
pub fn hops(report: &Value, status: &str) -> Vec<String> {
    let hops = report["hops"].as_array().expect("a list of hops");
    let matching = hops.iter().filter(|hop| hop["status"] == status);
    matching.map(|hop| text(&hop["id"])).collect()
}

/// Runs status and expects no broken hop; only the harvest is unknown.
pub async fn expect_healthy(org: &Organization, after: &str) -> Run {
    let run = status(org).run().await;
    let report = json(&run);
    assert_eq!(hops(&report, "broken"), NOBODY, "{after}: {report:#}");
    assert_eq!(hops(&report, "unknown"), ["harvest"], "{after}: {report:#}");
    assert_eq!(report["cause"], Value::Null);
    assert_eq!(report["healthy"], true);
    assert_eq!(run.status, 0, "{after}");
    assert_eq!(names(&run.writes()), NOBODY, "{after}");
    run
}

/// Runs status and expects exactly this broken hop. Returns what was observed.
pub async fn expect_broken(org: &Organization, hop: &str) -> String {
    let run = status(org).run().await;
    let report = json(&run);
    assert_eq!(report["cause"], hop, "{report:#}");
    assert_eq!(hops(&report, "broken"), [hop], "{report:#}");
    assert_eq!(report["healthy"], false);
    assert_eq!(hops(&report, "not_reached"), ["harvest"], "{report:#}");
    assert_eq!(run.status, 1);
    assert_eq!(names(&run.writes()), NOBODY);
    let all = report["hops"].as_array().expect("hops");
    let broken = all
        .iter()
        .find(|found| found["id"] == hop)
        .expect("the hop");
    assert!(!text(&broken["expected"]).is_empty(), "{broken:#}");
    text(&broken["observed"])
}

/// Expects exactly this broken hop, repairs it with setup, and expects that every hop works.
pub async fn expect_setup_repairs(org: &Organization, option: &str, hop: &str) -> String {
    let observed = expect_broken(org, hop).await;
    let repair = setup_again_of(org, option);
    let repair = repair.args(["--heeler-role-arn", &org.heeler_role_arn()]);
    repair.run().await.expect_status(0);
    expect_healthy(org, hop).await;
    observed
}

/// Resources of a deployment that tests break.
pub struct Deployed<'a> {
    org: &'a Organization,
    pub queue: &'static str,
    dead_letter_queue: &'static str,
}

impl<'a> Deployed<'a> {
    pub fn s3(org: &'a Organization) -> Self {
        Self {
            org,
            queue: "heeler_event_collection_queue",
            dead_letter_queue: "heeler_event_collection_queue_dlq",
        }
    }

    pub fn cloudwatch(org: &'a Organization) -> Self {
        Self {
            org,
            queue: "heeler_event_collection_queue.fifo",
            dead_letter_queue: "heeler_event_collection_queue_dlq.fifo",
        }
    }

    pub fn arn(&self, service: &str, resource: &str) -> String {
        let (region, account) = (self.org.region(), self.org.account());
        format!("arn:aws:{service}:{region}:{account}:{resource}")
    }

    pub fn topic(&self) -> String {
        self.arn("sns", "heeler_event_collection_topic")
    }

    pub fn policy(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:policy/{name}", self.org.account())
    }

    pub async fn queue_url(&self, name: &str) -> String {
        let found = self.org.clients().sqs.get_queue_url().queue_name(name);
        let found = found.send().await.expect("a queue");
        found.queue_url.expect("its URL")
    }

    pub async fn set_queue(&self, attribute: QueueAttributeName, value: &str) {
        let url = self.queue_url(self.queue).await;
        let change = self.org.clients().sqs.set_queue_attributes().queue_url(url);
        let change = change.attributes(attribute, value).send().await;
        change.expect("a changed queue");
    }

    pub async fn queue_attribute(&self, attribute: QueueAttributeName) -> String {
        let url = self.queue_url(self.queue).await;
        let read = self.org.clients().sqs.get_queue_attributes().queue_url(url);
        let read = read.attribute_names(attribute.clone()).send().await;
        let attributes = read.expect("a queue").attributes.unwrap_or_default();
        attributes.get(&attribute).cloned().unwrap_or_default()
    }

    pub async fn key_id(&self) -> String {
        let alias = "alias/heeler_kms_key_sqs";
        let found = self.org.clients().kms.describe_key().key_id(alias);
        let found = found.send().await.expect("a key").key_metadata;
        found.expect("its metadata").key_id
    }

    pub async fn set_key_policy(&self, policy: &Value) {
        let change = self.org.clients().kms.put_key_policy();
        let change = change.key_id(self.key_id().await).policy_name("default");
        let change = change.policy(policy.to_string()).send().await;
        change.expect("a changed key policy");
    }

    pub async fn set_trust(&self, role: &str, policy: &Value) {
        let change = self.org.clients().iam.update_assume_role_policy();
        let change = change.role_name(role).policy_document(policy.to_string());
        change.send().await.expect("a changed trust policy");
    }

    pub async fn detach(&self, role: &str, policy: &str) {
        let change = self.org.clients().iam.detach_role_policy();
        let change = change.role_name(role).policy_arn(self.policy(policy));
        change.send().await.expect("a detached policy");
    }

    /// Writes a new version of a policy without one statement.
    pub async fn drop_statement(&self, policy: &str, sid: &str) {
        self.edit_policy(policy, |statements| {
            statements.retain(|statement| statement["Sid"] != sid);
        })
        .await;
    }

    /// Writes a new version of a policy.
    pub async fn edit_policy(&self, policy: &str, edit: impl Fn(&mut Vec<Value>)) {
        let (iam, arn) = (&self.org.clients().iam, self.policy(policy));
        let found = iam.get_policy().policy_arn(&arn).send().await;
        let found = found.expect("a policy").policy.expect("a policy");
        let version = found.default_version_id.expect("a version");
        let read = iam.get_policy_version().policy_arn(&arn);
        let read = read.version_id(version).send().await.expect("a version");
        let read = read.policy_version.expect("a version").document;
        let document = heeler_ec::iam::parse_encoded_document(&read.expect("a document"));
        let mut document = document;
        edit(document["Statement"].as_array_mut().expect("statements"));
        // IAM keeps five versions.
        let versions = iam.list_policy_versions().policy_arn(&arn).send().await;
        for other in versions.expect("versions").versions() {
            if !other.is_default_version() {
                let id = other.version_id().expect("an id");
                let gone = iam.delete_policy_version().policy_arn(&arn).version_id(id);
                gone.send().await.expect("an old version is deleted");
            }
        }
        let change = iam.create_policy_version().policy_arn(&arn);
        let change = change.policy_document(document.to_string());
        let change = change.set_as_default(true).send().await;
        change.expect("a new version");
    }

    pub async fn subscription(&self) -> String {
        let found = self.org.clients().sns.list_subscriptions_by_topic();
        let found = found.topic_arn(self.topic()).send().await;
        let found = found.expect("subscriptions").subscriptions.expect("a list");
        let found = found.first().expect("a subscription");
        found.subscription_arn().expect("its ARN").to_owned()
    }

    pub async fn set_subscription(&self, attribute: &str, value: &str) {
        let change = self.org.clients().sns.set_subscription_attributes();
        let change = change.subscription_arn(self.subscription().await);
        let change = change.attribute_name(attribute).attribute_value(value);
        change.send().await.expect("a changed subscription");
    }

    pub async fn send_to_dead_letter_queue(&self) {
        let url = self.queue_url(self.dead_letter_queue).await;
        let mut send = self.org.clients().sqs.send_message().queue_url(&url);
        if self.dead_letter_queue.contains(".fifo") {
            send = send.message_group_id("g").message_deduplication_id("1");
        }
        send.message_body("x").send().await.expect("a message");
    }

    pub async fn empty_dead_letter_queue(&self) {
        let url = self.queue_url(self.dead_letter_queue).await;
        let purged = self.org.clients().sqs.purge_queue().queue_url(url);
        purged.send().await.expect("an empty queue");
    }
}

/// A policy that allows nothing that a deployment needs.
pub fn unrelated_policy(org: &Organization, action: &str, resource: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Unrelated",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{}:root", org.account()) },
            "Action": action,
            "Resource": resource,
        }],
    })
}

/// A trust policy without Heeler.
fn trusts_other() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Other",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": { "Service": "ec2.amazonaws.com" },
        }],
    })
}

pub async fn s3_deployment(engine: Engine) -> Organization {
    let org = Organization::on(engine).bucket_key().build().await;
    setup(&org).run().await.expect_status(0);
    expect_healthy(&org, "setup").await;
    org
}

pub async fn cloudwatch_deployment(engine: Engine) -> Organization {
    let org = Organization::on(engine).log_group().build().await;
    setup_of(&org, "cloudwatch").run().await.expect_status(0);
    expect_healthy(&org, "setup").await;
    org
}

/// Makes CloudTrail report an error of this field.
fn report_delivery_error(org: &Organization, field: &'static str) {
    let error = FaultAction::edit_json(move |status| {
        status[field] = json!("AccessDenied");
    });
    org.proxy()
        .fault(Fault::new("cloudtrail", "GetTrailStatus", error));
}

on_both_engines! {
    async fn status_lists_thirteen_hops_of_option_s3(engine: Engine) {
        let org = s3_deployment(engine).await;
        let report = json(&expect_healthy(&org, "setup").await);
        let ids: Vec<String> = report["hops"].as_array().expect("hops").iter().map(|hop| text(&hop["id"])).collect();
        assert_eq!(ids, [
            "trail", "bucket_policy", "notification", "topic_policy", "subscription", "queue_policy", "queue_key",
            "queue", "dead_letter_queue", "role_trust", "role_permissions", "log_key", "harvest",
        ]);
        assert_eq!(report["deployment"]["option"], "s3");
        assert_eq!(report["metrics"]["queue"]["in_flight"], 0);
    }

    async fn status_lists_thirteen_hops_of_option_cloudwatch(engine: Engine) {
        let org = cloudwatch_deployment(engine).await;
        let report = json(&expect_healthy(&org, "setup").await);
        let ids: Vec<String> = report["hops"].as_array().expect("hops").iter().map(|hop| text(&hop["id"])).collect();
        assert_eq!(ids, [
            "trail", "log_group", "subscription_filter", "function_permission", "function", "function_role",
            "queue_policy", "queue_key", "queue", "dead_letter_queue", "role_trust", "role_permissions", "harvest",
        ]);
    }

    async fn status_names_faults_of_trail_and_bucket(engine: Engine) {
        let org = s3_deployment(engine).await;
        let clients = org.clients();
        clients.cloudtrail.stop_logging().name(org.trail()).send().await.expect("stopped");
        let observed = expect_broken(&org, "trail").await;
        // Only one of the emulators returns the time.
        assert!(observed.starts_with("logging stopped ") || observed == "logging is stopped", "{observed}");
        clients.cloudtrail.start_logging().name(org.trail()).send().await.expect("started");
        expect_healthy(&org, "start-logging").await;

        report_delivery_error(&org, "LatestDeliveryError");
        let observed = expect_broken(&org, "trail").await;
        assert_eq!(observed, "the last delivery failed: AccessDenied");
        org.proxy().clear_faults();
        expect_healthy(&org, "a delivery").await;

        let read = clients.s3.get_bucket_policy().bucket(org.bucket()).send().await;
        let policy = read.expect("a policy").policy.expect("a document");
        let arn = format!("arn:aws:s3:::{}", org.bucket());
        let other = unrelated_policy(&org, "s3:ListBucket", &arn).to_string();
        let put = clients.s3.put_bucket_policy().bucket(org.bucket());
        put.clone().policy(other).send().await.expect("another policy");
        expect_broken(&org, "bucket_policy").await;
        let mut denying: Value = serde_json::from_str(&policy).expect("a policy");
        let statements = denying["Statement"].as_array_mut().expect("statements");
        statements.push(json!({
            "Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("{arn}/*"),
            "Condition": { "StringNotEquals": { "aws:PrincipalOrgID": "o-other00000" } },
        }));
        put.clone().policy(denying.to_string()).send().await.expect("a Deny");
        let observed = expect_broken(&org, "bucket_policy").await;
        assert!(observed.contains("Perimeter"), "{observed}");
        put.policy(policy).send().await.expect("the policy");
        expect_healthy(&org, "the bucket policy").await;
    }

    async fn status_names_faults_of_notification_and_topic(engine: Engine) {
        let org = s3_deployment(engine).await;
        let (clients, deployed) = (org.clients(), Deployed::s3(&org));
        let empty = aws_sdk_s3::types::NotificationConfiguration::builder().build();
        let put = clients.s3.put_bucket_notification_configuration().bucket(org.bucket());
        put.notification_configuration(empty).send().await.expect("no notification");
        expect_setup_repairs(&org, "s3", "notification").await;

        let topic = unrelated_policy(&org, "sns:Publish", &deployed.topic()).to_string();
        let set = clients.sns.set_topic_attributes().topic_arn(deployed.topic());
        set.attribute_name("Policy").attribute_value(topic).send().await.expect("another policy");
        let observed = expect_setup_repairs(&org, "s3", "topic_policy").await;
        assert_eq!(observed, "no statement allows S3 sns:Publish");

        let gone = clients.sns.unsubscribe().subscription_arn(deployed.subscription().await);
        gone.send().await.expect("no subscription");
        expect_setup_repairs(&org, "s3", "subscription").await;
        deployed.set_subscription("RawMessageDelivery", "true").await;
        expect_setup_repairs(&org, "s3", "subscription").await;
        deployed.set_subscription("FilterPolicy", r#"{"a":["b"]}"#).await;
        expect_setup_repairs(&org, "s3", "subscription").await;
    }

    async fn status_names_faults_of_queue_and_key(engine: Engine) {
        let org = s3_deployment(engine).await;
        let (clients, deployed) = (org.clients(), Deployed::s3(&org));
        let arn = deployed.arn("sqs", deployed.queue);
        let other = unrelated_policy(&org, "sqs:SendMessage", &arn).to_string();
        deployed.set_queue(QueueAttributeName::Policy, &other).await;
        let observed = expect_setup_repairs(&org, "s3", "queue_policy").await;
        assert_eq!(observed, "no statement allows SNS sqs:SendMessage");

        clients.kms.disable_key().key_id(deployed.key_id().await).send().await.expect("disabled");
        let observed = expect_setup_repairs(&org, "s3", "queue_key").await;
        assert!(observed.ends_with(" is disabled"), "{observed}");
        deployed.set_key_policy(&unrelated_policy(&org, "kms:*", "*")).await;
        let observed = expect_setup_repairs(&org, "s3", "queue_key").await;
        assert_eq!(observed, "no statement allows SNS kms:GenerateDataKey");

        deployed.send_to_dead_letter_queue().await;
        expect_broken(&org, "dead_letter_queue").await;
        deployed.empty_dead_letter_queue().await;
        expect_healthy(&org, "purge").await;
    }

    async fn status_names_faults_of_role_and_log_key(engine: Engine) {
        let org = s3_deployment(engine).await;
        let (clients, deployed) = (org.clients(), Deployed::s3(&org));
        let policy = "heeler_event_collection_sqs_policy";
        deployed.set_trust(ROLE, &trusts_other()).await;
        expect_broken(&org, "role_trust").await;
        let repair = setup_again_of(&org, "s3").args(["--generate-external-id", "--heeler-role-arn", &org.heeler_role_arn()]);
        repair.run().await.expect_status(0);
        expect_healthy(&org, "setup").await;

        deployed.detach(ROLE, policy).await;
        expect_setup_repairs(&org, "s3", "role_permissions").await;
        deployed.drop_statement(policy, "DecryptQueueMessages").await;
        let observed = expect_setup_repairs(&org, "s3", "role_permissions").await;
        assert_eq!(observed, "no statement allows Heeler kms:Decrypt");
        deployed.drop_statement(policy, "ReadTrailLogObjects").await;
        let observed = expect_setup_repairs(&org, "s3", "role_permissions").await;
        assert_eq!(observed, "no statement allows Heeler s3:GetObject");
        let other_prefix = format!("arn:aws:s3:::{}/other/*", org.bucket());
        deployed.edit_policy(policy, |statements| {
            for statement in statements {
                if statement["Sid"] == "ReadTrailLogObjects" {
                    statement["Resource"] = json!(other_prefix);
                }
            }
        }).await;
        expect_setup_repairs(&org, "s3", "role_permissions").await;

        let key = org.bucket_key().expect("a key");
        let grants = clients.kms.list_grants().key_id(key).send().await.expect("grants");
        let id = grants.grants()[0].grant_id().expect("an id").to_owned();
        clients.kms.revoke_grant().key_id(key).grant_id(id).send().await.expect("no grant");
        expect_setup_repairs(&org, "s3", "log_key").await;
        clients.kms.disable_key().key_id(key).send().await.expect("disabled");
        expect_broken(&org, "log_key").await;
        clients.kms.enable_key().key_id(key).send().await.expect("enabled");
        expect_healthy(&org, "enable-key").await;
    }

    async fn status_names_faults_of_trail_and_filter(engine: Engine) {
        let org = cloudwatch_deployment(engine).await;
        let clients = org.clients();
        clients.cloudtrail.stop_logging().name(org.trail()).send().await.expect("stopped");
        expect_broken(&org, "trail").await;
        clients.cloudtrail.start_logging().name(org.trail()).send().await.expect("started");
        report_delivery_error(&org, "LatestCloudWatchLogsDeliveryError");
        expect_broken(&org, "trail").await;
        org.proxy().clear_faults();
        expect_healthy(&org, "a delivery").await;

        let group = org.log_group().expect("a log group");
        let name = "heeler_cloudwatch_log_subscription_filter";
        let gone = clients.logs.delete_subscription_filter().log_group_name(group);
        gone.filter_name(name).send().await.expect("no filter");
        expect_setup_repairs(&org, "cloudwatch", "subscription_filter").await;
        let function = Deployed::cloudwatch(&org).arn("lambda", &format!("function:{FUNCTION}"));
        let put = clients.logs.put_subscription_filter().log_group_name(group).filter_name(name);
        let put = put.filter_pattern("{ $.readOnly IS TRUE }").destination_arn(function);
        put.send().await.expect("another pattern");
        expect_setup_repairs(&org, "cloudwatch", "subscription_filter").await;
    }

    async fn status_names_faults_of_function(engine: Engine) {
        let org = cloudwatch_deployment(engine).await;
        let (clients, deployed) = (org.clients(), Deployed::cloudwatch(&org));
        let lambda = &clients.lambda;
        let gone = lambda.remove_permission().function_name(FUNCTION);
        gone.statement_id("InvokePermissionsForCW").send().await.expect("no permission");
        let observed = expect_setup_repairs(&org, "cloudwatch", "function_permission").await;
        assert_eq!(observed, "no statement allows CloudWatch Logs lambda:InvokeFunction");

        let none = lambda.put_function_concurrency().function_name(FUNCTION);
        none.reserved_concurrent_executions(0).send().await.expect("no concurrency");
        expect_broken(&org, "function").await;
        lambda.delete_function_concurrency().function_name(FUNCTION).send().await.expect("concurrency");
        expect_healthy(&org, "delete-function-concurrency").await;

        let other = Environment::builder().variables("QUEUE_URL", "https://example.com/1/other").build();
        let change = lambda.update_function_configuration().function_name(FUNCTION);
        change.environment(other).send().await.expect("another queue");
        expect_setup_repairs(&org, "cloudwatch", "function").await;

        deployed.detach(FUNCTION_ROLE, "heeler_event_collection_lambda_policy").await;
        expect_setup_repairs(&org, "cloudwatch", "function_role").await;
        deployed.drop_statement("heeler_event_collection_lambda_policy", "EncryptQueueMessages").await;
        expect_setup_repairs(&org, "cloudwatch", "function_role").await;
    }

    async fn status_names_faults_behind_the_function(engine: Engine) {
        let org = cloudwatch_deployment(engine).await;
        let (clients, deployed) = (org.clients(), Deployed::cloudwatch(&org));
        clients.kms.disable_key().key_id(deployed.key_id().await).send().await.expect("disabled");
        expect_setup_repairs(&org, "cloudwatch", "queue_key").await;
        deployed.send_to_dead_letter_queue().await;
        expect_broken(&org, "dead_letter_queue").await;
        deployed.empty_dead_letter_queue().await;
        expect_healthy(&org, "purge").await;
        deployed.detach(ROLE, "heeler_event_collection_sqs_policy").await;
        expect_setup_repairs(&org, "cloudwatch", "role_permissions").await;
        deployed.drop_statement("heeler_event_collection_sqs_policy", "DecryptQueueMessages").await;
        let observed = expect_setup_repairs(&org, "cloudwatch", "role_permissions").await;
        assert_eq!(observed, "no statement allows Heeler kms:Decrypt");

        deployed.set_key_policy(&unrelated_policy(&org, "kms:DescribeKey", "*")).await;
        let observed = expect_setup_repairs(&org, "cloudwatch", "queue_key").await;
        assert!(observed.contains("kms:"), "{observed}");
        deployed.set_trust(ROLE, &trusts_other()).await;
        expect_broken(&org, "role_trust").await;
        let repair = setup_again_of(&org, "cloudwatch").args(["--generate-external-id", "--heeler-role-arn", &org.heeler_role_arn()]);
        repair.run().await.expect_status(0);
        expect_healthy(&org, "setup").await;
    }

    async fn status_names_fault_of_the_fifo_queue_policy(engine: Engine) {
        let org = cloudwatch_deployment(engine).await;
        let deployed = Deployed::cloudwatch(&org);
        let before = deployed.queue_attribute(QueueAttributeName::Policy).await;
        let denying = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage",
                "Resource": deployed.arn("sqs", deployed.queue),
            }],
        });
        deployed.set_queue(QueueAttributeName::Policy, &denying.to_string()).await;
        let observed = expect_broken(&org, "queue_policy").await;
        assert!(observed.contains("Perimeter"), "{observed}");
        deployed.set_queue(QueueAttributeName::Policy, &before).await;
        expect_healthy(&org, "the queue policy").await;
    }

    async fn status_names_deleted_log_group(engine: Engine) {
        let org = cloudwatch_deployment(engine).await;
        let (logs, group) = (&org.clients().logs, org.log_group().expect("a log group"));
        let gone = logs.delete_log_group().log_group_name(group).send().await;
        gone.expect("no log group");
        let report = json(&status(&org).run().await.expect_status(1));
        assert_eq!(report["cause"], "log_group", "{report:#}");
        assert_eq!(hops(&report, "broken"), ["log_group"], "{report:#}");
        let hint = text(&report["hops"][1]["hint"]);
        assert!(hint.contains("aws logs create-log-group"), "{hint}");
        // The subscription filter was deleted with its log group.
        assert_eq!(hops(&report, "not_reached"), ["subscription_filter", "harvest"]);

        logs.create_log_group().log_group_name(group).send().await.expect("a log group");
        let keep = logs.put_retention_policy().log_group_name(group).retention_in_days(1);
        keep.send().await.expect("a retention");
        let stream = format!("{}_{}_CloudTrail_{}", org.organization_id(), org.account(), org.region());
        let made = logs.create_log_stream().log_group_name(group).log_stream_name(stream);
        made.send().await.expect("a log stream");
        org.put_log_events(&["{}".to_owned()]).await;
        expect_setup_repairs(&org, "cloudwatch", "subscription_filter").await;
    }
}

#[tokio::test]
async fn changed_trail_prefix_is_the_notification() {
    let org = s3_deployment(Engine::Ministack).await;
    let clients = org.clients();
    let read = clients
        .s3
        .get_bucket_policy()
        .bucket(org.bucket())
        .send()
        .await;
    let policy = read.expect("a policy").policy.expect("a document");
    // AWS accepts a prefix only if the bucket policy allows it.
    let allowed = policy.replace("/AWSLogs/", "/audit/AWSLogs/");
    let put = clients.s3.put_bucket_policy().bucket(org.bucket());
    put.policy(allowed).send().await.expect("a policy");
    let change = clients.cloudtrail.update_trail().name(org.trail());
    change
        .s3_key_prefix("audit")
        .send()
        .await
        .expect("a prefix");
    let report = json(&status(&org).run().await.expect_status(1));
    assert_eq!(report["cause"], "notification", "{report:#}");
    assert_eq!(
        hops(&report, "broken"),
        ["notification", "role_permissions"]
    );
    setup_again_of(&org, "s3").run().await.expect_status(0);
    expect_healthy(&org, "setup").await;
}

#[tokio::test]
async fn refused_call_makes_its_hop_unknown() {
    let org = s3_deployment(Engine::Ministack).await;
    let refused = FaultAction::refuse(403, "AuthorizationError", "not authorized");
    org.proxy()
        .fault(Fault::new("sns", "GetTopicAttributes", refused));
    let report = json(&status(&org).run().await.expect_status(0));
    assert_eq!(hops(&report, "unknown"), ["topic_policy", "harvest"]);
    let all = report["hops"].as_array().expect("hops");
    let hop = all
        .iter()
        .find(|hop| hop["id"] == "topic_policy")
        .expect("the hop");
    assert!(
        text(&hop["observed"]).contains("AuthorizationError"),
        "{hop:#}"
    );
    assert_eq!(hop["hint"], "the caller needs sns:GetTopicAttributes");
}

#[tokio::test]
async fn unknown_condition_key_makes_hop_unknown() {
    let org = s3_deployment(Engine::Ministack).await;
    let clients = org.clients();
    let read = clients
        .s3
        .get_bucket_policy()
        .bucket(org.bucket())
        .send()
        .await;
    let policy = read.expect("a policy").policy.expect("a document");
    let mut policy: Value = serde_json::from_str(&policy).expect("a policy");
    policy["Statement"]
        .as_array_mut()
        .expect("statements")
        .push(json!({
            "Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("arn:aws:s3:::{}/*", org.bucket()),
            "Condition": { "StringNotEquals": { "aws:SourceVpce": "vpce-1" } },
        }));
    let put = clients.s3.put_bucket_policy().bucket(org.bucket());
    put.policy(policy.to_string())
        .send()
        .await
        .expect("a policy");
    let report = json(&status(&org).run().await.expect_status(0));
    assert_eq!(hops(&report, "unknown"), ["bucket_policy", "harvest"]);
    assert!(
        text(&report["hops"][1]["observed"]).contains("aws:SourceVpce"),
        "{report:#}"
    );
}

/// Makes IAM report the last use of the role.
pub fn report_last_use(org: &Organization, time: &'static str) {
    let used = FaultAction::edit_text(move |body| {
        body.replace(
            "</Role>",
            &format!("<RoleLastUsed><LastUsedDate>{time}</LastUsedDate><Region>us-east-1</Region></RoleLastUsed></Role>"),
        )
    });
    org.proxy().fault(Fault::new("iam", "GetRole", used));
}

#[tokio::test]
async fn harvest_follows_last_use_of_role() {
    let org = s3_deployment(Engine::Ministack).await;
    report_last_use(&org, "2020-01-01T00:00:00Z");
    let report = json(&status(&org).run().await.expect_status(1));
    assert_eq!(report["cause"], "harvest", "{report:#}");
    org.proxy().clear_faults();
    report_last_use(&org, "2099-01-01T00:00:00Z");
    let report = json(&status(&org).run().await.expect_status(0));
    assert_eq!(hops(&report, "unknown"), NOBODY);
    assert_eq!(report["metrics"]["role_last_used"], "2099-01-01T00:00:00Z");
}

#[tokio::test]
async fn status_without_deployment_exits_with_one() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = status(&org).run().await.expect_status(1);
    assert!(
        text(&error(&run)["cause"]).contains("nothing is deployed"),
        "{}",
        run.stdout
    );
}

#[tokio::test]
async fn wait_ends_when_no_hop_is_broken() {
    let org = s3_deployment(Engine::Ministack).await;
    let stopped = FaultAction::edit_json(|status| status["IsLogging"] = json!(false));
    let fault = Fault::new("cloudtrail", "GetTrailStatus", stopped);
    org.proxy().fault(fault.times(2));
    let wait = heeler_ec(&org).args(["status", "--wait", "1h"]);
    let run = wait.run().await.expect_status(0);
    let waits = run.stderr.matches("Waiting for trail.").count();
    assert_eq!(waits, 2, "{}", run.stderr);
}

#[tokio::test]
async fn wait_ends_at_time_limit() {
    let org = s3_deployment(Engine::Ministack).await;
    let trail = org.trail();
    org.clients()
        .cloudtrail
        .stop_logging()
        .name(trail)
        .send()
        .await
        .expect("stopped");
    let run = heeler_ec(&org).args(["status", "--wait", "1s"]).run().await;
    assert_eq!(run.status, 1);
    assert!(run.stdout.contains("start-logging"), "{}", run.stdout);
}

#[tokio::test]
async fn status_compares_the_given_external_id() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, "the-right-id")
        .run()
        .await
        .expect_status(0);
    let right = status(&org).args(["--external-id", "the-right-id"]);
    right.run().await.expect_status(0);
    let wrong = status(&org).env("HEELER_EC_EXTERNAL_ID", "another-id-x");
    let run = wrong.run().await.expect_status(1);
    let report = json(&run);
    assert_eq!(hops(&report, "broken"), ["role_trust"], "{report:#}");
    for secret in ["the-right-id", "another-id-x"] {
        assert!(!run.stdout.contains(secret), "{}", run.stdout);
    }
}

#[tokio::test]
async fn junit_has_one_case_per_hop() {
    let org = s3_deployment(Engine::Ministack).await;
    let trail = org.trail();
    org.clients()
        .cloudtrail
        .stop_logging()
        .name(trail)
        .send()
        .await
        .expect("stopped");
    let run = heeler_ec(&org)
        .args(["status", "-o", "junit"])
        .run()
        .await
        .expect_status(1);
    assert_stdout(
        &org,
        &run,
        str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="heeler-ec status" tests="13" failures="1" errors="0" skipped="1">
    <testcase classname="s3" name="trail"><failure message="logging stopped 5 minutes ago">expected: a trail that delivers to bucket org-trail-logs-111122223333
hint: aws cloudtrail start-logging --region us-east-1 --name arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail</failure></testcase>
    <testcase classname="s3" name="bucket_policy"/>
    <testcase classname="s3" name="notification"/>
    <testcase classname="s3" name="topic_policy"/>
    <testcase classname="s3" name="subscription"/>
    <testcase classname="s3" name="queue_policy"/>
    <testcase classname="s3" name="queue_key"/>
    <testcase classname="s3" name="queue"/>
    <testcase classname="s3" name="dead_letter_queue"/>
    <testcase classname="s3" name="role_trust"/>
    <testcase classname="s3" name="role_permissions"/>
    <testcase classname="s3" name="log_key"/>
    <testcase classname="s3" name="harvest"><skipped message="Heeler has not polled yet"/></testcase>
  </testsuite>
</testsuites>

"#]],
    );
}

#[tokio::test]
async fn watch_shows_status_until_interrupted() {
    let org = s3_deployment(Engine::Ministack).await;
    let watch = heeler_ec(&org).args(["status", "--watch"]);
    let run = watch
        .on_terminal(120, &[("Drift", testkit::CTRL_C)])
        .run()
        .await;
    assert_eq!(run.status, 130, "{}", run.stdout);
    assert!(run.stdout.contains("\u{1b}[H\u{1b}[J"), "{:?}", run.stdout);
    assert_eq!(names(&run.writes()), NOBODY);
    heeler_ec(&org)
        .args(["status", "--watch", "-o", "json"])
        .run()
        .await
        .expect_status(2);
}
