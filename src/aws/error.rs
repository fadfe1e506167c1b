//! Conversion of SDK errors: the operation, the message of AWS with its code and request ID, and a hint.

use std::error::Error as StdError;
use std::time::SystemTime;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ErrorKind;
use aws_types::request_id::RequestId;

use super::profiles::{decode, quote};
use super::response_body::UnexpectedBody;
use crate::error::{Error, Result};
use crate::http::ConnectionError;

/// Adds context to the result of a call.
pub trait AwsResultExt<T> {
    /// Names the operation and the permission that it needs. `what` completes "cannot …".
    ///
    /// # Errors
    /// The failure of the call.
    fn context_for(self, action: &'static str, what: impl FnOnce() -> String) -> Result<T>;

    /// Like `context_for`, but returns `None` for an error with one of the codes in `absent`.
    ///
    /// # Errors
    /// The failure of the call.
    fn optional_for(
        self,
        action: &'static str,
        absent: &[&str],
        what: impl FnOnce() -> String,
    ) -> Result<Option<T>>;
}

impl<T, E> AwsResultExt<T> for std::result::Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    fn context_for(self, action: &'static str, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| to_error(&error, action, what()))
    }

    fn optional_for(
        self,
        action: &'static str,
        absent: &[&str],
        what: impl FnOnce() -> String,
    ) -> Result<Option<T>> {
        match self {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code().is_some_and(|code| absent.contains(&code)) => Ok(None),
            Err(error) => Err(to_error(&error, action, what())),
        }
    }
}

/// Returns true if the same call may succeed later: after throttling, an internal error of AWS or a broken connection.
pub fn is_transient<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    const THROTTLING_CODES: &[&str] = &[
        "KMS.ThrottlingException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailableException",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    ];
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => {
            // A connection that is closed early has no kind of its own.
            let closed = failure.as_other() == Some(ErrorKind::TransientError);
            failure.is_io() || failure.is_timeout() || closed
        }
        SdkError::ServiceError(failure) => {
            let status = failure.raw().status();
            // An error with a status of success is an answer of something else than AWS, such as the page of a proxy.
            status.is_server_error()
                || status.is_success()
                || error
                    .code()
                    .is_some_and(|code| THROTTLING_CODES.contains(&code))
        }
        _ => false,
    }
}

fn to_error<E>(error: &SdkError<E, HttpResponse>, action: &'static str, operation: String) -> Error
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
        // A response to HEAD has no body and therefore no code.
        .or_else(|| {
            status
                .filter(|status| *status >= 300)
                .map(|status| status.to_string())
        });
    let message = error.message().map(str::to_owned);
    let (why, hint) = match error {
        SdkError::DispatchFailure(failure) if connection_error(failure).is_some() => {
            let why = connection_error(failure).map_or_else(String::new, ToString::to_string);
            let hint = connection_hint(&why);
            (why, Some(hint))
        }
        SdkError::TimeoutError(_) => (
            "the call timed out".to_owned(),
            Some(
                "check the network, a proxy (HTTPS_PROXY) and --region, then run it again"
                    .to_owned(),
            ),
        ),
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
            let chain = cause_chain(error);
            let hint = connection_hint(&chain);
            (chain, Some(hint))
        }
        SdkError::ResponseError(_) => {
            let cause = innermost_cause(error);
            let hint = if cause.is::<UnexpectedBody>() {
                NOT_FROM_AWS_HINT.to_owned()
            } else {
                connection_hint("")
            };
            (cause.to_string(), Some(hint))
        }
        _ => (
            message.map_or_else(|| status_message(error, status), shorten),
            None,
        ),
    };
    let mut converted = Error::failed(operation, why)
        .with_permission(action)
        .with_code(code, request_id)
        .with_transience(is_transient(error));
    if let Some(hint) = hint.or_else(|| hint_for(&converted, action)) {
        converted = converted.with_hint(hint);
    }
    converted
}

/// The longest message that is shown. Longer ones do not come from AWS.
const MAX_MESSAGE_BYTES: usize = 4_000;

/// Cuts a message that nobody would read to its end, and marks the cut.
fn shorten(mut message: String) -> String {
    if message.len() > MAX_MESSAGE_BYTES {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE_BYTES));
        message.push_str("... (cut)");
    }
    message
}

/// The error of the connection, unless the call failed for another reason, such as missing credentials.
fn connection_error(failure: &DispatchFailure) -> Option<&ConnectionError> {
    let error = failure.as_connector_error()?.source()?;
    error.downcast_ref()
}

const NOT_FROM_AWS_HINT: &str =
    "the response is not from AWS: check the network, its sign-in page, and a proxy (HTTPS_PROXY)";

/// The cause that has no further cause. The outer ones name only the layers of the SDK.
fn innermost_cause<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause
}

/// Joins the messages of the inner causes. The outermost message says only that the call failed.
pub(super) fn cause_chain(error: &(dyn StdError + 'static)) -> String {
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

fn status_message(error: &dyn StdError, status: Option<u16>) -> String {
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
    let unreachable = ["the connection to ", "dns error", "dispatch failure"];
    let is_unreachable = unreachable.iter().any(|cause| lower.contains(cause));
    let sign_in = ["credential", "sso", "token"];
    if !is_unreachable && sign_in.iter().any(|word| lower.contains(word)) {
        "sign in first: `aws sso login` or `aws configure`; check with `aws sts get-caller-identity`"
    } else if lower.contains("certificate") {
        "if a proxy inspects TLS, set AWS_CA_BUNDLE, or ca_bundle of the profile, to the PEM file with its root certificate"
    } else {
        "check the network, a proxy (HTTPS_PROXY), --region and --endpoint-url"
    }
    .to_owned()
}

fn hint_for(error: &Error, action: &str) -> Option<String> {
    if error.is_denied()
        && let Some(hint) = denial_hint(error.reason(), action)
    {
        return Some(hint);
    }
    if error.is_denied() {
        return Some(format!("grant {action} to the caller"));
    }
    if let Some(hint) = clock_skew_hint(error) {
        return Some(hint);
    }
    match error.error_code()? {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            Some(
                "the session has expired: sign in again with `aws sso login`, or set new credentials in the environment"
                    .to_owned(),
            )
        }
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" => Some(
            "AWS rejects these credentials: check AWS_PROFILE, and --region for another partition"
                .to_owned(),
        ),
        "SignatureDoesNotMatch" => Some(WRONG_SECRET_HINT.to_owned()),
        _ => None,
    }
}

/// A hint for a denial that granting the action does not lift. AWS names the kind of policy: "with an explicit deny in
/// a service control policy", or "because no permissions boundary allows the ... action" (IAM User Guide,
/// "Troubleshoot access denied error messages").
fn denial_hint(why: &str, action: &str) -> Option<String> {
    let lower = why.to_ascii_lowercase();
    let is_explicit = lower.contains("explicit deny");
    let names = |kind: &str| lower.contains(kind);
    let is_of_organization = names("service control policy") || names("resource control policy");
    let owner = if is_of_organization {
        format!(
            "a policy of your organization denies {action}: ask the owner of that policy, because changing your role will not help"
        )
    } else if names("permissions boundary") {
        let verb = if is_explicit {
            "denies"
        } else {
            "does not allow"
        };
        format!(
            "the permissions boundary of the caller {verb} {action}: ask its owner, because granting the action will not help"
        )
    } else if names("session policy") {
        format!(
            "the session of the caller is limited by a policy that does not allow {action}: sign in without it"
        )
    } else if names("vpc endpoint policy") {
        format!(
            "the policy of a VPC endpoint does not allow {action}: ask its owner, or use another network"
        )
    } else if is_explicit {
        format!(
            "a policy denies {action} explicitly: granting it does not help; ask the owner of that policy"
        )
    } else {
        return None;
    };
    let is_conditional = is_explicit || is_of_organization;
    Some(match creation_options(action).filter(|_| is_conditional) {
        Some(options) => format!("{owner}. If your account requires them, use {options}"),
        None => owner,
    })
}

/// The options with which setup meets what an account may require of a new resource.
fn creation_options(action: &str) -> Option<&'static str> {
    match action {
        "iam:CreateRole" => Some("--permissions-boundary, --role-path or --tag"),
        "iam:CreatePolicy"
        | "kms:CreateKey"
        | "lambda:CreateFunction"
        | "sns:CreateTopic"
        | "sqs:CreateQueue" => Some("--tag"),
        _ => None,
    }
}

const WRONG_SECRET_HINT: &str = "the secret access key does not match the access key ID: check AWS_SECRET_ACCESS_KEY, or the profile's \
    aws_secret_access_key";

/// A hint if the clock of this machine is wrong. Signatures contain the local time, and AWS usually returns both times:
/// `Signature expired: 20260302T113000Z is now earlier than 20260302T115500Z (20260302T120000Z - 5 min.)`.
fn clock_skew_hint(error: &Error) -> Option<String> {
    let why = error.reason();
    let slow = why.contains("Signature expired");
    let fast = why.contains("Signature not yet current");
    let skewed = ["RequestTimeTooSkewed", "RequestInTheFuture"]
        .iter()
        .any(|code| error.has_code(code));
    if !(slow || fast || skewed) {
        return None;
    }
    let side = match (slow, fast) {
        (true, _) => "slow",
        (_, true) => "fast",
        _ => "",
    };
    let off = match (clock_skew_minutes(why), side) {
        (Some(minutes), "") => format!("{minutes} minutes off"),
        (Some(minutes), side) => format!("{minutes} minutes {side}"),
        (None, "") => "wrong".to_owned(),
        (None, side) => side.to_owned(),
    };
    Some(format!(
        "the clock of this machine is {off}: set it (timedatectl set-ntp true, or the date and time settings of the system)"
    ))
}

/// The minutes between the first time in the message, of this machine, and the time in parentheses, of AWS.
fn clock_skew_minutes(why: &str) -> Option<u64> {
    let (before, after) = why.split_once('(')?;
    let of_this_machine = before.split(' ').find_map(parse_signature_time)?;
    let of_aws = after.split(' ').next().and_then(parse_signature_time)?;
    let off = of_aws
        .duration_since(of_this_machine)
        .unwrap_or_else(|ahead| ahead.duration());
    Some((off.as_secs() + 30) / 60)
}

/// Parses the time of a signature, such as `20260302T113000Z`.
fn parse_signature_time(word: &str) -> Option<SystemTime> {
    let (date, time) = word.strip_suffix('Z')?.split_once('T')?;
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    if !(digits(date, 8) && digits(time, 6)) {
        return None;
    }
    let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
    let (hour, minute, second) = (&time[..2], &time[2..4], &time[4..]);
    humantime::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

/// Replaces the reason and the hint of an error about missing credentials. Commands in the hint include the profile;
/// `sign_in` is the command that signs in to it, if the configuration shows it. Signing in does not help if the
/// credentials are from environment variables.
pub(super) fn credentials_hint(
    error: Error,
    profile: Option<&str>,
    sign_in: Option<String>,
    are_from_environment: bool,
) -> Error {
    let chain = error.reason().to_owned();
    let lower = chain.to_ascii_lowercase();
    let option = profile
        .map(|profile| format!(" --profile {}", quote(profile)))
        .unwrap_or_default();
    let expired = error
        .error_code()
        .is_some_and(|code| code.starts_with("ExpiredToken") || code == "RequestExpired");
    if let Some(missing) = missing_profile(&chain) {
        return error
            .with_reason(format!(
                "there is no profile {} in the AWS configuration",
                decode(missing)
            ))
            .with_hint("`aws configure list-profiles` lists the profiles");
    }
    if lower.contains("provider was not enabled")
        && let Some(profile) = profile
    {
        return error
            .with_reason(format!(
                "the AWS configuration has no profile {profile}, or no credentials in it"
            ))
            .with_hint(format!(
                "`aws configure list-profiles` lists the profiles; create one with `aws configure{option}`, or sign in with `aws sso login{option}`"
            ));
    }
    if lower.contains("no credentials found in chain") {
        return error
            .with_reason("no AWS credentials were found in the environment, in a profile, or on this machine")
            .with_hint(format!(
                "sign in with `aws sso login{option}` or `aws configure{option}`, or set AWS_PROFILE; an EC2 instance needs a \
                 role (instance profile)"
            ));
    }
    if let Some((reason, remedy)) = metadata_refusal(&lower) {
        return error
            .with_reason(format!(
                "no AWS credentials were found in the environment or in a profile, and the instance metadata service (IMDS) \
                 {reason}"
            ))
            .with_hint(format!(
                "sign in with `aws sso login{option}` or `aws configure{option}`, or set AWS_PROFILE; on an EC2 instance, \
                 {remedy}"
            ));
    }
    // With a wrong clock a signature has "expired" too, but signing in does not help.
    if clock_skew_hint(&error).is_some() || error.has_code("SignatureDoesNotMatch") {
        return error;
    }
    if lower.contains("dispatch failure") && !lower.contains("sso") {
        return error;
    }
    if expired && are_from_environment {
        return error.with_hint(
            "the credentials in the environment have expired: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
             AWS_SESSION_TOKEN again, or unset them to use a profile",
        );
    }
    let no_session = expired
        || lower.contains("sso")
        || lower.contains("expired")
        || sign_in.is_some() && error.error_code().is_none();
    if no_session {
        let sign_in = sign_in.unwrap_or_else(|| format!("aws sso login{option}"));
        return error.with_hint(format!(
            "the session has expired or does not exist: sign in with `{sign_in}`"
        ));
    }
    if lower.contains("credential") && error.error_code().is_none() && error.hint().is_none() {
        return error.with_hint(format!(
            "`aws sts get-caller-identity{option}` must work first; if it does, export its credentials: \
             eval \"$(aws configure export-credentials{option} --format env)\""
        ));
    }
    error
}

/// The refusal of the instance metadata service in a chain of causes in lower case, and the remedy on an EC2 instance
/// (EC2 User Guide, "Configure the Instance Metadata Service options").
fn metadata_refusal(chain: &str) -> Option<(&'static str, &'static str)> {
    if chain.contains("incorrect imds/iam configuration") {
        return Some((
            "has a role that EC2 cannot assume",
            "let the trust policy of the instance's role name ec2.amazonaws.com",
        ));
    }
    if !chain.contains("imds") {
        return None;
    }
    if chain.contains("timed out") || chain.contains("timeout") {
        return Some((
            "did not answer in time",
            "containers need a hop limit of 2: `aws ec2 modify-instance-metadata-options --instance-id ID \
             --http-put-response-hop-limit 2`",
        ));
    }
    Some((
        "refuses to provide any",
        "enable it: `aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint enabled`",
    ))
}

/// The name of the undefined profile in a chain of causes.
fn missing_profile(chain: &str) -> Option<&str> {
    let (before, _) = chain.split_once("` was not defined")?;
    before.rsplit_once("profile `").map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Aws;
    use crate::aws::canned::CannedResponse;

    #[test]
    fn refusals_of_the_metadata_service_are_explained() {
        for (chain, reason, remedy) in [
            (
                "failed to load imds session token: service error: request forbidden",
                "refuses",
                "--http-endpoint enabled",
            ),
            (
                "failed to load imds session token: request has timed out",
                "did not answer",
                "--http-put-response-hop-limit 2",
            ),
            (
                "incorrect imds/iam configuration: [assumeroleunauthorizedaccess] no",
                "cannot assume",
                "ec2.amazonaws.com",
            ),
        ] {
            let (found, advice) = metadata_refusal(chain).expect("a refusal");
            assert!(found.contains(reason) && advice.contains(remedy), "{chain}");
        }
        assert_eq!(metadata_refusal("service error: access denied"), None);
    }

    #[tokio::test]
    async fn long_messages_are_cut() {
        let long = "é".repeat(150_000);
        let responses = vec![
            (
                "ListKeys",
                CannedResponse::json_error("KMSInternalException", &long),
            ),
            ("GetRole", CannedResponse::xml_error("Throttling", "short")),
        ];
        let (aws, _) = Aws::canned(responses);
        let keys = aws.kms.list_keys().send().await;
        let keys = keys.context_for("kms:ListKeys", || "list the keys".into());
        let reason = keys.expect_err("an error").reason().to_owned();
        assert_eq!(reason, format!("{}... (cut)", "é".repeat(2_000)));
        let role = aws.iam.get_role().role_name("r").send().await;
        let role = role.context_for("iam:GetRole", || "find the role".into());
        assert_eq!(role.expect_err("an error").reason(), "short");
    }

    fn hint(code: &str, why: &str) -> String {
        let error = Error::failed("identify the AWS account of the caller", why)
            .with_permission("sts:GetCallerIdentity")
            .with_code(Some(code.to_owned()), None);
        let error = match hint_for(&error, "sts:GetCallerIdentity") {
            Some(hint) => error.with_hint(hint),
            None => error,
        };
        let error = credentials_hint(error, Some("payer"), None, false);
        error.hint().map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn explicit_deny_has_other_hint_than_missing_permission() {
        const CALLER: &str =
            "User: arn:aws:sts::111122223333:assumed-role/Admin/ann is not authorized to perform: ";
        for (action, why, wanted) in [
            (
                "iam:CreateRole",
                "because no identity-based policy allows the iam:CreateRole action",
                "grant iam:CreateRole to the caller",
            ),
            (
                "iam:CreateRole",
                "with an explicit deny in an identity-based policy",
                "If your account requires them, use --permissions-boundary, --role-path or --tag",
            ),
            (
                "sqs:CreateQueue",
                "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o/p",
                "If your account requires them, use --tag",
            ),
            (
                "sqs:ReceiveMessage",
                "with an explicit deny in a resource-based policy",
                "a policy denies sqs:ReceiveMessage explicitly: granting it does not help",
            ),
            (
                "kms:CreateAlias",
                "because no permissions boundary allows the kms:CreateAlias action",
                "the permissions boundary of the caller does not allow kms:CreateAlias",
            ),
            (
                "kms:CreateAlias",
                "with an explicit deny in a permissions boundary",
                "the permissions boundary of the caller denies kms:CreateAlias",
            ),
            (
                "sns:Publish",
                "because no session policy allows the sns:Publish action",
                "the session of the caller is limited",
            ),
            (
                "sns:Publish",
                "because no VPC endpoint policy allows the sns:Publish action",
                "the policy of a VPC endpoint",
            ),
        ] {
            let error = Error::failed("act", format!("{CALLER}{action} {why}"))
                .with_code(Some("AccessDenied".to_owned()), None);
            let found = hint_for(&error, action).unwrap_or_default();
            assert!(found.contains(wanted), "{why}: {found}");
            assert_eq!(
                found.contains("grant iam"),
                why.contains("no identity"),
                "{found}"
            );
        }
    }

    #[test]
    fn expired_environment_has_no_sign_in_hint() {
        for (are_from_environment, wanted) in [
            (true, "the credentials in the environment have expired"),
            (false, "aws sso login"),
        ] {
            let expired = Error::failed("act", "The security token is expired")
                .with_code(Some("ExpiredToken".to_owned()), None);
            let error = credentials_hint(expired, None, None, are_from_environment);
            let hint = error.hint().map(ToString::to_string).unwrap_or_default();
            assert!(hint.contains(wanted), "{hint}");
            assert_eq!(hint.contains("sso"), !are_from_environment, "{hint}");
        }
    }

    #[test]
    fn clock_skew_and_expired_session_have_distinct_hints() {
        for (code, why, wanted) in [
            (
                "SignatureDoesNotMatch",
                "Signature expired: 20260302T113000Z is now earlier than 20260302T115500Z (20260302T120000Z - 5 min.)",
                "the clock of this machine is 30 minutes slow: ",
            ),
            (
                "SignatureDoesNotMatch",
                "Signature not yet current: 20260303T001000Z is still later than 20260303T000400Z (20260302T235900Z + 5 min.)",
                "the clock of this machine is 11 minutes fast: ",
            ),
            (
                "InvalidSignatureException",
                "Signature expired: now",
                "the clock of this machine is slow: ",
            ),
            (
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                "the clock of this machine is wrong: ",
            ),
            (
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method.",
                "the secret access key does not match the access key ID",
            ),
            (
                "ExpiredToken",
                "The security token included in the request is expired",
                "aws sso login --profile payer",
            ),
        ] {
            let found = hint(code, why);
            assert!(found.contains(wanted), "{code}: {found}");
        }
    }
}
