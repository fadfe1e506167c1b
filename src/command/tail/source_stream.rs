//! Where events come from: as records, or as objects that are told of.

use crate::error::{Error, Result};
use crate::tail::Arrival;
use crate::tail::object_reader::ObjectReader;
use crate::tail::source::log_group::LogGroupPoller;

pub(super) enum SourceStream<'a> {
    Objects(ObjectReader<'a>),
    LogGroup(Box<LogGroupPoller<'a>>),
}

impl SourceStream<'_> {
    /// Whether nothing may be asked for that is not wanted.
    pub fn is_metered(&self) -> bool {
        matches!(self, Self::Objects(reader) if reader.is_metered())
    }

    /// Why nothing is known at the moment of what has come.
    pub fn last_error(&self) -> Option<&Error> {
        match self {
            Self::Objects(_) => None,
            Self::LogGroup(group) => group.last_error(),
        }
    }

    /// Nothing when nothing more can come.
    pub async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        match self {
            Self::Objects(reader) => reader.next().await,
            Self::LogGroup(group) => group.next().await.map(Some),
        }
    }
}
