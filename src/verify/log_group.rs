//! Looks for the canary in a log group: that of the trail, or that of the function.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use tokio::time::sleep;

use super::canary::Canary;
use super::retry::retry_transient;
use super::sighting::SightingBoard;
use crate::aws::error::AwsResultExt;
use crate::aws::{Aws, not_found};
use crate::error::Result;

/// Interval between searches. The quota of `FilterLogEvents` is five calls per second for an account and region.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Pause between the pages of a search, because of the same quota.
pub(super) const PAGE_INTERVAL: Duration = Duration::from_millis(400);
/// The period after the call in which events are read. It limits a late search for an earlier canary.
const SEARCH_PERIOD: Duration = Duration::from_secs(6 * 3_600);
/// The clock of this machine may differ from AWS's clock by this time.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(120);

/// Searches the log group of the trail until it has the record of the canary.
pub(super) async fn observe(
    aws: &Aws,
    name: &str,
    region: &str,
    canary: &Canary,
    board: &SightingBoard<'_>,
) -> Result<()> {
    let pattern = format!("{{ $.userAgent = \"*{}*\" }}", canary.id.app_name());
    let event = wait_for_event(aws, name, &pattern, canary).await?;
    let after = event.ingestion_time.and_then(from_epoch_ms);
    let after = after.map_or_else(|| canary.age(), |time| canary.age_at(time));
    let stream = event.log_stream_name.unwrap_or_default();
    let observed = format!("in log stream {stream}");
    board.record_seen("log_group", Some(region), Some(after), observed, None);
    Ok(())
}

/// Searches a log group until an event matches the pattern. A log group that does not exist has no events.
pub(super) async fn wait_for_event(
    aws: &Aws,
    name: &str,
    pattern: &str,
    canary: &Canary,
) -> Result<FilteredLogEvent> {
    loop {
        let found = retry_transient(async || find_event(aws, name, pattern, canary).await).await?;
        if let Some(event) = found {
            return Ok(event);
        }
        sleep(POLL_INTERVAL).await;
    }
}

async fn find_event(
    aws: &Aws,
    name: &str,
    pattern: &str,
    canary: &Canary,
) -> Result<Option<FilteredLogEvent>> {
    let id = canary.id.app_name();
    let call = aws.logs.filter_log_events().log_group_name(name);
    let call = call.filter_pattern(pattern);
    let call = call.start_time(to_epoch_ms(canary.id.sent_at() - CLOCK_TOLERANCE));
    let call = call.end_time(to_epoch_ms(canary.id.sent_at() + SEARCH_PERIOD));
    let mut pages = call.into_paginator().send();
    let mut is_first = true;
    loop {
        if !std::mem::take(&mut is_first) {
            sleep(PAGE_INTERVAL).await;
        }
        let Some(page) = pages.next().await else {
            break;
        };
        // The log group of a function does not exist before the first invocation.
        let page = page.optional_for("logs:FilterLogEvents", not_found::LOG_GROUP, || {
            format!("read log group {name}")
        })?;
        let Some(page) = page else { break };
        let contains_id =
            |event: &FilteredLogEvent| event.message().is_some_and(|text| text.contains(&id));
        if let Some(event) = page
            .events
            .unwrap_or_default()
            .into_iter()
            .find(contains_id)
        {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

pub(super) fn from_epoch_ms(milliseconds: i64) -> Option<SystemTime> {
    let since = Duration::from_millis(u64::try_from(milliseconds).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

pub(super) fn to_epoch_ms(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;
    use crate::verify::{CanaryId, ObservationPoint};

    #[tokio::test(start_paused = true)]
    async fn canary_is_found_by_its_user_agent() {
        let id = CanaryId::parse("20261127T210305-9f2c71d0").expect("an ID");
        let record = format!(r#"{{"userAgent":"x app/{}"}}"#, id.app_name());
        let ingested = to_epoch_ms(id.sent_at() + Duration::from_secs(42));
        let event = serde_json::json!({
            "message": record, "ingestionTime": ingested, "logStreamName": "s"
        });
        let found = serde_json::json!({ "events": [event] }).to_string();
        let (aws, sent) = Aws::canned(vec![
            (
                "FilterLogEvents",
                CannedResponse::json_error(not_found::LOG_GROUP[0], "no log group"),
            ),
            ("FilterLogEvents", CannedResponse::ok(r#"{"events":[]}"#)),
            (
                "FilterLogEvents",
                CannedResponse::ok(r#"{"events":[],"nextToken":"2"}"#),
            ),
            ("FilterLogEvents", CannedResponse::ok(found)),
        ]);
        let point = ObservationPoint::LogGroup { name: "g".into() };
        let board = SightingBoard::new(&[point], &["us-east-1".to_owned()], |_| {});
        let end = to_epoch_ms(id.sent_at() + Duration::from_secs(6 * 3_600));
        let canary = Canary::new(id);
        let observed = observe(&aws, "g", "us-east-1", &canary, &board).await;
        observed.expect("a sighting");
        assert_eq!(board.sightings()[0].after, Some(Duration::from_secs(42)));
        let body = sent.body("FilterLogEvents");
        assert!(
            body.contains("heeler-ec-canary-20261127T210305-9f2c71d0*"),
            "{body}"
        );
        assert!(body.contains(&format!(r#""endTime":{end}"#)), "{body}");
        let bodies = sent.bodies("FilterLogEvents");
        assert_eq!(bodies.len(), 4);
        assert!(bodies[3].contains(r#""nextToken":"2""#), "{}", bodies[3]);
    }
}
