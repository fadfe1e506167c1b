//! CloudTrail log files: their records, names, keys and compression.

use std::io::{self, Write};
use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// A log file with events of one account in one region.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// The account of the events.
    pub account: String,
    /// The region of the events.
    pub region: String,
    /// The creation time in the name, as `yyyymmddThhmmZ`.
    pub stamp: String,
    /// Sixteen characters that make the name unique.
    pub suffix: String,
    /// The events.
    pub records: Vec<Value>,
}

impl LogFile {
    /// A log file of these events, created now.
    pub fn new(account: &str, region: &str, records: Vec<Value>) -> LogFile {
        let now = rfc3339(SystemTime::now());
        // 2026-01-02T03:04:05Z becomes 20260102T0304Z.
        let digits: String = now
            .chars()
            .filter(char::is_ascii_digit)
            .take("yyyymmddhhmm".len())
            .collect();
        let (day, minute) = digits.split_at("yyyymmdd".len());
        LogFile {
            account: account.to_owned(),
            region: region.to_owned(),
            stamp: format!("{day}T{minute}Z"),
            suffix: uuid::Uuid::new_v4().simple().to_string()[..16].to_owned(),
            records,
        }
    }

    /// Sets the creation time in the name, as `yyyymmddThhmmZ`.
    pub fn stamp(mut self, stamp: &str) -> LogFile {
        stamp.clone_into(&mut self.stamp);
        self
    }

    /// The file name, without folders.
    pub fn name(&self) -> String {
        format!(
            "{}_CloudTrail_{}_{}_{}.json.gz",
            self.account, self.region, self.stamp, self.suffix
        )
    }

    /// The compressed content.
    pub fn gzipped(&self) -> Vec<u8> {
        let text = json!({ "Records": self.records }).to_string();
        gzip(text.as_bytes()).expect("gzip into memory")
    }
}

/// A management event with the fields of every record.
pub fn event(account: &str, region: &str, source: &str, name: &str, read_only: bool) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLEEXAMPLE",
            "arn": format!("arn:aws:iam::{account}:user/alice"),
            "accountId": account,
            "userName": "alice"
        },
        "eventTime": rfc3339(SystemTime::now()),
        "eventSource": source,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": null,
        "responseElements": null,
        "requestID": uuid::Uuid::new_v4().to_string(),
        "eventID": uuid::Uuid::new_v4().to_string(),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
        "eventCategory": "Management"
    })
}

/// The object key of a log file of an organization trail.
///
/// Returns `None` if the name is not `ACCOUNT_CloudTrail_REGION_yyyymmddThhmmZ_SUFFIX.json.gz`.
pub fn key(prefix: Option<&str>, organization: &str, name: &str) -> Option<String> {
    let parts: Vec<&str> = name.strip_suffix(".json.gz")?.split('_').collect();
    let [account, "CloudTrail", region, stamp, _] = parts[..] else {
        return None;
    };
    let (year, month, day) = (stamp.get(0..4)?, stamp.get(4..6)?, stamp.get(6..8)?);
    let folder = prefix
        .map(|prefix| format!("{prefix}/"))
        .unwrap_or_default();
    Some(format!(
        "{folder}AWSLogs/{organization}/{account}/CloudTrail/{region}/{year}/{month}/{day}/{name}"
    ))
}

/// Compresses bytes.
pub fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Formats a time in UTC, without fractions of a second.
fn rfc3339(time: SystemTime) -> String {
    let whole = DateTime::from_secs(DateTime::from(time).secs());
    whole
        .fmt(Format::DateTime)
        .expect("a date of this millennium")
}
