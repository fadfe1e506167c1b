//! Limits the retries of a call whose signature has a wrong time.
//!
//! The SDK signs the second attempt with the time of AWS. If AWS refuses that one, too, no further attempt succeeds.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, InterceptorContext,
};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Texts of which the response contains one if AWS refuses the time of a signature.
const REFUSALS: [&str; 4] = [
    "Signature expired",
    "Signature not yet current",
    "RequestTimeTooSkewed",
    "RequestInTheFuture",
];
/// The attempt with the corrected time.
const CORRECTED_ATTEMPT: u32 = 2;

/// Forbids retries after the attempt with the corrected time.
#[derive(Debug)]
pub(super) struct ClockSkewRetryLimit;

/// The number of the attempt that a response belongs to, counted from one.
#[derive(Clone, Copy, Debug)]
struct AttemptNumber(u32);

impl Intercept for ClockSkewRetryLimit {
    fn name(&self) -> &'static str {
        "ClockSkewRetryLimit"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(attempts) = bag.load::<RequestAttempts>() {
            let number = AttemptNumber(attempts.attempts());
            context.response_mut().add_extension(number);
        }
        Ok(())
    }
}

impl ClassifyRetry for ClockSkewRetryLimit {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response() else {
            return RetryAction::NoActionIndicated;
        };
        let number = response.extension::<AttemptNumber>();
        let is_corrected = number.is_some_and(|number| number.0 >= CORRECTED_ATTEMPT);
        let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
        let is_refused = !response.status().is_success()
            && REFUSALS.iter().any(|refusal| body.contains(refusal));
        if is_corrected && is_refused {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "ClockSkewRetryLimit"
    }

    /// Runs after all classifiers of the SDK.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::run_after(
            RetryClassifierPriority::transient_error_classifier(),
        ))
    }
}
