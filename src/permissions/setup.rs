//! What plan reads of the resources of option s3, and what setup writes.

use super::scope::PolicyScope;
use super::statement::Statement;
use super::{MANAGED_BY_VALUE, REQUEST_TAG_KEY, RESOURCE_TAG_KEY};

pub(super) const READ_KEYS: &[&str] = &[
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
];
pub(super) const MANAGE_QUEUES: &[&str] =
    &["sqs:CreateQueue", "sqs:SetQueueAttributes", "sqs:TagQueue"];
pub(super) const MANAGE_ROLES: &[&str] = &[
    "iam:CreateRole",
    "iam:TagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
];
pub(super) const MANAGE_POLICIES: &[&str] = &[
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:ListPolicyVersions",
    "iam:TagPolicy",
];

/// What plan reads besides preflight.
pub(super) fn plan_reads(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    let mut all = vec![
        Statement::for_all_resources("ReadWithoutResource", &["kms:ListAliases", "kms:ListKeys"]),
        // An interrupted run may have left a key without the alias, which only its tags tell.
        Statement::new("ReadKeys", READ_KEYS, [place.all_key_arns()]),
        Statement::new(
            "ReadTopic",
            &["sns:ListSubscriptionsByTopic"],
            [place.managed_topic_arn(), place.topic_arn()],
        ),
        Statement::for_all_resources("ReadSubscriptions", &["sns:GetSubscriptionAttributes"])
            .in_account(&place.account),
        Statement::new(
            "ReadQueues",
            &["sqs:GetQueueAttributes"],
            place.queue_arns(),
        ),
        Statement::new(
            "ReadRole",
            &["iam:ListAttachedRolePolicies"],
            [place.role_arn(&names.role())],
        ),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicyVersion"],
            [place.policy_arn(&names.policy())],
        ),
    ];
    if !place.bucket_keys.is_empty() {
        all.push(Statement::new(
            "ReadGrants",
            &["kms:ListGrants"],
            place.bucket_key_arns(),
        ));
    }
    all
}

/// What setup does besides plan.
pub(super) fn setup_writes(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    let mut all = key_writes(place);
    all.extend([
        Statement::new(
            "SubscribeOwnQueueOnly",
            &["sns:Subscribe"],
            [place.topic_arn()],
        )
        .condition("StringEquals", "sns:Protocol", ["sqs".to_owned()])
        .condition(
            "StringEquals",
            "sns:Endpoint",
            [place.queue_arn(&names.queue())],
        ),
        Statement::for_all_resources("ChangeSubscriptions", &["sns:SetSubscriptionAttributes"])
            .in_account(&place.account),
        Statement::new("ManageQueues", MANAGE_QUEUES, place.queue_arns()),
        Statement::new("ManageRole", MANAGE_ROLES, [place.role_arn(&names.role())]),
        Statement::new(
            "AttachOwnPolicyOnly",
            &["iam:AttachRolePolicy"],
            [place.role_arn(&names.role())],
        )
        .condition(
            "ArnEquals",
            "iam:PolicyARN",
            [place.policy_arn(&names.policy())],
        ),
        Statement::new(
            "ManagePolicy",
            MANAGE_POLICIES,
            [place.policy_arn(&names.policy())],
        ),
    ]);
    if place.topic.is_none() {
        all.push(Statement::new(
            "ManageTopic",
            &[
                "sns:CreateTopic",
                "sns:SetTopicAttributes",
                "sns:TagResource",
            ],
            [place.managed_topic_arn()],
        ));
        all.push(
            Statement::new(
                "ChangeBucketNotification",
                &["s3:PutBucketNotification"],
                [place.bucket_arn()],
            )
            .in_account(&place.account),
        );
    }
    if !place.bucket_keys.is_empty() {
        all.extend(grant_writes(place, place.bucket_key_arns()));
    }
    all
}

/// A new key has no name to be permitted by, so its tags have to do. An alias is asked for on itself and on its key.
pub(super) fn key_writes(place: &PolicyScope) -> Vec<Statement> {
    vec![
        Statement::for_all_resources("CreateKey", &["kms:CreateKey"]).condition(
            "StringEquals",
            REQUEST_TAG_KEY,
            [MANAGED_BY_VALUE.to_owned()],
        ),
        Statement::new("TagNewKey", &["kms:TagResource"], [place.all_key_arns()]).condition(
            "StringEquals",
            REQUEST_TAG_KEY,
            [MANAGED_BY_VALUE.to_owned()],
        ),
        Statement::new(
            "ManageOwnKey",
            &[
                "kms:CreateAlias",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:PutKeyPolicy",
                // Of two runs at once one takes its key back.
                "kms:ScheduleKeyDeletion",
                "kms:UpdateAlias",
                "kms:UpdateKeyDescription",
            ],
            [place.all_key_arns()],
        )
        .condition(
            "StringEquals",
            RESOURCE_TAG_KEY,
            [MANAGED_BY_VALUE.to_owned()],
        ),
        Statement::new(
            "ManageOwnAlias",
            &["kms:CreateAlias", "kms:UpdateAlias"],
            [place.alias_arn()],
        ),
    ]
}

/// To decrypt, to our role, and nothing else. An empty list of operations would pass `ForAllValues`.
fn grant_writes(place: &PolicyScope, keys: Vec<String>) -> [Statement; 2] {
    [
        Statement::new("GrantDecryptToRoleOnly", &["kms:CreateGrant"], keys.clone())
            .condition(
                "StringEquals",
                "kms:GranteePrincipal",
                [place.role_arn(&place.names.role())],
            )
            .condition(
                "ForAllValues:StringEquals",
                "kms:GrantOperations",
                ["Decrypt".to_owned()],
            )
            .condition("Null", "kms:GrantOperations", ["false".to_owned()]),
        Statement::new("ReplaceOwnGrant", &["kms:RevokeGrant"], keys),
    ]
}
