//! Samples the events of a log group, if the log files cannot be read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::event_sample::{EventCounts, EventSample};
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;
use crate::filter_pattern::FilterPattern;

/// The period in which events are read, before now.
const PERIOD: Duration = Duration::from_secs(3_600);
/// Number of pages that are read, each with up to 1 MB.
const MAX_PAGES: usize = 10;

/// Reads events of the last hour; `None` if there are none.
///
/// # Errors
/// When AWS refuses a call.
pub async fn sample_log_events(
    aws: &Aws,
    log_group: &str,
    filter: &FilterPattern,
    now: SystemTime,
) -> Result<Option<EventSample>> {
    let start = now.checked_sub(PERIOD).unwrap_or(UNIX_EPOCH);
    let start = start.duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = i64::try_from(start.as_millis()).unwrap_or_default();
    let mut counts = EventCounts::default();
    let mut token = None;
    for _ in 0..MAX_PAGES {
        let read = aws.logs.filter_log_events().log_group_name(log_group);
        let read = read.start_time(start).set_next_token(token).send().await;
        let page = read.context_for("logs:FilterLogEvents", || {
            format!("read log group {log_group}")
        })?;
        let messages = page.events().iter().filter_map(|event| event.message());
        for message in messages {
            counts.add(message, filter);
        }
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    if counts.events == 0 {
        return Ok(None);
    }
    let mut sample = EventSample::default();
    sample.add_events(counts);
    Ok(Some(sample))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;

    #[tokio::test]
    async fn pages_of_events_are_counted_and_limited() {
        let filter = FilterPattern::parse("{ $.readOnly IS FALSE }").unwrap();
        let page = serde_json::json!({
            "events": [{ "message": r#"{"readOnly":false}"# }, { "message": r#"{"readOnly":true}"# }],
            "nextToken": "more",
        });
        let pages =
            (0..MAX_PAGES).map(|_| ("FilterLogEvents", CannedResponse::ok(page.to_string())));
        let (aws, sent) = Aws::canned(pages.collect());
        let sample = sample_log_events(&aws, "g", &filter, SystemTime::now()).await;
        let sample = sample.unwrap().unwrap();
        assert_eq!(sent.bodies("FilterLogEvents").len(), MAX_PAGES);
        assert_eq!(sample.events, 20);
        assert_eq!(sample.matching_share(), Some(0.5));

        let empty = vec![("FilterLogEvents", CannedResponse::ok(r#"{"events":[]}"#))];
        let (aws, _) = Aws::canned(empty);
        let sample = sample_log_events(&aws, "g", &filter, SystemTime::now()).await;
        assert_eq!(sample.unwrap(), None);
    }
}
