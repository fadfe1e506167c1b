//! The enabled regions of the account.

use aws_sdk_account::types::RegionOptStatus;

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// Lists the regions that the account can use, in alphabetical order.
///
/// # Errors
/// If the call fails.
pub async fn enabled_regions(aws: &Aws) -> Result<Vec<String>> {
    let call = aws.account.list_regions();
    let call = call.set_region_opt_status_contains(Some(vec![
        RegionOptStatus::Enabled,
        RegionOptStatus::EnabledByDefault,
    ]));
    let mut pages = call.into_paginator().send();
    let mut regions = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("account:ListRegions", || "list the enabled regions".into())?;
        let names = page
            .regions()
            .iter()
            .filter_map(|region| region.region_name());
        regions.extend(names.map(str::to_owned));
    }
    regions.sort();
    Ok(regions)
}
