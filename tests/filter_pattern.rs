//! Heeler's filter pattern, applied to labelled events and to all real sample records.

use heeler_ec::cloudtrail::log_file::collect_records;
use heeler_ec::filter_pattern::FilterPattern;
use heeler_ec::option::HEELER_PATTERN;
use serde_json::Value;

use testkit::{emulator, samples};

const CAP: u64 = 64 * 1024 * 1024;

/// The account in the samples with a complete set of records.
const ACCOUNT: &str = "218007301253";

/// Write calls that Heeler does not collect.
const EXCLUDED_EVENTS: [&str; 16] = [
    "AssumeRole",
    "CompleteLayerUpload",
    "ConsoleLogin",
    "CreateGrant",
    "CreateNetworkInterface",
    "Federate",
    "GetSigninToken",
    "InitiateLayerUpload",
    "PurgeQueue",
    "PutImage",
    "PutObject",
    "RetireGrant",
    "SendCommand",
    "StartQuery",
    "UpdateInstanceInformation",
    "UploadLayerPart",
];

#[test]
fn heeler_filter_matches_labelled_events() {
    let heeler = heeler_pattern();
    let path = emulator::repository().join("tests/fixtures/pattern/events.json");
    let text = std::fs::read_to_string(path).expect("the events");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list of events");
    assert!(cases.len() > 15);
    for case in cases {
        let (event, expected) = (&case["event"], &case["passes"]);
        let matches = heeler.matches_text(&event.to_string());
        assert_eq!(Value::Bool(matches), *expected, "{}", case["why"]);
        assert_eq!(matches, is_expected(event), "{}", case["why"]);
    }
}

#[test]
fn heeler_filter_rejects_excluded_names() {
    let heeler = heeler_pattern();
    for name in EXCLUDED_EVENTS {
        let event = |name: &str| serde_json::json!({ "readOnly": false, "eventName": name, "eventSource": "x.amazonaws.com" });
        assert!(!heeler.matches(&event(name)), "{name}");
        assert!(heeler.matches(&event(&format!("{name}s"))), "{name}s");
        assert!(heeler.matches(&event(&name.to_lowercase())), "{name}");
    }
}

#[test]
fn heeler_filter_selects_expected_real_records() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let heeler = heeler_pattern();
    let (mut read, mut passed) = (0, 0);
    for (key, bytes) in samples::log_files_below(&folder) {
        for record in collect_records(&bytes, CAP).unwrap_or_else(|error| panic!("{key}: {error}"))
        {
            let text = record.as_str();
            let matches = heeler.matches_text(text);
            let value = serde_json::from_str(text).expect("a record");
            assert_eq!(matches, is_expected(&value), "{key}: {text}");
            if key.contains(ACCOUNT) {
                read += 1;
                passed += usize::from(matches);
            }
        }
    }
    assert_eq!((read, passed), (2900, 467));
}

fn heeler_pattern() -> FilterPattern {
    FilterPattern::parse(HEELER_PATTERN).expect("Heeler's pattern")
}

/// An implementation of the filter in Rust.
fn is_expected(record: &Value) -> bool {
    let name = record["eventName"].as_str();
    record["readOnly"] == Value::Bool(false)
        && record.get("errorCode").is_none()
        && name.is_some_and(|name| !EXCLUDED_EVENTS.contains(&name))
}
