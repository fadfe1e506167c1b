//! Policies of option s3-direct.

use serde_json::{Value, json};

use super::target::DirectTarget;
use crate::deployment::policies::{
    account_administration_statement, deny_insecure_queue_access, key_decryption_statement,
    queue_statement,
};
use crate::iam::document;
use crate::option::bucket_keys::decryption_statement;

/// The policy of the key of the queue: the account administers it, and S3 encrypts events for the queue. AWS documents
/// the statement for S3 without a condition; the policy of the queue restricts who may send.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html>.
pub(super) fn key_policy(target: &DirectTarget) -> Value {
    document(vec![
        account_administration_statement(&target.scope),
        json!({
            "Sid": "AllowBucketToEncryptForQueue",
            "Effect": "Allow",
            "Principal": { "Service": "s3.amazonaws.com" },
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
        }),
    ])
}

/// The policy of the queue: the bucket may send, and nothing is allowed without TLS. A bucket's ARN contains no account,
/// and the name of a deleted bucket can be registered by another account, so the account is a condition too.
pub(super) fn queue_policy(target: &DirectTarget, queue: &str) -> Value {
    document(vec![
        json!({
            "Sid": "AllowBucketToSend",
            "Effect": "Allow",
            "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {
                "ArnEquals": { "aws:SourceArn": target.scope.bucket_arn(&target.bucket) },
                "StringEquals": { "aws:SourceAccount": target.scope.account },
            },
        }),
        deny_insecure_queue_access(queue),
    ])
}

/// The policy of the role: the queue, its key if it has one, and the announced objects while the bucket belongs to the
/// account.
pub(super) fn vendor_policy(target: &DirectTarget, queue: &str, key: Option<&str>) -> Value {
    let scope = &target.scope;
    let mut statements = vec![queue_statement(queue)];
    statements.extend(key.map(|key| key_decryption_statement(scope, key)));
    statements.push(json!({
        "Sid": "ReadObjects",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": format!(
            "{}/{}*{}",
            scope.bucket_arn(&target.bucket),
            literal(&target.prefix),
            literal(&target.suffix)
        ),
        "Condition": { "StringEquals": { "aws:ResourceAccount": scope.account } },
    }));
    statements.extend(decryption_statement(scope, &target.grant_requests()));
    document(statements)
}

/// A part of an object key in which no character is a wildcard or starts a policy variable.
fn literal(key_part: &str) -> String {
    let mut text = String::new();
    for character in key_part.chars() {
        match character {
            '*' | '?' | '$' => {
                text.push_str("${");
                text.push(character);
                text.push('}');
            }
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_object_keys_are_literal() {
        assert_eq!(literal("a*b?c$/"), "a${*}b${?}c${$}/");
        assert_eq!(literal("AWSLogs/"), "AWSLogs/");
    }
}
