//! Resource and IAM policies that all options share.

use serde_json::{Value, json};

use super::scope::DeploymentScope;
use crate::iam::{deny_insecure, document};

/// The statement by which the account administers its key: AWS's default, without which a key can become
/// unmanageable.
pub(crate) fn account_administration_statement(scope: &DeploymentScope) -> Value {
    json!({
        "Sid": "AccountAdministration",
        "Effect": "Allow",
        "Principal": { "AWS": scope.account_root_arn() },
        "Action": "kms:*",
        "Resource": "*",
    })
}

/// The policy of a dead-letter queue. SQS moves messages there without a permission.
pub(crate) fn dead_letter_queue_policy(queue: &str) -> Value {
    document(vec![deny_insecure_queue_access(queue)])
}

/// The statement that denies access to a queue without TLS.
pub(crate) fn deny_insecure_queue_access(queue: &str) -> Value {
    deny_insecure("DenyInsecureTransport", "sqs:*", queue)
}

/// Statements that let Heeler receive from one queue, and decrypt with one key through SQS only.
pub(crate) fn queue_access_statements(
    scope: &DeploymentScope,
    queue: &str,
    key: &str,
) -> Vec<Value> {
    vec![queue_statement(queue), key_decryption_statement(scope, key)]
}

/// The statement that lets the role receive from one queue.
pub(crate) fn queue_statement(queue: &str) -> Value {
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
    })
}

/// The statement that lets the role decrypt messages with one key, through SQS only.
pub(crate) fn key_decryption_statement(scope: &DeploymentScope, key: &str) -> Value {
    json!({
        "Sid": "DecryptQueueMessages",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": key,
        "Condition": via_sqs_condition(scope),
    })
}

/// The condition that a key is used through SQS in the deployment's region.
pub(crate) fn via_sqs_condition(scope: &DeploymentScope) -> Value {
    json!({ "StringEquals": { "kms:ViaService": format!("sqs.{}.amazonaws.com", scope.region) } })
}
