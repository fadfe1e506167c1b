//! Calls with the name of a canary in their user agent. CloudTrail records the user agent of each call.

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::AppName;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::request_id::RequestId;

use super::Aws;
use super::error::AwsResultExt;
use crate::error::{Error, Result};

/// The identifiers of a call that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SentCall {
    /// The access key that signed the request. CloudTrail's event history can be searched by it.
    pub access_key_id: Option<String>,
    pub request_id: Option<String>,
}

impl Aws {
    /// Sends `GetCallerIdentity` with this application name in the user agent. The call needs no permission, and
    /// `CloudTrail` records it as a read in the region of these clients.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn send_caller_identity_canary(&self, name: &str) -> Result<SentCall> {
        let signer = SignerObserver::default();
        let config = aws_sdk_sts::config::Builder::default().app_name(app_name(name)?);
        let sent = self.sts.get_caller_identity().customize();
        let sent = sent.config_override(config).interceptor(signer.clone());
        let sent = sent.send().await;
        let sent = sent.context_for("sts:GetCallerIdentity", || {
            format!("send the canary in {}", self.region())
        })?;
        Ok(signer.sent_call(sent.request_id()))
    }

    /// Tags a queue, with this application name in the user agent. CloudTrail records the call as a write.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn send_tag_queue_canary(
        &self,
        name: &str,
        queue_url: &str,
        (key, value): (&str, &str),
    ) -> Result<SentCall> {
        let signer = SignerObserver::default();
        let config = aws_sdk_sqs::config::Builder::default().app_name(app_name(name)?);
        let sent = self.sqs.tag_queue().queue_url(queue_url).tags(key, value);
        let sent = sent.customize().config_override(config);
        let sent = sent.interceptor(signer.clone()).send().await;
        let sent = sent.context_for("sqs:TagQueue", || format!("tag the queue {queue_url}"))?;
        Ok(signer.sent_call(sent.request_id()))
    }
}

fn app_name(name: &str) -> Result<AppName> {
    AppName::new(name.to_owned())
        .map_err(|error| Error::failed("send the canary", error.to_string()))
}

/// Remembers the access key that signed a request. The credentials provider may return other credentials later.
#[derive(Clone, Debug, Default)]
struct SignerObserver(Arc<Mutex<Option<String>>>);

impl SignerObserver {
    fn sent_call(&self, request_id: Option<&str>) -> SentCall {
        let access_key_id = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        SentCall {
            access_key_id: access_key_id.clone(),
            request_id: request_id.map(str::to_owned),
        }
    }
}

impl Intercept for SignerObserver {
    fn name(&self) -> &'static str {
        "SignerObserver"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let signature = context.request().headers().get("authorization");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            signature.and_then(access_key).map(str::to_owned);
        Ok(())
    }
}

/// Returns the access key in the `Authorization` header of a signed request.
fn access_key(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    Some(credential.split_once('/')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;

    #[tokio::test]
    async fn canary_returns_the_signing_access_key() {
        let identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult>\
                        <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>";
        let (aws, sent) = Aws::canned(vec![("GetCallerIdentity", CannedResponse::ok(identity))]);
        let call = aws.send_caller_identity_canary("heeler-ec-canary-1").await;
        let call = call.expect("a sent call");
        assert_eq!(call.access_key_id.as_deref(), Some("AKIAEXAMPLE"));
        assert_eq!(sent.operations(), ["GetCallerIdentity"]);
    }

    #[test]
    fn access_key_precedes_the_credential_scope() {
        let header = "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/us-east-1/sts/aws4_request, SignedHeaders=host";
        assert_eq!(access_key(header), Some("AKIA1"));
        assert_eq!(access_key("Bearer x"), None);
    }
}
