//! The scan on a bucket in memory: which calls it makes, and how it classifies each pair.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use percent_encoding::percent_decode_str;

use super::matrix::{AccountCoverage, PairStatus};
use super::progress_file::ProgressFile;
use super::scan::{CoverageScan, ScanReport};
use super::trail_bucket::TrailBucket;
use crate::aws::Aws;
use crate::aws::canned::CannedResponse;
use crate::error::Error;

const OWN: &str = "111111111111";
const MEMBER: &str = "222222222222";
const PREFIX: &str = "AWSLogs/o-1/";

/// A bucket in memory, and an organization with one member.
#[derive(Clone, Default)]
struct FakeAws {
    keys: Arc<Mutex<BTreeSet<String>>>,
    /// Prefixes of the listings, each with the key after which it starts.
    listed: Arc<Mutex<Vec<(String, String)>>>,
    /// The state of the member account.
    member_state: &'static str,
    /// True if the opt-in regions of the member may be read.
    allows_member_regions: bool,
    /// Other member accounts.
    others: Vec<&'static str>,
    /// The start of logging, in seconds since 1970.
    logging_started: u64,
    /// The number of keys on a page.
    page_size: usize,
}

impl FakeAws {
    fn new() -> Self {
        Self {
            member_state: "ACTIVE",
            allows_member_regions: true,
            page_size: 1_000,
            ..Self::default()
        }
    }

    fn add(&self, key: impl Into<String>) {
        self.keys.lock().unwrap().insert(key.into());
    }

    /// Adds a log file of a pair. The stamp is `20261128T0930`.
    fn add_log_file(&self, account: &str, region: &str, stamp: &str) {
        let (year, month, day) = (&stamp[..4], &stamp[4..6], &stamp[6..8]);
        self.add(format!(
            "{PREFIX}{account}/CloudTrail/{region}/{year}/{month}/{day}/{account}_CloudTrail_{region}_{stamp}Z_a.json.gz"
        ));
    }

    fn add_digest(&self, account: &str, region: &str, stamp: &str) {
        let (year, month, day) = (&stamp[..4], &stamp[4..6], &stamp[6..8]);
        self.add(format!(
            "{PREFIX}{account}/CloudTrail-Digest/{region}/{year}/{month}/{day}/{account}_CloudTrail-Digest_{region}_org-trail_us-east-1_{stamp}00Z.json.gz"
        ));
    }

    fn clients(&self) -> Aws {
        let fake = self.clone();
        Aws::answered_by(move |operation, query, body| fake.answer(operation, query, body))
    }

    fn answer(&self, operation: &str, query: &str, body: &str) -> CannedResponse {
        match operation {
            "ListAccounts" => {
                let others = self
                    .others
                    .iter()
                    .map(|id| format!(r#", {{"Id": "{id}", "Name": "other", "State": "ACTIVE"}}"#));
                CannedResponse::ok(format!(
                    r#"{{"Accounts": [{{"Id": "{OWN}", "Name": "management", "State": "ACTIVE"}},
                    {{"Id": "{MEMBER}", "Name": "member", "State": "{}"}}{}]}}"#,
                    self.member_state,
                    others.collect::<String>()
                ))
            }
            "GetTrailStatus" => CannedResponse::ok(format!(
                r#"{{"IsLogging": true, "StartLoggingTime": {}, "LatestDigestDeliveryTime": {}}}"#,
                self.logging_started,
                self.logging_started + 60
            )),
            "POST /listRegions" if body.contains(MEMBER) && !self.allows_member_regions => {
                CannedResponse::json_error("AccessDeniedException", "no trusted access")
            }
            "POST /listRegions" => {
                let opted_in = if body.contains("AccountId") {
                    r#", {"RegionName": "af-south-1", "RegionOptStatus": "ENABLED"}"#
                } else {
                    ""
                };
                CannedResponse::ok(format!(
                    r#"{{"Regions": [
                        {{"RegionName": "us-east-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}},
                        {{"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}}{opted_in}]}}"#
                ))
            }
            "GET /" => self.list(query),
            other => panic!("unexpected call {other}"),
        }
    }

    fn list(&self, query: &str) -> CannedResponse {
        let parameter = |name: &str| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let mut values = pairs.filter(|(key, _)| *key == name);
            let value = values.next().map_or("", |(_, value)| value);
            percent_decode_str(value)
                .decode_utf8()
                .unwrap()
                .into_owned()
        };
        let (prefix, delimiter) = (parameter("prefix"), parameter("delimiter"));
        let token = parameter("continuation-token");
        let start = parameter("start-after").max(token);
        self.listed
            .lock()
            .unwrap()
            .push((prefix.clone(), start.clone()));
        let keys = self.keys.lock().unwrap();
        let matching = keys
            .iter()
            .filter(|key| key.starts_with(&prefix) && **key > start);
        if !delimiter.is_empty() {
            let folders: BTreeSet<&str> = matching
                .filter_map(|key| {
                    let end = key[prefix.len()..].find('/')?;
                    Some(&key[..=prefix.len() + end])
                })
                .collect();
            let folders = folders
                .iter()
                .map(|name| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"));
            return page(&folders.collect::<String>(), None);
        }
        let matching: Vec<&String> = matching.collect();
        let shown = &matching[..matching.len().min(self.page_size)];
        let more = matching.len() > shown.len();
        let contents = shown
            .iter()
            .map(|key| format!("<Contents><Key>{key}</Key></Contents>"));
        let next = shown.last().filter(|_| more).map(|key| key.as_str());
        page(&contents.collect::<String>(), next)
    }

    fn listed(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.listed.lock().unwrap())
    }
}

fn page(content: &str, next: Option<&str>) -> CannedResponse {
    let next = next.map_or_else(String::new, |token| {
        format!(
            "<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
        )
    });
    CannedResponse::ok(format!(
        "<ListBucketResult>{content}{next}</ListBucketResult>"
    ))
}

fn target() -> TrailBucket {
    TrailBucket {
        organization: "o-1".into(),
        trail: "org-trail".into(),
        trail_arn: format!("arn:aws:cloudtrail:us-east-1:{OWN}:trail/org-trail"),
        home_region: "us-east-1".into(),
        is_multi_region: true,
        has_digests: true,
        bucket: "logs".into(),
        bucket_region: "us-east-1".into(),
        account: OWN.into(),
        bucket_owner: Some(OWN.into()),
        log_prefix: PREFIX.into(),
    }
}

/// 2026-11-28T10:00:00Z.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_860_000)
}

async fn scan(fake: &FakeAws, target: &TrailBucket) -> (Vec<AccountCoverage>, ScanReport) {
    let aws = fake.clients();
    let scan = CoverageScan::prepare(&aws, target, now(), true)
        .await
        .unwrap();
    let mut accounts = Vec::new();
    let run = scan.run(
        |_| false,
        |account| {
            accounts.push(account);
            Ok(())
        },
    );
    run.await.unwrap();
    accounts.sort_by(|left, right| left.account.cmp(&right.account));
    (accounts, scan.report())
}

/// The statuses of an account by region.
fn statuses(account: &AccountCoverage) -> Vec<(&str, &'static str)> {
    let pairs = account.pairs.iter();
    pairs
        .map(|(region, pair)| (&**region, pair.status.name()))
        .collect()
}

/// An organization in which each pair has another state.
fn mixed() -> FakeAws {
    let fake = FakeAws::new();
    fake.add_log_file(OWN, "us-east-1", "20261128T0930");
    fake.add_log_file(OWN, "us-east-1", "20261128T0925");
    fake.add_log_file(OWN, "eu-west-1", "20261127T0000");
    fake.add_log_file(MEMBER, "us-east-1", "20251231T2355");
    fake.add_log_file(MEMBER, "us-east-1", "20260115T1200");
    fake.add_log_file(MEMBER, "us-east-1", "20260115T1205");
    fake.add_digest(MEMBER, "us-east-1", "20261127T0000");
    fake.add_digest(MEMBER, "us-east-1", "20261128T0900");
    fake.add_digest(MEMBER, "eu-west-1", "20261126T2359");
    fake
}

#[tokio::test]
async fn each_pair_has_its_status() {
    let fake = mixed();
    let (accounts, report) = scan(&fake, &target()).await;
    assert_eq!(
        statuses(&accounts[0]),
        [("eu-west-1", "events"), ("us-east-1", "events")]
    );
    assert_eq!(
        statuses(&accounts[1]),
        [
            ("af-south-1", "nothing"),
            ("eu-west-1", "nothing"),
            ("us-east-1", "digest_only")
        ]
    );
    let time = |found: Option<super::key_layout::ObjectTime>| {
        found.map(|time| {
            jiff::Timestamp::try_from(time.to_system_time())
                .unwrap()
                .to_string()
        })
    };
    let newest = time(accounts[0].pair("us-east-1").last_event);
    assert_eq!(newest.as_deref(), Some("2026-11-28T09:30:00Z"));
    let silent = accounts[1].pair("us-east-1");
    assert_eq!(
        time(silent.last_event).as_deref(),
        Some("2026-01-15T12:05:00Z")
    );
    assert_eq!(
        time(silent.last_digest).as_deref(),
        Some("2026-11-28T09:00:00Z")
    );
    assert!(accounts[1].has_gap() && !accounts[0].has_gap());
    assert!(!report.lacks_opt_in_regions);
}

#[tokio::test]
async fn calls_per_pair_are_limited() {
    let fake = mixed();
    let (_, report) = scan(&fake, &target()).await;
    let listed = fake.listed();
    let count = |part: &str| {
        listed
            .iter()
            .filter(|(prefix, _)| prefix.contains(part))
            .count()
    };
    // Delivered today; yesterday; a silent pair; pairs that have only digests or nothing.
    assert_eq!(count("111111111111/CloudTrail/us-east-1/"), 1);
    assert_eq!(count("111111111111/CloudTrail/eu-west-1/"), 2);
    assert_eq!(count("222222222222/CloudTrail/us-east-1/"), 6);
    assert_eq!(count("222222222222/CloudTrail-Digest/us-east-1/"), 1);
    assert_eq!(count("222222222222/CloudTrail-Digest/eu-west-1/"), 1);
    assert_eq!(count("222222222222/CloudTrail/eu-west-1/"), 0);
    // The account prefixes, the digests of the home region, the regions of each account, and the calls above with that of
    // af-south-1.
    assert_eq!(listed.len(), 1 + 1 + 2 + 1 + 2 + 6 + 3);
    // ListRegions of both accounts.
    assert_eq!(report.calls, listed.len() + 2);
}

#[tokio::test]
async fn listing_of_busy_pair_skips_pages() {
    let mut fake = FakeAws::new();
    fake.page_size = 10;
    for minute in 0..600 {
        let stamp = format!("20261128T{:02}{:02}", minute / 60, minute % 60);
        fake.add_log_file(OWN, "us-east-1", &stamp);
    }
    let (accounts, _) = scan(&fake, &target()).await;
    let newest = accounts[0].pair("us-east-1").last_event.unwrap();
    let age = now().duration_since(newest.to_system_time()).unwrap();
    assert_eq!(age, Duration::from_secs(60));
    let pages = fake.listed();
    let pages = pages
        .iter()
        .filter(|(prefix, _)| prefix.ends_with("/CloudTrail/us-east-1/"));
    // The first page, and three of the last half an hour.
    assert_eq!(pages.count(), 4);
}

#[tokio::test]
async fn pages_are_read_if_nothing_is_recent() {
    let mut fake = FakeAws::new();
    fake.page_size = 10;
    for minute in 0..35 {
        fake.add_log_file(OWN, "us-east-1", &format!("20261128T02{minute:02}"));
    }
    let (accounts, _) = scan(&fake, &target()).await;
    let newest = accounts[0].pair("us-east-1").last_event.unwrap();
    let age = now().duration_since(newest.to_system_time()).unwrap();
    assert_eq!(age, Duration::from_secs((7 * 60 + 26) * 60));
}

#[tokio::test]
async fn suspended_account_is_not_expected() {
    let mut fake = mixed();
    fake.member_state = "SUSPENDED";
    let (accounts, _) = scan(&fake, &target()).await;
    assert_eq!(statuses(&accounts[1]), []);
    assert_eq!(
        accounts[1].pair("us-east-1").status,
        PairStatus::NotExpected
    );
    let listed = fake.listed();
    assert!(listed.iter().all(|(prefix, _)| !prefix.contains(MEMBER)));
}

#[tokio::test]
async fn refused_opt_in_regions_are_unknown() {
    let mut fake = mixed();
    fake.allows_member_regions = false;
    fake.add_log_file(MEMBER, "me-south-1", "20260115T1200");
    fake.add_log_file(MEMBER, "af-south-1", "20261128T0930");
    let (accounts, report) = scan(&fake, &target()).await;
    assert_eq!(
        statuses(&accounts[1]),
        [
            ("af-south-1", "events"),
            ("eu-west-1", "nothing"),
            ("me-south-1", "unknown"),
            ("us-east-1", "digest_only")
        ]
    );
    assert!(report.lacks_opt_in_regions);
}

#[tokio::test]
async fn disabled_region_with_log_files_is_not_expected() {
    let fake = mixed();
    fake.add_log_file(MEMBER, "me-south-1", "20261128T0930");
    let (accounts, _) = scan(&fake, &target()).await;
    assert_eq!(
        accounts[1].pair("me-south-1").status,
        PairStatus::NotExpected
    );
}

#[tokio::test]
async fn trail_without_digests_has_no_gaps() {
    let fake = mixed();
    let target = TrailBucket {
        has_digests: false,
        ..target()
    };
    let (accounts, _) = scan(&fake, &target).await;
    assert_eq!(accounts[1].count(PairStatus::Unknown), 3);
    let listed = fake.listed();
    assert!(listed.iter().all(|(prefix, _)| !prefix.contains("-Digest")));
}

#[tokio::test]
async fn single_region_trail_expects_its_home_region() {
    let fake = mixed();
    let target = TrailBucket {
        is_multi_region: false,
        ..target()
    };
    let (accounts, report) = scan(&fake, &target).await;
    for account in &accounts {
        let regions: Vec<&str> = account.pairs.iter().map(|(name, _)| &**name).collect();
        assert_eq!(regions, ["us-east-1"]);
    }
    assert!(!report.lacks_opt_in_regions);
}

#[tokio::test]
async fn prefixes_of_other_accounts_are_reported() {
    let fake = mixed();
    fake.add_log_file("999999999999", "us-east-1", "20261128T0930");
    fake.add(format!("{PREFIX}readme.txt"));
    fake.add(format!("{PREFIX}other/file"));
    let (accounts, report) = scan(&fake, &target()).await;
    assert_eq!(report.other_accounts, ["999999999999"]);
    assert_eq!(accounts.len(), 2);
}

#[tokio::test]
async fn resumed_scan_skips_finished_accounts() {
    let fake = mixed();
    let (aws, target) = (fake.clients(), target());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("progress");
    let mut file = ProgressFile::open(&path, &target, true, now()).unwrap();
    let scan = CoverageScan::prepare(&aws, &target, now(), true)
        .await
        .unwrap();
    // The first account is stored, and then the run ends.
    let mut read = 0;
    let run = scan.run(
        |_| false,
        |account| {
            read += 1;
            match read {
                1 => file.append(&account),
                _ => Err(Error::interrupted("stopped")),
            }
        },
    );
    run.await.unwrap_err();
    drop(file);
    // The program was killed while it wrote a line.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}{{\"account\":\"1")).unwrap();

    let later = now() + Duration::from_secs(3_600);
    let mut file = ProgressFile::open(&path, &target, true, later).unwrap();
    assert_eq!(file.started, now());
    let done: Vec<String> = file
        .accounts
        .iter()
        .map(|each| each.account.clone())
        .collect();
    assert_eq!(done.len(), 1);
    let mut others = Vec::new();
    let run = scan.run(
        |id| done.iter().any(|known| known == id),
        |account| {
            others.push(account.account.clone());
            file.append(&account)
        },
    );
    run.await.unwrap();
    assert_eq!(others.len(), 1);
    assert_ne!(others, done);
    let complete = ProgressFile::open(&path, &target, true, later).unwrap();
    assert_eq!(complete.accounts.len(), 2);
    complete.remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn progress_of_other_scan_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("progress");
    let target = target();
    drop(ProgressFile::open(&path, &target, true, now()).unwrap());
    let written = std::fs::read(&path).unwrap();
    let other = TrailBucket {
        bucket: "other".into(),
        ..target.clone()
    };
    let tomorrow = now() + Duration::from_secs(86_400);
    for (target, opt_in_regions, at) in [
        (&other, true, now()),
        (&target, false, now()),
        (&target, true, tomorrow),
    ] {
        let refused = ProgressFile::open(&path, target, opt_in_regions, at).unwrap_err();
        assert_eq!(refused.exit() as u8, 2, "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), written);
    }
    std::fs::write(&path, "notes\n").unwrap();
    let refused = ProgressFile::open(&path, &target, true, now()).unwrap_err();
    assert_eq!(refused.exit() as u8, 2);
    assert_eq!(std::fs::read(&path).unwrap(), b"notes\n");
}

#[test]
fn progress_with_future_start_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("progress");
    let target = target();
    drop(ProgressFile::open(&path, &target, true, now()).unwrap());
    let written = std::fs::read_to_string(&path).unwrap();
    let since_epoch = now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seconds = since_epoch.as_secs();
    let field = format!("\"started\":{seconds}");
    assert!(written.contains(&field), "{written}");
    for (started, is_accepted) in [
        (seconds + 300, true),
        (seconds + 301, false),
        (i64::MAX.unsigned_abs(), false),
        (u64::MAX, false),
    ] {
        let changed = written.replace(&field, &format!("\"started\":{started}"));
        std::fs::write(&path, &changed).unwrap();
        match ProgressFile::open(&path, &target, true, now()) {
            Ok(_) => assert!(is_accepted, "{started}"),
            Err(refused) => {
                assert!(!is_accepted, "{refused}");
                assert_eq!(refused.exit() as u8, 2, "{refused}");
                assert_eq!(std::fs::read_to_string(&path).unwrap(), changed);
            }
        }
    }
}

#[tokio::test]
async fn new_trail_has_no_gaps() {
    let mut fake = mixed();
    fake.logging_started = 1_795_860_000 - 3_600;
    let (accounts, report) = scan(&fake, &target()).await;
    assert!(!report.expects_digests);
    assert_eq!(
        statuses(&accounts[1]),
        [
            ("af-south-1", "unknown"),
            ("eu-west-1", "unknown"),
            ("us-east-1", "digest_only")
        ]
    );
}

#[tokio::test]
async fn trail_has_no_gaps_after_validation_started() {
    let fake = mixed();
    fake.add_digest(OWN, "us-east-1", "20261128T0930");
    let (accounts, report) = scan(&fake, &target()).await;
    assert!(!report.expects_digests);
    assert_eq!(accounts[1].count(PairStatus::Nothing), 0);
    // The digests of the day before show that validation is on for longer.
    fake.add_digest(OWN, "us-east-1", "20261127T0930");
    let (accounts, report) = scan(&fake, &target()).await;
    assert!(report.expects_digests);
    assert_eq!(accounts[1].count(PairStatus::Nothing), 2);
}

#[tokio::test]
async fn refused_account_hides_no_regions_of_others() {
    let mut fake = mixed();
    fake.allows_member_regions = false;
    fake.others = vec!["333333333333", "444444444444"];
    let (accounts, report) = scan(&fake, &target()).await;
    assert!(report.lacks_opt_in_regions);
    for account in &accounts[2..] {
        assert_eq!(
            statuses(account),
            [
                ("af-south-1", "nothing"),
                ("eu-west-1", "nothing"),
                ("us-east-1", "nothing")
            ]
        );
    }
    // GetTrailStatus is not among the calls; the refused account and the others are.
    let listed = fake.listed().len();
    assert_eq!(report.calls, listed + 1 + 3);
}
