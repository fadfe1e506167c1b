//! Looks for the canary in the log files of the trail's bucket. Only files that are newer than the canary are read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::sleep;

use super::canary::Canary;
use super::retry::retry_transient;
use super::sighting::SightingBoard;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::cloudtrail::log_file::{LogFileSource, ReadLimits, RecordSink, read_records};
use crate::cloudtrail::object_key::skip_reason;
use crate::cloudtrail::s3_notification::S3Object;
use crate::error::Result;
use crate::tail::source::LogBucket;
use crate::tail::source::bucket_listing::{day_paths, key_timestamp, timestamp_of_key};
use crate::tail::source::object_fetcher::{DownloadEvent, DownloadLimits, ObjectFetcher};

/// Interval between listings of a region.
const POLL_INTERVAL: Duration = Duration::from_secs(10);
/// The timestamp in the name of a log file may be earlier than its newest event. The sample digest file of CloudTrail has a
/// difference of 7.5 minutes. The clock of this machine may differ from AWS's clock as well. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(15 * 60);
/// The period after the call in which log files are read. It limits a late search for an earlier canary.
const SEARCH_PERIOD: Duration = Duration::from_secs(6 * 3_600);
const LIMITS: DownloadLimits = DownloadLimits {
    max_object_bytes: 1024 * 1024 * 1024,
    give_up_after: Duration::from_secs(300),
};
const READ_LIMITS: ReadLimits = ReadLimits {
    max_file_bytes: 4 * 1024 * 1024 * 1024,
    max_bytes_in_memory: 64 * 1024 * 1024,
};

/// The log files of one account.
#[derive(Clone, Debug)]
pub(super) struct AccountLogFiles {
    pub log_bucket: LogBucket,
    /// Key prefix of the account, with a slash at the end.
    prefix: String,
    account: String,
}

/// A log file that a listing returned.
#[derive(Clone, Debug)]
pub(super) struct ListedFile {
    pub key: String,
    pub last_modified: Option<SystemTime>,
}

impl AccountLogFiles {
    /// `(bucket, owner, log_prefix)` are those of [`VerifyPlan::log_files`](super::VerifyPlan::log_files).
    pub fn new((bucket, owner, log_prefix): (&str, &str, &str), account: &str) -> Self {
        Self {
            log_bucket: LogBucket {
                bucket: bucket.to_owned(),
                owner: owner.to_owned(),
            },
            prefix: format!("{log_prefix}{account}/CloudTrail/"),
            account: account.to_owned(),
        }
    }

    /// The key prefix of a region, with a slash at the end.
    fn region_prefix(&self, region: &str) -> String {
        format!("{}{region}/", self.prefix)
    }

    /// Returns true if the key has the prefix of the account.
    pub fn contains(&self, key: &str) -> bool {
        key.starts_with(&self.prefix)
    }

    /// Lists the log files of a region that were created in a period.
    ///
    /// # Errors
    /// If the bucket cannot be listed.
    pub async fn list(
        &self,
        aws: &Aws,
        region: &str,
        from: SystemTime,
        to: SystemTime,
    ) -> Result<Vec<ListedFile>> {
        let last_timestamp = key_timestamp(to);
        let mut files = Vec::new();
        for day in day_paths(from, to) {
            let prefix = format!("{}{day}/", self.region_prefix(region));
            let first = format!(
                "{prefix}{}_CloudTrail_{region}_{}",
                self.account,
                key_timestamp(from)
            );
            let call = aws.s3.list_objects_v2().bucket(&self.log_bucket.bucket);
            let call = call.expected_bucket_owner(&self.log_bucket.owner);
            let call = call.prefix(prefix).start_after(first);
            let mut pages = call.into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.context_for("s3:ListBucket", || {
                    format!("list the log files in bucket {}", self.log_bucket.bucket)
                })?;
                for object in page.contents.unwrap_or_default() {
                    let Some(key) = object.key else { continue };
                    if skip_reason(&key).is_none() && timestamp_of_key(&key) <= &*last_timestamp {
                        let last_modified = object.last_modified;
                        files.push(ListedFile {
                            key,
                            last_modified: last_modified.and_then(|time| time.try_into().ok()),
                        });
                    }
                }
            }
        }
        Ok(files)
    }

    /// Downloads log files concurrently and passes the records of each to a sink.
    ///
    /// # Errors
    /// If a file cannot be downloaded. A damaged file counts as a file without records.
    pub async fn read<S: RecordSink + Send + 'static>(
        &self,
        aws: &Aws,
        keys: impl IntoIterator<Item = String>,
        sink: impl Fn() -> S,
    ) -> Result<Vec<(String, S)>> {
        let mut fetcher = ObjectFetcher::new(aws, self.log_bucket.clone(), LIMITS);
        fetcher.enqueue(keys.into_iter().map(|key| S3Object {
            bucket: self.log_bucket.bucket.clone(),
            key,
            region: None,
            size: None,
        }));
        let mut read = Vec::new();
        while let Some(event) = fetcher.next().await {
            let DownloadEvent::Finished(download) = event else {
                continue;
            };
            let source = download.data?;
            let sink = sink();
            let records = tokio::task::spawn_blocking(move || read_all(source, sink));
            if let Ok(sink) = records.await {
                read.push((download.object.key, sink));
            }
        }
        Ok(read)
    }
}

fn read_all<S: RecordSink>(source: LogFileSource, mut sink: S) -> S {
    // A damaged file cannot show the canary.
    let _ = read_records(source, READ_LIMITS, &mut sink);
    sink
}

/// A sink that looks for a text.
struct TextSearch {
    text: String,
    is_found: bool,
}

impl RecordSink for TextSearch {
    fn push(&mut self, record: &str) -> ControlFlow<()> {
        self.is_found = record.contains(&self.text);
        if self.is_found {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn flush(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// The announced log files, and those that contain the canary. A notification is seen when it announces a log file that
/// contains the canary.
#[derive(Default)]
pub(super) struct AnnouncedFiles {
    state: Mutex<AnnouncedState>,
    changed: Notify,
}

#[derive(Default)]
struct AnnouncedState {
    /// Keys of announced files, with the age of the canary.
    announced: BTreeMap<String, Duration>,
    /// Keys of the files that contain the canary, with the region.
    found: BTreeMap<String, String>,
}

impl AnnouncedFiles {
    /// Records that a notification announced an object. Objects other than log files are ignored.
    pub fn announce(&self, key: &str, age: Duration, board: &SightingBoard<'_>) {
        if skip_reason(key).is_some() {
            return;
        }
        let region = {
            let mut state = self.lock();
            state.announced.entry(key.to_owned()).or_insert(age);
            state.found.get(key).cloned()
        };
        self.changed.notify_waiters();
        if let Some(region) = region {
            record_notification(board, &region, age, key);
        }
    }

    /// Records that a log file contains the canary.
    fn record_found(&self, key: &str, region: &str, board: &SightingBoard<'_>) {
        let age = {
            let mut state = self.lock();
            state.found.insert(key.to_owned(), region.to_owned());
            state.announced.get(key).copied()
        };
        if let Some(age) = age {
            record_notification(board, region, age, key);
        }
    }

    /// The announced keys with a prefix that are not among the known ones.
    fn unknown_keys(&self, prefix: &str, known: &BTreeSet<String>) -> Vec<String> {
        let state = self.lock();
        let keys = state.announced.keys();
        keys.filter(|key| key.starts_with(prefix) && !known.contains(*key))
            .cloned()
            .collect()
    }

    /// Waits until a file with this prefix is announced that is not among the known ones.
    async fn wait_for_unknown(&self, prefix: &str, known: &BTreeSet<String>) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if !self.unknown_keys(prefix, known).is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, AnnouncedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record_notification(board: &SightingBoard<'_>, region: &str, age: Duration, key: &str) {
    let name = key.rsplit('/').next().unwrap_or(key);
    let observed = format!("announces {name}");
    board.record_seen("notification", Some(region), Some(age), observed, None);
}

/// Returns the earliest timestamp of a log file that may contain an event of this time.
fn search_start(sent_at: SystemTime) -> SystemTime {
    let start = sent_at.checked_sub(CLOCK_TOLERANCE);
    start.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Reads new log files of a region until one of them contains the canary.
pub(super) async fn observe(
    aws: &Aws,
    files: &AccountLogFiles,
    region: &str,
    canary: &Canary,
    announced: &AnnouncedFiles,
    board: &SightingBoard<'_>,
) -> Result<()> {
    let from = search_start(canary.id.sent_at());
    let prefix = files.region_prefix(region);
    let mut known = BTreeSet::new();
    loop {
        let to = SystemTime::now().min(canary.id.sent_at() + SEARCH_PERIOD);
        let listed = retry_transient(async || files.list(aws, region, from, to).await).await?;
        let times: BTreeMap<String, Option<SystemTime>> = listed
            .into_iter()
            .map(|file| (file.key, file.last_modified))
            .collect();
        let mut keys = announced.unknown_keys(&prefix, &known);
        keys.extend(times.keys().filter(|key| !known.contains(*key)).cloned());
        known.extend(keys.iter().cloned());
        let keys: BTreeSet<String> = keys.into_iter().collect();
        let search = || TextSearch {
            text: canary.id.app_name(),
            is_found: false,
        };
        let read = files.read(aws, keys, search).await?;
        if let Some((key, _)) = read.into_iter().find(|(_, search)| search.is_found) {
            let delivered = times.get(&key).copied().flatten();
            let after = match delivered {
                Some(time) => canary.age_at(time),
                None => canary.age(),
            };
            let name = key.rsplit('/').next().unwrap_or(&key);
            let observed = format!("in {name}");
            board.record_seen("log_file", Some(region), Some(after), observed, Some(&key));
            announced.record_found(&key, region, board);
            return Ok(());
        }
        tokio::select! {
            () = sleep(POLL_INTERVAL) => {}
            () = announced.wait_for_unknown(&prefix, &known) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::ObservationPoint;

    const KEY: &str = "AWSLogs/o-1/111122223333/CloudTrail/us-east-1/2026/11/27/111122223333_CloudTrail_us-east-1_20261127T2105Z_A.json.gz";

    fn board() -> SightingBoard<'static> {
        let topic = ObservationPoint::Notification { topic: "t".into() };
        SightingBoard::new(&[topic], &["us-east-1".to_owned()], |_| {})
    }

    #[test]
    fn notification_needs_announcement_and_log_file() {
        for announced_first in [true, false] {
            let (files, board) = (AnnouncedFiles::default(), board());
            let age = Duration::from_secs(7);
            files.announce("other", age, &board);
            if announced_first {
                files.announce(KEY, age, &board);
                assert!(!board.is_seen("notification"));
                files.record_found(KEY, "us-east-1", &board);
            } else {
                files.record_found(KEY, "us-east-1", &board);
                assert!(!board.is_seen("notification"));
                files.announce(KEY, age, &board);
            }
            assert_eq!(board.sightings()[0].after, Some(age));
        }
    }

    #[test]
    fn announced_objects_other_than_log_files_are_ignored() {
        let (files, board) = (AnnouncedFiles::default(), board());
        let prefix = "AWSLogs/o-1/111122223333/CloudTrail/us-east-1/";
        for name in [
            "",
            "notes.txt",
            "\u{1b}[2J.json.gz",
            "111122223333_CloudTrail-Digest_us-east-1_t_us-east-1_20261127T2105Z.json.gz",
        ] {
            let key = format!("{prefix}{name}");
            files.announce(&key, Duration::from_secs(7), &board);
            assert!(files.unknown_keys("", &BTreeSet::new()).is_empty(), "{key}");
        }
        files.announce(KEY, Duration::from_secs(7), &board);
        assert_eq!(files.unknown_keys(prefix, &BTreeSet::new()), [KEY]);
    }

    /// The log file and the newest event of the sample digest file of CloudTrail.
    #[test]
    fn search_includes_log_file_older_than_event() {
        let newest_event = SystemTime::UNIX_EPOCH + Duration::from_secs(1_439_823_147);
        assert_eq!(key_timestamp(newest_event), "20150817T1452Z");
        assert!("20150817T1445Z" > &*key_timestamp(search_start(newest_event)));
    }

    #[test]
    fn search_stops_at_the_canary() {
        let mut search = TextSearch {
            text: "needle".to_owned(),
            is_found: false,
        };
        assert!(search.push("{}").is_continue());
        assert!(search.push(r#"{"userAgent":"a needle"}"#).is_break());
        assert!(search.is_found);
    }

    #[test]
    fn keys_belong_to_the_account_of_the_canary() {
        let files = AccountLogFiles::new(("b", "1", "AWSLogs/o-1/"), "111122223333");
        assert!(files.contains(KEY));
        assert!(KEY.starts_with(&files.region_prefix("us-east-1")));
        assert!(!files.contains("AWSLogs/o-1/2/CloudTrail/us-east-1/x"));
    }
}
