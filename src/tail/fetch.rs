//! Log objects, fetched several at a time and given out in the order in which they were asked for.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};

use aws_sdk_s3::primitives::ByteStream;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};

use super::Source;
use super::notice::Object;
use super::object::Packed;
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::error::{Error, Result};

/// Objects that are fetched at the same time.
pub const IN_FLIGHT: usize = 16;
/// What an object may hold of memory while it waits; the rest of a larger one waits in a file without a name.
const IN_MEMORY: usize = 1024 * 1024;
/// How often an object is asked for whose connection breaks off.
const ATTEMPTS: u32 = 3;

/// An object that is here, still packed.
pub struct Fetched {
    pub object: Object,
    pub packed: Result<Packed>,
}

pub struct Fetcher<'a> {
    aws: &'a Aws,
    source: Source,
    /// Packed or not: an object with more bytes is refused.
    largest: u64,
    due: VecDeque<Object>,
    under_way: FuturesOrdered<BoxFuture<'a, Fetched>>,
}

impl<'a> Fetcher<'a> {
    #[must_use]
    pub fn new(aws: &'a Aws, source: Source, largest: u64) -> Self {
        Self {
            aws,
            source,
            largest,
            due: VecDeque::new(),
            under_way: FuturesOrdered::new(),
        }
    }

    pub fn ask_for(&mut self, objects: impl IntoIterator<Item = Object>) {
        self.due.extend(objects);
    }

    /// Whether more would only wait.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.due.len() >= IN_FLIGHT
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.due.is_empty() && self.under_way.is_empty()
    }

    /// The next object; nothing when none is asked for. Whoever stops waiting loses nothing.
    pub async fn next(&mut self) -> Option<Fetched> {
        while self.under_way.len() < IN_FLIGHT
            && let Some(object) = self.due.pop_front()
        {
            let fetch = fetch(self.aws, self.source.clone(), self.largest, object);
            self.under_way.push_back(Box::pin(fetch));
        }
        self.under_way.next().await
    }
}

async fn fetch(aws: &Aws, source: Source, largest: u64, object: Object) -> Fetched {
    Fetched {
        packed: packed(aws, &source, largest, &object).await,
        object,
    }
}

/// Asks again when the connection breaks off in the middle of an object, which the SDK leaves to its caller.
async fn packed(aws: &Aws, source: &Source, largest: u64, object: &Object) -> Result<Packed> {
    let doing = || format!("read object {}", object.key);
    let mut attempt = 1;
    loop {
        let body = body(aws, source, object).await?;
        match keep(body, largest).await {
            Err(Lost::BrokenOff(_)) if attempt < ATTEMPTS => attempt += 1,
            kept => return kept.map_err(|why| Error::unanswered(doing(), why.to_string())),
        }
    }
}

async fn body(aws: &Aws, source: &Source, object: &Object) -> Result<ByteStream> {
    let found = aws
        .s3
        .get_object()
        .bucket(&source.bucket)
        .key(&object.key)
        .expected_bucket_owner(&source.owner)
        .send()
        .await
        .doing("s3:GetObject", || format!("read object {}", object.key))?;
    Ok(found.body)
}

/// Why an object that was found is not here.
#[derive(Debug, PartialEq, Eq)]
enum Lost {
    BrokenOff(String),
    TooLarge(u64),
    NoRoom(String),
}

impl fmt::Display for Lost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenOff(why) => write!(
                out,
                "the connection broke off in the middle of it, {ATTEMPTS} times: {why}"
            ),
            Self::TooLarge(most) => write!(out, "the object is larger than {most} bytes"),
            Self::NoRoom(why) => write!(
                out,
                "there is no room for it in the folder of temporary files: {why}"
            ),
        }
    }
}

/// Keeps what comes, in memory as far as there is room.
async fn keep(mut body: ByteStream, largest: u64) -> std::result::Result<Packed, Lost> {
    let (mut bytes, mut file, mut length) = (Vec::new(), None::<File>, 0);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|why| Lost::BrokenOff(why.to_string()))?;
        length += piece.len() as u64;
        if length > largest {
            return Err(Lost::TooLarge(largest));
        }
        if file.is_none() && bytes.len() + piece.len() > IN_MEMORY {
            let mut kept = tempfile::tempfile().map_err(|why| no_room(&why))?;
            kept.write_all(&bytes).map_err(|why| no_room(&why))?;
            bytes = Vec::new();
            file = Some(kept);
        }
        match &mut file {
            Some(file) => file.write_all(&piece).map_err(|why| no_room(&why))?,
            None => bytes.extend_from_slice(&piece),
        }
    }
    Ok(file.map_or(Packed::Bytes(bytes), Packed::Kept))
}

fn no_room(why: &io::Error) -> Lost {
    Lost::NoRoom(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_small_object_stays_in_memory_and_a_large_one_does_not() {
        let small = keep(ByteStream::from(vec![1; IN_MEMORY]), u64::MAX).await;
        assert!(matches!(small, Ok(Packed::Bytes(bytes)) if bytes.len() == IN_MEMORY));
        let large = keep(ByteStream::from(vec![1; IN_MEMORY + 1]), u64::MAX).await;
        let Ok(Packed::Kept(file)) = large else {
            panic!("it is in memory");
        };
        assert_eq!(file.metadata().unwrap().len(), IN_MEMORY as u64 + 1);
    }

    #[tokio::test]
    async fn an_object_over_the_limit_is_refused() {
        let refused = keep(ByteStream::from(vec![1; 11]), 10).await;
        assert!(matches!(refused, Err(Lost::TooLarge(10))));
    }
}
