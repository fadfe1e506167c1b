//! CloudTrail records: the text of a record and the fields that are printed or filtered by.

use std::borrow::Cow;

use memchr::memchr2;

use crate::cloudtrail::json_members::JsonMembers;
use crate::cloudtrail::lenient_json::{as_bool, as_text};
use crate::cloudtrail::user_identity::UserIdentity;

/// A record as it was delivered.
///
/// Every field may be missing: Insights have no event name, service events no identity, and old records no category. A field
/// with an unexpected type counts as missing and does not affect other fields. Fields are borrowed from the text and
/// decoded on access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    text: &'a str,
    event_time: Option<&'a str>,
    recipient: Option<&'a str>,
    user_identity: Option<&'a str>,
    region: Option<&'a str>,
    event_source: Option<&'a str>,
    event_name: Option<&'a str>,
    source_address: Option<&'a str>,
    user_agent: Option<&'a str>,
    resources: Option<&'a str>,
    error_code: Option<&'a str>,
    error_message: Option<&'a str>,
    event_id: Option<&'a str>,
    read_only: Option<&'a str>,
}

type FieldText<'a> = Option<Cow<'a, str>>;

impl<'a> Record<'a> {
    /// Reads a record; `None` if the text is not exactly one JSON object.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut record = Self {
            text,
            ..Self::default()
        };
        let mut members = JsonMembers::parse(text)?;
        while let Some((name, value)) = members.next().ok()? {
            let field = match name {
                "eventTime" => &mut record.event_time,
                "recipientAccountId" => &mut record.recipient,
                "userIdentity" => &mut record.user_identity,
                "awsRegion" => &mut record.region,
                "eventSource" => &mut record.event_source,
                "eventName" => &mut record.event_name,
                "sourceIPAddress" => &mut record.source_address,
                "userAgent" => &mut record.user_agent,
                "resources" => &mut record.resources,
                "errorCode" => &mut record.error_code,
                "errorMessage" => &mut record.error_message,
                "eventID" => &mut record.event_id,
                "readOnly" => &mut record.read_only,
                _ => continue,
            };
            *field = Some(value);
        }
        Some(record)
    }

    /// The record as it was delivered, byte for byte.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The record on a single line: unchanged, unless it was delivered over several lines.
    #[must_use]
    pub fn to_single_line(&self) -> Cow<'a, str> {
        single_line(self.text)
    }

    /// The time of the API call, as written. The log file is written some minutes later.
    #[must_use]
    pub fn event_time(&self) -> FieldText<'a> {
        as_text(self.event_time?)
    }

    /// The account that received the record, otherwise the account of the caller.
    #[must_use]
    pub fn account(&self) -> FieldText<'a> {
        self.recipient
            .and_then(as_text)
            .or_else(|| UserIdentity::parse(self.user_identity?).account_id)
    }

    #[must_use]
    pub fn region(&self) -> FieldText<'a> {
        as_text(self.region?)
    }

    /// The short name of the service: `s3` for `s3.amazonaws.com`.
    #[must_use]
    pub fn service(&self) -> FieldText<'a> {
        Some(strip_service_suffix(as_text(self.event_source?)?))
    }

    #[must_use]
    pub fn event_name(&self) -> FieldText<'a> {
        as_text(self.event_name?)
    }

    /// The display name of the caller.
    #[must_use]
    pub fn actor(&self) -> FieldText<'a> {
        self.user_identity
            .and_then(|identity| UserIdentity::parse(identity).display_name())
            .or_else(|| self.source_address())
            .or_else(|| self.service())
    }

    /// The IP address or the service name that the call came from.
    #[must_use]
    pub fn source_address(&self) -> FieldText<'a> {
        as_text(self.source_address?)
    }

    #[must_use]
    pub fn user_agent(&self) -> FieldText<'a> {
        as_text(self.user_agent?)
    }

    /// The ARN of the first resource that the record lists.
    #[must_use]
    pub fn resource(&self) -> FieldText<'a> {
        let resources: serde_json::Value = serde_json::from_str(self.resources?).ok()?;
        let first = resources.as_array()?.first()?;
        Some(Cow::Owned(first.get("ARN")?.as_str()?.to_owned()))
    }

    #[must_use]
    pub fn error_code(&self) -> FieldText<'a> {
        as_text(self.error_code?)
    }

    #[must_use]
    pub fn error_message(&self) -> FieldText<'a> {
        as_text(self.error_message?)
    }

    /// Opaque text: published samples contain IDs that are not UUIDs.
    #[must_use]
    pub fn event_id(&self) -> FieldText<'a> {
        as_text(self.event_id?)
    }

    /// `None` if the record does not contain the field, which is not the same as `false`.
    #[must_use]
    pub fn read_only(&self) -> Option<bool> {
        as_bool(self.read_only?)
    }

    /// Returns true if the call failed. A failed console sign-in has an error message but no error code.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.error_code().is_some() || self.error_message().is_some()
    }

    /// Account and event ID, which identify an event across repeated deliveries. A call that two accounts record has the
    /// same event ID in both. `None` without an event ID.
    #[must_use]
    pub fn dedup_key(&self) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let event_id = self.event_id()?;
        Some((self.account().unwrap_or_default(), event_id))
    }
}

fn strip_service_suffix(source: Cow<'_, str>) -> Cow<'_, str> {
    const SUFFIX: &str = ".amazonaws.com";
    match source {
        Cow::Borrowed(source) => Cow::Borrowed(source.strip_suffix(SUFFIX).unwrap_or(source)),
        Cow::Owned(mut source) => {
            if let Some(short) = source.strip_suffix(SUFFIX) {
                source.truncate(short.len());
            }
            Cow::Owned(source)
        }
    }
}

/// Puts JSON on a single line by removing whitespace between tokens. JSON strings cannot contain raw line breaks, so text
/// without a line break is returned unchanged.
#[must_use]
pub fn single_line(json: &str) -> Cow<'_, str> {
    if memchr2(b'\n', b'\r', json.as_bytes()).is_none() {
        return Cow::Borrowed(json);
    }
    let (mut quoted, mut escaped) = (false, false);
    let is_significant = |c: &char| {
        let keep = quoted || !c.is_ascii_whitespace();
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        keep
    };
    Cow::Owned(json.chars().filter(is_significant).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Record<'_> {
        Record::read(json).unwrap_or_else(|| panic!("no record: {json}"))
    }

    fn dedup_key(json: &str) -> Option<(String, String)> {
        let (account, id) = read(json).dedup_key()?;
        Some((account.into_owned(), id.into_owned()))
    }

    #[test]
    fn record_fields_are_read() {
        let record = read(
            r#"{"eventTime":"2023-07-10T12:27:31Z","recipientAccountId":"111122223333","awsRegion":"eu-west-1","eventSource":"s3.amazonaws.com","eventName":"GetObject","userIdentity":{"type":"IAMUser","userName":"alice","accountId":"444455556666"},"errorCode":"AccessDenied","errorMessage":"no","eventID":"e-1","readOnly":true}"#,
        );
        assert_eq!(record.event_time().as_deref(), Some("2023-07-10T12:27:31Z"));
        assert_eq!(record.account().as_deref(), Some("111122223333"));
        assert_eq!(record.region().as_deref(), Some("eu-west-1"));
        assert_eq!(record.service().as_deref(), Some("s3"));
        assert_eq!(record.event_name().as_deref(), Some("GetObject"));
        assert_eq!(record.actor().as_deref(), Some("alice"));
        assert_eq!(record.error_code().as_deref(), Some("AccessDenied"));
        assert_eq!(record.error_message().as_deref(), Some("no"));
        assert_eq!(record.event_id().as_deref(), Some("e-1"));
        assert_eq!(record.read_only(), Some(true));
    }

    #[test]
    fn dedup_key_is_account_and_event_id() {
        for (json, expected) in [
            (
                r#"{"eventID":"e","userIdentity":{"accountId":"444455556666"}}"#,
                Some(("444455556666", "e")),
            ),
            (
                r#"{"eventID":"e","sharedEventID":"s","recipientAccountId":"1"}"#,
                Some(("1", "e")),
            ),
            (
                r#"{"eventID":"e","sharedEventID":"s","recipientAccountId":"2"}"#,
                Some(("2", "e")),
            ),
            (r#"{"eventID":"e"}"#, Some(("", "e"))),
            (r#"{"recipientAccountId":"1"}"#, None),
        ] {
            let expected = expected.map(|(account, id)| (account.to_owned(), id.to_owned()));
            assert_eq!(dedup_key(json), expected, "{json}");
        }
    }

    #[test]
    fn service_event_actor_is_its_source() {
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
            assert_eq!(read(json).actor().as_deref(), Some(expected), "{json}");
        }
    }

    #[test]
    fn fields_of_unexpected_types_are_missing() {
        let record = read(
            r#"{"eventTime":{},"userIdentity":"who","awsRegion":null,"eventSource":[1],"readOnly":"maybe","errorMessage":7,"recipientAccountId":111122223333,"eventName":"Kept"}"#,
        );
        assert_eq!(record.event_name().as_deref(), Some("Kept"));
        assert_eq!(record.account().as_deref(), Some("111122223333"));
        assert_eq!(record.error_message().as_deref(), Some("7"));
        assert_eq!(record.read_only(), None);
        let missing = [
            record.event_time(),
            record.region(),
            record.service(),
            record.actor(),
        ];
        assert_eq!(missing, [None, None, None, None]);
    }

    #[test]
    fn non_object_is_not_a_record() {
        for json in ["null", "[1,2]", "\"text\"", "7", "", "{", r#"{"a" 1}"#] {
            assert_eq!(Record::read(json), None, "{json}");
        }
    }

    #[test]
    fn deeply_nested_record_is_read() {
        let json = format!(
            r#"{{"eventID":"e","requestParameters":{}1{}}}"#,
            "[".repeat(5000),
            "]".repeat(5000)
        );
        assert_eq!(read(&json).event_id().as_deref(), Some("e"));
    }

    #[test]
    fn single_line_record_is_unchanged() {
        let json = r#"{ "eventID" :  "e",	"a": "b\u0041" }"#;
        assert_eq!(read(json).to_single_line(), json);
    }

    #[test]
    fn multi_line_record_loses_only_whitespace() {
        let laid_out = "{\r\n  \"eventID\": \"a \\\" {b}\\\\\",\n\t\"n\": [1, 2 , \"x  y\"]\n}";
        assert_eq!(
            read(laid_out).to_single_line(),
            r#"{"eventID":"a \" {b}\\","n":[1,2,"x  y"]}"#
        );
    }
}
