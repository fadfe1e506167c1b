//! What plan reads of the resources of option s3, and what setup writes.

use super::place::Place;
use super::statement::Statement;
use super::{OWN, OWN_TAG_OF_REQUEST, OWN_TAG_OF_RESOURCE};

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
pub(super) fn reads(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    let mut all = vec![
        Statement::anywhere("ReadWithoutResource", &["kms:ListAliases", "kms:ListKeys"]),
        // An interrupted run may have left a key without the alias, which only its tags tell.
        Statement::new("ReadKeys", READ_KEYS, [place.keys()]),
        Statement::new(
            "ReadTopic",
            &["sns:ListSubscriptionsByTopic"],
            [place.own_topic(), place.topic()],
        ),
        Statement::anywhere("ReadSubscriptions", &["sns:GetSubscriptionAttributes"])
            .of_account(&place.account),
        Statement::new("ReadQueues", &["sqs:GetQueueAttributes"], place.queues()),
        Statement::new(
            "ReadRole",
            &["iam:ListAttachedRolePolicies"],
            [place.role(&names.role())],
        ),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicyVersion"],
            [place.policy(&names.policy())],
        ),
    ];
    if !place.bucket_keys.is_empty() {
        all.push(Statement::new(
            "ReadGrants",
            &["kms:ListGrants"],
            place.keys_of_bucket(),
        ));
    }
    all
}

/// What setup does besides plan.
pub(super) fn writes(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    let mut all = key(place);
    all.extend([
        Statement::new("SubscribeOwnQueueOnly", &["sns:Subscribe"], [place.topic()])
            .when("StringEquals", "sns:Protocol", ["sqs".to_owned()])
            .when(
                "StringEquals",
                "sns:Endpoint",
                [place.queue(&names.queue())],
            ),
        Statement::anywhere("ChangeSubscriptions", &["sns:SetSubscriptionAttributes"])
            .of_account(&place.account),
        Statement::new("ManageQueues", MANAGE_QUEUES, place.queues()),
        Statement::new("ManageRole", MANAGE_ROLES, [place.role(&names.role())]),
        Statement::new(
            "AttachOwnPolicyOnly",
            &["iam:AttachRolePolicy"],
            [place.role(&names.role())],
        )
        .when(
            "ArnEquals",
            "iam:PolicyARN",
            [place.policy(&names.policy())],
        ),
        Statement::new(
            "ManagePolicy",
            MANAGE_POLICIES,
            [place.policy(&names.policy())],
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
            [place.own_topic()],
        ));
        all.push(
            Statement::new(
                "ChangeBucketNotification",
                &["s3:PutBucketNotification"],
                [place.bucket()],
            )
            .of_account(&place.account),
        );
    }
    if !place.bucket_keys.is_empty() {
        all.extend(grant(place, place.keys_of_bucket()));
    }
    all
}

/// A new key has no name to be permitted by, so its tags have to do. An alias is asked for on itself and on its key.
pub(super) fn key(place: &Place) -> Vec<Statement> {
    vec![
        Statement::anywhere("CreateKey", &["kms:CreateKey"]).when(
            "StringEquals",
            OWN_TAG_OF_REQUEST,
            [OWN.to_owned()],
        ),
        Statement::new("TagNewKey", &["kms:TagResource"], [place.keys()]).when(
            "StringEquals",
            OWN_TAG_OF_REQUEST,
            [OWN.to_owned()],
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
            [place.keys()],
        )
        .when("StringEquals", OWN_TAG_OF_RESOURCE, [OWN.to_owned()]),
        Statement::new(
            "ManageOwnAlias",
            &["kms:CreateAlias", "kms:UpdateAlias"],
            [place.alias()],
        ),
    ]
}

/// To decrypt, to our role, and nothing else. An empty list of operations would pass `ForAllValues`.
fn grant(place: &Place, keys: Vec<String>) -> [Statement; 2] {
    [
        Statement::new("GrantDecryptToRoleOnly", &["kms:CreateGrant"], keys.clone())
            .when(
                "StringEquals",
                "kms:GranteePrincipal",
                [place.role(&place.names.role())],
            )
            .when(
                "ForAllValues:StringEquals",
                "kms:GrantOperations",
                ["Decrypt".to_owned()],
            )
            .when("Null", "kms:GrantOperations", ["false".to_owned()]),
        Statement::new("ReplaceOwnGrant", &["kms:RevokeGrant"], keys),
    ]
}
