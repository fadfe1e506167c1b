//! Limits the rate of a call to the quota of AWS.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// A rate with a burst. Each call takes one interval of the future; a burst is the time that may be taken in advance.
#[derive(Debug)]
pub(super) struct RateLimit {
    interval: Duration,
    burst: u32,
    /// The end of the time that earlier calls have taken.
    taken_until: Mutex<Option<Instant>>,
}

impl RateLimit {
    pub fn new(interval: Duration, burst: u32) -> Self {
        Self {
            interval,
            burst,
            taken_until: Mutex::new(None),
        }
    }

    /// Waits until the next call may be sent.
    pub async fn acquire(&self) {
        let start = {
            let mut taken_until = self.taken_until.lock().await;
            let now = Instant::now();
            let end = taken_until.map_or(now, |end| end.max(now)) + self.interval;
            *taken_until = Some(end);
            end.checked_sub(self.interval * self.burst)
        };
        if let Some(start) = start {
            sleep_until(start).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn burst_is_free_and_then_calls_wait() {
        let limit = RateLimit::new(Duration::from_millis(200), 5);
        let started = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..8 {
            limit.acquire().await;
            waits.push(started.elapsed().as_millis());
        }
        assert_eq!(waits[..5], [0; 5]);
        assert!(waits[5] >= 200 && waits[7] >= 600, "{waits:?}");
        assert!(waits[7] < 700, "{waits:?}");
    }
}
