//! The events that were shown lately, so that one delivered twice is shown once.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// As many as an hour of a busy organization has.
const USUALLY: usize = 100_000;

/// Remembers the newest ones only.
#[derive(Debug)]
pub struct Seen {
    known: HashSet<u64>,
    order: VecDeque<u64>,
    most: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self::remembering(USUALLY)
    }
}

/// What stands for an event. One call seen by two accounts is two events.
#[must_use]
pub fn key(account: &str, event_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (account, event_id).hash(&mut hasher);
    hasher.finish()
}

impl Seen {
    /// So many at most, for which room is taken as they come.
    #[must_use]
    pub fn remembering(most: usize) -> Self {
        Self {
            known: HashSet::new(),
            order: VecDeque::new(),
            most,
        }
    }

    /// Whether it was not seen before; it is from now on.
    pub fn is_new(&mut self, key: u64) -> bool {
        if !self.known.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.is_new(key("111122223333", "id")));
        assert!(!seen.is_new(key("111122223333", "id")));
    }

    #[test]
    fn one_call_seen_by_two_accounts_is_two_events() {
        assert_ne!(key("111122223333", "id"), key("444455556666", "id"));
    }

    #[test]
    fn only_the_newest_are_remembered() {
        let mut seen = Seen::remembering(100);
        for number in 0..=100 {
            assert!(seen.is_new(key("111122223333", &number.to_string())));
        }
        assert_eq!((seen.order.len(), seen.known.len()), (100, 100));
        assert!(!seen.is_new(key("111122223333", "1")));
        assert!(seen.is_new(key("111122223333", "0")));
    }
}
