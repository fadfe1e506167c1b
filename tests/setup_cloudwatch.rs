//! Option cloudwatch: idempotence, order of writes, drift, destroy, and resources that it does not manage.

use crate::commands::heeler_ec;
use crate::commands::{
    counts, destroy, json, keys, names, on_both_engines, outputs, plan_of, run_concurrently,
    setup_again_of, setup_of, setup_of_with, setup_outputs, text,
};
use crate::vendor_terraform;
use crate::whole_output::{assert_stderr, assert_stdout};
use aws_sdk_cloudwatchlogs::types::Distribution;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, LogFormat, LoggingConfig, Runtime};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;
use snapbox::str;
use testkit::{CTRL_C, Clients, Engine, Fault, FaultAction, HeelerEc, Organization, Run};

const OPTION: &str = "cloudwatch";
const ID: &str = "id-of-the-setup";
const FUNCTION: &str = "heeler_event_collection_lambda";
const FILTER: &str = "heeler_cloudwatch_log_subscription_filter";
const NOTHING: [String; 0] = [];

/// A trail that delivers to a log group with another subscription filter.
async fn world_with_other_filter(engine: Engine) -> Organization {
    let org = Organization::on(engine).log_group().build().await;
    let other = org.clients().logs.put_subscription_filter();
    let other = other
        .log_group_name(log_group_name(&org))
        .filter_name("siem")
        .filter_pattern("")
        .destination_arn(format!(
            "arn:aws:lambda:{}:{}:function:siem",
            org.region(),
            org.account()
        ));
    make_function(&org, "siem").await;
    other.send().await.expect("another filter");
    org
}

/// Creates an unmanaged function.
async fn make_function(org: &Organization, name: &str) {
    let Clients { iam, lambda, .. } = org.clients();
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole"
    }]});
    let role = iam.create_role().role_name(name);
    let role = role.assume_role_policy_document(trust.to_string());
    let role = role.send().await.expect("a role").role.expect("a role");
    let code = heeler_ec::option::cloudwatch::function::code();
    let code = aws_sdk_lambda::types::FunctionCode::builder().zip_file(Blob::new(code));
    let created = lambda.create_function().function_name(name);
    let created = created.runtime(Runtime::Python312).handler("x.y");
    let created = created.role(role.arn()).code(code.build()).send().await;
    created.expect("an unmanaged function");
}

fn log_group_name(org: &Organization) -> &'static str {
    org.log_group().expect("a log group")
}

fn plan(org: &Organization) -> HeelerEc<'_> {
    plan_of(org, OPTION)
}

fn setup(org: &Organization) -> HeelerEc<'_> {
    setup_of_with(org, OPTION, ID)
}

fn again(org: &Organization) -> HeelerEc<'_> {
    setup_again_of(org, OPTION)
}

/// The unmanaged resources: the trail's log group, its retention and its other subscription filters.
async fn unmanaged_resources(org: &Organization) -> Vec<String> {
    let logs = &org.clients().logs;
    let groups = logs.describe_log_groups().send().await.expect("log groups");
    let mut all = Vec::new();
    for found in groups.log_groups() {
        let name = found.log_group_name().unwrap_or_default();
        if name.contains("heeler") {
            continue;
        }
        all.push(format!("{name} keeps {:?}", found.retention_in_days()));
        for filter in org.subscription_filters(name).await {
            if filter.filter_name() != Some(FILTER) {
                all.push(format!("{filter:?}"));
            }
        }
    }
    all
}

/// Creates the log group, as Lambda does at the first invocation of the function.
pub async fn create_function_log_group(org: &Organization) {
    let name = format!("/aws/lambda/{FUNCTION}");
    let created = org.clients().logs.create_log_group();
    let created = created.log_group_name(name).send().await;
    created.expect("the function's log group");
}

/// Checks that each resource exists once, and that the plan is empty.
async fn assert_complete(org: &Organization) {
    let run = plan(org).args(["--check", "--external-id", ID]);
    run.run().await.expect_status(0);
    assert_eq!(keys(org).await, 1);
    let managed = org.subscription_filters(log_group_name(org)).await;
    let managed = managed
        .iter()
        .filter(|filter| filter.filter_name() == Some(FILTER));
    assert_eq!(managed.count(), 1);
}

/// The position of a write among all writes.
fn position_of_write(run: &Run, write: &str) -> Option<usize> {
    names(&run.writes()).iter().position(|name| name == write)
}

on_both_engines! {
    async fn plan_counts_fourteen_resources(engine: Engine) {
        let org = world_with_other_filter(engine).await;
        let planned = plan(&org).args(["-o", "json"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [14, 0, 0, 0]);
        assert_eq!(names(&planned.writes()), NOTHING);
    }

    async fn second_setup_makes_no_changes(engine: Engine) {
        let org = world_with_other_filter(engine).await;
        setup(&org).run().await.expect_status(0);
        let second = again(&org).run().await.expect_status(0);
        assert_eq!(names(&second.writes()), NOTHING);
        let planned = plan(&org).args(["-o", "json", "--check"]).run().await.expect_status(0);
        assert_eq!(counts(&planned), [0, 0, 14, 0]);
    }

    async fn outputs_match_setup_output(engine: Engine) {
        let org = world_with_other_filter(engine).await;
        let printed = setup_outputs(&setup(&org).args(["-o", "json"]).run().await.expect_status(0));
        let read = outputs(&org).run().await.expect_status(0);
        let created = json(&read);
        for key in ["heeler_event_queue_url", "heeler_event_role_arn"] {
            assert_eq!(printed[key], created[key]);
        }
        assert_eq!(names(&read.writes()), NOTHING);
        let queue = text(&created["heeler_event_queue_url"]);
        assert!(queue.ends_with("/heeler_event_collection_queue.fifo"), "{queue}");
        let role = text(&created["heeler_event_role_arn"]);
        assert!(role.ends_with(":role/heeler_event_collection_sqs_role"), "{role}");
        assert_eq!(created["heeler_event_role_external_id"], ID);
    }

    async fn subscription_filter_is_written_last(engine: Engine) {
        let org = world_with_other_filter(engine).await;
        let run = setup(&org).run().await.expect_status(0);
        let writes = names(&run.writes());
        assert_eq!(writes.last().map(String::as_str), Some("logs:PutSubscriptionFilter"), "{writes:?}");
        let (created, let_in) = (position_of_write(&run, "lambda:CreateFunction"), position_of_write(&run, "lambda:AddPermission"));
        assert!(created.is_some() && created < let_in, "{writes:?}");
        let attached = writes.iter().rposition(|name| name == "iam:AttachRolePolicy");
        assert!(attached.is_some(), "{writes:?}");
    }

    async fn resources_are_created_in_log_group_region(engine: Engine) {
        let org = Organization::on(engine).region("eu-west-1").log_group().build().await;
        let run = setup(&org).env("AWS_REGION", "us-east-1").run().await.expect_status(0);
        for call in run.writes().iter().filter(|call| call.service != "iam") {
            assert_eq!(call.region, "eu-west-1", "{}", call.name());
        }
        let again = again(&org).env("AWS_REGION", "us-east-1").run().await.expect_status(0);
        assert_eq!(names(&again.writes()), NOTHING);
        destroy(&org).env("AWS_REGION", "us-east-1").run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
    }

    async fn destroy_leaves_only_unmanaged_resources(engine: Engine) {
        let org = world_with_other_filter(engine).await;
        let before = unmanaged_resources(&org).await;
        setup(&org).run().await.expect_status(0);
        create_function_log_group(&org).await;
        let run = destroy(&org).run().await.expect_status(0);
        assert_eq!(org.leftovers().await, NOTHING);
        assert_eq!(unmanaged_resources(&org).await, before);
        // Destroy prints every resource of the plan, including those that are deleted with their parent.
        let deleted = run.stderr.lines().filter(|line| line.starts_with("  - deleted "));
        // AWS deletes the key later.
        assert_eq!(deleted.count(), 13, "{}", run.stderr);
        assert!(run.stderr.contains("- scheduled kms key"), "{}", run.stderr);
        let first = names(&run.writes()).first().cloned();
        assert_eq!(first.as_deref(), Some("logs:DeleteSubscriptionFilter"));
        let second = destroy(&org).run().await.expect_status(1);
        assert_eq!(names(&second.writes()), NOTHING);
    }

    async fn setup_after_destroy_succeeds(engine: Engine) {
        let org = world_with_other_filter(engine).await;
        setup(&org).run().await.expect_status(0);
        destroy(&org).run().await.expect_status(0);
        setup(&org).run().await.expect_status(0);
        assert_complete(&org).await;
    }

    async fn options_do_not_replace_each_other(engine: Engine) {
        for (first, second) in [("s3", OPTION), (OPTION, "s3")] {
            let org = world_with_other_filter(engine).await;
            setup_of(&org, first).run().await.expect_status(0);
            let refused = setup_of(&org, second).run().await.expect_status(1);
            assert_eq!(names(&refused.writes()), NOTHING);
            let before = org.leftovers().await;
            let other = ["--name-prefix", "heeler_two"];
            setup_of(&org, second).args(other).run().await.expect_status(0);
            destroy(&org).args(other).run().await.expect_status(0);
            assert_eq!(org.leftovers().await, before);
        }
    }
}

type Settings = aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder;

/// Changes that someone may make to a deployment.
#[derive(Debug)]
enum Drift {
    Setting(fn(Settings) -> Settings),
    /// Reserved concurrency of the function.
    Reserved(i32),
    Code,
    NoPermission,
    WiderPermission,
    Filter,
    NoFilter,
    Queue(QueueAttributeName, &'static str),
    Trust,
    NoPolicy,
    NoFunction,
}

impl Drift {
    async fn happen(&self, org: &Organization) {
        let Clients {
            iam,
            lambda,
            logs,
            sqs,
            ..
        } = org.clients();
        let role = "heeler_event_collection_lambda_role";
        let done = match self {
            Self::Setting(change) => {
                let call = lambda.update_function_configuration();
                change(call.function_name(FUNCTION)).send().await.is_ok()
            }
            Self::Reserved(calls) => {
                let call = lambda.put_function_concurrency().function_name(FUNCTION);
                let call = call.reserved_concurrent_executions(*calls);
                call.send().await.is_ok()
            }
            Self::Code => {
                let call = lambda.update_function_code().function_name(FUNCTION);
                call.zip_file(Blob::new(vendor_terraform::code()))
                    .send()
                    .await
                    .is_ok()
            }
            Self::NoPermission | Self::WiderPermission => {
                let sid = "InvokePermissionsForCW";
                let call = lambda.remove_permission().function_name(FUNCTION);
                let removed = call.statement_id(sid).send().await.is_ok();
                let call = lambda.add_permission().function_name(FUNCTION);
                let call = call.statement_id(sid).action("lambda:InvokeFunction");
                let wider = call.principal("logs.amazonaws.com");
                removed && (matches!(self, Self::NoPermission) || wider.send().await.is_ok())
            }
            Self::Filter => {
                let call = logs
                    .put_subscription_filter()
                    .log_group_name(log_group_name(org));
                let call = call.filter_name(FILTER).filter_pattern("");
                let managed = org.subscription_filters(log_group_name(org)).await;
                let managed = managed
                    .into_iter()
                    .find(|filter| filter.filter_name() == Some(FILTER));
                let destination = managed.and_then(|filter| filter.destination_arn);
                let call = call.set_destination_arn(destination);
                call.distribution(Distribution::Random).send().await.is_ok()
            }
            Self::NoFilter => {
                let call = logs.delete_subscription_filter();
                let call = call.log_group_name(log_group_name(org)).filter_name(FILTER);
                call.send().await.is_ok()
            }
            Self::Queue(name, value) => {
                let queue = "heeler_event_collection_queue.fifo";
                let found = sqs.get_queue_url().queue_name(queue).send().await;
                let call = sqs.set_queue_attributes().attributes(name.clone(), *value);
                let url = found.expect("our queue").queue_url;
                call.set_queue_url(url).send().await.is_ok()
            }
            Self::Trust => {
                let root = format!("arn:aws:iam::{}:root", org.account());
                let trust = json!({"Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"
                }]});
                let call = iam.update_assume_role_policy().role_name(role);
                call.policy_document(trust.to_string()).send().await.is_ok()
            }
            Self::NoPolicy => {
                let policy = format!(
                    "arn:aws:iam::{}:policy/heeler_event_collection_lambda_policy",
                    org.account()
                );
                let call = iam.detach_role_policy().role_name(role);
                call.policy_arn(policy).send().await.is_ok()
            }
            Self::NoFunction => {
                let call = lambda.delete_function().function_name(FUNCTION);
                call.send().await.is_ok()
            }
        };
        assert!(done, "nothing has changed: {self:?}");
    }
}

on_both_engines! {
    async fn drift_is_shown_and_repaired(engine: Engine) {
        let settings = ["lambda:UpdateFunctionConfiguration"].as_slice();
        let table: [(Drift, &[&str]); 20] = [
            (Drift::Setting(|call| call.description("mine")), settings),
            (Drift::Setting(|call| call.memory_size(256)), settings),
            (Drift::Setting(|call| call.timeout(60)), settings),
            (Drift::Setting(|call| call.handler("x.y")), settings),
            (Drift::Setting(|call| call.runtime(Runtime::Python313)), settings),
            (
                Drift::Setting(|call| {
                    call.environment(Environment::builder().variables("QUEUE_URL", "elsewhere").build())
                }),
                settings,
            ),
            (
                Drift::Setting(|call| {
                    let role = "arn:aws:iam::111122223333:role/another";
                    call.role(role)
                }),
                settings,
            ),
            (
                Drift::Setting(|call| {
                    let json = LoggingConfig::builder().log_format(LogFormat::Json);
                    call.logging_config(json.build())
                }),
                settings,
            ),
            (Drift::Reserved(0), &["lambda:DeleteFunctionConcurrency"]),
            (Drift::Reserved(5), &["lambda:DeleteFunctionConcurrency"]),
            (Drift::Code, &["lambda:UpdateFunctionCode"]),
            (Drift::NoPermission, &["lambda:AddPermission"]),
            (
                Drift::WiderPermission,
                // A temporary statement allows the log group during the update.
                &[
                    "lambda:AddPermission",
                    "lambda:RemovePermission",
                    "lambda:AddPermission",
                    "lambda:RemovePermission",
                ],
            ),
            (Drift::Filter, &["logs:PutSubscriptionFilter"]),
            (Drift::NoFilter, &["logs:PutSubscriptionFilter"]),
            (Drift::Queue(QueueAttributeName::ContentBasedDeduplication, "false"), &["sqs:SetQueueAttributes"]),
            (Drift::Queue(QueueAttributeName::MessageRetentionPeriod, "60"), &["sqs:SetQueueAttributes"]),
            (Drift::Trust, &["iam:UpdateAssumeRolePolicy"]),
            (Drift::NoPolicy, &["iam:AttachRolePolicy"]),
            (Drift::NoFunction, &["lambda:CreateFunction", "lambda:AddPermission"]),
        ];
        let runs = table.into_iter().map(|(drift, writes)| async move {
            let org = world_with_other_filter(engine).await;
            setup(&org).run().await.expect_status(0);
            drift.happen(&org).await;
            plan(&org).args(["--check"]).run().await.expect_status(1);
            let run = again(&org).run().await.expect_status(0);
            assert_eq!(names(&run.writes()), writes);
            assert_complete(&org).await;
        });
        run_concurrently(runs).await;
    }
}

#[tokio::test]
async fn drift_explains_disabled_function() {
    let org = world_with_other_filter(Engine::Ministack).await;
    setup(&org).run().await.expect_status(0);
    Drift::Reserved(0).happen(&org).await;
    let run = heeler_ec(&org).args(["plan", "--check"]);
    let run = run.run().await.expect_status(1);
    assert_stdout(
        &org,
        &run,
        str![[r#"
Option cloudwatch in account 111122223333, region us-east-1:

 ~ update  lambda function  heeler_event_collection_lambda
                            reserved_concurrency: 0 -> "none"
                              the function is disabled: no event is delivered

Plan: 1 to update, 13 unchanged.

"#]],
    );
}

/// Checks that setup succeeds although a call fails.
async fn assert_retried(fault: Fault) {
    let org = world_with_other_filter(Engine::Ministack).await;
    org.proxy().fault(fault);
    setup(&org).run().await.expect_status(0);
    org.proxy().clear_faults();
    assert_complete(&org).await;
}

fn refusal(service: &str, operation: &str, code: &str, message: &str) -> Fault {
    Fault::new(service, operation, FaultAction::refuse(400, code, message))
}

#[tokio::test]
async fn transient_refusals_are_retried() {
    let table = [
        (
            "lambda",
            "CreateFunction",
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (
            "lambda",
            "CreateFunction",
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call SendMessage on SQS",
        ),
        (
            "lambda",
            "CreateFunction",
            "ResourceConflictException",
            "The operation cannot be performed at this time.",
        ),
        (
            "lambda",
            "AddPermission",
            "ResourceNotFoundException",
            "Function not found",
        ),
        (
            "lambda",
            "AddPermission",
            "ResourceConflictException",
            "An update is in progress for resource",
        ),
        (
            "logs",
            "PutSubscriptionFilter",
            "InvalidParameterException",
            "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
        ),
        (
            "logs",
            "PutSubscriptionFilter",
            "InvalidParameterException",
            "Could not deliver test message to specified destination.",
        ),
        (
            "logs",
            "PutSubscriptionFilter",
            "OperationAbortedException",
            "A conflicting operation is currently in progress. Please try again.",
        ),
        (
            "logs",
            "PutSubscriptionFilter",
            "ThrottlingException",
            "Rate exceeded",
        ),
    ];
    let runs = table
        .into_iter()
        .map(|(service, operation, code, message)| {
            assert_retried(refusal(service, operation, code, message).times(2))
        });
    run_concurrently(runs).await;
}

#[tokio::test]
async fn full_log_group_fails_immediately() {
    let org = world_with_other_filter(Engine::Ministack).await;
    org.proxy().fault(refusal(
        "logs",
        "PutSubscriptionFilter",
        "LimitExceededException",
        "Resource limit exceeded.",
    ));
    let run = setup(&org).run().await.expect_status(3);
    let writes = names(&run.writes());
    let tried = writes
        .iter()
        .filter(|name| *name == "logs:PutSubscriptionFilter");
    assert_eq!(tried.count(), 1, "{writes:?}");
    assert_stderr(
        &org,
        &run,
        str![[r"
...
Plan: 14 to create.
  ! failed to create subscription filter heeler_cloudwatch_log_subscription_filter: cannot create subscription filter heeler_cloudwatch_log_subscription_filter: Resource limit exceeded. (LimitExceededException, request id 00000000-1111-2222-3333-444444444444)
  + created iam attachment heeler_event_collection_lambda_policy -> heeler_event_collection_lambda_role (0.1 s)
  + created iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  + created iam policy heeler_event_collection_lambda_policy (0.1 s)
  + created iam policy heeler_event_collection_sqs_policy (0.1 s)
  + created iam role heeler_event_collection_lambda_role (0.1 s)
  + created iam role heeler_event_collection_sqs_role (0.1 s)
  + created kms alias alias/heeler_kms_key_sqs (0.1 s)
  + created kms key heeler_kms_key_sqs (0.1 s)
  + created lambda function heeler_event_collection_lambda (0.1 s)
  + created lambda permission InvokePermissionsForCW of heeler_event_collection_lambda (0.1 s)
  + created sqs queue heeler_event_collection_queue.fifo (0.1 s)
  + created sqs queue heeler_event_collection_queue_dlq.fifo (0.1 s)
  + created sqs queue policy heeler_event_collection_queue.fifo (0.1 s)
Created 13 resources (0.1 s).

Stopped after 13 of 14 steps. Resources created so far were kept.
Run the same command again to complete the setup. To remove it, run:
  heeler-ec destroy
error: cannot create subscription filter heeler_cloudwatch_log_subscription_filter
  cause: Resource limit exceeded. (LimitExceededException, request id 00000000-1111-2222-3333-444444444444)
  hint:  log group organization/cloudtrail has no room for another subscription filter: combine two destinations, or choose another delivery option (aws logs describe-subscription-filters lists the filters)

"]],
    );
    org.proxy().clear_faults();
    again(&org).run().await.expect_status(0);
    assert_complete(&org).await;
}

#[tokio::test]
async fn rejected_pattern_does_not_blame_function() {
    let org = world_with_other_filter(Engine::Ministack).await;
    let pattern = "Invalid filter pattern";
    org.proxy().fault(refusal(
        "logs",
        "PutSubscriptionFilter",
        "InvalidParameterException",
        pattern,
    ));
    let run = setup(&org).run().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
...
Plan: 14 to create.
  ! failed to create subscription filter heeler_cloudwatch_log_subscription_filter: cannot create subscription filter heeler_cloudwatch_log_subscription_filter: Invalid filter pattern (InvalidParameterException, request id 00000000-1111-2222-3333-444444444444)
  + created iam attachment heeler_event_collection_lambda_policy -> heeler_event_collection_lambda_role (0.1 s)
  + created iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  + created iam policy heeler_event_collection_lambda_policy (0.1 s)
  + created iam policy heeler_event_collection_sqs_policy (0.1 s)
  + created iam role heeler_event_collection_lambda_role (0.1 s)
  + created iam role heeler_event_collection_sqs_role (0.1 s)
  + created kms alias alias/heeler_kms_key_sqs (0.1 s)
  + created kms key heeler_kms_key_sqs (0.1 s)
  + created lambda function heeler_event_collection_lambda (0.1 s)
  + created lambda permission InvokePermissionsForCW of heeler_event_collection_lambda (0.1 s)
  + created sqs queue heeler_event_collection_queue.fifo (0.1 s)
  + created sqs queue heeler_event_collection_queue_dlq.fifo (0.1 s)
  + created sqs queue policy heeler_event_collection_queue.fifo (0.1 s)
Created 13 resources (0.1 s).

Stopped after 13 of 14 steps. Resources created so far were kept.
Run the same command again to complete the setup. To remove it, run:
  heeler-ec destroy
error: cannot create subscription filter heeler_cloudwatch_log_subscription_filter
  cause: Invalid filter pattern (InvalidParameterException, request id 00000000-1111-2222-3333-444444444444)

"]],
    );
}

#[tokio::test]
async fn failed_function_shows_lambda_reason() {
    let org = world_with_other_filter(Engine::Ministack).await;
    let fails = FaultAction::edit_json(|answer| {
        answer["Configuration"]["State"] = "Failed".into();
        answer["Configuration"]["StateReasonCode"] = "InvalidZipFileException".into();
        answer["Configuration"]["StateReason"] = "no module".into();
    });
    // Preflight and plan read it before it exists.
    let created = Fault::new("lambda", "GetFunction", fails).after(2);
    org.proxy().fault(created);
    let run = setup(&org).run().await.expect_status(3);
    assert_stderr(
        &org,
        &run,
        str![[r"
...
Plan: 14 to create.
  ! failed to create lambda function heeler_event_collection_lambda: cannot activate lambda function heeler_event_collection_lambda: no module (InvalidZipFileException)
  + created iam attachment heeler_event_collection_lambda_policy -> heeler_event_collection_lambda_role (0.1 s)
  + created iam attachment heeler_event_collection_sqs_policy -> heeler_event_collection_sqs_role (0.1 s)
  + created iam policy heeler_event_collection_lambda_policy (0.1 s)
  + created iam policy heeler_event_collection_sqs_policy (0.1 s)
  + created iam role heeler_event_collection_lambda_role (0.1 s)
  + created iam role heeler_event_collection_sqs_role (0.1 s)
  + created kms alias alias/heeler_kms_key_sqs (0.1 s)
  + created kms key heeler_kms_key_sqs (0.1 s)
  + created sqs queue heeler_event_collection_queue.fifo (0.1 s)
  + created sqs queue heeler_event_collection_queue_dlq.fifo (0.1 s)
  + created sqs queue policy heeler_event_collection_queue.fifo (0.1 s)
  - skipped: create lambda permission InvokePermissionsForCW of heeler_event_collection_lambda (depends on lambda function heeler_event_collection_lambda)
  - skipped: create subscription filter heeler_cloudwatch_log_subscription_filter (depends on lambda function heeler_event_collection_lambda)
Created 11 resources (0.1 s).

Stopped after 11 of 14 steps. Resources created so far were kept.
Run the same command again to complete the setup. To remove it, run:
  heeler-ec destroy
error: cannot activate lambda function heeler_event_collection_lambda
  cause: no module (InvalidZipFileException)
  hint:  run heeler-ec destroy, then setup again

"]],
    );
    assert!(!names(&run.writes()).contains(&"logs:PutSubscriptionFilter".to_owned()));
    org.proxy().clear_faults();
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn lost_response_does_not_duplicate_write() {
    let table = [
        ("kms", "CreateKey"),
        ("sqs", "CreateQueue"),
        ("iam", "CreateRole"),
        ("iam", "CreatePolicy"),
        ("lambda", "CreateFunction"),
        ("lambda", "AddPermission"),
        ("logs", "PutSubscriptionFilter"),
    ];
    run_concurrently(table.into_iter().map(|(service, operation)| async move {
        let org = world_with_other_filter(Engine::Ministack).await;
        let fault = Fault::new(service, operation, FaultAction::DropResponse).times(1);
        org.proxy().fault(fault);
        let first = setup(&org).run().await;
        // If setup gave up, the same command completes it, with one resource of each kind.
        assert!(
            [0, 3].contains(&first.status),
            "{operation}\n{}",
            first.stderr
        );
        setup(&org).run().await.expect_status(0);
        assert_complete(&org).await;
    }))
    .await;
}

#[tokio::test]
async fn missing_permission_is_named_and_setup_resumes() {
    let table = [
        ("kms", "CreateKey", "kms:CreateKey"),
        ("kms", "CreateAlias", "kms:CreateAlias"),
        ("sqs", "CreateQueue", "sqs:CreateQueue"),
        ("sqs", "SetQueueAttributes", "sqs:SetQueueAttributes"),
        ("iam", "CreateRole", "iam:CreateRole"),
        ("iam", "CreatePolicy", "iam:CreatePolicy"),
        ("iam", "AttachRolePolicy", "iam:AttachRolePolicy"),
        ("lambda", "CreateFunction", "lambda:CreateFunction"),
        ("lambda", "AddPermission", "lambda:AddPermission"),
        (
            "logs",
            "PutSubscriptionFilter",
            "logs:PutSubscriptionFilter",
        ),
    ];
    let runs = table
        .into_iter()
        .map(|(service, operation, permission)| async move {
            let org = world_with_other_filter(Engine::Ministack).await;
            let refusal = FaultAction::refuse(403, "AccessDeniedException", "is not authorized");
            org.proxy().fault(Fault::new(service, operation, refusal));
            let run = setup(&org).run().await.expect_status(3);
            assert_eq!(run.stdout, "");
            for expected in [
                &format!("grant {permission} "),
                "of 14 steps",
                "Run the same command again",
            ] {
                assert!(
                    run.stderr.contains(expected),
                    "{operation}: no {expected:?} in\n{}",
                    run.stderr
                );
            }
            if operation != "PutSubscriptionFilter" {
                let writes = names(&run.writes());
                assert!(
                    !writes.iter().any(|write| write.starts_with("logs:")),
                    "{writes:?}"
                );
            }
            org.proxy().clear_faults();
            setup(&org).run().await.expect_status(0);
            assert_complete(&org).await;
        });
    run_concurrently(runs).await;
}

#[tokio::test]
async fn destroy_works_without_trail() {
    let org = world_with_other_filter(Engine::Ministack).await;
    setup(&org).run().await.expect_status(0);
    delete_trail(&org).await;
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn destroy_works_without_role() {
    let org = world_with_other_filter(Engine::Ministack).await;
    setup(&org).run().await.expect_status(0);
    delete_role(&org).await;
    destroy(&org).run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn destroy_accepts_log_group_argument() {
    let org = world_with_other_filter(Engine::Ministack).await;
    setup(&org).run().await.expect_status(0);
    delete_role(&org).await;
    delete_trail(&org).await;
    let run = destroy(&org).run().await.expect_status(1);
    assert_stderr(
        &org,
        &run,
        str![[r#"
error: nothing is deployed under the name prefix "heeler"
  cause: this account has no role heeler_event_collection_sqs_role that is managed by heeler-ec
  hint:  if resources remain, name their bucket or log group: `heeler-ec destroy --bucket BUCKET` or `heeler-ec destroy --log-group NAME`

"#]],
    );
    let named = destroy(&org).args(["--log-group", log_group_name(&org)]);
    named.run().await.expect_status(0);
    assert_eq!(org.leftovers().await, NOTHING);
}

#[tokio::test]
async fn unmanaged_function_is_not_changed() {
    let org = world_with_other_filter(Engine::Ministack).await;
    make_function(&org, FUNCTION).await;
    let run = setup(&org).run().await.expect_status(1);
    assert_eq!(names(&run.writes()), NOTHING);
    assert_stderr(
        &org,
        &run,
        str![[r"
x names.function: function heeler_event_collection_lambda exists and is not managed by heeler-ec
    expected: an available name
    reason:   setup never changes resources that it did not create
    fix:      choose other names with --name-prefix, or take it over with --adopt (the plan shows the changes)
    command:  heeler-ec plan --option cloudwatch --adopt --heeler-role-arn arn:aws:iam::999900001111:role/heeler-security
    accept:   not possible, because setup cannot work without it
    help:     heeler-ec explain names.function

error: the prerequisites of option cloudwatch are not met; no changes were made
  hint:  to show all checks: heeler-ec preflight --option cloudwatch

"]],
    );
}

#[tokio::test]
async fn interrupted_setup_can_be_completed() {
    let org = world_with_other_filter(Engine::Ministack).await;
    let create = org.proxy().hold("sqs", "CreateQueue");
    let running = setup(&org).spawn().await;
    running.wait_for_stderr("+ created kms key").await;
    create.wait_for_call().await;
    running.interrupt();
    running.wait_for_stderr("Interrupted").await;
    create.open();
    let run = running.wait().await.expect_status(130);
    assert!(run.stderr.contains("of 14 steps"), "{}", run.stderr);
    assert_eq!(position_of_write(&run, "logs:PutSubscriptionFilter"), None);
    setup(&org).run().await.expect_status(0);
    assert_complete(&org).await;
}

async fn delete_trail(org: &Organization) {
    let delete = org.clients().cloudtrail.delete_trail();
    delete.name(org.trail()).send().await.expect("no trail");
}

async fn delete_role(org: &Organization) {
    let (iam, name) = (&org.clients().iam, "heeler_event_collection_sqs_role");
    let policy = format!(
        "arn:aws:iam::{}:policy/heeler_event_collection_sqs_policy",
        org.account()
    );
    let detach = iam.detach_role_policy().role_name(name).policy_arn(policy);
    detach.send().await.expect("a role without policies");
    let delete = iam.delete_role().role_name(name).send().await;
    delete.expect("no role");
}

/// An organization whose log group keeps events for a month.
async fn world_with_month_of_retention() -> Organization {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let keep = org
        .clients()
        .logs
        .put_retention_policy()
        .retention_in_days(30);
    let keep = keep.log_group_name(org.log_group().expect("a log group"));
    keep.send().await.expect("a month");
    org
}

#[tokio::test]
async fn month_retention_is_rejected_unless_accepted() {
    let org = world_with_month_of_retention().await;
    let run = setup_of(&org, "cloudwatch").run().await.expect_status(1);
    assert_stderr(
        &org,
        &run,
        str![[r"
x logs.retention: events expire after 30 days
    expected: 1 day
    reason:   Heeler's guide asks for one day; the change permanently deletes all events older than one day from the log group
    console:  CloudWatch > Log groups > organization/cloudtrail > Actions > Edit retention setting
    warning:  this command deletes all events older than one day
    command:  aws logs put-retention-policy --region us-east-1 --log-group-name organization/cloudtrail --retention-in-days 1
    accept:   --accept logs.retention
    help:     heeler-ec explain logs.retention

error: the prerequisites of option cloudwatch are not met; no changes were made
  hint:  to show all checks: heeler-ec preflight --option cloudwatch

"]],
    );
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    let accepted = setup_of(&org, "cloudwatch").args(["--accept", "logs.retention"]);
    let run = accepted.run().await.expect_status(0);
    assert!(
        run.calls
            .iter()
            .all(|call| call.operation != "PutRetentionPolicy")
    );
}

#[tokio::test]
async fn retention_is_set_only_after_confirmation() {
    let org = world_with_month_of_retention().await;
    let fix = || {
        setup_of(&org, "cloudwatch")
            .args(["--fix-retention"])
            .extra_actions(&["logs:PutRetentionPolicy"])
    };
    let refused = fix().run().await.expect_status(1);
    assert!(refused.writes().is_empty(), "{:?}", refused.writes());
    let question = "Set the retention of log group";
    let run = fix()
        .on_terminal(120, &[(question, "yes")])
        .run()
        .await
        .expect_status(1);
    assert!(run.writes().is_empty(), "{:?}", run.writes());
    let group = org.log_group().expect("a log group");
    let run = fix()
        .on_terminal(120, &[(question, group)])
        .run()
        .await
        .expect_status(0);
    assert_eq!(run.writes()[0].name(), "logs:PutRetentionPolicy");
    // Nothing needs confirmation any more, so no terminal is needed.
    let again = again(&org)
        .args(["--fix-retention"])
        .run()
        .await
        .expect_status(0);
    assert_eq!(names(&again.writes()), NOTHING);
}

#[tokio::test]
async fn stopping_after_retention_change_reports_it() {
    for (answer, status, unchanged) in [
        ("no", 1, "Cancelled. No other changes made."),
        (CTRL_C, 130, "no other changes were made"),
    ] {
        let org = world_with_month_of_retention().await;
        let group = org.log_group().expect("a log group");
        let role = org.heeler_role_arn();
        let run = heeler_ec(&org)
            .args(["setup", "--option", OPTION, "--fix-retention"])
            .args(["--generate-external-id", "--heeler-role-arn", &role])
            .extra_actions(&["logs:PutRetentionPolicy"])
            .on_terminal(160, &[("to one day?", group), ("[y/N]", answer)])
            .run()
            .await
            .expect_status(status);
        assert_eq!(names(&run.writes()), ["logs:PutRetentionPolicy"]);
        let changed = format!("Log group {group} now keeps its events for one day.");
        for expected in [changed.as_str(), unchanged] {
            assert!(
                run.stdout.contains(expected),
                "no {expected:?} in\n{}",
                run.stdout
            );
        }
    }
}
