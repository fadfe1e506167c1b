//! Clients per account and region. Other accounts are reached through a role, which is assumed once per account.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::OnceCell;

use super::Aws;
use super::error::AwsResultExt;
use crate::error::{Error, Result};

/// A policy contains it only if the log bucket is in another account.
const ASSUME_ROLE: &str = "sts:AssumeRole";
const SESSION_NAME: &str = "heeler-ec";

/// Creates clients for an account and a region.
///
/// The home account uses the credentials of the caller. Any other account uses a role of a fixed name, whose credentials
/// are shared by all regions of the account and renewed before they expire.
pub struct Clients {
    aws: Aws,
    home_account: String,
    role: Option<MemberRole>,
    accounts: Mutex<BTreeMap<String, Arc<OnceCell<Result<Aws>>>>>,
    scopes: Mutex<BTreeMap<(String, String), Arc<Aws>>>,
}

/// The role to assume in other accounts.
#[derive(Clone, Debug)]
pub struct MemberRole {
    pub partition: String,
    pub name: String,
}

impl Clients {
    /// Takes the clients of the caller, whose account is `home_account`.
    #[must_use]
    pub fn new(aws: Aws, home_account: impl Into<String>) -> Self {
        Self {
            aws,
            home_account: home_account.into(),
            role: None,
            accounts: Mutex::default(),
            scopes: Mutex::default(),
        }
    }

    /// Allows other accounts, through this role.
    #[must_use]
    pub fn with_role(mut self, role: MemberRole) -> Self {
        self.role = Some(role);
        self
    }

    /// Returns the clients for an account and a region.
    ///
    /// # Errors
    /// If the role in another account cannot be assumed. The role is not tried again for other regions.
    pub async fn in_scope(&self, account: &str, region: &str) -> Result<Arc<Aws>> {
        let key = (account.to_owned(), region.to_owned());
        let known = lock(&self.scopes).get(&key).map(Arc::clone);
        if let Some(aws) = known {
            return Ok(aws);
        }
        let aws = Arc::new(self.in_account(account).await?.in_region(region));
        Ok(Arc::clone(lock(&self.scopes).entry(key).or_insert(aws)))
    }

    async fn in_account(&self, account: &str) -> Result<Aws> {
        if account == self.home_account {
            return Ok(self.aws.clone());
        }
        let cell = Arc::clone(lock(&self.accounts).entry(account.to_owned()).or_default());
        cell.get_or_init(|| self.assume_role(account)).await.clone()
    }

    async fn assume_role(&self, account: &str) -> Result<Aws> {
        let Some(MemberRole { partition, name }) = &self.role else {
            return Err(Error::failed(
                format!("use account {account}"),
                format!("the credentials are for account {}", self.home_account),
            ));
        };
        let role_arn = format!("arn:{partition}:iam::{account}:role/{name}");
        assume_role(&self.aws, &role_arn).await
    }
}

/// Returns clients with the credentials of a role, which are renewed before they expire.
///
/// # Errors
/// When AWS refuses the role.
pub(super) async fn assume_role(aws: &Aws, role_arn: &str) -> Result<Aws> {
    let role = AssumedRole::assume(aws.sts.clone(), role_arn.to_owned()).await?;
    Ok(aws.with_credentials(SharedCredentialsProvider::new(role)))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Credentials of an assumed role.
#[derive(Debug)]
struct AssumedRole {
    sts: aws_sdk_sts::Client,
    arn: String,
    /// The credentials of the first call, until the identity cache of the SDK takes them.
    first: Mutex<Option<Credentials>>,
}

impl AssumedRole {
    /// Assumes the role at once, so that a denial is reported here and not by the first call that uses it.
    async fn assume(sts: aws_sdk_sts::Client, arn: String) -> Result<Self> {
        let role = Self {
            sts,
            arn,
            first: Mutex::default(),
        };
        let credentials = role.call().await?;
        *lock(&role.first) = Some(credentials);
        Ok(role)
    }

    async fn call(&self) -> Result<Credentials> {
        let operation = || format!("assume role {}", self.arn);
        let assumed = self
            .sts
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(SESSION_NAME)
            .send()
            .await
            .context_for(ASSUME_ROLE, operation)?;
        let credentials = assumed
            .credentials()
            .ok_or_else(|| Error::failed(operation(), "the response contains no credentials"))?;
        Ok(Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            Some(credentials.session_token().to_owned()),
            SystemTime::try_from(*credentials.expiration()).ok(),
            "AssumedRole",
        ))
    }

    async fn provide(&self) -> provider::Result {
        let first = lock(&self.first).take();
        match first {
            Some(credentials) => Ok(credentials),
            None => self.call().await.map_err(CredentialsError::provider_error),
        }
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    const HOME: &str = "111122223333";
    const MEMBER: &str = "222233334444";
    const DENYING: &str = "333344445555";

    /// An STS that counts the roles that it is asked for.
    #[derive(Clone, Debug, Default)]
    struct FakeSts(Arc<AtomicUsize>);

    impl FakeSts {
        fn assumed_roles(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }

        fn answer(&self, request: &HttpRequest) -> (u16, String) {
            let body = request.body().bytes().unwrap_or_default();
            let body = String::from_utf8_lossy(body);
            if body.contains("Action=GetCallerIdentity") {
                let signed_by = request.headers().get("authorization").unwrap_or_default();
                return (200, identity(signed_by.contains("MEMBERKEY")));
            }
            self.0.fetch_add(1, Ordering::Relaxed);
            if body.contains(DENYING) {
                return (403, DENIAL.to_owned());
            }
            (200, ASSUMED.to_owned())
        }
    }

    fn identity(is_member: bool) -> String {
        let account = if is_member { MEMBER } else { HOME };
        format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{account}:user/u</Arn><Account>{account}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
    }

    const ASSUMED: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
        <AccessKeyId>MEMBERKEY</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
        <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
        </Credentials></AssumeRoleResult></AssumeRoleResponse>";
    const DENIAL: &str = "<ErrorResponse><Error><Code>AccessDenied</Code>\
        <Message>not authorized</Message></Error><RequestId>r</RequestId></ErrorResponse>";

    impl HttpConnector for FakeSts {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let (status, body) = self.answer(&request);
            let status = status.try_into().expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
        }
    }

    impl HttpClient for FakeSts {
        fn http_connector(
            &self,
            _: &HttpConnectorSettings,
            _: &RuntimeComponents,
        ) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    fn clients(sts: &FakeSts) -> Clients {
        let credentials = Credentials::new("HOMEKEY", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(SharedHttpClient::new(sts.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(aws_config::identity::IdentityCache::lazy().build())
            .region(Region::from_static("eu-west-1"))
            .build();
        let aws = Aws::from_config(config, None, "eu-west-1".to_owned(), Arc::default());
        Clients::new(aws, HOME).with_role(MemberRole {
            partition: "aws".to_owned(),
            name: "HeelerEc".to_owned(),
        })
    }

    #[tokio::test]
    async fn role_is_assumed_once_for_several_regions() {
        let sts = FakeSts::default();
        let clients = clients(&sts);
        for region in ["eu-west-1", "eu-central-1", "us-east-1"] {
            let aws = clients.in_scope(MEMBER, region).await.unwrap();
            assert_eq!(aws.region(), region);
            let identity = aws.caller_identity().await.unwrap();
            assert_eq!(identity.account, MEMBER);
        }
        assert_eq!(sts.assumed_roles(), 1);
    }

    #[tokio::test]
    async fn home_account_uses_the_credentials_of_the_caller() {
        let sts = FakeSts::default();
        let clients = clients(&sts);
        let aws = clients.in_scope(HOME, "eu-central-1").await.unwrap();
        assert_eq!(aws.caller_identity().await.unwrap().account, HOME);
        assert_eq!(sts.assumed_roles(), 0);
    }

    #[tokio::test]
    async fn denied_role_is_not_tried_again() {
        let sts = FakeSts::default();
        let clients = clients(&sts);
        for region in ["eu-west-1", "eu-central-1"] {
            let refusal = clients.in_scope(DENYING, region).await;
            assert!(refusal.err().is_some_and(|error| error.is_denied()));
        }
        assert_eq!(sts.assumed_roles(), 1);
    }

    #[tokio::test]
    async fn other_account_without_a_role_is_an_error() {
        let clients = Clients {
            role: None,
            ..clients(&FakeSts::default())
        };
        assert!(clients.in_scope(MEMBER, "eu-west-1").await.is_err());
    }
}
