//! What destroy deletes, of option s3.

use super::scope::PolicyScope;
use super::statement::Statement;
use super::{MANAGED_BY_VALUE, RESOURCE_TAG_KEY};

pub(super) const DELETE_POLICY: &[&str] = &[
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:ListPolicyVersions",
];

/// What killed runs of tail may have left.
pub(super) fn temporary_queue_deletes(place: &PolicyScope) -> Vec<Statement> {
    vec![
        Statement::for_all_resources("FindTaps", &["sqs:ListQueues"]),
        Statement::new(
            "DeleteTaps",
            &["sqs:DeleteQueue", "sqs:GetQueueUrl", "sqs:ListQueueTags"],
            [place.temporary_queue_arns()],
        ),
    ]
}

/// What a rollback writes that neither setup nor destroy do: the former state of what setup changed.
pub(super) fn rollback_writes(place: &PolicyScope) -> Vec<Statement> {
    vec![
        Statement::new(
            "PutBackOwnKey",
            &["kms:DisableKey", "kms:DisableKeyRotation"],
            [place.all_key_arns()],
        )
        .condition(
            "StringEquals",
            RESOURCE_TAG_KEY,
            [MANAGED_BY_VALUE.to_owned()],
        ),
        Statement::new(
            "PutBackTags",
            &["iam:UntagRole"],
            [place.role_arn(&place.names.role())],
        ),
    ]
}

/// What destroy does besides plan, and what a rollback does.
pub(super) fn destroy_writes(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    let mut all = vec![
        Statement::new("DeleteQueues", &["sqs:DeleteQueue"], place.queue_arns()),
        Statement::for_all_resources("Unsubscribe", &["sns:Unsubscribe"])
            .in_account(&place.account),
        Statement::new(
            "DeleteRole",
            &["iam:DeleteRole", "iam:DetachRolePolicy"],
            [place.role_arn(&names.role())],
        ),
        Statement::new(
            "DeletePolicy",
            DELETE_POLICY,
            [place.policy_arn(&names.policy())],
        ),
        Statement::new("DeleteOwnAlias", &["kms:DeleteAlias"], [place.alias_arn()]),
        Statement::new(
            "DeleteOwnKey",
            &["kms:DeleteAlias", "kms:ScheduleKeyDeletion"],
            [place.all_key_arns()],
        )
        .condition(
            "StringEquals",
            RESOURCE_TAG_KEY,
            [MANAGED_BY_VALUE.to_owned()],
        ),
    ];
    if place.topic.is_none() {
        all.push(Statement::new(
            "DeleteTopic",
            &["sns:DeleteTopic"],
            [place.managed_topic_arn()],
        ));
        all.push(
            Statement::new(
                "TakeOutNotification",
                &["s3:PutBucketNotification"],
                [place.bucket_arn()],
            )
            .in_account(&place.account),
        );
    }
    if !place.bucket_keys.is_empty() {
        all.push(Statement::new(
            "RevokeOwnGrant",
            &["kms:RevokeGrant"],
            place.bucket_key_arns(),
        ));
    }
    all
}
