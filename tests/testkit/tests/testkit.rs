//! Proves that the harness shows what it claims to show.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use aws_sdk_account::types::RegionOptStatus;
use aws_sdk_s3::types::{Event, NotificationConfiguration, TopicConfiguration};
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use testkit::awscli::{self, ParsedCall};
use testkit::log_file::event;
use testkit::organization::allow;
use testkit::{
    Call, Clients, END_OF_INPUT, Emulator, Engine, Fault, FaultAction, HeelerEc, LogFile,
    Organization, Proxy,
};

const ENGINES: [Engine; 2] = [Engine::Ministack, Engine::Moto];

/// The code of a failed call.
fn code<T, E: ProvideErrorMetadata>(result: Result<T, E>) -> Option<String> {
    result
        .err()
        .and_then(|error| error.code().map(str::to_owned))
}

#[tokio::test]
async fn a_call_through_the_proxy_reaches_the_account_of_the_world() {
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
async fn worlds_do_not_see_each_other() {
    for engine in ENGINES {
        let (one, other) = tokio::join!(
            Organization::on(engine).build(),
            Organization::on(engine).build()
        );
        assert_ne!(one.account(), other.account());
        one.clients()
            .sqs
            .create_queue()
            .queue_name("heeler-cloudtrail")
            .send()
            .await
            .expect("a queue");
        assert_eq!(one.leftovers().await, ["queue heeler-cloudtrail"]);
        assert_eq!(other.leftovers().await, [""; 0], "{engine:?}");
    }
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one call after another, and the list of them"
)]
async fn every_call_is_recorded_with_its_service_operation_and_region() {
    for engine in ENGINES {
        let org = Organization::on(engine)
            .region("eu-west-1")
            .bucket_key()
            .build()
            .await;
        let clients = org.clients_through_proxy();
        let bucket = org.bucket();
        // Only the names of the calls matter here, not their answers.
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

/// Calls that are refused alike, whatever their protocol: their names, and which of them write.
#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one call after another, and the list of them"
)]
async fn operations_that_are_methods_and_paths_have_names_and_refusals_too() {
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
async fn a_refusal_arrives_with_its_code_in_each_protocol() {
    let org = Organization::on(Engine::Ministack).build().await;
    let clients = org.clients_through_proxy();
    let refuse = |service: &str, operation: &str, code: &str| {
        let what = FaultAction::refuse(400, code, "it is <not> allowed & never was");
        org.proxy().fault(Fault::new(service, operation, what));
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
    assert_eq!(error.message(), Some("it is <not> allowed & never was"));

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
    assert_eq!(error.message(), Some("it is <not> allowed & never was"));

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
async fn a_fault_lets_calls_through_before_and_after() {
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
async fn a_cut_connection_is_a_dispatch_failure() {
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
async fn a_lost_answer_leaves_the_change_made() {
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
async fn a_hanging_call_never_answers() {
    let org = Organization::on(Engine::Ministack).build().await;
    org.proxy()
        .fault(Fault::new("sqs", "*", FaultAction::NeverRespond));
    let clients = org.clients_through_proxy();
    let listing = clients.sqs.list_queues().send();
    let waited = tokio::time::timeout(Duration::from_millis(300), listing).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn an_answer_arrives_as_it_was_written() {
    let org = Organization::on(Engine::Ministack).build().await;
    let what = FaultAction::Respond {
        status: 200,
        headers: vec![(
            "content-type".to_owned(),
            "application/x-amz-json-1.0".to_owned(),
        )],
        body: br#"{"QueueUrls":["http://example.com/1/q"]}"#.to_vec(),
    };
    org.proxy().fault(Fault::new("sqs", "ListQueues", what));
    let queues = org.clients_through_proxy().sqs.list_queues().send().await;
    assert_eq!(
        queues.expect("queues").queue_urls(),
        ["http://example.com/1/q"]
    );
}

#[tokio::test]
async fn an_answer_can_be_changed_on_its_way() {
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
    let paid = paid.send().await.expect("who pays");
    assert_eq!(paid.payer(), Some(&aws_sdk_s3::types::Payer::Requester));

    let plain = FaultAction::set_header("x-amz-server-side-encryption", Some("AES256"));
    org.proxy().fault(Fault::new("s3", "HeadObject", plain));
    let head = s3.head_object().bucket(org.bucket());
    let head = head
        .key(org.log_file_key().expect("a log object"))
        .send()
        .await;
    let head = head.expect("a log object");
    let encrypted = head.server_side_encryption();
    assert_eq!(
        encrypted,
        Some(&aws_sdk_s3::types::ServerSideEncryption::Aes256)
    );
    assert!(head.content_length().is_some_and(|length| length > 100));
}

#[tokio::test]
async fn one_operation_can_be_held_up() {
    let org = Organization::on(Engine::Ministack).build().await;
    let clients = org.clients_through_proxy();
    let delay = FaultAction::Delay(Duration::from_millis(400));
    org.proxy().fault(Fault::new("sqs", "ListQueues", delay));
    let started = Instant::now();
    clients.sns.list_topics().send().await.expect("topics");
    assert!(started.elapsed() < Duration::from_millis(400));
    clients.sqs.list_queues().send().await.expect("queues");
    assert!(started.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn every_call_waits_for_the_delay() {
    let org = Organization::on(Engine::Ministack).build().await;
    let clients = org.clients_through_proxy();
    org.proxy().delay(Duration::from_millis(500));
    let started = Instant::now();
    clients.sqs.list_queues().send().await.expect("queues");
    assert!(started.elapsed() >= Duration::from_millis(500));

    // Calls at the same time wait at the same time.
    let started = Instant::now();
    let (one, two, three) = tokio::join!(
        clients.sqs.list_queues().send(),
        clients.sns.list_topics().send(),
        clients.kms.list_keys().send()
    );
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(started.elapsed() < Duration::from_millis(1400));
}

#[tokio::test]
async fn a_hook_runs_before_the_caller_gets_the_answer() {
    let org = Organization::on(Engine::Ministack).build().await;
    let (send, seen) = std::sync::mpsc::channel();
    org.proxy().after_writes(1, move |call| {
        send.send(call.name()).expect("a listening test");
    });
    let clients = org.clients_through_proxy();
    clients.sqs.list_queues().send().await.expect("queues");
    assert!(seen.try_recv().is_err());
    let made = clients.sqs.create_queue().queue_name("q").send().await;
    made.expect("a queue");
    assert_eq!(seen.try_recv().as_deref(), Ok("sqs:CreateQueue"));
}

#[tokio::test]
async fn a_world_contains_what_was_asked_for() {
    for engine in ENGINES {
        let org = Organization::on(engine)
            .region("eu-central-1")
            .bucket_key()
            .single_region()
            .single_account_trail()
            .logging_stopped()
            .write_only_events()
            .prefix("logs")
            .topic("existing-topic")
            .other_notifications()
            .overlapping_queue()
            .build()
            .await;
        let cloudtrail = &org.clients().cloudtrail;
        let trails = cloudtrail.describe_trails().send().await.expect("trails");
        let trail = &trails.trail_list()[0];
        assert_eq!(trail.name(), Some(org.trail()));
        assert_eq!(trail.trail_arn(), Some(org.trail_arn().as_str()));
        assert_eq!(trail.s3_bucket_name(), Some(org.bucket()));
        assert_eq!(trail.s3_key_prefix(), Some("logs"));
        assert_eq!(trail.home_region(), Some("eu-central-1"));
        assert_eq!(trail.is_multi_region_trail(), Some(false));
        assert_eq!(trail.is_organization_trail(), Some(false));
        assert_eq!(trail.kms_key_id(), org.bucket_key());
        let status = cloudtrail.get_trail_status().name(org.trail());
        let status = status.send().await.expect("the trail's status");
        assert_eq!(status.is_logging(), Some(false));
        assert_eq!(org.members().len(), 3, "{engine:?}");

        let topic = org.topic().expect("a topic");
        let prefix = format!("eu-central-1:{}", org.account());
        let created = json!(["s3:ObjectCreated:*"]);
        assert_eq!(
            org.notification().await,
            json!({
                "topics": [
                    {
                        "destination": topic,
                        "events": created,
                        "id": "cloudtrail-topic",
                        "rules": []
                    },
                    {
                        "destination": format!("arn:aws:sns:{prefix}:reports"),
                        "events": created,
                        "id": "reports",
                        "rules": [["prefix", "reports/"]]
                    }
                ],
                "queues": [
                    {
                        "destination": format!("arn:aws:sqs:{prefix}:everything"),
                        "events": created,
                        "id": "everything",
                        "rules": []
                    },
                    {
                        "destination": format!("arn:aws:sqs:{prefix}:exports"),
                        "events": created,
                        "id": "exports",
                        "rules": [["prefix", "exports/"], ["suffix", ".csv"]]
                    }
                ],
                "functions": [{
                    "destination": format!("arn:aws:lambda:{prefix}:function:uploads"),
                    "events": created,
                    "id": "uploads",
                    "rules": [["prefix", "uploads/"]]
                }],
                "event_bridge": true
            }),
            "{engine:?}"
        );
        assert_eq!(org.leftovers().await, [""; 0], "{engine:?}");
    }
}

#[tokio::test]
async fn a_world_is_an_organization_that_is_ready() {
    for engine in ENGINES {
        let org = Organization::on(engine).build().await;
        let Clients {
            account,
            cloudtrail,
            lambda,
            logs,
            organizations,
            s3,
            ..
        } = org.clients();

        let trusted = organizations.list_aws_service_access_for_organization();
        let trusted = trusted.send().await.expect("trusted services");
        let trusted = trusted.enabled_service_principals()[0].service_principal();
        assert_eq!(trusted, Some("cloudtrail.amazonaws.com"), "{engine:?}");
        let admins = organizations
            .list_delegated_administrators()
            .service_principal("cloudtrail.amazonaws.com");
        let admins = admins.send().await.expect("delegated administrators");
        assert!(admins.delegated_administrators().is_empty());

        let on = account
            .list_regions()
            .region_opt_status_contains(RegionOptStatus::Enabled)
            .region_opt_status_contains(RegionOptStatus::EnabledByDefault);
        let on = on.send().await.expect("regions");
        assert_eq!(on.regions().len(), 17, "{engine:?}");
        let enable = account.enable_region().region_name("af-south-1");
        enable.send().await.expect("an opt-in region");
        let opted = account
            .list_regions()
            .region_opt_status_contains(RegionOptStatus::Enabled);
        let opted = opted.send().await.expect("regions");
        assert_eq!(opted.regions()[0].region_name(), Some("af-south-1"));

        let status = cloudtrail.get_trail_status().name(org.trail_arn());
        let status = status.send().await.expect("the trail's status");
        let delivered = status.latest_delivery_time().expect("a delivery");
        let now = aws_smithy_types::DateTime::from(std::time::SystemTime::now());
        assert!((now.secs() - delivered.secs()).abs() < 60, "{engine:?}");

        let settings = lambda.get_account_settings().send().await.expect("quotas");
        let limit = settings.account_limit().expect("limits");
        assert_eq!(limit.unreserved_concurrent_executions(), Some(1000));
        let policies = logs
            .describe_account_policies()
            .policy_type(aws_sdk_cloudwatchlogs::types::PolicyType::SubscriptionFilterPolicy);
        let policies = policies.send().await.expect("account policies");
        assert!(policies.account_policies().is_empty());
        let paid = s3.get_bucket_request_payment().bucket(org.bucket());
        let paid = paid.send().await.expect("who pays");
        assert_eq!(paid.payer(), Some(&aws_sdk_s3::types::Payer::BucketOwner));
    }
}

#[tokio::test]
async fn a_bucket_of_somebody_else_is_refused_to_who_expects_it_to_be_theirs() {
    for engine in ENGINES {
        let org = Organization::on(engine).build().await;
        let s3 = &org.clients().s3;
        let ask = || s3.head_bucket().bucket(org.bucket());
        let owned = ask().expected_bucket_owner(org.account()).send().await;
        owned.expect("the bucket of the account");
        let foreign = ask().expected_bucket_owner("999988887777").send().await;
        let refused = foreign.expect_err("a bucket of the wrong owner");
        let status = refused
            .raw_response()
            .map(|answer| answer.status().as_u16());
        assert_eq!(status, Some(403), "{engine:?}");
    }
}

#[tokio::test]
async fn every_region_lists_the_trails_of_all() {
    for engine in ENGINES {
        let org = Organization::on(engine).region("eu-west-1").single_region();
        let org = org.build().await;
        let elsewhere = org.clients_in("us-east-1").cloudtrail;
        let seen = elsewhere.describe_trails().send().await.expect("trails");
        assert!(seen.trail_list().is_empty(), "{engine:?}");
        let listed = elsewhere.list_trails().send().await.expect("trails");
        let trail = &listed.trails()[0];
        assert_eq!(trail.trail_arn(), Some(org.trail_arn().as_str()));
        assert_eq!(trail.home_region(), Some("eu-west-1"), "{engine:?}");
    }
}

#[tokio::test]
async fn permissions_can_be_simulated() {
    for engine in ENGINES {
        let org = Organization::on(engine).build().await;
        let user = org.user("operator", &allow("sqs:*")).await;
        let arn = format!("arn:aws:iam::{}:user/operator", org.account());
        assert_ne!(user.access_key_id(), org.credentials().access_key_id());
        let simulated = org
            .clients()
            .iam
            .simulate_principal_policy()
            .policy_source_arn(arn)
            .action_names("sqs:CreateQueue")
            .action_names("sns:CreateTopic");
        let simulated = simulated.send().await.expect("a simulation");
        let decisions: Vec<&str> = simulated
            .evaluation_results()
            .iter()
            .map(|result| result.eval_decision().as_str())
            .collect();
        assert_eq!(decisions, ["allowed", "implicitDeny"], "{engine:?}");
    }
}

#[tokio::test]
async fn a_log_object_of_today_lies_in_the_bucket() {
    for engine in ENGINES {
        let org = Organization::on(engine)
            .bucket_key()
            .prefix("logs")
            .build()
            .await;
        let s3 = &org.clients().s3;
        let now = aws_smithy_types::DateTime::from(std::time::SystemTime::now());
        let today = now.fmt(aws_smithy_types::date_time::Format::DateTime);
        let today = today.expect("a date")[..10].replace('-', "/");
        let folder = format!(
            "logs/AWSLogs/{}/{}/CloudTrail/us-east-1/{today}/",
            org.organization_id(),
            org.account()
        );
        let listed = s3.list_objects_v2().bucket(org.bucket());
        let listed = listed.prefix(&folder).send().await.expect("objects");
        let keys: Vec<Option<&str>> = listed.contents().iter().map(|o| o.key()).collect();
        assert_eq!(keys, [org.log_file_key()], "{engine:?}");
        let head = s3.head_object().bucket(org.bucket());
        let head = head.key(keys[0].expect("a key")).send().await;
        let head = head.expect("a log object");
        assert_eq!(head.ssekms_key_id(), org.bucket_key(), "{engine:?}");

        let empty = Organization::on(engine).without_log_file().build().await;
        assert_eq!(empty.log_file_key(), None);
    }
}

#[tokio::test]
async fn a_trail_can_have_a_log_group() {
    for engine in ENGINES {
        let org = Organization::on(engine).region("eu-west-1").log_group();
        let org = org.build().await;
        let Clients {
            cloudtrail, logs, ..
        } = org.clients();
        let trails = cloudtrail.describe_trails().send().await.expect("trails");
        let trail = &trails.trail_list()[0];
        let arn = format!("{}:*", org.log_group_arn());
        assert_eq!(trail.cloud_watch_logs_log_group_arn(), Some(arn.as_str()));
        assert!(trail.cloud_watch_logs_role_arn().is_some(), "{engine:?}");
        let status = cloudtrail.get_trail_status().name(org.trail());
        let status = status.send().await.expect("the trail's status");
        assert!(status.latest_cloud_watch_logs_delivery_time().is_some());

        let name = org.log_group().expect("a log group");
        let groups = logs.describe_log_groups().log_group_name_prefix(name);
        let groups = groups.send().await.expect("log groups");
        let group = &groups.log_groups()[0];
        assert_eq!(group.retention_in_days(), Some(1), "{engine:?}");
        let class = aws_sdk_cloudwatchlogs::types::LogGroupClass::Standard;
        assert_eq!(group.log_group_class(), Some(&class), "{engine:?}");
        let streams = logs.describe_log_streams().log_group_name(name);
        let streams = streams.log_stream_name_prefix(format!("{}_", org.organization_id()));
        let streams = streams.send().await.expect("log streams");
        assert_eq!(streams.log_streams().len(), 4, "{engine:?}");
    }
}

#[tokio::test]
async fn leftovers_of_every_kind_are_found() {
    for engine in ENGINES {
        let org = Organization::on(engine).bucket_key().build().await;
        let Clients {
            iam, kms, sns, sqs, ..
        } = org.clients();
        let key = kms
            .create_key()
            .tags(
                aws_sdk_kms::types::Tag::builder()
                    .tag_key("managed-by")
                    .tag_value("heeler-ec")
                    .build()
                    .expect("a tag"),
            )
            .send()
            .await
            .expect("a key");
        let key = key.key_metadata().expect("a key").key_id().to_owned();
        kms.create_alias()
            .alias_name("alias/heeler-events")
            .target_key_id(&key)
            .send()
            .await
            .expect("an alias");
        kms.create_grant()
            .key_id(org.bucket_key().expect("the bucket's key"))
            .name("heeler-read")
            .grantee_principal(format!("arn:aws:iam::{}:root", org.account()))
            .operations(aws_sdk_kms::types::GrantOperation::Decrypt)
            .send()
            .await
            .expect("a grant");
        sqs.create_queue()
            .queue_name("tagged")
            .tags("managed-by", "heeler-ec")
            .send()
            .await
            .expect("a queue");
        let topic = sns.create_topic().name("heeler-events").send().await;
        let topic = topic
            .expect("a topic")
            .topic_arn()
            .expect("an ARN")
            .to_owned();
        sns.subscribe()
            .topic_arn(&topic)
            .protocol("sqs")
            .endpoint(format!("arn:aws:sqs:us-east-1:{}:tagged", org.account()))
            .send()
            .await
            .expect("a subscription");
        iam.create_role()
            .role_name("heeler-harvest")
            .assume_role_policy_document(allow("sts:AssumeRole").to_string())
            .send()
            .await
            .expect("a role");
        iam.create_policy()
            .policy_name("heeler-harvest")
            .policy_document(allow("sqs:ReceiveMessage").to_string())
            .send()
            .await
            .expect("a policy");
        assert_eq!(
            org.leftovers().await,
            [
                "alias/heeler-events".to_owned(),
                "grant heeler-read".to_owned(),
                format!("key {key}"),
                "policy heeler-harvest".to_owned(),
                "queue tagged".to_owned(),
                "role heeler-harvest".to_owned(),
                "subscription heeler-events tagged".to_owned(),
                "topic heeler-events".to_owned(),
            ],
            "{engine:?}"
        );
    }
}

#[tokio::test]
async fn a_delivered_object_reaches_heeler_through_topic_and_queue() {
    let org = Organization::on(Engine::Ministack)
        .region("eu-west-1")
        .topic("existing-topic")
        .prefix("logs")
        .build()
        .await;
    let Clients { iam, sns, sqs, .. } = org.clients();
    let topic = org.topic().expect("a topic");
    let queue_arn = format!("arn:aws:sqs:eu-west-1:{}:events", org.account());
    let queue = sqs
        .create_queue()
        .queue_name("events")
        .attributes(
            QueueAttributeName::Policy,
            json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic}}
                }]
            })
            .to_string(),
        )
        .send()
        .await
        .expect("a queue");
    let queue = queue.queue_url().expect("the queue's URL");
    sns.subscribe()
        .topic_arn(topic)
        .protocol("sqs")
        .endpoint(&queue_arn)
        .attributes("RawMessageDelivery", "true")
        .send()
        .await
        .expect("a subscription");
    let role = iam
        .create_role()
        .role_name("harvest")
        .assume_role_policy_document(
            json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": org.heeler_role_arn()},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": "right"}}
                }]
            })
            .to_string(),
        )
        .send()
        .await
        .expect("a role");
    let role = role.role().expect("a role").arn();
    iam.put_role_policy()
        .role_name("harvest")
        .policy_name("harvest")
        .policy_document(
            json!({
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
                        "Resource": queue_arn
                    },
                    {
                        "Effect": "Allow",
                        "Action": "s3:GetObject",
                        "Resource": format!("arn:aws:s3:::{}/*", org.bucket())
                    }
                ]
            })
            .to_string(),
        )
        .send()
        .await
        .expect("the role's policy");

    let object = LogFile::new(
        &org.members()[0],
        "us-west-2",
        vec![event(
            &org.members()[0],
            "us-west-2",
            "ec2.amazonaws.com",
            "RunInstances",
            false,
        )],
    );
    let key = org.deliver(&object.stamp("20260102T0304Z")).await;
    let start = format!(
        "logs/AWSLogs/{}/{}/CloudTrail/us-west-2/2026/01/02/",
        org.organization_id(),
        org.members()[0]
    );
    assert!(key.starts_with(&start), "{key}");

    let wrong = org.assume_as_heeler(role, "wrong").await;
    assert!(wrong.is_err_and(|why| why.contains("AccessDenied")));
    let harvest = org.assume_as_heeler(role, "right").await.expect("the role");
    let received = harvest
        .receive(queue, 1, Duration::from_secs(20))
        .await
        .expect("messages");
    let told: Value = serde_json::from_str(&received[0]).expect("a notification");
    assert_eq!(told["Records"][0]["s3"]["object"]["key"], key);
    let read = harvest.object(org.bucket(), &key).await.expect("an object");
    assert_eq!(&read[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn log_files_of_a_folder_land_where_cloudtrail_puts_them() {
    let org = Organization::on(Engine::Moto).build().await;
    let folder = tempfile::tempdir().expect("a folder");
    let below = folder.path().join("below");
    std::fs::create_dir(&below).expect("a folder");
    let object = LogFile::new("111122223333", "us-east-1", Vec::new()).stamp("20260102T0304Z");
    std::fs::write(below.join(object.name()), object.gzipped()).expect("a file");
    std::fs::write(below.join("README.md"), "not a log file").expect("a file");
    let keys = org.deliver_files(folder.path()).await;
    let key = format!(
        "AWSLogs/{}/111122223333/CloudTrail/us-east-1/2026/01/02/{}",
        org.organization_id(),
        object.name()
    );
    assert_eq!(keys, [key.as_str()]);
    let head = org.clients().s3.head_object();
    let head = head.bucket(org.bucket()).key(key).send().await;
    head.expect("an object");
}

#[tokio::test]
async fn a_user_may_do_only_what_its_policy_says() {
    let org = Organization::on(Engine::Ministack).build().await;
    let user = org.user("operator", &allow("sqs:ListQueues")).await;
    let clients = Clients::without_retries(&org.endpoint(), user, org.region());
    clients.sqs.list_queues().send().await.expect("queues");
    let refused = clients.sns.list_topics().send().await;
    assert_eq!(code(refused), Some("AuthorizationError".to_owned()));
}

#[tokio::test]
async fn a_notification_of_a_missing_topic_is_refused() {
    let org = Organization::on(Engine::Ministack).build().await;
    let entry = TopicConfiguration::builder()
        .topic_arn(format!("arn:aws:sns:us-east-1:{}:none", org.account()))
        .events(Event::S3ObjectCreated)
        .build()
        .expect("an entry");
    let put = org
        .clients_through_proxy()
        .s3
        .put_bucket_notification_configuration()
        .bucket(org.bucket())
        .notification_configuration(
            NotificationConfiguration::builder()
                .topic_configurations(entry)
                .build(),
        )
        .send()
        .await;
    assert_eq!(code(put), Some("InvalidArgument".to_owned()));
}

#[tokio::test]
async fn an_emulator_ends_when_its_standard_input_does() {
    for engine in ENGINES {
        let mut emulator = Emulator::own(engine);
        assert!(emulator.answers());
        let started = Instant::now();
        emulator.end();
        assert!(!emulator.answers(), "{engine:?}");
        assert!(started.elapsed() < Duration::from_secs(8), "{engine:?}");
    }
}

#[tokio::test]
async fn a_proxy_ends_when_it_is_dropped() {
    let proxy = Proxy::start(Emulator::shared(Engine::Ministack).address());
    let address = proxy.url().trim_start_matches("http://").to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(proxy);
    assert!(std::net::TcpStream::connect(&address).is_err());
}

/// A program that is not Heeler's: the Python that runs the emulator.
fn python<'a>(org: &'a Organization, code: &str) -> HeelerEc<'a> {
    HeelerEc::new(org, org.engine().interpreter())
        .without_endpoint()
        .env("URL", &org.endpoint())
        .args(["-c", code])
}

/// Makes five calls and counts the answers on standard output.
const FIVE_CALLS: &str = "
import os, urllib.request
for number in range(5):
    urllib.request.urlopen(os.environ['URL'] + '/_ministack/ready').read()
    print(number, flush=True)
";

#[tokio::test]
async fn a_run_tells_what_was_said_and_called() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = format!("{FIVE_CALLS}\nprint('read', input())\nraise SystemExit('gone')");
    org.clients_through_proxy()
        .sqs
        .list_queues()
        .send()
        .await
        .expect("queues");
    let run = python(&org, &code)
        .stdin("yes\n")
        .run()
        .await
        .expect_status(1);
    assert_eq!(run.stdout, "0\n1\n2\n3\n4\nread yes\n");
    assert_eq!(run.stderr, "gone\n");
    assert_eq!(run.calls.len(), 5);
}

#[tokio::test]
async fn a_run_sees_nothing_of_the_environment_of_the_tests() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = "import os; print(*sorted(os.environ), len(os.listdir(os.environ['HOME'])))";
    let run = python(&org, code).run().await.expect_status(0);
    let names: BTreeSet<&str> = run.stdout.split_whitespace().collect();
    let allowed = BTreeSet::from([
        "0",
        "AWS_ACCESS_KEY_ID",
        "AWS_EC2_METADATA_DISABLED",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "HOME",
        // Python sets this one itself.
        "LC_CTYPE",
        "PATH",
        "URL",
    ]);
    assert!(names.is_subset(&allowed), "{names:?}");
}

#[tokio::test]
async fn a_program_is_killed_between_a_call_and_its_answer() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = python(&org, FIVE_CALLS).kill_after_calls(3).run().await;
    let run = run.expect_status(-9);
    assert_eq!(run.stdout, "0\n1\n");
    assert_eq!(run.calls.len(), 3);
}

#[tokio::test]
async fn a_running_program_can_be_watched_and_interrupted() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = "
import sys, time
print('one', flush=True)
print('two', flush=True)
print('careful', file=sys.stderr, flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print('bye')
    raise SystemExit(130)
";
    let mut running = python(&org, code).spawn().await;
    assert_eq!(running.line().await.as_deref(), Some("one"));
    assert_eq!(running.line_containing("tw").await, "two");
    running.wait_for_stderr("careful").await;
    running.interrupt();
    let run = running.wait().await.expect_status(130);
    assert_eq!(run.stdout, "one\ntwo\nbye\n");
}

#[tokio::test]
async fn a_terminal_has_a_width_and_a_person_who_answers() {
    let org = Organization::on(Engine::Ministack).build().await;
    let code = "
import os, sys
print(os.isatty(0), os.isatty(1), os.isatty(2), os.get_terminal_size().columns)
print('\\x1b[1;31mred\\x1b[0m', file=sys.stderr)
print('heard', input('one? '), input('two? '))
try:
    input('three? ')
except EOFError:
    raise SystemExit(7)
";
    let answers = [("one? ", "1"), ("two? ", "2"), ("three? ", END_OF_INPUT)];
    let run = python(&org, code).on_terminal(61, &answers).run().await;
    let run = run.expect_status(7);
    let lines = run.lines();
    assert_eq!(lines[0], "True True True 61");
    assert_eq!(lines[1], "red");
    assert!(lines.contains(&"heard 1 2".to_owned()), "{lines:?}");
    assert_eq!(run.stderr, "");
}

/// What the AWS CLI makes of one line.
fn parsed(line: &str) -> Result<awscli::ParsedCommand, String> {
    awscli::parse(&[line]).remove(0)
}

#[test]
fn command_lines_are_read_as_the_aws_cli_does() {
    let line = "aws cloudtrail put-event-selectors --region eu-west-1 --trail-name t \
                --event-selectors '[{\"ReadWriteType\": \"All\"}]'";
    let asked = ParsedCall {
        service: "cloudtrail".to_owned(),
        operation: "PutEventSelectors".to_owned(),
        region: "eu-west-1".to_owned(),
        parameters: json!({"TrailName": "t", "EventSelectors": [{"ReadWriteType": "All"}]}),
    };
    assert_eq!(parsed(line).expect("a good line").calls, [asked]);

    let line = "aws kms cancel-key-deletion --key-id a && aws kms enable-key --key-id a";
    let line = parsed(line).expect("a good line");
    let calls: Vec<String> = line.calls.iter().map(ParsedCall::name).collect();
    assert_eq!(calls, ["kms:CancelKeyDeletion", "kms:EnableKey"]);
}

#[test]
fn what_is_not_for_the_aws_cli_is_told_apart() {
    let lines = [
        "export AWS_PROFILE=PROFILE_OF_THAT_ACCOUNT",
        "unset AWS_ENDPOINT_URL",
        "heeler-ec preflight --option s3",
    ];
    for (line, parsed) in lines.iter().zip(awscli::parse(&lines)) {
        let parsed = parsed.expect("a good line");
        assert_eq!(parsed.calls, [], "{line}");
        assert_eq!(parsed.others, [*line]);
    }
}

#[test]
fn a_command_line_that_the_aws_cli_would_refuse_is_refused() {
    let table = [
        (
            "aws clowdtrail list-trails",
            "argument command: Invalid choice",
        ),
        (
            "aws cloudtrail frobnicate",
            "argument operation: Invalid choice",
        ),
        (
            "aws cloudtrail get-trail-status --name t --colour red",
            "Unknown options: --colour",
        ),
        ("aws cloudtrail get-trail-status", "required: --name"),
        (
            "aws cloudtrail put-event-selectors --trail-name t --event-selectors '[{'",
            "Invalid JSON",
        ),
        (
            "aws cloudtrail put-event-selectors --trail-name t --event-selectors '[{\"ReadWriteTipe\": \"All\"}]'",
            "ReadWriteTipe",
        ),
        (
            "aws organizations create-organization --feature-set SOME",
            "'SOME' is not one of ALL",
        ),
        (
            "aws s3api put-bucket-request-payment --bucket b --request-payment-configuration Payer=Me",
            "'Me' is not one of",
        ),
        (
            "aws logs put-retention-policy --log-group-name g --retention-in-days one",
            "'one'",
        ),
        (
            "aws kms describe-key --key-id <KEY>",
            "the shell would not take < as a word",
        ),
        ("aws kms describe-key --key-id 'a", "No closing quotation"),
        ("aws sns list-topics &&", "a command is empty"),
        ("aws cloudtrail help", "a manual"),
        ("rm -rf /", "rm is no command"),
        ("export AWS_PROFILE", "export is no command"),
    ];
    let lines = table.map(|(line, _)| line);
    for ((line, why), parsed) in table.iter().zip(awscli::parse(&lines)) {
        let refused = parsed.expect_err(line);
        assert!(refused.contains(why), "{line}: {refused}");
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_half_done() {
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
