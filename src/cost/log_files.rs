//! Measures the log files of a period: lists the keys of the accounts, or of a part of them, and reads a sample of the files.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt};

use super::event_sample::{CountingSink, EventSample};
use super::file_sample::{FileSample, SampledFile};
use super::period::MeasuredPeriod;
use super::to_f64;
use crate::aws::Aws;
use crate::cloudtrail::log_file::{LogFileSource, ReadLimits, read_records};
use crate::cloudtrail::s3_notification::S3Object;
use crate::coverage::key_layout::{PairKeys, is_account_id, last_segment};
use crate::coverage::{BucketKeys, TrailBucket};
use crate::error::Result;
use crate::filter_pattern::FilterPattern;
use crate::tail::source::LogBucket;
use crate::tail::source::object_fetcher::{DownloadEvent, DownloadLimits, ObjectFetcher};

/// Number of accounts that are listed at the same time. The number of calls has its own limit.
const MAX_CONCURRENT_ACCOUNTS: usize = 16;
/// No further account is listed after this number of calls.
const MAX_LIST_CALLS: usize = 10_000;
/// No further file is downloaded after this number of compressed bytes.
const MAX_DOWNLOADED_BYTES: u64 = 100 * 1024 * 1024;
const DOWNLOAD_LIMITS: DownloadLimits = DownloadLimits {
    max_object_bytes: MAX_DOWNLOADED_BYTES,
    give_up_after: std::time::Duration::from_secs(60),
};
const READ_LIMITS: ReadLimits = ReadLimits {
    max_file_bytes: 1024 * 1024 * 1024,
    max_bytes_in_memory: 64 * 1024 * 1024,
};

/// The part of a trail's log files to measure.
#[derive(Clone, Debug)]
pub struct LogFileLimits {
    pub period: MeasuredPeriod,
    /// The largest number of accounts to list.
    pub max_accounts: usize,
    /// The filter of the events that Heeler receives.
    pub filter: Arc<FilterPattern>,
}

/// A step of the measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFileProgress {
    Listed { done: usize, total: usize },
    Read { done: usize, total: usize },
}

/// The log files of a day, and a sample of their events.
#[derive(Clone, Debug, PartialEq)]
pub struct LogFileVolume {
    /// Accounts with log files.
    pub accounts: usize,
    /// Accounts whose keys were listed.
    pub listed_accounts: usize,
    /// Log files of the listed accounts.
    pub listed_files: u64,
    /// Log files of all accounts.
    pub files_per_day: f64,
    /// Compressed bytes of all accounts.
    pub bytes_per_day: f64,
    /// Pairs of account and region that have log files at any time, of all accounts.
    pub pairs: f64,
    /// Half of the 95 % confidence interval of the bytes, as a share of them; `None` if every account was listed.
    pub uncertainty: Option<f64>,
    pub first_file: Option<SystemTime>,
    pub events: EventSample,
    /// Files of the sample that could not be read because of their content.
    pub damaged_files: usize,
    pub list_calls: usize,
    pub get_calls: usize,
    pub downloaded_bytes: u64,
}

/// The log files of one account, or the sums of several.
#[derive(Clone, Debug, Default)]
struct ListedFiles {
    files: u64,
    bytes: u64,
    pairs: u64,
    first_file: Option<SystemTime>,
    sample: FileSample,
}

impl ListedFiles {
    fn merge(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.pairs += other.pairs;
        let times = self.first_file.into_iter().chain(other.first_file);
        self.first_file = times.min();
        self.sample.merge(other.sample);
    }
}

/// Measures the log files of a trail.
///
/// # Errors
/// When AWS refuses a call.
pub async fn measure_log_files(
    aws: &Aws,
    target: &TrailBucket,
    limits: &LogFileLimits,
    mut on_progress: impl FnMut(LogFileProgress),
) -> Result<LogFileVolume> {
    let aws = aws.in_region(&target.bucket_region);
    let keys = BucketKeys::new(
        aws.clone(),
        &target.bucket,
        target.bucket_owner.as_deref(),
        limits.period.end,
    );
    let prefixes = keys.prefixes(&target.log_prefix).await?;
    let folders = prefixes.iter().map(|prefix| last_segment(prefix));
    let accounts: Vec<&str> = folders.filter(|folder| is_account_id(folder)).collect();
    let selected = select_evenly(&accounts, limits.max_accounts);
    let mut all = ListedFiles::default();
    let mut bytes_of_accounts = Vec::new();
    let mut reads = stream::iter(&selected)
        .map(async |account| {
            if keys.calls() >= MAX_LIST_CALLS {
                return Ok(None);
            }
            let listed = list_account(&keys, target, account, limits.period).await;
            listed.map(Some)
        })
        .buffer_unordered(MAX_CONCURRENT_ACCOUNTS);
    while let Some(listed) = reads.next().await {
        let Some(listed) = listed? else { continue };
        bytes_of_accounts.push(to_f64(listed.bytes));
        all.merge(listed);
        on_progress(LogFileProgress::Listed {
            done: bytes_of_accounts.len(),
            total: selected.len(),
        });
    }
    drop(reads);
    let listed_accounts = bytes_of_accounts.len();
    let factor = if listed_accounts == 0 {
        1.0
    } else {
        to_f64(accounts.len() as u64) / to_f64(listed_accounts as u64)
    };
    let sample = all.sample.into_files();
    let read = read_sample(&aws, target, limits, (sample, all.files), on_progress).await?;
    Ok(LogFileVolume {
        accounts: accounts.len(),
        listed_accounts,
        listed_files: all.files,
        files_per_day: to_f64(all.files) * factor,
        bytes_per_day: to_f64(all.bytes) * factor,
        pairs: to_f64(all.pairs) * factor,
        uncertainty: uncertainty(&bytes_of_accounts, accounts.len()),
        first_file: all.first_file,
        list_calls: keys.calls(),
        ..read
    })
}

/// Returns at most `max` items at equal distances.
fn select_evenly<'a>(items: &[&'a str], max: usize) -> Vec<&'a str> {
    if items.len() <= max {
        return items.to_vec();
    }
    let selected = (0..max).filter_map(|number| items.get(number * items.len() / max));
    selected.copied().collect()
}

/// Returns half of the 95 % confidence interval of a total, as a share of it, from a part of the values.
fn uncertainty(values: &[f64], total: usize) -> Option<f64> {
    let count = to_f64(values.len() as u64);
    if values.len() < 2 || values.len() >= total {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    let variance = squares.sum::<f64>() / (count - 1.0);
    let unlisted_share = 1.0 - count / to_f64(total as u64);
    (mean > 0.0).then(|| 1.96 * (variance / count * unlisted_share).sqrt() / mean)
}

async fn list_account(
    keys: &BucketKeys<'_>,
    target: &TrailBucket,
    account: &str,
    period: MeasuredPeriod,
) -> Result<ListedFiles> {
    let pair = |region| PairKeys {
        log_prefix: &target.log_prefix,
        account,
        region,
    };
    let regions = keys.prefixes(&pair("").log_regions()).await?;
    let reads = regions.iter().map(async |region| {
        let mut listed = ListedFiles {
            pairs: 1,
            ..ListedFiles::default()
        };
        let pair = pair(last_segment(region));
        let range = (period.start, period.end);
        keys.log_files_between(&pair, range, |key, time, bytes| {
            listed.files += 1;
            listed.bytes += bytes;
            listed.first_file.get_or_insert(time.to_system_time());
            listed.sample.offer(key, bytes);
        })
        .await
        .map(|()| listed)
    });
    let mut all = ListedFiles::default();
    for listed in try_join_all(reads).await? {
        all.merge(listed);
    }
    Ok(all)
}

/// Reads the files of a sample. The result has no listing.
async fn read_sample(
    aws: &Aws,
    target: &TrailBucket,
    limits: &LogFileLimits,
    (sample, listed_files): (Vec<SampledFile>, u64),
    mut on_progress: impl FnMut(LogFileProgress),
) -> Result<LogFileVolume> {
    let mut downloaded_bytes = 0;
    let selected: Vec<&SampledFile> = sample
        .iter()
        .take_while(|file| {
            downloaded_bytes += file.bytes;
            downloaded_bytes <= MAX_DOWNLOADED_BYTES
        })
        .collect();
    let has_all = to_f64(listed_files) <= to_f64(selected.len() as u64);
    let log_bucket = LogBucket {
        bucket: target.bucket.clone(),
        owner: target.bucket_owner.clone().unwrap_or_default(),
    };
    let mut fetcher = ObjectFetcher::new(aws, log_bucket, DOWNLOAD_LIMITS);
    fetcher.enqueue(selected.iter().map(|file| S3Object {
        bucket: target.bucket.clone(),
        key: file.key.clone(),
        region: None,
        size: None,
    }));
    let mut found = LogFileVolume {
        accounts: 0,
        listed_accounts: 0,
        listed_files,
        files_per_day: 0.0,
        bytes_per_day: 0.0,
        pairs: 0.0,
        uncertainty: None,
        first_file: None,
        events: EventSample::default(),
        damaged_files: 0,
        list_calls: 0,
        get_calls: selected.len(),
        downloaded_bytes: selected.iter().map(|file| file.bytes).sum(),
    };
    let mut done = 0;
    while let Some(event) = fetcher.next().await {
        let DownloadEvent::Finished(download) = event else {
            continue;
        };
        let sink = CountingSink::new(Arc::clone(&limits.filter));
        let data = download.data?;
        let read = tokio::task::spawn_blocking(move || count_events(data, sink));
        let counts = read.await.ok().flatten();
        let file = selected.iter().find(|file| file.key == download.object.key);
        match (counts, file) {
            (Some(counts), Some(file)) if has_all => found.events.add_all(counts, file.bytes),
            (Some(counts), Some(file)) => found.events.add_by_size(counts, file.bytes),
            _ => found.damaged_files += 1,
        }
        done += 1;
        on_progress(LogFileProgress::Read {
            done,
            total: selected.len(),
        });
    }
    Ok(found)
}

/// Counts the events of a file; `None` if the file is damaged.
fn count_events(
    source: LogFileSource,
    mut sink: CountingSink,
) -> Option<super::event_sample::EventCounts> {
    let read = read_records(source, READ_LIMITS, &mut sink);
    read.ok().map(|()| sink.counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_selected_at_equal_distances() {
        let items = ["0", "1", "2", "3", "4", "5", "6"];
        assert_eq!(select_evenly(&items, 3), ["0", "2", "4"]);
        assert_eq!(select_evenly(&items, 7), items);
        assert_eq!(select_evenly(&items, 100), items);
        assert!(select_evenly(&items, 0).is_empty());
    }

    #[test]
    fn uncertainty_needs_a_part_of_the_accounts() {
        assert_eq!(uncertainty(&[1.0, 2.0], 2), None);
        assert_eq!(uncertainty(&[1.0], 9), None);
        assert_eq!(uncertainty(&[0.0, 0.0], 9), None);
        // The standard deviation is 1, so that half of the interval is 1.96 / sqrt(4) * sqrt(1 - 4 / 16).
        let found = uncertainty(
            &[
                9.0,
                11.0,
                10.0 + 1_f64 / 2_f64.sqrt(),
                10.0 - 1_f64 / 2_f64.sqrt(),
            ],
            16,
        );
        let expected = 0.98 * 0.75_f64.sqrt() / 10.0;
        assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?}");
    }
}
