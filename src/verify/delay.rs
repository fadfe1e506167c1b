//! Measures the delivery delay of the newest real events, so that a number is known before the canary arrives.

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::log_files::{AccountLogFiles, ListedFile};
use super::log_group::{PAGE_INTERVAL, from_epoch_ms, to_epoch_ms};
use super::plan::VerifyPlan;
use crate::aws::error::AwsResultExt;
use crate::aws::{Aws, not_found};
use crate::cloudtrail::log_file::RecordSink;
use crate::cloudtrail::record::Record;
use crate::error::Result;
use crate::tail::delivery_delay::DeliveryDelay;
use crate::tail::source::bucket_listing::timestamp_of_key;

/// The period in which the newest log files are looked for.
const FILE_PERIOD: Duration = Duration::from_secs(3_600);
const MAX_FILES: usize = 20;
/// The periods in which the newest events of a log group are looked for. A page has the oldest events of its period, so
/// that the short period comes first.
const EVENT_PERIODS: [Duration; 2] = [Duration::from_secs(300), Duration::from_secs(900)];
const MAX_EVENTS: i32 = 100;
/// Number of pages that are read for a period. A page may be empty although further pages have events.
const MAX_PAGES: usize = 20;

/// The delivery delay of the newest real events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeasuredDelay {
    /// Number of log files, or of events in the log group.
    pub samples: usize,
    pub median: Duration,
    pub max: Duration,
}

/// Measures the delay of the newest log files of these regions, or of the newest events in the log group. Returns `None`
/// if there are none.
///
/// # Errors
/// If a call fails.
pub async fn measure(
    aws: &Aws,
    plan: &VerifyPlan,
    regions: &[String],
) -> Result<Option<MeasuredDelay>> {
    let mut delays = DeliveryDelay::default();
    let mut samples = 0;
    let times = match (plan.log_files(), plan.log_group()) {
        (Some(log_files), _) => {
            let files = AccountLogFiles::new(log_files, &plan.account);
            times_of_files(aws, &files, regions).await?
        }
        (None, Some(log_group)) => times_of_events(aws, log_group).await?,
        (None, None) => Vec::new(),
    };
    for (event_time, delivered) in times {
        delays.record(&event_time, delivered);
        samples += 1;
    }
    Ok((!delays.is_empty()).then(|| MeasuredDelay {
        samples,
        median: delays.percentile(50),
        max: delays.percentile(100),
    }))
}

/// The time of the newest event in each log file, and the time at which the file was written.
async fn times_of_files(
    aws: &Aws,
    files: &AccountLogFiles,
    regions: &[String],
) -> Result<Vec<(String, SystemTime)>> {
    let now = SystemTime::now();
    let mut listed: Vec<ListedFile> = Vec::new();
    for region in regions {
        listed.extend(files.list(aws, region, now - FILE_PERIOD, now).await?);
    }
    listed.sort_by(|a, b| timestamp_of_key(&b.key).cmp(timestamp_of_key(&a.key)));
    listed.truncate(MAX_FILES);
    let keys = listed.iter().map(|file| file.key.clone());
    let read = files.read(aws, keys, NewestEvent::default).await?;
    let delivered = |key: &str| {
        let file = listed.iter().find(|file| file.key == key)?;
        file.last_modified
    };
    Ok(read
        .into_iter()
        .filter_map(|(key, newest)| Some((newest.0?, delivered(&key)?)))
        .collect())
}

/// The time of each event in the log group, and the time at which the log group received it.
async fn times_of_events(aws: &Aws, log_group: &str) -> Result<Vec<(String, SystemTime)>> {
    let now = SystemTime::now();
    for period in EVENT_PERIODS {
        let times = times_since(aws, log_group, now - period).await?;
        if !times.is_empty() {
            return Ok(times);
        }
    }
    Ok(Vec::new())
}

/// The times of the first page that has events.
async fn times_since(
    aws: &Aws,
    log_group: &str,
    start: SystemTime,
) -> Result<Vec<(String, SystemTime)>> {
    let mut token = None;
    for _ in 0..MAX_PAGES {
        let read = aws.logs.filter_log_events().log_group_name(log_group);
        let read = read.start_time(to_epoch_ms(start)).limit(MAX_EVENTS);
        let read = read.set_next_token(token).send().await;
        let page = read.optional_for("logs:FilterLogEvents", not_found::LOG_GROUP, || {
            format!("read log group {log_group}")
        })?;
        // The canary shows that the log group is missing.
        let Some(page) = page else { break };
        let times = page.events().iter().filter_map(|event| {
            let record = Record::read(event.message()?)?;
            let ingested = from_epoch_ms(event.ingestion_time()?)?;
            Some((record.event_time()?.into_owned(), ingested))
        });
        let times: Vec<_> = times.collect();
        token = page.next_token.filter(|token| !token.is_empty());
        if !times.is_empty() || token.is_none() {
            return Ok(times);
        }
        sleep(PAGE_INTERVAL).await;
    }
    Ok(Vec::new())
}

/// A sink that finds the time of the newest event. Times in UTC have the order of their texts.
#[derive(Default)]
struct NewestEvent(Option<String>);

impl RecordSink for NewestEvent {
    fn push(&mut self, text: &str) -> ControlFlow<()> {
        let time = Record::read(text).and_then(|record| record.event_time());
        if let Some(time) = time
            && self.0.as_deref().is_none_or(|newest| *newest < *time)
        {
            self.0 = Some(time.into_owned());
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::aws::canned::CannedResponse;

    #[tokio::test(start_paused = true)]
    async fn empty_pages_and_periods_are_passed() {
        let event = serde_json::json!({
            "message": r#"{"eventTime":"2026-01-02T03:04:05Z"}"#, "ingestionTime": 1_767_323_045_000_u64
        });
        let found = serde_json::json!({ "events": [event], "nextToken": "3" }).to_string();
        let page = |body: &str| ("FilterLogEvents", CannedResponse::ok(body));
        let (aws, sent) = Aws::canned(vec![
            page(r#"{"events":[],"nextToken":"1"}"#),
            page(r#"{"events":[]}"#),
            page(r#"{"events":[],"nextToken":"2"}"#),
            page(&found),
        ]);
        let times = times_of_events(&aws, "g").await.expect("times");
        let ingested = from_epoch_ms(1_767_323_045_000).expect("a time");
        assert_eq!(times, [("2026-01-02T03:04:05Z".to_owned(), ingested)]);
        let starts: Vec<i64> = sent
            .bodies("FilterLogEvents")
            .iter()
            .map(|body| {
                let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
                body["startTime"].as_i64().expect("a time")
            })
            .collect();
        assert_eq!(starts[0], starts[1]);
        assert_eq!(starts[0] - starts[2], 600_000);
        assert_eq!(starts[2], starts[3]);
    }

    #[tokio::test(start_paused = true)]
    async fn pages_of_a_period_are_limited() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        let aws = Aws::answered_by(move |_, _, _| {
            counter.fetch_add(1, Ordering::Relaxed);
            CannedResponse::ok(r#"{"events":[],"nextToken":"1"}"#)
        });
        let times = times_of_events(&aws, "g").await.expect("times");
        assert!(times.is_empty());
        assert_eq!(calls.load(Ordering::Relaxed), 40);
    }

    #[test]
    fn newest_event_has_the_latest_time() {
        let mut newest = NewestEvent::default();
        for time in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T03:04:07Z",
            "2026-01-02T03:04:06Z",
        ] {
            assert!(
                newest
                    .push(&format!(r#"{{"eventTime":"{time}"}}"#))
                    .is_continue()
            );
        }
        assert!(newest.push("[]").is_continue());
        assert_eq!(newest.0.as_deref(), Some("2026-01-02T03:04:07Z"));
    }
}
