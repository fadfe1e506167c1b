//! Unwraps records from the output of AWS commands and from the messages of other services.
//!
//! | source | JSON around the record |
//! | --- | --- |
//! | `cloudtrail lookup-events` | `{"Events": [{"CloudTrailEvent": "RECORD"}]}` |
//! | `logs filter-log-events`, `logs get-log-events` | `{"events": [{"message": "RECORD"}]}` |
//! | log group subscription (Firehose, Kinesis) | `{"messageType": "DATA_MESSAGE", "logEvents": [{"message": "RECORD"}]}` |
//! | EventBridge | `{"detail-type": "...", "detail": RECORD}` |
//! | log group export, `logs tail` | `TIMESTAMP RECORD` |
//!
//! Sources: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>,
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>,
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>.

use std::ops::ControlFlow;

use memchr::memchr;

use crate::cloudtrail::gunzip::LogFileError;
use crate::cloudtrail::json_elements::JsonElements;
use crate::cloudtrail::json_members::{JsonMembers, MalformedJson};
use crate::cloudtrail::json_scan;
use crate::cloudtrail::lenient_json::as_text;

/// Keys of the arrays that contain records.
pub const RECORD_ARRAYS: &[&str] = &[RECORDS, "Events", "events", "logEvents"];

/// The key of the array of records in a log file. Its elements are records and not wrapped.
pub const RECORDS: &str = "Records";

/// Keys that only records have. Each record has one of them.
const RECORD_KEYS: &[&str] = &[
    "eventVersion",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventCategory",
    "userIdentity",
];

/// Arrays and objects in each other, such as an array of messages with several records. Deeper ones are not read.
const MAX_DEPTH: u32 = 4;

/// The longest text before the record in a line with a timestamp.
const MAX_LINE_PREFIX_BYTES: usize = 1024;

/// A receiver of the text of one record.
type Emit<'e> = dyn FnMut(&str) -> ControlFlow<()> + 'e;

/// The place of the record in a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapping<'a> {
    /// The object is a record.
    Record,
    /// The value is an object that may be a record.
    Object(&'a str),
    /// The value is a string with the text of the record.
    Text(&'a str),
    /// The value is an array, with its key.
    Array(&'a str, &'a str),
    /// A message without records, with which a subscription checks its destination.
    ControlMessage,
    Unknown,
}

/// Passes on each record in a JSON value, until the receiver breaks.
///
/// # Errors
/// Returns an error if the value contains something else than records.
pub fn for_each_record(json: &str, emit: &mut Emit<'_>) -> Result<ControlFlow<()>, LogFileError> {
    unwrap_value(json, 0, emit)
}

/// Returns true if the JSON object is one record, wrapped or not.
#[must_use]
pub fn is_single_record(object: &str) -> bool {
    match find_wrapping(object) {
        Ok(Wrapping::Record) => true,
        Ok(Wrapping::Object(detail)) => is_record(detail),
        // Records in text begin with a bracket. Other programs write messages of this form, too.
        Ok(Wrapping::Text(text)) => text.starts_with("\"{"),
        _ => false,
    }
}

/// The JSON after the timestamp of a line, such as `2026-03-02T09:01:00.000Z {"eventVersion":...}`.
#[must_use]
pub fn after_timestamp(line: &str) -> Option<&str> {
    if !begins_with_date(line.as_bytes())? {
        return None;
    }
    let start = memchr(b'{', line.as_bytes())?;
    (start <= MAX_LINE_PREFIX_BYTES)
        .then(|| line.get(start..))
        .flatten()
}

/// Returns whether a text begins with a date such as `2026-03-02`; `None` if it is too short.
#[must_use]
pub fn begins_with_date(text: &[u8]) -> Option<bool> {
    let date = text.get(..10)?;
    Some(date.iter().enumerate().all(|(at, byte)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    }))
}

fn unwrap_value(
    json: &str,
    depth: u32,
    emit: &mut Emit<'_>,
) -> Result<ControlFlow<()>, LogFileError> {
    if depth > MAX_DEPTH {
        return Err(LogFileError::NoRecords);
    }
    match json.as_bytes().first() {
        Some(b'{') => match find_wrapping(json).map_err(|MalformedJson| malformed())? {
            Wrapping::Record => Ok(emit(json)),
            Wrapping::Object(detail) if is_record(detail) => Ok(emit(detail)),
            Wrapping::Text(text) => Ok(unwrap_text(text, emit)),
            Wrapping::ControlMessage => Ok(ControlFlow::Continue(())),
            Wrapping::Array(RECORDS, array) => {
                for_each_element(array, &mut |record| Ok(emit(record)))
            }
            Wrapping::Array(_, array) => {
                for_each_element(array, &mut |element| unwrap_value(element, depth + 1, emit))
            }
            Wrapping::Object(_) | Wrapping::Unknown => Err(LogFileError::NoRecords),
        },
        Some(b'"') => Ok(unwrap_text(json, emit)),
        Some(b'[') => for_each_element(json, &mut |element| unwrap_value(element, depth + 1, emit)),
        _ => Err(LogFileError::NoRecords),
    }
}

/// Passes on the text of a JSON string. It is a record or contains one; anything else is reported as unreadable later.
fn unwrap_text(string: &str, emit: &mut Emit<'_>) -> ControlFlow<()> {
    let text = as_text(string).unwrap_or_default();
    let text = text.trim_ascii();
    match find_wrapping(text) {
        Ok(Wrapping::Object(detail)) if is_record(detail) => emit(detail),
        _ => emit(text),
    }
}

fn for_each_element(
    array: &str,
    visit: &mut dyn FnMut(&str) -> Result<ControlFlow<()>, LogFileError>,
) -> Result<ControlFlow<()>, LogFileError> {
    let mut elements = JsonElements::parse(array).ok_or_else(malformed)?;
    while let Some(element) = elements.next().map_err(|MalformedJson| malformed())? {
        if visit(element)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn is_record(object: &str) -> bool {
    find_wrapping(object) == Ok(Wrapping::Record)
}

fn find_wrapping(object: &str) -> Result<Wrapping<'_>, MalformedJson> {
    let mut members = JsonMembers::parse(object).ok_or(MalformedJson)?;
    let (mut event, mut array, mut message, mut detail) = (None, None, None, None);
    let (mut is_record, mut is_control_message) = (false, false);
    while let Some((name, value)) = members.next()? {
        match (name, value.as_bytes().first()) {
            ("CloudTrailEvent", Some(b'"')) => event = Some(value),
            ("message", Some(b'"')) => message = Some(value),
            ("detail", Some(b'{')) => detail = Some(value),
            ("messageType", _) => is_control_message = value == r#""CONTROL_MESSAGE""#,
            (name, Some(b'[')) if RECORD_ARRAYS.contains(&name) => array = Some((name, value)),
            _ => is_record |= RECORD_KEYS.contains(&name),
        }
    }
    Ok(if is_record {
        Wrapping::Record
    } else if let Some(event) = event {
        Wrapping::Text(event)
    } else if is_control_message {
        Wrapping::ControlMessage
    } else if let Some((name, array)) = array {
        Wrapping::Array(name, array)
    } else if let Some(detail) = detail {
        Wrapping::Object(detail)
    } else {
        message.map_or(Wrapping::Unknown, Wrapping::Text)
    })
}

/// Passes on the records in a line of text. A line without a record is passed on unchanged.
pub fn for_each_record_in_line(line: &str, emit: &mut Emit<'_>) -> ControlFlow<()> {
    if !line.starts_with('{') {
        return match after_timestamp(line) {
            Some(json) if is_single_record(json) => unwrap_object(json, emit),
            _ => emit(line),
        };
    }
    let mut rest = line;
    while !rest.is_empty() {
        let end = if rest.starts_with('{') {
            json_scan::value_end(rest.as_bytes(), 0)
        } else {
            None
        };
        let (object, after) = end
            .and_then(|end| rest.split_at_checked(end))
            .unwrap_or((rest, ""));
        unwrap_object(object, emit)?;
        rest = after.trim_ascii_start();
    }
    ControlFlow::Continue(())
}

/// Passes on the records in a JSON object, or its text if it contains something else.
fn unwrap_object(object: &str, emit: &mut Emit<'_>) -> ControlFlow<()> {
    if begins_with_record_key(object) {
        return emit(object);
    }
    // Checked completely before the first record is passed on.
    match for_each_record(object, &mut |_| ControlFlow::Continue(())) {
        Ok(_) => for_each_record(object, emit).unwrap_or(ControlFlow::Continue(())),
        Err(_) => emit(object),
    }
}

/// Returns true if the first key is one of a record, as in records that CloudTrail writes.
fn begins_with_record_key(object: &str) -> bool {
    let after_quote = object.strip_prefix("{\"").unwrap_or_default();
    RECORD_KEYS.iter().any(|key| after_quote.starts_with(key))
}

fn malformed() -> LogFileError {
    LogFileError::InvalidJson("a value is malformed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"eventVersion":"1.11","eventID":"a"}"#;
    const QUOTED: &str = r#""{\"eventVersion\":\"1.11\",\"eventID\":\"a\"}""#;

    fn records(json: &str) -> Result<Vec<String>, LogFileError> {
        let mut found = Vec::new();
        let flow = for_each_record(json, &mut |record| {
            found.push(record.to_owned());
            ControlFlow::Continue(())
        })?;
        assert!(flow.is_continue());
        Ok(found)
    }

    fn records_in_line(line: &str) -> Vec<String> {
        let mut found = Vec::new();
        let _ = for_each_record_in_line(line, &mut |record| {
            found.push(record.to_owned());
            ControlFlow::Continue(())
        });
        found
    }

    #[test]
    fn records_are_unwrapped_from_each_form() {
        for json in [
            RECORD.to_owned(),
            QUOTED.to_owned(),
            format!("[{RECORD}]"),
            format!("[[{QUOTED}]]"),
            format!(r#"{{"Records":[{RECORD}]}}"#),
            format!(r#"{{"EventId":"a","EventName":"CreateUser","CloudTrailEvent":{QUOTED}}}"#),
            format!(r#"{{"Events":[{{"CloudTrailEvent":{QUOTED}}}],"NextToken":"x"}}"#),
            format!(r#"{{"logStreamName":"s","timestamp":1,"message":{QUOTED},"eventId":"3"}}"#),
            format!(r#"{{"events":[{{"message":{QUOTED}}}],"searchedLogStreams":[]}}"#),
            format!(r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"message":{QUOTED}}}]}}"#),
            format!(r#"{{"detail-type":"AWS API Call via CloudTrail","detail":{RECORD}}}"#),
        ] {
            assert_eq!(records(&json), Ok(vec![RECORD.to_owned()]), "{json}");
        }
    }

    #[test]
    fn documents_without_records_are_rejected() {
        for json in [
            "{}",
            "7",
            "null",
            "[7]",
            r#"{"Records":null}"#,
            r#"{"level":"info"}"#,
            r#"{"detail-type":"EC2 Instance State-change Notification","detail":{"state":"running"}}"#,
            &format!("{}{}", "[".repeat(100), "]".repeat(100)),
        ] {
            assert_eq!(records(json), Err(LogFileError::NoRecords), "{json}");
        }
        for json in [
            r#"{"a":tru}"#,
            r#"[{"eventID":1} 2]"#,
            r#"{"Records":[1 2]}"#,
        ] {
            assert!(
                matches!(records(json), Err(LogFileError::InvalidJson(_))),
                "{json}"
            );
        }
    }

    #[test]
    fn control_messages_contain_no_records() {
        let json = r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"CWL CONTROL MESSAGE: Checking health"}]}"#;
        assert_eq!(records(json), Ok(vec![]));
    }

    #[test]
    fn other_log_messages_are_passed_on() {
        let json = r#"{"events":[{"message":"START RequestId: 1"},{"message":""}]}"#;
        assert_eq!(
            records(json),
            Ok(vec!["START RequestId: 1".to_owned(), String::new()])
        );
    }

    #[test]
    fn lines_are_unwrapped_or_unchanged() {
        let second = RECORD.replace(r#""a""#, r#""b""#);
        for (line, expected) in [
            (RECORD.to_owned(), vec![RECORD]),
            (
                format!("{RECORD}{second} {RECORD}"),
                vec![RECORD, &second, RECORD],
            ),
            (format!("2026-03-02T09:01:00.000Z {RECORD}"), vec![RECORD]),
            (
                format!("2026-03-02T09:01:00 111122223333_CloudTrail {RECORD}"),
                vec![RECORD],
            ),
            (format!(r#"{{"CloudTrailEvent":{QUOTED}}}"#), vec![RECORD]),
            (
                r#"{"level":"info"}"#.to_owned(),
                vec![r#"{"level":"info"}"#],
            ),
            ("broken".to_owned(), vec!["broken"]),
            (r#"{"eventID":"#.to_owned(), vec![r#"{"eventID":"#]),
            (format!("{RECORD} and more"), vec![RECORD, "and more"]),
            (
                "2026-03-02 no record".to_owned(),
                vec!["2026-03-02 no record"],
            ),
        ] {
            assert_eq!(records_in_line(&line), expected, "{line}");
        }
    }
}
