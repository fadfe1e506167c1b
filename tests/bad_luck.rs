//! What AWS refuses, loses and delays: setup waits, or says what is missing, and the same command completes it.

use std::time::Duration;

use crate::harness::{Engine, Fault, What, World};
use crate::steps::{keys, names, plan, setup, setup_with, side_by_side};

const ID: &str = "id-of-the-setup";

/// Everything is there, once, and nothing is left to do.
async fn is_complete(world: &World) {
    plan(world)
        .args(["--check", "--external-id", ID])
        .run()
        .await
        .ended(0);
    assert_eq!(keys(world).await, 1);
}

/// A setup that meets these faults ends well by itself.
async fn overcomes(faults: impl IntoIterator<Item = Fault>) {
    let world = World::on(Engine::Ministack)
        .bucket_key()
        .foreign_notifications()
        .build()
        .await;
    for fault in faults {
        world.proxy().fault(fault);
    }
    setup_with(&world, ID).run().await.ended(0);
    world.proxy().mend();
    is_complete(&world).await;
}

fn refused(service: &str, operation: &str, code: &str, message: &str) -> Fault {
    Fault::new(service, operation, What::refuse(400, code, message))
}

#[tokio::test]
async fn a_refusal_that_passes_by_itself_is_waited_out() {
    let table = [
        (
            "iam",
            "CreateRole",
            "MalformedPolicyDocument",
            "Invalid principal in policy: \"AWS\"",
        ),
        (
            "iam",
            "CreateRole",
            "ConcurrentModification",
            "modified by another request",
        ),
        (
            "iam",
            "AttachRolePolicy",
            "ConcurrentModification",
            "modified by another request",
        ),
        (
            "kms",
            "CreateKey",
            "MalformedPolicyDocumentException",
            "invalid principals",
        ),
        (
            "kms",
            "EnableKeyRotation",
            "NotFoundException",
            "Key does not exist",
        ),
        (
            "kms",
            "CreateAlias",
            "NotFoundException",
            "Key does not exist",
        ),
        (
            "kms",
            "CreateGrant",
            "InvalidArnException",
            "ARN does not refer to a valid principal",
        ),
        (
            "sqs",
            "CreateQueue",
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "wait 60 seconds",
        ),
        (
            "sqs",
            "SetQueueAttributes",
            "InvalidAttributeValue",
            "Invalid value for the parameter Policy.",
        ),
        (
            "sns",
            "SetTopicAttributes",
            "InvalidParameter",
            "Invalid parameter: Policy",
        ),
        ("sns", "Subscribe", "NotFound", "Topic does not exist"),
        (
            "s3",
            "PutBucketNotificationConfiguration",
            "InvalidArgument",
            "Unable to validate the following destination configurations",
        ),
        (
            "s3",
            "PutBucketNotificationConfiguration",
            "OperationAborted",
            "A conflicting conditional operation is currently in progress against this resource.",
        ),
    ];
    side_by_side(
        table
            .into_iter()
            .map(|(service, operation, code, message)| {
                overcomes([refused(service, operation, code, message).times(2)])
            }),
    )
    .await;
}

#[tokio::test]
async fn throttled_calls_are_made_again() {
    let table = [
        ("iam", "*", "Throttling"),
        ("kms", "*", "ThrottlingException"),
        ("sqs", "*", "ThrottlingException"),
        ("sns", "*", "Throttling"),
        ("s3", "*", "SlowDown"),
        ("cloudtrail", "*", "ThrottlingException"),
    ];
    overcomes(table.map(|(service, operation, code)| {
        refused(service, operation, code, "Rate exceeded")
            .after(1)
            .times(2)
    }))
    .await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_not_made_twice() {
    let table = [
        ("kms", "CreateKey"),
        ("kms", "CreateAlias"),
        ("kms", "CreateGrant"),
        ("sqs", "CreateQueue"),
        ("sns", "CreateTopic"),
        ("sns", "Subscribe"),
        ("iam", "CreateRole"),
        ("iam", "CreatePolicy"),
        ("iam", "AttachRolePolicy"),
        ("s3", "PutBucketNotificationConfiguration"),
    ];
    side_by_side(table.into_iter().map(|(service, operation)| async move {
        let world = World::on(Engine::Ministack).bucket_key().build().await;
        world
            .proxy()
            .fault(Fault::new(service, operation, What::Lose).times(1));
        let first = setup_with(&world, ID).run().await;
        // Whether it gave up or went on, the same command leaves one of each.
        assert!(
            [0, 3].contains(&first.status),
            "{operation}\n{}",
            first.stderr
        );
        setup_with(&world, ID).run().await.ended(0);
        is_complete(&world).await;
    }))
    .await;
}

#[tokio::test]
async fn a_connection_that_was_cut_is_made_again() {
    let cut = [
        "iam",
        "kms",
        "sqs",
        "sns",
        "s3",
        "cloudtrail",
        "organizations",
    ]
    .map(|service| Fault::new(service, "*", What::Cut).after(1).times(1));
    overcomes(cut).await;
}

#[tokio::test]
async fn a_missing_permission_is_named_and_the_same_command_completes() {
    let table = [
        ("kms", "CreateKey", "kms:CreateKey"),
        ("kms", "CreateGrant", "kms:CreateGrant"),
        ("sqs", "CreateQueue", "sqs:CreateQueue"),
        ("sqs", "SetQueueAttributes", "sqs:SetQueueAttributes"),
        ("sns", "CreateTopic", "sns:CreateTopic"),
        ("sns", "Subscribe", "sns:Subscribe"),
        ("iam", "CreateRole", "iam:CreateRole"),
        ("iam", "AttachRolePolicy", "iam:AttachRolePolicy"),
        (
            "s3",
            "PutBucketNotificationConfiguration",
            "s3:PutBucketNotification",
        ),
    ];
    side_by_side(
        table
            .into_iter()
            .map(|(service, operation, permission)| async move {
                let world = World::on(Engine::Ministack).bucket_key().build().await;
                let refusal = What::refuse(403, "AccessDenied", "is not authorized");
                world.proxy().fault(Fault::new(service, operation, refusal));
                let run = setup_with(&world, ID).run().await.ended(3);
                assert_eq!(run.stdout, "");
                for said in [
                    &format!("grant {permission} "),
                    "of 13 done",
                    "Run the same command again",
                ] {
                    assert!(
                        run.stderr.contains(said),
                        "{operation}: no {said:?} in\n{}",
                        run.stderr
                    );
                }
                let told = |text: &str| run.stderr.matches(text).count();
                let (made, failed, skipped) =
                    (told("+ created "), told("! failed "), told("- did not "));
                assert_eq!(made + failed + skipped, 13, "{operation}\n{}", run.stderr);

                world.proxy().mend();
                setup_with(&world, ID).run().await.ended(0);
                is_complete(&world).await;
            }),
    )
    .await;
}

#[tokio::test]
async fn without_a_working_pipeline_nothing_is_announced_to_it() {
    let world = World::on(Engine::Ministack)
        .foreign_notifications()
        .build()
        .await;
    let before = world.notification().await;
    let refusal = What::refuse(403, "AccessDenied", "is not authorized");
    world
        .proxy()
        .fault(Fault::new("iam", "AttachRolePolicy", refusal));
    let run = setup(&world).run().await.ended(3);
    let writes = names(&run.writes());
    assert!(
        !writes.iter().any(|write| write.starts_with("s3:")),
        "{writes:?}"
    );
    assert_eq!(world.notification().await, before);
}

#[tokio::test]
async fn an_interrupted_setup_says_what_it_made_and_can_be_completed() {
    let world = World::on(Engine::Ministack).bucket_key().build().await;
    world.proxy().delay(Duration::from_millis(100));
    let running = setup_with(&world, ID).spawn().await;
    running.warned("+ created sns topic").await;
    running.interrupt();
    let run = running.wait().await.ended(130);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("of 13 done"), "{}", run.stderr);
    let writes = names(&run.writes());
    assert!(
        !writes.contains(&"s3:PutBucketNotificationConfiguration".to_owned()),
        "{writes:?}"
    );

    world.proxy().delay(Duration::ZERO);
    setup_with(&world, ID).run().await.ended(0);
    is_complete(&world).await;
}

#[tokio::test]
async fn interrupted_before_the_first_write_nothing_was_written() {
    let world = World::on(Engine::Ministack).build().await;
    world.proxy().delay(Duration::from_millis(200));
    let running = setup_with(&world, ID).spawn().await;
    running.warned("Preflight:").await;
    running.interrupt();
    let run = running.wait().await.ended(130);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
    assert!(run.stderr.contains("nothing was written"), "{}", run.stderr);
}

#[tokio::test]
async fn a_read_that_is_refused_stops_setup_before_the_first_write() {
    let world = World::on(Engine::Ministack).bucket_key().build().await;
    // What the checks ask is answered by them; what only the plan asks is an error of its own.
    for (service, operation, status) in [
        ("kms", "ListKeys", 3),
        ("sqs", "GetQueueUrl", 1),
        ("iam", "GetPolicy", 1),
    ] {
        let refusal = What::refuse(403, "AccessDenied", "is not authorized");
        world.proxy().fault(Fault::new(service, operation, refusal));
        let run = setup_with(&world, ID).run().await.ended(status);
        world.proxy().mend();
        assert_eq!(names(&run.writes()), Vec::<String>::new(), "{operation}");
        let hint = format!("grant {service}:{operation} ");
        assert!(run.stderr.contains(&hint), "{}", run.stderr);
    }
}
