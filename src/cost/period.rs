//! The period of 24 hours that stands for the days of a month. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(86_400);
/// The beginning of a period without log files from which the trail is likely to be younger than the period.
const MIN_QUIET_START: Duration = Duration::from_secs(3 * 3_600);

/// A period of 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeasuredPeriod {
    pub start: SystemTime,
    pub end: SystemTime,
}

impl MeasuredPeriod {
    /// Returns the day that starts at a time, or the last 24 hours until the end of the current minute.
    #[must_use]
    pub fn new(day: Option<SystemTime>, now: SystemTime) -> Self {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let end = UNIX_EPOCH + Duration::from_secs((seconds / 60 + 1) * 60);
        let start = day.unwrap_or_else(|| end.checked_sub(DAY).unwrap_or(UNIX_EPOCH));
        Self {
            start,
            end: start + DAY,
        }
    }

    /// Returns true if more than half of the period is on a Saturday or Sunday in UTC.
    #[must_use]
    pub fn is_mostly_weekend(self) -> bool {
        let middle = self.start + DAY / 2;
        let days = middle
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
            / DAY.as_secs();
        // 1970-01-01 was a Thursday.
        matches!((days + 4) % 7, 0 | 6)
    }

    /// Returns true if the first log file is so late that earlier ones may be missing.
    #[must_use]
    pub fn starts_late(self, first_file: SystemTime) -> bool {
        let quiet = first_file.duration_since(self.start);
        quiet.is_ok_and(|quiet| quiet > MIN_QUIET_START)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SystemTime {
        humantime::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn weekend_is_saturday_and_sunday() {
        for (start, is_weekend) in [
            ("2026-11-27T00:00:00Z", false),
            ("2026-11-28T00:00:00Z", true),
            ("2026-11-29T00:00:00Z", true),
            ("2026-11-30T00:00:00Z", false),
            // From Friday 10:00 to Saturday 10:00, and from 14:00 to 14:00.
            ("2026-11-27T10:00:00Z", false),
            ("2026-11-27T14:00:00Z", true),
        ] {
            let period = MeasuredPeriod::new(Some(at(start)), SystemTime::now());
            assert_eq!(period.is_mostly_weekend(), is_weekend, "{start}");
        }
    }

    #[test]
    fn period_is_the_last_day_by_default() {
        let now = at("2026-11-28T09:59:01Z");
        let period = MeasuredPeriod::new(None, now);
        assert_eq!(period.start, at("2026-11-27T10:00:00Z"));
        assert_eq!(period.end, at("2026-11-28T10:00:00Z"));
        assert!(!period.starts_late(at("2026-11-27T12:00:00Z")));
        assert!(period.starts_late(at("2026-11-27T13:01:00Z")));
        assert!(!period.starts_late(at("2026-11-26T00:00:00Z")));
    }
}
