//! A sample of log files in which large files are more likely, of a fixed size in memory. Pure.
//!
//! The algorithm is A-Res of Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006). The random number
//! of a file is a hash of its key, so that two runs select the same files.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::to_f64;

/// Number of files in a sample.
const MAX_FILES: usize = 100;

/// A log file of the sample.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SampledFile {
    pub key: String,
    /// Compressed size.
    pub bytes: u64,
    rank: f64,
}

/// Up to [`MAX_FILES`] files, those with the highest rank first.
#[derive(Clone, Debug, Default)]
pub(super) struct FileSample(Vec<SampledFile>);

impl FileSample {
    /// Offers a file to the sample. Empty files are ignored.
    pub fn offer(&mut self, key: &str, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let rank = uniform(key).ln() / to_f64(bytes);
        if self.0.len() == MAX_FILES && self.0.last().is_some_and(|last| last.rank >= rank) {
            return;
        }
        self.insert(SampledFile {
            key: key.to_owned(),
            bytes,
            rank,
        });
    }

    /// Adds the files of a sample of other files.
    pub fn merge(&mut self, other: Self) {
        for file in other.0 {
            self.insert(file);
        }
    }

    fn insert(&mut self, file: SampledFile) {
        let position = self.0.partition_point(|known| known.rank > file.rank);
        self.0.insert(position, file);
        self.0.truncate(MAX_FILES);
    }

    /// Returns the files.
    pub fn into_files(self) -> Vec<SampledFile> {
        self.0
    }
}

/// Returns a number above 0 and up to 1 that looks random.
fn uniform(key: &str) -> f64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    // An f64 has 53 significant bits.
    let bits = hasher.finish() >> 11;
    (to_f64(bits) + 1.0) / to_f64(1 << 53)
}

#[cfg(test)]
mod tests {
    use super::super::event_sample::{EventCounts, EventSample};
    use super::*;

    /// Files of which a few have most of the events, and large files have a lower share of matching events.
    fn files() -> Vec<(String, u64, EventCounts)> {
        let file = |number: u64| {
            let events = if number.is_multiple_of(50) {
                20_000
            } else {
                3 + number % 40
            };
            let matching = if events > 1_000 {
                events / 20
            } else {
                events / 3
            };
            let counts = EventCounts {
                events,
                text_bytes: events * 1_700 + 40,
                matching,
                oversized: 0,
            };
            (format!("key-{number}"), events * 150 + 300, counts)
        };
        (0..20_000).map(file).collect()
    }

    #[test]
    fn sample_estimates_totals_of_skewed_files() {
        let files = files();
        let mut sample = FileSample::default();
        let mut parts = [FileSample::default(), FileSample::default()];
        for (number, (key, bytes, _)) in files.iter().enumerate() {
            sample.offer(key, *bytes);
            parts[number % 2].offer(key, *bytes);
        }
        let [mut merged, other] = parts;
        merged.merge(other);
        let sampled = sample.into_files();
        assert_eq!(sampled, merged.into_files());
        assert_eq!(sampled.len(), MAX_FILES);
        let mut events = EventSample::default();
        for file in &sampled {
            let found = files.iter().find(|(key, _, _)| *key == file.key);
            events.add_by_size(found.unwrap().2, file.bytes);
        }
        let total =
            |value: fn(&(String, u64, EventCounts)) -> u64| to_f64(files.iter().map(value).sum());
        let all_events = total(|file| file.2.events);
        let estimate = total(|file| file.1) * events.events_per_byte().unwrap();
        assert!(
            (estimate / all_events - 1.0).abs() < 0.05,
            "{estimate} {all_events}"
        );
        let share = events.matching_share().unwrap() / (total(|file| file.2.matching) / all_events);
        assert!((share - 1.0).abs() < 0.15, "{share}");
        let size = events.bytes_per_event().unwrap();
        assert!((size - 1_700.0).abs() < 10.0, "{size}");
    }

    #[test]
    fn sample_of_few_files_has_all_of_them() {
        let mut sample = FileSample::default();
        for (key, bytes) in [("a", 10), ("b", 0), ("c", 1)] {
            sample.offer(key, bytes);
        }
        let mut keys: Vec<String> = sample
            .into_files()
            .into_iter()
            .map(|file| file.key)
            .collect();
        keys.sort();
        assert_eq!(keys, ["a", "c"]);
    }

    #[test]
    fn random_numbers_are_in_their_range() {
        let numbers: Vec<f64> = (0..1_000)
            .map(|number| uniform(&number.to_string()))
            .collect();
        assert!(numbers.iter().all(|number| *number > 0.0 && *number <= 1.0));
        let mean = numbers.iter().sum::<f64>() / 1_000.0;
        assert!((mean - 0.5).abs() < 0.05, "{mean}");
    }
}
