//! Events out of a log group, for a pipeline that ends in no bucket: polled, since the group's own deliveries are
//! Heeler's.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until};

use super::Arrival;
use super::seen::{self, Seen};
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::error::{Error, Result};
use crate::pattern::Pattern;

/// All readers of an account share five of these calls a second.
const PACE: Duration = Duration::from_secs(5);
/// CloudTrail brings an event minutes late, with the time at which it happened. What was seen already is known, so
/// each look can go back as far as that.
const LOOK_BACK: Duration = Duration::from_secs(600);

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
    /// # Errors
    /// When the log group may not be read.
    pub async fn next(&mut self) -> Result<Vec<Arrival>> {
        sleep_until(self.next).await;
        let from = if let Some(page) = &self.page {
            page.from
        } else {
            let since = std::mem::replace(&mut self.looked, SystemTime::now());
            milliseconds(since.checked_sub(LOOK_BACK))
        };
        let found = self
            .aws
            .logs
            .filter_log_events()
            .log_group_name(&self.name)
            .filter_pattern(self.text)
            .start_time(from)
            .set_next_token(self.page.as_ref().map(|page| page.token.clone()))
            .send()
            .await
            .doing("logs:FilterLogEvents", || {
                format!("read log group {}", self.name)
            })?;
        self.next = Instant::now() + PACE;
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

fn milliseconds(time: Option<SystemTime>) -> i64 {
    time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}
