//! A working organization, as the survey would find it.

use std::time::{Duration, SystemTime};

use heeler_ec::aws::Caller;
use heeler_ec::check::selectors::Selector;
use heeler_ec::check::survey::facts::{
    Account, Bucket, Choice, Concurrency, Encryption, Group, Key, KeyFacts, LogGroup, LogObject,
    Organization, Owned, SelectorList, Status, Streams, Taken, Trail,
};
use heeler_ec::check::survey::facts::{Delivery, Owner};
use heeler_ec::check::survey::{Hints, Survey};
use heeler_ec::names::Names;
use heeler_ec::route::Route;

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
        home: "us-east-1".into(),
        organization: true,
        multi_region: true,
        global_events: true,
        validation: true,
        bucket: BUCKET.into(),
        prefix: String::new(),
        key: None,
        own_topic: None,
        log_group: Some(format!("arn:aws:logs:us-east-1:{PAYER}:log-group:{GROUP}")),
        log_role: Some(format!("arn:aws:iam::{PAYER}:role/CloudTrailLogs")),
    }
}

/// A customer managed key of the payer, under this name.
pub fn key(asked: &str) -> KeyFacts {
    KeyFacts {
        asked: asked.into(),
        key: Ok(Some(Key {
            arn: asked.into(),
            account: PAYER.into(),
            state: "Enabled".into(),
            description: String::new(),
            customer_managed: true,
            deletion: None,
            material_ends: None,
        })),
        policy: Some(Ok(format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{PAYER}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
        ))),
        grants: Some(Ok(Vec::new())),
    }
}

pub fn log_object(encryption: Encryption) -> LogObject {
    LogObject {
        name: format!("AWSLogs/o-example/{PAYER}/CloudTrail/us-east-1/2026/03/02/x.json.gz"),
        modified: Some(minutes_ago(4)),
        encryption,
    }
}

/// Something of this name that belongs to nobody whom its tags would tell.
pub fn stranger(name: &str) -> Owner {
    Owner {
        name: name.into(),
        ..Owner::default()
    }
}

/// Something of ours.
pub fn own(name: &str, option: &str) -> Owner {
    Owner {
        name: name.into(),
        managed: true,
        option: Some(option.into()),
        ..Owner::default()
    }
}

/// An organization with a trail of all events, a bucket with SSE-S3 and a log group; nothing is set up yet.
pub fn ready(route: Route) -> Survey {
    let fresh = Delivery {
        error: None,
        at: Some(minutes_ago(3)),
    };
    Survey {
        route,
        hints: Hints {
            adopt: false,
            account: None,
            region: None,
            trail: None,
            bucket: None,
            bucket_key: None,
            topic: None,
            log_group: None,
            heeler_roles: Vec::new(),
            names: Names::new("heeler"),
            own_options: String::new(),
            accepted: Vec::new(),
            deep: false,
        },
        now: now(),
        endpoint: None,
        account: Account {
            caller: Ok(Caller {
                arn: format!("arn:aws:sts::{PAYER}:assumed-role/Admin/ann"),
                account: PAYER.into(),
                partition: "aws".into(),
            }),
            organization: Ok(Some(Organization {
                id: "o-example".into(),
                management_account: PAYER.into(),
                all_features: true,
            })),
            trusted: Ok(vec!["cloudtrail.amazonaws.com".into()]),
            delegated: Ok(Vec::new()),
            opted_in: Ok(Vec::new()),
            trails: Ok(vec![trail()]),
            elsewhere: None,
            deep: None,
        },
        choice: Choice::One(trail()),
        status: Some(Ok(Status {
            logging: true,
            started: Some(minutes_ago(60 * 24 * 90)),
            stopped: None,
            to_bucket: fresh.clone(),
            to_log_group: fresh,
            notification_error: None,
        })),
        selectors: Some(Ok(SelectorList {
            selectors: vec![Selector::Classic {
                read: true,
                write: true,
                management: true,
                excluded: Vec::new(),
            }],
            raw: Vec::new(),
        })),
        shadows: Vec::new(),
        bucket: (route == Route::S3).then(bucket),
        log_group: (route == Route::CloudWatch).then(log_group),
        taken: taken(route),
        deep: None,
        simulated: None,
    }
}

fn bucket() -> Bucket {
    Bucket {
        name: BUCKET.into(),
        owned: Ok(Owned::Here {
            region: "eu-west-1".into(),
        }),
        encryption: Some(Ok(Encryption::S3)),
        newest: Some(Ok(Some(log_object(Encryption::S3)))),
        keys: Vec::new(),
        notifications: Some(Ok(Vec::new())),
        topic: None,
        policy: Some(Ok(None)),
        ownership: Some(Ok(Some("BucketOwnerEnforced".into()))),
        lifecycle: Some(Ok(Vec::new())),
        requester_pays: Some(Ok(false)),
    }
}

fn log_group() -> LogGroup {
    LogGroup {
        name: GROUP.into(),
        account: PAYER.into(),
        region: "us-east-1".into(),
        group: Ok(Some(Group {
            class: Some("STANDARD".into()),
            retention: Some(1),
            ..Group::default()
        })),
        streams: Ok(Streams {
            of_members: true,
            any: true,
        }),
        filters: Ok(Vec::new()),
        account_filters: Ok(Vec::new()),
        key: None,
        concurrency: Ok(Concurrency {
            total: 1000,
            unreserved: Some(1000),
        }),
        transformer: None,
    }
}

/// All names are free.
fn taken(route: Route) -> Taken {
    let both = [
        "names.role",
        "names.policy",
        "names.queue",
        "names.dead_letter_queue",
        "names.alias",
    ];
    let own: &[&str] = match route {
        Route::S3 => &["names.topic"],
        Route::CloudWatch => &[
            "names.function",
            "names.function_role",
            "names.function_policy",
        ],
    };
    Taken {
        by_check: both
            .iter()
            .chain(own)
            .map(|check| (*check, Ok(None)))
            .collect(),
    }
}
