//! Events out of a log group, for a pipeline that ends in no bucket: polled, since the group's own deliveries are
//! Heeler's.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatchlogs::config::Config;
use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use tokio::time::{Instant, sleep_until};

use super::Arrival;
use super::seen::{self, Seen};
use crate::aws::Aws;
use crate::aws::fault::{Doing, is_passing};
use crate::error::{Error, Result};
use crate::pattern::Pattern;

/// All readers of an account share five of these calls a second.
const PACE: Duration = Duration::from_secs(5);
/// CloudTrail brings an event minutes late, with the time at which it happened. What was seen already is known, so
/// each look can go back as far as that.
const LOOK_BACK: Duration = Duration::from_secs(600);

/// Calls in a row that may stay without an answer; three minutes, about.
const PATIENCE: u32 = 5;
/// More events than an organization has within the time that each look goes back.
const IN_WINDOW: usize = 2_000_000;

pub struct LogGroup<'a> {
    aws: &'a Aws,
    name: String,
    /// As text for AWS, and read for what AWS does not look at.
    text: &'a str,
    pattern: Pattern,
    seen: Seen,
    /// Where a look that has more pages goes on.
    page: Option<Page>,
    /// When the look before this one began: what came during it is looked for again.
    looked: SystemTime,
    next: Instant,
    /// How many calls in a row were not answered, and what became of the last one.
    unanswered: u32,
    trouble: Option<Error>,
}

struct Page {
    from: i64,
    token: String,
}

impl<'a> LogGroup<'a> {
    /// Reads what the pattern lets pass.
    ///
    /// # Errors
    /// When the pattern is none.
    pub fn new(aws: &'a Aws, name: &str, pattern: &'a str) -> Result<Self> {
        Ok(Self {
            aws,
            name: name.to_owned(),
            text: pattern,
            pattern: Pattern::parse(pattern)
                .map_err(|why| Error::usage("read the filter pattern", why.to_string()))?,
            seen: Seen::remembering(IN_WINDOW),
            page: None,
            looked: SystemTime::now(),
            next: Instant::now(),
            unanswered: 0,
            trouble: None,
        })
    }

    /// Begins that far back.
    #[must_use]
    pub fn since(mut self, since: SystemTime) -> Self {
        self.looked = since + LOOK_BACK;
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
        sleep_until(self.next).await;
        let began = SystemTime::now();
        let from = match &self.page {
            Some(page) => page.from,
            None => milliseconds(self.looked.checked_sub(LOOK_BACK)),
        };
        let once = Config::builder().retry_config(RetryConfig::disabled());
        let sent = self
            .aws
            .logs
            .filter_log_events()
            .log_group_name(&self.name)
            .filter_pattern(self.text)
            .start_time(from)
            .set_next_token(self.page.as_ref().map(|page| page.token.clone()))
            .customize()
            .config_override(once)
            .send()
            .await;
        let passes = sent.as_ref().is_err_and(is_passing);
        let found = sent.doing("logs:FilterLogEvents", || {
            format!("read log group {}", self.name)
        });
        let found = match found {
            Err(error) if passes && self.unanswered < PATIENCE => {
                return Ok(self.not_answered(error));
            }
            found => found?,
        };
        self.unanswered = 0;
        self.trouble = None;
        self.next = Instant::now() + PACE;
        if self.page.is_none() {
            self.looked = began;
        }
        self.page = found.next_token.map(|token| Page { from, token });
        Ok(found
            .events
            .unwrap_or_default()
            .into_iter()
            .filter_map(|event| {
                let (text, id) = (event.message.unwrap_or_default(), event.event_id);
                self.first(text, &id.unwrap_or_default())
            })
            .collect())
    }

    /// Tells the first of several in a row.
    fn not_answered(&mut self, error: Error) -> Vec<Arrival> {
        let told = (self.unanswered == 0).then(|| Arrival::Trouble {
            unit: None,
            what: format!("log group {} now", self.name),
            why: error.cause(),
            hint: Some("it is tried again, less often".to_owned()),
        });
        self.unanswered += 1;
        self.next = Instant::now() + pause(self.unanswered);
        self.trouble = Some(error);
        told.into_iter().collect()
    }

    /// Why the last call was not answered.
    #[must_use]
    pub fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref()
    }

    /// The same event comes with every look while it is in the window; that is no second delivery.
    fn first(&mut self, text: String, id: &str) -> Option<Arrival> {
        if !self.seen.is_new(seen::key("", id)) {
            return None;
        }
        Some(if self.pattern.matches_text(&text) {
            Arrival::Record(text)
        } else {
            Arrival::LeftOut
        })
    }
}

/// How long it is from a call to the next, after so many that were not answered.
fn pause(unanswered: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(60);
    (PACE * 2_u32.saturating_pow(unanswered)).min(LONGEST)
}

fn milliseconds(time: Option<SystemTime>) -> i64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_answered_asks_less_and_less_often() {
        let seconds: Vec<u64> = (0..=PATIENCE).map(|calls| pause(calls).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 60, 60]);
    }
}
