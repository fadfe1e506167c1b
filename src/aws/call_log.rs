//! Reports the start and the end of each call to a listener, without bodies, headers or credentials.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::{ConfigBag, Layer, Storable, StoreReplace};
use aws_smithy_types::date_time::Format;
use aws_types::region::Region;
use aws_types::request_id::RequestId;

/// A finished call to AWS.
#[derive(Clone, Debug)]
pub struct AwsCall {
    /// The service as in IAM actions, such as `sqs`.
    pub service: String,
    pub operation: String,
    pub region: Option<String>,
    /// The HTTP status; `None` without a response.
    pub status: Option<u16>,
    /// The error code of AWS, such as `AccessDenied`.
    pub error_code: Option<String>,
    pub request_id: Option<String>,
    /// The second request ID of S3 (`x-amz-id-2`).
    pub extended_request_id: Option<String>,
    /// The number of attempts, with the first one.
    pub attempts: u32,
    pub duration: Duration,
    pub finished_at: SystemTime,
    /// The time of AWS in the response, in whole seconds.
    pub server_time: Option<SystemTime>,
}

/// The start or the end of a call, which includes its retries.
#[derive(Clone, Debug)]
pub enum CallEvent {
    /// The call as in IAM actions, such as `sqs:GetQueueUrl`.
    Started(String),
    Finished(AwsCall),
}

pub type CallListener = dyn Fn(CallEvent) + Send + Sync;

pub(super) struct CallObserver(pub Arc<CallListener>);

impl fmt::Debug for CallObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallObserver")
    }
}

#[derive(Debug)]
struct CallStart(Instant);

impl Storable for CallStart {
    type Storer = StoreReplace<Self>;
}

impl Intercept for CallObserver {
    fn name(&self) -> &'static str {
        "CallObserver"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut layer = Layer::new("CallObserver");
        layer.store_put(CallStart(Instant::now()));
        bag.push_layer(layer);
        Ok(())
    }

    // Before the execution, the name of the operation is not known yet.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) = names(bag);
        (self.0)(CallEvent::Started(format!("{service}:{operation}")));
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (service, operation) = names(bag);
        let response = context.response();
        let header = |name: &str| {
            let value = response.and_then(|response| response.headers().get(name));
            value.map(str::to_owned)
        };
        (self.0)(CallEvent::Finished(AwsCall {
            service,
            operation,
            region: bag.load::<Region>().map(ToString::to_string),
            status: response.map(|response| response.status().as_u16()),
            error_code: response.and_then(error_code),
            request_id: response
                .and_then(|response| response.headers().request_id().map(str::to_owned)),
            extended_request_id: header("x-amz-id-2"),
            attempts: bag
                .load::<RequestAttempts>()
                .map_or(0, RequestAttempts::attempts),
            duration: bag
                .load::<CallStart>()
                .map_or(Duration::ZERO, |since| since.0.elapsed()),
            finished_at: SystemTime::now(),
            server_time: header("date")
                .and_then(|date| DateTime::from_str(&date, Format::HttpDate).ok())
                .and_then(|date| SystemTime::try_from(date).ok()),
        }));
        Ok(())
    }
}

/// Returns the service and the operation of a call.
fn names(bag: &ConfigBag) -> (String, String) {
    let metadata = bag.load::<Metadata>();
    (
        metadata.map_or_else(String::new, |m| action_prefix(m.service())),
        metadata.map_or_else(String::new, |m| m.name().to_owned()),
    )
}

/// Returns the service of an IAM action for a service ID of the SDK.
fn action_prefix(service_id: &str) -> String {
    match service_id {
        "CloudWatch Logs" => "logs".to_owned(),
        id => id.to_ascii_lowercase(),
    }
}

/// Returns the error code of a response that is no success. The SDK has replaced the body by its bytes.
fn error_code(response: &HttpResponse) -> Option<String> {
    if response.status().is_success() {
        return None;
    }
    let header = response.headers().get("x-amzn-errortype");
    let body = response.body().bytes().unwrap_or_default();
    let code = header
        .map(str::to_owned)
        .or_else(|| body_error_code(body))?;
    // `namespace#Code` and `Code:address` are forms of the AWS JSON protocols.
    let code = code.rsplit('#').next().unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default();
    (!code.is_empty()).then(|| code.to_owned())
}

/// Returns the error code in the body of a response: the member `__type` or `code` of JSON, `__type` of CBOR, or the
/// element `Code` of XML.
fn body_error_code(body: &[u8]) -> Option<String> {
    if let Ok(document) = serde_json::from_slice::<serde_json::Value>(body) {
        let code = document.get("__type").or_else(|| document.get("code"))?;
        return code.as_str().map(str::to_owned);
    }
    if let Some(at) = find(body, CBOR_TYPE_KEY) {
        return cbor_text(&body[at + CBOR_TYPE_KEY.len()..]);
    }
    let start = find(body, b"<Code>")? + b"<Code>".len();
    let length = find(&body[start..], b"</Code>")?;
    let code = std::str::from_utf8(&body[start..start + length]).ok()?;
    Some(code.to_owned())
}

/// The text `__type` in CBOR: major type 3 with the length 6.
const CBOR_TYPE_KEY: &[u8] = b"\x66__type";

/// Reads a CBOR text of less than 256 bytes. Source: RFC 8949, section 3.
fn cbor_text(bytes: &[u8]) -> Option<String> {
    let (length, text) = match bytes {
        [first @ 0x60..=0x77, text @ ..] => (first & 0x1f, text),
        [0x78, length, text @ ..] => (*length, text),
        _ => return None,
    };
    let text = text.get(..usize::from(length))?;
    std::str::from_utf8(text).ok().map(str::to_owned)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(wanted.len());
    windows.position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn code(status: u16, header: Option<&'static str>, body: &'static [u8]) -> Option<String> {
        let status = StatusCode::try_from(status).expect("a status");
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        if let Some(header) = header {
            response.headers_mut().insert("x-amzn-errortype", header);
        }
        error_code(&response)
    }

    #[test]
    fn error_code_of_every_protocol_is_read() {
        let xml = b"<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code></Error></ErrorResponse>";
        let json = br#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}"#;
        let cbor = b"\xbf\x66__type\x78\x1acom.amazonaws#AccessDenied\x67message\x62no\xff";
        let short = b"\xa1\x66__type\x6cAccessDenied";
        for (header, body, expected) in [
            (None, &xml[..], Some("NoSuchEntity")),
            (None, &json[..], Some("QueueDoesNotExist")),
            (None, &cbor[..], Some("AccessDenied")),
            (None, &short[..], Some("AccessDenied")),
            (
                Some("ResourceNotFoundException:http://internal.amazon.com/"),
                &b"{}"[..],
                Some("ResourceNotFoundException"),
            ),
            (None, &b""[..], None),
            (None, &b"<html>proxy</html>"[..], None),
            (None, &b"\xa1\x66__type\x78\xff"[..], None),
        ] {
            assert_eq!(code(400, header, body).as_deref(), expected);
        }
        assert_eq!(code(200, None, json), None);
    }
}
