//! What arrives: messages, the objects they announce, and the records in them.
//!
//! From the bytes of an object to a line it goes `unpack`, `window`, `walk` (with `scan`), `object`, `record` (with
//! `members`, `shape` and `actor`), `filter`, `press`; `crew` does so on all cores for objects that lie on this machine
//! (`files`). Messages are read by `notice`. What became of everything is counted in a `tally`.

pub mod account_names;
pub mod dedup;
pub mod delivery_delay;
mod fetch;
pub mod filter;
pub mod formatter;
pub mod object_reader;
pub mod source;
pub mod stats;
pub mod worker_pool;

use std::time::SystemTime;

use self::source::heeler_queue::ReceiveLimitReached;
use crate::cloudtrail::log_file::LogFileSource;

/// What a tally has a sum for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsUnit {
    Message,
    Object,
}

/// One thing that came out of a message.
pub enum Arrival {
    /// One record, from a log group, and when it came there.
    Record { text: String, at: SystemTime },
    /// Records, as they were packed.
    Object {
        unit: StatsUnit,
        name: String,
        data: LogFileSource,
    },
    /// A record that the pipeline's own filter leaves out.
    Filtered,
    /// A message or object that was read to its end.
    Read(StatsUnit),
    Skipped {
        unit: StatsUnit,
        reason: &'static str,
        name: String,
    },
    /// It should have been shown and could not be. What is no unit comes again.
    Failed {
        unit: Option<StatsUnit>,
        name: String,
        cause: String,
        hint: Option<String>,
    },
    /// For the sake of this message nothing more is read.
    ReceiveLimitReached(ReceiveLimitReached),
}

/// Where objects may be fetched from: a message that names another bucket is not believed.
#[derive(Clone, Debug)]
pub struct LogBucket {
    pub bucket: String,
    pub owner: String,
}
