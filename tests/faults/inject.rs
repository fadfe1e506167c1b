//! Injects the fault of a case, and knows the words with which a message names its cause.

use std::time::Duration;

use testkit::strict::eventual::throttling;
use testkit::{Call, Fault, FaultAction, HeelerEc, Proxy};

use super::case::{Case, Kind};

/// An outage that the SDK's retries can survive.
const SHORT_OUTAGE: Duration = Duration::from_secs(4);
/// The calls of a command before an outage.
const CALLS_BEFORE_OUTAGE: usize = 2;

/// Injects the fault of a case into the calls of a command line.
pub fn inject<'a>(case: &Case, proxy: &Proxy, command: HeelerEc<'a>) -> HeelerEc<'a> {
    let (service, operation) = case.operation.split_once(':').unwrap_or(("*", "*"));
    let fault = |action| Fault::new(service, operation, action);
    let respond = |content_type: &str, body: &str| FaultAction::Respond {
        status: 200,
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body.as_bytes().to_vec(),
    };
    // A read gets each response, because some reads are repeated.
    let times = if case.writes { 1 } else { usize::MAX };
    let fault = match case.kind {
        Kind::RefusedOnce => fault(FaultAction::RefuseAs(access_denied)).times(1),
        Kind::RefusedFiveTimes => fault(FaultAction::RefuseAs(access_denied)).times(5),
        Kind::RefusedAlways => fault(FaultAction::RefuseAs(access_denied)),
        Kind::ResetBefore => fault(FaultAction::DropRequest).times(1),
        Kind::ResetAfter => fault(FaultAction::DropResponse).times(1),
        Kind::Cut => fault(FaultAction::TruncateResponse).times(1),
        Kind::Stalled => fault(FaultAction::NeverRespond).times(1),
        Kind::Empty => fault(respond(content_type(service), "")).times(times),
        Kind::Html => {
            let page = "<html><head><title>Sign in</title></head><body>Sign in to the network</body></html>";
            fault(respond("text/html", page)).times(times)
        }
        Kind::Throttled => fault(FaultAction::RefuseAs(throttled)).percent(30),
        Kind::InternalError => fault(FaultAction::RefuseAs(internal_error)).percent(10),
        Kind::Unavailable => fault(FaultAction::RefuseAs(unavailable)).percent(10),
        Kind::ExpiredCredentials => {
            fault(FaultAction::RefuseAs(expired)).after(CALLS_BEFORE_OUTAGE)
        }
        Kind::ShortOutage => fault(FaultAction::DropRequest)
            .after(CALLS_BEFORE_OUTAGE)
            .lasting(SHORT_OUTAGE),
        Kind::LongOutage => fault(FaultAction::DropRequest).after(CALLS_BEFORE_OUTAGE),
        Kind::ReadLag(reads) => {
            proxy.read_lag(reads);
            return command;
        }
        Kind::Killed => return command.kill_after_operation(&case.operation),
    };
    proxy.fault(fault);
    if case.kind == Kind::Stalled {
        return command.env("HEELER_EC_TEST_ATTEMPT_SECONDS", "3");
    }
    command
}

/// Texts of which a message must contain one to name the cause of a failure, in lower case.
pub fn cause_words(case: &Case) -> &'static [&'static str] {
    const CONNECTION: &[&str] = &[
        "connection",
        "no answer",
        "no response",
        "not respond",
        "not answer",
        "timed out",
        "timeout",
        "network",
        "cut off",
        "incomplete",
    ];
    match case.kind {
        Kind::RefusedOnce | Kind::RefusedFiveTimes | Kind::RefusedAlways => &[
            "accessdenied",
            "authorizationerror",
            "not authorized",
            "access denied",
            "403",
        ],
        Kind::Empty | Kind::Html => &[
            "empty",
            "html",
            "not an answer",
            "not a response",
            "body",
            "proxy",
        ],
        Kind::Throttled => &["throttl", "rate exceeded", "slowdown", "toomanyrequests"],
        Kind::InternalError => &["internal"],
        Kind::Unavailable => &["unavailable"],
        Kind::ExpiredCredentials => &["expired"],
        Kind::ReadLag(_) => &["not visible", "still", "yet", "does not exist", "cause:"],
        Kind::Killed => &[],
        _ => CONNECTION,
    }
}

/// Returns true if a check that failed explains the fault: AWS answered, but refused.
pub fn is_refusal(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::RefusedOnce | Kind::RefusedFiveTimes | Kind::RefusedAlways
    )
}

fn content_type(service: &str) -> &'static str {
    match service {
        "s3" => "application/xml",
        "iam" | "sns" | "sts" => "text/xml",
        "account" | "lambda" => "application/json",
        "sqs" => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    }
}

fn access_denied(call: &Call) -> (u16, &'static str, &'static str) {
    // An explicit deny is final. KMS may need minutes for a missing permission that depends on tags.
    let message = "User: arn:aws:iam::111122223333:user/operator is not authorized to perform this operation with an \
                   explicit deny in an identity-based policy";
    match call.service.as_str() {
        "iam" | "sts" => (403, "AccessDenied", message),
        "s3" => (403, "AccessDenied", "Access Denied"),
        "sns" => (403, "AuthorizationError", message),
        "sqs" => (403, "AccessDenied", message),
        "account" | "lambda" => (403, "AccessDeniedException", message),
        _ => (400, "AccessDeniedException", message),
    }
}

fn throttled(call: &Call) -> (u16, &'static str, &'static str) {
    let (status, code) = throttling(&call.service);
    (status, code, "Rate exceeded")
}

fn internal_error(call: &Call) -> (u16, &'static str, &'static str) {
    let code = match call.service.as_str() {
        "iam" => "ServiceFailure",
        "s3" | "sns" => "InternalError",
        "kms" => "KMSInternalException",
        "lambda" => "ServiceException",
        _ => "InternalFailure",
    };
    (500, code, "An internal error occurred.")
}

fn unavailable(call: &Call) -> (u16, &'static str, &'static str) {
    let code = match call.service.as_str() {
        "logs" => "ServiceUnavailableException",
        _ => "ServiceUnavailable",
    };
    (503, code, "The service is unavailable.")
}

fn expired(call: &Call) -> (u16, &'static str, &'static str) {
    let message = "The security token included in the request is expired";
    match call.service.as_str() {
        "iam" | "sns" | "sts" => (403, "ExpiredToken", message),
        "s3" => (400, "ExpiredToken", "The provided token has expired."),
        "account" | "lambda" => (403, "ExpiredTokenException", message),
        _ => (400, "ExpiredTokenException", message),
    }
}
