//! Checks of the organization trail.

use super::bucket::{deliver_elsewhere, storage_of};
use super::choice;
use super::delivery::delivered;
use super::events;
use super::survey::Survey;
use super::survey::facts::{Shadow, Trail};
use super::{Check, Finding, Repair, Verdict, Weight, hangs_on, quoted, written};
use crate::aws::arn::{Arn, last};
use crate::route::Route;

pub const CHECKS: &[Check] = &[
    Check {
        id: "trail.found",
        says: "there is one trail to work with",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails", "cloudtrail:ListTrails"],
        judge: choice::found,
    },
    Check {
        id: "trail.organization",
        says: "the trail is enabled for all accounts of the organization",
        weight: Weight::Required,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: organization,
    },
    Check {
        id: "trail.multi_region",
        says: "the trail records all regions",
        weight: Weight::Required,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: multi_region,
    },
    Check {
        id: "trail.global_events",
        says: "the trail records global services (IAM, STS, CloudFront)",
        weight: Weight::Required,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: global_events,
    },
    Check {
        id: "trail.logging",
        says: "the trail is logging",
        weight: Weight::Required,
        permissions: &["cloudtrail:GetTrailStatus"],
        judge: logging,
    },
    Check {
        id: "trail.delivery",
        says: "log files arrive in the bucket",
        weight: Weight::Required,
        permissions: &["cloudtrail:GetTrailStatus"],
        judge: delivery,
    },
    Check {
        id: "trail.events.management",
        says: "the trail records all management events, reads and writes",
        weight: Weight::Required,
        permissions: &["cloudtrail:GetEventSelectors"],
        judge: events::management,
    },
    Check {
        id: "trail.events.sources",
        says: "no source of management events is left out",
        weight: Weight::Required,
        permissions: &["cloudtrail:GetEventSelectors"],
        judge: events::sources,
    },
    Check {
        id: "trail.regions",
        says: "the trail is in every region that is switched on",
        weight: Weight::Advisory,
        permissions: &["account:ListRegions", "cloudtrail:GetTrailStatus"],
        judge: regions,
    },
    Check {
        id: "trail.control_tower",
        says: "the trail does not belong to Control Tower",
        weight: Weight::Advisory,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: control_tower,
    },
    Check {
        id: "trail.sns",
        says: "the trail's own topic is left alone",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: own_topic,
    },
    Check {
        id: "trail.validation",
        says: "it is known whether log files are validated",
        weight: Weight::Advisory,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: validation,
    },
];

/// The verdict on the chosen trail, or that there is none.
pub(super) fn on_trail(survey: &Survey, judge: impl FnOnce(&Trail) -> Verdict) -> Verdict {
    survey
        .trail()
        .map_or_else(|| hangs_on("trail.found"), judge)
}

fn organization(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        if trail.organization {
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
            .cli(update(trail, "--is-organization-trail")),
        )
    })
}

fn multi_region(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        if trail.multi_region {
            return Verdict::Pass("multi-region".into());
        }
        Verdict::Fail(
            Finding::new(
                format!("{} records {} only", trail.name, trail.home),
                "a multi-region trail",
            )
            .because("events of other regions would be missing")
            .cli(update(trail, "--is-multi-region-trail")),
        )
    })
}

fn global_events(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        if trail.global_events {
            return Verdict::Pass("included".into());
        }
        Verdict::Fail(
            Finding::new(
                "global service events are left out",
                "global service events included",
            )
            .because("events of IAM, STS and CloudFront would be missing")
            .cli(update(trail, "--include-global-service-events")),
        )
    })
}

fn update(trail: &Trail, option: &str) -> String {
    format!(
        "aws cloudtrail update-trail --region {} --name {} {option}",
        trail.home,
        quoted(&trail.name)
    )
}

/// Regions that were switched on get their copy of the trail some time later.
fn regions(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        let opted_in = match &survey.account.opted_in {
            Err(error) => return Verdict::Unknown(error.clone()),
            Ok(_) if !trail.multi_region => return hangs_on("trail.multi_region"),
            Ok(regions) => regions,
        };
        let without: Vec<&Shadow> = survey
            .shadows
            .iter()
            .filter(|shadow| shadow.seen.is_err())
            .collect();
        if let Some(refused) = without
            .iter()
            .filter_map(|shadow| shadow.seen.as_ref().err())
            .find(|error| !error.is("TrailNotFoundException"))
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
            .settles(),
        )
    })
}

fn logging(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| match &survey.status {
        None => hangs_on("trail.found"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(status)) if status.logging => Verdict::Pass(trail.name.clone()),
        Some(Ok(status)) => {
            let since = status
                .stopped
                .map(|time| format!(" since {}", written(time)))
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
                        trail.home,
                        quoted(&trail.name)
                    ))
                    .repair_if(
                        trail.organization && !is_of_control_tower(trail),
                        Repair::StartLogging,
                    ),
            )
        }
    })
}

fn delivery(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        delivered(
            survey,
            "trail.found",
            |status| &status.to_bucket,
            |finding, error| {
                let bucket = &trail.bucket;
                if error.starts_with("KMS") || error.contains("Kms") {
                    let finding =
                        finding.because("CloudTrail could not use the key of the log objects");
                    let Some(key) = &trail.key else {
                        return finding
                            .console(format!("S3 > {bucket} > Properties > Default encryption"))
                            .cli(format!("aws s3api get-bucket-encryption --bucket {bucket}"));
                    };
                    let finding = finding.console(format!(
                        "KMS > Customer managed keys > {} > Key policy",
                        last(key)
                    ));
                    let region = Arn::parse(key).map_or(trail.home.as_str(), |arn| arn.region);
                    return finding
                        .because(format!("CloudTrail could not use KMS key {key}"))
                        .cli(format!(
                            "aws kms describe-key --region {region} --key-id {}",
                            quoted(key)
                        ));
                }
                if error == "NoSuchBucket" {
                    return finding
                        .because(format!("bucket {bucket} was deleted"))
                        .console(storage_of(survey))
                        .cli(deliver_elsewhere(survey));
                }
                finding
                    .because(format!("CloudTrail could not write to bucket {bucket}"))
                    .console(format!("S3 > {bucket} > Permissions > Bucket policy"))
                    .cli(format!("aws s3api get-bucket-policy --bucket {bucket}"))
            },
        )
    })
}

fn control_tower(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        if !is_of_control_tower(trail) {
            return Verdict::Pass("it does not".into());
        }
        let finding = Finding::new(
            format!("{} is the trail of Control Tower", trail.name),
            "a trail of your own",
        )
        .because("what is changed on it counts as drift, and is put back; its bucket is in the log archive account");
        Verdict::Warn(match survey.route {
            Route::S3 => finding.advice(
                "use --option cloudwatch, or make a second organization trail with a bucket in the management account \
                 (a second copy of management events is charged)",
            ),
            Route::CloudWatch => finding.advice(
                "do not edit the trail or its log group; a subscription filter on the log group is no edit",
            ),
        })
    })
}

fn is_of_control_tower(trail: &Trail) -> bool {
    let group = trail.log_group.as_deref().unwrap_or_default();
    trail.name == "aws-controltower-BaselineCloudTrail"
        || trail.bucket.starts_with("aws-controltower-logs-")
        || group.contains(":log-group:aws-controltower/CloudTrailLogs")
}

fn own_topic(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        let Some(topic) = &trail.own_topic else {
            return Verdict::Pass("it has none".into());
        };
        let chosen = survey.hints.topic.as_deref();
        if survey.route == Route::S3
            && chosen.is_some_and(|named| named == topic || named == last(topic))
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
        let error = match &survey.status {
            Some(Ok(status)) => status.notification_error.as_deref(),
            _ => None,
        };
        Verdict::Pass(match error {
            Some(error) => format!("{topic}, which stays as it is; its last error was {error}"),
            None => format!("{topic}, which stays as it is"),
        })
    })
}

fn validation(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| {
        Verdict::Pass(if trail.validation {
            "on; digest files are announced, too, and are no events".into()
        } else {
            "off; it is no prerequisite".into()
        })
    })
}
