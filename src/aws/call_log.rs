//! Reports each finished call to a listener, without bodies, headers or credentials.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Layer, Storable, StoreReplace};
use aws_types::request_id::RequestId;

/// A finished call to AWS.
#[derive(Clone, Debug)]
pub struct AwsCall {
    /// The service as in IAM actions, such as `sqs`.
    pub service: String,
    pub operation: String,
    pub status: Option<u16>,
    pub request_id: Option<String>,
    pub duration: Duration,
}

pub type CallListener = dyn Fn(AwsCall) + Send + Sync;

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

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = bag.load::<Metadata>();
        (self.0)(AwsCall {
            service: metadata.map_or_else(String::new, |m| action_prefix(m.service())),
            operation: metadata.map_or_else(String::new, |m| m.name().to_owned()),
            status: context
                .response()
                .map(|response| response.status().as_u16()),
            request_id: context
                .response()
                .and_then(|response| response.headers().request_id().map(str::to_owned)),
            duration: bag
                .load::<CallStart>()
                .map_or(Duration::ZERO, |since| since.0.elapsed()),
        });
        Ok(())
    }
}

/// Returns the service of an IAM action for a service ID of the SDK.
fn action_prefix(service_id: &str) -> String {
    match service_id {
        "CloudWatch Logs" => "logs".to_owned(),
        id => id.to_ascii_lowercase(),
    }
}
