//! The IAM actions that each call needs.

use crate::Call;

/// Operations that need the action with the same name, by service.
const SAME_NAME: &[(&str, &[&str])] = &[
    ("account", &["ListRegions"]),
    (
        "cloudtrail",
        &[
            "DescribeTrails",
            "GetEventSelectors",
            "GetTrailStatus",
            "ListTrails",
            "LookupEvents",
            "StartLogging",
        ],
    ),
    (
        "iam",
        &[
            "AttachRolePolicy",
            "CreatePolicyVersion",
            "DeletePolicy",
            "DeletePolicyVersion",
            "DeleteRole",
            "DetachRolePolicy",
            "GetAccountSummary",
            "GetPolicy",
            "GetPolicyVersion",
            "GetRole",
            "GetRolePolicy",
            "ListAttachedRolePolicies",
            "ListEntitiesForPolicy",
            "ListInstanceProfilesForRole",
            "ListPolicyVersions",
            "ListRolePolicies",
            "ListRoles",
            "SimulatePrincipalPolicy",
            "DeleteRolePermissionsBoundary",
            "PutRolePermissionsBoundary",
            "TagPolicy",
            "TagRole",
            "UntagRole",
            "UpdateAssumeRolePolicy",
            "UpdateRole",
        ],
    ),
    (
        "kms",
        &[
            "CreateAlias",
            "CreateGrant",
            "DeleteAlias",
            "DescribeKey",
            "DisableKey",
            "DisableKeyRotation",
            "EnableKey",
            "EnableKeyRotation",
            "GetKeyPolicy",
            "GetKeyRotationStatus",
            "ListAliases",
            "ListGrants",
            "ListKeys",
            "ListResourceTags",
            "PutKeyPolicy",
            "RevokeGrant",
            "ScheduleKeyDeletion",
            "TagResource",
            "UpdateAlias",
            "UpdateKeyDescription",
        ],
    ),
    (
        "lambda",
        &[
            "AddPermission",
            "DeleteFunction",
            "DeleteFunctionConcurrency",
            "GetAccountSettings",
            "GetFunctionConcurrency",
            "GetPolicy",
            "PutFunctionConcurrency",
            "RemovePermission",
            "TagResource",
            "UpdateFunctionCode",
        ],
    ),
    (
        "logs",
        &[
            "DeleteLogGroup",
            "DeleteSubscriptionFilter",
            "DescribeAccountPolicies",
            "DescribeLogGroups",
            "DescribeLogStreams",
            "DescribeSubscriptionFilters",
            "FilterLogEvents",
            "GetTransformer",
            "PutRetentionPolicy",
            "PutSubscriptionFilter",
        ],
    ),
    (
        "organizations",
        &[
            "ListAccounts",
            "DescribeOrganization",
            "ListAWSServiceAccessForOrganization",
            "ListDelegatedAdministrators",
        ],
    ),
    (
        "s3",
        &[
            "GetBucketOwnershipControls",
            "GetBucketPolicy",
            "GetBucketRequestPayment",
        ],
    ),
    (
        "sns",
        &[
            "DeleteTopic",
            "GetSubscriptionAttributes",
            "GetTopicAttributes",
            "ListSubscriptionsByTopic",
            "ListTagsForResource",
            "SetSubscriptionAttributes",
            "SetTopicAttributes",
            "Subscribe",
            "TagResource",
            "Unsubscribe",
        ],
    ),
    (
        "sqs",
        &[
            "CancelMessageMoveTask",
            "DeleteQueue",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListMessageMoveTasks",
            "ListQueueTags",
            "ListQueues",
            "ReceiveMessage",
            "SetQueueAttributes",
            "TagQueue",
        ],
    ),
];

/// Operations that need other actions. An operation that creates a resource with tags also needs the action that tags it.
const OTHER_ACTIONS: &[(&str, &[&str])] = &[
    ("iam:CreatePolicy", &["iam:CreatePolicy", "iam:TagPolicy"]),
    ("iam:CreateRole", &["iam:CreateRole", "iam:TagRole"]),
    ("kms:CreateKey", &["kms:CreateKey", "kms:TagResource"]),
    (
        "lambda:CreateFunction",
        &[
            "iam:PassRole",
            "lambda:CreateFunction",
            "lambda:TagResource",
        ],
    ),
    // Without the second action the response has no tags.
    (
        "lambda:GetFunction",
        &["lambda:GetFunction", "lambda:ListTags"],
    ),
    (
        "lambda:UpdateFunctionConfiguration",
        &["iam:PassRole", "lambda:UpdateFunctionConfiguration"],
    ),
    ("monitoring:GetMetricData", &["cloudwatch:GetMetricData"]),
    ("s3:GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
    (
        "s3:GetBucketLifecycleConfiguration",
        &["s3:GetLifecycleConfiguration"],
    ),
    (
        "s3:GetBucketNotificationConfiguration",
        &["s3:GetBucketNotification"],
    ),
    ("s3:GetObject", &["s3:GetObject"]),
    ("s3:HeadBucket", &["s3:ListBucket"]),
    ("s3:HeadObject", &["s3:GetObject"]),
    ("s3:ListBuckets", &["s3:ListAllMyBuckets"]),
    ("s3:ListObjectsV2", &["s3:ListBucket"]),
    (
        "s3:PutBucketNotificationConfiguration",
        &["s3:PutBucketNotification"],
    ),
    ("sns:CreateTopic", &["sns:CreateTopic", "sns:TagResource"]),
    ("sqs:CreateQueue", &["sqs:CreateQueue", "sqs:TagQueue"]),
    (
        "sqs:ChangeMessageVisibilityBatch",
        &["sqs:ChangeMessageVisibility"],
    ),
    ("sqs:DeleteMessageBatch", &["sqs:DeleteMessage"]),
    // SQS moves the messages with the permissions of the caller.
    (
        "sqs:StartMessageMoveTask",
        &[
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "sqs:DeleteMessage",
            "sqs:ReceiveMessage",
            "sqs:SendMessage",
            "sqs:StartMessageMoveTask",
        ],
    ),
    // A permission of the credentials of the source profile, not of the role that runs the command.
    ("sts:AssumeRole", &[]),
    // This operation needs no permission.
    ("sts:GetCallerIdentity", &[]),
];

/// Returns the actions that a call needs. `encrypted` says that a customer managed key encrypts the bucket's objects.
#[track_caller]
pub fn required_actions(call: &Call, encrypted: bool) -> Vec<String> {
    let name = call.name();
    let same = SAME_NAME
        .iter()
        .any(|(service, names)| *service == call.service && names.contains(&&*call.operation));
    if same {
        return vec![name];
    }
    let (_, actions) = OTHER_ACTIONS
        .iter()
        .find(|(operation, _)| *operation == name)
        .unwrap_or_else(|| {
            panic!("add the IAM actions of {name} to tests/testkit/src/iam_actions.rs")
        });
    let mut actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
    if name == "s3:GetObject" && encrypted {
        actions.push("kms:Decrypt".to_owned());
    }
    actions
}
