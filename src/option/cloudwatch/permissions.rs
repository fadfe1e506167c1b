//! Permissions of option cloudwatch.

use super::policy_scope::{self, in_log_group_region, log_group_arns, log_group_key_arn};
use crate::inventory::{InventoryRequest, Snapshot};
use crate::permissions::scope::{Placeholder, PolicyScope};
use crate::permissions::statement::Statement;
use crate::permissions::{OptionPermissions, PreflightFlags, shared};
use crate::tail::source::SourceKind;

/// The statements of the option.
#[derive(Clone, Copy, Debug)]
pub(super) struct CloudWatchPermissions;

impl OptionPermissions for CloudWatchPermissions {
    fn preflight(&self, flags: PreflightFlags, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_log_group_region(scope);
        let [role, policy] = function_role_reads(scope);
        let mut all = vec![
            shared::managed_key_read("ReadOwnKeyAtLogGroup", at),
            Statement::for_all_resources(
                "ReadWithoutResource",
                &[
                    "lambda:GetAccountSettings",
                    "logs:DescribeAccountPolicies",
                    "logs:DescribeLogGroups",
                ],
            ),
            Statement::new(
                "ReadLogGroup",
                &[
                    "logs:DescribeLogStreams",
                    "logs:DescribeSubscriptionFilters",
                ],
                log_group_arns(scope),
            ),
            function_reads(scope),
            role,
            policy,
            queue_reads(scope),
        ];
        if let Some(key) = log_group_key_arn(scope) {
            all.push(Statement::new(
                "ReadKeyOfLogGroup",
                &["kms:DescribeKey"],
                [key],
            ));
        }
        if flags.deep {
            all.push(Statement::new(
                "ReadLogGroup",
                &["logs:GetTransformer"],
                log_group_arns(scope),
            ));
        }
        if flags.fix {
            all.push(Statement::new(
                "SetRetention",
                &["logs:PutRetentionPolicy"],
                log_group_arns(scope),
            ));
        }
        all
    }

    fn plan_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let (at, names) = (in_log_group_region(scope), &scope.names);
        let [role, policy] = shared::role_plan_reads(scope);
        let mut all = Vec::from(shared::key_list_reads("ReadKeysAtLogGroup", at));
        all.extend([
            Statement::new(
                "ReadFifoQueues",
                &["sqs:GetQueueAttributes"],
                queue_arns(scope),
            ),
            role,
            Statement::new(
                "ReadRoleOfFunction",
                &["iam:ListAttachedRolePolicies"],
                [scope.role_arn(&names.function_role())],
            ),
            policy,
            Statement::new(
                "ReadPolicyOfFunction",
                &["iam:GetPolicyVersion"],
                [scope.policy_arn(&names.function_policy())],
            ),
            Statement::new("ReadFunction", &["lambda:GetPolicy"], [at.function_arn()]),
        ]);
        all
    }

    fn setup_writes(&self, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_log_group_region(scope);
        let mut all = shared::key_writes(at);
        all.extend([
            Statement::new("ManageQueues", shared::MANAGE_QUEUES, queue_arns(scope)),
            Statement::new("ManageRoles", shared::MANAGE_ROLES, role_arns(scope)),
            Statement::new(
                "AttachOwnPoliciesOnly",
                &["iam:AttachRolePolicy"],
                role_arns(scope),
            )
            .condition("ArnEquals", "iam:PolicyARN", policy_arns(scope)),
            Statement::new(
                "ManagePolicies",
                shared::MANAGE_POLICIES,
                policy_arns(scope),
            ),
            Statement::new(
                "ManageFunction",
                &[
                    "lambda:CreateFunction",
                    "lambda:DeleteFunctionConcurrency",
                    "lambda:TagResource",
                    "lambda:UpdateFunctionCode",
                    "lambda:UpdateFunctionConfiguration",
                ],
                [at.function_arn()],
            ),
        ]);
        all.extend(shared::boundary_writes(scope, role_arns(scope)));
        all.extend([
            Statement::new(
                "PassRoleToFunctionsOnly",
                &["iam:PassRole"],
                [scope.role_arn(&scope.names.function_role())],
            )
            .condition(
                "StringEquals",
                "iam:PassedToService",
                ["lambda.amazonaws.com".to_owned()],
            ),
            Statement::new(
                "PermitLogsOnly",
                &["lambda:AddPermission"],
                [at.function_arn()],
            )
            .condition(
                "StringEquals",
                "lambda:Principal",
                ["logs.amazonaws.com".to_owned()],
            ),
            // A request that removes a statement has no principal.
            Statement::new(
                "RemovePermission",
                &["lambda:RemovePermission"],
                [at.function_arn()],
            ),
            Statement::new(
                "SubscribeToLogGroup",
                &["logs:PutSubscriptionFilter"],
                log_group_arns(scope),
            ),
        ]);
        all
    }

    fn rollback_writes(&self, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_log_group_region(scope);
        let mut all = deletes(scope);
        all.extend(shared::rollback_writes(at));
        all.extend(shared::boundary_rollback(scope, role_arns(scope)));
        // Setup only removes the limit.
        all.push(Statement::new(
            "RevertConcurrency",
            &["lambda:PutFunctionConcurrency"],
            [at.function_arn()],
        ));
        all
    }

    fn destroy_writes(&self, scope: &PolicyScope) -> Vec<Statement> {
        let names = &scope.names;
        let at = in_log_group_region(scope);
        let mut all = deletes(scope);
        // A rollback keeps the function's log group, which may be older than the function.
        all.push(Statement::new(
            "DeleteLogOfFunction",
            &["logs:DeleteLogGroup"],
            at.log_group_arns(&format!("/aws/lambda/{}", names.function())),
        ));
        all
    }

    fn status_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let (at, names) = (in_log_group_region(scope), &scope.names);
        let mut all = vec![
            Statement::for_all_resources("ReadWithoutResource", &["logs:DescribeLogGroups"]),
            Statement::new(
                "ReadLogGroup",
                &["logs:DescribeSubscriptionFilters"],
                log_group_arns(scope),
            ),
            Statement::new(
                "ReadFunction",
                &["lambda:GetFunction", "lambda:GetPolicy", "lambda:ListTags"],
                [at.function_arn()],
            ),
            Statement::new(
                "ReadFifoQueues",
                &["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
                queue_arns(scope),
            ),
            shared::managed_key(
                "ReadKeyOfFifoQueue",
                &["kms:DescribeKey", "kms:GetKeyPolicy"],
                at,
            ),
        ];
        let (role, function_role) = (names.role(), names.function_role());
        all.extend(shared::role_policy_reads(scope, "ReadRole", &role));
        all.extend(shared::role_policy_reads(
            scope,
            "ReadRoleOfFunction",
            &function_role,
        ));
        all
    }

    fn cost_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        vec![
            Statement::for_all_resources(
                "ReadWithoutResource",
                &["cloudwatch:GetMetricData", "logs:DescribeLogGroups"],
            ),
            Statement::new(
                "ReadEvents",
                &["logs:FilterLogEvents"],
                log_group_arns(scope),
            ),
        ]
    }

    fn verify(&self, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_log_group_region(scope);
        let function_log = format!("/aws/lambda/{}", scope.names.function());
        vec![
            Statement::new(
                "TagQueueAsCanary",
                &["sqs:TagQueue"],
                [at.queue_arn(&scope.names.fifo_queue())],
            ),
            Statement::new(
                "ReadEvents",
                &["logs:FilterLogEvents"],
                log_group_arns(scope),
            ),
            Statement::new(
                "ReadLogOfFunction",
                &["logs:FilterLogEvents"],
                at.log_group_arns(&function_log),
            ),
        ]
    }

    fn export_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let mut all = self.plan_reads(scope);
        all.extend(shared::role_reads(scope));
        all.extend(function_role_reads(scope));
        all.extend([
            function_reads(scope),
            queue_reads(scope),
            Statement::new(
                "ReadLogGroup",
                &["logs:DescribeSubscriptionFilters"],
                log_group_arns(scope),
            ),
        ]);
        all
    }

    fn restore(&self, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_log_group_region(scope);
        vec![
            shared::managed_key_restore("RestoreOwnKeyAtLogGroup", at),
            Statement::new(
                "RestoreFifoQueues",
                shared::RESTORE_QUEUES,
                queue_arns(scope),
            ),
            Statement::new("RestoreRoles", shared::RESTORE_ROLE, role_arns(scope)),
            Statement::new(
                "RestorePolicies",
                shared::RESTORE_POLICY,
                policy_arns(scope),
            ),
            Statement::new(
                "RestoreFunction",
                &[
                    "lambda:AddPermission",
                    "lambda:GetFunction",
                    "lambda:GetPolicy",
                    "lambda:ListTags",
                    "lambda:RemovePermission",
                ],
                [at.function_arn()],
            ),
        ]
    }

    fn tail_sources(&self) -> &'static [SourceKind] {
        &[SourceKind::LogGroup]
    }

    fn tail(&self, _: SourceKind, scope: &PolicyScope) -> Vec<Statement> {
        vec![Statement::new(
            "ReadEvents",
            &["logs:FilterLogEvents"],
            log_group_arns(scope),
        )]
    }

    /// Messages contain the events themselves.
    fn message_reads(&self, _: &PolicyScope) -> Vec<Statement> {
        Vec::new()
    }

    /// Messages contain the events themselves.
    fn log_object_properties(&self, _: &PolicyScope) -> Vec<Statement> {
        Vec::new()
    }

    fn queue_name(&self, scope: &PolicyScope) -> String {
        scope.names.fifo_queue()
    }

    fn dead_letter_queue_name(&self, scope: &PolicyScope) -> String {
        scope.names.dead_letter_fifo_queue()
    }

    fn placeholders(&self) -> &'static [Placeholder] {
        policy_scope::PLACEHOLDERS
    }

    fn set_requested_names(&self, request: &InventoryRequest, scope: &mut PolicyScope) {
        policy_scope::set_requested_names(request, scope);
    }

    fn set_found_names(&self, snapshot: &Snapshot, scope: &mut PolicyScope) {
        policy_scope::set_found_names(snapshot, scope);
    }
}

/// The queue and its dead-letter queue.
fn queue_arns(scope: &PolicyScope) -> [String; 2] {
    let names = &scope.names;
    [names.fifo_queue(), names.dead_letter_fifo_queue()]
        .map(|name| in_log_group_region(scope).queue_arn(&name))
}

/// The role that Heeler assumes and the function's role.
fn role_arns(scope: &PolicyScope) -> [String; 2] {
    [scope.names.role(), scope.names.function_role()].map(|name| scope.role_arn(&name))
}

fn policy_arns(scope: &PolicyScope) -> [String; 2] {
    [scope.names.policy(), scope.names.function_policy()].map(|name| scope.policy_arn(&name))
}

/// Lambda returns the tags of a function only to callers that may list them.
fn function_reads(scope: &PolicyScope) -> Statement {
    Statement::new(
        "ReadFunction",
        &["lambda:GetFunction", "lambda:ListTags"],
        [in_log_group_region(scope).function_arn()],
    )
}

fn function_role_reads(scope: &PolicyScope) -> [Statement; 2] {
    let names = &scope.names;
    [
        Statement::new(
            "ReadRoleOfFunction",
            &["iam:GetRole"],
            [scope.role_arn(&names.function_role())],
        ),
        Statement::new(
            "ReadPolicyOfFunction",
            &["iam:GetPolicy"],
            [scope.policy_arn(&names.function_policy())],
        ),
    ]
}

fn queue_reads(scope: &PolicyScope) -> Statement {
    Statement::new(
        "ReadFifoQueues",
        &[
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListQueueTags",
        ],
        queue_arns(scope),
    )
}

/// Deletes of destroy and of a rollback.
fn deletes(scope: &PolicyScope) -> Vec<Statement> {
    let (at, names) = (in_log_group_region(scope), &scope.names);
    vec![
        Statement::new("DeleteFifoQueues", &["sqs:DeleteQueue"], queue_arns(scope)),
        Statement::new(
            "DeleteRoles",
            shared::DELETE_ROLE,
            [names.role(), names.function_role()].map(|role| scope.role_arn(&role)),
        ),
        Statement::new(
            "DeletePolicies",
            shared::DELETE_POLICY,
            [names.policy(), names.function_policy()].map(|policy| scope.policy_arn(&policy)),
        ),
        Statement::new(
            "DeleteOwnAliasAtLogGroup",
            &["kms:DeleteAlias"],
            [at.key_alias_arn()],
        ),
        shared::managed_key("DeleteOwnKeyAtLogGroup", shared::DELETE_KEY, at),
        Statement::new(
            "DeleteFunction",
            &["lambda:DeleteFunction"],
            [at.function_arn()],
        ),
        Statement::new(
            "UnsubscribeFromLogGroup",
            &["logs:DeleteSubscriptionFilter"],
            log_group_arns(scope),
        ),
    ]
}
