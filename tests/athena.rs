//! `export athena`: the statements parse, and on DuckDB they give the same severities and coverage as the program.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use heeler_ec::cloudtrail::log_file::collect_records;
use heeler_ec::cloudtrail::record::Record;
use heeler_ec::severity::{RatedEvent, SeverityTable};
use serde_json::{Value, json};
use testkit::log_file::event;
use testkit::{Engine, Organization, samples, skip};

use crate::commands::{error, heeler_ec, json, names, text};

const NOBODY: [String; 0] = [];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The statements for an organization.
async fn statements(org: &Organization) -> Value {
    let run = heeler_ec(org).args(["export", "athena", "-o", "json"]);
    let run = run.run().await.expect_status(0);
    assert_eq!(names(&run.writes()), NOBODY);
    json(&run)["statements"].clone()
}

/// Parses and runs the statements. Returns `None` if `make emulators` has not installed DuckDB.
fn run_on_duckdb(statements: &Value, records: &[Value], digests: &[Value]) -> Option<Value> {
    let python = root().join(".venv/athena/bin/python");
    if !python.exists() {
        skip::report(
            "DuckDB and sqlglot",
            "SQL of export athena",
            "run make emulators",
        );
        return None;
    }
    let request = json!({ "statements": statements, "records": records, "digests": digests });
    let mut child = Command::new(python)
        .arg(root().join("tests/testkit/emulators/athena_run.py"))
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python");
    let mut input = child.stdin.take().expect("standard input");
    let text = request.to_string();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().expect("an end");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    writer.join().expect("a thread").expect("all of the input");
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// A record as a row of the table, with its partition.
fn row(fields: &Value) -> Value {
    let part = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
    json!({
        "account": part("recipientAccountId"),
        "region": part("awsRegion"),
        "day": part("eventTime").get(..10).unwrap_or_default().replace('-', "/"),
        "fields": fields,
    })
}

/// Every record of the fixtures, and of the published log files if they exist.
fn real_records() -> Vec<String> {
    let mut files: Vec<Vec<u8>> = [
        "218007301253_CloudTrail_us-east-1_20230710T1210Z_2ru8PrDKZmsO3yWC.json.gz",
        "218007301253_CloudTrail_us-east-1_20230710T1230Z_soULWstxp7lqsODg.json.gz",
    ]
    .iter()
    .map(|name| std::fs::read(root().join("tests/fixtures/tail/objects").join(name)))
    .map(|file| file.expect("a fixture"))
    .collect();
    if let Some(folder) = samples::real_logs() {
        let published = samples::log_files_below(&folder).into_iter();
        files.extend(published.map(|(_, bytes)| bytes));
    }
    let records = files
        .iter()
        .flat_map(|bytes| collect_records(bytes, u64::MAX).expect("records"));
    records.collect()
}

/// One event of each entry of the table, successful, failed and of an unlisted service.
fn listed_events(table: &SeverityTable) -> Vec<Value> {
    let rules = table.rules();
    let mut events = Vec::new();
    for (service, name, _) in &rules.entries {
        for (source, failed, read_only) in [
            (*service, false, json!(false)),
            (*service, true, json!(false)),
            (*service, false, json!(true)),
            ("unlisted", false, Value::Null),
            ("ec2", true, Value::Null),
            ("kms", false, Value::Null),
        ] {
            let mut fields = json!({
                "eventSource": format!("{source}.amazonaws.com"),
                "eventName": name,
                "readOnly": read_only,
                "eventTime": "2026-01-02T03:04:05Z",
            });
            if failed {
                fields["errorCode"] = json!("AccessDenied");
            }
            events.push(fields);
        }
    }
    for name in [
        "",
        "BatchGetRemoved",
        "RevokeX",
        "UnlistedEvent",
        "deleteThing",
    ] {
        events.push(json!({ "eventSource": "s3.amazonaws.com", "eventName": name }));
        events.push(json!({ "eventName": name, "errorMessage": "x" }));
    }
    events
}

#[tokio::test]
async fn severities_on_duckdb_equal_the_table() {
    let org = Organization::on(Engine::Ministack).build().await;
    let statements = statements(&org).await;
    let table = SeverityTable::built_in().expect("the built-in table");
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    let mut rows = Vec::new();
    for text in real_records() {
        let record = Record::read(&text).expect("a record");
        let level = table.level_of_record(&record);
        *expected.entry(level.name()).or_default() += 1;
        rows.push(row(&serde_json::from_str(&text).expect("JSON")));
    }
    for fields in listed_events(&table) {
        let text = |name: &str| fields[name].as_str().unwrap_or_default();
        let level = table.level(&RatedEvent {
            service: text("eventSource"),
            name: text("eventName"),
            failed: !fields["errorCode"].is_null() || !fields["errorMessage"].is_null(),
            read_only: fields["readOnly"].as_bool(),
        });
        *expected.entry(level.name()).or_default() += 1;
        rows.push(row(&fields));
    }
    assert_eq!(expected.len(), 3);
    let Some(found) = run_on_duckdb(&statements, &rows, &[]) else {
        return;
    };
    assert_eq!(found["severities"], json!(expected));
}

#[tokio::test]
async fn coverage_query_has_the_statuses_of_coverage() {
    let org = Organization::on(Engine::Ministack).build().await;
    let statements = statements(&org).await;
    let member = &org.members()[0];
    let now = SystemTime::now();
    let time = |ago: Duration| humantime::format_rfc3339_seconds(now - ago).to_string();
    let (today, old) = (time(Duration::ZERO), time(Duration::from_secs(3 * 86_400)));
    let at = |account: &str, region: &str, time: &str| {
        let mut fields = event(account, region, "sts.amazonaws.com", "AssumeRole", true);
        fields["eventTime"] = json!(time);
        row(&fields)
    };
    let records = [
        at(member, "us-east-1", &today),
        at(member, "eu-west-2", &old),
    ];
    let digest = |region: &str, trail: &str| {
        let object = format!(
            "AWSLogs/o/{member}/CloudTrail-Digest/{region}/x/{member}_CloudTrail-Digest_{region}_{trail}_us-east-1_x.json.gz"
        );
        json!({
            "account": member, "region": region, "day": today[..10].replace('-', "/"),
            "fields": { "digestEndTime": today, "digestS3Object": object },
        })
    };
    let digests = [
        digest("us-east-1", org.trail()),
        digest("eu-west-1", org.trail()),
        digest("eu-west-3", "other-trail"),
    ];
    let Some(found) = run_on_duckdb(&statements, &records, &digests) else {
        return;
    };
    let pairs = found["queries"]["coverage"].as_array().expect("rows");
    assert_eq!(pairs.len(), 4 * 17);
    let status = |region: &str| {
        let row = pairs
            .iter()
            .find(|row| row[0] == **member && row[2] == region);
        text(&row.expect("a pair")[3])
    };
    assert_eq!(status("us-east-1"), "events");
    assert_eq!(status("eu-west-1"), "digest_only");
    assert_eq!(status("eu-west-2"), "nothing");
    assert_eq!(status("eu-west-3"), "nothing");
    let gaps = found["queries"]["coverage_gaps"].as_array().expect("rows");
    assert_eq!(gaps.len(), 4 * 17 - 2);
    let severities = found["queries"]["events_by_severity"]
        .as_array()
        .expect("rows");
    assert_eq!(severities[..], [json!(["low", 1])]);
}

/// The statement that a trail without log file validation gets.
#[tokio::test]
async fn coverage_query_runs_without_digests() {
    let org = Organization::on(Engine::Ministack).build().await;
    let update = org.clients().cloudtrail.update_trail().name(org.trail());
    let update = update.enable_log_file_validation(false).send().await;
    update.expect("a trail without digests");
    let statements = statements(&org).await;
    let Some(found) = run_on_duckdb(&statements, &[], &[]) else {
        return;
    };
    let pairs = found["queries"]["coverage"].as_array().expect("rows");
    assert_eq!(pairs.len(), 4 * 17);
    assert!(pairs.iter().all(|row| row[3] == "unknown"), "{pairs:?}");
    assert_eq!(found["queries"]["coverage_gaps"], json!([]));
}

#[tokio::test]
async fn export_athena_needs_only_the_trail() {
    let org = Organization::on(Engine::Ministack)
        .prefix("audit")
        .build()
        .await;
    let run = heeler_ec(&org).args(["export", "athena", "--name-prefix", "second"]);
    let run = run.run().await.expect_status(0);
    let location = format!(
        "s3://{}/audit/AWSLogs/{}/",
        org.bucket(),
        org.organization_id()
    );
    assert!(
        run.stdout.contains(&format!("LOCATION '{location}'")),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("CREATE EXTERNAL TABLE second_cloudtrail_logs (")
    );
    let without = Organization::on(Engine::Ministack)
        .without_trail()
        .build()
        .await;
    let run = heeler_ec(&without).args(["export", "athena", "-o", "json"]);
    error(&run.run().await.expect_status(1));
    let run = heeler_ec(&org).args(["export", "terraform", "--trail", "x", "-o", "json"]);
    let run = run.run().await.expect_status(2);
    assert_eq!(run.calls.len(), 0);
}
