//! Finds new log objects by listing the bucket. It creates no AWS resources.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::types::CommonPrefix;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep_until};

use super::LogBucket;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::cloudtrail::s3_notification::S3Object;
use crate::error::Result;

/// Interval between listings. CloudTrail delivers about every five minutes.
const POLL_INTERVAL: Duration = Duration::from_secs(30);
/// Overlap of consecutive listings. It is needed because objects do not appear in the order of the timestamps in their
/// keys.
const LOOKBACK: Duration = Duration::from_secs(30 * 60);
/// Period that the first listing covers, unless `--since` is given.
const INITIAL_LOOKBACK: Duration = Duration::from_secs(10 * 60);
/// Interval between searches for new accounts and regions.
const PREFIX_REFRESH_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// Number of concurrent listings.
const MAX_CONCURRENT_LISTINGS: usize = 16;
const DAY: Duration = Duration::from_secs(86_400);

/// A periodic listing of a trail's bucket.
pub struct BucketListing<'a> {
    aws: &'a Aws,
    log_bucket: LogBucket,
    /// Prefix of all log objects of the trail, with a slash at the end.
    prefix: String,
    /// Start of the period that the next listing covers.
    window_start: SystemTime,
    /// The prefixes to list.
    prefixes: Vec<AccountRegionPrefix>,
    prefixes_refreshed_at: Option<Instant>,
    /// Keys of the objects that were returned, with the time of the listing that found them.
    handed_out: BTreeMap<String, SystemTime>,
    next_listing: Instant,
}

/// The prefix of the log objects of one account in one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct AccountRegionPrefix {
    /// Part of the key before the date, with a slash at the end.
    prefix: String,
    account: String,
    region: String,
}

impl<'a> BucketListing<'a> {
    /// Creates a listing. The first listing covers the period `lookback`, or `INITIAL_LOOKBACK` if `lookback` is `None`.
    #[must_use]
    pub fn new(
        aws: &'a Aws,
        log_bucket: LogBucket,
        prefix: &str,
        lookback: Option<Duration>,
    ) -> Self {
        Self {
            aws,
            log_bucket,
            prefix: prefix.to_owned(),
            window_start: subtract_or_epoch(
                SystemTime::now(),
                lookback.unwrap_or(INITIAL_LOOKBACK),
            ),
            prefixes: Vec::new(),
            prefixes_refreshed_at: None,
            handed_out: BTreeMap::new(),
            next_listing: Instant::now(),
        }
    }

    /// Waits for the next interval, lists the bucket, and returns the new objects. This method is cancel safe.
    ///
    /// # Errors
    /// Returns an error if the bucket cannot be listed.
    pub async fn next(&mut self) -> Result<Vec<S3Object>> {
        sleep_until(self.next_listing).await;
        let next_listing = Instant::now() + POLL_INTERVAL;
        if self
            .prefixes_refreshed_at
            .is_none_or(|refreshed_at| refreshed_at.elapsed() >= PREFIX_REFRESH_INTERVAL)
        {
            self.prefixes = self.find_prefixes().await?;
            self.prefixes_refreshed_at = Some(Instant::now());
        }
        let now = SystemTime::now();
        let listings: Vec<(String, String)> = self
            .prefixes
            .iter()
            .flat_map(|prefix| prefix.listings(self.window_start, now))
            .collect();
        let found: Vec<Vec<S3Object>> = stream::iter(listings)
            .map(|(prefix, start_after)| self.list_objects(prefix, start_after))
            .buffer_unordered(MAX_CONCURRENT_LISTINGS)
            .try_collect()
            .await?;
        self.next_listing = next_listing;
        self.window_start = subtract_or_epoch(now, LOOKBACK);
        Ok(self.keep_new(found.into_iter().flatten().collect(), now))
    }

    /// Returns the objects that were not returned before, ordered by the timestamps in their keys.
    fn keep_new(&mut self, mut found: Vec<S3Object>, now: SystemTime) -> Vec<S3Object> {
        found.retain(|object| !self.handed_out.contains_key(&object.key));
        found.sort_by(|a, b| {
            (timestamp_of_key(&a.key), &a.key).cmp(&(timestamp_of_key(&b.key), &b.key))
        });
        for object in &found {
            self.handed_out.insert(object.key.clone(), now);
        }
        // Later listings start after the keys that were returned before this time.
        let oldest = subtract_or_epoch(now, LOOKBACK * 2);
        self.handed_out.retain(|_, listed_at| *listed_at >= oldest);
        found
    }

    /// Finds the prefixes of all accounts and regions. The keys of an organization trail have the organization ID
    /// before the account ID.
    async fn find_prefixes(&self) -> Result<Vec<AccountRegionPrefix>> {
        let mut accounts = Vec::new();
        for prefix in self.common_prefixes(self.prefix.clone()).await? {
            if last_segment(&prefix).starts_with("o-") {
                accounts.extend(self.common_prefixes(prefix).await?);
            } else {
                accounts.push(prefix);
            }
        }
        accounts.retain(|prefix| is_account_id(last_segment(prefix)));
        let prefixes: BTreeSet<AccountRegionPrefix> = stream::iter(accounts)
            .map(|prefix| self.region_prefixes(prefix))
            .buffer_unordered(MAX_CONCURRENT_LISTINGS)
            .try_fold(BTreeSet::new(), async |mut all, prefixes| {
                all.extend(prefixes);
                Ok(all)
            })
            .await?;
        Ok(prefixes.into_iter().collect())
    }

    async fn region_prefixes(&self, account: String) -> Result<Vec<AccountRegionPrefix>> {
        let regions = self
            .common_prefixes(format!("{account}CloudTrail/"))
            .await?;
        Ok(regions
            .into_iter()
            .map(|prefix| AccountRegionPrefix {
                account: last_segment(&account).to_owned(),
                region: last_segment(&prefix).to_owned(),
                prefix,
            })
            .collect())
    }

    /// The common prefixes directly below a prefix.
    async fn common_prefixes(&self, prefix: String) -> Result<Vec<String>> {
        let mut pages = self
            .aws
            .s3
            .list_objects_v2()
            .bucket(&self.log_bucket.bucket)
            .expected_bucket_owner(&self.log_bucket.owner)
            .prefix(prefix)
            .delimiter("/")
            .into_paginator()
            .send();
        let mut prefixes = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.context_for("s3:ListBucket", || self.operation())?;
            let names = page.common_prefixes.unwrap_or_default();
            prefixes.extend(
                names
                    .into_iter()
                    .filter_map(|CommonPrefix { prefix, .. }| prefix),
            );
        }
        Ok(prefixes)
    }

    /// The objects with a prefix whose keys are greater than `start_after`.
    async fn list_objects(&self, prefix: String, start_after: String) -> Result<Vec<S3Object>> {
        let mut pages = self
            .aws
            .s3
            .list_objects_v2()
            .bucket(&self.log_bucket.bucket)
            .expected_bucket_owner(&self.log_bucket.owner)
            .prefix(prefix)
            .start_after(start_after)
            .into_paginator()
            .send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.context_for("s3:ListBucket", || self.operation())?;
            for object in page.contents.unwrap_or_default() {
                let Some(key) = object.key else { continue };
                objects.push(S3Object {
                    bucket: self.log_bucket.bucket.clone(),
                    key,
                    region: None,
                    size: object.size.and_then(|size| u64::try_from(size).ok()),
                });
            }
        }
        Ok(objects)
    }

    fn operation(&self) -> String {
        format!("list new objects in bucket {}", self.log_bucket.bucket)
    }
}

impl AccountRegionPrefix {
    /// Returns the prefix of each day in a period, with the key after which the listing starts.
    fn listings(&self, from: SystemTime, to: SystemTime) -> Vec<(String, String)> {
        day_paths(from, to)
            .into_iter()
            .map(|day| {
                let prefix = format!("{}{day}/", self.prefix);
                let start_after = format!(
                    "{prefix}{}_CloudTrail_{}_{}",
                    self.account,
                    self.region,
                    key_timestamp(from)
                );
                (prefix, start_after)
            })
            .collect()
    }
}

fn subtract_or_epoch(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_sub(by).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The days of a period in the format of object keys, such as `2023/07/10`.
#[must_use]
pub fn day_paths(from: SystemTime, to: SystemTime) -> Vec<String> {
    let mut days = Vec::new();
    let (mut day, last) = (from, day_path(to));
    while day_path(day) < last {
        days.push(day_path(day));
        day += DAY;
    }
    days.push(last);
    days
}

fn day_path(time: SystemTime) -> String {
    rfc3339_seconds(time)
        .get(..10)
        .unwrap_or_default()
        .replace('-', "/")
}

/// A time in the format of object keys, such as `20230710T1215Z`.
#[must_use]
pub fn key_timestamp(time: SystemTime) -> String {
    let text: String = rfc3339_seconds(time)
        .chars()
        .filter(|c| !matches!(c, '-' | ':'))
        .collect();
    format!("{}Z", text.get(..13).unwrap_or_default())
}

fn rfc3339_seconds(time: SystemTime) -> String {
    let time = DateTime::from(time);
    DateTime::from_secs(time.secs())
        .fmt(Format::DateTime)
        .unwrap_or_default()
}

/// The timestamp in a key: the part of its name after the region. The unique part at the end may contain underscores.
#[must_use]
pub fn timestamp_of_key(key: &str) -> &str {
    key.rsplit('/')
        .next()
        .and_then(|name| name.split_once("_CloudTrail_"))
        .and_then(|(_, rest)| rest.split('_').nth(1))
        .unwrap_or_default()
}

/// The last segment of a prefix.
fn last_segment(prefix: &str) -> &str {
    prefix
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

fn is_account_id(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> SystemTime {
        DateTime::from_str(text, Format::DateTime)
            .unwrap()
            .try_into()
            .unwrap()
    }

    #[test]
    fn listing_starts_at_first_minute_of_each_day() {
        let prefix = AccountRegionPrefix {
            prefix: "AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/".into(),
            account: "111122223333".into(),
            region: "eu-west-1".into(),
        };
        let listings = prefix.listings(time("2023-12-31T23:45:10Z"), time("2024-01-01T00:15:10Z"));
        let prefixes: Vec<&str> = listings.iter().map(|(prefix, _)| prefix.as_str()).collect();
        assert_eq!(
            prefixes,
            [
                "AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/2023/12/31/",
                "AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/2024/01/01/",
            ]
        );
        let name = "111122223333_CloudTrail_eu-west-1_20231231T2345Z_abcdefgh.json.gz";
        assert!(format!("{}{name}", prefixes[0]) > listings[0].1);
        let earlier = "111122223333_CloudTrail_eu-west-1_20231231T2344Z_abcdefgh.json.gz";
        assert!(format!("{}{earlier}", prefixes[0]) < listings[0].1);
        let next_day = "111122223333_CloudTrail_eu-west-1_20240101T0000Z_abcdefgh.json.gz";
        assert!(format!("{}{next_day}", prefixes[1]) > listings[1].1);
    }

    #[test]
    fn window_within_a_day_lists_one_prefix() {
        let days = day_paths(time("2023-07-10T12:00:00Z"), time("2023-07-10T12:30:00.5Z"));
        assert_eq!(days, ["2023/07/10"]);
    }

    #[test]
    fn long_window_lists_every_day_once() {
        let days = day_paths(time("2024-02-27T23:59:59Z"), time("2024-03-01T00:00:00Z"));
        assert_eq!(
            days,
            ["2024/02/27", "2024/02/28", "2024/02/29", "2024/03/01"]
        );
    }

    #[test]
    fn key_timestamp_is_found_after_any_region() {
        let key = "p/AWSLogs/1/CloudTrail/us-gov-west-1/2023/07/10/1_CloudTrail_us-gov-west-1_20230710T1215Z_AbC.json.gz";
        assert_eq!(timestamp_of_key(key), "20230710T1215Z");
        let underscores = key.replace("_AbC.json.gz", "_a_b_.json.gz");
        assert_eq!(timestamp_of_key(&underscores), "20230710T1215Z");
        assert_eq!(timestamp_of_key("x"), "");
        assert_eq!(
            key_timestamp(time("2023-07-10T12:15:59Z")),
            "20230710T1215Z"
        );
    }

    #[test]
    fn account_ids_have_twelve_digits() {
        assert!(is_account_id("111122223333"));
        assert!(!is_account_id("o-1"));
        assert!(!is_account_id("11112222333a"));
    }
}
