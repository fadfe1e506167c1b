//! The policy documents of the pipelines: who may do what, and nothing more.

use serde_json::{Value, json};

use super::site::Site;
use crate::policy::{deny_insecure, document};

/// The account keeps its key (AWS's own default, so that nobody is locked out), and the topic may encrypt for the
/// queue. SNS is bound by the topic's ARN alone, as AWS documents it: the ARN holds the account.
pub(super) fn key_for_topic(site: &Site, topic: &str) -> Value {
    document(vec![
        json!({
            "Sid": "AccountAdministration",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{}:iam::{}:root", site.partition, site.account) },
            "Action": "kms:*",
            "Resource": "*",
        }),
        json!({
            "Sid": "AllowTopicToEncryptForQueue",
            "Effect": "Allow",
            "Principal": { "Service": "sns.amazonaws.com" },
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
        }),
    ])
}

/// The topic may send, and nobody without TLS may do anything.
pub(super) fn queue_for_topic(queue: &str, topic: &str) -> Value {
    document(vec![
        json!({
            "Sid": "AllowTopicToSend",
            "Effect": "Allow",
            "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
        }),
        deny_insecure("DenyInsecureTransport", "sqs:*", queue),
    ])
}

/// SQS moves messages to a dead letter queue without any policy.
pub(super) fn dead_letter_queue(queue: &str) -> Value {
    document(vec![deny_insecure("DenyInsecureTransport", "sqs:*", queue)])
}

/// The bucket may publish. A bucket's ARN holds no account, so the account is named too: a deleted bucket's name
/// can be taken by somebody else.
pub(super) fn topic_for_bucket(site: &Site, topic: &str) -> Value {
    document(vec![
        json!({
            "Sid": "AllowTrailBucketToPublish",
            "Effect": "Allow",
            "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "ArnEquals": { "aws:SourceArn": site.bucket_arn() },
                "StringEquals": { "aws:SourceAccount": site.account },
            },
        }),
        deny_insecure("DenyInsecurePublish", "sns:Publish", topic),
    ])
}

/// One queue, one key and only through SQS, and the log objects while the bucket belongs to the account.
pub(super) fn harvest_from_bucket(site: &Site, queue: &str, key: &str) -> Value {
    document(vec![
        json!({
            "Sid": "HarvestQueue",
            "Effect": "Allow",
            "Action": [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
            ],
            "Resource": queue,
        }),
        json!({
            "Sid": "DecryptQueueMessages",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key,
            "Condition": {
                "StringEquals": { "kms:ViaService": format!("sqs.{}.amazonaws.com", site.region) },
            },
        }),
        json!({
            "Sid": "ReadTrailLogObjects",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": format!("{}/{}*", site.bucket_arn(), site.log_prefix),
            "Condition": { "StringEquals": { "aws:ResourceAccount": site.account } },
        }),
    ])
}
