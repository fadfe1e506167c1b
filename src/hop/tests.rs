//! Tests of the hops. Each test changes the facts of a deployment without problems.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::*;
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::aws::message_filter;
use crate::inventory::facts::{
    DeliveryStatus, KeyFacts, KmsKeyDetails, Organization, TopicFacts, Trail, TrailStatus,
};
use crate::inventory::pipeline::{
    BucketDestination, FunctionFacts, PipelineFacts, PipelineRequest, PipelineSource, QueueFacts,
    RoleDetails, RoleFacts, SubscriptionFacts, TrafficFacts, TrafficMetric,
};
use crate::secret::ExternalId;
use crate::shared_document::role_trust::HeelerTrust;

const ACCOUNT: &str = "111122223333";
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/org";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:topic";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:queue";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1";
const HEELER: &str = "arn:aws:iam::999988887777:role/heeler";

fn statement(principal: &Value, action: &str, resource: &str, source: &str) -> Value {
    json!({
        "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource,
        "Condition": { "ArnEquals": { "aws:SourceArn": source } },
    })
}

fn policy(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn service(name: &str) -> Value {
    json!({ "Service": name })
}

fn queue_key() -> KeyFacts {
    let root = json!({
        "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
        "Action": "kms:*", "Resource": "*",
    });
    let topic = statement(&service("sns.amazonaws.com"), "kms:*", "*", TOPIC);
    KeyFacts {
        identifier: KEY.into(),
        key: Fact::Present(KmsKeyDetails {
            arn: KEY.into(),
            account: ACCOUNT.into(),
            state: "Enabled".into(),
            description: String::new(),
            customer_managed: true,
            deletion_date: None,
            key_material_expires: None,
        }),
        policy: Fact::Present(policy(&[root, topic])),
        grants: Fact::NotRequested,
    }
}

fn trust_policy() -> String {
    policy(&[json!({
        "Effect": "Allow", "Principal": { "AWS": HEELER }, "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": "id" } },
    })])
}

fn trust() -> HeelerTrust {
    HeelerTrust {
        principals: vec![HEELER.into()],
        external_id: ExternalId::new("id"),
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A deployment that reads from a bucket, without problems.
pub(crate) fn bucket_facts() -> PipelineFacts {
    PipelineFacts {
        request: PipelineRequest {
            setup_arguments: "--option s3",
            account: ACCOUNT.into(),
            partition: "aws".into(),
            region: "us-east-1".into(),
            role: "role".into(),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/role"),
            queue: "queue".into(),
            dead_letter_queue: "dlq".into(),
            source: PipelineSource::Bucket {
                bucket: "logs".into(),
                log_prefix: "AWSLogs/".into(),
                destination: BucketDestination::Topic(TOPIC.into()),
                log_keys: Vec::new(),
                grant: "heeler-ec".into(),
            },
        },
        now: now(),
        management: None,
        organization: Fact::Present(Organization {
            id: "o-1".into(),
            management_account: ACCOUNT.into(),
            all_features: true,
        }),
        trail: Fact::Present(Trail {
            name: "org".into(),
            arn: TRAIL.into(),
            home_region: "us-east-1".into(),
            is_organization: true,
            bucket: "logs".into(),
            ..Trail::default()
        }),
        trail_status: Fact::Present(TrailStatus {
            logging: true,
            to_bucket: DeliveryStatus {
                error: None,
                at: Some(now() - Duration::from_secs(120)),
            },
            ..TrailStatus::default()
        }),
        bucket_policy: Fact::Present(policy(&[statement(
            &service("cloudtrail.amazonaws.com"),
            "s3:PutObject",
            "arn:aws:s3:::logs/AWSLogs/*",
            TRAIL,
        )])),
        notifications: Fact::Present(vec![NotificationEntry {
            id: "heeler-ec".into(),
            target: NotificationTarget::Topic,
            destination: TOPIC.into(),
            events: vec!["s3:ObjectCreated:*".into()],
            prefix: "AWSLogs/".into(),
            suffix: String::new(),
        }]),
        topic: Fact::Present(TopicFacts {
            policy: policy(&[statement(
                &service("s3.amazonaws.com"),
                "sns:Publish",
                TOPIC,
                "arn:aws:s3:::logs",
            )]),
            ..TopicFacts::arn_only(TOPIC.into())
        }),
        subscription: Fact::Present(SubscriptionFacts {
            is_pending: false,
            raw_delivery: false,
            filter_policy: None,
            filter_scope: String::new(),
        }),
        log_group: Fact::NotRequested,
        subscription_filters: Fact::NotRequested,
        function: Fact::NotRequested,
        function_policy: Fact::NotRequested,
        function_role: RoleFacts::default(),
        queue: Fact::Present(QueueFacts {
            policy: Some(policy(&[statement(
                &service("sns.amazonaws.com"),
                "sqs:SendMessage",
                QUEUE,
                TOPIC,
            )])),
            key: Some(KEY.into()),
            dead_letter_target: Some("arn:aws:sqs:us-east-1:111122223333:dlq".into()),
            ..QueueFacts::default()
        }),
        dead_letter_queue: Fact::Present(QueueFacts::default()),
        queue_key: Some(queue_key()),
        role: RoleFacts {
            role: Fact::Present(RoleDetails {
                arn: format!("arn:aws:iam::{ACCOUNT}:role/role"),
                trust_policy: trust_policy(),
                ..RoleDetails::default()
            }),
            policies: Fact::Present(vec![policy(&[
                json!({ "Effect": "Allow", "Action": "sqs:*", "Resource": QUEUE }),
                json!({ "Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY }),
                json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/AWSLogs/*" }),
            ])]),
            boundary: Fact::Absent,
        },
        log_keys: Vec::new(),
        traffic: Fact::Present(TrafficFacts::default()),
    }
}

fn evaluate(facts: &PipelineFacts) -> PipelineHealth {
    PipelineHealth::new(vec![
        trail::trail(facts),
        bucket::bucket_policy(facts),
        bucket::notification(facts),
        topic::topic_policy(facts),
        topic::subscription(facts),
        queue::queue_policy(facts),
        queue::queue_key(facts),
        queue::queue(facts),
        queue::dead_letter_queue(facts),
        role::role_trust(facts, &trust()),
        role::role_permissions(facts),
        bucket::log_key(facts),
        harvest::harvest(facts),
    ])
}

/// Returns the IDs of the broken hops after a change of the facts.
fn broken(change: impl FnOnce(&mut PipelineFacts)) -> Vec<&'static str> {
    let mut facts = bucket_facts();
    change(&mut facts);
    let health = evaluate(&facts);
    let broken = health
        .hops
        .iter()
        .filter(|hop| hop.status == HopStatus::Broken);
    broken.map(|hop| hop.id.as_str()).collect()
}

/// Returns the IDs of the unknown hops before the harvest, after a change of the facts.
fn unknown(change: impl FnOnce(&mut PipelineFacts)) -> Vec<&'static str> {
    let mut facts = bucket_facts();
    change(&mut facts);
    let health = evaluate(&facts);
    assert!(health.is_healthy(), "{:?}", health.cause());
    let unknown = health
        .hops
        .iter()
        .filter(|hop| hop.status == HopStatus::Unknown && hop.id != HopId::Harvest);
    unknown.map(|hop| hop.id.as_str()).collect()
}

fn refusal() -> Error {
    Error::failed("read", "not authorized").with_code(Some("AccessDenied".into()), None)
}

#[test]
fn working_deployment_has_no_broken_hop() {
    let health = evaluate(&bucket_facts());
    let not_ok: Vec<&Hop> = health
        .hops
        .iter()
        .filter(|hop| hop.status != HopStatus::Ok)
        .collect();
    assert_eq!(not_ok.len(), 1, "{not_ok:?}");
    assert_eq!(not_ok[0].id, HopId::Harvest);
    assert_eq!(not_ok[0].status, HopStatus::Unknown);
    assert!(health.is_healthy());
}

#[test]
fn harvest_after_a_broken_hop_is_not_reached() {
    let mut facts = bucket_facts();
    facts.subscription = Fact::Absent;
    let health = evaluate(&facts);
    assert_eq!(health.cause().map(|hop| hop.id), Some(HopId::Subscription));
    let last = health.hops.last().expect("the harvest");
    assert_eq!(last.status, HopStatus::NotReached);
}

#[test]
fn states_of_the_trail() {
    assert_eq!(broken(|facts| facts.trail = Fact::Absent)[0], "trail");
    let status = |change: fn(&mut TrailStatus)| {
        broken(move |facts| change(facts.trail_status.present_mut().expect("a status")))
    };
    assert_eq!(status(|status| status.logging = false), ["trail"]);
    assert_eq!(
        status(|status| status.to_bucket.error = Some("AccessDenied".into())),
        ["trail"]
    );
    assert_eq!(
        status(|status| status.to_bucket.at = Some(SystemTime::UNIX_EPOCH)),
        ["trail"]
    );
    assert_eq!(
        status(|status| {
            status.to_bucket.at = None;
            status.started = Some(SystemTime::UNIX_EPOCH);
        }),
        ["trail"]
    );
    assert_eq!(
        status(|status| status.to_bucket.at = None),
        Vec::<&str>::new()
    );
    assert_eq!(
        unknown(|facts| facts.trail_status = Fact::Failed(refusal())),
        ["trail"]
    );
}

#[test]
fn states_of_the_notification() {
    assert_eq!(
        broken(|facts| facts.notifications = Fact::Present(Vec::new())),
        ["notification"]
    );
    let entry = |change: fn(&mut NotificationEntry)| {
        broken(move |facts| {
            let entries = facts.notifications.present_mut().expect("entries");
            change(&mut entries[0]);
        })
    };
    assert_eq!(
        entry(|entry| entry.prefix = "other/".into()),
        ["notification"]
    );
    assert_eq!(
        entry(|entry| entry.suffix = ".csv".into()),
        ["notification"]
    );
    assert_eq!(
        entry(|entry| entry.events = vec!["s3:ObjectRemoved:*".into()]),
        ["notification"]
    );
    // A deployment with the ID of the organization in its log prefix.
    let narrow = |facts: &mut PipelineFacts| {
        if let Fact::Present(entries) = &mut facts.notifications {
            entries[0].prefix = "AWSLogs/o-1/".into();
        }
        if let PipelineSource::Bucket { log_prefix, .. } = &mut facts.request.source {
            *log_prefix = "AWSLogs/o-1/".into();
        }
    };
    assert_eq!(broken(narrow), Vec::<&str>::new());
    assert_eq!(
        broken(|facts| {
            narrow(facts);
            facts.organization = Fact::Failed(refusal());
        }),
        Vec::<&str>::new()
    );
    assert_eq!(
        unknown(|facts| facts.notifications = Fact::Failed(refusal())),
        ["notification"]
    );
}

#[test]
fn states_of_topic_and_subscription() {
    assert_eq!(broken(|facts| facts.topic = Fact::Absent), ["topic_policy"]);
    let topic = |change: fn(&mut TopicFacts)| {
        broken(move |facts| change(facts.topic.present_mut().expect("a topic")))
    };
    assert_eq!(
        topic(|topic| topic.policy = String::new()),
        ["topic_policy"]
    );
    assert_eq!(
        topic(|topic| topic.key = Some("alias/aws/sns".into())),
        ["topic_policy"]
    );
    let subscription = |change: fn(&mut SubscriptionFacts)| {
        broken(move |facts| change(facts.subscription.present_mut().expect("a subscription")))
    };
    assert_eq!(
        subscription(|found| found.is_pending = true),
        ["subscription"]
    );
    assert_eq!(
        subscription(|found| found.raw_delivery = true),
        ["subscription"]
    );
    assert_eq!(
        subscription(|found| found.filter_policy = Some("{\"a\":[1]}".into())),
        ["subscription"]
    );
    let filter = |prefix: &'static str, scope: &'static str| {
        broken(move |facts| {
            let found = facts.subscription.present_mut().expect("a subscription");
            found.filter_policy = Some(message_filter::policy(prefix).to_string());
            found.filter_scope = scope.into();
        })
    };
    assert!(filter("AWSLogs/", message_filter::MESSAGE_BODY).is_empty());
    assert_eq!(
        filter("other/", message_filter::MESSAGE_BODY),
        ["subscription"]
    );
    assert_eq!(filter("AWSLogs/", "MessageAttributes"), ["subscription"]);
}

#[test]
fn topic_in_another_region_breaks_the_topic_policy() {
    let other = "arn:aws:sns:eu-west-1:111122223333:topic";
    let found = broken(|facts| {
        if let PipelineSource::Bucket { destination, .. } = &mut facts.request.source {
            *destination = BucketDestination::Topic(other.into());
        }
    });
    assert!(found.contains(&"topic_policy"), "{found:?}");
}

#[test]
fn key_hint_has_region_and_every_step() {
    for (state, operations, end) in [
        ("Disabled", &["enable-key"][..], ""),
        (
            "PendingDeletion",
            &["cancel-key-deletion", "enable-key"],
            "",
        ),
        ("PendingImport", &["describe-key"], " shows the reason"),
    ] {
        let mut facts = bucket_facts();
        let key = facts.queue_key.as_mut().expect("a key");
        key.key.present_mut().expect("details").state = state.into();
        let hint = queue::queue_key(&facts).hint.expect("a hint").to_string();
        let commands = operations.iter();
        let commands = commands
            .map(|operation| format!("aws kms {operation} --region us-east-1 --key-id {KEY}"));
        let commands: Vec<String> = commands.collect();
        assert_eq!(hint, commands.join(", then ") + end);
    }
}

#[test]
fn states_of_queue_and_key() {
    let queue = |change: fn(&mut QueueFacts)| {
        broken(move |facts| change(facts.queue.present_mut().expect("a queue")))
    };
    assert_eq!(queue(|queue| queue.policy = None), ["queue_policy"]);
    assert_eq!(queue(|queue| queue.dead_letter_target = None), ["queue"]);
    for (has_sqs_managed_sse, expected) in [(true, &[][..]), (false, &["queue_key"])] {
        let found = broken(move |facts| {
            facts.queue_key = None;
            let queue = facts.queue.present_mut().expect("a queue");
            (queue.key, queue.has_sqs_managed_sse) = (None, has_sqs_managed_sse);
        });
        assert_eq!(found, expected);
    }
    let key = |change: fn(&mut KeyFacts)| {
        broken(move |facts| change(facts.queue_key.as_mut().expect("a key")))
    };
    for state in ["Disabled", "PendingDeletion", "PendingImport"] {
        let found = broken(|facts| {
            let key = facts.queue_key.as_mut().expect("a key");
            key.key.present_mut().expect("details").state = state.into();
        });
        assert_eq!(found, ["queue_key"], "{state}");
    }
    assert_eq!(key(|key| key.key = Fact::Absent), ["queue_key"]);
    assert_eq!(
        key(|key| key.policy = Fact::Present(policy(&[]))),
        ["queue_key"]
    );
    assert_eq!(
        broken(|facts| facts
            .dead_letter_queue
            .present_mut()
            .expect("a queue")
            .visible = 1),
        ["dead_letter_queue"]
    );
}

#[test]
fn states_of_the_role() {
    let with_trust = |document: Value| {
        broken(move |facts| {
            let role = facts.role.role.present_mut().expect("a role");
            role.trust_policy = policy(&[document]);
        })
    };
    let deleted = json!({
        "Effect": "Allow", "Principal": { "AWS": "AROAEXAMPLEEXAMPLE123" }, "Action": "sts:AssumeRole",
    });
    assert_eq!(with_trust(deleted), ["role_trust"]);
    let other_id = json!({
        "Effect": "Allow", "Principal": { "AWS": HEELER }, "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "sts:ExternalId": "another" } },
    });
    assert_eq!(with_trust(other_id), ["role_trust"]);
    assert_eq!(
        broken(|facts| facts.role.policies = Fact::Present(Vec::new())),
        ["role_permissions"]
    );
    assert_eq!(
        broken(|facts| facts.role.boundary = Fact::Present(policy(&[]))),
        ["role_permissions"]
    );
    assert_eq!(
        unknown(|facts| facts.role.policies = Fact::Failed(refusal())),
        ["role_permissions"]
    );
}

#[test]
fn log_key_needs_a_grant() {
    let key = |grants: Vec<&'static str>| {
        broken(move |facts| {
            let mut key = queue_key();
            let grant = crate::inventory::facts::KmsGrantFacts {
                name: None,
                operations: grants.iter().map(|&name| name.to_owned()).collect(),
            };
            key.grants = Fact::Present(vec![grant]);
            // The role's policy already allows decryption with the key of the queue, so the log objects use another
            // key.
            let arn = "arn:aws:kms:us-east-1:111122223333:key/2";
            key.identifier = arn.into();
            key.key.present_mut().expect("details").arn = arn.into();
            facts.log_keys = vec![key];
        })
    };
    assert_eq!(key(vec!["Decrypt"]), Vec::<&str>::new());
    assert_eq!(key(vec!["Encrypt"]), ["log_key"]);
}

/// A key of another account that encrypts the log files.
fn set_log_key_of_other_account(facts: &mut PipelineFacts) {
    let arn = "arn:aws:kms:us-east-1:333344445555:key/2";
    let mut key = queue_key();
    key.identifier = arn.into();
    let details = key.key.present_mut().expect("details");
    details.arn = arn.into();
    details.account = "333344445555".into();
    facts.log_keys = vec![key];
}

#[test]
fn unreadable_key_of_other_account_is_unknown() {
    let unreadable = |facts: &mut PipelineFacts| {
        set_log_key_of_other_account(facts);
        facts.log_keys[0].key = Fact::Failed(refusal());
        facts.log_keys[0].grants = Fact::Failed(refusal());
    };
    assert_eq!(unknown(unreadable), ["log_key"]);
    let mut facts = bucket_facts();
    unreadable(&mut facts);
    let hint = bucket::log_key(&facts).hint.expect("a hint").to_string();
    for command in [
        "kms create-grant --profile PROFILE_OF_333344445555",
        "kms list-grants",
    ] {
        assert!(hint.contains(command), "{hint}");
    }
}

#[test]
fn key_of_other_account_needs_grant_of_owner() {
    let missing = |facts: &mut PipelineFacts| {
        set_log_key_of_other_account(facts);
        facts.log_keys[0].grants = Fact::Present(Vec::new());
    };
    assert_eq!(broken(missing), ["log_key"]);
    let granted = |facts: &mut PipelineFacts| {
        set_log_key_of_other_account(facts);
        facts.log_keys[0].grants = Fact::Present(vec![crate::inventory::facts::KmsGrantFacts {
            name: Some("heeler-ec".into()),
            operations: vec!["Decrypt".into()],
        }]);
    };
    assert_eq!(broken(granted), Vec::<&str>::new());
}

#[test]
fn trail_of_management_account_is_unknown() {
    let in_log_archive = |facts: &mut PipelineFacts| {
        facts.trail = Fact::Absent;
        let organization = facts.organization.present_mut().expect("an organization");
        organization.management_account = "999988887777".into();
    };
    // The bucket policy is evaluated for Heeler, but not for an unknown trail.
    assert_eq!(unknown(in_log_archive), ["trail", "bucket_policy"]);
    // With credentials for the management account, the trail must be visible.
    let with_management = |facts: &mut PipelineFacts| {
        in_log_archive(facts);
        facts.management = Some(crate::aws::CallerIdentity {
            arn: "arn:aws:iam::999988887777:user/reader".into(),
            account: "999988887777".into(),
            partition: "aws".into(),
        });
    };
    assert_eq!(broken(with_management)[0], "trail");
}

#[test]
fn harvest_follows_last_use() {
    let status = |ago: u64| {
        let mut facts = bucket_facts();
        facts.role.role.present_mut().expect("a role").last_used =
            Some(now() - Duration::from_secs(ago));
        harvest::harvest(&facts).status
    };
    assert_eq!(status(3_600), HopStatus::Ok);
    assert_eq!(status(200_000), HopStatus::Broken);
}

/// A deployment that reads from a log group, as far as its function.
pub(crate) fn log_group_facts() -> PipelineFacts {
    let facts = bucket_facts();
    PipelineFacts {
        request: PipelineRequest {
            setup_arguments: "--option cloudwatch",
            source: PipelineSource::LogGroup {
                log_group: "group".into(),
                function: "function".into(),
                function_role: "function_role".into(),
                function_role_arn: format!("arn:aws:iam::{ACCOUNT}:role/function_role"),
            },
            ..facts.request.clone()
        },
        function: Fact::Present(FunctionFacts {
            arn: "arn:aws:lambda:us-east-1:111122223333:function:function".into(),
            role: format!("arn:aws:iam::{ACCOUNT}:role/function_role"),
            state: Some("Active".into()),
            variables: [("QUEUE_URL".to_owned(), "https://sqs/1/queue".to_owned())].into(),
            ..FunctionFacts::default()
        }),
        ..facts
    }
}

#[test]
fn states_of_the_function() {
    let status = |change: fn(&mut FunctionFacts)| {
        let mut facts = log_group_facts();
        change(facts.function.present_mut().expect("a function"));
        function::function(&facts, "QUEUE_URL").status
    };
    assert_eq!(status(|_| {}), HopStatus::Ok);
    assert_eq!(
        status(|found| found.state = Some("Pending".into())),
        HopStatus::Unknown
    );
    for change in [
        |found: &mut FunctionFacts| found.state = Some("Failed".into()),
        |found: &mut FunctionFacts| found.last_update = Some("Failed".into()),
        |found: &mut FunctionFacts| found.reserved_concurrency = Some(0),
        |found: &mut FunctionFacts| found.role = "other".into(),
        |found: &mut FunctionFacts| found.variables.clear(),
    ] {
        assert_eq!(status(change), HopStatus::Broken);
    }
    let mut facts = log_group_facts();
    facts.function = Fact::Absent;
    assert_eq!(
        function::function(&facts, "QUEUE_URL").status,
        HopStatus::Broken
    );
}

/// The harvest with these metrics, the role used some time ago, and this number of messages in the queue.
fn harvest_with(metrics: &[(TrafficMetric, f64)], used_ago: Option<u64>, visible: u64) -> Hop {
    let mut facts = bucket_facts();
    let mut traffic = TrafficFacts::default();
    for (metric, value) in metrics {
        traffic.add(*metric, *value);
    }
    facts.traffic = Fact::Present(traffic);
    facts.role.role.present_mut().expect("a role").last_used =
        used_ago.map(|seconds| now() - Duration::from_secs(seconds));
    facts.queue.present_mut().expect("a queue").visible = visible;
    harvest::harvest(&facts)
}

#[test]
fn harvest_follows_metrics() {
    use TrafficMetric::{QueueDeleted, QueueEmptyReceives, QueueReceived, QueueSent};
    let status = |metrics: &[_], used, visible| harvest_with(metrics, used, visible).status;
    let polling = [(QueueEmptyReceives, 15.0)];
    assert_eq!(status(&polling, None, 0), HopStatus::Ok);
    let working = [(QueueReceived, 3.0), (QueueDeleted, 2.0)];
    assert_eq!(status(&working, None, 1), HopStatus::Ok);
    let stuck = [(QueueReceived, 3.0), (QueueDeleted, 0.0)];
    assert_eq!(status(&stuck, None, 3), HopStatus::Broken);
    // Each item is a data point of one minute.
    let silent = [(QueueSent, 1.0); 10];
    assert_eq!(status(&silent, Some(3_600), 5), HopStatus::Broken);
    assert_eq!(status(&silent, None, 5), HopStatus::Unknown);
    assert_eq!(status(&silent[1..], Some(3_600), 5), HopStatus::Ok);
    assert_eq!(status(&[], Some(3_600), 0), HopStatus::Ok);
}

#[test]
fn failing_function_is_broken() {
    let mut facts = log_group_facts();
    for metric in [
        TrafficMetric::FunctionErrors,
        TrafficMetric::FunctionThrottles,
    ] {
        let mut traffic = TrafficFacts::default();
        traffic.add(TrafficMetric::FunctionInvocations, 5.0);
        traffic.add(metric, 2.0);
        facts.traffic = Fact::Present(traffic);
        let hop = function::function(&facts, "QUEUE_URL");
        assert_eq!(hop.status, HopStatus::Broken, "{metric:?}");
    }
}

#[test]
fn oldest_age_is_a_maximum() {
    let mut traffic = TrafficFacts::default();
    for value in [60.0, 120.0, 30.0] {
        traffic.add(TrafficMetric::QueueOldestAgeSeconds, value);
        traffic.add(TrafficMetric::QueueSent, value);
    }
    assert_eq!(traffic.get(TrafficMetric::QueueOldestAgeSeconds), Some(120));
    assert_eq!(traffic.get(TrafficMetric::QueueSent), Some(210));
}
