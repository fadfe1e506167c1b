//! Log objects, fetched several at a time and given out in the order in which they were asked for.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};

use aws_sdk_s3::primitives::ByteStream;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};

use super::LogBucket;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::cloudtrail::log_file::LogFileSource;
use crate::cloudtrail::s3_notification::S3Object;
use crate::error::{Error, Result};

/// Objects that are fetched at the same time.
pub const MAX_IN_FLIGHT: usize = 16;
/// What an object may hold of memory while it waits; the rest of a larger one waits in a file without a name.
const MAX_BYTES_IN_MEMORY: usize = 1024 * 1024;
/// How often an object is asked for whose connection breaks off.
const MAX_ATTEMPTS: u32 = 3;

/// An object that is here, still packed.
pub struct FetchedObject {
    pub object: S3Object,
    pub data: Result<LogFileSource>,
}

pub struct ObjectFetcher<'a> {
    aws: &'a Aws,
    log_bucket: LogBucket,
    /// Packed or not: an object with more bytes is refused.
    max_object_bytes: u64,
    pending: VecDeque<S3Object>,
    in_flight: FuturesOrdered<BoxFuture<'a, FetchedObject>>,
}

impl<'a> ObjectFetcher<'a> {
    #[must_use]
    pub fn new(aws: &'a Aws, log_bucket: LogBucket, max_object_bytes: u64) -> Self {
        Self {
            aws,
            log_bucket,
            max_object_bytes,
            pending: VecDeque::new(),
            in_flight: FuturesOrdered::new(),
        }
    }

    pub fn enqueue(&mut self, objects: impl IntoIterator<Item = S3Object>) {
        self.pending.extend(objects);
    }

    /// Whether more would only wait.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.pending.len() >= MAX_IN_FLIGHT
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.in_flight.is_empty()
    }

    /// The next object; nothing when none is asked for. Whoever stops waiting loses nothing.
    pub async fn next(&mut self) -> Option<FetchedObject> {
        while self.in_flight.len() < MAX_IN_FLIGHT
            && let Some(object) = self.pending.pop_front()
        {
            let fetch = fetch_object(
                self.aws,
                self.log_bucket.clone(),
                self.max_object_bytes,
                object,
            );
            self.in_flight.push_back(Box::pin(fetch));
        }
        self.in_flight.next().await
    }
}

async fn fetch_object(
    aws: &Aws,
    source: LogBucket,
    largest: u64,
    object: S3Object,
) -> FetchedObject {
    FetchedObject {
        data: download_with_retry(aws, &source, largest, &object).await,
        object,
    }
}

/// Asks again when the connection breaks off in the middle of an object, which the SDK leaves to its caller.
async fn download_with_retry(
    aws: &Aws,
    source: &LogBucket,
    largest: u64,
    object: &S3Object,
) -> Result<LogFileSource> {
    let doing = || format!("read object {}", object.key);
    let mut attempt = 1;
    loop {
        let body = get_object(aws, source, object).await?;
        match buffer_body(body, largest).await {
            Err(DownloadError::ConnectionLost(_)) if attempt < MAX_ATTEMPTS => attempt += 1,
            kept => return kept.map_err(|why| Error::failed(doing(), why.to_string())),
        }
    }
}

async fn get_object(aws: &Aws, source: &LogBucket, object: &S3Object) -> Result<ByteStream> {
    let found = aws
        .s3
        .get_object()
        .bucket(&source.bucket)
        .key(&object.key)
        .expected_bucket_owner(&source.owner)
        .send()
        .await
        .context_for("s3:GetObject", || format!("read object {}", object.key))?;
    Ok(found.body)
}

/// Why an object that was found is not here.
#[derive(Debug, PartialEq, Eq)]
enum DownloadError {
    ConnectionLost(String),
    TooLarge(u64),
    TempFile(String),
}

impl fmt::Display for DownloadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionLost(why) => write!(
                out,
                "the connection broke off in the middle of it, {MAX_ATTEMPTS} times: {why}"
            ),
            Self::TooLarge(most) => write!(out, "the object is larger than {most} bytes"),
            Self::TempFile(why) => write!(
                out,
                "there is no room for it in the folder of temporary files: {why}"
            ),
        }
    }
}

/// Keeps what comes, in memory as far as there is room.
async fn buffer_body(
    mut body: ByteStream,
    largest: u64,
) -> std::result::Result<LogFileSource, DownloadError> {
    let (mut bytes, mut file, mut length) = (Vec::new(), None::<File>, 0);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|why| DownloadError::ConnectionLost(why.to_string()))?;
        length += piece.len() as u64;
        if length > largest {
            return Err(DownloadError::TooLarge(largest));
        }
        if file.is_none() && bytes.len() + piece.len() > MAX_BYTES_IN_MEMORY {
            let mut kept = tempfile::tempfile().map_err(|why| temp_file_error(&why))?;
            kept.write_all(&bytes)
                .map_err(|why| temp_file_error(&why))?;
            bytes = Vec::new();
            file = Some(kept);
        }
        match &mut file {
            Some(file) => file
                .write_all(&piece)
                .map_err(|why| temp_file_error(&why))?,
            None => bytes.extend_from_slice(&piece),
        }
    }
    Ok(file.map_or(LogFileSource::Bytes(bytes), LogFileSource::TempFile))
}

fn temp_file_error(why: &io::Error) -> DownloadError {
    DownloadError::TempFile(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_objects_are_buffered_in_a_file() {
        let small = buffer_body(ByteStream::from(vec![1; MAX_BYTES_IN_MEMORY]), u64::MAX).await;
        assert!(
            matches!(small, Ok(LogFileSource::Bytes(bytes)) if bytes.len() == MAX_BYTES_IN_MEMORY)
        );
        let large = buffer_body(ByteStream::from(vec![1; MAX_BYTES_IN_MEMORY + 1]), u64::MAX).await;
        let Ok(LogFileSource::TempFile(file)) = large else {
            panic!("it is in memory");
        };
        assert_eq!(
            file.metadata().unwrap().len(),
            MAX_BYTES_IN_MEMORY as u64 + 1
        );
    }

    #[tokio::test]
    async fn object_over_the_size_limit_is_rejected() {
        let refused = buffer_body(ByteStream::from(vec![1; 11]), 10).await;
        assert!(matches!(refused, Err(DownloadError::TooLarge(10))));
    }
}
