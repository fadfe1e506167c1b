//! The sources that `tail` reads events from.

pub mod bucket_listing;
pub mod heeler_queue;
pub mod local_files;
pub mod log_group;
pub mod object_fetcher;
pub mod object_reader;
mod queue_lock;
pub mod stale_queues;
pub mod temporary_queue;

/// A kind of source. Each delivery option lists the kinds that it supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A temporary queue that is subscribed to the topic.
    Queue,
    /// A periodic listing of the log objects in the bucket.
    Bucket,
    /// The log group that the trail delivers to.
    LogGroup,
    /// Heeler's own queue.
    HeelerQueue,
}

impl SourceKind {
    /// The value of `--source`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Bucket => "bucket",
            Self::LogGroup => "log-group",
            Self::HeelerQueue => "heeler-queue",
        }
    }
}

/// The bucket that log objects are fetched from. Messages that name another bucket are skipped.
#[derive(Clone, Debug)]
pub struct LogBucket {
    pub bucket: String,
    /// Account ID of the bucket's owner.
    pub owner: String,
}
