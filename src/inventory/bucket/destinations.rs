//! Finds out whether the destinations of a bucket's notifications exist.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::aws::arn::{Arn, resource_name};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget};
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::aws::queue_url::queue_url;
use crate::error::Result;
use crate::inventory::facts::DestinationFacts;
use crate::inventory::limiter::LimitedClients;

/// Reads the destinations in this account and region, except `known`, whose facts are read elsewhere. S3 notifies only
/// destinations in the bucket's region. Those of other accounts cannot be read.
pub(super) async fn destinations(
    clients: &LimitedClients,
    entries: &[NotificationEntry],
    account: &str,
    known: &[&str],
) -> Vec<DestinationFacts> {
    let is_readable = |arn: &str| {
        Arn::parse(arn).is_some_and(|arn| arn.account == account && arn.region == clients.region())
    };
    let distinct: BTreeMap<&str, NotificationTarget> = entries
        .iter()
        .map(|entry| (entry.destination.as_str(), entry.target))
        .filter(|(arn, _)| is_readable(arn) && !known.contains(arn))
        .collect();
    let reads = distinct.into_iter().map(|(arn, target)| async move {
        let exists = match target {
            NotificationTarget::Topic => topic_exists(clients, arn).await,
            NotificationTarget::Queue => queue_exists(clients, arn).await,
            NotificationTarget::Function => function_exists(clients, arn).await,
        };
        DestinationFacts {
            arn: arn.to_owned(),
            exists,
        }
    });
    join_all(reads).await
}

async fn topic_exists(clients: &LimitedClients, arn: &str) -> Result<bool> {
    let aws = clients.acquire().await;
    let found = aws.sns.get_topic_attributes().topic_arn(arn).send().await;
    found
        .optional_for("sns:GetTopicAttributes", not_found::TOPIC, || {
            format!("read topic {arn}")
        })
        .map(|found| found.is_some())
}

async fn queue_exists(clients: &LimitedClients, arn: &str) -> Result<bool> {
    let aws = clients.acquire().await;
    let found = queue_url(&aws, resource_name(arn)).await;
    found.map(|url| url.is_some())
}

/// Reads the reserved concurrency, because the other reads of a function return its environment variables.
async fn function_exists(clients: &LimitedClients, arn: &str) -> Result<bool> {
    let resource = Arn::parse(arn).map_or(arn, |arn| arn.resource);
    let name = resource.strip_prefix("function:").unwrap_or(resource);
    let name = name.split(':').next().unwrap_or(name);
    let aws = clients.acquire().await;
    let call = aws.lambda.get_function_concurrency().function_name(name);
    let found = call.send().await;
    found
        .optional_for("lambda:GetFunctionConcurrency", not_found::FUNCTION, || {
            format!("read lambda function {name}")
        })
        .map(|found| found.is_some())
}
