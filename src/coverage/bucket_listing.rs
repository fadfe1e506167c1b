//! Lists the keys of a trail's bucket, and counts the calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use tokio::sync::Semaphore;

use super::key_layout::{ObjectTime, PairKeys, UtcDay, digest_time, log_file_time};
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// Number of concurrent calls. S3 allows at least 5,500 reads per second and prefix.
const MAX_CONCURRENT_CALLS: usize = 32;
/// If a page does not contain the newest log file, the next one starts this long ago. `CloudTrail` delivers about every
/// five minutes.
const SKIP_TO: Duration = Duration::from_secs(30 * 60);

/// A trail's bucket.
pub struct BucketKeys<'a> {
    /// Clients in the region of the bucket.
    aws: Aws,
    bucket: &'a str,
    /// The account that has to own the bucket; `None` for any account.
    owner: Option<&'a str>,
    pub(super) now: SystemTime,
    calls: AtomicUsize,
    permits: Semaphore,
}

/// A request for keys.
#[derive(Clone, Copy, Default)]
struct KeyRequest<'a> {
    prefix: &'a str,
    start_after: Option<&'a str>,
    token: Option<&'a str>,
    delimited: bool,
}

impl<'a> BucketKeys<'a> {
    /// Takes clients in the region of the bucket.
    #[must_use]
    pub fn new(aws: Aws, bucket: &'a str, owner: Option<&'a str>, now: SystemTime) -> Self {
        Self {
            aws,
            bucket,
            owner,
            now,
            calls: AtomicUsize::new(0),
            permits: Semaphore::new(MAX_CONCURRENT_CALLS),
        }
    }

    /// Returns the number of calls so far, without repeated attempts.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Returns the prefixes directly below a prefix.
    ///
    /// # Errors
    /// When AWS refuses a call.
    pub async fn prefixes(&self, prefix: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .page(KeyRequest {
                    prefix,
                    token: token.as_deref(),
                    delimited: true,
                    ..KeyRequest::default()
                })
                .await?;
            let names = page.common_prefixes.unwrap_or_default();
            found.extend(names.into_iter().filter_map(|name| name.prefix));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Returns the time of the newest log file since the beginning of a day.
    pub(super) async fn newest_log_file(
        &self,
        keys: &PairKeys<'_>,
        since: UtcDay,
    ) -> Result<Option<ObjectTime>> {
        let prefix = keys.log_files();
        let start = format!("{prefix}{}", since.path());
        let page = self
            .page(KeyRequest {
                prefix: &prefix,
                start_after: Some(&start),
                ..KeyRequest::default()
            })
            .await?;
        let mut newest = newest_in(&page, log_file_time);
        if page.next_continuation_token.is_none() {
            return Ok(newest);
        }
        // A busy account has more than a page. Names are in the order of their times, so most pages can be skipped.
        let skip_to = keys.before_minute(self.now.checked_sub(SKIP_TO).unwrap_or(self.now));
        let recent = self
            .page(KeyRequest {
                prefix: &prefix,
                start_after: Some(skip_to.as_str().max(&start)),
                ..KeyRequest::default()
            })
            .await?;
        let mut token = match newest_in(&recent, log_file_time) {
            Some(found) => {
                newest = newest.max(Some(found));
                recent.next_continuation_token
            }
            None => page.next_continuation_token,
        };
        while let Some(next) = token {
            let page = self
                .page(KeyRequest {
                    prefix: &prefix,
                    token: Some(&next),
                    ..KeyRequest::default()
                })
                .await?;
            newest = newest.max(newest_in(&page, log_file_time));
            token = page.next_continuation_token;
        }
        Ok(newest)
    }

    /// Returns the time of the newest log file of a pair without recent ones: finds the last year, month and day.
    pub(super) async fn newest_old_log_file(
        &self,
        keys: &PairKeys<'_>,
    ) -> Result<Option<ObjectTime>> {
        let mut prefix = keys.log_files();
        for _ in ["year", "month", "day"] {
            let Some(last) = self.prefixes(&prefix).await?.pop() else {
                return Ok(None);
            };
            prefix = last;
        }
        let mut newest = None;
        let mut token: Option<String> = None;
        loop {
            let page = self
                .page(KeyRequest {
                    prefix: &prefix,
                    token: token.as_deref(),
                    ..KeyRequest::default()
                })
                .await?;
            newest = newest.max(newest_in(&page, log_file_time));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(newest);
            }
        }
    }

    /// Returns the times of the oldest and the newest digest of a trail since the beginning of a day. There is one per hour
    /// and trail, so all are on one page.
    pub(super) async fn digests(
        &self,
        keys: &PairKeys<'_>,
        since: UtcDay,
        (trail, home_region): (&str, &str),
    ) -> Result<Option<(ObjectTime, ObjectTime)>> {
        let prefix = keys.digests();
        let start = format!("{prefix}{}", since.path());
        let page = self
            .page(KeyRequest {
                prefix: &prefix,
                start_after: Some(&start),
                ..KeyRequest::default()
            })
            .await?;
        let keys = page.contents().iter().filter_map(|object| object.key());
        let times = keys.filter_map(|key| digest_time(key, trail, home_region));
        Ok(times.fold(None, |range, time| match range {
            None => Some((time, time)),
            Some((oldest, newest)) => Some((time.min(oldest), time.max(newest))),
        }))
    }

    /// Passes the key and the size of every log file that was made in a period to `on_file`: one call for 1,000 files. Keys
    /// are in the order of their times.
    ///
    /// # Errors
    /// When AWS refuses a call.
    pub async fn log_files_between(
        &self,
        keys: &PairKeys<'_>,
        (start, end): (SystemTime, SystemTime),
        mut on_file: impl FnMut(&str, ObjectTime, u64),
    ) -> Result<()> {
        let prefix = keys.log_files();
        let (first, last) = (keys.before_minute(start), keys.before_minute(end));
        let mut token: Option<String> = None;
        loop {
            let page = self
                .page(KeyRequest {
                    prefix: &prefix,
                    start_after: Some(&first).filter(|_| token.is_none()).map(String::as_str),
                    token: token.as_deref(),
                    ..KeyRequest::default()
                })
                .await?;
            for object in page.contents() {
                let Some(key) = object.key() else { continue };
                if key >= last.as_str() {
                    return Ok(());
                }
                if let Some(time) = log_file_time(key) {
                    let size = object.size().and_then(|size| u64::try_from(size).ok());
                    on_file(key, time, size.unwrap_or_default());
                }
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    async fn page(&self, request: KeyRequest<'_>) -> Result<ListObjectsV2Output> {
        let _permit = self.permits.acquire().await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.aws
            .s3
            .list_objects_v2()
            .bucket(self.bucket)
            .set_expected_bucket_owner(self.owner.map(str::to_owned))
            .prefix(request.prefix)
            .set_start_after(request.start_after.map(str::to_owned))
            .set_continuation_token(request.token.map(str::to_owned))
            .set_delimiter(request.delimited.then(|| "/".to_owned()))
            .send()
            .await
            .context_for("s3:ListBucket", || {
                format!("list the log files in bucket {}", self.bucket)
            })
            .map_err(|error| match self.owner {
                None if error.is_denied() => error.with_hint(
                    "the bucket belongs to another account: let its bucket policy allow this account s3:ListBucket",
                ),
                _ => error,
            })
    }
}

fn newest_in(
    page: &ListObjectsV2Output,
    time: impl Fn(&str) -> Option<ObjectTime>,
) -> Option<ObjectTime> {
    let keys = page.contents().iter().filter_map(|object| object.key());
    keys.filter_map(time).max()
}
