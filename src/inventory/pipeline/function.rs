//! Reads a Lambda function and its resource-based policy.

use super::facts::FunctionFacts;
use crate::aws::error::AwsResultExt;
use crate::aws::{lookup, not_found};
use crate::error::Result;
use crate::inventory::limiter::LimitedClients;

pub(super) async fn function_facts(
    clients: &LimitedClients,
    name: &str,
) -> Result<Option<FunctionFacts>> {
    let found = lookup::function(&*clients.acquire().await, name).await?;
    Ok(found.map(|found| {
        let reserved = found.concurrency.as_ref();
        let reserved = reserved.and_then(|limit| limit.reserved_concurrent_executions);
        let Some(function) = found.configuration else {
            return FunctionFacts::default();
        };
        let variables = function.environment.and_then(|found| found.variables);
        FunctionFacts {
            arn: function.function_arn.unwrap_or_default(),
            state: function.state.map(|state| state.as_str().to_owned()),
            state_reason: function.state_reason,
            last_update: function
                .last_update_status
                .map(|status| status.as_str().to_owned()),
            role: function.role.unwrap_or_default(),
            reserved_concurrency: reserved,
            variables: variables.unwrap_or_default().into_iter().collect(),
        }
    }))
}

/// Reads the resource-based policy of a function.
pub(super) async fn function_policy(
    clients: &LimitedClients,
    name: &str,
) -> Result<Option<String>> {
    let aws = clients.acquire().await;
    let found = aws.lambda.get_policy().function_name(name).send().await;
    let found = found.optional_for("lambda:GetPolicy", not_found::FUNCTION, || {
        format!("read the policy of lambda function {name}")
    })?;
    Ok(found.and_then(|found| found.policy))
}
