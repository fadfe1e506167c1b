//! The verdict on the destinations of the bucket's other notifications. S3 rejects a configuration with a destination
//! that does not exist (Amazon S3 User Guide, "Enabling and configuring event notifications").

use super::with_own_bucket;
use crate::aws::bucket_notification::NotificationEntry;
use crate::check::{CheckId, Finding, Verdict, shell_quote, skipped_because};
use crate::inventory::facts::BucketFacts;
use crate::inventory::{Fact, Snapshot};

pub(super) fn destinations(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        let Fact::Present(entries) = &bucket.notifications else {
            return skipped_because(CheckId::BucketNotifications);
        };
        let stale: Vec<&NotificationEntry> = entries
            .iter()
            .filter(|entry| is_missing(bucket, &entry.destination))
            .collect();
        if !stale.is_empty() {
            let finding = stale_finding(bucket, &stale);
            return if adds_notification(snapshot, bucket, entries) {
                Verdict::Fail(finding)
            } else {
                Verdict::Warn(finding)
            };
        }
        let mut reads = bucket.destinations.iter();
        match reads.find_map(|found| found.exists.as_ref().err()) {
            Some(error) => Verdict::Unknown(error.clone()),
            None => Verdict::Pass(match bucket.destinations.len() {
                0 => "no other destinations in this account".into(),
                1 => "1 other destination".into(),
                many => format!("{many} other destinations"),
            }),
        }
    })
}

fn is_missing(bucket: &BucketFacts, destination: &str) -> bool {
    let mut found = bucket.destinations.iter();
    found.any(|found| found.arn == destination && matches!(found.exists, Ok(false)))
}

/// Returns true if setup must add its notification: it uses no existing topic, and has not added it before.
fn adds_notification(
    snapshot: &Snapshot,
    bucket: &BucketFacts,
    entries: &[NotificationEntry],
) -> bool {
    let id = snapshot.planned_notification().id;
    let has_own = entries.iter().any(|entry| entry.id == id);
    !has_own && !matches!(bucket.topic, Fact::Present(_))
}

fn stale_finding(bucket: &BucketFacts, stale: &[&NotificationEntry]) -> Finding {
    let named: Vec<String> = stale
        .iter()
        .map(|entry| {
            format!(
                "notification {} sends to {}, which does not exist",
                entry.id, entry.destination
            )
        })
        .collect();
    Finding::new(named.join("; "), "destinations that exist")
        .because(
            "S3 rejects every change of the notification configuration while a destination does not exist",
        )
        .console(format!(
            "S3 > {} > Properties > Event notifications",
            bucket.name
        ))
        .cli(format!(
            "aws s3api get-bucket-notification-configuration --bucket {}",
            shell_quote(&bucket.name)
        ))
        .advice("remove the notification if its owner no longer needs it, or create its destination again")
}
