//! Clients with canned responses, for unit tests. Requests and responses pass through the real serializers of the SDK.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;

use super::{Aws, call_timeouts, max_attempts};

/// A response of AWS: the HTTP status and the body.
pub(crate) struct CannedResponse(u16, String);

impl CannedResponse {
    pub fn ok(body: impl Into<String>) -> Self {
        Self(200, body.into())
    }

    /// An error of a service with a JSON protocol.
    pub fn json_error(code: &str, message: &str) -> Self {
        let body = serde_json::json!({ "__type": code, "message": message });
        Self(400, body.to_string())
    }

    /// An error of a service with the query protocol, such as IAM and SNS.
    pub fn xml_error(code: &str, message: &str) -> Self {
        let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let body = format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>");
        Self(400, body)
    }
}

/// The requests that clients sent, each as its operation and its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct SentRequests(Arc<Mutex<Vec<(String, String)>>>);

impl SentRequests {
    pub fn operations(&self) -> Vec<String> {
        let sent = self.0.lock().unwrap();
        sent.iter()
            .map(|(operation, _)| operation.clone())
            .collect()
    }

    /// The bodies of all requests of an operation.
    pub fn bodies(&self, operation: &str) -> Vec<String> {
        let sent = self.0.lock().unwrap();
        let found = sent.iter().filter(|(name, _)| name == operation);
        found.map(|(_, body)| body.clone()).collect()
    }

    /// The body of the first request of an operation.
    pub fn body(&self, operation: &str) -> String {
        let first = self.bodies(operation).into_iter().next();
        first.unwrap_or_default()
    }
}

/// The status and body of a response.
type StatusAndBody = (u16, String);

/// Computes the response to a call from its operation, its query string and its body.
type Responder = dyn Fn(&str, &str, &str) -> CannedResponse + Send + Sync;

/// A service in memory.
struct FakeConnector(Arc<Responder>);

impl std::fmt::Debug for FakeConnector {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("FakeConnector")
    }
}

impl HttpConnector for FakeConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let query = request.uri().split_once('?').map_or("", |(_, query)| query);
        let CannedResponse(status, text) = (self.0)(&operation_of(&request, &body), query, &body);
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(text))))
    }
}

#[derive(Debug)]
struct CannedConnector {
    /// The remaining responses of each operation.
    responses: Mutex<Vec<(&'static str, VecDeque<StatusAndBody>)>>,
    sent: SentRequests,
}

impl HttpConnector for CannedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let operation = operation_of(&request, &body);
        let mut responses = self.responses.lock().unwrap();
        let response = responses
            .iter_mut()
            .find(|(name, _)| *name == operation)
            .and_then(|(_, responses)| responses.pop_front());
        let (status, text) =
            response.unwrap_or_else(|| panic!("unexpected call {operation}: {body}"));
        self.sent.0.lock().unwrap().push((operation, body));
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(text))))
    }
}

/// The operation of a request. REST protocols have none, so theirs is the method with the path.
fn operation_of(request: &HttpRequest, body: &str) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or(target).to_owned();
    }
    let action = body
        .strip_prefix("Action=")
        .and_then(|rest| rest.split('&').next());
    action.map_or_else(
        || {
            let path = request.uri().split("amazonaws.com").nth(1);
            let path = path.and_then(|path| path.split('?').next());
            format!("{} {}", request.method(), path.unwrap_or_default())
        },
        str::to_owned,
    )
}

/// A service that accepts every connection and never answers.
#[derive(Debug)]
struct SilentConnector;

impl HttpConnector for SilentConnector {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

/// The configuration of clients with this connector.
fn sdk_config_builder(connector: SharedHttpConnector) -> aws_types::sdk_config::Builder {
    let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |_, _| connector.clone()))
}

impl Aws {
    /// Clients of services that never answer, with the time limits and retries of the program.
    pub(crate) fn silent() -> Self {
        let connector = SharedHttpConnector::new(SilentConnector);
        let config = sdk_config_builder(connector)
            .retry_config(RetryConfig::standard().with_max_attempts(max_attempts()))
            .timeout_config(call_timeouts());
        Self::with_sdk_config(config.build())
    }

    /// Clients that return these responses. Responses of one operation are used in order; any other call panics.
    pub(crate) fn canned(responses: Vec<(&'static str, CannedResponse)>) -> (Self, SentRequests) {
        let mut by_operation: Vec<(&'static str, VecDeque<(u16, String)>)> = Vec::new();
        for (operation, CannedResponse(status, body)) in responses {
            match by_operation.iter_mut().find(|(name, _)| *name == operation) {
                Some((_, queue)) => queue.push_back((status, body)),
                None => by_operation.push((operation, VecDeque::from([(status, body)]))),
            }
        }
        let sent = SentRequests::default();
        let connector = SharedHttpConnector::new(CannedConnector {
            responses: Mutex::new(by_operation),
            sent: sent.clone(),
        });
        let config = sdk_config_builder(connector).retry_config(RetryConfig::disabled());
        (Self::with_sdk_config(config.build()), sent)
    }

    /// Clients whose calls are answered by a function of the operation, the query string and the body.
    pub(crate) fn answered_by(
        responder: impl Fn(&str, &str, &str) -> CannedResponse + Send + Sync + 'static,
    ) -> Self {
        let connector = SharedHttpConnector::new(FakeConnector(Arc::new(responder)));
        let config = sdk_config_builder(connector).retry_config(RetryConfig::disabled());
        Self::with_sdk_config(config.build())
    }
}
