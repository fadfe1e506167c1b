//! Error codes: each one that the program compares, or that a test injects, is one that AWS's models or documents name.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;
use testkit::strict;

use crate::source;

/// Codes that the models do not have, with the HTTP status and the reason.
const UNMODELLED: &[(&str, u16, &str)] = &[
    ("AccessDenied", 403, "common error of IAM, S3, SQS and STS"),
    (
        "AccessDeniedException",
        400,
        "common error of JSON services",
    ),
    (
        "AccessDeniedException",
        403,
        "common error of REST services",
    ),
    ("AuthorizationError", 403, "common error of SNS"),
    ("ExpiredToken", 403, "common error of IAM, SNS and STS"),
    ("MissingParameter", 400, "common error of SQS"),
    ("SignatureDoesNotMatch", 403, "common error of all services"),
    ("ThrottlingException", 400, "common error of JSON services"),
    (
        "AWS.SimpleQueueService.NonExistentQueue",
        400,
        "SQS, query protocol",
    ),
    (
        "AWS.SimpleQueueService.BatchRequestTooLong",
        400,
        "SQS, query protocol",
    ),
    ("NoSuchEntityException", 404, "name of the shape in the SDK"),
    ("InvalidArgument", 400, "S3, list of error codes"),
    ("NoSuchBucketPolicy", 404, "S3, list of error codes"),
    (
        "ServerSideEncryptionConfigurationNotFoundError",
        404,
        "S3, list of error codes",
    ),
    (
        "OwnershipControlsNotFoundError",
        404,
        "S3, list of error codes",
    ),
    (
        "NoSuchLifecycleConfiguration",
        404,
        "S3, list of error codes",
    ),
];

/// Prefixes that SQS adds to the codes of its query protocol, and to those of KMS.
const PREFIXES: &[&str] = &["AWS.SimpleQueueService.", "KMS."];

/// The modelled codes of all operations, with the HTTP status.
fn modelled_codes() -> BTreeSet<(String, u16)> {
    let models = strict::models();
    let unmodelled = UNMODELLED
        .iter()
        .map(|(code, status, _)| ((*code).to_owned(), *status));
    models.error_codes().chain(unmodelled).collect()
}

/// The code, and the code without the prefix of SQS.
fn forms(code: &str) -> impl Iterator<Item = &str> {
    let stripped = PREFIXES
        .iter()
        .filter_map(move |prefix| code.strip_prefix(prefix));
    std::iter::once(code).chain(stripped)
}

#[test]
fn program_compares_only_codes_of_aws() {
    let known: BTreeSet<String> = modelled_codes().into_iter().map(|(code, _)| code).collect();
    let compared = Regex::new(r#"has_code\(\s*"([^"]+)""#).expect("an expression");
    let listed = Regex::new(r#""([A-Z][A-Za-z.]+)""#).expect("an expression");
    let mut found = BTreeMap::new();
    for (path, text) in source::files("src", ".rs") {
        if path.contains("tests") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let is_list = path == "src/aws/not_found.rs";
        let expression = if is_list { &listed } else { &compared };
        for captures in expression.captures_iter(code) {
            found.insert(captures[1].to_owned(), path.clone());
        }
    }
    assert!(found.len() > 20, "the codes are not found: {found:?}");
    found.retain(|code, _| !forms(code).any(|code| known.contains(code)));
    assert!(found.is_empty(), "codes that AWS does not have: {found:?}");
}

#[test]
fn tests_inject_only_codes_of_aws() {
    let known = modelled_codes();
    let refusal =
        Regex::new(r#"FaultAction::refuse\(\s*(\d+),\s*"([^"]+)""#).expect("an expression");
    let mut count = 0;
    let mut unknown = BTreeSet::new();
    for (path, text) in source::files("tests", ".rs") {
        for captures in refusal.captures_iter(&text) {
            count += 1;
            let status: u16 = captures[1].parse().expect("a status");
            if !forms(&captures[2]).any(|code| known.contains(&(code.to_owned(), status))) {
                unknown.insert(format!("{path}: {} {status}", &captures[2]));
            }
        }
    }
    assert!(count > 30, "the refusals are not found: {count}");
    assert!(unknown.is_empty(), "{unknown:#?}");
}
