//! The regions that are enabled in an account.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_account::types::RegionOptStatus;

use super::matrix::RegionName;
use super::rate_limit::RateLimit;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// AWS allows five `ListRegions` calls per second with a burst of five ("Quotas for AWS Account Management").
const LIST_REGIONS_INTERVAL: Duration = Duration::from_millis(200);
const LIST_REGIONS_BURST: u32 = 5;
/// If this many accounts are refused and none was read, no other account is asked: trusted access is missing.
const MAX_REFUSALS_WITHOUT_SUCCESS: usize = 5;

/// The regions of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AccountRegions {
    /// Regions that every account has.
    pub by_default: Vec<RegionName>,
    /// Opt-in regions that the account has enabled.
    pub opted_in: Vec<RegionName>,
    /// Opt-in regions that the account has not enabled, which other accounts may have enabled.
    pub disabled: Vec<RegionName>,
}

/// Reads the regions of member accounts.
#[derive(Debug)]
pub(super) struct MemberRegions {
    rate: RateLimit,
    /// True if the opt-in regions of members are not wanted.
    is_unwanted: bool,
    /// The number of accounts whose regions may not be read.
    refused: AtomicUsize,
    /// True if the regions of one account were read.
    has_success: AtomicBool,
}

impl MemberRegions {
    pub fn new(is_unwanted: bool) -> Self {
        Self {
            rate: RateLimit::new(LIST_REGIONS_INTERVAL, LIST_REGIONS_BURST),
            is_unwanted,
            refused: AtomicUsize::new(0),
            has_success: AtomicBool::new(false),
        }
    }

    /// Returns true if the opt-in regions of at least one account are not known.
    pub fn lacks_regions(&self) -> bool {
        self.is_unwanted || self.refused.load(Ordering::Relaxed) > 0
    }

    /// Returns true if the next account will be asked.
    pub fn is_wanted(&self) -> bool {
        let is_refused = self.refused.load(Ordering::Relaxed) >= MAX_REFUSALS_WITHOUT_SUCCESS;
        !self.is_unwanted && (!is_refused || self.has_success.load(Ordering::Relaxed))
    }

    /// Returns the opt-in regions that a member has enabled. Returns `None` if they are not known: the call needs trusted
    /// access for Account Management, and a policy may deny it for one account.
    ///
    /// # Errors
    /// When the call fails for another reason than a missing permission.
    pub async fn opted_in(&self, aws: &Aws, account: &str) -> Result<Option<Vec<RegionName>>> {
        self.rate.acquire().await;
        // An account that waited may not need its call any more.
        if !self.is_wanted() {
            return Ok(None);
        }
        match account_regions(aws, Some(account)).await {
            Ok(regions) => {
                self.has_success.store(true, Ordering::Relaxed);
                Ok(Some(regions.opted_in))
            }
            Err(error) if error.is_denied() => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Returns the regions of the caller's own account. In partitions without Account Management, these are the regions of
/// the partition that are known without a call.
///
/// # Errors
/// When AWS refuses the call.
pub(super) async fn own_regions(aws: &Aws, home_region: &str) -> Result<AccountRegions> {
    // No partition other than `aws` and `aws-cn` has an endpoint for the call, and their regions are always regions.
    let by_default: &[&str] = if home_region.starts_with("us-gov-") {
        &["us-gov-east-1", "us-gov-west-1"]
    } else if home_region.contains("-iso") {
        &[home_region]
    } else {
        return account_regions(aws, None).await;
    };
    Ok(AccountRegions {
        by_default: by_default.iter().copied().map(RegionName::from).collect(),
        ..AccountRegions::default()
    })
}

/// Returns the regions of a member, or of the caller. The management account must not name itself.
async fn account_regions(aws: &Aws, member: Option<&str>) -> Result<AccountRegions> {
    let call = aws.management().account.list_regions().max_results(50);
    let call = call.set_account_id(member.map(str::to_owned));
    let mut pages = call.into_paginator().send();
    let mut regions = AccountRegions::default();
    while let Some(page) = pages.next().await {
        let page = page.context_for("account:ListRegions", || match member {
            Some(account) => format!("list the regions of account {account}"),
            None => "list the regions".to_owned(),
        })?;
        for region in page.regions() {
            let Some(name) = region.region_name().map(RegionName::from) else {
                continue;
            };
            match region.region_opt_status() {
                Some(RegionOptStatus::EnabledByDefault) => regions.by_default.push(name),
                Some(RegionOptStatus::Enabled) => regions.opted_in.push(name),
                _ => regions.disabled.push(name),
            }
        }
    }
    regions.by_default.sort();
    regions.opted_in.sort();
    regions.disabled.sort();
    Ok(regions)
}
