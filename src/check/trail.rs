//! Checks of the organization trail.

use super::bucket::{change_bucket_command, storage_location_path};
use super::delivery::delivery_verdict;
use super::trail_events;
use super::trail_selection;
use super::{
    Check, Finding, FixAction, Requirement, Verdict, format_time, shell_quote, skipped_because,
};
use crate::aws::arn::{Arn, resource_name};
use crate::inventory::Snapshot;
use crate::inventory::facts::{ShadowTrail, Trail};
use crate::inventory::trail_destination::TrailDestination;

pub const CHECKS: &[Check] = &[
    Check {
        id: "trail.found",
        description: "there is one trail to work with",
        requirement: Requirement::Hard,
        permissions: &["cloudtrail:DescribeTrails", "cloudtrail:ListTrails"],
        evaluate: trail_selection::trail_found,
    },
    Check {
        id: "trail.organization",
        description: "the trail is enabled for all accounts of the organization",
        requirement: Requirement::Required,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: organization,
    },
    Check {
        id: "trail.multi_region",
        description: "the trail records all regions",
        requirement: Requirement::Required,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: multi_region,
    },
    Check {
        id: "trail.global_events",
        description: "the trail records global services (IAM, STS, CloudFront)",
        requirement: Requirement::Required,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: global_events,
    },
    Check {
        id: "trail.logging",
        description: "the trail is logging",
        requirement: Requirement::Required,
        permissions: &["cloudtrail:GetTrailStatus"],
        evaluate: logging,
    },
    Check {
        id: "trail.delivery",
        description: "log files arrive in the bucket",
        requirement: Requirement::Required,
        permissions: &["cloudtrail:GetTrailStatus"],
        evaluate: delivery,
    },
    Check {
        id: "trail.events.management",
        description: "the trail records all management events, reads and writes",
        requirement: Requirement::Required,
        permissions: &["cloudtrail:GetEventSelectors"],
        evaluate: trail_events::management_events,
    },
    Check {
        id: "trail.events.sources",
        description: "no source of management events is left out",
        requirement: Requirement::Required,
        permissions: &["cloudtrail:GetEventSelectors"],
        evaluate: trail_events::event_sources,
    },
    Check {
        id: "trail.regions",
        description: "the trail is in every region that is switched on",
        requirement: Requirement::Advisory,
        permissions: &["account:ListRegions", "cloudtrail:GetTrailStatus"],
        evaluate: opt_in_regions,
    },
    Check {
        id: "trail.control_tower",
        description: "the trail does not belong to Control Tower",
        requirement: Requirement::Advisory,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: control_tower,
    },
    Check {
        id: "trail.sns",
        description: "the trail's own topic is left alone",
        requirement: Requirement::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: sns_topic,
    },
    Check {
        id: "trail.validation",
        description: "it is known whether log files are validated",
        requirement: Requirement::Advisory,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: log_file_validation,
    },
];

/// The verdict on the chosen trail, or that there is none.
pub(super) fn with_trail(survey: &Snapshot, judge: impl FnOnce(&Trail) -> Verdict) -> Verdict {
    survey
        .trail()
        .map_or_else(|| skipped_because("trail.found"), judge)
}

fn organization(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        if trail.is_organization {
            return Verdict::Pass(trail.name.clone());
        }
        Verdict::Fail(
            Finding::new(
                format!("{} records this account only", trail.name),
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

fn multi_region(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        if trail.is_multi_region {
            return Verdict::Pass("multi-region".into());
        }
        Verdict::Fail(
            Finding::new(
                format!("{} records {} only", trail.name, trail.home_region),
                "a multi-region trail",
            )
            .because("events of other regions would be missing")
            .cli(update_trail_command(trail, "--is-multi-region-trail")),
        )
    })
}

fn global_events(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        if trail.includes_global_events {
            return Verdict::Pass("included".into());
        }
        Verdict::Fail(
            Finding::new(
                "global service events are left out",
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

/// Regions that were switched on get their copy of the trail some time later.
fn opt_in_regions(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        let opted_in = match &survey.account.opt_in_regions {
            Err(error) => return Verdict::Unknown(error.clone()),
            Ok(_) if !trail.is_multi_region => return skipped_because("trail.multi_region"),
            Ok(regions) => regions,
        };
        let without: Vec<&ShadowTrail> = survey
            .shadow_trails
            .iter()
            .filter(|shadow| shadow.status.is_err())
            .collect();
        if let Some(refused) = without
            .iter()
            .filter_map(|shadow| shadow.status.as_ref().err())
            .find(|error| !error.has_code("TrailNotFoundException"))
        {
            return Verdict::Unknown(refused.clone());
        }
        if without.is_empty() {
            return Verdict::Pass(match opted_in.as_slice() {
                [] => "all that are on by default".into(),
                regions => format!("all that are on by default, and {}", regions.join(", ")),
            });
        }
        let named: Vec<&str> = without
            .iter()
            .map(|shadow| shadow.region.as_str())
            .collect();
        Verdict::Warn(
            Finding::new(
                format!("no copy of {} in {}", trail.name, named.join(", ")),
                "a copy of the trail in every region that is switched on",
            )
            .because("a region that was switched on today gets its copy later; until then it is not recorded")
            .cli(format!(
                "aws cloudtrail get-trail-status --region {} --name {}",
                named[0], trail.arn
            ))
            .retryable(),
        )
    })
}

fn logging(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| match &survey.trail_status {
        None => skipped_because("trail.found"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(status)) if status.logging => Verdict::Pass(trail.name.clone()),
        Some(Ok(status)) => {
            let since = status
                .stopped
                .map(|time| format!(" since {}", format_time(time)))
                .unwrap_or_default();
            Verdict::Fail(
                Finding::new(format!("{} is stopped{since}", trail.name), "logging")
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
                        trail.is_organization && !is_managed_by_control_tower(trail),
                        FixAction::StartLogging,
                    ),
            )
        }
    })
}

fn delivery(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        delivery_verdict(
            survey,
            "trail.found",
            |status| &status.to_bucket,
            |finding, error| {
                let bucket = &trail.bucket;
                if error.starts_with("KMS") || error.contains("Kms") {
                    let finding =
                        finding.because("CloudTrail could not use the key of the log objects");
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
                if error == "NoSuchBucket" {
                    return finding
                        .because(format!("bucket {bucket} was deleted"))
                        .console(storage_location_path(survey))
                        .cli(change_bucket_command(survey));
                }
                finding
                    .because(format!("CloudTrail could not write to bucket {bucket}"))
                    .console(format!("S3 > {bucket} > Permissions > Bucket policy"))
                    .cli(format!("aws s3api get-bucket-policy --bucket {bucket}"))
            },
        )
    })
}

fn control_tower(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        if !is_managed_by_control_tower(trail) {
            return Verdict::Pass("it does not".into());
        }
        let finding = Finding::new(
            format!("{} is the trail of Control Tower", trail.name),
            "a trail of your own",
        )
        .because("what is changed on it counts as drift, and is put back; its bucket is in the log archive account");
        Verdict::Warn(match survey.route {
            TrailDestination::Bucket => finding.advice(
                "use --option cloudwatch, or make a second organization trail with a bucket in the management account \
                 (a second copy of management events is charged)",
            ),
            TrailDestination::LogGroup => finding.advice(
                "do not edit the trail or its log group; a subscription filter on the log group is no edit",
            ),
        })
    })
}

fn is_managed_by_control_tower(trail: &Trail) -> bool {
    let group = trail.log_group.as_deref().unwrap_or_default();
    trail.name == "aws-controltower-BaselineCloudTrail"
        || trail.bucket.starts_with("aws-controltower-logs-")
        || group.contains(":log-group:aws-controltower/CloudTrailLogs")
}

fn sns_topic(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        let Some(topic) = &trail.sns_topic else {
            return Verdict::Pass("it has none".into());
        };
        let chosen = survey.request.topic.as_deref();
        if survey.route == TrailDestination::Bucket
            && chosen.is_some_and(|named| named == topic || named == resource_name(topic))
        {
            return Verdict::Fail(
                Finding::new(
                    format!("{topic} is the topic of CloudTrail itself"),
                    "a topic of S3 event notifications",
                )
                .because(
                    "CloudTrail's own messages have another form, which Heeler does not expect",
                )
                .advice("leave --sns-topic out"),
            );
        }
        let error = match &survey.trail_status {
            Some(Ok(status)) => status.notification_error.as_deref(),
            _ => None,
        };
        Verdict::Pass(match error {
            Some(error) => format!("{topic}, which stays as it is; its last error was {error}"),
            None => format!("{topic}, which stays as it is"),
        })
    })
}

fn log_file_validation(survey: &Snapshot) -> Verdict {
    with_trail(survey, |trail| {
        Verdict::Pass(if trail.log_file_validation {
            "on; digest files are announced, too, and are no events".into()
        } else {
            "off; it is no prerequisite".into()
        })
    })
}
