//! Events out of a log group, for a pipeline that ends in no bucket: polled, since the group's own deliveries are
//! Heeler's.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatchlogs::config::Config;
use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use tokio::time::{Instant, sleep_until};

use crate::aws::Aws;
use crate::aws::error::{AwsResultExt, is_transient};
use crate::error::{Error, Result};
use crate::filter_pattern::FilterPattern;
use crate::tail::arrival::Arrival;
use crate::tail::dedup;
use crate::tail::dedup::RecentIds;

/// All readers of an account share five of these calls a second.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// CloudTrail brings an event minutes late, with the time at which it happened. What was seen already is known, so
/// each look can go back as far as that.
const LOOKBACK: Duration = Duration::from_secs(600);

/// Calls in a row that may stay without an answer; three minutes, about.
const MAX_FAILED_CALLS: u32 = 5;
/// More events than an organization has within the time that each look goes back.
const MAX_EVENTS_IN_LOOKBACK: usize = 2_000_000;

pub struct LogGroupPoller<'a> {
    aws: &'a Aws,
    name: String,
    /// As text for AWS, and read for what AWS does not look at.
    pattern_text: &'a str,
    pattern: FilterPattern,
    recent_ids: RecentIds,
    /// Where a look that has more pages goes on.
    next_page: Option<NextPage>,
    /// When the look before this one began: what came during it is looked for again.
    poll_started_at: SystemTime,
    next_call: Instant,
    /// How many calls in a row were not answered, and what became of the last one.
    failed_calls: u32,
    last_error: Option<Error>,
}

struct NextPage {
    start_time_ms: i64,
    token: String,
}

impl<'a> LogGroupPoller<'a> {
    /// Reads what the pattern lets pass.
    ///
    /// # Errors
    /// When the pattern is none.
    pub fn new(aws: &'a Aws, name: &str, pattern: &'a str) -> Result<Self> {
        Ok(Self {
            aws,
            name: name.to_owned(),
            pattern_text: pattern,
            pattern: FilterPattern::parse(pattern).map_err(|why| {
                Error::usage("the filter pattern is invalid").with_reason(why.to_string())
            })?,
            recent_ids: RecentIds::with_capacity(MAX_EVENTS_IN_LOOKBACK),
            next_page: None,
            poll_started_at: SystemTime::now(),
            next_call: Instant::now(),
            failed_calls: 0,
            last_error: None,
        })
    }

    /// Begins that far back.
    #[must_use]
    pub fn starting_at(mut self, since: SystemTime) -> Self {
        self.poll_started_at = since + LOOKBACK;
        self
    }

    /// Waits for its turn, asks for one page, and tells what is new in it. A look goes on until there are no more pages,
    /// also over empty ones. Whoever stops waiting loses nothing.
    ///
    /// A call that is not answered is made again, at a pace of ours: the SDK's would take calls away from others.
    ///
    /// # Errors
    /// When the log group may not be read, or was not for a while.
    pub async fn next(&mut self) -> Result<Vec<Arrival>> {
        sleep_until(self.next_call).await;
        let began = SystemTime::now();
        let from = match &self.next_page {
            Some(page) => page.start_time_ms,
            None => to_epoch_ms(self.poll_started_at.checked_sub(LOOKBACK)),
        };
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let sent = self
            .aws
            .logs
            .filter_log_events()
            .log_group_name(&self.name)
            .filter_pattern(self.pattern_text)
            .start_time(from)
            .set_next_token(self.next_page.as_ref().map(|page| page.token.clone()))
            .customize()
            .config_override(once)
            .send()
            .await;
        let passes = sent.as_ref().is_err_and(is_transient);
        let found = sent.context_for("logs:FilterLogEvents", || {
            format!("read log group {}", self.name)
        });
        let found = match found {
            Err(error) if passes && self.failed_calls < MAX_FAILED_CALLS => {
                return Ok(self.record_failure(error));
            }
            found => found?,
        };
        self.failed_calls = 0;
        self.last_error = None;
        self.next_call = Instant::now() + POLL_INTERVAL;
        if self.next_page.is_none() {
            self.poll_started_at = began;
        }
        self.next_page = found.next_token.map(|token| NextPage {
            start_time_ms: from,
            token,
        });
        Ok(found
            .events
            .unwrap_or_default()
            .into_iter()
            .filter_map(|event| {
                let (text, id) = (event.message.unwrap_or_default(), event.event_id);
                let at = event.ingestion_time.and_then(from_epoch_ms);
                let at = at.unwrap_or_else(SystemTime::now);
                self.deduplicate(text, &id.unwrap_or_default(), at)
            })
            .collect())
    }

    /// Tells the first of several in a row.
    fn record_failure(&mut self, error: Error) -> Vec<Arrival> {
        let told = (self.failed_calls == 0).then(|| Arrival::Failed {
            unit: None,
            name: format!("log group {} now", self.name),
            cause: error.cause(),
            hint: Some("it is tried again, less often".to_owned()),
        });
        self.failed_calls += 1;
        self.next_call = Instant::now() + backoff(self.failed_calls);
        self.last_error = Some(error);
        told.into_iter().collect()
    }

    /// Why the last call was not answered.
    #[must_use]
    pub fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// The same event comes with every look while it is in the window; that is no second delivery.
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

/// How long it is from a call to the next, after so many that were not answered.
fn backoff(unanswered: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(60);
    (POLL_INTERVAL * 2_u32.saturating_pow(unanswered)).min(LONGEST)
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

    #[test]
    fn backoff_doubles_up_to_a_minute() {
        let seconds: Vec<u64> = (0..=MAX_FAILED_CALLS)
            .map(|calls| backoff(calls).as_secs())
            .collect();
        assert_eq!(seconds, [5, 10, 20, 40, 60, 60]);
    }
}
