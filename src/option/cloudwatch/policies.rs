//! Policies of option cloudwatch.

use serde_json::{Value, json};

use super::target::CloudWatchTarget;
use crate::deployment::policies::{
    account_administration_statement, deny_insecure_queue_access, queue_access_statements,
    via_sqs_condition,
};
use crate::iam::document;

/// The policy of the key: the account administers it, and the policies of its roles permit its use.
pub(super) fn key_policy(target: &CloudWatchTarget) -> Value {
    document(vec![account_administration_statement(&target.scope)])
}

/// The policy of the queue: the function may send, and nothing is allowed without TLS. The function's role is a
/// condition rather than the principal: a principal must exist already, and becomes a unique ID when it is deleted.
pub(super) fn queue_policy(target: &CloudWatchTarget, queue: &str, function_role: &str) -> Value {
    document(vec![
        json!({
            "Sid": "AllowCollectorLambdaToSend",
            "Effect": "Allow",
            "Principal": { "AWS": target.scope.account_root_arn() },
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": { "ArnEquals": { "aws:PrincipalArn": function_role } },
        }),
        deny_insecure_queue_access(queue),
    ])
}

/// The policy of the function's role: it sends to the queue, encrypts through SQS, and writes its own log. It reads no
/// log group, since CloudWatch Logs invokes the function with the events.
pub(super) fn function_policy(target: &CloudWatchTarget, queue: &str, key: &str) -> Value {
    let scope = &target.scope;
    let log = scope.log_group_arn(&format!("/aws/lambda/{}", scope.names.function()));
    document(vec![
        json!({
            "Sid": "SendToQueue",
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": queue,
        }),
        json!({
            "Sid": "EncryptQueueMessages",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key,
            "Condition": via_sqs_condition(scope),
        }),
        json!({
            "Sid": "CreateOwnLogGroup",
            "Effect": "Allow",
            "Action": "logs:CreateLogGroup",
            "Resource": [log, format!("{log}:*")],
        }),
        json!({
            "Sid": "WriteOwnLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": format!("{log}:log-stream:*"),
        }),
    ])
}

/// The policy of the role: the queue and its key. Messages contain the events themselves.
pub(super) fn heeler_policy(target: &CloudWatchTarget, queue: &str, key: &str) -> Value {
    document(queue_access_statements(&target.scope, queue, key))
}
