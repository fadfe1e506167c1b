//! The recorded calls and the injected faults of the proxy.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_sdk_s3::types::NotificationConfiguration;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use serde_json::json;
use testkit::{Call, Clients, Emulator, Engine, Fault, FaultAction, Gate, Organization, Proxy};

use crate::{ENGINES, code};

#[tokio::test]
async fn call_reaches_the_management_account() {
    for engine in ENGINES {
        let org = Organization::on(engine).build().await;
        let caller = org
            .clients_through_proxy()
            .sts
            .get_caller_identity()
            .send()
            .await;
        let caller = caller.expect("an identity");
        assert_eq!(caller.account(), Some(org.account()), "{engine:?}");
        let calls = org.proxy().calls();
        assert_eq!(calls.len(), 1, "{engine:?}");
        assert_eq!(calls[0].status, Some(200));
        assert_eq!(calls[0].access_key, org.credentials().access_key_id());
    }
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "a list of calls and the list of their names"
)]
async fn call_has_service_operation_and_region() {
    for engine in ENGINES {
        let org = Organization::on(engine)
            .region("eu-west-1")
            .bucket_key()
            .build()
            .await;
        let clients = org.clients_through_proxy();
        let bucket = org.bucket();
        // Only the names of the calls are checked, so their responses are ignored.
        let _ = clients.cloudtrail.describe_trails().send().await;
        let _ = clients.iam.list_roles().send().await;
        let _ = clients.kms.list_aliases().send().await;
        let _ = clients.organizations.describe_organization().send().await;
        let _ = clients.sns.list_topics().send().await;
        let _ = clients.sns.create_topic().name("t").send().await;
        let _ = clients.sqs.list_queues().send().await;
        let _ = clients.sqs.create_queue().queue_name("q").send().await;
        let _ = clients.sts.get_caller_identity().send().await;
        let _ = clients.s3.list_buckets().send().await;
        let _ = clients.s3.head_bucket().bucket(bucket).send().await;
        let _ = clients.s3.get_bucket_location().bucket(bucket).send().await;
        let _ = clients
            .s3
            .get_bucket_encryption()
            .bucket(bucket)
            .send()
            .await;
        let _ = clients.s3.get_bucket_policy().bucket(bucket).send().await;
        let _ = clients
            .s3
            .get_bucket_notification_configuration()
            .bucket(bucket)
            .send()
            .await;
        let _ = clients
            .s3
            .put_bucket_notification_configuration()
            .bucket(bucket)
            .notification_configuration(NotificationConfiguration::builder().build())
            .send()
            .await;
        let _ = clients.s3.list_objects_v2().bucket(bucket).send().await;
        let _ = clients
            .s3
            .put_object()
            .bucket(bucket)
            .key("a/b c")
            .body(vec![1; 100].into())
            .send()
            .await;
        let _ = clients
            .s3
            .get_object()
            .bucket(bucket)
            .key("a/b c")
            .send()
            .await;
        let _ = clients
            .s3
            .head_object()
            .bucket(bucket)
            .key("a/b c")
            .send()
            .await;

        let calls = org.proxy().calls();
        let names: Vec<String> = calls.iter().map(Call::name).collect();
        assert_eq!(
            names,
            [
                "cloudtrail:DescribeTrails",
                "iam:ListRoles",
                "kms:ListAliases",
                "organizations:DescribeOrganization",
                "sns:ListTopics",
                "sns:CreateTopic",
                "sqs:ListQueues",
                "sqs:CreateQueue",
                "sts:GetCallerIdentity",
                "s3:ListBuckets",
                "s3:HeadBucket",
                "s3:GetBucketLocation",
                "s3:GetBucketEncryption",
                "s3:GetBucketPolicy",
                "s3:GetBucketNotificationConfiguration",
                "s3:PutBucketNotificationConfiguration",
                "s3:ListObjectsV2",
                "s3:PutObject",
                "s3:GetObject",
                "s3:HeadObject",
            ],
            "{engine:?}"
        );
        let failed: Vec<String> = calls
            .iter()
            .filter(|call| call.status != Some(200))
            .map(Call::name)
            .collect();
        assert_eq!(failed, [""; 0], "{engine:?}");
        let writes: Vec<String> = org
            .proxy()
            .writes()
            .into_iter()
            .map(|call| call.name())
            .collect();
        assert_eq!(
            writes,
            [
                "sns:CreateTopic",
                "sqs:CreateQueue",
                "s3:PutBucketNotificationConfiguration",
                "s3:PutObject"
            ]
        );
        // IAM and Organizations are global and signed for us-east-1.
        let regional = calls
            .iter()
            .filter(|call| !["iam", "organizations"].contains(&call.service.as_str()));
        let regions: BTreeSet<&str> = regional.map(|call| call.region.as_str()).collect();
        assert_eq!(regions, BTreeSet::from(["eu-west-1"]), "{engine:?}");
    }
}

/// Covers the operation names, the error responses and the distinction between reads and writes.
#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "a list of calls and the list of their names"
)]
async fn rest_operations_have_names_and_error_responses() {
    let org = Organization::on(Engine::Ministack).build().await;
    let refusal = FaultAction::refuse(403, "AccessDeniedException", "it is not allowed");
    org.proxy().fault(Fault::new("*", "*", refusal));
    let Clients {
        account,
        iam,
        lambda,
        logs,
        s3,
        ..
    } = org.clients_through_proxy();
    let arn = format!("arn:aws:lambda:us-east-1:{}:function:f", org.account());
    let refused = [
        code(account.list_regions().send().await),
        code(lambda.get_account_settings().send().await),
        code(lambda.get_function().function_name("f").send().await),
        code(
            lambda
                .get_function_configuration()
                .function_name("f")
                .send()
                .await,
        ),
        code(lambda.get_policy().function_name("f").send().await),
        code(lambda.list_tags().resource(&arn).send().await),
        code(logs.describe_log_groups().send().await),
        code(
            logs.get_transformer()
                .log_group_identifier("g")
                .send()
                .await,
        ),
        code(logs.filter_log_events().log_group_name("g").send().await),
        code(iam.get_account_summary().send().await),
        code(
            iam.simulate_principal_policy()
                .policy_source_arn("arn:aws:iam::111122223333:user/u")
                .action_names("sqs:CreateQueue")
                .send()
                .await,
        ),
        code(s3.get_bucket_request_payment().bucket("b").send().await),
        code(
            s3.get_bucket_lifecycle_configuration()
                .bucket("b")
                .send()
                .await,
        ),
        code(s3.get_bucket_ownership_controls().bucket("b").send().await),
        code(
            lambda
                .create_function()
                .function_name("f")
                .role("r")
                .code(aws_sdk_lambda::types::FunctionCode::builder().build())
                .send()
                .await,
        ),
        code(
            lambda
                .update_function_code()
                .function_name("f")
                .send()
                .await,
        ),
        code(
            lambda
                .update_function_configuration()
                .function_name("f")
                .send()
                .await,
        ),
        code(
            lambda
                .add_permission()
                .function_name("f")
                .statement_id("s")
                .action("lambda:InvokeFunction")
                .principal("logs.amazonaws.com")
                .send()
                .await,
        ),
        code(
            lambda
                .remove_permission()
                .function_name("f")
                .statement_id("s")
                .send()
                .await,
        ),
        code(
            lambda
                .tag_resource()
                .resource(&arn)
                .tags("a", "b")
                .send()
                .await,
        ),
        code(lambda.delete_function().function_name("f").send().await),
        code(
            logs.put_retention_policy()
                .log_group_name("g")
                .retention_in_days(1)
                .send()
                .await,
        ),
    ];
    for (refused, call) in refused.iter().zip(org.proxy().calls()) {
        assert_eq!(
            refused.as_deref(),
            Some("AccessDeniedException"),
            "{}",
            call.name()
        );
    }
    let (writes, reads): (Vec<Call>, Vec<Call>) =
        org.proxy().calls().into_iter().partition(Call::writes);
    let names = |calls: &[Call]| calls.iter().map(Call::name).collect::<Vec<String>>();
    assert_eq!(
        names(&reads),
        [
            "account:ListRegions",
            "lambda:GetAccountSettings",
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:GetPolicy",
            "lambda:ListTags",
            "logs:DescribeLogGroups",
            "logs:GetTransformer",
            "logs:FilterLogEvents",
            "iam:GetAccountSummary",
            "iam:SimulatePrincipalPolicy",
            "s3:GetBucketRequestPayment",
            "s3:GetBucketLifecycleConfiguration",
            "s3:GetBucketOwnershipControls",
        ]
    );
    assert_eq!(
        names(&writes),
        [
            "lambda:CreateFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:AddPermission",
            "lambda:RemovePermission",
            "lambda:TagResource",
            "lambda:DeleteFunction",
            "logs:PutRetentionPolicy",
        ]
    );
}

#[tokio::test]
async fn sdk_parses_error_code_of_each_protocol() {
    let org = Organization::on(Engine::Ministack).build().await;
    let clients = org.clients_through_proxy();
    let refuse = |service: &str, operation: &str, code: &str| {
        let action = FaultAction::refuse(400, code, "access is <not> allowed & never was");
        org.proxy().fault(Fault::new(service, operation, action));
    };
    refuse("iam", "CreateRole", "MalformedPolicyDocument");
    refuse(
        "sqs",
        "CreateQueue",
        "AWS.SimpleQueueService.QueueDeletedRecently",
    );
    refuse(
        "s3",
        "PutBucketNotificationConfiguration",
        "InvalidArgument",
    );
    refuse("kms", "DescribeKey", "NotFoundException");
    refuse("sns", "Subscribe", "InvalidParameter");
    refuse("cloudtrail", "GetTrailStatus", "TrailNotFoundException");
    refuse(
        "organizations",
        "DescribeOrganization",
        "AccessDeniedException",
    );
    refuse("sts", "GetCallerIdentity", "ExpiredToken");

    let made = clients
        .iam
        .create_role()
        .role_name("role")
        .assume_role_policy_document("{}")
        .send()
        .await;
    let error = made.expect_err("a refusal").into_service_error();
    assert!(error.is_malformed_policy_document_exception(), "{error:?}");
    assert_eq!(error.code(), Some("MalformedPolicyDocument"));
    assert_eq!(error.message(), Some("access is <not> allowed & never was"));

    let made = clients.sqs.create_queue().queue_name("queue").send().await;
    let error = made.expect_err("a refusal").into_service_error();
    assert!(error.is_queue_deleted_recently(), "{error:?}");
    assert_eq!(
        error.code(),
        Some("AWS.SimpleQueueService.QueueDeletedRecently")
    );

    let put = clients
        .s3
        .put_bucket_notification_configuration()
        .bucket(org.bucket())
        .notification_configuration(NotificationConfiguration::builder().build())
        .send()
        .await;
    let error = put.expect_err("a refusal").into_service_error();
    assert_eq!(error.code(), Some("InvalidArgument"));
    assert_eq!(error.message(), Some("access is <not> allowed & never was"));

    let read = clients.kms.describe_key().key_id("alias/none").send().await;
    let error = read.expect_err("a refusal").into_service_error();
    assert!(error.is_not_found_exception(), "{error:?}");

    let made = clients
        .sns
        .subscribe()
        .topic_arn("arn:aws:sns:us-east-1:111122223333:topic")
        .protocol("sqs")
        .send()
        .await;
    let error = made.expect_err("a refusal").into_service_error();
    assert!(error.is_invalid_parameter_exception(), "{error:?}");

    let read = clients.cloudtrail.get_trail_status().name("t").send().await;
    let error = read.expect_err("a refusal").into_service_error();
    assert!(error.is_trail_not_found_exception(), "{error:?}");

    let read = clients.organizations.describe_organization().send().await;
    let error = read.expect_err("a refusal").into_service_error();
    assert!(error.is_access_denied_exception(), "{error:?}");

    let read = clients.sts.get_caller_identity().send().await;
    assert_eq!(code(read), Some("ExpiredToken".to_owned()));
}

#[tokio::test]
async fn fault_affects_only_its_range_of_calls() {
    let org = Organization::on(Engine::Ministack).build().await;
    let fault = Fault::new(
        "sqs",
        "ListQueues",
        FaultAction::refuse(403, "AccessDenied", "no"),
    );
    org.proxy().fault(fault.after(1).times(2));
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        let listed = org.clients_through_proxy().sqs.list_queues().send().await;
        outcomes.push(listed.is_ok());
    }
    assert_eq!(outcomes, [true, false, false, true]);
}

#[tokio::test]
async fn dropped_request_is_a_dispatch_failure() {
    let org = Organization::on(Engine::Ministack).build().await;
    org.proxy()
        .fault(Fault::new("sqs", "*", FaultAction::DropRequest));
    let made = org
        .clients_through_proxy()
        .sqs
        .create_queue()
        .queue_name("q")
        .send()
        .await;
    let error = made.expect_err("no answer");
    assert!(error.as_service_error().is_none(), "{error:?}");
    assert!(
        matches!(error, aws_sdk_sqs::error::SdkError::DispatchFailure(_)),
        "{error:?}"
    );
    assert_eq!(org.proxy().calls()[0].status, None);
    let queues = org.clients().sqs.list_queues().send().await;
    assert_eq!(queues.expect("queues").queue_urls(), [""; 0]);
}

#[tokio::test]
async fn dropped_response_keeps_the_change() {
    let org = Organization::on(Engine::Ministack).build().await;
    org.proxy()
        .fault(Fault::new("sqs", "*", FaultAction::DropResponse));
    let made = org
        .clients_through_proxy()
        .sqs
        .create_queue()
        .queue_name("q")
        .send()
        .await;
    assert!(made.is_err());
    let queues = org.clients().sqs.list_queues().send().await;
    assert_eq!(queues.expect("queues").queue_urls().len(), 1);
}

#[tokio::test]
async fn never_respond_leaves_the_call_open() {
    let org = Organization::on(Engine::Ministack).build().await;
    org.proxy()
        .fault(Fault::new("sqs", "*", FaultAction::NeverRespond));
    let clients = org.clients_through_proxy();
    let listing = clients.sqs.list_queues().send();
    let waited = tokio::time::timeout(Duration::from_millis(300), listing).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn fixed_response_reaches_the_caller() {
    let org = Organization::on(Engine::Ministack).build().await;
    let action = FaultAction::Respond {
        status: 200,
        headers: vec![(
            "content-type".to_owned(),
            "application/x-amz-json-1.0".to_owned(),
        )],
        body: br#"{"QueueUrls":["http://example.com/1/q"]}"#.to_vec(),
    };
    org.proxy().fault(Fault::new("sqs", "ListQueues", action));
    let queues = org.clients_through_proxy().sqs.list_queues().send().await;
    assert_eq!(
        queues.expect("queues").queue_urls(),
        ["http://example.com/1/q"]
    );
}

#[tokio::test]
async fn response_edits_reach_the_caller() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .build()
        .await;
    let Clients { kms, s3, .. } = org.clients_through_proxy();
    let disabled =
        FaultAction::edit_json(|answer| answer["KeyMetadata"]["KeyState"] = json!("Unavailable"));
    org.proxy()
        .fault(Fault::new("kms", "DescribeKey", disabled));
    let key = org.bucket_key().expect("a key");
    let key = kms.describe_key().key_id(key).send().await.expect("a key");
    let state = key.key_metadata().and_then(|key| key.key_state());
    assert_eq!(state, Some(&aws_sdk_kms::types::KeyState::Unavailable));

    let paid = FaultAction::edit_text(|answer| answer.replace("BucketOwner", "Requester"));
    org.proxy()
        .fault(Fault::new("s3", "GetBucketRequestPayment", paid));
    let paid = s3.get_bucket_request_payment().bucket(org.bucket());
    let paid = paid.send().await.expect("the payer");
    assert_eq!(paid.payer(), Some(&aws_sdk_s3::types::Payer::Requester));

    let plain = FaultAction::set_header("x-amz-server-side-encryption", Some("AES256"));
    org.proxy().fault(Fault::new("s3", "HeadObject", plain));
    let head = s3.head_object().bucket(org.bucket());
    let head = head
        .key(org.log_file_key().expect("a log file"))
        .send()
        .await;
    let head = head.expect("a log file");
    let encrypted = head.server_side_encryption();
    assert_eq!(
        encrypted,
        Some(&aws_sdk_s3::types::ServerSideEncryption::Aes256)
    );
    assert!(head.content_length().is_some_and(|length| length > 100));
}

#[tokio::test]
async fn fault_delays_one_operation() {
    let org = Organization::on(Engine::Ministack).build().await;
    let clients = org.clients_through_proxy();
    let delay = FaultAction::Delay(Duration::from_millis(400));
    org.proxy().fault(Fault::new("sqs", "ListQueues", delay));
    let started = Instant::now();
    clients.sqs.list_queues().send().await.expect("queues");
    assert!(started.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn delay_applies_to_every_call() {
    let org = Organization::on(Engine::Ministack).build().await;
    let clients = org.clients_through_proxy();
    org.proxy().delay(Duration::from_millis(500));
    let started = Instant::now();
    clients.sqs.list_queues().send().await.expect("queues");
    assert!(started.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn held_calls_wait_for_the_gate() {
    let org = Organization::on(Engine::Ministack).build().await;
    let clients = org.clients_through_proxy();
    let gate = org.proxy().hold("sqs", "ListQueues");
    let listing = tokio::spawn(clients.sqs.list_queues().send());
    gate.wait_for_call().await;
    // Other operations pass, and the held call has not reached the emulator.
    clients.sns.list_topics().send().await.expect("topics");
    let calls = org.proxy().calls();
    let held = calls.iter().find(|call| call.operation == "ListQueues");
    assert!(held.is_some_and(|call| call.finished.is_none()));
    gate.open();
    listing.await.expect("a task").expect("queues");
    // An open gate stays open.
    clients.sqs.list_queues().send().await.expect("queues");
}

#[tokio::test]
async fn gate_opens_when_expected_calls_wait() {
    let org = Organization::on(Engine::Ministack).build().await;
    let clients = org.clients_through_proxy();
    let action = FaultAction::Hold(Gate::opening_at(3));
    org.proxy().fault(Fault::new("*", "*", action));
    let (one, two, three) = tokio::join!(
        clients.sqs.list_queues().send(),
        clients.sns.list_topics().send(),
        clients.kms.list_keys().send()
    );
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
}

#[tokio::test]
async fn hook_runs_before_the_response() {
    let org = Organization::on(Engine::Ministack).build().await;
    let (send, seen) = std::sync::mpsc::channel();
    org.proxy().after_writes(1, move |call| {
        send.send(call.name()).expect("a test that receives");
    });
    let clients = org.clients_through_proxy();
    clients.sqs.list_queues().send().await.expect("queues");
    assert!(seen.try_recv().is_err());
    let made = clients.sqs.create_queue().queue_name("q").send().await;
    made.expect("a queue");
    assert_eq!(seen.try_recv().as_deref(), Ok("sqs:CreateQueue"));
}

#[tokio::test]
async fn dropped_proxy_stops_listening() {
    let proxy = Proxy::start(Emulator::shared(Engine::Ministack).address());
    let address = proxy.url().trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(proxy);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

#[tokio::test]
async fn forwarded_call_completes_without_its_caller() {
    use std::io::{Read, Write};
    let slow = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let proxy = Proxy::start(slow.local_addr().expect("its address"));
    let (asked, was_asked) = std::sync::mpsc::channel();
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut call, _) = slow.accept().expect("the proxy");
        call.read_exact(&mut [0; 4]).expect("a request");
        asked.send(()).expect("the test");
        std::thread::sleep(Duration::from_millis(300));
        done.send(()).expect("the test");
        call.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    });
    let mut caller =
        std::net::TcpStream::connect(proxy.url().trim_start_matches("http://")).expect("the proxy");
    caller
        .write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        .expect("a request");
    was_asked.recv().expect("the call is passed on");
    drop(caller);
    proxy.wait_until_idle().await;
    is_done.try_recv().expect("the call was done by then");
}

#[tokio::test]
async fn repeated_creation_with_other_settings_is_refused() {
    let org = Organization::on(Engine::Ministack).build().await;
    let sns = &org.clients_through_proxy().sns;
    let tag = |value: &str| {
        let tag = aws_sdk_sns::types::Tag::builder().key("a").value(value);
        tag.build().expect("a tag")
    };
    let create = |value: &str| sns.create_topic().name("topic").tags(tag(value)).send();
    let topic = create("1").await.expect("a topic");
    assert!(create("1").await.is_ok());
    let refusal = create("2").await.expect_err("a refusal");
    assert_eq!(refusal.code(), Some("InvalidParameter"));
    let topic = topic.topic_arn().expect("an ARN");
    let subscribe = |raw: &str| {
        let subscribe = sns.subscribe().topic_arn(topic).protocol("sqs");
        let queue = format!("arn:aws:sqs:us-east-1:{}:queue", org.account());
        let subscribe = subscribe.endpoint(queue);
        subscribe.attributes("RawMessageDelivery", raw).send()
    };
    subscribe("true").await.expect("a subscription");
    let refusal = subscribe("false").await.expect_err("a refusal");
    assert_eq!(refusal.code(), Some("InvalidParameter"));
    sns.delete_topic()
        .topic_arn(topic)
        .send()
        .await
        .expect("a deletion");
    assert!(create("2").await.is_ok());
}
