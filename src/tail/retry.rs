//! Retries of calls during temporary failures: network loss, AWS throttling and AWS outages.

use std::time::Duration;

use tokio::time::Instant;

const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(30);

/// A schedule of the delays between attempts. The schedule ends when a call has failed for too long.
#[derive(Clone, Copy, Debug)]
pub struct RetrySchedule {
    /// Time since the first failure after which the run gives up.
    give_up_after: Duration,
    /// The time of the first failure since the last success.
    failing_since: Option<Instant>,
    failures: u32,
}

impl RetrySchedule {
    #[must_use]
    pub fn new(give_up_after: Duration) -> Self {
        Self {
            give_up_after,
            failing_since: None,
            failures: 0,
        }
    }

    /// Returns true if the last attempt failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing_since.is_some()
    }

    /// Records a failed attempt and returns the delay before the next one. Returns `None` if the run must give up.
    pub fn record_failure(&mut self) -> Option<Duration> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let left = self.give_up_after.saturating_sub(since.elapsed());
        if left.is_zero() {
            return None;
        }
        let delay = FIRST_DELAY * 2_u32.saturating_pow(self.failures.min(16));
        self.failures += 1;
        Some(delay.min(MAX_DELAY).min(left))
    }

    /// Records a successful attempt. Returns the time since the first failure, or `None` if the previous attempt
    /// succeeded.
    pub fn record_success(&mut self) -> Option<Duration> {
        self.failures = 0;
        Some(self.failing_since.take()?.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn delays_double_until_giving_up() {
        let mut schedule = RetrySchedule::new(Duration::from_secs(100));
        let mut delays = Vec::new();
        while let Some(delay) = schedule.record_failure() {
            delays.push(delay.as_secs());
            advance(delay).await;
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30, 9]);
        assert_eq!(schedule.record_success(), Some(Duration::from_secs(100)));
        assert_eq!(schedule.record_success(), None);
        assert_eq!(schedule.record_failure(), Some(FIRST_DELAY));
    }

    #[test]
    fn zero_duration_never_retries() {
        assert_eq!(RetrySchedule::new(Duration::ZERO).record_failure(), None);
    }
}
