//! A CloudWatch Logs subscription filter, which sends log events of a log group to a function.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::config::Config;
use aws_sdk_cloudwatchlogs::operation::put_subscription_filter::PutSubscriptionFilterError;
use aws_sdk_cloudwatchlogs::types::Distribution;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};

use tokio::join;

use super::function::{ACTIVE, get_state};
use super::kind::ResourceKind;
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::ownership::Ownership;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Resource, ResourceSpec};
use crate::shared_document::function_policy::allowed_sources;

pub struct SubscriptionFilter {
    pub log_group: String,
    pub name: String,
    pub pattern: &'static str,
    /// ARN of the function.
    pub function: Output,
    /// Resources that must exist before the first event is delivered.
    pub depends_on: Vec<Output>,
}

/// The service that invokes the function.
const LOGS_SERVICE: &str = "logs.amazonaws.com";
/// Error messages for a function that cannot be invoked. The function or its policy may be new, or the function may be
/// broken.
const NOT_INVOCABLE_MESSAGES: [&str; 2] = [
    "Could not execute the lambda function",
    "Could not deliver test message to specified",
];
/// The maximum time until CloudWatch Logs can invoke a new function. It usually takes some seconds.
const INVOCABLE_TIMEOUT: Duration = Duration::from_secs(300);

impl ResourceSpec for SubscriptionFilter {
    fn id(&self) -> ResourceId {
        ResourceKind::SubscriptionFilter.id(self.name.clone())
    }

    fn dependencies(&self) -> Vec<Output> {
        [self.function.clone()]
            .into_iter()
            .chain(self.depends_on.clone())
            .collect()
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        State::default()
            .with("log_group", self.log_group.as_str())
            .with("pattern", self.pattern)
            .with("distribution", Distribution::ByLogStream.as_str())
            .with_optional("destination", known.get(&self.function))
    }

    fn parent(&self) -> Option<Parent> {
        Some(Parent {
            id: self.function.resource.clone(),
            deletes_children: false,
        })
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        let is_propagating =
            is_not_invocable(refusal) || refusal.has_code("OperationAbortedException");
        is_propagating.then_some(INVOCABLE_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for SubscriptionFilter {
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let mut pages = aws
            .logs
            .describe_subscription_filters()
            .log_group_name(&self.log_group)
            .filter_name_prefix(&self.name)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.optional_for(
                "logs:DescribeSubscriptionFilters",
                not_found::LOG_GROUP,
                || format!("read {}", self.id()),
            )?;
            let Some(page) = page else { break };
            let found = page
                .subscription_filters()
                .iter()
                .find(|filter| filter.filter_name() == Some(&self.name));
            if let Some(filter) = found {
                let destination = filter.destination_arn().unwrap_or_default();
                let distribution = filter
                    .distribution()
                    .unwrap_or(&Distribution::ByLogStream)
                    .as_str();
                return Ok(Some(Actual {
                    state: State::default()
                        .with("log_group", self.log_group.as_str())
                        .with("pattern", filter.filter_pattern().unwrap_or_default())
                        .with("distribution", distribution)
                        .with("destination", destination),
                    outputs: Outputs::new(),
                    // A filter has no tags. It is managed if it sends to the managed function.
                    ownership: if known.get(&self.function).as_deref() == Some(destination) {
                        Ownership::Managed
                    } else {
                        Ownership::other_tool(destination)
                    },
                }));
            }
        }
        Ok(None)
    }

    /// Reads the filter again first, because a write replaces any filter with the same name.
    async fn create(&self, aws: &Aws, want: &State, known: &KnownOutputs) -> Result<Outputs> {
        let there = self.read(aws, known).await?;
        if there.is_some_and(|actual| !actual.is_managed()) {
            return Err(Error::negative(format!("cannot create {}", self.id()))
                .with_reason(format!(
                    "a filter of this name was created on log group {} after the plan was made; it was not changed",
                    self.log_group
                ))
                .with_hint("run the same command again to make a new plan"));
        }
        self.put(aws, want).await?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, _: &Actual, want: &State, _: &KnownOutputs) -> Result<()> {
        self.put(aws, want).await
    }

    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        aws.logs
            .delete_subscription_filter()
            .log_group_name(&self.log_group)
            .filter_name(&self.name)
            .send()
            .await
            .optional_for(
                "logs:DeleteSubscriptionFilter",
                not_found::LOG_GROUP,
                || format!("delete {}", self.id()),
            )?;
        Ok(())
    }
}

/// A retry classifier that forbids retries if a log group has reached its limit of filters. Otherwise, the SDK treats
/// the error as throttling and retries the call.
#[derive(Debug)]
struct LimitExceededIsFinal;

impl ClassifyRetry for LimitExceededIsFinal {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let refusal = context
            .output_or_error()
            .and_then(std::result::Result::err)
            .and_then(|error| error.as_operation_error())
            .and_then(|error| error.downcast_ref::<PutSubscriptionFilterError>());
        if refusal.is_some_and(PutSubscriptionFilterError::is_limit_exceeded_exception) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "log group at its limit"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

impl SubscriptionFilter {
    /// Creates or replaces the filter.
    async fn put(&self, aws: &Aws, want: &State) -> Result<()> {
        let text = |field: &str| want.text(field).unwrap_or_default();
        let put = aws
            .logs
            .put_subscription_filter()
            .log_group_name(&self.log_group)
            .filter_name(&self.name)
            .filter_pattern(text("pattern"))
            .destination_arn(text("destination"))
            .distribution(Distribution::from(text("distribution")))
            .customize()
            .config_override(Config::builder().retry_classifier(LimitExceededIsFinal))
            .send()
            .await
            .context_for("logs:PutSubscriptionFilter", || {
                format!("create {}", self.id())
            });
        match put {
            Ok(_) => Ok(()),
            Err(refusal) if is_not_invocable(&refusal) => {
                Err(refusal.with_hint(self.invocation_hint(aws, text("destination")).await))
            }
            Err(refusal) => Err(self.with_limit_hint(refusal)),
        }
    }

    /// Explains why the function cannot be invoked.
    async fn invocation_hint(&self, aws: &Aws, function: &str) -> String {
        let name = arn::resource_name(function);
        let (state, sources) = join!(
            get_state(aws, name),
            allowed_sources(aws, name, LOGS_SERVICE)
        );
        // A state or policy that cannot be read is assumed to be correct.
        let state = state.unwrap_or_else(|_| Some(ACTIVE.to_owned()));
        let sources = sources.unwrap_or_else(|_| vec![None]);
        let group = format!(":log-group:{}", self.log_group);
        format!(
            "{}; run the same command again in a minute",
            invocation_problem(state.as_deref(), &sources, &group)
        )
    }

    fn with_limit_hint(&self, refusal: Error) -> Error {
        if refusal.has_code("LimitExceededException") {
            return refusal.with_hint(format!(
                "log group {} has no room for another subscription filter: combine two destinations, or choose another \
                 delivery option (aws logs describe-subscription-filters lists the filters)",
                self.log_group
            ));
        }
        refusal
    }
}

fn is_not_invocable(refusal: &Error) -> bool {
    NOT_INVOCABLE_MESSAGES
        .iter()
        .any(|words| refusal.matches("InvalidParameterException", words))
}

/// Finds the problem from the state of the function and the sources that its policy allows. `group` is the suffix of
/// the log group's ARN.
fn invocation_problem(state: Option<&str>, sources: &[Option<String>], group: &str) -> String {
    let is_of_group = |source: &String| source.trim_end_matches(":*").ends_with(group);
    match state {
        None => "the function does not exist".to_owned(),
        Some(state) if state != ACTIVE => format!("the function is in state {state}"),
        Some(_) if sources.is_empty() => {
            "no statement of the function's policy allows CloudWatch Logs to invoke it".to_owned()
        }
        Some(_) if !sources.iter().any(|source| source.as_ref().is_none_or(is_of_group)) => {
            let named: Vec<&str> = sources.iter().flatten().map(String::as_str).collect();
            format!(
                "the function's policy allows {}, but not this log group",
                named.join(" and ")
            )
        }
        Some(_) => "the function is active and its policy allows the log group; this may not have reached all of AWS yet"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocation_problems_are_explained() {
        let group = ":log-group:organization/trail";
        let source = |name: &str| {
            Some(format!(
                "arn:aws:logs:us-east-1:111122223333:log-group:{name}"
            ))
        };
        let allowed = source("organization/trail:*");
        let allowed = std::slice::from_ref(&allowed);
        let of_others = [source("other:*"), source("trail:*")];
        let of_both = [source("other:*"), source("organization/trail")];
        for (found, text) in [
            (invocation_problem(None, allowed, group), "does not exist"),
            (
                invocation_problem(Some("Pending"), allowed, group),
                "in state Pending",
            ),
            (
                invocation_problem(Some("Failed"), &[], group),
                "in state Failed",
            ),
            (invocation_problem(Some(ACTIVE), &[], group), "no statement"),
            (
                invocation_problem(Some(ACTIVE), &of_others, group),
                "log-group:other:* and arn:",
            ),
            (
                invocation_problem(Some(ACTIVE), &of_both, group),
                "may not have reached",
            ),
            (
                invocation_problem(Some(ACTIVE), &[None], group),
                "may not have reached",
            ),
            (
                invocation_problem(Some(ACTIVE), allowed, group),
                "may not have reached",
            ),
        ] {
            assert!(found.contains(text), "{text:?} is not in {found:?}");
        }
    }
}
