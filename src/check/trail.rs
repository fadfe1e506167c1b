//! Checks of the organization trail.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::selectors::{Coverage, completed};
use super::survey::Survey;
use super::survey::facts::{Choice, Delivery, Shadow, Status, Trail};
use super::{Check, Finding, Repair, Verdict, Weight, hangs_on, quoted, written};
use crate::aws::arn::{Arn, last};
use crate::route::Route;

pub const CHECKS: &[Check] = &[
    Check {
        id: "trail.found",
        says: "there is one trail to work with",
        weight: Weight::Hard,
        permissions: &["cloudtrail:DescribeTrails", "cloudtrail:ListTrails"],
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
        judge: management_events,
    },
    Check {
        id: "trail.events.sources",
        says: "no source of management events is left out",
        weight: Weight::Required,
        permissions: &["cloudtrail:GetEventSelectors"],
        judge: sources,
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

fn found(survey: &Survey) -> Verdict {
    let trails = match &survey.account.trails {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(trails) => trails,
    };
    match &survey.choice {
        Choice::One(trail) => Verdict::Pass(format!("{}, home {}", trail.name, trail.home)),
        Choice::Several(several) => Verdict::Fail(of_several(survey, several)),
        Choice::Unnamed(named) => Verdict::Fail(
            Finding::new(
                format!("there is no trail {named} here"),
                "the trail named by --trail",
            )
            .because(format!(
                "the trails that can be seen are: {}",
                names(trails).unwrap_or_else(|| "none".into())
            ))
            .cli("aws cloudtrail list-trails"),
        ),
        Choice::None => {
            if let Some(Err(error)) = &survey.account.elsewhere {
                return Verdict::Unknown(error.clone());
            }
            let finding = Finding::new("there is no trail", "an organization trail")
                .because("without a trail there are no events to collect");
            Verdict::Fail(match &survey.account.elsewhere {
                Some(Ok(elsewhere)) if !elsewhere.is_empty() => finding.because(format!(
                    "those of other regions, {}, record one region each; an organization trail of all regions shows up everywhere",
                    names(elsewhere).unwrap_or_default()
                )),
                _ => finding,
            }
            .console("CloudTrail > Trails > Create trail > Enable for all accounts in my organization")
            .cli("aws cloudtrail create-trail --name organization-trail --s3-bucket-name BUCKET --is-organization-trail --is-multi-region-trail --include-global-service-events"))
        }
    }
}

/// Each with what it lacks, if all of them lack something.
fn of_several(survey: &Survey, several: &[(String, Vec<&'static str>)]) -> Finding {
    let option = survey.route.name();
    let qualify = several.iter().all(|(_, lacks)| lacks.is_empty());
    let told: Vec<String> = several
        .iter()
        .map(|(name, lacks)| match lacks.as_slice() {
            [] => name.clone(),
            lacks => format!("{name} (fails {})", lacks.join(", ")),
        })
        .collect();
    let observed = if qualify {
        format!("{} trails qualify: {}", several.len(), told.join(", "))
    } else {
        format!(
            "none of {} trails passes: {}",
            several.len(),
            told.join("; ")
        )
    };
    let finding = Finding::new(observed, "one trail to work with")
        .because("events must be taken from one of them, or each would come twice");
    match several.first() {
        Some((name, _)) => finding.cli(survey.own_command(&format!(
            "preflight --option {option} --trail {}",
            quoted(name)
        ))),
        None => finding,
    }
}

fn names(trails: &[Trail]) -> Option<String> {
    let told: Vec<String> = trails
        .iter()
        .map(|trail| format!("{} ({})", trail.name, trail.home))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
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
                    let finding = finding
                        .because("CloudTrail could not use the key of the log objects")
                        .console("KMS > Customer managed keys > the key > Key policy");
                    let Some(key) = &trail.key else {
                        return finding;
                    };
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
                        .console(format!(
                            "CloudTrail > Trails > {} > General details > Edit > Storage location",
                            trail.name
                        ));
                }
                finding
                    .because(format!("CloudTrail could not write to bucket {bucket}"))
                    .console(format!("S3 > {bucket} > Permissions > Bucket policy"))
                    .cli(format!("aws s3api get-bucket-policy --bucket {bucket}"))
            },
        )
    })
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// CloudTrail delivers every five minutes or so.
const FIRST_DELIVERY: Duration = Duration::from_secs(1_800);

/// The verdict on how the last delivery to one place went. `explain` says what is behind an error.
pub(super) fn delivered(
    survey: &Survey,
    hangs: &str,
    place: impl FnOnce(&Status) -> &Delivery,
    explain: impl FnOnce(Finding, &str) -> Finding,
) -> Verdict {
    let status = match &survey.status {
        None => return hangs_on(hangs),
        Some(Err(error)) => return Verdict::Unknown(error.clone()),
        Some(Ok(status)) if !status.logging => return hangs_on("trail.logging"),
        Some(Ok(status)) => status,
    };
    let delivery = place(status);
    let age = |time: SystemTime| survey.now.duration_since(time).unwrap_or_default();
    if let Some(error) = &delivery.error {
        let last = match delivery.at {
            Some(at) => format!("; the last success was {}", written(at)),
            None => "; nothing was ever delivered".into(),
        };
        let finding = Finding::new(
            format!("the last error was {error}{last}"),
            "no delivery error",
        );
        let finding = explain(finding, error);
        // AWS does not say when the error was. What was delivered lately may have come after it.
        return match delivery.at {
            Some(at) if age(at) < HOUR => Verdict::Warn(finding.settles()),
            _ => Verdict::Fail(finding),
        };
    }
    let Some(at) = delivery.at else {
        let finding = Finding::new("nothing was delivered yet", "a delivery");
        return match status.started {
            Some(started) if age(started) >= FIRST_DELIVERY => Verdict::Fail(
                finding
                    .because(format!("the trail was started {}, and the first delivery takes minutes", written(started)))
                    .advice("wait 15 minutes and look again; then ask AWS Support"),
            ),
            _ => Verdict::Warn(
                finding
                    .because("the trail was started less than half an hour ago; the first delivery takes some minutes")
                    .advice(format!(
                        "wait for it: {}",
                        survey.own_command("preflight --wait 15m")
                    ))
                    .settles(),
            ),
        };
    };
    let finding = || {
        Finding::new(
            format!("the last delivery was {}", written(at)),
            "a delivery within the last hour",
        )
        .because("an organization makes events all the time; something keeps them from arriving")
        .console(
            "CloudTrail > Trails > the trail > General details, which tells of delivery errors",
        )
    };
    match age(at) {
        age if age < HOUR => Verdict::Pass(format!("the last one was {}", written(at))),
        age if age < DAY => Verdict::Warn(finding().settles()),
        _ => Verdict::Fail(finding()),
    }
}

fn coverage(survey: &Survey, judge: impl FnOnce(&Trail, Coverage) -> Verdict) -> Verdict {
    on_trail(survey, |trail| match &survey.selectors {
        None => hangs_on("trail.found"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(list)) => judge(trail, Coverage::of(&list.selectors)),
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
        Verdict::Fail(complete(
            survey, trail, Finding::new(observed, "read and write management events")
                .because("Heeler needs all management events (the trail's data event selectors can stay)")
                .console(format!("CloudTrail > Trails > {} > Management events > Edit > Read, Write", trail.name))
        ))
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
        Verdict::Fail(complete(
            survey, trail, Finding::new(format!("excluded: {}", sources.join(", ")), "no source excluded")
                .because("Heeler would not see, for instance, the deletion of a key or a change of its policy")
                .console(format!(
                    "CloudTrail > Trails > {} > Management events > Edit > clear Exclude AWS KMS events and Exclude Amazon RDS Data API events",
                    trail.name
                ))
        ))
    })
}

/// With the command that completes the list of selectors and keeps those of data and network events: it replaces
/// the whole list, so it has to hold them.
fn complete(survey: &Survey, trail: &Trail, finding: Finding) -> Finding {
    let Some(Ok(list)) = &survey.selectors else {
        return finding;
    };
    match completed(&list.raw) {
        Some((option, list)) => finding.cli(format!(
            "aws cloudtrail put-event-selectors --region {} --trail-name {} {option} {}",
            trail.home,
            quoted(&trail.name),
            quoted(&Value::from(list).to_string())
        )),
        None => finding
            .advice("a trail has at most five selectors: turn them into advanced event selectors"),
    }
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
