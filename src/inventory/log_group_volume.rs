//! Reads the volume of a log group: its metrics of the last days and its retention.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_smithy_types::DateTime;

use super::limiter::LimitedClients;
use super::logs::log_group_settings;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// The metrics of a log group: events and their uncompressed bytes. Source: "CloudWatch metrics" in the Amazon
/// `CloudWatch` Logs User Guide.
const METRICS: [&str; 2] = ["IncomingBytes", "IncomingLogEvents"];
/// A week has weekdays and a weekend.
const DAYS: u64 = 7;
const DAY_SECONDS: i32 = 86_400;

/// The volume of a log group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogGroupVolume {
    /// Averages of the complete days of the last week that have data; `None` if no day has data.
    pub bytes_per_day: Option<f64>,
    pub events_per_day: Option<f64>,
    /// `None` if events never expire.
    pub retention_days: Option<i32>,
    /// Number of metrics that were requested. AWS charges for each.
    pub metrics: usize,
}

/// Reads the volume of a log group in the region of the clients; `None` if there is no such log group.
///
/// # Errors
/// When AWS refuses a call.
pub async fn read_log_group_volume(
    aws: &Aws,
    name: &str,
    now: SystemTime,
) -> Result<Option<LogGroupVolume>> {
    let clients = LimitedClients::new(aws);
    let Some(settings) = log_group_settings(&clients, name).await? else {
        return Ok(None);
    };
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let midnight = seconds / 86_400 * 86_400;
    let at = |seconds| DateTime::from(UNIX_EPOCH + Duration::from_secs(seconds));
    let queries = METRICS.iter().enumerate();
    let queries = queries.map(|(number, metric)| query(name, number, metric));
    let mut pages = aws
        .cloudwatch
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(at(midnight.saturating_sub(DAYS * 86_400)))
        .end_time(at(midnight))
        .into_paginator()
        .send();
    let mut days: [Vec<f64>; METRICS.len()] = Default::default();
    while let Some(page) = pages.next().await {
        let page = page.context_for("cloudwatch:GetMetricData", || {
            format!("read the metrics of log group {name}")
        })?;
        for result in page.metric_data_results() {
            let number = result.id().and_then(|id| id.strip_prefix('m'));
            let values = number.and_then(|number| days.get_mut(number.parse::<usize>().ok()?));
            if let Some(values) = values {
                values.extend(result.values());
            }
        }
    }
    let [bytes_per_day, events_per_day] = days.map(|values| average(&values));
    Ok(Some(LogGroupVolume {
        bytes_per_day,
        events_per_day,
        retention_days: settings.retention_days,
        metrics: METRICS.len(),
    }))
}

fn average(values: &[f64]) -> Option<f64> {
    let count = u32::try_from(values.len())
        .ok()
        .filter(|count| *count > 0)?;
    Some(values.iter().sum::<f64>() / f64::from(count))
}

fn query(log_group: &str, number: usize, metric: &str) -> MetricDataQuery {
    let dimension = Dimension::builder()
        .name("LogGroupName")
        .value(log_group)
        .build();
    let metric = Metric::builder()
        .namespace("AWS/Logs")
        .metric_name(metric)
        .dimensions(dimension)
        .build();
    let stat = MetricStat::builder()
        .metric(metric)
        .period(DAY_SECONDS)
        .stat("Sum")
        .build();
    MetricDataQuery::builder()
        .id(format!("m{number}"))
        .metric_stat(stat)
        .build()
}
