//! Refusals, lost responses and delays of AWS: setup retries, or reports the cause, and a rerun completes it.

use crate::commands::{keys, names, plan, run_concurrently, setup, setup_with};
use crate::whole_output::assert_stderr;
use snapbox::str;
use testkit::{Engine, Fault, FaultAction, Organization};

const ID: &str = "id-of-the-setup";

/// Fails unless the deployment is complete, with one key.
async fn assert_complete(org: &Organization) {
    plan(org)
        .args(["--check", "--external-id", ID])
        .run()
        .await
        .expect_status(0);
    assert_eq!(keys(org).await, 1);
}

/// Fails unless a setup with these faults succeeds.
async fn assert_setup_survives(faults: impl IntoIterator<Item = Fault>) {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .other_notifications()
        .build()
        .await;
    for fault in faults {
        org.proxy().fault(fault);
    }
    setup_with(&org, ID).run().await.expect_status(0);
    org.proxy().clear_faults();
    assert_complete(&org).await;
}

fn refusal(service: &str, operation: &str, code: &str, message: &str) -> Fault {
    Fault::new(service, operation, FaultAction::refuse(400, code, message))
}

/// Refusals that AWS takes back after a while: service, operation, error code, message.
const TRANSIENT_REFUSALS: [(&str, &str, &str, &str); 18] = [
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
        "Invalid parameter: Policy Error: PrincipalNotFound",
    ),
    (
        "sns",
        "SetTopicAttributes",
        "NotFound",
        "Topic does not exist",
    ),
    (
        "sns",
        "CreateTopic",
        "ConcurrentAccess",
        "Can't perform multiple operations on a tag simultaneously",
    ),
    (
        "sqs",
        "GetQueueUrl",
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    ),
    (
        "sqs",
        "SetQueueAttributes",
        "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist.",
    ),
    (
        "sqs",
        "CreateQueue",
        "InvalidParameterValue",
        "Value {} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
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

#[tokio::test]
async fn transient_refusals_are_retried() {
    run_concurrently(
        TRANSIENT_REFUSALS
            .into_iter()
            .map(|(service, operation, code, message)| {
                assert_setup_survives([refusal(service, operation, code, message).times(2)])
            }),
    )
    .await;
}

#[tokio::test]
async fn throttled_calls_are_retried() {
    let table = [
        ("iam", "*", "Throttling"),
        ("kms", "*", "ThrottlingException"),
        ("sqs", "*", "ThrottlingException"),
        ("sns", "*", "Throttling"),
        ("s3", "*", "SlowDown"),
        ("cloudtrail", "*", "ThrottlingException"),
    ];
    assert_setup_survives(table.map(|(service, operation, code)| {
        refusal(service, operation, code, "Rate exceeded")
            .after(1)
            .times(2)
    }))
    .await;
}

#[tokio::test]
async fn write_with_lost_response_is_not_repeated() {
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
    run_concurrently(table.into_iter().map(|(service, operation)| async move {
        let org = Organization::on(Engine::Ministack)
            .bucket_key()
            .build()
            .await;
        org.proxy()
            .fault(Fault::new(service, operation, FaultAction::DropResponse).times(1));
        let first = setup_with(&org, ID).run().await;
        // In either case the same command leaves one of each resource.
        assert!(
            [0, 3].contains(&first.status),
            "{operation}\n{}",
            first.stderr
        );
        setup_with(&org, ID).run().await.expect_status(0);
        assert_complete(&org).await;
    }))
    .await;
}

#[tokio::test]
async fn dropped_connections_are_retried() {
    let cut = [
        "iam",
        "kms",
        "sqs",
        "sns",
        "s3",
        "cloudtrail",
        "organizations",
    ]
    .map(|service| {
        Fault::new(service, "*", FaultAction::DropRequest)
            .after(1)
            .times(1)
    });
    assert_setup_survives(cut).await;
}

#[tokio::test]
async fn missing_permission_is_named_and_rerun_completes() {
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
    run_concurrently(
        table
            .into_iter()
            .map(|(service, operation, permission)| async move {
                let org = Organization::on(Engine::Ministack)
                    .bucket_key()
                    .build()
                    .await;
                let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
                org.proxy().fault(Fault::new(service, operation, refusal));
                let run = setup_with(&org, ID).run().await.expect_status(3);
                assert_eq!(run.stdout, "");
                for expected in [
                    &format!("grant {permission} "),
                    "of 13 steps",
                    "Run the same command again",
                ] {
                    assert!(
                        run.stderr.contains(expected),
                        "{operation}: no {expected:?} in\n{}",
                        run.stderr
                    );
                }
                let count_of = |text: &str| run.stderr.matches(text).count();
                let (created, failed, skipped) = (
                    count_of("+ created "),
                    count_of("! failed "),
                    count_of("- skipped: "),
                );
                assert_eq!(
                    created + failed + skipped,
                    13,
                    "{operation}\n{}",
                    run.stderr
                );

                org.proxy().clear_faults();
                setup_with(&org, ID).run().await.expect_status(0);
                assert_complete(&org).await;
            }),
    )
    .await;
}

#[tokio::test]
async fn bucket_notification_waits_for_working_pipeline() {
    let org = Organization::on(Engine::Ministack)
        .other_notifications()
        .build()
        .await;
    let before = org.notification().await;
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy()
        .fault(Fault::new("iam", "AttachRolePolicy", refusal));
    let run = setup(&org).run().await.expect_status(3);
    let writes = names(&run.writes());
    assert!(
        !writes.iter().any(|write| write.starts_with("s3:")),
        "{writes:?}"
    );
    assert_eq!(org.notification().await, before);
}

#[tokio::test]
async fn interrupted_setup_lists_created_resources_and_resumes() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    let subscribe = org.proxy().hold("sns", "Subscribe");
    let running = setup_with(&org, ID).spawn().await;
    running.wait_for_stderr("+ created sns topic").await;
    subscribe.wait_for_call().await;
    running.interrupt();
    running.wait_for_stderr("Interrupted").await;
    subscribe.open();
    let run = running.wait().await.expect_status(130);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("of 13 steps"), "{}", run.stderr);
    let writes = names(&run.writes());
    assert!(
        !writes.contains(&"s3:PutBucketNotificationConfiguration".to_owned()),
        "{writes:?}"
    );

    setup_with(&org, ID).run().await.expect_status(0);
    assert_complete(&org).await;
}

#[tokio::test]
async fn interrupt_before_first_write_writes_nothing() {
    let org = Organization::on(Engine::Ministack).build().await;
    // Only the plan lists the keys, after preflight.
    let list = org.proxy().hold("kms", "ListKeys");
    let running = setup_with(&org, ID).spawn().await;
    list.wait_for_call().await;
    running.interrupt();
    let run = running.wait().await.expect_status(130);
    assert_eq!(names(&run.writes()), Vec::<String>::new());
    assert_stderr(
        &org,
        &run,
        str![[r"
Preflight: 41 passed, 2 warnings, 16 skipped.
  ! account.endpoint: requests go to http://127.0.0.1:40000
  ! account.root: caller is arn:aws:iam::111122223333:root
Interrupted: no changes were made.

"]],
    );
}

#[tokio::test]
async fn refused_read_stops_setup_before_first_write() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    // Checks report the calls that they make. A call that only the plan makes is an error of its own.
    for (service, operation, status) in [
        ("kms", "ListKeys", 3),
        ("sqs", "GetQueueUrl", 1),
        ("iam", "GetPolicy", 1),
    ] {
        let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
        org.proxy().fault(Fault::new(service, operation, refusal));
        let run = setup_with(&org, ID).run().await.expect_status(status);
        org.proxy().clear_faults();
        assert_eq!(names(&run.writes()), Vec::<String>::new(), "{operation}");
        let hint = format!("grant {service}:{operation} ");
        assert!(run.stderr.contains(&hint), "{}", run.stderr);
    }
}

#[tokio::test]
async fn response_without_body_is_no_absence() {
    let org = Organization::on(Engine::Ministack).build().await;
    setup_with(&org, ID).run().await.expect_status(0);
    for body in ["", "<html>Sign in</html>"] {
        for (service, operation) in [
            ("kms", "ListResourceTags"),
            ("sqs", "GetQueueAttributes"),
            ("iam", "GetRole"),
            ("sns", "GetTopicAttributes"),
        ] {
            let response = FaultAction::Respond {
                status: 200,
                headers: vec![("content-type".into(), "text/html".into())],
                body: body.into(),
            };
            org.proxy().fault(Fault::new(service, operation, response));
            let run = plan(&org)
                .args(["--check", "--external-id", ID])
                .env("AWS_MAX_ATTEMPTS", "1");
            let run = run.run().await.expect_status(3);
            assert!(
                run.stderr.contains(": the response is "),
                "{operation}: {}",
                run.stderr
            );
            assert!(
                run.stderr.contains("HTTPS_PROXY"),
                "{operation}: {}",
                run.stderr
            );
            org.proxy().clear_faults();
        }
    }
    assert_complete(&org).await;
}

#[tokio::test]
async fn refused_destination_of_others_is_not_retried() {
    let org = Organization::on(Engine::Ministack)
        .other_notifications()
        .build()
        .await;
    let found = org.clients().s3.get_bucket_notification_configuration();
    let found = found.bucket(org.bucket()).send().await;
    let found = found.expect("the notifications");
    let other = found.queue_configurations()[0].queue_arn().to_owned();
    let body = format!(
        "<Error><Code>InvalidArgument</Code><Message>Unable to validate the following destination configurations</Message>\
         <ArgumentName1>{other}, null</ArgumentName1><ArgumentValue1>The destination queue does not exist</ArgumentValue1>\
         <RequestId>r</RequestId></Error>"
    );
    let refusal = FaultAction::Respond {
        status: 400,
        headers: vec![("content-type".into(), "application/xml".into())],
        body: body.into_bytes(),
    };
    let operation = "PutBucketNotificationConfiguration";
    org.proxy().fault(Fault::new("s3", operation, refusal));
    let run = setup_with(&org, ID).run().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r#"
...
Plan: 12 to create.
  ! failed to create s3 notification org-trail-logs-111122223333#heeler-ec: cannot write the notification configuration of bucket org-trail-logs-111122223333: S3 refuses the destination of another notification of the bucket: "exports" (s3:ObjectCreated:* to queue arn:aws:sqs:us-east-1:111122223333:exports, prefix "exports/", suffix ".csv") (InvalidArgument)
  + created iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  + created iam policy heeler_event_collection_sqs_policy (0.1 s)
  + created iam role heeler_event_collection_sqs_role (0.1 s)
  + created kms alias alias/heeler_kms_key_sqs (0.1 s)
  + created kms key heeler_kms_key_sqs (0.1 s)
  + created sns subscription heeler_event_collection_topic -> heeler_event_collection_queue (0.1 s)
  + created sns topic heeler_event_collection_topic (0.1 s)
  + created sns topic policy heeler_event_collection_topic (0.1 s)
  + created sqs queue heeler_event_collection_queue (0.1 s)
  + created sqs queue heeler_event_collection_queue_dlq (0.1 s)
  + created sqs queue policy heeler_event_collection_queue (0.1 s)
Created 11 resources (0.1 s).

Stopped after 11 of 12 steps. Resources created so far were kept.
Run the same command again to complete the setup. To remove it, run:
  heeler-ec destroy
error: cannot write the notification configuration of bucket org-trail-logs-111122223333
  cause: S3 refuses the destination of another notification of the bucket: "exports" (s3:ObjectCreated:* to queue arn:aws:sqs:us-east-1:111122223333:exports, prefix "exports/", suffix ".csv") (InvalidArgument)
  hint:  ask the owner of the notification to repair or remove it: arn:aws:sqs:us-east-1:111122223333:exports

"#]],
    );
    let sent = run.calls.iter().filter(|call| call.operation == operation);
    assert_eq!(sent.count(), 1);
    org.proxy().clear_faults();
    setup_with(&org, ID).run().await.expect_status(0);
    assert_complete(&org).await;
}
