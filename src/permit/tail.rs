//! What tail and outputs do with a deployment that is there. Only who asks for it by name may receive from Heeler's
//! queue.

use super::place::Place;
use super::statement::Statement;
use super::{OWN, OWN_TAG_OF_RESOURCE};
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
        name_accounts(),
        Statement::new("ReadEvents", &["logs:FilterLogEvents"], place.log_group()),
    ]
}

/// Those of a bucket are announced to a queue that is made for it.
pub(super) fn tap(place: &Place) -> Vec<Statement> {
    let mut all = vec![
        find(place),
        name_accounts(),
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
    ];
    all.extend(objects(place));
    all
}

/// Or they are found in it.
pub(super) fn bucket(place: &Place) -> Vec<Statement> {
    let mut all = vec![
        find(place),
        name_accounts(),
        Statement::new("FindLogObjects", &["s3:ListBucket"], [place.bucket()])
            .of_account(&place.account),
    ];
    all.extend(objects(place));
    all
}

/// Messages are received, and given back.
pub(super) fn heelers_queue(routes: &[Route], place: &Place) -> Vec<Statement> {
    let queue = |route: &Route| match route {
        Route::S3 => place.queue(&place.names.queue()),
        Route::CloudWatch => place.at_log_group().queue(&place.names.fifo_queue()),
    };
    let mut all = vec![
        find(place),
        name_accounts(),
        Statement::new(
            "ReceiveFromHeelersQueueAndGiveBack",
            &[
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
            ],
            routes.iter().map(queue),
        ),
        Statement::new("DecryptMessages", &["kms:Decrypt"], [place.keys()]).when(
            "StringEquals",
            OWN_TAG_OF_RESOURCE,
            [OWN.to_owned()],
        ),
    ];
    if routes.contains(&Route::S3) {
        all.extend(objects(place));
    }
    all
}

/// Tables show the names of accounts.
fn name_accounts() -> Statement {
    Statement::anywhere("NameAccounts", &["organizations:ListAccounts"])
}

fn objects(place: &Place) -> Vec<Statement> {
    let mut all = vec![
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
