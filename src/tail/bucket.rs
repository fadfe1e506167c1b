//! New log objects, found by listing the bucket: nothing is made, and no queue is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::types::CommonPrefix;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::{Instant, sleep_until};

use super::Source;
use super::notice::Object;
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::error::Result;

/// CloudTrail delivers every five minutes or so.
const PACE: Duration = Duration::from_secs(30);
/// Keys do not come in the order of their stamps, so that each look goes back as far as this.
const LOOK_BACK: Duration = Duration::from_secs(30 * 60);
/// How far the first look goes back, unless the operator says.
const BEGINNING: Duration = Duration::from_secs(10 * 60);
/// New accounts and regions are looked for this often.
const REFRESH: Duration = Duration::from_secs(10 * 60);
/// Listings at the same time.
const AT_ONCE: usize = 16;
const DAY: Duration = Duration::from_secs(86_400);

/// The bucket of a trail, looked through again and again.
pub struct Bucket<'a> {
    aws: &'a Aws,
    source: Source,
    /// What all keys of the trail begin with, with a slash at the end.
    prefix: String,
    /// From when on the next look goes: it goes back from the beginning of the last one, whenever that was.
    from: SystemTime,
    /// Where objects of one account and region are.
    places: Vec<Place>,
    placed: Option<Instant>,
    /// Stamps of the keys that were handed out.
    known: BTreeMap<String, SystemTime>,
    next: Instant,
}

/// The objects of one account in one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Up to the days, with a slash at the end.
    folder: String,
    account: String,
    region: String,
}

impl<'a> Bucket<'a> {
    /// `since` says how far back the first look goes.
    #[must_use]
    pub fn new(aws: &'a Aws, source: Source, prefix: &str, since: Option<Duration>) -> Self {
        Self {
            aws,
            source,
            prefix: prefix.to_owned(),
            from: earlier(SystemTime::now(), since.unwrap_or(BEGINNING)),
            places: Vec::new(),
            placed: None,
            known: BTreeMap::new(),
            next: Instant::now(),
        }
    }

    /// Waits for its turn, looks through the bucket, and tells which objects are new. Whoever stops waiting loses
    /// nothing.
    ///
    /// # Errors
    /// When the bucket may not be listed.
    pub async fn next(&mut self) -> Result<Vec<Object>> {
        sleep_until(self.next).await;
        let turn = Instant::now() + PACE;
        if self.placed.is_none_or(|placed| placed.elapsed() >= REFRESH) {
            self.places = self.find_places().await?;
            self.placed = Some(Instant::now());
        }
        let now = SystemTime::now();
        let listings: Vec<(String, String)> = self
            .places
            .iter()
            .flat_map(|place| place.listings(self.from, now))
            .collect();
        let found: Vec<Vec<Object>> = stream::iter(listings)
            .map(|(folder, after)| self.objects(folder, after))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        self.next = turn;
        self.from = earlier(now, LOOK_BACK);
        Ok(self.new_among(found.into_iter().flatten().collect(), now))
    }

    /// Objects that were not handed out yet, in the order of their stamps.
    fn new_among(&mut self, mut found: Vec<Object>, now: SystemTime) -> Vec<Object> {
        found.retain(|object| !self.known.contains_key(&object.key));
        found.sort_by(|a, b| (stamp_of(&a.key), &a.key).cmp(&(stamp_of(&b.key), &b.key)));
        for object in &found {
            self.known.insert(object.key.clone(), now);
        }
        // The next look goes back from here, and what was handed out long before then is not listed again.
        let listed = earlier(now, LOOK_BACK * 2);
        self.known.retain(|_, seen| *seen >= listed);
        found
    }

    /// Accounts below the prefix, with or without the organization's id between, and their regions.
    async fn find_places(&self) -> Result<Vec<Place>> {
        let mut accounts = Vec::new();
        for folder in self.folders(self.prefix.clone()).await? {
            if last(&folder).starts_with("o-") {
                accounts.extend(self.folders(folder).await?);
            } else {
                accounts.push(folder);
            }
        }
        accounts.retain(|folder| is_account(last(folder)));
        let places: BTreeSet<Place> = stream::iter(accounts)
            .map(|folder| self.regions(folder))
            .buffer_unordered(AT_ONCE)
            .try_fold(BTreeSet::new(), async |mut all, places| {
                all.extend(places);
                Ok(all)
            })
            .await?;
        Ok(places.into_iter().collect())
    }

    async fn regions(&self, account: String) -> Result<Vec<Place>> {
        let regions = self.folders(format!("{account}CloudTrail/")).await?;
        Ok(regions
            .into_iter()
            .map(|folder| Place {
                account: last(&account).to_owned(),
                region: last(&folder).to_owned(),
                folder,
            })
            .collect())
    }

    /// The folders right below a prefix.
    async fn folders(&self, prefix: String) -> Result<Vec<String>> {
        let mut pages = self
            .aws
            .s3
            .list_objects_v2()
            .bucket(&self.source.bucket)
            .expected_bucket_owner(&self.source.owner)
            .prefix(prefix)
            .delimiter("/")
            .into_paginator()
            .send();
        let mut folders = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.doing("s3:ListBucket", || self.doing())?;
            let names = page.common_prefixes.unwrap_or_default();
            folders.extend(
                names
                    .into_iter()
                    .filter_map(|CommonPrefix { prefix, .. }| prefix),
            );
        }
        Ok(folders)
    }

    /// The objects of a day that come after a key.
    async fn objects(&self, folder: String, after: String) -> Result<Vec<Object>> {
        let mut pages = self
            .aws
            .s3
            .list_objects_v2()
            .bucket(&self.source.bucket)
            .expected_bucket_owner(&self.source.owner)
            .prefix(folder)
            .start_after(after)
            .into_paginator()
            .send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.doing("s3:ListBucket", || self.doing())?;
            for object in page.contents.unwrap_or_default() {
                let Some(key) = object.key else { continue };
                objects.push(Object {
                    bucket: self.source.bucket.clone(),
                    key,
                    region: None,
                    size: object.size.and_then(|size| u64::try_from(size).ok()),
                });
            }
        }
        Ok(objects)
    }

    fn doing(&self) -> String {
        format!("look for new objects in bucket {}", self.source.bucket)
    }
}

impl Place {
    /// The folders to list for a span of time, and in each the key to begin after.
    fn listings(&self, from: SystemTime, to: SystemTime) -> Vec<(String, String)> {
        days(from, to)
            .into_iter()
            .map(|day| {
                let folder = format!("{}{day}/", self.folder);
                let first = format!(
                    "{folder}{}_CloudTrail_{}_{}",
                    self.account,
                    self.region,
                    stamp(from)
                );
                (folder, first)
            })
            .collect()
    }
}

fn earlier(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_sub(by).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The days of a span as CloudTrail names their folders, `2023/07/10`.
fn days(from: SystemTime, to: SystemTime) -> Vec<String> {
    let mut days = Vec::new();
    let (mut day, last) = (from, date(to));
    while date(day) < last {
        days.push(date(day));
        day += DAY;
    }
    days.push(last);
    days
}

fn date(time: SystemTime) -> String {
    written(time)
        .get(..10)
        .unwrap_or_default()
        .replace('-', "/")
}

/// The time in the name of an object, `20230710T1215Z`.
fn stamp(time: SystemTime) -> String {
    let text: String = written(time)
        .chars()
        .filter(|letter| !matches!(letter, '-' | ':'))
        .collect();
    format!("{}Z", text.get(..13).unwrap_or_default())
}

fn written(time: SystemTime) -> String {
    let time = DateTime::from(time);
    DateTime::from_secs(time.secs())
        .fmt(Format::DateTime)
        .unwrap_or_default()
}

/// The stamp in a key: what comes before the random end of its name.
fn stamp_of(key: &str) -> &str {
    key.rsplit('/')
        .next()
        .and_then(|name| name.rsplit('_').nth(1))
        .unwrap_or_default()
}

/// The last folder of a path.
fn last(folder: &str) -> &str {
    folder
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

fn is_account(name: &str) -> bool {
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
    fn a_look_lists_each_day_of_its_window_from_its_first_minute_on() {
        let place = Place {
            folder: "AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/".into(),
            account: "111122223333".into(),
            region: "eu-west-1".into(),
        };
        let listings = place.listings(time("2023-12-31T23:45:10Z"), time("2024-01-01T00:15:10Z"));
        let folders: Vec<&str> = listings.iter().map(|(folder, _)| folder.as_str()).collect();
        assert_eq!(
            folders,
            [
                "AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/2023/12/31/",
                "AWSLogs/o-1/111122223333/CloudTrail/eu-west-1/2024/01/01/",
            ]
        );
        let name = "111122223333_CloudTrail_eu-west-1_20231231T2345Z_abcdefgh.json.gz";
        assert!(format!("{}{name}", folders[0]) > listings[0].1);
        let earlier = "111122223333_CloudTrail_eu-west-1_20231231T2344Z_abcdefgh.json.gz";
        assert!(format!("{}{earlier}", folders[0]) < listings[0].1);
        let next_day = "111122223333_CloudTrail_eu-west-1_20240101T0000Z_abcdefgh.json.gz";
        assert!(format!("{}{next_day}", folders[1]) > listings[1].1);
    }

    #[test]
    fn a_window_within_a_day_lists_one_folder() {
        let days = days(time("2023-07-10T12:00:00Z"), time("2023-07-10T12:30:00.5Z"));
        assert_eq!(days, ["2023/07/10"]);
    }

    #[test]
    fn a_long_window_lists_every_day_once() {
        let days = days(time("2024-02-27T23:59:59Z"), time("2024-03-01T00:00:00Z"));
        assert_eq!(
            days,
            ["2024/02/27", "2024/02/28", "2024/02/29", "2024/03/01"]
        );
    }

    #[test]
    fn the_stamp_of_a_key_is_found_behind_any_region() {
        let key = "p/AWSLogs/1/CloudTrail/us-gov-west-1/2023/07/10/1_CloudTrail_us-gov-west-1_20230710T1215Z_AbC.json.gz";
        assert_eq!(stamp_of(key), "20230710T1215Z");
        assert_eq!(stamp_of("x"), "");
        assert_eq!(stamp(time("2023-07-10T12:15:59Z")), "20230710T1215Z");
    }

    #[test]
    fn accounts_have_twelve_digits() {
        assert!(is_account("111122223333"));
        assert!(!is_account("o-1"));
        assert!(!is_account("11112222333a"));
    }
}
