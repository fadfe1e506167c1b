//! Permissions of option s3.

use super::policy_scope::{
    self, bucket_arn, bucket_key_arns, has_managed_topic, in_bucket_region, log_object_arns,
    own_bucket_key_arns, read_key_arns, region, topic_arn, topic_key_arn,
};
use crate::inventory::{InventoryRequest, Snapshot};
use crate::permissions::scope::{Placeholder, PolicyScope};
use crate::permissions::statement::Statement;
use crate::permissions::{OptionPermissions, PreflightFlags, shared};
use crate::tail::source::SourceKind;

/// The statements of the option.
#[derive(Clone, Copy, Debug)]
pub(super) struct S3Permissions;

impl OptionPermissions for S3Permissions {
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
            topic_read(scope),
            queue_reads(scope),
            // The destinations of the bucket's other notifications.
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
        let keys = read_key_arns(scope);
        if !keys.is_empty() {
            all.push(Statement::new(
                "ReadKeysOfBucket",
                &["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"],
                keys,
            ));
        }
        if let Some(key) = topic_key_arn(scope) {
            all.push(Statement::new(
                "ReadKeyOfTopic",
                &["kms:DescribeKey", "kms:GetKeyPolicy"],
                [key],
            ));
        }
        all
    }

    fn plan_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let at = in_bucket_region(scope);
        let mut all = Vec::from(shared::key_list_reads("ReadKeys", at));
        all.extend([
            Statement::new(
                "ReadTopic",
                &["sns:ListSubscriptionsByTopic"],
                [at.managed_topic_arn(), topic_arn(scope)],
            ),
            Statement::for_all_resources("ReadSubscriptions", &["sns:GetSubscriptionAttributes"])
                .in_account(&scope.account),
            Statement::new("ReadQueues", &["sqs:GetQueueAttributes"], queue_arns(scope)),
        ]);
        all.extend(shared::role_plan_reads(scope));
        let keys = own_bucket_key_arns(scope);
        if !keys.is_empty() {
            all.push(Statement::new("ReadGrants", &["kms:ListGrants"], keys));
        }
        all
    }

    fn setup_writes(&self, scope: &PolicyScope) -> Vec<Statement> {
        let (at, names) = (in_bucket_region(scope), &scope.names);
        let mut all = shared::key_writes(at);
        all.extend([
            Statement::new(
                "SubscribeOwnQueueOnly",
                &["sns:Subscribe"],
                [topic_arn(scope)],
            )
            .condition("StringEquals", "sns:Protocol", ["sqs".to_owned()])
            .condition(
                "StringEquals",
                "sns:Endpoint",
                [at.queue_arn(&names.queue())],
            ),
            Statement::for_all_resources("ChangeSubscriptions", &["sns:SetSubscriptionAttributes"])
                .in_account(&scope.account),
            Statement::new("ManageQueues", shared::MANAGE_QUEUES, queue_arns(scope)),
            Statement::new(
                "ManageRole",
                shared::MANAGE_ROLES,
                [scope.role_arn(&names.role())],
            ),
            Statement::new(
                "AttachOwnPolicyOnly",
                &["iam:AttachRolePolicy"],
                [scope.role_arn(&names.role())],
            )
            .condition(
                "ArnEquals",
                "iam:PolicyARN",
                [scope.policy_arn(&names.policy())],
            ),
            Statement::new(
                "ManagePolicy",
                shared::MANAGE_POLICIES,
                [scope.policy_arn(&names.policy())],
            ),
        ]);
        all.extend(shared::boundary_writes(
            scope,
            [scope.role_arn(&names.role())],
        ));
        if has_managed_topic(scope) {
            all.push(Statement::new(
                "ManageTopic",
                &[
                    "sns:CreateTopic",
                    "sns:SetTopicAttributes",
                    "sns:TagResource",
                ],
                [at.managed_topic_arn()],
            ));
            all.push(notification_write("ChangeBucketNotification", scope));
        }
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
        let at = in_bucket_region(scope);
        let mut all = deletes(scope);
        // Runs of tail that were killed may have left temporary queues.
        all.extend([
            Statement::for_all_resources("FindTemporaryQueues", &["sqs:ListQueues"]),
            Statement::new(
                "DeleteTemporaryQueues",
                &["sqs:DeleteQueue", "sqs:GetQueueUrl", "sqs:ListQueueTags"],
                [at.temporary_queue_arns()],
            ),
        ]);
        all
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
                "ReadTopic",
                &["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"],
                [at.managed_topic_arn(), topic_arn(scope)],
            ),
            Statement::for_all_resources("ReadSubscriptions", &["sns:GetSubscriptionAttributes"])
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
        let keys = read_key_arns(scope);
        if !keys.is_empty() {
            all.push(Statement::new(
                "ReadKeysOfBucket",
                &["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"],
                keys,
            ));
        }
        if let Some(key) = topic_key_arn(scope) {
            all.push(Statement::new(
                "ReadKeyOfTopic",
                &["kms:DescribeKey", "kms:GetKeyPolicy"],
                [key],
            ));
        }
        all
    }

    fn cost_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let mut all = vec![
            Statement::new("ListLogFiles", &["s3:ListBucket"], [bucket_arn(scope)])
                .in_account(&scope.account),
        ];
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
            Statement::new("FindLogObjects", &["s3:ListBucket"], [bucket_arn(scope)])
                .in_account(&scope.account),
        ];
        all.extend(temporary_queue(scope));
        all.extend(log_object_reads(scope));
        all
    }

    fn export_reads(&self, scope: &PolicyScope) -> Vec<Statement> {
        let mut all = self.plan_reads(scope);
        all.extend(shared::role_reads(scope));
        all.extend([topic_read(scope), queue_reads(scope)]);
        if has_managed_topic(scope) {
            all.push(
                Statement::new(
                    "ReadBucketNotification",
                    &["s3:GetBucketNotification"],
                    [bucket_arn(scope)],
                )
                .in_account(&scope.account),
            );
        }
        all
    }

    fn restore(&self, scope: &PolicyScope) -> Vec<Statement> {
        let (at, names) = (in_bucket_region(scope), &scope.names);
        let mut all = vec![
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
        ];
        if has_managed_topic(scope) {
            all.push(Statement::new(
                "RestoreTopic",
                &[
                    "sns:GetTopicAttributes",
                    "sns:ListTagsForResource",
                    "sns:SetTopicAttributes",
                ],
                [at.managed_topic_arn()],
            ));
            all.push(
                Statement::new(
                    "RestoreBucketNotification",
                    &["s3:GetBucketNotification", "s3:PutBucketNotification"],
                    [bucket_arn(scope)],
                )
                .in_account(&scope.account),
            );
        }
        all
    }

    fn tail_sources(&self) -> &'static [SourceKind] {
        &[SourceKind::Queue, SourceKind::Bucket]
    }

    fn tail(&self, source: SourceKind, scope: &PolicyScope) -> Vec<Statement> {
        let mut all = match source {
            SourceKind::Queue => temporary_queue(scope),
            SourceKind::Bucket => vec![
                Statement::new("FindLogObjects", &["s3:ListBucket"], [bucket_arn(scope)])
                    .in_account(&scope.account),
            ],
            SourceKind::LogGroup | SourceKind::HeelerQueue => return Vec::new(),
        };
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
    }
}

/// The queue and its dead-letter queue.
pub(in crate::option) fn queue_arns(scope: &PolicyScope) -> [String; 2] {
    let names = &scope.names;
    [names.queue(), names.dead_letter_queue()].map(|name| in_bucket_region(scope).queue_arn(&name))
}

fn topic_read(scope: &PolicyScope) -> Statement {
    Statement::new(
        "ReadTopic",
        &["sns:GetTopicAttributes", "sns:ListTagsForResource"],
        [
            in_bucket_region(scope).managed_topic_arn(),
            topic_arn(scope),
        ],
    )
}

pub(in crate::option) fn queue_reads(scope: &PolicyScope) -> Statement {
    Statement::new(
        "ReadQueues",
        &[
            "sqs:GetQueueAttributes",
            "sqs:GetQueueUrl",
            "sqs:ListQueueTags",
        ],
        queue_arns(scope),
    )
}

pub(in crate::option) fn notification_write(sid: &'static str, scope: &PolicyScope) -> Statement {
    Statement::new(sid, &["s3:PutBucketNotification"], [bucket_arn(scope)])
        .in_account(&scope.account)
}

/// Grants on the keys of the log objects: only to the role, and only to decrypt. `ForAllValues` is true for a
/// request without operations, so `Null` requires at least one.
pub(in crate::option) fn grant_writes(scope: &PolicyScope) -> [Statement; 2] {
    let keys = own_bucket_key_arns(scope);
    [
        Statement::new("GrantDecryptToRoleOnly", &["kms:CreateGrant"], keys.clone())
            .condition(
                "StringEquals",
                "kms:GranteePrincipal",
                [scope.role_arn(&scope.names.role())],
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

/// Deletes of destroy and of a rollback.
fn deletes(scope: &PolicyScope) -> Vec<Statement> {
    let (at, names) = (in_bucket_region(scope), &scope.names);
    let mut all = vec![
        Statement::new("DeleteQueues", &["sqs:DeleteQueue"], queue_arns(scope)),
        unsubscribe(scope),
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
    ];
    if has_managed_topic(scope) {
        all.push(Statement::new(
            "DeleteTopic",
            &["sns:DeleteTopic"],
            [at.managed_topic_arn()],
        ));
        all.push(notification_write("RemoveNotification", scope));
    }
    if !own_bucket_key_arns(scope).is_empty() {
        all.push(Statement::new(
            "RevokeOwnGrant",
            &["kms:RevokeGrant"],
            own_bucket_key_arns(scope),
        ));
    }
    all
}

fn unsubscribe(scope: &PolicyScope) -> Statement {
    Statement::for_all_resources("Unsubscribe", &["sns:Unsubscribe"]).in_account(&scope.account)
}

/// Subscribes a temporary queue to the topic and reads from it.
fn temporary_queue(scope: &PolicyScope) -> Vec<Statement> {
    let queues = in_bucket_region(scope).temporary_queue_arns();
    vec![
        Statement::for_all_resources("FindTemporaryQueues", &["sqs:ListQueues"]),
        Statement::new(
            "ReadWithTemporaryQueue",
            &[
                "sqs:CreateQueue",
                "sqs:DeleteMessage",
                "sqs:DeleteQueue",
                "sqs:GetQueueUrl",
                "sqs:ListQueueTags",
                "sqs:ReceiveMessage",
                "sqs:TagQueue",
            ],
            [queues.clone()],
        ),
        Statement::new(
            "ReadSubscriptions",
            &["sns:ListSubscriptionsByTopic"],
            [topic_arn(scope)],
        ),
        Statement::new(
            "SubscribeOwnQueueOnly",
            &["sns:Subscribe"],
            [topic_arn(scope)],
        )
        .condition("StringEquals", "sns:Protocol", ["sqs".to_owned()])
        .condition("StringLike", "sns:Endpoint", [queues]),
        unsubscribe(scope),
    ]
}

/// Reads the properties of log objects. Without the permission to list the bucket, S3 does not say that an object does not
/// exist.
pub(in crate::option) fn log_object_properties(scope: &PolicyScope) -> Vec<Statement> {
    let find = Statement::new("FindLogObjects", &["s3:ListBucket"], [bucket_arn(scope)]);
    vec![find.in_account(&scope.account), log_object_read(scope)]
}

fn log_object_read(scope: &PolicyScope) -> Statement {
    Statement::new(
        "ReadLogObjects",
        &["s3:GetObject"],
        [log_object_arns(scope)],
    )
    .in_account(&scope.account)
}

/// Reads and decrypts log objects.
pub(in crate::option) fn log_object_reads(scope: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![log_object_read(scope)];
    if !bucket_key_arns(scope).is_empty() {
        let via_s3 = format!("s3.{}.amazonaws.com", region(scope));
        all.push(
            Statement::new(
                "DecryptLogObjectsThroughS3",
                &["kms:Decrypt"],
                bucket_key_arns(scope),
            )
            .condition("StringEquals", "kms:ViaService", [via_s3]),
        );
    }
    all
}
