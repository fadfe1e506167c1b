//! Checks of the bucket that the trail delivers to: whose it is, how its objects are kept, who is told of new ones.

mod encryption;
mod notifications;
mod policy;
mod topic;

use std::time::{Duration, SystemTime};

use super::{Check, Finding, Requirement, Verdict, format_time, shell_quote, skipped_because};
use crate::aws::arn::resource_name;
use crate::inventory::Snapshot;
use crate::inventory::facts::{BucketFacts, BucketOwner, LifecycleRule, LifecycleTiming};

pub const CHECKS: &[Check] = &[
    Check {
        id: "bucket.named",
        description: "the bucket is the one that the trail delivers to",
        requirement: Requirement::Hard,
        permissions: &["cloudtrail:DescribeTrails"],
        evaluate: matches_trail,
    },
    Check {
        id: "bucket.owner",
        description: "the bucket belongs to this account",
        requirement: Requirement::Hard,
        permissions: &["s3:ListBucket", "s3:ListAllMyBuckets"],
        evaluate: owner,
    },
    Check {
        id: "bucket.region",
        description: "the bucket's region is known",
        requirement: Requirement::Hard,
        permissions: &["s3:ListBucket"],
        evaluate: region,
    },
    Check {
        id: "bucket.evidence",
        description: "fresh log objects are in the bucket",
        requirement: Requirement::Advisory,
        permissions: &["s3:ListBucket"],
        evaluate: recent_objects,
    },
    Check {
        id: "bucket.encryption",
        description: "it is known what the log objects are encrypted with",
        requirement: Requirement::Required,
        permissions: &["s3:GetEncryptionConfiguration", "s3:GetObject"],
        evaluate: encryption::encryption,
    },
    Check {
        id: "bucket.notifications",
        description: "new log objects can be announced to Heeler's topic",
        requirement: Requirement::Hard,
        permissions: &["s3:GetBucketNotification"],
        evaluate: notifications::notifications,
    },
    Check {
        id: "bucket.topic",
        description: "the existing topic can be used",
        requirement: Requirement::Hard,
        permissions: &[
            "sns:GetTopicAttributes",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
        ],
        evaluate: topic::topic,
    },
    Check {
        id: "bucket.policy",
        description: "the bucket's policy lets Heeler read",
        requirement: Requirement::Advisory,
        permissions: &["s3:GetBucketPolicy"],
        evaluate: policy::policy,
    },
    Check {
        id: "bucket.ownership",
        description: "the log objects belong to the bucket's owner",
        requirement: Requirement::Advisory,
        permissions: &["s3:GetBucketOwnershipControls"],
        evaluate: object_ownership,
    },
    Check {
        id: "bucket.lifecycle",
        description: "log objects stay long enough to be read",
        requirement: Requirement::Advisory,
        permissions: &["s3:GetLifecycleConfiguration"],
        evaluate: lifecycle,
    },
    Check {
        id: "bucket.requester_pays",
        description: "Heeler can read without paying",
        requirement: Requirement::Required,
        permissions: &["s3:GetBucketRequestPayment"],
        evaluate: requester_pays,
    },
];

const DAY: Duration = Duration::from_secs(86_400);

fn matches_trail(survey: &Snapshot) -> Verdict {
    let (Some(trail), Some(bucket)) = (survey.trail(), &survey.bucket) else {
        return skipped_because("trail.found");
    };
    if is_access_point(&bucket.name) {
        return Verdict::Fail(
            Finding::new(
                format!("{} is the alias of an access point", bucket.name),
                "the bucket behind it",
            )
            .because("notifications are of a bucket, and so is the permission that Heeler gets")
            .console(storage_location_path(survey))
            .cli(change_bucket_command(survey)),
        );
    }
    if trail.bucket == bucket.name {
        return Verdict::Pass(bucket.name.clone());
    }
    Verdict::Fail(
        Finding::new(
            format!("trail {} delivers to {}", trail.name, trail.bucket),
            format!("bucket {}", bucket.name),
        )
        .because("a bucket that gets no log objects announces none")
        .advice("leave --bucket out: it is read from the trail"),
    )
}

/// The names that S3 gives to access points, to be used in place of a bucket's.
fn is_access_point(name: &str) -> bool {
    name.ends_with("-s3alias") || name.ends_with("--ol-s3")
}

/// Where the console lets the trail deliver to another bucket.
pub(super) fn storage_location_path(survey: &Snapshot) -> String {
    format!(
        "CloudTrail > Trails > {} > General details > Edit > Storage location",
        survey.trail_name()
    )
}

/// The same as a command. Which bucket it is to be, nobody here can know.
pub(super) fn change_bucket_command(survey: &Snapshot) -> String {
    format!(
        "aws cloudtrail update-trail --region {} --name {} --s3-bucket-name BUCKET",
        survey.trail().map_or("REGION", |trail| &trail.home_region),
        shell_quote(survey.trail_name())
    )
}

fn owner(survey: &Snapshot) -> Verdict {
    let Some(bucket) = &survey.bucket else {
        return skipped_because("trail.found");
    };
    let is_the_trails = survey
        .trail()
        .is_none_or(|trail| trail.bucket == bucket.name);
    if !is_the_trails && !matches!(bucket.owner, Ok(BucketOwner::ThisAccount { .. })) {
        return skipped_because("bucket.named");
    }
    match &bucket.owner {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(BucketOwner::ThisAccount { region }) => Verdict::Pass(format!("{} in {region}", bucket.name)),
        Ok(BucketOwner::OtherAccount { .. }) => Verdict::Fail(
            Finding::new(
                format!("bucket {} belongs to another account", bucket.name),
                "a bucket of the management account",
            )
            .because("option s3 needs the log bucket in the management account (Heeler's prerequisite); \
                      with a bucket in a log archive account, use option cloudwatch or a second organization trail")
            .console("CloudTrail > Trails > Create trail, with a bucket of this account")
            .cli("aws cloudtrail create-trail --name organization-trail-here --s3-bucket-name BUCKET --is-organization-trail --is-multi-region-trail --include-global-service-events"),
        ),
        Ok(BucketOwner::Missing) if survey.trail().is_none() => Verdict::Fail(
            Finding::new(format!("bucket {} does not exist", bucket.name), "the bucket named by --bucket")
                .because("there is no trail, either, that would tell of another")
                .cli("aws s3api list-buckets"),
        ),
        Ok(BucketOwner::Missing) => Verdict::Fail(
            Finding::new(format!("bucket {} does not exist", bucket.name), "the trail's bucket")
                .because("the trail delivers to a bucket that was deleted")
                .console(storage_location_path(survey))
                .cli(change_bucket_command(survey)),
        ),
    }
}

fn region(survey: &Snapshot) -> Verdict {
    with_own_bucket(survey, |_| {
        let (region, home) = (
            survey.region().unwrap_or_default(),
            survey.trail().map(|trail| &trail.home_region),
        );
        Verdict::Pass(match home {
            Some(home) if home != region => {
                format!(
                    "{region}: queue, topic and key are made there; the trail's own region {home} does not matter"
                )
            }
            _ => format!("{region}: queue, topic and key are made there"),
        })
    })
}

/// The bucket, once it is known to be here.
fn with_own_bucket(survey: &Snapshot, judge: impl FnOnce(&BucketFacts) -> Verdict) -> Verdict {
    match &survey.bucket {
        Some(bucket) if matches!(bucket.owner, Ok(BucketOwner::ThisAccount { .. })) => {
            judge(bucket)
        }
        _ => skipped_because("bucket.owner"),
    }
}

fn recent_objects(survey: &Snapshot) -> Verdict {
    with_own_bucket(survey, |bucket| {
        match &bucket.newest_log_object {
        None => skipped_because("bucket.owner"),
        // What was listed could not be looked at: that is the encryption's concern.
        Some(Err(error)) if error.required_permission() == Some("s3:GetObject") => {
            Verdict::Pass("there are log objects of today or yesterday".into())
        }
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(Some(object))) => Verdict::Pass(match object.last_modified {
            Some(at) => format!("{}, of {}", resource_name(&object.key), format_time(at)),
            None => resource_name(&object.key).to_owned(),
        }),
        Some(Ok(None)) if survey.is_delivering() => Verdict::Warn(
            Finding::new(
                format!("no log object of today or yesterday under {}", survey.log_prefix()),
                "log objects of the trail's own region",
            )
            .because("the trail says that it delivers; either to another place, or a rule of the bucket removes them")
            .console(format!("S3 > {} > {}", bucket.name, survey.log_prefix()))
            .cli(format!(
                "aws s3api list-objects-v2 --bucket {} --prefix {} --max-items 10",
                bucket.name,
                shell_quote(&survey.log_prefix())
            ))
            .retryable(),
        ),
        Some(Ok(None)) => skipped_because("trail.delivery"),
    }
    })
}

fn object_ownership(survey: &Snapshot) -> Verdict {
    with_own_bucket(survey, |bucket| {
        let found = match &bucket.object_ownership {
            None => return skipped_because("bucket.owner"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(found)) => found.as_deref(),
        };
        match found {
            Some(rule @ ("BucketOwnerEnforced" | "BucketOwnerPreferred")) => Verdict::Pass(rule.to_owned()),
            other => Verdict::Warn(
                Finding::new(
                    format!("object ownership is {}", other.unwrap_or("not set, which means ObjectWriter")),
                    "BucketOwnerEnforced",
                )
                .because("log objects belong to whoever wrote them, and are readable only by the ACL that CloudTrail sets")
                .console(format!("S3 > {} > Permissions > Object Ownership > Edit > ACLs disabled", bucket.name))
                .cli(format!(
                    "aws s3api put-bucket-ownership-controls --bucket {} --ownership-controls 'Rules=[{{ObjectOwnership=BucketOwnerEnforced}}]'",
                    bucket.name
                )),
            ),
        }
    })
}

fn lifecycle(survey: &Snapshot) -> Verdict {
    with_own_bucket(survey, |bucket| {
        let rules = match &bucket.lifecycle {
            None => return skipped_because("bucket.owner"),
            Some(Err(error)) => return Verdict::Unknown(error.clone()),
            Some(Ok(rules)) => rules,
        };
        let logs = survey.log_prefix();
        let harmful: Vec<String> = rules
            .iter()
            .filter(|rule| rule.prefix.starts_with(&logs) || logs.starts_with(&rule.prefix))
            .filter_map(|rule| lifecycle_problem(rule, survey.now))
            .collect();
        if harmful.is_empty() {
            return Verdict::Pass(match rules.len() {
                0 => "no rule".into(),
                1 => "1 rule, which leaves time enough".into(),
                many => format!("{many} rules, which leave time enough"),
            });
        }
        Verdict::Warn(
            Finding::new(harmful.join("; "), "log objects that can be read for more than a day")
                .because("Heeler reads them minutes after they arrive, and up to hours later when it catches up")
                .console(format!("S3 > {} > Management > Lifecycle rules", bucket.name))
                .cli(format!("aws s3api get-bucket-lifecycle-configuration --bucket {}", bucket.name)),
        )
    })
}

/// What a rule does too early, if it does. A date that has come holds for all objects that come after it, too.
fn lifecycle_problem(rule: &LifecycleRule, now: SystemTime) -> Option<String> {
    let soon = |due: LifecycleTiming, days| match due {
        LifecycleTiming::AfterDays(after) => after <= days,
        LifecycleTiming::OnDate(date) => date < now + DAY,
    };
    let when = |due: LifecycleTiming, in_days: &str| match due {
        LifecycleTiming::AfterDays(_) => in_days.to_owned(),
        LifecycleTiming::OnDate(date) => format!("from {} on", format_time(date)),
    };
    let frozen = rule
        .transitions
        .iter()
        .find(|(class, due)| matches!(class.as_str(), "GLACIER" | "DEEP_ARCHIVE") && soon(*due, 0));
    let name = if rule.id.is_empty() {
        "without a name"
    } else {
        &rule.id
    };
    if let Some((class, due)) = frozen {
        let when = when(*due, "at once");
        return Some(format!("rule {name} moves objects to {class} {when}"));
    }
    let due = rule.expires.filter(|due| soon(*due, 1))?;
    Some(format!(
        "rule {name} deletes objects {}",
        when(due, "after a day")
    ))
}

fn requester_pays(survey: &Snapshot) -> Verdict {
    with_own_bucket(survey, |bucket| {
        match &bucket.requester_pays {
        None => skipped_because("bucket.owner"),
        Some(Err(error)) => Verdict::Unknown(error.clone()),
        Some(Ok(false)) => Verdict::Pass("the bucket's owner pays".into()),
        Some(Ok(true)) => Verdict::Fail(
            Finding::new("the requester pays", "the bucket's owner pays")
                .because("S3 refuses whoever does not say in each request that he will pay, and Heeler does not")
                .console(format!("S3 > {} > Properties > Requester pays > Edit > Disable", bucket.name))
                .cli(format!(
                    "aws s3api put-bucket-request-payment --bucket {} --request-payment-configuration Payer=BucketOwner",
                    bucket.name
                )),
        ),
    }
    })
}
