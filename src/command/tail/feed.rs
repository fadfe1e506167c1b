//! Where events come from: as records, or as objects that are told of.

use crate::error::{Error, Result};
use crate::tail::Arrival;
use crate::tail::log_group::LogGroup;
use crate::tail::reader::Reader;

pub(super) enum Feed<'a> {
    Objects(Reader<'a>),
    LogGroup(Box<LogGroup<'a>>),
}

impl Feed<'_> {
    /// Whether nothing may be asked for that is not wanted.
    pub fn is_sparing(&self) -> bool {
        matches!(self, Self::Objects(reader) if reader.is_sparing())
    }

    /// Why nothing is known at the moment of what has come.
    pub fn trouble(&self) -> Option<&Error> {
        match self {
            Self::Objects(_) => None,
            Self::LogGroup(group) => group.trouble(),
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
