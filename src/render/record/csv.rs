//! Events as rows of CSV.

use std::borrow::Cow;

use crate::cloudtrail::record::Record;
use crate::sanitize::{escape_control_chars, is_printable_ascii};
use crate::severity::SeverityLevel;

/// The columns of the CSV output. They are part of the public interface.
pub(super) const CSV_COLUMNS: [&str; 12] = [
    "time",
    "account",
    "region",
    "service",
    "event",
    "actor",
    "source_address",
    "error_code",
    "error_message",
    "read_only",
    "event_id",
    "severity",
];

/// Writes a CSV row (RFC 4180).
pub(super) fn push_csv_row(record: &Record<'_>, level: SeverityLevel, out: &mut Vec<u8>) {
    let read_only = record.read_only().map(|flag| flag.to_string().into());
    let fields: [Option<Cow<'_, str>>; CSV_COLUMNS.len()] = [
        record.event_time(),
        record.account(),
        record.region(),
        record.service(),
        record.event_name(),
        record.actor(),
        record.source_address(),
        record.error_code(),
        record.error_message(),
        read_only,
        record.event_id(),
        Some(level.name().into()),
    ];
    for (number, field) in fields.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        if let Some(field) = field {
            push_csv_field(field, out);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a CSV field. An apostrophe before a field that begins like a formula keeps spreadsheets from running it.
pub(in crate::render) fn push_csv_field(field: &str, out: &mut Vec<u8>) {
    let field = if is_printable_ascii(field) {
        Cow::Borrowed(field)
    } else {
        Cow::Owned(escape_control_chars(field))
    };
    let is_formula = field.starts_with(['=', '+', '-', '@']);
    if !is_formula && !field.contains(['"', ',']) {
        out.extend_from_slice(field.as_bytes());
        return;
    }
    out.push(b'"');
    if is_formula {
        out.push(b'\'');
    }
    out.extend_from_slice(field.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}
