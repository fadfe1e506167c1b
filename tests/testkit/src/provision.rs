//! Creates the simulated organization in the emulator: accounts, bucket, trail, log group, notifications, vendor role.

use aws_sdk_cloudtrail::types::EventSelector;
use aws_sdk_cloudwatchlogs::types::LogGroupClass;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_sdk_organizations::types::OrganizationFeatureSet;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, Event, EventBridgeConfiguration,
    FilterRule, FilterRuleName, LambdaFunctionConfiguration, NotificationConfiguration,
    NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    TopicConfiguration,
};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;

use crate::organization::{KeyOwner, LOG_GROUP, TRAIL, allow};
use crate::{Clients, Engine, LogFile, Organization, log_file};

/// The end of a directory without entries, which is a whole ZIP file.
const EMPTY_ZIP_FILE: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

impl Organization {
    /// Creates everything that the builder describes.
    pub(crate) async fn provision(&mut self) {
        self.create_organization().await;
        if self.built.log_archive {
            self.move_bucket_to_log_archive().await;
        }
        if self.built.bucket_key {
            self.create_bucket_key().await;
        }
        self.create_bucket().await;
        if self.built.trail {
            self.create_trail().await;
        }
        if let Some(class) = self.built.log_group.clone() {
            self.create_log_group(class).await;
        }
        if self.built.trail && self.built.logging && self.built.log_file {
            self.create_log_file().await;
        }
        self.create_notifications().await;
        self.create_vendor_role().await;
    }

    async fn create_organization(&mut self) {
        let organizations = &self.clients.organizations;
        if self.built.engine == Engine::Moto {
            organizations
                .create_organization()
                .feature_set(OrganizationFeatureSet::All)
                .send()
                .await
                .expect("an organization");
        }
        organizations
            .enable_aws_service_access()
            .service_principal("cloudtrail.amazonaws.com")
            .send()
            .await
            .expect("service access for CloudTrail");
        for name in ["production", "staging", "audit"] {
            organizations
                .create_account()
                .account_name(name)
                .email(format!("{name}+{}@example.com", self.account))
                .send()
                .await
                .expect("a member account");
        }
        let described = organizations.describe_organization().send().await;
        described
            .expect("the organization")
            .organization()
            .and_then(|organization| organization.id())
            .expect("the organization's id")
            .clone_into(&mut self.id);
        let accounts = organizations.list_accounts().send().await;
        self.members = accounts
            .expect("the organization's accounts")
            .accounts()
            .iter()
            .filter_map(|account| account.id())
            .filter(|id| *id != self.account)
            .map(str::to_owned)
            .collect();
    }

    async fn create_bucket_key(&mut self) {
        let clients = self.clients_of_key_owner().await;
        let owner = match self.built.key_owner {
            KeyOwner::Bucket => &self.bucket_account,
            KeyOwner::Management => &self.account,
            KeyOwner::Third => &self.members[1],
        };
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Owner",
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{owner}:root")},
                    "Action": "kms:*",
                    "Resource": "*"
                },
                {
                    "Sid": "CloudTrail",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudtrail.amazonaws.com"},
                    "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:SourceArn": self.trail_arn()}}
                }
            ]
        });
        let made = clients
            .kms
            .create_key()
            .description("CloudTrail logs")
            .policy(policy.to_string())
            .send()
            .await
            .expect("a key for the bucket");
        let arn = made.key_metadata().and_then(|key| key.arn());
        self.bucket_key = Some(arn.expect("the key's ARN").to_owned());
    }

    async fn create_bucket(&self) {
        let s3 = &self.clients.s3;
        let location = (self.region() != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(self.region()))
                .build()
        });
        s3.create_bucket()
            .bucket(&self.bucket)
            .set_create_bucket_configuration(location)
            .send()
            .await
            .expect("the trail's bucket");
        let folder = self.built.prefix.as_ref();
        let folder = folder
            .map(|prefix| format!("{prefix}/"))
            .unwrap_or_default();
        let arn = format!("arn:aws:s3:::{}", self.bucket);
        let trail = json!({"StringEquals": {"aws:SourceArn": self.trail_arn()}});
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AWSCloudTrailAclCheck",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudtrail.amazonaws.com"},
                    "Action": "s3:GetBucketAcl",
                    "Resource": arn,
                    "Condition": trail
                },
                {
                    "Sid": "AWSCloudTrailWrite",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudtrail.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": [
                        format!("{arn}/{folder}AWSLogs/{}/*", self.account),
                        format!("{arn}/{folder}AWSLogs/{}/*", self.id)
                    ],
                    "Condition": {"StringEquals": {
                        "s3:x-amz-acl": "bucket-owner-full-control",
                        "aws:SourceArn": self.trail_arn()
                    }}
                }
            ]
        });
        s3.put_bucket_policy()
            .bucket(&self.bucket)
            .policy(policy.to_string())
            .send()
            .await
            .expect("the bucket's policy");
        let Some(key) = &self.bucket_key else { return };
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::AwsKms)
            .kms_master_key_id(key)
            .build()
            .expect("a default encryption");
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(true)
            .build();
        let encryption = ServerSideEncryptionConfiguration::builder()
            .rules(rule)
            .build()
            .expect("an encryption configuration");
        s3.put_bucket_encryption()
            .bucket(&self.bucket)
            .server_side_encryption_configuration(encryption)
            .send()
            .await
            .expect("the bucket's encryption");
    }

    async fn create_trail(&self) {
        let cloudtrail = &self.clients.cloudtrail;
        cloudtrail
            .create_trail()
            .name(TRAIL)
            .s3_bucket_name(&self.bucket)
            .set_s3_key_prefix(self.built.prefix.clone())
            .set_kms_key_id(self.bucket_key.clone())
            .is_multi_region_trail(self.built.multi_region)
            .is_organization_trail(self.built.organization_trail)
            .include_global_service_events(true)
            .enable_log_file_validation(true)
            .send()
            .await
            .expect("the trail");
        // On AWS a new trail has this selector; not every emulator sets it.
        let selector = EventSelector::builder()
            .read_write_type(self.built.selector.clone())
            .include_management_events(true)
            .build();
        cloudtrail
            .put_event_selectors()
            .trail_name(TRAIL)
            .event_selectors(selector)
            .send()
            .await
            .expect("the trail's event selectors");
        if self.built.logging {
            let started = cloudtrail.start_logging().name(TRAIL).send().await;
            started.expect("logging");
        }
    }

    /// Creates a log group with retention, log streams and the role that CloudTrail writes with.
    async fn create_log_group(&self, class: LogGroupClass) {
        let Clients {
            cloudtrail, logs, ..
        } = &self.clients;
        let group = logs.create_log_group().log_group_name(LOG_GROUP);
        let made = group.log_group_class(class).send().await;
        made.expect("the trail's log group");
        let retention = logs.put_retention_policy().log_group_name(LOG_GROUP);
        let retention = retention.retention_in_days(1).send().await;
        retention.expect("the log group's retention");
        for account in std::iter::once(&self.account).chain(&self.members) {
            let stream = format!("{}_{account}_CloudTrail_{}", self.id, self.region());
            let made = logs.create_log_stream().log_group_name(LOG_GROUP);
            let made = made.log_stream_name(stream).send().await;
            made.expect("a log stream");
        }
        let role = self.create_log_role().await;
        if self.built.trail {
            // Not every emulator keeps the log group that is passed to CreateTrail.
            cloudtrail
                .update_trail()
                .name(TRAIL)
                .cloud_watch_logs_log_group_arn(format!("{}:*", self.log_group_arn()))
                .cloud_watch_logs_role_arn(role)
                .send()
                .await
                .expect("a trail that is connected to its log group");
        }
    }

    /// Creates the role that CloudTrail writes to the log group with.
    async fn create_log_role(&self) -> String {
        let iam = &self.clients.iam;
        let name = "organization-trail-logs";
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "sts:AssumeRole"
            }]
        });
        let streams = format!("{}:log-stream:{}_*", self.log_group_arn(), self.id);
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": streams
            }]
        });
        let made = iam.create_role().role_name(name);
        let made = made.assume_role_policy_document(trust.to_string());
        let made = made.send().await.expect("CloudTrail's role");
        let allowed = iam.put_role_policy().role_name(name).policy_name("write");
        let allowed = allowed.policy_document(policy.to_string()).send().await;
        allowed.expect("the policy of CloudTrail's role");
        made.role().expect("CloudTrail's role").arn().to_owned()
    }

    /// Delivers a log file of the management account, as a trail does every few minutes.
    async fn create_log_file(&mut self) {
        let signed_in = log_file::event(
            &self.account,
            self.region(),
            "signin.amazonaws.com",
            "ConsoleLogin",
            false,
        );
        let object = LogFile::new(&self.account, self.region(), vec![signed_in]);
        self.log_file_key = Some(self.deliver(&object).await);
        // A digest shows that CloudTrail delivers for a member account, and no command reads it.
        if let Some(member) = self.members.first() {
            let prefix = self
                .built
                .prefix
                .as_deref()
                .map(|prefix| format!("{prefix}/"));
            let key = format!(
                "{}AWSLogs/{}/{member}/CloudTrail-Digest/{}/digest.json.gz",
                prefix.unwrap_or_default(),
                self.id,
                self.region()
            );
            let digest = self.clients.s3.put_object().bucket(&self.bucket).key(key);
            digest.send().await.expect("a digest");
        }
    }

    async fn create_notifications(&mut self) {
        let mut configuration = NotificationConfiguration::builder();
        if let Some(name) = self.built.topic.clone() {
            let arn = self.create_topic(&name).await;
            let entry = topic_entry("cloudtrail-topic", &arn, None);
            configuration = configuration.topic_configurations(entry);
            self.topic = Some(arn);
        }
        if self.built.other_notifications {
            let topic = self.create_topic("reports").await;
            let queue = self.create_queue("exports").await;
            let function = self.create_function("uploads").await;
            let function = LambdaFunctionConfiguration::builder()
                .id("uploads")
                .lambda_function_arn(function)
                .events(Event::S3ObjectCreated)
                .filter(filter("uploads/", None))
                .build()
                .expect("a function's entry");
            configuration = configuration
                .topic_configurations(topic_entry(
                    "reports",
                    &topic,
                    Some(filter("reports/", None)),
                ))
                .queue_configurations(queue_entry(
                    "exports",
                    &queue,
                    Some(filter("exports/", Some(".csv"))),
                ))
                .lambda_function_configurations(function)
                .event_bridge_configuration(EventBridgeConfiguration::builder().build());
        }
        if self.built.overlapping_queue {
            let queue = self.create_queue("everything").await;
            configuration =
                configuration.queue_configurations(queue_entry("everything", &queue, None));
        }
        let configuration = configuration.build();
        if configuration == NotificationConfiguration::builder().build() {
            return;
        }
        self.clients
            .s3
            .put_bucket_notification_configuration()
            .bucket(&self.bucket)
            .notification_configuration(configuration)
            .send()
            .await
            .expect("the bucket's notification configuration");
    }

    /// Creates a topic that S3 may publish to, and returns its ARN.
    async fn create_topic(&self, name: &str) -> String {
        let sns = &self.clients.sns;
        let made = sns.create_topic().name(name).send().await;
        let arn = made
            .expect("a topic")
            .topic_arn()
            .expect("its ARN")
            .to_owned();
        sns.set_topic_attributes()
            .topic_arn(&arn)
            .attribute_name("Policy")
            .attribute_value(self.policy_allowing_s3("sns:Publish", &arn))
            .send()
            .await
            .expect("the topic's policy");
        arn
    }

    /// Creates a queue that S3 may send to, and returns its ARN.
    async fn create_queue(&self, name: &str) -> String {
        let arn = format!(
            "arn:aws:sqs:{}:{}:{name}",
            self.region(),
            self.bucket_account
        );
        self.clients
            .sqs
            .create_queue()
            .queue_name(name)
            .attributes(
                QueueAttributeName::Policy,
                self.policy_allowing_s3("sqs:SendMessage", &arn),
            )
            .send()
            .await
            .expect("a queue");
        arn
    }

    /// Creates a function, and returns its ARN.
    async fn create_function(&self, name: &str) -> String {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole"
            }]
        });
        let role = self.clients.iam.create_role().role_name(name);
        let role = role.assume_role_policy_document(trust.to_string());
        let role = role.send().await.expect("the function's role");
        let code = FunctionCode::builder().zip_file(Blob::new(EMPTY_ZIP_FILE));
        let made = self.clients.lambda.create_function().function_name(name);
        made.runtime(Runtime::Python312)
            .handler("index.handler")
            .role(role.role().expect("the function's role").arn())
            .code(code.build())
            .send()
            .await
            .expect("a function")
            .function_arn
            .expect("its ARN")
    }

    /// A resource policy that allows the bucket's notifications.
    fn policy_allowing_s3(&self, action: &str, resource: &str) -> String {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "AllowBucket",
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": action,
                "Resource": resource,
                "Condition": {
                    "ArnLike": {"aws:SourceArn": format!("arn:aws:s3:::{}", self.bucket)},
                    "StringEquals": {"aws:SourceAccount": self.bucket_account}
                }
            }]
        })
        .to_string()
    }

    async fn create_vendor_role(&self) {
        let heeler = Clients::new(
            &self.upstream(),
            self.heeler_credentials.clone(),
            self.region(),
        );
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"AWS": format!("arn:aws:iam::{}:root", self.heeler_account)},
                "Action": "sts:AssumeRole"
            }]
        });
        let (_, name) = self
            .heeler_role_arn()
            .rsplit_once('/')
            .map(|(path, name)| (path.to_owned(), name.to_owned()))
            .expect("a role's ARN");
        heeler
            .iam
            .create_role()
            .role_name(&name)
            .assume_role_policy_document(trust.to_string())
            .send()
            .await
            .expect("the role");
        heeler
            .iam
            .put_role_policy()
            .role_name(&name)
            .policy_name("harvest")
            .policy_document(allow("sts:AssumeRole").to_string())
            .send()
            .await
            .expect("the policy of the role");
    }
}

fn topic_entry(
    id: &str,
    arn: &str,
    filter: Option<NotificationConfigurationFilter>,
) -> TopicConfiguration {
    TopicConfiguration::builder()
        .id(id)
        .topic_arn(arn)
        .events(Event::S3ObjectCreated)
        .set_filter(filter)
        .build()
        .expect("a topic's entry")
}

fn queue_entry(
    id: &str,
    arn: &str,
    filter: Option<NotificationConfigurationFilter>,
) -> QueueConfiguration {
    QueueConfiguration::builder()
        .id(id)
        .queue_arn(arn)
        .events(Event::S3ObjectCreated)
        .set_filter(filter)
        .build()
        .expect("a queue's entry")
}

fn filter(prefix: &str, suffix: Option<&str>) -> NotificationConfigurationFilter {
    let rule = |name, value: &str| FilterRule::builder().name(name).value(value).build();
    let suffix = suffix.map(|suffix| rule(FilterRuleName::Suffix, suffix));
    let rules = std::iter::once(rule(FilterRuleName::Prefix, prefix)).chain(suffix);
    let key = S3KeyFilter::builder()
        .set_filter_rules(Some(rules.collect()))
        .build();
    NotificationConfigurationFilter::builder().key(key).build()
}
