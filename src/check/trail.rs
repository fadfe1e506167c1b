//! Checks of the organization trail.

use super::bucket::{change_bucket_command, storage_location_path};
use super::control_tower::{self, is_managed_by_control_tower};
use super::delivery::delivery_verdict;
use super::destination::destination_traits;
use super::trail_events;
use super::trail_found::trail_found;
use super::trail_scope::with_trail;
use super::{
    Check, CheckId, Finding, FixAction, Requirement, Verdict, format_time, shell_quote,
    skipped_because,
};
use crate::aws::arn::{Arn, resource_name};
use crate::aws::not_found;
use crate::inventory::facts::{ShadowTrail, Trail};
use crate::inventory::{Fact, Snapshot};

pub const CHECKS: &[Check] = &[
    Check {
        id: CheckId::TrailFound,
        description: "one trail is selected",
        requirement: Requirement::BLOCKING,
        permissions: &["cloudtrail:DescribeTrails", "cloudtrail:ListTrails"],
        evaluate: trail_found,
    },
    Check {
        id: CheckId::TrailOrganization,
        description: "the trail records all accounts of the organization",
        requirement: Requirement::REQUIRED,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: organization,
    },
    Check {
        id: CheckId::TrailMultiRegion,
        description: "the trail records all regions",
        requirement: Requirement::REQUIRED,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: multi_region,
    },
    Check {
        id: CheckId::TrailGlobalEvents,
        description: "the trail records global service events (IAM, STS, CloudFront)",
        requirement: Requirement::REQUIRED,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: global_events,
    },
    Check {
        id: CheckId::TrailLogging,
        description: "the trail is logging",
        requirement: Requirement::REQUIRED,
        permissions: &["cloudtrail:GetTrailStatus"],
        evaluate: logging,
    },
    Check {
        id: CheckId::TrailDelivery,
        description: "log files arrive in the bucket",
        requirement: Requirement::REQUIRED,
        permissions: &["cloudtrail:GetTrailStatus"],
        evaluate: delivery,
    },
    Check {
        id: CheckId::TrailEventsManagement,
        description: "the trail records all management events (read and write)",
        requirement: Requirement::REQUIRED,
        permissions: &["cloudtrail:GetEventSelectors"],
        evaluate: trail_events::management_events,
    },
    Check {
        id: CheckId::TrailEventsSources,
        description: "no management event source is excluded",
        requirement: Requirement::REQUIRED,
        permissions: &["cloudtrail:GetEventSelectors"],
        evaluate: trail_events::event_sources,
    },
    Check {
        id: CheckId::TrailRegions,
        description: "the trail covers every enabled region",
        requirement: Requirement::ADVISORY,
        permissions: &["account:ListRegions", "cloudtrail:GetTrailStatus"],
        evaluate: opt_in_regions,
    },
    Check {
        id: CheckId::TrailControlTower,
        description: "Control Tower does not manage the trail",
        requirement: Requirement::ADVISORY,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: control_tower::control_tower,
    },
    Check {
        id: CheckId::TrailSnsTopic,
        description: "the trail's own SNS topic is not used",
        requirement: Requirement::BLOCKING,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: sns_topic,
    },
    Check {
        id: CheckId::TrailValidation,
        description: "log file validation has no effect on Heeler",
        requirement: Requirement::ADVISORY,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: log_file_validation,
    },
];

fn organization(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        if trail.is_organization {
            return Verdict::Pass(trail.name.clone());
        }
        Verdict::Fail(
            Finding::new(
                format!("trail {} records only this account", trail.name),
                "an organization trail",
            )
            .because("events of the member accounts would be missing")
            .console(format!(
                "CloudTrail > Trails > {} > Edit > Enable for all accounts in my organization",
                trail.name
            ))
            .cli(update_trail_command(trail, "--is-organization-trail")),
        )
    })
}

fn multi_region(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        if trail.is_multi_region {
            return Verdict::Pass("multi-region".into());
        }
        Verdict::Fail(
            Finding::new(
                format!("trail {} records only {}", trail.name, trail.home_region),
                "a multi-region trail",
            )
            .because("events of other regions would be missing")
            .cli(update_trail_command(trail, "--is-multi-region-trail")),
        )
    })
}

fn global_events(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        if trail.includes_global_events {
            return Verdict::Pass("included".into());
        }
        Verdict::Fail(
            Finding::new(
                "global service events are excluded",
                "global service events included",
            )
            .because("events of IAM, STS and CloudFront would be missing")
            .cli(update_trail_command(
                trail,
                "--include-global-service-events",
            )),
        )
    })
}

fn update_trail_command(trail: &Trail, option: &str) -> String {
    format!(
        "aws cloudtrail update-trail --region {} --name {} {option}",
        trail.home_region,
        shell_quote(&trail.name)
    )
}

/// Evaluates the shadow trails of opt-in regions, which AWS creates some time after a region is enabled.
fn opt_in_regions(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        let opted_in = match &snapshot.account.opt_in_regions {
            Err(error) => return Verdict::Unknown(error.clone()),
            Ok(_) if !trail.is_multi_region => return skipped_because(CheckId::TrailMultiRegion),
            Ok(regions) => regions,
        };
        let without: Vec<&ShadowTrail> = snapshot
            .shadow_trails
            .iter()
            .filter(|shadow| shadow.status.is_err())
            .collect();
        if let Some(refused) = without
            .iter()
            .filter_map(|shadow| shadow.status.as_ref().err())
            .find(|error| !error.has_any_code(not_found::TRAIL))
        {
            return Verdict::Unknown(refused.clone());
        }
        if without.is_empty() {
            return Verdict::Pass(match opted_in.as_slice() {
                [] => "all default regions".into(),
                regions => format!("all default regions and {}", regions.join(", ")),
            });
        }
        let named: Vec<&str> = without
            .iter()
            .map(|shadow| shadow.region.as_str())
            .collect();
        Verdict::Warn(
            Finding::new(
                format!("trail {} has no shadow trail in {}", trail.name, named.join(", ")),
                "a shadow trail in every enabled region",
            )
            .because("AWS creates the shadow trail some time after a region is enabled; until then the region is not recorded")
            .cli(format!(
                "aws cloudtrail get-trail-status --region {} --name {}",
                named[0], trail.arn
            ))
            .retryable(),
        )
    })
}

fn logging(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| match &snapshot.trail_status {
        Fact::NotRequested | Fact::Absent => skipped_because(CheckId::TrailFound),
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(status) if status.logging => Verdict::Pass(trail.name.clone()),
        Fact::Present(status) => {
            let state = match status.stopped {
                Some(time) => format!("has been stopped since {}", format_time(time)),
                None => "is stopped".to_owned(),
            };
            Verdict::Fail(
                Finding::new(format!("trail {} {state}", trail.name), "logging")
                    .because("nothing is recorded while the trail is stopped")
                    .console(format!(
                        "CloudTrail > Trails > {} > Start logging",
                        trail.name
                    ))
                    .cli(format!(
                        "aws cloudtrail start-logging --region {} --name {}",
                        trail.home_region,
                        shell_quote(&trail.name)
                    ))
                    .fixable_if(
                        trail.is_organization
                            && !is_managed_by_control_tower(trail)
                            && snapshot.account.management.is_none(),
                        FixAction::StartLogging,
                    ),
            )
        }
    })
}

fn delivery(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        delivery_verdict(
            snapshot,
            |status| &status.to_bucket,
            |finding, error| {
                let bucket = &trail.bucket;
                if error.starts_with("KMS") || error.contains("Kms") {
                    let finding =
                        finding.because("CloudTrail could not use the KMS key of the log objects");
                    let Some(key) = &trail.kms_key else {
                        return finding
                            .console(format!("S3 > {bucket} > Properties > Default encryption"))
                            .cli(format!("aws s3api get-bucket-encryption --bucket {bucket}"));
                    };
                    let finding = finding.console(format!(
                        "KMS > Customer managed keys > {} > Key policy",
                        resource_name(key)
                    ));
                    let region =
                        Arn::parse(key).map_or(trail.home_region.as_str(), |arn| arn.region);
                    return finding
                        .because(format!("CloudTrail could not use KMS key {key}"))
                        .cli(format!(
                            "aws kms describe-key --region {region} --key-id {}",
                            shell_quote(key)
                        ));
                }
                if not_found::BUCKET.contains(&error) {
                    return finding
                        .because(format!("bucket {bucket} was deleted"))
                        .console(storage_location_path(snapshot))
                        .cli(change_bucket_command(snapshot));
                }
                finding
                    .because(format!("CloudTrail could not write to bucket {bucket}"))
                    .console(format!("S3 > {bucket} > Permissions > Bucket policy"))
                    .cli(format!("aws s3api get-bucket-policy --bucket {bucket}"))
            },
        )
    })
}

fn sns_topic(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        let Some(topic) = &trail.sns_topic else {
            return Verdict::Pass("the trail has no SNS topic".into());
        };
        let chosen = snapshot.request.topic.as_deref();
        if destination_traits(snapshot).uses_topic
            && chosen.is_some_and(|named| named == topic || named == resource_name(topic))
        {
            return Verdict::Fail(
                Finding::new(
                    format!("CloudTrail publishes its own messages to {topic}"),
                    "a topic for S3 event notifications",
                )
                .because(
                    "Heeler expects S3 event notifications, and CloudTrail's messages have a different format",
                )
                .advice("remove --sns-topic"),
            );
        }
        let error = match &snapshot.trail_status {
            Fact::Present(status) => status.notification_error.as_deref(),
            _ => None,
        };
        Verdict::Pass(match error {
            Some(error) => format!("{topic} (unchanged); its last error was {error}"),
            None => format!("{topic} (unchanged)"),
        })
    })
}

fn log_file_validation(snapshot: &Snapshot) -> Verdict {
    with_trail(snapshot, |trail| {
        Verdict::Pass(if trail.log_file_validation {
            "enabled; digest files cause notifications but contain no events".into()
        } else {
            "disabled; Heeler does not require it".into()
        })
    })
}
