//! The AWS wire protocols: finds the operation of a request, and writes error responses.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Uri};

/// The service, operation, region and caller of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The signing name of the service, such as `sqs`.
    pub service: String,
    /// The operation under its current API name.
    pub operation: String,
    /// The region that the request was signed for.
    pub region: String,
    /// The access key that signed the request.
    pub access_key: String,
}

/// Identifies a request from its signature, target, path and body.
pub fn parse_request(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Request {
    let mut request = Request::default();
    if let Some((access_key, region, service)) = scope(headers) {
        request.access_key = access_key;
        request.region = region;
        request.service = service;
    }
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .and_then(|target| target.rsplit('.').next());
    request.operation = if let Some(target) = target {
        target.to_owned()
    } else if let Some(operation) = rpc_operation(uri.path()) {
        operation.to_owned()
    } else if request.service == "s3" {
        s3_operation(method, uri.path(), uri.query().unwrap_or_default()).to_owned()
    } else if let Some(operation) = rest_operation(&request.service, method, uri.path()) {
        operation.to_owned()
    } else if let Some(action) = field(body, "Action") {
        action
    } else {
        format!("{method} {}", uri.path())
    };
    request
}

/// The operation in a path of the protocol RPC v2 CBOR, such as `/service/NAME/operation/GetMetricData`.
fn rpc_operation(path: &str) -> Option<&str> {
    let (service, operation) = path.strip_prefix("/service/")?.split_once("/operation/")?;
    (!service.contains('/') && !operation.contains('/')).then_some(operation)
}

/// Operations of REST services: service, method, path and name. `*` stands for a name in the path.
const REST: &[(&str, &str, &str, &str)] = &[
    ("account", "POST", "/listRegions", "ListRegions"),
    (
        "account",
        "POST",
        "/getRegionOptStatus",
        "GetRegionOptStatus",
    ),
    ("account", "POST", "/enableRegion", "EnableRegion"),
    ("account", "POST", "/disableRegion", "DisableRegion"),
    (
        "lambda",
        "GET",
        "/2016-08-19/account-settings",
        "GetAccountSettings",
    ),
    ("lambda", "GET", "/2015-03-31/functions", "ListFunctions"),
    ("lambda", "POST", "/2015-03-31/functions", "CreateFunction"),
    ("lambda", "GET", "/2015-03-31/functions/*", "GetFunction"),
    (
        "lambda",
        "DELETE",
        "/2015-03-31/functions/*",
        "DeleteFunction",
    ),
    (
        "lambda",
        "PUT",
        "/2015-03-31/functions/*/code",
        "UpdateFunctionCode",
    ),
    (
        "lambda",
        "GET",
        "/2015-03-31/functions/*/configuration",
        "GetFunctionConfiguration",
    ),
    (
        "lambda",
        "PUT",
        "/2015-03-31/functions/*/configuration",
        "UpdateFunctionConfiguration",
    ),
    (
        "lambda",
        "POST",
        "/2015-03-31/functions/*/invocations",
        "Invoke",
    ),
    (
        "lambda",
        "POST",
        "/2015-03-31/functions/*/versions",
        "PublishVersion",
    ),
    (
        "lambda",
        "GET",
        "/2015-03-31/functions/*/versions",
        "ListVersionsByFunction",
    ),
    (
        "lambda",
        "GET",
        "/2015-03-31/functions/*/policy",
        "GetPolicy",
    ),
    (
        "lambda",
        "POST",
        "/2015-03-31/functions/*/policy",
        "AddPermission",
    ),
    (
        "lambda",
        "DELETE",
        "/2015-03-31/functions/*/policy/*",
        "RemovePermission",
    ),
    (
        "lambda",
        "GET",
        "/2019-09-30/functions/*/concurrency",
        "GetFunctionConcurrency",
    ),
    (
        "lambda",
        "PUT",
        "/2017-10-31/functions/*/concurrency",
        "PutFunctionConcurrency",
    ),
    (
        "lambda",
        "DELETE",
        "/2017-10-31/functions/*/concurrency",
        "DeleteFunctionConcurrency",
    ),
    ("lambda", "GET", "/2017-03-31/tags/*", "ListTags"),
    ("lambda", "POST", "/2017-03-31/tags/*", "TagResource"),
    ("lambda", "DELETE", "/2017-03-31/tags/*", "UntagResource"),
];

fn rest_operation(service: &str, method: &Method, path: &str) -> Option<&'static str> {
    // Some SDKs end Lambda's paths with a slash.
    let path: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |pattern: &str| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        pattern.len() == path.len()
            && pattern
                .iter()
                .zip(&path)
                .all(|(wanted, part)| wanted == part || *wanted == "*")
    };
    REST.iter()
        .find(|(of, by, pattern, _)| *of == service && method == *by && fits(pattern))
        .map(|(.., operation)| *operation)
}

/// The access key, region and service of `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn scope(headers: &HeaderMap) -> Option<(String, String, String)> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let credential = header.split("Credential=").nth(1)?.split(',').next()?;
    let mut parts = credential.split('/');
    let access_key = parts.next()?;
    let region = parts.nth(1)?;
    let service = parts.next()?;
    Some((access_key.to_owned(), region.to_owned(), service.to_owned()))
}

/// The value of a form field.
fn field(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// The operation of a path-style S3 request.
#[expect(
    clippy::too_many_lines,
    clippy::items_after_statements,
    reason = "a table of operations, next to the rules that use it"
)]
fn s3_operation(method: &Method, path: &str, query: &str) -> &'static str {
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path.trim_start_matches('/'), ""));
    let has_parameter = |name: &str| {
        query
            .split('&')
            .any(|pair| pair.split('=').next() == Some(name))
    };
    if bucket.is_empty() {
        return "ListBuckets";
    }
    if !key.is_empty() {
        return match *method {
            Method::GET if has_parameter("tagging") => "GetObjectTagging",
            Method::GET if has_parameter("acl") => "GetObjectAcl",
            Method::GET => "GetObject",
            Method::HEAD => "HeadObject",
            Method::PUT if has_parameter("partNumber") => "UploadPart",
            Method::PUT => "PutObject",
            Method::DELETE if has_parameter("uploadId") => "AbortMultipartUpload",
            Method::DELETE => "DeleteObject",
            Method::POST if has_parameter("uploads") => "CreateMultipartUpload",
            Method::POST => "CompleteMultipartUpload",
            _ => "Unknown",
        };
    }
    // The subresource, and the operations that read, write and delete it.
    const SUBRESOURCES: [(&str, &str, &str, &str); 14] = [
        (
            "notification",
            "GetBucketNotificationConfiguration",
            "PutBucketNotificationConfiguration",
            "",
        ),
        ("location", "GetBucketLocation", "", ""),
        (
            "encryption",
            "GetBucketEncryption",
            "PutBucketEncryption",
            "DeleteBucketEncryption",
        ),
        ("policyStatus", "GetBucketPolicyStatus", "", ""),
        (
            "requestPayment",
            "GetBucketRequestPayment",
            "PutBucketRequestPayment",
            "",
        ),
        (
            "policy",
            "GetBucketPolicy",
            "PutBucketPolicy",
            "DeleteBucketPolicy",
        ),
        ("acl", "GetBucketAcl", "PutBucketAcl", ""),
        (
            "ownershipControls",
            "GetBucketOwnershipControls",
            "PutBucketOwnershipControls",
            "DeleteBucketOwnershipControls",
        ),
        (
            "tagging",
            "GetBucketTagging",
            "PutBucketTagging",
            "DeleteBucketTagging",
        ),
        (
            "versioning",
            "GetBucketVersioning",
            "PutBucketVersioning",
            "",
        ),
        ("versions", "ListObjectVersions", "", ""),
        (
            "publicAccessBlock",
            "GetPublicAccessBlock",
            "PutPublicAccessBlock",
            "DeletePublicAccessBlock",
        ),
        (
            "lifecycle",
            "GetBucketLifecycleConfiguration",
            "PutBucketLifecycleConfiguration",
            "DeleteBucketLifecycle",
        ),
        (
            "object-lock",
            "GetObjectLockConfiguration",
            "PutObjectLockConfiguration",
            "",
        ),
    ];
    if let Some((_, read, write, delete)) =
        SUBRESOURCES.iter().find(|(part, ..)| has_parameter(part))
    {
        return match *method {
            Method::GET => read,
            Method::PUT => write,
            Method::DELETE => delete,
            _ => "Unknown",
        };
    }
    match *method {
        Method::HEAD => "HeadBucket",
        Method::GET if has_parameter("list-type") => "ListObjectsV2",
        Method::GET => "ListObjects",
        Method::PUT => "CreateBucket",
        Method::DELETE => "DeleteBucket",
        Method::POST if has_parameter("delete") => "DeleteObjects",
        _ => "Unknown",
    }
}

/// An HTTP response.
#[derive(Clone, Debug)]
pub struct WireResponse {
    /// The HTTP status.
    pub status: u16,
    /// All headers except `content-length`.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Writes the error response of a service in its protocol.
///
/// `code` is the value of the SDK's `code()`. For SQS that is the legacy code, such as
/// `AWS.SimpleQueueService.QueueDeletedRecently`.
pub fn error_response(
    service: &str,
    method: &Method,
    status: u16,
    code: &str,
    message: &str,
) -> WireResponse {
    let id = uuid::Uuid::new_v4().to_string();
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        let value = HeaderValue::from_str(value).expect("a header of visible characters");
        headers.insert(HeaderName::from_static(name), value);
    };
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let body = match service {
        "s3" => {
            set("content-type", "application/xml");
            set("x-amz-request-id", &id);
            set("x-amz-id-2", &id);
            if method == Method::HEAD {
                String::new()
            } else {
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message>\
                     <RequestId>{id}</RequestId><HostId>{id}</HostId></Error>",
                    escaped(code),
                    escaped(message)
                )
            }
        }
        "sqs" => {
            set("content-type", "application/x-amz-json-1.0");
            set("x-amzn-requestid", &id);
            set("x-amzn-query-error", &format!("{code};{fault}"));
            let shape = format!("com.amazonaws.sqs#{}", sqs_shape(code));
            serde_json::json!({"__type": shape, "message": message}).to_string()
        }
        "iam" | "sns" | "sts" | "" => {
            set("content-type", "text/xml");
            set("x-amzn-requestid", &id);
            format!(
                "<ErrorResponse xmlns=\"{}\">\n  <Error>\n    <Type>{fault}</Type>\n    <Code>{}</Code>\n    \
                 <Message>{}</Message>\n  </Error>\n  <RequestId>{id}</RequestId>\n</ErrorResponse>\n",
                namespace(service),
                escaped(code),
                escaped(message)
            )
        }
        "lambda" => {
            set("content-type", "application/json");
            set("x-amzn-requestid", &id);
            set("x-amzn-errortype", code);
            serde_json::json!({"Type": "User", "Message": message}).to_string()
        }
        "monitoring" => {
            set("content-type", "application/cbor");
            set("smithy-protocol", "rpc-v2-cbor");
            set("x-amzn-requestid", &id);
            let error = serde_json::json!({"__type": format!("com.amazonaws.cloudwatch#{code}"), "message": message});
            return WireResponse {
                status,
                headers,
                body: Bytes::from(cbor(&error)),
            };
        }
        "account" => {
            set("content-type", "application/json");
            set("x-amzn-requestid", &id);
            set("x-amzn-errortype", code);
            serde_json::json!({"message": message}).to_string()
        }
        _ => {
            set("content-type", "application/x-amz-json-1.1");
            set("x-amzn-requestid", &id);
            serde_json::json!({"__type": code, "message": message}).to_string()
        }
    };
    WireResponse {
        status,
        headers,
        body: Bytes::from(body),
    }
}

/// Writes a value as CBOR.
fn cbor(value: &serde_json::Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("memory can be written");
    bytes
}

fn namespace(service: &str) -> &'static str {
    match service {
        "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        "sns" => "http://sns.amazonaws.com/doc/2010-03-31/",
        _ => "https://sts.amazonaws.com/doc/2011-06-15/",
    }
}

/// The JSON error shape of a legacy SQS code.
fn sqs_shape(code: &str) -> &str {
    match code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code) {
        "NonExistentQueue" => "QueueDoesNotExist",
        "QueueAlreadyExists" => "QueueNameExists",
        shape => shape,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
