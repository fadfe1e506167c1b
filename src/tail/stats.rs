//! Statistics: every message, object and record is counted once, so that the counts add up.

use std::collections::BTreeMap;
use std::fmt;

use super::delivery_delay::DeliveryDelay;

/// The statistics of a run.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub records: RecordCounts,
    pub objects: UnitCounts,
    pub messages: UnitCounts,
    pub delivery_delay: DeliveryDelay,
}

/// Counts of records. `received` is counted on arrival. The other counts change when the result for a record is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    pub received: u64,
    pub shown: u64,
    pub filtered: u64,
    pub duplicate: u64,
    pub unreadable: u64,
}

/// Counts of messages or objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitCounts {
    pub received: u64,
    pub read: u64,
    /// Counts by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    pub failed: u64,
}

impl Stats {
    /// Returns true if the counts add up.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.records.is_consistent()
            && self.objects.is_consistent()
            && self.messages.is_consistent()
    }

    /// Returns true if a record, an object or a message could not be read.
    #[must_use]
    pub fn has_failures(&self) -> bool {
        self.records.unreadable + self.objects.failed + self.messages.failed > 0
    }
}

impl RecordCounts {
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.received == self.shown + self.filtered + self.duplicate + self.unreadable
    }
}

impl UnitCounts {
    pub fn add_skipped(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    #[must_use]
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.received == self.read + self.skipped_total() + self.failed
    }
}

/// Writes `6 (5 shown, 1 filtered)`: the total, and the counts that are not zero.
impl fmt::Display for RecordCounts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.shown, "shown"),
            (self.filtered, "filtered"),
            (self.duplicate, "duplicate"),
            (self.unreadable, "unreadable"),
        ];
        write_counts(out, self.received, parts)
    }
}

/// Writes `3 (2 read, 1 skipped)`: the total, and the counts that are not zero.
impl fmt::Display for UnitCounts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.read, "read"),
            (self.skipped_total(), "skipped"),
            (self.failed, "failed"),
        ];
        write_counts(out, self.received, parts)
    }
}

fn write_counts<const N: usize>(
    out: &mut fmt::Formatter<'_>,
    total: u64,
    parts: [(u64, &str); N],
) -> fmt::Result {
    write!(out, "{total}")?;
    let shown = parts.iter().filter(|(count, _)| *count > 0);
    let shown: Vec<String> = shown
        .map(|(count, label)| format!("{count} {label}"))
        .collect();
    if shown.is_empty() {
        return Ok(());
    }
    write!(out, " ({})", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_counts_are_inconsistent() {
        let mut tally = Stats::default();
        assert!(tally.is_consistent());
        tally.records.received += 1;
        assert!(!tally.is_consistent());
        tally.records.filtered += 1;
        assert!(tally.is_consistent());
        tally.objects.received += 2;
        tally.objects.add_skipped("a digest");
        assert!(!tally.is_consistent());
        tally.objects.failed += 1;
        assert!(tally.is_consistent());
        tally.messages.read += 1;
        assert!(!tally.is_consistent());
    }

    #[test]
    fn counts_are_displayed_as_a_sum() {
        let mut objects = UnitCounts {
            received: 4,
            read: 1,
            failed: 1,
            ..UnitCounts::default()
        };
        objects.add_skipped("a digest");
        objects.add_skipped("a digest");
        assert_eq!(objects.to_string(), "4 (1 read, 2 skipped, 1 failed)");
        let records = RecordCounts {
            received: 10,
            shown: 4,
            filtered: 3,
            duplicate: 2,
            unreadable: 1,
        };
        assert_eq!(
            records.to_string(),
            "10 (4 shown, 3 filtered, 2 duplicate, 1 unreadable)"
        );
    }
}
