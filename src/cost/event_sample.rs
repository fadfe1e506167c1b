//! A sample of real events: their number and size, the share that matches a filter, and events that are too large for
//! `CloudTrail` to deliver outside of log files. Pure.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::to_f64;
use crate::cloudtrail::log_file::RecordSink;
use crate::filter_pattern::FilterPattern;

/// The largest event that `CloudTrail` sends to `CloudWatch` Logs and to event buses. Source: "Quotas in
/// `CloudTrail`", <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>.
pub const MAX_DELIVERED_EVENT_BYTES: usize = 256 * 1024;

/// The events of one log file, or of a page of a log group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    pub events: u64,
    /// The length of the events as JSON text.
    pub text_bytes: u64,
    /// Events that match the filter.
    pub matching: u64,
    /// Events that are larger than [`MAX_DELIVERED_EVENT_BYTES`].
    pub oversized: u64,
}

impl EventCounts {
    /// Adds one event.
    pub fn add(&mut self, text: &str, filter: &FilterPattern) {
        self.events += 1;
        self.text_bytes += text.len() as u64;
        self.matching += u64::from(filter.matches_text(text));
        self.oversized += u64::from(text.len() > MAX_DELIVERED_EVENT_BYTES);
    }
}

/// A sink that counts the events of a log file.
#[derive(Clone, Debug)]
pub(super) struct CountingSink {
    pub counts: EventCounts,
    filter: Arc<FilterPattern>,
}

impl CountingSink {
    pub fn new(filter: Arc<FilterPattern>) -> Self {
        Self {
            counts: EventCounts::default(),
            filter,
        }
    }
}

impl RecordSink for CountingSink {
    fn push(&mut self, text: &str) -> ControlFlow<()> {
        self.counts.add(text, &self.filter);
        ControlFlow::Continue(())
    }

    fn flush(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// The events of all sampled files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventSample {
    /// Files that were read.
    pub files: u64,
    pub events: u64,
    pub oversized: u64,
    /// Sums over the files, each file with its weight.
    weighted_events: f64,
    weighted_text_bytes: f64,
    weighted_matching: f64,
    /// Compressed bytes, with the same weights; 0 for a sample without files.
    weighted_file_bytes: f64,
}

impl EventSample {
    /// Adds a file of a sample in which a file is selected with a probability proportional to its compressed size. The
    /// ratios of such files have the same weight (the estimator of Hansen and Hurwitz).
    pub fn add_by_size(&mut self, counts: EventCounts, file_bytes: u64) {
        let weight = 1.0 / to_f64(file_bytes.max(1));
        self.add(counts, file_bytes, weight);
    }

    /// Adds a file of a sample that has all files.
    pub fn add_all(&mut self, counts: EventCounts, file_bytes: u64) {
        self.add(counts, file_bytes, 1.0);
    }

    /// Adds events that are not in a file.
    pub fn add_events(&mut self, counts: EventCounts) {
        self.add(counts, 0, 1.0);
        self.files = 0;
    }

    fn add(&mut self, counts: EventCounts, file_bytes: u64, weight: f64) {
        self.files += 1;
        self.events += counts.events;
        self.oversized += counts.oversized;
        self.weighted_events += to_f64(counts.events) * weight;
        self.weighted_text_bytes += to_f64(counts.text_bytes) * weight;
        self.weighted_matching += to_f64(counts.matching) * weight;
        self.weighted_file_bytes += to_f64(file_bytes) * weight;
    }

    /// Returns the number of events per compressed byte.
    #[must_use]
    pub fn events_per_byte(&self) -> Option<f64> {
        ratio(self.weighted_events, self.weighted_file_bytes)
    }

    /// Returns the average size of an event.
    #[must_use]
    pub fn bytes_per_event(&self) -> Option<f64> {
        ratio(self.weighted_text_bytes, self.weighted_events)
    }

    /// Returns the share of events that match the filter.
    #[must_use]
    pub fn matching_share(&self) -> Option<f64> {
        ratio(self.weighted_matching, self.weighted_events)
    }

    /// Returns the compressed size divided by the uncompressed size.
    #[must_use]
    pub fn compression(&self) -> Option<f64> {
        let ratio = ratio(self.weighted_file_bytes, self.weighted_text_bytes);
        ratio.filter(|ratio| *ratio > 0.0)
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_filter_and_size() {
        let filter = FilterPattern::parse("{ $.readOnly IS FALSE }").unwrap();
        let mut sink = CountingSink::new(Arc::new(filter));
        let limit = MAX_DELIVERED_EVENT_BYTES;
        let padded = |length: usize| {
            let (start, end) = (r#"{"readOnly":false,"x":""#, r#""}"#);
            format!(
                "{start}{}{end}",
                "x".repeat(length - start.len() - end.len())
            )
        };
        let texts = [
            r#"{"readOnly":true}"#.to_owned(),
            padded(limit),
            padded(limit + 1),
        ];
        for text in &texts {
            assert!(sink.push(text).is_continue());
        }
        let expected = EventCounts {
            events: 3,
            text_bytes: texts.iter().map(|text| text.len() as u64).sum(),
            matching: 2,
            oversized: 1,
        };
        assert_eq!(sink.counts, expected);
    }

    #[test]
    fn empty_sample_has_no_ratios() {
        let empty = EventSample::default();
        let ratios = [
            empty.events_per_byte(),
            empty.bytes_per_event(),
            empty.matching_share(),
            empty.compression(),
        ];
        assert_eq!(ratios, [None; 4]);
        let mut events = EventSample::default();
        events.add_events(EventCounts {
            events: 4,
            text_bytes: 400,
            matching: 1,
            oversized: 0,
        });
        assert_eq!(events.bytes_per_event(), Some(100.0));
        assert_eq!(events.matching_share(), Some(0.25));
        assert_eq!(
            (events.events_per_byte(), events.compression()),
            (None, None)
        );
        assert_eq!((events.files, events.events), (0, 4));
    }
}
