//! Rejects successful responses that no AWS service sends: without a body, or with the page of a proxy.
//!
//! The SDK reads an empty body as an output without members, so that "there is none" and "something between here and AWS
//! has answered" would look alike.

use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::config_bag::ConfigBag;

/// Operations whose output has no members. AWS responds to them with no body, or with an empty document.
const WITHOUT_OUTPUT: &[&str] = &[
    "AttachRolePolicy",
    "ChangeMessageVisibility",
    "CreateAlias",
    "DeleteAlias",
    "DeleteFunction",
    "DeleteFunctionConcurrency",
    "DeleteLogGroup",
    "DeleteMessage",
    "DeletePolicy",
    "DeletePolicyVersion",
    "DeleteQueue",
    "DeleteRole",
    "DeleteSubscriptionFilter",
    "DeleteTopic",
    "DetachRolePolicy",
    "DisableKey",
    "DisableKeyRotation",
    "EnableKey",
    "EnableKeyRotation",
    "HeadBucket",
    "HeadObject",
    "PutBucketNotificationConfiguration",
    "PutKeyPolicy",
    "PutRetentionPolicy",
    "PutSubscriptionFilter",
    "RemovePermission",
    "RevokeGrant",
    "SetQueueAttributes",
    "SetSubscriptionAttributes",
    "SetTopicAttributes",
    "StartLogging",
    "TagPolicy",
    "TagQueue",
    "TagResource",
    "TagRole",
    "Unsubscribe",
    "UntagRole",
    "UpdateAlias",
    "UpdateAssumeRolePolicy",
    "UpdateKeyDescription",
    "UpdateRole",
];
/// Operations whose body is the content itself, as a stream.
const WITH_RAW_BODY: &[&str] = &["GetObject"];

/// A successful response that did not come from AWS.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UnexpectedBody {
    Empty,
    OtherFormat,
}

impl fmt::Display for UnexpectedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the response is empty",
            Self::OtherFormat => "the response is not in the format of AWS",
        })
    }
}

impl std::error::Error for UnexpectedBody {}

/// Returns the reason why a body cannot be the successful response of an operation.
fn find_unexpected_body(operation: &str, body: &[u8]) -> Option<UnexpectedBody> {
    let has_output = !WITHOUT_OUTPUT.contains(&operation);
    let text = body.trim_ascii_start();
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    if text.is_empty() {
        return has_output.then_some(UnexpectedBody::Empty);
    }
    // The protocol RPC v2 CBOR, which CloudWatch uses, sends a CBOR map (major type 5).
    // Source: <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>.
    if text.first().is_some_and(|byte| byte >> 5 == 5) {
        return None;
    }
    let start = String::from_utf8_lossy(&text[..text.len().min(15)]).to_ascii_lowercase();
    let is_html = start.starts_with("<!doctype") || start.starts_with("<html");
    let is_of_protocol = start.starts_with(['{', '<']) || !has_output;
    (is_html || !is_of_protocol).then_some(UnexpectedBody::OtherFormat)
}

/// Returns the reason why a response with these headers cannot contain an object. S3 returns the `ETag` of each object.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_ResponseElements>.
fn find_unexpected_object(headers: &Headers) -> Option<UnexpectedBody> {
    match (headers.get("etag"), headers.get("content-length")) {
        (Some(_), _) => None,
        (None, Some("0")) => Some(UnexpectedBody::Empty),
        (None, _) => Some(UnexpectedBody::OtherFormat),
    }
}

/// Checks the body of each successful response, and has the call repeated if it did not come from AWS.
#[derive(Debug)]
pub(super) struct ResponseBodyCheck;

impl Intercept for ResponseBodyCheck {
    fn name(&self) -> &'static str {
        "ResponseBodyCheck"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let operation = bag
            .load::<Metadata>()
            .map_or("", |metadata| metadata.name());
        if !response.status().is_success() {
            return Ok(());
        }
        let unexpected = if WITH_RAW_BODY.contains(&operation) {
            find_unexpected_object(response.headers())
        } else {
            let body = response.body().bytes();
            body.and_then(|body| find_unexpected_body(operation, body))
        };
        unexpected.map_or(Ok(()), |unexpected| Err(unexpected.into()))
    }
}

impl ClassifyRetry for ResponseBodyCheck {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if error.is_interceptor_error() => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "ResponseBodyCheck"
    }
}

#[cfg(test)]
mod tests {
    use super::super::Aws;
    use super::super::canned::CannedResponse;
    use super::super::error::AwsResultExt;
    use super::*;

    #[test]
    fn unexpected_bodies_are_found() {
        for (operation, body, found) in [
            ("ListKeys", "", Some(UnexpectedBody::Empty)),
            ("ListKeys", " \n", Some(UnexpectedBody::Empty)),
            ("ListKeys", "{}", None),
            (
                "ListKeys",
                "<!DOCTYPE html><html>",
                Some(UnexpectedBody::OtherFormat),
            ),
            (
                "GetRole",
                "\u{feff}<HTML><body>",
                Some(UnexpectedBody::OtherFormat),
            ),
            ("GetRole", "sign in", Some(UnexpectedBody::OtherFormat)),
            ("GetRole", "<GetRoleResponse/>", None),
            (
                "GetBucketNotificationConfiguration",
                "<NotificationConfiguration/>",
                None,
            ),
            ("EnableKey", "", None),
            ("EnableKey", "<html>", Some(UnexpectedBody::OtherFormat)),
            ("EnableKey", "null", None),
        ] {
            assert_eq!(
                find_unexpected_body(operation, body.as_bytes()),
                found,
                "{operation} {body}"
            );
        }
    }

    #[test]
    fn objects_without_etag_are_unexpected() {
        for (headers, found) in [
            (&[("etag", "\"1\""), ("content-length", "0")][..], None),
            (&[("content-length", "0")], Some(UnexpectedBody::Empty)),
            (
                &[("content-type", "text/html")],
                Some(UnexpectedBody::OtherFormat),
            ),
        ] {
            let mut all = Headers::new();
            for (name, value) in headers {
                all.insert(*name, *value);
            }
            assert_eq!(find_unexpected_object(&all), found, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn empty_and_html_responses_are_errors() {
        for (body, cause) in [
            ("", "the response is empty"),
            (
                "<html>sign in</html>",
                "the response is not in the format of AWS",
            ),
        ] {
            let (aws, _) = Aws::canned(vec![
                ("ListKeys", CannedResponse::ok(body)),
                ("GetQueueUrl", CannedResponse::ok(body)),
                ("GetRole", CannedResponse::ok(body)),
            ]);
            let keys = aws.kms.list_keys().send().await;
            let keys = keys.context_for("kms:ListKeys", || "list the keys".into());
            let queue = aws.sqs.get_queue_url().queue_name("q").send().await;
            let queue = queue.context_for("sqs:GetQueueUrl", || "find the queue".into());
            let role = aws.iam.get_role().role_name("r").send().await;
            let role = role.context_for("iam:GetRole", || "find the role".into());
            let errors = [keys.err(), queue.err(), role.err()];
            for error in errors.map(|error| error.expect("an error")) {
                assert_eq!(error.reason(), cause);
                let hint = error.hint().expect("a hint").to_string();
                assert!(hint.contains("HTTPS_PROXY"), "{hint}");
            }
        }
    }

    #[tokio::test]
    async fn empty_configuration_is_a_valid_response() {
        let empty =
            "<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";
        let (aws, _) = Aws::canned(vec![("ListKeys", CannedResponse::ok("{}"))]);
        assert!(aws.kms.list_keys().send().await.is_ok());
        let body = find_unexpected_body("GetBucketNotificationConfiguration", empty.as_bytes());
        assert_eq!(body, None);
    }
}
