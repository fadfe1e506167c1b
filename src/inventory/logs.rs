//! Reads the log group that a trail delivers to, and the limits of a function that reads from it.

use aws_sdk_cloudwatchlogs::types::{DataProtectionStatus, PolicyType};
use tokio::join;

use super::facts::{
    AccountSubscriptionFilter, LambdaConcurrency, LogGroupFacts, LogGroupSettings,
    LogStreamPresence, Organization, SubscriptionFilterFacts,
};
use super::limiter::LimitedClients;
use super::{Fact, InventoryRequest, key};
use crate::aws::arn::Arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;

/// Reads everything about the log group in its own region.
pub(super) async fn inspect(
    clients: &LimitedClients,
    arn: &Arn<'_>,
    organization: Option<&Organization>,
    request: &InventoryRequest,
) -> LogGroupFacts {
    let name = arn
        .resource
        .strip_prefix("log-group:")
        .unwrap_or(arn.resource);
    let ((group, key), streams, filters, account_filters, concurrency, transformer) = join!(
        async {
            let group = log_group_settings(clients, name).await;
            let key = match &group {
                Ok(Some(LogGroupSettings { key: Some(key), .. })) => {
                    Some(key::inspect_state(clients, key).await)
                }
                _ => None,
            };
            (group, key)
        },
        stream_presence(clients, name, organization),
        subscription_filters(clients, name),
        account_subscription_filters(clients),
        lambda_concurrency(clients),
        async {
            if request.deep {
                Fact::from_result(transformer(clients, name).await)
            } else {
                Fact::NotRequested
            }
        },
    );
    LogGroupFacts {
        name: name.to_owned(),
        account: arn.account.to_owned(),
        region: arn.region.to_owned(),
        settings: Fact::from_optional(group),
        streams: Fact::from_result(streams),
        subscription_filters: filters,
        account_subscription_filters: account_filters,
        key,
        concurrency: Fact::from_result(concurrency),
        transformer,
    }
}

/// Creates the facts of a log group in another account, which cannot be read.
pub(super) fn in_other_account(arn: &Arn<'_>) -> LogGroupFacts {
    LogGroupFacts {
        name: arn
            .resource
            .strip_prefix("log-group:")
            .unwrap_or(arn.resource)
            .to_owned(),
        account: arn.account.to_owned(),
        region: arn.region.to_owned(),
        settings: Fact::NotRequested,
        streams: Fact::NotRequested,
        subscription_filters: Ok(Vec::new()),
        account_subscription_filters: Ok(Vec::new()),
        key: None,
        concurrency: Fact::NotRequested,
        transformer: Fact::NotRequested,
    }
}

/// Reads the settings. The API lists log groups by name prefix, so the log group with the exact name is selected from
/// the list.
pub(super) async fn log_group_settings(
    clients: &LimitedClients,
    name: &str,
) -> Result<Option<LogGroupSettings>> {
    let aws = clients.acquire().await;
    let call = aws.logs.describe_log_groups().log_group_name_prefix(name);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("logs:DescribeLogGroups", || {
            format!("find log group {name}")
        })?;
        let found = page
            .log_groups()
            .iter()
            .find(|group| group.log_group_name() == Some(name));
        if let Some(found) = found {
            return Ok(Some(LogGroupSettings {
                class: found
                    .log_group_class()
                    .map(|class| class.as_str().to_owned()),
                retention_days: found.retention_in_days(),
                retention_policy: found.retention_policy_name().map(str::to_owned),
                key: found
                    .kms_key_id()
                    .filter(|key| !key.is_empty())
                    .map(str::to_owned),
                metric_filter_count: found.metric_filter_count().unwrap_or_default(),
                has_data_protection: found.data_protection_status()
                    == Some(&DataProtectionStatus::Activated),
            }));
        }
    }
    Ok(None)
}

/// Returns the kinds of log streams that exist.
async fn stream_presence(
    clients: &LimitedClients,
    name: &str,
    organization: Option<&Organization>,
) -> Result<LogStreamPresence> {
    let prefix = organization.map_or_else(|| "o-".to_owned(), |found| format!("{}_", found.id));
    let (of_members, any) = join!(
        has_stream(clients, name, Some(&prefix)),
        has_stream(clients, name, None)
    );
    Ok(LogStreamPresence {
        member_accounts: of_members?,
        any: any?,
    })
}

async fn has_stream(clients: &LimitedClients, name: &str, prefix: Option<&str>) -> Result<bool> {
    let aws = clients.acquire().await;
    let mut pages = aws
        .logs
        .describe_log_streams()
        .log_group_name(name)
        .set_log_stream_name_prefix(prefix.map(str::to_owned))
        .limit(1)
        .into_paginator()
        .send();
    // An empty page can have a next page.
    while let Some(page) = pages.next().await {
        match page.optional_for("logs:DescribeLogStreams", not_found::LOG_GROUP, || {
            format!("list the streams of log group {name}")
        })? {
            None => return Ok(false),
            Some(page) if !page.log_streams().is_empty() => return Ok(true),
            Some(_) => {}
        }
    }
    Ok(false)
}

pub(super) async fn subscription_filters(
    clients: &LimitedClients,
    name: &str,
) -> Result<Vec<SubscriptionFilterFacts>> {
    let aws = clients.acquire().await;
    let call = aws.logs.describe_subscription_filters();
    let mut pages = call.log_group_name(name).into_paginator().send();
    let mut filters = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.optional_for(
            "logs:DescribeSubscriptionFilters",
            not_found::LOG_GROUP,
            || format!("list the subscription filters of log group {name}"),
        )?;
        let Some(page) = page else { break };
        filters.extend(
            page.subscription_filters()
                .iter()
                .map(|filter| SubscriptionFilterFacts {
                    name: filter.filter_name().unwrap_or_default().to_owned(),
                    destination: filter.destination_arn().unwrap_or_default().to_owned(),
                    pattern: filter.filter_pattern().unwrap_or_default().to_owned(),
                }),
        );
    }
    Ok(filters)
}

async fn account_subscription_filters(
    clients: &LimitedClients,
) -> Result<Vec<AccountSubscriptionFilter>> {
    let aws = clients.acquire().await;
    let mut filters = Vec::new();
    let mut next = None;
    loop {
        let page = aws
            .logs
            .describe_account_policies()
            .policy_type(PolicyType::SubscriptionFilterPolicy)
            .set_next_token(next.take())
            .send()
            .await
            .optional_for("logs:DescribeAccountPolicies", not_found::LOG_GROUP, || {
                "list the account-level subscription filters".into()
            })?;
        let Some(page) = page else { break };
        filters.extend(
            page.account_policies()
                .iter()
                .map(|policy| AccountSubscriptionFilter {
                    name: policy.policy_name().unwrap_or_default().to_owned(),
                    selection_criteria: policy.selection_criteria().map(str::to_owned),
                }),
        );
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    Ok(filters)
}

async fn lambda_concurrency(clients: &LimitedClients) -> Result<LambdaConcurrency> {
    let aws = clients.acquire().await;
    let found = aws
        .lambda
        .get_account_settings()
        .send()
        .await
        .context_for("lambda:GetAccountSettings", || {
            "read the Lambda account limits".into()
        })?;
    let limit = found.account_limit();
    Ok(LambdaConcurrency {
        total: limit.map_or(
            0,
            aws_sdk_lambda::types::AccountLimit::concurrent_executions,
        ),
        unreserved: limit
            .and_then(aws_sdk_lambda::types::AccountLimit::unreserved_concurrent_executions),
    })
}

async fn transformer(clients: &LimitedClients, name: &str) -> Result<bool> {
    let aws = clients.acquire().await;
    let found = aws
        .logs
        .get_transformer()
        .log_group_identifier(name)
        .send()
        .await
        .optional_for("logs:GetTransformer", not_found::LOG_GROUP, || {
            format!("read the transformer of log group {name}")
        })?;
    Ok(found.is_some_and(|found| !found.transformer_config().is_empty()))
}
