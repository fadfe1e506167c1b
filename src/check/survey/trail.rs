//! Asks for the organization, its trails, and what a trail records.

use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::types as cloudtrail;

use super::{Organization, Status, Trail};
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::check::selectors::{Field, Selector};
use crate::error::Result;

pub(super) async fn organization(aws: &Aws) -> Result<Option<Organization>> {
    let found = aws
        .organizations
        .describe_organization()
        .send()
        .await
        .finding(
            "organizations:DescribeOrganization",
            &["AWSOrganizationsNotInUseException"],
            || "ask for the organization".into(),
        )?
        .and_then(|found| found.organization);
    Ok(found.map(|found| Organization {
        id: found.id().unwrap_or_default().to_owned(),
        management_account: found.master_account_id().unwrap_or_default().to_owned(),
        all_features: found.feature_set().is_none_or(|set| set.as_str() == "ALL"),
    }))
}

/// The trails that can be seen from here, shadows of other regions included.
pub(super) async fn trails(aws: &Aws) -> Result<Vec<Trail>> {
    let found = aws
        .cloudtrail
        .describe_trails()
        .include_shadow_trails(true)
        .send()
        .await
        .doing("cloudtrail:DescribeTrails", || "list the trails".into())?;
    let mut trails: Vec<Trail> = found.trail_list().iter().map(plain).collect();
    trails.sort_by(|left, right| left.arn.cmp(&right.arn));
    trails.dedup_by(|left, right| left.arn == right.arn);
    Ok(trails)
}

fn plain(found: &cloudtrail::Trail) -> Trail {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Trail {
        name: text(found.name()),
        arn: text(found.trail_arn()),
        home: text(found.home_region()),
        organization: found.is_organization_trail().unwrap_or_default(),
        multi_region: found.is_multi_region_trail().unwrap_or_default(),
        global_events: found.include_global_service_events().unwrap_or_default(),
        bucket: text(found.s3_bucket_name()),
        prefix: text(found.s3_key_prefix()).trim_end_matches('/').to_owned(),
        key: found
            .kms_key_id()
            .filter(|key| !key.is_empty())
            .map(str::to_owned),
        own_topic: found
            .sns_topic_arn()
            .filter(|arn| !arn.is_empty())
            .map(str::to_owned),
    }
}

/// A shadow trail has to be asked for by its ARN, in its home region.
pub(super) async fn status(aws: &Aws, trail: &Trail) -> Result<Status> {
    let found = aws
        .cloudtrail
        .get_trail_status()
        .name(&trail.arn)
        .send()
        .await
        .doing("cloudtrail:GetTrailStatus", || {
            format!("ask for the status of trail {}", trail.name)
        })?;
    let time = |time: Option<&aws_smithy_types::DateTime>| time.map(ToString::to_string);
    Ok(Status {
        logging: found.is_logging().unwrap_or_default(),
        stopped: time(found.stop_logging_time()),
        delivery_error: found
            .latest_delivery_error()
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        delivered: time(found.latest_delivery_time()),
    })
}

pub(super) async fn selectors(aws: &Aws, trail: &Trail) -> Result<Vec<Selector>> {
    let found = aws
        .cloudtrail
        .get_event_selectors()
        .trail_name(&trail.arn)
        .send()
        .await
        .doing("cloudtrail:GetEventSelectors", || {
            format!("read the event selectors of trail {}", trail.name)
        })?;
    Ok(plain_selectors(&found))
}

fn plain_selectors(found: &GetEventSelectorsOutput) -> Vec<Selector> {
    let classic = found.event_selectors().iter().map(|selector| {
        let kind = selector
            .read_write_type()
            .map(cloudtrail::ReadWriteType::as_str);
        Selector::Classic {
            read: kind != Some("WriteOnly"),
            write: kind != Some("ReadOnly"),
            management: selector.include_management_events().unwrap_or(true),
            excluded: selector.exclude_management_event_sources().to_vec(),
        }
    });
    let advanced = found
        .advanced_event_selectors()
        .iter()
        .map(|selector| Selector::Advanced {
            fields: selector
                .field_selectors()
                .iter()
                .map(|field| Field {
                    name: field.field().to_owned(),
                    equals: field.equals().to_vec(),
                    not_equals: field.not_equals().to_vec(),
                    other: !(field.starts_with().is_empty()
                        && field.ends_with().is_empty()
                        && field.not_starts_with().is_empty()
                        && field.not_ends_with().is_empty()),
                })
                .collect(),
        });
    classic.chain(advanced).collect()
}
