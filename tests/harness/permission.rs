//! Which IAM actions a call needs, and whether the policy of the command that made it has them.

use std::collections::BTreeSet;

use heeler_ec::names::Names;
use heeler_ec::permit::place::Place;
use heeler_ec::permit::{Preflight, Task, statements};
use heeler_ec::route::Route;

use super::Call;

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
pub fn actions(call: &Call, encrypted: bool) -> Vec<String> {
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

/// What a command line wants to do; nothing for one that calls nothing, or is not of our program.
pub fn tasks(args: &[String]) -> Vec<Task> {
    let has = |name: &str| args.iter().any(|arg| arg == name);
    let route = args
        .windows(2)
        .find(|pair| pair[0] == "--option")
        .and_then(|pair| Route::named(&pair[1]));
    // Without an option it is about the one that was set up.
    let routes = || route.map_or(Route::ALL.to_vec(), |route| vec![route]);
    let planned = || routes().into_iter().map(Task::Plan).collect();
    let found = args.iter().find_map(|arg| match arg.as_str() {
        "preflight" => Some(vec![Task::Preflight(Preflight {
            route,
            deep: has("--deep"),
            fix: has("--fix"),
        })]),
        "plan" => Some(planned()),
        "setup" if has("--dry-run") => Some(planned()),
        "setup" if has("rollback") => Some(routes().into_iter().map(Task::Rollback).collect()),
        "setup" => Some(routes().into_iter().map(Task::Setup).collect()),
        "outputs" => Some(vec![Task::Outputs(None)]),
        "tail" if has("bucket") => Some(vec![Task::TailOfBucket]),
        "tail" if has("--from-heelers-queue") => Some(vec![Task::TailOfHeelersQueue(None)]),
        "export" => Some(vec![Task::Export(None)]),
        "tail" => Some(vec![Task::Tail(None)]),
        "destroy" => Some(vec![Task::Destroy(None)]),
        "restore" => Some(vec![Task::Restore(None)]),
        // It asks what preflight asks.
        "policy" => Some(vec![Task::Preflight(Preflight::default())]),
        _ => None,
    });
    found.unwrap_or_default()
}

/// The actions of a task's policy.
pub fn permitted(task: Task) -> BTreeSet<String> {
    let place = Place::anywhere(Names::new("heeler"));
    statements(task, &place)
        .into_iter()
        .flat_map(|statement| statement.actions)
        .map(str::to_owned)
        .collect()
}
