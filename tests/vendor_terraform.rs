//! Creates the resources of Heeler's Terraform modules through the SDK: the same names and settings, without the tags of
//! heeler-ec.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_cloudwatchlogs::types::Distribution;
use aws_sdk_lambda::types::{Environment, FunctionCode, LastUpdateStatus, Runtime, State};
use aws_sdk_s3::types::{Event, NotificationConfiguration, TopicConfiguration};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::{Value, json};

use testkit::Organization;
use testkit::program::RUN_TIMEOUT;

pub use testkit::terraform::EXTERNAL_ID;

/// The ID that Terraform generates for the bucket notification.
pub const NOTIFICATION_ID: &str = "tf-s3-topic-20260101120000000000000001";

const NAME: &str = "heeler_event_collection";

/// Creates the resources of the module for option s3, with its own topic.
pub async fn s3(org: &Organization) {
    let account = org.account();
    let root = format!("arn:aws:iam::{account}:root");
    let key = key(
        org,
        &json!([
            { "Sid": "EnableIAMPolicies", "Effect": "Allow", "Principal": { "AWS": root },
              "Action": "kms:*", "Resource": "*" },
            { "Sid": "AllowSNSToEncrypt", "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" },
              "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
              "Condition": { "StringEquals": { "aws:SourceAccount": account } } },
        ]),
    )
    .await;
    let (dead_arn, _) = queue(org, &format!("{NAME}_queue_dlq"), &key, None).await;
    let (queue, url) = queue(org, &format!("{NAME}_queue"), &key, Some(&dead_arn)).await;
    let topic = topic(org).await;
    notify(org, &topic).await;
    let role = role(org).await;
    let delivery = json!({ "Sid": "AllowSNSDelivery", "Effect": "Allow",
        "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": queue,
        "Condition": { "ArnEquals": { "aws:SourceArn": topic } } });
    queue_policy(org, &url, &json!([delivery, harvest(&queue, &role)])).await;
    let subscribe = org.clients().sns.subscribe().topic_arn(topic);
    let subscribe = subscribe.protocol("sqs").endpoint(&queue);
    subscribe.send().await.expect("a subscription");
    let objects = format!("arn:aws:s3:::{}/*", org.bucket());
    policy(
        org,
        "sqs",
        &json!([
            { "Sid": "HarvestQueue", "Effect": "Allow", "Action": HARVEST, "Resource": queue },
            { "Sid": "DecryptQueue", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": key },
            { "Sid": "FetchTrailObjects", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": objects },
        ]),
    )
    .await;
}

/// Creates the resources of the module for option cloudwatch.
pub async fn cloudwatch(org: &Organization) {
    let root = format!("arn:aws:iam::{}:root", org.account());
    let default_policy = json!([{ "Sid": "Enable IAM User Permissions", "Effect": "Allow",
        "Principal": { "AWS": root }, "Action": "kms:*", "Resource": "*" }]);
    let key = key(org, &default_policy).await;
    let (dead, _) = queue(org, &format!("{NAME}_queue_dlq.fifo"), &key, None).await;
    let (queue, url) = queue(org, &format!("{NAME}_queue.fifo"), &key, Some(&dead)).await;
    let role = role(org).await;
    let function_role = lambda_role(org).await;
    let send = json!({ "Sid": "HeelerLambdaSend", "Effect": "Allow", "Principal": { "AWS": function_role },
        "Action": ["sqs:SendMessage"], "Resource": queue });
    queue_policy(org, &url, &json!([send, harvest(&queue, &role)])).await;
    policy(
        org,
        "sqs",
        &json!([
            { "Sid": "HarvestQueue", "Effect": "Allow", "Action": HARVEST, "Resource": queue },
            { "Sid": "DecryptQueue", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": key },
        ]),
    )
    .await;
    policy(
        org,
        "lambda",
        &json!([
            { "Sid": "SendToQueue", "Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": queue },
            { "Sid": "EncryptForQueue", "Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
              "Resource": key },
        ]),
    )
    .await;
    function(org, &function_role, &url).await;
}

const HARVEST: [&str; 4] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
];

fn document(statements: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

fn harvest(queue: &str, role: &str) -> Value {
    json!({ "Sid": "HeelerHarvest", "Effect": "Allow", "Principal": { "AWS": role }, "Action": HARVEST,
        "Resource": queue })
}

async fn key(org: &Organization, statements: &Value) -> String {
    let kms = &org.clients().kms;
    let created = kms
        .create_key()
        .description("KMS key for encrypting SQS messages")
        .policy(document(statements));
    let created = created.send().await.expect("a key").key_metadata;
    let arn = created.expect("a key").arn.expect("its ARN");
    let rotates = kms.enable_key_rotation().key_id(&arn).send().await;
    rotates.expect("a key that rotates");
    let alias = kms.create_alias().alias_name("alias/heeler_kms_key_sqs");
    let alias = alias.target_key_id(&arn).send().await;
    alias.expect("an alias");
    arn
}

/// Creates a queue; returns its ARN and URL.
async fn queue(
    org: &Organization,
    name: &str,
    key: &str,
    dead_letter_queue: Option<&str>,
) -> (String, String) {
    let fifo = name.strip_suffix(".fifo").is_some();
    let mut attributes = HashMap::from([
        (Name::KmsMasterKeyId, key.to_owned()),
        (Name::KmsDataKeyReusePeriodSeconds, "300".to_owned()),
        (Name::MaximumMessageSize, "262144".to_owned()),
        (Name::VisibilityTimeout, "30".to_owned()),
    ]);
    if fifo {
        attributes.insert(Name::FifoQueue, "true".to_owned());
    }
    if let Some(dead) = dead_letter_queue {
        let redrive = json!({ "deadLetterTargetArn": dead, "maxReceiveCount": 4 });
        attributes.insert(Name::RedrivePolicy, redrive.to_string());
        attributes.insert(Name::MessageRetentionPeriod, "7200".to_owned());
        attributes.insert(Name::ReceiveMessageWaitTimeSeconds, "10".to_owned());
        if fifo {
            attributes.insert(Name::ContentBasedDeduplication, "true".to_owned());
        }
    }
    // Some emulators return URLs with the address of the request. The program calls through the proxy, so this call must too.
    let created = org
        .clients_through_proxy()
        .sqs
        .create_queue()
        .queue_name(name);
    let created = created.set_attributes(Some(attributes)).send().await;
    let url = created.expect("a queue").queue_url.expect("its URL");
    let (region, account) = (org.region(), org.account());
    (format!("arn:aws:sqs:{region}:{account}:{name}"), url)
}

async fn queue_policy(org: &Organization, url: &str, statements: &Value) {
    let put = org.clients().sqs.set_queue_attributes().queue_url(url);
    let put = put.attributes(Name::Policy, document(statements));
    put.send().await.expect("a policy of the queue");
}

async fn topic(org: &Organization) -> String {
    let sns = &org.clients().sns;
    let created = sns.create_topic().name(format!("{NAME}_topic"));
    let arn = created.send().await.expect("a topic").topic_arn;
    let arn = arn.expect("its ARN");
    let bucket = format!("arn:aws:s3:::{}", org.bucket());
    let policy = json!([{ "Sid": "AllowS3Publish", "Effect": "Allow",
        "Principal": { "Service": "s3.amazonaws.com" }, "Action": "sns:Publish", "Resource": arn,
        "Condition": { "StringEquals": { "aws:SourceAccount": org.account() },
            "ArnLike": { "aws:SourceArn": bucket } } }]);
    let put = sns.set_topic_attributes().topic_arn(&arn);
    let put = put
        .attribute_name("Policy")
        .attribute_value(document(&policy));
    put.send().await.expect("a policy of the topic");
    arn
}

/// Adds the bucket notification and keeps the existing ones, which Terraform would remove.
async fn notify(org: &Organization, topic: &str) {
    let s3 = &org.clients().s3;
    let read = s3
        .get_bucket_notification_configuration()
        .bucket(org.bucket());
    let before = read.send().await.expect("a notification configuration");
    let mut topics = before.topic_configurations.unwrap_or_default();
    let entry = TopicConfiguration::builder()
        .id(NOTIFICATION_ID)
        .topic_arn(topic)
        .events(Event::from("s3:ObjectCreated:*"));
    topics.push(entry.build().expect("an entry"));
    let configuration = NotificationConfiguration::builder()
        .set_topic_configurations(Some(topics))
        .set_queue_configurations(before.queue_configurations)
        .set_lambda_function_configurations(before.lambda_function_configurations)
        .set_event_bridge_configuration(before.event_bridge_configuration)
        .build();
    let put = s3
        .put_bucket_notification_configuration()
        .bucket(org.bucket());
    let put = put.notification_configuration(configuration);
    put.send().await.expect("an entry of the module");
}

async fn role(org: &Organization) -> String {
    let trust = json!([{ "Effect": "Allow", "Action": ["sts:AssumeRole"],
        "Principal": { "AWS": [org.heeler_role_arn()] },
        "Condition": { "StringEquals": { "sts:ExternalId": EXTERNAL_ID } } }]);
    let description = "Role for Heeler to assume to harvest SQS queue.";
    create_role(org, "sqs", description, &trust).await
}

async fn lambda_role(org: &Organization) -> String {
    let trust = json!([{ "Effect": "Allow", "Action": ["sts:AssumeRole"],
        "Principal": { "Service": "lambda.amazonaws.com" } }]);
    let description = "Role for Heeler Event Collection Lambda to assume";
    create_role(org, "lambda", description, &trust).await
}

async fn create_role(org: &Organization, suffix: &str, description: &str, trust: &Value) -> String {
    let created = org
        .clients()
        .iam
        .create_role()
        .role_name(format!("{NAME}_{suffix}_role"));
    let created = created
        .description(description)
        .assume_role_policy_document(document(trust));
    let created = created.send().await.expect("a role").role;
    created.expect("a role").arn
}

/// Creates a policy and attaches it to the role with the same suffix.
async fn policy(org: &Organization, suffix: &str, statements: &Value) {
    let iam = &org.clients().iam;
    let created = iam
        .create_policy()
        .policy_name(format!("{NAME}_{suffix}_policy"));
    let created = created.policy_document(document(statements)).send().await;
    let arn = created.expect("a policy").policy.expect("a policy").arn;
    let attach = iam
        .attach_role_policy()
        .role_name(format!("{NAME}_{suffix}_role"));
    let attach = attach.set_policy_arn(arn).send().await;
    attach.expect("an attached policy");
}

/// Waits until a function is active.
async fn wait_until_active(org: &Organization, name: &str) {
    let started = Instant::now();
    while started.elapsed() < RUN_TIMEOUT {
        let read = org.clients().lambda.get_function_configuration();
        let read = read.function_name(name).send().await.expect("a function");
        if read.state() != Some(&State::Pending)
            && read.last_update_status() != Some(&LastUpdateStatus::InProgress)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the function does not become active");
}

async fn function(org: &Organization, role: &str, queue_url: &str) {
    let lambda = &org.clients().lambda;
    let name = format!("{NAME}_lambda");
    let variables = Environment::builder().variables("QUEUE_URL", queue_url);
    let code = aws_smithy_types::Blob::new(code());
    let created = lambda
        .create_function()
        .function_name(&name)
        .description(
            "Heeler Event Collection Lambda to read from Cloudwatch logs and send processed messages to Heeler SQS \
             for harvest.",
        )
        .runtime(Runtime::Python312)
        .handler("heeler_event_collection_lambda.lambda_handler")
        .memory_size(128)
        .timeout(10)
        .role(role)
        .environment(variables.build())
        .tags("Name", "HeelerEventCollection")
        .code(FunctionCode::builder().zip_file(code).build());
    let arn = created.send().await.expect("a function").function_arn;
    wait_until_active(org, &name).await;
    let group = org.log_group().expect("a log group");
    let permission = lambda
        .add_permission()
        .function_name(&name)
        .statement_id("InvokePermissionsForCW");
    let permission = permission
        .action("lambda:InvokeFunction")
        .principal("logs.amazonaws.com")
        .source_arn(format!("{}:*", org.log_group_arn().trim_end_matches(":*")));
    permission.send().await.expect("a permission");
    let filter = org.clients().logs.put_subscription_filter();
    let filter = filter
        .log_group_name(group)
        .filter_name("heeler_cloudwatch_log_subscription_filter")
        .filter_pattern(heeler_ec::option::HEELER_PATTERN)
        .set_destination_arn(arn)
        .distribution(Distribution::ByLogStream);
    filter.send().await.expect("a subscription filter");
}

/// A different zip file with the same function: the zip has a comment at its end.
pub fn code() -> Vec<u8> {
    let mut code = heeler_ec::option::cloudwatch::function::code();
    let length = code.len() - 2;
    code[length] = 1;
    code.push(b'x');
    code
}
