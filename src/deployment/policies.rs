//! The policy documents of the pipelines: who may do what, and nothing more.

use serde_json::{Value, json};

use crate::deployment::target::DeploymentTarget;
use crate::iam::{deny_insecure, document};

/// The account keeps its key (AWS's own default, so that nobody is locked out), and the topic may encrypt for the
/// queue. SNS is bound by the topic's ARN alone, as AWS documents it: the ARN holds the account.
pub(crate) fn key_policy_for_topic(site: &DeploymentTarget, topic: &str) -> Value {
    document(vec![
        account_administration_statement(site),
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

/// Nobody but the account: the policies of its roles say who may use the key.
pub(crate) fn key_policy_for_account(site: &DeploymentTarget) -> Value {
    document(vec![account_administration_statement(site)])
}

fn account_administration_statement(site: &DeploymentTarget) -> Value {
    json!({
        "Sid": "AccountAdministration",
        "Effect": "Allow",
        "Principal": { "AWS": account_root_arn(site) },
        "Action": "kms:*",
        "Resource": "*",
    })
}

fn account_root_arn(site: &DeploymentTarget) -> String {
    format!("arn:{}:iam::{}:root", site.partition, site.account)
}

/// The function may send, and nobody without TLS may do anything. The function's role is named in a condition: as the
/// principal it would have to exist already, and turn into a dead id when it is made anew.
pub(crate) fn queue_policy_for_function(site: &DeploymentTarget, queue: &str, role: &str) -> Value {
    document(vec![
        json!({
            "Sid": "AllowCollectorLambdaToSend",
            "Effect": "Allow",
            "Principal": { "AWS": account_root_arn(site) },
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": { "ArnEquals": { "aws:PrincipalArn": role } },
        }),
        deny_insecure("DenyInsecureTransport", "sqs:*", queue),
    ])
}

/// One queue to send to, one key and only through SQS, and the function's own log. It reads no log group: what it
/// gets is pushed to it.
pub(crate) fn function_policy(site: &DeploymentTarget, queue: &str, key: &str) -> Value {
    let log = format!(
        "arn:{}:logs:{}:{}:log-group:/aws/lambda/{}",
        site.partition,
        site.region,
        site.account,
        site.names.function()
    );
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
            "Condition": via_sqs_condition(site),
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

fn via_sqs_condition(site: &DeploymentTarget) -> Value {
    json!({ "StringEquals": { "kms:ViaService": format!("sqs.{}.amazonaws.com", site.region) } })
}

/// The topic may send, and nobody without TLS may do anything.
pub(crate) fn queue_policy_for_topic(queue: &str, topic: &str) -> Value {
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
pub(crate) fn dead_letter_queue_policy(queue: &str) -> Value {
    document(vec![deny_insecure("DenyInsecureTransport", "sqs:*", queue)])
}

/// The bucket may publish. A bucket's ARN holds no account, so the account is named too: a deleted bucket's name
/// can be taken by somebody else.
pub(crate) fn topic_policy_for_bucket(site: &DeploymentTarget, topic: &str) -> Value {
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
pub(crate) fn heeler_policy_with_log_objects(
    site: &DeploymentTarget,
    queue: &str,
    key: &str,
) -> Value {
    let mut statements = queue_access_statements(site, queue, key);
    statements.push(json!({
        "Sid": "ReadTrailLogObjects",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": format!("{}/{}*", site.bucket_arn(), site.log_prefix),
        "Condition": { "StringEquals": { "aws:ResourceAccount": site.account } },
    }));
    document(statements)
}

/// One queue, and one key and only through SQS: the messages are the events.
pub(crate) fn heeler_policy(site: &DeploymentTarget, queue: &str, key: &str) -> Value {
    document(queue_access_statements(site, queue, key))
}

fn queue_access_statements(site: &DeploymentTarget, queue: &str, key: &str) -> Vec<Value> {
    vec![
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
            "Condition": via_sqs_condition(site),
        }),
    ]
}
