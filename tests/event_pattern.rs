//! Compares the event pattern of EventBridge with Heeler's filter pattern, record by record.

use heeler_ec::cloudtrail::log_file::collect_records;
use heeler_ec::filter_pattern::FilterPattern;
use heeler_ec::option::HEELER_PATTERN;
use heeler_ec::option::heeler_filter::{EXCLUDED_EVENTS, event_pattern};
use serde_json::{Map, Value, json};

use testkit::event_pattern::matches;
use testkit::{emulator, samples};

const CAP: u64 = 64 * 1024 * 1024;

#[test]
fn filter_passes_exactly_what_event_pattern_matches() {
    let comparison = Comparison::new();
    let (mut records, mut passed) = (0, 0);
    for record in generated_records() {
        // Only the event pattern excludes data and network events.
        let is_management = record
            .get("eventCategory")
            .is_none_or(|found| found == "Management");
        let (filter, pattern) = comparison.results(&record);
        assert_eq!(filter && is_management, pattern, "{record}");
        records += 1;
        passed += usize::from(pattern);
    }
    assert_eq!((records, passed), (2_000, 6));
}

#[test]
fn event_pattern_matches_labelled_events() {
    let comparison = Comparison::new();
    let path = emulator::repository().join("tests/fixtures/pattern/events.json");
    let text = std::fs::read_to_string(path).expect("the events");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list of events");
    for case in cases {
        // EventBridge compares each element of a list and also values that are no text. CloudTrail writes only text.
        let event = &case["event"];
        if event.get("eventName").is_some_and(|name| !name.is_string()) {
            continue;
        }
        let (filter, pattern) = comparison.results(event);
        assert_eq!(filter, pattern, "{}", case["why"]);
        assert_eq!(Value::Bool(pattern), case["passes"], "{}", case["why"]);
    }
}

#[test]
fn event_pattern_matches_expected_real_records() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let comparison = Comparison::new();
    let (mut read, mut passed, mut data_events) = (0, 0, 0);
    for (key, bytes) in samples::log_files_below(&folder) {
        for record in collect_records(&bytes, CAP).unwrap_or_else(|error| panic!("{key}: {error}"))
        {
            let record: Value = serde_json::from_str(record.as_str()).expect("a record");
            let (filter, pattern) = comparison.results(&record);
            let is_data = record["eventCategory"] == "Data";
            assert_eq!(filter && !is_data, pattern, "{key}: {record}");
            read += 1;
            passed += usize::from(pattern);
            data_events += usize::from(filter && is_data);
        }
    }
    assert_eq!((read, passed, data_events), (2_902, 467, 0));
}

#[test]
fn forged_and_other_events_do_not_match() {
    let pattern = event_pattern();
    let record =
        json!({ "readOnly": false, "eventName": "CreateUser", "eventCategory": "Management" });
    for (source, detail_type, expected) in [
        ("aws.iam", "AWS API Call via CloudTrail", true),
        ("aws.signin", "AWS Console Signin via CloudTrail", true),
        ("aws.kms", "AWS Service Event via CloudTrail", true),
        ("custom.app", "AWS API Call via CloudTrail", false),
        ("aws.ec2", "EC2 Instance State-change Notification", false),
    ] {
        let event = json!({ "source": source, "detail-type": detail_type, "detail": record });
        assert_eq!(
            matches(&pattern, &event),
            expected,
            "{source}: {detail_type}"
        );
    }
}

/// The two patterns.
struct Comparison {
    filter: FilterPattern,
    pattern: Value,
}

impl Comparison {
    fn new() -> Self {
        Self {
            filter: FilterPattern::parse(HEELER_PATTERN).expect("Heeler's pattern"),
            pattern: event_pattern(),
        }
    }

    /// Returns the results of the filter and of the event pattern, with the envelope that CloudTrail's events have.
    fn results(&self, record: &Value) -> (bool, bool) {
        let event = json!({
            "version": "0",
            "source": "aws.iam",
            "detail-type": "AWS API Call via CloudTrail",
            "account": "111122223333",
            "region": "us-east-1",
            "detail": record,
        });
        (self.filter.matches(record), matches(&self.pattern, &event))
    }
}

/// Every combination of the values that the two patterns look at.
fn generated_records() -> Vec<Value> {
    let absent = None;
    let read_only = [
        absent.clone(),
        Some(json!(true)),
        Some(json!(false)),
        Some(json!("false")),
        Some(Value::Null),
    ];
    let error_code = [
        absent.clone(),
        Some(json!("AccessDenied")),
        Some(json!("")),
        Some(Value::Null),
    ];
    let category = [
        absent.clone(),
        Some(json!("Management")),
        Some(json!("Data")),
        Some(json!("NetworkActivity")),
        Some(json!("Insight")),
    ];
    let names = EXCLUDED_EVENTS
        .iter()
        .copied()
        .map(|name| Some(json!(name)));
    let others = ["CreateUser", "createuser", "PutObjectAcl"];
    let names: Vec<Option<Value>> = names
        .chain(others.map(|name| Some(json!(name))))
        .chain([absent])
        .collect();
    let mut records = Vec::new();
    for read_only in &read_only {
        for error_code in &error_code {
            for category in &category {
                for name in &names {
                    let mut record = Map::new();
                    for (key, value) in [
                        ("readOnly", read_only),
                        ("errorCode", error_code),
                        ("eventCategory", category),
                        ("eventName", name),
                    ] {
                        if let Some(value) = value {
                            record.insert(key.to_owned(), value.clone());
                        }
                    }
                    records.push(Value::Object(record));
                }
            }
        }
    }
    records
}
