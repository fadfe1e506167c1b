//! The keys of log files and digests: their prefixes by account, region and day, and the times in their names. Pure.
//!
//! Source: "Finding your `CloudTrail` log files" and "`CloudTrail` digest file structure" in the `CloudTrail` User Guide.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// The time at which `CloudTrail` made an object, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectTime(NonZeroU32);

impl ObjectTime {
    /// Returns the time as the operating system represents it.
    #[must_use]
    pub fn to_system_time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.0.get().into())
    }

    fn from_utc(time: DateTime) -> Option<Self> {
        let seconds = Offset::UTC.to_timestamp(time).ok()?.as_second();
        NonZeroU32::new(u32::try_from(seconds).ok()?).map(Self)
    }

    /// Returns a time for tests and fixtures, given in seconds since 1970.
    #[must_use]
    pub fn from_unix_seconds(seconds: u32) -> Option<Self> {
        NonZeroU32::new(seconds).map(Self)
    }
}

/// A day in UTC, as keys have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcDay(Date);

impl UtcDay {
    /// Returns the day of a time.
    #[must_use]
    pub fn of(time: SystemTime) -> Self {
        let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
        Self(Offset::UTC.to_datetime(timestamp).date())
    }

    /// Returns the day before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.yesterday().unwrap_or(self.0))
    }

    /// Returns the first moment of the day.
    #[must_use]
    pub fn start(self) -> SystemTime {
        let start = ObjectTime::from_utc(self.0.at(0, 0, 0, 0));
        start.map_or(SystemTime::UNIX_EPOCH, ObjectTime::to_system_time)
    }

    /// Returns the part of a key: `2026/11/28/`.
    #[must_use]
    pub fn path(self) -> String {
        let date = self.0;
        format!("{:04}/{:02}/{:02}/", date.year(), date.month(), date.day())
    }
}

/// The keys of one account in one region.
#[derive(Clone, Copy, Debug)]
pub struct PairKeys<'a> {
    /// The prefix of all log files of the trail, with a slash at the end: `AWSLogs/o-example/`.
    pub log_prefix: &'a str,
    pub account: &'a str,
    pub region: &'a str,
}

impl PairKeys<'_> {
    /// Returns the prefix of the log files, with a slash at the end.
    #[must_use]
    pub fn log_files(&self) -> String {
        format!("{}{}/", self.log_regions(), self.region)
    }

    /// Returns the prefix below which there is one prefix per region with log files.
    #[must_use]
    pub fn log_regions(&self) -> String {
        format!("{}{}/CloudTrail/", self.log_prefix, self.account)
    }

    /// Returns the prefix of the digest files, with a slash at the end.
    #[must_use]
    pub fn digests(&self) -> String {
        format!(
            "{}{}/CloudTrail-Digest/{}/",
            self.log_prefix, self.account, self.region
        )
    }

    /// Returns a key that is before every log file of that minute and after all earlier ones.
    #[must_use]
    pub fn before_minute(&self, time: SystemTime) -> String {
        let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = Offset::UTC.to_datetime(timestamp);
        format!(
            "{}{}{}_CloudTrail_{}_{:04}{:02}{:02}T{:02}{:02}",
            self.log_files(),
            UtcDay(time.date()).path(),
            self.account,
            self.region,
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minute()
        )
    }
}

/// Returns the time in the name of a log file, `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`. Returns `None`
/// for any other key.
#[must_use]
pub fn log_file_time(key: &str) -> Option<ObjectTime> {
    let name = key.rsplit('/').next()?.strip_suffix(".json.gz")?;
    let (_, rest) = name.split_once("_CloudTrail_")?;
    let stamp = rest.split('_').nth(1)?;
    parse_stamp(stamp)
}

/// Returns the time in the name of a digest file of a trail,
/// `ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_YYYYMMDDTHHmmssZ.json.gz`. Returns `None` for any other key.
#[must_use]
pub fn digest_time(key: &str, trail: &str, home_region: &str) -> Option<ObjectTime> {
    let name = key.rsplit('/').next()?.strip_suffix(".json.gz")?;
    let (_, rest) = name.split_once("_CloudTrail-Digest_")?;
    // The name of a trail may contain underscores.
    let (_, rest) = rest.split_once('_')?;
    let rest = rest.strip_prefix(trail)?.strip_prefix('_')?;
    parse_stamp(rest.strip_prefix(home_region)?.strip_prefix('_')?)
}

/// Reads `20261128T0930Z` or `20261128T093012Z`.
fn parse_stamp(stamp: &str) -> Option<ObjectTime> {
    let (day, time) = stamp.strip_suffix('Z')?.split_once('T')?;
    let is_stamp = day.len() == 8 && matches!(time.len(), 4 | 6);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_stamp || !digits(day) || !digits(time) {
        return None;
    }
    let part = |text: &str, from: usize, to: usize| text.get(from..to)?.parse::<i8>().ok();
    let date = Date::new(
        day.get(..4)?.parse().ok()?,
        part(day, 4, 6)?,
        part(day, 6, 8)?,
    )
    .ok()?;
    let second = if time.len() == 6 {
        part(time, 4, 6)?
    } else {
        0
    };
    let time = jiff::civil::Time::new(part(time, 0, 2)?, part(time, 2, 4)?, second, 0).ok()?;
    ObjectTime::from_utc(date.to_datetime(time))
}

/// Returns the last segment of a prefix that ends with a slash.
#[must_use]
pub fn last_segment(prefix: &str) -> &str {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    prefix.rsplit('/').next().unwrap_or_default()
}

/// Returns true for the ID of an account: twelve digits.
#[must_use]
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> SystemTime {
        let time = text.parse::<Timestamp>().unwrap();
        SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_second().unsigned_abs())
    }

    fn shown(found: Option<ObjectTime>) -> Option<String> {
        let found = Timestamp::try_from(found?.to_system_time()).unwrap();
        Some(found.to_string())
    }

    #[test]
    fn days_follow_the_calendar_in_utc() {
        for (at, today, yesterday) in [
            ("2026-11-28T23:59:59Z", "2026/11/28/", "2026/11/27/"),
            ("2026-11-29T00:00:00Z", "2026/11/29/", "2026/11/28/"),
            ("2028-03-01T12:00:00Z", "2028/03/01/", "2028/02/29/"),
            ("2027-01-01T00:30:00Z", "2027/01/01/", "2026/12/31/"),
        ] {
            let day = UtcDay::of(time(at));
            assert_eq!(day.path(), today);
            assert_eq!(day.previous().path(), yesterday);
        }
        let start = UtcDay::of(time("2026-11-28T23:59:59Z")).start();
        assert_eq!(start, time("2026-11-28T00:00:00Z"));
    }

    #[test]
    fn names_of_log_files_contain_their_time() {
        for (key, expected) in [
            (
                "p/AWSLogs/o-1/111122223333/CloudTrail/us-gov-west-1/2026/11/28/111122223333_CloudTrail_us-gov-west-1_20261128T0935Z_aB_c.json.gz",
                Some("2026-11-28T09:35:00Z"),
            ),
            (
                "111122223333_CloudTrail_eu-west-1_20261328T0935Z_a.json.gz",
                None,
            ),
            (
                "111122223333_CloudTrail_eu-west-1_20261128T2435Z_a.json.gz",
                None,
            ),
            (
                "111122223333_CloudTrail_eu-west-1_+0261128T0935Z_a.json.gz",
                None,
            ),
            (
                "111122223333_CloudTrail_eu-west-1_20261128T0935Z_a.json",
                None,
            ),
            ("111122223333_CloudTrail_eu-west-1.json.gz", None),
            ("a/CloudTrail/eu-west-1/", None),
            ("", None),
        ] {
            assert_eq!(shown(log_file_time(key)).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn names_of_digests_contain_trail_and_time() {
        let key = "x/1_CloudTrail-Digest_eu-west-1_org_trail_us-east-1_20261128T093012Z.json.gz";
        let of = |trail, home| shown(digest_time(key, trail, home));
        assert_eq!(
            of("org_trail", "us-east-1").as_deref(),
            Some("2026-11-28T09:30:12Z")
        );
        assert_eq!(of("org", "us-east-1"), None);
        assert_eq!(of("org_trail", "us-east"), None);
        assert_eq!(of("trail", "us-east-1"), None);
        assert_eq!(
            digest_time("digest.json.gz", "org_trail", "us-east-1"),
            None
        );
    }

    #[test]
    fn listing_starts_between_two_minutes() {
        let keys = PairKeys {
            log_prefix: "AWSLogs/o-1/",
            account: "111122223333",
            region: "eu-west-1",
        };
        let start = keys.before_minute(time("2026-11-28T09:35:59Z"));
        let key = |minute: &str| {
            format!(
                "{}2026/11/28/111122223333_CloudTrail_eu-west-1_20261128T{minute}Z_a.json.gz",
                keys.log_files()
            )
        };
        assert!(key("0934") < start && start < key("0935"));
    }
}
