//! The keys of log objects, and notifications about them.

use super::InventoryRequest;
use super::facts::Trail;
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget, OBJECT_CREATED};
use crate::aws::notification_filter;

/// Returns the key prefix under which a trail delivers log objects.
pub(super) fn log_prefix(trail: Option<&Trail>) -> String {
    match trail.map(|trail| trail.prefix.as_str()) {
        None | Some("") => "AWSLogs/".to_owned(),
        Some(prefix) => format!("{prefix}/AWSLogs/"),
    }
}

/// Returns the notification that setup would create, without a destination.
pub(super) fn planned_notification(
    request: &InventoryRequest,
    trail: Option<&Trail>,
) -> NotificationEntry {
    NotificationEntry {
        id: request.names.notification_id(),
        target: NotificationTarget::Topic,
        destination: String::new(),
        events: vec![OBJECT_CREATED.to_owned()],
        prefix: notification_filter::encode(&log_prefix(trail)),
        suffix: String::new(),
    }
}

/// Returns true if a notification covers every log object. CloudTrail creates objects with `PutObject`, and their keys
/// end in `.json.gz`. The keys of an organization trail contain the organization's ID.
#[must_use]
pub fn covers_log_objects(
    entry: &NotificationEntry,
    log_prefix: &str,
    organization: Option<&str>,
) -> bool {
    const KEY_ENDING: &str = ".json.gz";
    let events = entry
        .events
        .iter()
        .any(|event| matches!(event.as_str(), OBJECT_CREATED | "s3:ObjectCreated:Put"));
    let organization_prefix = organization.map(|id| format!("{log_prefix}{id}/"));
    let prefix = entry.includes_prefix(log_prefix)
        || organization_prefix.is_some_and(|deeper| entry.includes_prefix(&deeper));
    let suffix = notification_filter::decode(&entry.suffix);
    events && prefix && suffix.is_some_and(|suffix| KEY_ENDING.ends_with(&suffix))
}
