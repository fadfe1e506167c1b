//! The items that a source of events produces.

use std::time::SystemTime;

use crate::cloudtrail::log_file::LogFileSource;
use crate::error::Error;
use crate::tail::source::heeler_queue::ReceiveLimitReached;

/// The unit that an item is counted as in the statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsUnit {
    Message,
    Object,
}

/// An item that a source produced.
pub enum Arrival {
    /// One record of a log group, with the time of its ingestion.
    Record { text: String, at: SystemTime },
    /// A log file that is not read yet.
    Object {
        unit: StatsUnit,
        name: String,
        data: LogFileSource,
    },
    /// A record that Heeler's event filter excludes.
    Filtered,
    /// A message or object that was read completely.
    Read(StatsUnit),
    Skipped {
        unit: StatsUnit,
        reason: &'static str,
        name: String,
    },
    /// A message or object that could not be read.
    Failed {
        /// The unit of the failure; `None` if all events were read nevertheless.
        unit: Option<StatsUnit>,
        /// A sentence such as "cannot read OBJECT".
        problem: String,
        cause: String,
        hint: Option<String>,
    },
    /// A download that failed and is repeated. The error has no hint.
    Repeated(Error),
    /// The message that stopped the reading, because it has been received too often.
    ReceiveLimitReached(ReceiveLimitReached),
}
