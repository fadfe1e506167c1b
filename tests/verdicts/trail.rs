//! Cases of the checks on the trail and its events.

use heeler_ec::inventory::event_selectors::{EventSelector, FieldSelector};
use heeler_ec::inventory::facts::{
    EventSelectors, ShadowTrail, Trail, TrailSelection, TrailStatus,
};
use heeler_ec::inventory::{Fact, Snapshot};
use serde_json::json;

use super::account::{caller, trail};
use super::fixture::{TRAIL_ARN, minutes_ago};
use super::{VerdictCase, assert_verdicts, cloudwatch, refused, s3};

#[test]
fn trail_verdicts() {
    assert_verdicts(&cases());
}

pub fn cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "trail.found",
            "there is one",
            |_| {},
            "pass",
            "org-trail, home region us-east-1",
        ),
        s3(
            "trail.found",
            "there is none",
            |s| s.trail_selection = TrailSelection::None,
            "fail",
            "Create trail > Enable for all accounts",
        ),
        s3(
            "trail.found",
            "there is one in another region",
            |s| {
                s.trail_selection = TrailSelection::None;
                s.account.trails_in_other_regions = Fact::Present(vec![Trail {
                    name: "local".into(),
                    home_region: "eu-west-1".into(),
                    ..Trail::default()
                }]);
            },
            "fail",
            "local (eu-west-1)",
        ),
        s3(
            "trail.found",
            "there is none, and the caller may not list other regions",
            |s| {
                s.trail_selection = TrailSelection::None;
                s.account.trails_in_other_regions = Fact::Failed(refused("cloudtrail:ListTrails"));
            },
            "unknown",
            "cloudtrail:ListTrails",
        ),
        s3(
            "trail.found",
            "several qualify",
            |s| s.trail_selection = several_candidates(&[("a", &[]), ("b", &[])], &[]),
            "fail",
            "2 trails qualify: a, b",
        ),
        s3(
            "trail.found",
            "none of several passes",
            |s| {
                s.trail_selection =
                    several_candidates(&[("a", &["trail.logging"]), ("b", &["bucket.owner"])], &[])
            },
            "fail",
            "a (fails trail.logging); b (fails bucket.owner)",
        ),
        s3(
            "trail.found",
            "none of several passes, and one has fewer failures",
            |s| {
                s.trail_selection = several_candidates(
                    &[
                        ("a", &["trail.logging"]),
                        ("b", &["bucket.owner", "trail.delivery"]),
                    ],
                    &[],
                )
            },
            "fail",
            "a fails the fewest checks: fix trail.logging",
        ),
        s3(
            "trail.found",
            "none of the inspected trails passes",
            |s| s.trail_selection = several_candidates(&[("a", &["bucket.owner"])], &["y", "z"]),
            "fail",
            "a (fails bucket.owner); not inspected because there are too many: y, z",
        ),
        s3(
            "trail.found",
            "a trail that was not inspected may pass",
            |s| s.trail_selection = several_candidates(&[("a", &["bucket.owner"])], &["y", "z"]),
            "fail",
            "heeler-ec preflight --option s3 --trail y",
        ),
        cloudwatch(
            "trail.found",
            "several qualify",
            |s| s.trail_selection = several_candidates(&[("a", &[]), ("b", &[])], &[]),
            "fail",
            "heeler-ec preflight --option cloudwatch --trail a",
        ),
        s3(
            "trail.found",
            "--trail names a missing trail",
            |s| s.trail_selection = TrailSelection::NotFound("absent".into()),
            "fail",
            "trail absent was not found",
        ),
        s3(
            "trail.found",
            "the caller may not list trails",
            |s| s.account.trails = Err(refused("cloudtrail:DescribeTrails")),
            "unknown",
            "cloudtrail:DescribeTrails",
        ),
        s3(
            "trail.organization",
            "it is an organization trail",
            |_| {},
            "pass",
            "org-trail",
        ),
        s3(
            "trail.organization",
            "it is a trail of this account",
            |s| trail(s).is_organization = false,
            "fail",
            "update-trail --region us-east-1 --name org-trail --is-organization-trail",
        ),
        s3(
            "trail.organization",
            "no trail was found",
            |s| s.trail_selection = TrailSelection::None,
            "skip",
            "depends on trail.found",
        ),
        s3(
            "trail.multi_region",
            "it records all regions",
            |_| {},
            "pass",
            "multi-region",
        ),
        s3(
            "trail.multi_region",
            "it records one region",
            |s| trail(s).is_multi_region = false,
            "fail",
            "--is-multi-region-trail",
        ),
        s3(
            "trail.global_events",
            "they are included",
            |_| {},
            "pass",
            "included",
        ),
        s3(
            "trail.global_events",
            "they are excluded",
            |s| trail(s).includes_global_events = false,
            "fail",
            "--include-global-service-events",
        ),
        s3(
            "trail.regions",
            "no opt-in region is enabled",
            |_| {},
            "pass",
            "all default regions",
        ),
        s3(
            "trail.regions",
            "an opt-in region is enabled and has a shadow trail",
            |s| set_shadow_trail(s, Ok(())),
            "pass",
            "and ap-east-1",
        ),
        s3(
            "trail.regions",
            "an opt-in region is enabled and has no shadow trail yet",
            |s| {
                set_shadow_trail(
                    s,
                    Err(heeler_ec::error::Error::failed("ask", "unknown trail")
                        .with_code(Some("TrailNotFoundException".into()), None)),
                )
            },
            "warn",
            "trail org-trail has no shadow trail in ap-east-1",
        ),
        s3(
            "trail.regions",
            "an opt-in region is enabled, and the caller may not read its shadow trail",
            |s| set_shadow_trail(s, Err(refused("cloudtrail:GetTrailStatus"))),
            "unknown",
            "cloudtrail:GetTrailStatus",
        ),
        s3(
            "trail.regions",
            "the caller may not list regions",
            |s| s.account.opt_in_regions = Err(refused("account:ListRegions")),
            "unknown",
            "account:ListRegions",
        ),
        s3(
            "trail.regions",
            "the trail records one region",
            |s| trail(s).is_multi_region = false,
            "skip",
            "depends on trail.multi_region",
        ),
        s3(
            "trail.logging",
            "it is logging",
            |_| {},
            "pass",
            "org-trail",
        ),
        s3(
            "trail.logging",
            "it is stopped",
            |s| {
                status(s).logging = false;
                status(s).stopped = Some(minutes_ago(60));
            },
            "fail",
            "org-trail has been stopped since 2026-03-02T11:00:00Z",
        ),
        s3(
            "trail.logging",
            "its name contains a space",
            |s| {
                status(s).logging = false;
                trail(s).name = "it's mine".into();
            },
            "fail",
            r#"start-logging --region us-east-1 --name "it's mine""#,
        ),
        s3(
            "trail.logging",
            "the caller may not read its status",
            |s| s.trail_status = Fact::Failed(refused("cloudtrail:GetTrailStatus")),
            "unknown",
            "cloudtrail:GetTrailStatus",
        ),
        s3(
            "trail.delivery",
            "the last delivery was minutes ago",
            |_| {},
            "pass",
            "2026-03-02T11:57:00Z",
        ),
        s3(
            "trail.delivery",
            "the last delivery was hours ago",
            |s| status(s).to_bucket.at = Some(minutes_ago(61)),
            "warn",
            "the last delivery was 2026-03-02T10:59:00Z",
        ),
        s3(
            "trail.delivery",
            "the last delivery was days ago",
            |s| status(s).to_bucket.at = Some(minutes_ago(60 * 25)),
            "fail",
            "the last delivery was",
        ),
        s3(
            "trail.delivery",
            "the trail was just started",
            |s| {
                status(s).to_bucket.at = None;
                status(s).started = Some(minutes_ago(29));
            },
            "warn",
            "preflight --wait 15m",
        ),
        s3(
            "trail.delivery",
            "the trail was started long ago, and nothing was delivered",
            |s| {
                status(s).to_bucket.at = None;
                status(s).started = Some(minutes_ago(31));
            },
            "fail",
            "nothing has been delivered yet",
        ),
        s3(
            "trail.delivery",
            "the last error was days ago, and nothing was delivered since",
            |s| {
                status(s).to_bucket.at = Some(minutes_ago(60 * 25));
                status(s).to_bucket.error = Some("AccessDenied".into());
            },
            "fail",
            "get-bucket-policy --bucket org-trail-logs",
        ),
        s3(
            "trail.delivery",
            "there was an error, and a recent success",
            |s| status(s).to_bucket.error = Some("AccessDenied".into()),
            "warn",
            "the last error was AccessDenied; the last success was 2026-03-02T11:57:00Z",
        ),
        s3(
            "trail.delivery",
            "the bucket was deleted",
            |s| {
                status(s).to_bucket.at = None;
                status(s).to_bucket.error = Some("NoSuchBucket".into());
            },
            "fail",
            "bucket org-trail-logs was deleted",
        ),
        s3(
            "trail.delivery",
            "the key is disabled",
            |s| {
                trail(s).kms_key = Some(super::fixture::KEY.into());
                status(s).to_bucket.at = None;
                status(s).to_bucket.error = Some("KMS.DisabledException".into());
            },
            "fail",
            "CloudTrail could not use KMS key arn:aws:kms",
        ),
        s3(
            "trail.delivery",
            "the key is being deleted",
            |s| {
                status(s).to_bucket.at = None;
                status(s).to_bucket.error = Some("KMS.KMSInvalidStateException".into());
            },
            "fail",
            "could not use the KMS key of the log objects",
        ),
        s3(
            "trail.delivery",
            "the trail is stopped",
            |s| status(s).logging = false,
            "skip",
            "depends on trail.logging",
        ),
        s3(
            "trail.events.management",
            "all events are recorded",
            |_| {},
            "pass",
            "reads and writes",
        ),
        s3(
            "trail.events.management",
            "reads are missing",
            |s| set_basic_selector(s, false, true, &[]),
            "fail",
            "only write events",
        ),
        s3(
            "trail.events.management",
            "writes are missing",
            |s| set_basic_selector(s, true, false, &[]),
            "fail",
            "only read events",
        ),
        s3(
            "trail.events.management",
            "only data events are recorded",
            |s| {
                s.event_selectors = Fact::Present(EventSelectors {
                    selectors: vec![advanced(&[("eventCategory", &["Data"])])],
                    raw: vec![
                        json!({ "Name": "it's data", "FieldSelectors": [{ "Field": "eventCategory", "Equals": ["Data"] }] }),
                    ],
                });
            },
            "fail",
            "it's data",
        ),
        s3(
            "trail.events.management",
            "a field narrows the selectors",
            |s| {
                s.event_selectors = Fact::Present(EventSelectors {
                    selectors: vec![advanced(&[
                        ("eventCategory", &["Management"]),
                        ("eventName", &["PutObject"]),
                    ])],
                    raw: Vec::new(),
                });
            },
            "fail",
            "narrowed by eventName",
        ),
        s3(
            "trail.events.management",
            "the list has no room for one more selector",
            |s| {
                let data = json!({ "ReadWriteType": "WriteOnly", "DataResources": [{ "Type": "AWS::S3::Object", "Values": ["arn:aws:s3"] }] });
                set_basic_selector(s, false, true, &[]);
                s.event_selectors
                    .present_mut()
                    .expect("event selectors")
                    .raw = vec![data; 5];
            },
            "fail",
            "advanced event selectors",
        ),
        s3(
            "trail.events.management",
            "the caller may not read the selectors",
            |s| s.event_selectors = Fact::Failed(refused("cloudtrail:GetEventSelectors")),
            "unknown",
            "cloudtrail:GetEventSelectors",
        ),
        s3(
            "trail.events.sources",
            "no source is excluded",
            |_| {},
            "pass",
            "no event source is excluded",
        ),
        s3(
            "trail.events.sources",
            "KMS is excluded",
            |s| set_basic_selector(s, true, true, &["kms.amazonaws.com"]),
            "fail",
            "excluded event sources: kms.amazonaws.com",
        ),
        s3(
            "trail.events.sources",
            "KMS and RDS Data are excluded",
            |s| {
                set_basic_selector(
                    s,
                    true,
                    true,
                    &["kms.amazonaws.com", "rdsdata.amazonaws.com"],
                )
            },
            "fail",
            "excluded event sources: kms.amazonaws.com, rdsdata.amazonaws.com",
        ),
        s3(
            "trail.events.sources",
            "no management events are recorded",
            |s| {
                s.event_selectors = Fact::Present(EventSelectors {
                    selectors: vec![advanced(&[("eventCategory", &["Data"])])],
                    raw: Vec::new(),
                });
            },
            "skip",
            "depends on trail.events.management",
        ),
        s3(
            "trail.control_tower",
            "Control Tower does not manage it",
            |_| {},
            "pass",
            "org-trail",
        ),
        s3(
            "trail.control_tower",
            "the trail has Control Tower's name",
            |s| trail(s).name = "aws-controltower-BaselineCloudTrail".into(),
            "warn",
            "prefer an option that reads from the log group",
        ),
        s3(
            "trail.control_tower",
            "the bucket has Control Tower's name",
            |s| trail(s).bucket = "aws-controltower-logs-1-us-east-1".into(),
            "warn",
            "as drift",
        ),
        s3(
            "trail.control_tower",
            "the landing zone denies notifications",
            |s| trail(s).bucket = "aws-controltower-cloudtrail-222233334444-x".into(),
            "fail",
            "heeler-ec preflight --option cloudwatch",
        ),
        s3(
            "trail.control_tower",
            "the landing zone denies notifications except to the caller",
            |s| {
                trail(s).bucket = "aws-controltower-cloudtrail-222233334444-x".into();
                caller(s).arn =
                    "arn:aws:sts::222233334444:assumed-role/AWSControlTowerExecution/ann".into();
            },
            "warn",
            "managed by Control Tower",
        ),
        cloudwatch(
            "trail.control_tower",
            "the log group has Control Tower's name",
            |s| {
                trail(s).log_group = Some(
                    "arn:aws:logs:us-east-1:111122223333:log-group:aws-controltower/CloudTrailLogs"
                        .into(),
                )
            },
            "warn",
            "do not edit the trail or its log group",
        ),
        s3(
            "trail.sns_topic",
            "the trail has no SNS topic",
            |_| {},
            "pass",
            "the trail has no SNS topic",
        ),
        s3(
            "trail.sns_topic",
            "the trail has a topic",
            |s| trail(s).sns_topic = Some(TOPIC.into()),
            "pass",
            "unchanged",
        ),
        s3(
            "trail.sns_topic",
            "the trail has a topic with an error",
            |s| {
                trail(s).sns_topic = Some(TOPIC.into());
                status(s).notification_error = Some("AuthorizationError".into());
            },
            "pass",
            "its last error was AuthorizationError",
        ),
        s3(
            "trail.sns_topic",
            "--sns-topic is its ARN",
            |s| {
                trail(s).sns_topic = Some(TOPIC.into());
                s.request.topic = Some(TOPIC.into());
            },
            "fail",
            "CloudTrail publishes its own messages",
        ),
        s3(
            "trail.sns_topic",
            "--sns-topic is its name",
            |s| {
                trail(s).sns_topic = Some(TOPIC.into());
                s.request.topic = Some("trail".into());
            },
            "fail",
            "remove --sns-topic",
        ),
        s3(
            "trail.validation",
            "validation is enabled",
            |_| {},
            "pass",
            "digest files",
        ),
        s3(
            "trail.validation",
            "validation is disabled",
            |s| trail(s).log_file_validation = false,
            "pass",
            "Heeler does not require it",
        ),
    ]
}

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:trail";

pub fn status(snapshot: &mut Snapshot) -> &mut TrailStatus {
    snapshot.trail_status.present_mut().expect("a status")
}

fn set_shadow_trail(snapshot: &mut Snapshot, status: heeler_ec::error::Result<()>) {
    snapshot.account.opt_in_regions = Ok(vec!["ap-east-1".into()]);
    snapshot.shadow_trails = vec![ShadowTrail {
        region: "ap-east-1".into(),
        status,
    }];
    assert_eq!(trail(snapshot).arn, TRAIL_ARN);
}

fn set_basic_selector(snapshot: &mut Snapshot, read: bool, write: bool, excluded: &[&str]) {
    let kind = match (read, write) {
        (true, true) => "All",
        (true, false) => "ReadOnly",
        _ => "WriteOnly",
    };
    snapshot.event_selectors = Fact::Present(EventSelectors {
        selectors: vec![EventSelector::Basic {
            read,
            write,
            includes_management: true,
            excluded_sources: excluded.iter().map(|source| (*source).to_owned()).collect(),
        }],
        raw: vec![json!({
            "ReadWriteType": kind,
            "IncludeManagementEvents": true,
            "DataResources": [],
            "ExcludeManagementEventSources": excluded,
        })],
    });
}

fn advanced(fields: &[(&str, &[&str])]) -> EventSelector {
    EventSelector::Advanced {
        fields: fields
            .iter()
            .map(|(name, equals)| FieldSelector {
                name: (*name).into(),
                equals: equals.iter().map(|value| (*value).to_owned()).collect(),
                ..FieldSelector::default()
            })
            .collect(),
    }
}

fn several_candidates(inspected: &[(&str, &[&'static str])], unseen: &[&str]) -> TrailSelection {
    let inspected = inspected.iter();
    TrailSelection::Several {
        candidates: inspected
            .map(|(name, lacks)| {
                let lacks = lacks.iter().map(|id| id.parse().expect("an ID of a check"));
                ((*name).to_owned(), lacks.collect())
            })
            .collect(),
        not_inspected: unseen.iter().map(|name| (*name).to_owned()).collect(),
    }
}
