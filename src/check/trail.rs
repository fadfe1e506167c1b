//! Checks of the organization trail.

use super::account::hangs_on;
use super::selectors::Coverage;
use super::survey::{Choice, Survey, Trail};
use super::{Check, Finding, Verdict, Weight};

pub const CHECKS: &[Check] = &[
    Check {
        id: "trail.found",
        says: "there is one trail to work with",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        judge: found,
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
        says: "the last delivery to the bucket succeeded",
        weight: Weight::Advisory,
        permissions: &["cloudtrail:GetTrailStatus"],
        judge: delivery,
    },
    Check {
        id: "trail.events.management",
        says: "the trail records all management events, reads and writes",
        weight: Weight::Required,
        permissions: &["cloudtrail:GetEventSelectors"],
        judge: management_events,
    },
    Check {
        id: "trail.events.sources",
        says: "no source of management events is left out",
        weight: Weight::Required,
        permissions: &["cloudtrail:GetEventSelectors"],
        judge: sources,
    },
];

/// The verdict on the chosen trail, or that there is none.
fn on_trail(survey: &Survey, judge: impl FnOnce(&Trail) -> Verdict) -> Verdict {
    survey
        .trail()
        .map_or_else(|| hangs_on("trail.found"), judge)
}

fn found(survey: &Survey) -> Verdict {
    let trails = match &survey.trails {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(trails) => trails,
    };
    match &survey.choice {
        Choice::One(trail) => Verdict::Pass(format!("{}, home {}", trail.name, trail.home)),
        Choice::Several(names) => Verdict::Fail(
            Finding::new(format!("{} trails qualify: {}", names.len(), names.join(", ")), "one trail")
                .because("events must be taken from one of them, or each would come twice")
                .cli(format!("heeler-ec preflight --option s3 --trail {}", names[0])),
        ),
        Choice::Unnamed(named) => Verdict::Fail(
            Finding::new(format!("there is no trail {named} here"), "the trail named by --trail")
                .because(format!(
                    "the trails that can be seen are: {}",
                    if trails.is_empty() {
                        "none".to_owned()
                    } else {
                        trails.iter().map(|trail| trail.name.as_str()).collect::<Vec<_>>().join(", ")
                    }
                ))
                .cli("aws cloudtrail list-trails"),
        ),
        Choice::None => Verdict::Fail(
            Finding::new("there is no trail", "an organization trail")
                .because("without a trail there are no events to collect")
                .console("CloudTrail > Trails > Create trail > Enable for all accounts in my organization")
                .cli("aws cloudtrail create-trail --name organization-trail --s3-bucket-name BUCKET --is-organization-trail --is-multi-region-trail --include-global-service-events"),
        ),
    }
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
        trail.home, trail.name
    )
}

fn logging(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| match &survey.status {
        None => hangs_on("trail.found"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(status)) if status.logging => Verdict::Pass(trail.name.clone()),
        Some(Ok(status)) => {
            let since = status
                .stopped
                .as_ref()
                .map(|time| format!(" since {time}"))
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
                        trail.home, trail.name
                    )),
            )
        }
    })
}

fn delivery(survey: &Survey) -> Verdict {
    on_trail(survey, |trail| match &survey.status {
        None => hangs_on("trail.found"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(status)) => match (&status.delivery_error, &status.delivered) {
            (Some(error), delivered) => {
                let finding =
                    Finding::new(format!("the last error was {error}"), "no delivery error")
                        .because(format!(
                            "CloudTrail could not write to bucket {}",
                            trail.bucket
                        ))
                        .console(format!(
                            "S3 > {} > Permissions > Bucket policy",
                            trail.bucket
                        ))
                        .cli(format!(
                            "aws s3api get-bucket-policy --bucket {}",
                            trail.bucket
                        ));
                // AWS does not say when the error was; something may have been delivered after it.
                match delivered {
                    Some(_) => Verdict::Warn(finding),
                    None => Verdict::Fail(finding),
                }
            }
            (None, Some(time)) => Verdict::Pass(format!("last delivery {time}")),
            (None, None) => Verdict::Pass("no error; none delivered yet".into()),
        },
    })
}

fn coverage(survey: &Survey, judge: impl FnOnce(&Trail, Coverage) -> Verdict) -> Verdict {
    on_trail(survey, |trail| match &survey.selectors {
        None => hangs_on("trail.found"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(selectors)) => judge(trail, Coverage::of(selectors)),
    })
}

fn management_events(survey: &Survey) -> Verdict {
    coverage(survey, |trail, coverage| {
        let observed = match (coverage.read, coverage.write) {
            (true, true) => return Verdict::Pass("reads and writes are recorded".into()),
            (true, false) => "read events only".to_owned(),
            (false, true) => "write events only".to_owned(),
            (false, false) if coverage.narrowed.is_empty() => "no management events".to_owned(),
            (false, false) => format!(
                "narrowed by {}",
                coverage
                    .narrowed
                    .iter()
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        Verdict::Fail(
            Finding::new(observed, "read and write management events")
                .because("Heeler needs all management events (the trail's data event selectors can stay)")
                .console(format!("CloudTrail > Trails > {} > Management events > Edit > Read, Write", trail.name))
                .cli(format!(
                    "aws cloudtrail get-event-selectors --region {} --trail-name {}",
                    trail.home, trail.name
                )),
        )
    })
}

fn sources(survey: &Survey) -> Verdict {
    coverage(survey, |trail, coverage| {
        if !coverage.read && !coverage.write {
            return hangs_on("trail.events.management");
        }
        if coverage.excluded.is_empty() {
            return Verdict::Pass("no source is excluded".into());
        }
        let sources: Vec<String> = coverage.excluded.into_iter().collect();
        Verdict::Fail(
            Finding::new(format!("excluded: {}", sources.join(", ")), "no source excluded")
                .because("Heeler would not see, for instance, the deletion of a key or a change of its policy")
                .console(format!(
                    "CloudTrail > Trails > {} > Management events > Edit > clear Exclude AWS KMS events and Exclude Amazon RDS Data API events",
                    trail.name
                ))
                .cli(format!(
                    "aws cloudtrail get-event-selectors --region {} --trail-name {}",
                    trail.home, trail.name
                )),
        )
    })
}
