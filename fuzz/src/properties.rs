//! Properties that hold for every input.

use std::ops::ControlFlow;

use heeler_ec::cloudtrail::gunzip::LogFileError;
use heeler_ec::cloudtrail::log_file::{LogFileSource, ReadLimits, RecordSink, read_records};
use heeler_ec::cloudtrail::record::Record;
use heeler_ec::cloudtrail::s3_notification;
use heeler_ec::sanitize::escape_control_chars;

/// Limit for the decompressed size, because a few bytes may decompress to any number of zeros.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// A message is read or rejected, and its preview contains no control characters.
pub fn check_message(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    match s3_notification::parse(text) {
        Ok(notification) => {
            assert!(!notification.objects.is_empty() || !notification.skipped.is_empty());
            for object in &notification.objects {
                assert!(object.key.ends_with(".json.gz"), "{object:?}");
            }
        }
        Err(unreadable) => {
            assert!(unreadable.preview.chars().count() <= 80);
            assert_eq!(
                escape_control_chars(&unreadable.preview),
                unreadable.preview
            );
        }
    }
}

/// A log file gives the same records in memory and streamed, and none if it is damaged.
pub fn check_log_file(bytes: &[u8]) {
    let in_memory = read(bytes, usize::MAX);
    let streamed = read(bytes, 0);
    match (&in_memory, &streamed) {
        (Ok(in_memory), Ok(streamed)) => assert_eq!(in_memory, streamed),
        (Err(_), Err(_)) => {}
        _ => panic!("in memory: {in_memory:?}\nstreamed: {streamed:?}"),
    }
    for text in in_memory.iter().flatten() {
        check_record(text.as_bytes());
    }
}

fn read(bytes: &[u8], max_bytes_in_memory: usize) -> Result<Vec<String>, LogFileError> {
    struct Collected(Vec<String>);
    impl RecordSink for Collected {
        fn push(&mut self, text: &str) -> ControlFlow<()> {
            self.0.push(text.to_owned());
            ControlFlow::Continue(())
        }

        fn flush(&mut self) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }
    let mut sink = Collected(Vec::new());
    let limits = ReadLimits {
        max_file_bytes: MAX_FILE_BYTES,
        max_bytes_in_memory,
    };
    read_records(LogFileSource::Bytes(bytes.to_vec()), limits, &mut sink)?;
    Ok(sink.0)
}

/// A JSON object is a record, and all of its fields can be read.
pub fn check_record(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Some(record) = Record::read(text) else {
        let parsed = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text);
        assert!(parsed.is_err() || text.trim() != text, "{text}");
        return;
    };
    let line = record.to_single_line();
    assert!(
        !line.contains(['\n', '\r']) || serde_json::from_str::<serde_json::Value>(text).is_err()
    );
    for field in [
        record.event_time(),
        record.account(),
        record.region(),
        record.service(),
        record.event_name(),
        record.actor(),
        record.source_address(),
        record.error_code(),
        record.error_message(),
        record.event_id(),
    ] {
        let escaped = escape_control_chars(&field.unwrap_or_default());
        assert!(!escaped.chars().any(char::is_control), "{escaped:?}");
    }
    let _ = (record.dedup_key(), record.read_only());
}
