//! Credentials of a chain of roles, with MFA codes that the user types.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sso::SsoCredentialsProvider;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_runtime::env_config::file::EnvConfigFiles;

use super::error::AwsResultExt;
use super::profiles::{BaseCredentials, ProfileRole, RoleChain, quote};
use crate::error::{Error, Result};

/// Asks for the code of an MFA device, given its serial number or ARN. It blocks until the user has typed a line.
pub type MfaPrompt = dyn Fn(&str) -> String + Send + Sync;

/// Assumes the roles one after the other and returns the credentials of the last one. They are not renewed, as in the
/// AWS CLI, which cannot renew a session with MFA either.
///
/// # Errors
/// When a code is needed and cannot be asked for, or AWS refuses a role.
pub(super) async fn assume(
    chain: &RoleChain,
    shared: &SdkConfig,
    settings: &ProviderConfig,
    files: Option<EnvConfigFiles>,
    prompt: Option<&Arc<MfaPrompt>>,
) -> Result<SharedCredentialsProvider> {
    let mut credentials = match &chain.base {
        BaseCredentials::AccessKey(key) => SharedCredentialsProvider::new(key.clone()),
        BaseCredentials::Profile(name) => {
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(settings)
                .profile_name(name);
            SharedCredentialsProvider::new(match files {
                Some(files) => provider.profile_files(files).build(),
                None => provider.build(),
            })
        }
        BaseCredentials::SsoSession(session) => SharedCredentialsProvider::new(
            SsoCredentialsProvider::builder()
                .configure(settings)
                .account_id(&session.account)
                .role_name(&session.role)
                .start_url(&session.start_url)
                .region(Region::new(session.region.clone()))
                .session_name(&session.name)
                .build(),
        ),
    };
    for role in &chain.roles {
        let session = assume_role(role, shared, credentials, prompt).await?;
        credentials = SharedCredentialsProvider::new(session);
    }
    Ok(credentials)
}

async fn assume_role(
    role: &ProfileRole,
    shared: &SdkConfig,
    credentials: SharedCredentialsProvider,
    prompt: Option<&Arc<MfaPrompt>>,
) -> Result<Credentials> {
    // Missing credentials are reported before the user types a code.
    if role.mfa_serial.is_some() {
        credentials
            .provide_credentials()
            .await
            .map_err(|why| Error::failed("sign in", super::error::cause_chain(&why)))?;
    }
    let code = match &role.mfa_serial {
        Some(serial) => Some(mfa_code(role, serial, prompt).await?),
        None => None,
    };
    let config = shared
        .clone()
        .into_builder()
        .credentials_provider(credentials);
    let session = aws_sdk_sts::Client::new(&config.build())
        .assume_role()
        .role_arn(&role.arn)
        .role_session_name(session_name(role))
        .set_external_id(role.external_id.as_ref().map(|id| id.expose().to_owned()))
        .set_serial_number(role.mfa_serial.clone())
        .set_token_code(code)
        .set_duration_seconds(
            role.duration
                .and_then(|time| i32::try_from(time.as_secs()).ok()),
        )
        .send()
        .await
        .context_for("sts:AssumeRole", || {
            format!("assume the role {} of profile {}", role.arn, role.profile)
        })?;
    let session = session
        .credentials()
        .ok_or_else(|| Error::failed("assume a role", "AWS returned no credentials"))?;
    Ok(Credentials::new(
        session.access_key_id(),
        session.secret_access_key(),
        Some(session.session_token().to_owned()),
        SystemTime::try_from(*session.expiration()).ok(),
        "AssumeRole",
    ))
}

async fn mfa_code(
    role: &ProfileRole,
    serial: &str,
    prompt: Option<&Arc<MfaPrompt>>,
) -> Result<String> {
    let Some(prompt) = prompt else {
        return Err(Error::failed(
            "sign in",
            format!(
                "profile {} needs an MFA code, and standard input is not a terminal",
                role.profile
            ),
        )
        .with_hint(format!(
            "export a session first: eval \"$(aws configure export-credentials --profile {} --format env)\"",
            quote(&role.profile)
        )));
    };
    let (prompt, serial) = (Arc::clone(prompt), serial.to_owned());
    let code = tokio::task::spawn_blocking(move || prompt(&serial)).await;
    let code = code.unwrap_or_default();
    // Codes of virtual and hardware devices have six digits (AssumeRole, TokenCode).
    if code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(code);
    }
    Err(Error::usage("the MFA code is not a number of six digits")
        .with_hint("run the command again, and type the code that the device shows"))
}

fn session_name(role: &ProfileRole) -> String {
    let seconds = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(0, |time| time.as_secs())
    };
    role.session_name
        .clone()
        .unwrap_or_else(|| format!("heeler-ec-{}", seconds()))
}
