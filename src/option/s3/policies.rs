//! Policies of option s3.

use serde_json::{Value, json};

use super::target::S3Target;
use crate::deployment::policies::{
    account_administration_statement, deny_insecure_queue_access, queue_access_statements,
};
use crate::iam::{deny_insecure, document};
use crate::option::bucket_keys::decryption_statement;
use crate::shared_document::queue_policy::TOPIC_SID;

/// The policy of the key: the account administers it, and the topic encrypts messages for the queue. The topic's ARN,
/// which contains the account, is the only condition, as AWS documents it.
pub(super) fn key_policy(target: &S3Target, topic: &str) -> Value {
    document(vec![
        account_administration_statement(&target.scope),
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

/// The policy of the queue: the topic may send, and nothing is allowed without TLS.
pub(super) fn queue_policy(queue: &str, topic: &str) -> Value {
    document(vec![
        json!({
            "Sid": TOPIC_SID,
            "Effect": "Allow",
            "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": { "ArnEquals": { "aws:SourceArn": topic } },
        }),
        deny_insecure_queue_access(queue),
    ])
}

/// The policy of the managed topic: the bucket may publish. A bucket's ARN contains no account, and the name of a
/// deleted bucket can be registered by another account, so the account is a condition too.
pub(super) fn topic_policy(target: &S3Target, topic: &str) -> Value {
    document(vec![
        json!({
            "Sid": "AllowTrailBucketToPublish",
            "Effect": "Allow",
            "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "ArnEquals": { "aws:SourceArn": target.scope.bucket_arn(&target.bucket) },
                "StringEquals": { "aws:SourceAccount": target.scope.account },
            },
        }),
        deny_insecure("DenyInsecurePublish", "sns:Publish", topic),
    ])
}

/// The policy of the role: the queue, its key, the log objects while the bucket belongs to the account, and their keys in
/// other accounts.
pub(super) fn heeler_policy(target: &S3Target, queue: &str, key: &str) -> Value {
    let scope = &target.scope;
    let mut statements = queue_access_statements(scope, queue, key);
    statements.push(json!({
        "Sid": "ReadTrailLogObjects",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": format!("{}/{}*", scope.bucket_arn(&target.bucket), target.log_prefix),
        "Condition": { "StringEquals": { "aws:ResourceAccount": scope.account } },
    }));
    statements.extend(decryption_statement(scope, &target.grant_requests()));
    document(statements)
}
