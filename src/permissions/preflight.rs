//! What preflight asks: the trail, what it delivers to, and the names that setup would take. It only reads.

use super::Preflight;
use super::scope::PolicyScope;
use super::statement::Statement;
use crate::inventory::trail_destination::TrailDestination;

pub(super) fn statements(wanted: Preflight, place: &PolicyScope) -> Vec<Statement> {
    let mut all = common_reads(place);
    for route in wanted.destinations() {
        all.extend(match route {
            TrailDestination::Bucket => s3(place),
            TrailDestination::LogGroup => cloudwatch(wanted, &place.in_log_group_region()),
        });
    }
    if wanted.deep {
        all.push(Statement::for_all_resources(
            "ReadWithoutResource",
            &["iam:GetAccountSummary"],
        ));
        all.push(Statement::new(
            "SimulateCaller",
            &["iam:SimulatePrincipalPolicy"],
            place.caller_arns(),
        ));
        // The path of a role is not in the name of its session.
        all.push(Statement::new(
            "ReadCaller",
            &["iam:GetRole"],
            [place.role_arn("*")],
        ));
    }
    if wanted.fix {
        all.push(Statement::new(
            "StartTrail",
            &["cloudtrail:StartLogging"],
            [place.trail_arns()],
        ));
    }
    all
}

fn common_reads(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    vec![
        Statement::for_all_resources(
            "ReadWithoutResource",
            &[
                "account:ListRegions",
                "cloudtrail:DescribeTrails",
                "cloudtrail:ListTrails",
                "organizations:DescribeOrganization",
                "organizations:ListAWSServiceAccessForOrganization",
                "organizations:ListDelegatedAdministrators",
            ],
        ),
        Statement::new(
            "ReadTrail",
            &["cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
            [place.trail_arns()],
        ),
        Statement::new(
            "ReadRole",
            &["iam:GetRole"],
            [place.role_arn(&names.role())],
        ),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicy"],
            [place.policy_arn(&names.policy())],
        ),
    ]
}

/// The id of our key is not known beforehand. KMS asks about the key, also when it was asked for by its alias.
fn managed_key_read(sid: &'static str, place: &PolicyScope) -> Statement {
    Statement::new(
        sid,
        &["kms:DescribeKey", "kms:ListResourceTags"],
        [place.all_key_arns()],
    )
    .condition(
        "ForAnyValue:StringEquals",
        "kms:ResourceAliases",
        [place.names.key_alias()],
    )
}

fn s3(place: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![
        managed_key_read("ReadOwnKey", place),
        Statement::for_all_resources("ReadWithoutResource", &["s3:ListAllMyBuckets"]),
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
            [place.bucket_arn()],
        )
        .in_account(&place.account),
        Statement::new(
            "ReadLogObjects",
            &["s3:GetObject"],
            [place.log_object_arns()],
        )
        .in_account(&place.account),
        Statement::new(
            "ReadTopic",
            &["sns:GetTopicAttributes", "sns:ListTagsForResource"],
            [place.managed_topic_arn(), place.topic_arn()],
        ),
        Statement::new(
            "ReadQueues",
            &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
            place.queue_arns(),
        ),
    ];
    let keys: Vec<String> = place
        .bucket_keys
        .iter()
        .chain(&place.other_keys)
        .map(|key| place.key_arn(key))
        .collect();
    if !keys.is_empty() {
        all.push(Statement::new(
            "ReadKeysOfBucket",
            &["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"],
            keys,
        ));
    }
    if let Some(key) = &place.topic_key {
        all.push(Statement::new(
            "ReadKeyOfTopic",
            &["kms:DescribeKey", "kms:GetKeyPolicy"],
            [place.key_arn(key)],
        ));
    }
    all
}

fn cloudwatch(wanted: Preflight, place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    let mut all = vec![
        managed_key_read("ReadOwnKeyAtLogGroup", place),
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
            place.log_group_arns(),
        ),
        // Lambda tells the tags of a function to those only who may list them.
        Statement::new(
            "ReadFunction",
            &["lambda:GetFunction", "lambda:ListTags"],
            [place.function_arn()],
        ),
        Statement::new(
            "ReadRoleOfFunction",
            &["iam:GetRole"],
            [place.role_arn(&names.function_role())],
        ),
        Statement::new(
            "ReadPolicyOfFunction",
            &["iam:GetPolicy"],
            [place.policy_arn(&names.function_policy())],
        ),
        Statement::new(
            "ReadFifoQueues",
            &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
            place.fifo_queue_arns(),
        ),
    ];
    if let Some(key) = &place.log_group_key {
        all.push(Statement::new(
            "ReadKeyOfLogGroup",
            &["kms:DescribeKey"],
            [place.key_arn(key)],
        ));
    }
    if wanted.deep {
        all.push(Statement::new(
            "ReadLogGroup",
            &["logs:GetTransformer"],
            place.log_group_arns(),
        ));
    }
    if wanted.fix {
        all.push(Statement::new(
            "SetRetention",
            &["logs:PutRetentionPolicy"],
            place.log_group_arns(),
        ));
    }
    all
}
