//! Asks for the log group that a trail delivers to, and for what a function on it would need.

use aws_sdk_cloudwatchlogs::types::{DataProtectionStatus, PolicyType};
use tokio::join;

use crate::aws::arn::Arn;
use crate::aws::error::AwsResultExt;
use crate::error::Result;
use crate::inventory::InventoryRequest;
use crate::inventory::facts::{
    AccountSubscriptionFilter, LambdaConcurrency, LogGroupFacts, LogGroupSettings,
    LogStreamPresence, Organization, SubscriptionFilterFacts,
};
use crate::inventory::key;
use crate::inventory::limiter::LimitedClients;

/// What a log group is answered for when it is not there.
const NOT_FOUND_CODES: &[&str] = &["ResourceNotFoundException"];

/// Everything about the log group of this ARN, in its own region.
pub(crate) async fn inspect(
    ask: &LimitedClients,
    arn: &Arn<'_>,
    organization: Option<&Organization>,
    hints: &InventoryRequest,
) -> LogGroupFacts {
    let name = arn
        .resource
        .strip_prefix("log-group:")
        .unwrap_or(arn.resource);
    let ((group, key), streams, filters, account_filters, concurrency, transformer) = join!(
        async {
            let group = log_group_settings(ask, name).await;
            let key = match &group {
                Ok(Some(LogGroupSettings { key: Some(key), .. })) => {
                    Some(key::inspect_state(ask, key).await)
                }
                _ => None,
            };
            (group, key)
        },
        stream_presence(ask, name, organization),
        subscription_filters(ask, name),
        account_subscription_filters(ask),
        lambda_concurrency(ask),
        async {
            if hints.deep {
                Some(transformer(ask, name).await)
            } else {
                None
            }
        },
    );
    LogGroupFacts {
        name: name.to_owned(),
        account: arn.account.to_owned(),
        region: arn.region.to_owned(),
        settings: group,
        streams,
        subscription_filters: filters,
        account_subscription_filters: account_filters,
        key,
        concurrency,
        transformer,
    }
}

/// One of another account, of which nothing can be asked from here.
pub(crate) fn in_other_account(arn: &Arn<'_>) -> LogGroupFacts {
    LogGroupFacts {
        name: arn
            .resource
            .strip_prefix("log-group:")
            .unwrap_or(arn.resource)
            .to_owned(),
        account: arn.account.to_owned(),
        region: arn.region.to_owned(),
        settings: Ok(None),
        streams: Ok(LogStreamPresence::default()),
        subscription_filters: Ok(Vec::new()),
        account_subscription_filters: Ok(Vec::new()),
        key: None,
        concurrency: Ok(LambdaConcurrency {
            total: 0,
            unreserved: None,
        }),
        transformer: None,
    }
}

/// Log groups are listed by the beginning of their names.
async fn log_group_settings(ask: &LimitedClients, name: &str) -> Result<Option<LogGroupSettings>> {
    let aws = ask.acquire().await;
    let call = aws.logs.describe_log_groups().log_group_name_prefix(name);
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("logs:DescribeLogGroups", || {
            format!("look for log group {name}")
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

/// Whether there are streams of member accounts, and any at all.
async fn stream_presence(
    ask: &LimitedClients,
    name: &str,
    organization: Option<&Organization>,
) -> Result<LogStreamPresence> {
    let prefix = organization.map_or_else(|| "o-".to_owned(), |found| format!("{}_", found.id));
    let (of_members, any) = join!(
        has_stream(ask, name, Some(&prefix)),
        has_stream(ask, name, None)
    );
    Ok(LogStreamPresence {
        member_accounts: of_members?,
        any: any?,
    })
}

async fn has_stream(ask: &LimitedClients, name: &str, prefix: Option<&str>) -> Result<bool> {
    let aws = ask.acquire().await;
    let mut pages = aws
        .logs
        .describe_log_streams()
        .log_group_name(name)
        .set_log_stream_name_prefix(prefix.map(str::to_owned))
        .limit(1)
        .into_paginator()
        .send();
    // A page may be empty and still have a next one.
    while let Some(page) = pages.next().await {
        match page.optional_for("logs:DescribeLogStreams", NOT_FOUND_CODES, || {
            format!("list the streams of log group {name}")
        })? {
            None => return Ok(false),
            Some(page) if !page.log_streams().is_empty() => return Ok(true),
            Some(_) => {}
        }
    }
    Ok(false)
}

async fn subscription_filters(
    ask: &LimitedClients,
    name: &str,
) -> Result<Vec<SubscriptionFilterFacts>> {
    let aws = ask.acquire().await;
    let call = aws.logs.describe_subscription_filters();
    let mut pages = call.log_group_name(name).into_paginator().send();
    let mut filters = Vec::new();
    while let Some(page) = pages.next().await {
        let page =
            page.optional_for("logs:DescribeSubscriptionFilters", NOT_FOUND_CODES, || {
                format!("list the subscription filters of log group {name}")
            })?;
        let Some(page) = page else { break };
        filters.extend(
            page.subscription_filters()
                .iter()
                .map(|filter| SubscriptionFilterFacts {
                    name: filter.filter_name().unwrap_or_default().to_owned(),
                    destination: filter.destination_arn().unwrap_or_default().to_owned(),
                }),
        );
    }
    Ok(filters)
}

async fn account_subscription_filters(
    ask: &LimitedClients,
) -> Result<Vec<AccountSubscriptionFilter>> {
    let aws = ask.acquire().await;
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
            .optional_for("logs:DescribeAccountPolicies", NOT_FOUND_CODES, || {
                "list the subscription filters of the account".into()
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

async fn lambda_concurrency(ask: &LimitedClients) -> Result<LambdaConcurrency> {
    let aws = ask.acquire().await;
    let found = aws
        .lambda
        .get_account_settings()
        .send()
        .await
        .context_for("lambda:GetAccountSettings", || {
            "read the limits of Lambda".into()
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

async fn transformer(ask: &LimitedClients, name: &str) -> Result<bool> {
    let aws = ask.acquire().await;
    let found = aws
        .logs
        .get_transformer()
        .log_group_identifier(name)
        .send()
        .await
        .optional_for("logs:GetTransformer", NOT_FOUND_CODES, || {
            format!("read the transformer of log group {name}")
        })?;
    Ok(found.is_some_and(|found| !found.transformer_config().is_empty()))
}
