//! What restore reads and writes: whole documents, and no other setting.

use super::scope::PolicyScope;
use super::statement::Statement;
use super::{MANAGED_BY_VALUE, RESOURCE_TAG_KEY};

const KEY: &[&str] = &["kms:GetKeyPolicy", "kms:PutKeyPolicy"];
const QUEUES: &[&str] = &[
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:SetQueueAttributes",
];
const ROLE: &[&str] = &["iam:GetRole", "iam:UpdateAssumeRolePolicy"];
const POLICY: &[&str] = &[
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:ListPolicyVersions",
];

/// Of option s3.
pub(super) fn of_bucket(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    let mut all = vec![
        managed_key_restore("RestoreOwnKey", place),
        Statement::new("RestoreQueues", QUEUES, place.queue_arns()),
        Statement::new("RestoreRole", ROLE, [place.role_arn(&names.role())]),
        Statement::new("RestorePolicy", POLICY, [place.policy_arn(&names.policy())]),
    ];
    if place.topic.is_none() {
        all.push(Statement::new(
            "RestoreTopic",
            &["sns:GetTopicAttributes", "sns:SetTopicAttributes"],
            [place.managed_topic_arn()],
        ));
        all.push(
            Statement::new(
                "RestoreBucketNotification",
                &["s3:GetBucketNotification", "s3:PutBucketNotification"],
                [place.bucket_arn()],
            )
            .in_account(&place.account),
        );
    }
    all
}

/// Of option cloudwatch.
pub(super) fn of_log_group(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    let roles = [names.role(), names.function_role()].map(|name| place.role_arn(&name));
    let policies = [names.policy(), names.function_policy()].map(|name| place.policy_arn(&name));
    vec![
        managed_key_restore("RestoreOwnKeyAtLogGroup", place),
        Statement::new("RestoreFifoQueues", QUEUES, place.fifo_queue_arns()),
        Statement::new("RestoreRoles", ROLE, roles),
        Statement::new("RestorePolicies", POLICY, policies),
        Statement::new(
            "RestoreFunction",
            &[
                "lambda:AddPermission",
                "lambda:GetPolicy",
                "lambda:RemovePermission",
            ],
            [place.function_arn()],
        ),
    ]
}

fn managed_key_restore(sid: &'static str, place: &PolicyScope) -> Statement {
    Statement::new(sid, KEY, [place.all_key_arns()]).condition(
        "StringEquals",
        RESOURCE_TAG_KEY,
        [MANAGED_BY_VALUE.to_owned()],
    )
}
