//! Statements that several delivery options use: for the key, the role, its policy, and reading events.

use super::scope::{PolicyScope, RegionalScope};
use super::statement::Statement;
use super::{ANY_TAG_VALUE, REQUEST_TAG_KEY, RESOURCE_TAG_KEY};

pub(crate) const READ_KEYS: &[&str] = &[
    "kms:DescribeKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
];
pub(crate) const MANAGE_QUEUES: &[&str] =
    &["sqs:CreateQueue", "sqs:SetQueueAttributes", "sqs:TagQueue"];
pub(crate) const MANAGE_ROLES: &[&str] = &[
    "iam:CreateRole",
    "iam:TagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
];
pub(crate) const MANAGE_POLICIES: &[&str] = &[
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:ListPolicyVersions",
    "iam:TagPolicy",
];
pub(crate) const DELETE_ROLE: &[&str] = &[
    "iam:DeleteRole",
    "iam:DetachRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
];
pub(crate) const DELETE_POLICY: &[&str] = &[
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:ListEntitiesForPolicy",
    "iam:ListPolicyVersions",
];
pub(crate) const DELETE_KEY: &[&str] = &["kms:DeleteAlias", "kms:ScheduleKeyDeletion"];
pub(crate) const RESTORE_QUEUES: &[&str] = &[
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ListQueueTags",
    "sqs:SetQueueAttributes",
];
pub(crate) const RESTORE_ROLE: &[&str] = &["iam:GetRole", "iam:UpdateAssumeRolePolicy"];
pub(crate) const RESTORE_POLICY: &[&str] = &[
    "iam:CreatePolicyVersion",
    "iam:DeletePolicyVersion",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:ListPolicyVersions",
];

/// Finds the deployment by the tags of its role.
pub(crate) fn find_deployment(scope: &PolicyScope) -> Statement {
    Statement::new(
        "FindDeployment",
        &["iam:GetRole"],
        [scope.role_arn(&scope.names.role())],
    )
}

/// Assumes the role in the account of the log bucket.
#[must_use]
pub fn assume_bucket_role(role: String) -> Statement {
    Statement::new("AssumeBucketRole", &["sts:AssumeRole"], [role])
}

/// Account names, which tables show.
pub(crate) fn account_names() -> Statement {
    Statement::for_all_resources("NameAccounts", &["organizations:ListAccounts"])
}

/// Reads the managed key by its alias. KMS evaluates the permission on the key, whose id is not known beforehand.
pub(crate) fn managed_key_read(sid: &'static str, at: RegionalScope<'_>) -> Statement {
    Statement::new(
        sid,
        &["kms:DescribeKey", "kms:ListResourceTags"],
        [at.all_key_arns()],
    )
    .condition(
        "ForAnyValue:StringEquals",
        "kms:ResourceAliases",
        [at.scope.names.key_alias()],
    )
}

/// Reads key lists. An interrupted run may have left a key without its alias, which only its tags identify.
pub(crate) fn key_list_reads(sid: &'static str, at: RegionalScope<'_>) -> [Statement; 2] {
    [
        Statement::for_all_resources("ReadWithoutResource", &["kms:ListAliases", "kms:ListKeys"]),
        Statement::new(sid, READ_KEYS, [at.all_key_arns()]),
    ]
}

/// Reads what is attached to the role, and the versions of its policy.
pub(crate) fn role_plan_reads(scope: &PolicyScope) -> [Statement; 2] {
    [
        Statement::new(
            "ReadRole",
            &["iam:ListAttachedRolePolicies"],
            [scope.role_arn(&scope.names.role())],
        ),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicyVersion"],
            [scope.policy_arn(&scope.names.policy())],
        ),
    ]
}

/// Reads the policies of a role: inline, attached, and the permissions boundary, which may have any name.
pub(crate) fn role_policy_reads(
    scope: &PolicyScope,
    sid: &'static str,
    role: &str,
) -> [Statement; 2] {
    [
        Statement::new(
            sid,
            &[
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
            ],
            [scope.role_arn(role)],
        ),
        Statement::new(
            "ReadPolicies",
            &["iam:GetPolicy", "iam:GetPolicyVersion"],
            [scope.policy_arn("*")],
        ),
    ]
}

/// Reads the role and its policy with their tags.
pub(crate) fn role_reads(scope: &PolicyScope) -> [Statement; 2] {
    let names = &scope.names;
    [
        Statement::new(
            "ReadRole",
            &["iam:GetRole"],
            [scope.role_arn(&names.role())],
        ),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicy"],
            [scope.policy_arn(&names.policy())],
        ),
    ]
}

/// Sets the requested permissions boundary on an existing role, and no other one.
pub(crate) fn boundary_writes(
    scope: &PolicyScope,
    roles: impl IntoIterator<Item = String>,
) -> Option<Statement> {
    let boundary = scope.permissions_boundary.clone()?;
    let statement = Statement::new(
        "SetPermissionsBoundary",
        &["iam:PutRolePermissionsBoundary"],
        roles,
    );
    Some(statement.condition("ArnEquals", "iam:PermissionsBoundary", [boundary]))
}

/// Removes the permissions boundary that a failed setup has set.
pub(crate) fn boundary_rollback(
    scope: &PolicyScope,
    roles: impl IntoIterator<Item = String>,
) -> Option<Statement> {
    scope.permissions_boundary.as_ref()?;
    let actions = &["iam:DeleteRolePermissionsBoundary"];
    Some(Statement::new("RemovePermissionsBoundary", actions, roles))
}

/// Creates and manages the key. A new key is permitted by its tags, since its ARN is not known beforehand; an alias
/// is checked on itself and on its key.
pub(crate) fn key_writes(at: RegionalScope<'_>) -> Vec<Statement> {
    vec![
        Statement::for_all_resources("CreateKey", &["kms:CreateKey"]).condition(
            "StringLike",
            REQUEST_TAG_KEY,
            [ANY_TAG_VALUE.to_owned()],
        ),
        Statement::new("TagNewKey", &["kms:TagResource"], [at.all_key_arns()]).condition(
            "StringLike",
            REQUEST_TAG_KEY,
            [ANY_TAG_VALUE.to_owned()],
        ),
        managed_key(
            "ManageOwnKey",
            &[
                "kms:CreateAlias",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:PutKeyPolicy",
                // Of two runs that complete an interrupted setup, one deletes the key that it created.
                "kms:ScheduleKeyDeletion",
                "kms:UpdateAlias",
                "kms:UpdateKeyDescription",
            ],
            at,
        ),
        Statement::new(
            "ManageOwnAlias",
            &["kms:CreateAlias", "kms:UpdateAlias"],
            [at.key_alias_arn()],
        ),
    ]
}

/// Actions on keys with the tag of heeler-ec.
pub(crate) fn managed_key(
    sid: &'static str,
    actions: &[&'static str],
    at: RegionalScope<'_>,
) -> Statement {
    Statement::new(sid, actions, [at.all_key_arns()]).condition(
        "StringLike",
        RESOURCE_TAG_KEY,
        [ANY_TAG_VALUE.to_owned()],
    )
}

/// Restores a key policy.
pub(crate) fn managed_key_restore(sid: &'static str, at: RegionalScope<'_>) -> Statement {
    let actions = [
        "kms:GetKeyPolicy",
        "kms:ListResourceTags",
        "kms:PutKeyPolicy",
    ];
    managed_key(sid, &actions, at)
}

/// Writes of a rollback that neither setup nor destroy makes: it restores what setup changed.
pub(crate) fn rollback_writes(at: RegionalScope<'_>) -> Vec<Statement> {
    vec![
        managed_key(
            "RevertOwnKey",
            &["kms:DisableKey", "kms:DisableKeyRotation"],
            at,
        ),
        Statement::new(
            "RevertTags",
            &["iam:UntagRole"],
            [at.scope.role_arn(&at.scope.names.role())],
        ),
    ]
}
