//! A CloudTrail record: its own text, and the fields a line about it needs.

use serde::Deserialize;

use super::actor::Identity;
use super::shape;

/// One record as it was delivered. Every field may be missing: Insights have no event name, service events no
/// identity, and old records no category. A field of an unexpected type is missing too, and costs no other field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    json: String,
    readable: bool,
    /// The time the call was made, as written. The object that holds the record is minutes younger.
    pub event_time: Option<String>,
    /// The account that received the record, else the account of the caller.
    pub account: Option<String>,
    pub region: Option<String>,
    /// The short name of the service: `s3` for `s3.amazonaws.com`.
    pub event_source: Option<String>,
    pub event_name: Option<String>,
    /// Who made the call, in readable form.
    pub actor: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    /// Opaque text: published samples hold ids that are no UUID.
    pub event_id: Option<String>,
    /// Nothing when the record does not say, which is not the same as no.
    pub read_only: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Fields {
    #[serde(deserialize_with = "shape::text")]
    event_time: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    recipient_account_id: Option<String>,
    #[serde(deserialize_with = "shape::object")]
    user_identity: Option<Identity>,
    #[serde(deserialize_with = "shape::text")]
    aws_region: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    event_source: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    event_name: Option<String>,
    #[serde(rename = "sourceIPAddress", deserialize_with = "shape::text")]
    source_address: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    error_code: Option<String>,
    #[serde(deserialize_with = "shape::text")]
    error_message: Option<String>,
    #[serde(rename = "eventID", deserialize_with = "shape::text")]
    event_id: Option<String>,
    #[serde(deserialize_with = "shape::flag")]
    read_only: Option<bool>,
}

impl Record {
    /// Reads one record. Text that is no object is kept as it is, without fields.
    pub fn read(json: &str) -> Self {
        let fields = shape::parse_object::<Fields>(json);
        let readable = fields.is_some();
        let fields = fields.unwrap_or_default();
        let identity = fields.user_identity.unwrap_or_default();
        let event_source = fields.event_source.map(short_name);
        Self {
            json: one_line(json),
            readable,
            actor: identity
                .name()
                .or(fields.source_address)
                .or_else(|| event_source.clone()),
            event_time: fields.event_time,
            account: fields.recipient_account_id.or(identity.account_id),
            region: fields.aws_region,
            event_source,
            event_name: fields.event_name,
            error_code: fields.error_code,
            error_message: fields.error_message,
            event_id: fields.event_id,
            read_only: fields.read_only,
        }
    }

    /// The record on one line: byte for byte as delivered, unless it was delivered over several lines.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Whether the text is a JSON object, and so a record at all.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// What tells a repeated delivery from another event. One call seen by two accounts has the same event id in both,
    /// so the id alone is not enough. Without an event id nothing can be told apart, and there is no key.
    #[must_use]
    pub fn key(&self) -> Option<(&str, &str)> {
        let event_id = self.event_id.as_deref()?;
        Some((self.account.as_deref().unwrap_or_default(), event_id))
    }
}

fn short_name(source: String) -> String {
    match source.strip_suffix(".amazonaws.com") {
        Some(service) => service.to_owned(),
        None => source,
    }
}

/// Puts JSON on one line. White space between tokens means nothing; inside a string JSON allows no raw line break, so
/// a line break anywhere says that the text is laid out.
fn one_line(json: &str) -> String {
    let bytes = json.as_bytes();
    if !bytes.contains(&b'\n') && !bytes.contains(&b'\r') {
        return json.to_owned();
    }
    let (mut quoted, mut escaped) = (false, false);
    let means_something = |letter: &char| {
        let kept = quoted || !letter.is_ascii_whitespace();
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        kept
    };
    json.chars().filter(means_something).collect()
}

/// Shows what a terminal would act on or hide. Event data is written by whoever makes the call, and a user agent or an
/// error message with an escape sequence could otherwise recolour, overwrite or reorder what is on the screen.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if steers_or_hides(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Tells control characters, line breaks, direction overrides and characters without width.
fn steers_or_hides(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_gives_the_fields_of_a_line() {
        let record = Record::read(
            r#"{"eventTime":"2023-07-10T12:27:31Z","recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventSource":"s3.amazonaws.com","eventName":"GetObject","userIdentity":{"type":"IAMUser","userName":"alice","accountId":"444455556666"},"errorCode":"AccessDenied","errorMessage":"no","eventID":"e-1","readOnly":true}"#,
        );
        assert!(record.is_readable());
        assert_eq!(record.event_time.as_deref(), Some("2023-07-10T12:27:31Z"));
        assert_eq!(record.account.as_deref(), Some("111122223333"));
        assert_eq!(record.region.as_deref(), Some("eu-west-1"));
        assert_eq!(record.event_source.as_deref(), Some("s3"));
        assert_eq!(record.event_name.as_deref(), Some("GetObject"));
        assert_eq!(record.actor.as_deref(), Some("alice"));
        assert_eq!(record.error_code.as_deref(), Some("AccessDenied"));
        assert_eq!(record.error_message.as_deref(), Some("no"));
        assert_eq!(record.read_only, Some(true));
        assert_eq!(record.key(), Some(("111122223333", "e-1")));
    }

    #[test]
    fn the_account_of_the_caller_stands_in_for_a_missing_recipient() {
        let record =
            Record::read(r#"{"eventID":"e-1","userIdentity":{"accountId":"444455556666"}}"#);
        assert_eq!(record.key(), Some(("444455556666", "e-1")));
    }

    #[test]
    fn one_call_seen_by_two_accounts_has_two_keys() {
        let caller =
            Record::read(r#"{"eventID":"e-1","sharedEventID":"s","recipientAccountId":"1"}"#);
        let owner =
            Record::read(r#"{"eventID":"e-1","sharedEventID":"s","recipientAccountId":"2"}"#);
        assert_ne!(caller.key(), owner.key());
    }

    #[test]
    fn a_record_without_an_event_id_has_no_key() {
        assert_eq!(Record::read(r#"{"recipientAccountId":"1"}"#).key(), None);
    }

    #[test]
    fn a_service_event_without_identity_is_done_by_its_source() {
        for (json, expected) in [
            (
                r#"{"eventType":"AwsServiceEvent","sourceIPAddress":"ec2.amazonaws.com"}"#,
                "ec2.amazonaws.com",
            ),
            (
                r#"{"userIdentity":null,"eventSource":"kms.amazonaws.com"}"#,
                "kms",
            ),
            (
                r#"{"userIdentity":{},"sourceIPAddress":"AWS Internal"}"#,
                "AWS Internal",
            ),
        ] {
            assert_eq!(
                Record::read(json).actor.as_deref(),
                Some(expected),
                "{json}"
            );
        }
    }

    #[test]
    fn odd_fields_are_missing_and_cost_no_other_field() {
        let record = Record::read(
            r#"{"eventTime":{},"userIdentity":"who","awsRegion":null,"eventSource":[1],"readOnly":"maybe","errorMessage":7,"recipientAccountId":111122223333,"eventName":"Kept"}"#,
        );
        assert!(record.is_readable());
        assert_eq!(record.event_name.as_deref(), Some("Kept"));
        assert_eq!(record.account.as_deref(), Some("111122223333"));
        assert_eq!(record.error_message.as_deref(), Some("7"));
        assert_eq!(
            (record.event_time, record.region, record.event_source),
            (None, None, None)
        );
        assert_eq!((record.actor, record.read_only), (None, None));
    }

    #[test]
    fn what_is_no_object_is_kept_as_unreadable() {
        for json in ["null", "[1,2]", "\"text\"", "7"] {
            let record = Record::read(json);
            assert!(!record.is_readable(), "{json}");
            assert_eq!(record.json(), json);
            assert_eq!(record.key(), None);
        }
    }

    #[test]
    fn deep_nesting_is_no_obstacle() {
        let json = format!(
            r#"{{"eventID":"e","requestParameters":{}1{}}}"#,
            "[".repeat(5000),
            "]".repeat(5000)
        );
        assert_eq!(Record::read(&json).event_id.as_deref(), Some("e"));
    }

    #[test]
    fn text_on_one_line_stays_as_delivered() {
        let json = r#"{ "eventID" :  "e",	"a": "b\u0041" }"#;
        assert_eq!(Record::read(json).json(), json);
    }

    #[test]
    fn text_over_several_lines_loses_only_its_layout() {
        let laid_out = "{\r\n  \"eventID\": \"a \\\" {b}\\\\\",\n\t\"n\": [1, 2 , \"x  y\"]\n}";
        assert_eq!(
            Record::read(laid_out).json(),
            r#"{"eventID":"a \" {b}\\","n":[1,2,"x  y"]}"#
        );
    }

    #[test]
    fn nothing_in_event_data_can_steer_a_terminal() {
        for (text, expected) in [
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("\u{7}\u{8}\u{7f}", r"\u{7}\u{8}\u{7f}"),
            ("\u{9b}2J\u{85}", r"\u{9b}2J\u{85}"),
            ("a\u{2028}b\u{2029}c", r"a\u{2028}b\u{2029}c"),
            ("\u{202e}gpj.exe\u{2066}", r"\u{202e}gpj.exe\u{2066}"),
            (
                "ad\u{200b}min\u{feff}\u{e0041}",
                r"ad\u{200b}min\u{feff}\u{e0041}",
            ),
            ("ü ☃ 日本 'quotes' \\ stay", "ü ☃ 日本 'quotes' \\ stay"),
        ] {
            assert_eq!(visible(text), expected);
        }
    }
}
