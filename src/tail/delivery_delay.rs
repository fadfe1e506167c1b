//! How late events arrive: from the time of the call to that at which it was seen here.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

/// Later ones count as this late, which bounds how many values are told apart.
const MAX_DELAY_SECONDS: u64 = 86_400;

/// Counts by the second.
#[derive(Clone, Debug, Default)]
pub struct DeliveryDelay {
    counts_by_second: BTreeMap<u64, u64>,
    count: u64,
}

impl DeliveryDelay {
    /// Takes in an event by its time as written. What has none that can be read does not count.
    pub fn record(&mut self, event_time: &str, now: SystemTime) {
        let Ok(then) = humantime::parse_rfc3339(event_time) else {
            return;
        };
        // The clock of this machine may be slow.
        let late = now.duration_since(then).unwrap_or_default().as_secs();
        *self
            .counts_by_second
            .entry(late.min(MAX_DELAY_SECONDS))
            .or_default() += 1;
        self.count += 1;
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How late so many of a hundred are at most.
    #[must_use]
    pub fn percentile(&self, of_hundred: u64) -> Duration {
        let wanted = (self.count * of_hundred).div_ceil(100).max(1);
        let mut sum = 0;
        let found = self.counts_by_second.iter().find(|(_, count)| {
            sum += **count;
            sum >= wanted
        });
        Duration::from_secs(found.map_or(0, |(seconds, _)| *seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_ignore_events_without_a_time() {
        let mut lag = DeliveryDelay::default();
        assert!(lag.is_empty());
        let now = humantime::parse_rfc3339("2026-01-02T03:10:00Z").expect("a time");
        for second in 0..60 {
            lag.record(&format!("2026-01-02T03:09:{second:02}Z"), now);
        }
        lag.record("2025-01-01T00:00:00Z", now);
        lag.record("yesterday", now);
        lag.record("2026-01-02T03:11:00Z", now);
        let seconds = |of_hundred| lag.percentile(of_hundred).as_secs();
        assert_eq!((seconds(0), seconds(50), seconds(95)), (0, 30, 58));
        assert_eq!(seconds(100), MAX_DELAY_SECONDS);
    }
}
