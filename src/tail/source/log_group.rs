//! Polls a log group for events that match a filter pattern. It creates no AWS resources. The subscription filter of
//! the log group belongs to the deployment.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatchlogs::config::Config;
use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use tokio::time::{Instant, sleep_until};

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};
use crate::filter_pattern::FilterPattern;
use crate::tail::arrival::Arrival;
use crate::tail::dedup;
use crate::tail::dedup::RecentIds;

/// Interval between calls. The quota of `FilterLogEvents` is five calls per second for an account and region. Source:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Overlap of consecutive polls. CloudTrail delivers an event some minutes after the API call, but the event has the
/// time of the call. Repeated events are recognised by their IDs.
const LOOKBACK: Duration = Duration::from_secs(600);

/// Upper bound for the number of events in the lookback period.
const MAX_EVENTS_IN_LOOKBACK: usize = 2_000_000;

/// A poller of one log group.
pub struct LogGroupPoller<'a> {
    aws: &'a Aws,
    name: String,
    /// The text of the pattern that AWS applies. The poller also applies `pattern` to the results.
    pattern_text: &'a str,
    pattern: FilterPattern,
    recent_ids: RecentIds,
    /// The next page of the current poll.
    next_page: Option<NextPage>,
    /// Start of the previous poll. Events that arrived during that poll are read again.
    poll_started_at: SystemTime,
    next_call: Instant,
    /// Number of consecutive failed calls.
    failed_calls: u32,
    /// A poll has read its last page or found events. AWS returns empty pages while it searches.
    has_answered: bool,
}

struct NextPage {
    start_time_ms: i64,
    token: String,
}

impl<'a> LogGroupPoller<'a> {
    /// Creates a poller for events that match the pattern.
    ///
    /// # Errors
    /// Returns an error if the pattern is invalid.
    pub fn new(aws: &'a Aws, name: &str, pattern: &'a str) -> Result<Self> {
        Ok(Self {
            aws,
            name: name.to_owned(),
            pattern_text: pattern,
            pattern: FilterPattern::parse(pattern).map_err(|error| {
                Error::usage("the filter pattern is invalid").with_reason(error.to_string())
            })?,
            recent_ids: RecentIds::with_capacity(MAX_EVENTS_IN_LOOKBACK),
            next_page: None,
            poll_started_at: SystemTime::now(),
            next_call: Instant::now(),
            failed_calls: 0,
            has_answered: false,
        })
    }

    /// Sets the time of the earliest events to read.
    #[must_use]
    pub fn starting_at(mut self, since: SystemTime) -> Self {
        self.poll_started_at = since + LOOKBACK;
        self
    }

    /// Returns true if silence means that there are no events. Before the first poll has ended, it means nothing.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.has_answered
    }

    /// Waits for the next interval, reads one page, and returns the new events in the page. A poll continues until
    /// there are no more pages. A page may be empty. This method is cancel safe.
    ///
    /// After a failed call, the next call waits for a backoff. SDK retries are disabled, because they would use up the
    /// quota of the account.
    ///
    /// # Errors
    /// Returns an error if the call fails. The next call requests the same page.
    pub async fn next(&mut self) -> Result<Vec<Arrival>> {
        sleep_until(self.next_call).await;
        let started_at = SystemTime::now();
        let start_time_ms = match &self.next_page {
            Some(page) => page.start_time_ms,
            None => to_epoch_ms(self.poll_started_at.checked_sub(LOOKBACK)),
        };
        let no_retries = Config::builder().retry_config(RetryConfig::disabled());
        let sent = self
            .aws
            .logs
            .filter_log_events()
            .log_group_name(&self.name)
            .filter_pattern(self.pattern_text)
            .start_time(start_time_ms)
            .set_next_token(self.next_page.as_ref().map(|page| page.token.clone()))
            .customize()
            .config_override(no_retries)
            .send()
            .await;
        let found = sent
            .context_for("logs:FilterLogEvents", || {
                format!("read log group {}", self.name)
            })
            .inspect_err(|_| {
                self.failed_calls += 1;
                self.next_call = Instant::now() + backoff(self.failed_calls);
            })?;
        self.failed_calls = 0;
        self.next_call = Instant::now() + POLL_INTERVAL;
        if self.next_page.is_none() {
            self.poll_started_at = started_at;
        }
        let events = found.events.unwrap_or_default();
        self.has_answered |= found.next_token.is_none() || !events.is_empty();
        self.next_page = found.next_token.map(|token| NextPage {
            start_time_ms,
            token,
        });
        Ok(events
            .into_iter()
            .filter_map(|event| {
                let (text, id) = (event.message.unwrap_or_default(), event.event_id);
                let at = event.ingestion_time.and_then(from_epoch_ms);
                let at = at.unwrap_or_else(SystemTime::now);
                self.deduplicate(text, &id.unwrap_or_default(), at)
            })
            .collect())
    }

    /// Drops events that an earlier poll returned. Polls overlap by the lookback period, so these events do not count
    /// as duplicates.
    fn deduplicate(&mut self, text: String, id: &str, at: SystemTime) -> Option<Arrival> {
        if !self.recent_ids.insert(dedup::event_key("", id)) {
            return None;
        }
        Some(if self.pattern.matches_text(&text) {
            Arrival::Record { text, at }
        } else {
            Arrival::Filtered
        })
    }
}

/// Returns the delay before the next call after a number of consecutive failed calls.
fn backoff(failed_calls: u32) -> Duration {
    const MAX_BACKOFF: Duration = Duration::from_secs(60);
    (POLL_INTERVAL * 2_u32.saturating_pow(failed_calls)).min(MAX_BACKOFF)
}

fn from_epoch_ms(milliseconds: i64) -> Option<SystemTime> {
    let since = Duration::from_millis(u64::try_from(milliseconds).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

fn to_epoch_ms(time: Option<SystemTime>) -> i64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;

    /// Makes one call per response, and returns their times in seconds after the first one.
    async fn call_times(responses: Vec<CannedResponse>) -> Vec<u64> {
        let calls = responses.len();
        let responses = responses.into_iter();
        let (aws, _) = Aws::canned(
            responses
                .map(|response| ("FilterLogEvents", response))
                .collect(),
        );
        let mut poller = LogGroupPoller::new(&aws, "trail", "{$.readOnly IS FALSE}").unwrap();
        let started = Instant::now();
        let mut times = Vec::new();
        for _ in 0..calls {
            // A failed call is tested by the time of the next one.
            let _ = poller.next().await;
            times.push(started.elapsed().as_secs());
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn pages_are_read_five_seconds_apart() {
        let page = || CannedResponse::ok(r#"{"events": [], "nextToken": "more"}"#);
        let times = call_times(vec![page(), page(), CannedResponse::ok("{}")]).await;
        assert_eq!(times, [0, 5, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn empty_pages_are_no_answer() {
        let empty = || CannedResponse::ok(r#"{"events": [], "nextToken": "more"}"#);
        let event = r#"{"events": [{"eventId": "1", "message": "{}"}], "nextToken": "more"}"#;
        for last in [CannedResponse::ok("{}"), CannedResponse::ok(event)] {
            let responses = [empty(), empty(), last].map(|page| ("FilterLogEvents", page));
            let (aws, _) = Aws::canned(responses.into());
            let mut poller = LogGroupPoller::new(&aws, "trail", "{$.readOnly IS FALSE}").unwrap();
            let mut answered = Vec::new();
            for _ in 0..3 {
                poller.next().await.unwrap();
                answered.push(poller.has_answered());
            }
            assert_eq!(answered, [false, false, true]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttled_polls_back_off() {
        let throttled = || CannedResponse::json_error("ThrottlingException", "Rate exceeded");
        let times = call_times(vec![
            throttled(),
            throttled(),
            CannedResponse::ok("{}"),
            CannedResponse::ok("{}"),
        ])
        .await;
        assert_eq!(times, [0, 10, 30, 35]);
    }

    #[test]
    fn backoff_doubles_up_to_a_minute() {
        let seconds: Vec<u64> = (0..=5).map(|calls| backoff(calls).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 60, 60]);
    }
}
