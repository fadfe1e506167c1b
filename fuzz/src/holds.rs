//! What holds of every input, whoever made it up.

use std::ops::ControlFlow;

use heeler_ec::cloudtrail::log_file;
use heeler_ec::cloudtrail::log_file::{LogFileError, LogFileSource, ReadLimits, RecordSink};
use heeler_ec::cloudtrail::record::Record;
use heeler_ec::cloudtrail::s3_notification;
use heeler_ec::sanitize::escape_control_chars;

/// No more than this is unpacked, since a few bytes may be packed zeros without end.
const LARGEST: u64 = 4 << 20;

/// A message is read or refused, and nothing of it can steer a terminal.
pub fn message(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    match s3_notification::parse(text) {
        Ok(notice) => {
            assert!(!notice.objects.is_empty() || !notice.skipped.is_empty());
            for object in &notice.objects {
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

/// An object gives the same records whether it is held or read a stretch at a time, and none when it is broken.
pub fn object(bytes: &[u8]) {
    let held = read(bytes, usize::MAX);
    let moving = read(bytes, 0);
    match (&held, &moving) {
        (Ok(held), Ok(moving)) => assert_eq!(held, moving),
        (Err(_), Err(_)) => {}
        _ => panic!("held: {held:?}\nmoving: {moving:?}"),
    }
    for text in held.iter().flatten() {
        record(text.as_bytes());
    }
}

fn read(bytes: &[u8], held: usize) -> Result<Vec<String>, LogFileError> {
    struct All(Vec<String>);
    impl RecordSink for All {
        fn push(&mut self, text: &str) -> ControlFlow<()> {
            self.0.push(text.to_owned());
            ControlFlow::Continue(())
        }

        fn flush(&mut self) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }
    let mut all = All(Vec::new());
    let limits = ReadLimits {
        max_file_bytes: LARGEST,
        max_bytes_in_memory: held,
    };
    log_file::read_records(LogFileSource::Bytes(bytes.to_vec()), limits, &mut all)?;
    Ok(all.0)
}

/// What is a JSON object is a record, and every field of it can be asked for.
pub fn record(bytes: &[u8]) {
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
        let shown = escape_control_chars(&field.unwrap_or_default());
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
    let _ = (record.dedup_key(), record.read_only());
}
