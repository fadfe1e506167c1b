//! A stream of arrivals from any source.

use super::read_loop::ArrivalSource;
use crate::error::Result;
use crate::tail::arrival::Arrival;
use crate::tail::source::log_group::LogGroupPoller;
use crate::tail::source::object_reader::ObjectReader;

pub(super) enum SourceStream<'a> {
    Objects(Box<ObjectReader<'a>>),
    LogGroup(Box<LogGroupPoller<'a>>),
}

impl ArrivalSource for SourceStream<'_> {
    fn is_metered(&self) -> bool {
        matches!(self, Self::Objects(reader) if reader.is_metered())
    }

    fn has_answered(&self) -> bool {
        match self {
            Self::Objects(reader) => reader.has_answered(),
            Self::LogGroup(group) => group.has_answered(),
        }
    }

    async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        match self {
            Self::Objects(reader) => reader.next().await,
            Self::LogGroup(group) => group.next().await.map(Some),
        }
    }
}
