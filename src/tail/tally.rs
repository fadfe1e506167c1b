//! What became of everything that came in. Nothing is lost without a word, and the sums say so.

use std::collections::BTreeMap;
use std::fmt;

use super::lag::Lag;

/// Everything that was seen, each thing counted once.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub records: Records,
    pub objects: Units,
    pub messages: Units,
    pub lag: Lag,
}

/// What became of records. `taken` is counted where they come in, and the rest where it is decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records {
    pub taken: u64,
    pub shown: u64,
    pub filtered: u64,
    pub duplicate: u64,
    pub unreadable: u64,
}

/// What became of messages, or of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Units {
    pub taken: u64,
    pub read: u64,
    /// By reason.
    pub skipped: BTreeMap<&'static str, u64>,
    pub failed: u64,
}

impl Tally {
    /// Whether all that came in is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.records.balances() && self.objects.balances() && self.messages.balances()
    }

    /// Whether something could not be read that should have been.
    #[must_use]
    pub fn has_trouble(&self) -> bool {
        self.records.unreadable + self.objects.failed + self.messages.failed > 0
    }
}

impl Records {
    #[must_use]
    pub fn balances(&self) -> bool {
        self.taken == self.shown + self.filtered + self.duplicate + self.unreadable
    }
}

impl Units {
    pub fn skip(&mut self, why: &'static str) {
        *self.skipped.entry(why).or_default() += 1;
    }

    #[must_use]
    pub fn skips(&self) -> u64 {
        self.skipped.values().sum()
    }

    #[must_use]
    pub fn balances(&self) -> bool {
        self.taken == self.read + self.skips() + self.failed
    }
}

impl fmt::Display for Records {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} in = {} shown + {} filtered + {} duplicate + {} unreadable",
            self.taken, self.shown, self.filtered, self.duplicate, self.unreadable
        )
    }
}

impl fmt::Display for Units {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} in = {} read + {} skipped + {} failed",
            self.taken,
            self.read,
            self.skips(),
            self.failed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_that_is_not_accounted_for_shows() {
        let mut tally = Tally::default();
        assert!(tally.balances());
        tally.records.taken += 1;
        assert!(!tally.balances());
        tally.records.filtered += 1;
        assert!(tally.balances());
        tally.objects.taken += 2;
        tally.objects.skip("a digest");
        assert!(!tally.balances());
        tally.objects.failed += 1;
        assert!(tally.balances());
        tally.messages.read += 1;
        assert!(!tally.balances());
    }

    #[test]
    fn it_is_told_as_a_sum() {
        let mut objects = Units {
            taken: 4,
            read: 1,
            failed: 1,
            ..Units::default()
        };
        objects.skip("a digest");
        objects.skip("a digest");
        assert_eq!(objects.to_string(), "4 in = 1 read + 2 skipped + 1 failed");
        let records = Records {
            taken: 10,
            shown: 4,
            filtered: 3,
            duplicate: 2,
            unreadable: 1,
        };
        assert_eq!(
            records.to_string(),
            "10 in = 4 shown + 3 filtered + 2 duplicate + 1 unreadable"
        );
    }
}
