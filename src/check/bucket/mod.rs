//! Checks of the bucket that the trail delivers to.

mod destinations;
mod encryption;
mod notifications;
mod policy;
mod topic;

use std::time::{Duration, SystemTime};

use super::account::is_member_account;
use super::control_tower;
use super::{
    Check, CheckId, Finding, Requirement, Verdict, format_time, shell_quote, skipped_because,
};
use crate::aws::arn::resource_name;
use crate::inventory::facts::{
    BucketFacts, BucketOwner, LifecycleRule, LifecycleTiming, MemberObjects,
};
use crate::inventory::{Fact, Snapshot};

pub const CHECKS: &[Check] = &[
    MATCHES_TRAIL,
    OWNER,
    REGION,
    RECENT_OBJECTS,
    MEMBER_OBJECTS,
    ENCRYPTION,
    NOTIFICATIONS,
    DESTINATIONS,
    TOPIC,
    DELIVERY,
    POLICY,
    OWNERSHIP,
    LIFECYCLE,
    REQUESTER_PAYS,
];

/// Checks of a bucket whose objects need not be those of a trail.
pub const ANY_BUCKET_CHECKS: &[Check] = &[
    OWNER,
    REGION,
    ENCRYPTION,
    NOTIFICATIONS,
    DESTINATIONS,
    POLICY,
    OWNERSHIP,
    LIFECYCLE,
    REQUESTER_PAYS,
];

const MATCHES_TRAIL: Check = Check {
    id: CheckId::BucketMatchesTrail,
    description: "the bucket is the trail's bucket",
    requirement: Requirement::BLOCKING,
    permissions: &["cloudtrail:DescribeTrails"],
    evaluate: matches_trail,
};
const OWNER: Check = Check {
    id: CheckId::BucketOwner,
    description: "the bucket belongs to the account of the resources",
    requirement: Requirement::BLOCKING,
    permissions: &["s3:ListBucket", "s3:ListAllMyBuckets"],
    evaluate: owner,
};
const REGION: Check = Check {
    id: CheckId::BucketRegion,
    description: "the bucket's region is known",
    requirement: Requirement::BLOCKING,
    permissions: &["s3:ListBucket"],
    evaluate: region,
};
const RECENT_OBJECTS: Check = Check {
    id: CheckId::BucketRecentObjects,
    description: "the bucket has recent log objects",
    requirement: Requirement::ADVISORY,
    permissions: &["s3:ListBucket"],
    evaluate: recent_objects,
};
const MEMBER_OBJECTS: Check = Check {
    id: CheckId::BucketMemberObjects,
    description: "the bucket has log objects of member accounts",
    requirement: Requirement::ADVISORY,
    permissions: &["organizations:ListAccounts", "s3:ListBucket"],
    evaluate: member_objects,
};
const ENCRYPTION: Check = Check {
    id: CheckId::BucketEncryption,
    description: "the encryption of the log objects is known",
    requirement: Requirement::REQUIRED,
    permissions: &["s3:GetEncryptionConfiguration", "s3:GetObject"],
    evaluate: encryption::encryption,
};
const NOTIFICATIONS: Check = Check {
    id: CheckId::BucketNotifications,
    description: "the bucket can send notifications for new log objects",
    requirement: Requirement::BLOCKING,
    permissions: &["s3:GetBucketNotification"],
    evaluate: notifications::notifications,
};
const DESTINATIONS: Check = Check {
    id: CheckId::BucketDestinations,
    description: "the destinations of other notifications exist",
    requirement: Requirement::ADVISORY,
    permissions: &[
        "sns:GetTopicAttributes",
        "sqs:GetQueueUrl",
        "lambda:GetFunctionConcurrency",
    ],
    evaluate: destinations::destinations,
};
const TOPIC: Check = Check {
    id: CheckId::BucketTopic,
    description: "the existing topic is usable",
    requirement: Requirement::BLOCKING,
    permissions: &[
        "sns:GetTopicAttributes",
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
    ],
    evaluate: topic::topic,
};
const DELIVERY: Check = Check {
    id: CheckId::BucketDelivery,
    description: "the bucket policy allows CloudTrail to deliver for every account",
    requirement: Requirement::ADVISORY,
    permissions: &["s3:GetBucketPolicy"],
    evaluate: policy::delivery,
};
const POLICY: Check = Check {
    id: CheckId::BucketPolicy,
    description: "the bucket policy allows the role to read",
    requirement: Requirement::ADVISORY,
    permissions: &["s3:GetBucketPolicy"],
    evaluate: policy::policy,
};
const OWNERSHIP: Check = Check {
    id: CheckId::BucketOwnership,
    description: "the bucket owner owns the log objects",
    requirement: Requirement::ADVISORY,
    permissions: &["s3:GetBucketOwnershipControls"],
    evaluate: object_ownership,
};
const LIFECYCLE: Check = Check {
    id: CheckId::BucketLifecycle,
    description: "lifecycle rules keep log objects for at least a day",
    requirement: Requirement::ADVISORY,
    permissions: &["s3:GetLifecycleConfiguration"],
    evaluate: lifecycle,
};
const REQUESTER_PAYS: Check = Check {
    id: CheckId::BucketRequesterPays,
    description: "Requester Pays is disabled",
    requirement: Requirement::REQUIRED,
    permissions: &["s3:GetBucketRequestPayment"],
    evaluate: requester_pays,
};

const DAY: Duration = Duration::from_secs(86_400);

fn matches_trail(snapshot: &Snapshot) -> Verdict {
    let (Some(trail), Some(bucket)) = (snapshot.trail(), &snapshot.bucket) else {
        return skipped_because(CheckId::TrailFound);
    };
    if is_access_point(&bucket.name) {
        return Verdict::Fail(
            Finding::new(
                format!("{} is the alias of an access point", bucket.name),
                "the bucket of the access point",
            )
            .because("notifications and the role's permissions need the bucket itself")
            .console(storage_location_path(snapshot))
            .cli(change_bucket_command(snapshot)),
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
        .because("this bucket receives no log objects, so it sends no notifications")
        .advice("remove --bucket: the bucket is read from the trail"),
    )
}

/// Returns true if the name is an access point alias, which S3 accepts in place of a bucket name.
fn is_access_point(name: &str) -> bool {
    name.ends_with("-s3alias") || name.ends_with("--ol-s3")
}

/// Returns the console path for changing the trail's bucket.
pub(super) fn storage_location_path(snapshot: &Snapshot) -> String {
    format!(
        "CloudTrail > Trails > {} > General details > Edit > Storage location",
        snapshot.trail_name()
    )
}

/// Returns the command for changing the trail's bucket, with a placeholder for the new one.
pub(super) fn change_bucket_command(snapshot: &Snapshot) -> String {
    format!(
        "aws cloudtrail update-trail --region {} --name {} --s3-bucket-name BUCKET",
        snapshot
            .trail()
            .map_or("REGION", |trail| &trail.home_region),
        shell_quote(snapshot.trail_name())
    )
}

fn owner(snapshot: &Snapshot) -> Verdict {
    let Some(bucket) = &snapshot.bucket else {
        return skipped_because(CheckId::TrailFound);
    };
    let is_the_trails = snapshot
        .trail()
        .is_none_or(|trail| trail.bucket == bucket.name);
    if !is_the_trails && !matches!(bucket.owner, Ok(BucketOwner::ThisAccount { .. })) {
        return skipped_because(CheckId::BucketMatchesTrail);
    }
    match &bucket.owner {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(BucketOwner::ThisAccount { region }) => Verdict::Pass(
            match (&snapshot.account.management, snapshot.account_id()) {
                (Some(_), Some(account)) => {
                    format!("{} in {region}, account {account}", bucket.name)
                }
                _ => format!("{} in {region}", bucket.name),
            },
        ),
        Ok(BucketOwner::OtherAccount { .. }) if snapshot.request.bucket_events.is_some() => {
            Verdict::Fail(
                Finding::new(
                    format!("bucket {} belongs to another account", bucket.name),
                    "a bucket of this account",
                )
                .because("only the owner of a bucket can change its notifications")
                .advice("use credentials of the account that owns the bucket (--profile)"),
            )
        }
        // In a member account, the bucket may well be the management account's. A second trail would cost for each event.
        Ok(BucketOwner::OtherAccount { .. }) if is_member_account(snapshot) => {
            skipped_because(CheckId::OrgManagementAccount)
        }
        Ok(BucketOwner::OtherAccount { .. }) => other_owner(snapshot, &bucket.name),
        Ok(BucketOwner::Missing) if snapshot.trail().is_none() => Verdict::Fail(
            Finding::new(
                format!("bucket {} does not exist", bucket.name),
                "the bucket given with --bucket",
            )
            .because("there is no trail that identifies another bucket")
            .cli("aws s3api list-buckets"),
        ),
        Ok(BucketOwner::Missing) => Verdict::Fail(
            Finding::new(
                format!("bucket {} does not exist", bucket.name),
                "the trail's bucket",
            )
            .because("the trail delivers to a bucket that was deleted")
            .console(storage_location_path(snapshot))
            .cli(change_bucket_command(snapshot)),
        ),
    }
}

/// Describes the credentials that a bucket of another account needs.
fn other_owner(snapshot: &Snapshot, bucket: &str) -> Verdict {
    let owner = control_tower::log_archive_account(bucket);
    let observed = match (snapshot.account_id(), owner) {
        (Some(account), _) if snapshot.account.management.is_some() => {
            format!("bucket {bucket} does not belong to {account}")
        }
        (_, Some(owner)) => format!("bucket {bucket} belongs to another account, {owner}"),
        _ => format!("bucket {bucket} belongs to another account"),
    };
    let finding = Finding::new(observed, "credentials for the account of the bucket")
        .because("setup creates the topic, the queue and the role in the account of the bucket");
    let option = snapshot.option;
    let profile = format!("PROFILE_OF_{}", owner.unwrap_or("THE_BUCKET_ACCOUNT"));
    let with_profile = snapshot.heeler_ec_command(&format!(
        "preflight --option {} --bucket-profile {profile}",
        option.name
    ));
    let alternative = option
        .alternative
        .map(|name| snapshot.heeler_ec_command(&format!("preflight --option {name}")));
    Verdict::Fail(match alternative {
        // The log group of Control Tower is in the management account, where no control policy applies.
        Some(alternative) if owner.is_some() => finding
            .advice("prefer the log group, which Control Tower keeps in the management account; or use the bucket's account")
            .cli(alternative)
            .cli(with_profile),
        _ => finding
            .advice("--bucket-profile or --bucket-role selects that account; --profile stays with the management account")
            .cli(with_profile),
    })
}

fn region(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |_| {
        let (region, home) = (
            snapshot.region().unwrap_or_default(),
            snapshot.trail().map(|trail| &trail.home_region),
        );
        Verdict::Pass(match home {
            Some(home) if home != region => {
                format!(
                    "{region}: setup creates all resources there; the trail's home region {home} does not matter"
                )
            }
            _ => format!("{region}: setup creates all resources there"),
        })
    })
}

/// Evaluates the bucket if it belongs to this account.
fn with_own_bucket(snapshot: &Snapshot, evaluate: impl FnOnce(&BucketFacts) -> Verdict) -> Verdict {
    match &snapshot.bucket {
        Some(bucket) if matches!(bucket.owner, Ok(BucketOwner::ThisAccount { .. })) => {
            evaluate(bucket)
        }
        _ => skipped_because(CheckId::BucketOwner),
    }
}

fn recent_objects(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        match &bucket.newest_log_object {
        Fact::NotRequested => skipped_because(CheckId::BucketOwner),
        // The object was listed, but its encryption could not be read. `bucket.encryption` reports that.
        Fact::Failed(error) if error.required_permission() == Some("s3:GetObject") => {
            Verdict::Pass("the bucket has log objects from today or yesterday".into())
        }
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(object) => Verdict::Pass(match object.last_modified {
            Some(at) => format!("{} from {}", resource_name(&object.key), format_time(at)),
            None => resource_name(&object.key).to_owned(),
        }),
        Fact::Absent if snapshot.is_delivering() => Verdict::Warn(
            Finding::new(
                format!("no log objects from today or yesterday under {}", snapshot.log_prefix()),
                "log objects of the trail's home region",
            )
            .because("the trail reports deliveries, so it delivers elsewhere or a lifecycle rule deletes the objects")
            .console(format!("S3 > {} > {}", bucket.name, snapshot.log_prefix()))
            .cli(format!(
                "aws s3api list-objects-v2 --bucket {} --prefix {} --max-items 10",
                bucket.name,
                shell_quote(&snapshot.log_prefix())
            ))
            .retryable(),
        ),
        Fact::Absent => skipped_because(CheckId::TrailDelivery),
    }
    })
}

fn member_objects(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        match &bucket.member_objects {
        Fact::NotRequested | Fact::Absent => skipped_because(CheckId::TrailOrganization),
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(MemberObjects::Found) => {
            Verdict::Pass("member accounts have log objects".into())
        }
        Fact::Present(MemberObjects::NoOtherAccount) => {
            Verdict::Pass("the organization has no other active account".into())
        }
        Fact::Present(MemberObjects::Missing) if snapshot.is_delivering() => Verdict::Warn(
            Finding::new(
                format!("no log objects of other accounts under {}", snapshot.log_prefix()),
                "log objects of member accounts",
            )
            .because(
                "Heeler receives no events of member accounts; CloudTrail does not deliver for them if the bucket policy \
                 lacks the prefix of the organization",
            )
            .console(format!("S3 > {} > {}", bucket.name, snapshot.log_prefix()))
            .cli(format!(
                "aws s3api list-objects-v2 --bucket {} --prefix {} --delimiter / --query CommonPrefixes",
                bucket.name,
                shell_quote(&snapshot.log_prefix())
            ))
            .retryable(),
        ),
        Fact::Present(MemberObjects::Missing) => skipped_because(CheckId::TrailDelivery),
    }
    })
}

fn object_ownership(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        let found = match &bucket.object_ownership {
            Fact::NotRequested => return skipped_because(CheckId::BucketOwner),
            Fact::Failed(error) => return Verdict::Unknown(error.clone()),
            Fact::Absent => None,
            Fact::Present(setting) => Some(setting.as_str()),
        };
        match found {
            Some(rule @ ("BucketOwnerEnforced" | "BucketOwnerPreferred")) => Verdict::Pass(rule.to_owned()),
            other => Verdict::Warn(
                Finding::new(
                    format!("object ownership is {}", other.unwrap_or("not set (ObjectWriter)")),
                    "BucketOwnerEnforced",
                )
                .because("CloudTrail owns the log objects, and only the ACL that it sets makes them readable")
                .console(format!("S3 > {} > Permissions > Object Ownership > Edit > ACLs disabled", bucket.name))
                .cli(format!(
                    "aws s3api put-bucket-ownership-controls --bucket {} --ownership-controls 'Rules=[{{ObjectOwnership=BucketOwnerEnforced}}]'",
                    bucket.name
                )),
            ),
        }
    })
}

fn lifecycle(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        let rules = match &bucket.lifecycle {
            Fact::NotRequested | Fact::Absent => return skipped_because(CheckId::BucketOwner),
            Fact::Failed(error) => return Verdict::Unknown(error.clone()),
            Fact::Present(rules) => rules,
        };
        let logs = snapshot.log_prefix();
        let harmful: Vec<String> = rules
            .iter()
            .filter(|rule| rule.prefix.starts_with(&logs) || logs.starts_with(&rule.prefix))
            .filter_map(|rule| lifecycle_problem(rule, snapshot.now))
            .collect();
        if harmful.is_empty() {
            return Verdict::Pass(match rules.len() {
                0 => "no lifecycle rules".into(),
                1 => "1 lifecycle rule keeps them long enough".into(),
                many => format!("{many} lifecycle rules keep them long enough"),
            });
        }
        Verdict::Warn(
            Finding::new(
                harmful.join("; "),
                "log objects that stay readable for more than a day",
            )
            .because("log objects are usually read within minutes, but a backlog can take hours")
            .console(format!(
                "S3 > {} > Management > Lifecycle rules",
                bucket.name
            ))
            .cli(format!(
                "aws s3api get-bucket-lifecycle-configuration --bucket {}",
                bucket.name
            )),
        )
    })
}

/// Describes what a rule does too early. S3 applies a rule with a past date to all later objects, too.
fn lifecycle_problem(rule: &LifecycleRule, now: SystemTime) -> Option<String> {
    let soon = |due: LifecycleTiming, days| match due {
        LifecycleTiming::AfterDays(after) => after <= days,
        LifecycleTiming::OnDate(date) => date < now + DAY,
    };
    let when = |due: LifecycleTiming, in_days: &str| match due {
        LifecycleTiming::AfterDays(_) => in_days.to_owned(),
        LifecycleTiming::OnDate(date) => format!("from {}", format_time(date)),
    };
    let frozen = rule
        .transitions
        .iter()
        .find(|(class, due)| matches!(class.as_str(), "GLACIER" | "DEEP_ARCHIVE") && soon(*due, 0));
    let name = if rule.id.is_empty() {
        "(unnamed)"
    } else {
        &rule.id
    };
    if let Some((class, due)) = frozen {
        let when = when(*due, "immediately");
        return Some(format!("rule {name} moves objects to {class} {when}"));
    }
    let due = rule.expires.filter(|due| soon(*due, 1))?;
    Some(format!(
        "rule {name} deletes objects {}",
        when(due, "after one day")
    ))
}

fn requester_pays(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        match &bucket.requester_pays {
        Fact::NotRequested | Fact::Absent => skipped_because(CheckId::BucketOwner),
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(false) => Verdict::Pass("the bucket owner pays".into()),
        Fact::Present(true) => Verdict::Fail(
            Finding::new("Requester Pays is enabled", "the bucket owner pays")
                .because(format!(
                    "S3 rejects requests that do not agree to pay, and those of {} do not",
                    snapshot.vendor()
                ))
                .console(format!("S3 > {} > Properties > Requester pays > Edit > Disable", bucket.name))
                .cli(format!(
                    "aws s3api put-bucket-request-payment --bucket {} --request-payment-configuration Payer=BucketOwner",
                    bucket.name
                )),
        ),
    }
    })
}
