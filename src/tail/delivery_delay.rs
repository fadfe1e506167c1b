//! Delivery delay: the time from an API call to the arrival of its event.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Maximum delay in the histogram. A longer delay is counted as this value, which limits the number of distinct values.
const MAX_DELAY_SECONDS: u64 = 86_400;

/// A histogram of delays with a resolution of one second.
#[derive(Clone, Debug, Default)]
pub struct DeliveryDelay {
    counts_by_second: BTreeMap<u64, u64>,
    count: u64,
}

impl DeliveryDelay {
    /// Records the delay of an event. An event whose time cannot be parsed is ignored.
    pub fn record(&mut self, event_time: &str, now: SystemTime) {
        let Ok(event_time) = humantime::parse_rfc3339(event_time) else {
            return;
        };
        // The clock of this machine may be slow. A negative delay counts as zero.
        let delay = now.duration_since(event_time).unwrap_or_default().as_secs();
        *self
            .counts_by_second
            .entry(delay.min(MAX_DELAY_SECONDS))
            .or_default() += 1;
        self.count += 1;
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The delay at the given percentile.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut sum = 0;
        let found = self.counts_by_second.iter().find(|(_, count)| {
            sum += **count;
            sum >= rank
        });
        Duration::from_secs(found.map_or(0, |(seconds, _)| *seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_ignore_events_without_a_time() {
        let mut delay = DeliveryDelay::default();
        assert!(delay.is_empty());
        let now = humantime::parse_rfc3339("2026-01-02T03:10:00Z").expect("a time");
        for second in 0..60 {
            delay.record(&format!("2026-01-02T03:09:{second:02}Z"), now);
        }
        delay.record("2025-01-01T00:00:00Z", now);
        delay.record("yesterday", now);
        delay.record("2026-01-02T03:11:00Z", now);
        let seconds = |percent| delay.percentile(percent).as_secs();
        assert_eq!((seconds(0), seconds(50), seconds(95)), (0, 30, 58));
        assert_eq!(seconds(100), MAX_DELAY_SECONDS);
    }
}
