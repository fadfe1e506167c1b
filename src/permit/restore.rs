//! What restore reads and writes: whole documents, and no other setting.

use super::place::Place;
use super::statement::Statement;
use super::{OWN, OWN_TAG_OF_RESOURCE};

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
pub(super) fn of_bucket(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    let mut all = vec![
        own_key("RestoreOwnKey", place),
        Statement::new("RestoreQueues", QUEUES, place.queues()),
        Statement::new("RestoreRole", ROLE, [place.role(&names.role())]),
        Statement::new("RestorePolicy", POLICY, [place.policy(&names.policy())]),
    ];
    if place.topic.is_none() {
        all.push(Statement::new(
            "RestoreTopic",
            &["sns:GetTopicAttributes", "sns:SetTopicAttributes"],
            [place.own_topic()],
        ));
        all.push(
            Statement::new(
                "RestoreBucketNotification",
                &["s3:GetBucketNotification", "s3:PutBucketNotification"],
                [place.bucket()],
            )
            .of_account(&place.account),
        );
    }
    all
}

/// Of option cloudwatch.
pub(super) fn of_log_group(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    let roles = [names.role(), names.function_role()].map(|name| place.role(&name));
    let policies = [names.policy(), names.function_policy()].map(|name| place.policy(&name));
    vec![
        own_key("RestoreOwnKeyAtLogGroup", place),
        Statement::new("RestoreFifoQueues", QUEUES, place.fifo_queues()),
        Statement::new("RestoreRoles", ROLE, roles),
        Statement::new("RestorePolicies", POLICY, policies),
        Statement::new(
            "RestoreFunction",
            &[
                "lambda:AddPermission",
                "lambda:GetPolicy",
                "lambda:RemovePermission",
            ],
            [place.function()],
        ),
    ]
}

fn own_key(sid: &'static str, place: &Place) -> Statement {
    Statement::new(sid, KEY, [place.keys()]).when(
        "StringEquals",
        OWN_TAG_OF_RESOURCE,
        [OWN.to_owned()],
    )
}
