//! The attributes of all resources after setup of option s3.

use crate::commands::{on_both_engines, setup_with};
use aws_sdk_kms::types::GrantOperation;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use std::collections::HashMap;
use testkit::{Engine, Organization};

const ROLE: &str = "heeler_event_collection_sqs_role";

/// An organization after its first setup.
async fn after_setup(engine: Engine) -> Organization {
    let org = Organization::on(engine).bucket_key().build().await;
    setup_with(&org, "id-of-the-setup")
        .run()
        .await
        .expect_status(0);
    org
}

fn arn(org: &Organization, service: &str, name: &str) -> String {
    format!(
        "arn:aws:{service}:{}:{}:heeler_event_collection_{name}",
        org.region(),
        org.account()
    )
}

fn policy_arn(org: &Organization) -> String {
    format!(
        "arn:aws:iam::{}:policy/heeler_event_collection_sqs_policy",
        org.account()
    )
}

/// Parses a document of IAM, which is percent-encoded.
fn parse_document(text: &str) -> Value {
    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&text).expect("a policy document")
}

async fn queue_url(org: &Organization, name: &str) -> String {
    let name = format!("heeler_event_collection_{name}");
    let found = org
        .clients()
        .sqs
        .get_queue_url()
        .queue_name(name)
        .send()
        .await;
    found.expect("a queue").queue_url.expect("its URL")
}

async fn queue_attributes(org: &Organization, name: &str) -> HashMap<QueueAttributeName, String> {
    let read = org
        .clients()
        .sqs
        .get_queue_attributes()
        .queue_url(queue_url(org, name).await);
    let read = read.attribute_names(QueueAttributeName::All).send().await;
    read.expect("a queue's attributes")
        .attributes
        .expect("attributes")
}

async fn key_arn(org: &Organization) -> String {
    let key = org
        .clients()
        .kms
        .describe_key()
        .key_id("alias/heeler_kms_key_sqs");
    let key = key
        .send()
        .await
        .expect("the key behind the alias")
        .key_metadata;
    key.and_then(|key| key.arn).expect("its ARN")
}

on_both_engines! {
    async fn queue_has_reference_attributes(engine: Engine) {
        let org = after_setup(engine).await;
        let queue = queue_attributes(&org, "queue").await;
        let key = key_arn(&org).await;
        let wanted = [
            (QueueAttributeName::MessageRetentionPeriod, "7200"),
            (QueueAttributeName::ReceiveMessageWaitTimeSeconds, "10"),
            (QueueAttributeName::VisibilityTimeout, "30"),
            (QueueAttributeName::MaximumMessageSize, "262144"),
            (QueueAttributeName::KmsDataKeyReusePeriodSeconds, "300"),
            (QueueAttributeName::KmsMasterKeyId, &*key),
        ];
        for (name, value) in wanted {
            assert_eq!(queue[&name], value, "{name}");
        }
        let redrive = parse_document(&queue[&QueueAttributeName::RedrivePolicy]);
        let dead = arn(&org, "sqs", "queue_dlq");
        assert_eq!(redrive, json!({"deadLetterTargetArn": dead, "maxReceiveCount": 4}));
    }

    async fn dead_letter_queue_accepts_one_source(engine: Engine) {
        let org = after_setup(engine).await;
        let dead = queue_attributes(&org, "queue_dlq").await;
        assert_eq!(dead[&QueueAttributeName::MessageRetentionPeriod], "345600");
        assert_eq!(dead[&QueueAttributeName::KmsMasterKeyId], key_arn(&org).await);
        let sources = [arn(&org, "sqs", "queue")];
        assert_eq!(
            parse_document(&dead[&QueueAttributeName::RedriveAllowPolicy]),
            json!({"redrivePermission": "byQueue", "sourceQueueArns": sources})
        );
        assert_eq!(
            parse_document(&dead[&QueueAttributeName::Policy]),
            json!({"Version": "2012-10-17", "Statement": [
                deny_insecure_transport("DenyInsecureTransport", "sqs:*", &arn(&org, "sqs", "queue_dlq"))
            ]})
        );
    }

    async fn only_topic_may_send_to_queue(engine: Engine) {
        let org = after_setup(engine).await;
        let queue = queue_attributes(&org, "queue").await;
        let own = arn(&org, "sqs", "queue");
        assert_eq!(
            parse_document(&queue[&QueueAttributeName::Policy]),
            json!({"Version": "2012-10-17", "Statement": [
                {
                    "Sid": "AllowTopicToSend",
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": own,
                    "Condition": {"ArnEquals": {"aws:SourceArn": arn(&org, "sns", "topic")}}
                },
                deny_insecure_transport("DenyInsecureTransport", "sqs:*", &own)
            ]})
        );
    }

    async fn only_trail_bucket_may_publish(engine: Engine) {
        let org = after_setup(engine).await;
        let topic = arn(&org, "sns", "topic");
        let read = org.clients().sns.get_topic_attributes().topic_arn(&topic).send().await;
        let attributes = read.expect("a topic's attributes").attributes.expect("attributes");
        assert_eq!(
            parse_document(&attributes["Policy"]),
            json!({"Version": "2012-10-17", "Statement": [
                {
                    "Sid": "AllowTrailBucketToPublish",
                    "Effect": "Allow",
                    "Principal": {"Service": "s3.amazonaws.com"},
                    "Action": "sns:Publish",
                    "Resource": topic,
                    "Condition": {
                        "ArnEquals": {"aws:SourceArn": format!("arn:aws:s3:::{}", org.bucket())},
                        "StringEquals": {"aws:SourceAccount": org.account()}
                    }
                },
                deny_insecure_transport("DenyInsecurePublish", "sns:Publish", &topic)
            ]})
        );
    }

    async fn key_rotates_and_topic_may_use_it(engine: Engine) {
        let org = after_setup(engine).await;
        let (kms, key) = (&org.clients().kms, key_arn(&org).await);
        let rotation = kms.get_key_rotation_status().key_id(&key).send().await;
        assert!(rotation.expect("the key's rotation").key_rotation_enabled());
        let policy = kms.get_key_policy().key_id(&key).policy_name("default").send().await;
        let policy = policy.expect("the key's policy").policy.expect("a policy");
        assert_eq!(
            parse_document(&policy),
            json!({"Version": "2012-10-17", "Statement": [
                {
                    "Sid": "AccountAdministration",
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{}:root", org.account())},
                    "Action": "kms:*",
                    "Resource": "*"
                },
                {
                    "Sid": "AllowTopicToEncryptForQueue",
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                    "Resource": "*",
                    "Condition": {"ArnEquals": {"aws:SourceArn": arn(&org, "sns", "topic")}}
                }
            ]})
        );
    }

    async fn role_requires_heeler_and_external_id(engine: Engine) {
        let org = after_setup(engine).await;
        let role = org.clients().iam.get_role().role_name(ROLE).send().await;
        let role = role.expect("the role").role.expect("a role");
        assert_eq!(
            parse_document(role.assume_role_policy_document().expect("a trust policy")),
            json!({"Version": "2012-10-17", "Statement": [{
                "Sid": "HeelerAssumeRole",
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": {"AWS": [org.heeler_role_arn()]},
                "Condition": {"StringEquals": {"sts:ExternalId": "id-of-the-setup"}}
            }]})
        );
    }

    async fn role_policy_allows_harvesting_only(engine: Engine) {
        let org = after_setup(engine).await;
        let iam = &org.clients().iam;
        let attached = iam.list_attached_role_policies().role_name(ROLE).send().await;
        let attached = attached.expect("the role's policies").attached_policies.unwrap_or_default();
        let attached: Vec<_> = attached.into_iter().filter_map(|found| found.policy_arn).collect();
        assert_eq!(attached, [policy_arn(&org)]);
        let version = iam.get_policy_version().policy_arn(policy_arn(&org)).version_id("v1");
        let version = version.send().await.expect("the policy").policy_version.expect("a version");
        assert_eq!(
            parse_document(version.document().expect("a document")),
            json!({"Version": "2012-10-17", "Statement": [
                {
                    "Sid": "HarvestQueue",
                    "Effect": "Allow",
                    "Action": [
                        "sqs:ReceiveMessage",
                        "sqs:DeleteMessage",
                        "sqs:ChangeMessageVisibility",
                        "sqs:GetQueueAttributes",
                        "sqs:GetQueueUrl"
                    ],
                    "Resource": arn(&org, "sqs", "queue")
                },
                {
                    "Sid": "DecryptQueueMessages",
                    "Effect": "Allow",
                    "Action": "kms:Decrypt",
                    "Resource": key_arn(&org).await,
                    "Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}
                },
                {
                    "Sid": "ReadTrailLogObjects",
                    "Effect": "Allow",
                    "Action": "s3:GetObject",
                    "Resource": format!("arn:aws:s3:::{}/AWSLogs/{}/*", org.bucket(), org.organization_id()),
                    "Condition": {"StringEquals": {"aws:ResourceAccount": org.account()}}
                }
            ]})
        );
    }

    async fn grant_allows_decrypt_with_bucket_key(engine: Engine) {
        let org = after_setup(engine).await;
        let key = org.bucket_key().expect("a key");
        let grants = org.clients().kms.list_grants().key_id(key).send().await;
        let grants = grants.expect("the key's grants").grants.unwrap_or_default();
        let [grant] = grants.as_slice() else { panic!("{grants:?}") };
        assert_eq!(grant.name(), Some("heeler_event_collection_grant"));
        assert_eq!(grant.operations(), [GrantOperation::Decrypt]);
        let role = format!("arn:aws:iam::{}:role/{ROLE}", org.account());
        assert_eq!(grant.grantee_principal(), Some(&*role));
    }

    async fn subscription_keeps_sns_envelope(engine: Engine) {
        let org = after_setup(engine).await;
        let sns = &org.clients().sns;
        let listed = sns.list_subscriptions_by_topic().topic_arn(arn(&org, "sns", "topic"));
        let listed = listed.send().await.expect("subscriptions").subscriptions.unwrap_or_default();
        let [subscription] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!(subscription.endpoint(), Some(&*arn(&org, "sqs", "queue")));
        let read = sns.get_subscription_attributes();
        let read = read.set_subscription_arn(subscription.subscription_arn.clone()).send().await;
        let attributes = read.expect("a subscription's attributes").attributes.expect("attributes");
        let raw = attributes.get("RawMessageDelivery").map_or("false", String::as_str);
        assert_eq!(raw.to_lowercase(), "false");
    }

    async fn all_taggable_resources_are_tagged(engine: Engine) {
        let org = after_setup(engine).await;
        let clients = org.clients();
        let mut tags = Vec::new();
        for name in ["queue", "queue_dlq"] {
            let url = queue_url(&org, name).await;
            let found = clients.sqs.list_queue_tags().queue_url(url).send().await.expect("tags");
            tags.push((name, found.tags.unwrap_or_default()));
        }
        let topic = clients.sns.list_tags_for_resource();
        let topic = topic.resource_arn(arn(&org, "sns", "topic")).send().await.expect("tags");
        let topic = topic.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        tags.push(("topic", topic));
        let key = clients.kms.list_resource_tags().key_id(key_arn(&org).await);
        let key = key.send().await.expect("tags");
        let key = key.tags().iter().map(|tag| (tag.tag_key.clone(), tag.tag_value.clone()));
        tags.push(("key", key.collect()));
        let role = clients.iam.list_role_tags().role_name(ROLE).send().await.expect("tags");
        let role = role.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        tags.push(("role", role));
        let policy = clients.iam.list_policy_tags().policy_arn(policy_arn(&org));
        let policy = policy.send().await.expect("tags");
        let policy = policy.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone()));
        tags.push(("policy", policy.collect()));
        for (what, tags) in tags {
            let wanted = [
                ("managed-by", "heeler-ec"),
                ("heeler-ec:option", "s3"),
                ("heeler-ec:version", env!("CARGO_PKG_VERSION")),
            ];
            for (key, value) in wanted {
                assert_eq!(tags.get(key).map(String::as_str), Some(value), "{key} of {what}");
            }
        }
    }
}

/// A statement that denies an action without TLS.
fn deny_insecure_transport(sid: &str, action: &str, resource: &str) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    })
}
