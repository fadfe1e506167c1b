//! A subscription filter: which events of a log group go to a function.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatchlogs::config::Config;
use aws_sdk_cloudwatchlogs::operation::put_subscription_filter::PutSubscriptionFilterError;
use aws_sdk_cloudwatchlogs::types::Distribution;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};

use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Result};

pub struct SubscriptionFilter {
    pub log_group: String,
    pub name: String,
    pub pattern: &'static str,
    /// ARN of the function.
    pub function: Output,
    /// What has to be there before the first event is delivered.
    pub after: Vec<Output>,
}

const NO_GROUP: &[&str] = &["ResourceNotFoundException"];
/// It takes some seconds until a new function can be invoked on behalf of a log group.
const UNTIL_INVOCABLE: Duration = Duration::from_secs(300);

#[async_trait]
impl Resource<Aws> for SubscriptionFilter {
    fn id(&self) -> Id {
        Id {
            kind: "subscription filter",
            name: self.name.clone(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        [self.function.clone()]
            .into_iter()
            .chain(self.after.clone())
            .collect()
    }

    fn desired(&self, known: &Known) -> State {
        State::default()
            .with("log_group", self.log_group.as_str())
            .with("pattern", self.pattern)
            .with("distribution", Distribution::ByLogStream.as_str())
            .with_known("destination", known.get(&self.function))
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.function.of.clone(),
            goes_with_it: false,
        })
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        let spreading = refusal.says(
            "InvalidParameterException",
            "Could not execute the lambda function",
        ) || refusal.says(
            "InvalidParameterException",
            "Could not deliver test message to specified",
        ) || refusal.is("OperationAbortedException");
        spreading.then_some(UNTIL_INVOCABLE)
    }

    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let mut pages = aws
            .logs
            .describe_subscription_filters()
            .log_group_name(&self.log_group)
            .filter_name_prefix(&self.name)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.finding("logs:DescribeSubscriptionFilters", NO_GROUP, || {
                format!("read {}", self.id())
            })?;
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
                return Ok(Some(Live {
                    state: State::default()
                        .with("log_group", self.log_group.as_str())
                        .with("pattern", filter.filter_pattern().unwrap_or_default())
                        .with("distribution", distribution)
                        .with("destination", destination),
                    outputs: Outputs::new(),
                    // It bears no tags. Whoever sends to our function does so for us.
                    owner: if known.get(&self.function).as_deref() == Some(destination) {
                        Owner::Us
                    } else {
                        Owner::Other
                    },
                }));
            }
        }
        Ok(None)
    }

    /// A write replaces what has the name, so it is looked at once more.
    async fn create(&self, aws: &Aws, want: &State, known: &Known) -> Result<Outputs> {
        let there = self.read(aws, known).await?;
        if there.is_some_and(|live| !live.is_ours()) {
            return Err(Error::no(
                format!("create {}", self.id()),
                format!(
                    "somebody made one of that name on log group {} since the plan was made; it stays as it is",
                    self.log_group
                ),
            )
            .hint("run the same command again: it plans with what is there now"));
        }
        self.put(aws, want).await?;
        Ok(Outputs::new())
    }

    async fn update(&self, aws: &Aws, _: &Live, want: &State, _: &Known) -> Result<()> {
        self.put(aws, want).await
    }

    async fn delete(&self, aws: &Aws, _: &Live) -> Result<()> {
        aws.logs
            .delete_subscription_filter()
            .log_group_name(&self.log_group)
            .filter_name(&self.name)
            .send()
            .await
            .finding("logs:DeleteSubscriptionFilter", NO_GROUP, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}

/// A log group that is full: the SDK would take it for one that is busy, and ask on.
#[derive(Debug)]
struct FullIsFinal;

impl ClassifyRetry for FullIsFinal {
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
        "a full log group"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

impl SubscriptionFilter {
    /// Makes or replaces it.
    async fn put(&self, aws: &Aws, want: &State) -> Result<()> {
        let text = |field: &str| want.text(field).unwrap_or_default();
        aws.logs
            .put_subscription_filter()
            .log_group_name(&self.log_group)
            .filter_name(&self.name)
            .filter_pattern(text("pattern"))
            .destination_arn(text("destination"))
            .distribution(Distribution::from(text("distribution")))
            .customize()
            .config_override(Config::builder().retry_classifier(FullIsFinal))
            .send()
            .await
            .doing("logs:PutSubscriptionFilter", || {
                format!("create {}", self.id())
            })
            .map_err(|refusal| self.explain(refusal))?;
        Ok(())
    }

    fn explain(&self, refusal: Error) -> Error {
        if refusal.is("LimitExceededException") {
            return refusal.hint(format!(
                "log group {} takes no more subscription filters: chain one destination behind another, or use \
                 --option s3 (aws logs describe-subscription-filters shows what is there)",
                self.log_group
            ));
        }
        if refusal.is("InvalidParameterException") {
            return refusal.hint(
                "CloudWatch Logs could not invoke the function; run the same command again in a minute",
            );
        }
        refusal
    }
}
