//! What plan reads of the resources of option cloudwatch, what setup writes, and what destroy deletes.

use super::place::Place;
use super::statement::Statement;
use super::{OWN, OWN_TAG_OF_RESOURCE, setup};

/// What plan reads besides preflight.
pub(super) fn reads(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    vec![
        Statement::anywhere("ReadWithoutResource", &["kms:ListAliases", "kms:ListKeys"]),
        Statement::new("ReadKeysAtLogGroup", setup::READ_KEYS, [place.keys()]),
        Statement::new(
            "ReadFifoQueues",
            &["sqs:GetQueueAttributes"],
            place.fifo_queues(),
        ),
        Statement::new(
            "ReadRole",
            &["iam:ListAttachedRolePolicies"],
            [place.role(&names.role())],
        ),
        Statement::new(
            "ReadRoleOfFunction",
            &["iam:ListAttachedRolePolicies"],
            [place.role(&names.function_role())],
        ),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicyVersion"],
            [place.policy(&names.policy())],
        ),
        Statement::new(
            "ReadPolicyOfFunction",
            &["iam:GetPolicyVersion"],
            [place.policy(&names.function_policy())],
        ),
        Statement::new("ReadFunction", &["lambda:GetPolicy"], [place.function()]),
    ]
}

/// What setup does besides plan.
pub(super) fn writes(place: &Place) -> Vec<Statement> {
    let mut all = setup::key(place);
    all.extend([
        Statement::new("ManageQueues", setup::MANAGE_QUEUES, place.fifo_queues()),
        Statement::new("ManageRoles", setup::MANAGE_ROLES, roles(place)),
        Statement::new(
            "AttachOwnPoliciesOnly",
            &["iam:AttachRolePolicy"],
            roles(place),
        )
        .when("ArnEquals", "iam:PolicyARN", policies(place)),
        Statement::new("ManagePolicies", setup::MANAGE_POLICIES, policies(place)),
        Statement::new(
            "ManageFunction",
            &[
                "lambda:CreateFunction",
                "lambda:DeleteFunctionConcurrency",
                "lambda:TagResource",
                "lambda:UpdateFunctionCode",
                "lambda:UpdateFunctionConfiguration",
            ],
            [place.function()],
        ),
        Statement::new(
            "PassRoleToFunctionsOnly",
            &["iam:PassRole"],
            [place.role(&place.names.function_role())],
        )
        .when(
            "StringEquals",
            "iam:PassedToService",
            ["lambda.amazonaws.com".to_owned()],
        ),
        Statement::new(
            "LetLogsInOnly",
            &["lambda:AddPermission"],
            [place.function()],
        )
        .when(
            "StringEquals",
            "lambda:Principal",
            ["logs.amazonaws.com".to_owned()],
        ),
        // A statement that is taken out names nobody.
        Statement::new(
            "TakeBackPermission",
            &["lambda:RemovePermission"],
            [place.function()],
        ),
        Statement::new(
            "SubscribeToLogGroup",
            &["logs:PutSubscriptionFilter"],
            place.log_group(),
        ),
    ]);
    all
}

/// What destroy does besides plan.
pub(super) fn deletes(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    vec![
        Statement::new(
            "DeleteFifoQueues",
            &["sqs:DeleteQueue"],
            place.fifo_queues(),
        ),
        Statement::new(
            "DeleteRole",
            &["iam:DeleteRole", "iam:DetachRolePolicy"],
            [place.role(&names.role())],
        ),
        Statement::new(
            "DeleteRoleOfFunction",
            &["iam:DeleteRole", "iam:DetachRolePolicy"],
            [place.role(&names.function_role())],
        ),
        Statement::new(
            "DeletePolicy",
            super::destroy::DELETE_POLICY,
            [place.policy(&names.policy())],
        ),
        Statement::new(
            "DeletePolicyOfFunction",
            super::destroy::DELETE_POLICY,
            [place.policy(&names.function_policy())],
        ),
        Statement::new(
            "DeleteOwnAliasAtLogGroup",
            &["kms:DeleteAlias"],
            [place.alias()],
        ),
        Statement::new(
            "DeleteOwnKeyAtLogGroup",
            &["kms:DeleteAlias", "kms:ScheduleKeyDeletion"],
            [place.keys()],
        )
        .when("StringEquals", OWN_TAG_OF_RESOURCE, [OWN.to_owned()]),
        Statement::new(
            "DeleteFunction",
            &["lambda:DeleteFunction"],
            [place.function()],
        ),
        Statement::new(
            "UnsubscribeFromLogGroup",
            &["logs:DeleteSubscriptionFilter"],
            place.log_group(),
        ),
    ]
}

/// The role of Heeler and that of the function.
fn roles(place: &Place) -> [String; 2] {
    [place.names.role(), place.names.function_role()].map(|name| place.role(&name))
}

fn policies(place: &Place) -> [String; 2] {
    [place.names.policy(), place.names.function_policy()].map(|name| place.policy(&name))
}

/// What a rollback puts back, and setup only takes away.
pub(super) fn puts_back(place: &Place) -> Statement {
    Statement::new(
        "PutBackConcurrency",
        &["lambda:PutFunctionConcurrency"],
        [place.function()],
    )
}

/// A rollback leaves it, since it may be older than the function.
pub(super) fn deletes_log_of_function(place: &Place) -> Statement {
    Statement::new(
        "DeleteLogOfFunction",
        &["logs:DeleteLogGroup"],
        place.log_of_function(),
    )
}
