//! SDK clients with one set of credentials, for one region and one local endpoint.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

/// One client for each service that the program or the simulated organization uses.
#[derive(Clone, Debug)]
pub struct Clients {
    pub account: aws_sdk_account::Client,
    pub cloudtrail: aws_sdk_cloudtrail::Client,
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

impl Clients {
    /// Creates clients with the SDK's default retries.
    pub fn new(endpoint: &str, credentials: Credentials, region: &str) -> Clients {
        Clients::from_config(&config(
            endpoint,
            credentials,
            region,
            RetryConfig::standard(),
        ))
    }

    /// Creates clients that do not retry.
    pub fn without_retries(endpoint: &str, credentials: Credentials, region: &str) -> Clients {
        Clients::from_config(&config(
            endpoint,
            credentials,
            region,
            RetryConfig::disabled(),
        ))
    }

    fn from_config(config: &SdkConfig) -> Clients {
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(true)
            .build();
        Clients {
            account: aws_sdk_account::Client::new(config),
            cloudtrail: aws_sdk_cloudtrail::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            kms: aws_sdk_kms::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            organizations: aws_sdk_organizations::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sns: aws_sdk_sns::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
        }
    }
}

/// Creates credentials from an access key.
pub fn credentials(access_key: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials::new(
        access_key,
        secret,
        token.map(str::to_owned),
        None,
        "testkit",
    )
}

fn config(
    endpoint: &str,
    credentials: Credentials,
    region: &str,
    retries: RetryConfig,
) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
