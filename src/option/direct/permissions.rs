//! Permissions of option s3-direct. Those of the bucket, its keys, the queues and the role are the same as of option s3.

use super::target::BUCKET as BUCKET_TAG;
use crate::deployment::Deployment;
use crate::inventory::{InventoryRequest, Snapshot};
use crate::option::bucket_keys::granted_keys;
use crate::option::s3::permissions::{
    grant_writes, log_object_properties, log_object_reads, notification_write, queue_arns,
    queue_reads,
};
use crate::option::s3::policy_scope::{
    self, BUCKET, BUCKET_KEYS, LOG_PREFIX, REGION, bucket_arn, bucket_key_arns, in_bucket_region,
    log_object_arns, own_bucket_key_arns, read_key_arns,
};
use crate::permissions::scope::{Placeholder, PolicyScope};
use crate::permissions::statement::Statement;
use crate::permissions::{OptionPermissions, PreflightFlags, shared};
use crate::tail::source::SourceKind;

/// The statements of the option.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirectPermissions;

impl OptionPermissions for DirectPermissions {
    fn preflight(&self, _: PreflightFlags, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_bucket_region(scope);
        let mut all = vec![
            shared::managed_key_read("ReadOwnKey", at),
            Statement::for_all_resources(
                "ReadWithoutResource",
                &["organizations:ListAccounts", "s3:ListAllMyBuckets"],
            ),
            Statement::new(
                "ReadBucket",
                &[
                    "s3:GetBucketNotification",
                    "s3:GetBucketOwnershipControls",
                    "s3:GetBucketPolicy",
                    "s3:GetBucketRequestPayment",
                    "s3:GetEncryptionConfiguration",
                    "s3:GetLifecycleConfiguration",
                    "s3:ListBucket",
                ],
                [bucket_arn(scope)],
            )
            .in_account(&scope.account),
            Statement::new(
                "ReadLogObjects",
                &["s3:GetObject"],
                [log_object_arns(scope)],
            )
            .in_account(&scope.account),
            queue_reads(scope),
            Statement::new(
                "ReadNotificationDestinations",
                &[
                    "lambda:GetFunctionConcurrency",
                    "sns:GetTopicAttributes",
                    "sqs:GetQueueUrl",
                ],
                [at.all_function_arns(), at.queue_arn("*"), at.topic_arn("*")],
            ),
        ];
        all.extend(key_reads(scope));
        all
    }

    fn plan_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_bucket_region(scope);
        let mut all = Vec::from(shared::key_list_reads("ReadKeys", at));
        all.push(Statement::new(
            "ReadQueues",
            &["sqs:GetQueueAttributes"],
            queue_arns(scope),
        ));
        all.extend(shared::role_plan_reads(scope));
        let keys = bucket_key_arns(scope);
        if !keys.is_empty() {
            all.push(Statement::new("ReadGrants", &["kms:ListGrants"], keys));
        }
        all
    }

    fn setup_writes(&self, scope: &PolicyScope) -> Vec<Statement> {
        let (at, names) = (in_bucket_region(scope), &scope.names);
        let role = scope.role_arn(&names.role());
        let policy = scope.policy_arn(&names.policy());
        let mut all = shared::key_writes(at);
        all.extend([
            Statement::new("ManageQueues", shared::MANAGE_QUEUES, queue_arns(scope)),
            Statement::new("ManageRole", shared::MANAGE_ROLES, [role.clone()]),
            Statement::new(
                "AttachOwnPolicyOnly",
                &["iam:AttachRolePolicy"],
                [role.clone()],
            )
            .condition("ArnEquals", "iam:PolicyARN", [policy.clone()]),
            Statement::new("ManagePolicy", shared::MANAGE_POLICIES, [policy]),
            notification_write("ChangeBucketNotification", scope),
        ]);
        all.extend(shared::boundary_writes(scope, [role]));
        if !own_bucket_key_arns(scope).is_empty() {
            all.extend(grant_writes(scope));
        }
        all
    }

    fn rollback_writes(&self, scope: &PolicyScope) -> Vec<Statement> {
        let mut all = deletes(scope);
        all.extend(shared::rollback_writes(in_bucket_region(scope)));
        let role = scope.role_arn(&scope.names.role());
        all.extend(shared::boundary_rollback(scope, [role]));
        all
    }

    fn destroy_writes(&self, scope: &PolicyScope) -> Vec<Statement> {
        deletes(scope)
    }

    fn status_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_bucket_region(scope);
        let mut all = vec![
            Statement::new(
                "ReadBucket",
                &["s3:GetBucketNotification", "s3:GetBucketPolicy"],
                [bucket_arn(scope)],
            )
            .in_account(&scope.account),
            Statement::new(
                "ReadQueues",
                &["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
                queue_arns(scope),
            ),
            shared::managed_key(
                "ReadKeyOfQueue",
                &["kms:DescribeKey", "kms:GetKeyPolicy"],
                at,
            ),
        ];
        let role = scope.names.role();
        all.extend(shared::role_policy_reads(scope, "ReadRole", &role));
        all.extend(key_reads(scope));
        all
    }

    fn cost_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let list = Statement::new("ListLogFiles", &["s3:ListBucket"], [bucket_arn(scope)]);
        let mut all = vec![list.in_account(&scope.account)];
        all.extend(log_object_reads(scope));
        all
    }

    /// The canary itself needs no permission.
    fn verify(&self, scope: &PolicyScope) -> Vec<Statement> {
        let mut all = vec![
            Statement::for_all_resources(
                "ReadWithoutResource",
                &[
                    "account:ListRegions",
                    "cloudtrail:DescribeTrails",
                    "organizations:DescribeOrganization",
                ],
            ),
            find_objects(scope),
        ];
        all.extend(log_object_reads(scope));
        all
    }

    fn export_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let mut all = self.plan_reads(scope);
        all.extend(shared::role_reads(scope));
        all.extend([
            queue_reads(scope),
            Statement::new(
                "ReadBucketNotification",
                &["s3:GetBucketNotification"],
                [bucket_arn(scope)],
            )
            .in_account(&scope.account),
        ]);
        all
    }

    fn restore(&self, scope: &PolicyScope) -> Vec<Statement> {
        let (at, names) = (in_bucket_region(scope), &scope.names);
        vec![
            shared::managed_key_restore("RestoreOwnKey", at),
            Statement::new("RestoreQueues", shared::RESTORE_QUEUES, queue_arns(scope)),
            Statement::new(
                "RestoreRole",
                shared::RESTORE_ROLE,
                [scope.role_arn(&names.role())],
            ),
            Statement::new(
                "RestorePolicy",
                shared::RESTORE_POLICY,
                [scope.policy_arn(&names.policy())],
            ),
            Statement::new(
                "RestoreBucketNotification",
                &["s3:GetBucketNotification", "s3:PutBucketNotification"],
                [bucket_arn(scope)],
            )
            .in_account(&scope.account),
        ]
    }

    fn tail_sources(&self) -> &'static [SourceKind] {
        &[SourceKind::Bucket]
    }

    fn tail(&self, source: SourceKind, scope: &PolicyScope) -> Vec<Statement> {
        if source != SourceKind::Bucket {
            return Vec::new();
        }
        let mut all = vec![find_log_prefix(), find_objects(scope)];
        all.extend(log_object_reads(scope));
        all
    }

    fn message_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        log_object_reads(scope)
    }

    fn log_object_properties(&self, scope: &PolicyScope) -> Vec<Statement> {
        log_object_properties(scope)
    }

    fn queue_name(&self, scope: &PolicyScope) -> String {
        scope.names.queue()
    }

    fn dead_letter_queue_name(&self, scope: &PolicyScope) -> String {
        scope.names.dead_letter_queue()
    }

    fn placeholders(&self) -> &'static [Placeholder] {
        policy_scope::PLACEHOLDERS
    }

    fn set_requested_names(&self, request: &InventoryRequest, scope: &mut PolicyScope) {
        policy_scope::set_requested_names(request, scope);
    }

    fn set_found_names(&self, snapshot: &Snapshot, scope: &mut PolicyScope) {
        policy_scope::set_found_names(snapshot, scope);
        scope.set(LOG_PREFIX, snapshot.log_prefix());
    }
}

/// Sets the names that the tags of a deployment contain.
pub(super) fn set_deployed_names(deployment: &Deployment, scope: &mut PolicyScope) {
    scope.set(REGION, &deployment.region);
    if let Some(bucket) = deployment.tag(BUCKET_TAG) {
        scope.set(BUCKET, bucket);
    }
    scope.set(LOG_PREFIX, super::target::deployed_prefix(deployment));
    scope.set_all(BUCKET_KEYS, granted_keys(deployment));
}

/// Reads the log prefix of the trail that delivers to the bucket.
fn find_log_prefix() -> Statement {
    Statement::for_all_resources(
        "ReadWithoutResource",
        &[
            "cloudtrail:DescribeTrails",
            "organizations:DescribeOrganization",
        ],
    )
}

fn find_objects(scope: &PolicyScope) -> Statement {
    Statement::new("FindLogObjects", &["s3:ListBucket"], [bucket_arn(scope)])
        .in_account(&scope.account)
}

fn key_reads(scope: &PolicyScope) -> Option<Statement> {
    let keys = read_key_arns(scope);
    let actions = &["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"];
    (!keys.is_empty()).then(|| Statement::new("ReadKeysOfBucket", actions, keys))
}

/// Deletes of destroy and of a rollback.
fn deletes(scope: &PolicyScope) -> Vec<Statement> {
    let (at, names) = (in_bucket_region(scope), &scope.names);
    let mut all = vec![
        Statement::new("DeleteQueues", &["sqs:DeleteQueue"], queue_arns(scope)),
        Statement::new(
            "DeleteRole",
            shared::DELETE_ROLE,
            [scope.role_arn(&names.role())],
        ),
        Statement::new(
            "DeletePolicy",
            shared::DELETE_POLICY,
            [scope.policy_arn(&names.policy())],
        ),
        Statement::new("DeleteOwnAlias", &["kms:DeleteAlias"], [at.key_alias_arn()]),
        shared::managed_key("DeleteOwnKey", shared::DELETE_KEY, at),
        notification_write("RemoveNotification", scope),
    ];
    if !own_bucket_key_arns(scope).is_empty() {
        all.push(Statement::new(
            "RevokeOwnGrant",
            &["kms:RevokeGrant"],
            own_bucket_key_arns(scope),
        ));
    }
    all
}
