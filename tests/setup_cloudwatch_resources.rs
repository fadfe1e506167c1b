//! The attributes of all resources after setup of option cloudwatch: the values of the reference plan, and
//! least-privilege policies.

use crate::commands::{on_both_engines, setup_of_with};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use std::collections::HashMap;
use testkit::{Engine, Organization};

const QUEUE: &str = "heeler_event_collection_queue.fifo";
const DEAD_LETTER_QUEUE: &str = "heeler_event_collection_queue_dlq.fifo";
const ROLE: &str = "heeler_event_collection_sqs_role";
const POLICY: &str = "heeler_event_collection_sqs_policy";
const FUNCTION: &str = "heeler_event_collection_lambda";
const FUNCTION_ROLE: &str = "heeler_event_collection_lambda_role";
const FUNCTION_POLICY: &str = "heeler_event_collection_lambda_policy";
const ALIAS: &str = "alias/heeler_kms_key_sqs";

/// An organization after its first setup.
async fn after_setup(engine: Engine) -> Organization {
    let org = Organization::on(engine).log_group().build().await;
    let run = setup_of_with(&org, "cloudwatch", "id-of-the-setup");
    run.run().await.expect_status(0);
    org
}

/// The values of the reference plan for this organization.
fn reference(org: &Organization) -> Value {
    let text = include_str!("fixtures/cloudwatch/plan.json")
        .replace("{account}", org.account())
        .replace("{region}", org.region())
        .replace("{log_group}", org.log_group().expect("a log group"));
    serde_json::from_str(&text).expect("the reference")
}

fn arn(org: &Organization, service: &str, name: &str) -> String {
    let (region, account) = (org.region(), org.account());
    format!("arn:aws:{service}:{region}:{account}:{name}")
}

fn iam_arn(org: &Organization, kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{}:{kind}/{name}", org.account())
}

/// Parses a document of IAM, which is percent-encoded.
fn parse_document(text: &str) -> Value {
    let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&text).expect("a policy document")
}

fn policy_with(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

async fn queue_attributes(org: &Organization, name: &str) -> HashMap<QueueAttributeName, String> {
    let sqs = &org.clients().sqs;
    let url = sqs.get_queue_url().queue_name(name).send().await;
    let url = url.expect("a queue").queue_url.expect("its URL");
    let read = sqs.get_queue_attributes().queue_url(url);
    let read = read.attribute_names(QueueAttributeName::All).send().await;
    read.expect("a queue's attributes")
        .attributes
        .expect("attributes")
}

async fn queue_as_terraform(org: &Organization, name: &str) -> Value {
    let found = queue_attributes(org, name).await;
    let number = |name| found.get(&name).and_then(|text| text.parse::<u32>().ok());
    let is = |name| found.get(&name).is_some_and(|text| text == "true");
    json!({
        "name": found[&QueueAttributeName::QueueArn].rsplit(':').next(),
        "fifo_queue": is(QueueAttributeName::FifoQueue),
        "content_based_deduplication": is(QueueAttributeName::ContentBasedDeduplication),
        "delay_seconds": number(QueueAttributeName::DelaySeconds),
        "kms_data_key_reuse_period_seconds": number(QueueAttributeName::KmsDataKeyReusePeriodSeconds),
        "max_message_size": number(QueueAttributeName::MaximumMessageSize),
        "message_retention_seconds": number(QueueAttributeName::MessageRetentionPeriod),
        "receive_wait_time_seconds": number(QueueAttributeName::ReceiveMessageWaitTimeSeconds),
        "visibility_timeout_seconds": number(QueueAttributeName::VisibilityTimeout),
    })
}

async fn role(org: &Organization, name: &str) -> aws_sdk_iam::types::Role {
    let found = org.clients().iam.get_role().role_name(name).send().await;
    found.expect("a role").role.expect("a role")
}

async fn role_as_terraform(org: &Organization, name: &str) -> Value {
    let found = role(org, name).await;
    json!({
        "name": found.role_name(),
        "path": found.path(),
        "description": found.description(),
        "max_session_duration": found.max_session_duration().unwrap_or(3600),
    })
}

async fn policy_as_terraform(org: &Organization, name: &str) -> Value {
    let read = org.clients().iam.get_policy();
    let read = read.policy_arn(iam_arn(org, "policy", name)).send().await;
    let found = read.expect("a policy").policy.expect("a policy");
    json!({ "name": found.policy_name(), "path": found.path(), "description": found.description() })
}

async fn policy(org: &Organization, name: &str) -> Value {
    let read = org.clients().iam.get_policy_version().version_id("v1");
    let read = read.policy_arn(iam_arn(org, "policy", name)).send().await;
    let version = read.expect("a policy").policy_version.expect("a version");
    parse_document(version.document().expect("a document"))
}

async fn attached_policies(org: &Organization, role: &str) -> Value {
    let read = org.clients().iam.list_attached_role_policies();
    let read = read.role_name(role).send().await.expect("policies");
    let names = read.attached_policies().iter();
    names.filter_map(|found| found.policy_name()).collect()
}

async fn key_arn(org: &Organization) -> String {
    let key = org.clients().kms.describe_key().key_id(ALIAS);
    let key = key.send().await.expect("our key").key_metadata;
    key.and_then(|key| key.arn).expect("its ARN")
}

async fn key_as_terraform(org: &Organization) -> Value {
    let kms = &org.clients().kms;
    let key = kms.describe_key().key_id(ALIAS).send().await;
    let key = key.expect("our key").key_metadata.expect("a description");
    let rotation = kms.get_key_rotation_status().key_id(key.key_id());
    let rotation = rotation.send().await.expect("the key's rotation");
    json!({
        "description": key.description(),
        "customer_master_key_spec": key.key_spec().map(aws_sdk_kms::types::KeySpec::as_str),
        "key_usage": key.key_usage().map(aws_sdk_kms::types::KeyUsageType::as_str),
        "is_enabled": key.enabled(),
        "enable_key_rotation": rotation.key_rotation_enabled(),
    })
}

async fn function_as_terraform(org: &Organization) -> Value {
    let read = org.clients().lambda.get_function();
    let read = read
        .function_name(FUNCTION)
        .send()
        .await
        .expect("our function");
    let found = read.configuration().expect("its configuration");
    let logging = found.logging_config();
    json!({
        "function_name": found.function_name(),
        "description": found.description(),
        "handler": found.handler(),
        "runtime": found.runtime().map(aws_sdk_lambda::types::Runtime::as_str),
        "memory_size": found.memory_size(),
        "timeout": found.timeout(),
        "reserved_concurrent_executions": read.concurrency().map_or(Some(-1), aws_sdk_lambda::types::Concurrency::reserved_concurrent_executions),
        "package_type": found.package_type().map(aws_sdk_lambda::types::PackageType::as_str),
        "layers": found.layers().len(),
        "ephemeral_storage": found.ephemeral_storage().map(aws_sdk_lambda::types::EphemeralStorage::size),
        "log_format": logging.and_then(|found| found.log_format()).map(aws_sdk_lambda::types::LogFormat::as_str),
        "log_group": logging.and_then(|found| found.log_group()),
        "tracing_mode": found.tracing_config().and_then(|found| found.mode()).map(aws_sdk_lambda::types::TracingMode::as_str),
        "name_tag": read.tags().and_then(|tags| tags.get("Name")),
    })
}

/// The only statement of the function's resource policy.
async fn permission(org: &Organization) -> Value {
    let read = org.clients().lambda.get_policy();
    let read = read.function_name(FUNCTION).send().await;
    let policy = read.expect("the function's policy").policy;
    let policy = parse_document(&policy.expect("a document"));
    let all = policy["Statement"].as_array().expect("statements");
    assert_eq!(all.len(), 1, "{policy:#}");
    all[0].clone()
}

fn permission_as_terraform(found: &Value) -> Value {
    json!({
        "statement_id": found["Sid"],
        "action": found["Action"],
        "principal": found["Principal"]["Service"],
        "source_arn": found["Condition"]["ArnLike"]["AWS:SourceArn"],
    })
}

async fn filter_as_terraform(org: &Organization) -> Value {
    let group = org.log_group().expect("a log group");
    let filters = org.subscription_filters(group).await;
    let [filter] = filters.as_slice() else {
        panic!("{filters:?}")
    };
    json!({
        "name": filter.filter_name(),
        "log_group_name": filter.log_group_name(),
        "distribution": filter.distribution().map_or("ByLogStream", |found| found.as_str()),
        "filter_pattern": filter.filter_pattern(),
    })
}

on_both_engines! {
    async fn resources_match_reference_values(engine: Engine) {
        let org = after_setup(engine).await;
        let alias = org.clients().kms.list_aliases().send().await.expect("aliases");
        let alias = alias.aliases().iter().filter_map(|found| found.alias_name()).find(|name| *name == ALIAS);
        let found = json!({
            "aws_cloudwatch_log_subscription_filter": filter_as_terraform(&org).await,
            "aws_iam_policy.lambda": policy_as_terraform(&org, FUNCTION_POLICY).await,
            "aws_iam_policy.sqs": policy_as_terraform(&org, POLICY).await,
            "aws_iam_role.lambda": role_as_terraform(&org, FUNCTION_ROLE).await,
            "aws_iam_role.sqs": role_as_terraform(&org, ROLE).await,
            "aws_iam_role_policy_attachment.lambda": attached_policies(&org, FUNCTION_ROLE).await,
            "aws_iam_role_policy_attachment.sqs": attached_policies(&org, ROLE).await,
            "aws_kms_alias": {"name": alias},
            "aws_kms_key": key_as_terraform(&org).await,
            "aws_lambda_function": function_as_terraform(&org).await,
            "aws_lambda_permission": permission_as_terraform(&permission(&org).await),
            "aws_sqs_queue": queue_as_terraform(&org, QUEUE).await,
            "aws_sqs_queue.dlq": queue_as_terraform(&org, DEAD_LETTER_QUEUE).await,
        });
        assert_eq!(found, reference(&org));
    }

    async fn resources_refer_to_each_other(engine: Engine) {
        let org = after_setup(engine).await;
        let key = key_arn(&org).await;
        let (main, dead) = (queue_attributes(&org, QUEUE).await, queue_attributes(&org, DEAD_LETTER_QUEUE).await);
        assert_eq!(main[&QueueAttributeName::KmsMasterKeyId], key);
        assert_eq!(dead[&QueueAttributeName::KmsMasterKeyId], key);
        assert_eq!(
            parse_document(&main[&QueueAttributeName::RedrivePolicy]),
            json!({"deadLetterTargetArn": arn(&org, "sqs", DEAD_LETTER_QUEUE), "maxReceiveCount": 4})
        );
        assert_eq!(
            parse_document(&dead[&QueueAttributeName::RedriveAllowPolicy]),
            json!({"redrivePermission": "byQueue", "sourceQueueArns": [arn(&org, "sqs", QUEUE)]})
        );
        let function = org.clients().lambda.get_function().function_name(FUNCTION).send().await;
        let function = function.expect("our function").configuration.expect("its configuration");
        assert_eq!(function.role(), Some(&*iam_arn(&org, "role", FUNCTION_ROLE)));
        let variables = function.environment().and_then(|found| found.variables()).expect("variables");
        let url = org.clients().sqs.get_queue_url().queue_name(QUEUE).send().await;
        let url = url.expect("our queue").queue_url.expect("its URL");
        // The emulator returns URLs with the address that a client uses.
        assert!(variables["QUEUE_URL"].ends_with(url.split_once("//").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).expect("a path")));
        let filters = org.subscription_filters(org.log_group().expect("a log group")).await;
        assert_eq!(filters[0].destination_arn(), function.function_arn());
    }

    async fn function_code_is_the_embedded_code(engine: Engine) {
        let org = after_setup(engine).await;
        let function = org.clients().lambda.get_function().function_name(FUNCTION).send().await;
        let function = function.expect("our function").configuration.expect("its configuration");
        assert_eq!(function.code_sha256(), Some(&*heeler_ec::option::cloudwatch::function::sha256()));
    }

    async fn only_function_role_may_send_to_queue(engine: Engine) {
        let org = after_setup(engine).await;
        let queue = queue_attributes(&org, QUEUE).await;
        let own = arn(&org, "sqs", QUEUE);
        assert_eq!(
            parse_document(&queue[&QueueAttributeName::Policy]),
            policy_with(&[
                json!({
                    "Sid": "AllowCollectorLambdaToSend",
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{}:root", org.account())},
                    "Action": "sqs:SendMessage",
                    "Resource": own,
                    "Condition": {"ArnEquals": {"aws:PrincipalArn": iam_arn(&org, "role", FUNCTION_ROLE)}}
                }),
                deny_insecure_transport(&own),
            ])
        );
        let dead = queue_attributes(&org, DEAD_LETTER_QUEUE).await;
        let dead = parse_document(&dead[&QueueAttributeName::Policy]);
        assert_eq!(dead, policy_with(&[deny_insecure_transport(&arn(&org, "sqs", DEAD_LETTER_QUEUE))]));
    }

    async fn key_policy_allows_own_account_only(engine: Engine) {
        let org = after_setup(engine).await;
        let read = org.clients().kms.get_key_policy().key_id(key_arn(&org).await);
        let read = read.policy_name("default").send().await.expect("the key's policy");
        assert_eq!(
            parse_document(&read.policy.expect("a document")),
            policy_with(&[json!({
                "Sid": "AccountAdministration",
                "Effect": "Allow",
                "Principal": {"AWS": format!("arn:aws:iam::{}:root", org.account())},
                "Action": "kms:*",
                "Resource": "*"
            })])
        );
    }

    async fn each_role_trusts_one_principal(engine: Engine) {
        let org = after_setup(engine).await;
        let heeler = role(&org, ROLE).await;
        assert_eq!(
            parse_document(heeler.assume_role_policy_document().expect("a trust policy")),
            policy_with(&[json!({
                "Sid": "HeelerAssumeRole",
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": {"AWS": [org.heeler_role_arn()]},
                "Condition": {"StringEquals": {"sts:ExternalId": "id-of-the-setup"}}
            })])
        );
        let lambda = role(&org, FUNCTION_ROLE).await;
        assert_eq!(
            parse_document(lambda.assume_role_policy_document().expect("a trust policy")),
            policy_with(&[json!({
                "Sid": "LambdaAssumeRole",
                "Effect": "Allow",
                "Action": ["sts:AssumeRole"],
                "Principal": {"Service": "lambda.amazonaws.com"}
            })])
        );
    }

    async fn heeler_policy_allows_harvesting_only(engine: Engine) {
        let org = after_setup(engine).await;
        assert_eq!(
            policy(&org, POLICY).await,
            policy_with(&[
                json!({
                    "Sid": "HarvestQueue",
                    "Effect": "Allow",
                    "Action": [
                        "sqs:ReceiveMessage",
                        "sqs:DeleteMessage",
                        "sqs:ChangeMessageVisibility",
                        "sqs:GetQueueAttributes",
                        "sqs:GetQueueUrl"
                    ],
                    "Resource": arn(&org, "sqs", QUEUE)
                }),
                allow_via_sqs("DecryptQueueMessages", json!("kms:Decrypt"), &key_arn(&org).await),
            ])
        );
    }

    async fn function_policy_allows_sending_and_logging_only(engine: Engine) {
        let org = after_setup(engine).await;
        let log = arn(&org, "logs", &format!("log-group:/aws/lambda/{FUNCTION}"));
        assert_eq!(
            policy(&org, FUNCTION_POLICY).await,
            policy_with(&[
                json!({
                    "Sid": "SendToQueue",
                    "Effect": "Allow",
                    "Action": "sqs:SendMessage",
                    "Resource": arn(&org, "sqs", QUEUE)
                }),
                allow_via_sqs(
                    "EncryptQueueMessages",
                    json!(["kms:Decrypt", "kms:GenerateDataKey"]),
                    &key_arn(&org).await
                ),
                json!({
                    "Sid": "CreateOwnLogGroup",
                    "Effect": "Allow",
                    "Action": "logs:CreateLogGroup",
                    "Resource": [log, format!("{log}:*")]
                }),
                json!({
                    "Sid": "WriteOwnLogs",
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": format!("{log}:log-stream:*")
                }),
            ])
        );
    }

    async fn only_trail_log_group_may_invoke_function(engine: Engine) {
        let org = after_setup(engine).await;
        assert_eq!(
            permission(&org).await,
            json!({
                "Sid": "InvokePermissionsForCW",
                "Effect": "Allow",
                "Principal": {"Service": "logs.amazonaws.com"},
                "Action": "lambda:InvokeFunction",
                "Resource": arn(&org, "lambda", &format!("function:{FUNCTION}")),
                "Condition": {
                    "StringEquals": {"AWS:SourceAccount": org.account()},
                    "ArnLike": {"AWS:SourceArn": format!("{}:*", org.log_group_arn())}
                }
            })
        );
    }
}

/// A statement that denies all actions without TLS.
fn deny_insecure_transport(queue: &str) -> Value {
    json!({
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    })
}

/// A statement that allows use of a key through SQS.
fn allow_via_sqs(sid: &str, action: Value, key: &str) -> Value {
    let mut statement = json!({
        "Sid": sid,
        "Effect": "Allow",
        "Resource": key,
        "Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}
    });
    statement["Action"] = action;
    statement
}
