//! The content of a message: the log objects that it announces, or the CloudTrail record that it contains.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cloudtrail::lenient_json;
use crate::cloudtrail::s3_notification::{self, Notification};

/// The content of a message body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MessageContent {
    /// A notification of S3, or another message about log objects.
    Notification(Notification),
    Record(RecordSummary),
    Unreadable,
}

/// The members of a CloudTrail record that identify its event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordSummary {
    #[serde(rename = "eventID", deserialize_with = "lenient_json::text")]
    pub event_id: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub event_source: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub event_name: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub aws_region: Option<String>,
    #[serde(deserialize_with = "lenient_json::text")]
    pub recipient_account_id: Option<String>,
    /// The members that the function of the deployment has cut, because the record was too large for a message.
    #[serde(rename = "heelerEcCut", deserialize_with = "lenient_json::value")]
    pub cut_members: Option<Vec<String>>,
}

/// Reads a message body.
pub(super) fn read(body: &str) -> MessageContent {
    if is_record(body)
        && let Some(record) = lenient_json::parse_object::<RecordSummary>(body)
    {
        return MessageContent::Record(record);
    }
    s3_notification::parse(body).map_or(MessageContent::Unreadable, MessageContent::Notification)
}

/// Returns true for an object with the members that every record of an API call has. An S3 notification has them only
/// inside of its entries.
fn is_record(body: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct RequiredMembers<'b> {
        #[serde(borrow)]
        event_name: Option<&'b RawValue>,
        #[serde(borrow)]
        event_source: Option<&'b RawValue>,
    }
    lenient_json::parse_object::<RequiredMembers<'_>>(body)
        .is_some_and(|found| found.event_name.is_some() && found.event_source.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_distinguished_from_notifications() {
        let record =
            r#"{"eventID":"e","eventSource":"iam.amazonaws.com","eventName":"CreateUser"}"#;
        let MessageContent::Record(record) = read(record) else {
            panic!("a record");
        };
        assert_eq!(record.event_name.as_deref(), Some("CreateUser"));
        assert_eq!(record.cut_members, None);
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#;
        assert!(matches!(read(test), MessageContent::Notification(_)));
        for body in ["", "hello", "[]", "{}", r#"{"eventName":"x"}"#] {
            assert_eq!(read(body), MessageContent::Unreadable, "{body}");
        }
    }
}
