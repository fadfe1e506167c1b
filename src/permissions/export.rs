//! What export reads: every resource of a deployment that is there, and nothing of the trail.

use super::scope::PolicyScope;
use super::statement::Statement;
use super::{cloudwatch as of_cloudwatch, setup};

/// Of option s3: what plan reads of the resources, and whose they are.
pub(super) fn s3(place: &PolicyScope) -> Vec<Statement> {
    let mut all = setup::plan_reads(place);
    all.extend(role_reads(place));
    all.extend([
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
    ]);
    if place.topic.is_none() {
        all.push(
            Statement::new(
                "ReadBucketNotification",
                &["s3:GetBucketNotification"],
                [place.bucket_arn()],
            )
            .in_account(&place.account),
        );
    }
    all
}

/// The same of option cloudwatch.
pub(super) fn cloudwatch(place: &PolicyScope) -> Vec<Statement> {
    let names = &place.names;
    let mut all = of_cloudwatch::plan_reads(place);
    all.extend(role_reads(place));
    all.extend([
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
            "ReadFunction",
            &["lambda:GetFunction", "lambda:ListTags"],
            [place.function_arn()],
        ),
        Statement::new(
            "ReadFifoQueues",
            &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
            place.fifo_queue_arns(),
        ),
        Statement::new(
            "ReadLogGroup",
            &["logs:DescribeSubscriptionFilters"],
            place.log_group_arns(),
        ),
    ]);
    all
}

fn role_reads(place: &PolicyScope) -> [Statement; 2] {
    let names = &place.names;
    [
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
