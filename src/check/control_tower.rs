//! Recognises the trail, the bucket and the topics that AWS Control Tower manages.

use super::destination::destination_traits;
use super::trail_scope::with_trail;
use super::{Finding, Verdict};
use crate::aws::arn::{Arn, resource_name};
use crate::inventory::Snapshot;
use crate::inventory::facts::Trail;

/// Prefix of the names of all buckets of Control Tower.
const BUCKETS: &str = "aws-controltower-";
/// Prefix of the buckets for log files. Their names continue with the account and the region.
const LOG_BUCKETS: &str = "aws-controltower-logs-";
/// Prefix of the buckets for log files of `CloudTrail` since landing zone 4.0.
const CLOUDTRAIL_BUCKETS: &str = "aws-controltower-cloudtrail-";
/// Prefix of the topics for log files since landing zone 4.0.
const CENTRAL_TOPICS: &str = "aws-controltower-CentralizedLoggingNotifications";
/// The role to which the control policies of Control Tower do not apply.
const EXEMPT_ROLE: &str = "AWSControlTowerExecution";

/// Evaluates if Control Tower manages the trail, and if its control policies let setup change the bucket.
pub(super) fn control_tower(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        if !is_managed_by_control_tower(trail) {
            return Verdict::Pass(trail.name.clone());
        }
        let destination = destination_traits(snapshot);
        let alternative = snapshot
            .option
            .alternative
            .map(|name| snapshot.heeler_ec_command(&format!("preflight --option {name}")));
        let with_alternative = |finding: Finding| match &alternative {
            Some(command) => finding.cli(command.clone()),
            None => finding,
        };
        if destination.uses_topic && denies_notifications(trail) && !is_exempt(snapshot) {
            return Verdict::Fail(with_alternative(
                Finding::new(
                    format!("Control Tower denies s3:PutBucketNotification on bucket {}", trail.bucket),
                    "a bucket whose notifications setup may change",
                )
                .because(
                    "a control policy of landing zone 4.0 denies it to every role of the account, so setup would fail at \
                     its last step",
                )
                .advice(destination.control_tower_advice),
            ));
        }
        Verdict::Warn(with_alternative(
            Finding::new(
                format!("trail {} is managed by Control Tower", trail.name),
                "a trail that you manage",
            )
            .because("Control Tower treats changes to it as drift and reverts them; its bucket is in the log archive account")
            .advice(destination.control_tower_advice),
        ))
    })
}

/// Returns true if the trail, its bucket or its log group belongs to Control Tower.
pub(super) fn is_managed_by_control_tower(trail: &Trail) -> bool {
    let group = trail.log_group.as_deref().unwrap_or_default();
    trail.name == "aws-controltower-BaselineCloudTrail"
        || trail.bucket.starts_with(BUCKETS)
        || group.contains(":log-group:aws-controltower/CloudTrailLogs")
}

/// Returns true if the landing zone has version 4.0 or later, which denies all changes of its buckets except their tags
/// (control CTS3PV8). Earlier versions name the denied changes, and notifications are not among them. Source:
/// <https://docs.aws.amazon.com/controltower/latest/controlreference/mandatory-controls.html>.
fn denies_notifications(trail: &Trail) -> bool {
    let topic = trail.sns_topic.as_deref().map_or("", resource_name);
    trail.bucket.starts_with(CLOUDTRAIL_BUCKETS)
        || (trail.bucket.starts_with(LOG_BUCKETS) && topic.starts_with(CENTRAL_TOPICS))
}

/// Returns true if the caller has the role to which the control policies do not apply.
fn is_exempt(snapshot: &Snapshot) -> bool {
    let caller = snapshot.account.caller.as_ref().ok();
    let role = caller.and_then(|caller| Arn::parse(&caller.arn)?.resource.split('/').nth(1));
    role == Some(EXEMPT_ROLE)
}

/// Returns the log archive account, which the name of a bucket of Control Tower contains.
pub(super) fn log_archive_account(bucket: &str) -> Option<&str> {
    let name = [LOG_BUCKETS, CLOUDTRAIL_BUCKETS]
        .iter()
        .find_map(|prefix| bucket.strip_prefix(prefix))?;
    let account = name.split('-').next()?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landing_zone_version_decides_about_notifications() {
        let topic = |name: &str| Some(format!("arn:aws:sns:eu-west-1:333344445555:{name}"));
        for (bucket, sns_topic, expected) in [
            ("aws-controltower-logs-222233334444-eu-west-1", None, false),
            (
                "aws-controltower-logs-222233334444-eu-west-1",
                topic("aws-controltower-AllConfigNotifications"),
                false,
            ),
            (
                "aws-controltower-logs-222233334444-eu-west-1",
                topic("aws-controltower-CentralizedLoggingNotifications-abc"),
                true,
            ),
            ("aws-controltower-cloudtrail-222233334444-x", None, true),
            ("own-bucket", None, false),
        ] {
            let trail = Trail {
                bucket: bucket.into(),
                sns_topic,
                ..Trail::default()
            };
            assert_eq!(denies_notifications(&trail), expected, "{trail:?}");
        }
    }

    #[test]
    fn bucket_names_contain_log_archive_account() {
        for (bucket, expected) in [
            (
                "aws-controltower-logs-222233334444-eu-west-1",
                Some("222233334444"),
            ),
            (
                "aws-controltower-cloudtrail-222233334444-x",
                Some("222233334444"),
            ),
            ("aws-controltower-logs-one", None),
            ("logs-222233334444", None),
        ] {
            assert_eq!(log_archive_account(bucket), expected);
        }
    }
}
