//! What tail and outputs do with a deployment that is there. Neither may receive from Heeler's queue.

use super::place::Place;
use super::statement::Statement;
use crate::route::Route;

pub(super) fn outputs(routes: &[Route], place: &Place) -> Vec<Statement> {
    let queue = |route: &Route| match route {
        Route::S3 => place.queue(&place.names.queue()),
        Route::CloudWatch => place.at_log_group().queue(&place.names.fifo_queue()),
    };
    vec![
        find(place),
        Statement::new(
            "ReadQueueUrl",
            &["sqs:GetQueueUrl"],
            routes.iter().map(queue),
        ),
    ]
}

/// Events of a log group are read from it.
pub(super) fn log_group(place: &Place) -> Vec<Statement> {
    vec![
        find(place),
        Statement::new("ReadEvents", &["logs:FilterLogEvents"], place.log_group()),
    ]
}

/// Those of a bucket are announced to a queue that is made for it.
pub(super) fn tap(place: &Place) -> Vec<Statement> {
    let mut all = vec![
        find(place),
        Statement::anywhere("FindTaps", &["sqs:ListQueues"]),
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
            [place.taps()],
        ),
        Statement::new(
            "ReadSubscriptions",
            &["sns:ListSubscriptionsByTopic"],
            [place.topic()],
        ),
        Statement::new("SubscribeOwnQueueOnly", &["sns:Subscribe"], [place.topic()])
            .when("StringEquals", "sns:Protocol", ["sqs".to_owned()])
            .when("StringLike", "sns:Endpoint", [place.taps()]),
        Statement::anywhere("Unsubscribe", &["sns:Unsubscribe"]).of_account(&place.account),
        Statement::new("ReadLogObjects", &["s3:GetObject"], [place.log_objects()])
            .of_account(&place.account),
    ];
    if !place.bucket_keys.is_empty() {
        all.push(
            Statement::new(
                "DecryptLogObjectsThroughS3",
                &["kms:Decrypt"],
                place.keys_of_bucket(),
            )
            .when(
                "StringEquals",
                "kms:ViaService",
                [format!("s3.{}.amazonaws.com", place.region)],
            ),
        );
    }
    all
}

/// The role tells all else.
fn find(place: &Place) -> Statement {
    Statement::new(
        "FindDeployment",
        &["iam:GetRole"],
        [place.role(&place.names.role())],
    )
}
