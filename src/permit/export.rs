//! What export reads: every resource of a deployment that is there, and nothing of the trail.

use super::place::Place;
use super::statement::Statement;
use super::{cloudwatch as of_cloudwatch, setup};

/// Of option s3: what plan reads of the resources, and whose they are.
pub(super) fn s3(place: &Place) -> Vec<Statement> {
    let mut all = setup::reads(place);
    all.extend(whose_role(place));
    all.extend([
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
    ]);
    if place.topic.is_none() {
        all.push(
            Statement::new(
                "ReadBucketNotification",
                &["s3:GetBucketNotification"],
                [place.bucket()],
            )
            .of_account(&place.account),
        );
    }
    all
}

/// The same of option cloudwatch.
pub(super) fn cloudwatch(place: &Place) -> Vec<Statement> {
    let names = &place.names;
    let mut all = of_cloudwatch::reads(place);
    all.extend(whose_role(place));
    all.extend([
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
            "ReadFunction",
            &["lambda:GetFunction", "lambda:ListTags"],
            [place.function()],
        ),
        Statement::new(
            "ReadFifoQueues",
            &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
            place.fifo_queues(),
        ),
        Statement::new(
            "ReadLogGroup",
            &["logs:DescribeSubscriptionFilters"],
            place.log_group(),
        ),
    ]);
    all
}

fn whose_role(place: &Place) -> [Statement; 2] {
    let names = &place.names;
    [
        Statement::new("ReadRole", &["iam:GetRole"], [place.role(&names.role())]),
        Statement::new(
            "ReadPolicy",
            &["iam:GetPolicy"],
            [place.policy(&names.policy())],
        ),
    ]
}
