//! The facts of a working organization.

use std::time::{Duration, SystemTime};

use heeler_ec::aws::CallerIdentity;
use heeler_ec::inventory::event_selectors::EventSelector;
use heeler_ec::inventory::facts::{
    AccountFacts, BucketFacts, BucketOwner, Encryption, EventSelectors, KeyFacts, KmsKeyDetails,
    LambdaConcurrency, LogGroupFacts, LogGroupSettings, LogObject, LogStreamPresence,
    MemberObjects, NameOwners, Organization, Trail, TrailSelection, TrailStatus,
};
use heeler_ec::inventory::facts::{DeliveryStatus, NameOwner};
use heeler_ec::inventory::trail_destination::TrailDestination;
use heeler_ec::inventory::{Fact, InventoryRequest, Snapshot};
use heeler_ec::naming::ResourceNames;

use super::option;

pub const PAYER: &str = "111122223333";
pub const MEMBER: &str = "444455556666";
pub const BUCKET: &str = "org-trail-logs";
pub const TRAIL_ARN: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/org-trail";
pub const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/aaaa-bbbb";
pub const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/cccc-dddd";
pub const OTHER_ACCOUNT_KEY: &str = "arn:aws:kms:eu-west-1:999900002222:key/eeee-ffff";
pub const GROUP: &str = "aws-cloudtrail-logs";

/// The time of all cases: noon of a fixed day.
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

/// A customer managed key of the management account, with this ID.
pub fn key(asked: &str) -> KeyFacts {
    KeyFacts {
        identifier: asked.into(),
        key: Fact::Present(KmsKeyDetails {
            arn: asked.into(),
            account: PAYER.into(),
            state: "Enabled".into(),
            description: String::new(),
            customer_managed: true,
            deletion_date: None,
            key_material_expires: None,
        }),
        policy: Fact::Present(format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{PAYER}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
        )),
        grants: Fact::Present(Vec::new()),
    }
}

pub fn log_object(encryption: Encryption) -> LogObject {
    LogObject {
        key: format!("AWSLogs/o-example/{PAYER}/CloudTrail/us-east-1/2026/03/02/x.json.gz"),
        last_modified: Some(minutes_ago(4)),
        encryption,
    }
}

/// A resource without owner tags.
pub fn unmanaged_owner(name: &str) -> NameOwner {
    NameOwner {
        name: name.into(),
        ..NameOwner::default()
    }
}

/// A resource managed by this program.
pub fn managed_owner(name: &str, option: &str) -> NameOwner {
    NameOwner {
        name: name.into(),
        tags: vec![
            ("managed-by".into(), "heeler-ec".into()),
            ("heeler-ec:option".into(), option.into()),
        ],
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
        option: option(route).profile().identity,
        request: InventoryRequest {
            adopt: false,
            expected_account: None,
            expected_region: None,
            trail: None,
            bucket: None,
            bucket_key: None,
            topic: None,
            log_group: None,
            bucket_events: None,
            heeler_roles: Vec::new(),
            names: ResourceNames::new("heeler"),
            permissions_boundary: None,
            extra_tags: Vec::new(),
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
            management: None,
            organization: Fact::Present(Organization {
                id: "o-example".into(),
                management_account: PAYER.into(),
                all_features: true,
            }),
            trusted_services: Ok(vec!["cloudtrail.amazonaws.com".into()]),
            delegated_administrators: Ok(Vec::new()),
            opt_in_regions: Ok(Vec::new()),
            trails: Ok(vec![trail()]),
            trails_in_other_regions: Fact::NotRequested,
            iam_quotas: Fact::NotRequested,
        },
        trail_selection: TrailSelection::Selected(trail()),
        trail_status: Fact::Present(TrailStatus {
            logging: true,
            started: Some(minutes_ago(60 * 24 * 90)),
            stopped: None,
            to_bucket: fresh.clone(),
            to_log_group: fresh,
            notification_error: None,
        }),
        event_selectors: Fact::Present(EventSelectors {
            selectors: vec![EventSelector::Basic {
                read: true,
                write: true,
                includes_management: true,
                excluded_sources: Vec::new(),
            }],
            raw: Vec::new(),
        }),
        shadow_trails: Vec::new(),
        bucket: (route == TrailDestination::Bucket).then(bucket),
        log_group: (route == TrailDestination::LogGroup).then(log_group),
        name_owners: name_owners(route),
        permission_simulation: Fact::NotRequested,
    }
}

fn bucket() -> BucketFacts {
    BucketFacts {
        name: BUCKET.into(),
        owner: Ok(BucketOwner::ThisAccount {
            region: "eu-west-1".into(),
        }),
        encryption: Fact::Present(Encryption::S3),
        newest_log_object: Fact::Present(log_object(Encryption::S3)),
        member_objects: Fact::Present(MemberObjects::Found),
        keys: Vec::new(),
        notifications: Fact::Present(Vec::new()),
        destinations: Vec::new(),
        topic: Fact::NotRequested,
        policy: Fact::Present(bucket_policy("AWSLogs/o-example/*")),
        object_ownership: Fact::Present("BucketOwnerEnforced".into()),
        lifecycle: Fact::Present(Vec::new()),
        requester_pays: Fact::Present(false),
    }
}

/// AWS's policy for the bucket of a trail, which may write objects with these keys.
pub fn bucket_policy(keys: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"cloudtrail.amazonaws.com"}},
        "Action":"s3:PutObject","Resource":"arn:aws:s3:::{BUCKET}/{keys}","Condition":{{"StringEquals":{{
        "aws:SourceArn":"{TRAIL_ARN}","s3:x-amz-acl":"bucket-owner-full-control"}}}}}}]}}"#
    )
}

fn log_group() -> LogGroupFacts {
    LogGroupFacts {
        name: GROUP.into(),
        account: PAYER.into(),
        region: "us-east-1".into(),
        settings: Fact::Present(LogGroupSettings {
            class: Some("STANDARD".into()),
            retention_days: Some(1),
            ..LogGroupSettings::default()
        }),
        streams: Fact::Present(LogStreamPresence {
            member_accounts: true,
            any: true,
        }),
        subscription_filters: Ok(Vec::new()),
        account_subscription_filters: Ok(Vec::new()),
        key: None,
        concurrency: Fact::Present(LambdaConcurrency {
            total: 1000,
            unreserved: Some(1000),
        }),
        transformer: Fact::NotRequested,
    }
}

/// All names are available.
fn name_owners(route: TrailDestination) -> NameOwners {
    let mut owners = NameOwners::default();
    for resource in option(route).profile().identity.names {
        owners.insert(*resource, Fact::Absent);
    }
    owners
}
