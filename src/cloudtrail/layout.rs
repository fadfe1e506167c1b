//! Detects the layout of a log file by its beginning.

use memchr::memchr;

use crate::cloudtrail::json_scan;
use crate::cloudtrail::wrapped_record::{self, RECORD_ARRAYS};

/// Longer keys do not occur in records.
const MAX_KEY_BYTES: usize = 256;

/// Size of the beginning by which the layout is detected. A record has at most 1 MB. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>.
pub const MAX_HEAD_BYTES: usize = 2 * 1024 * 1024;

/// The layout of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One or more JSON documents, such as those with a `Records` array that CloudTrail delivers.
    Documents,
    /// JSON Lines: each line is a document of its own. A truncated line does not affect the others.
    Lines,
}

/// Detects the layout by the beginning of a text, without leading whitespace; `None` if more text is needed.
///
/// Several JSON objects are lines if the first one ends at the end of a line. A record that is printed over several lines,
/// or records without line breaks between them, are documents.
#[must_use]
pub fn detect(head: &[u8]) -> Option<LogFormat> {
    let (head, is_cut) = match head.get(..MAX_HEAD_BYTES) {
        Some(head) => (head, true),
        None => (head, false),
    };
    detect_in_head(head).or(is_cut.then_some(LogFormat::Documents))
}

fn detect_in_head(head: &[u8]) -> Option<LogFormat> {
    match head.first()? {
        b'{' => {}
        b'0'..=b'9' if wrapped_record::begins_with_date(head)? => return Some(LogFormat::Lines),
        _ => return Some(LogFormat::Documents),
    }
    // The result must not depend on how much more text there is.
    let Some(key) = first_key(head.get(..MAX_KEY_BYTES).unwrap_or(head)) else {
        return (head.len() >= MAX_KEY_BYTES).then_some(LogFormat::Documents);
    };
    if RECORD_ARRAYS.iter().any(|array| array.as_bytes() == key) {
        return Some(LogFormat::Documents);
    }
    let Some(end) = json_scan::value_end(head, 0) else {
        return memchr(b'\n', head).map(|_| LogFormat::Documents);
    };
    let (object, rest) = head.split_at_checked(end)?;
    let next = rest
        .iter()
        .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))?;
    let is_line = *next == b'\n' && memchr(b'\n', object).is_none();
    let is_record = || str::from_utf8(object).is_ok_and(wrapped_record::is_single_record);
    Some(if is_line && is_record() {
        LogFormat::Lines
    } else {
        LogFormat::Documents
    })
}

fn first_key(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"{")?.trim_ascii_start();
    let key = inside.strip_prefix(b"\"")?;
    key.get(..memchr(b'"', key)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_depends_on_first_document() {
        use LogFormat::{Documents, Lines};
        for (text, expected) in [
            (r#"{"Records":["#, Some(Documents)),
            (r#"{ "Records" :"#, Some(Documents)),
            (r#"{"events":[{"message""#, Some(Documents)),
            ("[{", Some(Documents)),
            ("\"{", Some(Documents)),
            ("{\"eventID\":\"a\"}\n", Some(Lines)),
            ("{\"eventID\":\"a\"} \r\n{\"eventID\"", Some(Lines)),
            ("{\"@timestamp\":\"t\",\"eventID\":\"a\"}\n", Some(Lines)),
            ("{\"CloudTrailEvent\":\"{}\"}\n", Some(Lines)),
            ("{\"detail\":{\"eventID\":\"a\"}}\n", Some(Lines)),
            ("{\"eventID\":\"a\"}{\"eventID\":\"b\"}\n", Some(Documents)),
            ("{\n  \"eventID\": \"a\"", Some(Documents)),
            ("{\"eventID\":\"a\",\n\"x\":1}\n", Some(Documents)),
            ("{\"a\":1,\"Records\":[]}\n", Some(Documents)),
            (
                "{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[]}\n",
                Some(Documents),
            ),
            (
                "{\"level\":\"info\",\"message\":\"hello\"}\n",
                Some(Documents),
            ),
            ("2026-03-02T09:01:00.000Z {", Some(Lines)),
            ("2026 items", Some(Documents)),
            ("text", Some(Documents)),
            ("", None),
            ("{", None),
            ("{\"eventID\":\"a\"", None),
            ("{\"eventID\":\"a\"}", None),
            ("2026-", None),
        ] {
            assert_eq!(detect(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn long_first_key_is_documents() {
        let text = format!(
            "{{\"{}\":1,\"eventID\":\"a\"}}\n",
            "x".repeat(MAX_KEY_BYTES)
        );
        assert_eq!(detect(text.as_bytes()), Some(LogFormat::Documents));
        assert_eq!(detect(&text.as_bytes()[..260]), Some(LogFormat::Documents));
    }

    #[test]
    fn undecided_long_text_is_documents() {
        let text = format!("{{\"a\":\"{}", "x".repeat(MAX_HEAD_BYTES));
        assert_eq!(detect(text.as_bytes()), Some(LogFormat::Documents));
        assert_eq!(detect(&text.as_bytes()[..1000]), None);
    }
}
