//! Reads the metrics of a deployment of the last minutes, with one call.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;

use super::facts::{
    BucketDestination, PipelineRequest, PipelineSource, TrafficFacts, TrafficMetric,
};
use crate::aws::arn::resource_name;
use crate::aws::error::AwsResultExt;
use crate::error::Result;
use crate::inventory::limiter::LimitedClients;

/// The window of the metrics.
pub const WINDOW_SECONDS: u64 = 900;
/// SQS, SNS, Lambda and CloudWatch Logs publish one data point per minute.
const PERIOD_SECONDS: i32 = 60;
/// The latest minutes may still be incomplete.
const DELAY_SECONDS: u64 = 60;

/// Reads all metrics of the deployment. A metric without data points is missing in the result.
pub(super) async fn traffic(
    clients: &LimitedClients,
    request: &PipelineRequest,
    now: SystemTime,
) -> Result<TrafficFacts> {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let end = (seconds / 60 * 60).saturating_sub(DELAY_SECONDS);
    let at = |seconds| DateTime::from(UNIX_EPOCH + Duration::from_secs(seconds));
    let wanted = metrics(request);
    let queries = wanted
        .iter()
        .enumerate()
        .map(|(number, metric)| query(request, number, *metric));
    let aws = clients.acquire().await;
    let mut pages = aws
        .cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(at(end.saturating_sub(WINDOW_SECONDS)))
        .end_time(at(end))
        .into_paginator()
        .send();
    let mut found = TrafficFacts::default();
    while let Some(page) = pages.next().await {
        let page = page.context_for("cloudwatch:GetMetricData", || {
            "read the metrics of the deployment".into()
        })?;
        for result in page.metric_data_results() {
            let number = result.id().and_then(|id| id.strip_prefix('m'));
            let metric = number.and_then(|number| wanted.get(number.parse::<usize>().ok()?));
            let Some(metric) = metric else { continue };
            for value in result.values() {
                found.add(*metric, *value);
            }
        }
    }
    Ok(found)
}

/// The metrics of the resources that the deployment has.
fn metrics(request: &PipelineRequest) -> Vec<TrafficMetric> {
    let of_source: &[TrafficMetric] = match request.source {
        PipelineSource::Bucket {
            destination: BucketDestination::Queue { .. },
            ..
        } => &[],
        PipelineSource::Bucket { .. } => &[
            TrafficMetric::TopicPublished,
            TrafficMetric::TopicDelivered,
            TrafficMetric::TopicFailed,
        ],
        PipelineSource::LogGroup { .. } => &[
            TrafficMetric::LogEventsIncoming,
            TrafficMetric::FunctionInvocations,
            TrafficMetric::FunctionErrors,
            TrafficMetric::FunctionThrottles,
        ],
    };
    let of_queue = [
        TrafficMetric::QueueSent,
        TrafficMetric::QueueReceived,
        TrafficMetric::QueueEmptyReceives,
        TrafficMetric::QueueDeleted,
        TrafficMetric::QueueOldestAgeSeconds,
    ];
    of_source.iter().copied().chain(of_queue).collect()
}

fn query(request: &PipelineRequest, number: usize, metric: TrafficMetric) -> MetricDataQuery {
    let (namespace, name, dimension) = metric.identity();
    let value = match (&request.source, namespace) {
        (
            PipelineSource::Bucket {
                destination: BucketDestination::Topic(topic),
                ..
            },
            "AWS/SNS",
        ) => resource_name(topic),
        (PipelineSource::LogGroup { log_group, .. }, "AWS/Logs") => log_group,
        (PipelineSource::LogGroup { function, .. }, "AWS/Lambda") => function,
        _ => &request.queue,
    };
    let dimension = Dimension::builder().name(dimension).value(value).build();
    let metric_data = Metric::builder()
        .namespace(namespace)
        .metric_name(name)
        .dimensions(dimension)
        .build();
    let stat = MetricStat::builder()
        .metric(metric_data)
        .period(PERIOD_SECONDS)
        .stat(if metric.is_maximum() {
            "Maximum"
        } else {
            "Sum"
        })
        .build();
    MetricDataQuery::builder()
        .id(format!("m{number}"))
        .metric_stat(stat)
        .build()
}
