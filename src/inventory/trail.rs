//! Reads the account, its organization, its trails and what they record.

use std::time::{Instant, SystemTime};

use aws_sdk_account::types::RegionOptStatus;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::types as cloudtrail;
use aws_smithy_types::DateTime;
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use tokio::join;

use super::event_selectors::{EventSelector, FieldSelector};
use super::facts::{
    AccountFacts, DeliveryStatus, EventSelectors, Organization, ShadowTrail, Trail, TrailStatus,
};
use super::limiter::{CALL_TIMEOUT, LimitedClients};
use super::{Fact, InventoryRequest};
use crate::aws::arn::Arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;

const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";

/// Makes the first round of calls, which do not depend on each other.
pub(super) async fn account_facts(
    clients: &LimitedClients,
    request: &InventoryRequest,
) -> AccountFacts {
    let other_calls = async || {
        join!(
            organization(clients),
            trusted_services(clients),
            delegated_administrators(clients),
            opt_in_regions(clients),
            trails(clients, request.trail.as_deref())
        )
    };
    let sign_in = async {
        let began = Instant::now();
        (
            clients.without_timeout().caller_identity().await,
            began.elapsed(),
        )
    };
    let ((caller, took), mut answers) = join!(sign_in, other_calls());
    // A slow sign-in may have used up the time limit of the other calls, so they are repeated.
    if caller.is_ok() && took >= CALL_TIMEOUT {
        answers = other_calls().await;
    }
    let (organization, trusted, delegated, opted_in, trails) = answers;
    AccountFacts {
        caller,
        management: clients.without_timeout().management_identity().cloned(),
        organization: Fact::from_optional(organization),
        trusted_services: trusted,
        delegated_administrators: delegated,
        opt_in_regions: opted_in,
        trails,
        trails_in_other_regions: Fact::NotRequested,
        iam_quotas: Fact::NotRequested,
    }
}

pub(super) async fn organization(clients: &LimitedClients) -> Result<Option<Organization>> {
    let aws = clients.acquire().await;
    let found = aws
        .management()
        .organizations
        .describe_organization()
        .send()
        .await
        .optional_for(
            "organizations:DescribeOrganization",
            not_found::ORGANIZATION,
            || "read the organization".into(),
        )?
        .and_then(|found| found.organization);
    Ok(found.map(|found| Organization {
        id: found.id().unwrap_or_default().to_owned(),
        management_account: found.master_account_id().unwrap_or_default().to_owned(),
        all_features: found.feature_set().is_none_or(|set| set.as_str() == "ALL"),
    }))
}

async fn trusted_services(clients: &LimitedClients) -> Result<Vec<String>> {
    let aws = clients.acquire().await;
    let call = aws
        .management()
        .organizations
        .list_aws_service_access_for_organization();
    let mut pages = call.into_paginator().send();
    let mut trusted = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("organizations:ListAWSServiceAccessForOrganization", || {
            "list the services with trusted access to the organization".into()
        })?;
        let names = page.enabled_service_principals().iter();
        trusted.extend(names.filter_map(|found| found.service_principal().map(str::to_owned)));
    }
    Ok(trusted)
}

async fn delegated_administrators(clients: &LimitedClients) -> Result<Vec<String>> {
    let aws = clients.acquire().await;
    let call = aws
        .management()
        .organizations
        .list_delegated_administrators()
        .service_principal(CLOUDTRAIL);
    let mut pages = call.into_paginator().send();
    let mut accounts = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("organizations:ListDelegatedAdministrators", || {
            "list the delegated administrators of CloudTrail".into()
        })?;
        let ids = page.delegated_administrators().iter();
        accounts.extend(ids.filter_map(|found| found.id().map(str::to_owned)));
    }
    Ok(accounts)
}

/// Returns the opt-in regions that the account of the trail has enabled. Partitions other than `aws` and `aws-cn` have neither opt-in
/// regions nor an endpoint for the call.
async fn opt_in_regions(clients: &LimitedClients) -> Result<Vec<String>> {
    let aws = clients.acquire().await;
    if ["-gov-", "-iso"]
        .iter()
        .any(|part| aws.region().contains(part))
    {
        return Ok(Vec::new());
    }
    let call = aws
        .management()
        .account
        .list_regions()
        .region_opt_status_contains(RegionOptStatus::Enabled);
    let mut pages = call.into_paginator().send();
    let mut regions = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("account:ListRegions", || "list the enabled regions".into())?;
        let enabled = page
            .regions()
            .iter()
            .filter(|region| region.region_opt_status() == Some(&RegionOptStatus::Enabled));
        regions.extend(enabled.filter_map(|region| region.region_name().map(str::to_owned)));
    }
    regions.sort();
    Ok(regions)
}

/// Returns the trails visible in this region, including shadow trails. A trail given by its ARN is requested in its own
/// region.
pub(super) async fn trails(clients: &LimitedClients, trail: Option<&str>) -> Result<Vec<Trail>> {
    let named = trail.and_then(Arn::parse);
    let clients = named.map_or_else(|| clients.clone(), |arn| clients.in_region(arn.region));
    let aws = clients.acquire().await;
    let found = aws
        .management()
        .cloudtrail
        .describe_trails()
        .include_shadow_trails(true)
        .send()
        .await
        .context_for("cloudtrail:DescribeTrails", || "list the trails".into())?;
    let mut trails: Vec<Trail> = found.trail_list().iter().map(trail_from).collect();
    trails.sort_by(|left, right| left.arn.cmp(&right.arn));
    trails.dedup_by(|left, right| left.arn == right.arn);
    Ok(trails)
}

/// Returns the trails of other regions if no trail in this region matches. A single-region trail is visible only there.
pub(super) async fn trails_in_other_regions(
    clients: &LimitedClients,
    here: &[Trail],
    request: &InventoryRequest,
) -> Fact<Vec<Trail>> {
    let wanted = match &request.trail {
        Some(named) => !here
            .iter()
            .any(|trail| trail.name == *named || trail.arn == *named),
        None => !here.iter().any(|trail| trail.is_organization),
    };
    if !wanted {
        return Fact::NotRequested;
    }
    let aws = clients.acquire().await;
    let mut pages = aws
        .management()
        .cloudtrail
        .list_trails()
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("cloudtrail:ListTrails", || {
            "list the trails in all regions".into()
        });
        match page {
            Ok(page) => found.extend(page.trails().iter().map(|trail| Trail {
                name: trail.name().unwrap_or_default().to_owned(),
                arn: trail.trail_arn().unwrap_or_default().to_owned(),
                home_region: trail.home_region().unwrap_or_default().to_owned(),
                ..Trail::default()
            })),
            Err(error) => return Fact::Failed(error),
        }
    }
    found.retain(|trail| here.iter().all(|known| known.arn != trail.arn));
    Fact::Present(found)
}

fn trail_from(found: &cloudtrail::Trail) -> Trail {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let given = |value: Option<&str>| value.filter(|text| !text.is_empty()).map(str::to_owned);
    Trail {
        name: text(found.name()),
        arn: text(found.trail_arn()),
        home_region: text(found.home_region()),
        is_organization: found.is_organization_trail().unwrap_or_default(),
        is_multi_region: found.is_multi_region_trail().unwrap_or_default(),
        includes_global_events: found.include_global_service_events().unwrap_or_default(),
        log_file_validation: found.log_file_validation_enabled().unwrap_or_default(),
        bucket: text(found.s3_bucket_name()),
        prefix: text(found.s3_key_prefix()).trim_end_matches('/').to_owned(),
        kms_key: given(found.kms_key_id()),
        sns_topic: given(found.sns_topic_arn()),
        log_group: given(found.cloud_watch_logs_log_group_arn())
            .map(|arn| arn.strip_suffix(":*").unwrap_or(&arn).to_owned()),
        log_group_role: given(found.cloud_watch_logs_role_arn()),
    }
}

/// Reads the trail's status. A shadow trail must be requested by its ARN in its home region.
pub(super) async fn trail_status(clients: &LimitedClients, trail: &Trail) -> Result<TrailStatus> {
    let aws = clients.acquire().await;
    let found = aws
        .management()
        .cloudtrail
        .get_trail_status()
        .name(&trail.arn)
        .send()
        .await
        .context_for("cloudtrail:GetTrailStatus", || {
            format!("read the status of trail {}", trail.name)
        })?;
    let error = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(TrailStatus {
        logging: found.is_logging().unwrap_or_default(),
        started: system_time(found.start_logging_time()),
        stopped: system_time(found.stop_logging_time()),
        to_bucket: DeliveryStatus {
            error: error(found.latest_delivery_error()),
            at: system_time(found.latest_delivery_time()),
        },
        to_log_group: DeliveryStatus {
            error: error(found.latest_cloud_watch_logs_delivery_error()),
            at: system_time(found.latest_cloud_watch_logs_delivery_time()),
        },
        notification_error: error(found.latest_notification_error()),
    })
}

pub(super) fn system_time(time: Option<&DateTime>) -> Option<SystemTime> {
    time.and_then(|time| SystemTime::try_from(*time).ok())
}

/// Reads the shadow trails of a multi-region trail in opt-in regions.
pub(super) async fn shadow_trails(
    clients: &LimitedClients,
    trail: &Trail,
    account: &AccountFacts,
) -> Vec<ShadowTrail> {
    let regions = match &account.opt_in_regions {
        Ok(regions) if trail.is_multi_region => regions.as_slice(),
        _ => &[],
    };
    let asked = regions
        .iter()
        .filter(|region| **region != trail.home_region)
        .map(|region| async {
            let there = clients.in_region(region);
            ShadowTrail {
                region: region.clone(),
                status: trail_status(&there, trail).await.map(|_| ()),
            }
        });
    join_all(asked).await
}

pub(super) async fn event_selectors(
    clients: &LimitedClients,
    trail: &Trail,
) -> Result<EventSelectors> {
    let aws = clients.acquire().await;
    let found = aws
        .management()
        .cloudtrail
        .get_event_selectors()
        .trail_name(&trail.arn)
        .send()
        .await
        .context_for("cloudtrail:GetEventSelectors", || {
            format!("read the event selectors of trail {}", trail.name)
        })?;
    Ok(EventSelectors {
        selectors: parse_selectors(&found),
        raw: raw_selectors(&found),
    })
}

fn parse_selectors(found: &GetEventSelectorsOutput) -> Vec<EventSelector> {
    let classic = found.event_selectors().iter().map(|selector| {
        let kind = selector
            .read_write_type()
            .map(cloudtrail::ReadWriteType::as_str);
        EventSelector::Basic {
            read: kind != Some("WriteOnly"),
            write: kind != Some("ReadOnly"),
            includes_management: selector.include_management_events().unwrap_or(true),
            excluded_sources: selector.exclude_management_event_sources().to_vec(),
        }
    });
    let advanced =
        found
            .advanced_event_selectors()
            .iter()
            .map(|selector| EventSelector::Advanced {
                fields: selector
                    .field_selectors()
                    .iter()
                    .map(|field| FieldSelector {
                        name: field.field().to_owned(),
                        equals: field.equals().to_vec(),
                        not_equals: field.not_equals().to_vec(),
                        has_other_operators: !(field.starts_with().is_empty()
                            && field.ends_with().is_empty()
                            && field.not_starts_with().is_empty()
                            && field.not_ends_with().is_empty()),
                    })
                    .collect(),
            });
    classic.chain(advanced).collect()
}

/// Returns the selectors in the format of `put-event-selectors`.
fn raw_selectors(found: &GetEventSelectorsOutput) -> Vec<Value> {
    let classic = found.event_selectors().iter().map(|selector| {
        let data: Vec<Value> = selector
            .data_resources()
            .iter()
            .map(|data| json!({ "Type": data.r#type(), "Values": data.values() }))
            .collect();
        let kind = selector
            .read_write_type()
            .map_or("All", |kind| kind.as_str());
        json!({
            "ReadWriteType": kind,
            "IncludeManagementEvents": selector.include_management_events().unwrap_or(true),
            "DataResources": data,
            "ExcludeManagementEventSources": selector.exclude_management_event_sources(),
        })
    });
    let advanced = found.advanced_event_selectors().iter().map(|selector| {
        let fields: Vec<Value> = selector
            .field_selectors()
            .iter()
            .map(raw_field_selector)
            .collect();
        let mut raw = Map::new();
        if let Some(name) = selector.name() {
            raw.insert("Name".into(), name.into());
        }
        raw.insert("FieldSelectors".into(), fields.into());
        Value::Object(raw)
    });
    classic.chain(advanced).collect()
}

fn raw_field_selector(field: &cloudtrail::AdvancedFieldSelector) -> Value {
    let mut raw = Map::from_iter([("Field".to_owned(), field.field().into())]);
    for (operator, values) in [
        ("Equals", field.equals()),
        ("StartsWith", field.starts_with()),
        ("EndsWith", field.ends_with()),
        ("NotEquals", field.not_equals()),
        ("NotStartsWith", field.not_starts_with()),
        ("NotEndsWith", field.not_ends_with()),
    ] {
        if !values.is_empty() {
            raw.insert(operator.into(), values.into());
        }
    }
    Value::Object(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Aws;
    use crate::aws::canned::CannedResponse;

    #[tokio::test]
    async fn govcloud_has_no_opt_in_regions() {
        let (aws, sent) = Aws::canned(vec![(
            "POST /listRegions",
            CannedResponse::ok(
                r#"{"Regions": [{"RegionName": "af-south-1", "RegionOptStatus": "ENABLED"}]}"#,
            ),
        )]);
        for region in [
            "us-gov-west-1",
            "us-gov-east-1",
            "us-iso-east-1",
            "us-isob-east-1",
        ] {
            let clients = LimitedClients::new(&aws.in_region(region));
            let regions = opt_in_regions(&clients).await.unwrap();
            assert_eq!(regions, Vec::<String>::new(), "{region}");
        }
        assert_eq!(sent.operations(), Vec::<String>::new());
        let regions = opt_in_regions(&LimitedClients::new(&aws)).await.unwrap();
        assert_eq!(regions, ["af-south-1"]);
    }
}
