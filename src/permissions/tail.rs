//! What tail and outputs do with a deployment that is there. Only who asks for it by name may receive from Heeler's
//! queue.

use super::scope::PolicyScope;
use super::statement::Statement;
use super::{MANAGED_BY_VALUE, RESOURCE_TAG_KEY};
use crate::inventory::trail_destination::TrailDestination;

pub(super) fn outputs(routes: &[TrailDestination], place: &PolicyScope) -> Vec<Statement> {
    let queue = |route: &TrailDestination| match route {
        TrailDestination::Bucket => place.queue_arn(&place.names.queue()),
        TrailDestination::LogGroup => place
            .in_log_group_region()
            .queue_arn(&place.names.fifo_queue()),
    };
    vec![
        find_deployment(place),
        Statement::new(
            "ReadQueueUrl",
            &["sqs:GetQueueUrl"],
            routes.iter().map(queue),
        ),
    ]
}

/// Events of a log group are read from it.
pub(super) fn log_group(place: &PolicyScope) -> Vec<Statement> {
    vec![
        find_deployment(place),
        account_names(),
        Statement::new(
            "ReadEvents",
            &["logs:FilterLogEvents"],
            place.log_group_arns(),
        ),
    ]
}

/// Those of a bucket are announced to a queue that is made for it.
pub(super) fn temporary_queue(place: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![
        find_deployment(place),
        account_names(),
        Statement::for_all_resources("FindTaps", &["sqs:ListQueues"]),
        Statement::new(
            "ListenWithOwnQueue",
            &[
                "sqs:CreateQueue",
                "sqs:DeleteMessage",
                "sqs:DeleteQueue",
                "sqs:GetQueueUrl",
                "sqs:ListQueueTags",
                "sqs:ReceiveMessage",
                "sqs:TagQueue",
            ],
            [place.temporary_queue_arns()],
        ),
        Statement::new(
            "ReadSubscriptions",
            &["sns:ListSubscriptionsByTopic"],
            [place.topic_arn()],
        ),
        Statement::new(
            "SubscribeOwnQueueOnly",
            &["sns:Subscribe"],
            [place.topic_arn()],
        )
        .condition("StringEquals", "sns:Protocol", ["sqs".to_owned()])
        .condition("StringLike", "sns:Endpoint", [place.temporary_queue_arns()]),
        Statement::for_all_resources("Unsubscribe", &["sns:Unsubscribe"])
            .in_account(&place.account),
    ];
    all.extend(log_object_reads(place));
    all
}

/// Or they are found in it.
pub(super) fn bucket(place: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![
        find_deployment(place),
        account_names(),
        Statement::new("FindLogObjects", &["s3:ListBucket"], [place.bucket_arn()])
            .in_account(&place.account),
    ];
    all.extend(log_object_reads(place));
    all
}

/// Messages are received, and given back.
pub(super) fn heelers_queue(routes: &[TrailDestination], place: &PolicyScope) -> Vec<Statement> {
    let queue = |route: &TrailDestination| match route {
        TrailDestination::Bucket => place.queue_arn(&place.names.queue()),
        TrailDestination::LogGroup => place
            .in_log_group_region()
            .queue_arn(&place.names.fifo_queue()),
    };
    let mut all = vec![
        find_deployment(place),
        account_names(),
        Statement::new(
            "ReceiveFromHeelersQueueAndGiveBack",
            &[
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
            ],
            routes.iter().map(queue),
        ),
        Statement::new("DecryptMessages", &["kms:Decrypt"], [place.all_key_arns()]).condition(
            "StringEquals",
            RESOURCE_TAG_KEY,
            [MANAGED_BY_VALUE.to_owned()],
        ),
    ];
    if routes.contains(&TrailDestination::Bucket) {
        all.extend(log_object_reads(place));
    }
    all
}

/// Tables show the names of accounts.
fn account_names() -> Statement {
    Statement::for_all_resources("NameAccounts", &["organizations:ListAccounts"])
}

fn log_object_reads(place: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![
        Statement::new(
            "ReadLogObjects",
            &["s3:GetObject"],
            [place.log_object_arns()],
        )
        .in_account(&place.account),
    ];
    if !place.bucket_keys.is_empty() {
        all.push(
            Statement::new(
                "DecryptLogObjectsThroughS3",
                &["kms:Decrypt"],
                place.bucket_key_arns(),
            )
            .condition(
                "StringEquals",
                "kms:ViaService",
                [format!("s3.{}.amazonaws.com", place.region)],
            ),
        );
    }
    all
}

/// The role tells all else.
fn find_deployment(place: &PolicyScope) -> Statement {
    Statement::new(
        "FindDeployment",
        &["iam:GetRole"],
        [place.role_arn(&place.names.role())],
    )
}
