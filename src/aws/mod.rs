//! AWS clients: credentials, region, endpoint and one client per service. Only this module configures the SDK.

pub mod arn;
pub mod bucket_notification;
pub mod bucket_notification_document;
pub mod bucket_notification_merge;
mod call_log;
pub mod canary;
#[cfg(test)]
pub(crate) mod canned;
pub mod clients;
mod clock_skew;
pub mod configuration;
pub mod error;
pub mod key_grant_request;
pub mod kms_keys;
pub mod lookup;
mod management_account;
pub mod member_accounts;
pub mod message_filter;
pub mod not_found;
pub mod notification_filter;
pub mod policy_versions;
mod profiles;
pub mod queue_url;
mod response_body;
mod role_chain;
pub mod role_names;

use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

pub use call_log::{AwsCall, CallEvent, CallListener};
pub use management_account::BucketCredentials;
pub use role_chain::MfaPrompt;

use crate::error::{Error, Result};
use crate::http;
use arn::Arn;
use configuration::ValidCredentials;
use error::AwsResultExt;
use management_account::ManagementAccount;
use profiles::Profiles;

/// The region if none is configured.
const DEFAULT_REGION: &str = "us-east-1";

const SIGN_IN_TIMEOUT: Duration = Duration::from_secs(110);
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);
/// The longest call waits 20 seconds for messages.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(25);
/// The time of one call with its retries. A command that gets no response reports it within a minute.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(55);

/// Connection settings of the command line. The SDK reads all other settings from its environment.
#[derive(Clone, Default)]
pub struct ConnectionSettings {
    pub profile: Option<String>,
    /// Credentials for the account of the log bucket. Those of `profile` are then for the management account.
    pub bucket_credentials: Option<BucketCredentials>,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    /// Receives the start and the end of every call.
    pub observer: Option<Arc<CallListener>>,
    /// Asks for MFA codes; `None` if nobody can be asked.
    pub mfa_prompt: Option<Arc<MfaPrompt>>,
}

/// Clients for one region.
#[derive(Clone)]
pub struct Aws {
    shared: SdkConfig,
    observer: Option<Arc<CallListener>>,
    region: String,
    profiles: Arc<Profiles>,
    /// The management account, if it has credentials of its own.
    management: Option<ManagementAccount>,
    pub account: aws_sdk_account::Client,
    pub cloudtrail: aws_sdk_cloudtrail::Client,
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    pub iam: aws_sdk_iam::Client,
    pub kms: aws_sdk_kms::Client,
    pub lambda: aws_sdk_lambda::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    pub organizations: aws_sdk_organizations::Client,
    pub s3: aws_sdk_s3::Client,
    pub sns: aws_sdk_sns::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub sts: aws_sdk_sts::Client,
}

/// The identity of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    pub arn: String,
    pub account: String,
    pub partition: String,
}

macro_rules! client {
    ($service:ident, $shared:expr, $listener:expr) => {{
        let mut builder = $service::config::Builder::from($shared)
            .interceptor(response_body::ResponseBodyCheck)
            .retry_classifier(response_body::ResponseBodyCheck)
            .interceptor(clock_skew::ClockSkewRetryLimit)
            .retry_classifier(clock_skew::ClockSkewRetryLimit);
        if let Some(listener) = $listener {
            builder = builder.interceptor(call_log::CallObserver(listener));
        }
        $service::Client::from_conf(builder.build())
    }};
}

impl Aws {
    /// Loads the configuration as the AWS CLI does. It makes no calls, except to assume roles. With credentials for the
    /// account of the log bucket, it also identifies the management account.
    ///
    /// # Errors
    /// When the environment holds values that the SDK cannot use, when AWS refuses a role, and when the management account
    /// cannot be identified.
    pub async fn connect(settings: &ConnectionSettings) -> Result<Self> {
        configuration::validate()?;
        let aws = Self::connect_with_profile(settings).await?;
        let bucket_aws = match &settings.bucket_credentials {
            None => return Ok(aws),
            Some(BucketCredentials::Role(arn)) => clients::assume_role(&aws, arn).await?,
            Some(BucketCredentials::Profile(name)) => {
                let settings = ConnectionSettings {
                    profile: Some(name.clone()),
                    region: Some(aws.region.clone()),
                    ..settings.clone()
                };
                Self::connect_with_profile(&settings).await?
            }
        };
        let management = ManagementAccount::identify(aws).await?;
        Ok(bucket_aws.with_management(management))
    }

    async fn connect_with_profile(settings: &ConnectionSettings) -> Result<Self> {
        let profiles = Profiles::load(settings.profile.as_deref()).await;
        let http = http::shared_client(profiles.ca_bundle().as_deref())?;
        let mut shared = config_loader(settings, &http, &profiles).load().await;
        if shared
            .region()
            .is_none_or(|region| region.as_ref().is_empty())
        {
            // A profile that assumes a role needs a region for that call.
            let default = profiles
                .region()
                .unwrap_or_else(|| DEFAULT_REGION.to_owned());
            let default = Region::new(default);
            shared = config_loader(settings, &http, &profiles)
                .region(default)
                .load()
                .await;
        }
        let region = shared
            .region()
            .map_or_else(|| DEFAULT_REGION.to_owned(), ToString::to_string);
        let named = settings.profile.is_some();
        let provider = if named || !has_environment_credentials() {
            profiles.role_chain()
        } else {
            None
        };
        let provider_config = provider_config(&http, &region);
        let credentials = match provider {
            Some(chain) => {
                let prompt = settings.mfa_prompt.as_ref();
                let files = profiles.files();
                let assumed =
                    role_chain::assume(&chain, &shared, &provider_config, files, prompt).await;
                Some(assumed.map_err(|error| with_credentials_hint(error, &profiles))?)
            }
            None => named.then(|| profile_credentials(&profiles, &provider_config)),
        };
        if let Some(credentials) = credentials {
            let builder = shared.into_builder().credentials_provider(credentials);
            shared = builder.build();
        }
        if let Some(provider) = shared.credentials_provider() {
            let valid = SharedCredentialsProvider::new(ValidCredentials(provider));
            shared = shared.into_builder().credentials_provider(valid).build();
        }
        Ok(Self::from_config(
            shared,
            settings.observer.clone(),
            region,
            Arc::new(profiles),
        ))
    }

    /// Clients with this configuration, without the environment and the profiles.
    #[must_use]
    pub fn with_sdk_config(config: SdkConfig) -> Self {
        let region = config
            .region()
            .map_or_else(|| DEFAULT_REGION.to_owned(), ToString::to_string);
        Self::from_config(config, None, region, Arc::default())
    }

    /// Clients with the same credentials in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        if region == self.region {
            return self.clone();
        }
        let there = Self::from_config(
            self.shared.clone(),
            self.observer.clone(),
            region.to_owned(),
            self.profiles.clone(),
        );
        self.with_same_management(there, |aws| aws.in_region(region))
    }

    /// Adds the management account of these clients, changed in the same way, to changed clients.
    fn with_same_management(&self, changed: Self, change: impl FnOnce(&Self) -> Self) -> Self {
        match &self.management {
            Some(management) => changed.with_management(management.map(change)),
            None => changed,
        }
    }

    /// Clients with other credentials and the same settings.
    #[must_use]
    pub(super) fn with_credentials(&self, credentials: SharedCredentialsProvider) -> Self {
        let shared = self.shared.clone().into_builder();
        Self::from_config(
            shared.credentials_provider(credentials).build(),
            self.observer.clone(),
            self.region.clone(),
            self.profiles.clone(),
        )
    }

    /// Clients with a time limit for each call, including retries.
    #[must_use]
    pub fn with_timeout(&self, limit: Duration) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT.min(limit))
            .operation_attempt_timeout(limit)
            .operation_timeout(limit)
            .build();
        let retries = retries_within(limit);
        let shared = self.shared.clone().into_builder().retry_config(retries);
        let limited = Self::from_config(
            shared.timeout_config(timeouts).build(),
            self.observer.clone(),
            self.region.clone(),
            self.profiles.clone(),
        );
        self.with_same_management(limited, |aws| aws.with_timeout(limit))
    }

    fn from_config(
        shared: SdkConfig,
        observer: Option<Arc<CallListener>>,
        region: String,
        profiles: Arc<Profiles>,
    ) -> Self {
        let shared = shared
            .into_builder()
            .region(Region::new(region.clone()))
            .build();
        // Account Management has no FIPS endpoint (endpoints.json of botocore).
        let without_fips = shared.clone().into_builder().use_fips(false).build();
        let mut s3 = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(has_custom_endpoint(&shared))
            .interceptor(response_body::ResponseBodyCheck)
            .retry_classifier(response_body::ResponseBodyCheck)
            .interceptor(clock_skew::ClockSkewRetryLimit)
            .retry_classifier(clock_skew::ClockSkewRetryLimit);
        if let Some(listener) = observer.clone() {
            s3 = s3.interceptor(call_log::CallObserver(listener));
        }
        Self {
            account: client!(aws_sdk_account, &without_fips, observer.clone()),
            cloudtrail: client!(aws_sdk_cloudtrail, &shared, observer.clone()),
            cloudwatch: client!(aws_sdk_cloudwatch, &shared, observer.clone()),
            iam: client!(aws_sdk_iam, &shared, observer.clone()),
            kms: client!(aws_sdk_kms, &shared, observer.clone()),
            lambda: client!(aws_sdk_lambda, &shared, observer.clone()),
            logs: client!(aws_sdk_cloudwatchlogs, &shared, observer.clone()),
            organizations: client!(aws_sdk_organizations, &shared, observer.clone()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sns: client!(aws_sdk_sns, &shared, observer.clone()),
            sqs: client!(aws_sdk_sqs, &shared, observer.clone()),
            sts: client!(aws_sdk_sts, &shared, observer.clone()),
            shared,
            observer,
            region,
            profiles,
            management: None,
        }
    }

    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The custom endpoint, if one is configured.
    #[must_use]
    pub fn endpoint(&self) -> Option<String> {
        self.shared
            .endpoint_url()
            .map(str::to_owned)
            .or_else(|| std::env::var("AWS_ENDPOINT_URL").ok())
            .or_else(service_specific_endpoint)
    }

    /// Reads the identity of the credentials. The call needs no permission.
    ///
    /// # Errors
    /// When there are no usable credentials, or AWS cannot be reached.
    pub async fn caller_identity(&self) -> Result<CallerIdentity> {
        let who = self
            .sts
            .get_caller_identity()
            .send()
            .await
            .context_for("sts:GetCallerIdentity", || {
                "identify the AWS account of the caller".into()
            })
            .map_err(|error| with_credentials_hint(error, &self.profiles))?;
        let arn = who.arn().unwrap_or_default();
        let partition = Arn::parse(arn)
            .map_or("aws", |arn| arn.partition)
            .to_owned();
        Ok(CallerIdentity {
            arn: arn.to_owned(),
            account: who.account().unwrap_or_default().to_owned(),
            partition,
        })
    }
}

fn call_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(attempt_timeout())
        .operation_timeout(OPERATION_TIMEOUT)
        .build()
}

/// The time limit of an attempt. Tests of debug builds shorten it.
fn attempt_timeout() -> Duration {
    #[cfg(debug_assertions)]
    if let Some(seconds) = std::env::var("HEELER_EC_TEST_ATTEMPT_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok())
    {
        return Duration::from_secs(seconds);
    }
    ATTEMPT_TIMEOUT
}

/// A loader like that of the AWS CLI, with the program's time limits and retries.
fn config_loader(
    settings: &ConnectionSettings,
    http: &SharedHttpClient,
    profiles: &Profiles,
) -> ConfigLoader {
    let mut loader = ConfigLoader::default()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http.clone())
        // A credential process may ask a person to sign in.
        .identity_cache(IdentityCache::lazy().load_timeout(SIGN_IN_TIMEOUT).build())
        .timeout_config(call_timeouts());
    // Always set, because the SDK panics on a retry mode that only the AWS CLI supports, such as `legacy`.
    loader = loader.retry_config(RetryConfig::standard().with_max_attempts(max_attempts()));
    if let Ok(name) = AppName::new("heeler-ec") {
        loader = loader.app_name(name);
    }
    if let Some(files) = profiles.files() {
        loader = loader.profile_files(files);
    }
    if let Some(profile) = profiles.sdk_name() {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader
}

/// Settings of the credential providers that the program creates itself.
fn provider_config(http: &SharedHttpClient, region: &str) -> ProviderConfig {
    ProviderConfig::without_region()
        .with_region(Some(Region::new(region.to_owned())))
        .with_http_client(http.clone())
}

/// Credentials of the profile that was named on the command line. They take precedence over the environment, as in the
/// AWS CLI; in the SDK they do not.
fn profile_credentials(
    profiles: &Profiles,
    settings: &ProviderConfig,
) -> SharedCredentialsProvider {
    let mut provider = ProfileFileCredentialsProvider::builder().configure(settings);
    if let Some(files) = profiles.files() {
        provider = provider.profile_files(files);
    }
    if let Some(name) = profiles.sdk_name() {
        provider = provider.profile_name(name);
    }
    SharedCredentialsProvider::new(provider.build())
}

/// Returns true if the environment has an access key, which takes precedence over `AWS_PROFILE`.
fn has_environment_credentials() -> bool {
    std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|id| !id.is_empty())
}

fn with_credentials_hint(error: Error, profiles: &Profiles) -> Error {
    error::credentials_hint(
        error,
        profiles.selected(),
        profiles.sign_in_command(),
        !profiles.is_explicit() && has_environment_credentials(),
    )
}

/// Returns true if a custom endpoint is configured. S3 then uses path-style addresses, which every endpoint supports.
fn has_custom_endpoint(shared: &SdkConfig) -> bool {
    shared.endpoint_url().is_some()
        || ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"]
            .iter()
            .any(|name| std::env::var_os(name).is_some())
}

/// The custom endpoint of any one service.
fn service_specific_endpoint() -> Option<String> {
    std::env::vars()
        .find(|(name, value)| name.starts_with("AWS_ENDPOINT_URL_") && !value.is_empty())
        .map(|(_, value)| value)
}

/// Retries whose pauses take at most a third of the limit. The rest is for the attempts, because after the limit the error
/// would only say that the time is over, and not what AWS answered.
fn retries_within(limit: Duration) -> RetryConfig {
    let attempts = max_attempts();
    let pause = limit / 3 / attempts.max(1);
    RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(pause)
        .with_max_backoff(pause)
}

/// The maximum number of attempts of a call.
fn max_attempts() -> u32 {
    std::env::var("AWS_MAX_ATTEMPTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5)
}
