//! The events that were shown lately, so that one delivered twice is shown once.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// As many as an hour of a busy organization has.
const DEFAULT_CAPACITY: usize = 100_000;

/// Remembers the newest ones only.
#[derive(Debug)]
pub struct RecentIds {
    ids: HashSet<u64>,
    order: VecDeque<u64>,
    capacity: usize,
}

impl Default for RecentIds {
    fn default() -> Self {
        Self::with_capacity(DEFAULT_CAPACITY)
    }
}

/// What stands for an event. One call seen by two accounts is two events.
#[must_use]
pub fn event_key(account: &str, event_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (account, event_id).hash(&mut hasher);
    hasher.finish()
}

impl RecentIds {
    /// So many at most, for which room is taken as they come.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            ids: HashSet::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    /// Whether it was not seen before; it is from now on.
    pub fn insert(&mut self, key: u64) -> bool {
        if !self.ids.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_insert_returns_false() {
        let mut seen = RecentIds::default();
        assert!(seen.insert(event_key("111122223333", "id")));
        assert!(!seen.insert(event_key("111122223333", "id")));
    }

    #[test]
    fn event_key_differs_by_account() {
        assert_ne!(
            event_key("111122223333", "id"),
            event_key("444455556666", "id")
        );
    }

    #[test]
    fn oldest_ids_are_forgotten() {
        let mut seen = RecentIds::with_capacity(100);
        for number in 0..=100 {
            assert!(seen.insert(event_key("111122223333", &number.to_string())));
        }
        assert_eq!((seen.order.len(), seen.ids.len()), (100, 100));
        assert!(!seen.insert(event_key("111122223333", "1")));
        assert!(seen.insert(event_key("111122223333", "0")));
    }
}
