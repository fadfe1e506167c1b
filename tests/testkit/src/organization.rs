//! A simulated AWS organization with its trail, in accounts that no other test uses.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sdk_cloudtrail::types::{EventSelector, ReadWriteType};
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, LogGroupClass, SubscriptionFilter};
use aws_sdk_iam::types::Tag as IamTag;
use aws_sdk_organizations::types::OrganizationFeatureSet;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, Event, EventBridgeConfiguration,
    FilterRule, FilterRuleName, LambdaFunctionConfiguration, NotificationConfiguration,
    NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    TopicConfiguration,
};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::clients::credentials;
use crate::emulator::{Emulator, Engine};
use crate::vendor::HeelerSession;
use crate::{Clients, LogFile, Proxy, log_file, notification};

/// The tag that the program puts on everything it makes.
const TAG: (&str, &str) = ("managed-by", "heeler-ec");
/// What the names of everything that the program makes contain.
const NAME: &str = "heeler";
/// The trail's name.
const TRAIL: &str = "org-trail";
/// The trail's log group, where an organization has one.
const LOG_GROUP: &str = "organization/cloudtrail";

/// What an organization shall contain; by default all that preflight asks for.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own")]
pub struct OrganizationBuilder {
    engine: Engine,
    address: SocketAddr,
    region: String,
    bucket_key: bool,
    trail: bool,
    multi_region: bool,
    logging: bool,
    organization_trail: bool,
    selector: ReadWriteType,
    topic: Option<String>,
    other_notifications: bool,
    overlapping_queue: bool,
    prefix: Option<String>,
    log_file: bool,
    log_group: Option<LogGroupClass>,
}

impl OrganizationBuilder {
    /// Puts the trail and its bucket in another region than us-east-1.
    pub fn region(mut self, region: &str) -> OrganizationBuilder {
        region.clone_into(&mut self.region);
        self
    }

    /// Encrypts the bucket and the trail with a key of the customer's own.
    pub fn bucket_key(mut self) -> OrganizationBuilder {
        self.bucket_key = true;
        self
    }

    /// Leaves the trail out; the bucket is there.
    pub fn without_trail(mut self) -> OrganizationBuilder {
        self.trail = false;
        self
    }

    /// Makes the trail cover its own region only.
    pub fn single_region(mut self) -> OrganizationBuilder {
        self.multi_region = false;
        self
    }

    /// Leaves logging off.
    pub fn logging_stopped(mut self) -> OrganizationBuilder {
        self.logging = false;
        self
    }

    /// Makes the trail cover its own account only.
    pub fn single_account_trail(mut self) -> OrganizationBuilder {
        self.organization_trail = false;
        self
    }

    /// Makes the trail leave out events that only read.
    pub fn write_only_events(mut self) -> OrganizationBuilder {
        self.selector = ReadWriteType::WriteOnly;
        self
    }

    /// Adds a topic that the bucket already notifies of every new object.
    pub fn topic(mut self, name: &str) -> OrganizationBuilder {
        self.topic = Some(name.to_owned());
        self
    }

    /// Adds entries of other owners to the bucket's notification
    /// configuration: a topic, a queue, a function, and EventBridge.
    pub fn other_notifications(mut self) -> OrganizationBuilder {
        self.other_notifications = true;
        self
    }

    /// Adds a queue of another owner that is notified of every new object.
    pub fn overlapping_queue(mut self) -> OrganizationBuilder {
        self.overlapping_queue = true;
        self
    }

    /// Makes the trail write below this prefix.
    pub fn prefix(mut self, prefix: &str) -> OrganizationBuilder {
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// Leaves the bucket empty, as if nothing had been delivered yet.
    pub fn without_log_file(mut self) -> OrganizationBuilder {
        self.log_file = false;
        self
    }

    /// Connects the trail to a log group that keeps a day, with the streams of every account.
    pub fn log_group(self) -> OrganizationBuilder {
        self.log_group_of(LogGroupClass::Standard)
    }

    /// The same with a log group of another class, which is chosen once and for all.
    pub fn log_group_of(mut self, class: LogGroupClass) -> OrganizationBuilder {
        self.log_group = Some(class);
        self
    }

    /// Makes all of it.
    pub async fn build(self) -> Organization {
        Organization::build(self).await
    }
}

/// A simulated organization behind a proxy of its own.
pub struct Organization {
    built: OrganizationBuilder,
    proxy: Proxy,
    account: String,
    credentials: Credentials,
    heeler_account: String,
    heeler_credentials: Credentials,
    organization_id: String,
    members: Vec<String>,
    bucket: String,
    bucket_key: Option<String>,
    topic: Option<String>,
    log_file_key: Option<String>,
    clients: Clients,
    home: tempfile::TempDir,
}

impl Organization {
    /// A description of an organization on the emulator that the process shares.
    pub fn on(engine: Engine) -> OrganizationBuilder {
        Organization::in_emulator(Emulator::shared(engine))
    }

    /// A description of an organization on this emulator.
    pub fn in_emulator(emulator: &Emulator) -> OrganizationBuilder {
        OrganizationBuilder {
            engine: emulator.engine(),
            address: emulator.address(),
            region: "us-east-1".to_owned(),
            bucket_key: false,
            trail: true,
            multi_region: true,
            logging: true,
            organization_trail: true,
            selector: ReadWriteType::All,
            topic: None,
            other_notifications: false,
            overlapping_queue: false,
            prefix: None,
            log_file: true,
            log_group: None,
        }
    }

    async fn build(built: OrganizationBuilder) -> Organization {
        let account = unused_account();
        let heeler_account = unused_account();
        let credentials = owner(&built, &account).await;
        let heeler_credentials = owner(&built, &heeler_account).await;
        let upstream = format!("http://{}", built.address);
        let mut org = Organization {
            proxy: Proxy::start(built.address),
            clients: Clients::new(&upstream, credentials.clone(), &built.region),
            bucket: format!("org-trail-logs-{account}"),
            account,
            credentials,
            heeler_account,
            heeler_credentials,
            organization_id: String::new(),
            members: Vec::new(),
            bucket_key: None,
            topic: None,
            log_file_key: None,
            home: tempfile::tempdir().expect("an empty home directory"),
            built,
        };
        org.create_organization().await;
        if org.built.bucket_key {
            org.create_bucket_key().await;
        }
        org.create_bucket().await;
        if org.built.trail {
            org.create_trail().await;
        }
        if let Some(class) = org.built.log_group.clone() {
            org.create_log_group(class).await;
        }
        if org.built.trail && org.built.logging && org.built.log_file {
            org.create_log_file().await;
        }
        org.create_notifications().await;
        org.create_heeler().await;
        org
    }

    /// The URL that the program uses as its endpoint: the proxy's.
    pub fn endpoint(&self) -> String {
        self.proxy.url()
    }

    /// The proxy between the program and the emulator.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Which emulator this organization is on.
    pub fn engine(&self) -> Engine {
        self.built.engine
    }

    /// The environment that makes the program act as the owner of the account.
    pub fn env(&self) -> Vec<(String, String)> {
        self.env_for(&self.credentials)
    }

    /// The environment that makes the program act as somebody else.
    pub fn env_for(&self, credentials: &Credentials) -> Vec<(String, String)> {
        let mut env: Vec<(String, String)> = [
            ("AWS_ACCESS_KEY_ID", credentials.access_key_id()),
            ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key()),
            ("AWS_REGION", self.region()),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        if let Some(token) = credentials.session_token() {
            env.push(("AWS_SESSION_TOKEN".to_owned(), token.to_owned()));
        }
        // No profile of whoever runs the tests may interfere.
        let home = self.home.path().to_string_lossy().into_owned();
        env.push(("HOME".to_owned(), home));
        env
    }

    /// The management account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The member accounts that the organization was given.
    pub fn members(&self) -> &[String] {
        &self.members
    }

    /// The organization's id.
    pub fn organization_id(&self) -> &str {
        &self.organization_id
    }

    /// The trail's bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The region of the trail and its bucket.
    pub fn region(&self) -> &str {
        &self.built.region
    }

    /// The ARN of the customer's key, if the bucket has one.
    pub fn bucket_key(&self) -> Option<&str> {
        self.bucket_key.as_deref()
    }

    /// The ARN of the topic that was there before, if there is one.
    pub fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    /// The trail's name.
    #[expect(
        clippy::unused_self,
        reason = "a question to the org, like its neighbours"
    )]
    pub fn trail(&self) -> &'static str {
        TRAIL
    }

    /// The trail's ARN.
    pub fn trail_arn(&self) -> String {
        format!(
            "arn:aws:cloudtrail:{}:{}:trail/{TRAIL}",
            self.region(),
            self.account
        )
    }

    /// The key of the log object that the trail has delivered just now.
    pub fn log_file_key(&self) -> Option<&str> {
        self.log_file_key.as_deref()
    }

    /// The name of the trail's log group, if it has one.
    pub fn log_group(&self) -> Option<&'static str> {
        self.built.log_group.as_ref().map(|_| LOG_GROUP)
    }

    /// The ARN of the trail's log group, without the `:*` that stands for its streams.
    pub fn log_group_arn(&self) -> String {
        format!(
            "arn:aws:logs:{}:{}:log-group:{LOG_GROUP}",
            self.region(),
            self.account
        )
    }

    /// The account that Heeler harvests from.
    pub fn heeler_account(&self) -> &str {
        &self.heeler_account
    }

    /// The role that Heeler harvests with.
    pub fn heeler_role_arn(&self) -> String {
        format!("arn:aws:iam::{}:role/heeler-security", self.heeler_account)
    }

    /// Clients of the owner that go around the proxy.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Clients of the owner in another region that go around the proxy.
    pub fn clients_in(&self, region: &str) -> Clients {
        Clients::new(&self.upstream(), self.credentials.clone(), region)
    }

    /// Clients of the owner that go through the proxy and never retry.
    pub fn clients_through_proxy(&self) -> Clients {
        Clients::without_retries(&self.endpoint(), self.credentials.clone(), self.region())
    }

    /// The credentials of the owner.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The credentials of a new user who may do what the policy says.
    pub async fn user(&self, name: &str, policy: &Value) -> Credentials {
        user(&self.clients, name, Some(policy)).await
    }

    /// The bucket's notification configuration in a form that can be compared.
    pub async fn notification(&self) -> Value {
        let read = self
            .clients
            .s3
            .get_bucket_notification_configuration()
            .bucket(&self.bucket)
            .send()
            .await
            .expect("the bucket's notification configuration");
        notification::canonical(&read)
    }

    /// Puts a log file where CloudTrail would, and returns its key.
    pub async fn deliver(&self, object: &LogFile) -> String {
        self.deliver_named(&object.name(), object.gzipped()).await
    }

    /// Puts every `.json.gz` file of a folder, in name order, where CloudTrail would.
    pub async fn deliver_files(&self, folder: &Path) -> Vec<String> {
        let mut keys = Vec::new();
        for file in log_files(folder) {
            let name = file.file_name().expect("a file's name").to_string_lossy();
            let bytes = std::fs::read(&file).expect("a log file");
            keys.push(self.deliver_named(&name, bytes).await);
        }
        keys
    }

    async fn deliver_named(&self, name: &str, bytes: Vec<u8>) -> String {
        let key = log_file::key(self.built.prefix.as_deref(), &self.organization_id, name)
            .unwrap_or_else(|| panic!("{name} is not named as CloudTrail names its files"));
        self.put(&key, bytes).await;
        key
    }

    /// Writes records to the trail's log group, as CloudTrail does, to the stream of the organization's own account.
    pub async fn put_log_events(&self, records: &[String]) {
        let stream = format!(
            "{}_{}_CloudTrail_{}",
            self.organization_id,
            self.account,
            self.region()
        );
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("a time after 1970").as_millis();
        let now = i64::try_from(now).expect("a time of this age");
        // A call takes a megabyte at most.
        for records in records.chunks(200) {
            let events = records.iter().map(|record| {
                let event = InputLogEvent::builder().timestamp(now).message(record);
                event.build().expect("an event")
            });
            let put = self.clients.logs.put_log_events();
            let put = put.log_group_name(LOG_GROUP).log_stream_name(&stream);
            let put = put.set_log_events(Some(events.collect())).send().await;
            put.expect("records in the log group");
        }
    }

    /// Every record in the trail's log group.
    pub async fn log_events(&self) -> Vec<String> {
        let read = self.clients.logs.filter_log_events();
        let mut pages = read.log_group_name(LOG_GROUP).into_paginator().send();
        let mut records = Vec::new();
        while let Some(page) = pages.next().await {
            let events = page.expect("the log group's events").events;
            let events = events.unwrap_or_default().into_iter();
            records.extend(events.filter_map(|event| event.message));
        }
        records
    }

    /// Puts any object into the trail's bucket.
    pub async fn put(&self, key: &str, bytes: Vec<u8>) {
        self.clients
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/x-gzip")
            .body(ByteStream::from(bytes))
            .send()
            .await
            .expect("an object in the bucket");
    }

    /// Assumes the customer's role the way Heeler does.
    pub async fn assume_as_heeler(
        &self,
        role_arn: &str,
        external_id: &str,
    ) -> Result<HeelerSession, String> {
        let upstream = self.upstream();
        let owner = Clients::new(&upstream, self.heeler_credentials.clone(), self.region());
        HeelerSession::begin(
            &upstream,
            self.region(),
            &owner,
            &self.heeler_role_arn(),
            role_arn,
            external_id,
        )
        .await
    }

    /// Everything in the account that the program made and has not removed.
    pub async fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        self.leftover_queues(&mut left).await;
        self.leftover_topics(&mut left).await;
        self.leftover_roles(&mut left).await;
        self.leftover_keys(&mut left).await;
        self.leftover_notifications(&mut left).await;
        self.leftover_functions(&mut left).await;
        self.leftover_logs(&mut left).await;
        left.sort();
        left
    }

    async fn leftover_queues(&self, left: &mut Vec<String>) {
        let sqs = &self.clients.sqs;
        let queues = sqs.list_queues().send().await.expect("queues");
        for url in queues.queue_urls() {
            let tags = sqs.list_queue_tags().queue_url(url).send().await;
            let tags = tags.expect("a queue's tags");
            let tagged = tags
                .tags()
                .and_then(|tags| tags.get(TAG.0))
                .is_some_and(|value| value == TAG.1);
            let name = url.rsplit('/').next().unwrap_or(url);
            if tagged || name.contains(NAME) {
                left.push(format!("queue {name}"));
            }
        }
    }

    async fn leftover_topics(&self, left: &mut Vec<String>) {
        let sns = &self.clients.sns;
        let topics = sns.list_topics().send().await.expect("topics");
        for arn in topics.topics().iter().filter_map(|topic| topic.topic_arn()) {
            let tags = sns.list_tags_for_resource().resource_arn(arn).send().await;
            let tags = tags.expect("a topic's tags");
            let tagged = is_tagged(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
            if tagged || last(arn).contains(NAME) {
                left.push(format!("topic {}", last(arn)));
            }
        }
        let subscriptions = sns.list_subscriptions().send().await;
        for subscription in subscriptions.expect("subscriptions").subscriptions() {
            let topic = subscription.topic_arn().unwrap_or_default();
            let endpoint = subscription.endpoint().unwrap_or_default();
            if last(topic).contains(NAME) || last(endpoint).contains(NAME) {
                left.push(format!("subscription {} {}", last(topic), last(endpoint)));
            }
        }
    }

    async fn leftover_roles(&self, left: &mut Vec<String>) {
        let iam = &self.clients.iam;
        let roles = iam.list_roles().send().await.expect("roles");
        for role in roles.roles() {
            let name = role.role_name();
            let tags = iam.list_role_tags().role_name(name).send().await;
            let tags = tags.expect("a role's tags");
            let tagged = is_tagged(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
            if tagged || name.contains(NAME) {
                left.push(format!("role {name}"));
            }
        }
        let policies = iam
            .list_policies()
            .scope(aws_sdk_iam::types::PolicyScopeType::Local)
            .send()
            .await
            .expect("policies");
        for policy in policies.policies() {
            let (name, arn) = (
                policy.policy_name().unwrap_or_default(),
                policy.arn().unwrap_or_default(),
            );
            let tags = iam.list_policy_tags().policy_arn(arn).send().await;
            let tags = tags.expect("a policy's tags");
            let tagged = is_tagged(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
            if tagged || name.contains(NAME) {
                left.push(format!("policy {name}"));
            }
        }
    }

    async fn leftover_keys(&self, left: &mut Vec<String>) {
        let kms = &self.clients.kms;
        let aliases = kms.list_aliases().send().await.expect("aliases");
        for name in aliases.aliases().iter().filter_map(|a| a.alias_name()) {
            if name.contains(NAME) {
                left.push(name.to_owned());
            }
        }
        let keys = kms.list_keys().send().await.expect("keys");
        for id in keys.keys().iter().filter_map(|key| key.key_id()) {
            let described = kms.describe_key().key_id(id).send().await;
            let described = described.expect("a key's description");
            let leaving = described
                .key_metadata()
                .is_some_and(|key| key.deletion_date().is_some());
            let tags = kms.list_resource_tags().key_id(id).send().await;
            let tags = tags.expect("a key's tags");
            let tagged = is_tagged(
                tags.tags()
                    .iter()
                    .map(|tag| (tag.tag_key(), tag.tag_value())),
            );
            if tagged && !leaving {
                left.push(format!("key {id}"));
            }
        }
        let Some(key) = &self.bucket_key else { return };
        let grants = kms.list_grants().key_id(key).send().await;
        for grant in grants.expect("the bucket key's grants").grants() {
            let name = grant.name().unwrap_or_default();
            if name.contains(NAME) {
                left.push(format!("grant {name}"));
            }
        }
    }

    async fn leftover_functions(&self, left: &mut Vec<String>) {
        let functions = self.clients.lambda.list_functions().send().await;
        for function in functions.expect("functions").functions() {
            let name = function.function_name().unwrap_or_default();
            if name.contains(NAME) {
                left.push(format!("function {name}"));
            }
        }
    }

    /// The filters on any log group, and the log groups of functions.
    async fn leftover_logs(&self, left: &mut Vec<String>) {
        let logs = &self.clients.logs;
        let groups = logs.describe_log_groups().send().await.expect("log groups");
        for group in groups
            .log_groups()
            .iter()
            .filter_map(|g| g.log_group_name())
        {
            if group.contains(NAME) {
                left.push(format!("log group {group}"));
            }
            for filter in self.subscription_filters(group).await {
                let name = filter.filter_name().unwrap_or_default();
                if name.contains(NAME) {
                    left.push(format!("subscription filter {name}"));
                }
            }
        }
    }

    /// The subscription filters of a log group.
    pub async fn subscription_filters(&self, group: &str) -> Vec<SubscriptionFilter> {
        let listed = self.clients.logs.describe_subscription_filters();
        let listed = listed.log_group_name(group).send().await;
        listed
            .expect("subscription filters")
            .subscription_filters
            .unwrap_or_default()
    }

    async fn leftover_notifications(&self, left: &mut Vec<String>) {
        let configuration = self.notification().await;
        for kind in ["topics", "queues", "functions"] {
            for entry in configuration[kind].as_array().into_iter().flatten() {
                let id = entry["id"].as_str().unwrap_or_default();
                let destination = entry["destination"].as_str().unwrap_or_default();
                if id.contains(NAME) || last(destination).contains(NAME) {
                    left.push(format!("notification {id} {}", last(destination)));
                }
            }
        }
    }

    fn upstream(&self) -> String {
        format!("http://{}", self.built.address)
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
            .clone_into(&mut self.organization_id);
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
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Owner",
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:aws:iam::{}:root", self.account)},
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
        let made = self
            .clients
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
        let place = (self.region() != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(self.region()))
                .build()
        });
        s3.create_bucket()
            .bucket(&self.bucket)
            .set_create_bucket_configuration(place)
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
                        format!("{arn}/{folder}AWSLogs/{}/*", self.organization_id)
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
        // A new trail has this selector on AWS, but not on every engine.
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

    /// A log group with retention, streams and the role by which CloudTrail writes to them.
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
            let stream = format!(
                "{}_{account}_CloudTrail_{}",
                self.organization_id,
                self.region()
            );
            let made = logs.create_log_stream().log_group_name(LOG_GROUP);
            let made = made.log_stream_name(stream).send().await;
            made.expect("a log stream");
        }
        let role = self.create_log_role().await;
        if self.built.trail {
            // Not every engine keeps the log group of a new trail.
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

    /// The role by which CloudTrail writes to the log group.
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
        let streams = format!(
            "{}:log-stream:{}_*",
            self.log_group_arn(),
            self.organization_id
        );
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

    /// A log object of the management account, as a trail delivers one every few minutes.
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
            let function = format!(
                "arn:aws:lambda:{}:{}:function:uploads",
                self.region(),
                self.account
            );
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

    /// A topic that S3 may publish to.
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

    /// A queue that S3 may send to; returns its ARN.
    async fn create_queue(&self, name: &str) -> String {
        let arn = format!("arn:aws:sqs:{}:{}:{name}", self.region(), self.account);
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

    /// A resource policy that lets the bucket's notifications in.
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
                    "StringEquals": {"aws:SourceAccount": self.account}
                }
            }]
        })
        .to_string()
    }

    async fn create_heeler(&self) {
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
            .expect("Heeler's role");
        heeler
            .iam
            .put_role_policy()
            .role_name(&name)
            .policy_name("harvest")
            .policy_document(allow("sts:AssumeRole").to_string())
            .send()
            .await
            .expect("the policy of Heeler's role");
    }
}

/// A policy that allows an action on everything.
pub fn allow(action: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]
    })
}

/// A twelve-digit account id that this process has not used before.
pub fn unused_account() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = u64::from(std::process::id()) % 10_000_000;
    format!("1{process:07}{number:04}")
}

/// The credentials of an account's owner.
async fn owner(built: &OrganizationBuilder, account: &str) -> Credentials {
    if built.engine == Engine::Ministack {
        return credentials(account, "test", None);
    }
    // Moto finds the account by the access key of a user in it; a header names
    // the account until there is one.
    let door = Proxy::start(built.address);
    door.header("x-moto-account-id", account);
    let clients = Clients::new(&door.url(), credentials(account, "test", None), "us-east-1");
    user(&clients, "owner", Some(&allow("*"))).await
}

/// Makes a user with an access key.
async fn user(clients: &Clients, name: &str, policy: Option<&Value>) -> Credentials {
    let iam = &clients.iam;
    let tag = IamTag::builder().key("purpose").value("test").build();
    iam.create_user()
        .user_name(name)
        .tags(tag.expect("a tag"))
        .send()
        .await
        .expect("a user");
    if let Some(policy) = policy {
        iam.put_user_policy()
            .user_name(name)
            .policy_name("permissions")
            .policy_document(policy.to_string())
            .send()
            .await
            .expect("the user's policy");
    }
    let made = iam.create_access_key().user_name(name).send().await;
    let key = made.expect("an access key");
    let key = key.access_key().expect("an access key");
    credentials(key.access_key_id(), key.secret_access_key(), None)
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

fn is_tagged<'a, K, V>(mut tags: impl Iterator<Item = (K, V)>) -> bool
where
    K: Into<Option<&'a str>>,
    V: Into<Option<&'a str>>,
{
    tags.any(|(key, value)| key.into() == Some(TAG.0) && value.into() == Some(TAG.1))
}

/// The last part of an ARN.
fn last(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or(arn)
}

/// Every log file below a folder, in name order.
fn log_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of log files");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a file of the folder").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| {
            if path.is_dir() {
                log_files(&path)
            } else if path.to_string_lossy().ends_with(".json.gz") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}
