//! Injects the fault of a case, and knows the words with which a message names its cause.

use std::time::Duration;

use testkit::strict::eventual::throttling;
use testkit::{Fault, FaultAction, HeelerEc, Proxy};

use super::case::{Case, Command, Kind};

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
        Kind::RefusedOnce => fault(FaultAction::RefuseAs(|call| denial(&call.service))).times(1),
        Kind::RefusedFiveTimes => {
            fault(FaultAction::RefuseAs(|call| denial(&call.service))).times(5)
        }
        Kind::RefusedAlways => fault(FaultAction::RefuseAs(|call| denial(&call.service))),
        Kind::ResetBefore => fault(FaultAction::DropRequest).times(1),
        Kind::ResetAfter => fault(FaultAction::DropResponse).times(1),
        Kind::Cut => fault(FaultAction::TruncateResponse).times(1),
        Kind::Stalled => fault(FaultAction::NeverRespond).times(1),
        Kind::Empty => fault(respond(content_type(service), "")).times(times),
        Kind::Html => {
            let page = "<html><head><title>Sign in</title></head><body>Sign in to the network</body></html>";
            fault(respond("text/html", page)).times(times)
        }
        Kind::Throttled => fault(FaultAction::RefuseAs(|call| {
            throttling_error(&call.service)
        }))
        .percent(30),
        Kind::InternalError => {
            fault(FaultAction::RefuseAs(|call| failure(&call.service))).percent(10)
        }
        Kind::Unavailable => {
            fault(FaultAction::RefuseAs(|call| unavailability(&call.service))).percent(10)
        }
        Kind::ExpiredCredentials => {
            fault(FaultAction::RefuseAs(|call| expiry(&call.service))).after(CALLS_BEFORE_OUTAGE)
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
        return command.env("HEELER_EC_TEST_ATTEMPT_SECONDS", "8");
    }
    command
}

/// Services of the calls of a case.
fn services(case: &Case) -> Vec<&str> {
    const ALL: [&str; 11] = [
        "account",
        "cloudtrail",
        "iam",
        "kms",
        "lambda",
        "logs",
        "organizations",
        "s3",
        "sns",
        "sqs",
        "sts",
    ];
    match case.operation.split_once(':') {
        Some((service, _)) => vec![service],
        None => ALL.to_vec(),
    }
}

/// Texts of which a message must contain one to name the cause of a failure: AWS's code, or the kind of network fault.
pub fn cause_words(case: &Case) -> Vec<&'static str> {
    const NOT_SHOWN: [&str; 3] = [
        "AWS accepted the call, but did not show the resource",
        "AWS still reports old values",
        "AWS still shows it",
    ];
    let codes = |refuse: fn(&str) -> (u16, &'static str, &'static str)| {
        let services = services(case).into_iter();
        services.map(|service| refuse(service).1).collect()
    };
    match case.kind {
        // A response to HEAD has no code.
        Kind::RefusedOnce | Kind::RefusedFiveTimes | Kind::RefusedAlways
            if case.operation.starts_with("s3:Head") && case.command != Command::Preflight =>
        {
            vec!["403"]
        }
        // Preflight groups the checks that could not run by their missing permission, instead of repeating the code.
        Kind::RefusedOnce | Kind::RefusedFiveTimes | Kind::RefusedAlways
            if case.command == Command::Preflight =>
        {
            let grouped = "could not run, because the caller lacks";
            [codes(denial), vec![grouped]].concat()
        }
        Kind::RefusedOnce | Kind::RefusedFiveTimes | Kind::RefusedAlways => codes(denial),
        // AWS responds to some writes without a body, so only a read shows that one had no effect.
        Kind::Empty if case.writes => [&["the response is empty"], &NOT_SHOWN[..]].concat(),
        Kind::Empty => vec!["the response is empty"],
        Kind::Html => vec!["the response is not in the format of AWS"],
        Kind::Throttled => codes(throttling_error),
        Kind::InternalError => codes(failure),
        Kind::Unavailable => codes(unavailability),
        Kind::ExpiredCredentials => codes(expiry),
        Kind::ReadLag(_) => NOT_SHOWN.to_vec(),
        Kind::Killed => Vec::new(),
        Kind::Cut => vec![
            "end of file before message length reached",
            "connection closed",
        ],
        Kind::Stalled => vec!["timed out"],
        Kind::ResetBefore | Kind::ResetAfter | Kind::ShortOutage | Kind::LongOutage => {
            vec!["connection closed", "connection reset"]
        }
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

fn denial(service: &str) -> (u16, &'static str, &'static str) {
    // An explicit deny is final. KMS may need minutes for a missing permission that depends on tags.
    let message = "User: arn:aws:iam::111122223333:user/operator is not authorized to perform this operation with an \
                   explicit deny in an identity-based policy";
    match service {
        "iam" | "sts" | "sqs" => (403, "AccessDenied", message),
        "s3" => (403, "AccessDenied", "Access Denied"),
        "sns" => (403, "AuthorizationError", message),
        "account" | "lambda" => (403, "AccessDeniedException", message),
        _ => (400, "AccessDeniedException", message),
    }
}

fn throttling_error(service: &str) -> (u16, &'static str, &'static str) {
    let (status, code) = throttling(service);
    (status, code, "Rate exceeded")
}

fn failure(service: &str) -> (u16, &'static str, &'static str) {
    let code = match service {
        "iam" => "ServiceFailure",
        "s3" | "sns" => "InternalError",
        "kms" => "KMSInternalException",
        "lambda" => "ServiceException",
        _ => "InternalFailure",
    };
    (500, code, "An internal error occurred.")
}

fn unavailability(service: &str) -> (u16, &'static str, &'static str) {
    let code = match service {
        "logs" => "ServiceUnavailableException",
        _ => "ServiceUnavailable",
    };
    (503, code, "The service is unavailable.")
}

fn expiry(service: &str) -> (u16, &'static str, &'static str) {
    let message = "The security token included in the request is expired";
    match service {
        "iam" | "sns" | "sts" => (403, "ExpiredToken", message),
        "s3" => (400, "ExpiredToken", "The provided token has expired."),
        "account" | "lambda" => (403, "ExpiredTokenException", message),
        _ => (400, "ExpiredTokenException", message),
    }
}
