//! What plan reads of the resources of option cloudwatch, what setup writes, and what destroy deletes.

use super::scope::PolicyScope;
use super::statement::Statement;
use super::{MANAGED_BY_VALUE, RESOURCE_TAG_KEY, setup};

/// What plan reads besides preflight.
pub(super) fn plan_reads(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    vec![
        Statement::for_all_resources("ReadWithoutResource", &["kms:ListAliases", "kms:ListKeys"]),
        Statement::new(
            "ReadKeysAtLogGroup",
            setup::READ_KEYS,
            [place.all_key_arns()],
        ),
        Statement::new(
            "ReadFifoQueues",
            &["sqs:GetQueueAttributes"],
            place.fifo_queue_arns(),
        ),
        Statement::new(
            "ReadRole",
            &["iam:ListAttachedRolePolicies"],
            [place.role_arn(&names.role())],
        ),
        Statement::new(
            "ReadRoleOfFunction",
            &["iam:ListAttachedRolePolicies"],
            [place.role_arn(&names.function_role())],
        ),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicyVersion"],
            [place.policy_arn(&names.policy())],
        ),
        Statement::new(
            "ReadPolicyOfFunction",
            &["iam:GetPolicyVersion"],
            [place.policy_arn(&names.function_policy())],
        ),
        Statement::new(
            "ReadFunction",
            &["lambda:GetPolicy"],
            [place.function_arn()],
        ),
    ]
}

/// What setup does besides plan.
pub(super) fn setup_writes(place: &PolicyScope) -> Vec<Statement> {
    let mut all = setup::key_writes(place);
    all.extend([
        Statement::new(
            "ManageQueues",
            setup::MANAGE_QUEUES,
            place.fifo_queue_arns(),
        ),
        Statement::new("ManageRoles", setup::MANAGE_ROLES, role_arns(place)),
        Statement::new(
            "AttachOwnPoliciesOnly",
            &["iam:AttachRolePolicy"],
            role_arns(place),
        )
        .condition("ArnEquals", "iam:PolicyARN", policy_arns(place)),
        Statement::new("ManagePolicies", setup::MANAGE_POLICIES, policy_arns(place)),
        Statement::new(
            "ManageFunction",
            &[
                "lambda:CreateFunction",
                "lambda:DeleteFunctionConcurrency",
                "lambda:TagResource",
                "lambda:UpdateFunctionCode",
                "lambda:UpdateFunctionConfiguration",
            ],
            [place.function_arn()],
        ),
        Statement::new(
            "PassRoleToFunctionsOnly",
            &["iam:PassRole"],
            [place.role_arn(&place.names.function_role())],
        )
        .condition(
            "StringEquals",
            "iam:PassedToService",
            ["lambda.amazonaws.com".to_owned()],
        ),
        Statement::new(
            "LetLogsInOnly",
            &["lambda:AddPermission"],
            [place.function_arn()],
        )
        .condition(
            "StringEquals",
            "lambda:Principal",
            ["logs.amazonaws.com".to_owned()],
        ),
        // A statement that is taken out names nobody.
        Statement::new(
            "TakeBackPermission",
            &["lambda:RemovePermission"],
            [place.function_arn()],
        ),
        Statement::new(
            "SubscribeToLogGroup",
            &["logs:PutSubscriptionFilter"],
            place.log_group_arns(),
        ),
    ]);
    all
}

/// What destroy does besides plan.
pub(super) fn destroy_writes(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    vec![
        Statement::new(
            "DeleteFifoQueues",
            &["sqs:DeleteQueue"],
            place.fifo_queue_arns(),
        ),
        Statement::new(
            "DeleteRole",
            &["iam:DeleteRole", "iam:DetachRolePolicy"],
            [place.role_arn(&names.role())],
        ),
        Statement::new(
            "DeleteRoleOfFunction",
            &["iam:DeleteRole", "iam:DetachRolePolicy"],
            [place.role_arn(&names.function_role())],
        ),
        Statement::new(
            "DeletePolicy",
            super::destroy::DELETE_POLICY,
            [place.policy_arn(&names.policy())],
        ),
        Statement::new(
            "DeletePolicyOfFunction",
            super::destroy::DELETE_POLICY,
            [place.policy_arn(&names.function_policy())],
        ),
        Statement::new(
            "DeleteOwnAliasAtLogGroup",
            &["kms:DeleteAlias"],
            [place.alias_arn()],
        ),
        Statement::new(
            "DeleteOwnKeyAtLogGroup",
            &["kms:DeleteAlias", "kms:ScheduleKeyDeletion"],
            [place.all_key_arns()],
        )
        .condition(
            "StringEquals",
            RESOURCE_TAG_KEY,
            [MANAGED_BY_VALUE.to_owned()],
        ),
        Statement::new(
            "DeleteFunction",
            &["lambda:DeleteFunction"],
            [place.function_arn()],
        ),
        Statement::new(
            "UnsubscribeFromLogGroup",
            &["logs:DeleteSubscriptionFilter"],
            place.log_group_arns(),
        ),
    ]
}

/// The role of Heeler and that of the function.
fn role_arns(place: &PolicyScope) -> [String; 2] {
    [place.names.role(), place.names.function_role()].map(|name| place.role_arn(&name))
}

fn policy_arns(place: &PolicyScope) -> [String; 2] {
    [place.names.policy(), place.names.function_policy()].map(|name| place.policy_arn(&name))
}

/// What a rollback puts back, and setup only takes away.
pub(super) fn rollback_writes(place: &PolicyScope) -> Statement {
    Statement::new(
        "PutBackConcurrency",
        &["lambda:PutFunctionConcurrency"],
        [place.function_arn()],
    )
}

/// A rollback leaves it, since it may be older than the function.
pub(super) fn function_log_group_delete(place: &PolicyScope) -> Statement {
    Statement::new(
        "DeleteLogOfFunction",
        &["logs:DeleteLogGroup"],
        place.function_log_group_arns(),
    )
}
