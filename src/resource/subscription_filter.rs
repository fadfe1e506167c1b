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

use tokio::join;

use super::function::{ACTIVE, stage_of};
use super::permission::sources;
use crate::aws::Aws;
use crate::aws::arn;
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

/// Who invokes the function.
const LOGS: &str = "logs.amazonaws.com";
/// What is said while a new function, or its policy, is not known everywhere yet, and of one that is not as it should be.
const NOT_INVOCABLE: [&str; 2] = [
    "Could not execute the lambda function",
    "Could not deliver test message to specified",
];
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
        let spreading = is_not_invocable(refusal) || refusal.is("OperationAbortedException");
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
        let put = aws
            .logs
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
            });
        match put {
            Ok(_) => Ok(()),
            Err(refusal) if is_not_invocable(&refusal) => {
                Err(refusal.hint(self.obstacle(aws, text("destination")).await))
            }
            Err(refusal) => Err(self.explain(refusal)),
        }
    }

    /// What keeps the function from being invoked, as far as can be seen.
    async fn obstacle(&self, aws: &Aws, function: &str) -> String {
        let name = arn::last(function);
        let (stage, sources) = join!(stage_of(aws, name), sources(aws, name, LOGS));
        // What may not be read is not to blame.
        let stage = stage.unwrap_or_else(|_| Some(ACTIVE.to_owned()));
        let sources = sources.unwrap_or_else(|_| vec![None]);
        let group = format!(":log-group:{}", self.log_group);
        format!(
            "{}; run the same command again in a minute",
            obstacle(stage.as_deref(), &sources, &group)
        )
    }

    fn explain(&self, refusal: Error) -> Error {
        if refusal.is("LimitExceededException") {
            return refusal.hint(format!(
                "log group {} takes no more subscription filters: chain one destination behind another, or use \
                 --option s3 (aws logs describe-subscription-filters shows what is there)",
                self.log_group
            ));
        }
        refusal
    }
}

fn is_not_invocable(refusal: &Error) -> bool {
    NOT_INVOCABLE
        .iter()
        .any(|words| refusal.says("InvalidParameterException", words))
}

/// Of the sources that a function's policy lets in, one should end in this log group, with or without its streams.
fn obstacle(stage: Option<&str>, sources: &[Option<String>], group: &str) -> String {
    let is_of_group = |source: &String| source.trim_end_matches(":*").ends_with(group);
    match stage {
        None => "the function is not there any more".to_owned(),
        Some(stage) if stage != ACTIVE => format!("Lambda says that the function is {stage}"),
        Some(_) if sources.is_empty() => {
            "no statement of the function's policy lets CloudWatch Logs invoke it".to_owned()
        }
        Some(_) if !sources.iter().any(|source| source.as_ref().is_none_or(is_of_group)) => {
            let named: Vec<&str> = sources.iter().flatten().map(String::as_str).collect();
            format!(
                "the function's policy lets in {}, and not this log group",
                named.join(" and ")
            )
        }
        Some(_) => "the function is active and its policy lets the log group in, which not all of AWS may know yet"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_the_function_from_being_invoked_is_named() {
        let group = ":log-group:organization/trail";
        let source = |name: &str| {
            Some(format!(
                "arn:aws:logs:us-east-1:111122223333:log-group:{name}"
            ))
        };
        let ours = source("organization/trail:*");
        let ours = std::slice::from_ref(&ours);
        let of_others = [source("other:*"), source("trail:*")];
        let of_both = [source("other:*"), source("organization/trail")];
        for (found, said) in [
            (obstacle(None, ours, group), "not there any more"),
            (obstacle(Some("Pending"), ours, group), "is Pending"),
            (obstacle(Some("Failed"), &[], group), "is Failed"),
            (obstacle(Some(ACTIVE), &[], group), "no statement"),
            (
                obstacle(Some(ACTIVE), &of_others, group),
                "log-group:other:* and arn:",
            ),
            (obstacle(Some(ACTIVE), &of_both, group), "may know yet"),
            (obstacle(Some(ACTIVE), &[None], group), "may know yet"),
            (obstacle(Some(ACTIVE), ours, group), "may know yet"),
        ] {
            assert!(found.contains(said), "{said:?} is not in {found:?}");
        }
    }
}
