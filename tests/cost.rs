//! Cost: measured volumes, given values and prices, on the emulators.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testkit::log_file::event;
use testkit::{Engine, Fault, FaultAction, HeelerEc, LogFile, Organization, Run};

use crate::commands::{error, heeler_ec, json, names, on_both_engines, setup_of, text};
use crate::coverage::stamp;

const NOBODY: [String; 0] = [];
/// The example of 200 accounts in `docs/cost.md`.
const GIVEN: [&str; 8] = [
    "--log-files-per-day",
    "98562",
    "--events-per-day",
    "6570841",
    "--bytes-per-event",
    "1800",
    "--matching-percent",
    "8",
];

fn cost(org: &Organization) -> HeelerEc<'_> {
    heeler_ec(org).args(["cost", "-o", "json"])
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[track_caller]
fn expect_close(found: &Value, expected: f64) {
    let found = number(found);
    let difference = (found - expected).abs();
    assert!(difference <= expected.abs() * 0.002, "{found} {expected}");
}

fn option<'r>(report: &'r Value, name: &str) -> &'r Value {
    let options = report["options"].as_array().expect("options");
    let found = options.iter().find(|option| option["option"] == name);
    found.expect("the option")
}

fn expect_assumption(report: &Value, part: &str) {
    let all = report["assumptions"].as_array().expect("assumptions");
    assert!(all.iter().any(|each| text(each).contains(part)), "{all:#?}");
}

#[track_caller]
fn expect_no_writes(run: &Run) {
    assert_eq!(names(&run.writes()), NOBODY);
    for call in &run.calls {
        let reads = ["Describe", "Filter", "Get", "Head", "List"];
        let is_read = reads.iter().any(|verb| call.operation.starts_with(verb));
        assert!(is_read && call.service != "sqs", "{}", call.name());
    }
}

/// Delivers a file with events of which one matches Heeler's filter.
async fn deliver(org: &Organization, account: &str, region: &str, events: usize, age_hours: u64) {
    let mut records = vec![event(
        account,
        region,
        "iam.amazonaws.com",
        "CreateUser",
        false,
    )];
    let read = event(account, region, "iam.amazonaws.com", "ListUsers", true);
    records.resize(events, read);
    let time = SystemTime::now() - Duration::from_secs(age_hours * 3_600);
    let file = LogFile::new(account, region, records).stamp(&stamp(time));
    org.deliver(&file).await;
}

on_both_engines! {
    async fn volume_is_measured_in_the_bucket(engine: Engine) {
        let org = Organization::on(engine).without_log_file().build().await;
        let members = org.members();
        for region in ["us-east-1", "eu-west-1"] {
            deliver(&org, &members[0], region, 4, 1).await;
        }
        deliver(&org, &members[1], "us-east-1", 4, 20).await;
        // Too old, and in the future.
        deliver(&org, &members[1], "us-east-1", 4, 25).await;
        let run = cost(&org).run().await.expect_status(0);
        expect_no_writes(&run);
        let report = json(&run);
        let month = number(&report["days_per_month"]);
        let volume = &report["volume"];
        expect_close(&volume["log_files_per_month"]["value"], 3.0 * month);
        expect_close(&volume["events_per_month"]["value"], 12.0 * month);
        expect_close(&volume["matching_share"]["value"], 0.25);
        assert_eq!(volume["matching_share"]["source"], "log_files");
        let measurement = &report["measurement"];
        assert_eq!(measurement["read_log_files"], 3);
        assert_eq!(measurement["listed_accounts"], measurement["accounts"]);
        assert_eq!(report["large_events"]["events_read"], 12);
        assert_eq!(report["large_events"]["large_events"], 0);
        assert_eq!(report["not_measured"], json!([]));
        for name in ["s3", "cloudwatch"] {
            let amount = number(&option(&report, name)["usd"]);
            assert!(amount > 1.0 && amount < 2.0, "{report:#}");
            assert_eq!(option(&report, name)["charged_already_usd"], 0.0);
        }
    }
}

#[tokio::test]
async fn listing_takes_a_call_per_account_and_pair() {
    let org = Organization::on(Engine::Ministack)
        .without_log_file()
        .build()
        .await;
    let members = org.members();
    for region in ["us-east-1", "eu-west-1"] {
        deliver(&org, &members[0], region, 1, 1).await;
    }
    deliver(&org, &members[1], "us-east-1", 1, 1).await;
    let run = cost(&org).run().await.expect_status(0);
    let count = |name: &str| run.calls.iter().filter(|call| call.name() == name).count();
    // The accounts; the regions of two accounts; three pairs.
    assert_eq!(count("s3:ListObjectsV2"), 1 + 2 + 3);
    assert_eq!(count("s3:GetObject"), 3);
    let measurement = &json(&run)["measurement"];
    assert_eq!(measurement["list_requests"], 6);
    assert_eq!(measurement["get_requests"], 3);

    let run = cost(&org).args(["--max-accounts", "1"]);
    let report = json(&run.run().await.expect_status(0));
    assert_eq!(report["measurement"]["listed_accounts"], 1);
    assert_eq!(report["measurement"]["accounts"], 2);
}

#[tokio::test]
async fn day_selects_the_log_files() {
    let org = Organization::on(Engine::Ministack)
        .without_log_file()
        .build()
        .await;
    let member = &org.members()[0];
    for time in ["20260130T0000Z", "20260130T2359Z", "20260131T0000Z"] {
        let record = event(
            member,
            "us-east-1",
            "iam.amazonaws.com",
            "CreateUser",
            false,
        );
        let file = LogFile::new(member, "us-east-1", vec![record]).stamp(time);
        org.deliver(&file).await;
    }
    let run = cost(&org).args(["--day", "2026-01-30"]);
    let report = json(&run.run().await.expect_status(0));
    assert_eq!(report["measurement"]["listed_log_files"], 2);
    assert_eq!(report["period"]["start"], "2026-01-30T00:00:00Z");
    let run = cost(&org).args(["--day", "2026-01-31"]);
    expect_assumption(&json(&run.run().await.expect_status(0)), "on a weekend");
    let run = cost(&org).args(["--day", "tomorrow"]).run().await;
    assert_eq!(run.expect_status(2).calls.len(), 0);
}

#[tokio::test]
async fn events_over_256_kb_are_counted() {
    let org = Organization::on(Engine::Ministack)
        .without_log_file()
        .build()
        .await;
    let member = &org.members()[0];
    let mut large = event(
        member,
        "us-east-1",
        "iam.amazonaws.com",
        "PutRolePolicy",
        false,
    );
    large["requestParameters"] = json!({ "document": "x".repeat(256 * 1024) });
    let small = event(
        member,
        "us-east-1",
        "iam.amazonaws.com",
        "CreateUser",
        false,
    );
    org.deliver(&LogFile::new(member, "us-east-1", vec![small, large]))
        .await;
    let report = json(&cost(&org).run().await.expect_status(0));
    assert_eq!(report["large_events"]["large_events"], 1);
    assert_eq!(report["large_events"]["limit_bytes"], 256 * 1024);
    let run = heeler_ec(&org).args(["cost"]).run().await.expect_status(0);
    let line = "1 of 2 events that were read are larger than 256 KB. Option cloudwatch does not deliver these.";
    assert!(run.stdout.contains(line), "{}", run.stdout);
}

#[tokio::test]
async fn metrics_of_the_log_group_are_the_ingestion() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let group = org.log_group().expect("a log group");
    let proxy = org.proxy();
    proxy.set_metric(
        ["AWS/Logs", "IncomingBytes", "LogGroupName", group],
        &[3e9, 1e9],
    );
    proxy.set_metric(
        ["AWS/Logs", "IncomingLogEvents", "LogGroupName", group],
        &[2e6, 2e6],
    );
    let report = json(&cost(&org).run().await.expect_status(0));
    let month = number(&report["days_per_month"]);
    expect_close(&report["volume"]["ingested_bytes_per_month"], 2e9 * month);
    let cloudwatch = option(&report, "cloudwatch");
    let item = &cloudwatch["items"][0];
    expect_close(&item["usd"], month);
    assert_eq!(item["charged_already"], true);
    assert!(number(&cloudwatch["charged_already_usd"]) >= number(&item["usd"]));
    // The log files are of this trail only.
    assert_eq!(report["volume"]["events_per_month"]["source"], "log_files");
    assert_eq!(report["measurement"]["metrics"], 2);
}

#[tokio::test]
async fn unreadable_bucket_is_named_with_arguments() {
    let org = Organization::on(Engine::Ministack).build().await;
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy()
        .fault(Fault::new("s3", "ListObjectsV2", refusal));
    let run = cost(&org).run().await.expect_status(1);
    let report = json(&run);
    assert!(text(&report["not_measured"][0]["place"]).contains(org.bucket()));
    assert!(text(&report["not_measured"][0]["reason"]).contains("AccessDenied"));
    let missing = option(&report, "s3")["missing"].clone();
    let expected = json!([{ "figure": "log_files_per_month", "argument": "--log-files-per-day" }]);
    assert_eq!(missing, expected);
    assert_eq!(option(&report, "cloudwatch")["usd"], Value::Null);
    let run = cost(&org).args(["--log-files-per-day", "1000"]).run().await;
    let report = json(&run.expect_status(0));
    assert!(number(&option(&report, "s3")["usd"]) > 1.0);
    let run = heeler_ec(&org).args(["cost"]).run().await.expect_status(1);
    assert!(
        run.stdout.contains("add --log-files-per-day."),
        "{}",
        run.stdout
    );
}

#[tokio::test]
async fn events_of_log_group_replace_log_files() {
    let org = Organization::on(Engine::Ministack)
        .log_group()
        .build()
        .await;
    let group = org.log_group().expect("a log group");
    let refusal = FaultAction::refuse(403, "AccessDenied", "is not authorized");
    org.proxy()
        .fault(Fault::new("s3", "ListObjectsV2", refusal));
    org.proxy()
        .set_metric(["AWS/Logs", "IncomingBytes", "LogGroupName", group], &[1e9]);
    org.proxy().set_metric(
        ["AWS/Logs", "IncomingLogEvents", "LogGroupName", group],
        &[1e6],
    );
    let write = event(
        org.account(),
        "us-east-1",
        "iam.amazonaws.com",
        "CreateUser",
        false,
    );
    let read = event(
        org.account(),
        "us-east-1",
        "iam.amazonaws.com",
        "ListUsers",
        true,
    );
    org.put_log_events(&[write.to_string(), read.to_string()])
        .await;
    let report = json(&cost(&org).run().await.expect_status(0));
    assert_eq!(
        report["volume"]["events_per_month"]["source"],
        "log_group_metrics"
    );
    assert_eq!(
        report["volume"]["matching_share"]["source"],
        "log_group_events"
    );
    expect_close(&report["volume"]["matching_share"]["value"], 0.5);
    assert_eq!(report["volume"]["log_files_per_month"], Value::Null);
    assert!(option(&report, "cloudwatch")["usd"].is_number());
    assert_eq!(option(&report, "s3")["usd"], Value::Null);
}

#[tokio::test]
async fn given_values_need_no_calls() {
    let org = Organization::on(Engine::Ministack).build().await;
    let run = cost(&org).args(GIVEN).run().await.expect_status(0);
    assert_eq!(run.calls.len(), 0);
    let report = json(&run);
    assert_eq!(report["trail"], Value::Null);
    expect_close(&option(&report, "s3")["usd"], 7.484);
    let cloudwatch = number(&option(&report, "cloudwatch")["usd"]);
    assert!((205.0..211.0).contains(&cloudwatch), "{cloudwatch}");
    // 40 times the ingestion is the price of a second trail.
    expect_close(&report["second_trail_usd"], 4_000.0);
    expect_assumption(&report, "list prices of us-east-1");
}

#[tokio::test]
async fn price_file_replaces_prices() {
    let org = Organization::on(Engine::Ministack).build().await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("prices.toml");
    let write = |text: &str| std::fs::write(&path, text).expect("a file");
    let priced = || {
        let run = cost(&org).args(GIVEN);
        run.args(["--prices", &path.display().to_string()])
    };
    write(
        "region = \"eu-central-1\"\n[prices]\nlogs_ingested_gb = { usd = 0.63, per = 1, date = 2026-11-01 }\n",
    );
    let report = json(&priced().run().await.expect_status(0));
    expect_close(&option(&report, "cloudwatch")["items"][0]["usd"], 226.8);
    assert_eq!(report["prices"]["region"], "eu-central-1");
    let items = report["prices"]["items"].as_array().expect("prices");
    let replaced = items.iter().filter(|price| price["replaced"] == true);
    assert_eq!(replaced.count(), 1);
    expect_assumption(&report, "2024-07-01 to 2026-11-01");

    write("[prices]\nlogs = 1\n");
    let run = priced().run().await.expect_status(2);
    assert!(
        text(&error(&run)["cause"]).contains("line 2"),
        "{}",
        run.stdout
    );
    std::fs::remove_file(&path).expect("a file");
    assert_eq!(priced().run().await.expect_status(2).calls.len(), 0);
}

#[tokio::test]
async fn cost_is_the_same_after_setup() {
    for name in ["s3", "cloudwatch"] {
        let org = Organization::on(Engine::Ministack)
            .log_group()
            .build()
            .await;
        let before = json(&cost(&org).run().await.expect_status(0));
        setup_of(&org, name).run().await.expect_status(0);
        let run = cost(&org).run().await.expect_status(0);
        expect_no_writes(&run);
        assert_eq!(json(&run)["options"], before["options"], "{name}");
    }
}

#[tokio::test]
async fn missing_trail_names_the_arguments() {
    let org = Organization::on(Engine::Ministack)
        .without_trail()
        .build()
        .await;
    let run = cost(&org).run().await.expect_status(1);
    let hint = error(&run)["hint"].clone();
    assert!(text(&hint).contains("--events-per-day"), "{hint}");
}

#[tokio::test]
async fn failing_aws_ends_the_measurement() {
    let org = Organization::on(Engine::Ministack).build().await;
    let failure = FaultAction::refuse(500, "InternalError", "try again");
    org.proxy()
        .fault(Fault::new("s3", "ListObjectsV2", failure));
    let run = cost(&org).env("AWS_MAX_ATTEMPTS", "1").run().await;
    assert_eq!(error(&run.expect_status(3))["code"], "InternalError");
}
