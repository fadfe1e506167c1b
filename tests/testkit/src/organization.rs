//! A simulated AWS organization with a trail, in accounts that no other test uses.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_credential_types::Credentials;
use aws_sdk_cloudtrail::types::ReadWriteType;
use aws_sdk_cloudwatchlogs::types::{LogGroupClass, SubscriptionFilter};
use aws_sdk_iam::types::Tag as IamTag;
use serde_json::{Value, json};

use crate::clients::credentials;
use crate::emulator::{Emulator, Engine};
use crate::vendor::HeelerSession;
use crate::{Clients, Proxy, notification};

/// The name of the trail.
pub(crate) const TRAIL: &str = "org-trail";
/// The name of the trail's log group, if the organization has one.
pub(crate) const LOG_GROUP: &str = "organization/cloudtrail";

/// Describes an organization; by default it meets every prerequisite that preflight checks.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent settings")]
pub struct OrganizationBuilder {
    pub(crate) engine: Engine,
    pub(crate) address: SocketAddr,
    pub(crate) region: String,
    pub(crate) bucket_key: bool,
    pub(crate) trail: bool,
    pub(crate) multi_region: bool,
    pub(crate) logging: bool,
    pub(crate) organization_trail: bool,
    pub(crate) selector: ReadWriteType,
    pub(crate) topic: Option<String>,
    pub(crate) other_notifications: bool,
    pub(crate) overlapping_queue: bool,
    pub(crate) prefix: Option<String>,
    pub(crate) log_file: bool,
    pub(crate) log_group: Option<LogGroupClass>,
    pub(crate) log_archive: bool,
    pub(crate) key_owner: KeyOwner,
    pub(crate) bucket_name: Option<String>,
}

/// The account of the key that encrypts the bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyOwner {
    /// The account of the bucket.
    #[default]
    Bucket,
    Management,
    /// A member account that has nothing else.
    Third,
}

impl OrganizationBuilder {
    /// Creates the trail and its bucket in this region instead of us-east-1.
    pub fn region(mut self, region: &str) -> OrganizationBuilder {
        region.clone_into(&mut self.region);
        self
    }

    /// Encrypts the bucket and the trail with a customer managed key.
    pub fn bucket_key(mut self) -> OrganizationBuilder {
        self.bucket_key = true;
        self
    }

    /// Creates the bucket in a member account, the log archive.
    pub fn log_archive(mut self) -> OrganizationBuilder {
        self.log_archive = true;
        self
    }

    /// Encrypts the bucket and the trail with a customer managed key of this account.
    pub fn bucket_key_of(mut self, owner: KeyOwner) -> OrganizationBuilder {
        self.key_owner = owner;
        self.bucket_key()
    }

    /// Gives the bucket this name.
    pub fn bucket_name(mut self, name: &str) -> OrganizationBuilder {
        self.bucket_name = Some(name.to_owned());
        self
    }

    /// Creates the bucket without a trail.
    pub fn without_trail(mut self) -> OrganizationBuilder {
        self.trail = false;
        self
    }

    /// Makes the trail a single-region trail.
    pub fn single_region(mut self) -> OrganizationBuilder {
        self.multi_region = false;
        self
    }

    /// Does not start logging.
    pub fn logging_stopped(mut self) -> OrganizationBuilder {
        self.logging = false;
        self
    }

    /// Makes the trail an account trail instead of an organization trail.
    pub fn single_account_trail(mut self) -> OrganizationBuilder {
        self.organization_trail = false;
        self
    }

    /// Excludes read-only events from the trail.
    pub fn write_only_events(mut self) -> OrganizationBuilder {
        self.selector = ReadWriteType::WriteOnly;
        self
    }

    /// Adds a topic that receives a notification for every new object of the bucket.
    pub fn topic(mut self, name: &str) -> OrganizationBuilder {
        self.topic = Some(name.to_owned());
        self
    }

    /// Adds notifications of other owners to the bucket: a topic, a queue, a function and EventBridge.
    pub fn other_notifications(mut self) -> OrganizationBuilder {
        self.other_notifications = true;
        self
    }

    /// Adds a queue of another owner that receives a notification for every new object of the bucket.
    pub fn overlapping_queue(mut self) -> OrganizationBuilder {
        self.overlapping_queue = true;
        self
    }

    /// Sets the key prefix of the trail.
    pub fn prefix(mut self, prefix: &str) -> OrganizationBuilder {
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// Creates an empty bucket, as if the trail had not delivered yet.
    pub fn without_log_file(mut self) -> OrganizationBuilder {
        self.log_file = false;
        self
    }

    /// Connects the trail to a log group with one day of retention and a log stream for each account.
    pub fn log_group(self) -> OrganizationBuilder {
        self.log_group_of(LogGroupClass::Standard)
    }

    /// Connects the trail to a log group of this class.
    pub fn log_group_of(mut self, class: LogGroupClass) -> OrganizationBuilder {
        self.log_group = Some(class);
        self
    }

    /// Creates the organization in the emulator.
    pub async fn build(self) -> Organization {
        Organization::build(self).await
    }
}

/// A simulated organization behind a proxy of its own.
pub struct Organization {
    pub(crate) built: OrganizationBuilder,
    pub(crate) proxy: Proxy,
    pub(crate) account: String,
    pub(crate) credentials: Credentials,
    pub(crate) heeler_account: String,
    pub(crate) heeler_credentials: Credentials,
    pub(crate) id: String,
    pub(crate) members: Vec<String>,
    pub(crate) bucket: String,
    pub(crate) bucket_account: String,
    pub(crate) bucket_credentials: Credentials,
    pub(crate) bucket_key: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) log_file_key: Option<String>,
    pub(crate) clients: Clients,
    home: tempfile::TempDir,
}

impl Organization {
    /// Returns a builder for an organization in the emulator that the process shares.
    pub fn on(engine: Engine) -> OrganizationBuilder {
        Organization::in_emulator(Emulator::shared(engine))
    }

    /// Returns a builder for an organization in this emulator.
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
            log_archive: false,
            key_owner: KeyOwner::default(),
            bucket_name: None,
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
            bucket: built
                .bucket_name
                .clone()
                .unwrap_or_else(|| format!("org-trail-logs-{account}")),
            bucket_account: account.clone(),
            bucket_credentials: credentials.clone(),
            account,
            credentials,
            heeler_account,
            heeler_credentials,
            id: String::new(),
            members: Vec::new(),
            bucket_key: None,
            topic: None,
            log_file_key: None,
            home: tempfile::tempdir().expect("an empty home directory"),
            built,
        };
        org.provision().await;
        org
    }

    /// The URL of the proxy, which the program uses as its endpoint.
    pub fn endpoint(&self) -> String {
        self.proxy.url()
    }

    /// The proxy between the program and the emulator.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// The emulator that holds this organization.
    pub fn engine(&self) -> Engine {
        self.built.engine
    }

    /// The environment variables of a program that acts as the owner of the management account.
    pub fn env(&self) -> Vec<(String, String)> {
        self.env_for(&self.credentials)
    }

    /// The environment variables of a program that acts with these credentials.
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
        // The AWS configuration of the user who runs the tests must not be read.
        let home = self.home.path().to_string_lossy().into_owned();
        env.push(("HOME".to_owned(), home));
        env
    }

    /// The management account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The account of the bucket: the management account, or the log archive.
    pub fn bucket_account(&self) -> &str {
        &self.bucket_account
    }

    /// The credentials of the owner of the bucket.
    pub fn bucket_credentials(&self) -> &Credentials {
        &self.bucket_credentials
    }

    /// Moves the bucket and everything that belongs to it to a member account. The program finds its credentials in the
    /// profile `log-archive`, and those of the management account in the profile `management`.
    pub(crate) async fn move_bucket_to_log_archive(&mut self) {
        let account = self.members[0].clone();
        let credentials = owner(&self.built, &account).await;
        let there = Clients::new(&self.upstream(), credentials.clone(), self.region());
        self.clients = Clients {
            account: self.clients.account.clone(),
            cloudtrail: self.clients.cloudtrail.clone(),
            logs: self.clients.logs.clone(),
            organizations: self.clients.organizations.clone(),
            ..there
        };
        self.write_profiles(&[
            ("management", &self.credentials),
            ("log-archive", &credentials),
        ]);
        self.bucket_account = account;
        self.bucket_credentials = credentials;
    }

    /// Writes the AWS configuration of the program: profiles with these names and access keys.
    pub fn write_profiles(&self, profiles: &[(&str, &Credentials)]) {
        let profiles = profiles.iter().map(|(name, key)| {
            format!(
                "[profile {name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                key.access_key_id(),
                key.secret_access_key()
            )
        });
        let folder = self.home.path().join(".aws");
        std::fs::create_dir_all(&folder).expect("a folder for the AWS configuration");
        let text: String = profiles.collect();
        std::fs::write(folder.join("config"), text).expect("the AWS configuration");
    }

    /// The clients of the owner of a key in this account, which bypass the proxy.
    pub async fn clients_of_key_owner(&self) -> Clients {
        let account = match self.built.key_owner {
            KeyOwner::Bucket => return self.clients.clone(),
            KeyOwner::Management => {
                return Clients::new(&self.upstream(), self.credentials.clone(), self.region());
            }
            KeyOwner::Third => &self.members[1],
        };
        let credentials = owner(&self.built, account).await;
        Clients::new(&self.upstream(), credentials, self.region())
    }

    /// The member accounts of the organization.
    pub fn members(&self) -> &[String] {
        &self.members
    }

    /// The ID of the organization.
    pub fn organization_id(&self) -> &str {
        &self.id
    }

    /// The trail's bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The prefix of the trail's log files in the bucket, if it has one.
    pub fn prefix(&self) -> Option<&str> {
        self.built.prefix.as_deref()
    }

    /// The region of the trail and its bucket.
    pub fn region(&self) -> &str {
        &self.built.region
    }

    /// The ARN of the customer managed key that encrypts the bucket, if there is one.
    pub fn bucket_key(&self) -> Option<&str> {
        self.bucket_key.as_deref()
    }

    /// The ARN of the topic that already existed, if there is one.
    pub fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    /// The trail's name.
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

    /// The key of the log file that the trail delivered while the organization was created.
    pub fn log_file_key(&self) -> Option<&str> {
        self.log_file_key.as_deref()
    }

    /// The name of the trail's log group, if it has one.
    pub fn log_group(&self) -> Option<&'static str> {
        self.built.log_group.as_ref().map(|_| LOG_GROUP)
    }

    /// The ARN of the trail's log group, without the `:*` suffix for its log streams.
    pub fn log_group_arn(&self) -> String {
        format!(
            "arn:aws:logs:{}:{}:log-group:{LOG_GROUP}",
            self.region(),
            self.account
        )
    }

    /// The AWS account of Heeler.
    pub fn heeler_account(&self) -> &str {
        &self.heeler_account
    }

    /// The ARN of the role in Heeler's account that assumes the customer's role.
    pub fn heeler_role_arn(&self) -> String {
        format!("arn:aws:iam::{}:role/heeler-security", self.heeler_account)
    }

    /// The owner's clients, which bypass the proxy. Those of services with resources are for the account of the bucket.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// The owner's clients in another region, which bypass the proxy.
    pub fn clients_in(&self, region: &str) -> Clients {
        Clients::new(&self.upstream(), self.credentials.clone(), region)
    }

    /// The owner's clients, which call through the proxy and do not retry.
    pub fn clients_through_proxy(&self) -> Clients {
        Clients::without_retries(&self.endpoint(), self.credentials.clone(), self.region())
    }

    /// The credentials of the owner.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Creates an IAM user of the management account with this policy and returns its credentials.
    pub async fn management_user(&self, name: &str, policy: &Value) -> Credentials {
        let owner = Clients::new(&self.upstream(), self.credentials.clone(), self.region());
        user(&owner, name, Some(policy)).await
    }

    /// Creates an IAM user with this policy and returns its credentials.
    pub async fn user(&self, name: &str, policy: &Value) -> Credentials {
        user(&self.clients, name, Some(policy)).await
    }

    /// The bucket's notification configuration in a canonical form, for comparisons.
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

    /// Assumes the customer's role as Heeler does.
    pub async fn assume_as_heeler(
        &self,
        role_arn: &str,
        external_id: &str,
    ) -> Result<HeelerSession, String> {
        let upstream = self.upstream();
        let owner = Clients::new(&upstream, self.heeler_credentials.clone(), self.region());
        HeelerSession::start(
            &upstream,
            self.region(),
            &owner,
            &self.heeler_role_arn(),
            role_arn,
            external_id,
        )
        .await
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

    /// The URL of the emulator itself.
    pub(crate) fn upstream(&self) -> String {
        format!("http://{}", self.built.address)
    }
}

/// An IAM policy that allows an action on all resources.
pub fn allow(action: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]
    })
}

/// A twelve-digit account ID that this process has not used before.
pub fn unused_account() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let process = u64::from(std::process::id()) % 10_000_000;
    format!("1{process:07}{number:04}")
}

/// Creates credentials for the owner of an account.
async fn owner(built: &OrganizationBuilder, account: &str) -> Credentials {
    if built.engine == Engine::Ministack {
        return credentials(account, "test", None);
    }
    // Moto finds the account by the access key of a user in it. Until the first user exists, a header names the account.
    let proxy = Proxy::start(built.address);
    proxy.header("x-moto-account-id", account);
    let clients = Clients::new(
        &proxy.url(),
        credentials(account, "test", None),
        "us-east-1",
    );
    user(&clients, "owner", Some(&allow("*"))).await
}

/// Creates an IAM user with an access key.
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
