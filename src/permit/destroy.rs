//! What destroy deletes, of option s3.

use super::place::Place;
use super::statement::Statement;
use super::{OWN, OWN_TAG_OF_RESOURCE};

pub(super) const DELETE_POLICY: &[&str] = &[
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:ListPolicyVersions",
];

/// What killed runs of tail may have left.
pub(super) fn taps(place: &Place) -> Vec<Statement> {
    vec![
        Statement::anywhere("FindTaps", &["sqs:ListQueues"]),
        Statement::new(
            "DeleteTaps",
            &["sqs:DeleteQueue", "sqs:GetQueueUrl", "sqs:ListQueueTags"],
            [place.taps()],
        ),
    ]
}

/// What a rollback writes that neither setup nor destroy do: the former state of what setup changed.
pub(super) fn puts_back(place: &Place) -> Vec<Statement> {
    vec![
        Statement::new(
            "PutBackOwnKey",
            &["kms:DisableKey", "kms:DisableKeyRotation"],
            [place.keys()],
        )
        .when("StringEquals", OWN_TAG_OF_RESOURCE, [OWN.to_owned()]),
        Statement::new(
            "PutBackTags",
            &["iam:UntagRole"],
            [place.role(&place.names.role())],
        ),
    ]
}

/// What destroy does besides plan, and what a rollback does.
pub(super) fn deletes(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    let mut all = vec![
        Statement::new("DeleteQueues", &["sqs:DeleteQueue"], place.queues()),
        Statement::anywhere("Unsubscribe", &["sns:Unsubscribe"]).of_account(&place.account),
        Statement::new(
            "DeleteRole",
            &["iam:DeleteRole", "iam:DetachRolePolicy"],
            [place.role(&names.role())],
        ),
        Statement::new(
            "DeletePolicy",
            DELETE_POLICY,
            [place.policy(&names.policy())],
        ),
        Statement::new("DeleteOwnAlias", &["kms:DeleteAlias"], [place.alias()]),
        Statement::new(
            "DeleteOwnKey",
            &["kms:DeleteAlias", "kms:ScheduleKeyDeletion"],
            [place.keys()],
        )
        .when("StringEquals", OWN_TAG_OF_RESOURCE, [OWN.to_owned()]),
    ];
    if place.topic.is_none() {
        all.push(Statement::new(
            "DeleteTopic",
            &["sns:DeleteTopic"],
            [place.own_topic()],
        ));
        all.push(
            Statement::new(
                "TakeOutNotification",
                &["s3:PutBucketNotification"],
                [place.bucket()],
            )
            .of_account(&place.account),
        );
    }
    if !place.bucket_keys.is_empty() {
        all.push(Statement::new(
            "RevokeOwnGrant",
            &["kms:RevokeGrant"],
            place.keys_of_bucket(),
        ));
    }
    all
}
