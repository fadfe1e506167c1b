//! The SDK's errors as ours: what was being done, AWS's words, its code and request id, and what to do.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use crate::error::{Error, Result};

/// Says what a call was for, so that its failure can.
pub trait Doing<T> {
    /// `action` is the permission the call needs; `what` completes "cannot …".
    ///
    /// # Errors
    /// The call's own failure, as ours.
    fn doing(self, action: &'static str, what: impl FnOnce() -> String) -> Result<T>;

    /// The same, but one of these codes means that there is no such thing.
    ///
    /// # Errors
    /// The call's own failure, as ours.
    fn finding(
        self,
        action: &'static str,
        absent: &[&str],
        what: impl FnOnce() -> String,
    ) -> Result<Option<T>>;
}

impl<T, E> Doing<T> for std::result::Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    fn doing(self, action: &'static str, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| fault(&error, action, what()))
    }

    fn finding(
        self,
        action: &'static str,
        absent: &[&str],
        what: impl FnOnce() -> String,
    ) -> Result<Option<T>> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code().is_some_and(|code| absent.contains(&code)) => Ok(None),
            Err(error) => Err(fault(&error, action, what())),
        }
    }
}

/// Whether the same call may well be answered a little later: too many calls, trouble inside AWS, or a connection that
/// broke.
pub fn is_passing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    const BUSY: &[&str] = &[
        "LimitExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ];
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_io() || failure.is_timeout(),
        SdkError::ServiceError(failure) => {
            failure.raw().status().is_server_error()
                || error.code().is_some_and(|code| BUSY.contains(&code))
        }
        _ => false,
    }
}

fn fault<E>(error: &SdkError<E, HttpResponse>, action: &'static str, doing: String) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let request_id = error.request_id().map(str::to_owned);
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let code = error
        .code()
        .map(str::to_owned)
        // HEAD has no body to carry a code.
        .or_else(|| {
            status
                .filter(|status| *status >= 300)
                .map(|status| status.to_string())
        });
    let message = error.message().map(str::to_owned);
    let ours = Error::unanswered(doing, "").action(action);
    let (why, hint) = match error {
        SdkError::TimeoutError(_) => (
            "no answer in time".to_owned(),
            Some(
                "check the network, a proxy (HTTPS_PROXY) and --region, then run it again"
                    .to_owned(),
            ),
        ),
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
            let chain = chain(error);
            let hint = connection_hint(&chain);
            (chain, Some(hint))
        }
        _ => (message.unwrap_or_else(|| plain(error, status)), None),
    };
    let mut ours = Error::unanswered(ours.doing(), why)
        .action(action)
        .code(code, request_id);
    if let Some(hint) = hint.or_else(|| hint_for(&ours, action)) {
        ours = ours.hint(hint);
    }
    ours
}

/// What the innermost causes say; the outer ones only say that something failed.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !words.iter().any(|word| word.contains(&text)) {
            words.push(text);
        }
        next = cause.source();
    }
    if words.first().is_some_and(|word| word == "other") {
        words.remove(0);
    }
    if words.is_empty() {
        error.to_string()
    } else {
        words.join(": ")
    }
}

fn plain(error: &dyn StdError, status: Option<u16>) -> String {
    match status {
        Some(301) => "the bucket is in another region".to_owned(),
        Some(403) => "access denied".to_owned(),
        Some(404) => "not found".to_owned(),
        Some(status) => format!("HTTP status {status}"),
        None => error.to_string(),
    }
}

fn connection_hint(chain: &str) -> String {
    let lower = chain.to_ascii_lowercase();
    if lower.contains("credential") || lower.contains("sso") || lower.contains("token") {
        "sign in first: aws sso login, or aws configure; aws sts get-caller-identity shows who you are"
    } else {
        "check the network, a proxy (HTTPS_PROXY), --region and --endpoint-url"
    }
    .to_owned()
}

fn hint_for(error: &Error, action: &str) -> Option<String> {
    let why = error.why();
    if why.contains("service control policy") || why.contains("resource control policy") {
        return Some(format!(
            "a policy of your organization denies {action}; ask its owner, changing your role will not help"
        ));
    }
    if error.is_denied() {
        return Some(format!(
            "grant {action} to the caller (docs/permissions.md)"
        ));
    }
    match error.service_code()? {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            Some("the session has expired: sign in again (aws sso login)".to_owned())
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => Some(
            "AWS does not know these credentials: check AWS_PROFILE, and --region for another partition"
                .to_owned(),
        ),
        "SignatureDoesNotMatch" | "RequestTimeTooSkewed" => {
            Some("check the secret key and the clock of this machine".to_owned())
        }
        _ => None,
    }
}

/// Why there are no credentials, in a sentence, and the way out with the profile in it.
pub(super) fn credentials_hint(error: Error, profile: Option<&str>) -> Error {
    let chain = error.why().to_owned();
    let lower = chain.to_ascii_lowercase();
    let option = profile
        .map(|profile| format!(" --profile {profile}"))
        .unwrap_or_default();
    let expired = error
        .service_code()
        .is_some_and(|code| code.starts_with("ExpiredToken") || code == "RequestExpired");
    if let Some(missing) = missing_profile(&chain) {
        return error
            .because(format!(
                "there is no profile {missing} in the AWS configuration"
            ))
            .hint("aws configure list-profiles shows those that there are");
    }
    if lower.contains("no credentials found in chain") {
        return error
            .because("no AWS credentials were found in the environment, in a profile, or on this machine")
            .hint(format!("aws sso login{option}, or aws configure{option}, or set AWS_PROFILE"));
    }
    if expired || lower.contains("sso") || lower.contains("expired") {
        return error.hint(format!(
            "the session has expired or was never begun: aws sso login{option}"
        ));
    }
    if lower.contains("credential") && error.service_code().is_none() {
        return error.hint(format!(
            "aws sts get-caller-identity{option} has to work first; a profile with mfa_serial needs an exported \
             session (aws configure export-credentials{option} --format env)"
        ));
    }
    error
}

/// The profile that the chain of causes calls undefined.
fn missing_profile(chain: &str) -> Option<&str> {
    let (before, _) = chain.split_once("` was not defined")?;
    before.rsplit_once("profile `").map(|(_, name)| name)
}
