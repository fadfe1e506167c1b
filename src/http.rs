//! HTTP clients with the program's proxies and root certificates: one for AWS, and one for webhooks.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
    http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::{Error, Result};

/// Creates one client for all AWS services, so that they share connections and root certificates. It uses the proxy
/// variables, and `AWS_CA_BUNDLE`, which the SDK does not read. Without it, `profile_bundle` is used: the setting
/// `ca_bundle` of the profile.
///
/// # Errors
/// When the certificates cannot be used.
pub fn shared_client(profile_bundle: Option<&Path>) -> Result<SharedHttpClient> {
    let tls = tls_context(profile_bundle)?;
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone())
            .build()
    });
    Ok(http_client_fn(move |settings, components| {
        SharedHttpConnector::new(EndpointConnector(
            client.http_connector(settings, components),
        ))
    }))
}

/// A connector whose errors name the endpoint.
#[derive(Debug)]
struct EndpointConnector(SharedHttpConnector);

impl HttpConnector for EndpointConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut parts = request.uri().splitn(4, '/');
        let (scheme, _, host) = (parts.next(), parts.next(), parts.next());
        let endpoint = format!(
            "{}//{}",
            scheme.unwrap_or_default(),
            host.unwrap_or_default()
        );
        let call = self.0.call(request);
        HttpConnectorFuture::new(async move {
            call.await.map_err(|error| with_endpoint(&error, endpoint))
        })
    }
}

/// A call without a response, because the connection failed.
#[derive(Debug)]
pub struct ConnectionError {
    /// The scheme and host of the request.
    endpoint: String,
    cause: String,
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the connection to {} failed: {}",
            self.endpoint, self.cause
        )
    }
}

impl std::error::Error for ConnectionError {}

/// Adds the endpoint to an error of the same kind, which decides about retries.
fn with_endpoint(error: &ConnectorError, endpoint: String) -> ConnectorError {
    let cause = root_cause(error);
    // Names the errors of the operating system without their numbers.
    let cause = cause
        .split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned();
    let named = Box::new(ConnectionError { endpoint, cause });
    match error.as_other() {
        _ if error.is_timeout() => ConnectorError::timeout(named),
        _ if error.is_user() => ConnectorError::user(named),
        _ if error.is_io() => ConnectorError::io(named),
        kind => ConnectorError::other(named, kind),
    }
}

/// A client for webhooks, with the same proxies and root certificates.
#[derive(Clone, Debug)]
pub struct WebhookClient(SharedHttpConnector);

/// The response of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookResponse {
    pub status: u16,
    /// The value of `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl WebhookClient {
    /// # Errors
    /// When the certificates of `AWS_CA_BUNDLE` cannot be used.
    pub fn new() -> Result<Self> {
        let connector = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls_context(None)?)
            .build();
        Ok(Self(SharedHttpConnector::new(connector)))
    }

    /// Posts JSON. It does not follow redirects.
    ///
    /// # Errors
    /// The reason why there is no response. It never contains the URL, which may be a secret.
    pub async fn post(
        &self,
        url: &str,
        json: String,
    ) -> std::result::Result<WebhookResponse, String> {
        let mut request = HttpRequest::new(SdkBody::from(json));
        request.set_method("POST").map_err(|why| why.to_string())?;
        request
            .set_uri(url)
            .map_err(|_| "the address is not a URL".to_owned())?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json");
        headers.insert(
            "user-agent",
            concat!("heeler-ec/", env!("CARGO_PKG_VERSION")),
        );
        let answer = self.0.call(request).await.map_err(|why| root_cause(&why))?;
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        Ok(WebhookResponse {
            status: answer.status().as_u16(),
            retry_after,
        })
    }
}

/// Returns the message of the innermost cause.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn tls_context(profile_bundle: Option<&Path>) -> Result<TlsContext> {
    let mut trust = TrustStore::default();
    let variable = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
    let bundle = match (&variable, profile_bundle) {
        (Some(path), _) => Some(("AWS_CA_BUNDLE", Path::new(path))),
        (None, Some(path)) => Some(("ca_bundle of the profile", path)),
        (None, None) => None,
    };
    if let Some((setting, path)) = bundle {
        let place = format!("{setting} ({})", path.display());
        let pem = std::fs::read(path).map_err(|why| {
            Error::usage(format!("cannot read the certificates of {place}"))
                .with_reason(why.to_string())
        })?;
        validate_certificates(&pem).map_err(|why| {
            Error::usage(format!("the certificates of {place} are invalid")).with_reason(why)
        })?;
        trust = trust.with_pem_certificate(pem);
    }
    TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|why| Error::failed("set up TLS", why.to_string()))
}

/// Rejects unreadable certificates, because the SDK panics on them.
fn validate_certificates(pem: &[u8]) -> std::result::Result<(), String> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|why| why.to_string())?;
        roots.add(certificate).map_err(|why| why.to_string())?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(())
}
