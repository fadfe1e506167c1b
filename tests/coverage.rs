//! Coverage: accounts and regions with events, with digests only and without deliveries, on the emulators.

use serde_json::{Value, json};
use std::time::{Duration, SystemTime};
use testkit::log_file::event;
use testkit::{Engine, Fault, FaultAction, HeelerEc, LogFile, Organization, Run};

use crate::commands::{document, error, heeler_ec, json, names, on_both_engines, setup_of, text};

const NOBODY: [String; 0] = [];

fn coverage(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["coverage", "-o", "json"])
}

/// A time in the form of object keys, such as `20261128T0930Z`.
pub fn stamp(time: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(time).to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    format!("{}T{}Z", &digits[..8], &digits[8..12])
}

pub async fn deliver_at(org: &Organization, account: &str, region: &str, time: SystemTime) {
    let record = event(account, region, "sts.amazonaws.com", "AssumeRole", true);
    let file = LogFile::new(account, region, vec![record]).stamp(&stamp(time));
    org.deliver(&file).await;
}

async fn deliver_digest(org: &Organization, account: &str, region: &str) {
    // Two hours after the first digest of a trail, each region has one.
    let stamp = stamp(SystemTime::now() - Duration::from_secs(3 * 3_600));
    let (year, month, day) = (&stamp[..4], &stamp[4..6], &stamp[6..8]);
    let time = stamp.replace('Z', "00Z");
    let (id, trail, home) = (org.organization_id(), org.trail(), org.region());
    let key = format!(
        "AWSLogs/{id}/{account}/CloudTrail-Digest/{region}/{year}/{month}/{day}/\
         {account}_CloudTrail-Digest_{region}_{trail}_{home}_{time}.json.gz"
    );
    org.put(&key, Vec::new()).await;
}

/// Delivers a digest for every pair of these accounts, in the regions that every account has.
pub async fn deliver_digests(org: &Organization, accounts: &[&str], regions: &[String]) {
    for account in accounts {
        for region in regions {
            deliver_digest(org, account, region).await;
        }
    }
}

/// Makes CloudTrail report that the trail was started long ago, and has delivered digests.
pub fn report_established_trail(org: &Organization) {
    let established = FaultAction::edit_json(|status| {
        status["StartLoggingTime"] = json!(1_600_000_000);
        status["LatestDigestDeliveryTime"] = json!(1_600_003_600);
    });
    org.proxy()
        .fault(Fault::new("cloudtrail", "GetTrailStatus", established));
}

async fn organization(engine: Engine) -> Organization {
    let org = Organization::on(engine).build().await;
    report_established_trail(&org);
    org
}

fn regions(report: &Value) -> Vec<String> {
    let regions = report["regions"].as_array().expect("regions");
    regions.iter().map(text).collect()
}

fn pair<'r>(report: &'r Value, account: &str, region: &str) -> &'r Value {
    let of = |list: &'r Value, key: &str, value: &str| {
        let list = list.as_array().expect("a list");
        list.iter().find(|item| item[key] == value)
    };
    let account = of(&report["accounts"], "account", account).expect("the account");
    of(&account["regions"], "region", region).expect("the region")
}

#[track_caller]
fn expect_no_writes(run: &Run) {
    assert_eq!(names(&run.writes()), NOBODY);
    let reads = ["Describe", "Get", "Head", "List"];
    for call in &run.calls {
        let is_read = reads.iter().any(|verb| call.operation.starts_with(verb));
        assert!(is_read, "{}", call.name());
    }
}

on_both_engines! {
    async fn coverage_shows_events_digests_and_gaps(engine: Engine) {
        let org = organization(engine).await;
        let run = coverage(&org).run().await.expect_status(1);
        let all = regions(&json(&run));
        assert_eq!(all.len(), 17, "{all:?}");
        assert_eq!(all[0], "us-east-1");
        let members = org.members();
        let [first, second, third] = [&members[0], &members[1], &members[2]];
        deliver_digests(&org, &[org.account(), first, second, third], &all).await;
        let now = SystemTime::now();
        deliver_at(&org, first, "eu-west-1", now - Duration::from_secs(86_400)).await;
        deliver_at(&org, second, "eu-west-1", now - Duration::from_secs(40 * 86_400)).await;
        // The trail of the organization is the only one that counts.
        let run = coverage(&org).run().await.expect_status(0);
        expect_no_writes(&run);
        let report = json(&run);
        assert_eq!(report["counts"]["nothing"], 0, "{report:#}");
        assert_eq!(report["counts"]["events"], 2);
        assert_eq!(report["counts"]["digest_only"], 4 * 17 - 2);
        assert_eq!(pair(&report, org.account(), "us-east-1")["status"], "events");
        assert_eq!(pair(&report, first, "eu-west-1")["status"], "events");
        let silent = pair(&report, second, "eu-west-1");
        assert_eq!(silent["status"], "digest_only");
        assert!(silent["last_event"].is_string() && silent["last_digest"].is_string());
        assert_eq!(report["other_accounts"], json!([]));
    }
}

#[tokio::test]
async fn account_without_any_object_is_a_gap() {
    let org = organization(Engine::Ministack).await;
    let run = coverage(&org).run().await.expect_status(1);
    expect_no_writes(&run);
    let report = json(&run);
    let gaps = |account: &str| {
        let accounts = report["accounts"].as_array().expect("accounts").iter();
        let mut found = accounts.filter(|found| found["account"] == account);
        found.next().expect("the account")["gaps"].clone()
    };
    assert_eq!(gaps(&org.members()[1]), 17);
    assert_eq!(gaps(org.account()), 16);
    // The account without objects needs only the call for its regions.
    let lists = run
        .calls
        .iter()
        .filter(|call| call.name() == "s3:ListObjectsV2");
    // The accounts; two accounts with objects: the regions, and a call per pair.
    // The digests of the home region show how long the trail has written digests.
    assert_eq!(lists.count(), 1 + 1 + 2 + 17 + 17);
}

#[tokio::test]
async fn coverage_needs_no_deployment_of_an_option() {
    for option in ["s3", "cloudwatch"] {
        let org = Organization::on(Engine::Ministack)
            .log_group()
            .build()
            .await;
        report_established_trail(&org);
        let before = json(&coverage(&org).run().await.expect_status(1));
        setup_of(&org, option).run().await.expect_status(0);
        let run = coverage(&org).run().await.expect_status(1);
        expect_no_writes(&run);
        assert_eq!(json(&run)["counts"], before["counts"], "{option}");
    }
}

#[tokio::test]
async fn opt_in_region_of_a_member_is_expected() {
    let org = organization(Engine::Ministack).await;
    let member = org.members()[0].clone();
    let members = org.clients().account.enable_region();
    let enabled = members.account_id(&member).region_name("af-south-1");
    enabled.send().await.expect("an enabled region");
    let report = json(&coverage(&org).run().await.expect_status(1));
    assert_eq!(pair(&report, &member, "af-south-1")["status"], "nothing");
    assert_eq!(
        pair(&report, org.account(), "af-south-1")["status"],
        "not_expected"
    );
    let run = coverage(&org).args(["--default-regions"]);
    let run = run.run().await.expect_status(1);
    let report = json(&run);
    assert_eq!(regions(&report).len(), 17);
    assert_eq!(report["opt_in_regions_known"], false);
    let calls = run
        .calls
        .iter()
        .filter(|call| call.operation == "ListRegions");
    assert_eq!(calls.count(), 1);
}

#[tokio::test]
async fn csv_has_a_row_per_pair() {
    let org = organization(Engine::Ministack).await;
    let run = heeler_ec(&org).args(["coverage", "-o", "csv"]);
    let run = run.run().await.expect_status(1);
    let lines: Vec<&str> = run.stdout.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "account,name,state,region,status,last_event,last_digest"
    );
    assert_eq!(lines.len(), 1 + 4 * 17 + 1);
    let own = format!("{},", org.account());
    let is_own = |line: &&&str| line.starts_with(&own) && line.contains(",us-east-1,events,2");
    assert_eq!(lines.iter().filter(is_own).count(), 1, "{}", run.stdout);
}

#[tokio::test]
async fn page_has_a_table_with_header_cells() {
    let org = organization(Engine::Ministack).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("coverage.html");
    let run = heeler_ec(&org).args(["coverage", "--html", &path.display().to_string()]);
    let run = run.run().await.expect_status(1);
    assert!(run.stderr.contains("Page written to"), "{}", run.stderr);
    let page = std::fs::read_to_string(&path).expect("a page");
    assert_eq!(page.matches("<th scope=\"row\">").count(), 4);
    assert_eq!(page.matches("<th scope=\"col\"").count(), 17 + 2);
    assert_eq!(page.matches("<td class=\"nothing\"").count(), 4 * 17 - 1);
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "{page}"
    );

    let missing = folder.path().join("missing").join("coverage.html");
    let run = coverage(&org).args(["--html", &missing.display().to_string()]);
    let run = run.run().await.expect_status(2);
    assert_eq!(run.calls.len(), 0);
}

#[tokio::test]
async fn interrupted_scan_continues_from_its_file() {
    let org = organization(Engine::Ministack).await;
    for member in org.members() {
        deliver_at(&org, member, "us-east-1", SystemTime::now()).await;
    }
    let expected = json(&coverage(&org).run().await.expect_status(1));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("progress").display().to_string();
    // The last account cannot be read at first.
    let last = org.members()[2].clone();
    let refusal = FaultAction::refuse(403, "AccessDenied", "not authorized");
    let prefix = format!("{last}%2FCloudTrail%2F");
    let fault = Fault::new("s3", "ListObjectsV2", refusal).with_target_containing(&prefix);
    org.proxy().fault(fault);
    let run = coverage(&org).args(["--resume", &path]).run().await;
    let failure = error(&run.expect_status(3));
    assert_eq!(failure["code"], "AccessDenied");
    assert_eq!(
        failure["hint"],
        format!(
            "grant s3:ListBucket to the caller; to continue, run: heeler-ec coverage --resume {path}"
        )
    );
    let stored = std::fs::read_to_string(&path).expect("the file");
    assert!(
        !stored.contains(&format!("\"account\":\"{last}\"")),
        "{stored}"
    );
    org.proxy().clear_faults();
    report_established_trail(&org);

    let run = coverage(&org).args(["--resume", &path]).run().await;
    let run = run.expect_status(1);
    assert_eq!(json(&run)["accounts"], expected["accounts"]);
    assert!(!std::path::Path::new(&path).exists());

    std::fs::write(&path, "notes\n").expect("another file");
    let run = coverage(&org).args(["--resume", &path]).run().await;
    let run = run.expect_status(2);
    assert!(document(&run)["error"]["hint"].is_string());
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), "notes\n");
}

#[tokio::test]
async fn missing_organization_trail_is_negative() {
    let org = Organization::on(Engine::Ministack)
        .without_trail()
        .build()
        .await;
    let run = coverage(&org).run().await.expect_status(1);
    let failure = error(&run);
    assert_eq!(
        failure["cause"],
        "no organization trail is visible in us-east-1"
    );
    assert!(failure["hint"].is_string());
    let run = coverage(&org).args(["--trail", "other"]).run().await;
    error(&run.expect_status(1));
}

#[tokio::test]
async fn new_trail_has_no_gap_yet() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = heeler_ec(&org).args(["coverage"]).run().await;
    let run = run.expect_status(0);
    assert!(
        run.stdout
            .contains("no digest file that is older than two hours"),
        "{}",
        run.stdout
    );
    let report = json(&coverage(&org).run().await.expect_status(0));
    assert_eq!(report["digests_expected"], false);
    assert_eq!(report["counts"]["nothing"], 0);
    assert!(report["counts"]["unknown"].as_u64() > Some(0), "{report:#}");
}

/// S3 refuses a call with the expected owner if the bucket belongs to another account.
#[tokio::test]
async fn readable_bucket_of_another_account_is_listed() {
    let org = organization(Engine::Ministack).await;
    let expected = json(&coverage(&org).run().await.expect_status(1));
    let refuse_owner = || {
        let refusal = FaultAction::refuse(403, "AccessDenied", "not authorized");
        Fault::new("s3", "HeadBucket", refusal).times(1)
    };
    org.proxy().fault(refuse_owner());
    // The list of this account's buckets would also show the owner; coverage does without.
    let list = ["s3:ListAllMyBuckets"];
    let run = coverage(&org).extra_actions(&list).run().await;
    let run = run.expect_status(1);
    assert_eq!(json(&run)["counts"], expected["counts"]);
    let mut lists = run.calls.iter();
    let with_owner = lists.find(|call| {
        call.name() == "s3:ListObjectsV2"
            && call.headers.contains_key("x-amz-expected-bucket-owner")
    });
    assert!(with_owner.is_none(), "{with_owner:?}");

    org.proxy().fault(refuse_owner());
    let refusal = FaultAction::refuse(403, "AccessDenied", "not authorized");
    org.proxy()
        .fault(Fault::new("s3", "ListObjectsV2", refusal));
    let run = coverage(&org).extra_actions(&list).run().await;
    let failure = error(&run.expect_status(3));
    assert_eq!(failure["code"], "AccessDenied");
    let hint = text(&failure["hint"]);
    assert!(hint.contains("belongs to another account"), "{hint}");
}
