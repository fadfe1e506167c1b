//! Downloads log objects concurrently and returns them in the order in which they were requested.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::LogBucket;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::cloudtrail::log_file::LogFileSource;
use crate::cloudtrail::s3_notification::S3Object;
use crate::error::{Error, Result};
use crate::tail::retry::RetrySchedule;

/// Number of concurrent downloads.
pub const MAX_IN_FLIGHT: usize = 16;
/// Maximum memory per downloaded object. Larger objects are stored in an anonymous temporary file.
const MAX_BYTES_IN_MEMORY: usize = 1024 * 1024;
/// Maximum number of attempts if the connection is lost during a download.
const MAX_ATTEMPTS: u32 = 3;

/// A downloaded object that is not decompressed yet.
pub struct FetchedObject {
    pub object: S3Object,
    pub data: Result<LogFileSource>,
}

/// Limits of a download.
#[derive(Clone, Copy, Debug)]
pub struct DownloadLimits {
    /// Maximum size of an object. Larger objects are rejected.
    pub max_object_bytes: u64,
    /// Maximum time for which a download is retried after transient errors.
    pub give_up_after: Duration,
}

/// A queue of downloads.
pub struct ObjectFetcher<'a> {
    aws: &'a Aws,
    log_bucket: LogBucket,
    limits: DownloadLimits,
    pending: VecDeque<S3Object>,
    in_flight: FuturesOrdered<BoxFuture<'a, FetchedObject>>,
    reporter: OutageReporter,
    notices: mpsc::UnboundedReceiver<Error>,
}

/// An event that the queue of downloads returns.
pub enum DownloadEvent {
    Finished(FetchedObject),
    /// The error of the first failed download of an outage. The download will be retried.
    Repeated(Error),
}

/// Reports the first failed download of an outage.
#[derive(Clone)]
struct OutageReporter {
    is_reported: Arc<AtomicBool>,
    notices: mpsc::UnboundedSender<Error>,
}

impl OutageReporter {
    fn record_failure(&self, error: &Error) {
        if !self.is_reported.swap(true, Ordering::Relaxed) {
            // The send cannot fail, because the receiver is dropped after all senders.
            let _ = self.notices.send(error.clone());
        }
    }

    fn record_success(&self) {
        self.is_reported.store(false, Ordering::Relaxed);
    }
}

impl<'a> ObjectFetcher<'a> {
    #[must_use]
    pub fn new(aws: &'a Aws, log_bucket: LogBucket, limits: DownloadLimits) -> Self {
        let (sender, notices) = mpsc::unbounded_channel();
        Self {
            aws,
            log_bucket,
            limits,
            pending: VecDeque::new(),
            in_flight: FuturesOrdered::new(),
            reporter: OutageReporter {
                is_reported: Arc::default(),
                notices: sender,
            },
            notices,
        }
    }

    pub fn enqueue(&mut self, objects: impl IntoIterator<Item = S3Object>) {
        self.pending.extend(objects);
    }

    /// Returns true if an additional object would have to wait before its download starts.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.pending.len() >= MAX_IN_FLIGHT
    }

    /// Returns true if no download is pending or in progress.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty() && self.in_flight.is_empty()
    }

    /// Returns the next event, or `None` if there is nothing to download. This method is cancel safe.
    pub async fn next(&mut self) -> Option<DownloadEvent> {
        while self.in_flight.len() < MAX_IN_FLIGHT
            && let Some(object) = self.pending.pop_front()
        {
            let fetch = fetch_object(
                self.aws,
                self.log_bucket.clone(),
                self.limits,
                object,
                self.reporter.clone(),
            );
            self.in_flight.push_back(Box::pin(fetch));
        }
        if self.in_flight.is_empty() {
            return None;
        }
        tokio::select! {
            biased;
            Some(error) = self.notices.recv() => Some(DownloadEvent::Repeated(error)),
            fetched = self.in_flight.next() => fetched.map(DownloadEvent::Finished),
        }
    }
}

async fn fetch_object(
    aws: &Aws,
    log_bucket: LogBucket,
    limits: DownloadLimits,
    object: S3Object,
    reporter: OutageReporter,
) -> FetchedObject {
    let mut schedule = RetrySchedule::new(limits.give_up_after);
    let data = loop {
        match download(aws, &log_bucket, limits.max_object_bytes, &object).await {
            Err(error) if error.is_transient() => match schedule.record_failure() {
                Some(delay) => {
                    reporter.record_failure(&error);
                    sleep(delay).await;
                }
                None => break Err(error),
            },
            data => {
                reporter.record_success();
                break data;
            }
        }
    };
    FetchedObject { object, data }
}

/// Downloads an object and retries if the connection is lost. The SDK does not retry after it has returned the body.
async fn download(
    aws: &Aws,
    log_bucket: &LogBucket,
    max_bytes: u64,
    object: &S3Object,
) -> Result<LogFileSource> {
    let operation = || format!("read object {}", object.key);
    let mut attempt = 1;
    loop {
        let body = get_object(aws, log_bucket, object).await?;
        match buffer_body(body, max_bytes).await {
            Err(DownloadError::ConnectionLost(_)) if attempt < MAX_ATTEMPTS => attempt += 1,
            data => return data.map_err(|error| Error::failed(operation(), error.to_string())),
        }
    }
}

async fn get_object(aws: &Aws, log_bucket: &LogBucket, object: &S3Object) -> Result<ByteStream> {
    let found = aws
        .s3
        .get_object()
        .bucket(&log_bucket.bucket)
        .key(&object.key)
        .set_expected_bucket_owner(Some(log_bucket.owner.clone()).filter(|owner| !owner.is_empty()))
        .send()
        .await
        .context_for("s3:GetObject", || format!("read object {}", object.key))?;
    Ok(found.body)
}

/// The reason why a download failed.
#[derive(Debug, PartialEq, Eq)]
enum DownloadError {
    ConnectionLost(String),
    TooLarge(u64),
    TempFile(String),
}

impl fmt::Display for DownloadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionLost(reason) => write!(
                out,
                "the connection was lost during the download, {MAX_ATTEMPTS} times: {reason}"
            ),
            Self::TooLarge(limit) => write!(out, "the object is larger than {limit} bytes"),
            Self::TempFile(reason) => {
                write!(out, "it cannot be stored in a temporary file: {reason}")
            }
        }
    }
}

/// Reads the body into memory, or into a temporary file if it is large.
async fn buffer_body(
    mut body: ByteStream,
    max_bytes: u64,
) -> std::result::Result<LogFileSource, DownloadError> {
    let (mut bytes, mut file, mut length) = (Vec::new(), None::<File>, 0);
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| DownloadError::ConnectionLost(error.to_string()))?;
        length += chunk.len() as u64;
        if length > max_bytes {
            return Err(DownloadError::TooLarge(max_bytes));
        }
        if file.is_none() && bytes.len() + chunk.len() > MAX_BYTES_IN_MEMORY {
            let mut temp_file = tempfile::tempfile().map_err(|error| temp_file_error(&error))?;
            temp_file
                .write_all(&bytes)
                .map_err(|error| temp_file_error(&error))?;
            bytes = Vec::new();
            file = Some(temp_file);
        }
        match &mut file {
            Some(file) => file
                .write_all(&chunk)
                .map_err(|error| temp_file_error(&error))?,
            None => bytes.extend_from_slice(&chunk),
        }
    }
    Ok(file.map_or(LogFileSource::Bytes(bytes), LogFileSource::TempFile))
}

fn temp_file_error(error: &io::Error) -> DownloadError {
    DownloadError::TempFile(error.to_string())
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
            panic!("the object is in memory");
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
