//! A working organization, as the survey would find it.

use std::time::{Duration, SystemTime};

use heeler_ec::aws::CallerIdentity;
use heeler_ec::check::event_selectors::EventSelector;
use heeler_ec::inventory::facts::{
    AccountFacts, BucketFacts, BucketOwner, Encryption, EventSelectors, KeyFacts, KmsKeyDetails,
    LambdaConcurrency, LogGroupFacts, LogGroupSettings, LogObject, LogStreamPresence, NameOwners,
    Organization, Trail, TrailSelection, TrailStatus,
};
use heeler_ec::inventory::facts::{DeliveryStatus, NameOwner};
use heeler_ec::inventory::trail_destination::TrailDestination;
use heeler_ec::inventory::{InventoryRequest, Snapshot};
use heeler_ec::naming::ResourceNames;

pub const PAYER: &str = "111122223333";
pub const MEMBER: &str = "444455556666";
pub const BUCKET: &str = "org-trail-logs";
pub const TRAIL_ARN: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail";
pub const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/aaaa-bbbb";
pub const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/cccc-dddd";
pub const GROUP: &str = "aws-cloudtrail-logs";

/// Noon of a day on which nothing happens.
pub fn now() -> SystemTime {
    humantime::parse_rfc3339("2026-03-02T12:00:00Z").expect("a time")
}

pub fn minutes_ago(minutes: u64) -> SystemTime {
    now() - Duration::from_secs(minutes * 60)
}

pub fn trail() -> Trail {
    Trail {
        name: "org-trail".into(),
        arn: TRAIL_ARN.into(),
        home_region: "us-east-1".into(),
        is_organization: true,
        is_multi_region: true,
        includes_global_events: true,
        log_file_validation: true,
        bucket: BUCKET.into(),
        prefix: String::new(),
        kms_key: None,
        sns_topic: None,
        log_group: Some(format!("arn:aws:logs:us-east-1:{PAYER}:log-group:{GROUP}")),
        log_group_role: Some(format!("arn:aws:iam::{PAYER}:role/CloudTrailLogs")),
    }
}

/// A customer managed key of the payer, under this name.
pub fn key(asked: &str) -> KeyFacts {
    KeyFacts {
        identifier: asked.into(),
        key: Ok(Some(KmsKeyDetails {
            arn: asked.into(),
            account: PAYER.into(),
            state: "Enabled".into(),
            description: String::new(),
            customer_managed: true,
            deletion_date: None,
            key_material_expires: None,
        })),
        policy: Some(Ok(format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{PAYER}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
        ))),
        grants: Some(Ok(Vec::new())),
    }
}

pub fn log_object(encryption: Encryption) -> LogObject {
    LogObject {
        key: format!("AWSLogs/o-example/{PAYER}/CloudTrail/us-east-1/2026/03/02/x.json.gz"),
        last_modified: Some(minutes_ago(4)),
        encryption,
    }
}

/// Something of this name that belongs to nobody whom its tags would tell.
pub fn unmanaged_owner(name: &str) -> NameOwner {
    NameOwner {
        name: name.into(),
        ..NameOwner::default()
    }
}

/// Something of ours.
pub fn managed_owner(name: &str, option: &str) -> NameOwner {
    NameOwner {
        name: name.into(),
        managed: true,
        option: Some(option.into()),
        ..NameOwner::default()
    }
}

/// An organization with a trail of all events, a bucket with SSE-S3 and a log group; nothing is set up yet.
pub fn ready(route: TrailDestination) -> Snapshot {
    let fresh = DeliveryStatus {
        error: None,
        at: Some(minutes_ago(3)),
    };
    Snapshot {
        route,
        request: InventoryRequest {
            adopt: false,
            expected_account: None,
            expected_region: None,
            trail: None,
            bucket: None,
            bucket_key: None,
            topic: None,
            log_group: None,
            heeler_roles: Vec::new(),
            names: ResourceNames::new("heeler"),
            global_options: String::new(),
            accepted_checks: Vec::new(),
            deep: false,
        },
        now: now(),
        endpoint: None,
        account: AccountFacts {
            caller: Ok(CallerIdentity {
                arn: format!("arn:aws:sts::{PAYER}:assumed-role/Admin/ann"),
                account: PAYER.into(),
                partition: "aws".into(),
            }),
            organization: Ok(Some(Organization {
                id: "o-example".into(),
                management_account: PAYER.into(),
                all_features: true,
            })),
            trusted_services: Ok(vec!["cloudtrail.amazonaws.com".into()]),
            delegated_administrators: Ok(Vec::new()),
            opt_in_regions: Ok(Vec::new()),
            trails: Ok(vec![trail()]),
            trails_in_other_regions: None,
            iam_quotas: None,
        },
        trail_selection: TrailSelection::Selected(trail()),
        trail_status: Some(Ok(TrailStatus {
            logging: true,
            started: Some(minutes_ago(60 * 24 * 90)),
            stopped: None,
            to_bucket: fresh.clone(),
            to_log_group: fresh,
            notification_error: None,
        })),
        event_selectors: Some(Ok(EventSelectors {
            selectors: vec![EventSelector::Basic {
                read: true,
                write: true,
                includes_management: true,
                excluded_sources: Vec::new(),
            }],
            raw: Vec::new(),
        })),
        shadow_trails: Vec::new(),
        bucket: (route == TrailDestination::Bucket).then(bucket),
        log_group: (route == TrailDestination::LogGroup).then(log_group),
        name_owners: name_owners(route),
        iam_quotas: None,
        permission_simulation: None,
    }
}

fn bucket() -> BucketFacts {
    BucketFacts {
        name: BUCKET.into(),
        owner: Ok(BucketOwner::ThisAccount {
            region: "eu-west-1".into(),
        }),
        encryption: Some(Ok(Encryption::S3)),
        newest_log_object: Some(Ok(Some(log_object(Encryption::S3)))),
        keys: Vec::new(),
        notifications: Some(Ok(Vec::new())),
        topic: None,
        policy: Some(Ok(None)),
        object_ownership: Some(Ok(Some("BucketOwnerEnforced".into()))),
        lifecycle: Some(Ok(Vec::new())),
        requester_pays: Some(Ok(false)),
    }
}

fn log_group() -> LogGroupFacts {
    LogGroupFacts {
        name: GROUP.into(),
        account: PAYER.into(),
        region: "us-east-1".into(),
        settings: Ok(Some(LogGroupSettings {
            class: Some("STANDARD".into()),
            retention_days: Some(1),
            ..LogGroupSettings::default()
        })),
        streams: Ok(LogStreamPresence {
            member_accounts: true,
            any: true,
        }),
        subscription_filters: Ok(Vec::new()),
        account_subscription_filters: Ok(Vec::new()),
        key: None,
        concurrency: Ok(LambdaConcurrency {
            total: 1000,
            unreserved: Some(1000),
        }),
        transformer: None,
    }
}

/// All names are free.
fn name_owners(route: TrailDestination) -> NameOwners {
    let both = [
        "names.role",
        "names.policy",
        "names.queue",
        "names.dead_letter_queue",
        "names.alias",
    ];
    let own: &[&str] = match route {
        TrailDestination::Bucket => &["names.topic"],
        TrailDestination::LogGroup => &[
            "names.function",
            "names.function_role",
            "names.function_policy",
        ],
    };
    NameOwners {
        by_check: both
            .iter()
            .chain(own)
            .map(|check| (*check, Ok(None)))
            .collect(),
    }
}
