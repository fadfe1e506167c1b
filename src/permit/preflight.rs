//! What preflight asks: the trail, what it delivers to, and the names that setup would take. It only reads.

use super::Preflight;
use super::place::Place;
use super::statement::Statement;
use crate::route::Route;

pub(super) fn statements(wanted: Preflight, place: &Place) -> Vec<Statement> {
    let mut all = always(place);
    for route in wanted.routes() {
        all.extend(match route {
            Route::S3 => s3(place),
            Route::CloudWatch => cloudwatch(wanted, &place.at_log_group()),
        });
    }
    if wanted.deep {
        all.push(Statement::anywhere(
            "ReadWithoutResource",
            &["iam:GetAccountSummary"],
        ));
        all.push(Statement::new(
            "SimulateCaller",
            &["iam:SimulatePrincipalPolicy"],
            place.callers(),
        ));
        // The path of a role is not in the name of its session.
        all.push(Statement::new(
            "ReadCaller",
            &["iam:GetRole"],
            [place.role("*")],
        ));
    }
    if wanted.fix {
        all.push(Statement::new(
            "StartTrail",
            &["cloudtrail:StartLogging"],
            [place.trails()],
        ));
    }
    all
}

fn always(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    vec![
        Statement::anywhere(
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
            [place.trails()],
        ),
        Statement::new("ReadRole", &["iam:GetRole"], [place.role(&names.role())]),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicy"],
            [place.policy(&names.policy())],
        ),
    ]
}

/// The id of our key is not known beforehand. KMS asks about the key, also when it was asked for by its alias.
fn own_key(sid: &'static str, place: &Place) -> Statement {
    Statement::new(
        sid,
        &["kms:DescribeKey", "kms:ListResourceTags"],
        [place.keys()],
    )
    .when(
        "ForAnyValue:StringEquals",
        "kms:ResourceAliases",
        [place.names.alias()],
    )
}

fn s3(place: &Place) -> Vec<Statement> {
    let mut all = vec![
        own_key("ReadOwnKey", place),
        Statement::anywhere("ReadWithoutResource", &["s3:ListAllMyBuckets"]),
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
            [place.bucket()],
        )
        .of_account(&place.account),
        Statement::new("ReadLogObjects", &["s3:GetObject"], [place.log_objects()])
            .of_account(&place.account),
        Statement::new(
            "ReadTopic",
            &["sns:GetTopicAttributes", "sns:ListTagsForResource"],
            [place.own_topic(), place.topic()],
        ),
        Statement::new(
            "ReadQueues",
            &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
            place.queues(),
        ),
    ];
    let keys: Vec<String> = place
        .bucket_keys
        .iter()
        .chain(&place.other_keys)
        .map(|key| place.key(key))
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
            [place.key(key)],
        ));
    }
    all
}

fn cloudwatch(wanted: Preflight, place: &Place) -> Vec<Statement> {
    let names = &place.names;
    let mut all = vec![
        own_key("ReadOwnKeyAtLogGroup", place),
        Statement::anywhere(
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
            place.log_group(),
        ),
        // Lambda tells the tags of a function to those only who may list them.
        Statement::new(
            "ReadFunction",
            &["lambda:GetFunction", "lambda:ListTags"],
            [place.function()],
        ),
        Statement::new(
            "ReadRoleOfFunction",
            &["iam:GetRole"],
            [place.role(&names.function_role())],
        ),
        Statement::new(
            "ReadPolicyOfFunction",
            &["iam:GetPolicy"],
            [place.policy(&names.function_policy())],
        ),
        Statement::new(
            "ReadFifoQueues",
            &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
            place.fifo_queues(),
        ),
    ];
    if let Some(key) = &place.log_group_key {
        all.push(Statement::new(
            "ReadKeyOfLogGroup",
            &["kms:DescribeKey"],
            [place.key(key)],
        ));
    }
    if wanted.deep {
        all.push(Statement::new(
            "ReadLogGroup",
            &["logs:GetTransformer"],
            place.log_group(),
        ));
    }
    if wanted.fix {
        all.push(Statement::new(
            "SetRetention",
            &["logs:PutRetentionPolicy"],
            place.log_group(),
        ));
    }
    all
}
