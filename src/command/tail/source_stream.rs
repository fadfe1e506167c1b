//! A stream of arrivals from any source.

use crate::error::Result;
use crate::tail::arrival::Arrival;
use crate::tail::source::log_group::LogGroupPoller;
use crate::tail::source::object_reader::ObjectReader;

pub(super) enum SourceStream<'a> {
    Objects(Box<ObjectReader<'a>>),
    LogGroup(Box<LogGroupPoller<'a>>),
}

impl SourceStream<'_> {
    /// Returns true if each poll has a cost, so that the next one must wait until everything is printed.
    pub fn is_metered(&self) -> bool {
        matches!(self, Self::Objects(reader) if reader.is_metered())
    }

    /// The next arrivals; `None` if the source has ended.
    pub async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        match self {
            Self::Objects(reader) => reader.next().await,
            Self::LogGroup(group) => group.next().await.map(Some),
        }
    }
}
