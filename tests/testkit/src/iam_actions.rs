//! Which IAM actions a call needs, and whether the policy of the command that made it has them.

use crate::Call;

/// Operations that need the action of their own name, by service.
const SAME: &[(&str, &[&str])] = &[
    ("account", &["ListRegions"]),
    (
        "cloudtrail",
        &[
            "DescribeTrails",
            "GetEventSelectors",
            "GetTrailStatus",
            "ListTrails",
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
            "ListAttachedRolePolicies",
            "ListPolicyVersions",
            "SimulatePrincipalPolicy",
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
            "DeleteQueue",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListQueueTags",
            "ListQueues",
            "ReceiveMessage",
            "SetQueueAttributes",
            "TagQueue",
        ],
    ),
];

/// Operations that need other actions. What creates something with tags needs the action that tags it, too.
const OTHER: &[(&str, &[&str])] = &[
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
    // Without the other action there are no tags in the answer.
    (
        "lambda:GetFunction",
        &["lambda:GetFunction", "lambda:ListTags"],
    ),
    (
        "lambda:UpdateFunctionConfiguration",
        &["iam:PassRole", "lambda:UpdateFunctionConfiguration"],
    ),
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
    // Everybody may ask who they are.
    ("sts:GetCallerIdentity", &[]),
];

/// The actions that AWS asks the caller's policies for. What an encrypted object is read with counts only where the
/// objects of the bucket are `encrypted` with a key of the customer's.
#[track_caller]
pub fn required_actions(call: &Call, encrypted: bool) -> Vec<String> {
    let name = call.name();
    let same = SAME
        .iter()
        .any(|(service, names)| *service == call.service && names.contains(&&*call.operation));
    if same {
        return vec![name];
    }
    let (_, actions) = OTHER
        .iter()
        .find(|(operation, _)| *operation == name)
        .unwrap_or_else(|| panic!("it is not known which permission {name} needs"));
    let mut actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
    if name == "s3:GetObject" && encrypted {
        actions.push("kms:Decrypt".to_owned());
    }
    actions
}
