//! Deduplication: remembers recent event IDs, so that an event that is delivered twice is shown once.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Approximate number of events per hour in a busy organization.
const DEFAULT_CAPACITY: usize = 100_000;

/// A set of the most recent IDs. The oldest ID is removed when the capacity is reached.
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

/// The key of an event. An API call that two accounts record counts as two events.
#[must_use]
pub fn event_key(account: &str, event_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (account, event_id).hash(&mut hasher);
    hasher.finish()
}

impl RecentIds {
    /// Creates a set with a maximum size. Memory is allocated as needed.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            ids: HashSet::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    /// Adds an ID. Returns true if the ID was not in the set.
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
        let mut recent = RecentIds::default();
        assert!(recent.insert(event_key("111122223333", "id")));
        assert!(!recent.insert(event_key("111122223333", "id")));
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
        let mut recent = RecentIds::with_capacity(100);
        for number in 0..=100 {
            assert!(recent.insert(event_key("111122223333", &number.to_string())));
        }
        assert_eq!((recent.order.len(), recent.ids.len()), (100, 100));
        assert!(!recent.insert(event_key("111122223333", "1")));
        assert!(recent.insert(event_key("111122223333", "0")));
    }
}
