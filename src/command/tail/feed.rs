//! Where events come from, each in its own way.

use crate::aws::Aws;
use crate::error::Result;
use crate::tail::Arrival;
use crate::tail::log_group::LogGroup;
use crate::tail::reader::Reader;
use crate::tail::tap::Tap;

pub(super) enum Feed<'a> {
    Tap { reader: Reader<'a>, tap: &'a Tap },
    Bucket(Reader<'a>),
    HeelersQueue(Reader<'a>),
    LogGroup(Box<LogGroup<'a>>),
}

impl Feed<'_> {
    /// Nothing when nothing more can come.
    pub async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        match self {
            Self::Tap { reader, .. } | Self::Bucket(reader) | Self::HeelersQueue(reader) => {
                reader.next().await
            }
            Self::LogGroup(group) => group.next().await.map(Some),
        }
    }

    /// Tells others that the queue is in use.
    pub async fn keep(&self, aws: &Aws) -> Result<()> {
        match self {
            Self::Tap { tap, .. } => tap.keep(aws).await,
            Self::Bucket(_) | Self::HeelersQueue(_) | Self::LogGroup(_) => Ok(()),
        }
    }
}
