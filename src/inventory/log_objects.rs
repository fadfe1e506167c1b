//! The keys of log objects, and notifications about them.

use super::InventoryRequest;
use super::facts::{Organization, Trail};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget, OBJECT_CREATED};
use crate::aws::notification_filter;

/// Returns the key prefix under which a trail delivers log objects. Those of an organization trail are below the ID of
/// the organization: `[PREFIX/]AWSLogs/O-ID/ACCOUNT/CloudTrail/` (`CloudTrail` User Guide, "Getting and viewing your
/// `CloudTrail` log files"). Log objects of other services, such as flow logs, are beside it.
pub(super) fn log_prefix(trail: Option<&Trail>, organization: Option<&Organization>) -> String {
    let folder = match trail.map(|trail| trail.prefix.as_str()) {
        None | Some("") => String::new(),
        Some(prefix) => format!("{prefix}/"),
    };
    match organization.filter(|_| trail.is_some_and(|trail| trail.is_organization)) {
        Some(organization) => format!("{folder}AWSLogs/{}/", organization.id),
        None => format!("{folder}AWSLogs/"),
    }
}

/// Returns the notification that setup would create, without a destination. It is for a topic, unless setup sends the
/// events of the bucket directly to the queue.
pub(super) fn planned_notification(
    request: &InventoryRequest,
    log_prefix: &str,
) -> NotificationEntry {
    let (target, suffix) = match &request.bucket_events {
        Some(events) => (NotificationTarget::Queue, events.suffix()),
        None => (NotificationTarget::Topic, ""),
    };
    NotificationEntry {
        id: request.names.notification_id(),
        target,
        destination: String::new(),
        events: vec![OBJECT_CREATED.to_owned()],
        prefix: notification_filter::encode(log_prefix),
        suffix: notification_filter::encode(suffix),
    }
}

/// Returns true if a notification covers every log object. CloudTrail creates objects with `PutObject`, and their keys
/// end in `.json.gz`.
#[must_use]
pub fn covers_log_objects(entry: &NotificationEntry, log_prefix: &str) -> bool {
    const KEY_ENDING: &str = ".json.gz";
    let events = entry
        .events
        .iter()
        .any(|event| matches!(event.as_str(), OBJECT_CREATED | "s3:ObjectCreated:Put"));
    let suffix = notification_filter::decode(&entry.suffix);
    events
        && entry.includes_prefix(log_prefix)
        && suffix.is_some_and(|suffix| KEY_ENDING.ends_with(&suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_prefix_of_organization_trail_has_its_id() {
        let organization = Organization {
            id: "o-example".into(),
            management_account: "111122223333".into(),
            all_features: true,
        };
        let trail = |is_organization, prefix: &str| Trail {
            is_organization,
            prefix: prefix.into(),
            ..Trail::default()
        };
        for (trail, organization, prefix) in [
            (trail(true, ""), Some(&organization), "AWSLogs/o-example/"),
            (
                trail(true, "a/b"),
                Some(&organization),
                "a/b/AWSLogs/o-example/",
            ),
            (trail(true, "a"), None, "a/AWSLogs/"),
            (trail(false, "a"), Some(&organization), "a/AWSLogs/"),
        ] {
            assert_eq!(log_prefix(Some(&trail), organization), prefix);
        }
        assert_eq!(log_prefix(None, Some(&organization)), "AWSLogs/");
    }
}
