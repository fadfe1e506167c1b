//! Messages that announce log objects: S3 notifications, CloudTrail's own notifications, and EventBridge events.

mod message_fields;
mod notification;
#[cfg(test)]
mod tests;

use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;

use crate::cloudtrail::lenient_json;
use crate::cloudtrail::skip_reason::SkipReason;
use message_fields::{MessageBody, S3EventEntry};
pub use notification::{Notification, S3Object, UnreadableMessage};

/// The text that CloudTrail publishes when a topic is attached to a trail. It is not JSON.
const VALIDATION_MESSAGE: &str = "CloudTrail validation message.";

/// Parses the body of a message. SNS wraps the original message in an envelope, unless raw delivery is enabled.
///
/// # Errors
/// Returns an error if the format of the message is unknown.
pub fn parse(body: &str) -> Result<Notification, UnreadableMessage> {
    let Some(outer) = lenient_json::parse_object::<MessageBody>(body) else {
        return parse_text(body);
    };
    match (outer.envelope_type.as_deref(), &outer.message) {
        (Some("Notification"), Some(message)) => parse_text(message),
        (Some("Notification"), None) => Err(UnreadableMessage::new(
            "an SNS notification without a message",
            body,
        )),
        // Its URL would confirm or end a subscription. It is never requested.
        (Some("SubscriptionConfirmation" | "UnsubscribeConfirmation"), _) => Ok(
            Notification::skip_message(SkipReason::SubscriptionConfirmation),
        ),
        _ => dispatch(outer, body),
    }
}

fn parse_text(text: &str) -> Result<Notification, UnreadableMessage> {
    if text.trim() == VALIDATION_MESSAGE {
        return Ok(Notification::skip_message(SkipReason::ValidationMessage));
    }
    match lenient_json::parse_object::<MessageBody>(text) {
        Some(body) => dispatch(body, text),
        None => Err(UnreadableMessage::new("not a JSON object", text)),
    }
}

/// Recognises the format of a message by its fields.
fn dispatch(body: MessageBody, text: &str) -> Result<Notification, UnreadableMessage> {
    let notification = if let Some(entries) = body.records {
        from_s3_entries(&entries)
    } else if body.event.as_deref() == Some("s3:TestEvent") {
        Notification::skip_message(SkipReason::TestEvent)
    } else if let (Some(bucket), Some(keys)) = (&body.trail_bucket, &body.trail_keys) {
        from_cloudtrail(bucket, keys)
    } else if body.source.as_deref() == Some("aws.s3") {
        from_eventbridge(body)
    } else {
        return Err(UnreadableMessage::new(
            "not a known notification format",
            text,
        ));
    };
    if notification.is_entirely_unreadable() {
        return Err(UnreadableMessage::new(
            SkipReason::UnreadableEntry.description(),
            text,
        ));
    }
    Ok(notification.or_no_objects())
}

fn from_s3_entries(entries: &[&RawValue]) -> Notification {
    let mut notification = Notification::default();
    for raw in entries {
        match lenient_json::parse_object::<S3EventEntry>(raw.get()) {
            Some(entry) => add_s3_entry(&mut notification, entry),
            None => notification.add_skipped(SkipReason::UnreadableEntry, None),
        }
    }
    notification
}

fn add_s3_entry(notification: &mut Notification, entry: S3EventEntry) {
    let (known, created) = (entry.has_known_version(), entry.is_creation());
    let Some(mut object) = entry
        .s3
        .and_then(|entity| entity.into_object(entry.aws_region))
    else {
        return notification.add_skipped(SkipReason::UnreadableEntry, None);
    };
    let Some(key) = decode_key(&object.key) else {
        return notification.add_skipped(SkipReason::UnreadableEntry, Some(object.key));
    };
    object.key = key;
    match (known, created) {
        (false, _) => notification.add_skipped(SkipReason::UnknownVersion, Some(object.key)),
        (true, false) => notification.add_skipped(SkipReason::NotCreated, Some(object.key)),
        (true, true) => notification.add_object(object),
    }
}

/// Reads CloudTrail's own notification: several unencoded keys of one bucket, without size and region.
fn from_cloudtrail(bucket: &str, keys: &[&RawValue]) -> Notification {
    let mut notification = Notification::default();
    for raw in keys {
        match serde_json::from_str::<String>(raw.get()) {
            Ok(key) => notification.add_object(S3Object {
                bucket: bucket.to_owned(),
                key,
                region: None,
                size: None,
            }),
            Err(_) => notification.add_skipped(SkipReason::UnreadableEntry, None),
        }
    }
    notification
}

fn from_eventbridge(body: MessageBody) -> Notification {
    let mut notification = Notification::default();
    let created = body.detail_type.as_deref() == Some("Object Created");
    match body
        .detail
        .and_then(|entity| entity.into_object(body.region))
    {
        Some(object) if created => notification.add_object(object),
        Some(object) => notification.add_skipped(SkipReason::NotCreated, Some(object.key)),
        None => notification.add_skipped(SkipReason::UnreadableEntry, None),
    }
    notification
}

/// Decodes a key of an S3 notification, which is form-encoded: `+` is a space, and other characters are `%XX`.
fn decode_key(key: &str) -> Option<String> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
